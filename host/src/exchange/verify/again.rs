//! Holding a received auction again: from the facts to the receipt, and from the lead to its winners.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::super::price_to_win::price_to_win;
use super::super::rehearsal::{Rehearsed, Services, covered, rehearse};
use super::Verified;
use super::evidence::{Bench, used};
use crate::catalog::{
    Excerpt, FailingSpec, Faults, Lot, Market, ModuleVersion, Served, Serving, Unfoldable, Upkeep,
};
use crate::clock::Moment;
use crate::facts::{
    BidMade, Delivered, Ended, Fact, Parts, PingAnswered, Posted, ShipmentResent, Winner,
};
use crate::ids::{SourceId, VerticalId};
use crate::lead::PingView;
use crate::money::Micros;
use crate::settlement::receipt::seal::{EVIDENCE, PROOF};
use crate::settlement::{self, Case, Placed};

/// Writes the receipt again from the facts, and holds the auction again.
pub(super) fn hold(
    verified: &mut Verified,
    receipt: &Map<String, Value>,
    bench: &Bench,
    (catalog, facts, answered): (&Excerpt, &[Placed], &PingAnswered),
) {
    verified.say("receipt", written_again(receipt, bench, (catalog, facts)));
    verified.say("versions", versions(catalog, answered));
    verified.say("auction", held_again(bench, catalog, answered));
    verified.say("deliveries", deliveries(facts, answered));
    let legs: Vec<_> = facts.iter().flat_map(|placed| settlement::entries(&placed.fact)).collect();
    let sum: i128 = legs.iter().map(|leg| i128::from(leg.amount.get())).sum();
    verified.say(
        "ledger",
        match (sum, legs.len()) {
            (0, 0) => Ok("no money moved".to_owned()),
            (0, count) => Ok(format!("{count} legs that sum to zero")),
            (sum, _) => Err(format!("the legs sum to {sum} millionths")),
        },
    );
}

fn written_again(
    receipt: &Map<String, Value>,
    bench: &Bench,
    (catalog, facts): (&Excerpt, &[Placed]),
) -> Result<String, String> {
    let currency = receipt.get("currency").and_then(Value::as_str).unwrap_or_default();
    let case = Case {
        facts,
        owner: &|campaign| catalog.owner(campaign),
        schema: bench.schema.as_ref(),
        price_to_win: &price_to_win,
        currency,
        at: read_at(receipt),
    };
    let again = settlement::receipt(&case).ok_or("the facts are not those of an auction")?;
    let other = again.iter().filter(|(name, value)| receipt.get(*name) != Some(value));
    let other: Vec<&str> = other.map(|(name, _)| name.as_str()).collect();
    let more = receipt
        .keys()
        .filter(|name| !again.contains_key(*name) && *name != PROOF && *name != EVIDENCE);
    let other: Vec<&str> = other.into_iter().chain(more.map(String::as_str)).collect();
    match other.as_slice() {
        [] => Ok("every word of it follows from the facts".to_owned()),
        other => Err(format!("the facts say otherwise about {}", other.join(", "))),
    }
}

/// Returns a moment at which the receipt may have been read: a ping that nobody posts expires without a fact of its own.
fn read_at(receipt: &Map<String, Value>) -> Moment {
    let expired = receipt.get("status").and_then(Value::as_str) == Some("expired");
    Moment::from_unix_ms(if expired { i64::MAX } else { i64::MIN })
}

