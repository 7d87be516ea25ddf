//! Understands a buyer's answer to a post.
//!
//! An answer is a sale only if it says so and says nothing else. One that cannot be understood is unknown: taking it for a
//! rejection could sell the lead twice, taking it for a sale would invoice a buyer for what it did not take.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{Outcome, Reader, Refuser, Standing};
use crate::sandbox::HttpResponse;

/// A buyer's answer as it came in.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// For adapters: names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// The body, or why it could not be read.
    pub(super) body: Result<Vec<u8>, String>,
}

/// What the body says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Sold,
    Rejected,
    Duplicate,
    /// Something about the verdict, but not what.
    Unclear(String),
    /// Nothing about the verdict.
    Silent,
}

/// The parts of a body that are of use.
struct Told {
    verdict: Verdict,
    reason: Option<String>,
    reference: Option<String>,
    /// Nothing but that there is no such lead.
    absent: bool,
    /// All that it says is that something succeeded, and there is more inside.
    wrapped: bool,
}

impl Answer {
    pub(super) fn outcome(&self) -> Outcome {
        if let Some(outcome) = self.at_the_door() {
            return outcome;
        }
        let answered = self.answered();
        match self.status.as_u16() {
            200..=299 => self.body_outcome(),
            408 => Outcome::Unknown { why: answered },
            400..=499 => self.refusal(&answered),
            _ => Outcome::Unknown { why: answered },
        }
    }

    /// Reads the answer through the buyer's adapter. About what was turned away before anybody looked at it, and about what
    /// does not end, no adapter is asked.
    pub(super) async fn through(self, reader: &Reader<'_>) -> Outcome {
        if let Some(outcome) = self.at_the_door() {
            return outcome;
        }
        let status = self.status.as_u16();
        match self.body {
            Ok(body) => reader.read(HttpResponse { status, headers: self.headers, body }).await,
            Err(why) => Outcome::Unknown { why },
        }
    }

    /// Returns what a status says for itself: the request was turned away before anybody looked at it.
    fn at_the_door(&self) -> Option<Outcome> {
        let answered = self.answered();
        match self.status.as_u16() {
            425 | 429 => Some(self.turned_away(answered)),
            // A bare 503 may also come from a gateway that lost the buyer after it had passed the lead on.
            503 if self.retry_after.is_some() => Some(self.turned_away(answered)),
            // These say that the request was not handled here. Other redirects may point to the result of handling it.
            301 | 307 | 308 => Some(Outcome::Rejected {
                reason: format!("{answered}: redirects are not followed, use the final address"),
                by: Refuser::Door,
            }),
            _ => None,
        }
    }

    fn answered(&self) -> String {
        format!("answered {}", self.status.as_u16())
    }

    /// Reads what a status call was answered. Only a 2xx speaks of the lead: what else comes may be a wrong address's, save
    /// for the statuses that are known to mean `not_found`.
    pub(super) async fn standing(self, not_found: &[u16], reader: Option<&Reader<'_>>) -> Standing {
        let answered = self.answered();
        if not_found.contains(&self.status.as_u16()) {
            return Standing::Absent { why: answered };
        }
        if !self.status.is_success() {
            return Standing::Known(Outcome::Unknown { why: answered });
        }
        let told =
            self.body.as_ref().map_or_else(|_| Told::nothing(Verdict::Silent), |it| Told::read(it));
        if told.absent {
            return Standing::Absent { why: answered };
        }
        let outcome = match reader {
            Some(reader) => self.through(reader).await,
            None => self.outcome(),
        };
        match outcome {
            Outcome::Rejected { reason, .. } | Outcome::Duplicate { reason }
                if tells_of_absence(&reason) =>
            {
                Standing::Absent { why: format!("{answered}: {reason}") }
            }
            Outcome::Sold { .. } if reader.is_none() && told.wrapped => {
                let why = "it says `success`, which may be only that it was found".to_owned();
                Standing::Known(Outcome::Unknown { why })
            }
            outcome => Standing::Known(outcome),
        }
    }

