//! What a family of dialects is made of: a declaration, no code.

use crate::normalizer::{Outcome, Stage, Syntax, Verdict};

/// Sources that speak alike: how their submissions are known, and how they are answered.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) marks: &'static [&'static str],
    pub(crate) asks: &'static [Ask],
    pub(crate) http: Http,
    pub(crate) dialects: &'static [Dialect],
}

/// What says which of a family's syntaxes a source wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A field of the submission whose value is `XML` or `JSON`: `Format`, `lp_response`, `resptype`.
    Field,
    /// The Accept header.
    Accept,
    /// The syntax in which the submission itself is written.
    Sent,
}

/// Which HTTP status answers have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Http {
    /// This one, whatever the answer says.
    Always(u16),
    /// The one of the exchange's own answer.
    AsOurs,
}

/// How a family is answered in one syntax.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    pub(crate) syntax: Syntax,
    pub(crate) root: &'static str,
    pub(crate) post_root: Option<&'static str>,
    pub(crate) attributes: &'static str,
    pub(crate) is_declared: bool,
    pub(crate) rows: &'static [Row],
}

/// The names and values of an answer, in their order.
pub type Parts = &'static [(&'static str, Is)];

/// What is answered in some cases.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    stage: Option<Stage>,
    verdicts: &'static [Verdict],
    status: Option<u16>,
    pub(crate) parts: Parts,
}

/// A value in an answer. One that the outcome does not have leaves its name out, too.
#[derive(Clone, Copy, Debug)]
pub enum Is {
    /// These words.
    Text(&'static str),
    /// This whole number.
    Number(i64),
    /// True.
    Yes,
    /// False.
    No,
    /// `null` in JSON; left out of XML.
    Null,
    /// `null` in JSON; an empty element that says `xsi:nil` in XML.
    Nil,
    /// The ping's handle.
    PingId,
    /// The lead's handle.
    LeadId,
    /// The handle of the ping that offered the same lead before.
    DuplicateOf,
    /// What is paid, rounded down to the cent: a number in JSON (`12.5`), two digits in XML (`12.50`).
    Price,
    /// The same with two digits everywhere, as text in JSON.
    PriceText,
    /// What is paid, to the last digit, as text in JSON.
    PriceExact,
    /// The currency's code.
    Currency,
    /// How many buyers bought the lead.
    Copies,
    /// Until when the price holds, such as `2026-03-02T17:05:31.204Z`.
    Expires,
    /// Why not, in words.
    Reason,
    /// Why not, as a code.
    Code,
    /// The code as a constant: `NO_ELIGIBLE_BUYER`, behind these words.
    CodeAfter(&'static str),
    /// The field at fault.
    Field,
    /// The HTTP status of the exchange's own answer, as a number.
    Status,
    /// The same as text in JSON.
    StatusText,
    /// The words that go with it: `Too Many Requests`.
    StatusWords,
    /// The same in one: `TooManyRequests`.
    StatusWord,
    /// After how many seconds to come again.
    RetryAfter,
    /// By the code of the reason; the last value for all others.
    ByReason(&'static [(&'static str, Is)], &'static Is),
    /// An object, or an element with elements in it.
    Parts(Parts),
    /// A list; in XML its elements have this name.
    List(&'static str, &'static [Is]),
}

impl Family {
    /// Takes the word that chooses the family in an address (lower-case letters, digits and `-`), what people should know
    /// of it, and its dialects: the first is spoken where nothing asks for another.
    #[must_use]
    pub const fn new(
        name: &'static str,
        about: &'static str,
        dialects: &'static [Dialect],
    ) -> Self {
        Self { name, about, marks: &[], asks: &[], http: Http::Always(200), dialects }
    }

    /// Names the keys by which a submission shows that it is one of these. Each entry is a set of keys between spaces that
    /// must all be there; one set is enough. Case, `_`, `-` and wrappers do not count, as in [`Field::keys`].
    ///
    /// [`Field::keys`]: crate::intake::Field::keys
    #[must_use]
    pub const fn known_by(self, marks: &'static [&'static str]) -> Self {
        Self { marks, ..self }
    }

    /// Says what chooses between its dialects, the strongest first.
    #[must_use]
    pub const fn asks(self, asks: &'static [Ask]) -> Self {
        Self { asks, ..self }
    }

    /// Says which HTTP status its answers have; without it 200.
    #[must_use]
    pub const fn http(self, http: Http) -> Self {
        Self { http, ..self }
    }

