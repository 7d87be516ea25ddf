//! Filters in C: built from a folder by the program, they read the same frames and judge as those in Rust do.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use gavel::money::Micros;
use gavel::sandbox::{Admitted, ConfigureError, Filter, Forfeit, Limits, Sandbox, Verdict};
use lead_frame::{FieldId, Frame, Value, Writer};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::crash::program;
use crate::exchange::module;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Builds what is at a path; `clang` is what CLANG says.
fn build(path: &Path, out: &TempDir, clang: Option<&str>) -> Output {
    let mut command = Command::new(program::path());
    command.args(["module", "build"]).arg(path).arg("--out").arg(out.path());
    command.envs(clang.map(|clang| ("CLANG", clang))).output().unwrap()
}

fn admitted(wasm: &[u8]) -> Filter {
    let admitted = Sandbox::open(&Limits::default()).unwrap().admit(wasm);
    let Ok(Admitted::Filter(filter)) = admitted else { panic!("{admitted:?}") };
    filter
}

/// Builds a folder of the kit.
fn built(folder: &str, name: &str) -> Filter {
    let out = TempDir::new().unwrap();
    let output = build(&top().join("guest-sdk/c").join(folder), &out, None);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    admitted(&fs::read(out.path().join(format!("{name}.wasm"))).unwrap())
}

/// Builds sources of a folder `mine` and returns the exit code with what was printed.
fn tried(sources: &[(&str, &str)], clang: Option<&str>) -> (Option<i32>, String) {
    let (folder, out) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let mine = folder.path().join("mine");
    fs::create_dir(&mine).unwrap();
    for (name, text) in sources {
        fs::write(mine.join(name), text).unwrap();
    }
    let output = build(&mine, &out, clang);
    let printed = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&printed).into_owned())
}

