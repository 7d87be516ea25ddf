//! An excerpt: of everything that is saved, what decided about one auction, so that others can hold it again.
//!
//! It has what the operator's API takes, without keys and without where leads are delivered to.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::draft::{Draft, Unfoldable};
use super::policy::PolicySpec;
use super::spec::{BuyerSpec, CampaignSpec, Percent, Register, VerticalSpec};
use super::versions::{Track, Versions};
use crate::clock::Moment;
use crate::facts::{Fact, ModuleStepped, ModuleUploaded, Saved, Step};
use crate::ids::{BuyerId, CampaignId, Digest, ModuleName, SourceId, VerticalId};
use crate::money::Share;

/// An address that leads nowhere: excerpts deliver nothing.
const NOWHERE: &str = "https://buyer.invalid/";
/// What stands for buyers, campaigns and verticals that are not part of an excerpt. No operator names anything so.
const ELSEWHERE: &str = "elsewhere.not-in-this-excerpt";

/// What is saved, and which modules serve, as far as it decides about the auctions of one vertical.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Excerpt {
    pub saved: Vec<SavedObject>,
    pub modules: Vec<ServingModule>,
}

/// An object as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedObject {
    pub what: String,
    pub id: String,
    /// JSON, as text.
    pub body: String,
}

/// A module with the versions that pings may get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingModule {
    pub name: ModuleName,
    /// `normalizer` or `filter`.
    pub world: String,
    pub versions: Vec<ServingVersion>,
}

/// A version that decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServingVersion {
    pub version: u32,
    pub digest: Digest,
    pub major: u32,
    pub minor: u32,
    /// The share of the pings that it decides in the place of the active version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary_percent: Option<Percent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_out: Option<String>,
}

impl Draft {
    /// Returns what decides about a source's leads of a vertical.
    pub fn excerpt(&self, source: &str, vertical: &str) -> Excerpt {
        let register = &self.register;
        let mut excerpt = Excerpt::default();
        let source = SourceId::parse(source).ok();
        if let Some((id, spec)) = source.and_then(|id| register.sources.get_key_value(&id)) {
            excerpt.keep("source", id.as_str(), spec);
        }
        let vertical = VerticalId::parse(vertical).ok();
        let Some((id, spec)) = vertical.and_then(|id| register.verticals.get_key_value(&id)) else {
            return excerpt;
        };
        excerpt.keep("vertical", id.as_str(), spec);
        let (mut modules, mut buyers) =
            (BTreeSet::from([&spec.module]), BTreeSet::<&BuyerId>::new());
        for (campaign, spec) in register.campaigns.iter().filter(|(_, spec)| spec.vertical == *id) {
            excerpt.keep("campaign", campaign.as_str(), spec);
            buyers.insert(&spec.buyer);
            modules.extend(spec.filter.as_ref().map(|filter| &filter.module));
        }
        for (buyer, spec) in register.buyers.iter().filter(|(id, _)| buyers.contains(id)) {
            excerpt.keep("buyer", buyer.as_str(), spec);
        }
        for (policy, spec) in
            register.policies.iter().filter(|(_, spec)| spec.verticals.contains(id))
        {
            // Its other verticals have nothing to do with this one.
            excerpt.keep(
                "policy",
                policy.as_str(),
                &PolicySpec { verticals: vec![id.clone()], ..spec.clone() },
            );
        }
        for (name, spec) in &register.suppressions {
            excerpt.keep("suppression", name, spec);
        }
        let named = |name: &str| excerpt.saved.iter().any(|object| object.body.contains(name));
        let lists: Vec<_> = register.lists.iter().filter(|(name, _)| named(name)).collect();
        for (name, spec) in lists {
            excerpt.keep("list", name, spec);
        }
        for (name, spec) in register.modules.iter().filter(|(name, _)| modules.contains(name)) {
            excerpt.keep("module", name.as_str(), spec);
        }
        for (world, spec) in &register.limits {
            excerpt.keep("limits", world, spec);
        }
        let serving = modules.iter().filter_map(|name| Some((*name, self.modules.get(*name)?)));
        excerpt.modules.extend(serving.map(|(name, versions)| serving_module(name, versions)));
        excerpt
    }
}

fn serving_module(name: &ModuleName, versions: &Versions) -> ServingModule {
    let version = |track: &Track, number: u32, share: Option<Share>| {
        let known = versions.version(number)?;
        Some(ServingVersion {
            version: number,
            digest: known.digest,
            major: known.major,
            minor: known.minor,
            canary_percent: share.map(Percent),
            taken_out: track.taken_out.clone(),
        })
    };
    let serving = versions.tracks.values().flat_map(|track| {
        let active = track.active.and_then(|number| version(track, number, None));
        let canary = track.canary;
        active
            .into_iter()
            .chain(canary.and_then(|trial| version(track, trial.version, Some(trial.share))))
    });
    ServingModule { name: name.clone(), world: versions.world.clone(), versions: serving.collect() }
}

impl Excerpt {
    fn keep(&mut self, what: &str, id: &str, spec: &impl Serialize) {
        let mut body = serde_json::to_value(spec).unwrap_or_default();
        if let Some(members) = body.as_object_mut() {
            for secret in ["key_digests", "test_key_digests", "name", "postback"] {
                members.remove(secret);
            }
            if what == "buyer" {
                let nowhere = json!({ "url": NOWHERE });
                if members.contains_key("bidding") {
                    members.insert("bidding".to_owned(), nowhere.clone());
                }
                members.insert("delivery".to_owned(), nowhere);
            }
        }
        let (what, id) = (what.to_owned(), id.to_owned());
        self.saved.push(SavedObject { what, id, body: body.to_string() });
    }

