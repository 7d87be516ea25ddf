//! Suppression lists: people who are not to be sold, to somebody or to anybody.

use gavel::journal::Reading;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Market, POST, text};
use crate::exchange::{OPERATOR_KEY, Reply, auto_post, client, merged, reply};

impl Market {
    /// Sends entries to a list.
    async fn entries(&self, method: Method, path: &str, form: &str, body: &str) -> Reply {
        let url = self.exchange.url(&format!("/v1/suppressions/{path}"));
        let request = client().request(method, url).bearer_auth(OPERATOR_KEY);
        reply(request.header("content-type", form).body(body.to_owned())).await
    }

    async fn add(&self, list: &str, form: &str, body: &str) -> Reply {
        self.entries(Method::POST, &format!("{list}/entries"), form, body).await
    }

    async fn list(&self, name: &str, over: Value) {
        let spec = merged(json!({"kind": "phone", "description": "made by a test"}), over);
        self.exchange.put(&format!("suppressions/{name}"), spec).await;
    }
}

fn sha256(text: &str) -> String {
    gavel::ids::Digest::of(text.as_bytes()).to_string().replace("sha256:", "")
}

#[tokio::test]
async fn a_list_takes_lines_csv_and_json_plain_or_hashed_and_counts_each_entry_once() {
    let market = Market::open(json!({})).await;
    market.list("dnc", json!({})).await;
    let lines = format!("(202) 555-0101\n\n{}\r\n2025550103\n", sha256("2025550102"));
    let added = market.add("dnc", "text/plain", &lines).await;
    assert_eq!(added.body, json!({"id": "dnc", "received": 3, "added": 3, "entries": 3}));
    let again = market.add("dnc", "text/plain", &lines).await;
    assert_eq!(again.body, json!({"id": "dnc", "received": 3, "added": 0, "entries": 3}));
    let table = "name,Phone,since\nDana,2025550103,2025\nElse,2025550104,2026\n";
    let added = market.add("dnc", "text/csv; charset=utf-8", table).await;
    assert_eq!(added.body, json!({"id": "dnc", "received": 2, "added": 1, "entries": 4}));
    let added = market.add("dnc", "application/json", "[\"2025550105\"]").await;
    assert_eq!(added.body["entries"], 5);
    let shown = market.exchange.get("suppressions/dnc").await;
    assert_eq!((shown.text("/kind"), &shown.body["entries"]), ("phone", &json!(5)), "{shown:?}");
    let remove = |path, body| market.entries(Method::DELETE, path, "text/plain", body);
    let removed = remove("dnc/entries", "2025550101\n2025550199").await;
    assert_eq!(removed.body, json!({"id": "dnc", "received": 2, "removed": 1, "entries": 4}));
    assert_eq!(remove("dnc/entries", "").await.status, 400);
    let removed = remove("dnc/entries?all=true", "").await;
    assert_eq!(removed.body, json!({"id": "dnc", "received": 0, "removed": 4, "entries": 0}));
}

#[tokio::test]
async fn what_changes_nothing_on_a_list_is_not_recorded() {
    let market = Market::open(json!({})).await;
    market.list("dnc", json!({})).await;
    let facts = async || {
        let reading = Reading::open(market.exchange.data.path()).await.unwrap();
        let head = reading.head().await.unwrap().seq;
        reading.close().await;
        head
    };
    let remove = |path, body| market.entries(Method::DELETE, path, "text/plain", body);
    let before = facts().await;
    let table = [
        (true, "2025550101\n2025550102\n2025550101", 2, 1),
        (true, "2025550102\n2025550101", 2, 1),
        (true, "2025550102\n2025550103", 3, 2),
        (false, "2025550109", 3, 2),
        (false, "2025550109\n2025550101", 2, 3),
        (false, "", 0, 4),
        (false, "", 0, 4),
    ];
    for (line, (adds, entries, left, recorded)) in table.into_iter().enumerate() {
        let changed = match entries {
            _ if adds => market.add("dnc", "text/plain", entries).await,
            "" => remove("dnc/entries?all=true", entries).await,
            _ => remove("dnc/entries", entries).await,
        };
        assert_eq!(changed.body["entries"], left, "{line}: {changed:?}");
        assert_eq!(facts().await - before, recorded, "{line}");
    }
}

#[tokio::test]
async fn what_is_no_entry_is_refused_with_its_line_and_not_repeated() {
    let market = Market::open(json!({})).await;
    market.list("dnc", json!({})).await;
    let refused = market.add("dnc", "text/plain", "2025550101\ncall Dana\n12\n").await;
    assert_eq!(refused.status, 422, "{refused:?}");
    let detail = refused.text("/detail");
    assert!(
        detail.starts_with("2 of 3 entries cannot be read, at 2, 3: each must be a phone number"),
        "{detail}"
    );
    assert!(!refused.body.to_string().contains("Dana"), "{refused:?}");
    assert_eq!(market.exchange.get("suppressions/dnc").await.body["entries"], 0);
    let refused = market.add("dnc", "application/json", "[2025550101]").await;
    assert_eq!((refused.status, refused.text("/code")), (422, "invalid"), "{refused:?}");
    assert_eq!(market.add("dnc", "application/json", "{}").await.status, 400);
    assert_eq!(market.add("dnc", "text/plain", "\n").await.status, 400);
    assert_eq!(market.add("none", "text/plain", "2025550101").await.status, 404);
    market.add("dnc", "text/plain", "2025550101").await;
    let kind = market.exchange.try_put("suppressions/dnc", json!({"kind": "email"})).await;
    assert_eq!(kind.status, 409, "{kind:?}");
    let kind = market.exchange.try_put("suppressions/mail", json!({"kind": "fax"})).await;
    assert_eq!((kind.status, kind.text("/field")), (422, "/kind"), "{kind:?}");
}

