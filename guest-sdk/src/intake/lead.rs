//! The lead: each field's value, and what follows from other fields.

use super::table::{Field, Reader, Vertical};
use super::tree::{Found, Leaves};
use super::{contact, date, invalid, name, number, reading, standard, word};
use crate::normalizer::{NamedValue, Refusal, RefusalCode, Stage, Submission, Value};

/// How far an age that was sent may be from the one that the date of birth gives: it may be older than the lead.
const AGE_SLACK: u64 = 1;
/// Heights of people, in inches.
pub(super) const HEIGHT: std::ops::RangeInclusive<i64> = 24..=108;

/// Everything that came for the fields of a vertical.
pub(super) struct Values<'v> {
    pub(super) vertical: &'v Vertical,
    pub(super) found: Vec<Found>,
    counts: Vec<(&'static str, i64)>,
}

/// The lead while it is put together.
pub(super) struct Draft {
    pub(super) fields: Vec<(&'static Field, Option<Value>)>,
}

impl<'v> Values<'v> {
    pub(super) fn new(vertical: &'v Vertical, leaves: &mut Leaves<'v>) -> Self {
        let found = leaves.take();
        let counts = vertical
            .groups
            .iter()
            .filter_map(|group| Some((group.name, i64::from(leaves.elements(group.name)?))));
        Self { vertical, counts: counts.collect(), found }
    }

    /// Returns the lead, or the first thing that is wrong with it, in the schema's order.
    pub(super) fn lead(&self, submission: &Submission) -> Result<Vec<NamedValue>, Refusal> {
        let today = submission.received_on;
        let mut draft = Draft { fields: Vec::with_capacity(96) };
        let mut rest = self.found.as_slice();
        for (place, field) in self.vertical.fields().enumerate() {
            let count =
                rest.iter().take_while(|found| usize::from(found.entry.field) == place).count();
            let (mut found, after) = rest.split_at_checked(count).unwrap_or_default();
            rest = after;
            if let Reader::Every(other) = field.reader {
                found = self.named(other).map_or(&[][..], |(_, found)| found);
            }
            let value = if found.is_empty() { None } else { self.own(field, found, today)? };
            draft.fields.push((field, value));
        }
        self.shared(&mut draft, today)?;
        self.birth_from_parts(&mut draft, today)?;
        self.names_from_full_name(&mut draft)?;
        self.ids_and_consent(&mut draft, submission.stage)?;
        self.height_from_feet(&mut draft)?;
        self.home_and_insurance(&mut draft)?;
        self.counts_from_lists(&mut draft);
        self.implied(&mut draft, today);
        self.state_from_zip(&mut draft, "zip", "state")?;
        self.state_from_zip(&mut draft, "property_zip", "property_state")?;
        draft.property_from_home();
        draft.age_from_birth(today)?;
        draft.phone_from_others();
        draft.finish(submission.stage)
    }

    /// Reads a field of the envelope.
    pub(super) fn read(&self, name: &str) -> Result<Option<Value>, Refusal> {
        match self.named(name) {
            Some((field, found)) => reading::value(field, found, 0),
            None => Ok(None),
        }
    }

    /// Returns the text of the first key of a field that came, whatever the others say.
    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// Returns every text that came for a field, those of its first keys first.
    pub(super) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.named(name).map_or(&[][..], |(_, found)| found);
        found.iter().map(|found| found.text.trim()).filter(|text| !word::is_nothing(text))
    }

    /// Returns what `lead_id` holds if that is the handle of a ping: some sources send the handle by that name, others
    /// their own number, others the LeadiD.
    pub(super) fn ping_in_lead_id(&self, stage: Stage) -> Option<&str> {
        let is_handle = stage == Stage::Post
            && self.first("ping_id").is_none()
            && self.first("token").is_none();
        self.first("lead_id").filter(|id| is_handle && contact::lead_id(id).is_none())
    }

    pub(super) fn named(&self, name: &str) -> Option<(&'static Field, &[Found])> {
        let is_it = |field: &&Field| field.name == name;
        let envelope = standard::ENVELOPE.iter().position(|field| is_it(&field));
        let place = match envelope {
            Some(place) => self.vertical.field_count().checked_add(place)?,
            None => self.vertical.fields().position(|field| is_it(&field))?,
        };
        let field = self.vertical.field(place)?;
        Some((field, self.at(place)))
    }

    fn at(&self, place: usize) -> &[Found] {
        let start = self.found.partition_point(|found| usize::from(found.entry.field) < place);
        let end = self.found.partition_point(|found| usize::from(found.entry.field) <= place);
        self.found.get(start..end).unwrap_or_default()
    }

