//! Caps and budgets, by campaign and by buyer, as operators set them and see them used.

use gavel::clock::Moment;
use serde_json::json;

use super::{HOUR, MONDAY, Market, POST, list, text};
use crate::exchange::{auto_post, merged};

/// Says `sales posts spent` of a period of a campaign or a buyer.
async fn used(market: &Market, path: &str, period: &str) -> String {
    let used = &market.exchange.get(path).await.body["used"][period];
    format!("{} {} {}", used["sales"], used["posts"], text(used, "spent"))
}

#[tokio::test]
async fn every_cap_says_which_it_is() {
    let market = Market::open(json!({"hold_seconds": 86_400})).await;
    let capped = |caps| json!({"caps": caps, "zone": "America/Chicago"});
    market.bids("alfa", "9.00", capped(json!({"hourly": 1}))).await;
    market.bids("bravo", "8.00", capped(json!({"weekly": 1}))).await;
    market.bids("carol", "7.00", capped(json!({"monthly": 1}))).await;
    market.bids("david", "6.00", capped(json!({"daily": 5, "weekdays": {"mon": 1}}))).await;
    market.bids("emily", "5.00", capped(json!({"posts": {"daily": 1}}))).await;
    market
        .check(
            json!({}),
            "alfa at 8.01 | bravo outbid | carol outbid | david outbid | emily outbid",
        )
        .await;
    let mut out = "alfa cap-reached: hourly cap of 1".to_owned();
    for (winner, price, rest, full) in [
        ("bravo", "7.01", " | carol outbid | david outbid | emily outbid", "weekly cap of 1"),
        ("carol", "6.01", " | david outbid | emily outbid", "monthly cap of 1"),
        ("david", "5.01", " | emily outbid", "Monday's cap of 1"),
        ("emily", "2.00", "", "daily cap of 1 posts"),
    ] {
        market.check(json!({}), &format!("{winner} at {price} | {out}{rest}")).await;
        out.push_str(&format!(" | {winner} cap-reached: {full}"));
    }
    market.check(json!({}), &format!("rejected | {out}")).await;
    // Tuesday: the day has no number of its own, and five is the cap.
    market.at(24);
    let out = "bravo cap-reached: weekly cap of 1 | carol cap-reached: monthly cap of 1";
    market.check(json!({}), &format!("alfa at 6.01 | {out} | david outbid | emily outbid")).await;
}

#[tokio::test]
async fn a_buyers_caps_hold_for_all_its_campaigns_together() {
    let market = Market::open(json!({"hold_seconds": 86_400})).await;
    market.bids("alfa", "9.00", json!({"criteria": "gender = \"female\""})).await;
    market.campaign("alfa-men", "9.00", json!({"criteria": "gender = \"male\""})).await;
    let capped = merged(
        market.buyer_spec(),
        json!({"caps": {"daily": 2}, "budget": {"weekly": "20.00"}, "zone": "America/Chicago"}),
    );
    market.exchange.put("buyers/alfa", capped).await;
    let unmet = |name: &str, wanted, is| {
        format!("{name} criteria-unmet: gender = \"{wanted}\" (gender is \"{is}\")")
    };
    market
        .check(json!({}), &format!("alfa at 2.00 | {}", unmet("alfa-men", "male", "female")))
        .await;
    let men = json!({"gender": "M"});
    market
        .check(men.clone(), &format!("alfa-men at 2.00 | {}", unmet("alfa", "female", "male")))
        .await;
    let full = "cap-reached: buyer's daily cap of 2";
    market
        .check(
            json!({}),
            &format!("rejected | alfa {full} | {}", unmet("alfa-men", "male", "female")),
        )
        .await;
    assert_eq!(used(&market, "buyers/alfa", "daily").await, "2 2 4.00");
    assert_eq!(used(&market, "campaigns/alfa-men", "daily").await, "1 1 2.00");
    assert_eq!(used(&market, "campaigns/alfa", "total").await, "1 1 2.00");
    // A cap applies as soon as it is saved, with what was bought before.
    let money = merged(market.buyer_spec(), json!({"budget": {"weekly": "12.99"}}));
    market.exchange.put("buyers/alfa", money).await;
    let spent = "budget-spent: buyer's weekly budget of 12.99";
    market
        .check(
            json!({}),
            &format!("rejected | alfa {spent} | {}", unmet("alfa-men", "male", "female")),
        )
        .await;
    let money = merged(market.buyer_spec(), json!({"budget": {"weekly": "13.00"}}));
    market.exchange.put("buyers/alfa", money).await;
    market
        .check(json!({}), &format!("alfa at 2.00 | {}", unmet("alfa-men", "male", "female")))
        .await;
}

