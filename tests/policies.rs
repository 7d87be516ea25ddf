//! By which rules a lead is sold: what an operator's policies make of the same bids, as receipts say it.

use gavel::book::REJECTS_MIN;
use gavel::clock::{Clock, Moment};
use gavel::exchange::{Means, replay, verify};
use gavel::sandbox::Compiler;
use gavel::signing::PublicKey;
use serde_json::{Value, json};

use crate::exchange::{
    Buyer, Exchange, Reply, auto_ping, auto_post, client, merged, module, reply, until,
};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";
const MORNING: i64 = 1_767_625_200_000;

/// An exchange for auto insurance with reserve 2.00 and increment 0.01, where every buyer takes what it is sent unless it
/// is called `nay`, which refuses everything.
struct Market {
    exchange: Exchange,
    yes: Buyer,
    no: Buyer,
    clock: Clock,
}

impl Market {
    async fn open(terms: Value) -> Self {
        let clock = Clock::standing(Moment::from_unix_ms(MORNING));
        let exchange = Exchange::with_auto(clock.clone(), terms).await;
        let (yes, no) = (Buyer::accepting().await, Buyer::rejecting().await);
        Self { exchange, yes, no, clock }
    }

    /// Saves a buyer with 1,000.00 and one campaign of the same name that bids so, such as `{"price": "9.00"}`.
    async fn bids(&self, name: &str, bid: Value) {
        let url = if name.starts_with("nay") { self.no.url() } else { self.yes.url() };
        let buyer = json!({"delivery": {"url": url}});
        if self.exchange.put(&format!("buyers/{name}"), buyer).await.status == 201 {
            self.exchange.deposit(name, "1000.00").await;
        }
        let campaign = merged(json!({"buyer": name, "vertical": "auto-insurance"}), bid);
        self.exchange.put(&format!("campaigns/{name}"), campaign).await;
    }

    async fn prices(&self, bids: &[(&str, &str)]) {
        for (name, price) in bids {
            self.bids(name, json!({"price": price})).await;
        }
    }

    /// Saves the policy `p` for all auto insurance with these members.
    async fn policy(&self, members: Value) -> Reply {
        let policy = json!({"verticals": ["auto-insurance"], "priority": 1});
        self.exchange.put("policies/p", merged(policy, members)).await
    }

    async fn ping(&self, over: Value) -> Reply {
        let ping = self.exchange.say(PING, &merged(auto_ping(), over)).await;
        assert_eq!(ping.status, 200, "{ping:?}");
        ping
    }

    async fn post(&self, ping: &Reply, over: Value) -> Reply {
        self.exchange.say(POST, &merged(auto_post(ping.text("/ping_id")), over)).await
    }

    /// Sends the usual lead so changed, and compares its receipt with `p fixed | alfa 8.00 | bravo outranked`: policy and
    /// rule, who wins and pays what, why the others do not.
    #[track_caller]
    fn check<'m>(&'m self, over: Value, expected: &'m str) -> impl Future<Output = Reply> + 'm {
        let at = std::panic::Location::caller();
        async move {
            let ping = self.ping(over).await;
            let receipt = self.exchange.receipt(ping.text("/ping_id")).await;
            assert_eq!(told(&receipt), expected, "{at}: {receipt:#}");
            assert_eq!(ping.text("/status"), receipt["status"], "{at}");
            ping
        }
    }

    async fn held(&self, buyer: &str) -> String {
        self.exchange.get(&format!("buyers/{buyer}")).await.text("/held").to_owned()
    }

    /// Closes the exchange and holds every auction again.
    async fn replays(self, auctions: u64) {
        let data = self.exchange.close().await;
        let replayed = replay(data.path(), Compiler::InProcess, |_| ()).await.unwrap();
        assert_eq!((replayed.differences, replayed.auctions), (vec![], auctions));
    }
}

fn told(receipt: &Value) -> String {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or("-").to_owned();
    let terms = &receipt["terms"];
    let mut told = vec![format!("{} {}", text(terms, "policy"), text(terms, "rule"))];
    let winners = receipt["winners"].as_array().unwrap().iter();
    let winners: Vec<String> = winners
        .map(|won| {
            let alone = terms["copies"] != 1 && won["exclusive"] == true;
            let alone = if alone { " alone" } else { "" };
            format!("{} {}{alone}", text(won, "campaign"), text(won, "price"))
        })
        .collect();
    told.push(if winners.is_empty() { "nobody".to_owned() } else { winners.join(" ") });
    for left in receipt["left_out"].as_array().unwrap() {
        told.push(format!("{} {}", text(left, "campaign"), text(left, "code")));
        assert!(text(left, "message").contains(' '), "{left}");
    }
    told.join(" | ")
}