#[test]
fn a_list_of_zips_in_c_judges_as_the_one_in_rust() {
    let (c, rust) = (built("examples", "zip-list"), admitted(&module("zip-list")));
    assert_eq!((c.needs(), c.settings_help()), (rust.needs(), rust.settings_help()));
    let settings = [r#"{"zips": ["90210", "02139", "00000", "99999"]}"#, r#" { "zips" : [ ] } "#];
    let settings = settings.map(str::to_owned);
    let [c, rust] = [c, rust].map(|filter| filter.configure(&settings).unwrap());
    for zip in ["90210", "02139", "00000", "99999", "90211", "9021", "902100", "9021o", ""] {
        let mut frame = Writer::default();
        frame.text(FieldId::of("zip"), zip);
        let frame = frame.finish();
        for slots in [&[0][..], &[1], &[1, 0, 1]] {
            let [c, rust] = [&c, &rust].map(|filter| filter.evaluate(&frame, slots).unwrap());
            assert_eq!(c.verdicts, rust.verdicts, "{zip}");
        }
    }
    let mut number = Writer::default();
    number.integer(FieldId::of("zip"), 90210);
    for frame in [Writer::default().finish(), number.finish()] {
        let [c, rust] = [&c, &rust].map(|filter| filter.evaluate(&frame, &[0]).unwrap());
        assert_eq!(c.verdicts, rust.verdicts);
    }
}

#[test]
fn wrong_settings_are_refused_in_the_filters_own_words() {
    let filter = built("examples", "zip-list");
    let good = r#"{"zips": ["90210"]}"#.to_owned();
    for (settings, message) in [
        ("{}", "`zips` is missing"),
        (r#"{"zips": "90210"}"#, "`zips` is a list of ZIP codes"),
        (r#"{"zips": [90210]}"#, "a ZIP code is a text of five digits"),
        (r#"{"zips": ["90210", "9021"]}"#, "`9021` is not a ZIP code of five digits"),
        (r#"{"zip": []}"#, "unknown field `zip`, expected `zips`"),
        (
            r#"{"zips": ["\u0041\u00e9\u20ac\ud83c\udfdb\n"]}"#,
            "`Aé€🏛\n` is not a ZIP code of five digits",
        ),
        ("[1, ", "the settings are not JSON"),
    ] {
        let refused = filter.configure(&[good.clone(), settings.to_owned()]);
        let expected = ConfigureError::Settings { slot: 1, message: message.to_owned() };
        assert_eq!(refused.err(), Some(expected));
    }
}

/// The 64-bit FNV-1a hash over numbers, as `frame_vectors.c` takes it.
struct Sum(u64);

impl Sum {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, number: u64) {
        for byte in number.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    fn add_text(&mut self, text: &str) {
        self.add(text.len().try_into().unwrap());
        text.bytes().for_each(|byte| self.add(byte.into()));
    }

    /// What a value of this kind adds: as it is read by Rust, or as a vector's JSON says it.
    fn add_value(&mut self, id: u32, kind: u64, value: &Json) {
        self.add(id.into());
        self.add(kind);
        match value {
            Json::String(text) => self.add_text(text),
            Json::Bool(yes) => self.add((*yes).into()),
            Json::Array(texts) => {
                texts.iter().for_each(|text| self.add_text(text.as_str().unwrap()));
            }
            number => self.add(number.as_i64().unwrap().cast_unsigned()),
        }
    }

    fn bid(self) -> Verdict {
        Verdict::Yes(Some(Micros::new(self.0.cast_signed())))
    }
}

/// The number of a kind, with the value as the vectors write it.
fn read(value: Value<'_>) -> (u64, Json) {
    match value {
        Value::Text(text) => (0, text.into()),
        Value::Integer(number) => (1, number.into()),
        Value::Decimal(millionths) => (2, millionths.into()),
        Value::Boolean(yes) => (3, yes.into()),
        Value::Date(days) => (4, days.into()),
        Value::Texts(texts) => (5, texts.iter().collect::<Vec<_>>().into()),
    }
}

struct Vector {
    name: String,
    /// By id: the number of the kind, and the value.
    fields: BTreeMap<u32, (u64, Json)>,
    names: Vec<String>,
    words: Vec<u64>,
}

fn vectors() -> Vec<Vector> {
    let file = fs::read(top().join("guest-sdk/frame/vectors/frames.json")).unwrap();
    let file: Json = serde_json::from_slice(&file).unwrap();
    let kinds = ["text", "integer", "decimal", "boolean", "date", "texts"];
    let vector = |vector: &Json| {
        let hex = vector["hex"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        let hex = hex.collect::<String>();
        let word = |at: usize| u64::from_str_radix(&hex[at..at + 16], 16).unwrap().swap_bytes();
        let (mut fields, mut names) = (BTreeMap::new(), Vec::new());
        for field in vector["fields"].as_array().unwrap() {
            let name = field["name"].as_str().unwrap();
            let kind = kinds.iter().position(|kind| field["kind"] == *kind).unwrap();
            let value = (u64::try_from(kind).unwrap(), field["value"].clone());
            fields.insert(FieldId::of(name).number(), value);
            names.push(name.to_owned());
        }
        let name = vector["frame"].as_str().unwrap().to_owned();
        Vector { name, fields, names, words: (0..hex.len()).step_by(16).map(word).collect() }
    };
    file.as_array().unwrap().iter().map(vector).collect()
}

#[test]
fn the_frames_of_the_vectors_are_read_in_c_as_in_rust_and_as_they_were_written() {
    let filter = built("vectors", "vectors");
    let all = filter.configure(&["[]".to_owned()]).unwrap();
    for Vector { name, fields, mut names, words } in vectors() {
        let (mut written, mut rust) = (Sum::new(), Sum::new());
        for (id, value) in Frame::open(&words).unwrap().fields() {
            let (kind, value) = read(value);
            rust.add_value(id.number(), kind, &value);
        }
        for (id, (kind, value)) in &fields {
            written.add_value(*id, *kind, value);
        }
        let c = all.evaluate(&words, &[0]).unwrap().verdicts;
        assert_eq!(c, [written.bid()], "{name}");
        assert_eq!(c, [rust.bid()], "{name}");

        names.extend(["absent".to_owned(), String::new()]);
        let found = filter.configure(&[Json::from(names.clone()).to_string()]).unwrap();
        let (mut written, frame) = (Sum::new(), Frame::open(&words).unwrap());
        for id in names.iter().map(|name| FieldId::of(name)) {
            let value = fields.get(&id.number());
            assert_eq!(frame.get(id).map(read).as_ref(), value, "{name}");
            match value {
                Some((kind, value)) => written.add_value(id.number(), *kind, value),
                None => written.add(0),
            }
        }
        let c = found.evaluate(&words, &[0]).unwrap().verdicts;
        assert_eq!(c, [written.bid()], "{name}: by name");
    }
}

#[test]
fn a_damaged_frame_is_not_followed_outside() {
    let filter = built("vectors", "vectors");
    let names: Vec<String> = vectors().into_iter().flat_map(|vector| vector.names).collect();
    for settings in ["[]".to_owned(), Json::from(names).to_string()] {
        let reads = filter.configure(&[settings]).unwrap();
        let check = |words: &[u64]| match reads.evaluate(words, &[0]) {
            Ok(_) => (),
            // What is no frame is not opened.
            Err(Forfeit::Trapped(why)) => assert!(why.contains("unreachable"), "{why}"),
            Err(other) => panic!("{other}"),
        };
        for vector in vectors() {
            for length in 0..vector.words.len() {
                check(&vector.words[..length]);
                check(&vector.words[length..]);
            }
            for at in 0..vector.words.len() {
                for bit in 0..64 {
                    let mut words = vector.words.clone();
                    words[at] ^= 1 << bit;
                    check(&words);
                }
                for word in [0, u64::MAX, 0x7fff_ffff_7fff_ffff, 0x8000_0000_8000_0000] {
                    let mut words = vector.words.clone();
                    words[at] = word;
                    check(&words);
                }
            }
        }
    }
}

#[test]
fn settings_are_json_or_are_refused() {
    let filter = built("vectors", "vectors");
    let is_json = |text: &str| match filter.configure(&[text.to_owned()]).err() {
        Some(ConfigureError::Settings { message, .. }) => message != "the settings are not JSON",
        Some(other) => panic!("{other}"),
        None => true,
    };
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for text in [
        "[]",
        "{}",
        " [ ] ",
        "0",
        "-0",
        "-1.5e+10",
        "1e5",
        "\"a\"",
        "true",
        "false",
        "null",
        "[1,2]",
        r#"{"a": [1, {"b": null}], "c": "\\\"\/\b\f\n\r\t\u00e9"}"#,
        "[[],{},[{}]]",
        &deep(32),
        "",
        " ",
        "[",
        "]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "tru",
        "truee",
        "nul",
        "\"a",
        "\"\\",
        r#""\q""#,
        r#""\u12""#,
        r#""\u12g4""#,
        "\"\n\"",
        "[] []",
        "[]x",
        "'a'",
        "NaN",
        "[1]]",
        "{\"a\":1 \"b\":2}",
    ] {
        let expected = serde_json::from_str::<Json>(text).is_ok();
        assert_eq!(is_json(text), expected, "{text}");
    }
    assert!(!is_json(&deep(33)), "deeper than GAVEL_JSON_DEPTH_MAX");
}

#[test]
fn whoever_builds_c_is_told_what_is_missing() {
    let whole = fs::read_to_string(top().join("guest-sdk/c/examples/zip-list/zip_list.c")).unwrap();
    for (sources, clang, code, said) in [
        (&[("a.c", whole.as_str())][..], Some("no-such-clang"), 3, "`apt-get install clang lld`"),
        (&[("a.c", "int a = b;")], None, 1, "mine does not compile"),
        (&[("a.c", "int a = b;")], None, 1, "use of undeclared identifier 'b'"),
        (
            &[(
                "a.c",
                "int f(void); __attribute__((export_name(\"g\"))) int g(void) { return f(); }",
            )],
            None,
            1,
            "undefined symbol: f",
        ),
        (
            &[("a.c", "int a;")],
            None,
            1,
            "exports nothing of the contract: end one of its files with GAVEL_FILTER(..)",
        ),
        (&[("a.txt", "nothing")], None, 2, "or a folder with .c files"),
    ] {
        let (ended, printed) = tried(sources, clang);
        assert_eq!(ended, Some(code), "{printed}");
        assert!(printed.contains(said), "{printed}");
    }
}

#[test]
fn several_files_and_own_headers_make_one_module() {
    let filter = "#include \"gavel_filter.h\"\n#include \"mine.h\"\n\
        static const char *configure(gavel_json settings, const void **state) {\n\
            (void)settings; (void)state; return GAVEL_OK;\n\
        }\n\
        static gavel_verdict evaluate(const gavel_frame *lead, const void *state) {\n\
            (void)lead; (void)state; return gavel_bid(price());\n\
        }\n\
        GAVEL_FILTER(\"anything\", configure, evaluate, {\"zip\", GAVEL_TEXT})\n";
    let header = "#include <stdint.h>\nint64_t price(void);\n";
    let price = "#include \"mine.h\"\nint64_t price(void) { return 12500000; }\n";
    let (code, printed) =
        tried(&[("filter.c", filter), ("mine.h", header), ("price.c", price)], None);
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("mine") && printed.contains("filter") && printed.contains(" bytes, "),
        "{printed}"
    );
}
