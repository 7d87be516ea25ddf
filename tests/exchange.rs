//! A whole exchange on a free port with its own data, mock buyers on loopback, and the verbs a test may use on them.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use gavel::clock::Clock;
use gavel::config::{CONNECTIONS_MAX, Config, REQUESTS_MAX, Raw, RawKeeping, RawMail};
use gavel::contacts::PersonKind;
use gavel::egress::Egress;
use gavel::mock::Authority;
use gavel::server::{self, Running};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const OPERATOR_KEY: &str = "an-operator-key-for-tests";
pub(crate) const SOURCE_KEY: &str = "a-source-key-for-tests";

/// Returns the bytes of a module: of a shipped one, or of one whose text stands in `hostile/`.
pub(crate) fn module(name: &str) -> Vec<u8> {
    if let Some(hostile) = crate::hostile::filter(name) {
        return hostile;
    }
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/rules");
    let folder = std::env::var_os("GAVEL_RULES").map_or(built, PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    std::fs::read(&file).unwrap_or_else(|_| panic!("no {}: run ./x build first", file.display()))
}

/// An answer to one request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

impl Reply {
    /// Returns a text in the body, by JSON pointer; empty if there is none.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

/// A running exchange.
pub(crate) struct Exchange {
    running: Running,
    pub(crate) data: Arc<TempDir>,
    client: reqwest::Client,
}

impl Exchange {
    /// Opens an exchange with nothing in it.
    pub(crate) async fn open() -> Self {
        Self::open_in(Arc::new(TempDir::new().unwrap())).await
    }

    /// Opens an exchange on data that another one left.
    pub(crate) async fn open_in(data: Arc<TempDir>) -> Self {
        Self::open_at(data, Clock::system()).await
    }

    /// Opens an exchange that lives by this clock.
    pub(crate) async fn open_at(data: Arc<TempDir>, clock: Clock) -> Self {
        // Some tests send more at once than anybody else.
        Self::open_for(data, clock, 4 * REQUESTS_MAX).await
    }

    /// Opens an exchange for auto insurance that has room for one request at a time.
    pub(crate) async fn crowded(data: Arc<TempDir>) -> Self {
        let exchange = Self::open_for(data, Clock::system(), 1).await;
        exchange.trade("auto-insurance", json!({})).await;
        exchange
    }

    /// Opens an exchange for auto insurance that trusts this authority.
    pub(crate) async fn open_trusting(authority: Option<&Authority>) -> Self {
        let egress = Egress::public().allow_loopback();
        let egress = match authority {
            Some(authority) => egress.trust(authority.pem().as_bytes()).unwrap(),
            None => egress,
        };
        Self::open_calling(egress).await
    }

    /// Opens an exchange for auto insurance that finds public addresses by this function.
    pub(crate) async fn open_with_directory(
        directory: impl Fn(&str) -> std::io::Result<Vec<IpAddr>> + Send + Sync + 'static,
    ) -> Self {
        Self::open_calling(Egress::public().directory(directory)).await
    }

    async fn open_calling(egress: Egress) -> Self {
        let data = Arc::new(TempDir::new().unwrap());
        let exchange = Self::open_as(data, |config| Config { egress, ..config }).await;
        exchange.trade("auto-insurance", json!({})).await;
        exchange
    }

    async fn open_for(data: Arc<TempDir>, clock: Clock, requests_max: usize) -> Self {
        Self::open_as(data, |config| Config { clock, requests_max, ..config }).await
    }

    /// Opens an exchange whose configuration differs from the usual.
    pub(crate) async fn open_as(data: Arc<TempDir>, change: impl FnOnce(Config) -> Config) -> Self {
        let raw = Raw {
            data: data.path().to_owned(),
            keeping: RawKeeping::default(),
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
        let config = change(Config::check(raw, "").unwrap());
        let running = server::start(config).await.unwrap();
        Self { running, data, client: client() }
    }

    /// Opens an exchange with both verticals, one source `web` and their modules active.
    pub(crate) async fn with_verticals() -> Self {
        let exchange = Self::open().await;
        for vertical in ["auto-insurance", "medicare-health"] {
            exchange.trade(vertical, json!({})).await;
        }
        exchange
    }

    /// Opens an exchange for auto insurance alone, on terms of its own: quicker than both.
    pub(crate) async fn with_auto(clock: Clock, terms: Value) -> Self {
        let exchange = Self::open_at(Arc::new(TempDir::new().unwrap()), clock).await;
        exchange.trade("auto-insurance", terms).await;
        exchange
    }

    pub(crate) async fn trade(&self, vertical: &str, terms: Value) {
        self.serve(vertical).await;
        let usual = json!({"module": vertical, "reserve": "2.00", "increment": "0.01"});
        self.put(&format!("verticals/{vertical}"), merged(usual, terms)).await;
        self.put("sources/web", json!({"key": SOURCE_KEY, "margin_percent": "10"})).await;
    }

    /// Uploads and activates a shipped module.
    pub(crate) async fn serve(&self, name: &str) {
        let uploaded = self.upload(name, module(name)).await;
        assert_eq!(uploaded.status, 201, "{uploaded:?}");
        let activated = self.operator(Method::POST, &format!("modules/{name}/activate"), "").await;
        assert_eq!(activated.status, 200, "{activated:?}");
    }

    pub(crate) async fn upload(&self, name: &str, wasm: Vec<u8>) -> Reply {
        self.operator(Method::POST, &format!("modules?name={name}"), wasm).await
    }

    /// Saves a buyer with an end point, 1,000.00 on its account, and one auto insurance campaign at this price.
    pub(crate) async fn with_buyer(&self, name: &str, url: &str, price: &str) {
        let delivery = json!({"url": url, "timeout_ms": 2_000});
        self.put(&format!("buyers/{name}"), json!({"delivery": delivery})).await;
        self.deposit(name, "1000.00").await;
        let campaign = json!({"buyer": name, "vertical": "auto-insurance", "price": price});
        self.put(&format!("campaigns/{name}-auto"), campaign).await;
    }

    /// Opens an exchange for auto insurance where alfa bids 12.00, bravo 9.00 and carol 5.00, as far as there are deliveries
    /// for them, with 100.00 on the account of each.
    pub(crate) async fn with_bidders(clock: Clock, terms: Value, deliveries: &[Value]) -> Self {
        let exchange = Self::with_auto(clock, terms).await;
        let bids = [("alfa", "12.00"), ("bravo", "9.00"), ("carol", "5.00")];
        for (delivery, (name, price)) in deliveries.iter().zip(bids) {
            exchange.put(&format!("buyers/{name}"), json!({"delivery": delivery})).await;
            exchange.deposit(name, "100.00").await;
            let campaign = json!({"buyer": name, "vertical": "auto-insurance", "price": price});
            exchange.put(&format!("campaigns/{name}"), campaign).await;
        }
        exchange
    }

    /// Compares accounts with `alfa 100.00 held 0.00`, and the ledger's sum with zero.
    pub(crate) async fn check_accounts(&self, expected: &[&str]) {
        for line in expected {
            let (name, _) = line.split_once(' ').unwrap();
            let buyer = self.get(&format!("buyers/{name}")).await;
            let account = format!("{name} {} held {}", buyer.text("/balance"), buyer.text("/held"));
            assert_eq!(&account, line);
        }
        assert_eq!(self.get("ledger").await.text("/total"), "0.00");
    }

    /// Returns every account that is not at zero, such as `buyer:acme:prepaid -988.00`, with the sum proved.
    pub(crate) async fn accounts(&self) -> Vec<String> {
        let ledger = self.get("ledger").await.body;
        assert_eq!(ledger["total"], "0.00", "{ledger}");
        let accounts = ledger["accounts"].as_object().unwrap().iter();
        let moved = accounts.filter(|(_, amount)| **amount != "0.00");
        moved.map(|(name, amount)| format!("{name} {}", amount.as_str().unwrap())).collect()
    }

    /// Offers a lead of this ZIP code, and sells it; returns the answer to its post.
    pub(crate) async fn sell(&self, zip: &str) -> Reply {
        let ping = merged(auto_ping(), json!({"zip": zip}));
        let ping = self.say("auto-insurance/ping", &ping).await;
        let post = merged(auto_post(ping.text("/ping_id")), json!({"zip": zip}));
        let post = self.say("auto-insurance/post", &post).await;
        assert_eq!(post.text("/status"), "sold", "{ping:?} {post:?}");
        post
    }

    pub(crate) async fn deposit(&self, buyer: &str, amount: &str) {
        let deposit = json!({"amount": amount, "reference": format!("{buyer}-{amount}")});
        let reply = self.post(&format!("buyers/{buyer}/deposits"), deposit).await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// Puts an object as the operator, and expects it to be taken.
    pub(crate) async fn put(&self, path: &str, body: Value) -> Reply {
        let reply = self.try_put(path, body).await;
        assert!(matches!(reply.status, 200 | 201), "{path}: {reply:?}");
        reply
    }

    pub(crate) async fn try_put(&self, path: &str, body: Value) -> Reply {
        self.operator(Method::PUT, path, body.to_string()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Reply {
        self.operator(Method::POST, path, body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.operator(Method::GET, path, "").await
    }

    /// Erases a lead's contact data.
    pub(crate) async fn erase(&self, lead: &str) -> Reply {
        self.operator(Method::DELETE, &format!("leads/{lead}/contact"), "").await
    }

    pub(crate) async fn receipt(&self, ping_id: &str) -> Value {
        self.get(&format!("auctions/{ping_id}")).await.body
    }

    async fn operator(&self, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Reply {
        let request = self.client.request(method, self.url(&format!("/v1/{path}")));
        reply(request.bearer_auth(OPERATOR_KEY).body(body)).await
    }

    /// Sends JSON as the source `web`, such as `say("auto-insurance/ping", ..)`.
    pub(crate) async fn say(&self, path: &str, body: &Value) -> Reply {
        reply(self.request(path, "application/json", body.to_string())).await
    }

    /// Begins a request as the source `web`.
    pub(crate) fn request(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<reqwest::Body>,
    ) -> reqwest::RequestBuilder {
        let request = self.client.post(self.url(&format!("/v1/{path}"))).body(body);
        request.bearer_auth(SOURCE_KEY).header("content-type", content_type)
    }

    /// Returns how many accepted pings wait for their post or its end.
    pub(crate) fn open_pings(&self) -> usize {
        self.running.exchange().open_pings()
    }

    /// Returns the digest by which the body of an operator's call is known.
    pub(crate) fn call_print(&self, body: &str) -> [u8; 32] {
        self.running.exchange().call_print(body.as_bytes())
    }

    /// Returns the print by which the person with this telephone number is found.
    pub(crate) fn phone_print(&self, phone: &str) -> [u8; 32] {
        self.running.exchange().person_print(PersonKind::Phone, phone)
    }

    /// Has no money move until the exchange is opened again.
    pub(crate) fn stop_money(&self, why: &str) {
        self.running.exchange().stop_money(why);
    }

    /// Where it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.running.addr()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.running.addr())
    }

    /// Stops the exchange and returns its data.
    pub(crate) async fn close(self) -> Arc<TempDir> {
        self.running.stop().await;
        self.data
    }
}

/// Sends a request and reads its answer.
pub(crate) async fn reply(request: reqwest::RequestBuilder) -> Reply {
    let response = request.send().await.unwrap();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
    let content_type = response.headers().get("content-type");
    let content_type = content_type.map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Reply { status, content_type, retry_after, body }
}

/// An HTTP client for loopback.
pub(crate) fn client() -> reqwest::Client {
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

/// What a mock buyer says to the n-th post, from 0. A 503 asks to come back in a second.
type Script = Arc<dyn Fn(usize) -> (u16, Value, Duration) + Send + Sync>;

/// A buyer's end point on loopback.
#[derive(Clone)]
pub(crate) struct Buyer {
    addr: SocketAddr,
    script: Script,
    received: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Buyer {
    /// One that takes every lead.
    pub(crate) async fn accepting() -> Self {
        Self::answering(json!({"status": "accepted", "id": "b-1"})).await
    }

    /// One that refuses every lead.
    pub(crate) async fn rejecting() -> Self {
        Self::answering(json!({"status": "rejected", "reason": "not for us"})).await
    }

    /// One that always says this.
    pub(crate) async fn answering(body: Value) -> Self {
        Self::scripted(move |_| (200, body.clone(), Duration::ZERO)).await
    }

    /// One that says to the n-th post what the script says, after a pause.
    pub(crate) async fn scripted(
        script: impl Fn(usize) -> (u16, Value, Duration) + Send + Sync + 'static,
    ) -> Self {
        Self::listening(SocketAddr::from(([127, 0, 0, 1], 0)), script).await
    }

    /// A scripted one at an address of its own.
    pub(crate) async fn listening(
        addr: SocketAddr,
        script: impl Fn(usize) -> (u16, Value, Duration) + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let buyer = Self { addr, script: Arc::new(script), received: Arc::default() };
        let routes = Router::new().route("/leads", post(receive)).with_state(buyer.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        buyer
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/leads", self.addr)
    }

    /// Returns the posts it got so far, with their idempotency keys.
    pub(crate) fn received(&self) -> Vec<(String, Value)> {
        self.received.lock().unwrap().clone()
    }
}

async fn receive(
    State(buyer): State<Buyer>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let key = headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap()).to_owned();
    let turn = {
        let mut received = buyer.received.lock().unwrap();
        received.push((key, serde_json::from_str(&body).unwrap()));
        received.len() - 1
    };
    let (status, body, pause) = (buyer.script)(turn);
    tokio::time::sleep(pause).await;
    let header = if status == 503 { ("retry-after", "1") } else { ("server", "mock") };
    (StatusCode::from_u16(status).unwrap(), [header], body.to_string())
}

/// Returns an object with the members of another put over its own.
pub(crate) fn merged(mut base: Value, over: Value) -> Value {
    let Value::Object(over) = over else { panic!("{over} is no object") };
    for (name, value) in over {
        base[name] = value;
    }
    base
}

/// A ping for auto insurance that is complete, from a source that a busy machine does not make impatient.
pub(crate) fn auto_ping() -> Value {
    json!({
        "deadline_ms": 10_000,
        "zip": "90210", "state": "CA", "date_of_birth": "1985-04-12", "gender": "F",
        "currently_insured": true, "credit_rating": "good", "home_ownership": "own",
        "vehicles": [{"year": 2019, "make": "Toyota", "model": "Camry"}],
    })
}

/// The full lead for [`auto_ping`].
pub(crate) fn auto_post(ping_id: &str) -> Value {
    let contact = json!({
        "ping_id": ping_id, "first_name": "Dana", "last_name": "Sample", "email": "dana@example.com",
        "phone": "2025550107", "address": "1 Example St", "city": "Beverly Hills",
    });
    merged(auto_ping(), contact)
}

/// Returns every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}

/// Waits until something holds; a test that waits longer than ten seconds has failed.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    for _ in 0..1_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("waited in vain: {what}");
}
