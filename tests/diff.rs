//! Diffs, shadows and gates: what another version would have changed, seen before it decides anything.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gavel::clock::{Clock, Moment};
use gavel::mock::{Character, MockBuyer, MockSpec};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crash::program::command;
use crate::exchange::{
    Buyer, Exchange, OPERATOR_KEY, auto_ping, auto_post, client, merged, module, reply, until,
};

mod filters;

use filters::{Says, filter};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";

/// An exchange where bravo buys 90210 at 9.00 by a filter, and carol buys everything for 5.00. The reserve is 2.00, the
/// increment 0.01, and the exchange keeps a tenth.
async fn market() -> (Exchange, Buyer) {
    market_at(Clock::system()).await
}

async fn market_at(clock: Clock) -> (Exchange, Buyer) {
    let exchange = Exchange::with_auto(clock, json!({})).await;
    exchange.serve("zip-list").await;
    let buyer = Buyer::accepting().await;
    for (name, price) in [("bravo", "9.00"), ("carol", "5.00")] {
        exchange.with_buyer(name, &buyer.url(), price).await;
        exchange.deposit(name, "100000.00").await;
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

/// Uploads a version of zip-list and returns its number.
async fn upload(exchange: &Exchange, wasm: Vec<u8>) -> Value {
    let uploaded = exchange.upload("zip-list", wasm).await;
    assert_eq!(uploaded.status, 201, "{uploaded:?}");
    uploaded.body["version"].clone()
}

/// Sends pings from bravo's ZIP code and from others; returns the handle of the last.
async fn pings(exchange: &Exchange, on_list: usize, off_list: usize) -> String {
    let elsewhere = merged(auto_ping(), json!({"zip": "10025", "state": "NY"}));
    let mut last = String::new();
    for ping in [vec![auto_ping(); on_list], vec![elsewhere; off_list]].concat() {
        let answer = exchange.say(PING, &ping).await;
        assert_eq!(answer.text("/status"), "accepted", "{answer:?}");
        last = answer.text("/ping_id").to_owned();
    }
    last
}

async fn diff(exchange: &Exchange, old: u32, new: &Value) -> Value {
    let body = json!({"old": old, "new": new, "last": "1h"});
    let found = exchange.post("modules/zip-list/diff", body).await;
    assert_eq!(found.status, 200, "{found:?}");
    found.body
}

/// Compares what a comparison counted with a line for each part of it.
#[track_caller]
fn check(found: &Value, expected: &[&str]) {
    let counts = |pointer: &str| {
        let counts = found.pointer(pointer).unwrap().as_object().unwrap().iter();
        let counts = counts.filter(|(_, count)| **count != json!(0));
        let counts = counts.map(|(name, count)| format!("{name} {count}"));
        counts.collect::<Vec<String>>().join(", ")
    };
    let money = |member: &str| {
        let amounts = &found["money"][member];
        let text = |side: &str| amounts[side].as_str().unwrap().to_owned();
        format!("{member} {} {} {}", text("old"), text("new"), text("change"))
    };
    let lines = [
        counts("/verdicts"),
        counts("/awards"),
        money("buyers_pay"),
        money("sources_get"),
        money("exchange_keeps"),
    ];
    assert_eq!(lines.each_ref().map(String::as_str), expected, "{found:#}");
}

/// Runs a command of the program; returns its exit code, what it printed, and what it complained of.
async fn gavel(arguments: &[&str]) -> (i32, String, String) {
    let output = command().args(arguments).env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).output().await;
    let output = output.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn a_diff_counts_verdicts_awards_and_money() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 4, 2).await;
    let test = merged(auto_ping(), json!({"test": "1"}));
    assert_eq!(exchange.say(PING, &test).await.status, 200);

    let eager = upload(&exchange, filter(Says::Bid(12_000_000))).await;
    let found = diff(&exchange, 1, &eager).await;
    check(
        &found,
        &[
            "all 6, newly_bid 2, price_up 4",
            "same 4, other_winners 2",
            "buyers_pay 24.04 30.06 6.02",
            "sources_get 21.636 27.054 5.418",
            "exchange_keeps 2.404 3.006 0.602",
        ],
    );
    assert_eq!((&found["differs"], &found["leads"]), (&json!(true), &json!(6)));
    assert_eq!(found["calls"]["new"]["failed"], 0);
    let bravo = &found["campaigns"][0];
    assert_eq!(bravo["campaign"], "bravo-auto");
    assert_eq!(bravo["won"], json!({"old": 4, "new": 6}));
    assert_eq!(bravo["paid"], json!({"old": "20.04", "new": "30.06", "change": "10.02"}));
    let carol = &found["campaigns"][1];
    assert_eq!(carol["paid"], json!({"old": "4.00", "new": "0.00", "change": "-4.00"}));

    let first = &found["examples"][0];
    assert_eq!(first["change"], "newly_bid");
    assert_eq!(first["old"], json!({"refused": "zip-not-on-list"}));
    assert_eq!(first["new"], json!({"bid": "12.00"}));
    assert_eq!(first["winners"], json!({"old": ["carol-auto"], "new": ["bravo-auto"]}));
    assert_eq!(first["buyers_pay"]["change"], "3.01");
    assert_eq!(first["lead"], json!({"zip": "10025"}));
    let receipt = exchange.receipt(first["ping"].as_str().unwrap()).await;
    assert_eq!(receipt["lead"]["zip"], "10025");

    let shy = upload(&exchange, filter(Says::No("not-today"))).await;
    check(
        &diff(&exchange, 1, &shy).await,
        &[
            "all 6, newly_refused 4, reason_changed 2",
            "same 2, other_winners 4",
            "buyers_pay 24.04 12.00 -12.04",
            "sources_get 21.636 10.80 -10.836",
            "exchange_keeps 2.404 1.20 -1.204",
        ],
    );
    let cheap = upload(&exchange, filter(Says::Bid(4_000_000))).await;
    check(
        &diff(&exchange, 2, &cheap).await,
        &[
            "all 6, price_down 6",
            "other_winners 6",
            "buyers_pay 30.06 24.06 -6.00",
            "sources_get 27.054 21.654 -5.40",
            "exchange_keeps 3.006 2.406 -0.60",
        ],
    );
}

