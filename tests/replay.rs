//! Replay: what is recorded comes out again, and a record that was forged does not.

use std::path::Path;
use std::sync::Arc;

use gavel::clock::{Clock, Moment};
use gavel::exchange::{Difference, replay};
use gavel::facts::{Delivered, Fact};
use gavel::ids::Digest;
use gavel::journal::{Journal, JournalError, Reading, Record};
use gavel::sandbox::Compiler;
use gavel::settlement;
use serde_json::json;
use tempfile::TempDir;

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, merged, until};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";
const MORNING_MS: i64 = 1_767_625_200_000;

/// Runs a session with everything in it that an exchange decides; returns how many pings it answered.
async fn session(exchange: &Exchange, clock: &Clock) -> u64 {
    let fickle = Buyer::scripted(|turn| {
        let status = if turn % 3 == 0 { "rejected" } else { "accepted" };
        (200, json!({"status": status}), std::time::Duration::ZERO)
    })
    .await;
    let steady = Buyer::accepting().await;
    exchange.serve("zip-list").await;
    for (name, url, price) in [
        ("alfa", fickle.url(), "12.00"),
        ("bravo", steady.url(), "9.00"),
        ("carol", steady.url(), "5.00"),
    ] {
        exchange.with_buyer(name, &url, price).await;
    }
    let mut pings = 0;
    for round in 0..6 {
        change(exchange, round).await;
        clock.set(Moment::from_unix_ms(MORNING_MS + i64::from(round) * 3_600_000));
        let leads = [
            json!({}),
            json!({"credit_rating": "poor"}),
            json!({"zip": "10025", "state": "NY"}),
            json!({"minimum_price": "10.00"}),
            json!({"minimum_price": "100.00"}),
            json!({"test": "1"}),
        ];
        for (index, over) in leads.into_iter().enumerate() {
            let over = merged(over, json!({"date_of_birth": format!("19{}-04-12", 60 + round)}));
            let ping = exchange.say(PING, &merged(auto_ping(), over.clone())).await;
            pings += 1;
            if ping.text("/status") == "accepted" && index != 2 {
                let lead = merged(auto_post(ping.text("/ping_id")), over);
                let post = exchange.say(POST, &lead).await;
                assert!(matches!(post.text("/status"), "sold" | "unsold"), "{post:?}");
            }
        }
        let refused = exchange.say(PING, &json!({"zip": "1"})).await;
        assert_eq!(refused.status, 422, "{refused:?}");
    }
    pings
}

/// Changes something between rounds of leads, so that many catalogs are in use.
async fn change(exchange: &Exchange, round: i32) {
    let bravo = json!({"buyer": "bravo", "vertical": "auto-insurance", "price": "9.00"});
    let zips = json!({"module": "zip-list", "settings": {"zips": ["90210"]}});
    match round {
        1 => {
            drop(exchange.put("campaigns/bravo-auto", merged(bravo, json!({"filter": zips}))).await)
        }
        2 => {
            let copies = json!({
                "module": "auto-insurance", "reserve": "1.00", "copies": 2,
                "duplicate_window_seconds": 60,
            });
            exchange.put("verticals/auto-insurance", copies).await;
        }
        3 => {
            let capped = json!({"caps": {"daily": 9}, "criteria": "state = \"CA\""});
            exchange.put("campaigns/bravo-auto", merged(bravo, capped)).await;
        }
        4 => exchange.deposit("alfa", "7.77").await,
        _ => (),
    }
}

