//! What criteria are once they are checked: conditions joined by all, any and not.
//!
//! A condition on a field that the lead lacks is unknown, neither true nor false (Kleene's logic), and a lead matches
//! only if the whole is true. So [`Expression::is`] asks for certainty: what is unknown is certain of nothing.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::lead::{Kind, PingView, Value};

/// The built-in text field: the id of the source that sent the lead.
pub const SOURCE: &str = "source";

/// Conditions and how they are joined. `All` without parts is true, and stands only at the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    All(Box<[Self]>),
    Any(Box<[Self]>),
    Not(Box<Self>),
    Condition(Condition),
}

/// One test of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    pub subject: Subject,
    /// The field's kind when the criteria were checked. A value of another kind is as good as absent.
    pub kind: Kind,
    pub test: Test,
}

/// What a condition looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The id of the source that sent the lead.
    Source,
    /// A field of the lead, and where it was among its schema's fields; another version may have it elsewhere.
    Field { name: Box<str>, place: usize },
}

/// What is asked of a value. Integers, decimals (in millionths), booleans (0 or 1) and dates (in days since 1970-01-01)
/// are all whole numbers here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    Compare {
        comparison: Comparison,
        number: i64,
    },
    /// Both ends included.
    Between {
        low: i64,
        high: i64,
    },
    /// Sorted, without repetition.
    NumberIn {
        numbers: Arc<[i64]>,
        negated: bool,
    },
    Equal {
        word: Box<str>,
        negated: bool,
    },
    WordIn {
        words: Words,
        negated: bool,
    },
    Texts {
        quantifier: Quantifier,
        words: Words,
    },
    Null {
        negated: bool,
    },
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// How many of the words a list of texts must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    Any,
    All,
    None,
}

/// Words to look a value up in: sorted, without repetition, shared by everyone who names the same list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The named list that they come from.
    pub name: Option<Arc<str>>,
    pub sorted: Arc<[Box<str>]>,
}

enum Seen<'l> {
    Text(&'l str),
    Number(i64),
    Texts(&'l [Box<str>]),
}

impl Expression {
    /// Says whether the expression is certainly true, or certainly false, for a lead. It never allocates.
    pub fn is(&self, wanted: bool, lead: &PingView, source: &str) -> bool {
        match (self, wanted) {
            (Self::All(parts), true) | (Self::Any(parts), false) => {
                parts.iter().all(|part| part.is(wanted, lead, source))
            }
            (Self::All(parts), false) | (Self::Any(parts), true) => {
                parts.iter().any(|part| part.is(wanted, lead, source))
            }
            (Self::Not(part), _) => part.is(!wanted, lead, source),
            (Self::Condition(condition), _) => condition.holds(lead, source) == Some(wanted),
        }
    }

    /// Calls the visitor with every condition, in the order they are written.
    pub fn visit<'e>(&'e self, visitor: &mut impl FnMut(&'e Condition)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().for_each(|part| part.visit(visitor))
            }
            Self::Not(part) => part.visit(visitor),
            Self::Condition(condition) => visitor(condition),
        }
    }

    /// Returns how many levels the expression has; a condition alone is one.
    pub fn depth(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                1 + parts.iter().map(Self::depth).max().unwrap_or(0)
            }
            Self::Not(part) => 1 + part.depth(),
            Self::Condition(_) => 1,
        }
    }
}

impl Condition {
    /// Says whether the condition holds; `None` if the lead lacks the field.
    pub fn holds(&self, lead: &PingView, source: &str) -> Option<bool> {
        let seen = self.seen(lead, source);
        if let Test::Null { negated } = self.test {
            return Some(seen.is_none() != negated);
        }
        match (&self.test, seen?) {
            (Test::Compare { comparison, number }, Seen::Number(seen)) => {
                Some(comparison.holds(seen.cmp(number)))
            }
            (Test::Between { low, high }, Seen::Number(seen)) => {
                Some((*low..=*high).contains(&seen))
            }
            (Test::NumberIn { numbers, negated }, Seen::Number(seen)) => {
                Some(numbers.binary_search(&seen).is_ok() != *negated)
            }
            (Test::Equal { word, negated }, Seen::Text(seen)) => {
                Some((word.as_ref() == seen) != *negated)
            }
            (Test::WordIn { words, negated }, Seen::Text(seen)) => {
                Some(words.contain(seen) != *negated)
            }
            (Test::Texts { quantifier, words }, Seen::Texts(seen)) => {
                Some(quantifier.holds(words, seen))
            }
            _ => None,
        }
    }

    fn seen<'l>(&self, lead: &'l PingView, source: &'l str) -> Option<Seen<'l>> {
        let value = match &self.subject {
            Subject::Source => return Some(Seen::Text(source)),
            Subject::Field { name, place } => value(lead, name, *place)?,
        };
        if value.kind() != self.kind {
            return None;
        }
        Some(match value {
            Value::Text(text) => Seen::Text(text),
            Value::Integer(number) | Value::Decimal(number) => Seen::Number(*number),
            Value::Boolean(yes) => Seen::Number(i64::from(*yes)),
            Value::Date(days) => Seen::Number(i64::from(*days)),
            Value::Texts(texts) => Seen::Texts(texts),
        })
    }
}

impl Subject {
    pub fn name(&self) -> &str {
        match self {
            Self::Source => SOURCE,
            Self::Field { name, .. } => name,
        }
    }
}

/// Looks where the field was when the criteria were checked, then where the lead's own schema has it.
pub(super) fn value<'l>(lead: &'l PingView, name: &str, place: usize) -> Option<&'l Value> {
    match lead.schema().fields().get(place) {
        Some(field) if field.name == name => lead.at(place),
        _ => lead.at(lead.schema().field(name)?.0),
    }
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }
}

impl Quantifier {
    fn holds(self, words: &Words, seen: &[Box<str>]) -> bool {
        match self {
            Self::Any => seen.iter().any(|text| words.contain(text)),
            Self::All => words.sorted.iter().all(|word| seen.contains(word)),
            Self::None => !seen.iter().any(|text| words.contain(text)),
        }
    }
}

impl Words {
    pub(super) fn new(name: Option<&str>, mut words: Vec<Box<str>>) -> Self {
        words.sort_unstable();
        words.dedup();
        Self { name: name.map(Into::into), sorted: words.into() }
    }

    fn contain(&self, text: &str) -> bool {
        self.sorted.binary_search_by(|word| word.as_ref().cmp(text)).is_ok()
    }
}