#[tokio::test]
async fn a_buyer_that_refuses_what_it_won_is_ranked_by_less_and_pays_no_more_than_it_bid() {
    let market = Market::open(json!({})).await;
    market.prices(&[("nay", "12.00"), ("bravo", "9.00")]).await;
    let saved = market.policy(json!({"reject_penalty": true})).await;
    assert_eq!(saved.body["reject_penalty"], true, "{saved:?}");
    let won = "p second-price | nay 9.01 | bravo outbid";
    for turn in 0..REJECTS_MIN {
        let person =
            json!({"phone": format!("20255501{turn:02}"), "email": format!("d{turn}@example.com")});
        let sold = market.post(&market.check(json!({}), won).await, person).await;
        // By what was known at the ping: the next bidder pays the reserve.
        assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
    }
    // All of its last 20 posts were refused, so nothing of its bid is left.
    let ping = market.check(json!({}), "p second-price | bravo 2.00 | nay outbid").await;
    let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["terms"]["reject_penalty"], true);
    let bids: Vec<String> = receipt["bids"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bid| {
            let text = |name: &str| bid[name].as_str().unwrap();
            format!(
                "{} {} {} {}",
                text("buyer"),
                text("amount"),
                text("reject_rate_percent"),
                text("ranked")
            )
        })
        .collect();
    assert_eq!(bids, ["bravo 9.00 0 9.00", "nay 12.00 100 0.00"]);
    // Half of 40 refused leaves half of the bid: 24.00 is worth 12.00, and 18.02 is the least that still wins.
    market.prices(&[("nay", "24.00")]).await;
    let buyer = json!({"delivery": {"url": market.yes.url()}});
    market.exchange.put("buyers/nay", buyer).await;
    market.policy(json!({"reject_penalty": false})).await;
    for turn in 0..REJECTS_MIN {
        let person =
            json!({"phone": format!("20255502{turn:02}"), "email": format!("e{turn}@example.com")});
        let ping = market.check(json!({}), won).await;
        assert_eq!(market.post(&ping, person).await.text("/status"), "sold");
    }
    market.policy(json!({"reject_penalty": true})).await;
    let halved = market.check(json!({}), "p second-price | nay 18.02 | bravo outbid").await;
    for text in [ping.text("/ping_id"), halved.text("/ping_id")] {
        let receipt = market.exchange.get(&format!("auctions/{text}?full=1")).await.body;
        let keys = market.exchange.get("keys").await.body;
        let keys = keys["keys"].as_array().unwrap().iter();
        let keys: Vec<PublicKey> =
            keys.map(|key| PublicKey::parse(key["public"].as_str().unwrap()).unwrap()).collect();
        let folder = tempfile::TempDir::new().unwrap();
        std::fs::write(folder.path().join("m.wasm"), module("auto-insurance")).unwrap();
        let (modules, compiler) = (Some(folder.path()), Compiler::InProcess);
        let means = Means { keys: &keys, modules, compiler };
        assert!(verify(&receipt.to_string(), &means).unwrap().holds(), "{receipt:#}");
        // What the receipt says of the rate is what the auction was held by.
        let changed = receipt
            .to_string()
            .replace("\"reject_rate_percent\":\"50\"", "\"reject_rate_percent\":\"0\"");
        let changed =
            changed.replace("\"reject_rate_percent\":\"100\"", "\"reject_rate_percent\":\"0\"");
        assert!(!verify(&changed, &means).is_ok_and(|verified| verified.holds()));
    }
    market.replays(u64::from(2 * REJECTS_MIN + 2)).await;
}

