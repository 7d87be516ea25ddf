//! Processes that are killed or stop themselves while they write.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use super::*;

const SIGABRT: i32 = 6;
/// Set in the processes that these tests start, to the directory in which to write.
const CHILD: &str = "GAVEL_TEST_JOURNAL_CHILD";

/// Runs this one test again in a process of its own, under `wrapper`, with the directory to write in.
fn child(test: &str, wrapper: &[&str], directory: &Path) -> Command {
    let program = std::env::current_exe().unwrap();
    let mut words = wrapper.iter().map(std::ffi::OsStr::new).chain([program.as_os_str()]);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).args([
        &format!("journal::tests::stopping::{test}"),
        "--exact",
        "--nocapture",
    ]);
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
        let journal = open(Path::new(&directory)).await;
        commit(&journal, record(2)).await;
        let seat = journal.seat().await.unwrap();
        let _ignored = seat.fill(Record { entries: vec![bad], ..record(4) }).wait().await;
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
