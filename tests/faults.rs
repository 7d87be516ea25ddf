//! Faults of the disk, the clock and the callers, done to the real program: what was acknowledged is there afterwards.
//!
//! `./x faults` runs them all with a line of progress and a verdict each; `./x faults NAME…` some; `--long` at full length.
//! Without it each is a sample that takes seconds, and is part of `./x test`. Linux only: the disk's faults are made by
//! `faults/shim.c`, which is compiled by `cc` and loaded before the C library. `GAVEL_FAULTS_IMAGES=2000`
//! takes another number of images for the crash sweep.
//!
//! | name | fault | criterion |
//! |---|---|---|
//! | `crash_sweep` | a kill or a power cut after any of the writes, truncations and syncs of a run: all writes so far; only synced ones; synced ones and a random part of the others, torn at 512 B or 4 KiB. 100,000 images at full length | it recovers without a panic; every answer that a source had and every lead that a buyer had is recorded; the ledger sums to zero and money held is that of open copies; no copy is sold twice |
//! | `sync_stubbed` | the same run on a disk that does not sync | the sweep finds losses: it can fail |
//! | `log_damage` | bits flipped in the log of the database, and the log cut, at any place | nothing acknowledged is missing, or opening is refused |
//! | `failed_sync` | one sync says EIO, the next would succeed | the process stops, says why, and acknowledges nothing after it; all earlier answers hold |
//! | `full_disk` | every write says ENOSPC from the n-th on | the same |
//! | `slow_disk` | every sync takes two seconds | every ping is answered or refused with a reason, memory stays bounded, and the pace comes back with the disk's |
//! | `paused_process` | SIGSTOP in the middle of traffic, then SIGCONT | all answers hold, nothing is sold twice |
//! | `clock_jumps` | the wall clock goes an hour and a day ahead and back | handles stay unique, all answers hold, the journal verifies |
//! | `retry_storm` | a thousand requests with one key at once, then with another body, then after a kill | one effect; the same answer to all; another body is refused |
//! | `late_bids` | a buyer that answers at the edge of the deadline and after it | a late bid is recorded as late and never wins; the end point is left alone |
//! | `all_hang` | ten buyers take the request and say nothing; 10,000 pings at full length | answers within the deadline + 25 ms and what the machine adds; memory bounded; not everybody is shut off |
//! | `garbage` | answers that are no bids, each in another way | each is invalid, and the end point is left alone |
//! | `always_failing` | 5xx to every call; 10,000 pings at full length | at most one call in a hundred after the breaker opened; the other buyer sells as before |
//! | `names_that_move` | a name that is public when it is saved, and inside when it is called | no call leaves, and the receipt says why |
//! | `bad_networks` | buyers that never accept, never read, answer a byte at a time or half, whose certificate is over, of another host or of nobody, all at once: for bids and for deliveries | every ping is answered in its time, every end has its name, nothing is sold twice or shown to whom cannot be trusted, the others sell as before, memory bounded |
//! | `mixed_market` | filters, fixed prices and remote buyers of every character at once, for ten minutes at full length | every answer in time, nothing sold twice, memory bounded, every outcome explained in its receipt, the ledger sums to zero |
//!
//! Kills at random moments under load are `crash`, damage to every part of the database is the journal's own `damage`;
//! `./x faults` runs both as well.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "the shim needs Linux"))]

mod buyers;
mod disk;
mod market;
mod network;
mod recovery;
mod shim;
mod sweep;

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::crash::oracle;
use crate::crash::program::{Door, Program, gavel};
use crate::crash::traffic::Said;
use crate::exchange::{Buyer, SOURCE_KEY, auto_ping, auto_post};
use shim::Shim;

/// Says whether faults are to be tried at full length.
pub(crate) fn long() -> bool {
    std::env::var_os("GAVEL_FAULTS_LONG").is_some()
}

/// Returns the first number, or the second at full length.
pub(crate) fn times(sample: u64, full: u64) -> u64 {
    if long() { full } else { sample }
}

#[expect(clippy::print_stderr, reason = "whoever runs faults wants to see that they go on")]
pub(crate) fn say(name: &str, what: &str) {
    eprintln!("{name}: {what}");
}

