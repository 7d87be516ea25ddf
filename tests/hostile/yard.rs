//! A running program with honest campaigns in it, watched from outside: its answers, its log, its memory.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::bombs;
use crate::crash::program::{Answer, Door, Program, gavel};
use crate::exchange::{Buyer, SOURCE_KEY, auto_ping, merged, module, until};

/// The campaign that wins whatever the hostile one does.
pub(super) const HONEST: &str = "honest-auto";
/// The campaign that bids more, by a hostile filter.
pub(super) const HOSTILE: &str = "hostile-auto";

/// How often a ping waits for its turn: in the exchange twice before the disk and once behind it, and here.
const TURNS: u32 = 4;

/// A line of a table: what it is called, and what is said about it.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) code: &'static str,
    /// The beginning of the message.
    pub(super) said: &'static str,
}

/// Reads a table with a line `name | code | message` for each kind.
pub(super) fn kinds(table: &'static str) -> impl Iterator<Item = Kind> {
    table.lines().filter(|line| line.contains('|')).map(|line| {
        let mut cells = line.splitn(3, '|').map(str::trim);
        let mut cell = || cells.next().unwrap();
        Kind { name: cell(), code: cell(), said: cell() }
    })
}

/// Returns the module's name with its bytes, and the settings that make it do the deed at this call.
pub(super) fn made(name: &'static str, call: &str) -> (&'static str, Vec<u8>, Value) {
    match super::filter(name).or_else(|| bombs::module(name)) {
        Some(wasm) => (name, wasm, json!({})),
        None => ("hostile-filter", module("hostile-filter"), json!({ call: name })),
    }
}

/// What one act took.
#[derive(Clone, Copy)]
pub(super) struct Toll {
    pub(super) time: Duration,
    /// The most memory beyond what was in use before, in bytes.
    pub(super) memory_bytes: u64,
}

/// The program, with one honest campaign that wins, one with an honest filter that is outbid, and traffic.
pub(super) struct Yard {
    program: Program,
    pub(super) door: Door,
    data: TempDir,
    _buyer: Buyer,
    stop: Arc<AtomicBool>,
    traffic: JoinHandle<(usize, Duration)>,
    machine: JoinHandle<Duration>,
    resident_bytes: u64,
    pub(super) faults: Vec<String>,
    tolls: BTreeMap<&'static str, Toll>,
}

impl Yard {
    pub(super) async fn open() -> Self {
        let (data, buyer) = (TempDir::new().unwrap(), Buyer::accepting().await);
        let program = Program::start(data.path()).await;
        let door = program.door();
        for name in ["auto-insurance", "zip-list"] {
            door.serve(name).await;
        }
        let terms = json!({"module": "auto-insurance", "reserve": "2.00", "increment": "0.01"});
        door.put("verticals/auto-insurance", terms).await;
        let source = json!({"key": SOURCE_KEY, "pings_per_second": 100_000});
        door.put("sources/web", merged(source, json!({"margin_percent": "10"}))).await;
        let zips = json!({"module": "zip-list", "settings": {"zips": ["90210"]}});
        for (name, campaign) in [
            ("honest", json!({"price": "5.00"})),
            ("bystander", json!({"price": "4.00", "filter": zips})),
            ("hostile", json!({"price": "9.00", "active": false})),
        ] {
            door.with_buyer(name, json!({"url": buyer.url()}), campaign).await;
        }
        let stop = Arc::<AtomicBool>::default();
        let traffic = tokio::spawn(flow(door.apart(), Arc::clone(&stop)));
        let stopped = Arc::clone(&stop);
        let machine = tokio::task::spawn_blocking(move || longest_wait(&stopped));
        let resident_bytes = memory(program.id(), "VmRSS");
        let (faults, tolls) = (Vec::new(), BTreeMap::new());
        Self {
            program,
            door,
            data,
            _buyer: buyer,
            stop,
            traffic,
            machine,
            resident_bytes,
            faults,
            tolls,
        }
    }

    /// Does something and takes its toll.
    pub(super) async fn watch<T>(&mut self, kind: &Kind, act: impl Future<Output = T>) -> T {
        let id = self.program.id();
        let before = memory(id, "VmRSS");
        fs::write(format!("/proc/{id}/clear_refs"), "5").unwrap();
        let began = Instant::now();
        let done = act.await;
        let time = began.elapsed();
        let memory_bytes = memory(id, "VmHWM").saturating_sub(before);
        self.tolls.insert(kind.name, Toll { time, memory_bytes });
        done
    }

    /// Notes a fault if this does not hold.
    pub(super) fn expect(&mut self, kind: &Kind, holds: bool, otherwise: impl Into<String>) {
        if !holds {
            self.faults.push(format!("{}: {}", kind.name, otherwise.into()));
        }
    }

    /// Expects that an act cost no more than this.
    pub(super) fn expect_toll(&mut self, kind: &Kind, most: Toll) {
        let Toll { time, memory_bytes } = self.tolls[kind.name];
        self.expect(kind, time <= most.time, format!("took {time:?}"));
        let megabytes = memory_bytes / 1024 / 1024;
        self.expect(kind, memory_bytes <= most.memory_bytes, format!("took {megabytes} MB"));
    }