    fn turned_away(&self, why: String) -> Outcome {
        Outcome::NotSent { why, retry_after: self.retry_after }
    }

    /// The status says nothing about the lead, so the body has to.
    fn body_outcome(&self) -> Outcome {
        let told = match &self.body {
            Ok(body) => Told::read(body),
            Err(why) => return Outcome::Unknown { why: why.clone() },
        };
        let reason = told.reason.unwrap_or_else(|| "no reason given".into());
        match told.verdict {
            Verdict::Sold => Outcome::Sold { reference: told.reference },
            Verdict::Rejected => Outcome::Rejected { reason, by: Refuser::Buyer },
            Verdict::Duplicate => Outcome::Duplicate { reason },
            Verdict::Unclear(why) => Outcome::Unknown { why },
            Verdict::Silent => {
                Outcome::Unknown { why: "the answer does not say what became of the lead".into() }
            }
        }
    }

    /// The status says no. The body may say why, and may say that it is a yes after all.
    fn refusal(&self, answered: &str) -> Outcome {
        let told = match &self.body {
            Ok(body) => Told::read(body),
            Err(_) => Told::nothing(Verdict::Silent),
        };
        let conflict = self.status == StatusCode::CONFLICT;
        let reason = told.reason.unwrap_or_else(|| answered.to_owned());
        match told.verdict {
            Verdict::Sold => Outcome::Unknown { why: format!("{answered}, but says sold") },
            Verdict::Duplicate => Outcome::Duplicate { reason },
            // A conflict is with something that the buyer already has.
            Verdict::Unclear(_) | Verdict::Silent if conflict => Outcome::Duplicate { reason },
            Verdict::Rejected => Outcome::Rejected { reason, by: Refuser::Buyer },
            Verdict::Unclear(_) | Verdict::Silent => {
                Outcome::Rejected { reason, by: Refuser::Door }
            }
        }
    }
}

impl Told {
    fn nothing(verdict: Verdict) -> Self {
        Self { verdict, reason: None, reference: None, absent: false, wrapped: false }
    }

    fn read(body: &[u8]) -> Self {
        // Some servers begin JSON with a byte order mark.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        if body.trim_ascii().is_empty() {
            return Self::nothing(Verdict::Unclear("the answer is empty".into()));
        }
        if body.starts_with(b"\x1f\x8b") {
            let why = "the answer is compressed (gzip), which nobody asked for";
            return Self::nothing(Verdict::Unclear(why.into()));
        }
        match serde_json::from_slice::<Members>(body) {
            Ok(members) => members.told(),
            Err(_) => Self::nothing(Verdict::Unclear("the answer is not a JSON object".into())),
        }
    }
}

/// The members of an object with their names in lower case and without punctuation, so that `LeadId` and `lead_id` are one.
/// A name that comes twice stays twice: two verdicts must not become one.
struct Members(Vec<(String, Value)>);

impl Members {
    fn told(&self) -> Told {
        let reason = self.first(&["reason", "message", "error", "errors"], text);
        let reference =
            self.first(&["reference", "id", "leadid", "transactionid", "confirmation"], identifier);
        let mut verdict = self.verdict();
        if verdict == Verdict::Sold && self.has_error() {
            verdict = Verdict::Unclear("the answer says both sold and an error".into());
        }
        let duplicate = |text: &String| word(text) == Some(Verdict::Duplicate);
        if verdict == Verdict::Rejected && reason.as_ref().is_some_and(duplicate) {
            verdict = Verdict::Duplicate;
        }
        if verdict == Verdict::Sold && self.0.iter().any(|(_, value)| says_no_within(value)) {
            verdict = Verdict::Unclear("the answer says both sold and not sold".into());
        }
        Told { absent: self.absent(), wrapped: self.wrapped(), verdict, reason, reference }
    }

