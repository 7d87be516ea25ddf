//! The operator's acts on modules: a version is admitted, kept, made the one that serves, and taken back.

use std::sync::Arc;

use serde::Serialize;

use super::Exchange;
use super::office::{ActError, invalid};
use crate::facts::{Fact, ModuleActivated, ModuleStored};
use crate::ids::{Digest, ModuleName};
use crate::sandbox::Admitted;

/// A module's version as it was kept.
#[derive(Clone, Debug, Serialize)]
pub struct Uploaded {
    pub name: ModuleName,
    pub version: u32,
    pub digest: Digest,
    pub world: &'static str,
    pub bytes: u64,
    /// Whether this version was not known before.
    pub created: bool,
}

impl Exchange {
    /// Checks, compiles and keeps a module's version. Nothing serves it yet.
    pub async fn upload(&self, name: &str, wasm: Vec<u8>) -> Result<Uploaded, ActError> {
        let module = ModuleName::parse(name).map_err(|error| invalid("/name", error))?;
        let digest = Digest::of(&wasm);
        let bytes = u64::try_from(wasm.len()).unwrap_or(u64::MAX);
        let admitted = self.admit(digest, wasm.clone()).await?;
        let world = admitted.world();
        let mut draft = self.draft.lock().await;
        if let Some(versions) = draft.modules.get(&module) {
            if versions.world != world {
                let message = format!(
                    "`{name}` is a {}, this is a {world}: give it another name",
                    versions.world
                );
                return Err(ActError::Conflict(message));
            }
            if let Some(version) = versions.version_of(digest) {
                return Ok(Uploaded {
                    name: module,
                    version,
                    digest,
                    world,
                    bytes,
                    created: false,
                });
            }
        }
        let version =
            draft.modules.get(&module).map_or(0, |versions| versions.newest()).saturating_add(1);
        self.journal.put_module(digest, wasm).await.map_err(|_| ActError::Closed)?;
        let fact = Fact::ModuleStored(ModuleStored {
            name: name.to_owned(),
            version,
            digest: *digest.as_bytes(),
            world: world.to_owned(),
            bytes,
        });
        self.change(&mut draft, fact).await?;
        Ok(Uploaded { name: module, version, digest, world, bytes, created: true })
    }

    /// Makes a version of a module the one that serves: the one with this number, or the newest.
    pub async fn activate(&self, name: &str, version: Option<u32>) -> Result<u32, ActError> {
        let mut draft = self.draft.lock().await;
        let versions = ModuleName::parse(name).ok().and_then(|name| draft.modules.get(&name));
        let versions = versions.ok_or_else(|| ActError::NotFound(format!("module `{name}`")))?;
        let version = version.unwrap_or(versions.newest());
        let digest = versions.digest(version).ok_or_else(|| {
            ActError::NotFound(format!(
                "version {version} of module `{name}`; the newest is {}",
                versions.newest()
            ))
        })?;
        if !self.workshop.has(digest) {
            let wasm = self.journal.module(digest).await.map_err(|_| ActError::Closed)?;
            let wasm = wasm.ok_or_else(|| ActError::NotFound(format!("module {digest}")))?;
            self.admit(digest, wasm).await?;
        }
        let fact = Fact::ModuleActivated(ModuleActivated { name: name.to_owned(), version });
        self.change(&mut draft, fact).await?;
        Ok(version)
    }

    /// Makes the version that served before the present one serve again.
    pub async fn roll_back(&self, name: &str) -> Result<u32, ActError> {
        let before = {
            let draft = self.draft.lock().await;
            let versions =
                ModuleName::parse(name).ok().and_then(|name| draft.modules.get(&name).cloned());
            let versions =
                versions.ok_or_else(|| ActError::NotFound(format!("module `{name}`")))?;
            let others = versions.history.iter().rev();
            others.copied().find(|version| Some(*version) != versions.active)
        };
        let version = before.ok_or_else(|| {
            ActError::Conflict(format!(
                "no other version of `{name}` has served, so there is none to go back to"
            ))
        })?;
        self.activate(name, Some(version)).await
    }

    async fn admit(&self, digest: Digest, wasm: Vec<u8>) -> Result<Admitted, ActError> {
        let workshop = Arc::clone(&self.workshop);
        let admitted = tokio::task::spawn_blocking(move || {
            let admitted = workshop.sandbox.admit(&wasm)?;
            workshop.keep(digest, admitted.clone());
            Ok(admitted)
        });
        admitted.await.map_err(|_| ActError::Closed)?.map_err(ActError::Inadmissible)
    }
}
