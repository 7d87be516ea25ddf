//! Buys in a declared list of ZIP codes.
