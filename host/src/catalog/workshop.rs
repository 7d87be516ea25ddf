//! The workshop: the tools that building a snapshot needs, and what they made before.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contacts::Contacts;
use crate::egress::Egress;
use crate::ids::Digest;
use crate::lead::Schema;
use crate::sandbox::{
    Adapter, AdapterModule, Admitted, ConfigureError, ConfiguredFilter, Filter, Purpose, Sandbox,
};

/// How many configured filters, and how many configured adapters, are kept that the last snapshot does not use: going
/// back to earlier settings is quick.
const SPARE_MAX: usize = 64;
/// How many of them are kept in all. With more in use than the sandbox has slots, each change configures them anew.
const CONFIGURED_MAX: usize = 4_096;

/// Where building takes what it needs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stock {
    /// From what is compiled and configured already.
    AtHand,
    /// What is not there is made.
    Made,
}

/// What configuring with some settings came to. That they are refused is as worth keeping as what was made of them.
type Tried<T> = Result<T, ConfigureError>;

/// What building needs beside the draft: the sandbox, the guard of outbound addresses, and what was compiled before.
#[derive(Debug)]
pub struct Workshop {
    pub sandbox: Sandbox,
    pub egress: Egress,
    admitted: Mutex<HashMap<Digest, Admitted>>,
    configured: Mutex<Configured<Tried<ConfiguredFilter>>>,
    adapters: Mutex<Configured<Tried<Adapter>>>,
    keys: Option<Arc<Contacts>>,
}

impl Workshop {
    pub fn new(sandbox: Sandbox, egress: Egress) -> Self {
        let (configured, adapters) = (Mutex::default(), Mutex::default());
        Self { sandbox, egress, admitted: Mutex::default(), configured, adapters, keys: None }
    }

    /// Returns the workshop with the keys that open buyers' secrets.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<Contacts>) -> Self {
        self.keys = Some(keys);
        self
    }

    pub(super) fn keys(&self) -> Option<&Contacts> {
        self.keys.as_deref()
    }

    /// Keeps a compiled module for the builds to come.
    pub fn keep(&self, digest: Digest, admitted: Admitted) {
        lock(&self.admitted).insert(digest, admitted);
    }

    /// Drops what was compiled of every module but these, so that memory does not grow with the number of versions.
    pub fn keep_only(&self, digests: &HashSet<Digest>) {
        lock(&self.admitted).retain(|digest, _| digests.contains(digest));
        lock(&self.configured).all.retain(|(digest, _), _| digests.contains(digest));
        lock(&self.adapters).all.retain(|(digest, _), _| digests.contains(digest));
    }

    /// Drops what was configured and is not in a snapshot that was just built, save for the newest.
    pub(super) fn built(&self) {
        lock(&self.configured).built();
        lock(&self.adapters).built();
    }

    /// Returns whether a module is compiled.
    pub fn has(&self, digest: Digest) -> bool {
        lock(&self.admitted).contains_key(&digest)
    }

    /// Returns the schema of a normalizer that is compiled.
    pub fn schema(&self, digest: Digest) -> Option<Arc<Schema>> {
        match lock(&self.admitted).get(&digest)? {
            Admitted::Normalizer(normalizer) => Some(Arc::clone(normalizer.schema())),
            Admitted::Filter(_) | Admitted::Adapter(_) => None,
        }
    }

    /// Returns a compiled module.
    pub fn module(&self, digest: Digest) -> Option<Admitted> {
        lock(&self.admitted).get(&digest).cloned()
    }

    /// Configures a filter with the settings of its campaigns; nothing if that is not at hand and has to be.
    pub(super) fn configure(
        &self,
        stock: Stock,
        filter: &Filter,
        settings: &[String],
    ) -> Option<Tried<ConfiguredFilter>> {
        let key = (filter.digest(), Digest::of(settings.join("\u{0}").as_bytes()));
        let make = || filter.configure_to(Purpose::Serve, settings);
        tried(&self.configured, (stock, key), make)
    }

    /// Configures an adapter with the settings of its buyer, likewise.
    pub(super) fn configure_adapter(
        &self,
        stock: Stock,
        module: &AdapterModule,
        settings: &str,
    ) -> Option<Tried<Adapter>> {
        let key = (module.digest(), Digest::of(settings.as_bytes()));
        let make = || module.configure_to(Purpose::Serve, settings);
        tried(&self.adapters, (stock, key), make)
    }
}

