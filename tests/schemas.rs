//! A vertical's schema over time: what an exchange takes as its next version, and the schema as others read it.

mod component;

use std::path::{Path, PathBuf};

use gavel::lead::Kind;
use gavel::sandbox::{Admitted, Limits, Normalizer, Sandbox, Stage, Submission, Verdict};
use gavel::schemas;
use lead_frame::{FieldId, Writer};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::component::normalizer;
use crate::crash::program::gavel;
use crate::exchange::{
    Exchange, OPERATOR_KEY, Reply, SOURCE_KEY, client, merged, module, reply, until,
};

/// Every kind of field, with the names and words that are hardest to make Rust of. In a word, `_` is a blank.
const HARD_NAMES: &str = r#"
    zip text ping post binding
    credit_band text words=good,fair,very-poor
    limits text words=15/30,100/300,500_+
    4wd boolean
    _ integer
    option text words=self,option,none
    self text words=a-b,a_b,ü,say_"hi",back\slash
    makes texts words=Kia,Saab
    income decimal
    born date
    phone text post contact
"#;

fn admitted(wasm: &[u8]) -> Normalizer {
    match Sandbox::open(&Limits::default()).unwrap().admit(wasm).unwrap() {
        Admitted::Normalizer(normalizer) => normalizer,
        other @ (Admitted::Filter(_) | Admitted::Adapter(_)) => panic!("no normalizer: {other:?}"),
    }
}

/// Keeps a module in a folder, and returns the file's name.
fn file(folder: &TempDir, name: &str, wasm: &[u8]) -> PathBuf {
    let file = folder.path().join(name);
    std::fs::write(&file, wasm).unwrap();
    file
}

#[test]
fn the_accessors_that_a_filter_was_built_with_are_those_that_are_made() {
    let schema = admitted(&normalizer("hard-names", (1, 2), HARD_NAMES));
    let made = schemas::accessors(schema.schema());
    let file = "../rules/generated-fields/src/hard_names.rs";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    if std::env::var_os("GAVEL_BLESS").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let built = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        made == built,
        "run with GAVEL_BLESS=1, look at {}, and build the rules",
        file.display()
    );
}

#[test]
fn a_filter_reads_a_lead_by_the_accessors_made_for_it() {
    let wasm = module("generated-fields");
    let Ok(Admitted::Filter(filter)) = Sandbox::open(&Limits::default()).unwrap().admit(&wasm)
    else {
        panic!("no filter")
    };
    let schema = admitted(&normalizer("hard-names", (1, 2), HARD_NAMES));
    for need in filter.needs() {
        let (_, field) = schema.schema().field(&need.name).unwrap();
        assert_eq!(field.kind, need.kind, "{}", need.name);
    }
    assert_eq!(filter.needs().len(), 9, "only what it takes, not all that there is");
    let configured = filter.configure(&["null".to_owned()]).unwrap();
    let judge = |fill: &dyn Fn(&mut Writer)| {
        let mut frame = Writer::default();
        fill(&mut frame);
        match &configured.evaluate(&frame.finish(), &[0]).unwrap().verdicts[0] {
            Verdict::Yes(price) => price.map_or("own price".to_owned(), |price| price.to_string()),
            Verdict::No(reason) => reason.to_string(),
        }
    };
    let of = FieldId::of;
    assert_eq!(judge(&|_| ()), "no-credit");
    assert_eq!(judge(&|lead| lead.text(of("credit_band"), "best")), "no-credit");
    assert_eq!(judge(&|lead| lead.text(of("credit_band"), "very-poor")), "very-poor");
    assert_eq!(judge(&|lead| lead.text(of("credit_band"), "fair")), "own price");
    let all = |lead: &mut Writer| {
        lead.text(of("credit_band"), "good");
        lead.text(of("limits"), "100/300");
        lead.text(of("option"), "self");
        lead.text(of("self"), "a b");
        lead.texts(of("makes"), ["Kia", "Saab"]);
        lead.boolean(of("4wd"), true);
        lead.integer(of("_"), 7);
        lead.decimal(of("income"), 50_000_000_000);
        lead.date(of("born"), -1);
    };
    assert_eq!(judge(&all), "8.00");
}

