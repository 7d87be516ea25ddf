//! One question to one buyer, from the first byte to its one outcome.

use std::time::{Duration, Instant};

use hyper::StatusCode;
use tokio::time::timeout_at;

use super::Outcome;
use super::answer::{Flaw, Reply, checked, clean, invalid};
use super::dialect::{Asking, Dialect, Offer, Unasked, Understood};
use crate::bidding::guard::{Skipped, Ticket, Verdict};
use crate::catalog::Bidding;
use crate::egress::{Answer, Line, NoAnswer};
use crate::facts::ModuleUsed;
use crate::ids::CampaignId;
use crate::money::Micros;
use crate::sandbox::Forfeit;
use std::sync::Arc;

/// How long an answer is listened to after all its time.
pub(super) const LINGER: Duration = Duration::from_millis(250);
/// A call that began, or an alarm that rang, so much late says more about this machine than about the buyer.
pub(super) const OWN_DELAY_MAX: Duration = Duration::from_millis(20);

/// How a call ended.
#[derive(Debug)]
pub struct Ended {
    pub outcome: Outcome,
    pub detail: Option<String>,
    pub took: Duration,
    pub bid: Option<RemoteBid>,
    pub adapter: Option<ModuleUsed>,
    /// What the adapter did wrong.
    pub forfeit: Option<Forfeit>,
    failure: bool,
}

/// A bid that holds.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteBid {
    pub amount: Micros,
    /// Which of the campaigns that were asked for.
    pub campaign: usize,
    pub handle: Option<String>,
}

impl RemoteBid {
    /// Checks a bid against what was asked: the campaigns, each with the most that may be bid for it. One that names no
    /// campaign is for the first.
    ///
    /// # Errors
    ///
    /// The reply that it is worth instead.
    pub fn of(
        campaigns: &[(CampaignId, Option<Micros>)],
        amount: Micros,
        campaign: Option<&str>,
        handle: Option<String>,
    ) -> Result<Self, Reply> {
        let named = |(name, _): &(CampaignId, Option<Micros>)| {
            campaign.is_none_or(|campaign| campaign == name.as_str())
        };
        // A bid that names no campaign is for the first that may bid so much.
        let allowed = |one: &(CampaignId, Option<Micros>)| {
            named(one) && one.1.is_none_or(|most| amount <= most)
        };
        let place = campaigns.iter().position(allowed);
        let Some(place) = place.or_else(|| campaigns.iter().position(named)) else {
            let other = clean(campaign.unwrap_or_default());
            let why = format!("it bids for `{other}`, which it was not asked for");
            return Err(invalid(Flaw::OtherCampaign, &why));
        };
        let most = campaigns.get(place).and_then(|(_, most)| *most);
        checked(amount, most, handle.as_deref())?;
        Ok(Self { amount, campaign: place, handle })
    }
}

impl Ended {
    fn new(outcome: Outcome, detail: Option<String>, failure: bool) -> Self {
        Self {
            outcome,
            detail,
            took: Duration::ZERO,
            bid: None,
            adapter: None,
            forfeit: None,
            failure,
        }
    }

    /// The buyer was not asked.
    pub(super) fn skipped(skipped: Skipped) -> Self {
        let why = match skipped {
            Skipped::BreakerOpen { left } => format!(
                "its end point failed too often and is left alone for another {} s",
                left.as_secs().saturating_add(1)
            ),
            Skipped::Probing => "its end point failed and is being tried with single calls".into(),
            Skipped::Crowded { limit } => {
                format!("{limit} questions wait for its answer already, which is its limit now")
            }
            Skipped::Quota => "it was asked as often this second as its contract allows".into(),
            Skipped::TooLittleTime { left } => {
                format!("only {} ms of the source's deadline were left", left.as_millis())
            }
        };
        Self::new(Outcome::Skipped, Some(why), false)
    }

    /// Nothing came until the deadline.
    pub(super) fn late(waited: Duration) -> Self {
        let why = format!("nothing came in {} ms", waited.as_millis());
        Self { took: waited, ..Self::new(Outcome::Late, Some(why), true) }
    }

    fn invalid(flaw: Flaw, why: &str) -> Self {
        let detail = Some(format!("{}: {why}", flaw.code()));
        Self::new(Outcome::Invalid, detail, !flaw.is_understood())
    }

    /// The adapter failed: that is no fault of the end point.
    fn forfeited(forfeit: Forfeit) -> Self {
        let ended = Self::invalid(Flaw::Adapter, forfeit.code());
        Self { failure: false, forfeit: Some(forfeit), ..ended }
    }

    /// There is no question to ask.
    fn unasked(unasked: Unasked, adapter: Option<ModuleUsed>) -> Self {
        match unasked {
            Unasked::OutOfService(why) => Self::new(Outcome::Skipped, Some(why), false),
            Unasked::Forfeit(forfeit) => Self { adapter, ..Self::forfeited(forfeit) },
        }
    }
}

/// One call on its way.
#[derive(Debug)]
pub(super) struct Call {
    line: Line,
    asking: Asking,
    contract: Arc<Bidding>,
    dialect: Dialect,
    ping: String,
    currency: String,
    /// The campaigns that are asked for, each with the most that may be bid for it.
    campaigns: Vec<(CampaignId, Option<Micros>)>,
    began: Instant,
    deadline: Instant,
}

