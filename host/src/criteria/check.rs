//! Checks what either spelling says against the schema, and makes the conditions. Only what passed becomes one.
//!
//! Complaints are words without a place; the spelling that reads adds where it is.

use super::tree::{Comparison, Condition, Expression, Quantifier, SOURCE, Subject, Test, Words};
use super::{CONDITIONS_MAX, DEPTH_MAX, LIST_ITEMS_MAX, Lists};
use crate::lead::{Kind, Schema, date_days, date_text};
use crate::money::Micros;

/// The most allowed words, fields or lists that a complaint names.
const NAMED_MAX: usize = 20;

/// A value as it is written.
pub(super) enum Literal {
    Text(String),
    Number(String),
    Boolean(bool),
}

/// How a value and a list go together.
#[derive(Clone, Copy)]
pub(super) enum Membership {
    In { negated: bool },
    Texts(Quantifier),
}

/// The values of a list, each checked when it is added.
#[derive(Default)]
pub(super) struct Choice {
    words: Vec<Box<str>>,
    numbers: Vec<i64>,
}

/// What conditions are checked against, and how many there are.
pub(super) struct Checker<'c> {
    schema: &'c Schema,
    lists: &'c Lists,
    conditions: usize,
}

/// A field that a condition may name.
pub(super) struct Target<'c> {
    subject: Subject,
    kind: Kind,
    allowed: &'c [String],
}

impl<'c> Checker<'c> {
    pub(super) fn new(schema: &'c Schema, lists: &'c Lists) -> Self {
        Self { schema, lists, conditions: 0 }
    }

    /// Begins a condition on the field with this name.
    pub(super) fn target(&mut self, name: &str) -> Result<Target<'c>, String> {
        self.conditions += 1;
        if self.conditions > CONDITIONS_MAX {
            return Err(format!(
                "there are more than {CONDITIONS_MAX} conditions; move long lists of `or` into `in`"
            ));
        }
        if name == SOURCE {
            return Ok(Target { subject: Subject::Source, kind: Kind::Text, allowed: &[] });
        }
        let Some((place, field)) = self.schema.field(name) else {
            return Err(self.unknown_field(name));
        };
        if field.contact {
            return Err(format!("`{name}` is contact data, which nobody sees before the sale"));
        }
        if matches!(name, "not" | "true") {
            return Err(format!(
                "a field called `{name}` cannot be told from the word; use another field"
            ));
        }
        let subject = Subject::Field { name: name.into(), place };
        Ok(Target { subject, kind: field.kind, allowed: &field.allowed })
    }

    fn unknown_field(&self, name: &str) -> String {
        let fields = self.schema.fields().iter().filter(|field| !field.contact);
        let names: Vec<&str> = fields.map(|field| field.name.as_str()).chain([SOURCE]).collect();
        format!(
            "{} has no field `{name}`; {}",
            self.schema.vertical(),
            suggestion(name, &names, "the fields are")
        )
    }

    /// Returns the named list.
    pub(super) fn list(&self, target: &Target<'_>, name: &str) -> Result<Words, String> {
        if !target.is_worded() {
            return Err(format!("`@{name}` is a list of texts, but {}", target.is_a()));
        }
        self.lists.get(name).cloned().ok_or_else(|| {
            let names: Vec<&str> = self.lists.names().collect();
            format!("there is no list `{name}`; {}", suggestion(name, &names, "the lists are"))
        })
    }

    pub(super) fn all(parts: Vec<Expression>) -> Result<Expression, String> {
        joined(parts, Expression::All)
    }

    pub(super) fn any(parts: Vec<Expression>) -> Result<Expression, String> {
        joined(parts, Expression::Any)
    }

    pub(super) fn not(part: Expression) -> Result<Expression, String> {
        within_depth(Expression::Not(Box::new(part)))
    }
}

/// One part needs no joining, so that both spellings make the same tree.
fn joined(
    parts: Vec<Expression>,
    join: fn(Box<[Expression]>) -> Expression,
) -> Result<Expression, String> {
    match <[Expression; 1]>::try_from(parts) {
        Ok([part]) => Ok(part),
        Err(parts) => within_depth(join(parts.into())),
    }
}

