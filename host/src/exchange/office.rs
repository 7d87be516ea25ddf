//! The operator's acts: each is checked whole, recorded, and only then seen by pings.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::secrets::{Signed, brought};
use super::{Exchange, Misnumbered, entrance};
use crate::book::{Account, State};
use crate::catalog::{BuyerSpec, Faults, Owner, PostbackSpec, SigningSpec, SourceSpec, owner};
use crate::delivery::courier::Outcome;
use crate::delivery::{self, Attempt, Errand};
use crate::facts::{Delivered, Fact, Party, Saved};
use crate::fixtures::Failed;
use crate::ids::{BuyerId, Digest, PingId, SourceId};
use crate::money::Micros;
use crate::sandbox::Inadmissible;
use crate::schemas;

/// The shortest key that a source or buyer may bring along, in bytes.
pub(super) const KEY_BYTES_MIN: usize = 16;
/// How many keys a source or buyer has at most: the newest and the one before it, so that they can be changed without a gap.
pub(super) const KEYS_MAX: usize = 2;
/// What a key for leads that are sold begins with.
const LIVE_KEY: &str = "gv_live_";
/// What a key for tests begins with.
const TEST_KEY: &str = "gv_test_";
/// The longest reference of a movement of money, in bytes.
pub(super) const REFERENCE_BYTES_MAX: usize = 128;

/// Why an operator's act was refused. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    #[error("there is no {0}")]
    NotFound(String),
    /// A body or a reference in it cannot be.
    #[error("{message}")]
    Invalid { pointer: String, message: String },
    /// Several objects do not fit together any more.
    #[error(transparent)]
    Faults(Faults),
    #[error(transparent)]
    Inadmissible(Inadmissible),
    /// A normalizer's schema cannot have the number that it has.
    #[error(transparent)]
    Misnumbered(Box<Misnumbered>),
    /// What the module carries along does not hold.
    #[error(transparent)]
    Fixtures(Failed),
    #[error("{0}")]
    Conflict(String),
    /// A version does not show what it must show before it may serve.
    #[error("{0}")]
    Gate(String),
    /// The book and the ledger do not agree.
    #[error("no money moves now: {0}")]
    MoneyStopped(String),
    #[error("the journal does not take facts any more")]
    Closed,
}

impl From<Faults> for ActError {
    fn from(faults: Faults) -> Self {
        match faults.0.as_slice() {
            [fault] => Self::Invalid { message: fault.to_string(), pointer: fault.pointer.clone() },
            _ => Self::Faults(faults),
        }
    }
}

/// A buyer as it was saved.
#[derive(Clone, Debug)]
pub struct SavedBuyer {
    /// Whether it is new.
    pub created: bool,
    /// The key that was made for it: shown this once, kept as a digest only.
    pub key: Option<String>,
    /// What signs its postbacks, if that was made now: shown this once, kept sealed.
    pub postback_secret: Option<String>,
    /// What signs its leads, likewise.
    pub delivery_secret: Option<String>,
}

/// A source as it was saved.
#[derive(Clone, Debug)]
pub struct SavedSource {
    /// Whether it is new.
    pub created: bool,
    /// The key that was made for it: shown this once, kept as a digest only.
    pub key: Option<String>,
    /// The key for tests that was made for it, likewise.
    pub test_key: Option<String>,
    /// What signs its postbacks, if that was made now: shown this once, kept sealed.
    pub postback_secret: Option<String>,
}

/// What the operator wants of a source's keys of one kind.
enum Asked {
    Nothing,
    New,
    Brought(String),
}

impl Asked {
    fn taken_from(body: &mut Value, key: &str, new_key: &str) -> Result<Self, ActError> {
        let Some(object) = body.as_object_mut() else { return Ok(Self::Nothing) };
        let digests = format!("{key}_digests");
        if object.contains_key(&digests) {
            let message = format!("keys are set with `{key}` or `{new_key}`");
            return Err(invalid(&format!("/{digests}"), message));
        }
        let brought = object.remove(key);
        let wanted = object.remove(new_key).is_some_and(|wanted| wanted == Value::Bool(true));
        match brought {
            Some(Value::String(key)) if key.len() >= KEY_BYTES_MIN => Ok(Self::Brought(key)),
            Some(_) => {
                let message = format!("a key is text of at least {KEY_BYTES_MIN} bytes");
                Err(invalid(&format!("/{key}"), message))
            }
            None if wanted => Ok(Self::New),
            None => Ok(Self::Nothing),
        }
    }

    /// Adds the key, and returns it if it was made here.
    fn add(
        self,
        digests: &mut Vec<Digest>,
        prefix: &str,
        needed: bool,
    ) -> Result<Option<String>, ActError> {
        match self {
            Self::Brought(key) => add_key(digests, &key),
            Self::Nothing if !needed => (),
            Self::New | Self::Nothing => {
                let key = new_key(prefix).map_err(|error| invalid("/new_key", error))?;
                add_key(digests, &key);
                return Ok(Some(key));
            }
        }
        Ok(None)
    }
}

