//! The book's model: it keeps every hold that ever was, and answers every question by going through all of them. Slow,
//! and obviously right.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::tests::HOUR;
use super::*;
use crate::catalog::{Bounds, By, Caps, DuplicatesSpec};
use crate::facts::{Person, Winner};

/// A hold that ever was.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub(super) ping: u128,
    pub(super) copy: u32,
    pub(super) campaign: String,
    pub(super) buyer: String,
    pub(super) price: i64,
    /// Zeros if nobody asks for duplicates.
    pub(super) fingerprint: [u8; 32],
    /// When it was sold.
    pub(super) sold: Option<Moment>,
    /// By kind of period, for the campaign and for the buyer.
    pub(super) counted: [[i64; 4]; 2],
    pub(super) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    None,
    Sold,
    /// It gave its sale back, and its post too unless the lead was shown.
    Void {
        shown: bool,
    },
}

/// A person's lead that went to a campaign.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) at: Moment,
    pub(super) ping: u128,
    pub(super) person: Person,
    pub(super) campaign: String,
    pub(super) buyer: String,
    pub(super) sold: bool,
}

/// The model: lists of what happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    pub(super) deposits: Vec<(String, i64)>,
    pub(super) holds: Vec<Hold>,
    pub(super) claims: Vec<Claim>,
    pub(super) suppressed: BTreeSet<Entry>,
}

/// Returns the hour, day, week and month by the calendar: any numbers that are equal where the periods are and grow
/// with them.
fn calendar(now: Moment) -> [i64; 4] {
    let zone = TimeZone::get("America/Chicago").unwrap();
    let date = now.in_zone(&zone).date();
    let monday = date - jiff::Span::new().days(date.weekday().to_monday_zero_offset());
    let number = |date: jiff::civil::Date| {
        i64::from(date.year()) * 10_000 + i64::from(date.month()) * 100 + i64::from(date.day())
    };
    // Chicago is whole hours from UTC.
    [now.unix_ms().div_euclid(HOUR), number(date), number(monday), number(date) / 100]
}

impl Model {
    pub(super) fn balance(&self, buyer: &str) -> i64 {
        let paid = self.deposits.iter().filter(|(name, _)| name == buyer).map(|(_, paid)| paid);
        let sold = self.holds.iter().filter(|hold| hold.buyer == buyer && hold.end == End::Sold);
        paid.sum::<i64>() - sold.map(|hold| hold.price).sum::<i64>()
    }

    pub(super) fn held(&self, buyer: &str) -> i64 {
        let open = self.holds.iter().filter(|hold| hold.buyer == buyer && hold.end == End::None);
        open.map(|hold| hold.price).sum()
    }

