//! Fees: what each side is charged beside the price, from the terms to the last line of a statement.

use gavel::clock::{Clock, Moment};
use gavel::exchange::{Means, OtherTerms, reconcile, replay, verify, what_if};
use gavel::journal::Place;
use gavel::sandbox::Compiler;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{
    Buyer, Exchange, Reply, SOURCE_KEY, auto_ping, client, merged, module, reply,
};

/// Monday 2026-01-05, 15:00 in UTC.
const MONDAY: i64 = 1_767_625_200_000;

/// An exchange where `acme` buys every lead for 12.00, of which the exchange keeps 10 %.
struct Desk {
    exchange: Exchange,
    buyer: Buyer,
    buyer_key: String,
}

impl Desk {
    /// Opens it with what each side is charged, and with so much on the buyer's account.
    async fn open(buyer_fees: Value, source_fees: Value, deposit: &str) -> Self {
        let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
        let terms = json!({"reserve": "12.00", "returns": {"accept": ["wrong-number"]}});
        let exchange = Exchange::with_auto(clock, terms).await;
        let buyer = Buyer::accepting().await;
        let delivery = json!({"url": buyer.url(), "timeout_ms": 2_000});
        let body = json!({"delivery": delivery, "fees": buyer_fees, "budget": {"daily": "26.00"}});
        let saved = exchange.put("buyers/acme", body).await;
        let buyer_key = saved.text("/key").to_owned();
        exchange.deposit("acme", deposit).await;
        let campaign = json!({"buyer": "acme", "vertical": "auto-insurance", "price": "20.00"});
        exchange.put("campaigns/acme-auto", campaign).await;
        let source = json!({"key": SOURCE_KEY, "margin_percent": "10", "fees": source_fees});
        exchange.put("sources/web", source).await;
        Self { exchange, buyer, buyer_key }
    }

    async fn ping(&self, zip: &str) -> Reply {
        let ping = merged(auto_ping(), json!({"zip": zip}));
        self.exchange.say("auto-insurance/ping", &ping).await
    }

    /// Sells a lead and returns the answer to its post.
    async fn sell(&self, zip: &str) -> Reply {
        self.exchange.sell(zip).await
    }

    async fn accounts(&self) -> String {
        self.exchange.accounts().await.join("\n")
    }

    async fn lines(&self, path: &str) -> Vec<String> {
        let statement = self.exchange.get(path).await.body;
        let text = |line: &Value, member: &str| line[member].as_str().unwrap().to_owned();
        let lines = statement["lines"].as_array().unwrap().iter();
        lines
            .map(|line| {
                let [code, amount, balance] =
                    ["code", "amount", "balance"].map(|member| text(line, member));
                format!("{code} {amount} {balance}")
            })
            .collect()
    }

    async fn seen_by(&self, key: &str, ping: &str) -> Value {
        let url = self.exchange.url(&format!("/v1/auctions/{ping}"));
        reply(client().request(Method::GET, url).bearer_auth(key)).await.body
    }
}

fn buyer_fees() -> Value {
    json!({"per_lead": "0.25", "percent": "4", "rounding": "half-even-to-cent"})
}

fn source_fees() -> Value {
    json!({"per_lead": "0.10", "percent": "2", "rounding": "up-to-cent"})
}

const SOLD: &str = "buyer:acme:prepaid -87.27\ncash 100.00\nexchange:buyer-lead-fees -0.25\n\
    exchange:buyer-percent-fees -0.48\nexchange:revenue -1.20\nexchange:source-lead-fees -0.10\n\
    exchange:source-percent-fees -0.22\nsource:web:payable -10.48";

