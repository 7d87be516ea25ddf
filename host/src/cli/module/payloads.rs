//! Two versions of a normalizer over a folder of payloads: `NAME.ping.form` or `NAME.post.json`, as fixtures are named.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::read;
use crate::cli::Failure;
use crate::comparison::{Field, Read, Readings};
use crate::exchange::Code;
use crate::lead::Schema;
use crate::sandbox::{Admitted, Limits, Normalized, Normalizer, Sandbox, Stage, Submission};

/// The day on which the payloads come: 2026-02-01, so that ages are the same whenever they are compared.
const RECEIVED_ON: i32 = 20_485;
/// The largest folder that is compared.
const PAYLOADS_MAX: usize = 100_000;
/// The syntaxes, as a payload's name says them, with the content type that sources send.
const SYNTAXES: [(&str, &str); 3] = [
    (".form", "application/x-www-form-urlencoded"),
    (".json", "application/json; charset=utf-8"),
    (".xml", "text/xml"),
];

/// Compares two normalizers over every payload of a folder.
pub(super) fn compare(
    folder: &Path,
    name: &str,
    (old, new): (Code, Code),
) -> Result<Value, Failure> {
    let sandbox = Sandbox::open(&Limits::default()).map_err(|error| Failure::because(&error))?;
    let (old, new) = (Version::admit(&sandbox, old)?, Version::admit(&sandbox, new)?);
    let mut readings = Readings::default();
    for file in payloads(folder)? {
        let body = read(&folder.join(&file))?;
        let Some(submission) = submission(&file, &body) else { continue };
        let (before, after) = (old.read(&submission), new.read(&submission));
        readings.add((&before.0, &before.1), (&after.0, &after.1));
    }
    if readings.submissions() == 0 {
        return Err(Failure::usage(format!(
            "{} has no payloads: they are called NAME.ping.form, NAME.ping.json or NAME.ping.xml, or `post` instead of `ping`",
            folder.display()
        )));
    }
    let mut found = json!({
        "module": name,
        "world": "normalizer",
        "old": old.to_json(),
        "new": new.to_json(),
        "settings": "recorded",
        "complete": true,
    });
    if let (Some(found), Value::Object(counted)) = (found.as_object_mut(), readings.to_json()) {
        found.extend(counted);
    }
    Ok(found)
}

fn payloads(folder: &Path) -> Result<Vec<String>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::could_not_run(format!("cannot read {}: {error}", folder.display()))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        files.push(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned());
        if files.len() > PAYLOADS_MAX {
            return Err(Failure::usage(format!("a folder may have at most {PAYLOADS_MAX} files")));
        }
    }
    files.sort_unstable();
    Ok(files)
}

fn submission<'s>(file: &str, body: &'s [u8]) -> Option<Submission<'s>> {
    let (stem, content_type) = SYNTAXES
        .iter()
        .find_map(|(end, content_type)| Some((file.strip_suffix(end)?, content_type)))?;
    let stage = match stem.rsplit_once('.')?.1 {
        "ping" => Stage::Ping,
        "post" => Stage::Post,
        _ => return None,
    };
    Some(Submission { stage, content_type, query: "", body, received_on: RECEIVED_ON })
}

struct Version {
    label: String,
    number: Option<u32>,
    normalizer: Normalizer,
}

impl Version {
    fn admit(sandbox: &Sandbox, code: Code) -> Result<Self, Failure> {
        let Code::Component { label, number, wasm } = code else {
            return Err(Failure::usage("name the component of a version"));
        };
        match sandbox.admit(&wasm) {
            Ok(Admitted::Normalizer(normalizer)) => Ok(Self { label, number, normalizer }),
            Ok(Admitted::Filter(_)) => Err(Failure::usage(format!(
                "{label} is a filter: its recording is a file that `gavel module record` makes, not a folder"
            ))),
            Err(refused) => Err(Failure::usage(format!("{label}: {refused}"))),
        }
    }

    fn to_json(&self) -> Value {
        let digest = self.normalizer.digest().to_string();
        json!({"version": self.number, "name": self.label, "digest": digest})
    }

    fn read(&self, submission: &Submission<'_>) -> (Read, Result<u64, String>) {
        let Normalized { lead, fuel, .. } = match self.normalizer.normalize(submission) {
            Ok(normalized) => normalized,
            Err(forfeit) => return (Read::Failed, Err(forfeit.to_string())),
        };
        let made = match lead {
            Ok(values) => Read::Lead(fields(self.normalizer.schema(), values)),
            Err(refusal) => {
                let field = refusal.field.as_deref().unwrap_or_default();
                Read::Refused(format!("{} {field}", refusal.code.code()).trim_end().to_owned())
            }
        };
        (made, Ok(fuel))
    }
}

fn fields(schema: &Schema, values: Vec<(String, crate::lead::Value)>) -> BTreeMap<String, Field> {
    let shown = values.into_iter().map(|(name, value)| {
        let contact = schema.field(&name).is_none_or(|(_, field)| field.contact);
        (name, Field { value: value.to_json(), contact })
    });
    shown.collect()
}
