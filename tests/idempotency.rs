//! Operators' calls with an Idempotency-Key: one effect, one answer, whoever repeats them and whenever.

use std::collections::BTreeMap;
use std::sync::Arc;

use gavel::book::CALLS_MAX;
use gavel::clock::{Clock, Moment};
use gavel::facts::{CallMade, Fact};
use gavel::ids::{Digest, PingId};
use gavel::journal::{Journal, Record};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{Exchange, OPERATOR_KEY, client};

/// Monday 2026-01-05, 15:00 in UTC.
const MONDAY: i64 = 1_767_625_200_000;
const DAY: i64 = 86_400_000;

/// An answer as it was sent, to the byte.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    status: u16,
    content_type: String,
    body: String,
    replayed: bool,
    retry_after: Option<String>,
}

impl Said {
    /// Returns what is the same every time.
    fn words(&self) -> (u16, &str, &str) {
        (self.status, &self.content_type, &self.body)
    }

    fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["code"].as_str().unwrap_or_default().to_owned()
    }
}

async fn call(exchange: &Exchange, method: Method, path: &str, key: &str, body: &str) -> Said {
    called(client().request(method, exchange.url(&format!("/v1/{path}"))), key, body).await
}

async fn called(request: reqwest::RequestBuilder, key: &str, body: &str) -> Said {
    let request = request.bearer_auth(OPERATOR_KEY).header("idempotency-key", key);
    let response = request.body(body.to_owned()).send().await.unwrap();
    let header =
        |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    Said {
        status: response.status().as_u16(),
        content_type: header("content-type").unwrap_or_default(),
        replayed: header("idempotent-replayed").is_some(),
        retry_after: header("retry-after"),
        body: response.text().await.unwrap(),
    }
}

fn deposit(amount: &str, reference: &str) -> String {
    json!({"amount": amount, "reference": reference}).to_string()
}

async fn market(clock: Clock) -> Exchange {
    let exchange = Exchange::open_at(Arc::new(TempDir::new().unwrap()), clock).await;
    let buyer = json!({"delivery": {"url": "http://127.0.0.1:9999/leads"}});
    exchange.put("buyers/acme", buyer).await;
    exchange
}

const DEPOSITS: &str = "buyers/acme/deposits";

#[tokio::test]
async fn the_same_call_hears_the_same_bytes_after_a_restart_too() {
    let exchange = market(Clock::system()).await;
    let first = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((first.status, first.replayed), (201, false), "{first:?}");
    // A second deposit changes what a fresh answer would say.
    call(&exchange, Method::POST, DEPOSITS, "k-2", &deposit("7.00", "w-2")).await;
    let again = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((again.words(), again.replayed), (first.words(), true));
    let in_other_order = r#"{ "reference": "w-1", "amount": "5.00" }"#;
    let again = call(&exchange, Method::POST, DEPOSITS, "k-1", in_other_order).await;
    assert_eq!(again.words(), first.words());
    let exchange = Exchange::open_in(exchange.close().await).await;
    let again = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((again.words(), again.replayed), (first.words(), true));
    assert_eq!(exchange.get("buyers/acme").await.text("/balance"), "12.00");
}

#[tokio::test]
async fn the_same_key_with_another_body_or_none_is_refused() {
    let exchange = market(Clock::system()).await;
    call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    let other = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("6.00", "w-1")).await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency-key-reused"), "{other:?}");
    // Elsewhere the key is another one.
    let elsewhere = json!({"values": ["90210"]}).to_string();
    assert_eq!(call(&exchange, Method::PUT, "lists/zips", "k-1", &elsewhere).await.status, 201);
    for key in ["", &"k".repeat(256)] {
        let said = call(&exchange, Method::POST, DEPOSITS, key, &deposit("1.00", "w-9")).await;
        assert_eq!(
            (said.status, said.code().as_str()),
            (400, "idempotency-key-invalid"),
            "{said:?}"
        );
    }
    assert_eq!(exchange.get("buyers/acme").await.text("/balance"), "5.00");
}

