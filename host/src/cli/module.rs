//! `gavel module`: an author's tools, which need no exchange, and an operator's, which speak with a running one.

mod acts;
mod bench;
mod build;
mod c;
mod figures;
pub(in crate::cli) mod diff;
mod inspect;
mod lines;
mod new;
mod push;
mod resource;
mod run;
mod sdk;
mod set;
mod show;
mod table;
mod test;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;

use super::Failure;
use crate::sandbox::{Admitted, Limits, Sandbox};
pub(super) use run::configured;
pub(super) use test::{Args as TestArgs, run as test};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a crate for a new module: it builds and passes its tests at once.
    New(new::Args),
    /// Compile crates, or folders of C, to components that an exchange takes.
    Build(build::Args),
    /// Run the fixtures of modules with the engine and the limits of an exchange.
    Test(test::Args),
    /// Show what a module is, or why an exchange would refuse it.
    Inspect {
        /// The component.
        file: PathBuf,
    },
    /// Measure what a call of a module costs.
    Bench(bench::Args),
    /// Write the SDK that this program carries into a crate, in place of an older one.
    Sdk(sdk::Args),
    /// Show what another version would have changed, in verdicts and in money.
    Diff(diff::Args),
    /// Print the leads that a filter was asked about, to compare versions elsewhere. They hold no contact data.
    Record(diff::RecordArgs),
    /// Call a module once, as an exchange would.
    Run(run::Args),
    /// Upload a component to a running exchange, which checks it and runs its fixtures; nothing serves it yet.
    Push(push::Args),
    /// List the modules of a running exchange.
    List(show::List),
    /// Show a module of a running exchange: what it may use, its versions, and who did what and why.
    Show(show::Show),
    /// Let a version serve; the one before it drains.
    Activate(acts::Activate),
    /// Let the version that served before serve again.
    Rollback(acts::RollBack),
    /// Let a version decide a share of the pings.
    Canary(acts::Canary),
    /// Let a version judge pings without deciding, to compare it with the active one.
    Shadow(acts::Shadow),
    /// Take a module out of service until a version is activated.
    TakeOut(acts::TakeOut),
    /// Change a module's owner, limits, failing policy or gate in a running exchange.
    Set(set::SetArgs),
    /// Show or change what the calls of a world may use in a running exchange.
    Limits(set::LimitsArgs),
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.command {
        Command::New(args) => new::run(&args, json),
        Command::Build(args) => build::run(&args, json),
        Command::Test(args) => test::run(&args, json),
        Command::Inspect { file } => inspect::run(&file, json),
        Command::Bench(args) => bench::run(&args, json),
        Command::Sdk(args) => sdk::run(&args, json),
        Command::Diff(args) => diff::run(&args, json),
        Command::Record(args) => diff::record(&args),
        Command::Run(args) => run::run(&args, json),
        Command::Push(args) => push::run(&args, json),
        Command::List(args) => show::list(&args, json),
        Command::Show(args) => show::show(&args, json),
        Command::Activate(args) => acts::activate(&args, json),
        Command::Rollback(args) => acts::roll_back(&args, json),
        Command::Canary(args) => acts::canary(&args, json),
        Command::Shadow(args) => acts::shadow(&args, json),
        Command::TakeOut(args) => acts::take_out(&args, json),
        Command::Set(args) => set::set(&args, json),
        Command::Limits(args) => set::limits(&args, json),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::could_not_run(format!("cannot read {}: {error}", file.display())))
}

/// Admits the module in a sandbox of its own.
pub(super) fn admit(file: &Path) -> Result<Admitted, Failure> {
    let wasm = read(file)?;
    let sandbox = Sandbox::open(&Limits::default());
    let sandbox = sandbox.map_err(|error| Failure::could_not_run(error.to_string()))?;
    admit_in(&sandbox, &file.display().to_string(), &wasm)
}

fn admit_in(sandbox: &Sandbox, name: &str, wasm: &[u8]) -> Result<Admitted, Failure> {
    let admitted = sandbox.admit(wasm);
    admitted.map_err(|refused| Failure::does_not_hold(format!("{name}: {refused}")))
}

/// Prints one line of result.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{text}")
        .map_err(|error| Failure::could_not_run(format!("cannot write the result: {error}")))
}

pub(super) fn print_json(value: &Value) -> Result<(), Failure> {
    print(&value.to_string())
}
