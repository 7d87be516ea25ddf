//! Live transfers: the buyer's number, and what its agent hears of the lead before the caller does.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::faults::{Fault, Faults};
use super::{Market, Way};
use crate::lead::{PingView, Schema};

/// The longest value of a lead that is spoken, in characters.
pub const SPOKEN_CHARS_MAX: usize = 80;
/// What is spoken where the lead does not say.
const UNSAID: &str = "unknown";

/// A buyer that takes callers. The source or its dialer transfers the caller and says how the call went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an object such as {\"number\": \"+15125550100\", \"connected_seconds\": 90}"
)]
pub struct TransferSpec {
    /// As it is dialled from anywhere, such as `+15125550100`.
    pub number: String,
    /// What the buyer's agent hears first: a text with fields of the lead in braces, such as `{state}`.
    #[serde(default)]
    pub whisper: String,
    /// How long the caller must be connected with the buyer to be sold.
    pub connected_seconds: u32,
    /// How long the source has to say how the call went. After it the copy is nobody's.
    #[serde(default = "TransferSpec::default_report_within_seconds")]
    pub report_within_seconds: u32,
}

impl TransferSpec {
    pub const CONNECTED_SECONDS_MAX: u32 = 3_600;
    pub const REPORT_SECONDS_MIN: u32 = 10;
    pub const REPORT_SECONDS_MAX: u32 = 86_400;
    /// The longest whisper before its fields are filled in, in characters.
    pub const WHISPER_CHARS_MAX: usize = 500;

    fn default_report_within_seconds() -> u32 {
        3_600
    }
}

/// A buyer that takes callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub number: String,
    whisper: Vec<Piece>,
    pub connected_seconds: u32,
    pub report_within: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Words(String),
    Field(String),
}

impl Transfer {
    /// Returns what the buyer's agent hears about this lead.
    pub fn whisper(&self, lead: Option<&PingView>) -> String {
        let mut told = String::new();
        for piece in &self.whisper {
            match piece {
                Piece::Words(words) => told.push_str(words),
                Piece::Field(name) => {
                    let value = lead.and_then(|lead| lead.get(name));
                    let value = value.map(|value| spoken(&value.to_json()));
                    told.push_str(value.as_deref().unwrap_or(UNSAID));
                }
            }
        }
        told
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        self.whisper.iter().filter_map(|piece| match piece {
            Piece::Field(name) => Some(name.as_str()),
            Piece::Words(_) => None,
        })
    }

    /// Returns what is wrong with the whisper for leads of this schema.
    fn unfit(&self, schema: &Schema) -> Option<String> {
        self.fields().find_map(|name| match schema.field(name) {
            Some((_, field)) if !field.contact => None,
            Some(_) => {
                Some(format!("`{name}` says who the person is: a whisper is kept, so leave it out"))
            }
            None => Some(format!("leads of `{}` have no field `{name}`", schema.vertical())),
        })
    }
}

fn spoken(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        serde_json::Value::Array(values) => {
            values.iter().map(spoken).collect::<Vec<String>>().join(", ")
        }
        other => other.to_string(),
    };
    let plain = text.chars().map(|c| if c.is_control() || c.is_whitespace() { ' ' } else { c });
    plain.take(SPOKEN_CHARS_MAX).collect()
}

/// Checks what an operator says of a buyer that takes callers.
pub(super) fn transfer(what: &str, spec: &TransferSpec) -> Result<Transfer, Fault> {
    let fault = |member: &str, message: String| {
        Err(Fault::new(&what, &format!("/delivery/transfer/{member}"), message))
    };
    let digits = spec.number.strip_prefix('+').unwrap_or_default();
    let dialled = (8..=15).contains(&digits.len()) && !digits.starts_with('0');
    if !dialled || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return fault("number", "write it with its country, such as +15125550100".to_owned());
    }
    let (least, most) = (TransferSpec::REPORT_SECONDS_MIN, TransferSpec::REPORT_SECONDS_MAX);
    if !(least..=most).contains(&spec.report_within_seconds) {
        return fault("report_within_seconds", format!("must be {least} to {most}"));
    }
    let longest = TransferSpec::CONNECTED_SECONDS_MAX.min(spec.report_within_seconds);
    if !(1..=longest).contains(&spec.connected_seconds) {
        let message = format!("must be 1 to {longest}, which the time for the report allows");
        return fault("connected_seconds", message);
    }
    let whisper = match pieces(&spec.whisper) {
        Ok(pieces) => pieces,
        Err(message) => return fault("whisper", message),
    };
    Ok(Transfer {
        number: spec.number.clone(),
        whisper,
        connected_seconds: spec.connected_seconds,
        report_within: Duration::from_secs(u64::from(spec.report_within_seconds)),
    })
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let most = TransferSpec::WHISPER_CHARS_MAX;
    if text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("must be one line of at most {most} characters"));
    }
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').ok_or("a `{` has no `}`".to_owned())?;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(format!("`{{{name}}}` is no field: write one such as {{state}}"));
        }
        pieces.push(Piece::Words(before.to_owned()));
        pieces.push(Piece::Field(name.to_owned()));
        rest = behind;
    }
    if format!("{rest}{}", words(&pieces)).contains('}') {
        return Err("a `}` has no `{`".to_owned());
    }
    pieces.push(Piece::Words(rest.to_owned()));
    pieces.retain(|piece| *piece != Piece::Words(String::new()));
    Ok(pieces)
}

