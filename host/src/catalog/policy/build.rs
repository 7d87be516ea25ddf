//! Expressions and policies, read with the schema of the vertical that they are for.

use super::Policy;
use crate::catalog::bench::Bench;
use crate::catalog::faults::{Fault, Faults};
use crate::catalog::rules::schema_words;
use crate::catalog::spec::VerticalSpec;
use crate::criteria::Criteria;
use crate::ids::VerticalId;
use crate::lead::Schema;

impl Bench<'_> {
    /// Returns the policies of a vertical, the first to be tried first.
    pub(in crate::catalog) fn policies(
        &self,
        id: &VerticalId,
        spec: &VerticalSpec,
        schema: &Schema,
        faults: &mut Faults,
    ) -> Vec<Policy> {
        let policies = self.draft.register.policies.iter();
        let mut own: Vec<_> =
            policies.filter(|(_, policy)| policy.verticals.contains(id)).collect();
        own.sort_by_key(|(_, policy)| policy.priority);
        let mut built = Vec::with_capacity(own.len());
        for (name, policy) in own {
            let what = format!("policy {name}");
            let when = self.criteria(&what, "/when", policy.when.as_ref(), schema);
            let when = faults.keep(when).filter(|_| policy.active);
            built.extend(when.map(|when| Policy::new(name, policy, when, spec)));
        }
        built
    }

    /// Reads an expression in either spelling.
    pub(in crate::catalog) fn criteria(
        &self,
        what: &str,
        pointer: &str,
        spelled: Option<&serde_json::Value>,
        schema: &Schema,
    ) -> Result<Criteria, Fault> {
        let fault = |pointer: &str, message: String| {
            let message = format!("{message} (checked by {})", schema_words(schema));
            Fault::new(&what, pointer, message)
        };
        match spelled {
            None => Ok(Criteria::any()),
            Some(serde_json::Value::String(text)) => Criteria::from_text(text, schema, self.lists)
                .map_err(|error| fault(pointer, error.to_string())),
            Some(json) => Criteria::from_json(json, schema, self.lists)
                .map_err(|error| fault(&format!("{pointer}{}", error.at), error.message)),
        }
    }
}
