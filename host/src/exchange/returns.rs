//! Returns: a sold lead is given back, once, within its window, for a reason, at most for what was paid.
//!
//! An accepted return is its sale the other way round: the buyer gets its price back, the source gives back its part
//! (what it is owed may go below zero), the exchange its margin, and both sides get their fees back unless these are kept
//! by agreement. Caps and budgets stay as they are: they bound what a
//! buyer takes on in a period, and the period of the sale is over or has been used.

mod evidence;
mod parties;

use std::sync::Arc;
use std::time::Duration;

use super::office::invalid;
use super::{ActError, Exchange, REASON_BYTES_MAX};
use crate::book::{Return, State, Tally};
use crate::catalog::ReturnsSpec;
use crate::clock::Moment;
use crate::facts::{
    Charged, Delivered, Ended, Evidence, Fact, OnReturn, Person, PingAnswered, ReturnDecided,
    ReturnRequested,
};
use crate::ids::LeadId;
use crate::money::Micros;
use crate::reasons::ReturnReason;

/// Milliseconds in a day.
const DAY: Duration = Duration::from_secs(86_400);
/// The words for who asked or decided, where a return says it.
pub const OPERATOR: &str = "operator";
pub const BUYER: &str = "buyer";
/// The word for a vertical's own rules.
const POLICY: &str = "policy";

/// A return as it is asked for.
#[derive(Clone, Debug)]
pub struct ReturnWanted {
    pub lead: LeadId,
    /// Which copy; may be left out where the buyer says it, or there is one.
    pub copy: Option<u32>,
    pub buyer: Option<String>,
    pub reason: ReturnReason,
    pub evidence: Evidence,
    /// What is wanted back; all that was paid if left out.
    pub amount: Option<Micros>,
    /// Who asks: [`OPERATOR`] or [`BUYER`].
    pub by: &'static str,
}

/// The operator's decision of a return.
#[derive(Clone, Debug)]
pub struct ReturnDecision {
    pub lead: LeadId,
    pub copy: u32,
    pub accept: bool,
    pub why: String,
    /// What the buyer gets back; what it asked for if left out.
    pub amount: Option<Micros>,
}

/// What the journal knows of one copy of a lead.
struct Sold {
    auction: Arc<PingAnswered>,
    /// Whom the lead is about, as it was posted.
    person: Person,
    sale: Delivered,
    seq: u64,
    at: Moment,
    requested: Option<(Moment, ReturnRequested)>,
    decided: Option<(Moment, ReturnDecided)>,
}

impl Sold {
    fn as_return(&self) -> Option<Return> {
        let (requested_at, request) = self.requested.clone()?;
        Some(Return { requested_at, request, decided: self.decided.clone() })
    }
}

