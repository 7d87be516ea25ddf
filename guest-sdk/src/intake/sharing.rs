//! Fields that share keys: what one cannot read may be meant for the other, and what only one got serves both.

use super::lead::{Draft, Values};
use super::reading;
use super::table::Field;
use super::tree::Found;
use crate::normalizer::{Refusal, RefusalCode, Value};

impl Values<'_> {
    /// Reads what came for a field, but for what only a field that shares its keys can read.
    pub(super) fn own(
        &self,
        field: &Field,
        found: &[Found],
        today: i32,
    ) -> Result<Option<Value>, Refusal> {
        let refusal = match reading::value(field, found, today) {
            Err(refusal) if refusal.code == RefusalCode::InvalidValue => refusal,
            read => return read,
        };
        let sharers = || self.vertical.fields().filter(|other| other.sharing == Some(field.name));
        let is_for_other = |found: &Found| {
            !reading::can(field, found, today)
                && sharers().any(|other| reading::can(other, found, today))
        };
        let left: Vec<Found> = found.iter().filter(|found| !is_for_other(found)).cloned().collect();
        if left.len() == found.len() { Err(refusal) } else { reading::value(field, &left, today) }
    }

    /// Fills fields from those whose keys they share.
    pub(super) fn shared(&self, draft: &mut Draft, today: i32) -> Result<(), Refusal> {
        let empty = draft.fields.iter_mut().filter(|(_, value)| value.is_none());
        for (field, value) in empty {
            let Some((_, found)) = field.sharing.and_then(|other| self.named(other)) else {
                continue;
            };
            let readable = found.iter().filter(|found| reading::can(field, found, today));
            *value = reading::value(field, &readable.cloned().collect::<Vec<_>>(), today)?;
        }
        Ok(())
    }
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
