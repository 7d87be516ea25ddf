//! Modules that are too long to be written: made to keep a reader or a compiler busy, or to fill its memory.

use std::fmt::Write as _;

use super::modules::{filter, hollow};

const FILTERING: &str = "filtering@1.0.0";
const NORMALIZATION: &str = "normalization@1.0.0";

/// Returns the module of this name.
pub(crate) fn module(name: &str) -> Option<Vec<u8>> {
    of_no_kind(name)
        .or_else(|| of_unusual_size(name))
        .or_else(|| in_each_other(name))
        .or_else(|| hard_to_compile(name))
        .or_else(|| asking_for(name))
}

fn of_no_kind(name: &str) -> Option<Vec<u8>> {
    Some(match name {
        "is-a-picture" => b"\x89PNG\r\n\x1a\n and what follows".to_vec(),
        "is-a-core-module" => parsed("(module)"),
        "is-cut-short" => {
            let whole = filter("");
            whole[..whole.len() / 2].to_vec()
        }
        _ => return None,
    })
}

fn of_unusual_size(name: &str) -> Option<Vec<u8>> {
    let many = |text: &str, times: usize| text.repeat(times);
    let core = |fields: &str| hollow(NORMALIZATION, &format!("(core module {fields})"));
    Some(match name {
        "has-one-10-mb-function" => {
            parsed(&format!("(module (func {}))", many("nop ", 10_000_000)))
        }
        "has-one-6-mb-function" => parsed(&format!("(module (func {}))", many("nop ", 6_000_000))),
        "has-one-large-function" => filter(&format!("(func {})", many("nop ", 600_000))),
        "has-a-million-functions" => filter(&many("(func)", 990_000)),
        "has-50-thousand-locals" => filter(&format!("(func {})", many("(local i64)", 50_001))),
        "has-too-many-types" => core(&many("(type (func))", 1_000_001)),
        "has-too-many-data" => {
            core(&format!("(memory 1) {}", many("(data (i32.const 0) \"\")", 100_001)))
        }
        "has-too-many-exports" => {
            let exports = (0..100_001).map(|at| format!("(export \"{at}\" (func 0))"));
            core(&format!("(func) {}", exports.collect::<String>()))
        }
        "has-too-long-a-name" => core(&format!("(func (export \"{}\"))", many("a", 100_001))),
        "has-too-many-components" => hollow(NORMALIZATION, &many("(component)", 1_001)),
        "has-too-many-modules" => hollow(NORMALIZATION, &many("(core module)", 1_001)),
        _ => return None,
    })
}

fn in_each_other(name: &str) -> Option<Vec<u8>> {
    let types = |first: &str, next: fn(usize) -> String| {
        let types: String = (0..5_000).map(|at| format!("(type {})", next(at))).collect();
        hollow(NORMALIZATION, &format!("(type {first}){types}"))
    };
    Some(match name {
        // Too deep for a reader of text, so it is made of bytes.
        "nests-components" => (0..10_000).fold(component(&[]), |inner, _| component(&inner)),
        "nests-modules" => hollow(FILTERING, "(component (core module))"),
        "nests-types" => types("(list u8)", |at| format!("(list {at})")),
        "doubles-types" => types("(tuple u8 u8)", |at| format!("(tuple {at} {at})")),
        "multiplies-instances" => {
            // Each component makes ten of the one before: a thousand million in 1.5 KB.
            let module = "(core module $m (memory 1)) (core instance (instantiate $m))";
            let mut text = format!("(component $c0 {module})");
            for at in 1..10 {
                let alias = format!("(alias outer 1 $c{} (component $c))", at - 1);
                let instances = "(instance (instantiate $c))".repeat(10);
                let _ = write!(text, "(component $c{at} {alias} {instances})");
            }
            hollow(NORMALIZATION, &format!("{text} (instance (instantiate $c9))"))
        }
        _ => return None,
    })
}

fn hard_to_compile(name: &str) -> Option<Vec<u8>> {
    let nested = |open: &str, times: usize, close: &str| {
        let body = format!("{}{}", open.repeat(times), close.repeat(times));
        filter(&format!("(func (local i32) {body})"))
    };
    Some(match name {
        "branches-everywhere" => {
            let targets = "0 ".repeat(400_000);
            filter(&format!("(func (block (br_table {targets} (i32.const 1))))"))
        }
        "nests-loops" => nested("(loop ", 80_000, ")"),
        "nests-conditions" => nested("(if (local.get 0) (then ", 100_000, "))"),
        "has-far-locals" => {
            // Each may have been set in any turn of the loop, so each is looked for everywhere.
            let (locals, mut body) = (9_000, String::new());
            for local in 0..locals {
                let _ = write!(body, "(local.set {local} (i64.const {local}))");
            }
            for at in 0..30_000 {
                let local = at % (locals - 1);
                let set = format!("(local.set {local} (local.get {}))", local + 1);
                let _ = write!(body, "(if (i64.eqz (local.get {local})) (then {set}))");
            }
            filter(&format!("(func {} (loop {body} (br 0)))", "(local i64)".repeat(locals)))
        }
        "keeps-many-numbers" => {
            // All are needed at the end, so all have to be kept somewhere.
            let mut body = "local.get 0 ".to_owned();
            for at in 0..40_000 {
                let _ = write!(body, "local.get 0 i64.const {at} i64.mul ");
            }
            body.push_str(&"i64.add ".repeat(40_000));
            filter(&format!("(func (param i64) (result i64) {body})"))
        }
        _ => return None,
    })
}

fn asking_for(name: &str) -> Option<Vec<u8>> {
    let core = |fields: &str| hollow(NORMALIZATION, &format!("(core module {fields})"));
    Some(match name {
        "asks-for-imports" => {
            parsed(r#"(component (import "wasi:clocks/monotonic-clock@0.2.6" (instance)))"#)
        }
        "asks-for-another-contract" => hollow("filtering@2.0.0", ""),
        "asks-for-nothing" => hollow(FILTERING, ""),
        "asks-for-64-bits" => core("(memory i64 1)"),
        "asks-for-threads" => core("(memory 1 1 shared)"),
        "asks-for-two-memories" => core("(memory 1) (memory 1)"),
        "asks-for-a-collector" => core("(type (struct (field i32)))"),
        "asks-for-exceptions" => core("(tag (param i32))"),
        "asks-for-small-pages" => core("(memory 1 (pagesize 1))"),
        "asks-for-stack-switching" => core("(type $f (func)) (type (cont $f))"),
        "asks-for-wide-arithmetic" => core(
            "(func (param i64 i64) (result i64 i64)
               (i64.mul_wide_s (local.get 0) (local.get 1)))",
        ),
        "asks-for-relaxed-numbers" => core(
            "(func (param v128 v128 v128) (result v128)
               (f32x4.relaxed_madd (local.get 0) (local.get 1) (local.get 2)))",
        ),
        _ => return None,
    })
}

fn parsed(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// A component with another one in it, or with nothing.
fn component(inner: &[u8]) -> Vec<u8> {
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    if !inner.is_empty() {
        component.push(4);
        let mut length = inner.len();
        while length >= 0x80 {
            component.push(0x80 | u8::try_from(length & 0x7f).unwrap());
            length >>= 7;
        }
        component.push(u8::try_from(length).unwrap());
        component.extend(inner);
    }
    component
}
