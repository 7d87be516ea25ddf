//! `gavel master-key`: the master key, under which the keys of contact data lie.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Failure;
use super::place;
use crate::config;
use crate::contacts::{Location, MasterKeyError};
use crate::exchange::{OpenError, Rotated, rotate};
use crate::journal::{DirectoryError, JournalError};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Wrap every key anew by a new master key. The exchange must be stopped. Afterwards destroy the old master key, and
    /// with it everything that older copies of the data directory hold of persons.
    Rotate {
        /// The exchange's directory.
        directory: PathBuf,
        /// Where the journal is kept other than in SQLite in the directory.
        #[arg(long, env = "GAVEL_DATABASE", hide_env_values = true)]
        database: Option<String>,
        /// The master key so far: a file; without it, GAVEL_MASTER_KEY or `master.key` in the directory.
        #[arg(long, env = "GAVEL_MASTER_KEY_FILE", value_name = "FILE")]
        master_key: Option<PathBuf>,
        /// The new master key: a file, made if it is not there. Without it, the file of the key so far gets the new one.
        #[arg(long, value_name = "FILE")]
        new: Option<PathBuf>,
        /// Who does it, as a name that is recorded.
        #[arg(long, value_name = "NAME", default_value = "operator")]
        by: String,
    },
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let Command::Rotate { directory, database, master_key, new, by } = args.command;
    let place = place::place(directory.clone(), database.as_deref())?;
    let location = config::master_key(master_key).map_err(|error| usage(&error))?;
    if new.is_none() && matches!(location, Location::Given(_)) {
        return Err(Failure::usage(
            "the master key comes from GAVEL_MASTER_KEY: name a file for the new one with --new FILE",
        ));
    }
    let rotated = super::block_on(rotate(place, &location, new.as_deref(), &by))?;
    let rotated = rotated.map_err(|error| failed(&error, &directory))?;
    println!("{}", if json { in_json(&rotated) } else { in_words(&rotated) });
    Ok(())
}

fn in_words(Rotated { from, to, keys, file }: &Rotated) -> String {
    format!(
        "{keys} leads' keys were under master key {from} and are under {to} now\n\
         the new master key is in {}; destroy every copy of the old one",
        file.display()
    )
}

fn in_json(Rotated { from, to, keys, file }: &Rotated) -> String {
    json!({"from": from.to_string(), "to": to.to_string(), "keys": keys, "file": file.display().to_string()})
        .to_string()
}

fn usage(error: &MasterKeyError) -> Failure {
    Failure::usage(Failure::because(error).message)
}

fn failed(error: &OpenError, directory: &Path) -> Failure {
    match error {
        OpenError::Journal(JournalError::Directory(DirectoryError::Locked(_))) => {
            Failure::could_not_run(format!(
                "{} is in use: stop the exchange first, its keys are in its memory",
                directory.display()
            ))
        }
        error => Failure::because(error),
    }
}
