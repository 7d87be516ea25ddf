//! The master key is changed: every key that it wrapped is wrapped anew, in one transaction, while nobody else writes.

use std::fs;
use std::path::{Path, PathBuf};

use super::OpenError;
use crate::clock::Clock;
use crate::contacts::{
    Contacts, KEY_FILE, Location, MasterKey, MasterKeyError, MasterKeyId, PRINT_KEY, make_file,
    new_file, rewrap, sync_directory_of,
};
use crate::facts::{Fact, MasterKeyRotated};
use crate::journal::{ContactChange, DirectoryError, Journal, JournalError, Opened, Place, Record};

/// How many keys are read at a time.
const KEYS_READ: usize = 10_000;

/// A change of the master key.
#[derive(Debug)]
pub struct Rotated {
    pub from: MasterKeyId,
    pub to: MasterKeyId,
    /// How many leads' keys were wrapped anew.
    pub keys: usize,
    /// Where the new key is.
    pub file: PathBuf,
}

/// Wraps every key of an exchange by a new master key. `new` names its file, which is made if it is not there; without
/// it the file of the key so far gets the new one.
///
/// # Errors
/// If another process has the directory, the key so far is another, or the new one cannot be had. Nothing has changed
/// then, except that a new key's file may be there.
pub async fn rotate(
    journal: Place,
    location: &Location,
    new: Option<&Path>,
    by: &str,
) -> Result<Rotated, OpenError> {
    let data = &journal.directory.clone();
    if !data.exists() {
        return Err(JournalError::from(DirectoryError::Nothing(data.clone())).into());
    }
    let mut opened = Journal::open(journal).await?;
    let nothing = |_| Ok::<_, std::convert::Infallible>(());
    opened.recover(nothing).await.map_err(|error| OpenError::Unfoldable(error.to_string()))?;
    let wrapped = opened.secret(PRINT_KEY).await?.ok_or_else(|| {
        OpenError::Unfoldable("no exchange was ever opened here, so there are no keys".to_owned())
    })?;
    let old = current(location, data, &wrapped)?;
    let place = match location {
        Location::File(path) => path.clone(),
        Location::Given(_) | Location::Beside => data.join(KEY_FILE),
    };
    let file = new.map_or_else(|| new_file(&place), Path::to_owned);
    let fresh = if file.exists() { MasterKey::read(&file)? } else { make_file(&file)? };
    let (from, to) = (old.id(), fresh.id());
    if from != to {
        let keys = rewrapped(&opened, &old, &fresh).await?;
        let prints = rewrap(&old, &fresh, None, &wrapped)?;
        let rotated = MasterKeyRotated {
            from: from.as_bytes(),
            to: to.as_bytes(),
            keys: u64::try_from(keys.len()).unwrap_or(u64::MAX),
            by: by.to_owned(),
        };
        let (count, secrets) = (keys.len(), vec![(PRINT_KEY.to_owned(), prints)]);
        write(opened, rotated, ContactChange::Rewrap { keys, secrets }).await?;
        let file = if new.is_none() { take_place(&file, &place)? } else { file };
        return Ok(Rotated { from, to, keys: count, file });
    }
    // A rotation that was cut short after its transaction: only the file is not in its place.
    let file = if new.is_none() { take_place(&file, &place)? } else { file };
    Ok(Rotated { from, to, keys: 0, file })
}

fn current(location: &Location, data: &Path, wrapped: &[u8]) -> Result<MasterKey, OpenError> {
    let candidates = location.candidates(data, true)?;
    let given = candidates.first().map(MasterKey::id);
    let current = candidates.into_iter().find(|key| Contacts::resume(key.clone(), wrapped).is_ok());
    Ok(current.ok_or(MasterKeyError::Wrong { given })?)
}

async fn rewrapped(
    opened: &Opened,
    old: &MasterKey,
    fresh: &MasterKey,
) -> Result<Vec<(u128, Vec<u8>)>, OpenError> {
    let mut keys: Vec<(u128, Vec<u8>)> = Vec::new();
    loop {
        let after = keys.last().map(|(subject, _)| *subject);
        let page = opened.contact_keys(after, KEYS_READ).await?;
        if page.is_empty() {
            return Ok(keys);
        }
        for (subject, wrapped) in page {
            keys.push((subject, rewrap(old, fresh, Some(subject), &wrapped)?));
        }
    }
}

async fn write(
    opened: Opened,
    rotated: MasterKeyRotated,
    change: ContactChange,
) -> Result<(), OpenError> {
    let (journal, fact) = (opened.start()?, Fact::MasterKeyRotated(rotated));
    let closed = |_| OpenError::Unfoldable("the journal ended before the keys were written".into());
    let seat = journal.seat().await.map_err(closed)?;
    let record = Record {
        at: Clock::system().now(),
        kind: fact.kind(),
        payload: fact.encode(),
        contact: Some(change),
        ..Record::default()
    };
    seat.fill(record).wait().await.map_err(closed)?;
    // Closing moves the log into the database, so the old wrapping is gone from the files.
    journal.close().await;
    Ok(())
}

fn take_place(file: &Path, place: &Path) -> Result<PathBuf, OpenError> {
    let moved = fs::rename(file, place).and_then(|()| sync_directory_of(place));
    moved.map_err(|source| MasterKeyError::Make { path: place.to_owned(), source })?;
    Ok(place.to_owned())
}
