//! What the book promises, one promise a test.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use jiff::tz::TimeZone;

use super::*;
use crate::catalog::{Bounds, Caps, Ceilings, DayBound, Headers, Way};
use crate::criteria::Criteria;
use crate::egress::Egress;
use crate::facts::{
    BidMade, Charged, Delivered, Deposited, Ended, Expired, Fact, Fee, ModuleUsed, PingAnswered,
    Posted, Terms, Winner,
};
use crate::ids::{BuyerId, CampaignId};

/// Monday 2026-01-05, 09:00 in Chicago.
pub(super) const MONDAY: i64 = 1_767_625_200_000;
pub(super) const HOUR: i64 = 3_600_000;

pub(super) fn at(hours: i64) -> Moment {
    Moment::from_unix_ms(MONDAY + hours * HOUR)
}

pub(super) fn buyer(name: &str, caps: Caps) -> Buyer {
    Buyer {
        bidding: None,
        id: BuyerId::parse(name).unwrap(),
        fee: Fee::NONE,
        credit_limit: Micros::ZERO,
        zone: TimeZone::get("America/Chicago").unwrap(),
        caps,
        duplicates: None,
        suppressions: Vec::new(),
        way: Way::Url(Egress::public().check("https://buyer.example.com/leads").unwrap()),
        timeout: Duration::from_secs(5),
        idempotent: true,
        status: None,
        in_order: false,
        return_rate: None,
        headers: Headers::default(),
        signing: None,
        adapter: None,
        active: true,
    }
}

pub(super) fn campaign(name: &str, buyer: &Arc<Buyer>, caps: Caps) -> Campaign {
    Campaign {
        bid_max: None,
        id: CampaignId::parse(name).unwrap(),
        buyer: Arc::clone(buyer),
        active: true,
        price: None,
        exclusive: None,
        criteria: Criteria::any(),
        schedule: None,
        zone: TimeZone::get("America/Chicago").unwrap(),
        caps,
        duplicate_window: Duration::ZERO,
        duplicates: None,
        suppressions: Vec::new(),
        filter: None,
        unfit: false,
    }
}

/// Returns the fact of a ping that these campaigns won, each at this price, with these other bids.
pub(super) fn answered(
    ping: u128,
    winners: &[(&Campaign, i64, Counted)],
    others: &[(&Campaign, i64)],
    now: Moment,
) -> PingAnswered {
    let text = |text: &str| text.to_owned();
    let bid = |campaign: &Campaign, amount: i64| BidMade {
        campaign: text(campaign.id.as_str()),
        buyer: text(campaign.buyer.id.as_str()),
        amount,
        ..BidMade::default()
    };
    let won = winners.iter().map(|(campaign, price, _)| bid(campaign, *price));
    PingAnswered {
        asked: Vec::new(),
        ping,
        source: text("web"),
        vertical: text("auto-insurance"),
        catalog: 1,
        received_ms: now.unix_ms(),
        body: [0; 32],
        test: false,
        normalizer: ModuleUsed { name: text("auto"), version: 1, digest: [0; 32], fuel: 1 },
        filters: Vec::new(),
        frame: Vec::new(),
        terms: Terms::second_price(2, 0, 0, 0),
        left_out: Vec::new(),
        bids: won.chain(others.iter().map(|(campaign, amount)| bid(campaign, *amount))).collect(),
        winners: winners
            .iter()
            .map(|(campaign, price, counted)| Winner {
                campaign: text(campaign.id.as_str()),
                buyer: text(campaign.buyer.id.as_str()),
                bid: *price,
                price: *price,
                fees: Charged::default(),
                exclusive: false,
                counted: *counted,
            })
            .collect(),
        duplicate_of: None,
        replaces: None,
        fingerprint: [0; 32],
        expires_ms: now.unix_ms() + 300_000,
        held_until_ms: now.unix_ms() + 300_000,
        request: None,
    }
}

