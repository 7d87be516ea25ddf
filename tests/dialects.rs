//! Answers in the dialects that sources speak: what is written, in which dialect, with which status, and that a source
//! gets from its ping to its sale with nothing but its own words.
//!
//! `GAVEL_BLESS=1` writes the answers that come out as expected; read every line of that before you keep it.

mod recorded;
mod ways;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gavel::clock::Clock;
use gavel::money::Micros;
use gavel::sandbox::{
    Admitted, Limits, Normalizer, Outcome, Sandbox, SourceVerdict, Stage, Syntax,
};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{
    Buyer, Exchange, SOURCE_KEY, auto_ping, auto_post, client, merged, module, until,
};

/// The most fuel that wording an answer may take: about a hundredth of a millisecond.
const RENDER_FUEL: u64 = 40_000;
const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";
const XML: &str = "text/xml";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/answers")
}

fn normalizer(name: &str) -> Normalizer {
    let sandbox = Sandbox::open(&Limits::default()).unwrap();
    match sandbox.admit(&module(name)).unwrap() {
        Admitted::Normalizer(normalizer) => normalizer,
        other @ (Admitted::Filter(_) | Admitted::Adapter(_)) => {
            panic!("{name} is no normalizer: {other:?}")
        }
    }
}

/// Begins what is said: a verdict, or a fault with its status.
fn said(dialect: &str, stage: Stage, verdict: SourceVerdict, status: u16) -> Outcome {
    let is_decided = status == 200;
    let is_lead = is_decided && stage == Stage::Post;
    Outcome {
        stage,
        dialect: dialect.to_owned(),
        accept: None,
        content: None,
        verdict,
        status,
        ping_id: is_decided.then(|| "pg_01kd0b4tq0e8m2v6x9c3r7s5wz".to_owned()),
        lead_id: is_lead.then(|| "ld_01kd0b4tq0e8m2v6x9c3r7s5wz".to_owned()),
        duplicate_of: None,
        price: None,
        currency: "USD".to_owned(),
        copies: None,
        expires_ms: None,
        reason_code: None,
        reason: None,
        field: None,
        retry_after_s: None,
    }
}

fn because(outcome: Outcome, code: &str, words: &str) -> Outcome {
    Outcome { reason_code: Some(code.to_owned()), reason: Some(words.to_owned()), ..outcome }
}

/// Returns what can be said, by the name of its golden.
fn cases(dialect: &str) -> Vec<(&'static str, Outcome)> {
    let mut cases = verdicts(dialect);
    cases.extend(faults(dialect));
    cases
}

fn verdicts(dialect: &str) -> Vec<(&'static str, Outcome)> {
    let ping = |verdict| said(dialect, Stage::Ping, verdict, 200);
    let post = |verdict| said(dialect, Stage::Post, verdict, 200);
    let price = Some(Micros::new(12_349_999));
    let none = |outcome| because(outcome, "no-eligible-buyer", "no buyer wants this lead now");
    let twice =
        |outcome| because(outcome, "duplicate", "the same lead was offered a short time ago");
    let duplicate_of = Some("pg_01kd0b4q7w1n5t8z2d6h9k3m4v".to_owned());
    let expires_ms = Some(1_772_471_131_204);
    vec![
        ("ping-accepted", Outcome { price, expires_ms, ..ping(SourceVerdict::Accepted) }),
        ("ping-rejected", none(ping(SourceVerdict::Rejected))),
        ("ping-duplicate", Outcome { duplicate_of, ..twice(ping(SourceVerdict::Duplicate)) }),
        ("post-sold", Outcome { price, copies: Some(1), ..post(SourceVerdict::Sold) }),
        (
            "post-unsold",
            because(
                post(SourceVerdict::Unsold),
                "all-rejected",
                "every buyer that could have the lead refused it",
            ),
        ),
        ("post-duplicate", twice(post(SourceVerdict::Duplicate))),
        (
            "post-pending",
            because(
                post(SourceVerdict::Pending),
                "delivery-open",
                "the buyer has not answered yet",
            ),
        ),
    ]
}

