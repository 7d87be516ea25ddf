//! The end point for leads: a test lead is posted there, twice, as a delivery would be.

use serde_json::{Value, json};

use super::check::{Args, PATIENCE};
use super::findings::Finding;
use crate::cli::Failure;
use crate::delivery::courier::{Courier, Outcome, Shipment};
use crate::egress::Egress;

/// Posts a test lead to this address twice.
pub(super) async fn leads(
    egress: &Egress,
    url: &str,
    args: &Args,
    (ping, mut lead): (&str, Value),
) -> Result<Vec<Finding>, Failure> {
    let check = "a test lead";
    let destination = match egress.check(url) {
        Ok(destination) => destination,
        Err(forbidden) => {
            let advice = ("leads go only to such addresses", "give another address");
            return Ok(vec![Finding::bad(check, forbidden.to_string(), advice)]);
        }
    };
    let courier = Courier::new(egress).map_err(|error| Failure::because(&error))?;
    let id = ping.replacen("pg_", "ld_", 1);
    if let Some(members) = lead.as_object_mut() {
        for (name, value) in [
            ("first_name", "Test"),
            ("last_name", "Lead"),
            ("email", "test.lead@example.com"),
            ("phone", "2025550100"),
            ("address", "1 Example St"),
        ] {
            members.insert(name.to_owned(), value.into());
        }
    }
    let body = json!({
        "lead_id": id, "ping_id": ping, "campaign": args.campaign, "test": true,
        "vertical": args.vertical, "price": "1.00", "currency": args.currency,
        "lead": lead,
    });
    let ship = async || {
        let shipment = Shipment {
            destination: &destination,
            body: body.to_string().into_bytes().into(),
            idempotency_key: format!("{id}-0-{}", args.campaign),
            timeout: PATIENCE,
            headers: &[],
            signing: None,
            way: None,
        };
        courier.ship(shipment).await
    };
    let (first, second) = (ship().await, ship().await);
    let mut findings = vec![verdict(check, &first)];
    let again = "the same lead twice";
    findings.push(if first == second {
            Finding::good(again, "the same answer to the same Idempotency-Key")
        } else {
            let seen = format!("{}, then {}", first.name(), second.name());
            let why = "an answer that is lost on the way is asked for again; without the same answer the lead stays in doubt";
            let mend = "remember the answer by its Idempotency-Key and give it again; or leave `idempotent` false";
            Finding::weak(again, seen, (why, mend))
        });
    Ok(findings)
}

fn verdict(check: &'static str, outcome: &Outcome) -> Finding {
    let mend = "answer 200 with {\"status\":\"accepted\",\"id\":…} or {\"status\":\"rejected\",\"reason\":…}";
    match outcome {
        Outcome::Sold { reference } => {
            let reference = reference.as_deref().unwrap_or("without a reference");
            Finding::good(check, format!("accepted, {reference}"))
        }
        Outcome::Rejected { reason } => Finding::good(check, format!("rejected: {reason}")),
        Outcome::Duplicate { reason } => Finding::good(check, format!("a duplicate: {reason}")),
        Outcome::Unknown { why } => {
            let matters =
                "nobody knows whether you have the lead: it is neither sold nor offered to another";
            Finding::bad(check, why.clone(), (matters, mend))
        }
        Outcome::NotSent { why, .. } | Outcome::Expired { why } => {
            Finding::bad(check, why.clone(), ("the lead cannot be delivered", mend))
        }
    }
}
