//! The courier against buyers of every character, over real sockets.

use std::net::SocketAddr;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::*;

const LEAD: &str = r#"{"first_name":"Zoë","phone":"5551234567","email":"zoe@example.org"}"#;
/// Long enough for a loopback exchange on a busy machine.
const PATIENT: Duration = Duration::from_secs(5);
/// For buyers that never answer.
const HASTY: Duration = Duration::from_millis(150);

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Starts a buyer that treats every connection like this.
async fn buyer<F>(behave: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let (listener, address) = listen().await;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(behave(socket));
        }
    });
    address
}

/// Starts a buyer that reads the whole request, answers with these bytes and closes.
async fn answering(answer: impl AsRef<[u8]>) -> SocketAddr {
    let answer = answer.as_ref().to_vec();
    buyer(move |mut socket| {
        let answer = answer.clone();
        async move {
            request(&mut socket).await;
            let _closed = socket.write_all(&answer).await;
        }
    })
    .await
}

/// Reads a request to its end.
async fn request(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.unwrap().parse::<usize>().unwrap() {
                return text;
            }
        }
        if socket.read_buf(&mut bytes).await.unwrap() == 0 {
            return text;
        }
    }
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

async fn ship_to(url: &str, timeout: Duration) -> Outcome {
    let egress = Egress::public().allow_loopback();
    let destination = egress.check(url).unwrap();
    let courier = Courier::new(&egress).unwrap();
    let began = Instant::now();
    let outcome = courier.ship(shipment(&destination, timeout)).await;
    let late = began.elapsed().saturating_sub(timeout);
    assert!(late < Duration::from_millis(500), "{late:?} after its deadline: {outcome:?}");
    outcome
}

fn shipment(destination: &Destination, timeout: Duration) -> Shipment<'_> {
    let idempotency_key = "lead_1.buyer_2".into();
    let body = LEAD.as_bytes().to_vec().into();
    Shipment { destination, body, idempotency_key, timeout, headers: &[], signing: None, way: None }
}

/// Writes an outcome in one line.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sold { reference } => format!("sold {}", reference.as_deref().unwrap_or("-")),
        Outcome::Rejected { reason, .. } => format!("rejected: {reason}"),
        Outcome::Duplicate { reason } => format!("duplicate: {reason}"),
        Outcome::Unknown { why } => format!("unknown: {why}"),
        Outcome::Unreached { why } => format!("unreached: {why}"),
        Outcome::Absent { why } => format!("absent: {why}"),
        Outcome::Expired { why } => format!("expired: {why}"),
        Outcome::NotSent { why, retry_after: None } => format!("not sent: {why}"),
        Outcome::NotSent { why, retry_after: Some(wait) } => {
            format!("not sent for {} s: {why}", wait.as_secs())
        }
    }
}

/// Ships to the buyer and compares the outcome with a part of what it should be.
async fn check(buyer: SocketAddr, timeout: Duration, expected: &str) {
    let outcome = told(&ship_to(&format!("http://{buyer}/leads"), timeout).await);
    assert!(outcome.contains(expected), "expected `{expected}`, got `{outcome}`");
}

async fn check_answer(answer: impl AsRef<[u8]>, expected: &str) {
    check(answering(answer).await, PATIENT, expected).await;
}

