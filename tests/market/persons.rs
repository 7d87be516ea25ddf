//! People who were sold before, by phone and e-mail, as the post brings them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gavel::clock::Moment;
use serde_json::{Value, json};

use super::{HOUR, MONDAY, Market, POST, list, text};
use crate::exchange::{Buyer, Reply, auto_post, merged, until};

const MONTH: u32 = 30 * 86_400;

fn by(by: &str) -> Value {
    json!({"duplicates": {"by": by, "window_seconds": MONTH}})
}

impl Market {
    /// Posts the person with this phone and e-mail.
    async fn post(&self, ping_id: &str, phone: &str, email: &str) -> Reply {
        let person = json!({"phone": phone, "email": email});
        self.exchange.say(POST, &merged(auto_post(ping_id), person)).await
    }

    /// Renders who was passed over: `alfa duplicate-person: why, copy 0 to bravo at 2.00`.
    async fn passed_over(&self, ping_id: &str) -> String {
        let receipt = self.exchange.receipt(ping_id).await;
        let passed = list(&receipt, "passed_over").map(|passed| {
            assert!(text(passed, "message").contains(' '), "{passed}");
            let copy = passed["copy"].as_u64().map_or(String::new(), |copy| {
                let to = passed["successor"].as_object().map_or("nobody".to_owned(), |won| {
                    format!(
                        "{} at {}",
                        won["campaign"].as_str().unwrap(),
                        won["price"].as_str().unwrap()
                    )
                });
                format!(", copy {copy} to {to}")
            });
            format!(
                "{} {}: {}{copy}",
                text(passed, "campaign"),
                text(passed, "code"),
                text(passed, "detail")
            )
        });
        passed.collect::<Vec<String>>().join(" | ")
    }
}

#[tokio::test]
async fn a_winner_that_bought_the_person_before_is_passed_over_before_it_sees_the_lead() {
    let market = Market::open(json!({})).await;
    market.bids("alfa", "9.00", by("phone")).await;
    market.bids("bravo", "5.00", json!({})).await;
    let first = market.check(json!({}), "alfa at 5.01 | bravo outbid").await;
    assert_eq!(
        market.post(&first, "(202) 555-0107", "dana@example.com").await.text("/status"),
        "sold"
    );
    // Another spelling of the same number, another address.
    let second = market.check(json!({}), "alfa at 5.01 | bravo outbid").await;
    let sold = market.post(&second, "+1 202 555 0107", "else@example.com").await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
    assert_eq!(
        market.passed_over(&second).await,
        "alfa duplicate-person: the same phone was sold to the campaign within 2592000 seconds, copy 0 to bravo at 2.00"
    );
    let shown: Vec<String> =
        market.buyer.received().iter().map(|(_, body)| text(body, "campaign").to_owned()).collect();
    assert_eq!(shown, ["alfa", "bravo"]);
    assert_eq!(market.account("alfa").await, "994.99 held 0.00");
    assert_eq!(market.account("bravo").await, "998.00 held 0.00");
    // Nothing was shown to it, so nothing counts.
    let used = market.exchange.get("campaigns/alfa").await.body["used"]["total"].clone();
    assert_eq!(used, json!({"sales": 1, "posts": 1, "spent": "5.01"}));
    let other = market.check(json!({}), "alfa at 5.01 | bravo outbid").await;
    market.post(&other, "2025550199", "dana@example.com").await;
    assert_eq!(market.passed_over(&other).await, "");
    // Long after, the person is new again.
    market.clock.set(Moment::from_unix_ms(MONDAY + i64::from(MONTH) * 1_000 + HOUR));
    let later = market.check(json!({}), "alfa at 5.01 | bravo outbid").await;
    market.post(&later, "2025550107", "dana@example.com").await;
    assert_eq!(market.passed_over(&later).await, "");
}

