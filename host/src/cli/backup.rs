//! `gavel backup`: copies the journal of an exchange that may be running, and proves the copy.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::place::place;
use super::{Failure, block_on};
use crate::journal::{BackedUp, BackupError, back_up};

/// Copies one moment of the journal while the exchange runs, reads the copy back whole, and only then gives it its name.
///
/// To restore, serve the copy with the same master key: `gavel serve --data COPY --master-key FILE`. The keys of
/// contact data are left out, so that whoever is erased later is erased from copies too: leads under way wait for an
/// operator's word. What happened after the copy is not in it, and nothing is sent again to buyers that do not promise
/// to know it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The exchange's directory.
    #[arg(long, env = "GAVEL_DATA")]
    data: PathBuf,
    /// The exchange's PostgreSQL database, which has tools of its own; they are named.
    #[arg(long, env = "GAVEL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Where to: a file that ends with .db, or an empty directory that can be served as it is.
    #[arg(long, value_name = "FILE|DIR")]
    to: PathBuf,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let Args { data, database, to } = args;
    let (place, begun) = (place(data, database.as_deref())?, Instant::now());
    let shown = !json && io::stderr().is_terminal();
    let progress = |copied: u64, of: u64| {
        if shown {
            let percent = copied.saturating_mul(100).checked_div(of).unwrap_or(100);
            let word = if copied < of { "copied" } else { "copied, reading it back" };
            let _ = write!(io::stderr(), "\r\x1b[K{percent} % {word}");
        }
    };
    let made = block_on(back_up(place, &to, progress))?;
    if shown {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    let made = made.map_err(|error| match error {
        BackupError::Proof(_) => Failure::does_not_hold(Failure::because(&error).message),
        BackupError::Exists(_) | BackupError::Server(_) => Failure::usage(error.to_string()),
        error => Failure::because(&error),
    })?;
    print(&made, begun.elapsed().as_millis(), json);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "results go to standard output")]
fn print(made: &BackedUp, ms: u128, json: bool) {
    let BackedUp { file, bytes, audit } = made;
    let head = audit.head();
    if json {
        let made = json!({
            "holds": true,
            "file": file,
            "bytes": bytes,
            "ms": u64::try_from(ms).unwrap_or(u64::MAX),
            "facts": head.seq,
            "head": head.hash.to_string(),
            "entries": audit.entries(),
            "accounts": audit.accounts(),
            "sum": audit.sum().to_string(),
        });
        println!("{made}");
        return;
    }
    println!(
        "{}: {bytes} bytes in {ms} ms\nthe copy holds: {} facts, {} entries in {} accounts that sum to {}\nnewest fact {}",
        file.display(),
        head.seq,
        audit.entries(),
        audit.accounts(),
        audit.sum(),
        head.hash,
    );
}
