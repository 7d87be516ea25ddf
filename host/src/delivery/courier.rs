//! Carries one lead to its buyer over HTTP, once, and says what became of it.
//!
//! - One shipment is one attempt with one outcome. Nothing here retries.
//! - Only the buyer's own clear word makes a sale.
//! - From the moment the body is handed to the network, silence is [`Outcome::Unknown`]: the buyer may have the lead.
//! - Nothing of the body appears in outcomes or logs.

mod answer;
mod message;
mod parcel;
mod redaction;
mod status;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use crate::egress::signing::Signing;
use crate::egress::{Client, Destination, Egress, Forbidden, Relay, Unavailable};

use answer::Answer;
pub use message::{Read, Reader, Way};
use parcel::{Parcel, Receipt};
use redaction::Redaction;
pub use status::{Standing, StatusCall};

/// The longest that a buyer may take, whatever its contract says.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// The longest answer that is read, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 << 10;
/// The longest wait that a buyer may ask for.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// The longest text of a buyer that is kept, in characters.
pub const TEXT_CHARS_MAX: usize = 200;

/// One lead on its way to one buyer.
pub struct Shipment<'s> {
    pub destination: &'s Destination,
    /// The lead in the buyer's words: as JSON, or as `way` says. Not empty, save for a GET.
    pub body: Zeroizing<Vec<u8>>,
    /// The same for every attempt to hand over this lead, so that the buyer can tell a second attempt from a second lead.
    pub idempotency_key: String,
    /// How long the whole attempt may take, answer included; at most [`TIMEOUT_MAX`].
    pub timeout: Duration,
    /// The buyer's own headers; they may be secret.
    pub headers: &'s [(String, String)],
    /// What signs it, if anything does, under its idempotency key.
    pub signing: Option<Signing<'s>>,
    /// How an adapter sends it; without one it is a POST of JSON.
    pub way: Option<&'s Way<'s>>,
}

/// What came back: an answer that is still to be read, or an end without one.
#[derive(Debug)]
enum Sent {
    Answered(Answer),
    Ended(Outcome),
}

/// What became of a shipment. Texts are at most [`TEXT_CHARS_MAX`] characters, printable, and without the lead's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The buyer has taken the lead.
    Sold {
        /// What the buyer calls it.
        reference: Option<String>,
    },
    /// The buyer does not want the lead and has not kept it.
    Rejected { reason: String, by: Refuser },
    /// The buyer says that it already has this person. After an earlier [`Outcome::Unknown`] of the same lead that may be
    /// because of the earlier attempt.
    Duplicate { reason: String },
    /// The buyer may or may not have taken the lead: it must not be sold to another before that is known.
    Unknown { why: String },
    /// The buyer has seen nothing of the lead, and asking it again is no use.
    Unreached { why: String },
    /// The buyer says that it does not have the lead, and it had the time to take in what was on its way.
    Absent { why: String },
    /// Nobody said in time whether the buyer took the caller.
    Expired { why: String },
    /// The buyer certainly has not taken the lead.
    NotSent {
        why: String,
        /// How long the buyer asked to be left alone; at most [`RETRY_AFTER_MAX`].
        retry_after: Option<Duration>,
    },
}

/// Who said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refuser {
    /// The buyer in its own words, or the operator for it.
    Buyer,
    /// Whoever stands before the buyer, or only a status: a firewall and a mail relay know nothing of an earlier attempt.
    Door,
}

/// Ships leads over connections that it keeps and shares.
#[derive(Clone, Debug)]
pub struct Courier {
    client: Client,
    relay: Option<Relay>,
}

impl Courier {
    /// # Errors
    ///
    /// If the machine cannot speak https.
    pub fn new(egress: &Egress) -> Result<Self, Unavailable> {
        Ok(Self { client: egress.client()?, relay: egress.relay() })
    }

    /// Returns the relay that letters go through.
    pub(super) fn relay(&self) -> Option<Relay> {
        self.relay.clone()
    }

    /// Makes one attempt. Dropping the future gives the attempt up without an outcome: the buyer may then have the lead.
    pub async fn ship(&self, shipment: Shipment<'_>) -> Outcome {
        let (destination, way) = (shipment.destination, shipment.way);
        let redaction = Redaction::of_shipment(&shipment);
        let outcome = match self.attempt(shipment).await {
            Sent::Answered(answer) => match way {
                Some(way) => answer.through(way.reader).await,
                None => answer.outcome(),
            },
            Sent::Ended(outcome) => outcome,
        };
        let outcome = outcome.redacted(&redaction);
        let name = outcome.name();
        metrics::counter!("gavel_delivery_attempts_total", "outcome" => name).increment(1);
        tracing::debug!(%destination, outcome = name, "shipment attempted");
        outcome
    }

