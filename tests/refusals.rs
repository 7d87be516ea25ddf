//! Bad input: each kind gets its status, its code, the field at fault, words that help, and changes nothing.

use std::time::Duration;

use gavel::clock::{Clock, Moment};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::exchange::{
    Buyer, Exchange, OPERATOR_KEY, Reply, SOURCE_KEY, auto_ping, auto_post, client, merged, module,
    reply, until,
};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";
const JSON: &str = "application/json";

/// An exchange with a buyer `alfa` that takes every lead, and a second source `other`.
struct Scene {
    exchange: Exchange,
    buyer: Buyer,
}

impl Scene {
    async fn open() -> Self {
        Self::open_on(Clock::system(), json!({})).await
    }

    async fn open_on(clock: Clock, terms: Value) -> Self {
        Self::with(clock, terms, Buyer::accepting().await).await
    }

    async fn with(clock: Clock, terms: Value, buyer: Buyer) -> Self {
        let exchange = Exchange::with_auto(clock, terms).await;
        exchange.with_buyer("alfa", &buyer.url(), "12.00").await;
        exchange.put("sources/other", json!({"key": "another-source-key"})).await;
        Self { exchange, buyer }
    }

    /// Sends what must be refused, and compares the refusal with `422 missing-field zip`: status, code, field.
    #[track_caller]
    fn check<'s>(
        &'s self,
        request: RequestBuilder,
        expected: &'s str,
    ) -> impl Future<Output = Reply> + 's {
        let at = std::panic::Location::caller();
        async move {
            let before = self.everything().await;
            let reply = reply(request).await;
            let (code, field) = (reply.text("/code"), reply.text("/field"));
            let refusal = format!("{} {code} {field}", reply.status);
            assert_eq!(refusal.trim_end(), expected, "{at}: {reply:?}");
            assert_eq!(reply.content_type, "application/problem+json", "{at}: {reply:?}");
            assert_eq!(reply.body["status"], reply.status, "{at}: {reply:?}");
            assert_eq!(reply.text("/type"), format!("/docs#{code}"), "{at}: {reply:?}");
            assert!(helps(&reply), "{at}: these words do not help: {reply:?}");
            assert_eq!(self.everything().await, before, "{at}: something moved");
            reply
        }
    }

    /// Sends a body as the source `web`, which must be refused.
    #[track_caller]
    fn check_sent<'s>(
        &'s self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
        expected: &'s str,
    ) -> impl Future<Output = Reply> + 's {
        self.check(self.exchange.request(path, content_type, body), expected)
    }

    /// Sends a body as the operator, which must be refused.
    #[track_caller]
    fn check_saved<'s>(
        &'s self,
        method: Method,
        path: &str,
        body: &Value,
        expected: &'s str,
    ) -> impl Future<Output = Reply> + 's {
        let request = client().request(method, self.exchange.url(&format!("/v1/{path}")));
        self.check(request.bearer_auth(OPERATOR_KEY).body(body.to_string()), expected)
    }

    /// Everything that a refusal must leave as it was: what is saved, and all money.
    async fn everything(&self) -> Vec<Value> {
        let mut everything = Vec::new();
        for path in
            ["sources", "buyers", "verticals", "campaigns", "modules", "ledger", "buyers/alfa"]
        {
            everything.push(self.exchange.get(path).await.body);
        }
        everything.push(self.buyer.received().len().into());
        everything
    }

    async fn accepted_ping(&self) -> String {
        let ping = self.exchange.say(PING, &auto_ping()).await;
        assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
        ping.text("/ping_id").to_owned()
    }
}

/// Says whether a refusal explains itself: a sentence for people, without anything of the program's own insides.
fn helps(reply: &Reply) -> bool {
    let (detail, next) = (reply.text("/detail"), reply.text("/next"));
    let inside = ["Error", "Some(", "None", "struct ", "panicked"];
    let plain = |text: &str| !inside.iter().any(|word| text.contains(word));
    detail.split(' ').count() >= 3 && detail != reply.text("/title") && plain(detail) && plain(next)
}

