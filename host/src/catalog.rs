//! The catalog: who may sell, who may buy, by which rules and with which modules, as one immutable snapshot.
//!
//! A ping loads the snapshot once and works with it to its end, whatever is saved or activated meanwhile. A snapshot
//! is built whole from a [`Draft`], off the hot path, and published by swapping one pointer. Its version is the
//! sequence number of the fact that made it.

mod adapters;
mod bench;
mod bidding;
mod build;
mod caps;
mod draft;
mod excerpt;
mod faults;
mod fees;
mod filters;
mod headers;
mod policy;
mod postback;
mod prices;
mod returns;
mod rules;
mod secrets;
mod serving;
mod setbacks;
mod source;
mod spec;
mod status;
mod texts;
mod transfer;
mod upkeep;
mod versions;
mod ways;
mod workshop;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::tz::TimeZone;

use crate::criteria::Criteria;
use crate::facts::{BuyerFee, Fee};
use crate::ids::{BuyerId, CampaignId, Digest, ModuleName, SourceId, VerticalId};
use crate::lead::{PingView, Schema};
use crate::money::{Micros, Rounding, Share};
use crate::sandbox::{Adapter, ConfiguredFilter, Normalizer};
use crate::schedule::Schedule;

pub use bidding::{Bidding, BiddingSpec};
pub use caps::{Bounds, BudgetSpec, By, Caps, CapsSpec, Ceilings, Day, DayBound, DuplicatesSpec};
pub use draft::{Draft, Unfoldable};
pub use excerpt::{Excerpt, SavedObject, ServingModule, ServingVersion};
pub use faults::{FAULTS_TOLD_MAX, Fault, Faults};
pub use fees::FeesSpec;
pub use headers::{
    BUYER_HEADERS_MAX, HIDDEN, HeaderSpec, Headers, SealedSpec, Secret, SecretSpec, owner,
};
pub use policy::{
    ChangedPostName, Place, Policy, PolicySpec, PriceName, RankName, RuleName, TierSpec,
    UnlistedName,
};
pub use postback::{DisabledSpec, Owner, Postback, PostbackSpec};
pub use prices::PricesSpec;
pub use returns::{ReturnRateSpec, ReturnsSpec};
pub use secrets::{Secrets, SigningSpec, TooManySecrets};
pub use serving::{Lot, Served, Serving, Upkeep};
pub use setbacks::{Idle, Setbacks, Unfit};
pub use spec::{
    AdapterSpec, Amount, BuyerSpec, CampaignSpec, FilterSpec, ListSpec, Percent, Reach, Register,
    RetentionSpec, SourceSpec, SuppressionSpec, VerticalSpec,
};
pub use status::{StatusPage, StatusSpec};
pub use transfer::{SPOKEN_CHARS_MAX, Transfer, TransferSpec};
pub use upkeep::{FailingSpec, GateSpec, LimitsSpec, ModuleSpec};
pub use versions::{STEPS_KEPT_MAX, StepTaken, Track, Trial, Version, Versions};
pub use ways::{DeliverySpec, EmailSpec, Way};
pub use workshop::{Stock, Workshop};

/// The published snapshot. Reading it takes no lock.
#[derive(Debug)]
pub struct Catalog {
    market: ArcSwap<Market>,
}

impl Catalog {
    pub fn new(market: Market) -> Self {
        Self { market: ArcSwap::from_pointee(market) }
    }

    /// Returns the snapshot of this moment; it stays as it is for as long as it is held.
    pub fn load(&self) -> Arc<Market> {
        self.market.load_full()
    }

    /// Makes a snapshot the one that every later ping sees, and returns the one before it.
    pub fn publish(&self, market: Market) -> Arc<Market> {
        self.market.swap(Arc::new(market))
    }
}

/// One consistent view of everything that decides about a ping.
#[derive(Debug, Default)]
pub struct Market {
    version: u64,
    sources: HashMap<SourceId, Arc<Source>>,
    keys: HashMap<Digest, (SourceId, KeyMode)>,
    buyer_keys: HashMap<Digest, BuyerId>,
    buyers: HashMap<BuyerId, Arc<Buyer>>,
    verticals: HashMap<VerticalId, Arc<Vertical>>,
    suppressions: Vec<Arc<str>>,
    postbacks: HashMap<Owner, Postback>,
    setbacks: Setbacks,
}

