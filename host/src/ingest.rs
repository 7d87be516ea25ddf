//! The front door: who sends, how much, how long it waits, and whether it said the same before.
//!
//! Everything here is cheap and happens before any of it costs a sandbox call, an auction or a disk write.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::OwnedSemaphorePermit;

use crate::catalog::{KeyMode, Market, Source};
use crate::clock::Moment;
use crate::facts::Request;
use crate::ids::{Digest, SourceId, VerticalId};
use crate::sandbox::{Normalizer, Syntax};

/// The largest body of a ping or post, in bytes.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// How long a source waits for a ping's answer, unless it says otherwise.
pub const PING_DEADLINE: Duration = Duration::from_millis(500);
/// How long a post's answer may wait for the buyer, unless the source says otherwise; then it is `pending`.
pub const POST_DEADLINE: Duration = Duration::from_secs(10);
/// The longest that a source can ask to wait.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);
/// The longest Idempotency-Key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Which of the three addresses a submission was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Ping,
    Post,
    /// Both steps in one.
    Full,
}

impl Call {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Post => "post",
            Self::Full => "full",
        }
    }
}

/// What a source sent. Every part of it is a claim.
#[derive(Clone, Debug)]
pub struct Submission {
    pub call: Call,
    pub vertical: VerticalId,
    /// The dialect that the address names.
    pub dialect: Option<String>,
    /// What the Accept header asks for.
    pub accept: Option<Syntax>,
    pub content_type: String,
    pub query: String,
    pub body: Bytes,
    /// The key from a header, if it came in one.
    pub key: Option<String>,
    pub idempotency_key: Option<String>,
    pub received: Moment,
    /// The same moment on a clock that never jumps: what deadlines are counted from.
    pub started: Instant,
    /// By what its body is known, once that is said; until then by its SHA-256.
    pub known_as: OnceLock<Digest>,
    /// Who read it, and in which dialect it wants its answer. Set once, when it was read.
    pub spoken: OnceLock<Spoken>,
}

/// A submission's place among those that are worked on. Given back or dropped, it is another's.
#[derive(Debug)]
pub struct Place(Mutex<Option<OwnedSemaphorePermit>>);

impl Place {
    /// Returns one that is kept by this permit.
    pub fn new(permit: OwnedSemaphorePermit) -> Self {
        Self(Mutex::new(Some(permit)))
    }

    /// Lets another have it: the rest is waiting.
    pub fn give_back(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The dialect of a submission that was read, with the module that can answer in it.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub normalizer: Normalizer,
    /// Empty for the exchange's own JSON.
    pub dialect: String,
}

impl Submission {
    /// Returns the digest by which the body is known.
    pub fn body_digest(&self) -> Digest {
        self.known_as.get().copied().unwrap_or_else(|| Digest::of(&self.body))
    }

    /// Returns the moment by which the source wants its answer.
    pub fn deadline(&self, asked_ms: Option<u32>) -> Instant {
        let usual = if self.call == Call::Ping { PING_DEADLINE } else { POST_DEADLINE };
        let asked = asked_ms.map_or(usual, |ms| Duration::from_millis(u64::from(ms)));
        let deadline = asked.clamp(Duration::from_millis(1), DEADLINE_MAX);
        self.started.checked_add(deadline).unwrap_or(self.started)
    }

    /// Returns what identifies this request if it is sent again.
    pub fn request(&self) -> Option<Request> {
        let key = self.idempotency_key.as_ref()?;
        let scoped = format!("{}\n{}\n{key}", self.call.name(), self.vertical);
        Some(Request {
            key: *Digest::of(scoped.as_bytes()).as_bytes(),
            body: *self.body_digest().as_bytes(),
        })
    }
}

/// Why the door stays shut.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("no source key: send `Authorization: Bearer KEY`, or the key field of your dialect")]
    NoKey,
    #[error(
        "the source key is not known here: check it for missing characters, or ask the operator for a new one"
    )]
    WrongKey,
    #[error("the source `{0}` is paused: ask the operator")]
    Paused(SourceId),
    #[error(
        "the source `{id}` may not send to `{vertical}`: ask the operator to add the vertical to it"
    )]
    VerticalNotAllowed { id: SourceId, vertical: VerticalId },
    #[error("more than {per_second} requests a second; try again after `Retry-After`")]
    TooMany { per_second: u32, retry_after: Duration },
    #[error("a request with this Idempotency-Key is still running; try again shortly")]
    StillRunning,
    #[error("this Idempotency-Key was used with another body; a new request needs a new key")]
    KeyReused,
    #[error("an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} bytes")]
    BadIdempotencyKey,
}

