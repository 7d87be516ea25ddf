//! `gavel module test`: the fixtures of modules, through the engine and the limits of an exchange.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::build;
use super::figures::{counted, percentile, share, thousands};
use super::table::{coloured, ink};
use super::{admit_in, print, print_json, read};
use crate::cli::Failure;
use crate::demo::ink::Ink;
use crate::fixtures::{self, Ending, Files, Ran};
use crate::sandbox::{Admitted, Limits, MODULE_BYTES_MAX, Sandbox};

const HELP: &str = r#"Fixtures lie in the crate's folder `fixtures`.

For a normalizer, NAME.ping.form (or .post, and .json or .xml) is what a source sends, and NAME.ping.expected.json beside
it is what must come out: {"envelope": {..}, "lead": {..}} or {"envelope": {..}, "refused": {..}}. It is sent on
2026-02-01, so that ages stay what they are; "sent": {"received_on": "..", "content_type": "..", "query": ".."} in the
expected file changes that.

For a filter, NAME.json is {"settings": .., "lead": {..}, "expected": {"verdict": "yes", "price": "12.50"}}; other
outcomes are {"verdict": "yes", "price": null} for the campaign's own price, {"verdict": "no", "reason": ".."} and
{"settings_refused": ".."}.

For an adapter, NAME.json is a recorded exchange: {"settings": .., "step": "ping", "offer": {..}, "lead": {..}, "response":
{"status": 200, "headers": ["content-type: text/xml"], "body": ".."}, "expected": {"request": {..}, "reply": ..}}, or "post".
A reply is {"bid": "12.50", "handle": ".."}, {"no_bid": ".."} or {"invalid": ".."} to a ping, {"sold": ".."}, {"rejected": ".."},
{"duplicate": ".."} or {"unknown": ".."} to a post. Without a lead no request is worded, without a response none is read;
settings alone are only tried. `gavel adapter record` makes such files.

Fixtures travel in the component and are kept with it: the people in them must be made up.

Exits with 1 if anything differs. --accept writes what came out as expected: read it before you keep it."#;

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(in crate::cli) struct Args {
    /// Crates, folders of crates, or components.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// The fixtures, if they are not in the crate's folder `fixtures` or in the component.
    #[arg(long, value_name = "DIR")]
    fixtures: Option<PathBuf>,
    /// Write what comes out as expected, and say into which files.
    #[arg(long)]
    accept: bool,
}

/// A module on trial.
struct Trial {
    name: String,
    admitted: Admitted,
    files: Files,
    /// Where the fixtures lie; a component alone has no such place.
    folder: Option<PathBuf>,
    /// With its fixtures, in bytes.
    bytes: usize,
}

pub(in crate::cli) fn run(args: &Args, as_json: bool) -> Result<(), Failure> {
    let sandbox = Sandbox::open(&Limits::default());
    let sandbox = sandbox.map_err(|error| Failure::could_not_run(error.to_string()))?;
    let trials = trials(&sandbox, args)?;
    let (mut failed, mut all, mut shown) = (0, 0, Vec::new());
    for trial in &trials {
        let ran = fixtures::run(&trial.admitted, &trial.files)
            .map_err(|fault| Failure::usage(format!("{}: {fault}", trial.name)))?;
        let accepted = if args.accept { accept(trial, &ran)? } else { Vec::new() };
        let left = |ran: &&Ran| match ran.ending {
            Ending::Same => false,
            Ending::Broken(_) => true,
            Ending::Differs(_) | Ending::Unexpected(_) => !args.accept,
        };
        failed += ran.iter().filter(left).count();
        all += ran.len();
        if as_json {
            shown.push(as_value(trial, &ran, &accepted));
        } else {
            show(trial, &ran, &accepted)?;
        }
    }
    if as_json {
        print_json(&Value::Array(shown))?;
    }
    if failed > 0 {
        let next = if args.accept {
            "what did not come out at all cannot be accepted"
        } else {
            "mend the module, or read what came out and keep it with `--accept`"
        };
        let all = counted(all, "fixture");
        return Err(Failure::does_not_hold(format!("{failed} of {all} not as expected: {next}")));
    }
    Ok(())
}

