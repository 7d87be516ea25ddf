//! What a step of the walk does, to the book and to the model.

use super::*;
use crate::book::model::{Claim, End};
use crate::book::tests::{answered, delivered};
use crate::facts::{
    AskedAgain, Charged, Delivered, Deposited, Ended, Expired, PassedOver, Person, PingAnswered,
    PostRefused, Posted, ShipmentResent, SuppressionsAdded, SuppressionsRemoved, Winner,
};

/// What the walk's buyers pay on top of a price.
fn fees_on(price: i64) -> Charged {
    Charged { lead: price % 3, percent: price % 2 }
}

impl Walk {
    /// Time goes on, or the clock jumps a day or an hour, ahead or back.
    pub(super) fn clock(&mut self) {
        let by = match self.below(20) {
            0 => -24 * HOUR,
            1 => 24 * HOUR,
            2 => -HOUR,
            _ => i64::try_from(self.below(2 * 3_600_000)).unwrap(),
        };
        self.now = Moment::from_unix_ms(self.now.unix_ms() + by);
    }

    pub(super) fn deposit(&mut self) {
        let buyer = self.pick(&["acme", "best", "core"]).unwrap().to_owned();
        let amount = i64::try_from(self.below(150)).unwrap() + 1;
        let reference = format!("wire-{}", self.facts.len());
        self.model.deposits.push((buyer.clone(), amount));
        self.apply(&Fact::Deposited(Deposited { buyer, amount, reference }));
    }

    /// An auction for up to two copies, to distinct buyers.
    pub(super) fn ping(&mut self) {
        self.pings += 1;
        let (mut winners, mut others) = (Vec::new(), Vec::new());
        let print = match self.below(6) {
            0 => [0; 32],
            _ => [u8::try_from(self.below(30)).unwrap(); 32],
        };
        let campaigns = self.campaigns.clone();
        for campaign in campaigns.iter().map(AsRef::as_ref) {
            let amount = i64::try_from(self.below(20)).unwrap() + 1;
            let due = amount + fees_on(amount).total();
            let covered = self.state.covers(campaign, print, Micros::new(due), self.now);
            let expected = self.model.covers(campaign, print, due, self.now);
            assert_eq!(covered.is_ok(), expected, "{} at {amount}: {covered:?}", campaign.id);
            let buyer = &campaign.buyer.id;
            let has = winners
                .iter()
                .any(|(won, _, _): &(&Campaign, i64, Counted)| won.buyer.id == *buyer);
            match covered {
                Ok(counted) if !has && winners.len() < 2 && self.below(2) == 0 => {
                    winners.push((campaign, amount, counted));
                }
                _ => others.push((campaign, amount)),
            }
        }
        let test = self.below(20) == 0;
        let fact = answered(self.pings, &winners, &others, self.now);
        let mut fact = PingAnswered { test, fingerprint: print, ..fact };
        for winner in &mut fact.winners {
            winner.fees = fees_on(winner.price);
        }
        if !test {
            for (copy, winner) in (0..).zip(&fact.winners) {
                self.model.hold((self.pings, copy), print, winner, self.now);
            }
        }
        self.apply(&Fact::PingAnswered(Arc::new(fact)));
    }

    fn waiting(&self) -> Vec<u128> {
        let waiting = self.state.pings.iter().filter(|(_, open)| open.posted.is_none());
        let mut waiting: Vec<u128> = waiting.map(|(ping, _)| ping.as_u128()).collect();
        waiting.sort_unstable();
        waiting
    }

    pub(super) fn post(&mut self) {
        let Some(ping) = self.pick(&self.waiting()) else { return };
        let print = |number: u64| [u8::try_from(number).unwrap(); 32];
        let (phone, email) = (self.below(12), self.below(12));
        let person = Person {
            phone: Some(print(phone)).filter(|_| phone > 0),
            email: Some(print(email)).filter(|_| email > 0),
        };
        let entries = [[u8::try_from(phone).unwrap(); 16]];
        let open = self.state.open_ping(PingId::from_u128(ping)).unwrap().clone();
        let print = open.auction.fingerprint;
        if self.below(20) == 0 {
            if !open.auction.test {
                for (copy, _) in open.held() {
                    self.model.end(ping, copy, End::Void { shown: false }, self.now);
                }
            }
            let reason = "suppressed".to_owned();
            let fact = PostRefused { ping, body: [0; 32], request: None, reason, detail: None };
            return self.apply(&Fact::PostRefused(fact));
        }
        let mut passed_over = Vec::new();
        let campaigns = self.campaigns.clone();
        for campaign in &campaigns {
            let may = self.state.may_have(campaign, &person, &entries, self.now);
            let expected = self.model.may_have(campaign, &person, &entries, self.now);
            assert_eq!(may.is_ok(), expected, "{} {person:?}: {may:?}", campaign.id);
            if may.is_ok() {
                continue;
            }
            let copy = open.held().find(|(_, copy)| {
                open.winner(copy).is_some_and(|winner| winner.campaign == campaign.id.as_str())
            });
            passed_over.push(PassedOver {
                campaign: campaign.id.as_str().to_owned(),
                buyer: campaign.buyer.id.as_str().to_owned(),
                reason: "duplicate-person".to_owned(),
                detail: None,
                copy: copy.map(|(copy, _)| copy),
                successor: None,
            });
        }
        let barred: Vec<String> =
            passed_over.iter().map(|passed| passed.campaign.clone()).collect();
        let mut takers: Vec<String> =
            open.auction.winners.iter().map(|won| won.buyer.clone()).collect();
        for passed in passed_over.iter_mut().filter(|passed| passed.copy.is_some()) {
            passed.successor = self.successor(&takers, &barred, print);
            takers.extend(passed.successor.as_ref().map(|successor| successor.buyer.clone()));
        }
        let posted = Posted { ping, person, passed_over, ..Posted::default() };
        if !open.auction.test {
            for passed in &posted.passed_over {
                let Some(copy) = passed.copy else { continue };
                self.model.end(ping, copy, End::Void { shown: false }, self.now);
                if let Some(successor) = &passed.successor {
                    self.model.hold((ping, copy), print, successor, self.now);
                }
            }
            self.claim(ping, person);
        }
        self.apply(&Fact::Posted(posted));
    }