    /// Returns whose a campaign was.
    pub fn owner(&self, campaign: &str) -> Option<String> {
        let found =
            self.saved.iter().find(|saved| saved.what == "campaign" && saved.id == campaign)?;
        let body: Value = serde_json::from_str(&found.body).ok()?;
        body.get("buyer")?.as_str().map(str::to_owned)
    }

    /// Returns the version of a module with this number.
    pub fn version(&self, module: &str, number: u32) -> Option<(&ServingModule, &ServingVersion)> {
        let module = self.modules.iter().find(|known| known.name.as_str() == module)?;
        let version = module.versions.iter().find(|known| known.version == number)?;
        Some((module, version))
    }

    /// Returns a draft in which these versions of modules are active, and nothing else of any module is there. Campaigns
    /// whose filter is not among them bid by themselves: their filter was not asked.
    ///
    /// # Errors
    ///
    /// [`Unfoldable`] if a body does not read back.
    pub fn draft(&self, used: &[(&str, u32)]) -> Result<Draft, Unfoldable> {
        let (mut draft, at) = (Draft::default(), Moment::default());
        let is_used = |module: &str| used.iter().any(|(name, _)| *name == module);
        for SavedObject { what, id, body } in &self.saved {
            if what == "module" && !is_used(id) {
                continue;
            }
            let (what, id, body) = (what.clone(), id.clone(), body.clone());
            draft.apply(at, &Fact::Saved(Saved { what, id, body }))?;
        }
        for (name, number) in used {
            let Some((module, version)) = self.version(name, *number) else { continue };
            for before in 1..version.version {
                draft.apply(at, &uploaded(module, before, None))?;
            }
            draft.apply(at, &uploaded(module, version.version, Some(version)))?;
            draft.apply(at, &activated(module, version.version))?;
        }
        let register = Arc::make_mut(&mut draft.register);
        elsewhere(register);
        let unused: Vec<CampaignId> = register
            .campaigns
            .iter()
            .filter(|(_, spec)| {
                spec.filter.as_ref().is_some_and(|filter| !is_used(filter.module.as_str()))
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in unused {
            if let Some(spec) = register.campaigns.get_mut(&id) {
                spec.filter = None;
                // A campaign without a filter needs a price; it was left out before anybody asked for it.
                spec.price = spec.price.or(Some(super::Amount(crate::money::Micros::new(1))));
            }
        }
        Ok(draft)
    }
}

/// Puts something in the place of the buyers and campaigns that policies name and that are not in the excerpt, because they
/// belong to other verticals: places in an order count them too.
fn elsewhere(register: &mut Register) {
    let Some(usual) = register.verticals.values().next() else { return };
    let (Ok(other), usual) = (VerticalId::parse(ELSEWHERE), usual.clone()) else { return };
    let tiers = || register.policies.values().flat_map(|policy| &policy.tiers);
    let buyers: BTreeSet<BuyerId> = tiers().flat_map(|tier| &tier.buyers).cloned().collect();
    let ordered = register.policies.values().flat_map(|policy| &policy.order);
    let campaigns: BTreeSet<CampaignId> =
        ordered.chain(tiers().flat_map(|tier| &tier.campaigns)).cloned().collect();
    let read = |body: Value| serde_json::from_value::<BuyerSpec>(body);
    let Ok(nobody) = read(json!({"delivery": {"url": NOWHERE}, "active": false})) else { return };
    for buyer in buyers {
        register.buyers.entry(buyer).or_insert_with(|| nobody.clone());
    }
    let missing: Vec<CampaignId> =
        campaigns.into_iter().filter(|id| !register.campaigns.contains_key(id)).collect();
    if missing.is_empty() {
        return;
    }
    let Ok(buyer) = BuyerId::parse(ELSEWHERE) else { return };
    register.buyers.entry(buyer.clone()).or_insert(nobody);
    register.verticals.insert(other, VerticalSpec { active: false, ..usual });
    let body = json!({"buyer": ELSEWHERE, "vertical": ELSEWHERE, "price": "1.00", "active": false});
    let Ok(nothing) = serde_json::from_value::<CampaignSpec>(body) else { return };
    for campaign in missing {
        register.campaigns.insert(campaign, nothing.clone());
    }
}

fn uploaded(module: &ServingModule, number: u32, version: Option<&ServingVersion>) -> Fact {
    let digest = version.map(|version| *version.digest.as_bytes()).unwrap_or_default();
    Fact::ModuleUploaded(ModuleUploaded {
        name: module.name.as_str().to_owned(),
        version: number,
        digest,
        world: module.world.clone(),
        bytes: 0,
        major: version.map_or(0, |version| version.major),
        minor: version.map_or(0, |version| version.minor),
        passed: Vec::new(),
        by: String::new(),
        why: String::new(),
    })
}

fn activated(module: &ServingModule, number: u32) -> Fact {
    Fact::ModuleStepped(ModuleStepped {
        name: module.name.as_str().to_owned(),
        version: number,
        step: Step::Activated,
        share: 0,
        by: String::new(),
        why: String::new(),
    })
}
