//! The operator's acts on modules: a version is admitted and kept, tried, made the one that serves, and taken back.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;

use super::Exchange;
use super::acting::{Losses, Turn};
use super::checks::Checked;
use super::gates::{Cleared, Gated, may_try};
use super::note::Note;
use super::office::{ActError, invalid};
use crate::catalog::{Draft, LimitsSpec, Track, Trial, Versions};
use crate::facts::{Fact, ModuleStepped, ModuleUploaded, Step};
use crate::ids::{Digest, ModuleName};
use crate::money::Share;
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
    /// What was checked, in order, with what was found.
    pub passed: Vec<Checked>,
}

/// Which version an act is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Newest,
    Number(u32),
}

/// The two ways to try a version beside the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trying {
    /// It judges and decides nothing.
    Shadow,
    /// It decides.
    Canary,
}

impl Trying {
    const fn began(self) -> Step {
        match self {
            Self::Shadow => Step::Shadowed,
            Self::Canary => Step::Canaried,
        }
    }

    const fn ended(self) -> Step {
        match self {
            Self::Shadow => Step::ShadowEnded,
            Self::Canary => Step::CanaryEnded,
        }
    }

    fn of(self, track: &Track) -> Option<Trial> {
        match self {
            Self::Shadow => track.shadow,
            Self::Canary => track.canary,
        }
    }

    /// Returns the word for it in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shadow => "shadow",
            Self::Canary => "canary",
        }
    }
}

impl Exchange {
    /// Checks, compiles and keeps a module's version. Nothing serves it yet. The same bytes again are the same version.
    ///
    /// # Errors
    ///
    /// [`ActError`] if the module is not admitted, its name belongs to a module of another world, or its schema cannot
    /// come after the newest of the same major version.
    pub async fn upload(
        &self,
        name: &str,
        wasm: Vec<u8>,
        note: Note,
    ) -> Result<Uploaded, ActError> {
        let module = ModuleName::parse(name).map_err(|error| invalid("/name", error))?;
        let Note { by, why } = note.checked()?;
        let digest = Digest::of(&wasm);
        let bytes = u64::try_from(wasm.len()).unwrap_or(u64::MAX);
        let (admitted, passed) = self.check(digest, &wasm).await.inspect_err(
            |error| tracing::warn!(%error, %module, %digest, bytes, "module refused"),
        )?;
        let world = admitted.world();
        let draft = self.may_come(&module, &admitted).await?;
        let known = draft.versions(name);
        if let Some(versions) = known.filter(|versions| versions.world != world) {
            let other = &versions.world;
            let message = format!("`{name}` is a {other}, this is a {world}: give it another name");
            return Err(ActError::Conflict(message));
        }
        let uploaded = |version, created| {
            let (name, passed) = (module.clone(), passed.clone());
            Ok(Uploaded { name, version, digest, world, bytes, created, passed })
        };
        if let Some(version) = known.and_then(|versions| versions.version_of(digest)) {
            return uploaded(version, false);
        }
        let version = known.map_or(0, |versions| versions.newest()).saturating_add(1);
        let (major, minor) = match &admitted {
            Admitted::Normalizer(normalizer) => normalizer.schema().version(),
            Admitted::Filter(_) | Admitted::Adapter(_) => (0, 0),
        };
        self.journal.put_module(digest, wasm).await.map_err(|_| ActError::Closed)?;
        let fact = Fact::ModuleUploaded(ModuleUploaded {
            name: name.to_owned(),
            version,
            digest: *digest.as_bytes(),
            world: world.to_owned(),
            bytes,
            major,
            minor,
            passed: passed.iter().map(Into::into).collect(),
            by,
            why,
        });
        drop(self.change(draft, fact).await?);
        uploaded(version, true)
    }

    /// Makes a version the one that decides. The version before it drains.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there is no such version, a vertical or campaign that uses the module does not fit it, or its
    /// gate does not hold.
    pub async fn activate(
        &self,
        (name, which): (&str, Which),
        gated: Gated,
        note: Note,
    ) -> Result<u32, ActError> {
        let cleared = self.clear((name, which), gated, note).await?;
        let draft = self.draft.lock().await;
        cleared.holds(&draft, name)?;
        let Cleared { version, note, .. } = cleared;
        let begun = (Step::Activated, Share::NONE);
        drop(self.step(draft, (name, version), begun, note, Losses::Refused).await?);
        Ok(version)
    }

    /// Begins to try a version on a share of the pings, or changes the share; a share of zero ends the trial. Returns
    /// the version.
    ///
    /// # Errors
    ///
    /// [`ActError`] if there is no such version, it is the active one, or nothing serves beside which to try it.
    pub async fn try_out(
        &self,
        (name, which): (&str, Which),
        (trying, share): (Trying, Share),
        gated: Gated,
        note: Note,
    ) -> Result<u32, ActError> {
        if trying == Trying::Canary && share != Share::NONE {
            let cleared = self.clear((name, which), gated, note).await?;
            let draft = self.draft.lock().await;
            cleared.holds(&draft, name)?;
            let Cleared { version, note, .. } = cleared;
            return self
                .try_here(draft, (name, Which::Number(version)), (trying, share), note)
                .await;
        }
        let draft = self.draft.lock().await;
        self.try_here(draft, (name, which), (trying, share), note).await
    }

