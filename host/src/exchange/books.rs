//! The books: the book and the ledger take every fact together, and must agree after each. If they ever do not, no money
//! moves any more: better no sale than a wrong one.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::{Exchange, Trouble};
use crate::book::State;
use crate::clock::Moment;
use crate::delivery;
use crate::facts::Fact;
use crate::ids::PingId;
use crate::journal::{Committed, ContactChange, Entry, Record, Seat};
use crate::settlement::{self, Discrepancy, Ledger, postback};

/// How often everything is compared; what a fact moves is compared at once.
const COMPARE_EVERY: Duration = Duration::from_secs(10);

/// The ledger beside the book, and whether money may move.
#[derive(Debug, Default)]
pub(super) struct Books {
    ledger: Mutex<Ledger>,
    stopped: OnceLock<String>,
}

/// The fact was not taken, because the books do not agree.
#[derive(Debug)]
pub(super) struct Stopped;

impl Books {
    /// Takes a ledger that was rebuilt from the journal.
    pub(super) fn new(ledger: Ledger) -> Self {
        Self { ledger: Mutex::new(ledger), stopped: OnceLock::new() }
    }

    /// Locks the ledger. Whoever needs the book too locks the book first.
    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a fact into book and ledger.
    ///
    /// # Errors
    ///
    /// If it moves money and the books do not agree, or would not after it. Then it must not be recorded.
    pub(super) fn enter(
        &self,
        book: &mut State,
        at: Moment,
        fact: &Fact,
        legs: &[Entry],
    ) -> Result<(), Stopped> {
        if self.stopped.get().is_some() && moves_money(fact, legs) {
            return Err(Stopped);
        }
        let mut ledger = self.ledger();
        let seq = ledger.seq().saturating_add(1);
        let taken = settlement::backed(book, seq, fact).and_then(|()| ledger.take(at, fact, legs));
        let agreed = taken.and_then(|()| {
            book.apply(at, fact);
            ledger.agrees(book, legs)
        });
        agreed.map_err(|discrepancy| {
            self.found(&discrepancy);
            Stopped
        })
    }

    /// Compares everything.
    pub(super) fn compare(&self, book: &State, recorded: u64) {
        let ledger = self.ledger();
        metrics::counter!("gavel_ledger_comparisons_total").increment(1);
        if let Err(discrepancy) = ledger.agrees_wholly(book) {
            self.found(&discrepancy);
        } else if recorded > ledger.seq() {
            self.stop(&format!(
                "fact {recorded} is recorded, and the books end at {}",
                ledger.seq()
            ));
        }
    }

    fn found(&self, discrepancy: &Discrepancy) {
        metrics::counter!("gavel_ledger_discrepancies_total").increment(1);
        self.stop(&discrepancy.to_string());
    }

    fn stop(&self, why: &str) {
        if self.stopped.set(why.to_owned()).is_ok() {
            metrics::gauge!("gavel_money_stopped").set(1);
            tracing::error!(%why, "the books do not agree: no money moves until the exchange is started again");
        }
    }
}

impl Exchange {
    /// Returns why no money moves, if the books do not agree.
    pub fn money_stopped(&self) -> Option<&str> {
        self.books.stopped.get().map(String::as_str)
    }

    /// Stops all movement of money until the next start. Reading, refusing and saving go on.
    pub fn stop_money(&self, why: &str) {
        self.books.stop(why);
    }

    /// Lets only through while money may move.
    pub(super) fn money_moves(&self) -> Result<(), Trouble> {
        match self.money_stopped() {
            None => Ok(()),
            Some(why) => Err(Trouble::MoneyStopped(why.to_owned())),
        }
    }

    /// Takes a fact into the books and returns its record, without its payload.
    pub(super) fn booked(
        &self,
        book: &mut State,
        at: Moment,
        fact: &Fact,
        contact: Option<ContactChange>,
    ) -> Result<Record, Stopped> {
        let entries = settlement::entries(fact);
        let told = self.told(book, fact);
        self.books.enter(book, at, fact, &entries)?;
        self.line_up(book, fact);
        let mut duties = delivery::duties(fact, at, book);
        duties.extend(postback::duties(fact, at));
        duties.extend(self.tell(told, at));
        Ok(Record {
            at,
            subject: fact.subject().map(PingId::as_u128),
            kind: fact.kind(),
            entries,
            duties,
            contact,
            ..Record::default()
        })
    }

