//! The diff of two versions of a filter: recorded leads are judged by both, and their auctions closed with the bids of
//! each. What differs is counted in verdicts and in money.

mod local;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;

use super::pair::read_fields;
use super::recording::{
    JournalTape, LEADS_MAX, Recorded, Recorder, Seating, Seatings, Settings, Tape, Window,
};
use super::{ActError, Exchange};
use crate::catalog::{Draft, Versions};
use crate::clock::Moment;
use crate::comparison::Comparison;
use crate::facts::Unreadable;
use crate::ids::{Digest, ModuleName};
use crate::journal::JournalError;
use crate::sandbox::{
    Admitted, ConfigureError, ConfiguredFilter, Filter, Inadmissible, SandboxError,
};

pub use self::local::{Code, component_of, diff_directory, diff_file, record_directory};

/// How long a diff may take on a running exchange; then it ends with the leads that it judged.
pub const DIFF_TIME_MAX: Duration = Duration::from_secs(60);
/// How many settings are kept prepared.
const CONFIGURED_MAX: usize = 64;

/// Why there is no diff.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the journal is from a newer version of this program")]
    Unreadable(#[from] Unreadable),
    #[error("the journal cannot be read back: {0}")]
    Unfoldable(String),
    #[error("line {line} of the recording: {why}")]
    Recording { line: u64, why: String },
    #[error("there is no {0}")]
    NotFound(String),
    #[error("{0}")]
    Unfit(String),
    #[error("{label}: {why}")]
    Inadmissible { label: String, why: Inadmissible },
    #[error("the sandbox cannot be set up")]
    Sandbox(#[from] SandboxError),
    #[error("a file cannot be read or written")]
    File(#[from] std::io::Error),
    #[error("it was interrupted")]
    Interrupted,
}

impl From<DiffError> for ActError {
    fn from(error: DiffError) -> Self {
        match error {
            DiffError::NotFound(what) => Self::NotFound(what),
            DiffError::Unfit(why) => Self::Conflict(why),
            DiffError::Inadmissible { why, .. } => Self::Inadmissible(why),
            error @ DiffError::Recording { .. } => Self::Conflict(error.to_string()),
            error @ (DiffError::Journal(_)
            | DiffError::Unreadable(_)
            | DiffError::Unfoldable(_)
            | DiffError::Sandbox(_)
            | DiffError::File(_)
            | DiffError::Interrupted) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, cause, "no diff");
                Self::Closed
            }
        }
    }
}

/// One of two versions.
#[derive(Clone, Debug)]
pub(super) struct Version {
    /// Its number, unless it was never uploaded.
    pub(super) number: Option<u32>,
    /// How people call it.
    pub(super) label: String,
    pub(super) filter: Filter,
}

impl Version {
    pub(super) fn to_json(&self) -> Json {
        named(self.number, &self.label, self.filter.digest())
    }
}

/// Returns how a comparison names one of its versions.
pub(super) fn named(number: Option<u32>, label: &str, digest: Digest) -> Json {
    json!({"version": number, "name": label, "digest": digest.to_string()})
}

/// Two versions, and what was prepared of them.
#[derive(Debug)]
struct Bench {
    module: ModuleName,
    old: Version,
    new: Version,
    configured: HashMap<Digest, (ConfiguredFilter, ConfiguredFilter)>,
}

impl Bench {
    fn configure(
        &mut self,
        seating: &Seating,
    ) -> Result<(ConfiguredFilter, ConfiguredFilter), DiffError> {
        let key = Digest::of(seating.settings.join("\u{0}").as_bytes());
        if let Some(configured) = self.configured.get(&key) {
            return Ok(configured.clone());
        }
        let old = self.prepare(&self.old, seating)?;
        let new = self.prepare(&self.new, seating)?;
        if self.configured.len() >= CONFIGURED_MAX {
            self.configured.clear();
        }
        self.configured.insert(key, (old.clone(), new.clone()));
        Ok((old, new))
    }

    fn prepare(&self, version: &Version, seating: &Seating) -> Result<ConfiguredFilter, DiffError> {
        version.filter.configure(&seating.settings).map_err(|error| {
            let (label, help) = (&version.label, version.filter.settings_help());
            DiffError::Unfit(match error {
                ConfigureError::Settings { slot, message } => {
                    let campaign = seating.seats.keys().nth(slot).map_or("", String::as_str);
                    format!(
                        "{label} of `{}` does not take the settings that campaign `{campaign}` had for some of these leads: {message}. It takes: {help}. Compare with the settings of now, or change them first",
                        self.module
                    )
                }
                other => format!("{label} of `{}` cannot be compared: {other}", self.module),
            })
        })
    }

