//! Contact data on its way through the house: sealed at the post, opened for an attempt, kept as long as the vertical
//! says, and erased at the operator's word.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{ActError, Exchange, Trouble};
use crate::catalog::{Retention, Vertical};
use crate::clock::Moment;
use crate::contacts::{ContactError, OpenLead, PersonKind, Sealed};
use crate::facts::{ContactErased, ContactsSwept, Fact};
use crate::ids::PingId;
use crate::journal::{Committed, ContactChange, ContactRow, PersonRow};
use crate::settlement;

/// How often it is looked whether contact data's time is over.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How much contact data goes in one fact.
pub const SWEPT_AT_ONCE_MAX: usize = 1_000;
/// How many leads of one person are looked at together, newest first.
pub const LEADS_OF_PERSON_MAX: usize = 1_000;
/// The longest name of who erases, and the longest code of why, in bytes.
pub const ERASED_TEXT_BYTES_MAX: usize = 64;
/// So many digits in a row may be somebody's number, and a fact is for ever.
const DIGITS_MAX: usize = 6;

/// What was erased, and what is beyond reach.
#[derive(Clone, Debug)]
pub struct Erased {
    pub ping: PingId,
    pub at: Moment,
    /// Copies whose delivery ended by it.
    pub voided: Vec<u32>,
    /// It was erased before; nothing was done now.
    pub before: bool,
    /// Whether the bytes are overwritten in every file by now. If not, SQLite's are as soon as nobody reads the log, and
    /// PostgreSQL's once the table was vacuumed and the log is recycled.
    pub overwritten: bool,
    /// Every attempt to hand the lead to a buyer, as in the receipt: whoever may have it must be told by other ways.
    pub disclosures: Vec<Value>,
}

/// An erasure on its way to the disk, unless it was there before.
#[derive(Debug)]
struct Erasing {
    erased: Erased,
    committed: Option<Committed>,
}

/// Who erases, and why.
#[derive(Clone, Debug)]
pub struct ErasedBy {
    pub by: String,
    pub why: String,
}

impl ErasedBy {
    /// Checks that neither can hold contact data: both go into a fact, which is never erased.
    ///
    /// # Errors
    /// [`ActError::Invalid`] says what is expected.
    pub fn check(by: &str, why: &str) -> Result<Self, ActError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        for (pointer, text) in [("/by", by), ("/why", why)] {
            let numbers = text.split(|c: char| !c.is_ascii_digit());
            let fits = (1..=ERASED_TEXT_BYTES_MAX).contains(&text.len())
                && text.bytes().all(plain)
                && numbers.clone().all(|digits| digits.len() <= DIGITS_MAX);
            if !fits {
                let message = format!(
                    "expected 1 to {ERASED_TEXT_BYTES_MAX} of a-z 0-9 - _ . with no more than {DIGITS_MAX} digits in a row, such as \
                     `person-asked` or `ticket-4711`: it is recorded for ever, so it must not name the person"
                );
                return Err(super::office::invalid(pointer, message));
            }
        }
        Ok(Self { by: by.to_owned(), why: why.to_owned() })
    }
}

/// A lead in which a person is named.
#[derive(Clone, Debug)]
pub struct FoundLead {
    pub ping: PingId,
    /// Whether contact data is kept.
    pub kept: bool,
    pub disclosures: Vec<Value>,
}

/// The newest leads in which a person is named.
#[derive(Clone, Debug)]
pub struct FoundLeads {
    /// At most [`LEADS_OF_PERSON_MAX`].
    pub leads: Vec<FoundLead>,
    /// Whether there are older ones.
    pub more: bool,
}

impl Exchange {
    /// Seals a posted lead, with by what its person is found.
    pub(super) fn seal(
        &self,
        ping: PingId,
        vertical: &Vertical,
        at: Moment,
        lead: &OpenLead,
    ) -> Result<(Sealed, ContactChange), Trouble> {
        let sealed = self.contacts.seal(ping, lead).map_err(Trouble::Contact)?;
        let subject = ping.as_u128();
        let until = at.after(vertical.retention.person);
        let kept = !vertical.retention.person.is_zero();
        let prints = self.contacts.persons(lead).into_iter().filter(|_| kept);
        let persons = prints.map(|print| PersonRow { print, subject, until }).collect();
        let Sealed { lead, key } = sealed.clone();
        let contact = ContactRow { subject, sealed: lead, key };
        Ok((sealed, ContactChange::Put { contact, persons }))
    }

    /// Opens a lead: only for an attempt that has begun, or is about to.
    pub(super) fn open_lead(
        &self,
        ping: PingId,
        sealed: &Sealed,
    ) -> Result<OpenLead, ContactError> {
        self.contacts.open(ping, sealed).inspect_err(|error| {
            let cause = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(%ping, %error, cause, "a lead cannot be delivered");
        })
    }

