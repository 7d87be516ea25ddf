//! Gates: a version serves only if its comparison with the active one keeps the thresholds that the module's owner set.

use std::time::Duration;

use super::modules::find;
use super::office::ActError;
use super::recording::{Settings, Window};
use super::shadow::Observed;
use super::{Exchange, Note, Trying, Which};
use crate::catalog::{Draft, GateSpec};
use crate::comparison::{reading_shortfalls, shortfalls};
use crate::ids::ModuleName;

/// How many of the newest facts a gate looks at for leads, where no shadow has seen enough.
pub const GATE_FACTS_MAX: u64 = 100_000;
/// How long a gate may look at them.
pub const GATE_TIME_MAX: Duration = Duration::from_secs(10);
/// What the reason of an act begins with that went past a gate.
pub const FORCED: &str = "forced: ";

/// Whether a gate holds somebody up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gated {
    #[default]
    Held,
    /// It lets pass, and the record says so.
    Forced,
}

/// A version that may serve instead of the version that was active when it was looked at.
#[derive(Debug)]
pub(super) struct Cleared {
    pub(super) version: u32,
    pub(super) note: Note,
    active: Option<u32>,
}

impl Cleared {
    /// Says whether the same version is still active.
    pub(super) fn holds(&self, draft: &Draft, name: &str) -> Result<(), ActError> {
        if active(draft, name, self.version) == self.active {
            return Ok(());
        }
        let message = "another version was activated meanwhile: look at it, and try again";
        Err(ActError::Conflict(message.to_owned()))
    }
}

fn active(draft: &Draft, name: &str, version: u32) -> Option<u32> {
    let versions = draft.versions(name)?;
    let major = versions.version(version)?.major;
    versions.track(Some(major))?.1.active
}

impl Exchange {
    /// Says whether a version may serve: its shadow's comparison with the active one keeps every threshold, or, where
    /// no shadow has seen enough, that over the newest recorded leads with the settings of now.
    pub(super) async fn clear(
        &self,
        (name, which): (&str, Which),
        gated: Gated,
        note: Note,
    ) -> Result<Cleared, ActError> {
        let draft = self.draft().await;
        let (versions, version) = find(&draft, name, which)?;
        let gate = draft.module_spec(name).gate;
        let active = active(&draft, name, version);
        let cleared = Cleared { version, note, active };
        let Some(active) = active.filter(|active| *active != version && !gate.is_open()) else {
            return Ok(cleared);
        };
        if gated == Gated::Forced {
            let why = format!("{FORCED}{}", cleared.note.why);
            return Ok(Cleared { note: Note { why, ..cleared.note }, ..cleared });
        }
        let module = ModuleName::parse(name).map_err(|error| super::office::invalid("", error))?;
        let observed = self.shadows.observed(&module, version, active);
        let enough = |observed: &Observed| observed.leads() >= gate.frames_min.unwrap_or(1);
        let normalizer = versions.world == "normalizer";
        let (found, over) = match observed.filter(|observed| enough(observed) || normalizer) {
            Some(observed) => {
                let leads = observed.leads();
                (short(&gate, &observed), format!("over {leads} leads of its shadow"))
            }
            None if normalizer => {
                let message = format!(
                    "a normalizer is compared on live traffic: shadow version {version} first, with POST /v1/modules/{name}/shadow"
                );
                (vec![message], "over nothing".to_owned())
            }
            None => {
                let versions = (
                    self.version(&draft, name, active).await?,
                    self.version(&draft, name, version).await?,
                );
                let window = Window { last: None, settings: Settings::Now };
                let bounds = (GATE_TIME_MAX, GATE_FACTS_MAX);
                let found = self
                    .compare_at_gate((&module, &versions.0, &versions.1), &draft, window, bounds)
                    .await?;
                let leads = found.comparison.leads();
                (shortfalls(&gate, &found.comparison), format!("over {leads} recorded leads"))
            }
        };
        if found.is_empty() {
            return Ok(cleared);
        }
        let found = found.join("; ");
        Err(ActError::Gate(format!(
            "version {version} of `{name}` does not pass the gate, compared with version {active} {over}: {found}"
        )))
    }
}

/// Says whether a version of this world can be tried so.
pub(super) fn may_try(name: &str, world: &str, trying: Trying) -> Result<(), ActError> {
    if trying == Trying::Shadow && world == "adapter" {
        return Err(ActError::Conflict(format!(
            "`{name}` is an adapter, and a buyer is not asked twice: try the version with a canary, and before that with \
             `gavel adapter test`"
        )));
    }
    Ok(())
}

fn short(gate: &GateSpec, observed: &Observed) -> Vec<String> {
    match observed {
        Observed::Filter(comparison) => shortfalls(gate, comparison),
        Observed::Normalizer(readings) => reading_shortfalls(gate, readings),
    }
}