fn within_depth(expression: Expression) -> Result<Expression, String> {
    if expression.depth() > DEPTH_MAX { Err(too_deep()) } else { Ok(expression) }
}

pub(super) fn too_deep() -> String {
    format!("conditions are nested more than {DEPTH_MAX} levels deep")
}

/// Names the candidate that was likely meant, or else the candidates.
fn suggestion(name: &str, candidates: &[&str], otherwise: &str) -> String {
    let near = candidates.iter().map(|candidate| (distance(name, candidate), candidate));
    match near.filter(|(distance, _)| *distance <= 1.max(name.len() / 3)).min() {
        Some((_, candidate)) => format!("did you mean `{candidate}`?"),
        None if candidates.is_empty() => "there are none".to_owned(),
        None => format!("{otherwise} {}", enumerated(candidates)),
    }
}

fn enumerated<T: AsRef<str>>(names: &[T]) -> String {
    let mut shown: Vec<&str> = names.iter().map(AsRef::as_ref).take(NAMED_MAX).collect();
    let more = format!("and {} more", names.len().saturating_sub(NAMED_MAX));
    if names.len() > NAMED_MAX {
        shown.push(&more);
    }
    shown.join(", ")
}

/// Returns how many letters must be put in, taken out or changed to make one name the other (Levenshtein).
fn distance(name: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, letter) in name.chars().enumerate() {
        let (mut corner, mut left) = (index, index + 1);
        for (cell, other) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = if letter == other { corner } else { 1 + corner.min(left).min(*cell) };
            corner = std::mem::replace(cell, changed);
            left = changed;
        }
    }
    row.last().copied().unwrap_or(0)
}

