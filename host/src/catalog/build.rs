//! From a draft to a snapshot: every reference looked up, every expression checked, every module compiled.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::ReturnRateSpec;
use super::adapters::Task;
use super::bench::{Bench, Tools};
use super::bidding::checked;
use super::caps::{Caps, DuplicatesSpec};
use super::draft::Draft;
use super::faults::{Fault, Faults};
use super::filters::Group;
use super::headers::Headers;
use super::prices::prices;
use super::rules::{failing, limits, possible, suppressions, zone};
use super::serving::Serving;
use super::setbacks::Setbacks;
use super::spec::{BuyerSpec, CampaignSpec, Register, VerticalSpec};
use super::ways::way;
use super::workshop::{Stock, Workshop};
use super::{
    Bidding, Buyer, Campaign, KeyMode, Market, Policy, Retention, Slot, Source, Vertical, policy,
};
use crate::criteria::Lists;
use crate::ids::{BuyerId, CampaignId, ModuleName, VerticalId};
use crate::lead::Schema;
use crate::sandbox::{Admitted, Normalizer};
use crate::schedule::Schedule;

impl Market {
    /// Builds a snapshot. Compiles and configures what is not yet, so it belongs on a thread that may block.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] found; of a campaign the first, and none that only follows from another.
    pub fn build(draft: &Draft, version: u64, workshop: &Workshop) -> Result<Self, Faults> {
        Self::built(draft, version, (workshop, Stock::Made), &Cell::default())
    }

    /// Builds a snapshot of what is compiled and configured already; nothing if something is not.
    ///
    /// # Errors
    ///
    /// As [`Self::build`].
    pub fn of_stock(draft: &Draft, workshop: &Workshop) -> Result<Option<Self>, Faults> {
        let missing = Cell::default();
        let built = Self::built(draft, 0, (workshop, Stock::AtHand), &missing);
        if missing.get() { Ok(None) } else { built.map(Some) }
    }

    fn built(
        draft: &Draft,
        version: u64,
        (workshop, stock): (&Workshop, Stock),
        missing: &Cell<bool>,
    ) -> Result<Self, Faults> {
        let setbacks = RefCell::<Setbacks>::default();
        let register = &draft.register;
        let (mut market, mut faults) = (Self { version, ..Self::default() }, Faults::default());
        market.doors(register, &mut faults);
        market.told(register, &workshop.egress, &mut faults);
        let (buyers, lists) = (HashMap::new(), Lists::default());
        let tools = Tools { draft, workshop, stock, missing, setbacks: &setbacks };
        let bench = Bench { tools, buyers: &buyers, lists: &lists };
        for (id, spec) in &register.buyers {
            let mut buyer = faults.keep(buyer(id, spec, register, workshop));
            if let (Some(buyer), Some(adapter)) = (&mut buyer, &spec.delivery.adapter) {
                let at = (format!("buyer {id}"), "/delivery/adapter");
                buyer.adapter = faults.keep(bench.adapter((&at.0, at.1), adapter, Task::Post));
            }
            let bidding = spec.bidding.as_ref().and_then(|spec| spec.adapter.as_ref());
            if let (Some(buyer), Some(adapter)) = (&mut buyer, bidding) {
                let at = (format!("buyer {id}"), "/bidding/adapter");
                let adapter = faults.keep(bench.adapter((&at.0, at.1), adapter, Task::Ping));
                if let Some(bidding) = buyer.bidding.as_mut().and_then(Arc::get_mut) {
                    bidding.adapter = adapter;
                }
            }
            market.buyers.extend(buyer.map(|buyer| (id.clone(), Arc::new(buyer))));
        }
        let everyone = register.suppressions.iter().filter(|(_, list)| list.everyone);
        market.suppressions = everyone.map(|(name, _)| Arc::from(name.as_str())).collect();
        let mut lists = Lists::default();
        for (name, list) in &register.lists {
            faults.keep(lists.insert(name, &list.values).map_err(|error| {
                Fault::new(&format!("list {name}"), "/values", error.to_string())
            }));
        }
        let mut campaigns: BTreeMap<&VerticalId, BTreeMap<&CampaignId, &CampaignSpec>> =
            BTreeMap::new();
        for (id, spec) in &register.campaigns {
            if !register.verticals.contains_key(&spec.vertical) {
                let message = format!("there is no vertical `{}`; save it first", spec.vertical);
                faults.0.push(Fault::new(&format!("campaign {id}"), "/vertical", message));
            }
            campaigns.entry(&spec.vertical).or_default().insert(id, spec);
        }
        // Campaigns name all of these: what is wrong with them would be told twice.
        let mut faults = faults.none_or(Faults::default())?;
        for (name, spec) in &register.modules {
            let what = format!("module {name}");
            faults.keep(failing(&what, spec));
            let world = draft.modules.get(name).map_or("", |versions| versions.world.as_str());
            faults.keep(spec.gate.check(world).map_err(|(member, message)| {
                Fault::new(&what, &format!("/gate/{member}"), message)
            }));
            faults.keep(possible(&what, "/limits", &spec.limits));
        }
        for (world, spec) in &register.limits {
            faults.keep(possible(&format!("limits of {world}"), "", spec));
        }
        for (id, spec) in &register.policies {
            faults.keep(policy::check(id, spec, register));
        }
        policy::orders(register, &mut faults);
        for (id, spec) in &register.verticals {
            let saved = campaigns.remove(id).unwrap_or_default();
            let bench = Bench { tools, buyers: &market.buyers, lists: &lists };
            let vertical = bench.vertical(id, spec, &saved, &mut faults);
            market.verticals.extend(vertical.map(|vertical| (id.clone(), Arc::new(vertical))));
        }
        market.check_whispers(&mut faults);
        let mut market = faults.none_or(market)?;
        market.setbacks = setbacks.take();
        workshop.built();
        Ok(market)
    }

