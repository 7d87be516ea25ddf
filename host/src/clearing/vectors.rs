//! Published auctions with known results: other exchanges' tests, specifications, textbooks.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Bid, Policy, TieKey, award};
use crate::facts::PriceRule;
use crate::money::Micros;

const VECTORS: &str = include_str!("../../../tests/fixtures/auction-vectors.json");

/// Who wins how many units and what a unit costs.
type Winners = BTreeMap<String, (u64, String)>;

struct Auction<'v> {
    vector: &'v Value,
    /// Whole amounts are taken in the smallest unit, so that the largest one fits.
    whole: bool,
}

impl<'v> Auction<'v> {
    fn new(vector: &'v Value) -> Self {
        let amounts = || vector["bids"].as_array().unwrap().iter().map(|bid| &bid["amount"]);
        let mut all = amounts().chain([&vector["reserve"], &vector["increment"]]);
        Self { vector, whole: all.all(|amount| !amount.as_str().unwrap().contains('.')) }
    }

    fn amount(&self, text: &Value) -> Micros {
        let text = text.as_str().unwrap();
        if self.whole { Micros::new(text.parse().unwrap()) } else { Micros::parse(text).unwrap() }
    }

    /// A buyer of several units stands for as many buyers of one.
    fn run(&self) -> (Winners, Vec<String>) {
        let mut names = Vec::new();
        for (place, bid) in self.vector["bids"].as_array().unwrap().iter().enumerate() {
            let bidder = bid["bidder"].as_str().unwrap();
            let amount = self.amount(&bid["amount"]);
            let seq = bid["seq"].as_u64().unwrap();
            match bid["qty"].as_u64() {
                None => names.push((bidder.to_owned(), bidder, amount, seq)),
                Some(units) => {
                    names.extend(
                        (0..units)
                            .map(|unit| (format!("{bidder}/{place}/{unit}"), bidder, amount, seq)),
                    );
                }
            }
        }
        let first = self.vector["mechanism"] == "first_price";
        let policy = Policy {
            price: if first { PriceRule::First } else { PriceRule::Second },
            ..Policy::second_price(
                self.vector["units"].as_u64().unwrap().try_into().unwrap(),
                self.amount(&self.vector["reserve"]),
                self.amount(&self.vector["increment"]),
            )
        };
        let tie = match self.vector["tie_rule"].as_str().unwrap() {
            "earliest" => TieKey::arrival(names.iter().map(|bid| bid.3).collect()),
            _ => TieKey::new(self.vector["id"].as_str().unwrap().as_bytes()),
        };
        let bids: Vec<Bid<'_>> = names.iter().map(|bid| Bid::new(&bid.0, bid.2)).collect();
        let award = award(&policy, &tie, &bids);
        let mut winners = Winners::new();
        for winner in &award.winners {
            let won = winners.entry(names[winner.bid].1.to_owned()).or_default();
            *won = (won.0 + 1, self.print(winner.price));
        }
        let order = award.winners.iter().map(|won| names[won.bid].1.to_owned()).collect();
        (winners, order)
    }

    fn print(&self, price: Micros) -> String {
        if self.whole { price.get().to_string() } else { price.to_string() }
    }

    fn expect(&self) {
        let id = &self.vector["id"];
        let expected = self.vector.get("recommended_expect").unwrap_or(&self.vector["expect"]);
        let (winners, order) = self.run();
        if let Some(expected) = expected["winners"].as_array() {
            let winner = |winner: &Value| {
                let price = self.print(self.amount(&winner["price"]));
                (
                    winner["bidder"].as_str().unwrap().to_owned(),
                    (winner["qty"].as_u64().unwrap_or(1), price),
                )
            };
            assert_eq!(winners, expected.iter().map(winner).collect(), "{id}");
            return;
        }
        let one_of = expected.get("one_of").or(expected.get("any_of")).unwrap().as_array().unwrap();
        assert!(order.len() == 1 && one_of.contains(&order[0].as_str().into()), "{id}: {order:?}");
        if let Some(price) = expected.get("price") {
            assert_eq!(winners[&order[0]].1, price.as_str().unwrap(), "{id}");
        }
    }
}

/// Returns why a vector is of an auction that this one is not.
fn why_not_ours(vector: &Value) -> Option<&'static str> {
    match (vector["mechanism"].as_str().unwrap(), vector["tie_rule"].as_str().unwrap()) {
        ("first_price", _) if vector.get("prefer_deals").is_some() => {
            Some("a deal ranks before the amount")
        }
        ("score_then_bid", "random") => Some("a score ranks before the amount"),
        ("uniform_lab", "pro_rata") => Some("tied buyers share units in proportion"),
        ("vickrey_multi_unit" | "vcg" | "vcg_items", _) => {
            Some("a buyer wants several units or a bundle")
        }
        ("gsp", _) => Some("each position has its own price"),
        _ => None,
    }
}

#[test]
fn published_auctions_come_out_as_published() {
    let file: Value = serde_json::from_str(VECTORS).unwrap();
    let (mut ours, mut skipped) = (0, Vec::new());
    for vector in file["vectors"].as_array().unwrap() {
        match why_not_ours(vector) {
            Some(reason) => skipped.push((vector["id"].as_str().unwrap(), reason)),
            None => {
                Auction::new(vector).expect();
                ours += 1;
            }
        }
    }
    assert_eq!(ours, 26);
    assert_eq!(
        skipped,
        [
            ("sp-ba-score-tie", "a score ranks before the amount"),
            ("fp-pbs-deal-pref", "a deal ranks before the amount"),
            ("fp-pbs-2deals", "a deal ranks before the amount"),
            ("mu-ts-prorata", "tied buyers share units in proportion"),
            ("mu-krishna-vickrey", "a buyer wants several units or a bundle"),
            ("vcg-apples", "a buyer wants several units or a bundle"),
            ("vcg-clu8-1", "a buyer wants several units or a bundle"),
            ("gsp-eos-truthful", "each position has its own price"),
            ("gsp-eos-shaded", "each position has its own price"),
        ]
    );
}