/// What was configured, by the digests of its module and of its settings.
#[derive(Debug)]
struct Configured<T> {
    /// How many snapshots were built.
    builds: u64,
    /// Each with the number of builds before it was last used.
    all: HashMap<(Digest, Digest), (u64, T)>,
}

impl<T> Default for Configured<T> {
    fn default() -> Self {
        Self { builds: 0, all: HashMap::new() }
    }
}

impl<T: Clone> Configured<T> {
    fn find(&mut self, key: (Digest, Digest)) -> Option<T> {
        let (used, configured) = self.all.get_mut(&key)?;
        *used = self.builds;
        Some(configured.clone())
    }

    fn keep(&mut self, key: (Digest, Digest), configured: T) {
        if self.all.len() >= CONFIGURED_MAX {
            self.all.clear();
        }
        self.all.insert(key, (self.builds, configured));
    }

    fn built(&mut self) {
        let last = self.builds;
        let mut spare: Vec<_> = self.all.iter().map(|(key, (used, _))| (*used, *key)).collect();
        spare.retain(|(used, _)| *used < last);
        spare.sort_unstable_by_key(|(used, _)| *used);
        let surplus = spare.len().saturating_sub(SPARE_MAX);
        for (_, key) in spare.iter().take(surplus) {
            self.all.remove(key);
        }
        self.builds = last.saturating_add(1);
    }
}

fn tried<T: Clone>(
    configured: &Mutex<Configured<Tried<T>>>,
    (stock, key): (Stock, (Digest, Digest)),
    make: impl FnOnce() -> Tried<T>,
) -> Option<Tried<T>> {
    if let Some(known) = lock(configured).find(key) {
        return Some(known);
    }
    if stock == Stock::AtHand {
        return None;
    }
    let made = make();
    // Any other failure may be the machine's.
    if matches!(made, Ok(_) | Err(ConfigureError::Settings { .. })) {
        lock(configured).keep(key, made.clone());
    }
    Some(made)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A cache is whole between its operations, so a panic elsewhere leaves it usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> (Digest, Digest) {
        (Digest::of(b"module"), Digest::of(&number.to_le_bytes()))
    }

    /// Builds a snapshot that uses these.
    fn build(configured: &mut Configured<usize>, used: impl Iterator<Item = usize>) -> usize {
        let mut made = 0;
        for number in used {
            if configured.find(key(number)).is_none() {
                configured.keep(key(number), number);
                made += 1;
            }
        }
        configured.built();
        made
    }

    #[test]
    fn what_is_in_use_is_configured_once_however_many_there_are() {
        let mut configured = Configured::default();
        assert_eq!(build(&mut configured, 0..2_000), 2_000);
        // One filter's settings change from build to build.
        for change in 2_000..2_500 {
            assert_eq!(build(&mut configured, (0..1_999).chain([change])), 1);
        }
        assert_eq!(configured.all.len(), 2_000 + SPARE_MAX);
    }

    #[test]
    fn the_newest_settings_are_kept_for_going_back() {
        let mut configured = Configured::default();
        for settings in 0..1_000 {
            build(&mut configured, [settings].into_iter());
        }
        assert_eq!(build(&mut configured, [999 - SPARE_MAX + 1].into_iter()), 0);
        assert_eq!(build(&mut configured, [999 - 2 * SPARE_MAX].into_iter()), 1);
    }

    #[test]
    fn there_is_an_end_to_what_is_kept_between_two_builds() {
        let mut configured = Configured::default();
        for number in 0..2 * CONFIGURED_MAX {
            configured.keep(key(number), number);
            assert!(configured.all.len() <= CONFIGURED_MAX);
        }
    }
}
