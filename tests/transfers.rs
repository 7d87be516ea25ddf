//! Live transfers: a source gets a buyer's number, says how the call went, and is paid if it was long enough.

use gavel::clock::{Clock, Moment};
use gavel::delivery::transfer::TEST_NUMBER;
use serde_json::{Value, json};

use crate::exchange::{
    Buyer, Exchange, Reply, SOURCE_KEY, auto_ping, auto_post, client, merged, reply, until,
};

const ALFA: &str = "+15125550100";
const BRAVO: &str = "+15125550101";

fn callers(number: &str, seconds: u32) -> Value {
    json!({"transfer": {
        "number": number, "whisper": "Auto lead from {state}, ZIP {zip}", "connected_seconds": seconds,
    }})
}

/// Opens an exchange where alfa bids 12.00, bravo 9.00 and carol 5.00, as far as there are deliveries for them.
async fn market(deliveries: &[Value]) -> Exchange {
    market_at(Clock::system(), deliveries).await
}

async fn market_at(clock: Clock, deliveries: &[Value]) -> Exchange {
    Exchange::with_bidders(clock, json!({}), deliveries).await
}

/// Pings and posts one lead; returns its ping and the answer to the post.
async fn post(exchange: &Exchange) -> (String, Reply) {
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    let ping = ping.text("/ping_id").to_owned();
    let answer = exchange.say("auto-insurance/post", &auto_post(&ping)).await;
    (ping, answer)
}

async fn report(exchange: &Exchange, transfer: &str, body: Value) -> Reply {
    exchange.say(&format!("transfers/{transfer}"), &body).await
}

async fn say_as(exchange: &Exchange, key: &str, path: &str, body: &Value) -> Reply {
    let request = client().post(exchange.url(&format!("/v1/{path}"))).bearer_auth(key);
    reply(request.body(body.to_string())).await
}

async fn deliveries(exchange: &Exchange, ping: &str) -> Vec<String> {
    let receipt = exchange.receipt(ping).await;
    let told = receipt["deliveries"].as_array().unwrap().iter().map(|delivery| {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", text("buyer"), text("outcome"), text("detail"))
    });
    told.collect()
}

#[tokio::test]
async fn a_caller_who_is_connected_for_long_enough_is_sold_once() {
    let exchange = market(&[callers(ALFA, 90), callers(BRAVO, 90)]).await;
    let (ping, answer) = post(&exchange).await;
    let verdict = (answer.text("/status"), answer.text("/reason/code"));
    assert_eq!(verdict, ("pending", "transfer-open"), "{answer:?}");
    let told = &answer.body["transfers"][0];
    assert_eq!(told["number"], ALFA);
    assert_eq!(told["whisper"], "Auto lead from CA, ZIP 90210");
    assert_eq!(told["connected_seconds"], 90);
    assert_eq!(answer.body["transfers"].as_array().unwrap().len(), 1);
    exchange.check_accounts(&["alfa 100.00 held 9.01", "bravo 100.00 held 0.00"]).await;
    // The same post is told the same, for as long as nothing is said of the call.
    assert_eq!(exchange.say("auto-insurance/post", &auto_post(&ping)).await.body, answer.body);

    let transfer = told["transfer_id"].as_str().unwrap();
    let word = json!({"connected": true, "seconds": 90});
    let sold = report(&exchange, transfer, word.clone()).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "8.109"), "{sold:?}");
    assert_eq!(deliveries(&exchange, &ping).await, ["alfa sold: connected for 90 s"]);
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
    assert_eq!(report(&exchange, transfer, word.clone()).await.body, sold.body);
    let other = report(&exchange, transfer, json!({"connected": true, "seconds": 91})).await;
    assert_eq!(other.status, 409, "{other:?}");
    assert!(other.text("/detail").ends_with("otherwise before: connected for 90 s"), "{other:?}");
    let exchange = Exchange::open_in(exchange.close().await).await;
    assert_eq!(report(&exchange, transfer, word).await.body, sold.body);
    exchange.check_accounts(&["alfa 90.99 held 0.00"]).await;
}

