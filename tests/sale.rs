//! One lead's way, from the ping to the settled sale, as a source, a buyer and an operator see it.

use serde_json::json;

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post};

#[tokio::test]
async fn the_second_price_is_paid_and_settled() {
    let exchange = Exchange::with_verticals().await;
    let (high, low) = (Buyer::accepting().await, Buyer::accepting().await);
    exchange.with_buyer("high", &high.url(), "12.00").await;
    exchange.with_buyer("low", &low.url(), "8.00").await;

    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    assert_eq!((ping.status, ping.text("/status")), (200, "accepted"), "{ping:?}");
    // 8.00 + 0.01 is the price; the source gets 90 % of it.
    assert_eq!(ping.text("/price"), "7.209");

    let post = exchange.say("auto-insurance/post", &auto_post(ping.text("/ping_id"))).await;
    assert_eq!((post.text("/status"), post.text("/price")), ("sold", "7.209"), "{post:?}");
    assert_eq!(low.received().len(), 0);
    let (_, lead) = &high.received()[0];
    assert_eq!(lead["price"], "8.01");
    assert_eq!(lead["lead"]["phone"], "+12025550107");

    let ledger = exchange.get("ledger").await.body;
    assert_eq!(ledger["total"], "0.00");
    assert_eq!(ledger["accounts"]["source:web:payable"], "-7.209");
    assert_eq!(ledger["accounts"]["exchange:revenue"], "-0.801");
    let buyer = exchange.get("buyers/high").await.body;
    assert_eq!((&buyer["balance"], &buyer["held"]), (&json!("991.99"), &json!("0.00")));

    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["status"], "sold");
    assert_eq!(receipt["left_out"][0]["code"], "outbid");
    assert!(!receipt.to_string().contains("Dana"), "{receipt}");
}

#[tokio::test]
async fn a_post_need_not_say_again_what_its_ping_said() {
    let exchange = Exchange::with_verticals().await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    let contact = json!({
        "ping_id": ping.text("/ping_id"), "zip": "90210", "first_name": "Dana",
        "last_name": "Sample", "email": "dana@example.com", "phone": "2025550107",
    });
    let post = exchange.say("auto-insurance/post", &contact).await;
    assert_eq!(post.text("/status"), "sold", "{post:?}");
    let (_, lead) = &buyer.received()[0];
    assert_eq!(
        (&lead["lead"]["vehicle_make"], &lead["lead"]["gender"]),
        (&json!("Toyota"), &json!("female"))
    );
}