#[tokio::test]
async fn a_thousand_at_once_have_one_effect() {
    let exchange = Arc::new(market(Clock::system()).await);
    let client = client();
    let calls = (0..1_000).map(|n: usize| {
        let request = client.post(exchange.url("/v1/buyers/acme/deposits"));
        // Without a reference of their own they would all be booked: some say another amount under the same key.
        let body = if n % 10 == 9 { deposit("9.00", "w-9") } else { deposit("5.00", "w-1") };
        tokio::spawn(async move { called(request, "k-1", &body).await })
    });
    let mut heard: BTreeMap<u16, usize> = BTreeMap::new();
    let mut bodies = std::collections::BTreeSet::new();
    for call in calls.collect::<Vec<_>>() {
        let said = call.await.unwrap();
        match said.status {
            201 => drop(bodies.insert(said.body.clone())),
            409 => assert_eq!(
                (said.code().as_str(), said.retry_after.as_deref()),
                ("request-running", Some("1"))
            ),
            422 => assert_eq!(said.code(), "idempotency-key-reused"),
            _ => panic!("{said:?}"),
        }
        *heard.entry(said.status).or_default() += 1;
    }
    assert_eq!(bodies.len(), 1, "{heard:?}");
    let balance = exchange.get("buyers/acme").await;
    assert!(["5.00", "9.00"].contains(&balance.text("/balance")), "{balance:?}");
    let statement = exchange.get("buyers/acme/statement").await.body;
    assert_eq!(statement["lines"].as_array().unwrap().len(), 1, "{statement}");
}

#[tokio::test]
async fn what_failed_for_a_reason_of_state_keeps_failing() {
    let exchange = market(Clock::system()).await;
    let withdrawal = deposit("5.00", "o-1");
    let path = "buyers/acme/withdrawals";
    let first = call(&exchange, Method::POST, path, "k-1", &withdrawal).await;
    assert_eq!(first.status, 409, "{first:?}");
    exchange.deposit("acme", "100.00").await;
    let again = call(&exchange, Method::POST, path, "k-1", &withdrawal).await;
    assert_eq!((again.words(), again.replayed), (first.words(), true));
    let anew = call(&exchange, Method::POST, path, "k-2", &withdrawal).await;
    assert_eq!(anew.status, 201, "{anew:?}");
    // What was not looked at is not remembered.
    assert_eq!(call(&exchange, Method::POST, path, "k-3", "{").await.status, 400);
    assert_eq!(
        call(&exchange, Method::POST, path, "k-3", &deposit("1.00", "o-3")).await.status,
        201
    );
}

#[tokio::test]
async fn a_secret_is_said_again_only_to_its_caller_and_kept_nowhere() {
    let exchange = market(Clock::system()).await;
    let first = call(&exchange, Method::PUT, "sources/web", "k-1", "{}").await;
    let body: Value = serde_json::from_str(&first.body).unwrap();
    let key = body["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("gv_live_"));
    let again = call(&exchange, Method::PUT, "sources/web", "k-1", "{}").await;
    assert_eq!(again.words(), first.words());
    assert_eq!(exchange.get("sources/web").await.body["keys"], json!(1));
    // Without the operator's key nothing is said again.
    let request = client().put(exchange.url("/v1/sources/web"));
    let stranger = request.header("idempotency-key", "k-1").body("{}").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let data = exchange.close().await;
    for file in std::fs::read_dir(data.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
            assert!(!found, "the key is in {}", path.display());
        }
    }
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
    let exchange = market(clock.clone()).await;
    let first = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    clock.set(Moment::from_unix_ms(MONDAY + DAY - 1));
    let again = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((again.words(), again.replayed), (first.words(), true));
    clock.set(Moment::from_unix_ms(MONDAY + DAY));
    // The reference is known forever: the call is made anew, and the money is not.
    let anew = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((anew.status, anew.replayed), (200, false), "{anew:?}");
    assert_eq!(exchange.get("buyers/acme").await.text("/balance"), "5.00");
}

/// Has the journal of a closed exchange remember so many calls.
async fn remember(data: &TempDir, calls: usize) {
    let made = (0..calls).map(|number| {
        let mut key = [7; 32];
        key[..8].copy_from_slice(&number.to_le_bytes());
        CallMade { key, body: [0; 32] }
    });
    begin(data, made).await;
}

