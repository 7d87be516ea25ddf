//! A mock market: buyers' end points of many characters over real sockets, for people, tests and the demo.
//!
//! Each answers pings with bids and posts with verdicts, and misbehaves as its character says. Whatever depends on chance
//! depends on the seed and the ping, so that a market that is opened twice says the same twice.

mod answers;
mod authority;
mod bodies;
mod character;
mod dialect;
mod server;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use zeroize::Zeroizing;

use crate::catalog::Secret;
use crate::clock::Clock;
use crate::egress::signing::{self, NoSecret};

pub use authority::{Authority, NoCertificate, Shown};
pub use character::{ANSWER_IN_PARTS, Character, FLAPS_EVERY, GARBAGE, LATE, SLOW};
pub use dialect::Dialect;

/// What a buyer is opened with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MockSpec {
    /// Where it listens; port 0 is any free one.
    #[serde(default = "MockSpec::anywhere")]
    pub listen: SocketAddr,
    pub character: Character,
    #[serde(default)]
    pub seed: u64,
    #[serde(default)]
    pub dialect: Dialect,
    /// Speak HTTPS, with HTTP/1.1 and HTTP/2.
    #[serde(default)]
    pub tls: bool,
    /// Which certificate it shows, if it speaks HTTPS.
    #[serde(default)]
    pub shows: Shown,
    /// It takes only leads that are signed with this.
    #[serde(default, skip_serializing)]
    pub signing_secret: Option<Secret>,
}

impl MockSpec {
    /// A buyer of this character on any free port of loopback, over plain HTTP.
    pub fn of(character: Character) -> Self {
        Self {
            listen: Self::anywhere(),
            character,
            seed: 0,
            dialect: Dialect::Own,
            tls: false,
            shows: Shown::Right,
            signing_secret: None,
        }
    }

    fn anywhere() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }
}

/// A market of several buyers, as a file says it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketSpec {
    pub buyers: Vec<MockSpec>,
}