fn faults(dialect: &str) -> Vec<(&'static str, Outcome)> {
    use SourceVerdict::{Busy, Denied, Failed, Refused};
    let (ping, post) = (Stage::Ping, Stage::Post);
    let missing = "`zip` is required on a ping & it is <empty>";
    let table = [
        ("ping-refused", ping, Refused, 422, "missing-field", missing),
        (
            "post-refused",
            post,
            Refused,
            404,
            "ping-not-found",
            "there is no ping of yours with this id",
        ),
        ("denied", ping, Denied, 401, "key-unknown", "the source key is not known here"),
        (
            "denied-vertical",
            ping,
            Denied,
            404,
            "vertical-not-found",
            "there is no vertical `boats`",
        ),
        ("busy", ping, Busy, 429, "rate-limited", "more than 500 requests a second"),
        (
            "busy-shed",
            post,
            Busy,
            503,
            "overloaded",
            "the exchange has as much work as it can take",
        ),
        ("failed", ping, Failed, 500, "internal", "the exchange failed on this request"),
    ];
    let fault = |(name, stage, verdict, status, code, words)| {
        let outcome = Outcome {
            field: (code == "missing-field").then(|| "zip".to_owned()),
            retry_after_s: (verdict == Busy).then_some(2),
            ..said(dialect, stage, verdict, status)
        };
        (name, because(outcome, code, words))
    };
    table.map(fault).to_vec()
}

/// Returns the dialects that are one: not the families that stand for several, nor the exchange's own JSON.
fn concrete(normalizer: &Normalizer) -> Vec<&str> {
    let names: Vec<&str> =
        normalizer.dialects().iter().map(|dialect| dialect.name.as_str()).collect();
    let stands_for_several = |name: &str| {
        ["xml", "json"].iter().any(|syntax| names.contains(&&*format!("{name}-{syntax}")))
    };
    let one = |name: &&str| *name != "json" && !stands_for_several(name);
    names.iter().copied().filter(one).collect()
}

fn golden(dialect: &str, case: &str, content_type: &str) -> PathBuf {
    let family = dialect.trim_end_matches("-xml").trim_end_matches("-json");
    let ending = match content_type.split(';').next().unwrap() {
        "application/json" => "json",
        "text/xml" => "xml",
        "text/plain" => "txt",
        other => panic!("{dialect}: {other}"),
    };
    fixtures().join(family).join(format!("{case}.{ending}"))
}

#[test]
fn every_answer_in_every_dialect_is_as_expected() {
    let bless = std::env::var_os("GAVEL_BLESS").is_some();
    let normalizer = normalizer("auto-insurance");
    let (mut wrong, mut statuses, mut most) = (Vec::new(), String::new(), 0);
    for dialect in concrete(&normalizer) {
        for (case, outcome) in cases(dialect) {
            let rendered = normalizer.render(&outcome).unwrap().unwrap();
            let file = golden(dialect, case, &rendered.content_type);
            statuses +=
                &format!("{dialect} {case} {} {}\n", rendered.status, rendered.content_type);
            most = most.max(rendered.fuel);
            if bless {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(&file, &rendered.body).unwrap();
            }
            if std::fs::read(&file).unwrap_or_default() != rendered.body {
                let body = String::from_utf8(rendered.body).unwrap();
                wrong.push(format!("{}:\n{body}", file.display()));
            }
        }
    }
    let file = fixtures().join("statuses.txt");
    if bless {
        std::fs::write(&file, &statuses).unwrap();
    }
    assert!(wrong.is_empty(), "not as expected:\n{}", wrong.join("\n"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), statuses);
    assert!(most < RENDER_FUEL, "an answer took {most} fuel");
}

