//! What operators and owners do with postbacks: see them, send one again, change what signs them, try an end point.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::office::invalid;
use super::{ActError, Exchange, end_point};
use crate::book::LastTry;
use crate::catalog::{Owner, PostbackSpec, Secrets};
use crate::clock::Moment;
use crate::delivery::postman::{Letter, Receipt};
use crate::egress::signing::Signing;
use crate::exchange::entrance;
use crate::exchange::secrets::Signed;
use crate::facts::{
    Ended, Event, Fact, Party, PostbackEnd, PostbackKey, PostbackResent, PostbackTried,
};
use crate::ids::PingId;
use crate::settlement::postback::{self, Holds};

/// The most postbacks in one list.
pub const POSTBACKS_LISTED_MAX: usize = 1_000;

/// How a postback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is to be sent, for the first time or again.
    Waiting,
    /// It was taken.
    Delivered,
    /// It was not taken, and is not sent again by itself.
    Dead,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Dead];

    /// Returns the word that stands for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// Which postbacks are listed.
#[derive(Clone, Debug, Default)]
pub struct WantedPostbacks {
    pub status: Option<Status>,
    pub owner: Option<Owner>,
    /// Where the list goes on.
    pub before: Option<PostbackKey>,
}

/// A postback as it stands.
#[derive(Clone, Debug)]
pub struct Listed {
    pub key: PostbackKey,
    pub owner: Owner,
    pub status: Status,
    /// When it is sent next, if it is.
    pub due: Option<Moment>,
    pub last: Option<LastTry>,
}

/// A step in the life of a postback.
#[derive(Clone, Debug)]
pub enum Attempted {
    Tried(PostbackTried),
    Resent(PostbackResent),
}

/// Where an owner is told, and how it goes there.
#[derive(Clone, Debug)]
pub struct EndPoint {
    pub owner: Owner,
    /// Since when and why nothing is sent there.
    pub disabled: Option<(Moment, String)>,
    pub waiting: usize,
}

/// What came of trying an end point.
#[derive(Clone, Debug)]
pub struct Tested {
    pub id: String,
    pub receipt: Receipt,
    pub took: Duration,
}

impl Exchange {
    /// Returns postbacks, those of the newest pings first, at most so many; and whether there are more.
    pub fn postbacks(&self, wanted: &WantedPostbacks, limit: usize) -> (Vec<Listed>, bool) {
        let limit = limit.clamp(1, POSTBACKS_LISTED_MAX);
        let of = |party: Party, name: &str| {
            let owner = wanted.owner.as_ref();
            owner.is_none_or(|owner| owner.party == party && owner.name == name)
        };
        let is = |status| wanted.status.is_none_or(|wanted| wanted == status);
        let agenda = &self.postbacks.agenda;
        let mut listed = Vec::new();
        if is(Status::Waiting) {
            let more = |job: &super::Job| of(job.owner.party, &job.owner.name);
            let jobs = agenda.waiting(wanted.before, limit.saturating_add(1), more);
            listed.extend(self.book.decide(|book| {
                let one = |job: super::Job| Listed {
                    key: job.key,
                    owner: (*job.owner).clone(),
                    status: Status::Waiting,
                    due: Some(Moment::from_unix_ms(job.due_ms)),
                    last: book.postback(job.key).cloned(),
                };
                jobs.into_iter().map(one).collect::<Vec<_>>()
            }));
        }
        for (status, end) in
            [(Status::Delivered, PostbackEnd::Delivered), (Status::Dead, PostbackEnd::Dead)]
        {
            if !is(status) {
                continue;
            }
            let ended = self.book.decide(|book| {
                let ended = book.postbacks(end, wanted.before);
                let ended = ended.filter(|last| of(last.tried.key.party, &last.tried.owner));
                ended.take(limit.saturating_add(1)).cloned().collect::<Vec<_>>()
            });
            listed.extend(ended.into_iter().map(|last| ended_so(status, last)));
        }
        listed.sort_by_key(|one| std::cmp::Reverse(one.key));
        // One that ended between the looks stands there twice.
        listed.dedup_by_key(|one| one.key);
        let more = listed.len() > limit;
        listed.truncate(limit);
        (listed, more)
    }

    /// Returns a postback with every step of its life, oldest first. It may be one that was never sent, because nobody
    /// wanted it then.
    ///
    /// # Errors
    /// [`ActError::NotFound`] if there is nothing that it would tell.
    pub async fn postback(
        &self,
        key: PostbackKey,
    ) -> Result<(Option<Listed>, Owner, Vec<(Moment, Attempted)>, Value), ActError> {
        let none = || ActError::NotFound(format!("postback `{key}`"));
        let ping = PingId::from_u128(key.ping);
        // What the book knows already, the journal may be about to write.
        let (waits, known) =
            self.book.decide(|book| (book.open_ping(ping).is_some(), self.books.ledger().seq()));
        if waits && key.event == Event::Expired {
            return Err(none());
        }
        self.journal.reached(known).await.map_err(|_| ActError::Closed)?;
        let facts = self.history(ping).await.map_err(|_| ActError::Closed)?;
        let owner = owner_of(key, &facts).ok_or_else(none)?;
        let body = postback::body(key, &facts, &self.currency).ok_or_else(none)?;
        let steps: Vec<(Moment, Attempted)> = facts
            .into_iter()
            .filter_map(|(_, at, fact)| match fact {
                Fact::PostbackTried(tried) if tried.key == key => {
                    Some((at, Attempted::Tried(tried)))
                }
                Fact::PostbackResent(resent) if resent.key == key => {
                    Some((at, Attempted::Resent(resent)))
                }
                _ => None,
            })
            .collect();
        let last = steps.iter().rev().find_map(|(at, step)| match step {
            Attempted::Tried(tried) => Some(LastTry { at: *at, tried: tried.clone() }),
            Attempted::Resent(_) => None,
        });
        let listed = match (self.postbacks.agenda.job(key), last) {
            (Some(job), last) => Some(Listed {
                key,
                owner: owner.clone(),
                status: Status::Waiting,
                due: Some(Moment::from_unix_ms(job.due_ms)),
                last,
            }),
            (None, Some(last)) => {
                let delivered = last.tried.ended == PostbackEnd::Delivered;
                Some(ended_so(if delivered { Status::Delivered } else { Status::Dead }, last))
            }
            (None, None) => None,
        };
        Ok((listed, owner, steps, body))
    }