/// Compares a verdict with `unsold ping-expired`: its status and its reason's code.
#[track_caller]
fn check_verdict(reply: &Reply, expected: &str) {
    let verdict = format!("{} {}", reply.text("/status"), reply.text("/reason/code"));
    assert_eq!((reply.status, verdict.trim_end()), (200, expected), "{reply:?}");
    assert!(reply.text("/reason/message").split(' ').count() > 3, "{reply:?}");
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_malformed() {
    let scene = Scene::open().await;
    let form = "application/x-www-form-urlencoded";
    for (content_type, body) in [
        (JSON, &b"{\"zip\": \"90210\""[..]),
        (JSON, b"{\"zip\": \"90210\"} trailing"),
        (JSON, b"zip=90210&state=CA"),
        (JSON, b"{\"zip\": \"\xff\xfe\"}"),
        (JSON, b""),
        ("application/xml", b"<lead><zip>90210</lead>"),
        ("application/xml", b"<lead><zip>90210</zip>"),
        ("text/xml", b"{\"zip\": \"90210\"}"),
        (form, b""),
        (form, b"   "),
        ("text/plain", b"hello"),
    ] {
        scene.check_sent(PING, content_type, body.to_vec(), "400 malformed").await;
        scene.check_sent(POST, content_type, body.to_vec(), "400 malformed").await;
    }
}

#[tokio::test]
async fn a_type_without_a_reader_is_unsupported() {
    let scene = Scene::open().await;
    let body = auto_ping().to_string();
    for content_type in ["image/png", "multipart/form-data", "application/json; charset=ebcdic"] {
        let expected = "415 unsupported-content-type";
        scene.check_sent(PING, content_type, body.clone(), expected).await;
    }
}

#[tokio::test]
async fn a_body_past_64_kib_or_without_a_bottom_is_too_large() {
    let scene = Scene::open().await;
    let padded = |bytes: usize| {
        let mut body = auto_ping().to_string();
        body.extend(std::iter::repeat_n(' ', bytes - body.len()));
        body
    };
    for body in [padded(65 * 1024), padded(64 * 1024 + 1), "[".repeat(60_000)] {
        scene.check_sent(PING, JSON, body, "413 too-large").await;
    }
    let fits = reply(scene.exchange.request(PING, JSON, padded(64 * 1024))).await;
    assert_eq!(fits.text("/status"), "accepted", "{fits:?}");
}

#[tokio::test]
async fn a_vertical_that_is_not_served_is_not_found() {
    let scene = Scene::open().await;
    let body = auto_ping().to_string();
    for path in ["home-insurance/ping", "home-insurance/post", "Auto%20Insurance/full"] {
        scene.check_sent(path, JSON, body.clone(), "404 vertical-not-found").await;
    }
    let closed = json!({"module": "auto-insurance", "active": false});
    scene.exchange.put("verticals/auto-insurance", closed).await;
    scene.check_sent(PING, JSON, body, "404 vertical-not-found").await;
}

#[tokio::test]
async fn a_lead_that_does_not_fit_the_schema_names_its_field() {
    let scene = Scene::open().await;
    let mut without_zip = auto_ping();
    without_zip.as_object_mut().unwrap().remove("zip");
    scene.check_sent(PING, JSON, without_zip.to_string(), "422 missing-field zip").await;
    for (over, expected) in [
        (json!({"zip": "9021"}), "422 invalid-value zip"),
        (json!({"zip": "90210", "Zip_Code": "10025"}), "422 conflicting-values zip"),
        (json!({"state": "Californication"}), "422 invalid-value state"),
        (json!({"date_of_birth": "1985-02-30"}), "422 invalid-value date_of_birth"),
        (json!({"gender": "purple"}), "422 invalid-value gender"),
        (json!({"minimum_price": "a lot"}), "422 invalid-value"),
        (json!({"minimum_price": "-1"}), "422 invalid-value"),
    ] {
        scene.check_sent(PING, JSON, merged(auto_ping(), over).to_string(), expected).await;
    }
    let ping = scene.accepted_ping().await;
    for field in ["first_name", "last_name", "email", "phone"] {
        let mut lead = auto_post(&ping);
        lead.as_object_mut().unwrap().remove(field);
        let expected = format!("422 missing-field {field}");
        scene.check_sent(POST, JSON, lead.to_string(), &expected).await;
    }
}

#[tokio::test]
async fn the_same_fault_is_found_in_every_dialect() {
    let scene = Scene::open().await;
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", "state=CA&zip=9021"),
        (JSON, r#"{"lead": {"state": "CA", "zip": "9021"}}"#),
        ("application/xml", "<lead><state>CA</state><zip>9021</zip></lead>"),
    ] {
        scene.check_sent(PING, content_type, body, "422 invalid-value zip").await;
    }
}

#[tokio::test]
async fn without_a_key_that_is_known_nobody_is_heard() {
    let scene = Scene::open().await;
    let post = |body: &Value| {
        client()
            .post(scene.exchange.url("/v1/auto-insurance/ping"))
            .header("content-type", JSON)
            .body(body.to_string())
    };
    let ping = auto_ping();
    scene.check(post(&ping), "401 key-missing").await;
    scene.check(post(&ping).basic_auth("web", Some("no-such-key-at-all")), "401 key-unknown").await;
    scene.check(post(&ping).header("authorization", "Digest x"), "401 key-missing").await;
    scene.check(post(&ping).bearer_auth("no-such-key-at-all"), "401 key-unknown").await;
    scene.check(post(&ping).bearer_auth(""), "401 key-missing").await;
    scene.check(post(&ping).header("x-api-key", "no-such-key-at-all"), "401 key-unknown").await;
    let in_body = merged(ping.clone(), json!({"api_key": "no-such-key-at-all"}));
    scene.check(post(&in_body), "401 key-unknown").await;
    scene.check(post(&ping).bearer_auth(OPERATOR_KEY), "401 key-unknown").await;
    let in_body = merged(ping, json!({"api_key": SOURCE_KEY}));
    assert_eq!(reply(post(&in_body)).await.text("/status"), "accepted");
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_a_bad_body() {
    let scene = Scene::open().await;
    let request = client().post(scene.exchange.url("/v1/auto-insurance/ping"));
    let request = request.header("content-type", JSON).bearer_auth("no-such-key-at-all");
    scene.check(request.body("{"), "401 key-unknown").await;
}

#[tokio::test]
async fn a_source_is_heard_only_where_it_may_send() {
    let scene = Scene::open().await;
    let body = auto_ping().to_string();
    let source = |over| merged(json!({"key": SOURCE_KEY}), over);
    scene.exchange.put("sources/web", source(json!({"active": false}))).await;
    scene.check_sent(PING, JSON, body.clone(), "403 source-paused").await;
    let elsewhere = json!({"verticals": ["medicare-health"]});
    scene.exchange.put("sources/web", source(elsewhere)).await;
    scene.check_sent(PING, JSON, body, "403 vertical-not-allowed").await;
}

#[tokio::test]
async fn a_source_past_its_rate_is_told_when_to_come_back() {
    let scene = Scene::open().await;
    let slow = json!({"key": SOURCE_KEY, "pings_per_second": 1});
    scene.exchange.put("sources/web", slow).await;
    scene.accepted_ping().await;
    let body = auto_ping().to_string();
    let refused = scene.check_sent(PING, JSON, body, "429 rate-limited").await;
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    let other = client().post(scene.exchange.url("/v1/auto-insurance/ping"));
    let other = other.bearer_auth("another-source-key").header("content-type", JSON);
    let heard = reply(other.body(auto_ping().to_string())).await;
    assert_eq!(heard.text("/status"), "accepted", "{heard:?}");
}

#[tokio::test]
async fn a_ping_is_posted_by_its_own_source_and_no_other() {
    let scene = Scene::open().await;
    let ping = scene.accepted_ping().await;
    let request = client().post(scene.exchange.url("/v1/auto-insurance/post"));
    let request = request.bearer_auth("another-source-key").header("content-type", JSON);
    let stolen = request.body(auto_post(&ping).to_string());
    scene.check(stolen, "404 ping-not-found ping_id").await;
    for unknown in ["", "pg_", "ping-1", "lead_00000000000000000000000000", &format!("{ping}0")] {
        let body = auto_post(unknown).to_string();
        scene.check_sent(POST, JSON, body, "404 ping-not-found ping_id").await;
    }
    let mut without = auto_post(&ping);
    without.as_object_mut().unwrap().remove("ping_id");
    scene.check_sent(POST, JSON, without.to_string(), "404 ping-not-found ping_id").await;
    let sold = scene.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
}

#[tokio::test]
async fn an_expired_ping_cannot_be_sold_and_frees_its_money() {
    let clock = Clock::standing(Moment::from_unix_ms(1_767_600_000_000));
    let scene = Scene::open_on(clock.clone(), json!({"hold_seconds": 60})).await;
    let (late, in_time) = (scene.accepted_ping().await, scene.accepted_ping().await);
    assert_eq!(scene.exchange.get("buyers/alfa").await.text("/held"), "4.00");

    clock.set(Moment::from_unix_ms(1_767_600_060_000));
    let sold = scene.exchange.say(POST, &auto_post(&in_time)).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    clock.set(Moment::from_unix_ms(1_767_600_060_001));
    check_verdict(&scene.exchange.say(POST, &auto_post(&late)).await, "unsold ping-expired");
    until("the hold expires", async || {
        scene.exchange.get("buyers/alfa").await.text("/held") == "0.00"
    })
    .await;
    check_verdict(&scene.exchange.say(POST, &auto_post(&late)).await, "unsold ping-expired");
    assert_eq!(scene.exchange.get("buyers/alfa").await.text("/balance"), "998.00");
    assert_eq!(scene.buyer.received().len(), 1);
}

#[tokio::test]
async fn a_ping_without_a_buyer_cannot_be_posted() {
    let scene = Scene::open().await;
    let dear = merged(auto_ping(), json!({"minimum_price": "500"}));
    let ping = scene.exchange.say(PING, &dear).await;
    check_verdict(&ping, "rejected bids-below-reserve");
    let post = auto_post(ping.text("/ping_id"));
    check_verdict(&scene.exchange.say(POST, &post).await, "unsold ping-not-accepted");
    assert_eq!(scene.buyer.received().len(), 0);
}

#[tokio::test]
async fn the_same_post_again_gets_the_same_answer_and_is_paid_once() {
    let scene = Scene::open().await;
    let lead = auto_post(&scene.accepted_ping().await);
    let first = scene.exchange.say(POST, &lead).await;
    assert_eq!(first.text("/status"), "sold", "{first:?}");
    for _ in 0..3 {
        assert_eq!(scene.exchange.say(POST, &lead).await.body, first.body);
    }
    assert_eq!(scene.buyer.received().len(), 1);
    assert_eq!(scene.exchange.get("buyers/alfa").await.text("/balance"), "998.00");
    let other = merged(lead, json!({"phone": "2025550108"}));
    scene.check_sent(POST, JSON, other.to_string(), "422 already-posted").await;
}

#[tokio::test]
async fn the_same_post_many_times_at_once_is_sold_once() {
    let scene = Scene::open().await;
    let lead = auto_post(&scene.accepted_ping().await).to_string();
    let posts: Vec<_> = (0..20)
        .map(|_| tokio::spawn(reply(scene.exchange.request(POST, JSON, lead.clone()))))
        .collect();
    for post in posts {
        let answer = post.await.unwrap();
        assert!(matches!(answer.text("/status"), "sold" | "pending"), "{answer:?}");
    }
    assert_eq!(scene.buyer.received().len(), 1);
    assert_eq!(scene.exchange.get("buyers/alfa").await.text("/balance"), "998.00");
}

#[tokio::test]
async fn an_idempotency_key_stands_for_one_request() {
    let scene = Scene::open().await;
    let keyed = |path: &str, key: &str, body: &Value| {
        scene.exchange.request(path, JSON, body.to_string()).header("idempotency-key", key)
    };
    let first = reply(keyed(PING, "k-1", &auto_ping())).await;
    assert_eq!(first.text("/status"), "accepted", "{first:?}");
    assert_eq!(reply(keyed(PING, "k-1", &auto_ping())).await.body, first.body);
    assert_eq!(scene.exchange.get("buyers/alfa").await.text("/held"), "2.00");
    let second = reply(keyed(PING, "k-2", &auto_ping())).await;
    assert_ne!(second.text("/ping_id"), first.text("/ping_id"));

    let other = merged(auto_ping(), json!({"gender": "M"}));
    scene.check(keyed(PING, "k-1", &other), "422 idempotency-key-reused").await;
    scene.check(keyed(PING, "", &auto_ping()), "400 idempotency-key-invalid").await;
    let long = "k".repeat(256);
    scene.check(keyed(PING, &long, &auto_ping()), "400 idempotency-key-invalid").await;

    let full = json!({"first_name": "Dana"});
    let full = merged(auto_post(""), full);
    let sold = reply(keyed("auto-insurance/full", "k-1", &full)).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    assert_eq!(reply(keyed("auto-insurance/full", "k-1", &full)).await.body, sold.body);
    assert_eq!(scene.buyer.received().len(), 1);
}

#[tokio::test]
async fn a_key_whose_request_is_still_running_waits() {
    let slow = |_| (200, json!({"status": "accepted"}), Duration::from_secs(2));
    let buyer = Buyer::scripted(slow).await;
    let scene = Scene::with(Clock::system(), json!({}), buyer).await;
    let lead = auto_post(&scene.accepted_ping().await).to_string();
    let keyed =
        || scene.exchange.request(POST, JSON, lead.clone()).header("idempotency-key", "k-1");
    scene.exchange.put("buyers/alfa", json!({"delivery": {"url": scene.buyer.url()}})).await;
    let first = tokio::spawn(reply(keyed()));
    until("the buyer is asked", async || !scene.buyer.received().is_empty()).await;
    let refused = reply(keyed()).await;
    assert_eq!((refused.status, refused.text("/code")), (409, "request-running"), "{refused:?}");
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    let sold = first.await.unwrap();
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    assert_eq!(reply(keyed()).await.body, sold.body);
    assert_eq!(scene.buyer.received().len(), 1);
}

#[tokio::test]
async fn what_a_bid_was_made_for_cannot_change_at_the_post() {
    let scene = Scene::open().await;
    let ping = scene.accepted_ping().await;
    for (over, field) in [
        (json!({"zip": "10025", "state": "NY", "city": "New York"}), "zip"),
        (json!({"gender": "M"}), "gender"),
        (json!({"date_of_birth": "1950-01-01"}), "date_of_birth"),
    ] {
        let lead = merged(auto_post(&ping), over).to_string();
        let expected = format!("422 changed-since-ping {field}");
        scene.check_sent(POST, JSON, lead, &expected).await;
    }
    let sold = scene.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
}

#[tokio::test]
async fn only_the_operators_key_opens_the_operators_doors() {
    let scene = Scene::open().await;
    for (method, path) in [
        (Method::GET, "ledger"),
        (Method::PUT, "sources/new"),
        (Method::PUT, "campaigns/alfa-auto"),
        (Method::POST, "buyers/alfa/deposits"),
        (Method::POST, "modules?name=new"),
        (Method::POST, "modules/auto-insurance/activate"),
    ] {
        let request = || {
            client().request(method.clone(), scene.exchange.url(&format!("/v1/{path}"))).body("{}")
        };
        scene.check(request(), "401 operator-key").await;
        scene.check(request().bearer_auth(SOURCE_KEY), "401 operator-key").await;
        let basic = request().basic_auth("operator", Some(OPERATOR_KEY));
        scene.check(basic, "401 operator-key").await;
    }
}

#[tokio::test]
async fn an_operators_body_says_nothing_that_is_not_known() {
    let scene = Scene::open().await;
    let put = |path: &str, body: Value, expected: &str| {
        let (path, expected) = (path.to_owned(), expected.to_owned());
        let scene = &scene;
        async move { scene.check_saved(Method::PUT, &path, &body, &expected).await }
    };
    let url = "https://buyer.example.com/leads";
    let campaign = |over| {
        merged(json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "5.00"}), over)
    };
    let buyer = |over| merged(json!({"delivery": {"url": url}}), over);
    let vertical = |over| merged(json!({"module": "auto-insurance"}), over);

    put("sources/new", json!({"margin": "10"}), "422 invalid /margin").await;
    put("sources/new", json!({"key": "short"}), "422 invalid /key").await;
    put("sources/new", json!({"key": 12}), "422 invalid /key").await;
    put("sources/new", json!({"key_digests": []}), "422 invalid /key_digests").await;
    put("sources/new", json!({"key": SOURCE_KEY}), "422 invalid /key").await;
    put("sources/new", json!({"pings_per_second": 0}), "422 invalid /pings_per_second").await;
    put("sources/new", json!({"margin_percent": 10}), "422 invalid /margin_percent").await;
    put("sources/new", json!({"margin_percent": "101"}), "422 invalid /margin_percent").await;
    put("sources/New%20Source", json!({}), "422 invalid").await;
    put("sources/new", json!([]), "400 malformed").await;
    put("sources/new", json!("key"), "400 malformed").await;

    put("buyers/new", json!({}), "422 invalid").await;
    put("buyers/new", buyer(json!({"balance": "5.00"})), "422 invalid /balance").await;
    put("buyers/new", buyer(json!({"credit_limit": "-1"})), "422 invalid /credit_limit").await;
    put("buyers/new", buyer(json!({"credit_limit": 5})), "422 invalid /credit_limit").await;
    let retries = json!({"delivery": {"url": url, "retries": 3}});
    put("buyers/new", retries, "422 invalid /delivery/retries").await;
    let never = json!({"delivery": {"url": url, "timeout_ms": 0}});
    put("buyers/new", never, "422 invalid /delivery/timeout_ms").await;

    put("verticals/new", json!({"module": "nothing"}), "422 invalid /module").await;
    put("verticals/new", vertical(json!({"floor": "1"})), "422 invalid /floor").await;
    put("verticals/new", vertical(json!({"copies": 0})), "422 invalid /copies").await;
    put("verticals/new", vertical(json!({"copies": 33})), "422 invalid /copies").await;
    put("verticals/new", vertical(json!({"hold_seconds": 0})), "422 invalid /hold_seconds").await;
    put("verticals/new", vertical(json!({"reserve": "-2.00"})), "422 invalid /reserve").await;

    put("campaigns/new", campaign(json!({"prize": "5.00"})), "422 invalid /prize").await;
    put("campaigns/new", campaign(json!({"buyer": "nobody"})), "422 invalid /buyer").await;
    put("campaigns/new", campaign(json!({"vertical": "boats"})), "422 invalid /vertical").await;
    put("campaigns/new", campaign(json!({"price": null})), "422 invalid /price").await;
    put("campaigns/new", campaign(json!({"caps": {"yearly": 3}})), "422 invalid /caps/yearly")
        .await;
    let budget = campaign(json!({"budget": {"daily": "-3"}}));
    put("campaigns/new", budget, "422 invalid /budget/daily").await;
    put("campaigns/new", campaign(json!({"zone": "Mars/Olympus"})), "422 invalid /zone").await;
    let missing = campaign(json!({"filter": {"module": "nothing"}}));
    put("campaigns/new", missing, "422 invalid /filter/module").await;
    let other = campaign(json!({"filter": {"module": "auto-insurance"}}));
    put("campaigns/new", other, "422 invalid /filter/module").await;
}