    /// Returns the holds that count for a campaign, or for a buyer.
    pub(super) fn of<'m>(
        &'m self,
        whose: usize,
        name: &'m str,
    ) -> impl DoubleEndedIterator<Item = &'m Hold> + Clone {
        let name_of = move |hold: &'m Hold| if whose == 0 { &hold.campaign } else { &hold.buyer };
        self.holds.iter().filter(move |hold| name_of(hold) == name)
    }

    /// Returns the periods that count at this moment: of each kind the newest four are open, and what is older counts
    /// for the oldest of these.
    pub(super) fn periods(&self, whose: usize, name: &str, now: Moment) -> [i64; 4] {
        let mut periods = calendar(now);
        for (kind, period) in periods.iter_mut().enumerate() {
            let known: BTreeSet<i64> =
                self.of(whose, name).map(|hold| hold.counted[whose][kind]).collect();
            if let Some(oldest) = known.iter().rev().nth(PERIODS_KEPT - 1) {
                *period = (*period).max(*oldest);
            }
        }
        periods
    }

    /// Returns sales, posts and money by kind of period, and in all.
    pub(super) fn used(&self, whose: usize, name: &str, now: Moment) -> [[i64; 3]; 5] {
        let periods = self.periods(whose, name, now);
        let mut used = [[0; 3]; 5];
        for (kind, used) in used.iter_mut().enumerate() {
            for hold in self.of(whose, name) {
                if kind < 4 && hold.counted[whose][kind] != periods[kind] {
                    continue;
                }
                let counts = !matches!(hold.end, End::Void { .. });
                let shown = counts || hold.end == End::Void { shown: true };
                used[0] += i64::from(counts);
                used[1] += i64::from(shown);
                used[2] += if counts { hold.price } else { 0 };
            }
        }
        used
    }

    pub(super) fn within(caps: &Caps, used: [[i64; 3]; 5], amount: i64, day: i64) -> bool {
        // The day that the hold counts for, which is another than today where the clock was set far back.
        let part = |number: i64| i8::try_from(number % 100).unwrap();
        let year = i16::try_from(day / 10_000).unwrap();
        let day = jiff::civil::date(year, part(day / 100), part(day)).weekday();
        let fits = |bounds: &Bounds, measure: usize, more: i64| {
            let today = bounds.days[usize::from(day.to_monday_zero_offset().unsigned_abs())];
            let most = [bounds.hour, today.most, bounds.week, bounds.month, bounds.total];
            most.iter()
                .zip(used)
                .all(|(most, used)| most.is_none_or(|most| used[measure] + more <= most))
        };
        fits(&caps.sales, 0, 1) && fits(&caps.posts, 1, 1) && fits(&caps.money, 2, amount)
    }

    /// Says whether a campaign has no lead like this one: neither held for it nor bought within its window.
    fn is_new(&self, campaign: &Campaign, fingerprint: [u8; 32], now: Moment) -> bool {
        let window = i64::try_from(campaign.duplicate_window.as_millis()).unwrap();
        let like = self.of(0, campaign.id.as_str());
        let mut like = like.filter(|hold| hold.fingerprint == fingerprint);
        if window == 0 || fingerprint == [0; 32] {
            return true;
        }
        let held = like.clone().any(|hold| hold.end == End::None);
        let newest = like.rfind(|hold| hold.sold.is_some()).and_then(|hold| hold.sold);
        !held && newest.is_none_or(|sold| sold.unix_ms() < now.unix_ms() - window)
    }

    pub(super) fn covers(
        &self,
        campaign: &Campaign,
        fingerprint: [u8; 32],
        amount: i64,
        now: Moment,
    ) -> bool {
        let (name, buyer) = (campaign.id.as_str(), campaign.buyer.id.as_str());
        let day = |whose, name| self.periods(whose, name, now)[1];
        self.is_new(campaign, fingerprint, now)
            && Self::within(&campaign.caps, self.used(0, name, now), amount, day(0, name))
            && Self::within(&campaign.buyer.caps, self.used(1, buyer, now), amount, day(1, buyer))
            && self.held(buyer) + amount <= self.balance(buyer)
    }

    pub(super) fn may_have(
        &self,
        campaign: &Campaign,
        person: &Person,
        entries: &[Entry],
        now: Moment,
    ) -> bool {
        let listed = entries.iter().any(|entry| self.suppressed.contains(entry));
        let same = |claim: &Claim, by: By| {
            let phone = claim.person.phone.is_some() && claim.person.phone == person.phone;
            let email = claim.person.email.is_some() && claim.person.email == person.email;
            match by {
                By::Phone => phone,
                By::Email => email,
                By::Either => phone || email,
                By::Both => phone && email,
            }
        };
        let before = |spec: Option<DuplicatesSpec>, whose: &dyn Fn(&Claim) -> bool| {
            spec.is_some_and(|spec| {
                let since = now.unix_ms() - i64::from(spec.window_seconds) * 1_000;
                self.claims.iter().any(|claim| {
                    whose(claim) && claim.at.unix_ms() >= since && same(claim, spec.by)
                })
            })
        };
        (!listed || campaign.suppressions.is_empty())
            && !before(campaign.duplicates, &|claim| claim.campaign == campaign.id.as_str())
            && !before(campaign.buyer.duplicates, &|claim| {
                claim.buyer == campaign.buyer.id.as_str()
            })
    }

    pub(super) fn hold(
        &mut self,
        (ping, copy): (u128, u32),
        fingerprint: [u8; 32],
        winner: &Winner,
        now: Moment,
    ) {
        let counted = [self.periods(0, &winner.campaign, now), self.periods(1, &winner.buyer, now)];
        let (campaign, buyer) = (winner.campaign.clone(), winner.buyer.clone());
        self.holds.push(Hold {
            ping,
            copy,
            campaign,
            buyer,
            price: winner.price + winner.fees.lead + winner.fees.percent,
            counted,
            fingerprint,
            sold: None,
            end: End::None,
        });
    }

    /// Ends the hold of a copy. A hold ends exactly once.
    pub(super) fn end(&mut self, ping: u128, copy: u32, end: End, now: Moment) {
        let open = self
            .holds
            .iter_mut()
            .filter(|hold| (hold.ping, hold.copy) == (ping, copy) && hold.end == End::None);
        let mut open: Vec<&mut Hold> = open.collect();
        assert_eq!(open.len(), 1, "one hold is open for copy {copy} of ping {ping}");
        open[0].end = end;
        open[0].sold = Some(now).filter(|_| end == End::Sold);
    }

    pub(super) fn open(&self) -> BTreeMap<(u128, u32), &Hold> {
        let open = self.holds.iter().filter(|hold| hold.end == End::None);
        open.map(|hold| ((hold.ping, hold.copy), hold)).collect()
    }
}
