//! A schema as a Rust file for filters: a typed constant for every field that a filter may read, and an enum for every
//! list of words.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::document::version_text;
use crate::lead::{Field, Kind, Schema};

/// Returns the file: a module that a filter's crate takes in beside `lib.rs`.
pub fn accessors(schema: &Schema) -> String {
    let mut file = header(schema);
    let fields: Vec<&Field> = schema.fields().iter().filter(|field| !field.contact).collect();
    let (mut constants, mut types) = (BTreeSet::new(), BTreeSet::new());
    let (mut readers, mut enums) = (String::new(), String::new());
    for field in fields {
        let constant = unique(constant_name(&field.name), "_", &mut constants);
        let words = (!field.allowed.is_empty())
            .then(|| unique(camel(&field.name, "Field"), "", &mut types));
        put_docs(&mut readers, "    ", &about(field, words.as_deref()));
        put(
            &mut readers,
            format_args!("    pub {constant}: {} = {:?};\n", field.kind.name(), field.name),
        );
        if let Some(name) = words {
            put_enum(&mut enums, &name, field);
        }
    }
    if !readers.is_empty() {
        put(&mut file, format_args!("\nguest_sdk::fields! {{\n{readers}}}\n"));
    }
    file.push_str(&enums);
    file
}

fn header(schema: &Schema) -> String {
    let (vertical, version) = (schema.vertical(), version_text(schema.version()));
    let module = vertical.as_str().replace(['-', '.'], "_");
    let mut file = String::new();
    put(
        &mut file,
        format_args!(
            "//! The fields of `{vertical}`, version {version} of its schema, for a filter to read.\n\
             //!\n\
             //! Made by `gavel schema {vertical} --rust`: make it again rather than change it. It is `src/{module}.rs` \
             of a filter's\n\
             //! crate, and `lib.rs` takes from it what the filter reads:\n\
             //!\n\
             //! ```ignore\n\
             //! pub mod {module};\n\
             //!\n\
             //! guest_sdk::needs! {{ {module}::{{{}}} }}\n\
             //! ```\n",
            example(schema),
        ),
    );
    file
}

/// Returns the names of one or two constants, for the example.
fn example(schema: &Schema) -> String {
    let fields = schema.fields().iter().filter(|field| !field.contact).take(2);
    fields.map(|field| constant_name(&field.name)).collect::<Vec<String>>().join(", ")
}

/// Says what a field's values are, and when there is one.
fn about(field: &Field, words: Option<&str>) -> String {
    let mut about = field.description.clone();
    if !about.is_empty() {
        about.push('\n');
    }
    let unit = match field.kind {
        Kind::Decimal => "In millionths: 12.5 is 12,500,000. ",
        Kind::Date => "Days since 1970-01-01. ",
        Kind::Text | Kind::Texts | Kind::Integer | Kind::Boolean => "",
    };
    let always = if field.required_on_ping { "Every ping has it." } else { "It may be absent." };
    put(&mut about, format_args!("{unit}{always}"));
    if let Some(words) = words {
        let each = if field.kind == Kind::Texts { "Each text" } else { "Its text" };
        put(&mut about, format_args!(" {each} is a [`{words}`]."));
    }
    about
}

fn put_enum(file: &mut String, name: &str, field: &Field) {
    let mut variants = BTreeSet::new();
    let named: Vec<(String, &str)> = (1_usize..)
        .zip(&field.allowed)
        .map(|(place, word)| {
            let variant = match camel(word, "N") {
                empty if empty.is_empty() => format!("Word{place}"),
                variant => variant,
            };
            (unique(variant, "", &mut variants), word.as_str())
        })
        .collect();
    put(file, format_args!("\n/// The words of `{}`.\n", field.name));
    put(file, format_args!("#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum {name} {{\n"));
    for (variant, word) in &named {
        put_docs(file, "    ", &format!("`{word}`"));
        put(file, format_args!("    {variant},\n"));
    }
    put(
        file,
        format_args!(
            "}}\n\nimpl {name} {{\n    /// Returns what a text stands for; `None` is a word that a later minor version \
             has added.\n    pub fn from_text(text: &str) -> Option<Self> {{\n        match text {{\n"
        ),
    );
    for (variant, word) in &named {
        put(file, format_args!("            {word:?} => Some(Self::{variant}),\n"));
    }
    file.push_str(
        "            _ => None,\n        }\n    }\n\n    /// Returns the word of the schema.\n    \
         pub const fn text(self) -> &'static str {\n        match self {\n",
    );
    for (variant, word) in &named {
        put(file, format_args!("            Self::{variant} => {word:?},\n"));
    }
    file.push_str("        }\n    }\n}\n");
}

