//! The schemas that the exchange knows from its normalizers: which versions there are, and which may come next.

use std::sync::Arc;

use serde_json::{Value, json};

use super::acting::Turn;
use super::{ActError, Exchange};
use crate::catalog::{Draft, Versions};
use crate::ids::{Digest, ModuleName};
use crate::lead::Schema;
use crate::sandbox::{Admitted, Purpose};
use crate::schemas::{self, Comparison, Relying, Unfit, relying, version_text};

/// The most names that a message lists.
const NAMES_TOLD_MAX: usize = 20;

/// Why a schema cannot be the next version of a vertical's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{complaint}. What changes: {}{}", changes.join("; "), told(*.unfit, relying))]
pub struct Misnumbered {
    /// The class of fault.
    pub unfit: Unfit,
    /// What is wrong with its number, and what it must be.
    pub complaint: String,
    /// The changes that say so, in words.
    pub changes: Vec<String>,
    /// The campaigns and filters that it would let down.
    pub relying: Vec<Relying>,
}

fn told(unfit: Unfit, relying: &[Relying]) -> String {
    if unfit != Unfit::NeedsMajor {
        return String::new();
    }
    let told = relying.iter().take(NAMES_TOLD_MAX).map(|one| format!("{}: {}", one.what, one.why));
    let told = told.collect::<Vec<String>>().join("; ");
    match relying.len().saturating_sub(NAMES_TOLD_MAX) {
        _ if relying.is_empty() => {
            ". No campaign or filter of this exchange relies on that, but sources and what buyers run may".to_owned()
        }
        0 => format!(". It would break {told}"),
        more => format!(". It would break {told}; and {more} more"),
    }
}

/// A version of a vertical's schema, and the module's version that it was last seen in.
#[derive(Clone, Debug)]
pub struct KnownSchema {
    pub schema: Arc<Schema>,
    pub module: ModuleName,
    pub version: u32,
    pub stage: &'static str,
}

impl Exchange {
    /// Lists the versions of every vertical's schema, oldest first, and which one serves.
    pub async fn schemas(&self) -> Value {
        let draft = self.draft().await;
        let market = self.catalog.load();
        let listed = draft.register.verticals.iter().map(|(id, spec)| {
            let versions = draft.modules.get(&spec.module);
            let numbered = versions.iter().flat_map(|versions| {
                versions.numbered().map(|(number, version)| {
                    json!({
                        "version": version_text((version.major, version.minor)),
                        "module_version": number,
                        "stage": versions.stage(number),
                    })
                })
            });
            let serves = market.vertical(id).map(|vertical| vertical.schema().version());
            json!({
                "vertical": id.as_str(),
                "module": spec.module.as_str(),
                "serves": serves.map(version_text),
                "versions": numbered.collect::<Vec<Value>>(),
            })
        });
        json!({ "schemas": listed.collect::<Vec<Value>>() })
    }

    /// Returns a version of a vertical's schema such as `1.0`; without one, the version that serves. A normalizer that no
    /// vertical uses yet is found by its own name, and its newest version is taken for the one that serves.
    ///
    /// # Errors
    ///
    /// [`ActError::NotFound`] says which verticals or versions there are.
    pub async fn known_schema(
        &self,
        vertical: &str,
        version: Option<&str>,
    ) -> Result<KnownSchema, ActError> {
        let draft = self.draft().await;
        let (module, versions) = normalizer_of(&draft, vertical)?;
        let market = self.catalog.load();
        let serving = market.vertical_named(vertical).map(|vertical| &vertical.normalizer.active);
        let number = match (version, serving) {
            (None, Some(serving)) => serving.module.version,
            (None, None) => versions.newest(),
            (Some(version), _) => {
                let asked = schemas::version_of(version);
                let mut newest_first = versions.numbered().rev();
                let found = newest_first.find(|(_, known)| {
                    asked.is_some_and(|asked| asked == (known.major, known.minor))
                });
                found.map(|(number, _)| number).ok_or_else(|| {
                    let known = versions.numbered();
                    let mut known: Vec<(u32, u32)> =
                        known.map(|(_, version)| (version.major, version.minor)).collect();
                    known.sort_unstable();
                    known.dedup();
                    let known: Vec<String> = known.into_iter().map(version_text).collect();
                    let known = named(&known);
                    ActError::NotFound(format!(
                        "version {version} of the schema of `{vertical}`; there are {known}"
                    ))
                })?
            }
        };
        let missing = || ActError::NotFound(format!("version {number} of module `{module}`"));
        let digest = versions.digest(number).ok_or_else(missing)?;
        let schema = self.schema_of(digest).await?;
        Ok(KnownSchema { schema, module, version: number, stage: versions.stage(number) })
    }

    /// Compares two versions of a vertical's schema, by default the one that serves with the newest, and says who relies
    /// on what is taken away.
    ///
    /// # Errors
    ///
    /// [`ActError::NotFound`] says which verticals or versions there are.
    pub async fn compare_schemas(
        &self,
        vertical: &str,
        from: Option<&str>,
        to: Option<&str>,
    ) -> Result<Value, ActError> {
        let newest = {
            let draft = self.draft().await;
            let (_, versions) = normalizer_of(&draft, vertical)?;
            let newest = versions.version(versions.newest());
            newest.map(|newest| version_text((newest.major, newest.minor)))
        };
        let old = self.known_schema(vertical, from).await?.schema;
        let new = self.known_schema(vertical, to.or(newest.as_deref())).await?.schema;
        let comparison = schemas::compare(&old, &new);
        let market = self.catalog.load();
        let live = market.vertical_named(vertical);
        let relying = live.map(|live| relying((&old, &new), &comparison, live)).unwrap_or_default();
        let relying = relying.iter().map(|one| json!({"what": one.what, "why": one.why}));
        let mut value = comparison.to_json();
        if let Some(object) = value.as_object_mut() {
            object.insert("relying".to_owned(), relying.collect());
        }
        Ok(value)
    }

