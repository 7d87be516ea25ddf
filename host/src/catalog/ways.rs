//! The ways in which a buyer gets its leads: as the operator says them, and as they are used.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::Fault;
use super::headers::HeaderSpec;
use super::spec::AdapterSpec;
use crate::egress::{Destination, Egress, Recipient};

/// How a buyer gets its leads: by one of `url` and `email`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliverySpec {
    /// Posted there. HTTPS, or HTTP on loopback where that is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Written to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailSpec>,
    /// How long the buyer's answer is waited for, or the relay's.
    #[serde(default = "DeliverySpec::default_timeout_ms")]
    pub timeout_ms: u32,
    /// The buyer promises that a second post with the same Idempotency-Key, or a second letter with the same Message-ID,
    /// has no second effect. Without that promise a delivery whose end is unknown is never sent again.
    #[serde(default)]
    pub idempotent: bool,
    /// Headers of every request to the buyer, by name: put there by the exchange, so that no adapter sees them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderSpec>,
    /// Speaks the buyer's dialect; absent means the exchange's own JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterSpec>,
}

/// A person who gets leads by e-mail, through the operator's relay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
}

/// Checks how a buyer gets its leads, and how long an attempt may take.
pub(super) fn way(
    what: &str,
    spec: &DeliverySpec,
    egress: &Egress,
) -> Result<(Way, Duration), Fault> {
    let fault = |pointer: &str, message: &str| Err(Fault::new(&what, pointer, message));
    let way = match (&spec.url, &spec.email) {
        (Some(url), None) => {
            let checked = egress.check(url);
            Way::Url(checked.map_err(|why| Fault::new(&what, "/delivery/url", why.to_string()))?)
        }
        (None, Some(EmailSpec { to })) => {
            let read = Recipient::parse(to);
            Way::Email(read.map_err(|no| Fault::new(&what, "/delivery/email/to", no.to_string()))?)
        }
        (None, None) => {
            let message = "say where the leads go: `url`, such as \"https://crm.buyer.example/leads\", or `email`, such as {\"to\": \"leads@buyer.example\"}";
            return fault("/delivery", message);
        }
        (Some(_), Some(_)) => {
            return fault("/delivery", "a lead goes one way: keep one of `url` and `email`");
        }
    };
    if spec.adapter.is_some() && !matches!(way, Way::Url(_)) {
        return fault("/delivery/adapter", "an adapter speaks with an end point: it needs a `url`");
    }
    let most = DeliverySpec::TIMEOUT_MS_MAX;
    if !(1..=most).contains(&spec.timeout_ms) {
        return fault("/delivery/timeout_ms", &format!("must be 1 to {most}"));
    }
    Ok((way, Duration::from_millis(u64::from(spec.timeout_ms))))
}