#[tokio::test]
async fn a_version_that_fails_is_told_in_its_own_words() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 3, 0).await;
    let traps = upload(&exchange, filter(Says::Traps)).await;
    let found = diff(&exchange, 1, &traps).await;
    assert_eq!(found["verdicts"]["newly_refused"], 3);
    let calls = &found["calls"]["new"];
    assert_eq!((&calls["failed"], &calls["fuel_p99"]), (&json!(3), &Value::Null));
    assert_eq!(calls["failures"][0]["count"], 3);
    let words = calls["failures"][0]["words"].as_str().unwrap();
    assert!(words.starts_with("it trapped: wasm `unreachable` instruction executed"), "{words}");
    let loops = upload(&exchange, filter(Says::Loops)).await;
    let found = diff(&exchange, 1, &loops).await;
    assert_eq!(found["calls"]["new"]["failures"][0]["words"], "it used up its fuel");
    assert!(found["calls"]["old"]["fuel_p99"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn both_versions_are_judged_within_the_limits_of_the_module() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 2, 0).await;
    let new = upload(&exchange, renamed(module("zip-list"))).await;
    let limits = json!({"limits": {"fuel": 1, "fuel_per_campaign": 1}});
    exchange.put("modules/zip-list", limits).await;
    let found = diff(&exchange, 1, &new).await;
    let failed = |side: &str| (found["calls"][side]["failed"].clone(), found["leads"].clone());
    assert_eq!(failed("old"), (json!(2), json!(2)), "{found:#}");
    assert_eq!(failed("new"), (json!(2), json!(2)), "{found:#}");
}

#[tokio::test]
async fn versions_that_say_the_same_do_not_differ() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 2, 2).await;
    let same = upload(&exchange, renamed(module("zip-list"))).await;
    let found = diff(&exchange, 1, &same).await;
    assert_eq!((&found["differs"], &found["verdicts"]["same"]), (&json!(false), &json!(4)));
    assert_eq!(found["examples"], json!([]));
    assert_eq!(found["calls"]["old"], found["calls"]["new"]);
}

#[tokio::test]
async fn leads_are_judged_by_the_settings_they_came_under_unless_asked_otherwise() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 3, 0).await;
    save_zips(&exchange, json!(["10025"])).await;
    pings(&exchange, 1, 0).await;
    let eager = upload(&exchange, filter(Says::Bid(12_000_000))).await;
    let then = diff(&exchange, 1, &eager).await;
    assert_eq!(then["settings"], "then");
    assert_eq!(then["verdicts"]["price_up"], 3);
    assert_eq!(then["verdicts"]["newly_bid"], 1);
    let body = json!({"old": 1, "new": eager, "settings": "now"});
    let now = exchange.post("modules/zip-list/diff", body).await.body;
    assert_eq!(now["verdicts"]["newly_bid"], 4);
}

