//! Adapters: configured once with one buyer's settings, then asked to word requests and to read what the buyer answers.
//!
//! - An adapter sends nothing. What it words is checked here before anything of it leaves the exchange, and no message
//!   quotes it: it may hold the lead.
//! - What reads an answer runs in an instance of its own and has never seen the lead.

mod lead;
mod offer;
mod request;

use std::fmt;
use std::sync::Arc;

use wasmtime::Store;
use zeroize::Zeroizing;

use super::Sandbox;
use super::bindings::adapter::exports::gavel::rules::adapting as wit;
use super::bindings::adapter::{Adapter as Bound, AdapterPre};
use super::call::{Fence, Forfeit, forfeit, spent, store};
use super::compiler::Purpose;
use super::inadmissible::Inadmissible;
use super::limits::CallLimits;
use super::lines::Lines;
use super::unset::{ConfigureError, Description, Need, Unset};
use crate::ids::Digest;
use crate::lead::Kind;
use offer::{ping_offer, ping_reply, post_offer, post_reply};

pub use lead::frame;
pub use offer::{HANDLE_BYTES_MAX, PingOffer, PingReply, PostOffer, PostReply, REPLY_BYTES_MAX};
pub use request::{
    BODY_BYTES_MAX, HEADER_NAME_BYTES_MAX, HEADER_VALUE_BYTES_MAX, HEADERS_MAX, HttpRequest,
    HttpResponse, Method, PATH_BYTES_MAX, is_kept_header,
};

/// The longest help for settings, in bytes.
const SETTINGS_HELP_BYTES_MAX: usize = 8_192;

/// One of the four things that an adapter is asked.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    PingRequest(&'a PingOffer<'a>),
    PingResponse(&'a HttpResponse),
    PostRequest(&'a PostOffer<'a>),
    PostResponse(&'a HttpResponse),
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Request(HttpRequest),
    Ping(PingReply),
    Post(PostReply),
}

/// What a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// The same on every machine.
    pub fuel: u64,
    /// The linear memory that it had at its end, in bytes: the same on every machine.
    pub memory_bytes: u64,
}

/// An adapter without settings. A clone is a handle to the same.
#[derive(Clone)]
pub struct AdapterModule(Arc<Unset>);

impl fmt::Debug for AdapterModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AdapterModule").field(&self.0.digest()).finish()
    }
}

impl AdapterModule {
    pub(super) fn admit(sandbox: &Sandbox, wasm: &[u8]) -> Result<Self, Inadmissible> {
        let describe = |store: &mut Store<Fence>, adapter: &AdapterPre<Fence>| {
            let adapter = adapter.instantiate(&mut *store)?;
            let described = adapter.gavel_rules_adapting().call_describe(store)?;
            let needs = described.needs.into_iter().map(|need| (need.name, kind(need.kind)));
            Ok(Description { needs: needs.collect(), settings: described.settings })
        };
        let unset =
            Unset::admit(sandbox, wasm, SETTINGS_HELP_BYTES_MAX, AdapterPre::new, describe)?;
        Ok(Self(Arc::new(unset)))
    }

    /// Returns the digest of the module's bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest()
    }

    /// Returns the fields that the adapter knows by name.
    pub fn needs(&self) -> &[Need] {
        &self.0.needs
    }

    /// Returns what a buyer's settings look like, in the adapter's own words.
    pub fn settings_help(&self) -> &str {
        &self.0.settings_help
    }

    /// Prepares the adapter for one buyer's settings, a JSON text. Takes some 50 ms; what it returns is quick.
    ///
    /// # Errors
    ///
    /// [`ConfigureError::Settings`] with slot 0 in the adapter's own words, or how it failed.
    pub fn configure(&self, settings: &str) -> Result<Adapter, ConfigureError> {
        self.configure_to(Purpose::Look, settings)
    }

    /// Prepares the adapter likewise; `purpose` says for whose turn its compilation waits.
    pub fn configure_to(
        &self,
        purpose: Purpose,
        settings: &str,
    ) -> Result<Adapter, ConfigureError> {
        let (abilities, kept) = self.0.configure(purpose, |store, instance| {
            let adapter = Bound::new(&mut *store, instance)?;
            let configured = adapter.gavel_rules_adapting().call_configure(store, settings)?;
            Ok(configured.map_err(|message| ConfigureError::refused(0, message)))
        })?;
        if !abilities.pings && !abilities.posts {
            let fault = "with these settings it neither pings nor posts".to_owned();
            return Err(ConfigureError::Forfeit(Forfeit::BadOutput(fault)));
        }
        Ok(Adapter {
            kept: AdapterPre::new(kept).map_err(|error| ConfigureError::not_kept(&error))?,
            needs: Arc::clone(&self.0.needs),
            lines: Arc::clone(&self.0.lines),
            pings: abilities.pings,
            posts: abilities.posts,
            limits: self.0.sandbox.limits.adapter,
        })
    }
}

/// An adapter that knows one buyer's settings. A clone is a handle to the same.
#[derive(Clone)]
pub struct Adapter {
    kept: AdapterPre<Fence>,
    needs: Arc<[Need]>,
    lines: Arc<Lines>,
    pings: bool,
    posts: bool,
    limits: CallLimits,
}

