//! Who relies on what a newer version of a schema takes away: the campaigns and filters of a vertical.

use super::compare::{Change, Comparison, Turn, words};
use crate::catalog::{Served, Vertical};
use crate::criteria::{Condition, Criteria, Subject, Test, Words};
use crate::ids::Digest;
use crate::lead::{Field, Schema};
use crate::sandbox::Need;

/// A campaign or a filter that a newer version of a schema would let down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relying {
    /// What it is, such as `campaign acme-west`.
    pub what: String,
    /// What it relies on, and what becomes of that.
    pub why: String,
}

/// Returns who of a vertical relies on what the newer of two schemas takes away: campaigns whose criteria ask for it, in
/// their order, then filters that read it. `needs` says what the filter with this digest reads. Nobody here relies on what
/// only asks more of the sources.
pub fn relying(
    (old, new): (&Schema, &Schema),
    comparison: &Comparison,
    vertical: &Vertical,
    needs: impl Fn(Digest) -> Vec<Need>,
) -> Vec<Relying> {
    let mut relying = Vec::new();
    for campaign in &vertical.campaigns {
        for change in comparison.breaking() {
            let fields = (old.field(&change.field), new.field(&change.field));
            let fields = (fields.0.map(|(_, field)| field), fields.1.map(|(_, field)| field));
            let asked = asked(change, fields, &campaign.criteria).into_iter();
            relying.extend(
                asked.map(|why| Relying { what: format!("campaign {}", campaign.id), why }),
            );
        }
    }
    for (place, filter) in vertical.filters.iter().enumerate() {
        let campaigns = vertical.campaigns.iter();
        let campaigns = campaigns.filter(|one| one.filter.is_some_and(|slot| slot.filter == place));
        let campaigns: Vec<String> = campaigns.map(|campaign| campaign.id.to_string()).collect();
        let what = format!("filter {}", filter.active.module.name);
        let deciding = filter.canary.iter().map(|(_, canary)| canary).chain([&filter.active]);
        let needs: Vec<Need> =
            deciding.flat_map(|Served { module, .. }| needs(module.digest)).collect();
        relying.extend(comparison.breaking().filter_map(|change| {
            let why = format!("{} (for {})", read(change, &needs)?, words(&campaigns));
            Some(Relying { what: what.clone(), why })
        }));
    }
    relying
}

/// Says which conditions of a campaign's criteria a change takes the ground from.
fn asked(
    change: &Change,
    (old, new): (Option<&Field>, Option<&Field>),
    criteria: &Criteria,
) -> Vec<String> {
    let mut asked = Vec::new();
    criteria.expression().visit(&mut |condition: &Condition| {
        let here =
            matches!(&condition.subject, Subject::Field { name, .. } if **name == *change.field);
        if !here {
            return;
        }
        let fault = match &change.turn {
            Turn::Narrowed { .. } => {
                let lost = lost(old, new, &condition.test);
                (!lost.is_empty())
                    .then(|| format!("`{}` can no longer be {}", change.field, words(&lost)))
            }
            Turn::Removed | Turn::Retyped { .. } | Turn::MadeContact | Turn::MadeLoose => {
                Some(change.to_string())
            }
            Turn::Renamed { .. }
            | Turn::Added { .. }
            | Turn::Widened { .. }
            | Turn::Required(_)
            | Turn::Optional(_)
            | Turn::MadePublic
            | Turn::MadeBinding
            | Turn::Described => None,
        };
        asked.extend(fault.map(|fault| format!("its criteria say `{condition}`, and {fault}")));
    });
    asked
}

/// Returns the words of a test that its field could be and no longer can.
fn lost(old: Option<&Field>, new: Option<&Field>, test: &Test) -> Vec<String> {
    let named: &[Box<str>] = match test {
        Test::Equal { word, .. } => std::slice::from_ref(word),
        Test::WordIn { words: Words { sorted, .. }, .. }
        | Test::Texts { words: Words { sorted, .. }, .. } => sorted,
        Test::Compare { .. } | Test::Between { .. } | Test::NumberIn { .. } | Test::Null { .. } => {
            &[]
        }
    };
    let can_be = |field: Option<&Field>, word: &str| {
        field.is_some_and(|field| {
            field.allowed.is_empty() || field.allowed.iter().any(|allowed| allowed == word)
        })
    };
    let lost = named.iter().filter(|word| can_be(old, word) && !can_be(new, word));
    lost.map(ToString::to_string).collect()
}

/// Says what a filter reads of what a change takes away. Which words it waits for only the filter knows.
fn read(change: &Change, needs: &[Need]) -> Option<String> {
    let takes = match &change.turn {
        Turn::Removed
        | Turn::Retyped { .. }
        | Turn::Narrowed { .. }
        | Turn::MadeContact
        | Turn::MadeLoose => true,
        Turn::Renamed { .. }
        | Turn::Added { .. }
        | Turn::Widened { .. }
        | Turn::Required(_)
        | Turn::Optional(_)
        | Turn::MadePublic
        | Turn::MadeBinding
        | Turn::Described => false,
    };
    (takes && needs.iter().any(|need| need.name == change.field))
        .then(|| format!("it reads `{}`, and {change}", change.field))
}
