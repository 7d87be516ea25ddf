//! Answers in the source's own dialect: what may be said, and the call that words it.

use super::super::call::{Forfeit, forfeit, spent, store};
use super::super::inadmissible::Inadmissible;
use super::{DESCRIPTION_BYTES_MAX, DIALECT_BYTES_MAX, Normalizer, Stage, wit};
use crate::money::Micros;

/// The most dialects that a module answers in.
pub const DIALECTS_MAX: usize = 64;

/// A way of writing, as far as a media type tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Syntax {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json` and its kin.
    Json,
    /// `application/xml`, `text/xml` and their kin.
    Xml,
    /// `text/plain`.
    Text,
}

/// A dialect in which a module can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The word that chooses it in an address.
    pub name: String,
    /// Who speaks it, and how a submission shows that it does.
    pub description: String,
}

/// What the exchange says to a source: its verdict, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceVerdict {
    /// A buyer was found for a ping.
    Accepted,
    /// No buyer was found for a ping.
    Rejected,
    /// The same lead was offered a short time ago.
    Duplicate,
    /// The lead of a post was bought.
    Sold,
    /// The lead of a post was not bought.
    Unsold,
    /// The lead of a post was taken; its outcome follows.
    Pending,
    /// The submission cannot be a lead, or its ping cannot be posted.
    Refused,
    /// The source is not heard.
    Denied,
    /// Not now.
    Busy,
    /// The exchange or the vertical's module failed.
    Failed,
}

/// All that an answer may say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// The step that is answered.
    pub stage: Stage,
    /// What [`Envelope::dialect`] said; before the submission was read, the dialect that its address names.
    pub dialect: String,
    /// What the Accept header asks for.
    pub accept: Option<Syntax>,
    /// What the Content-Type header names.
    pub content: Option<Syntax>,
    /// The verdict.
    pub verdict: SourceVerdict,
    /// The HTTP status of the exchange's own answer.
    pub status: u16,
    /// The ping's handle.
    pub ping_id: Option<String>,
    /// The lead's handle.
    pub lead_id: Option<String>,
    /// The handle of the ping that offered the same lead before.
    pub duplicate_of: Option<String>,
    /// What the source is paid.
    pub price: Option<Micros>,
    /// The currency's code.
    pub currency: String,
    /// How many buyers bought the lead.
    pub copies: Option<u32>,
    /// Until when the ping's price holds, in milliseconds since 1970-01-01 UTC.
    pub expires_ms: Option<u64>,
    /// Why not, as a code.
    pub reason_code: Option<String>,
    /// Why not, in words.
    pub reason: Option<String>,
    /// The field at fault.
    pub field: Option<String>,
    /// After how many seconds to come again.
    pub retry_after_s: Option<u32>,
}

impl Outcome {
    /// Whether the exchange's own status is one after which clients come again, so that it must stay.
    pub const fn asks_to_come_again(&self) -> bool {
        matches!(self.status, 408 | 409 | 429 | 500..)
    }
}

/// An HTTP answer in the source's own dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// The Content-Type header: printable ASCII.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
    /// The fuel it took: the same on every machine.
    pub fuel: u64,
}

impl Normalizer {
    /// Words an answer in the dialect of the submission; `None` leaves it to the exchange's own JSON.
    pub fn render(&self, outcome: &Outcome) -> Result<Option<Rendered>, Forfeit> {
        let Self { compiled, limits, lines, .. } = self;
        let mut store = store(compiled.engine(), limits)?;
        let asked = wit::Outcome {
            stage: outcome.stage.into(),
            dialect: outcome.dialect.clone(),
            accept: outcome.accept.map(Into::into),
            content: outcome.content.map(Into::into),
            verdict: outcome.verdict.into(),
            status: outcome.status,
            ping_id: outcome.ping_id.clone(),
            lead_id: outcome.lead_id.clone(),
            duplicate_of: outcome.duplicate_of.clone(),
            price: outcome.price.map(Micros::get),
            currency: outcome.currency.clone(),
            copies: outcome.copies,
            expires_ms: outcome.expires_ms,
            reason_code: outcome.reason_code.clone(),
            reason: outcome.reason.clone(),
            field: outcome.field.clone(),
            retry_after_s: outcome.retry_after_s,
        };
        let answer = compiled
            .instantiate(&mut store)
            .and_then(|normalizer| {
                normalizer.gavel_rules_normalization().call_render(&mut store, &asked)
            })
            .map_err(|error| forfeit(&store, &error, lines))?;
        let Some(wit::Answer { status, content_type, body }) = answer else { return Ok(None) };
        if !(200..=599).contains(&status) {
            return Err(Forfeit::BadOutput(format!("{status} is no status of an answer")));
        }
        if outcome.asks_to_come_again() && status != outcome.status {
            let ours = outcome.status;
            let fault = format!("{ours} asks to come again and must stay, but it became {status}");
            return Err(Forfeit::BadOutput(fault));
        }
        if !content_type.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(Forfeit::BadOutput("the content type is no header".to_owned()));
        }
        let (fuel, _) = spent(&store, limits);
        Ok(Some(Rendered { status, content_type, body, fuel }))
    }
}