/// Why a market does not open.
#[derive(Debug, thiserror::Error)]
pub enum MarketError {
    #[error("{0} cannot be read")]
    Unreadable(String, #[source] std::io::Error),
    #[error(
        "{0} is no market: write {{\"buyers\": [{{\"listen\": \"127.0.0.1:9101\", \"character\": \"slow\", \"seed\": 1}}]}}"
    )]
    NoMarket(String, #[source] serde_json::Error),
    #[error("{0} cannot be listened on; is another program there?")]
    Bind(SocketAddr, #[source] std::io::Error),
    #[error("--signing-secret (`signing_secret` in a market's file): {0}")]
    Secret(#[from] NoSecret),
    #[error(transparent)]
    Certificate(#[from] NoCertificate),
}

impl MarketSpec {
    /// Reads a market from a JSON file.
    ///
    /// # Errors
    ///
    /// [`MarketError`] if the file is not there or says something else.
    pub fn read(file: &Path) -> Result<Self, MarketError> {
        let name = file.display().to_string();
        let bytes =
            std::fs::read(file).map_err(|error| MarketError::Unreadable(name.clone(), error))?;
        serde_json::from_slice(&bytes).map_err(|error| MarketError::NoMarket(name, error))
    }
}

/// One thing that a buyer did.
#[derive(Clone, Debug, Serialize)]
pub struct Deed {
    /// `ping`, `post` or `status`.
    pub call: &'static str,
    /// The ping or the lead that it was about.
    pub about: String,
    /// What it did, in a few words.
    pub did: String,
}

/// What a buyer wrote down.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Tally {
    pub pings: u64,
    pub bids: u64,
    pub posts: u64,
    /// Leads that it took, by the exchange's lead id, with their price.
    pub bought: HashMap<String, String>,
    /// Leads that came again under another idempotency key after it took them.
    pub sold_twice: u64,
    pub rejected: u64,
    /// Posts under a key that it knew.
    pub asked_again: u64,
    /// Questions what became of a lead.
    pub status_calls: u64,
    /// Posts and status calls whose signature did not hold.
    pub unsigned: u64,
    /// Requests that were none of these.
    pub unreadable: u64,
    /// Headers of the newest request, by name in lower case.
    #[serde(skip)]
    pub headers: HashMap<String, String>,
    /// The newest post.
    #[serde(skip)]
    pub post: serde_json::Value,
    /// Verdicts by idempotency key, with the answer.
    #[serde(skip)]
    keys: BTreeMap<String, serde_json::Value>,
}

/// The most keys that a buyer remembers.
const KEYS_MAX: usize = 100_000;

/// A running buyer. It ends when it is dropped.
#[derive(Debug)]
pub struct MockBuyer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// What all connections of a buyer share.
#[derive(Debug)]
struct Shared {
    spec: MockSpec,
    opened: Instant,
    clock: Clock,
    secret: Option<Zeroizing<Vec<u8>>>,
    tally: Mutex<Tally>,
    deeds: Option<tokio::sync::mpsc::UnboundedSender<Deed>>,
}

impl MockBuyer {
    /// Opens a buyer. With an [`Authority`] it has a certificate of it; without one it has one of its own if its spec asks
    /// for TLS. What it does is also told to `deeds`.
    ///
    /// # Errors
    ///
    /// [`MarketError`] if its address is taken, it gets no certificate, or its signing secret is none.
    pub async fn open(
        spec: MockSpec,
        authority: Option<&Authority>,
        deeds: Option<tokio::sync::mpsc::UnboundedSender<Deed>>,
    ) -> Result<Self, MarketError> {
        let secret = spec.signing_secret.as_ref().map(|Secret(text)| signing::read(text));
        let secret = secret.transpose()?;
        let bound = |error| MarketError::Bind(spec.listen, error);
        let listener = TcpListener::bind(spec.listen).await.map_err(bound)?;
        let addr = listener.local_addr().map_err(bound)?;
        let tls: Option<TlsAcceptor> = match authority.filter(|_| spec.tls) {
            Some(authority) => Some(authority.acceptor(addr.ip(), spec.shows)?),
            None if spec.tls => Some(Authority::new()?.acceptor(addr.ip(), spec.shows)?),
            None => None,
        };
        let (opened, tally) = (Instant::now(), Mutex::default());
        let clock = Clock::system();
        let shared = Arc::new(Shared { spec, opened, clock, secret, tally, deeds });
        let serving = tokio::spawn(server::serve(listener, tls, Arc::clone(&shared)));
        Ok(Self { addr, shared, serving })
    }

    /// The address it listens on.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns where it is asked for bids.
    pub fn bid_url(&self) -> String {
        self.url("bid")
    }

    /// Returns where it takes leads.
    pub fn lead_url(&self) -> String {
        self.url("leads")
    }

    /// Returns where it says what became of a lead: `{lead_id}` in it stands for the lead's. It answers 404 about what it does
    /// not have.
    pub fn status_url(&self) -> String {
        self.url("leads/{lead_id}")
    }

    /// What it speaks.
    pub fn dialect(&self) -> Dialect {
        self.shared.spec.dialect
    }

    /// Whether it takes only leads that are signed.
    pub fn is_signed_for(&self) -> bool {
        self.shared.secret.is_some()
    }

    /// How it behaves.
    pub fn character(&self) -> Character {
        self.shared.spec.character
    }

    /// Returns what it wrote down so far.
    pub fn tally(&self) -> Tally {
        self.shared.tally().clone()
    }

    fn url(&self, path: &str) -> String {
        let scheme = if self.shared.spec.tls { "https" } else { "http" };
        format!("{scheme}://{}/{path}", self.addr)
    }
}

impl Drop for MockBuyer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn did(&self, call: &'static str, about: &str, did: impl Into<String>) {
        if let Some(deeds) = &self.deeds {
            // Nobody may be listening any more.
            let _ = deeds.send(Deed { call, about: about.to_owned(), did: did.into() });
        }
    }
}
