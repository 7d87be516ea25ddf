//! What the exchange answered, read as a source reads it: JSON or XML, whatever its dialect gets back.

use serde_json::Value;

use super::api::Reply;
use crate::money::Micros;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The ping found a buyer.
    Accepted { ping_id: String, price: Micros },
    /// The lead was bought.
    Sold { ping_id: String, price: Micros },
    /// The lead was taken; its outcome follows.
    Pending { ping_id: String },
    /// No: a verdict with its reason.
    No { word: No, code: String },
    /// Not heard: refused with a status and a reason.
    Refused { status: u16, code: String },
    /// An answer that does not explain itself.
    Unexplained { status: u16, body: String },
}

/// The ways to say no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum No {
    Rejected,
    Duplicate,
    Unsold,
}

/// How much of an unexplained answer is kept.
const QUOTE_CHARS_MAX: usize = 300;

/// Reads an answer.
pub(super) fn read(reply: &Reply) -> Verdict {
    let text = String::from_utf8_lossy(&reply.body);
    let said = Said::of(&text);
    said.verdict(reply.status).unwrap_or_else(|| Verdict::Unexplained {
        status: reply.status,
        body: text.chars().take(QUOTE_CHARS_MAX).collect(),
    })
}

/// The few things that any answer can say, still as texts.
#[derive(Debug, Default)]
struct Said {
    status: Option<String>,
    ping_id: Option<String>,
    price: Option<String>,
    code: Option<String>,
}

impl Said {
    fn of(text: &str) -> Self {
        if text.trim_start().starts_with('<') {
            return Self::of_xml(text);
        }
        let json: Value = serde_json::from_str(text).unwrap_or_default();
        let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        Self {
            status: text("/status"),
            ping_id: text("/ping_id"),
            price: text("/price"),
            code: text("/reason/code").or_else(|| text("/code")),
        }
    }

    fn of_xml(text: &str) -> Self {
        let element = |name: &str| {
            let (_, rest) = text.split_once(&format!("<{name}>"))?;
            let (value, _) = rest.split_once(&format!("</{name}>"))?;
            Some(value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        Self {
            status: element("status"),
            ping_id: element("ping_id"),
            price: element("price"),
            code: element("code"),
        }
    }

    fn verdict(self, status: u16) -> Option<Verdict> {
        let price = self.price.as_deref().and_then(|price| Micros::parse(price).ok());
        if !(200..300).contains(&status) {
            return Some(Verdict::Refused { status, code: self.code? });
        }
        Some(match self.status?.as_str() {
            "accepted" => Verdict::Accepted { ping_id: self.ping_id?, price: price? },
            "sold" => Verdict::Sold { ping_id: self.ping_id?, price: price? },
            "pending" => Verdict::Pending { ping_id: self.ping_id? },
            "rejected" => Verdict::No { word: No::Rejected, code: self.code? },
            "duplicate" => Verdict::No { word: No::Duplicate, code: self.code? },
            "unsold" => Verdict::No { word: No::Unsold, code: self.code? },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: u16, body: &str, expected: &str) {
        let reply = Reply { status, body: body.to_owned().into(), took: std::time::Duration::ZERO };
        let actual = match read(&reply) {
            Verdict::Accepted { ping_id, price } => format!("accepted {ping_id} {price}"),
            Verdict::Sold { ping_id, price } => format!("sold {ping_id} {price}"),
            Verdict::Pending { ping_id } => format!("pending {ping_id}"),
            Verdict::No { word, code } => format!("{word:?} {code}"),
            Verdict::Refused { status, code } => format!("refused {status} {code}"),
            Verdict::Unexplained { status, .. } => format!("unexplained {status}"),
        };
        assert_eq!(actual, expected);
    }

    #[test]
    fn json_and_xml_say_the_same() {
        check(
            200,
            r#"{"status":"accepted","ping_id":"pg_1","price":"12.34","currency":"USD"}"#,
            "accepted pg_1 12.34",
        );
        check(
            200,
            "<response><status>accepted</status><ping_id>pg_1</ping_id><price>12.34</price></response>",
            "accepted pg_1 12.34",
        );
        check(
            200,
            r#"{"status":"rejected","reason":{"code":"no-eligible-buyer","message":"no"}}"#,
            "Rejected no-eligible-buyer",
        );
        check(
            200,
            "<r><status>duplicate</status><reason><code>duplicate</code></reason></r>",
            "Duplicate duplicate",
        );
    }

    #[test]
    fn a_refusal_needs_a_code() {
        check(
            422,
            r#"{"status":422,"code":"missing-field","field":"zip"}"#,
            "refused 422 missing-field",
        );
        check(422, r#"{"message":"something is wrong"}"#, "unexplained 422");
        check(500, "", "unexplained 500");
    }

    #[test]
    fn a_no_without_a_reason_is_unexplained() {
        check(200, r#"{"status":"rejected"}"#, "unexplained 200");
        check(200, r#"{"status":"sold","ping_id":"pg_1"}"#, "unexplained 200");
    }
}
