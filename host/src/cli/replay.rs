//! `gavel replay`: decides every recorded auction again and compares, or clears them on other terms.

mod terms;

use serde_json::json;

use super::Failure;
use super::place::Where;
use crate::exchange::{Replayed, replay};
use crate::sandbox::Compiler;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    journal: Where,
    #[command(flatten)]
    terms: terms::Args,
}

/// How many differences are printed.
const SHOWN_MAX: usize = 20;

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this command prints what it finds")]
pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    if args.terms.are_given() {
        return terms::run(args.journal.place()?, &args.terms, json);
    }
    let found =
        super::block_on(replay(args.journal.place()?, Compiler::this_program(), |facts| {
            if !json {
                eprint!("\rreplayed {facts} facts");
            }
        }))?;
    if !json {
        eprintln!();
    }
    let found = found.map_err(|error| Failure::because(&error))?;
    if json {
        println!("{}", in_json(&found));
    } else {
        println!(
            "{} facts, {} auctions held again, {} deliveries checked, {} differences",
            found.facts,
            found.auctions,
            found.deliveries,
            found.differences.len()
        );
    }
    if found.differences.is_empty() {
        return Ok(());
    }
    for difference in found.differences.iter().take(SHOWN_MAX) {
        eprintln!(
            "fact {}: {}\n  recorded {}\n  replayed {}",
            difference.seq, difference.what, difference.recorded, difference.replayed
        );
    }
    let count = found.differences.len();
    Err(Failure::does_not_hold(format!("{count} recorded decisions come out otherwise")))
}

fn in_json(found: &Replayed) -> serde_json::Value {
    let differences = found.differences.iter().map(|difference| {
        json!({"seq": difference.seq, "what": difference.what, "recorded": difference.recorded, "replayed": difference.replayed})
    });
    json!({
        "holds": found.differences.is_empty(),
        "facts": found.facts,
        "auctions": found.auctions,
        "deliveries": found.deliveries,
        "differences": differences.collect::<Vec<_>>(),
    })
}
