//! What the reader takes, refuses and says, beside a general JSON library.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::read;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Everything {
    count: u8,
    #[serde(default)]
    below: i64,
    share: Option<f64>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    bands: Vec<Band>,
    #[serde(default)]
    by_age: BTreeMap<u32, bool>,
    #[serde(default)]
    pair: Option<(i8, char)>,
    #[serde(default)]
    rule: Option<Rule>,
    #[serde(default)]
    anything: serde_json::Value,
    #[serde(default)]
    nothing: (),
    #[serde(default)]
    id: Option<Id>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Band {
    credit: String,
    cents: i64,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Rule {
    Always,
    Above(i64),
    Between { from: i64, until: i64 },
    Either(i64, i64),
}

#[derive(Debug, PartialEq, Deserialize)]
struct Id(u32);

/// Reads with both, which must agree on what is read and on whether anything is.
#[track_caller]
fn agree<T: serde::de::DeserializeOwned + std::fmt::Debug + PartialEq>(text: &str) {
    let (own, other) = (read::<T>(text), serde_json::from_str::<T>(text));
    match (&own, &other) {
        (Ok(own), Ok(other)) => assert_eq!(own, other, "{text}"),
        (Err(_), Err(_)) => (),
        _ => panic!("{text}: {own:?}, but {other:?}"),
    }
}

#[test]
fn what_serde_can_read_is_read_as_everywhere() {
    for text in [
        r#"{"count": 3}"#,
        r#" { "count" : 255 , "below" : -9223372036854775808 , "share" : 0.25 } "#,
        r#"{"count": 0, "share": 1e-3, "names": ["a", "\u00e9\ud83d\ude00\n\"\\\/", ""]}"#,
        r#"{"count": 3, "bands": [{"credit": "good", "cents": 5}, {"cents": 6, "credit": "x"}]}"#,
        r#"{"count": 3, "by_age": {"18": true, "65": false}, "pair": [-1, "x"]}"#,
        r#"{"count": 3, "rule": "always"}"#,
        r#"{"count": 3, "rule": {"above": 5}}"#,
        r#"{"count": 3, "rule": {"between": {"from": 1, "until": 2}}}"#,
        r#"{"count": 3, "rule": {"either": [1, 2]}}"#,
        r#"{"count": 3, "anything": [null, true, {"a": [1, -2, 2.5, "x"]}], "nothing": null, "id": 7}"#,
        r#"{"count": 3, "share": null, "pair": null, "rule": null, "id": null}"#,
        r#"{"count": 3, "share": 12345678901234567890}"#,
    ] {
        read::<Everything>(text).unwrap();
        agree::<Everything>(text);
    }
    agree::<i64>("-1");
    agree::<u64>("18446744073709551615");
    agree::<BTreeMap<String, Vec<Option<bool>>>>(r#"{"a": [true, null], "b": []}"#);
    assert_eq!(read::<serde::de::IgnoredAny>("[{\"a\": 1.5e3}, null]").err(), None);
}

#[test]
fn what_is_no_json_or_does_not_fit_is_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[]",
        "null",
        "3",
        "{\"count\"}",
        "{\"count\":}",
        "{\"count\":3,}",
        "{\"count\":03}",
        "{\"count\":3.}",
        "{\"count\":3e}",
        "{\"count\":-}",
        "{\"count\":+3}",
        "{\"count\":.5}",
        "{\"count\":256}",
        "{\"count\":-1}",
        "{\"count\":3.0}",
        "{\"count\":\"3\"}",
        "{\"count\":3}x",
        "{\"count\":3 \"below\":1}",
        "{count:3}",
        "{'count':3}",
        "{\"count\":3,,}",
        "{\"count\":nul}",
        "{\"count\":3,\"count\":3}",
        "{\"count\":3,\"other\":3}",
        "{\"count\":3,\"names\":[\"a\",]}",
        "{\"count\":3,\"names\":[\"a\" \"b\"]}",
        "{\"count\":3,\"names\":[\"a\nb\"]}",
        "{\"count\":3,\"names\":[\"\\x\"]}",
        "{\"count\":3,\"names\":[\"\\ud800\"]}",
        "{\"count\":3,\"names\":[\"\\ud800\\u0041\"]}",
        "{\"count\":3,\"names\":[\"a]}",
        "{\"count\":3,\"names\":[\"a\"}",
        "{\"count\":3,\"names\":\"a\"}",
        "{\"count\":3,\"pair\":[1]}",
        "{\"count\":3,\"pair\":[1,\"xy\"]}",
        "{\"count\":3,\"pair\":[1,\"x\",2]}",
        "{\"count\":3,\"rule\":\"never\"}",
        "{\"count\":3,\"rule\":{}}",
        "{\"count\":3,\"rule\":{\"above\":1,\"x\":2}}",
        "{\"count\":3,\"rule\":\"above\"}",
        "{\"count\":3,\"rule\":{\"either\":[1]}}",
        "{\"count\":3,\"by_age\":{\"x\":true}}",
        "{\"count\":3,\"nothing\":0}",
        "{\"count\":3,\"id\":\"7\"}",
        "{\"count\":1e400}",
        "{\"count\":99999999999999999999}",
    ] {
        assert!(read::<Everything>(text).is_err(), "{text}");
        agree::<Everything>(text);
    }
}

