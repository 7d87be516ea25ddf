//! What the journal promises, tried out on real files and real processes.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;
use crate::storage::tamper;

const SIGABRT: i32 = 6;
/// Set in the processes that these tests start, to the directory in which to write.
const CHILD: &str = "GAVEL_TEST_JOURNAL_CHILD";

/// Fact number `n` of a test: every third is about nothing, the others about ping `n / 3`; every second moves money.
fn record(n: u64) -> Record {
    let amount = Micros::new(1_000 + i64::try_from(n).unwrap());
    let entry = |account: &str, amount| Entry { account: account.to_owned(), amount, code: "sale" };
    let back = Micros::ZERO.checked_sub(amount).unwrap();
    Record {
        at: Moment::from_unix_ms(1_767_225_600_000 + i64::try_from(n).unwrap()),
        subject: (!n.is_multiple_of(3)).then_some(u128::from(n / 3)),
        kind: 7,
        payload: format!("fact number {n}").into_bytes(),
        entries: match n % 2 {
            0 => vec![entry("buyer:acme:prepaid", amount), entry("source:x:payable", back)],
            _ => Vec::new(),
        },
        ..Record::default()
    }
}

async fn open(directory: &Path) -> Journal {
    let mut opened = Journal::open(directory).await.unwrap();
    opened.recover(|_| Ok::<_, Infallible>(())).await.unwrap();
    opened.start().unwrap()
}

async fn commit(journal: &Journal, record: Record) -> u64 {
    journal.seat().await.unwrap().fill(record).wait().await.unwrap()
}

/// A closed journal with this many facts.
async fn journal_of(facts: u64) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    for n in 1..=facts {
        commit(&journal, record(n)).await;
    }
    journal.close().await;
    directory
}

/// What `recover` says, and how many facts it gave out before.
async fn recovered(directory: &Path) -> (u64, String) {
    let mut facts = 0;
    let mut opened = match Journal::open(directory).await {
        Ok(opened) => opened,
        Err(error) => return (0, error.to_string()),
    };
    let read = opened.recover(|_| {
        facts += 1;
        Ok::<_, Infallible>(())
    });
    let said = read.await.map_or_else(|error| error.to_string(), |_| "holds".to_owned());
    (facts, said)
}

/// What a kill at this moment would leave in the directory.
fn copy(from: &Path, to: &Path) {
    for name in ["journal.db", "journal.db-wal", "anchor"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_order_of_filling_is_the_order_of_the_journal() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let last = Arc::new(Mutex::new(0_u64));
    let fillers = (0..64).map(|_| {
        let (journal, last) = (journal.clone(), Arc::clone(&last));
        tokio::spawn(async move {
            for _ in 0..20 {
                let seat = journal.seat().await.unwrap();
                let (n, committed) = {
                    let mut last = last.lock().unwrap();
                    *last += 1;
                    (*last, seat.fill(record(*last)))
                };
                assert_eq!(committed.wait().await, Ok(n));
                assert!(journal.head().seq >= n);
            }
        })
    });
    for filler in fillers.collect::<Vec<_>>() {
        filler.await.unwrap();
    }
    let facts = journal.read(0, usize::MAX).await.unwrap();
    assert_eq!(facts.len(), 64 * 20);
    for (n, fact) in (1..).zip(facts) {
        assert_eq!((fact.seq, fact.payload), (n, record(n).payload));
    }
    journal.close().await;
}

#[tokio::test]
async fn what_was_filled_before_is_durable_once_the_journal_is_settled() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    for n in 1..=5 {
        drop(journal.seat().await.unwrap().fill(record(n)));
    }
    journal.settled().await.unwrap();
    assert_eq!(journal.read(0, usize::MAX).await.unwrap().len(), 5);
    journal.close().await;
}

