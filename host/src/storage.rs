//! The only place for sqlx.
