//! The directory that a journal lives in: who may write, and what must be on the disk before and after the database.
//!
//! ```text
//! lock            held by the one process that writes
//! anchor          the newest acknowledged fact, kept apart from the database
//! journal.db      the database; `-wal` and `-shm` beside it belong to it
//! database        instead of that, where the database is, if it is PostgreSQL; without its password
//! ```
//!
//! SQLite forgets everything after a damaged frame of its log without a word, as if it had never been committed. The
//! anchor makes that loss visible: it is written after the commit and before the acknowledgement, so a journal that
//! ends before its anchor has lost what was acknowledged. It is not synced at every commit, so after a power cut it may
//! be older than the journal, never newer.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::ids::Digest;
use crate::storage::{Database, Head, Url};

/// Where the journal lives, and the right to write there.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    anchor: File,
    /// Held as long as this is.
    _lock: File,
}

/// Why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    #[error(
        "{} is in use by another process; stop that one, or give this one a directory of its own",
        .0.display()
    )]
    Locked(PathBuf),
    #[error("there is no journal in {}", .0.display())]
    Nothing(PathBuf),
    #[error(
        "{} is damaged, so it is unknown how far the journal was acknowledged; verify the journal, compare its end with \
         what others noted, and then delete the file",
        .0.display()
    )]
    Anchor(PathBuf),
    #[error(
        "the journal of {} is in {noted}; start with --database and that address, its password included if it has one",
        path.display()
    )]
    Elsewhere { path: PathBuf, noted: String },
    #[error(
        "{} has a journal of its own, in SQLite; leave out --database to go on with it, or begin another in an empty \
         directory",
        .0.display()
    )]
    Here(PathBuf),
    #[error("{} is not the address of a database: {why}", path.display())]
    Note { path: PathBuf, why: String },
    #[error("cannot use {}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

impl Directory {
    /// Takes the directory for this process, making it if there is none, and makes sure that what an earlier process
    /// left is really on the disk: after a kill it may be in memory only, and is about to be built upon.
    pub(super) fn take(path: &Path) -> Result<Self, DirectoryError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| DirectoryError::Io { path, source }
        };
        std::fs::create_dir_all(path).map_err(failed(path))?;
        let lock = open(&path.join("lock")).map_err(failed(&path.join("lock")))?;
        match lock.try_lock() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::Locked(path.into())),
            Err(TryLockError::Error(source)) => return Err(failed(path)(source)),
        }
        let database = file(path);
        for file in [database.clone(), database.with_extension("db-wal"), path.to_owned()] {
            match File::open(&file).and_then(|file| file.sync_all()) {
                Ok(()) => (),
                Err(error) if error.kind() == ErrorKind::NotFound => (),
                Err(error) => return Err(failed(&file)(error)),
            }
        }
        let anchor = open(&path.join("anchor")).map_err(failed(&path.join("anchor")))?;
        Ok(Self { path: path.into(), anchor, _lock: lock })
    }

    /// Returns the database to open, and notes for later readers where it is. A directory keeps its kind of database:
    /// to begin an empty journal beside the real one would be the worst of surprises.
    pub(super) fn database(&self, url: Option<Url>) -> Result<Database, DirectoryError> {
        let named = url.is_some();
        let database = choose(&self.path, url)?;
        if let Database::Postgres(url) = &database {
            let (path, noted) = (self.path.clone(), url.to_string());
            if !named {
                return Err(DirectoryError::Elsewhere { path, noted });
            }
            let path = path.join(NOTE);
            let written = std::fs::write(&path, format!("{noted}\n"));
            written.map_err(|source| DirectoryError::Io { path, source })?;
        }
        Ok(database)
    }

    /// Returns the anchor as an earlier process left it, or nothing if there was none.
    pub(super) fn anchor(&self) -> Result<Option<Head>, DirectoryError> {
        anchor(&self.path)
    }

    /// Notes that everything up to the head was acknowledged. Survives the end of the process at once.
    pub(super) fn set_anchor(&self, head: Head) -> io::Result<()> {
        self.anchor.write_all_at(&write(head), 0)
    }

    /// Notes where the journal stands, for good.
    pub(super) fn raise_anchor(&self, head: Head) -> Result<(), DirectoryError> {
        let raised = self.set_anchor(head).and_then(|()| self.sync());
        raised.map_err(|source| DirectoryError::Io { path: self.path.join("anchor"), source })
    }

    /// Makes the anchor, and that it exists, survive a power cut too.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.anchor.sync_all()?;
        File::open(&self.path)?.sync_all()
    }
}

/// The file that says where the database is, if it is not here.
const NOTE: &str = "database";

/// Returns the place of a database of SQLite in a directory.
fn file(path: &Path) -> PathBuf {
    path.join("journal.db")
}

/// Returns the database that is named, or else the one that the directory says it has.
pub(super) fn choose(path: &Path, url: Option<Url>) -> Result<Database, DirectoryError> {
    let (note, file) = (path.join(NOTE), file(path));
    match url {
        Some(_) if file.exists() => return Err(DirectoryError::Here(path.into())),
        Some(url) => return Ok(Database::Postgres(url)),
        None => (),
    }
    match std::fs::read_to_string(&note) {
        Ok(text) => match text.parse() {
            Ok(url) => Ok(Database::Postgres(url)),
            Err(why) => Err(DirectoryError::Note { path: note, why: format!("{why}") }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Database::Sqlite(file)),
        Err(source) => Err(DirectoryError::Io { path: note, source }),
    }
}

/// Returns the anchor in a directory, or nothing if there is none.
pub(super) fn anchor(path: &Path) -> Result<Option<Head>, DirectoryError> {
    let path = path.join("anchor");
    match std::fs::read(&path) {
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(bytes) => read(&bytes).map(Some).ok_or(DirectoryError::Anchor(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(DirectoryError::Io { path, source }),
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Sequence number, hash, and a digest of both: 72 bytes, so that they lie in one sector and are written as one.
fn write(head: Head) -> [u8; 72] {
    let mut bytes = [0; 72];
    let (content, check) = bytes.split_at_mut(40);
    let (seq, hash) = content.split_at_mut(8);
    seq.copy_from_slice(&head.seq.to_be_bytes());
    hash.copy_from_slice(head.hash.as_bytes());
    check.copy_from_slice(Digest::of(content).as_bytes());
    bytes
}

fn read(bytes: &[u8]) -> Option<Head> {
    let (seq, rest) = bytes.split_first_chunk()?;
    let hash = rest.first_chunk()?;
    let head = Head { seq: u64::from_be_bytes(*seq), hash: Digest::from_bytes(*hash) };
    (write(head) == bytes).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_reads_back_and_every_flipped_bit_shows() {
        let head = Head { seq: 41, hash: Digest::of(b"fact 41") };
        let bytes = write(head);
        assert_eq!(read(&bytes), Some(head));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&flipped), None, "bit {bit}");
        }
        assert_eq!(read(&bytes[..71]), None);
    }

    #[test]
    fn a_directory_has_one_owner_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let first = Directory::take(place.path()).unwrap();
        let second = Directory::take(place.path()).unwrap_err().to_string();
        assert!(
            second.contains("in use by another process") && second.contains("stop that one"),
            "{second}"
        );
        drop(first);
        assert!(Directory::take(place.path()).is_ok());
    }
}
