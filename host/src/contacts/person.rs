//! By what a person is known: a phone or an e-mail, in one spelling.

use std::fmt;

use zeroize::Zeroizing;

use super::OpenLead;

/// What sort of value names a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PersonKind {
    Phone,
    Email,
}

impl PersonKind {
    pub const ALL: [Self; 2] = [Self::Phone, Self::Email];

    /// Returns the word that stands for it everywhere; contact fields are named so, or end with it after a `_`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Email => "email",
        }
    }

    /// Returns the value in the one spelling that prints are made of; empty if it names nobody.
    ///
    /// A phone is its digits with the country's in front; ten digits alone are taken for North America. An e-mail is
    /// compared without regard to case and to spaces around it.
    pub fn normalized(self, value: &str) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Phone => {
                let digits: Zeroizing<String> =
                    Zeroizing::new(value.chars().filter(char::is_ascii_digit).collect());
                let digits = digits.strip_prefix("00").unwrap_or(&digits);
                match digits.len() {
                    10 if !value.trim_start().starts_with('+') => format!("1{digits}"),
                    _ => digits.to_owned(),
                }
            }
            Self::Email => value.trim().to_lowercase(),
        })
    }

    /// Returns the kind that a field's name says.
    fn of_field(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| name.rsplit('_').next() == Some(kind.code()))
    }
}

/// A value that names a person.
pub struct Person {
    pub kind: PersonKind,
    pub value: Zeroizing<String>,
}

/// Says the kind only.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Returns everything in a lead that names a person.
pub(super) fn named(lead: &OpenLead) -> Vec<Person> {
    let members = lead.as_object().into_iter().flatten();
    let named = members.filter_map(|(name, value)| {
        let value = Zeroizing::new(value.as_str()?.to_owned());
        Some(Person { kind: PersonKind::of_field(name)?, value })
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_spelling() {
        let phone = |text| PersonKind::Phone.normalized(text).to_string();
        assert_eq!(phone("(202) 555-0107"), "12025550107");
        assert_eq!(phone("1-202-555-0107"), "12025550107");
        assert_eq!(phone("+44 20 7946 0958"), "442079460958");
        assert_eq!(phone("0044 20 7946 0958"), "442079460958");
        assert_eq!(phone("+46 70 123 45 6"), "46701234 56".replace(' ', ""));
        assert_eq!(phone("none"), "");
        assert_eq!(*PersonKind::Email.normalized(" Dana@EXAMPLE.com\n"), "dana@example.com");
    }

    #[test]
    fn fields_are_known_by_their_names() {
        assert_eq!(PersonKind::of_field("phone"), Some(PersonKind::Phone));
        assert_eq!(PersonKind::of_field("work_phone"), Some(PersonKind::Phone));
        assert_eq!(PersonKind::of_field("spouse_email"), Some(PersonKind::Email));
        assert_eq!(PersonKind::of_field("phone_type"), None);
        assert_eq!(PersonKind::of_field("telephone"), None);
    }
}
