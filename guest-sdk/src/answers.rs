//! Answering in the dialect in which a submission came, so that a source moves to Gavel by changing an address only.
//!
//! # What is there
//!
//! [`FAMILIES`] holds what is known of the systems that sources come from. A [`Family`] says by what its submissions are
//! known, and in which dialects it is answered: one for each syntax. A [`Dialect`] is a table: for each verdict, the names
//! and values of the answer. A normalizer has all of them by default, and those of them that a vertical does not want cost
//! it nothing but bytes.
//!
//! # Which dialect
//!
//! The first of these that says it:
//!
//! 1. the last word of the address, `POST /v1/{vertical}/ping/{dialect}`: a family (`px`), or a family in one syntax
//!    (`px-xml`); `json` is the exchange's own JSON, `xml` the same in XML;
//! 2. the keys of the submission that one family alone has ([`Family::known_by`]), such as `ckm_campaign_id`;
//! 3. a field or an Accept header that asks for XML: the exchange's own words in XML;
//! 4. else the exchange's own JSON, which the exchange writes without asking the module.
//!
//! Which of a family's syntaxes is meant, where it has several, is asked as the family asks it ([`Ask`]).
//!
//! # What is answered
//!
//! - **Status.** Most families know 200 alone ([`Http::Always`]), some say what the exchange says ([`Http::AsOurs`]), and a
//!   row of a table may have one of its own. After 408, 409, 429 and from 500 on, a client that is told 200 would take the
//!   fault for a verdict: these stay in every dialect, with `Retry-After`.
//! - **Price.** Two digits after the point, [rounded down to the cent](round_down_to_cent), so that no source reads more
//!   than it is paid; the payout that is recorded stays exact. [`Is::PriceExact`] has all digits.
//! - **Pending.** The lead was taken and must not be sold elsewhere. A family without a word for that says what it says of
//!   a taken lead, without a price.
//! - **What a family says that a pure function cannot know** (its buyers' names, its clock) is left out.
//!
//! # A dialect of your own
//!
//! ```
//! use guest_sdk::answers::{self, Dialect, Family, Is, Row};
//! use guest_sdk::intake::{Field, Reader, Vertical, standard};
//! use guest_sdk::normalizer::{Normalized, Normalizer, Schema, Submission, Verdict::*};
//!
//! /// Sends `quik_id`, and reads `<bid ok="…">` as elements.
//! const QUIK: Family = Family::new(
//!     "quik",
//!     "Quik: known by `quik_id`.",
//!     &[Dialect::xml("bid", &[
//!         Row::both(&[Accepted, Sold, Pending], &[("ok", Is::Yes), ("id", Is::PingId), ("usd", Is::Price)]),
//!         Row::rest(&[("ok", Is::No), ("why", Is::Reason)]),
//!     ])],
//! )
//! .known_by(&["quik_id"]);
//!
//! const FAMILIES: &[&Family] = &[&QUIK, &answers::PX, &answers::OWN];
//!
//! static VERTICAL: Vertical = Vertical::new("boats", (1, 0), "A person who wants a boat.", &[], &[
//!     standard::PLACE,
//!     &[Field::new("length_feet", Reader::Integer(5, 500)).about("Length of the boat.").keys("length")],
//! ])
//! .answers(FAMILIES);
//!
//! struct Boats;
//!
//! impl Normalizer for Boats {
//!     const FAMILIES: &'static [&'static Family] = FAMILIES;
//!
//!     fn describe() -> Schema {
//!         VERTICAL.schema()
//!     }
//!
//!     fn normalize(submission: Submission) -> Normalized {
//!         VERTICAL.read(&submission)
//!     }
//! }
//! # use guest_sdk::normalizer::{Outcome, Stage};
//! # let outcome = Outcome {
//! #     stage: Stage::Ping, dialect: "quik".into(), accept: None, content: None, verdict: Accepted, status: 200,
//! #     ping_id: Some("pg_1".into()), lead_id: None, duplicate_of: None, price: Some(12_349_999), currency: "USD".into(),
//! #     copies: None, expires_ms: None, reason_code: None, reason: None, field: None, retry_after_s: None,
//! # };
//! # let answer = Boats::render(outcome).unwrap();
//! # assert_eq!(
//! #     String::from_utf8(answer.body).unwrap(),
//! #     "<bid><ok>true</ok><id>pg_1</id><usd>12.34</usd></bid>",
//! # );
//! ```
//!
//! The handle that the answer gives must be one that the post can give back: [`intake`](crate::intake) reads it from the
//! keys that sources use for it, such as `ping_id`, `lead_id`, `TransactionId`, `TXID`, `auth_code` and `token`.