/// Checks that the versions that decided are those whose turn it was.
fn versions(catalog: &Excerpt, auction: &PingAnswered) -> Result<String, String> {
    let ping = auction.ping.to_be_bytes();
    for module in used(auction) {
        let (name, number) = (&module.name, module.version);
        let served = catalog.version(name, number);
        let (known, version) =
            served.ok_or_else(|| format!("version {number} of `{name}` did not serve"))?;
        if *version.digest.as_bytes() != module.digest {
            return Err(format!("version {number} of `{name}` has another digest"));
        }
        let served = |version: &crate::catalog::ServingVersion| {
            let module = ModuleVersion {
                name: known.name.clone(),
                version: version.version,
                digest: version.digest,
            };
            Served { module, code: () }
        };
        let same = known.versions.iter().filter(|other| other.major == version.major);
        let (mut active, mut canary) = (None, None);
        for other in same {
            match other.canary_percent {
                Some(percent) => canary = Some((percent.0, served(other))),
                None => active = Some(served(other)),
            }
        }
        let active = active.ok_or_else(|| format!("no version of `{name}` was active"))?;
        let upkeep = Upkeep { owner: String::new(), failing: FailingSpec::NEVER, taken_out: None };
        let serving = Serving { active, canary, shadow: None, upkeep };
        let drawn_by: &[u8] = if known.world == "normalizer" { &auction.body } else { &ping };
        let due = serving.decides(|| Lot::draw(drawn_by, &known.name)).module.version;
        if due != number {
            return Err(format!("version {due} of `{name}` had to decide, not {number}"));
        }
    }
    Ok("the versions that decided are those whose turn it was".to_owned())
}

/// Holds the auction again and compares it bit for bit.
fn held_again(bench: &Bench, catalog: &Excerpt, auction: &PingAnswered) -> Result<String, String> {
    if auction.duplicate_of.is_some() {
        let nothing =
            auction.bids.is_empty() && auction.winners.is_empty() && auction.left_out.is_empty();
        return if nothing {
            Ok("a duplicate: nobody was asked".to_owned())
        } else {
            Err("a duplicate has neither bids nor winners".to_owned())
        };
    }
    let versions: Vec<(&str, u32)> =
        used(auction).map(|used| (used.name.as_str(), used.version)).collect();
    let unfoldable = |error: Unfoldable| error.to_string();
    let draft = catalog.draft(&versions).map_err(unfoldable)?;
    let unbuilt = |faults: Faults| faults.to_string();
    let market = Market::build(&draft, auction.catalog, &bench.workshop).map_err(unbuilt)?;
    let name = &auction.vertical;
    let vertical = VerticalId::parse(name).ok().and_then(|id| market.vertical(&id).cloned());
    let vertical = vertical.ok_or_else(|| format!("there was no vertical `{name}`"))?;
    let source = SourceId::parse(&auction.source).ok().and_then(|id| market.source(&id).cloned());
    let source = source.ok_or_else(|| format!("there was no source `{}`", auction.source))?;
    let lead = PingView::from_frame(Arc::clone(vertical.schema()), &auction.frame)
        .map_err(|error| error.to_string())?;
    let policy = vertical.policy(&lead, &auction.source);
    if policy.terms(&source, &vertical.fees, Micros::new(auction.terms.least)) != auction.terms {
        return Err("the terms are not those of the catalog".to_owned());
    }
    let at = Moment::from_unix_ms(auction.received_ms);
    let stage = (vertical.as_ref(), &lead, &source.id);
    let Rehearsed { closed, asked } =
        rehearse(auction, stage, (at, Services::AsRecorded), |campaign, _| {
            covered(auction, campaign.id.as_str())
        });
    let differ = [
        ("answers of remote buyers", asked != auction.asked),
        ("bids", closed.bids != auction.bids),
        ("left out", closed.left_out != auction.left_out),
        ("winners and prices", closed.winners != auction.winners),
    ];
    let differ: Vec<&str> =
        differ.iter().filter(|(_, differs)| *differs).map(|(what, _)| *what).collect();
    if !differ.is_empty() {
        return Err(format!("held again, it has other {}", differ.join(", other ")));
    }
    Ok(format!(
        "held again: the same {} bids, {} winners, {} left out, and every price",
        auction.bids.len(),
        auction.winners.len(),
        auction.left_out.len()
    ))
}

