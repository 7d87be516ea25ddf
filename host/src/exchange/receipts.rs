//! Receipts: what each auction was, signed, for whoever has a part in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::notary::Owners;
use super::opening::OpenError;
use super::price_to_win::price_to_win;
use super::{ActError, Exchange};
use crate::catalog::{Draft, Excerpt};
use crate::clock::Moment;
use crate::facts::{Fact, PingAnswered};
use crate::ids::{Digest, PingId};
use crate::journal::{Place, Reading, Stored};
use crate::sandbox::{Admitted, Compiler, Limits, Sandbox};
use crate::settlement::receipt::seal;
use crate::settlement::receipt::view::{self, Viewer};
use crate::settlement::{self, Case, Placed};

/// The most auctions in one list.
pub const AUCTIONS_MAX: usize = 200;
/// The most facts that one page of a list looks at.
pub(super) const FACTS_READ_MAX: usize = 2_000;
/// How many facts about the catalog are read at a time.
const CATALOG_FACTS: usize = 1_000;

/// How much of a receipt is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What happened.
    Usual,
    /// With what it takes to hold the auction again elsewhere; for the operator only.
    Full,
}

/// A page of somebody's auctions, newest first.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub auctions: Vec<Value>,
    /// Where the next page begins; nothing at the end. A page may be short, or empty, and not the last.
    pub next: Option<u64>,
}

impl Exchange {
    /// Returns the receipt of an auction as somebody may see it, signed; nothing if he has no part in it.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal cannot be read.
    pub async fn receipt(
        &self,
        ping: PingId,
        viewer: &Viewer,
        extent: Extent,
    ) -> Result<Option<Map<String, Value>>, ActError> {
        let facts = self.placed(ping).await?;
        let Some(whole) = self.whole(&facts).await? else { return Ok(None) };
        let Some(seen) = view::view(&whole, &facts, viewer) else { return Ok(None) };
        let (key, seal) = (self.notary.key(), &self.notary.seal);
        let auction = ping.to_string();
        let statement = seal::statement(&whole, &auction, seal, &key.public());
        let mut seen = seal::signed(seen, &statement, seal, &key);
        if extent == Extent::Full
            && *viewer == Viewer::Operator
            && let Some(answered) = answered(&facts)
        {
            let evidence = self.evidence(answered, &facts).await?;
            let evidence = seal::signed_evidence(&auction, evidence, &key);
            seen.insert(seal::EVIDENCE.to_owned(), evidence);
        }
        Ok(Some(seen))
    }

