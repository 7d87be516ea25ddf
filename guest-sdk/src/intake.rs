//! Reading any source's dialect by a table: a vertical's team names its fields, their words and the keys that sources
//! use, and gets a whole normalizer.
//!
//! Forms, JSON and XML become leaves on paths ([`tree`](self)), whose keys are compared without case, `_`, `-` and
//! wrappers: `zip`, `Lead.Zip`, `lead[zip]`, `{"Request":{"ZIP":…}}` and `<Lead><Zip>` are one key. A value that is
//! there but cannot be read is refused, never dropped; keys that the table does not name are left alone. Everything is
//! linear in the size of the body, without recursion, and needs no more memory than a few copies of it.

mod body;
mod contact;
pub(crate) mod date;
mod envelope;
mod form;
pub mod home;
mod identity;
mod implied;
mod json;
pub(crate) mod key;
mod lead;
mod location;
mod measure;
mod name;
pub(crate) mod number;
mod path;
mod phrase;
mod place;
mod reading;
mod repeats;
mod sharing;
mod span;
pub mod standard;
mod synonym;
mod table;
#[cfg(test)]
mod tests;
mod tree;
pub mod vocabulary;
mod word;
mod xml;

pub use span::Spans;
pub use table::{Field, Group, Reader, Vertical, Word};

use crate::normalizer::{Normalized, Refusal, RefusalCode, Submission, Syntax};
use tree::Leaves;

impl Vertical {
    /// Reads one submission: its envelope, and its lead or the first thing that is wrong with it.
    #[must_use]
    pub fn read(&self, submission: &Submission) -> Normalized {
        let mut leaves = Leaves::new(self);
        let query = form::read(&mut leaves, submission.query.as_bytes(), body::Charset::Utf8);
        let (syntax, body) = body::read(&mut leaves, submission);
        let has_query = !submission.query.is_empty();
        let syntax = syntax.or(has_query.then_some(Syntax::Form));
        let read = query.and(body).and_then(|()| match syntax {
            Some(_) => Ok(()),
            None => Err(malformed("there is neither a body nor a query; send a form, JSON or XML")),
        });
        let found = lead::Values::new(self, &mut leaves);
        let (mut envelope, fault) = envelope::read(&found, submission.stage);
        envelope.dialect = envelope::dialect(self, &found, leaves.came(), submission, syntax);
        let lead =
            read.and_then(|()| found.lead(submission)).and_then(|lead| fault.map_or(Ok(lead), Err));
        Normalized { envelope, lead }
    }
}

fn malformed(message: &str) -> Refusal {
    Refusal { code: RefusalCode::Malformed, field: None, message: message.into() }
}

fn unsupported(message: &str) -> Refusal {
    Refusal { code: RefusalCode::UnsupportedContentType, field: None, message: message.into() }
}

fn too_large(message: String) -> Refusal {
    Refusal { code: RefusalCode::TooLarge, field: None, message }
}

fn invalid(field: &str, expected: &str) -> Refusal {
    let message = format!("`{field}` must be {expected}");
    Refusal { code: RefusalCode::InvalidValue, field: Some(field.into()), message }
}
