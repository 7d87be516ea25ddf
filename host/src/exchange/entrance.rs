//! The way in, the same for pings and posts: who it is, whether it was said before, and what it says.

use std::sync::Arc;

use super::{Exchange, Trouble};
use crate::catalog::{KeyMode, Market, ModuleVersion, Served, Source, Vertical};
use crate::clock::Moment;
use crate::facts::{Fact, ModuleUsed, Request, SubmissionRefused};
use crate::ids::{Digest, PingId};
use crate::ingest::{Call, Claim, Denied, IDEMPOTENCY_KEY_BYTES_MAX, Submission};
use crate::lead::Lead;
use crate::normalize::{self, Reading};
use crate::sandbox::{Admitted, Envelope, Normalizer, Refusal};
use crate::settlement::{Answer, Story};

/// A submission past the door.
#[derive(Debug)]
pub enum Entry {
    /// The same request was answered before, about this ping.
    Seen(PingId),
    /// The same post held the auction of this ping, and a crash came before the lead was claimed.
    Interrupted(PingId, Box<Entered>),
    New(Box<Entered>),
}

/// A lead of a known source.
#[derive(Debug)]
pub struct Entered {
    pub source: Arc<Source>,
    pub vertical: Arc<Vertical>,
    pub envelope: Envelope,
    /// It is a test: by its own word, or because its key is one for tests.
    pub test: bool,
    pub lead: Lead,
    pub request: Option<Request>,
    module: ModuleVersion,
    fuel: u64,
    _claim: Option<Claim>,
}

/// A request that was not answered before.
#[derive(Debug, Default)]
struct Keyed {
    /// To be remembered by its key.
    request: Option<Request>,
    claim: Option<Claim>,
    /// It is a post that a crash interrupted, and this is its ping.
    interrupted: Option<PingId>,
}

impl Entered {
    /// Returns the record of the normalizer's call.
    pub fn normalizer(&self) -> ModuleUsed {
        let module = &self.module;
        ModuleUsed {
            name: module.name.as_str().to_owned(),
            version: module.version,
            digest: *module.digest.as_bytes(),
            fuel: self.fuel,
        }
    }
}

impl Exchange {
    /// Lets a submission in. A source whose key stands in a header is checked before its bytes are read.
    pub(super) async fn enter(
        self: &Arc<Self>,
        market: &Market,
        submission: &Submission,
    ) -> Result<Entry, Trouble> {
        let vertical = market.vertical(&submission.vertical).filter(|vertical| vertical.active);
        let vertical =
            vertical.ok_or_else(|| Trouble::NoVertical(submission.vertical.to_string()))?;
        if vertical.normalizer.upkeep.taken_out.is_some() {
            return Err(Trouble::OutOfService(vertical.id.to_string()));
        }
        if submission.call != Call::Ping {
            submission.known_as.get_or_init(|| self.contacts.body_print(&submission.body));
        }
        let known = self.door.caller_by_header(market, submission)?;
        let reading = normalize::read(vertical, submission).inspect_err(|fault| {
            let upkeep = &vertical.normalizer.upkeep;
            self.failed(&fault.module, upkeep, &fault.forfeit, submission.received);
        })?;
        let (source, mode) = match known {
            Some(caller) => caller,
            None => self.door.caller(market, submission, reading.envelope.credential.as_ref())?,
        };
        let Keyed { request, claim, interrupted } = match self.keyed(&source, submission)? {
            Ok(keyed) => keyed,
            Err(ping) => return Ok(Entry::Seen(ping)),
        };
        if submission.call != Call::Post && interrupted.is_none() {
            self.room()?;
        }
        let reading = self.as_its_ping(vertical, (submission, &source), reading);
        let lead = match reading.lead {
            Ok(lead) => lead,
            Err(refusal) => {
                self.refused(submission, &source, &refusal).await?;
                return Err(Trouble::Refused(refusal));
            }
        };
        let entered = Box::new(Entered {
            test: reading.envelope.test || mode == KeyMode::Test,
            source,
            vertical: Arc::clone(vertical),
            envelope: reading.envelope,
            lead,
            request,
            module: reading.module,
            fuel: reading.fuel,
            _claim: claim,
        });
        Ok(match interrupted {
            Some(ping) => Entry::Interrupted(ping, entered),
            None => Entry::New(entered),
        })
    }