    /// Puts a date of birth together. `birthday` and `birth_day` are one key, so it may be a day or the whole date.
    fn birth_from_parts(&self, draft: &mut Draft, today: i32) -> Result<(), Refusal> {
        if draft.get_mut("date_of_birth").is_none() {
            return Ok(());
        }
        let parts = (self.first("birth_year"), self.first("birth_month"), self.first("birth_day"));
        let text = match parts {
            (_, _, Some(whole)) if whole.len() > 2 => whole.to_owned(),
            (Some(year), Some(month), Some(day)) => {
                // A month may have a name; then the words say what is what.
                let is_name = month.starts_with(|c: char| c.is_alphabetic());
                if is_name {
                    format!("{month} {day}, {year}")
                } else {
                    format!("{year}-{month}-{day}")
                }
            }
            _ => return Ok(()),
        };
        let born = date::birth(&text, today).filter(|&born| born <= today);
        let born = born.ok_or_else(|| {
            invalid("date_of_birth", "a date such as 1976-07-24, whole or as year, month and day")
        })?;
        match draft.get_mut("date_of_birth") {
            Some(value @ None) => *value = Some(Value::Date(born)),
            Some(Some(Value::Date(known))) if *known != born => {
                return Err(conflict("date_of_birth", "two keys give different days"));
            }
            _ => (),
        }
        Ok(())
    }

    fn names_from_full_name(&self, draft: &mut Draft) -> Result<(), Refusal> {
        let Some(Value::Text(name)) =
            self.read("full_name").map_err(|refusal| Refusal { field: None, ..refusal })?
        else {
            return Ok(());
        };
        let (first, last) = name::parts(&name);
        for (field, part) in [("first_name", first), ("last_name", last)] {
            if let Some(value) =
                draft.get_mut(field).filter(|value| value.is_none() && !part.is_empty())
            {
                *value = Some(Value::Text(part));
            }
        }
        Ok(())
    }

    /// Sorts out the keys that sources use in two meanings.
    fn ids_and_consent(&self, draft: &mut Draft, stage: Stage) -> Result<(), Refusal> {
        if let Some(id) = self.first("lead_id").filter(|_| self.ping_in_lead_id(stage).is_none()) {
            let token = contact::lead_id(id);
            let jornaya = draft.get_mut("jornaya_lead_id").filter(|value| value.is_none());
            match (token, jornaya) {
                (Some(token), Some(value)) => *value = Some(Value::Text(token)),
                _ => {
                    if let Some(value) =
                        draft.get_mut("source_lead_id").filter(|value| value.is_none())
                    {
                        *value = Some(Value::Text(id.into()));
                    }
                }
            }
        }
        for text in self.texts("tcpa") {
            // What is neither yes nor no is the wording itself.
            let (field, value) =
                match word::boolean("agree agreed accepted", "disagree declined", text) {
                    Some(yes) => ("tcpa_consent", Value::Boolean(yes)),
                    None => ("tcpa_text", Value::Text(text.into())),
                };
            match draft.get_mut(field) {
                Some(known @ None) => *known = Some(value),
                Some(Some(known))
                    if field == "tcpa_consent" && !reading::is_same(known, &value) =>
                {
                    return Err(conflict(field, "two keys say different things"));
                }
                _ => (),
            }
        }
        Ok(())
    }

    /// Puts a height together. Inches beside feet are what is over; alone they are all.
    fn height_from_feet(&self, draft: &mut Draft) -> Result<(), Refusal> {
        let text = match (self.first("height_feet"), self.first("height_inches")) {
            (Some(feet), inches) => format!("{feet}'{}", inches.unwrap_or("0")),
            (None, Some(inches)) => inches.to_owned(),
            (None, None) => return Ok(()),
        };
        let Some(value) = draft.get_mut("height") else { return Ok(()) };
        let inches = number::inches(&text).filter(|inches| HEIGHT.contains(inches));
        let inches = inches.ok_or_else(|| {
            invalid("height", "feet and inches such as 5 and 10, or inches alone")
        })?;
        match value {
            Some(Value::Integer(known)) if *known != inches => {
                Err(conflict("height", "two keys give different heights"))
            }
            _ => {
                *value = Some(Value::Integer(inches));
                Ok(())
            }
        }
    }

