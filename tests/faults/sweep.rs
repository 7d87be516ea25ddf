//! The crash sweep: every point of a run, and everything that a crash there may leave.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gavel::ids::PingId;
use serde_json::json;
use tokio::runtime::Builder;

use super::disk::{Change, Disk, Image, Left, changes, image_of};
use super::recovery::{Known, What, recover};
use super::shim::Shim;
use super::{Rest, say, times, verdict};
use crate::crash::program::Door;
use crate::crash::traffic::Dice;
use crate::exchange::{Buyer, auto_ping, auto_post};

/// How many sources send at once: more than one, so that commits have several records.
const SENDERS: u64 = 4;
/// How many images are recovered at once.
const RECOVERIES: usize = 2;

/// A run with everything that it did to the disk, and who knew what when.
struct Run {
    base: Image,
    changes: Vec<(u64, Change)>,
    known: Vec<Known>,
    last: Image,
}

fn length(trace: &Path) -> u64 {
    std::fs::metadata(trace).map_or(0, |file| file.len())
}

fn ping(handle: &str) -> u128 {
    PingId::parse(handle).unwrap().as_u128()
}

impl Run {
    async fn record(leads: u64, nosync: bool) -> Self {
        let shim = Shim::build();
        let arrivals: Arc<Mutex<Vec<(usize, u64)>>> = Arc::default();
        let (seen, trace) = (Arc::clone(&arrivals), shim.trace());
        let taker = Buyer::scripted(move |turn| {
            seen.lock().unwrap().push((turn, length(&trace)));
            (200, json!({"status": "accepted"}), Duration::ZERO)
        })
        .await;
        let rest = Rest::with_taker(taker).await;
        let base = image_of(rest.data.path());
        let program = shim.start(rest.data.path(), nosync).await;
        let door = program.door();
        let senders = (0..SENDERS).map(|sender| {
            let (door, trace) = (door.apart(), shim.trace());
            tokio::spawn(async move { send(&door, &trace, sender, leads / SENDERS).await })
        });
        let mut known = Vec::new();
        for sender in senders.collect::<Vec<_>>() {
            known.extend(sender.await.unwrap());
        }
        program.kill().await;
        let last = image_of(rest.data.path());
        let arrivals = arrivals.lock().unwrap().clone();
        let received = rest.taker.received();
        known.extend(arrivals.into_iter().map(|(turn, at)| {
            let ping = ping(received[turn].1["ping_id"].as_str().unwrap());
            Known { at, ping, what: What::Posted }
        }));
        let changes = changes(&std::fs::read(shim.trace()).unwrap());
        Self { base, changes, known, last }
    }

    /// Returns what was known once the first `count` changes were made.
    fn known_after(&self, count: usize) -> Vec<Known> {
        let at = count.checked_sub(1).map_or(0, |last| self.changes[last].0);
        self.known.iter().filter(|known| known.at <= at).cloned().collect()
    }
}

async fn send(door: &Door, trace: &Path, sender: u64, leads: u64) -> Vec<Known> {
    let mut known = Vec::new();
    for lead in 0..leads {
        let key = format!("lead-{sender}-{lead}");
        let answer = door.say("ping", Some(&key), &auto_ping()).await.unwrap();
        assert_eq!(answer.text("/status"), "accepted", "{answer:?}");
        let handle = answer.text("/ping_id").to_owned();
        known.push(Known { at: length(trace), ping: ping(&handle), what: What::Answered });
        if lead % 4 == 3 {
            continue;
        }
        let answer = door.say("post", Some(&key), &auto_post(&handle)).await.unwrap();
        let at = length(trace);
        known.push(Known { at, ping: ping(&handle), what: What::Posted });
        if answer.text("/status") == "sold" {
            known.push(Known { at, ping: ping(&handle), what: What::Sold });
        }
    }
    known
}

/// One crash: after so many changes, leaving this.
struct Crash {
    count: usize,
    left: Left,
}

/// Draws crashes so that every point has its turn, and each kind of image at each.
fn crashes(changes: usize, images: u64, seed: u64) -> Vec<Crash> {
    let dice = Dice::new(seed);
    let points = changes as u64 + 1;
    let all = (0..images).map(|image| {
        let round = image / points;
        let count = if images < points { dice.below(points) } else { image % points };
        let left = match (if images < points { image } else { round }) % 16 {
            0 => Left::All,
            1 => Left::Synced,
            kind => Left::Torn {
                piece: if kind % 2 == 0 { 512 } else { 4096 },
                seed: dice.below(u64::MAX),
            },
        };
        Crash { count: usize::try_from(count).unwrap(), left }
    });
    let mut all: Vec<Crash> = all.collect();
    all.sort_by_key(|crash| crash.count);
    all
}

