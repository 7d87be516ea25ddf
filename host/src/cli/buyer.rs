//! `gavel buyer`: what a buyer runs against its own end point.

mod check;
mod findings;
mod leads;
mod sample;
mod spoken;

use clap::Subcommand;

use super::Failure;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try an end point for bids, and one for leads, as the exchange would, and explain every finding.
    Check(check::Args),
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.command {
        Command::Check(args) => check::run(args, json),
    }
}