fn trials(sandbox: &Sandbox, args: &Args) -> Result<Vec<Trial>, Failure> {
    let (components, crates): (Vec<_>, Vec<_>) =
        args.paths.iter().cloned().partition(|path| path.is_file());
    let mut trials = Vec::new();
    if !crates.is_empty() {
        for built in build::build(&crates)? {
            let folder = built.folder.join("fixtures");
            let name = built.name;
            let admitted = admit_in(sandbox, &name, &built.component)?;
            let files = built.fixtures.0;
            let bytes = fixtures::embed(built.component, &files).len();
            trials.push(Trial { name, admitted, files, folder: Some(folder), bytes });
        }
    }
    for file in components {
        let wasm = read(&file)?;
        let name = file.display().to_string();
        let admitted = admit_in(sandbox, &name, &wasm)?;
        let files = fixtures::from_component(&wasm)
            .map_err(|fault| Failure::usage(format!("{name}: {fault}")))?;
        let (files, bytes) = (files.unwrap_or_default(), wasm.len());
        trials.push(Trial { name, admitted, files, folder: None, bytes });
    }
    if let Some(folder) = &args.fixtures {
        for trial in &mut trials {
            trial.files = read_folder(folder)?;
            trial.folder = Some(folder.clone());
        }
    }
    // Of many crates some may have none; a module that is tested by itself must have some.
    if let [Trial { name, files, .. }] = trials.as_slice()
        && files.is_empty()
    {
        return Err(Failure::usage(format!(
            "{name} has no fixtures: write some into the crate's folder `fixtures`, or name another with `--fixtures DIR`; \
             `gavel module test --help` says what they look like"
        )));
    }
    Ok(trials)
}

pub(super) fn read_folder(folder: &Path) -> Result<Files, Failure> {
    let files = Files::read(folder).map_err(|fault| Failure::usage(fault.to_string()))?;
    if files.is_empty() {
        return Err(Failure::usage(format!("there are no fixtures in {}", folder.display())));
    }
    Ok(files)
}

/// Writes what came out as expected, where it was not, and returns the files.
fn accept(trial: &Trial, ran: &[Ran]) -> Result<Vec<String>, Failure> {
    let Some(folder) = &trial.folder else {
        return Err(Failure::usage(format!(
            "{} carries its fixtures, and they cannot be changed there: accept in the crate's folder, or with `--fixtures DIR`",
            trial.name
        )));
    };
    let mut written = Vec::new();
    let other = |ran: &&Ran| matches!(ran.ending, Ending::Differs(_) | Ending::Unexpected(_));
    for (file, text) in ran.iter().filter(other).filter_map(|ran| ran.accepting.as_ref()) {
        let path = folder.join(file);
        fs::write(&path, text).map_err(|error| {
            Failure::could_not_run(format!("cannot write {}: {error}", path.display()))
        })?;
        let here = env::current_dir().unwrap_or_default();
        written.push(path.strip_prefix(&here).unwrap_or(&path).display().to_string());
    }
    Ok(written)
}

fn show(trial: &Trial, ran: &[Ran], accepted: &[String]) -> Result<(), Failure> {
    let coloured = coloured();
    let world = trial.admitted.world();
    let article = if world == "adapter" { "an" } else { "a" };
    print(&format!("{}, {article} {world}", ink(Ink::Bold, &trial.name, coloured)))?;
    for Ran { file, ending, .. } in ran {
        let (ink_of, word, lines) = match ending {
            Ending::Same => (Ink::Good, "ok", [].as_slice()),
            Ending::Differs(lines) => (Ink::Bad, "differs", lines.as_slice()),
            Ending::Unexpected(lines) => (Ink::Marked, "new", lines.as_slice()),
            Ending::Broken(fault) => (Ink::Bad, "fails", std::slice::from_ref(fault)),
        };
        print(&format!("  {} {file}", ink(ink_of, &format!("{word:8}"), coloured)))?;
        for line in lines {
            let colour = match line.get(..2) {
                Some("- ") => Ink::Bad,
                Some("+ ") => Ink::Good,
                _ => Ink::Plain,
            };
            print(&format!("           {}", ink(colour, line, coloured)))?;
        }
    }
    for file in accepted {
        print(&format!("  {} {file}", ink(Ink::Marked, "accepted", coloured)))?;
    }
    let count = |wanted: fn(&Ending) -> bool| ran.iter().filter(|ran| wanted(&ran.ending)).count();
    let same = count(|ending| *ending == Ending::Same);
    let differs = count(|ending| matches!(ending, Ending::Differs(_)));
    let new = count(|ending| matches!(ending, Ending::Unexpected(_)));
    let broken = count(|ending| matches!(ending, Ending::Broken(_)));
    let parts = match accepted.len() {
        0 => [(same, "as expected"), (differs, "differ"), (new, "new"), (broken, "failed")],
        // What differed or was new is expected from here on.
        taken => [(same, "as expected"), (taken, "accepted"), (0, ""), (broken, "failed")],
    };
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<_> = parts.map(|(number, what)| format!("{number} {what}")).collect();
    let spent = Spent::of(trial, ran);
    print(&format!("{}: {}", counted(ran.len(), "fixture"), parts.join(", ")))?;
    if !accepted.is_empty() {
        print(
            "  read what was accepted before you keep it; `gavel module build` puts it into the component",
        )?;
    }
    let fuel = format!("p50 {}, max {}", thousands(spent.fuel_p50), thousands(spent.fuel_max));
    for (what, used, max, of) in [
        ("fuel", fuel, u128::from(spent.fuel_max), u128::from(spent.fuel_limit)),
        ("memory", bytes(spent.memory_max), u128::from(spent.memory_max), wide(spent.memory_limit)),
        ("size", bytes(trial.bytes), wide(trial.bytes), wide(MODULE_BYTES_MAX)),
    ] {
        print(&format!("  {what:8} {used:34} {} of {}", share(max, of), thousands(of)))?;
    }
    Ok(())
}