#[tokio::test]
async fn every_fee_is_charged_by_itself_and_shown_to_whom_it_concerns() {
    let desk = Desk::open(buyer_fees(), source_fees(), "100.00").await;
    let sold = desk.sell("90210").await;
    // 12.00 less 10 % is 10.80; less 0.10 and 2 % of it, 0.216 rounded up to 0.22.
    assert_eq!(sold.text("/price"), "10.48", "{sold:?}");
    assert_eq!(desk.accounts().await, SOLD);
    let told = &desk.buyer.received()[0].1;
    assert_eq!(
        [&told["price"], &told["fees"], &told["due"]],
        [&json!("12.00"), &json!("0.73"), &json!("12.73")]
    );
    assert_eq!(
        desk.lines("buyers/acme/statement").await,
        [
            "deposit 100.00 100.00",
            "sale -12.00 88.00",
            "lead-fee -0.25 87.75",
            "percent-fee -0.48 87.27"
        ]
    );
    assert_eq!(
        desk.lines("sources/web/statement").await,
        ["sale 10.80 10.80", "lead-fee -0.10 10.70", "percent-fee -0.22 10.48"]
    );
    let ping = sold.text("/ping_id");
    let whole = desk.exchange.receipt(ping).await;
    assert_eq!(whole["winners"][0]["due"], "12.73", "{whole}");
    let for_buyer = desk.seen_by(&desk.buyer_key, ping).await;
    assert_eq!(for_buyer["outcomes"][0]["fees"], json!({"lead": "0.25", "percent": "0.48"}));
    assert_eq!(for_buyer["buyer_fees"][0]["fees"]["rounding"], "half-even-to-cent");
    assert!(for_buyer.get("source_fees").is_none(), "{for_buyer}");
    let for_source = desk.seen_by(SOURCE_KEY, ping).await;
    assert_eq!(for_source["source_fees"]["percent"], "2", "{for_source}");
    assert!(for_source.get("buyer_fees").is_none(), "{for_source}");
    assert_eq!(for_source["payout"], "10.48");
}

#[tokio::test]
async fn what_was_charged_is_recomputed_anywhere_and_told() {
    let desk = Desk::open(buyer_fees(), source_fees(), "100.00").await;
    let ping = desk.sell("90210").await.text("/ping_id").to_owned();
    let full = desk.exchange.get(&format!("auctions/{ping}?full=1")).await.body.to_string();
    let modules = TempDir::new().unwrap();
    std::fs::write(modules.path().join("auto"), module("auto-insurance")).unwrap();
    let check = |receipt: &str| {
        let means =
            Means { keys: &[], modules: Some(modules.path()), compiler: Compiler::InProcess };
        verify(receipt, &means).unwrap().holds()
    };
    assert!(check(&full));
    let data = desk.exchange.close().await;
    reconcile(data.path(), |_| ()).await.unwrap();
    let replayed = replay(data.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert!(replayed.differences.is_empty(), "{:?}", replayed.differences);
    let place = Place::from(data.path());
    let terms = OtherTerms {
        reserve: Some(gavel::money::Micros::new(15_000_000)),
        ..OtherTerms::default()
    };
    let now = Moment::from_unix_ms(MONDAY);
    let other = what_if(place, terms, None, (None, now)).await.unwrap();
    // 15.00 and 0.25 and 4 %; 13.50 less 0.10 and 0.27.
    let money = &other["money"];
    assert_eq!(
        [&money["buyers_pay"]["old"], &money["buyers_pay"]["new"], &money["sources_get"]["new"]],
        [&json!("12.73"), &json!("15.85"), &json!("13.13")],
        "{other}"
    );
    let (directory, program) = (data.path().to_str().unwrap(), crate::crash::program::path());
    let told = std::process::Command::new(program)
        .args(["explain", &ping, "--data", directory])
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    for sentence in [
        "The source is charged 0.10 USD a lead and 2 % of the rest, rounded up-to-cent.",
        "acme pays on top of the price 0.25 USD a lead and 4 % of the price, rounded half-even-to-cent.",
        "acme took it for 12.00 USD, 12.73 USD with its fees.",
    ] {
        assert!(told.contains(sentence), "{sentence}\n{told}");
    }
}

#[tokio::test]
async fn a_balance_and_a_budget_must_cover_the_price_with_its_fees() {
    // 20.00 was bid: 20.00 and 0.25 and 0.80 must be there, whatever the price will be.
    let desk = Desk::open(buyer_fees(), json!({}), "21.04").await;
    let ping = desk.ping("90210").await;
    assert_eq!(ping.text("/status"), "rejected", "{ping:?}");
    desk.exchange.deposit("acme", "0.01").await;
    let ping = desk.ping("90211").await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    let buyer = desk.exchange.get("buyers/acme").await.body;
    assert_eq!((&buyer["held"], &buyer["available"]), (&json!("12.73"), &json!("8.32")), "{buyer}");
    // The budget of 26.00 counts 12.73, and another bid of 20.00 with its fees does not fit.
    desk.exchange.deposit("acme", "500.00").await;
    let ping = desk.ping("90212").await;
    assert_eq!(ping.text("/status"), "rejected", "{ping:?}");
    let receipt = desk.exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["left_out"][0]["code"], "budget-spent", "{receipt}");
}

