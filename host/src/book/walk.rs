//! A long random walk over all facts, with crashes in between: at every step the book is what its model says.

mod acts;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use proptest::prelude::Rng;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::model::Model;
use super::tests::{HOUR, MONDAY, buyer, campaign};
use super::*;
use crate::catalog::{Bounds, By, Caps, Ceilings, DuplicatesSpec};
use crate::facts::{Fact, Winner};

/// How many facts the walk makes in all, and in one stretch from an empty book.
const STEPS: usize = 100_000;
const STRETCH: usize = 1_000;
/// About so many facts lie between two crashes.
const CRASH_EVERY: u64 = 50;
const LIST: &str = "own-customers";

/// The walk: the book, the model, and the facts so far.
struct Walk {
    rng: TestRng,
    campaigns: Vec<Arc<Campaign>>,
    state: State,
    model: Model,
    facts: Vec<(Moment, u16, Vec<u8>)>,
    now: Moment,
    pings: u128,
    tried: HashMap<&'static str, usize>,
}

impl Walk {
    fn new(rng: TestRng, number: usize) -> Self {
        let market = Self::market();
        // Some stretches go over a change of the clocks: 2026-03-08 and 2026-11-01.
        let days = [0, 61, 299, 20][number % 4];
        let now = Moment::from_unix_ms(MONDAY + days * 24 * HOUR);
        Self {
            rng,
            campaigns: market,
            state: State::default(),
            model: Model::default(),
            facts: Vec::new(),
            now,
            pings: 0,
            tried: HashMap::new(),
        }
    }

