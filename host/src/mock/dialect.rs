//! The dialects in which a mock buyer is asked and answers, beside the exchange's own: to try adapters on.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::ids::Digest;

/// How much of a request's digest stands for a ping that has no id of its own, in characters.
const ID_CHARS: usize = 16;

/// What a mock buyer speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Dialect {
    /// The exchange's own JSON.
    #[default]
    Own,
    /// A form goes in, XML comes back, all at one address: what `boberdoo-adapter` speaks.
    Boberdoo,
    /// JSON both ways, below `/ping` and `/post`: what `px-adapter` speaks.
    Px,
}

impl Dialect {
    /// Returns the adapter that speaks it, with settings that will do.
    pub fn adapter(self) -> Option<(&'static str, Value)> {
        match self {
            Self::Own => None,
            Self::Boberdoo => {
                Some(("boberdoo-adapter", json!({"key": "any", "src": "any", "type": "31"})))
            }
            Self::Px => Some(("px-adapter", json!({"api_token": "any", "vertical": "any"}))),
        }
    }

    /// Reads a request as the same question in the exchange's own words; null if it is none.
    pub(super) fn read(self, path: &str, body: &[u8]) -> Value {
        match self {
            Self::Own => serde_json::from_slice(body).unwrap_or_default(),
            Self::Boberdoo => {
                let form = form_urlencoded::parse(body);
                let form: Map<String, Value> = form
                    .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
                    .collect();
                let post = match form.get("Mode").and_then(Value::as_str) {
                    Some("ping") => false,
                    Some("post") => true,
                    _ => return Value::Null,
                };
                question(post, form.get("Lead_ID"), body, &form.clone().into())
            }
            Self::Px => {
                let Ok(Value::Object(told)) = serde_json::from_slice(body) else {
                    return Value::Null;
                };
                let post = match path.rsplit('/').next() {
                    Some("ping") => false,
                    Some("post") => true,
                    _ => return Value::Null,
                };
                question(post, told.get("TransactionId"), body, &told.clone().into())
            }
        }
    }

    /// Words an answer of the exchange's own, with its Content-Type.
    pub(super) fn word(self, answer: &Value) -> (&'static str, String) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        let reason = text("reason");
        match self {
            Self::Own => ("application/json", answer.to_string()),
            Self::Boberdoo => {
                let said = match text("status") {
                    "bid" => format!(
                        "<status>Matched</status><lead_id>{}</lead_id><price>{}</price>",
                        text("handle"),
                        text("bid")
                    ),
                    "accepted" => {
                        format!("<status>Matched</status><lead_id>{}</lead_id>", text("id"))
                    }
                    "no-bid" | "rejected" => {
                        format!(
                            "<status>Unmatched</status><unmatched_reason>{reason}</unmatched_reason>"
                        )
                    }
                    _ => format!("<status>Error</status><error>{reason}</error>"),
                };
                let declared = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
                ("text/xml", format!("{declared}\n<response>{said}</response>\n"))
            }
            Self::Px => {
                let said = match text("status") {
                    // A price is a number here.
                    "bid" => format!(
                        "\"Success\":true,\"TransactionId\":{},\"Payout\":{},\"Errors\":null",
                        json!(text("handle")),
                        text("bid")
                    ),
                    "accepted" => format!(
                        "\"Success\":true,\"TransactionId\":{},\"Errors\":null",
                        json!(text("id"))
                    ),
                    _ => format!(
                        "\"Success\":false,\"Message\":\"BadRequest\",\"Errors\":[{}]",
                        json!(reason)
                    ),
                };
                ("application/json", format!("{{{said}}}"))
            }
        }
    }
}

/// Puts a ping or a post into the exchange's own words. What has no id is known by its bytes.
fn question(post: bool, handle: Option<&Value>, body: &[u8], lead: &Value) -> Value {
    let handle = handle.and_then(Value::as_str).unwrap_or_default();
    // It goes back into answers of another syntax.
    let handle: String =
        handle.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    let digest = Digest::of(body).to_string();
    let known = digest.trim_start_matches("sha256:").chars().take(ID_CHARS).collect::<String>();
    match (post, handle.is_empty()) {
        (false, _) => json!({"ping_id": known, "lead": lead}),
        (true, true) => json!({"lead_id": known, "lead": lead}),
        (true, false) => json!({"lead_id": handle, "handle": handle, "lead": lead}),
    }
}