#[tokio::test]
async fn an_amount_is_exact_text_above_zero() {
    let scene = Scene::open().await;
    for price in [
        json!(12.5),
        json!(12),
        json!("12.5000001"),
        json!("0"),
        json!("-12.50"),
        json!("1e3"),
        json!("12,50"),
        json!("$12.50"),
        json!(""),
        json!("99999999999999999999"),
    ] {
        let campaign = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": price});
        let expected = "422 invalid /price";
        scene.check_saved(Method::PUT, "campaigns/alfa-auto", &campaign, expected).await;
        let deposit = json!({"amount": price, "reference": "r-1"});
        let expected = "422 invalid /amount";
        scene.check_saved(Method::POST, "buyers/alfa/deposits", &deposit, expected).await;
    }
}

#[tokio::test]
async fn criteria_are_checked_against_the_schema_when_they_are_saved() {
    let scene = Scene::open().await;
    let turned = json!({"any": [{"field": "age", "between": [64, 25]}]});
    for (criteria, field, word) in [
        (json!("state in [\"CA\""), "/criteria", "offset"),
        (json!("steak = \"CA\""), "/criteria", "steak"),
        (json!("age > \"old\""), "/criteria", "age"),
        (json!("gender = \"purple\""), "/criteria", "purple"),
        (json!("phone = \"+12025550107\""), "/criteria", "contact data"),
        (json!("zip in @nowhere"), "/criteria", "nowhere"),
        (json!({"field": "steak", "eq": "CA"}), "/criteria/field", "steak"),
        (json!({"field": "state", "equals": "CA"}), "/criteria/equals", "equals"),
        (turned, "/criteria/any/0/between", "lower bound"),
        (json!(3), "/criteria", "this must be"),
    ] {
        let campaign = json!({
            "buyer": "alfa", "vertical": "auto-insurance", "price": "5.00", "criteria": criteria,
        });
        let expected = format!("422 invalid {field}");
        let refused =
            scene.check_saved(Method::PUT, "campaigns/alfa-auto", &campaign, &expected).await;
        assert!(refused.text("/detail").contains(word), "{refused:?}");
    }
}

