//! In which words a buyer is asked, and how its answer is read.

use std::time::Duration;

use bytes::Bytes;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::json;

use super::answer::{Flaw, Reply, invalid, read};
use super::{Invited, Offered};
use crate::catalog::{Bidding, Lot, Served};
use crate::egress::{Answer, Destination, Question};
use crate::facts::ModuleUsed;
use crate::sandbox::{
    self, Adapter, Ask, Forfeit, HttpRequest, HttpResponse, PingOffer, PingReply, Said,
};

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
    /// Its own, through an adapter; with what its calls took so far.
    Own(Box<(Adapter, ModuleUsed)>),
}

/// Why there is no question.
#[derive(Debug)]
pub(super) enum Unasked {
    OutOfService(String),
    Forfeit(Forfeit),
}

/// What became of an answer.
pub(super) enum Understood {
    Reply(Reply),
    /// The status says that the question was turned away.
    TurnedAway(StatusCode),
    Forfeit(Forfeit),
}

impl Dialect {
    /// Returns how this buyer speaks about this ping: the ping's handle draws between an adapter's active version and its
    /// canary.
    pub(super) fn of(contract: &Bidding, ping: &str) -> Result<Self, Unasked> {
        let Some(adapter) = &contract.adapter else { return Ok(Self::Gavel) };
        if let Some(why) = &adapter.upkeep.taken_out {
            return Err(Unasked::OutOfService(format!("its adapter is out of service: {why}")));
        }
        let lot = || Lot::draw(ping.as_bytes(), &adapter.active.module.name);
        let Served { module, code } = adapter.decides(lot);
        let used = ModuleUsed {
            name: module.name.as_str().to_owned(),
            version: module.version,
            digest: *module.digest.as_bytes(),
            fuel: 0,
        };
        Ok(Self::Own(Box::new((code.clone(), used))))
    }

    /// Returns the adapter that spoke, and what it took.
    pub(super) fn used(&self) -> Option<ModuleUsed> {
        match self {
            Self::Gavel => None,
            Self::Own(own) => Some(own.1.clone()),
        }
    }

    /// Puts the question into the buyer's words.
    pub(super) fn ask(&mut self, offer: &Offer<'_>) -> Result<Asking, Unasked> {
        match self {
            Self::Gavel => Ok(gavel(offer)),
            Self::Own(own) => {
                let (adapter, used) = &mut **own;
                let campaigns = campaigns(offer);
                let ping = PingOffer {
                    ping: offer.offered.ping,
                    vertical: offer.offered.vertical,
                    campaigns: &campaigns,
                    currency: offer.offered.currency,
                    deadline_ms: u32::try_from(offer.left.as_millis()).unwrap_or(u32::MAX),
                    test: offer.offered.test,
                    frame: offer.offered.frame,
                };
                let (said, taken) =
                    adapter.ask(Ask::PingRequest(&ping)).map_err(Unasked::Forfeit)?;
                used.fuel = used.fuel.saturating_add(taken.fuel);
                match said {
                    Said::Request(request) => Ok(worded(request, offer)),
                    Said::Ping(_) | Said::Post(_) => {
                        Err(Unasked::Forfeit(Forfeit::BadOutput("no request".to_owned())))
                    }
                }
            }
        }
    }

    /// Reads an answer.
    pub(super) fn read(&mut self, answer: &Answer, ping: &str, currency: &str) -> Understood {
        let status = answer.status;
        match self {
            Self::Gavel if status == StatusCode::NO_CONTENT => {
                Understood::Reply(Reply::NoBid { reason: None })
            }
            Self::Gavel if status.is_success() => {
                Understood::Reply(read(&answer.body, ping, currency))
            }
            Self::Gavel => Understood::TurnedAway(status),
            // What says nothing about the lead is not the adapter's to read.
            Self::Own(_) if matches!(status.as_u16(), 300..=399 | 408 | 425 | 429 | 500..) => {
                Understood::TurnedAway(status)
            }
            Self::Own(own) => {
                let (adapter, used) = &mut **own;
                let headers = answer.headers.iter().filter_map(|(name, value)| {
                    Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
                });
                let response = HttpResponse {
                    status: status.as_u16(),
                    headers: headers.collect(),
                    body: answer.body.to_vec(),
                };
                match adapter.ask(Ask::PingResponse(&response)) {
                    Err(forfeit) => Understood::Forfeit(forfeit),
                    Ok((said, taken)) => {
                        used.fuel = used.fuel.saturating_add(taken.fuel);
                        Understood::Reply(reply(said))
                    }
                }
            }
        }
    }
}

fn reply(said: Said) -> Reply {
    match said {
        Said::Ping(PingReply::Bid { amount, campaign, handle }) => {
            Reply::Bid { amount, campaign, handle }
        }
        Said::Ping(PingReply::NoBid { reason }) => {
            Reply::NoBid { reason: reason.map(|reason| super::answer::clean(&reason)) }
        }
        Said::Ping(PingReply::Invalid { reason }) => invalid(Flaw::NotUnderstood, &reason),
        Said::Request(_) | Said::Post(_) => invalid(Flaw::Adapter, "it answers another question"),
    }
}

fn campaigns<'a>(offer: &Offer<'a>) -> Vec<&'a str> {
    offer.invited.campaigns.iter().map(|(name, _)| name.as_str()).collect()
}

/// The headers that are the exchange's to set, and those that the buyer wants with every call.
fn own_headers(offer: &Offer<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let mut headers = vec![(ACCEPT_ENCODING, IDENTITY)];
    headers.extend(readable(offer.invited.contract.headers.all()));
    headers
        .extend(HeaderValue::from_str(offer.offered.ping).ok().map(|key| (IDEMPOTENCY_KEY, key)));
    headers
}

fn readable(headers: &[(String, String)]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    headers.iter().filter_map(|(name, value)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    })
}

fn worded(request: HttpRequest, offer: &Offer<'_>) -> Asking {
    // The last of a name counts: the buyer's own.
    let headers = readable(&request.headers).chain(own_headers(offer)).collect();
    let method = match request.method {
        sandbox::Method::Get => Method::GET,
        sandbox::Method::Post => Method::POST,
        sandbox::Method::Put => Method::PUT,
    };
    Asking { method, path: request.path, headers, body: request.body.into() }
}

fn gavel(offer: &Offer<'_>) -> Asking {
    let Offered { ping, vertical, currency, test, .. } = *offer.offered;
    let mut head = json!({
        "ping_id": ping,
        "vertical": vertical,
        "campaigns": campaigns(offer),
        "currency": currency,
        "deadline_ms": u64::try_from(offer.left.as_millis()).unwrap_or(u64::MAX),
    });
    if test && let Some(members) = head.as_object_mut() {
        members.insert("test".to_owned(), true.into());
    }
    // The lead is the same for every buyer and was written once: it goes in as text.
    let head = head.to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    let body = format!("{head},\"lead\":{}}}", offer.lead);
    let mut headers = own_headers(offer);
    headers.extend([(CONTENT_TYPE, JSON), (ACCEPT, JSON)]);
    Asking { method: Method::POST, path: String::new(), headers, body: body.into() }
}