    /// Returns the keyed print of a phone or an e-mail.
    pub fn person_print(&self, kind: PersonKind, value: &str) -> [u8; 32] {
        self.contacts.person_print(kind, value)
    }

    /// Returns what becomes of contact data that no delivery needs any more, unless one that was `given_up` is made again.
    pub(super) fn retained(
        &self,
        (vertical, given_up): (&str, bool),
        ping: PingId,
        at: Moment,
    ) -> ContactChange {
        let subject = ping.as_u128();
        let market = self.catalog.load();
        let retention = market.vertical_named(vertical).map(|vertical| vertical.retention);
        let retention = retention.unwrap_or(Retention::UNTIL_DELIVERED);
        match if given_up { retention.given_up } else { retention.contact } {
            Duration::ZERO => ContactChange::Drop { subject },
            time => ContactChange::Keep { subject, until: at.after(time) },
        }
    }

    /// Finds the newest leads in which a person is named, newest first.
    ///
    /// # Errors
    /// [`ActError::Invalid`] if the value names nobody, [`ActError::Closed`] if the journal cannot be read.
    pub async fn leads_of(&self, persons: &[(PersonKind, &str)]) -> Result<FoundLeads, ActError> {
        let (subjects, more) = self.subjects_of(persons).await?;
        let mut leads = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let ping = PingId::from_u128(subject);
            let kept = self.journal.contact(subject).await.map_err(closed)?.is_some();
            leads.push(FoundLead { ping, kept, disclosures: self.disclosures(ping).await? });
        }
        Ok(FoundLeads { leads, more })
    }

    /// Erases every lead in which a person is named, newest first. What was erased stays so if a later one fails.
    ///
    /// # Errors
    /// [`ActError::Invalid`] if the value names nobody, [`ActError::Closed`] if the journal takes no facts any more.
    pub async fn erase_all_of(
        &self,
        persons: &[(PersonKind, &str)],
        by: &ErasedBy,
    ) -> Result<Vec<Erased>, ActError> {
        let mut all = Vec::new();
        loop {
            let (subjects, more) = self.subjects_of(persons).await?;
            let mut begun = Vec::with_capacity(subjects.len());
            for subject in subjects {
                match self.begin_erasing(PingId::from_u128(subject), by).await {
                    Ok(one) => begun.push(one),
                    // Its time was over meanwhile.
                    Err(ActError::NotFound(_)) => (),
                    Err(error) => return Err(error),
                }
            }
            let first = all.len();
            for one in begun {
                all.push(self.finish_erasing(one, by).await?);
            }
            let overwritten = self.overwrite().await;
            all.iter_mut().skip(first).for_each(|erased| erased.overwritten = overwritten);
            // Who is erased is found no more, so each time it is the next ones.
            if !more {
                return Ok(all);
            }
        }
    }

    /// Returns the newest pings in which a person is named, newest first, and whether there are more.
    async fn subjects_of(
        &self,
        persons: &[(PersonKind, &str)],
    ) -> Result<(Vec<u128>, bool), ActError> {
        let mut pings = BTreeSet::new();
        for (kind, value) in persons {
            let print = self.contacts.person_print(*kind, value);
            if print == [0; 32] {
                let message = format!("this names nobody: expected {}", example(*kind));
                return Err(super::office::invalid(&format!("/{}", kind.code()), message));
            }
            let found = self.journal.subjects_of(print, LEADS_OF_PERSON_MAX + 1).await;
            pings.extend(found.map_err(closed)?);
        }
        let more = pings.len() > LEADS_OF_PERSON_MAX;
        Ok((pings.into_iter().rev().take(LEADS_OF_PERSON_MAX).collect(), more))
    }

    /// Erases the contact data of a lead: its key, the sealed data, and by what the person is found. Deliveries that had
    /// not begun end; a copy that a buyer may have stays with it until its end is known, and is not asked for again.
    ///
    /// # Errors
    /// [`ActError::NotFound`] if nothing of a person was ever kept for it, or it was swept.
    pub async fn erase(&self, ping: PingId, by: &ErasedBy) -> Result<Erased, ActError> {
        let begun = self.begin_erasing(ping, by).await?;
        let erased = self.finish_erasing(begun, by).await?;
        Ok(Erased { overwritten: self.overwrite().await, ..erased })
    }

    /// Records that a lead is erased, unless it was before.
    async fn begin_erasing(&self, ping: PingId, by: &ErasedBy) -> Result<Erasing, ActError> {
        let subject = ping.as_u128();
        let kept = self.journal.contact(subject).await.map_err(closed)?.is_some()
            || self.journal.has_persons(subject).await.map_err(closed)?
            || self.book.decide(|book| {
                book.open_ping(ping).is_some_and(|open| open.posted.is_some() && !open.erased)
            });
        let erased = |at, voided, before| Erased {
            ping,
            at,
            voided,
            before,
            overwritten: false,
            disclosures: Vec::new(),
        };
        if !kept {
            let facts = self.history(ping).await.map_err(|_| ActError::Closed)?;
            let earlier = facts.iter().rev().find_map(|(_, at, fact)| match fact {
                Fact::ContactErased(erased) => Some((*at, erased.voided.clone())),
                _ => None,
            });
            let (at, voided) = earlier.ok_or_else(|| {
                ActError::NotFound(format!("contact data kept for lead {}", ping.lead()))
            })?;
            return Ok(Erasing { erased: erased(at, voided, true), committed: None });
        }
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let at = self.clock.now();
        let (voided, committed) = self.book.decide(|book| {
            let voided = book.open_ping(ping).map_or_else(Vec::new, |open| open.unbegun());
            let erased = ContactErased {
                ping: subject,
                by: by.by.clone(),
                why: by.why.clone(),
                voided: voided.clone(),
            };
            let change = ContactChange::Erase { subject };
            // Nobody is asked again for what is not being asked for now, so it holds nobody back.
            let waiting = book.open_ping(ping).into_iter().flat_map(|open| {
                let idle = open.held().filter(|(_, copy)| !copy.asked);
                let whose = idle.filter_map(|(index, copy)| Some((index, open.winner(copy)?)));
                whose.map(|(index, winner)| (winner.buyer.clone(), index)).collect::<Vec<_>>()
            });
            let waiting: Vec<(String, u32)> = waiting.collect();
            let committed = self.record(book, seat, at, &Fact::ContactErased(erased), Some(change));
            waiting.iter().for_each(|(buyer, copy)| self.lines.leave(buyer, (ping, *copy)));
            (voided, committed)
        });
        Ok(Erasing { erased: erased(at, voided, false), committed: Some(committed) })
    }

    /// Waits until an erasure is durable. Whether the bytes are overwritten is not known then.
    async fn finish_erasing(&self, erasing: Erasing, by: &ErasedBy) -> Result<Erased, ActError> {
        let Erasing { erased, committed } = erasing;
        if let Some(committed) = committed {
            committed.wait().await.map_err(|_| ActError::Closed)?;
            metrics::counter!("gavel_contacts_erased_total").increment(1);
            let (lead, voided) = (erased.ping.lead(), erased.voided.len());
            tracing::info!(%lead, by = by.by, why = by.why, voided, "contact data erased");
        }
        Ok(Erased { disclosures: self.disclosures(erased.ping).await?, ..erased })
    }

    /// Overwrites what was erased in the log too; what could not be is tried again by the sweep.
    async fn overwrite(&self) -> bool {
        let scrubbed = self.journal.overwrite().await.unwrap_or(false);
        self.unscrubbed.store(!scrubbed, std::sync::atomic::Ordering::SeqCst);
        scrubbed
    }

    async fn disclosures(&self, ping: PingId) -> Result<Vec<Value>, ActError> {
        let facts = self.history(ping).await.map_err(|_| ActError::Closed)?;
        Ok(settlement::disclosures(&facts))
    }

    /// Forgets contact data whose time is over, until the exchange stops.
    pub(super) async fn sweep(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(SWEEP_EVERY) => (),
                () = self.stopping.cancelled() => return,
            }
            while self.sweep_some().await {}
            if self.unscrubbed.load(std::sync::atomic::Ordering::SeqCst) {
                self.overwrite().await;
            }
        }
    }

    /// Returns whether there may be more.
    async fn sweep_some(&self) -> bool {
        let at = self.clock.now();
        let overdue = self.journal.contacts_overdue(at, SWEPT_AT_ONCE_MAX).await;
        let (Ok(subjects), Ok(persons)) = (overdue, self.journal.persons_overdue(at).await) else {
            tracing::warn!("it is unknown whether contact data's time is over");
            return false;
        };
        if subjects.is_empty() && !persons {
            return false;
        }
        let Ok(seat) = self.journal.seat().await else { return false };
        let swept = subjects.len();
        let committed = self.book.decide(|book| {
            // A delivery that was given up may be under way again since.
            let settled = |subject: &u128| book.open_ping(PingId::from_u128(*subject)).is_none();
            let subjects: Vec<u128> = subjects.into_iter().filter(settled).collect();
            let swept = ContactsSwept { pings: subjects.clone(), persons_before_ms: at.unix_ms() };
            let change = ContactChange::Sweep { subjects, persons_before: at };
            self.record(book, seat, at, &Fact::ContactsSwept(swept), Some(change))
        });
        let durable = committed.wait().await.is_ok();
        tracing::info!(leads = swept, "contact data forgotten: its time is over");
        durable && swept == SWEPT_AT_ONCE_MAX
    }
}

const fn example(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::Phone => "a telephone number such as +1 202 555 0107",
        PersonKind::Email => "an e-mail address such as dana@example.com",
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed over by `map_err`")]
fn closed(error: crate::journal::JournalError) -> ActError {
    tracing::error!(%error, "contact data not readable");
    ActError::Closed
}