#[tokio::test]
async fn recovery_gives_back_every_fact_and_the_next_one_follows() {
    let directory = journal_of(10).await;
    let mut opened = Journal::open(directory.path()).await.unwrap();
    let mut facts = Vec::new();
    let audit = opened.recover(|fact| {
        facts.push(fact);
        Ok::<_, Infallible>(())
    });
    let audit = audit.await.unwrap();
    assert_eq!((audit.entries(), audit.accounts(), audit.sum()), (10, 2, 0));
    for (n, fact) in (1..).zip(&facts) {
        let record = record(n);
        assert_eq!((fact.seq, fact.at, fact.subject), (n, record.at, record.subject));
        assert_eq!((fact.kind, &fact.payload), (record.kind, &record.payload));
    }
    assert_eq!(facts.len(), 10);
    let journal = opened.start().unwrap();
    assert_eq!(journal.head(), audit.head());
    assert_eq!(commit(&journal, record(11)).await, 11);
    assert_eq!(journal.history(3).await.unwrap().len(), 2);
    journal.close().await;
    assert_eq!(verify(directory.path()).await.unwrap().head().seq, 11);
}

#[tokio::test]
async fn recovery_stops_where_a_fact_is_not_accepted() {
    let directory = journal_of(5).await;
    let mut opened = Journal::open(directory.path()).await.unwrap();
    let read = opened.recover(|fact| if fact.seq < 3 { Ok(()) } else { Err("of an unknown kind") });
    assert!(matches!(
        read.await,
        Err(AuditError::Refused { seq: 3, source: "of an unknown kind" })
    ));
}

#[tokio::test]
async fn a_change_behind_the_journals_back_is_found_and_named() {
    const FREE: &str = "DROP TRIGGER fact_stays; DROP TRIGGER fact_holds; DROP TRIGGER entry_stays; DROP TRIGGER entry_holds;";
    let changed = "or its entries were changed: they do not give its hash";
    for (sql, says) in [
        ("UPDATE fact SET at = at + 1 WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET subject = zeroblob(16) WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET subject = NULL WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET kind = 8 WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET payload = x'66' WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE fact SET hash = zeroblob(32) WHERE seq = 4", format!("fact 4 {changed}")),
        ("UPDATE entry SET amount = amount + 1 WHERE seq = 4 AND leg = 0", format!("fact 4 {changed}")),
        ("UPDATE entry SET account = 'buyer:other:prepaid' WHERE seq = 4 AND leg = 0", format!("fact 4 {changed}")),
        ("UPDATE entry SET code = 'gift' WHERE seq = 4 AND leg = 0", format!("fact 4 {changed}")),
        ("UPDATE entry SET leg = 2 WHERE seq = 4 AND leg = 0", format!("fact 4 {changed}")),
        ("DELETE FROM entry WHERE seq = 4", format!("fact 4 {changed}")),
        ("INSERT INTO entry VALUES (5, 0, 'a', 1, 'x'), (5, 1, 'b', -1, 'x')", format!("fact 5 {changed}")),
        ("UPDATE fact SET subject = x'00' WHERE seq = 4", "fact 4 cannot be read: column `subject` of table `fact` is malformed".into()),
        ("UPDATE fact SET hash = x'00' WHERE seq = 4", "fact 4 cannot be read: column `hash` of table `fact` is malformed".into()),
        ("UPDATE fact SET kind = 65536 WHERE seq = 4", "fact 4 cannot be read: column `kind` of table `fact` is malformed".into()),
        ("DELETE FROM fact WHERE seq = 4", "fact 4 is missing, though later facts are there".into()),
        ("UPDATE fact SET seq = 10 WHERE seq = 4", "fact 4 is missing, though later facts are there".into()),
        ("DELETE FROM fact WHERE seq = 8", "fact 8 is missing at the end: the database says that it was written".into()),
        ("DELETE FROM fact", "fact 1 is missing at the end: the database says that it was written".into()),
        ("INSERT INTO fact VALUES (9, 0, NULL, 7, x'', zeroblob(32))", "fact 9 is newer than the one that the database says is the newest".into()),
        ("INSERT INTO entry VALUES (9, 0, 'a', 1, 'x')", "fact 9 does not exist but has entries".into()),
        ("UPDATE head SET hash = zeroblob(32)", "fact 8 is not the one that the database says is the newest".into()),
        (
            "DELETE FROM fact WHERE seq > 6; DELETE FROM entry WHERE seq > 6; \
             UPDATE head SET seq = 6, hash = (SELECT hash FROM fact WHERE seq = 6)",
            "fact 7 is missing at the end: it was acknowledged, as the file `anchor` says".into(),
        ),
        (
            "UPDATE balance SET amount = amount + 5 WHERE account = 'source:x:payable'",
            "fact 8 is the newest, and up to it the balance of `source:x:payable` is -4015 millionths, \
             not the sum of its entries, -4020".into(),
        ),
    ] {
        let directory = journal_of(8).await;
        let database = directory.path().join("journal.db");
        tamper(&database, FREE).await;
        tamper(&database, sql).await;
        assert_eq!(recovered(directory.path()).await.1, says, "{sql}");
        let verified = verify(directory.path()).await.map(|audit| audit.head());
        assert_eq!(verified.unwrap_err().to_string(), says, "{sql}");
    }
}

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_facts_and_entries() {
    let directory = journal_of(4).await;
    let database = directory.path().join("journal.db");
    for sql in [
        "UPDATE fact SET at = 0",
        "DELETE FROM fact",
        "UPDATE entry SET amount = 0",
        "DELETE FROM entry",
    ] {
        let database = database.clone();
        let tampering = tokio::spawn(async move { tamper(&database, sql).await });
        assert!(tampering.await.is_err(), "{sql}");
    }
    assert!(verify(directory.path()).await.is_ok());
}