#[tokio::test]
async fn a_refused_lead_counts_as_a_post_and_not_as_a_sale() {
    let market = Market::open(json!({})).await;
    let rejecting = crate::exchange::Buyer::rejecting().await;
    market.exchange.put("buyers/alfa", json!({"delivery": {"url": rejecting.url()}})).await;
    market.exchange.deposit("alfa", "100.00").await;
    market.campaign("alfa", "9.00", json!({"caps": {"daily": 1, "posts": {"daily": 2}}})).await;
    for _ in 0..2 {
        let ping = market.check(json!({}), "alfa at 2.00").await;
        let post = market.exchange.say(POST, &auto_post(&ping)).await;
        assert_eq!(post.text("/reason/code"), "all-rejected", "{post:?}");
    }
    market.check(json!({}), "rejected | alfa cap-reached: daily cap of 2 posts").await;
    assert_eq!(used(&market, "campaigns/alfa", "daily").await, "0 2 0.00");
}

#[tokio::test]
async fn what_was_taken_is_there_after_a_restart() {
    let market = Market::open(json!({"hold_seconds": 86_400})).await;
    market.bids("alfa", "9.00", json!({"caps": {"weekly": 1}})).await;
    market.check(json!({}), "alfa at 2.00").await;
    let Market { exchange, buyer, clock } = market;
    let exchange = crate::exchange::Exchange::open_at(exchange.close().await, clock.clone()).await;
    let market = Market { exchange, buyer, clock };
    market.check(json!({}), "rejected | alfa cap-reached: weekly cap of 1").await;
    assert_eq!(used(&market, "campaigns/alfa", "weekly").await, "1 1 2.00");
}

#[tokio::test]
async fn a_clock_that_jumps_breaks_no_cap_and_loses_no_hold() {
    let market = Market::open(json!({"hold_seconds": 3_600})).await;
    market.bids("alfa", "9.00", json!({"caps": {"daily": 1}})).await;
    market.check(json!({}), "alfa at 2.00").await;
    // A day back: the price of today's ping still holds, and nothing expires.
    market.at(-24);
    market.check(json!({}), "alfa at 2.00").await;
    market.check(json!({}), "rejected | alfa cap-reached: daily cap of 1").await;
    market.at(0);
    let ping = market.check(json!({}), "rejected | alfa cap-reached: daily cap of 1").await;
    assert!(!ping.is_empty());
    // A day ahead: what was held for an hour is over, and its places are free again in their own days.
    market.at(24);
    crate::exchange::until("the holds expire", async || {
        market.account("alfa").await == "1000.00 held 0.00"
    })
    .await;
    market.at(0);
    market.check(json!({}), "alfa at 2.00").await;
    market.check(json!({}), "rejected | alfa cap-reached: daily cap of 1").await;
}

