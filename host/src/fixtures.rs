//! Fixtures: what a module's author says must come out, run with the engine and the limits of the exchange.
//!
//! They lie in the folder `fixtures` of the module's crate and travel in the component as the custom section
//! `gavel:fixtures`, so an exchange runs them again at the upload: a module that does not do what its author says never
//! serves. They are kept with the module, whose digest covers them: the people in them are made up.
//!
//! - A normalizer's are pairs of files: `NAME.ping.form`, or `post`, and `json` or `xml`, is what a source sends;
//!   `NAME.ping.expected.json` is `{"envelope": {..}, "lead": {..}}` or `{"envelope": {..}, "refused": {..}}`. It may
//!   say how it was sent: `"sent": {"content_type": "..", "query": "..", "received_on": "2026-01-31"}`.
//! - A filter's are single files: `NAME.json` is `{"settings": .., "lead": {..}, "expected": ..}`, with one of
//!   `{"verdict": "yes", "price": "12.50"}`, `{"verdict": "no", "reason": ".."}`, `{"settings_refused": ".."}`.
//! - An adapter's are recorded exchanges, single files too: `{"settings": .., "step": "ping", "lead": {..}, "response":
//!   {"status": 200, "body": ".."}, "expected": {"request": {..}, "reply": {..}}}`. Without a lead no request is worded,
//!   without a response none is read; without both only the settings are tried.

use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::sandbox::Admitted;

mod case;
mod difference;
mod exchange;
mod files;
mod frame;
mod run;

pub use case::{RECEIVED_ON, count, submission};
pub use exchange::{Exchange, Offer, Response, Step, request_json, said_json};
pub use files::{FIXTURES_BYTES_MAX, FIXTURES_MAX, Files, Unreadable, embed, from_component};
pub use frame::frame;
pub use run::{Call, Spent};

/// How long all fixtures of an upload may take together.
pub const CHECK_TIME_MAX: Duration = Duration::from_secs(10);
/// The most lines of a difference that an upload's answer quotes.
const QUOTED_LINES_MAX: usize = 12;

/// What became of one fixture.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The file of a filter or an adapter, the payload of a normalizer.
    pub file: String,
    /// Whether it is what was expected.
    pub ending: Ending,
    /// The fuel of the call: the same on every machine.
    pub fuel: u64,
    /// The memory of the call, in bytes.
    pub memory_bytes: u64,
    /// What came out, as `expected` would say it; null if the call was forfeited.
    pub came: Json,
    /// The file, with its content, that expects what came out.
    pub accepting: Option<(String, String)>,
}

/// How what came out stands to what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is the same.
    Same,
    /// It differs, in lines that begin with `-` for what was expected and `+` for what came.
    Differs(Vec<String>),
    /// Nothing was expected yet; the lines begin with `+`.
    Unexpected(Vec<String>),
    /// Nothing came out, or the fixture makes no sense.
    Broken(String),
}

/// Why an upload is refused for its fixtures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    #[error(
        "the fixtures in the module cannot be read: {0}; build it again with `gavel module build`"
    )]
    Unreadable(#[from] Unreadable),
    #[error(
        "{failed} of {all} fixtures of the module do not come out as its author expects; the first is {file}: {fault}; \
         see them all with `gavel module test`, and mend the module or accept the change with `--accept`"
    )]
    Differ { failed: usize, all: usize, file: String, fault: String },
    #[error(
        "the fixtures of the module take more than {} s together: build it with fewer, or with `--without-fixtures`",
        CHECK_TIME_MAX.as_secs()
    )]
    TooSlow,
}

impl Failed {
    /// Returns the word for answers and metrics.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "fixtures-unreadable",
            Self::Differ { .. } => "fixtures-differ",
            Self::TooSlow => "fixtures-too-slow",
        }
    }
}

/// Runs the fixtures that a component carries, and returns how many there are: none is no fault. Blocks for as long as
/// the calls take, and begins none after `time`, for an upload [`CHECK_TIME_MAX`].
///
/// # Errors
///
/// [`Failed`] for the first fixture that does not come out as expected, or for all of them together.
pub fn check(admitted: &Admitted, wasm: &[u8], time: Duration) -> Result<usize, Failed> {
    let Some(files) = from_component(wasm)? else { return Ok(0) };
    let until = Instant::now().checked_add(time);
    let ran = run::run(admitted, case::read(admitted, &files)?, until).ok_or(Failed::TooSlow)?;
    let all = ran.len();
    let mut faults = ran.into_iter().filter_map(|ran| Some((ran.file, fault(ran.ending)?)));
    match faults.next() {
        None => Ok(all),
        Some((file, fault)) => Err(Failed::Differ { failed: faults.count() + 1, all, file, fault }),
    }
}

/// Runs fixtures, in the order of their names. Blocks for as long as the calls take.
pub fn run(admitted: &Admitted, files: &Files) -> Result<Vec<Ran>, Unreadable> {
    Ok(run::run(admitted, case::read(admitted, files)?, None).unwrap_or_default())
}

/// Returns the calls that fixtures make, to be made again and again; those that never reach the module are left out.
pub fn calls(admitted: &Admitted, files: &Files) -> Result<Vec<Call>, Unreadable> {
    Ok(run::calls(admitted, case::read(admitted, files)?))
}

fn fault(ending: Ending) -> Option<String> {
    let lines = match ending {
        Ending::Same => return None,
        Ending::Broken(fault) => return Some(fault),
        Ending::Differs(lines) => lines,
        Ending::Unexpected(_) => return Some("it has no expected outcome".to_owned()),
    };
    let more = lines.len().saturating_sub(QUOTED_LINES_MAX);
    let quoted = lines.into_iter().take(QUOTED_LINES_MAX).collect::<Vec<_>>().join("; ");
    Some(if more == 0 { quoted } else { format!("{quoted}; and {more} more lines") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_difference_is_quoted_in_part() {
        let lines = |count: usize| (0..count).map(|n| format!("+ {n}")).collect();
        let fault = fault(Ending::Differs(lines(QUOTED_LINES_MAX + 3))).unwrap();
        assert!(fault.starts_with("+ 0; + 1; ") && fault.ends_with("; + 11; and 3 more lines"));
        assert_eq!(super::fault(Ending::Differs(lines(2))).unwrap(), "+ 0; + 1");
        assert_eq!(super::fault(Ending::Same), None);
    }
}
