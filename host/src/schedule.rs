//! When a campaign is open.
