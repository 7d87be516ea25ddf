//! The one HTTP client that calls out of the exchange.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, redirect, retry};

use super::resolver::Resolver;
use super::{Destination, Egress, Forbidden};

/// How long a connection may take to be made, with its name looked up and its TLS agreed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Shorter than the shortest keep-alive in common servers (5 s): a request must not meet a connection that is being
/// closed, because then nobody knows whether it arrived.
const IDLE_CONNECTION_MAX: Duration = Duration::from_secs(4);
const IDLE_CONNECTIONS_PER_HOST_MAX: usize = 32;
/// An answer with more headers than this is refused. Its head is also bounded in bytes, by hyper's buffer (400 KiB).
const ANSWER_HEADERS_MAX: usize = 64;
const ANSWER_HEADER_BYTES_MAX: u32 = 16 << 10;
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(15);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(5);

/// Sends requests to destinations. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    egress: Egress,
}

/// The client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error("https cannot be set up: are certificate authorities installed on this machine?")]
pub struct Unavailable(#[source] reqwest::Error);

impl Client {
    pub(super) fn build(egress: &Egress) -> Result<Self, Unavailable> {
        // Without a provider reqwest panics. If one is installed it stays: the program has chosen.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let authorities =
            egress.authorities.iter().map(|authority| reqwest::Certificate::from_der(authority));
        let authorities = authorities.collect::<Result<Vec<_>, _>>().map_err(Unavailable)?;
        let http = reqwest::Client::builder()
            .tls_certs_merge(authorities)
            .user_agent(concat!("gavel/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Resolver::new(egress.clone()))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .https_only(!egress.loopback)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_CONNECTION_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST_MAX)
            .http1_max_headers(ANSWER_HEADERS_MAX)
            .http2_max_header_list_size(ANSWER_HEADER_BYTES_MAX)
            .http2_keep_alive_interval(HTTP2_PING_INTERVAL)
            .http2_keep_alive_timeout(HTTP2_PING_TIMEOUT)
            .build()
            .map_err(Unavailable)?;
        Ok(Self { http, egress: egress.clone() })
    }

    /// Judges an address by this policy.
    ///
    /// # Errors
    ///
    /// [`Forbidden`] says why nothing is sent there.
    pub fn check(&self, text: &str) -> Result<Destination, Forbidden> {
        self.egress.check(text)
    }

    /// Begins a request. A destination that another policy let through is judged again: an address that is not a name never
    /// reaches the resolver.
    pub fn request(
        &self,
        method: Method,
        destination: &Destination,
    ) -> Result<RequestBuilder, Forbidden> {
        self.egress.check_url(&destination.0)?;
        Ok(self.http.request(method, destination.0.clone()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.egress).finish()
    }
}