#[tokio::test]
async fn any_flipped_byte_of_the_file_is_found_or_changes_no_fact() {
    let directory = journal_of(60).await;
    let database = directory.path().join("journal.db");
    let (whole, facts) =
        (std::fs::read(&database).unwrap(), peek(directory.path(), 0, 100).await.unwrap());
    let mut found = 0;
    // A prime step, so that it falls on every part of a page.
    for place in (0..whole.len()).step_by(127) {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x20;
        std::fs::write(&database, flipped).unwrap();
        match verify(directory.path()).await {
            Err(_) => found += 1,
            Ok(_) => {
                assert_eq!(peek(directory.path(), 0, 100).await.unwrap(), facts, "byte {place}")
            }
        }
    }
    assert!(found > 50, "{found} found");
}

#[tokio::test]
async fn a_log_that_lost_its_end_is_refused_by_its_anchor_and_holds_without() {
    let (directory, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(directory.path()).await;
    for n in 1..=20 {
        commit(&journal, record(n)).await;
    }
    copy(directory.path(), image.path());
    let log = std::fs::read(image.path().join("journal.db-wal")).unwrap();
    journal.close().await;
    let mut ends = std::collections::BTreeSet::new();
    // Before, at and after the end of each page of the log.
    let cuts =
        (32..log.len()).step_by(4096 + 24).flat_map(|end| [end - 1, end, end + 1, end + 2000]);
    for cut in cuts.filter(|cut| *cut < log.len()) {
        for anchored in [true, false] {
            let place = tempfile::tempdir().unwrap();
            copy(image.path(), place.path());
            std::fs::write(place.path().join("journal.db-wal"), &log[..cut]).unwrap();
            if !anchored {
                std::fs::remove_file(place.path().join("anchor")).unwrap();
            }
            match (anchored, recovered(place.path()).await) {
                (false, (facts, said)) => {
                    assert_eq!(said, "holds", "cut at {cut}");
                    ends.insert(facts);
                }
                (true, (_, said)) => {
                    assert!(said.contains("as the file `anchor` says"), "cut at {cut}: {said}");
                }
            }
        }
    }
    assert_eq!(ends, (0..20).collect());
}

#[tokio::test]
async fn a_flipped_byte_in_the_log_loses_nothing_silently() {
    let (directory, image) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let journal = open(directory.path()).await;
    for n in 1..=5 {
        commit(&journal, record(n)).await;
    }
    copy(directory.path(), image.path());
    let log = std::fs::read(image.path().join("journal.db-wal")).unwrap();
    journal.close().await;
    let mut refused = 0;
    for flip in (0..log.len()).step_by(1511) {
        let place = tempfile::tempdir().unwrap();
        copy(image.path(), place.path());
        let mut flipped = log.clone();
        flipped[flip] ^= 1;
        std::fs::write(place.path().join("journal.db-wal"), flipped).unwrap();
        match recovered(place.path()).await {
            (5, said) if said == "holds" => (),
            (_, said) => {
                assert!(said.contains("as the file `anchor` says"), "byte {flip}: {said}");
                refused += 1;
            }
        }
    }
    assert!(refused > 10, "{refused} refused");
}

#[tokio::test]
async fn a_second_open_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let second = Journal::open(directory.path()).await.unwrap_err().to_string();
    assert!(second.contains("in use by another process"), "{second}");
    commit(&journal, record(1)).await;
    // Reading beside the writer is fine.
    assert_eq!(verify(directory.path()).await.unwrap().head(), journal.head());
    journal.close().await;
    open(directory.path()).await.close().await;
}

