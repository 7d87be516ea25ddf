//! Recordings: the leads that a filter was asked about, with the settings that its campaigns had and what the others bid.
//!
//! They are read from the journal, newest first, or from a file that was written from it ([`file`]). A recording holds
//! the ping views that filters saw, so it holds no contact data.

mod file;
mod terms;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::diff::DiffError;
use super::pair::{Auction, Seat};
use crate::catalog::{CampaignSpec, Draft};
use crate::clock::Moment;
use crate::facts::{Fact, Saved};
use crate::ids::ModuleName;
use crate::journal::Reading;

pub use self::file::RECORDING_BYTES_MAX;
pub(super) use self::file::{FileTape, Recorder};

/// The most leads of one recording or comparison; the newest are taken.
pub const LEADS_MAX: u64 = 100_000;
/// The longest time that can be looked back: ten years.
const LAST_MAX: Duration = Duration::from_secs(3_653 * 86_400);
/// How many facts are read at a time. A page is judged in one go on a thread that may block.
const PAGE_FACTS: u64 = 250;
/// How many facts about the catalog are read at a time.
const CATALOG_FACTS: usize = 1_000;
/// By how much the times of facts may be out of order: a ping is recorded when it is answered, with the time it came.
const DISORDER: Duration = Duration::from_secs(60);

/// Which settings the campaigns have in a comparison.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Settings {
    /// As they were when the lead came.
    #[default]
    Then,
    /// As they are now.
    Now,
}

impl Settings {
    /// Returns the word that stands for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Then => "then",
            Self::Now => "now",
        }
    }
}

/// Which leads are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Those that came in the last so long; absent means all.
    pub last: Option<Duration>,
    pub settings: Settings,
}

impl Window {
    /// Reads a time such as `24h`: a number with `s`, `m`, `h` or `d`.
    ///
    /// # Errors
    ///
    /// A message that says what would be right.
    pub fn parse_last(text: &str) -> Result<Duration, String> {
        let wrong = || format!("`{text}` is no time such as 90s, 15m, 24h or 7d");
        let unit = text.chars().last().ok_or_else(wrong)?;
        let seconds: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(wrong()),
        };
        let digits = text.strip_suffix(unit).unwrap_or_default();
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = Some(digits)
            .filter(|_| plain)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(wrong)?;
        let last = Duration::from_secs(number.saturating_mul(seconds));
        if last.is_zero() || last > LAST_MAX {
            let days = LAST_MAX.as_secs() / 86_400;
            return Err(format!("`{text}` is not between 1s and {days}d"));
        }
        Ok(last)
    }

    pub(super) fn since(&self, now: Moment) -> Option<Moment> {
        let last = i64::try_from(self.last?.as_millis()).unwrap_or(i64::MAX);
        Some(Moment::from_unix_ms(now.unix_ms().saturating_sub(last)))
    }
}

/// The campaigns of one vertical that use a filter, with their settings, which make its slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seating {
    pub(super) vertical: String,
    pub(super) seats: BTreeMap<String, Seat>,
    /// JSON texts, shared with every other seating that has them; a seat's slot is a place in this list.
    pub(super) settings: Vec<Arc<str>>,
}

impl Seating {
    fn of<'s>(
        vertical: &str,
        campaigns: impl Iterator<Item = (&'s str, &'s Using)>,
        draft: &Draft,
    ) -> Self {
        let mut seating = Self { vertical: vertical.to_owned(), ..Self::default() };
        for (campaign, Using { spec, settings }) in campaigns {
            let slot = u32::try_from(seating.settings.len()).unwrap_or(u32::MAX);
            let (price, exclusive) = spec.bids();
            let buyer = spec.buyer.as_str().to_owned();
            let is_remote = is_remote(draft, spec);
            let seat = Seat { slot, buyer, price, exclusive, is_remote };
            seating.seats.insert(campaign.to_owned(), seat);
            seating.settings.push(Arc::clone(settings));
        }
        seating
    }
}

/// A campaign that uses the filter, with its settings.
#[derive(Debug)]
struct Using {
    spec: CampaignSpec,
    settings: Arc<str>,
}

impl Using {
    fn of(mut spec: CampaignSpec, module: &ModuleName) -> Option<Self> {
        let filter = spec.filter.take().filter(|filter| filter.module == *module)?;
        Some(Self { spec, settings: filter.settings.to_string().into() })
    }
}

/// A lead with the settings that it is judged by.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) auction: Auction,
    pub(super) seating: Arc<Seating>,
}