#[tokio::test]
async fn what_is_the_same_is_the_campaigns_and_the_buyers_to_say() {
    let market = Market::open(json!({})).await;
    market.bids("alfa", "9.00", by("both")).await;
    let buyer = merged(market.buyer_spec(), by("email"));
    market.buyer("bravo", "1000.00").await;
    market.exchange.put("buyers/bravo", buyer).await;
    market.campaign("bravo-one", "8.00", json!({"criteria": "gender = \"female\""})).await;
    market.campaign("bravo-two", "8.00", json!({"criteria": "gender = \"male\""})).await;
    let win = async |gender: &str, phone: &str, email: &str| {
        let ping = market
            .exchange
            .say(super::PING, &merged(crate::exchange::auto_ping(), json!({"gender": gender})))
            .await;
        let ping = ping.text("/ping_id").to_owned();
        let person = json!({"gender": gender, "phone": phone, "email": email});
        let post = market.exchange.say(POST, &merged(auto_post(&ping), person)).await;
        assert_eq!(post.status, 200, "{post:?}");
        market.passed_over(&ping).await
    };
    assert_eq!(win("F", "2025550107", "dana@example.com").await, "");
    // The same phone alone is not both.
    assert_eq!(win("F", "2025550107", "else@example.com").await, "");
    let alfa = "alfa duplicate-person: the same phone and e-mail was sold to the campaign within 2592000 seconds, copy 0 to";
    assert_eq!(
        win("F", "2025550107", "dana@example.com").await,
        format!("{alfa} bravo-one at 2.00")
    );
    // The other campaign of a buyer that has the person by now.
    let bravo =
        "bravo-two duplicate-person: the same e-mail was sold to the buyer within 2592000 seconds";
    let both = win("M", "2025550107", "Dana@Example.com").await;
    assert_eq!(both, format!("{alfa} nobody | {bravo}"));
}

#[tokio::test]
async fn a_person_who_was_sold_in_the_vertical_is_not_sold_again_within_its_window() {
    let market = Market::open(by("either")).await;
    market.bids("alfa", "9.00", json!({})).await;
    market.bids("bravo", "8.00", json!({})).await;
    let first = market.check(json!({}), "alfa at 8.01 | bravo outbid").await;
    assert_eq!(market.post(&first, "2025550107", "dana@example.com").await.text("/status"), "sold");
    let second = market.check(json!({}), "alfa at 8.01 | bravo outbid").await;
    let unsold = market.post(&second, "2025550108", "dana@example.com").await;
    assert_eq!(
        (unsold.text("/status"), unsold.text("/reason/code")),
        ("unsold", "duplicate-person"),
        "{unsold:?}"
    );
    let receipt = market.exchange.receipt(&second).await;
    assert_eq!(text(&receipt, "status"), "unsold");
    assert_eq!(
        text(&receipt["post_refused"], "detail"),
        "the same phone or e-mail was sold in the vertical within 2592000 seconds"
    );
    assert_eq!(market.account("alfa").await, "991.99 held 0.00");
    assert_eq!(market.buyer.received().len(), 1);
    // The same post again, and another one, hear the same.
    let again = market.post(&second, "2025550108", "dana@example.com").await;
    assert_eq!(again.body, unsold.body);
    let other = market.post(&second, "2025550109", "new@example.com").await;
    assert_eq!((other.status, other.text("/code")), (422, "already-posted"), "{other:?}");
    // After a restart too.
    let Market { exchange, buyer, clock } = market;
    let exchange = crate::exchange::Exchange::open_at(exchange.close().await, clock.clone()).await;
    let market = Market { exchange, buyer, clock };
    let third = market.check(json!({}), "alfa at 8.01 | bravo outbid").await;
    let unsold = market.post(&third, "2025550107", "third@example.com").await;
    assert_eq!(unsold.text("/reason/code"), "duplicate-person");
}

#[tokio::test]
async fn a_lead_on_its_way_to_a_buyer_counts_until_the_buyer_refuses_it() {
    let market = Market::open(by("phone")).await;
    let slow = Buyer::scripted(|turn| {
        let pause = if turn == 0 { Duration::from_millis(1_500) } else { Duration::ZERO };
        let answer = if turn == 0 {
            json!({"status": "rejected", "reason": "no"})
        } else {
            json!({"status": "accepted"})
        };
        (200, answer, pause)
    })
    .await;
    market.exchange.put("buyers/alfa", json!({"delivery": {"url": slow.url()}})).await;
    market.exchange.deposit("alfa", "100.00").await;
    market.campaign("alfa", "9.00", json!({})).await;
    let [one, two, three] = [
        market.check(json!({}), "alfa at 2.00").await,
        market.check(json!({}), "alfa at 2.00").await,
        market.check(json!({}), "alfa at 2.00").await,
    ];
    let (first, second) = tokio::join!(market.post(&one, "2025550107", "a@example.com"), async {
        until("the first is on its way", async || !slow.received().is_empty()).await;
        market.post(&two, "2025550107", "b@example.com").await
    });
    assert_eq!(first.text("/reason/code"), "all-rejected", "{first:?}");
    assert_eq!(second.text("/reason/code"), "duplicate-person", "{second:?}");
    let third = market.post(&three, "2025550107", "c@example.com").await;
    assert_eq!(third.text("/status"), "sold", "{third:?}");
}

