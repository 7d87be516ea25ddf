//! What is wrong with a draft, all of it at once.

use std::fmt;

/// The most faults that a sentence tells; programs get all of them.
pub const FAULTS_TOLD_MAX: usize = 20;

/// Why a draft is not a snapshot: what is at fault, where in it, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {message}")]
pub struct Fault {
    /// The object, such as `campaign acme-ca`.
    pub what: String,
    /// A JSON pointer into its body; empty for the whole.
    pub pointer: String,
    pub message: String,
}

impl Fault {
    pub(super) fn new(what: &impl ToString, pointer: &str, message: impl Into<String>) -> Self {
        Self { what: what.to_string(), pointer: pointer.to_owned(), message: message.into() }
    }
}

/// Everything that is wrong with a draft, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [fault] = self.0.as_slice() {
            return fault.fmt(f);
        }
        write!(f, "{} things do not fit: ", self.0.len())?;
        for (place, fault) in self.0.iter().take(FAULTS_TOLD_MAX).enumerate() {
            write!(f, "{}{fault}", if place == 0 { "" } else { "; " })?;
        }
        match self.0.len().saturating_sub(FAULTS_TOLD_MAX) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

impl Faults {
    /// Returns what was made, or keeps the fault.
    pub(super) fn keep<T>(&mut self, made: Result<T, Fault>) -> Option<T> {
        made.map_err(|fault| self.0.push(fault)).ok()
    }

    /// Returns what was made if nothing is at fault.
    pub(super) fn none_or<T>(self, made: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(made) } else { Err(self) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_tells_so_many_faults_and_how_many_more_there_are() {
        let fault = |number: usize| Fault::new(&format!("campaign c{number}"), "", "is wrong");
        let faults = |count: usize| Faults((1..=count).map(fault).collect()).to_string();
        assert_eq!(faults(1), "campaign c1: is wrong");
        assert_eq!(faults(2), "2 things do not fit: campaign c1: is wrong; campaign c2: is wrong");
        let many = faults(FAULTS_TOLD_MAX + 2);
        assert!(many.starts_with("22 things do not fit: "), "{many}");
        assert!(many.ends_with("; campaign c20: is wrong; and 2 more"), "{many}");
    }
}
