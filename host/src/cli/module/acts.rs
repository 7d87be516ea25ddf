//! What an operator does with a version in a running exchange: lets it serve, tries it, goes back, takes it out.

use serde_json::{Value, json};

use super::resource::{Note, module};
use super::{print, print_json};
use crate::cli::Failure;
use crate::cli::ask::Exchange;

#[derive(Debug, clap::Args)]
pub(super) struct Activate {
    /// The module.
    name: String,
    /// The version; the newest if absent.
    version: Option<u32>,
    /// Activate it even if the owner's gate does not hold.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
pub(super) struct RollBack {
    /// The module.
    name: String,
    /// Of a normalizer with several majors in service: which.
    #[arg(long)]
    major: Option<u32>,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
pub(super) struct Canary {
    /// The module.
    name: String,
    /// The version; the newest if absent.
    version: Option<u32>,
    /// The share of the pings that it decides, in percent, such as 5 or 0.5; 0 ends the trial.
    #[arg(long)]
    percent: String,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
pub(super) struct Shadow {
    /// The module.
    name: String,
    /// The version; the newest if absent.
    version: Option<u32>,
    /// The share of the pings that it judges without deciding, in percent.
    #[arg(long, default_value = "100")]
    percent: String,
    /// End the trial.
    #[arg(long, conflicts_with_all = ["percent", "show"])]
    stop: bool,
    /// Show the comparison so far; nothing changes.
    #[arg(long, conflicts_with = "percent")]
    show: bool,
    #[command(flatten)]
    note: Note,
    #[command(flatten)]
    exchange: Exchange,
}

#[derive(Debug, clap::Args)]
pub(super) struct TakeOut {
    /// The module.
    name: String,
    /// The version; the active one if absent.
    version: Option<u32>,
    /// Why, for its owner and for those who read the module's history.
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Who does it.
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = "operator",
        hide_env_values = true
    )]
    by: String,
    #[command(flatten)]
    exchange: Exchange,
}

pub(super) fn activate(args: &Activate, as_json: bool) -> Result<(), Failure> {
    let mut body = act(args.note.members(), args.version);
    if args.force {
        put(&mut body, "force", true.into());
    }
    let done = args.exchange.post(&module(&args.name, "activate")?, body)?;
    let name = &args.name;
    say(&done, as_json, |version| {
        format!("{name} version {version} is active; `gavel module rollback {name}` goes back")
    })
}

pub(super) fn roll_back(args: &RollBack, as_json: bool) -> Result<(), Failure> {
    let mut body = args.note.members();
    if let Some(major) = args.major {
        put(&mut body, "major", major.into());
    }
    let done = args.exchange.post(&module(&args.name, "rollback")?, body)?;
    let (name, ended) = (&args.name, done.get("ended").is_some_and(Value::is_string));
    say(&done, as_json, |version| match ended {
        true => format!(
            "{name} version {version} is no canary any more; what was active stays so, and `gavel module rollback {name}` \
             once more goes to the version before it"
        ),
        false => format!("{name} version {version} is active again"),
    })
}

pub(super) fn canary(args: &Canary, as_json: bool) -> Result<(), Failure> {
    let done = try_out(&args.exchange, "canary", args, &args.percent)?;
    let (name, percent) = (&args.name, &args.percent);
    say(&done, as_json, |version| match is_zero(percent) {
        true => format!("{name} version {version} is no canary any more"),
        false => format!(
            "{name} version {version} decides {percent} % of the pings; `gavel module activate {name} {version}` gives it \
             all, `--percent 0` ends the trial"
        ),
    })
}

pub(super) fn shadow(args: &Shadow, as_json: bool) -> Result<(), Failure> {
    let (name, percent) = (&args.name, if args.stop { "0" } else { &args.percent });
    if args.show {
        let found = args.exchange.get(&module(name, "shadow")?)?;
        return if as_json { print_json(&found) } else { print(&format!("{found:#}")) };
    }
    let done = try_out(&args.exchange, "shadow", args, percent)?;
    say(&done, as_json, |version| match is_zero(percent) {
        true => format!("{name} version {version} is no shadow any more"),
        false => format!(
            "{name} version {version} judges {percent} % of the pings and decides nothing; `gavel module shadow {name} \
             --show` compares, `--stop` ends it"
        ),
    })
}

pub(super) fn take_out(args: &TakeOut, as_json: bool) -> Result<(), Failure> {
    let body = act(json!({ "by": args.by, "why": args.why }), args.version);
    let done = args.exchange.post(&module(&args.name, "take-out")?, body)?;
    let name = &args.name;
    say(&done, as_json, |version| {
        format!(
            "{name} version {version} is out of service until a version is activated: `gavel module activate {name}` or \
             `gavel module rollback {name}`"
        )
    })
}

/// What the two ways to try a version have in common.
trait Trial {
    fn parts(&self) -> (&str, Option<u32>, &Note);
}

impl Trial for Canary {
    fn parts(&self) -> (&str, Option<u32>, &Note) {
        (&self.name, self.version, &self.note)
    }
}

impl Trial for Shadow {
    fn parts(&self) -> (&str, Option<u32>, &Note) {
        (&self.name, self.version, &self.note)
    }
}

fn try_out(
    exchange: &Exchange,
    resource: &str,
    trial: &impl Trial,
    percent: &str,
) -> Result<Value, Failure> {
    let (name, version, note) = trial.parts();
    let mut body = act(note.members(), version);
    put(&mut body, "percent", percent.trim_end_matches(['%', ' ']).into());
    exchange.post(&module(name, resource)?, body)
}

fn act(mut body: Value, version: Option<u32>) -> Value {
    if let Some(version) = version {
        put(&mut body, "version", version.into());
    }
    body
}

fn put(body: &mut Value, member: &str, value: Value) {
    if let Some(object) = body.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
}

fn is_zero(percent: &str) -> bool {
    percent.contains('0') && percent.chars().all(|char| matches!(char, '0' | '.' | '%' | ' '))
}

fn say(done: &Value, as_json: bool, what: impl FnOnce(u64) -> String) -> Result<(), Failure> {
    if as_json {
        return print_json(done);
    }
    print(&what(done.get("version").and_then(Value::as_u64).unwrap_or_default()))
}