    /// Takes a turn to keep a version, whose schema can come after those that are there. They are compiled before that.
    pub(super) async fn may_come(
        &self,
        module: &ModuleName,
        admitted: &Admitted,
    ) -> Result<Turn<'_>, ActError> {
        loop {
            let seen = self.draft().await;
            let seen = seen.modules.get(module);
            if let (Some(versions), Admitted::Normalizer(normalizer)) = (seen, admitted)
                && versions.world == admitted.world()
                && versions.version_of(admitted.digest()).is_none()
            {
                self.may_follow(versions, module, normalizer.schema()).await?;
            }
            let turn = self.draft.lock().await;
            let count = |versions: Option<&Arc<Versions>>| versions.map(|known| known.newest());
            if count(seen) == count(turn.modules.get(module)) {
                return Ok(turn);
            }
        }
    }

    /// Refuses a schema that cannot come after the newest of its major version, with everybody that it would let down.
    async fn may_follow(
        &self,
        versions: &Versions,
        module: &ModuleName,
        schema: &Schema,
    ) -> Result<(), ActError> {
        let (major, _) = schema.version();
        let mut same = versions.numbered().filter(|(_, version)| version.major == major);
        let Some((_, newest)) = same.next_back() else { return Ok(()) };
        let newest = self.schema_of(newest.digest).await?;
        let comparison = schemas::compare(&newest, schema);
        match (comparison.unfit(), comparison.complaint()) {
            (Some(unfit), Some(complaint)) => {
                let relying = self.relying_on(module, (&newest, schema), &comparison);
                let changes = comparison.changes.iter();
                let changes =
                    changes.filter(|change| unfit != Unfit::NeedsMajor || change.breaks());
                let changes = changes.map(ToString::to_string).collect();
                let refused = Misnumbered { unfit, complaint, changes, relying };
                Err(ActError::Misnumbered(Box::new(refused)))
            }
            _ => Ok(()),
        }
    }

    /// Returns everybody who relies on what changes, in all verticals that this major version of the module serves.
    fn relying_on(
        &self,
        module: &ModuleName,
        (old, new): (&Schema, &Schema),
        comparison: &Comparison,
    ) -> Vec<Relying> {
        let market = self.catalog.load();
        let served = market.verticals().filter(|vertical| {
            vertical.normalizer.active.module.name == *module
                && vertical.schema().version().0 == old.version().0
        });
        let mut served: Vec<_> = served.collect();
        served.sort_unstable_by(|one, other| one.id.as_str().cmp(other.id.as_str()));
        served.iter().flat_map(|vertical| relying((old, new), comparison, vertical)).collect()
    }

    /// Returns the schema of a normalizer that was uploaded. What is not at hand is compiled again.
    pub(super) async fn schema_of(&self, digest: Digest) -> Result<Arc<Schema>, ActError> {
        if let Some(schema) = self.workshop.schema(digest) {
            return Ok(schema);
        }
        let missing = || ActError::NotFound(format!("module {digest}"));
        let wasm = self.journal.module(digest).await.map_err(|_| ActError::Closed)?;
        match self.admit(Purpose::Look, digest, wasm.ok_or_else(missing)?).await? {
            Admitted::Normalizer(normalizer) => Ok(Arc::clone(normalizer.schema())),
            Admitted::Filter(_) | Admitted::Adapter(_) => Err(missing()),
        }
    }
}

/// Returns the normalizer of a vertical, or the one of that name.
fn normalizer_of(draft: &Draft, vertical: &str) -> Result<(ModuleName, Arc<Versions>), ActError> {
    let verticals = &draft.register.verticals;
    let spec = verticals.iter().find(|(id, _)| id.as_str() == vertical).map(|(_, spec)| spec);
    let module = spec.map(|spec| spec.module.clone()).or_else(|| ModuleName::parse(vertical).ok());
    let found = module.and_then(|module| {
        let versions = draft.modules.get(&module)?;
        (versions.world == "normalizer").then(|| (module, Arc::clone(versions)))
    });
    found.ok_or_else(|| {
        let known: Vec<String> = verticals.keys().map(ToString::to_string).collect();
        ActError::NotFound(format!("vertical `{vertical}`; there are {}", named(&known)))
    })
}

fn named(names: &[String]) -> String {
    let shown = names.iter().take(NAMES_TOLD_MAX).cloned().collect::<Vec<String>>().join(", ");
    match names.len().saturating_sub(NAMES_TOLD_MAX) {
        _ if names.is_empty() => "none".to_owned(),
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_tells_so_many_names_and_how_many_more_there_are() {
        let names: Vec<String> = (0..22).map(|name| format!("n{name}")).collect();
        assert_eq!(named(&[]), "none");
        assert_eq!(named(&names[..2]), "n0, n1");
        assert!(named(&names).ends_with("n18, n19 and 2 more"), "{}", named(&names));
        let relying =
            names.iter().map(|name| Relying { what: name.clone(), why: "asks".to_owned() });
        let relying: Vec<Relying> = relying.collect();
        let all = told(Unfit::NeedsMajor, &relying);
        assert!(all.ends_with("n18: asks; n19: asks; and 2 more"), "{all}");
        assert_eq!(told(Unfit::NeedsMajor, &relying[..1]), ". It would break n0: asks");
        assert_eq!(told(Unfit::SameVersion, &relying), "");
    }
}
