//! What people and their programs read: the newest auctions, what a vertical takes, the pages.

use serde_json::json;

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, merged, reply};

#[tokio::test]
async fn the_newest_auctions_come_first_as_they_stand() {
    let exchange = Exchange::with_verticals().await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    let sold = exchange.say("auto-insurance/ping", &auto_ping()).await;
    exchange.say("auto-insurance/post", &auto_post(sold.text("/ping_id"))).await;
    let other = merged(auto_ping(), json!({"zip": "94105"}));
    let open = exchange.say("auto-insurance/ping", &other).await;

    let list = exchange.get("auctions").await;
    assert_eq!(list.text("/auctions/0/auction"), open.text("/ping_id"), "{list:?}");
    assert_eq!(list.text("/auctions/0/status"), "accepted");
    assert_eq!(list.text("/auctions/1/status"), "sold");
    assert_eq!(list.text("/auctions/1/price"), "2.00");
    assert_eq!(list.body["auctions"][1]["buyers"], json!(["acme"]));

    let one = exchange.get("auctions?limit=1").await;
    assert_eq!(one.body["auctions"].as_array().unwrap().len(), 1);
    assert_eq!(exchange.get("auctions?limit=many").await.status, 400);
}

#[tokio::test]
async fn every_buyer_is_listed_with_its_money() {
    let exchange = Exchange::with_verticals().await;
    exchange.with_buyer("acme", "http://127.0.0.1:9999/leads", "12.00").await;
    exchange.say("auto-insurance/ping", &auto_ping()).await;
    let buyers = exchange.get("buyers").await;
    assert_eq!(buyers.text("/buyers/0/balance"), "1000.00");
    assert_eq!(buyers.text("/buyers/0/held"), "2.00");
    assert_eq!(buyers.text("/buyers/0/available"), "998.00");
}

#[tokio::test]
async fn a_vertical_tells_anybody_what_it_takes() {
    let exchange = Exchange::with_verticals().await;
    let client = crate::exchange::client();
    let spec = reply(client.get(exchange.url("/v1/auto-insurance/spec"))).await;
    assert_eq!((spec.status, spec.text("/vertical")), (200, "auto-insurance"), "{spec:?}");
    let fields = spec.body["fields"].as_array().unwrap();
    let zip = fields.iter().find(|field| field["name"] == "zip").unwrap();
    assert_eq!((&zip["kind"], &zip["required_on_ping"]), (&json!("text"), &json!(true)));
    let phone = fields.iter().find(|field| field["name"] == "phone").unwrap();
    assert_eq!(phone["contact"], json!(true));

    let unknown = reply(client.get(exchange.url("/v1/boats/spec"))).await;
    assert_eq!((unknown.status, unknown.text("/code")), (404, "vertical-not-found"));
    exchange
        .put("verticals/auto-insurance", json!({"module": "auto-insurance", "active": false}))
        .await;
    assert_eq!(reply(client.get(exchange.url("/v1/auto-insurance/spec"))).await.status, 404);
}

#[tokio::test]
async fn pages_run_nothing_that_is_not_their_own() {
    let exchange = Exchange::with_verticals().await;
    for path in ["/docs", "/console"] {
        let response = crate::exchange::client().get(exchange.url(path)).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with("text/html"), "{path}");
        let (policy, sniffing) =
            (header("content-security-policy"), header("x-content-type-options"));
        let nonce = policy.split("script-src 'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert!(nonce.len() >= 32 && !policy.contains("unsafe"), "{policy}");
        assert_eq!(sniffing, "nosniff");
        let page = response.text().await.unwrap();
        assert!(page.contains(&format!("<script nonce=\"{nonce}\">")), "{path}");
        assert!(!page.contains("{{"), "{path}");
    }
}