    /// Returns what all members that are about the verdict agree on.
    fn verdict(&self) -> Verdict {
        let mut agreed = Verdict::Silent;
        for (name, value) in &self.0 {
            let next = member_verdict(name, value);
            agreed = match (agreed, next) {
                (unclear @ Verdict::Unclear(_), _) | (_, unclear @ Verdict::Unclear(_)) => unclear,
                (Verdict::Silent, verdict) | (verdict, Verdict::Silent) => verdict,
                (one, other) if one == other => one,
                (Verdict::Sold, _) | (_, Verdict::Sold) => {
                    Verdict::Unclear("the answer says both sold and not sold".into())
                }
                // What is left is a rejection because of a duplicate.
                _ => Verdict::Duplicate,
            };
        }
        agreed
    }

    fn absent(&self) -> bool {
        let mut verdicts =
            self.0.iter().filter(|(name, value)| member_verdict(name, value) != Verdict::Silent);
        let only = verdicts.next().filter(|_| verdicts.next().is_none());
        only.is_some_and(|(_, value)| value.as_str().is_some_and(is_absence))
    }

    fn wrapped(&self) -> bool {
        let mut verdicts =
            self.0.iter().filter(|(name, value)| member_verdict(name, value) != Verdict::Silent);
        let only_success = verdicts.all(|(name, _)| name == "success");
        let inside = |value: &Value| value.is_object() || value.is_array() || value.is_null();
        only_success && self.0.iter().any(|(_, value)| inside(value))
    }

    fn has_error(&self) -> bool {
        self.0.iter().any(|(name, value)| {
            matches!(name.as_str(), "error" | "errors")
                && match value {
                    Value::Null | Value::Bool(false) => false,
                    Value::Bool(true) => true,
                    Value::Number(number) => number.as_i64() != Some(0),
                    Value::String(text) => !text.trim().is_empty(),
                    Value::Array(values) => !values.is_empty(),
                    Value::Object(members) => !members.is_empty(),
                }
        })
    }

    /// Returns the first of these members that can be read.
    fn first(&self, names: &[&str], read: fn(&Value) -> Option<String>) -> Option<String> {
        names.iter().find_map(|wanted| {
            let mut named = self.0.iter().filter(|(name, _)| name == wanted);
            named.find_map(|(_, value)| read(value))
        })
    }
}

fn member_verdict(name: &str, value: &Value) -> Verdict {
    let unclear = || Verdict::Unclear(format!("`{name}` of the answer cannot be understood"));
    match name {
        "status" | "result" | "outcome" | "response" | "verdict" => match value {
            Value::String(text) => word(text).unwrap_or_else(|| {
                Verdict::Unclear(format!("`{name}` of the answer is `{text}`, which is no verdict"))
            }),
            _ => unclear(),
        },
        "success" | "accepted" | "sold" => match flag(value) {
            Some(true) => Verdict::Sold,
            Some(false) => Verdict::Rejected,
            None => unclear(),
        },
        "rejected" | "duplicate" => match (flag(value), name) {
            (Some(true), "rejected") => Verdict::Rejected,
            (Some(true), _) => Verdict::Duplicate,
            (Some(false), _) => Verdict::Silent,
            (None, _) => unclear(),
        },
        _ => Verdict::Silent,
    }
}

/// Returns what a word means. Words that buyers use both ways, such as `error`, `ok` and `received`, are not here.
fn word(text: &str) -> Option<Verdict> {
    let lower = text.trim().to_lowercase().replace(['_', '-'], " ");
    match lower.as_str() {
        "accepted" | "sold" | "success" | "successful" | "purchased" => Some(Verdict::Sold),
        "rejected" | "reject" | "failure" | "failed" | "declined" | "denied" | "refused"
        | "unsold" | "unmatched" | "not accepted" | "not sold" => Some(Verdict::Rejected),
        "duplicate" | "duplicated" | "duplicate lead" | "post reject duplicate" => {
            Some(Verdict::Duplicate)
        }
        _ => None,
    }
}

/// Says whether what stands inside a member is a no.
fn says_no_within(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(name, value)| {
            let verdict = member_verdict(&plain(name), value);
            matches!(verdict, Verdict::Rejected | Verdict::Duplicate) || says_no_within(value)
        }),
        Value::Array(values) => values.iter().any(says_no_within),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Returns a member's name in lower case and without punctuation.
