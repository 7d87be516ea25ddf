//! Facts about modules: a version that came, and every step of its life.

use rkyv::{Archive, Deserialize, Serialize};

/// A version of a module was admitted and kept. Nothing serves it yet.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ModuleUploaded {
    pub name: String,
    /// Counted from 1 for each name.
    pub version: u32,
    pub digest: [u8; 32],
    /// `normalizer` or `filter`.
    pub world: String,
    pub bytes: u64,
    /// The version of a normalizer's schema; zeros for a filter.
    pub major: u32,
    pub minor: u32,
    /// What it passed, in order.
    pub passed: Vec<Passed>,
    pub by: String,
    pub why: String,
}

/// A check that a version passed on its way in.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// `validated`, `compiled` or `fixtures`.
    pub check: String,
    /// What was found, in words.
    pub found: String,
}

/// A step in the life of a module's version after it came.
#[derive(Archive, Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct ModuleStepped {
    pub name: String,
    pub version: u32,
    pub step: Step,
    /// The share of pings that a trial sees, in millionths; zero where there is none.
    pub share: u32,
    /// Who did it, in the operator's words; `exchange` for what the exchange does by itself.
    pub by: String,
    pub why: String,
}

/// The steps of a version's life.
#[derive(Archive, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It judges a share of the pings and decides nothing.
    Shadowed,
    ShadowEnded,
    /// It decides for a share of the pings.
    Canaried,
    CanaryEnded,
    /// It decides; the version before it drains.
    Activated,
    /// No ping sees it any more; what was compiled of it is dropped.
    Retired,
    /// It is out of service until a version is activated.
    TakenOut,
}

impl Step {
    /// Returns the word that stands for it everywhere.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Shadowed => "shadowed",
            Self::ShadowEnded => "shadow-ended",
            Self::Canaried => "canaried",
            Self::CanaryEnded => "canary-ended",
            Self::Activated => "activated",
            Self::Retired => "retired",
            Self::TakenOut => "taken-out",
        }
    }
}
