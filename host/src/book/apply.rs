//! How facts change the book. Nothing else does.

use std::sync::Arc;

use super::account::{difference, sum};
use super::counters::Taken;
use super::persons::{PERSONS_MAX, Sale};
use super::{
    Copy, DUPLICATES_MAX, OpenPing, OpenTransfer, REQUESTS_KEPT_MS, REQUESTS_MAX, Stage, State,
    before, waits,
};
use crate::clock::Moment;
use crate::facts::{
    AskedAgain, Delivered, Ended, Fact, PingAnswered, PostRefused, Posted, Request, ShipmentResent,
    StatusAsked, TransferOffered, Winner,
};
use crate::ids::PingId;
use crate::money::Micros;

/// What of a hold is given back.
#[derive(Clone, std::marker::Copy, Debug)]
pub(super) enum Back {
    /// All of it: the lead was not shown.
    Whole,
    /// All but the post: the buyer saw the lead.
    ButShown,
}

impl State {
    /// Changes the book by one fact. `at` is the fact's own time.
    pub fn apply(&mut self, at: Moment, fact: &Fact) {
        match fact {
            Fact::Deposited(deposited) => self.deposited(deposited),
            Fact::PingAnswered(answered) => self.answered(at, answered),
            Fact::Posted(posted) => self.posted(at, posted),
            Fact::PostRefused(refused) => self.post_refused(at, refused),
            Fact::AskedAgain(again) => self.asked_again(again, false),
            Fact::StatusAsked(StatusAsked(again)) => self.asked_again(again, true),
            Fact::TransferOffered(offered) => self.transfer_offered(offered),
            Fact::Delivered(delivered) => {
                self.delivered(at, delivered);
                self.shipped(at, delivered);
            }
            Fact::ShipmentResent(resent) => self.resent(at, resent),
            Fact::Expired(expired) => {
                for ping in &expired.pings {
                    self.void(PingId::from_u128(*ping));
                }
            }
            Fact::Superseded(superseded) => self.void(PingId::from_u128(superseded.ping)),
            Fact::ContactErased(erased) => {
                self.contact_erased(erased);
                self.shipments_erased(erased);
            }
            Fact::ContactsSwept(swept) => self.shipments_forgotten(&swept.pings),
            Fact::Transferred(transferred) => self.transferred(transferred),
            Fact::ReturnRequested(request) => self.return_requested(at, request),
            Fact::ReturnDecided(decided) => self.return_decided(at, decided),
            Fact::CallMade(made) => self.call_made(at, made),
            Fact::CallAnswered(answered) => self.call_answered(at, answered),
            Fact::SuppressionsAdded(added) => self.suppressions.add(added),
            Fact::SuppressionsRemoved(removed) => self.suppressions.remove(removed),
            Fact::PostbackTried(tried) => self.postback_tried(at, tried),
            Fact::PostbackResent(resent) => self.postback_resent(resent),
            Fact::Saved(_)
            | Fact::ModuleUploaded(_)
            | Fact::ModuleStepped(_)
            | Fact::KeyAdopted(_)
            | Fact::MasterKeyRotated(_)
            | Fact::SubmissionRefused(_) => (),
        }
    }

    fn answered(&mut self, at: Moment, answered: &Arc<PingAnswered>) {
        let ping = PingId::from_u128(answered.ping);
        self.remember(at, ping, &answered.source, answered.request.as_ref());
        let source = self.sources.number(&answered.source);
        if answered.fingerprint != [0; 32] && answered.duplicate_of.is_none() {
            let key = (source, answered.test, answered.fingerprint);
            self.offered.insert(key, at, ping, (), DUPLICATES_MAX);
        }
        if answered.winners.is_empty() {
            return;
        }
        let mut copies = Vec::with_capacity(answered.winners.len());
        for (place, winner) in answered.winners.iter().enumerate() {
            copies.push(self.hold((answered.test, answered.fingerprint), place, winner));
        }
        let open = OpenPing {
            auction: Arc::clone(answered),
            held_until: answered.held_until(),
            source,
            test: answered.test,
            copies,
            refused: Vec::new(),
            posted: None,
            erased: false,
        };
        self.expiries.insert(open.held_until, ping);
        self.pings.insert(ping, open);
    }