    /// Records facts that belong together, in one transaction: the last with those before it.
    pub(super) fn record_all(
        &self,
        book: &mut State,
        seat: Seat,
        at: Moment,
        (first_facts, last): (&[Fact], &Fact),
    ) -> Committed {
        let mut before = self.called(book, at);
        let firsts = first_facts.iter().try_for_each(|fact| {
            let first = self.booked(book, at, fact, None)?;
            before.push(Record { payload: fact.encode(), ..first });
            Ok(())
        });
        match firsts.and_then(|()| self.booked(book, at, last, None)) {
            Ok(record) => {
                let last = last.clone();
                seat.fill_linked(before, record, move || last.encode())
            }
            Err(Stopped) => seat.leave(),
        }
    }

    /// Compares book and ledger from time to time, until the exchange is told to stop.
    pub(super) async fn watch_books(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(COMPARE_EVERY) => (),
                () = self.stopping.cancelled() => return,
            }
            let recorded = self.journal.head().seq;
            self.book.decide(|book| self.books.compare(book, recorded));
        }
    }
}

/// Says whether a fact moves money, holds some, or promises a sale.
fn moves_money(fact: &Fact, legs: &[Entry]) -> bool {
    !legs.is_empty()
        || match fact {
            Fact::PingAnswered(auction) => !auction.winners.is_empty(),
            Fact::Posted(_) | Fact::ShipmentResent(_) | Fact::ReturnRequested(_) => true,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Charged, Delivered, Deposited, Ended};
    use crate::money::Micros;

    fn deposit(amount: i64) -> Fact {
        let (buyer, reference) = ("acme".to_owned(), format!("w-{amount}"));
        Fact::Deposited(Deposited { buyer, amount, reference })
    }

    fn enter(books: &Books, book: &mut State, fact: &Fact) -> bool {
        books.enter(book, Moment::from_unix_ms(1), fact, &settlement::entries(fact)).is_ok()
    }

    #[test]
    fn a_sale_without_a_hold_is_not_taken_and_stops_all_money() {
        let (books, mut book) = (Books::default(), State::default());
        assert!(enter(&books, &mut book, &deposit(5_000_000)));
        let sale = Fact::Delivered(Delivered {
            ping: 7,
            source: "web".to_owned(),
            copy: 0,
            campaign: "acme-ca".to_owned(),
            buyer: "acme".to_owned(),
            attempt: 1,
            ended: Ended::Sold,
            detail: None,
            adapter: None,
            price: 2_000_000,
            buyer_fees: Charged::default(),
            payout: 1_000_000,
            source_fees: Charged::default(),
            again_ms: None,
            successor: None,
            in_line: false,
            transfer: None,
        });
        assert!(!enter(&books, &mut book, &sale));
        let why = books.stopped.get().unwrap();
        assert!(why.starts_with("fact 2 sells copy 0 of pg_"), "{why}");
        assert!(why.ends_with("for which no money is held"), "{why}");
        assert!(!enter(&books, &mut book, &deposit(1)), "money moved after the stop");
        assert_eq!(book.account("acme").balance, Micros::new(5_000_000));
    }

    #[test]
    fn a_book_that_differs_from_the_ledger_stops_all_money() {
        let (books, mut book) = (Books::default(), State::default());
        assert!(enter(&books, &mut book, &deposit(5_000_000)));
        // Behind the ledger's back.
        book.apply(Moment::from_unix_ms(1), &deposit(1_000_000));
        books.compare(&book, 1);
        let why = books.stopped.get().unwrap();
        assert_eq!(
            why,
            "after fact 1 `buyer:acme:prepaid` has 5.00 in the ledger and 6.00 in the book"
        );
    }

    #[test]
    fn legs_that_do_not_sum_to_zero_are_not_taken() {
        let (books, mut book) = (Books::default(), State::default());
        let fact = deposit(5_000_000);
        let mut legs = settlement::entries(&fact);
        legs.pop();
        assert!(books.enter(&mut book, Moment::from_unix_ms(1), &fact, &legs).is_err());
        assert_eq!(
            books.stopped.get().unwrap(),
            "fact 1 has legs that sum to 5000000 millionths instead of zero"
        );
    }
}
