//! Postbacks: which facts are told to whom, in which words, and when a telling that failed is tried again.
//!
//! A body is made anew from the journal for every attempt and comes out the same, because it says only what cannot change
//! any more. A source reads what it is paid and nothing of buyers; a buyer reads what it pays. Nobody reads contact data,
//! nor any text of somebody else's in which some might stand.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, Story};
use crate::book::{OpenPing, Stage, State};
use crate::clock::Moment;
use crate::facts::{
    Delivered, Ended, Event, Fact, Party, PingAnswered, PostbackEnd, PostbackKey, PostbackTried,
    Posted, ReturnDecided,
};
use crate::ids::PingId;
use crate::journal::{Duty, DutyChange, DutyKey};
use crate::money::Micros;

/// The kind of a duty to send a postback, in the outbox. Its payload is the owner's name.
pub const POSTBACK: u16 = 2;
/// How long after each failed attempt the next one is made, in seconds: the schedule of Standard Webhooks. After the
/// attempt that follows the last of these a postback is dead.
pub const AGAIN_SECONDS: [i64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// By how much of itself a pause may be longer, so that what failed together does not come back together: 1 part in 10.
const JITTER_PARTS: i64 = 10;
/// What marks a duty's step as a postback's: deliveries have copies' numbers.
const STEP: u32 = 1 << 31;

/// Returns whom a fact is to be told to, with the owner's name. `state` is the book just before the fact.
pub fn due(fact: &Fact, state: &State) -> Vec<(PostbackKey, String)> {
    let open = |ping: u128| {
        let open = state.open_ping(PingId::from_u128(ping));
        open.filter(|open| !open.auction.test)
    };
    match fact {
        Fact::Delivered(delivered) => match open(delivered.ping) {
            Some(open) => of_delivery(delivered, open),
            None => Vec::new(),
        },
        Fact::Posted(posted) => {
            let nobody = open(posted.ping).filter(|open| goes_to_nobody(posted, open));
            nobody.map(rejected).into_iter().collect()
        }
        Fact::PostRefused(refused) => open(refused.ping).map(rejected).into_iter().collect(),
        Fact::ContactErased(erased) => {
            let ended = open(erased.ping).filter(|open| {
                let mut held = open.held();
                open.posted.is_some()
                    && !any_sold(open)
                    && held.all(|(copy, _)| erased.voided.contains(&copy))
            });
            ended.map(rejected).into_iter().collect()
        }
        Fact::Expired(expired) => {
            let pings = expired.pings.iter().filter_map(|ping| open(*ping));
            pings.map(|open| of_source(open, 0, Event::Expired)).collect()
        }
        Fact::ReturnDecided(decided) if decided.accepted => {
            let ReturnDecided { ping, copy, source, buyer, .. } = decided;
            let key =
                |party| PostbackKey { ping: *ping, copy: *copy, event: Event::Returned, party };
            vec![(key(Party::Source), source.clone()), (key(Party::Buyer), buyer.clone())]
        }
        _ => Vec::new(),
    }
}

fn of_delivery(delivered: &Delivered, open: &OpenPing) -> Vec<(PostbackKey, String)> {
    if delivered.ended == Ended::Sold {
        let Delivered { ping, copy, buyer, .. } = delivered;
        let key = PostbackKey { ping: *ping, copy: *copy, event: Event::Sold, party: Party::Buyer };
        return vec![of_source(open, *copy, Event::Sold), (key, buyer.clone())];
    }
    let last = delivered.closes() && open.held().count() == 1 && !any_sold(open);
    last.then(|| rejected(open)).into_iter().collect()
}

/// Says whether every winner may not have the person, and nobody comes in its place.
fn goes_to_nobody(posted: &Posted, open: &OpenPing) -> bool {
    let passed = posted.passed_over.iter();
    let lost = passed.filter(|passed| passed.copy.is_some() && passed.successor.is_none());
    lost.count() >= open.auction.winners.len()
}

fn any_sold(open: &OpenPing) -> bool {
    open.copies.iter().any(|copy| copy.stage == Stage::Sold)
}

fn rejected(open: &OpenPing) -> (PostbackKey, String) {
    of_source(open, 0, Event::Rejected)
}

fn of_source(open: &OpenPing, copy: u32, event: Event) -> (PostbackKey, String) {
    let auction = &open.auction;
    (PostbackKey { ping: auction.ping, copy, event, party: Party::Source }, auction.source.clone())
}

/// Returns how a postback's own fact changes the outbox.
pub fn duties(fact: &Fact, at: Moment) -> Option<DutyChange> {
    match fact {
        Fact::PostbackTried(tried) => {
            let key = duty_key(tried.key);
            Some(match (tried.ended, tried.again_ms) {
                (PostbackEnd::Failed, Some(again)) => DutyChange::Reschedule {
                    key,
                    due: Moment::from_unix_ms(again),
                    attempts: tried.attempt,
                },
                (_, _) => DutyChange::Done(key),
            })
        }
        Fact::PostbackResent(resent) => Some(DutyChange::Add(duty(resent.key, &resent.owner, at))),
        _ => None,
    }
}

/// Returns the duty to send a postback.
pub fn duty(key: PostbackKey, owner: &str, due: Moment) -> Duty {
    let payload = owner.as_bytes().to_vec();
    Duty { key: duty_key(key), kind: POSTBACK, due, attempts: 0, payload }
}

fn duty_key(key: PostbackKey) -> DutyKey {
    let event = Event::ALL.iter().position(|event| *event == key.event).unwrap_or_default();
    let event = u32::try_from(event).unwrap_or_default();
    let party = u32::from(key.party == Party::Buyer);
    DutyKey { subject: key.ping, step: STEP | key.copy << 4 | event << 1 | party }
}

/// Returns the postback that a duty is about, and its owner's name.
pub fn of_duty(duty: &Duty) -> Option<(PostbackKey, String)> {
    let step = duty.key.step;
    let event = usize::try_from(step >> 1 & 0b111).ok()?;
    let party = if step & 1 == 1 { Party::Buyer } else { Party::Source };
    let (copy, event) = ((step & !STEP) >> 4, *Event::ALL.get(event)?);
    let key = PostbackKey { ping: duty.key.subject, copy, event, party };
    Some((key, String::from_utf8(duty.payload.clone()).ok()?))
}

/// Returns when a postback whose attempt of this number failed is tried again, at least after what the receiver asked for;
/// nothing if that was the last.
pub fn again(key: PostbackKey, attempt: u32, at: Moment, asked_ms: i64) -> Option<i64> {
    let place = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let pause = AGAIN_SECONDS.get(place)?.saturating_mul(1_000);
    let digest: [u8; 32] = Sha256::digest(format!("{key} {attempt}")).into();
    let [one, two, ..] = digest;
    let drawn = i64::from(u16::from_be_bytes([one, two]));
    let jitter = (pause / JITTER_PARTS).saturating_mul(drawn) / i64::from(u16::MAX);
    Some(at.unix_ms().saturating_add(pause.saturating_add(jitter).max(asked_ms)))
}

/// Returns until when a receiver wants to be left alone, if it asked for longer than the schedule's pause.
pub fn asked_until(at: Moment, tried: &PostbackTried) -> Option<i64> {
    let scheduled = again(tried.key, tried.attempt, at, 0)?;
    tried.again_ms.filter(|again| *again > scheduled)
}

/// Returns the body of a postback: what the facts of its ping say about it. `None` if they do not say it.
///
/// The fact that pings expired is none of a single ping's: that this one waits for no post any more, the caller knows from
/// the book.
pub fn body(key: PostbackKey, facts: &[(u64, Moment, Fact)], currency: &str) -> Option<Value> {
    let auction = facts.iter().find_map(|(_, _, fact)| match fact {
        Fact::PingAnswered(auction) if !auction.test => Some(auction),
        _ => None,
    })?;
    let of_a_copy = matches!(key.event, Event::Sold | Event::Returned);
    if !key.event.is_for(key.party) || (key.copy != 0 && !of_a_copy) {
        return None;
    }
    let mut data = Map::new();
    let mut say = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    say("ping_id", PingId::from_u128(key.ping).to_string().into());
    if key.event != Event::Expired {
        say("lead_id", PingId::from_u128(key.ping).lead().to_string().into());
    }
    say("vertical", auction.vertical.as_str().into());
    let at = match key.event {
        Event::Sold => {
            let (at, sale) = sale(key, facts)?;
            say("copy", key.copy.into());
            let price = match key.party {
                Party::Source => sale.payout,
                Party::Buyer => {
                    say("campaign", sale.campaign.as_str().into());
                    sale.price
                }
            };
            say("price", Micros::new(price).to_string().into());
            say("currency", currency.into());
            at
        }
        Event::Returned => {
            let (_, sale) = sale(key, facts)?;
            let (at, reason, decided) = returned(key, facts)?;
            say("copy", key.copy.into());
            let amount = match key.party {
                Party::Source => decided.payout,
                Party::Buyer => {
                    say("campaign", sale.campaign.as_str().into());
                    decided.price
                }
            };
            say("reason", reason.into());
            say("amount", Micros::new(amount).to_string().into());
            say("currency", currency.into());
            at
        }
        Event::Rejected => {
            let (at, reason) = unsold(key, facts)?;
            say("reason", reason);
            at
        }
        Event::Expired => {
            let waited = !auction.winners.is_empty() && !facts.iter().any(ends_the_wait);
            waited.then(|| expired(auction, currency, &mut say))?
        }
    };
    Some(json!({"type": key.event.code(), "timestamp": at.to_string(), "data": data}))
}

/// Whether what a postback tells is still true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Yes,
    /// The lead that nobody took is with its buyer once more: how that ends decides.
    Undecided,
    No,
}

