//! One auction's way to its prices, before the reader's eyes.
//!
//! What is computed here is told only where it comes to the prices that are recorded. Where it does not, the rule is told
//! and the recorded prices are.

use std::collections::BTreeMap;

use serde_json::Value;

use super::story::{list, micros, priced, text};
use crate::clearing;
use crate::money::Micros;

/// One auction: the only one, or that of a tier that sold.
pub(super) struct Contest<'r> {
    receipt: &'r Value,
    /// From 1, where there are tiers.
    tier: Option<u64>,
    /// The terms, or the tier's part of them.
    terms: &'r Value,
    /// Each with its bid.
    winners: Vec<(&'r Value, &'r Value)>,
    /// Bids of buyers that got nothing, which lost to a better one.
    losing: Vec<&'r Value>,
}

/// Returns the auctions that had a winner: one, or one for each tier that sold.
pub(super) fn contests(receipt: &Value) -> Vec<Contest<'_>> {
    let terms = receipt.get("terms").unwrap_or(&Value::Null);
    let tiers = list(terms, "tiers");
    if tiers.is_empty() {
        return vec![Contest::new(receipt, terms, None)];
    }
    let numbered = (1..).zip(tiers);
    let all = numbered.map(|(number, tier)| Contest::new(receipt, tier, Some(number)));
    all.filter(|contest| !contest.winners.is_empty()).collect()
}

impl<'r> Contest<'r> {
    fn new(receipt: &'r Value, terms: &'r Value, tier: Option<u64>) -> Self {
        let bids = || list(receipt, "bids").iter();
        let here = |bid: &Value| tier.is_none() || bid.get("tier").and_then(Value::as_u64) == tier;
        let winners = list(receipt, "winners").iter().filter_map(|winner| {
            let own = bids().find(|bid| text(bid, "campaign") == text(winner, "campaign"))?;
            here(own).then_some((winner, own))
        });
        let won = |buyer: &str| {
            list(receipt, "winners").iter().any(|winner| text(winner, "buyer") == buyer)
        };
        let outbid = |campaign: &str| {
            let mut left = list(receipt, "left_out").iter();
            left.any(|left| text(left, "campaign") == campaign && text(left, "code") == "outbid")
        };
        let losing = bids()
            .filter(|bid| here(bid) && outbid(text(bid, "campaign")) && !won(text(bid, "buyer")));
        Self { receipt, tier, terms, winners: winners.collect(), losing: losing.collect() }
    }

    pub(super) fn told(&self) -> Vec<String> {
        let of_tier = self.tier.map_or(String::new(), |tier| format!("In tier {tier} "));
        let mut lines: Vec<String> = self
            .winners
            .iter()
            .enumerate()
            .map(|(place, (winner, bid))| format!("{of_tier}{}", self.place(place, winner, bid)))
            .collect();
        lines.extend(match text(self.terms, "rule") {
            "second-price" => self.second_price(),
            "first-price" => vec!["Whoever wins pays what it bid.".to_owned()],
            "fixed" => {
                let price = self.amount(text(self.terms, "price"));
                vec![format!("The policy fixes the price at {price}, whatever was bid.")]
            }
            _ => Vec::new(),
        });
        lines
    }

    /// Says why a winner is one.
    fn place(&self, place: usize, winner: &Value, bid: &Value) -> String {
        let campaign = text(winner, "campaign");
        let amount = self.amount(text(winner, "bid"));
        if self.is_alone(winner) {
            return format!(
                "{campaign} bid {amount} for the lead alone. It gets the lead, and nobody else does."
            );
        }
        let first = place == 0;
        let copy = if list(self.receipt, "winners").len() == 1 { "the copy" } else { "a copy" };
        let what = match (text(self.terms, "rank"), bid.get("ranked").and_then(Value::as_str)) {
            ("order", _) if first => format!("comes first in the policy's order and bid {amount}"),
            ("order", _) => format!("comes next in the policy's order and bid {amount}"),
            ("weighted", _) if first => format!("was drawn first and bid {amount}"),
            ("weighted", _) => format!("was drawn next and bid {amount}"),
            (_, Some(ranked)) => {
                let rank = if first { "first" } else { "next" };
                let counts = if ranked == text(winner, "bid") {
                    "which counts in full".to_owned()
                } else {
                    let rate = text(bid, "reject_rate_percent");
                    format!(
                        "which counts as {ranked}, because it refused {rate} % of its last posts"
                    )
                };
                format!("ranks {rank} with {amount}, {counts}")
            }
            (_, None) => {
                let most = if first { "most" } else { "next" };
                let for_copy = if self.has_sides() { " for a copy" } else { "" };
                format!("bid {most}{for_copy}: {amount}")
            }
        };
        format!("{campaign} {what}. It gets {copy}.")
    }

