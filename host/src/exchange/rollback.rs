//! Going back: a canary that disappoints is ended; without one the version before serves again.

use super::acting::Losses;
use super::modules::find;
use super::note::Note;
use super::office::ActError;
use super::{Exchange, Which};
use crate::facts::Step;
use crate::money::Share;

/// What going back did, with the version that it was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolledBack {
    /// This version is no canary any more; what is active stays so.
    CanaryEnded(u32),
    /// This version is active again.
    Activated(u32),
}

impl RolledBack {
    /// Returns the version that it was about.
    pub const fn version(self) -> u32 {
        match self {
            Self::CanaryEnded(version) | Self::Activated(version) => version,
        }
    }
}

impl Exchange {
    /// Ends the canary if one runs; else makes the version that was active before the present one active again. What was
    /// gone back from is not gone back to. Campaigns whose settings it does not take are out of service until they are
    /// saved anew.
    ///
    /// # Errors
    ///
    /// [`ActError::Conflict`] if no other version of this major has been active.
    pub async fn roll_back(
        &self,
        name: &str,
        major: Option<u32>,
        note: Note,
    ) -> Result<RolledBack, ActError> {
        let draft = self.draft.lock().await;
        let (versions, _) = find(&draft, name, Which::Newest)?;
        let track = versions.track(major).map(|(_, track)| track);
        let (step, done) = match track.map(|track| (track.canary, track.before())) {
            Some((Some(canary), _)) => (Step::CanaryEnded, RolledBack::CanaryEnded(canary.version)),
            Some((None, Some(before))) => (Step::Activated, RolledBack::Activated(before)),
            Some((None, None)) | None => {
                let message = format!(
                    "no other version of `{name}` has served before the present one, so there is none to go back to: \
                     activate one by its number"
                );
                return Err(ActError::Conflict(message));
            }
        };
        let (version, step) = ((name, done.version()), (step, Share::NONE));
        drop(self.step(draft, version, step, note, Losses::Taken).await?);
        Ok(done)
    }
}