/// Says whether what a postback tells is still true. Only that nobody took a lead can change: one that was given up may be
/// sent again.
pub fn holds(key: PostbackKey, facts: &[(u64, Moment, Fact)]) -> Holds {
    if key.event != Event::Rejected {
        return Holds::Yes;
    }
    let story = Story::of(facts.iter().map(|(_, _, fact)| fact));
    match story.to_post(PingId::from_u128(key.ping)) {
        Answer::Unsold { .. } => Holds::Yes,
        Answer::Pending { .. } => Holds::Undecided,
        _ => Holds::No,
    }
}

/// Returns every attempt to tell somebody, in order, with those that were wanted by hand.
pub fn attempts<'f>(facts: impl Iterator<Item = (Moment, &'f Fact)>) -> Vec<Value> {
    let about = |at: Moment, key: PostbackKey, owner: &str| {
        json!({
            "id": key.to_string(),
            "owner": format!("{}:{owner}", key.party.code()),
            "event": key.event.code(),
            "at": at.to_string(),
        })
    };
    let one = |(at, fact): (Moment, &Fact)| {
        let (mut told, more) = match fact {
            Fact::PostbackTried(tried) => (
                about(at, tried.key, &tried.owner),
                json!({
                    "attempt": tried.attempt,
                    "outcome": tried.ended.code(),
                    "http_status": Some(tried.status).filter(|status| *status > 0),
                    "detail": Some(&tried.detail).filter(|detail| !detail.is_empty()),
                    "took_ms": tried.took_ms,
                    "again_at": tried.again_ms.map(|again| Moment::from_unix_ms(again).to_string()),
                }),
            ),
            Fact::PostbackResent(resent) => (
                about(at, resent.key, &resent.owner),
                json!({"outcome": "resent", "by": resent.by}),
            ),
            _ => return None,
        };
        if let (Some(told), Value::Object(more)) = (told.as_object_mut(), more) {
            told.extend(more);
        }
        Some(told)
    };
    facts.filter_map(one).collect()
}