    /// Returns the auctions in which a source or a buyer has a part, newest first, from those that were recorded before
    /// a fact. One page looks at a bounded number of facts.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal cannot be read.
    pub async fn auctions_of(
        &self,
        viewer: &Viewer,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, ActError> {
        let _berth = self.harbour.lists.berth(&party(viewer)).await;
        let newest = self.journal.head().seq;
        let before = before.unwrap_or(u64::MAX).min(newest.saturating_add(1));
        let reach = u64::try_from(FACTS_READ_MAX).unwrap_or(u64::MAX);
        let after = before.saturating_sub(1).saturating_sub(reach);
        let length = before.saturating_sub(1).saturating_sub(after);
        let length = usize::try_from(length).unwrap_or(FACTS_READ_MAX);
        let stored = self.journal.read(after, length).await.map_err(unreadable)?;
        let mut page = Page { auctions: Vec::new(), next: (after > 0).then_some(after + 1) };
        let answers = stored.iter().rev().filter(|stored| stored.kind == Fact::AUCTION_KIND);
        for stored in answers {
            let fact = decode(stored)?;
            let Fact::PingAnswered(auction) = &fact else { continue };
            if !self.has_part(auction, viewer) {
                continue;
            }
            if page.auctions.len() >= limit.min(AUCTIONS_MAX) {
                page.next = Some(stored.seq.saturating_add(1));
                break;
            }
            let facts = self.placed(PingId::from_u128(auction.ping)).await?;
            if *viewer == Viewer::Operator {
                let facts: Vec<(Moment, Fact)> =
                    facts.into_iter().map(|placed| (placed.at, placed.fact)).collect();
                page.auctions.extend(settlement::headline(&facts, self.clock.steady()));
                continue;
            }
            let Some(whole) = self.whole(&facts).await? else { continue };
            let seen = view::view(&whole, &facts, viewer);
            page.auctions.extend(seen.map(|seen| view::line(&seen, viewer)));
        }
        Ok(page)
    }

    fn has_part(&self, auction: &PingAnswered, viewer: &Viewer) -> bool {
        match viewer {
            Viewer::Operator => true,
            Viewer::Source(source) => auction.source == *source,
            Viewer::Buyer(buyer) => {
                let known = self.notary.known();
                let owns = |campaign: &str| {
                    known.owners.owner(campaign, auction.catalog).as_deref() == Some(buyer)
                };
                auction.bids.iter().any(|bid| bid.buyer == *buyer)
                    || auction.asked.iter().any(|asked| asked.buyer == *buyer)
                    || auction.left_out.iter().any(|left| owns(&left.campaign))
            }
        }
    }

    /// Returns the whole receipt without its proof.
    async fn whole(&self, facts: &[Placed]) -> Result<Option<Map<String, Value>>, ActError> {
        let Some(auction) = answered(facts) else { return Ok(None) };
        let schema = self.schema_of(Digest::from_bytes(auction.normalizer.digest)).await?;
        let known = self.notary.known();
        let case = Case {
            facts,
            owner: &|campaign| known.owners.owner(campaign, auction.catalog),
            schema: Some(&schema),
            price_to_win: &price_to_win,
            currency: &self.currency,
            at: self.clock.steady(),
        };
        Ok(settlement::receipt(&case))
    }

    async fn placed(&self, ping: PingId) -> Result<Vec<Placed>, ActError> {
        placed(&self.journal.reading(), ping).await
    }

    async fn evidence(
        &self,
        auction: &PingAnswered,
        facts: &[Placed],
    ) -> Result<Map<String, Value>, ActError> {
        let excerpt = self.excerpt(auction).await?;
        let facts = facts.iter().map(|placed| {
            json!({"seq": placed.seq, "at_ms": placed.at.unix_ms(), "kind": placed.fact.kind(), "payload": STANDARD.encode(placed.fact.encode())})
        });
        let evidence = json!({
            "program": env!("CARGO_PKG_VERSION"),
            "facts": facts.collect::<Vec<Value>>(),
            "catalog": excerpt,
        });
        match seal::plain(evidence) {
            Value::Object(members) => Ok(members),
            _ => Err(ActError::Closed),
        }
    }

    /// Returns what was saved when an auction was held, as far as it decided.
    async fn excerpt(&self, auction: &PingAnswered) -> Result<Excerpt, ActError> {
        let draft = self.draft.lock().await.clone();
        if self.catalog.load().version() == auction.catalog {
            return Ok(draft.excerpt(&auction.source, &auction.vertical));
        }
        let reading = self.journal.reading();
        let (mut draft, mut after) = (Draft::default(), 0);
        loop {
            let page = reading.facts_of_kinds(after, Fact::CATALOG_KINDS, CATALOG_FACTS).await;
            let page = page.map_err(unreadable)?;
            for stored in &page {
                after = stored.seq;
                if stored.seq > auction.catalog {
                    return Ok(draft.excerpt(&auction.source, &auction.vertical));
                }
                let folded = draft.apply(stored.at, &decode(stored)?);
                folded.map_err(|error| {
                    tracing::error!(%error, seq = stored.seq, "catalog not readable");
                    ActError::Closed
                })?;
            }
            if page.is_empty() {
                return Ok(draft.excerpt(&auction.source, &auction.vertical));
            }
        }
    }
}

/// Returns the facts about a ping with their links.
async fn placed(reading: &Reading, ping: PingId) -> Result<Vec<Placed>, ActError> {
    let stored = reading.history(ping.as_u128()).await.map_err(unreadable)?;
    let mut links: BTreeMap<u64, Digest> = BTreeMap::from([(0, Digest::default())]);
    links.extend(stored.iter().map(|stored| (stored.seq, stored.hash)));
    let mut facts = Vec::with_capacity(stored.len());
    for stored in stored {
        let before = stored.seq.saturating_sub(1);
        if !links.contains_key(&before) {
            let read = reading.facts_after(before.saturating_sub(1), 1).await;
            let read = read.map_err(unreadable)?;
            links.extend(read.first().map(|stored| (stored.seq, stored.hash)));
        }
        let before = links.get(&before).copied().ok_or(ActError::Closed)?;
        let fact = decode(&stored)?;
        facts.push(Placed { seq: stored.seq, at: stored.at, fact, hash: stored.hash, before });
    }
    Ok(facts)
}

/// Returns the whole receipt of an auction from a journal that may be in use, without a proof; nothing if
/// there is no such auction. Nothing is written there.
///
/// # Errors
///
/// If the journal cannot be read, or its normalizer not be compiled.
pub async fn receipt_in(
    place: Place,
    (ping, at): (PingId, Moment),
    currency: &str,
    compiler: Compiler,
) -> Result<Option<Map<String, Value>>, OpenError> {
    let reading = Reading::open(&place).await?;
    let closed = |error: ActError| OpenError::Unfoldable(error.to_string());
    let facts = placed(&reading, ping).await.map_err(closed)?;
    let Some(auction) = answered(&facts) else { return Ok(None) };
    let (mut owners, mut after) = (Owners::default(), 0);
    loop {
        let page = reading.facts_of_kinds(after, Fact::CATALOG_KINDS, CATALOG_FACTS).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for stored in &page {
            owners.note(stored.seq, &decode(stored).map_err(closed)?);
        }
    }
    let digest = Digest::from_bytes(auction.normalizer.digest);
    let wasm = reading.module(digest).await?.unwrap_or_default();
    reading.close().await;
    let sandbox = Sandbox::open(&Limits::default())?.with_compiler(compiler);
    let admitted = sandbox.reading_cache(&place.directory).admit(&wasm);
    let schema = match admitted.map_err(|why| OpenError::Module { digest, why: why.to_string() })? {
        Admitted::Normalizer(normalizer) => Some(Arc::clone(normalizer.schema())),
        Admitted::Filter(_) | Admitted::Adapter(_) => None,
    };
    let case = Case {
        facts: &facts,
        owner: &|campaign| owners.owner(campaign, auction.catalog),
        schema: schema.as_ref(),
        price_to_win: &price_to_win,
        currency,
        at,
    };
    Ok(settlement::receipt(&case))
}

/// Returns the answer among the facts of a ping.
pub(super) fn answered(facts: &[Placed]) -> Option<&Arc<PingAnswered>> {
    facts.iter().find_map(|placed| match &placed.fact {
        Fact::PingAnswered(auction) => Some(auction),
        _ => None,
    })
}

fn decode(stored: &Stored) -> Result<Fact, ActError> {
    Fact::decode(stored.kind, &stored.payload).map_err(|error| {
        tracing::error!(%error, seq = stored.seq, "fact not readable");
        ActError::Closed
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is called with the error that it stands for")]
fn unreadable(error: crate::journal::JournalError) -> ActError {
    tracing::error!(%error, "journal not readable");
    ActError::Closed
}

/// Returns whom lists and statements are read for, as the beginning of the party's accounts.
fn party(viewer: &Viewer) -> String {
    match viewer {
        Viewer::Operator => "operator".to_owned(),
        Viewer::Source(source) => format!("source:{source}"),
        Viewer::Buyer(buyer) => format!("buyer:{buyer}"),
    }
}
