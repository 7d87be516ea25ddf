//! Fields that share keys: what one cannot read may be meant for the other, and what only one got serves both.

use super::lead::{Draft, Values};
use super::reading::{self, OTHER};
use super::table::{Field, Reader};
use super::tree::Found;
use super::{date, word};
use crate::normalizer::{Refusal, Value};

impl Values<'_> {
    /// Reads what came for a field, but for what only a field that shares its keys can read.
    pub(super) fn own(
        &self,
        field: &Field,
        found: &[Found],
        today: i32,
    ) -> Result<Option<Value>, Refusal> {
        let sharers = self.vertical.fields().filter(|other| other.sharing == Some(field.name));
        let sharers: Vec<&Field> = sharers.collect();
        if sharers.is_empty() {
            return reading::value(field, found, today);
        }
        reading::agreed(field, found, today, |found, read| match read {
            Ok(Some(value)) if !is_other(value) => true,
            Ok(None) => true,
            _ => !sharers.iter().any(|other| certain(other, found, today).is_some()),
        })
    }

    /// Fills fields from those whose keys they share: before all, with what those themselves cannot read.
    pub(super) fn shared(&self, draft: &mut Draft, today: i32) -> Result<(), Refusal> {
        let empty = draft.fields.iter_mut().filter(|(_, value)| value.is_none());
        for (field, value) in empty {
            let Some((other, found)) = field.sharing.and_then(|other| self.named(other)) else {
                continue;
            };
            let (mut left_over, mut common) = (None, None);
            for found in found.iter().take_while(|found| found.element == 0) {
                let Some(read) = certain(field, found, today) else { continue };
                let is_common = certain(other, found, today).is_some();
                reading::agree(field, if is_common { &mut common } else { &mut left_over }, read)?;
            }
            *value = left_over.or(common);
        }
        Ok(())
    }
}

/// Returns what a text means for a field without doubt, whatever its key: neither codes such as `1`, nor what is just
/// anything else.
fn certain(field: &Field, found: &Found, today: i32) -> Option<Value> {
    let text = found.text.trim();
    let has_letters = text.contains(char::is_alphabetic);
    let is_certain = match field.reader {
        Reader::Boolean(yes, no) => {
            has_letters && (word::is_among(yes, text) || word::is_among(no, text))
        }
        // A month of a year has no letters; a whole day is left to the other, which knows whether it may be.
        Reader::Span(_) => {
            let is_day = date::day(text, today).is_some();
            (has_letters || text.contains(['-', '/'])) && !is_day
        }
        Reader::Word(_) | Reader::WordOr(_) | Reader::Phrase(..) => has_letters,
        _ => true,
    };
    if !is_certain {
        return None;
    }
    let value = reading::one(field, found, today).ok().flatten();
    value.filter(|value| !is_other(value))
}

/// Whether a value is but the word for everything else.
fn is_other(value: &Value) -> bool {
    matches!(value, Value::Text(word) if word == OTHER)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FORM, check};

    #[test]
    fn fields_that_share_keys_leave_each_other_what_is_theirs() {
        for (form, expected) in [
            ("down_payment=20%25", "zip=33139 down_percent=20000000"),
            ("down_payment=20", "zip=33139 down_percent=20000000"),
            ("down_payment=$50,000", "zip=33139 down=50000"),
            ("down=50000&down_percent=20", "zip=33139 down=50000 down_percent=20000000"),
            ("credit=Good", "zip=33139 credit_band=good"),
            ("credit=720", "zip=33139 credit_band=excellent credit_score=720"),
            ("credit=Good+(680-719)", "zip=33139 credit_band=good credit_score=680"),
            ("credit_score=Fair", "zip=33139 credit_band=fair"),
            ("credit_score=Below+580", "zip=33139 credit_band=poor credit_score=300"),
            ("credit=Good&credit_score=750", "zip=33139 credit_band=good credit_score=750"),
            ("down_payment=soon", "!InvalidValue down"),
            ("credit_score=soon", "!InvalidValue credit_score"),
            ("down_payment=500&down=600", "!ConflictingValues down"),
        ] {
            check(FORM, &format!("zip=33139&{form}"), expected);
        }
    }

    #[test]
    fn years_and_months_are_one_time() {
        for (form, expected) in [
            ("insured_years=3&insured_months=6", "zip=33139 months=42"),
            ("insured_years=0&insured_months=6", "zip=33139 months=6"),
            ("insured_years=3&insured_months=36", "zip=33139 months=36"),
            ("insured_years=3&insured_months=40", "zip=33139 months=40"),
            ("insured_years=3&insured_months=50", "!ConflictingValues months"),
        ] {
            check(FORM, &format!("zip=33139&{form}"), expected);
        }
    }
}