/// Checks that every sale has the price that was held, and that who came next is one of the bidders.
fn deliveries(facts: &[Placed], auction: &PingAnswered) -> Result<String, String> {
    let mut holds: Vec<Option<Winner>> = auction.winners.iter().cloned().map(Some).collect();
    let mut given_up: Vec<Option<Winner>> = vec![None; holds.len()];
    let mut count = 0_usize;
    for Placed { seq, fact, .. } in facts {
        if let Fact::Posted(posted) = fact {
            passed_over(auction, &mut holds, posted)
                .map_err(|fault| format!("fact {seq}: {fault}"))?;
        }
        if let Fact::ShipmentResent(resent) = fact {
            sent_again(&mut holds, &mut given_up, resent)
                .map_err(|fault| format!("fact {seq}: {fault}"))?;
        }
        let Fact::Delivered(delivered) = fact else { continue };
        count = count.saturating_add(1);
        let copy = usize::try_from(delivered.copy).ok().and_then(|copy| holds.get_mut(copy));
        let copy = copy.ok_or_else(|| format!("fact {seq}: there is no such copy"))?;
        let held = copy.clone().filter(|held| held.campaign == delivered.campaign);
        let held =
            held.ok_or_else(|| format!("fact {seq}: nothing was held for {}", delivered.campaign))?;
        settled(auction, &held, delivered).map_err(|fault| format!("fact {seq}: {fault}"))?;
        if delivered.closes() {
            let index = usize::try_from(delivered.copy).unwrap_or(usize::MAX);
            if let Some(given_up) = given_up.get_mut(index).filter(|_| delivered.gives_up()) {
                *given_up = copy.take();
            }
            *copy = None;
        } else if let Some(next) = &delivered.successor {
            *copy = Some(next.clone());
        }
    }
    Ok(match count {
        0 => "none yet".to_owned(),
        count => format!("{count}, at the prices that were held"),
    })
}

/// Holds a copy's money anew that was given up, at the price of before.
fn sent_again(
    holds: &mut [Option<Winner>],
    given_up: &mut [Option<Winner>],
    resent: &ShipmentResent,
) -> Result<(), &'static str> {
    let Some(held) = &resent.held else { return Ok(()) };
    let index = usize::try_from(resent.copy).unwrap_or(usize::MAX);
    let before = given_up.get_mut(index).and_then(Option::take);
    // It counts for the caps of its own time.
    let before = before.map(|before| Winner { counted: held.counted, ..before });
    match holds.get_mut(index) {
        Some(hold) if before.as_ref() == Some(held) => *hold = before,
        _ => return Err("it was sent again without having been given up at that price"),
    }
    Ok(())
}

fn settled(
    auction: &PingAnswered,
    held: &Winner,
    delivered: &Delivered,
) -> Result<(), &'static str> {
    if delivered.ended == Ended::Sold {
        if (delivered.price, delivered.buyer_fees) != (held.price, held.fees) {
            return Err("it is sold at another price than was held");
        }
        let Parts { payout, fees, .. } = auction.terms.parts(Micros::new(held.price));
        if (delivered.payout, delivered.source_fees) != (payout.get(), fees) {
            return Err("its source is paid otherwise than the terms say");
        }
    }
    comes_next(auction, delivered.successor.as_ref())
}

/// Moves the copies whose winners may not have the person.
fn passed_over(
    auction: &PingAnswered,
    holds: &mut [Option<Winner>],
    posted: &Posted,
) -> Result<(), &'static str> {
    for passed in &posted.passed_over {
        comes_next(auction, passed.successor.as_ref())?;
        let Some(index) = passed.copy else { continue };
        let copy = usize::try_from(index).ok().and_then(|index| holds.get_mut(index));
        *copy.ok_or("there is no such copy")? = passed.successor.clone();
    }
    Ok(())
}

/// Checks that whoever comes next made the bid that it is held to.
fn comes_next(auction: &PingAnswered, next: Option<&Winner>) -> Result<(), &'static str> {
    let Some(next) = next else { return Ok(()) };
    let mut bids = auction.bids.iter();
    let bid = bids.find(|bid| bid.campaign == next.campaign && bid.buyer == next.buyer);
    let offered = |bid: &BidMade| if next.exclusive { bid.most() } else { bid.amount };
    match bid {
        Some(bid) if offered(bid) == next.bid && (0..=next.bid).contains(&next.price) => {
            let fees = auction.terms.fee_of(&next.buyer).on(Micros::new(next.price));
            if fees == next.fees {
                Ok(())
            } else {
                Err("who came next pays other fees than agreed")
            }
        }
        _ => Err("who came next did not bid so"),
    }
}