    fn posted(&mut self, at: Moment, posted: &Posted) {
        let ping = PingId::from_u128(posted.ping);
        if !waits(&self.pings, ping) {
            return;
        }
        let Some(mut open) = self.pings.remove(&ping) else { return };
        // A claimed ping no longer expires: its holds end by how its deliveries end.
        self.expiries.end(open.held_until, |ping| waits(&self.pings, ping));
        let auction = Arc::clone(&open.auction);
        for copy in &mut open.copies {
            copy.asked = true;
        }
        for passed in posted.passed_over.iter().filter(|_| !auction.test) {
            let index = passed.copy.and_then(|copy| usize::try_from(copy).ok());
            let copy = index.and_then(|index| open.copies.get_mut(index));
            if let Some(copy) = copy.filter(|copy| copy.stage == Stage::Held) {
                self.pass_on(copy, passed.successor.as_ref(), Back::Whole);
            }
        }
        for (index, copy) in (0_u32..).zip(&mut open.copies) {
            if copy.stage == Stage::Held {
                copy.line = self.line_up();
                copy.asked = !posted.in_line.contains(&index);
            }
        }
        open.posted = Some(Box::new(posted.clone()));
        self.remember(at, ping, &auction.source, posted.request.as_ref());
        if !auction.test && open.held().next().is_some() {
            for (_, copy) in open.held() {
                self.claims(at, &open, copy);
            }
            self.pings.insert(ping, open);
        }
    }

    fn post_refused(&mut self, at: Moment, refused: &PostRefused) {
        let ping = PingId::from_u128(refused.ping);
        let open = self.pings.get(&ping).filter(|open| open.posted.is_none());
        let Some(auction) = open.map(|open| Arc::clone(&open.auction)) else { return };
        self.void(ping);
        self.remember(at, ping, &auction.source, refused.request.as_ref());
    }

    fn asked_again(&mut self, again: &AskedAgain, inquired: bool) {
        let open = self.pings.get_mut(&PingId::from_u128(again.ping));
        let index = usize::try_from(again.copy).unwrap_or(usize::MAX);
        if let Some(copy) = open.and_then(|open| open.copies.get_mut(index)) {
            (copy.asked, copy.inquired, copy.absent) = (true, inquired, false);
            copy.sent_again |= copy.uncertain && !inquired;
        }
    }

    fn transfer_offered(&mut self, offered: &TransferOffered) {
        let open = self.pings.get_mut(&PingId::from_u128(offered.ping));
        let index = usize::try_from(offered.copy).unwrap_or(usize::MAX);
        if let Some(copy) = open.and_then(|open| open.copies.get_mut(index)) {
            // What is not known from here on is how the call went, and that is the source's to say.
            copy.asked = false;
            let TransferOffered { turn, connected_seconds, expires_ms, .. } = *offered;
            let expires = Moment::from_unix_ms(expires_ms);
            copy.transfer = Some(OpenTransfer { turn, connected_seconds, expires });
            copy.transfers = turn.saturating_add(1);
        }
    }

    fn line_up(&mut self) -> u64 {
        self.lined_up = self.lined_up.saturating_add(1);
        self.lined_up
    }

    fn delivered(&mut self, at: Moment, delivered: &Delivered) {
        let ping = PingId::from_u128(delivered.ping);
        let Some(mut open) = self.pings.remove(&ping) else { return };
        let index = usize::try_from(delivered.copy).unwrap_or(usize::MAX);
        if let Some(copy) = open.copies.get_mut(index).filter(|copy| copy.stage == Stage::Held) {
            let inquired = std::mem::take(&mut copy.inquired);
            copy.absent = inquired && delivered.ended == Ended::NotSent;
            (copy.asked, copy.transfer) = (false, None);
            if let Ended::Sold | Ended::Rejected = delivered.ended {
                self.buyers.at(copy.buyer).ends.add(delivered.ended == Ended::Rejected);
            }
            match delivered.ended {
                Ended::Sold => {
                    copy.stage = Stage::Sold;
                    let copy = copy.clone();
                    self.sold(at, &open, &copy, delivered.due());
                    self.paid(at, delivered);
                }
                Ended::Rejected | Ended::NotSent | Ended::Expired
                    if delivered.again_ms.is_none() =>
                {
                    let unseen = delivered.ended == Ended::NotSent && !copy.uncertain;
                    let back = if unseen { Back::Whole } else { Back::ButShown };
                    let campaign = copy.campaign;
                    let refusals = copy.refusals + u32::from(delivered.ended == Ended::Rejected);
                    self.pass_on(copy, delivered.successor.as_ref(), back);
                    copy.refusals = refusals;
                    if delivered.gives_up() && unseen && !open.erased {
                        copy.stage = Stage::GivenUp;
                    }
                    if copy.stage == Stage::Held {
                        copy.line = self.line_up();
                        copy.asked = !delivered.in_line;
                    }
                    let copy = copy.clone();
                    open.refused.push(delivered.buyer.clone());
                    if let Some(posted) = &open.posted {
                        self.persons.unsold(&posted.person, ping, campaign);
                    }
                    if copy.stage == Stage::Held {
                        self.claims(at, &open, &copy);
                    }
                }
                Ended::Unknown => copy.uncertain = true,
                Ended::Rejected | Ended::NotSent | Ended::Expired => (),
            }
        }
        if open.held().next().is_some() {
            self.pings.insert(ping, open);
        } else {
            self.shipments.keep(ping, open);
        }
    }