#[tokio::test]
async fn a_schedule_that_never_was_is_refused() {
    let scene = Scene::open().await;
    let window = json!({"days": ["mon"], "from": "09:00", "to": "17:00"});
    for (schedule, expected) in [
        (json!({"zone": "Chicago", "windows": [window]}), "422 invalid /schedule/zone"),
        (json!({"zone": "UTC", "windows": []}), "422 invalid /schedule/windows"),
        (
            json!({"zone": "UTC", "windows": [{"days": ["mon"], "from": "9", "to": "17:00"}]}),
            "422 invalid /schedule/windows/0/from",
        ),
    ] {
        let campaign = json!({
            "buyer": "alfa", "vertical": "auto-insurance", "price": "5.00", "schedule": schedule,
        });
        scene.check_saved(Method::PUT, "campaigns/alfa-auto", &campaign, expected).await;
    }
}

#[tokio::test]
async fn leads_go_to_no_address_inside_the_house() {
    let scene = Scene::open().await;
    for url in [
        "http://buyer.example.com/leads",
        "https://10.0.0.1/leads",
        "https://192.168.1.1/leads",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/leads",
        "https://user:password@buyer.example.com/leads",
        "file:///etc/passwd",
        "leads",
        "",
    ] {
        let buyer = json!({"delivery": {"url": url}});
        let expected = "422 invalid /delivery/url";
        scene.check_saved(Method::PUT, "buyers/new", &buyer, expected).await;
    }
}

