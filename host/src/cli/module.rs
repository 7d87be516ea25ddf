//! `gavel module`: builds, inspects and runs modules, so that an author needs no exchange to try one.

mod bench;
mod build;
mod figures;
mod inspect;
mod new;
mod run;
mod sdk;
mod table;
mod test;

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
    /// Make a crate for a new module: it builds and passes its tests at once.
    New(new::Args),
    /// Compile crates to components that an exchange takes.
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
    /// Call a module once, as an exchange would.
    Run(run::Args),
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.command {
        Command::New(args) => new::run(&args, json),
        Command::Build(args) => build::run(&args, json),
        Command::Test(args) => test::run(&args, json),
        Command::Inspect { file } => inspect::run(&file, json),
        Command::Bench(args) => bench::run(&args, json),
        Command::Sdk(args) => sdk::run(&args, json),
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
    admit_in(&sandbox, &file.display().to_string(), &wasm)
}

fn admit_in(sandbox: &Sandbox, name: &str, wasm: &[u8]) -> Result<Admitted, Failure> {
    let admitted = sandbox.admit(wasm);
    admitted.map_err(|refused| Failure::does_not_hold(format!("{name}: {refused}")))
}

/// Prints one line of result.
fn print(text: &str) -> Result<(), Failure> {
    writeln!(io::stdout(), "{text}")
        .map_err(|error| Failure::could_not_run(format!("cannot write the result: {error}")))
}

fn print_json(value: &Value) -> Result<(), Failure> {
    print(&value.to_string())
}
