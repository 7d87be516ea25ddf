//! The program is killed in the middle of its work, again and again, and nothing that it said is lost, sold twice or paid
//! twice.
//!
//! `GAVEL_CRASH_ROUNDS` says how often (12), `GAVEL_CRASH_SEED` makes it other traffic.

mod again;
pub(crate) mod oracle;
pub(crate) mod program;
pub(crate) mod traffic;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gavel::ids::PingId;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::exchange::{Buyer, auto_ping, auto_post, until};
use crate::postgres::Server;
use oracle::Recorded;
use program::{Answer, Door, Program, gavel};
use traffic::{Dice, Market, Memory};

/// A number from the environment.
fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[track_caller]
fn nothing_wrong(round: u64, complaints: &[String]) {
    let count = complaints.len();
    assert!(complaints.is_empty(), "round {round}, {count} faults:\n{}", complaints.join("\n"));
}

/// Sends traffic until the program is ended in the middle of it, after this time.
async fn cut_short(
    program: Program,
    memory: &Arc<Memory>,
    after: Duration,
    end: impl AsyncFnOnce(Program),
) {
    let (door, stop) = (program.door(), Arc::new(AtomicBool::new(false)));
    let (sender, asked) = (Arc::clone(memory), Arc::clone(&stop));
    let sending = tokio::spawn(async move { sender.send(&door, &asked).await });
    tokio::time::sleep(after).await;
    end(program).await;
    stop.store(true, Ordering::Relaxed);
    sending.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_in_the_middle_of_traffic_lose_no_answer_and_sell_no_lead_twice() {
    kill_in_the_middle_of_traffic(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_on_postgresql_lose_no_answer_and_sell_no_lead_twice() {
    let url = tokio::task::spawn_blocking(|| Server::shared().database()).await.unwrap();
    kill_in_the_middle_of_traffic(&["--database", &url]).await;
}

async fn kill_in_the_middle_of_traffic(options: &[&str]) {
    let (data, market) = (TempDir::new().unwrap(), Market::open().await);
    let dice = Arc::new(Dice::new(number("GAVEL_CRASH_SEED", 1)));
    let memory = Arc::new(Memory::new(Arc::clone(&dice)));
    let mut program = Program::start_with(data.path(), options).await;
    market.save(&program.door()).await;
    for round in 1..=number("GAVEL_CRASH_ROUNDS", 12) {
        let before = memory.said().len();
        let after = Duration::from_millis(30 + dice.below(300));
        cut_short(program, &memory, after, Program::kill).await;
        if dice.below(3) == 0 {
            // A kill while it recovers, too.
            let mut opening = Program::spawn(data.path(), options);
            tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
            opening.kill().await.unwrap();
        }
        program = Program::start_with(data.path(), options).await;
        let door = program.door();
        nothing_wrong(round, &oracle::answers(&door, &memory.said()[before..]).await);
        nothing_wrong(round, &memory.say_again(&door, before).await);
        assert_eq!(door.get("ledger").await.body["total"], "0.00");
        let recorded = Recorded::read(data.path()).await;
        nothing_wrong(round, &recorded.compare(&memory.said(), &market));
        progress(round, &memory, &recorded);
    }
    settle(&program.door(), data.path(), &market).await;
    nothing_wrong(0, &oracle::answers(&program.door(), &memory.said()).await);
    let recorded = Recorded::read(data.path()).await;
    nothing_wrong(0, &recorded.compare(&memory.said(), &market));
    nothing_wrong(0, &recorded.ledger());
    assert!(recorded.sales() > 0, "nothing was sold, so nothing was tried");
    assert_eq!(program.terminate().await.code(), Some(0));
    for command in [&["journal", "verify"][..], &["replay"]] {
        let (code, printed) = gavel(command, data.path()).await;
        assert_eq!(code, Some(0), "{command:?}: {printed}");
    }
}

#[expect(clippy::print_stderr, reason = "a long run should show that it goes on")]
fn progress(round: u64, memory: &Memory, recorded: &Recorded) {
    let said = memory.said();
    let answered = said.iter().filter(|said| said.answer.is_some()).count();
    let (requests, sales, open) = (said.len(), recorded.sales(), recorded.open().len());
    eprintln!(
        "round {round}: {requests} requests, {answered} answered, {sales} sales, {open} open"
    );
}

/// Waits until every delivery and every hold has ended. Where nobody knows, the operator asks the buyer.
async fn settle(door: &Door, data: &Path, market: &Market) {
    until("every delivery ends", async || {
        let open = Recorded::read(data).await.open();
        for (ping, buyer) in &open {
            let Some(buyer) = buyer else { continue };
            let has = received(&market.buyers[buyer.as_str()], *ping);
            let outcome = if has && buyer != "refuser" { "sold" } else { "rejected" };
            let said = try_resolve(door, &ping.to_string(), outcome).await;
            // One that is asked again by itself may have ended since the record was read.
            assert!(matches!(said.status, 200 | 404), "{ping}: {said:?}");
        }
        open.is_empty()
    })
    .await;
    for name in market.buyers.keys() {
        until("every hold ends", async || {
            door.get(&format!("buyers/{name}")).await.text("/held") == "0.00"
        })
        .await;
    }
}

fn received(buyer: &Buyer, ping: PingId) -> bool {
    buyer.received().iter().any(|(_, body)| body["ping_id"] == ping.to_string())
}

async fn resolve(door: &Door, ping: &str, outcome: &str) {
    let said = try_resolve(door, ping, outcome).await;
    assert_eq!(said.status, 200, "{ping}: {said:?}");
}

async fn try_resolve(door: &Door, ping: &str, outcome: &str) -> Answer {
    let word = json!({"outcome": outcome, "note": "the buyer said so"}).to_string();
    door.try_post(&format!("auctions/{ping}/resolve"), word.into_bytes()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_on_request_drains_and_loses_nothing() {
    let (data, market) = (TempDir::new().unwrap(), Market::open().await);
    let memory = Arc::new(Memory::new(Arc::new(Dice::new(2))));
    let program = Program::start(data.path()).await;
    market.save(&program.door()).await;
    cut_short(program, &memory, Duration::from_millis(400), async |program| {
        assert_eq!(program.terminate().await.code(), Some(0));
    })
    .await;
    // Everything that was under way has ended. Only a buyer that promised idempotency is to be asked again.
    let left = Recorded::read(data.path()).await.open();
    let waits = |asks: &Option<String>| asks.as_ref().is_none_or(|buyer| buyer == "patient");
    assert!(left.iter().all(|(_, asks)| waits(asks)), "{left:?}");
    let program = Program::start(data.path()).await;
    settle(&program.door(), data.path(), &market).await;
    assert!(!program.log().contains("delivery interrupted"), "{}", program.log());
    nothing_wrong(0, &oracle::answers(&program.door(), &memory.said()).await);
    let recorded = Recorded::read(data.path()).await;
    nothing_wrong(0, &recorded.compare(&memory.said(), &market));
    nothing_wrong(0, &recorded.ledger());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused() {
    let data = TempDir::new().unwrap();
    let _first = Program::start(data.path()).await;
    let refused = Program::try_start(data.path()).await.err().unwrap();
    assert_eq!(refused.code, Some(3), "{refused:?}");
    let clear = refused.printed.contains("in use by another process; stop that one");
    assert!(clear, "{refused:?}");
}

/// Tries the oracle itself: a journal that forgot its end must not pass.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_copy_of_the_database_is_noticed() {
    let (data, market) = (TempDir::new().unwrap(), Market::open().await);
    let memory = Arc::new(Memory::new(Arc::new(Dice::new(3))));
    let program = Program::start(data.path()).await;
    market.save(&program.door()).await;
    cut_short(program, &memory, Duration::from_millis(200), async |program| {
        assert_eq!(program.terminate().await.code(), Some(0));
    })
    .await;
    let file = |name: &str| data.path().join(name);
    std::fs::copy(file("journal.db"), file("older")).unwrap();
    let before = memory.said().len();
    let program = Program::start(data.path()).await;
    cut_short(program, &memory, Duration::from_millis(300), Program::kill).await;

    std::fs::rename(file("older"), file("journal.db")).unwrap();
    for name in ["journal.db-wal", "journal.db-shm"] {
        std::fs::remove_file(file(name)).unwrap();
    }
    let refused = Program::try_start(data.path()).await.err().unwrap();
    let told = "is missing at the end: it was acknowledged, as the file `anchor` says";
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.printed.contains(told), "{refused:?}");
    let (code, printed) = gavel(&["journal", "verify"], data.path()).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains(told), "{printed}");

    std::fs::remove_file(file("anchor")).unwrap();
    let program = Program::start(data.path()).await;
    let (old, new) = (&memory.said()[..before], &memory.said()[before..]);
    nothing_wrong(0, &oracle::answers(&program.door(), old).await);
    let missed = oracle::answers(&program.door(), new).await;
    let answered = new.iter().filter(|said| said.ping().is_some()).count();
    assert!(answered > 0 && missed.len() >= answered, "{answered} answers, {missed:?}");
    let beyond = Recorded::read(data.path()).await.compare(&memory.said(), &market);
    assert!(
        beyond.iter().any(|fault| fault.contains("before its post was recorded")),
        "{beyond:?}"
    );
}

/// A program with one buyer at 12.00 and another at 8.00, and a lead posted to the first.
struct Interrupted {
    data: TempDir,
    first: Buyer,
    second: Buyer,
    ping: String,
}

/// What the first buyer says to the n-th post, and after what pause.
type Script = fn(usize) -> (u16, Value, Duration);

impl Interrupted {
    /// Kills the program once the first buyer has the lead, and once this many of its answers are recorded.
    async fn at_work(idempotent: bool, recorded: usize, script: Script) -> Self {
        let data = TempDir::new().unwrap();
        let (first, second) = (Buyer::scripted(script).await, Buyer::accepting().await);
        let program = Program::start(data.path()).await;
        let door = program.door();
        door.serve("auto-insurance").await;
        let terms = json!({"module": "auto-insurance", "reserve": "2.00", "increment": "0.01"});
        door.put("verticals/auto-insurance", terms).await;
        door.put("sources/web", json!({"key": crate::exchange::SOURCE_KEY})).await;
        for (name, buyer, price) in [("first", &first, "12.00"), ("second", &second, "8.00")] {
            let delivery = json!({"url": buyer.url(), "idempotent": idempotent});
            door.with_buyer(name, delivery, json!({"price": price})).await;
        }
        let ping = door.say("ping", None, &auto_ping()).await.unwrap().text("/ping_id").to_owned();
        let post = auto_post(&ping);
        let posting = door.clone();
        let posting = tokio::spawn(async move { posting.say("post", None, &post).await });
        until("the buyer has the lead", async || {
            let deliveries = door.receipt(&ping).await["deliveries"].as_array().unwrap().len();
            !first.received().is_empty() && deliveries == recorded
        })
        .await;
        program.kill().await;
        assert!(posting.await.unwrap().is_none(), "answered before the buyer did");
        Self { data, first, second, ping }
    }

    /// Waits until the receipt lists this many attempts; returns their outcomes.
    async fn attempts(&self, door: &Door, count: usize) -> String {
        let deliveries = async || door.receipt(&self.ping).await["deliveries"].clone();
        until("the attempts are recorded", async || {
            deliveries().await.as_array().unwrap().len() == count
        })
        .await;
        let deliveries = deliveries().await;
        let told = deliveries.as_array().unwrap().iter().map(|delivery| {
            format!(
                "{} {}",
                delivery["buyer"].as_str().unwrap(),
                delivery["outcome"].as_str().unwrap()
            )
        });
        told.collect::<Vec<String>>().join(", ")
    }
}

fn hangs_then_accepts(turn: usize) -> (u16, Value, Duration) {
    (200, json!({"status": "accepted"}), Duration::from_secs(if turn == 0 { 60 } else { 0 }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_without_the_promise_is_not_asked_again_after_a_crash() {
    let interrupted = Interrupted::at_work(false, 0, hangs_then_accepts).await;
    let program = Program::start(interrupted.data.path()).await;
    let door = program.door();
    assert_eq!(interrupted.attempts(&door, 1).await, "first unknown");
    assert_eq!(door.get("buyers/first").await.text("/held"), "8.01");
    // Another crash changes nothing about it.
    program.kill().await;
    let program = Program::start(interrupted.data.path()).await;
    let door = program.door();
    assert_eq!(door.receipt(&interrupted.ping).await["status"], "pending");
    resolve(&door, &interrupted.ping, "sold").await;
    assert_eq!(interrupted.attempts(&door, 2).await, "first unknown, first sold");
    assert_eq!(door.get("buyers/first").await.text("/held"), "0.00");
    let received = (interrupted.first.received().len(), interrupted.second.received().len());
    assert_eq!(received, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_buyer_gets_the_lead_once_the_operator_says_that_the_first_has_it_not() {
    let interrupted = Interrupted::at_work(false, 0, hangs_then_accepts).await;
    let program = Program::start(interrupted.data.path()).await;
    let door = program.door();
    assert_eq!(interrupted.attempts(&door, 1).await, "first unknown");
    resolve(&door, &interrupted.ping, "rejected").await;
    let attempts = interrupted.attempts(&door, 3).await;
    assert_eq!(attempts, "first unknown, first rejected, second sold");
    assert_eq!(interrupted.first.received().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_promised_idempotency_is_asked_again_under_the_same_key() {
    let interrupted = Interrupted::at_work(true, 0, hangs_then_accepts).await;
    let program = Program::start(interrupted.data.path()).await;
    let attempts = interrupted.attempts(&program.door(), 2).await;
    assert_eq!(attempts, "first unknown, first sold");
    let keys: Vec<String> = interrupted.first.received().into_iter().map(|(key, _)| key).collect();
    assert_eq!((keys.len(), &keys[0]), (2, &keys[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_calls_the_lead_a_duplicate_after_a_crash_may_have_it() {
    let interrupted = Interrupted::at_work(true, 0, |turn| match turn {
        0 => (200, json!({"status": "accepted"}), Duration::from_secs(60)),
        _ => (409, json!({"status": "duplicate"}), Duration::ZERO),
    })
    .await;
    let program = Program::start(interrupted.data.path()).await;
    let attempts = interrupted.attempts(&program.door(), 2).await;
    assert_eq!(attempts, "first unknown, first unknown");
    assert_eq!(interrupted.second.received().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_had_not_begun_is_made_after_a_crash() {
    let interrupted = Interrupted::at_work(false, 3, |turn| match turn {
        0..3 => (429, json!({}), Duration::ZERO),
        _ => (200, json!({"status": "accepted"}), Duration::ZERO),
    })
    .await;
    let program = Program::start(interrupted.data.path()).await;
    let attempts = interrupted.attempts(&program.door(), 4).await;
    assert_eq!(attempts, "first not-sent, first not-sent, first not-sent, first sold");
    assert_eq!(interrupted.first.received().len(), 4);
}