#[tokio::test]
async fn a_damaged_anchor_is_refused() {
    let directory = journal_of(3).await;
    std::fs::write(directory.path().join("anchor"), b"something else").unwrap();
    let (_, said) = recovered(directory.path()).await;
    assert!(said.contains("it is unknown how far the journal was acknowledged"), "{said}");
    std::fs::remove_file(directory.path().join("anchor")).unwrap();
    assert_eq!(recovered(directory.path()).await, (3, "holds".to_owned()));
}

#[tokio::test]
async fn where_there_is_no_journal_there_is_nothing_to_verify() {
    let directory = tempfile::tempdir().unwrap();
    let error = verify(directory.path()).await.unwrap_err();
    assert!(error.to_string().starts_with("there is no journal in "), "{error}");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_journal_of_a_newer_program_is_refused() {
    let directory = journal_of(1).await;
    let newer = "INSERT INTO _sqlx_migrations SELECT 999, 'newer', installed_on, success, checksum, 0 FROM _sqlx_migrations";
    tamper(&directory.path().join("journal.db"), newer).await;
    let error = Journal::open(directory.path()).await.unwrap_err();
    assert_eq!(error.to_string(), "the database's schema cannot be brought up to date");
}

#[tokio::test]
async fn no_more_records_wait_than_the_queue_holds() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let mut seats: Vec<Seat> =
        (0..QUEUE_RECORDS_MAX).map(|_| journal.try_seat().unwrap()).collect();
    assert_eq!(journal.try_seat().unwrap_err(), Full::Queue);
    let waiting = {
        let journal = journal.clone();
        tokio::spawn(async move { commit(&journal, record(2)).await })
    };
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    assert_eq!(seats.pop().unwrap().fill(record(1)).wait().await, Ok(1));
    assert_eq!(waiting.await.unwrap(), 2);
    drop(seats);
    journal.close().await;
}

#[tokio::test]
async fn closing_waits_for_every_seat_that_was_given_out() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let seat = journal.seat().await.unwrap();
    let closing = tokio::spawn(journal.clone().close());
    while !matches!(journal.try_seat(), Err(Full::Closed(Closed))) {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    assert_eq!(seat.fill(record(1)).wait().await, Ok(1));
    closing.await.unwrap();
    assert_eq!(journal.seat().await.map(drop), Err(Closed));
    assert_eq!(recovered(directory.path()).await, (1, "holds".to_owned()));
}

fn duty(subject: u128, step: u32) -> Duty {
    let due = Moment::from_unix_ms(5);
    Duty {
        key: DutyKey { subject, step },
        kind: 3,
        due,
        attempts: 0,
        payload: b"tell acme".to_vec(),
    }
}

