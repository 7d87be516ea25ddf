//! Filters: configured once with the settings of all their campaigns, then asked about one lead after another.

use std::fmt;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::InstancePre;

use super::admission::capped;
use super::bindings::filter::exports::gavel::rules::filtering as wit;
use super::bindings::filter::{Filter as Bound, FilterPre};
use super::call::{Fence, Forfeit, forfeit, spent, store};
use super::inadmissible::Inadmissible;
use super::limits::FilterLimits;
use super::lines::Lines;
use super::{Sandbox, snapshot};
use crate::ids::Digest;
use crate::lead::{Kind, SCHEMA_FIELDS_MAX};
use crate::money::Micros;

/// The longest help for settings, in bytes.
const SETTINGS_HELP_BYTES_MAX: usize = 4_096;
/// The longest name of a field, in bytes.
const FIELD_NAME_BYTES_MAX: usize = 64;
/// The longest message about settings, in bytes; the rest is cut.
pub(super) const MESSAGE_BYTES_MAX: usize = 1_000;
/// The longest reason code of a filter, in bytes.
const REASON_BYTES_MAX: usize = 64;

/// A field that a filter reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its name in the vertical's schema.
    pub name: String,
    /// The kind that the filter takes it for.
    pub kind: Kind,
}

/// One campaign's answer to one lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not wanted, for a reason in the filter's own codes: 1 to 64 lower-case letters, digits and `-`.
    No(Box<str>),
    /// Wanted, at this price or at the campaign's own. The price is as the filter says it, which may be no price.
    Yes(Option<Micros>),
}

/// What became of one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluated {
    /// One for each slot, in the order in which they were asked for.
    pub verdicts: Vec<Verdict>,
    /// The fuel it took: the same on every machine.
    pub fuel: u64,
    /// The linear memory that it had at its end, in bytes: the same on every machine.
    pub memory_bytes: u64,
}

/// Why a filter or an adapter could not be configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// A campaign's settings are wrong, in the module's own words. `slot` is their place in the list.
    #[error("{message}")]
    Settings { slot: usize, message: String },
    /// The module failed.
    #[error("the module could not be configured: {0}")]
    Forfeit(Forfeit),
    /// The module cannot be kept as `configure` left it.
    #[error("the module cannot be kept as `configure` left it: {0}")]
    NotKept(String),
}

/// A filter without settings. A clone is a handle to the same.
#[derive(Clone)]
pub struct Filter(Arc<Parts>);

struct Parts {
    digest: Digest,
    needs: Arc<[Need]>,
    settings_help: String,
    sandbox: Sandbox,
    wasm: Box<[u8]>,
    lines: Arc<Lines>,
    /// The filter with the accessors by which its state is kept.
    instrumented: InstancePre<Fence>,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.0.digest).finish()
    }
}

impl Filter {
    pub(super) fn admit(sandbox: &Sandbox, wasm: &[u8]) -> Result<Self, Inadmissible> {
        let instrumented = snapshot::instrument(wasm).map_err(Inadmissible::NotKeepable)?;
        let instrumented = sandbox.compile(&instrumented)?;
        let lines = Arc::new(Lines::of(wasm));
        let description = describe(sandbox, &instrumented, &lines)?;
        let settings = description.settings;
        let settings_help = capped("the help for settings", settings, SETTINGS_HELP_BYTES_MAX)?;
        Ok(Self(Arc::new(Parts {
            digest: Digest::of(wasm),
            needs: needs(description.needs.into_iter().map(|need| (need.name, kind(need.kind))))?
                .into(),
            settings_help,
            sandbox: sandbox.clone(),
            wasm: wasm.into(),
            lines,
            instrumented,
        })))
    }

    /// Returns the digest of the module's bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest
    }

    /// Returns every field that the filter reads.
    pub fn needs(&self) -> &[Need] {
        &self.0.needs
    }

    /// Returns what a campaign's settings look like, in the filter's own words.
    pub fn settings_help(&self) -> &str {
        &self.0.settings_help
    }

    /// Prepares the filter for the settings of all its campaigns, JSON texts whose places in the list are their slots.
    /// Takes some 50 ms; what it returns is quick.
    pub fn configure(&self, settings: &[String]) -> Result<ConfiguredFilter, ConfigureError> {
        let Parts { sandbox, wasm, lines, instrumented, .. } = &*self.0;
        let broken = |store: &Store<Fence>, error: wasmtime::Error| {
            ConfigureError::Forfeit(forfeit(store, &error, lines))
        };
        let limits = &sandbox.limits;
        let mut store =
            store(&sandbox.engine, &limits.configure).map_err(ConfigureError::Forfeit)?;
        let instance = instrumented.instantiate(&mut store);
        let instance = instance.map_err(|error| broken(&store, error))?;
        let bound = Bound::new(&mut store, &instance).map_err(|error| broken(&store, error))?;
        let configured = bound.gavel_rules_filtering().call_configure(&mut store, settings);
        if let Err(refused) = configured.map_err(|error| broken(&store, error))? {
            let mut message = refused.message;
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            let slot = usize::try_from(refused.slot).unwrap_or(usize::MAX);
            return Err(ConfigureError::Settings { slot, message });
        }
        let not_kept = |error: wasmtime::Error| ConfigureError::NotKept(error.to_string());
        // What follows only reads the filter's memory.
        store.set_fuel(u64::MAX).map_err(not_kept)?;
        store.set_hostcall_fuel(usize::MAX);
        let kept = snapshot::keep(wasm, &mut store, instance).map_err(ConfigureError::NotKept)?;
        let kept = sandbox.compile(&kept);
        let kept =
            kept.map_err(|inadmissible| ConfigureError::NotKept(inadmissible.to_string()))?;
        Ok(ConfiguredFilter {
            kept: FilterPre::new(kept).map_err(not_kept)?,
            needs: Arc::clone(&self.0.needs),
            lines: Arc::clone(lines),
            slots: settings.len(),
            limits: FilterLimits {
                call: limits.filter,
                fuel_per_slot: limits.filter_fuel_per_slot,
            },
        })
    }
}

