//! What sources call: ping, post and full.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::dialects::Wanted;
use super::problem::Problem;
use super::{Desk, bodies, pages};
use crate::exchange::Trouble;
use crate::ids::VerticalId;
use crate::ingest::{BODY_BYTES_MAX, Call, Place, Spoken, Submission};
use crate::reasons::Refusal;
use crate::settlement::{Answer, Transfer};

/// Why a post is pending, which is no refusal: code and words.
pub(super) const DELIVERY_OPEN: (&str, &str) = ("delivery-open", "the buyer has not answered yet");
/// Why it is pending while a caller is to be transferred.
pub(super) const TRANSFER_OPEN: (&str, &str) =
    ("transfer-open", "transfer the caller, then say how the call went");
/// How long a source may take to send its body.
const BODY_READ_MAX: Duration = Duration::from_secs(10);
/// What the fields in an address are.
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// Which of the three calls it is, by the word of the address that says so.
impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(match parts.uri.path().split('/').nth(3) {
            Some("ping") => Self::Ping,
            Some("post") => Self::Post,
            Some(_) | None => Self::Full,
        })
    }
}

/// The parts of an address that a source chooses.
#[derive(Debug, Deserialize)]
pub(super) struct Address {
    vertical: String,
    dialect: Option<String>,
}

/// Takes a ping, a post, or both in one, from a program that sends its fields in the address.
pub(super) async fn submit_in_address(
    desk: State<Desk>,
    call: Call,
    address: Path<Address>,
    RawQuery(query): RawQuery,
    (method, uri): (Method, Uri),
    mut headers: HeaderMap,
) -> Response {
    // A HEAD comes this way too, and a person who only looks sends no fields.
    let Some(fields) = query.filter(|fields| method == Method::GET && !fields.is_empty()) else {
        return pages::not_allowed(uri).await.into_response();
    };
    headers.insert(header::CONTENT_TYPE, FORM);
    submit(desk, call, address, RawQuery(None), headers, Body::from(fields)).await
}

/// Takes a ping, a post, or both in one.
pub(super) async fn submit(
    State(desk): State<Desk>,
    call: Call,
    Path(Address { vertical, dialect }): Path<Address>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let started = Instant::now();
    let response = match Wanted::read(&desk, call, &vertical, dialect, &headers) {
        Err(problem) => problem.into_response(),
        Ok(wanted) => {
            let head = Head { call, vertical, query, headers: &headers, wanted: &wanted, started };
            let (spoken, said) = match submission(&desk, head, body).await {
                Ok(submission) => decided(&desk, submission).await,
                Err(problem) => (None, Err(problem)),
            };
            wanted.worded(&desk, spoken, said)
        }
    };
    metrics::histogram!("gavel_answer_seconds", "call" => call.name()).record(started.elapsed());
    response
}

/// All of a request but its body.
struct Head<'r> {
    call: Call,
    vertical: String,
    query: Option<String>,
    headers: &'r HeaderMap,
    wanted: &'r Wanted,
    started: Instant,
}

async fn submission(desk: &Desk, head: Head<'_>, body: Body) -> Result<Submission, Problem> {
    let unknown = |_| Problem::from(Trouble::NoVertical(head.vertical.clone()));
    let vertical = VerticalId::parse(&head.vertical).map_err(unknown)?;
    let text = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    Ok(Submission {
        call: head.call,
        vertical,
        dialect: head.wanted.word(),
        accept: head.wanted.accept(),
        content_type: text("content-type").unwrap_or_default(),
        query: head.query.unwrap_or_default(),
        body: bodies::read(body, BODY_BYTES_MAX, BODY_READ_MAX).await?,
        key: key(head.headers),
        idempotency_key: text("idempotency-key"),
        received: desk.exchange.clock().now(),
        started: head.started,
        known_as: OnceLock::new(),
        spoken: OnceLock::new(),
    })
}

/// Returns the source's key where a header carries it: `Authorization: Bearer`, `Token` or `Basic`, `X-Api-Key` or
/// `Api-Key`.
fn key(headers: &HeaderMap) -> Option<String> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = authorization.to_str().ok()?.split_once(' ')?;
        let is = |words: &[&str]| words.iter().any(|word| scheme.eq_ignore_ascii_case(word));
        if is(&["basic"]) {
            // The password is the key; where there is none, the user's name is.
            let pair = String::from_utf8(base64(key.trim())?).ok()?;
            let (user, password) = pair.split_once(':')?;
            return Some(if password.is_empty() { user } else { password }.to_owned());
        }
        return is(&["bearer", "token"]).then(|| key.trim().to_owned());
    }
    let header = headers.get("x-api-key").or_else(|| headers.get("api-key"))?;
    Some(header.to_str().ok()?.to_owned())
}

/// Reads the base 64 of HTTP Basic.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in text.trim_end_matches('=').bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        (bits, count) = (bits << 6 | u32::from(value), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.extend(u8::try_from(bits >> count & 0xff));
        }
        bits &= 0xffff;
    }
    Some(bytes)
}

