//! Reads what a remote buyer answers in Gavel's own JSON.
//!
//! Everything in it is a claim: an answer that cannot be understood is no bid, and one that is for another ping, in
//! another currency or above the contract's limit is none either. Each flaw has a code.

use serde::Deserialize;
use serde::de::{Deserializer, Visitor};

use crate::money::Micros;
pub use crate::sandbox::HANDLE_BYTES_MAX;

/// The longest text of a buyer that is kept, in characters.
pub const TEXT_CHARS_MAX: usize = 120;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Bid { amount: Micros, campaign: Option<String>, handle: Option<String> },
    NoBid { reason: Option<String> },
    Invalid { flaw: Flaw, detail: String },
}

macro_rules! flaws {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $understood:literal;)*) => {
        /// What is wrong with an answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Flaw { $($(#[$doc])* $name,)* }

        impl Flaw {
            /// Returns the code that stands for it in receipts.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Returns whether the answer could be understood: the end point works, its owner has to mend what it says.
            pub const fn is_understood(self) -> bool {
                match self { $(Self::$name => $understood,)* }
            }
        }
    };
}

flaws! {
    /// The body is not a JSON object, or a member of it has the wrong type or comes twice.
    NotJson = "not-json", false;
    /// `status` is neither `bid` nor `no-bid`.
    NoStatus = "no-status", false;
    /// It bids but names no amount.
    NoAmount = "no-amount", false;
    /// The amount is a number where text is asked for.
    AmountNotText = "amount-not-text", false;
    /// The amount is not a decimal, or has too many digits.
    NotAnAmount = "not-an-amount", false;
    /// The amount is zero or less.
    NotPositive = "not-positive", true;
    /// The amount is above the contract's or the campaign's `bid_max`.
    AboveMax = "above-max", true;
    /// It is for another currency.
    OtherCurrency = "other-currency", true;
    /// It is for another ping.
    OtherPing = "other-ping", false;
    /// It bids for a campaign that it was not asked for.
    OtherCampaign = "other-campaign", true;
    /// The handle is longer than [`HANDLE_BYTES_MAX`] or holds control characters.
    BadHandle = "bad-handle", true;
    /// The body is longer than is read.
    TooLong = "too-long", false;
    /// The body is compressed although nobody asked for it.
    Compressed = "compressed", false;
    /// What came is not whole HTTP.
    Broken = "broken", false;
    /// The buyer's adapter cannot make sense of it.
    NotUnderstood = "not-understood", false;
    /// The buyer's adapter failed at it.
    Adapter = "adapter-failed", false;
}

#[derive(Deserialize)]
struct Document {
    status: Option<String>,
    bid: Option<Amount>,
    campaign: Option<String>,
    handle: Option<String>,
    reason: Option<String>,
    ping_id: Option<String>,
    currency: Option<String>,
}