/// Checks what a module says of its dialects.
pub(super) fn dialects(named: Vec<wit::Dialect>) -> Result<Vec<Dialect>, Inadmissible> {
    if named.len() > DIALECTS_MAX {
        let fault = format!("it answers in more than {DIALECTS_MAX} dialects");
        return Err(Inadmissible::Description(fault));
    }
    let mut dialects: Vec<Dialect> = Vec::with_capacity(named.len());
    for wit::Dialect { name, description } in named {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > DIALECT_BYTES_MAX || !name.bytes().all(plain) {
            let fault = format!(
                "a dialect's name is 1 to {DIALECT_BYTES_MAX} lower-case letters, digits and `-`, not {name:?}"
            );
            return Err(Inadmissible::Description(fault));
        }
        if description.len() > DESCRIPTION_BYTES_MAX {
            let fault = format!("a text has more than {DESCRIPTION_BYTES_MAX} bytes");
            return Err(Inadmissible::Description(fault));
        }
        if dialects.iter().any(|known| known.name == name) {
            let fault = format!("it names the dialect `{name}` twice");
            return Err(Inadmissible::Description(fault));
        }
        dialects.push(Dialect { name, description });
    }
    Ok(dialects)
}

impl From<Syntax> for wit::Syntax {
    fn from(syntax: Syntax) -> Self {
        match syntax {
            Syntax::Form => Self::Form,
            Syntax::Json => Self::Json,
            Syntax::Xml => Self::Xml,
            Syntax::Text => Self::Text,
        }
    }
}

impl From<SourceVerdict> for wit::Verdict {
    fn from(verdict: SourceVerdict) -> Self {
        match verdict {
            SourceVerdict::Accepted => Self::Accepted,
            SourceVerdict::Rejected => Self::Rejected,
            SourceVerdict::Duplicate => Self::Duplicate,
            SourceVerdict::Sold => Self::Sold,
            SourceVerdict::Unsold => Self::Unsold,
            SourceVerdict::Pending => Self::Pending,
            SourceVerdict::Refused => Self::Refused,
            SourceVerdict::Denied => Self::Denied,
            SourceVerdict::Busy => Self::Busy,
            SourceVerdict::Failed => Self::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(names: &[&str], expected: &str) {
        let named =
            |name: &&str| wit::Dialect { name: (*name).to_owned(), description: String::new() };
        let told = match dialects(names.iter().map(named).collect()) {
            Ok(dialects) => format!("{} dialects", dialects.len()),
            Err(inadmissible) => inadmissible.to_string(),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn a_dialect_has_a_name_for_an_address() {
        let bad = "the module's description is refused: a dialect's name is 1 to 64 lower-case letters, digits and `-`, not";
        check(&[], "0 dialects");
        check(&["px", "px-xml", "v2"], "3 dialects");
        check(&[&"a".repeat(DIALECT_BYTES_MAX)], "1 dialects");
        check(&[&"a".repeat(65)], &format!("{bad} \"{}\"", "a".repeat(65)));
        for name in ["", "PX", "a/b", "a b", "\u{e4}"] {
            check(&[name], &format!("{bad} {name:?}"));
        }
        check(
            &["px", "cake", "px"],
            "the module's description is refused: it names the dialect `px` twice",
        );
    }

    #[test]
    fn there_are_at_most_so_many() {
        let names: Vec<String> = (0..=DIALECTS_MAX).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        check(&names[1..], "64 dialects");
        check(&names, "the module's description is refused: it answers in more than 64 dialects");
    }

    #[test]
    fn a_description_has_an_end() {
        let described = |bytes: usize| {
            let description = "a".repeat(bytes);
            dialects(vec![wit::Dialect { name: "px".to_owned(), description }]).is_ok()
        };
        assert!(described(DESCRIPTION_BYTES_MAX) && !described(DESCRIPTION_BYTES_MAX + 1));
    }
}
