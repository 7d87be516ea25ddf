//! A market of everybody at once, at a steady pace: filters in the process, fixed prices, and remote buyers of every
//! character.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gavel::exchange::reconcile;
use gavel::mock::{Character, MockBuyer, MockSpec};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{say, times};
use crate::buyers::{GRACE, IN_TIME_PERCENT, Market, resident_bytes};
use crate::exchange::{auto_ping, auto_post, merged, until};

const PING: &str = "auto-insurance/ping";
const POST: &str = "auto-insurance/post";
/// How many leads come a second: about half of what two cores carry, with their sources and buyers; fewer beside other
/// tests.
fn pace() -> u64 {
    times(50, 120)
}

/// How long a source waits.
const DEADLINE: Duration = Duration::from_millis(500);
/// No answer may be later than this, whatever else the machine does.
const LATEST: Duration = Duration::from_secs(2);
/// By how much the process may grow: a fixed part, and what the exchange, the buyers and this test remember of a lead.
/// Recorded auctions stay on the disk.
const GROWTH_BYTES_MAX: usize = 256 << 20;
const LEAD_BYTES_MAX: usize = 1 << 10;
/// At most so many receipts are read.
const RECEIPTS_MAX: usize = 2_000;

/// What a source heard about one lead.
struct Heard {
    ping: String,
    /// How long the ping's answer took.
    took: Duration,
    /// The status of its post, if it was accepted.
    post: Option<String>,
}

async fn everybody() -> (Market, MockBuyer) {
    let market = Market::of(Character::ALL).await;
    // It takes leads without a word, but can be asked what became of them.
    let is_forgetful = |buyer: &&MockBuyer| buyer.character() == Character::Forgetful;
    let forgetful = market.buyers.iter().find(is_forgetful).unwrap();
    let delivery = json!({
        "url": forgetful.lead_url(), "timeout_ms": 2_000,
        "status": {"url": forgetful.status_url(), "not_found": [404]},
    });
    let bidding = json!({"url": forgetful.bid_url(), "timeout_ms": 1_200});
    let spec = json!({"delivery": delivery, "bidding": bidding});
    market.exchange.put("buyers/forgetful", spec).await;
    let plain = MockBuyer::open(MockSpec::of(Character::Prompt), None, None).await.unwrap();
    market.exchange.serve("zip-list").await;
    market.exchange.with_buyer("plain", &plain.lead_url(), "4.00").await;
    market.exchange.deposit("plain", "1000000.00").await;
    let filter = json!({"module": "zip-list", "settings": {"zips": ["90210"]}});
    let listed = json!({
        "buyer": "plain", "vertical": "auto-insurance", "price": "9.00", "filter": filter,
    });
    market.exchange.put("campaigns/listed", listed).await;
    (market, plain)
}

/// Sends one lead: its ping and, if a buyer wants it, its post.
async fn offer(market: Arc<Market>, number: u64) -> Heard {
    let place = match number % 2 {
        0 => json!({"zip": "90210", "state": "CA"}),
        _ => json!({"zip": "10025", "state": "NY"}),
    };
    let said = merged(place, json!({"deadline_ms": DEADLINE.as_millis()}));
    let began = Instant::now();
    let answer = market.exchange.say(PING, &merged(auto_ping(), said.clone())).await;
    let took = began.elapsed();
    assert_eq!(answer.status, 200, "{answer:?}");
    let ping = answer.text("/ping_id").to_owned();
    let post = match answer.text("/status") {
        "accepted" => {
            let body = merged(auto_post(&ping), merged(said, json!({"deadline_ms": 10_000})));
            let post = market.exchange.say(POST, &body).await;
            assert_eq!(post.status, 200, "{post:?}");
            Some(post.text("/status").to_owned())
        }
        "rejected" => None,
        other => panic!("{other}: {answer:?}"),
    };
    Heard { ping, took, post }
}

