//! The loop behind the back door: every copy is asked for until it is sold, refused for good or unknown for good.
//!
//! An attempt begins with a durable fact: the post, the refusal that names the next buyer, or, for a repeat, a fact of its
//! own. So after a crash it is known which attempts may have reached their buyer. Each of those ends as unknown, like an
//! attempt whose answer was lost: a buyer that promised idempotency is asked again with the same key, any other waits for
//! the operator's word. An attempt that had not begun is made as if there had been no crash.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Exchange, Trouble};
use crate::berths::Berths;
use crate::book::{Copy, Stage, State};
use crate::catalog::{Market, Way};
use crate::contacts::Sealed;
use crate::delivery::courier::Outcome;
use crate::delivery::{
    self, Attempt, Errand, Failed, INTERRUPTED, Offer, Question, question, status,
};
use crate::egress::signing::Signing;
use crate::facts::{AskedAgain, Delivered, Fact, StatusAsked, Winner};
use crate::ids::PingId;
use crate::journal::{Committed, ContactRow, Duty};

/// Why the end of a delivery is unknown that cannot be made any more.
const WITHOUT_LEAD: &str =
    "its contact data is not here: this exchange was opened on a backup, or its keys are lost";

/// Why a buyer that may have a lead is not asked again although that was planned.
const NOT_TO_BE_ASKED: &str =
    "it may not be asked again any more: it neither promises idempotency nor has a status page";

/// Why a buyer that may have a lead is not asked about it any more.
const TAKES_CALLERS: &str = "the buyer may have the lead, and takes callers now";

