//! What a key means: letters and digits only, lower case, wrappers left out, looked up in a table made at compile time.

use super::standard;
use super::table::Field;

/// The most keys that all fields of a vertical may have together.
const KEYS_MAX: usize = 2_048;
const BUCKETS: usize = 256;

/// The hash of a folded key: 64-bit FNV-1a, which can be continued with the next segment of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hash(u64);

impl Hash {
    /// The hash of nothing. Constants from the definition of FNV-1a by Fowler, Noll and Vo.
    pub(crate) const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// Returns the hash as a number.
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    pub(crate) const fn byte(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// Continues with text that is folded already.
    pub(super) fn text(self, folded: &[u8]) -> Self {
        folded.iter().fold(self, |hash, &byte| hash.byte(byte))
    }

    #[expect(clippy::cast_possible_truncation, reason = "the low byte is what is asked for")]
    const fn bucket(self) -> usize {
        self.0 as u8 as usize
    }
}

/// Returns the byte as it counts in a key, or nothing for what separates words.
pub(crate) const fn folded(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte.to_ascii_lowercase()),
        b'a'..=b'z' | b'0'..=b'9' | 0x80.. => Some(byte),
        _ => None,
    }
}

/// Folds a segment of a key into `out`, which is emptied first.
pub(super) fn fold_into(out: &mut Vec<u8>, segment: &str) {
    out.clear();
    out.extend(segment.bytes().filter_map(folded));
}

/// What a key stands for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The field, by its place in the table.
    pub(super) field: u8,
    /// The place among the field's keys: those that it prefers, its own name, the others.
    pub(super) rank: u8,
    /// It counts before the field's own name, and before everything that is sent under that.
    pub(super) is_first: bool,
    /// What one unit of this key is in units of the field, such as 12 months for a year.
    pub(super) factor: u16,
}

/// Every key of a vertical, in buckets by hash.
pub(super) struct Index {
    starts: [u16; BUCKETS + 1],
    hashes: [u64; KEYS_MAX],
    entries: [Entry; KEYS_MAX],
}

impl Index {
    /// Builds the table. A key that two fields claim, or too many keys, do not compile.
    #[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a panic is an error")]
    pub(super) const fn new(sections: &[&[Field]]) -> Self {
        let mut index = Self {
            starts: [0; BUCKETS + 1],
            hashes: [0; KEYS_MAX],
            entries: [Entry { field: 0, rank: 0, is_first: false, factor: 1 }; KEYS_MAX],
        };
        let mut counts = [0_u16; BUCKETS];
        let mut keys = Keys::new(sections);
        let mut total = 0;
        while let Some((key, hash, _)) = keys.next() {
            counts[hash.bucket()] += 1;
            total += 1;
            assert!(total <= KEYS_MAX, "the fields have too many keys");
            keys = key;
        }
        let mut bucket = 0;
        while bucket < BUCKETS {
            index.starts[bucket + 1] = index.starts[bucket] + counts[bucket];
            counts[bucket] = index.starts[bucket];
            bucket += 1;
        }
        let mut keys = Keys::new(sections);
        while let Some((key, hash, entry)) = keys.next() {
            let place = counts[hash.bucket()] as usize;
            let mut earlier = index.starts[hash.bucket()] as usize;
            while earlier < place {
                let is_other = index.entries[earlier].field != entry.field;
                assert!(
                    index.hashes[earlier] != hash.0 || !is_other,
                    "two fields have the same key"
                );
                earlier += 1;
            }
            index.hashes[place] = hash.0;
            index.entries[place] = entry;
            counts[hash.bucket()] += 1;
            keys = key;
        }
        index
    }

    /// Returns what the key with this hash stands for.
    pub(super) fn get(&self, hash: Hash) -> Option<Entry> {
        let start = usize::from(*self.starts.get(hash.bucket())?);
        let end = usize::from(*self.starts.get(hash.bucket().checked_add(1)?)?);
        let place = self.hashes.get(start..end)?.iter().position(|&known| known == hash.0)?;
        self.entries.get(start.checked_add(place)?).copied()
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Index").field("keys", &self.starts.last()).finish_non_exhaustive()
    }
}

/// Walks over the keys of all fields: `name`, `group/name` and `name*12`, between spaces.
#[derive(Clone, Copy)]
struct Keys<'f> {
    sections: &'f [&'f [Field]],
    section: usize,
    field: usize,
    number: u8,
    rank: u8,
    text: usize,
    position: usize,
}

