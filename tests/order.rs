//! Buyers that take their leads one at a time, in the order in which the posts were taken.

use std::time::Duration;

use gavel::clock::Clock;
use serde_json::{Value, json};

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, merged, until};

const PROMPT: Duration = Duration::ZERO;

fn accepted() -> Value {
    json!({"status": "accepted", "id": "b-1"})
}

/// Opens an exchange that sells two copies of every lead: one to alfa, which takes them in order, and one to bravo.
async fn market(alfa: &Buyer, timeout_ms: u32, bravo: &Buyer) -> Exchange {
    let exchange = Exchange::with_auto(Clock::system(), json!({"copies": 2})).await;
    let ordered = json!({"url": alfa.url(), "timeout_ms": timeout_ms, "in_order": true});
    for (name, delivery) in [("alfa", ordered), ("bravo", json!({"url": bravo.url()}))] {
        exchange.put(&format!("buyers/{name}"), json!({"delivery": delivery})).await;
        exchange.deposit(name, "100.00").await;
        let campaign = json!({"buyer": name, "vertical": "auto-insurance", "price": "9.00"});
        exchange.put(&format!("campaigns/{name}"), campaign).await;
    }
    exchange
}

/// Posts leads one after another, whose source does not wait for what becomes of them, and returns their handles.
async fn post(exchange: &Exchange, count: usize) -> Vec<String> {
    let mut leads = Vec::new();
    for _ in 0..count {
        let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
        let post = merged(auto_post(ping.text("/ping_id")), json!({"deadline_ms": 1}));
        let posted = exchange.say("auto-insurance/post", &post).await;
        leads.push(posted.text("/lead_id").to_owned());
    }
    leads
}

/// Returns the leads that a buyer was sent, in order, each attempt.
fn sent(buyer: &Buyer) -> Vec<String> {
    let received = buyer.received().into_iter();
    received.map(|(_, body)| body["lead_id"].as_str().unwrap().to_owned()).collect()
}

async fn until_sent(buyer: &Buyer, expected: &[&String]) {
    until("all were sent", async || sent(buyer).len() >= expected.len()).await;
    assert_eq!(sent(buyer).iter().collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_flapping_buyer_gets_its_leads_in_order_and_holds_back_nobody_elses() {
    // Every other post is turned away.
    let alfa = Buyer::scripted(|turn| match turn % 2 {
        0 => (429, json!({}), PROMPT),
        _ => (200, accepted(), PROMPT),
    })
    .await;
    let bravo = Buyer::accepting().await;
    let exchange = market(&alfa, 5_000, &bravo).await;
    let leads = post(&exchange, 5).await;
    until("bravo has all", async || sent(&bravo).len() == leads.len()).await;
    let expected: Vec<&String> = leads.iter().flat_map(|lead| [lead, lead]).collect();
    until_sent(&alfa, &expected).await;
}

#[tokio::test]
async fn a_delivery_that_waits_for_the_operators_word_lets_the_next_go() {
    let alfa = Buyer::scripted(|turn| match turn {
        0 => (200, accepted(), Duration::from_secs(60)),
        1 => (200, json!({"status": "rejected"}), PROMPT),
        _ => (200, accepted(), PROMPT),
    })
    .await;
    let bravo = Buyer::accepting().await;
    let exchange = market(&alfa, 400, &bravo).await;
    let leads = post(&exchange, 3).await;
    // The first is waited for: nothing else is sent before its end is known to be unknown.
    until("bravo has all", async || sent(&bravo).len() == leads.len()).await;
    until_sent(&alfa, &leads.iter().collect::<Vec<_>>()).await;
    let receipt = exchange.receipt(&leads[0].replace("ld_", "pg_")).await;
    let deliveries = receipt["deliveries"].as_array().unwrap().iter();
    assert!(deliveries.clone().any(|one| one["outcome"] == "unknown"), "{receipt:#}");
}

#[tokio::test]
async fn what_waits_in_line_waits_in_the_same_order_after_a_restart() {
    let alfa = Buyer::scripted(|turn| match turn {
        0..3 => (503, json!({}), PROMPT),
        _ => (200, accepted(), PROMPT),
    })
    .await;
    let bravo = Buyer::accepting().await;
    let exchange = market(&alfa, 5_000, &bravo).await;
    let leads = post(&exchange, 4).await;
    until("the first was tried", async || !sent(&alfa).is_empty()).await;
    let data = exchange.close().await;
    assert!(sent(&alfa).iter().all(|lead| *lead == leads[0]), "{:?}", sent(&alfa));
    let _exchange = Exchange::open_in(data).await;
    let first = &leads[0];
    let expected = [first, first, first, first, &leads[1], &leads[2], &leads[3]];
    until_sent(&alfa, &expected).await;
}
