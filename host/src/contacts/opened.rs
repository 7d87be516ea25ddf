//! A full lead in the clear. It exists between its opening and its sending, and is wiped when it is dropped.

use std::fmt;
use std::ops::Deref;

use serde_json::Value;
use zeroize::{Zeroize as _, Zeroizing};

/// A full lead as a JSON object, in the clear.
pub struct OpenLead(Value);

impl OpenLead {
    /// Takes a lead as JSON.
    pub fn new(lead: Value) -> Self {
        Self(lead)
    }

    pub(super) fn from_bytes(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok().map(Self)
    }

    /// Writes the lead into memory that is wiped as well.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        wiped_text(&self.0)
    }
}

/// Writes JSON into memory that is wiped, without leaving pieces where it grew.
pub(crate) fn wiped_text(value: &Value) -> Zeroizing<Vec<u8>> {
    let mut length = Length(0);
    // Writing to a counter and to memory does not fail.
    let _counted = serde_json::to_writer(&mut length, value);
    let mut text = Zeroizing::new(Vec::with_capacity(length.0));
    let _written = serde_json::to_writer(&mut *text, value);
    text
}

struct Length(usize);

impl std::io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Overwrites every text in a value.
pub(crate) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) => (),
        Value::Number(_) => *value = Value::Null,
    }
}

impl Deref for OpenLead {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Drop for OpenLead {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Says nothing of the lead.
impl fmt::Debug for OpenLead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_text_and_number_is_wiped() {
        let mut lead = json!({"name": "Dana", "age": 40, "phones": ["2025550107"], "more": {"own": true, "a": "b"}});
        wipe(&mut lead);
        let empty =
            json!({"name": "", "age": null, "phones": [""], "more": {"own": true, "a": ""}});
        assert_eq!(lead, empty);
    }

    #[test]
    fn the_text_is_written_without_growing() {
        let lead = OpenLead::new(json!({"name": "Dana \"D\" Ünal", "age": 40}));
        let text = lead.to_bytes();
        assert_eq!(text.len(), text.capacity());
        assert_eq!(text.as_slice(), lead.0.to_string().as_bytes());
    }
}
