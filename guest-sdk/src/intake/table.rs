//! The table that a vertical's team writes: its fields, the words they may be, and the keys that sources use for them.

use super::key::Index;
use super::span::Spans;
use super::standard;
use crate::answers::{self, Family, Marks};
use crate::normalizer::{Field as SchemaField, Kind, Schema};

/// A word that a value may be, and everything else that means it: folded to letters and digits, between spaces.
pub type Word = (&'static str, &'static str);

/// How a field's text becomes its value.
#[derive(Clone, Copy, Debug)]
pub enum Reader {
    /// Any text, without the spaces around it.
    Text,
    /// Any text, but for words that mean that there is none.
    TextUnless(&'static str),
    /// Several texts: repeated keys, list elements, or one text with commas.
    Texts,
    /// The texts of another field in every element of its group, each once.
    Every(&'static str),
    /// A person's name.
    Name,
    /// One of some words.
    Word(&'static [Word]),
    /// One of some words; what is none of them is the last, such as `other`.
    WordOr(&'static [Word]),
    /// One of some words; a credit score of 300 to 850 is read as `excellent` (720 and more), `good` (680), `fair` (580)
    /// or `poor`.
    Credit(&'static [Word]),
    /// A credit score of 300 to 850; of a range, its lower end. The words may stand beside it: `Good (680-719)`.
    Score(&'static [Word]),
    /// One of some words, or the one that a phrase mentions: `windows` in `Window Replacement`. If the last of the words
    /// is `other`, every other text is that. More words that say nothing.
    Phrase(&'static [Word], &'static str),
    /// How far away a time is: `Within 1 week`, `1-3 months`, `6+ months`.
    Span(&'static Spans),
    /// Yes or no; with more words that mean yes, and more that mean no.
    Boolean(&'static str, &'static str),
    /// Yes or no, or how many: no is 0, yes is more. More words that mean yes, and more that mean no.
    Any(&'static str, &'static str),
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A whole number from the first to the second, which may have one of some units behind it; of a range, its lower
    /// end. The units are folded to letters and digits, between spaces.
    Measure(i64, i64, &'static str),
    /// As `Measure`, for numbers such as 2.5 that need not be whole.
    Decimal(i64, i64, &'static str),
    /// A percentage from the first to the second; of a range, its lower end. `0.8` without a sign is 80.
    Percent(i64, i64),
    /// Whole dollars from the first to the second; of a range, its lower end.
    Dollars(i64, i64),
    /// As `Dollars`, maybe with the time that they are for behind them; the words for it, between spaces.
    DollarsPer(&'static str, i64, i64),
    /// Whole months; `3 years` is 36. More words that mean none.
    Months(&'static str),
    /// How long a loan runs, in months; a bare number up to 50 counts years.
    Term,
    /// Days until a day: a number, or the day itself.
    DaysUntil,
    /// Whole inches; `5'10"` is 70.
    Inches,
    /// A United States state, district or territory, by name or code.
    State,
    /// A ZIP code; the last four digits are left out.
    Zip,
    /// A telephone number of the North American plan.
    Phone,
    /// Several such numbers.
    Phones,
    /// An e-mail address.
    Email,
    /// An IP address.
    Ip,
    /// An amount of money, exactly.
    Price,
    /// A time, in milliseconds.
    Milliseconds,
    /// A TrustedForm address.
    TrustedForm,
    /// The 36 characters of a Jornaya LeadiD.
    LeadId,
    /// A calendar day.
    Date,
    /// A calendar day that has been: not after the submission.
    PastDate,
    /// A day of birth.
    BirthDate,
    /// Years of age; reckoned from the day of birth where that is known.
    Age,
    /// How many elements a group has; counted where the source lists them.
    Count(&'static str),
    /// A Social Security number that can have been given to somebody: nine digits.
    SocialSecurity,
    /// A bank's routing number: nine digits, the last of which checks the others.
    Routing,
    /// A number of so many digits, from the first to the second, kept as text.
    Digits(usize, usize),
}

impl Reader {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Boolean(..) | Self::Any(..) => Kind::Boolean,
            Self::Integer(..)
            | Self::Dollars(..)
            | Self::DollarsPer(..)
            | Self::Measure(..)
            | Self::Score(_)
            | Self::Term
            | Self::Months(_)
            | Self::DaysUntil
            | Self::Inches
            | Self::Age
            | Self::Milliseconds
            | Self::Count(_) => Kind::Integer,
            Self::Price | Self::Decimal(..) | Self::Percent(..) => Kind::Decimal,
            Self::Date | Self::PastDate | Self::BirthDate => Kind::Date,
            Self::Texts | Self::Every(_) | Self::Phones => Kind::Texts,
            Self::Text
            | Self::TextUnless(_)
            | Self::Name
            | Self::Word(_)
            | Self::WordOr(_)
            | Self::Credit(_)
            | Self::Phrase(..)
            | Self::Span(_)
            | Self::SocialSecurity
            | Self::Routing
            | Self::Digits(..)
            | Self::State
            | Self::Zip
            | Self::Phone
            | Self::Email
            | Self::Ip
            | Self::TrustedForm
            | Self::LeadId => Kind::Text,
        }
    }

    pub(super) const fn words(&self) -> &'static [Word] {
        match self {
            Self::Word(words)
            | Self::WordOr(words)
            | Self::Credit(words)
            | Self::Phrase(words, _) => words,
            Self::Span(spans) => spans.words,
            _ => &[],
        }
    }
}

/// One field: what it is, and under which keys sources send it.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(super) name: &'static str,
    pub(super) reader: Reader,
    /// Keys that count before its own name.
    pub(super) first_keys: &'static str,
    pub(super) keys: &'static str,
    pub(super) about: &'static str,
    pub(super) required_on_ping: bool,
    pub(super) required_on_post: bool,
    pub(super) contact: bool,
    pub(super) binding: bool,
    pub(super) prefers_first_key: bool,
    /// The field whose values it reads where it has none of its own.
    pub(super) sharing: Option<&'static str>,
    pub(super) says: Option<(&'static str, &'static str)>,
    pub(super) named_by_group: bool,
}

impl Field {
    /// Takes the field's name in the schema, which is also its first key.
    #[must_use]
    pub const fn new(name: &'static str, reader: Reader) -> Self {
        Self {
            name,
            reader,
            first_keys: "",
            keys: "",
            about: "",
            required_on_ping: false,
            required_on_post: false,
            contact: false,
            binding: false,
            prefers_first_key: false,
            sharing: None,
            says: None,
            named_by_group: false,
        }
    }

    /// Says what it means, in which unit.
    #[must_use]
    pub const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// Names the keys that mean it, between spaces. Case and `_ - .` do not count. `vehicle/year` is `year` in the
    /// first element of the group `vehicle`; `insured_years*12` is a key whose unit is twelve of the field's.
    #[must_use]
    pub const fn keys(self, keys: &'static str) -> Self {
        Self { keys, ..self }
    }

    /// Refuses a ping or post without it.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required_on_ping: true, required_on_post: true, ..self }
    }

    /// Refuses a post without it.
    #[must_use]
    pub const fn required_on_post(self) -> Self {
        Self { required_on_post: true, ..self }
    }

    /// Marks what says who the person is.
    #[must_use]
    pub const fn contact(self) -> Self {
        Self { contact: true, ..self }
    }

    /// Marks what buyers price by.
    #[must_use]
    pub const fn binding(self) -> Self {
        Self { binding: true, ..self }
    }

    /// Takes the first of its keys that came, in the table's order, instead of refusing keys that differ: for marks
    /// that a source may well have several of.
    #[must_use]
    pub const fn prefers_first_key(self) -> Self {
        Self { prefers_first_key: true, ..self }
    }

    /// Names keys that count before the field's own name, such as `property/zip` before `zip`: where one of them came,
    /// the others are not asked.
    #[must_use]
    pub const fn preferring(self, keys: &'static str) -> Self {
        Self { first_keys: keys, ..self }
    }

    /// Reads what came for another field as well, where nothing came for this one and it can be read. What this field
    /// can read and the other cannot is no fault of the other: a key such as `down_payment` may have dollars or a
    /// percentage. Two fields may share each other's keys; then a code such as `1` is for its own key alone.
    #[must_use]
    pub const fn sharing(self, other: &'static str) -> Self {
        Self { sharing: Some(other), ..self }
    }

    /// Makes its presence say a word of another field, where that did not come: who tells the number of the windows
    /// asks about windows. A no says nothing.
    #[must_use]
    pub const fn says(self, field: &'static str, word: &'static str) -> Self {
        Self { says: Some((field, word)), ..self }
    }

    /// Lets the group under which other fields came say its word, where it did not come itself: `siding_project_type`
    /// asks about `siding`.
    #[must_use]
    pub const fn named_by_group(self) -> Self {
        Self { named_by_group: true, ..self }
    }

    fn schema(&self) -> SchemaField {
        SchemaField {
            name: self.name.into(),
            kind: self.reader.kind(),
            required_on_ping: self.required_on_ping,
            required_on_post: self.required_on_post,
            contact: self.contact,
            binding: self.binding,
            allowed: self.reader.words().iter().map(|&(word, _)| word.into()).collect(),
            description: self.about.into(),
        }
    }
}

/// Things of which a lead may have several, such as vehicles: numbered keys, list elements or repeated tags.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What the table's keys call it.
    pub name: &'static str,
    /// What sources call it, as a name of its own or as the beginning of a key.
    pub words: &'static [&'static str],
    /// The first element is what the lead is about, such as the person: its keys mean the same as keys outside.
    pub is_person: bool,
}

/// A vertical as a table, ready to read submissions.
#[derive(Debug)]
pub struct Vertical {
    name: &'static str,
    version: (u32, u32),
    about: &'static str,
    pub(super) groups: &'static [Group],
    sections: &'static [&'static [Field]],
    pub(super) index: Index,
    pub(super) families: &'static [&'static Family],
    pub(super) marks: Marks,
}

impl Vertical {
    /// Builds the table when the module is compiled. A key that two fields claim does not compile.
    #[must_use]
    pub const fn new(
        name: &'static str,
        version: (u32, u32),
        about: &'static str,
        groups: &'static [Group],
        sections: &'static [&'static [Field]],
    ) -> Self {
        let (families, index) = (answers::FAMILIES, Index::new(sections));
        let marks = Marks::new(families);
        Self { name, version, about, groups, sections, index, families, marks }
    }

    /// Answers in these dialects instead of all that the kit knows. The normalizer's `FAMILIES` are the same list.
    #[must_use]
    pub const fn answers(self, families: &'static [&'static Family]) -> Self {
        Self { families, marks: Marks::new(families), ..self }
    }

    /// Returns the schema for people and for the exchange.
    #[must_use]
    pub fn schema(&self) -> Schema {
        Schema {
            vertical: self.name.into(),
            major: self.version.0,
            minor: self.version.1,
            description: self.about.into(),
            fields: self.fields().map(Field::schema).collect(),
        }
    }

    /// Returns the fields of the schema, in their order.
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        self.sections.iter().copied().flatten()
    }

    /// Returns how many fields the schema has.
    pub(super) fn field_count(&self) -> usize {
        self.sections.iter().map(|section| section.len()).sum()
    }

    /// Returns the field at a place of the index: those of the schema, then those of [`standard::ENVELOPE`].
    pub(super) fn field(&self, place: usize) -> Option<&'static Field> {
        self.fields().chain(standard::ENVELOPE).nth(place)
    }
}
