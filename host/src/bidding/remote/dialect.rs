//! In which words a buyer is asked, and how its answer is read.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::json;

use super::answer::{Reply, read};
use super::{Invited, Offered};
use crate::catalog::Bidding;
use crate::egress::{Answer, Destination, Question};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What one buyer is told of a ping.
#[derive(Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) offered: &'a Offered<'a>,
    pub(super) invited: &'a Invited,
    /// The ping view as JSON.
    pub(super) lead: &'a str,
    /// How long its answer is waited for.
    pub(super) left: Duration,
}

/// A question, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Asking {
    pub(super) fn question<'d>(&'d self, destination: &'d Destination) -> Question<'d> {
        Question {
            destination,
            method: self.method.clone(),
            path: &self.path,
            headers: self.headers.clone(),
            body: self.body.clone(),
        }
    }
}

/// How a buyer speaks.
#[derive(Clone, Debug)]
pub(super) enum Dialect {
    /// Gavel's own JSON.
    Gavel,
}

impl Dialect {
    pub(super) fn of(_contract: &Bidding) -> Self {
        Self::Gavel
    }

    /// Puts the question into the buyer's words, or says why that failed.
    pub(super) fn ask(&self, offer: &Offer<'_>) -> Result<Asking, String> {
        match self {
            Self::Gavel => Ok(gavel(offer)),
        }
    }

    /// Reads an answer; nothing if its status says that the question was turned away.
    pub(super) fn read(&self, answer: &Answer, ping: &str, currency: &str) -> Option<Reply> {
        match self {
            Self::Gavel if answer.status == StatusCode::NO_CONTENT => {
                Some(Reply::NoBid { reason: None })
            }
            Self::Gavel if answer.status.is_success() => Some(read(&answer.body, ping, currency)),
            Self::Gavel => None,
        }
    }
}

fn gavel(offer: &Offer<'_>) -> Asking {
    let Offered { ping, vertical, currency, test, .. } = *offer.offered;
    let campaigns: Vec<&str> =
        offer.invited.campaigns.iter().map(|(name, _)| name.as_str()).collect();
    let mut head = json!({
        "ping_id": ping,
        "vertical": vertical,
        "campaigns": campaigns,
        "currency": currency,
        "deadline_ms": u64::try_from(offer.left.as_millis()).unwrap_or(u64::MAX),
    });
    if test && let Some(members) = head.as_object_mut() {
        members.insert("test".to_owned(), true.into());
    }
    // The lead is the same for every buyer and was written once: it goes in as text.
    let head = head.to_string();
    let head = head.trim_end_matches('}');
    let body = format!("{head},\"lead\":{}}}", offer.lead);
    let mut headers = vec![(CONTENT_TYPE, JSON), (ACCEPT, JSON), (ACCEPT_ENCODING, IDENTITY)];
    if let Ok(key) = HeaderValue::from_str(ping) {
        headers.push((IDEMPOTENCY_KEY, key));
    }
    Asking { method: Method::POST, path: String::new(), headers, body: body.into() }
}
