//! What one version of a schema changes against another, and whether it may under the number that it has.
//!
//! Additions pass as a minor version. Whatever takes something from a buyer (a field, a kind, a word, a promise) or asks
//! more of a source needs a new major version, which serves beside the old one until everybody has moved.

use std::fmt;

use serde_json::{Value, json};

use super::document::version_text;
use crate::lead::{Field, Kind, Schema};
use crate::sandbox::Stage;

/// The most words of an enumeration that a sentence names.
const WORDS_NAMED_MAX: usize = 12;

/// One difference between two versions of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The field that is different; empty for the schema as a whole.
    pub field: String,
    /// What is different about it.
    pub turn: Turn,
}

/// What became of a field, or of the schema as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The schema is of another vertical.
    Renamed { from: String, to: String },
    /// The field is new, and these steps are refused without it.
    Added { required_on: Vec<Stage> },
    /// The field is gone.
    Removed,
    /// Its values are of another kind.
    Retyped { from: Kind, to: Kind },
    /// These words are gone; none are named if it was any text before and has a list now.
    Narrowed { lost: Vec<String> },
    /// These words are new; none are named if it is any text now.
    Widened { gained: Vec<String> },
    /// The step is refused without it.
    Required(Stage),
    /// The step is no longer refused without it.
    Optional(Stage),
    /// It became contact data, which no filter and no criteria read.
    MadeContact,
    /// It is no longer contact data, so filters would see it.
    MadePublic,
    /// A post may not change it any more.
    MadeBinding,
    /// A post may change it from what buyers bid on.
    MadeLoose,
    /// It says something else about itself.
    Described,
}

impl Turn {
    /// Returns the word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Renamed { .. } => "renamed",
            Self::Added { .. } => "added",
            Self::Removed => "removed",
            Self::Retyped { .. } => "retyped",
            Self::Narrowed { .. } => "narrowed",
            Self::Widened { .. } => "widened",
            Self::Required(_) => "required",
            Self::Optional(_) => "optional",
            Self::MadeContact => "made-contact",
            Self::MadePublic => "made-public",
            Self::MadeBinding => "made-binding",
            Self::MadeLoose => "made-loose",
            Self::Described => "described",
        }
    }
}

impl Change {
    /// Says whether somebody who relied on the old version can be let down by it.
    pub fn breaks(&self) -> bool {
        match &self.turn {
            Turn::Added { required_on } => !required_on.is_empty(),
            Turn::Renamed { .. }
            | Turn::Removed
            | Turn::Retyped { .. }
            | Turn::Narrowed { .. }
            | Turn::Required(_)
            | Turn::MadeContact
            | Turn::MadePublic
            | Turn::MadeBinding
            | Turn::MadeLoose => true,
            Turn::Widened { .. } | Turn::Optional(_) | Turn::Described => false,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.turn {
            Turn::Renamed { from, to } => write!(f, "the vertical `{from}` is called `{to}` now"),
            Turn::Added { required_on } if required_on.is_empty() => {
                write!(f, "`{field}` is new and optional")
            }
            Turn::Added { required_on } => {
                let steps: Vec<&str> = required_on.iter().map(|stage| step(*stage)).collect();
                let steps = steps.join(" and every ");
                write!(f, "`{field}` is new and every {steps} must have it")
            }
            Turn::Removed => write!(f, "`{field}` is gone"),
            Turn::Retyped { from, to } => {
                write!(f, "`{field}` is {} now, and was {}", to.name(), from.name())
            }
            Turn::Narrowed { lost } if lost.is_empty() => {
                write!(f, "`{field}` could be any text, and has a list of words now")
            }
            Turn::Narrowed { lost } => write!(f, "`{field}` can no longer be {}", words(lost)),
            Turn::Widened { gained } if gained.is_empty() => {
                write!(f, "`{field}` can be any text now")
            }
            Turn::Widened { gained } => write!(f, "`{field}` can also be {}", words(gained)),
            Turn::Required(stage) => write!(f, "every {} must have `{field}` now", step(*stage)),
            Turn::Optional(stage) => write!(f, "a {} may come without `{field}` now", step(*stage)),
            Turn::MadeContact => {
                write!(f, "`{field}` is contact data now, so no filter and no criteria may read it")
            }
            Turn::MadePublic => {
                write!(f, "`{field}` is no longer contact data, so filters would see it")
            }
            Turn::MadeBinding => write!(f, "a post may no longer change `{field}`"),
            Turn::MadeLoose => {
                write!(f, "a post may change `{field}` now, so buyers bid on what can change")
            }
            Turn::Described if field.is_empty() => f.write_str("the vertical's description"),
            Turn::Described => write!(f, "the description of `{field}`"),
        }
    }
}

/// Everything that is different between two versions of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The old version's number.
    pub old: (u32, u32),
    /// The new version's number.
    pub new: (u32, u32),
    /// The differences: the vertical's first, then by field in the new schema's order, then what is gone.
    pub changes: Vec<Change>,
}

