//! Postbacks: sources and buyers hear what became of their leads, signed, again until they take it, and nothing that is
//! not for them.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gavel::clock::{Clock, Moment};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Notify;

use crate::exchange::{
    Buyer, Exchange, Reply, SOURCE_KEY, auto_ping, auto_post, client, merged, reply, until,
};
use crate::shipments::{acme as point_acme_at, given_up, market_of, vacant};

const BUYER_KEY: &str = "a-buyer-key-for-tests";
/// A secret that the receivers of these tests know.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// 2 March 2026, 17:00 UTC.
const BEGIN_MS: i64 = 1_772_470_800_000;
const DAY_MS: i64 = 86_400_000;

/// A message as it came in.
#[derive(Clone, Debug)]
struct Message {
    id: String,
    timestamp: i64,
    signatures: String,
    body: String,
}

impl Message {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// What a receiver computes for itself.
    fn signed_by(&self, secret: &str) -> bool {
        let Self { id, timestamp, body, .. } = self;
        let expected = signature(secret, &format!("{id}.{timestamp}.{body}"));
        self.signatures.split(' ').any(|one| one == expected)
    }
}

fn signature(secret: &str, content: &str) -> String {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(content.as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// Answers the n-th message, from 0, with a status.
type Script = Arc<dyn Fn(usize) -> u16 + Send + Sync>;

/// A receiver on loopback.
#[derive(Clone)]
struct Receiver {
    addr: SocketAddr,
    script: Script,
    received: Arc<Mutex<Vec<Message>>>,
    /// Lets an answer out that is held back.
    release: Arc<Notify>,
}

/// A status beyond this is answered with what is left of it, once it is released.
const HELD_BACK: u16 = 1_000;
/// Stands for a 503 that asks for an hour.
const BUSY: u16 = 599;

impl Receiver {
    async fn taking() -> Self {
        Self::scripted(|_| 204).await
    }

    async fn scripted(script: impl Fn(usize) -> u16 + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (received, release) = Default::default();
        let receiver = Self { addr, script: Arc::new(script), received, release };
        let routes = Router::new().route("/told", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        receiver
    }

    fn url(&self) -> String {
        format!("http://{}/told", self.addr)
    }

    fn received(&self) -> Vec<Message> {
        self.received.lock().unwrap().clone()
    }

    fn types(&self) -> Vec<String> {
        let types = self.received().into_iter();
        types.map(|message| message.json()["type"].as_str().unwrap().to_owned()).collect()
    }

    async fn until_received(&self, count: usize) -> Vec<Message> {
        until(&format!("{count} messages"), async || self.received().len() >= count).await;
        self.received()
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json");
    let message = Message {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().unwrap(),
        signatures: header("webhook-signature"),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let turn = {
        let mut received = receiver.received.lock().unwrap();
        received.push(message);
        received.len() - 1
    };
    let status = (receiver.script)(turn);
    if status == 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    if status >= HELD_BACK {
        receiver.release.notified().await;
    }
    if status == BUSY {
        let asked = [("retry-after", "3600")];
        return (StatusCode::SERVICE_UNAVAILABLE, asked).into_response();
    }
    StatusCode::from_u16(status % HELD_BACK).unwrap().into_response()
}

/// Opens an exchange on which `acme` bids 12.00 and `bolt` 8.00, with a clock in the test's hand.
async fn market(buyers: &[&Buyer]) -> (Exchange, Clock) {
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    let terms = json!({"hold_seconds": 60, "returns": {"window_days": 7}});
    let exchange = Exchange::with_auto(clock.clone(), terms).await;
    for (buyer, (name, price)) in buyers.iter().zip([("acme", "12.00"), ("bolt", "8.00")]) {
        exchange.with_buyer(name, &buyer.url(), price).await;
    }
    (exchange, clock)
}

async fn tell_source(exchange: &Exchange, postback: Value) -> Reply {
    let body = json!({"key": SOURCE_KEY, "margin_percent": "10", "postback": postback});
    exchange.try_put("sources/web", body).await
}

async fn tell_buyer(exchange: &Exchange, buyer: &Buyer, postback: Value) -> Reply {
    let delivery = json!({"url": buyer.url(), "timeout_ms": 2_000});
    let body = json!({"key": BUYER_KEY, "delivery": delivery, "postback": postback});
    exchange.try_put("buyers/acme", body).await
}

fn to(receiver: &Receiver) -> Value {
    json!({"url": receiver.url(), "secret": SECRET})
}

async fn ping(exchange: &Exchange) -> String {
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    ping.text("/ping_id").to_owned()
}

/// The person of every post here.
const PERSONAL: [&str; 4] = ["2025550163", "quilla@example.com", "Quilla", "Larkspur"];

async fn sell(exchange: &Exchange) -> String {
    let ping = ping(exchange).await;
    let person = json!({
        "deadline_ms": 10_000, "first_name": "Quilla", "email": "quilla@example.com",
        "phone": "2025550163", "address": "7 Larkspur Row",
    });
    exchange.say("auto-insurance/post", &merged(auto_post(&ping), person)).await;
    ping
}

/// Calls with a key of somebody's.
async fn as_holder(exchange: &Exchange, key: &str, method: Method, path: &str) -> Reply {
    reply(client().request(method, exchange.url(&format!("/v1/{path}"))).bearer_auth(key)).await
}

async fn status(exchange: &Exchange, id: &str) -> String {
    exchange.get(&format!("postbacks/{id}")).await.text("/status").to_owned()
}

async fn until_status(exchange: &Exchange, id: &str, expected: &str) {
    until(&format!("{id} {expected}"), async || status(exchange, id).await == expected).await;
}

#[test]
fn the_receiver_of_these_tests_verifies_as_standard_webhooks_says() {
    let content = r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
    assert_eq!(signature(SECRET, content), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[tokio::test]
async fn a_sale_is_told_to_both_sides_each_with_its_own_price_and_without_the_person() {
    let (acme, bolt) = (Buyer::accepting().await, Buyer::accepting().await);
    let (exchange, _) = market(&[&acme, &bolt]).await;
    let (source, buyer) = (Receiver::taking().await, Receiver::taking().await);
    assert_eq!(tell_source(&exchange, to(&source)).await.status, 200);
    assert_eq!(tell_buyer(&exchange, &acme, to(&buyer)).await.status, 200);
    let ping = sell(&exchange).await;
    let lead = ping.replace("pg_", "ld_");
    let at = "2026-03-02T17:00:00.000Z";
    let [to_source] = source.until_received(1).await.try_into().unwrap();
    assert_eq!(to_source.id, format!("{}-0-sold-source", ping.replace("pg_", "pb_")));
    let told = json!({"type": "lead.sold", "timestamp": at, "data": {
        "ping_id": ping, "lead_id": lead, "vertical": "auto-insurance", "copy": 0, "price": "7.209", "currency": "USD",
    }});
    assert_eq!(to_source.json(), told);
    let [to_buyer] = buyer.until_received(1).await.try_into().unwrap();
    let told = json!({"type": "lead.sold", "timestamp": at, "data": {
        "ping_id": ping, "lead_id": lead, "vertical": "auto-insurance", "copy": 0, "campaign": "acme-auto",
        "price": "8.01", "currency": "USD",
    }});
    assert_eq!(to_buyer.json(), told);
    for message in [&to_source, &to_buyer] {
        assert!(message.signed_by(SECRET), "{message:?}");
        assert_eq!(message.timestamp, BEGIN_MS / 1_000);
        assert!(!PERSONAL.iter().any(|text| message.body.contains(text)), "{message:?}");
    }

    // A return is told to both as well.
    let path = format!("leads/{lead}/returns");
    exchange
        .post(&path, json!({"reason": "wrong-number", "evidence": {"text": "Quilla hung up"}}))
        .await;
    let accepted = exchange.post(&format!("{path}/0"), json!({"decision": "accept"})).await;
    assert_eq!(accepted.status, 200, "{accepted:?}");
    let to_source = source.until_received(2).await.pop().unwrap();
    let to_buyer = buyer.until_received(2).await.pop().unwrap();
    let amounts = [&to_source, &to_buyer].map(|message| {
        assert!(message.signed_by(SECRET) && !message.body.contains("Quilla"), "{message:?}");
        let json = message.json();
        assert_eq!(
            (&json["type"], &json["data"]["reason"]),
            (&json!("lead.returned"), &json!("wrong-number"))
        );
        json["data"]["amount"].as_str().unwrap().to_owned()
    });
    assert_eq!(amounts, ["7.209", "8.01"]);

    // And the receipt tells who was told, to each its own.
    let told = |receipt: &Value| -> BTreeSet<String> {
        let all = receipt["postbacks"].as_array().unwrap().iter();
        all.map(|one| format!("{} {} {}", one["owner"], one["event"], one["outcome"])).collect()
    };
    until("all is recorded", async || told(&exchange.receipt(&ping).await).len() == 4).await;
    let path = format!("auctions/{ping}");
    let own = told(&as_holder(&exchange, SOURCE_KEY, Method::GET, &path).await.body);
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|line| line.contains("source:web") && line.contains("delivered")));
    let own = told(&as_holder(&exchange, BUYER_KEY, Method::GET, &path).await.body);
    assert_eq!(own.len(), 2);
    assert!(own.iter().all(|line| line.contains("buyer:acme")));
}

#[tokio::test]
async fn what_is_refused_by_all_and_what_nobody_posts_is_told_to_the_source_only() {
    let (acme, bolt) = (Buyer::rejecting().await, Buyer::rejecting().await);
    let (exchange, clock) = market(&[&acme, &bolt]).await;
    let (source, buyer) = (Receiver::taking().await, Receiver::taking().await);
    tell_source(&exchange, to(&source)).await;
    tell_buyer(&exchange, &acme, to(&buyer)).await;
    let refused = sell(&exchange).await;
    let [message] = source.until_received(1).await.try_into().unwrap();
    assert_eq!(message.id, format!("{}-0-rejected-source", refused.replace("pg_", "pb_")));
    let json = message.json();
    assert_eq!(json["type"], "lead.rejected");
    assert_eq!(json["data"]["reason"]["code"], "all-rejected", "{json}");

    let other =
        exchange.say("auto-insurance/ping", &merged(auto_ping(), json!({"zip": "94105"}))).await;
    clock.set(Moment::from_unix_ms(BEGIN_MS + 61_000));
    let message = source.until_received(2).await.pop().unwrap();
    let json = message.json();
    assert_eq!(
        (&json["type"], &json["data"]["ping_id"]),
        (&json!("ping.expired"), &json!(other.text("/ping_id")))
    );
    assert_eq!(json["timestamp"], "2026-03-02T17:01:00.000Z");
    assert_eq!(json["data"]["price"], other.text("/price"));
    assert_eq!(buyer.types(), [""; 0]);
}

#[tokio::test]
async fn only_the_events_that_are_wanted_are_told() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::taking().await;
    tell_source(&exchange, merged(to(&source), json!({"events": ["ping.expired"]}))).await;
    sell(&exchange).await;
    exchange.say("auto-insurance/ping", &merged(auto_ping(), json!({"zip": "94105"}))).await;
    clock.set(Moment::from_unix_ms(BEGIN_MS + 61_000));
    source.until_received(1).await;
    assert_eq!(source.types(), ["ping.expired"]);
}

#[tokio::test]
async fn a_postback_that_fails_is_sent_again_with_the_same_id_through_restarts_until_it_is_taken() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::scripted(|turn| [500, 301, 429, 200][turn.min(3)]).await;
    tell_source(&exchange, to(&source)).await;
    let ping = sell(&exchange).await;
    let id = format!("{}-0-sold-source", ping.replace("pg_", "pb_"));
    let mut exchange = exchange;
    let mut now = BEGIN_MS;
    // After 5 s, 5 min and 30 min, and a tenth of that.
    for (count, pause) in [(1, 5_500), (2, 330_000), (3, 1_980_000)] {
        source.until_received(count).await;
        until("the attempt is recorded", async || {
            let shown = exchange.get(&format!("postbacks/{id}")).await;
            shown.body["attempt"] == json!(count) && shown.text("/status") == "waiting"
        })
        .await;
        exchange = Exchange::open_at(exchange.close().await, clock.clone()).await;
        assert_eq!(source.received().len(), count, "sent too early");
        now += pause;
        clock.set(Moment::from_unix_ms(now));
    }
    until_status(&exchange, &id, "delivered").await;
    let received = source.until_received(4).await;
    assert_eq!(received.len(), 4);
    assert!(received.iter().all(|message| message.id == id && message.signed_by(SECRET)));
    assert!(received.iter().all(|message| message.body == received[0].body));
    assert!(received[0].timestamp < received[3].timestamp);
    let shown = exchange.get(&format!("postbacks/{id}")).await;
    let attempts: Vec<(String, String)> = shown.body["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["outcome"].to_string(), one["http_status"].to_string()))
        .collect();
    let expected = [("failed", "500"), ("failed", "301"), ("failed", "429"), ("delivered", "200")];
    assert_eq!(attempts, expected.map(|(one, two)| (format!("\"{one}\""), two.to_owned())));
    // Nothing is left to do, after a restart neither.
    let exchange = Exchange::open_at(exchange.close().await, clock.clone()).await;
    clock.set(Moment::from_unix_ms(now + 10 * DAY_MS));
    let waiting = exchange.get("postbacks?status=waiting").await;
    assert_eq!(waiting.body["postbacks"], json!([]));
    assert_eq!(source.received().len(), 4);
}

#[tokio::test]
async fn what_a_receiver_asked_for_is_kept_through_a_restart() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::scripted(|turn| if turn == 0 { BUSY } else { 200 }).await;
    tell_source(&exchange, to(&source)).await;
    let ping = sell(&exchange).await;
    let first = format!("postbacks/{}-0-sold-source", ping.replace("pg_", "pb_"));
    until("the attempt is recorded", async || exchange.get(&first).await.body["attempt"] == 1)
        .await;
    let exchange = Exchange::open_at(exchange.close().await, clock.clone()).await;
    let other = merged(auto_post(""), json!({"ping_id": null, "zip": "94105"}));
    let other = exchange.say("auto-insurance/full", &other).await;
    let next = format!("postbacks/{}-0-sold-source", other.text("/ping_id").replace("pg_", "pb_"));
    for path in [&first, &next] {
        until(&format!("{path} waits for an hour"), async || {
            exchange.get(path).await.text("/next_at") == "2026-03-02T18:00:00.000Z"
        })
        .await;
    }
    assert_eq!(source.received().len(), 1);
    clock.set(Moment::from_unix_ms(BEGIN_MS + 3_600_000));
    assert_eq!(source.until_received(3).await.len(), 3);
}

#[tokio::test]
async fn a_process_that_ends_while_a_receiver_is_silent_leaves_the_postback_to_the_next() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::scripted(|turn| if turn == 0 { 0 } else { 200 }).await;
    tell_source(&exchange, to(&source)).await;
    let ping = sell(&exchange).await;
    source.until_received(1).await;
    let begun = std::time::Instant::now();
    let exchange = Exchange::open_at(exchange.close().await, clock).await;
    assert!(begun.elapsed() < Duration::from_secs(8), "a silent receiver held up the end");
    let received = source.until_received(2).await;
    let id = format!("{}-0-sold-source", ping.replace("pg_", "pb_"));
    assert_eq!([&received[0].id, &received[1].id], [&id, &id]);
    until_status(&exchange, &id, "delivered").await;
}

#[tokio::test]
async fn after_the_last_attempt_a_postback_is_dead_and_goes_out_again_by_hand() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::scripted(|turn| if turn < 10 { 503 } else { 200 }).await;
    tell_source(&exchange, to(&source)).await;
    let ping = sell(&exchange).await;
    let id = format!("{}-0-sold-source", ping.replace("pg_", "pb_"));
    for count in 1..=10 {
        source.until_received(count).await;
        let ended = if count < 10 { "waiting" } else { "dead" };
        until("the attempt is recorded", async || {
            let shown = exchange.get(&format!("postbacks/{id}")).await;
            shown.body["attempt"] == json!(count) && shown.text("/status") == ended
        })
        .await;
        clock.set(Moment::from_unix_ms(BEGIN_MS + i64::try_from(count).unwrap() * 2 * DAY_MS));
    }
    let dead = exchange.get("postbacks?status=dead&owner=source:web").await;
    assert_eq!(dead.text("/postbacks/0/id"), id, "{dead:?}");
    assert_eq!(dead.text("/postbacks/0/detail"), "it answered 503; that was attempt 10, the last");
    let again = exchange.post(&format!("postbacks/{id}/resend"), json!({})).await;
    assert_eq!(again.status, 202, "{again:?}");
    until_status(&exchange, &id, "delivered").await;
    let received = source.received();
    assert_eq!((received.len(), &received[10].id), (11, &id));
    assert_eq!(received[10].body, received[0].body);
    // Also what was delivered is sent again by hand, with the id that tells the receiver so.
    assert_eq!(exchange.post(&format!("postbacks/{id}/resend"), json!({})).await.status, 202);
    assert_eq!(source.until_received(12).await[11].id, id);
}

#[tokio::test]
async fn an_end_point_that_is_gone_is_left_alone_until_its_owner_is_saved_again() {
    let acme = Buyer::accepting().await;
    let (exchange, _) = market(&[&acme]).await;
    let source = Receiver::scripted(|turn| if turn == 0 { 410 } else { 200 }).await;
    tell_source(&exchange, to(&source)).await;
    let ping = sell(&exchange).await;
    let id = format!("{}-0-sold-source", ping.replace("pg_", "pb_"));
    until_status(&exchange, &id, "dead").await;
    let disabled =
        async || exchange.get("sources/web").await.text("/postback/disabled/why").to_owned();
    until("it is disabled", async || disabled().await.contains("it answered 410")).await;
    let listed = exchange.get("postbacks").await;
    assert!(listed.text("/end_points/0/disabled/why").contains("410"), "{listed:?}");
    let refused = exchange.post(&format!("postbacks/{id}/resend"), json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(
        refused.text("/detail").contains("save the source with its `postback` again"),
        "{refused:?}"
    );
    // Nothing more is sent there, and what was not is listed.
    let other = exchange
        .say(
            "auto-insurance/full",
            &merged(auto_post(""), json!({"ping_id": null, "zip": "94105"})),
        )
        .await;
    assert_eq!(other.text("/status"), "sold", "{other:?}");
    let unsent = format!("{}-0-sold-source", other.text("/ping_id").replace("pg_", "pb_"));
    until_status(&exchange, &unsent, "dead").await;
    let dead = exchange.get("postbacks?status=dead&owner=source:web").await;
    let mut dead = dead.body["postbacks"].as_array().unwrap().iter();
    let listed = dead.find(|one| one["id"] == unsent.as_str()).unwrap();
    let detail = listed["detail"].as_str().unwrap();
    assert!(detail.starts_with("the end point is disabled since 2026-03-02T17:00:00"), "{detail}");
    assert_eq!(source.received().len(), 1);
    let saved = tell_source(&exchange, json!({"url": source.url()})).await;
    assert_eq!((saved.status, saved.text("/postback/secret")), (200, "[hidden]"), "{saved:?}");
    assert_eq!(exchange.post(&format!("postbacks/{id}/resend"), json!({})).await.status, 202);
    until_status(&exchange, &id, "delivered").await;
    // The secret is still the one from before.
    assert!(source.received()[1].signed_by(SECRET));
    assert_eq!(exchange.post(&format!("postbacks/{unsent}/resend"), json!({})).await.status, 202);
    assert_eq!(source.until_received(3).await[2].id, unsent);
}

#[tokio::test]
async fn what_never_happened_is_neither_shown_nor_sent() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::taking().await;
    tell_source(&exchange, to(&source)).await;
    let other = merged(auto_ping(), json!({"zip": "94105"}));
    let waiting = exchange.say("auto-insurance/ping", &other).await;
    let waiting = waiting.text("/ping_id").replace("pg_", "pb_");
    let sold = sell(&exchange).await.replace("pg_", "pb_");
    source.until_received(1).await;
    let refused = async |id: String| {
        let path = format!("postbacks/{id}");
        let shown = exchange.get(&path).await.status;
        let sent = exchange.post(&format!("{path}/resend"), json!({})).await.status;
        assert_eq!((shown, sent), (404, 404), "{id}");
    };
    for rest in [
        "0-expired-source",
        "7-expired-source",
        "0-rejected-source",
        "0-rejected-buyer",
        "0-returned-buyer",
        "7-sold-source",
    ] {
        refused(format!("{sold}-{rest}")).await;
    }
    refused(format!("{waiting}-0-expired-source")).await;
    clock.set(Moment::from_unix_ms(BEGIN_MS + 61_000));
    let told = source.until_received(2).await.pop().unwrap();
    assert_eq!(told.id, format!("{waiting}-0-expired-source"));
    // What happened once has one id.
    refused(format!("{waiting}-1-expired-source")).await;
    assert_eq!(exchange.get(&format!("postbacks/{}", told.id)).await.status, 200);
    let again = exchange.post(&format!("postbacks/{}/resend", told.id), json!({})).await;
    assert_eq!(again.status, 202, "{again:?}");
    assert_eq!(source.until_received(3).await[2].body, told.body);
}

#[tokio::test]
async fn that_nobody_took_a_lead_is_not_told_once_it_was_sold_after_all() {
    let vacant = vacant();
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    let exchange = market_of(clock, json!({}), &format!("http://{vacant}/leads")).await;
    let source = Receiver::scripted(|turn| if turn == 0 { 500 } else { 200 }).await;
    tell_source(&exchange, to(&source)).await;
    let (exchange, ping) = given_up(exchange, BEGIN_MS).await;
    let [rejected] = source.until_received(1).await.try_into().unwrap();
    let reason = &rejected.json()["data"]["reason"];
    assert_eq!(reason["code"], "unreachable", "{reason}");
    let id = &rejected.id;
    until("the attempt is recorded", async || {
        exchange.get(&format!("postbacks/{id}")).await.body["attempt"] == json!(1)
    })
    .await;
    let end = Buyer::listening(vacant, |_| {
        (200, json!({"status": "accepted", "id": "b-1"}), Duration::ZERO)
    })
    .await;
    point_acme_at(&exchange, &end.url(), json!({"timeout_ms": 5_000})).await;
    let resent = exchange.post(&format!("auctions/{ping}/resend"), json!({})).await;
    assert_eq!(resent.status, 202, "{resent:?}");
    let sold = source.until_received(2).await.pop().unwrap();
    assert_eq!(sold.json()["type"], "lead.sold");
    let refused = exchange.post(&format!("postbacks/{id}/resend"), json!({})).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS + 10 * DAY_MS));
    let exchange = Exchange::open_at(exchange.close().await, clock).await;
    until_status(&exchange, id, "dead").await;
    let shown = exchange.get(&format!("postbacks/{id}")).await;
    assert_eq!(shown.text("/detail"), "the lead was sold since");
    assert_eq!(source.types(), ["lead.rejected", "lead.sold"]);
}