    /// Notes in the model that the open copies of a ping are on their way.
    fn claim(&mut self, ping: u128, person: Person) {
        let open = self.model.open();
        let claims = open.iter().filter(|((of, _), _)| *of == ping).map(|(_, hold)| Claim {
            at: self.now,
            ping,
            person,
            campaign: hold.campaign.clone(),
            buyer: hold.buyer.clone(),
            sold: false,
        });
        let claims: Vec<Claim> = claims.collect();
        self.model.claims.extend(claims);
    }

    /// Returns some campaign that can pay, of a buyer without a copy.
    fn successor(
        &mut self,
        takers: &[String],
        barred: &[String],
        print: [u8; 32],
    ) -> Option<Winner> {
        let campaign = self.pick(&self.campaigns.clone())?;
        let (name, buyer) = (campaign.id.as_str(), campaign.buyer.id.as_str());
        if takers.iter().any(|taker| taker == buyer) || barred.iter().any(|barred| barred == name) {
            return None;
        }
        let covered = self.state.covers(&campaign, print, Micros::new(5), self.now);
        let expected = self.model.covers(&campaign, print, 5, self.now);
        assert_eq!(covered.is_ok(), expected, "{} after another: {covered:?}", campaign.id);
        let counted = covered.ok()?;
        let (campaign, buyer) = (name.to_owned(), buyer.to_owned());
        let fees = Charged { lead: 1, percent: 1 };
        Some(Winner { campaign, buyer, bid: 3, price: 3, fees, exclusive: false, counted })
    }

    /// Returns the copies that are on their way to a buyer.
    fn on_their_way(&self) -> Vec<(u128, u32, Winner)> {
        let posted = self.state.pings.iter().filter(|(_, open)| open.posted.is_some());
        let copies = posted.flat_map(|(ping, open)| {
            let held =
                open.held().filter_map(|(copy, held)| Some((copy, open.winner(held)?.clone())));
            held.map(|(copy, winner)| (ping.as_u128(), copy, winner)).collect::<Vec<_>>()
        });
        let mut copies: Vec<_> = copies.collect();
        copies.sort_unstable_by_key(|(ping, copy, _)| (*ping, *copy));
        copies
    }

    pub(super) fn deliver(&mut self) {
        let Some((ping, copy, winner)) = self.pick(&self.on_their_way()) else { return };
        let ended = [Ended::Sold, Ended::Sold, Ended::Rejected, Ended::NotSent, Ended::Unknown];
        let ended = self.pick(&ended).unwrap();
        let again = ended == Ended::NotSent && self.below(2) == 0;
        let mut fact = Delivered {
            copy,
            again_ms: again.then_some(self.now.unix_ms()),
            ..delivered(ping, &winner, ended)
        };
        let open = self.state.open_ping(PingId::from_u128(ping)).unwrap().clone();
        let print = open.auction.fingerprint;
        let void = !again && matches!(ended, Ended::Rejected | Ended::NotSent);
        if void {
            let mut takers: Vec<String> = open
                .held()
                .filter_map(|(_, copy)| Some(open.winner(copy)?.buyer.clone()))
                .collect();
            takers.push(winner.buyer.clone());
            fact.successor = self.successor(&takers, &[], print);
            let uncertain = open.copies.get(usize::try_from(copy).unwrap()).unwrap().uncertain;
            let shown = ended == Ended::Rejected || uncertain;
            self.model.end(ping, copy, End::Void { shown }, self.now);
            let refused = |claim: &Claim| claim.ping == ping && claim.campaign == winner.campaign;
            self.model.claims.retain(|claim| !refused(claim));
            if let Some(successor) = &fact.successor {
                self.model.hold((ping, copy), print, successor, self.now);
                self.model.claims.push(Claim {
                    at: self.now,
                    ping,
                    person: open.posted.as_ref().unwrap().person,
                    campaign: successor.campaign.clone(),
                    buyer: successor.buyer.clone(),
                    sold: false,
                });
            }
        }
        if ended == Ended::Sold {
            self.model.end(ping, copy, End::Sold, self.now);
            let mut claims = self.model.claims.iter_mut();
            let claim =
                claims.find(|claim| claim.ping == ping && claim.campaign == winner.campaign);
            claim.unwrap().sold = true;
        }
        self.apply(&Fact::Delivered(fact.clone()));
        if ended == Ended::Sold || void && fact.successor.is_none() {
            // Said twice, it has no second effect.
            let twice = self.state.clone();
            self.apply(&Fact::Delivered(fact));
            let settled = self.state.open_ping(PingId::from_u128(ping)).is_none();
            assert!(settled || self.state.holds() == twice.holds());
        }
    }

