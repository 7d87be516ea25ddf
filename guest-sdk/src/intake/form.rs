//! Forms: `application/x-www-form-urlencoded` bodies and query strings. A value is what the escapes say and no more:
//! `&copy_of_id=1` is a field, not an HTML entity. Only `&amp;` between pairs, as in a link copied out of a page, is `&`.

use super::body::Charset;
use super::tree::{Leaves, Scope};
use super::{json, malformed, xml};
use crate::normalizer::Refusal;

/// Keys whose value may be a whole document.
const DOCUMENT_KEYS: &[&str] = &[
    "body",
    "data",
    "json",
    "jsondata",
    "lead",
    "payload",
    "request",
    "xml",
    "xmldata",
    "xmlrequest",
];

/// Reads every pair of the form.
pub(super) fn read(leaves: &mut Leaves<'_>, form: &[u8], charset: Charset) -> Result<(), Refusal> {
    for pair in form.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
        let mut parts = pair.splitn(2, |&byte| byte == b'=');
        let key = parts.next().unwrap_or_default();
        let key = decoded(key.strip_prefix(b"amp;").unwrap_or(key), charset)?;
        let value = decoded(parts.next().unwrap_or_default(), charset)?;
        match value.trim_start().as_bytes().first() {
            Some(b'<') if is_document_key(&key) => xml::read(leaves, &value)?,
            Some(b'{') if is_document_key(&key) => json::read(leaves, &value)?,
            _ => leaves.leaf(Scope::TOP, &key, &value, false)?,
        }
    }
    Ok(())
}

fn is_document_key(key: &str) -> bool {
    let bare = key.bytes().filter(|byte| byte.is_ascii_alphanumeric());
    DOCUMENT_KEYS
        .iter()
        .any(|known| bare.clone().map(|byte| byte.to_ascii_lowercase()).eq(known.bytes()))
}

/// Undoes `+` and `%XX`. A `%` that begins no escape stands for itself, as in every browser.
fn decoded(text: &[u8], charset: Charset) -> Result<String, Refusal> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    // Whole runs are copied: most of a form is not escaped.
    while let Some(place) = rest.iter().position(|byte| matches!(byte, b'+' | b'%')) {
        let (run, escape) = rest.split_at_checked(place).unwrap_or_default();
        bytes.extend_from_slice(run);
        let (byte, after) = match escape {
            [b'%', high, low, after @ ..] => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', escape.get(1..).unwrap_or_default()),
            },
            [b'+', after @ ..] => (b' ', after),
            _ => (b'%', escape.get(1..).unwrap_or_default()),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes.extend_from_slice(rest);
    charset.text(bytes).ok_or_else(|| {
        malformed(
            "the form is not UTF-8; if it is another character set, name it in the Content-Type",
        )
    })
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