#[tokio::test]
async fn an_address_that_is_gone_takes_not_the_one_along_that_was_saved_since() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let old = Receiver::scripted(|_| HELD_BACK + 410).await;
    let new = Receiver::taking().await;
    tell_source(&exchange, to(&old)).await;
    let ping = sell(&exchange).await;
    let id = format!("{}-0-sold-source", ping.replace("pg_", "pb_"));
    old.until_received(1).await;
    assert_eq!(tell_source(&exchange, json!({"url": new.url()})).await.status, 200);
    old.release.notify_one();
    until("the answer is recorded", async || {
        exchange.get(&format!("postbacks/{id}")).await.body["http_status"] == 410
    })
    .await;
    // What the old address did not take, the new one hears.
    assert_eq!(status(&exchange, &id).await, "waiting");
    clock.set(Moment::from_unix_ms(BEGIN_MS + 6_000));
    assert_eq!(new.until_received(1).await[0].id, id);
    assert_eq!(exchange.get("sources/web").await.body["postback"]["disabled"], Value::Null);
    assert_eq!(old.received().len(), 1);
}

#[tokio::test]
async fn a_secret_is_shown_once_kept_sealed_and_replaced_without_a_gap() {
    let acme = Buyer::accepting().await;
    let (exchange, clock) = market(&[&acme]).await;
    let source = Receiver::taking().await;
    let made = tell_source(&exchange, json!({"url": source.url()})).await;
    let first = made.text("/postback/secret").to_owned();
    assert!(first.starts_with("whsec_") && first.len() > 40, "{made:?}");
    assert_eq!(exchange.get("sources/web").await.text("/postback/secret"), "[hidden]");
    let about = json!({"owner": "source:web"});
    let rotated = exchange.post("postbacks/rotate", about.clone()).await;
    assert_eq!(rotated.status, 201, "{rotated:?}");
    let second = rotated.text("/secret").to_owned();
    assert_eq!(rotated.text("/old_secret_until"), "2026-03-03T17:00:00.000Z");
    assert_ne!(first, second);

    let tested = exchange.post("postbacks/test", about.clone()).await;
    assert_eq!((tested.status, tested.text("/outcome")), (200, "delivered"), "{tested:?}");
    let [message] = source.received().try_into().unwrap();
    assert!(message.id.starts_with("pb_test-") && !message.id.contains('.'));
    assert!(message.signed_by(&first) && message.signed_by(&second));
    assert!(message.signatures.starts_with(&signature(
        &second,
        &format!("{}.{}.{}", message.id, message.timestamp, message.body)
    )));
    clock.set(Moment::from_unix_ms(BEGIN_MS + DAY_MS));
    exchange.post("postbacks/test", about.clone()).await;
    let message = source.received().pop().unwrap();
    assert!(!message.signed_by(&first) && message.signed_by(&second));

    for _ in 0..3 {
        assert_eq!(exchange.post("postbacks/rotate", about.clone()).await.status, 201);
    }
    let refused = exchange.post("postbacks/rotate", about.clone()).await;
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(refused.text("/detail").contains("wait until 2026-03-04T17:00:00.000Z"), "{refused:?}");

    let exchange = Exchange::open_at(exchange.close().await, clock).await;
    exchange.post("postbacks/test", about).await;
    let message = source.received().pop().unwrap();
    assert!(message.signed_by(&second));
    assert_eq!(message.signatures.split(' ').count(), 4);
    let data = exchange.close().await;
    let raw = STANDARD.decode(second.strip_prefix("whsec_").unwrap()).unwrap();
    for entry in std::fs::read_dir(data.path()).unwrap().filter_map(Result::ok) {
        let Ok(bytes) = std::fs::read(entry.path()) else { continue };
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!has(second.as_bytes()) && !has(&raw), "in {}", entry.path().display());
    }
}