pub(super) fn delivered(ping: u128, winner: &Winner, ended: Ended) -> Delivered {
    let price = if ended == Ended::Sold { winner.price } else { 0 };
    Delivered {
        ping,
        source: "web".to_owned(),
        copy: 0,
        campaign: winner.campaign.clone(),
        buyer: winner.buyer.clone(),
        attempt: 1,
        ended,
        detail: None,
        price,
        buyer_fees: if ended == Ended::Sold { winner.fees } else { Charged::default() },
        payout: price,
        source_fees: Charged::default(),
        again_ms: None,
        successor: None,
        in_line: false,
        adapter: None,
        transfer: None,
    }
}

fn deposit(state: &mut State, buyer: &str, amount: i64) {
    let reference = "wire".to_owned();
    let deposited = Deposited { buyer: buyer.to_owned(), amount, reference };
    state.apply(at(0), &Fact::Deposited(deposited));
}

/// A buyer's book with one campaign, and what a test does with it.
struct Desk {
    state: State,
    campaign: Campaign,
    /// Of every lead.
    fingerprint: [u8; 32],
    pings: u128,
}

impl Desk {
    fn new(campaign_caps: Caps, buyer_caps: Caps) -> Self {
        let buyer = Arc::new(buyer("acme", buyer_caps));
        let mut state = State::default();
        deposit(&mut state, "acme", 1_000_000_000);
        let campaign = campaign("acme-west", &buyer, campaign_caps);
        Self { state, campaign, fingerprint: [0; 32], pings: 0 }
    }

    /// Buys for 10.00 if the book lets it, and says why not.
    fn buy(&mut self, now: Moment) -> String {
        let price = 10_000_000;
        match self.state.covers(&self.campaign, self.fingerprint, Micros::new(price), now) {
            Ok(counted) => {
                self.pings += 1;
                let fact = answered(self.pings, &[(&self.campaign, price, counted)], &[], now);
                let fact = PingAnswered { fingerprint: self.fingerprint, ..fact };
                self.state.apply(now, &Fact::PingAnswered(Arc::new(fact)));
                "bought".to_owned()
            }
            Err(bar) => bar.told().1.unwrap_or_default(),
        }
    }

    /// Ends the newest ping.
    fn end(&mut self, now: Moment, ended: Option<Ended>) {
        let ping = self.pings;
        let Some(ended) = ended else {
            return self.state.apply(now, &Fact::Expired(Expired { pings: vec![ping] }));
        };
        self.state.apply(now, &Fact::Posted(Posted { ping, ..Posted::default() }));
        let open = self.state.open_ping(PingId::from_u128(ping)).unwrap();
        let winner = open.winner(open.copies.first().unwrap()).unwrap().clone();
        self.state.apply(now, &Fact::Delivered(delivered(ping, &winner, ended)));
    }
}

fn sales(bounds: Bounds) -> Caps {
    Caps { sales: bounds, ..Caps::default() }
}

fn bounds(json: serde_json::Value) -> Bounds {
    let ceilings: Ceilings<u32> = serde_json::from_value(json).unwrap();
    Bounds::of(&ceilings, i64::from)
}

/// Buys at each of these hours after Monday 09:00, and compares.
#[track_caller]
fn check(caps: Caps, script: &[(i64, &str)]) {
    let mut own = Desk::new(caps.clone(), Caps::default());
    let mut shared = Desk::new(Caps::default(), caps);
    for (hour, expected) in script {
        assert_eq!(own.buy(at(*hour)), *expected, "campaign, hour {hour}");
        let expected = match *expected {
            "bought" => "bought".to_owned(),
            detail => format!("buyer's {detail}"),
        };
        assert_eq!(shared.buy(at(*hour)), expected, "buyer, hour {hour}");
    }
}

#[test]
fn every_period_has_its_cap() {
    let cap = |name: &str| sales(bounds(serde_json::json!({ name: 2 })));
    let full = |name: &str, next: i64| {
        let told = format!("{name} cap of 2");
        check(cap(name), &[(0, "bought"), (0, "bought"), (0, told.as_str()), (next, "bought")]);
    };
    full("hourly", 1);
    full("daily", 15);
    full("weekly", 7 * 24 - 9);
    full("monthly", 26 * 24 + 15);
    check(cap("total"), &[(0, "bought"), (9_000, "bought"), (90_000, "total cap of 2")]);
}

