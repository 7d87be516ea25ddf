//! The ways in which a buyer gets its leads: as the operator says them, and as they are used.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::headers::HeaderSpec;
use super::secrets::SigningSpec;
use super::spec::AdapterSpec;
use super::status::StatusSpec;
use super::transfer::{Transfer, TransferSpec, transfer};
use crate::egress::{Destination, Egress, Recipient};

/// How a buyer gets its leads: by one of `url`, `email` and `transfer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"url\": \"https://..\"}")]
pub struct DeliverySpec {
    /// Posted there. HTTPS, or HTTP on loopback where that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Written to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailSpec>,
    /// As callers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer: Option<TransferSpec>,
    /// How long the buyer's answer is waited for, or the relay's.
    #[serde(default = "DeliverySpec::default_timeout_ms")]
    pub timeout_ms: u32,
    /// The buyer promises that a second post with the same Idempotency-Key, or a second letter with the same Message-ID,
    /// has no second effect. Without that promise a delivery whose end is unknown is never sent again.
    #[serde(default)]
    pub idempotent: bool,
    /// Where the buyer says what became of a lead that it may have: then it is asked there before anything is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusSpec>,
    /// Leads go to the buyer one at a time, in the order in which their posts were taken: one that does not get through
    /// holds back the buyer's others until it is given up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_order: bool,
    /// Headers of every request to the buyer, by name: put there by the exchange, so that no adapter sees them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderSpec>,
    /// Every lead that is posted is signed as Standard Webhooks says; absent means that none is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<SigningSpec>,
    /// Speaks the buyer's dialect; absent means the exchange's own JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterSpec>,
}

/// A person who gets leads by e-mail, through the operator's relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object such as {\"to\": \"leads@buyer.example\"}")]
pub struct EmailSpec {
    /// One plain address.
    pub to: String,
}

impl DeliverySpec {
    /// The longest time that a buyer's answer may be waited for.
    pub const TIMEOUT_MS_MAX: u32 = 60_000;

    fn default_timeout_ms() -> u32 {
        5_000
    }
}

/// How a buyer gets its leads.
#[derive(Clone, Debug)]
pub enum Way {
    /// Posted to its end point.
    Url(Destination),
    /// Written to a person.
    Email(Recipient),
    /// Callers are transferred to it.
    Transfer(Transfer),
}

/// Checks how a buyer gets its leads, and how long an attempt may take.
pub(super) fn way(
    what: &str,
    spec: &DeliverySpec,
    egress: &Egress,
) -> Result<(Way, Duration), Fault> {
    let fault = |pointer: &str, message: &str| Err(Fault::new(&what, pointer, message));
    let way = match (&spec.url, &spec.email, &spec.transfer) {
        (Some(url), None, None) => {
            let checked = egress.check(url);
            Way::Url(checked.map_err(|why| Fault::new(&what, "/delivery/url", why.to_string()))?)
        }
        (None, Some(EmailSpec { to }), None) => {
            let read = Recipient::parse(to);
            Way::Email(read.map_err(|no| Fault::new(&what, "/delivery/email/to", no.to_string()))?)
        }
        (None, None, Some(spec)) => Way::Transfer(transfer(what, spec)?),
        (None, None, None) => {
            let message = "say where the leads go: `url`, such as \"https://crm.buyer.example/leads\", `email`, such as {\"to\": \"leads@buyer.example\"}, or `transfer`, such as {\"number\": \"+15125550100\", \"connected_seconds\": 90}";
            return fault("/delivery", message);
        }
        _ => {
            let message = "a lead goes one way: keep one of `url`, `email` and `transfer`";
            return fault("/delivery", message);
        }
    };
    if spec.adapter.is_some() && !matches!(way, Way::Url(_)) {
        return fault("/delivery/adapter", "an adapter speaks with an end point: it needs a `url`");
    }
    if spec.signing.is_some() && !matches!(way, Way::Url(_)) {
        let message = "only what is posted is signed: it needs a `url`; leave it out";
        return fault("/delivery/signing", message);
    }
    if spec.status.is_some() && !matches!(way, Way::Url(_)) {
        let message = "only who takes what is posted has one: it needs a `url`; leave it out";
        return fault("/delivery/status", message);
    }
    if spec.in_order && matches!(way, Way::Transfer(_)) {
        let message = "callers do not wait for one another: leave it out";
        return fault("/delivery/in_order", message);
    }
    let most = DeliverySpec::TIMEOUT_MS_MAX;
    if !(1..=most).contains(&spec.timeout_ms) {
        return fault("/delivery/timeout_ms", &format!("must be 1 to {most}"));
    }
    Ok((way, Duration::from_millis(u64::from(spec.timeout_ms))))
}
