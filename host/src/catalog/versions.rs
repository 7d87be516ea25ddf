//! The versions of one module: which there are, which serve, and what happened to each.

use std::collections::{BTreeMap, VecDeque};

use crate::clock::Moment;
use crate::facts::{ModuleStepped, ModuleUploaded, Step};
use crate::ids::Digest;
use crate::money::Share;

/// How many steps of a module are kept at hand; the journal has all of them.
pub const STEPS_KEPT_MAX: usize = 200;

/// The versions of one module.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// `normalizer` or `filter`.
    pub world: String,
    /// Oldest first. A version's number is its place, counted from 1.
    pub all: Vec<Version>,
    /// What serves, by the major version of the schema; everything of a filter is under 0.
    pub tracks: BTreeMap<u32, Track>,
    /// The newest steps, in order.
    pub steps: VecDeque<StepTaken>,
}

/// A version that was admitted and kept.
#[derive(Clone, Debug)]
pub struct Version {
    pub digest: Digest,
    pub bytes: u64,
    /// Of a normalizer's schema; zeros for a filter.
    pub major: u32,
    pub minor: u32,
    last: Option<Step>,
}

/// What serves of the versions with one schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// The version that decides; none until the first activation.
    pub active: Option<u32>,
    /// The version that decides for a share of the pings in its place.
    pub canary: Option<Trial>,
    /// The version that judges a share of the pings and decides nothing.
    pub shadow: Option<Trial>,
    /// Why the active version is out of service.
    pub taken_out: Option<String>,
    /// The versions that were active, each once, the latest last, but for those that were gone back from.
    pub served: Vec<u32>,
}

/// A version on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    pub version: u32,
    /// The share of the pings that it sees.
    pub share: Share,
}

/// A step as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepTaken {
    pub at: Moment,
    pub version: u32,
    /// A word of [`Step::code`], or `uploaded`, or `draining` for a version that another replaced.
    pub step: &'static str,
    pub share: Share,
    pub by: String,
    pub why: String,
}

impl Track {
    /// Returns every version that pings may see.
    pub fn in_use(&self) -> impl Iterator<Item = u32> {
        let trials = [self.canary, self.shadow].into_iter().flatten().map(|trial| trial.version);
        self.active.into_iter().chain(trials)
    }

    /// Returns the version that was active before the present one.
    pub fn before(&self) -> Option<u32> {
        self.served.iter().rev().copied().find(|version| Some(*version) != self.active)
    }
}

impl Versions {
    /// Returns a version by its number.
    pub fn version(&self, number: u32) -> Option<&Version> {
        self.all.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// Returns the digest of a version.
    pub fn digest(&self, number: u32) -> Option<Digest> {
        Some(self.version(number)?.digest)
    }

    /// Returns the number of the version with this digest.
    pub fn version_of(&self, digest: Digest) -> Option<u32> {
        self.numbered().find(|(_, version)| version.digest == digest).map(|(number, _)| number)
    }

    /// Returns every version with its number, oldest first.
    pub fn numbered(&self) -> impl DoubleEndedIterator<Item = (u32, &Version)> {
        let numbered = self.all.iter().enumerate();
        numbered.map(|(index, version)| {
            (u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1), version)
        })
    }

    /// Returns the number of the newest version; 0 if there is none.
    pub fn newest(&self) -> u32 {
        u32::try_from(self.all.len()).unwrap_or(u32::MAX)
    }

    /// Returns the track of a major version; without one, the lowest that serves.
    pub fn track(&self, major: Option<u32>) -> Option<(u32, &Track)> {
        let serving = self.tracks.iter().filter(|(_, track)| track.active.is_some());
        let found = match major {
            Some(major) => self.tracks.get_key_value(&major),
            None => serving.into_iter().next(),
        };
        found.map(|(major, track)| (*major, track))
    }

    /// Returns every version that pings may see.
    pub fn in_use(&self) -> impl Iterator<Item = u32> {
        self.tracks.values().flat_map(Track::in_use)
    }