#[tokio::test]
async fn only_the_leads_of_the_time_asked_for_are_judged() {
    let clock = Clock::standing(Moment::from_unix_ms(1_767_625_200_000));
    let (exchange, _buyer) = market_at(clock.clone()).await;
    for (hours, leads) in [(0, 2), (5, 3), (10, 1)] {
        clock.set(Moment::from_unix_ms(1_767_625_200_000 + hours * 3_600_000));
        pings(&exchange, leads, 0).await;
    }
    let eager = upload(&exchange, filter(Says::Bid(12_000_000))).await;
    for (last, leads) in [("4h", 1), ("5h", 4), ("9h", 4), ("10h", 6), ("24h", 6)] {
        let body = json!({"old": 1, "new": eager, "last": last});
        let found = exchange.post("modules/zip-list/diff", body).await.body;
        assert_eq!(found["leads"], leads, "{last}");
    }
}

#[tokio::test]
async fn what_a_bid_could_not_be_paid_with_is_as_it_was_recorded() {
    let (exchange, _buyer) = market().await;
    let capped = json!({
        "buyer": "bravo", "vertical": "auto-insurance", "price": "9.00", "caps": {"total": 1},
        "filter": {"module": "zip-list", "settings": {"zips": ["90210"]}},
    });
    exchange.put("campaigns/bravo-auto", capped).await;
    pings(&exchange, 3, 0).await;
    let eager = upload(&exchange, filter(Says::Bid(12_000_000))).await;
    let found = diff(&exchange, 1, &eager).await;
    // Once it had its lead, the campaign was not asked any more, and no version would have been.
    assert_eq!((&found["leads"], &found["verdicts"]["price_up"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn a_diff_that_cannot_be_says_why_and_what_to_do() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 1, 0).await;
    upload(&exchange, module("age-credit-band")).await;
    let again = exchange.upload("auto-insurance", renamed(module("auto-insurance"))).await;
    assert_eq!(again.status, 201);
    for (path, body, status, part) in [
        (
            "zip-list",
            json!({"old": 1, "new": 9}),
            404,
            "version 9 of module `zip-list`; the newest is 2",
        ),
        ("nobody", json!({"old": 1, "new": 2}), 404, "there is no module `nobody`"),
        ("zip-list", json!({"old": 1, "new": 1}), 422, "the same version twice"),
        (
            "zip-list",
            json!({"old": 1, "new": 2, "last": "soon"}),
            422,
            "is no time such as 90s, 15m, 24h or 7d",
        ),
        (
            "zip-list",
            json!({"old": 1, "new": 2, "settings": "later"}),
            422,
            "expected `then` or `now`",
        ),
        ("zip-list", json!({"old": 1}), 422, "missing field `new`"),
        (
            "zip-list",
            json!({"old": 1, "new": 2}),
            409,
            "version 2 of `zip-list` does not take the settings that campaign `bravo-auto` had",
        ),
        (
            "auto-insurance",
            json!({"old": 1, "new": 2}),
            409,
            "POST /v1/modules/auto-insurance/shadow",
        ),
    ] {
        let refused = exchange.post(&format!("modules/{path}/diff"), body).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.text("/detail").contains(part), "{refused:?}");
    }
    let none = exchange.get("modules/zip-list/shadow").await;
    assert_eq!(none.status, 404);
    assert_eq!(
        none.text("/detail"),
        "no version of `zip-list` is or was a shadow since this exchange was started"
    );
    let idle = exchange.get("modules/zip-list/diff").await;
    assert_eq!(idle.body, json!({"running": false, "facts": 0, "of": 0}));
}

/// Returns the same module with another digest: a custom section says nothing to anybody.
fn renamed(mut wasm: Vec<u8>) -> Vec<u8> {
    wasm.extend([0, 9, 4]);
    wasm.extend(b"notesame");
    wasm
}

/// Saves components as files; returns their paths.
fn files<const N: usize>(folder: &Path, components: [(&str, Vec<u8>); N]) -> [String; N] {
    components.map(|(name, wasm)| {
        let file = folder.join(name);
        std::fs::write(&file, wasm).unwrap();
        file.to_str().unwrap().to_owned()
    })
}

#[tokio::test]
async fn the_command_finds_the_same_wherever_the_leads_come_from() {
    let (exchange, _buyer) = market().await;
    let last = pings(&exchange, 4, 2).await;
    let post = merged(auto_post(&last), json!({"zip": "10025", "state": "NY"}));
    assert_eq!(exchange.say(POST, &post).await.text("/status"), "sold");
    let eager = upload(&exchange, filter(Says::Bid(12_000_000))).await;
    let expected = diff(&exchange, 1, &eager).await;

    let folder = TempDir::new().unwrap();
    let [old, new] = files(
        folder.path(),
        [("old.wasm", module("zip-list")), ("new.wasm", filter(Says::Bid(12_000_000)))],
    );
    let (data, url) = (exchange.data.path().to_str().unwrap(), exchange.url(""));
    let recording = folder.path().join("leads.jsonl");
    let recording = recording.to_str().unwrap();
    for from in [["--url", &url], ["--data", data]] {
        let (code, recorded, complaint) =
            gavel(&[&["module", "record", "zip-list"][..], &from].concat()).await;
        assert_eq!((code, complaint.as_str()), (0, ""));
        assert_eq!(recorded.lines().count(), 1 + 1 + 6 + 1, "{recorded}");
        for word in ["Dana", "Sample", "2025550107", "dana@example.com", "Example St"] {
            let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
            let backwards: String = word.bytes().rev().map(|byte| format!("{byte:02x}")).collect();
            for hidden in [word, &hex, &backwards] {
                assert!(!recorded.contains(hidden), "{word}");
            }
        }
        std::fs::write(recording, recorded).unwrap();
        let between = ["module", "diff", "zip-list"];
        for (versions, from) in [
            (["1", "2"], &from[..]),
            (["1", &new], &from[..]),
            ([&old, &new], &["--recording", recording][..]),
            (["1", &new], &["--recording", recording, from[0], from[1]][..]),
        ] {
            let arguments = [&between[..], &versions, from, &["--json"]].concat();
            let (code, printed, complaint) = gavel(&arguments).await;
            assert_eq!(code, 1, "{arguments:?} {complaint}");
            let found: Value = serde_json::from_str(&printed).unwrap();
            for part in ["verdicts", "awards", "money", "calls", "campaigns", "examples", "from"] {
                assert_eq!(found[part], expected[part], "{arguments:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_command_shows_people_a_table_and_says_by_its_exit_code_whether_they_differ() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 4, 2).await;
    upload(&exchange, filter(Says::Bid(12_000_000))).await;
    upload(&exchange, renamed(module("zip-list"))).await;
    let url = exchange.url("");
    let (code, printed, complaint) =
        gavel(&["module", "diff", "zip-list", "1", "2", "--url", &url]).await;
    assert_eq!(code, 1);
    assert_eq!(complaint, "gavel: version 1 and version 2 of `zip-list` differ\n");
    for line in [
        "zip-list: version 1 → version 2, 6 leads from ",
        "  newly bid                                        2     33.3 %",
        "  other winners                                    2     33.3 %",
        "  buyers pay                       24.04           30.06           +6.02",
        "  bravo-auto                    0        2        4        0             4 → 6        +10.02",
        "bravo-auto: refused (zip-not-on-list) → bid 12.00; buyers pay +3.01",
        "    zip 10025",
    ] {
        assert!(printed.contains(line), "{line}\n{printed}");
    }
    let (code, printed, complaint) =
        gavel(&["module", "diff", "zip-list", "1", "3", "--url", &url]).await;
    assert_eq!((code, complaint.as_str()), (0, ""), "{printed}");
    exchange.serve("age-credit-band").await;
    assert_eq!(exchange.upload("age-credit-band", module("priced-by-fields")).await.status, 201);
    for (arguments, code, part) in [
        (
            &["age-credit-band", "1", "2"][..],
            3,
            "nothing was compared: no campaign of `age-credit-band` was asked about a lead",
        ),
        (
            &["zip-list", "1", "none.wasm"],
            2,
            "`none.wasm` is neither the number of a version nor a file",
        ),
        (&["zip-list", "1", "9"], 2, "there is no version 9 of module `zip-list`; the newest is 3"),
        (&["zip-list", "1", "2", "--last", "ever"], 2, "--last: `ever` is no time such as"),
        (&["nobody", "1", "2"], 2, "there is no module `nobody`"),
        (
            &["zip-list", "1", "2", "--url", "http://127.0.0.1:9"],
            3,
            "no exchange answers at http://127.0.0.1:9 (",
        ),
    ] {
        let mut arguments = [&["module", "diff"], arguments].concat();
        if !arguments.contains(&"--url") {
            arguments.extend(["--url", &url]);
        }
        let (found, _, complaint) = gavel(&arguments).await;
        assert_eq!(found, code, "{arguments:?} {complaint}");
        assert!(complaint.contains(part), "{complaint}");
    }
}

#[tokio::test]
async fn a_recording_that_is_cut_or_of_another_module_is_refused() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 2, 0).await;
    let (_, recorded, _) =
        gavel(&["module", "record", "zip-list", "--url", &exchange.url("")]).await;
    let folder = TempDir::new().unwrap();
    let [old, new] =
        files(folder.path(), [("old.wasm", module("zip-list")), ("new.wasm", filter(Says::Traps))]);
    let lines: Vec<&str> = recorded.lines().collect();
    let frame = recorded.split("\"frame\":\"").nth(1).unwrap().split('"').next().unwrap();
    for (recording, part) in [
        (lines[..4].join("\n"), "line 5 of the recording: it ends before its end"),
        (lines[2..].join("\n"), "line 1 of the recording: it does not begin like a recording"),
        (
            recorded.replace("\"module\":\"zip-list\"", "\"module\":\"other\""),
            "it records `other`, not `zip-list`",
        ),
        (
            recorded.replace("\"format\":1", "\"format\":2"),
            "it is of format 2, and this program reads 1",
        ),
        (recorded.replace(frame, &frame[16..]), "line 3 of the recording: its frame is damaged"),
        (recorded.replace(frame, "xyz"), "line 3 of the recording: its frame is damaged"),
        (
            [lines[0], lines[2]].join("\n"),
            "line 2 of the recording: the settings 1 come nowhere before it",
        ),
    ] {
        let file = folder.path().join("leads.jsonl");
        std::fs::write(&file, recording).unwrap();
        let file = file.to_str().unwrap();
        let (code, _, complaint) =
            gavel(&["module", "diff", "zip-list", &old, &new, "--recording", file]).await;
        assert_eq!(code, 2, "{complaint}");
        assert!(complaint.contains(part), "{complaint}");
    }
}

#[tokio::test]
async fn two_normalizers_are_compared_over_a_folder_of_payloads() {
    let folder = TempDir::new().unwrap();
    let [old, new] = files(
        folder.path(),
        [("old.wasm", module("auto-insurance")), ("new.wasm", module("medicare-health"))],
    );
    let payloads = folder.path().join("payloads");
    std::fs::create_dir(&payloads).unwrap();
    std::fs::write(payloads.join("one.post.json"), auto_post("pg_x").to_string()).unwrap();
    std::fs::write(payloads.join("two.ping.form"), "zip=90210").unwrap();
    let payloads = payloads.to_str().unwrap();
    let compared = |new: &str, json: &'static [&'static str]| {
        let arguments =
            [&["module", "diff", "auto-insurance", &old, new, "--recording", payloads][..], json]
                .concat();
        let arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        async move { gavel(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    assert_eq!(compared(&old, &[]).await.0, 0);
    let (code, printed, _) = compared(&new, &["--json"]).await;
    assert_eq!(code, 1);
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["submissions"], 2);
    assert_eq!(found["world"], "normalizer");
    assert!(!printed.contains("Dana") && !printed.contains("555"), "{printed}");
    let (_, printed, _) = compared(&new, &[]).await;
    assert!(printed.contains("auto-insurance: old.wasm → new.wasm, 2 submissions"), "{printed}");
}

/// Lets a version shadow, and waits until it has judged so many leads.
async fn shadow(exchange: &Exchange, version: &Value) {
    let begun = exchange.post("modules/zip-list/shadow", json!({"version": version})).await;
    assert_eq!((begun.status, begun.text("/stage")), (200, "shadow"), "{begun:?}");
}

async fn shadowed(exchange: &Exchange, leads: u64) -> Value {
    until("the shadow has seen the leads", async || {
        exchange.get("modules/zip-list/shadow").await.body["leads"] == leads
    })
    .await;
    exchange.get("modules/zip-list/shadow").await.body
}

#[tokio::test]
async fn a_shadow_finds_on_live_traffic_what_a_diff_finds_afterwards() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 3, 3).await;
    let eager = upload(&exchange, filter(Says::Bid(12_000_000))).await;
    shadow(&exchange, &eager).await;
    let last = pings(&exchange, 4, 2).await;
    let found = shadowed(&exchange, 6).await;
    check(
        &found,
        &[
            "all 6, newly_bid 2, price_up 4",
            "same 4, other_winners 2",
            "buyers_pay 24.04 30.06 6.02",
            "sources_get 21.636 27.054 5.418",
            "exchange_keeps 2.404 3.006 0.602",
        ],
    );
    assert_eq!(found["examples"][0]["lead"], json!({"zip": "10025"}));
    assert_eq!((&found["dropped"], &found["complete"]), (&json!(0), &json!(true)));
    assert_eq!((&found["old"]["version"], &found["new"]["version"]), (&json!(1), &json!(2)));
    // It decides nothing.
    assert_eq!(exchange.receipt(&last).await["winners"][0]["campaign"], "carol-auto");
    let metrics = reply(client().get(exchange.url("/metrics"))).await.body;
    let seen = metrics.as_str().unwrap().lines().find(|line| {
        line.starts_with("gavel_shadow_leads_total{") && line.contains("outcome=\"differs\"")
    });
    assert!(seen.is_some(), "{metrics}");

    let ended = exchange.post("modules/zip-list/shadow", json!({"percent": "0"})).await;
    assert_eq!(ended.status, 200, "{ended:?}");
    pings(&exchange, 1, 0).await;
    let after = exchange.get("modules/zip-list/shadow").await.body;
    assert_eq!((&after["leads"], after["to"].is_string()), (&json!(6), true));
    shadow(&exchange, &eager).await;
    assert_eq!(exchange.get("modules/zip-list/shadow").await.body["leads"], 0);
}

#[tokio::test]
async fn the_shadow_of_a_normalizer_reads_what_the_active_one_read() {
    let (exchange, _buyer) = market().await;
    let other = renamed(module("auto-insurance"));
    assert_eq!(exchange.upload("auto-insurance", other).await.status, 201);
    let begun = exchange.post("modules/auto-insurance/shadow", json!({})).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let last = pings(&exchange, 2, 0).await;
    assert_eq!(exchange.say(POST, &auto_post(&last)).await.text("/status"), "sold");
    assert_eq!(exchange.say(PING, &json!({"zip": "1"})).await.status, 422);
    let found = async || exchange.get("modules/auto-insurance/shadow").await.body;
    until("the shadow has read them", async || found().await["submissions"] == 4).await;
    let found = found().await;
    assert_eq!((&found["world"], &found["differs"]), (&json!("normalizer"), &json!(false)));
    assert_eq!(found["readings"]["same"], 4);
    assert!(found["calls"]["new"]["fuel_p99"].as_u64().unwrap() > 0);
    assert!(!found.to_string().contains("Dana"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_shadow_that_never_returns_disturbs_nobody() {
    let (exchange, _buyer) = market().await;
    let exchange = Arc::new(exchange);
    let unlimited = json!({"margin_percent": "10", "pings_per_second": 1_000_000});
    exchange.put("sources/web", unlimited).await;
    let loops = upload(&exchange, filter(Says::Loops)).await;
    shadow(&exchange, &loops).await;
    let began = Instant::now();
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let exchange = Arc::clone(&exchange);
            tokio::spawn(async move {
                let (mut pings, mut slowest) = (0_u64, Duration::ZERO);
                while began.elapsed() < Duration::from_secs(3) {
                    let asked = Instant::now();
                    let ping = exchange.say(PING, &auto_ping()).await;
                    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
                    slowest = slowest.max(asked.elapsed());
                    pings += 1;
                }
                (pings, slowest)
            })
        })
        .collect();
    let (mut pings, mut slowest) = (0, Duration::ZERO);
    for sender in senders {
        let (sent, longest) = sender.await.unwrap();
        (pings, slowest) = (pings + sent, slowest.max(longest));
    }
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    let found = async || exchange.get("modules/zip-list/shadow").await.body;
    let count = |found: &Value, member: &str| found[member].as_u64().unwrap();
    // A full queue takes some seconds, of which half is rest.
    let judged = async {
        loop {
            let found = found().await;
            if count(&found, "leads") + count(&found, "dropped") == pings {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), judged).await.unwrap();
    let found = found().await;
    assert_eq!(found["calls"]["new"]["failed"], found["leads"]);
    assert_eq!(found["complete"], count(&found, "dropped") == 0);
    assert!(count(&found, "leads") > 0);
    let receipt = exchange.say(PING, &auto_ping()).await;
    let receipt = exchange.receipt(receipt.text("/ping_id")).await;
    assert_eq!(receipt["winners"][0]["campaign"], "bravo-auto");
}

#[tokio::test]
async fn a_gate_holds_up_what_differs_too_much_and_says_by_how_much() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 4, 2).await;
    let shy = upload(&exchange, filter(Says::No("not-today"))).await;
    let gate = json!({"frames_min": 5, "newly_refused_percent_max": "10", "awards_changed_percent_max": "66.6"});
    exchange.put("modules/zip-list", json!({"gate": gate})).await;
    let refused = exchange.post("modules/zip-list/activate", json!({})).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "gate"), "{refused:?}");
    assert_eq!(
        refused.text("/detail"),
        "version 2 of `zip-list` does not pass the gate, compared with version 1 over 6 recorded leads: 4 of 6 \
         verdicts are newly refused, 66.6666 %, and the gate lets at most 10 % pass; 4 of 6 auctions have other \
         winners, 66.6666 %, and the gate lets at most 66.6 % pass"
    );
    assert!(refused.text("/next").contains("\"force\": true"), "{refused:?}");
    let canary = exchange.post("modules/zip-list/canary", json!({"percent": "5"})).await;
    assert_eq!((canary.status, canary.text("/code")), (409, "gate"));
    assert_eq!(exchange.get("modules/zip-list").await.body["active"], 1);

    let forced = json!({"version": shy, "force": true, "by": "ana", "why": "bravo asked for it"});
    assert_eq!(exchange.post("modules/zip-list/activate", forced).await.status, 200);
    let steps = exchange.get("modules/zip-list").await.body["steps"].clone();
    let activated = steps.as_array().unwrap().iter().rev().find(|step| step["step"] == "activated");
    assert_eq!(activated.unwrap()["why"], "forced: bravo asked for it");
    assert_eq!(exchange.post("modules/zip-list/rollback", json!({})).await.status, 200);
}

