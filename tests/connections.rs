//! Connections: who says nothing is not waited for, and no address has all of them.

use std::sync::Arc;
use std::time::Duration;

use gavel::config::Config;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::exchange::Exchange;

/// Connects from an address of this machine.
async fn connect(exchange: &Exchange, from: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(exchange.addr()).await.unwrap()
}

/// Says something on a connection, and returns the line that answers; nothing if it was closed without one.
async fn told(stream: &mut TcpStream, said: &str) -> Option<String> {
    stream.write_all(said.as_bytes()).await.ok()?;
    let mut answer = vec![0; 4_096];
    let read = timeout(Duration::from_secs(10), stream.read(&mut answer)).await.unwrap();
    let text = String::from_utf8_lossy(&answer[..read.unwrap_or(0)]).into_owned();
    text.lines().next().map(str::to_owned)
}

async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    let mut byte = [0];
    matches!(timeout(within, stream.read(&mut byte)).await, Ok(Ok(0) | Err(_)))
}

#[tokio::test]
async fn who_says_nothing_or_never_comes_to_the_point_is_not_waited_for() {
    let exchange = Exchange::open().await;
    let mut streams = Vec::new();
    for said in ["", "P", "PRI * HTTP/2.0\r\n\r\n", "GET /healthz HT"] {
        let mut stream = connect(&exchange, "127.0.0.1").await;
        stream.write_all(said.as_bytes()).await.unwrap();
        streams.push((said, stream));
    }
    for (said, mut stream) in streams {
        assert!(is_closed(&mut stream, Duration::from_secs(9)).await, "{said:?}");
    }
}

#[tokio::test]
async fn no_address_has_all_connections() {
    let eight = |config| Config { connections_max: 8, ..config };
    let exchange = Exchange::open_as(Arc::new(TempDir::new().unwrap()), eight).await;
    let mut crowd = Vec::new();
    for _ in 0..8 {
        crowd.push(connect(&exchange, "127.0.0.2").await);
    }
    let mut neighbour = connect(&exchange, "127.0.0.3").await;
    let answer = told(&mut neighbour, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(answer.as_deref(), Some("HTTP/1.1 200 OK"));
    let mut closed = 0;
    for stream in &mut crowd {
        closed += u32::from(is_closed(stream, Duration::from_millis(200)).await);
    }
    assert_eq!(closed, 4);
}

#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_is_refused() {
    let exchange = Exchange::open().await;
    let good = Some("HTTP/1.1 200 OK");
    let bad = Some("HTTP/1.1 400 Bad Request");
    for (head, expected) in [
        ("Host: a\r\n", good),
        ("Host: a\r\nContent-Length: 0\r\n", good),
        ("Host: a\r\nContent-Length: 0\r\nContent-Length: 1\r\n", bad),
        ("Host: a\r\nTransfer-Encoding: gzip, chunked\r\n", bad),
        ("Host: a\r\nHost: b\r\n", bad),
        ("", bad),
    ] {
        let mut stream = connect(&exchange, "127.0.0.1").await;
        let said = format!("GET /healthz HTTP/1.1\r\n{head}\r\n");
        assert_eq!(told(&mut stream, &said).await.as_deref(), expected, "{head:?}");
    }
}
