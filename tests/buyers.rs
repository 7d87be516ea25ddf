//! Buyers over the network: asked at once, answered in time, and none of them can hurt the others.
//!
//! What they do at their worst is tried by `faults`.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use gavel::bidding::HANDLE_BYTES_MAX;
use gavel::book::REJECTS_MIN;
use gavel::clock::Clock;
use gavel::mock::{Authority, Character, MockBuyer, MockSpec};
use gavel::sandbox::Compiler;
use serde_json::{Value, json};

use crate::crash::program::command;
use crate::exchange::{Exchange, OPERATOR_KEY, auto_ping, auto_post, merged, until};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";
/// What an answer may take beyond its deadline, in the common oracle of the fault tests.
pub(crate) const GRACE: Duration = Duration::from_millis(25);
/// Machines that run tests are busy: of a hundred answers so many have to be in time.
pub(crate) const IN_TIME_PERCENT: usize = 95;

/// An exchange with remote buyers.
pub(crate) struct Market {
    pub(crate) exchange: Exchange,
    pub(crate) buyers: Vec<MockBuyer>,
}

impl Market {
    /// Opens an exchange with a buyer of each character, each with one campaign `NAME` that names no price.
    pub(crate) async fn of(characters: &[Character]) -> Self {
        let exchange = Exchange::with_auto(Clock::system(), json!({})).await;
        let mut market = Self { exchange, buyers: Vec::new() };
        for character in characters {
            market.add(character.name(), MockSpec::of(*character), json!({})).await;
        }
        market
    }

    pub(crate) async fn add(&mut self, name: &str, spec: MockSpec, over: Value) {
        let buyer = MockBuyer::open(spec, None, None).await.unwrap();
        self.contract(name, &buyer, over).await;
        self.exchange.deposit(name, "100000.00").await;
        let campaign = json!({"buyer": name, "vertical": "auto-insurance"});
        self.exchange.put(&format!("campaigns/{name}"), campaign).await;
        self.buyers.push(buyer);
    }

    async fn contract(&self, name: &str, buyer: &MockBuyer, over: Value) {
        let bidding = merged(json!({"url": buyer.bid_url(), "timeout_ms": 1_200}), over);
        let delivery = json!({"url": buyer.lead_url(), "timeout_ms": 2_000});
        let spec = json!({"delivery": delivery, "bidding": bidding});
        self.exchange.put(&format!("buyers/{name}"), spec).await;
    }

    /// Sends a ping whose source waits so long; returns its answer and how long it took.
    pub(crate) async fn ping(&self, deadline_ms: u64) -> (Value, Duration) {
        let began = Instant::now();
        let answer = self
            .exchange
            .say(PING, &merged(auto_ping(), json!({"deadline_ms": deadline_ms})))
            .await;
        let took = began.elapsed();
        assert_eq!(answer.status, 200, "{answer:?}");
        (answer.body, took)
    }

    /// Pings until an accepted or rejected auction is recorded, and returns its receipt.
    pub(crate) async fn auction(&self, deadline_ms: u64) -> Value {
        let (_, _) = self.ping(deadline_ms).await;
        let newest = self.exchange.get("auctions?limit=1").await;
        let ping = newest.text("/auctions/0/auction").to_owned();
        self.exchange.receipt(&ping).await
    }

    /// Says of each campaign what became of asking for it, such as `late: bid-late`.
    pub(crate) async fn told(&self, deadline_ms: u64) -> Vec<String> {
        let receipt = self.auction(deadline_ms).await;
        let asked = receipt["asked"].as_array().unwrap().iter().map(|asked| {
            let name = asked["campaign"].as_str().unwrap();
            let left = receipt["left_out"].as_array().unwrap();
            let left = left.iter().find(|left| left["campaign"] == name);
            let code = left.map_or("won", |left| left["code"].as_str().unwrap());
            let detail = left.and_then(|left| left["detail"].as_str()).unwrap_or_default();
            let flaw = detail.split(':').next().filter(|_| code == "bid-invalid");
            let outcome = asked["outcome"].as_str().unwrap();
            let told = format!("{name} {outcome} {code} {}", flaw.unwrap_or_default());
            told.trim_end().to_owned()
        });
        asked.collect()
    }

