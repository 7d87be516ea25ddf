//! `gavel demo`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::Failure;
use crate::demo::{self, Options, Summary};
use crate::telemetry;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Run for a bounded time, then check everything; the exit code says whether it held.
    #[arg(long)]
    once: bool,
    /// The port of the exchange [default: 8080, or any if that is taken].
    #[arg(long)]
    port: Option<u16>,
    /// Leads per second.
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    rate: u32,
    /// The same seed sends the same leads.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How long leads are sent, in seconds [default: 15 with --once, else until Ctrl-C].
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// The folder of the modules [default: rules, beside the folder of this program].
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let Args { once, port, rate, seed, seconds, rules } = args;
    let rules = rules.unwrap_or_else(rules_beside_the_program);
    let options = Options { once, port, rate, seed, seconds, rules, quiet: json };
    // The view is what one watches; the log is for those who ask for it.
    if std::env::var_os("GAVEL_LOG").is_some() {
        telemetry::start_log(json);
    }
    let summary = super::block_on(demo::run(options))?.map_err(|error| Failure::because(&error))?;
    print(&summary, json).map_err(|error| Failure::because(&error))?;
    let (failed, all) = summary.failed();
    if failed > 0 {
        return Err(Failure::does_not_hold(format!("{failed} of {all} checks do not hold")));
    }
    Ok(())
}

/// `target/rules` for `target/release/gavel`.
fn rules_beside_the_program() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let folder = program.parent().and_then(|folder| folder.parent());
    folder.unwrap_or_else(|| "target".as_ref()).join("rules")
}

fn print(summary: &Summary, json: bool) -> Result<(), std::io::Error> {
    let mut output = std::io::stdout().lock();
    if json {
        return writeln!(output, "{}", summary.json());
    }
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    write!(output, "{}", summary.text(output.is_terminal() && !plain))
}
