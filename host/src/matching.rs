//! The reading room: which campaigns may and want to buy this lead. Cheap, in the host; no guest code runs here.
//!
//! Everyone who is left out gets a reason. Today every campaign of the vertical is looked at in turn.

use std::sync::Arc;

use crate::catalog::{Campaign, Vertical};
use crate::clock::Moment;
use crate::facts::LeftOut;
use crate::ids::SourceId;
use crate::lead::PingView;
use crate::reasons::Exclusion;

/// The campaigns that may bid, in the order of their names, and the others with their reasons.
#[derive(Debug, Default)]
pub struct Shortlist<'m> {
    pub candidates: Vec<&'m Arc<Campaign>>,
    pub left_out: Vec<LeftOut>,
}

/// Returns who may bid. `admits` is the book's word on caps, duplicates and funds; it is asked last.
pub fn shortlist<'m>(
    vertical: &'m Vertical,
    lead: &PingView,
    source: &SourceId,
    at: Moment,
    admits: impl Fn(&Campaign) -> Result<(), (Exclusion, Option<String>)>,
) -> Shortlist<'m> {
    let mut shortlist = Shortlist::default();
    for campaign in &vertical.campaigns {
        match eligible(campaign, lead, source, at).and_then(|()| admits(campaign)) {
            Ok(()) => shortlist.candidates.push(campaign),
            Err((exclusion, detail)) => {
                shortlist.left_out.push(left_out(campaign, exclusion, detail))
            }
        }
    }
    shortlist
}

/// Returns the record of a campaign that does not get the lead.
pub fn left_out(campaign: &Campaign, exclusion: Exclusion, detail: Option<String>) -> LeftOut {
    let campaign = campaign.id.as_str().to_owned();
    LeftOut { campaign, reason: exclusion.code().to_owned(), detail }
}

fn eligible(
    campaign: &Campaign,
    lead: &PingView,
    source: &SourceId,
    at: Moment,
) -> Result<(), (Exclusion, Option<String>)> {
    if !campaign.active {
        return Err((Exclusion::CampaignPaused, None));
    }
    if !campaign.buyer.active {
        return Err((Exclusion::BuyerPaused, None));
    }
    let adapter = campaign.buyer.adapter.as_ref();
    if adapter.is_some_and(|adapter| adapter.upkeep.taken_out.is_some()) {
        return Err((Exclusion::AdapterOutOfService, None));
    }
    if campaign.schedule.as_ref().is_some_and(|schedule| !schedule.open_at(at)) {
        return Err((Exclusion::OutOfSchedule, None));
    }
    if !campaign.criteria.matches(lead, source.as_str()) {
        let unmet = campaign.criteria.first_unmet(lead, source.as_str());
        return Err((Exclusion::CriteriaUnmet, unmet));
    }
    Ok(())
}
