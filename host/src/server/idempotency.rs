//! Calls that change something, sent again: one layer around every route, so that no handler needs to know of it.
//!
//! A call with an `Idempotency-Key` is known by who calls, the method, the address and the key. Its key is recorded in the
//! transaction of its first effect, its answer before it is spoken; both are remembered for
//! [`CALLS_KEPT_MS`](crate::book::CALLS_KEPT_MS).
//!
//! - The same key with the same body hears the same bytes again, refusals for a state reason included: a new attempt needs
//!   a new key. JSON that differs only in blanks or in the order of members is the same body.
//! - With another body it is refused, and while the first is running it is told to wait.
//! - Refusals that came before the call was looked at (no key, no JSON, too large) and failures of ours are not remembered.
//! - An answer may hold a secret that is shown once, such as a source's new key. So it is kept sealed, with a key made of
//!   the caller's own key and the Idempotency-Key, neither of which is kept: only who made the call can hear it again.
//! - If the exchange stops between effect and answer, the call is answered with the fact that it took effect with. Calls
//!   that take effect in many facts may have been cut in half: they are finished by making them again ([`is_finished`]).
//! - A body may hold contact data, so it is known by a keyed digest.
//!
//! Sources' calls have rules of their own, which `ingest` keeps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Desk;
use super::operator::{bytes, is_operator, key};
use super::parties::Parties;
use super::problem::Problem;
use crate::book::{CALLS_MAX, room_beside};
use crate::exchange::{Known, OPERATOR, within};
use crate::facts::{CallAnswered, CallMade};
use crate::ingest::{Denied, IDEMPOTENCY_KEY_BYTES_MAX};
use crate::settlement::receipt::view::Viewer;

/// The largest answer that is kept, in bytes. A longer one is not said again; the fact of its effect is.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Beyond so many remembered calls only the operator's are: parties cannot fill the memory. Each has its share of these.
pub(super) const CALLS_OF_PARTIES_MAX: usize = CALLS_MAX / 2;
/// Bytes of the number that makes each sealing different.
const NONCE_BYTES: usize = 24;
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The bodies of calls that are running, by call, and how many of each party are remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    running: Arc<Mutex<HashMap<[u8; 32], [u8; 32]>>>,
    parties: Parties,
}

/// The right to make a call; while it lives, the same call again is told to wait.
struct Claim {
    calls: Calls,
    key: [u8; 32],
}

