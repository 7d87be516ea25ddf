//! Calls with an Idempotency-Key: the key is recorded in the transaction of the call's effect, its answer before it is
//! spoken. So a call that is sent again, after a crash too, has one effect and one answer.
//!
//! Whoever runs a call runs it under [`within`]; the first fact that it records carries the key along. No act needs to
//! know of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{ActError, Exchange};
use crate::book::State;
use crate::clock::Moment;
use crate::facts::{CallAnswered, CallMade, Fact};
use crate::journal::Record;

tokio::task_local! {
    static CALL: Arc<Running>;
}

/// A call that is being made.
#[derive(Debug)]
struct Running {
    made: CallMade,
    recorded: AtomicBool,
}

/// What is known of a call with this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it may be made.
    New,
    /// It was made with another body.
    Otherwise,
    /// It was made and answered so.
    Answered(CallAnswered),
    /// It began to take effect with this fact, and its answer was not recorded: the exchange stopped, or failed.
    Unanswered { fact: u64 },
    /// There are as many keys as can be remembered.
    Full,
}

/// Runs a call whose first recorded fact carries its key along.
pub async fn within<F: Future>(made: CallMade, call: F) -> F::Output {
    CALL.scope(Arc::new(Running { made, recorded: AtomicBool::new(false) }), call).await
}

impl Exchange {
    /// Returns the keyed digest by which the body of a call is known: it may hold contact data.
    pub fn call_print(&self, body: &[u8]) -> [u8; 32] {
        *self.contacts.body_print(body).as_bytes()
    }

    /// Returns what is known of a call. A new one is made only while fewer than `room` calls are remembered. Earlier
    /// versions knew its body by the `plain` digest.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal cannot be read.
    pub async fn call(
        &self,
        made: &CallMade,
        plain: [u8; 32],
        room: usize,
    ) -> Result<Known, ActError> {
        let now = self.clock.now();
        let (call, room) =
            self.book.decide(|book| (book.call(&made.key, now), book.remembers_calls(room, now)));
        let Some(call) = call else { return Ok(if room { Known::New } else { Known::Full }) };
        let same = |body: [u8; 32]| body == made.body || body == plain;
        if !same(call.body) {
            return Ok(Known::Otherwise);
        }
        // The book may know of a fact that is on its way to the disk yet.
        self.journal.settled().await.map_err(|_| ActError::Closed)?;
        let Some(subject) = Fact::CallMade(*made).subject() else { return Ok(Known::New) };
        let facts = self.history(subject).await.map_err(|_| ActError::Closed)?;
        let mut known = Known::New;
        for (seq, _, fact) in facts {
            match fact {
                Fact::CallMade(before) if before.key == made.key && same(before.body) => {
                    known = Known::Unanswered { fact: seq.saturating_add(1) };
                }
                Fact::CallAnswered(answered) if answered.key == made.key => {
                    known = Known::Answered(answered);
                }
                _ => (),
            }
        }
        Ok(known)
    }

    /// Records how a call was answered, before it is.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal takes no facts any more.
    pub async fn answer_call(&self, answered: CallAnswered) -> Result<(), ActError> {
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let (at, fact) = (self.clock.now(), Fact::CallAnswered(answered));
        let committed = self.book.decide(|book| self.record(book, seat, at, &fact, None));
        committed.wait().await.map_err(|_| ActError::Closed).map(drop)
    }

    /// Returns the record of the call under way, to be written with its first effect.
    pub(super) fn called(&self, book: &mut State, at: Moment) -> Vec<Record> {
        let made = CALL.try_with(|call| {
            let first = !call.recorded.swap(true, Ordering::Relaxed);
            first.then_some(call.made)
        });
        let Ok(Some(made)) = made else { return Vec::new() };
        let fact = Fact::CallMade(made);
        let record = self.booked(book, at, &fact, None);
        record.map(|record| Record { payload: fact.encode(), ..record }).into_iter().collect()
    }
}
