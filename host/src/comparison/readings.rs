//! What two versions of a normalizer made of the same submissions: which fields differ, and how.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::OTHERS;
use super::report::calls;
use super::spent::Spent;
use crate::lead::SCHEMA_FIELDS_MAX;

/// How many pairs of values are shown of a field.
pub const VALUES_MAX: usize = 3;
/// Two schemas have no more fields than this.
const FIELDS_MAX: usize = 2 * SCHEMA_FIELDS_MAX;

/// A field's value as a version read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub value: Json,
    /// It says who the person is, so no comparison shows it.
    pub contact: bool,
}

/// What a version made of one submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Every field that has a value, by name.
    Lead(BTreeMap<String, Field>),
    /// Refused, with the code and the field at fault.
    Refused(String),
    Failed,
}

/// What two versions of a normalizer made of the same submissions.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    pub(super) submissions: u64,
    same: u64,
    differ: u64,
    pub(super) newly_refused: u64,
    newly_read: u64,
    refusal_changed: u64,
    pub(super) old: Spent,
    pub(super) new: Spent,
    fields: BTreeMap<String, FieldTally>,
    refusals: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default)]
struct FieldTally {
    added: u64,
    removed: u64,
    changed: u64,
    values: BTreeSet<(String, String)>,
}

impl Readings {
    /// Returns how many submissions both versions read.
    pub fn submissions(&self) -> u64 {
        self.submissions
    }

    /// Returns whether the versions differ in what they read or whether they failed. What they cost may differ.
    pub fn differs(&self) -> bool {
        self.same < self.submissions || self.old.failed() != self.new.failed()
    }

    /// Counts a submission; each version comes with the fuel of its call, or why it failed. Returns whether they differ
    /// about it.
    pub fn add(
        &mut self,
        (old, old_spent): (&Read, &Result<u64, String>),
        (new, new_spent): (&Read, &Result<u64, String>),
    ) -> bool {
        self.submissions = self.submissions.saturating_add(1);
        self.old.add(old_spent);
        self.new.add(new_spent);
        let count = match (old, new) {
            (old, new) if old == new => &mut self.same,
            (Read::Lead(_), Read::Lead(_)) => &mut self.differ,
            (Read::Lead(_), Read::Refused(_) | Read::Failed) => &mut self.newly_refused,
            (Read::Refused(_) | Read::Failed, Read::Lead(_)) => &mut self.newly_read,
            (Read::Refused(_) | Read::Failed, Read::Refused(_) | Read::Failed) => {
                &mut self.refusal_changed
            }
        };
        *count = count.saturating_add(1);
        match (old, new) {
            (Read::Lead(old), Read::Lead(new)) => self.compare(old, new),
            (old, Read::Refused(why)) if old != new => {
                let known = self.refusals.contains_key(why) || self.refusals.len() < FIELDS_MAX;
                let why = if known { why } else { OTHERS };
                let count = self.refusals.entry(why.to_owned()).or_default();
                *count = count.saturating_add(1);
            }
            _ => (),
        }
        old != new
    }

    fn compare(&mut self, old: &BTreeMap<String, Field>, new: &BTreeMap<String, Field>) {
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            let (before, after) = (old.get(name), new.get(name));
            if before == after {
                continue;
            }
            let known = self.fields.contains_key(name) || self.fields.len() < FIELDS_MAX;
            let tally =
                self.fields.entry(if known { name } else { OTHERS }.to_owned()).or_default();
            let count = match (before, after) {
                (None, _) => &mut tally.added,
                (_, None) => &mut tally.removed,
                (Some(_), Some(_)) => &mut tally.changed,
            };
            *count = count.saturating_add(1);
            let contact = [before, after].into_iter().flatten().any(|field| field.contact);
            if !contact {
                let shown = |field: Option<&Field>| {
                    field.map_or(String::new(), |field| field.value.to_string())
                };
                tally.values.insert((shown(before), shown(after)));
                if tally.values.len() > VALUES_MAX {
                    tally.values.pop_last();
                }
            }
        }
    }

    /// Returns the comparison as JSON.
    pub fn to_json(&self) -> Json {
        let shown = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
        let fields = self.fields.iter().map(|(name, tally)| {
            let values = tally.values.iter();
            let values = values.map(|(old, new)| json!({"old": shown(old), "new": shown(new)}));
            json!({
                "field": name,
                "added": tally.added,
                "removed": tally.removed,
                "changed": tally.changed,
                "examples": values.collect::<Vec<Json>>(),
            })
        });
        let refusals =
            self.refusals.iter().map(|(why, count)| json!({"refused": why, "count": count}));
        json!({
            "differs": self.differs(),
            "submissions": self.submissions,
            "readings": {
                "same": self.same,
                "other_fields": self.differ,
                "newly_refused": self.newly_refused,
                "newly_read": self.newly_read,
                "refusal_changed": self.refusal_changed,
            },
            "calls": calls(&self.old, &self.new),
            "fields": fields.collect::<Vec<Json>>(),
            "refusals": refusals.collect::<Vec<Json>>(),
        })
    }

    /// Returns the comparison in one line, for logs and records.
    pub fn summary(&self) -> String {
        let Self { submissions, same, differ, newly_refused, newly_read, refusal_changed, .. } =
            self;
        let failed = self.new.failed();
        format!(
            "{submissions} submissions: {same} same, {differ} with other fields, {newly_refused} newly refused, {newly_read} newly read, {refusal_changed} refused otherwise, {failed} calls failed"
        )
    }
}
