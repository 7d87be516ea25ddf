//! What can be seen of a module without compiling it.

use wasmparser::{Encoding, Parser, Payload, ValType};

/// WebAssembly's unit of memory, in bytes.
const PAGE_BYTES: u64 = 64 * 1024;

/// What a component brings and what it wants.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The names of what it imports.
    pub imports: Vec<String>,
    /// The names of what it exports.
    pub exports: Vec<String>,
    /// The memory that it begins with, in bytes.
    pub memory_bytes: u64,
    /// How many functions it has.
    pub functions: usize,
    /// The largest of them, in bytes.
    pub function_bytes: usize,
    /// It has a mutable global of 128 bits, which cannot be kept for later calls.
    pub wide_global: bool,
}

/// What some bytes are, other than a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// Not WebAssembly.
    NotWasm,
    /// A core module.
    CoreModule,
    /// Damaged.
    Damaged(String),
}

/// Looks through a module.
pub(super) fn survey(wasm: &[u8]) -> Result<Survey, Other> {
    if !Parser::is_component(wasm) {
        let core = Parser::is_core_wasm(wasm);
        return Err(if core { Other::CoreModule } else { Other::NotWasm });
    }
    look(wasm).map_err(|error| Other::Damaged(error.to_string()))
}

fn look(wasm: &[u8]) -> wasmparser::Result<Survey> {
    let mut survey = Survey::default();
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version { encoding: Encoding::Module | Encoding::Component, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    survey.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    survey.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories {
                    let bytes = memory?.initial.saturating_mul(PAGE_BYTES);
                    survey.memory_bytes = survey.memory_bytes.saturating_add(bytes);
                }
            }
            Payload::GlobalSection(globals) => {
                for global in globals {
                    let global = global?.ty;
                    survey.wide_global |= global.mutable && global.content_type == ValType::V128;
                }
            }
            Payload::CodeSectionEntry(function) => {
                survey.functions += 1;
                survey.function_bytes = survey.function_bytes.max(function.range().len());
            }
            _ => (),
        }
    }
    Ok(survey)
}
