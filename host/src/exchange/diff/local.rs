//! Diffs without a running exchange: over the journal of a directory, or over a recording.

use std::fs::File;
use std::io::{BufReader, Write};

use serde_json::Value as Json;

use super::{DiffError, Found, Pace, Version, digest_of, filter, filter_of, record, run};
use crate::clock::Moment;
use crate::exchange::recording::{FileTape, JournalTape, Seatings, Settings, Tape, Window};
use crate::ids::ModuleName;
use crate::journal::{Place, Reading};
use crate::sandbox::{Admitted, Limits, Sandbox};

/// Which code is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Code {
    /// A version that was uploaded.
    Version(u32),
    /// A component, with what it is called and its number if it has one.
    Component { label: String, number: Option<u32>, wasm: Vec<u8> },
}

/// Compares two versions of a filter over the leads of a window in a directory's journal, which a server may be
/// writing to, within the limits that the module has there. `progress` hears how much was looked at, of how much.
///
/// # Errors
///
/// [`DiffError`] if there are no such versions or they cannot be compared, or the journal cannot be read.
pub async fn diff_directory(
    place: impl Into<Place>,
    (name, old, new): (&str, Code, Code),
    (window, now): (Window, Moment),
    progress: impl FnMut(u64, u64),
) -> Result<Json, DiffError> {
    let reading = Reading::open(place).await?;
    let name = &module(name)?;
    let (then, draft) = Seatings::then(&reading, name).await?;
    let name = &filter_of(&draft, name.as_str())?;
    let sandbox = Sandbox::open(&Limits::default())?;
    let mut versions = Vec::with_capacity(2);
    let limits = draft.limits_of("filter", name);
    for code in [old, new] {
        let version = match code {
            Code::Version(number) => {
                let digest = digest_of(&draft, name.as_str(), number)?;
                let wasm = reading.module(digest).await?.unwrap_or_default();
                let label = format!("version {number}");
                admit_filter(&sandbox, Code::Component { label, number: Some(number), wasm })?
            }
            component @ Code::Component { .. } => admit_filter(&sandbox, component)?,
        };
        versions.push(Version { limits, ..version });
    }
    let seatings = match window.settings {
        Settings::Then => then,
        Settings::Now => Seatings::now(&draft, name),
    };
    let tape = JournalTape::new(&reading, seatings, (&window, now), u64::MAX).await?;
    let found =
        compare(&mut Tape::Journal(tape), name, &versions, window.settings.name(), progress).await;
    reading.close().await;
    found
}

/// Compares two components over a recording. `progress` hears how much was looked at, of how much.
///
/// # Errors
///
/// [`DiffError`] if they cannot be compared, or the recording cannot be read.
pub async fn diff_file(
    recording: File,
    (name, old, new): (&str, Code, Code),
    progress: impl FnMut(u64, u64),
) -> Result<Json, DiffError> {
    let name = &module(name)?;
    let length = recording.metadata()?.len();
    let tape = FileTape::open(Box::new(BufReader::new(recording)), length, name.as_str())?;
    let sandbox = Sandbox::open(&Limits::default())?;
    let versions = vec![admit_filter(&sandbox, old)?, admit_filter(&sandbox, new)?];
    compare(&mut Tape::File(tape), name, &versions, "recorded", progress).await
}

/// Writes the leads of a window that a filter was asked about, as a recording.
///
/// # Errors
///
/// [`DiffError`] if there is no such filter, the journal cannot be read, or the recording cannot be written.
pub async fn record_directory(
    place: impl Into<Place>,
    name: &str,
    (window, now): (Window, Moment),
    out: impl Write,
) -> Result<(), DiffError> {
    let reading = Reading::open(place).await?;
    let (then, draft) = Seatings::then(&reading, &module(name)?).await?;
    let name = filter_of(&draft, name)?;
    let seatings = match window.settings {
        Settings::Then => then,
        Settings::Now => Seatings::now(&draft, &name),
    };
    let tape = JournalTape::new(&reading, seatings, (&window, now), u64::MAX).await?;
    let recorded = record(&mut Tape::Journal(tape), &name, (&window, now), out).await;
    reading.close().await;
    recorded.map(drop)
}

/// Returns the component of a version in a directory's journal.
///
/// # Errors
///
/// [`DiffError`] if there is no such version, or the journal cannot be read.
pub async fn component_of(
    place: impl Into<Place>,
    name: &str,
    number: u32,
) -> Result<Vec<u8>, DiffError> {
    let reading = Reading::open(place).await?;
    let (_, draft) = Seatings::then(&reading, &module(name)?).await?;
    let wasm = reading.module(digest_of(&draft, name, number)?).await?;
    reading.close().await;
    Ok(wasm.unwrap_or_default())
}

async fn compare(
    tape: &mut Tape<'_>,
    name: &ModuleName,
    versions: &[Version],
    settings: &str,
    progress: impl FnMut(u64, u64),
) -> Result<Json, DiffError> {
    let [old, new] = versions else { return Err(DiffError::Interrupted) };
    let found: Found = run(tape, (name, old, new), Pace::Full, progress).await?;
    Ok(found.to_json(name, (old, new), settings))
}

fn admit_filter(sandbox: &Sandbox, code: Code) -> Result<Version, DiffError> {
    let (label, number, admitted) = admit(sandbox, code)?;
    filter(admitted, number, label)
}

pub(super) fn admit(
    sandbox: &Sandbox,
    code: Code,
) -> Result<(String, Option<u32>, Admitted), DiffError> {
    let Code::Component { label, number, wasm } = code else {
        let why = "the number of a version says nothing without an exchange: name its component";
        return Err(DiffError::Unfit(why.to_owned()));
    };
    let admitted = sandbox.admit(&wasm);
    let admitted = admitted.map_err(|why| DiffError::Inadmissible { label: label.clone(), why })?;
    Ok((label, number, admitted))
}

fn module(name: &str) -> Result<ModuleName, DiffError> {
    ModuleName::parse(name).map_err(|_| DiffError::NotFound(format!("module `{name}`")))
}
