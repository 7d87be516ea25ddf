//! `gavel module set` and `limits`: what the operator lets modules use, while the exchange runs.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use super::resource::module;
use super::show::{members, print_module};
use super::{print, print_json};
use crate::cli::Failure;
use crate::cli::ask::Exchange;

/// What a call may use.
#[derive(Debug, clap::Args)]
struct Limits {
    /// Fuel of a call: WebAssembly operations, roughly.
    #[arg(long, value_name = "N")]
    fuel: Option<u64>,
    /// Fuel of a filter's call besides, for each campaign that it judges.
    #[arg(long, value_name = "N")]
    fuel_per_campaign: Option<u64>,
    /// Memory of a call.
    #[arg(long, value_name = "BYTES")]
    memory_bytes: Option<u64>,
    /// Time of a call on the clock.
    #[arg(long, value_name = "MS")]
    wall_ms: Option<u64>,
    /// What a call may return.
    #[arg(long, value_name = "BYTES")]
    output_bytes: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SetArgs {
    /// The module.
    name: String,
    /// Who is told when it fails.
    #[arg(long, value_name = "WHO")]
    owner: Option<String>,
    #[command(flatten)]
    limits: Limits,
    /// Failed calls that take it out of service; 0 for never.
    #[arg(long, value_name = "N", requires = "failing_window_seconds")]
    failing_calls: Option<u64>,
    /// Within how many seconds they count.
    #[arg(long, value_name = "SECONDS", requires = "failing_calls")]
    failing_window_seconds: Option<u64>,
    /// What a new version must show before it may be activated, such as `newly_refused_percent_max=2`; may come again.
    #[arg(long, value_name = "RULE=NUMBER")]
    gate: Vec<String>,
    /// Put the limits, the failing policy or the gate back to what they are unless they are set.
    #[arg(long, value_enum, value_name = "PART")]
    reset: Vec<Part>,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Limits,
    Failing,
    Gate,
}

#[derive(Debug, clap::Args)]
pub(super) struct LimitsArgs {
    /// The world.
    #[arg(value_enum)]
    world: World,
    #[command(flatten)]
    limits: Limits,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum World {
    Filter,
    Normalizer,
    Adapter,
}

pub(super) fn set(args: &SetArgs, as_json: bool) -> Result<(), Failure> {
    let path = module(&args.name, "")?;
    let found = args.exchange.get(&path)?;
    // What is saved is replaced whole, so what is not named here is sent as it was.
    let mut settings = found.get("set").and_then(Value::as_object).cloned().unwrap_or_default();
    for part in &args.reset {
        settings.remove(match part {
            Part::Limits => "limits",
            Part::Failing => "failing",
            Part::Gate => "gate",
        });
    }
    if let Some(owner) = &args.owner {
        settings.insert("owner".to_owned(), owner.as_str().into());
    }
    over(&mut settings, "limits", args.limits.named());
    if let (Some(calls), Some(window)) = (args.failing_calls, args.failing_window_seconds) {
        let failing = json!({ "calls": calls, "window_seconds": window });
        settings.insert("failing".to_owned(), failing);
    }
    let gate = args.gate.iter().map(|rule| gate(rule)).collect::<Result<_, _>>()?;
    over(&mut settings, "gate", gate);
    let saved = args.exchange.put(&path, settings.into())?;
    if as_json { print_json(&saved) } else { print_module(&saved) }
}

pub(super) fn limits(args: &LimitsArgs, as_json: bool) -> Result<(), Failure> {
    let world = match args.world {
        World::Filter => "filter",
        World::Normalizer => "normalizer",
        World::Adapter => "adapter",
    };
    let path = format!("limits/{world}");
    let mut found = args.exchange.get(&path)?;
    let named = args.limits.named();
    if !named.is_empty() {
        let mut limits = found.as_object().cloned().unwrap_or_default();
        limits.extend(named);
        found = args.exchange.put(&path, limits.into())?;
    }
    if as_json {
        print_json(&found)
    } else {
        print(&format!("a {world}'s call: {}", members(Some(&found))))
    }
}

impl Limits {
    /// Returns those that were named.
    fn named(&self) -> Map<String, Value> {
        let all = [
            ("fuel", self.fuel),
            ("fuel_per_campaign", self.fuel_per_campaign),
            ("memory_bytes", self.memory_bytes),
            ("wall_ms", self.wall_ms),
            ("output_bytes", self.output_bytes),
        ];
        all.into_iter().filter_map(|(name, limit)| Some((name.to_owned(), limit?.into()))).collect()
    }
}

/// Puts members over those of an object in `settings`.
fn over(settings: &mut Map<String, Value>, member: &str, named: Map<String, Value>) {
    if named.is_empty() {
        return;
    }
    let mut object = settings.get(member).and_then(Value::as_object).cloned().unwrap_or_default();
    object.extend(named);
    settings.insert(member.to_owned(), object.into());
}

/// Reads `frames_min=1000`: percentages are text, numbers are numbers.
fn gate(rule: &str) -> Result<(String, Value), Failure> {
    let (name, number) = rule.split_once('=').ok_or_else(|| {
        Failure::usage(format!("--gate {rule}: write a rule and a number, such as frames_min=1000"))
    })?;
    let value = match number.parse::<u64>() {
        Ok(number) if !name.contains("percent") => number.into(),
        _ => number.into(),
    };
    Ok((name.to_owned(), value))
}