fn sale(key: PostbackKey, facts: &[(u64, Moment, Fact)]) -> Option<(Moment, &Delivered)> {
    facts.iter().find_map(|(_, at, fact)| match fact {
        Fact::Delivered(sale) if sale.ended == Ended::Sold && sale.copy == key.copy => {
            Some((*at, sale))
        }
        _ => None,
    })
}

fn returned(
    key: PostbackKey,
    facts: &[(u64, Moment, Fact)],
) -> Option<(Moment, &str, &ReturnDecided)> {
    let reason = facts.iter().find_map(|(_, _, fact)| match fact {
        Fact::ReturnRequested(request) if request.copy == key.copy => Some(request.reason.as_str()),
        _ => None,
    })?;
    facts.iter().find_map(|(_, at, fact)| match fact {
        Fact::ReturnDecided(decided) if decided.copy == key.copy && decided.accepted => {
            Some((*at, reason, decided))
        }
        _ => None,
    })
}

/// Returns since when, and why, nobody has the lead: as its post was answered at that moment.
fn unsold(key: PostbackKey, facts: &[(u64, Moment, Fact)]) -> Option<(Moment, Value)> {
    (0..facts.len()).find_map(|last| {
        let known = facts.get(..=last)?;
        let (_, at, _) = known.last()?;
        let story = Story::of(known.iter().map(|(_, _, fact)| fact));
        (story.posted.is_some() || story.refused.is_some()).then_some(())?;
        match story.to_post(PingId::from_u128(key.ping)) {
            Answer::Unsold { reason, .. } => {
                Some((*at, json!({"code": reason.code(), "message": reason.message()})))
            }
            _ => None,
        }
    })
}

