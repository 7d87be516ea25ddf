//! `gavel module list` and `show`: what a running exchange has, and how it came to that.

use serde_json::{Map, Value};

use super::figures::thousands;
use super::resource::module;
use super::table::{Table, coloured, ink};
use super::{print, print_json};
use crate::cli::Failure;
use crate::cli::ask::Exchange;
use crate::demo::ink::Ink;

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The module.
    name: String,
    #[command(flatten)]
    exchange: Exchange,
}

/// How much of a digest tells one version from another, in characters: `sha256:` and twelve digits.
const DIGEST_CHARS: usize = 19;

pub(super) fn list(args: &List, as_json: bool) -> Result<(), Failure> {
    let found = args.exchange.get("modules")?;
    if as_json {
        return print_json(&found);
    }
    let modules = list_of(&found, "modules");
    if modules.is_empty() {
        return print("there are no modules yet: `gavel module push FILE` brings one");
    }
    let mut table = Table::new(&["NAME", "WORLD", "ACTIVE", "CANARY", "SHADOW", "NEWEST", "OWNER"]);
    for module in modules {
        let newest = list_of(module, "versions").last().map(|version| shown(version, "version"));
        // A normalizer serves one version of each major: a line for each.
        let tracks = list_of(module, "tracks");
        let none = Value::Null;
        let tracks: Vec<&Value> =
            if tracks.is_empty() { vec![&none] } else { tracks.iter().collect() };
        for track in tracks {
            table.row(vec![
                (Ink::Bold, shown(module, "name")),
                (Ink::Plain, shown(module, "world")),
                active(track),
                (Ink::Marked, trial(track, "canary")),
                (Ink::Plain, trial(track, "shadow")),
                (Ink::Plain, newest.clone().unwrap_or_default()),
                (Ink::Plain, shown(module, "owner")),
            ]);
        }
    }
    table.print()
}

pub(super) fn show(args: &Show, as_json: bool) -> Result<(), Failure> {
    let found = args.exchange.get(&module(&args.name, "")?)?;
    if as_json { print_json(&found) } else { print_module(&found) }
}

/// Prints all that is known of a module.
pub(super) fn print_module(found: &Value) -> Result<(), Failure> {
    let coloured = coloured();
    let owner = match shown(found, "owner") {
        owner if owner.is_empty() => "nobody's yet: `gavel module set NAME --owner WHO`".to_owned(),
        owner => format!("owner {owner}"),
    };
    let name = ink(Ink::Bold, &shown(found, "name"), coloured);
    print(&format!("{name}, a {}, {owner}", shown(found, "world")))?;
    for (label, member) in [("limits", "limits"), ("failing", "failing"), ("gate", "gate")] {
        print(&format!("  {label:10}{}", members(found.get(member))))?;
    }
    let tracks = list_of(found, "tracks");
    for track in tracks {
        let major = if tracks.len() > 1 {
            format!("major {}: ", shown(track, "major"))
        } else {
            String::new()
        };
        let (colour, active) = active(track);
        let mut line =
            format!("  {:10}{major}version {}", "active", ink(colour, &active, coloured));
        for trying in ["canary", "shadow"] {
            let trial = trial(track, trying);
            if !trial.is_empty() {
                line.push_str(&format!(", {trying} {trial}"));
            }
        }
        print(&line)?;
    }
    print("")?;
    let mut table = Table::new(&["VERSION", "STAGE", "SCHEMA", "BYTES", "DIGEST"]);
    for version in list_of(found, "versions") {
        let bytes = version.get("bytes").and_then(Value::as_u64).map(thousands);
        table.row(vec![
            (Ink::Plain, shown(version, "version")),
            staged(version),
            (Ink::Plain, shown(version, "schema")),
            (Ink::Plain, bytes.unwrap_or_default()),
            (Ink::Dim, shown(version, "digest").chars().take(DIGEST_CHARS).collect()),
        ]);
    }
    table.print()?;
    let steps = list_of(found, "steps");
    if steps.is_empty() {
        return Ok(());
    }
    print("")?;
    let mut table = Table::new(&["AT", "VERSION", "STEP", "BY", "WHY"]);
    for step in steps {
        let share = step.get("percent").map(|_| format!(" {} %", shown(step, "percent")));
        table.row(vec![
            (Ink::Dim, shown(step, "at")),
            (Ink::Plain, shown(step, "version")),
            (Ink::Plain, format!("{}{}", shown(step, "step"), share.unwrap_or_default())),
            (Ink::Plain, shown(step, "by")),
            (Ink::Plain, shown(step, "why")),
        ]);
    }
    table.print()
}

/// Returns the members of an object as a sentence: `fuel 2,000,000, memory 67,108,864 bytes`.
pub(super) fn members(object: Option<&Value>) -> String {
    let none = Map::new();
    let object = object.and_then(Value::as_object).unwrap_or(&none);
    let members: Vec<String> = object.iter().map(|(name, value)| member(name, value)).collect();
    if members.is_empty() { "none".to_owned() } else { members.join(", ") }
}

/// Words a member by what its name ends in: a bound, then a unit.
fn member(name: &str, value: &Value) -> String {
    let bounds = [("_max", "at most "), ("_min", "at least ")];
    let bound = bounds.iter().find_map(|(end, word)| Some((name.strip_suffix(end)?, *word)));
    let (name, bound) = bound.unwrap_or((name, ""));
    let units = [("_bytes", " bytes"), ("_ms", " ms"), ("_seconds", " s"), ("_percent", " %")];
    let unit = units.iter().find_map(|(end, word)| Some((name.strip_suffix(end)?, *word)));
    let (name, unit) = unit.unwrap_or((name, ""));
    let value = value.as_u64().map_or_else(|| plain(value), thousands);
    format!("{} {bound}{value}{unit}", name.replace('_', " "))
}

fn active(track: &Value) -> (Ink, String) {
    if let Some(why) = track.get("taken_out").and_then(Value::as_str) {
        return (Ink::Bad, format!("out of service: {why}"));
    }
    (Ink::Good, shown(track, "active"))
}

fn staged(version: &Value) -> (Ink, String) {
    let stage = shown(version, "stage");
    let colour = match stage.as_str() {
        "active" => Ink::Good,
        "canary" | "shadow" | "draining" => Ink::Marked,
        "taken-out" => Ink::Bad,
        _ => Ink::Plain,
    };
    (colour, stage)
}

fn trial(track: &Value, trying: &str) -> String {
    let trial = track.get(trying).filter(|trial| !trial.is_null());
    let shown =
        |trial: &Value| format!("{} at {} %", shown(trial, "version"), shown(trial, "percent"));
    trial.map(shown).unwrap_or_default()
}

fn list_of<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn shown(value: &Value, member: &str) -> String {
    value.get(member).map(plain).unwrap_or_default()
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_read_as_a_sentence() {
        let limits = json!({"fuel": 2_000_000, "memory_bytes": 65_536, "wall_ms": 100});
        assert_eq!(members(Some(&limits)), "fuel 2,000,000, memory 65,536 bytes, wall 100 ms");
        let gate = json!({"frames_min": 1_000, "newly_refused_percent_max": "2.5"});
        assert_eq!(members(Some(&gate)), "frames at least 1,000, newly refused at most 2.5 %");
        assert_eq!(members(Some(&json!({}))), "none");
    }
}