enum Amount {
    Text(String),
    Number,
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Amount;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an amount as text, such as \"12.50\"")
            }

            fn visit_str<E>(self, text: &str) -> Result<Amount, E> {
                Ok(Amount::Text(text.to_owned()))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Amount, E> {
                Ok(Amount::Number)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Amount, E> {
                Ok(Amount::Number)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Amount, E> {
                Ok(Amount::Number)
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}

/// Reads an answer to the question about this ping in this currency.
pub fn read(body: &[u8], ping: &str, currency: &str) -> Reply {
    // Some servers begin JSON with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    // Of a list serde would take the elements for an object's members.
    if !body.trim_ascii_start().starts_with(b"{") {
        return invalid(Flaw::NotJson, "the answer is not a JSON object");
    }
    let document: Document = match serde_json::from_slice(body) {
        Ok(document) => document,
        Err(error) => return invalid(Flaw::NotJson, &error.to_string()),
    };
    if let Some(other) = document.ping_id.filter(|id| id != ping) {
        return invalid(Flaw::OtherPing, &format!("it is for ping `{}`", clean(&other)));
    }
    match document.status.as_deref() {
        Some("no-bid") => {
            return Reply::NoBid { reason: document.reason.as_deref().map(clean) };
        }
        Some("bid") => (),
        Some(other) => {
            let other = clean(other);
            return invalid(Flaw::NoStatus, &format!("`status` is `{other}`"));
        }
        None => return invalid(Flaw::NoStatus, "it has no `status`"),
    }
    if let Some(other) = document.currency.filter(|code| code != currency) {
        let other = clean(&other);
        return invalid(Flaw::OtherCurrency, &format!("it bids in {other}, not in {currency}"));
    }
    let text = match document.bid {
        None => return invalid(Flaw::NoAmount, "it bids, but there is no `bid`"),
        Some(Amount::Number) => {
            return invalid(Flaw::AmountNotText, "`bid` is a number; write \"12.50\"");
        }
        Some(Amount::Text(text)) => text,
    };
    match Micros::parse(&text) {
        Ok(amount) => Reply::Bid { amount, campaign: document.campaign, handle: document.handle },
        Err(why) => invalid(Flaw::NotAnAmount, &format!("`bid` is `{}`: {why}", clean(&text))),
    }
}

/// Checks what a reply promises, in whatever dialect it was said. `max` is the most that may be bid for the campaign.
pub(super) fn checked(
    amount: Micros,
    max: Option<Micros>,
    handle: Option<&str>,
) -> Result<(), Reply> {
    if !amount.is_positive() {
        return Err(invalid(Flaw::NotPositive, &format!("it bids {amount}")));
    }
    if let Some(max) = max.filter(|max| amount > *max) {
        return Err(invalid(Flaw::AboveMax, &format!("it bids {amount}, more than {max}")));
    }
    let bad = |handle: &str| handle.len() > HANDLE_BYTES_MAX || handle.contains(char::is_control);
    if handle.is_some_and(bad) {
        let why = format!("its handle is longer than {HANDLE_BYTES_MAX} bytes or not printable");
        return Err(invalid(Flaw::BadHandle, &why));
    }
    Ok(())
}

/// Returns the reply that stands for a flawed answer.
pub(super) fn invalid(flaw: Flaw, detail: &str) -> Reply {
    Reply::Invalid { flaw, detail: clean(detail) }
}

/// Returns a text of a buyer as it may stand in a receipt: printable, and not long.
pub(super) fn clean(text: &str) -> String {
    let printable = |c: &char| !c.is_control();
    text.trim().chars().filter(printable).take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(body: &str) -> String {
        match read(body.as_bytes(), "pg_1", "USD") {
            Reply::Bid { amount, campaign, handle } => {
                match checked(amount, Some(Micros::new(50_000_000)), handle.as_deref()) {
                    Ok(()) => format!("bid {amount} {campaign:?} {handle:?}"),
                    Err(Reply::Invalid { flaw, detail }) => format!("{}: {detail}", flaw.code()),
                    Err(other) => format!("{other:?}"),
                }
            }
            Reply::NoBid { reason } => format!("no-bid {reason:?}"),
            Reply::Invalid { flaw, detail } => format!("{}: {detail}", flaw.code()),
        }
    }

    #[test]
    fn a_bid_and_no_bid_are_read() {
        for (body, expected) in [
            (r#"{"status":"bid","bid":"12.5"}"#, "bid 12.50 None None"),
            (
                "\u{feff}{\"status\":\"bid\",\"bid\":\"7\",\"campaign\":\"c\",\"handle\":\"h-1\",\"ping_id\":\"pg_1\",\"currency\":\"USD\",\"more\":[1]}",
                "bid 7.00 Some(\"c\") Some(\"h-1\")",
            ),
            (r#"{"status":"no-bid"}"#, "no-bid None"),
            (r#"{"status":"no-bid","reason":"full\u0007 up"}"#, "no-bid Some(\"full up\")"),
        ] {
            assert_eq!(said(body), expected);
        }
    }

    #[test]
    fn what_is_no_answer_has_a_code() {
        // In a member that nobody reads, depth is skipped without the stack.
        let deep = format!(r#"{{"status":"bid","bid":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        let long = format!(
            r#"{{"status":"bid","bid":"1","handle":"{}"}}"#,
            "h".repeat(HANDLE_BYTES_MAX + 1)
        );
        for (body, code) in [
            ("", "not-json"),
            ("<html>", "not-json"),
            ("[\"bid\",\"1\"]", "not-json"),
            (r#"{"status":"bid","bid":"1""#, "not-json"),
            (r#"{"status":"bid","status":"no-bid"}"#, "not-json"),
            (r#"{"status":"bid","bid":"1","bid":"2"}"#, "not-json"),
            (r#"{"status":"bid","bid":1e309}"#, "not-json"),
            (r#"{"status":"bid","bid":NaN}"#, "not-json"),
            (r#"{"status":"bid","bid":["1"]}"#, "not-json"),
            (r#"{"status":"bid","bid":"1","handle":7}"#, "not-json"),
            (&deep, "not-json"),
            (r#"{"bid":"1"}"#, "no-status"),
            (r#"{"status":"ok","bid":"1"}"#, "no-status"),
            (r#"{"status":"bid"}"#, "no-amount"),
            (r#"{"status":"bid","bid":null}"#, "no-amount"),
            (r#"{"status":"bid","bid":12.5}"#, "amount-not-text"),
            (r#"{"status":"bid","bid":9223372036854775808}"#, "amount-not-text"),
            (r#"{"status":"bid","bid":-5}"#, "amount-not-text"),
            (r#"{"status":"bid","bid":"NaN"}"#, "not-an-amount"),
            (r#"{"status":"bid","bid":"1e309"}"#, "not-an-amount"),
            (r#"{"status":"bid","bid":"9223372036854775808"}"#, "not-an-amount"),
            (r#"{"status":"bid","bid":"-5"}"#, "not-positive"),
            (r#"{"status":"bid","bid":"0"}"#, "not-positive"),
            (r#"{"status":"bid","bid":"50.000001"}"#, "above-max"),
            (r#"{"status":"bid","bid":"1","currency":"EUR"}"#, "other-currency"),
            (r#"{"status":"bid","bid":"1","ping_id":"pg_2"}"#, "other-ping"),
            (&long, "bad-handle"),
        ] {
            let told = said(body);
            assert!(told.starts_with(&format!("{code}: ")), "{body} is {told}");
            assert!(told.chars().count() <= code.len() + 2 + TEXT_CHARS_MAX, "{told}");
        }
    }
}
