//! The book: balances, holds, caps, budgets, copies and duplicates, in memory, behind one lock.
//!
//! The book changes only by facts, in the order in which the journal gets them: a decision reads the [`State`], makes
//! a fact, applies it and hands it to the journal while the lock is held. So replaying the journal rebuilds the book
//! exactly, and two pings can never both be promised the same last cent.
//!
//! A hold ends exactly once: it is posted by a sale, voided by a refusal, or expires.

mod account;
mod counters;
mod duplicates;
mod erasure;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::catalog::Campaign;
use crate::clock::Moment;
use crate::facts::{AskedAgain, Delivered, Ended, Fact, PingAnswered, Posted, Request, Winner};
use crate::ids::PingId;
use crate::money::Micros;
use crate::reasons::Exclusion;
use crate::schedule::day_in_zone;
use account::{difference, sum};
use counters::Counters;
use duplicates::Window;

pub use account::Account;

/// The most pings that may be open for posting. Beyond it new pings are shed.
pub const OPEN_PINGS_MAX: usize = 500_000;
/// The most answered requests that are remembered by their Idempotency-Key, and for how long.
pub const REQUESTS_MAX: usize = 1_000_000;
/// How long a request is remembered by its Idempotency-Key: a day, the field's usual least.
pub const REQUESTS_KEPT_MS: i64 = 86_400_000;
/// The most leads that are remembered to recognise duplicates; the oldest is forgotten first.
pub const DUPLICATES_MAX: usize = 2_000_000;

/// The one book of an exchange.
#[derive(Debug, Default)]
pub struct Book {
    state: Mutex<State>,
}

impl Book {
    /// Takes a state that was rebuilt from the journal.
    pub fn new(state: State) -> Self {
        Self { state: Mutex::new(state) }
    }

