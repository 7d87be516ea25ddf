//! Buyers at the end of bad networks: whatever becomes of the bytes, every ping and every delivery ends in its time, under
//! its own name, and costs the others nothing.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gavel::clock::Clock;
use gavel::config::Config;
use gavel::egress::Egress;
use gavel::mock::{Authority, Character, MockBuyer, MockSpec, Shown};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{times, verdict};
use crate::buyers::{GRACE, IN_TIME_PERCENT, resident_bytes};
use crate::exchange::{Buyer, Exchange, auto_ping, auto_post, merged, until};

/// How long a source waits for the answer to a ping.
const DEADLINE: Duration = Duration::from_millis(600);
/// How long a buyer is waited for.
const PATIENCE_MS: u32 = 400;
/// What a busy machine may add to anything.
const NOISE: Duration = Duration::from_millis(1_500);
/// By how much the process may grow, with both ends of every connection in it.
const GROWTH_BYTES_MAX: usize = 96 << 20;
/// How many pings are asked at once.
const LANES: u64 = 20;
/// Between two bytes of an answer that trickles.
const TRICKLE: Duration = Duration::from_millis(100);
/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// What is wrong with the way to a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The machine shakes hands, and no program ever takes the connection.
    NeverAccepts,
    /// The program takes the connection, and reads nothing.
    NeverReads,
    /// Nothing answers the first packet.
    NeverConnects,
    /// The answer's head comes a byte at a time.
    TricklesHead,
    /// The answer's body comes a byte at a time.
    TricklesBody,
    /// The head comes, and promises a body that does not.
    HeadOnly,
    /// The certificate is not to be trusted.
    Shows(Shown),
}

/// Every fault with what becomes of a bid and of a delivery, the latter by how its detail begins.
const FAULTS: [(&str, Fault, &str, &str); 9] = [
    ("never-accepts", Fault::NeverAccepts, "late", "unknown: sent, but then: nothing came back"),
    ("never-reads", Fault::NeverReads, "late", "unknown: sent, but then: nothing came back"),
    ("never-connects", Fault::NeverConnects, "late", "not-sent: nothing came back in 400 ms"),
    ("trickles-head", Fault::TricklesHead, "late", "unknown: sent, but then: nothing came back"),
    ("trickles-body", Fault::TricklesBody, "late", "unknown: the answer did not end in time"),
    ("head-only", Fault::HeadOnly, "late", "unknown: the answer did not end in time"),
    ("expired", Fault::Shows(Shown::Expired), "unreachable", "not-sent: invalid peer certificate"),
    (
        "wrong-name",
        Fault::Shows(Shown::WrongName),
        "unreachable",
        "not-sent: invalid peer certificate",
    ),
    (
        "self-signed",
        Fault::Shows(Shown::SelfSigned),
        "unreachable",
        "not-sent: invalid peer certificate",
    ),
];

/// A buyer's end point at the end of such a way. It is there for as long as this is kept.
struct EndPoint {
    url: String,
    /// Connections that fill the queue of one that never connects.
    _held: Vec<TcpStream>,
    _unheard: Option<TcpListener>,
    tls: Option<MockBuyer>,
}

impl EndPoint {
    async fn open(fault: Fault, authority: &Authority) -> Self {
        if let Fault::Shows(shows) = fault {
            let spec = MockSpec { tls: true, shows, ..MockSpec::of(Character::Prompt) };
            let buyer = MockBuyer::open(spec, Some(authority), None).await.unwrap();
            let url = buyer.lead_url();
            return Self { url, _held: Vec::new(), _unheard: None, tls: Some(buyer) };
        }
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let queue = if fault == Fault::NeverConnects { 0 } else { 1_024 };
        let listener = socket.listen(queue).unwrap();
        let addr = listener.local_addr().unwrap();
        let url = format!("http://{addr}/in");
        let mut held = Vec::new();
        match fault {
            Fault::NeverConnects => {
                // Until the queue is full, and the next is not answered any more.
                while let Ok(Ok(stream)) =
                    tokio::time::timeout(Duration::from_millis(200), TcpStream::connect(addr)).await
                {
                    held.push(stream);
                }
                return Self { url, _held: held, _unheard: Some(listener), tls: None };
            }
            Fault::NeverAccepts => {
                return Self { url, _held: held, _unheard: Some(listener), tls: None };
            }
            _ => (),
        }
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mistreat(fault, stream));
            }
        });
        Self { url, _held: held, _unheard: None, tls: None }
    }
}

