//! The loop that tells sources and buyers what became of their leads.
//!
//! A postback is a duty in the outbox, written in the transaction of the fact that it tells of; so both exist or neither.
//! It is sent once that is durable, and again on a schedule until it is taken, its end point is gone, or the schedule is
//! over. Every attempt is a fact. A process that ends in the midst leaves the duty: the next one sends the same id again.

mod acts;
mod agenda;

use std::sync::Arc;
use std::time::Duration;

use super::secrets::Signed;
use super::{ActError, Exchange};
use crate::book::State;
use crate::catalog::{DisabledSpec, Market, Owner, Postback, PostbackSpec};
use crate::clock::Moment;
use crate::delivery::postman::{Letter, Postman, Receipt};
use crate::egress::signing::Signing;
use crate::egress::{Destination, Egress, Unavailable};
use crate::facts::{Fact, Party, PostbackEnd, PostbackKey, PostbackTried};
use crate::ids::{BuyerId, PingId, SourceId};
use crate::journal::{Duty, DutyChange};
use crate::settlement::postback::{self, Holds};
use agenda::{Agenda, Carried, Job};

pub use acts::{
    Attempted, EndPoint, Listed, POSTBACKS_LISTED_MAX, Status, Tested, WantedPostbacks,
};
pub use agenda::{LANE_MAX, WAITING_MAX};

/// How long it is slept at most while something waits: the clock may be set.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long an end point that has too much to do is left alone, if it does not ask for longer.
const REST: Duration = Duration::from_secs(5);
/// How long an attempt may go on once the exchange was told to stop. After it the next process makes it again.
const STOPPING_MAX: Duration = Duration::from_secs(2);

/// What is to be told, and who carries it.
#[derive(Debug)]
pub(super) struct Postbacks {
    agenda: Agenda,
    postman: Postman,
}

impl Postbacks {
    pub(super) fn new(egress: &Egress) -> Result<Self, Unavailable> {
        Ok(Self { agenda: Agenda::default(), postman: Postman::new(egress)? })
    }
}

/// How an attempt ended.
struct Ended {
    end: PostbackEnd,
    status: u16,
    detail: String,
    /// How long the receiver wants to be left alone.
    asked: Option<Duration>,
    /// Where nothing is wanted any more.
    gone: Option<Destination>,
}

impl Ended {
    /// Returns for how long its owner is told nothing else either: the end point, or what stands before it, has too much
    /// to do.
    fn rest(&self) -> Option<Duration> {
        match self.status {
            429 | 502 | 504 => Some(self.asked.unwrap_or(REST).max(REST)),
            _ => self.asked,
        }
    }

    fn dead(detail: impl Into<String>) -> Self {
        let (status, asked, gone) = (0, None, None);
        Self { end: PostbackEnd::Dead, status, detail: detail.into(), asked, gone }
    }

    /// Reads what came back from an address. Another may be saved by now.
    fn at(address: &Destination, receipt: Receipt, saved: Option<&Postback>) -> Self {
        let failed = PostbackEnd::Failed;
        let moved = saved.is_some_and(|saved| saved.destination != *address);
        let (end, status, detail, asked, gone) = match receipt {
            Receipt::Taken { status } => {
                (PostbackEnd::Delivered, status, String::new(), None, None)
            }
            Receipt::Gone if moved => {
                let detail = "it answered 410; another address is saved by now";
                (failed, 410, detail.to_owned(), None, None)
            }
            Receipt::Gone => {
                let detail = "it answered 410: the end point is gone, so it is disabled";
                (PostbackEnd::Dead, 410, detail.to_owned(), None, Some(address.clone()))
            }
            Receipt::Refused { status, why, retry_after } => {
                (failed, status, why, retry_after, None)
            }
            Receipt::Silent { why } => (failed, 0, why, None, None),
        };
        Self { end, status, detail, asked, gone }
    }
}

impl Exchange {
    /// Returns whom a fact is told to, of those who want it. The book has not taken the fact yet.
    pub(super) fn told(&self, book: &State, fact: &Fact) -> Vec<(PostbackKey, Owner)> {
        let due = postback::due(fact, book);
        if due.is_empty() {
            return Vec::new();
        }
        let market = self.catalog.load();
        let owned = due.into_iter();
        let owned = owned.map(|(key, name)| (key, Owner { party: key.party, name }));
        let wanted = |(key, owner): &(PostbackKey, Owner)| {
            market.postback(owner).is_some_and(|postback| postback.wants(key.event))
        };
        owned.filter(wanted).collect()
    }

