//! XML as buyers send it: read as far as it goes, prefixes dropped, never refused: whether it came to its end is said.

use super::tree::{DEPTH_MAX, PARTS_MAX, Tree};

/// A tag that is open.
struct Level {
    name: String,
    tree: Tree,
    text: String,
}

/// Reads a document, and says whether all its tags are closed and nothing stands around them. What is not well-formed ends
/// where it can: a tag that is never closed holds what follows it.
pub(super) fn read(text: &str) -> (Tree, bool) {
    let mut levels = vec![Level { name: String::new(), tree: Tree::object(), text: String::new() }];
    let (mut rest, mut parts, mut is_whole) = (text, 0_usize, true);
    while let Some((before, after)) = rest.split_once('<') {
        push_text(&mut levels, before);
        if let Some(after) = after.strip_prefix("![CDATA[") {
            let (raw, after) = after.split_once("]]>").unwrap_or((after, ""));
            if let Some(level) = levels.last_mut() {
                level.text.push_str(raw);
            }
            rest = after;
        } else if let Some(after) = after.strip_prefix("!--") {
            rest = after.split_once("-->").map_or("", |(_, after)| after);
        } else {
            let (tag, after) = after.split_once('>').unwrap_or((after, ""));
            rest = after;
            match tag.as_bytes().first() {
                Some(b'!' | b'?') | None => (),
                Some(b'/') => {
                    is_whole &= close(&mut levels, local(tag.trim_start_matches('/').trim()));
                }
                Some(_) if levels.len() > DEPTH_MAX || parts > PARTS_MAX => is_whole = false,
                Some(_) => {
                    parts = parts.saturating_add(1);
                    open(&mut levels, tag);
                }
            }
        }
    }
    push_text(&mut levels, rest);
    while levels.len() > 1 {
        is_whole = false;
        end(&mut levels);
    }
    let Some(Level { tree, text, .. }) = levels.pop() else { return (Tree::Null, false) };
    (tree, is_whole && text.is_empty())
}

fn open(levels: &mut Vec<Level>, tag: &str) {
    let (tag, is_empty) = match tag.strip_suffix('/') {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    let (name, attributes) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
    let mut tree = Tree::object();
    let mut rest = attributes;
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\'')).unwrap_or(' ');
        let after = after.trim_start_matches(quote);
        let (value, after) = after.split_once(quote).unwrap_or((after, ""));
        let name = name.trim();
        // `nil` says that there is nothing, which the empty tag says, too.
        if !name.starts_with("xmlns") && local(name) != "nil" {
            tree.add(["@", local(name)].concat(), Tree::Text(unescaped(value)));
        }
        rest = after;
    }
    levels.push(Level { name: local(name).to_owned(), tree, text: String::new() });
    if is_empty {
        end(levels);
    }
}

/// Closes the innermost tag of this name with all that are open in it; a name that is not open closes nothing. Says whether
/// it was the innermost of all.
fn close(levels: &mut Vec<Level>, name: &str) -> bool {
    let open = levels.len();
    let Some(place) = levels.iter().rposition(|level| level.name == name).filter(|p| *p > 0) else {
        return false;
    };
    while levels.len() > place {
        end(levels);
    }
    levels.len().saturating_add(1) == open
}

fn end(levels: &mut Vec<Level>) {
    let Some(Level { name, mut tree, text }) = levels.pop() else { return };
    let text = text.trim();
    let tree = match &mut tree {
        Tree::Object(members) if members.is_empty() && text.is_empty() => Tree::Null,
        Tree::Object(members) if members.is_empty() => Tree::Text(text.to_owned()),
        _ => {
            if !text.is_empty() {
                tree.add("#text".to_owned(), Tree::Text(text.to_owned()));
            }
            tree
        }
    };
    if let Some(parent) = levels.last_mut() {
        parent.tree.add(name, tree);
    }
}

fn push_text(levels: &mut [Level], text: &str) {
    if let Some(level) = levels.last_mut()
        && !text.trim().is_empty()
    {
        level.text.push_str(&unescaped(text));
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// Undoes the references that XML has; another stands for itself.
fn unescaped(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let found = after.split_once(';').and_then(|(name, after)| Some((character(name)?, after)));
        match found {
            Some((c, after)) => {
                plain.push(c);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)?
        }
    })
}
