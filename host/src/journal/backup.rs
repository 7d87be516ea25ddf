//! A copy of a journal that is being written to, proven before it is called one.
//!
//! The copy is one moment of the journal. It grows under a name that no exchange opens, is read whole as every start
//! reads it, and only then gets its own name: what is there under that name is a backup.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::directory::{self, Directory};
use super::{Audit, FreeSpace, JournalError, Place, Reading};
use crate::storage::{Accepted, Database, Reach, Readers, StorageError, Url};

/// How often the progress is told.
const PROGRESS_PAUSE: Duration = Duration::from_millis(200);
/// What an unfinished copy is called.
const PARTIAL: &str = "partial";

/// A copy that holds.
#[derive(Debug)]
pub struct BackedUp {
    /// The database file.
    pub file: PathBuf,
    pub bytes: u64,
    /// What reading the copy back found.
    pub audit: Audit,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "the journal is in {0}, which its own tools copy: `pg_dump --format=custom \
         --exclude-table-data=contact_key --file=FILE` for one moment of this database, without the keys of contact data; \
         or `pg_basebackup` for the whole server, with a log archive to any moment: that one has the keys, also of leads \
         that are erased later, so keep it apart from the master key and no longer than they may be kept. After \
         `pg_restore` into an empty database, `gavel journal verify DIR --database URL` proves the copy"
    )]
    Server(Url),
    #[error("{} is there already; name a file that is not, or an empty directory", .0.display())]
    Exists(PathBuf),
    #[error("{} has {free} bytes free, and the copy may need {needed}", path.display())]
    NoRoom { path: PathBuf, free: u64, needed: u64 },
    #[error("cannot write {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("the copy was not made")]
    Copy(#[source] StorageError),
    #[error("the copy does not hold, so it was taken away again")]
    Proof(#[source] JournalError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Copies the journal of a place. A name that ends with `.db` becomes a file; any other an exchange's directory, which
/// can be served as it is. `progress` hears how many bytes are copied, of about how many.
///
/// # Errors
/// [`BackupError`]; nothing is left behind then.
pub async fn back_up(
    place: impl Into<Place>,
    to: &Path,
    progress: impl FnMut(u64, u64),
) -> Result<BackedUp, BackupError> {
    let Place { directory, database, .. } = place.into();
    let anchor = directory::anchor(&directory).map_err(JournalError::from)?;
    let from = match directory::choose(&directory, database).map_err(JournalError::from)? {
        Database::Postgres(url) => return Err(BackupError::Server(url)),
        Database::Sqlite(file) if file.exists() => file,
        Database::Sqlite(_) => {
            let nothing = super::DirectoryError::Nothing(directory);
            return Err(JournalError::from(nothing).into());
        }
    };
    let target = Target::at(to)?;
    let partial = target.partial();
    target.has_room_for(size(&from) + size(&beside(&from, "-wal")))?;
    let copied = copy(&from, &partial, progress).await;
    let proven = match copied {
        Ok(()) => proof(&partial, anchor).await.map_err(BackupError::Proof),
        Err(error) => Err(BackupError::Copy(error)),
    };
    for end in ["-wal", "-shm", "-journal"] {
        let _gone = std::fs::remove_file(beside(&partial, end));
    }
    let audit = proven.inspect_err(|_| drop(std::fs::remove_file(&partial)))?;
    target.finish(&partial, &audit)?;
    Ok(BackedUp { bytes: size(&target.file), file: target.file, audit })
}

async fn copy(
    from: &Path,
    partial: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), StorageError> {
    let database = Database::Sqlite(from.to_owned());
    let readers = Readers::open(&database, &Accepted::default(), Reach::Anywhere).await?;
    let of = size(from);
    let mut copying = std::pin::pin!(readers.copy_to(partial));
    let copied = loop {
        tokio::select! {
            copied = &mut copying => break copied,
            () = tokio::time::sleep(PROGRESS_PAUSE) => progress(size(partial).min(of), of),
        }
    };
    readers.close().await;
    copied?;
    progress(of, of);
    Ok(())
}

/// Reads the copy back. It must reach at least to what was acknowledged before it was begun.
async fn proof(partial: &Path, anchor: Option<super::Head>) -> Result<Audit, JournalError> {
    let database = Database::Sqlite(partial.to_owned());
    let readers = Readers::open(&database, &Accepted::default(), Reach::Anywhere).await?;
    let reading = Reading::of(readers, anchor);
    let audit = reading.verify().await;
    reading.close().await;
    audit
}

/// Where the copy goes.
#[derive(Debug)]
struct Target {
    file: PathBuf,
    /// The directory that becomes an exchange's, if it is not only a file that was asked for.
    directory: Option<PathBuf>,
}

impl Target {
    fn at(to: &Path) -> Result<Self, BackupError> {
        if to.extension().is_some_and(|end| end == "db") {
            return match to.exists() {
                true => Err(BackupError::Exists(to.into())),
                false => Ok(Self { file: to.into(), directory: None }),
            };
        }
        std::fs::create_dir_all(to).map_err(failed(to))?;
        let mut inside = std::fs::read_dir(to).map_err(failed(to))?;
        // What an earlier try that was killed has left may be written over.
        let foreign = inside.any(|entry| {
            entry.map_or(true, |entry| !entry.file_name().to_string_lossy().contains(PARTIAL))
        });
        if foreign {
            return Err(BackupError::Exists(to.into()));
        }
        Ok(Self { file: to.join("journal.db"), directory: Some(to.into()) })
    }

    fn partial(&self) -> PathBuf {
        let partial = self.file.with_extension(PARTIAL);
        let _gone = std::fs::remove_file(&partial);
        partial
    }

    fn parent(&self) -> &Path {
        let parent = self.file.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    fn has_room_for(&self, needed: u64) -> Result<(), BackupError> {
        let path = self.parent();
        match FreeSpace::of_the_disk().at(path).map_err(failed(path))? {
            free if free < needed => Err(BackupError::NoRoom { path: path.into(), free, needed }),
            _ => Ok(()),
        }
    }

    /// Makes the copy durable and gives it its name.
    fn finish(&self, partial: &Path, audit: &Audit) -> Result<(), BackupError> {
        File::open(partial).and_then(|file| file.sync_all()).map_err(failed(partial))?;
        std::fs::rename(partial, &self.file).map_err(failed(&self.file))?;
        let parent = self.parent();
        File::open(parent).and_then(|parent| parent.sync_all()).map_err(failed(parent))?;
        if let Some(directory) = &self.directory {
            let taken = Directory::take(directory).map_err(JournalError::from)?;
            taken.raise_anchor(audit.head()).map_err(JournalError::from)?;
        }
        Ok(())
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |metadata| metadata.len())
}

/// The file beside a database whose name ends so.
fn beside(file: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(end);
    name.into()
}
