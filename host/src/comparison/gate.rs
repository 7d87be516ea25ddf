//! Gates: what a comparison must show before a version may serve, and where it does not.

use super::tally::percent;
use super::{Change, Comparison, Readings};
use crate::catalog::{GateSpec, Percent};

/// Says of every threshold that the comparison does not keep what was found and what is asked for.
pub fn shortfalls(gate: &GateSpec, found: &Comparison) -> Vec<String> {
    let verdicts = &found.verdicts;
    let prices = [Change::PriceUp, Change::PriceDown, Change::PriceUnknown];
    let prices = prices.map(|change| verdicts.of(change)).into_iter().fold(0, u64::saturating_add);
    let shares = [
        (
            "verdicts are newly refused",
            gate.newly_refused_percent_max,
            verdicts.of(Change::NewlyRefused),
            verdicts.all(),
        ),
        (
            "verdicts are newly bids",
            gate.newly_bid_percent_max,
            verdicts.of(Change::NewlyBid),
            verdicts.all(),
        ),
        ("verdicts have another price", gate.price_changed_percent_max, prices, verdicts.all()),
        (
            "auctions have other winners",
            gate.awards_changed_percent_max,
            found.awards.changed(),
            found.leads,
        ),
    ];
    let shares = shares.into_iter().filter_map(|(what, most, part, whole)| {
        above(most?, part, whole).map(|(share, most)| {
            format!("{part} of {whole} {what}, {share} %, and the gate lets at most {most} % pass")
        })
    });
    few(gate, found.leads).into_iter().chain(shares).chain(costly(gate, &found.new)).collect()
}

/// Says the same of a normalizer's comparison, to which only some thresholds apply.
pub fn reading_shortfalls(gate: &GateSpec, found: &Readings) -> Vec<String> {
    let (part, whole) = (found.newly_refused, found.submissions);
    let refused = gate.newly_refused_percent_max.and_then(|most| above(most, part, whole));
    let refused = refused.map(|(share, most)| {
        format!("{part} of {whole} submissions are newly refused, {share} %, and the gate lets at most {most} % pass")
    });
    few(gate, whole).into_iter().chain(refused).chain(costly(gate, &found.new)).collect()
}

fn few(gate: &GateSpec, leads: u64) -> Option<String> {
    // A comparison of nothing shows nothing, unless the operator says that it may.
    let least = gate.frames_min.unwrap_or(1);
    (leads < least).then(|| {
        format!("{leads} leads were judged by both, and the gate asks for at least {least}")
    })
}

fn costly(gate: &GateSpec, new: &super::Spent) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(most) = gate.traps_max.filter(|most| new.failed() > *most) {
        let failed = new.failed();
        let first = new.words().next().map_or(String::new(), |(words, _)| format!(" ({words})"));
        found.push(format!("{failed} calls failed{first}, and the gate lets at most {most} pass"));
    }
    if let Some(most) = gate.fuel_p99_max {
        match new.p99_of_all() {
            Some(p99) if p99 <= most => (),
            Some(p99) => found.push(format!(
                "99 of 100 calls stay within {p99} fuel, and the gate asks for at most {most}"
            )),
            None if new.failed() == 0 => (),
            None => found.push(format!(
                "so many calls failed that 99 of 100 do not stay within the {most} fuel that the gate asks for"
            )),
        }
    }
    found
}

/// Returns both percentages if a part of the whole is more than the most that it may be.
fn above(most: Percent, part: u64, whole: u64) -> Option<(String, String)> {
    let scaled = u128::from(part).saturating_mul(1_000_000);
    let bearable = u128::from(most.0.millionths()).saturating_mul(u128::from(whole));
    let most = u64::from(most.0.millionths());
    (scaled > bearable).then(|| (percent(part, whole), percent(most, 1_000_000)))
}