#[tokio::test]
async fn a_caller_who_is_not_sold_goes_to_the_next_bidder_by_whatever_way_it_has() {
    let carol = Buyer::accepting().await;
    let last = json!({"url": carol.url()});
    let exchange = market(&[callers(ALFA, 90), callers(BRAVO, 30), last]).await;
    let (ping, answer) = post(&exchange).await;
    let first = answer.text("/transfers/0/transfer_id").to_owned();
    let short = json!({"connected": true, "seconds": 89});
    let next = report(&exchange, &first, short.clone()).await;
    assert_eq!((next.status, next.text("/status")), (200, "pending"), "{next:?}");
    assert_eq!(next.text("/transfers/0/number"), BRAVO);
    exchange.check_accounts(&["alfa 100.00 held 0.00", "bravo 100.00 held 5.01"]).await;
    // Said again, the first report changes nothing and tells what is due now.
    assert_eq!(report(&exchange, &first, short).await.body, next.body);
    let second = next.text("/transfers/0/transfer_id").to_owned();
    assert_ne!(first, second);
    let busy = json!({"connected": false, "reason": "busy"});
    let sold = report(&exchange, &second, busy).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
    let expected = [
        "alfa rejected: connected for 89 s; 90 s are a sale",
        "bravo not-sent: not connected: busy",
        "carol sold: b-1",
    ];
    assert_eq!(deliveries(&exchange, &ping).await, expected);
    assert_eq!(carol.received().len(), 1);
    exchange.check_accounts(&["bravo 100.00 held 0.00", "carol 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn a_transfer_of_which_nobody_speaks_in_time_is_nobodys() {
    let clock = Clock::standing(Moment::from_unix_ms(1_800_000_000_000));
    let brief =
        json!({"transfer": {"number": ALFA, "connected_seconds": 10, "report_within_seconds": 10}});
    let exchange = market_at(clock.clone(), &[brief, callers(BRAVO, 90)]).await;
    let (ping, answer) = post(&exchange).await;
    let transfer = answer.text("/transfers/0/transfer_id").to_owned();
    let data = exchange.close().await;
    clock.set(Moment::from_unix_ms(1_800_000_311_000));
    let exchange = Exchange::open_at(data, clock).await;
    until("it expired", async || !deliveries(&exchange, &ping).await.is_empty()).await;
    let told = deliveries(&exchange, &ping).await;
    assert_eq!(told, ["alfa expired: nobody said in time how the call went"]);
    exchange.check_accounts(&["alfa 100.00 held 0.00", "bravo 100.00 held 0.00"]).await;
    let again = exchange.say("auto-insurance/post", &auto_post(&ping)).await;
    let verdict = (again.text("/status"), again.text("/reason/code"));
    assert_eq!(verdict, ("unsold", "transfer-expired"), "{again:?}");
    let late = report(&exchange, &transfer, json!({"connected": true, "seconds": 90})).await;
    assert_eq!(late.status, 409, "{late:?}");
    assert!(late.text("/detail").contains("is over, and the lead is not sold"), "{late:?}");
}

#[tokio::test]
async fn an_open_transfer_survives_a_restart() {
    let exchange = market(&[callers(ALFA, 90)]).await;
    let (ping, answer) = post(&exchange).await;
    let exchange = Exchange::open_in(exchange.close().await).await;
    let again = exchange.say("auto-insurance/post", &auto_post(&ping)).await;
    assert_eq!(again.body, answer.body);
    let transfer = answer.text("/transfers/0/transfer_id");
    let unsold = report(&exchange, transfer, json!({"connected": false, "reason": "no-answer"}));
    let unsold = unsold.await;
    let verdict = (unsold.text("/status"), unsold.text("/reason/code"));
    assert_eq!(verdict, ("unsold", "unreachable"), "{unsold:?}");
    exchange.check_accounts(&["alfa 100.00 held 0.00"]).await;
    let dead = exchange.get("shipments?status=dead").await;
    assert_eq!(dead.body["shipments"], json!([]), "a caller cannot be sent again: {dead:?}");
}

#[tokio::test]
async fn how_a_call_went_can_be_said_after_an_outage_and_after_an_erasure() {
    let clock = Clock::standing(Moment::from_unix_ms(1_800_000_000_000));
    let brief =
        json!({"transfer": {"number": ALFA, "connected_seconds": 10, "report_within_seconds": 10}});
    let exchange = market_at(clock.clone(), &[brief]).await;
    let (ping, answer) = post(&exchange).await;
    let transfer = answer.text("/transfers/0/transfer_id").to_owned();
    let erased = exchange.erase(&ping.replacen("pg_", "ld_", 1)).await;
    assert_eq!(erased.body["voided"], json!([]), "{erased:?}");
    let data = exchange.close().await;
    clock.set(Moment::from_unix_ms(1_800_000_120_000));
    let exchange = Exchange::open_at(data, clock).await;
    let sold = report(&exchange, &transfer, json!({"connected": true, "seconds": 60})).await;
    assert_eq!((sold.status, sold.text("/status")), (200, "sold"), "{sold:?}");
    exchange.check_accounts(&["alfa 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn a_call_that_was_missed_is_no_refusal() {
    // One may see a lead.
    let policy = json!({
        "verticals": ["auto-insurance"], "priority": 1, "rule": "second-price", "increment": "0.01",
        "reserve": "2.00", "disclosures_max": 1,
    });
    let carol = Buyer::accepting().await;
    let ways = [callers(ALFA, 90), callers(BRAVO, 90), json!({"url": carol.url()})];
    let exchange = market(&ways).await;
    exchange.put("policies/shy", policy).await;
    let (_, answer) = post(&exchange).await;
    let missed = json!({"connected": false, "reason": "no-answer"});
    let first = answer.text("/transfers/0/transfer_id").to_owned();
    let next = report(&exchange, &first, missed.clone()).await;
    let second = next.text("/transfers/0/transfer_id").to_owned();
    let sold = report(&exchange, &second, missed).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    let alfa = exchange.get("buyers/alfa").await;
    assert_eq!(alfa.body["rejects"]["posts"], 0, "{alfa:?}");
}

#[tokio::test]
async fn only_who_sent_the_lead_says_how_its_call_went_and_says_it_right() {
    let exchange = market(&[callers(ALFA, 90)]).await;
    let other = exchange.put("sources/other", json!({})).await;
    let (_, answer) = post(&exchange).await;
    let transfer = answer.text("/transfers/0/transfer_id").to_owned();
    let word = json!({"connected": true, "seconds": 90});
    let path = format!("transfers/{transfer}");
    let strange = say_as(&exchange, other.text("/key"), &path, &word).await;
    assert_eq!((strange.status, strange.text("/code")), (404, "not-found"), "{strange:?}");
    let unknown = report(&exchange, &format!("{transfer}1"), word.clone()).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    assert_eq!(report(&exchange, "tr_x", word.clone()).await.status, 404);
    for (body, field, detail) in [
        (json!({"connected": true}), "/seconds", "for how many seconds"),
        (json!({"connected": true, "seconds": 86_401}), "/seconds", "0 to 86400"),
        (json!({"connected": true, "seconds": 1, "reason": "busy"}), "/reason", "only a caller"),
        (json!({"connected": false}), "/reason", "no-answer, busy, declined, hung-up, failed"),
        (json!({"connected": false, "reason": "2025550107"}), "/reason", "say why"),
        (json!({"connected": false, "seconds": 1}), "/seconds", "leave it out"),
    ] {
        let refused = report(&exchange, &transfer, body.clone()).await;
        assert_eq!((refused.status, refused.text("/field")), (422, field), "{body} {refused:?}");
        assert!(refused.text("/detail").contains(detail), "{refused:?}");
    }
    exchange.check_accounts(&["alfa 100.00 held 2.00"]).await;
    let sold = say_as(&exchange, SOURCE_KEY, &path, &word).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
}

#[tokio::test]
async fn a_whisper_names_fields_that_the_leads_have_and_nobody() {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    let whisper = |text: &str| json!({"delivery": {"transfer": {"number": ALFA, "whisper": text, "connected_seconds": 5}}});
    for (text, detail) in [
        ("{first_name} calls", "`first_name` says who the person is"),
        ("{phone}", "`phone` says who the person is"),
        ("from {planet}", "leads of `auto-insurance` have no field `planet`"),
    ] {
        let refused = exchange.try_put("buyers/alfa", whisper(text)).await;
        let told = (refused.status, refused.text("/field"));
        assert_eq!(told, (422, "/delivery/transfer/whisper"), "{refused:?}");
        assert!(refused.text("/detail").contains(detail), "{refused:?}");
    }
    exchange.put("buyers/alfa", whisper("from {state}")).await;
    let ordered = json!({"delivery": merged(callers(ALFA, 5), json!({"in_order": true}))});
    let refused = exchange.try_put("buyers/alfa", ordered).await;
    assert_eq!(refused.text("/field"), "/delivery/in_order", "{refused:?}");
}

#[tokio::test]
async fn another_dialect_says_the_number_in_its_reason() {
    let exchange = market(&[callers(ALFA, 90)]).await;
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    let handle = ping.text("/ping_id");
    let answer = exchange.say("auto-insurance/post/xml", &auto_post(handle)).await;
    let told = answer.body.to_string();
    let transfer = handle.replace("pg_", "tr_");
    let expected = format!("transfer the caller to {ALFA}, then report {transfer}-0-0");
    assert!(told.contains(&expected), "{told}");
}

#[tokio::test]
async fn a_test_is_answered_as_a_live_lead_would_be_and_rings_nobody() {
    let exchange = market(&[callers(ALFA, 90), callers(BRAVO, 30)]).await;
    let saved =
        exchange.put("sources/web", json!({"new_test_key": true, "margin_percent": "10"})).await;
    let key = saved.text("/test_key").to_owned();
    let ping = say_as(&exchange, &key, "auto-insurance/ping", &auto_ping()).await;
    let lead = auto_post(ping.text("/ping_id"));
    let answer = say_as(&exchange, &key, "auto-insurance/post", &lead).await;
    let (_, live) = post(&exchange).await;
    let verdict = (answer.text("/status"), answer.text("/reason/code"));
    assert_eq!(verdict, ("pending", "transfer-open"), "{answer:?}");
    let [told, live] = [&answer, &live].map(|answer| &answer.body["transfers"][0]);
    assert_eq!((&told["test"], &live["test"]), (&json!(true), &json!(null)));
    for member in ["whisper", "connected_seconds"] {
        assert_eq!(told[member], live[member], "{member}");
    }
    // Nobody's agent is called by a test.
    assert_eq!((&told["number"], &live["number"]), (&json!(TEST_NUMBER), &json!(ALFA)));
    exchange.check_accounts(&["alfa 100.00 held 9.01"]).await;
    assert_eq!(say_as(&exchange, &key, "auto-insurance/post", &lead).await.body, answer.body);

    let exchange = Exchange::open_in(exchange.close().await).await;
    let path = format!("transfers/{}", told["transfer_id"].as_str().unwrap());
    let report = async |word: Value| say_as(&exchange, &key, &path, &word).await;
    let short = report(json!({"connected": true, "seconds": 89})).await;
    let verdict = (short.text("/status"), short.text("/reason/code"));
    assert_eq!(verdict, ("unsold", "all-rejected"), "{short:?}");
    // Nothing is recorded of a test's call, so the other end can be tried as well.
    let sold = report(json!({"connected": true, "seconds": 90})).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "8.109"), "{sold:?}");
    let other = exchange.put("sources/other", json!({})).await;
    let word = json!({"connected": true, "seconds": 90});
    assert_eq!(say_as(&exchange, other.text("/key"), &path, &word).await.status, 404);
    exchange.check_accounts(&["alfa 100.00 held 9.01", "bravo 100.00 held 0.00"]).await;
}
