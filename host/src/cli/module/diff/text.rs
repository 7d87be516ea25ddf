//! A comparison for people: a table, the money, and the leads that tell most.

use std::fmt::Write as _;

use serde_json::Value;

/// How many campaigns have a line.
const CAMPAIGNS_SHOWN_MAX: usize = 20;

/// Returns what a comparison calls one of its versions, `old` or `new`.
pub(super) fn name<'v>(found: &'v Value, side: &str) -> &'v str {
    text(found, &format!("/{side}/name"))
}

/// Returns the whole report.
pub(super) fn report(found: &Value) -> String {
    let mut out = String::new();
    let (old, new) = (name(found, "old"), name(found, "new"));
    let (from, to) = (text(found, "/from"), text(found, "/to"));
    let counted = found.get("submissions").map_or("leads", |_| "submissions");
    let _ = write!(
        out,
        "{}: {old} → {new}, {} {counted}",
        text(found, "/module"),
        number(found, &format!("/{counted}"))
    );
    if !from.is_empty() {
        let _ = write!(out, " from {from} to {to}");
    }
    match text(found, "/settings") {
        "then" => out.push_str(", with the settings that the campaigns had"),
        "now" => out.push_str(", with the settings of now"),
        _ => (),
    }
    out.push('\n');
    if found.get("complete") == Some(&Value::Bool(false)) {
        out.push_str(
            "not all of them: a limit of time or size was reached, and the newest were taken\n",
        );
    }
    if counted == "submissions" {
        readings(&mut out, found);
    } else {
        verdicts(&mut out, found);
        money(&mut out, found);
    }
    calls(&mut out, found);
    if counted == "submissions" {
        fields(&mut out, found);
    } else {
        campaigns(&mut out, found);
        examples(&mut out, found);
    }
    out.trim_end().to_owned()
}

fn verdicts(out: &mut String, found: &Value) {
    let all = number(found, "/verdicts/all");
    let rows = [
        ("same", "same"),
        ("newly refused", "newly_refused"),
        ("newly bid", "newly_bid"),
        ("price up", "price_up"),
        ("price down", "price_down"),
        ("price not known", "price_unknown"),
        ("refused for another reason", "reason_changed"),
    ];
    counts(
        out,
        "verdicts, one for each lead and campaign",
        all,
        &rows.map(|(label, member)| (label, number(found, &format!("/verdicts/{member}")))),
    );
    for side in ["old", "new"] {
        let unpriced = number(found, &format!("/unpriced/{side}"));
        if unpriced > 0 {
            let version = name(found, side);
            let _ = writeln!(
                out,
                "  {unpriced} bids of {version} have a price that is not known, since nobody asked their buyers then: the \
                 auctions and the money below are without them"
            );
        }
    }
    let rows = [
        ("same", "same"),
        ("same winners, another price", "repriced"),
        ("other winners", "other_winners"),
        ("sold where nobody bought", "new"),
        ("not sold any more", "lost"),
    ];
    counts(
        out,
        "auctions",
        number(found, "/leads"),
        &rows.map(|(label, member)| (label, number(found, &format!("/awards/{member}")))),
    );
}

fn readings(out: &mut String, found: &Value) {
    let rows = [
        ("same", "same"),
        ("other fields", "other_fields"),
        ("newly refused", "newly_refused"),
        ("newly read", "newly_read"),
        ("refused otherwise", "refusal_changed"),
    ];
    counts(
        out,
        "submissions",
        number(found, "/submissions"),
        &rows.map(|(label, member)| (label, number(found, &format!("/readings/{member}")))),
    );
}

fn counts(out: &mut String, title: &str, all: u64, rows: &[(&str, u64)]) {
    let _ = writeln!(out, "\n{title:<42}{all:>10}");
    for (label, count) in rows.iter().filter(|(label, count)| *count > 0 || *label == "same") {
        let _ = writeln!(out, "  {label:<40}{count:>10}{:>9} %", percent(*count, all));
    }
}

fn money(out: &mut String, found: &Value) {
    let _ = writeln!(
        out,
        "\n{:<24}{:>16}{:>16}{:>16}",
        "money",
        name(found, "old"),
        name(found, "new"),
        "change"
    );
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
}

fn calls(out: &mut String, found: &Value) {
    let _ = writeln!(out, "\n{:<24}{:>16}{:>16}{:>16}", "calls", "fuel p50", "fuel p99", "failed");
    for side in ["old", "new"] {
        let figure = |member: &str| {
            let figure = found.pointer(&format!("/calls/{side}/{member}")).and_then(Value::as_u64);
            figure.map_or("-".to_owned(), |figure| figure.to_string())
        };
        let _ = writeln!(
            out,
            "  {:<22}{:>16}{:>16}{:>16}",
            name(found, side),
            figure("fuel_p50"),
            figure("fuel_p99"),
            figure("failed")
        );
        for failure in list(found, &format!("/calls/{side}/failures")) {
            let _ =
                writeln!(out, "    {} × {}", number(failure, "/count"), text(failure, "/words"));
        }
    }
}