#[tokio::test]
async fn of_two_posts_at_once_for_one_ping_one_claims_it() {
    let market = Market::open(json!({})).await;
    market.bids("alfa", "9.00", json!({})).await;
    for _ in 0..20 {
        let ping = market.check(json!({}), "alfa at 2.00").await;
        let (one, other) = tokio::join!(
            market.post(&ping, "2025550107", "dana@example.com"),
            market.post(&ping, "2025550108", "dana@example.com"),
        );
        let heard = AtomicUsize::new(0);
        for post in [&one, &other] {
            match post.status {
                200 => drop(heard.fetch_add(1, Ordering::Relaxed)),
                status => {
                    assert_eq!((status, post.text("/code")), (422, "already-posted"), "{post:?}")
                }
            }
        }
        assert_eq!(heard.into_inner(), 1, "{one:?} {other:?}");
        // The same post twice is one sale that both hear of.
        let ping = market.check(json!({}), "alfa at 2.00").await;
        let (one, other) = tokio::join!(
            market.post(&ping, "2025550107", "dana@example.com"),
            market.post(&ping, "2025550107", "dana@example.com"),
        );
        for post in [one, other] {
            assert!(["sold", "pending"].contains(&post.text("/status")), "{post:?}");
        }
    }
    until("all are sold", async || market.account("alfa").await == "920.00 held 0.00").await;
    assert_eq!(market.buyer.received().len(), 40);
}

#[tokio::test]
async fn a_deposit_that_is_sent_twice_counts_once() {
    let market = Market::open(json!({})).await;
    market.buyer("alfa", "0").await;
    let deposit = |amount: Value| json!({"amount": amount, "reference": "wire-1"});
    let path = "buyers/alfa/deposits";
    let sent = async |amount: Value| market.exchange.post(path, deposit(amount)).await;
    let (one, other) = tokio::join!(sent(json!("10.00")), sent(json!("10.00")));
    let mut heard = [one.status, other.status];
    heard.sort_unstable();
    assert_eq!(heard, [200, 201], "{one:?} {other:?}");
    assert_eq!(sent(json!("10.01")).await.status, 409);
    for (amount, status) in [
        (json!(10.0), 422),
        (json!("-10.00"), 422),
        (json!("0"), 422),
        (json!("10.0000001"), 422),
        (json!("9223372036854.775808"), 422),
        (json!("10.00 EUR"), 422),
    ] {
        let refused = sent(amount.clone()).await;
        assert_eq!(refused.status, status, "{amount}: {refused:?}");
        assert_eq!(refused.text("/field"), "/amount", "{amount}: {refused:?}");
    }
    let most = json!({"amount": "9223372036854.775807", "reference": "wire-2"});
    assert_eq!(market.exchange.post(path, most).await.text("/field"), "/amount");
    assert_eq!(market.account("alfa").await, "10.00 held 0.00");
}

#[tokio::test]
async fn what_is_no_window_is_refused_where_it_is_wrong() {
    let market = Market::open(json!({})).await;
    market.buyer("alfa", "0").await;
    for (duplicates, field, message) in [
        (json!({"by": "phone"}), "/duplicates", "missing field `window_seconds`"),
        (json!({"by": "name", "window_seconds": 1}), "/duplicates/by", "unknown variant `name`"),
        (
            json!({"window_seconds": 0}),
            "/duplicates/window_seconds",
            "must be 1 to 7776000, but is 0",
        ),
        (
            json!({"window_seconds": 7_776_001}),
            "/duplicates/window_seconds",
            "must be 1 to 7776000",
        ),
    ] {
        let campaign = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "9.00", "duplicates": duplicates});
        let vertical = json!({"module": "auto-insurance", "duplicates": duplicates});
        let buyer = merged(market.buyer_spec(), json!({"duplicates": duplicates}));
        for (path, spec) in [
            ("campaigns/alfa", campaign),
            ("buyers/alfa", buyer),
            ("verticals/auto-insurance", vertical),
        ] {
            let refused = market.exchange.try_put(path, spec).await;
            assert_eq!(
                (refused.status, refused.text("/field")),
                (422, field),
                "{path}: {refused:?}"
            );
            assert!(refused.text("/detail").contains(message), "{refused:?}");
        }
    }
}