impl Calls {
    fn claim(&self, made: &CallMade) -> Result<Claim, Denied> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match running.get(&made.key) {
            Some(body) if *body == made.body => Err(Denied::StillRunning),
            Some(_) => Err(Denied::KeyReused),
            None => {
                running.insert(made.key, made.body);
                Ok(Claim { calls: self.clone(), key: made.key })
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.calls.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Lets every call through that has no Idempotency-Key, and every other once.
pub(super) async fn once(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let changes = [Method::PUT, Method::POST, Method::DELETE].contains(request.method());
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let of_sources = path.is_none_or(|path| path.starts_with("/v1/{vertical}"));
    if !changes || of_sources || !request.headers().contains_key("idempotency-key") {
        return next.run(request).await;
    }
    match answer(&desk, request, next).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn answer(desk: &Desk, request: Request, next: Next) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let idempotency_key = parts.headers.get("idempotency-key").map(HeaderValue::as_bytes);
    let idempotency_key = idempotency_key.unwrap_or_default().to_vec();
    if idempotency_key.is_empty() || idempotency_key.len() > IDEMPOTENCY_KEY_BYTES_MAX {
        return Err(Denied::BadIdempotencyKey.into());
    }
    let Some((whose, credential)) = caller(desk, &parts.headers) else {
        // Whoever it is hears why not from the handler, and nothing is remembered.
        return Ok(next.run(Request::from_parts(parts, body)).await);
    };
    let body = bytes(body).await?;
    let address = parts.uri.path_and_query().map_or("", |address| address.as_str());
    let scope: [&[u8]; 4] =
        [whose.as_bytes(), parts.method.as_str().as_bytes(), address.as_bytes(), &idempotency_key];
    let canonical = canonical(&body);
    let made = CallMade { key: digest(&scope), body: desk.exchange.call_print(&canonical) };
    let seal = Seal::new(made, &credential, &idempotency_key);
    let claim = desk.calls.claim(&made)?;
    let now = desk.exchange.clock().now();
    let room = match whose.as_str() {
        OPERATOR => CALLS_MAX,
        party => room_beside(desk.calls.parties.own(party, now), CALLS_OF_PARTIES_MAX),
    };
    match desk.exchange.call(&made, digest(&[&canonical]), room).await? {
        Known::New => (),
        Known::Unanswered { .. } if is_finished(&parts) => (),
        Known::Otherwise => return Err(Denied::KeyReused.into()),
        Known::Answered(answered) => return seal.said_again(&answered),
        Known::Unanswered { fact } => return Ok(took_effect(fact)),
        Known::Full => {
            let detail = match whose.as_str() {
                OPERATOR => "too many Idempotency-Keys to remember".to_owned(),
                party => format!(
                    "{party} has its whole share of the Idempotency-Keys that the exchange remembers"
                ),
            };
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail)
                .next("try again later, or without an Idempotency-Key")
                .retry_after(std::time::Duration::from_secs(60)));
        }
    }
    let request = Request::from_parts(parts, Body::from(body));
    let desk = desk.clone();
    // In a task of its own: a caller that hangs up does not part the effect from its answer.
    let making = tokio::spawn(async move {
        let response = within(made, next.run(request)).await;
        let remembered = is_kept(response.status());
        let response = keep(&desk, &seal, response).await;
        if remembered && whose != OPERATOR {
            desk.calls.parties.made(whose, now);
        }
        drop(claim);
        response
    });
    making.await.map_err(|error| {
        tracing::error!(%error, "call panicked");
        let detail = "the exchange failed on this request";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    })?
}

/// Says whether a call that was not answered is made again: one that may be done in part, and that comes to the same
/// however often it is made. All entries of a list are taken off in one fact, and those that came since are to stay.
fn is_finished(parts: &Parts) -> bool {
    let all = parts.uri.query().is_some_and(|query| query.contains("all=true"));
    match parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str) {
        Some("/v1/persons/erase") => true,
        Some("/v1/suppressions/{id}/entries") => !all,
        _ => false,
    }
}

/// Returns who calls, and the caller's secret.
fn caller(desk: &Desk, headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let credential = key(headers);
    let whose = if is_operator(desk, headers) {
        OPERATOR.to_owned()
    } else {
        match desk.exchange.holder(credential)? {
            Viewer::Operator => return None,
            Viewer::Buyer(buyer) => format!("buyer:{buyer}"),
            Viewer::Source(source) => format!("source:{source}"),
        }
    };
    Some((whose, credential.into()))
}

