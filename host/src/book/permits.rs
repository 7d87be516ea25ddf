//! Who may have a person: not bought before, and on no suppression list.

use std::sync::Arc;

use super::persons::Sale;
use super::{Bar, Detail, Entry, State, since};
use crate::catalog::{By, Campaign, DuplicatesSpec, Vertical};
use crate::clock::Moment;
use crate::facts::Person;
use crate::ids::PingId;
use crate::reasons::Exclusion;

impl State {
    /// Says whether the campaign may have this person: not bought before, on no list that it or its buyer names.
    /// `entries` is the person as suppression lists have it.
    pub fn may_have(
        &self,
        campaign: &Campaign,
        person: &Person,
        entries: &[Entry],
        at: Moment,
    ) -> Result<(), Bar> {
        let buyer = campaign.buyer.as_ref();
        self.suppressed(campaign.suppressions.iter().chain(&buyer.suppressions), entries)?;
        let number = self.campaigns.known(campaign.id.as_str());
        self.sold_before(campaign.duplicates, "was sold to the campaign", person, at, |sale| {
            Some(sale.campaign) == number
        })?;
        let number = self.buyers.known(buyer.id.as_str());
        self.sold_before(buyer.duplicates, "was sold to the buyer", person, at, |sale| {
            Some(sale.buyer) == number
        })
    }

    /// Says whether the person may be sold in the vertical at all, as far as earlier sales go.
    pub fn may_sell(&self, vertical: &Vertical, person: &Person, at: Moment) -> Result<(), Bar> {
        let number = self.verticals.known(vertical.id.as_str());
        self.sold_before(vertical.duplicates, "was sold in the vertical", person, at, |sale| {
            Some(sale.vertical) == number
        })
    }

    /// Says whether a person is on none of these suppression lists.
    pub fn suppressed<'l>(
        &self,
        lists: impl IntoIterator<Item = &'l Arc<str>>,
        entries: &[Entry],
    ) -> Result<(), Bar> {
        if entries.is_empty() {
            return Ok(());
        }
        let found = lists.into_iter().find(|list| self.suppressions.has_any(list, entries));
        found.map_or(Ok(()), |list| {
            let detail = Some(Detail::List(Arc::clone(list)));
            Err(Bar { exclusion: Exclusion::Suppressed, detail })
        })
    }

    /// Says whether the person was sold in the vertical at or after a moment, or is on the way to a buyer, as another
    /// ping's lead.
    pub fn sold_since(&self, vertical: &str, person: &Person, ping: PingId, since: Moment) -> bool {
        let number = self.verticals.known(vertical);
        let counts = |sale: &Sale| Some(sale.vertical) == number && sale.ping != ping;
        self.persons.sold_since(person, By::Either, since, counts)
    }

    fn sold_before(
        &self,
        duplicates: Option<DuplicatesSpec>,
        to: &'static str,
        person: &Person,
        at: Moment,
        counts: impl Fn(&Sale) -> bool,
    ) -> Result<(), Bar> {
        let Some(spec) = duplicates else { return Ok(()) };
        let DuplicatesSpec { by, window_seconds } = spec;
        if !self.persons.sold_since(person, by, since(at, spec.window()), counts) {
            return Ok(());
        }
        let detail = Some(Detail::Sold { to, by, window_seconds });
        Err(Bar { exclusion: Exclusion::DuplicatePerson, detail })
    }
}
