//! The sources' side: a process of its own, so that the time the server is on the CPU is the server's alone.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

use crate::dice::Dice;
use crate::market;

const CONNECTIONS: u64 = 64;
/// The word by which this program knows that it is to be the load.
const WORD: &str = "load";

/// What the sources saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) answers: f64,
    /// Of them, those that say `accepted`.
    pub(crate) accepted: f64,
    /// The wait for an answer, in seconds: half are quicker, and 99 in 100.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Sends pings over 64 connections that stay open, each waiting for its answer before it sends the next.
pub(crate) async fn send(url: &str, key: &str, seed: u64, time: Duration) -> Seen {
    let program = std::env::current_exe().unwrap();
    let arguments = [
        WORD.to_owned(),
        url.to_owned(),
        key.to_owned(),
        seed.to_string(),
        time.as_millis().to_string(),
    ];
    let load =
        Command::new(program).args(arguments).stderr(Stdio::inherit()).output().await.unwrap();
    let seen: Value = serde_json::from_slice(&load.stdout).unwrap();
    let number = |name: &str| seen.get(name).and_then(Value::as_f64).unwrap();
    Seen {
        answers: number("answers"),
        accepted: number("accepted"),
        p50: number("p50"),
        p99: number("p99"),
    }
}

/// Is the load and returns true, if that is what this process was started as.
pub(crate) fn is_load() -> bool {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [word, url, key, seed, time_ms] = arguments.as_slice() else { return false };
    if word != WORD {
        return false;
    }
    let time = Duration::from_millis(time_ms.parse().unwrap());
    let seed: u64 = seed.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut waits, accepted) = runtime.block_on(async {
        let until = Instant::now() + time;
        let connections = (0..CONNECTIONS).map(|connection| {
            let (url, key) = (url.clone(), key.clone());
            tokio::spawn(async move { converse(&url, &key, seed + connection, until).await })
        });
        let connections: Vec<_> = connections.collect();
        let (mut waits, mut accepted) = (Vec::new(), 0_usize);
        for connection in connections {
            let (more, of_them) = connection.await.unwrap();
            waits.extend(more);
            accepted += of_them;
        }
        (waits, accepted)
    });
    waits.sort_unstable();
    let wait = |percent: usize| waits.get(waits.len() * percent / 100).unwrap().as_secs_f64();
    let (p50, p99) = (wait(50), wait(99));
    println!("{}", json!({"answers": waits.len(), "accepted": accepted, "p50": p50, "p99": p99}));
    true
}

async fn converse(url: &str, key: &str, seed: u64, until: Instant) -> (Vec<Duration>, usize) {
    let (host, path) = url.split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut dice = Dice::of(seed << 20);
    let (mut waits, mut accepted, mut answer) = (Vec::new(), 0, Vec::new());
    while Instant::now() < until {
        let body = market::ping(&mut dice);
        let request = format!(
            "POST /{path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len(),
        );
        let asked = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        read(&mut stream, &mut answer).await;
        waits.push(asked.elapsed());
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        accepted += usize::from(answer.contains("\"accepted\""));
    }
    (waits, accepted)
}

/// Reads one answer whole.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) {
    const LENGTH: &str = "content-length: ";
    answer.clear();
    loop {
        assert!(stream.read_buf(answer).await.unwrap() > 0, "the server hung up");
        let text = String::from_utf8_lossy(answer);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix(LENGTH)).unwrap();
        if body.len() >= length.parse().unwrap() {
            return;
        }
    }
}