#[tokio::test]
async fn a_post_after_the_clock_was_set_ahead_is_late_and_moves_nothing() {
    let market = Market::open(json!({"hold_seconds": 60})).await;
    market.bids("alfa", "9.00", json!({})).await;
    let ping = market.check(json!({}), "alfa at 2.00").await;
    market.clock.set(Moment::from_unix_ms(MONDAY + 24 * HOUR));
    let late = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(late.text("/reason/code"), "ping-expired", "{late:?}");
    crate::exchange::until("the hold expires", async || {
        market.account("alfa").await == "1000.00 held 0.00"
    })
    .await;
    // Set back, the ping stays what it became.
    market.at(0);
    let late = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(late.text("/reason/code"), "ping-expired", "{late:?}");
    assert!(market.buyer.received().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pings_at_once_never_pass_a_cap_or_the_last_cent() {
    let market = Market::open(json!({"hold_seconds": 86_400})).await;
    market.exchange.put("sources/web", json!({"pings_per_second": 100_000})).await;
    market.buyer("alfa", "27.99").await;
    market.campaign("alfa", "9.00", json!({})).await;
    market.bids("bravo", "8.00", json!({"caps": {"hourly": 5}})).await;
    let accepted = super::stampede(&market, 200).await.len();
    // Whoever wins pays the next bid or the reserve, so the money may last longer than the bids say.
    let alfa = market.exchange.get("buyers/alfa").await;
    let (balance, held) = (alfa.text("/balance").to_owned(), alfa.text("/held").to_owned());
    let micros = |text: &str| gavel::money::Micros::parse(text).unwrap();
    assert!(micros(&held) <= micros(&balance), "{held} of {balance}");
    assert_eq!(used(&market, "campaigns/bravo", "hourly").await.split(' ').next(), Some("5"));
    let alfa = market.exchange.get("campaigns/alfa").await.body["used"]["total"]["sales"].clone();
    assert_eq!(json!(accepted), json!(alfa.as_u64().unwrap() + 5));
}

#[tokio::test]
async fn what_is_no_cap_is_refused_where_it_is_wrong() {
    let market = Market::open(json!({})).await;
    market.buyer("alfa", "0").await;
    let refused = async |path: &str, over, field: &str, message: &str| {
        let spec = if path.starts_with("buyers") {
            merged(market.buyer_spec(), over)
        } else {
            let spec = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "9.00"});
            merged(spec, over)
        };
        let reply = market.exchange.try_put(path, spec).await;
        assert_eq!(reply.status, 422, "{reply:?}");
        assert_eq!(reply.text("/field"), field, "{reply:?}");
        assert!(reply.text("/detail").contains(message), "{reply:?}");
    };
    for path in ["campaigns/alfa", "buyers/alfa"] {
        refused(path, json!({"caps": {"dayly": 1}}), "/caps/dayly", "unknown field `dayly`").await;
        refused(path, json!({"caps": {"daily": -1}}), "/caps/daily", "expected u32").await;
        refused(path, json!({"caps": {"daily": "5"}}), "/caps/daily", "expected u32").await;
        let sunday = json!({"caps": {"weekdays": {"sunday": 1}}});
        refused(path, sunday, "/caps/weekdays", "unknown variant `sunday`").await;
        let posts = json!({"caps": {"posts": {"hour": 1}}});
        refused(path, posts, "/caps/posts/hour", "unknown field `hour`").await;
        let float = json!({"budget": {"weekly": 10.5}});
        refused(path, float, "/budget/weekly", "an amount as text").await;
        refused(path, json!({"budget": {"monthly": "-1"}}), "/budget/monthly", "negative").await;
        let weekday = json!({"budget": {"weekdays": {"sat": "-1"}}});
        refused(path, weekday, "/budget/weekdays", "negative").await;
        refused(path, json!({"zone": "Chicago"}), "/zone", "no time zone `Chicago`").await;
    }
    assert_eq!(list(&market.exchange.get("campaigns").await.body, "campaigns").count(), 0);
}

#[tokio::test]
async fn a_wall_clock_that_is_set_neither_ends_a_hold_nor_keeps_it() {
    let market = Market::open(json!({"hold_seconds": 60})).await;
    market.bids("alfa", "9.00", json!({})).await;
    let held = async || market.account("alfa").await;
    for jump in [24, -24, 1, -1] {
        let ping = market.check(json!({}), "alfa at 2.00").await;
        let before = market.clock.now().unix_ms();
        market.clock.jump(Moment::from_unix_ms(before + jump * HOUR));
        // Not early: half its time later it can still be posted, or would still be held.
        let later = |seconds: i64| Moment::from_unix_ms(before + jump * HOUR + seconds * 1_000);
        market.clock.set(later(30));
        market.exchange.get("ledger").await;
        assert_eq!(held().await, "1000.00 held 2.00", "{jump} hours");
        assert_eq!(market.exchange.receipt(&ping).await["status"], "accepted", "{jump} hours");
        // Not late either: a moment after its time it is over.
        market.clock.set(later(61));
        crate::exchange::until("the hold expires", async || held().await == "1000.00 held 0.00")
            .await;
        assert_eq!(market.exchange.receipt(&ping).await["status"], "expired", "{jump} hours");
        let late = market.exchange.say(POST, &auto_post(&ping)).await;
        assert_eq!(late.text("/reason/code"), "ping-expired", "{jump} hours: {late:?}");
    }
}

#[tokio::test]
async fn a_hold_that_a_restart_finds_ends_in_its_time_though_the_clock_was_set_back() {
    let market = Market::open(json!({"hold_seconds": 60})).await;
    market.bids("alfa", "9.00", json!({})).await;
    market.check(json!({}), "alfa at 2.00").await;
    let Market { exchange, buyer, clock: _ } = market;
    let data = exchange.close().await;
    let clock = gavel::clock::Clock::standing(Moment::from_unix_ms(MONDAY - 24 * HOUR));
    let exchange = crate::exchange::Exchange::open_at(data, clock.clone()).await;
    let market = Market { exchange, buyer, clock };
    assert_eq!(market.account("alfa").await, "1000.00 held 2.00");
    let passed = |seconds: i64| Moment::from_unix_ms(MONDAY - 24 * HOUR + seconds * 1_000);
    market.clock.set(passed(59));
    assert_eq!(market.account("alfa").await, "1000.00 held 2.00");
    market.clock.set(passed(61));
    crate::exchange::until("the hold expires", async || {
        market.account("alfa").await == "1000.00 held 0.00"
    })
    .await;
}