    /// Takes up what the fact that the books took last is told to, and returns the duties of it.
    pub(super) fn tell(&self, told: Vec<(PostbackKey, Owner)>, at: Moment) -> Vec<DutyChange> {
        if told.is_empty() {
            return Vec::new();
        }
        let after = self.books.ledger().seq();
        let mut duties = Vec::with_capacity(told.len());
        for (key, owner) in told {
            duties.push(DutyChange::Add(postback::duty(key, &owner.name, at)));
            self.postbacks.agenda.add(key, owner, (at.unix_ms(), 0, after));
        }
        duties
    }

    /// Takes up a postback that an earlier process left.
    pub(super) fn take_up(&self, duty: &Duty) {
        let Some((key, name)) = postback::of_duty(duty) else {
            tracing::error!(ping = %PingId::from_u128(duty.key.subject), step = duty.key.step, "a duty is no postback's");
            return;
        };
        let owner = Owner { party: key.party, name };
        self.postbacks.agenda.add(key, owner.clone(), (duty.due.unix_ms(), duty.attempts, 0));
        let last = self.book.decide(|book| book.postback(key).cloned());
        if let Some(until_ms) = last.and_then(|last| postback::asked_until(last.at, &last.tried)) {
            self.postbacks.agenda.rest(&owner, until_ms);
        }
    }

