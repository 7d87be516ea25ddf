//! A small vertical, and everything that a source can do to it.

use super::*;
use crate::normalizer::{NamedValue, Stage, Value};

static TRIAL: Vertical = Vertical::new(
    "trial",
    (1, 0),
    "A vertical for tests.",
    &[
        Group { name: "vehicle", words: &["vehicle", "vehicles", "car"], is_person: false },
        Group { name: "account", words: &["account", "accountinfo"], is_person: false },
        Group { name: "driver", words: &["driver", "drivers", "applicant"], is_person: true },
    ],
    &[
        standard::PLACE,
        standard::PERSON,
        &[
            Field::new("make", Reader::Text).keys("vehicle/make"),
            Field::new("makes", Reader::Every("make")),
            Field::new("vehicle_count", Reader::Count("vehicle")).keys("vehicles"),
            Field::new("driver_count", Reader::Count("driver")),
            Field::new("carrier", Reader::TextUnless("none")).keys("insurance_company"),
            Field::new("months", Reader::Months("none")).keys("insured_months insured_years*12"),
            Field::new("down", Reader::Dollars(101, 1_000_000)).keys("down_payment"),
            Field::new("down_percent", Reader::Percent(0, 100)).sharing("down"),
            Field::new("credit_band", Reader::Credit(standard::CREDIT_WORDS))
                .keys("credit")
                .sharing("credit_score"),
            Field::new("credit_score", Reader::Score(standard::CREDIT_WORDS))
                .sharing("credit_band"),
            Field::new("bank", Reader::Text).preferring("account/bank").keys("account/name"),
            Field::new("account_number", Reader::Digits(4, 17)).contact().keys("account/number"),
            Field::new("ssn", Reader::SocialSecurity).contact(),
            Field::new("routing", Reader::Routing).contact().keys("account/routing"),
            Field::new("roof", Reader::WordOr(&[("tile", "clay"), ("other", "")])),
        ],
        standard::CONSENT,
        standard::CONTACT,
    ],
);

pub(super) const FORM: &str = "application/x-www-form-urlencoded";
pub(super) const JSON: &str = "application/json";
pub(super) const XML: &str = "text/xml";

pub(super) fn read(stage: Stage, content_type: &str, query: &str, body: &[u8]) -> Normalized {
    let (content_type, query, body) = (content_type.into(), query.into(), body.into());
    let (dialect, accept, received_on) = (None, None, 20_485);
    TRIAL.read(&Submission { stage, dialect, accept, content_type, query, body, received_on })
}

pub(super) fn told(normalized: &Normalized) -> String {
    let pair = |pair: &NamedValue| {
        let value = match &pair.value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) | Value::Decimal(number) => number.to_string(),
            Value::Boolean(yes) => yes.to_string(),
            Value::Date(days) => days.to_string(),
            Value::Texts(texts) => texts.join("+"),
        };
        // The state follows from the ZIP code in every line; it has a test of its own.
        (pair.name != "state").then(|| format!("{}={value}", pair.name))
    };
    match &normalized.lead {
        Ok(lead) => lead.iter().filter_map(pair).collect::<Vec<_>>().join(" "),
        Err(refusal) => {
            format!("{:?} {}", refusal.code, refusal.field.as_deref().unwrap_or("body"))
        }
    }
}

/// Reads a ping and compares its values, or the refusal's code and field.
#[track_caller]
pub(super) fn check(content_type: &str, body: &str, expected: &str) {
    let normalized = read(Stage::Ping, content_type, "", body.as_bytes());
    let expected = expected
        .strip_prefix('!')
        .map_or(expected.to_owned(), |refusal| format!("RefusalCode::{refusal}"));
    assert_eq!(told(&normalized), expected, "{body}\n{:?}", normalized.lead);
}

