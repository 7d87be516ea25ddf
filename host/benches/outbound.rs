//! How many questions to buyers does one core ask in a second, and how well are deadlines kept when nobody answers?
//!
//! `./x bench --bench outbound`. The buyers are loopback servers in a process of their own; the asking side runs on one
//! thread, and a rate per core is calls by the time that all its threads were on the CPU, the kernel's work for them
//! included. The peer is a bare hyper client that makes the same calls: no judged addresses, no limits, no breaker, no
//! deadline. Both ask as many buyers at once as the case says, and wait for all of them.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "rates are not money")]

#[path = "support/timing.rs"]
mod timing;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use cpu_time::ProcessTime;
use gavel::bidding::{Invited, Offered, Outcome, Saleroom};
use gavel::catalog::{Bidding, Headers};
use gavel::egress::{Egress, Line, Version};
use gavel::ids::{BuyerId, CampaignId};
use gavel::mock::{Authority, Character, MockBuyer, MockSpec};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use timing::{Seconds, Spread, Thousands};

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(700);
const FAN_OUTS: [usize; 2] = [10, 50];
/// The word by which this program knows that it is to be the buyers.
const WORD: &str = "buyers";
const PING: &str = "pg_01m80dtmxb0cxhc6kwpf168jec";
/// About what a ping says of a lead.
const LEAD: &str = r#"{"state":"CA","zip":"90210","age":41,"gender":"female","currently_insured":true,"credit_band":"good","home_owner":true,"vehicle_count":1,"vehicle_year":2019,"vehicle_make":"Toyota","vehicle_model":"Camry","sr22":false,"dui":false,"accidents":0,"violations":1,"annual_mileage":12000,"current_carrier":"Acme Mutual","continuous_coverage":36,"marital_status":"married"}"#;

/// How the buyers are spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Plain1,
    Plain2,
    Tls1,
    Tls2,
}

impl Way {
    const ALL: [Self; 4] = [Self::Plain1, Self::Plain2, Self::Tls1, Self::Tls2];

    fn name(self) -> &'static str {
        match self {
            Self::Plain1 => "plain HTTP/1.1",
            Self::Plain2 => "plain HTTP/2",
            Self::Tls1 => "TLS, HTTP/1.1",
            Self::Tls2 => "TLS, HTTP/2",
        }
    }

    fn tls(self) -> bool {
        matches!(self, Self::Tls1 | Self::Tls2)
    }

    fn http2(self) -> bool {
        matches!(self, Self::Plain2 | Self::Tls2)
    }
}

fn main() {
    if is_buyers() {
        return;
    }
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for way in Way::ALL {
            let buyers = Buyers::start("prompt", way.tls(), *FAN_OUTS.iter().max().unwrap());
            for fan_out in FAN_OUTS {
                rates(way, fan_out, &buyers).await;
            }
        }
        deadlines().await;
    });
}

async fn rates(way: Way, fan_out: usize, buyers: &Buyers) {
    let urls = buyers.urls.get(..fan_out).unwrap();
    let asker = Asker::open(way, buyers, urls);
    let bare = Bare::open(way, buyers);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    round(|| asker.ask(Duration::from_secs(5)), fan_out).await;
    round(|| bare.ask(urls), fan_out).await;
    for _ in 0..ROUNDS {
        theirs.push(round(|| bare.ask(urls), fan_out).await);
        ours.push(round(|| asker.ask(Duration::from_secs(5)), fan_out).await);
    }
    let pairs = theirs.iter().zip(&ours);
    let ratio = Spread::of(pairs.map(|(peer, ours)| peer / ours).collect());
    let (ours, theirs) = (Spread::of(ours), Spread::of(theirs));
    println!(
        "{}, fan-out {fan_out}: {} calls/s and core (min {}, max {}), {} each; bare hyper {}; ratio {:.2} (min {:.2}, max {:.2})",
        way.name(),
        Thousands(1.0 / ours.median),
        Thousands(1.0 / ours.max),
        Thousands(1.0 / ours.min),
        Seconds(ours.median),
        Thousands(1.0 / theirs.median),
        ratio.median,
        ratio.min,
        ratio.max,
    );
}

/// Asks over and over; returns the CPU time of one call.
async fn round<F: Future<Output = usize>>(ask: impl Fn() -> F, fan_out: usize) -> f64 {
    let (until, began, mut calls) = (Instant::now() + ROUND, ProcessTime::now(), 0);
    while Instant::now() < until {
        let answered = ask().await;
        assert_eq!(answered, fan_out, "every buyer answers");
        calls += answered;
    }
    began.elapsed().as_secs_f64() / f64::from(u32::try_from(calls).unwrap())
}

/// Nobody answers: how late is the auction? It closes before the source's deadline by what the exchange keeps back for
/// itself, so lateness is counted from there.
async fn deadlines() {
    let fan_out = 10;
    let buyers = Buyers::start("hanging", false, fan_out);
    let asker = Arc::new(Asker::open(Way::Plain1, &buyers, &buyers.urls));
    let wait = Duration::from_millis(100);
    let lanes = (0..20).map(|_| {
        let asker = Arc::clone(&asker);
        tokio::spawn(async move {
            let mut over = Vec::new();
            for _ in 0..50 {
                let closes = wait.saturating_sub(asker.saleroom.tail().kept_back());
                let began = Instant::now();
                assert_eq!(asker.ask(wait).await, 0, "nobody answers");
                over.push(began.elapsed().saturating_sub(closes));
            }
            over
        })
    });
    let mut over = Vec::new();
    for lane in lanes.collect::<Vec<_>>() {
        over.extend(lane.await.unwrap());
    }
    over.sort_unstable();
    let at = |permille: usize| over.get((over.len() - 1) * permille / 1_000).unwrap().as_secs_f64();
    let within = over.iter().filter(|over| **over <= Duration::from_millis(5)).count();
    println!(
        "all hang, 20 auctions at once with {fan_out} buyers: {within} of {} answered at most 5 ms after their deadline; late by p50 {}, p99 {}, p99.9 {}, worst {}",
        over.len(),
        Seconds(at(500)),
        Seconds(at(990)),
        Seconds(at(999)),
        Seconds(at(1_000)),
    );
}