fn put(text: &mut String, more: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _ = text.write_fmt(more);
}

/// Writes a text as documentation: line by line, and nothing that ends a line unseen.
fn put_docs(file: &mut String, indent: &str, text: &str) {
    for line in text.lines() {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let line: String = line.chars().map(plain).collect();
        put(file, format_args!("{}\n", format!("{indent}/// {line}").trim_end()));
    }
}

/// Returns a field's name as a constant's. A schema's names are of a-z, 0-9 and `_`.
fn constant_name(field: &str) -> String {
    let name = field.to_ascii_uppercase();
    if name.starts_with(|c: char| c.is_ascii_uppercase()) { name } else { format!("FIELD_{name}") }
}

/// Returns words joined to a type's name; digits that stood apart stay apart.
fn camel(words: &str, before_digit: &str) -> String {
    let mut name = String::new();
    for word in words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let digit = word.starts_with(|c: char| c.is_ascii_digit());
        if digit && name.is_empty() {
            name.push_str(before_digit);
        } else if digit && name.ends_with(|c: char| c.is_ascii_digit()) {
            name.push('_');
        }
        let (first, rest) = word.split_at(1);
        name.push_str(&first.to_ascii_uppercase());
        name.push_str(&rest.to_ascii_lowercase());
    }
    // These two are Rust's.
    if matches!(name.as_str(), "Self" | "Option") { format!("{name}Word") } else { name }
}

/// Returns the name, with a number if it is taken.
fn unique(name: String, before_number: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}{before_number}{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or(name);
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::super::properties::schema;
    use super::*;

    #[test]
    fn a_filter_gets_a_constant_for_each_field_and_an_enum_for_each_list_of_words() {
        let schema = schema(
            (1, 2),
            "credit text ping words=good,very-poor about=Credit.\nincome decimal\nphone text contact",
        );
        let expected = r#"//! The fields of `test`, version 1.2 of its schema, for a filter to read.
//!
//! Made by `gavel schema test --rust`: make it again rather than change it. It is `src/test.rs` of a filter's
//! crate, and `lib.rs` takes from it what the filter reads:
//!
//! ```ignore
//! pub mod test;
//!
//! guest_sdk::needs! { test::{CREDIT, INCOME} }
//! ```

guest_sdk::fields! {
    /// Credit.
    /// Every ping has it. Its text is a [`Credit`].
    pub CREDIT: text = "credit";
    /// In millionths: 12.5 is 12,500,000. It may be absent.
    pub INCOME: decimal = "income";
}

/// The words of `credit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credit {
    /// `good`
    Good,
    /// `very-poor`
    VeryPoor,
}

impl Credit {
    /// Returns what a text stands for; `None` is a word that a later minor version has added.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "good" => Some(Self::Good),
            "very-poor" => Some(Self::VeryPoor),
            _ => None,
        }
    }

    /// Returns the word of the schema.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::VeryPoor => "very-poor",
        }
    }
}
"#;
        assert_eq!(accessors(&schema), expected);
    }

    #[test]
    fn every_name_and_word_becomes_an_identifier() {
        for (word, expected) in [
            ("100/300", "N100_300"),
            ("15k-30k", "N15k30k"),
            ("state-minimum", "StateMinimum"),
            ("A+", "A"),
            ("self", "SelfWord"),
            ("option", "OptionWord"),
            ("ü", ""),
            ("", ""),
        ] {
            assert_eq!(camel(word, "N"), expected, "{word}");
        }
        for (field, expected) in [("age", "AGE"), ("4wd", "FIELD_4WD"), ("_", "FIELD__")] {
            assert_eq!(constant_name(field), expected);
        }
        let mut taken = BTreeSet::new();
        let names = ["A", "A", "A2", "A"].map(|name| unique(name.to_owned(), "", &mut taken));
        assert_eq!(names, ["A", "A2", "A22", "A3"]);
        let mut docs = String::new();
        put_docs(&mut docs, "", "one\r two\n\nthree\u{0}");
        assert_eq!(docs, "/// one  two\n///\n/// three\n");
    }
}
