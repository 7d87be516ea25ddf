//! Two versions of a normalizer over a folder of payloads, named as fixtures are: `NAME.ping.form` or `NAME.post.json`.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Value as Json, json};

use super::local::admit;
use super::{Code, DiffError, named};
use crate::catalog::{ModuleVersion, Served};
use crate::clock::Moment;
use crate::comparison::Readings;
use crate::exchange::shadow::read;
use crate::fixtures;
use crate::ids::ModuleName;
use crate::ingest::{BODY_BYTES_MAX, Call, Submission};
use crate::sandbox::{Admitted, Limits, Normalizer, Sandbox, Stage, Submission as Fixture};

/// When the payloads come: on 2026-02-01, so that ages are the same whenever they are compared.
const RECEIVED: Moment = Moment::from_unix_ms(1_769_904_000_000);
/// The most files of a folder.
const PAYLOADS_MAX: usize = 100_000;

/// Compares two normalizers over every payload of a folder. `progress` hears how many were read, of how many.
///
/// # Errors
///
/// [`DiffError`] if they cannot be compared, or the folder has no payloads or cannot be read.
pub fn diff_payloads(
    folder: &Path,
    (name, old, new): (&str, Code, Code),
    mut progress: impl FnMut(u64, u64),
) -> Result<Json, DiffError> {
    let module = ModuleName::parse(name);
    let module = module.map_err(|_| DiffError::NotFound(format!("module `{name}`")))?;
    let sandbox = Sandbox::open(&Limits::default())?;
    let old = Version::admit(&sandbox, &module, old)?;
    let new = Version::admit(&sandbox, &module, new)?;
    let files = files(folder)?;
    let of = u64::try_from(files.len()).unwrap_or(u64::MAX);
    let mut readings = Readings::default();
    for (done, file) in (1_u64..).zip(files) {
        if let Some(submission) = old.submission(folder, &file)?
            && let Some(before) = read(&old.served, &submission)
            && let Some(after) = read(&new.served, &submission)
        {
            readings.add((&before.0, &before.1), (&after.0, &after.1));
        }
        progress(done, of);
    }
    if readings.submissions() == 0 {
        return Err(DiffError::Unfit(format!(
            "{} has no payloads: they are called NAME.ping.form, NAME.ping.json or NAME.ping.xml, or `post` instead of `ping`",
            folder.display()
        )));
    }
    let mut found = json!({
        "module": module,
        "world": "normalizer",
        "old": old.to_json(),
        "new": new.to_json(),
        "settings": "recorded",
        "complete": true,
    });
    if let (Some(found), Json::Object(counted)) = (found.as_object_mut(), readings.to_json()) {
        found.extend(counted);
    }
    Ok(found)
}

fn files(folder: &Path) -> Result<Vec<String>, DiffError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.file_name().to_string_lossy().into_owned());
        if files.len() > PAYLOADS_MAX {
            let most = format!("a folder of payloads has at most {PAYLOADS_MAX} files");
            return Err(DiffError::Unfit(most));
        }
    }
    files.sort_unstable();
    Ok(files)
}

struct Version {
    label: String,
    number: Option<u32>,
    served: Served<Normalizer>,
}

impl Version {
    fn admit(sandbox: &Sandbox, module: &ModuleName, code: Code) -> Result<Self, DiffError> {
        let (label, number, admitted) = admit(sandbox, code)?;
        let Admitted::Normalizer(normalizer) = admitted else {
            return Err(DiffError::Unfit(format!(
                "{label} is a filter: its recording is a file that `gavel module record` makes, not a folder"
            )));
        };
        let (name, digest) = (module.clone(), normalizer.digest());
        let module = ModuleVersion { name, version: number.unwrap_or_default(), digest };
        Ok(Self { label, number, served: Served { module, code: normalizer } })
    }

    fn to_json(&self) -> Json {
        named(self.number, &self.label, self.served.module.digest)
    }

    /// Reads a payload; nothing if the file is not named like one, or no exchange takes it.
    fn submission(&self, folder: &Path, file: &str) -> Result<Option<Submission>, DiffError> {
        let Some(Fixture { stage, content_type, .. }) = fixtures::submission(file, &[]) else {
            return Ok(None);
        };
        let call = match stage {
            Stage::Ping => Call::Ping,
            Stage::Post => Call::Post,
        };
        let body = std::fs::read(folder.join(file))?;
        // No exchange shows such a body to a module.
        if body.len() > BODY_BYTES_MAX {
            return Ok(None);
        }
        Ok(Some(Submission {
            call,
            vertical: self.served.code.schema().vertical().clone(),
            content_type: content_type.to_owned(),
            query: String::new(),
            body: Bytes::from(body),
            key: None,
            idempotency_key: None,
            dialect: None,
            accept: None,
            received: RECEIVED,
            started: Instant::now(),
            known_as: OnceLock::new(),
            spoken: OnceLock::new(),
        }))
    }
}
