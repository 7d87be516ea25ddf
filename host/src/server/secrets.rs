//! Secrets in answers: a mark stands for them, save in the answer of the call that made one.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::catalog::{HIDDEN, PostbackSpec, SigningSpec};
use crate::clock::Moment;

/// Puts a mark in place of every secret of a source or a buyer.
pub(super) fn hide(saved: &mut Value) {
    let headers = saved.pointer_mut("/delivery/headers").and_then(Value::as_object_mut);
    for (_, spec) in headers.into_iter().flatten().filter(|(_, spec)| spec.is_object()) {
        *spec = json!({"secret": HIDDEN});
    }
    for pointer in [PostbackSpec::POINTER, SigningSpec::POINTER] {
        let signed = saved.pointer_mut(pointer).and_then(Value::as_object_mut);
        let Some(signed) = signed else { continue };
        if let Some(Value::Array(secrets)) = signed.remove("secrets") {
            signed.insert("secret".to_owned(), HIDDEN.into());
            let old = secrets.iter().filter_map(|secret| secret.get("until_ms")?.as_i64()).max();
            let until = old.map(|until| Moment::from_unix_ms(until).to_string().into());
            signed.extend(until.map(|until| ("old_secret_until".to_owned(), until)));
        }
    }
}

/// Shows a secret that was just made, this once.
pub(super) fn reveal(saved: &mut Value, pointer: &str, secret: Option<String>) {
    let signed = saved.pointer_mut(pointer).and_then(Value::as_object_mut);
    if let (Some(signed), Some(secret)) = (signed, secret) {
        signed.insert("secret".to_owned(), secret.into());
    }
}

/// Answers with a secret that replaces another.
pub(super) fn rotated((whose, name): (&str, &str), (secret, until): (String, Moment)) -> Response {
    let value = json!({whose: name, "secret": secret, "old_secret_until": until.to_string()});
    let mut response = (StatusCode::CREATED, Json(value)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