fn describe(
    sandbox: &Sandbox,
    instrumented: &InstancePre<Fence>,
    lines: &Lines,
) -> Result<wit::Description, Inadmissible> {
    let filter = FilterPre::new(instrumented.clone());
    let filter = filter.map_err(Inadmissible::mistyped)?;
    let mut store =
        store(&sandbox.engine, &sandbox.limits.describe).map_err(Inadmissible::Silent)?;
    let described = filter
        .instantiate(&mut store)
        .and_then(|filter| filter.gavel_rules_filtering().call_describe(&mut store));
    described.map_err(|error| Inadmissible::Silent(forfeit(&store, &error, lines)))
}

/// Takes the fields that a module reads, each once.
pub(super) fn needs(
    needs: impl ExactSizeIterator<Item = (String, Kind)>,
) -> Result<Vec<Need>, Inadmissible> {
    if needs.len() > SCHEMA_FIELDS_MAX {
        let fault = format!(
            "it reads {} fields, and at most {SCHEMA_FIELDS_MAX} are possible",
            needs.len()
        );
        return Err(Inadmissible::Description(fault));
    }
    let mut known: Vec<Need> = Vec::with_capacity(needs.len());
    for (name, kind) in needs {
        let name = capped("a field's name", name, FIELD_NAME_BYTES_MAX)?;
        match known.iter().find(|known| known.name == name) {
            None => known.push(Need { name, kind }),
            Some(earlier) if earlier.kind == kind => (),
            Some(earlier) => {
                let fault = format!(
                    "it reads the field `{name}` as {} and as {}: one of them is right",
                    earlier.kind.name(),
                    kind.name()
                );
                return Err(Inadmissible::Description(fault));
            }
        }
    }
    Ok(known)
}

fn kind(kind: wit::Kind) -> Kind {
    match kind {
        wit::Kind::Text => Kind::Text,
        wit::Kind::Integer => Kind::Integer,
        wit::Kind::Decimal => Kind::Decimal,
        wit::Kind::Boolean => Kind::Boolean,
        wit::Kind::Date => Kind::Date,
        wit::Kind::Texts => Kind::Texts,
    }
}

/// A filter that knows the settings of its campaigns. A clone is a handle to the same.
#[derive(Clone)]
pub struct ConfiguredFilter {
    kept: FilterPre<Fence>,
    needs: Arc<[Need]>,
    lines: Arc<Lines>,
    slots: usize,
    limits: FilterLimits,
}

impl fmt::Debug for ConfiguredFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfiguredFilter").field("slots", &self.slots).finish_non_exhaustive()
    }
}

impl ConfiguredFilter {
    /// Returns what a call may use.
    pub const fn limits(&self) -> &FilterLimits {
        &self.limits
    }

    /// Returns a handle to the same filter whose calls may use this much, or what the ceilings allow of it. Nothing is
    /// compiled or configured anew.
    #[must_use]
    pub fn with_limits(&self, limits: FilterLimits) -> Self {
        Self { limits: limits.capped(), ..self.clone() }
    }

    /// Returns whether the filter reads a field.
    pub fn reads(&self, field: &str) -> bool {
        self.needs.iter().any(|need| need.name == field)
    }

    /// Judges one lead for some of the campaigns, in an instance of its own. The frame is the lead's
    /// [ping view](crate::lead::PingView::frame); a slot is a place in the list of settings.
    ///
    /// # Errors
    ///
    /// What the filter did wrong. Nothing of it reaches the next call.
    pub fn evaluate(&self, frame: &[u64], slots: &[u32]) -> Result<Evaluated, Forfeit> {
        let limits = self.limits.of_call(slots.len());
        let mut store = store(self.kept.engine(), &limits)?;
        let verdicts = self
            .kept
            .instantiate(&mut store)
            .and_then(|filter| {
                filter.gavel_rules_filtering().call_evaluate(&mut store, frame, slots)
            })
            .map_err(|error| forfeit(&store, &error, &self.lines))?;
        if verdicts.len() != slots.len() {
            let fault = format!("{} verdicts for {} campaigns", verdicts.len(), slots.len());
            return Err(Forfeit::BadOutput(fault));
        }
        let (fuel, memory_bytes) = spent(&store, &limits);
        let verdicts = verdicts.into_iter().map(verdict).collect::<Result<_, _>>()?;
        Ok(Evaluated { verdicts, fuel, memory_bytes })
    }
}

fn verdict(verdict: wit::Verdict) -> Result<Verdict, Forfeit> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match verdict {
        wit::Verdict::Yes(price) => Ok(Verdict::Yes(price.map(Micros::new))),
        wit::Verdict::No(code)
            if (1..=REASON_BYTES_MAX).contains(&code.len()) && code.bytes().all(plain) =>
        {
            Ok(Verdict::No(code.into()))
        }
        wit::Verdict::No(_) => Err(Forfeit::BadOutput(
            "a reason is not a code of 1 to 64 lower-case letters, digits and `-`".to_owned(),
        )),
    }
}
