//! Signed deliveries: a buyer can tell that a lead comes from its exchange and is not an old one sent again, and nobody
//! reads what signs it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gavel::catalog::Secret;
use gavel::clock::{Clock, Moment};
use gavel::mock::{Character, Dialect, MockBuyer, MockSpec};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tempfile::TempDir;

use crate::crash::program::{Program, command};
use crate::exchange::{Buyer, Exchange, OPERATOR_KEY, SOURCE_KEY, auto_post, files_below, merged};

/// What the receivers of these tests know.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// 2 March 2026, 17:00 UTC.
const BEGIN_MS: i64 = 1_772_470_800_000;
const DAY_MS: i64 = 86_400_000;

/// A lead as it came in.
#[derive(Clone, Debug)]
struct Got {
    uri: Uri,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        assert_eq!(self.headers.get_all(name).iter().count(), 1, "{name} {:?}", self.headers);
        self.headers[name].to_str().unwrap()
    }

    /// What a receiver computes for itself, for each of the secrets that may sign.
    fn signatures(&self, secrets: &[&str]) -> String {
        let (id, seconds) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let one = |secret: &&str| {
            let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(format!("{id}.{seconds}.").as_bytes());
            mac.update(&self.body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        secrets.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// Compares the signatures with what these secrets make, the newest first.
    #[track_caller]
    fn is_signed_by(&self, secrets: &[&str]) {
        assert_eq!(self.header("webhook-signature"), self.signatures(secrets), "{self:?}");
    }
}

/// Says what is answered to the n-th lead, from 0.
type Script = Arc<dyn Fn(usize) -> StatusCode + Send + Sync>;

/// A buyer's own system, at any address on loopback. It takes what it answers 200.
#[derive(Clone)]
struct System {
    addr: SocketAddr,
    script: Script,
    got: Arc<Mutex<Vec<Got>>>,
}

impl System {
    async fn taking() -> Self {
        Self::scripted(|_| StatusCode::OK).await
    }

    async fn scripted(script: impl Fn(usize) -> StatusCode + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let system = Self { addr, script: Arc::new(script), got: Arc::default() };
        let routes = Router::new().fallback(take).with_state(system.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        system
    }

    fn url(&self) -> String {
        format!("http://{}/in", self.addr)
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn newest(&self) -> Got {
        self.got().pop().unwrap()
    }
}

async fn take(
    State(system): State<System>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, &'static str); 1], &'static str) {
    let turn = {
        let mut got = system.got.lock().unwrap();
        got.push(Got { uri, headers, body: body.to_vec() });
        got.len() - 1
    };
    // Understood by whoever reads it, with and without an adapter.
    let answer = r#"{"status": "accepted", "Success": true, "id": "s-1"}"#;
    ((system.script)(turn), [("retry-after", "0")], answer)
}

/// Opens an exchange in which alfa bids 12.00 and takes leads so, with a clock in the test's hand.
async fn market(delivery: Value) -> (Exchange, Clock) {
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    let exchange = Exchange::with_bidders(clock.clone(), json!({}), &[delivery]).await;
    (exchange, clock)
}

#[tokio::test]
async fn a_lead_is_signed_with_the_secret_that_its_buyer_brought_along() {
    let system = System::taking().await;
    let signing = json!({"secret": SECRET});
    let (exchange, _) = market(json!({"url": system.url(), "signing": signing})).await;
    let west = json!({"buyer": "alfa", "vertical": "auto-insurance", "price": "12.00"});
    exchange.put("campaigns/alfa.west", west.clone()).await;
    exchange.put("campaigns/alfa", merged(west, json!({"active": false}))).await;
    let sold = exchange.sell("90210").await;
    let got = system.newest();
    got.is_signed_by(&[SECRET]);
    assert_eq!(got.header("webhook-timestamp"), (BEGIN_MS / 1_000).to_string());
    let key = format!("{}-0-alfa.west", sold.text("/lead_id"));
    assert_eq!(got.header("idempotency-key"), key);
    // In what is signed a dot ends the id.
    assert_eq!(got.header("webhook-id"), key.replace('.', "~"));

    // Who does not ask for it gets nothing signed.
    exchange.put("buyers/alfa", json!({"delivery": {"url": system.url()}})).await;
    exchange.sell("94105").await;
    assert!(system.newest().headers.keys().all(|name| !name.as_str().starts_with("webhook")));
}

#[tokio::test]
async fn another_attempt_has_the_same_id_and_the_time_of_its_own() {
    let clock = Clock::standing(Moment::from_unix_ms(BEGIN_MS));
    let hand = clock.clone();
    // Every attempt takes ten seconds on the exchange's clock; the first is turned away.
    let system = System::scripted(move |turn| {
        let turns = i64::try_from(turn).unwrap() + 1;
        hand.set(Moment::from_unix_ms(BEGIN_MS + turns * 10_000));
        if turn == 0 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    })
    .await;
    let delivery = json!({"url": system.url(), "signing": {"secret": SECRET}});
    let exchange = Exchange::with_bidders(clock, json!({}), &[delivery]).await;
    exchange.sell("90210").await;
    let [first, second] = system.got().try_into().unwrap();
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    let time = |got: &Got| got.header("webhook-timestamp").parse::<i64>().unwrap();
    assert_eq!([time(&first), time(&second)], [BEGIN_MS / 1_000, BEGIN_MS / 1_000 + 10]);
    first.is_signed_by(&[SECRET]);
    second.is_signed_by(&[SECRET]);
}

#[tokio::test]
async fn a_secret_is_shown_once_replaced_without_a_gap_and_kept_sealed() {
    let system = System::taking().await;
    let (exchange, clock) = market(json!({"url": system.url()})).await;
    let wish = json!({"delivery": {"url": system.url(), "signing": {}}});
    let made = exchange.put("buyers/alfa", wish.clone()).await;
    let first = made.text("/delivery/signing/secret").to_owned();
    assert!(first.starts_with("whsec_") && first.len() > 40, "{made:?}");
    // Saved again it stays, whether the mark is sent back or not.
    let shown = exchange.get("buyers/alfa").await;
    assert_eq!(shown.body["delivery"]["signing"], json!({"secret": "[hidden]"}), "{shown:?}");
    let marked = json!({"delivery": shown.body["delivery"]});
    for body in [wish, marked] {
        let saved = exchange.put("buyers/alfa", body).await;
        assert_eq!(saved.body["delivery"]["signing"], json!({"secret": "[hidden]"}), "{saved:?}");
    }
    exchange.sell("90210").await;
    system.newest().is_signed_by(&[&first]);

    let rotated = exchange.post("buyers/alfa/signing/rotate", json!({})).await;
    let until = "2026-03-03T17:00:00.000Z";
    assert_eq!((rotated.status, rotated.text("/old_secret_until")), (201, until), "{rotated:?}");
    let second = rotated.text("/secret").to_owned();
    let shown = exchange.get("buyers/alfa").await;
    assert_eq!(shown.text("/delivery/signing/old_secret_until"), until, "{shown:?}");
    exchange.sell("94105").await;
    system.newest().is_signed_by(&[&second, &first]);

    // A secret that is brought along replaces the one before it, too; the same one again does not.
    let mut brought = json!({"delivery": shown.body["delivery"]});
    brought["delivery"]["signing"]["secret"] = SECRET.into();
    for _ in 0..5 {
        let saved = exchange.put("buyers/alfa", brought.clone()).await;
        assert!(!format!("{saved:?}").contains("whsec_"), "{saved:?}");
    }
    exchange.sell("95814").await;
    system.newest().is_signed_by(&[SECRET, &second, &first]);
    let fourth = exchange.post("buyers/alfa/signing/rotate", json!({})).await;
    assert_eq!(fourth.status, 201, "{fourth:?}");
    let full = exchange.post("buyers/alfa/signing/rotate", json!({})).await;
    assert_eq!(full.status, 409, "{full:?}");
    assert!(full.text("/detail").contains(&format!("wait until {until}")), "{full:?}");
    clock.set(Moment::from_unix_ms(BEGIN_MS + DAY_MS));
    exchange.sell("90001").await;
    system.newest().is_signed_by(&[fourth.text("/secret")]);

    let fourth = fourth.text("/secret").to_owned();
    let exchange = Exchange::open_at(exchange.close().await, clock).await;
    exchange.sell("90002").await;
    system.newest().is_signed_by(&[&fourth]);
    let data = exchange.close().await;
    for secret in [&first, &second, SECRET, &fourth] {
        lies_nowhere(secret, data.path(), "signing");
    }
}

/// Looks for a secret in every file below a folder, as it is spelled and as it is. One of them has this word.
#[track_caller]
fn lies_nowhere(secret: &str, folder: &Path, word: &str) {
    let digits = secret.strip_prefix("whsec_").unwrap();
    let raw = STANDARD.decode(digits).unwrap();
    let mut read = 0;
    for path in files_below(folder) {
        let bytes = std::fs::read(&path).unwrap();
        let has = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        read += usize::from(has(word.as_bytes()));
        assert!(!has(digits.as_bytes()) && !has(&raw), "in {}", path.display());
    }
    assert!(read > 0, "no file has {word}");
}

#[tokio::test]
async fn what_an_adapter_words_is_signed_as_it_goes_out_and_no_adapter_signs() {
    let system = System::taking().await;
    let (exchange, _) = market(json!({"url": system.url()})).await;
    for name in ["px-adapter", "hostile-adapter", "configurable-adapter"] {
        exchange.serve(name).await;
    }
    let through = async |module: &str, settings: Value, headers: Value| {
        let delivery = json!({
            "url": system.url(), "signing": {"secret": SECRET}, "headers": headers,
            "adapter": {"module": module, "settings": settings},
        });
        exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
        exchange.say("auto-insurance/full", &merged(auto_post(""), json!({"ping_id": null}))).await;
        let got = system.newest();
        got.is_signed_by(&[SECRET]);
        got
    };
    let settings = json!({"api_token": "T", "vertical": "V"});
    let authorized = json!({"authorization": {"secret": "Basic c2VjcmV0"}});
    let got = through("px-adapter", settings, authorized).await;
    let body: Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!((&body["ApiToken"], got.header("authorization")), (&json!("T"), "Basic c2VjcmV0"));
    for name in ["webhook-id", "Webhook-Timestamp", "webhook-signature"] {
        let request = format!("header {name}=forged");
        let got = through("hostile-adapter", json!({"request": request}), json!({})).await;
        assert!(!format!("{:?}", got.headers).contains("forged"), "{got:?}");
    }
    // What has no body is signed with none.
    let settings = json!({
        "format": "form", "method": "get", "fields": [{"from": "zip", "to": "zip"}],
        "post": {},
    });
    let got = through("configurable-adapter", settings, json!({})).await;
    assert_eq!((got.body.len(), got.uri.query()), (0, Some("zip=90210")), "{got:?}");
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_what_would_be_right() {
    let system = System::taking().await;
    let (exchange, _) = market(json!({"url": system.url()})).await;
    let url = "https://crm.buyer.example/leads";
    let shape = "a signing secret is `whsec_` and 24 to 64 bytes in base 64; leave it out and the exchange makes one";
    let object = "write it as {\"secret\": \"whsec_..\"}, or {} to have one made";
    let secret = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
    for (delivery, field, message) in [
        (json!({"signing": {"secret": "swordfish"}}), "/signing/secret", shape),
        (json!({"signing": {"secret": "whsec_swordfish"}}), "/signing/secret", shape),
        (json!({"signing": {"secret": secret(23)}}), "/signing/secret", shape),
        (json!({"signing": {"secret": secret(65)}}), "/signing/secret", shape),
        (json!({"signing": {"secret": 4}}), "/signing/secret", shape),
        (json!({"signing": SECRET}), "/signing", object),
        (json!({"signing": true}), "/signing", object),
        (json!({"signing": {"secrets": []}}), "/signing/secrets", "bring one along as `secret`"),
        (json!({"signing": {"algorithm": "v1a"}}), "/signing/algorithm", "unknown field"),
        (
            json!({"signing": {}, "headers": {"Webhook-Signature": "x"}}),
            "/headers/Webhook-Signature",
            "the exchange sets this header when it signs: leave it, or `signing`, out",
        ),
        (
            json!({"signing": {}, "url": null, "email": {"to": "leads@buyer.example"}}),
            "/email",
            "no mail relay",
        ),
        (
            json!({
                "signing": {}, "url": null,
                "transfer": {"number": "+15125550100", "connected_seconds": 90},
            }),
            "/signing",
            "only what is posted is signed: it needs a `url`; leave it out",
        ),
    ] {
        let delivery = merged(json!({"url": url}), delivery);
        let refused = exchange.try_put("buyers/new", json!({"delivery": delivery})).await;
        let field = format!("/delivery{field}");
        assert_eq!((refused.status, refused.text("/field")), (422, &*field), "{refused:?}");
        assert!(refused.text("/detail").contains(message), "{refused:?}");
        assert!(!format!("{refused:?}").contains("MfKQ"), "{refused:?}");
    }
    for bytes in [24, 64] {
        let signing = json!({"secret": secret(bytes)});
        exchange.put("buyers/new", json!({"delivery": {"url": url, "signing": signing}})).await;
    }
    // Unsigned, a header of such a name is the buyer's own matter.
    let own = json!({"url": url, "headers": {"webhook-id": "x"}});
    exchange.put("buyers/other", json!({"delivery": own})).await;
    for (buyer, status, detail) in
        [("other", 409, "save it with `\"signing\": {}`"), ("nobody", 404, "buyer `nobody`")]
    {
        let refused = exchange.post(&format!("buyers/{buyer}/signing/rotate"), json!({})).await;
        assert_eq!(refused.status, status, "{refused:?}");
        assert!(refused.text("/detail").contains(detail), "{refused:?}");
    }
}

#[tokio::test]
async fn a_buyer_that_does_not_believe_the_signature_does_not_get_the_lead() {
    let signed_for = Some(Secret::from(SECRET.to_owned()));
    for dialect in [Dialect::Own, Dialect::Px] {
        let spec = MockSpec {
            signing_secret: signed_for.clone(),
            dialect,
            ..MockSpec::of(Character::Prompt)
        };
        let buyer = MockBuyer::open(spec, None, None).await.unwrap();
        let next = Buyer::accepting().await;
        let unsigned = json!({"url": buyer.lead_url()});
        let ways = [unsigned.clone(), json!({"url": next.url()})];
        let exchange = Exchange::with_bidders(Clock::system(), json!({}), &ways).await;
        let mut delivery = unsigned;
        if let Some((module, settings)) = dialect.adapter() {
            exchange.serve(module).await;
            delivery["adapter"] = json!({"module": module, "settings": settings});
        }
        for (signing, reason) in [
            (Value::Null, "the header `webhook-id` is missing"),
            (json!({"secret": OTHER}), "compare the secrets"),
        ] {
            delivery["signing"] = signing;
            exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
            let sold = exchange.sell("90210").await;
            let receipt = exchange.receipt(sold.text("/ping_id")).await;
            let told = receipt["deliveries"].to_string();
            assert!(told.contains(reason), "{dialect:?} {told}");
        }
        delivery["signing"] = json!({"secret": SECRET});
        exchange.put("buyers/alfa", json!({"delivery": delivery})).await;
        exchange.sell("90210").await;
        let tally = buyer.tally();
        assert_eq!((tally.unsigned, tally.bought.len(), next.received().len()), (2, 1, 2));
    }
}

#[tokio::test]
async fn the_operator_sees_who_is_signed_for_and_the_log_does_not_say_how() {
    let system = System::taking().await;
    let (data, place) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let log = place.path().join("log");
    let program = Program::start_logging(data.path(), &log, "trace").await;
    let door = program.door();
    door.serve("auto-insurance").await;
    door.put("verticals/auto-insurance", json!({"module": "auto-insurance"})).await;
    door.put("sources/web", json!({"key": SOURCE_KEY})).await;
    let delivery = json!({"url": system.url(), "signing": {"secret": SECRET}});
    door.with_buyer("acme", delivery, json!({"price": "12.00"})).await;
    let url = format!("http://{}", program.address());
    let buyer = async |arguments: &[&str]| {
        let mut asked = command();
        asked.env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).env("GAVEL_URL", &url).arg("buyer");
        let output = asked.args(arguments).output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, shown, _) = buyer(&["show", "acme"]).await;
    assert!(code == Some(0) && shown.contains("/in, signed\n"), "{shown}");
    let (code, told, _) = buyer(&["rotate", "acme"]).await;
    assert!(code == Some(0) && told.contains("signs as well until 20"), "{told}");
    let made = told.lines().find(|line| line.starts_with("whsec_")).unwrap().to_owned();
    let (_, shown, _) = buyer(&["show", "acme"]).await;
    assert!(shown.contains(", signed (with the secret before, too, until 20"), "{shown}");
    let (code, _, told) = buyer(&["rotate", "nobody"]).await;
    assert!(code == Some(2) && told.contains("there is no buyer `nobody`"), "{code:?} {told}");

    let lead = merged(auto_post(""), json!({"ping_id": null}));
    let sold = door.say("full", None, &lead).await.unwrap();
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    system.newest().is_signed_by(&[&made, SECRET]);
    for path in ["buyers", "buyers/acme", &format!("auctions/{}", sold.text("/ping_id"))] {
        assert!(!format!("{:?}", door.get(path).await).contains("whsec_"), "{path}");
    }
    assert!(!door.metrics().await.contains("whsec_"));
    assert!(program.terminate().await.success());
    for secret in [&made, SECRET] {
        lies_nowhere(secret, data.path(), "signing");
        lies_nowhere(secret, place.path(), "delivery secret changed");
    }
}

#[tokio::test]
async fn a_buyer_can_try_whether_its_end_point_believes_the_right_leads() {
    for (knows, expected, code) in [
        (Some(SECRET), "good good good good good", 0),
        (Some(OTHER), "weak good good good good", 0),
        (None, "good good bad bad bad", 1),
    ] {
        let signing_secret = knows.map(|secret| Secret::from(secret.to_owned()));
        let spec = MockSpec { signing_secret, ..MockSpec::of(Character::Prompt) };
        let buyer = MockBuyer::open(spec, None, None).await.unwrap();
        let (url, leads) = (buyer.bid_url(), buyer.lead_url());
        let arguments = ["buyer", "check", &url, "--leads", &leads, "--signing-secret", SECRET];
        let output = command().args(arguments).arg("--json").output().await.unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = told["findings"].as_array().unwrap();
        let about_leads = findings.iter().filter(|one| {
            let check = one["check"].as_str().unwrap();
            check.contains("lead")
        });
        let grades: Vec<&str> = about_leads.map(|one| one["grade"].as_str().unwrap()).collect();
        assert_eq!(grades.join(" "), expected, "{knows:?} {told:#}");
        assert!(!format!("{output:?}").contains("MfKQ"), "{output:?}");
    }
    let arguments = ["buyer", "check", "http://127.0.0.1:9/", "--leads", "http://127.0.0.1:9/"];
    let output = command().args(arguments).args(["--signing-secret", "word"]).output().await;
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("--signing-secret: a signing secret is `whsec_`"), "{told}");
}
