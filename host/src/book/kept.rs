//! How full the book's memories are. Each has a limit, and whoever runs the exchange sees it come near.

use super::{
    CALLS_MAX, DUPLICATES_MAX, OPEN_PINGS_MAX, PERSONS_MAX, POSTBACKS_DELIVERED_MAX,
    POSTBACKS_FAILED_MAX, REQUESTS_MAX, RETURNS_LISTED_MAX, SHIPMENTS_DEAD_MAX, SHIPMENTS_KEPT_MAX,
    SUPPRESSIONS_MAX, State,
};

/// One of the book's memories.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it holds, as metrics name it.
    pub what: &'static str,
    pub count: usize,
    pub most: usize,
    /// What that party has of it that has most, where parties share it.
    pub largest_share: Option<usize>,
}

impl State {
    /// Returns every memory of the book.
    pub fn kept(&self) -> [Kept; 12] {
        let (delivered, failed) = self.postbacks.kept();
        let (dead, given_up) = self.shipments.kept();
        [
            ("open-pings", self.pings.len(), OPEN_PINGS_MAX),
            ("requests", self.requests.len(), REQUESTS_MAX),
            ("calls", self.money.calls_kept(), CALLS_MAX),
            ("leads-offered", self.offered.len(), DUPLICATES_MAX),
            ("leads-bought", self.bought.len(), DUPLICATES_MAX),
            ("persons", self.persons.kept(), PERSONS_MAX),
            ("suppressions", self.suppressions.entries(), SUPPRESSIONS_MAX),
            ("returns", self.money.returns_kept(), RETURNS_LISTED_MAX),
            ("postbacks-delivered", delivered, POSTBACKS_DELIVERED_MAX),
            ("postbacks-failed", failed, POSTBACKS_FAILED_MAX),
            ("shipments-dead", dead, SHIPMENTS_DEAD_MAX),
            ("leads-given-up", given_up, SHIPMENTS_KEPT_MAX),
        ]
        .map(|(what, count, most)| {
            let largest_share = match what {
                "open-pings" => Some(self.pings.shares().largest()),
                "requests" => Some(self.requests.shares().largest()),
                _ => None,
            };
            Kept { what, count, most, largest_share }
        })
    }
}
