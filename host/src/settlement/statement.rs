//! Statements: every line of a buyer's or source's account in a period, on the chain that `ledger` describes.
//!
//! Whoever has a statement can recompute it: every balance from the amounts, every hash from the lines, and the first
//! hash of a period is the last one of the period before.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::ledger::{Point, Step};
use crate::clock::Moment;
use crate::ids::Digest;
use crate::money::Micros;

/// The version of a statement's form, in its JSON.
pub const FORM: u32 = 1;

/// From when to when, and in which time zone the days begin.
#[derive(Clone, Debug)]
pub struct Period {
    pub from: Moment,
    /// The first moment that is not part of it.
    pub to: Moment,
    zone: TimeZone,
    zone_name: String,
}

impl Period {
    /// Reads a period: `month` such as `2026-01`, or `from` and `to`, each a day such as `2026-01-05`, which begins at
    /// midnight in the zone, or a moment such as `2026-01-05T09:00:00Z`. `to` is the first day or moment that is not part
    /// of the period; without it the period goes on to the newest line, without `from` it begins with the first.
    ///
    /// # Errors
    ///
    /// What cannot be read, and what would be right.
    pub fn read(
        month: Option<&str>,
        from: Option<&str>,
        to: Option<&str>,
        zone: Option<&str>,
    ) -> Result<Self, String> {
        let zone_name = zone.unwrap_or("UTC").to_owned();
        let zone = TimeZone::get(&zone_name).map_err(|_| {
            format!("there is no time zone `{zone_name}`; use a name such as America/Chicago")
        })?;
        let (from, to) = match (month, from, to) {
            (Some(month), None, None) => {
                let wrong = || format!("`{month}` is no month; write one such as 2026-01");
                let first: Date = format!("{month}-01").parse().map_err(|_| wrong())?;
                let next = first.last_of_month().tomorrow().map_err(|_| wrong())?;
                (midnight(first, &zone)?, midnight(next, &zone)?)
            }
            (Some(_), _, _) => {
                return Err("give a month, or from and to, not both".to_owned());
            }
            (None, from, to) => {
                let bound = |text: Option<&str>| text.map(|text| moment(text, &zone)).transpose();
                let newest = Moment::from_unix_ms(i64::MAX);
                (bound(from)?.unwrap_or_default(), bound(to)?.unwrap_or(newest))
            }
        };
        if from >= to {
            return Err(
                "the period ends before it begins; `to` is the first day that is not part of it"
                    .to_owned(),
            );
        }
        Ok(Self { from, to, zone, zone_name })
    }

    fn shown(&self, at: Moment) -> String {
        at.in_zone_text(&self.zone)
    }
}

fn moment(text: &str, zone: &TimeZone) -> Result<Moment, String> {
    if let Ok(day) = text.parse::<Date>()
        && text.len() == "2026-01-05".len()
    {
        return midnight(day, zone);
    }
    let moment: Result<jiff::Timestamp, _> = text.parse();
    let moment = moment.map_err(|_| {
        format!(
            "`{text}` is neither a day such as 2026-01-05 nor a moment such as 2026-01-05T09:00:00Z"
        )
    })?;
    Ok(Moment::from_unix_ms(moment.as_millisecond()))
}

fn midnight(day: Date, zone: &TimeZone) -> Result<Moment, String> {
    let begins = day.to_zoned(zone.clone()).map_err(|error| error.to_string())?;
    Ok(Moment::from_unix_ms(begins.timestamp().as_millisecond()))
}

/// One line as it was booked, before it has its place on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    pub seq: u64,
    pub at: Moment,
    pub code: String,
    pub reference: String,
    /// The counterparty's: what it gets is above zero.
    pub amount: Micros,
}

/// The statement of one account for one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`FORM`].
    pub statement: u32,
    /// Such as `buyer:acme:prepaid`.
    pub account: String,
    pub currency: String,
    pub zone: String,
    pub from: Option<String>,
    /// The first moment that is not part of it.
    pub to: Option<String>,
    pub opening: Standing,
    pub lines: Vec<StatementLine>,
    pub closing: Standing,
}

/// Where an account stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    pub balance: String,
    /// How many lines the account has had.
    pub lines: u64,
    pub chain: String,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementLine {
    /// The number of the fact that it is from.
    pub fact: u64,
    /// When it was booked, in the statement's zone.
    pub at: String,
    pub code: String,
    pub reference: String,
    pub amount: String,
    pub balance: String,
    pub chain: String,
}

