//! What is wrong with settings, for the person who filled them in: no types of Rust, no bytes, but which setting.

use core::fmt;

use serde::de::{Error, Expected, Unexpected};

/// Why settings were not read.
#[derive(Debug)]
pub(super) struct Fault {
    what: String,
    /// The setting that is meant: `bands[0].cents`.
    path: String,
    /// Where the text is no JSON.
    place: Option<usize>,
}

impl Fault {
    /// Takes what is wrong with the text at a place.
    pub(super) fn at(place: usize, what: &str) -> Self {
        Self { what: what.to_owned(), path: String::new(), place: Some(place) }
    }

    fn new(parts: &[&str]) -> Self {
        Self { what: parts.concat(), path: String::new(), place: None }
    }

    /// Says of which member of an object it is the fault.
    pub(super) fn in_member(mut self, key: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = [key, dot, &self.path].concat();
        self
    }

    /// Says of which element of a list it is the fault.
    pub(super) fn in_element(mut self, place: usize) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') { "" } else { "." };
        self.path = ["[", &place.to_string(), "]", dot, &self.path].concat();
        self
    }

    /// Returns the words for it.
    pub(super) fn told(self, text: &str) -> String {
        if let Some(place) = self.place {
            let before = text.get(..place).unwrap_or(text);
            let line = before.bytes().filter(|&byte| byte == b'\n').count().saturating_add(1);
            let column = before.bytes().rev().take_while(|&byte| byte != b'\n').count();
            let (line, column) = (line.to_string(), column.saturating_add(1).to_string());
            return ["not JSON at line ", &line, ", column ", &column, ": ", &self.what].concat();
        }
        match self.path.is_empty() {
            true => self.what,
            false => ["`", &self.path, "`: ", &self.what].concat(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl core::error::Error for Fault {}

impl Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { what: message.to_string(), path: String::new(), place: None }
    }

    #[cold]
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(&["expected ", &wanted(expected), ", got ", &told(unexpected)])
    }

    #[cold]
    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => {
                Self::new(&[&told(unexpected), " is out of range"])
            }
            _ => Self::invalid_type(unexpected, expected),
        }
    }

    #[cold]
    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        let length = length.to_string();
        Self::new(&["expected ", &expected.to_string(), ", got ", &length, " elements"])
    }

    #[cold]
    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(&["there is no `", variant, "` here; choose ", &listed(known, " or ")])
    }

    #[cold]
    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(&["there is no setting `", field, "` here; there is ", &listed(known, " and ")])
    }

    #[cold]
    fn missing_field(field: &'static str) -> Self {
        Self::new(&["`", field, "` is missing"])
    }

    #[cold]
    fn duplicate_field(field: &'static str) -> Self {
        Self::new(&["`", field, "` is there twice"])
    }
}

/// Returns what was expected in words that are no names of types.
fn wanted(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    let words = match expected.as_str() {
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "f32" | "f64" => "a number",
        "a string" | "a borrowed string" => "text in quotes",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        other if other.starts_with("struct ") => "an object",
        other if other.starts_with("enum ") => "one of some words",
        _ => return expected,
    };
    words.to_owned()
}

fn told(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Unsigned(number) => number.to_string(),
        Unexpected::Signed(number) => number.to_string(),
        Unexpected::Str(text) => ["the text \"", text, "\""].concat(),
        Unexpected::Bool(true) => "true".to_owned(),
        Unexpected::Bool(false) => "false".to_owned(),
        Unexpected::Float(_) => "a number with a fraction".to_owned(),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        Unexpected::Other(other) => other.to_owned(),
        _ => "something else".to_owned(),
    }
}

fn listed(known: &[&str], last: &str) -> String {
    let mut list = String::new();
    for (place, name) in known.iter().enumerate() {
        let is_last = place.saturating_add(1) == known.len();
        list.push_str(if place == 0 {
            ""
        } else if is_last {
            last
        } else {
            ", "
        });
        list.push_str(&["`", name, "`"].concat());
    }
    if known.is_empty() { "none".to_owned() } else { list }
}
