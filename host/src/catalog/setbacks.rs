//! What a snapshot does without: campaigns whose settings the version that decides does not take, and trials that do not
//! fit what is saved.
//!
//! Saves and activations that would put a campaign out of service are refused; a rollback is not, for it must get
//! through. So a snapshot can be built with campaigns that stay out of service until their settings are saved anew.

use std::collections::BTreeMap;

use super::faults::Fault;
use crate::ids::{CampaignId, ModuleName};

/// What a snapshot does without, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setbacks {
    /// The campaigns that are out of service because their filter refuses their settings.
    pub unfit: BTreeMap<CampaignId, Unfit>,
    /// The shadows that judge nothing in one of the verticals.
    pub idle: Vec<Idle>,
}

/// Why a campaign is out of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub module: ModuleName,
    pub fault: Fault,
}

/// A shadow that does not fit what is saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idle {
    pub module: ModuleName,
    pub version: u32,
    pub fault: Fault,
}

impl Setbacks {
    /// Returns the faults of the campaigns that only this snapshot puts out of service, and of `saved`, the campaign that
    /// it was built for, if it is one of them.
    pub fn more_than(&self, before: &Self, saved: Option<&str>) -> Vec<Fault> {
        let new = self.unfit.iter().filter(|(campaign, _)| {
            saved == Some(campaign.as_str()) || !before.unfit.contains_key(*campaign)
        });
        new.map(|(_, unfit)| unfit.fault.clone()).collect()
    }

    /// Returns why the shadow of a module judges nothing in some vertical.
    pub fn idle(&self, module: &ModuleName, version: u32) -> Option<&Fault> {
        let found = self.idle.iter().find(|idle| idle.module == *module && idle.version == version);
        found.map(|idle| &idle.fault)
    }
}