/// Judges documents by a JSON Schema, formats too.
fn accepts(json_schema: &Value, lead: &Value) -> Result<(), String> {
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    let name = json_schema["$id"].as_str().unwrap();
    compiler.add_resource(name, json_schema.clone()).unwrap();
    let index = compiler.compile(name, &mut schemas).unwrap();
    schemas.validate(lead, index).map_err(|error| format!("{error:#}"))
}

#[test]
fn the_leads_of_every_fixture_are_valid_by_the_json_schema_of_their_step() {
    let mut validated = 0;
    for vertical in ["auto-insurance", "medicare-health"] {
        let normalizer = admitted(&module(vertical));
        let schema = normalizer.schema();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules").join(vertical);
        for entry in std::fs::read_dir(folder.join("fixtures")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".expected.json") {
                continue;
            }
            let stage = if name.contains(".post.") { Stage::Post } else { Stage::Ping };
            let content_type = match path.extension().unwrap().to_str().unwrap() {
                "form" => "application/x-www-form-urlencoded",
                "json" => "application/json",
                _ => "text/xml",
            };
            let body = std::fs::read(&path).unwrap();
            let (query, received_on) = ("", 20_485);
            let submission = Submission {
                stage,
                dialect: None,
                accept: None,
                content_type,
                query,
                body: &body,
                received_on,
            };
            let Ok(lead) = normalizer.normalize(&submission).unwrap().lead else { continue };
            let lead = lead.into_iter().map(|(name, value)| (name, value.to_json())).collect();
            let lead = Value::Object(lead);
            for document in [schemas::json_schema(schema, stage), schemas::json_schemas(schema)] {
                accepts(&document, &lead).unwrap_or_else(|why| panic!("{name}: {why}\n{lead:#}"));
            }
            validated += 1;
        }
    }
    assert!(validated > 40, "{validated}");
}

#[test]
fn a_json_schema_refuses_what_is_no_lead() {
    let schema = admitted(&normalizer("hard-names", (1, 2), HARD_NAMES));
    let lead = json!({
        "zip": "90210", "credit_band": "good", "limits": "500 +", "4wd": true, "_": -5, "makes": ["Kia"],
        "income": "12.5", "born": "1985-04-12", "phone": "+12025550110", "unknown": {"to": "this version"},
    });
    let [ping, post] =
        [Stage::Ping, Stage::Post].map(|of| schemas::json_schema(schema.schema(), of));
    assert_eq!(accepts(&ping, &lead), Ok(()));
    assert_eq!(accepts(&post, &lead), Ok(()));
    for (field, value) in [
        ("zip", json!(90_210)),
        ("credit_band", json!("best")),
        ("4wd", json!("yes")),
        ("_", json!(1.5)),
        ("makes", json!(["Kia", "Volvo"])),
        ("makes", json!("Kia")),
        ("income", json!(12.5)),
        ("income", json!("12.")),
        ("born", json!("1985-02-30")),
        ("phone", json!(7)),
    ] {
        let mut wrong = lead.clone();
        wrong[field] = value.clone();
        assert!(accepts(&post, &wrong).is_err(), "{field} {value}");
    }
    let mut without = lead;
    without.as_object_mut().unwrap().remove("phone");
    assert_eq!(accepts(&ping, &without), Ok(()), "a ping has no contact data");
    assert!(accepts(&post, &without).is_err(), "a post must have it");
    assert!(
        ping.pointer("/properties/phone").is_none() && post.pointer("/properties/phone").is_some()
    );
}