    /// Expects that the log says this of the module, in lines after the first `seen`.
    pub(super) async fn expect_log(&mut self, kind: &Kind, seen: usize, event: &str, module: &str) {
        let told = async || {
            self.program.log_since(seen).iter().any(|line| {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                let fields = &line["fields"];
                let error = fields["error"].as_str().unwrap_or_default();
                let named = event == "module refused" || fields["version"] == 1;
                fields["message"] == event
                    && fields["module"] == module
                    && named
                    && error.starts_with(kind.said)
            })
        };
        let waiting = until("the log says so", told);
        if tokio::time::timeout(Duration::from_secs(2), waiting).await.is_err() {
            let mut log = self.program.log_since(seen);
            log.truncate(3);
            self.faults.push(format!("{}: not in the log: {log:#?}", kind.name));
        }
    }

    /// How many lines the log has.
    pub(super) fn logged(&self) -> usize {
        self.program.log_since(0).len()
    }

    /// Ends the traffic and the program, expects that nobody else noticed anything, and that everything recorded can
    /// be decided again. No ping may take longer than `slowest_max` beyond what the machine keeps it waiting.
    pub(super) async fn close(mut self, left_bytes_max: u64, slowest_max: Duration) {
        self.stop.store(true, Ordering::SeqCst);
        let (pings, slowest) = (&mut self.traffic).await.unwrap();
        let wait = (&mut self.machine).await.unwrap();
        let left = memory(self.program.id(), "VmRSS").saturating_sub(self.resident_bytes);
        self.report(pings, (slowest, wait), left);
        assert!(self.faults.is_empty(), "\n{}", self.faults.join("\n"));
        let slowest_max = slowest_max + TURNS * wait;
        assert!(slowest <= slowest_max, "an honest ping took {slowest:?}, not {slowest_max:?}");
        assert!(left <= left_bytes_max, "{} MB more than before are in use", left / 1024 / 1024);
        assert_eq!(self.program.terminate().await.code(), Some(0));
        for command in [&["journal", "verify"][..], &["replay"]] {
            let (code, printed) = gavel(command, self.data.path()).await;
            assert_eq!(code, Some(0), "{command:?}: {printed}");
        }
    }

    #[expect(clippy::print_stderr, reason = "what each kind took is worth knowing")]
    fn report(&self, pings: usize, (slowest, wait): (Duration, Duration), left: u64) {
        for (name, Toll { time, memory_bytes }) in &self.tolls {
            eprintln!("{name:32} {time:>12.3?} {:>6} MB at most", memory_bytes / 1024 / 1024);
        }
        let left = left / 1024 / 1024;
        eprintln!(
            "{pings} honest pings, the slowest in {slowest:?}, where a write and a sleep take up to {wait:?}"
        );
        eprintln!("{left} MB left in use");
    }
}

/// Uploads and activates a module that is never taken out of service, so that every call of it is seen.
pub(super) async fn serve(door: &Door, name: &str, wasm: Vec<u8>) {
    door.post(&format!("modules?name={name}"), wasm).await;
    door.post(&format!("modules/{name}/activate"), Vec::new()).await;
    let never = json!({"failing": {"calls": 0, "window_seconds": 1}});
    door.put(&format!("modules/{name}"), never).await;
}

/// Gives the hostile campaign this filter.
pub(super) async fn hire(door: &Door, module: &str, settings: &Value) -> Answer {
    let filter = json!({"module": module, "settings": settings});
    save_hostile(door, json!({"filter": filter})).await
}

/// Takes the filter away from the hostile campaign.
pub(super) async fn fire(door: &Door) {
    let fired = save_hostile(door, json!({"active": false})).await;
    assert_eq!(fired.status, 200, "{fired:?}");
}

async fn save_hostile(door: &Door, terms: Value) -> Answer {
    let campaign = json!({"buyer": "hostile", "vertical": "auto-insurance", "price": "9.00"});
    door.try_put(&format!("campaigns/{HOSTILE}"), merged(campaign, terms)).await
}

/// Offers a lead that every campaign wants.
pub(super) async fn ping(door: &Door) -> Answer {
    door.say("ping", None, &auto_ping()).await.unwrap()
}

/// Pings until it is told to stop; every ping is sold. Returns how many, and how long the slowest took.
async fn flow(door: Door, stop: Arc<AtomicBool>) -> (usize, Duration) {
    let (mut pings, mut slowest) = (0, Duration::ZERO);
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        let answer = door.say("ping", None, &auto_ping()).await.unwrap();
        assert_eq!(answer.text("/status"), "accepted", "{answer:?}");
        slowest = slowest.max(began.elapsed());
        pings += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (pings, slowest)
}

/// Writes to the disk and sleeps until it is told to stop. Returns the longest that once took: whoever does no more than
/// that waits as long on this machine, whatever the exchange does.
fn longest_wait(stop: &AtomicBool) -> Duration {
    let (mut file, mut longest) = (tempfile::tempfile().unwrap(), Duration::ZERO);
    while !stop.load(Ordering::SeqCst) {
        let began = Instant::now();
        file.write_all(b".").unwrap();
        file.sync_data().unwrap();
        std::thread::sleep(Duration::from_millis(5));
        longest = longest.max(began.elapsed());
    }
    longest
}

/// Returns a figure of a process's memory, in bytes.
fn memory(id: u32, figure: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(figure)).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kilobytes * 1024
}
