//! The note that goes with an act: who does it, and why.

use super::office::{ActError, invalid};

/// The longest reason for an act, and the longest name of who does it, in bytes.
pub const NOTE_BYTES_MAX: usize = 500;

/// Who does something, and why, in the operator's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub by: String,
    pub why: String,
}

impl Note {
    /// What the exchange does by itself. A reason may hold what a module said: it is put on one line and cut to length, so
    /// that no act of the exchange fails for its words.
    pub(super) fn own(why: impl Into<String>) -> Self {
        let mut why: String = why.into();
        why.truncate(why.floor_char_boundary(NOTE_BYTES_MAX));
        let why = why.replace(char::is_control, "?");
        Self { by: "exchange".to_owned(), why }
    }

    pub(super) fn checked(self) -> Result<Self, ActError> {
        for (pointer, text) in [("/by", &self.by), ("/why", &self.why)] {
            if text.len() > NOTE_BYTES_MAX || text.chars().any(char::is_control) {
                let message = format!("at most {NOTE_BYTES_MAX} bytes on one line");
                return Err(invalid(pointer, message));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_of_the_exchange_itself_is_never_refused() {
        for why in [
            "it used up its fuel".to_owned(),
            "it trapped: in a\u{0}b\nc\u{1b}[31m\u{85}".to_owned(),
            "x".repeat(NOTE_BYTES_MAX + 1),
            "é".repeat(NOTE_BYTES_MAX),
            "\u{85}".repeat(NOTE_BYTES_MAX),
        ] {
            let note = Note::own(why.clone()).checked();
            assert!(note.is_ok_and(|note| !note.why.is_empty()), "{why:?}");
        }
    }
}