    pub(crate) async fn end_point(&self, name: &str) -> Value {
        self.exchange.get(&format!("buyers/{name}")).await.body["end_point"].clone()
    }
}

#[tokio::test]
async fn a_remote_bid_wins_and_its_handle_comes_back_with_the_lead() {
    let market = Market::of(&[Character::Prompt, Character::NoBid]).await;
    market.exchange.with_buyer("static", &market.buyers[0].lead_url(), "3.00").await;
    let (answer, _) = market.ping(10_000).await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    let ping = answer["ping_id"].as_str().unwrap().to_owned();
    let receipt = market.exchange.receipt(&ping).await;
    assert_eq!(receipt["winners"][0]["campaign"], "prompt", "{receipt}");
    assert_eq!(receipt["winners"][0]["price"], "3.01", "{receipt}");
    let asked = &receipt["asked"];
    assert_eq!((&asked[0]["outcome"], &asked[1]["outcome"]), (&json!("no-bid"), &json!("bid")));
    assert_eq!(asked[1]["handle"], format!("h-{ping}"));
    let tally = market.buyers[0].tally();
    assert_eq!(tally.headers["idempotency-key"], ping);
    assert_eq!(tally.headers["accept-encoding"], "identity");
    let sold = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!(sold.text("/status"), "sold", "{sold:?}");
    assert_eq!(market.buyers[0].tally().post["handle"], format!("h-{ping}"));
    let data = market.exchange.close().await;
    let replayed = gavel::exchange::replay(data.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert_eq!((replayed.auctions, &replayed.differences[..]), (1, &[][..]));
}

#[tokio::test]
async fn every_outcome_has_a_name_and_a_sentence() {
    let characters = [
        Character::Prompt,
        Character::NoBid,
        Character::Failing,
        Character::Hanging,
        Character::WrongPing,
        Character::GzipBomb,
        Character::Oversize,
        Character::BigHeaders,
        Character::Reset,
        Character::Redirecting,
        Character::Slowloris,
        Character::Late,
    ];
    let mut market = Market::of(&characters).await;
    let limited = json!({"bid_max": "100.00"});
    market.add("too-high", MockSpec::of(Character::TooHigh), limited).await;
    let gone = MockBuyer::open(MockSpec::of(Character::Prompt), None, None).await.unwrap();
    market.contract("gone", &gone, json!({})).await;
    market.exchange.deposit("gone", "1.00").await;
    let campaign = json!({"buyer": "gone", "vertical": "auto-insurance"});
    market.exchange.put("campaigns/gone", campaign).await;
    drop(gone);
    let told = market.told(1_500).await;
    let expected = [
        "5xx refused bid-refused",
        "big-headers invalid bid-invalid broken",
        "gone unreachable bid-unreachable",
        "gzip-bomb invalid bid-invalid compressed",
        "hanging late bid-late",
        "late late bid-late",
        "no-bid no-bid no-bid",
        "oversize invalid bid-invalid too-long",
        "prompt bid won",
        "redirecting refused bid-refused",
        "reset invalid bid-invalid broken",
        "slowloris late bid-late",
        "too-high invalid bid-invalid above-max",
        "wrong-ping invalid bid-invalid other-ping",
    ];
    assert_eq!(told, expected);
    let data = market.exchange.close().await;
    let replayed = gavel::exchange::replay(data.path(), Compiler::InProcess, |_| ()).await.unwrap();
    assert_eq!(replayed.differences, []);
}

#[tokio::test]
async fn a_buyer_that_had_no_time_is_not_blamed() {
    let market = Market::of(&[Character::Slow]).await;
    for _ in 0..20 {
        market.ping(90).await;
    }
    assert_eq!(market.end_point("slow").await["breaker"], "closed");
    let (answer, _) = market.ping(10_000).await;
    assert_eq!(answer["status"], "accepted", "{answer}");
}

#[tokio::test]
async fn limits_of_a_contract_hold() {
    let mut market = Market::of(&[]).await;
    let spec = MockSpec::of(Character::Prompt);
    market.add("seldom", spec, json!({"calls_per_second": 3})).await;
    let mut asked = 0;
    for _ in 0..20 {
        asked += usize::from(market.told(5_000).await[0].starts_with("seldom bid"));
    }
    assert!((3..20).contains(&asked), "{asked}");
    let spec = MockSpec::of(Character::Slow);
    let market = {
        market.add("narrow", spec, json!({"concurrency": 1, "timeout_ms": 2_000})).await;
        Arc::new(market)
    };
    let both = [0, 1, 2].map(|_| {
        let market = Arc::clone(&market);
        tokio::spawn(async move { market.ping(5_000).await })
    });
    for one in both {
        one.await.unwrap();
    }
    assert!(market.end_point("narrow").await["outcomes"]["skipped"].as_u64().unwrap() >= 1);
}

#[tokio::test]
async fn one_buyer_is_asked_once_for_all_its_campaigns() {
    let market = Market::of(&[Character::Prompt]).await;
    let second = json!({"buyer": "prompt", "vertical": "auto-insurance"});
    market.exchange.put("campaigns/second", second).await;
    let told = market.told(5_000).await;
    assert_eq!(told, ["prompt bid won", "second no-bid no-bid"]);
    assert_eq!(market.buyers[0].tally().pings, 1);
}

#[tokio::test]
async fn a_duplicate_is_nobody_s_question() {
    let exchange =
        Exchange::with_auto(Clock::system(), json!({"duplicate_window_seconds": 60})).await;
    let mut market = Market { exchange, buyers: Vec::new() };
    market.add("prompt", MockSpec::of(Character::Prompt), json!({})).await;
    let (first, _) = market.ping(5_000).await;
    let (second, _) = market.ping(5_000).await;
    assert_eq!((&first["status"], &second["status"]), (&json!("accepted"), &json!("duplicate")));
    assert_eq!(market.buyers[0].tally().pings, 1);
}

#[tokio::test]
async fn a_bidder_that_refuses_the_lead_gives_way_to_the_next() {
    let market = Market::of(&[Character::Rejecting]).await;
    market.exchange.with_buyer("next", &market.buyers[0].lead_url(), "3.00").await;
    let other = MockBuyer::open(MockSpec::of(Character::Prompt), None, None).await.unwrap();
    let delivery = json!({"url": other.lead_url()});
    market.exchange.put("buyers/next", json!({"delivery": delivery})).await;
    let (answer, _) = market.ping(5_000).await;
    let ping = answer["ping_id"].as_str().unwrap().to_owned();
    let sold = market.exchange.say(POST, &auto_post(&ping)).await;
    assert_eq!((sold.text("/status"), sold.text("/price")), ("sold", "1.80"), "{sold:?}");
    assert_eq!((market.buyers[0].tally().rejected, other.tally().bought.len()), (1, 1));
}

#[tokio::test]
async fn a_buyer_of_a_private_authority_is_asked_over_tls_where_that_is_trusted() {
    let authority = Authority::new().unwrap();
    let spec = MockSpec { tls: true, ..MockSpec::of(Character::Prompt) };
    let buyer = MockBuyer::open(spec, Some(&authority), None).await.unwrap();
    for (trusted, expected) in
        [(true, "private bid won"), (false, "private unreachable bid-unreachable")]
    {
        let exchange = Exchange::open_trusting(trusted.then_some(&authority)).await;
        let market = Market { exchange, buyers: Vec::new() };
        market.contract("private", &buyer, json!({"timeout_ms": 3_000})).await;
        market.exchange.deposit("private", "1000.00").await;
        let campaign = json!({"buyer": "private", "vertical": "auto-insurance"});
        market.exchange.put("campaigns/private", campaign).await;
        assert_eq!(market.told(5_000).await, [expected]);
    }
}

#[tokio::test]
async fn a_source_in_a_hurry_has_nobody_shut_off_that_keeps_its_contract() {
    let market = Market::of(&[Character::Slow]).await;
    for _ in 0..8 {
        assert_eq!(market.told(150).await, ["slow late bid-late"]);
    }
    until("all calls have ended", async || market.end_point("slow").await["in_flight"] == 0).await;
    assert_eq!(market.end_point("slow").await["breaker"], "closed");
    assert_eq!(market.told(5_000).await, ["slow bid won"]);
}

#[tokio::test]
async fn a_source_that_hangs_up_leaves_nothing_behind() {
    let market = Market::of(&[Character::Slow]).await;
    let body = merged(auto_ping(), json!({"deadline_ms": 5_000})).to_string();
    let asking = market.exchange.request(PING, "application/json", body);
    let asking = tokio::spawn(asking.send());
    until("the buyer is asked", async || market.buyers[0].tally().pings == 1).await;
    asking.abort();
    until("the call has ended", async || {
        let shown = market.end_point("slow").await;
        shown["in_flight"] == 0 && market.buyers[0].tally().bids == 1
    })
    .await;
    // Either the auction was given up whole, or it was held whole and its price waits for the post.
    let held = if market.exchange.open_pings() == 0 { "0.00" } else { "2.00" };
    assert_eq!(market.exchange.get("buyers/slow").await.text("/held"), held);
}

/// Returns how much memory this process has.
pub(crate) fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}