/// Says of every campaign that it won, or why it did not; panics if the receipt does not.
async fn explained(market: &Market, ping: &str, campaigns: &BTreeSet<String>) {
    let receipt = market.exchange.receipt(ping).await;
    let named = |list: &str| -> BTreeSet<String> {
        let all = receipt[list].as_array().unwrap().iter();
        all.map(|one| one["campaign"].as_str().unwrap().to_owned()).collect()
    };
    for left in receipt["left_out"].as_array().unwrap() {
        let told = |name: &str| left[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(told("code") && told("message"), "{left}");
    }
    let all: BTreeSet<String> = named("winners").union(&named("left_out")).cloned().collect();
    assert_eq!(all, *campaigns, "{receipt:#}");
    for asked in receipt["asked"].as_array().unwrap() {
        assert!(asked["outcome"].as_str().is_some_and(|word| !word.is_empty()), "{asked}");
    }
    for delivery in receipt["deliveries"].as_array().unwrap() {
        assert!(delivery["outcome"].as_str().is_some_and(|word| !word.is_empty()), "{delivery}");
    }
}

/// Counts answers by word, for the person who watches.
fn counted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let mut counts: Vec<String> =
        counts.iter().map(|(word, count)| format!("{word} {count}")).collect();
    counts.sort();
    counts.join(", ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mixed_market() {
    let (market, plain) = everybody().await;
    let market = Arc::new(market);
    let (pace, seconds, before) = (pace(), times(8, 600), resident_bytes());
    let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(pace).unwrap());
    let (mut offers, mut heard) = (JoinSet::new(), Vec::new());
    for number in 0..seconds * pace {
        tick.tick().await;
        offers.spawn(offer(Arc::clone(&market), number));
        while let Some(offer) = offers.try_join_next() {
            heard.push(offer.unwrap());
        }
        if number % (pace * 60) == pace * 60 - 1 {
            let grown = resident_bytes().saturating_sub(before) >> 20;
            let told =
                format!("{} of {seconds} s, {grown} MiB more than before", number / pace + 1);
            say("mixed_market", &told);
        }
    }
    heard.extend(offers.join_all().await);

    let mut took: Vec<Duration> = heard.iter().map(|heard| heard.took).collect();
    took.sort_unstable();
    let of = |permille: usize| took[(took.len() * permille / 1_000).min(took.len() - 1)];
    let words = heard.iter().map(|heard| heard.post.as_deref().unwrap_or("rejected"));
    say(
        "mixed_market",
        &format!(
            "{} leads: {}; answers p50 {:?}, p99 {:?}, p99.9 {:?}",
            heard.len(),
            counted(words),
            of(500),
            of(990),
            of(999)
        ),
    );
    assert!(of(IN_TIME_PERCENT * 10) <= DEADLINE + GRACE, "{:?}", of(IN_TIME_PERCENT * 10));
    assert!(of(1_000) <= LATEST, "{:?}", of(1_000));
    let grown = resident_bytes().saturating_sub(before);
    let most = GROWTH_BYTES_MAX + heard.len() * LEAD_BYTES_MAX;
    assert!(grown < most, "{} MiB more than before, of {} MiB", grown >> 20, most >> 20);

    let in_doubt = async || market.exchange.get("shipments?status=unknown").await.body;
    until("no lead is in doubt", async || in_doubt().await["shipments"] == json!([])).await;

    let mut owners: HashMap<String, &str> = HashMap::new();
    let buyers = market.buyers.iter().chain([&plain]);
    for buyer in buyers {
        let tally = buyer.tally();
        assert_eq!(tally.sold_twice, 0, "{}", buyer.character().name());
        for lead in tally.bought.keys() {
            let other = owners.insert(lead.clone(), buyer.character().name());
            assert_eq!(other, None, "{lead} was sold to {} too", buyer.character().name());
        }
    }
    assert!(!owners.is_empty());

    let saved = market.exchange.get("campaigns").await;
    let campaigns = saved.body["campaigns"].as_array().unwrap().iter();
    let campaigns: BTreeSet<String> =
        campaigns.map(|one: &Value| one["id"].as_str().unwrap().to_owned()).collect();
    for heard in heard.iter().step_by(heard.len().div_ceil(RECEIPTS_MAX)) {
        explained(&market, &heard.ping, &campaigns).await;
    }
    let Ok(market) = Arc::try_unwrap(market) else { panic!("an offer is still under way") };
    let data = market.exchange.close().await;
    reconcile(data.path(), |_| ()).await.unwrap();
}
