//! Hostile: it reads leads as it should, and each dialect in which it answers is another way of breaking.

use guest_sdk::answers::Family;
use guest_sdk::intake::{Vertical, standard};
use guest_sdk::normalizer::{Answer, Dialect, Normalized, Normalizer, Outcome, Schema, Submission};

/// The ways, each the name of a dialect.
const WAYS: [&str; 7] =
    ["traps", "runs-on", "no-status", "no-header", "large", "always-200", "declines"];
/// More than an answer may have, in bytes.
const LARGE_BYTES: usize = 2 * 1024 * 1024;

static VERTICAL: Vertical = Vertical::new(
    "answers-badly",
    (1, 0),
    "A person somewhere.",
    &[],
    &[standard::PLACE, standard::CONTACT],
);

/// The normalizer that breaks in every way but reading.
#[derive(Debug)]
pub struct AnswersBadly;

impl Normalizer for AnswersBadly {
    const FAMILIES: &'static [&'static Family] = &[];

    fn describe() -> Schema {
        VERTICAL.schema()
    }

    fn normalize(submission: Submission) -> Normalized {
        let mut normalized = VERTICAL.read(&submission);
        normalized.envelope.dialect = submission.dialect.unwrap_or_default();
        normalized
    }

    fn dialects() -> Vec<Dialect> {
        WAYS.map(|way| Dialect { name: way.to_owned(), description: String::new() }).to_vec()
    }

    fn render(outcome: Outcome) -> Option<Answer> {
        let answer =
            Answer { status: 200, content_type: "text/plain".to_owned(), body: b"hello".to_vec() };
        Some(match outcome.dialect.as_str() {
            "no-status" => Answer { status: 99, ..answer },
            "no-header" => Answer { content_type: "text/plain\r\nX-Evil: 1".to_owned(), ..answer },
            "large" => Answer { body: vec![b'a'; LARGE_BYTES], ..answer },
            "always-200" => answer,
            "declines" => return None,
            "runs-on" => loop {
                std::hint::black_box(&answer);
            },
            _ => {
                let (nobody, place): (&[u8], usize) = (&[], outcome.dialect.len());
                assert!(nobody.len() > place, "this one traps");
                answer
            }
        })
    }
}

#[cfg(target_arch = "wasm32")]
guest_sdk::export_normalizer!(AnswersBadly);