/// Has the exchange decide, and returns in which dialect the submission came, if it was read so far.
async fn decided(desk: &Desk, submission: Submission) -> (Option<Spoken>, Result<Answer, Problem>) {
    let Ok(place) = Arc::clone(&desk.requests).try_acquire_owned() else {
        return (None, Err(Trouble::Overloaded("too many requests at once").into()));
    };
    let place = Place::new(place);
    let (call, vertical) = (submission.call, submission.vertical.clone());
    let span = tracing::debug_span!("lead", call = call.name(), %vertical);
    let exchange = Arc::clone(&desk.exchange);
    // In a task of its own: a source that hangs up does not cut a decision in two.
    let answering = tokio::spawn(
        async move {
            let answer = match call {
                Call::Ping => exchange.ping(&submission).await,
                Call::Post => exchange.post(&submission, &place).await,
                Call::Full => exchange.full(&submission, &place).await,
            };
            if let Ok(_) | Err(Trouble::Refused(_) | Trouble::Normalizer(_)) = &answer {
                exchange.shadow_submission(&submission);
            }
            (submission.spoken.into_inner(), answer)
        }
        .instrument(span),
    );
    match answering.await {
        Ok((spoken, Ok(answer))) => {
            metrics::counter!("gavel_answers_total", "call" => call.name(), "vertical" => vertical.to_string(), "status" => answer.status()).increment(1);
            (spoken, Ok(answer))
        }
        Ok((spoken, Err(trouble))) => (spoken, Err(trouble.into())),
        Err(error) => {
            tracing::error!(%error, "request panicked");
            let problem = Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the exchange failed on this request",
            );
            (None, Err(problem))
        }
    }
}

/// Words a live transfer: where the caller goes, what the buyer's agent hears first, and what is to be said of the call.
fn transfer(transfer: &Transfer) -> Value {
    let mut told = json!({
        "transfer_id": transfer.id.to_string(),
        "number": transfer.number,
        "whisper": transfer.whisper,
        "connected_seconds": transfer.connected_seconds,
        "report_by": transfer.expires.to_string(),
    });
    if let Some(told) = told.as_object_mut().filter(|_| transfer.test) {
        told.insert("test".to_owned(), true.into());
    }
    told
}

/// Words an answer in the exchange's own JSON.
pub(super) fn own(answer: &Answer, currency: &str) -> Response {
    let status = answer.status();
    let reason = |code: &str, message: &str| json!({"code": code, "message": message});
    let body = match answer {
        Answer::Accepted { ping, price, firm, expires } => {
            json!({"status": status, "ping_id": ping.to_string(), "price": price.to_string(), "currency": currency, "firm": firm, "expires_at": expires.to_string()})
        }
        Answer::Rejected { ping, reason: why } => {
            json!({"status": status, "ping_id": ping.to_string(), "reason": reason(why.code(), why.message())})
        }
        Answer::Duplicate { ping, earlier } => {
            json!({"status": status, "ping_id": ping.to_string(), "duplicate_of": earlier.to_string(), "reason": reason(Refusal::Duplicate.code(), Refusal::Duplicate.message())})
        }
        Answer::Sold { ping, price, copies, replaces } => {
            let mut sold = json!({"status": status, "lead_id": ping.lead().to_string(), "ping_id": ping.to_string(), "price": price.to_string(), "currency": currency, "copies": copies});
            if let (Some(object), Some(replaces)) = (sold.as_object_mut(), replaces) {
                object.insert("replaces".to_owned(), replaces.to_string().into());
            }
            sold
        }
        Answer::Unsold { ping, reason: why } => {
            json!({"status": status, "lead_id": ping.lead().to_string(), "ping_id": ping.to_string(), "reason": reason(why.code(), why.message())})
        }
        Answer::Pending { ping, transfers } => {
            let (code, words) = if transfers.is_empty() { DELIVERY_OPEN } else { TRANSFER_OPEN };
            let mut pending = json!({"status": status, "lead_id": ping.lead().to_string(), "ping_id": ping.to_string(), "reason": reason(code, words)});
            let transfers: Vec<Value> = transfers.iter().map(transfer).collect();
            if let (Some(object), false) = (pending.as_object_mut(), transfers.is_empty()) {
                object.insert("transfers".to_owned(), transfers.into());
            }
            pending
        }
    };
    Json(body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stands_in_any_of_the_usual_headers() {
        for (name, value, expected) in [
            ("authorization", "Bearer k-1", Some("k-1")),
            ("authorization", "token  k-1", Some("k-1")),
            ("authorization", "Basic d2ViOmstMQ==", Some("k-1")),
            ("authorization", "basic d2ViOmstMQ", Some("k-1")),
            ("authorization", "Basic ay0xOg==", Some("k-1")),
            ("authorization", "Basic d2ViOmE6Yg==", Some("a:b")),
            ("authorization", "Basic ay0x", None),
            ("authorization", "Basic d2ViOmstM*==", None),
            ("authorization", "Digest k-1", None),
            ("x-api-key", "k-1", Some("k-1")),
            ("api-key", "k-1", Some("k-1")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(key(&headers).as_deref(), expected, "{name}: {value}");
        }
    }
}
