//! Why a source hears no answer.

use crate::contacts::ContactError;
use crate::ids::SourceId;
use crate::ingest::Denied;
use crate::normalize;
use crate::sandbox::Refusal;

/// Why there is no answer to a ping or a post.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("there is no vertical `{0}`")]
    NoVertical(String),
    #[error("the vertical `{0}` is out of service: its module fails")]
    OutOfService(String),
    #[error("the submission was refused")]
    Refused(Refusal),
    #[error(transparent)]
    Normalizer(#[from] normalize::Fault),
    #[error("there is no ping of yours with this id")]
    PingNotFound,
    #[error("the ping was posted before with another body")]
    PostedOtherwise,
    #[error("the post says otherwise than its ping about `{0}`")]
    Changed(String),
    #[error("the post is a test, but its ping was not")]
    TestOfLive,
    #[error("the ping's own record does not read back")]
    Frame(#[source] lead_frame::Damage),
    #[error("the lead's contact data cannot be sealed")]
    Contact(#[source] ContactError),
    #[error("the exchange has as much work as it can take: {0}")]
    Overloaded(&'static str),
    /// A source has as much of a memory as it may have beside the others.
    #[error("source `{0}` has its whole share of the {1} that the exchange remembers")]
    ShareFull(SourceId, &'static str),
    /// The book and the ledger do not agree.
    #[error("no money moves now: {0}")]
    MoneyStopped(String),
    #[error("the exchange's disk is almost full, so it takes no new leads until there is room")]
    DiskLow,
    #[error("the journal does not take facts any more")]
    Closed,
}