#[tokio::test]
async fn everybody_sees_its_own_and_only_the_operator_acts() {
    let acme = Buyer::accepting().await;
    let (exchange, _) = market(&[&acme]).await;
    let (source, buyer) = (Receiver::taking().await, Receiver::taking().await);
    tell_source(&exchange, to(&source)).await;
    tell_buyer(&exchange, &acme, to(&buyer)).await;
    for zip in ["90210", "94105", "95814"] {
        let lead = merged(auto_post(""), json!({"ping_id": null, "zip": zip}));
        let sold = exchange.say("auto-insurance/full", &lead).await;
        assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    }
    until("all are delivered", async || {
        let delivered = exchange.get("postbacks?status=delivered").await;
        delivered.body["postbacks"].as_array().unwrap().len() == 6
    })
    .await;
    let mut seen = Vec::new();
    let mut path = "postbacks?limit=4".to_owned();
    loop {
        let page = exchange.get(&path).await;
        let ids = page.body["postbacks"].as_array().unwrap().iter();
        seen.extend(ids.map(|one| one["id"].as_str().unwrap().to_owned()));
        match page.text("/next") {
            "" => break,
            next => path = format!("postbacks?limit=4&before={next}"),
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (6, 6), "{seen:?}");
    let own = as_holder(&exchange, SOURCE_KEY, Method::GET, "postbacks").await;
    let owners = |reply: &Reply| -> BTreeSet<String> {
        let all = reply.body["postbacks"].as_array().unwrap().iter();
        all.map(|one| one["owner"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(owners(&own), BTreeSet::from(["source:web".to_owned()]));
    assert_eq!(own.body["end_points"].as_array().unwrap().len(), 1);
    let of_buyer = as_holder(&exchange, BUYER_KEY, Method::GET, "postbacks").await;
    assert_eq!(owners(&of_buyer), BTreeSet::from(["buyer:acme".to_owned()]));
    let foreign = as_holder(&exchange, SOURCE_KEY, Method::GET, "postbacks?owner=buyer:acme").await;
    assert_eq!(foreign.status, 404);
    let id = seen.iter().find(|id| id.ends_with("buyer")).unwrap();
    let path = format!("postbacks/{id}");
    assert_eq!(as_holder(&exchange, BUYER_KEY, Method::GET, &path).await.status, 200);
    assert_eq!(as_holder(&exchange, SOURCE_KEY, Method::GET, &path).await.status, 404);
    for path in [format!("{path}/resend"), "postbacks/rotate".into(), "postbacks/test".into()] {
        assert_eq!(as_holder(&exchange, BUYER_KEY, Method::POST, &path).await.status, 401);
    }
    let metrics = reply(client().get(exchange.url("/metrics"))).await;
    let metrics = metrics.body.as_str().unwrap();
    assert!(
        metrics.contains(r#"gavel_postback_attempts_total{outcome="delivered"} "#),
        "{metrics}"
    );
    assert!(metrics.contains("gavel_postbacks_waiting "), "{metrics}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_what_would_be_right() {
    let acme = Buyer::accepting().await;
    let (exchange, _) = market(&[&acme]).await;
    let ok = "https://hooks.example.com/told";
    for (postback, field, message) in [
        (json!({"url": "told"}), "/postback/url", "write it as https://host/path"),
        (json!({"url": "https://10.0.0.1/"}), "/postback/url", "is a private address"),
        (json!({"url": "https://169.254.169.254/"}), "/postback/url", "is a link-local address"),
        (json!({"url": "ftp://hooks.example.com/"}), "/postback/url", "use https"),
        (
            json!({"url": ok, "events": ["lead.lost"]}),
            "/postback/events/0",
            "a source is told of lead.sold, lead.rejected, lead.returned, ping.expired, not of `lead.lost`",
        ),
        (
            json!({"url": ok, "secret": "swordfish"}),
            "/postback/secret",
            "`whsec_` and 24 to 64 bytes in base 64",
        ),
        (json!({"url": ok, "secrets": []}), "/postback/secrets", "bring one along as `secret`"),
        (json!({"url": ok, "disabled": null}), "/postback/disabled", "the exchange sets it"),
        (json!({"url": ok, "retries": 3}), "/postback/retries", "unknown field"),
    ] {
        let refused = tell_source(&exchange, postback.clone()).await;
        assert_eq!(
            (refused.status, refused.text("/field")),
            (422, field),
            "{postback} {refused:?}"
        );
        assert!(refused.text("/detail").contains(message), "{refused:?}");
    }
    let refused =
        tell_buyer(&exchange, &acme, json!({"url": ok, "events": ["ping.expired"]})).await;
    assert!(
        refused.text("/detail").contains("a buyer is told of lead.sold, lead.returned"),
        "{refused:?}"
    );
    for (path, status) in [
        ("postbacks?status=lost", 400),
        ("postbacks?owner=web", 400),
        ("postbacks?before=x", 400),
        ("postbacks/pb_x", 404),
    ] {
        assert_eq!(exchange.get(path).await.status, status, "{path}");
    }
    let nobody = exchange.post("postbacks/test", json!({"owner": "source:web"})).await;
    assert_eq!(nobody.status, 404, "{nobody:?}");
    assert!(nobody.text("/detail").contains("save it with its `postback` first"), "{nobody:?}");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let acme = Buyer::accepting().await;
    let (exchange, _) = market(&[&acme]).await;
    let (silent, buyer) = (Receiver::scripted(|_| 0).await, Receiver::taking().await);
    tell_source(&exchange, to(&silent)).await;
    tell_buyer(&exchange, &acme, to(&buyer)).await;
    for number in 0..8 {
        let lead = merged(auto_post(""), json!({"ping_id": null, "zip": format!("9021{number}")}));
        exchange.say("auto-insurance/full", &lead).await;
    }
    assert_eq!(buyer.until_received(8).await.len(), 8);
    assert_eq!(silent.received().len(), gavel::exchange::LANE_MAX);
    let listed = exchange.get("postbacks?status=waiting&owner=source:web").await;
    assert_eq!(listed.body["postbacks"].as_array().unwrap().len(), 8);
}
