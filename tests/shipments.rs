//! Shipments that wait for somebody: listed with their reason, asked again with the same key, settled by a word.

use std::sync::Arc;
use std::time::Duration;

use gavel::clock::{Clock, Moment};
use serde_json::json;
use tempfile::TempDir;

use crate::exchange::{Buyer, Exchange, Reply, auto_ping, auto_post, merged, until};

/// 2 March 2026, 17:00 UTC.
const BEGIN_MS: i64 = 1_772_470_800_000;

async fn market(buyer: &str) -> Exchange {
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    let exchange = Exchange::with_auto(clock, json!({})).await;
    let delivery = json!({"url": buyer, "timeout_ms": 200});
    exchange.put("buyers/acme", json!({"delivery": delivery})).await;
    exchange.deposit("acme", "100.00").await;
    let campaign = json!({"buyer": "acme", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/acme-auto", campaign).await;
    exchange
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

#[tokio::test]
async fn a_delivery_that_was_given_up_is_listed_with_its_reason() {
    let vacant = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut exchange = market(&format!("http://{vacant}/leads")).await;
    let ping = post(&exchange).await;
    let mut at = BEGIN_MS;
    for attempt in 1..=6 {
        let status = if attempt < 6 { "waiting" } else { "dead" };
        until(&format!("attempt {attempt}"), async || {
            let one = exchange.get("shipments").await;
            let shipment = &one.body["shipments"][0];
            shipment["attempt"] == json!(attempt) && shipment["status"] == status
        })
        .await;
        let (data, clock): (Arc<TempDir>, _) = {
            at += 60_000;
            (exchange.close().await, Clock::standing(Moment::from_unix_ms(at)))
        };
        exchange = Exchange::open_at(data, clock).await;
    }
    let listed = exchange.get("shipments?status=dead").await;
    let shipment = &listed.body["shipments"][0];
    assert_eq!(
        (&shipment["auction"], &shipment["held"]),
        (&json!(ping), &json!(null)),
        "{listed:?}"
    );
    assert!(shipment["detail"].as_str().unwrap().contains("refused"), "{listed:?}");
    let refused = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.text("/detail").contains("the money is released"), "{refused:?}");
    assert_eq!(exchange.get("shipments?status=lost").await.status, 400);
}
