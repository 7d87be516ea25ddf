//! One lead in the dialects that sources speak: form, JSON and XML, numbered and nested, the key here or there.

use serde_json::{Value, json};

use super::api::Call;
use super::leads::Lead;
use super::people::Person;

/// How a source writes its leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A form with numbered keys (`driver1_gender`) and the key in the body.
    NumberedForm,
    /// JSON with lists of vehicles and drivers, numbers as texts, and the key in the body.
    NestedJson,
    /// XML, with the key in the Authorization header.
    Xml,
    /// A form with numbers for words (`gender=2`) and the key in the body.
    CodedForm,
    /// Plain JSON, with the key in the Authorization header.
    FlatJson,
}

impl Dialect {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::NumberedForm | Self::CodedForm => "application/x-www-form-urlencoded",
            Self::NestedJson | Self::FlatJson => "application/json",
            Self::Xml => "application/xml",
        }
    }

    /// Says whether the key is in the Authorization header.
    pub(super) const fn bearer(self) -> bool {
        matches!(self, Self::Xml | Self::FlatJson)
    }
}

/// The step that a lead is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Ping,
    Post { ping_id: String },
    Full,
}

impl Stage {
    const fn path(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Post { .. } => "post",
            Self::Full => "full",
        }
    }

    fn ping_id(&self) -> Option<&str> {
        match self {
            Self::Post { ping_id } => Some(ping_id),
            Self::Ping | Self::Full => None,
        }
    }
}

/// Writes a lead as its source sends it.
pub(super) fn call(lead: &Lead, stage: &Stage, key: &str) -> Call {
    let dialect = lead.source().dialect;
    let body = match dialect {
        Dialect::NumberedForm => form(&numbered(&lead.person, stage, key)),
        Dialect::CodedForm => form(&coded(&lead.person, stage, key)),
        Dialect::NestedJson => nested(&lead.person, stage, key).to_string(),
        Dialect::FlatJson => flat(&lead.person, stage).to_string(),
        Dialect::Xml => xml(&lead.person, stage),
    };
    Call {
        path: format!("/v1/{}/{}", lead.vertical().id, stage.path()),
        content_type: dialect.content_type(),
        bearer: dialect.bearer().then(|| key.to_owned()),
        idempotency_key: None,
        body: body.into(),
    }
}

type Pairs = Vec<(&'static str, String)>;

fn numbered(person: &Person, stage: &Stage, key: &str) -> Pairs {
    let mut pairs = vec![
        ("lp_key", key.to_owned()),
        ("zip_code", person.place.zip.to_owned()),
        ("state", person.place.state.to_owned()),
        ("ip_address", person.ip.clone()),
        ("trusted_form_cert_url", person.certificate.clone()),
        ("home_ownership", if person.owns_home { "own" } else { "rent" }.to_owned()),
        ("currently_insured", yes_no(person.insurer.is_some())),
        ("driver1_birth_date", person.birth.to_string()),
        ("driver1_gender", if person.female { "F" } else { "M" }.to_owned()),
        ("driver1_marital_status", if person.married { "married" } else { "single" }.to_owned()),
        ("driver1_credit_rating", person.credit.to_owned()),
        ("vehicle1_year", person.car.year.to_string()),
        ("vehicle1_make", person.car.make.to_owned()),
        ("vehicle1_model", person.car.model.to_owned()),
    ];
    pairs.extend(person.insurer.map(|insurer| ("current_insurer", insurer.to_owned())));
    pairs.extend(stage.ping_id().map(|ping_id| ("lp_ping_id", ping_id.to_owned())));
    pairs.extend(contact(person, stage));
    pairs
}

fn coded(person: &Person, stage: &Stage, key: &str) -> Pairs {
    let mut pairs = vec![
        ("key", key.to_owned()),
        ("partnerid", "XYZ".to_owned()),
        ("ip", person.ip.clone()),
        ("requested_coverage_types", "3".to_owned()),
        ("tcpa_optin", "1".to_owned()),
        ("zipcode", person.place.zip.to_owned()),
        ("state", person.place.state.to_owned()),
        ("gender", if person.female { "2" } else { "1" }.to_owned()),
        ("birth_date", person.birth.to_string()),
        ("household_income", person.income.to_string()),
        ("tobacco", u8::from(person.tobacco).to_string()),
    ];
    pairs.extend(stage.ping_id().map(|ping_id| ("ping_id", ping_id.to_owned())));
    pairs.extend(contact(person, stage));
    pairs
}

fn nested(person: &Person, stage: &Stage, key: &str) -> Value {
    let (car, driver) = (person.car, person);
    let mut body = json!({
        "api_token": key,
        "ip": person.ip,
        "data": {
            "zip": person.place.zip,
            "state": person.place.state,
            "home_ownership": u8::from(person.owns_home),
            "currently_insured": u8::from(person.insurer.is_some()),
            "current_company": person.insurer.unwrap_or("None"),
            "vehicles": [{"year": car.year.to_string(), "make": car.make, "model": car.model}],
            "drivers": [{
                "relationship": "self",
                "gender": if driver.female { "F" } else { "M" },
                "marital_status": if driver.married { "married" } else { "single" },
                "birth_date": driver.birth.to_string(),
                "credit_rating": driver.credit,
            }],
        },
    });
    if let Some(fields) = body.as_object_mut() {
        fields.extend(stage.ping_id().map(|ping_id| ("ping_id".to_owned(), ping_id.into())));
        let contact = contact(person, stage).into_iter();
        let contact: serde_json::Map<_, _> =
            contact.map(|(name, value)| (name.to_owned(), value.into())).collect();
        if !contact.is_empty() {
            fields.insert("contact".to_owned(), contact.into());
        }
    }
    body
}

fn flat(person: &Person, stage: &Stage) -> Value {
    let mut body = json!({
        "zip": person.place.zip,
        "state": person.place.state,
        "birth_date": person.birth.to_string(),
        "gender": if person.female { "female" } else { "male" },
        "tobacco": person.tobacco,
        "household_income": person.income,
        "ip_address": person.ip,
        "trusted_form_cert_url": person.certificate,
    });
    if let Some(fields) = body.as_object_mut() {
        fields.extend(stage.ping_id().map(|ping_id| ("ping_id".to_owned(), ping_id.into())));
        let contact = contact(person, stage).into_iter();
        fields.extend(contact.map(|(name, value)| (name.to_owned(), value.into())));
    }
    body
}

fn xml(person: &Person, stage: &Stage) -> String {
    let mut request = Pairs::new();
    request.extend(stage.ping_id().map(|ping_id| ("Ping_Id", ping_id.to_owned())));
    request.extend([
        ("Zip", person.place.zip.to_owned()),
        ("State", person.place.state.to_owned()),
        ("IP_Address", person.ip.clone()),
        ("Trusted_Form_URL", person.certificate.clone()),
        ("Home_Owner", yes_no(person.owns_home)),
        ("Currently_Insured", yes_no(person.insurer.is_some())),
    ]);
    let driver = [
        ("Birth_Date", person.birth.to_string()),
        ("Gender", if person.female { "Female" } else { "Male" }.to_owned()),
        ("Marital_Status", if person.married { "Married" } else { "Single" }.to_owned()),
        ("Credit_Rating", person.credit.to_owned()),
    ];
    let vehicle = [
        ("Year", person.car.year.to_string()),
        ("Make", person.car.make.to_owned()),
        ("Model", person.car.model.to_owned()),
    ];
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Request>\n{}<Driver>\n{}</Driver>\n\
         <Vehicle>\n{}</Vehicle>\n<Contact>\n{}</Contact>\n</Request>\n",
        elements(&request),
        elements(&driver),
        elements(&vehicle),
        elements(&contact(person, stage)),
    )
}

