//! `gavel module diff` and `gavel module record`: what another version would have changed, in verdicts and in money.

mod remote;
pub(in crate::cli) mod text;

use std::fs::File;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use self::remote::Remote;
use super::{print, print_json, read};
use crate::cli::ask::Exchange;
use crate::cli::place::place;
use crate::cli::{Failure, block_on};
use crate::clock::Clock;
use crate::exchange::{
    Code, DiffError, Settings, Window, diff_directory, diff_file, diff_payloads, record_directory,
};
use crate::journal::Place;

/// Where recorded leads and uploaded versions come from.
#[derive(Debug, clap::Args)]
struct From {
    /// The directory of an exchange, which may be running.
    #[arg(long)]
    data: Option<PathBuf>,
    /// The PostgreSQL database with that exchange's journal, if it has a password.
    #[arg(long, env = "GAVEL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// Unless --data says otherwise.
    #[command(flatten)]
    exchange: Exchange,
}

/// Which leads.
#[derive(Debug, clap::Args)]
struct Leads {
    /// Those that came in the last so long: 90s, 15m, 24h or 7d.
    #[arg(long, default_value = "24h")]
    last: String,
    /// Whose settings the campaigns have: those when the lead came, or those of now.
    #[arg(long, default_value = "then")]
    settings: SettingsArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SettingsArg {
    Then,
    Now,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The module's name on the exchange.
    name: String,
    /// The version to compare with: its number, or the path of a component.
    old: String,
    /// The version that is to replace it: its number, or the path of a component.
    new: String,
    /// A recording that `gavel module record` made, instead of an exchange's leads; of a normalizer a folder of
    /// payloads, such as its fixtures.
    #[arg(long, conflicts_with_all = ["last", "settings"])]
    recording: Option<PathBuf>,
    #[command(flatten)]
    leads: Leads,
    #[command(flatten)]
    from: From,
}

#[derive(Debug, clap::Args)]
pub(super) struct RecordArgs {
    /// The module's name on the exchange.
    name: String,
    #[command(flatten)]
    leads: Leads,
    #[command(flatten)]
    from: From,
}

/// Compares two versions. Exit code 1 says that they differ.
pub(super) fn run(args: &Args, json: bool) -> Result<(), Failure> {
    let found = found(args)?;
    let nothing = |count: &str| found.get(count) == Some(&json!(0));
    if nothing("leads") || nothing("submissions") {
        let name = &args.name;
        return Err(Failure::could_not_run(format!(
            "nothing was compared: no campaign of `{name}` was asked about a lead in this time; look further back, such as with --last 7d, or let a campaign use the module"
        )));
    }
    if json {
        print_json(&found)?;
    } else {
        print(&text::report(&found))?;
    }
    match found.get("differs").and_then(Value::as_bool) {
        Some(false) => Ok(()),
        _ => Err(Failure::does_not_hold(format!(
            "{} and {} of `{}` differ",
            text::name(&found, "old"),
            text::name(&found, "new"),
            args.name
        ))),
    }
}

/// Prints a recording.
pub(super) fn record(args: &RecordArgs) -> Result<(), Failure> {
    let RecordArgs { name, leads, from } = args;
    let window = leads.window()?;
    if let Some(data) = from.place()? {
        let now = Clock::system().now();
        let recording = record_directory(data, name, (window, now), io::stdout().lock());
        return block_on(recording)?.map_err(failure);
    }
    let recording = from.remote().recording(name, &leads.last, window.settings)?;
    let written = io::stdout().write_all(&recording);
    written.map_err(|error| Failure::could_not_run(format!("cannot write the recording: {error}")))
}

fn found(args: &Args) -> Result<Value, Failure> {
    let Args { name, recording, leads, from, .. } = args;
    let window = leads.window()?;
    let (old, new) = (Wanted::parse(&args.old)?, Wanted::parse(&args.new)?);
    let codes = |remote: &dyn Fn(u32) -> Result<Code, Failure>| {
        Ok::<_, Failure>((old.code(remote)?, new.code(remote)?))
    };
    if let Some(recording) = recording {
        let (old, new) = codes(&|number| from.component(name, number))?;
        if recording.is_dir() {
            let mut line = Line::default();
            let progress = |done, of| line.show("payloads", done, of);
            return diff_payloads(recording, (name, old, new), progress).map_err(failure);
        }
        let file = File::open(recording).map_err(|error| {
            Failure::could_not_run(format!("cannot read {}: {error}", recording.display()))
        })?;
        return compare_file(file, (name, old, new));
    }
    if let Some(data) = from.place()? {
        let (old, new) = codes(&|number| Ok(Code::Version(number)))?;
        let now = Clock::system().now();
        let mut line = Line::default();
        let progress = |done, of| line.show("facts", done, of);
        let found = block_on(diff_directory(data, (name, old, new), (window, now), progress))?;
        return found.map_err(failure);
    }
    let remote = from.remote();
    if let (Wanted::Number(old), Wanted::Number(new)) = (&old, &new) {
        let body =
            json!({"old": old, "new": new, "last": leads.last, "settings": window.settings.name()});
        let mut line = Line::default();
        return remote.diff(name, &body, |done, of| line.show("facts", done, of));
    }
    // What was never uploaded is judged here, over leads that are fetched.
    let (old, new) = codes(&|number| remote.component(name, number))?;
    let recording = remote.recording(name, &leads.last, window.settings)?;
    let kept = tempfile::tempfile().and_then(|mut file| {
        file.write_all(&recording)?;
        io::Seek::rewind(&mut file)?;
        Ok(file)
    });
    let kept = kept.map_err(|error| {
        Failure::could_not_run(format!("cannot keep the recording meanwhile: {error}"))
    })?;
    compare_file(kept, (name, old, new))
}

fn compare_file(file: File, versions: (&str, Code, Code)) -> Result<Value, Failure> {
    let mut line = Line::default();
    let progress = |done, of| line.show("bytes", done, of);
    block_on(diff_file(file, versions, progress))?.map_err(failure)
}

impl Leads {
    fn window(&self) -> Result<Window, Failure> {
        let last = Window::parse_last(&self.last);
        let last = last.map_err(|message| Failure::usage(format!("--last: {message}")))?;
        let settings = match self.settings {
            SettingsArg::Then => Settings::Then,
            SettingsArg::Now => Settings::Now,
        };
        Ok(Window { last: Some(last), settings })
    }
}

impl From {
    /// Returns the journal to read, if it is not a running exchange that is asked.
    fn place(&self) -> Result<Option<Place>, Failure> {
        let data = self.data.clone();
        data.map(|data| place(data, self.database.as_deref())).transpose()
    }

