//! `gavel replay DIR --reserve …`: what recorded auctions would have brought on other terms.

use std::fmt::Write as _;

use serde_json::Value;

use crate::catalog::VerticalSpec;
use crate::cli::module::diff::text::{changed_campaigns, signed};
use crate::cli::module::{print, print_json};
use crate::cli::{Failure, block_on};
use crate::clock::Clock;
use crate::exchange::{OtherTerms, Window, what_if};
use crate::journal::Place;
use crate::money::Micros;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What if the reserve had been this: clears the recorded bids again and shows the difference in awards and money.
    #[arg(long, value_name = "AMOUNT")]
    reserve: Option<String>,
    /// What if the increment had been this.
    #[arg(long, value_name = "AMOUNT")]
    increment: Option<String>,
    /// What if a lead had been sold to so many buyers.
    #[arg(long, value_name = "N")]
    copies: Option<u32>,
    /// Only the leads of this vertical; with other terms only.
    #[arg(long)]
    vertical: Option<String>,
    /// Only the leads that came in the last so long, such as 90s, 15m, 24h or 7d; with other terms only.
    #[arg(long)]
    last: Option<String>,
}

impl Args {
    /// Returns whether this is a question about other terms.
    pub(super) fn are_given(&self) -> bool {
        let Self { reserve, increment, copies, vertical, last } = self;
        reserve.is_some()
            || increment.is_some()
            || copies.is_some()
            || vertical.is_some()
            || last.is_some()
    }

    fn terms(&self) -> Result<OtherTerms, Failure> {
        let amount = |flag: &str, text: &Option<String>| {
            let amount = text.as_deref().map(Micros::parse).transpose();
            let amount = amount.map_err(|error| Failure::usage(format!("{flag}: {error}")))?;
            match amount.filter(|amount| amount.is_negative()) {
                Some(_) => Err(Failure::usage(format!("{flag}: must not be negative"))),
                None => Ok(amount),
            }
        };
        let (reserve, increment) =
            (amount("--reserve", &self.reserve)?, amount("--increment", &self.increment)?);
        let most = VerticalSpec::COPIES_MAX;
        if self.copies.is_some_and(|copies| !(1..=most).contains(&copies)) {
            return Err(Failure::usage(format!("--copies: must be 1 to {most}")));
        }
        let terms = OtherTerms { reserve, increment, copies: self.copies };
        if terms == OtherTerms::default() {
            return Err(Failure::usage(
                "--vertical and --last go with other terms: name at least one of --reserve, --increment and --copies",
            ));
        }
        Ok(terms)
    }
}

pub(super) fn run(place: Place, args: &Args, json: bool) -> Result<(), Failure> {
    let terms = args.terms()?;
    let last = args.last.as_deref().map(Window::parse_last).transpose();
    let last = last.map_err(|message| Failure::usage(format!("--last: {message}")))?;
    let window = (last, Clock::system().now());
    let found = block_on(what_if(place, terms, args.vertical.as_deref(), window))?;
    let found = found.map_err(|error| Failure::because(&error))?;
    if found.get("leads").and_then(Value::as_u64) == Some(0) {
        return Err(Failure::could_not_run(format!(
            "no auction of {} was recorded {}: look further back with --last, or at another --vertical",
            args.vertical.as_deref().unwrap_or("any vertical"),
            last.map_or("at all".to_owned(), |_| "in this time".to_owned()),
        )));
    }
    if json { print_json(&found) } else { print(&report(&found)) }
}

/// Returns the difference for people.
fn report(found: &Value) -> String {
    let mut out = String::new();
    let terms: Vec<String> = ["reserve", "increment", "copies"]
        .iter()
        .filter_map(|name| {
            let value =
                found.pointer(&format!("/terms/{name}")).filter(|value| !value.is_null())?;
            Some(format!(
                "{name} {}",
                value.as_str().map_or_else(|| value.to_string(), str::to_owned)
            ))
        })
        .collect();
    let of = match text(found, "/vertical") {
        "" => String::new(),
        vertical => format!(" of {vertical}"),
    };
    let since = match text(found, "/since") {
        "" => String::new(),
        since => format!(" since {since}"),
    };
    let leads = number(found, "/leads");
    let _ = writeln!(out, "{leads} auctions{of}{since}, cleared again with {}", terms.join(", "));
    out.push_str(
        "bids, funds and caps are as they were recorded; buyers might have bid otherwise\n",
    );
    let _ = writeln!(out, "\n{:<42}{leads:>10}", "auctions");
    for (label, member) in [
        ("same", "same"),
        ("same winners, another price", "repriced"),
        ("other winners", "other_winners"),
        ("sold where nobody bought", "new"),
        ("not sold any more", "lost"),
    ] {
        let _ = writeln!(out, "  {label:<40}{:>10}", number(found, &format!("/awards/{member}")));
    }
    let _ = writeln!(out, "\n{:<24}{:>16}{:>16}{:>16}", "money", "recorded", "then", "change");
    for (label, member) in [
        ("buyers pay", "buyers_pay"),
        ("sources get", "sources_get"),
        ("the exchange keeps", "exchange_keeps"),
    ] {
        let amount = |side: &str| text(found, &format!("/money/{member}/{side}"));
        let _ = writeln!(
            out,
            "  {label:<22}{:>16}{:>16}{:>16}",
            amount("old"),
            amount("new"),
            signed(amount("change"))
        );
    }
    campaigns(&mut out, found);
    auctions(&mut out, found);
    out.trim_end().to_owned()
}

fn campaigns(out: &mut String, found: &Value) {
    let changed = changed_campaigns(found);
    if changed.rows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{:<40}{:>18}{:>14}", "campaigns that change", "leads won", "pays");
    for row in &changed.rows {
        let won = format!("{} → {}", number(row, "/won/old"), number(row, "/won/new"));
        let _ = writeln!(
            out,
            "  {:<38}{won:>18}{:>14}",
            text(row, "/campaign"),
            signed(text(row, "/paid/change"))
        );
    }
    changed.end(out);
}

fn auctions(out: &mut String, found: &Value) {
    let changed = list(found, "/auctions");
    if changed.is_empty() {
        return;
    }
    out.push_str("\nthe auctions that change most; `gavel explain` tells each\n");
    for auction in changed {
        let side = |side: &str| {
            let texts = |member: &str| {
                let texts = list(auction, &format!("/{side}/{member}")).iter();
                texts.filter_map(Value::as_str).collect::<Vec<&str>>()
            };
            let won: Vec<String> = texts("winners")
                .iter()
                .zip(texts("prices"))
                .map(|(winner, price)| format!("{winner} at {price}"))
                .collect();
            if won.is_empty() { "nobody".to_owned() } else { won.join(" and ") }
        };
        let _ = writeln!(
            out,
            "  {}  {} → {}; buyers pay {}",
            text(auction, "/auction"),
            side("old"),
            side("new"),
            signed(text(auction, "/buyers_pay"))
        );
    }
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'v>(value: &'v Value, pointer: &str) -> &'v [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
