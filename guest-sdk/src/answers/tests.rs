//! That every table is whole, and what is written of it.

use super::*;
use crate::normalizer::{Stage, Syntax, Verdict};

const VERDICTS: [Verdict; 10] = [
    Verdict::Accepted,
    Verdict::Rejected,
    Verdict::Duplicate,
    Verdict::Sold,
    Verdict::Unsold,
    Verdict::Pending,
    Verdict::Refused,
    Verdict::Denied,
    Verdict::Busy,
    Verdict::Failed,
];

fn outcome(dialect: &str, stage: Stage, verdict: Verdict) -> Outcome {
    Outcome {
        stage,
        dialect: dialect.into(),
        accept: None,
        content: None,
        verdict,
        status: 200,
        ping_id: Some("pg_1".into()),
        lead_id: None,
        duplicate_of: None,
        price: Some(12_345_678),
        currency: "USD".into(),
        copies: None,
        expires_ms: None,
        reason_code: Some("no-eligible-buyer".into()),
        reason: Some("no buyer".into()),
        field: None,
        retry_after_s: None,
    }
}

fn body(families: &[&Family], outcome: &Outcome) -> String {
    String::from_utf8(render(families, outcome).unwrap().body).unwrap()
}

#[test]
fn every_dialect_answers_everything() {
    for named in dialects(FAMILIES).iter().filter(|named| named.name != OWN_JSON) {
        for stage in [Stage::Ping, Stage::Post] {
            for verdict in VERDICTS {
                let outcome = outcome(&named.name, stage, verdict);
                let answer = render(FAMILIES, &outcome);
                let answer =
                    answer.unwrap_or_else(|| panic!("{} {stage:?} {verdict:?}", named.name));
                assert!(!answer.body.is_empty(), "{} {stage:?} {verdict:?}", named.name);
            }
        }
    }
}

#[test]
fn names_are_those_of_addresses_and_none_comes_twice() {
    let named = dialects(FAMILIES);
    for (place, dialect) in named.iter().enumerate() {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
        assert!(dialect.name.bytes().all(plain), "{}", dialect.name);
        assert!(dialect.description.ends_with('.'), "{}", dialect.name);
        assert!(
            named.iter().take(place).all(|other| other.name != dialect.name),
            "{}",
            dialect.name
        );
    }
    let names: Vec<&str> = named.iter().map(|dialect| dialect.name.as_str()).collect();
    assert!(names.starts_with(&["json", "boberdoo", "boberdoo-xml", "boberdoo-json", "cake"]));
}

#[test]
fn what_clients_should_send_again_keeps_its_status() {
    for named in dialects(FAMILIES).iter().filter(|named| named.name != OWN_JSON) {
        for status in [408, 409, 429, 500, 503] {
            let outcome = Outcome { status, ..outcome(&named.name, Stage::Ping, Verdict::Busy) };
            assert_eq!(render(FAMILIES, &outcome).unwrap().status, status, "{}", named.name);
        }
    }
    let denied = |dialect: &str, status| {
        let outcome = Outcome { status, ..outcome(dialect, Stage::Ping, Verdict::Denied) };
        render(FAMILIES, &outcome).unwrap().status
    };
    assert_eq!(denied("boberdoo", 401), 200);
    assert_eq!(denied("px", 401), 401);
}

#[test]
fn nobody_reads_more_than_is_paid() {
    for (millionths, cents) in [
        (0, 0),
        (9_999, 0),
        (10_000, 1),
        (12_345_678, 1_234),
        (12_349_999, 1_234),
        (i64::MAX, i64::MAX / 10_000),
        (-1, -1),
    ] {
        assert_eq!(round_down_to_cent(millionths), cents);
        assert!(cents.checked_mul(10_000).is_none_or(|read| read <= millionths));
    }
    let said = |dialect: &str, millionths| {
        let outcome = outcome(dialect, Stage::Ping, Verdict::Accepted);
        body(FAMILIES, &Outcome { price: Some(millionths), ..outcome })
    };
    assert!(said("boberdoo", 12_349_999).contains("<price>12.34</price>"));
    assert!(said("boberdoo-json", 8_500_000).contains("\"price\":\"8.50\""));
    assert!(said("px", 8_500_000).contains("\"Payout\":8.5,"));
    assert!(said("px", 41_000_000).contains("\"Payout\":41,"));
    assert!(said("px", 100_009_999).contains("\"Payout\":100,"));
    assert!(said("px-xml", 8_500_000).contains("<Payout>8.50</Payout>"));
    assert!(said("xml", 12_345_678).contains("<price>12.345678</price>"));
    assert!(said("xml", 12_000_000).contains("<price>12.00</price>"));
}

