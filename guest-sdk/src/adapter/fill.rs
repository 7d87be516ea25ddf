//! From a lead's fields to a buyer's, by a table.

use crate::filter::{Lead, Value};

use super::tree::Tree;
use super::words;

/// How a buyer writes a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As<'a> {
    /// As it is: texts as they are, numbers and yes or no as JSON has them, days as `2026-01-31`.
    Is,
    /// As text always: numbers and yes or no in quotes where the syntax has quotes.
    Text,
    /// A yes or no as `Yes` or `No`.
    YesNo,
    /// A yes or no as `1` or `0`.
    Flag,
    /// A day as a pattern of `YYYY`, `YY`, `MM`, `M`, `DD` and `D`.
    Date(&'a str),
    /// The last ten digits of a telephone number.
    Digits,
    /// In capitals, as far as the letters are those of ASCII.
    Capitals,
}

impl Tree {
    /// Puts fields of a lead: the buyer's path, our name, and how the buyer writes it. What the lead lacks leaves no trace.
    pub fn fill(&mut self, lead: &Lead<'_>, fields: &[(&str, &str, As<'_>)]) {
        for (theirs, ours, written) in fields {
            self.set(theirs, lead.named(ours).map(|value| written.of(value)));
        }
    }
}

impl As<'_> {
    /// Writes a value; of a kind that it does not fit, as it is.
    #[must_use]
    pub fn of(&self, value: Value<'_>) -> Tree {
        match (self, value) {
            (Self::YesNo, Value::Boolean(yes)) => words::yes_no(yes).into(),
            (Self::Flag, Value::Boolean(yes)) => if yes { "1" } else { "0" }.into(),
            (Self::Date(pattern), Value::Date(days)) => words::date(days, pattern).into(),
            (Self::Digits, Value::Text(text)) => words::digits(text).into(),
            (Self::Capitals, Value::Text(text)) => text.to_ascii_uppercase().into(),
            (Self::Text, value) => match is(value) {
                Tree::Number(text) => Tree::Text(text),
                Tree::Bool(yes) => if yes { "true" } else { "false" }.into(),
                other => other,
            },
            (_, value) => is(value),
        }
    }
}

fn is(value: Value<'_>) -> Tree {
    match value {
        Value::Text(text) => text.into(),
        Value::Integer(number) => number.into(),
        Value::Decimal(millionths) => {
            let text = words::money(millionths, 6);
            Tree::Number(text.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        Value::Boolean(yes) => yes.into(),
        Value::Date(days) => words::date(days, "YYYY-MM-DD").into(),
        Value::Texts(texts) => Tree::List(texts.iter().map(Tree::from).collect()),
    }
}