impl<'f> Keys<'f> {
    const fn new(sections: &'f [&'f [Field]]) -> Self {
        Self { sections, section: 0, field: 0, number: 0, rank: 0, text: 0, position: 0 }
    }

    /// Returns the walk after the next key, and that key. (An iterator cannot run in the compiler.)
    #[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a panic is an error")]
    const fn next(mut self) -> Option<(Self, Hash, Entry)> {
        loop {
            let fields = match self.sections.len() {
                count if self.section < count => self.sections[self.section],
                count if self.section == count => standard::ENVELOPE,
                _ => return None,
            };
            if self.field == fields.len() {
                (self.section, self.field) = (self.section + 1, 0);
                continue;
            }
            let field = &fields[self.field];
            let text = [field.first_keys, field.name, field.keys][self.text].as_bytes();
            while self.position < text.len() && text[self.position].is_ascii_whitespace() {
                self.position += 1;
            }
            if self.position < text.len() {
                let (hash, factor) = self.key(text);
                let is_first = self.text == 0;
                let entry = Entry { field: self.number, rank: self.rank, is_first, factor };
                self.rank += 1;
                return Some((self, hash, entry));
            }
            if self.text < 2 {
                (self.text, self.position) = (self.text + 1, 0);
                continue;
            }
            self = Self {
                field: self.field + 1,
                number: self.number + 1,
                rank: 0,
                text: 0,
                position: 0,
                ..self
            };
        }
    }

    #[expect(clippy::indexing_slicing, reason = "runs in the compiler, where a panic is an error")]
    const fn key(&mut self, text: &[u8]) -> (Hash, u16) {
        let (mut hash, mut factor, mut in_factor) = (Hash::EMPTY, 0, false);
        while self.position < text.len() && !text[self.position].is_ascii_whitespace() {
            let byte = text[self.position];
            if byte == b'*' {
                in_factor = true;
            } else if in_factor {
                factor = factor * 10 + (byte - b'0') as u16;
            } else if byte == b'/' {
                hash = hash.byte(b'/');
            } else if let Some(byte) = folded(byte) {
                hash = hash.byte(byte);
            }
            self.position += 1;
        }
        (hash, if in_factor { factor } else { 1 })
    }
}

/// The words of which names of wrappers are made: what is inside `LeadData` is said of the lead itself.
const WRAPPER_WORDS: &[&str] = &[
    "additional",
    "address",
    "addresses",
    "answer",
    "answers",
    "application",
    "attribute",
    "attributes",
    "auth",
    "authentication",
    "auto",
    "body",
    "client",
    "compliance",
    "consent",
    "consumer",
    "contact",
    "contacts",
    "content",
    "context",
    "credential",
    "credentials",
    "custom",
    "customer",
    "data",
    "demographic",
    "demographics",
    "detail",
    "details",
    "entry",
    "envelope",
    "extra",
    "field",
    "fields",
    "finance",
    "financial",
    "form",
    "general",
    "header",
    "health",
    "home",
    "household",
    "improvement",
    "improvements",
    "info",
    "information",
    "input",
    "insert",
    "insurance",
    "jornaya",
    "json",
    "lead",
    "leads",
    "loan",
    "location",
    "main",
    "medicare",
    "meta",
    "mortgage",
    "other",
    "parameters",
    "params",
    "payload",
    "personal",
    "ping",
    "policy",
    "post",
    "primary",
    "profile",
    "prospect",
    "question",
    "questions",
    "quote",
    "quotes",
    "record",
    "req",
    "request",
    "requests",
    "residence",
    "root",
    "row",
    "soap",
    "submission",
    "submit",
    "survey",
    "tcpa",
    "tracking",
    "transaction",
    "trustedform",
    "user",
    "values",
    "xauth",
    "xml",
];

/// Returns what stands behind a word at the beginning of a name. Most words differ in the first letter.
pub(super) fn after<'n>(name: &'n [u8], word: &str) -> Option<&'n [u8]> {
    match (name, word.as_bytes()) {
        ([first, ..], [letter, ..]) if first == letter => name.strip_prefix(word.as_bytes()),
        _ => None,
    }
}

/// Whether a folded name consists of wrapper words only.
pub(super) fn is_wrapper(name: &[u8]) -> bool {
    let mut rest = name;
    while let Some(first) = rest.first() {
        let start = WRAPPER_WORDS.partition_point(|word| word.as_bytes().first() < Some(first));
        let same_letter = WRAPPER_WORDS.iter().skip(start);
        let same_letter = same_letter.take_while(|word| word.as_bytes().first() == Some(first));
        // The longest word counts: `addresses` is not `address` and an unknown `es`.
        let longest =
            same_letter.filter_map(|word| after(rest, word)).min_by_key(|left| left.len());
        let Some(left) = longest else { return false };
        rest = left;
    }
    !name.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrapper_is_made_of_its_words() {
        assert!(WRAPPER_WORDS.is_sorted());
        for name in [
            "lead",
            "leaddata",
            "contactinformation",
            "addresses",
            "autoinsurancequoterequest",
            "policy",
            "loanapplication",
        ] {
            assert!(is_wrapper(name.as_bytes()), "{name}");
        }
        for name in ["", "spouse", "agentdata", "leadsource", "mailingaddress", "datax"] {
            assert!(!is_wrapper(name.as_bytes()), "{name}");
        }
    }
}
