//! What remote buyers said when they were asked for a bid.

use rkyv::{Archive, Deserialize, Serialize};

use super::{ModuleUsed, PingAnswered};

/// One campaign whose buyer was to be asked over the network, and what came of it. Its bid, if it made one, stands among
/// the others.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Asked {
    pub campaign: String,
    pub buyer: String,
    /// `bid`, `no-bid`, `late`, `refused`, `invalid`, `unreachable` or `skipped`.
    pub outcome: String,
    /// Microseconds from the question to the answer, or to the moment until which it was waited for; zero if the buyer
    /// was not asked.
    pub micros: u32,
    /// The module that put the question into the buyer's words and read the answer.
    pub adapter: Option<ModuleUsed>,
    /// What the buyer calls its bid; it is handed back with the lead.
    pub handle: Option<String>,
}

impl PingAnswered {
    /// Returns what a campaign's buyer calls its bid, if it was asked for it and said so.
    pub fn handle_of(&self, campaign: &str) -> Option<&str> {
        self.asked.iter().find(|asked| asked.campaign == campaign)?.handle.as_deref()
    }
}