#[tokio::test]
async fn the_command_shows_a_file_as_a_table_as_json_schema_and_as_rust() {
    let folder = TempDir::new().unwrap();
    let path = file(&folder, "hard.wasm", &normalizer("hard-names", (1, 2), HARD_NAMES));
    let table = gavel(&["schema"], &path).await;
    let expected = "hard-names 1.2: leads to test with
FIELD        KIND     PING      POST      MARKS    WORDS
zip          text     required  required  binding
credit_band  text     optional  optional           good, fair, very-poor
limits       text     optional  optional           15/30, 100/300, 500 +
4wd          boolean  optional  optional
_            integer  optional  optional
option       text     optional  optional           self, option, none
self         text     optional  optional           a-b, a b, ü, say \"hi\", back\\slash
makes        texts    optional  optional           Kia, Saab
income       decimal  optional  optional
born         date     optional  optional
phone        text     never     required  contact
";
    assert_eq!(table, (Some(0), expected.to_owned()));

    let schema = admitted(&normalizer("hard-names", (1, 2), HARD_NAMES));
    let (code, rust) = gavel(&["schema", "--rust"], &path).await;
    assert_eq!((code, rust), (Some(0), schemas::accessors(schema.schema())));
    let (code, ping) = gavel(&["schema", "--json-schema", "--stage", "ping"], &path).await;
    let expected = schemas::json_schema(schema.schema(), Stage::Ping);
    assert_eq!((code, serde_json::from_str(&ping).ok()), (Some(0), Some(expected)));
    let (_, both) = gavel(&["schema", "--json-schema"], &path).await;
    assert_eq!(serde_json::from_str(&both).ok(), Some(schemas::json_schemas(schema.schema())));
    let (_, document) = gavel(&["--json", "schema"], &path).await;
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["fields"][1]["allowed"], json!(["good", "fair", "very-poor"]));
    assert_eq!(document["fields"].as_array().unwrap().len(), 11);
    assert_eq!(document["fields"][7]["kind"], Kind::Texts.name());
}

#[tokio::test]
async fn the_command_compares_two_files() {
    let folder = TempDir::new().unwrap();
    let old = file(&folder, "old.wasm", &normalizer("cars", (1, 0), "zip text\nage integer"));
    let check = async |version: (u32, u32), fields: &str, code: i32, expected: &str| {
        let new = file(&folder, "new.wasm", &normalizer("cars", version, fields));
        let (exit, printed) = gavel(&["schema", "--compare", old.to_str().unwrap()], &new).await;
        assert_eq!((exit, printed.trim_end()), (Some(code), expected));
    };
    check((1, 0), "age integer\nzip text", 0, "from version 1.0 to 1.0: nothing changes").await;
    check(
        (1, 1),
        "zip text\nage integer\nmake text",
        0,
        "from version 1.0 to 1.1:\n  `make` is new and optional",
    )
    .await;
    check(
        (1, 1),
        "zip text",
        1,
        "from version 1.0 to 1.1:\n! `age` is gone\n\
         version 1.1 of the schema breaks what relies on 1.0, so it must be called 2.0\n\
         gavel: an exchange would refuse the newer version",
    )
    .await;
    check(
        (2, 0),
        "zip text",
        1,
        "from version 1.0 to 2.0:\n! `age` is gone\n\
         gavel: the newer version breaks what relies on the older: both serve until everybody has moved",
    )
    .await;
}

/// The schema of a small vertical that the tests begin with.
const CARS: &str = "
    zip text ping post binding =90210
    age integer =40
    credit_band text words=good,fair,poor =good
    phone text post contact =+12025550110
    email text contact =dana@example.com
";

