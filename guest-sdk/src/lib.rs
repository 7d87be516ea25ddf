//! What an author of a module needs, and nothing else.
//!
//! A buyer's filter implements [`filter::Filter`] and names the type in [`export_filter!`]; a vertical's normalizer
//! implements [`normalizer::Normalizer`] and names the type in [`export_normalizer!`].

pub mod filter;
pub mod intake;
pub mod normalizer;

mod bindings {
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
    pub mod filter {
        pub use crate::bindings::filter::*;
    }
    pub mod normalizer {
        pub use crate::bindings::normalizer::*;
    }
}
