//! A shipment in the buyer's own dialect: how an adapter sends it, and how it reads what comes back.

use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{Outcome, Refuser};
use crate::sandbox::{self, Adapter, Ask, Forfeit, HttpResponse, PostReply, Said};

/// How an adapter sends a lead, and who reads the answer.
pub struct Way<'s> {
    pub adapter: &'s Adapter,
    pub method: sandbox::Method,
    /// What is appended to the buyer's address.
    pub path: &'s str,
    pub headers: &'s [(String, String)],
    /// The full lead: its values are taken out of what the buyer says.
    pub lead: &'s Value,
    /// The fuel and the time that reading the answer took, or how it failed.
    pub read: Mutex<Option<Result<(u64, Duration), Forfeit>>>,
}

/// Without the lead.
impl fmt::Debug for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("method", &self.method).finish_non_exhaustive()
    }
}

impl Way<'_> {
    pub(super) fn method(&self) -> Method {
        match self.method {
            sandbox::Method::Get => Method::GET,
            sandbox::Method::Post => Method::POST,
            sandbox::Method::Put => Method::PUT,
        }
    }

    /// Reads an answer. The buyer may have the lead by now: whatever fails here makes its end unknown.
    pub(super) async fn read(&self, response: HttpResponse) -> Outcome {
        let (adapter, began) = (self.adapter.clone(), Instant::now());
        let asked = tokio::task::spawn_blocking(move || adapter.ask(Ask::PostResponse(&response)));
        let said = match asked.await {
            Ok(said) => said,
            Err(_) => {
                return Outcome::Unknown { why: "reading the answer was broken off".to_owned() };
            }
        };
        let (outcome, read) = match said {
            Ok((Said::Post(reply), taken)) => (outcome(reply), Ok((taken.fuel, began.elapsed()))),
            Ok(_) => {
                let why = "the adapter answered another question".to_owned();
                (Outcome::Unknown { why }, Ok((0, began.elapsed())))
            }
            Err(forfeit) => {
                let why = format!("answered, but the adapter could not read it: {forfeit}");
                (Outcome::Unknown { why }, Err(forfeit))
            }
        };
        *self.read.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(read);
        outcome
    }
}

fn outcome(reply: PostReply) -> Outcome {
    match reply {
        PostReply::Sold { reference } => Outcome::Sold { reference },
        PostReply::Rejected { reason } => Outcome::Rejected { reason, by: Refuser::Buyer },
        PostReply::Duplicate { reason } => Outcome::Duplicate { reason },
        PostReply::Unknown { why } => Outcome::Unknown { why },
    }
}