/// As [`market`], but bravo is asked for its price over the network, and carol bids the reserve.
async fn remote_market() -> (Exchange, Buyer, MockBuyer) {
    let (exchange, buyer) = market().await;
    let bidder = MockBuyer::open(MockSpec::of(Character::Prompt), None, None).await.unwrap();
    let bidding = json!({"url": bidder.bid_url(), "timeout_ms": 5_000});
    let spec = json!({"delivery": {"url": buyer.url()}, "bidding": bidding});
    exchange.put("buyers/bravo", spec).await;
    let filter = json!({"module": "zip-list", "settings": {"zips": ["90210"]}});
    let campaign = json!({"buyer": "bravo", "vertical": "auto-insurance", "filter": filter});
    exchange.put("campaigns/bravo-auto", campaign).await;
    let least = json!({"buyer": "carol", "vertical": "auto-insurance", "price": "2.00"});
    exchange.put("campaigns/carol-auto", least).await;
    (exchange, buyer, bidder)
}

#[tokio::test]
async fn a_price_that_the_buyer_named_over_the_network_is_compared() {
    let (exchange, _buyer, _bidder) = remote_market().await;
    let last = pings(&exchange, 4, 2).await;
    assert_eq!(exchange.receipt(&last).await["winners"][0]["campaign"], "carol-auto");
    let shy = upload(&exchange, filter(Says::No("not-today"))).await;
    let refused = diff(&exchange, 1, &shy).await;
    let counted = |found: &Value| {
        let verdicts = found["verdicts"].as_object().unwrap().iter();
        let verdicts = verdicts.filter(|(_, count)| **count != json!(0));
        verdicts.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(counted(&refused), "all 6, newly_refused 4, reason_changed 2");
    assert_eq!(refused["awards"]["other_winners"], 4);
    assert_eq!(refused["money"]["buyers_pay"]["change"], "-0.04", "{refused:#}");

    let bidding = diff(&exchange, 2, &json!(1)).await;
    assert_eq!(counted(&bidding), "all 6, newly_bid 4, reason_changed 2");

    // Nobody asked the buyer about the other two leads, so their price is not known, but they are bid for.
    let eager = upload(&exchange, filter(Says::Yes)).await;
    let unpriced = diff(&exchange, 1, &eager).await;
    assert_eq!(counted(&unpriced), "all 6, same 4, newly_bid 2");
    assert_eq!(unpriced["unpriced"], json!({"old": 0, "new": 2}));
    let example = &unpriced["examples"][0];
    assert_eq!(example["new"], json!({"unpriced": "its buyer was not asked"}));

    let gate = json!({"newly_refused_percent_max": "0", "awards_changed_percent_max": "0"});
    exchange.put("modules/zip-list", json!({"gate": gate})).await;
    let held = exchange.post("modules/zip-list/activate", json!({"version": shy})).await;
    assert_eq!((held.status, held.text("/code")), (409, "gate"), "{held:?}");
}

#[tokio::test]
async fn every_threshold_of_a_gate_is_kept() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 4, 2).await;
    for (says, gate, part) in [
        (
            Says::Bid(12_000_000),
            json!({"newly_bid_percent_max": "33"}),
            "2 of 6 verdicts are newly bids, 33.3333 %, and the gate lets at most 33 % pass",
        ),
        (
            Says::Bid(12_000_000),
            json!({"price_changed_percent_max": "66"}),
            "4 of 6 verdicts have another price, 66.6666 %, and the gate lets at most 66 % pass",
        ),
        (
            Says::Bid(12_000_000),
            json!({"frames_min": 7}),
            "6 leads were judged by both, and the gate asks for at least 7",
        ),
        (Says::Bid(12_000_000), json!({"fuel_p99_max": 10}), "99 of 100 calls stay within"),
        (
            Says::Traps,
            json!({"traps_max": 5}),
            "6 calls failed (it trapped: wasm `unreachable` instruction executed",
        ),
        (
            Says::Traps,
            json!({"fuel_p99_max": 1_000_000}),
            "so many calls failed that 99 of 100 do not stay within the 1000000 fuel",
        ),
    ] {
        let version = upload(&exchange, filter(says)).await;
        exchange.put("modules/zip-list", json!({"gate": gate})).await;
        let refused = exchange.post("modules/zip-list/activate", json!({"version": version})).await;
        assert_eq!((refused.status, refused.text("/code")), (409, "gate"), "{gate}");
        assert!(refused.text("/detail").contains(part), "{refused:?}");
    }
    let wide = json!({"newly_bid_percent_max": "34", "price_changed_percent_max": "67", "frames_min": 6, "traps_max": 0, "fuel_p99_max": 100_000});
    exchange.put("modules/zip-list", json!({"gate": wide})).await;
    let passed = exchange.post("modules/zip-list/activate", json!({"version": 2})).await;
    assert_eq!(passed.status, 200, "{passed:?}");
}

