//! Hot swap: modules and settings change while pings flow, and none is lost or decided by two versions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gavel::clock::Clock;
use gavel::ids::Digest;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, module, until};

const PING: &str = "auto-insurance/ping";
/// How many pings flow under each version before the next change.
const PINGS_A_PHASE: usize = 60;

/// Returns the same module with another digest: a custom section says nothing to anybody.
pub(crate) fn renamed(mut wasm: Vec<u8>, text: &str) -> Vec<u8> {
    let length = |bytes: usize| u8::try_from(bytes).ok().filter(|length| *length < 0x80).unwrap();
    wasm.extend([0, length(text.len() + 5), 4]);
    wasm.extend(b"note");
    wasm.extend(text.as_bytes());
    wasm
}

/// An exchange where bravo buys 90210 by a filter, and carol buys everything for less.
pub(crate) async fn market() -> (Exchange, Buyer) {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    exchange.serve("zip-list").await;
    let buyer = Buyer::accepting().await;
    for (name, price) in [("bravo", "9.00"), ("carol", "5.00")] {
        exchange.with_buyer(name, &buyer.url(), price).await;
        let deposit = json!({"amount": "100000.00", "reference": "plenty"});
        exchange.post(&format!("buyers/{name}/deposits"), deposit).await;
    }
    save_zips(&exchange, json!(["90210"])).await;
    (exchange, buyer)
}

async fn save_zips(exchange: &Exchange, zips: Value) {
    let filter = json!({"module": "zip-list", "settings": {"zips": zips}});
    let campaign = json!({
        "buyer": "bravo", "vertical": "auto-insurance", "price": "9.00", "filter": filter,
    });
    exchange.put("campaigns/bravo-auto", campaign).await;
}

pub(crate) async fn upload(exchange: &Exchange, name: &str, wasm: Vec<u8>, version: u64) {
    let digest = Digest::of(&wasm).to_string();
    let uploaded = exchange.upload(name, wasm).await;
    assert_eq!((uploaded.status, &uploaded.body["version"]), (201, &json!(version)));
    assert_eq!(uploaded.text("/digest"), digest);
}

/// Activates the newest version or rolls back; returns which version serves then.
pub(crate) async fn serve(exchange: &Exchange, name: &str, act: &str) -> Value {
    let served = exchange.post(&format!("modules/{name}/{act}"), json!({})).await;
    assert_eq!(served.status, 200, "{served:?}");
    served.body["version"].clone()
}

/// Pings that flow until they are stopped.
pub(crate) struct Flow {
    accepted: Arc<Mutex<Vec<String>>>,
    stopping: Arc<AtomicBool>,
    senders: Vec<JoinHandle<()>>,
}

impl Flow {
    pub(crate) fn begin(exchange: &Arc<Exchange>) -> Self {
        let accepted = Arc::<Mutex<Vec<String>>>::default();
        let stopping = Arc::<AtomicBool>::default();
        let sender = |_| {
            let (exchange, accepted) = (Arc::clone(exchange), Arc::clone(&accepted));
            let stopping = Arc::clone(&stopping);
            tokio::spawn(async move {
                while !stopping.load(Ordering::SeqCst) {
                    let ping = exchange.say(PING, &auto_ping()).await;
                    assert_eq!((ping.status, ping.text("/status")), (200, "accepted"), "{ping:?}");
                    accepted.lock().await.push(ping.text("/ping_id").to_owned());
                }
            })
        };
        let senders = (0..8).map(sender).collect();
        Self { accepted, stopping, senders }
    }

    pub(crate) async fn phase(&self) {
        let goal = self.accepted.lock().await.len() + PINGS_A_PHASE;
        until("pings flow", async || self.accepted.lock().await.len() >= goal).await;
    }

    pub(crate) async fn end(self) -> Vec<String> {
        self.stopping.store(true, Ordering::SeqCst);
        for sender in self.senders {
            sender.await.unwrap();
        }
        Arc::into_inner(self.accepted).unwrap().into_inner()
    }
}