    pub(super) fn expire(&mut self) {
        let limit = usize::try_from(self.below(4)).unwrap() + 1;
        let overdue = self.state.overdue(self.now, limit);
        let pings: Vec<u128> = overdue.into_iter().map(PingId::as_u128).collect();
        for ping in &pings {
            let open = self.state.open_ping(PingId::from_u128(*ping)).unwrap();
            assert!(open.posted.is_none() && open.auction.held_until() < self.now);
            let copies: Vec<u32> = open.held().map(|(copy, _)| copy).collect();
            for copy in copies.into_iter().filter(|_| !open.auction.test) {
                self.model.end(*ping, copy, End::Void { shown: false }, self.now);
            }
        }
        self.apply(&Fact::Expired(Expired { pings }));
    }

    pub(super) fn ask_again(&mut self) {
        let Some((ping, copy, winner)) = self.pick(&self.on_their_way()) else { return };
        let (campaign, buyer) = (winner.campaign, winner.buyer);
        self.apply(&Fact::AskedAgain(AskedAgain { ping, copy, campaign, buyer, attempt: 2 }));
    }

    /// Sends a copy again that was given up, if its buyer can pay; or one that is in doubt.
    pub(super) fn send_again(&mut self) {
        let dead = self.state.shipments(ShipmentStatus::Dead, None).map(|(key, _)| key);
        let unknown = self.state.shipments(ShipmentStatus::Unknown, None).map(|(key, _)| key);
        let keys: Vec<ShipmentKey> = dead.chain(unknown).collect();
        let Some(key) = self.pick(&keys) else { return };
        let (ping, copy) = (key.0.as_u128(), key.1);
        let fact = |winner: &Winner, held| ShipmentResent {
            ping,
            copy,
            campaign: winner.campaign.clone(),
            buyer: winner.buyer.clone(),
            attempts: 0,
            held,
            in_line: false,
        };
        let Some((open, given_up)) = self.state.given_up(key) else {
            let on_their_way = self.on_their_way();
            let mut held = on_their_way.iter().filter(|(of, at, _)| (*of, *at) == (ping, copy));
            let Some((_, _, winner)) = held.next() else { return };
            return self.apply(&Fact::ShipmentResent(fact(winner, None)));
        };
        let winner = open.winner(given_up).unwrap().clone();
        let (person, print) = (open.posted.as_ref().unwrap().person, open.auction.fingerprint);
        let campaigns = self.campaigns.clone();
        let campaign =
            campaigns.iter().find(|one| one.id.as_str() == winner.campaign.as_str()).unwrap();
        let covered = self.state.covers(campaign, print, winner.due(), self.now);
        let expected = self.model.covers(campaign, print, winner.due().get(), self.now);
        assert_eq!(covered.is_ok(), expected, "{} sent again: {covered:?}", campaign.id);
        let Ok(counted) = covered else { return };
        let winner = Winner { counted, ..winner };
        self.model.hold((ping, copy), print, &winner, self.now);
        self.model.claims.push(Claim {
            at: self.now,
            ping,
            person,
            campaign: winner.campaign.clone(),
            buyer: winner.buyer.clone(),
            sold: false,
        });
        self.apply(&Fact::ShipmentResent(fact(&winner, Some(winner.clone()))));
    }

    pub(super) fn lists(&mut self, add: bool) {
        let count = self.below(3) + 1;
        let entries: Vec<Entry> =
            (0..count).map(|_| [u8::try_from(self.below(12)).unwrap(); 16]).collect();
        let list = LIST.to_owned();
        if add {
            self.model.suppressed.extend(entries.iter().copied());
            self.apply(&Fact::SuppressionsAdded(SuppressionsAdded { list, entries }));
        } else {
            self.model.suppressed.retain(|entry| !entries.contains(entry));
            self.apply(&Fact::SuppressionsRemoved(SuppressionsRemoved { list, entries }));
        }
    }
}