mod boberdoo;
mod cake;
mod choice;
mod clickdealer;
mod juiced;
mod leadbyte;
mod leadconduit;
mod leaddistro;
mod leadprosper;
mod leadsdelivery;
mod leadspedia;
mod own;
mod px;
mod sunrun;
mod table;
#[cfg(test)]
mod tests;
mod write;

pub use boberdoo::BOBERDOO;
pub use cake::CAKE;
pub use clickdealer::CLICKDEALER;
pub use juiced::JUICED;
pub use leadbyte::LEADBYTE;
pub use leadconduit::LEADCONDUIT;
pub use leaddistro::LEADDISTRO;
pub use leadprosper::LEADPROSPER;
pub use leadsdelivery::LEADSDELIVERY;
pub use leadspedia::LEADSPEDIA;
pub use own::OWN;
pub use px::PX;
pub use sunrun::SUNRUN;
pub use table::{Ask, Dialect, Family, Http, Is, Parts, Row};
pub use write::round_down_to_cent;

pub(crate) use choice::{Heard, Marks, choose};

use crate::normalizer::{Answer, Dialect as Named, Outcome};

/// The name of the exchange's own JSON in addresses.
pub const OWN_JSON: &str = "json";

/// Every family of this kit. Where a submission has the keys of two, the first counts.
pub const FAMILIES: &[&Family] = &[
    &BOBERDOO,
    &CAKE,
    &CLICKDEALER,
    &JUICED,
    &LEADBYTE,
    &LEADCONDUIT,
    &LEADDISTRO,
    &LEADPROSPER,
    &LEADSDELIVERY,
    &LEADSPEDIA,
    &PX,
    &SUNRUN,
    &OWN,
];

/// Returns the names by which an address can choose these families and their dialects, and the exchange's own JSON.
#[must_use]
pub fn dialects(families: &[&Family]) -> Vec<Named> {
    let own = Named { name: OWN_JSON.into(), description: "The exchange's own JSON.".into() };
    let mut named = vec![own];
    for family in families {
        named.push(Named { name: family.name.into(), description: family.about.into() });
        for dialect in family.dialects.iter().filter(|_| family.dialects.len() > 1) {
            let description = format!(
                "As `{}`, always in {}.",
                family.name,
                dialect.syntax_word().to_ascii_uppercase()
            );
            named.push(Named { name: family.name_of(dialect), description });
        }
    }
    named
}

/// Words an answer in the dialect that the outcome names, or, before the submission was read, in the one that the address
/// and the headers choose; nothing if these families do not have it.
#[must_use]
pub fn render(families: &[&Family], outcome: &Outcome) -> Option<Answer> {
    let word = Some(outcome.dialect.as_str()).filter(|word| !word.is_empty());
    let (accept, sent) = (outcome.accept, outcome.content);
    let (family, dialect) =
        choose(families, &Heard { word, marked: None, field: None, accept, sent })?;
    let row = dialect.row(outcome)?;
    Some(Answer {
        status: family.status(row, outcome.status),
        content_type: dialect.content_type().into(),
        body: write::body(dialect, row.parts, outcome).into_bytes(),
    })
}
