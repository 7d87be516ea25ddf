//! The durable facts.