impl Target<'_> {
    fn name(&self) -> &str {
        self.subject.name()
    }

    fn is_a(&self) -> String {
        match self.kind {
            Kind::Integer => format!("`{}` is an integer", self.name()),
            Kind::Texts => format!("`{}` is a list of texts", self.name()),
            Kind::Text => format!("`{}` is text", self.name()),
            Kind::Decimal | Kind::Boolean | Kind::Date => {
                format!("`{}` is a {}", self.name(), self.kind.name())
            }
        }
    }

    /// Checks that the field can be compared like this.
    pub(super) fn can_compare(&self, comparison: Comparison) -> Result<(), String> {
        let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        match self.kind {
            Kind::Texts => Err(format!("{}: ask `any of`, `all of` or `none of`", self.is_a())),
            Kind::Text | Kind::Boolean if !equality => {
                Err(format!("{}, which has no order: only = and != compare it", self.is_a()))
            }
            Kind::Text | Kind::Boolean | Kind::Integer | Kind::Decimal | Kind::Date => Ok(()),
        }
    }

    pub(super) fn can_between(&self) -> Result<(), String> {
        match self.kind {
            Kind::Integer | Kind::Decimal | Kind::Date => Ok(()),
            Kind::Text | Kind::Boolean | Kind::Texts => Err(format!(
                "{}, which has no order: `between` needs a number or a date",
                self.is_a()
            )),
        }
    }

    /// Checks that the field can be looked up like this.
    pub(super) fn can_be(&self, membership: Membership) -> Result<(), String> {
        match (self.kind, membership) {
            (Kind::Boolean, _) => {
                Err(format!("{}: compare it with = true or = false", self.is_a()))
            }
            (Kind::Texts, Membership::In { .. }) => {
                Err(format!("{}: ask `any of`, `all of` or `none of`", self.is_a()))
            }
            (Kind::Texts, Membership::Texts(_)) => Ok(()),
            (_, Membership::In { .. }) => Ok(()),
            (_, Membership::Texts(_)) => Err(self.cannot_quantify()),
        }
    }

    fn cannot_quantify(&self) -> String {
        format!("{}, not a list of texts: use `in` or `not in`", self.is_a())
    }

    fn is_worded(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Texts)
    }

    /// Reads a value of a text field.
    fn word(&self, literal: Literal) -> Result<Box<str>, String> {
        let Literal::Text(word) = literal else { return Err(self.mismatch(&literal)) };
        if !self.allowed.is_empty() && !self.allowed.contains(&word) {
            let words = enumerated(self.allowed);
            return Err(format!("`{}` is never {word:?}; it can be {words}", self.name()));
        }
        Ok(word.into())
    }

    /// Reads a value of any other field as the whole number that stands for it.
    pub(super) fn number(&self, literal: Literal) -> Result<i64, String> {
        match (self.kind, literal) {
            (Kind::Integer, Literal::Number(text)) if text.contains('.') => {
                Err(format!("{}, so {text} has too many decimals", self.is_a()))
            }
            (Kind::Integer, Literal::Number(text)) => {
                text.parse().map_err(|_| format!("{text} is not a whole number of at most 64 bits"))
            }
            (Kind::Decimal, Literal::Number(text) | Literal::Text(text)) => {
                let decimal = Micros::parse(&text).map_err(|error| format!("{text}: {error}"));
                decimal.map(Micros::get)
            }
            (Kind::Boolean, Literal::Boolean(yes)) => Ok(i64::from(yes)),
            (Kind::Date, Literal::Text(text)) => match date_days(&text) {
                Some(days) if date_text(days) == text => Ok(i64::from(days)),
                _ => Err(format!("{text:?} is no day; write one as \"2026-01-31\"")),
            },
            (_, literal) => Err(self.mismatch(&literal)),
        }
    }

    fn mismatch(&self, literal: &Literal) -> String {
        let written = match literal {
            Literal::Text(text) => format!("{text:?} is text"),
            Literal::Number(text) => format!("{text} is a number"),
            Literal::Boolean(yes) => format!("{yes} is a boolean"),
        };
        let right = match self.kind {
            Kind::Text | Kind::Texts => "write text in double quotes",
            Kind::Integer | Kind::Decimal => "write a number without quotes",
            Kind::Boolean => "write true or false without quotes",
            Kind::Date => "write a day as \"2026-01-31\"",
        };
        format!("{}, but {written}; {right}", self.is_a())
    }

    pub(super) fn compare(
        self,
        comparison: Comparison,
        literal: Literal,
    ) -> Result<Expression, String> {
        let test = if self.is_worded() {
            Test::Equal { word: self.word(literal)?, negated: comparison == Comparison::NotEqual }
        } else {
            Test::Compare { comparison, number: self.number(literal)? }
        };
        Ok(self.condition(test))
    }

    pub(super) fn between(self, low: i64, high: i64) -> Result<Expression, String> {
        if low > high {
            return Err("nothing lies between these: the lower bound comes first".to_owned());
        }
        Ok(self.condition(Test::Between { low, high }))
    }

    pub(super) fn one_of(
        self,
        membership: Membership,
        choice: Choice,
    ) -> Result<Expression, String> {
        if choice.words.is_empty() && choice.numbers.is_empty() {
            return Err("the list is empty".to_owned());
        }
        if self.is_worded() {
            return self.listed(membership, Words::new(None, choice.words));
        }
        let Membership::In { negated } = membership else { return Err(self.cannot_quantify()) };
        let mut numbers = choice.numbers;
        numbers.sort_unstable();
        numbers.dedup();
        Ok(self.condition(Test::NumberIn { numbers: numbers.into(), negated }))
    }

    pub(super) fn listed(self, membership: Membership, words: Words) -> Result<Expression, String> {
        self.can_be(membership)?;
        Ok(self.condition(match membership {
            Membership::In { negated } => Test::WordIn { words, negated },
            Membership::Texts(quantifier) => Test::Texts { quantifier, words },
        }))
    }

    pub(super) fn null(self, negated: bool) -> Expression {
        self.condition(Test::Null { negated })
    }

    fn condition(self, test: Test) -> Expression {
        Expression::Condition(Condition { subject: self.subject, kind: self.kind, test })
    }
}

impl Choice {
    pub(super) fn add(&mut self, target: &Target<'_>, literal: Literal) -> Result<(), String> {
        if self.words.len().max(self.numbers.len()) >= LIST_ITEMS_MAX {
            return Err(format!("the list has more than {LIST_ITEMS_MAX} items"));
        }
        if target.is_worded() {
            self.words.push(target.word(literal)?);
        } else {
            self.numbers.push(target.number(literal)?);
        }
        Ok(())
    }
}
