//! The life of a module's version: who did what and why, trials beside the active version, what is taken out of service,
//! and ten thousand swaps.

use std::collections::HashMap;
use std::sync::Arc;

use gavel::catalog::Draft;
use gavel::facts::Fact;
use gavel::journal::Reading;
use gavel::sandbox::Compiler;
use serde_json::{Value, json};

use crate::exchange::{Exchange, auto_ping, auto_post, merged, module, until};
use crate::swap::{Flow, market, renamed, upload};

const PING: &str = "auto-insurance/ping";
/// How often the filter is swapped under load.
const SWAPS: usize = 10_000;
/// After so many swaps everything that is made once has been made.
const SWAPS_WARM: usize = 500;
/// How much memory the rest of the swaps may add, in bytes. One compiled filter that is not dropped has more than 100 KB,
/// so a leak of one in a hundred would pass this.
const GROWTH_BYTES_MAX: u64 = 48 * 1024 * 1024;

async fn act(exchange: &Exchange, act: &str, body: Value) -> Value {
    let done = exchange.post(&format!("modules/zip-list/{act}"), body).await;
    assert_eq!(done.status, 200, "{act}: {done:?}");
    done.body
}

/// Renders the steps of the filter, a step a line.
async fn steps(exchange: &Exchange) -> String {
    let module = exchange.get("modules/zip-list").await.body;
    let step = |step: &Value| {
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let percent =
            step["percent"].as_str().map_or(String::new(), |percent| format!(" {percent} %"));
        let line = format!(
            "v{} {}{percent} by {}: {}",
            step["version"],
            text("step"),
            text("by"),
            text("why")
        );
        line.trim_end_matches([':', ' ']).to_owned()
    };
    module["steps"].as_array().unwrap().iter().map(step).collect::<Vec<_>>().join("\n")
}

