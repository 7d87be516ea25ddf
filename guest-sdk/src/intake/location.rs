//! Where a home or a property is: its state from its ZIP code, and the two against each other.

use super::lead::{Draft, Values, conflict};
use super::{invalid, place, reading};
use crate::normalizer::{Refusal, Value};

impl Values<'_> {
    /// A ZIP code says in which state it lies. One that lies elsewhere than the state that was sent is refused: either
    /// may be wrong, and a licence holds in one state. One that lost its leading zeros is taken for what it was only if
    /// no state, or the state that was sent, agrees.
    pub(super) fn state_from_zip(
        &self,
        draft: &mut Draft,
        zip_name: &str,
        state_name: &str,
    ) -> Result<(), Refusal> {
        let Some(zip) = draft.text(zip_name).filter(|zip| !place::TEST_ZIPS.contains(zip)) else {
            return Ok(());
        };
        if let Some(state) = draft.text(state_name) {
            return match place::is_in(zip, state) {
                true => Ok(()),
                false if self.texts(zip_name).any(place::has_lost_zeros) => {
                    Err(invalid(zip_name, reading::ZIP_EXPECTED))
                }
                false => Err(conflict(
                    state_name,
                    "the ZIP code lies in another state; send the two of one address",
                )),
            };
        }
        let derived = place::state_of(zip).map(|state| Value::Text(state.into()));
        if let Some(value) = draft.get_mut(state_name) {
            *value = derived;
        }
        Ok(())
    }
}

impl Draft {
    /// A source that names one state means the property's.
    pub(super) fn property_from_home(&mut self) {
        let state = self.text("state").map(|state| Value::Text(state.into()));
        if let Some(value) = self.get_mut("property_state").filter(|value| value.is_none()) {
            *value = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FORM, read};
    use crate::normalizer::{Stage, Value};

    #[test]
    fn a_zip_code_and_a_state_agree() {
        let state = |form: &str| match read(Stage::Ping, FORM, "", form.as_bytes()).lead {
            Ok(lead) => lead
                .into_iter()
                .find_map(|pair| match (pair.name.as_str(), pair.value) {
                    ("state", Value::Text(state)) => Some(state),
                    _ => None,
                })
                .unwrap_or_default(),
            Err(refusal) => format!("{:?} {}", refusal.code, refusal.field.unwrap_or_default()),
        };
        assert_eq!(state("zip=33139"), "FL");
        assert_eq!(state("zip=33139&state=florida"), "FL");
        assert_eq!(state("zip=42223&state=TN"), "TN");
        assert_eq!(state("zip=33139&state=GA"), "RefusalCode::ConflictingValues state");
        assert_eq!(state("zip=33139&state=Ontario"), "RefusalCode::InvalidValue state");
        assert_eq!(state("zip=99999&state=NY"), "NY");
        assert_eq!(state("zip=2108"), "MA");
        assert_eq!(state("zip=2108-1234&state=Massachusetts"), "MA");
        assert_eq!(state("zip=3313&state=FL"), "RefusalCode::InvalidValue zip");
        assert_eq!(state("zip=501&state=NY"), "RefusalCode::InvalidValue zip");
    }
}
