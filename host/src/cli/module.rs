//! `gavel module`: builds, inspects and runs modules, so that an author needs no exchange to try one.

mod build;
mod diff;
mod inspect;
mod run;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::Value;

use super::Failure;
use crate::sandbox::{Admitted, Limits, Sandbox};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile crates to components that an exchange takes.
    Build(build::Args),
    /// Show what a module is, or why an exchange would refuse it.
    Inspect {
        /// The component.
        file: PathBuf,
    },
    /// Show what another version would have changed, in verdicts and in money.
    Diff(diff::Args),
    /// Print the leads that a filter was asked about, to compare versions elsewhere. They hold no contact data.
    Record(diff::RecordArgs),
    /// Call a module once, as an exchange would.
    Run(run::Args),
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.command {
        Command::Build(args) => build::run(&args, json),
        Command::Inspect { file } => inspect::run(&file, json),
        Command::Diff(args) => diff::run(&args, json),
        Command::Record(args) => diff::record(&args),
        Command::Run(args) => run::run(&args, json),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| Failure::could_not_run(format!("cannot read {}: {error}", file.display())))
}

/// Admits the module in a sandbox of its own.
fn admit(file: &Path) -> Result<Admitted, Failure> {
    let wasm = read(file)?;
    let sandbox = Sandbox::open(&Limits::default());
    let sandbox = sandbox.map_err(|error| Failure::could_not_run(error.to_string()))?;
    sandbox
        .admit(&wasm)
        .map_err(|refused| Failure::does_not_hold(format!("{}: {refused}", file.display())))
}

/// Prints one line of result.
fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{text}")
        .map_err(|error| Failure::could_not_run(format!("cannot write the result: {error}")))
}

fn print_json(value: &Value) -> Result<(), Failure> {
    print(&value.to_string())
}
