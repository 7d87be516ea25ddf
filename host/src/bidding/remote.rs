//! Asks buyers over the network: all at once, within one deadline, each on its own.
//!
//! - One question per buyer and ping, for all its campaigns that name no price themselves.
//! - An answer after the deadline is late, whatever it says. The call is listened to for as long as the buyer's contract
//!   allows, and [`LINGER`](call::LINGER) longer, so that a slow buyer keeps its connection and is told apart from a silent one.
//! - A buyer that the exchange itself called late is not blamed, nor one whose source had less time than its contract says.
//! - Each call runs on its own: one that hangs, breaks or lies costs the others nothing, and giving the auction up leaves
//!   no call unaccounted.

mod answer;
mod call;
mod dialect;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::timeout_at;

use crate::catalog::{Bidding, Campaign};
use crate::egress::Line;
use crate::facts::Asked;
use crate::ids::{BuyerId, CampaignId};
use crate::matching::left_out;
use crate::money::Micros;
use crate::reasons::Exclusion;

use super::guard::{Guard, Guards, Ticket};
use super::tail::Tail;
use super::{Bid, Bids, Forfeited};
use call::Call;
use dialect::Offer;

pub use answer::{Flaw, HANDLE_BYTES_MAX, Reply, TEXT_CHARS_MAX, read};
pub use call::{Ended, RemoteBid};

/// What came of asking a buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Bid,
    NoBid,
    /// The answer was not there at the deadline.
    Late,
    /// The end point answered with a status that is not success.
    Refused,
    /// The answer is no valid bid.
    Invalid,
    /// There was no connection, or it ended without an answer.
    Unreachable,
    /// The buyer was not asked.
    Skipped,
}

impl Outcome {
    pub const ALL: [Self; 7] = [
        Self::Bid,
        Self::NoBid,
        Self::Late,
        Self::Refused,
        Self::Invalid,
        Self::Unreachable,
        Self::Skipped,
    ];

    /// Returns the word that stands for it in facts, receipts and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::NoBid => "no-bid",
            Self::Late => "late",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Unreachable => "unreachable",
            Self::Skipped => "skipped",
        }
    }

    /// Returns its place among [`Outcome::ALL`].
    pub(super) fn place(self) -> usize {
        Self::ALL.iter().position(|outcome| *outcome == self).unwrap_or(0)
    }

    /// Returns why a campaign whose buyer was asked so is left out; nothing for a bid.
    const fn exclusion(self) -> Option<Exclusion> {
        match self {
            Self::Bid => None,
            Self::NoBid => Some(Exclusion::NoBid),
            Self::Late => Some(Exclusion::BidLate),
            Self::Refused => Some(Exclusion::BidRefused),
            Self::Invalid => Some(Exclusion::BidInvalid),
            Self::Unreachable => Some(Exclusion::BidUnreachable),
            Self::Skipped => Some(Exclusion::NotAsked),
        }
    }
}

/// What asking needs: connections, and what was learnt of each buyer.
#[derive(Clone, Debug)]
pub struct Saleroom {
    line: Line,
    guards: Guards,
    tail: Arc<Tail>,
}

/// What all buyers are told of one ping, and until when they are waited for.
#[derive(Clone, Copy)]
pub struct Offered<'a> {
    /// The ping's handle, as text.
    pub ping: &'a str,
    pub vertical: &'a str,
    pub currency: &'a str,
    pub test: bool,
    /// Writes the ping view as JSON. Nobody needs it where nobody is asked.
    pub lead: &'a (dyn Fn() -> String + Sync),
    pub frame: &'a [u64],
    /// When the source wants its answer.
    pub deadline: Instant,
}

impl fmt::Debug for Offered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offered").field("ping", &self.ping).finish_non_exhaustive()
    }
}

