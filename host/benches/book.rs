//! How many holds per second can the book take on one core, each decided alone?
//!
//! `./x bench --bench book`. A hold is what an accepted ping does to the book: the winner's budget and balance are asked,
//! the money is set aside, and the oldest open ping ends, so that as many stay open. The facts are encoded right before, and
//! not measured: in the exchange they have just been made when the book takes them. The peer is the least that a shared
//! map of counters takes: a lock that nobody else wants, and an addition.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "times are not money")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/timing.rs"]
mod timing;

use std::cell::Cell;
use std::collections::HashMap;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gavel::book::{Book, State};
use gavel::catalog::{Bounds, Buyer, Campaign, Caps, Headers, Way};
use gavel::clock::Moment;
use gavel::criteria::Criteria;
use gavel::egress::Egress;
use gavel::facts::{
    BidMade, Charged, Counted, Expired, Fact, Fee, LeftOut, ModuleUsed, PingAnswered, Terms, Winner,
};
use gavel::ids::{BuyerId, CampaignId};
use gavel::money::Micros;
use gavel::schedule::periods_in_zone;
use jiff::tz::TimeZone;

use dice::Dice;
use rounds::{Case, compare};

const CAMPAIGNS: usize = 20;
const PRICE: Micros = Micros::new(12_340_000);
/// Words of an encoded lead.
const FRAME_WORDS: usize = 90;
const AT: Moment = Moment::from_unix_ms(1_767_808_800_000);

fn main() {
    let campaigns: Vec<Campaign> = (0..CAMPAIGNS).map(campaign).collect();
    let counters = Mutex::new(HashMap::new());
    let names: Vec<&str> = campaigns.iter().map(|campaign| campaign.id.as_str()).collect();
    compare(
        "holds",
        vec![
            Case::new("peer: a lock and an addition in a map", |call| {
                let mut counters = counters.lock().unwrap();
                *counters.entry(*names.get(call % CAMPAIGNS).unwrap()).or_insert(0_u64) += 1;
            }),
            holding(&campaigns, 1_000),
            holding(&campaigns, 20_000),
            Case::new("20 campaigns asked whether they may buy", asking(&campaigns)),
            summing(&campaigns, 20_000),
        ],
    );
}

fn holding(campaigns: &[Campaign], open: usize) -> Case<'_> {
    let mut dice = Dice::of(5);
    let book = Book::new(State::default());
    let ring = open + 1_000;
    let pings: Vec<(usize, Fact, Fact)> = (0..ring)
        .map(|number| {
            let winner = usize::try_from(dice.below(20)).unwrap();
            let (made, ended) = facts(number, campaigns.get(winner).unwrap(), campaigns);
            (winner, made, ended)
        })
        .collect();
    book.decide(|state| pings.iter().take(open).for_each(|(_, made, _)| state.apply(AT, made)));
    let (pings, next) = (Rc::new(pings), Rc::new(Cell::new(open)));
    let (coming, from) = (Rc::clone(&pings), Rc::clone(&next));
    let before = move |calls: usize| {
        for number in from.get()..from.get() + calls {
            let (_, made, _) = coming.get(number % ring).unwrap();
            let (_, _, ended) = coming.get((number - open) % ring).unwrap();
            black_box((made.encode(), ended.encode()));
        }
    };
    let name = format!("a hold and its end, {},000 pings open", open / 1_000);
    let work = move |_| {
        let number = next.replace(next.get() + 1);
        let (winner, made, _) = pings.get(number % ring).unwrap();
        let (_, _, ended) = pings.get((number - open) % ring).unwrap();
        book.decide(|state| {
            state.covers(campaigns.get(*winner).unwrap(), [0; 32], PRICE, AT).unwrap();
            state.apply(AT, made);
            state.apply(AT, ended);
        });
    };
    let mut case = Case::new(name, work);
    case.before = Some(Box::new(before));
    case
}

/// What the comparison of all accounts with all holds takes, for which everybody waits.
fn summing(campaigns: &[Campaign], open: usize) -> Case<'_> {
    let mut dice = Dice::of(6);
    let mut state = State::default();
    for number in 0..open {
        let winner = usize::try_from(dice.below(20)).unwrap();
        state.apply(AT, &facts(number, campaigns.get(winner).unwrap(), campaigns).0);
    }
    let name = format!("all holds summed, {},000 pings open", open / 1_000);
    Case::new(name, move |_| state.holds())
}

