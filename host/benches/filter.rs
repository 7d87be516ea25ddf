//! How long does one call of a filter take, in an instance that nothing has used before, and how much memory do 1,000
//! modules take?
//!
//! `./x build`, then `./x bench --bench filter`. The peer is the same question asked without a module: declared criteria
//! with the same ZIP codes, evaluated by the host. Memory is that of a process which finds the modules compiled, as an
//! exchange does that was started again.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise, and prints"
)]
#![expect(clippy::float_arithmetic, reason = "times are not money")]

#[path = "support/dice.rs"]
mod dice;
#[path = "support/modules.rs"]
mod modules;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/timing.rs"]
mod timing;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs, thread};

use cpu_time::ThreadTime;
use gavel::criteria::{Criteria, Lists};
use gavel::lead::{Field, Kind, PingView, Schema};
use gavel::sandbox::{Admitted, ConfiguredFilter, Evaluated, Filter, Limits, Sandbox};
use lead_frame::{FieldId, Writer};

use dice::Dice;
use rounds::{Case, compare};
use timing::Seconds;

/// Leads that take turns, half of them on the lists.
const LEADS: usize = 64;
const ZIPS_FIRST: u32 = 10_000;
const MODULES: usize = 1_000;
const CAMPAIGNS: usize = 20;
/// Names the folder with the compiled code of all modules to the process that loads them.
const COMPILED: &str = "GAVEL_BENCH_COMPILED";

fn main() {
    if let Some(place) = env::var_os(COMPILED) {
        return load(Path::new(&place));
    }
    let place = tempfile::tempdir().unwrap();
    let sandbox = sandbox(place.path());
    let wasm = modules::bytes("zip-list");
    let filter = admit(&sandbox, &wasm);
    let frames = frames();
    let few = filter.configure(&[settings(5, 0)]).unwrap();
    let many = filter.configure(&[settings(5_000, 0)]).unwrap();
    let shared = filter.configure(&vec![settings(5_000, 0); CAMPAIGNS]).unwrap();
    let slots: Vec<u32> = (0..20).collect();
    let different = different(&sandbox, &wasm);
    let load = Command::new(env::current_exe().unwrap()).env(COMPILED, place.path()).status();
    assert!(load.unwrap().success());
    let began = ThreadTime::now();
    different.iter().for_each(|(_, filter)| drop(call(filter, &frames, &[0])(0)));
    let first = began.elapsed().as_secs_f64() / MODULES as f64;
    println!("the first call of a module, cold: {}", Seconds(first));

    let turns = |count: usize| {
        let (different, frames) = (&different, &frames);
        move |turn: usize| call(&different.get(turn % count).unwrap().1, frames, &[0])(turn)
    };
    compare(
        "calls",
        vec![
            Case::new("peer: declared criteria with 5 ZIP codes, in the host", declared(&frames)),
            Case::new("no campaign asked: the instance alone", call(&few, &frames, &[])),
            Case::new("5 ZIP codes, one campaign", call(&few, &frames, &[0])),
            Case::new("5,000 ZIP codes, one campaign", call(&many, &frames, &[0])),
            Case::new("5,000 ZIP codes, 20 campaigns in one call", call(&shared, &frames, &slots)),
            Case::new("5 ZIP codes, 100 modules in turn", turns(100)),
            Case::new("5 ZIP codes, 1,000 modules in turn", turns(MODULES)),
        ],
    );
}

fn call<'a>(
    filter: &'a ConfiguredFilter,
    frames: &'a [Vec<u64>],
    slots: &'a [u32],
) -> impl Fn(usize) -> Evaluated + 'a {
    move |turn| filter.evaluate(frames.get(turn % LEADS).unwrap(), slots).unwrap()
}

fn declared(frames: &[Vec<u64>]) -> impl FnMut(usize) -> bool {
    let zip = Field {
        name: "zip".to_owned(),
        kind: Kind::Text,
        required_on_ping: true,
        required_on_post: true,
        contact: false,
        binding: true,
        allowed: Vec::new(),
        description: String::new(),
    };
    let schema = Arc::new(Schema::new("auto", (1, 0), String::new(), vec![zip]).unwrap());
    let zips: Vec<String> = (0..5).map(|n| format!("\"{}\"", ZIPS_FIRST + n)).collect();
    let text = format!("zip in [{}]", zips.join(", "));
    let criteria = Criteria::from_text(&text, &schema, &Lists::default()).unwrap();
    let view = |frame: &Vec<u64>| PingView::from_frame(Arc::clone(&schema), frame).unwrap();
    let views: Vec<PingView> = frames.iter().map(view).collect();
    move |turn| criteria.matches(views.get(turn % LEADS).unwrap(), "web")
}

