//! Trees as JSON, forms and XML.

use super::tree::Tree;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Writes JSON. Members that are nothing are left out.
pub(super) fn json(out: &mut String, tree: &Tree) {
    match tree {
        Tree::Null => out.push_str("null"),
        Tree::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Tree::Number(number) => out.push_str(number),
        Tree::Text(text) => quoted(out, text),
        Tree::List(list) => {
            out.push('[');
            for (place, element) in list.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                json(out, element);
            }
            out.push(']');
        }
        Tree::Object(members) => {
            out.push('{');
            let told = members.iter().filter(|(_, member)| *member != Tree::Null);
            for (place, (name, member)) in told.enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                quoted(out, name);
                out.push(':');
                json(out, member);
            }
            out.push('}');
        }
    }
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_ascii_control() => {
                out.push_str("\\u00");
                hex(out, u32::from(c).try_into().unwrap_or(b'?'));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Writes the pairs of a form, with the name of what lies around them.
pub(super) fn form(out: &mut String, within: &str, tree: &Tree) {
    let joined = |name: &str| match within {
        "" => name.to_owned(),
        within => [within, ".", name].concat(),
    };
    match tree {
        Tree::Null => (),
        Tree::Object(members) => {
            members.iter().for_each(|(name, member)| form(out, &joined(name), member));
        }
        // Of plain values each repeats the name; the members of others are numbered.
        Tree::List(list) => {
            for (place, element) in list.iter().enumerate() {
                match element {
                    Tree::Object(_) | Tree::List(_) => {
                        form(out, &joined(&place.to_string()), element);
                    }
                    plain => form(out, within, plain),
                }
            }
        }
        Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => {
            out.push_str(if out.is_empty() { "" } else { "&" });
            escaped(out, within);
            out.push('=');
            escaped(
                out,
                match tree {
                    Tree::Bool(true) => "true",
                    Tree::Bool(false) => "false",
                    Tree::Number(text) | Tree::Text(text) => text,
                    _ => "",
                },
            );
        }
    }
}

fn escaped(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'-' | b'.' | b'_' | b'*' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                out.push(char::from(byte));
            }
            byte => {
                out.push('%');
                hex(out, byte);
            }
        }
    }
}

fn hex(out: &mut String, byte: u8) {
    for nibble in [byte >> 4, byte & 0xf] {
        out.push(char::from(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0')));
    }
}

/// Writes a tag with what is in it. A list is the same tag several times.
pub(super) fn xml(out: &mut String, name: &str, tree: &Tree) {
    match tree {
        Tree::Null => (),
        Tree::List(list) => list.iter().for_each(|element| xml(out, name, element)),
        Tree::Object(members) => {
            out.push('<');
            out.push_str(name);
            for (name, value) in members {
                if let (Some(name), Some(value)) = (name.strip_prefix('@'), value.text()) {
                    out.push(' ');
                    out.push_str(name);
                    out.push_str("=\"");
                    character_data(out, value);
                    out.push('"');
                }
            }
            out.push('>');
            for (name, value) in members.iter().filter(|(name, _)| !name.starts_with('@')) {
                match (name.as_str(), value.text()) {
                    ("#text", text) => character_data(out, text.unwrap_or_default()),
                    _ => xml(out, name, value),
                }
            }
            end(out, name);
        }
        Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => {
            out.push('<');
            out.push_str(name);
            out.push('>');
            character_data(out, tree.text().unwrap_or_default());
            end(out, name);
        }
    }
}

fn end(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

fn character_data(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML has no way to say these.
            c if c.is_control() && !matches!(c, '\n' | '\r' | '\t') => (),
            c => out.push(c),
        }
    }
}