fn words(pieces: &[Piece]) -> String {
    let words = pieces.iter().map(|piece| match piece {
        Piece::Words(words) => words.as_str(),
        Piece::Field(_) => "",
    });
    words.collect()
}

impl Market {
    /// Checks that whispers name fields that the leads have: for a buyer without campaigns those of any vertical, else
    /// those of every one that it buys.
    pub(super) fn check_whispers(&self, faults: &mut Faults) {
        let mut buying = BTreeSet::new();
        let mut told = |buyer: &super::Buyer, unfit: Option<String>| {
            if let Some(message) = unfit {
                let what = format!("buyer {}", buyer.id);
                faults.0.push(Fault::new(&what, "/delivery/transfer/whisper", message));
            }
        };
        for vertical in self.verticals.values() {
            for campaign in &vertical.campaigns {
                let Way::Transfer(transfer) = &campaign.buyer.way else { continue };
                buying.insert(&campaign.buyer.id);
                told(&campaign.buyer, transfer.unfit(vertical.schema()));
            }
        }
        for buyer in self.buyers.values().filter(|buyer| !buying.contains(&buyer.id)) {
            let Way::Transfer(transfer) = &buyer.way else { continue };
            let unfit = self.verticals.values().map(|vertical| transfer.unfit(vertical.schema()));
            let unfit: Vec<Option<String>> = unfit.collect();
            let fits = unfit.iter().any(Option::is_none);
            told(buyer, unfit.into_iter().flatten().next().filter(|_| !fits));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str, whisper: &str, connected_seconds: u32, within: u32) -> String {
        let spec = TransferSpec {
            number: number.to_owned(),
            whisper: whisper.to_owned(),
            connected_seconds,
            report_within_seconds: within,
        };
        match transfer("buyer b", &spec) {
            Ok(transfer) => transfer.whisper(None),
            Err(fault) => format!("{} {}", fault.pointer, fault.message),
        }
    }

    #[test]
    fn a_transfer_is_checked_whole() {
        let number = "+15125550100";
        assert_eq!(check(number, "Auto, {state}: {age}!", 90, 3_600), "Auto, unknown: unknown!");
        assert_eq!(check(number, "", 90, 90), "");
        for wrong in ["5125550100", "+1512", "+0125550100", "+1512555010x", "+1234567890123456"] {
            let told = check(wrong, "", 90, 3_600);
            assert!(
                told.starts_with("/delivery/transfer/number write it with its country"),
                "{told}"
            );
        }
        for (whisper, expected) in [
            ("{state", "/delivery/transfer/whisper a `{` has no `}`"),
            ("state}", "/delivery/transfer/whisper a `}` has no `{`"),
            ("{}", "/delivery/transfer/whisper `{}` is no field: write one such as {state}"),
            ("{a b}", "/delivery/transfer/whisper `{a b}` is no field: write one such as {state}"),
            ("a\nb", "/delivery/transfer/whisper must be one line of at most 500 characters"),
        ] {
            assert_eq!(check(number, whisper, 90, 3_600), expected);
        }
        let long = "x".repeat(TransferSpec::WHISPER_CHARS_MAX + 1);
        assert!(check(number, &long, 90, 3_600).contains("at most 500"));
        for (seconds, within) in [(0, 3_600), (91, 90), (3_601, 86_400)] {
            let told = check(number, "", seconds, within);
            assert!(
                told.starts_with("/delivery/transfer/connected_seconds must be 1 to"),
                "{told}"
            );
        }
        for within in [TransferSpec::REPORT_SECONDS_MIN - 1, TransferSpec::REPORT_SECONDS_MAX + 1] {
            let told = check(number, "", 1, within);
            assert_eq!(told, "/delivery/transfer/report_within_seconds must be 10 to 86400");
        }
    }
}
