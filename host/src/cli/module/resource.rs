//! A module of a running exchange: where it is, and the note that goes with a step of its life.

use serde_json::{Value, json};

use crate::cli::Failure;
use crate::ids::ModuleName;

/// Who does something and why: the exchange keeps it with the step.
#[derive(Debug, clap::Args)]
pub(super) struct Note {
    /// Why, for those who read the module's history.
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) why: String,
    /// Who does it.
    #[arg(
        long,
        value_name = "NAME",
        env = "USER",
        default_value = "operator",
        hide_env_values = true
    )]
    pub(super) by: String,
}

impl Note {
    /// Returns the members of an act's body.
    pub(super) fn members(&self) -> Value {
        json!({ "by": self.by, "why": self.why })
    }
}

/// Returns the path of a module's resource, once the name is one.
pub(super) fn module(name: &str, resource: &str) -> Result<String, Failure> {
    let name = ModuleName::parse(name)
        .map_err(|error| Failure::usage(format!("`{name}` is no module's name: {error}")))?;
    Ok(if resource.is_empty() {
        format!("modules/{name}")
    } else {
        format!("modules/{name}/{resource}")
    })
}