#[test]
fn before_a_submission_is_read_its_address_and_headers_say_how() {
    let normalizer = normalizer("auto-insurance");
    for (word, accept, content, expected) in [
        ("px", None, Some(Syntax::Xml), "text/xml; charset=utf-8"),
        ("px", Some(Syntax::Json), Some(Syntax::Xml), "application/json"),
        ("px-xml", Some(Syntax::Json), None, "text/xml; charset=utf-8"),
        ("boberdoo", Some(Syntax::Json), Some(Syntax::Json), "text/xml; charset=utf-8"),
        ("", Some(Syntax::Xml), Some(Syntax::Form), "text/xml; charset=utf-8"),
        ("", Some(Syntax::Json), None, "none"),
        ("", None, Some(Syntax::Xml), "none"),
        ("json", Some(Syntax::Xml), None, "none"),
        ("klingon", None, None, "none"),
    ] {
        let (_, denied) = cases(word).into_iter().find(|(case, _)| *case == "denied").unwrap();
        let rendered = normalizer.render(&Outcome { accept, content, ..denied }).unwrap();
        let content_type = rendered.map_or("none".to_owned(), |rendered| rendered.content_type);
        assert_eq!(content_type, expected, "{word} {accept:?} {content:?}");
    }
}

/// An answer as it came.
struct Heard {
    status: u16,
    content_type: String,
    retry_after: Option<String>,
    text: String,
}

async fn hear(request: RequestBuilder) -> Heard {
    let response = request.send().await.unwrap();
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    Heard {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        retry_after: header("retry-after"),
        text: response.text().await.unwrap(),
    }
}

/// An exchange with a buyer that takes every lead for 2.345678 less a tenth: 2.1111102.
async fn open() -> (Exchange, Buyer) {
    let exchange = Exchange::with_auto(Clock::system(), json!({"reserve": "2.345678"})).await;
    let buyer = Buyer::accepting().await;
    exchange.with_buyer("acme", &buyer.url(), "12.00").await;
    (exchange, buyer)
}

/// Sends as no source in particular.
fn anybody(exchange: &Exchange, path: &str, content_type: &str, body: &str) -> RequestBuilder {
    let request = client().post(exchange.url(&format!("/v1/{path}")));
    request.header("content-type", content_type).body(body.to_owned())
}

#[tokio::test]
async fn an_unknown_dialect_is_told_which_there_are() {
    let (exchange, _) = open().await;
    let heard = hear(anybody(&exchange, "auto-insurance/ping/klingon", FORM, "zip=90210")).await;
    assert_eq!((heard.status, &*heard.content_type), (404, "application/problem+json"));
    for word in ["klingon", "json, boberdoo, boberdoo-xml", "cake", "px-json", "sunrun, xml"] {
        assert!(heard.text.contains(word), "{}", heard.text);
    }
    let spec = hear(client().get(exchange.url("/v1/auto-insurance/spec"))).await;
    let spec: Value = serde_json::from_str(&spec.text).unwrap();
    let listed = spec["dialects"].as_array().unwrap();
    assert!(listed.iter().any(|dialect| dialect["name"] == "px-xml"), "{listed:?}");
}

#[tokio::test]
async fn what_is_not_said_is_the_exchanges_own_json() {
    let (exchange, _) = open().await;
    let ping = auto_ping();
    for (path, accept, expected) in [
        ("auto-insurance/ping", "*/*", "application/json"),
        ("auto-insurance/ping/json", "application/xml", "application/json"),
        ("auto-insurance/ping", "application/xml", "text/xml; charset=utf-8"),
        ("auto-insurance/ping/xml", "application/json", "text/xml; charset=utf-8"),
        ("auto-insurance/ping/BOBERDOO-JSON", "*/*", "application/json"),
    ] {
        let request = exchange.request(path, JSON, ping.to_string()).header("accept", accept);
        let heard = hear(request).await;
        assert_eq!((heard.status, &*heard.content_type), (200, expected), "{path} {accept}");
        let own = heard.text.contains("accepted") && heard.text.contains("2.11111");
        assert_eq!(own, !path.ends_with("JSON"), "{}", heard.text);
    }
}