/// Has the journal of a closed exchange know that these calls were begun on that Monday.
async fn begin(data: &TempDir, calls: impl Iterator<Item = CallMade>) {
    let journal = Journal::open(data.path()).await.unwrap().start().unwrap();
    let mut last = None;
    for made in calls {
        let fact = Fact::CallMade(made);
        let (subject, payload) = (fact.subject().map(PingId::as_u128), fact.encode());
        let at = Moment::from_unix_ms(MONDAY);
        let record = Record { at, subject, kind: fact.kind(), payload, ..Record::default() };
        last = Some(journal.seat().await.unwrap().fill(record));
    }
    last.unwrap().wait().await.unwrap();
    journal.close().await;
}

/// Returns the SHA-256 of parts that cannot run into each other.
fn digest(parts: &[&str]) -> [u8; 32] {
    let framed = parts.iter().map(|part| {
        let length = u64::try_from(part.len()).unwrap().to_be_bytes();
        [&length, part.as_bytes()].concat()
    });
    *Digest::of(&framed.collect::<Vec<_>>().concat()).as_bytes()
}

#[tokio::test]
async fn a_call_that_was_cut_short_is_finished_if_it_has_parts_and_known_if_it_has_none() {
    let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
    let exchange = market(clock.clone()).await;
    exchange.put("suppressions/dnc", json!({"kind": "phone"})).await;
    let entries = "suppressions/dnc/entries";
    call(&exchange, Method::POST, entries, "e-0", "2025550101").await;
    let (added, deposited) = ("2025550101\n2025550102", deposit("5.00", "w-1"));
    let calls = [
        (Method::POST, entries, added),
        (Method::DELETE, entries, "2025550101"),
        (Method::DELETE, "suppressions/dnc/entries?all=true", ""),
        (Method::POST, "persons/erase", r#"{"phone":"2025550107"}"#),
        (Method::POST, DEPOSITS, deposited.as_str()),
    ];
    let made = calls.iter().map(|(method, path, body)| CallMade {
        key: digest(&["operator", method.as_str(), &format!("/v1/{path}"), "k-1"]),
        body: exchange.call_print(body),
    });
    let made: Vec<CallMade> = made.collect();
    let data = exchange.close().await;
    begin(&data, made.into_iter()).await;
    let exchange = Exchange::open_at(data, clock).await;
    let mut heard = Vec::new();
    for (method, path, body) in calls {
        let said = call(&exchange, method.clone(), path, "k-1", body).await;
        assert_eq!(said.status, 200, "{path}: {said:?}");
        let again = call(&exchange, method, path, "k-1", body).await;
        assert_eq!((again.words(), again.replayed), (said.words(), true));
        let answer: Value = serde_json::from_str(&said.body).unwrap();
        heard.push((said.replayed, answer));
    }
    let changed = json!({"id": "dnc", "received": 2, "added": 1, "entries": 2});
    assert_eq!(heard[0], (false, changed));
    let changed = json!({"id": "dnc", "received": 1, "removed": 1, "entries": 1});
    assert_eq!(heard[1], (false, changed));
    assert_eq!((heard[2].0, &heard[2].1["status"]), (true, &json!("done")));
    assert_eq!((heard[3].0, &heard[3].1["leads"]), (false, &json!([])));
    assert_eq!((heard[4].0, &heard[4].1["status"]), (true, &json!("done")));
    assert_eq!(exchange.get("suppressions/dnc").await.body["entries"], 1);
    assert_eq!(exchange.get("buyers/acme").await.text("/balance"), "0.00");
}

#[tokio::test]
async fn a_call_of_an_earlier_version_is_known_by_the_digest_that_it_has() {
    let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
    let data = market(clock.clone()).await.close().await;
    let key = digest(&["operator", "POST", "/v1/buyers/acme/deposits", "k-1"]);
    let canonical = r#"{"amount":"5.00","reference":"w-1"}"#;
    begin(&data, std::iter::once(CallMade { key, body: digest(&[canonical]) })).await;
    let exchange = Exchange::open_at(data, clock).await;
    let said = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((said.status, said.replayed), (200, true), "{said:?}");
    let other = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("6.00", "w-1")).await;
    assert_eq!(other.code(), "idempotency-key-reused", "{other:?}");
}