    /// Takes in that a delivery is made again. One that was given up holds its money anew.
    fn resent(&mut self, at: Moment, resent: &ShipmentResent) {
        let ping = PingId::from_u128(resent.ping);
        let kept = self.shipments.reopen(ping);
        let Some(mut open) = self.pings.remove(&ping).or(kept) else { return };
        let index = usize::try_from(resent.copy).unwrap_or(usize::MAX);
        if let Some(copy) = open.copies.get_mut(index) {
            if let Some(winner) = resent.held.as_ref().filter(|_| copy.stage == Stage::GivenUp) {
                let held = self.hold((false, copy.fingerprint), copy.place, winner);
                let (refusals, transfers) = (copy.refusals, copy.transfers);
                let successor = Some(Box::new(winner.clone()));
                *copy = Copy { successor, refusals, transfers, reopened: true, ..held };
                let copy = copy.clone();
                self.claims(at, &open, &copy);
            }
            if let Some(copy) = open.copies.get_mut(index) {
                (copy.line, copy.asked) = (self.line_up(), false);
            }
        }
        self.shipment_resent(at, resent);
        if open.held().next().is_some() {
            self.pings.insert(ping, open);
        } else {
            self.shipments.keep(ping, open);
        }
    }

    fn sold(&mut self, at: Moment, open: &OpenPing, copy: &Copy, paid: Micros) {
        let auction = &open.auction;
        let ping = PingId::from_u128(auction.ping);
        let account = &mut self.buyers.at(copy.buyer).account;
        account.held = difference(account.held, copy.due);
        account.balance = difference(account.balance, paid);
        self.promised.end(copy.campaign, copy.fingerprint);
        if auction.fingerprint != [0; 32] {
            let key = (copy.campaign, auction.fingerprint);
            self.bought.insert(key, at, ping, (), DUPLICATES_MAX);
        }
    }

    /// Remembers the person of a lead that is on its way to a buyer.
    fn claims(&mut self, at: Moment, open: &OpenPing, copy: &Copy) {
        let Some(posted) = &open.posted else { return };
        let vertical = self.verticals.number(&open.auction.vertical);
        let ping = PingId::from_u128(open.auction.ping);
        let sale = Sale { at, ping, vertical, buyer: copy.buyer, campaign: copy.campaign };
        self.persons.sold(&posted.person, sale, PERSONS_MAX);
    }

    /// Ends a copy's hold, and begins its successor's if there is one.
    fn pass_on(&mut self, copy: &mut Copy, successor: Option<&Winner>, back: Back) {
        self.release(copy, back);
        copy.stage = Stage::Void;
        if let Some(successor) = successor {
            let held = self.hold((false, copy.fingerprint), copy.place, successor);
            let (transfers, successor) = (copy.transfers, Some(Box::new(successor.clone())));
            *copy = Copy { asked: true, successor, transfers, ..held };
        }
    }

    /// Ends a ping whose lead was shown to nobody.
    fn void(&mut self, ping: PingId) {
        let Some(open) = self.pings.remove(&ping) else { return };
        if open.posted.is_none() {
            self.expiries.end(open.held_until, |ping| waits(&self.pings, ping));
        }
        if !open.test {
            for (_, copy) in open.held() {
                self.release(copy, Back::Whole);
            }
        }
    }

    fn hold(
        &mut self,
        (test, fingerprint): (bool, [u8; 32]),
        place: usize,
        winner: &Winner,
    ) -> Copy {
        let (buyer, campaign) =
            (self.buyers.number(&winner.buyer), self.campaigns.number(&winner.campaign));
        let (due, counted) = (winner.due(), winner.counted);
        if !test {
            let taken = Taken::by_hold(due);
            let purse = self.buyers.at(buyer);
            purse.account.held = sum(purse.account.held, due);
            purse.counters.count(counted.buyer, taken);
            self.campaigns.at(campaign).count(counted.campaign, taken);
            self.promised.add(campaign, fingerprint);
        }
        Copy { place, buyer, campaign, due, counted, fingerprint, ..Copy::default() }
    }

    pub(super) fn release(&mut self, copy: &Copy, back: Back) {
        let Copy { campaign, due, counted, fingerprint, .. } = *copy;
        self.promised.end(campaign, fingerprint);
        let taken = match back {
            Back::Whole => Taken::by_hold(due),
            Back::ButShown => Taken::by_hold(due).but_shown(),
        };
        let purse = self.buyers.at(copy.buyer);
        purse.account.held = difference(purse.account.held, due);
        purse.counters.uncount(counted.buyer, taken);
        self.campaigns.at(campaign).uncount(counted.campaign, taken);
    }

    pub(super) fn remember(
        &mut self,
        at: Moment,
        ping: PingId,
        source: &str,
        request: Option<&Request>,
    ) {
        self.requests.forget_before(before(at, REQUESTS_KEPT_MS));
        if let Some(request) = request {
            let source = self.sources.number(source);
            self.requests.insert(source, at, ping, request.clone(), REQUESTS_MAX);
        }
    }
}
