//! JSON as buyers send it, and what they take for JSON: single quotes, names without quotes, commas too many, comments of a
//! web server before it. Read as far as it goes, never refused: whether it came to its end is said.

use super::tree::{DEPTH_MAX, PARTS_MAX, Tree};

/// Reads a document that begins with `{` or `[`, and says whether it is whole and nothing stands behind it.
pub(super) fn read(text: &str) -> (Tree, bool) {
    let mut reader = Reader { rest: text, parts: 0, is_whole: true };
    let tree = reader.value(0);
    let is_whole = reader.is_whole && reader.peek().is_none();
    (tree, is_whole)
}

struct Reader<'t> {
    rest: &'t str,
    parts: usize,
    is_whole: bool,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn skip(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }

    /// Ends what is not closed.
    const fn end(&mut self, tree: Tree) -> Tree {
        self.is_whole = false;
        tree
    }

    fn value(&mut self, depth: usize) -> Tree {
        self.parts = self.parts.saturating_add(1);
        if depth > DEPTH_MAX || self.parts > PARTS_MAX {
            self.rest = "";
        }
        match self.peek() {
            None => self.end(Tree::Null),
            Some('{') => self.object(depth),
            Some('[') => self.list(depth),
            Some(quote @ ('"' | '\'')) => Tree::Text(self.quoted(quote)),
            Some(_) => bare(self.word()),
        }
    }

    fn object(&mut self, depth: usize) -> Tree {
        self.skip();
        let mut object = Tree::object();
        loop {
            match self.peek() {
                None => return self.end(object),
                Some('}') => {
                    self.skip();
                    return object;
                }
                Some(',') => self.skip(),
                Some(next) => {
                    let name = match next {
                        '"' | '\'' => self.quoted(next),
                        _ => self.word().to_owned(),
                    };
                    if self.peek() == Some(':') {
                        self.skip();
                        let value = self.value(depth.saturating_add(1));
                        object.add(name, value);
                    } else if name.is_empty() {
                        // Nothing that belongs here.
                        self.skip();
                    }
                }
            }
        }
    }

    fn list(&mut self, depth: usize) -> Tree {
        self.skip();
        let mut list = Vec::new();
        loop {
            match self.peek() {
                None => return self.end(Tree::List(list)),
                Some(']') => {
                    self.skip();
                    return Tree::List(list);
                }
                Some(',' | ':' | '}') => self.skip(),
                Some(_) => list.push(self.value(depth.saturating_add(1))),
            }
        }
    }

    fn quoted(&mut self, quote: char) -> String {
        self.skip();
        let mut text = String::new();
        let mut chars = self.rest.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some('r') => text.push('\r'),
                    Some('t') => text.push('\t'),
                    Some('b' | 'f') => text.push(' '),
                    Some('u') => {
                        let digits: String = chars.clone().take(4).collect();
                        let mut code = u32::from_str_radix(&digits, 16).unwrap_or(0xfffd);
                        chars = skipped(chars, 4);
                        // Two halves make one character beyond the first plane.
                        let low: String = chars.clone().skip(2).take(4).collect();
                        if (0xd800..0xdc00).contains(&code)
                            && chars.as_str().starts_with("\\u")
                            && let Ok(low @ 0xdc00..0xe000) = u32::from_str_radix(&low, 16)
                        {
                            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                            chars = skipped(chars, 6);
                        }
                        text.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                    }
                    Some(other) => text.push(other),
                    None => break,
                },
                c if c == quote => break,
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        text
    }

    /// Takes what stands here up to the next sign of JSON's.
    fn word(&mut self) -> &str {
        let end = self.rest.find([',', ':', '}', ']', '{', '[', '"', '\n']);
        let (word, rest) =
            self.rest.split_at_checked(end.unwrap_or(self.rest.len())).unwrap_or_default();
        // At least one sign, or the reading would stand still.
        if word.is_empty() {
            self.skip();
            return "";
        }
        self.rest = rest;
        word.trim()
    }
}

fn skipped(mut chars: core::str::Chars<'_>, count: usize) -> core::str::Chars<'_> {
    for _ in 0..count {
        chars.next();
    }
    chars
}

fn bare(word: &str) -> Tree {
    match word {
        "true" | "True" | "TRUE" => Tree::Bool(true),
        "false" | "False" | "FALSE" => Tree::Bool(false),
        "null" | "None" | "NULL" | "undefined" | "" => Tree::Null,
        number if number.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            Tree::Number(number.to_owned())
        }
        text => Tree::Text(text.to_owned()),
    }
}