impl Call {
    /// Words the question, or says why there is none.
    pub(super) fn new(
        line: Line,
        offer: &Offer<'_>,
        began: Instant,
        deadline: Instant,
    ) -> Result<Self, Box<Ended>> {
        let contract = Arc::clone(&offer.invited.contract);
        let mut dialect = Dialect::of(&contract, offer.offered.ping)
            .map_err(|unasked| Box::new(Ended::unasked(unasked, None)))?;
        let asking = dialect.ask(offer);
        let asking = asking.map_err(|unasked| Box::new(Ended::unasked(unasked, dialect.used())))?;
        let most = |of_campaign: Option<Micros>| match (contract.bid_max, of_campaign) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let campaigns = offer.invited.campaigns.iter();
        let campaigns = campaigns.map(|(campaign, bid_max)| (campaign.clone(), most(*bid_max)));
        Ok(Self {
            line,
            asking,
            campaigns: campaigns.collect(),
            dialect,
            contract,
            ping: offer.offered.ping.to_owned(),
            currency: offer.offered.currency.to_owned(),
            began,
            deadline,
        })
    }

    /// Makes the call. `tell` hears how it ended, at the deadline at the latest; the ticket, once it is over.
    pub(super) async fn run(mut self, ticket: Ticket, tell: impl FnOnce(Ended)) {
        let delayed = self.began.elapsed() > OWN_DELAY_MAX;
        let fair = self.began.checked_add(ticket.fair_time()).unwrap_or(self.deadline);
        let fair = fair.max(self.deadline);
        let (line, contract, asking) =
            (self.line.clone(), Arc::clone(&self.contract), self.asking.clone());
        let asking = line.ask(asking.question(&contract.destination));
        let mut asking = std::pin::pin!(asking);
        let answer = timeout_at(self.deadline.into(), &mut asking).await;
        let at = Instant::now();
        let waited = at.saturating_duration_since(self.began);
        if let Ok(answer) = answer {
            let in_time = at <= self.deadline;
            let answered = answer.is_ok().then_some(waited);
            let ended = self.read(answer);
            let ended = Ended { took: waited, adapter: self.dialect.used(), ..ended };
            let verdict = match (in_time, ended.failure) {
                (true, false) => Verdict::Good,
                (true, true) => Verdict::Bad,
                (false, _) => late_verdict(fair, delayed, at),
            };
            ticket.end(at, verdict, answered);
            tell(if in_time { ended } else { Ended::late(waited) });
            return;
        }
        tell(Ended { adapter: self.dialect.used(), ..Ended::late(waited) });
        let answer = timeout_at(fair.into(), &mut asking).await;
        let verdict = match &answer {
            Ok(Err(_)) if !delayed => Verdict::Bad,
            _ => late_verdict(fair, delayed, Instant::now()),
        };
        let answered = match answer {
            Ok(answer) => answer.is_ok(),
            Err(_) => {
                let give_up = fair.checked_add(LINGER).unwrap_or(fair);
                matches!(timeout_at(give_up.into(), asking).await, Ok(Ok(_)))
            }
        };
        let at = Instant::now();
        ticket.end(at, verdict, answered.then(|| at.saturating_duration_since(self.began)));
    }

    fn read(&mut self, answer: Result<Answer, NoAnswer>) -> Ended {
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return no_answer(&error),
        };
        let reply = match self.dialect.read(&answer, &self.ping, &self.currency) {
            Understood::Reply(reply) => reply,
            Understood::TurnedAway(status) => return refused(status),
            // The buyer's words made it fail: that must not put an adapter out of service that others share.
            Understood::Forfeit(forfeit) => {
                return Ended { forfeit: None, ..Ended::forfeited(forfeit) };
            }
        };
        let reply = match reply {
            Reply::Bid { amount, campaign, handle } => {
                match RemoteBid::of(&self.campaigns, amount, campaign.as_deref(), handle) {
                    Ok(bid) => {
                        return Ended { bid: Some(bid), ..Ended::new(Outcome::Bid, None, false) };
                    }
                    Err(invalid) => invalid,
                }
            }
            other => other,
        };
        match reply {
            Reply::Invalid { flaw, detail } => Ended::invalid(flaw, &detail),
            Reply::NoBid { reason } => Ended::new(Outcome::NoBid, reason, false),
            Reply::Bid { .. } => Ended::new(Outcome::NoBid, None, false),
        }
    }
}

/// Returns what it says of the end point that there was no answer until now, if it should have come by `fair`.
fn late_verdict(fair: Instant, delayed: bool, now: Instant) -> Verdict {
    let woken_late = now.saturating_duration_since(fair) > OWN_DELAY_MAX;
    if now >= fair && !delayed && !woken_late { Verdict::Bad } else { Verdict::Nothing }
}

fn no_answer(error: &NoAnswer) -> Ended {
    let why = clean(&error.to_string());
    match error {
        NoAnswer::Forbidden(_) | NoAnswer::Unreachable(_) | NoAnswer::Dropped(_) => {
            Ended::new(Outcome::Unreachable, Some(why), true)
        }
        NoAnswer::Broken(_) => Ended::invalid(Flaw::Broken, &why),
        NoAnswer::TooLong => Ended::invalid(Flaw::TooLong, &why),
        NoAnswer::Compressed(_) => Ended::invalid(Flaw::Compressed, &why),
    }
}

fn refused(status: StatusCode) -> Ended {
    let code = status.as_u16();
    let why = match code {
        300..=399 => format!("answered {code}: redirects are not followed, use the final address"),
        _ => format!("answered {code}"),
    };
    Ended::new(Outcome::Refused, Some(why), true)
}