#[test]
fn a_day_of_the_week_may_have_its_own_number() {
    let caps = serde_json::json!({"daily": 1, "weekdays": {"tue": 2, "wed": 0}});
    check(
        sales(bounds(caps)),
        &[
            (0, "bought"),
            (1, "daily cap of 1"),
            (24, "bought"),
            (25, "bought"),
            (26, "Tuesday's cap of 2"),
            (48, "Wednesday's cap of 0"),
            (72, "bought"),
            (73, "daily cap of 1"),
        ],
    );
}

#[test]
fn a_budget_counts_money() {
    let day = DayBound { most: Some(25_000_000), own: false };
    let mut money = Bounds::all(i64::MAX / 2);
    money.days = [day; 7];
    let caps = Caps { money, ..Caps::default() };
    let told = "daily budget of 25.00";
    check(caps, &[(0, "bought"), (0, "bought"), (0, told), (15, "bought")]);
}

#[test]
fn a_hold_that_ends_unsold_gives_its_place_back_where_it_was_taken() {
    let mut desk = Desk::new(sales(bounds(serde_json::json!({"daily": 1}))), Caps::default());
    assert_eq!(desk.buy(at(14)), "bought");
    assert_eq!(desk.buy(at(14)), "daily cap of 1");
    desk.end(at(14), None);
    assert_eq!(desk.buy(at(14)), "bought");
    // Tuesday has begun when Monday's hold expires: Tuesday's place stays taken.
    assert_eq!(desk.buy(at(15)), "bought");
    desk.pings -= 1;
    desk.end(at(15), None);
    desk.pings += 1;
    assert_eq!(desk.buy(at(15)), "daily cap of 1");
}

#[test]
fn a_lead_is_promised_to_a_campaign_once_until_its_hold_ends() {
    let mut desk = Desk::new(Caps::default(), Caps::default());
    desk.campaign.duplicate_window = Duration::from_secs(3_600);
    desk.fingerprint = [7; 32];
    for (hour, ended) in [(0, None), (1, Some(Ended::Rejected)), (2, Some(Ended::NotSent))] {
        assert_eq!(desk.buy(at(hour)), "bought");
        assert!(desk.state.covers(&desk.campaign, [7; 32], Micros::ZERO, at(hour)).is_err());
        assert!(desk.state.covers(&desk.campaign, [8; 32], Micros::ZERO, at(hour)).is_ok());
        desk.end(at(hour), ended);
    }
    assert_eq!(desk.buy(at(3)), "bought");
    desk.end(at(3), Some(Ended::Unknown));
    // Nobody knows whether the buyer has it, so it is not promised again when the window is over.
    assert!(desk.state.covers(&desk.campaign, [7; 32], Micros::ZERO, at(9)).is_err());
    let open = desk.state.open_ping(PingId::from_u128(desk.pings)).unwrap();
    let winner = open.winner(open.copies.first().unwrap()).unwrap().clone();
    let sold = Fact::Delivered(delivered(desk.pings, &winner, Ended::Sold));
    desk.state.apply(at(9), &sold);
    assert!(desk.state.covers(&desk.campaign, [7; 32], Micros::ZERO, at(10)).is_err());
    assert!(desk.state.covers(&desk.campaign, [7; 32], Micros::ZERO, at(11)).is_ok());
}

#[test]
fn a_lead_that_was_shown_counts_as_a_post_whether_it_sells_or_not() {
    let posts = bounds(serde_json::json!({"daily": 3}));
    let mut desk = Desk::new(Caps { posts, ..Caps::default() }, Caps::default());
    for ended in [Some(Ended::Sold), Some(Ended::Rejected), Some(Ended::NotSent), None] {
        assert_eq!(desk.buy(at(0)), "bought");
        desk.end(at(0), ended);
    }
    let used = desk.state.used_by_campaign(&desk.campaign, at(0)).day;
    assert_eq!((used.sales, used.posts, used.spent), (1, 2, 10_000_000));
    assert_eq!(desk.buy(at(0)), "bought");
    assert_eq!(desk.buy(at(0)), "daily cap of 3 posts");
    assert_eq!(desk.state.holds().get("acme"), Some(&desk.state.account("acme").held));
}

