//! Money that operators move: deposits and withdrawals of buyers, payouts to sources, corrections, write-offs.
//!
//! Every movement has a reference. The same reference with the same content counts once; with other content it is
//! refused, with what differs. Nothing is ever changed: what was wrong is put right by another movement.

use super::office::{REFERENCE_BYTES_MAX, invalid};
use super::{ActError, Exchange};
use crate::book::{Account, State};
use crate::facts::{Deposited, Fact, TransferKind, Transferred};
use crate::ids::{BuyerId, SourceId};
use crate::money::{AccountName, Micros};
use crate::settlement;

/// The longest reason of a movement or a return, in bytes.
pub const REASON_BYTES_MAX: usize = 1_024;

/// A movement as it stands in the books.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The number of its fact; nothing if it was booked before.
    pub fact: Option<u64>,
    /// The money of the buyer that it is for, after it.
    pub account: Account,
    /// What the source that it is for is owed, after it.
    pub owed: Micros,
}

impl Exchange {
    /// Books a buyer's money. The same reference with the same amount counts once.
    pub async fn deposit(
        &self,
        buyer: &str,
        amount: Micros,
        reference: &str,
    ) -> Result<Moved, ActError> {
        above_zero(amount, "a deposit")?;
        short(reference)?;
        self.known(&AccountName::Prepaid(buyer.to_owned()), "")?;
        let fact = Fact::Deposited(Deposited {
            buyer: buyer.to_owned(),
            amount: amount.get(),
            reference: reference.to_owned(),
        });
        self.moved(&fact, buyer, "", |book| match book.deposit(buyer, reference) {
            None => Ok(true),
            Some(known) if known == amount => Ok(false),
            Some(known) => Err(ActError::Conflict(format!(
                "reference `{reference}` was used for a deposit of {known}"
            ))),
        })
        .await
    }

    /// Moves money between two accounts, if whoever pays has it.
    pub async fn transfer(&self, transfer: Transferred) -> Result<Moved, ActError> {
        let what = format!("a {}", transfer.kind.code());
        let amount = Micros::new(transfer.amount);
        above_zero(amount, &what)?;
        short(&transfer.reference)?;
        let reasoned = matches!(transfer.kind, TransferKind::Correction | TransferKind::WriteOff);
        if transfer.reason.len() > REASON_BYTES_MAX || reasoned && transfer.reason.trim().is_empty()
        {
            let message = format!("{what} says why, in 1 to {REASON_BYTES_MAX} bytes");
            return Err(invalid("/reason", message));
        }
        let debit = self.account_named(&transfer.debit, "/debit")?;
        let credit = self.account_named(&transfer.credit, "/credit")?;
        if debit == credit {
            return Err(invalid(
                "/credit",
                format!("`{credit}` cannot pay itself: debit and credit differ"),
            ));
        }
        if let Some(seq) = transfer.corrects {
            self.moved_money(seq).await?;
        }
        let (buyer, source) = parties(&debit, &credit);
        let fact = Fact::Transferred(transfer.clone());
        self.moved(&fact, &buyer, &source, |book| {
            match book.transfer(transfer.kind, &transfer.party(), &transfer.reference) {
                None => self.affords(book, &transfer, &debit, &credit).map(|()| true),
                Some(known) => same(known, &transfer).map(|()| false),
            }
        })
        .await
    }

    /// Records a movement, unless the decision is that it was booked before.
    async fn moved(
        &self,
        fact: &Fact,
        buyer: &str,
        source: &str,
        is_new: impl FnOnce(&State) -> Result<bool, ActError>,
    ) -> Result<Moved, ActError> {
        self.money_moves_for_acts()?;
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let at = self.clock.now();
        let (committed, account, owed) = self.book.decide(|book| {
            let committed = match is_new(book)? {
                false => None,
                true => {
                    self.fits(fact)?;
                    Some(self.record(book, seat, at, fact, None))
                }
            };
            Ok::<_, ActError>((committed, book.account(buyer), book.owed(source)))
        })?;
        let Some(committed) = committed else {
            // The first of the same may be on its way to the disk yet.
            self.journal.settled().await.map_err(|_| ActError::Closed)?;
            return Ok(Moved { fact: None, account, owed });
        };
        let fact = committed.wait().await.map_err(|_| ActError::Closed)?;
        Ok(Moved { fact: Some(fact), account, owed })
    }

    /// Refuses what would take an account beyond the largest amount.
    pub(super) fn fits(&self, fact: &Fact) -> Result<(), ActError> {
        self.books.ledger().fits(&settlement::entries(fact)).map_err(|account| {
            let message = format!("the balance of `{account}` would pass the largest amount");
            invalid("/amount", message)
        })
    }

    pub(super) fn money_moves_for_acts(&self) -> Result<(), ActError> {
        self.money_stopped().map_or(Ok(()), |why| Err(ActError::MoneyStopped(why.to_owned())))
    }

