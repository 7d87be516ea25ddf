//! Buyers at their worst: late, silent, talking nonsense, failing, or elsewhere than they said.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gavel::bidding::FAILURES_IN_A_ROW;
use gavel::mock::{Character, GARBAGE, MockBuyer, MockSpec};
use serde_json::json;

use super::{times, verdict};
use crate::buyers::{GRACE, IN_TIME_PERCENT, Market, resident_bytes};
use crate::exchange::Exchange;

/// How many sources ask at once.
const LANES: u64 = 20;
/// Between two pings of a source: a ping that asks nobody is answered at once, and a source may not send any number.
const PAUSE: Duration = Duration::from_millis(25);
/// By how much the process may grow while nobody answers, with both ends of every connection in it.
const GROWTH_BYTES_MAX: usize = 256 << 20;

/// Returns the time that [`IN_TIME_PERCENT`] of a hundred pings took at most.
fn nearly_all(mut took: Vec<Duration>) -> Duration {
    took.sort_unstable();
    took[(took.len() * IN_TIME_PERCENT / 100).min(took.len() - 1)]
}

/// Sends pings from twenty sources at once; returns how long each took.
async fn crowd(market: &Arc<Market>, sent: u64, deadline_ms: u64) -> Vec<Duration> {
    let lanes = (0..LANES).map(|_| {
        let market = Arc::clone(market);
        tokio::spawn(async move {
            let mut took = Vec::new();
            for _ in 0..(sent / LANES).max(1) {
                let (answer, time) = market.ping(deadline_ms).await;
                assert_eq!(answer["status"], "rejected", "{answer}");
                took.push(time);
                tokio::time::sleep(PAUSE).await;
            }
            took
        })
    });
    let mut took = Vec::new();
    for lane in lanes.collect::<Vec<_>>() {
        took.extend(lane.await.unwrap());
    }
    took
}

#[tokio::test]
async fn late_bids() {
    let mut market = Market::of(&[]).await;
    market.add("late", MockSpec::of(Character::Late), json!({"timeout_ms": 400})).await;
    market.add("prompt", MockSpec::of(Character::Prompt), json!({})).await;
    let (least, most) = (times(20, 300), times(200, 2_000));
    let mut sent = 0;
    // A call that this machine itself delayed is not held against the buyer: on a busy one it takes more of them.
    while sent < least || market.end_point("late").await["breaker"] != "open" {
        assert!(sent < most, "still asked after {sent} pings");
        let told = market.told(600).await;
        assert!(told[0] == "late late bid-late" || told[0].starts_with("late skipped"), "{told:?}");
        sent += 1;
    }
    assert!(market.buyers[0].tally().pings >= u64::from(FAILURES_IN_A_ROW));
    verdict("late_bids", &format!("{sent} pings"), &[]);
}

#[tokio::test]
async fn all_hang() {
    let mut market = Market::of(&[]).await;
    for number in 0..10 {
        let (name, spec) = (format!("hanging-{number}"), MockSpec::of(Character::Hanging));
        market.add(&name, spec, json!({})).await;
    }
    let (market, deadline_ms) = (Arc::new(market), 300);
    let quiet = Arc::new(Market::of(&[]).await);
    let before = resident_bytes();
    let sent = times(400, 10_000);
    let took = nearly_all(crowd(&market, sent, deadline_ms).await);
    // What this machine adds to anything.
    let noise = nearly_all(crowd(&quiet, 100, deadline_ms).await);
    let limit = Duration::from_millis(deadline_ms) + GRACE + noise;
    assert!(took <= limit, "{took:?} of at most {limit:?}");
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < GROWTH_BYTES_MAX, "{} MiB more than before", grown >> 20);
    // Not everybody is shut off at once: the fault may be on this side.
    let mut open = 0;
    for number in 0..10 {
        let shown = market.end_point(&format!("hanging-{number}")).await;
        open += usize::from(shown["breaker"] == "open");
    }
    assert!(open <= 5, "{open} of 10 are open");
    let told = format!(
        "{sent} pings, {IN_TIME_PERCENT} % of them in {took:?} of {deadline_ms} ms, {} MiB more than before",
        grown >> 20
    );
    verdict("all_hang", &told, &[]);
}

