//! Modules without settings: what a filter and an adapter are before they are configured.

use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::{Instance, InstancePre};

use super::admission::capped;
use super::call::{Fence, Forfeit, forfeit, store};
use super::compiler::Purpose;
use super::inadmissible::Inadmissible;
use super::lines::Lines;
use super::original::Original;
use super::{Sandbox, snapshot};
use crate::ids::Digest;
use crate::lead::{Kind, SCHEMA_FIELDS_MAX};

/// The longest name of a field, in bytes.
const FIELD_NAME_BYTES_MAX: usize = 64;
/// The longest message about settings, in bytes; the rest is cut.
const MESSAGE_BYTES_MAX: usize = 1_000;

/// A field that a module reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Its name in the vertical's schema.
    pub name: String,
    /// The kind that the module takes it for.
    pub kind: Kind,
}

/// Why a filter or an adapter could not be configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigureError {
    /// The settings are wrong, in the module's own words. `slot` is their place in the list.
    #[error("{message}")]
    Settings { slot: usize, message: String },
    /// The module failed.
    #[error("the module could not be configured: {0}")]
    Forfeit(Forfeit),
    /// The module cannot be kept as `configure` left it.
    #[error("the module cannot be kept as `configure` left it: {0}")]
    NotKept(String),
}

impl ConfigureError {
    /// Refuses settings in the module's own words, as many as are shown.
    pub(super) fn refused(slot: usize, mut message: String) -> Self {
        message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
        Self::Settings { slot, message }
    }

    pub(super) fn not_kept(error: &wasmtime::Error) -> Self {
        Self::NotKept(error.to_string())
    }
}

/// What a module says of itself.
pub(super) struct Description {
    pub(super) needs: Vec<(String, Kind)>,
    pub(super) settings: String,
}

/// A module that waits for settings.
pub(super) struct Unset {
    original: Original,
    pub(super) needs: Arc<[Need]>,
    pub(super) settings_help: String,
    pub(super) sandbox: Sandbox,
    pub(super) lines: Arc<Lines>,
    /// The module with the accessors by which its state is kept. Where its code is on the disk it is not held: a module
    /// is rarely configured, and there may be a thousand.
    instrumented: Option<InstancePre<Fence>>,
}

impl Unset {
    /// Takes a module in: binds it to its world and asks it what it is. Its help for settings has at most
    /// `help_bytes_max` bytes.
    pub(super) fn admit<B>(
        sandbox: &Sandbox,
        wasm: &[u8],
        help_bytes_max: usize,
        bind: impl FnOnce(InstancePre<Fence>) -> wasmtime::Result<B>,
        describe: impl FnOnce(&mut Store<Fence>, &B) -> wasmtime::Result<Description>,
    ) -> Result<Self, Inadmissible> {
        let instrumented = snapshot::instrument(wasm).map_err(Inadmissible::NotKeepable)?;
        let instrumented = sandbox.compile(&instrumented)?;
        let lines = Arc::new(Lines::of(wasm));
        let bound = bind(instrumented.clone()).map_err(Inadmissible::mistyped)?;
        let mut store =
            store(&sandbox.engine, &sandbox.limits.describe).map_err(Inadmissible::Silent)?;
        let description = describe(&mut store, &bound)
            .map_err(|error| Inadmissible::Silent(forfeit(&store, &error, &lines)))?;
        Ok(Self {
            original: Original::keep(wasm, sandbox.cache.as_deref()),
            needs: needs(description.needs)?.into(),
            settings_help: capped("the help for settings", description.settings, help_bytes_max)?,
            sandbox: sandbox.clone(),
            lines,
            instrumented: sandbox.cache.is_none().then_some(instrumented),
        })
    }

    /// Returns the digest of the module's bytes.
    pub(super) fn digest(&self) -> Digest {
        self.original.digest()
    }

    /// Configures an instance with the call that its world has for that, and returns what that said and the module as it
    /// stands then.
    pub(super) fn configure<T>(
        &self,
        purpose: Purpose,
        configure: impl FnOnce(
            &mut Store<Fence>,
            &Instance,
        ) -> wasmtime::Result<Result<T, ConfigureError>>,
    ) -> Result<(T, InstancePre<Fence>), ConfigureError> {
        let (sandbox, lines) = (self.sandbox.compiling_to(purpose), &self.lines);
        let wasm = self.original.read().map_err(|error| {
            ConfigureError::NotKept(format!(
                "its bytes cannot be read from the disk again: {error}"
            ))
        })?;
        let instrumented = self.instrumented(&sandbox, &wasm).map_err(ConfigureError::NotKept)?;
        let mut store =
            store(&sandbox.engine, &sandbox.limits.configure).map_err(ConfigureError::Forfeit)?;
        let configured = instrumented.instantiate(&mut store).and_then(|instance| {
            let said = configure(&mut store, &instance)?;
            Ok((said, instance))
        });
        let (said, instance) =
            configured.map_err(|error| ConfigureError::Forfeit(forfeit(&store, &error, lines)))?;
        let said = said?;
        // What follows only reads the module's memory.
        store.set_fuel(u64::MAX).map_err(|error| ConfigureError::not_kept(&error))?;
        store.set_hostcall_fuel(usize::MAX);
        let kept = snapshot::keep(&wasm, &mut store, instance).map_err(ConfigureError::NotKept)?;
        let kept = sandbox.compile(&kept);
        let kept =
            kept.map_err(|inadmissible| ConfigureError::NotKept(inadmissible.to_string()))?;
        Ok((said, kept))
    }

    fn instrumented(&self, sandbox: &Sandbox, wasm: &[u8]) -> Result<InstancePre<Fence>, String> {
        match &self.instrumented {
            Some(instrumented) => Ok(instrumented.clone()),
            None => {
                let instrumented = snapshot::instrument(wasm)?;
                sandbox.compile(&instrumented).map_err(|error| error.to_string())
            }
        }
    }
}

/// Takes the fields that a module reads, each once.
fn needs(needs: Vec<(String, Kind)>) -> Result<Vec<Need>, Inadmissible> {
    if needs.len() > SCHEMA_FIELDS_MAX {
        let fault = format!(
            "it reads {} fields, and at most {SCHEMA_FIELDS_MAX} are possible",
            needs.len()
        );
        return Err(Inadmissible::Description(fault));
    }
    let mut known: Vec<Need> = Vec::with_capacity(needs.len());
    for (name, kind) in needs {
        let name = capped("a field's name", name, FIELD_NAME_BYTES_MAX)?;
        match known.iter().find(|known| known.name == name) {
            None => known.push(Need { name, kind }),
            Some(earlier) if earlier.kind == kind => (),
            Some(earlier) => {
                let fault = format!(
                    "it reads the field `{name}` as {} and as {}: one of them is right",
                    earlier.kind.name(),
                    kind.name()
                );
                return Err(Inadmissible::Description(fault));
            }
        }
    }
    Ok(known)
}