/// How a filter's seatings changed over the versions of the catalog.
#[derive(Debug, Default)]
pub(super) struct Seatings(HashMap<String, Vec<(u64, Arc<Seating>)>>);

impl Seatings {
    /// Takes the present settings for those of all time.
    pub(super) fn now(draft: &Draft, module: &ModuleName) -> Self {
        let mut seatings = Self::default();
        let campaigns = draft.register.campaigns.iter();
        let using: BTreeMap<String, Using> = campaigns
            .filter_map(|(id, spec)| {
                Some((id.as_str().to_owned(), Using::of(spec.clone(), module)?))
            })
            .collect();
        let verticals: BTreeSet<&str> =
            using.values().map(|using| using.spec.vertical.as_str()).collect();
        for vertical in verticals {
            seatings.push((0, draft), vertical, &using);
        }
        seatings
    }

    /// Reads how the settings changed, and what is saved by now.
    pub(super) async fn then(
        reading: &Reading,
        module: &ModuleName,
    ) -> Result<(Self, Draft), DiffError> {
        let (mut seatings, mut draft, mut after) = (Self::default(), Draft::default(), 0);
        let mut using: BTreeMap<String, Using> = BTreeMap::new();
        loop {
            let page = reading.facts_of_kinds(after, Fact::CATALOG_KINDS, CATALOG_FACTS).await?;
            let Some(last) = page.last() else { return Ok((seatings, draft)) };
            after = last.seq;
            for stored in page {
                let fact = Fact::decode(stored.kind, &stored.payload)?;
                let unfoldable =
                    |error: crate::catalog::Unfoldable| DiffError::Unfoldable(error.to_string());
                draft.apply(stored.at, &fact).map_err(unfoldable)?;
                let Fact::Saved(Saved { what, id, body }) = fact else { continue };
                let at = (stored.seq, &draft);
                match what.as_str() {
                    "campaign" => {
                        let spec = serde_json::from_str::<CampaignSpec>(&body);
                        let spec =
                            spec.map_err(|error| DiffError::Unfoldable(error.to_string()))?;
                        seatings.save(at, (&mut using, module), id, spec);
                    }
                    "buyer" => seatings.save_buyer(at, &using, &id),
                    _ => (),
                }
            }
        }
    }

    fn save(
        &mut self,
        at: (u64, &Draft),
        (using, module): (&mut BTreeMap<String, Using>, &ModuleName),
        id: String,
        spec: CampaignSpec,
    ) {
        let before = using.remove(&id).map(|before| before.spec.vertical);
        let now = Using::of(spec, module);
        let vertical = now.as_ref().map(|now| now.spec.vertical.clone());
        using.extend(now.map(|now| (id, now)));
        let touched: BTreeSet<_> = before.into_iter().chain(vertical).collect();
        for vertical in touched {
            self.push(at, vertical.as_str(), using);
        }
    }

    /// A buyer may be asked for bids from now on, or no longer.
    fn save_buyer(&mut self, at: (u64, &Draft), using: &BTreeMap<String, Using>, buyer: &str) {
        let of_buyer = using.values().filter(|using| using.spec.buyer.as_str() == buyer);
        let touched: BTreeSet<&str> = of_buyer.map(|using| using.spec.vertical.as_str()).collect();
        for vertical in touched {
            self.push(at, vertical, using);
        }
    }

    fn push(
        &mut self,
        (seq, draft): (u64, &Draft),
        vertical: &str,
        using: &BTreeMap<String, Using>,
    ) {
        let using = using.iter().map(|(id, using)| (id.as_str(), using));
        let there = using.filter(|(_, using)| using.spec.vertical.as_str() == vertical);
        let seating = Seating::of(vertical, there, draft);
        self.0.entry(vertical.to_owned()).or_default().push((seq, Arc::new(seating)));
    }

    /// Returns the seating of a vertical in this version of the catalog.
    fn at(&self, vertical: &str, catalog: u64) -> Option<&Arc<Seating>> {
        let states = self.0.get(vertical)?;
        let past = states.partition_point(|(seq, _)| *seq <= catalog);
        Some(&states.get(past.checked_sub(1)?)?.1)
    }
}

/// Returns whether a campaign's buyer is asked for bids over the network.
fn is_remote(draft: &Draft, spec: &CampaignSpec) -> bool {
    draft.register.buyers.get(&spec.buyer).is_some_and(|buyer| buyer.bidding.is_some())
}

