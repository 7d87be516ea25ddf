//! Buyers in their own dialect: what goes out through an adapter, what is made of the answer, and what an adapter that
//! misbehaves costs.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use gavel::clock::Clock;
use gavel::fixtures::{self, CHECK_TIME_MAX};
use gavel::mock::{Character, Dialect, MockBuyer, MockSpec};
use gavel::sandbox::{Admitted, Compiler, Limits, MODULE_BYTES_MAX, Sandbox};
use serde_json::{Value, json};

use crate::crash::program::{command, path};
use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, files_below, merged, module, until};

/// The shipped adapters.
const ADAPTERS: [&str; 9] = [
    "boberdoo-adapter",
    "cake-adapter",
    "configurable-adapter",
    "insurance-agents-adapter",
    "juiced-adapter",
    "leadbyte-adapter",
    "leadconduit-adapter",
    "leadprosper-adapter",
    "px-adapter",
];
/// What a shipped adapter may weigh with its fixtures, in bytes; the configurable one is by far the largest.
const ADAPTER_BYTES_MAX: usize = 288_000;

/// A request as a system of a buyer got it.
#[derive(Clone, Debug)]
struct Got {
    line: String,
    headers: HeaderMap,
    body: String,
}

/// A buyer's own system on loopback: it answers every request with the same bytes.
#[derive(Clone)]
struct System {
    addr: SocketAddr,
    answer: (u16, &'static str),
    got: Arc<Mutex<Vec<Got>>>,
}

impl System {
    async fn answering(status: u16, body: &'static str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let system = Self { addr, answer: (status, body), got: Arc::default() };
        let routes = Router::new().fallback(answer).with_state(system.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        system
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }
}

async fn answer(
    State(system): State<System>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let body = String::from_utf8_lossy(&body).into_owned();
    system.got.lock().unwrap().push(Got { line: format!("{method} {uri}"), headers, body });
    (StatusCode::from_u16(system.answer.0).unwrap(), system.answer.1)
}

/// Opens an exchange in which alfa bids 12.00 and speaks through an adapter, and bravo bids 9.00 in Gavel's own JSON.
async fn market(adapter: &str, settings: Value, system: &System) -> (Exchange, Buyer) {
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    exchange.serve(adapter).await;
    let delivery = json!({
        "url": format!("http://{}/in", system.addr), "timeout_ms": 5_000,
        "adapter": {"module": adapter, "settings": settings},
        "headers": {"authorization": {"secret": "Basic c2VjcmV0LXdvcmQ="}, "x-plain": "seen"},
    });
    exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
    exchange.deposit("alfa", "1000.00").await;
    let campaign = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/alfa", campaign).await;
    let bravo = Buyer::accepting().await;
    exchange.with_buyer("bravo", &bravo.url(), "9.00").await;
    (exchange, bravo)
}

/// Sells one lead, and returns its deliveries as `alfa sold`, each with its detail.
async fn sell(exchange: &Exchange) -> (String, Value) {
    let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
    assert_eq!(ping.text("/status"), "accepted", "{ping:?}");
    let id = ping.text("/ping_id").to_owned();
    let post = merged(auto_post(&id), json!({"deadline_ms": 1_500}));
    exchange.say("auto-insurance/post", &post).await;
    let receipt = exchange.receipt(&id).await;
    let mut told = String::new();
    for delivery in receipt["deliveries"].as_array().unwrap() {
        let text = |name: &str| delivery[name].as_str().unwrap_or_default();
        writeln!(told, "{} {}: {}", text("buyer"), text("outcome"), text("detail")).unwrap();
    }
    (told, receipt)
}

/// One lead through an adapter: the settings, what the buyer answers, what went out, and what became of it.
async fn check(
    adapter: &str,
    settings: Value,
    answer: (u16, &'static str),
    sent: &[&str],
    expected: &str,
) {
    let system = System::answering(answer.0, answer.1).await;
    let (exchange, bravo) = market(adapter, settings, &system).await;
    let (told, receipt) = sell(&exchange).await;
    assert!(told.starts_with(expected), "{adapter}: expected `{expected}`, got `{told}`");
    let got = system.got();
    assert_eq!(got.len(), 1, "{adapter}: {got:?}");
    let whole = format!("{}\n{}", got[0].line, got[0].body);
    for part in sent {
        assert!(whole.contains(part), "{adapter}: `{part}` is missing from\n{whole}");
    }
    let header = |name: &str| got[0].headers.get(name).map(|value| value.to_str().unwrap());
    assert!(header("idempotency-key").unwrap().starts_with("ld_"), "{adapter}: {got:?}");
    assert_eq!(header("authorization"), Some("Basic c2VjcmV0LXdvcmQ="));
    assert_eq!(header("x-plain"), Some("seen"));
    let used = &receipt["deliveries"][0]["adapter"];
    assert_eq!((&used["name"], &used["version"]), (&json!(adapter), &json!(1)), "{receipt:#}");
    assert!(used["fuel"].as_u64().unwrap() > 0, "{used}");
    // A lead goes to the next bidder only after a clear no.
    let passed_on = expected.contains("rejected") || expected.contains("duplicate");
    assert_eq!(!bravo.received().is_empty(), passed_on, "{adapter}: {told}");
}

fn boberdoo() -> Value {
    json!({"key": "K", "src": "S", "type": "31"})
}

#[tokio::test]
async fn boberdoo_gets_a_form_and_answers_in_xml() {
    let sold = "<?xml version=\"1.0\"?><response><status>Matched</status><lead_id>1234</lead_id></response>";
    let sent = ["POST /in\n", "Mode=post", "DOB=04%2F12%2F1985", "Phone=2025550107"];
    check("boberdoo-adapter", boberdoo(), (200, sold), &sent, "alfa sold: 1234").await;
    let refused = "<response><status>Unmatched</status><reason>No Coverage</reason></response>";
    check(
        "boberdoo-adapter",
        boberdoo(),
        (200, refused),
        &[],
        "alfa rejected: No Coverage\nbravo sold",
    )
    .await;
    let error = "<response><status>Error</status></response>";
    check(
        "boberdoo-adapter",
        boberdoo(),
        (200, error),
        &[],
        "alfa unknown: the buyer had an error",
    )
    .await;
}

#[tokio::test]
async fn px_gets_nested_json_and_a_no_as_200() {
    let settings = json!({"api_token": "T", "vertical": "AutoInsurance"});
    let sent = [
        "POST /in/post\n",
        r#""ContactData":{"ZipCode":"90210""#,
        r#""BirthDate":"1985-04-12""#,
        r#""Year":2019"#,
    ];
    let sold = r#"{"TransactionId":"t-1","Success":true,"Payout":8.5,"Errors":null}"#;
    check("px-adapter", settings.clone(), (200, sold), &sent, "alfa sold: t-1").await;
    let refused = r#"{"TransactionId":"t-2","Success":false,"Message":"BadRequest","Errors":["'Sinks' must not be empty."]}"#;
    check(
        "px-adapter",
        settings,
        (200, refused),
        &[],
        "alfa rejected: 'Sinks' must not be empty.\nbravo sold",
    )
    .await;
}

#[tokio::test]
async fn lead_prosper_says_its_verdict_in_capitals() {
    let settings = json!({"campaign_id": "1", "supplier_id": "2", "key": "K"});
    let sent = ["POST /in/post\n", r#""lp_key":"K""#, r#""date_of_birth":"04/12/1985""#];
    let sold = r#"{"status":"ACCEPTED","code":0,"id":"lp-1"}"#;
    check("leadprosper-adapter", settings.clone(), (200, sold), &sent, "alfa sold: lp-1").await;
    let duplicate = r#"{"status":"DUPLICATED","code":1001,"message":"seen before"}"#;
    check(
        "leadprosper-adapter",
        settings,
        (200, duplicate),
        &[],
        "alfa rejected: seen before\nbravo sold",
    )
    .await;
}

#[tokio::test]
async fn juiced_answers_in_sentences() {
    let sent = ["POST /in/leads\n", r#""campaign_id":7"#, r#""homeowner":true"#];
    let sold = r#"{"message":"Accepted","lead_id":77}"#;
    check("juiced-adapter", json!({"campaign_id": 7}), (201, sold), &sent, "alfa sold: 77").await;
    let strange = r#"{"message":"Thank you"}"#;
    check(
        "juiced-adapter",
        json!({"campaign_id": 7}),
        (200, strange),
        &[],
        "alfa unknown: `message`",
    )
    .await;
}

#[tokio::test]
async fn lead_byte_queues_what_nobody_knows_the_end_of() {
    let settings = json!({"campid": "AUTO-1", "sid": 9});
    let sent = ["POST /in\n", "campid=AUTO-1", "dob=12%2F04%2F1985", "postcode=90210"];
    let sold = r#"{"code":1,"response":"OK","info":[],"leadId":123456}"#;
    check("leadbyte-adapter", settings.clone(), (200, sold), &sent, "alfa sold: 123456").await;
    let queued = r#"{"status":"Success","code":1,"results":[{"queueId":"0","status":"Queued"}]}"#;
    check("leadbyte-adapter", settings, (200, queued), &[], "alfa unknown: queued").await;
}

#[tokio::test]
async fn insurance_agents_gets_xml_inside_a_form_field() {
    let settings = json!({"affiliate": "A1", "password": "P"});
    let sent =
        ["POST /in\n", "type=post&xml=%3C%3Fxml", "%3Cbirthdate%3E19850412%3C%2Fbirthdate%3E"];
    let sold = "<reply><code>1</code><id>v-1</id><lead>125560</lead></reply>";
    check("insurance-agents-adapter", settings.clone(), (200, sold), &sent, "alfa sold: 125560")
        .await;
    let fault = "<reply><code>-3</code><comment>database</comment></reply>";
    check(
        "insurance-agents-adapter",
        settings,
        (200, fault),
        &[],
        "alfa unknown: the buyer had an error: database",
    )
    .await;
}

#[tokio::test]
async fn cake_and_lead_conduit_count_in_their_own_ways() {
    let settings =
        json!({"campaign_id": 5, "key": "K", "fields": {"zip": "Zip_Code", "email": "Email"}});
    let sold = "<result>\n<code>0</code>\n<msg>success</msg>\n<leadid>C1</leadid>\n</result>";
    let sent = ["ckm_campaign_id=5", "Zip_Code=90210", "Email=dana%40example.com"];
    check("cake-adapter", settings, (200, sold), &sent, "alfa sold: C1").await;
    let failure = r#"{"response": "failure", "leadAuctionId": 123456, "details": "Quota Reached"}"#;
    let sent = ["POST /in/submit\n", "postal_code=90210"];
    check(
        "leadconduit-adapter",
        json!({}),
        (201, failure),
        &sent,
        "alfa rejected: Quota Reached\nbravo sold",
    )
    .await;
}

#[tokio::test]
async fn settings_alone_speak_the_dialects_of_others() {
    let px = json!({
        "format": "json", "constants": {"ApiToken": "T"},
        "fields": [
            {"from": "zip", "to": "ContactData/ZipCode"},
            {"from": "home_owner", "to": "Person/HomeOwner", "as": "yes-no"},
            {"from": "credit_band", "to": "Person/Credit", "words": {"good": "2"}},
        ],
        "post": {"path": "/post", "price": "Price"},
        "answer": {"verdict": ["Success"], "reference": ["TransactionId"], "reason": ["Errors", "Message"]},
    });
    let sent = [
        "POST /in/post\n",
        r#"{"ApiToken":"T","ContactData":{"ZipCode":"90210"},"Person":{"HomeOwner":"Yes","Credit":"2"},"Price":"9.01"}"#,
    ];
    let sold = r#"{"TransactionId":"t-1","Success":true,"Errors":null}"#;
    check("configurable-adapter", px.clone(), (200, sold), &sent, "alfa sold: t-1").await;
    let refused = r#"{"Success":false,"Errors":["'Sinks' must not be empty."]}"#;
    check(
        "configurable-adapter",
        px,
        (200, refused),
        &[],
        "alfa rejected: 'Sinks' must not be empty.",
    )
    .await;
    let boberdoo = json!({
        "format": "form", "constants": {"Key": "K", "Mode": "post"},
        "fields": [{"from": "date_of_birth", "to": "DOB", "as": "date", "pattern": "MM/DD/YYYY"}],
        "post": {}, "answer": {"verdict": ["status"]},
    });
    let sold = "<response><status>Matched</status><lead_id>1234</lead_id></response>";
    let sent = ["POST /in\n", "Key=K&Mode=post&DOB=04%2F12%2F1985"];
    check("configurable-adapter", boberdoo, (200, sold), &sent, "alfa sold: 1234").await;
}

#[tokio::test]
async fn a_request_that_must_not_leave_is_not_sent_and_says_why() {
    let system = System::answering(200, "{}").await;
    let (exchange, bravo) = market("hostile-adapter", json!({}), &system).await;
    let never = json!({"calls": 0, "window_seconds": 1});
    exchange.put("modules/hostile-adapter", json!({"failing": never})).await;
    for (request, expected) in [
        ("trap", "words no request: it trapped: panicked"),
        ("loop", "it used up its fuel"),
        ("memory", "it used up its memory"),
        ("large", "its body has 307200 bytes, and at most 262144 are possible"),
        ("huge", "its answer breaks the contract"),
        ("empty", "its body is empty"),
        ("many", "it has 41 headers, and at most 32 are possible"),
        ("path //evil.example.com/", "names another host"),
        ("path https://evil.example.com/", "no other is asked"),
        ("path /a/../../b", "must stay below the buyer's address"),
        ("path /a/%2e%2e/b", "must stay below the buyer's address"),
        ("break", "a line break"),
        ("break-header", "a value with a line break"),
        ("header Host=evil.example.com", "is `host`, which the exchange sets itself"),
        ("header Content-Length=1", "is `content-length`"),
        ("header Transfer-Encoding=chunked", "is `transfer-encoding`"),
        ("header Idempotency-Key=x", "is `idempotency-key`"),
    ] {
        let delivery = json!({
            "url": format!("http://{}/in", system.addr), "timeout_ms": 5_000,
            "adapter": {"module": "hostile-adapter", "settings": {"request": request}},
        });
        exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
        let (told, _) = sell(&exchange).await;
        let first = told.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("alfa not-sent: the adapter `hostile-adapter` version 1"),
            "{request}: {told}"
        );
        assert!(first.contains(expected), "{request}: {told}");
        assert!(!first.contains("Sample") && !first.contains("evil"), "{request}: {told}");
    }
    assert!(system.got().is_empty() && bravo.received().is_empty());
}

#[tokio::test]
async fn an_answer_that_the_adapter_cannot_read_leaves_the_end_unknown() {
    let system = System::answering(200, "dana@example.com of (202) 555-0107 is on file").await;
    let (exchange, bravo) = market("hostile-adapter", json!({}), &system).await;
    for (response, expected) in [
        ("trap", "alfa unknown: answered, but the adapter could not read it: it trapped: panicked"),
        ("loop", "alfa unknown: answered, but the adapter could not read it: it used up its fuel"),
        (
            "memory",
            "alfa unknown: answered, but the adapter could not read it: it used up its memory",
        ),
        ("long", "alfa unknown: answered, but the adapter could not read it: its answer breaks"),
        ("echo", "alfa rejected: [redacted]@[redacted].[redacted] of ([redacted] is on file"),
    ] {
        let delivery = json!({
            "url": format!("http://{}/in", system.addr), "timeout_ms": 5_000,
            "adapter": {"module": "hostile-adapter", "settings": {"response": response}},
        });
        exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
        let (told, _) = sell(&exchange).await;
        assert!(told.starts_with(expected), "{response}: {told}");
    }
    assert_eq!((system.got().len(), bravo.received().len()), (5, 1));
    // However often a buyer makes its adapter fail, the others keep it.
    let found = exchange.get("modules/hostile-adapter").await;
    assert_eq!(found.body["tracks"][0]["taken_out"], Value::Null, "{found:?}");
}

#[tokio::test]
async fn a_status_speaks_for_itself_before_any_adapter() {
    let settings = || json!({"api_token": "T", "vertical": "V"});
    let sold = r#"{"Success": true, "TransactionId": "t"}"#;
    check("px-adapter", settings(), (502, sold), &[], "alfa unknown: answered 502").await;
    check("px-adapter", settings(), (307, sold), &[], "alfa rejected: answered 307").await;
    check("px-adapter", settings(), (404, ""), &[], "alfa rejected: answered 404").await;
    check("px-adapter", settings(), (400, sold), &[], "alfa unknown: answered 400, but says yes")
        .await;
}

#[tokio::test]
async fn a_secret_header_is_never_shown_and_stays_when_it_is_sent_back_hidden() {
    let system = System::answering(200, r#"{"Success": true}"#).await;
    let settings = json!({"api_token": "T", "vertical": "V"});
    let (exchange, _bravo) = market("px-adapter", settings, &system).await;
    let mut shown = exchange.get("buyers/alfa").await;
    assert_eq!(shown.text("/delivery/headers/authorization/secret"), "[hidden]", "{shown:?}");
    assert_eq!(shown.text("/delivery/headers/x-plain"), "seen");
    let delivery = shown.body["delivery"].take();
    let saved = exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
    assert!(!format!("{saved:?}").contains("c2VjcmV0"), "{saved:?}");
    sell(&exchange).await;
    assert_eq!(system.got()[0].headers["authorization"], "Basic c2VjcmV0LXdvcmQ=");
    let other = json!({"url": format!("http://{}/in", system.addr), "headers": {"x-new": {"secret": "[hidden]"}}});
    let refused = exchange.try_put("buyers/alfa", json!({"delivery": other})).await;
    assert_eq!(
        (refused.status, refused.text("/field")),
        (422, "/delivery/headers/x-new/secret"),
        "{refused:?}"
    );
    for (name, expected) in
        [("Host", "the exchange sets this header itself"), ("a b", "a header's name has 1 to 64")]
    {
        let other = json!({"url": format!("http://{}/in", system.addr), "headers": {name: "x"}});
        let refused = exchange.try_put("buyers/alfa", json!({"delivery": other})).await;
        assert!(refused.status == 422 && format!("{refused:?}").contains(expected), "{refused:?}");
    }
}

#[tokio::test]
async fn a_secret_header_lies_nowhere_in_the_clear_and_is_sent_after_a_restart() {
    let system = System::answering(200, r#"{"Success": true}"#).await;
    let settings = json!({"api_token": "T", "vertical": "V"});
    let (exchange, _bravo) = market("px-adapter", settings, &system).await;
    sell(&exchange).await;
    let sealed = json!({"url": format!("http://{}/in", system.addr), "headers": {"authorization": {"sealed": "AA=="}}});
    let refused = exchange.try_put("buyers/alfa", json!({"delivery": sealed})).await;
    assert_eq!(refused.text("/field"), "/delivery/headers/authorization/secret", "{refused:?}");
    let data = exchange.close().await;
    let (mut read, mut plain) = (0, Vec::new());
    for path in files_below(data.path()) {
        let bytes = std::fs::read(&path).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        read += usize::from(has("x-plain"));
        if has("c2VjcmV0LXdvcmQ") || has("secret-word") {
            plain.push(path);
        }
    }
    assert!(read > 0 && plain.is_empty(), "{read} {plain:?}");
    let exchange = Exchange::open_in(data).await;
    sell(&exchange).await;
    let got = system.got();
    assert_eq!(got.last().unwrap().headers["authorization"], "Basic c2VjcmV0LXdvcmQ=");
    assert_eq!(got.len(), 2);
}

#[tokio::test]
async fn a_question_for_a_bid_keeps_the_addresss_query_and_the_buyers_own_header() {
    let system = System::answering(200, r#"{"bid": "7.00"}"#).await;
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    exchange.serve("configurable-adapter").await;
    let settings = json!({
        "format": "json", "fields": [{"from": "zip", "to": "zip"}], "ping": {"path": "/ping"},
        "headers": {"Authorization": "the adapter's"},
    });
    let adapter = json!({"module": "configurable-adapter", "settings": settings});
    let delivery = json!({
        "url": format!("http://{}/in", system.addr),
        "headers": {"authorization": {"secret": "the buyer's"}},
    });
    let url = format!("http://{}/api?key=K", system.addr);
    let bidding = json!({"url": url, "timeout_ms": 1_200, "adapter": adapter});
    exchange.put("buyers/alfa", json!({"delivery": delivery, "bidding": bidding})).await;
    exchange.deposit("alfa", "100.00").await;
    let campaign = json!({"buyer": "alfa", "vertical": "auto-insurance"});
    exchange.put("campaigns/alfa", campaign).await;
    exchange.say("auto-insurance/ping", &auto_ping()).await;
    let got = system.got();
    assert_eq!(got[0].line, "POST /api/ping?key=K", "{got:?}");
    let told: Vec<&str> =
        got[0].headers.get_all("authorization").iter().map(|one| one.to_str().unwrap()).collect();
    assert_eq!(told, ["the buyer's"]);
}

#[tokio::test]
async fn settings_are_refused_in_the_adapters_own_words() {
    let exchange = Exchange::open().await;
    exchange.serve("configurable-adapter").await;
    exchange.serve("zip-list").await;
    let adapter = |module: &str, settings: Value| json!({"delivery": {"url": "http://127.0.0.1:9999/", "adapter": {"module": module, "settings": settings}}});
    for (module, settings, pointer, expected) in [
        ("configurable-adapter", json!({}), "/delivery/adapter/settings", "`format`"),
        (
            "configurable-adapter",
            json!({"format": "json", "fields": []}),
            "/delivery/adapter/settings",
            "`post` is missing",
        ),
        (
            "configurable-adapter",
            json!({"format": "json", "fields": [], "ping": {}}),
            "/delivery/adapter/settings",
            "only asks for bids, and hands no leads over",
        ),
        (
            "zip-list",
            json!({}),
            "/delivery/adapter/module",
            "module `zip-list` is a filter; a buyer needs an adapter",
        ),
        ("nobody", json!({}), "/delivery/adapter/module", "there is no module `nobody`"),
    ] {
        let refused = exchange.try_put("buyers/alfa", adapter(module, settings)).await;
        assert_eq!((refused.status, refused.text("/field")), (422, pointer), "{refused:?}");
        assert!(format!("{refused:?}").contains(expected), "{refused:?}");
    }
}

#[tokio::test]
async fn an_adapter_lives_like_other_modules() {
    let system = System::answering(200, r#"{"Success": true, "TransactionId": "t"}"#).await;
    let settings = json!({"api_token": "T", "vertical": "V"});
    let (exchange, _bravo) = market("px-adapter", settings, &system).await;
    let limits = exchange.get("limits/adapter").await;
    assert_eq!(limits.body["fuel"], 20_000_000, "{limits:?}");
    let shadowed = exchange.post("modules/px-adapter/shadow", json!({"percent": "5"})).await;
    assert_eq!(shadowed.status, 409, "{shadowed:?}");
    exchange.put("limits/adapter", json!({"fuel": 1_000})).await;
    let failing = json!({"calls": 2, "window_seconds": 60});
    exchange.put("modules/px-adapter", json!({"failing": failing})).await;
    let (told, _) = sell(&exchange).await;
    assert!(told.contains("alfa not-sent") && told.contains("it used up its fuel"), "{told}");
    until("it is taken out of service", async || {
        let found = exchange.get("modules/px-adapter").await;
        found.text("/tracks/0/taken_out").starts_with("2 of its calls failed within 60 s")
    })
    .await;
    exchange.put("limits/adapter", json!({})).await;
    let (told, receipt) = sell(&exchange).await;
    assert!(told.starts_with("bravo sold"), "{told}");
    assert_eq!(receipt["left_out"][0]["code"], "adapter-out-of-service", "{receipt:#}");
    exchange.post("modules/px-adapter/activate", json!({"version": 1})).await;
    let (told, receipt) = sell(&exchange).await;
    assert!(told.starts_with("alfa sold: t"), "{told}");
    assert_eq!(receipt["deliveries"][0]["adapter"]["name"], "px-adapter", "{receipt:#}");
}

#[test]
fn shipped_adapters_are_small_and_keep_their_recorded_exchanges() {
    let sandbox = Sandbox::open(&Limits::default()).unwrap();
    for name in ADAPTERS {
        let wasm = module(name);
        assert!(wasm.len() < MODULE_BYTES_MAX, "{name} has {} bytes", wasm.len());
        assert!(wasm.len() < ADAPTER_BYTES_MAX, "{name} has {} bytes", wasm.len());
        let admitted = sandbox.admit(&wasm).unwrap();
        assert!(matches!(admitted, Admitted::Adapter(_)), "{admitted:?}");
        let ran = fixtures::check(&admitted, &wasm, CHECK_TIME_MAX)
            .unwrap_or_else(|fault| panic!("{name}: {fault}"));
        assert!(ran >= 4, "{name} has {ran} fixtures");
    }
}

/// Runs `gavel adapter ..` and returns its exit code with what it printed.
async fn gavel(arguments: Vec<String>) -> (Option<i32>, String, String) {
    let run = move || std::process::Command::new(path()).arg("adapter").args(arguments).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn an_exchange_that_was_recorded_is_a_fixture_that_passes() {
    let system =
        System::answering(200, r#"{"Success": true, "Payout": 8.5, "TransactionId": "t-1"}"#).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let wasm = file("px-adapter.wasm");
    std::fs::write(&wasm, module("px-adapter")).unwrap();
    std::fs::write(file("lead.json"), r#"{"zip": "90210", "date_of_birth": "1985-04-12"}"#)
        .unwrap();
    let url = format!("http://{}/in", system.addr);
    let settings = r#"{"api_token": "T", "vertical": "AutoInsurance"}"#;
    let record = [
        "record",
        &url,
        "--adapter",
        &wasm,
        "--settings",
        settings,
        "--step",
        "ping",
        "--lead",
        &file("lead.json"),
    ];
    let mut arguments: Vec<String> = record.map(str::to_owned).to_vec();
    arguments.extend(["--header".to_owned(), "authorization: Bearer secret-word".to_owned()]);
    let (code, recorded, complaint) = gavel(arguments).await;
    assert_eq!(code, Some(0), "{complaint}");
    assert_eq!(system.got()[0].line, "POST /in/ping");
    assert_eq!(system.got()[0].headers["authorization"], "Bearer secret-word");
    assert!(!recorded.contains("secret-word"), "{recorded}");
    let exchange: Value = serde_json::from_str(&recorded).unwrap();
    assert_eq!(exchange["expected"]["reply"], json!({"bid": "8.50", "handle": "t-1"}));
    assert_eq!(exchange["expected"]["request"]["path"], "/ping");
    std::fs::create_dir(file("fixtures")).unwrap();
    std::fs::write(file("fixtures/ping.json"), &recorded).unwrap();
    let test = ["test", &wasm, "--fixtures", &file("fixtures")].map(str::to_owned).to_vec();
    let (code, printed, complaint) = gavel(test.clone()).await;
    assert_eq!(code, Some(0), "{printed}{complaint}");
    assert!(printed.contains("1 fixture: 1 as expected"), "{printed}");
    std::fs::write(file("fixtures/ping.json"), recorded.replace("8.50", "9.50")).unwrap();
    let (code, printed, _) = gavel(test).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains("- reply.bid: \"9.50\"") && printed.contains("+ reply.bid: \"8.50\""),
        "{printed}"
    );
}

/// Opens an exchange in which a mock buyer of this dialect is asked for bids and handed leads through the adapter that
/// speaks it; another bids 3.00 and takes every lead.
async fn bidders(dialect: Dialect, character: Character) -> (Exchange, MockBuyer, Buyer) {
    let (adapter, settings) = dialect.adapter().unwrap();
    let spec = MockSpec { dialect, ..MockSpec::of(character) };
    let buyer = MockBuyer::open(spec, None, None).await.unwrap();
    let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
    exchange.serve(adapter).await;
    let adapter = json!({"module": adapter, "settings": settings});
    let bidding = json!({"url": buyer.bid_url(), "timeout_ms": 5_000, "adapter": adapter});
    let delivery = json!({"url": buyer.lead_url(), "adapter": adapter});
    exchange.put("buyers/alfa", json!({"bidding": bidding, "delivery": delivery})).await;
    exchange.deposit("alfa", "1000.00").await;
    exchange.put("campaigns/alfa", json!({"buyer": "alfa", "vertical": "auto-insurance"})).await;
    let bravo = Buyer::accepting().await;
    exchange.with_buyer("bravo", &bravo.url(), "3.00").await;
    (exchange, buyer, bravo)
}

#[tokio::test]
async fn a_buyer_bids_through_its_adapter_and_gets_the_lead_through_it_with_its_own_handle() {
    for dialect in [Dialect::Boberdoo, Dialect::Px] {
        let (exchange, alfa, bravo) = bidders(dialect, Character::Prompt).await;
        let ping = exchange.say("auto-insurance/ping", &auto_ping()).await;
        assert_eq!((ping.text("/status"), ping.text("/price")), ("accepted", "2.709"), "{ping:?}");
        let id = ping.text("/ping_id").to_owned();
        let receipt = exchange.receipt(&id).await;
        let (asked, adapter) = (&receipt["asked"][0], dialect.adapter().unwrap().0);
        assert_eq!(
            (&asked["outcome"], &asked["adapter"]["name"]),
            (&json!("bid"), &json!(adapter))
        );
        assert!(asked["adapter"]["fuel"].as_u64().unwrap() > 0, "{asked}");
        let handle = asked["handle"].as_str().unwrap();
        assert_eq!(receipt["winners"][0]["price"], "3.01", "{receipt:#}");

        let sold = exchange.say("auto-insurance/post", &auto_post(&id)).await;
        assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "2.709"), "{sold:?}");
        let receipt = exchange.receipt(&id).await;
        let delivery = &receipt["deliveries"][0];
        assert_eq!(delivery["adapter"]["name"], adapter, "{receipt:#}");
        assert_eq!(delivery["detail"], format!("m-{handle}"), "{receipt:#}");
        let tally = alfa.tally();
        assert_eq!((tally.pings, tally.posts, tally.unreadable), (1, 1, 0), "{tally:?}");
        assert_eq!(tally.post["handle"], handle);
        let lead = tally.post["lead"].to_string();
        assert!(lead.contains("2025550107") && lead.contains("dana@example.com"), "{lead}");
        assert_eq!(bravo.received().len(), 0);
        let data = exchange.close().await;
        let replayed = gavel::exchange::replay(data.path(), Compiler::InProcess, |_| ()).await;
        assert_eq!(replayed.unwrap().differences, []);
    }
}

#[tokio::test]
async fn a_bidder_behind_an_adapter_that_says_no_or_nonsense_costs_nobody_the_sale() {
    for (character, outcome, pings) in [
        (Character::NoBid, "no-bid", 1),
        (Character::Garbage, "invalid", 1),
        (Character::Failing, "refused", 1),
        (Character::Late, "late", 1),
        (Character::Rejecting, "bid", 1),
    ] {
        for dialect in [Dialect::Boberdoo, Dialect::Px] {
            let (exchange, alfa, bravo) = bidders(dialect, character).await;
            // As little as who knows no deadline takes for it.
            let deadline_ms = if character == Character::Late { 500 } else { 10_000 };
            let ping = merged(auto_ping(), json!({"deadline_ms": deadline_ms}));
            let ping = exchange.say("auto-insurance/ping", &ping).await;
            let id = ping.text("/ping_id").to_owned();
            let receipt = exchange.receipt(&id).await;
            assert_eq!(receipt["asked"][0]["outcome"], outcome, "{dialect:?} {receipt:#}");
            let sold = exchange.say("auto-insurance/post", &auto_post(&id)).await;
            assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
            let tally = alfa.tally();
            assert_eq!((tally.pings, bravo.received().len()), (pings, 1), "{dialect:?} {tally:?}");
            assert_eq!(tally.rejected, u64::from(character == Character::Rejecting));
        }
    }
}

/// Runs `gavel buyer check --adapter` against a mock buyer; returns its exit code with what it printed.
async fn checked(
    dialect: Dialect,
    character: Character,
    settings: &str,
) -> (Option<i32>, String, String) {
    let spec = MockSpec { dialect, ..MockSpec::of(character) };
    let buyer = MockBuyer::open(spec, None, None).await.unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let wasm = folder.path().join("adapter.wasm");
    std::fs::write(&wasm, module(dialect.adapter().unwrap().0)).unwrap();
    let mut check = command();
    check.args(["buyer", "check", &buyer.bid_url(), "--timeout-ms", "1500"]);
    let output = check
        .args(["--leads", &buyer.lead_url(), "--adapter"])
        .arg(wasm)
        .args(["--settings", settings, "--header", "x-key: abc"])
        .output()
        .await
        .unwrap();
    let tally = buyer.tally();
    assert!(tally.pings == 0 || tally.headers["x-key"] == "abc", "{tally:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test]
async fn a_buyer_tries_its_end_point_in_its_own_dialect_and_reads_why_it_fails() {
    for dialect in [Dialect::Boberdoo, Dialect::Px] {
        let settings = dialect.adapter().unwrap().1.to_string();
        let (code, told, complaint) = checked(dialect, Character::Prompt, &settings).await;
        assert_eq!(code, Some(0), "{told}{complaint}");
        for part in [
            "ok    answer: a bid of ",
            "ok    time: 10 pings: all within",
            "ok    at once: 10",
            "ok    a test lead: accepted, m-h-",
            "ok    the same lead twice: the same answer",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
        for (character, seen, mend) in [
            (Character::NoBid, "ok    answer: no bid after", ""),
            (
                Character::Failing,
                "BAD   answer: refused: answered 500",
                "`gavel adapter record` shows it",
            ),
            (Character::Garbage, "BAD   answer: invalid: ", "teach it to the adapter"),
            (
                Character::Slowloris,
                "BAD   answer: late: ",
                "agree on a longer time with the exchange",
            ),
            (Character::GzipBomb, "BAD   answer: invalid: ", "nobody asked for"),
        ] {
            let (code, told, complaint) = checked(dialect, character, &settings).await;
            let bad = seen.starts_with("BAD");
            assert_eq!(code, Some(i32::from(bad)), "{character:?}: {told}{complaint}");
            assert!(told.contains(seen) && told.contains(mend), "{character:?}: {told}");
            // Every finding says why it matters and how to mend it.
            let flawed = |line: &&str| line.starts_with("BAD ") || line.starts_with("weak");
            let flawed = told.lines().filter(flawed).count();
            for advice in ["why it matters: ", "to mend it:     "] {
                assert_eq!(told.matches(advice).count(), flawed, "{told}");
            }
        }
        let (code, _, complaint) = checked(dialect, Character::Prompt, r#"{"key": 1}"#).await;
        assert_eq!(code, Some(2), "{complaint}");
        assert!(complaint.contains("The adapter takes: {"), "{complaint}");
    }
}