/// An exchange with the vertical `cars` at version 1.0, and campaigns and filters that read it.
async fn cars() -> Exchange {
    let exchange = Exchange::open().await;
    activate(&exchange, "cars", (1, 0), CARS).await;
    exchange.put("verticals/cars", json!({"module": "cars", "reserve": "1.00"})).await;
    exchange.put("sources/web", json!({"key": SOURCE_KEY})).await;
    let delivery = json!({"url": "http://127.0.0.1:9999/leads"});
    exchange.put("buyers/acme", json!({"delivery": delivery})).await;
    exchange.deposit("acme", "100.00").await;
    exchange.serve("age-credit-band").await;
    let bands = json!([{"credit": "poor", "cents": 500}]);
    let filter = json!({
        "module": "age-credit-band", "settings": {"age_min": 18, "age_max": 99, "bands": bands},
    });
    for (name, more) in [
        ("acme-adults", json!({"criteria": "age between 25 and 64 and zip is not null"})),
        ("acme-any", json!({"price": "2.00"})),
        ("acme-poor", json!({"criteria": r#"credit_band in ["fair", "poor"] or age > 70"#})),
        ("acme-filter", json!({"filter": filter})),
    ] {
        let campaign = json!({"buyer": "acme", "vertical": "cars", "price": "3.00"});
        exchange.put(&format!("campaigns/{name}"), merged(campaign, more)).await;
    }
    exchange
}

async fn upload(exchange: &Exchange, name: &str, version: (u32, u32), fields: &str) -> Reply {
    exchange.upload(name, normalizer(name, version, fields)).await
}

async fn activate(exchange: &Exchange, name: &str, version: (u32, u32), fields: &str) {
    let uploaded = upload(exchange, name, version, fields).await;
    assert_eq!(uploaded.status, 201, "{uploaded:?}");
    let activated = exchange.post(&format!("modules/{name}/activate"), json!({})).await;
    assert_eq!(activated.status, 200, "{activated:?}");
}

/// Uploads a version that must be refused, and compares `code: detail` and each fault, line by line.
#[track_caller]
fn check_refused(reply: &Reply, expected: &str) {
    assert_eq!(reply.status, 422, "{reply:?}");
    let mut lines = vec![format!("{}: {}", reply.text("/code"), reply.text("/detail"))];
    lines.extend([reply.text("/next").to_owned()].into_iter().filter(|next| !next.is_empty()));
    for fault in reply.body["faults"].as_array().into_iter().flatten() {
        lines.push(format!(
            "- {}: {}",
            fault["what"].as_str().unwrap(),
            fault["message"].as_str().unwrap()
        ));
    }
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn an_addition_passes_and_campaigns_may_use_it() {
    let exchange = cars().await;
    let more = format!("{CARS}\nvehicle_year integer =2019");
    activate(&exchange, "cars", (1, 1), &more.replace("good,fair,poor", "poor,fair,good,best"))
        .await;
    let campaign = json!({
        "buyer": "acme", "vertical": "cars", "price": "9.00",
        "criteria": r#"vehicle_year > 2015 and credit_band in ["good", "best"]"#,
    });
    exchange.put("campaigns/acme-new", campaign).await;
    let ping = exchange.say("cars/ping", &json!({})).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["winners"][0]["campaign"], "acme-new", "{receipt:#}");
}

#[tokio::test]
async fn what_breaks_is_refused_with_everybody_whom_it_would_let_down() {
    let exchange = cars().await;
    let fields = CARS.replace("age integer =40", "").replace("good,fair,poor", "good,fair");
    let refused =
        upload(&exchange, "cars", (1, 1), &fields.replace("zip text", "zip decimal")).await;
    check_refused(
        &refused,
        "
        schema-breaks: version 1.1 of the schema breaks what relies on 1.0, so it must be called 2.0. What changes: `zip` is decimal now, and was text; `credit_band` can no longer be `poor`; `age` is gone. It would break campaign acme-adults: its criteria say `zip is not null`, and `zip` is decimal now, and was text; campaign acme-adults: its criteria say `age between 25 and 64`, and `age` is gone; campaign acme-poor: its criteria say `credit_band in [\"fair\", \"poor\"]`, and `credit_band` can no longer be `poor`; campaign acme-poor: its criteria say `age > 70`, and `age` is gone; filter age-credit-band: it reads `credit_band`, and `credit_band` can no longer be `poor` (for `acme-filter`); filter age-credit-band: it reads `age`, and `age` is gone (for `acme-filter`)
        give it that number: both major versions serve side by side, and a vertical names its `major`
        - campaign acme-adults: its criteria say `zip is not null`, and `zip` is decimal now, and was text
        - campaign acme-adults: its criteria say `age between 25 and 64`, and `age` is gone
        - campaign acme-poor: its criteria say `credit_band in [\"fair\", \"poor\"]`, and `credit_band` can no longer be `poor`
        - campaign acme-poor: its criteria say `age > 70`, and `age` is gone
        - filter age-credit-band: it reads `credit_band`, and `credit_band` can no longer be `poor` (for `acme-filter`)
        - filter age-credit-band: it reads `age`, and `age` is gone (for `acme-filter`)
        ",
    );
    let modules = exchange.get("modules/cars").await;
    assert_eq!(modules.body["versions"].as_array().unwrap().len(), 1, "nothing was kept");
}

#[tokio::test]
async fn what_only_asks_more_of_sources_is_refused_too() {
    let exchange = cars().await;
    let fields = CARS.replace("age integer", "age integer ping post");
    check_refused(
        &upload(&exchange, "cars", (1, 1), &fields).await,
        "
        schema-breaks: version 1.1 of the schema breaks what relies on 1.0, so it must be called 2.0. What changes: every ping must have `age` now; every post must have `age` now. No campaign or filter of this exchange relies on that, but sources and what buyers run may
        give it that number: both major versions serve side by side, and a vertical names its `major`
        ",
    );
}

#[tokio::test]
async fn a_number_moves_with_the_schema_and_never_back() {
    let exchange = cars().await;
    let more = format!("{CARS}\nvehicle_year integer");
    check_refused(
        &upload(&exchange, "cars", (1, 0), &more).await,
        "
        schema-version: the schema has changed and is still called 1.0, so it must be called 1.1. What changes: `vehicle_year` is new and optional
        set `major` and `minor` in the module's schema
        ",
    );
    activate(&exchange, "cars", (1, 4), &more).await;
    let again = format!("{more}\nmake text");
    check_refused(
        &upload(&exchange, "cars", (1, 3), &again).await,
        "
        schema-version: version 1.3 of the schema comes after 1.4, and numbers do not go back, so it must be called 1.5. What changes: `make` is new and optional
        set `major` and `minor` in the module's schema
        ",
    );
    // The same schema in other bytes keeps its number.
    activate(&exchange, "cars", (1, 4), &more.replace("=40", "=41")).await;
}

#[tokio::test]
async fn two_majors_serve_side_by_side() {
    let exchange = cars().await;
    let fields = CARS.replace("age integer =40", "born date =1986-02-01");
    activate(&exchange, "cars", (2, 0), &fields).await;
    let terms = json!({"module": "cars", "major": 2, "reserve": "1.00"});
    exchange.put("verticals/cars-next", terms).await;
    let campaign = json!({
        "buyer": "acme", "vertical": "cars-next", "price": "7.00", "criteria": "born < \"1990-01-01\"",
    });
    exchange.put("campaigns/next-grown", campaign).await;
    for (vertical, winner, version) in [("cars", "acme-adults", 1), ("cars-next", "next-grown", 2)]
    {
        let ping = exchange.say(&format!("{vertical}/ping"), &json!({})).await;
        assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
        let receipt = exchange.receipt(ping.text("/ping_id")).await;
        assert_eq!(receipt["winners"][0]["campaign"], winner, "{receipt:#}");
        assert_eq!(receipt["modules"]["normalizer"]["version"], version, "{receipt:#}");
    }
    // An addition to the older major passes although a newer one serves.
    activate(&exchange, "cars", (1, 1), &format!("{CARS}\nmake text")).await;

    let wrong = json!({
        "buyer": "acme", "vertical": "cars-next", "price": "7.00", "criteria": "age > 30",
    });
    let refused = exchange.try_put("campaigns/next-age", wrong).await;
    let detail = refused.text("/detail");
    assert!(detail.contains("(checked by version 2.0 of the schema of `cars`)"), "{detail}");
}

#[tokio::test]
async fn going_back_is_refused_as_a_whole_with_everything_that_it_would_break() {
    let exchange = cars().await;
    activate(&exchange, "cars", (1, 1), &format!("{CARS}\nmake text\nsaab boolean")).await;
    for (name, criteria) in [("one", "make = \"Saab\""), ("two", "saab = true")] {
        let campaign =
            json!({"buyer": "acme", "vertical": "cars", "price": "3.00", "criteria": criteria});
        exchange.put(&format!("campaigns/{name}"), campaign).await;
    }
    let refused = exchange.post("modules/cars/rollback", json!({})).await;
    check_refused(
        &refused,
        "
        invalid: 2 things do not fit: campaign one: at offset 0: cars has no field `make`; the fields are zip, age, credit_band, source (checked by version 1.0 of the schema of `cars`); campaign two: at offset 0: cars has no field `saab`; the fields are zip, age, credit_band, source (checked by version 1.0 of the schema of `cars`)
        mend or pause each of them first; nothing has changed
        - campaign one: at offset 0: cars has no field `make`; the fields are zip, age, credit_band, source (checked by version 1.0 of the schema of `cars`)
        - campaign two: at offset 0: cars has no field `saab`; the fields are zip, age, credit_band, source (checked by version 1.0 of the schema of `cars`)
        ",
    );
    assert_eq!(exchange.get("schemas/cars").await.text("/version"), "1.1");
}

#[tokio::test]
async fn a_filter_is_told_all_that_a_schema_lacks_for_it() {
    let exchange = cars().await;
    activate(&exchange, "boats", (3, 7), "zip text\ncredit_band integer\nage integer contact")
        .await;
    exchange.put("verticals/boats", json!({"module": "boats"})).await;
    let filter = json!({"module": "age-credit-band", "settings": {}});
    let campaign = json!({"buyer": "acme", "vertical": "boats", "price": "3.00", "filter": filter});
    check_refused(
        &exchange.try_put("campaigns/boat", campaign).await,
        "
        invalid: campaign boat: filter `age-credit-band` version 1 does not fit: version 3.7 of the schema of `boats` marks `age` as contact data, which no filter may read, and has `credit_band` as integer, not text
        ",
    );
}

#[tokio::test]
async fn the_exchange_lists_its_schemas_and_shows_each_in_every_form() {
    let exchange = cars().await;
    activate(&exchange, "cars", (1, 1), &format!("{CARS}\nmake text")).await;
    upload(&exchange, "cars", (2, 0), "zip text").await;
    upload(&exchange, "boats", (1, 0), "zip text").await;
    until("no ping sees the first version", async || {
        exchange.get("schemas/cars/1.0").await.text("/stage") == "retired"
    })
    .await;
    let listed = exchange.get("schemas").await;
    assert_eq!(
        listed.body,
        json!({"schemas": [{"vertical": "cars", "module": "cars", "serves": "1.1", "versions": [
            {"version": "1.0", "module_version": 1, "stage": "retired"},
            {"version": "1.1", "module_version": 2, "stage": "active"},
            {"version": "2.0", "module_version": 3, "stage": "uploaded"},
        ]}]})
    );
    let cars = admitted(&normalizer("cars", (1, 0), CARS));
    let old = exchange.get("schemas/cars/1.0").await;
    let expected = merged(
        schemas::to_json(cars.schema()),
        json!({"module": "cars", "module_version": 1, "stage": "retired"}),
    );
    assert_eq!(old.body, expected);
    let post = exchange.get("schemas/cars/1.0?format=json-schema&stage=post").await;
    assert_eq!(post.content_type, "application/schema+json");
    assert_eq!(post.body, schemas::json_schema(cars.schema(), Stage::Post));
    assert_eq!(exchange.get("schemas/boats").await.text("/version"), "1.0", "not yet a vertical");

    let public = reply(client().get(exchange.url("/v1/cars/spec?format=json-schema"))).await;
    assert_eq!(public.text("/$id"), "urn:gavel:schema:cars:1.1");
    assert_eq!(reply(client().get(exchange.url("/v1/schemas/cars"))).await.status, 401);

    for (path, status, detail) in [
        ("schemas/plane", 404, "there is no vertical `plane`; there are cars"),
        ("schemas/age-credit-band", 404, "there is no vertical `age-credit-band`; there are cars"),
        (
            "schemas/cars/3.0",
            404,
            "there is no version 3.0 of the schema of `cars`; there are 1.0, 1.1, 2.0",
        ),
        (
            "schemas/cars/new",
            404,
            "there is no version new of the schema of `cars`; there are 1.0, 1.1, 2.0",
        ),
        ("schemas/cars?stage=ping", 400, "`stage` has a meaning with `format=json-schema` only"),
        (
            "schemas/cars?format=xml",
            400,
            "Failed to deserialize query string: format: unknown variant `xml`, expected `json-schema`",
        ),
        (
            "schemas/cars/compare?form=1.0",
            400,
            "Failed to deserialize query string: form: unknown field `form`, expected `from` or `to`",
        ),
        (
            "schemas/cars/compare?to=9.9",
            404,
            "there is no version 9.9 of the schema of `cars`; there are 1.0, 1.1, 2.0",
        ),
    ] {
        let refused = exchange.get(path).await;
        assert_eq!((refused.status, refused.text("/detail")), (status, detail), "{path}");
    }
}

#[tokio::test]
async fn a_comparison_says_who_relies_on_what_goes() {
    let exchange = cars().await;
    let fields = CARS.replace("age integer =40", "age text");
    upload(&exchange, "cars", (2, 0), &fields).await;
    let compared = exchange.get("schemas/cars/compare").await.body;
    assert_eq!((&compared["from"], &compared["to"]), (&json!("1.0"), &json!("2.0")));
    assert_eq!((&compared["breaks"], &compared["allowed"]), (&json!(true), &json!(true)));
    assert_eq!(
        compared["changes"],
        json!([
            {"field": "age", "change": "retyped", "breaks": true, "message": "`age` is text now, and was integer"},
        ])
    );
    let relying = compared["relying"].as_array().unwrap();
    let relying: Vec<_> = relying.iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(relying, ["campaign acme-adults", "campaign acme-poor", "filter age-credit-band"]);
    let same = exchange.get("schemas/cars/compare?from=1.0&to=1.0").await.body;
    assert_eq!((&same["changes"], &same["relying"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn an_exchange_that_opens_again_knows_the_schemas_that_no_longer_serve() {
    let exchange = cars().await;
    activate(&exchange, "cars", (1, 1), &format!("{CARS}\nmake text")).await;
    upload(&exchange, "cars", (2, 0), "zip text").await;
    let exchange = Exchange::open_in(exchange.close().await).await;
    for version in ["1.0", "1.1", "2.0"] {
        let known = exchange.get(&format!("schemas/cars/{version}")).await;
        assert_eq!(known.text("/version"), version, "{known:?}");
    }
    let refused = upload(&exchange, "cars", (2, 1), "age integer").await;
    assert_eq!((refused.status, refused.text("/code")), (422, "schema-breaks"), "{refused:?}");
}

#[tokio::test]
async fn the_command_asks_an_exchange() {
    let exchange = cars().await;
    upload(&exchange, "cars", (2, 0), &CARS.replace("age integer =40", "")).await;
    let url = exchange.url("");
    let run = async |arguments: &[&str]| {
        let all = [&["schema", "--url", &url], arguments].concat();
        let (last, first) = all.split_last().unwrap();
        gavel(first, Path::new(last)).await
    };
    let with_key = ["--operator-key", OPERATOR_KEY];
    let (code, table) = run(&["cars"]).await;
    assert_eq!((code, table.lines().next()), (Some(0), Some("cars 1.0: leads to test with")));
    let (code, rust) = run(&["--rust", "cars"]).await;
    assert!(code == Some(0) && rust.contains("pub AGE: integer = \"age\";"), "{rust}");
    assert_eq!(
        run(&["--version", "2.0", "cars"]).await,
        (Some(2), "gavel: cars serves version 1.0; to see version 2.0, set GAVEL_OPERATOR_KEY to the operator's key\n".to_owned())
    );
    let (code, table) = run(&[&with_key[..], &["--version", "2.0", "cars"]].concat()).await;
    assert_eq!((code, table.lines().next()), (Some(0), Some("cars 2.0: leads to test with")));
    assert_eq!(
        run(&[&with_key[..], &["cars", "--compare", "1.0", "2.0"]].concat()).await,
        (Some(1), "from version 1.0 to 2.0:\n! `age` is gone\n\
            - campaign acme-adults: its criteria say `age between 25 and 64`, and `age` is gone\n\
            - campaign acme-poor: its criteria say `age > 70`, and `age` is gone\n\
            - filter age-credit-band: it reads `age`, and `age` is gone (for `acme-filter`)\n\
            gavel: the newer version breaks what relies on the older: both serve until everybody has moved\n".to_owned())
    );
    assert_eq!(
        run(&["plane"]).await,
        (Some(2), "gavel: there is no vertical `plane`; /docs lists every vertical\n".to_owned())
    );
    assert_eq!(
        run(&["cars", "--operator-key", "no-such-key"]).await,
        (
            Some(3),
            format!(
                "gavel: {url} does not accept this operator's key: set GAVEL_OPERATOR_KEY to the key with which the \
                 exchange was started\n"
            )
        )
    );
    let folder = TempDir::new().unwrap();
    let newer =
        file(&folder, "cars.wasm", &normalizer("cars", (1, 1), &format!("{CARS}\nmake text")));
    let (code, compared) = run(&["cars", "--compare", "1.0", newer.to_str().unwrap()]).await;
    assert_eq!(
        (code, compared.as_str()),
        (Some(0), "from version 1.0 to 1.1:\n  `make` is new and optional\n")
    );
    let nobody = gavel(&["schema", "--url", "http://127.0.0.1:9"], Path::new("cars")).await;
    let expected = "gavel: no exchange answers at http://127.0.0.1:9 (Connection refused (os error 111)): start one with \
        `gavel serve` or `gavel demo`, or name another with --url or GAVEL_URL\n";
    assert_eq!(nobody, (Some(3), expected.to_owned()));
}
