//! The loop behind the back door: every copy is asked for until it is sold, refused for good or unknown for good.
//!
//! An attempt begins with a durable fact: the post, the refusal that names the next buyer, or, for a repeat, a fact of its
//! own. So after a crash it is known which attempts may have reached their buyer. Each of those ends as unknown, like an
//! attempt whose answer was lost: a buyer that promised idempotency is asked again with the same key, any other waits for
//! the operator's word. An attempt that had not begun is made as if there had been no crash.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::{Exchange, Trouble};
use crate::book::{Copy, Stage, State};
use crate::catalog::{Market, Way};
use crate::contacts::Sealed;
use crate::delivery::courier::Outcome;
use crate::delivery::{self, Attempt, Errand, Failed, INTERRUPTED, Offer};
use crate::egress::signing::Signing;
use crate::facts::{AskedAgain, Delivered, Fact, Winner};
use crate::ids::PingId;
use crate::journal::{Committed, ContactRow, Duty};

/// How many deliveries may be under way at once.
pub const BERTHS_MAX: usize = 512;
/// How many posts may wait at once for what becomes of their deliveries. Beyond it a post is `pending` at once.
pub const POSTS_WAITING_MAX: usize = 16_384;
/// Why the end of a delivery is unknown that cannot be made any more.
const WITHOUT_LEAD: &str =
    "its contact data is not here: this exchange was opened on a backup, or its keys are lost";

impl Exchange {
    /// Delivers all copies of a posted lead, in a task of its own: a source that hangs up does not stop it.
    pub(super) fn deliver(
        self: &Arc<Self>,
        ping: PingId,
        committed: Committed,
        sealed: Sealed,
    ) -> JoinHandle<Result<(), Trouble>> {
        let (exchange, sealed) = (Arc::clone(self), Arc::new(sealed));
        self.tasks.spawn(async move {
            committed.wait().await.map_err(|_| Trouble::Closed)?;
            let copies = exchange.errands(ping).into_iter().map(|errand| {
                exchange.tasks.spawn(Arc::clone(&exchange).ship_lead(errand, Arc::clone(&sealed)))
            });
            let under_way: Vec<JoinHandle<()>> = copies.collect();
            for copy in under_way {
                copy.await.map_err(|_| Trouble::Closed)?;
            }
            Ok(())
        })
    }

    fn errands(&self, ping: PingId) -> Vec<Errand> {
        self.book.decide(|book| {
            let Some(open) = book.open_ping(ping) else { return Vec::new() };
            let winners = open.held().filter_map(|(index, copy)| Some((index, open.winner(copy)?)));
            winners.map(|(index, winner)| Errand::first(ping, index, winner.clone())).collect()
        })
    }

    /// Takes up a delivery that an earlier process left.
    pub(super) async fn resume(self: Arc<Self>, duty: Duty) {
        let (ping, step) = (PingId::from_u128(duty.key.subject), duty.key.step);
        let Some((errand, asked, transfer)) = self.book.decide(|book| {
            let open = book.open_ping(ping)?;
            let copy = open.copies.get(usize::try_from(step).ok()?)?;
            let errand = Errand::first(ping, step, open.winner(copy)?.clone());
            let errand = Errand { attempts: duty.attempts, ..errand };
            let known = (errand, copy.asked, copy.transfer);
            (copy.stage == Stage::Held).then_some(known)
        }) else {
            tracing::error!(%ping, copy = step, "a delivery is due for a copy that is settled");
            return;
        };
        if let Some(transfer) = transfer {
            return self.wait_for_report(errand, transfer).await;
        }
        // Of a transfer that was not offered yet, nobody has heard.
        if !asked || self.takes_callers(&errand.winner.buyer) {
            if self.pause_until(duty.due.unix_ms()).await {
                self.ship(errand).await;
            }
            return;
        }
        let unknown = Outcome::Unknown { why: INTERRUPTED.to_owned() };
        let (place, buyer) = ((ping, step), errand.winner.buyer.clone());
        if let Ok(Some(delivered)) = self.conclude(&errand, Attempt::of(unknown)).await {
            tracing::warn!(%ping, copy = step, buyer = %delivered.buyer, again = delivered.again_ms.is_some(), "delivery interrupted");
            if let Some(errand) = self.next(errand, delivered).await {
                Arc::clone(&self).ship(errand).await;
            }
        }
        self.lines.leave(&buyer, place);
    }

