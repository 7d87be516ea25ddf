//! The exchange: where things are, and what must stay true.
//!
//! A lead walks one way, and each room takes what the room before it made:
//!
//! ```text
//! bytes ──ingest──▶ Submission ──normalize──▶ Lead ──matching──▶ Shortlist ──bidding──▶ Bids ──clearing──▶ Award
//!                                                                                                           │
//! receipt ◀──settlement── sale ◀──delivery── full Lead ◀─── post ◀─── answer ◀─── hold (book) ◀── journal ◀─┘
//! ```
//!
//! Invariants:
//!
//! - Only `exchange` names every room. A room never names a later one; a store names no room.
//! - Only `sandbox` names wasmtime, only `storage` names sqlx, only `server` names axum.
//! - Only `normalize` makes a `Lead`. What filters and buyers see before the sale is a `PingView`, which has no contact
//!   data.
//! - Nothing is answered before the fact that justifies it is durable.
//! - The book changes only by facts, in the order of the journal: replaying the journal rebuilds it exactly.

// The corridor, and the trial of a module by its author's words.
pub mod exchange;
pub mod fixtures;

// The rooms, in walking order.
pub mod ingest;
pub mod normalize;
pub mod matching;
pub mod bidding;
pub mod clearing;
pub mod delivery;
pub mod settlement;

// The stores.
pub mod book;
pub mod journal;
pub mod contacts;

// What the rooms pass around.
pub mod catalog;
pub mod comparison;
pub mod facts;
pub mod lead;
pub mod schemas;
pub mod criteria;
pub mod schedule;
pub mod money;
pub mod ids;
pub mod reasons;

// The walls.
pub mod config;
pub mod server;
pub mod telemetry;
pub mod sandbox;
pub mod storage;
pub mod egress;
pub mod signing;
pub mod berths;
pub mod clock;
pub mod mock;
pub mod demo;
pub mod cli;
