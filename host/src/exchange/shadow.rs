//! Shadows: a version on trial judges what the active one judged, after the fact and off the hot path, and decides
//! nothing.
//!
//! What pings leave for it waits in a bounded queue of its own; what finds the queue full is counted and dropped. One thread
//! works on all queues and rests as long as it works, so that a shadow that loops or traps on every lead takes at most half of
//! one core from the traffic.

mod observed;
mod queue;
mod reading;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

pub(super) use self::observed::Observed;
use self::queue::{Queue, Waiting, queue};
pub(super) use self::reading::read;
use super::Exchange;
use super::diff::named;
use super::pair::{Auction, Seat, read_fields};
use crate::catalog::{Draft, Lot, Serving, Vertical, Workshop};
use crate::clock::Moment;
use crate::comparison::{Comparison, Readings};
use crate::facts::PingAnswered;
use crate::ids::{Digest, ModuleName};
use crate::ingest::Submission;
use crate::sandbox::{Admitted, Normalizer};

pub use self::queue::{QUEUE_BYTES_MAX, QUEUE_MAX};

/// How many trials are remembered; of more, those that ended first are forgotten.
pub const TRIALS_MAX: usize = 64;
/// How long the thread works before it rests as long.
const WORK: Duration = Duration::from_millis(5);

/// A trial: the module, the version on trial, and the active one.
type Key = (ModuleName, u32, u32);

/// What pings left for the shadows.
enum Seen {
    Auction { vertical: Arc<Vertical>, filter: usize, auction: Box<Auction> },
    Submission { vertical: Arc<Vertical>, submission: Box<Submission> },
}

/// One trial.
#[derive(Clone, Debug)]
struct Trial {
    digests: (Digest, Digest),
    observed: Observed,
    began: Moment,
    ended: Option<Moment>,
    /// What the queue had no room for.
    dropped: u64,
}

/// The shadows of an exchange.
#[derive(Debug)]
pub(super) struct Shadows {
    queue: Queue<Key, Seen>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    workshop: Arc<Workshop>,
    trials: Mutex<BTreeMap<Key, Trial>>,
    stopping: CancellationToken,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auction { .. } => "Auction",
            Self::Submission { .. } => "Submission",
        })
    }
}

impl Seen {
    fn bytes(&self) -> usize {
        match self {
            Self::Auction { .. } => 0,
            Self::Submission { submission, .. } => submission.body.len(),
        }
    }

    fn key(&self) -> Option<Key> {
        fn of<T>(serving: &Serving<T>) -> Option<Key> {
            let (_, shadow) = serving.shadow.as_ref()?;
            let (name, active) =
                (serving.active.module.name.clone(), serving.active.module.version);
            Some((name, shadow.module.version, active))
        }
        match self {
            Self::Auction { vertical, filter, .. } => of(vertical.filters.get(*filter)?),
            Self::Submission { vertical, .. } => of(&vertical.normalizer),
        }
    }
}

impl Shadows {
    /// Starts the thread that judges. It judges nothing once `stopping`, and ends when these shadows are dropped: it
    /// keeps no module for itself, so what an exchange had open is closed with the exchange.
    pub(super) fn start(workshop: Arc<Workshop>, stopping: CancellationToken) -> io::Result<Self> {
        let (queue, waiting) = queue();
        let shared = Arc::new(Shared { workshop, trials: Mutex::default(), stopping });
        let working = Arc::downgrade(&shared);
        std::thread::Builder::new()
            .name("shadow".to_owned())
            .spawn(move || work(&working, &waiting))?;
        Ok(Self { queue, shared })
    }

    /// Leaves an auction for the shadows of its vertical's filters.
    pub(super) fn see(&self, vertical: &Arc<Vertical>, answered: &PingAnswered) {
        for (index, serving) in vertical.filters.iter().enumerate() {
            let lot = || Lot::draw(&answered.ping.to_be_bytes(), &serving.active.module.name);
            if serving.shadows(lot).is_none() {
                continue;
            }
            let seated = |campaign: &str| {
                let slot = vertical.campaign(campaign).and_then(|campaign| campaign.filter);
                slot.is_some_and(|slot| slot.filter == index)
            };
            if let Some(auction) = Auction::of(answered, seated) {
                let (vertical, auction) = (Arc::clone(vertical), Box::new(auction));
                self.leave(Seen::Auction { vertical, filter: index, auction });
            }
        }
    }

