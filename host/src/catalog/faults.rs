//! What is wrong with a draft, all of it at once.

use std::fmt;

use crate::ids::ModuleName;

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
    /// The filter, where the fault is as much of all its other campaigns as of the one that is named.
    pub(super) shared_by: Option<ModuleName>,
}

impl Fault {
    pub(super) fn new(what: &impl ToString, pointer: &str, message: impl Into<String>) -> Self {
        let (what, pointer) = (what.to_string(), pointer.to_owned());
        Self { what, pointer, message: message.into(), shared_by: None }
    }

    pub(super) fn shared_by(self, filter: &ModuleName) -> Self {
        Self { shared_by: Some(filter.clone()), ..self }
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

    /// Names the campaign whose settings for a filter were changed where the fault is of all campaigns of this filter.
    #[must_use]
    pub fn blamed_on(mut self, campaign: &str, filter: &ModuleName) -> Self {
        for fault in self.0.iter_mut().filter(|fault| fault.shared_by.as_ref() == Some(filter)) {
            fault.what = format!("campaign {campaign}");
        }
        self
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
    fn what_all_campaigns_share_is_told_of_the_one_that_is_saved() {
        let [zips, ages] = ["zips", "ages"].map(|name| ModuleName::parse(name).unwrap());
        let faults = Faults(vec![
            Fault::new(&"campaign first", "/filter", "keeps too much").shared_by(&zips),
            Fault::new(&"campaign first", "/price", "is wrong"),
        ]);
        let told = |faults: Faults| faults.0.iter().map(ToString::to_string).collect::<Vec<_>>();
        let blamed = faults.clone().blamed_on("saved", &zips);
        assert_eq!(told(blamed), ["campaign saved: keeps too much", "campaign first: is wrong"]);
        assert_eq!(faults.clone().blamed_on("saved", &ages), faults);
    }

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
