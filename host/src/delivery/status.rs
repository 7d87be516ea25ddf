//! The status call: a buyer that may have a lead is asked what became of it, and is sent nothing.
//!
//! What it says of the lead settles the copy, as its answer to the post would have. What it does not have is sent again, once
//! it had the time to take in what was under way: until then it may only not have it yet.

use std::time::Duration;

use super::courier::{Courier, Outcome, Reader, Standing, StatusCall};
use super::spoken::{Offer, read_by, speaks};
use super::{Attempt, Errand};
use crate::catalog::{Buyer, StatusPage};

/// How long after its last attempt a buyer is believed that it does not have the lead.
pub const ABSENCE_BELIEVED_AFTER: Duration = Duration::from_secs(30);

/// Asks a buyer once what became of a lead. It was tried last so long `ago`.
pub async fn inquire(
    courier: &Courier,
    (buyer, page): (&Buyer, &StatusPage),
    errand: &Errand,
    offer: &Offer<'_>,
    ago: Duration,
) -> Attempt {
    let spoken = buyer.adapter.as_ref().map(|serving| Ok((serving, speaks(serving, errand)?)));
    let spoken = match spoken.transpose() {
        Ok(spoken) => spoken,
        Err(why) => return Attempt::of(Outcome::Unknown { why }),
    };
    let reader = spoken.map(|(_, served)| Reader::new(&served.code));
    let key = errand.idempotency_key();
    let call = StatusCall {
        url: &page.of(&errand.ping.lead().to_string(), &key),
        idempotency_key: &key,
        timeout: buyer.timeout,
        headers: buyer.headers.all(),
        signing: offer.signing,
        not_found: &page.not_found,
        reader: reader.as_ref(),
        lead: offer.lead,
    };
    let outcome = concluded(courier.ask(call).await, ago);
    match (spoken, reader.map(Reader::taken)) {
        (Some((serving, served)), Some(Some(read))) => {
            read_by(serving, served, (outcome, 0), Some(read))
        }
        _ => Attempt::of(outcome),
    }
}

/// What a buyer's word means for the attempt. Until what was on its way must have arrived only a yes is believed: a no may
/// be that of a page that does not know the lead yet.
fn concluded(standing: Standing, ago: Duration) -> Outcome {
    let settled = ago >= ABSENCE_BELIEVED_AFTER;
    match standing {
        Standing::Absent { why } if settled => Outcome::Absent {
            why: format!("the buyer says that it does not have the lead: its status page {why}"),
        },
        Standing::Absent { why } => Outcome::Unknown {
            why: format!("the buyer does not have the lead yet: its status page {why}"),
        },
        Standing::Known(sold @ Outcome::Sold { .. }) => sold,
        Standing::Known(no @ (Outcome::Rejected { .. } | Outcome::Duplicate { .. })) if settled => {
            no
        }
        Standing::Known(Outcome::Rejected { reason, .. } | Outcome::Duplicate { reason }) => {
            let why = format!("its status page says no, and may not know the lead yet: {reason}");
            Outcome::Unknown { why }
        }
        // Nothing was to be sent: what could not be asked is as unknown as before.
        Standing::Known(
            Outcome::Unknown { why }
            | Outcome::NotSent { why, .. }
            | Outcome::Unreached { why }
            | Outcome::Absent { why }
            | Outcome::Expired { why },
        ) => Outcome::Unknown { why: format!("its status page says nothing certain: {why}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::courier::Refuser;

    #[test]
    fn a_lead_that_is_not_there_may_be_on_its_way() {
        let absent = || Standing::Absent { why: "answered 404".to_owned() };
        let early = concluded(absent(), ABSENCE_BELIEVED_AFTER - Duration::from_millis(1));
        assert!(matches!(early, Outcome::Unknown { .. }), "{early:?}");
        let late = concluded(absent(), ABSENCE_BELIEVED_AFTER);
        assert!(matches!(late, Outcome::Absent { .. }), "{late:?}");
    }

    #[test]
    fn what_cannot_be_asked_is_not_known_to_be_unsent() {
        let busy = Outcome::NotSent { why: "answered 429".to_owned(), retry_after: None };
        let concluded = |outcome| concluded(Standing::Known(outcome), Duration::MAX);
        let why = "its status page says nothing certain: answered 429".to_owned();
        assert_eq!(concluded(busy), Outcome::Unknown { why });
        let no = Outcome::Rejected { reason: "cap".to_owned(), by: Refuser::Buyer };
        assert_eq!(concluded(no.clone()), no);
    }

    #[test]
    fn at_first_only_a_yes_is_believed() {
        let yes = Outcome::Sold { reference: None };
        let no = Outcome::Rejected { reason: "no record".to_owned(), by: Refuser::Buyer };
        let early = |outcome| concluded(Standing::Known(outcome), Duration::from_secs(1));
        assert_eq!(early(yes.clone()), yes);
        assert!(matches!(early(no), Outcome::Unknown { .. }));
    }
}