    fn see_submission(&self, vertical: &Arc<Vertical>, submission: &Submission) {
        let serving = &vertical.normalizer;
        let lot = || Lot::draw(submission.body_digest().as_bytes(), &serving.active.module.name);
        if serving.shadows(lot).is_some() {
            let (vertical, submission) = (Arc::clone(vertical), Box::new(submission.clone()));
            self.leave(Seen::Submission { vertical, submission });
        }
    }

    fn leave(&self, seen: Seen) {
        let Some(key) = seen.key() else { return };
        let bytes = seen.bytes();
        if self.queue.leave(&key, seen, bytes) {
            return;
        }
        count(&key, "dropped");
        if let Some(trial) = self.shared.trials().get_mut(&key) {
            trial.dropped = trial.dropped.saturating_add(1);
        }
    }

    /// Begins and ends trials as a catalog says, and logs what those that ended found.
    pub(super) fn settle(&self, draft: &Draft, at: Moment) {
        let mut current = BTreeMap::new();
        for (name, versions) in draft.modules.iter() {
            for track in versions.tracks.values() {
                let (Some(active), Some(shadow)) = (track.active, track.shadow) else { continue };
                let digest = |version| versions.digest(version).unwrap_or_default();
                let digests = (digest(active), digest(shadow.version));
                let observed = match versions.world.as_str() {
                    "normalizer" => Observed::Normalizer(Readings::default()),
                    _ => Observed::Filter(Comparison::default()),
                };
                let trial = Trial { digests, observed, began: at, ended: None, dropped: 0 };
                current.insert((name.clone(), shadow.version, active), trial);
            }
        }
        let mut trials = self.shared.trials();
        for (key, trial) in trials.iter_mut() {
            if trial.ended.is_none() && !current.contains_key(key) {
                trial.ended = Some(at);
                let (module, version, active) = key;
                let (found, dropped) = (trial.observed.summary(), trial.dropped);
                tracing::info!(%module, version, active, dropped, found, "shadow ended");
            }
        }
        for (key, trial) in current {
            if trials.get(&key).is_none_or(|known| known.ended.is_some()) {
                trials.insert(key, trial);
            }
        }
        while trials.len() > TRIALS_MAX {
            let ended = trials.iter().filter_map(|(key, trial)| Some((trial.ended?, key.clone())));
            let Some((_, oldest)) = ended.min() else { break };
            trials.remove(&oldest);
        }
    }

    /// Returns what the trial of a version against the active one found, if there is or was one.
    pub(super) fn observed(&self, name: &ModuleName, shadow: u32, active: u32) -> Option<Observed> {
        let trials = self.shared.trials();
        trials.get(&(name.clone(), shadow, active)).map(|trial| trial.observed.clone())
    }

    fn newest(&self, name: &ModuleName, version: Option<u32>) -> Option<(Key, Trial)> {
        let trials = self.shared.trials();
        let asked = |key: &Key| key.0 == *name && version.is_none_or(|version| key.1 == version);
        let found = trials.iter().filter(|(key, _)| asked(key));
        let newest = found.max_by_key(|(key, trial)| (trial.ended.is_none(), trial.began, key.1));
        newest.map(|(key, trial)| (key.clone(), trial.clone()))
    }
}

impl Shared {
    fn trials(&self) -> MutexGuard<'_, BTreeMap<Key, Trial>> {
        // A count is whole between its operations, so a panic elsewhere leaves it usable.
        self.trials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge(&self, seen: Seen) {
        let Some(key) = seen.key() else { return };
        let outcome = match seen {
            Seen::Auction { vertical, filter, auction } => {
                self.judge_auction(&key, &vertical, filter, &auction)
            }
            Seen::Submission { vertical, submission } => {
                self.judge_submission(&key, &vertical.normalizer, &submission)
            }
        };
        if let Some(outcome) = outcome {
            count(&key, outcome);
        }
    }

