//! Which leads are promised to which campaigns: held for them, and neither sold nor given back yet.

use super::named::Map;

/// The leads under holds, by the campaign's number and by what a lead has in common with itself. As many as copies are
/// held, at most.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Promised(Map<(u32, [u8; 32]), u32>);

impl Promised {
    /// Says whether a lead like this one is promised to a campaign.
    pub(super) fn has(&self, campaign: u32, fingerprint: [u8; 32]) -> bool {
        self.0.contains_key(&(campaign, fingerprint))
    }

    /// Returns how many promises there are.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.values().map(|promises| usize::try_from(*promises).unwrap()).sum()
    }

    /// Notes a promise. A campaign without a window may have several of one lead; zeros say that nobody asks.
    pub(super) fn add(&mut self, campaign: u32, fingerprint: [u8; 32]) {
        if fingerprint != [0; 32] {
            let promises = self.0.entry((campaign, fingerprint)).or_default();
            *promises = promises.saturating_add(1);
        }
    }

    /// Ends a promise that was noted.
    pub(super) fn end(&mut self, campaign: u32, fingerprint: [u8; 32]) {
        if fingerprint == [0; 32] {
            return;
        }
        let key = (campaign, fingerprint);
        let Some(promises) = self.0.get_mut(&key) else { return };
        *promises = promises.saturating_sub(1);
        if *promises == 0 {
            self.0.remove(&key);
        }
    }
}
