//! Filters of campaigns: looked up, configured once with the settings of all their campaigns, and limited.

use std::cell::Cell;

use super::bench::Bench;
use super::faults::Fault;
use super::rules::fits;
use super::serving::Serving;
use super::setbacks::Unfit;
use crate::ids::{CampaignId, ModuleName};
use crate::lead::Schema;
use crate::sandbox::{Admitted, ConfigureError, ConfiguredFilter};

/// The campaigns of a vertical that use one filter, with their settings: a campaign's place is its slot.
pub(super) type Group<'c> = Vec<(&'c CampaignId, String)>;

impl Bench<'_> {
    /// Returns what serves of a filter, configured with the settings of all its campaigns, one slot each. Campaigns whose
    /// settings a version refuses that decides leave the group; nothing serves if none is left.
    pub(super) fn filter(
        &self,
        name: &ModuleName,
        group: &mut Group<'_>,
        schema: &Schema,
    ) -> Result<Option<Serving<ConfiguredFilter>>, Fault> {
        let idle = self.setbacks.borrow().idle.len();
        while !group.is_empty() {
            // What a shadow says about a group counts only of the last.
            self.setbacks.borrow_mut().idle.truncate(idle);
            let refused = Cell::new(None);
            let made = self.configured(name, group, schema, &refused);
            match (made, refused.get()) {
                (Err(fault), Some(slot)) if slot < group.len() => {
                    let (campaign, _) = group.remove(slot);
                    let unfit = Unfit { module: name.clone(), fault };
                    self.setbacks.borrow_mut().unfit.insert(campaign.clone(), unfit);
                }
                (made, _) => return made.map(Some),
            }
        }
        Ok(None)
    }

    /// Configures every version that serves. `refused` is set to the slot whose settings a version refuses that decides.
    fn configured(
        &self,
        name: &ModuleName,
        group: &Group<'_>,
        schema: &Schema,
        refused: &Cell<Option<usize>>,
    ) -> Result<Serving<ConfiguredFilter>, Fault> {
        let campaign = |slot: usize| {
            // A filter may name a campaign that is not there.
            let found = group.get(slot).or(group.first());
            found.map_or(String::new(), |(campaign, _)| format!("campaign {campaign}"))
        };
        // It is of all campaigns of the filter, and one of them has to be named.
        let of_all = |pointer: &str, message: String| {
            Fault::new(&campaign(0), pointer, message).shared_by(name)
        };
        let found = self
            .track((&campaign(0), "/filter/module"), name, None)
            .map_err(|fault| fault.shared_by(name))?;
        let settings: Vec<String> = group.iter().map(|(_, settings)| settings.clone()).collect();
        let (_, track, active) = found;
        let shadow = track.shadow.map(|trial| trial.version);
        self.serving(name, found, |version, admitted| {
            let world = admitted.world();
            let Admitted::Filter(filter) = admitted else {
                let message = format!("module `{name}` is a {world}; a campaign needs a filter");
                return Err(of_all("/filter/module", message));
            };
            fits(&filter, schema).map_err(|why| {
                let message = format!("filter `{name}` version {version} does not fit: {why}");
                of_all("/filter/module", message)
            })?;
            let configured = self.workshop.configure(self.stock, &filter, &settings);
            let configured = configured.ok_or_else(|| self.not_at_hand(name))?;
            let limited = configured.map(|configured| {
                let limits = self.draft.limits_of("filter", name).over_filter(configured.limits());
                configured.with_limits(limits)
            });
            limited.map_err(|error| match error {
                ConfigureError::Settings { slot, message } => {
                    if shadow != Some(version) {
                        refused.set(Some(slot));
                    }
                    let help = filter.settings_help();
                    let whose = if version == active {
                        format!("The filter `{name}`")
                    } else {
                        format!("Version {version} of the filter `{name}`, which is on trial,")
                    };
                    let message = format!("{message}. {whose} takes: {help}");
                    Fault::new(&campaign(slot), "/filter/settings", message)
                }
                other => {
                    tracing::warn!(error = %other, module = %name, version, "filter not configured");
                    of_all("/filter", format!("filter `{name}` version {version}: {other}"))
                }
            })
        })
    }
}