#[test]
fn a_text_cut_anywhere_is_refused() {
    let whole =
        r#"{"count": 3, "names": ["aé\u00e9"], "rule": {"above": -12}, "anything": [{}, 1.5e-3]}"#;
    for (place, _) in whole.char_indices() {
        agree::<Everything>(&whole[..place]);
    }
    agree::<Everything>(whole);
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let depth = usize::from(super::json::DEPTH_MAX);
    assert_eq!(read::<serde::de::IgnoredAny>(&nested(depth)).err(), None);
    let message = "not JSON at line 1, column 25: lists and objects are nested too deep";
    let refused = read::<serde::de::IgnoredAny>(&nested(depth + 1)).err();
    assert_eq!(refused.as_deref(), Some(message));
}

#[test]
fn a_fault_names_the_setting_and_what_would_be_right() {
    let told = |text: &str| read::<Everything>(text).unwrap_err();
    for (text, expected) in [
        ("", "not JSON at line 1, column 1: a value is missing"),
        ("{\"count\": 3,\n \"below\" 4}", "not JSON at line 2, column 10: `:` is missing"),
        ("{\"count\": 3} {}", "not JSON at line 1, column 14: there is more after the end"),
        ("[]", "expected an object, got a list"),
        ("{}", "`count` is missing"),
        ("{\"count\": 3, \"count\": 4}", "`count` is there twice"),
        ("{\"count\": 300}", "`count`: 300 is out of range"),
        ("{\"count\": true}", "`count`: expected a whole number, not negative, got true"),
        ("{\"count\": 3, \"below\": \"x\"}", "`below`: expected a whole number, got text"),
        (
            "{\"count\": 3, \"below\": 0.5}",
            "`below`: expected a whole number, got a number with a fraction, or one too large",
        ),
        ("{\"count\": 3, \"names\": [\"a\", 5]}", "`names[1]`: expected text in quotes, got 5"),
        (
            "{\"count\": 3, \"bands\": [{\"credit\": \"x\", \"cents\": null}]}",
            "`bands[0].cents`: expected a whole number, got null",
        ),
        ("{\"count\": 3, \"bands\": [{\"credit\": \"x\"}]}", "`bands[0]`: `cents` is missing"),
        (
            "{\"count\": 3, \"bands\": [{\"cent\": 1}]}",
            "`bands[0]`: there is no setting `cent` here; there is `credit` and `cents`",
        ),
        (
            "{\"count\": 3, \"rule\": \"never\"}",
            "`rule`: there is no `never` here; choose `always`, `above`, `between` or `either`",
        ),
        (
            "{\"count\": 3, \"by_age\": {\"x\": true}}",
            "`by_age`: expected a whole number, not negative, got the text \"x\"",
        ),
        ("{\"count\": 3, \"pair\": [1]}", "`pair`: expected a tuple of size 2, got 1 elements"),
        ("{\"count\": 3, \"pair\": [1, \"x\", 2]}", "`pair`: the list has too many elements"),
    ] {
        assert_eq!(told(text), expected, "{text}");
    }
}
