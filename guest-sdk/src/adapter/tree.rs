//! What a message says, whatever its syntax: written as JSON, as a form or as XML, and read from them.

use super::words::{alike, matches};

/// How deep a tree that is read may be; what lies deeper is left out.
pub(super) const DEPTH_MAX: usize = 32;
/// The most parts of a tree that is read; what comes after them is left out.
pub(super) const PARTS_MAX: usize = 4_000;

/// A value, a list or an object of a message.
///
/// In XML a member is a tag, one whose name begins with `@` an attribute, `#text` the text beside them, and a list the same
/// tag several times. In a form the members of inner objects are joined by points: `lead.zip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tree {
    /// Nothing: it is left out of what is written.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number as it is written: never through a float.
    Number(String),
    /// A text.
    Text(String),
    /// Several of the same name.
    List(Vec<Tree>),
    /// Members in their order.
    Object(Vec<(String, Tree)>),
}

macro_rules! from {
    ($($type:ty, $value:ident => $tree:expr;)+) => {$(
        impl From<$type> for Tree {
            fn from($value: $type) -> Self {
                $tree
            }
        }
    )+};
}

from! {
    &str, value => Self::Text(value.to_owned());
    String, value => Self::Text(value);
    &String, value => Self::Text(value.clone());
    bool, value => Self::Bool(value);
    i64, value => Self::Number(value.to_string());
    u32, value => Self::Number(value.to_string());
    Vec<Tree>, value => Self::List(value);
}

impl<T: Into<Tree>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Tree {
    /// Returns an object without members.
    #[must_use]
    pub const fn object() -> Self {
        Self::Object(Vec::new())
    }

    /// Puts a value at a path such as `person/address/zip` or `vehicles/0/make`, in the order of the calls. Nothing is put
    /// where the value is nothing, so an absent field leaves no trace.
    pub fn set(&mut self, path: &str, value: impl Into<Self>) {
        let value = value.into();
        if value != Self::Null {
            self.place(path, value);
        }
    }

    fn place(&mut self, path: &str, value: Self) {
        let Some((first, rest)) = path.split_once('/') else {
            *self.member(path) = value;
            return;
        };
        self.member(first).place(rest, value);
    }

    /// Returns the member of this name, or the element at this place, which is made if it is not there.
    #[inline(never)]
    fn member(&mut self, name: &str) -> &mut Self {
        if let Ok(place) = name.parse::<usize>()
            && place < PARTS_MAX
            && !matches!(self, Self::Object(members) if !members.is_empty())
        {
            if !matches!(self, Self::List(_)) {
                *self = Self::List(Vec::new());
            }
            let Self::List(list) = self else { unreachable!("it was just made a list") };
            if list.len() <= place {
                list.resize(place.saturating_add(1), Self::object());
            }
            if let Some(element) = list.get_mut(place) {
                return element;
            }
            unreachable!("it was just made as long");
        }
        if !matches!(self, Self::Object(_)) {
            *self = Self::object();
        }
        let Self::Object(members) = self else { unreachable!("it was just made an object") };
        let known = members.iter().position(|(known, _)| known == name);
        let place = known.unwrap_or_else(|| {
            members.push((name.to_owned(), Self::Null));
            members.len().saturating_sub(1)
        });
        match members.get_mut(place) {
            Some((_, member)) => member,
            None => unreachable!("it was just pushed"),
        }
    }

