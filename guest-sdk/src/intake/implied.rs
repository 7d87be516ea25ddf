//! What a submission says about one field by sending another.

use super::lead::{Draft, Values};
use super::table::{Field, Reader};
use super::word;
use crate::normalizer::Value;

impl Values<'_> {
    /// Fills fields that did not come, from days, from the fields that say them, and from the groups.
    pub(super) fn implied(&self, draft: &mut Draft, today: i32) {
        // Most verticals have no field that says another.
        let targets = draft.fields.iter().filter_map(|(field, _)| field.says);
        let targets: Vec<&str> = targets.map(|(target, _)| target).collect();
        for place in 0..draft.fields.len() {
            let Some(&(field, None)) = draft.fields.get(place) else { continue };
            if let (Reader::Span(spans), Some(day)) = (field.reader, field.sharing) {
                let days = draft.days_since(day, today);
                let word = days.and_then(|days| spans.at(days));
                draft.set(place, word.map(|word| Value::Text(word.into())));
            }
            if targets.contains(&field.name) || field.named_by_group {
                let word = only(said(draft, field.name)).or_else(|| only(self.in_groups(field)));
                draft.set(place, word.map(|word| Value::Text(word.into())));
            }
        }
    }

    /// Returns the names of the groups in which something came, where the field has them as words.
    fn in_groups(&self, field: &Field) -> impl Iterator<Item = &'static str> {
        let words = if field.named_by_group { field.reader.words() } else { &[] };
        let groups =
            self.found.iter().filter(|found| !says_nothing(&found.text)).filter_map(|found| {
                Some(self.vertical.groups.get(usize::from(found.group?))?.name)
            });
        groups
            .filter_map(|name| words.iter().find(|(word, _)| *word == name).map(|&(word, _)| word))
    }
}

impl Draft {
    fn set(&mut self, place: usize, value: Option<Value>) {
        if let Some((_, known)) = self.fields.get_mut(place) {
            *known = value;
        }
    }

    /// Returns how many days ago the day of a field was.
    fn days_since(&self, name: &str, today: i32) -> Option<i64> {
        match self.fields.iter().find(|(field, _)| field.name == name) {
            Some((_, Some(Value::Date(day)))) => Some(i64::from(today.checked_sub(*day)?)),
            _ => None,
        }
    }
}

/// Returns the words that the presence of other fields says of this one.
fn said(draft: &Draft, name: &str) -> impl Iterator<Item = &'static str> {
    draft.fields.iter().filter_map(move |(field, value)| match (field.says, value) {
        (_, None | Some(Value::Boolean(false) | Value::Integer(0))) => None,
        (Some((said, word)), Some(_)) => (said == name).then_some(word),
        (None, _) => None,
    })
}

/// Returns the word if there is but one.
fn only(mut words: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let first = words.next()?;
    words.all(|word| word == first).then_some(first)
}

fn says_nothing(text: &str) -> bool {
    word::is_nothing(text)
        || word::is_unsaid(text)
        || word::boolean("", "none", text) == Some(false)
}

#[cfg(test)]
mod tests {
    use super::super::table::{Group, Vertical};
    use super::super::{Spans, standard};
    use super::*;
    use crate::normalizer::{NamedValue, Stage, Submission, Value};

    static SINCE: Spans = Spans {
        words: &[("this-month", "recently"), ("this-year", ""), ("earlier", "longago")],
        within: &[(31, "this-month"), (366, "this-year")],
        over: &[(360, "earlier")],
    };

    static HOUSE: Vertical = Vertical::new(
        "house",
        (1, 0),
        "A vertical for tests.",
        &[
            Group { name: "roofing", words: &["roof", "roofing"], is_person: true },
            Group { name: "house", words: &["house"], is_person: true },
        ],
        &[
            standard::PLACE,
            &[
                Field::new(
                    "trade",
                    Reader::Phrase(
                        &[("roofing", "roof"), ("windows", "window"), ("cleaning", "")],
                        "any",
                    ),
                )
                .sharing("work")
                .named_by_group(),
                Field::new(
                    "work",
                    Reader::Phrase(
                        &[("replace", "replacement"), ("clean", "cleaning"), ("other", "")],
                        "",
                    ),
                )
                .sharing("trade")
                .keys("project"),
                Field::new("windows", Reader::Measure(0, 100, ""))
                    .says("trade", "windows")
                    .keys("window_count"),
                Field::new("skylight", Reader::Boolean("", "")).says("trade", "windows"),
                Field::new("shingles", Reader::Boolean("", "")).says("trade", "roofing"),
                Field::new("kind", Reader::Phrase(&[("flat", "1"), ("house", "2")], "private"))
                    .sharing("private"),
                Field::new("private", Reader::Boolean("private", "2 business")).sharing("kind"),
                Field::new("day", Reader::PastDate).sharing("since"),
                Field::new("since", Reader::Span(&SINCE)).sharing("day"),
            ],
        ],
    );

