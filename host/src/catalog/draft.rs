//! Everything that operators saved, folded from the facts: what a snapshot is built from.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::spec::Register;
use super::upkeep::{LimitsSpec, ModuleSpec};
use super::versions::Versions;
use crate::clock::Moment;
use crate::facts::{Fact, Saved};
use crate::ids::{Digest, ModuleName};

/// What is saved and which module versions there are. A copy shares what is not changed, and can be changed and tried
/// before the change is recorded.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub register: Arc<Register>,
    pub modules: Arc<BTreeMap<ModuleName, Arc<Versions>>>,
}

/// Why a fact cannot be folded: the journal is of another make than this program.
#[derive(Debug, thiserror::Error)]
#[error("the journal holds a {what} that this version cannot read: {why}")]
pub struct Unfoldable {
    what: String,
    why: String,
}

impl Draft {
    /// Returns the versions of a module.
    pub fn versions(&self, name: &str) -> Option<&Arc<Versions>> {
        self.modules.get(&ModuleName::parse(name).ok()?)
    }

    /// Returns the settings of a module: those saved, or none.
    pub fn module_spec(&self, name: &str) -> ModuleSpec {
        let name = ModuleName::parse(name).ok();
        name.and_then(|name| self.register.modules.get(&name).cloned()).unwrap_or_default()
    }

    /// Returns what the operator said about a module's calls, and where that is silent, about its world's.
    pub fn limits_of(&self, world: &str, module: &ModuleName) -> LimitsSpec {
        self.module_spec(module.as_str()).limits.or(self.limits(world))
    }

    /// Returns the limits of a world as far as they were saved.
    pub fn limits(&self, world: &str) -> LimitsSpec {
        self.register.limits.get(world).copied().unwrap_or_default()
    }

    /// Returns the digests of all versions that pings may see.
    pub fn modules_in_use(&self) -> HashSet<Digest> {
        let of = |versions: &Versions| {
            versions.in_use().filter_map(|version| versions.digest(version)).collect::<Vec<_>>()
        };
        self.modules.values().flat_map(|versions| of(versions)).collect()
    }

    /// Folds one fact. Facts that are about pings and money change nothing here.
    ///
    /// # Errors
    ///
    /// [`Unfoldable`] if a saved body does not read back.
    pub fn apply(&mut self, at: Moment, fact: &Fact) -> Result<(), Unfoldable> {
        match fact {
            Fact::Saved(saved) => self.save(saved)?,
            Fact::ModuleUploaded(uploaded) => {
                self.versions_mut(&uploaded.name)?.upload(at, uploaded);
            }
            Fact::ModuleStepped(stepped) => self.versions_mut(&stepped.name)?.step(at, stepped),
            Fact::Deposited(_)
            | Fact::PingAnswered(_)
            | Fact::SubmissionRefused(_)
            | Fact::Posted(_)
            | Fact::Delivered(_)
            | Fact::AskedAgain(_)
            | Fact::StatusAsked(_)
            | Fact::ShipmentResent(_)
            | Fact::TransferOffered(_)
            | Fact::Transferred(_)
            | Fact::ReturnRequested(_)
            | Fact::ReturnDecided(_)
            | Fact::CallMade(_)
            | Fact::CallAnswered(_)
            | Fact::Superseded(_)
            | Fact::PostRefused(_)
            | Fact::SuppressionsAdded(_)
            | Fact::SuppressionsRemoved(_)
            | Fact::ContactErased(_)
            | Fact::ContactsSwept(_)
            | Fact::KeyAdopted(_)
            | Fact::PostbackTried(_)
            | Fact::PostbackResent(_)
            | Fact::MasterKeyRotated(_)
            | Fact::Expired(_) => (),
        }
        Ok(())
    }

    fn versions_mut(&mut self, module: &str) -> Result<&mut Versions, Unfoldable> {
        let module = ModuleName::parse(module).map_err(|why| unfoldable("module", &why))?;
        Ok(Arc::make_mut(Arc::make_mut(&mut self.modules).entry(module).or_default()))
    }

    fn save(&mut self, Saved { what, id, body }: &Saved) -> Result<(), Unfoldable> {
        let register = Arc::make_mut(&mut self.register);
        match what.as_str() {
            "source" => drop(register.sources.insert(name(id, what)?, read(body, what)?)),
            "buyer" => drop(register.buyers.insert(name(id, what)?, read(body, what)?)),
            "vertical" => drop(register.verticals.insert(name(id, what)?, read(body, what)?)),
            "campaign" => drop(register.campaigns.insert(name(id, what)?, read(body, what)?)),
            "policy" => drop(register.policies.insert(name(id, what)?, read(body, what)?)),
            "list" => drop(register.lists.insert(id.clone(), read(body, what)?)),
            "suppression" => drop(register.suppressions.insert(id.clone(), read(body, what)?)),
            "module" => drop(register.modules.insert(name(id, what)?, read(body, what)?)),
            "limits" => drop(register.limits.insert(id.clone(), read(body, what)?)),
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

fn unfoldable(what: &str, why: &dyn std::fmt::Display) -> Unfoldable {
    Unfoldable { what: what.to_owned(), why: why.to_string() }
}
