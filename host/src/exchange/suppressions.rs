//! Suppression lists: what their entries are made of, and how entries come and go.
//!
//! An entry is 16 bytes of a keyed print of a hash of a phone number or an e-mail address: without this exchange's key
//! nobody can try numbers against it. A list takes plain values and
//! values that are hashed already, by MD5, SHA-1 or SHA-256; a person is looked up by every hash of every usual spelling.

use md5::Md5;
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::office::invalid;
use super::{ActError, Exchange};
use crate::book::{Entry, SUPPRESSIONS_MAX, State};
use crate::catalog::Reach;
use crate::contacts::{Contacts, PersonKind};
use crate::facts::{Fact, SuppressionsAdded, SuppressionsRemoved};

/// The most entries in one fact: what is sent is recorded in parts of this size, and pings are answered between two.
pub const ENTRIES_AT_ONCE_MAX: usize = 5_000;
/// The fewest and the most digits of a phone number.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// What a change made of a suppression list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// How many entries were sent.
    pub received: usize,
    /// How many of them were new, or were taken off.
    pub changed: usize,
    /// How many the list has now.
    pub entries: usize,
}

/// A line of what is sent to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// It was hashed when it came.
    Hashed(Entry),
    Plain(Entry),
}

impl Listed {
    /// Reads a plain value or a hash in hexadecimal.
    fn read(contacts: &Contacts, reach: Reach, text: &str) -> Option<Self> {
        let text = text.trim();
        if matches!(text.len(), 32 | 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Some(Self::Hashed(entry(contacts, reach, &unhex(text)?)));
        }
        let plain = normalized(reach, text)?;
        Some(Self::Plain(entry(contacts, reach, &Sha256::digest(plain))))
    }

    /// Returns what the list keeps.
    pub const fn entry(self) -> Entry {
        match self {
            Self::Hashed(entry) | Self::Plain(entry) => entry,
        }
    }
}

impl Exchange {
    /// Reads a line of what is sent to a list of this kind: a plain value, or a hash in hexadecimal.
    pub fn listed(&self, reach: Reach, text: &str) -> Option<Listed> {
        Listed::read(&self.contacts, reach, text)
    }

    /// Puts entries on a suppression list. Those that are on it already stay as they are and are not recorded again, so
    /// the same part may be sent every night.
    ///
    /// # Errors
    ///
    /// If there is no such list, or all lists would have more than [`SUPPRESSIONS_MAX`] entries.
    pub async fn suppress(&self, list: &str, entries: Vec<Entry>) -> Result<Changed, ActError> {
        let added = |book: &State, part: &[Entry]| {
            let entries = book.entries_that_are(false, list, part);
            let added = entries.len();
            if book.suppressions().saturating_add(added) > SUPPRESSIONS_MAX {
                let message = format!(
                    "all suppression lists together have at most {SUPPRESSIONS_MAX} entries, and there are {}; take off what is not needed first",
                    book.suppressions()
                );
                return Err(invalid("", message));
            }
            let fact = SuppressionsAdded { list: list.to_owned(), entries };
            Ok((added, Fact::SuppressionsAdded(fact)))
        };
        self.change_list(list, entries, added).await
    }

    /// Takes entries off a suppression list, all of them if none is given.
    ///
    /// # Errors
    ///
    /// If there is no such list.
    pub async fn unsuppress(&self, list: &str, entries: Vec<Entry>) -> Result<Changed, ActError> {
        let removed = |book: &State, part: &[Entry]| {
            let entries = book.entries_that_are(true, list, part);
            let all = part.is_empty();
            let removed = if all { book.suppressions_of(list) } else { entries.len() };
            let fact = SuppressionsRemoved { list: list.to_owned(), entries };
            Ok((removed, Fact::SuppressionsRemoved(fact)))
        };
        self.change_list(list, entries, removed).await
    }

    /// Changes a list in parts: `change` says how many entries a part changes and by which fact, which is recorded if it
    /// changes any.
    async fn change_list(
        &self,
        list: &str,
        mut entries: Vec<Entry>,
        change: impl Fn(&State, &[Entry]) -> Result<(usize, Fact), ActError>,
    ) -> Result<Changed, ActError> {
        self.is_saved(list).await?;
        let received = entries.len();
        // In order, a part touches few places of a long list.
        entries.sort_unstable();
        entries.dedup();
        let mut parts: Vec<&[Entry]> = entries.chunks(ENTRIES_AT_ONCE_MAX).collect();
        if parts.is_empty() {
            parts.push(&[]);
        }
        let mut changed: usize = 0;
        for part in parts {
            let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
            let at = self.clock.now();
            let committed = self.book.decide(|book| {
                let (count, fact) = change(book, part)?;
                changed = changed.saturating_add(count);
                Ok::<_, ActError>((count > 0).then(|| self.record(book, seat, at, &fact, None)))
            })?;
            if let Some(committed) = committed {
                committed.wait().await.map_err(|_| ActError::Closed)?;
            }
        }
        // What another call has changed already may be on its way to the disk yet.
        self.journal.settled().await.map_err(|_| ActError::Closed)?;
        Ok(Changed { received, changed, entries: self.suppressions_of(list) })
    }

