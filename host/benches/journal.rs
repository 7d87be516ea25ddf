//! How many durable facts per second does the journal take, and how does that compare to the least that a disk can do?
//!
//! The least is a bare log: the same bytes, the same batches, appended to one file and synced, with nothing to find them
//! again. All take turns in one run, so that they meet the same disk and the same load: the log, the journal on SQLite, and
//! the journal on a PostgreSQL server over loopback. And how fast is a journal read back when the exchange starts?
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints"
)]
#![expect(clippy::float_arithmetic, reason = "rates are not money")]

use std::convert::Infallible;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use gavel::clock::Moment;
use gavel::journal::{
    BATCH_BYTES_MAX, BATCH_RECORDS_MAX, Duty, DutyChange, DutyKey, Entry, Journal, Place,
    QUEUE_RECORDS_MAX, Record,
};
use gavel::money::Micros;
use tokio::sync::{mpsc, oneshot};

#[path = "../../tests/postgres.rs"]
mod postgres;

/// The program's own allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tasks that each wait for one record at a time.
const FILLERS: u64 = 256;
const PAYLOAD_BYTES: usize = 600;
const ROUND: Duration = Duration::from_secs(3);
const ROUNDS: usize = 5;

/// What one round measured.
struct Round {
    per_second: f64,
    median: Duration,
    slowest_percent: Duration,
    /// Time on the CPU for each fact, of whoever fills and of whoever writes; a server's is not counted.
    cpu: Duration,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // Where it is not installed, the server's own words say so.
    let server = std::panic::catch_unwind(postgres::Server::shared).ok();
    let (mut logs, mut files, mut servers) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let directory = || tempfile::tempdir().unwrap();
        logs.push(runtime.block_on(bare_log(directory().path())));
        files.push(runtime.block_on(journal(Place::from(directory().path()))));
        if let Some(server) = server {
            let (directory, database) = (directory(), Some(server.database().parse().unwrap()));
            let place = Place { database, ..Place::from(directory.path()) };
            servers.push(runtime.block_on(journal(place)));
        }
    }
    let log = report("bare log", logs);
    for (name, rounds) in [("journal on SQLite", files), ("journal on PostgreSQL", servers)] {
        if rounds.is_empty() {
            println!("{name}: left out, there is no server on this machine");
            continue;
        }
        let (rounds, mut rates): (Vec<Round>, Vec<(f64, Duration)>) = rounds.into_iter().unzip();
        rates.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let (rate, cpu) = rates.get(rates.len() / 2).unwrap();
        let journal = report(name, rounds);
        println!("{name} / bare log: {:.2}", journal / log);
        println!(
            "{name} read back and verified at a start: {rate:.0} facts/s, {:.1} s for a million, CPU {cpu:.1?} each",
            1e6 / rate
        );
    }
}

/// Prints the round with the median rate and returns that rate.
fn report(name: &str, mut rounds: Vec<Round>) -> f64 {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let rates: Vec<String> =
        rounds.iter().map(|round| format!("{:.0}", round.per_second)).collect();
    let Round { per_second, median, slowest_percent, cpu } = rounds.swap_remove(rounds.len() / 2);
    println!(
        "{name}: {per_second:.0} durable facts/s (rounds: {}), wait p50 {median:.1?}, p99 {slowest_percent:.1?}, CPU {cpu:.1?} each",
        rates.join(", ")
    );
    per_second
}

/// Writes for one round, then opens the journal again; returns the rate of reading back too, and its time on the CPU.
async fn journal(place: Place) -> (Round, (f64, Duration)) {
    let mut opened = Journal::open(&place).await.unwrap();
    opened.recover(|_| Ok::<_, Infallible>(())).await.unwrap();
    let journal = opened.start().unwrap();
    let filled = journal.clone();
    let round = measure(move |record| {
        let journal = filled.clone();
        async move {
            let _ = journal.seat().await.unwrap().fill(record).wait().await.unwrap();
        }
    });
    let round = round.await;
    journal.close().await;
    let (begun, cpu) = (Instant::now(), ProcessTime::now());
    let mut opened = Journal::open(&place).await.unwrap();
    let audit = opened.recover(|_| Ok::<_, Infallible>(())).await.unwrap();
    let facts = u32::try_from(audit.head().seq).unwrap();
    (round, (f64::from(facts) / begun.elapsed().as_secs_f64(), cpu.elapsed() / facts))
}

