//! The fenced yard: the only place for wasmtime.
