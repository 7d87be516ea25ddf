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
    /// Whether the document came to its end, with nothing behind it.
    pub(super) is_whole: bool,
    /// Whether the text may stand for itself.
    is_word: bool,
}

impl Answer {
    /// Reads JSON, XML, a form or lines of `name: value`, as far as it goes; what is none of these stays text, and so does a
    /// document with words before it. A page for people says nothing.
    #[must_use]
    pub fn read(response: &HttpResponse) -> Self {
        let text = match core::str::from_utf8(&response.body) {
            Ok(text) => text.to_owned(),
            // ISO 8859-1, whatever is declared: every byte is a letter.
            Err(_) => response.body.iter().copied().map(char::from).collect(),
        };
        let text = text.trim_start_matches('\u{feff}').trim();
        let document = without_warnings(text);
        let (tree, is_whole) = match document.as_bytes() {
            [b'{' | b'[', ..] => json::read(document),
            [b'<', ..] if !is_page(document) => xml::read(document),
            _ => (pairs(text), true),
        };
        let is_line =
            !document.starts_with(['{', '[', '<']) && !is_form(text) && !text.contains('\n');
        let is_word = !text.is_empty() && (tree == Tree::Null || is_line);
        Self { status: response.status, tree, text: text.to_owned(), is_whole, is_word }
    }

    /// Returns the text at a path such as `bids/0/price`, wherever it begins; an empty path is the whole answer, where that is
    /// a short text.
    #[must_use]
    #[inline(never)]
    pub fn find(&self, path: &str) -> Option<&str> {
        if path.is_empty() {
            let short = self.text.chars().nth(TEXT_CHARS_MAX).is_none();
            return Some(self.text.as_str()).filter(|_| self.is_word && short);
        }
        self.tree.find(path)?.text()
    }

    /// Returns the first of these paths at which there is something.
    #[must_use]
    #[inline(never)]
    pub fn first(&self, paths: &[&str]) -> Option<&str> {
        paths.iter().find_map(|path| self.find(path))
    }

    /// Says whether there is no body.
    pub(super) const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Returns all that the answer says.
    #[must_use]
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }
}

/// Leaves out the warnings that a web server wrote before the answer.
fn without_warnings(text: &str) -> &str {
    let begin = text.trim_start_matches("<br />").trim_start();
    if !["<b>Warning", "<b>Notice", "<b>Deprecated"].iter().any(|kind| begin.starts_with(kind)) {
        return text;
    }
    let places = ["\n{", "\n[", "\n<?xml", ">{", ">["].iter().filter_map(|mark| begin.find(mark));
    places.min().and_then(|place| begin.get(place..)?.get(1..)).unwrap_or(text)
}

/// Says whether a text is a page for people, in which no answer is looked for.
fn is_page(text: &str) -> bool {
    let mut rest = text;
    for (open, close) in [("<?", "?>"), ("<!--", "-->")] {
        while let Some((_, after)) = rest.strip_prefix(open).and_then(|rest| rest.split_once(close))
        {
            rest = after.trim_start();
        }
    }
    let begin: String = rest.chars().take(15).map(|c| c.to_ascii_lowercase()).collect();
    let pages = ["<!doctype html", "<html", "<head>", "<body", "<script", "<br", "<b>", "<p>"];
    pages.iter().any(|page| begin.starts_with(page))
}

fn is_form(text: &str) -> bool {
    text.contains('=') && !text.contains(char::is_whitespace)
}

/// Reads `a=b&c=d`, or a line `name: value` for each. A text with a document in it is neither.
fn pairs(text: &str) -> Tree {
    let mut tree = Tree::object();
    if text.starts_with('<') {
        return Tree::Null;
    }
    if is_form(text) {
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            tree.add(decoded(name), Tree::Text(decoded(value)));
        }
        return tree;
    }
    for line in text.lines() {
        let pair = line.split_once(['=', ':']).filter(|_| !text.contains(['{', '<']));
        let Some((name, value)) = pair else { return Tree::Null };
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