fn sandbox(place: &Path) -> Sandbox {
    Sandbox::open(&Limits::default()).unwrap().with_cache(place).unwrap()
}

fn admit(sandbox: &Sandbox, wasm: &[u8]) -> Filter {
    match sandbox.admit(wasm).unwrap() {
        Admitted::Filter(filter) => filter,
        other => panic!("zip-list is of the world {}", other.world()),
    }
}

/// Returns as many modules: each is uploaded and compiled by itself, with settings of its own in its memory.
fn different(sandbox: &Sandbox, wasm: &[u8]) -> Vec<(Filter, ConfiguredFilter)> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let numbers: Vec<usize> = (0..MODULES).collect();
    let one = |n: &usize| {
        let filter = admit(sandbox, &numbered(wasm, *n));
        let configured = filter.configure(&[settings(5, n + 1)]).unwrap();
        (filter, configured)
    };
    thread::scope(|scope| {
        let parts = numbers.chunks(MODULES.div_ceil(cores));
        let parts = parts.map(|part| scope.spawn(|| part.iter().map(one).collect::<Vec<_>>()));
        let parts: Vec<_> = parts.collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// Returns the same module with another digest: a custom section says nothing to anybody.
fn numbered(wasm: &[u8], number: usize) -> Vec<u8> {
    let note = format!("\u{0}\u{9}\u{4}note{number:04}");
    [wasm, note.as_bytes()].concat()
}

/// Loads all modules as an exchange does that was started again, and says what they take.
fn load(place: &Path) {
    let (sandbox, wasm, frames) = (sandbox(place), modules::bytes("zip-list"), frames());
    let (before, began) = (resident(), Instant::now());
    let loaded = different(&sandbox, &wasm);
    let each = began.elapsed().as_secs_f64() / MODULES as f64;
    let taken = |what: &str| {
        let now = resident();
        let (all, own) = (now.0 - before.0, now.1 - before.1);
        println!("1,000 modules {what}: {all:.0} MiB resident, {own:.0} of them the process's own");
    };
    taken("loaded");
    loaded.iter().for_each(|(_, filter)| drop(call(filter, &frames, &[0])(0)));
    taken("called once");
    println!("to load one: {}", Seconds(each));
}

/// Returns how much memory the process has, and how much of that is no file's, in MiB.
fn resident() -> (f64, f64) {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<f64>().unwrap() / 1024.0
    };
    (mib("VmRSS:"), mib("RssAnon:"))
}

/// Returns settings with this many ZIP codes, every lead's own among the first 5, and one by which they differ.
fn settings(zips: u32, own: usize) -> String {
    let zips = (0..zips).map(|n| format!("\"{}\"", ZIPS_FIRST + n));
    let own = format!("\"{}\"", 50_000 + own);
    format!("{{\"zips\":[{}]}}", zips.chain([own]).collect::<Vec<_>>().join(","))
}

/// Returns leads with some twenty fields each, as pings of auto insurance have.
fn frames() -> Vec<Vec<u64>> {
    let mut dice = Dice::of(2);
    let mut lead = |_| {
        let mut frame = Writer::default();
        let zip = ZIPS_FIRST + dice.below(5) + 80_000 * dice.below(2);
        frame.text(FieldId::of("zip"), &zip.to_string());
        frame.text(FieldId::of("state"), "NY");
        for field in ["age", "vehicle_year", "vehicle_count", "months_insured", "driver_count"] {
            frame.integer(FieldId::of(field), i64::from(dice.below(100)));
        }
        for field in ["currently_insured", "home_owner", "sr22", "dui", "military", "accidents"] {
            frame.boolean(FieldId::of(field), dice.below(2) == 0);
        }
        for field in ["vehicle_make", "vehicle_model", "credit_band", "education", "city"] {
            frame.text(FieldId::of(field), "something of usual length");
        }
        frame.finish()
    };
    (0..LEADS).map(&mut lead).collect()
}