impl Market {
    /// Returns the sequence number of the fact that made this snapshot.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Returns the snapshot as the one that the fact with this number made.
    #[must_use]
    pub fn at_version(self, version: u64) -> Self {
        Self { version, ..self }
    }

    /// Returns what this snapshot does without.
    pub fn setbacks(&self) -> &Setbacks {
        &self.setbacks
    }

    pub fn source(&self, id: &SourceId) -> Option<&Arc<Source>> {
        self.sources.get(id)
    }

    /// Returns the source that a key opens the door for, and what kind of key it is. Only the key's digest is looked up,
    /// so the time it takes says nothing about any key.
    pub fn source_by_key(&self, key: &str) -> Option<(&Arc<Source>, KeyMode)> {
        let (source, mode) = self.keys.get(&Digest::of(key.as_bytes()))?;
        Some((self.sources.get(source)?, *mode))
    }

    /// Returns the buyer that a key belongs to. Only its digest is looked up, as of a source's.
    pub fn buyer_by_key(&self, key: &str) -> Option<&Arc<Buyer>> {
        self.buyers.get(self.buyer_keys.get(&Digest::of(key.as_bytes()))?)
    }

    pub fn buyer(&self, id: &BuyerId) -> Option<&Arc<Buyer>> {
        self.buyers.get(id)
    }

    pub fn vertical(&self, id: &VerticalId) -> Option<&Arc<Vertical>> {
        self.verticals.get(id)
    }

    /// Returns the buyer that a fact names.
    pub fn buyer_named(&self, id: &str) -> Option<&Arc<Buyer>> {
        self.buyers.get(&BuyerId::parse(id).ok()?)
    }

    /// Returns the vertical that a fact names.
    pub fn vertical_named(&self, id: &str) -> Option<&Arc<Vertical>> {
        self.verticals.get(&VerticalId::parse(id).ok()?)
    }

    /// Returns the suppression lists that hold for everyone.
    pub fn suppressions(&self) -> &[Arc<str>] {
        &self.suppressions
    }

    pub fn verticals(&self) -> impl Iterator<Item = &Arc<Vertical>> {
        self.verticals.values()
    }
}

/// What is done with what comes with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    Live,
    /// Everything is decided the same way, and stops before buyers and money.
    Test,
}

/// Who sends pings and leads.
#[derive(Debug)]
pub struct Source {
    pub id: SourceId,
    /// Empty means all.
    pub verticals: Vec<VerticalId>,
    pub margin: Share,
    pub margin_rounding: Rounding,
    pub fee: Fee,
    pub pings_per_second: u32,
    pub active: bool,
}

/// Who bids and pays.
#[derive(Debug)]
pub struct Buyer {
    pub id: BuyerId,
    pub credit_limit: Micros,
    /// What it pays on top of every price.
    pub fee: Fee,
    pub zone: TimeZone,
    /// For all its campaigns together.
    pub caps: Caps,
    /// When it bought a person before, whichever campaign did.
    pub duplicates: Option<DuplicatesSpec>,
    pub suppressions: Vec<Arc<str>>,
    pub way: Way,
    /// How long one attempt to hand a lead over may take.
    pub timeout: Duration,
    pub idempotent: bool,
    /// Where it says what became of a lead that it may have.
    pub status: Option<Arc<StatusPage>>,
    /// Leads go to it one at a time, in the order of their posts.
    pub in_order: bool,
    pub return_rate: Option<ReturnRateSpec>,
    /// How it is asked for bids over the network, if it is.
    pub bidding: Option<Arc<Bidding>>,
    pub headers: Headers,
    /// What signs the leads that are posted to it; without it they are not signed.
    pub signing: Option<Secrets>,
    /// Speaks the buyer's dialect when a lead is handed over; without one it is the exchange's own JSON.
    pub adapter: Option<Serving<Adapter>>,
    pub active: bool,
}