#[test]
fn one_field_is_reached_by_every_path() {
    for form in [
        "zip=33139&gender=F",
        "ZIP=33139&GENDER=f",
        "Lead.Zip=33139&Lead.Gender=F",
        "lead[zip]=33139&lead[gender]=F",
        "zip-code=33139&driver1_gender=F",
        "zip_code=33139&driver_1_gender=F&driver_2_gender=M",
        "ContactData.ZipCode=33139&drivers[0].gender=F&drivers[1].gender=M",
        "data[zip]=33139&drivers[1][gender]=F&drivers[2][gender]=M",
        "zip=33139&Applicant1Gender=F",
        "zip=33139&gender_1=F&gender_2=M",
        "zip=33139&driver.0.gender=F",
        "z%69p=33139&+gender+=F",
    ] {
        let normalized = read(Stage::Ping, FORM, "", form.as_bytes());
        assert!(
            told(&normalized).starts_with("zip=33139 gender=female"),
            "{form}: {:?}",
            normalized.lead
        );
    }
    for json in [
        r#"{"zip":"33139","gender":"F"}"#,
        r#"{"Request":{"Zip":33139,"Gender":2}}"#,
        r#"{"acme_ping":{"zip":"33139","gender":"F"}}"#,
        r#"{"contact":{"address":{"zip":"33139"}},"drivers":[{"gender":"F"},{"gender":"M"}]}"#,
        r#"[{"zip":"33139","gender":"F"}]"#,
        r#"{"Lead.Zip":"33139","driver":{"gender":"F"}}"#,
        r#"{"drivers":{"1":{"gender":"F"},"2":{"gender":"M"}},"zip":["33139"]}"#,
        r#"{"fields":[{"name":"zip","value":"33139"},{"name":"gender","values":["F"]}]}"#,
    ] {
        let normalized = read(Stage::Ping, JSON, "", json.as_bytes());
        assert!(
            told(&normalized).starts_with("zip=33139 gender=female"),
            "{json}: {:?}",
            normalized.lead
        );
    }
    for xml in [
        "<l><zip>33139</zip><gender>F</gender></l>",
        "<l Zip='33139'><Person><Gender>F</Gender></Person></l>"
            .replace("Person", "Applicant")
            .as_str(),
        "<a:l xmlns:a='x'><a:Contact a:zip='33139'/><a:Drivers><a:Driver gender='F'/><a:Driver gender='M'/></a:Drivers></a:l>",
        "<l><zip><![CDATA[33139]]></zip><driver><gender>&#70;</gender></driver></l>",
        "<l><zip> 33139\n</zip><gender xml:lang='en'>F</gender></l>",
        "<l><field name='zip'>33139</field><field name='gender' value='F'/></l>",
    ] {
        let normalized = read(Stage::Ping, XML, "", xml.as_bytes());
        assert!(
            told(&normalized).starts_with("zip=33139 gender=female"),
            "{xml}: {:?}",
            normalized.lead
        );
    }
}