async fn bare_log(directory: &Path) -> Round {
    let mut file = File::create(directory.join("bare.log")).unwrap();
    let (sender, mut queue) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>(QUEUE_RECORDS_MAX);
    let writer = std::thread::spawn(move || {
        while let Some((mut bytes, first)) = queue.blocking_recv() {
            let mut waiting = vec![first];
            while waiting.len() < BATCH_RECORDS_MAX && bytes.len() < BATCH_BYTES_MAX {
                let Ok((more, next)) = queue.try_recv() else { break };
                bytes.extend(more);
                waiting.push(next);
            }
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
            waiting.into_iter().for_each(|waiting| waiting.send(()).unwrap());
        }
    });
    let round = measure(move |record| {
        let sender = sender.clone();
        async move {
            let (done, committed) = oneshot::channel();
            sender.send((bytes(&record), done)).await.unwrap();
            committed.await.unwrap();
        }
    });
    let round = round.await;
    writer.join().unwrap();
    round
}

async fn measure<F: Future<Output = ()> + Send>(
    commit: impl Fn(Record) -> F + Clone + Send + 'static,
) -> Round {
    let (begun, cpu) = (Instant::now(), ProcessTime::now());
    let fillers = (0..FILLERS).map(|filler| {
        let commit = commit.clone();
        tokio::spawn(async move {
            let mut waits = Vec::new();
            for n in 0.. {
                let record = record(filler, n);
                let asked = Instant::now();
                if asked.duration_since(begun) > ROUND {
                    break;
                }
                commit(record).await;
                waits.push(asked.elapsed());
            }
            waits
        })
    });
    let fillers: Vec<_> = fillers.collect();
    let mut waits = Vec::new();
    for filler in fillers {
        waits.extend(filler.await.unwrap());
    }
    let (took, cpu) = (begun.elapsed(), cpu.elapsed());
    waits.sort_unstable();
    let at = |percent: usize| waits.get(waits.len() * percent / 100).copied().unwrap_or_default();
    let count = u32::try_from(waits.len()).unwrap();
    Round {
        per_second: f64::from(count) / took.as_secs_f64(),
        median: at(50),
        slowest_percent: at(99),
        cpu: cpu / count,
    }
}

/// A fact such as a sale makes: three legs among a few hundred accounts; every second one has a duty.
fn record(filler: u64, n: u64) -> Record {
    let at = Moment::from_unix_ms(1_767_225_600_000 + i64::try_from(n).unwrap());
    let subject =
        u128::from(at.unix_ms().unsigned_abs()) << 80 | u128::from(filler) << 40 | u128::from(n);
    let entry =
        |account: String, amount| Entry { account, amount: Micros::new(amount), code: "sale" };
    let key = DutyKey { subject, step: 1 };
    Record {
        at,
        subject: Some(subject),
        kind: 4,
        payload: vec![b'.'; PAYLOAD_BYTES],
        entries: vec![
            entry(format!("buyer:b{}:prepaid", (filler * 7 + n) % 200), 12_500_000),
            entry(format!("source:s{}:payable", (filler + n * 3) % 40), -10_000_000),
            entry("exchange:revenue".to_owned(), -2_500_000),
        ],
        duties: match n % 2 {
            0 => vec![DutyChange::Add(Duty {
                key,
                kind: 1,
                due: at,
                attempts: 0,
                payload: vec![b'.'; 100],
            })],
            _ => Vec::new(),
        },
        contact: None,
    }
}

/// The record as a bare log would hold it.
fn bytes(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PAYLOAD_BYTES + 300);
    bytes.extend(record.at.unix_ms().to_le_bytes());
    bytes.extend(record.subject.unwrap_or_default().to_le_bytes());
    bytes.extend(record.kind.to_le_bytes());
    bytes.extend(&record.payload);
    for entry in &record.entries {
        bytes.extend(entry.account.bytes());
        bytes.extend(entry.amount.get().to_le_bytes());
        bytes.extend(entry.code.bytes());
    }
    for change in &record.duties {
        if let DutyChange::Add(duty) = change {
            bytes.extend(duty.key.step.to_le_bytes());
            bytes.extend(duty.due.unix_ms().to_le_bytes());
            bytes.extend(&duty.payload);
        }
    }
    bytes
}