#[tokio::test]
async fn the_first_policy_that_is_for_the_lead_makes_its_terms() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "9.00"), ("bravo", "8.00")]).await;
    market.check(json!({}), "- second-price | alfa 8.01 | bravo outbid").await;
    let policy = |priority: u32, rule: &str, when: Value| {
        let policy = json!({"verticals": ["auto-insurance"], "priority": priority, "rule": rule});
        merged(policy, json!({"when": when, "reserve": "3.00", "increment": "0.50"}))
    };
    let young = json!({"field": "age", "lt": 30});
    market.exchange.put("policies/young", policy(20, "first-price", young)).await;
    let here = json!("source = \"web\" and state in [\"CA\"]");
    let saved = market.exchange.put("policies/here", policy(30, "second-price", here)).await;
    assert_eq!((saved.status, saved.text("/id")), (201, "here"));
    market.check(json!({}), "here second-price | alfa 8.50 | bravo outbid").await;
    let born = json!({"date_of_birth": "2000-06-01"});
    let ping = market.check(born, "young first-price | alfa 9.00 | bravo outbid").await;
    let away = json!({"zip": "10025", "state": "NY"});
    market.check(away, "- second-price | alfa 8.01 | bravo outbid").await;

    let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(
        receipt["terms"],
        json!({
            "policy": "young", "rule": "first-price", "rank": "bid", "copies": 1, "reserve": "3.00",
            "increment": "0.50", "disclosures_max": 3, "changed_post": "refuse",
        })
    );
    let all = market.exchange.get("policies").await;
    let ids: Vec<&str> = all.body["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["young", "here"]);
    let paused = merged(policy(20, "first-price", json!("age < 30")), json!({"active": false}));
    market.exchange.put("policies/young", paused).await;
    let born = json!({"date_of_birth": "2000-06-01"});
    market.check(born, "here second-price | alfa 8.50 | bravo outbid").await;
    assert_eq!(market.exchange.get("policies/young").await.body["active"], false);
    market.replays(5).await;
}

#[tokio::test]
async fn at_the_first_price_each_winner_pays_its_own_bid() {
    let market = Market::open(json!({})).await;
    market
        .prices(&[("alfa", "9.00"), ("bravo", "8.00"), ("carol", "7.00"), ("dora", "1.00")])
        .await;
    market.policy(json!({"rule": "first-price", "copies": 2})).await;
    let expected = "p first-price | alfa 9.00 bravo 8.00 | carol outbid | dora below-reserve";
    let ping = market.check(json!({}), expected).await;
    assert_eq!((ping.text("/price"), &ping.body["firm"]), ("15.30", &json!(false)));
    let sold = market.post(&ping, json!({})).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "15.30"), "{sold:?}");
    let alfa = market.exchange.get("buyers/alfa").await;
    assert_eq!(alfa.text("/balance"), "991.00");
    assert_eq!(market.exchange.get("ledger").await.text("/total"), "0.00");
    market.replays(1).await;
}

#[tokio::test]
async fn at_a_fixed_price_everyone_who_bids_enough_may_have_the_lead_for_it() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "7.00"), ("bravo", "9.00"), ("carol", "5.99")]).await;
    market.policy(json!({"rule": "fixed", "price": "6.00"})).await;
    let ping =
        market.check(json!({}), "p fixed | bravo 6.00 | alfa outbid | carol below-reserve").await;
    assert_eq!((ping.text("/price"), &ping.body["firm"]), ("5.40", &json!(true)));
    let order =
        json!({"rule": "fixed", "price": "6.00", "rank": "order", "order": ["carol", "alfa"]});
    market.policy(order).await;
    market.check(json!({}), "p fixed | alfa 6.00 | bravo outranked | carol below-reserve").await;
    // A source that asks for more than the fixed price gets no sale rather than another price.
    let asks = json!({"minimum_price": "5.41"});
    let expected =
        "p fixed | nobody | alfa below-reserve | bravo below-reserve | carol below-reserve";
    let ping = market.check(asks, expected).await;
    assert_eq!(ping.text("/reason/code"), "bids-below-reserve");
    market.replays(3).await;
}