/// Why a schema cannot have the number that it has, beside an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It breaks what relies on the older one, under the same major number.
    NeedsMajor,
    /// It is different under the same number.
    SameVersion,
    /// Its number is before the older one's.
    GoesBack,
}

impl Comparison {
    /// Returns the changes that somebody can be let down by.
    pub fn breaking(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.breaks())
    }

    /// Says why the new schema cannot come after the old one under its number; nothing if it can.
    pub fn unfit(&self) -> Option<Unfit> {
        if self.new < self.old {
            Some(Unfit::GoesBack)
        } else if self.new.0 == self.old.0 && self.breaking().next().is_some() {
            Some(Unfit::NeedsMajor)
        } else if self.new == self.old && !self.changes.is_empty() {
            Some(Unfit::SameVersion)
        } else {
            None
        }
    }

    /// Returns the least number that the new schema can have.
    pub fn needed(&self) -> (u32, u32) {
        let (major, minor) = self.old;
        if self.breaking().next().is_some() {
            (major.saturating_add(1), 0)
        } else if self.changes.is_empty() {
            (major, minor)
        } else {
            (major, minor.saturating_add(1))
        }
    }

    /// Writes the comparison for programs, with a sentence for people beside each change.
    pub fn to_json(&self) -> Value {
        let changes = self.changes.iter().map(|change| {
            json!({
                "field": Some(&change.field).filter(|field| !field.is_empty()),
                "change": change.turn.code(),
                "breaks": change.breaks(),
                "message": change.to_string(),
            })
        });
        json!({
            "from": version_text(self.old),
            "to": version_text(self.new),
            "breaks": self.breaking().next().is_some(),
            "allowed": self.unfit().is_none(),
            "complaint": self.complaint(),
            "needed": version_text(self.needed()),
            "changes": changes.collect::<Vec<Value>>(),
        })
    }

    /// Says what is wrong with the new schema's number and which it must have; nothing if it is right.
    pub fn complaint(&self) -> Option<String> {
        let [old, new, needed] = [self.old, self.new, self.needed()].map(version_text);
        Some(match self.unfit()? {
            Unfit::NeedsMajor => format!(
                "version {new} of the schema breaks what relies on {old}, so it must be called {needed}"
            ),
            Unfit::SameVersion => format!(
                "the schema has changed and is still called {old}, so it must be called {needed}"
            ),
            Unfit::GoesBack => format!(
                "version {new} of the schema comes after {old}, and numbers do not go back, so it must be called \
                 {needed}"
            ),
        })
    }
}

/// Compares two versions of a schema. The order of fields and of words means nothing.
pub fn compare(old: &Schema, new: &Schema) -> Comparison {
    let mut changes = Vec::new();
    let whole = |turn| Change { field: String::new(), turn };
    if old.vertical() != new.vertical() {
        let (from, to) = (old.vertical().to_string(), new.vertical().to_string());
        changes.push(whole(Turn::Renamed { from, to }));
    }
    if old.description() != new.description() {
        changes.push(whole(Turn::Described));
    }
    for field in new.fields() {
        let turns = match old.field(&field.name) {
            None => vec![Turn::Added { required_on: required_on(field) }],
            Some((_, old)) => turns(old, field),
        };
        changes.extend(turns.into_iter().map(|turn| Change { field: field.name.clone(), turn }));
    }
    let gone = old.fields().iter().filter(|field| new.field(&field.name).is_none());
    changes.extend(gone.map(|field| Change { field: field.name.clone(), turn: Turn::Removed }));
    Comparison { old: old.version(), new: new.version(), changes }
}

fn turns(old: &Field, new: &Field) -> Vec<Turn> {
    let mut turns = Vec::new();
    if old.kind == new.kind {
        turns.extend(vocabulary(&old.allowed, &new.allowed));
    } else {
        turns.push(Turn::Retyped { from: old.kind, to: new.kind });
    }
    for (stage, old, new) in [
        (Stage::Ping, old.required_on_ping, new.required_on_ping),
        (Stage::Post, old.required_on_post, new.required_on_post),
    ] {
        turns.extend(turned(old, new, Turn::Required(stage), Turn::Optional(stage)));
    }
    turns.extend(turned(old.contact, new.contact, Turn::MadeContact, Turn::MadePublic));
    turns.extend(turned(old.binding, new.binding, Turn::MadeBinding, Turn::MadeLoose));
    if old.description != new.description {
        turns.push(Turn::Described);
    }
    turns
}

fn turned(old: bool, new: bool, on: Turn, off: Turn) -> Option<Turn> {
    match (old, new) {
        (false, true) => Some(on),
        (true, false) => Some(off),
        (true, true) | (false, false) => None,
    }
}