impl Exchange {
    /// Saves a source. `key` brings an old key along; `new_key` makes a new one; the first save makes one anyway.
    /// `test_key` and `new_test_key` do the same for keys with which everything is a test.
    pub async fn save_source(&self, id: &str, mut body: Value) -> Result<SavedSource, ActError> {
        let source = SourceId::parse(id).map_err(|error| invalid("", error))?;
        let live = Asked::taken_from(&mut body, "key", "new_key")?;
        let test = Asked::taken_from(&mut body, "test_key", "new_test_key")?;
        if matches!(&live, Asked::Brought(key) if key.starts_with(TEST_KEY)) {
            let message = format!(
                "a key that begins with `{TEST_KEY}` is one for tests: bring it along as `test_key`"
            );
            return Err(invalid("/key", message));
        }
        let secret = brought(&mut body, PostbackSpec::POINTER)?;
        let mut spec: SourceSpec = read(body)?;
        let draft = self.draft.lock().await;
        let before = draft.register.sources.get(&source);
        spec.key_digests = before.map(|before| before.key_digests.clone()).unwrap_or_default();
        spec.test_key_digests =
            before.map(|before| before.test_key_digests.clone()).unwrap_or_default();
        let first = spec.key_digests.is_empty();
        let key = live.add(&mut spec.key_digests, LIVE_KEY, first)?;
        let test_key = test.add(&mut spec.test_key_digests, TEST_KEY, false)?;
        let created = before.is_none();
        let owner = Owner { party: Party::Source, name: id.to_owned() };
        let known = before.and_then(|before| before.postback.as_ref());
        let postback_secret =
            self.keep_postback(&owner, (known, spec.postback.as_mut()), secret)?;
        drop(self.change(draft, saved("source", id, &spec)?).await?);
        Ok(SavedSource { created, key, test_key, postback_secret })
    }

    /// Saves a buyer. Its keys are made and kept as those of sources; a secret header that only says that there is one
    /// stays as it is.
    pub async fn save_buyer(&self, id: &str, mut body: Value) -> Result<SavedBuyer, ActError> {
        let buyer = BuyerId::parse(id).map_err(|error| invalid("", error))?;
        let asked = Asked::taken_from(&mut body, "key", "new_key")?;
        let told_with = brought(&mut body, PostbackSpec::POINTER)?;
        let signed_with = brought(&mut body, SigningSpec::POINTER)?;
        let mut spec: BuyerSpec = read(body)?;
        let by_mail = spec.delivery.email.is_some() && spec.delivery.url.is_none();
        if by_mail && self.workshop.egress.relay().is_none() {
            let message = "this exchange has no mail relay: start it with --smtp and --smtp-from";
            return Err(invalid("/delivery/email", message));
        }
        let draft = self.draft.lock().await;
        let before = draft.register.buyers.get(&buyer);
        for (name, header) in &mut spec.delivery.headers {
            let known = before.and_then(|before| before.delivery.headers.get(name));
            let kept = header.clone().kept(known);
            let at = format!("/delivery/headers/{name}/secret");
            let kept = kept.map_err(|why| invalid(&at, why))?;
            let sealed = kept.sealed(&owner(&buyer, name), &self.contacts);
            *header = sealed.map_err(|why| invalid(&at, why))?;
        }
        spec.key_digests = before.map(|before| before.key_digests.clone()).unwrap_or_default();
        let (created, first) = (before.is_none(), spec.key_digests.is_empty());
        let key = asked.add(&mut spec.key_digests, LIVE_KEY, first)?;
        let owner = Owner { party: Party::Buyer, name: id.to_owned() };
        let known = before.and_then(|before| before.postback.as_ref());
        let told = (known, spec.postback.as_mut());
        let postback_secret = self.keep_postback(&owner, told, told_with)?;
        let known = before.and_then(|before| before.delivery.signing.as_ref());
        let signing = (known, spec.delivery.signing.as_mut());
        let delivery_secret = match signing {
            (_, None) => None,
            (known, Some(signing)) => {
                let secrets = (known.map(|known| &known.secrets), &mut signing.secrets);
                self.keep_secrets(&Signed::delivery(&buyer), secrets, signed_with)?
            }
        };
        drop(self.change(draft, saved("buyer", id, &spec)?).await?);
        Ok(SavedBuyer { created, key, postback_secret, delivery_secret })
    }