    /// Says whether a copy that falls to a winner now is not asked for at once: what had to wait and was not begun when the
    /// exchange stopped has certainly not reached anybody.
    pub(super) fn waits(&self, market: &Market, winner: &Winner) -> bool {
        delivery::takes_in_order(market, winner) || !self.berths.has_room(&winner.buyer)
    }

    fn takes_callers(&self, buyer: &str) -> bool {
        let market = self.catalog.load();
        market.buyer_named(buyer).is_some_and(|buyer| matches!(buyer.way, Way::Transfer(_)))
    }

    /// Makes deliveries from the lead that the journal keeps.
    pub(super) async fn ship(self: Arc<Self>, errand: Errand) {
        let contact = self.journal.contact(errand.ping.as_u128()).await;
        match contact.ok().flatten() {
            Some(ContactRow { sealed: lead, key, .. }) => {
                self.ship_lead(errand, Arc::new(Sealed { lead, key })).await;
            }
            None => {
                tracing::error!(ping = %errand.ping, copy = errand.copy, "a delivery is due without its lead");
                // Nobody can ask its buyer any more; the operator can, and says how it ended.
                let unknown = Outcome::Unknown { why: WITHOUT_LEAD.to_owned() };
                let _recorded = self.conclude(&errand, Attempt::of(unknown)).await;
                self.lines.leave(&errand.winner.buyer, (errand.ping, errand.copy));
            }
        }
    }

    async fn ship_lead(self: Arc<Self>, mut errand: Errand, sealed: Arc<Sealed>) {
        let Some(mut turn) = self.lines.turn(&errand, &self.stopping).await else { return };
        while let Some(delivered) = self.ship_once(&errand, &sealed).await {
            // The copy stays in line while the same buyer is asked again.
            let again = delivered.again_ms.is_some();
            match self.next(errand, delivered).await {
                Some(next) => errand = next,
                None => return,
            }
            if !again {
                drop(turn);
                let Some(next) = self.lines.turn(&errand, &self.stopping).await else { return };
                turn = next;
            }
        }
        drop(turn);
    }

    /// Returns the attempt that follows one that ended so, once it is time for it.
    async fn next(&self, errand: Errand, ended: Delivered) -> Option<Errand> {
        match (ended.again_ms, ended.successor) {
            (Some(again), _) => self
                .pause_until(again)
                .await
                .then_some(Errand { attempts: ended.attempt, ..errand }),
            (None, Some(winner)) => Some(Errand::first(errand.ping, errand.copy, winner)),
            (None, None) => None,
        }
    }

    async fn ship_once(self: &Arc<Self>, errand: &Errand, sealed: &Sealed) -> Option<Delivered> {
        let market = self.catalog.load();
        let attempt = {
            let _berth = self.berths.berth(&errand.winner.buyer).await?;
            let begun = |copy: &Copy| copy.asked && errand.attempts == 0;
            let is_begun =
                |book: &mut State| delivery::held(book.open_ping(errand.ping)?, errand).map(begun);
            if !self.book.decide(is_begun)? {
                self.ask_again(errand).await?;
            }
            let (vertical, handle) = self.book.decide(|book| {
                let open = book.open_ping(errand.ping)?;
                let handle = open.auction.handle_of(&errand.winner.campaign).map(str::to_owned);
                let vertical = open.auction.vertical.clone();
                delivery::may_ask(open, errand).then_some((vertical, handle))
            })?;
            let buyer = market.buyer_named(&errand.winner.buyer)?;
            let of = market.vertical_named(&vertical);
            if let Way::Transfer(transfer) = &buyer.way {
                self.offer_transfer(errand, transfer, of).await;
                // What comes of it is the source's to say.
                return None;
            }
            let schema = of.map(|vertical| &**vertical.schema());
            let (vertical, currency) = (vertical.as_str(), self.currency.as_str());
            // Open no longer than the attempt.
            let lead = &*self.open_lead(errand.ping, sealed).ok()?;
            let handle = handle.as_deref();
            let at = self.clock.now();
            match self.delivery_signing(buyer, at) {
                Ok(secrets) => {
                    let signing = secrets.as_deref().map(|secrets| Signing { secrets, at });
                    let test = false;
                    let offer = Offer { vertical, currency, handle, test, lead, schema, signing };
                    delivery::attempt(&self.courier, buyer, errand, &offer).await
                }
                Err(why) => Attempt::of(Outcome::NotSent { why, retry_after: None }),
            }
        };
        // What a buyer answers must not put an adapter out of service that others share.
        if let Some(Failed { module, upkeep, forfeit, reading: false }) = &attempt.failed {
            self.failed(module, upkeep, forfeit, self.clock.now());
        }
        self.conclude(errand, attempt).await.ok().flatten()
    }

