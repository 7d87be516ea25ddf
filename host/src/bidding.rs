//! The saleroom: every shortlisted campaign names its price, by itself, by its filter, or by its buyer's answer over the
//! network.
//!
//! One fresh instance serves one ping for one module and judges all its campaigns in one call. A filter that traps or
//! passes a limit is asked again for fewer campaigns at a time; what fails alone forfeits its bid, and the auction goes on.

mod guard;
mod remote;
mod tail;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use crate::catalog::{Campaign, Lot, ModuleVersion, Served, Serving, Upkeep, Vertical};
use crate::facts::{Asked, BidMade, LeftOut, ModuleUsed};
use crate::ids::{CampaignId, PingId};
use crate::matching::{Shortlist, left_out};
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::sandbox::{Apart, ConfiguredFilter, Evaluated, Forfeit, Verdict};
use crate::telemetry;

pub use guard::{
    ALARM_WINDOW, CALLS_MAX, FAILURES_IN_A_ROW, Guards, OPEN, OPEN_MAX, OPEN_SHARE_MAX, PROBES,
    Quantiles, Seen, Stage, WINDOW, WINDOW_CALLS_MIN,
};
pub use remote::{
    Ended, Flaw, HANDLE_BYTES_MAX, Invited, Offered, Outcome, RemoteBid, Reply, Saleroom,
    TEXT_CHARS_MAX, read,
};
pub use tail::{TAIL_AT_FIRST, TAIL_MAX, TAIL_MIN, Tail};

/// A campaign's offer for this lead.
#[derive(Clone, Debug)]
pub struct Bid<'m> {
    pub campaign: &'m Arc<Campaign>,
    /// For a copy, whoever else gets one; zero if the campaign buys alone or not at all.
    pub amount: Micros,
    /// For the lead alone, where the campaign names a price of its own for that.
    pub exclusive: Option<Micros>,
}

/// All bids, in the order of campaigns' names; who made none, and why; which modules were asked.
#[derive(Debug, Default)]
pub struct Bids<'m> {
    pub bids: Vec<Bid<'m>>,
    pub left_out: Vec<LeftOut>,
    pub filters: Vec<ModuleUsed>,
    pub forfeited: Vec<Forfeited<'m>>,
    /// What remote buyers said.
    pub asked: Vec<Asked>,
}

/// A call that brought nothing, and how the module that failed is looked after.
#[derive(Debug)]
pub struct Forfeited<'m> {
    pub module: &'m ModuleVersion,
    pub upkeep: &'m Upkeep,
    pub forfeit: Forfeit,
    /// The only campaign that the call was about, where the module serves others too.
    pub campaign: Option<CampaignId>,
}

/// Says whether a module was asked again, for fewer campaigns at a time, after a call that failed.
type Again<'a> = &'a dyn Fn(&ModuleVersion) -> bool;

/// Collects the bids of a shortlist: those that are made in this process, and those of remote buyers, who are all asked at
/// the same time and are waited for until the source's deadline, less what the exchange itself needs. The ping's handle
/// draws between a filter's active version and its canary.
pub async fn collect<'m>(
    saleroom: &Saleroom,
    vertical: &'m Vertical,
    shortlist: Shortlist<'m>,
    offered: Offered<'_>,
    ping: PingId,
) -> Bids<'m> {
    let (mut bids, remote) = in_process(vertical, shortlist, (offered.frame, ping), &|_| true);
    if !remote.is_empty() {
        saleroom.ask_for(offered, remote, &mut bids).await;
    }
    bids.sorted()
}

/// Collects the bids of a shortlist again: what remote buyers said is taken as it was recorded.
pub fn collect_again<'m>(
    vertical: &'m Vertical,
    shortlist: Shortlist<'m>,
    frame: &[u64],
    ping: PingId,
    filters: &[ModuleUsed],
    (asked, made, left): (&[Asked], &[BidMade], &[LeftOut]),
) -> Bids<'m> {
    // A call that failed took no fuel, unless it was made again for fewer campaigns and brought something.
    let again = |module: &ModuleVersion| {
        filters.iter().any(|used| used.name == module.name.as_str() && used.fuel > 0)
    };
    let (mut bids, remote) = in_process(vertical, shortlist, (frame, ping), &again);
    let outcomes: HashMap<&str, &Asked> =
        asked.iter().map(|asked| (asked.campaign.as_str(), asked)).collect();
    for campaign in remote {
        let name = campaign.id.as_str();
        let Some(told) = outcomes.get(name) else {
            bids.left_out.push(left_out(campaign, Exclusion::NoPrice, None));
            continue;
        };
        bids.asked.push((*told).clone());
        let made = made.iter().find(|bid| bid.campaign == name);
        match made.filter(|_| told.outcome == Outcome::Bid.code()) {
            Some(bid) => {
                bids.bids.push(Bid { campaign, amount: Micros::new(bid.amount), exclusive: None })
            }
            None => bids.left_out.extend(left.iter().find(|left| left.campaign == name).cloned()),
        }
    }
    bids.sorted()
}

/// Collects what is bid in this process, and returns the campaigns that are left for their buyers to bid for. `frame` is
/// the ping view, encoded once for all filters.
fn in_process<'m>(
    vertical: &'m Vertical,
    shortlist: Shortlist<'m>,
    (frame, ping): (&[u64], PingId),
    again: Again<'_>,
) -> (Bids<'m>, Vec<&'m Arc<Campaign>>) {
    let Shortlist { candidates, left_out } = shortlist;
    let (mut bids, mut remote) = (Bids { left_out, ..Bids::default() }, Vec::new());
    for campaign in candidates.iter().copied().filter(|campaign| campaign.filter.is_none()) {
        if campaign.unfit {
            bids.out_of_service(&[campaign]);
        } else {
            bids.offer(campaign, None, &mut remote);
        }
    }
    for (index, filter) in vertical.filters.iter().enumerate() {
        let of_filter =
            |campaign: &&Arc<Campaign>| campaign.filter.is_some_and(|slot| slot.filter == index);
        let asking: Vec<_> = candidates.iter().copied().filter(of_filter).collect();
        if !asking.is_empty() {
            bids.ask(filter, &asking, (frame, ping, again), &mut remote);
        }
    }
    (bids, remote)
}