/// Says whether somebody came for a ping, or for what took its place, so that it did not expire.
fn ends_the_wait((_, _, fact): &(u64, Moment, Fact)) -> bool {
    matches!(fact, Fact::Posted(_) | Fact::PostRefused(_) | Fact::Superseded(_))
}

fn expired(auction: &PingAnswered, currency: &str, say: &mut impl FnMut(&str, Value)) -> Moment {
    say("price", auction.payout().to_string().into());
    say("currency", currency.into());
    auction.expires()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PostbackKey =
        PostbackKey { ping: 5 << 90, copy: 31, event: Event::Returned, party: Party::Buyer };

    #[test]
    fn a_duty_tells_its_postback_and_is_no_deliverys() {
        for event in Event::ALL {
            for party in Party::ALL {
                for copy in [0, 1, 31] {
                    let key = PostbackKey { copy, event, party, ..KEY };
                    let duty = duty(key, "web", Moment::from_unix_ms(7));
                    assert_eq!(of_duty(&duty), Some((key, "web".to_owned())));
                    assert!(duty.key.step >= STEP, "{key}");
                }
            }
        }
    }

    #[test]
    fn what_failed_is_tried_on_the_schedule_and_a_little_later() {
        let at = Moment::from_unix_ms(1_000_000);
        for (attempt, seconds) in (1..).zip(AGAIN_SECONDS) {
            let pause = again(KEY, attempt, at, 0).unwrap() - at.unix_ms();
            let least = seconds * 1_000;
            assert!((least..=least + least / 10).contains(&pause), "{attempt}: {pause}");
            assert_eq!(again(KEY, attempt, at, 0), again(KEY, attempt, at, 0));
        }
        assert_eq!(again(KEY, 10, at, 0), None);
        let other = PostbackKey { copy: 1, ..KEY };
        assert_ne!(again(KEY, 4, at, 0), again(other, 4, at, 0));
        assert_eq!(again(KEY, 1, at, 60_000), Some(at.unix_ms() + 60_000));
        // What is longer than the schedule, the receiver asked for.
        let asked_until = |attempt, asked_ms| {
            let tried = PostbackTried {
                key: KEY,
                owner: "web".to_owned(),
                attempt,
                ended: PostbackEnd::Failed,
                status: 503,
                detail: String::new(),
                took_ms: 1,
                again_ms: again(KEY, attempt, at, asked_ms),
            };
            super::asked_until(at, &tried)
        };
        assert_eq!(asked_until(1, 60_000), Some(at.unix_ms() + 60_000));
        assert_eq!(
            (asked_until(2, 60_000), asked_until(1, 0), asked_until(10, 0)),
            (None, None, None)
        );
    }
}