async fn stages(exchange: &Exchange) -> Vec<String> {
    let module = exchange.get("modules/zip-list").await.body;
    let versions = module["versions"].as_array().unwrap().clone();
    versions.iter().map(|version| version["stage"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_step_is_recorded_with_who_and_why() {
    let (exchange, _buyer) = market().await;
    let second = renamed(module("zip-list"), "two");
    let query = "zip-list&by=ana&why=adds%20Nevada";
    assert_eq!(exchange.upload(query, second).await.status, 201);
    act(&exchange, "shadow", json!({"by": "ana", "why": "a day of looking"})).await;
    act(&exchange, "canary", json!({"percent": "5", "by": "ana", "why": "first"})).await;
    act(&exchange, "canary", json!({"percent": "20", "by": "ana", "why": "more"})).await;
    assert_eq!(stages(&exchange).await, ["active", "canary"]);
    act(&exchange, "activate", json!({"by": "ana", "why": "all is well"})).await;
    until("version 1 retires", async || stages(&exchange).await == ["retired", "active"]).await;
    act(&exchange, "rollback", json!({"by": "bob", "why": "Nevada complains"})).await;
    until("version 2 retires", async || stages(&exchange).await == ["active", "retired"]).await;
    let expected = "\
        v1 uploaded by operator\n\
        v1 activated by operator\n\
        v2 uploaded by ana: adds Nevada\n\
        v2 shadowed 100 % by ana: a day of looking\n\
        v2 canaried 5 % by ana: first\n\
        v2 canaried 20 % by ana: more\n\
        v2 activated by ana: all is well\n\
        v1 draining by ana: version 2 took its place\n\
        v1 retired by exchange: no ping sees it any more\n\
        v1 activated by bob: Nevada complains\n\
        v2 draining by bob: version 1 took its place\n\
        v2 retired by exchange: no ping sees it any more";
    assert_eq!(steps(&exchange).await, expected);
    let exchange = Exchange::open_in(exchange.close().await).await;
    assert_eq!(steps(&exchange).await, expected);
}

#[tokio::test]
async fn going_back_again_and_again_reaches_the_first_version() {
    let (exchange, _buyer) = market().await;
    for version in 2..=3 {
        let wasm = renamed(module("zip-list"), &format!("version {version}"));
        upload(&exchange, "zip-list", wasm, version).await;
        act(&exchange, "activate", json!({})).await;
    }
    for version in [2, 1] {
        let back = act(&exchange, "rollback", json!({})).await;
        assert_eq!((&back["version"], &back["ended"]), (&json!(version), &Value::Null));
    }
    let exchange = Exchange::open_in(exchange.close().await).await;
    let refused = exchange.post("modules/zip-list/rollback", json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    act(&exchange, "activate", json!({"version": 3})).await;
    assert_eq!(act(&exchange, "rollback", json!({})).await["version"], 1);
}

#[tokio::test]
async fn going_back_ends_a_canary_before_it_touches_what_is_active() {
    let (exchange, _buyer) = market().await;
    for version in 2..=3 {
        let wasm = renamed(module("zip-list"), &format!("version {version}"));
        upload(&exchange, "zip-list", wasm, version).await;
    }
    act(&exchange, "activate", json!({"version": 2})).await;
    // Version 1 served before: on trial again it is no version to go back to.
    for canary in [3, 1] {
        act(&exchange, "canary", json!({"version": canary, "percent": "50"})).await;
        let back = act(&exchange, "rollback", json!({"why": "the canary is bad"})).await;
        assert_eq!((&back["version"], &back["ended"]), (&json!(canary), &json!("canary")));
        let track = exchange.get("modules/zip-list").await.body["tracks"][0].clone();
        assert_eq!((&track["active"], &track["canary"]), (&json!(2), &Value::Null));
    }
    assert_eq!(act(&exchange, "rollback", json!({})).await["version"], 1);
}

/// Returns the normalizer as it is, but for one word: it reads `superior` for `very poor`, and the other way round.
fn misread() -> Vec<u8> {
    let mut wasm = module("auto-insurance");
    let words = [b"superior", b"verypoor"];
    let places = words.map(|word| wasm.windows(word.len()).position(|part| part == word).unwrap());
    for (place, word) in places.into_iter().rev().zip(words) {
        wasm[place..place + word.len()].copy_from_slice(word);
    }
    wasm
}

/// Pings and posts a lead of superior credit, with the act on the normalizer between them; returns what became of it.
async fn superior(exchange: &Exchange, between: Option<(&str, Value)>) -> String {
    let credit = json!({"credit_rating": "Superior"});
    let ping = exchange.say(PING, &merged(auto_ping(), credit.clone())).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    if let Some((act, body)) = between {
        let done = exchange.post(&format!("modules/auto-insurance/{act}"), body).await;
        assert_eq!(done.status, 200, "{done:?}");
    }
    let post = merged(auto_post(ping.text("/ping_id")), credit);
    let posted = exchange.say("auto-insurance/post", &post).await;
    let code = posted.body["code"].as_str().or(posted.body["status"].as_str());
    format!("{} {}", posted.status, code.unwrap_or_default())
}

#[tokio::test]
async fn a_post_is_read_by_the_version_that_read_its_ping() {
    let (exchange, _buyer) = market().await;
    upload(&exchange, "auto-insurance", misread(), 2).await;
    let activate = |version: u32| Some(("activate", json!({"version": version})));
    assert_eq!(superior(&exchange, activate(2)).await, "200 sold");
    let back = Some(("rollback", json!({})));
    assert_eq!(superior(&exchange, back).await, "200 sold");
    let half = json!({"version": 2, "percent": "50"});
    assert_eq!(superior(&exchange, Some(("canary", half))).await, "200 sold");
    for _ in 0..20 {
        assert_eq!(superior(&exchange, None).await, "200 sold");
    }
    let ping = exchange.say(PING, &auto_ping()).await;
    let changed = merged(auto_post(ping.text("/ping_id")), json!({"credit_rating": "poor"}));
    let refused = exchange.say("auto-insurance/post", &changed).await;
    assert_eq!((refused.status, refused.text("/code")), (422, "changed-since-ping"));
    let replayed =
        gavel::exchange::replay(exchange.close().await.path(), Compiler::InProcess, |_| ())
            .await
            .unwrap();
    assert_eq!((replayed.auctions, replayed.differences), (24, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_canary_decides_its_share_and_every_receipt_says_so() {
    let (exchange, _buyer) = market().await;
    upload(&exchange, "zip-list", module("traps"), 2).await;
    act(&exchange, "canary", json!({"percent": "25"})).await;
    exchange.put("modules/zip-list", json!({"failing": {"calls": 0, "window_seconds": 1}})).await;
    let mut canaried = 0;
    for _ in 0..200 {
        let ping = exchange.say(PING, &auto_ping()).await;
        let receipt = exchange.receipt(ping.text("/ping_id")).await;
        let version = &receipt["modules"]["filters"][0]["version"];
        let winner = &receipt["winners"][0]["buyer"];
        match version.as_u64().unwrap() {
            1 => assert_eq!(winner, "bravo"),
            2 => assert_eq!(winner, "carol", "the canary traps: {receipt:#}"),
            other => panic!("no version {other} serves"),
        }
        canaried += usize::from(version == 2);
    }
    assert!((20..=80).contains(&canaried), "{canaried} of 200 at 25 %");
    act(&exchange, "canary", json!({"percent": "0"})).await;
    let ping = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["modules"]["filters"][0]["version"], 1);
    let replayed =
        gavel::exchange::replay(exchange.close().await.path(), Compiler::InProcess, |_| ())
            .await
            .unwrap();
    assert_eq!((replayed.auctions, replayed.differences), (201, Vec::new()));
}

#[tokio::test]
async fn a_filter_that_keeps_failing_is_taken_out_and_says_why() {
    let (exchange, _buyer) = market().await;
    upload(&exchange, "zip-list", module("traps"), 2).await;
    let settings = json!({"owner": "acme", "failing": {"calls": 3, "window_seconds": 60}});
    exchange.put("modules/zip-list", settings).await;
    act(&exchange, "activate", json!({})).await;
    for _ in 0..3 {
        assert_eq!(exchange.say(PING, &auto_ping()).await.text("/status"), "accepted");
    }
    until("it is taken out", async || stages(&exchange).await[1] == "taken-out").await;
    let module = exchange.get("modules/zip-list").await;
    let why = module.text("/tracks/0/taken_out");
    assert!(why.starts_with("3 of its calls failed within 60 s: it trapped"), "{why}");
    let campaign = exchange.get("campaigns/bravo-auto").await;
    assert_eq!(campaign.text("/out_of_service"), format!("filter `zip-list`: {why}"));
    let ping = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    let left = &receipt["left_out"][0];
    assert_eq!(
        (&left["campaign"], &left["code"]),
        (&json!("bravo-auto"), &json!("filter-out-of-service"))
    );
    act(&exchange, "rollback", json!({})).await;
    let ping = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["winners"][0]["buyer"], "bravo");
    let replayed =
        gavel::exchange::replay(exchange.close().await.path(), Compiler::InProcess, |_| ())
            .await
            .unwrap();
    assert_eq!(replayed.differences, Vec::new());
}

fn credit_filter(bands: usize) -> Value {
    let other = json!({"credit": "unheard-of", "cents": 1});
    let mut bands = vec![other; bands];
    bands.push(json!({"credit": "good", "cents": 2_000}));
    let settings = json!({"age_min": 18, "age_max": 99, "bands": bands});
    json!({"module": "age-credit-band", "settings": settings})
}

fn with_filter(buyer: &str, filter: &Value) -> Value {
    json!({"buyer": buyer, "vertical": "auto-insurance", "price": "1.00", "filter": filter})
}

#[tokio::test]
async fn one_campaigns_settings_fail_for_this_campaign_alone() {
    let (exchange, _buyer) = market().await;
    exchange.serve("age-credit-band").await;
    let limits = json!({"limits": {"fuel": 100_000, "fuel_per_campaign": 100_000}});
    exchange.put("modules/age-credit-band", limits).await;
    exchange.put("campaigns/bravo-auto", with_filter("bravo", &credit_filter(1))).await;
    exchange.put("campaigns/carol-bands", with_filter("carol", &credit_filter(40_000))).await;
    let mut ping = exchange.say(PING, &auto_ping()).await;
    for _ in 0..24 {
        let receipt = exchange.receipt(ping.text("/ping_id")).await;
        assert_eq!(receipt["winners"][0]["buyer"], "bravo", "{receipt}");
        let left = receipt["left_out"].as_array().unwrap().iter();
        let mut failed = left.filter(|left| left["code"] == "filter-forfeited");
        assert_eq!(failed.next().unwrap()["campaign"], "carol-bands");
        assert_eq!(failed.next(), None);
        ping = exchange.say(PING, &auto_ping()).await;
    }
    // Alone with it on the shortlist, the campaign fails as often, and the module still serves the other.
    let mut paused = with_filter("bravo", &credit_filter(1));
    paused["active"] = false.into();
    exchange.put("campaigns/bravo-auto", paused).await;
    for _ in 0..24 {
        exchange.say(PING, &auto_ping()).await;
    }
    let module = exchange.get("modules/age-credit-band").await.body;
    assert_eq!(module["tracks"][0]["taken_out"], Value::Null, "{module}");
    let replayed =
        gavel::exchange::replay(exchange.close().await.path(), Compiler::InProcess, |_| ())
            .await
            .unwrap();
    assert_eq!((replayed.auctions, replayed.differences), (49, Vec::new()));
}

#[tokio::test]
async fn a_rollback_gets_through_whatever_was_saved_since() {
    let (exchange, _buyer) = market().await;
    let upload = async |wasm| exchange.upload("either", wasm).await;
    let on_either = |settings: Value| json!({"module": "either", "settings": settings});
    let wanted =
        json!({"age_min": 18, "age_max": 99, "bands": [{"credit": "good", "cents": 2_000}]});
    for wasm in [module("zip-list"), module("age-credit-band")] {
        assert_eq!(upload(wasm).await.status, 201);
        assert_eq!(exchange.post("modules/either/activate", json!({})).await.status, 200);
    }
    exchange.put("campaigns/either", with_filter("carol", &on_either(wanted))).await;
    let ping = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["winners"][0]["campaign"], "either", "{receipt}");

    let back = exchange.post("modules/either/rollback", json!({})).await;
    assert_eq!((back.status, back.text("/unfit/0/campaign")), (200, "either"), "{back:?}");
    let campaign = exchange.get("campaigns/either").await;
    assert!(campaign.text("/out_of_service").starts_with("filter `either`: "), "{campaign:?}");
    let ping = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(ping.text("/ping_id")).await;
    assert_eq!(receipt["winners"][0]["buyer"], "bravo", "{receipt}");
    let mut left = receipt["left_out"].as_array().unwrap().iter();
    let left = left.find(|left| left["campaign"] == "either").unwrap();
    assert_eq!(left["code"], "filter-out-of-service");
    // Others go on, and so does the exchange when it opens again.
    exchange
        .put(
            "campaigns/carol-auto",
            json!({"buyer": "carol", "vertical": "auto-insurance", "price": "6.00"}),
        )
        .await;
    let exchange = Exchange::open_in(exchange.close().await).await;
    assert!(exchange.get("campaigns/either").await.text("/out_of_service").contains("either"));
    let zips = with_filter("carol", &on_either(json!({"zips": ["90210"]})));
    exchange.put("campaigns/either", zips).await;
    assert_eq!(exchange.get("campaigns/either").await.body["out_of_service"], Value::Null);
    let replayed =
        gavel::exchange::replay(exchange.close().await.path(), Compiler::InProcess, |_| ())
            .await
            .unwrap();
    assert_eq!((replayed.auctions, replayed.differences), (2, Vec::new()));
}

#[tokio::test]
async fn a_shadow_that_does_not_fit_stops_no_save() {
    let (exchange, _buyer) = market().await;
    for wasm in [module("zip-list"), module("age-credit-band")] {
        assert_eq!(exchange.upload("either", wasm).await.status, 201);
    }
    let first = json!({"version": 1});
    assert_eq!(exchange.post("modules/either/activate", first).await.status, 200);
    assert_eq!(exchange.post("modules/either/shadow", json!({})).await.status, 200);
    let filter = json!({"module": "either", "settings": {"zips": ["90210"]}});
    exchange.put("campaigns/either", with_filter("carol", &filter)).await;
    let shadow = exchange.get("modules/either/shadow").await;
    assert!(shadow.text("/idle").contains("Version 2 of the filter `either`"), "{shadow:?}");
    let ping = exchange.say(PING, &auto_ping()).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    // It cannot begin so, either.
    exchange.post("modules/either/shadow", json!({"percent": "0"})).await;
    let refused = exchange.post("modules/either/shadow", json!({})).await;
    assert_eq!((refused.status, refused.text("/field")), (422, "/filter/settings"), "{refused:?}");
}

#[tokio::test]
async fn a_query_that_says_something_twice_is_refused_as_everything_else() {
    let (exchange, _buyer) = market().await;
    let refused = exchange.upload("zip-list&name=zip-list", module("zip-list")).await;
    assert_eq!((refused.status, refused.text("/code")), (400, "malformed"), "{refused:?}");
}

#[tokio::test]
async fn a_normalizer_out_of_service_closes_its_vertical_until_one_is_activated() {
    let (exchange, _buyer) = market().await;
    let taken =
        exchange.post("modules/auto-insurance/take-out", json!({"why": "reads ZIPs wrong"})).await;
    assert_eq!(taken.text("/stage"), "taken-out", "{taken:?}");
    let shut = exchange.say(PING, &auto_ping()).await;
    assert_eq!((shut.status, shut.text("/code")), (503, "out-of-service"), "{shut:?}");
    let back = exchange.post("modules/auto-insurance/activate", json!({})).await;
    assert_eq!(back.text("/stage"), "active");
    assert_eq!(exchange.say(PING, &auto_ping()).await.text("/status"), "accepted");
}

#[tokio::test]
async fn an_act_that_cannot_be_says_why() {
    let (exchange, _buyer) = market().await;
    upload(&exchange, "traps", module("traps"), 1).await;
    let zip = "modules/zip-list";
    let long = "x".repeat(501);
    for (path, body, status, said) in [
        ("modules/nobody/canary", json!({"percent": "5"}), 404, "there is no module `nobody`"),
        ("modules/zip-list/canary", json!({"version": 7, "percent": "5"}), 404, "the newest is 1"),
        ("modules/zip-list/canary", json!({}), 422, "{\"percent\": \"5\"}"),
        ("modules/zip-list/canary", json!({"percent": "101"}), 422, "between 0 and 100"),
        (
            "modules/zip-list/canary",
            json!({"percent": "5"}),
            409,
            "is the active one: upload another",
        ),
        ("modules/traps/canary", json!({"percent": "5"}), 409, "activate one, then try others"),
        (
            "modules/zip-list/canary",
            json!({"percent": "0"}),
            409,
            "no version of `zip-list` is a canary now",
        ),
        (
            "modules/zip-list/shadow",
            json!({"percent": "0"}),
            409,
            "no version of `zip-list` is a shadow now",
        ),
        ("modules/zip-list/rollback", json!({}), 409, "no other version of `zip-list` has served"),
        (
            "modules/zip-list/rollback",
            json!({"version": 1}),
            422,
            "`version` has no meaning for this act",
        ),
        ("modules/traps/take-out", json!({}), 409, "so none serves"),
        ("modules/zip-list/activate", json!({"why": long}), 422, "at most 500 bytes on one line"),
        ("modules/zip-list/activate", json!({"wy": "typo"}), 422, "unknown field `wy`"),
    ] {
        let refused = exchange.post(path, body).await;
        assert_eq!(refused.status, status, "{path}: {refused:?}");
        assert!(refused.text("/detail").contains(said), "{path}: {refused:?}");
    }
    for (body, said) in [
        (json!({"failing": {"calls": 10_001, "window_seconds": 60}}), "must be 0 to 10000"),
        (json!({"failing": {"calls": 5, "window_seconds": 0}}), "must be 1 to 3600"),
        (json!({"limits": {"fuel": -1}}), "invalid value"),
        (json!({"gates": {}}), "unknown field `gates`"),
    ] {
        let refused = exchange.try_put(zip, body).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert!(refused.text("/detail").contains(said), "{refused:?}");
    }
    assert_eq!(stages(&exchange).await, ["active"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_swaps_under_load_lose_no_ping_and_no_memory() {
    let (exchange, _buyer) = market().await;
    let terms = json!({"module": "auto-insurance", "reserve": "2.00", "hold_seconds": 1});
    exchange.put("verticals/auto-insurance", terms).await;
    exchange.put("sources/web", json!({"pings_per_second": 1_000_000})).await;
    upload(&exchange, "zip-list", renamed(module("zip-list"), "two"), 2).await;
    let exchange = Arc::new(exchange);
    let flow = Flow::begin(&exchange);
    swap(&exchange, SWAPS_WARM).await;
    let before = resident();
    swap(&exchange, SWAPS - SWAPS_WARM).await;
    let answered = flow.end().await.len();
    until("the holds end", async || exchange.open_pings() == 0).await;
    let after = resident();
    assert!(
        after.saturating_sub(before) < GROWTH_BYTES_MAX,
        "{before} bytes before, {after} after"
    );

    let data = Arc::into_inner(exchange).unwrap().close().await;
    let reading = Reading::open(data.path()).await.unwrap();
    let (mut draft, mut serving, mut pings, mut seq) = (Draft::default(), HashMap::new(), 0, 0);
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
                let track = draft.versions("zip-list").and_then(|versions| versions.tracks.get(&0));
                serving.insert(seq, track.and_then(|track| track.active));
            }
            if let Fact::PingAnswered(answered) = fact {
                let [filter] = &answered.filters[..] else { panic!("{answered:?}") };
                assert_eq!(Some(&Some(filter.version)), serving.get(&answered.catalog));
                pings += 1;
            }
        }
    }
    assert_eq!(pings, answered);
    assert!(serving.len() > SWAPS, "{} catalogs", serving.len());
}

#[tokio::test]
async fn what_no_version_serves_is_let_go_with_its_code_and_its_instances() {
    let (exchange, _buyer) = market().await;
    let mut mapped = Vec::new();
    for version in 2..=9 {
        let newer = renamed(module("zip-list"), &format!("version {version}"));
        upload(&exchange, "zip-list", newer, version).await;
        act(&exchange, "activate", json!({})).await;
        // Its instance leaves a view of its memory in a slot of the pool.
        assert_eq!(exchange.say(PING, &auto_ping()).await.status, 200);
        until("the version before retires", async || {
            stages(&exchange).await.iter().rev().skip(1).all(|stage| stage == "retired")
        })
        .await;
        mapped.push(mapped_code());
    }
    // The version in use and the one before it, for going back.
    assert_eq!(mapped.iter().skip(1).max(), mapped.iter().skip(1).min(), "{mapped:?}");
}

/// Returns how many files of compiled code the process has in its memory.
fn mapped_code() -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let code = maps.lines().filter_map(|line| line.find("/compiled/").map(|at| &line[at..]));
    let code: std::collections::BTreeSet<&str> = code.collect();
    assert!(!code.is_empty(), "code is mapped from its files");
    code.len()
}

async fn swap(exchange: &Exchange, times: usize) {
    for turn in 0..times {
        act(exchange, "activate", json!({"version": turn % 2 + 1})).await;
    }
}

/// Returns how much memory the process has, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}
