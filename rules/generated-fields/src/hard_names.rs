//! The fields of `hard-names`, version 1.2 of its schema, for a filter to read.
//!
//! Made by `gavel schema hard-names --rust`: make it again rather than change it. It is `src/hard_names.rs` of a filter's
//! crate, and `lib.rs` takes from it what the filter reads:
//!
//! ```ignore
//! pub mod hard_names;
//!
//! guest_sdk::needs! { hard_names::{ZIP, CREDIT_BAND} }
//! ```

guest_sdk::fields! {
    /// what `zip` means
    /// Every ping has it.
    pub ZIP: text = "zip";
    /// what `credit_band` means
    /// It may be absent. Its text is a [`CreditBand`].
    pub CREDIT_BAND: text = "credit_band";
    /// what `limits` means
    /// It may be absent. Its text is a [`Limits`].
    pub LIMITS: text = "limits";
    /// what `4wd` means
    /// It may be absent.
    pub FIELD_4WD: boolean = "4wd";
    /// what `_` means
    /// It may be absent.
    pub FIELD__: integer = "_";
    /// what `option` means
    /// It may be absent. Its text is a [`OptionWord`].
    pub OPTION: text = "option";
    /// what `self` means
    /// It may be absent. Its text is a [`SelfWord`].
    pub SELF: text = "self";
    /// what `makes` means
    /// It may be absent. Each text is a [`Makes`].
    pub MAKES: texts = "makes";
    /// what `income` means
    /// In millionths: 12.5 is 12,500,000. It may be absent.
    pub INCOME: decimal = "income";
    /// what `born` means
    /// Days since 1970-01-01. It may be absent.
    pub BORN: date = "born";
}

/// The words of `credit_band`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreditBand {
    /// `good`
    Good,
    /// `fair`
    Fair,
    /// `very-poor`
    VeryPoor,
}

impl CreditBand {
    /// Returns what a text stands for; `None` is a word that a later minor version has added.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "good" => Some(Self::Good),
            "fair" => Some(Self::Fair),
            "very-poor" => Some(Self::VeryPoor),
            _ => None,
        }
    }

    /// Returns the word of the schema.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::VeryPoor => "very-poor",
        }
    }
}

/// The words of `limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limits {
    /// `15/30`
    N15_30,
    /// `100/300`
    N100_300,
    /// `500 +`
    N500,
}

impl Limits {
    /// Returns what a text stands for; `None` is a word that a later minor version has added.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "15/30" => Some(Self::N15_30),
            "100/300" => Some(Self::N100_300),
            "500 +" => Some(Self::N500),
            _ => None,
        }
    }

    /// Returns the word of the schema.
    pub const fn text(self) -> &'static str {
        match self {
            Self::N15_30 => "15/30",
            Self::N100_300 => "100/300",
            Self::N500 => "500 +",
        }
    }
}

/// The words of `option`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionWord {
    /// `self`
    SelfWord,
    /// `option`
    OptionWord,
    /// `none`
    None,
}

impl OptionWord {
    /// Returns what a text stands for; `None` is a word that a later minor version has added.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "self" => Some(Self::SelfWord),
            "option" => Some(Self::OptionWord),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// Returns the word of the schema.
    pub const fn text(self) -> &'static str {
        match self {
            Self::SelfWord => "self",
            Self::OptionWord => "option",
            Self::None => "none",
        }
    }
}

/// The words of `self`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelfWord {
    /// `a-b`
    AB,
    /// `a b`
    AB2,
    /// `ü`
    Word3,
    /// `say "hi"`
    SayHi,
    /// `back\slash`
    BackSlash,
}

impl SelfWord {
    /// Returns what a text stands for; `None` is a word that a later minor version has added.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "a-b" => Some(Self::AB),
            "a b" => Some(Self::AB2),
            "ü" => Some(Self::Word3),
            "say \"hi\"" => Some(Self::SayHi),
            "back\\slash" => Some(Self::BackSlash),
            _ => None,
        }
    }

    /// Returns the word of the schema.
    pub const fn text(self) -> &'static str {
        match self {
            Self::AB => "a-b",
            Self::AB2 => "a b",
            Self::Word3 => "ü",
            Self::SayHi => "say \"hi\"",
            Self::BackSlash => "back\\slash",
        }
    }
}

/// The words of `makes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Makes {
    /// `Kia`
    Kia,
    /// `Saab`
    Saab,
}

impl Makes {
    /// Returns what a text stands for; `None` is a word that a later minor version has added.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "Kia" => Some(Self::Kia),
            "Saab" => Some(Self::Saab),
            _ => None,
        }
    }

    /// Returns the word of the schema.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Kia => "Kia",
            Self::Saab => "Saab",
        }
    }
}