impl<'m> Bids<'m> {
    /// In the order of campaigns' names, whoever was quicker.
    fn sorted(mut self) -> Self {
        self.bids.sort_by(|one, other| one.campaign.id.cmp(&other.campaign.id));
        self.asked.sort_by(|one, other| one.campaign.cmp(&other.campaign));
        self
    }

    /// A price that a filter names is for a copy and stands in the place of all that the campaign names.
    fn offer(
        &mut self,
        campaign: &'m Arc<Campaign>,
        named: Option<Micros>,
        remote: &mut Vec<&'m Arc<Campaign>>,
    ) {
        let exclusive = campaign.exclusive.filter(|_| named.is_none());
        match named.or(campaign.price) {
            Some(amount) => self.bids.push(Bid { campaign, amount, exclusive }),
            None if exclusive.is_some() => {
                self.bids.push(Bid { campaign, amount: Micros::ZERO, exclusive });
            }
            None if campaign.buyer.bidding.is_some() => remote.push(campaign),
            None => self.left_out.push(left_out(campaign, Exclusion::NoPrice, None)),
        }
    }

    fn ask(
        &mut self,
        filter: &'m Serving<ConfiguredFilter>,
        asking: &[&'m Arc<Campaign>],
        (frame, ping, again): (&[u64], PingId, Again<'_>),
        remote: &mut Vec<&'m Arc<Campaign>>,
    ) {
        if filter.upkeep.taken_out.is_some() {
            self.out_of_service(asking);
            return;
        }
        let slots: Vec<u32> =
            asking.iter().filter_map(|campaign| Some(campaign.filter?.slot)).collect();
        let lot = || Lot::draw(&ping.as_u128().to_be_bytes(), &filter.active.module.name);
        let Served { module, code } = filter.decides(lot);
        let began = Instant::now();
        let judged = judge(code, frame, &slots, || again(module));
        let fuel = judged.as_ref().ok().map(|judged| judged.fuel);
        telemetry::module_call(module.name.as_str(), module.version, began.elapsed(), fuel);
        let fuel = match judged {
            Ok(judged) => {
                for (campaign, verdict) in asking.iter().copied().zip(judged.verdicts) {
                    match verdict {
                        Ok(Verdict::Yes(price)) => self.offer(campaign, price, remote),
                        Ok(Verdict::No(code)) => {
                            let declined = Exclusion::FilterDeclined;
                            self.left_out.push(left_out(campaign, declined, Some(code.into())));
                        }
                        Err(forfeit) => self.forfeit(module, &[campaign], &forfeit),
                    }
                }
                judged.fuel
            }
            Err(forfeit) => {
                self.forfeit(module, asking, &forfeit);
                let only = match asking {
                    [campaign] if code.slots() > 1 => Some(campaign.id.clone()),
                    _ => None,
                };
                let upkeep = &filter.upkeep;
                self.forfeited.push(Forfeited { module, upkeep, forfeit, campaign: only });
                0
            }
        };
        self.filters.push(ModuleUsed {
            name: module.name.as_str().to_owned(),
            version: module.version,
            digest: *module.digest.as_bytes(),
            fuel,
        });
    }

    /// Leaves out campaigns whose filter is out of service, for all or for them.
    fn out_of_service(&mut self, asked: &[&Arc<Campaign>]) {
        let out = Exclusion::FilterOutOfService;
        self.left_out.extend(asked.iter().map(|campaign| left_out(campaign, out, None)));
    }

    /// Leaves out campaigns for which a module's call brought nothing.
    fn forfeit(&mut self, module: &ModuleVersion, asked: &[&Arc<Campaign>], forfeit: &Forfeit) {
        tracing::warn!(error = %forfeit, module = %module.name, version = module.version, campaigns = asked.len(), "filter forfeited");
        metrics::counter!("gavel_filter_forfeits_total", "module" => module.name.as_str().to_owned(), "code" => forfeit.code()).increment(1);
        let detail = Some(forfeit.code().to_owned());
        let forfeited = Exclusion::FilterForfeited;
        let left = asked.iter().map(|campaign| left_out(campaign, forfeited, detail.clone()));
        self.left_out.extend(left);
    }
}

/// Has a filter judge a lead for these campaigns. What fails for all of them together is asked for fewer at a time where it
/// may be; where that brings nothing either, it failed as it did at first.
fn judge(
    code: &ConfiguredFilter,
    frame: &[u64],
    slots: &[u32],
    again: impl FnOnce() -> bool,
) -> Result<Apart, Forfeit> {
    let forfeit = match code.evaluate(frame, slots) {
        Ok(Evaluated { verdicts, fuel, .. }) => {
            return Ok(Apart { verdicts: verdicts.into_iter().map(Ok).collect(), fuel });
        }
        Err(forfeit) => forfeit,
    };
    if slots.len() < 2 || !forfeit.is_of_the_module() || !again() {
        return Err(forfeit);
    }
    let apart = code.evaluate_apart(frame, slots)?;
    if apart.fuel > 0 { Ok(apart) } else { Err(forfeit) }
}
