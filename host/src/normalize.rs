//! The washroom: a source's claims become a lead whose every value fits the vertical's schema.
//!
//! The vertical's module reads the bytes; what it says is checked here as if a stranger had said it.

use std::sync::Arc;
use std::time::Instant;

use crate::catalog::{Lot, ModuleVersion, Served, Vertical};
use crate::ingest::{Call, Spoken, Submission};
use crate::lead::{Field, Lead, Schema, TEXT_BYTES_MAX, TEXTS_MAX, Value};
use crate::sandbox::{self, Envelope, Forfeit, Normalizer, Refusal, RefusalCode, Stage};
use crate::telemetry;

/// How much of a field's name that is not in the schema goes into the log, in bytes.
const NAME_SHOWN_BYTES_MAX: usize = 64;

/// A submission as the vertical's module understood it.
#[derive(Debug)]
pub struct Reading {
    /// The version that read it.
    pub module: ModuleVersion,
    /// What the submission says about itself; there is one even if the lead is refused.
    pub envelope: Envelope,
    pub lead: Result<Lead, Refusal>,
    /// What the module's call cost.
    pub fuel: u64,
}

/// Why no reading came about: the vertical's module is at fault, not the source.
#[derive(Debug, thiserror::Error)]
#[error("the normalizer `{}` version {} failed", module.name, module.version)]
pub struct Fault {
    pub module: ModuleVersion,
    #[source]
    pub forfeit: Forfeit,
}

/// Reads a submission with the vertical's module.
pub fn read(vertical: &Vertical, submission: &Submission) -> Result<Reading, Fault> {
    let serving = &vertical.normalizer;
    // There is no handle before the bytes are read.
    let lot = || Lot::draw(submission.body_digest().as_bytes(), &serving.active.module.name);
    read_with(serving.decides(lot), submission)
}

/// Reads a submission with one version of the vertical's module.
pub fn read_with(served: &Served<Normalizer>, submission: &Submission) -> Result<Reading, Fault> {
    let stage = if submission.call == Call::Ping { Stage::Ping } else { Stage::Post };
    let claims = sandbox::Submission {
        stage,
        dialect: submission.dialect.as_deref(),
        accept: submission.accept,
        content_type: &submission.content_type,
        query: &submission.query,
        body: &submission.body,
        received_on: submission.received.day(),
    };
    let Served { module, code } = served;
    let fault = |forfeit| Fault { module: module.clone(), forfeit };
    let began = Instant::now();
    let normalized = code.normalize(&claims);
    let fuel = normalized.as_ref().ok().map(|normalized| normalized.fuel);
    telemetry::module_call(module.name.as_str(), module.version, began.elapsed(), fuel);
    let normalized = normalized.map_err(fault)?;
    submission.spoken.get_or_init(|| Spoken {
        normalizer: code.clone(),
        dialect: normalized.envelope.dialect.clone(),
    });
    let lead = match normalized.lead {
        Ok(values) => fit(code.schema(), stage, values).map_err(fault)?,
        Err(refusal) => Err(refusal),
    };
    let module = module.clone();
    Ok(Reading { module, envelope: normalized.envelope, lead, fuel: normalized.fuel })
}

/// Checks values against the schema, as the exchange does with every submission.
pub(crate) fn fit(
    schema: &Arc<Schema>,
    stage: Stage,
    named: Vec<(String, Value)>,
) -> Result<Result<Lead, Refusal>, Forfeit> {
    let mut values = vec![None; schema.fields().len()];
    for (name, value) in named {
        let shown = name.get(..name.floor_char_boundary(NAME_SHOWN_BYTES_MAX)).unwrap_or_default();
        let off_schema =
            |what: &str| Forfeit::BadOutput(format!("by its own schema, field `{shown}` {what}"));
        let (index, field) = schema.field(&name).ok_or_else(|| off_schema("is not declared"))?;
        if value.kind() != field.kind {
            return Err(off_schema("has a value of another kind than declared"));
        }
        let place = values.get_mut(index).ok_or_else(|| off_schema("has no place"))?;
        if let Some(refusal) = unfit(field, &value) {
            return Ok(Err(refusal));
        }
        if place.replace(value).is_some() {
            return Err(off_schema("comes twice"));
        }
    }
    for (field, value) in schema.fields().iter().zip(&values) {
        let required = match stage {
            Stage::Ping => field.required_on_ping,
            Stage::Post => field.required_on_post,
        };
        if required && value.is_none() {
            let message = format!("`{}` is required: {}", field.name, field.description);
            return Ok(Err(refusal(RefusalCode::MissingField, field, message)));
        }
    }
    Ok(Ok(Lead::new(Arc::clone(schema), values.into())))
}

fn unfit(field: &Field, value: &Value) -> Option<Refusal> {
    let texts: Vec<&str> = match value {
        Value::Text(text) => vec![text],
        Value::Texts(texts) if texts.len() > TEXTS_MAX => {
            let message = format!("`{}` has more than {TEXTS_MAX} elements", field.name);
            return Some(refusal(RefusalCode::TooLarge, field, message));
        }
        Value::Texts(texts) => texts.iter().map(AsRef::as_ref).collect(),
        Value::Integer(_) | Value::Decimal(_) | Value::Boolean(_) | Value::Date(_) => Vec::new(),
    };
    for text in texts {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("`{}` is longer than {TEXT_BYTES_MAX} bytes", field.name);
            return Some(refusal(RefusalCode::TooLarge, field, message));
        }
        if !field.allowed.is_empty() && !field.allowed.iter().any(|word| word == text) {
            let message = format!("`{}` must be one of: {}", field.name, field.allowed.join(", "));
            return Some(refusal(RefusalCode::InvalidValue, field, message));
        }
    }
    None
}

fn refusal(code: RefusalCode, field: &Field, message: String) -> Refusal {
    Refusal { code, field: Some(field.name.clone()), message }
}
