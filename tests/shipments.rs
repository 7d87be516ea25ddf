//! Shipments that wait for somebody: listed with their reason, sent again with the same key, settled by a word.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gavel::catalog::RetentionSpec;
use gavel::clock::{Clock, Moment};
use gavel::sandbox::Compiler;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::program::command;
use crate::exchange::{Buyer, Exchange, Reply, auto_ping, auto_post, merged, until};

/// 2 March 2026, 17:00 UTC.
const BEGIN_MS: i64 = 1_772_470_800_000;

/// An hour later.
const LATER_MS: i64 = BEGIN_MS + 3_600_000;

async fn market(buyer: &str) -> Exchange {
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    market_of(clock, json!({}), buyer).await
}

pub(crate) async fn market_of(clock: Clock, terms: Value, buyer: &str) -> Exchange {
    let exchange = Exchange::with_auto(clock, terms).await;
    acme(&exchange, buyer, json!({})).await;
    exchange.deposit("acme", "100.00").await;
    let campaign = json!({"buyer": "acme", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/acme-auto", campaign).await;
    exchange
}

/// Says where acme's leads go.
pub(crate) async fn acme(exchange: &Exchange, buyer: &str, over: Value) {
    let delivery = merged(json!({"url": buyer, "timeout_ms": 200}), over);
    exchange.put("buyers/acme", json!({"delivery": delivery})).await;
}

/// Hands a lead over, whose source does not wait for the end.
async fn post(exchange: &Exchange) -> String {
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await.text("/ping_id").to_owned();
    let lead = merged(auto_post(&ping), json!({"deadline_ms": 50}));
    assert_eq!(exchange.say("auto-insurance/post", &lead).await.text("/status"), "pending");
    ping
}

/// One that says nothing to the first posts, and accepts the others.
async fn silent(posts: usize) -> Buyer {
    Buyer::scripted(move |turn| {
        let pause = if turn < posts { Duration::from_secs(60) } else { Duration::ZERO };
        (200, json!({"status": "accepted", "id": "b-1"}), pause)
    })
    .await
}

async fn until_listed(exchange: &Exchange, status: &str, count: usize) -> Reply {
    let path = format!("shipments?status={status}");
    until(&format!("{count} {status}"), async || {
        exchange.get(&path).await.body["shipments"].as_array().unwrap().len() == count
    })
    .await;
    exchange.get(&path).await
}

#[tokio::test]
async fn a_delivery_in_doubt_is_listed_and_sent_again_with_the_same_key() {
    let acme = silent(2).await;
    let exchange = market(&acme.url()).await;
    let ping = post(&exchange).await;
    let listed = until_listed(&exchange, "unknown", 1).await;
    let shipment = &listed.body["shipments"][0];
    assert_eq!(shipment["auction"], json!(ping), "{listed:?}");
    assert_eq!(shipment["detail"], "sent, but then: nothing came back in 200 ms");
    assert_eq!(
        (&shipment["since"], &shipment["held"]),
        (&json!("2026-03-02T17:00:00.000Z"), &json!("2.00"))
    );
    assert_eq!(exchange.get("shipments?status=dead").await.body["shipments"], json!([]));

    // Of two who ask at once, one asks the buyer.
    let path = format!("auctions/{ping}/resend");
    let (one, two) =
        tokio::join!(exchange.post(&path, json!({})), exchange.post(&path, json!({"copy": 0})));
    assert!(one.status == 202 || two.status == 202, "{one:?} {two:?}");
    until("it is in doubt again", async || {
        exchange.get("shipments").await.body["shipments"][0]["attempt"] == 2
    })
    .await;
    let exchange =
        Exchange::open_at(exchange.close().await, Clock::standing(Moment::from_unix_ms(BEGIN_MS)))
            .await;
    assert_eq!(acme.received().len(), 2);
    assert_eq!(until_listed(&exchange, "unknown", 1).await.body["shipments"][0]["attempt"], 2);
    assert_eq!(exchange.post(&path, json!({})).await.status, 202);
    until_listed(&exchange, "unknown", 0).await;
    let received = acme.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|one| *one == received[0]), "another key or another lead");
    let account = exchange.get("buyers/acme").await;
    assert_eq!((account.text("/balance"), account.text("/held")), ("98.00", "0.00"));
    assert_eq!(exchange.post(&path, json!({})).await.status, 404);
    assert_eq!(exchange.get("ledger").await.text("/total"), "0.00");
}