impl From<&Point> for Standing {
    fn from(point: &Point) -> Self {
        Self {
            balance: point.balance.to_string(),
            lines: point.lines,
            chain: point.chain.to_string(),
        }
    }
}

/// Lays the lines that follow a place of an account's chain out as a statement. Returns it with the place after the last
/// line that was given; nothing if a balance does not fit.
pub fn statement(
    account: &str,
    currency: &str,
    period: &Period,
    start: Point,
    booked: impl IntoIterator<Item = Booked>,
) -> Option<(Statement, Point)> {
    let (mut place, mut opening, mut closing) = (start, start, start);
    let mut lines = Vec::new();
    for line in booked {
        let Booked { seq, at, code, reference, amount } = &line;
        let step = Step { seq: *seq, at: *at, code, reference, amount: *amount };
        place = place.after(&step)?;
        if place.at < period.from {
            (opening, closing) = (place, place);
        } else if place.at < period.to {
            closing = place;
            lines.push(StatementLine {
                fact: line.seq,
                at: period.shown(place.at),
                code: line.code,
                reference: line.reference,
                amount: line.amount.to_string(),
                balance: place.balance.to_string(),
                chain: place.chain.to_string(),
            });
        }
    }
    let open_end = period.to == Moment::from_unix_ms(i64::MAX);
    let statement = Statement {
        statement: FORM,
        account: account.to_owned(),
        currency: currency.to_owned(),
        zone: period.zone_name.clone(),
        from: (period.from != Moment::default()).then(|| period.shown(period.from)),
        to: (!open_end).then(|| period.shown(period.to)),
        opening: Standing::from(&opening),
        lines,
        closing: Standing::from(&closing),
    };
    Some((statement, place))
}

impl Statement {
    /// Computes every balance and every hash again from the lines.
    ///
    /// # Errors
    ///
    /// The first line that does not hold, and why.
    pub fn verify(&self) -> Result<(), String> {
        if self.statement != FORM {
            return Err(format!(
                "a statement of form {} is unknown here; this program knows form {FORM}",
                self.statement
            ));
        }
        let mut place = point(&self.opening).map_err(|why| format!("the opening {why}"))?;
        if place.lines == 0 && place != Point::beginning(&self.account) {
            let chain = Point::beginning(&self.account).chain;
            return Err(format!(
                "the opening is the account's beginning, so its balance is 0.00 and its chain {chain}"
            ));
        }
        for (index, line) in (1_u64..).zip(&self.lines) {
            let named = |why: String| format!("line {index} (fact {}): {why}", line.fact);
            let amount = Micros::parse(&line.amount)
                .map_err(|error| named(format!("its amount: {error}")))?;
            let step = Step {
                seq: line.fact,
                at: Moment::default(),
                code: &line.code,
                reference: &line.reference,
                amount,
            };
            place =
                place.after(&step).ok_or_else(|| named("its balance does not fit".to_owned()))?;
            if line.amount != amount.to_string() || line.balance != place.balance.to_string() {
                return Err(named(format!(
                    "with {amount} the balance is {}, but it says {}",
                    place.balance, line.balance
                )));
            }
            if line.chain != place.chain.to_string() {
                return Err(named(format!(
                    "its chain is {}, but it says {}: this line or its place was changed",
                    place.chain, line.chain
                )));
            }
        }
        if self.closing == Standing::from(&place) {
            return Ok(());
        }
        Err(format!(
            "after {} lines the balance is {} and the chain {}, but the closing says {} and {}",
            place.lines, place.balance, place.chain, self.closing.balance, self.closing.chain
        ))
    }

    /// Sums the lines by code.
    pub fn sums(&self) -> BTreeMap<&str, (u64, Micros)> {
        let mut sums: BTreeMap<&str, (u64, Micros)> = BTreeMap::new();
        for line in &self.lines {
            let sum = sums.entry(line.code.as_str()).or_default();
            let amount = Micros::parse(&line.amount).unwrap_or_default();
            *sum = (sum.0.saturating_add(1), sum.1.checked_add(amount).unwrap_or(sum.1));
        }
        sums
    }
}

fn point(standing: &Standing) -> Result<Point, String> {
    let balance = Micros::parse(&standing.balance);
    Ok(Point {
        lines: standing.lines,
        balance: balance.map_err(|error| format!("balance: {error}"))?,
        chain: Digest::parse(&standing.chain).map_err(|error| format!("chain: {error}"))?,
        ..Point::default()
    })
}