    /// Computes the second price before the reader's eyes, as far as that is how it came to be.
    fn second_price(&self) -> Vec<String> {
        let ranked = self.winners.iter().any(|(_, bid)| bid.get("ranked").is_some());
        let told = match (ranked, self.has_sides()) {
            _ if matches!(text(self.terms, "rank"), "order" | "weighted") => None,
            (true, false) => self.by_rank(),
            (false, false) => self.next_bid(),
            (false, true) => self.sides(),
            (true, true) => None,
        };
        told.unwrap_or_else(|| {
            let mut lines = Vec::new();
            if ranked {
                lines.push("A winner pays the least bid that still wins after its refusals, and never more than it bid.".to_owned());
            }
            if self.has_sides() {
                lines.push("Bids for the lead alone compete with those for copies: the side that bids more gets the lead and pays what beats the other, and nobody pays more than it bid.".to_owned());
            }
            if lines.is_empty() {
                let reserve = self.amount(text(self.terms, "reserve"));
                lines.push(format!("The prices are those that the recorded bids and the reserve of {reserve} give."));
            }
            lines
        })
    }

    /// The usual second price: one step above the best losing bid.
    fn next_bid(&self) -> Option<Vec<String>> {
        let offered = |bid: &Value| {
            let alone =
                if self.copies() == 1 { micros(text(bid, "exclusive")) } else { Micros::ZERO };
            micros(text(bid, "amount")).max(alone)
        };
        let Some(next) = self.losing.iter().max_by_key(|bid| offered(bid)) else {
            return self.reserve_decides();
        };
        let (best, reserve) = (offered(next), self.reserve());
        let lowest = self.winners.iter().map(|(winner, _)| micros(text(winner, "bid"))).min()?;
        let beaten = best.checked_add(self.increment())?;
        self.comes_to(beaten.max(reserve).min(lowest))?;
        let step = self.step(best, beaten);
        let first = format!(
            "The best bid of a buyer that got none is {}, of {}. {step}",
            self.amount(&best.to_string()),
            text(next, "campaign"),
        );
        let bound = if beaten > lowest {
            format!(
                "That is above the lowest winning bid of {lowest}, and nobody pays more than it bid."
            )
        } else if beaten < reserve {
            format!("That is below the reserve of {reserve}, which is the least price.")
        } else {
            format!(
                "That is not below the reserve of {reserve} and not above the winning bid of {lowest}."
            )
        };
        Some(vec![first, bound])
    }

    /// The second price where bids count for what refusals leave of them.
    fn by_rank(&self) -> Option<Vec<String>> {
        let counts = |bid: &Value| micros(text(bid, "ranked"));
        let Some(next) = self.losing.iter().max_by_key(|bid| counts(bid)) else {
            return self.reserve_decides();
        };
        let beaten = counts(next).checked_add(self.increment())?;
        let lowest = self.winners.iter().map(|(_, bid)| counts(bid)).min()?;
        let first = format!(
            "Next in rank is {} with {}, which counts as {}. {}",
            text(next, "campaign"),
            self.amount(text(next, "amount")),
            text(next, "ranked"),
            self.step(counts(next), beaten),
        );
        let least = beaten.min(lowest);
        let counts_enough = |(winner, bid): &(&Value, &Value)| {
            clearing::ranked(micros(text(winner, "price")), rejects(bid)) >= least
        };
        self.winners.iter().all(counts_enough).then_some(())?;
        let clipped = if beaten > lowest {
            format!("The lowest winning bid counts as {lowest}, and that is enough. ")
        } else {
            String::new()
        };
        Some(vec![
            first,
            format!(
                "{clipped}A winner pays the least bid of its own that counts as {least}, but the reserve of {} at least, and never more than it bid.",
                self.reserve()
            ),
        ])
    }