#[tokio::test]
async fn garbage() {
    let market = Market::of(&[Character::Garbage]).await;
    let mut flaws = Vec::new();
    for _ in 0..FAILURES_IN_A_ROW {
        flaws.extend(market.told(2_000).await);
    }
    assert!(flaws.iter().all(|told| told.contains("bid-invalid")), "{flaws:?}");
    assert!(usize::try_from(FAILURES_IN_A_ROW).unwrap() < GARBAGE.len());
    assert_eq!(market.told(2_000).await, ["garbage skipped not-asked"]);
    assert_eq!(market.end_point("garbage").await["breaker"], "open");
    verdict("garbage", &format!("{} answers", flaws.len()), &[]);
}

#[tokio::test]
async fn always_failing() {
    let market = Market::of(&[Character::Failing, Character::Prompt]).await;
    let sent = usize::try_from(times(200, 10_000)).unwrap();
    for _ in 0..sent {
        let (answer, _) = market.ping(5_000).await;
        assert_eq!(answer["status"], "accepted", "{answer}");
    }
    let calls = usize::try_from(market.buyers[0].tally().pings).unwrap();
    let after = calls - usize::try_from(FAILURES_IN_A_ROW).unwrap();
    assert!(after * 100 <= sent, "{after} of {sent} calls after the opening");
    let shown = market.end_point("5xx").await;
    assert_ne!(shown["breaker"], "closed");
    assert_eq!(shown["outcomes"]["refused"], calls);
    assert_eq!(market.end_point("prompt").await["breaker"], "closed");
    verdict("always_failing", &format!("{sent} pings, {after} calls after the opening"), &[]);
}

#[tokio::test]
async fn names_that_move() {
    let buyer = MockBuyer::open(MockSpec::of(Character::Prompt), None, None).await.unwrap();
    let moved = Arc::new(AtomicBool::new(false));
    let inner: [&str; 5] =
        ["127.0.0.1", "169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "fd00:ec2::254"];
    for inner in inner {
        let moved = Arc::clone(&moved);
        moved.store(false, Ordering::SeqCst);
        let (seen, inner): (_, IpAddr) = (Arc::clone(&moved), inner.parse().unwrap());
        let directory = move |_: &str| {
            // Public when it is saved, inside when it is called.
            let public: IpAddr = "93.184.216.34".parse().unwrap();
            Ok(vec![if seen.load(Ordering::SeqCst) { inner } else { public }])
        };
        let exchange = Exchange::open_with_directory(directory).await;
        let market = Market { exchange, buyers: Vec::new() };
        let port = buyer.addr().port();
        let bidding = json!({"url": format!("https://bids.buyer.example:{port}/bid")});
        let spec =
            json!({"delivery": {"url": "https://bids.buyer.example/leads"}, "bidding": bidding});
        market.exchange.put("buyers/moving", spec).await;
        market.exchange.deposit("moving", "1000.00").await;
        let campaign = json!({"buyer": "moving", "vertical": "auto-insurance"});
        market.exchange.put("campaigns/moving", campaign).await;
        moved.store(true, Ordering::SeqCst);
        let receipt = market.auction(5_000).await;
        let left = &receipt["left_out"][0];
        assert_eq!(left["code"], "bid-unreachable", "{receipt}");
        let detail = left["detail"].as_str().unwrap();
        assert!(detail.contains("resolves to") && detail.contains("which is"), "{detail}");
    }
    assert_eq!(buyer.tally().pings, 0);
    verdict("names_that_move", &format!("{} addresses inside", inner.len()), &[]);
}