#[tokio::test]
async fn a_lower_tier_gets_only_what_no_higher_one_takes() {
    let market = Market::open(json!({})).await;
    market
        .prices(&[("alfa", "6.00"), ("bravo", "5.00"), ("carol", "20.00"), ("dora", "30.00")])
        .await;
    let tiers = |unlisted: &str, copies: u32| {
        json!({
            "rule": "tiers", "unlisted": unlisted, "copies": copies,
            "tiers": [
                {"campaigns": ["alfa"], "buyers": ["bravo"]},
                {"campaigns": ["carol"], "rule": "fixed", "price": "12.00", "reserve": "10.00"},
            ],
        })
    };
    market.policy(tiers("excluded", 1)).await;
    let expected = "p tiers | alfa 5.01 | bravo outbid | carol lower-tier | dora not-in-policy";
    let ping = market.check(json!({}), expected).await;
    let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
    let second = json!({"rule": "fixed", "price": "12.00", "rank": "bid", "reserve": "10.00"});
    assert_eq!(receipt["terms"]["tiers"][1], second);
    assert_eq!(
        receipt["bids"][2],
        json!({"campaign": "carol", "buyer": "carol", "amount": "20.00", "tier": 2})
    );
    let asks = json!({"minimum_price": "6.00"});
    let expected =
        "p tiers | carol 12.00 | alfa below-reserve | bravo below-reserve | dora not-in-policy";
    market.check(asks, expected).await;
    market.policy(tiers("last", 3)).await;
    let expected = "p tiers | alfa 2.00 bravo 2.00 carol 12.00 | dora lower-tier";
    let ping = market.check(json!({}), expected).await;
    let sold = market.post(&ping, json!({})).await;
    assert_eq!((sold.text("/price"), &sold.body["copies"]), ("14.40", &json!(3)), "{sold:?}");
    market.policy(tiers("last", 4)).await;
    market.check(json!({}), "p tiers | alfa 2.00 bravo 2.00 carol 12.00 dora 2.00").await;
    market.replays(4).await;
}

#[tokio::test]
async fn a_weighted_tier_draws_and_falls_through_to_the_next() {
    let market = Market::open(json!({})).await;
    market.prices(&[("nay", "9.00"), ("bravo", "8.00"), ("carol", "7.00")]).await;
    let drawn = json!({
        "buyers": ["nay", "bravo"], "rank": "weighted", "rule": "first-price",
        "weights": {"nay": 1_000_000},
    });
    let tiers = json!([drawn, {"campaigns": ["carol"]}]);
    market.policy(json!({"rule": "tiers", "unlisted": "excluded", "tiers": tiers})).await;
    let ping =
        market.check(json!({}), "p tiers | nay 9.00 | bravo outranked | carol lower-tier").await;
    assert_eq!(ping.body["firm"], false);
    let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
    let weights: Vec<&Value> =
        receipt["bids"].as_array().unwrap().iter().map(|bid| &bid["weight"]).collect();
    assert_eq!(weights, [&json!(1), &Value::Null, &json!(1_000_000)]);
    let sold = market.post(&ping, json!({})).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "7.20"), "{sold:?}");
    let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["deliveries"][0]["successor"]["campaign"], "bravo");
    let even = json!({"buyers": ["alfa", "bravo"], "rank": "weighted", "rule": "first-price"});
    market.bids("alfa", json!({"price": "3.00"})).await;
    market.policy(json!({"rule": "tiers", "unlisted": "excluded", "tiers": [even]})).await;
    let mut alfa = 0;
    for _ in 0..64 {
        let ping = market.ping(json!({})).await;
        let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
        alfa += usize::from(receipt["winners"][0]["campaign"] == "alfa");
    }
    // Both take turns although one bids more: fewer than 13 of 64 is a chance of one in a million.
    assert!((13..=51).contains(&alfa), "{alfa}");
    market.replays(65).await;
}

#[tokio::test]
async fn a_lead_is_sold_alone_where_that_brings_more_than_its_copies() {
    let market = Market::open(json!({"copies": 2})).await;
    market.bids("alfa", json!({"prices": {"exclusive": "20.00", "shared": "8.00"}})).await;
    market.prices(&[("bravo", "8.00")]).await;
    market.bids("carol", json!({"prices": {"shared": "7.50"}})).await;
    let expected = "- second-price | alfa 15.51 alone | bravo outbid | carol outbid";
    let ping = market.check(json!({}), expected).await;
    assert_eq!(market.held("alfa").await, "15.51");
    let receipt = market.exchange.receipt(ping.text("/ping_id")).await;
    let bid = json!({"campaign": "alfa", "buyer": "alfa", "amount": "8.00", "exclusive": "20.00"});
    assert_eq!(receipt["bids"][0], bid);
    let sold = market.post(&ping, json!({})).await;
    assert_eq!((sold.text("/price"), &sold.body["copies"]), ("13.959", &json!(1)), "{sold:?}");
    // Two copies of 8.00 and 8.50 bring more than 16.00 for the lead alone; alfa's own 8.00 is among them.
    market.bids("alfa", json!({"prices": {"exclusive": "16.00", "shared": "8.00"}})).await;
    market.prices(&[("bravo", "8.50")]).await;
    let expected = "- second-price | bravo 8.01 alfa 7.51 | carol outbid";
    market.check(json!({}), expected).await;
    let spend =
        json!({"price": "9.00", "prices": {"exclusive": "9.50"}, "budget": {"total": "9.40"}});
    market.bids("dora", spend).await;
    // A bid counts whole or not at all: 9.50 is more than dora may spend.
    let expected = "- second-price | bravo 8.01 alfa 7.51 | carol outbid | dora budget-spent";
    market.check(json!({}), expected).await;
    market.replays(3).await;
}