#[tokio::test]
async fn parties_share_half_of_what_is_remembered_and_the_operator_has_the_rest() {
    let clock = Clock::standing(Moment::from_unix_ms(MONDAY));
    let exchange = market(clock.clone()).await;
    let spec = json!({"delivery": {"url": "http://127.0.0.1:9999/leads"}});
    let bravo = exchange.put("buyers/bravo", spec.clone()).await.text("/key").to_owned();
    let carol = exchange.put("buyers/carol", spec).await.text("/key").to_owned();
    let data = exchange.close().await;
    remember(&data, CALLS_MAX / 2 - 2).await;
    let exchange = Exchange::open_at(data, clock.clone()).await;
    let asked = async |exchange: &Exchange, buyer: &str, key: &str| {
        let request =
            client().post(exchange.url("/v1/leads/ld_01m80dtmxb0cxhc6kwpf168jec/returns"));
        let request = request.bearer_auth(buyer).header("idempotency-key", key);
        let reply = crate::exchange::reply(request.json(&json!({"reason": "wrong-number"}))).await;
        (reply.status, reply.text("/code").to_owned(), reply.retry_after)
    };
    let full = (503, "overloaded".to_owned(), Some("60".to_owned()));
    // With room for two more, each of two buyers gets one.
    assert_eq!(asked(&exchange, &bravo, "b-1").await.0, 404);
    assert_eq!(asked(&exchange, &bravo, "b-2").await, full);
    assert_eq!(asked(&exchange, &bravo, "b-1").await.0, 404);
    assert_eq!(asked(&exchange, &carol, "c-1").await.0, 404);
    assert_eq!(asked(&exchange, &carol, "c-2").await, full);
    let said = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!(said.status, 201, "{said:?}");
    let data = exchange.close().await;
    remember(&data, CALLS_MAX).await;
    let exchange = Exchange::open_at(data, clock.clone()).await;
    let said = call(&exchange, Method::POST, DEPOSITS, "k-2", &deposit("7.00", "w-2")).await;
    assert_eq!((said.status, said.code().as_str()), (503, "overloaded"), "{said:?}");
    let metrics = crate::exchange::reply(client().get(exchange.url("/metrics"))).await;
    let most = format!("gavel_book_kept_max{{what=\"calls\"}} {CALLS_MAX}\n");
    assert!(metrics.text("").contains(&most), "{metrics:?}");
    // What is known is still answered.
    let again = call(&exchange, Method::POST, DEPOSITS, "k-1", &deposit("5.00", "w-1")).await;
    assert_eq!((again.status, again.replayed), (201, true));
    // A day later there is room, though nothing was recorded meanwhile.
    clock.set(Moment::from_unix_ms(MONDAY + DAY + 1));
    assert_eq!(asked(&exchange, &bravo, "b-3").await.0, 404);
    let said = call(&exchange, Method::POST, DEPOSITS, "k-2", &deposit("7.00", "w-2")).await;
    assert_eq!(said.status, 201, "{said:?}");
}

#[tokio::test]
async fn every_kind_of_change_is_made_once() {
    let exchange = market(Clock::system()).await;
    let module = crate::exchange::module("auto-insurance");
    for name in ["auto-insurance", "auto-insurance"] {
        let request = client().post(exchange.url(&format!("/v1/modules?name={name}")));
        let request = request.bearer_auth(OPERATOR_KEY).header("idempotency-key", "m-1");
        assert_eq!(request.body(module.clone()).send().await.unwrap().status(), 201);
    }
    let activate = "modules/auto-insurance/activate";
    let first = call(&exchange, Method::POST, activate, "a-1", "").await;
    let again = call(&exchange, Method::POST, activate, "a-1", "").await;
    assert_eq!(
        (first.status, again.words(), again.replayed),
        (200, first.words(), true),
        "{first:?}"
    );
    let vertical = json!({"module": "auto-insurance"}).to_string();
    let first = call(&exchange, Method::PUT, "verticals/auto-insurance", "v-1", &vertical).await;
    let again = call(&exchange, Method::PUT, "verticals/auto-insurance", "v-1", &vertical).await;
    assert_eq!((first.status, again.status, again.replayed), (201, 201, true));
}
