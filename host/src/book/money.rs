//! Money apart from holds: what is owed to sources, which references were used, what was returned, which calls were made.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::account::{Account, difference, sum};
use super::duplicates::Window;
use super::named::Named;
use super::{State, before};
use crate::catalog::ReturnRateSpec;
use crate::clock::Moment;
use crate::facts::{
    CallAnswered, CallMade, Delivered, Deposited, ReturnDecided, ReturnRequested, TransferKind,
    Transferred,
};
use crate::ids::PingId;
use crate::money::{AccountName, Micros};

/// The most returns that lists show; the oldest is forgotten first. Deciding and refusing look into the journal.
pub const RETURNS_LISTED_MAX: usize = 100_000;
/// The most calls that are remembered by their Idempotency-Key. Beyond it further keys are refused.
pub const CALLS_MAX: usize = 100_000;
/// How long a call is remembered by its Idempotency-Key: 24 hours, the field's usual least.
pub const CALLS_KEPT_MS: i64 = 86_400_000;

/// What the book knows of money beside balances and holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Money {
    owed: Named<Micros>,
    deposits: HashMap<(String, String), Micros>,
    transfers: HashMap<(TransferKind, String, String), Transferred>,
    returns: HashMap<(u128, u32), Return>,
    returns_order: VecDeque<(u128, u32)>,
    buyers: Named<Tally>,
    sources: Named<Tally>,
    calls: Window<[u8; 32], Call>,
}

impl Money {
    pub(super) fn calls_kept(&self) -> usize {
        self.calls.len()
    }

    pub(super) fn returns_kept(&self) -> usize {
        self.returns.len()
    }
}

/// A sold lead that is given back, or was asked to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Return {
    pub requested_at: Moment,
    pub request: ReturnRequested,
    /// How it ended, once it has.
    pub decided: Option<(Moment, ReturnDecided)>,
}

impl Return {
    /// Returns the word for how it stands.
    pub fn state(&self) -> &'static str {
        match &self.decided {
            None => "requested",
            Some((_, decided)) if decided.accepted => "accepted",
            Some(_) => "declined",
        }
    }
}

/// How many leads a buyer bought or a source sold, and what came back.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub sold: u64,
    pub requested: u64,
    pub accepted: u64,
    pub declined: u64,
    /// Requests by their reason.
    pub reasons: BTreeMap<String, u64>,
    /// By day in UTC: sold, and asked to be returned without being declined.
    days: BTreeMap<i32, (u64, u64)>,
}

impl Tally {
    /// Returns how many were sold and how many are returned or asked to be, in the last days up to this moment.
    pub fn within(&self, days: u32, at: Moment) -> (u64, u64) {
        let days = i32::try_from(days).unwrap_or(i32::MAX);
        let first = at.day().saturating_sub(days).saturating_add(1);
        let counted = self.days.range(first..).map(|(_, counts)| *counts);
        counted
            .fold((0, 0), |(sold, back), (s, b)| (sold.saturating_add(s), back.saturating_add(b)))
    }

    fn day(&mut self, at: Moment) -> &mut (u64, u64) {
        let kept = i32::try_from(ReturnRateSpec::DAYS_MAX).unwrap_or(i32::MAX);
        let oldest = at.day().saturating_sub(kept);
        while self.days.first_key_value().is_some_and(|(day, _)| *day < oldest) {
            self.days.pop_first();
        }
        self.days.entry(at.day()).or_default()
    }
}

/// A call as its Idempotency-Key remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The keyed digest of the canonical body.
    pub body: [u8; 32],
    /// Its answer is in the journal.
    pub answered: bool,
}

impl State {
    /// Returns what is owed to a source; below zero it owes, after returns.
    pub fn owed(&self, source: &str) -> Micros {
        self.money.owed.get(source).copied().unwrap_or_default()
    }

