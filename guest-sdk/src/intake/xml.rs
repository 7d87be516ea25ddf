//! XML, event by event: no recursion, prefixes dropped, attributes read like tags, no document type, no entities but
//! the five that XML has.

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::json::{is_pair_name, is_pair_value};
use super::tree::{DEPTH_MAX, Leaves, Scope};
use super::{malformed, too_large};
use crate::normalizer::Refusal;

/// Tags that may hold a name and a value: `<field name="zip">33139</field>`.
const PAIR_TAGS: &[&str] = &[
    "answer",
    "attribute",
    "customfield",
    "element",
    "entry",
    "field",
    "input",
    "item",
    "param",
    "parameter",
    "property",
    "question",
    "value",
    "var",
];

/// A tag that is open.
struct Level {
    scope: Scope,
    name: String,
    text: String,
    is_nil: bool,
    has_children: bool,
    /// The number of tags so far inside it, by name, of those that can be elements of a list.
    children: Vec<(String, u32)>,
    pair: Option<(Option<String>, Option<String>)>,
}

/// Reads one document, whose outermost tag may have any name.
pub(super) fn read(leaves: &mut Leaves<'_>, text: &str) -> Result<(), Refusal> {
    let mut reader = Reader::from_str(text);
    let mut document = Document { leaves, levels: Vec::with_capacity(8), is_complete: false };
    loop {
        let event = reader.read_event().map_err(|_| {
            let line = text.get(..byte_place(reader.error_position())).map_or(1, lines);
            malformed(&format!("the body is not well-formed XML: line {line}"))
        })?;
        match event {
            Event::Start(tag) => document.open(&tag)?,
            Event::Empty(tag) => {
                document.open(&tag)?;
                document.close()?;
            }
            Event::End(_) => document.close()?,
            Event::Text(text) => document.text(&text.xml10_content())?,
            Event::CData(text) => document.text(&text.xml10_content())?,
            Event::GeneralRef(entity) => {
                document.text(character(&entity)?.encode_utf8(&mut [0; 4]))?
            }
            Event::DocType(_) => {
                return Err(malformed(
                    "the body has a document type; send the XML without <!DOCTYPE>",
                ));
            }
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => (),
            Event::Eof if document.levels.is_empty() && document.is_complete => return Ok(()),
            Event::Eof => {
                return Err(malformed("the body is XML that ends before its last tag is closed"));
            }
        }
    }
}

struct Document<'l, 'v> {
    leaves: &'l mut Leaves<'v>,
    levels: Vec<Level>,
    is_complete: bool,
}

impl Document<'_, '_> {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), Refusal> {
        if self.levels.len() >= DEPTH_MAX {
            return Err(too_large(format!("the body is nested deeper than {DEPTH_MAX} tags")));
        }
        self.leaves.count_one()?;
        let local = tag.local_name();
        let name = local.as_ref();
        let scope = match self.levels.last_mut() {
            None if self.is_complete => {
                return Err(malformed("the body has more than one outermost tag"));
            }
            None => Scope::TOP,
            Some(level) => {
                level.has_children = true;
                let is_container = self.leaves.is_container(name);
                let scope = self.leaves.enter(level.scope, name)?;
                if is_container && !is_pair_tag(name) {
                    scope.element(count(level, name))
                } else {
                    scope
                }
            }
        };
        let mut level = Level {
            scope,
            name: name.to_owned(),
            text: String::new(),
            is_nil: false,
            has_children: false,
            children: Vec::new(),
            pair: is_pair_tag(name).then_some((None, None)),
        };
        for attribute in tag.attributes() {
            let attribute =
                attribute.map_err(|_| malformed("a tag of the body has malformed attributes"))?;
            let key = attribute.key.local_name();
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| malformed("an attribute has an entity that XML does not have"))?;
            if attribute.key.as_ref() == "xmlns"
                || attribute.key.prefix().is_some_and(|p| p.as_ref() == "xmlns")
            {
                continue;
            }
            match (key.as_ref(), &mut level.pair) {
                ("nil", _) => level.is_nil = matches!(value.as_ref(), "true" | "1"),
                (name, Some((pair, _))) if is_pair_name(name) && pair.is_none() => {
                    *pair = Some(value.into_owned())
                }
                (name, Some((_, pair))) if is_pair_value(name) && pair.is_none() => {
                    *pair = Some(value.into_owned())
                }
                (name, _) => self.leaves.leaf(scope, name, &value, false)?,
            }
        }
        self.levels.push(level);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        match self.levels.last_mut() {
            Some(level) => level.text.push_str(text),
            None if text.trim().is_empty() => (),
            None => return Err(malformed("the body has text outside its outermost tag")),
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), Refusal> {
        let Some(level) = self.levels.pop() else { return Ok(()) };
        let Some(parent) = self.levels.last_mut() else {
            self.is_complete = true;
            return Ok(());
        };
        let text = if level.is_nil { "" } else { level.text.as_str() };
        if let Some((Some(name), value)) = &level.pair {
            return self.leaves.leaf(parent.scope, name, value.as_deref().unwrap_or(text), false);
        }
        if let Some((name, value)) = &mut parent.pair {
            if is_pair_name(&level.name) && name.is_none() {
                *name = Some(text.to_owned());
                return Ok(());
            }
            if is_pair_value(&level.name) && value.is_none() {
                *value = Some(text.to_owned());
                return Ok(());
            }
        }
        if level.has_children && text.trim().is_empty() {
            return Ok(());
        }
        self.leaves.leaf(parent.scope, &level.name, text, false)
    }
}

/// Counts one more child of this name and returns how many were before it.
fn count(level: &mut Level, name: &str) -> u32 {
    if let Some((_, count)) = level.children.iter_mut().find(|(known, _)| known == name) {
        *count = count.saturating_add(1);
        return *count;
    }
    level.children.push((name.to_owned(), 0));
    0
}

fn is_pair_tag(name: &str) -> bool {
    PAIR_TAGS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn character(entity: &BytesRef<'_>) -> Result<char, Refusal> {
    let numbered = entity
        .resolve_char_ref()
        .map_err(|_| malformed("a character reference names no character"))?;
    let content = entity.xml10_content();
    Ok(match (numbered, content.as_ref()) {
        (Some(character), _) => character,
        (None, "amp") => '&',
        (None, "lt") => '<',
        (None, "gt") => '>',
        (None, "apos") => '\'',
        (None, "quot") => '"',
        (None, _) => {
            return Err(malformed(
                "the body has an entity that XML does not have; it has lt, gt, amp, apos and quot",
            ));
        }
    })
}

fn byte_place(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

fn lines(text: &str) -> usize {
    text.lines().count().max(1)
}