/// Recovers every image; returns what is wrong with them.
async fn sweep(name: &str, run: &Run, crashes: &[Crash]) -> Vec<String> {
    let begun = std::time::Instant::now();
    let (mut disk, mut done, mut complaints) = (Disk::new(run.base.clone()), 0, Vec::new());
    let mut under_way = tokio::task::JoinSet::new();
    let step = (crashes.len() / 10).max(1);
    for (number, crash) in crashes.iter().enumerate() {
        while done < crash.count {
            disk.apply(&run.changes[done].1);
            done += 1;
        }
        let (image, known) = (disk.after(crash.left), run.known_after(crash.count));
        let place =
            format!("after change {} of {}, {:?}", crash.count, run.changes.len(), crash.left);
        under_way.spawn_blocking(move || {
            // What recovers is not made to wander between threads.
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let recovered = runtime.block_on(recover(&image, &known));
            let wrong = recovered.unwrap_or_else(|refused| vec![refused]);
            wrong.into_iter().map(|what| format!("{place}: {what}")).collect::<Vec<String>>()
        });
        while under_way.len() >= RECOVERIES
            || (number + 1 == crashes.len() && !under_way.is_empty())
        {
            match under_way.join_next().await.unwrap() {
                Ok(found) => complaints.extend(found),
                Err(panicked) => complaints.push(format!("recovery panicked: {panicked}")),
            }
        }
        if (number + 1) % step == 0 {
            let (tried, all, seconds) = (number + 1, crashes.len(), begun.elapsed().as_secs());
            let faults = complaints.len();
            say(name, &format!("{tried} of {all} images after {seconds} s, {faults} faults"));
        }
    }
    complaints
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_sweep() {
    let run = Run::record(times(60, 240), false).await;
    let images = std::env::var("GAVEL_FAULTS_IMAGES");
    let images = images.map_or_else(|_| times(300, 100_000), |images| images.parse().unwrap());
    say(
        "crash_sweep",
        &format!("{} changes, {} things known outside", run.changes.len(), run.known.len()),
    );
    let complaints = sweep("crash_sweep", &run, &crashes(run.changes.len(), images, 1)).await;
    let syncs =
        run.changes.iter().filter(|(_, change)| matches!(change, Change::Sync { .. })).count();
    assert!(syncs > 20 && run.known.len() > 50, "{syncs} syncs: the shim saw too little");
    verdict(
        "crash_sweep",
        &format!("{images} images of {} points", run.changes.len() + 1),
        &complaints,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sync_stubbed() {
    let run = Run::record(40, true).await;
    let at_end = |left| Crash { count: run.changes.len(), left };
    let killed = sweep("sync_stubbed", &run, &[at_end(Left::All)]).await;
    assert!(killed.is_empty(), "a kill alone loses nothing: {killed:?}");
    let losses = sweep("sync_stubbed", &run, &[at_end(Left::Synced)]).await;
    let known = losses.iter().filter(|loss| loss.contains("was acknowledged")).count();
    assert!(known >= run.known.len() / 2, "a disk that does not sync was not noticed: {losses:?}");
    verdict("sync_stubbed", &format!("{known} losses are noticed, as they must be"), &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_damage() {
    let run = Run::record(24, false).await;
    let (dice, tries) = (Dice::new(7), times(60, 4_000));
    let known = run.known_after(run.changes.len());
    let (mut refused, mut complaints) = (0, Vec::new());
    for number in 0..tries {
        let mut image = run.last.clone();
        image.remove("journal.db-shm");
        let log = image.get_mut("journal.db-wal").unwrap();
        let place = usize::try_from(dice.below(log.len() as u64)).unwrap();
        let what = if number % 2 == 0 {
            log[place] ^= 1 << dice.below(8);
            format!("a bit of byte {place} flipped")
        } else {
            log.truncate(place);
            format!("cut at byte {place}")
        };
        match recover(&image, &known).await {
            Err(_) => refused += 1,
            Ok(wrong) => complaints.extend(wrong.iter().map(|wrong| format!("{what}: {wrong}"))),
        }
    }
    assert!(refused > 0, "no damage was ever noticed");
    let tried = format!("{tries} damaged logs, {refused} refused, the others whole");
    verdict("log_damage", &tried, &complaints);
}