    /// Returns how many entries a list has.
    pub fn suppressions_of(&self, list: &str) -> usize {
        self.book.decide(|book| book.suppressions_of(list))
    }

    async fn is_saved(&self, list: &str) -> Result<(), ActError> {
        if self.draft().await.register.suppressions.contains_key(list) {
            return Ok(());
        }
        Err(ActError::NotFound(format!(
            "suppression list `{list}`; save it first with PUT /v1/suppressions/{list}"
        )))
    }
}

/// Returns the kind of print that is made of what reaches a person so.
pub(super) const fn kind(reach: Reach) -> PersonKind {
    match reach {
        Reach::Phone => PersonKind::Phone,
        Reach::Email => PersonKind::Email,
    }
}

/// Returns a value in the one spelling that prints are made of: an e-mail in lower case, a phone as its digits with the
/// country's in front, ten digits alone being taken for North America. Nothing if the value reaches nobody.
pub(super) fn normalized(reach: Reach, value: &str) -> Option<String> {
    match reach {
        Reach::Email => {
            let email = value.trim().to_lowercase();
            let (name, host) = email.rsplit_once('@')?;
            let plain =
                !name.is_empty() && host.contains('.') && !email.contains(char::is_whitespace);
            plain.then_some(email)
        }
        Reach::Phone => {
            let value = value.trim();
            let usual = |c: char| c.is_ascii_digit() || " +-.()/".contains(c);
            let digits: String = value.chars().filter(char::is_ascii_digit).collect();
            let digits = digits.strip_prefix("00").unwrap_or(&digits);
            if !value.chars().all(usual) || !PHONE_DIGITS.contains(&digits.len()) {
                return None;
            }
            let domestic = digits.len() == 10 && !value.starts_with('+');
            Some(if domestic { format!("1{digits}") } else { digits.to_owned() })
        }
    }
}

/// Returns every entry that a list may have for a value: each hash of each usual spelling of it.
pub(super) fn spelled(contacts: &Contacts, reach: Reach, value: &str) -> Vec<Entry> {
    let Some(plain) = normalized(reach, value) else { return Vec::new() };
    let mut spellings = vec![plain.clone()];
    if reach == Reach::Phone {
        spellings.push(format!("+{plain}"));
        spellings
            .extend(plain.strip_prefix('1').filter(|rest| rest.len() == 10).map(str::to_owned));
    }
    let hashes = spellings.iter().flat_map(|spelling| {
        [
            entry(contacts, reach, &Md5::digest(spelling)),
            entry(contacts, reach, &Sha1::digest(spelling)),
            entry(contacts, reach, &Sha256::digest(spelling)),
        ]
    });
    hashes.collect()
}

/// Returns what a list keeps of a hash. Hashes of different kinds differ in length.
fn entry(contacts: &Contacts, reach: Reach, hash: &[u8]) -> Entry {
    let print = contacts.listed_print(kind(reach), hash);
    let mut entry = Entry::default();
    entry.iter_mut().zip(print).for_each(|(to, from)| *to = from);
    entry
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit =
        |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contacts::MasterKey;

    fn contacts() -> Contacts {
        Contacts::begin(MasterKey::from_bytes([7; 32])).unwrap().0
    }

    /// Says whether a person with this value is found by what was put on a list.
    #[track_caller]
    fn check(reach: Reach, listed: &str, value: &str, found: bool) {
        let contacts = contacts();
        let entry = Listed::read(&contacts, reach, listed).unwrap().entry();
        assert_eq!(spelled(&contacts, reach, value).contains(&entry), found, "{listed} {value}");
    }

    #[test]
    fn a_person_is_found_by_every_hash_of_every_usual_spelling() {
        let hex = |hash: &[u8]| hash.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        for spelling in ["2025550107", "12025550107", "+12025550107"] {
            for hash in [
                hex(&Md5::digest(spelling)),
                hex(&Sha1::digest(spelling)),
                hex(&Sha256::digest(spelling)).to_lowercase(),
            ] {
                check(Reach::Phone, &hash, "(202) 555-0107", true);
                check(Reach::Phone, &hash, "(202) 555-0108", false);
                // The same hash on a list of e-mail addresses is somebody else.
                check(Reach::Email, &hash, "dana@example.com", false);
            }
        }
        check(Reach::Phone, "1-202-555-0107", "(202) 555-0107", true);
        check(Reach::Phone, "+44 20 7946 0958", "0044 20 79460958", true);
        check(Reach::Email, "Dana@Example.COM ", "dana@example.com", true);
        check(Reach::Email, &hex(&Md5::digest("dana@example.com")), " DANA@example.com", true);
    }

    #[test]
    fn what_reaches_nobody_is_not_read() {
        for text in ["", "abc", "12345", "call 2025550107", "1234567890123456", "2025550107x"] {
            assert_eq!(Listed::read(&contacts(), Reach::Phone, text), None, "{text}");
        }
        for text in ["", "dana", "@example.com", "dana@example", "da na@example.com"] {
            assert_eq!(Listed::read(&contacts(), Reach::Email, text), None, "{text}");
        }
    }
}
