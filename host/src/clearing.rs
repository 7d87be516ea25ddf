//! The gavel: bids become an award, as a pure function.
