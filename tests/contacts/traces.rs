//! Looks for a person everywhere: in every file, in every spelling in which a program may leave a text.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Somebody who is nowhere else: every value is found only if it was left.
#[derive(Clone)]
pub(crate) struct Person {
    first_name: String,
    last_name: String,
    pub(crate) email: String,
    phone: String,
}

impl Person {
    pub(crate) fn new(first_name: &str, last_name: &str, email: &str, phone: &str) -> Self {
        Self {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            email: email.to_owned(),
            phone: phone.to_owned(),
        }
    }

    /// Returns what a post says of the person.
    pub(crate) fn fields(&self) -> Value {
        json!({
            "first_name": self.first_name, "last_name": self.last_name,
            "email": self.email, "phone": self.phone,
        })
    }

    fn values(&self) -> Vec<String> {
        let all = [&self.first_name, &self.last_name, &self.email, &self.phone];
        all.into_iter().cloned().collect()
    }
}

/// Every spelling of a value that is long enough not to be there by chance.
fn spellings(value: &str) -> Vec<Vec<u8>> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = value.replace('@', "%40").replace('+', "%2B");
    let wide: Vec<u8> = value.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut all = vec![
        value.as_bytes().to_vec(),
        value.to_lowercase().into_bytes(),
        value.to_uppercase().into_bytes(),
        value.bytes().rev().collect(),
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        percent.into_bytes(),
        wide,
    ];
    // Inside other text base64 begins at any of three places; the characters at the ends depend on what is around.
    for lead in 0..3 {
        let around = [&b"???"[..lead], value.as_bytes()].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&around).into_bytes();
            let (from, to) = (if lead == 0 { 0 } else { lead + 1 }, around.len() * 8 / 6);
            all.push(text[from..to].to_vec());
        }
    }
    all
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Returns where in some bytes a person is, in which spelling.
fn traces(person: &Person, place: &str, bytes: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    for value in person.values() {
        for spelling in spellings(&value) {
            let at = bytes.windows(spelling.len()).position(|window| window == spelling);
            if let Some(at) = at {
                let around = &bytes[at.saturating_sub(80)..(at + 80).min(bytes.len())];
                found.push(format!(
                    "{value} in {place} at {at}: {}",
                    String::from_utf8_lossy(around)
                ));
            }
        }
    }
    found
}

/// Fails if the person is in any file of these directories, or in any of these texts.
#[track_caller]
pub(crate) fn nowhere(person: &Person, directories: &[&Path], texts: &[(&str, String)]) {
    let (mut paths, mut found) = (Vec::new(), Vec::new());
    directories.iter().for_each(|directory| files(directory, &mut paths));
    assert!(paths.iter().any(|path| path.ends_with("journal.db-wal")), "{paths:?}");
    for path in paths {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        found.extend(traces(person, &path.display().to_string(), &bytes));
    }
    for (name, text) in texts {
        found.extend(traces(person, name, text.as_bytes()));
    }
    assert!(found.is_empty(), "{} traces:\n{}", found.len(), found.join("\n"));
}

#[test]
fn a_person_is_found_in_every_spelling() {
    let person = Person::new("Zebulon", "Quixotesson", "zq@example.net", "2025550199");
    let encoded = STANDARD_NO_PAD.encode("{\"first_name\":\"Zebulon\",\"x\":1}");
    for text in
        ["xx Zebulon xx", "ZEBULON", "5a6562756c6f6e", "zq%40example.net", &encoded, "9910555202"]
    {
        assert!(!traces(&person, "text", text.as_bytes()).is_empty(), "{text}");
    }
    assert!(traces(&person, "text", b"Zebul on, 202 555 0199").is_empty());
}
