//! What holds of every pair of schemas: nothing differs from itself, additions never break, and what passes step by step
//! passes at once.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::{Turn, compare, from_json, to_json};
use crate::lead::{Field, Kind, Schema};

const NAMES: [&str; 5] = ["zip", "age", "credit", "makes", "phone"];
const WORDS: [&str; 4] = ["good", "fair", "poor", "none"];

/// Reads a schema of the vertical `test` from lines of `name kind marks.. words=a,b about=text`.
#[track_caller]
pub(super) fn schema(version: (u32, u32), text: &str) -> Schema {
    let fields = text.lines().filter(|line| !line.trim().is_empty()).map(|line| {
        let mut parts = line.split_whitespace();
        let name = parts.next().unwrap().to_owned();
        let word = parts.next().unwrap();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == word).unwrap();
        let marks: Vec<&str> = parts.collect();
        let after = |key: &str| marks.iter().find_map(|mark| mark.strip_prefix(key)).unwrap_or("");
        let allowed = after("words=").split(',').filter(|word| !word.is_empty());
        Field {
            name,
            kind,
            required_on_ping: marks.contains(&"ping"),
            required_on_post: marks.contains(&"post"),
            contact: marks.contains(&"contact"),
            binding: marks.contains(&"binding"),
            allowed: allowed.map(str::to_owned).collect(),
            description: after("about=").to_owned(),
        }
    });
    Schema::new("test", version, String::new(), fields.collect()).unwrap()
}

fn field(name: &'static str) -> impl Strategy<Value = Field> {
    let words = subsequence(&WORDS[..], 0..=WORDS.len());
    (select(&Kind::ALL[..]), any::<[bool; 4]>(), words, "[a-z]{0,3}").prop_map(
        move |(kind, [ping, post, contact, binding], words, description)| Field {
            name: name.to_owned(),
            kind,
            required_on_ping: ping && !contact,
            required_on_post: post,
            contact,
            binding,
            allowed: match kind {
                Kind::Text | Kind::Texts => words.into_iter().map(str::to_owned).collect(),
                Kind::Integer | Kind::Decimal | Kind::Boolean | Kind::Date => Vec::new(),
            },
            description,
        },
    )
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    subsequence(&NAMES[..], 1..=NAMES.len())
        .prop_flat_map(|names| names.into_iter().map(field).collect::<Vec<_>>())
        .prop_shuffle()
}

/// Fields that differ from these in a few places, so that much of what is compared is the same.
fn nearly(fields: Vec<Field>) -> impl Strategy<Value = Vec<Field>> {
    let kept = fields.into_iter().map(|old| {
        let name = *NAMES.iter().find(|name| **name == old.name).unwrap();
        prop_oneof![3 => Just(Some(old)), 1 => field(name).prop_map(Some), 1 => Just(None)]
    });
    kept.collect::<Vec<_>>()
        .prop_map(|fields| fields.into_iter().flatten().collect::<Vec<Field>>())
        .prop_filter("a schema has a field", |fields| !fields.is_empty())
}

fn of(fields: Vec<Field>) -> Schema {
    Schema::new("test", (1, 0), String::new(), fields).unwrap()
}

fn breaks(old: &Schema, new: &Schema) -> bool {
    compare(old, new).breaking().next().is_some()
}

proptest! {
    #[test]
    fn nothing_differs_from_itself_in_any_order(
        (one, other) in fields().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        prop_assert_eq!(compare(&of(one), &of(other)).changes, Vec::new());
    }

    #[test]
    fn whatever_differs_is_reported_once(one in fields(), other in fields()) {
        let comparison = compare(&of(one.clone()), &of(other.clone()));
        let sorted = |mut fields: Vec<Field>| {
            for field in &mut fields {
                field.allowed.sort();
            }
            fields.sort_by(|one, other| one.name.cmp(&other.name));
            fields
        };
        prop_assert_eq!(comparison.changes.is_empty(), sorted(one) == sorted(other));
        for (index, change) in comparison.changes.iter().enumerate() {
            prop_assert!(!comparison.changes[index + 1..].contains(change));
        }
    }

    #[test]
    fn optional_fields_never_break(old in fields(), added in fields()) {
        let known: Vec<String> = old.iter().map(|field| field.name.clone()).collect();
        let added = added.into_iter().filter(|field| !known.contains(&field.name));
        let optional = added.map(|field| Field {
            required_on_ping: false,
            required_on_post: false,
            ..field
        });
        let new: Vec<Field> = old.iter().cloned().chain(optional).collect();
        prop_assert!(!breaks(&of(old), &of(new)));
    }

    #[test]
    fn what_passes_step_by_step_passes_at_once(
        (first, second, third) in fields().prop_flat_map(|first| {
            (Just(first.clone()), nearly(first)).prop_flat_map(|(first, second)| {
                (Just(first), Just(second.clone()), nearly(second))
            })
        }),
    ) {
        let [first, second, third] = [first, second, third].map(of);
        prop_assert!(breaks(&first, &second) || breaks(&second, &third) || !breaks(&first, &third));
    }

    #[test]
    fn a_step_back_undoes_what_a_step_did(one in fields(), other in fields()) {
        let (one, other) = (of(one), of(other));
        let (there, back) = (compare(&one, &other), compare(&other, &one));
        let count = |comparison: &super::Comparison, counted: fn(&Turn) -> bool| {
            comparison.changes.iter().filter(|change| counted(&change.turn)).count()
        };
        for (did, undid) in [
            ((|turn| matches!(turn, Turn::Removed)) as fn(&Turn) -> bool,
                (|turn| matches!(turn, Turn::Added { .. })) as fn(&Turn) -> bool),
            (|turn| matches!(turn, Turn::Narrowed { .. }), |turn| matches!(turn, Turn::Widened { .. })),
            (|turn| matches!(turn, Turn::Required(_)), |turn| matches!(turn, Turn::Optional(_))),
            (|turn| matches!(turn, Turn::Retyped { .. }), |turn| matches!(turn, Turn::Retyped { .. })),
        ] {
            prop_assert_eq!(count(&there, did), count(&back, undid));
        }
    }

    #[test]
    fn a_schema_survives_being_written_and_read(fields in fields()) {
        let schema = of(fields);
        let read = from_json(&to_json(&schema)).unwrap();
        prop_assert_eq!(compare(&schema, &read).changes, Vec::new());
        prop_assert_eq!(schema.fields(), read.fields());
    }
}