    fn remote(&self) -> Remote {
        Remote(self.exchange.clone())
    }

    /// Returns the component of an uploaded version.
    fn component(&self, name: &str, number: u32) -> Result<Code, Failure> {
        match self.place()? {
            Some(data) => {
                let wasm = block_on(crate::exchange::component_of(data, name, number))?;
                let wasm = wasm.map_err(failure)?;
                Ok(Code::Component {
                    label: format!("version {number}"),
                    number: Some(number),
                    wasm,
                })
            }
            None => self.remote().component(name, number),
        }
    }
}

/// A version as it is asked for.
enum Wanted {
    Number(u32),
    File(PathBuf),
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, Failure> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        if Path::new(text).is_file() {
            return Ok(Self::File(text.into()));
        }
        Err(Failure::usage(format!(
            "`{text}` is neither the number of a version nor a file: `gavel module list` shows the versions, `gavel module build` makes a file"
        )))
    }

    fn code(&self, uploaded: &dyn Fn(u32) -> Result<Code, Failure>) -> Result<Code, Failure> {
        match self {
            Self::Number(number) => uploaded(*number),
            Self::File(file) => {
                let label = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
                Ok(Code::Component { label, number: None, wasm: read(file)? })
            }
        }
    }
}

/// A line on standard error that is written over and over, if somebody looks.
#[derive(Default)]
struct Line {
    shown: bool,
}

impl Line {
    #[expect(
        clippy::print_stderr,
        reason = "progress is for whoever waits, not part of the result"
    )]
    fn show(&mut self, what: &str, done: u64, of: u64) {
        if io::stderr().is_terminal() {
            eprint!("\rlooked at {done} of {of} {what} ");
            self.shown = true;
        }
    }
}

impl Drop for Line {
    #[expect(clippy::print_stderr, reason = "the result begins on a line of its own")]
    fn drop(&mut self) {
        if self.shown {
            eprint!("\r\u{1b}[2K");
        }
    }
}

fn failure(error: DiffError) -> Failure {
    match error {
        DiffError::NotFound(_) | DiffError::Unfit(_) | DiffError::Recording { .. } => {
            Failure::usage(error.to_string())
        }
        DiffError::Inadmissible { .. } => Failure::usage(error.to_string()),
        other => Failure::because(&other),
    }
}