#[tokio::test]
async fn duties_come_change_and_go_with_the_facts_that_say_so() {
    use DutyChange::{Add, Done, Reschedule};
    let again = |subject, step, ms, attempts| Reschedule {
        key: DutyKey { subject, step },
        due: Moment::from_unix_ms(ms),
        attempts,
    };
    let of = |duties| Record { duties, ..record(1) };
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    // One record may change one duty more than once, and so may one batch.
    let changes = vec![
        of((0..5).map(|step| Add(duty(1, step))).collect()),
        of(vec![again(1, 0, 70, 1), Done(DutyKey { subject: 1, step: 1 }), again(1, 1, 80, 1)]),
        of(vec![Done(DutyKey { subject: 1, step: 2 }), Add(duty(1, 2)), again(1, 2, 90, 2)]),
        of(vec![
            again(1, 3, 60, 1),
            again(1, 3, 61, 2),
            again(9, 9, 1, 1),
            Done(DutyKey { subject: 8, step: 8 }),
        ]),
        of(vec![Done(DutyKey { subject: 1, step: 4 })]),
    ];
    let expected: Vec<(u32, i64, u32)> = vec![(0, 70, 1), (2, 90, 2), (3, 61, 2)];
    let seen = |duties: Vec<Duty>| -> Vec<(u32, i64, u32)> {
        duties.iter().map(|duty| (duty.key.step, duty.due.unix_ms(), duty.attempts)).collect()
    };
    for change in changes.clone() {
        commit(&journal, change).await;
    }
    journal.close().await;
    let opened = Journal::open(directory.path()).await.unwrap();
    assert_eq!(seen(opened.duties().await.unwrap()), expected);

    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let mut last = None;
    let seats: Vec<Seat> = changes.iter().map(|_| journal.try_seat().unwrap()).collect();
    for (seat, change) in seats.into_iter().zip(changes) {
        last = Some(seat.fill(change));
    }
    assert_eq!(last.unwrap().wait().await, Ok(5));
    journal.close().await;
    let opened = Journal::open(directory.path()).await.unwrap();
    assert_eq!(seen(opened.duties().await.unwrap()), expected);
}

#[tokio::test]
async fn a_person_can_be_forgotten_and_the_chain_still_holds() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let sealed = b"sealed name and telephone".to_vec();
    let put = ContactChange::Put { subject: 4, sealed: sealed.clone() };
    commit(&journal, Record { contact: Some(put), ..record(1) }).await;
    assert_eq!(journal.contact(4).await.unwrap(), Some(sealed.clone()));
    assert_eq!(journal.contact(5).await.unwrap(), None);
    let forget = ContactChange::Drop { subject: 4 };
    commit(&journal, Record { contact: Some(forget), ..record(2) }).await;
    assert_eq!(journal.contact(4).await.unwrap(), None);
    journal.close().await;
    assert_eq!(recovered(directory.path()).await, (2, "holds".to_owned()));
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(sealed.len()).any(|window| window == sealed));
    }
}

#[tokio::test]
async fn balances_and_statements_follow_the_entries() {
    let directory = journal_of(7).await;
    let journal = open(directory.path()).await;
    let balances = journal.balances().await.unwrap();
    let sum = 1_002 + 1_004 + 1_006;
    assert_eq!(
        balances,
        [
            ("buyer:acme:prepaid".to_owned(), Micros::new(sum)),
            ("source:x:payable".to_owned(), Micros::new(-sum))
        ]
    );
    let lines = journal.statement("source:x:payable", 2).await.unwrap();
    let lines: Vec<_> =
        lines.iter().map(|line| (line.seq, line.subject, line.amount.get(), &*line.code)).collect();
    assert_eq!(lines, [(6, None, -1_006, "sale"), (4, Some(1), -1_004, "sale")]);
    journal.close().await;
}

#[tokio::test]
async fn a_module_is_known_by_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let journal = open(directory.path()).await;
    let (wasm, other) = (b"\0asm".to_vec(), Digest::of(b"other"));
    let digest = Digest::of(&wasm);
    journal.put_module(digest, wasm.clone()).await.unwrap();
    journal.put_module(digest, wasm.clone()).await.unwrap();
    assert_eq!(journal.module(digest).await.unwrap(), Some(wasm));
    assert_eq!(journal.module(other).await.unwrap(), None);
    tamper(&directory.path().join("journal.db"), "UPDATE module SET wasm = x'00'").await;
    assert!(
        matches!(journal.module(digest).await, Err(JournalError::Module(damaged)) if damaged == digest)
    );
    journal.close().await;
}

