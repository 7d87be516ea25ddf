//! The workshop: the tools that building a snapshot needs, and what they made before.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contacts::Contacts;
use crate::egress::Egress;
use crate::ids::Digest;
use crate::lead::Schema;
use crate::sandbox::{
    Adapter, AdapterModule, Admitted, ConfigureError, ConfiguredFilter, Filter, Sandbox,
};

/// How many configured filters, and how many configured adapters, are kept for the next build, beyond those in use.
const CONFIGURED_KEPT_MAX: usize = 1_024;

/// What building needs beside the draft: the sandbox, the guard of outbound addresses, and what was compiled before.
#[derive(Debug)]
pub struct Workshop {
    pub sandbox: Sandbox,
    pub egress: Egress,
    admitted: Mutex<HashMap<Digest, Admitted>>,
    configured: Mutex<HashMap<(Digest, Digest), ConfiguredFilter>>,
    adapters: Mutex<HashMap<(Digest, Digest), Adapter>>,
    keys: Option<Arc<Contacts>>,
}

impl Workshop {
    pub fn new(sandbox: Sandbox, egress: Egress) -> Self {
        let (admitted, configured) = (Mutex::default(), Mutex::default());
        Self { sandbox, egress, admitted, configured, adapters: Mutex::default(), keys: None }
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
        lock(&self.configured).retain(|(digest, _), _| digests.contains(digest));
        lock(&self.adapters).retain(|(digest, _), _| digests.contains(digest));
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

    pub(super) fn configure(
        &self,
        filter: &Filter,
        settings: &[String],
    ) -> Result<ConfiguredFilter, ConfigureError> {
        let key = (filter.digest(), Digest::of(settings.join("\u{0}").as_bytes()));
        if let Some(configured) = lock(&self.configured).get(&key) {
            return Ok(configured.clone());
        }
        let configured = filter.configure(settings)?;
        let mut kept = lock(&self.configured);
        if kept.len() >= CONFIGURED_KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, configured.clone());
        Ok(configured)
    }

    pub(super) fn configure_adapter(
        &self,
        module: &AdapterModule,
        settings: &str,
    ) -> Result<Adapter, ConfigureError> {
        let key = (module.digest(), Digest::of(settings.as_bytes()));
        if let Some(configured) = lock(&self.adapters).get(&key) {
            return Ok(configured.clone());
        }
        let configured = module.configure(settings)?;
        let mut kept = lock(&self.adapters);
        if kept.len() >= CONFIGURED_KEPT_MAX {
            kept.clear();
        }
        kept.insert(key, configured.clone());
        Ok(configured)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A cache is whole between its operations, so a panic elsewhere leaves it usable.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
