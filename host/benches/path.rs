//! How many pings per second does one core take through the whole path, and how does that compare to HTTP alone?
//!
//! `./x build`, then `./x bench --bench path`. The market has twenty campaigns, three of them with a filter each, and a
//! real journal in a temporary directory. The peer is an axum route that parses the same JSON and says no, in the same
//! process, sent the same pings by the same sources.
//!
//! The exchange runs on one thread, its journal's writer on another, and the sources in a process of their own. A rate per
//! core is answers by the time that all threads of the server's process were on the CPU, the kernel's work for them
//! included. So it does not depend on how many cores there are, or on what else they do; answer times do.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "rates are not money")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/load.rs"]
mod load;
#[path = "support/market.rs"]
mod market;
#[path = "support/modules.rs"]
mod modules;
#[path = "support/timing.rs"]
mod timing;

use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use cpu_time::ProcessTime;
use gavel::config::{CONNECTIONS_MAX, Config, REQUESTS_MAX, Raw, RawKeeping, RawMail};
use gavel::server::{self, Running};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use dice::Dice;
use load::Seen;
use timing::{Seconds, Spread, Thousands};

const ROUNDS: u64 = 5;
const ROUND: Duration = Duration::from_millis(1_200);
const CAMPAIGNS: usize = 20;
const OPERATOR_KEY: &str = "an-operator-key-for-benches";
const SOURCE_KEY: &str = "a-source-key-for-benches";

/// One round: what the sources saw, and what each answer took of the CPU, in seconds.
struct Round {
    seen: Seen,
    each: f64,
}

fn main() {
    if load::is_load() {
        return;
    }
    // Two threads would take turns waiting for each other, and the figure is for one core.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let directory = TempDir::new().unwrap();
        let running = exchange(&directory).await;
        let whole = format!("{}/v1/{}/ping", running.addr(), market::VERTICAL);
        let bare = bare().await;
        let cold = round(&whole, 0).await;
        round(&bare, 0).await;
        let (mut peers, mut ours) = (Vec::new(), Vec::new());
        for number in 1..=ROUNDS {
            peers.push(round(&bare, number).await);
            ours.push(round(&whole, number).await);
        }
        show("peer: an empty axum route, JSON in and out", &peers);
        show("whole pings, 20 campaigns, 3 filters", &ours);
        show("the same, the first round after the start", &[cold]);
        let pairs = peers.iter().zip(&ours);
        let ratio = Spread::of(pairs.map(|(peer, ours)| peer.each / ours.each).collect());
        println!(
            "pings / empty posts: {:.3} (min {:.3}, max {:.3})",
            ratio.median, ratio.min, ratio.max
        );
        running.stop().await;
    });
}

async fn round(url: &str, number: u64) -> Round {
    let began = ProcessTime::now();
    let seen = load::send(url, SOURCE_KEY, 1_000 * (1 + number), ROUND).await;
    Round { seen, each: began.elapsed().as_secs_f64() / seen.answers }
}

fn show(name: &str, rounds: &[Round]) {
    let spread = |of: fn(&Round) -> f64| Spread::of(rounds.iter().map(of).collect());
    let rate = spread(|round| 1.0 / round.each);
    let accepted = spread(|round| 100.0 * round.seen.accepted / round.seen.answers);
    let second = spread(|round| round.seen.answers / ROUND.as_secs_f64());
    println!("{name}");
    println!(
        "    {} answers/s on one core (min {}, max {}), {} of CPU each; {} accepted in 100",
        Thousands(rate.median),
        Thousands(rate.min),
        Thousands(rate.max),
        Seconds(spread(|round| round.each).median),
        Thousands(accepted.median),
    );
    println!(
        "    as it was on this machine: {} answers/s over 64 connections, p50 {}, p99 {}",
        Thousands(second.median),
        Seconds(spread(|round| round.seen.p50).median),
        Seconds(spread(|round| round.seen.p99).median),
    );
}

/// Starts the peer and returns its address.
async fn bare() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let answer = |Json(_): Json<Value>| async { Json(json!({"status": "rejected"})) };
    let routes = Router::new().route("/ping", post(answer));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    format!("{addr}/ping")
}

/// Starts an exchange with its market.
async fn exchange(directory: &TempDir) -> Running {
    let raw = Raw {
        keeping: RawKeeping::default(),
        data: directory.path().to_owned(),
        listen: "127.0.0.1:0".to_owned(),
        operator_key: Some(OPERATOR_KEY.to_owned()),
        currency: "USD".to_owned(),
        allow_loopback_buyers: true,
        egress_allow: Vec::new(),
        egress_ca: Vec::new(),
        mail: RawMail::default(),
        requests_max: REQUESTS_MAX,
        connections_max: CONNECTIONS_MAX,
    };
    let running = server::start(Config::check(raw, "").unwrap()).await.unwrap();
    let operator = Operator::of(&running);
    let filters = [
        (
            "zip-list",
            json!({"zips": (10_000..15_000).map(|zip| (zip * 17 % 90_000 + 10_000).to_string()).collect::<Vec<_>>()}),
        ),
        (
            "age-credit-band",
            json!({"age_min": 25, "age_max": 64, "bands": [{"credit": "good", "cents": 1_250}, {"credit": "fair", "cents": 700}]}),
        ),
        (
            "priced-by-fields",
            json!({"base": 900, "floor": 500, "insured": 250, "home_owner": 150, "risk": -400, "states": [{"state": "CA", "add": 300}]}),
        ),
    ];
    for name in filters.iter().map(|(name, _)| *name).chain([market::VERTICAL]) {
        operator.say(Method::POST, &format!("modules?name={name}"), modules::bytes(name)).await;
        operator.say(Method::POST, &format!("modules/{name}/activate"), Vec::new()).await;
    }
    operator.put(&format!("verticals/{}", market::VERTICAL), &market::vertical_body()).await;
    let source = json!({"key": SOURCE_KEY, "margin_percent": "10", "pings_per_second": 1_000_000});
    operator.put(&format!("sources/{}", market::SOURCE), &source).await;
    let mut dice = Dice::of(6);
    for number in 0..CAMPAIGNS {
        operator.put(&format!("buyers/{}", market::buyer(number)), &market::buyer_body()).await;
        let mut campaign = market::campaign(number, &mut dice);
        if let Some((module, settings)) = filters.get(number) {
            let fields = campaign.as_object_mut().unwrap();
            fields.remove("criteria");
            fields.insert("filter".to_owned(), json!({"module": module, "settings": settings}));
        }
        operator.put(&format!("campaigns/campaign-{number}"), &campaign).await;
    }
    running
}

/// Whoever sets the market up.
struct Operator {
    client: Client,
    url: String,
}

impl Operator {
    fn of(running: &Running) -> Self {
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { client, url: format!("http://{}/v1", running.addr()) }
    }

    async fn put(&self, path: &str, body: &Value) {
        self.say(Method::PUT, path, body.to_string().into_bytes()).await;
    }

    async fn say(&self, method: Method, path: &str, body: Vec<u8>) {
        let request = self.client.request(method, format!("{}/{path}", self.url));
        let response = request.bearer_auth(OPERATOR_KEY).body(body).send().await.unwrap();
        let status = response.status();
        assert!(status.is_success(), "{path}: {status} {}", response.text().await.unwrap());
    }
}
