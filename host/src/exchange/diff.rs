//! The diff of two versions of a filter: recorded leads are judged by both, and their auctions closed with the bids of
//! each. What differs is counted in verdicts and in money.

mod local;
mod payloads;
mod running;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::ActError;
use super::pair::read_fields;
use super::recording::{LEADS_MAX, Recorded, Recorder, Seating, Tape, Window};
use crate::catalog::{Draft, LimitsSpec, Versions};
use crate::clock::Moment;
use crate::comparison::Comparison;
use crate::facts::Unreadable;
use crate::ids::{Digest, ModuleName};
use crate::journal::JournalError;
use crate::sandbox::{
    Admitted, ConfigureError, ConfiguredFilter, Filter, Inadmissible, SandboxError,
};

pub use self::local::{Code, component_of, diff_directory, diff_file, record_directory};
pub use self::payloads::diff_payloads;
pub use self::running::DIFF_TIME_MAX;
pub(super) use self::running::Diffing;

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
    /// What the operator said about its calls.
    pub(super) limits: LimitsSpec,
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
    configured: HashMap<Digest, Pair>,
    /// The newest seating of each vertical: most leads in a row have the same.
    newest: HashMap<String, (Arc<Seating>, Pair)>,
}

/// Both versions with the same settings.
type Pair = (ConfiguredFilter, ConfiguredFilter);

impl Bench {
    fn configure(&mut self, seating: &Arc<Seating>) -> Result<Pair, DiffError> {
        let newest = self.newest.get(&seating.vertical);
        if let Some((_, pair)) = newest.filter(|(newest, _)| Arc::ptr_eq(newest, seating)) {
            return Ok(pair.clone());
        }
        let pair = self.configure_anew(seating)?;
        self.newest.insert(seating.vertical.clone(), (Arc::clone(seating), pair.clone()));
        Ok(pair)
    }

    fn configure_anew(&mut self, seating: &Seating) -> Result<Pair, DiffError> {
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
        let settings: Vec<String> = seating.settings.iter().map(ToString::to_string).collect();
        let configured = version.filter.configure(&settings);
        let limited = configured.map(|configured| {
            let limits = version.limits.over_filter(configured.limits());
            configured.with_limits(limits)
        });
        limited.map_err(|error| {
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
    let (module, configured, newest) = (module.clone(), HashMap::new(), HashMap::new());
    let mut bench = Bench { module, old: old.clone(), new: new.clone(), configured, newest };
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
        Admitted::Filter(filter) => {
            Ok(Version { number, label, filter, limits: LimitsSpec::default() })
        }
        other @ (Admitted::Normalizer(_) | Admitted::Adapter(_)) => Err(DiffError::Unfit(format!(
            "{label} is a {}; a filter is compared with a filter",
            other.world()
        ))),
    }
}
