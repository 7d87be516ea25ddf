//! A lead as a letter: what a person at an agency needs to call back, and the same as JSON for a machine.
//!
//! The subject names no person: relays log it.

use serde_json::Value;
use zeroize::Zeroizing;

use super::courier::{Outcome, Refuser, without};
use super::spoken::Offer;
use super::{Errand, spoken};
use crate::catalog::Buyer;
use crate::egress::{Handed, Letter, Recipient, Relay};
use crate::facts::Winner;
use crate::lead::Schema;
use crate::money::Micros;

/// A label and what stands behind it are told apart by this column.
const COLUMN: usize = 26;

/// Writes to the person once.
pub(super) async fn attempt(
    relay: Option<Relay>,
    (buyer, to): (&Buyer, &Recipient),
    errand: &Errand,
    offer: &Offer<'_>,
    idempotency_key: &str,
) -> Outcome {
    let Some(relay) = relay else {
        let why = "this exchange has no mail relay: start it with --smtp and --smtp-from";
        return Outcome::NotSent { why: why.to_owned(), retry_after: None };
    };
    let lead = errand.ping.lead();
    let subject = format!("New {} lead for {}: {lead}", offer.vertical, errand.winner.campaign);
    let letter = Letter {
        to,
        id: idempotency_key,
        subject: &subject,
        text: text(errand, offer),
        attached: (format!("{lead}.json"), spoken::own(errand, offer)),
    };
    let clean = |text: String| without(offer.lead, &text);
    match relay.send(letter, buyer.timeout).await {
        Handed::Taken { words } => Outcome::Sold { reference: Some(clean(words)) },
        Handed::Refused { words } => {
            let reason = clean(format!("the relay answered {words}"));
            Outcome::Rejected { reason, by: Refuser::Door }
        }
        Handed::NotSent { why } => Outcome::NotSent { why: clean(why), retry_after: None },
        Handed::Unknown { why } => Outcome::Unknown { why: clean(why) },
    }
}

/// Writes what a person reads: who it is first, then what is wanted, then what it is about.
fn text(errand: &Errand, offer: &Offer<'_>) -> Zeroizing<String> {
    let (mut person, mut wish) = (Vec::new(), Vec::new());
    for (name, value) in offer.lead.as_object().into_iter().flatten() {
        let group = if is_contact(offer.schema, name) { &mut person } else { &mut wish };
        if let Some(value) = worded(value) {
            group.push((label(name), value));
        }
    }
    let Errand { ping, winner, .. } = errand;
    let terms = [
        ("Lead", ping.lead().to_string()),
        ("Campaign", winner.campaign.clone()),
        ("Vertical", offer.vertical.to_owned()),
    ];
    let terms = terms.into_iter().chain(bill(winner, offer.currency));
    let terms: Vec<(String, String)> =
        terms.map(|(label, value)| (label.to_owned(), value)).collect();
    let mut text = Zeroizing::new(String::new());
    text.push_str("You have bought this lead. The same is attached as JSON.\r\n");
    for (title, lines) in
        [("Contact", person.as_slice()), ("Request", wish.as_slice()), ("Sale", terms.as_slice())]
    {
        if lines.is_empty() {
            continue;
        }
        text.push_str(&format!("\r\n{title}\r\n"));
        for (label, value) in lines {
            text.push_str(&format!("  {:COLUMN$}{value}\r\n", format!("{label}:")));
        }
    }
    text
}

/// Returns what the lead costs; with its fees, where there are any.
fn bill(winner: &Winner, currency: &str) -> Vec<(&'static str, String)> {
    let amount = |amount: Micros| format!("{amount} {currency}");
    let price = ("Price", amount(Micros::new(winner.price)));
    match Micros::new(winner.fees.total()) {
        Micros::ZERO => vec![price],
        fees => vec![price, ("Fees", amount(fees)), ("Due", amount(winner.due()))],
    }
}

fn is_contact(schema: Option<&Schema>, name: &str) -> bool {
    schema.and_then(|schema| schema.field(name)).is_some_and(|(_, field)| field.contact)
}

/// Returns a field's name as a person reads it: `first_name` is `First name`.
fn label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Returns a value on one line, so that no value can look like a line of the exchange's.
fn worded(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().filter_map(worded).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                Some(format!("{} {}", label(name).to_lowercase(), worded(value)?))
            };
            members.iter().filter_map(member).collect::<Vec<_>>().join(", ")
        }
    };
    let plain = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = plain.filter(|word| !word.is_empty()).collect();
    Some(words.join(" ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::{Charged, Counted};

    #[test]
    fn a_value_is_one_line_that_a_person_reads() {
        for (value, expected) in [
            (json!("a\r\nPrice:   0.00\u{2028}b\u{85}c\td"), Some("a Price: 0.00 b c d")),
            (json!(true), Some("yes")),
            (json!(["x", "y"]), Some("x, y")),
            (json!([{"year": 2019, "make": "Toyota"}]), Some("year 2019, make Toyota")),
            (json!(" "), None),
            (json!(null), None),
        ] {
            assert_eq!(worded(&value).as_deref(), expected, "{value}");
        }
        assert_eq!(label("date_of_birth"), "Date of birth");
    }

    #[test]
    fn a_buyer_reads_what_is_due_where_it_pays_fees() {
        let mut winner = Winner {
            campaign: "acme-west".to_owned(),
            buyer: "acme".to_owned(),
            bid: 12_000_000,
            price: 8_010_000,
            fees: Charged::default(),
            exclusive: true,
            counted: Counted::default(),
        };
        assert_eq!(bill(&winner, "USD"), [("Price", "8.01 USD".to_owned())]);
        winner.fees = Charged { lead: 250_000, percent: 100_000 };
        let due = [("Price", "8.01 USD"), ("Fees", "0.35 USD"), ("Due", "8.36 USD")];
        assert_eq!(bill(&winner, "USD"), due.map(|(label, value)| (label, value.to_owned())));
    }
}
