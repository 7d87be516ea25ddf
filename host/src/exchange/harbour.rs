//! What parties share, so that none of them takes it all.

use crate::berths::{Berths, Busy};

/// How many deliveries may be under way at once.
pub const DELIVERIES_MAX: usize = 512;
/// How many letters may be on their way to the mail relay at once, beside the other deliveries.
pub const LETTERS_MAX: usize = 16;
/// How many posts may wait at once for what becomes of their deliveries. Beyond it a post is `pending` at once.
pub const POSTS_WAITING_MAX: usize = 16_384;
/// How many lists and statements are read from the journal at once. A post reads from it too, and does not wait for them.
pub const LISTS_MAX: usize = 2;

/// Berths of each kind.
#[derive(Debug)]
pub(super) struct Harbour {
    /// By buyer.
    pub(super) deliveries: Berths,
    /// By buyer.
    pub(super) letters: Berths,
    /// By source.
    pub(super) posts: Berths,
    /// By whoever looks.
    pub(super) lists: Berths,
}

impl Default for Harbour {
    fn default() -> Self {
        Self {
            deliveries: Berths::new(DELIVERIES_MAX),
            letters: Berths::new(LETTERS_MAX),
            posts: Berths::new(POSTS_WAITING_MAX),
            lists: Berths::new(LISTS_MAX),
        }
    }
}

impl Harbour {
    /// Returns how many deliveries are under way and wait for a berth, letters among them.
    pub(super) fn shipping(&self) -> Busy {
        let (deliveries, letters) = (self.deliveries.busy(), self.letters.busy());
        Busy {
            under_way: deliveries.under_way.saturating_add(letters.under_way),
            waiting: deliveries.waiting.saturating_add(letters.waiting),
        }
    }
}