#[tokio::test]
async fn what_was_sold_alone_is_sold_alone_again_and_a_copy_as_a_copy() {
    let market = Market::open(json!({"copies": 2})).await;
    market.bids("nay", json!({"prices": {"exclusive": "30.00"}})).await;
    market.prices(&[("bravo", "8.00"), ("carol", "7.00")]).await;
    market.bids("dora", json!({"prices": {"exclusive": "12.00"}})).await;
    let expected = "- second-price | nay 15.01 alone | bravo outbid | carol outbid | dora outbid";
    let ping = market.check(json!({}), expected).await;
    let sold = market.post(&ping, json!({})).await;
    // Nobody is added to those who see the person: dora's 12.00 beats bravo's 8.00 for the one copy.
    assert_eq!((sold.text("/price"), &sold.body["copies"]), ("7.209", &json!(1)), "{sold:?}");
    market.bids("nay", json!({"price": "9.00"})).await;
    let expected = "- second-price | nay 7.01 bravo 7.01 | carol outbid | dora outbid";
    let ping = market.check(json!({}), expected).await;
    let sold = market.post(&ping, json!({})).await;
    // carol gets the copy that came back, not dora, who wants the lead alone.
    assert_eq!((sold.text("/price"), &sold.body["copies"]), ("8.109", &json!(2)), "{sold:?}");
    market.replays(2).await;
}

#[tokio::test]
async fn a_price_is_firm_if_a_sale_can_bring_no_less() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "9.00")]).await;
    let firm = async |over: Value| market.ping(over).await.body["firm"].as_bool();
    // Nobody comes after alfa.
    assert_eq!(firm(json!({})).await, Some(true));
    market.prices(&[("bravo", "8.00")]).await;
    assert_eq!(firm(json!({})).await, Some(false));
    // Nobody that comes after alfa can pay less than the reserve.
    assert_eq!(firm(json!({"minimum_price": "8.10"})).await, Some(true));
    // bravo gets what alfa may not have, though one buyer only may see the person.
    market.policy(json!({"disclosures_max": 1})).await;
    assert_eq!(firm(json!({})).await, Some(false));
    market.policy(json!({"copies": 2})).await;
    assert_eq!(firm(json!({})).await, Some(false));
    let refused = market.ping(json!({"minimum_price": "100.00"})).await;
    assert_eq!((refused.text("/status"), refused.body.get("firm")), ("rejected", None));
}

#[tokio::test]
async fn a_price_that_another_campaign_of_the_winner_may_come_after_is_not_firm() {
    let market = Market::open(json!({})).await;
    market.exchange.put("suppressions/own", json!({"kind": "phone"})).await;
    market.bids("alfa", json!({"price": "9.00", "suppressions": ["own"]})).await;
    let second = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "8.00"});
    market.exchange.put("campaigns/alfa-2", second).await;
    market.policy(json!({"rule": "first-price"})).await;
    let ping = market.ping(json!({})).await;
    assert_eq!((ping.text("/price"), &ping.body["firm"]), ("8.10", &json!(false)), "{ping:?}");
    let phone = auto_post("")["phone"].as_str().unwrap().to_owned();
    let phone: u64 = phone.parse().unwrap();
    let listed = market.exchange.post("suppressions/own/entries", json!(phone)).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let sold = market.post(&ping, json!({})).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "7.20"), "{sold:?}");
}