/// Swaps a module back and forth while pings flow; `used` finds the modules of that kind in a receipt.
async fn check_swap(name: &str, used: impl Fn(&Value) -> Vec<Value>) {
    let (exchange, _buyer) = market().await;
    let exchange = Arc::new(exchange);
    let wasm = module(name);
    let newer = renamed(wasm.clone(), "version two");
    let digests = [&wasm, &newer].map(|wasm| Digest::of(wasm).to_string());

    let flow = Flow::begin(&exchange);
    flow.phase().await;
    upload(&exchange, name, newer, 2).await;
    flow.phase().await;
    for (act, version) in [("activate", 2), ("rollback", 1), ("activate", 2)] {
        assert_eq!(serve(&exchange, name, act).await, version, "{act}");
        flow.phase().await;
    }
    let pings = flow.end().await;

    let (mut by_catalog, mut serving) = (BTreeMap::<u64, BTreeSet<String>>::new(), Vec::new());
    for ping in &pings {
        let receipt = exchange.receipt(ping).await;
        let used = used(&receipt);
        assert_eq!(used.len(), 1, "{receipt:#}");
        let version = used[0]["version"].as_u64().unwrap();
        let digest = used[0]["digest"].as_str().unwrap();
        assert_eq!(digest, digests[usize::try_from(version).unwrap() - 1]);
        assert_eq!(receipt["winners"][0]["campaign"], "bravo-auto");
        assert_eq!(receipt["left_out"][0]["code"], "outbid");
        let catalog = receipt["catalog"].as_u64().unwrap();
        by_catalog.entry(catalog).or_default().insert(version.to_string());
    }
    for versions in by_catalog.into_values() {
        assert_eq!(versions.len(), 1, "one snapshot has one version: {versions:?}");
        serving.extend(versions);
    }
    serving.dedup();
    assert_eq!(serving, ["1", "2", "1", "2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_filter_is_swapped_while_pings_flow_and_none_is_lost() {
    check_swap("zip-list", |receipt| receipt["modules"]["filters"].as_array().unwrap().clone())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_normalizer_is_swapped_while_pings_flow_and_none_is_lost() {
    check_swap("auto-insurance", |receipt| vec![receipt["modules"]["normalizer"].clone()]).await;
}

/// Pings once; returns who won and what the receipt says of bravo.
async fn bravo(exchange: &Exchange) -> (String, String) {
    let ping = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    let left = receipt["left_out"].as_array().unwrap();
    let bravo = left.iter().find(|left| left["campaign"] == "bravo-auto");
    let why = bravo.map_or(String::new(), |bravo| {
        format!("{} {}", bravo["code"].as_str().unwrap(), bravo["detail"].as_str().unwrap_or(""))
    });
    (receipt["winners"][0]["buyer"].as_str().unwrap().to_owned(), why)
}

#[tokio::test]
async fn settings_hold_from_the_moment_they_are_saved() {
    let (exchange, _buyer) = market().await;
    let declined = ("carol".to_owned(), "filter-declined zip-not-on-list".to_owned());
    assert_eq!(bravo(&exchange).await, ("bravo".to_owned(), String::new()));
    save_zips(&exchange, json!(["10025"])).await;
    assert_eq!(bravo(&exchange).await, declined);
    let five_thousand: Vec<String> = (90_000..95_000).map(|zip| zip.to_string()).collect();
    save_zips(&exchange, json!(five_thousand)).await;
    assert_eq!(bravo(&exchange).await, ("bravo".to_owned(), String::new()));
}

#[tokio::test]
async fn settings_that_the_filter_does_not_take_change_nothing() {
    let (exchange, _buyer) = market().await;
    for settings in [json!({"zips": ["9021"]}), json!({"zip": ["90210"]}), json!(null)] {
        let filter = json!({"module": "zip-list", "settings": settings});
        let campaign = json!({
            "buyer": "bravo", "vertical": "auto-insurance", "price": "9.00", "filter": filter,
        });
        let refused = exchange.try_put("campaigns/bravo-auto", campaign).await;
        assert_eq!((refused.status, refused.text("/field")), (422, "/filter/settings"));
        assert!(refused.text("/detail").contains("takes: {\"zips\""), "{refused:?}");
        assert_eq!(bravo(&exchange).await, ("bravo".to_owned(), String::new()));
    }
}

#[tokio::test]
async fn a_version_that_fails_forfeits_its_own_bids_and_is_one_rollback_away() {
    let (exchange, _buyer) = market().await;
    for failing in ["traps", "never-returns"] {
        upload(&exchange, "zip-list", module(failing), if failing == "traps" { 2 } else { 3 })
            .await;
        serve(&exchange, "zip-list", "activate").await;
        let (winner, why) = bravo(&exchange).await;
        assert_eq!(winner, "carol");
        assert!(why.starts_with("filter-forfeited "), "{why}");
        let first = json!({"version": 1});
        let back = exchange.post("modules/zip-list/activate", first).await;
        assert_eq!(back.status, 200, "{back:?}");
        assert_eq!(bravo(&exchange).await, ("bravo".to_owned(), String::new()));
    }
}

#[tokio::test]
async fn a_version_that_does_not_fit_its_campaigns_is_not_activated() {
    let (exchange, _buyer) = market().await;
    upload(&exchange, "zip-list", module("age-credit-band"), 2).await;
    let refused = exchange.post("modules/zip-list/activate", json!({})).await;
    assert_eq!((refused.status, refused.text("/field")), (422, "/filter/settings"), "{refused:?}");
    assert_eq!(bravo(&exchange).await, ("bravo".to_owned(), String::new()));
    assert_eq!(exchange.get("modules/zip-list").await.body["active"], 1);
}

#[tokio::test]
async fn the_same_bytes_are_the_same_version() {
    let (exchange, _buyer) = market().await;
    upload(&exchange, "zip-list", renamed(module("zip-list"), "two"), 2).await;
    upload(&exchange, "zip-list", module("zip-list"), 1).await;
    upload(&exchange, "zip-list", renamed(module("zip-list"), "two"), 2).await;
    let versions = exchange.get("modules/zip-list").await.body["versions"].clone();
    assert_eq!(versions.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_served_before_a_restart_serves_after_it() {
    let (exchange, buyer) = market().await;
    upload(&exchange, "zip-list", renamed(module("zip-list"), "two"), 2).await;
    serve(&exchange, "zip-list", "activate").await;
    let ping = exchange.say(PING, &auto_ping()).await;
    let before = exchange.get("modules/zip-list").await.body["tracks"].clone();

    let exchange = Exchange::open_in(exchange.close().await).await;
    assert_eq!(exchange.get("modules/zip-list").await.body["tracks"], before);
    let post = exchange.say("auto-insurance/post", &auto_post(ping.text("/ping_id"))).await;
    assert_eq!(post.text("/status"), "sold", "{post:?}");
    assert_eq!(buyer.received().len(), 1);
    let again = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(again.text("/ping_id")).await;
    assert_eq!(receipt["modules"]["filters"][0]["version"], 2);
    assert_eq!(serve(&exchange, "zip-list", "rollback").await, 1);
    assert_eq!(exchange.get("modules").await.body["modules"][1]["active"], 1);
}

#[tokio::test]
async fn a_module_is_uploaded_without_serving() {
    let (exchange, _buyer) = market().await;
    let filter = json!({"module": "traps"});
    let campaign =
        json!({"buyer": "bravo", "vertical": "auto-insurance", "price": "9.00", "filter": filter});
    upload(&exchange, "traps", module("traps"), 1).await;
    let refused = exchange.try_put("campaigns/bravo-auto", campaign).await;
    assert_eq!((refused.status, refused.text("/field")), (422, "/filter/module"), "{refused:?}");
    assert!(refused.text("/detail").contains("/v1/modules/traps/activate"), "{refused:?}");
    let receipt = exchange.say(PING, &auto_ping()).await;
    assert_eq!(receipt.text("/status"), "accepted");
}