#[tokio::test]
async fn a_deposit_counts_once() {
    let scene = Scene::open().await;
    let deposit = |amount: &str| json!({"amount": amount, "reference": "wire-1"});
    let first = scene.exchange.post("buyers/alfa/deposits", deposit("50.00")).await;
    assert_eq!((first.status, first.text("/balance")), (201, "1050.00"), "{first:?}");
    let again = scene.exchange.post("buyers/alfa/deposits", deposit("50.00")).await;
    assert_eq!((again.status, again.text("/balance")), (200, "1050.00"), "{again:?}");
    let path = "buyers/alfa/deposits";
    scene.check_saved(Method::POST, path, &deposit("51.00"), "409 conflict").await;
    let nobody = "buyers/nobody/deposits";
    scene.check_saved(Method::POST, nobody, &deposit("1.00"), "404 not-found").await;
    for (body, expected) in [
        (json!({"amount": "1.00"}), "422 invalid"),
        (json!({"amount": "1.00", "reference": ""}), "422 invalid /reference"),
        (json!({"amount": "1.00", "reference": "x".repeat(129)}), "422 invalid /reference"),
        (json!({"amount": "1.00", "reference": "r", "note": "n"}), "422 invalid /note"),
        (json!({"amount": "9223372036854.775807", "reference": "r"}), "422 invalid /amount"),
    ] {
        scene.check_saved(Method::POST, path, &body, expected).await;
    }
}

