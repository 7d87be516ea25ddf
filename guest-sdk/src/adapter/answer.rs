//! A buyer's answer, read by what it looks like rather than by what its headers say.

use super::HttpResponse;
use super::tree::Tree;
use super::{json, xml};

/// The longest text without structure that counts as a word or a message, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// An answer as a tree, or as the text that it is.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    tree: Tree,
    text: String,
}

impl Answer {
    /// Reads JSON, XML, a form or lines of `name: value`, as far as it goes; what is none of these stays text.
    #[must_use]
    pub fn read(response: &HttpResponse) -> Self {
        let text = match core::str::from_utf8(&response.body) {
            Ok(text) => text.to_owned(),
            // ISO 8859-1, whatever is declared: every byte is a letter.
            Err(_) => response.body.iter().copied().map(char::from).collect(),
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        let tree = match text.as_bytes() {
            [b'{' | b'[', ..] => json::read(text),
            [b'<', ..] if !is_page(text) => xml::read(text),
            // A web server's warnings before the answer.
            _ => match text.find('{') {
                Some(place) => json::read(text.get(place..).unwrap_or_default()),
                None => match text.find("<?xml") {
                    Some(place) => xml::read(text.get(place..).unwrap_or_default()),
                    None => pairs(text),
                },
            },
        };
        Self { status: response.status, tree, text: text.to_owned() }
    }

    /// Returns the text at a path such as `bids/0/price`, wherever it begins; an empty path is the whole answer, where that is
    /// a short text.
    #[must_use]
    #[inline(never)]
    pub fn find(&self, path: &str) -> Option<&str> {
        if path.is_empty() {
            let is_word = self.tree == Tree::Null && !self.text.is_empty();
            let short = self.text.chars().nth(TEXT_CHARS_MAX).is_none();
            return Some(self.text.as_str()).filter(|_| is_word && short);
        }
        self.tree.find(path)?.text()
    }

    /// Returns the first of these paths at which there is something.
    #[must_use]
    #[inline(never)]
    pub fn first(&self, paths: &[&str]) -> Option<&str> {
        paths.iter().find_map(|path| self.find(path))
    }

    /// Returns all that the answer says.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }
}

/// Says whether a text is a page for people, in which no answer is looked for.
fn is_page(text: &str) -> bool {
    let begin: String = text.chars().take(15).map(|c| c.to_ascii_lowercase()).collect();
    ["<!doctype html", "<html", "<br", "<b>", "<p>"].iter().any(|page| begin.starts_with(page))
}

/// Reads `a=b&c=d`, or a line `name: value` for each.
fn pairs(text: &str) -> Tree {
    let mut tree = Tree::object();
    let is_form = text.contains('=') && !text.contains(char::is_whitespace);
    if is_form {
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            tree.add(decoded(name), Tree::Text(decoded(value)));
        }
        return tree;
    }
    for line in text.lines() {
        let Some((name, value)) = line.split_once(['=', ':']) else { return Tree::Null };
        tree.add(name.trim().to_owned(), Tree::Text(value.trim().to_owned()));
    }
    if tree == Tree::object() { Tree::Null } else { tree }
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).and_then(|digits| core::str::from_utf8(digits).ok());
        let escape = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        (rest, _) = match (first, escape) {
            (b'%', Some(byte)) => (after.get(2..).unwrap_or_default(), bytes.push(byte)),
            (b'+', _) => (after, bytes.push(b' ')),
            (byte, _) => (after, bytes.push(*byte)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