/// One buyer that is to be asked, for some of its campaigns.
#[derive(Clone, Debug)]
pub struct Invited {
    pub buyer: BuyerId,
    pub contract: Arc<Bidding>,
    /// Each with the most that may be bid for it, if its operator says so.
    pub campaigns: Vec<(CampaignId, Option<Micros>)>,
}

impl Saleroom {
    /// Opens with everybody's breaker closed. The seed decides the guards' lots.
    pub fn new(line: Line, now: Instant, seed: u64) -> Self {
        Self { line, guards: Guards::new(now, seed), tail: Arc::default() }
    }

    /// What stands before each buyer's end point.
    pub fn guards(&self) -> &Guards {
        &self.guards
    }

    /// What the exchange needs for itself of a source's deadline.
    pub fn tail(&self) -> &Tail {
        &self.tail
    }

    /// Asks all of them at the same time. Returns what each said, in their order, at the deadline at the latest.
    pub async fn ask(&self, offered: Offered<'_>, invited: &[Invited]) -> Vec<Ended> {
        let close_by = offered.deadline.checked_sub(self.tail.kept_back());
        let close_by = close_by.unwrap_or(offered.deadline);
        let lead = (offered.lead)();
        let mut calls = Calls::new(invited.len());
        for (place, invited) in invited.iter().enumerate() {
            let (began, contract) = (Instant::now(), &invited.contract);
            let deadline = began.checked_add(contract.timeout).unwrap_or(close_by).min(close_by);
            let left = deadline.saturating_duration_since(began);
            let guard = self.guards.of(&invited.buyer, contract, began);
            let mut waited = Duration::ZERO;
            let ended = match self.guards.admit(&guard, began, left) {
                Err(skipped) => Some(Ended::skipped(skipped)),
                Ok(ticket) => {
                    let offer = Offer { offered: &offered, invited, lead: &lead, left };
                    match Call::new(self.line.clone(), &offer, began, deadline) {
                        // The ticket is dropped: this was no call.
                        Err(unasked) => Some(*unasked),
                        Ok(call) => {
                            calls.start(place, call, ticket, deadline);
                            waited = left;
                            None
                        }
                    }
                }
            };
            calls.ended.push((guard, waited, ended));
        }
        let ended = calls.end().await.map(|(guard, ended)| {
            guard.count(ended.outcome);
            ended
        });
        ended.collect()
    }

    /// Asks the buyers of these campaigns and adds what they say to the bids.
    pub(super) async fn ask_for<'m>(
        &self,
        offered: Offered<'_>,
        campaigns: Vec<&'m Arc<Campaign>>,
        bids: &mut Bids<'m>,
    ) {
        let (invited, of_buyer) = invite(campaigns);
        let said = self.ask(offered, &invited).await;
        for ((invited, campaigns), ended) in invited.iter().zip(of_buyer).zip(said) {
            settle(&invited.buyer, &campaigns, ended, bids);
        }
    }
}

/// The calls of one ping.
struct Calls {
    tx: mpsc::Sender<(usize, Ended)>,
    rx: mpsc::Receiver<(usize, Ended)>,
    /// Who is asked, how long it is waited for, and what it said.
    ended: Vec<(Arc<Guard>, Duration, Option<Ended>)>,
    out: usize,
    last: Instant,
}

impl Calls {
    fn new(most: usize) -> Self {
        let (tx, rx) = mpsc::channel(most.max(1));
        Self { tx, rx, ended: Vec::with_capacity(most), out: 0, last: Instant::now() }
    }

    fn start(&mut self, place: usize, call: Call, ticket: Ticket, deadline: Instant) {
        let tx = self.tx.clone();
        (self.out, self.last) = (self.out.saturating_add(1), self.last.max(deadline));
        tokio::spawn(call.run(ticket, move |ended| {
            // The auction may have closed, or its source may have left.
            let _ = tx.try_send((place, ended));
        }));
    }