fn bytes(number: impl TryInto<u128>) -> String {
    format!("{} bytes", thousands(number))
}

fn wide(number: usize) -> u128 {
    number.try_into().unwrap_or(u128::MAX)
}

/// What the calls of a module's fixtures took, beside what they might.
struct Spent {
    fuel_p50: u64,
    fuel_max: u64,
    fuel_limit: u64,
    memory_max: u64,
    memory_limit: usize,
}

impl Spent {
    fn of(trial: &Trial, ran: &[Ran]) -> Self {
        let mut fuel: Vec<u64> = ran.iter().map(|ran| ran.fuel).filter(|fuel| *fuel > 0).collect();
        fuel.sort_unstable();
        let (fuel_limit, memory_limit) = limits(&trial.admitted);
        Self {
            fuel_p50: percentile(&fuel, 50),
            fuel_max: percentile(&fuel, 100),
            fuel_limit,
            memory_max: ran.iter().map(|ran| ran.memory_bytes).max().unwrap_or_default(),
            memory_limit,
        }
    }
}

/// Returns the fuel and the memory, in bytes, that a call for one lead and one campaign may take.
pub(super) fn limits(admitted: &Admitted) -> (u64, usize) {
    let limits = Limits::default();
    match admitted {
        Admitted::Normalizer(_) => (limits.normalizer.fuel, limits.normalizer.memory_bytes),
        Admitted::Adapter(_) => (limits.adapter.fuel, limits.adapter.memory_bytes),
        Admitted::Filter(_) => {
            let fuel = limits.filter.fuel.saturating_add(limits.filter_fuel_per_slot);
            (fuel, limits.filter.memory_bytes)
        }
    }
}

fn as_value(trial: &Trial, ran: &[Ran], accepted: &[String]) -> Value {
    let fixtures = ran.iter().map(|ran| {
        let (ending, lines, fault) = match &ran.ending {
            Ending::Same => ("same", None, None),
            Ending::Differs(lines) => ("differs", Some(lines), None),
            Ending::Unexpected(_) => ("new", None, None),
            Ending::Broken(fault) => ("failed", None, Some(fault)),
        };
        json!({
            "file": ran.file,
            "ending": ending,
            "difference": lines,
            "fault": fault,
            "came": ran.came,
            "fuel": ran.fuel,
            "memory_bytes": ran.memory_bytes,
        })
    });
    let spent = Spent::of(trial, ran);
    json!({
        "name": trial.name,
        "world": trial.admitted.world(),
        "fixtures": fixtures.collect::<Vec<_>>(),
        "accepted": accepted,
        "fuel": { "p50": spent.fuel_p50, "max": spent.fuel_max, "limit": spent.fuel_limit },
        "memory_bytes": { "max": spent.memory_max, "limit": spent.memory_limit },
        "bytes": { "size": trial.bytes, "limit": MODULE_BYTES_MAX },
    })
}
