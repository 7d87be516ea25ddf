//! Which journal a command reads: the exchange's directory, and its database if that is elsewhere.

use std::path::PathBuf;

use super::Failure;
use crate::journal::{Accepted, Place, Url};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Where {
    /// The exchange's directory.
    directory: PathBuf,
    /// The PostgreSQL database with the journal, if it has a password; without one, the directory knows.
    #[arg(long, env = "GAVEL_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
}

impl Where {
    /// Returns the place of the journal.
    pub(super) fn place(&self) -> Result<Place, Failure> {
        place(self.directory.clone(), self.database.as_deref())
    }
}

/// Returns the place of a journal that is only read, so whatever its settings are.
pub(super) fn place(directory: PathBuf, database: Option<&str>) -> Result<Place, Failure> {
    let database = database.map(url).transpose().map_err(Failure::usage)?;
    Ok(Place { directory, database, accepted: Accepted::default() })
}

/// Reads the address of a database.
pub(super) fn url(text: &str) -> Result<Url, String> {
    text.parse().map_err(|error| format!("--database: {error}"))
}