async fn mistreat(fault: Fault, mut stream: TcpStream) {
    if fault == Fault::NeverReads {
        tokio::time::sleep(FOR_EVER).await;
        return;
    }
    let mut heard = [0; 16 << 10];
    let _ = stream.read(&mut heard).await;
    let body = r#"{"status": "accepted", "bid": "9.00"}"#;
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
    let (at_once, trickled) = match fault {
        Fault::TricklesHead => (String::new(), format!("{head}{body}")),
        Fault::TricklesBody => (head, body.to_owned()),
        _ => (head, String::new()),
    };
    let _ = stream.write_all(at_once.as_bytes()).await;
    for byte in trickled.bytes() {
        tokio::time::sleep(TRICKLE).await;
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
    }
    tokio::time::sleep(FOR_EVER).await;
}

/// An exchange that trusts an authority, with a buyer at the end of every bad network and an honest one, which buys at the
/// reserve where nobody else may.
struct World {
    exchange: Exchange,
    honest: Buyer,
    bad: Vec<EndPoint>,
}

impl World {
    /// Opens it; `asked` says whether the bad buyers are asked for bids, or get the leads of a ZIP code each.
    async fn open(asked: bool) -> Self {
        let authority = Authority::new().unwrap();
        let egress = Egress::public().allow_loopback();
        let egress = egress.trust(authority.pem().as_bytes()).unwrap();
        let data = Arc::new(TempDir::new().unwrap());
        let exchange =
            Exchange::open_as(data, |config| Config { egress, clock: Clock::system(), ..config })
                .await;
        exchange.trade("auto-insurance", json!({})).await;
        exchange
            .put("sources/web", json!({"margin_percent": "10", "pings_per_second": 100_000}))
            .await;
        let honest = Buyer::accepting().await;
        exchange.with_buyer("honest", &honest.url(), "3.00").await;
        exchange.deposit("honest", "100000.00").await;
        let mut bad = Vec::new();
        for (place, (name, fault, ..)) in FAULTS.iter().enumerate() {
            let end_point = EndPoint::open(*fault, &authority).await;
            let at = json!({"url": end_point.url, "timeout_ms": PATIENCE_MS});
            let buyer = match asked {
                true => json!({"bidding": at, "delivery": {"url": honest.url()}}),
                false => json!({"delivery": at}),
            };
            exchange.put(&format!("buyers/{name}"), buyer).await;
            exchange.deposit(name, "100000.00").await;
            let campaign = json!({"buyer": name, "vertical": "auto-insurance"});
            let campaign = match asked {
                true => campaign,
                false => {
                    let criteria = format!("zip in [\"{}\"]", zip(place));
                    merged(campaign, json!({"price": "12.00", "criteria": criteria}))
                }
            };
            exchange.put(&format!("campaigns/{name}"), campaign).await;
            bad.push(end_point);
        }
        Self { exchange, honest, bad }
    }

