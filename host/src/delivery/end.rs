//! How an attempt ends: what is certain of its outcome, and when the same buyer is asked again.

use super::Errand;
use super::courier::{Outcome, Refuser};
use crate::book::Copy;
use crate::clock::Moment;
use crate::facts::Ended;
use crate::ids::Digest;

/// How long after each attempt that certainly failed the same buyer is tried again; after the last it is given up and
/// the copy goes to the next bidder.
pub const NOT_SENT_AGAIN_MS: [i64; 5] = [200, 1_000, 3_000, 10_000, 30_000];

/// How long after each attempt of unknown end a buyer is asked again that promised idempotency or has a status page. After
/// the last the operator decides; any other buyer is never asked again.
pub const UNKNOWN_AGAIN_MS: [i64; 6] = [1_000, 5_000, 30_000, 120_000, 600_000, 3_600_000];

/// By how much of itself a pause may be longer: 1 part in 4.
const JITTER_PARTS: i64 = 4;

/// How an attempt ended for its buyer, and what follows.
pub(super) struct End {
    pub(super) ended: Ended,
    pub(super) detail: Option<String>,
    /// When the same buyer is asked again.
    pub(super) again_ms: Option<i64>,
    /// The copy goes to the next bidder; so many buyers were shown the person until then.
    pub(super) passed_on: Option<u32>,
}

/// What may be done with a buyer by itself.
#[derive(Clone, Copy)]
pub(super) struct May {
    /// It is asked again about a lead that it may have.
    pub(super) be_asked: bool,
    /// It is sent again what it does not have: it is not paused.
    pub(super) be_sent: bool,
}

impl End {
    /// Reads what is certain of an outcome.
    pub(super) fn of(
        outcome: Outcome,
        copy: &Copy,
        (errand, may): (&Errand, May),
        at: Moment,
    ) -> Self {
        let again = |errand: &Errand, schedule: &[i64], at_least| {
            Some(at.unix_ms().saturating_add(pause(errand, schedule, at_least)?))
        };
        let end = |ended, detail| Self { ended, detail, again_ms: None, passed_on: None };
        match outcome {
            Outcome::Sold { reference } => end(Ended::Sold, reference),
            Outcome::Rejected { reason, .. } | Outcome::Duplicate { reason } => {
                let shown = Some(copy.refusals.saturating_add(1));
                Self { passed_on: shown, ..end(Ended::Rejected, Some(reason)) }
            }
            Outcome::NotSent { why, retry_after } => {
                let asked = retry_after.and_then(|pause| i64::try_from(pause.as_millis()).ok());
                let again_ms = again(errand, &NOT_SENT_AGAIN_MS, asked.unwrap_or(0));
                let passed_on = again_ms.is_none().then_some(copy.refusals);
                Self { again_ms, passed_on, ..end(Ended::NotSent, Some(why)) }
            }
            Outcome::Unreached { why } => {
                Self { passed_on: Some(copy.refusals), ..end(Ended::NotSent, Some(why)) }
            }
            // Sent a second time by itself, and not a third.
            Outcome::Absent { why } if may.be_sent && !copy.sent_again => {
                let anew = Errand { attempts: 0, ..errand.clone() };
                let again_ms = again(&anew, &NOT_SENT_AGAIN_MS, 0);
                Self { again_ms, ..end(Ended::NotSent, Some(why)) }
            }
            Outcome::Unknown { why } | Outcome::Absent { why } => {
                let again_ms = again(errand, &UNKNOWN_AGAIN_MS, 0).filter(|_| may.be_asked);
                Self { again_ms, ..end(Ended::Unknown, Some(why)) }
            }
            Outcome::Expired { why } => end(Ended::Expired, Some(why)),
        }
    }
}

/// Returns how long after an attempt the next one follows, at least after what the buyer asked for; nothing if that was the
/// last. Up to a quarter is added by lot, so that what failed together does not come back together.
fn pause(errand: &Errand, schedule: &[i64], at_least: i64) -> Option<i64> {
    let attempts = errand.attempts;
    let pause = *schedule.get(usize::try_from(attempts).ok()?)?.max(&at_least);
    let lot = Digest::of(format!("{} {} {attempts}", errand.ping, errand.copy).as_bytes());
    let drawn = lot.as_bytes().first_chunk().map_or(0, |drawn| u16::from_be_bytes(*drawn));
    let jitter = (pause / JITTER_PARTS).saturating_mul(drawn.into()) / i64::from(u16::MAX);
    Some(pause.saturating_add(jitter))
}