    /// Reads a post again with the version that read its ping, if that was another one and is still compiled: what two
    /// versions make of one word is no change of the lead. Of another major or another module the present one counts.
    fn as_its_ping(
        self: &Arc<Self>,
        vertical: &Vertical,
        (submission, source): (&Submission, &Source),
        reading: Reading,
    ) -> Reading {
        let of_ping = (submission.call == Call::Post)
            .then(|| self.version_of_ping(vertical, source, &reading))
            .flatten();
        let Some(served) = of_ping else { return reading };
        normalize::read_with(&served, submission).unwrap_or_else(|fault| {
            let upkeep = &vertical.normalizer.upkeep;
            self.failed(&fault.module, upkeep, &fault.forfeit, submission.received);
            reading
        })
    }

    fn version_of_ping(
        &self,
        vertical: &Vertical,
        source: &Source,
        reading: &Reading,
    ) -> Option<Served<Normalizer>> {
        let ping = PingId::parse(reading.envelope.ping_id.as_deref()?).ok()?;
        let auction = self.book.decide(|book| Some(Arc::clone(&book.open_ping(ping)?.auction)))?;
        let ModuleUsed { name, version, digest, .. } = &auction.normalizer;
        let digest = Digest::from_bytes(*digest);
        let active = &vertical.normalizer.active;
        let is_other = auction.source == source.id.as_str()
            && *name == active.module.name.as_str()
            && digest != reading.module.digest;
        let Some(Admitted::Normalizer(code)) =
            is_other.then(|| self.workshop.module(digest)).flatten()
        else {
            return None;
        };
        let same_major = code.schema().version().0 == active.code.schema().version().0;
        let module = ModuleVersion { version: *version, digest, ..active.module.clone() };
        let code = code.with_limits(*active.code.limits());
        same_major.then_some(Served { module, code })
    }

    /// Returns whether a ping waits for its post.
    fn unclaimed(&self, ping: PingId) -> bool {
        self.book.decide(|book| book.open_ping(ping).is_some_and(|open| open.posted.is_none()))
    }

    /// Returns what a request's key says of it, or the ping that it was answered about.
    fn keyed(
        &self,
        source: &Source,
        submission: &Submission,
    ) -> Result<Result<Keyed, PingId>, Trouble> {
        let Some(request) = submission.request() else { return Ok(Ok(Keyed::default())) };
        let bytes = submission.idempotency_key.as_ref().map_or(0, String::len);
        if bytes == 0 || bytes > IDEMPOTENCY_KEY_BYTES_MAX {
            return Err(Denied::BadIdempotencyKey.into());
        }
        let claim = Some(self.door.claim(&source.id, &request)?);
        let (name, now) = (source.id.as_str(), self.clock.now());
        let (before, room) = self.book.decide(|book| match book.request(name, request.key) {
            Some((_, earlier)) if earlier.body != request.body => Err(Denied::KeyReused),
            Some((ping, _)) => Ok((Some(ping), true)),
            None => Ok((None, book.remembers_request_of(name, now))),
        })?;
        if let Some(ping) = before
            && (submission.call == Call::Ping || !self.unclaimed(ping))
        {
            return Ok(Err(ping));
        }
        if !room && submission.call != Call::Post {
            return Err(Trouble::ShareFull(source.id.clone(), "Idempotency-Keys"));
        }
        // A ping is posted once, whether the key of its post is remembered or not.
        Ok(Ok(Keyed { request: Some(request).filter(|_| room), claim, interrupted: before }))
    }

    async fn refused(
        &self,
        submission: &Submission,
        source: &Source,
        refusal: &Refusal,
    ) -> Result<(), Trouble> {
        let fact = Fact::SubmissionRefused(SubmissionRefused {
            source: source.id.as_str().to_owned(),
            vertical: submission.vertical.as_str().to_owned(),
            post: submission.call != Call::Ping,
            code: refusal.code.code().to_owned(),
            field: refusal.field.clone(),
            message: refusal.message.clone(),
            // A ping that is refused may hold contact data after all.
            body: *self.contacts.body_print(&submission.body).as_bytes(),
        });
        let seat = self.journal.seat().await.map_err(|_| Trouble::Closed)?;
        let at = submission.received;
        let committed = self.book.decide(|book| self.record(book, seat, at, &fact, None));
        committed.wait().await.map_err(|_| Trouble::Closed).map(drop)
    }