/// Returns what changed of the campaigns, the most money first, as much as is shown.
pub(in crate::cli) fn changed_campaigns(found: &Value) -> Changed<'_> {
    let rows = list(found, "/campaigns").iter();
    let mut rows: Vec<&Value> =
        rows.filter(|row| row.get("changed") == Some(&Value::Bool(true))).collect();
    let moved = |row: &Value| micros(text(row, "/paid/change")).unsigned_abs();
    rows.sort_by_key(|row| std::cmp::Reverse(moved(row)));
    let more = rows.len().saturating_sub(CAMPAIGNS_SHOWN_MAX);
    rows.truncate(CAMPAIGNS_SHOWN_MAX);
    Changed { rows, more }
}

/// Campaigns of which something is told, and how many more there are.
pub(in crate::cli) struct Changed<'a> {
    pub(in crate::cli) rows: Vec<&'a Value>,
    more: usize,
}

impl Changed<'_> {
    /// Says how many are not shown, if any.
    pub(in crate::cli) fn end(&self, out: &mut String) {
        if self.more > 0 {
            let _ = writeln!(out, "  and {} more: --json has all", self.more);
        }
    }
}

fn campaigns(out: &mut String, found: &Value) {
    let changed = changed_campaigns(found);
    if changed.rows.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "\n{:<24}{:>9}{:>9}{:>9}{:>9}{:>18}{:>14}",
        "campaigns that change", "refused", "bid", "up", "down", "leads won", "pays"
    );
    for row in &changed.rows {
        let count = |member: &str| number(row, &format!("/verdicts/{member}"));
        let won = format!("{} → {}", number(row, "/won/old"), number(row, "/won/new"));
        let _ = writeln!(
            out,
            "  {:<22}{:>9}{:>9}{:>9}{:>9}{won:>18}{:>14}",
            text(row, "/campaign"),
            count("newly_refused"),
            count("newly_bid"),
            count("price_up"),
            count("price_down"),
            signed(text(row, "/paid/change")),
        );
    }
    changed.end(out);
}

fn examples(out: &mut String, found: &Value) {
    let examples = list(found, "/examples");
    if examples.is_empty() {
        return;
    }
    out.push_str("\nthe leads that tell most\n");
    for example in examples {
        let said = |side: &str| {
            let said = example.get(side);
            let word = |member: &str| said.and_then(|said| said.get(member)?.as_str());
            match (word("bid"), word("unpriced"), word("refused")) {
                (Some(amount), ..) => format!("bid {amount}"),
                (_, Some(why), _) => format!("bid, price not known ({why})"),
                (.., Some(reason)) => format!("refused ({reason})"),
                // In which words stands with the calls.
                _ => "failed".to_owned(),
            }
        };
        let _ = writeln!(
            out,
            "  {}  {}: {} → {}; buyers pay {}",
            text(example, "/ping"),
            text(example, "/campaign"),
            said("old"),
            said("new"),
            signed(text(example, "/buyers_pay/change")),
        );
        let fields = example.get("lead").and_then(Value::as_object).into_iter().flatten();
        let fields: Vec<String> =
            fields.map(|(name, value)| format!("{name} {}", plain(value))).collect();
        if !fields.is_empty() {
            let _ = writeln!(out, "    {}", fields.join(", "));
        }
    }
}

fn fields(out: &mut String, found: &Value) {
    let fields = list(found, "/fields");
    if !fields.is_empty() {
        let _ = writeln!(
            out,
            "\n{:<32}{:>10}{:>10}{:>10}",
            "fields that differ", "added", "removed", "changed"
        );
    }
    for field in fields {
        let count = |member: &str| number(field, &format!("/{member}"));
        let _ = writeln!(
            out,
            "  {:<30}{:>10}{:>10}{:>10}",
            text(field, "/field"),
            count("added"),
            count("removed"),
            count("changed")
        );
        for value in list(field, "/examples") {
            let side = |side: &str| {
                value.get(side).filter(|value| !value.is_null()).map_or("nothing".to_owned(), plain)
            };
            let _ = writeln!(out, "    {} → {}", side("old"), side("new"));
        }
    }
    for refusal in list(found, "/refusals") {
        let _ = writeln!(
            out,
            "  {} × refused: {}",
            number(refusal, "/count"),
            text(refusal, "/refused")
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

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Shows which way an amount goes.
pub(in crate::cli) fn signed(amount: &str) -> String {
    let nothing = amount.bytes().all(|byte| byte == b'0' || byte == b'.');
    if amount.starts_with('-') || nothing { amount.to_owned() } else { format!("+{amount}") }
}

fn micros(amount: &str) -> i64 {
    crate::money::Micros::parse(amount).map_or(0, crate::money::Micros::get)
}

/// A percentage with one digit, rounded down.
fn percent(part: u64, whole: u64) -> String {
    let tenths = u128::from(part).saturating_mul(1_000) / u128::from(whole.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}
