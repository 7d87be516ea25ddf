//! Every end-to-end test, in one binary so that the host is linked once.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot build its world should stop right there"
)]

mod crash;
mod delivery;
mod diff;
mod exchange;
mod hostile;
mod market;
mod modules;
mod normalizers;
mod pages;
mod refusals;
mod replay;
mod sale;
mod swap;
mod tidy;
mod versions;
