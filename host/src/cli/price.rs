//! `gavel price`: the award for a set of bids, by the same function that sells leads.

use std::fmt;
use std::io::{Read as _, Write as _};

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_json::{Number, Value, json};

use super::Failure;
use crate::catalog::{PriceName, RankName};
use crate::clearing::{Award, Bid, Policy, TieKey, award};
use crate::facts::PriceRule;
use crate::money::{AmountError, Micros};

/// The longest input, in bytes.
const INPUT_BYTES_MAX: u64 = 16 << 20;
/// The most copies of one lead.
const UNITS_MAX: u32 = 1_000;

const HELP: &str = r#"Reads, for example,

  {"units":1,"reserve":"10.00","increment":"0","bids":[{"bidder":"A","amount":"12.50","seq":1}]}

and prints {"winners":[{"bidder":"A","price":"10.00"}]}, the best bid first. Amounts are decimals in
quotes. Left out, "units" is 1, and "reserve" and "increment" are 0.

"rule" chooses what winners pay: "second-price" (as when it is left out), "first-price", or "fixed" with
"price". "rank" chooses who comes first: "bid", "order" (the lowest "standing" of a bid first) or
"weighted" (drawn, with the bid's "standing" as its weight). Where "units" is above 1, a bid may name
"exclusive", an amount for the lead alone; then the side that bids most gets it.

Of equal bids the one with the lowest "seq" wins. Without "seq", or with "auction" (the auction's id),
a hash of the id and the bidder decides, as it does when leads are sold. "tie" chooses: "earliest" or
"hash"."#;

#[derive(Debug, clap::Args)]
#[command(after_help = HELP)]
pub(super) struct Args {}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default = "one")]
    units: Number,
    #[serde(default)]
    reserve: Decimal,
    #[serde(default)]
    increment: Decimal,
    bids: Vec<Offer>,
    auction: Option<String>,
    tie: Option<TieRule>,
    #[serde(default)]
    rule: PriceName,
    price: Option<Decimal>,
    #[serde(default)]
    rank: RankName,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Offer {
    bidder: String,
    amount: Decimal,
    exclusive: Option<Decimal>,
    #[serde(default)]
    standing: u32,
    seq: Option<u64>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum TieRule {
    Earliest,
    Hash,
}

/// An amount as it is written.
struct Decimal(String);

/// How amounts are counted. The award is the same in every unit.
#[derive(Clone, Copy)]
enum Unit {
    /// Every amount is whole and is taken as it is, so that the largest ones fit.
    Whole,
    /// The most precise amount has so many digits after the point.
    Decimals(u32),
}

pub(super) fn run(_args: Args, _json: bool) -> Result<(), Failure> {
    let mut input = Vec::new();
    let read = std::io::stdin().take(INPUT_BYTES_MAX + 1).read_to_end(&mut input);
    let read = read
        .map_err(|error| Failure::could_not_run(format!("cannot read standard input: {error}")))?;
    if u64::try_from(read).unwrap_or(u64::MAX) > INPUT_BYTES_MAX {
        return Err(Failure::usage(format!("the input is longer than {INPUT_BYTES_MAX} bytes")));
    }
    let answer = answer(&input).map_err(Failure::usage)?;
    writeln!(std::io::stdout(), "{answer}").map_err(|error| {
        Failure::could_not_run(format!("cannot write to standard output: {error}"))
    })
}

/// Returns the winners, or what is wrong with the input and where.
fn answer(input: &[u8]) -> Result<Value, String> {
    let fault = |error| format!("the input is not understood: {error}; see `gavel price --help`");
    only_objects(&serde_json::from_slice(input).map_err(fault)?)?;
    let question: Question = serde_json::from_slice(input).map_err(fault)?;
    let unit = question.unit();
    let copies = question.units.as_u64().and_then(|units| u32::try_from(units).ok());
    let copies = copies
        .filter(|copies| (1..=UNITS_MAX).contains(copies))
        .ok_or_else(|| format!("at /units: {} is not from 1 to {UNITS_MAX}", question.units))?;
    let policy = Policy {
        copies,
        reserve: question.reserve.term("/reserve", unit)?,
        increment: question.increment.term("/increment", unit)?,
        price: question.price_rule(unit)?,
        ranking: question.rank.into(),
    };
    let bids = question.bids.iter().enumerate().map(|(index, offer)| {
        if offer.bidder.is_empty() {
            return Err(format!("at /bids/{index}/bidder: a bidder has a name"));
        }
        let amount = offer.amount.read(&format!("/bids/{index}/amount"), unit)?;
        let exclusive = offer.exclusive.as_ref();
        let exclusive = exclusive
            .map(|exclusive| exclusive.read(&format!("/bids/{index}/exclusive"), unit))
            .transpose()?;
        Ok(Bid { exclusive, standing: offer.standing, ..Bid::new(&offer.bidder, amount) })
    });
    let bids = bids.collect::<Result<Vec<_>, _>>()?;
    let award = award(&policy, &question.tie_key()?, &bids);
    Ok(winners(&award, &bids, unit))
}

/// The reader would take a list of values, too, in the order of the keys.
fn only_objects(json: &Value) -> Result<(), String> {
    if !json.is_object() {
        return Err("the input must be an object; see `gavel price --help`".to_owned());
    }
    let bids = json.get("bids").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    match bids.iter().position(|bid| !bid.is_object()) {
        Some(index) => {
            Err(format!("at /bids/{index}: a bid is an object with bidder, amount and seq"))
        }
        None => Ok(()),
    }
}

fn winners(award: &Award, bids: &[Bid<'_>], unit: Unit) -> Value {
    let text = |price: Micros| match unit {
        Unit::Whole => price.get().to_string(),
        Unit::Decimals(decimals) => price.with_decimals(decimals),
    };
    let winners = award.winners.iter().filter_map(|won| Some((bids.get(won.bid)?, won.price)));
    let winners = winners.map(|(bid, price)| json!({"bidder": bid.bidder, "price": text(price)}));
    json!({ "winners": winners.collect::<Vec<_>>() })
}

fn one() -> Number {
    1.into()
}

impl Question {
    fn unit(&self) -> Unit {
        let exclusives = self.bids.iter().filter_map(|offer| offer.exclusive.as_ref());
        let amounts = self.bids.iter().map(|offer| &offer.amount).chain(exclusives);
        let amounts = amounts.chain([&self.reserve, &self.increment]).chain(&self.price);
        match amounts.map(Decimal::decimals).max() {
            None | Some(0) => Unit::Whole,
            Some(decimals) => Unit::Decimals(decimals),
        }
    }

    fn price_rule(&self, unit: Unit) -> Result<PriceRule, String> {
        match (self.rule, &self.price) {
            (PriceName::Fixed, None) => {
                Err("at /price: name the price that winners pay".to_owned())
            }
            (PriceName::Fixed, Some(price)) => Ok(self.rule.rule(price.term("/price", unit)?)),
            (_, Some(_)) => Err("at /price: is used only where \"rule\" is \"fixed\"".to_owned()),
            (_, None) => Ok(self.rule.rule(Micros::ZERO)),
        }
    }

    fn tie_key(&self) -> Result<TieKey, String> {
        let arrivals: Vec<u64> = self.bids.iter().filter_map(|offer| offer.seq).collect();
        match (&self.tie, &self.auction) {
            (Some(TieRule::Hash), auction) => {
                Ok(TieKey::new(auction.as_deref().unwrap_or_default().as_bytes()))
            }
            (None, Some(auction)) => Ok(TieKey::new(auction.as_bytes())),
            (None, None) if arrivals.is_empty() => Ok(TieKey::new(b"")),
            (Some(TieRule::Earliest), _) | (None, None) => {
                match self.bids.iter().position(|offer| offer.seq.is_none()) {
                    None => Ok(TieKey::arrival(arrivals)),
                    Some(index) => Err(format!(
                        "at /bids/{index}: \"seq\" is missing; give it for every bid, or set \"tie\" to \"hash\""
                    )),
                }
            }
        }
    }
}

impl Decimal {
    fn decimals(&self) -> u32 {
        let fraction = self.0.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        u32::try_from(fraction).unwrap_or(u32::MAX)
    }

    fn read(&self, pointer: &str, unit: Unit) -> Result<Micros, String> {
        let amount = match (Micros::parse(&self.0), unit) {
            (Ok(_) | Err(AmountError::TooLarge), Unit::Whole) => {
                let whole = self.0.parse().map(Micros::new);
                whole.map_err(|_| format!("the amount is larger than {}", i64::MAX))
            }
            (amount, _) => amount.map_err(|error| error.to_string()),
        };
        amount.map_err(|error| format!("at {pointer}: `{}`: {error}", self.0))
    }

    /// Reads what cannot be negative.
    fn term(&self, pointer: &str, unit: Unit) -> Result<Micros, String> {
        let amount = self.read(pointer, unit)?;
        if amount.is_negative() {
            Err(format!("at {pointer}: {} is less than 0", self.0))
        } else {
            Ok(amount)
        }
    }
}

impl Default for Decimal {
    fn default() -> Self {
        Self("0".to_owned())
    }
}

/// Takes text only, and says so: a JSON number may have been rounded on its way.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoted;

        impl Visitor<'_> for Quoted {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in quotes, such as \"12.50\"")
            }

            fn visit_str<E>(self, text: &str) -> Result<Decimal, E> {
                Ok(Decimal(text.to_owned()))
            }
        }

        deserializer.deserialize_str(Quoted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        let actual = match answer(input.as_bytes()) {
            Ok(answer) => answer.to_string(),
            Err(message) => message,
        };
        assert_eq!(actual, expected);
    }

    /// Two bids of 5, by A with sequence number 2 and by B with 1, and whatever else is asked for.
    fn tie(rest: &str) -> String {
        let bids = r#"[{"bidder":"A","amount":"5","seq":2},{"bidder":"B","amount":"5","seq":1}]"#;
        format!(r#"{{"bids":{bids}{rest}}}"#)
    }

    #[test]
    fn the_winners_are_printed_with_their_price() {
        check(
            r#"{"units":1,"reserve":"10.00","increment":"0","bids":[{"bidder":"A","amount":"12.50","seq":1}]}"#,
            r#"{"winners":[{"bidder":"A","price":"10.00"}]}"#,
        );
        check(
            r#"{"units":2,"reserve":"1","increment":"0","bids":[{"bidder":"A","amount":"5"},{"bidder":"C","amount":"3"},{"bidder":"B","amount":"9"}]}"#,
            r#"{"winners":[{"bidder":"B","price":"3"},{"bidder":"A","price":"3"}]}"#,
        );
    }

    #[test]
    fn nobody_wins_where_nobody_bids_enough() {
        check(r#"{"bids":[]}"#, r#"{"winners":[]}"#);
        check(
            r#"{"reserve":"10","bids":[{"bidder":"A","amount":"9"},{"bidder":"B","amount":"-1"}]}"#,
            r#"{"winners":[]}"#,
        );
    }

    #[test]
    fn a_price_has_the_decimals_of_the_most_precise_amount() {
        let price = |reserve: &str, increment: &str| {
            let bids = r#"[{"bidder":"A","amount":"12"},{"bidder":"B","amount":"7"}]"#;
            let input =
                format!(r#"{{"reserve":"{reserve}","increment":"{increment}","bids":{bids}}}"#);
            answer(input.as_bytes()).unwrap()["winners"][0]["price"].as_str().unwrap().to_owned()
        };
        assert_eq!(price("1", "1"), "8");
        assert_eq!(price("1.00", "1"), "8.00");
        assert_eq!(price("1", "0.000001"), "7.000001");
        assert_eq!(price("9.0", "0"), "9.0");
    }

    #[test]
    fn the_largest_whole_amounts_are_exact() {
        check(
            r#"{"increment":"1","bids":[{"bidder":"a","amount":"9223372036854775807"},{"bidder":"b","amount":"9223372036854775806"}]}"#,
            r#"{"winners":[{"bidder":"a","price":"9223372036854775807"}]}"#,
        );
        check(
            r#"{"bids":[{"bidder":"a","amount":"9223372036854775808"}]}"#,
            "at /bids/0/amount: `9223372036854775808`: the amount is larger than 9223372036854775807",
        );
        check(
            r#"{"reserve":"0.5","bids":[{"bidder":"a","amount":"9223372036855"}]}"#,
            "at /bids/0/amount: `9223372036855`: the amount is larger than 9223372036854.775807",
        );
    }

    #[test]
    fn the_earliest_of_equal_bids_wins_unless_the_hash_is_asked_for() {
        let a = r#"{"winners":[{"bidder":"A","price":"5"}]}"#;
        let b = r#"{"winners":[{"bidder":"B","price":"5"}]}"#;
        check(&tie(""), b);
        check(&tie(r#","tie":"earliest","auction":"pg_1""#), b);
        let key = |auction: &str| {
            let amount = Micros::new(5);
            let policy = Policy::second_price(1, Micros::ZERO, Micros::ZERO);
            let bids = ["A", "B"].map(|bidder| Bid::new(bidder, amount));
            let award = award(&policy, &TieKey::new(auction.as_bytes()), &bids);
            if award.winners.iter().all(|won| won.bid == 0) { a } else { b }
        };
        assert_ne!(key("pg_1"), key("pg_2"));
        for auction in ["pg_1", "pg_2"] {
            check(&tie(&format!(r#","auction":"{auction}""#)), key(auction));
            check(&tie(&format!(r#","auction":"{auction}","tie":"hash""#)), key(auction));
        }
        check(&tie(r#","tie":"hash""#), key(""));
        check(r#"{"bids":[{"bidder":"B","amount":"5"},{"bidder":"A","amount":"5"}]}"#, key(""));
    }

    #[test]
    fn a_missing_sequence_number_is_refused_where_it_is_needed() {
        let message =
            "at /bids/1: \"seq\" is missing; give it for every bid, or set \"tie\" to \"hash\"";
        let bids = r#""bids":[{"bidder":"A","amount":"5","seq":1},{"bidder":"B","amount":"5"}]"#;
        check(&format!("{{{bids}}}"), message);
        check(&format!(r#"{{{bids},"tie":"earliest"}}"#), message);
    }

    #[test]
    fn every_rule_can_be_asked_for() {
        let bids = r#""bids":[{"bidder":"A","amount":"12"},{"bidder":"B","amount":"9.50"}]"#;
        let asked = |rest: &str| format!("{{{bids}{rest}}}");
        let a = |price: &str| format!(r#"{{"winners":[{{"bidder":"A","price":"{price}"}}]}}"#);
        check(&asked(r#","rule":"second-price""#), &a("9.50"));
        check(&asked(r#","rule":"first-price""#), &a("12.00"));
        check(&asked(r#","rule":"fixed","price":"8""#), &a("8.00"));
        check(&asked(r#","rule":"fixed","price":"12.001""#), r#"{"winners":[]}"#);
        check(&asked(r#","rule":"fixed""#), "at /price: name the price that winners pay");
        check(&asked(r#","rule":"fixed","price":"-1""#), "at /price: -1 is less than 0");
        let unused = r#"at /price: is used only where "rule" is "fixed""#;
        check(&asked(r#","price":"8""#), unused);
        let placed = r#"{"rule":"first-price","rank":"order","bids":[{"bidder":"A","amount":"12","standing":2},{"bidder":"B","amount":"9","standing":1}]}"#;
        check(placed, r#"{"winners":[{"bidder":"B","price":"9"}]}"#);
        let drawn = placed
            .replace("order", "weighted")
            .replace(r#""standing":2"#, r#""standing":4000000000"#);
        check(&drawn, r#"{"winners":[{"bidder":"A","price":"12"}]}"#);
    }

    #[test]
    fn a_bid_for_the_lead_alone_competes_with_those_for_copies() {
        let asked = |exclusive: &str| {
            let bids = r#"{"bidder":"B","amount":"8"},{"bidder":"C","amount":"8"}"#;
            format!(
                r#"{{"units":2,"reserve":"5","bids":[{{"bidder":"A","amount":"0","exclusive":"{exclusive}"}},{bids}],"tie":"hash"}}"#
            )
        };
        check(&asked("20"), r#"{"winners":[{"bidder":"A","price":"16"}]}"#);
        let both = answer(asked("15").as_bytes()).unwrap();
        for winner in both["winners"].as_array().unwrap() {
            assert_eq!(winner["price"], "8", "{both}");
        }
        check(
            &asked("abc"),
            "at /bids/0/exclusive: `abc`: an amount is digits with at most one point, such as 12.50",
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_where_it_is() {
        let wrong =
            |what: &str| format!("the input is not understood: {what}; see `gavel price --help`");
        check("", &wrong("EOF while parsing a value at line 1 column 0"));
        check("[1]", "the input must be an object; see `gavel price --help`");
        check(
            r#"{"bids":[["A","5",1]]}"#,
            "at /bids/0: a bid is an object with bidder, amount and seq",
        );
        check(
            r#"{"units":"1","bids":[]}"#,
            &wrong("invalid type: string \"1\", expected a JSON number at line 1 column 12"),
        );
        check(
            r#"{"bids":[{"bidder":"A","amount":12.5}]}"#,
            &wrong(
                "invalid type: floating point `12.5`, expected an amount in quotes, such as \"12.50\" at line 1 column 36",
            ),
        );
        check(
            r#"{"reserve":10,"bids":[]}"#,
            &wrong(
                "invalid type: integer `10`, expected an amount in quotes, such as \"12.50\" at line 1 column 13",
            ),
        );
        check(
            r#"{"bids":[],"currency":"USD"}"#,
            &wrong(
                "unknown field `currency`, expected one of `units`, `reserve`, `increment`, `bids`, `auction`, `tie`, `rule`, `price`, `rank` at line 1 column 21",
            ),
        );
        check(
            r#"{"bids":[{"bidder":"A","amount":"1","score":"2"}]}"#,
            &wrong(
                "unknown field `score`, expected one of `bidder`, `amount`, `exclusive`, `standing`, `seq` at line 1 column 43",
            ),
        );
        check(r#"{"units":1}"#, &wrong("missing field `bids` at line 1 column 11"));
        check(
            r#"{"bids":[],"tie":"random"}"#,
            &wrong("unknown variant `random`, expected `earliest` or `hash` at line 1 column 25"),
        );
    }

    #[test]
    fn what_cannot_be_is_refused_where_it_is() {
        check(r#"{"units":0,"bids":[]}"#, "at /units: 0 is not from 1 to 1000");
        check(r#"{"units":-1,"bids":[]}"#, "at /units: -1 is not from 1 to 1000");
        check(r#"{"units":1.5,"bids":[]}"#, "at /units: 1.5 is not from 1 to 1000");
        check(r#"{"units":1001,"bids":[]}"#, "at /units: 1001 is not from 1 to 1000");
        check(r#"{"reserve":"-1","bids":[]}"#, "at /reserve: -1 is less than 0");
        check(r#"{"increment":"-0.5","bids":[]}"#, "at /increment: -0.5 is less than 0");
        check(r#"{"bids":[{"bidder":"","amount":"1"}]}"#, "at /bids/0/bidder: a bidder has a name");
        let decimal = "an amount is digits with at most one point, such as 12.50";
        for amount in ["", "abc", "1e3", "+1", "1,000", ".5"] {
            let input = format!(r#"{{"bids":[{{"bidder":"A","amount":"{amount}"}}]}}"#);
            check(&input, &format!("at /bids/0/amount: `{amount}`: {decimal}"));
        }
        check(
            r#"{"bids":[{"bidder":"A","amount":"0.0000001"}]}"#,
            "at /bids/0/amount: `0.0000001`: an amount has at most six digits after the point",
        );
    }
}
