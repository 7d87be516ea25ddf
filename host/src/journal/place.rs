//! Where a journal is kept.

use std::path::{Path, PathBuf};

use crate::storage::{Accepted, Url};

/// Where a journal is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The exchange's directory: its lock, its anchor, and the database itself unless that is elsewhere.
    pub directory: PathBuf,
    /// The database, if it is PostgreSQL.
    pub database: Option<Url>,
    /// What may be unsafe about the database.
    pub accepted: Accepted,
}

impl From<PathBuf> for Place {
    fn from(directory: PathBuf) -> Self {
        Self { directory, ..Self::default() }
    }
}

impl From<&Path> for Place {
    fn from(directory: &Path) -> Self {
        directory.to_owned().into()
    }
}

impl From<&PathBuf> for Place {
    fn from(directory: &PathBuf) -> Self {
        directory.clone().into()
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Self {
        place.clone()
    }
}