#[track_caller]
pub(crate) fn verdict(name: &str, tried: &str, complaints: &[String]) {
    let shown = complaints.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(complaints.is_empty(), "{name}: {tried}: {} faults\n{shown}", complaints.len());
    say(name, &format!("{tried}: HOLDS"));
}

/// A market at rest: one buyer that refuses every lead, one that takes it.
pub(crate) struct Rest {
    pub(crate) data: TempDir,
    pub(crate) refuser: Buyer,
    pub(crate) taker: Buyer,
}

impl Rest {
    pub(crate) async fn new() -> Self {
        Self::with_taker(Buyer::accepting().await).await
    }

    pub(crate) async fn with_taker(taker: Buyer) -> Self {
        let data = TempDir::new().unwrap();
        let refuser = Buyer::rejecting().await;
        let program = Program::start(data.path()).await;
        let door = program.door();
        door.serve("auto-insurance").await;
        let terms = json!({"module": "auto-insurance", "reserve": "2.00", "increment": "0.01"});
        door.put("verticals/auto-insurance", terms).await;
        let source =
            json!({"key": SOURCE_KEY, "margin_percent": "10", "pings_per_second": 100_000});
        door.put("sources/web", source).await;
        for (name, buyer, price) in [("refuser", &refuser, "12.00"), ("taker", &taker, "9.00")] {
            let delivery = json!({"url": buyer.url(), "timeout_ms": 5_000});
            door.with_buyer(name, delivery, json!({"price": price})).await;
        }
        assert_eq!(program.terminate().await.code(), Some(0));
        Self { data, refuser, taker }
    }

    /// Returns a copy of the directory at rest.
    pub(crate) fn copy(&self) -> TempDir {
        let place = TempDir::new().unwrap();
        copy(self.data.path(), place.path());
        place
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let (entry, name) = entry.map(|entry| (entry.path(), entry.file_name())).unwrap();
        if entry.is_dir() {
            std::fs::create_dir_all(to.join(&name)).unwrap();
            copy(&entry, &to.join(&name));
        } else {
            std::fs::copy(&entry, to.join(&name)).unwrap();
        }
    }
}

/// Sends leads one after the other until nobody answers, or so many were answered; returns what was said.
async fn send(door: &Door, leads: u64, stop: &AtomicBool) -> Vec<Said> {
    let mut said = Vec::new();
    for lead in 0..leads {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut ping = Said {
            call: "ping",
            key: Some(format!("ping-{lead}")),
            body: auto_ping(),
            answer: None,
        };
        ping.answer = ping.send(door).await.filter(|answer| answer.status == 200);
        let handle = ping.ping().map(str::to_owned);
        said.push(ping);
        let Some(handle) = handle else { break };
        let mut post = Said { call: "post", key: None, body: auto_post(&handle), answer: None };
        post.answer = post.send(door).await.filter(|answer| answer.status == 200);
        let answered = post.answer.is_some();
        said.push(post);
        if !answered {
            break;
        }
    }
    said
}

/// Opens the data without any fault, and compares every answer with what is recorded.
async fn hold(data: &Path, said: &[Said]) -> Vec<String> {
    let program = Program::start(data).await;
    let mut complaints = oracle::answers(&program.door(), said).await;
    let ledger = program.door().get("ledger").await;
    if ledger.body["total"] != "0.00" {
        complaints.push(format!("the ledger sums to {}", ledger.body["total"]));
    }
    program.terminate().await;
    let (code, printed) = gavel(&["journal", "verify"], data).await;
    if code != Some(0) {
        complaints.push(printed);
    }
    complaints
}