#[tokio::test]
async fn no_more_buyers_see_a_lead_than_the_policy_allows() {
    for (most, seen, outcome) in [
        (1, 1, "unsold disclosures-spent"),
        (2, 2, "unsold disclosures-spent"),
        (3, 2, "sold "),
        (4, 2, "sold "),
    ] {
        let market = Market::open(json!({})).await;
        market.prices(&[("nay-1", "9.00"), ("nay-2", "8.00"), ("alfa", "7.00")]).await;
        market.policy(json!({"disclosures_max": most})).await;
        let ping = market.ping(json!({})).await;
        let posted = market.post(&ping, json!({})).await;
        let said = format!("{} {}", posted.text("/status"), posted.text("/reason/code"));
        assert_eq!((said.as_str(), market.no.received().len()), (outcome, seen), "{most}");
        assert_eq!(market.held("alfa").await, "0.00");
        market.replays(1).await;
    }
    let market = Market::open(json!({})).await;
    let four = [("nay-1", "9.00"), ("nay-2", "8.00"), ("nay-3", "7.00"), ("alfa", "6.00")];
    market.prices(&four).await;
    let ping = market.ping(json!({})).await;
    let posted = market.post(&ping, json!({})).await;
    // Without a policy it is the winner and two more.
    assert_eq!(posted.text("/reason/code"), "disclosures-spent", "{posted:?}");
    assert_eq!((market.no.received().len(), market.yes.received().len()), (3, 0));
}

#[tokio::test]
async fn a_post_that_says_otherwise_is_refused_or_auctioned_again() {
    let market = Market::open(json!({})).await;
    let young = json!({"price": "9.00", "criteria": "age < 45", "caps": {"total": 1}});
    market.bids("alfa", young).await;
    market.bids("bravo", json!({"price": "5.00", "criteria": "age > 60"})).await;
    market.bids("carol", json!({"price": "4.00", "criteria": "age > 60"})).await;
    let older = json!({"date_of_birth": "1940-01-01"});
    let ping = market.ping(json!({})).await;
    let refused = market.post(&ping, older.clone()).await;
    assert_eq!((refused.status, refused.text("/code")), (422, "changed-since-ping"), "{refused:?}");
    let sold = market.post(&ping, json!({})).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");

    let young = json!({"price": "9.00", "criteria": "age < 45", "caps": {"total": 2}});
    market
        .exchange
        .put(
            "campaigns/alfa",
            merged(json!({"buyer": "alfa", "vertical": "auto-insurance"}), young),
        )
        .await;
    market.policy(json!({"changed_post": "reauction"})).await;
    let ping = market.ping(json!({})).await;
    assert_eq!(market.held("alfa").await, "2.00");
    let old = ping.text("/ping_id");
    let sold = market.post(&ping, older.clone()).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "3.609"), "{sold:?}");
    assert_eq!((sold.text("/replaces"), market.held("alfa").await.as_str()), (old, "0.00"));
    let new = sold.text("/ping_id");
    assert_ne!(new, old);
    let (before, after) = (market.exchange.receipt(old).await, market.exchange.receipt(new).await);
    assert_eq!((&before["status"], &before["superseded_by"]), (&json!("superseded"), &json!(new)));
    assert_eq!((&after["status"], &after["replaces"]), (&json!("sold"), &json!(old)));
    assert_eq!(told(&after), "p second-price | bravo 4.01 | alfa criteria-unmet | carol outbid");
    // The same again gets the same; anything else is another post of a ping that was posted.
    let again = market.post(&ping, older).await;
    assert_eq!((again.text("/ping_id"), again.text("/price")), (new, "3.609"), "{again:?}");
    let other = market.post(&ping, json!({})).await;
    assert_eq!((other.status, other.text("/code")), (422, "already-posted"), "{other:?}");
    // The place that the old ping held is free for the lead as it is now.
    let ping = market.ping(json!({})).await;
    let sold = market.post(&ping, json!({"gender": "M"})).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
    market.replays(5).await;
}