#[tokio::test]
async fn a_return_gives_fees_back_or_leaves_them_as_was_agreed() {
    let kept = |fees: Value| merged(fees, json!({"on_return": "kept"}));
    let none = "buyer:acme:prepaid -100.00\ncash 100.00";
    let all_kept = "buyer:acme:prepaid -99.27\ncash 100.00\nexchange:buyer-lead-fees -0.25\n\
        exchange:buyer-percent-fees -0.48\nexchange:source-lead-fees -0.10\n\
        exchange:source-percent-fees -0.22\nsource:web:payable 0.32";
    for (fees, credit, left) in [
        ((buyer_fees(), source_fees()), "12.73", none),
        ((kept(buyer_fees()), kept(source_fees())), "12.00", all_kept),
    ] {
        let desk = Desk::open(fees.0, fees.1, "100.00").await;
        let lead = desk.sell("90210").await.text("/lead_id").to_owned();
        assert_eq!(desk.accounts().await, SOLD);
        let body = json!({"reason": "wrong-number"});
        let back = desk.exchange.post(&format!("leads/{lead}/returns"), body).await;
        assert_eq!((back.text("/state"), back.text("/credit")), ("accepted", credit), "{back:?}");
        assert_eq!(desk.accounts().await, left);
        reconcile(desk.exchange.close().await.path(), |_| ()).await.unwrap();
    }
}

#[tokio::test]
async fn part_of_a_price_brings_the_same_part_of_the_fees_back() {
    let desk = Desk::open(buyer_fees(), source_fees(), "100.00").await;
    let lead = desk.sell("90210").await.text("/lead_id").to_owned();
    let body = json!({"reason": "wrong-number", "amount": "4.00"});
    let back = desk.exchange.post(&format!("leads/{lead}/returns"), body).await;
    assert_eq!((back.text("/credit"), back.text("/fees")), ("4.243333", "0.243333"), "{back:?}");
    assert_eq!(
        desk.lines("sources/web/statement").await[3..],
        [
            "return -3.60 6.88",
            "lead-fee-return 0.033334 6.913334",
            "percent-fee-return 0.073333 6.986667"
        ]
    );
    reconcile(desk.exchange.close().await.path(), |_| ()).await.unwrap();
}

#[tokio::test]
async fn a_source_that_asks_for_a_least_price_gets_it_after_its_fees() {
    let desk = Desk::open(json!({}), source_fees(), "100.00").await;
    let ping = merged(auto_ping(), json!({"minimum_price": "12.00"}));
    let ping = desk.exchange.say("auto-insurance/ping", &ping).await;
    let paid = gavel::money::Micros::parse(ping.text("/price")).unwrap().get();
    assert!((12_000_000..12_011_000).contains(&paid), "{ping:?}");
}

#[tokio::test]
async fn fees_that_make_no_sense_are_refused_in_words() {
    let desk = Desk::open(json!({}), json!({}), "100.00").await;
    let check = async |path: &str, body: Value, field: &str, words: &str| {
        let reply = desk.exchange.try_put(path, body).await;
        assert_eq!((reply.status, reply.text("/field")), (422, field), "{reply:?}");
        assert!(reply.text("/detail").contains(words), "{reply:?}");
    };
    let delivery = json!({"url": desk.buyer.url()});
    for (fees, field, words) in [
        (json!({"per_lead": "-0.25"}), "/fees/per_lead", "must not be negative: a fee is charged"),
        (json!({"per_lead": "10000.01"}), "/fees/per_lead", "must be at most 10000.00"),
        (
            json!({"per_lead": "0.255", "rounding": "up-to-cent"}),
            "/fees/per_lead",
            "0.255 is no whole number of cents",
        ),
        (json!({"percent": "101"}), "/fees/percent", "between 0 and 100"),
        (json!({"percent": 4}), "/fees/percent", "as text"),
        (json!({"rounding": "fair"}), "/fees/rounding", "half-even-to-cent"),
        (json!({"on_return": "lost"}), "/fees/on_return", "`returned` or `kept`"),
        (json!({"per_click": "1"}), "/fees/per_click", "unknown field"),
    ] {
        check("buyers/acme", json!({"delivery": delivery, "fees": fees}), field, words).await;
        check("sources/web", json!({"fees": fees}), field, words).await;
    }
    let all = json!({"fees": {"percent": "100"}});
    check("sources/web", all, "/fees/percent", "would leave the source nothing").await;
    let twice = json!({"margin_percent": "100", "fees": {"per_lead": "0.10"}});
    check("sources/web", twice, "/fees", "the margin takes the whole price already").await;
}