impl Exchange {
    /// Asks to return a lead; a vertical's rules may accept it at once. Returns the return, and whether it is new: the
    /// same request again changes nothing.
    pub async fn ask_return(&self, wanted: &ReturnWanted) -> Result<(Return, bool), ActError> {
        self.money_moves_for_acts()?;
        evidence::check(&wanted.evidence)?;
        // One at a time: what the journal says of a lead must hold until the return is recorded.
        let _alone = self.returning.lock().await;
        let at = self.clock.now();
        let sold = self.sold(wanted.lead, wanted.copy, wanted.buyer.as_deref()).await?;
        let price = Micros::new(sold.sale.price);
        let amount = wanted.amount.unwrap_or(price);
        if !amount.is_positive() || amount > price {
            let message = format!(
                "the buyer paid {price}: a return gives back more than zero and at most that"
            );
            return Err(invalid("/amount", message));
        }
        let request = ReturnRequested {
            ping: sold.sale.ping,
            copy: sold.sale.copy,
            sale: sold.seq,
            source: sold.sale.source.clone(),
            vertical: sold.auction.vertical.clone(),
            campaign: sold.sale.campaign.clone(),
            buyer: sold.sale.buyer.clone(),
            reason: wanted.reason.code().to_owned(),
            evidence: wanted.evidence.clone(),
            amount: amount.get(),
            by: wanted.by.to_owned(),
        };
        if let Some((before, known)) = sold.requested.as_ref().zip(sold.as_return()) {
            same(&before.1, &request)?;
            return Ok((known, false));
        }
        let returns = self.returns_of(&sold.auction.vertical);
        in_window(&returns, &sold, at)?;
        let accepted = match self.proved(wanted, &sold).await? {
            true => Some("the buyer had bought the same lead before"),
            false => returns
                .accept
                .contains(&wanted.reason)
                .then_some("accepted unasked for this reason"),
        };
        let decided = accepted.map(|why| decision(&sold, amount, true, why, POLICY));
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let asked = Fact::ReturnRequested(request.clone());
        let ending = decided.clone().map(Fact::ReturnDecided);
        let committed = self.book.decide(|book| {
            self.within_rate(book, &request.buyer, at)?;
            Ok::<_, ActError>(match &ending {
                None => self.record(book, seat, at, &asked, None),
                Some(ending) => {
                    self.fits(ending)?;
                    self.record_all(book, seat, at, (std::slice::from_ref(&asked), ending))
                }
            })
        })?;
        committed.wait().await.map_err(|_| ActError::Closed)?;
        let decided = decided.map(|decided| (at, decided));
        Ok((Return { requested_at: at, request, decided }, true))
    }

    /// Decides a return that was asked for. The same decision again changes nothing.
    pub async fn decide_return(&self, wanted: &ReturnDecision) -> Result<(Return, bool), ActError> {
        self.money_moves_for_acts()?;
        if wanted.why.len() > REASON_BYTES_MAX || !wanted.accept && wanted.why.trim().is_empty() {
            let message = format!("a declined return says why, in 1 to {REASON_BYTES_MAX} bytes");
            return Err(invalid("/why", message));
        }
        let _alone = self.returning.lock().await;
        let at = self.clock.now();
        let sold = self.sold(wanted.lead, Some(wanted.copy), None).await?;
        let Some(mut known) = sold.as_return() else {
            let message = format!("return of copy {} of {}", wanted.copy, wanted.lead);
            return Err(ActError::NotFound(message));
        };
        let asked = Micros::new(known.request.amount);
        let amount = wanted.amount.unwrap_or(asked);
        if wanted.accept && (!amount.is_positive() || amount > asked) {
            let message = format!(
                "{asked} was asked for: a return gives back more than zero and at most that"
            );
            return Err(invalid("/amount", message));
        }
        let decided = decision(&sold, amount, wanted.accept, &wanted.why, OPERATOR);
        if let Some((_, before)) = &known.decided {
            if (before.accepted, before.price) == (decided.accepted, decided.price) {
                return Ok((known, false));
            }
            let (state, paid) = (known.state(), before.credit());
            let message = format!(
                "the return was {state} before, with {paid} given back; put that right with a correction"
            );
            return Err(ActError::Conflict(message));
        }
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let fact = Fact::ReturnDecided(decided.clone());
        let committed = self.book.decide(|book| {
            self.fits(&fact)?;
            Ok::<_, ActError>(self.record(book, seat, at, &fact, None))
        })?;
        committed.wait().await.map_err(|_| ActError::Closed)?;
        known.decided = Some((at, decided));
        Ok((known, true))
    }

    /// Returns the returns of a lead, by copy.
    pub async fn returns_of_lead(&self, lead: LeadId) -> Result<Vec<Return>, ActError> {
        let ping = lead.ping();
        let facts = self.history(ping).await.map_err(|_| ActError::Closed)?;
        if facts.is_empty() {
            return Err(ActError::NotFound(format!("lead `{lead}`")));
        }
        let copies = facts.iter().filter_map(|(_, _, fact)| match fact {
            Fact::ReturnRequested(request) => Some(request.copy),
            _ => None,
        });
        Ok(copies.filter_map(|copy| find(&facts, Some(copy), None)?.as_return()).collect())
    }