    /// Runs one decision alone: nothing else reads or changes the book until it returns.
    pub fn decide<R>(&self, decision: impl FnOnce(&mut State) -> R) -> R {
        decision(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What is true after all facts so far.
#[derive(Clone, Debug, Default)]
pub struct State {
    accounts: HashMap<String, Account>,
    counters: HashMap<String, Counters>,
    pings: HashMap<PingId, OpenPing>,
    expiries: BTreeSet<(Moment, PingId)>,
    offered: Window<(String, [u8; 32])>,
    bought: Window<(String, [u8; 32])>,
    requests: Window<(String, [u8; 32]), Request>,
    deposits: HashMap<(String, String), Micros>,
}

/// An accepted ping whose copies are not all settled.
#[derive(Clone, Debug)]
pub struct OpenPing {
    /// The auction as it was held.
    pub auction: Arc<PingAnswered>,
    /// What became of each copy.
    pub copies: Vec<Copy>,
    /// Buyers that refused this lead, and buyers that have a copy: none of them gets another.
    pub taken: Vec<String>,
    /// The post that claimed the ping, once there is one.
    pub posted: Option<Posted>,
    /// The contact data was erased: no buyer is asked any more.
    pub erased: bool,
}

/// One copy of a lead.
#[derive(Clone, Debug)]
pub struct Copy {
    /// Who gets it, at what price.
    pub winner: Winner,
    pub stage: Stage,
    /// An attempt has begun and its end is not recorded: whoever finds this in a recovered book does not know whether the
    /// buyer has the lead.
    pub asked: bool,
    /// An attempt of unknown end went to this buyer: it may have the lead, whatever later attempts say.
    pub uncertain: bool,
}

impl Copy {
    fn held(winner: Winner) -> Self {
        Self { winner, stage: Stage::Held, asked: false, uncertain: false }
    }
}

/// How far a copy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Money is held for it.
    Held,
    /// The buyer has it and paid.
    Sold,
    /// Nobody gets it; no money is held.
    Void,
}

impl State {
    /// Returns a buyer's money.
    pub fn account(&self, buyer: &str) -> Account {
        self.accounts.get(buyer).copied().unwrap_or_default()
    }

    /// Returns an accepted ping that is not settled yet.
    pub fn open_ping(&self, ping: PingId) -> Option<&OpenPing> {
        self.pings.get(&ping)
    }

    /// Returns how many pings are accepted and not settled.
    pub fn open_pings(&self) -> usize {
        self.pings.len()
    }

    /// Returns how many posted copies are neither sold nor given up.
    pub fn deliveries_open(&self) -> usize {
        let posted = self.pings.values().filter(|open| open.posted.is_some());
        posted.flat_map(|open| &open.copies).filter(|copy| copy.stage == Stage::Held).count()
    }

    /// Returns the ping and the request that an Idempotency-Key of a source stands for.
    pub fn request(&self, source: &str, key: [u8; 32]) -> Option<(PingId, &Request)> {
        self.requests.get(&(source.to_owned(), key)).map(|seen| (seen.ping, &seen.detail))
    }

    /// Returns whether there is room to remember another Idempotency-Key.
    pub fn remembers_requests(&self) -> bool {
        self.requests.len() < REQUESTS_MAX
    }

    /// Returns the amount of the deposit with this reference.
    pub fn deposit(&self, buyer: &str, reference: &str) -> Option<Micros> {
        self.deposits.get(&(buyer.to_owned(), reference.to_owned())).copied()
    }

    /// Returns the ping in which the same source offered the same lead at or after `since`.
    pub fn offered_since(
        &self,
        source: &str,
        fingerprint: [u8; 32],
        since: Moment,
    ) -> Option<PingId> {
        let seen = self.offered.get(&(source.to_owned(), fingerprint))?;
        (seen.at >= since).then_some(seen.ping)
    }

    /// Says whether the campaign may buy this lead at all, whatever the price.
    pub fn admits(
        &self,
        campaign: &Campaign,
        fingerprint: [u8; 32],
        at: Moment,
    ) -> Result<(), Exclusion> {
        let window = i64::try_from(campaign.duplicate_window.as_millis()).unwrap_or(i64::MAX);
        if window > 0 {
            let key = (campaign.id.as_str().to_owned(), fingerprint);
            let since = at.unix_ms().saturating_sub(window);
            if self.bought.get(&key).is_some_and(|seen| seen.at.unix_ms() >= since) {
                return Err(Exclusion::DuplicateForCampaign);
            }
        }
        let counters = self.counters.get(campaign.id.as_str()).copied().unwrap_or_default();
        let day = day_in_zone(&campaign.zone, at);
        let reached = |cap: Option<u32>, count: u64| cap.is_some_and(|cap| count >= u64::from(cap));
        if reached(campaign.caps.daily, counters.leads_on(day))
            || reached(campaign.caps.total, counters.leads)
        {
            return Err(Exclusion::CapReached);
        }
        self.affords(campaign, Micros::new(1), at)
    }

    /// Says whether the campaign may buy this lead at this amount, as the book stands now: pings that were answered
    /// since the shortlist may have taken its last place.
    pub fn covers(
        &self,
        campaign: &Campaign,
        fingerprint: [u8; 32],
        amount: Micros,
        at: Moment,
    ) -> Result<(), Exclusion> {
        self.admits(campaign, fingerprint, at)?;
        self.affords(campaign, amount, at)
    }

    /// Says whether the campaign's budget and the buyer's balance and credit cover this amount.
    fn affords(&self, campaign: &Campaign, amount: Micros, at: Moment) -> Result<(), Exclusion> {
        let counters = self.counters.get(campaign.id.as_str()).copied().unwrap_or_default();
        let day = day_in_zone(&campaign.zone, at);
        let passes = |budget: Micros, spent: Micros| {
            spent.checked_add(amount).is_none_or(|spent| spent > budget)
        };
        let budget = &campaign.budget;
        if budget.daily.is_some_and(|daily| passes(daily.0, counters.spent_on(day)))
            || budget.total.is_some_and(|total| passes(total.0, counters.spent))
        {
            return Err(Exclusion::BudgetSpent);
        }
        let account = self.account(campaign.buyer.id.as_str());
        let needed = account.held.checked_add(amount);
        let available = account.balance.checked_add(campaign.buyer.credit_limit);
        match (needed, available) {
            (Some(needed), Some(available)) if needed <= available => Ok(()),
            _ => Err(Exclusion::NoFunds),
        }
    }

    /// Returns pings whose price no longer holds and that nobody posted, oldest first, at most `limit`.
    pub fn overdue(&self, at: Moment, limit: usize) -> Vec<PingId> {
        let overdue = self.expiries.iter().take_while(|(expires, _)| *expires < at);
        overdue.take(limit).map(|(_, ping)| *ping).collect()
    }

    /// Returns the sum of all holds of open pings, by buyer: what every account's `held` must equal.
    pub fn holds(&self) -> HashMap<String, Micros> {
        let mut holds: HashMap<String, Micros> = HashMap::new();
        for open in self.pings.values().filter(|open| !open.auction.test) {
            for copy in open.copies.iter().filter(|copy| copy.stage == Stage::Held) {
                let held = holds.entry(copy.winner.buyer.clone()).or_default();
                *held = sum(*held, Micros::new(copy.winner.price));
            }
        }
        holds
    }

    /// Changes the book by one fact. `at` is the fact's own time.
    pub fn apply(&mut self, at: Moment, fact: &Fact) {
        match fact {
            Fact::Deposited(deposited) => {
                let amount = Micros::new(deposited.amount);
                let account = self.accounts.entry(deposited.buyer.clone()).or_default();
                account.balance = sum(account.balance, amount);
                let reference = (deposited.buyer.clone(), deposited.reference.clone());
                self.deposits.insert(reference, amount);
            }
            Fact::PingAnswered(answered) => self.answered(at, answered),
            Fact::Posted(posted) => self.posted(at, posted),
            Fact::AskedAgain(again) => self.asked_again(again),
            Fact::Delivered(delivered) => self.delivered(at, delivered),
            Fact::Expired(expired) => {
                for ping in &expired.pings {
                    self.expired(PingId::from_u128(*ping));
                }
            }
            Fact::ContactErased(erased) => self.contact_erased(erased),
            Fact::Saved(_)
            | Fact::ModuleUploaded(_)
            | Fact::ModuleStepped(_)
            | Fact::ContactsSwept(_)
            | Fact::MasterKeyRotated(_)
            | Fact::SubmissionRefused(_) => (),
        }
    }

    fn answered(&mut self, at: Moment, answered: &Arc<PingAnswered>) {
        let ping = PingId::from_u128(answered.ping);
        self.remember(at, ping, &answered.source, answered.request.as_ref());
        if answered.fingerprint != [0; 32] && answered.duplicate_of.is_none() {
            let key = (answered.source.clone(), answered.fingerprint);
            self.offered.insert(key, at, ping, (), DUPLICATES_MAX);
        }
        if answered.winners.is_empty() {
            return;
        }
        for winner in &answered.winners {
            self.hold(answered.test, winner);
        }
        let copies = answered.winners.iter().cloned();
        let open = OpenPing {
            copies: copies.map(Copy::held).collect(),
            taken: answered.winners.iter().map(|winner| winner.buyer.clone()).collect(),
            posted: None,
            erased: false,
            auction: Arc::clone(answered),
        };
        self.expiries.insert((answered.expires(), ping));
        self.pings.insert(ping, open);
    }

    fn posted(&mut self, at: Moment, posted: &Posted) {
        let ping = PingId::from_u128(posted.ping);
        let Some(open) = self.pings.get_mut(&ping) else { return };
        open.posted = Some(posted.clone());
        open.copies.iter_mut().for_each(|copy| copy.asked = true);
        let (source, test) = (open.auction.source.clone(), open.auction.test);
        // A claimed ping no longer expires: its holds end by how its deliveries end.
        self.expiries.remove(&(open.auction.expires(), ping));
        if test {
            self.pings.remove(&ping);
        }
        self.remember(at, ping, &source, posted.request.as_ref());
    }

    fn asked_again(&mut self, again: &AskedAgain) {
        let open = self.pings.get_mut(&PingId::from_u128(again.ping));
        let index = usize::try_from(again.copy).unwrap_or(usize::MAX);
        if let Some(copy) = open.and_then(|open| open.copies.get_mut(index)) {
            copy.asked = true;
        }
    }

    fn delivered(&mut self, at: Moment, delivered: &Delivered) {
        let ping = PingId::from_u128(delivered.ping);
        let Some(mut open) = self.pings.remove(&ping) else { return };
        let index = usize::try_from(delivered.copy).unwrap_or(usize::MAX);
        if let Some(copy) = open.copies.get_mut(index).filter(|copy| copy.stage == Stage::Held) {
            let price = Micros::new(copy.winner.price);
            copy.asked = false;
            match delivered.ended {
                Ended::Sold => {
                    let account = self.accounts.entry(copy.winner.buyer.clone()).or_default();
                    account.held = difference(account.held, price);
                    account.balance = difference(account.balance, Micros::new(delivered.price));
                    copy.stage = Stage::Sold;
                    if open.auction.fingerprint != [0; 32] {
                        let key = (copy.winner.campaign.clone(), open.auction.fingerprint);
                        self.bought.insert(key, at, ping, (), DUPLICATES_MAX);
                    }
                }
                Ended::Rejected | Ended::NotSent if delivered.again_ms.is_none() => {
                    copy.stage = Stage::Void;
                    let winner = copy.winner.clone();
                    if let Some(successor) = &delivered.successor {
                        *copy = Copy { asked: true, ..Copy::held(successor.clone()) };
                        open.taken.push(successor.buyer.clone());
                    }
                    self.release(&winner);
                    if let Some(successor) = &delivered.successor {
                        self.hold(false, successor);
                    }
                }
                Ended::Unknown => copy.uncertain = true,
                Ended::Rejected | Ended::NotSent => (),
            }
        }
        if open.copies.iter().any(|copy| copy.stage == Stage::Held) {
            self.pings.insert(ping, open);
        }
    }

    fn expired(&mut self, ping: PingId) {
        let Some(open) = self.pings.remove(&ping) else { return };
        self.expiries.remove(&(open.auction.expires(), ping));
        if !open.auction.test {
            for copy in &open.copies {
                self.release(&copy.winner);
            }
        }
    }

    fn hold(&mut self, test: bool, winner: &Winner) {
        if test {
            return;
        }
        let price = Micros::new(winner.price);
        let account = of(&mut self.accounts, &winner.buyer);
        account.held = sum(account.held, price);
        of(&mut self.counters, &winner.campaign).count(winner.day, price);
    }

    fn release(&mut self, winner: &Winner) {
        let price = Micros::new(winner.price);
        let account = of(&mut self.accounts, &winner.buyer);
        account.held = difference(account.held, price);
        of(&mut self.counters, &winner.campaign).uncount(winner.day, price);
    }

    fn remember(&mut self, at: Moment, ping: PingId, source: &str, request: Option<&Request>) {
        let oldest = Moment::from_unix_ms(at.unix_ms().saturating_sub(REQUESTS_KEPT_MS));
        self.requests.forget_before(oldest);
        if let Some(request) = request {
            let key = (source.to_owned(), request.key);
            self.requests.insert(key, at, ping, request.clone(), REQUESTS_MAX);
        }
    }
}

/// Returns what is kept under a name, made anew if there is nothing. The name is copied only then.
#[expect(clippy::expect_used, reason = "the line before put it there")]
fn of<'m, T: Default>(kept: &'m mut HashMap<String, T>, name: &str) -> &'m mut T {
    if !kept.contains_key(name) {
        kept.insert(name.to_owned(), T::default());
    }
    kept.get_mut(name).expect("it is there")
}