#[test]
fn the_keys_of_one_family_say_who_speaks() {
    let dialect = |content_type: &str, query: &str, body: &str| {
        read(Stage::Ping, content_type, query, body.as_bytes()).envelope.dialect
    };
    for (form, expected) in [
        ("zip=33139", ""),
        ("zip=33139&Key=k&API_Action=pingPostLead", "boberdoo-xml"),
        ("Key=k&SRC=s&TYPE=31&Format=JSON", "boberdoo-json"),
        ("Key=k&TYPE=31&Mode=ping&Format=xml", "boberdoo-xml"),
        ("Key=k&TYPE=31", ""),
        ("ckm_campaign_id=1&ckm_key=k", "cake"),
        ("lp_campaign_id=1&lp_campaign_key=k", "leadspedia-xml"),
        ("lp_campaign_id=1&lp_campaign_key=k&lp_response=JSON", "leadspedia-json"),
        ("lp_campaign_id=1&lp_supplier_id=2&lp_key=k", "leadprosper"),
        ("lp_key=k", ""),
        ("Lead.LeadTypeId=5&Source.Key=k&Source.Token=t", "leadsdelivery-xml"),
        ("Source.Key=k&Source.Token=t", "leadsdelivery-xml"),
        ("flo_campaign_id=1", "leaddistro"),
        ("campid=C&sid=1&returnjson=yes", "leadbyte"),
        ("campid=C&electricUtilityProviderText=Example", "sunrun"),
        ("api_token=t", ""),
        ("zip=33139&format=xml", "xml"),
        ("vehicle1_api_action=1", ""),
    ] {
        assert_eq!(dialect(FORM, "", form), expected, "{form}");
        assert_eq!(dialect(FORM, form, ""), expected, "?{form}");
    }
    assert_eq!(dialect(JSON, "", r#"{"ApiToken":"t","Vertical":"Auto"}"#), "px-json");
    assert_eq!(dialect(XML, "", "<Lead><ApiToken>t</ApiToken><Vertical/></Lead>"), "px-xml");
    assert_eq!(
        dialect(JSON, "", r#"{"Request":{"API_Action":"a","Format":"JSON"}}"#),
        "boberdoo-json"
    );
    assert_eq!(
        dialect(JSON, "", r#"{"zip":"1","Source":{"Key":"k","Token":"t"}}"#),
        "leadsdelivery-xml"
    );
    assert_eq!(dialect(JSON, "", r#"{"vehicles":[{"key":1,"type":2,"src":3}]}"#), "");
    // A body that breaks off has said enough.
    assert_eq!(dialect(JSON, "", r#"{"ApiToken":"t","Vertical":"Auto","zip":"#), "px-json");
}

#[test]
fn what_is_said_of_someone_else_is_not_read() {
    check(
        FORM,
        "zip=33139&spouse_gender=M&agent.zip=10001&driver2_gender=M&mailing_zip=10001",
        "zip=33139 driver_count=1",
    );
    check(
        JSON,
        r#"{"zip":"33139","spouse":{"gender":"M"},"vehicles":[{"zip":"10001"}]}"#,
        "zip=33139 vehicle_count=1",
    );
    check(XML, "<l><zip>33139</zip><spouse><gender>M</gender></spouse></l>", "zip=33139");
    check(FORM, "zip=33139&zip_2=10001&gender_2=M", "zip=33139");
}

#[test]
fn elements_of_a_group_are_told_apart() {
    check(
        FORM,
        "zip=33139&vehicle0_make=A&vehicle1_make=B",
        "zip=33139 make=A makes=A+B vehicle_count=2",
    );
    check(
        FORM,
        "zip=33139&vehicle2_make=B&vehicle1_make=A",
        "zip=33139 make=A makes=A+B vehicle_count=2",
    );
    check(FORM, "zip=33139&vehicle2_make=B", "zip=33139 makes=B vehicle_count=1");
    check(FORM, "zip=33139&vehicle_make=A&vehicle_1_make=B", "!ConflictingValues make");
    check(
        FORM,
        "zip=33139&vehicle1_make=A&vehicle2_make=&vehicles=3",
        "zip=33139 make=A makes=A vehicle_count=3",
    );
    check(
        JSON,
        r#"{"zip":"33139","vehicles":[{},{"make":"B"}]}"#,
        "zip=33139 makes=B vehicle_count=1",
    );
    check(
        JSON,
        r#"{"zip":"33139","driver":{"vehicles":[{"make":"A"}]}}"#,
        "zip=33139 make=A makes=A vehicle_count=1",
    );
    check(
        XML,
        "<l><zip>33139</zip><vehicle make='A'/><vehicle make='B'/></l>",
        "zip=33139 make=A makes=A+B vehicle_count=2",
    );
    check(
        XML,
        "<l><zip>33139</zip><Vehicles><Vehicle1><Make>A</Make></Vehicle1><Vehicle2><Make>B</Make></Vehicle2></Vehicles></l>",
        "zip=33139 make=A makes=A+B vehicle_count=2",
    );
}

#[test]
fn a_body_that_is_not_well_formed_is_refused() {
    for body in [
        "{\"zip\":33139,}",
        "{\"zip\":33139}}",
        "{\"zip\":33139}{}",
        "{\"zip\":033139}",
        "{\"zip\":Infinity}",
        "{'zip':33139}",
        "{\"zip\":33139,\"a\":{\"b\":1,\"b\":1}}",
        "{\"zip\"",
        "[]x",
    ] {
        check(JSON, body, "!Malformed body");
    }
    for body in [
        "<l><zip>33139</l>",
        "<l><zip>33139</zip></l>x",
        "<l a=1><zip>33139</zip></l>",
        "<l a='1' a='2'><zip>33139</zip></l>",
        "<!DOCTYPE l><l><zip>33139</zip></l>",
        "<l><zip>&#0;</zip></l>",
        "<l><zip>&zip;</zip></l>",
        "<l zip='&zip;'/>",
        "<l/><l/>",
        "<",
    ] {
        check(XML, body, "!Malformed body");
    }
    check(JSON, r#"{"leads":[{"zip":"33139"},{"zip":"33139"}]}"#, "!Malformed body");
    check(
        XML,
        "<l><lead><zip>33139</zip></lead><lead><zip>33139</zip></lead></l>",
        "!Malformed body",
    );
    check(FORM, &format!("{}=1", "k".repeat(300)), "!TooLarge body");
    check(FORM, &format!("zip=33139&city={}", "c".repeat(5_000)), "!TooLarge body");
    check(FORM, &format!("zip=33139&unknown={}", "c".repeat(5_000)), "zip=33139");
}

#[test]
fn what_two_keys_say_must_agree() {
    check(
        FORM,
        "zip=33139&dob=1976-07-24&birthdate=07/24/1976",
        "zip=33139 date_of_birth=2396 age=49",
    );
    check(
        FORM,
        "zip=33139&dob=1976-07-24&birthdate=07/25/1976",
        "!ConflictingValues date_of_birth",
    );
    check(FORM, "zip=33139&dob=1976-07-24&age=50", "zip=33139 date_of_birth=2396 age=49");
    check(
        FORM,
        "zip=33139&birth_year=1976&birth_month=July&birth_day=24",
        "zip=33139 date_of_birth=2396 age=49",
    );
    check(FORM, "zip=33139&dob_year=1976&dob_month=2&dob_day=31", "!InvalidValue date_of_birth");
    check(FORM, "zip=33139&birthday=1976-07-24", "zip=33139 date_of_birth=2396 age=49");
    check(FORM, "zip=33139&tcpa=1&tcpa_consent=0", "!ConflictingValues tcpa_consent");
    check(
        FORM,
        "zip=33139&sub_id=1&sid=2&url=a.example&landing_page=b.example",
        "zip=33139 landing_page=b.example sub_id_1=1",
    );
    check(FORM, "zip=33139&insured_years=2", "zip=33139 months=24");
    check(FORM, "zip=33139&insurance.company=Example&carrier=None", "zip=33139 carrier=Example");
}

#[test]
fn a_group_may_say_its_name_again_and_go_before_a_name_outside() {
    let bank = "zip=33139 bank=Example account_number=00123456";
    check(
        JSON,
        r#"{"zip":"33139","AccountInfo":{"AccountName":"Example","AccountNumber":"00123456"}}"#,
        bank,
    );
    check(FORM, "zip=33139&bank=Other&account.bank=Example&account_number=0012-3456", bank);
    check(FORM, "zip=33139&bank=Other&bank=Example", "!ConflictingValues bank");
    check(FORM, "zip=33139&account_zip=10001&account.phone=1", "zip=33139");
    check(FORM, "zip=33139&roof=Clay", "zip=33139 roof=tile");
    check(FORM, "zip=33139&roof=Thatch", "zip=33139 roof=other");
}

#[test]
fn a_number_that_is_withheld_is_not_there_and_one_that_cannot_be_is_refused() {
    for form in ["ssn=XXX-XX-1234", "ssn=000000000", "routing=*********", "account_number=****1234"]
    {
        check(FORM, &format!("zip=33139&{form}"), "zip=33139");
    }
    check(FORM, "zip=33139&ssn=219-09-9999", "zip=33139 ssn=219099999");
    check(JSON, r#"{"zip":"33139","ssn":1099999}"#, "zip=33139 ssn=001099999");
    check(FORM, "zip=33139&ssn=666-12-3456", "!InvalidValue ssn");
    check(FORM, "zip=33139&routing=011000016", "!InvalidValue routing");
}

#[test]
fn a_post_has_names_and_numbers() {
    let post = |form: &str| told(&read(Stage::Post, FORM, "", form.as_bytes()));
    let person = "zip=33139&email=dana@example.com";
    let expected =
        "zip=33139 first_name=Dana last_name=Sample email=dana@example.com phone=+12025550110";
    assert_eq!(post(&format!("{person}&name=Dana+Q.+Sample&phone=2025550110")), expected);
    assert_eq!(post(&format!("{person}&name=Sample,+Dana&mobile=2025550110")), expected);
    let two = format!(
        "{person}&first_name=Dana&last_name=Sample&phone_home=2025550110&phone_work=2025550111&cell=2025550110"
    );
    assert_eq!(post(&two), format!("{expected} other_phones=+12025550111"));
    assert_eq!(post(&format!("{person}&name=Dana+Sample")), "RefusalCode::MissingField phone");
    assert_eq!(
        post(&format!("{person}&name=Dana&phone=2025550110")),
        "RefusalCode::MissingField last_name"
    );
    assert_eq!(
        post(&format!("{person}&name=Dana+Sample&phone=1234567890")),
        "RefusalCode::InvalidValue phone"
    );
}

#[test]
fn no_message_quotes_a_value() {
    for form in [
        "email=secret",
        "phone=secret",
        "dob=secret",
        "zip=secret",
        "first_name=7777&zip=33139",
        "ip=secret",
        "gender=secret",
        "zip=33139&ssn=7777",
        "zip=33139&routing=7777",
        "zip=33139&account_number=777",
        "zip=33139&account_number=secret",
    ] {
        let refusal = read(Stage::Post, FORM, "", form.as_bytes()).lead.unwrap_err();
        assert!(
            !refusal.message.contains("secret") && !refusal.message.contains("777"),
            "{}",
            refusal.message
        );
    }
}

#[test]
fn the_schema_is_the_table() {
    let schema = TRIAL.schema();
    let zip = schema.fields.first().unwrap();
    assert!(
        zip.name == "zip"
            && zip.required_on_ping
            && zip.required_on_post
            && zip.binding
            && !zip.contact
    );
    assert!(
        !schema.fields.iter().any(|field| field.name == "key"),
        "the envelope is no part of the lead"
    );
    let gender = schema.fields.iter().find(|field| field.name == "gender").unwrap();
    assert_eq!(gender.allowed, ["female", "male", "nonbinary"]);
}

#[test]
fn what_a_program_writes_for_nothing_is_nothing() {
    for nothing in [
        "make=None",
        "gender=None",
        "date_of_birth=None",
        "date_of_birth=0000-00-00",
        "date_of_birth=0001-01-01T00:00:00",
        "county=None",
        "roof=None",
        "jornaya_lead_id=None",
        "ip_address=None",
    ] {
        check(FORM, &format!("zip=33139&{nothing}"), "zip=33139");
    }
    // To these fields it is a word.
    check(FORM, "zip=33139&months=None", "zip=33139 months=0");
    check(FORM, "zip=33139&carrier=None", "zip=33139");
}

#[test]
fn a_number_that_went_through_a_float_is_whole() {
    check(FORM, "zip=33139.0", "zip=33139");
    check(JSON, r#"{"zip":33139.0}"#, "zip=33139");
    check(JSON, r#"{"zip":2139.0}"#, "zip=02139");
    check(JSON, r#"{"zip":33139.5}"#, "!InvalidValue zip");
    let phone = r#"{"zip":"33139","first_name":"A","last_name":"B","email":"a@example.com","phone":2.025550147e9}"#;
    let normalized = read(Stage::Post, JSON, "", phone.as_bytes());
    assert!(told(&normalized).contains("phone=+12025550147"), "{normalized:?}");
}

#[test]
fn an_ampersand_that_a_page_wrote_out_parts_pairs() {
    check(
        FORM,
        "zip=33139&amp;make=Ford&amp;gender=F",
        "zip=33139 gender=female make=Ford makes=Ford",
    );
}

#[test]
fn a_value_that_is_repeated_is_read_once_and_too_many_are_refused() {
    let repeated = |count: usize| "&make=Ford".repeat(count);
    check(FORM, &format!("zip=33139{}", repeated(1_900)), "zip=33139 make=Ford makes=Ford");
    let different = |count: usize| {
        let spelled = |place: usize| format!("&gender=F{}", "+".repeat(place));
        (0..count).map(spelled).collect::<String>()
    };
    check(FORM, &format!("zip=33139{}", different(16)), "zip=33139 gender=female");
    check(FORM, &format!("zip=33139{}", different(17)), "!TooLarge gender");
}
