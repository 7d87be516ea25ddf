//! What a buyer may show for its reason: words, an address, the hash of a file, an earlier lead, and never who the person
//! is.

use super::{ReturnWanted, Sold, find};
use crate::exchange::office::invalid;
use crate::exchange::{ActError, Exchange, REASON_BYTES_MAX};
use crate::facts::{Evidence, Person};
use crate::ids::{Digest, PingId};
use crate::reasons::ReturnReason;

/// A run of more digits in a text is taken for a phone number.
const DIGITS_MAX: usize = 6;

/// Refuses evidence that is too long or that holds contact data.
pub(super) fn check(evidence: &Evidence) -> Result<(), ActError> {
    let Evidence { text, url, hash, .. } = evidence;
    for (pointer, value) in [("/evidence/text", text), ("/evidence/url", url)] {
        if value.len() > REASON_BYTES_MAX {
            return Err(invalid(pointer, format!("has at most {REASON_BYTES_MAX} bytes")));
        }
    }
    let mut run = 0_usize;
    let digits = text.chars().any(|c| {
        run = match c {
            '0'..='9' => run.saturating_add(1),
            ' ' | '-' | '.' | '(' | ')' | '+' | '/' => run,
            _ => 0,
        };
        run > DIGITS_MAX
    });
    if digits || text.contains('@') {
        let message = "evidence holds no contact data, neither numbers nor addresses of a person; give the hash of a file instead";
        return Err(invalid("/evidence/text", message));
    }
    if !url.is_empty() && !url.starts_with("https://") {
        return Err(invalid("/evidence/url", "an address of evidence begins with https://"));
    }
    if !hash.is_empty() {
        Digest::parse(hash).map_err(|error| invalid("/evidence/hash", error))?;
    }
    Ok(())
}

impl Exchange {
    /// Says whether the evidence names an earlier lead that the same buyer bought, of the same person, and that says the
    /// same.
    pub(super) async fn proved(
        &self,
        wanted: &ReturnWanted,
        sold: &Sold,
    ) -> Result<bool, ActError> {
        let Some(lead) = wanted.evidence.lead.map(PingId::from_u128) else { return Ok(false) };
        if wanted.reason != ReturnReason::Duplicate {
            let message = "an earlier lead is evidence for the reason `duplicate` only";
            return Err(invalid("/evidence/lead_id", message));
        }
        let facts = self.history(lead).await.map_err(|_| ActError::Closed)?;
        let earlier =
            find(&facts, None, Some(&sold.sale.buyer)).filter(|earlier| earlier.seq < sold.seq);
        let earlier = earlier.ok_or_else(|| {
            let message = format!(
                "buyer `{}` bought no lead `{}` before this one",
                sold.sale.buyer,
                lead.lead()
            );
            invalid("/evidence/lead_id", message)
        })?;
        let (one, other) = (&sold.auction, &earlier.auction);
        let alike = (&one.vertical, &one.frame) == (&other.vertical, &other.frame);
        // Many people have one ZIP code and one car: what was pinged says nothing about who it is.
        Ok(alike && same_person(&sold.person, &earlier.person))
    }
}

/// Says whether two leads give the same phone number or the same e-mail address.
fn same_person(one: &Person, other: &Person) -> bool {
    let same = |one: Option<[u8; 32]>, other| one.is_some() && one == other;
    same(one.phone, other.phone) || same(one.email, other.email)
}