/// Runs `gavel buyer check` against a mock buyer; returns its exit code and each finding as `grade check`.
async fn checked(character: Character) -> (Option<i32>, Vec<String>) {
    let buyer = MockBuyer::open(MockSpec::of(character), None, None).await.unwrap();
    let (url, leads) = (buyer.bid_url(), buyer.lead_url());
    let status = buyer.status_url();
    let page = ["--status", &status, "--not-found", "404", "--json"];
    let arguments = ["buyer", "check", &url, "--leads", &leads].into_iter().chain(page);
    let output = command().args(arguments).output().await.unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let findings = told["findings"].as_array().cloned().unwrap_or_default();
    let findings = findings.iter().map(|finding| {
        let text = |name: &str| finding[name].as_str().unwrap().to_owned();
        let explained = !text("why").is_empty() && !text("mend").is_empty();
        assert_eq!(explained, text("grade") != "good", "{finding}");
        format!("{} {}", text("grade"), text("check"))
    });
    (output.status.code(), findings.collect())
}

#[tokio::test]
async fn a_buyer_can_try_its_own_end_point() {
    let (code, findings) = checked(Character::Prompt).await;
    assert_eq!(code, Some(0), "{findings:?}");
    assert!(findings.iter().all(|finding| !finding.starts_with("bad")), "{findings:?}");
    for good in
        ["the same lead twice", "status of the test lead", "status of a lead that you never got"]
    {
        assert!(findings.contains(&format!("good {good}")), "{findings:?}");
    }
    for (character, bad) in [
        (Character::Failing, "bad answer"),
        (Character::WrongPing, "bad answer"),
        (Character::Garbage, "bad answer"),
        (Character::GzipBomb, "bad answer"),
        (Character::Redirecting, "bad answer"),
        (Character::BigHeaders, "bad answer"),
    ] {
        let (code, findings) = checked(character).await;
        assert_eq!(code, Some(1), "{findings:?}");
        assert!(findings.contains(&bad.to_owned()), "{} {findings:?}", character.name());
    }
    let gone = MockBuyer::open(MockSpec::of(Character::Prompt), None, None).await.unwrap();
    let url = gone.bid_url();
    drop(gone);
    let output = command().args(["buyer", "check", &url]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be reached"), "{output:?}");
}

/// One request to an end point of a test's own.
struct Asked<'a> {
    /// How many came before it.
    number: usize,
    path: &'a str,
    headers: &'a HeaderMap,
    body: &'a str,
}

