//! Ten thousand pings at once while both of the modules that decide them are swapped: each is decided by one catalog from
//! its first byte to its record.

use std::collections::HashMap;
use std::sync::Arc;

use gavel::catalog::Draft;
use gavel::facts::Fact;
use gavel::journal::Reading;
use serde_json::json;
use tokio::sync::Barrier;

use crate::exchange::{Exchange, Reply, SOURCE_KEY, auto_ping, module, reply};
use crate::swap::{market, renamed, upload};

/// How many pings are in flight.
const PINGS: usize = 10_000;
/// How many of them share a connection.
const PINGS_A_CONNECTION: usize = 100;
/// How many swaps must have fallen among them for the test to have tried anything.
const SWAPS_MIN: usize = 4;
const MODULES: [&str; 2] = ["zip-list", "auto-insurance"];

/// Sends all pings at the same moment, and waits for their answers.
async fn fly(exchange: &Arc<Exchange>) -> Vec<Reply> {
    let (start, body) = (Arc::new(Barrier::new(PINGS)), auto_ping().to_string());
    let mut flying = Vec::with_capacity(PINGS);
    for _ in 0..PINGS / PINGS_A_CONNECTION {
        let connection = reqwest::Client::builder().no_proxy().http2_prior_knowledge();
        let connection = connection.build().unwrap();
        for _ in 0..PINGS_A_CONNECTION {
            let ping = connection.post(exchange.url("/v1/auto-insurance/ping"));
            let ping = ping.bearer_auth(SOURCE_KEY).header("content-type", "application/json");
            let (ping, start) = (ping.body(body.clone()), Arc::clone(&start));
            flying.push(tokio::spawn(async move {
                start.wait().await;
                reply(ping).await
            }));
        }
    }
    let mut answers = Vec::with_capacity(PINGS);
    for ping in flying {
        answers.push(ping.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_of_ten_thousand_pings_in_flight_sees_one_catalog() {
    let (exchange, _buyer) = market().await;
    exchange.put("sources/web", json!({"pings_per_second": 1_000_000})).await;
    let exchange = Arc::new(exchange);
    for name in MODULES {
        upload(&exchange, name, renamed(module(name), "two"), 2).await;
    }
    let flying = tokio::spawn({
        let exchange = Arc::clone(&exchange);
        async move { fly(&exchange).await }
    });
    let mut swaps = 0;
    while !flying.is_finished() {
        let (name, version) = (MODULES[swaps % 2], swaps / 2 % 2);
        let swapped = exchange
            .post(&format!("modules/{name}/activate"), json!({"version": 2 - version}))
            .await;
        assert_eq!(swapped.status, 200, "{swapped:?}");
        swaps += 1;
    }
    let answers = flying.await.unwrap();
    // On a busy machine some come too late to be accepted, and are decided all the same.
    let decided = |answer: &&Reply| answer.status == 200 && !answer.text("/ping_id").is_empty();
    assert_eq!(answers.iter().find(|answer| !decided(answer)).map(|lost| &lost.body), None);
    assert!(swaps >= SWAPS_MIN, "{swaps} swaps");

    let data = Arc::into_inner(exchange).unwrap().close().await;
    let reading = Reading::open(data.path()).await.unwrap();
    let (mut draft, mut active, mut pings, mut seq) = (Draft::default(), HashMap::new(), 0, 0);
    loop {
        let page = reading.facts_after(seq, 10_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        for stored in page {
            let fact = Fact::decode(stored.kind, &stored.payload).unwrap();
            seq = stored.seq;
            draft.apply(stored.at, &fact).unwrap();
            if fact.changes_catalog() {
                active.insert(seq, MODULES.map(|name| active_of(&draft, name)));
            }
            if let Fact::PingAnswered(answered) = fact {
                let [filter] = &answered.filters[..] else { panic!("{answered:?}") };
                let used = [filter.version, answered.normalizer.version].map(Some);
                assert_eq!(
                    Some(&used),
                    active.get(&answered.catalog),
                    "catalog {}",
                    answered.catalog
                );
                pings += 1;
            }
        }
    }
    assert_eq!(pings, PINGS);
}

/// Returns the version of a module that serves.
fn active_of(draft: &Draft, name: &str) -> Option<u32> {
    draft.versions(name)?.tracks.values().find_map(|track| track.active)
}