/// Lets a call fail in the middle of traffic; the program must stop and say so, and every answer before must hold.
async fn stops(name: &str, rest: &Rest, shim: &Shim, order: &str, says: &str) -> Vec<String> {
    let data = rest.copy();
    let program = shim.start(data.path(), false).await;
    let door = program.door();
    let before = send(&door, 2, &AtomicBool::new(false)).await;
    shim.order(order);
    let during = send(&door, 200, &AtomicBool::new(false)).await;
    let (status, log) = program.ended().await;
    let mut complaints = Vec::new();
    let stopped = status.signal() == Some(6);
    if !stopped || !log.contains("stops without another acknowledgement") || !log.contains(says) {
        complaints.push(format!("{order}: ended by {status}, saying {log}"));
    }
    let unanswered = during.iter().filter(|said| said.answer.is_none()).count();
    if unanswered != 1 {
        complaints.push(format!("{order}: {unanswered} requests were not answered, not one"));
    }
    let said: Vec<Said> = before.into_iter().chain(during).collect();
    complaints.extend(hold(data.path(), &said).await);
    say(name, &format!("{order}: {} requests, then stopped", said.len()));
    complaints
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_sync() {
    let (rest, mut complaints, tries) = (Rest::new().await, Vec::new(), times(3, 24));
    for call in 1..=tries {
        let shim = Shim::build();
        let order = format!("sync {call} 5 1");
        complaints.extend(stops("failed_sync", &rest, &shim, &order, "disk I/O error").await);
    }
    verdict("failed_sync", &format!("{tries} failed syncs"), &complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk() {
    let (rest, mut complaints) = (Rest::new().await, Vec::new());
    let calls: Vec<u64> = if long() { (1..=60).collect() } else { vec![1, 2, 9] };
    for call in &calls {
        let shim = Shim::build();
        let order = format!("write {call} 28 1000000000");
        complaints.extend(stops("full_disk", &rest, &shim, &order, "full").await);
    }
    verdict("full_disk", &format!("the disk full at {} calls", calls.len()), &complaints);
}

/// Returns how much memory a process has, in KiB.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// By how much memory may grow while the disk is stuck, in KiB.
const GROWTH_KIB_MAX: u64 = 128 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn slow_disk() {
    let (rest, shim, stall) = (Rest::new().await, Shim::build(), times(2_000, 10_000));
    let program = shim.start(rest.data.path(), false).await;
    let (door, before) = (program.door(), memory(program.id()));
    shim.order(&format!("stall {stall}"));
    let pings = (0..times(600, 5_000)).map(|_| {
        let door = door.clone();
        tokio::spawn(async move {
            let said = Said { call: "ping", key: None, body: auto_ping(), answer: None };
            let answer = said.send(&door).await;
            Said { answer, ..said }
        })
    });
    let pings: Vec<_> = pings.collect();
    tokio::time::sleep(Duration::from_millis(stall)).await;
    let grown = memory(program.id()).saturating_sub(before);
    shim.order("stall 0");
    let (mut complaints, mut said, mut refused) = (Vec::new(), Vec::new(), 0);
    for ping in pings {
        let ping = ping.await.unwrap();
        match ping.answer.as_ref().map(|answer| answer.status) {
            Some(200) => said.push(ping),
            Some(503) => refused += 1,
            other => complaints.push(format!("a ping got {other:?}")),
        }
    }
    if grown > GROWTH_KIB_MAX {
        complaints.push(format!("memory grew by {grown} KiB"));
    }
    let begun = Instant::now();
    said.extend(send(&door, 5, &AtomicBool::new(false)).await);
    if begun.elapsed() > Duration::from_secs(10) {
        complaints.push(format!("five leads took {:?} afterwards", begun.elapsed()));
    }
    complaints.extend(oracle::answers(&door, &said).await);
    program.terminate().await;
    let tried = format!(
        "syncs of {stall} ms, {} answered, {refused} refused, memory grew by {grown} KiB",
        said.len()
    );
    verdict("slow_disk", &tried, &complaints);
}

async fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([name, &process.to_string()]).status().await.unwrap();
    assert!(status.success());
}

/// Sends leads while something is done to the program; returns what was said.
async fn meanwhile(door: &Door, work: impl Future<Output = ()>) -> Vec<Said> {
    let stop = Arc::new(AtomicBool::new(false));
    let senders = (0..4).map(|_| {
        // Each source for itself: the same key is the same request.
        let (door, stop) = (door.apart(), Arc::clone(&stop));
        tokio::spawn(async move { without_keys(&door, &stop).await })
    });
    let senders: Vec<_> = senders.collect();
    work.await;
    stop.store(true, Ordering::Relaxed);
    let mut said = Vec::new();
    for sender in senders {
        said.extend(sender.await.unwrap());
    }
    said
}

async fn without_keys(door: &Door, stop: &AtomicBool) -> Vec<Said> {
    let mut said = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let mut full = auto_post("");
        full.as_object_mut().unwrap().remove("ping_id");
        let mut lead = Said { call: "full", key: None, body: full, answer: None };
        lead.answer = lead.send(door).await.filter(|answer| answer.status == 200);
        said.push(lead);
    }
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_process() {
    let rest = Rest::new().await;
    let program = Program::start(rest.data.path()).await;
    let (door, process) = (program.door(), program.id());
    let pauses: &[u64] = if long() { &[1, 5, 10] } else { &[1] };
    let said = meanwhile(&door, async {
        for pause in pauses {
            tokio::time::sleep(Duration::from_millis(200)).await;
            signal(process, "-STOP").await;
            tokio::time::sleep(Duration::from_secs(*pause)).await;
            signal(process, "-CONT").await;
            say("paused_process", &format!("paused for {pause} s"));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    })
    .await;
    let mut complaints = oracle::answers(&door, &said).await;
    let answered = said.iter().filter(|said| said.answer.is_some()).count();
    if answered < 8 {
        complaints.push(format!("only {answered} leads were answered"));
    }
    program.terminate().await;
    complaints.extend(hold(rest.data.path(), &said).await);
    verdict("paused_process", &format!("{answered} leads answered"), &complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn clock_jumps() {
    let (rest, shim) = (Rest::new().await, Shim::build());
    let program = shim.start(rest.data.path(), false).await;
    let door = program.door();
    let said = meanwhile(&door, async {
        for shift in [3_600, -3_600, 86_400, -86_400, 0] {
            shim.order(&format!("clock {shift}"));
            tokio::time::sleep(Duration::from_millis(times(300, 3_000))).await;
        }
    })
    .await;
    let mut complaints = oracle::answers(&door, &said).await;
    let mut pings: Vec<&str> = said.iter().filter_map(Said::ping).collect();
    let answered = pings.len();
    pings.sort_unstable();
    pings.dedup();
    if pings.len() != answered || answered < 8 {
        complaints.push(format!("{answered} answers have {} handles", pings.len()));
    }
    program.terminate().await;
    complaints.extend(hold(rest.data.path(), &said).await);
    verdict("clock_jumps", &format!("{answered} leads across five jumps"), &complaints);
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_storm() {
    let (rest, retries) = (Rest::new().await, times(300, 1_000));
    let program = Program::start(rest.data.path()).await;
    let door = program.door();
    let mut full = auto_post("");
    full.as_object_mut().unwrap().remove("ping_id");
    let (mut complaints, mut answers, mut running) = (Vec::new(), Vec::new(), 0);
    let storm = (0..retries).map(|_| {
        let (door, full) = (door.clone(), full.clone());
        tokio::spawn(async move { door.say("full", Some("storm"), &full).await })
    });
    for answer in storm.collect::<Vec<_>>() {
        match answer.await.unwrap() {
            Some(answer) if answer.status == 200 => answers.push(answer.body),
            // The first is still at work.
            Some(answer) if answer.status == 409 => running += 1,
            other => complaints.push(format!("{other:?}")),
        }
    }
    let last = door.say("full", Some("storm"), &full).await.unwrap().body;
    answers.push(last.clone());
    if answers.iter().any(|answer| answer["ping_id"] != last["ping_id"]) {
        complaints.push("one key has answers about several leads".to_owned());
    }
    let mut other = full.clone();
    other["zip"] = "10025".into();
    let refused = door.say("full", Some("storm"), &other).await.unwrap();
    if refused.status != 422 {
        complaints.push(format!("another body under the same key: {refused:?}"));
    }
    program.kill().await;
    let program = Program::start(rest.data.path()).await;
    let again = program.door().say("full", Some("storm"), &full).await.unwrap();
    if again.body != last {
        complaints.push(format!("after a kill: {} and not {last}", again.body));
    }
    let leads = (rest.refuser.received().len(), rest.taker.received().len());
    if leads != (1, 1) {
        complaints.push(format!("buyers got {leads:?} leads"));
    }
    program.terminate().await;
    let tried = format!("{retries} requests with one key, {running} told to wait");
    verdict("retry_storm", &tried, &complaints);
}
