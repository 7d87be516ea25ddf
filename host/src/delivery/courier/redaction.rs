//! Takes a lead's values out of texts that others wrote about it.
//!
//! A buyer's reason may repeat the person ("555 123-4567 already on file"), and reasons are kept, shown and logged. Every
//! word of three or more characters that is also in the lead goes, and every number that shares seven digits in a row
//! with one of the lead, however it is spelled. That takes out too much sometimes, and contact data never stays.

use std::collections::HashSet;

use serde_json::Value;

use super::{Shipment, TEXT_CHARS_MAX};

/// What a value is replaced by.
const MARK: &str = "[redacted]";
/// Shorter words say too little about a person, and too much about everything else.
const WORD_CHARS_MIN: usize = 3;
/// Words of forms that are true of anybody.
const ANYBODYS: [&str; 3] = ["yes", "true", "false"];
/// Two numbers that share this many digits in a row are taken for the same: a telephone number without its prefix.
const DIGITS_MIN: usize = 7;

/// The words and long numbers of one lead.
pub(super) struct Redaction {
    words: HashSet<String>,
    /// Every [`DIGITS_MIN`] digits in a row.
    digits: HashSet<Vec<u8>>,
}

impl Redaction {
    /// Reads a lead as it is sent. Of one that is not JSON, every word counts.
    pub(super) fn of(body: &[u8]) -> Self {
        let mut redaction = Self { words: HashSet::new(), digits: HashSet::new() };
        match serde_json::from_slice(body) {
            Ok(lead) => redaction.add(&lead),
            Err(_) => redaction.add_text(&String::from_utf8_lossy(body)),
        }
        redaction
    }

    /// Reads a lead.
    pub(super) fn of_lead(lead: &Value) -> Self {
        let mut redaction = Self { words: HashSet::new(), digits: HashSet::new() };
        redaction.add(lead);
        redaction
    }

    /// Reads a lead, and the values in the query of the address where its buyer is asked about it: they may be keys.
    pub(super) fn of_question(lead: &Value, url: &str) -> Self {
        let mut redaction = Self::of_lead(lead);
        let (_, query) = url.split_once('?').unwrap_or_default();
        redaction.add_values(query.as_bytes());
        redaction
    }

    /// Reads a shipment: through an adapter, the lead as well as the values of its request, in whatever syntax they stand.
    pub(super) fn of_shipment(shipment: &Shipment<'_>) -> Self {
        let Some(way) = shipment.way else { return Self::of(&shipment.body) };
        let mut redaction = Self::of_lead(way.lead);
        let (_, query) = way.path.split_once('?').unwrap_or_default();
        redaction.add_values(query.as_bytes());
        redaction.add_values(&shipment.body);
        redaction
    }

    /// Reads the values of JSON, of a form or of XML; of anything else every word counts.
    fn add_values(&mut self, body: &[u8]) {
        if let Ok(json) = serde_json::from_slice::<Value>(body) {
            return self.add(&json);
        }
        let text = String::from_utf8_lossy(body);
        if text.trim_start().starts_with('<') {
            // What stands between tags.
            let values = text.split('<').filter_map(|part| Some(part.split_once('>')?.1));
            values.for_each(|value| self.add_text(value));
        } else if text.contains('=') && !text.contains(char::is_whitespace) {
            for (_, value) in form_urlencoded::parse(body) {
                self.add_values(value.as_bytes());
            }
        } else {
            self.add_text(&text);
        }
    }

    fn add(&mut self, value: &Value) {
        match value {
            Value::Null | Value::Bool(_) => (),
            Value::Number(number) => self.add_text(&number.to_string()),
            Value::String(text) => self.add_text(text),
            Value::Array(values) => values.iter().for_each(|value| self.add(value)),
            Value::Object(members) => members.values().for_each(|value| self.add(value)),
        }
    }

