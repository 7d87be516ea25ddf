//! Filters of campaigns: looked up, configured once with the settings of all their campaigns, and limited.

use super::build::Bench;
use super::faults::Fault;
use super::rules::fits;
use super::serving::Serving;
use crate::ids::{CampaignId, ModuleName};
use crate::lead::Schema;
use crate::sandbox::{Admitted, ConfigureError, ConfiguredFilter};

impl Bench<'_> {
    /// Returns what serves of a filter, configured with the settings of all its campaigns, one slot each.
    pub(super) fn filter(
        &self,
        name: &ModuleName,
        group: &[(&CampaignId, String)],
        schema: &Schema,
    ) -> Result<Serving<ConfiguredFilter>, Fault> {
        let campaign = |slot: usize| {
            // A filter may name a campaign that is not there.
            let found = group.get(slot).or(group.first());
            found.map_or(String::new(), |(campaign, _)| format!("campaign {campaign}"))
        };
        let found = self.track((&campaign(0), "/filter/module"), name, None)?;
        let settings: Vec<String> = group.iter().map(|(_, settings)| settings.clone()).collect();
        self.serving(name, found, |version, admitted| {
            let world = admitted.world();
            let Admitted::Filter(filter) = admitted else {
                let message = format!("module `{name}` is a {world}; a campaign needs a filter");
                return Err(Fault::new(&campaign(0), "/filter/module", message));
            };
            fits(&filter, schema).map_err(|why| {
                let message = format!("filter `{name}` version {version} does not fit: {why}");
                Fault::new(&campaign(0), "/filter/module", message)
            })?;
            let configured = self.workshop.configure(&filter, &settings);
            let limited = configured.map(|configured| {
                let limits = self.draft.limits_of("filter", name).over_filter(configured.limits());
                configured.with_limits(limits)
            });
            limited.map_err(|error| match error {
                ConfigureError::Settings { slot, message } => {
                    let help = filter.settings_help();
                    let message = format!("{message}. The filter `{name}` takes: {help}");
                    Fault::new(&campaign(slot), "/filter/settings", message)
                }
                other => {
                    tracing::warn!(error = %other, module = %name, version, "filter not configured");
                    let message = format!("filter `{name}` version {version}: {other}");
                    Fault::new(&campaign(0), "/filter", message)
                }
            })
        })
    }
}
