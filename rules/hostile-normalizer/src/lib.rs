//! Hostile: does to the exchange what the submission says.
//!
//! A body such as `loops` names a deed. Every other body is an honest lead, so that one vertical shows both.

use std::hint::black_box;

use guest_sdk::normalizer::{
    Answer, Envelope, Field, Kind, NamedValue, Normalized, Normalizer, Outcome, Refusal,
    RefusalCode, Schema, Submission, Value,
};

/// How many values a lead with too many has.
const VALUES: usize = 1_000_000;
/// The length of a text that is too long for anything, in bytes.
const TEXT_BYTES: usize = 600_000;
/// More memory than there is, in bytes.
const ALL_BYTES: usize = 1024 * 1024 * 1024;

struct Hostile;

impl Normalizer for Hostile {
    fn describe() -> Schema {
        let field = |name: &str, kind, contact| Field {
            name: name.to_owned(),
            kind,
            required_on_ping: false,
            required_on_post: false,
            contact,
            binding: false,
            allowed: Vec::new(),
            description: "What the test needs.".to_owned(),
        };
        Schema {
            vertical: "hostile".to_owned(),
            major: 1,
            minor: 0,
            description: "Leads that nobody asked for.".to_owned(),
            fields: vec![
                field("zip", Kind::Text, false),
                field("words", Kind::Texts, false),
                field("born", Kind::Date, false),
                field("phone", Kind::Text, true),
            ],
        }
    }

    fn normalize(submission: Submission) -> Normalized {
        let deed = String::from_utf8(submission.body).unwrap_or_default();
        let (mut envelope, text) = (envelope(), |text: &str| Value::Text(text.to_owned()));
        let mut values = vec![named("zip", text("90210"))];
        match deed.as_str() {
            "loops" => loops(),
            "eats-memory" => values.push(named("zip", text(&"a".repeat(black_box(ALL_BYTES))))),
            #[expect(clippy::panic, reason = "that is what it is for")]
            "panics" => panic!("as every normalizer of this kind does"),
            "recurses" => envelope.deadline_ms = Some(deeper(black_box(0))),
            "lists-a-million-values" => values = vec![named("zip", Value::Boolean(true)); VALUES],
            "says-too-much" => values.push(named("words", text(&"a".repeat(TEXT_BYTES * 2)))),
            "lists-too-much" => values.push(named("words", Value::Texts(vec![String::new(); 65]))),
            "tells-at-length" => values = vec![named("zip", text(&"a".repeat(TEXT_BYTES)))],
            "says-it-twice" => values.push(named("zip", text("10025"))),
            "names-no-field" => values.push(named("age", Value::Integer(40))),
            "names-no-field-at-length" => values.push(named(&"a".repeat(TEXT_BYTES), text(""))),
            "mistakes-the-kind" => values.push(named("born", Value::Integer(40))),
            "brings-contact-data" => values.push(named("phone", text("2025550107"))),
            "is-born-at-the-end" => values.push(named("born", Value::Date(i32::MAX))),
            "speaks-at-length" => envelope.dialect = "a".repeat(TEXT_BYTES),
            "asks-the-most" => envelope.minimum_price = Some(i64::MAX),
            "asks-the-least" => envelope.minimum_price = Some(i64::MIN),
            "has-no-time" => envelope.deadline_ms = Some(0),
            "has-all-time" => envelope.deadline_ms = Some(u32::MAX),
            "brings-a-long-key" => envelope.credential = Some("a".repeat(TEXT_BYTES)),
            "refuses-at-length" => return Normalized { envelope, lead: Err(refusal()) },
            "answers-in-a-loop" | "answers-with-no-status" | "answers-in-two-headers" => {
                envelope.dialect = deed;
            }
            _ => (),
        }
        Normalized { envelope, lead: Ok(values) }
    }

    fn render(outcome: Outcome) -> Option<Answer> {
        let answer = |status, content_type: &str| {
            Some(Answer { status, content_type: content_type.to_owned(), body: Vec::new() })
        };
        match outcome.dialect.as_str() {
            "answers-in-a-loop" => loops(),
            "answers-with-no-status" => answer(99, "text/plain"),
            "answers-in-two-headers" => answer(200, "text/plain\r\nset-cookie: a=b"),
            _ => None,
        }
    }
}

fn named(name: &str, value: Value) -> NamedValue {
    NamedValue { name: name.to_owned(), value }
}

fn envelope() -> Envelope {
    Envelope {
        dialect: "plain".to_owned(),
        credential: None,
        ping_id: None,
        minimum_price: None,
        deadline_ms: None,
        test: false,
    }
}

fn refusal() -> Refusal {
    let (field, message) = (Some("nothing".to_owned()), "é".repeat(TEXT_BYTES / 4));
    Refusal { code: RefusalCode::InvalidValue, field, message }
}

fn loops() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Not a tail call: the sum is taken after the call returns.
#[expect(unconditional_recursion, reason = "that is what it is for")]
fn deeper(depth: u32) -> u32 {
    let below = black_box(depth).wrapping_add(1);
    deeper(black_box(below)).wrapping_add(below)
}

guest_sdk::export_normalizer!(Hostile);