fn egress(buyers: &Buyers) -> Egress {
    let egress = Egress::public().allow_loopback();
    if buyers.pem.is_empty() { egress } else { egress.trust(buyers.pem.as_bytes()).unwrap() }
}

/// The exchange's way of asking, without the exchange around it.
struct Asker {
    saleroom: Saleroom,
    invited: Vec<Invited>,
}

impl Asker {
    fn open(way: Way, buyers: &Buyers, urls: &[String]) -> Self {
        let egress = egress(buyers);
        let version = match way {
            Way::Plain1 | Way::Tls1 => Version::Http1,
            Way::Plain2 | Way::Tls2 => Version::Http2,
        };
        let line = Line::speaking(&egress, version).unwrap();
        let invited = urls.iter().enumerate().map(|(number, url)| invited(&egress, number, url));
        Self { saleroom: Saleroom::new(line, Instant::now(), 1), invited: invited.collect() }
    }

    /// Asks all at once; returns how many bid.
    async fn ask(&self, wait: Duration) -> usize {
        let offered = Offered {
            ping: PING,
            vertical: "auto-insurance",
            currency: "USD",
            test: false,
            lead: &|| LEAD.to_owned(),
            frame: &[],
            deadline: Instant::now() + wait,
        };
        let said = self.saleroom.ask(offered, &self.invited).await;
        said.iter().filter(|ended| ended.outcome == Outcome::Bid).count()
    }
}

fn invited(egress: &Egress, number: usize, url: &str) -> Invited {
    let contract = Bidding {
        destination: egress.check(url).unwrap(),
        timeout: Duration::from_secs(10),
        bid_max: None,
        calls_per_second: None,
        concurrency: 1_000,
        headers: Headers::default(),
        adapter: None,
    };
    Invited {
        buyer: BuyerId::parse(&format!("buyer-{number}")).unwrap(),
        contract: Arc::new(contract),
        campaigns: vec![(CampaignId::parse(&format!("campaign-{number}")).unwrap(), None)],
    }
}

/// The peer.
struct Bare(Client<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>);

impl Bare {
    fn open(way: Way, buyers: &Buyers) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(buyers.pem.as_bytes()) {
            roots.add(certificate.unwrap()).unwrap();
        }
        let tls =
            rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let tls = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = match way {
            Way::Tls2 => tls.enable_http2().wrap_connector(tcp),
            _ => tls.enable_http1().wrap_connector(tcp),
        };
        Self(Client::builder(TokioExecutor::new()).http2_only(way.http2()).build(connector))
    }

    /// Asks all at once; returns how many answered with a bid.
    async fn ask(&self, urls: &[String]) -> usize {
        let body = format!(
            "{{\"ping_id\":\"{PING}\",\"vertical\":\"auto-insurance\",\"campaigns\":[\"a\"],\"currency\":\"USD\",\"deadline_ms\":400,\"lead\":{LEAD}}}"
        );
        let calls: Vec<_> = urls
            .iter()
            .map(|url| {
                let request = Request::post(url).header("content-type", "application/json");
                let request = request.body(Full::from(body.clone())).unwrap();
                let call = self.0.request(request);
                tokio::spawn(async move {
                    let response = call.await.unwrap();
                    let body = response.into_body().collect().await.unwrap().to_bytes();
                    let answer: Value = serde_json::from_slice(&body).unwrap();
                    usize::from(answer.get("bid").is_some())
                })
            })
            .collect();
        let mut answered = 0;
        for call in calls {
            answered += call.await.unwrap();
        }
        answered
    }
}

/// The buyers' process.
struct Buyers {
    process: Child,
    urls: Vec<String>,
    /// Of their authority; empty without TLS.
    pem: String,
}

impl Buyers {
    fn start(character: &str, tls: bool, count: usize) -> Self {
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new(program)
            .args([WORD, character, if tls { "tls" } else { "plain" }, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let urls = told.get("urls").unwrap().as_array().unwrap().iter();
        let urls = urls.map(|url| url.as_str().unwrap().to_owned()).collect();
        let pem = told.get("pem").unwrap().as_str().unwrap().to_owned();
        Self { process, urls, pem }
    }
}

impl Drop for Buyers {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Is the buyers and returns true, if that is what this process was started as.
fn is_buyers() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, character, tls, count] = arguments.as_slice() else { return false };
    if word != WORD {
        return false;
    }
    let (tls, count): (bool, usize) = (tls == "tls", count.parse().unwrap());
    let character = Character::named(character).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let authority = Authority::new().unwrap();
        let mut open = Vec::new();
        for _ in 0..count {
            let spec = MockSpec { tls, ..MockSpec::of(character) };
            open.push(MockBuyer::open(spec, Some(&authority), None).await.unwrap());
        }
        let urls: Vec<String> = open.iter().map(MockBuyer::bid_url).collect();
        let pem = if tls { authority.pem() } else { String::new() };
        println!("{}", serde_json::json!({"urls": urls, "pem": pem}));
        std::future::pending::<()>().await;
    });
    true
}