    async fn attempt(&self, mut shipment: Shipment<'_>) -> Sent {
        let body = std::mem::take(&mut shipment.body);
        let Shipment { timeout, way, .. } = shipment;
        let method = way.map_or(Method::POST, Way::method);
        let has_body = method != Method::GET;
        if has_body && body.is_empty() {
            return Outcome::not_sent("there is nothing to send").into();
        }
        let body_sent: &[u8] = if has_body { &body } else { &[] };
        let request = match self.begin(&shipment, method, body_sent) {
            Ok(request) => request,
            Err(forbidden) => return Outcome::not_sent(forbidden.to_string()).into(),
        };
        // Wiped when the connection has let go of it, too.
        let (parcel, receipt) = Parcel::new(Bytes::from_owner(body));
        let request = request.header("idempotency-key", &shipment.idempotency_key);
        let (request, receipt) = match has_body {
            true => (request.body(reqwest::Body::wrap(parcel)), Some(receipt)),
            false => (request, None),
        };
        let deadline = Instant::now() + timeout.min(TIMEOUT_MAX);
        // Of what has no body the head may be on its way as soon as there is a connection.
        let mut certain = false;
        let why = match timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => {
                return Sent::Answered(Answer {
                    status: response.status(),
                    retry_after: retry_after(response.headers()),
                    headers: way.map(|_| plain(response.headers())).unwrap_or_default(),
                    body: timeout_at(deadline, read(response))
                        .await
                        .unwrap_or_else(|_| Err("the answer did not end in time".into())),
                });
            }
            Ok(Err(error)) => {
                certain = error.is_connect() || error.is_builder();
                cause(error)
            }
            Err(_) => {
                format!("nothing came back in {} ms", timeout.min(TIMEOUT_MAX).as_millis())
            }
        };
        if receipt.map_or(certain, Receipt::withdraw) {
            Outcome::not_sent(why).into()
        } else {
            Outcome::Unknown { why: format!("sent, but then: {why}") }.into()
        }
    }

    /// Begins the request: its address and its headers, the buyer's own over an adapter's, and what signs it over both.
    fn begin(
        &self,
        shipment: &Shipment<'_>,
        method: Method,
        body: &[u8],
    ) -> Result<reqwest::RequestBuilder, Forbidden> {
        let mut headers = HeaderMap::new();
        let mut put = |name: &str, value: &str| {
            let (name, value) = (HeaderName::try_from(name), HeaderValue::try_from(value));
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        };
        let destination = match &shipment.way {
            None => {
                put(CONTENT_TYPE.as_str(), "application/json");
                put(ACCEPT.as_str(), "application/json");
                Cow::Borrowed(shipment.destination)
            }
            Some(way) => {
                way.headers.iter().for_each(|(name, value)| put(name, value));
                Cow::Owned(shipment.destination.below(way.path)?)
            }
        };
        shipment.headers.iter().for_each(|(name, value)| put(name, value));
        if let Some(signing) = &shipment.signing {
            let signed = signing.headers(&shipment.idempotency_key, body);
            signed.iter().for_each(|(name, value)| put(name, value));
        }
        Ok(self.client.request(method, &destination)?.headers(headers))
    }
}

impl From<Outcome> for Sent {
    fn from(outcome: Outcome) -> Self {
        Self::Ended(outcome)
    }
}

impl Outcome {
    /// Returns the outcome's name in metrics and logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sold { .. } => "sold",
            Self::Rejected { .. } => "rejected",
            Self::Duplicate { .. } => "duplicate",
            Self::Unknown { .. } => "unknown",
            Self::NotSent { .. } => "not_sent",
            Self::Unreached { .. } => "unreached",
            Self::Absent { .. } => "absent",
            Self::Expired { .. } => "expired",
        }
    }

    fn not_sent(why: impl Into<String>) -> Self {
        Self::NotSent { why: why.into(), retry_after: None }
    }

    /// Takes out what the buyer or the network repeats of the lead, and cuts what is left.
    fn redacted(self, redaction: &Redaction) -> Self {
        let clean = |text: &str| redaction::clean(&redaction.apply(text));
        match self {
            Self::Sold { reference } => Self::Sold {
                // A reference has to be found again at the buyer's, so it stays as it is, even if it is a value of the lead.
                reference: reference
                    .map(|text| redaction::clean(&text))
                    .filter(|text| !text.is_empty()),
            },
            Self::Rejected { reason, by } => Self::Rejected { reason: clean(&reason), by },
            Self::Duplicate { reason } => Self::Duplicate { reason: clean(&reason) },
            Self::Unknown { why } => Self::Unknown { why: clean(&why) },
            Self::NotSent { why, retry_after } => Self::NotSent { why: clean(&why), retry_after },
            Self::Unreached { why } => Self::Unreached { why: clean(&why) },
            Self::Absent { why } => Self::Absent { why: clean(&why) },
            Self::Expired { why } => Self::Expired { why: clean(&why) },
        }
    }
}

/// Without the body: it is contact data.
impl fmt::Debug for Shipment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shipment")
            .field("destination", self.destination)
            .field("idempotency_key", &self.idempotency_key)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Reads the answer's body, but no more of it than is of use.
async fn read(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(cause)? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(format!("the answer is longer than {ANSWER_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Returns a text without what is also in the lead, cut to [`TEXT_CHARS_MAX`].
pub(super) fn without(lead: &Value, text: &str) -> String {
    redaction::clean(&Redaction::of_lead(lead).apply(text))
}

/// Returns the headers of an answer as adapters read them.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// Returns the first cause of a failure. The errors around it only say where it was met, and hold the address.
pub(super) fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Reads how long the buyer wants to be left alone: seconds, or a date, which is measured by the buyer's own clock.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let wanted = text(RETRY_AFTER)?;
    if !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a long time.
        let seconds = wanted.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
    }
    let date = |text| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    let wait = date(wanted)?.duration_since(date(text(DATE)?)?);
    Some(Duration::try_from(wait).unwrap_or(Duration::ZERO).min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests;
