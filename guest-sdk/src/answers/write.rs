//! From a table's row and an outcome to the bytes of an answer.

use std::fmt::Write as _;

use super::table::{Dialect, Is, Parts};
use crate::intake::date;
use crate::normalizer::{Outcome, Stage, Syntax};

const MILLIONTHS: u64 = 1_000_000;
/// Millionths in a cent.
const CENT: i64 = 10_000;
const MS_PER_DAY: u64 = 86_400_000;

/// Returns the whole cents in an amount of millionths; what is over is left out, so that nobody reads more than is paid.
#[must_use]
pub const fn round_down_to_cent(millionths: i64) -> i64 {
    millionths.div_euclid(CENT)
}

/// Writes the body of an answer.
pub(super) fn body(dialect: &Dialect, parts: Parts, outcome: &Outcome) -> String {
    let is_json = dialect.syntax == Syntax::Json;
    let mut writer = Writer { body: String::with_capacity(512), outcome, is_json };
    match dialect.syntax {
        Syntax::Json if dialect.root.is_empty() => writer.object(parts),
        Syntax::Json => {
            writer.body.push('{');
            writer.quoted(dialect.root);
            writer.body.push(':');
            writer.object(parts);
            writer.body.push('}');
        }
        Syntax::Xml => {
            if dialect.is_declared {
                writer.body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
            }
            let post_root = dialect.post_root.filter(|_| outcome.stage == Stage::Post);
            let root = post_root.unwrap_or(dialect.root);
            let gap = if dialect.attributes.is_empty() { "" } else { " " };
            writer.put(format_args!("<{root}{gap}{}>", dialect.attributes));
            writer.elements(parts);
            writer.put(format_args!("</{root}>"));
        }
        Syntax::Form | Syntax::Text => writer.lines(parts),
    }
    writer.body
}

/// A value as it stands in the answer.
enum Said {
    /// Quoted in JSON.
    Text(String),
    /// A number, `true`, `false` or `null`: never quoted.
    Bare(String),
    Null,
    Nil,
    Parts(Parts),
    List(&'static str, &'static [Is]),
}

struct Writer<'o> {
    body: String,
    outcome: &'o Outcome,
    is_json: bool,
}