    /// Sends what is due, until the exchange is told to stop.
    pub(super) async fn send_postbacks(self: Arc<Self>) {
        while !self.stopping.is_cancelled() {
            let now_ms = self.clock.now().unix_ms();
            let (jobs, next) = self.postbacks.agenda.take(now_ms);
            for job in jobs {
                self.tasks.spawn(Arc::clone(&self).send_postback(job));
            }
            let pause = next.map(|next| {
                let pause = u64::try_from(next.saturating_sub(now_ms)).unwrap_or(0);
                Duration::from_millis(pause).min(LOOK_EVERY)
            });
            let timer = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = timer => (),
                () = self.postbacks.agenda.changed() => (),
                () = self.stopping.cancelled() => (),
            }
        }
    }

    /// Makes one attempt and records how it ended. What cannot be read or recorded now is attempted again in a while.
    async fn send_postback(self: Arc<Self>, job: Job) {
        let carried = Carried::new(&self.postbacks.agenda, &self.clock, &job);
        let begun = tokio::time::Instant::now();
        let giving_up = async {
            self.stopping.cancelled().await;
            tokio::time::sleep(STOPPING_MAX).await;
        };
        let ended = tokio::select! {
            ended = self.attempt_postback(&job) => ended,
            () = giving_up => return,
        };
        let took_ms = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        let Some(ended) = ended else { return };
        let rest = ended.rest();
        let gone = ended.gone.clone();
        let Some(tried) = self.record_postback(&job, ended, took_ms).await else { return };
        if let Some(gone) = gone {
            self.disable_postback(&job.owner, &gone, &tried.detail).await;
        }
        if let Some(rest) = rest {
            let until = self.clock.now().after(rest);
            self.postbacks.agenda.rest(&job.owner, until.unix_ms());
        }
        carried.end(tried.again_ms.map(|again| (again, tried.attempt)));
    }

    async fn attempt_postback(&self, job: &Job) -> Option<Ended> {
        let Job { key, owner, .. } = job;
        self.journal.reached(job.after).await.ok()?;
        let market = self.catalog.load();
        let postback = match end_point(&market, owner) {
            Ok(postback) => postback,
            Err(why) => return Some(Ended::dead(why)),
        };
        if job.surplus {
            let why = format!("more than {WAITING_MAX} postbacks wait for this end point");
            return Some(Ended::dead(why));
        }
        let facts = self.history(PingId::from_u128(key.ping)).await.ok()?;
        match postback::holds(*key, &facts) {
            Holds::Yes => (),
            // It is looked at again in a while.
            Holds::Undecided => return None,
            Holds::No => return Some(Ended::dead("the lead was sold since")),
        }
        // What could not be recorded is not sent.
        self.journal.seat().await.ok()?;
        let Some(body) = postback::body(*key, &facts, &self.currency) else {
            tracing::error!(id = %key, "the journal does not say what a postback tells");
            return Some(Ended::dead("the journal does not say what it tells"));
        };
        let at = self.clock.now();
        let secrets = match self.signing(&Signed::postback(owner), &postback.secrets, at) {
            Ok(secrets) => secrets,
            Err(why) => return Some(Ended::dead(why)),
        };
        let (id, body) = (key.to_string(), body.to_string().into_bytes());
        let destination = &postback.destination;
        let signing = Signing { secrets: &secrets, at };
        let letter = Letter { destination, id: &id, body, signing };
        let receipt = self.postbacks.postman.send(letter).await;
        Some(Ended::at(destination, receipt, self.catalog.load().postback(owner)))
    }

    async fn record_postback(
        &self,
        job: &Job,
        ended: Ended,
        took_ms: u32,
    ) -> Option<PostbackTried> {
        let seat = self.journal.seat().await.ok()?;
        let at = self.clock.now();
        let attempt = job.attempts.saturating_add(1);
        let mut tried = PostbackTried {
            key: job.key,
            owner: job.owner.name.clone(),
            attempt,
            ended: ended.end,
            status: ended.status,
            detail: ended.detail,
            took_ms,
            again_ms: None,
        };
        if tried.ended == PostbackEnd::Failed {
            let asked = ended.asked.and_then(|asked| i64::try_from(asked.as_millis()).ok());
            tried.again_ms = postback::again(job.key, attempt, at, asked.unwrap_or(0));
            if tried.again_ms.is_none() {
                tried.ended = PostbackEnd::Dead;
                tried.detail = format!("{}; that was attempt {attempt}, the last", tried.detail);
            }
        }
        let fact = Fact::PostbackTried(tried.clone());
        let committed = self.book.decide(|book| self.record(book, seat, at, &fact, None));
        committed.wait().await.ok()?;
        let outcome = tried.ended.code();
        metrics::counter!("gavel_postback_attempts_total", "outcome" => outcome).increment(1);
        if tried.ended == PostbackEnd::Dead {
            tracing::warn!(id = %job.key, owner = %job.owner, why = %tried.detail, "postback dead");
        } else {
            tracing::debug!(id = %job.key, owner = %job.owner, outcome, "postback attempted");
        }
        Some(tried)
    }

    /// Sends nothing more to an end point that is gone, until its owner is saved again. If another address was saved since,
    /// that one is not meant.
    async fn disable_postback(&self, owner: &Owner, gone: &Destination, why: &str) {
        let disabled = DisabledSpec { at_ms: self.clock.now().unix_ms(), why: why.to_owned() };
        let disable = |spec: &mut PostbackSpec| {
            if self.workshop.egress.check(&spec.url).as_ref() != Ok(gone) {
                return Err(ActError::Conflict("another address is saved by now".to_owned()));
            }
            spec.disabled = Some(disabled);
            Ok(())
        };
        match self.change_postback(owner, disable).await {
            Ok(()) => tracing::warn!(%owner, %why, "postback disabled"),
            Err(error) => tracing::warn!(%owner, %error, "postback not disabled"),
        }
    }

    /// Changes how an owner is told, as the exchange's own act.
    async fn change_postback<T>(
        &self,
        owner: &Owner,
        change: impl FnOnce(&mut PostbackSpec) -> Result<T, ActError>,
    ) -> Result<T, ActError> {
        let draft = self.draft.lock().await;
        let none = || ActError::NotFound(format!("postback of {owner}"));
        let (changed, fact) = match owner.party {
            Party::Source => {
                let id = SourceId::parse(&owner.name).map_err(|_| none())?;
                let mut spec = draft.register.sources.get(&id).cloned().ok_or_else(none)?;
                let changed = change(spec.postback.as_mut().ok_or_else(none)?)?;
                (changed, super::office::saved("source", &owner.name, &spec)?)
            }
            Party::Buyer => {
                let id = BuyerId::parse(&owner.name).map_err(|_| none())?;
                let mut spec = draft.register.buyers.get(&id).cloned().ok_or_else(none)?;
                let changed = change(spec.postback.as_mut().ok_or_else(none)?)?;
                (changed, super::office::saved("buyer", &owner.name, &spec)?)
            }
        };
        drop(self.change(draft, fact).await?);
        Ok(changed)
    }
}

/// Returns where an owner is told, or why it is not.
fn end_point<'m>(market: &'m Market, owner: &Owner) -> Result<&'m Postback, String> {
    let none = || format!("{owner} has no postback any more");
    let postback = market.postback(owner).ok_or_else(none)?;
    match &postback.disabled {
        Some(disabled) => Err(format!(
            "the end point is disabled since {}: {}",
            Moment::from_unix_ms(disabled.at_ms),
            disabled.why
        )),
        None => Ok(postback),
    }
}