    async fn try_here<'e>(
        &'e self,
        draft: Turn<'e>,
        (name, which): (&str, Which),
        (trying, share): (Trying, Share),
        note: Note,
    ) -> Result<u32, ActError> {
        let (versions, version) = find(&draft, name, which)?;
        if share == Share::NONE {
            let mut trials = versions.tracks.values().filter_map(|track| trying.of(track));
            let asked = |trial: &Trial| which == Which::Newest || trial.version == version;
            let version = trials.find(asked).map(|trial| trial.version);
            let version = version.ok_or_else(|| {
                ActError::Conflict(format!("no version of `{name}` is a {} now", trying.name()))
            })?;
            let ended = (trying.ended(), share);
            drop(self.step(draft, (name, version), ended, note, Losses::Refused).await?);
            return Ok(version);
        }
        may_try(name, &versions.world, trying)?;
        let major = versions.version(version).map(|version| version.major);
        let active = versions.track(major).and_then(|(_, track)| track.active);
        if active.is_none_or(|active| active == version) {
            let why = match active {
                Some(_) => {
                    format!("version {version} of `{name}` is the active one: upload another")
                }
                None => format!("no version of `{name}` is active: activate one, then try others"),
            };
            return Err(ActError::Conflict(why));
        }
        let begun = (trying.began(), share);
        drop(self.step(draft, (name, version), begun, note, Losses::Refused).await?);
        Ok(version)
    }

    /// Takes a module's active version out of service until a version is activated: a filter's campaigns do not bid, a
    /// normalizer's verticals take nothing, an adapter's buyers get nothing.
    ///
    /// # Errors
    ///
    /// [`ActError::Conflict`] if the version is not active.
    pub async fn take_out(&self, name: &str, which: Which, note: Note) -> Result<u32, ActError> {
        let draft = self.draft.lock().await;
        let (versions, _) = find(&draft, name, Which::Newest)?;
        let asked = |version: &u32| match which {
            Which::Newest => true,
            Which::Number(number) => *version == number,
        };
        let active = versions.tracks.values().filter_map(|track| track.active).find(asked);
        let version = active.ok_or_else(|| {
            ActError::Conflict(format!("no such version of `{name}` is active, so none serves"))
        })?;
        let begun = (Step::TakenOut, Share::NONE);
        drop(self.step(draft, (name, version), begun, note, Losses::Taken).await?);
        Ok(version)
    }

    /// Returns the bytes of a version.
    ///
    /// # Errors
    ///
    /// [`ActError::NotFound`] if there is no such version.
    pub async fn component(&self, name: &str, version: u32) -> Result<Vec<u8>, ActError> {
        let draft = self.draft().await;
        let (versions, version) = find(&draft, name, Which::Number(version))?;
        let missing = || ActError::NotFound(format!("version {version} of module `{name}`"));
        let digest = versions.digest(version).ok_or_else(missing)?;
        self.journal.module(digest).await.map_err(|_| ActError::Closed)?.ok_or_else(missing)
    }

    /// Returns what a world's calls may use, where `world` is one.
    ///
    /// # Errors
    ///
    /// [`ActError::NotFound`] for any other word.
    pub async fn limits(&self, world: &str) -> Result<LimitsSpec, ActError> {
        let built_in = LimitsSpec::built_in(world, self.workshop.sandbox.limits());
        let built_in = built_in.ok_or_else(|| {
            let there = "there are `filter`, `normalizer` and `adapter`";
            ActError::NotFound(format!("world `{world}`; {there}"))
        })?;
        Ok(self.draft().await.limits(world).or(built_in))
    }

    pub(super) async fn step<'e>(
        &'e self,
        draft: Turn<'e>,
        (name, version): (&str, u32),
        (step, share): (Step, Share),
        note: Note,
        losses: Losses,
    ) -> Result<Turn<'e>, ActError> {
        let Note { by, why } = note.checked()?;
        let share = share.millionths();
        let name = name.to_owned();
        let fact = Fact::ModuleStepped(ModuleStepped { name, version, step, share, by, why });
        let draft = self.change_with(draft, &fact, losses).await?;
        self.workshop.keep_only(&worth_keeping(&draft));
        self.shadows.settle(&draft, self.clock.now());
        Ok(draft)
    }

    /// Records that versions retired which no ping sees any more.
    pub(super) async fn retire(&self) -> Result<(), ActError> {
        let mut draft = self.draft.lock().await;
        // Nothing is replaced while the draft is held.
        if !self.drains.gone() {
            return Ok(());
        }
        for (name, versions) in Arc::clone(&draft.modules).iter() {
            for (version, _) in versions.numbered() {
                if versions.stage(version) == "draining" {
                    let note = Note::own("no ping sees it any more");
                    let name = name.as_str();
                    let step = (Step::Retired, Share::NONE);
                    draft = self.step(draft, (name, version), step, note, Losses::Taken).await?;
                }
            }
        }
        Ok(())
    }
}

pub(super) fn find(
    draft: &Draft,
    name: &str,
    which: Which,
) -> Result<(Arc<Versions>, u32), ActError> {
    let versions = draft.versions(name);
    let versions = versions.ok_or_else(|| ActError::NotFound(format!("module `{name}`")))?;
    let newest = versions.newest();
    let version = match which {
        Which::Newest => newest,
        Which::Number(number) => number,
    };
    if versions.version(version).is_none() {
        let message = format!("version {version} of module `{name}`; the newest is {newest}");
        return Err(ActError::NotFound(message));
    }
    Ok((Arc::clone(versions), version))
}

/// Returns what stays compiled: what pings may see, what a rollback goes back to, and what came last.
fn worth_keeping(draft: &Draft) -> HashSet<Digest> {
    let mut kept = draft.modules_in_use();
    for versions in draft.modules.values() {
        let before = versions.tracks.values().filter_map(Track::before);
        kept.extend(
            before.chain([versions.newest()]).filter_map(|version| versions.digest(version)),
        );
    }
    kept
}