impl Buyer {
    /// Returns whether it is asked again by itself when nobody knows whether it has a lead.
    pub fn may_be_asked_again(&self) -> bool {
        let sent = !matches!(self.way, Way::Transfer(_));
        sent && (self.idempotent || self.status.is_some())
    }
}

/// A module's version that serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModuleVersion {
    pub name: ModuleName,
    pub version: u32,
    pub digest: Digest,
}

/// A kind of lead, how it is read, and the rules of its auctions.
#[derive(Debug)]
pub struct Vertical {
    pub id: VerticalId,
    pub active: bool,
    pub normalizer: Serving<Normalizer>,
    pub copies: u32,
    /// The policies in the order in which they are tried.
    policies: Vec<Policy>,
    /// The last resort.
    own: Policy,
    pub hold: Duration,
    /// How long the same lead from the same source is a duplicate; zero means never.
    pub duplicate_window: Duration,
    /// How its leads may be returned.
    pub returns: ReturnsSpec,
    /// When a person was sold before.
    pub duplicates: Option<DuplicatesSpec>,
    pub retention: Retention,
    /// What buyers with a campaign here pay on top of prices, by their names.
    pub fees: Vec<BuyerFee>,
    /// Every campaign of the vertical, paused ones too, by name.
    pub campaigns: Vec<Arc<Campaign>>,
    /// Every filter with the settings of all the campaigns that use it.
    pub filters: Vec<Serving<ConfiguredFilter>>,
}

/// How long something of a person is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The sealed contact data, once every delivery has ended.
    pub contact: Duration,
    /// The same, if a delivery was given up and can be sent again; `contact` if that is longer.
    pub given_up: Duration,
    /// The prints by which a person is found, from the post on.
    pub person: Duration,
}

impl Retention {
    fn of(spec: &RetentionSpec) -> Self {
        let hours = |hours: u32| Duration::from_secs(3_600 * u64::from(hours));
        let contact = hours(spec.contact_hours);
        Self {
            contact,
            given_up: hours(spec.given_up_hours).max(contact),
            person: Duration::from_secs(86_400 * u64::from(spec.person_days)),
        }
    }
}

impl Retention {
    /// Nothing is kept beyond the deliveries.
    pub const UNTIL_DELIVERED: Self =
        Self { contact: Duration::ZERO, given_up: Duration::ZERO, person: Duration::ZERO };
}

impl Vertical {
    /// Returns the schema of the active normalizer.
    pub fn schema(&self) -> &Arc<Schema> {
        self.normalizer.active.code.schema()
    }

    /// Returns the policy by which this lead from this source is sold: the first that is for it, else the vertical's own
    /// settings.
    pub fn policy(&self, lead: &PingView, source: &str) -> &Policy {
        self.policies.iter().find(|policy| policy.is_for(lead, source)).unwrap_or(&self.own)
    }

    pub fn campaign(&self, id: &str) -> Option<&Arc<Campaign>> {
        let index =
            self.campaigns.binary_search_by(|campaign| campaign.id.as_str().cmp(id)).ok()?;
        self.campaigns.get(index)
    }
}

/// What a buyer wants, when, how much of it, and at what price.
#[derive(Debug)]
pub struct Campaign {
    pub id: CampaignId,
    pub buyer: Arc<Buyer>,
    pub active: bool,
    /// What it bids for a copy, unless its filter names another price.
    pub price: Option<Micros>,
    /// The most that its buyer may bid for it when it is asked.
    pub bid_max: Option<Micros>,
    /// What it bids for the lead alone, where that is another price.
    pub exclusive: Option<Micros>,
    pub criteria: Criteria,
    pub schedule: Option<Schedule>,
    pub zone: TimeZone,
    pub caps: Caps,
    /// How long a lead like one it bought is a duplicate to it; zero means never.
    pub duplicate_window: Duration,
    /// When it bought a person before.
    pub duplicates: Option<DuplicatesSpec>,
    pub suppressions: Vec<Arc<str>>,
    pub filter: Option<Slot>,
    /// Its filter does not take its settings, so it does not bid.
    pub unfit: bool,
}

/// Where a campaign's settings stand: which of the vertical's filters, and which slot in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub filter: usize,
    pub slot: u32,
}