#[tokio::test]
async fn a_gate_takes_the_word_of_a_shadow_that_has_seen_enough() {
    let (exchange, _buyer) = market().await;
    pings(&exchange, 9, 0).await;
    let shy = upload(&exchange, filter(Says::No("zip-not-on-list"))).await;
    exchange
        .put(
            "modules/zip-list",
            json!({"gate": {"frames_min": 3, "traps_max": 0, "newly_refused_percent_max": "0"}}),
        )
        .await;
    shadow(&exchange, &shy).await;
    pings(&exchange, 0, 2).await;
    shadowed(&exchange, 2).await;
    let refused = exchange.post("modules/zip-list/activate", json!({})).await;
    assert!(refused.text("/detail").contains("over 11 recorded leads: 9 of 11"), "{refused:?}");
    pings(&exchange, 0, 1).await;
    shadowed(&exchange, 3).await;
    let passed = exchange.post("modules/zip-list/activate", json!({})).await;
    assert_eq!(passed.status, 200, "{passed:?}");
}

#[tokio::test]
async fn the_gate_of_a_normalizer_asks_for_a_shadow() {
    let (exchange, _buyer) = market().await;
    exchange
        .put(
            "modules/auto-insurance",
            json!({"gate": {"frames_min": 2, "newly_refused_percent_max": "0"}}),
        )
        .await;
    assert_eq!(
        exchange.upload("auto-insurance", renamed(module("auto-insurance"))).await.status,
        201
    );
    let refused = exchange.post("modules/auto-insurance/activate", json!({})).await;
    assert!(
        refused
            .text("/detail")
            .contains("shadow version 2 first, with POST /v1/modules/auto-insurance/shadow"),
        "{refused:?}"
    );
    assert_eq!(exchange.post("modules/auto-insurance/shadow", json!({})).await.status, 200);
    pings(&exchange, 1, 0).await;
    let seen =
        async || exchange.get("modules/auto-insurance/shadow").await.body["submissions"].clone();
    until("the shadow has read one", async || seen().await == 1).await;
    let refused = exchange.post("modules/auto-insurance/activate", json!({})).await;
    assert!(
        refused
            .text("/detail")
            .contains("1 leads were judged by both, and the gate asks for at least 2"),
        "{refused:?}"
    );
    pings(&exchange, 1, 0).await;
    until("the shadow has read both", async || seen().await == 2).await;
    assert_eq!(exchange.post("modules/auto-insurance/activate", json!({})).await.status, 200);
}

