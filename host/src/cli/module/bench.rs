//! `gavel module bench`: what a call of a module costs, beside a call of a module that does nothing.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::json;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::figures::{counted, duration, percentile, share, thousands, times};
use super::table::{coloured, ink};
use super::test::{limits, read_folder};
use super::{admit_in, build, print, print_json, read, run as single};
use crate::cli::Failure;
use crate::demo::ink::Ink;
use crate::fixtures::{self, Call};
use crate::sandbox::{Admitted, Filter, Limits, Sandbox};

/// Digits of a time that are kept.
const SIGNIFICANT_DIGITS: u8 = 3;
/// How many calls are made before the other module has its turn.
const TURN_CALLS: usize = 50;
const SECONDS_MAX: u64 = 600;
const CONTRACT: &str = include_str!("../../../../wit/v1/filter.wit");
/// A filter that reads nothing and decides nothing: its answers are the zeros of its memory.
const EMPTY: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 4096)
    (func (export "gavel:rules/filtering@1.0.0#describe") (result i32) i32.const 16)
    (func (export "gavel:rules/filtering@1.0.0#configure") (param i32 i32) (result i32) i32.const 16)
    (func (export "gavel:rules/filtering@1.0.0#evaluate") (param i32 i32 i32 i32) (result i32) i32.const 16))"#;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The component. Without more, all fixtures that it carries are called in turn.
    file: PathBuf,
    /// Call a filter with this lead: a file with an object of field names and values.
    #[arg(long, conflicts_with = "fixtures")]
    lead: Option<PathBuf>,
    /// The campaign's settings for `--lead`, as JSON.
    #[arg(long, requires = "lead", default_value = "{}")]
    settings: String,
    /// Call with the fixtures in this folder.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=SECONDS_MAX))]
    seconds: u64,
}

pub(super) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    let sandbox = Sandbox::open(&Limits::default());
    let sandbox = sandbox.map_err(|error| Failure::could_not_run(error.to_string()))?;
    let name = args.file.display().to_string();
    let wasm = read(&args.file)?;
    let admitted = admit_in(&sandbox, &name, &wasm)?;
    let (calls, from) = calls(args, &name, &admitted, &wasm)?;
    let empty = empty(&sandbox)?;
    let (mut fuel, mut memory) = (Vec::new(), 0);
    for call in &calls {
        let spent = call.make().map_err(|forfeit| {
            Failure::does_not_hold(format!("{name}: {call:?} forfeited: {forfeit}"))
        })?;
        fuel.push(spent.fuel);
        memory = memory.max(spent.memory_bytes);
    }
    fuel.sort_unstable();
    let measured = measure(&calls, &empty, Duration::from_secs(args.seconds))?;
    let (fuel_p50, fuel_max) = (percentile(&fuel, 50), percentile(&fuel, 100));
    let (fuel_limit, memory_limit) = limits(&admitted);
    let Measured { module, empty } = measured;
    if as_json {
        let times = |timed: &Timed| json!({ "calls": timed.calls(), "p50_ns": timed.at(50), "p99_ns": timed.at(99), "calls_per_second": timed.rate() });
        return print_json(&json!({
            "file": name,
            "world": admitted.world(),
            "calls_from": from,
            "fuel": { "p50": fuel_p50, "max": fuel_max, "limit": fuel_limit },
            "memory_bytes": { "max": memory, "limit": memory_limit },
            "time": times(&module),
            "empty_module": times(&empty),
        }));
    }
    print(&format!("{}, a {}: {from}", ink(Ink::Bold, &name, coloured()), admitted.world()))?;
    let line =
        |what: &str, is: String, beside: String| print(&format!("  {what:8} {is:34} {beside}"));
    let used = format!("p50 {}, max {}", thousands(fuel_p50), thousands(fuel_max));
    line("fuel", used, format!("{} of {}", share(fuel_max, fuel_limit), thousands(fuel_limit)))?;
    let used = format!("{} bytes", thousands(memory));
    line(
        "memory",
        used,
        format!("{} of {}", share(memory, memory_limit), thousands(memory_limit)),
    )?;
    let took = format!("p50 {}, p99 {}", duration(module.at(50)), duration(module.at(99)));
    let bare = format!(
        "{} times an empty module's {}, {}",
        times(module.at(50), empty.at(50)),
        duration(empty.at(50)),
        duration(empty.at(99))
    );
    line("time", took, bare)?;
    let rate = format!("{} calls a second", thousands(module.rate()));
    line("rate", rate, format!("on one core; an empty module {}", thousands(empty.rate())))
}