#[tokio::test]
async fn the_operators_word_takes_a_delivery_off_the_list_and_releases_the_money() {
    let acme = silent(1).await;
    let exchange = market(&acme.url()).await;
    let ping = post(&exchange).await;
    until_listed(&exchange, "unknown", 1).await;
    let word = json!({"outcome": "rejected", "note": "never seen"});
    assert_eq!(exchange.post(&format!("auctions/{ping}/resolve"), word).await.status, 200);
    assert_eq!(exchange.get("shipments").await.body["shipments"], json!([]));
    let account = exchange.get("buyers/acme").await;
    assert_eq!((account.text("/balance"), account.text("/held")), ("100.00", "0.00"));
}

#[tokio::test]
async fn a_lead_that_was_erased_is_not_sent_again() {
    let acme = silent(9).await;
    let exchange = market(&acme.url()).await;
    let ping = post(&exchange).await;
    until_listed(&exchange, "unknown", 1).await;
    assert_eq!(exchange.erase(&ping.replace("pg_", "ld_")).await.status, 200);
    let refused = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.text("/detail").contains("settle it as sold or rejected"), "{refused:?}");
    assert_eq!(acme.received().len(), 1);
}

/// An address at which nobody listens.
pub(crate) fn vacant() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Posts a lead to an exchange whose buyer is not there, and waits until it is given up.
pub(crate) async fn given_up(exchange: Exchange, at: i64) -> (Exchange, String) {
    let ping = post(&exchange).await;
    let exchange = until_given_up(exchange, at).await;
    // Receipts are read from the disk, which is a commit behind what lists show.
    until("that is on the disk", async || exchange.receipt(&ping).await["status"] != "pending")
        .await;
    (exchange, ping)
}

/// Goes through the whole schedule of attempts. Time stands still while the exchange is open, so it is opened again for
/// every attempt, a minute later.
async fn until_given_up(mut exchange: Exchange, mut at: i64) -> Exchange {
    let mut tried = 0;
    loop {
        let newest = async || exchange.get("shipments").await.body["shipments"][0].clone();
        until(&format!("an attempt after {tried}"), async || {
            newest().await["attempt"].as_u64().is_some_and(|attempt| attempt > tried)
        })
        .await;
        let shipment = newest().await;
        if shipment["status"] == "dead" {
            assert_eq!(shipment["attempt"], 6, "{shipment}");
            return exchange;
        }
        assert_eq!(shipment["status"], "waiting", "{shipment}");
        tried = shipment["attempt"].as_u64().unwrap();
        at += 60_000;
        exchange = reopened(exchange, at).await;
    }
}

async fn reopened(exchange: Exchange, at: i64) -> Exchange {
    Exchange::open_at(exchange.close().await, Clock::standing(Moment::from_unix_ms(at))).await
}

async fn check_account(exchange: &Exchange, buyer: &str, expected: (&str, &str)) {
    let account = exchange.get(&format!("buyers/{buyer}")).await;
    assert_eq!((account.text("/balance"), account.text("/held")), expected, "{account:?}");
    assert_eq!(exchange.get("ledger").await.text("/total"), "0.00");
}

