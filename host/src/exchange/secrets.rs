//! What signs postbacks and deliveries: brought along or made here, sealed for its end point, replaced without a gap, and
//! opened only for an attempt.

use serde_json::Value;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::office::{invalid, saved};
use super::{ActError, Exchange, entrance};
use crate::catalog::{Buyer, HIDDEN, Owner, PostbackSpec, Secrets, SigningSpec};
use crate::clock::Moment;
use crate::egress::signing::{self, SECRET_BYTES};
use crate::ids::BuyerId;

/// An end point that is signed for.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Whom its secrets are sealed for.
    owner: String,
    /// Where the operator's body has it.
    pointer: &'static str,
    /// The command that makes a new secret.
    command: String,
}

impl Signed {
    pub(super) fn postback(owner: &Owner) -> Self {
        let command = format!("gavel postbacks rotate {owner}");
        Self { owner: owner.to_string(), pointer: PostbackSpec::POINTER, command }
    }

    pub(super) fn delivery(buyer: &BuyerId) -> Self {
        let command = format!("gavel buyer rotate {buyer}");
        Self { owner: format!("buyer:{buyer}:delivery"), pointer: SigningSpec::POINTER, command }
    }
}

impl Exchange {
    /// Gives an end point, as it is to be saved, what signs it: what signed before, what the operator brought along, or a
    /// new secret, which is returned: it is shown this once.
    pub(super) fn keep_secrets(
        &self,
        signed: &Signed,
        (before, secrets): (Option<&Secrets>, &mut Secrets),
        brought: Option<Zeroizing<Vec<u8>>>,
    ) -> Result<Option<String>, ActError> {
        let at = self.clock.now();
        *secrets = before.cloned().unwrap_or_default();
        secrets.forget_ended(at);
        match brought {
            Some(secret) => {
                let newest = secrets.newest(&signed.owner, &self.contacts);
                // The same body again changes nothing.
                if !newest.is_some_and(|newest| bool::from(newest.ct_eq(&secret))) {
                    self.put_secret(signed, secrets, &secret, at)?;
                }
                Ok(None)
            }
            None if secrets.is_empty() => self.renew(signed, secrets, at).map(Some),
            None => Ok(None),
        }
    }

    /// Makes a new secret the one that signs first, and returns it.
    pub(super) fn renew(
        &self,
        signed: &Signed,
        secrets: &mut Secrets,
        at: Moment,
    ) -> Result<String, ActError> {
        let random = entrance::random::<SECRET_BYTES>();
        let secret = Zeroizing::new(random.map_err(|error| invalid(signed.pointer, error))?);
        self.put_secret(signed, secrets, secret.as_slice(), at)?;
        Ok(signing::spelled(secret.as_slice()).to_string())
    }

    fn put_secret(
        &self,
        signed: &Signed,
        secrets: &mut Secrets,
        secret: &[u8],
        at: Moment,
    ) -> Result<(), ActError> {
        let sealed = self.contacts.seal_secret(&signed.owner, secret);
        let sealed = sealed.map_err(|error| invalid(signed.pointer, error))?;
        secrets.put(&sealed, at).map_err(|full| ActError::Conflict(full.to_string()))
    }

    /// Opens the secrets that sign at this moment.
    ///
    /// # Errors
    /// If none does, what to do about it.
    pub(super) fn signing(
        &self,
        signed: &Signed,
        secrets: &Secrets,
        at: Moment,
    ) -> Result<Vec<Zeroizing<Vec<u8>>>, String> {
        let opened = secrets.signing(&signed.owner, &self.contacts, at);
        if opened.is_empty() {
            return Err(format!(
                "its signing secret does not open with this exchange's keys: make a new one with `{}`",
                signed.command
            ));
        }
        Ok(opened)
    }

    /// Opens what signs a buyer's leads at this moment; nothing if they are not signed.
    ///
    /// # Errors
    /// If none opens, what to do about it.
    pub(super) fn delivery_signing(
        &self,
        buyer: &Buyer,
        at: Moment,
    ) -> Result<Option<Vec<Zeroizing<Vec<u8>>>>, String> {
        let secrets = buyer.signing.as_ref();
        secrets.map(|secrets| self.signing(&Signed::delivery(&buyer.id), secrets, at)).transpose()
    }

    /// Makes a new secret that signs a buyer's leads; the one before it signs beside it for a day. Returns it, and until
    /// when the other signs: it is shown this once.
    ///
    /// # Errors
    /// [`ActError::NotFound`] if there is no such buyer, [`ActError::Conflict`] if its leads are not signed or too many
    /// secrets sign already.
    pub async fn rotate_delivery(&self, id: &str) -> Result<(String, Moment), ActError> {
        let none = || ActError::NotFound(format!("buyer `{id}`"));
        let buyer = BuyerId::parse(id).map_err(|_| none())?;
        let draft = self.draft.lock().await;
        let mut spec = draft.register.buyers.get(&buyer).cloned().ok_or_else(none)?;
        let signing = spec.delivery.signing.as_mut().ok_or_else(|| {
            let why = format!("leads to buyer `{id}` are not signed");
            ActError::Conflict(format!("{why}: save it with `\"signing\": {{}}` in its `delivery`"))
        })?;
        let at = self.clock.now();
        let secret = self.renew(&Signed::delivery(&buyer), &mut signing.secrets, at)?;
        drop(self.change(draft, saved("buyer", id, &spec)?).await?);
        tracing::info!(buyer = id, "delivery secret changed");
        Ok((secret, at.after(Secrets::OLD_SIGNS)))
    }
}

/// Takes the signing secret out of a body that brings one along; the mark that stands in answers for one is none.
pub(super) fn brought(
    body: &mut Value,
    pointer: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, ActError> {
    let refused = |member: &str, why: &str| Err(invalid(&format!("{pointer}{member}"), why));
    let members = match body.pointer_mut(pointer) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(members)) => members,
        // What stands there instead may be a secret: it is not repeated.
        Some(_) if pointer == SigningSpec::POINTER => {
            return refused("", "write it as {\"secret\": \"whsec_..\"}, or {} to have one made");
        }
        Some(_) => return refused("", "write it as {\"url\": \"https://..\"}"),
    };
    for (member, instead) in [
        ("secrets", "the exchange keeps them: bring one along as `secret`, or leave it out"),
        ("disabled", "the exchange sets it: save without it, and the end point is used again"),
    ] {
        if members.contains_key(member) {
            return refused(&format!("/{member}"), instead);
        }
    }
    // Answers say it, so it may come back.
    members.remove("old_secret_until");
    match members.remove("secret") {
        None => Ok(None),
        Some(Value::String(text)) if text == HIDDEN => Ok(None),
        Some(given) => match signing::read(given.as_str().unwrap_or_default()) {
            Ok(secret) => Ok(Some(secret)),
            Err(no) => {
                refused("/secret", &format!("{no}; leave it out and the exchange makes one"))
            }
        },
    }
}
