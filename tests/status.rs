//! Status calls: a buyer that may have a lead is asked what became of it, and gets it a second time only if it says that it
//! does not have it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use gavel::clock::{Clock, Moment};
use gavel::mock::{Character, Dialect, MockBuyer, MockSpec};
use serde_json::{Value, json};

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, merged, until};

const BEGIN_MS: i64 = 1_772_470_800_000;
const MINUTE_MS: i64 = 60_000;
/// Longer than it is waited for.
const FOR_EVER: Duration = Duration::from_secs(60);

/// What a system's page says.
type Says = Arc<dyn Fn(usize) -> (u16, Value) + Send + Sync>;

/// A buyer's system that never answers a first post, takes those after it, and has a page about its leads.
#[derive(Clone)]
struct System {
    addr: SocketAddr,
    says: Says,
    posts: Arc<Mutex<Vec<String>>>,
    /// The leads that were asked about.
    asked: Arc<Mutex<Vec<String>>>,
}

impl System {
    /// One whose page says this to the n-th question.
    async fn saying(says: impl Fn(usize) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (posts, asked) = (Arc::default(), Arc::default());
        let system = Self { addr, says: Arc::new(says), posts, asked };
        let routes = Router::new().route("/leads", post(take)).route("/leads/{id}", get(tell));
        let routes = routes.with_state(system.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        system
    }

    /// Its contract, with what its page answers about leads that it does not have.
    fn contract(&self, not_found: &[u16]) -> Value {
        let url = format!("http://{}/leads", self.addr);
        let status = json!({"url": format!("{url}/{{lead_id}}"), "not_found": not_found});
        json!({"url": url, "timeout_ms": 200, "status": status})
    }

    fn posts(&self) -> Vec<String> {
        self.posts.lock().unwrap().clone()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn take(State(system): State<System>, Json(lead): Json<Value>) -> Json<Value> {
    let first = {
        let mut posts = system.posts.lock().unwrap();
        posts.push(lead["lead_id"].as_str().unwrap().to_owned());
        posts.len() == 1
    };
    if first {
        tokio::time::sleep(FOR_EVER).await;
    }
    Json(json!({"status": "accepted", "id": "again"}))
}

async fn tell(State(system): State<System>, Path(lead): Path<String>) -> (StatusCode, Json<Value>) {
    let turn = {
        let mut asked = system.asked.lock().unwrap();
        asked.push(lead);
        asked.len() - 1
    };
    let (status, body) = (system.says)(turn);
    (StatusCode::from_u16(status).unwrap(), Json(body))
}

/// A clock that stands so long after the beginning.
fn at(ms: i64) -> Clock {
    Clock::standing(Moment::from_unix_ms(BEGIN_MS + ms))
}

/// Sells a lead to the highest bidder, and returns the ping when its post was answered.
async fn sell(exchange: &Exchange) -> String {
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    let ping = ping.text("/ping_id").to_owned();
    let body = merged(auto_post(&ping), json!({"deadline_ms": 100, "phone": "2025550163"}));
    let answer = exchange.say("auto-insurance/post", &body).await;
    assert_eq!(answer.text("/status"), "pending", "{answer:?}");
    ping
}

/// Renders a receipt's deliveries, such as `alfa unknown, status: alfa sold`.
async fn deliveries(exchange: &Exchange, ping: &str) -> String {
    let receipt = exchange.receipt(ping).await;
    let told = receipt["deliveries"].as_array().unwrap().iter().map(|delivery| {
        let text = |name: &str| delivery[name].as_str().unwrap();
        let status = if delivery["status_call"] == true { "status: " } else { "" };
        format!("{status}{} {}", text("buyer"), text("outcome"))
    });
    told.collect::<Vec<String>>().join(", ")
}

async fn until_deliveries(exchange: &Exchange, ping: &str, expected: &str) {
    until(expected, async || deliveries(exchange, ping).await == expected).await;
}

/// What the receipt says of every disclosure.
async fn disclosed(exchange: &Exchange, ping: &str) -> Vec<String> {
    let receipt = exchange.receipt(ping).await;
    let all = receipt["disclosures"].as_array().unwrap().iter();
    all.map(|one| one["disclosed"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_buyer_that_says_it_took_the_lead_has_bought_it_and_gets_it_once() {
    let system = System::saying(|_| (200, json!({"status": "accepted", "id": "crm-17"}))).await;
    let bravo = Buyer::accepting().await;
    let contracts = [system.contract(&[]), json!({"url": bravo.url()})];
    let exchange = Exchange::with_bidders(Clock::system(), json!({}), &contracts).await;
    let ping = sell(&exchange).await;
    until_deliveries(&exchange, &ping, "alfa unknown, status: alfa sold").await;
    let receipt = exchange.receipt(&ping).await;
    assert_eq!(receipt["deliveries"][1]["detail"], "crm-17");
    assert_eq!(disclosed(&exchange, &ping).await, ["yes"], "a status call discloses nothing");
    let lead = ping.replacen("pg_", "ld_", 1);
    assert_eq!((system.posts(), system.asked()), (vec![lead.clone()], vec![lead]));
    assert!(bravo.received().is_empty());
    exchange.check_accounts(&["alfa 90.99 held 0.00", "bravo 100.00 held 0.00"]).await;
}

#[tokio::test]
async fn a_buyer_that_says_no_there_leaves_the_lead_to_the_next() {
    // What it calls a duplicate is this lead: nobody else was asked about.
    let system = System::saying(|_| (200, json!({"status": "duplicate", "reason": "old"}))).await;
    let bravo = Buyer::accepting().await;
    let contracts = [system.contract(&[]), json!({"url": bravo.url()})];
    let exchange = Exchange::with_bidders(at(0), json!({}), &contracts).await;
    let ping = sell(&exchange).await;
    // At first the page may not know the lead yet.
    until_deliveries(&exchange, &ping, "alfa unknown, status: alfa unknown").await;
    assert!(bravo.received().is_empty());
    let exchange = Exchange::open_at(exchange.close().await, at(MINUTE_MS)).await;
    let end = "status: alfa rejected, bravo sold";
    until(end, async || deliveries(&exchange, &ping).await.ends_with(end)).await;
    assert_eq!((system.posts().len(), bravo.received().len()), (1, 1));
    exchange.check_accounts(&["alfa 100.00 held 0.00", "bravo 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn what_is_not_there_yet_is_neither_sent_again_nor_sold_to_another() {
    let says = |turn| match turn {
        0 => (200, json!({"success": false, "message": "202-555-0163 at k=SECRET: not found"})),
        _ => (200, json!({"status": "accepted", "id": "crm-18"})),
    };
    let system = System::saying(says).await;
    let bravo = Buyer::accepting().await;
    let mut contract = system.contract(&[]);
    let keyed = format!("{}?k=SECRET", contract["status"]["url"].as_str().unwrap());
    contract["status"]["url"] = keyed.into();
    let contracts = [contract, json!({"url": bravo.url()})];
    let exchange = Exchange::with_bidders(Clock::system(), json!({}), &contracts).await;
    let ping = sell(&exchange).await;
    until_deliveries(&exchange, &ping, "alfa unknown, status: alfa unknown").await;
    let receipt = exchange.receipt(&ping).await;
    let why = receipt["deliveries"][1]["detail"].as_str().unwrap();
    assert!(why.contains("does not have the lead yet"), "{why}");
    // Neither the person nor the keys of the page are kept of what it says.
    assert!(!why.contains("0163") && !why.contains("SECRET"), "{why}");
    until_deliveries(&exchange, &ping, "alfa unknown, status: alfa unknown, status: alfa sold")
        .await;
    assert_eq!((system.posts().len(), bravo.received().len()), (1, 0));
}

#[tokio::test]
async fn what_is_still_not_there_after_a_while_is_sent_again() {
    let not_found = |_| (410, json!({"status": "not_found"}));
    let system = System::saying(not_found).await;
    let contract = system.contract(&[404, 410]);
    let exchange = Exchange::with_bidders(at(0), json!({}), &[contract]).await;
    let ping = sell(&exchange).await;
    until("unknown", async || deliveries(&exchange, &ping).await.ends_with("alfa unknown")).await;
    let exchange = Exchange::open_at(exchange.close().await, at(MINUTE_MS)).await;
    let end = "status: alfa not-sent, alfa sold";
    until(end, async || deliveries(&exchange, &ping).await.ends_with(end)).await;
    assert_eq!(system.posts().len(), 2);
    // The buyer's word does not prove that the first post never reached it.
    assert_eq!(disclosed(&exchange, &ping).await, ["maybe", "yes"]);
    exchange.check_accounts(&["alfa 98.00 held 0.00"]).await;
}

#[tokio::test]
async fn a_page_that_is_not_there_says_nothing_about_the_lead() {
    let system = System::saying(|_| (404, json!({"status": "not_found"}))).await;
    let contract = system.contract(&[]);
    let exchange = Exchange::with_bidders(Clock::system(), json!({}), &[contract]).await;
    let ping = sell(&exchange).await;
    until_deliveries(&exchange, &ping, "alfa unknown, status: alfa unknown").await;
    let receipt = exchange.receipt(&ping).await;
    let why = receipt["deliveries"][1]["detail"].as_str().unwrap();
    assert!(why.contains("nothing certain: answered 404"), "{why}");
    assert_eq!(system.posts().len(), 1);
    exchange.check_accounts(&["alfa 100.00 held 2.00"]).await;
}

#[tokio::test]
async fn a_buyer_that_lost_its_page_is_not_sent_the_lead_twice() {
    let system = System::saying(|_| (500, json!({}))).await;
    let contract = system.contract(&[]);
    let exchange = Exchange::with_bidders(Clock::system(), json!({}), &[contract]).await;
    let ping = sell(&exchange).await;
    let without = merged(system.contract(&[]), json!({"status": null}));
    exchange.put("buyers/alfa", json!({"delivery": without})).await;
    let left = async || {
        let receipt = exchange.receipt(&ping).await;
        let last = receipt["deliveries"].as_array().unwrap().last().cloned().unwrap_or_default();
        last["outcome"] == "unknown" && last["again_at"].is_null()
    };
    until("left to the operator", left).await;
    assert_eq!(system.posts().len(), 1);

    // The operator can have it sent again all the same.
    let sent = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
    assert_eq!(sent.status, 202, "{sent:?}");
    let sold = async || deliveries(&exchange, &ping).await.ends_with("alfa sold");
    until("sold", sold).await;
    assert_eq!(system.posts().len(), 2);
}

#[tokio::test]
async fn a_buyer_that_takes_callers_now_keeps_the_lead_that_it_may_have() {
    let system = System::saying(|_| (500, json!({}))).await;
    let bravo = Buyer::accepting().await;
    let contracts = [system.contract(&[]), json!({"url": bravo.url()})];
    let exchange = Exchange::with_bidders(Clock::system(), json!({}), &contracts).await;
    let ping = sell(&exchange).await;
    let callers = json!({"transfer": {"number": "+15125550100", "connected_seconds": 90}, "idempotent": true});
    exchange.put("buyers/alfa", json!({"delivery": callers})).await;
    let left = async || {
        let receipt = exchange.receipt(&ping).await;
        let last = receipt["deliveries"].as_array().unwrap().last().cloned().unwrap_or_default();
        last["outcome"] == "unknown" && last["again_at"].is_null()
    };
    until("left to the operator", left).await;
    exchange.check_accounts(&["alfa 100.00 held 9.01"]).await;
    assert_eq!((system.posts().len(), bravo.received().len()), (1, 0));
}

#[tokio::test]
async fn a_page_in_the_buyers_own_words_is_read_by_its_adapter() {
    let spec = MockSpec { dialect: Dialect::Px, ..MockSpec::of(Character::Forgetful) };
    let buyer = MockBuyer::open(spec, None, None).await.unwrap();
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    let (module, settings) = buyer.dialect().adapter().unwrap();
    exchange.serve(module).await;
    let delivery = json!({
        "url": buyer.lead_url(), "timeout_ms": 300, "status": {"url": buyer.status_url()},
        "adapter": {"module": module, "settings": settings},
    });
    exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
    exchange.deposit("alfa", "100.00").await;
    let campaign = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/alfa", campaign).await;
    let ping = sell(&exchange).await;
    until_deliveries(&exchange, &ping, "alfa unknown, status: alfa sold").await;
    let receipt = exchange.receipt(&ping).await;
    assert_eq!(receipt["deliveries"][1]["adapter"]["name"], module, "{receipt:#}");
    let tally = buyer.tally();
    assert_eq!((tally.posts, tally.status_calls, tally.asked_again), (1, 1, 0));
}

#[tokio::test]
async fn a_page_that_cannot_be_asked_is_refused_when_it_is_saved() {
    let exchange = Exchange::open().await;
    let refused = async |status: Value, pointer: &str, message: &str| {
        let delivery = json!({"url": "http://127.0.0.1:9999/leads", "status": status});
        let refused = exchange.try_put("buyers/acme", json!({"delivery": delivery})).await;
        assert_eq!((refused.status, refused.text("/field")), (422, pointer), "{refused:?}");
        assert!(refused.text("/detail").contains(message), "{refused:?}");
    };
    let url = "/delivery/status/url";
    let page = |url: &str| json!({"url": url});
    refused(page("https://crm.example/leads"), url, "must have {lead_id}").await;
    refused(page("https://crm.example/{lead}/{lead_id}"), url, "can stand in braces").await;
    refused(page("https://{lead_id}.example.com/"), url, "at one host").await;
    refused(page("https://crm.example/{lead_id}/../all"), url, "an address of its own").await;
    let long = format!("https://crm.example/{}", "{lead_id}".repeat(70));
    refused(page(&long), url, "longer than 2048 bytes").await;
    refused(page("http://10.0.0.1/{lead_id}"), url, "public internet").await;
    let one =
        |statuses: Value| json!({"url": "https://crm.example/{lead_id}", "not_found": statuses});
    let not_found = "/delivery/status/not_found";
    refused(one(json!([200])), not_found, "200 does not say").await;
    refused(one(json!([403])), not_found, "403 does not say").await;
    refused(one(json!([404, 405, 406, 409, 410, 411, 412, 413, 414])), not_found, "at most 8")
        .await;

    let delivery = json!({"transfer": {"number": "+15125550100", "connected_seconds": 90}, "status": one(json!([]))});
    let refused = exchange.try_put("buyers/acme", json!({"delivery": delivery})).await;
    assert!(refused.text("/detail").contains("it needs a `url`"), "{refused:?}");
}