#[tokio::test]
async fn a_buyers_own_customers_are_not_shown_to_it() {
    let market = Market::open(json!({})).await;
    market.list("alfas-customers", json!({"kind": "email"})).await;
    market.list("bravos-customers", json!({})).await;
    market.buyer("alfa", "1000.00").await;
    let buyer = merged(market.buyer_spec(), json!({"suppressions": ["alfas-customers"]}));
    market.exchange.put("buyers/alfa", buyer).await;
    market.campaign("alfa", "9.00", json!({})).await;
    market.bids("bravo", "8.00", json!({"suppressions": ["bravos-customers"]})).await;
    market.bids("carol", "7.00", json!({})).await;
    market.add("alfas-customers", "text/plain", &sha256("dana@example.com")).await;
    market.add("bravos-customers", "text/plain", &sha256("+12025550107")).await;
    let ping = market.check(json!({}), "alfa at 8.01 | bravo outbid | carol outbid").await;
    let sold = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
    let receipt = market.exchange.receipt(&ping).await;
    let passed: Vec<String> = super::list(&receipt, "passed_over")
        .map(|passed| {
            format!(
                "{} {} {}",
                text(passed, "campaign"),
                text(passed, "code"),
                text(passed, "detail")
            )
        })
        .collect();
    assert_eq!(
        passed,
        [
            "alfa suppressed suppression list `alfas-customers`",
            "bravo suppressed suppression list `bravos-customers`",
        ]
    );
    let received = market.buyer.received();
    assert_eq!(received.len(), 1);
    assert_eq!(text(&received[0].1, "campaign"), "carol");
    // The same people are nobody's customers at carol's, and a list must be there to be named.
    let spec = json!({"buyer": "carol", "vertical": "auto-insurance", "price": "7.00", "suppressions": ["none"]});
    let refused = market.exchange.try_put("campaigns/carol", spec).await;
    assert_eq!((refused.status, refused.text("/field")), (422, "/suppressions/0"), "{refused:?}");
    assert!(refused.text("/detail").contains("PUT /v1/suppressions/none"), "{refused:?}");
}

#[tokio::test]
async fn who_is_on_a_list_for_everyone_is_sold_to_nobody() {
    let market = Market::open(json!({})).await;
    market.list("dnc", json!({"everyone": true})).await;
    market.bids("alfa", "9.00", json!({})).await;
    market.add("dnc", "text/plain", "202-555-0107").await;
    let ping = market.check(json!({}), "alfa at 2.00").await;
    let unsold = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(
        (unsold.text("/status"), unsold.text("/reason/code")),
        ("unsold", "suppressed"),
        "{unsold:?}"
    );
    assert_eq!(
        text(&market.exchange.receipt(&ping).await["post_refused"], "detail"),
        "suppression list `dnc`"
    );
    assert_eq!(market.account("alfa").await, "1000.00 held 0.00");
    let full = merged(auto_post(""), json!({}));
    let full = market.exchange.say("auto-insurance/full", &full).await;
    assert_eq!(
        (full.text("/status"), full.text("/reason/code")),
        ("unsold", "suppressed"),
        "{full:?}"
    );
    // The list is there after a restart, and is gone when its entries are.
    let Market { exchange, buyer, clock } = market;
    let exchange = crate::exchange::Exchange::open_at(exchange.close().await, clock.clone()).await;
    let market = Market { exchange, buyer, clock };
    let ping = market.check(json!({}), "alfa at 2.00").await;
    let unsold = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(unsold.text("/reason/code"), "suppressed", "{unsold:?}");
    market.entries(Method::DELETE, "dnc/entries?all=true", "text/plain", "").await;
    let ping = market.check(json!({}), "alfa at 2.00").await;
    market.sell(&ping).await;
}

#[tokio::test]
async fn a_list_is_sent_in_parts_and_is_kept_in_facts_of_a_size() {
    let market = Market::open(json!({})).await;
    market.list("dnc", json!({"everyone": true})).await;
    market.bids("alfa", "9.00", json!({})).await;
    let numbers = |part: u64| {
        let lines =
            (0..70_000).map(|number| format!("{}\n", 3_022_000_000 + part * 35_000 + number));
        lines.collect::<String>()
    };
    // Each part repeats half of the one before it.
    for (part, entries) in [(0, 70_000), (1, 105_000), (2, 140_000)] {
        let added = market.add("dnc", "text/plain", &numbers(part)).await;
        assert_eq!(added.body["entries"], entries, "{added:?}");
    }
    let ping = market.check(json!({}), "alfa at 2.00").await;
    let post = merged(auto_post(&ping), json!({"phone": "3022139999"}));
    let unsold = market.exchange.say(POST, &post).await;
    assert_eq!(unsold.text("/reason/code"), "suppressed", "{unsold:?}");
}
