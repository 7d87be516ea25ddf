//! What single objects of a draft must keep, whatever else is in it.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::caps::DuplicatesSpec;
use super::faults::Fault;
use super::returns::ReturnsSpec;
use super::spec::{Register, RetentionSpec, VerticalSpec};
use super::upkeep::{FailingSpec, LimitsSpec, ModuleSpec};
use crate::lead::Schema;
use crate::sandbox::{Filter, FilterLimits, Limits, Need};

/// Checks limits against the ceilings of the sandbox.
pub(super) fn possible(what: &str, pointer: &str, spec: &LimitsSpec) -> Result<(), Fault> {
    let usual = Limits::default();
    let usual = FilterLimits { call: usual.filter, fuel_per_slot: usual.filter_fuel_per_slot };
    spec.over_filter(&usual).check().map_err(|fault| Fault::new(&what, pointer, fault.to_string()))
}

/// Checks when a module is taken out of service.
pub(super) fn failing(what: &str, spec: &ModuleSpec) -> Result<(), Fault> {
    let Some(FailingSpec { calls, window_seconds }) = spec.failing else { return Ok(()) };
    let limits = [
        ("/failing/calls", calls, 0, FailingSpec::CALLS_MAX),
        ("/failing/window_seconds", window_seconds, 1, FailingSpec::WINDOW_SECONDS_MAX),
    ];
    for (pointer, value, least, most) in limits {
        if !(least..=most).contains(&value) {
            let message = format!("must be {least} to {most}, but is {value}");
            return Err(Fault::new(&what, pointer, message));
        }
    }
    Ok(())
}

/// Says all that keeps a filter from judging leads of this schema.
pub(super) fn fits(filter: &Filter, schema: &Schema) -> Result<(), String> {
    let fault = |need: &Need| match schema.field(&need.name) {
        None => Some(format!("has no field `{}`", need.name)),
        Some((_, field)) if field.contact => {
            Some(format!("marks `{}` as contact data, which no filter may read", need.name))
        }
        Some((_, field)) if field.kind != need.kind => {
            let (kind, needed) = (field.kind.name(), need.kind.name());
            Some(format!("has `{}` as {kind}, not {needed}", need.name))
        }
        Some(_) => None,
    };
    let faults: Vec<String> = filter.needs().iter().filter_map(fault).collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(format!("{} {}", schema_words(schema), faults.join(", and ")))
}

/// Names a schema with its version: a fault may be gone in another.
pub(super) fn schema_words(schema: &Schema) -> String {
    let (major, minor) = schema.version();
    format!("version {major}.{minor} of the schema of `{}`", schema.vertical())
}

/// Looks a time zone up.
pub(super) fn zone(what: &str, name: &str) -> Result<TimeZone, Fault> {
    TimeZone::get(name).map_err(|_| {
        let example = "use a name of the IANA database, such as America/Chicago";
        Fault::new(&what, "/zone", format!("there is no time zone `{name}`; {example}"))
    })
}

/// Looks suppression lists up.
pub(super) fn suppressions(
    what: &str,
    names: &[String],
    register: &Register,
) -> Result<Vec<Arc<str>>, Fault> {
    let mut lists = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if !register.suppressions.contains_key(name) {
            let message = format!(
                "there is no suppression list `{name}`; save it first with PUT /v1/suppressions/{name}"
            );
            return Err(Fault::new(&what, &format!("/suppressions/{index}"), message));
        }
        lists.push(Arc::from(name.as_str()));
    }
    Ok(lists)
}

/// Checks the numbers of a vertical.
pub(super) fn limits(what: &str, spec: &VerticalSpec) -> Result<(), Fault> {
    let between = |pointer: &str, value: u32, least: u32, most: u32| {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(Fault::new(&what, pointer, format!("must be {least} to {most}, but is {value}")))
    };
    between("/copies", spec.copies, 1, VerticalSpec::COPIES_MAX)?;
    between("/hold_seconds", spec.hold_seconds, 1, VerticalSpec::HOLD_SECONDS_MAX)?;
    let window = spec.duplicate_window_seconds;
    between("/duplicate_window_seconds", window, 0, VerticalSpec::WINDOW_SECONDS_MAX)?;
    between("/returns/window_days", spec.returns.window_days, 0, ReturnsSpec::WINDOW_DAYS_MAX)?;
    DuplicatesSpec::check(spec.duplicates.as_ref(), what)?;
    let retention = &spec.retention;
    let hours = RetentionSpec::CONTACT_HOURS_MAX;
    between("/retention/contact_hours", retention.contact_hours, 0, hours)?;
    let hours = RetentionSpec::GIVEN_UP_HOURS_MAX;
    between("/retention/given_up_hours", retention.given_up_hours, 0, hours)?;
    between("/retention/person_days", retention.person_days, 0, RetentionSpec::PERSON_DAYS_MAX)?;
    for (pointer, amount) in [("/reserve", spec.reserve), ("/increment", spec.increment)] {
        if amount.0.is_negative() {
            return Err(Fault::new(&what, pointer, "must not be negative"));
        }
    }
    Ok(())
}
