//! Where a source or a buyer hears what became of its leads: as the operator says it, and as it is sent there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Market;
use super::faults::{Fault, Faults};
use super::secrets::Secrets;
use super::spec::Register;
use crate::egress::{Destination, Egress};
use crate::facts::{Event, Party};
use crate::ids::{BuyerId, SourceId};

/// Who has a postback: a source or a buyer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    pub party: Party,
    pub name: String,
}

impl Owner {
    /// Reads an owner as [`fmt::Display`] writes it.
    pub fn parse(text: &str) -> Option<Self> {
        let (party, name) = text.split_once(':')?;
        let party = Party::ALL.into_iter().find(|known| known.code() == party)?;
        match party {
            Party::Source => SourceId::parse(name).ok().map(drop),
            Party::Buyer => BuyerId::parse(name).ok().map(drop),
        }?;
        Some(Self { party, name: name.to_owned() })
    }
}

/// Such as `source:web`.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.party.code(), self.name)
    }
}

/// Where and of what an owner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostbackSpec {
    /// HTTPS, or HTTP on loopback where that is allowed.
    pub url: String,
    /// The events that it is told of, such as `lead.sold`; empty means all that there are for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// What signs its postbacks, the newest first. The exchange makes them.
    #[serde(default, skip_serializing_if = "Secrets::is_empty")]
    pub secrets: Secrets,
    /// The end point said that it is gone. The exchange sets it, and saving the owner again takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<DisabledSpec>,
}

impl PostbackSpec {
    /// Where the body of a source or a buyer has it.
    pub const POINTER: &str = "/postback";
}

/// Why nothing is sent to an end point any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisabledSpec {
    pub at_ms: i64,
    pub why: String,
}

/// Where and of what an owner is told, checked.
#[derive(Clone, Debug)]
pub struct Postback {
    pub destination: Destination,
    events: Vec<Event>,
    pub secrets: Secrets,
    /// Why nothing is sent there any more.
    pub disabled: Option<DisabledSpec>,
}

impl Postback {
    /// Returns whether it is to be told of an event, as soon as it is told anything.
    pub fn wants(&self, event: Event) -> bool {
        self.events.is_empty() || self.events.contains(&event)
    }
}

impl Market {
    /// Returns where an owner is told, if it is.
    pub fn postback(&self, owner: &Owner) -> Option<&Postback> {
        self.postbacks.get(owner)
    }

    /// Returns everybody who is told, and where.
    pub fn postbacks(&self) -> impl Iterator<Item = (&Owner, &Postback)> {
        self.postbacks.iter()
    }

    /// Takes in where sources and buyers are told what became of their leads.
    pub(super) fn told(&mut self, register: &Register, egress: &Egress, faults: &mut Faults) {
        let sources = register.sources.iter();
        let sources = sources.map(|(id, spec)| (Party::Source, id.to_string(), &spec.postback));
        let buyers = register.buyers.iter();
        let buyers = buyers.map(|(id, spec)| (Party::Buyer, id.to_string(), &spec.postback));
        for (party, name, spec) in sources.chain(buyers) {
            let Some(spec) = spec else { continue };
            let owner = Owner { party, name };
            let postback = faults.keep(checked(&owner, spec, egress));
            self.postbacks.extend(postback.map(|postback| (owner, postback)));
        }
    }
}

/// Checks where an owner is told.
fn checked(owner: &Owner, spec: &PostbackSpec, egress: &Egress) -> Result<Postback, Fault> {
    let what = format!("{} {}", owner.party.code(), owner.name);
    let destination = egress.check(&spec.url);
    let destination =
        destination.map_err(|error| Fault::new(&what, "/postback/url", error.to_string()))?;
    let mut events = Vec::with_capacity(spec.events.len());
    for (place, name) in spec.events.iter().enumerate() {
        let there = || Event::ALL.into_iter().filter(|event| event.is_for(owner.party));
        let event = there().find(|event| event.code() == name).ok_or_else(|| {
            let names: Vec<&str> = there().map(Event::code).collect();
            let message = format!(
                "a {} is told of {}, not of `{name}`; leave `events` out for all",
                owner.party.code(),
                names.join(", ")
            );
            Fault::new(&what, &format!("/postback/events/{place}"), message)
        })?;
        events.push(event);
    }
    let (secrets, disabled) = (spec.secrets.clone(), spec.disabled.clone());
    Ok(Postback { destination, events, secrets, disabled })
}