/// Has every recorded decision made again, every sum compared, and a receipt verified.
async fn check_record(exchange: Exchange) -> Arc<TempDir> {
    let data = exchange.close().await;
    let replayed = gavel::exchange::replay(data.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert_eq!(replayed.differences, []);
    gavel::exchange::reconcile(data.path(), |_| ()).await.unwrap();
    data
}

#[tokio::test]
async fn a_lead_that_was_given_up_is_sent_again_and_sold_once_at_the_same_price() {
    let vacant = vacant();
    let exchange = market(&format!("http://{vacant}/leads")).await;
    let (exchange, ping) = given_up(exchange, BEGIN_MS).await;
    let listed = exchange.get("shipments?status=dead").await;
    let shipment = &listed.body["shipments"][0];
    assert_eq!((&shipment["auction"], &shipment["held"]), (&json!(ping), &json!(null)));
    assert_eq!(shipment["sendable"], true, "{listed:?}");
    assert!(shipment["detail"].as_str().unwrap().contains("refused"), "{listed:?}");
    assert_eq!(exchange.get("shipments?status=lost").await.status, 400);
    check_account(&exchange, "acme", ("100.00", "0.00")).await;
    assert_eq!(exchange.receipt(&ping).await["status"], "unsold");

    let acme_end = Buyer::listening(vacant, |_| {
        (200, json!({"status": "accepted", "id": "b-1"}), Duration::from_millis(50))
    })
    .await;
    acme(&exchange, &acme_end.url(), json!({"timeout_ms": 5_000})).await;
    // Of two who send it again at once, one does.
    let path = format!("auctions/{ping}/resend");
    let (one, two) =
        tokio::join!(exchange.post(&path, json!({})), exchange.post(&path, json!({"copy": 0})));
    let statuses = [one.status.min(two.status), one.status.max(two.status)];
    assert_eq!(statuses, [202, 409], "{one:?} {two:?}");
    let taken = if one.status == 202 { &one } else { &two };
    assert_eq!(taken.text("/held_again"), "2.00", "{taken:?}");
    until("it is sold", async || exchange.receipt(&ping).await["status"] == "sold").await;
    check_account(&exchange, "acme", ("98.00", "0.00")).await;
    assert_eq!(exchange.get("shipments").await.body["shipments"], json!([]));
    assert_eq!(exchange.post(&path, json!({})).await.status, 404);
    assert_eq!(acme_end.received().len(), 1);
    let receipt = exchange.receipt(&ping).await;
    assert_eq!(receipt["resends"][0]["held"]["price"], "2.00", "{receipt:#}");
    assert_eq!(receipt["disclosures"].as_array().unwrap().len(), 7, "{receipt:#}");
    assert_eq!(receipt["disclosures"][6]["disclosed"], "yes", "{receipt:#}");
    // The source that asks again hears what became of it.
    let again = merged(auto_post(&ping), json!({"deadline_ms": 50}));
    let answer = exchange.say("auto-insurance/post", &again).await;
    assert_eq!((answer.text("/status"), answer.text("/price")), ("sold", "1.80"), "{answer:?}");
    let whole = exchange.get(&format!("auctions/{ping}?full=1")).await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("receipt.json");
    std::fs::write(&file, whole.body.to_string()).unwrap();
    let modules = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/rules");
    let mut verify = command();
    verify.arg("verify").arg(&file).arg("--modules").arg(modules);
    let verified = verify.output().await.unwrap();
    assert!(verified.status.success(), "{verified:?}");
    check_record(exchange).await;
}

#[tokio::test]
async fn what_was_given_up_for_one_buyer_is_shown_to_no_other_when_it_is_sent_again() {
    let (vacant, bravo) = (vacant(), Buyer::accepting().await);
    let exchange = market(&format!("http://{vacant}/leads")).await;
    let delivery = json!({"delivery": {"url": bravo.url()}});
    exchange.put("buyers/bravo", delivery.clone()).await;
    exchange.deposit("bravo", "100.00").await;
    let campaign = json!({"buyer": "bravo", "vertical": "auto-insurance", "price": "5.00"});
    exchange.put("campaigns/bravo-auto", campaign.clone()).await;
    // It bids, and is paused while acme is tried.
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    exchange.put("campaigns/bravo-auto", merged(campaign.clone(), json!({"active": false}))).await;
    let lead = merged(auto_post(ping.text("/ping_id")), json!({"deadline_ms": 50}));
    assert_eq!(exchange.say("auto-insurance/post", &lead).await.text("/status"), "pending");
    let ping = ping.text("/ping_id").to_owned();
    let exchange = until_given_up(exchange, BEGIN_MS).await;
    exchange.put("campaigns/bravo-auto", campaign).await;
    let acme_end = Buyer::listening(vacant, |_| {
        (200, json!({"status": "rejected", "reason": "too late"}), Duration::ZERO)
    })
    .await;
    acme(&exchange, &acme_end.url(), json!({"timeout_ms": 5_000})).await;
    let sent = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
    assert_eq!((sent.status, sent.text("/held_again")), (202, "5.01"), "{sent:?}");
    until("it was refused", async || exchange.receipt(&ping).await["status"] == "unsold").await;
    check_account(&exchange, "acme", ("100.00", "0.00")).await;
    check_account(&exchange, "bravo", ("100.00", "0.00")).await;
    assert_eq!((acme_end.received().len(), bravo.received().len()), (1, 0));
    assert_eq!(exchange.get("shipments").await.body["shipments"], json!([]));
    check_record(exchange).await;
}

#[tokio::test]
async fn a_lead_that_was_given_up_is_not_sent_to_a_buyer_that_cannot_have_it_now() {
    let (vacant, bravo) = (vacant(), Buyer::accepting().await);
    let exchange = market(&format!("http://{vacant}/leads")).await;
    let (exchange, ping) = given_up(exchange, BEGIN_MS).await;
    let refused = async |expected: &str| {
        let refused = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        assert!(refused.text("/detail").contains(expected), "{refused:?}");
    };
    let campaign = json!({"buyer": "acme", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/acme-auto", merged(campaign.clone(), json!({"active": false}))).await;
    refused("campaign `acme-auto` does not buy any more").await;
    exchange
        .put("campaigns/acme-auto", merged(campaign.clone(), json!({"caps": {"total": 0}})))
        .await;
    refused("buyer `acme` cannot have it now: a cap is reached (total cap of 0)").await;
    exchange.put("campaigns/acme-auto", campaign).await;
    let withdrawal = json!({"amount": "99.00", "reference": "out-1"});
    assert_eq!(exchange.post("buyers/acme/withdrawals", withdrawal).await.status, 201);
    refused("the buyer's balance and credit do not cover the bid").await;
    exchange.deposit("acme", "50.00").await;
    let list = json!({"kind": "phone", "everyone": true});
    exchange.put("suppressions/unwilling", list.clone()).await;
    let listed = exchange.post("suppressions/unwilling/entries", json!(2_025_550_107_u64)).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    refused("the person is on a suppression list").await;
    exchange.put("suppressions/unwilling", merged(list, json!({"everyone": false}))).await;
    let callers = json!({"transfer": {"number": "+15125550100", "connected_seconds": 5}});
    exchange.put("buyers/acme", json!({"delivery": callers})).await;
    refused("buyer `acme` takes callers now").await;
    acme(&exchange, &format!("http://{vacant}/leads"), json!({})).await;
    // The source offers the person again, and somebody else buys.
    exchange.put("buyers/bravo", json!({"delivery": {"url": bravo.url()}})).await;
    exchange.deposit("bravo", "100.00").await;
    let campaign = json!({"buyer": "bravo", "vertical": "auto-insurance", "price": "20.00"});
    exchange.put("campaigns/bravo-auto", campaign).await;
    let second = exchange.say("auto-insurance/ping", &auto_ping()).await;
    let sold = exchange.say("auto-insurance/post", &auto_post(second.text("/ping_id"))).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    refused("it would be sold twice").await;
    check_account(&exchange, "acme", ("51.00", "0.00")).await;
    assert_eq!(exchange.get("shipments").await.body["shipments"][0]["status"], "dead");
}

#[tokio::test]
async fn a_lead_that_was_given_up_is_forgotten_when_its_time_is_over_or_it_is_erased() {
    for (retention, erase) in [(json!({"given_up_hours": 1}), false), (json!({}), true)] {
        let terms = json!({"retention": retention});
        let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
        let exchange = market_of(clock, terms, &format!("http://{}/leads", vacant())).await;
        let (exchange, ping) = given_up(exchange, BEGIN_MS).await;
        let sendable = async |exchange: &Exchange| {
            let listed = exchange.get("shipments?status=dead").await;
            listed.body["shipments"][0]["sendable"].as_bool().unwrap()
        };
        assert!(sendable(&exchange).await);
        let exchange = match erase {
            true => {
                assert_eq!(exchange.erase(&ping.replace("pg_", "ld_")).await.status, 200);
                exchange
            }
            false => {
                let exchange = reopened(exchange, LATER_MS).await;
                assert!(sendable(&exchange).await);
                reopened(exchange, LATER_MS + 600_000).await
            }
        };
        until("it is forgotten", async || !sendable(&exchange).await).await;
        let refused = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
        assert_eq!(refused.status, 409, "{refused:?}");
        let told = "the lead's contact data is not kept any more, so there is nothing to send";
        assert!(refused.text("/detail").contains(told), "{refused:?}");
        check_record(exchange).await;
    }
}

#[tokio::test]
async fn a_vertical_may_keep_nothing_of_what_was_given_up() {
    let terms = json!({"retention": {"given_up_hours": 0}});
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    let exchange = market_of(clock, terms, &format!("http://{}/leads", vacant())).await;
    let (exchange, ping) = given_up(exchange, BEGIN_MS).await;
    let refused = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    let limit = RetentionSpec::GIVEN_UP_HOURS_MAX + 1;
    let terms = json!({
        "module": "auto-insurance", "reserve": "2.00", "increment": "0.01",
        "retention": {"given_up_hours": limit},
    });
    let refused = exchange.try_put("verticals/auto-insurance", terms).await;
    assert_eq!(refused.text("/field"), "/retention/given_up_hours", "{refused:?}");
}

#[tokio::test]
async fn one_that_is_sent_again_overtakes_nobody_and_stops_nobody() {
    let accepted = || json!({"status": "accepted", "id": "b-1"});
    let acme_end = Buyer::scripted(move |turn| match turn {
        // The first lead's end is unknown, and the second's buyer is busy.
        0 => (200, accepted(), Duration::from_secs(60)),
        1..=3 => (429, json!({}), Duration::ZERO),
        _ => (200, accepted(), Duration::ZERO),
    })
    .await;
    let exchange = market_of(Clock::system(), json!({}), &acme_end.url()).await;
    acme(&exchange, &acme_end.url(), json!({"in_order": true, "timeout_ms": 1_000})).await;
    let first = post(&exchange).await;
    until_listed(&exchange, "unknown", 1).await;
    let second = post(&exchange).await;
    until_listed(&exchange, "waiting", 1).await;
    let resend = format!("auctions/{first}/resend");
    assert_eq!(exchange.post(&resend, json!({})).await.status, 202);
    let again = exchange.post(&resend, json!({})).await;
    assert!(again.text("/detail").contains("it was sent again at"), "{again:?}");
    let third = post(&exchange).await;
    // It waits where it stood, after a restart too.
    let exchange = Exchange::open_in(exchange.close().await).await;
    let sold = async || {
        let mut sold = 0;
        for ping in [&first, &second, &third] {
            sold += usize::from(exchange.receipt(ping).await["status"] == "sold");
        }
        sold
    };
    until("all are sold", async || sold().await == 3).await;
    let sent = acme_end.received().into_iter();
    let mut sent: Vec<String> =
        sent.map(|(_, body)| body["ping_id"].as_str().unwrap().to_owned()).collect();
    sent.dedup();
    assert_eq!(sent, [&first, &second, &first, &third].map(String::as_str));
    check_record(exchange).await;
}