fn plain(name: &str) -> String {
    let plain = name.chars().filter(|c| c.is_alphanumeric());
    plain.collect::<String>().to_lowercase()
}

/// Says whether a reason is that there is no such lead.
fn tells_of_absence(reason: &str) -> bool {
    let reason = reason.to_lowercase().replace(['_', '-'], " ");
    let words = ["not found", "notfound", "no such lead", "unknown lead", "does not exist"];
    words.iter().any(|words| reason.contains(words))
}

/// Says whether a word means that there is no such lead.
fn is_absence(text: &str) -> bool {
    let lower = text.trim().to_lowercase().replace(['_', '-'], " ");
    matches!(lower.as_str(), "not found" | "notfound" | "not received" | "no such lead")
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Reads a text, the text of the first of several, or the text or code inside an object.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Array(values) => values.iter().find_map(text),
        Value::Object(members) => {
            ["message", "reason", "code"].iter().find_map(|name| members.get(*name).and_then(text))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn identifier(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    members.push((plain(&name), value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line: status, body, and what is made of them.
    #[track_caller]
    fn check(table: &[(u16, &str, &str)]) {
        for (status, body, expected) in table {
            let answer = Answer {
                status: StatusCode::from_u16(*status).unwrap(),
                retry_after: None,
                headers: Vec::new(),
                body: Ok(body.as_bytes().to_vec()),
            };
            let outcome = match answer.outcome() {
                Outcome::Sold { reference } => format!("sold {}", reference.unwrap_or_default()),
                Outcome::Rejected { reason, by: Refuser::Buyer } => format!("rejected: {reason}"),
                Outcome::Rejected { reason, by: Refuser::Door } => {
                    format!("rejected at the door: {reason}")
                }
                Outcome::Duplicate { reason } => format!("duplicate: {reason}"),
                Outcome::Unknown { why } => format!("unknown: {why}"),
                Outcome::NotSent { why, .. } => format!("not sent: {why}"),
                Outcome::Unreached { why } => format!("unreached: {why}"),
                Outcome::Absent { why } => format!("absent: {why}"),
                Outcome::Expired { why } => format!("expired: {why}"),
            };
            assert_eq!(outcome.trim_end(), *expected, "{status} {body}");
        }
    }

    #[test]
    fn a_clear_yes_is_a_sale() {
        check(&[
            (200, r#"{"status":"accepted"}"#, "sold"),
            (201, r#"{"status":"sold","id":"L-1"}"#, "sold L-1"),
            (202, r#"{"Status":"ACCEPTED","LeadID":42}"#, "sold 42"),
            (200, r#"{"result":"success","lead_id":"a","reference":"b"}"#, "sold b"),
            (200, r#"{"outcome":"Success","reason":""}"#, "sold"),
            (200, r#"{"success":true,"accepted":"true","id":" "}"#, "sold"),
            (
                200,
                r#"{"response":"Purchased","error":null,"errors":[],"message":"thanks"}"#,
                "sold",
            ),
            (200, "\u{feff} {\"sold\":true,\"duplicate\":false}\n", "sold"),
        ]);
    }

    #[test]
    fn a_clear_no_is_a_rejection_whatever_the_status() {
        check(&[
            (200, r#"{"status":"rejected","reason":"no coverage"}"#, "rejected: no coverage"),
            (200, r#"{"response":"failure","message":"bad zip"}"#, "rejected: bad zip"),
            (200, r#"{"success":false,"errors":["bad zip","bad age"]}"#, "rejected: bad zip"),
            (
                200,
                r#"{"accepted":false,"reason":{"code":"cap","message":"cap reached"}}"#,
                "rejected: cap reached",
            ),
            (200, r#"{"status":"not_accepted"}"#, "rejected: no reason given"),
            (200, r#"{"rejected":true,"status":"declined"}"#, "rejected: no reason given"),
            (200, r#"{"status":"duplicate","reason":"seen in May"}"#, "duplicate: seen in May"),
            (
                200,
                r#"{"status":"rejected","reason":"DUPLICATE_LEAD"}"#,
                "duplicate: DUPLICATE_LEAD",
            ),
            (200, r#"{"success":false,"duplicate":true}"#, "duplicate: no reason given"),
            (400, "", "rejected at the door: answered 400"),
            (401, "<html>", "rejected at the door: answered 401"),
            (422, r#"{"error":"phone is invalid"}"#, "rejected at the door: phone is invalid"),
            (422, r#"{"status":422,"message":"bad"}"#, "rejected at the door: bad"),
            (422, r#"{"status":"rejected","message":"bad"}"#, "rejected: bad"),
            (422, r#"{"result":"duplicate"}"#, "duplicate: answered 422"),
            (409, "", "duplicate: answered 409"),
            (409, r#"{"status":"rejected","reason":"cap"}"#, "rejected: cap"),
        ]);
    }

    #[test]
    fn what_is_not_clear_is_unknown() {
        let both = "unknown: the answer says both sold and not sold";
        let object = "unknown: the answer is not a JSON object";
        let silent = "unknown: the answer does not say what became of the lead";
        check(&[
            (200, "", "unknown: the answer is empty"),
            (204, " \r\n", "unknown: the answer is empty"),
            (200, "OK", object),
            (200, "<html>accepted</html>", object),
            (200, r#""accepted""#, object),
            (200, r#"[{"status":"accepted"}]"#, object),
            (200, r#"{"status":"accepted""#, object),
            (200, r#"{"status":"accepted"} {"status":"rejected"}"#, object),
            (200, "null", object),
            (200, "{}", silent),
            (200, r#"{"id":7,"message":"thanks"}"#, silent),
            (200, r#"{"error":"database"}"#, silent),
            (200, r#"{"rejected":false}"#, silent),
            (
                200,
                r#"{"status":"pending"}"#,
                "unknown: `status` of the answer is `pending`, which is no verdict",
            ),
            (
                200,
                r#"{"status":"error","success":true}"#,
                "unknown: `status` of the answer is `error`, which is no verdict",
            ),
            (
                200,
                r#"{"status":200,"success":true}"#,
                "unknown: `status` of the answer cannot be understood",
            ),
            (
                200,
                r#"{"result":{"status":"accepted"}}"#,
                "unknown: `result` of the answer cannot be understood",
            ),
            (200, r#"{"success":"yes"}"#, "unknown: `success` of the answer cannot be understood"),
            (200, r#"{"success":1}"#, "unknown: `success` of the answer cannot be understood"),
            (
                200,
                r#"{"sold":true,"duplicate":"L-1"}"#,
                "unknown: `duplicate` of the answer cannot be understood",
            ),
            (200, r#"{"success":true,"accepted":false}"#, both),
            (200, r#"{"status":"accepted","success":false}"#, both),
            (200, r#"{"status":"accepted","status":"rejected"}"#, both),
            (200, r#"{"status":"rejected","Status":"accepted"}"#, both),
            (200, r#"{"accepted":true,"duplicate":true}"#, both),
            (200, r#"{"success":true,"data":{"status":"rejected"}}"#, both),
            (200, r#"{"status":"accepted","leads":[{"Sold":false}]}"#, both),
            (
                200,
                r#"{"status":"accepted","errors":["bad phone"]}"#,
                "unknown: the answer says both sold and an error",
            ),
            (422, r#"{"status":"accepted"}"#, "unknown: answered 422, but says sold"),
            (409, r#"{"success":true}"#, "unknown: answered 409, but says sold"),
            (302, r#"{"status":"accepted"}"#, "unknown: answered 302"),
            (303, "", "unknown: answered 303"),
            (408, r#"{"status":"rejected"}"#, "unknown: answered 408"),
            (500, r#"{"status":"accepted"}"#, "unknown: answered 500"),
            (502, "", "unknown: answered 502"),
            (503, "", "unknown: answered 503"),
            (504, "", "unknown: answered 504"),
        ]);
    }

    #[test]
    fn what_was_turned_away_at_the_door_was_not_sent() {
        let redirect =
            "rejected at the door: answered 308: redirects are not followed, use the final address";
        check(&[
            (308, "", redirect),
            (425, "", "not sent: answered 425"),
            (429, r#"{"status":"rejected"}"#, "not sent: answered 429"),
        ]);
        let wait = Some(Duration::from_secs(7));
        let busy = Answer {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after: wait,
            headers: vec![],
            body: Ok(vec![]),
        };
        assert_eq!(
            busy.outcome(),
            Outcome::NotSent { why: "answered 503".into(), retry_after: wait }
        );
    }

    #[tokio::test]
    async fn only_a_2xx_and_named_statuses_speak_of_a_lead_that_is_asked_about() {
        let standing = async |status: u16, body: &str| {
            let answer = Answer {
                status: StatusCode::from_u16(status).unwrap(),
                retry_after: None,
                headers: Vec::new(),
                body: Ok(body.as_bytes().to_vec()),
            };
            match answer.standing(&[404], None).await {
                Standing::Known(Outcome::Sold { .. }) => "sold",
                Standing::Known(Outcome::Rejected { by: Refuser::Buyer, .. }) => "rejected",
                Standing::Known(Outcome::Duplicate { .. }) => "duplicate",
                Standing::Known(Outcome::Unknown { .. }) => "unknown",
                Standing::Absent { .. } => "absent",
                Standing::Known(other) => panic!("{status} {body}: {other:?}"),
            }
        };
        for (status, body, expected) in [
            (200, r#"{"status":"accepted"}"#, "sold"),
            (200, r#"{"status":"rejected","reason":"cap"}"#, "rejected"),
            (200, r#"{"status":"duplicate"}"#, "duplicate"),
            (200, r#"{"success":false,"message":"Lead not found"}"#, "absent"),
            (200, r#"{"status":"rejected","reason":"unknown lead"}"#, "absent"),
            (200, r#"{"success":true}"#, "sold"),
            (200, r#"{"success":true,"data":null}"#, "unknown"),
            (200, r#"{"success":true,"leads":[]}"#, "unknown"),
            (200, r#"{"success":true,"sold":true,"lead":{}}"#, "sold"),
            (200, r#"{"status":"success","data":{"status":"rejected"}}"#, "unknown"),
            (200, r#"{"status":"not_found"}"#, "absent"),
            (200, r#"{"Result":"Not Found","error":"no such lead"}"#, "absent"),
            (200, r#"{"status":"not_found","success":true}"#, "unknown"),
            (200, r#"{"status":"pending"}"#, "unknown"),
            (200, "[]", "unknown"),
            (404, "<html>", "absent"),
            (404, r#"{"status":"accepted"}"#, "absent"),
            (410, r#"{"status":"not_found"}"#, "unknown"),
            (403, r#"{"status":"rejected"}"#, "unknown"),
            (308, "", "unknown"),
            (429, "", "unknown"),
            (500, r#"{"status":"rejected"}"#, "unknown"),
        ] {
            assert_eq!(standing(status, body).await, expected, "{status} {body}");
        }
    }

    #[test]
    fn what_is_compressed_is_called_so() {
        let body = Ok(b"\x1f\x8b\x08\0\0".to_vec());
        let status = StatusCode::OK;
        let answer = Answer { status, retry_after: None, headers: vec![], body };
        let why = "the answer is compressed (gzip), which nobody asked for".into();
        assert_eq!(answer.outcome(), Outcome::Unknown { why });
    }

    #[test]
    fn a_body_that_cannot_be_read_leaves_only_the_status() {
        let cut = |status| {
            Answer { status, retry_after: None, headers: vec![], body: Err("it broke off".into()) }
                .outcome()
        };
        assert_eq!(cut(StatusCode::OK), Outcome::Unknown { why: "it broke off".into() });
        assert_eq!(
            cut(StatusCode::UNPROCESSABLE_ENTITY),
            Outcome::Rejected { reason: "answered 422".into(), by: Refuser::Door }
        );
    }
}