#[tokio::test]
async fn a_module_that_is_not_what_it_says_is_not_admitted() {
    let scene = Scene::open().await;
    let upload = |name: &str, wasm: Vec<u8>| {
        let request = client().post(scene.exchange.url(&format!("/v1/modules?name={name}")));
        request.bearer_auth(OPERATOR_KEY).body(wasm)
    };
    let mut damaged = module("zip-list");
    damaged.truncate(damaged.len() / 2);
    for (wasm, expected) in [
        (Vec::new(), "422 not-wasm"),
        (b"\x7fELF and so on".to_vec(), "422 not-wasm"),
        (wat::parse_str("(module)").unwrap(), "422 core-module"),
        (wat::parse_str("(component)").unwrap(), "422 other-world"),
        (
            wat::parse_str("(component (import \"wasi:cli/environment@0.2.0\" (instance)))")
                .unwrap(),
            "422 imports",
        ),
        (damaged, "422 damaged"),
        (vec![0; 8 * 1024 * 1024 + 1], "413 too-large"),
    ] {
        scene.check(upload("newcomer", wasm), expected).await;
    }
    scene.check(upload("", module("zip-list")), "422 invalid /name").await;
    scene.check(upload("Zip%20List", module("zip-list")), "422 invalid /name").await;
    scene.check(upload("auto-insurance", module("zip-list")), "409 conflict").await;
}