    /// Sends a postback again, now and on the whole schedule. It has the id that it always had.
    ///
    /// # Errors
    /// [`ActError::Conflict`] if it is under way, there is nowhere to send it, or what it tells is true no more.
    pub async fn resend_postback(&self, key: PostbackKey, by: &str) -> Result<Owner, ActError> {
        let (_, owner, _, _) = self.postback(key).await?;
        let facts = self.history(PingId::from_u128(key.ping)).await;
        if postback::holds(key, &facts.map_err(|_| ActError::Closed)?) != Holds::Yes {
            let why =
                "the lead was sent to its buyer again since: how that ended is told on its own";
            return Err(ActError::Conflict(why.to_owned()));
        }
        end_point(&self.catalog.load(), &owner).map_err(|why| {
            let party = owner.party.code();
            let next = format!("save the {party} with its `postback` again, then send this again");
            ActError::Conflict(format!("{why}; {next}"))
        })?;
        if self.postbacks.agenda.is_under_way(key) {
            return Err(ActError::Conflict("it is being sent at this moment".to_owned()));
        }
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let at = self.clock.now();
        let (name, by) = (owner.name.clone(), by.to_owned());
        let fact = Fact::PostbackResent(PostbackResent { key, owner: name, by });
        let committed = self.book.decide(|book| self.record(book, seat, at, &fact, None));
        committed.wait().await.map_err(|_| ActError::Closed)?;
        self.postbacks.agenda.hasten(key, owner.clone(), at.unix_ms());
        Ok(owner)
    }

    /// Makes a new signing secret for an owner; the one before it signs beside it for a day. Returns it: it is shown this
    /// once.
    ///
    /// # Errors
    /// [`ActError::Conflict`] if too many sign already.
    pub async fn rotate_postback(&self, owner: &Owner) -> Result<(String, Moment), ActError> {
        let at = self.clock.now();
        let renew =
            |spec: &mut PostbackSpec| self.renew(&Signed::postback(owner), &mut spec.secrets, at);
        let secret = self.change_postback(owner, renew).await?;
        tracing::info!(%owner, "postback secret changed");
        Ok((secret, at.after(Secrets::OLD_SIGNS)))
    }

    /// Sends an owner's end point something that is no news, once, and tells what came back.
    ///
    /// # Errors
    /// [`ActError::NotFound`] if the owner has no postback.
    pub async fn test_postback(&self, owner: &Owner) -> Result<Tested, ActError> {
        let market = self.catalog.load();
        let none = || {
            ActError::NotFound(format!("postback of {owner}; save it with its `postback` first"))
        };
        let postback = market.postback(owner).ok_or_else(none)?;
        let at = self.clock.now();
        let secrets = self.signing(&Signed::postback(owner), &postback.secrets, at);
        let secrets = secrets.map_err(ActError::Conflict)?;
        let random: [u8; 8] = entrance::random().map_err(|error| invalid("", error))?;
        let id = format!("pb_test-{:016x}", u64::from_be_bytes(random));
        let body = json!({
            "type": "postback.test",
            "timestamp": at.to_string(),
            "data": {"owner": owner.to_string()},
        });
        let (destination, body) = (&postback.destination, body.to_string().into_bytes());
        let begun = tokio::time::Instant::now();
        let signing = Signing { secrets: &secrets, at };
        let letter = Letter { destination, id: &id, body, signing };
        let receipt = self.postbacks.postman.send(letter).await;
        Ok(Tested { id, receipt, took: begun.elapsed() })
    }

    /// Returns every end point, or one owner's.
    pub fn end_points(&self, only: Option<&Owner>) -> Vec<EndPoint> {
        let market = self.catalog.load();
        let wanted = market.postbacks().filter(|(owner, _)| only.is_none_or(|only| only == *owner));
        let mut all: Vec<EndPoint> = wanted
            .map(|(owner, postback)| EndPoint {
                owner: owner.clone(),
                disabled: postback
                    .disabled
                    .as_ref()
                    .map(|disabled| (Moment::from_unix_ms(disabled.at_ms), disabled.why.clone())),
                waiting: self.postbacks.agenda.waiting_of(owner),
            })
            .collect();
        all.sort_by(|one, other| one.owner.cmp(&other.owner));
        all
    }
}

fn ended_so(status: Status, last: LastTry) -> Listed {
    let (key, name) = (last.tried.key, last.tried.owner.clone());
    Listed { key, owner: Owner { party: key.party, name }, status, due: None, last: Some(last) }
}

/// Returns whom a postback is for.
fn owner_of(key: PostbackKey, facts: &[(u64, Moment, Fact)]) -> Option<Owner> {
    let name = facts.iter().find_map(|(_, _, fact)| match (fact, key.party) {
        (Fact::PingAnswered(auction), Party::Source) => Some(auction.source.clone()),
        (Fact::Delivered(sale), Party::Buyer)
            if sale.ended == Ended::Sold && sale.copy == key.copy =>
        {
            Some(sale.buyer.clone())
        }
        _ => None,
    })?;
    Some(Owner { party: key.party, name })
}
