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
use crate::exchange::module;

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
        other @ Admitted::Filter(_) => panic!("no normalizer: {other:?}"),
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
        lead.texts(of("makes"), ["Kia", "Saab"].into_iter());
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
            let submission = Submission { stage, content_type, query, body: &body, received_on };
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