#[tokio::test]
async fn only_a_version_that_exists_is_activated() {
    let scene = Scene::open().await;
    let post = |path: &str, body: Value, expected: &str| {
        let (path, expected) = (format!("modules/{path}"), expected.to_owned());
        let scene = &scene;
        async move { scene.check_saved(Method::POST, &path, &body, &expected).await }
    };
    post("nothing/activate", json!({}), "404 not-found").await;
    post("nothing/rollback", json!({}), "404 not-found").await;
    post("auto-insurance/activate", json!({"version": 2}), "404 not-found").await;
    post("auto-insurance/activate", json!({"version": 0}), "404 not-found").await;
    post("auto-insurance/activate", json!({"version": "1"}), "422 invalid /version").await;
    post("auto-insurance/activate", json!({"digest": "1"}), "422 invalid /digest").await;
    post("auto-insurance/rollback", json!({}), "409 conflict").await;
}

#[tokio::test]
async fn an_operators_body_that_is_not_json_is_malformed() {
    let scene = Scene::open().await;
    for path in ["sources/new", "buyers/new", "verticals/new", "campaigns/new", "lists/new"] {
        let request = || {
            let request = client().put(scene.exchange.url(&format!("/v1/{path}")));
            request.bearer_auth(OPERATOR_KEY)
        };
        scene.check(request().body("{"), "400 malformed").await;
        scene.check(request().body(""), "400 malformed").await;
        let large = vec![b' '; 8 * 1024 * 1024 + 1];
        scene.check(request().body(large), "413 too-large").await;
    }
}

#[tokio::test]
async fn an_address_that_is_not_there_says_where_to_look() {
    let scene = Scene::open().await;
    let client = client();
    let get = |path: &str| client.get(scene.exchange.url(path)).bearer_auth(OPERATOR_KEY);
    scene.check(get("/v2/auto-insurance/ping"), "404 address-not-found").await;
    scene.check(get("/v1/auto-insurance/ping"), "405 method-not-allowed").await;
    for path in ["auctions/pg_1", "auctions/nothing", "buyers/nobody", "modules/nothing"] {
        scene.check(get(&format!("/v1/{path}")), "404 not-found").await;
    }
    let body = json!({"outcome": "sold"});
    let ping = scene.accepted_ping().await;
    let path = format!("auctions/{ping}/resolve");
    scene.check_saved(Method::POST, &path, &body, "404 not-found").await;
    let unclear = json!({"outcome": "maybe"});
    scene.check_saved(Method::POST, &path, &unclear, "422 invalid /outcome").await;
}
