//! What a module passes before a version of it is kept.

use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use super::Exchange;
use super::office::ActError;
use crate::facts::Passed;
use crate::fixtures;
use crate::ids::Digest;
use crate::sandbox::{Admitted, Purpose};

/// A check that a version passed, with what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// `validated`, `compiled` or `fixtures`.
    pub check: &'static str,
    /// In words.
    pub found: String,
}

impl From<&Checked> for Passed {
    fn from(Checked { check, found }: &Checked) -> Self {
        Self { check: (*check).to_owned(), found: found.clone() }
    }
}

impl Exchange {
    /// Admits a module, and runs the fixtures that it carries.
    pub(super) async fn check(
        &self,
        digest: Digest,
        wasm: &[u8],
    ) -> Result<(Admitted, Vec<Checked>), ActError> {
        let wasm: Arc<[u8]> = wasm.into();
        let began = Instant::now();
        let admitted = self.admit(Purpose::Look, digest, wasm.to_vec()).await?;
        let compiled = began.elapsed().as_millis();
        let validated =
            format!("a {} of {} bytes that imports nothing", admitted.world(), wasm.len());
        let on_trial = admitted.clone();
        let passed = tokio::task::spawn_blocking(move || {
            fixtures::check(&on_trial, &wasm, fixtures::CHECK_TIME_MAX)
        });
        let passed = passed.await.map_err(|_| ActError::Closed)?.map_err(ActError::Fixtures)?;
        let found = match passed {
            0 => "it carries none".to_owned(),
            1 => "1, as expected".to_owned(),
            all => format!("{all}, all as expected"),
        };
        let checks = vec![
            Checked { check: "validated", found: validated },
            Checked { check: "compiled", found: format!("in {compiled} ms") },
            Checked { check: "fixtures", found },
        ];
        Ok((admitted, checks))
    }

    /// Compiles a module and keeps it at hand; `purpose` says for whose turn that waits.
    pub(super) async fn admit(
        &self,
        purpose: Purpose,
        digest: Digest,
        wasm: Vec<u8>,
    ) -> Result<Admitted, ActError> {
        let workshop = Arc::clone(&self.workshop);
        let admitted = tokio::task::spawn_blocking(move || {
            let admitted = workshop.sandbox.compiling_to(purpose).admit(&wasm)?;
            workshop.keep(digest, admitted.clone());
            Ok(admitted)
        });
        admitted.await.map_err(|_| ActError::Closed)?.map_err(ActError::Inadmissible)
    }
}
