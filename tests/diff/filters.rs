//! Filters that say the same about every lead, from WebAssembly text, wrapped as `gavel module build` wraps.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What a filter says for every campaign about every lead.
#[derive(Clone, Copy)]
pub(crate) enum Says {
    /// A bid, in millionths.
    Bid(i64),
    /// A bid at the price that others name.
    Yes,
    /// A refusal, with this reason.
    No(&'static str),
    /// Nothing: it traps.
    Traps,
    /// Nothing: it never returns.
    Loops,
}

/// The whole filter but for its verdict. It needs no field and takes any settings; a list of verdicts lies at 4,096.
const CODE: &str = r#"
    (memory (export "memory") 4)
    (data (i32.const 16) "\00\00\00\00\00\00\00\00\28\00\00\00\08\00\00\00")
    (data (i32.const 40) "anything")
    (data (i32.const 1024) "REASON")
    (global $next (mut i32) (i32.const 65536))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $new i32)
      (local.set $new (global.get $next))
      (global.set $next (i32.and (i32.const -8)
        (i32.add (i32.const 7) (i32.add (local.get $new) (local.get 3)))))
      (local.get $new))
    (func (export "gavel:rules/filtering@1.0.0#describe") (result i32) (i32.const 16))
    (func (export "gavel:rules/filtering@1.0.0#configure") (param i32 i32) (result i32) (i32.const 64))
    (func (export "gavel:rules/filtering@1.0.0#evaluate")
      (param i32 i32 i32) (param $left i32) (result i32) (local $at i32)
      (i32.store (i32.const 80) (i32.const 4096))
      (i32.store (i32.const 84) (local.get $left))
      (local.set $at (i32.const 4096))
      (block $done
        (loop $again
          (br_if $done (i32.eqz (local.get $left)))
          VERDICT
          (local.set $at (i32.add (local.get $at) (i32.const 24)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $again)))
      (i32.const 80))
"#;

/// Makes a filter.
pub(crate) fn filter(says: Says) -> Vec<u8> {
    let (verdict, reason) = match says {
        Says::Bid(micros) => {
            let bid = format!(
                "(i32.store8 (local.get $at) (i32.const 1))
                 (i32.store8 (i32.add (local.get $at) (i32.const 8)) (i32.const 1))
                 (i64.store (i32.add (local.get $at) (i32.const 16)) (i64.const {micros}))"
            );
            (bid, "")
        }
        Says::Yes => {
            let bid = "(i32.store8 (local.get $at) (i32.const 1))
                 (i32.store8 (i32.add (local.get $at) (i32.const 8)) (i32.const 0))";
            (bid.to_owned(), "")
        }
        Says::No(reason) => {
            let no = format!(
                "(i32.store8 (local.get $at) (i32.const 0))
                 (i32.store (i32.add (local.get $at) (i32.const 8)) (i32.const 1024))
                 (i32.store (i32.add (local.get $at) (i32.const 12)) (i32.const {}))",
                reason.len()
            );
            (no, reason)
        }
        Says::Traps => ("(unreachable)".to_owned(), ""),
        Says::Loops => ("(loop $for_ever (br $for_ever))".to_owned(), ""),
    };
    let code = CODE.replace("VERDICT", &verdict).replace("REASON", reason);
    let mut core = wat::parse_str(format!("(module {code})")).unwrap();
    let mut resolve = Resolve::default();
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v1");
    let (package, _) = resolve.push_path(contract).unwrap();
    let world = resolve.select_world(&[package], Some("filter")).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&core).unwrap().encode().unwrap()
}
