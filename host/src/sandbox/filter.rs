//! Filters: configured once with the settings of all their campaigns, then asked about one lead after another.

use std::fmt;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, InstancePre, TypedFunc};

use super::Sandbox;
use super::bindings::filter::exports::gavel::rules::filtering as wit;
use super::bindings::filter::{Filter as Bound, FilterPre};
use super::call::{Fence, Forfeit, forfeit, spent, store};
use super::compiler::Purpose;
use super::inadmissible::Inadmissible;
use super::limits::FilterLimits;
use super::lines::Lines;
use super::unset::{ConfigureError, Description, Need, Unset};
use crate::ids::Digest;
use crate::lead::Kind;
use crate::money::Micros;

/// The longest help for settings, in bytes.
const SETTINGS_HELP_BYTES_MAX: usize = 4_096;
/// The interface that a filter exports.
const INTERFACE: &str = "gavel:rules/filtering@1.0.0";
/// The longest reason code of a filter, in bytes.
const REASON_BYTES_MAX: usize = 64;

/// How many calls about one lead may fail, each about half as many campaigns as the one before; then all of the last fail.
/// A filter with one campaign that fails and thousands that do not needs as many.
const FAILED_CALLS_MAX: u32 = 12;

/// The function that judges leads.
type Evaluate<'l> = TypedFunc<(&'l [u64], &'l [u32]), (Vec<wit::Verdict>,)>;

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

/// What became of several calls about one lead, each for some of the campaigns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// One for each slot, in the order in which they were asked for.
    pub verdicts: Vec<Result<Verdict, Forfeit>>,
    /// The fuel that the calls took that did not fail; zero if all of them did.
    pub fuel: u64,
}

/// A filter without settings. A clone is a handle to the same.
#[derive(Clone)]
pub struct Filter(Arc<Unset>);

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.0.digest()).finish()
    }
}

impl Filter {
    pub(super) fn admit(sandbox: &Sandbox, wasm: &[u8]) -> Result<Self, Inadmissible> {
        let describe = |store: &mut Store<Fence>, filter: &FilterPre<Fence>| {
            let filter = filter.instantiate(&mut *store)?;
            let described = filter.gavel_rules_filtering().call_describe(store)?;
            let needs = described.needs.into_iter().map(|need| (need.name, kind(need.kind)));
            Ok(Description { needs: needs.collect(), settings: described.settings })
        };
        let unset = Unset::admit(sandbox, wasm, SETTINGS_HELP_BYTES_MAX, FilterPre::new, describe)?;
        Ok(Self(Arc::new(unset)))
    }

    /// Returns the digest of the module's bytes.
    pub fn digest(&self) -> Digest {
        self.0.digest()
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
        self.configure_to(Purpose::Look, settings)
    }

    /// Prepares the filter likewise; `purpose` says for whose turn its compilation waits.
    pub fn configure_to(
        &self,
        purpose: Purpose,
        settings: &[String],
    ) -> Result<ConfiguredFilter, ConfigureError> {
        let ((), kept) = self.0.configure(purpose, |store, instance| {
            let filter = Bound::new(&mut *store, instance)?;
            let configured = filter.gavel_rules_filtering().call_configure(store, settings)?;
            Ok(configured.map_err(|refused| {
                let slot = usize::try_from(refused.slot).unwrap_or(usize::MAX);
                ConfigureError::refused(slot, refused.message)
            }))
        })?;
        let limits = &self.0.sandbox.limits;
        let evaluate = export(&kept, "evaluate");
        let evaluate =
            evaluate.ok_or_else(|| ConfigureError::NotKept("an export is gone".into()))?;
        let mut store = store(kept.engine(), &limits.configure).map_err(ConfigureError::Forfeit)?;
        let instance = kept.instantiate(&mut store);
        let typed: wasmtime::Result<Evaluate<'_>> =
            instance.and_then(|instance| instance.get_typed_func(&mut store, evaluate));
        typed.map_err(|error| ConfigureError::not_kept(&error))?;
        Ok(ConfiguredFilter {
            kept,
            evaluate,
            needs: Arc::clone(&self.0.needs),
            lines: Arc::clone(&self.0.lines),
            slots: settings.len(),
            limits: FilterLimits {
                call: limits.filter,
                fuel_per_slot: limits.filter_fuel_per_slot,
            },
        })
    }
}

