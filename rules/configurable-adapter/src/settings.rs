//! What is set, and whether it makes sense together.

use std::collections::BTreeMap;

use guest_sdk::adapter::{Tree, price};

use crate::answers::{self, Answers};

/// The most fields that are mapped.
pub(crate) const FIELDS_MAX: usize = 500;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) format: Format,
    #[serde(default)]
    pub(crate) method: Method,
    #[serde(default)]
    pub(crate) root: Option<String>,
    #[serde(default)]
    pub(crate) xml_field: Option<String>,
    #[serde(default)]
    pub(crate) beside: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) constants: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) literals: BTreeMap<String, String>,
    pub(crate) fields: Vec<Field>,
    #[serde(default)]
    pub(crate) ping: Option<Call>,
    #[serde(default)]
    pub(crate) post: Option<Call>,
    #[serde(default)]
    pub(crate) answer: Answers,
}

#[derive(Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Format {
    Json,
    Form,
    Xml,
    XmlInField,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    #[default]
    Post,
    Put,
    Get,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    pub(crate) from: String,
    pub(crate) to: String,
    #[serde(default, rename = "as")]
    pub(crate) written: Written,
    #[serde(default)]
    pub(crate) pattern: Option<String>,
    #[serde(default)]
    pub(crate) words: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) default: Option<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Written {
    #[default]
    Is,
    Text,
    YesNo,
    Flag,
    Digits,
    Capitals,
    Date,
}

#[derive(Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) constants: BTreeMap<String, String>,
    pub(crate) handle: Option<String>,
    pub(crate) price: Option<String>,
    pub(crate) lead_id: Option<String>,
    pub(crate) test: Option<String>,
    pub(crate) test_word: Option<String>,
    pub(crate) live_word: Option<String>,
}

/// Settings that make sense together, or the member that does not.
pub(crate) fn check(settings: &Settings) -> Result<(), String> {
    let Settings { format, method, root, fields, ping, post, literals, answer, .. } = settings;
    if ping.is_none() && post.is_none() {
        return Err("`post` is missing, and `ping`, too: say how the buyer gets leads, such as {\"path\": \"/leads\"}".to_owned());
    }
    if *method == Method::Get && *format != Format::Form {
        return Err("`method` is get, which has no body: `format` must be form".to_owned());
    }
    let is_xml = matches!(format, Format::Xml | Format::XmlInField);
    let tag = |name: &str| {
        let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(letters)
    };
    if let Some(root) = root.as_ref().filter(|root| !tag(root)) {
        return Err(format!("`root` is `{root}`, which is no name of a tag"));
    }
    if fields.len() > FIELDS_MAX {
        return Err(format!(
            "`fields` has {} elements, and at most {FIELDS_MAX} are possible",
            fields.len()
        ));
    }
    for (place, Field { from, to, written, pattern, .. }) in fields.iter().enumerate() {
        let steps = || to.split('/').map(|step| step.trim_start_matches('@'));
        let numbered = |step: &str| step.bytes().all(|byte| byte.is_ascii_digit());
        let fault = if from.is_empty() {
            "`from` is empty: name a field of the vertical's schema"
        } else if steps().any(str::is_empty) {
            "`to` has an empty step: write it as person/zip"
        } else if is_xml && steps().any(|step| !tag(step) && !numbered(step)) {
            "`to` has a step that is no name of a tag"
        } else if (*written == Written::Date) != pattern.is_some() {
            "`pattern` goes with `as`: \"date\", and only with it: say it as MM/DD/YYYY"
        } else {
            continue;
        };
        return Err(format!("`fields[{place}]`: {fault}"));
    }
    for (name, call) in [("ping", ping), ("post", post)] {
        let path = call.as_ref().map_or("", |call| call.path.as_str());
        if !path.is_empty() && !path.starts_with(['/', '?']) || path.starts_with("//") {
            return Err(format!(
                "`{name}.path` is `{path}`: it is appended to the buyer's address, so it begins with one `/` or `?`"
            ));
        }
    }
    if let Some(Call { handle, price, lead_id, .. }) = ping {
        for (name, path) in [("handle", handle), ("price", price), ("lead_id", lead_id)] {
            if path.is_some() {
                return Err(format!(
                    "`ping.{name}` is nothing that a question for a bid has: say it under `post`"
                ));
            }
        }
    }
    if let Some((name, text)) = literals.iter().find(|(_, text)| literal(text).is_none()) {
        return Err(format!("`literals.{name}` is `{text}`, and must be a number, true or false"));
    }
    answers::check(answer)
}

/// Reads what JSON writes without quotes.
pub(crate) fn literal(text: &str) -> Option<Tree> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    match text {
        "true" => Some(Tree::Bool(true)),
        "false" => Some(Tree::Bool(false)),
        _ => (is_number && price(text).is_some()).then(|| Tree::Number(text.to_owned())),
    }
}