    /// The second price where bids for the lead alone stand against those for copies.
    fn sides(&self) -> Option<Vec<String>> {
        let alone = |bid: &Value| micros(text(bid, "exclusive"));
        let next = self.losing.iter().max_by_key(|bid| alone(bid));
        let [(winner, _)] = self.winners.as_slice() else { return self.together(*next?) };
        if !self.is_alone(winner) {
            return self.together(*next?);
        }
        let others = self.best_for_copies()?;
        let sum = summed(others.iter().copied())?;
        let rival = next.map_or(Micros::ZERO, |next| alone(next));
        let (best, first) = match next {
            Some(next) if rival >= sum => (
                rival,
                format!(
                    "The next bid for the lead alone is {}, of {}.",
                    self.amount(&rival.to_string()),
                    text(next, "campaign")
                ),
            ),
            _ if sum.is_positive() => (
                sum,
                format!(
                    "The best bids of others for {} come to {}.",
                    self.copies_told(),
                    sum_told(&others, sum)
                ),
            ),
            _ => return self.reserve_decides(),
        };
        let beaten = best.checked_add(self.increment())?;
        self.comes_to(beaten.max(self.reserve()).min(micros(text(winner, "bid"))))?;
        Some(vec![
            format!("{first} {}", self.step(best, beaten)),
            format!(
                "It pays that, but the reserve of {} at least, and never more than it bid.",
                self.reserve()
            ),
        ])
    }

    /// Several buyers beat one that wanted the lead alone.
    fn together(&self, alone: &Value) -> Option<Vec<String>> {
        let exclusive = text(alone, "exclusive");
        let of = |member: &str| -> Vec<Micros> {
            self.winners.iter().map(|(winner, _)| micros(text(winner, member))).collect()
        };
        let (bids, prices) = (of("bid"), of("price"));
        let offered = summed(bids.iter().copied())?;
        let beaten = micros(exclusive);
        (beaten.is_positive() && summed(prices.into_iter())? > beaten && offered > beaten).then(|| {
            vec![
                format!(
                    "{} bid {} for the lead alone. The bids for copies come to {}, which is more.",
                    text(alone, "campaign"),
                    self.amount(exclusive),
                    sum_told(&bids, offered),
                ),
                "Together the winners pay what beats that, each at least what beats the next bid for a copy, and none more than it bid.".to_owned(),
            ]
        })
    }

    /// Returns the best losing bids for copies, one of each buyer, as many as there are copies.
    fn best_for_copies(&self) -> Option<Vec<Micros>> {
        let mut best = BTreeMap::new();
        for bid in &self.losing {
            let amount = micros(text(bid, "amount"));
            if amount.is_positive() && amount >= self.reserve() {
                let known = best.entry(text(bid, "buyer")).or_insert(amount);
                *known = amount.max(*known);
            }
        }
        let mut best: Vec<Micros> = best.into_values().collect();
        best.sort_unstable_by(|one, other| other.cmp(one));
        best.truncate(usize::try_from(self.copies()).ok()?);
        Some(best)
    }

    fn reserve_decides(&self) -> Option<Vec<String>> {
        self.comes_to(self.reserve())?;
        Some(vec![format!(
            "No other buyer bid the reserve or more, so the reserve of {} is the price.",
            self.amount(text(self.terms, "reserve"))
        )])
    }

    /// Returns something if this is the recorded price of every winner.
    fn comes_to(&self, price: Micros) -> Option<()> {
        let mut prices = self.winners.iter().map(|(winner, _)| micros(text(winner, "price")));
        prices.all(|recorded| recorded == price).then_some(())
    }

    /// Says whether bids for the lead alone stand against those for copies.
    fn has_sides(&self) -> bool {
        let mut bids = self.winners.iter().map(|(_, bid)| *bid).chain(self.losing.iter().copied());
        self.copies() > 1 && bids.any(|bid| bid.get("exclusive").is_some())
    }

    /// Says whether a winner has the lead alone though several could have had it.
    fn is_alone(&self, winner: &Value) -> bool {
        self.copies() > 1 && winner.get("exclusive") == Some(&Value::Bool(true))
    }

    fn copies(&self) -> u64 {
        self.receipt.pointer("/terms/copies").and_then(Value::as_u64).unwrap_or(1)
    }

    fn copies_told(&self) -> String {
        format!("{} copies", self.copies())
    }

    fn reserve(&self) -> Micros {
        micros(text(self.terms, "reserve"))
    }

    fn increment(&self) -> Micros {
        let increment = self.receipt.pointer("/terms/increment").and_then(Value::as_str);
        micros(increment.unwrap_or_default())
    }

    fn step(&self, best: Micros, beaten: Micros) -> String {
        format!("One step above it: {best} + {} = {beaten}.", self.increment())
    }

    fn amount(&self, amount: &str) -> String {
        priced(self.receipt, amount)
    }
}

/// Returns how many ten-thousandths of its posts a bid's buyer refuses.
fn rejects(bid: &Value) -> u32 {
    let percent = micros(text(bid, "reject_rate_percent"));
    u32::try_from(percent.get().div_euclid(10_000)).unwrap_or_default()
}