#[tokio::test]
async fn a_gate_that_cannot_be_is_not_saved() {
    let (exchange, _buyer) = market().await;
    for (module, gate, field, part) in [
        ("zip-list", json!({"fuel_p99_max": 0}), "/gate/fuel_p99_max", "must be above zero"),
        (
            "zip-list",
            json!({"frames_min": 1_000_001}),
            "/gate/frames_min",
            "must be at most 1000000",
        ),
        ("zip-list", json!({"traps_max": -1}), "/gate/traps_max", "expected u64"),
        (
            "zip-list",
            json!({"newly_bid_percent_max": "101"}),
            "/gate/newly_bid_percent_max",
            "between 0 and 100",
        ),
        (
            "zip-list",
            json!({"newly_bid_percent_max": 5}),
            "/gate/newly_bid_percent_max",
            "a percentage from 0 to 100 as text",
        ),
        ("zip-list", json!({"newly_wed": 1}), "/gate/newly_wed", "unknown field `newly_wed`"),
        (
            "auto-insurance",
            json!({"awards_changed_percent_max": "1"}),
            "/gate/awards_changed_percent_max",
            "a normalizer, which does not bid",
        ),
    ] {
        let refused = exchange.try_put(&format!("modules/{module}"), json!({"gate": gate})).await;
        assert_eq!((refused.status, refused.text("/field")), (422, field), "{refused:?}");
        assert!(refused.text("/detail").contains(part), "{refused:?}");
    }
}