    /// Returns the newest returns that a condition lets through, at most so many.
    pub fn returns(&self, limit: usize, mut wanted: impl FnMut(&Return) -> bool) -> Vec<Return> {
        self.book
            .decide(|book| book.returns().filter(|one| wanted(one)).take(limit).cloned().collect())
    }

    /// Returns how many leads every buyer bought and every source sold, and how many came back, each by name.
    pub fn tallies(&self) -> [Vec<(String, Tally)>; 2] {
        self.book.decide(|book| {
            let owned = |(name, tally): (&str, &Tally)| (name.to_owned(), tally.clone());
            let mut both: [Vec<(String, Tally)>; 2] = [
                book.buyers_tallied().map(owned).collect(),
                book.sources_tallied().map(owned).collect(),
            ];
            both.iter_mut().for_each(|tallies| tallies.sort_by(|one, other| one.0.cmp(&other.0)));
            both
        })
    }

    async fn sold(
        &self,
        lead: LeadId,
        copy: Option<u32>,
        buyer: Option<&str>,
    ) -> Result<Sold, ActError> {
        let facts = self.history(lead.ping()).await;
        let facts = facts.map_err(|_| ActError::Closed)?;
        let auction = facts.iter().find_map(|(_, _, fact)| match fact {
            Fact::PingAnswered(auction) => Some(auction),
            _ => None,
        });
        let auction = auction.ok_or_else(|| ActError::NotFound(format!("lead `{lead}`")))?;
        if auction.test {
            let message = "the lead is a test: it was not sold, and nobody paid for it";
            return Err(ActError::Conflict(message.to_owned()));
        }
        let sales = facts.iter().filter(|(_, _, fact)| sale(fact).is_some()).count();
        if sales > 1 && copy.is_none() && buyer.is_none() {
            let message = format!("the lead was sold {sales} times: say which `buyer` returns it");
            return Err(invalid("/buyer", message));
        }
        find(&facts, copy, buyer).ok_or_else(|| {
            ActError::Conflict(match (copy, buyer) {
                (_, Some(buyer)) if sales > 0 => format!("buyer `{buyer}` did not buy this lead"),
                (Some(copy), None) if sales > 0 => format!("copy {copy} of this lead was not sold"),
                _ => "the lead was not sold, so there is nothing to return".to_owned(),
            })
        })
    }

    fn returns_of(&self, vertical: &str) -> ReturnsSpec {
        let market = self.catalog.load();
        market.vertical_named(vertical).map(|vertical| vertical.returns.clone()).unwrap_or_default()
    }

    fn within_rate(&self, book: &State, buyer: &str, at: Moment) -> Result<(), ActError> {
        let market = self.catalog.load();
        let rate = market.buyer_named(buyer).and_then(|buyer| buyer.return_rate);
        let Some(rate) = rate else { return Ok(()) };
        let (sold, back) = book.returned_within(buyer, rate.days, at);
        if back < rate.allows(sold) {
            return Ok(());
        }
        Err(ActError::Conflict(format!(
            "buyer `{buyer}` bought {sold} leads in the last {} days and returned {back}; its limit is {} of them",
            rate.days,
            rate.allows(sold)
        )))
    }
}

fn sale(fact: &Fact) -> Option<&Delivered> {
    match fact {
        Fact::Delivered(delivered) if delivered.ended == Ended::Sold => Some(delivered),
        _ => None,
    }
}