/// Once a buyer may have the lead, only its own no is one: "I have this person already", "not reached", "nobody said" and
/// what somebody says at its door prove nothing any more.
pub(super) fn certain(outcome: Outcome, (copy, erased): (&Copy, bool), errand: &Errand) -> Outcome {
    let last = erased
        || usize::try_from(errand.attempts).is_ok_and(|done| done >= NOT_SENT_AGAIN_MS.len());
    match outcome {
        // A buyer that was asked about this lead, and was sent it once, means no person that came before.
        other @ Outcome::Duplicate { .. } if copy.inquired && !copy.sent_again => other,
        Outcome::Duplicate { reason } | Outcome::Rejected { reason, by: Refuser::Door }
            if copy.uncertain =>
        {
            Outcome::Unknown { why: reason }
        }
        Outcome::Absent { why } if erased => Outcome::Unknown { why },
        Outcome::NotSent { why, .. } if copy.uncertain && last => Outcome::Unknown { why },
        Outcome::Unreached { why } | Outcome::Expired { why } if copy.uncertain => {
            Outcome::Unknown { why }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::Errand;
    use crate::facts::{Charged, Counted, Winner};
    use crate::ids::PingId;

    fn winner() -> Winner {
        Winner {
            campaign: "alfa".to_owned(),
            buyer: "alfa".to_owned(),
            bid: 0,
            price: 0,
            fees: Charged::default(),
            exclusive: false,
            counted: Counted::default(),
        }
    }

    #[test]
    fn what_failed_together_comes_back_apart_and_the_same_on_every_replay() {
        let errand = |ping| Errand::first(PingId::from_u128(ping), 0, winner());
        let all: Vec<i64> =
            (0..100).map(|ping| pause(&errand(ping), &NOT_SENT_AGAIN_MS, 0).unwrap()).collect();
        assert!(all.iter().all(|pause| (200..=250).contains(pause)), "{all:?}");
        let apart: std::collections::BTreeSet<i64> = all.iter().copied().collect();
        assert!(apart.len() > 30, "{apart:?}");
        assert_eq!(pause(&errand(7), &NOT_SENT_AGAIN_MS, 0), Some(all[7]));
        let asked = pause(&errand(7), &NOT_SENT_AGAIN_MS, 60_000).unwrap();
        assert!((60_000..=75_000).contains(&asked), "{asked}");
        let last = Errand { attempts: 5, ..errand(7) };
        assert_eq!(pause(&last, &NOT_SENT_AGAIN_MS, 60_000), None);
    }

    #[test]
    fn what_a_buyer_does_not_have_is_sent_again_once_however_often_it_was_asked() {
        let errand = Errand { attempts: 6, ..Errand::first(PingId::from_u128(7), 0, winner()) };
        let mut copy = Copy::default();
        (copy.uncertain, copy.inquired) = (true, true);
        let at = Moment::from_unix_ms(1_000);
        let told = |copy: &Copy, outcome, may| {
            let end = End::of(certain(outcome, (copy, false), &errand), copy, (&errand, may), at);
            (end.ended, end.again_ms.is_some(), end.passed_on)
        };
        let end = |copy: &Copy, outcome| told(copy, outcome, May { be_asked: true, be_sent: true });
        let absent = || Outcome::Absent { why: "answered 404".to_owned() };
        let duplicate = || Outcome::Duplicate { reason: "old".to_owned() };
        assert_eq!(end(&copy, absent()), (Ended::NotSent, true, None));
        let paused = May { be_asked: true, be_sent: false };
        assert_eq!(told(&copy, absent(), paused), (Ended::Unknown, false, None));
        assert_eq!(end(&copy, duplicate()), (Ended::Rejected, false, Some(1)));
        copy.sent_again = true;
        assert_eq!(end(&copy, absent()), (Ended::Unknown, false, None));
        // It may be the first that it means.
        assert_eq!(end(&copy, duplicate()), (Ended::Unknown, false, None));
    }

    #[test]
    fn what_a_buyer_may_have_is_nobody_elses_whatever_the_line_says() {
        let errand = Errand::first(PingId::from_u128(7), 0, winner());
        let mut copy = Copy::default();
        copy.uncertain = true;
        for outcome in [
            Outcome::Unreached { why: "busy".to_owned() },
            Outcome::Expired { why: "nobody said".to_owned() },
            Outcome::Rejected { reason: "answered 403".to_owned(), by: Refuser::Door },
        ] {
            let outcome = certain(outcome, (&copy, false), &errand);
            assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        }
    }
}