    /// Takes in the sources, and the keys of sources and buyers.
    fn doors(&mut self, register: &Register, faults: &mut Faults) {
        for (id, spec) in &register.sources {
            let live = spec.key_digests.iter().map(|digest| (digest, KeyMode::Live));
            let test = spec.test_key_digests.iter().map(|digest| (digest, KeyMode::Test));
            for (digest, mode) in live.chain(test) {
                let key = (id.clone(), mode);
                if self.keys.insert(*digest, key.clone()).is_some_and(|other| other != key) {
                    let message = "the key is another source's, or this one's for the other mode; every source has its own for each";
                    faults.0.push(Fault::new(&format!("source {id}"), "/key", message));
                }
            }
            let source = faults.keep(Source::of(id, spec));
            self.sources.extend(source.map(|source| (id.clone(), Arc::new(source))));
        }
        for (id, spec) in &register.buyers {
            for digest in &spec.key_digests {
                let taken = self.keys.contains_key(digest);
                let other = self.buyer_keys.insert(*digest, id.clone());
                if taken || other.is_some_and(|other| other != *id) {
                    let message = "the key belongs to somebody else; every buyer has its own";
                    faults.0.push(Fault::new(&format!("buyer {id}"), "/key", message));
                }
            }
        }
    }
}

fn buyer(
    id: &BuyerId,
    spec: &BuyerSpec,
    register: &Register,
    workshop: &Workshop,
) -> Result<Buyer, Fault> {
    let what = format!("buyer {id}");
    let (way, timeout) = way(&what, &spec.delivery, &workshop.egress)?;
    if spec.credit_limit.0.is_negative() {
        return Err(Fault::new(&what, "/credit_limit", "must not be negative"));
    }
    spec.fees.check(&what)?;
    ReturnRateSpec::check(spec.return_rate, &what)?;
    let status = spec.delivery.status.as_ref().map(|spec| spec.check(&workshop.egress));
    let status = status.transpose().map_err(|(member, message)| {
        Fault::new(&what, &format!("/delivery/status/{member}"), message)
    })?;
    let headers = Headers::of((&what, id), &spec.delivery, workshop.keys())?;
    let asked = spec.bidding.as_ref().map(|spec| checked(&what, spec, &workshop.egress));
    let asked = asked.transpose()?;
    DuplicatesSpec::check(spec.duplicates.as_ref(), &what)?;
    Ok(Buyer {
        id: id.clone(),
        credit_limit: spec.credit_limit.0,
        fee: spec.fees.into(),
        zone: zone(&what, &spec.zone)?,
        caps: Caps::new(&what, &spec.caps, &spec.budget)?,
        duplicates: spec.duplicates,
        suppressions: suppressions(&what, &spec.suppressions, register)?,
        way,
        timeout,
        idempotent: spec.delivery.idempotent,
        status: status.map(Arc::new),
        in_order: spec.delivery.in_order,
        return_rate: spec.return_rate,
        bidding: asked.map(|asked| Arc::new(Bidding { headers: headers.clone(), ..asked })),
        headers,
        signing: spec.delivery.signing.as_ref().map(|signing| signing.secrets.clone()),
        adapter: None,
        active: spec.active,
    })
}