/// Finds a function of the filter's interface.
fn export(filter: &InstancePre<Fence>, name: &str) -> Option<ComponentExportIndex> {
    let interface = filter.component().get_export_index(None, INTERFACE)?;
    filter.component().get_export_index(Some(&interface), name)
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
    kept: InstancePre<Fence>,
    /// Its [`Evaluate`].
    evaluate: ComponentExportIndex,
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
            .call(&mut store, frame, slots)
            .map_err(|error| forfeit(&store, &error, &self.lines))?;
        if verdicts.len() != slots.len() {
            let fault = format!("{} verdicts for {} campaigns", verdicts.len(), slots.len());
            return Err(Forfeit::BadOutput(fault));
        }
        let (fuel, memory_bytes) = spent(&store, &limits);
        let verdicts = verdicts.into_iter().map(verdict).collect::<Result<_, _>>()?;
        Ok(Evaluated { verdicts, fuel, memory_bytes })
    }

    /// Judges a lead after a call for all these campaigns failed: in calls for ever fewer of them, so that one campaign's
    /// settings fail for this campaign alone. How many calls it takes depends on nothing but the filter and the lead.
    ///
    /// # Errors
    ///
    /// What the machine did wrong, which another time it would not.
    pub fn evaluate_apart(&self, frame: &[u64], slots: &[u32]) -> Result<Apart, Forfeit> {
        let (mut verdicts, mut fuel) = (Vec::with_capacity(slots.len()), 0_u64);
        let (mut failed, mut waiting) = (1, Vec::new());
        let halve = |waiting: &mut Vec<_>, part: &'_ [u32]| {
            let (first, second) = part.split_at(part.len() / 2);
            waiting.extend([second.to_vec(), first.to_vec()]);
        };
        halve(&mut waiting, slots);
        while let Some(part) = waiting.pop() {
            match self.evaluate(frame, &part) {
                Ok(evaluated) => {
                    fuel = fuel.saturating_add(evaluated.fuel.max(1));
                    verdicts.extend(evaluated.verdicts.into_iter().map(Ok));
                }
                Err(forfeit) if !forfeit.is_of_the_module() => return Err(forfeit),
                Err(forfeit) => {
                    failed += 1;
                    if part.len() > 1 && failed < FAILED_CALLS_MAX {
                        halve(&mut waiting, &part);
                    } else {
                        verdicts.extend(std::iter::repeat_n(Err(forfeit), part.len()));
                    }
                }
            }
        }
        Ok(Apart { verdicts, fuel })
    }

    /// Returns for how many campaigns it is configured.
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// Calls the one function that is called for leads. What was generated looks up and checks all of them each time,
    /// which is a tenth of a call.
    fn call(
        &self,
        store: &mut Store<Fence>,
        frame: &[u64],
        slots: &[u32],
    ) -> wasmtime::Result<Vec<wit::Verdict>> {
        let instance = self.kept.instantiate(&mut *store)?;
        let evaluate = instance.get_func(&mut *store, self.evaluate);
        let evaluate = evaluate.ok_or_else(|| wasmtime::Error::msg("an export is gone"))?;
        #[expect(
            unsafe_code,
            reason = "to check the type again is a twentieth of a call: it is read from places that are in no cache"
        )]
        // SAFETY: `Filter::configure` found this type, and all instances of a component have the same functions.
        let evaluate: Evaluate<'_> = unsafe { TypedFunc::new_unchecked(evaluate) };
        Ok(evaluate.call(store, (frame, slots))?.0)
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
