//! The commands of `gavel`: what can be asked at a terminal, and the exit codes.
//!
//! 0 done, 1 the thing checked does not hold, 2 usage, 3 could not run. Results go to standard output, progress and
//! complaints to standard error.

mod adapter;
mod ask;
mod backup;
mod buyer;
mod compile_worker;
mod demo;
mod erase;
mod explain;
mod journal;
mod keys;
mod master_key;
mod mock_buyer;
mod module;
mod place;
mod postbacks;
mod price;
mod reconcile;
mod replay;
mod schema;
mod serve;
mod shipments;
mod statement;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::sandbox::WORKER_COMMAND;

/// Done, and what was checked holds.
pub const DONE: u8 = 0;
/// The thing checked does not hold.
pub const DOES_NOT_HOLD: u8 = 1;
/// The command line or its input cannot be understood.
pub const USAGE: u8 = 2;
/// The command could not run.
pub const COULD_NOT_RUN: u8 = 3;

/// A lead exchange that is extended with WebAssembly.
#[derive(Debug, Parser)]
#[command(name = "gavel", version, arg_required_else_help = true)]
struct Gavel {
    #[command(subcommand)]
    command: Command,
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the exchange.
    Serve(serve::Args),
    /// Run a market to watch: sources, buyers, traffic, and a filter that is swapped while it flows.
    Demo(demo::Args),
    /// Print the award for a set of bids, read as JSON from standard input.
    Price(price::Args),
    /// Make, test and measure Wasm modules, and steer those of a running exchange.
    Module(module::Args),
    /// Record exchanges with buyers, and test adapters on them.
    Adapter(adapter::Args),
    /// Show what a vertical takes: as a table, as JSON Schema, as Rust for filters, or against another version.
    Schema(schema::Args),
    /// Check or list the journal.
    Journal(journal::Args),
    /// Compare everything that an exchange recorded: facts, entries, balances, holds, sales, statements.
    Reconcile(reconcile::Args),
    /// Print a buyer's or source's account in a period, or check a statement.
    Statement(Box<statement::Args>),
    /// Copy the journal while the exchange runs, and prove the copy.
    Backup(backup::Args),
    /// Decide every recorded auction again and compare, or clear them on other terms.
    Replay(replay::Args),
    /// Try a buyer's end point as the exchange would use it, or see how buyers stand in a running exchange.
    Buyer(buyer::Args),
    /// Play buyers' end points of many characters, to try an exchange on.
    MockBuyer(mock_buyer::Args),
    /// Check a receipt, with nothing at hand but the modules that decided.
    Verify(verify::Args),
    /// See deliveries that are in doubt or were given up, send them again, or settle them.
    Shipments(shipments::Args),
    /// See what sources and buyers were told of their leads, send it again, change what signs it, try an end point.
    Postbacks(postbacks::Args),
    /// Tell the story of an auction.
    Explain(explain::Args),
    /// Destroy the contact data of a lead or of a person in a running exchange.
    Erase(erase::Args),
    /// Show or change the keys that sign receipts.
    Keys(keys::Args),
    /// Change the master key, under which the keys of contact data lie.
    MasterKey(master_key::Args),
    /// Compile one module from standard input to standard output. The program runs itself so.
    #[command(name = WORKER_COMMAND, hide = true)]
    CompileWorker(compile_worker::Args),
}

/// How a command ended other than well: what to print, and the exit code.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// What went wrong, where, and what to do next.
    pub message: String,
}

impl Failure {
    /// The input cannot be understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: USAGE, message: message.into() }
    }

    /// The command could not run.
    pub fn could_not_run(message: impl Into<String>) -> Self {
        Self { code: COULD_NOT_RUN, message: message.into() }
    }

    /// The command could not run, because of this error and what caused it.
    pub fn because(error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            message.push_str(": ");
            message.push_str(&error.to_string());
            cause = error.source();
        }
        Self::could_not_run(message)
    }

    /// The thing checked does not hold.
    pub fn does_not_hold(message: impl Into<String>) -> Self {
        Self { code: DOES_NOT_HOLD, message: message.into() }
    }
}

/// Returns the first cause of a failure: the errors around it only say where it was met.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Runs the command line and returns the exit code.
#[expect(clippy::print_stderr, reason = "this is where commands complain")]
pub fn run() -> ExitCode {
    let Gavel { command, json } = Gavel::parse();
    let ended = match command {
        Command::Serve(args) => serve::run(args, json),
        Command::Demo(args) => demo::run(args, json),
        Command::Price(args) => price::run(args, json),
        Command::Module(args) => module::run(args, json),
        Command::Adapter(args) => adapter::run(args, json),
        Command::Schema(args) => schema::run(&args, json),
        Command::Journal(args) => journal::run(args, json),
        Command::Reconcile(args) => reconcile::run(&args, json),
        Command::Statement(args) => statement::run(&args, json),
        Command::Backup(args) => backup::run(args, json),
        Command::Replay(args) => replay::run(&args, json),
        Command::Buyer(args) => buyer::run(args, json),
        Command::MockBuyer(args) => mock_buyer::run(args, json),
        Command::Verify(args) => verify::run(&args, json),
        Command::Shipments(args) => shipments::run(args, json),
        Command::Postbacks(args) => postbacks::run(args, json),
        Command::Explain(args) => explain::run(&args, json),
        Command::Erase(args) => erase::run(&args, json),
        Command::Keys(args) => keys::run(args, json),
        Command::MasterKey(args) => master_key::run(args, json),
        Command::CompileWorker(args) => compile_worker::run(&args),
    };
    match ended {
        Ok(()) => ExitCode::from(DONE),
        Err(failure) => {
            eprintln!("gavel: {}", failure.message);
            ExitCode::from(failure.code)
        }
    }
}

/// Runs a command that waits for sockets, files or tasks.
fn block_on<F: Future>(work: F) -> Result<F::Output, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::because(&error))?;
    let output = runtime.block_on(work);
    // Who leaves does not wait for a module that is being compiled.
    runtime.shutdown_background();
    Ok(output)
}