#[tokio::test]
async fn a_buyer_gets_the_lead_with_everything_it_needs() {
    let (sent, mut received) = mpsc::unbounded_channel();
    let buyer = buyer(move |mut socket| {
        let sent = sent.clone();
        async move {
            sent.send(request(&mut socket).await).unwrap();
            let answer = http("200 OK", "", r#"{"status":"accepted","id":"B-77"}"#);
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let url = format!("http://{buyer}/leads?key=k");
    assert_eq!(told(&ship_to(&url, PATIENT).await), "sold B-77");
    let request = received.recv().await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, LEAD);
    let mut lines: Vec<&str> = head.lines().collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "POST /leads?key=k HTTP/1.1",
            "accept: application/json",
            &format!("content-length: {}", LEAD.len()),
            "content-type: application/json",
            &format!("host: {buyer}"),
            "idempotency-key: lead_1.buyer_2",
            concat!("user-agent: gavel/", env!("CARGO_PKG_VERSION")),
        ]
    );
}

#[tokio::test]
async fn a_no_is_a_no_under_any_status() {
    let no = r#"{"response":"failure","message":"no coverage"}"#;
    check_answer(http("200 OK", "", no), "rejected: no coverage").await;
    check_answer(http("422 Unprocessable", "", no), "rejected: no coverage").await;
    check_answer(http("404 Not Found", "", "<html>"), "rejected: answered 404").await;
    check_answer(http("409 Conflict", "", ""), "duplicate: answered 409").await;
}

#[tokio::test]
async fn a_buyer_that_repeats_the_person_is_not_quoted() {
    let reason = r#"{"status":"rejected","reason":"ZOË (555) 123-4567 / zoe@example.org\u0000 is\non file"}"#;
    check_answer(
        http("200 OK", "", reason),
        "rejected: [redacted] ([redacted] / [redacted]@[redacted].[redacted] is on file",
    )
    .await;
    let status = r#"{"status":"5551234567"}"#;
    check_answer(http("200 OK", "", status), "unknown: `status` of the answer is `[redacted]`")
        .await;
}

#[tokio::test]
async fn a_busy_buyer_was_not_reached_and_says_for_how_long() {
    fn busy(status: &str, headers: &str) -> String {
        http(status, headers, "")
    }
    check_answer(busy("503 Busy", "retry-after: 7\r\n"), "not sent for 7 s: answered 503").await;
    check_answer(busy("429 Slow down", "retry-after: 0\r\n"), "not sent for 0 s: answered 429")
        .await;
    check_answer(busy("429 Slow down", ""), "not sent: answered 429").await;
    check_answer(busy("429 Slow down", "retry-after: soon\r\n"), "not sent: answered 429").await;
    check_answer(
        busy("503 Busy", "retry-after: 99999999999999999999999\r\n"),
        "not sent for 3600 s: answered 503",
    )
    .await;
    let date = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let wait = |until: &str| busy("503 Busy", &format!("{date}retry-after: {until}\r\n"));
    check_answer(wait("Sun, 06 Nov 1994 08:50:07 GMT"), "not sent for 30 s: answered 503").await;
    check_answer(wait("Sun, 06 Nov 1994 08:49:07 GMT"), "not sent for 0 s: answered 503").await;
    check_answer(busy("503 Busy", ""), "unknown: answered 503").await;
    check_answer(busy("500 Oops", "retry-after: 7\r\n"), "unknown: answered 500").await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_understood_is_unknown() {
    check_answer("no http at all", "unknown: sent, but then: ").await;
    check_answer("", "unknown: sent, but then: connection closed before message completed").await;
    check_answer(http("200 OK", "", ""), "unknown: the answer is empty").await;
    check_answer(http("200 OK", "", "<p>accepted</p>"), "unknown: the answer is not a JSON").await;
    check_answer("HTTP/1.1 200 OK\r\n\r\n{\"status\":\"pending\"}", "`pending`, which is no").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_sale() {
    let yes = r#"{"status":"accepted"}"#;
    let cut = format!("HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{yes}");
    check_answer(&cut, "unknown: end of file before message length reached").await;
    let cut = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n15\r\n{yes}\r\n");
    check_answer(&cut, "unknown: ").await;
    check_answer(cut.clone() + "zz\r\n", "unknown: ").await;
    check_answer(cut + "0\r\n\r\n", "sold -").await;
}

#[tokio::test]
async fn a_compressed_answer_is_not_unpacked() {
    // `{"status":"accepted"}` as gzip makes it.
    let packed = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xabV*.I,)-V\xb2RJLNN-(IMQ\xaa\x05\x00\xbd\x833@\x15\x00\x00\x00";
    let head = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n";
    let mut answer = format!("{head}content-length: {}\r\n\r\n", packed.len()).into_bytes();
    answer.extend_from_slice(packed);
    let why = "unknown: the answer is compressed (gzip), which nobody asked for";
    check_answer(answer, why).await;
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    async fn flood(mut socket: TcpStream, head: &'static str, chunk: Vec<u8>) {
        request(&mut socket).await;
        socket.write_all(head.as_bytes()).await.unwrap();
        while socket.write_all(&chunk).await.is_ok() {}
    }
    let cut = "the answer is longer than 65536 bytes";
    let gigabyte = "HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n{";
    check(buyer(|socket| flood(socket, gigabyte, vec![b' '; 1 << 16])).await, PATIENT, cut).await;
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", " ".repeat(0x400)).into_bytes();
    check(buyer(move |socket| flood(socket, endless, chunk.clone())).await, PATIENT, cut).await;
    let refusal = "HTTP/1.1 422 No\r\ncontent-length: 1073741824\r\n\r\n{";
    let refusing = buyer(|socket| flood(socket, refusal, vec![b' '; 1 << 16])).await;
    check(refusing, PATIENT, "rejected: answered 422").await;
    let headers = buyer(|socket| flood(socket, "HTTP/1.1 200 OK\r\n", b"a: b\r\n".to_vec())).await;
    check(headers, PATIENT, "unknown: sent, but then: ").await;
    let header = buyer(|socket| flood(socket, "HTTP/1.1 200 OK\r\na: ", vec![b'a'; 1 << 16])).await;
    check(header, PATIENT, "unknown: sent, but then: ").await;
}

#[tokio::test]
async fn the_most_that_is_read_is_read() {
    let yes = r#"{"status":"accepted"}"#;
    let fits = format!("{yes}{}", " ".repeat(ANSWER_BYTES_MAX - yes.len()));
    check_answer(http("200 OK", "", &fits), "sold -").await;
    check_answer(http("200 OK", "", &format!("{fits} ")), "unknown: the answer is longer").await;
}

#[tokio::test]
async fn a_buyer_that_falls_silent_may_have_the_lead() {
    async fn silent(mut socket: TcpStream, beginning: &'static str) {
        request(&mut socket).await;
        socket.write_all(beginning.as_bytes()).await.unwrap();
        sleep(PATIENT).await;
    }
    let nothing = "unknown: sent, but then: nothing came back in 150 ms";
    let unread = buyer(|socket| async move {
        sleep(PATIENT).await;
        drop(socket);
    });
    check(unread.await, HASTY, nothing).await;
    check(buyer(|socket| silent(socket, "")).await, HASTY, nothing).await;
    check(buyer(|socket| silent(socket, "HTTP/1.1 200 OK\r\n")).await, HASTY, nothing).await;
    let began = "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"status\":";
    let cut = "unknown: the answer did not end in time";
    check(buyer(|socket| silent(socket, began)).await, HASTY, cut).await;
    let refused = "HTTP/1.1 422 No\r\ncontent-length: 21\r\n\r\n{\"status\":";
    let refusing = buyer(|socket| silent(socket, refused)).await;
    check(refusing, HASTY, "rejected: answered 422").await;
}

#[tokio::test]
async fn a_write_that_nobody_reads_ends_in_its_time() {
    let unread = buyer(|socket| async move {
        sleep(PATIENT).await;
        drop(socket);
    });
    let url = format!("http://{}/leads", unread.await);
    let destination = Egress::public().allow_loopback().check(&url).unwrap();
    let courier = Courier::new(&Egress::public().allow_loopback()).unwrap();
    // More than both ends of a connection hold: the rest of it is never taken.
    let body = vec![b' '; 32 << 20].into();
    let began = Instant::now();
    let outcome = courier.ship(Shipment { body, ..shipment(&destination, HASTY) }).await;
    assert_eq!(told(&outcome), "unknown: sent, but then: nothing came back in 150 ms");
    assert!(began.elapsed() < PATIENT, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_trickle_does_not_move_the_deadline() {
    let trickling = buyer(|mut socket| async move {
        request(&mut socket).await;
        let answer = http("200 OK", "", r#"{"status":"accepted"}"#);
        for byte in answer.bytes() {
            sleep(Duration::from_millis(20)).await;
            if socket.write_all(&[byte]).await.is_err() {
                break;
            }
        }
    });
    check(trickling.await, HASTY, "unknown: sent, but then: nothing came back in 150 ms").await;
}

#[tokio::test]
async fn what_never_reached_the_buyer_is_not_sent() {
    let (listener, closed) = listen().await;
    drop(listener);
    check(closed, PATIENT, "not sent: Connection refused").await;

    let plain = answering("HTTP/1.1 400 No TLS here\r\n\r\n").await;
    let outcome = ship_to(&format!("https://{plain}/"), HASTY).await;
    assert_eq!(outcome.name(), "not_sent", "{outcome:?}");

    let silent = buyer(|socket| async move {
        sleep(PATIENT).await;
        drop(socket);
    });
    let outcome = ship_to(&format!("https://{}/", silent.await), HASTY).await;
    assert_eq!(told(&outcome), "not sent: nothing came back in 150 ms");
}

#[tokio::test]
async fn a_destination_that_has_become_forbidden_is_not_called() {
    let (sent, mut called) = mpsc::unbounded_channel();
    let inner = buyer(move |_| {
        sent.send(()).unwrap();
        async {}
    })
    .await;
    let was_allowed = Egress::public().allow_loopback();
    let courier = Courier::new(&Egress::public()).unwrap();
    for url in [format!("http://{inner}/"), format!("https://{inner}/")] {
        let destination = was_allowed.check(&url).unwrap();
        let outcome = courier.ship(shipment(&destination, PATIENT)).await;
        assert!(told(&outcome).contains("127.0.0.1 is a loopback address"), "{outcome:?}");
    }
    assert!(called.try_recv().is_err(), "the inner address was called");
}

#[tokio::test]
async fn a_name_is_judged_when_it_is_connected_to() {
    let buyer = answering(http("200 OK", "", r#"{"sold":true}"#)).await;
    let url = format!("http://localhost:{}/", buyer.port());
    assert_eq!(told(&ship_to(&url, PATIENT).await), "sold -");

    let egress = Egress::public().allow_loopback();
    let turned = egress.refuse("127.0.0.0/8".parse().unwrap()).refuse("::1/128".parse().unwrap());
    let destination = turned.check(&url).unwrap();
    let outcome = Courier::new(&turned).unwrap().ship(shipment(&destination, PATIENT)).await;
    let outcome = told(&outcome);
    assert!(outcome.starts_with("not sent: `localhost` resolves to "), "{outcome}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (sent, mut called) = mpsc::unbounded_channel();
    let target = buyer(move |mut socket| {
        sent.send(()).unwrap();
        async move {
            let _closed = socket.write_all(http("200 OK", "", r#"{"sold":true}"#).as_bytes()).await;
        }
    })
    .await;
    for (status, expected) in [
        ("301 Moved", "rejected: answered 301"),
        ("302 Found", "unknown: answered 302"),
        ("303 See Other", "unknown: answered 303"),
        ("307 Elsewhere", "rejected: answered 307"),
        ("308 Elsewhere", "rejected: answered 308"),
    ] {
        check_answer(http(status, &format!("location: http://{target}/\r\n"), ""), expected).await;
    }
    assert!(called.try_recv().is_err(), "the redirect was followed");
}

#[tokio::test]
async fn what_cannot_be_a_request_is_not_sent() {
    let buyer = answering(http("200 OK", "", r#"{"sold":true}"#)).await;
    let egress = Egress::public().allow_loopback();
    let destination = egress.check(&format!("http://{buyer}/")).unwrap();
    let courier = Courier::new(&egress).unwrap();
    assert!(!format!("{:?}", shipment(&destination, PATIENT)).contains("Zo"));
    let empty = Shipment { body: Vec::new().into(), ..shipment(&destination, PATIENT) };
    assert_eq!(told(&courier.ship(empty).await), "not sent: there is nothing to send");
    let split = Shipment { idempotency_key: "a\r\nb: c".into(), ..shipment(&destination, PATIENT) };
    assert_eq!(courier.ship(split).await.name(), "not_sent");
    let endless = Shipment { timeout: Duration::MAX, ..shipment(&destination, PATIENT) };
    assert_eq!(courier.ship(endless).await.name(), "sold");
}

#[test]
fn every_attempt_is_counted_once_under_its_outcome() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            check_answer(http("200 OK", "", r#"{"sold":true}"#), "sold -").await;
            check_answer(http("200 OK", "", r#"{"sold":true}"#), "sold -").await;
            check_answer(http("500 Oops", "", ""), "unknown: answered 500").await;
        });
    });
    let counts = counted.render();
    let mut counts: Vec<&str> = counts.lines().filter(|line| line.contains('{')).collect();
    counts.sort_unstable();
    assert_eq!(
        counts,
        [
            r#"gavel_delivery_attempts_total{outcome="sold"} 2"#,
            r#"gavel_delivery_attempts_total{outcome="unknown"} 1"#,
        ]
    );
}
