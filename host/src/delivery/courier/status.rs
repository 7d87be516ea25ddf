//! Asks a buyer what became of a lead that it may have.

use std::fmt;

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::time::{Duration, Instant, timeout_at};

use super::answer::Answer;
use super::redaction::{self, Redaction};
use super::{Courier, Outcome, Reader, TIMEOUT_MAX, cause, plain, read, retry_after};
use crate::egress::signing::Signing;

/// A question about one lead. It holds nothing of the lead but its ids.
pub struct StatusCall<'s> {
    /// Where the buyer tells of this lead.
    pub url: &'s str,
    /// That of the lead's shipments.
    pub idempotency_key: &'s str,
    /// How long the answer may take; at most [`TIMEOUT_MAX`].
    pub timeout: Duration,
    /// The buyer's own headers; they may be secret.
    pub headers: &'s [(String, String)],
    /// What signs it, if its buyer's leads are signed: its body is empty.
    pub signing: Option<Signing<'s>>,
    /// The HTTP statuses that say that the buyer does not have the lead.
    pub not_found: &'s [u16],
    /// Who reads the answer; without one it is the exchange's own JSON.
    pub reader: Option<&'s Reader<'s>>,
    /// The full lead: its values are taken out of what the buyer says.
    pub lead: &'s Value,
}

/// What a buyer says of a lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// What became of it. [`Outcome::Unknown`] if that was not said.
    Known(Outcome),
    /// It does not have the lead at this moment.
    Absent { why: String },
}

impl Courier {
    /// Asks once.
    pub async fn ask(&self, call: StatusCall<'_>) -> Standing {
        let redaction = Redaction::of_question(call.lead, call.url);
        let standing = match self.answered(&call).await {
            Ok(answer) => answer.standing(call.not_found, call.reader).await,
            Err(why) => Standing::Known(Outcome::Unknown { why }),
        };
        let standing = match standing {
            Standing::Known(outcome) => Standing::Known(outcome.redacted(&redaction)),
            Standing::Absent { why } => {
                Standing::Absent { why: redaction::clean(&redaction.apply(&why)) }
            }
        };
        metrics::counter!("gavel_status_calls_total", "outcome" => standing.name()).increment(1);
        standing
    }

    async fn answered(&self, call: &StatusCall<'_>) -> Result<Answer, String> {
        let destination = self.client.check(call.url).map_err(|forbidden| forbidden.to_string())?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let signed = call.signing.map(|signing| signing.headers(call.idempotency_key, b""));
        let own = call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signed = signed.iter().flatten().map(|(name, value)| (&**name, value.as_str()));
        for (name, value) in own.chain(signed) {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::try_from(value))
            {
                headers.insert(name, value);
            }
        }
        let request = self.client.request(Method::GET, &destination);
        let request = request.map_err(|forbidden| forbidden.to_string())?.headers(headers);
        let deadline = Instant::now() + call.timeout.min(TIMEOUT_MAX);
        let late = || format!("nothing came back in {} ms", call.timeout.as_millis());
        let response = timeout_at(deadline, request.send()).await.map_err(|_| late())?;
        let response = response.map_err(cause)?;
        Ok(Answer {
            status: response.status(),
            retry_after: retry_after(response.headers()),
            headers: plain(response.headers()),
            body: timeout_at(deadline, read(response)).await.unwrap_or_else(|_| Err(late())),
        })
    }
}

/// Without the lead, and without the address: it may hold keys of the buyer's.
impl fmt::Debug for StatusCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatusCall")
            .field("idempotency_key", &self.idempotency_key)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Standing {
    /// Returns its name in metrics and logs.
    fn name(&self) -> &'static str {
        match self {
            Self::Known(outcome) => outcome.name(),
            Self::Absent { .. } => "absent",
        }
    }
}
