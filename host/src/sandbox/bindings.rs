//! What wasmtime makes of `wit/v1`. Nothing outside this room sees these types.

pub(super) mod adapter {
    wasmtime::component::bindgen!({ path: "../wit/v1", world: "adapter" });
}

pub(super) mod filter {
    wasmtime::component::bindgen!({ path: "../wit/v1", world: "filter" });
}

pub(super) mod normalizer {
    wasmtime::component::bindgen!({ path: "../wit/v1", world: "normalizer" });
}
