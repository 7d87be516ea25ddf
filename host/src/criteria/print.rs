//! Writes criteria as text: whole, so that they read back, or with long lists shortened, for people.

use std::fmt::{self, Display, Formatter, Write as _};

use super::json::value;
use super::tree::{
    Comparison, Condition, Expression, Quantifier, Subject, Test, Words, value as seen,
};
use crate::lead::{self, Kind, PingView};

/// The most items of a list that a shortened text shows.
const ITEMS_SHOWN_MAX: usize = 8;
/// The most letters of a lead's text that a shortened text shows.
const LETTERS_SHOWN_MAX: usize = 64;

/// How much of a list is written.
#[derive(Clone, Copy)]
pub(super) enum Length {
    Whole,
    Short,
}

/// An expression, to be displayed.
pub(super) struct Printed<'e>(pub(super) &'e Expression, pub(super) Length);

impl Display for Printed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(expression, length) = *self;
        match expression {
            Expression::All(parts) if parts.is_empty() => f.write_str("true"),
            Expression::All(parts) => join(f, parts, " and ", length),
            Expression::Any(parts) => join(f, parts, " or ", length),
            Expression::Not(part) => match part.as_ref() {
                Expression::Not(_) => write!(f, "not {}", Printed(part, length)),
                _ => write!(f, "not ({})", Printed(part, length)),
            },
            Expression::Condition(condition) => print(f, condition, length),
        }
    }
}

/// Long lists are shortened.
impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        print(f, self, Length::Short)
    }
}

fn join(f: &mut Formatter<'_>, parts: &[Expression], word: &str, length: Length) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match part {
            Expression::All(_) | Expression::Any(_) => write!(f, "({})", Printed(part, length))?,
            Expression::Not(_) | Expression::Condition(_) => Printed(part, length).fmt(f)?,
        }
    }
    Ok(())
}

fn print(f: &mut Formatter<'_>, condition: &Condition, length: Length) -> fmt::Result {
    let (field, kind) = (condition.subject.name(), condition.kind);
    let not = |negated: bool| if negated { "not " } else { "" };
    match &condition.test {
        Test::Compare { comparison, number } => {
            write!(f, "{field} {} {}", symbol(*comparison), number_text(kind, *number))
        }
        Test::Between { low, high } => {
            write!(
                f,
                "{field} between {} and {}",
                number_text(kind, *low),
                number_text(kind, *high)
            )
        }
        Test::NumberIn { numbers, negated } => {
            write!(f, "{field} {}in ", not(*negated))?;
            list(f, numbers.iter().map(|&number| number_text(kind, number)), length)
        }
        Test::Equal { word, negated } => {
            write!(f, "{field} {} {}", if *negated { "!=" } else { "=" }, quoted(word))
        }
        Test::WordIn { words, negated } => {
            write!(f, "{field} {}in ", not(*negated))?;
            words_list(f, words, length)
        }
        Test::Texts { quantifier, words } => {
            let quantifier = match quantifier {
                Quantifier::Any => "any",
                Quantifier::All => "all",
                Quantifier::None => "none",
            };
            write!(f, "{field} {quantifier} of ")?;
            words_list(f, words, length)
        }
        Test::Null { negated } => write!(f, "{field} is {}null", not(*negated)),
    }
}

fn symbol(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}

fn words_list(f: &mut Formatter<'_>, words: &Words, length: Length) -> fmt::Result {
    match &words.name {
        Some(name) => write!(f, "@{name}"),
        None => list(f, words.sorted.iter().map(|word| quoted(word)), length),
    }
}

fn list(
    f: &mut Formatter<'_>,
    items: impl ExactSizeIterator<Item = String>,
    length: Length,
) -> fmt::Result {
    let shown = match length {
        Length::Whole => usize::MAX,
        Length::Short => ITEMS_SHOWN_MAX,
    };
    let more = items.len().saturating_sub(shown);
    f.write_char('[')?;
    for (index, item) in items.take(shown).enumerate() {
        write!(f, "{}{item}", if index > 0 { ", " } else { "" })?;
    }
    if more > 0 { write!(f, ", and {more} more]") } else { f.write_char(']') }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A decimal has its point and no quotes; a date has quotes.
fn number_text(kind: Kind, number: i64) -> String {
    match value(kind, number).to_json() {
        serde_json::Value::String(text) if kind == Kind::Decimal => text,
        json => json.to_string(),
    }
}

/// Returns the expression, shortened, and what the lead has in its fields: `age >= 25 (age is 19)`.
pub(super) fn with_values(expression: &Expression, lead: &PingView, source: &str) -> String {
    let mut values: Vec<String> = Vec::new();
    expression.visit(&mut |condition| {
        let value =
            format!("{} is {}", condition.subject.name(), value_text(condition, lead, source));
        if !values.contains(&value) {
            values.push(value);
        }
    });
    format!("{} ({})", Printed(expression, Length::Short), values.join(", "))
}

fn value_text(condition: &Condition, lead: &PingView, source: &str) -> String {
    let value = match &condition.subject {
        Subject::Source => return quoted(source),
        Subject::Field { name, place } => seen(lead, name, *place),
    };
    match value {
        None => "absent".to_owned(),
        Some(lead::Value::Text(text)) => shortened(text),
        Some(lead::Value::Texts(texts)) => {
            let mut shown: Vec<String> =
                texts.iter().take(ITEMS_SHOWN_MAX).map(|text| shortened(text)).collect();
            if texts.len() > ITEMS_SHOWN_MAX {
                shown.push(format!("and {} more", texts.len() - ITEMS_SHOWN_MAX));
            }
            format!("[{}]", shown.join(", "))
        }
        Some(lead::Value::Decimal(millionths)) => number_text(Kind::Decimal, *millionths),
        Some(value) => value.to_json().to_string(),
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LETTERS_SHOWN_MAX) {
        None => quoted(text),
        Some((end, _)) => format!("{}…", quoted(text.get(..end).unwrap_or_default())),
    }
}
