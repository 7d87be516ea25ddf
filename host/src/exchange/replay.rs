//! Replay: every recorded auction is held again, from its lead to its winners, and must come out the same.
//!
//! What the book said before the bids were asked for depends on what other pings did at that instant, so it is taken
//! as recorded. Everything after it happened in the order of the journal and is decided again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::close::{duplicate, fingerprint};
use super::opening::OpenError;
use super::rehearsal::{Rehearsed, Services, rehearse};
use crate::book::{Stage, State};
use crate::catalog::{Draft, Market, Workshop};
use crate::clock::Moment;
use crate::egress::Egress;
use crate::facts::{Delivered, Ended, Fact, ModuleStepped, Parts, PingAnswered};
use crate::ids::{PingId, SourceId};
use crate::journal::{Place, Reading};
use crate::lead::PingView;
use crate::money::Micros;
use crate::sandbox::{Compiler, Limits, Sandbox};
use crate::settlement;

/// How many facts are read at a time.
const PAGE_FACTS: usize = 1_000;
/// How many snapshots are kept built for pings that were decided by an older one than the newest.
const SNAPSHOTS_KEPT: usize = 64;

/// What a replay found.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    pub facts: u64,
    /// Auctions that were held again.
    pub auctions: u64,
    pub deliveries: u64,
    pub differences: Vec<Difference>,
}

/// A recorded decision that comes out otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The fact; 0 for a sum over all facts.
    pub seq: u64,
    pub what: String,
    pub recorded: String,
    pub replayed: String,
}

/// Holds every auction of a journal again. What the exchange compiled is taken from its directory; the rest is compiled
/// by `compiler`. `progress` hears the number of facts done, a page at a time.
///
/// # Errors
///
/// If the journal is damaged or cannot be read. Decisions that come out otherwise are no error; they are in the result.
pub async fn replay(
    place: impl Into<Place>,
    compiler: Compiler,
    mut progress: impl FnMut(u64),
) -> Result<Replayed, OpenError> {
    let place: Place = place.into();
    let reading = Reading::open(&place).await?;
    reading.verify().await?;
    let sandbox = Sandbox::open(&Limits::default())?.with_compiler(compiler);
    let sandbox = sandbox.reading_cache(&place.directory);
    // Saved addresses were checked when they were saved; nothing is sent to them here.
    let egress = Egress::anywhere();
    let mut stage = Replay {
        workshop: Workshop::new(sandbox, egress),
        draft: Draft::default(),
        drafts: BTreeMap::new(),
        markets: BTreeMap::new(),
        state: State::default(),
        ledger: HashMap::new(),
        found: Replayed::default(),
    };
    loop {
        let page = reading.facts_after(stage.found.facts, PAGE_FACTS).await?;
        if page.is_empty() {
            break;
        }
        for stored in page {
            let fact = Fact::decode(stored.kind, &stored.payload)?;
            if let Fact::ModuleStepped(stepped) = &fact {
                stage.compile(&reading, stepped).await?;
            }
            stage.step(stored.seq, stored.at, &fact)?;
            stage.found.facts = stored.seq;
        }
        progress(stage.found.facts);
    }
    stage.sums(reading.balances().await?);
    reading.close().await;
    Ok(stage.found)
}

struct Replay {
    workshop: Workshop,
    draft: Draft,
    drafts: BTreeMap<u64, Draft>,
    markets: BTreeMap<u64, Arc<Market>>,
    state: State,
    ledger: HashMap<String, Micros>,
    found: Replayed,
}

impl Replay {
    async fn compile(&self, reading: &Reading, step: &ModuleStepped) -> Result<(), OpenError> {
        let versions = self.draft.versions(&step.name);
        let digest = versions.and_then(|versions| versions.digest(step.version));
        let Some(digest) = digest.filter(|digest| !self.workshop.has(*digest)) else {
            return Ok(());
        };
        let wasm = reading.module(digest).await?.unwrap_or_default();
        let admitted = self.workshop.sandbox.admit(&wasm);
        let admitted =
            admitted.map_err(|why| OpenError::Module { digest, why: why.to_string() })?;
        self.workshop.keep(digest, admitted);
        Ok(())
    }

    fn step(&mut self, seq: u64, at: Moment, fact: &Fact) -> Result<(), OpenError> {
        match fact {
            Fact::PingAnswered(answered) => self.auction(seq, at, answered)?,
            Fact::Delivered(delivered) => self.delivery(seq, delivered),
            Fact::ShipmentResent(_) => {
                if let Err(wrong) = settlement::backed(&self.state, seq, fact) {
                    self.differ(seq, "sent again", &"given up before", &wrong.to_string());
                }
            }
            Fact::Saved(_)
            | Fact::ModuleUploaded(_)
            | Fact::ModuleStepped(_)
            | Fact::Deposited(_)
            | Fact::SubmissionRefused(_)
            | Fact::Posted(_)
            | Fact::AskedAgain(_)
            | Fact::StatusAsked(_)
            | Fact::TransferOffered(_)
            | Fact::Transferred(_)
            | Fact::ReturnRequested(_)
            | Fact::ReturnDecided(_)
            | Fact::CallMade(_)
            | Fact::CallAnswered(_)
            | Fact::Superseded(_)
            | Fact::PostRefused(_)
            | Fact::SuppressionsAdded(_)
            | Fact::SuppressionsRemoved(_)
            | Fact::ContactErased(_)
            | Fact::ContactsSwept(_)
            | Fact::KeyAdopted(_)
            | Fact::PostbackTried(_)
            | Fact::PostbackResent(_)
            | Fact::MasterKeyRotated(_)
            | Fact::Expired(_) => (),
        }
        self.draft.apply(at, fact).map_err(|error| OpenError::Unfoldable(error.to_string()))?;
        if fact.changes_catalog() {
            // A copy shares what did not change.
            self.drafts.insert(seq, self.draft.clone());
        }
        for entry in settlement::entries(fact) {
            let balance = self.ledger.entry(entry.account).or_default();
            *balance = balance.checked_add(entry.amount).unwrap_or(*balance);
        }
        self.state.apply(at, fact);
        Ok(())
    }

