//! The buyer's own dialect: how an adapter sends a lead, and how it reads what comes back.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;

use super::{Outcome, Refuser};
use crate::sandbox::{self, Adapter, Ask, Forfeit, HttpResponse, PostReply, Said};

/// How an adapter sends a lead, and who reads the answer.
pub struct Way<'s> {
    pub reader: &'s Reader<'s>,
    pub method: sandbox::Method,
    /// What is appended to the buyer's address.
    pub path: &'s str,
    pub headers: &'s [(String, String)],
    /// The full lead: its values are taken out of what the buyer says.
    pub lead: &'s Value,
}

/// An adapter that reads one answer.
#[derive(Debug)]
pub struct Reader<'s> {
    adapter: &'s Adapter,
    read: Mutex<Option<Read>>,
}

/// The fuel and the time that reading an answer took, or how it failed.
pub type Read = Result<(u64, Duration), Forfeit>;

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
}

impl<'s> Reader<'s> {
    pub fn new(adapter: &'s Adapter) -> Self {
        Self { adapter, read: Mutex::default() }
    }

    /// Returns what reading took; nothing if there was no answer to read.
    pub fn taken(self) -> Option<Read> {
        self.read.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads an answer. The buyer may have the lead by now: whatever fails here makes its end unknown.
    pub(super) async fn read(&self, response: HttpResponse) -> Outcome {
        let (adapter, began) = (self.adapter.clone(), Instant::now());
        let by = refuser(response.status);
        let asked = tokio::task::spawn_blocking(move || adapter.ask(Ask::PostResponse(&response)));
        let said = match asked.await {
            Ok(said) => said,
            Err(_) => {
                return Outcome::Unknown { why: "reading the answer was broken off".to_owned() };
            }
        };
        let (outcome, read) = match said {
            Ok((Said::Post(reply), taken)) => {
                (outcome(reply, by), Ok((taken.fuel, began.elapsed())))
            }
            Ok(_) => {
                let why = "the adapter answered another question".to_owned();
                (Outcome::Unknown { why }, Ok((0, began.elapsed())))
            }
            Err(forfeit) => {
                let why = format!("answered, but the adapter could not read it: {forfeit}");
                (Outcome::Unknown { why }, Err(forfeit))
            }
        };
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        outcome
    }
}

/// Says who speaks under a status: of a 4xx nobody but its adapter has seen whether the buyer's words are in it, and a
/// firewall's page reads like a no to many.
fn refuser(status: u16) -> Refuser {
    if (200..=299).contains(&status) { Refuser::Buyer } else { Refuser::Door }
}

fn outcome(reply: PostReply, by: Refuser) -> Outcome {
    match reply {
        PostReply::Sold { reference } => Outcome::Sold { reference },
        PostReply::Rejected { reason } => Outcome::Rejected { reason, by },
        PostReply::Duplicate { reason } => Outcome::Duplicate { reason },
        PostReply::Unknown { why } => Outcome::Unknown { why },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_under_a_4xx_may_be_a_firewall() {
        assert_eq!([200, 201, 299].map(refuser), [Refuser::Buyer; 3]);
        assert_eq!([301, 400, 403, 422].map(refuser), [Refuser::Door; 4]);
    }
}
