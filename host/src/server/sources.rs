//! What sources call: ping, post and full.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};
use tracing::Instrument as _;

use super::Desk;
use super::problem::Problem;
use crate::exchange::Trouble;
use crate::ids::VerticalId;
use crate::ingest::{BODY_BYTES_MAX, Call, Submission};
use crate::settlement::Answer;

/// How long a source may take to send its body.
const BODY_READ_MAX: Duration = Duration::from_secs(10);

/// Which of the three calls it is, by the last word of the address.
impl<S: Sync> FromRequestParts<S> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(match parts.uri.path().rsplit('/').next() {
            Some("ping") => Self::Ping,
            Some("post") => Self::Post,
            Some(_) | None => Self::Full,
        })
    }
}

/// Takes a ping, a post, or both in one.
pub(super) async fn submit(
    State(desk): State<Desk>,
    call: Call,
    Path(vertical): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let started = Instant::now();
    let response = match submission(&desk, call, vertical, query, &headers, body, started).await {
        Ok(submission) => answer(desk, submission).await,
        Err(problem) => problem.into_response(),
    };
    metrics::histogram!("gavel_answer_seconds", "call" => call.name()).record(started.elapsed());
    response
}

async fn submission(
    desk: &Desk,
    call: Call,
    vertical: String,
    query: Option<String>,
    headers: &HeaderMap,
    body: Body,
    started: Instant,
) -> Result<Submission, Problem> {
    let unknown = |_| Problem::from(Trouble::NoVertical(vertical.clone()));
    let vertical = VerticalId::parse(&vertical).map_err(unknown)?;
    let text = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Ok(Submission {
        call,
        vertical,
        content_type: text("content-type").unwrap_or_default(),
        query: query.unwrap_or_default(),
        body: read(body).await?,
        key: key(headers),
        idempotency_key: text("idempotency-key"),
        received: desk.exchange.clock().now(),
        started,
    })
}

/// Returns the source's key where a header carries it: `Authorization: Bearer` or `Token`, `X-Api-Key` or `Api-Key`.
fn key(headers: &HeaderMap) -> Option<String> {
    if let Some(authorization) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = authorization.to_str().ok()?.split_once(' ')?;
        let known = ["bearer", "token"].iter().any(|word| scheme.eq_ignore_ascii_case(word));
        return known.then(|| key.trim().to_owned());
    }
    let header = headers.get("x-api-key").or_else(|| headers.get("api-key"))?;
    Some(header.to_str().ok()?.to_owned())
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    let collecting = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_READ_MAX, collecting).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let detail = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail))
        }
        Ok(Err(_)) => {
            Err(Problem::new(StatusCode::BAD_REQUEST, "malformed", "the body ended before its end"))
        }
        Err(_) => {
            let detail = format!("the body did not arrive within {} s", BODY_READ_MAX.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "body-timeout", detail))
        }
    }
}

async fn answer(desk: Desk, submission: Submission) -> Response {
    let Ok(_place) = Arc::clone(&desk.requests).try_acquire_owned() else {
        return Problem::from(Trouble::Overloaded("too many requests at once")).into_response();
    };
    let (call, vertical) = (submission.call, submission.vertical.clone());
    let span = tracing::debug_span!("lead", call = call.name(), %vertical);
    let exchange = Arc::clone(&desk.exchange);
    // In a task of its own: a source that hangs up does not cut a decision in two.
    let answering = tokio::spawn(
        async move {
            let answer = match call {
                Call::Ping => exchange.ping(&submission).await,
                Call::Post => exchange.post(&submission).await,
                Call::Full => exchange.full(&submission).await,
            };
            if let Ok(_) | Err(Trouble::Refused(_) | Trouble::Normalizer(_)) = &answer {
                exchange.shadow_submission(&submission);
            }
            answer
        }
        .instrument(span),
    );
    match answering.await {
        Ok(Ok(answer)) => {
            let (verdict, body) = worded(&answer, desk.exchange.currency());
            metrics::counter!("gavel_answers_total", "call" => call.name(), "vertical" => vertical.to_string(), "status" => verdict).increment(1);
            Json(body).into_response()
        }
        Ok(Err(trouble)) => Problem::from(trouble).into_response(),
        Err(error) => {
            tracing::error!(%error, "request panicked");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the exchange failed on this request",
            )
            .into_response()
        }
    }
}

fn worded(answer: &Answer, currency: &str) -> (&'static str, Value) {
    let reason = |code: &str, message: &str| json!({"code": code, "message": message});
    match answer {
        Answer::Accepted { ping, price, expires } => (
            "accepted",
            json!({"status": "accepted", "ping_id": ping.to_string(), "price": price.to_string(), "currency": currency, "expires_at": expires.to_string()}),
        ),
        Answer::Rejected { ping, reason: why } => (
            "rejected",
            json!({"status": "rejected", "ping_id": ping.to_string(), "reason": reason(why.code(), why.message())}),
        ),
        Answer::Duplicate { ping, earlier } => (
            "duplicate",
            json!({"status": "duplicate", "ping_id": ping.to_string(), "duplicate_of": earlier.to_string(), "reason": reason("duplicate", "the same lead was offered a short time ago")}),
        ),
        Answer::Sold { ping, price, copies } => (
            "sold",
            json!({"status": "sold", "lead_id": ping.lead().to_string(), "ping_id": ping.to_string(), "price": price.to_string(), "currency": currency, "copies": copies}),
        ),
        Answer::Unsold { ping, reason: why } => (
            "unsold",
            json!({"status": "unsold", "lead_id": ping.lead().to_string(), "ping_id": ping.to_string(), "reason": reason(why.code(), why.message())}),
        ),
        Answer::Pending { ping } => (
            "pending",
            json!({"status": "pending", "lead_id": ping.lead().to_string(), "ping_id": ping.to_string(), "reason": reason("delivery-open", "the buyer has not answered yet")}),
        ),
    }
}