fn elements(pairs: &[(&str, String)]) -> String {
    let element = |(name, value): &(&str, String)| format!("<{name}>{}</{name}>\n", escaped(value));
    pairs.iter().map(element).collect()
}

/// Who the person is: nothing on a ping.
fn contact(person: &Person, stage: &Stage) -> Pairs {
    if matches!(stage, Stage::Ping) {
        return Vec::new();
    }
    vec![
        ("first_name", person.first_name.to_owned()),
        ("last_name", person.last_name.to_owned()),
        ("email", person.email.clone()),
        ("phone", person.phone.clone()),
        ("address", person.street.clone()),
        ("city", person.place.city.to_owned()),
    ]
}

fn yes_no(yes: bool) -> String {
    if yes { "Yes" } else { "No" }.to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn form(pairs: &Pairs) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// Percent-encodes what a form does not carry as it is.
fn encoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::leads::lead;
    use super::super::market::SOURCES;
    use super::*;

    const TODAY: jiff::civil::Date = jiff::civil::date(2026, 3, 1);

    fn of(dialect: Dialect) -> Lead {
        let is = |lead: &Lead| lead.source().dialect == dialect && lead.fault.is_none();
        (1..500).map(|number| lead(1, number, TODAY)).find(is).unwrap()
    }

    fn body(call: &Call) -> String {
        String::from_utf8(call.body.to_vec()).unwrap()
    }

    #[test]
    fn a_ping_never_says_who_it_is() {
        for source in SOURCES {
            let lead = of(source.dialect);
            let ping = body(&call(&lead, &Stage::Ping, "key"));
            let person = &lead.person;
            for secret in [&person.email, &person.phone, person.last_name, &person.street] {
                assert!(!ping.contains(secret), "{ping}");
            }
            assert!(ping.contains(person.place.zip), "{ping}");
        }
    }

    #[test]
    fn a_post_names_its_ping_and_the_person() {
        for source in SOURCES {
            let lead = of(source.dialect);
            let stage = Stage::Post { ping_id: "pg_7".into() };
            let post = body(&call(&lead, &stage, "key"));
            assert!(post.contains("pg_7") && post.contains(&lead.person.phone), "{post}");
        }
    }

    #[test]
    fn the_key_is_in_the_body_or_in_the_header_and_never_in_both() {
        for source in SOURCES {
            let call = call(&of(source.dialect), &Stage::Ping, "the-key-4711");
            let in_body = body(&call).contains("the-key-4711");
            assert_ne!(in_body, call.bearer.is_some(), "{}", source.id);
        }
    }

    #[test]
    fn what_a_form_cannot_carry_is_encoded() {
        assert_eq!(encoded("1 Oak St & Co=ä"), "1+Oak+St+%26+Co%3D%C3%A4");
    }
}
