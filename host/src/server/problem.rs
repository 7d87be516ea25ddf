//! Refusals as problem documents (RFC 9457): a code to react to, the field at fault, and what to do next.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::exchange::{ActError, Misnumbered, Trouble};
use crate::ingest::Denied;
use crate::sandbox::{Outcome, RefusalCode, SourceVerdict};
use crate::schemas::Unfit;

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: String,
    detail: Box<str>,
    field: Option<String>,
    next: Option<&'static str>,
    retry_after: Option<Duration>,
    faults: Box<[Value]>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &str, detail: impl std::fmt::Display) -> Self {
        let (code, detail) = (code.to_owned(), format!("{detail}").into());
        Self {
            status,
            code,
            detail,
            field: None,
            next: None,
            retry_after: None,
            faults: Box::default(),
        }
    }

    pub(super) fn field(self, field: Option<String>) -> Self {
        Self { field, ..self }
    }

    pub(super) fn next(self, next: &'static str) -> Self {
        Self { next: Some(next), ..self }
    }

    pub(super) fn retry_after(self, pause: Duration) -> Self {
        Self { retry_after: Some(pause), ..self }
    }

    /// Every fault by itself, where there may be several.
    pub(super) fn faults(self, faults: impl Iterator<Item = Value>) -> Self {
        Self { faults: faults.collect(), ..self }
    }

    /// A fault of the exchange's own, which its log tells.
    fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the exchange failed on this request",
        )
    }

    /// The operator's key is missing or wrong.
    pub(super) fn no_operator() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "operator-key", "this needs the operator's key")
            .next("send `Authorization: Bearer KEY` with the key that GAVEL_OPERATOR_KEY holds")
    }

    /// Adds it to what an answer in a source's dialect may say.
    pub(super) fn told(&self, outcome: Outcome) -> Outcome {
        Outcome {
            verdict: self.verdict(),
            status: self.status.as_u16(),
            reason_code: Some(self.code.clone()),
            reason: Some(self.detail.to_string()),
            field: self.field.clone(),
            retry_after_s: self.retry_after_s(),
            ..outcome
        }
    }

    fn verdict(&self) -> SourceVerdict {
        match self.status {
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::CONFLICT
            | StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE => SourceVerdict::Busy,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => SourceVerdict::Denied,
            // A ping that is not there is a fault of the post.
            StatusCode::NOT_FOUND if self.field.is_none() => SourceVerdict::Denied,
            status if status.is_server_error() => SourceVerdict::Failed,
            _ => SourceVerdict::Refused,
        }
    }

    /// Returns whole seconds, never zero: rounded up.
    fn retry_after_s(&self) -> Option<u32> {
        let pause = self.retry_after?;
        let seconds = pause.as_secs().saturating_add(u64::from(pause.subsec_nanos() > 0)).max(1);
        u32::try_from(seconds).ok()
    }

    /// Counts it, and adds its headers to a response that says it in a source's dialect.
    pub(super) fn worded(self, response: Response) -> Response {
        metrics::counter!("gavel_problems_total", "code" => self.code.clone()).increment(1);
        let mut response = response;
        self.add_headers(response.headers_mut());
        response
    }

    fn add_headers(&self, headers: &mut HeaderMap) {
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut document = json!({
            "type": format!("/docs#{}", self.code),
            "title": self.status.canonical_reason().unwrap_or("refused"),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(object) = document.as_object_mut() {
            if let Some(field) = self.field.clone() {
                object.insert("field".to_owned(), field.into());
            }
            if let Some(next) = self.next {
                object.insert("next".to_owned(), next.into());
            }
            if !self.faults.is_empty() {
                object.insert("faults".to_owned(), self.faults.to_vec().into());
            }
        }
        let mut response = (self.status, document.to_string()).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        self.worded(response)
    }
}

/// Returns the status of a submission that its normalizer refuses.
fn refused(code: RefusalCode) -> StatusCode {
    match code {
        RefusalCode::Malformed => StatusCode::BAD_REQUEST,
        RefusalCode::UnsupportedContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalCode::MissingField | RefusalCode::InvalidValue | RefusalCode::ConflictingValues => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Denied(denied) => denied.into(),
            Trouble::NoVertical(vertical) => {
                let detail = format!("there is no vertical `{vertical}`");
                Self::new(StatusCode::NOT_FOUND, "vertical-not-found", detail)
                    .next("check the address; the operator knows which verticals there are")
            }
            Trouble::Refused(refusal) => {
                Self::new(refused(refusal.code), refusal.code.code(), refusal.message).field(refusal.field)
            }
            Trouble::Normalizer(fault) => {
                let forfeit = &fault.forfeit;
                tracing::error!(error = %forfeit, module = %fault.module.name, version = fault.module.version, "normalizer failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "normalizer-failed", "the vertical's module failed on this submission; the operator has been told")
                    .next("send it again later; the same bytes fail the same way until the module is mended")
            }
            Trouble::PingNotFound => Self::new(StatusCode::NOT_FOUND, "ping-not-found", trouble)
                .field(Some("ping_id".to_owned()))
                .next("send the `ping_id` exactly as the ping's answer gave it"),
            Trouble::PostedOtherwise => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "already-posted", trouble)
                    .next("a ping is posted once; send a new ping for another lead")
            }
            Trouble::Changed(ref field) => {
                let field = Some(field.clone());
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "changed-since-ping", trouble)
                    .field(field)
                    .next("post what was pinged, or send a new ping with the right values")
            }
            Trouble::TestOfLive => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "test-of-live-ping", trouble)
                    .field(Some("ping_id".to_owned()))
                    .next("send the ping as a test too; or post it with a live key and without the mark of a test")
            }
            Trouble::Frame(cause) => {
                tracing::error!(%cause, "ping not readable");
                Self::internal()
            }
            Trouble::Contact(cause) => {
                tracing::error!(%cause, "lead not sealed");
                Self::internal()
            }
            Trouble::OutOfService(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "out-of-service", trouble)
                    .next("send it again later: the operator has been told")
            }
            Trouble::Overloaded(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", trouble)
                    .retry_after(Duration::from_secs(1))
            }
            Trouble::ShareFull(..) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", trouble)
                    .next("what was sent goes on; new pings are taken as those before them are posted or expire, keys a day after their use")
                    .retry_after(Duration::from_secs(1))
            }
            Trouble::MoneyStopped(ref why) => {
                tracing::error!(%why, "refused while no money moves");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "money-stopped",
                    "the exchange sells nothing now: its books are being checked",
                )
                .retry_after(Duration::from_secs(30))
            }
            Trouble::DiskLow => Self::new(StatusCode::SERVICE_UNAVAILABLE, "disk-low", trouble)
                .next("send it again later; posts of pings that were accepted are taken")
                .retry_after(Duration::from_secs(30)),
            Trouble::Closed => Self::new(StatusCode::SERVICE_UNAVAILABLE, "closing", trouble)
                .retry_after(Duration::from_secs(5)),
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let status = match denied {
            Denied::NoKey | Denied::WrongKey => StatusCode::UNAUTHORIZED,
            Denied::Paused(_) | Denied::VerticalNotAllowed { .. } => StatusCode::FORBIDDEN,
            Denied::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Denied::StillRunning => StatusCode::CONFLICT,
            Denied::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Denied::BadIdempotencyKey => StatusCode::BAD_REQUEST,
        };
        let problem = Self::new(status, denied.code(), &denied);
        match denied {
            Denied::TooMany { retry_after, .. } => problem.retry_after(retry_after),
            Denied::StillRunning => problem.retry_after(Duration::from_secs(1)),
            Denied::NoKey
            | Denied::WrongKey
            | Denied::Paused(_)
            | Denied::VerticalNotAllowed { .. }
            | Denied::KeyReused
            | Denied::BadIdempotencyKey => problem,
        }
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NotFound(_) => Self::new(StatusCode::NOT_FOUND, "not-found", error),
            ActError::Invalid { pointer, message } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", message)
                    .field(Some(pointer).filter(|pointer| !pointer.is_empty()))
            }
            ActError::Faults(ref faults) => {
                let all = faults.0.iter().map(|fault| {
                    json!({"what": fault.what, "field": fault.pointer, "message": fault.message})
                });
                let all = all.collect::<Vec<Value>>();
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", error)
                    .faults(all.into_iter())
                    .next("mend or pause each of them first; nothing has changed")
            }
            ActError::Misnumbered(refused) => refused.as_ref().into(),
            ActError::Inadmissible(why) if !why.is_the_modules_fault() => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, why.code(), &why)
                    .retry_after(Duration::from_secs(5))
            }
            ActError::Inadmissible(why) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, why.code(), &why)
            }
            ActError::Fixtures(why) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, why.code(), &why)
            }
            ActError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", error),
            ActError::Gate(_) => Self::new(StatusCode::CONFLICT, "gate", error)
                .next("see it all with `gavel module diff NAME OLD NEW`; then mend the module, set another gate with PUT /v1/modules/{name}, or pass it with `\"force\": true`"),
            ActError::MoneyStopped(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "money-stopped", error)
                .retry_after(Duration::from_secs(30))
                .next("run `gavel reconcile` on the data directory; after a start on data that reconciles, money moves again"),
            ActError::Closed => Self::new(StatusCode::SERVICE_UNAVAILABLE, "closing", error)
                .retry_after(Duration::from_secs(5)),
        }
    }
}

impl From<&Misnumbered> for Problem {
    fn from(refused: &Misnumbered) -> Self {
        let relying = refused.relying.iter();
        let relying = relying.map(|one| json!({"what": one.what, "message": one.why}));
        if refused.unfit == Unfit::NeedsMajor {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, "schema-breaks", refused)
                .faults(relying)
                .next("give it that number: both major versions serve side by side, and a vertical names its `major`");
        }
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "schema-version", refused)
            .next("set `major` and `minor` in the module's schema")
    }
}
