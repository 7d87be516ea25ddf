//! A market to watch.
