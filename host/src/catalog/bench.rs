//! The bench on which a snapshot is built: what everything in it is looked up in, and made with.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use super::draft::Draft;
use super::faults::Fault;
use super::serving::{Served, Serving, Upkeep};
use super::setbacks::{Idle, Setbacks};
use super::versions::{Track, Trial, Versions};
use super::workshop::{Stock, Workshop};
use super::{Buyer, ModuleVersion};
use crate::criteria::Lists;
use crate::ids::{BuyerId, ModuleName};
use crate::sandbox::Admitted;

/// What a snapshot is built of and with.
#[derive(Clone, Copy)]
pub(super) struct Tools<'b> {
    pub(super) draft: &'b Draft,
    pub(super) workshop: &'b Workshop,
    pub(super) stock: Stock,
    /// Whether something that is needed is not at hand.
    pub(super) missing: &'b Cell<bool>,
    pub(super) setbacks: &'b RefCell<Setbacks>,
}

/// What the campaigns of every vertical are built with.
pub(super) struct Bench<'b> {
    pub(super) tools: Tools<'b>,
    pub(super) buyers: &'b HashMap<BuyerId, Arc<Buyer>>,
    pub(super) lists: &'b Lists,
}

impl<'b> std::ops::Deref for Bench<'b> {
    type Target = Tools<'b>;

    fn deref(&self) -> &Tools<'b> {
        &self.tools
    }
}

impl Bench<'_> {
    /// Notes that something is to be made first; the fault is never told.
    pub(super) fn not_at_hand(&self, module: &ModuleName) -> Fault {
        self.missing.set(true);
        Fault::new(&format!("module {module}"), "", "is not at hand")
    }

    /// Returns a module with the track of this major version, which has an active version.
    pub(super) fn track<'m>(
        &'m self,
        at: (&str, &str),
        name: &ModuleName,
        major: Option<u32>,
    ) -> Result<(&'m Versions, &'m Track, u32), Fault> {
        let (what, pointer) = at;
        let versions = self.draft.modules.get(name).ok_or_else(|| {
            let upload = format!("upload it with POST /v1/modules?name={name}");
            Fault::new(&what, pointer, format!("there is no module `{name}`; {upload}"))
        })?;
        let found = versions.track(major).and_then(|(_, track)| Some((track, track.active?)));
        let (track, active) = found.ok_or_else(|| {
            let which = major.map_or(String::new(), |major| format!(" with schema {major}"));
            let activate = format!("activate one with POST /v1/modules/{name}/activate");
            let message = format!("no version{which} of module `{name}` is active; {activate}");
            Fault::new(&what, pointer, message)
        })?;
        Ok((versions, track, active))
    }

    /// Returns what serves of a track, each version made by `make`.
    pub(super) fn serving<T>(
        &self,
        name: &ModuleName,
        (versions, track, active): (&Versions, &Track, u32),
        mut make: impl FnMut(u32, Admitted) -> Result<T, Fault>,
    ) -> Result<Serving<T>, Fault> {
        let mut served = |version: u32| {
            let digest = versions.digest(version);
            let found = digest.and_then(|digest| Some((digest, self.workshop.module(digest)?)));
            let (digest, admitted) = found.ok_or_else(|| match self.stock {
                Stock::AtHand => self.not_at_hand(name),
                Stock::Made => {
                    let message = format!("version {version} is not compiled");
                    Fault::new(&format!("module {name}"), "", message)
                }
            })?;
            let module = ModuleVersion { name: name.clone(), version, digest };
            Ok(Served { module, code: make(version, admitted)? })
        };
        let mut trial = |trial: Option<Trial>| {
            trial.map(|trial| Ok((trial.share, served(trial.version)?))).transpose()
        };
        let canary = trial(track.canary)?;
        // It decides nothing, so it stops nobody.
        let shadow = trial(track.shadow).unwrap_or_else(|fault| {
            let version = track.shadow.map_or(0, |shadow| shadow.version);
            let idle = Idle { module: name.clone(), version, fault };
            self.setbacks.borrow_mut().idle.push(idle);
            None
        });
        let spec = self.draft.module_spec(name.as_str());
        let failing = spec.failing(&versions.world);
        let upkeep = Upkeep { owner: spec.owner, failing, taken_out: track.taken_out.clone() };
        Ok(Serving { active: served(active)?, canary, shadow, upkeep })
    }
}