impl Denied {
    /// Returns the code that stands for the reason in answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKey => "key-missing",
            Self::WrongKey => "key-unknown",
            Self::Paused(_) => "source-paused",
            Self::VerticalNotAllowed { .. } => "vertical-not-allowed",
            Self::TooMany { .. } => "rate-limited",
            Self::StillRunning => "request-running",
            Self::KeyReused => "idempotency-key-reused",
            Self::BadIdempotencyKey => "idempotency-key-invalid",
        }
    }
}

/// The body digests of requests that are running, by source and request key.
type Running = DashMap<(SourceId, [u8; 32]), [u8; 32]>;

/// The door's memory: how much each source sent, and which requests are running.
#[derive(Debug, Default)]
pub struct Door {
    limiters: DashMap<SourceId, (u32, Arc<DefaultDirectRateLimiter>)>,
    running: Arc<Running>,
}

impl Door {
    /// Finds the source by the key in a header, if there is one.
    pub fn caller_by_header(
        &self,
        market: &Market,
        submission: &Submission,
    ) -> Result<Option<(Arc<Source>, KeyMode)>, Denied> {
        submission.key.as_ref().map(|key| self.caller(market, submission, Some(key))).transpose()
    }

    /// Finds the source by its key, checks that it may send here, and counts the request against its rate.
    pub fn caller(
        &self,
        market: &Market,
        submission: &Submission,
        key: Option<&String>,
    ) -> Result<(Arc<Source>, KeyMode), Denied> {
        let key = key.ok_or(Denied::NoKey)?;
        let (source, mode) = market.source_by_key(key).ok_or(Denied::WrongKey)?;
        if !source.active {
            return Err(Denied::Paused(source.id.clone()));
        }
        if !source.verticals.is_empty() && !source.verticals.contains(&submission.vertical) {
            let (id, vertical) = (source.id.clone(), submission.vertical.clone());
            return Err(Denied::VerticalNotAllowed { id, vertical });
        }
        self.count(source)?;
        Ok((Arc::clone(source), mode))
    }

    fn count(&self, source: &Source) -> Result<(), Denied> {
        let per_second = source.pings_per_second;
        let limiter = {
            let mut entry = self
                .limiters
                .entry(source.id.clone())
                .or_insert_with(|| (per_second, limiter(per_second)));
            if entry.0 != per_second {
                *entry = (per_second, limiter(per_second));
            }
            Arc::clone(&entry.1)
        };
        limiter.check().map_err(|not_until| {
            let retry_after = not_until.wait_time_from(DefaultClock::default().now());
            Denied::TooMany { per_second, retry_after }
        })
    }

    /// Marks a request as running until the claim is dropped.
    pub fn claim(&self, source: &SourceId, request: &Request) -> Result<Claim, Denied> {
        let key = (source.clone(), request.key);
        match self.running.entry(key.clone()) {
            Entry::Occupied(running) if *running.get() != request.body => Err(Denied::KeyReused),
            Entry::Occupied(_) => Err(Denied::StillRunning),
            Entry::Vacant(place) => {
                place.insert(request.body);
                Ok(Claim { running: Arc::clone(&self.running), key })
            }
        }
    }
}

fn limiter(per_second: u32) -> Arc<DefaultDirectRateLimiter> {
    let quota = Quota::per_second(NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN));
    Arc::new(RateLimiter::direct(quota))
}

/// The right to run a request; while it lives, the same request again is told to wait.
#[derive(Debug)]
pub struct Claim {
    running: Arc<Running>,
    key: (SourceId, [u8; 32]),
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.running.remove(&self.key);
    }
}