/// The leads of a recording, a page at a time.
#[derive(Debug)]
pub(super) enum Tape<'r> {
    Journal(JournalTape<'r>),
    File(FileTape),
}

impl Tape<'_> {
    /// Returns the next leads, maybe none; `None` at the end.
    pub(super) async fn page(&mut self) -> Result<Option<Vec<Recorded>>, DiffError> {
        match self {
            Self::Journal(tape) => tape.page().await,
            Self::File(tape) => tape.page(),
        }
    }

    /// Returns how much was looked at, of how much; of a file whose length nobody knows, of nothing.
    pub(super) fn progress(&self) -> (u64, u64) {
        match self {
            Self::Journal(tape) => {
                (tape.newest.saturating_sub(tape.next), tape.newest.saturating_sub(tape.oldest))
            }
            Self::File(tape) => tape.progress(),
        }
    }
}

/// The leads of a journal, newest first.
#[derive(Debug)]
pub(super) struct JournalTape<'r> {
    reading: &'r Reading,
    seatings: Seatings,
    since: Option<Moment>,
    newest: u64,
    /// The newest fact that was not looked at yet.
    next: u64,
    /// What comes after this fact is looked at.
    oldest: u64,
}

impl<'r> JournalTape<'r> {
    /// Looks at the leads of a window, of at most so many facts.
    pub(super) async fn new(
        reading: &'r Reading,
        seatings: Seatings,
        (window, now): (&Window, Moment),
        facts_max: u64,
    ) -> Result<Self, DiffError> {
        let newest = reading.head().await?.seq;
        let since = window.since(now);
        let mut oldest = newest.saturating_sub(facts_max);
        if let Some(since) = since {
            let disorder = i64::try_from(DISORDER.as_millis()).unwrap_or(i64::MAX);
            let since = Moment::from_unix_ms(since.unix_ms().saturating_sub(disorder));
            oldest = before(reading, since, (oldest, newest)).await?;
        }
        Ok(Self { reading, seatings, since, newest, next: newest, oldest })
    }

    async fn page(&mut self) -> Result<Option<Vec<Recorded>>, DiffError> {
        if self.next <= self.oldest {
            return Ok(None);
        }
        let after = self.next.saturating_sub(PAGE_FACTS).max(self.oldest);
        let length = usize::try_from(self.next.saturating_sub(after)).unwrap_or(usize::MAX);
        let facts = self.reading.facts_after(after, length).await?;
        self.next = after;
        let mut recorded = Vec::new();
        for stored in facts.iter().rev().filter(|stored| stored.kind == Fact::AUCTION_KIND) {
            let Fact::PingAnswered(answered) = Fact::decode(stored.kind, &stored.payload)? else {
                continue;
            };
            if self.since.is_some_and(|since| answered.received_ms < since.unix_ms()) {
                continue;
            }
            let Some(seating) = self.seatings.at(&answered.vertical, answered.catalog) else {
                continue;
            };
            let seated = |campaign: &str| seating.seats.contains_key(campaign);
            if let Some(auction) = Auction::of(&answered, seated) {
                recorded.push(Recorded { auction, seating: Arc::clone(seating) });
            }
        }
        Ok(Some(recorded))
    }
}

/// Returns a fact between these two before which nothing happened at or after a moment.
async fn before(
    reading: &Reading,
    moment: Moment,
    (mut low, mut high): (u64, u64),
) -> Result<u64, DiffError> {
    while low < high {
        let middle = low.midpoint(high);
        match reading.facts_after(middle, 1).await?.first() {
            Some(fact) if fact.at < moment => low = middle.saturating_add(1),
            Some(_) | None => high = middle,
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_look_back_is_a_number_with_a_unit() {
        let hours = |hours: u64| Ok(Duration::from_secs(hours * 3_600));
        assert_eq!(Window::parse_last("24h"), hours(24));
        assert_eq!(Window::parse_last("2d"), hours(48));
        assert_eq!(Window::parse_last("120m"), hours(2));
        assert_eq!(Window::parse_last("7200s"), hours(2));
        for wrong in ["", "h", "24", "24 h", "-1h", "1.5h", "1w", "1é"] {
            let message = Window::parse_last(wrong).unwrap_err();
            assert!(message.ends_with("is no time such as 90s, 15m, 24h or 7d"), "{message}");
        }
        assert_eq!(Window::parse_last("3653d"), hours(3_653 * 24));
        for wrong in ["0h", "3654d", "99999999999999999999d"] {
            assert!(Window::parse_last(wrong).is_err(), "{wrong}");
        }
    }
}