#[test]
fn what_is_quoted_stays_text() {
    let hostile = "a \"<b>\" & 'c' \\ ]]> \u{1}\n\u{2028}é";
    let said = |dialect: &str| {
        let outcome = outcome(dialect, Stage::Ping, Verdict::Rejected);
        body(FAMILIES, &Outcome { reason: Some(hostile.into()), ..outcome })
    };
    let json: serde_json::Value = serde_json::from_str(&said("leadprosper")).unwrap();
    assert_eq!(json.get("message").unwrap(), hostile);
    let xml = said("xml");
    let expected = "a &quot;&lt;b&gt;&quot; &amp; &#39;c&#39; \\ ]]&gt; \u{fffd}&#10;\u{2028}é";
    assert!(xml.contains(expected), "{xml}");
    let hostile = Outcome {
        reason_code: Some("a\nPOST_VALID".into()),
        ..outcome("sunrun", Stage::Post, Verdict::Unsold)
    };
    assert_eq!(body(FAMILIES, &hostile).lines().count(), 1);
}

#[test]
fn a_moment_is_written_to_the_millisecond() {
    let outcome = Outcome {
        expires_ms: Some(1_772_471_131_204),
        ..outcome("xml", Stage::Ping, Verdict::Accepted)
    };
    let xml = body(FAMILIES, &outcome);
    assert!(xml.contains("<expires_at>2026-03-02T17:05:31.204Z</expires_at>"), "{xml}");
}

/// Chooses by an address's word, a marked family, a field, an Accept header and what was sent.
#[track_caller]
fn check(heard: Heard<'_>, expected: &str) {
    let chosen = choose(FAMILIES, &heard);
    let name = chosen.map(|(family, dialect)| family.name_of(dialect)).unwrap_or_default();
    assert_eq!(name, expected, "{heard:?}");
}

#[test]
fn the_address_counts_before_the_keys_and_each_family_asks_in_its_own_way() {
    let nothing = Heard { word: None, marked: None, field: None, accept: None, sent: None };
    let (json, xml) = (Some(Syntax::Json), Some(Syntax::Xml));
    let boberdoo = Some(0);
    check(nothing, "");
    check(Heard { word: Some("json"), marked: boberdoo, accept: xml, ..nothing }, "");
    check(Heard { word: Some("nobody"), marked: boberdoo, ..nothing }, "");
    check(Heard { word: Some("px-xml"), accept: json, sent: json, ..nothing }, "px-xml");
    check(Heard { word: Some("px"), accept: xml, sent: json, ..nothing }, "px-xml");
    check(Heard { word: Some("px"), sent: xml, ..nothing }, "px-xml");
    check(Heard { word: Some("px"), sent: Some(Syntax::Form), ..nothing }, "px-json");
    check(Heard { word: Some("cake"), marked: boberdoo, ..nothing }, "cake");
    check(Heard { word: Some("cake-xml"), ..nothing }, "");
    check(Heard { marked: boberdoo, ..nothing }, "boberdoo-xml");
    check(Heard { marked: boberdoo, field: json, ..nothing }, "boberdoo-json");
    // Clients that ask for JSON by habit get XML from boberdoo, so they do here.
    check(Heard { marked: boberdoo, accept: json, ..nothing }, "boberdoo-xml");
    check(Heard { accept: xml, ..nothing }, "xml");
    check(Heard { field: xml, accept: json, ..nothing }, "xml");
    check(Heard { field: json, accept: xml, ..nothing }, "");
    check(Heard { sent: xml, ..nothing }, "");
}