#[tokio::test]
async fn a_lead_that_is_auctioned_again_keeps_the_least_price_of_its_source() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "9.00")]).await;
    market.bids("bravo", json!({"price": "5.00", "criteria": "gender = \"male\""})).await;
    market.policy(json!({"changed_post": "reauction", "when": "gender = \"female\""})).await;
    let asks = |least: &str| json!({"minimum_price": least});
    let ping = market.ping(asks("8.10")).await;
    let sold = market.post(&ping, json!({"gender": "M"})).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "8.10"), "{sold:?}");
    let ping = market.ping(asks("4.50")).await;
    let unsold = market.post(&ping, merged(asks("9.00"), json!({"gender": "M"}))).await;
    let said = (unsold.text("/status"), unsold.text("/reason/code"));
    assert_eq!(said, ("unsold", "bids-below-reserve"), "{unsold:?}");
    assert_eq!(market.held("alfa").await, "0.00");
    market.replays(4).await;
}

#[tokio::test]
async fn a_retried_post_of_a_changed_lead_has_one_effect() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "9.00")]).await;
    market.policy(json!({"changed_post": "reauction"})).await;
    let ping = market.ping(json!({})).await;
    let body = merged(auto_post(ping.text("/ping_id")), json!({"gender": "M"})).to_string();
    let send = || {
        let post = market.exchange.request(POST, "application/json", body.clone());
        reply(post.header("idempotency-key", "k-1"))
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.text("/status"), "sold", "{first:?}");
    assert_eq!(first.body, second.body);
    assert_eq!(market.yes.received().len(), 1);
    market.replays(2).await;
}

#[tokio::test]
async fn with_a_key_for_tests_everything_is_a_test() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "9.00")]).await;
    let saved = market.exchange.put("sources/web", json!({"new_test_key": true})).await;
    let key = saved.text("/test_key").to_owned();
    assert!(key.starts_with("gv_test_") && saved.text("/key").is_empty(), "{saved:?}");
    assert_eq!((&saved.body["keys"], &saved.body["test_keys"]), (&json!(1), &json!(1)));
    assert!(!market.exchange.get("sources/web").await.body.to_string().contains(&key));
    let send = |path: &str, body: Value| {
        let request = client().post(market.exchange.url(&format!("/v1/{path}")));
        let request = request.bearer_auth(&key).header("content-type", "application/json");
        reply(request.body(body.to_string()))
    };
    for over in [json!({}), json!({"test": "0"})] {
        let ping = send(PING, merged(auto_ping(), over.clone())).await;
        assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
        let id = ping.text("/ping_id");
        assert_eq!(market.exchange.receipt(id).await["test"], true);
        assert_eq!(market.held("alfa").await, "0.00");
        let post = send(POST, merged(auto_post(id), over)).await;
        assert_eq!((post.text("/status"), post.text("/price")), ("sold", "2.00"), "{post:?}");
    }
    let mut lead = auto_post("");
    lead.as_object_mut().unwrap().remove("ping_id");
    let full = send("auto-insurance/full", lead).await;
    assert_eq!(full.text("/status"), "sold", "{full:?}");
    assert_eq!(market.yes.received().len(), 0);
    assert_eq!(market.exchange.get("buyers/alfa").await.text("/balance"), "1000.00");
    // What was pinged with a live key is not sold with one for tests.
    let ping = market.ping(json!({})).await;
    let post = send(POST, auto_post(ping.text("/ping_id"))).await;
    assert_eq!((post.status, post.text("/code")), (422, "test-of-live-ping"), "{post:?}");
    let sold = market.post(&ping, json!({})).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    let both = market.exchange.try_put("sources/web", json!({"key": key})).await;
    assert_eq!((both.status, both.text("/field")), (422, "/key"), "{both:?}");
    let brought = json!({"key": "gv_test_brought-along-0123456789"});
    let live = market.exchange.try_put("sources/web", brought).await;
    assert_eq!((live.status, live.text("/field")), (422, "/key"), "{live:?}");
    assert!(live.text("/detail").contains("bring it along as `test_key`"), "{live:?}");
    market.replays(4).await;
}

#[tokio::test]
async fn tests_and_live_leads_do_not_see_each_others_duplicates() {
    let market = Market::open(json!({"duplicate_window_seconds": 3_600})).await;
    market.prices(&[("alfa", "9.00")]).await;
    let ping = async |over| market.ping(over).await.text("/status").to_owned();
    let test = json!({"test": "1"});
    assert_eq!(ping(test.clone()).await, "accepted");
    assert_eq!(ping(test.clone()).await, "duplicate");
    assert_eq!(ping(json!({})).await, "accepted");
    assert_eq!(ping(json!({})).await, "duplicate");
    assert_eq!(ping(test).await, "duplicate");
    assert_eq!(market.held("alfa").await, "2.00");
    market.replays(5).await;
}