    /// Says whether whoever pays a transfer has the money for it.
    fn affords(
        &self,
        book: &State,
        transfer: &Transferred,
        debit: &AccountName,
        credit: &AccountName,
    ) -> Result<(), ActError> {
        let amount = Micros::new(transfer.amount);
        let kind = transfer.kind.code();
        if transfer.kind == TransferKind::WriteOff {
            let owes = match credit {
                AccountName::Prepaid(buyer) => book.account(buyer).balance,
                AccountName::Payable(source) => book.owed(source),
                _ => Micros::ZERO,
            };
            let owes = Micros::ZERO.checked_sub(owes).unwrap_or_default().max(Micros::ZERO);
            return if amount <= owes {
                Ok(())
            } else {
                let message = format!("`{credit}` owes {owes}; a write-off of {amount} is more");
                Err(ActError::Conflict(message))
            };
        }
        match debit {
            AccountName::Prepaid(buyer) => {
                let account = book.account(buyer);
                let Account { balance, held } = account;
                let credit_limit = match transfer.kind {
                    TransferKind::Withdrawal => Micros::ZERO,
                    _ => self
                        .catalog
                        .load()
                        .buyer_named(buyer)
                        .map_or(Micros::ZERO, |buyer| buyer.credit_limit),
                };
                let free = account.free(credit_limit).max(Micros::ZERO);
                if amount <= free {
                    return Ok(());
                }
                Err(ActError::Conflict(format!(
                    "buyer `{buyer}` has {free} free ({balance} less {held} held); a {kind} of {amount} is more"
                )))
            }
            AccountName::Payable(source) if transfer.kind == TransferKind::Payout => {
                let owed = book.owed(source);
                if amount <= owed {
                    return Ok(());
                }
                Err(ActError::Conflict(format!(
                    "source `{source}` is owed {owed}; a payout of {amount} is more"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Says whether the buyer or source of an account was ever saved; other accounts have none.
    pub fn has_party(&self, account: &AccountName) -> bool {
        self.known(account, "").is_ok()
    }

    /// Reads the name of an account that exists.
    fn account_named(&self, name: &str, pointer: &str) -> Result<AccountName, ActError> {
        let account = AccountName::parse(name)
            .map_err(|error| invalid(pointer, format!("there is no account `{name}`: {error}")))?;
        self.known(&account, pointer)?;
        Ok(account)
    }

    /// Refuses a party that was never saved: named by the address where there is no pointer, else in the body.
    fn known(&self, account: &AccountName, pointer: &str) -> Result<(), ActError> {
        let market = self.catalog.load();
        let (known, what) = match account {
            AccountName::Prepaid(buyer) => {
                let known = BuyerId::parse(buyer).ok().and_then(|id| market.buyer(&id).map(drop));
                (known, format!("buyer `{buyer}`"))
            }
            AccountName::Payable(source) => {
                let known =
                    SourceId::parse(source).ok().and_then(|id| market.source(&id).map(drop));
                (known, format!("source `{source}`"))
            }
            _ => return Ok(()),
        };
        match known {
            Some(()) => Ok(()),
            None if pointer.is_empty() => Err(ActError::NotFound(what)),
            None => Err(invalid(pointer, format!("there is no {what}"))),
        }
    }

    /// Refuses to correct what never moved money.
    async fn moved_money(&self, seq: u64) -> Result<(), ActError> {
        let nothing = || {
            invalid(
                "/corrects",
                format!(
                    "fact {seq} moved no money; `gavel statement` and receipts name the facts that did"
                ),
            )
        };
        let Some(before) = seq.checked_sub(1).filter(|_| seq <= self.journal.head().seq) else {
            return Err(nothing());
        };
        let facts = self.journal.read(before, 1).await.map_err(|_| ActError::Closed)?;
        let fact = facts.first().and_then(|stored| Fact::decode(stored.kind, &stored.payload).ok());
        match fact.filter(|fact| !settlement::entries(fact).is_empty()) {
            Some(_) => Ok(()),
            None => Err(nothing()),
        }
    }
}

/// Returns the buyer and the source that a transfer moves, empty where there is none.
fn parties(debit: &AccountName, credit: &AccountName) -> (String, String) {
    let (mut buyer, mut source) = (String::new(), String::new());
    for account in [credit, debit] {
        match account {
            AccountName::Prepaid(name) => buyer.clone_from(name),
            AccountName::Payable(name) => source.clone_from(name),
            _ => (),
        }
    }
    (buyer, source)
}

/// Refuses a reference that was used for something else, and says what differs.
fn same(known: &Transferred, sent: &Transferred) -> Result<(), ActError> {
    let amounts = [known.amount, sent.amount].map(|amount| Micros::new(amount).to_string());
    let [was, is] = [known, sent].map(|one| {
        let corrects = one.corrects.map(|seq| seq.to_string()).unwrap_or_default();
        [one.debit.clone(), one.credit.clone(), one.reason.clone(), corrects]
    });
    let names = ["amount", "debit", "credit", "reason", "corrects"];
    let [was_amount, is_amount] = amounts;
    let pairs = std::iter::once((was_amount, is_amount)).chain(was.into_iter().zip(is));
    let differing = names.into_iter().zip(pairs).filter(|(_, (was, is))| was != is);
    let told: Vec<String> = differing
        .map(|(name, (was, is))| format!("its {name} was `{was}` and is `{is}`"))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    let (reference, kind) = (&sent.reference, sent.kind.code());
    Err(ActError::Conflict(format!(
        "reference `{reference}` was used for another {kind}: {}",
        told.join(", ")
    )))
}

fn above_zero(amount: Micros, what: &str) -> Result<(), ActError> {
    if amount.is_positive() {
        Ok(())
    } else {
        Err(invalid("/amount", format!("{what} is above zero")))
    }
}

fn short(reference: &str) -> Result<(), ActError> {
    if (1..=REFERENCE_BYTES_MAX).contains(&reference.len())
        && !reference.chars().any(char::is_control)
    {
        return Ok(());
    }
    let message = format!(
        "a reference has 1 to {REFERENCE_BYTES_MAX} bytes, no control characters, and is unique"
    );
    Err(invalid("/reference", message))
}
