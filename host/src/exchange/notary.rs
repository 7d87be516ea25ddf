//! The notary: the key that signs receipts, the keys before it, and whose each campaign was at any time.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{ActError, Exchange};
use crate::clock::Moment;
use crate::facts::{Fact, KeyAdopted, Saved};
use crate::settlement::receipt::seal::SealKey;
use crate::settlement::receipt::view::Viewer;
use crate::signing::{self, KeyError, KeySource, PublicKey, SigningKey};

/// Whose each campaign was, by the versions of the catalog.
#[derive(Debug, Default)]
pub(super) struct Owners(HashMap<String, Vec<(u64, Arc<str>)>>);

impl Owners {
    /// Notes a fact in the order of the journal.
    pub(super) fn note(&mut self, seq: u64, fact: &Fact) {
        #[derive(Deserialize)]
        struct Owned {
            buyer: String,
        }
        let Fact::Saved(Saved { what, id, body }) = fact else { return };
        if what != "campaign" {
            return;
        }
        let Ok(Owned { buyer }) = serde_json::from_str(body) else { return };
        let owners = self.0.entry(id.clone()).or_default();
        if owners.last().is_none_or(|(_, last)| **last != *buyer) {
            owners.push((seq, buyer.into()));
        }
    }

    /// Returns the buyer of a campaign in a version of the catalog.
    pub(super) fn owner(&self, campaign: &str, catalog: u64) -> Option<String> {
        let owners = self.0.get(campaign)?;
        let past = owners.partition_point(|(seq, _)| *seq <= catalog);
        Some(owners.get(past.checked_sub(1)?)?.1.as_ref().to_owned())
    }
}

/// What journals say about keys and owners.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The keys in the order in which they were adopted.
    pub(super) keys: Vec<(PublicKey, Moment)>,
    pub(super) owners: Owners,
}

impl Known {
    /// Notes a fact in the order of the journal.
    pub(super) fn note(&mut self, seq: u64, at: Moment, fact: &Fact) {
        if let Fact::KeyAdopted(adopted) = fact {
            self.keys.push((PublicKey::from_bytes(adopted.public), at));
        }
        self.owners.note(seq, fact);
    }
}

/// Signs in the exchange's name.
#[derive(Debug)]
pub(super) struct Notary {
    data: PathBuf,
    source: KeySource,
    pub(super) seal: SealKey,
    signing: RwLock<Arc<SigningKey>>,
    known: RwLock<Known>,
}

impl Notary {
    /// Takes the keys of a directory, and makes them there if there are none.
    pub(super) fn open(data: PathBuf, source: KeySource, known: Known) -> Result<Self, KeyError> {
        let signing = Arc::new(signing::signing_key(&data, &source)?);
        let seal = SealKey::new(signing::seal(&data)?);
        let (signing, known) = (RwLock::new(signing), RwLock::new(known));
        Ok(Self { data, source, seal, signing, known })
    }

    /// Returns the key that signs now.
    pub(super) fn key(&self) -> Arc<SigningKey> {
        Arc::clone(&self.signing.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn known(&self) -> RwLockReadGuard<'_, Known> {
        // A list is whole between its operations, so a panic elsewhere leaves it usable.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the key that signs is the one that the journal names.
    fn is_adopted(&self) -> bool {
        let key = self.key().public();
        self.known().keys.last().is_some_and(|(last, _)| *last == key)
    }
}

impl Exchange {
    /// Records the key that signs, unless it is the one that the journal names: after the first start, and after a key
    /// was changed while the exchange was closed.
    pub(super) async fn adopt_key(&self) -> Result<(), ActError> {
        if self.notary.is_adopted() {
            return Ok(());
        }
        let public = self.notary.key().public();
        let fact = Fact::KeyAdopted(KeyAdopted { public: *public.as_bytes() });
        let at = self.clock.now();
        let seat = self.journal.seat().await.map_err(|_| ActError::Closed)?;
        let committed = self.book.decide(|book| self.record(book, seat, at, &fact, None));
        let seq = committed.wait().await.map_err(|_| ActError::Closed)?;
        self.notary.known_mut().note(seq, at, &fact);
        tracing::info!(key = public.id(), "receipts are signed with this key from here on");
        Ok(())
    }

    /// Makes a new signing key. What the keys before it signed stays checkable.
    ///
    /// # Errors
    ///
    /// [`ActError::Conflict`] if the key comes from elsewhere or cannot be written.
    pub async fn rotate_key(&self) -> Result<Value, ActError> {
        let _turn = self.draft.lock().await;
        if self.notary.source != KeySource::Own {
            let message = "the signing key is given from outside: change it there and start the exchange again";
            return Err(ActError::Conflict(message.to_owned()));
        }
        let data = self.notary.data.clone();
        let made = tokio::task::spawn_blocking(move || signing::rotate(&data));
        let made = made.await.map_err(|_| ActError::Closed)?;
        let made = made.map_err(|error| {
            tracing::error!(%error, "signing key not changed");
            ActError::Conflict(format!("{error}; the key is as it was"))
        })?;
        *self.notary.signing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(made);
        self.adopt_key().await?;
        Ok(self.keys())
    }

    /// Returns whom a source's or a buyer's key belongs to.
    pub fn holder(&self, key: &str) -> Option<Viewer> {
        let market = self.catalog.load();
        let source = market.source_by_key(key);
        let source = source.map(|(source, _)| Viewer::Source(source.id.to_string()));
        source.or_else(|| Some(Viewer::Buyer(market.buyer_by_key(key)?.id.to_string())))
    }

    /// Returns the public keys that receipts are checked with, the one that signs first.
    pub fn keys(&self) -> Value {
        let signing = self.notary.key().public();
        let known = self.notary.known();
        let mut until: BTreeMap<PublicKey, Moment> = BTreeMap::new();
        for pair in known.keys.windows(2) {
            if let [(before, _), (_, since)] = pair {
                until.insert(*before, *since);
            }
        }
        let keys = known.keys.iter().rev().map(|(key, since)| {
            let until = until.get(key).filter(|_| *key != signing);
            json!({
                "key": key.id(),
                "algorithm": "ed25519",
                "public": key.to_string(),
                "signs": *key == signing,
                "since": since.to_string(),
                "until": until.map(ToString::to_string),
            })
        });
        json!({"keys": keys.collect::<Vec<Value>>()})
    }
}