    /// Gives an owner's postback, as it is to be saved, what signs it. Returns the secret if one was made.
    fn keep_postback(
        &self,
        owner: &Owner,
        (before, spec): (Option<&PostbackSpec>, Option<&mut PostbackSpec>),
        brought: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Option<String>, ActError> {
        let Some(spec) = spec else { return Ok(None) };
        let secrets = (before.map(|before| &before.secrets), &mut spec.secrets);
        self.keep_secrets(&Signed::postback(owner), secrets, brought)
    }

    /// Saves a vertical, a campaign, a list, or the settings of a module or world. Returns whether it is new.
    pub async fn save<T>(&self, what: &str, id: &str, body: Value) -> Result<bool, ActError>
    where
        T: Serialize + DeserializeOwned,
    {
        BuyerId::parse(id).map_err(|error| invalid("", error))?;
        let spec: T = read(body)?;
        let draft = self.draft.lock().await;
        let register = &draft.register;
        let known = match what {
            "vertical" => register.verticals.keys().any(|known| known.as_str() == id),
            "campaign" => register.campaigns.keys().any(|known| known.as_str() == id),
            "policy" => register.policies.keys().any(|known| known.as_str() == id),
            "module" => register.modules.keys().any(|known| known.as_str() == id),
            "limits" => register.limits.contains_key(id),
            "suppression" => register.suppressions.contains_key(id),
            _ => register.lists.contains_key(id),
        };
        drop(self.change(draft, saved(what, id, &spec)?).await?);
        Ok(!known)
    }

    /// Returns a buyer's money.
    pub fn account(&self, buyer: &str) -> Account {
        self.book.decide(|book| book.account(buyer))
    }

    /// Returns what is owed to a source; below zero it owes, after returns.
    pub fn owed(&self, source: &str) -> Micros {
        self.book.decide(|book| book.owed(source))
    }

    /// Returns the balances of all ledger accounts.
    pub async fn balances(&self) -> Result<Vec<(String, Micros)>, ActError> {
        self.journal.balances().await.map_err(|_| ActError::Closed)
    }

    /// Returns the schema that a vertical serves by now.
    pub fn schema(&self, vertical: &str) -> Option<Value> {
        let market = self.catalog.load();
        Some(schemas::to_json(market.vertical_named(vertical)?.schema()))
    }

    /// Takes the operator's word for a delivery whose end nobody knew.
    ///
    /// # Errors
    ///
    /// [`ActError::NotFound`] if there is none; [`ActError::Conflict`] while its buyer is being asked again, whose own
    /// word it would overrule, or if it ended meanwhile.
    pub async fn resolve(
        self: &Arc<Self>,
        ping: PingId,
        copy: u32,
        outcome: Outcome,
    ) -> Result<Delivered, ActError> {
        let winner = self.book.decide(|book| {
            let open = book.open_ping(ping)?;
            let copy = open.copies.get(usize::try_from(copy).ok()?)?;
            open.winner(copy).filter(|_| copy.uncertain).cloned()
        });
        let winner = winner.ok_or_else(|| {
            ActError::NotFound(format!("delivery of unknown end for copy {copy} of {ping}"))
        })?;
        let errand = Errand::first(ping, copy, winner);
        let asked = |book: &State| {
            let open = book.open_ping(ping).filter(|open| !open.erased);
            open.and_then(|open| delivery::held(open, &errand)).is_some_and(|copy| copy.asked)
        };
        let concluded = self.conclude_unless(&errand, Attempt::of(outcome), asked).await;
        let delivered = concluded.map_err(|_| ActError::Closed)?.ok_or_else(|| {
            ActError::Conflict(match self.book.decide(|book| asked(book)) {
                true => self.being_asked(&errand.winner.buyer),
                false => "the delivery has ended meanwhile".to_owned(),
            })
        })?;
        // Whoever waited to ask again holds nobody back any more.
        self.lines.leave(&errand.winner.buyer, (ping, copy));
        if let Some(winner) = delivered.successor.clone() {
            self.tasks.spawn(Arc::clone(self).ship(Errand::first(ping, copy, winner)));
        }
        Ok(delivered)
    }

    /// Returns the words for whoever would settle a delivery while its buyer is being asked.
    fn being_asked(&self, buyer: &str) -> String {
        let market = self.catalog.load();
        let timeout = market.buyer_named(buyer).map(|buyer| buyer.timeout).unwrap_or_default();
        let seconds = timeout.as_millis().div_ceil(1_000);
        format!(
            "buyer `{buyer}` is being asked at this moment, and its own answer counts: try again in {seconds} s, if it has not ended by then"
        )
    }
}

fn add_key(digests: &mut Vec<Digest>, key: &str) {
    let digest = Digest::of(key.as_bytes());
    digests.retain(|known| *known != digest);
    digests.push(digest);
    while digests.len() > KEYS_MAX {
        digests.remove(0);
    }
}

/// Makes a key of 256 random bits. Its prefix lets scanners for leaked secrets know it.
fn new_key(prefix: &str) -> Result<String, getrandom::Error> {
    let bytes: [u8; 32] = entrance::random()?;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{prefix}{hex}"))
}

pub(super) fn saved(what: &str, id: &str, spec: &impl Serialize) -> Result<Fact, ActError> {
    let body = serde_json::to_string(spec).map_err(|error| invalid("", error))?;
    Ok(Fact::Saved(Saved { what: what.to_owned(), id: id.to_owned(), body }))
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, ActError> {
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let pointer = match path.as_str() {
            "." => String::new(),
            // The name of a member that cannot be is no part of the path.
            path => format!("/{}", path.trim_end_matches(".?").replace('.', "/")),
        };
        invalid(&pointer, error.into_inner())
    })
}

pub(super) fn invalid(pointer: &str, message: impl std::fmt::Display) -> ActError {
    ActError::Invalid { pointer: pointer.to_owned(), message: format!("{message}") }
}