fn asking(campaigns: &[Campaign]) -> impl FnMut(usize) -> usize {
    let book = Book::new(State::default());
    move |call| {
        let mut print = [0; 32];
        print[..8].copy_from_slice(&call.to_le_bytes());
        let admits =
            |campaign: &&Campaign| book.decide(|state| state.admits(campaign, print, AT)).is_ok();
        campaigns.iter().filter(admits).count()
    }
}

/// Every period has a cap, on sales, posts and money.
fn caps() -> Caps {
    let bounds = Bounds::all(i64::MAX / 2);
    Caps { sales: bounds, posts: bounds, money: bounds }
}

fn campaign(number: usize) -> Campaign {
    let egress = Egress::public();
    let buyer = Buyer {
        bidding: None,
        id: BuyerId::parse(&format!("buyer-{}", number / 3)).unwrap(),
        fee: Fee::NONE,
        credit_limit: Micros::new(1_000_000_000_000_000),
        zone: TimeZone::UTC,
        caps: caps(),
        duplicates: None,
        suppressions: Vec::new(),
        way: Way::Url(egress.check("https://buyer.example.com/leads").unwrap()),
        timeout: Duration::from_secs(5),
        idempotent: true,
        status: None,
        in_order: false,
        return_rate: None,
        headers: Headers::default(),
        signing: None,
        adapter: None,
        active: true,
    };
    Campaign {
        bid_max: None,
        id: CampaignId::parse(&format!("campaign-{number}")).unwrap(),
        buyer: Arc::new(buyer),
        active: true,
        price: Some(PRICE),
        exclusive: None,
        criteria: Criteria::any(),
        schedule: None,
        zone: TimeZone::get("America/Chicago").unwrap(),
        caps: caps(),
        duplicate_window: Duration::from_secs(3_600),
        duplicates: None,
        suppressions: Vec::new(),
        filter: None,
        unfit: false,
    }
}

/// Returns the fact of a ping with one winner among all campaigns, and the one that ends it.
fn facts(number: usize, winner: &Campaign, campaigns: &[Campaign]) -> (Fact, Fact) {
    let ping = 1 + u128::try_from(number).unwrap();
    let text = |text: &str| text.to_owned();
    let left_out = campaigns.iter().filter(|campaign| campaign.id != winner.id);
    let left_out = left_out.map(|campaign| LeftOut {
        campaign: text(campaign.id.as_str()),
        reason: text("criteria-unmet"),
        detail: Some(text("age between 25 and 64 (age is 19)")),
    });
    let counted = Counted {
        campaign: periods_in_zone(&winner.zone, AT),
        buyer: periods_in_zone(&winner.buyer.zone, AT),
    };
    let answered = PingAnswered {
        ping,
        source: text("web"),
        vertical: text("auto-insurance"),
        catalog: 1,
        received_ms: AT.unix_ms(),
        body: [0; 32],
        test: false,
        normalizer: ModuleUsed { name: text("auto"), version: 1, digest: [0; 32], fuel: 1 },
        filters: Vec::new(),
        frame: vec![0; FRAME_WORDS],
        terms: Terms::second_price(1, 0, 0, 0),
        left_out: left_out.collect(),
        asked: Vec::new(),
        bids: vec![BidMade {
            campaign: text(winner.id.as_str()),
            buyer: text(winner.buyer.id.as_str()),
            amount: PRICE.get(),
            ..BidMade::default()
        }],
        winners: vec![Winner {
            campaign: text(winner.id.as_str()),
            buyer: text(winner.buyer.id.as_str()),
            bid: PRICE.get(),
            price: PRICE.get(),
            fees: Charged::default(),
            exclusive: true,
            counted,
        }],
        duplicate_of: None,
        replaces: None,
        fingerprint: [0; 32],
        expires_ms: AT.unix_ms() + i64::try_from(number).unwrap(),
        held_until_ms: AT.unix_ms() + i64::try_from(number).unwrap(),
        request: None,
    };
    (Fact::PingAnswered(Arc::new(answered)), Fact::Expired(Expired { pings: vec![ping] }))
}
