//! How long does it take to reconcile a million sales, and in how much memory?
//!
//! The journal has what a day of sales leaves: for each an auction, its post and its delivery, with a fee on both sides, of
//! 200 buyers and 40 sources. Writing it is not measured. The peer is the journal's own verification of the same file: reading
//! every row, the hash chain and the balances, without knowing what any of it means.
//!
//! `GAVEL_SALES=100000` takes another number of sales; what a million would take is then told as such.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints"
)]
#![expect(clippy::float_arithmetic, reason = "rates are not money")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gavel::clock::Moment;
use gavel::exchange::reconcile;
use gavel::facts::{
    BidMade, BuyerFee, Charged, Counted, Delivered, Deposited, Ended, Fact, Fee, ModuleUsed, Parts,
    PingAnswered, Posted, Terms, Winner,
};
use gavel::ids::PingId;
use gavel::journal::{Journal, Reading, Record};
use gavel::money::Micros;
use gavel::settlement;

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MILLION: u64 = 1_000_000;
const BUYERS: u64 = 200;
const SOURCES: u64 = 40;
const PRICE: i64 = 12_340_000;
const DEPOSIT: i64 = 1_000_000_000_000;
/// Words of an encoded lead.
const FRAME_WORDS: usize = 60;
const MORNING_MS: i64 = 1_767_808_800_000;

fn main() {
    let sales = std::env::var("GAVEL_SALES").map_or(MILLION, |sales| sales.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    runtime.block_on(write(directory.path(), sales));
    let begun = Instant::now();
    runtime.block_on(verified(directory.path()));
    let peer = begun.elapsed().as_secs_f64();
    let before = peak_mib();
    let begun = Instant::now();
    let found = runtime.block_on(reconcile(directory.path(), |_| ())).unwrap();
    let took = begun.elapsed().as_secs_f64();
    assert_eq!((found.sales, found.open_pings), (sales, 0));
    let count = f64::from(u32::try_from(sales).unwrap());
    println!(
        "{sales} sales, {} facts, {} entries reconciled: {took:.1} s",
        found.facts, found.entries
    );
    println!("a million sales: {:.1} s, {:.0} sales/s", took * 1e6 / count, count / took);
    println!("reconciled / peer: {:.2} of verifying the journal alone ({peer:.1} s)", took / peer);
    println!("memory at most: {} MiB; before it, {before} MiB", peak_mib());
}

/// Returns the most memory that the process ever had, in MiB; zero where the system does not say.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) >> 10
}

async fn verified(directory: &Path) {
    let reading = Reading::open(directory).await.unwrap();
    reading.verify().await.unwrap();
    reading.close().await;
}

async fn write(directory: &Path, sales: u64) {
    let journal = Journal::open(directory).await.unwrap().start().unwrap();
    for buyer in 0..BUYERS {
        let (buyer, reference) = (format!("b{buyer}"), "wire".to_owned());
        record(&journal, 0, Fact::Deposited(Deposited { buyer, amount: DEPOSIT, reference })).await;
    }
    for sale in 0..sales {
        for fact in facts(sale) {
            record(&journal, sale, fact).await;
        }
    }
    journal.settled().await.unwrap();
    journal.close().await;
}

/// Leaves a fact to be written; the journal's queue is what is waited for.
async fn record(journal: &Journal, sale: u64, fact: Fact) {
    let record = Record {
        at: moment(sale),
        subject: fact.subject().map(PingId::as_u128),
        kind: fact.kind(),
        entries: settlement::entries(&fact),
        ..Record::default()
    };
    drop(journal.seat().await.unwrap().fill_later(record, move || fact.encode()));
}

fn moment(sale: u64) -> Moment {
    Moment::from_unix_ms(MORNING_MS + i64::try_from(sale / 12).unwrap())
}

fn delivered(
    ping: u128,
    (source, buyer): (&str, &str),
    campaign: &str,
    (buyer_fees, payout, source_fees): (Charged, Micros, Charged),
) -> Delivered {
    Delivered {
        ping,
        source: source.to_owned(),
        copy: 0,
        campaign: campaign.to_owned(),
        buyer: buyer.to_owned(),
        attempt: 1,
        ended: Ended::Sold,
        detail: None,
        price: PRICE,
        buyer_fees,
        payout: payout.get(),
        source_fees,
        again_ms: None,
        successor: None,
        in_line: false,
        adapter: None,
        transfer: None,
    }
}

/// Returns what one sale leaves: the auction, the post, the delivery.
fn facts(sale: u64) -> [Fact; 3] {
    let at = moment(sale);
    let ping = u128::from(at.unix_ms().unsigned_abs()) << 80 | u128::from(sale);
    let (buyer, source) = (format!("b{}", sale % BUYERS), format!("s{}", sale % SOURCES));
    let (campaign, fee) =
        (format!("{buyer}-west"), Fee { per_lead: 250_000, percent: 20_000, ..Fee::NONE });
    let terms = Terms {
        source_fee: fee,
        buyer_fees: vec![BuyerFee { buyer: buyer.clone(), fee }],
        ..Terms::second_price(1, 2_000_000, 10_000, 150_000)
    };
    let price = Micros::new(PRICE);
    let (buyer_fees, Parts { payout, fees: source_fees, .. }) = (fee.on(price), terms.parts(price));
    let held = 300_000;
    let delivered =
        delivered(ping, (&source, &buyer), &campaign, (buyer_fees, payout, source_fees));
    let answered = PingAnswered {
        ping,
        source,
        vertical: "auto-insurance".to_owned(),
        catalog: 1,
        received_ms: at.unix_ms(),
        body: [0; 32],
        test: false,
        normalizer: ModuleUsed { name: "auto".to_owned(), version: 1, digest: [0; 32], fuel: 1 },
        filters: Vec::new(),
        frame: vec![0; FRAME_WORDS],
        terms,
        left_out: Vec::new(),
        asked: Vec::new(),
        bids: vec![BidMade {
            campaign: campaign.clone(),
            buyer: buyer.clone(),
            amount: PRICE,
            ..BidMade::default()
        }],
        winners: vec![Winner {
            campaign,
            buyer,
            bid: PRICE,
            price: PRICE,
            fees: buyer_fees,
            exclusive: true,
            counted: Counted::default(),
        }],
        duplicate_of: None,
        replaces: None,
        fingerprint: [0; 32],
        expires_ms: at.unix_ms() + held,
        held_until_ms: at.unix_ms() + held,
        request: None,
    };
    [
        Fact::PingAnswered(Arc::new(answered)),
        Fact::Posted(Posted { ping, ..Posted::default() }),
        Fact::Delivered(delivered),
    ]
}
