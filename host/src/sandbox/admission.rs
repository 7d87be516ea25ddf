//! Which modules may be called: what is checked before anything is compiled, in the order in which it is said.

use super::inadmissible::Inadmissible;
use super::survey::{Survey, survey};
use super::{AdapterModule, Admitted, Filter, Normalizer, Sandbox};

/// What a filter exports.
pub(super) const FILTERING: &str = "gavel:rules/filtering@1.0.0";
/// What a normalizer exports.
pub(super) const NORMALIZATION: &str = "gavel:rules/normalization@1.0.0";
/// What an adapter exports.
pub(super) const ADAPTING: &str = "gavel:rules/adapting@1.0.0";
/// The version of the contract that is served.
pub(super) const CONTRACT_VERSION: &str = "1.0.0";
/// What every version of the contract begins with.
pub(super) const CONTRACT: &str = "gavel:rules/";

/// Returns the world of a component, `filter`, `normalizer` or `adapter`, by what can be seen without compiling it.
///
/// # Errors
///
/// What is wrong with the module, and how to mend it.
pub fn world(wasm: &[u8]) -> Result<&'static str, Inadmissible> {
    Ok(match check(&survey(wasm)?)? {
        World::Filter => "filter",
        World::Normalizer => "normalizer",
        World::Adapter => "adapter",
    })
}

/// Checks a module, compiles it and asks what it is.
pub(super) fn admit(sandbox: &Sandbox, wasm: &[u8]) -> Result<Admitted, Inadmissible> {
    let limits = &sandbox.limits;
    if wasm.len() > limits.module_bytes_max {
        return Err(Inadmissible::TooLarge { bytes: wasm.len(), max: limits.module_bytes_max });
    }
    let survey = survey(wasm)?;
    let world = check(&survey)?;
    let max = match world {
        World::Filter => limits.filter.memory_bytes,
        World::Normalizer => limits.normalizer.memory_bytes,
        World::Adapter => limits.adapter.memory_bytes,
    };
    if survey.memory_bytes > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(Inadmissible::Memory { bytes: survey.memory_bytes, max });
    }
    match world {
        World::Filter | World::Adapter if survey.wide_global => {
            Err(Inadmissible::NotKeepable("it has a mutable global of 128 bits".to_owned()))
        }
        World::Filter => Filter::admit(sandbox, wasm).map(Admitted::Filter),
        World::Normalizer => Normalizer::admit(sandbox, wasm).map(Admitted::Normalizer),
        World::Adapter => AdapterModule::admit(sandbox, wasm).map(Admitted::Adapter),
    }
}

#[derive(Clone, Copy)]
enum World {
    Filter,
    Normalizer,
    Adapter,
}

/// The worlds by what they export.
const WORLDS: [(&str, World); 3] =
    [(FILTERING, World::Filter), (NORMALIZATION, World::Normalizer), (ADAPTING, World::Adapter)];

fn check(survey: &Survey) -> Result<World, Inadmissible> {
    if !survey.imports.is_empty() {
        return Err(Inadmissible::Imports(survey.imports.clone()));
    }
    if let Some((of, found)) = survey.excess() {
        return Err(Inadmissible::Excess { of, found });
    }
    let exports = |name: &str| survey.exports.iter().any(|export| export == name);
    let found: Vec<World> =
        WORLDS.iter().filter(|(name, _)| exports(name)).map(|(_, world)| *world).collect();
    match found.as_slice() {
        [world] => Ok(*world),
        [_, _, ..] => Err(Inadmissible::BothWorlds),
        [] => {
            let other = survey.exports.iter().find(|export| export.starts_with(CONTRACT));
            Err(match other {
                Some(found) => Inadmissible::OtherVersion(found.clone()),
                None => Inadmissible::OtherWorld(survey.exports.clone()),
            })
        }
    }
}

/// Returns a text unless it is longer than this, in bytes.
pub(super) fn capped(what: &str, text: String, bytes_max: usize) -> Result<String, Inadmissible> {
    if text.len() <= bytes_max {
        return Ok(text);
    }
    let bytes = text.len();
    Err(Inadmissible::Description(format!(
        "{what} has {bytes} bytes, and at most {bytes_max} are possible"
    )))
}