#[tokio::test]
async fn what_is_paid_stays_exact_where_the_dialect_says_less() {
    let (exchange, _) = open().await;
    let ping =
        hear(exchange.request("auto-insurance/ping/cake", JSON, auto_ping().to_string())).await;
    assert!(ping.text.contains("<price>2.11</price>"), "{}", ping.text);
    let id = ping.text.split(['<', '>']).find(|text| text.starts_with("pg_")).unwrap();
    let post =
        hear(exchange.request("auto-insurance/post/cake", JSON, auto_post(id).to_string())).await;
    assert!(post.text.contains("<price>2.11</price>"), "{}", post.text);
    let ledger = exchange.get("ledger").await.body;
    assert_eq!(ledger["accounts"]["source:web:payable"], "-2.11111");
}

#[tokio::test]
async fn a_request_sent_again_is_answered_in_the_same_bytes() {
    let (exchange, buyer) = open().await;
    let send = |path: &str, body: &Value, key: &str| {
        let request = exchange.request(path, JSON, body.to_string());
        hear(request.header("idempotency-key", key.to_owned()))
    };
    let ping = send("auto-insurance/ping/px", &auto_ping(), "one").await;
    assert_eq!(send("auto-insurance/ping/px", &auto_ping(), "one").await.text, ping.text);
    let id = serde_json::from_str::<Value>(&ping.text).unwrap();
    let post = auto_post(id["TransactionId"].as_str().unwrap());
    let sold = send("auto-insurance/post/px-xml", &post, "two").await;
    assert!(sold.text.contains("<Sold>true</Sold>"), "{}", sold.text);
    assert_eq!(send("auto-insurance/post/px-xml", &post, "two").await.text, sold.text);
    // In another dialect it is the same answer, not another sale.
    let other = send("auto-insurance/post/leadconduit", &post, "two").await;
    assert_eq!((other.status, buyer.received().len()), (201, 1), "{}", other.text);
}