    /// Returns the word for how a version stands.
    pub fn stage(&self, number: u32) -> &'static str {
        let Some(version) = self.version(number) else { return "unknown" };
        let track = self.tracks.get(&version.major);
        let on = |trial: fn(&Track) -> Option<Trial>| {
            track.and_then(trial).is_some_and(|trial| trial.version == number)
        };
        match track {
            Some(track) if track.active == Some(number) && track.taken_out.is_some() => "taken-out",
            Some(track) if track.active == Some(number) => "active",
            Some(_) if on(|track| track.canary) => "canary",
            Some(_) if on(|track| track.shadow) => "shadow",
            Some(_) | None => match version.last {
                Some(Step::Activated) => "draining",
                Some(Step::Retired) => "retired",
                Some(_) | None => "uploaded",
            },
        }
    }

    pub(super) fn upload(&mut self, at: Moment, uploaded: &ModuleUploaded) {
        uploaded.world.clone_into(&mut self.world);
        let ModuleUploaded { digest, bytes, major, minor, version, .. } = uploaded;
        let digest = Digest::from_bytes(*digest);
        let (bytes, major, minor) = (*bytes, *major, *minor);
        self.all.push(Version { digest, bytes, major, minor, last: None });
        let taken = (*version, "uploaded", Share::NONE);
        self.keep(at, taken, &uploaded.by, uploaded.why.clone());
    }

    pub(super) fn step(&mut self, at: Moment, stepped: &ModuleStepped) {
        let ModuleStepped { version: number, step, share, by, why, .. } = stepped;
        let index = usize::try_from(*number).unwrap_or(usize::MAX).saturating_sub(1);
        let Some(version) = self.all.get_mut(index) else { return };
        version.last = Some(*step);
        let share = Share::from_millionths(*share);
        let trial = Some(Trial { version: *number, share });
        let track = self.tracks.entry(version.major).or_default();
        let mut replaced = None;
        match step {
            Step::Shadowed => track.shadow = trial,
            Step::ShadowEnded => track.shadow = None,
            Step::Canaried => track.canary = trial,
            Step::CanaryEnded => track.canary = None,
            Step::TakenOut => track.taken_out = Some(why.clone()),
            Step::Retired => (),
            Step::Activated => {
                replaced = track.active.filter(|active| active != number);
                track.taken_out = None;
                if track.before() == Some(*number) {
                    // Going back, by whatever act: what is left here is no version to go back to.
                    track.served.retain(|served| Some(*served) != track.active);
                } else {
                    track.served.retain(|served| served != number);
                    track.served.push(*number);
                }
                track.active = Some(*number);
                // A version that serves is on trial no more.
                for trial in [&mut track.canary, &mut track.shadow] {
                    *trial = trial.take().filter(|trial| trial.version != *number);
                }
            }
        }
        self.keep(at, (*number, step.code(), share), by, why.clone());
        if let Some(replaced) = replaced {
            let why = format!("version {number} took its place");
            self.keep(at, (replaced, "draining", Share::NONE), by, why);
        }
    }

    fn keep(&mut self, at: Moment, taken: (u32, &'static str, Share), by: &str, why: String) {
        let (version, step, share) = taken;
        while self.steps.len() >= STEPS_KEPT_MAX {
            self.steps.pop_front();
        }
        self.steps.push_back(StepTaken { at, version, step, share, by: by.to_owned(), why });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_steps_are_kept_at_hand() {
        let version =
            Version { digest: Digest::of(b"zip"), bytes: 3, major: 0, minor: 0, last: None };
        let mut versions = Versions { all: vec![version], ..Versions::default() };
        for turn in 0..=STEPS_KEPT_MAX {
            let step = if turn % 2 == 0 { Step::Shadowed } else { Step::ShadowEnded };
            let (name, by, why) = ("zip".to_owned(), "anna".to_owned(), turn.to_string());
            let stepped = ModuleStepped { name, version: 1, step, share: 0, by, why };
            versions.step(Moment::from_unix_ms(0), &stepped);
        }
        let kept: Vec<&str> = versions.steps.iter().map(|step| step.why.as_str()).collect();
        assert_eq!((kept.len(), kept[0], kept[kept.len() - 1]), (STEPS_KEPT_MAX, "1", "200"));
    }
}