    /// Waits for everybody's answer or deadline.
    async fn end(mut self) -> impl Iterator<Item = (Arc<Guard>, Ended)> {
        while self.out > 0 {
            let Ok(Some(heard)) = timeout_at(self.last.into(), self.rx.recv()).await else { break };
            self.hear(heard);
        }
        // What was heard in time counts although this task was woken late.
        while let Ok(heard) = self.rx.try_recv() {
            self.hear(heard);
        }
        self.ended
            .into_iter()
            .map(|(guard, waited, ended)| (guard, ended.unwrap_or_else(|| Ended::late(waited))))
    }

    fn hear(&mut self, (place, heard): (usize, Ended)) {
        self.out = self.out.saturating_sub(1);
        if let Some((_, _, ended)) = self.ended.get_mut(place) {
            *ended = Some(heard);
        }
    }
}

/// Groups campaigns by their buyer, in the order of their names.
fn invite(campaigns: Vec<&Arc<Campaign>>) -> (Vec<Invited>, Vec<Vec<&Arc<Campaign>>>) {
    let (mut invited, mut grouped): (Vec<Invited>, Vec<Vec<&Arc<Campaign>>>) = Default::default();
    let mut places: HashMap<&BuyerId, usize> = HashMap::new();
    for campaign in campaigns {
        let Some(contract) = &campaign.buyer.bidding else { continue };
        let place = *places.entry(&campaign.buyer.id).or_insert(invited.len());
        if place == invited.len() {
            let (buyer, contract) = (campaign.buyer.id.clone(), Arc::clone(contract));
            invited.push(Invited { buyer, contract, campaigns: Vec::new() });
            grouped.push(Vec::new());
        }
        if let (Some(invited), Some(group)) = (invited.get_mut(place), grouped.get_mut(place)) {
            invited.campaigns.push((campaign.id.clone(), campaign.bid_max));
            group.push(campaign);
        }
    }
    (invited, grouped)
}

/// Writes down what a buyer said, for each of its campaigns.
fn settle<'m>(buyer: &BuyerId, campaigns: &[&'m Arc<Campaign>], ended: Ended, bids: &mut Bids<'m>) {
    let chosen = ended.bid.as_ref().and_then(|bid| campaigns.get(bid.campaign));
    for (place, campaign) in campaigns.iter().copied().enumerate() {
        let (mut outcome, mut detail, mut handle) = (ended.outcome, ended.detail.clone(), None);
        match &ended.bid {
            Some(bid) if bid.campaign == place => {
                bids.bids.push(Bid { campaign, amount: bid.amount, exclusive: None });
                handle.clone_from(&bid.handle);
            }
            // One question has one bid: the buyer chose another of its campaigns.
            Some(_) => {
                outcome = Outcome::NoBid;
                detail = chosen.map(|other| format!("its buyer bid for `{}`", other.id));
            }
            None => (),
        }
        if let Some(exclusion) = outcome.exclusion() {
            bids.left_out.push(left_out(campaign, exclusion, detail));
        }
        bids.asked.push(Asked {
            campaign: campaign.id.as_str().to_owned(),
            buyer: buyer.as_str().to_owned(),
            outcome: outcome.code().to_owned(),
            micros: u32::try_from(ended.took.as_micros()).unwrap_or(u32::MAX),
            adapter: ended.adapter.clone(),
            handle,
        });
    }
    let adapter = campaigns.first().and_then(|campaign| campaign.buyer.bidding.as_ref());
    if let (Some(forfeit), Some(used), Some(serving)) =
        (ended.forfeit, ended.adapter, adapter.and_then(|bidding| bidding.adapter.as_ref()))
    {
        let canary = serving.canary.as_ref().map(|(_, served)| served);
        let served = canary.filter(|served| served.module.version == used.version);
        let module = &served.unwrap_or(&serving.active).module;
        let upkeep = &serving.upkeep;
        bids.forfeited.push(Forfeited { module, upkeep, forfeit, campaign: None });
    }
}