    fn auction(&mut self, seq: u64, at: Moment, recorded: &PingAnswered) -> Result<(), OpenError> {
        let market = self.market(recorded.catalog)?;
        self.found.auctions = self.found.auctions.saturating_add(1);
        let (Some(vertical), Ok(source)) =
            (market.vertical_named(&recorded.vertical), SourceId::parse(&recorded.source))
        else {
            self.differ(seq, "vertical", &recorded.vertical, &"none");
            return Ok(());
        };
        let Some(seller) = market.source(&source) else {
            self.differ(seq, "source", &recorded.source, &"none");
            return Ok(());
        };
        let schema = Arc::clone(vertical.schema());
        let Ok(view) = PingView::from_frame(schema, &recorded.frame) else {
            self.differ(seq, "frame", &"readable", &"not readable");
            return Ok(());
        };
        let print = fingerprint(vertical, &recorded.frame);
        self.compare(seq, "fingerprint", &recorded.fingerprint, &print);
        let lead = (recorded.test, print);
        let earlier = duplicate(&self.state, vertical, seller, lead, at).map(PingId::as_u128);
        self.compare(seq, "duplicate", &recorded.duplicate_of, &earlier);
        if earlier.is_some() {
            return Ok(());
        }
        let policy = vertical.policy(&view, &recorded.source);
        let least = Micros::new(recorded.terms.least);
        self.compare(seq, "terms", &recorded.terms, &policy.terms(seller, &vertical.fees, least));
        let stage = (vertical.as_ref(), &view, &source);
        let rehearsed = rehearse(recorded, stage, (at, Services::Known), |campaign, amount| {
            self.state.covers(campaign, print, amount, at)
        });
        let Rehearsed { closed, asked } = rehearsed;
        for bid in recorded.bids.iter().filter(|_| recorded.terms.reject_penalty) {
            let known = self.state.reject_rate(&bid.buyer);
            self.compare(seq, "reject rate", &bid.rejects, &known);
        }
        self.compare(seq, "asked", &recorded.asked, &asked);
        self.compare(seq, "bids", &recorded.bids, &closed.bids);
        self.compare(seq, "left out", &recorded.left_out, &closed.left_out);
        self.compare(seq, "winners", &recorded.winners, &closed.winners);
        Ok(())
    }

    /// Returns the snapshot that a ping was decided by.
    fn market(&mut self, version: u64) -> Result<Arc<Market>, OpenError> {
        if let Some(market) = self.markets.get(&version) {
            return Ok(Arc::clone(market));
        }
        let empty = Draft::default();
        let draft = self.drafts.get(&version).unwrap_or(&empty);
        let market = Arc::new(Market::build(draft, version, &self.workshop)?);
        self.markets.insert(version, Arc::clone(&market));
        while self.markets.len() > SNAPSHOTS_KEPT {
            self.markets.pop_first();
        }
        Ok(market)
    }

    fn delivery(&mut self, seq: u64, delivered: &Delivered) {
        self.found.deliveries = self.found.deliveries.saturating_add(1);
        if delivered.ended != Ended::Sold {
            return;
        }
        let open = self.state.open_ping(PingId::from_u128(delivered.ping));
        let index = usize::try_from(delivered.copy).unwrap_or(usize::MAX);
        let held = open.and_then(|open| Some((open, open.copies.get(index)?)));
        let Some((open, copy)) = held.filter(|(_, copy)| copy.stage == Stage::Held) else {
            self.differ(seq, "sale", &"sold", &"no money was held for it");
            return;
        };
        let (price, due) = open
            .winner(copy)
            .map_or_else(Default::default, |winner| (Micros::new(winner.price), winner.fees));
        let Parts { payout, fees, .. } = open.auction.terms.parts(price);
        let Delivered { buyer_fees, source_fees, .. } = *delivered;
        let recorded = (delivered.price, delivered.payout, buyer_fees, source_fees);
        let expected = (price.get(), payout.get(), due, fees);
        self.compare(seq, "price and payout", &recorded, &expected);
    }

    fn sums(&mut self, recorded: Vec<(String, Micros)>) {
        let nothing = |balance: &Micros| *balance != Micros::ZERO;
        let recorded: BTreeMap<String, Micros> =
            recorded.into_iter().filter(|(_, balance)| nothing(balance)).collect();
        let replayed: BTreeMap<String, Micros> =
            self.ledger.drain().filter(|(_, balance)| nothing(balance)).collect();
        self.compare(0, "balances", &recorded, &replayed);
        for (buyer, held) in self.state.holds() {
            let account = self.state.account(&buyer).held;
            self.compare(0, "money held", &account, &held);
        }
    }

    fn compare<T: PartialEq + std::fmt::Debug>(
        &mut self,
        seq: u64,
        what: &str,
        recorded: &T,
        replayed: &T,
    ) {
        if recorded != replayed {
            self.differ(seq, what, recorded, replayed);
        }
    }

    fn differ(
        &mut self,
        seq: u64,
        what: &str,
        recorded: &dyn std::fmt::Debug,
        replayed: &dyn std::fmt::Debug,
    ) {
        self.found.differences.push(Difference {
            seq,
            what: what.to_owned(),
            recorded: format!("{recorded:?}"),
            replayed: format!("{replayed:?}"),
        });
    }
}