/// Runs this one test again in a process of its own, under `wrapper`, with the directory to write in.
fn child(test: &str, wrapper: &[&str], directory: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut words = wrapper.iter().map(std::ffi::OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args([&format!("journal::tests::{test}"), "--exact", "--nocapture"]);
    command
        .env(CHILD, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Writes without end from many tasks, and says on standard output what was acknowledged.
fn write_forever(directory: &Path) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let journal = open(directory).await;
        let fillers = (0..32).map(|filler| {
            let journal = journal.clone();
            tokio::spawn(async move {
                for n in 0.. {
                    let payload = format!("filler {filler} record {n} {}", "x".repeat(400));
                    let record = Record { payload: payload.clone().into_bytes(), ..record(n) };
                    let seq = commit(&journal, record).await;
                    writeln!(std::io::stdout(), "acknowledged {seq} {payload}").unwrap();
                }
            })
        });
        for filler in fillers.collect::<Vec<_>>() {
            filler.await.unwrap();
        }
    });
}

/// Takes what a process said it was acknowledged, up to `count` lines.
fn acknowledged(from: impl std::io::Read, count: usize) -> HashMap<u64, Vec<u8>> {
    let lines = BufReader::new(from).lines().map_while(Result::ok);
    let said = lines.filter_map(|line| {
        let (seq, payload) = line.strip_prefix("acknowledged ")?.split_once(' ')?;
        Some((seq.parse().unwrap(), payload.as_bytes().to_vec()))
    });
    said.take(count).collect()
}

async fn assert_all_there(directory: &Path, mut acknowledged: HashMap<u64, Vec<u8>>) {
    let mut opened = Journal::open(directory).await.unwrap();
    let read = opened.recover(|fact| match acknowledged.remove(&fact.seq) {
        Some(payload) if payload != fact.payload => Err("another payload"),
        _ => Ok(()),
    });
    let audit = read.await.unwrap();
    assert_eq!(audit.sum(), 0);
    assert!(acknowledged.is_empty(), "{} acknowledged but lost", acknowledged.len());
}

#[tokio::test]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return std::thread::scope(|scope| {
            scope.spawn(|| write_forever(directory.as_ref())).join().unwrap()
        });
    }
    let directory = tempfile::tempdir().unwrap();
    for round in 1..=8 {
        let mut writer =
            child("a_kill_loses_nothing_that_was_acknowledged", &["env"], directory.path())
                .spawn()
                .unwrap();
        let acknowledged = acknowledged(writer.stdout.as_mut().unwrap(), 150 * round);
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_eq!(acknowledged.len(), 150 * round);
        assert_all_there(directory.path(), acknowledged).await;
    }
}

#[tokio::test]
async fn a_full_disk_stops_the_process_and_loses_nothing_that_was_acknowledged() {
    if let Some(directory) = std::env::var_os(CHILD) {
        return std::thread::scope(|scope| {
            scope.spawn(|| write_forever(directory.as_ref())).join().unwrap()
        });
    }
    let directory = tempfile::tempdir().unwrap();
    // No file may grow beyond 2000 blocks of 512 bytes; writing on fails, as on a full disk.
    let limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 2000; exec \"$@\"", "sh"];
    let test = "a_full_disk_stops_the_process_and_loses_nothing_that_was_acknowledged";
    let output = child(test, &limited, directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(SIGABRT), "{said}");
    assert!(said.contains("the process stops without another acknowledgement"), "{said}");
    let acknowledged = acknowledged(&*output.stdout, usize::MAX);
    assert!(acknowledged.len() > 100, "{}", acknowledged.len());
    assert_all_there(directory.path(), acknowledged).await;
}

#[tokio::test]
async fn legs_that_do_not_sum_to_zero_stop_the_process_and_never_reach_the_disk() {
    let bad = Entry { account: "cash".to_owned(), amount: Micros::new(1), code: "gift" };
    if let Some(directory) = std::env::var_os(CHILD) {
        let journal = open(directory.as_ref()).await;
        commit(&journal, record(2)).await;
        let seat = journal.seat().await.unwrap();
        let _ = seat.fill(Record { entries: vec![bad], ..record(4) }).wait().await;
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let test = "legs_that_do_not_sum_to_zero_stop_the_process_and_never_reach_the_disk";
    let output = child(test, &["env"], directory.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(SIGABRT), "{said}");
    assert!(said.contains("the legs of a record of kind 7 sum to 1 millionths"), "{said}");
    let audit = verify(directory.path()).await.unwrap();
    assert_eq!((audit.head().seq, audit.entries()), (1, 2));
}