#[test]
fn a_clock_that_jumps_a_day_ahead_and_back_finds_its_days_as_it_left_them() {
    check(
        sales(bounds(serde_json::json!({"daily": 2}))),
        &[
            (0, "bought"),
            (24, "bought"),
            (0, "bought"),
            (0, "daily cap of 2"),
            (24, "bought"),
            (24, "daily cap of 2"),
            (-24, "bought"),
            (-24, "bought"),
            (-24, "daily cap of 2"),
            (0, "daily cap of 2"),
        ],
    );
}

#[test]
fn what_is_long_over_does_not_open_again_when_the_clock_is_set_back() {
    let hourly = sales(bounds(serde_json::json!({"hourly": 1})));
    let mut desk = Desk::new(hourly, Caps::default());
    for hour in 0..i64::try_from(PERIODS_KEPT).unwrap() {
        assert_eq!(desk.buy(at(hour)), "bought");
    }
    // Ten hours before counts for the oldest hour that is remembered, which is full.
    assert_eq!(desk.buy(at(-10)), "hourly cap of 1");
    assert_eq!(desk.buy(at(4)), "bought");
}

/// How a thousand threads hold at once.
#[derive(Clone, std::marker::Copy)]
enum Deciding {
    /// The book is asked and changed in one decision.
    Alone,
    /// All have asked before the first changes it: the fault that the book's lock is there to prevent.
    Apart,
}

/// Lets a thousand threads hold 10.00 at once where there is money for seven, and a cent too little for the eighth. Returns
/// how many did.
fn stampede(deciding: Deciding) -> usize {
    let buyer = Arc::new(buyer("acme", Caps::default()));
    let campaign = Arc::new(campaign("acme-west", &buyer, Caps::default()));
    let mut state = State::default();
    deposit(&mut state, "acme", 7 * 10_000_000 + 9_990_000);
    let (book, start) = (Arc::new(Book::new(state)), Arc::new(Barrier::new(1_000)));
    let holds = (1..=1_000_u128).map(|ping| {
        let (book, start) = (Arc::clone(&book), Arc::clone(&start));
        let campaign = Arc::clone(&campaign);
        std::thread::spawn(move || {
            let price = 10_000_000;
            let covers = |state: &mut State| {
                state.covers(&campaign, [0; 32], Micros::new(price), at(0)).ok()
            };
            let hold = |state: &mut State, counted| {
                let fact = answered(ping, &[(&campaign, price, counted)], &[], at(0));
                state.apply(at(0), &Fact::PingAnswered(Arc::new(fact)));
            };
            match deciding {
                Deciding::Alone => {
                    start.wait();
                    book.decide(|state| covers(state).map(|counted| hold(state, counted)))
                }
                Deciding::Apart => {
                    let covered = book.decide(covers);
                    start.wait();
                    covered.map(|counted| book.decide(|state| hold(state, counted)))
                }
            }
        })
    });
    let holds: Vec<_> = holds.collect();
    let held = holds.into_iter().filter_map(|hold| hold.join().unwrap()).count();
    let account = book.decide(|state| state.account("acme"));
    assert_eq!(account.held, Micros::new(i64::try_from(held).unwrap() * 10_000_000));
    held
}

#[test]
fn a_thousand_holds_at_once_never_pass_the_last_cent() {
    assert_eq!(stampede(Deciding::Alone), 7);
}

#[test]
fn a_thousand_holds_that_only_asked_before_would_pass_it() {
    assert_eq!(stampede(Deciding::Apart), 1_000);
}

