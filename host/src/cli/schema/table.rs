//! Schemas and comparisons as people read them at a terminal.

use std::fmt::Write as _;

use serde_json::Value;

use crate::lead::{Field, Schema};
use crate::schemas::version_text;

/// The most characters of words that a line shows; JSON has all of them.
const WORDS_CHARS_MAX: usize = 60;

/// Shows a schema as a table, a line for each field.
pub(super) fn schema(schema: &Schema) -> String {
    let version = version_text(schema.version());
    let title = ["FIELD", "KIND", "PING", "POST", "MARKS", "WORDS"].map(str::to_owned);
    let rows: Vec<[String; 6]> =
        std::iter::once(title).chain(schema.fields().iter().map(row)).collect();
    let mut text = format!("{} {version}: {}\n", schema.vertical(), schema.description());
    text.push_str(&lines(&rows));
    text
}

fn row(field: &Field) -> [String; 6] {
    let step = |required: bool| if required { "required" } else { "optional" };
    let ping = if field.contact { "never" } else { step(field.required_on_ping) };
    let marks = [(field.contact, "contact"), (field.binding, "binding")];
    let marks: Vec<&str> = marks.iter().filter_map(|&(on, mark)| on.then_some(mark)).collect();
    [
        field.name.clone(),
        field.kind.name().to_owned(),
        ping.to_owned(),
        step(field.required_on_post).to_owned(),
        marks.join(" "),
        words(&field.allowed),
    ]
}

/// Shows words as far as a line goes, and how many more there are.
fn words(allowed: &[String]) -> String {
    let mut shown = String::new();
    for (place, word) in allowed.iter().enumerate() {
        if shown.chars().count().saturating_add(word.chars().count()) > WORDS_CHARS_MAX {
            let more = allowed.len().saturating_sub(place);
            put(&mut shown, format_args!(" and {more} more"));
            break;
        }
        let between = if shown.is_empty() { "" } else { ", " };
        put(&mut shown, format_args!("{between}{word}"));
    }
    shown
}

/// Aligns columns; the last is as wide as it is.
fn lines<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<String>>().join("  ").trim_end().to_owned()
    });
    lines.collect::<Vec<String>>().join("\n")
}

/// Shows the document of a comparison: a line for each change, `!` before what breaks.
pub(super) fn comparison(comparison: &Value) -> String {
    let text = |of: &Value, member: &str| {
        of.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let list = |member: &str| {
        comparison.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
    };
    let (from, to) = (text(comparison, "from"), text(comparison, "to"));
    let mut shown = format!("from version {from} to {to}:");
    if list("changes").is_empty() {
        shown.push_str(" nothing changes");
    }
    for change in list("changes") {
        let breaks = change.get("breaks").and_then(Value::as_bool) == Some(true);
        let mark = if breaks { '!' } else { ' ' };
        put(&mut shown, format_args!("\n{mark} {}", text(change, "message")));
    }
    for broken in list("relying") {
        put(&mut shown, format_args!("\n- {}: {}", text(broken, "what"), text(broken, "why")));
    }
    let complaint = text(comparison, "complaint");
    if !complaint.is_empty() {
        put(&mut shown, format_args!("\n{complaint}"));
    }
    shown
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = text.write_fmt(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_words_as_far_as_it_goes() {
        let states: Vec<String> = (10..61).map(|number| format!("S{number}")).collect();
        let shown = words(&states);
        assert!(shown.starts_with("S10, S11, ") && shown.ends_with("S21 and 39 more"), "{shown}");
        let letters = shown.strip_suffix(" and 39 more").unwrap().chars().count();
        assert!(letters <= WORDS_CHARS_MAX, "{letters}");
        assert_eq!(words(&states[..2]), "S10, S11");
        assert_eq!(words(&[]), "");
    }
}
