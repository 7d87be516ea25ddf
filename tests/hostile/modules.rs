//! Modules that no compiler makes: from WebAssembly text, wrapped as `gavel module build` wraps.
//!
//! A text holds the fields of a core module. It may say `(export "evaluate")` for the long name of the contract, and
//! whatever of the contract it does not export is added, done as an honest filter does it.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The contract's names in short, and what stands for them in a module.
const NAMES: [(&str, &str); 4] = [
    ("describe", "gavel:rules/filtering@1.0.0#describe"),
    ("configure", "gavel:rules/filtering@1.0.0#configure"),
    ("evaluate", "gavel:rules/filtering@1.0.0#evaluate"),
    ("after-evaluate", "cabi_post_gavel:rules/filtering@1.0.0#evaluate"),
];

/// What an honest filter of one campaign exports. Its answers lie ready: a description without needs at 16, no error
/// at 64, and at 80 a list of one verdict, `yes` at the campaign's price.
const HONEST: [(&str, &str); 5] = [
    (
        "memory",
        r#"(memory (export "memory") 2)
           (data (i32.const 16) "\00\00\00\00\00\00\00\00\28\00\00\00\08\00\00\00")
           (data (i32.const 40) "anything")
           (data (i32.const 80) "\60\00\00\00\01\00\00\00")
           (data (i32.const 96) "\01")"#,
    ),
    (
        "cabi_realloc",
        r#"(global $next (mut i32) (i32.const 4096))
           (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $new i32)
             (local.set $new (global.get $next))
             (global.set $next (i32.and (i32.const -8)
               (i32.add (i32.const 7) (i32.add (local.get $new) (local.get 3)))))
             (local.get $new))"#,
    ),
    ("describe", r#"(func (export "describe") (result i32) (i32.const 16))"#),
    ("configure", r#"(func (export "configure") (param i32 i32) (result i32) (i32.const 64))"#),
    (
        "evaluate",
        r#"(func (export "evaluate") (param i32 i32 i32 i32) (result i32) (i32.const 80))"#,
    ),
];

/// Returns the text of this name beside this file.
pub(crate) fn text(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile");
    std::fs::read_to_string(folder.join(format!("{name}.wat"))).ok()
}

/// Makes a filter of the fields of a core module.
pub(crate) fn filter(fields: &str) -> Vec<u8> {
    let mut module = fields.to_owned();
    for (export, honest) in HONEST {
        if !fields.contains(&format!("(export \"{export}\"")) {
            module.push_str(honest);
        }
    }
    for (short, name) in NAMES {
        module = module.replace(&format!("(export \"{short}\""), &format!("(export \"{name}\""));
    }
    wrapped(&wat::parse_str(format!("(module {module})")).unwrap())
}

fn wrapped(core: &[u8]) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v1");
    let (package, _) = resolve.push_path(contract).unwrap();
    let world = resolve.select_world(&[package], Some("filter")).unwrap();
    let mut core = core.to_vec();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    // Not validated: whether it is valid is for the exchange to say.
    let encoder = ComponentEncoder::default().validate(false);
    encoder.module(&core).unwrap().encode().unwrap()
}

/// A component that holds this and exports an interface of this name with nothing in it.
pub(crate) fn hollow(interface: &str, text: &str) -> Vec<u8> {
    let export = format!(r#"(instance $none) (export "gavel:rules/{interface}" (instance $none))"#);
    wat::parse_str(format!("(component {text} {export})")).unwrap()
}