    fn add_text(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_alphanumeric());
        let words = words.filter(|word| is_long(word)).map(str::to_lowercase);
        self.words.extend(words.filter(|word| !ANYBODYS.contains(&word.as_str())));
        for group in groups(text) {
            self.digits.extend(digits(group).windows(DIGITS_MIN).map(<[u8]>::to_vec));
        }
    }

    /// Returns the text without what is also in the lead.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut without_numbers = String::with_capacity(text.len());
        let mut rest = text;
        for group in groups(text) {
            // Between two groups there are no digits, so the first place where this one is found is its own.
            let Some((before, after)) = rest.split_once(group) else { break };
            without_numbers.push_str(before);
            let known = digits(group).windows(DIGITS_MIN).any(|row| self.digits.contains(row));
            without_numbers.push_str(if known { MARK } else { group });
            rest = after;
        }
        without_numbers.push_str(rest);
        let mut redacted = String::with_capacity(without_numbers.len());
        for piece in without_numbers.split_inclusive(|c: char| !c.is_alphanumeric()) {
            let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            if is_long(word) && self.words.contains(&word.to_lowercase()) {
                redacted.push_str(MARK);
                redacted.push_str(piece.strip_prefix(word).unwrap_or_default());
            } else {
                redacted.push_str(piece);
            }
        }
        redacted
    }
}

fn is_long(word: &str) -> bool {
    word.chars().count() >= WORD_CHARS_MIN
}

/// Returns the parts of a text that may be one number, written in groups.
fn groups(text: &str) -> impl Iterator<Item = &str> {
    let separator = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '+' | '/');
    text.split(move |c: char| !c.is_ascii_digit() && !separator(c))
        .map(move |group| group.trim_matches(separator))
        .filter(|group| !group.is_empty())
}

fn digits(group: &str) -> Vec<u8> {
    group.bytes().filter(u8::is_ascii_digit).collect()
}

/// Returns the text on one line, without what does not print, cut to [`TEXT_CHARS_MAX`].
pub(super) fn clean(text: &str) -> String {
    let spaced: String =
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(is_printed).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}

/// Control characters, and those that hide or turn around what stands next to them, are not printed.
fn is_printed(c: &char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAD: &str = r#"{"first_name":"Zoë","last_name":"O'Hara-Smith","phone":"+1 (555) 123-4567","ssn":123456789,
        "email":"Zoe.Smith@Example.org","address":{"lines":["12 Elm Street"]},"state":"TX","homeowner":true}"#;

    fn check(text: &str, expected: &str) {
        assert_eq!(clean(&Redaction::of(LEAD.as_bytes()).apply(text)), expected);
    }

    #[test]
    fn what_is_in_the_lead_is_taken_out_of_a_text() {
        check("no coverage in TX today, true", "no coverage in TX today, true");
        check("ZOË smith is on file", "[redacted] [redacted] is on file");
        check("15551234567 on file", "[redacted] on file");
        check("phone 555-123-4567: on file", "phone [redacted]: on file");
        check("(555) 123.4567", "([redacted]");
        check("1234567 1234567", "[redacted]");
        check("call 876-5432 or 123 4567 12", "call 876-5432 or [redacted]");
        check("ssn 123-45-6789!", "ssn [redacted]!");
        check("<zoe.smith@EXAMPLE.ORG>", "<[redacted].[redacted]@[redacted].[redacted]>");
        check("Elm Street 12 closed", "[redacted] [redacted] 12 closed");
        check("lead 98765432 is older than 30 days", "lead 98765432 is older than 30 days");
    }

    #[test]
    fn texts_are_one_printable_line_and_short() {
        check("a\r\n\tb\u{0}\u{1b}[31m \u{202e}c\u{2028}d", "a b[31m c d");
        assert_eq!(clean(&"é".repeat(1000)), "é".repeat(TEXT_CHARS_MAX));
        check("  ", "");
    }

    #[test]
    fn a_value_at_the_cut_does_not_stay_in_part() {
        let text = format!("{}O'Hara-Smith", "x".repeat(TEXT_CHARS_MAX - 8));
        let redacted = clean(&Redaction::of(LEAD.as_bytes()).apply(&text));
        assert!(!redacted.contains("Har") && !redacted.contains("Smi"), "{redacted}");
    }
}