    fn judge_auction(
        &self,
        key: &Key,
        vertical: &Vertical,
        filter: usize,
        auction: &Auction,
    ) -> Option<&'static str> {
        let serving = vertical.filters.get(filter)?;
        let (_, shadow) = serving.shadow.as_ref()?;
        let seat = |campaign: &str| Seat::of(vertical.campaign(campaign)?);
        let sight = auction.judge(seat, (&serving.active.code, &shadow.code))?;
        let mut trials = self.trials();
        let Observed::Filter(comparison) = &mut trials.get_mut(key)?.observed else { return None };
        let lead = || {
            let digests = [shadow.module.digest, serving.active.module.digest];
            let needs =
                digests.into_iter().filter_map(|digest| match self.workshop.module(digest) {
                    Some(Admitted::Filter(filter)) => Some(filter.needs().to_vec()),
                    Some(Admitted::Normalizer(_) | Admitted::Adapter(_)) | None => None,
                });
            read_fields(&auction.frame, needs.flatten().collect::<Vec<_>>().iter())
        };
        let differs = comparison.add(&sight, lead);
        Some(outcome(sight.new.spent.is_err(), differs))
    }

    fn judge_submission(
        &self,
        key: &Key,
        serving: &Serving<Normalizer>,
        submission: &Submission,
    ) -> Option<&'static str> {
        let (_, shadow) = serving.shadow.as_ref()?;
        let (old, new) = (read(&serving.active, submission)?, read(shadow, submission)?);
        let mut trials = self.trials();
        let Observed::Normalizer(readings) = &mut trials.get_mut(key)?.observed else {
            return None;
        };
        let differs = readings.add((&old.0, &old.1), (&new.0, &new.1));
        Some(outcome(new.1.is_err(), differs))
    }
}

/// Judges what waits, at most half of the time.
fn work(shared: &Weak<Shared>, waiting: &Waiting<Key, Seen>) {
    let mut worked = Duration::ZERO;
    while let Some((key, seen)) = waiting.next() {
        let Some(shared) = shared.upgrade() else { return };
        if shared.stopping.is_cancelled() {
            continue;
        }
        let began = Instant::now();
        shared.judge(seen);
        drop(shared);
        let took = began.elapsed();
        waiting.took(&key, took);
        worked = worked.saturating_add(took);
        if worked >= WORK {
            std::thread::sleep(worked);
            worked = Duration::ZERO;
        }
    }
}

fn outcome(failed: bool, differs: bool) -> &'static str {
    match (failed, differs) {
        (true, _) => "failed",
        (false, true) => "differs",
        (false, false) => "same",
    }
}

fn count((module, version, _): &Key, outcome: &'static str) {
    let (module, version) = (module.as_str().to_owned(), version.to_string());
    metrics::counter!("gavel_shadow_leads_total", "module" => module, "version" => version, "outcome" => outcome).increment(1);
}

impl Exchange {
    /// Leaves a submission that was answered for the shadow of its vertical's normalizer.
    pub fn shadow_submission(&self, submission: &Submission) {
        let market = self.catalog.load();
        if let Some(vertical) = market.vertical(&submission.vertical) {
            self.shadows.see_submission(vertical, submission);
        }
    }

