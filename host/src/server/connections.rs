//! Connections: accepted within limits, served, drained. One that does nothing is closed.

mod patience;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Version, header};
use axum::response::IntoResponse as _;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::problem::Problem;
use crate::berths::{Berth, Berths};
use patience::{Patience, Watched};

/// How long a client may take to send a request's head.
const HEAD_READ_MAX: Duration = Duration::from_secs(5);
/// The most bytes and lines of a request's head.
const HEAD_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;
/// The most requests that one HTTP/2 connection may have open.
const STREAMS_MAX: u32 = 128;
/// How long open requests may take to finish once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long accepting rests after it failed, as it does when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// File descriptors beside those of the connections: for buyers, receivers of postbacks and the disk.
const OTHER_DESCRIPTORS: u64 = 16_384;

/// Serves until `stopping`, then lets open requests finish within [`GRACE`].
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    connections_max: usize,
    stopping: CancellationToken,
) {
    let berths = Berths::new(connections_max);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => break,
        };
        let (stream, whose) = match accepted {
            Ok((stream, peer)) => (stream, whose(peer.ip())),
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Some(berth) = berths.try_berth(&whose) else {
            metrics::counter!("gavel_connections_refused_total").increment(1);
            tracing::debug!(%whose, "connection refused: as many are open as one address may have");
            continue;
        };
        attend(stream, &routes, &graceful, berth);
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!(grace = ?GRACE, "requests not finished in time, stopping anyway");
    }
}

/// Lets the process open as many files as so many connections take beside everything else, and returns how many
/// connections there may be: no more than half of what the system allows.
pub(super) fn most(connections_max: usize) -> usize {
    let wanted = u64::try_from(connections_max).unwrap_or(u64::MAX);
    let wanted = wanted.saturating_add(OTHER_DESCRIPTORS);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let mut files = current.unwrap_or(u64::MAX);
    let most = maximum.unwrap_or(u64::MAX).min(wanted);
    if files < most {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(most), maximum }) {
            Ok(()) => files = most,
            Err(error) => tracing::warn!(%error, files, "the limit of open files stays as it was"),
        }
    }
    let room = usize::try_from(files / 2).unwrap_or(usize::MAX);
    if room < connections_max {
        tracing::warn!(
            files,
            connections = room,
            "the system allows fewer open files than --connections-max needs: raise `ulimit -n`"
        );
    }
    connections_max.min(room)
}

/// Returns who shares the connections: an address, or the network of one customer in IPv6.
fn whose(peer: IpAddr) -> String {
    match peer.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn attend(stream: TcpStream, routes: &Router, graceful: &GracefulShutdown, berth: Berth) {
    // Answers are small and waited for: they leave at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "connection without nodelay");
    }
    let patience = Arc::new(Patience::new());
    let (routes, asked) = (TowerToHyperService::new(routes.clone()), Arc::clone(&patience));
    let service = service_fn(move |request: axum::http::Request<hyper::body::Incoming>| {
        let open = asked.open();
        let answering = match head_fault(request.version(), request.headers()) {
            Some(fault) => Err(fault),
            None => Ok(routes.call(request)),
        };
        async move {
            let answer = match answering {
                Ok(answering) => answering.await,
                Err(fault) => Ok(fault.into_response()),
            };
            drop(open);
            answer
        }
    });
    let stream = TokioIo::new(Watched::new(stream, Arc::clone(&patience)));
    let builder = builder();
    let connection = builder.serve_connection(stream, service).into_owned();
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
            }
            () = patience.lost() => {
                metrics::counter!("gavel_connections_idle_total").increment(1);
            }
        }
        drop(berth);
    });
}

/// Says what two readers of one connection could understand in two ways: where requests begin and end, and whom they are for.
fn head_fault(version: Version, headers: &HeaderMap) -> Option<Problem> {
    let count = |name| headers.get_all(name).iter().count();
    let coding = headers.get(header::TRANSFER_ENCODING);
    let said = if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
        || count(header::TRANSFER_ENCODING) > 1
    {
        "no Transfer-Encoding is understood but `chunked`"
    } else if version == Version::HTTP_11 && count(header::HOST) != 1 {
        "a request has one Host"
    } else {
        return None;
    };
    Some(Problem::new(StatusCode::BAD_REQUEST, "malformed", said))
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_READ_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(address: &str, expected: &str) {
        assert_eq!(whose(address.parse().unwrap()), expected);
    }

    #[test]
    fn a_customer_is_an_address_or_a_network() {
        check("203.0.113.7", "203.0.113.7");
        check("::ffff:203.0.113.7", "203.0.113.7");
        check("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64");
    }
}
