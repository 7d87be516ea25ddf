//! The stream of leads as data: who asks, through which source, and what goes wrong with it.

use std::time::Duration;

use jiff::civil::Date;

use super::dice::Dice;
use super::market::{SOURCES, Source, VERTICALS, Vertical};
use super::people::{Person, person};

/// In a hundred leads, this many are offered a second time.
const DUPLICATES: u32 = 4;
/// How many leads back the first offer may be.
const DUPLICATE_LEADS_BACK: u32 = 40;
/// In a hundred leads, this many have a fault.
const FAULTS: u32 = 6;
/// In a hundred leads, this many come in one call.
const FULL_CALLS: u32 = 8;
/// In a hundred accepted pings, this many are posted.
const POSTS: u32 = 92;
/// In a hundred posts, this many are sent twice under one key.
const REPEATS: u32 = 3;
/// How long a source thinks between the answer to its ping and its post.
const THINK_MS_MAX: u32 = 250;

/// One lead of the stream. The same seed and number make the same lead.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Lead {
    pub(super) number: u64,
    /// Its source's place in the market.
    pub(super) source: usize,
    pub(super) person: Person,
    pub(super) course: Course,
    pub(super) fault: Option<Fault>,
    pub(super) think: Duration,
}

/// How a lead comes to the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Course {
    /// A ping, and if it is accepted a post.
    Posted,
    /// The same, but the post is sent twice.
    PostedTwice,
    /// A ping whose source sells elsewhere.
    PingOnly,
    /// Everything in one call.
    Full,
}

/// What is wrong with a lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Half of the body is missing.
    CutOff,
    /// The ZIP code is missing.
    NoZip,
    /// The ZIP code has four digits.
    ShortZip,
    /// The key is nobody's.
    WrongKey,
}

impl Lead {
    pub(super) fn source(&self) -> &'static Source {
        source(self.source)
    }

    pub(super) fn vertical(&self) -> &'static Vertical {
        vertical(self.source())
    }
}

/// Returns lead `number` of the stream.
pub(super) fn lead(seed: u64, number: u64, today: Date) -> Lead {
    let mut dice = Dice::of(seed, number);
    let back = u64::from(dice.between(1, DUPLICATE_LEADS_BACK));
    let again = dice.percent(DUPLICATES);
    let origin = if again { number.checked_sub(back).unwrap_or(number) } else { number };
    let mut lead = first_offer(seed, origin, today);
    lead.number = number;
    lead.think = Duration::from_millis(u64::from(dice.below(THINK_MS_MAX)));
    let way = dice.below(100);
    lead.course = match way {
        _ if way < FULL_CALLS => Course::Full,
        _ if !dice.percent(POSTS) => Course::PingOnly,
        _ if dice.percent(REPEATS) => Course::PostedTwice,
        _ => Course::Posted,
    };
    if dice.percent(FAULTS) {
        let fault = dice.pick(&[Fault::CutOff, Fault::NoZip, Fault::ShortZip, Fault::WrongKey]);
        match fault {
            Fault::NoZip => lead.person.place.zip = "",
            Fault::ShortZip => lead.person.place.zip = "7520",
            Fault::CutOff | Fault::WrongKey => (),
        }
        lead.fault = Some(fault);
    }
    lead
}

fn first_offer(seed: u64, number: u64, today: Date) -> Lead {
    // Other dice than the lead's own, so that a second offer can throw the same person.
    let mut dice = Dice::of(!seed, number);
    let sides = u32::try_from(SOURCES.len()).unwrap_or(1);
    let source_index = usize::try_from(dice.below(sides)).unwrap_or_default();
    let ages = vertical(source(source_index)).ages;
    Lead {
        number,
        source: source_index,
        person: person(&mut dice, ages, today),
        course: Course::Posted,
        fault: None,
        think: Duration::ZERO,
    }
}

#[expect(clippy::indexing_slicing, reason = "a lead's source is thrown below their number")]
fn source(index: usize) -> &'static Source {
    &SOURCES[index]
}

#[expect(clippy::indexing_slicing, reason = "a test holds that every source has a vertical")]
fn vertical(source: &Source) -> &'static Vertical {
    &VERTICALS[source.vertical]
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 3, 1);

    #[test]
    fn the_same_seed_and_number_make_the_same_lead() {
        assert!(lead(1, 100, TODAY) == lead(1, 100, TODAY));
        assert!(lead(1, 100, TODAY) != lead(2, 100, TODAY));
    }

    #[test]
    fn the_stream_has_everything_that_a_real_one_has() {
        let leads: Vec<Lead> = (0..600).map(|number| lead(1, number, TODAY)).collect();
        let count = |is: &dyn Fn(&Lead) -> bool| leads.iter().filter(|lead| is(lead)).count();
        for course in [Course::Posted, Course::PostedTwice, Course::PingOnly, Course::Full] {
            assert!(count(&|lead| lead.course == course) > 4, "{course:?}");
        }
        for fault in [Fault::CutOff, Fault::NoZip, Fault::ShortZip, Fault::WrongKey] {
            assert!(count(&|lead| lead.fault == Some(fault)) > 2, "{fault:?}");
        }
        for source in 0..SOURCES.len() {
            assert!(count(&|lead| lead.source == source) > 80, "{source}");
        }
        let phones = |lead: &Lead| (lead.person.email.clone(), lead.person.phone.clone());
        let distinct: std::collections::BTreeSet<_> = leads.iter().map(phones).collect();
        assert!((560..600).contains(&distinct.len()), "{} people", distinct.len());
    }
}