impl Writer<'_> {
    #[inline(never)]
    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // A String takes all that is written.
        let _ = self.body.write_fmt(text);
    }

    fn object(&mut self, parts: Parts) {
        self.body.push('{');
        let mut is_first = true;
        for (name, is) in parts {
            let Some(said) = self.said(is) else { continue };
            if !std::mem::take(&mut is_first) {
                self.body.push(',');
            }
            self.quoted(name);
            self.body.push(':');
            self.json(said);
        }
        self.body.push('}');
    }

    fn json(&mut self, said: Said) {
        match said {
            Said::Text(text) => self.quoted(&text),
            Said::Bare(text) => self.body.push_str(&text),
            Said::Null | Said::Nil => self.body.push_str("null"),
            Said::Parts(parts) => self.object(parts),
            Said::List(_, list) => {
                self.body.push('[');
                let mut is_first = true;
                for is in list {
                    let Some(said) = self.said(is) else { continue };
                    if !std::mem::take(&mut is_first) {
                        self.body.push(',');
                    }
                    self.json(said);
                }
                self.body.push(']');
            }
        }
    }

    #[inline(never)]
    fn quoted(&mut self, text: &str) {
        self.body.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.body.push_str("\\\""),
                '\\' => self.body.push_str("\\\\"),
                '\n' => self.body.push_str("\\n"),
                '\r' => self.body.push_str("\\r"),
                '\t' => self.body.push_str("\\t"),
                // So that an answer can stand in a page or a script, too.
                '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.put(format_args!("\\u{:04x}", u32::from(letter)));
                }
                plain => self.body.push(plain),
            }
        }
        self.body.push('"');
    }

    fn elements(&mut self, parts: Parts) {
        for (name, is) in parts {
            if let Some(said) = self.said(is) {
                self.element(name, said);
            }
        }
    }

    fn element(&mut self, name: &str, said: Said) {
        match said {
            Said::Null => return,
            Said::Nil => return self.put(format_args!("<{name} xsi:nil=\"true\" />")),
            _ => self.put(format_args!("<{name}>")),
        }
        match said {
            Said::Text(text) | Said::Bare(text) => self.escaped(&text),
            Said::Parts(parts) => self.elements(parts),
            Said::List(each, list) => {
                for is in list {
                    if let Some(said) = self.said(is) {
                        self.element(each, said);
                    }
                }
            }
            Said::Null | Said::Nil => (),
        }
        self.put(format_args!("</{name}>"));
    }

    #[inline(never)]
    fn escaped(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.body.push_str("&amp;"),
                '<' => self.body.push_str("&lt;"),
                '>' => self.body.push_str("&gt;"),
                '"' => self.body.push_str("&quot;"),
                '\'' => self.body.push_str("&#39;"),
                '\t' | '\n' | '\r' => self.put(format_args!("&#{};", u32::from(letter))),
                // What XML 1.0 cannot hold in any spelling.
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.body.push('\u{fffd}'),
                plain => self.body.push(plain),
            }
        }
    }

    fn lines(&mut self, parts: Parts) {
        for (name, is) in parts {
            let Some(Said::Text(text) | Said::Bare(text)) = self.said(is) else { continue };
            if !self.body.is_empty() {
                self.body.push('\n');
            }
            if !name.is_empty() {
                self.put(format_args!("{name}="));
            }
            // One line a value.
            self.body.extend(text.chars().map(|c| if c.is_control() { ' ' } else { c }));
        }
    }

    /// Returns a value, if the outcome has it.
    #[inline(never)]
    fn said(&self, is: &Is) -> Option<Said> {
        let outcome = self.outcome;
        let text = |text: &Option<String>| text.clone().map(Said::Text);
        let bare = |number: Option<u64>| number.map(|number| Said::Bare(number.to_string()));
        Some(match *is {
            Is::Text(words) => Said::Text(words.into()),
            Is::Number(number) => Said::Bare(number.to_string()),
            Is::Yes => Said::Bare("true".into()),
            Is::No => Said::Bare("false".into()),
            Is::Null => Said::Null,
            Is::Nil => Said::Nil,
            Is::PingId => text(&outcome.ping_id)?,
            Is::LeadId => text(&outcome.lead_id)?,
            Is::DuplicateOf => text(&outcome.duplicate_of)?,
            Is::Price if self.is_json => Said::Bare(without_zeros(&cents(outcome.price?))),
            Is::Price | Is::PriceText => Said::Text(cents(outcome.price?)),
            Is::PriceExact => Said::Text(exact(outcome.price?)),
            Is::Currency => Said::Text(outcome.currency.clone()),
            Is::Copies => bare(outcome.copies.map(u64::from))?,
            Is::Expires => Said::Text(moment(outcome.expires_ms?)?),
            Is::Reason => text(&outcome.reason)?,
            Is::Code => text(&outcome.reason_code)?,
            Is::CodeAfter(before) => Said::Text(format!("{before}{}", constant(outcome)?)),
            Is::Field => text(&outcome.field)?,
            Is::Status => bare(Some(outcome.status.into()))?,
            Is::StatusText => Said::Text(outcome.status.to_string()),
            Is::StatusWords => Said::Text(status_words(outcome.status).into()),
            Is::StatusWord => Said::Text(status_words(outcome.status).replace(' ', "")),
            Is::RetryAfter => bare(outcome.retry_after_s.map(u64::from))?,
            Is::ByReason(words, other) => {
                let code = outcome.reason_code.as_deref().unwrap_or_default();
                let known = words.iter().find(|(known, _)| *known == code);
                return self.said(known.map_or(other, |(_, is)| is));
            }
            Is::Parts(parts) => Said::Parts(parts),
            Is::List(name, list) => Said::List(name, list),
        })
    }
}

fn constant(outcome: &Outcome) -> Option<String> {
    Some(outcome.reason_code.as_ref()?.replace('-', "_").to_ascii_uppercase())
}

fn cents(millionths: i64) -> String {
    let cents = round_down_to_cent(millionths);
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
}

/// Returns a number without zeros behind the point, nor the point if nothing is left behind it.
fn without_zeros(number: &str) -> String {
    number.trim_end_matches('0').trim_end_matches('.').into()
}

fn exact(millionths: i64) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let (whole, part) =
        (millionths.unsigned_abs() / MILLIONTHS, millionths.unsigned_abs() % MILLIONTHS);
    let digits = format!("{part:06}");
    let digits = digits.trim_end_matches('0');
    format!("{sign}{whole}.{digits:0<2}")
}

fn moment(unix_ms: u64) -> Option<String> {
    let (days, ms) = (unix_ms / MS_PER_DAY, unix_ms % MS_PER_DAY);
    let (year, month, day) = date::civil(i32::try_from(days).ok()?);
    let (hours, minutes, seconds, ms) =
        (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60, ms % 1_000);
    Some(format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z"))
}

const fn status_words(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Payload Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        500.. => "Internal Server Error",
        _ => "Error",
    }
}