    /// Returns what the newest shadow of a module found so far, or the newest of one version: the same as a diff, of
    /// live traffic. It is kept in memory, so a restart begins anew.
    pub fn shadow(&self, name: &str, version: Option<u32>) -> Option<Json> {
        let name = ModuleName::parse(name).ok()?;
        let ((_, shadow, active), trial) = self.shadows.newest(&name, version)?;
        let market = self.catalog.load();
        let idle = market.setbacks().idle(&name, shadow).filter(|_| trial.ended.is_none());
        let label = |version: u32| format!("version {version}");
        let mut found = json!({
            "module": name,
            "world": trial.observed.world(),
            "old": named(Some(active), &label(active), trial.digests.0),
            "new": named(Some(shadow), &label(shadow), trial.digests.1),
            "settings": "then",
            "from": trial.began.to_string(),
            "to": trial.ended.map(|ended| ended.to_string()),
            "complete": trial.dropped == 0,
            "dropped": trial.dropped,
            "idle": idle.map(ToString::to_string),
        });
        if let (Some(found), Json::Object(counted)) =
            (found.as_object_mut(), trial.observed.to_json())
        {
            found.extend(counted);
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::Egress;
    use crate::facts::{Fact, ModuleStepped, ModuleUploaded, Step};
    use crate::money::Share;
    use crate::sandbox::{Limits, Sandbox};

    fn shadows() -> Shadows {
        let sandbox = Sandbox::open(&Limits::default()).unwrap();
        let workshop = Arc::new(Workshop::new(sandbox, Egress::public()));
        Shadows::start(workshop, CancellationToken::new()).unwrap()
    }

    /// An exchange's record of modules, and the moment of the newest step.
    struct Record(Draft, Moment);

    impl Record {
        fn new() -> Self {
            Self(Draft::default(), Moment::from_unix_ms(0))
        }

        fn upload(&mut self, name: &str, version: u32) {
            let fact = Fact::ModuleUploaded(ModuleUploaded {
                name: name.to_owned(),
                version,
                digest: *Digest::of(&version.to_le_bytes()).as_bytes(),
                world: "filter".to_owned(),
                bytes: 1,
                major: 0,
                minor: 0,
                passed: Vec::new(),
                by: String::new(),
                why: String::new(),
            });
            self.0.apply(self.1, &fact).unwrap();
        }

        fn step(&mut self, shadows: &Shadows, name: &str, version: u32, step: Step) {
            self.1 = Moment::from_unix_ms(self.1.unix_ms() + 1);
            let (by, why) = (String::new(), String::new());
            let share = Share::WHOLE.millionths();
            let name = name.to_owned();
            let fact = Fact::ModuleStepped(ModuleStepped { name, version, step, share, by, why });
            self.0.apply(self.1, &fact).unwrap();
            shadows.settle(&self.0, self.1);
        }
    }

    /// The trials of a module: `shadow/active`, with `!` if it has ended.
    fn trials(shadows: &Shadows, name: &str) -> Vec<String> {
        let trials = shadows.shared.trials();
        let of_module = trials.iter().filter(|((module, ..), _)| module.as_str() == name);
        of_module
            .map(|((_, shadow, active), trial)| {
                format!("{shadow}/{active}{}", if trial.ended.is_some() { "!" } else { "" })
            })
            .collect()
    }

    #[test]
    fn a_trial_lasts_while_both_versions_stand_as_they_do() {
        let (shadows, mut record) = (shadows(), Record::new());
        for version in 1..=3 {
            record.upload("zips", version);
        }
        let mut check = |version, step, expected: &[&str]| {
            record.step(&shadows, "zips", version, step);
            assert_eq!(trials(&shadows, "zips"), expected, "{version} {step:?}");
        };
        check(1, Step::Activated, &[]);
        check(2, Step::Shadowed, &["2/1"]);
        check(2, Step::Shadowed, &["2/1"]);
        check(3, Step::Shadowed, &["2/1!", "3/1"]);
        check(2, Step::Activated, &["2/1!", "3/1!", "3/2"]);
        check(3, Step::Activated, &["2/1!", "3/1!", "3/2!"]);
        check(2, Step::Shadowed, &["2/1!", "2/3", "3/1!", "3/2!"]);
        check(2, Step::ShadowEnded, &["2/1!", "2/3!", "3/1!", "3/2!"]);
        check(2, Step::Shadowed, &["2/1!", "2/3", "3/1!", "3/2!"]);
    }

    #[test]
    fn of_too_many_trials_those_that_ended_first_are_forgotten() {
        let (shadows, mut record) = (shadows(), Record::new());
        let names: Vec<String> = (0..TRIALS_MAX + 5).map(|number| format!("m{number}")).collect();
        for name in &names {
            record.upload(name, 1);
            record.upload(name, 2);
            record.step(&shadows, name, 1, Step::Activated);
            record.step(&shadows, name, 2, Step::Shadowed);
            record.step(&shadows, name, 2, Step::ShadowEnded);
        }
        assert_eq!(shadows.shared.trials().len(), TRIALS_MAX);
        assert_eq!(trials(&shadows, "m4"), Vec::<String>::new());
        assert_eq!(trials(&shadows, "m5"), ["2/1!"]);
    }
}