#[tokio::test]
async fn a_busy_session_comes_out_the_same_again() {
    let clock = Clock::standing(Moment::from_unix_ms(MORNING_MS));
    let exchange = Exchange::with_auto(clock.clone(), json!({})).await;
    let pings = session(&exchange, &clock).await;
    clock.set(Moment::from_unix_ms(MORNING_MS + 86_400_000));
    until("the holds expire", async || exchange.get("buyers/alfa").await.text("/held") == "0.00")
        .await;
    let data = exchange.close().await;
    let replayed = replay(data.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert_eq!(replayed.differences, []);
    assert_eq!(replayed.auctions, pings);
    assert!(replayed.deliveries >= 20, "{replayed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pings_that_raced_come_out_the_same_again() {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("bravo", &buyer.url(), "9.00").await;
    exchange.put("buyers/alfa", json!({"delivery": {"url": buyer.url()}})).await;
    exchange.deposit("alfa", "25.00").await;
    let capped = json!({
        "buyer": "alfa", "vertical": "auto-insurance", "price": "9.00", "caps": {"total": 5},
    });
    exchange.put("campaigns/alfa-auto", capped).await;
    let sent: Vec<_> = (0..150)
        .map(|_| {
            let ping = exchange.request(PING, "application/json", auto_ping().to_string());
            tokio::spawn(crate::exchange::reply(ping))
        })
        .collect();
    for ping in sent {
        assert_eq!(ping.await.unwrap().text("/status"), "accepted");
    }
    let replayed =
        replay(exchange.close().await.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert_eq!((replayed.differences, replayed.auctions), (vec![], 150));
}

/// Opens an exchange, sells one lead of alfa's to bravo's disappointment, and closes it again.
async fn one_sale() -> std::sync::Arc<TempDir> {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("alfa", &buyer.url(), "12.00").await;
    exchange.with_buyer("bravo", &buyer.url(), "9.00").await;
    let ping = exchange.say(PING, &auto_ping()).await;
    let sold = exchange.say(POST, &auto_post(ping.text("/ping_id"))).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    exchange.close().await
}

/// Copies a journal fact by fact, changed by a forger who knows how to chain it; returns the first changed fact.
async fn forge(from: &Path, to: &Path, change: impl Fn(&mut Fact)) -> u64 {
    let reading = Reading::open(from).await.unwrap();
    let journal = Journal::open(to).await.unwrap().start().unwrap();
    let mut forged = 0;
    for stored in reading.facts_after(0, 10_000).await.unwrap() {
        let original = Fact::decode(stored.kind, &stored.payload).unwrap();
        if let Fact::ModuleUploaded(module) = &original {
            let digest = Digest::from_bytes(module.digest);
            let wasm = reading.module(digest).await.unwrap().unwrap();
            journal.put_module(digest, wasm).await.unwrap();
        }
        let mut fact = original.clone();
        change(&mut fact);
        if fact != original && forged == 0 {
            forged = stored.seq;
        }
        let record = Record {
            at: stored.at,
            subject: stored.subject,
            kind: fact.kind(),
            payload: fact.encode(),
            entries: settlement::entries(&fact),
            ..Record::default()
        };
        journal.seat().await.unwrap().fill(record).wait().await.unwrap();
    }
    journal.close().await;
    reading.close().await;
    forged
}

/// Forges a journal whose chain holds, and compares the replay's first difference.
async fn check_forged(change: impl Fn(&mut Fact), what: &str) {
    let (data, copy) = (one_sale().await, TempDir::new().unwrap());
    let seq = forge(data.path(), copy.path(), change).await;
    let differences = replay(copy.path(), Compiler::InProcess, |_| ()).await.unwrap().differences;
    let first = differences.first().map(|Difference { seq, what, .. }| (*seq, what.as_str()));
    assert_eq!(first, Some((seq, what)), "{differences:?}");
}

fn in_auction(change: impl Fn(&mut gavel::facts::PingAnswered)) -> impl Fn(&mut Fact) {
    move |fact| {
        if let Fact::PingAnswered(auction) = fact {
            change(Arc::make_mut(auction));
        }
    }
}

fn in_delivery(change: impl Fn(&mut Delivered)) -> impl Fn(&mut Fact) {
    move |fact| {
        if let Fact::Delivered(delivered) = fact {
            change(delivered);
        }
    }
}

#[tokio::test]
async fn a_faithful_copy_has_no_difference() {
    let (data, copy) = (one_sale().await, TempDir::new().unwrap());
    assert_eq!(forge(data.path(), copy.path(), |_| ()).await, 0);
    let replayed = replay(copy.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert_eq!((replayed.differences, replayed.auctions, replayed.deliveries), (vec![], 1, 1));
}

#[tokio::test]
async fn a_price_that_was_lowered_is_found() {
    check_forged(in_auction(|auction| auction.winners[0].price -= 1), "winners").await;
}

#[tokio::test]
async fn a_winner_that_was_exchanged_is_found() {
    let exchanged = in_auction(|auction| {
        let loser = auction.bids[1].clone();
        auction.winners[0].campaign = loser.campaign;
        auction.winners[0].buyer = loser.buyer;
    });
    check_forged(exchanged, "winners").await;
}

#[tokio::test]
async fn a_bid_that_nobody_made_is_found() {
    check_forged(in_auction(|auction| auction.bids[1].amount += 1), "bids").await;
}

#[tokio::test]
async fn a_reason_that_was_made_up_is_found() {
    let made_up = in_auction(|auction| "below-reserve".clone_into(&mut auction.left_out[0].reason));
    check_forged(made_up, "left out").await;
}

#[tokio::test]
async fn a_payout_that_was_cut_is_found() {
    let cut = in_delivery(|delivered| delivered.payout -= 1);
    check_forged(cut, "price and payout").await;
}

#[tokio::test]
async fn a_sale_for_which_no_money_was_held_is_found() {
    let unheld = in_delivery(|delivered| delivered.copy = 1);
    check_forged(unheld, "sale").await;
}

#[tokio::test]
async fn a_byte_that_was_changed_on_the_disk_is_found_and_its_fact_named() {
    let data = one_sale().await;
    let reading = Reading::open(data.path()).await.unwrap();
    reading.verify().await.unwrap();
    let facts = reading.facts_after(0, 10_000).await.unwrap();
    reading.close().await;
    let deposit =
        facts.iter().find(|stored| stored.payload.windows(13).any(|text| text == b"bravo-1000.00"));
    let seq = deposit.unwrap().seq;

    let file = data.path().join("journal.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(13).position(|text| text == b"bravo-1000.00").unwrap();
    bytes[at + 6] = b'9';
    std::fs::write(&file, bytes).unwrap();
    match Reading::open(data.path()).await.unwrap().verify().await {
        Err(JournalError::Damaged(damage)) => assert_eq!(damage.seq, seq, "{damage}"),
        other => panic!("{other:?}"),
    }
    assert!(replay(data.path(), Compiler::InProcess, |_| ()).await.is_err());
}

/// Forges the sale so that bravo's filter, which it does not have, ended its call so, and alfa paid the reserve.
fn forfeited(code: &'static str) -> impl Fn(&mut Fact) {
    move |fact| match fact {
        Fact::PingAnswered(auction) => {
            let auction = Arc::make_mut(auction);
            auction.bids.retain(|bid| bid.buyer != "bravo");
            auction.winners[0].price = 2_000_000;
            auction.left_out[0].reason = "filter-forfeited".to_owned();
            auction.left_out[0].detail = Some(code.to_owned());
        }
        Fact::Delivered(delivered) => {
            (delivered.price, delivered.payout) = (2_000_000, 1_800_000);
        }
        _ => (),
    }
}

#[tokio::test]
async fn a_call_that_ended_by_the_clock_is_taken_as_recorded() {
    for (code, differences) in [("out-of-time", 0), ("no-room", 0), ("out-of-fuel", 3)] {
        let (data, copy) = (one_sale().await, TempDir::new().unwrap());
        forge(data.path(), copy.path(), forfeited(code)).await;
        let replayed = replay(copy.path(), Compiler::InProcess, |_| ()).await.unwrap();
        assert_eq!(replayed.differences.len(), differences, "{code}: {:?}", replayed.differences);
    }
}

#[tokio::test]
async fn a_replay_compiles_nothing_that_the_exchange_has_compiled() {
    let data = one_sale().await;
    // A program that is not there compiles nothing.
    let compiler = Compiler::Child { program: "/nowhere".into() };
    let replayed = replay(data.path(), compiler.clone(), |_| ()).await.unwrap();
    assert_eq!((replayed.differences, replayed.auctions), (vec![], 1));
    std::fs::remove_dir_all(data.path().join("compiled")).unwrap();
    let refused = replay(data.path(), compiler, |_| ()).await.unwrap_err().to_string();
    assert!(refused.contains("not admitted"), "{refused}");
    assert!(!data.path().join("compiled").exists(), "a replay writes nothing");
}
