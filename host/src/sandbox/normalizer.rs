//! Normalizers: from any source's bytes to the values of a lead, and back to the source's own dialect.

mod rendering;

use std::fmt;
use std::sync::Arc;

use super::bindings::normalizer::NormalizerPre;
use super::bindings::normalizer::exports::gavel::rules::normalization as wit;
use super::call::{Fence, Forfeit, forfeit, spent, store};
use super::inadmissible::Inadmissible;
use super::lines::Lines;
use super::{CallLimits, Sandbox};
use crate::ids::Digest;
use crate::lead::{Field, Kind, Schema, Value};
use crate::money::Micros;

pub use rendering::{DIALECTS_MAX, Dialect, Outcome, Rendered, SourceVerdict, Syntax};

/// The longest name of a dialect, in bytes.
const DIALECT_BYTES_MAX: usize = 64;
/// The longest message of a refusal, in bytes; the rest is cut.
const MESSAGE_BYTES_MAX: usize = 1_000;
/// The longest description of a field or a schema, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 4_096;

/// Which of a lead's two steps a submission is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// An offer without contact data, asking for a price.
    Ping,
    /// The full lead.
    Post,
}

/// What a source sent, untouched.
#[derive(Clone, Copy)]
pub struct Submission<'s> {
    /// The step, by the address it was sent to.
    pub stage: Stage,
    /// The dialect that the address names: one of [`Normalizer::dialects`].
    pub dialect: Option<&'s str>,
    /// What the Accept header asks for.
    pub accept: Option<Syntax>,
    /// The Content-Type header as it came.
    pub content_type: &'s str,
    /// The query string of the address, without the `?`.
    pub query: &'s str,
    /// The body.
    pub body: &'s [u8],
    /// The day on which it came, counted from 1970-01-01, in UTC.
    pub received_on: i32,
}

/// Says the step and the sizes only: the body is somebody's.
impl fmt::Debug for Submission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("stage", &self.stage)
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// What a submission says about itself rather than about the person.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The dialect in which it wants its answer: [`Normalizer::render`] gets it back. Empty for the exchange's own JSON.
    pub dialect: String,
    /// The source's key, where the dialect carries it inside the submission.
    pub credential: Option<String>,
    /// The handle of the ping that a post belongs to, as the source wrote it.
    pub ping_id: Option<String>,
    /// The least price that the source accepts.
    pub minimum_price: Option<Micros>,
    /// How long the source waits for the answer, in milliseconds.
    pub deadline_ms: Option<u32>,
    /// The source marked it as a test.
    pub test: bool,
}

/// Hides the key.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope")
            .field("dialect", &self.dialect)
            .field("ping_id", &self.ping_id)
            .field("test", &self.test)
            .finish_non_exhaustive()
    }
}

/// The class of fault of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalCode {
    /// The body is not well-formed.
    Malformed,
    /// No reader for this content type.
    UnsupportedContentType,
    /// A field that this stage requires is absent or empty.
    MissingField,
    /// A field has a value that it cannot have.
    InvalidValue,
    /// Two names of the same field have different values.
    ConflictingValues,
    /// A limit of the reader was passed.
    TooLarge,
}

impl RefusalCode {
    /// Returns the word for answers and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnsupportedContentType => "unsupported-content-type",
            Self::MissingField => "missing-field",
            Self::InvalidValue => "invalid-value",
            Self::ConflictingValues => "conflicting-values",
            Self::TooLarge => "too-large",
        }
    }
}

/// Why a submission is not a lead, for the person who builds the source's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The class of fault.
    pub code: RefusalCode,
    /// The field at fault; absent when it is the whole body.
    pub field: Option<String>,
    /// What was wrong and what would be right.
    pub message: String,
}

/// What became of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Normalized {
    /// Read even from a submission that is refused, as far as that went.
    pub envelope: Envelope,
    /// The lead's values by name, not yet checked against the schema, or why there are none.
    pub lead: Result<Vec<(String, Value)>, Refusal>,
    /// The fuel it took: the same on every machine.
    pub fuel: u64,
    /// The linear memory that it had at its end, in bytes: the same on every machine.
    pub memory_bytes: u64,
}

/// A normalizer. A clone is a handle to the same.
#[derive(Clone)]
pub struct Normalizer {
    digest: Digest,
    schema: Arc<Schema>,
    dialects: Vec<Dialect>,
    lines: Arc<Lines>,
    compiled: NormalizerPre<Fence>,
    limits: CallLimits,
}

impl fmt::Debug for Normalizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Normalizer").field(&self.digest).finish()
    }
}

impl Normalizer {
    pub(super) fn admit(sandbox: &Sandbox, wasm: &[u8]) -> Result<Self, Inadmissible> {
        let compiled =
            NormalizerPre::new(sandbox.compile(wasm)?).map_err(Inadmissible::mistyped)?;
        let (limits, lines) = (&sandbox.limits, Arc::new(Lines::of(wasm)));
        let mut store = store(&sandbox.engine, &limits.describe).map_err(Inadmissible::Silent)?;
        let (described, named) = compiled
            .instantiate(&mut store)
            .and_then(|normalizer| {
                let normalization = normalizer.gavel_rules_normalization();
                Ok((
                    normalization.call_describe(&mut store)?,
                    normalization.call_dialects(&mut store)?,
                ))
            })
            .map_err(|error| Inadmissible::Silent(forfeit(&store, &error, &lines)))?;
        Ok(Self {
            digest: Digest::of(wasm),
            schema: Arc::new(schema(described)?),
            dialects: rendering::dialects(named)?,
            lines,
            compiled,
            limits: limits.normalizer,
        })
    }