    /// Pings a lead of this place; returns the ping, and how long its answer took.
    async fn ping(&self, place: usize) -> (String, Value, Duration) {
        let said = json!({"zip": zip(place), "deadline_ms": DEADLINE.as_millis()});
        let began = Instant::now();
        let answer = self.exchange.say("auto-insurance/ping", &merged(auto_ping(), said)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (answer.text("/ping_id").to_owned(), answer.body, began.elapsed())
    }
}

fn zip(place: usize) -> String {
    format!("9021{place}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_networks_cost_no_bid_but_their_own() {
    let world = Arc::new(World::open(true).await);
    let mut complaints = Vec::new();
    let (ping, answer, _) = world.ping(0).await;
    assert_eq!(answer["status"], "accepted", "{answer}");
    let receipt = world.exchange.receipt(&ping).await;
    for (name, _, expected, _) in FAULTS {
        let asked = receipt["asked"].as_array().unwrap().iter();
        let asked = asked.clone().find(|asked| asked["campaign"] == name).unwrap();
        let left = receipt["left_out"].as_array().unwrap().iter();
        let left = left.clone().find(|left| left["campaign"] == name).unwrap();
        if asked["outcome"] != expected {
            complaints.push(format!("{name} is {asked} {left}"));
        }
        let detail = left["detail"].as_str().unwrap_or_default();
        if expected == "unreachable" && !detail.contains("certificate") {
            complaints.push(format!("{name} says {detail}"));
        }
    }
    let before = resident_bytes();
    let pings = times(120, 2_000);
    let (mut late, mut accepted) = (0, 0);
    for _ in 0..pings.div_ceil(LANES) {
        let offers = (0..LANES).map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.ping(0).await })
        });
        for offer in offers.collect::<Vec<_>>() {
            let (_, answer, took) = offer.await.unwrap();
            accepted += u64::from(answer["status"] == "accepted");
            late += u64::from(took > DEADLINE + GRACE + NOISE);
        }
    }
    // A busy machine may miss a deadline of its own, and says so.
    let expected = pings * u64::try_from(IN_TIME_PERCENT).unwrap() / 100;
    if accepted < expected {
        complaints.push(format!("{accepted} of {pings} pings were accepted"));
    }
    if late > 0 {
        complaints.push(format!("{late} of {pings} answers were late"));
    }
    let grown = resident_bytes().saturating_sub(before);
    if grown > GROWTH_BYTES_MAX {
        complaints.push(format!("{} MiB more than before", grown >> 20));
    }
    for end_point in world.bad.iter().filter_map(|end_point| end_point.tls.as_ref()) {
        if end_point.tally().pings > 0 {
            complaints.push("whom nobody can trust heard of a lead".to_owned());
        }
    }
    let tried = format!("{pings} pings, {} MiB", grown >> 20);
    verdict("bad_networks, bids", &tried, &complaints);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn bad_networks_end_every_delivery_under_its_name() {
    let world = Arc::new(World::open(false).await);
    let (before, each) = (resident_bytes(), times(8, 100));
    let leads = (0..=FAULTS.len()).flat_map(|place| (0..each).map(move |_| place));
    let posts = leads.map(|place| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let (ping, ..) = world.ping(place).await;
            let told = json!({"zip": zip(place), "deadline_ms": 10});
            let lead = merged(auto_post(&ping), told);
            assert_eq!(world.exchange.say("auto-insurance/post", &lead).await.status, 200);
            (place, ping)
        })
    });
    let mut posted = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        posted.push(post.await.unwrap());
    }
    let mut complaints = Vec::new();
    for (place, ping) in &posted {
        let first = async || {
            let receipt = world.exchange.receipt(ping).await;
            let first = &receipt["deliveries"][0];
            let text = |name: &str| first[name].as_str().unwrap_or_default().to_owned();
            format!("{}: {}", text("outcome"), text("detail"))
        };
        until("its first attempt has ended", async || first().await != ": ").await;
        let expected = FAULTS.get(*place).map_or("sold: b-1", |(.., expected)| *expected);
        let told = first().await;
        if !told.starts_with(expected) {
            complaints.push(format!("{:?} ended as {told}", FAULTS.get(*place)));
        }
    }
    let honest = world.honest.received().len();
    if honest != usize::try_from(each).unwrap() {
        complaints.push(format!("the honest buyer got {honest} of {each} leads"));
    }
    for end_point in world.bad.iter().filter_map(|end_point| end_point.tls.as_ref()) {
        if end_point.tally().posts > 0 {
            complaints.push("whom nobody can trust got a lead".to_owned());
        }
    }
    let grown = resident_bytes().saturating_sub(before);
    if grown > GROWTH_BYTES_MAX {
        complaints.push(format!("{} MiB more than before", grown >> 20));
    }
    let ledger = world.exchange.get("ledger").await;
    if ledger.text("/total") != "0.00" {
        complaints.push(format!("the ledger sums to {}", ledger.text("/total")));
    }
    let tried = format!("{} deliveries, {} MiB", posted.len(), grown >> 20);
    verdict("bad_networks, deliveries", &tried, &complaints);
}