type Answer = (StatusCode, [(&'static str, &'static str); 1], String);

fn answered(status: u16, body: impl Into<String>) -> Answer {
    let json = [("content-type", "application/json")];
    (StatusCode::from_u16(status).unwrap(), json, body.into())
}

fn bid() -> Answer {
    answered(200, json!({"status": "bid", "bid": "12.50"}).to_string())
}

/// Bids on pings and turns everything else away.
fn sensible(asked: &Asked<'_>) -> Answer {
    let ping = serde_json::from_str::<Value>(asked.body).unwrap_or_default();
    if ping["lead"].is_object() { bid() } else { answered(400, "{}") }
}

/// Opens an end point and runs `gavel buyer check` on its `/bids`, with `{url}` in these arguments for its address. Returns
/// the exit code and what was printed.
async fn tried(
    arguments: &[&str],
    answer: impl Fn(Asked<'_>) -> Answer + Send + Sync + 'static,
) -> (Option<i32>, String) {
    let (answer, came) = (Arc::new(answer), Arc::new(AtomicUsize::new(0)));
    let routes = Router::new().fallback(async move |uri: Uri, headers: HeaderMap, body: String| {
        let number = came.fetch_add(1, Ordering::Relaxed);
        answer(Asked { number, path: uri.path(), headers: &headers, body: &body })
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    let mut check = command();
    // Here it is not measured how fast a busy machine answers.
    check.args(["buyer", "check", &format!("{url}/bids"), "--timeout-ms", "4000"]);
    check.args(arguments.iter().map(|argument| argument.replace("{url}", &url)));
    let output = check.output().await.unwrap();
    serving.abort();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[tokio::test]
async fn every_answer_to_a_try_is_judged_as_the_first_is() {
    let check = async |flawed: Range<usize>, flaw: fn() -> Answer, told_of: &[&str]| {
        let (code, told) =
            tried(
                &[],
                move |asked| {
                    if flawed.contains(&asked.number) { flaw() } else { sensible(&asked) }
                },
            )
            .await;
        for part in told_of {
            assert!(told.contains(part), "{part}: {told}");
        }
        assert_eq!(code, Some(i32::from(told.contains("BAD  "))), "{told}");
        told
    };
    let html = || answered(200, "<html>hello</html>");
    let busy = || answered(429, "{}");
    let gzip = || (StatusCode::OK, [("content-encoding", "gzip")], "{}".to_owned());
    check(0..0, html, &["ok    time: 20 pings", "ok    at once: 10", "0 bad: an exchange can use"])
        .await;
    // The first, 20 in a row, 10 at once and 2 that are the same.
    check(
        1..99,
        html,
        &[
            "ok    answer: a bid of 12.50 USD",
            "BAD   time: no good answer to 20 of 20 pings; the first flaw: not-json: ",
            "BAD   at once: no good answer to 10 of 10 pings",
            "BAD   the same ping twice: no good answer to 2 of 2 pings",
        ],
    )
    .await;
    check(
        6..99,
        busy,
        &["BAD   time: no good answer to 15 of 20 pings; the first flaw: status 429"],
    )
    .await;
    check(
        24..31,
        busy,
        &[
            "ok    time: 20 pings",
            "BAD   at once: no good answer to 7 of 10 pings; the first flaw: status 429",
            "`concurrency`",
        ],
    )
    .await;
    let twice = "BAD   the same ping twice: no good answer to 2 of 2 pings; the first flaw: the answer is compressed (gzip)";
    check(31..33, gzip, &["ok    at once: 10", twice]).await;
    // What is always so is told once.
    let told = check(0..99, html, &["; no good answer to any of the pings after it either"]).await;
    assert_eq!(told.matches("BAD  ").count(), 1, "{told}");
}

#[tokio::test]
async fn a_bid_that_the_exchange_would_not_take_is_not_called_good() {
    let handle = |length: usize| json!({"handle": "h".repeat(length)});
    for (members, expected) in [
        (handle(HANDLE_BYTES_MAX), "ok    answer: a bid of 12.50 USD"),
        (handle(HANDLE_BYTES_MAX + 1), "BAD   answer: bad-handle: "),
        (json!({"handle": "a\nb"}), "BAD   answer: bad-handle: "),
        (json!({"campaign": "testcampaign"}), "ok    answer: a bid of 12.50 USD"),
        (
            json!({"campaign": "acme-1"}),
            "BAD   answer: other-campaign: it bids for `acme-1`, which it was not asked for",
        ),
        (json!({"bid": "0"}), "BAD   answer: not-positive: it bids 0.00"),
    ] {
        let said = merged(json!({"status": "bid", "bid": "12.50"}), members);
        let (code, told) = tried(&[], move |asked| match sensible(&asked) {
            (StatusCode::OK, ..) => answered(200, said.to_string()),
            refused => refused,
        })
        .await;
        assert!(told.contains(expected), "{expected}: {told}");
        assert_eq!(code, Some(i32::from(expected.starts_with("BAD"))), "{told}");
    }
}

#[tokio::test]
async fn whoever_bids_on_nonsense_is_found_whatever_ping_it_names() {
    let (code, told) = tried(&[], |asked| {
        let ping = serde_json::from_str::<Value>(asked.body).unwrap_or_default();
        let ping = ping["ping_id"].as_str().filter(|ping| ping.len() < 99).unwrap_or("none");
        answered(200, json!({"status": "bid", "bid": "12.50", "ping_id": ping}).to_string())
    })
    .await;
    assert_eq!(code, Some(1), "{told}");
    assert_eq!(told.matches("BAD   wrong input: ").count(), 4, "{told}");
    assert!(told.contains("BAD   wrong input: a list is answered with 200 and a bid"), "{told}");
}

#[tokio::test]
async fn an_end_point_that_refuses_every_lead_is_not_called_good() {
    let reason = "test leads are not taken by this campaign: mail us at the address on our page";
    let rejected = json!({"status": "rejected", "reason": reason});
    for (status, body, expected) in [
        (404, "not found".to_owned(), "BAD   a test lead: refused at the door: answered 404"),
        (401, "{}".to_owned(), "BAD   a test lead: refused at the door: answered 401"),
        (
            200,
            "{}".to_owned(),
            "BAD   a test lead: the answer does not say what became of the lead",
        ),
        (
            200,
            rejected.to_string(),
            "ok    a test lead: rejected: test leads are not taken by this campaign: mail us at the address on our page",
        ),
    ] {
        let (code, told) = tried(&["--leads", "{url}/leads"], move |asked| match asked.path {
            "/leads" => answered(status, &body),
            _ => sensible(&asked),
        })
        .await;
        assert!(told.contains(expected), "{expected}: {told}");
        let bad = expected.starts_with("BAD");
        assert_eq!(code, Some(i32::from(bad)), "{told}");
        assert_eq!(told.contains("ok    the same lead twice"), !bad, "{told}");
    }
}

#[tokio::test]
async fn an_end_point_that_asks_for_a_header_gets_it_with_everything() {
    let locked = |asked: Asked<'_>| {
        if asked.headers.get("x-key").is_none_or(|key| key != "s3cret: yes") {
            return answered(401, "{}");
        }
        match asked.path {
            "/bids" => sensible(&asked),
            "/leads" => answered(200, r#"{"status":"accepted","id":"A-1"}"#),
            path if path.ends_with("-9") => answered(200, r#"{"status":"not_found"}"#),
            _ => answered(200, r#"{"status":"accepted"}"#),
        }
    };
    let leads = ["--leads", "{url}/leads", "--status", "{url}/leads/{lead_id}"];
    let with = |header: &'static str| [&leads[..], &["--header", header]].concat();
    let (code, told) = tried(&with("X-Key: s3cret: yes"), locked).await;
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("status of the test lead: sold, as its post was answered"), "{told}");
    let (code, told) = tried(&leads, locked).await;
    assert_eq!(code, Some(1), "{told}");
    for part in ["BAD   answer: status 401", "with --header", "refused at the door: answered 401"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for (header, complaint) in [
        ("s3cret", "--header: write it as `name: value`"),
        ("host: s3cret", "--header host: the exchange sets this header itself"),
        ("x-key:", "--header x-key: a header's value is 1 to "),
    ] {
        let (code, told) = tried(&with(header), locked).await;
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(complaint) && !told.contains("s3cret"), "{told}");
    }
}

#[tokio::test]
async fn one_that_is_slow_alone_is_not_told_to_answer_in_parallel() {
    let buyer = MockBuyer::open(MockSpec::of(Character::Slow), None, None).await.unwrap();
    let arguments = ["buyer", "check", &buyer.bid_url(), "--timeout-ms", "150", "--json"];
    let output = command().args(arguments).output().await.unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = |check: &str| {
        let mut findings = told["findings"].as_array().unwrap().iter();
        findings.find(|finding| finding["check"] == check).unwrap().clone()
    };
    assert_eq!(finding("time")["grade"], "bad", "{told:#}");
    let at_once = finding("at once");
    assert!(at_once["mend"].as_str().unwrap().starts_with("answer each faster"), "{at_once:#}");
}

#[tokio::test]
async fn a_mock_market_is_opened_from_a_file() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("market.json");
    let buyers =
        json!({"buyers": [{"character": "slow", "seed": 1}, {"character": "5xx", "tls": true}]});
    std::fs::write(&file, buyers.to_string()).unwrap();
    let run = async |arguments: &[&str]| {
        let mut command = command();
        command.arg("mock-buyer").args(arguments).args(["--seconds", "0", "--json"]);
        let output = command.output().await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, _) = run(&["--market", file.to_str().unwrap()]).await;
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (Some(0), 2), "{out}");
    assert_eq!((&lines[0]["character"], &lines[1]["character"]), (&json!("slow"), &json!("5xx")));
    std::fs::write(&file, "{}").unwrap();
    let (code, _, error) = run(&["--market", file.to_str().unwrap()]).await;
    assert_eq!(code, Some(2), "{error}");
    assert!(error.contains("is no market: write"), "{error}");
}

#[tokio::test]
async fn how_a_buyer_stands_is_shown_with_how_often_it_refuses() {
    let mut market = Market::of(&[]).await;
    let spec = MockSpec::of(Character::Rejecting);
    market.add("rejecting", spec, json!({"calls_per_second": 1_000, "concurrency": 7})).await;
    let shown = async || market.exchange.get("buyers/rejecting").await.body;
    assert_eq!(shown().await["rejects"], json!({"posts": 0, "refused": 0, "rate_percent": null}));
    for posts in 1..=REJECTS_MIN {
        let (ping, _) = market.ping(10_000).await;
        let ping = ping["ping_id"].as_str().unwrap().to_owned();
        let post = market.exchange.say(POST, &auto_post(&ping)).await;
        assert_eq!(post.text("/status"), "unsold", "{post:?}");
        let rate = if posts < REJECTS_MIN { json!(null) } else { json!("100") };
        let expected = json!({"posts": posts, "refused": posts, "rate_percent": rate});
        assert_eq!(shown().await["rejects"], expected);
    }
    let end_point = market.end_point("rejecting").await;
    assert_eq!((&end_point["breaker"], &end_point["in_flight"]), (&json!("closed"), &json!(0)));
    assert_eq!(end_point["concurrency"]["most"], 7);
    assert_eq!(end_point["quota"]["per_second"], 1_000);
    assert!(end_point["quota"]["left"].as_u64().unwrap() <= 1_000, "{end_point}");
    let run = async |arguments: &[&str]| {
        let mut command = command();
        command.arg("buyer").args(arguments).args(["--url", &market.exchange.url("")]);
        let output = command.env("GAVEL_OPERATOR_KEY", OPERATOR_KEY).output().await.unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, told) = run(&["show", "rejecting"]).await;
    assert_eq!(code, Some(0), "{told}");
    for part in ["20 of its last 20 posts, 100 %", "in use", "outcomes bid 20", "7 by its contract"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let (code, told) = run(&["list"]).await;
    assert!(code == Some(0) && told.contains("rejecting: balance 100000.00"), "{told}");
    assert_eq!(run(&["show", "nobody"]).await.0, Some(2));
}
