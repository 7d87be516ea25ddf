//! Everything that operators saved, folded from the facts: what a snapshot is built from.

use std::collections::BTreeMap;

use super::spec::Register;
use crate::facts::{Fact, ModuleActivated, ModuleStored, Saved};
use crate::ids::{Digest, ModuleName};

/// What is saved and which module versions there are. A copy can be changed and tried before the change is recorded.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub register: Register,
    pub modules: BTreeMap<ModuleName, Versions>,
}

/// The versions of one module, oldest first. A version's number is its place, counted from 1.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    pub digests: Vec<Digest>,
    /// `normalizer` or `filter`.
    pub world: String,
    /// The version that serves; none until the first activation.
    pub active: Option<u32>,
    /// The versions that served, in order, the one that serves last.
    pub history: Vec<u32>,
}

impl Versions {
    /// Returns the digest of a version.
    pub fn digest(&self, version: u32) -> Option<Digest> {
        let index = usize::try_from(version).ok()?.checked_sub(1)?;
        self.digests.get(index).copied()
    }

    /// Returns the number of the version with this digest.
    pub fn version_of(&self, digest: Digest) -> Option<u32> {
        let index = self.digests.iter().position(|known| *known == digest)?;
        u32::try_from(index.checked_add(1)?).ok()
    }

    /// Returns the number of the newest version; 0 if there is none.
    pub fn newest(&self) -> u32 {
        u32::try_from(self.digests.len()).unwrap_or(u32::MAX)
    }
}

/// Why a fact cannot be folded: the journal is of another make than this program.
#[derive(Debug, thiserror::Error)]
#[error("the journal holds a {what} that this version cannot read: {why}")]
pub struct Unfoldable {
    what: String,
    why: String,
}

impl Draft {
    /// Folds one fact. Facts that are about pings and money change nothing here.
    ///
    /// # Errors
    ///
    /// [`Unfoldable`] if a saved body does not read back.
    pub fn apply(&mut self, fact: &Fact) -> Result<(), Unfoldable> {
        match fact {
            Fact::Saved(saved) => self.save(saved),
            Fact::ModuleStored(ModuleStored { name, digest, world, .. }) => {
                let versions = self.modules.entry(parse(name, "module")?).or_default();
                versions.digests.push(Digest::from_bytes(*digest));
                world.clone_into(&mut versions.world);
                Ok(())
            }
            Fact::ModuleActivated(ModuleActivated { name, version }) => {
                let versions = self.modules.entry(parse(name, "module")?).or_default();
                versions.active = Some(*version);
                versions.history.push(*version);
                Ok(())
            }
            Fact::Deposited(_)
            | Fact::PingAnswered(_)
            | Fact::SubmissionRefused(_)
            | Fact::Posted(_)
            | Fact::Delivered(_)
            | Fact::AskedAgain(_)
            | Fact::Expired(_) => Ok(()),
        }
    }

    fn save(&mut self, Saved { what, id, body }: &Saved) -> Result<(), Unfoldable> {
        let register = &mut self.register;
        match what.as_str() {
            "source" => drop(register.sources.insert(name(id, what)?, read(body, what)?)),
            "buyer" => drop(register.buyers.insert(name(id, what)?, read(body, what)?)),
            "vertical" => drop(register.verticals.insert(name(id, what)?, read(body, what)?)),
            "campaign" => drop(register.campaigns.insert(name(id, what)?, read(body, what)?)),
            "list" => drop(register.lists.insert(id.clone(), read(body, what)?)),
            _ => {
                return Err(Unfoldable { what: what.clone(), why: "unknown object".to_owned() });
            }
        }
        Ok(())
    }
}

fn name<T: serde::de::DeserializeOwned>(id: &str, what: &str) -> Result<T, Unfoldable> {
    serde_json::from_value(id.into()).map_err(|why| unfoldable(what, &why))
}

fn read<T: serde::de::DeserializeOwned>(body: &str, what: &str) -> Result<T, Unfoldable> {
    serde_json::from_str(body).map_err(|why| unfoldable(what, &why))
}

fn parse(name: &str, what: &str) -> Result<ModuleName, Unfoldable> {
    ModuleName::parse(name).map_err(|why| unfoldable(what, &why))
}

fn unfoldable(what: &str, why: &dyn std::fmt::Display) -> Unfoldable {
    Unfoldable { what: what.to_owned(), why: why.to_string() }
}
