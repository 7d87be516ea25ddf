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