    fn market() -> Vec<Arc<Campaign>> {
        let bounds = |json: serde_json::Value| {
            let ceilings: Ceilings<u32> = serde_json::from_value(json).unwrap();
            Bounds::of(&ceilings, i64::from)
        };
        let none = || bounds(serde_json::json!({}));
        let caps = |sales, posts, money| Caps { sales, posts, money };
        let json = |text: &str| serde_json::from_str(text).unwrap();
        let money = Bounds::of(
            &Ceilings { daily: Some(90_i64), weekly: Some(400), ..Ceilings::default() },
            |most| most,
        );
        let shared = [
            caps(none(), none(), none()),
            caps(
                bounds(json(r#"{"hourly": 6, "daily": 20, "weekdays": {"sun": 9}}"#)),
                none(),
                none(),
            ),
            caps(none(), bounds(json(r#"{"daily": 25, "monthly": 300}"#)), money),
        ];
        let both = Some(DuplicatesSpec { by: By::Both, window_seconds: 90_000 });
        let buyers = shared.into_iter().zip(["acme", "best", "core"]).map(|(caps, name)| {
            let duplicates = both.filter(|_| name == "best");
            let zone = TimeZone::get("America/Chicago").unwrap();
            Arc::new(Buyer { duplicates, zone, ..buyer(name, caps) })
        });
        let buyers: Vec<Arc<Buyer>> = buyers.collect();
        let own = [
            caps(none(), none(), none()),
            caps(bounds(json(r#"{"hourly": 3, "weekly": 60}"#)), none(), none()),
            caps(none(), bounds(json(r#"{"hourly": 5, "daily": 12}"#)), none()),
            caps(
                bounds(json(r#"{"weekdays": {"mon": 4, "sat": 2}, "total": 200}"#)),
                none(),
                none(),
            ),
            caps(
                none(),
                none(),
                Bounds::of(&Ceilings { hourly: Some(40_i64), ..Ceilings::default() }, |most| most),
            ),
        ];
        let campaigns = own.into_iter().enumerate().map(|(number, caps)| {
            let buyer = &buyers[number % buyers.len()];
            let phone = Some(DuplicatesSpec { by: By::Phone, window_seconds: 7_200 });
            let window = if number % 2 == 0 { 7_200 } else { 0 };
            Arc::new(Campaign {
                duplicate_window: Duration::from_secs(window),
                duplicates: phone.filter(|_| number == 2),
                suppressions: if number == 3 { vec![LIST.into()] } else { Vec::new() },
                ..campaign(&format!("{}-{number}", buyer.id), buyer, caps)
            })
        });
        campaigns.collect()
    }

    fn below(&mut self, end: u64) -> u64 {
        self.rng.next_u64() % end
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        let length = u64::try_from(from.len()).unwrap();
        if length == 0 {
            return None;
        }
        from.get(usize::try_from(self.below(length)).unwrap()).cloned()
    }

    /// Applies a fact as the journal gives it back.
    fn apply(&mut self, fact: &Fact) {
        let bytes = fact.encode();
        let read = Fact::decode(fact.kind(), &bytes).unwrap();
        self.facts.push((self.now, fact.kind(), bytes));
        self.state.apply(self.now, &read);
    }

    fn step(&mut self) {
        let what = match self.below(100) {
            0..8 => "clock",
            8..14 => "deposit",
            14..42 => "ping",
            42..62 => "post",
            62..90 => "deliver",
            90..94 => "expire",
            94..95 => "ask again",
            95..97 => "send again",
            97..98 => "suppress",
            _ => "unsuppress",
        };
        *self.tried.entry(what).or_default() += 1;
        match what {
            "clock" => self.clock(),
            "deposit" => self.deposit(),
            "ping" => self.ping(),
            "post" => self.post(),
            "deliver" => self.deliver(),
            "expire" => self.expire(),
            "ask again" => self.ask_again(),
            "send again" => self.send_again(),
            _ => self.lists(what == "suppress"),
        }
        self.compare_some();
    }

    /// Compares the money of one buyer, and what one campaign and its buyer took.
    fn compare_some(&mut self) {
        let campaign = self.pick(&self.campaigns.clone()).unwrap();
        self.compare(&campaign);
    }

    fn compare(&self, campaign: &Campaign) {
        let buyer = campaign.buyer.id.as_str();
        let account = self.state.account(buyer);
        assert_eq!(account.balance.get(), self.model.balance(buyer), "balance of {buyer}");
        assert_eq!(account.held.get(), self.model.held(buyer), "held of {buyer}");
        assert!(account.held <= account.balance, "{buyer} holds more than it has");
        let flat = |used: Used| {
            [used.hour, used.day, used.week, used.month, used.total]
                .map(|taken| [taken.sales, taken.posts, taken.spent])
        };
        let own = flat(self.state.used_by_campaign(campaign, self.now));
        assert_eq!(own, self.model.used(0, campaign.id.as_str(), self.now), "{}", campaign.id);
        let shared = flat(self.state.used_by_buyer(&campaign.buyer, self.now));
        assert_eq!(shared, self.model.used(1, buyer, self.now), "{buyer}");
    }

    /// The process dies. What comes back is read from the facts alone, and must be what was there.
    fn crash(&mut self) {
        let mut rebuilt = State::default();
        for (at, kind, bytes) in &self.facts {
            rebuilt.apply(*at, &Fact::decode(*kind, bytes).unwrap());
        }
        assert!(rebuilt == self.state, "the book comes back as it was");
        self.state = rebuilt;
        for campaign in &self.campaigns {
            self.compare(campaign);
        }
        assert_eq!(self.state.suppressions_of(LIST), self.model.suppressed.len());
        for (buyer, held) in self.state.holds() {
            assert_eq!(self.state.account(&buyer).held, held, "{buyer}");
        }
        for (ping, open) in self.state.pings.iter() {
            for (copy, held) in open.held() {
                assert_eq!(open.winner(held).map(Winner::due), Some(held.due), "{ping} {copy}");
            }
        }
        let open = self.state.pings.iter().filter(|(_, open)| !open.auction.test);
        let open = open.flat_map(|(ping, open)| {
            open.held().map(|(copy, _)| (ping.as_u128(), copy)).collect::<Vec<_>>()
        });
        let open: BTreeSet<(u128, u32)> = open.collect();
        assert_eq!(open, self.model.open().into_keys().collect(), "open holds");
        let promised = self.model.open().into_values().filter(|hold| hold.fingerprint != [0; 32]);
        assert_eq!(self.state.promised.count(), promised.count(), "promised leads");
    }
}

#[test]
fn a_random_walk_with_crashes_ends_where_the_model_says() {
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]),
    );
    let mut tried: HashMap<&str, usize> = HashMap::new();
    for number in 0..STEPS / STRETCH {
        let mut walk = Walk::new(runner.new_rng(), number);
        for _ in 0..STRETCH {
            walk.step();
            if walk.below(CRASH_EVERY) == 0 {
                walk.crash();
            }
        }
        walk.crash();
        let sold = walk.model.claims.iter().filter(|claim| claim.sold).count();
        *tried.entry("sold").or_default() += sold;
        walk.tried.into_iter().for_each(|(what, times)| *tried.entry(what).or_default() += times);
    }
    assert_eq!(tried.values().sum::<usize>() - tried["sold"], STEPS);
    assert!(tried["sold"] > STEPS / 50, "{tried:?}");
}