    /// Returns every buyer that ever had money, with it.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, Account)> {
        self.buyers.iter().map(|(buyer, purse)| (buyer, purse.account))
    }

    /// Returns every source that was ever owed something.
    pub fn sources_owed(&self) -> impl Iterator<Item = &str> {
        self.money.owed.iter().map(|(source, _)| source)
    }

    /// Returns the amount of the deposit with this reference.
    pub fn deposit(&self, buyer: &str, reference: &str) -> Option<Micros> {
        self.money.deposits.get(&(buyer.to_owned(), reference.to_owned())).copied()
    }

    /// Returns the transfer of this kind and party with this reference. The party is the buyer or source that a
    /// withdrawal or payout is for, and empty for other kinds.
    pub fn transfer(
        &self,
        kind: TransferKind,
        party: &str,
        reference: &str,
    ) -> Option<&Transferred> {
        self.money.transfers.get(&(kind, party.to_owned(), reference.to_owned()))
    }

    /// Returns the newest returns first.
    pub fn returns(&self) -> impl Iterator<Item = &Return> {
        let newest = self.money.returns_order.iter().rev();
        newest.filter_map(|key| self.money.returns.get(key))
    }

    /// Returns what every buyer bought and gave back, by name.
    pub fn buyers_tallied(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.money.buyers.iter()
    }

    /// Returns what every source sold and got back, by name.
    pub fn sources_tallied(&self) -> impl Iterator<Item = (&str, &Tally)> {
        self.money.sources.iter()
    }

    /// Returns how many leads a buyer bought and gave back, or asked to, in the last days up to this moment.
    pub fn returned_within(&self, buyer: &str, days: u32, at: Moment) -> (u64, u64) {
        self.money.buyers.get(buyer).map_or((0, 0), |tally| tally.within(days, at))
    }

    /// Returns the call that an Idempotency-Key stands for, if it was made within [`CALLS_KEPT_MS`].
    pub fn call(&self, key: &[u8; 32], at: Moment) -> Option<Call> {
        let seen = self.money.calls.get(key)?;
        let kept = at.unix_ms().saturating_sub(seen.at.unix_ms()) < CALLS_KEPT_MS;
        kept.then_some(seen.detail)
    }

    /// Returns whether there is room to remember another call, if so many may be.
    pub fn remembers_calls(&self, room: usize, at: Moment) -> bool {
        self.money.calls.has_room(room, before(at, CALLS_KEPT_MS))
    }

    pub(super) fn deposited(&mut self, deposited: &Deposited) {
        let amount = Micros::new(deposited.amount);
        let account = &mut self.buyers.of(&deposited.buyer).account;
        account.balance = sum(account.balance, amount);
        let reference = (deposited.buyer.clone(), deposited.reference.clone());
        self.money.deposits.insert(reference, amount);
    }

    pub(super) fn paid(&mut self, at: Moment, sale: &Delivered) {
        let owed = self.money.owed.of(&sale.source);
        *owed = sum(*owed, Micros::new(sale.payout));
        let buyer = self.money.buyers.of(&sale.buyer);
        buyer.sold = buyer.sold.saturating_add(1);
        let day = buyer.day(at);
        day.0 = day.0.saturating_add(1);
        let source = self.money.sources.of(&sale.source);
        source.sold = source.sold.saturating_add(1);
    }

    pub(super) fn transferred(&mut self, transferred: &Transferred) {
        let amount = Micros::new(transferred.amount);
        // A debit takes from what is owed, a credit adds to it.
        for (account, change) in
            [(&transferred.debit, difference(Micros::ZERO, amount)), (&transferred.credit, amount)]
        {
            match AccountName::parse(account) {
                Ok(AccountName::Prepaid(buyer)) => {
                    let account = &mut self.buyers.of(&buyer).account;
                    account.balance = sum(account.balance, change);
                }
                Ok(AccountName::Payable(source)) => {
                    let owed = self.money.owed.of(&source);
                    *owed = sum(*owed, change);
                }
                Ok(_) | Err(_) => (),
            }
        }
        let party = transferred.party();
        let key = (transferred.kind, party, transferred.reference.clone());
        self.money.transfers.insert(key, transferred.clone());
    }

    pub(super) fn return_requested(&mut self, at: Moment, request: &ReturnRequested) {
        let money = &mut self.money;
        for tally in [money.buyers.of(&request.buyer), money.sources.of(&request.source)] {
            tally.requested = tally.requested.saturating_add(1);
            let reason = tally.reasons.entry(request.reason.clone()).or_default();
            *reason = reason.saturating_add(1);
            let day = tally.day(at);
            day.1 = day.1.saturating_add(1);
        }
        let key = (request.ping, request.copy);
        let kept = Return { requested_at: at, request: request.clone(), decided: None };
        money.returns.insert(key, kept);
        money.returns_order.push_back(key);
        while money.returns_order.len() > RETURNS_LISTED_MAX {
            if let Some(oldest) = money.returns_order.pop_front() {
                money.returns.remove(&oldest);
            }
        }
    }

    pub(super) fn return_decided(&mut self, at: Moment, decided: &ReturnDecided) {
        let money = &mut self.money;
        let kept = money.returns.get_mut(&(decided.ping, decided.copy));
        let requested_at = kept.as_ref().map_or(at, |kept| kept.requested_at);
        if let Some(kept) = kept {
            kept.decided = Some((at, decided.clone()));
        }
        for tally in [money.buyers.of(&decided.buyer), money.sources.of(&decided.source)] {
            if decided.accepted {
                tally.accepted = tally.accepted.saturating_add(1);
            } else {
                tally.declined = tally.declined.saturating_add(1);
                if let Some(day) = tally.days.get_mut(&requested_at.day()) {
                    day.1 = day.1.saturating_sub(1);
                }
            }
        }
        let owed = money.owed.of(&decided.source);
        *owed = difference(*owed, Micros::new(decided.payout));
        let account = &mut self.buyers.of(&decided.buyer).account;
        account.balance = sum(account.balance, decided.credit());
    }

    pub(super) fn call_made(&mut self, at: Moment, made: &CallMade) {
        self.remember_call(at, made.key, Call { body: made.body, answered: false });
    }

    pub(super) fn call_answered(&mut self, at: Moment, answered: &CallAnswered) {
        self.remember_call(at, answered.key, Call { body: answered.body, answered: true });
    }

    fn remember_call(&mut self, at: Moment, key: [u8; 32], call: Call) {
        self.money.calls.forget_before(before(at, CALLS_KEPT_MS));
        // Each call stands in the window twice: when it is made and when it is answered.
        let limit = CALLS_MAX.saturating_mul(2);
        self.money.calls.insert(key, at, PingId::from_u128(0), call, limit);
    }
}