impl fmt::Debug for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Adapter")
            .field("pings", &self.pings)
            .field("posts", &self.posts)
            .finish_non_exhaustive()
    }
}

impl Adapter {
    /// Says whether it asks its buyer for bids.
    pub const fn pings(&self) -> bool {
        self.pings
    }

    /// Says whether it hands leads to its buyer.
    pub const fn posts(&self) -> bool {
        self.posts
    }

    /// Returns the fields that it knows by name.
    pub fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Returns what a call may use.
    pub const fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Returns a handle to the same whose calls may use this much, or what [`CallLimits::MAX`] allows of it.
    #[must_use]
    pub fn with_limits(&self, limits: CallLimits) -> Self {
        Self { limits: limits.capped(), ..self.clone() }
    }

    /// Words the question for a bid.
    ///
    /// # Errors
    ///
    /// What the adapter did wrong: then nothing is sent.
    pub fn ping_request(&self, offer: &PingOffer<'_>) -> Result<HttpRequest, Forfeit> {
        match self.ask(Ask::PingRequest(offer))?.0 {
            Said::Request(request) => Ok(request),
            Said::Ping(_) | Said::Post(_) => Err(another()),
        }
    }

    /// Reads the answer to it.
    ///
    /// # Errors
    ///
    /// What the adapter did wrong: then the answer counts as invalid.
    pub fn ping_response(&self, response: &HttpResponse) -> Result<PingReply, Forfeit> {
        match self.ask(Ask::PingResponse(response))?.0 {
            Said::Ping(reply) => Ok(reply),
            Said::Request(_) | Said::Post(_) => Err(another()),
        }
    }

    /// Words the hand-over of a lead.
    ///
    /// # Errors
    ///
    /// What the adapter did wrong: then nothing is sent.
    pub fn post_request(&self, offer: &PostOffer<'_>) -> Result<HttpRequest, Forfeit> {
        match self.ask(Ask::PostRequest(offer))?.0 {
            Said::Request(request) => Ok(request),
            Said::Ping(_) | Said::Post(_) => Err(another()),
        }
    }

    /// Reads the answer to it.
    ///
    /// # Errors
    ///
    /// What the adapter did wrong: then nobody knows whether the buyer has the lead.
    pub fn post_response(&self, response: &HttpResponse) -> Result<PostReply, Forfeit> {
        match self.ask(Ask::PostResponse(response))?.0 {
            Said::Post(reply) => Ok(reply),
            Said::Request(_) | Said::Ping(_) => Err(another()),
        }
    }

    /// Makes one call, in an instance of its own, and says what it took.
    ///
    /// # Errors
    ///
    /// What the adapter did wrong. Nothing of it reaches the next call.
    pub fn ask(&self, ask: Ask<'_>) -> Result<(Said, Taken), Forfeit> {
        if let Ask::PostResponse(response) = ask
            && let Some(reply) = PostReply::by_status(response.status)
        {
            return Ok((Said::Post(reply), Taken::default()));
        }
        let mut store = store(self.kept.engine(), &self.limits)?;
        let said = self.kept.instantiate(&mut store).and_then(|adapter| {
            let adapter = adapter.gavel_rules_adapting();
            Ok(match ask {
                Ask::PingRequest(offer) => {
                    let (told, frame) = (ping_offer(offer), offer.frame);
                    Raw::Request(adapter.call_ping_request(&mut store, &told, frame)?)
                }
                Ask::PingResponse(response) => {
                    Raw::Ping(adapter.call_ping_response(&mut store, &response.into())?)
                }
                Ask::PostRequest(offer) => {
                    let frame = lead::frame(&self.needs, offer.schema, offer.fields);
                    let frame = Zeroizing::new(frame);
                    Raw::Request(adapter.call_post_request(
                        &mut store,
                        &post_offer(offer),
                        &frame,
                    )?)
                }
                Ask::PostResponse(response) => {
                    Raw::Post(adapter.call_post_response(&mut store, &response.into())?)
                }
            })
        });
        let said = said.map_err(|error| forfeit(&store, &error, &self.lines))?;
        let (fuel, memory_bytes) = spent(&store, &self.limits);
        let said = match said {
            Raw::Request(worded) => Said::Request(request::check(worded)?),
            Raw::Ping(reply) => Said::Ping(ping_reply(reply)?),
            Raw::Post(reply) => Said::Post(post_reply(reply)?),
        };
        Ok((said, Taken { fuel, memory_bytes }))
    }
}

/// What came out, not yet checked.
enum Raw {
    Request(wit::HttpRequest),
    Ping(wit::PingReply),
    Post(wit::PostReply),
}

fn another() -> Forfeit {
    Forfeit::BadOutput("it answered another question than it was asked".to_owned())
}

fn kind(kind: wit::Kind) -> Kind {
    match kind {
        wit::Kind::Text => Kind::Text,
        wit::Kind::Integer => Kind::Integer,
        wit::Kind::Decimal => Kind::Decimal,
        wit::Kind::Boolean => Kind::Boolean,
        wit::Kind::Date => Kind::Date,
        wit::Kind::Texts => Kind::Texts,
    }
}
