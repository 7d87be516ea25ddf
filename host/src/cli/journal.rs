//! `gavel journal`: reads a journal back and says whether it holds. Works beside a running server.

use std::error::Error;

use serde_json::json;

use super::Failure;
use super::place::Where;
use crate::facts::Fact;
use crate::journal::{Audit, JournalError, Place, Reading, Stored};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Read everything again: numbers, hash chain, entries, balances. Exit code 1 names the first damaged fact.
    Verify {
        #[command(flatten)]
        journal: Where,
    },
    /// List facts.
    Show {
        #[command(flatten)]
        journal: Where,
        /// Begin after this fact.
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// List at most this many.
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::could_not_run(error.to_string()))?;
    match args.command {
        Command::Verify { journal } => match runtime.block_on(verify(journal.place()?)) {
            Ok(audit) => {
                print(&if json { verified_json(&audit) } else { verified(&audit) });
                Ok(())
            }
            Err(JournalError::Damaged(damage)) => {
                if json {
                    let fault = damage.fault.to_string();
                    print(
                        &json!({ "holds": false, "seq": damage.seq, "fault": fault }).to_string(),
                    );
                }
                Err(Failure::does_not_hold(damage.to_string()))
            }
            Err(error @ JournalError::Malformed(_)) => {
                if json {
                    print(&json!({ "holds": false, "fault": error.to_string() }).to_string());
                }
                Err(Failure::does_not_hold(error.to_string()))
            }
            Err(error) => Err(Failure::could_not_run(chain(&error))),
        },
        Command::Show { journal, after, limit } => {
            let facts = runtime.block_on(show(journal.place()?, after, limit));
            for fact in facts.map_err(|error| Failure::could_not_run(chain(&error)))? {
                print(&if json { shown_json(&fact) } else { shown(&fact) });
            }
            Ok(())
        }
    }
}

async fn verify(place: Place) -> Result<Audit, JournalError> {
    let reading = Reading::open(place).await?;
    let audit = reading.verify().await;
    reading.close().await;
    audit
}

async fn show(place: Place, after: u64, limit: usize) -> Result<Vec<Stored>, JournalError> {
    let reading = Reading::open(place).await?;
    let facts = reading.facts_after(after, limit).await;
    reading.close().await;
    facts
}

fn verified(audit: &Audit) -> String {
    let head = audit.head();
    format!(
        "the journal holds: {} facts, {} entries in {} accounts that sum to {}\nnewest fact {}",
        head.seq,
        audit.entries(),
        audit.accounts(),
        audit.sum(),
        head.hash,
    )
}

fn verified_json(audit: &Audit) -> String {
    let head = audit.head();
    json!({
        "holds": true,
        "facts": head.seq,
        "head": head.hash.to_string(),
        "entries": audit.entries(),
        "accounts": audit.accounts(),
        "sum": audit.sum().to_string(),
    })
    .to_string()
}

fn shown(fact: &Stored) -> String {
    let subject = fact.subject.map_or_else(|| "-".to_owned(), subject);
    let (kind, bytes) = (kind(fact.kind), fact.payload.len());
    format!("{} {} {subject} {kind} {bytes} bytes {}", fact.seq, fact.at, fact.hash)
}

fn shown_json(fact: &Stored) -> String {
    json!({
        "seq": fact.seq,
        "at": fact.at.to_string(),
        "subject": fact.subject.map(subject),
        "kind": kind(fact.kind),
        "bytes": fact.payload.len(),
        "hash": fact.hash.to_string(),
    })
    .to_string()
}

/// What a kind of fact is called.
fn kind(kind: u16) -> &'static str {
    Fact::kind_name(kind)
}

fn subject(subject: u128) -> String {
    crate::ids::PingId::from_u128(subject).to_string()
}

/// The error and what caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
fn print(line: &str) {
    println!("{line}");
}