    /// Records that an attempt begins that no fact began yet. Returns nothing if the copy was settled meanwhile.
    async fn ask_again(&self, errand: &Errand) -> Option<()> {
        let seat = self.journal.seat().await.ok()?;
        let at = self.clock.now();
        let committed = self.book.decide(|book| {
            let open = book.open_ping(errand.ping)?;
            // Of two who would ask again at once, one does.
            let free = delivery::held(open, errand).is_some_and(|copy| !copy.asked);
            (free && delivery::may_ask(open, errand)).then_some(())?;
            let fact = Fact::AskedAgain(AskedAgain {
                ping: errand.ping.as_u128(),
                copy: errand.copy,
                campaign: errand.winner.campaign.clone(),
                buyer: errand.winner.buyer.clone(),
                attempt: errand.attempts.saturating_add(1),
            });
            Some(self.record(book, seat, at, &fact, None))
        })?;
        committed.wait().await.ok().map(drop)
    }

    /// Records how an attempt ended. Returns nothing if the copy was settled meanwhile.
    pub(super) async fn conclude(
        &self,
        errand: &Errand,
        attempt: Attempt,
    ) -> Result<Option<Delivered>, Trouble> {
        self.conclude_unless(errand, attempt, |_| false).await
    }

    /// Records how a copy's delivery ended, unless something is true of the book at that moment. Returns nothing then, or
    /// if the copy was settled meanwhile.
    pub(super) async fn conclude_unless(
        &self,
        errand: &Errand,
        attempt: Attempt,
        barred: impl FnOnce(&State) -> bool,
    ) -> Result<Option<Delivered>, Trouble> {
        let market = self.catalog.load();
        let seat = self.journal.seat().await.map_err(|_| Trouble::Closed)?;
        let at = self.clock.now();
        let concluded = self.book.decide(|book| {
            if barred(book) {
                return None;
            }
            let waits = |next: &_| self.waits(&market, next);
            let delivered = delivery::conclude(book, &market, errand, attempt, waits, at)?;
            let fact = Fact::Delivered(delivered.clone());
            // The contact data is kept for as long as a delivery may need it, and no longer.
            let last = book
                .open_ping(errand.ping)
                .filter(|open| open.held().count() == 1 && delivered.closes());
            let contact = last.map(|open| {
                let before = open.copies.iter().any(|copy| copy.stage == Stage::GivenUp);
                let whose = (open.auction.vertical.as_str(), before || delivered.gives_up());
                self.retained(whose, errand.ping, at)
            });
            Some((delivered, self.record(book, seat, at, &fact, contact)))
        });
        let Some((delivered, committed)) = concluded else { return Ok(None) };
        committed.wait().await.map_err(|_| Trouble::Closed)?;
        tracing::debug!(ping = %errand.ping, buyer = %delivered.buyer, outcome = delivered.ended.code(), "delivery attempted");
        Ok(Some(delivered))
    }

    /// Waits for a moment; returns whether it came before the exchange was told to stop.
    pub(super) async fn pause_until(&self, unix_ms: i64) -> bool {
        let pause = unix_ms.saturating_sub(self.clock.now().unix_ms());
        let pause = Duration::from_millis(u64::try_from(pause).unwrap_or(0));
        tokio::select! {
            () = tokio::time::sleep(pause) => !self.stopping.is_cancelled(),
            () = self.stopping.cancelled() => false,
        }
    }
}
