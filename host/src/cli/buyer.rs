//! `gavel buyer`: what a buyer runs against its own end point, and how buyers stand in a running exchange.

mod check;
mod findings;
mod judged;
mod kit;
mod leads;
mod sample;
mod show;
mod spoken;
mod status;

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
    Check(Box<check::Args>),
    /// List the buyers of a running exchange with their money.
    List(show::List),
    /// Show a buyer: its money, how often it refuses leads, and how its end point for bids stands.
    Show(show::One),
    /// Make a new secret that signs a buyer's leads; the one before it signs beside it for a day.
    Rotate(show::One),
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    match args.command {
        Command::Check(args) => check::run(*args, json),
        Command::List(args) => show::list(&args, json),
        Command::Show(args) => show::show(&args, json),
        Command::Rotate(args) => show::rotate(&args, json),
    }
}
