//! A vertical's schema over time: what a newer version changes and whether it may, and the schema in the words of others:
//! JSON, JSON Schema, and typed accessors for the filters of buyers.
//!
//! Everything here is a pure function of schemas and of the vertical whose campaigns rely on them.

mod accessors;
mod compare;
mod document;
mod json_schema;
mod relying;

#[cfg(test)]
mod properties;

pub use accessors::accessors;
pub use compare::{Change, Comparison, Turn, Unfit, compare};
pub use document::{Unreadable, from_json, to_json, version_of, version_text};
pub use json_schema::{DIALECT, json_schema, json_schemas};
pub use relying::{Relying, relying};
