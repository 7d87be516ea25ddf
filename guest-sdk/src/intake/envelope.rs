//! What a submission says about itself: whose it is, which ping it belongs to, the least price, the time, and whether
//! it is a test.

use super::lead::Values;
use super::place::TEST_ZIPS;
use crate::normalizer::{Envelope, Refusal, Stage, Value};

/// Reads the envelope as far as it can be read, with the first fault in it.
pub(super) fn read(values: &Values<'_>, stage: Stage) -> (Envelope, Option<Refusal>) {
    let mut fault = None;
    let mut of = |name: &str| {
        values.read(name).unwrap_or_else(|refusal| {
            // No field of the schema is at fault.
            fault.get_or_insert(Refusal { field: None, ..refusal });
            None
        })
    };
    let minimum_price = match of("minimum_price") {
        Some(Value::Decimal(millionths)) => Some(millionths),
        _ => None,
    };
    let deadline_ms = match of("deadline_ms") {
        // None at all means that the source waits as long as it takes.
        Some(Value::Integer(ms)) if ms > 0 => u32::try_from(ms).ok(),
        _ => None,
    };
    let is_marked = matches!(of("test"), Some(Value::Boolean(true)))
        || matches!(of("lead_mode"), Some(Value::Boolean(false)))
        || values.first("test_result").is_some()
        || values.texts("action").any(|action| action.eq_ignore_ascii_case("test"))
        || values.texts("zip").any(|zip| TEST_ZIPS.contains(&zip));
    let (mut credential, mut ping_id) = (values.first("key"), None);
    let mut token = values.first("token");
    if stage == Stage::Post {
        ping_id = values
            .first("ping_id")
            .or_else(|| token.take())
            .or_else(|| values.ping_in_lead_id(stage));
    }
    credential = credential.or(token);
    let envelope = Envelope {
        dialect: String::new(),
        credential: credential.map(Into::into),
        ping_id: ping_id.map(Into::into),
        minimum_price,
        deadline_ms,
        test: is_marked,
    };
    (envelope, fault)
}
