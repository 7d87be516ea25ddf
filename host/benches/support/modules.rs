//! The shipped modules, as `./x build` leaves them.

use std::fs;
use std::path::PathBuf;

/// Returns the bytes of a shipped module.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/rules");
    let folder = std::env::var_os("GAVEL_RULES").map_or(built, PathBuf::from);
    let file = folder.join(format!("{name}.wasm"));
    assert!(file.exists(), "no {}: run ./x build first", file.display());
    fs::read(file).unwrap()
}