    /// Reads the keys under which some sources send yes or no, and others a name: whose house, which insurer.
    fn home_and_insurance(&self, draft: &mut Draft) -> Result<(), Refusal> {
        let keys = [
            ("residence_type", "home_owner", None),
            ("current_insurance", "currently_insured", Some("current_carrier")),
        ];
        for (key, field, name) in keys {
            for text in self.texts(key).filter(|text| !word::is_unsaid(text)) {
                let yes = draft.reader(field).and_then(|reader| match reader {
                    Reader::Boolean(yes, no) => word::boolean(yes, no, text),
                    _ => None,
                });
                // A kind of building says nothing about its owner.
                let (field, value) = match (yes, name) {
                    (Some(yes), _) => (field, Value::Boolean(yes)),
                    (None, Some(name)) => (name, Value::Text(text.into())),
                    (None, None) => continue,
                };
                match draft.get_mut(field) {
                    Some(known @ None) => *known = Some(value),
                    Some(Some(known)) if !reading::is_same(known, &value) => {
                        return Err(conflict(field, "two keys say different things"));
                    }
                    _ => (),
                }
            }
        }
        Ok(())
    }

    fn counts_from_lists(&self, draft: &mut Draft) {
        for (field, value) in draft.fields.iter_mut().filter(|(_, value)| value.is_none()) {
            if let Reader::Count(group) = field.reader {
                let count = self.counts.iter().find(|(name, _)| *name == group);
                *value = count.map(|&(_, count)| Value::Integer(count));
            }
        }
        let numbers: Vec<_> = draft
            .fields
            .iter()
            .map(|(field, value)| match value {
                Some(Value::Integer(number)) => (field.name, Some(*number)),
                _ => (field.name, None),
            })
            .collect();
        for (field, value) in draft.fields.iter_mut().filter(|(_, value)| value.is_none()) {
            if let (Reader::Any(..), Some(other)) = (field.reader, field.sharing) {
                let number = numbers.iter().find(|(name, _)| *name == other);
                *value = number.and_then(|(_, number)| Some(Value::Boolean((*number)? > 0)));
            }
        }
    }
}

impl Draft {
    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Option<Value>> {
        self.fields.iter_mut().find(|(field, _)| field.name == name).map(|(_, value)| value)
    }

    fn reader(&self, name: &str) -> Option<&'static Reader> {
        self.fields.iter().find(|(field, _)| field.name == name).map(|(field, _)| &field.reader)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.fields.iter().find(|(field, _)| field.name == name) {
            Some((_, Some(Value::Text(text)))) => Some(text),
            _ => None,
        }
    }

    fn age_from_birth(&mut self, today: i32) -> Result<(), Refusal> {
        let born = match self.fields.iter().find(|(field, _)| field.name == "date_of_birth") {
            Some((_, Some(Value::Date(born)))) => *born,
            _ => return Ok(()),
        };
        let age = i64::from(date::years(born, today));
        let Some(value) = self.get_mut("age") else { return Ok(()) };
        if let Some(Value::Integer(sent)) = value
            && sent.abs_diff(age) > AGE_SLACK
        {
            return Err(conflict("age", "the date of birth gives another age"));
        }
        *value = Some(Value::Integer(age));
        Ok(())
    }

    fn phone_from_others(&mut self) {
        let mut others = match self.get_mut("other_phones").and_then(Option::take) {
            Some(Value::Texts(others)) => others,
            _ => return,
        };
        let main = match self.text("phone") {
            Some(main) => main.to_owned(),
            None => others.remove(0),
        };
        others.retain(|other| *other != main);
        for (name, value) in [
            ("phone", Some(Value::Text(main))),
            ("other_phones", (!others.is_empty()).then_some(Value::Texts(others))),
        ] {
            if let Some(place) = self.get_mut(name) {
                *place = value;
            }
        }
    }

    fn finish(self, stage: Stage) -> Result<Vec<NamedValue>, Refusal> {
        let mut lead = Vec::with_capacity(self.fields.len());
        for (field, value) in self.fields {
            let is_required = match stage {
                Stage::Ping => field.required_on_ping,
                Stage::Post => field.required_on_post,
            };
            match value {
                Some(value) => lead.push(NamedValue { name: field.name.into(), value }),
                None if is_required => {
                    let (name, stage) =
                        (field.name, if stage == Stage::Ping { "ping" } else { "post" });
                    let message = format!("`{name}` is required on a {stage}");
                    let code = RefusalCode::MissingField;
                    return Err(Refusal { code, field: Some(name.into()), message });
                }
                None => (),
            }
        }
        Ok(lead)
    }
}

pub(super) fn conflict(field: &str, reason: &str) -> Refusal {
    let message = format!("`{field}`: {reason}");
    Refusal { code: RefusalCode::ConflictingValues, field: Some(field.into()), message }
}
