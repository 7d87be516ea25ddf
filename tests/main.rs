//! Every end-to-end test, in one binary so that the host is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot build its world should stop right there"
)]

mod adapters;
mod admission;
mod authors;
mod buyers;
mod c;
mod connections;
mod contacts;
mod crash;
mod delivery;
mod determinism;
mod dialects;
mod diff;
mod exchange;
mod faults;
mod fees;
mod flight;
mod hostile;
mod idempotency;
mod keeping;
mod ledger;
mod mail;
mod market;
mod modules;
mod normalizers;
mod order;
mod pages;
mod parties;
mod policies;
mod postbacks;
mod postgres;
mod receipts;
mod refusals;
mod replay;
mod sale;
mod schemas;
mod shipments;
mod signing;
mod status;
mod swap;
mod tidy;
mod transfers;
mod versions;