    /// Judges leads until the time is over. Blocks.
    fn judge(
        &mut self,
        found: &mut Found,
        page: Vec<Recorded>,
        until: Option<Instant>,
    ) -> Result<(), DiffError> {
        for Recorded { auction, seating } in page {
            let over = until.is_some_and(|until| Instant::now() >= until);
            if over || found.comparison.leads() >= LEADS_MAX {
                found.complete = false;
                return Ok(());
            }
            let (old, new) = self.configure(&seating)?;
            let seat = |campaign: &str| seating.seats.get(campaign).cloned();
            let Some(sight) = auction.judge(seat, (&old, &new)) else { continue };
            let needs = || self.new.filter.needs().iter().chain(self.old.filter.needs());
            found.comparison.add(&sight, || read_fields(&auction.frame, needs()));
            found.from = Some(found.from.map_or(auction.at, |from| from.min(auction.at)));
            found.to = Some(found.to.map_or(auction.at, |to| to.max(auction.at)));
        }
        Ok(())
    }
}

/// What a diff found so far.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) comparison: Comparison,
    /// Whether every lead of the window was judged.
    pub(super) complete: bool,
    /// When the first and the last of the judged leads came.
    from: Option<Moment>,
    to: Option<Moment>,
}

impl Found {
    /// Returns the comparison with what was compared.
    fn to_json(
        &self,
        module: &ModuleName,
        (old, new): (&Version, &Version),
        settings: &str,
    ) -> Json {
        let moment = |moment: Option<Moment>| moment.map(|moment| moment.to_string());
        let mut found = json!({
            "module": module,
            "world": "filter",
            "old": old.to_json(),
            "new": new.to_json(),
            "settings": settings,
            "from": moment(self.from),
            "to": moment(self.to),
            "complete": self.complete,
        });
        if let (Some(found), Json::Object(counted)) =
            (found.as_object_mut(), self.comparison.to_json())
        {
            found.extend(counted);
        }
        found
    }
}

/// How a diff goes about its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// As fast as it can.
    Full,
    /// It rests as long as it works, and ends after this time.
    Half(Duration),
}

/// Compares two versions over a tape. `progress` hears how much was looked at, of how much.
async fn run(
    tape: &mut Tape<'_>,
    (module, old, new): (&ModuleName, &Version, &Version),
    pace: Pace,
    mut progress: impl FnMut(u64, u64),
) -> Result<Found, DiffError> {
    let comparison = Comparison::default();
    let mut found = Found { comparison, complete: true, from: None, to: None };
    let (module, configured) = (module.clone(), HashMap::new());
    let mut bench = Bench { module, old: old.clone(), new: new.clone(), configured };
    let until = match pace {
        Pace::Full => None,
        Pace::Half(most) => Instant::now().checked_add(most),
    };
    while let Some(page) = tape.page().await? {
        let began = Instant::now();
        if !page.is_empty() {
            let judging = tokio::task::spawn_blocking(move || {
                let judged = bench.judge(&mut found, page, until);
                (bench, found, judged)
            });
            let judged;
            (bench, found, judged) = judging.await.map_err(|_| DiffError::Interrupted)?;
            judged?;
        }
        let (done, of) = tape.progress();
        progress(done, of);
        if !found.complete {
            break;
        }
        if pace != Pace::Full {
            tokio::time::sleep(began.elapsed()).await;
        }
    }
    if let Tape::File(file) = tape {
        found.complete &= file.complete();
    }
    Ok(found)
}

/// The diff that runs on an exchange: one at a time.
#[derive(Debug)]
pub(super) struct Diffing {
    turn: Semaphore,
    done: AtomicU64,
    of: AtomicU64,
}

impl Default for Diffing {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), done: AtomicU64::new(0), of: AtomicU64::new(0) }
    }
}

impl Exchange {
    /// Compares two versions of a filter over the leads of a window, beside the traffic: it rests as long as it works,
    /// and ends after [`DIFF_TIME_MAX`] or [`LEADS_MAX`] leads, the newest first.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there are no such versions, they are normalizers, one of them does not take the settings of the
    /// campaigns, or another diff runs.
    pub async fn diff(
        &self,
        name: &str,
        (old, new): (u32, u32),
        window: Window,
    ) -> Result<Json, ActError> {
        let draft = self.draft().await;
        let module = filter_of(&draft, name)?;
        if old == new {
            return Err(super::office::invalid("/new", "the same version twice: name another"));
        }
        let (old, new) =
            (self.version(&draft, name, old).await?, self.version(&draft, name, new).await?);
        let found =
            self.compare((&module, &old, &new), &draft, window, (DIFF_TIME_MAX, u64::MAX)).await?;
        Ok(found.to_json(&module, (&old, &new), window.settings.name()))
    }

    /// Returns how much the diff that runs has looked at, of how much; nothing if none runs.
    pub fn diff_progress(&self) -> Option<(u64, u64)> {
        let runs = self.diffing.turn.available_permits() == 0;
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        runs.then(|| (read(&self.diffing.done), read(&self.diffing.of)))
    }