#[test]
fn overdue_pings_are_found_oldest_first_and_claimed_ones_never() {
    let mut desk = Desk::new(Caps::default(), Caps::default());
    for second in [5, 1, 3, 2, 4] {
        desk.buy(Moment::from_unix_ms(MONDAY + second * 700));
    }
    desk.state.apply(at(0), &Fact::Posted(Posted { ping: 3, ..Posted::default() }));
    let overdue = |desk: &Desk, ms: i64, limit| -> Vec<u128> {
        let at = Moment::from_unix_ms(MONDAY + 300_000 + ms);
        desk.state.overdue(at, limit).into_iter().map(PingId::as_u128).collect()
    };
    assert_eq!(overdue(&desk, 700, 9), [0_u128; 0]);
    assert_eq!(overdue(&desk, 701, 9), [2]);
    assert_eq!(overdue(&desk, 9_000, 9), [2, 4, 5, 1]);
    assert_eq!(overdue(&desk, 9_000, 2), [2, 4]);
    desk.state.apply(at(0), &Fact::Expired(Expired { pings: vec![2, 4] }));
    assert_eq!(overdue(&desk, 9_000, 9), [5, 1]);
}

#[test]
fn requests_beyond_a_sources_share_are_refused_until_the_oldest_are_a_day_old() {
    let mut state = State::default();
    let request = |number: usize| {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        Request { key, body: [0; 32] }
    };
    let ping = PingId::from_u128(1);
    for number in 0..REQUESTS_MAX / 2 {
        assert!(number % 100_000 != 0 || state.remembers_request_of("web", at(0)));
        state.remember(at(0), ping, "web", Some(&request(number)));
    }
    let remembers = |state: &State, source, now| state.remembers_request_of(source, now);
    assert!(!remembers(&state, "web", at(0)) && !remembers(&state, "web", at(24)));
    assert!(remembers(&state, "other", at(0)));
    for number in 0..REQUESTS_MAX / 4 {
        state.remember(at(1), ping, "other", Some(&request(number)));
    }
    assert!(!remembers(&state, "other", at(1)) && remembers(&state, "third", at(1)));
    let later = Moment::from_unix_ms(at(24).unix_ms() + 1);
    // Nothing was recorded meanwhile, so nothing was forgotten yet: there is room even so.
    assert!(remembers(&state, "web", later) && remembers(&state, "other", later));
    state.remember(later, ping, "web", Some(&request(REQUESTS_MAX)));
    assert!(state.request("web", request(0).key).is_none());
    assert!(state.request("web", request(REQUESTS_MAX).key).is_some());
    let kept = state.kept().into_iter().find(|kept| kept.what == "requests").unwrap();
    assert_eq!((kept.count, kept.largest_share), (REQUESTS_MAX / 4 + 1, Some(REQUESTS_MAX / 4)));
}

#[test]
fn one_source_leaves_room_for_the_pings_of_others() {
    let acme = Arc::new(buyer("acme", Caps::default()));
    let acme = campaign("acme-west", &acme, Caps::default());
    let mut state = State::default();
    let mut number = 0;
    let mut open = |state: &mut State, source: &str, test| {
        number += 1;
        let counted = Counted::default();
        let fact = answered(number, &[(&acme, 1, counted)], &[], at(0));
        let fact = PingAnswered { source: source.to_owned(), test, ..fact };
        state.apply(at(0), &Fact::PingAnswered(Arc::new(fact)));
    };
    let most = OPEN_PINGS_MAX / 2;
    for turn in 0..most {
        assert!(turn % 50_000 != 0 || state.opens_ping_of("web"));
        open(&mut state, "web", true);
    }
    assert!(!state.opens_ping_of("web") && state.opens_ping_of("other"));
    // What another one holds takes from what each may have.
    open(&mut state, "other", false);
    open(&mut state, "other", false);
    let ended = |state: &mut State, ping| {
        state.apply(at(0), &Fact::Expired(Expired { pings: vec![ping] }));
    };
    ended(&mut state, 1);
    assert!(!state.opens_ping_of("web"));
    ended(&mut state, 2);
    assert!(state.opens_ping_of("web"));
    let kept = state.kept().into_iter().find(|kept| kept.what == "open-pings").unwrap();
    assert_eq!((kept.count, kept.largest_share), (most, Some(most - 2)));
}