#[tokio::test]
async fn who_is_not_heard_is_told_so_in_the_own_dialect() {
    let (exchange, _) = open().await;
    let wrong = |path: &str, body: &str| {
        hear(anybody(&exchange, path, FORM, body).bearer_auth("nobody-has-this-key"))
    };
    // By the address alone: the key stands in a header, so the body is not read.
    let heard = wrong("auto-insurance/ping/boberdoo", "zip=90210").await;
    assert_eq!((heard.status, &*heard.content_type), (200, "text/xml; charset=utf-8"));
    assert!(heard.text.contains("<status>Error</status><error>the source key"), "{}", heard.text);
    let heard = wrong("auto-insurance/ping/px", "zip=90210").await;
    assert_eq!(heard.status, 401);
    assert!(heard.text.contains("\"Message\":\"Unauthorized\""), "{}", heard.text);
    // By the keys of the body, among which is the source's key.
    let body = "ckm_campaign_id=1&ckm_key=nobody-has-this-key&zip=90210";
    let heard = hear(anybody(&exchange, "auto-insurance/ping", FORM, body)).await;
    assert!(heard.text.contains("<error>Invalid Post Key</error>"), "{}", heard.text);
    // A vertical that is not there, in the dialect of those that are.
    let heard = wrong("boats/ping/leadbyte", "zip=90210").await;
    assert_eq!(heard.status, 200);
    assert!(
        heard.text.contains("\"code\":-9,\"response\":\"Campaign not active\""),
        "{}",
        heard.text
    );
    let heard = wrong("boats/ping/klingon", "zip=90210").await;
    assert_eq!((heard.status, &*heard.content_type), (404, "application/problem+json"));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_the_own_dialect() {
    let (exchange, _) = open().await;
    let sent = |path: &str, content_type: &str, body: &str| {
        hear(exchange.request(path, content_type, body.to_owned()))
    };
    let heard =
        sent("auto-insurance/ping", JSON, r#"{"ApiToken":"t","Vertical":"Auto","zip":"#).await;
    assert_eq!(heard.status, 400);
    assert!(
        heard.text.contains("\"Message\":\"BadRequest\",\"Errors\":[\"the body is not JSON"),
        "{}",
        heard.text
    );
    let heard = sent("auto-insurance/ping/leadprosper", FORM, "gender=F").await;
    assert_eq!(heard.status, 200);
    assert!(
        heard.text.contains("{\"status\":\"ERROR\",\"code\":3,\"message\":\"`zip` is required"),
        "{}",
        heard.text
    );
    let heard = sent("auto-insurance/post/leadspedia", FORM, "zip=90210&lp_ping_id=pg_1").await;
    assert!(heard.text.contains("<result>failed</result>"), "{}", heard.text);
    // What is too large is not read at all.
    let heard = sent("auto-insurance/ping/cake", FORM, &"a".repeat(70_000)).await;
    assert_eq!(heard.status, 200);
    assert!(heard.text.contains("the body is larger than"), "{}", heard.text);
}

#[tokio::test]
async fn who_should_come_again_is_told_when_whatever_the_dialect() {
    let (exchange, _) = open().await;
    let slow = json!({"key": SOURCE_KEY, "margin_percent": "10", "pings_per_second": 1});
    exchange.put("sources/web", slow).await;
    let body = auto_ping().to_string();
    let send = |dialect: &str| {
        hear(exchange.request(&format!("auto-insurance/ping/{dialect}"), JSON, body.clone()))
    };
    assert_eq!(send("boberdoo").await.status, 200);
    for (dialect, expected) in [
        ("boberdoo", "<status>Error</status>"),
        ("leadconduit", "{\"status\":429,\"message\":\"Too Many Requests\",\"retry_after\":1}"),
        ("sunrun", "SERVER_ERROR"),
    ] {
        let heard = send(dialect).await;
        assert_eq!((heard.status, heard.retry_after.as_deref()), (429, Some("1")), "{dialect}");
        assert!(heard.text.contains(expected), "{dialect}: {}", heard.text);
    }
}

#[tokio::test]
async fn what_is_shed_is_shed_in_the_own_dialect() {
    let exchange = Exchange::crowded(Arc::new(TempDir::new().unwrap())).await;
    let late = std::time::Duration::from_secs(3);
    let buyer = Buyer::scripted(move |_| (200, json!({"bid": "12.00"}), late)).await;
    let bidding = json!({"url": buyer.url(), "timeout_ms": 5_000});
    let body = json!({"delivery": {"url": buyer.url()}, "bidding": bidding});
    exchange.put("buyers/acme", body).await;
    exchange.deposit("acme", "100.00").await;
    let campaign = json!({"buyer": "acme", "vertical": "auto-insurance"});
    exchange.put("campaigns/acme", campaign).await;
    let ping = merged(auto_ping(), json!({"deadline_ms": 5_000})).to_string();
    let pinging = exchange.request("auto-insurance/ping", JSON, ping).send();
    let (pinging, ()) = tokio::join!(pinging, async {
        until("the only place is taken", || async { !buyer.received().is_empty() }).await;
        let ping = auto_ping().to_string();
        let heard = hear(exchange.request("auto-insurance/ping/boberdoo", JSON, ping)).await;
        assert_eq!((heard.status, heard.retry_after.as_deref()), (503, Some("1")));
        assert!(
            heard.text.contains("<status>Error</status><error>the exchange has"),
            "{}",
            heard.text
        );
    });
    assert_eq!(pinging.unwrap().status(), 200);
}

#[tokio::test]
async fn no_answer_says_who_the_person_is() {
    let (exchange, _) = open().await;
    let normalizer = normalizer("auto-insurance");
    let mut said = BTreeSet::new();
    for dialect in concrete(&normalizer) {
        let bad = merged(auto_post(""), json!({"phone": "1234567890"}));
        for body in [auto_post(""), bad] {
            for call in ["full", "post"] {
                let path = format!("auto-insurance/{call}/{dialect}");
                let heard = hear(exchange.request(&path, JSON, body.to_string())).await;
                for secret in
                    ["Dana", "Sample", "dana@", "2025550107", "1234567890", "1 Example St"]
                {
                    assert!(!heard.text.contains(secret), "{path}: {}", heard.text);
                }
                said.insert(heard.text);
            }
        }
    }
    assert!(said.len() > 30, "{said:?}");
}

/// An exchange whose only vertical is read by a module that words answers badly, and a lead for it.
async fn boats() -> (Exchange, Buyer, Value) {
    let exchange = Exchange::open().await;
    exchange.serve("answers-badly").await;
    let terms = json!({"module": "answers-badly", "reserve": "2.00", "increment": "0.01"});
    exchange.put("verticals/boats", terms).await;
    exchange.put("sources/web", json!({"key": SOURCE_KEY, "pings_per_second": 100})).await;
    let buyer = Buyer::accepting().await;
    exchange.put("buyers/acme", json!({"delivery": {"url": buyer.url()}})).await;
    exchange.deposit("acme", "1000.00").await;
    let campaign = json!({"buyer": "acme", "vertical": "boats", "price": "12.00"});
    exchange.put("campaigns/acme-boats", campaign).await;
    let lead = json!({
        "deadline_ms": 10_000, "zip": "90210", "first_name": "Dana", "last_name": "Sample",
        "email": "dana@example.com", "phone": "2025550107",
    });
    (exchange, buyer, lead)
}

#[tokio::test]
async fn a_module_that_keeps_failing_on_answers_is_taken_out_but_not_by_strangers() {
    let (exchange, _buyer, lead) = boats().await;
    let failing = json!({"failing": {"calls": 3, "window_seconds": 60}});
    exchange.put("modules/answers-badly", failing).await;
    for _ in 0..5 {
        let refused = anybody(&exchange, "boats/full/traps", JSON, &lead.to_string());
        assert_eq!(hear(refused).await.status, 401);
    }
    for _ in 0..3 {
        let heard = hear(exchange.request("boats/full/traps", JSON, lead.to_string())).await;
        assert!(heard.text.contains("\"status\":\"sold\""), "{}", heard.text);
    }
    until("it is taken out", async || {
        let module = exchange.get("modules/answers-badly").await;
        module.text("/tracks/0/taken_out").starts_with("3 of its calls failed within 60 s")
    })
    .await;
    let shut = hear(exchange.request("boats/ping", JSON, lead.to_string())).await;
    assert_eq!(shut.status, 503, "{}", shut.text);
}

#[tokio::test]
async fn a_module_that_cannot_word_an_answer_changes_nothing_but_the_words() {
    let (exchange, buyer, lead) = boats().await;
    let failed = || async {
        let metrics = hear(client().get(exchange.url("/metrics"))).await.text;
        let counted = metrics.lines().find_map(|line| {
            line.strip_prefix("gavel_renders_total{ended=\"failed\"} ")?.parse::<u64>().ok()
        });
        counted.unwrap_or_default()
    };
    let ways = ["traps", "runs-on", "no-status", "no-header", "large"];
    for (sold, way) in (1..).zip(ways) {
        let before = failed().await;
        let path = format!("boats/full/{way}");
        let heard = hear(exchange.request(&path, JSON, lead.to_string())).await;
        assert_eq!((heard.status, &*heard.content_type), (200, JSON), "{way}");
        assert!(heard.text.contains("\"status\":\"sold\""), "{way}: {}", heard.text);
        assert_eq!(buyer.received().len(), sold, "{way}");
        assert!(failed().await > before, "{way} is not counted");
    }
    let declined = hear(exchange.request("boats/ping/declines", JSON, lead.to_string())).await;
    assert!(declined.text.contains("\"status\":\"accepted\""), "{}", declined.text);
    let hello = hear(exchange.request("boats/ping/always-200", JSON, lead.to_string())).await;
    assert_eq!((hello.status, &*hello.text), (200, "hello"));
    // What asks to come again cannot be hidden behind a 200.
    exchange.put("sources/web", json!({"key": SOURCE_KEY, "pings_per_second": 1})).await;
    for _ in 0..2 {
        let path = "boats/ping/always-200";
        let heard = hear(exchange.request(path, JSON, lead.to_string())).await;
        if heard.status == 429 {
            assert_eq!(heard.content_type, "application/problem+json");
            return;
        }
    }
    panic!("the limit of one request a second was not reached");
}