/// An empty list allows everything, so it is the widest.
fn vocabulary(old: &[String], new: &[String]) -> Vec<Turn> {
    let missing = |from: &[String], words: &[String]| -> Vec<String> {
        words.iter().filter(|word| !from.contains(word)).cloned().collect()
    };
    match (old.is_empty(), new.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => vec![Turn::Narrowed { lost: Vec::new() }],
        (false, true) => vec![Turn::Widened { gained: Vec::new() }],
        (false, false) => {
            let (lost, gained) = (missing(new, old), missing(old, new));
            let narrowed = (!lost.is_empty()).then_some(Turn::Narrowed { lost });
            let widened = (!gained.is_empty()).then_some(Turn::Widened { gained });
            narrowed.into_iter().chain(widened).collect()
        }
    }
}

fn required_on(field: &Field) -> Vec<Stage> {
    let stages = [(Stage::Ping, field.required_on_ping), (Stage::Post, field.required_on_post)];
    stages.into_iter().filter_map(|(stage, required)| required.then_some(stage)).collect()
}

const fn step(stage: Stage) -> &'static str {
    match stage {
        Stage::Ping => "ping",
        Stage::Post => "post",
    }
}

/// Names words in backquotes, and how many more there are.
pub(super) fn words(words: &[String]) -> String {
    let shown: Vec<String> =
        words.iter().take(WORDS_NAMED_MAX).map(|word| format!("`{word}`")).collect();
    match words.len().saturating_sub(WORDS_NAMED_MAX) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::properties::schema;
    use super::*;

    /// Compares two schemas, written as lines of `name kind marks.. words=..`; a `!` marks what breaks.
    #[track_caller]
    fn check(old: (u32, u32), before: &str, new: (u32, u32), after: &str, expected: &str) {
        let comparison = compare(&schema(old, before), &schema(new, after));
        let mark = |change: &Change| if change.breaks() { "! " } else { "  " };
        let mut lines: Vec<String> =
            comparison.changes.iter().map(|change| format!("{}{change}", mark(change))).collect();
        lines.extend(comparison.complaint());
        let expected: Vec<&str> = expected.lines().filter(|line| !line.trim().is_empty()).collect();
        let expected: Vec<&str> =
            expected.iter().map(|line| line.strip_prefix("        ").unwrap_or(line)).collect();
        assert_eq!(lines, expected);
    }

    #[test]
    fn the_same_schema_may_keep_its_number() {
        let text = "zip text ping post binding\nage integer";
        check((1, 3), text, (1, 3), text, "");
        check((1, 3), text, (1, 4), "age integer\nzip text ping post binding", "");
        check(
            (1, 3),
            text,
            (1, 2),
            text,
            "version 1.2 of the schema comes after 1.3, and numbers do not go back, so it must be called 1.3",
        );
    }

    #[test]
    fn an_addition_is_a_minor_version() {
        check(
            (1, 0),
            "zip text\ncredit text words=good,poor",
            (1, 1),
            "zip text about=ZIP\nage integer\ncredit text words=poor,good,fair",
            "
          the description of `zip`
          `age` is new and optional
          `credit` can also be `fair`",
        );
        check(
            (1, 0),
            "zip text",
            (1, 0),
            "zip text\nage integer",
            "
          `age` is new and optional
the schema has changed and is still called 1.0, so it must be called 1.1",
        );
        check(
            (1, 0),
            "zip text ping post\ncredit text words=good",
            (1, 1),
            "zip text\ncredit text",
            "
          a ping may come without `zip` now
          a post may come without `zip` now
          `credit` can be any text now",
        );
    }

    #[test]
    fn what_takes_something_away_is_a_major_version() {
        check(
            (1, 2),
            "age integer\ncredit text words=good,fair,poor\nnote text\nzip text\ngone date",
            (1, 3),
            "age text\ncredit text words=good,best\nnote text words=a\nzip text ping\nvin text ping post",
            "
        ! `age` is text now, and was integer
        ! `credit` can no longer be `fair`, `poor`
          `credit` can also be `best`
        ! `note` could be any text, and has a list of words now
        ! every ping must have `zip` now
        ! `vin` is new and every ping and every post must have it
        ! `gone` is gone
version 1.3 of the schema breaks what relies on 1.2, so it must be called 2.0",
        );
        check((1, 2), "age integer\nzip text", (2, 0), "zip text", "        ! `age` is gone");
    }

    #[test]
    fn a_promise_that_is_made_or_taken_back_is_a_major_version() {
        check(
            (1, 0),
            "vin text\nphone text contact\nage integer\nzip text binding",
            (1, 1),
            "vin text contact\nphone text\nage integer binding\nzip text",
            "
        ! `vin` is contact data now, so no filter and no criteria may read it
        ! `phone` is no longer contact data, so filters would see it
        ! a post may no longer change `age`
        ! a post may change `zip` now, so buyers bid on what can change
version 1.1 of the schema breaks what relies on 1.0, so it must be called 2.0",
        );
    }

    #[test]
    fn a_sentence_names_only_so_many_words() {
        let many: Vec<String> = (0..=WORDS_NAMED_MAX).map(|word| format!("w{word}")).collect();
        let narrowed = Turn::Narrowed { lost: many };
        let change = Change { field: "state".to_owned(), turn: narrowed };
        assert!(change.to_string().ends_with("`w11` and 1 more"), "{change}");
    }
}