/// How long after a read of the journal that failed it is made again.
const READ_AGAIN: Duration = Duration::from_secs(1);

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
        let Some((errand, asked, transfer, catalog)) = self.book.decide(|book| {
            let open = book.open_ping(ping)?;
            let copy = open.copies.get(usize::try_from(step).ok()?)?;
            let errand = Errand::first(ping, step, open.winner(copy)?.clone());
            let errand = Errand { attempts: duty.attempts, ..errand };
            let known = (errand, copy.asked, copy.transfer, open.auction.catalog);
            (copy.stage == Stage::Held).then_some(known)
        }) else {
            tracing::error!(%ping, copy = step, "a delivery is due for a copy that is settled");
            return;
        };
        if let Some(transfer) = transfer {
            return self.wait_again(errand, transfer).await;
        }
        // Of a transfer that was not offered yet, nobody has heard; if that is what the attempt was to be.
        let unheard =
            || self.takes_callers(&errand.winner.buyer) && self.catalog.load().version() == catalog;
        if !asked || unheard() {
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
        let has_room = self.berths_of(market, &winner.buyer).has_room(&winner.buyer);
        delivery::takes_in_order(market, winner) || !has_room
    }

    fn berths_of(&self, market: &Market, buyer: &str) -> &Berths {
        let letters = market.buyer_named(buyer).is_some_and(|it| matches!(it.way, Way::Email(_)));
        if letters { &self.harbour.letters } else { &self.harbour.deliveries }
    }

    fn takes_callers(&self, buyer: &str) -> bool {
        let market = self.catalog.load();
        market.buyer_named(buyer).is_some_and(|buyer| matches!(buyer.way, Way::Transfer(_)))
    }

    /// Makes deliveries from the lead that the journal keeps.
    pub(super) async fn ship(self: Arc<Self>, errand: Errand) {
        let Errand { ping, copy, .. } = errand;
        let journal = &self.journal;
        let read = || async move {
            let contact = journal.contact(ping.as_u128()).await;
            contact.inspect_err(|error| {
                tracing::error!(%ping, copy, %error, "a delivery waits: its lead cannot be read");
            })
        };
        let Some(contact) = until_read(&self.stopping, READ_AGAIN, read).await else { return };
        match contact {
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
        let attempts = self.book.decide(|book| delivery::attempts_after(book, &ended));
        match (ended.again_ms, ended.successor) {
            (Some(again), _) => {
                self.pause_until(again).await.then_some(Errand { attempts, ..errand })
            }
            (None, Some(winner)) => Some(Errand::first(errand.ping, errand.copy, winner)),
            (None, None) => None,
        }
    }

    async fn ship_once(self: &Arc<Self>, errand: &Errand, sealed: &Sealed) -> Option<Delivered> {
        let attempt = {
            let berths = self.berths_of(&self.catalog.load(), &errand.winner.buyer).clone();
            let begun = |copy: &Copy| copy.asked && errand.attempts == 0;
            let is_begun =
                |book: &mut State| delivery::held(book.open_ping(errand.ping)?, errand).map(begun);
            let berth = berths.berth(&errand.winner.buyer);
            // What has not begun when the exchange is told to stop is not begun any more.
            let _berth = match self.book.decide(is_begun)? {
                true => berth.await,
                false => self.stopping.run_until_cancelled(berth).await.flatten(),
            }?;
            let question = match self.book.decide(is_begun)? {
                true => Some(Question::Lead),
                false if self.stopping.is_cancelled() => return None,
                false => self.ask_again(errand).await?,
            };
            match question {
                // Boxed, so that the many that wait take less room.
                Some(question) => Box::pin(self.attempt(errand, question, sealed)).await?,
                None => Attempt::of(Outcome::Unknown { why: NOT_TO_BE_ASKED.to_owned() }),
            }
        };
        // What a buyer answers must not put an adapter out of service that others share.
        if let Some(Failed { module, upkeep, forfeit, reading: false }) = &attempt.failed {
            self.failed(module, upkeep, forfeit, self.clock.now());
        }
        self.conclude(errand, attempt).await.ok().flatten()
    }

    /// Makes an attempt that has begun. Returns nothing if the copy was settled meanwhile, or if what comes of it is the
    /// source's to say.
    async fn attempt(
        self: &Arc<Self>,
        errand: &Errand,
        question: Question,
        sealed: &Sealed,
    ) -> Option<Attempt> {
        let in_doubt = matches!(question, Question::Status { .. });
        match self.asked(errand, question, sealed).await {
            Ok(attempt) => attempt,
            Err(why) if in_doubt => Some(Attempt::of(Outcome::Unknown { why })),
            Err(why) => Some(Attempt::of(Outcome::NotSent { why, retry_after: None })),
        }
    }

    /// # Errors
    ///
    /// Why nobody was asked.
    async fn asked(
        self: &Arc<Self>,
        errand: &Errand,
        question: Question,
        sealed: &Sealed,
    ) -> Result<Option<Attempt>, String> {
        let market = self.catalog.load();
        let held = self.book.decide(|book| {
            let open = book.open_ping(errand.ping)?;
            let handle = open.auction.handle_of(&errand.winner.campaign).map(str::to_owned);
            let of = (open.auction.vertical.clone(), handle, open.erased);
            delivery::held(open, errand).map(|copy| (of, copy.uncertain))
        });
        let Some(((vertical, handle, erased), uncertain)) = held else { return Ok(None) };
        if erased {
            return Err("the lead was erased before it was sent".to_owned());
        }
        let name = &errand.winner.buyer;
        let buyer =
            market.buyer_named(name).ok_or_else(|| format!("there is no buyer `{name}`"))?;
        let of = market.vertical_named(&vertical);
        if let Way::Transfer(transfer) = &buyer.way {
            if uncertain {
                return Ok(Some(Attempt::of(Outcome::Unknown { why: TAKES_CALLERS.to_owned() })));
            }
            self.offer_transfer(errand, transfer, of).await;
            return Ok(None);
        }
        let schema = of.map(|vertical| &**vertical.schema());
        let (vertical, currency) = (vertical.as_str(), self.currency.as_str());
        // Open no longer than the attempt.
        let opened = self.open_lead(errand.ping, sealed);
        let lead =
            &*opened.map_err(|error| format!("its contact data cannot be opened: {error}"))?;
        let (handle, at) = (handle.as_deref(), self.clock.now());
        let secrets = self.delivery_signing(buyer, at)?;
        let signing = secrets.as_deref().map(|secrets| Signing { secrets, at });
        let offer = Offer { vertical, currency, handle, test: false, lead, schema, signing };
        Ok(Some(match question {
            Question::Lead => delivery::attempt(&self.courier, buyer, errand, &offer).await,
            Question::Status { page, tried } => {
                let ago = at.unix_ms().saturating_sub(tried.unix_ms());
                let ago = Duration::from_millis(u64::try_from(ago).unwrap_or_default());
                status::inquire(&self.courier, (buyer, &page), errand, &offer, ago).await
            }
        }))
    }

    /// Records that an attempt begins that no fact began yet, and returns what is asked; nothing of that if its buyer may
    /// have the lead and is not to be asked any more. Returns nothing at all if the copy was settled meanwhile.
    async fn ask_again(&self, errand: &Errand) -> Option<Option<Question>> {
        let seat = self.journal.seat().await.ok()?;
        let (market, at) = (self.catalog.load(), self.clock.now());
        let (question, committed) = self.book.decide(|book| {
            let open = book.open_ping(errand.ping)?;
            // Of two who would ask again at once, one does.
            let free = delivery::held(open, errand).is_some_and(|copy| !copy.asked);
            (free && delivery::may_ask(open, errand)).then_some(())?;
            let Some(question) = question(book, &market, errand) else { return Some((None, None)) };
            let begins = AskedAgain {
                ping: errand.ping.as_u128(),
                copy: errand.copy,
                campaign: errand.winner.campaign.clone(),
                buyer: errand.winner.buyer.clone(),
                attempt: errand.attempts.saturating_add(1),
            };
            let fact = match question {
                Question::Lead => Fact::AskedAgain(begins),
                Question::Status { .. } => Fact::StatusAsked(StatusAsked(begins)),
            };
            Some((Some(question), Some(self.record(book, seat, at, &fact, None))))
        })?;
        if let Some(committed) = committed {
            committed.wait().await.ok()?;
        }
        Some(question)
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

/// Reads until that succeeds. Returns nothing if it is told to stop before.
async fn until_read<T, E, F: Future<Output = Result<T, E>>>(
    stop: &CancellationToken,
    pause: Duration,
    mut read: impl FnMut() -> F,
) -> Option<T> {
    loop {
        if let Ok(read) = read().await {
            return Some(read);
        }
        stop.run_until_cancelled(tokio::time::sleep(pause)).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[tokio::test]
    async fn what_cannot_be_read_now_is_read_later_and_not_taken_for_lost() {
        let (stop, mut reads) = (CancellationToken::new(), 0);
        let read = || {
            reads += 1;
            ready(if reads < 4 { Err(()) } else { Ok(Some("the lead")) })
        };
        assert_eq!(until_read(&stop, Duration::ZERO, read).await, Some(Some("the lead")));
        let none = || ready(Ok::<_, ()>(None::<&str>));
        assert_eq!(until_read(&stop, Duration::ZERO, none).await, Some(None));
        stop.cancel();
        let never = || ready(Err::<&str, _>(()));
        assert_eq!(until_read(&stop, Duration::from_secs(60), never).await, None);
    }
}