    #[track_caller]
    fn check(form: &str, expected: &str) {
        let submission = Submission {
            stage: Stage::Ping,
            dialect: None,
            accept: None,
            content_type: "application/x-www-form-urlencoded".into(),
            query: String::new(),
            body: format!("zip=33139&state=FL&{form}").into(),
            received_on: 20_485,
        };
        let told = |NamedValue { name, value }: &NamedValue| match value {
            Value::Text(text) => format!("{name}={text}"),
            Value::Boolean(yes) => format!("{name}={yes}"),
            Value::Integer(number) => format!("{name}={number}"),
            Value::Date(day) => format!("{name}={day}"),
            other => format!("{name}={other:?}"),
        };
        let lead = match HOUSE.read(&submission).lead {
            Ok(lead) => lead.iter().skip(2).map(told).collect::<Vec<_>>().join(" "),
            Err(refusal) => format!("{:?} {}", refusal.code, refusal.field.unwrap_or_default()),
        };
        assert_eq!(lead, expected, "{form}");
    }

    #[test]
    fn what_comes_under_the_others_key_is_read() {
        check("project=Window+Replacement", "trade=windows work=replace");
        check("trade=Roof+replacement", "trade=roofing work=replace");
        check("project=Roofing", "trade=roofing");
        check("trade=Windows&project=Replace", "trade=windows work=replace");
        check("trade=Windows&project=Roof+replacement", "trade=windows work=replace");
        // What the other cannot read says more than what both can.
        check("project=Roofing&work=Cleaning", "trade=roofing work=clean");
        check("project=Gazebo", "work=other");
        check("trade=Gazebo&project=Replace", "RefusalCode::InvalidValue trade");
        check("project=Replace&work=Clean", "RefusalCode::ConflictingValues work");
        check("trade=any&project=Other", "work=other");
    }

    #[test]
    fn a_yes_or_a_number_is_for_its_own_key_alone() {
        check("kind=2", "kind=house");
        check("kind=Business", "private=false");
        check("kind=Flat&private=No", "kind=flat private=false");
        check("private=1", "private=true");
        check("private=House", "kind=house");
    }

    #[test]
    fn a_day_gives_the_time_since_it() {
        check("day=2026-01-15", "day=20468 since=this-month");
        check("since=01/15/2026", "day=20468 since=this-month");
        check("day=Within+1+year", "since=this-year");
        check("day=2020-01-15", "day=18276 since=earlier");
        check("day=January+2026", "since=this-month");
        check("day=2025-07", "since=this-year");
        check("day=07/2025", "since=this-year");
        check("since=2025", "RefusalCode::InvalidValue since");
        check("day=2020-01-15&since=recently", "day=18276 since=this-month");
        check("day=2026-02-02", "RefusalCode::InvalidValue day");
        check("day=sometime", "RefusalCode::InvalidValue day");
    }

    #[test]
    fn a_field_or_a_group_says_what_it_is_about() {
        check("window_count=3-5", "trade=windows windows=3");
        check("skylight=yes", "trade=windows skylight=true");
        check("skylight=no&windows=0", "windows=0 skylight=false");
        check("skylight=yes&shingles=yes", "skylight=true shingles=true");
        check("roofing_project=Replace", "trade=roofing work=replace");
        check("roof.day=N/A&house_kind=flat", "kind=flat");
        check("roofing_shingles=no", "shingles=false");
        check("trade=Cleaning&roofing_project=Replace", "trade=cleaning work=replace");
    }

    #[test]
    fn parts_of_a_birthday_are_nothing_to_a_vertical_without_one() {
        check("dob_year=1976&dob_month=2&dob_day=31", "");
    }
}
