//! What may be looked at from outside: the newest auctions, and what each vertical takes from its sources.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::receipts::{AUCTIONS_MAX, FACTS_READ_MAX, Page};
use super::{ActError, Exchange};
use crate::book::{Rejects, Used};
use crate::catalog::Vertical;
use crate::clock::Moment;
use crate::facts::Fact;
use crate::ids::VerticalId;
use crate::lead::Schema;
use crate::sandbox::Normalizer;
use crate::settlement;

/// How many facts an auction has at most times.
const FACTS_PER_AUCTION: usize = 4;

impl Exchange {
    /// Returns the newest auctions in one line each, newest first. It looks at the journal's newest facts only, so its
    /// cost does not grow with the journal, and a list may come out shorter than asked for.
    ///
    /// # Errors
    ///
    /// [`ActError::Closed`] if the journal cannot be read.
    pub async fn newest_auctions(&self, limit: usize) -> Result<Page, ActError> {
        let limit = limit.min(AUCTIONS_MAX);
        let first = limit.saturating_mul(FACTS_PER_AUCTION).min(FACTS_READ_MAX);
        let found = self.auctions_within(first, limit).await?;
        if found.auctions.len() >= limit || first >= FACTS_READ_MAX {
            return Ok(found);
        }
        self.auctions_within(FACTS_READ_MAX, limit).await
    }

    /// Returns the auctions that began within the newest `reach` facts. What became of a ping follows its answer, so
    /// nothing of their stories is missing.
    async fn auctions_within(&self, reach: usize, limit: usize) -> Result<Page, ActError> {
        let after =
            self.journal.head().seq.saturating_sub(u64::try_from(reach).unwrap_or(u64::MAX));
        let stored = self.journal.read(after, reach).await.map_err(|error| {
            tracing::error!(%error, "newest facts not readable");
            ActError::Closed
        })?;
        let mut stories: BTreeMap<u128, (u64, Vec<(Moment, Fact)>)> = BTreeMap::new();
        for stored in stored {
            let Some(subject) = stored.subject else { continue };
            let fact = Fact::decode(stored.kind, &stored.payload).map_err(|error| {
                tracing::error!(%error, seq = stored.seq, "fact not readable");
                ActError::Closed
            })?;
            let (_, facts) = stories.entry(subject).or_insert((stored.seq, Vec::new()));
            facts.push((stored.at, fact));
        }
        // Handles sort by time.
        let newest_first = stories.values().rev();
        let at = self.clock.steady();
        let lines =
            newest_first.filter_map(|(seq, facts)| Some((*seq, settlement::headline(facts, at)?)));
        let lines: Vec<(u64, Value)> = lines.take(limit).collect();
        let next = lines.last().map(|(seq, _)| *seq).or((after > 0).then_some(after + 1));
        let auctions = lines.into_iter().map(|(_, line)| line).collect();
        Ok(Page { auctions, next: next.filter(|next| *next > 1) })
    }

    /// Returns why a campaign does not bid although it is active: its filter, or its buyer's adapter, is out of service.
    pub fn out_of_service(&self, vertical: &str, campaign: &str) -> Option<String> {
        let market = self.catalog.load();
        let vertical = market.vertical_named(vertical)?;
        let campaign = vertical.campaign(campaign)?;
        if let Some(adapter) = &campaign.buyer.adapter
            && let Some(why) = &adapter.upkeep.taken_out
        {
            return Some(format!("adapter `{}`: {why}", adapter.active.module.name));
        }
        if let Some(unfit) = market.setbacks().unfit.get(&campaign.id) {
            return Some(format!("filter `{}`: {}", unfit.module, unfit.fault.message));
        }
        let slot = campaign.filter?;
        let filter = vertical.filters.get(slot.filter)?;
        let why = filter.upkeep.taken_out.as_ref()?;
        Some(format!("filter `{}`: {why}", filter.active.module.name))
    }

    /// Returns the campaigns that are out of service because a module does not take their settings, each with the reason.
    pub fn unfit(&self, module: &str) -> Vec<(String, String)> {
        let market = self.catalog.load();
        let unfit = market.setbacks().unfit.iter();
        let of_module = unfit.filter(|(_, unfit)| unfit.module.as_str() == module);
        of_module
            .map(|(campaign, unfit)| (campaign.to_string(), unfit.fault.message.clone()))
            .collect()
    }

    /// Returns what a campaign took in the periods of this moment.
    pub fn used_by_campaign(&self, vertical: &str, campaign: &str) -> Option<Used> {
        let (market, at) = (self.catalog.load(), self.clock.now());
        let campaign = market.vertical_named(vertical)?.campaign(campaign)?;
        Some(self.book.decide(|book| book.used_by_campaign(campaign, at)))
    }

    /// Returns what all campaigns of a buyer took in the periods of this moment.
    pub fn used_by_buyer(&self, buyer: &str) -> Option<Used> {
        let (market, at) = (self.catalog.load(), self.clock.now());
        let buyer = market.buyer_named(buyer)?;
        Some(self.book.decide(|book| book.used_by_buyer(buyer, at)))
    }

    /// Returns how often a buyer refused what it won.
    pub fn rejects(&self, buyer: &str) -> Rejects {
        self.book.decide(|book| book.rejects(buyer))
    }

    /// Returns the names of the verticals that take pings, in order.
    pub fn verticals_open(&self) -> Vec<String> {
        let market = self.catalog.load();
        let open = market.verticals().filter(|vertical| vertical.active);
        let mut names: Vec<String> = open.map(|vertical| vertical.id.to_string()).collect();
        names.sort_unstable();
        names
    }

    /// Returns the module that reads a vertical's submissions, unless it is out of service.
    pub fn normalizer(&self, vertical: &VerticalId) -> Option<Normalizer> {
        in_service(self.catalog.load().vertical(vertical)?)
    }

    /// Returns the modules in service that read submissions, in the order of their verticals' names.
    pub fn normalizers(&self) -> impl Iterator<Item = Normalizer> + use<> {
        let market = self.catalog.load();
        let mut verticals: Vec<_> = market.verticals().cloned().collect();
        verticals.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        verticals.into_iter().filter_map(|vertical| in_service(&vertical))
    }

    /// Returns the schema of a vertical that takes pings.
    pub fn schema_taken(&self, vertical: &str) -> Option<Arc<Schema>> {
        let market = self.catalog.load();
        let open = market.vertical_named(vertical).filter(|vertical| vertical.active)?;
        Some(Arc::clone(open.schema()))
    }

    /// Returns what a source must know to send to a vertical; nothing if the vertical takes no pings.
    pub fn posting_specification(&self, vertical: &str) -> Option<Value> {
        let market = self.catalog.load();
        let open = market.vertical_named(vertical).filter(|vertical| vertical.active)?;
        let mut specification = self.schema(vertical)?;
        let dialects = open
            .normalizer
            .active
            .code
            .dialects()
            .iter()
            .map(|dialect| json!({"name": dialect.name, "description": dialect.description}));
        let more = json!({
            "vertical": vertical,
            "dialects": dialects.collect::<Vec<Value>>(),
            "currency": self.currency,
            "copies": open.copies,
            "hold_seconds": open.hold.as_secs(),
            "duplicate_window_seconds": open.duplicate_window.as_secs(),
        });
        if let (Some(object), Value::Object(more)) = (specification.as_object_mut(), more) {
            object.extend(more);
        }
        Some(specification)
    }
}

fn in_service(vertical: &Vertical) -> Option<Normalizer> {
    let serving = &vertical.normalizer;
    serving.upkeep.taken_out.is_none().then(|| serving.active.code.clone())
}