/// Records an answer before it is spoken.
async fn keep(desk: &Desk, seal: &Seal, response: Response) -> Result<Response, Problem> {
    if !is_kept(response.status()) {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let failed = |_| {
        let detail = "the answer could not be written";
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    };
    let body = Limited::new(body, super::operator::OPERATOR_BODY_BYTES_MAX).collect().await;
    let body = body.map_err(failed)?.to_bytes();
    if body.len() <= ANSWER_BYTES_MAX {
        let content_type = parts.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let sealed = seal.close(content_type.unwrap_or_default(), &body)?;
        let CallMade { key, body } = seal.made;
        let status = parts.status.as_u16();
        desk.exchange.answer_call(CallAnswered { key, body, status, sealed }).await?;
    }
    Ok(Response::from_parts(parts, Body::from(body)))
}

/// Says whether an answer is the call's last word: done, or refused for what the exchange knows and the body says.
fn is_kept(status: StatusCode) -> bool {
    status.is_success()
        || matches!(
            status,
            StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
        )
}

/// Answers a call whose own answer was lost when the exchange stopped.
fn took_effect(fact: u64) -> Response {
    let said = json!({
        "status": "done",
        "fact": fact,
        "detail": format!("the call took effect with fact {fact}; the exchange stopped before it had answered"),
    });
    replayed(Json(said).into_response())
}

fn replayed(mut response: Response) -> Response {
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// What an answer is sealed with.
struct Seal {
    made: CallMade,
    cipher: XChaCha20Poly1305,
}

impl Seal {
    fn new(made: CallMade, credential: &[u8], idempotency_key: &[u8]) -> Self {
        let key = digest(&[b"gavel answer", credential, idempotency_key]);
        Self { made, cipher: XChaCha20Poly1305::new(&key.into()) }
    }

    fn close(&self, content_type: &[u8], body: &[u8]) -> Result<Vec<u8>, Problem> {
        let failed = || {
            let detail = "the answer could not be sealed";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
        };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| failed())?;
        let plain = [content_type, b"\n", body].concat();
        let payload = Payload { msg: &plain, aad: &self.made.key };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| failed())?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open(&self, sealed: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let payload = Payload { msg: sealed, aad: &self.made.key };
        let mut plain = self.cipher.decrypt(&XNonce::from(nonce), payload).ok()?;
        let line = plain.iter().position(|byte| *byte == b'\n')?;
        let body = plain.split_off(line);
        Some((plain, body.get(1..)?.to_vec()))
    }

    /// Says an answer again, byte for byte.
    fn said_again(&self, answered: &CallAnswered) -> Result<Response, Problem> {
        let Some((content_type, body)) = self.open(&answered.sealed) else {
            let detail = format!(
                "this call was made before and answered with {}; its answer was sealed with another key of yours",
                answered.status
            );
            return Err(Problem::new(StatusCode::CONFLICT, "conflict", detail));
        };
        let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::OK);
        let mut response = (status, body).into_response();
        if let Ok(content_type) = HeaderValue::from_bytes(&content_type) {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        Ok(replayed(response))
    }
}

/// Returns the digest of parts that cannot run into each other.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// Returns JSON without blanks and with the members of every object in order, anything else as it is.
fn canonical(body: &[u8]) -> Vec<u8> {
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    sorted(value).to_string().into_bytes()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.into_iter().collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(members.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_that_says_the_same_is_the_same_body() {
        let same =
            |one: &str, other: &str| canonical(one.as_bytes()) == canonical(other.as_bytes());
        assert!(same(
            r#"{"a":1,"b":{"d":[1],"c":"x"}}"#,
            "{ \"b\": {\"c\":\"x\",\"d\":[ 1 ]}, \"a\" : 1 }"
        ));
        assert!(!same(r#"{"a":1}"#, r#"{"a":2}"#) && !same(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#));
        assert!(!same("not json", "not  json"));
    }

    #[test]
    fn only_who_made_a_call_can_read_its_answer_again() {
        let made = CallMade { key: [1; 32], body: [2; 32] };
        let sealed =
            Seal::new(made, b"operator's", b"k-1").close(b"application/json", b"{}\n\n").unwrap();
        let open =
            |made, credential: &[u8], key: &[u8]| Seal::new(made, credential, key).open(&sealed);
        let expected = (b"application/json".to_vec(), b"{}\n\n".to_vec());
        assert_eq!(open(made, b"operator's", b"k-1"), Some(expected));
        assert_eq!(open(made, b"operator's", b"k-2"), None);
        assert_eq!(open(made, b"another's", b"k-1"), None);
        assert_eq!(open(CallMade { key: [3; 32], ..made }, b"operator's", b"k-1"), None);
        assert!(!sealed.windows(4).any(|four| four == b"json"));
    }

    #[test]
    fn a_call_that_runs_is_not_made_twice() {
        let (calls, made) = (Calls::default(), CallMade { key: [1; 32], body: [2; 32] });
        let claim = calls.claim(&made).unwrap();
        assert_eq!(calls.claim(&made).err(), Some(Denied::StillRunning));
        let other = CallMade { body: [3; 32], ..made };
        assert_eq!(calls.claim(&other).err(), Some(Denied::KeyReused));
        drop(claim);
        assert!(calls.claim(&other).is_ok());
    }
}
