//! Adapters of buyers: looked up, configured with the buyer's settings, and limited.

use super::bench::Bench;
use super::faults::Fault;
use super::serving::Serving;
use super::spec::AdapterSpec;
use crate::sandbox::{Adapter, Admitted, ConfigureError};

/// What a buyer needs an adapter for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// To hand leads over.
    Post,
    /// To be asked for bids.
    Ping,
}

impl Task {
    fn missing(self, adapter: &Adapter) -> Option<&'static str> {
        match self {
            Self::Post if !adapter.posts() => Some("only asks for bids, and hands no leads over"),
            Self::Ping if !adapter.pings() => Some("only hands leads over, and asks for no bids"),
            Self::Post | Self::Ping => None,
        }
    }
}

impl Bench<'_> {
    /// Returns what serves of the module that a buyer's adapter names, configured with its settings. `pointer` is where the
    /// adapter stands in the buyer's body.
    pub(super) fn adapter(
        &self,
        (what, pointer): (&str, &str),
        spec: &AdapterSpec,
        task: Task,
    ) -> Result<Serving<Adapter>, Fault> {
        let AdapterSpec { module: name, settings } = spec;
        let at = |member: &str| format!("{pointer}/{member}");
        let found = self.track((what, &at("module")), name, None)?;
        let settings = settings.to_string();
        self.serving(name, found, |version, admitted| {
            let world = admitted.world();
            let Admitted::Adapter(module) = admitted else {
                let message = format!("module `{name}` is a {world}; a buyer needs an adapter");
                return Err(Fault::new(&what, &at("module"), message));
            };
            let adapter = self.workshop.configure_adapter(self.stock, &module, &settings);
            let adapter = adapter.ok_or_else(|| self.not_at_hand(name))?;
            let adapter = adapter.map_err(|error| match error {
                ConfigureError::Settings { message, .. } => {
                    let help = module.settings_help();
                    let message = format!("{message}. The adapter `{name}` takes: {help}");
                    Fault::new(&what, &at("settings"), message)
                }
                other => {
                    tracing::warn!(error = %other, module = %name, version, "adapter not configured");
                    let message = format!("adapter `{name}` version {version}: {other}");
                    Fault::new(&what, pointer, message)
                }
            })?;
            if let Some(missing) = task.missing(&adapter) {
                let message = format!("with these settings the adapter `{name}` {missing}");
                return Err(Fault::new(&what, &at("settings"), message));
            }
            let limits = self.draft.limits_of("adapter", name).over(adapter.limits());
            Ok(adapter.with_limits(limits))
        })
    }
}