    /// Repeats the answer to a request that was answered before.
    pub(super) async fn answer_again(
        &self,
        ping: PingId,
        submission: &Submission,
    ) -> Result<Answer, Trouble> {
        let story = self.story(ping).await?;
        let auction = story.auction.as_ref().ok_or(Trouble::PingNotFound)?;
        Ok(match submission.call {
            Call::Ping => Answer::to_ping(auction),
            Call::Post | Call::Full if auction.winners.is_empty() => Answer::unsold(auction),
            // A post that a crash cut in two, and that was not sent again while its price held.
            Call::Post | Call::Full if story.posted.is_none() && story.refused.is_none() => {
                Answer::Unsold { ping, reason: crate::reasons::Refusal::PingExpired }
            }
            Call::Post | Call::Full => story.to_post(ping),
        })
    }

    /// Answers a post whose ping is not open: it was posted before, has expired, or never was this source's.
    pub(super) async fn answer_closed(
        &self,
        ping: PingId,
        source: &str,
        submission: &Submission,
    ) -> Result<Answer, Trouble> {
        if self.book.decide(|book| book.open_ping(ping).is_some()) {
            // The post that came first may be on its way to the disk yet.
            self.journal.settled().await.map_err(|_| Trouble::Closed)?;
        }
        let story: Story = self.story(ping).await?;
        let auction = story.auction.as_ref().filter(|auction| auction.source == source);
        let auction = auction.ok_or(Trouble::PingNotFound)?;
        if let Some(by) = story.superseded_by {
            return self.answer_superseded(ping, by, submission).await;
        }
        let refused = story.refused.as_ref().map(|refused| refused.body);
        let reason = match story.posted.as_ref().map(|posted| posted.body).or(refused) {
            Some(body) if body == *submission.body_digest().as_bytes() => {
                return Ok(story.to_post(ping));
            }
            Some(_) => return Err(Trouble::PostedOtherwise),
            None if auction.winners.is_empty() => crate::reasons::Refusal::PingNotAccepted,
            None => crate::reasons::Refusal::PingExpired,
        };
        Ok(Answer::Unsold { ping, reason })
    }

    /// Answers another post of a ping that made room for an auction of the lead as it was posted.
    async fn answer_superseded(
        &self,
        ping: PingId,
        by: PingId,
        submission: &Submission,
    ) -> Result<Answer, Trouble> {
        let story = self.story(by).await?;
        match &story.auction {
            // A crash came before that auction was held.
            None => Ok(Answer::Unsold { ping, reason: crate::reasons::Refusal::PingExpired }),
            Some(auction) if auction.body != *submission.body_digest().as_bytes() => {
                Err(Trouble::PostedOtherwise)
            }
            Some(auction) if auction.winners.is_empty() => Ok(Answer::unsold(auction)),
            Some(_) => Ok(story.to_post(by)),
        }
    }

    /// Returns the facts of one ping with their places and times.
    ///
    /// # Errors
    ///
    /// [`Trouble::Closed`] if the journal cannot be read.
    pub async fn history(&self, ping: PingId) -> Result<Vec<(u64, Moment, Fact)>, Trouble> {
        let stored = self.journal.history(ping.as_u128()).await.map_err(|error| {
            tracing::error!(%error, %ping, "history not readable");
            Trouble::Closed
        })?;
        let mut facts = Vec::with_capacity(stored.len());
        for stored in stored {
            let fact = Fact::decode(stored.kind, &stored.payload).map_err(|error| {
                tracing::error!(%error, %ping, seq = stored.seq, "fact not readable");
                Trouble::Closed
            })?;
            facts.push((stored.seq, stored.at, fact));
        }
        Ok(facts)
    }
}

/// Makes the handle of a ping.
pub(super) fn handle(at: Moment) -> Result<PingId, Trouble> {
    let random = random().map_err(|_| Trouble::Overloaded("no randomness"))?;
    Ok(PingId::new(at, random))
}

/// Returns the random part of a handle.
pub(super) fn random<const BYTES: usize>() -> Result<[u8; BYTES], getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