fn summed(amounts: impl Iterator<Item = Micros>) -> Option<Micros> {
    amounts.into_iter().try_fold(Micros::ZERO, Micros::checked_add)
}

/// Writes a sum with its parts.
fn sum_told(parts: &[Micros], sum: Micros) -> String {
    match parts {
        [_] => sum.to_string(),
        parts => {
            let parts: Vec<String> = parts.iter().map(Micros::to_string).collect();
            format!("{} = {sum}", parts.join(" + "))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::price::price;
    use super::*;

    /// Tells how the prices of an auction came to be and compares it with text. Lines of the auction are members of its
    /// terms, and `BUYER AMOUNT [alone AMOUNT] [refuses PERCENT ranked AMOUNT] [tier NUMBER] [won PRICE]`.
    #[track_caller]
    fn check(auction: &str, expected: &str) {
        let (mut bids, mut winners, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        let mut receipt = json!({"currency": "USD"});
        let mut terms = json!({"reserve": "2.00", "increment": "0.01", "rank": "bid", "copies": 1});
        for line in auction.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            let after = |word: &str| {
                let at = words.iter().position(|one| *one == word)?;
                words.get(at + 1).copied()
            };
            match words.as_slice() {
                ["copies", copies] => terms["copies"] = json!(copies.parse::<u64>().unwrap()),
                ["tiers", rules @ ..] => {
                    let tier = |rule| json!({"rule": rule, "reserve": "2.00", "rank": "bid"});
                    terms["tiers"] = rules.iter().map(tier).collect::<Vec<Value>>().into();
                    terms["rule"] = json!("tiers");
                }
                [member @ ("payout" | "together"), amount] => {
                    let member = if *member == "together" { "price" } else { member };
                    receipt[member] = json!(amount);
                }
                [member @ ("rule" | "rank" | "price" | "reserve"), value] => {
                    terms[*member] = json!(value);
                }
                [buyer, amount, ..] => {
                    let campaign = format!("{buyer}-c");
                    let mut bid = json!({"campaign": campaign, "buyer": buyer, "amount": amount});
                    for (word, member) in [
                        ("alone", "exclusive"),
                        ("refuses", "reject_rate_percent"),
                        ("ranked", "ranked"),
                    ] {
                        if let Some(value) = after(word) {
                            bid[member] = json!(value);
                        }
                    }
                    if let Some(tier) = after("tier") {
                        bid["tier"] = json!(tier.parse::<u64>().unwrap());
                    }
                    let alone = micros(amount) == Micros::ZERO;
                    let most = if alone { after("alone").unwrap() } else { amount };
                    match after("won") {
                        Some(paid) => winners.push(json!({"campaign": campaign, "buyer": buyer,
                            "bid": most, "price": paid, "exclusive": alone})),
                        None => left_out.push(json!({"campaign": campaign, "code": "outbid"})),
                    }
                    bids.push(bid);
                }
                other => panic!("{other:?}"),
            }
        }
        for (member, value) in
            [("bids", bids), ("winners", winners), ("left_out", left_out), ("terms", vec![terms])]
        {
            receipt[member] = value.into();
        }
        receipt["terms"] = receipt["terms"][0].take();
        let told = price(&receipt).join("\n");
        let expected: Vec<&str> =
            expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(told, expected.join("\n"), "\n{told}\n");
    }

    #[test]
    fn copies_at_the_second_price_cost_one_step_above_the_best_bid_that_got_none() {
        check(
            "rule second-price\ncopies 2\na 20.00 won 13.01\nb 16.00 won 13.01\nc 13.00\nd 5.00\npayout 23.418",
            "
            a-c bid most: 20.00 USD. It gets a copy.
            b-c bid next: 16.00 USD. It gets a copy.
            The best bid of a buyer that got none is 13.00 USD, of c-c. One step above it: 13.00 + 0.01 = 13.01.
            That is not below the reserve of 2.00 and not above the winning bid of 16.00.
            So each of them pays 13.01 USD, and the source gets 23.418 USD of all of it.
            ",
        );
    }

    #[test]
    fn at_the_first_price_each_winner_has_its_own() {
        check(
            "rule first-price\ncopies 2\na 20.00 won 20.00\nb 16.00 won 16.00\nc 13.00\nd 5.00\ntogether 36.00\npayout 32.40",
            "
            a-c bid most: 20.00 USD. It gets a copy.
            b-c bid next: 16.00 USD. It gets a copy.
            Whoever wins pays what it bid.
            So a-c pays 20.00 USD; b-c pays 16.00 USD. The prices come to 36.00 USD, and the source gets 32.40 USD of that.
            ",
        );
    }

    #[test]
    fn a_fixed_price_is_the_policys_and_an_order_is_no_matter_of_bids() {
        check(
            "rule fixed\nprice 4.00\nrank order\nd 5.00 won 4.00\na 20.00\npayout 3.60",
            "
            d-c comes first in the policy's order and bid 5.00 USD. It gets the copy.
            The policy fixes the price at 4.00 USD, whatever was bid.
            So the price is 4.00 USD, and the source gets 3.60 USD of it.
            ",
        );
        check(
            "rule fixed\nprice 400.00\na 20.00\nb 16.00",
            "Nobody won: of 2 bids none was at or above the fixed price of 400.00 USD and could be paid.",
        );
    }

    #[test]
    fn each_tier_is_told_by_its_own_rule() {
        check(
            "tiers first-price second-price\ncopies 2\nd 5.00 tier 1 won 5.00\na 20.00 tier 2 won 16.01
            b 16.00 tier 2\nc 13.00 tier 2\ntogether 21.01\npayout 18.909",
            "
            In tier 1 d-c bid most: 5.00 USD. It gets a copy.
            Whoever wins pays what it bid.
            In tier 2 a-c bid most: 20.00 USD. It gets a copy.
            The best bid of a buyer that got none is 16.00 USD, of b-c. One step above it: 16.00 + 0.01 = 16.01.
            That is not below the reserve of 2.00 and not above the winning bid of 20.00.
            So d-c pays 5.00 USD; a-c pays 16.01 USD. The prices come to 21.01 USD, and the source gets 18.909 USD of that.
            ",
        );
    }

    #[test]
    fn buyers_of_copies_pay_together_what_beats_a_bid_for_the_lead_alone() {
        check(
            "rule second-price\ncopies 3\na 20.00 won 16.01\nb 16.00 won 16.00\nc 13.00 won 13.00\nd 5.00
            e 0.00 alone 45.00\ntogether 45.01\npayout 40.509",
            "
            a-c bid most for a copy: 20.00 USD. It gets a copy.
            b-c bid next for a copy: 16.00 USD. It gets a copy.
            c-c bid next for a copy: 13.00 USD. It gets a copy.
            e-c bid 45.00 USD for the lead alone. The bids for copies come to 20.00 + 16.00 + 13.00 = 49.00, which is more.
            Together the winners pay what beats that, each at least what beats the next bid for a copy, and none more than it bid.
            So a-c pays 16.01 USD; b-c pays 16.00 USD; c-c pays 13.00 USD. The prices come to 45.01 USD, and the source gets 40.509 USD of that.
            ",
        );
    }

    #[test]
    fn whoever_wins_the_lead_alone_pays_what_the_copies_would_have_brought() {
        check(
            "rule second-price\ncopies 2\na 20.00\nb 16.00\nc 13.00\nd 5.00\ne 0.00 alone 45.00 won 36.01\npayout 32.409",
            "
            e-c bid 45.00 USD for the lead alone. It gets the lead, and nobody else does.
            The best bids of others for 2 copies come to 20.00 + 16.00 = 36.00. One step above it: 36.00 + 0.01 = 36.01.
            It pays that, but the reserve of 2.00 at least, and never more than it bid.
            So the price is 36.01 USD, and the source gets 32.409 USD of it.
            ",
        );
    }

    #[test]
    fn refusals_are_told_where_they_cost_a_place() {
        check(
            "rule second-price\na 20.00 refuses 90.54 ranked 1.892\nb 16.00 refuses 0 ranked 16.00 won 13.01
            c 13.00 refuses 0 ranked 13.00\npayout 11.709",
            "
            b-c ranks first with 16.00 USD, which counts in full. It gets the copy.
            Next in rank is c-c with 13.00 USD, which counts as 13.00. One step above it: 13.00 + 0.01 = 13.01.
            A winner pays the least bid of its own that counts as 13.01, but the reserve of 2.00 at least, and never more than it bid.
            So the price is 13.01 USD, and the source gets 11.709 USD of it.
            ",
        );
    }

    #[test]
    fn a_price_that_comes_from_elsewhere_is_not_derived() {
        check(
            "rule second-price\na 20.00 won 7.00\nb 16.00\npayout 6.30",
            "
            a-c bid most: 20.00 USD. It gets the copy.
            The prices are those that the recorded bids and the reserve of 2.00 USD give.
            So the price is 7.00 USD, and the source gets 6.30 USD of it.
            ",
        );
    }
}