    /// Returns the value as text, without the space around it; nothing for what is empty. Of a list, the first element's.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let text = match self {
            Self::Null => return None,
            Self::Bool(true) => "true",
            Self::Bool(false) => "false",
            Self::Number(text) | Self::Text(text) => text.trim(),
            Self::List(list) => return list.iter().find_map(Self::text),
            Self::Object(members) => {
                let text = members.iter().find(|(name, _)| name == "#text");
                return text.and_then(|(_, text)| text.text());
            }
        };
        (!text.is_empty()).then_some(text)
    }

    /// Returns the member of this name, whatever its case and punctuation, or the element at this place.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let mut found = Vec::new();
        self.step(name, &mut found);
        found.first().copied()
    }

    /// Returns the part at a path, wherever in the tree the path begins; the least deep counts. A path with a `/` before it
    /// begins at the top. A name leads through a list to all its elements.
    #[must_use]
    #[inline(never)]
    pub fn find(&self, path: &str) -> Option<&Self> {
        let mut level = vec![self];
        while !level.is_empty() {
            let found = at(&level, path);
            if !found.is_empty() || path.starts_with('/') {
                return found.first().copied();
            }
            level = level.into_iter().flat_map(Self::children).collect();
        }
        None
    }

    /// Returns all that is in this tree by its depth, and nothing of what is in these parts of it.
    #[inline(never)]
    pub(super) fn levels(&self, but: &[&Self]) -> Levels<'_> {
        let mut levels = Vec::new();
        let mut level = vec![self];
        while !level.is_empty() {
            let below = level.iter().flat_map(|part| part.children());
            let below = below
                .filter(|part| !but.iter().any(|other| core::ptr::eq(*other, *part)))
                .collect();
            levels.push(core::mem::replace(&mut level, below));
        }
        Levels(levels)
    }

    /// Adds the parts that one step leads to.
    #[inline(never)]
    fn step<'t>(&'t self, name: &str, found: &mut Vec<&'t Self>) {
        let before = found.len();
        match self {
            Self::Object(members) => {
                let members = members.iter().filter(|(known, _)| alike(known, name));
                found.extend(members.map(|(_, member)| member));
            }
            Self::List(list) => match name.parse::<usize>() {
                Ok(place) => return found.extend(list.get(place)),
                Err(_) => list.iter().for_each(|element| element.step(name, found)),
            },
            _ => (),
        }
        // What comes once is also a list of one.
        if name == "0" && found.len() == before {
            found.push(self);
        }
    }

    /// Adds the texts that stand here: one, or those of a list.
    pub(super) fn texts<'t>(&'t self, found: &mut Vec<&'t str>) {
        match self {
            Self::List(list) => list.iter().for_each(|element| element.texts(found)),
            plain => found.extend(plain.text()),
        }
    }

    fn children(&self) -> impl Iterator<Item = &Self> {
        let (list, members): (&[Self], &[(String, Self)]) = match self {
            Self::List(list) => (list, &[]),
            Self::Object(members) => (&[], members),
            _ => (&[], &[]),
        };
        list.iter().chain(members.iter().map(|(_, member)| member))
    }

    /// Returns the elements of a list, or of the one list in an object, or what is no list as the only element.
    #[must_use]
    pub fn elements(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            Self::Object(members) => match members.as_slice() {
                [(_, Self::List(list))] => list,
                [(_, only @ Self::Object(_))] => core::slice::from_ref(only),
                _ => core::slice::from_ref(self),
            },
            _ => core::slice::from_ref(self),
        }
    }

    /// Adds a member that was read: a name that comes again makes a list.
    #[inline(never)]
    pub(super) fn add(&mut self, name: String, value: Self) {
        let Self::Object(members) = self else { return };
        match members.iter_mut().find(|(known, _)| *known == name) {
            None => members.push((name, value)),
            Some((_, Self::List(list))) => list.push(value),
            Some((_, known)) => *known = Self::List(vec![core::mem::take(known), value]),
        }
    }
}

/// All parts of a tree, the least deep first.
pub(super) struct Levels<'t>(Vec<Vec<&'t Tree>>);

impl<'t> Levels<'t> {
    /// Returns every part at a path, wherever it begins, with the names that are alike and the elements of lists.
    #[inline(never)]
    pub(super) fn every(&self, path: &str) -> Vec<&'t Tree> {
        let top = if path.starts_with('/') { 1 } else { self.0.len() };
        self.0.iter().take(top).flat_map(|level| at(level, path)).collect()
    }

    /// Returns the texts at all of these paths.
    #[inline(never)]
    pub(super) fn texts(&self, paths: &[&str]) -> Vec<&'t str> {
        let mut texts = Vec::new();
        for path in paths {
            self.every(path).iter().for_each(|part| part.texts(&mut texts));
        }
        texts
    }

    /// Says whether a complaint or a flag stands at one of these paths.
    #[inline(never)]
    pub(super) fn say(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.every(path).into_iter().any(says_something))
    }

    /// Returns the texts at the first of these paths that is the least deep.
    #[inline(never)]
    pub(super) fn shallowest(&self, paths: &[&str]) -> Vec<&'t str> {
        for (depth, level) in self.0.iter().enumerate() {
            for path in paths.iter().filter(|path| depth == 0 || !path.starts_with('/')) {
                let mut found = Vec::new();
                at(level, path).iter().for_each(|part| part.texts(&mut found));
                if !found.is_empty() {
                    return found;
                }
            }
        }
        Vec::new()
    }
}

/// Returns the parts at a path that begins at one of these.
#[inline(never)]
fn at<'t>(level: &[&'t Tree], path: &str) -> Vec<&'t Tree> {
    if path.is_empty() {
        return Vec::new();
    }
    let mut parts = level.to_vec();
    for step in path.split('/').filter(|step| !step.is_empty()) {
        let mut found = Vec::new();
        parts.iter().for_each(|part| part.step(step, &mut found));
        parts = found;
    }
    parts
}

/// Says whether a complaint or a flag is one: what is empty, zero, `false` or a word for it is none.
fn says_something(part: &Tree) -> bool {
    let nothing = ["false", "no", "none", "null", "no error*"];
    match part {
        Tree::List(list) => list.iter().any(says_something),
        Tree::Object(members) => members.iter().any(|(_, member)| says_something(member)),
        plain => plain.text().is_some_and(|text| {
            text.bytes().any(|byte| !matches!(byte, b'0' | b'.'))
                && !nothing.iter().any(|word| matches(word, text))
        }),
    }
}