/// Returns the sale of this copy or buyer, with what became of it.
fn find(facts: &[(u64, Moment, Fact)], copy: Option<u32>, buyer: Option<&str>) -> Option<Sold> {
    let auction = facts.iter().find_map(|(_, _, fact)| match fact {
        Fact::PingAnswered(auction) => Some(Arc::clone(auction)),
        _ => None,
    })?;
    let (seq, at, sale) = facts.iter().find_map(|(seq, at, fact)| {
        let sale = sale(fact)?;
        let this = copy.is_none_or(|copy| sale.copy == copy)
            && buyer.is_none_or(|buyer| sale.buyer == buyer);
        this.then_some((*seq, *at, sale.clone()))
    })?;
    let person = Person::default();
    let mut sold = Sold { auction, person, seq, at, requested: None, decided: None, sale };
    for (_, at, fact) in facts {
        match fact {
            Fact::Posted(posted) => sold.person = posted.person,
            Fact::ReturnRequested(request) if request.copy == sold.sale.copy => {
                sold.requested = Some((*at, request.clone()));
            }
            Fact::ReturnDecided(decided) if decided.copy == sold.sale.copy => {
                sold.decided = Some((*at, decided.clone()));
            }
            _ => (),
        }
    }
    Some(sold)
}

/// Makes a decision: of all that was paid goes back the same part as of the price, half to even. Fees that are kept stay
/// where they are, so a source gives back what it was charged of too.
fn decision(sold: &Sold, amount: Micros, accepted: bool, why: &str, by: &str) -> ReturnDecided {
    let (sale, terms) = (&sold.sale, &sold.auction.terms);
    let amount = if accepted { amount } else { Micros::ZERO };
    let part = |of: i64| Micros::new(of).part_half_even(amount, Micros::new(sale.price)).get();
    let Charged { lead, percent } = sale.buyer_fees;
    let buyer_fees = match terms.fee_of(&sale.buyer).on_return {
        OnReturn::Returned => Charged { lead: part(lead), percent: part(percent) },
        OnReturn::Kept => Charged::default(),
    };
    // Parts of sums, and not sums of parts: so what was the whole is so again.
    let Charged { lead, percent } = sale.source_fees;
    let [payout, with_lead, all] =
        [0, lead, lead.saturating_add(percent)].map(|fees| part(sale.payout.saturating_add(fees)));
    let (payout, source_fees) = match terms.source_fee.on_return {
        OnReturn::Returned => {
            (payout, Charged { lead: with_lead - payout, percent: all - with_lead })
        }
        OnReturn::Kept => (all, Charged::default()),
    };
    ReturnDecided {
        ping: sold.sale.ping,
        copy: sold.sale.copy,
        sale: sold.seq,
        source: sold.sale.source.clone(),
        buyer: sold.sale.buyer.clone(),
        accepted,
        why: why.to_owned(),
        by: by.to_owned(),
        price: amount.get(),
        buyer_fees,
        payout,
        source_fees,
    }
}

fn in_window(returns: &ReturnsSpec, sold: &Sold, at: Moment) -> Result<(), ActError> {
    if returns.window_days == 0 {
        let message = format!("leads of `{}` cannot be returned", sold.auction.vertical);
        return Err(ActError::Conflict(message));
    }
    let ends = sold.at.after(DAY.saturating_mul(returns.window_days));
    if at <= ends {
        return Ok(());
    }
    Err(ActError::Conflict(format!(
        "the lead was sold at {}, and its window of {} days for returns ended at {ends}",
        sold.at, returns.window_days
    )))
}

/// Refuses a second return of a lead that says otherwise than the first.
fn same(known: &ReturnRequested, sent: &ReturnRequested) -> Result<(), ActError> {
    let mut differing = Vec::new();
    if known.reason != sent.reason {
        differing.push(format!("its reason was `{}` and is `{}`", known.reason, sent.reason));
    }
    if known.amount != sent.amount {
        let [was, is] = [known.amount, sent.amount].map(Micros::new);
        differing.push(format!("its amount was {was} and is {is}"));
    }
    if known.evidence != sent.evidence {
        differing.push("its evidence was another".to_owned());
    }
    if differing.is_empty() {
        return Ok(());
    }
    let differing = differing.join(", ");
    Err(ActError::Conflict(format!(
        "a lead is returned once, and this one was before: {differing}"
    )))
}