#[tokio::test]
async fn a_ping_that_nobody_posted_in_time_reads_expired() {
    let market = Market::open(json!({"hold_seconds": 60})).await;
    market.prices(&[("alfa", "9.00")]).await;
    let ping = market.ping(json!({})).await;
    let refused = market.ping(json!({"minimum_price": "100.00"})).await;
    let status = async |ping: &Reply| {
        market.exchange.receipt(ping.text("/ping_id")).await["status"].as_str().unwrap().to_owned()
    };
    market.clock.set(Moment::from_unix_ms(MORNING + 60_000));
    assert_eq!(status(&ping).await, "accepted");
    market.clock.set(Moment::from_unix_ms(MORNING + 60_001));
    assert_eq!(
        (status(&ping).await, status(&refused).await),
        ("expired".into(), "rejected".into())
    );
    until("the hold expires", async || market.held("alfa").await == "0.00").await;
    let list = market.exchange.get("auctions").await;
    let mut listed: Vec<&str> = list.body["auctions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["status"].as_str().unwrap())
        .collect();
    listed.sort_unstable();
    assert_eq!(listed, ["expired", "rejected"]);
    let post = market.post(&ping, json!({})).await;
    assert_eq!(post.text("/reason/code"), "ping-expired", "{post:?}");
    assert_eq!(status(&ping).await, "expired");
}

#[tokio::test]
async fn a_policy_that_cannot_be_is_refused_with_what_to_do() {
    let market = Market::open(json!({})).await;
    market.prices(&[("alfa", "9.00")]).await;
    let check = async |over: Value, field: &str, words: &str| {
        let policy = merged(json!({"verticals": ["auto-insurance"], "priority": 1}), over);
        let refused = market.exchange.try_put("policies/p", policy).await;
        assert_eq!((refused.status, refused.text("/field")), (422, field), "{refused:?}");
        assert!(refused.text("/detail").contains(words), "{refused:?}");
    };
    check(json!({"reserve": 5.0}), "/reserve", "an amount as text").await;
    check(json!({"reserve": "-5.00"}), "/reserve", "must not be negative").await;
    check(json!({"rule": "fixed", "price": "9223372036854.775808"}), "/price", "larger than").await;
    check(json!({"rule": "fixed", "price": "9.00 EUR"}), "/price", "digits with at most one point")
        .await;
    check(json!({"rule": "third-price"}), "/rule", "second-price").await;
    check(json!({"when": "wheels = 4"}), "/when", "has no field `wheels`").await;
    check(json!({"when": {"field": "email", "eq": "a"}}), "/when/field", "contact data").await;
    check(json!({"verticals": ["boats"]}), "/verticals/0", "there is no vertical `boats`").await;
    check(json!({"priority": -1}), "/priority", "integer `-1`").await;
    check(json!({"currency": "EUR"}), "/currency", "unknown field `currency`").await;
    assert_eq!(market.exchange.get("policies").await.body, json!({"policies": []}));
    assert_eq!(market.exchange.get("policies/p").await.status, 404);

    let prices = async |bid: Value, field: &str, words: &str| {
        let campaign = merged(json!({"buyer": "alfa", "vertical": "auto-insurance"}), bid);
        let refused = market.exchange.try_put("campaigns/x", campaign).await;
        assert_eq!((refused.status, refused.text("/field")), (422, field), "{refused:?}");
        assert!(refused.text("/detail").contains(words), "{refused:?}");
    };
    prices(json!({"prices": {"exclusive": 20.5}}), "/prices/exclusive", "an amount as text").await;
    prices(json!({"prices": {"exclusive": "0"}}), "/prices/exclusive", "must be above zero").await;
    prices(json!({"prices": {"shared": "-1"}}), "/prices/shared", "must be above zero").await;
    let less = json!({"prices": {"exclusive": "7.99", "shared": "8.00"}});
    prices(less, "/prices/exclusive", "at least what a shared copy").await;
    let twice = json!({"price": "8.00", "prices": {"shared": "8.00"}});
    prices(twice, "/prices/shared", "name one of them").await;
    prices(json!({"prices": {}}), "/price", "name a price").await;
    prices(json!({"prices": {"trio": "5.00"}}), "/prices/trio", "unknown field `trio`").await;
}