    /// Returns the name of one of its dialects.
    pub(crate) fn name_of(&self, dialect: &Dialect) -> String {
        match self.dialects {
            [_] => self.name.into(),
            _ => format!("{}-{}", self.name, dialect.syntax_word()),
        }
    }

    /// Returns the status for a row. One after which clients come again stays what it is.
    pub(crate) const fn status(&self, row: &Row, ours: u16) -> u16 {
        match (ours, row.status, self.http) {
            (408 | 409 | 429 | 500.., _, _) | (_, None, Http::AsOurs) => ours,
            (_, Some(status), _) | (_, None, Http::Always(status)) => status,
        }
    }
}

impl Dialect {
    const fn new(syntax: Syntax, root: &'static str, rows: &'static [Row]) -> Self {
        Self { syntax, root, post_root: None, attributes: "", is_declared: false, rows }
    }

    /// One JSON object.
    #[must_use]
    pub const fn json(rows: &'static [Row]) -> Self {
        Self::new(Syntax::Json, "", rows)
    }

    /// One JSON object with all the rest in this member.
    #[must_use]
    pub const fn json_in(member: &'static str, rows: &'static [Row]) -> Self {
        Self::new(Syntax::Json, member, rows)
    }

    /// An XML document with this root.
    #[must_use]
    pub const fn xml(root: &'static str, rows: &'static [Row]) -> Self {
        Self::new(Syntax::Xml, root, rows)
    }

    /// Plain text: each part a line, `name=value`, or the value alone where the name is empty.
    #[must_use]
    pub const fn text(rows: &'static [Row]) -> Self {
        Self::new(Syntax::Text, "", rows)
    }

    /// Gives the answers to posts another root.
    #[must_use]
    pub const fn post_root(self, root: &'static str) -> Self {
        Self { post_root: Some(root), ..self }
    }

    /// Writes `<?xml version="1.0" encoding="UTF-8"?>` and a new line before the root.
    #[must_use]
    pub const fn declared(self) -> Self {
        Self { is_declared: true, ..self }
    }

    /// Writes these attributes in the root, such as `xmlns:xsi="…"`.
    #[must_use]
    pub const fn attributes(self, attributes: &'static str) -> Self {
        Self { attributes, ..self }
    }

    pub(crate) const fn syntax_word(&self) -> &'static str {
        match self.syntax {
            Syntax::Form => "form",
            Syntax::Json => "json",
            Syntax::Xml => "xml",
            Syntax::Text => "text",
        }
    }

    pub(crate) const fn content_type(&self) -> &'static str {
        match self.syntax {
            Syntax::Json => "application/json",
            Syntax::Xml => "text/xml; charset=utf-8",
            Syntax::Form | Syntax::Text => "text/plain; charset=utf-8",
        }
    }

    /// Returns the first row that is meant for the outcome.
    pub(crate) fn row(&self, outcome: &Outcome) -> Option<&'static Row> {
        self.rows.iter().find(|row| {
            row.stage.is_none_or(|stage| stage == outcome.stage)
                && (row.verdicts.is_empty() || row.verdicts.contains(&outcome.verdict))
        })
    }
}

impl Row {
    const fn new(stage: Option<Stage>, verdicts: &'static [Verdict], parts: Parts) -> Self {
        Self { stage, verdicts, status: None, parts }
    }

    /// In answer to a ping with one of these verdicts.
    #[must_use]
    pub const fn ping(verdicts: &'static [Verdict], parts: Parts) -> Self {
        Self::new(Some(Stage::Ping), verdicts, parts)
    }

    /// In answer to a post with one of these verdicts.
    #[must_use]
    pub const fn post(verdicts: &'static [Verdict], parts: Parts) -> Self {
        Self::new(Some(Stage::Post), verdicts, parts)
    }

    /// In answer to either with one of these verdicts.
    #[must_use]
    pub const fn both(verdicts: &'static [Verdict], parts: Parts) -> Self {
        Self::new(None, verdicts, parts)
    }

    /// In all cases that no row before is for. Every table ends with one.
    #[must_use]
    pub const fn rest(parts: Parts) -> Self {
        Self::new(None, &[], parts)
    }

    /// Gives these answers a status of their own, unless clients should come again.
    #[must_use]
    pub const fn status(self, status: u16) -> Self {
        Self { status: Some(status), ..self }
    }
}