    /// Returns the digest of the module's bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Returns the vertical's schema.
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// Returns what a call may use.
    pub const fn limits(&self) -> &CallLimits {
        &self.limits
    }

    /// Returns a handle to the same whose calls may use this much, or what [`CallLimits::MAX`] allows of it.
    #[must_use]
    pub fn with_limits(&self, limits: CallLimits) -> Self {
        Self { limits: limits.capped(), ..self.clone() }
    }

    /// Returns the dialects in which it can answer, in the order in which people should read them.
    pub fn dialects(&self) -> &[Dialect] {
        &self.dialects
    }

    /// Reads one submission, in an instance of its own.
    pub fn normalize(&self, submission: &Submission<'_>) -> Result<Normalized, Forfeit> {
        let Self { compiled, limits, lines, .. } = self;
        let mut store = store(compiled.engine(), limits)?;
        let submission = wit::Submission {
            stage: submission.stage.into(),
            dialect: submission.dialect.map(str::to_owned),
            accept: submission.accept.map(Into::into),
            content_type: submission.content_type.to_owned(),
            query: submission.query.to_owned(),
            body: submission.body.to_owned(),
            received_on: submission.received_on,
        };
        let normalized = compiled
            .instantiate(&mut store)
            .and_then(|normalizer| {
                normalizer.gavel_rules_normalization().call_normalize(&mut store, &submission)
            })
            .map_err(|error| forfeit(&store, &error, lines))?;
        let (fuel, memory_bytes) = spent(&store, limits);
        Ok(Normalized {
            envelope: envelope(normalized.envelope)?,
            lead: normalized.lead.map_err(refusal).map(|values| {
                values.into_iter().map(|pair| (pair.name, value(pair.value))).collect()
            }),
            fuel,
            memory_bytes,
        })
    }
}

fn schema(schema: wit::Schema) -> Result<Schema, Inadmissible> {
    let described = |text: &String| text.len() <= DESCRIPTION_BYTES_MAX;
    if !described(&schema.description)
        || !schema.fields.iter().all(|field| described(&field.description))
    {
        let fault = format!("a text has more than {DESCRIPTION_BYTES_MAX} bytes");
        return Err(Inadmissible::Description(fault));
    }
    let fields = schema.fields.into_iter().map(|field| Field {
        name: field.name,
        kind: match field.kind {
            wit::Kind::Text => Kind::Text,
            wit::Kind::Integer => Kind::Integer,
            wit::Kind::Decimal => Kind::Decimal,
            wit::Kind::Boolean => Kind::Boolean,
            wit::Kind::Date => Kind::Date,
            wit::Kind::Texts => Kind::Texts,
        },
        required_on_ping: field.required_on_ping,
        required_on_post: field.required_on_post,
        contact: field.contact,
        binding: field.binding,
        allowed: field.allowed,
        description: field.description,
    });
    let version = (schema.major, schema.minor);
    Schema::new(&schema.vertical, version, schema.description, fields.collect())
        .map_err(Inadmissible::Schema)
}

fn envelope(envelope: wit::Envelope) -> Result<Envelope, Forfeit> {
    if envelope.dialect.len() > DIALECT_BYTES_MAX {
        let fault = format!("a dialect's name has more than {DIALECT_BYTES_MAX} bytes");
        return Err(Forfeit::BadOutput(fault));
    }
    Ok(Envelope {
        dialect: envelope.dialect,
        credential: envelope.credential,
        ping_id: envelope.ping_id,
        minimum_price: envelope.minimum_price.map(Micros::new),
        deadline_ms: envelope.deadline_ms,
        test: envelope.test,
    })
}

fn value(value: wit::Value) -> Value {
    match value {
        wit::Value::Text(text) => Value::Text(text.into()),
        wit::Value::Integer(number) => Value::Integer(number),
        wit::Value::Decimal(millionths) => Value::Decimal(millionths),
        wit::Value::Boolean(yes) => Value::Boolean(yes),
        wit::Value::Date(days) => Value::Date(days),
        wit::Value::Texts(texts) => Value::Texts(texts.into_iter().map(String::into).collect()),
    }
}

fn refusal(refusal: wit::Refusal) -> Refusal {
    let mut message = refusal.message;
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    let code = match refusal.code {
        wit::RefusalCode::Malformed => RefusalCode::Malformed,
        wit::RefusalCode::UnsupportedContentType => RefusalCode::UnsupportedContentType,
        wit::RefusalCode::MissingField => RefusalCode::MissingField,
        wit::RefusalCode::InvalidValue => RefusalCode::InvalidValue,
        wit::RefusalCode::ConflictingValues => RefusalCode::ConflictingValues,
        wit::RefusalCode::TooLarge => RefusalCode::TooLarge,
    };
    Refusal { code, field: refusal.field, message }
}

impl From<Stage> for wit::Stage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Ping => Self::Ping,
            Stage::Post => Self::Post,
        }
    }
}
