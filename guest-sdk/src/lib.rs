//! What an author of a module needs, and nothing else.
//!
//! A buyer's filter implements [`filter::Filter`] and names the type in [`export_filter!`]; a vertical's normalizer
//! implements [`normalizer::Normalizer`] and names the type in [`export_normalizer!`]; a buyer's integration implements
//! [`adapter::Adapter`] and names the type in [`export_adapter!`]. `gavel module build` makes the component, and `gavel module run` tries it.
//!
//! A whole filter:
//!
//! ```
//! use guest_sdk::filter::{Filter, Lead, Verdict};
//!
//! guest_sdk::fields! { AGE: integer = "age"; STATE: text = "state" }
//!
//! struct Adults { states: Vec<String> }
//!
//! #[derive(serde::Deserialize)]
//! struct Settings { states: Vec<String> }
//!
//! impl Filter for Adults {
//!     type Settings = Settings;
//!     const SETTINGS: &'static str = r#"{"states": ["CA", "TX"]}"#;
//!
//!     fn configure(settings: Settings) -> Result<Self, String> {
//!         Ok(Self { states: settings.states })
//!     }
//!
//!     fn evaluate(&self, lead: &Lead<'_>) -> Verdict {
//!         let here = |state| self.states.iter().any(|wanted| wanted == state);
//!         match (lead.get(AGE), lead.get(STATE)) {
//!             (Some(18..), Some(state)) if here(state) => Verdict::at_campaign_price(),
//!             (Some(18..), _) => Verdict::no("state-not-wanted"),
//!             _ => Verdict::no("too-young"),
//!         }
//!     }
//! }
//!
//! guest_sdk::export_filter!(Adults);
//! # fn main() {}
//! ```
//!
//! A module is a pure function. It has no clock, no network, no randomness and no memory of earlier calls, because
//! every call runs in an instance of its own. A panic is a trap: the call is forfeited and the exchange goes on.

pub mod adapter;
pub mod answers;
pub mod filter;
pub mod intake;
pub mod normalizer;
mod settings;

#[doc(hidden)]
pub mod arena;

pub use lead_frame;

mod bindings {
    pub(crate) mod adapter {
        wit_bindgen::generate!({
            path: "../wit/v1",
            world: "adapter",
            pub_export_macro: true,
            export_macro_name: "export_adapter_component",
            default_bindings_module: "guest_sdk::bindings_for_macro::adapter",
        });
    }
    pub(crate) mod filter {
        wit_bindgen::generate!({
            path: "../wit/v1",
            world: "filter",
            pub_export_macro: true,
            export_macro_name: "export_filter_component",
            default_bindings_module: "guest_sdk::bindings_for_macro::filter",
        });
    }
    pub(crate) mod normalizer {
        wit_bindgen::generate!({
            path: "../wit/v1",
            world: "normalizer",
            pub_export_macro: true,
            export_macro_name: "export_normalizer_component",
            default_bindings_module: "guest_sdk::bindings_for_macro::normalizer",
        });
    }
}

#[doc(hidden)]
pub mod bindings_for_macro {
    pub mod adapter {
        pub use crate::bindings::adapter::*;
    }
    pub mod filter {
        pub use crate::bindings::filter::*;
    }
    pub mod normalizer {
        pub use crate::bindings::normalizer::*;
    }
}