impl Bench<'_> {
    fn vertical(
        &self,
        id: &VerticalId,
        spec: &VerticalSpec,
        saved: &BTreeMap<&CampaignId, &CampaignSpec>,
        faults: &mut Faults,
    ) -> Option<Vertical> {
        let what = format!("vertical {id}");
        faults.keep(limits(&what, spec));
        let normalizer = faults.keep(self.normalizer(&what, spec))?;
        let schema = Arc::clone(normalizer.active.code.schema());
        let mut groups: BTreeMap<&ModuleName, Group<'_>> = BTreeMap::new();
        for (campaign, spec) in saved {
            if let Some(filter) = &spec.filter {
                let group = groups.entry(&filter.module).or_default();
                group.push((campaign, filter.settings.to_string()));
            }
        }
        let mut filters = Vec::with_capacity(groups.len());
        let mut slots = HashMap::new();
        for (name, group) in &mut groups {
            let filter = faults.keep(self.filter(name, group, &schema)).flatten();
            // A filter that is at fault has no place, but then nothing is built at all.
            for (slot, (campaign, _)) in (0_u32..).zip(group) {
                slots.insert(*campaign, Slot { filter: filters.len(), slot });
            }
            filters.extend(filter);
        }
        let policies = self.policies(id, spec, &schema, faults);
        let mut campaigns = Vec::with_capacity(saved.len());
        for (campaign, spec) in saved {
            let slot = slots.get(campaign).copied();
            let campaign = faults.keep(self.campaign(campaign, spec, &schema, slot));
            campaigns.extend(campaign.map(Arc::new));
        }
        Some(Vertical {
            id: id.clone(),
            active: spec.active,
            normalizer,
            copies: spec.copies,
            policies,
            own: Policy::of_vertical(spec),
            hold: Duration::from_secs(u64::from(spec.hold_seconds)),
            duplicate_window: Duration::from_secs(u64::from(spec.duplicate_window_seconds)),
            returns: spec.returns.clone(),
            duplicates: spec.duplicates,
            retention: Retention::of(&spec.retention),
            fees: Vertical::fees_of(&campaigns),
            campaigns,
            filters,
        })
    }

    fn normalizer(&self, what: &str, spec: &VerticalSpec) -> Result<Serving<Normalizer>, Fault> {
        let name = &spec.module;
        let found = self.track((what, "/module"), name, spec.major)?;
        self.serving(name, found, |_, admitted| match admitted {
            Admitted::Normalizer(normalizer) => Ok(normalizer
                .with_limits(self.draft.limits_of("normalizer", name).over(normalizer.limits()))),
            other @ (Admitted::Filter(_) | Admitted::Adapter(_)) => {
                let world = other.world();
                let message =
                    format!("module `{name}` is a {world}; a vertical needs a normalizer");
                Err(Fault::new(&what, "/module", message))
            }
        })
    }

    fn campaign(
        &self,
        id: &CampaignId,
        spec: &CampaignSpec,
        schema: &Schema,
        filter: Option<Slot>,
    ) -> Result<Campaign, Fault> {
        let fault = |pointer: &str, message: String| {
            Fault::new(&format!("campaign {id}"), pointer, message)
        };
        let buyer = self.buyers.get(&spec.buyer).ok_or_else(|| {
            fault("/buyer", format!("there is no buyer `{}`; save it first", spec.buyer))
        })?;
        let elsewhere = spec.filter.is_some() || buyer.bidding.is_some();
        let (price, exclusive) =
            prices(spec, elsewhere).map_err(|(at, why)| fault(at, why.to_owned()))?;
        if spec.bid_max.is_some_and(|most| !most.0.is_positive()) {
            return Err(fault("/bid_max", "must be above zero".to_owned()));
        }
        let criteria =
            self.criteria(&format!("campaign {id}"), "/criteria", spec.criteria.as_ref(), schema)?;
        let schedule = spec.schedule.as_ref().map(Schedule::from_json).transpose();
        let schedule = schedule
            .map_err(|error| fault(&format!("/schedule{}", error.pointer), error.message))?;
        if spec.duplicate_window_seconds > VerticalSpec::WINDOW_SECONDS_MAX {
            let message = format!("must be at most {}", VerticalSpec::WINDOW_SECONDS_MAX);
            return Err(fault("/duplicate_window_seconds", message));
        }
        let what = format!("campaign {id}");
        DuplicatesSpec::check(spec.duplicates.as_ref(), &what)?;
        Ok(Campaign {
            id: id.clone(),
            buyer: Arc::clone(buyer),
            active: spec.active,
            price,
            exclusive,
            bid_max: spec.bid_max.map(|most| most.0),
            criteria,
            schedule,
            zone: zone(&what, &spec.zone)?,
            caps: Caps::new(&what, &spec.caps, &spec.budget)?,
            duplicate_window: Duration::from_secs(u64::from(spec.duplicate_window_seconds)),
            duplicates: spec.duplicates,
            suppressions: suppressions(&what, &spec.suppressions, &self.draft.register)?,
            unfit: spec.filter.is_some() && filter.is_none(),
            filter,
        })
    }
}