    /// Returns the leads of a window that a filter was asked about, as a recording.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there is no such filter.
    pub async fn recording(&self, name: &str, window: Window) -> Result<Vec<u8>, ActError> {
        let draft = self.draft().await;
        let module = filter_of(&draft, name)?;
        let (reading, now) = (self.journal.reading(), self.clock.now());
        let seatings = self.seatings(&draft, &module, window.settings).await?;
        let tape = JournalTape::new(&reading, seatings, (&window, now), u64::MAX).await?;
        Ok(record(&mut Tape::Journal(tape), &module, (&window, now), Vec::new()).await?)
    }

    pub(super) async fn compare(
        &self,
        versions: (&ModuleName, &Version, &Version),
        draft: &Draft,
        window: Window,
        (time_max, facts_max): (Duration, u64),
    ) -> Result<Found, ActError> {
        let turn = self.diffing.turn.try_acquire();
        let _turn = turn.map_err(|_| {
            ActError::Conflict(
                "another comparison runs on this exchange: try again when it is done".to_owned(),
            )
        })?;
        let Diffing { done, of, .. } = &self.diffing;
        let progress = |looked_at: u64, all: u64| {
            done.store(looked_at, Ordering::Relaxed);
            of.store(all, Ordering::Relaxed);
        };
        progress(0, 0);
        let (reading, now) = (self.journal.reading(), self.clock.now());
        let seatings = self.seatings(draft, versions.0, window.settings).await?;
        let tape = JournalTape::new(&reading, seatings, (&window, now), facts_max).await?;
        Ok(run(&mut Tape::Journal(tape), versions, Pace::Half(time_max), progress).await?)
    }

    async fn seatings(
        &self,
        draft: &Draft,
        module: &ModuleName,
        settings: Settings,
    ) -> Result<Seatings, DiffError> {
        match settings {
            Settings::Now => Ok(Seatings::now(draft, module)),
            Settings::Then => Ok(Seatings::then(&self.journal.reading(), module).await?.0),
        }
    }

    pub(super) async fn version(
        &self,
        draft: &Draft,
        name: &str,
        number: u32,
    ) -> Result<Version, ActError> {
        let digest = digest_of(draft, name, number)?;
        let admitted = match self.workshop.module(digest) {
            Some(admitted) => admitted,
            None => {
                let wasm = self.journal.module(digest).await.map_err(|_| ActError::Closed)?;
                let wasm = wasm.ok_or_else(|| ActError::NotFound(format!("module {digest}")))?;
                let sandbox = self.workshop.sandbox.clone();
                let admitting = tokio::task::spawn_blocking(move || sandbox.admit(&wasm));
                admitting.await.map_err(|_| ActError::Closed)?.map_err(ActError::Inadmissible)?
            }
        };
        let label = format!("version {number}");
        Ok(filter(admitted, Some(number), label)?)
    }
}

/// Writes what is on a tape. Returns what was written to.
async fn record<W: std::io::Write>(
    tape: &mut Tape<'_>,
    module: &ModuleName,
    (window, now): (&Window, Moment),
    out: W,
) -> Result<W, DiffError> {
    let mut recorder = Recorder::begin(out, module.as_str(), (window.since(now), now))?;
    while let Some(page) = tape.page().await? {
        for recorded in page {
            if !recorder.add(&recorded)? {
                return Ok(recorder.end(false)?);
            }
        }
    }
    Ok(recorder.end(true)?)
}

/// Returns the name of a filter.
fn filter_of(draft: &Draft, name: &str) -> Result<ModuleName, DiffError> {
    let versions = draft.versions(name).map(Arc::as_ref);
    let missing = || DiffError::NotFound(format!("module `{name}`"));
    let Versions { world, .. } = versions.ok_or_else(missing)?;
    let module = ModuleName::parse(name).map_err(|_| missing())?;
    if world == "filter" { Ok(module) } else { Err(normalizer(name)) }
}

fn normalizer(name: &str) -> DiffError {
    DiffError::Unfit(format!(
        "`{name}` is a normalizer, and the bytes that sources send are not recorded, for they hold contact data. Compare it on live traffic, with POST /v1/modules/{name}/shadow, or over a folder of payloads, with `gavel module diff {name} OLD NEW --recording FOLDER`"
    ))
}

fn digest_of(draft: &Draft, name: &str, number: u32) -> Result<Digest, DiffError> {
    let versions = draft.versions(name);
    let versions = versions.ok_or_else(|| DiffError::NotFound(format!("module `{name}`")))?;
    versions.digest(number).ok_or_else(|| {
        let newest = versions.newest();
        DiffError::NotFound(format!("version {number} of module `{name}`; the newest is {newest}"))
    })
}

fn filter(admitted: Admitted, number: Option<u32>, label: String) -> Result<Version, DiffError> {
    match admitted {
        Admitted::Filter(filter) => Ok(Version { number, label, filter }),
        Admitted::Normalizer(_) => Err(DiffError::Unfit(format!(
            "{label} is a normalizer; a filter is compared with a filter"
        ))),
    }
}
