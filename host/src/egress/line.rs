//! The line by which buyers are asked for bids: warm connections, small limits, no second tries.
//!
//! It obeys the same policy as [`super::Client`], at every connection. What it adds are limits that fit a question of a
//! few hundred milliseconds: on the answer's head and body, and on the time a connection may take to be made.

use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, HOST, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client as Pool, Error as PoolError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::ClientConfig;
use rustls_platform_verifier::Verifier;

use super::resolver::Resolver;
use super::{Destination, Egress, Forbidden};

/// How long a connection may take to be made, with its name looked up and its TLS agreed. Who waits for a bid gives up
/// sooner, but the connection then serves the next one.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Questions are safe to ask over a connection that turns out to be closed: connections stay for long.
const IDLE_MAX: Duration = Duration::from_secs(50);
const IDLE_PER_HOST_MAX: usize = 256;
/// The longest head of an answer, in bytes and in headers.
pub const HEAD_BYTES_MAX: usize = 16 << 10;
pub const HEADERS_MAX: usize = 64;
/// The longest body of an answer, in bytes.
pub const BODY_BYTES_MAX: usize = 16 << 10;
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(15);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(5);
/// So many streams of one HTTP/2 connection may be reset by the other side before it is given up.
const HTTP2_RESETS_MAX: usize = 32;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("gavel/", env!("CARGO_PKG_VERSION")));

type Http = Pool<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// Asks questions. Clones share their connections.
#[derive(Clone)]
pub struct Line {
    http: Http,
    egress: Egress,
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Http1,
    Http2,
    Either,
}

/// The line cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("https cannot be set up: are certificate authorities installed on this machine?")]
pub struct NoLine(#[source] rustls::Error);

/// A question.
#[derive(Clone, Debug)]
pub struct Question<'d> {
    pub destination: &'d Destination,
    pub method: Method,
    /// Put behind the destination's path, such as `/x?y=z`; empty for the destination itself.
    pub path: &'d str,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Bytes,
}

/// An answer, whole and within the limits.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// No connection was made: nobody heard the question.
    #[error("{0}")]
    Unreachable(String),
    /// The connection ended before the answer began.
    #[error("the connection ended without an answer: {0}")]
    Dropped(String),
    #[error("the answer is not whole HTTP: {0}")]
    Broken(String),
    #[error("the answer is longer than {BODY_BYTES_MAX} bytes")]
    TooLong,
    #[error("the answer is compressed ({0}), which nobody asked for")]
    Compressed(String),
}

impl Line {
    /// Sets the line up under this policy. Where TLS agrees on HTTP/2 that is spoken, else HTTP/1.1.
    ///
    /// # Errors
    ///
    /// If the machine has no certificate authorities to trust.
    pub fn open(egress: &Egress) -> Result<Self, NoLine> {
        Self::speaking(egress, Version::Either)
    }

    /// Sets the line up for one version of HTTP, also where no TLS agrees on it.
    ///
    /// # Errors
    ///
    /// If the machine has no certificate authorities to trust.
    pub fn speaking(egress: &Egress, version: Version) -> Result<Self, NoLine> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = egress.authorities.iter().cloned();
        let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider));
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(NoLine)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier.map_err(NoLine)?))
            .with_no_client_auth();
        let mut tcp = HttpConnector::new_with_resolver(Resolver::new(egress.clone()));
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let tls = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http();
        let connector = match version {
            Version::Http1 => tls.enable_http1().wrap_connector(tcp),
            Version::Http2 => tls.enable_http2().wrap_connector(tcp),
            Version::Either => tls.enable_all_versions().wrap_connector(tcp),
        };
        let http = Pool::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .http2_only(version == Version::Http2)
            .http1_max_buf_size(HEAD_BYTES_MAX)
            .http1_max_headers(HEADERS_MAX)
            .http2_max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
            .http2_max_concurrent_reset_streams(HTTP2_RESETS_MAX)
            .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .build(connector);
        Ok(Self { http, egress: egress.clone() })
    }

    /// Asks once. Dropping the future gives the question up.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`], also for an answer beyond the limits.
    pub async fn ask(&self, question: Question<'_>) -> Result<Answer, NoAnswer> {
        let request = self.request(question)?;
        let response = self.http.request(request).await.map_err(|error| no_answer(&error))?;
        let (head, body) = response.into_parts();
        let encoding = head.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
        if let Some(encoding) = encoding.filter(|encoding| *encoding != "identity") {
            return Err(NoAnswer::Compressed(encoding.chars().take(20).collect()));
        }
        let body = read(body).await?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    fn request(&self, question: Question<'_>) -> Result<Request<Full<Bytes>>, NoAnswer> {
        let Question { destination, method, path, headers, body } = question;
        let destination = match path {
            "" => destination.clone(),
            path => destination.below(path)?,
        };
        // A destination that another policy let through is judged again: an address that is not a name never reaches the
        // resolver.
        self.egress.check_url(&destination.0)?;
        let unreadable = |what: &str| Forbidden::Unreadable(what.to_owned());
        let uri: Uri =
            destination.as_str().parse().map_err(|_| unreadable("it is no address of HTTP"))?;
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        let own = request.headers_mut();
        for (name, value) in headers {
            if name != HOST {
                own.insert(name, value);
            }
        }
        own.insert(USER_AGENT, AGENT);
        Ok(request)
    }
}

async fn read(mut body: Incoming) -> Result<Bytes, NoAnswer> {
    let announced = body.size_hint().lower();
    if announced > BODY_BYTES_MAX as u64 {
        return Err(NoAnswer::TooLong);
    }
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| NoAnswer::Broken(cause(&error)))?;
        let Ok(bytes) = frame.into_data() else { continue };
        if rest.len() + first.as_ref().map_or(0, Bytes::len) + bytes.len() > BODY_BYTES_MAX {
            return Err(NoAnswer::TooLong);
        }
        // Most answers come in one piece.
        match first.take() {
            None if rest.is_empty() => first = Some(bytes),
            Some(before) => {
                rest.extend_from_slice(&before);
                rest.extend_from_slice(&bytes);
            }
            None => rest.extend_from_slice(&bytes),
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

fn no_answer(error: &PoolError) -> NoAnswer {
    let source = error.source().and_then(|source| source.downcast_ref::<hyper::Error>());
    let why = cause(error);
    if error.is_connect() {
        NoAnswer::Unreachable(why)
    } else if source.is_some_and(|source| source.is_parse() || source.is_parse_too_large()) {
        NoAnswer::Broken(why)
    } else {
        NoAnswer::Dropped(why)
    }
}

/// Returns the first cause of a failure: the errors around it only say where it was met.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Line").field(&self.egress).finish()
    }
}