/// Returns the calls to make, and where they come from.
fn calls(
    args: &Args,
    name: &str,
    admitted: &Admitted,
    wasm: &[u8],
) -> Result<(Vec<Call>, String), Failure> {
    if let Some(lead) = &args.lead {
        let Admitted::Filter(filter) = admitted else {
            return Err(Failure::usage(format!(
                "{name} is a {}, and --lead is for filters: name a folder with `--fixtures DIR`",
                admitted.world()
            )));
        };
        let frame = single::frame(filter, lead)?;
        let configured = single::campaign(filter, &args.settings)?;
        return Ok((vec![Call::of(configured, frame)], format!("the lead in {}", lead.display())));
    }
    let files = match &args.fixtures {
        Some(folder) => read_folder(folder)?,
        None => fixtures::from_component(wasm).ok().flatten().unwrap_or_default(),
    };
    let calls = fixtures::calls(admitted, &files)
        .map_err(|fault| Failure::usage(format!("{name}: {fault}")))?;
    if calls.is_empty() {
        return Err(Failure::usage(format!(
            "{name} carries no fixtures to call it with: name a folder with `--fixtures DIR`, or a filter's lead with \
             `--lead FILE --settings JSON`"
        )));
    }
    let from = format!("{} in turn", counted(calls.len(), "fixture"));
    Ok((calls, from))
}

/// Returns the call of a filter that does nothing, for no campaign.
fn empty(sandbox: &Sandbox) -> Result<Call, Failure> {
    let fault = |error: String| Failure::could_not_run(format!("the empty module: {error}"));
    let mut core = wat::parse_str(EMPTY).map_err(|error| fault(error.to_string()))?;
    let mut contract = Resolve::default();
    let package =
        contract.push_str("filter.wit", CONTRACT).map_err(|error| fault(error.to_string()))?;
    let world = contract.select_world(&[package], Some("filter"));
    let world = world.map_err(|error| fault(error.to_string()))?;
    embed_component_metadata(&mut core, &contract, world, StringEncoding::UTF8)
        .map_err(|error| fault(error.to_string()))?;
    let component = build::wrap("empty", &core, Path::new(""))?;
    let admitted = admit_in(sandbox, "the empty module", &component)?;
    let configured =
        |filter: &Filter| filter.configure(&[]).map_err(|error| fault(error.to_string()));
    match &admitted {
        Admitted::Filter(filter) => Ok(Call::bare(configured(filter)?)),
        Admitted::Normalizer(_) | Admitted::Adapter(_) => Err(fault("it is no filter".to_owned())),
    }
}

struct Measured {
    module: Timed,
    empty: Timed,
}

/// How long calls took, in nanoseconds.
struct Timed {
    times: Histogram<u64>,
    total: Duration,
}

impl Timed {
    fn new() -> Result<Self, Failure> {
        let times = Histogram::new(SIGNIFICANT_DIGITS).map_err(|error| Failure::because(&error))?;
        Ok(Self { times, total: Duration::ZERO })
    }

    fn call(&mut self, call: &Call) -> Result<(), Failure> {
        let began = Instant::now();
        let made = call.make();
        let took = began.elapsed();
        made.map_err(|forfeit| Failure::does_not_hold(format!("{call:?} forfeited: {forfeit}")))?;
        let recorded = self.times.record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
        recorded.map_err(|error| Failure::because(&error))?;
        self.total = self.total.saturating_add(took);
        Ok(())
    }

    fn calls(&self) -> u64 {
        self.times.len()
    }

    fn at(&self, percent: u8) -> u64 {
        self.times.value_at_percentile(f64::from(percent))
    }

    /// Returns how many calls fit a second.
    fn rate(&self) -> u64 {
        let nanos = self.total.as_nanos();
        let calls = u128::from(self.calls()).saturating_mul(Duration::from_secs(1).as_nanos());
        calls.checked_div(nanos).and_then(|rate| u64::try_from(rate).ok()).unwrap_or_default()
    }
}

/// Calls both in turns for this long, so that what else the machine does hits them alike.
fn measure(calls: &[Call], empty: &Call, time: Duration) -> Result<Measured, Failure> {
    let mut measured = Measured { module: Timed::new()?, empty: Timed::new()? };
    let mut next = calls.iter().cycle();
    let began = Instant::now();
    while began.elapsed() < time {
        for call in next.by_ref().take(TURN_CALLS) {
            measured.module.call(call)?;
        }
        for _ in 0..TURN_CALLS {
            measured.empty.call(empty)?;
        }
    }
    Ok(measured)
}
