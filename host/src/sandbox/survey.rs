//! What can be seen of a module without compiling it.

use wasmparser::{
    ComponentExternalKind, Encoding, FunctionBody, Instance, Parser, Payload, TypeRef, ValType,
};

use super::excess::Excess;
use super::inadmissible::Inadmissible;

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
    /// It has a mutable global of 128 bits, which cannot be kept for later calls.
    pub wide_global: bool,
    counts: [usize; Excess::ALL.len()],
}

impl Survey {
    /// Returns what it has too much of, and how much.
    pub(super) fn excess(&self) -> Option<(Excess, usize)> {
        let counted = Excess::ALL.into_iter().zip(self.counts);
        counted.into_iter().find(|(of, found)| *found > of.max())
    }

    fn count(&mut self, of: Excess, found: usize) {
        if let Some(count) = self.of(of) {
            *count = count.saturating_add(found);
        }
    }

    fn measure(&mut self, of: Excess, found: usize) {
        if let Some(count) = self.of(of) {
            *count = (*count).max(found);
        }
    }

    fn of(&mut self, of: Excess) -> Option<&mut usize> {
        let counted = Excess::ALL.into_iter().zip(&mut self.counts);
        counted.into_iter().find(|(known, _)| *known == of).map(|(_, count)| count)
    }
}

/// Looks through a module.
///
/// # Errors
///
/// What the bytes are, if they are no component.
pub(super) fn survey(wasm: &[u8]) -> Result<Survey, Inadmissible> {
    if Parser::is_component(wasm) {
        look(wasm)
    } else if Parser::is_core_wasm(wasm) {
        Err(Inadmissible::CoreModule(core_imports(wasm).map_err(damaged)?))
    } else {
        Err(Inadmissible::NotWasm(looks(wasm)))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn damaged(error: wasmparser::BinaryReaderError) -> Inadmissible {
    let fault = error.to_string();
    // What is of a feature that is switched off came through as it was.
    if fault.contains("enabled") {
        Inadmissible::Invalid(fault)
    } else {
        Inadmissible::Damaged(fault)
    }
}

/// Says what bytes look like that are not WebAssembly.
fn looks(bytes: &[u8]) -> &'static str {
    let text = bytes.trim_ascii_start();
    let begins = [
        (&b"\x1f\x8b"[..], "it looks compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "it looks compressed with zstd"),
        (b"PK\x03\x04", "it looks like a zip file"),
        (b"\x7fELF", "it looks like a program for this machine or compiled code of an engine"),
        (b"!<arch>", "it looks like a library of object files"),
        (b"\0asm", "or of a version that nobody knows"),
        (b"(", "it looks like its text form: run it through `wat2wasm` or `wasm-tools parse`"),
        (b"{", "it looks like JSON"),
        (b"<", "it looks like HTML or XML"),
    ];
    match begins.iter().find(|(begin, _)| bytes.starts_with(begin) || text.starts_with(begin)) {
        Some((_, looks)) => looks,
        None if bytes.is_empty() => "there is nothing in it",
        None => "it does not begin as WebAssembly does",
    }
}

/// Returns the names of the modules that a core module imports from.
fn core_imports(wasm: &[u8]) -> wasmparser::Result<Vec<String>> {
    let mut modules: Vec<String> = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let Payload::ImportSection(imports) = payload? else { continue };
        for import in imports.into_imports() {
            let import = import?;
            if !modules.iter().any(|known| known == import.module) {
                modules.push(import.module.to_owned());
            }
        }
    }
    Ok(modules)
}

fn look(wasm: &[u8]) -> Result<Survey, Inadmissible> {
    let mut survey = Survey::default();
    let mut open = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(damaged)?;
        match &payload {
            Payload::Version { encoding, .. } => {
                open.push(*encoding);
                survey.enter(&open);
            }
            Payload::End(_) => {
                open.pop();
            }
            Payload::ComponentImportSection(imports) if open.len() == 1 => {
                for import in imports.clone() {
                    survey.imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(exports) if open.len() == 1 => {
                for export in exports.clone() {
                    survey.export(&export.map_err(damaged)?);
                }
            }
            Payload::UnknownSection { id, range, .. } => {
                let at = range.start;
                let fault = format!("malformed section id: {id} (at offset {at:#x})");
                return Err(Inadmissible::Damaged(fault));
            }
            payload => survey.section(payload).map_err(damaged)?,
        }
    }
    Ok(survey)
}

impl Survey {
    /// Counts the beginning of a module or component; the outermost is not within anything.
    fn enter(&mut self, open: &[Encoding]) {
        match open {
            [.., Encoding::Module] => self.count(Excess::Modules, 1),
            [_] => (),
            _ => self.count(Excess::Components, 1),
        }
        let components = open.iter().filter(|one| **one == Encoding::Component).count();
        self.measure(Excess::Depth, components);
    }

    fn export(&mut self, export: &wasmparser::ComponentExport<'_>) {
        self.count(Excess::Exports, 1);
        // A type is only a name for what the others use.
        if export.kind != ComponentExternalKind::Type {
            self.exports.push(export.name.name.to_owned());
        }
    }

    fn section(&mut self, payload: &Payload<'_>) -> wasmparser::Result<()> {
        let size = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
        match payload {
            Payload::TypeSection(types) => self.count(Excess::Types, size(types.count())),
            Payload::CoreTypeSection(types) => self.count(Excess::Types, size(types.count())),
            Payload::ComponentTypeSection(types) => self.count(Excess::Types, size(types.count())),
            Payload::MemorySection(memories) => {
                for memory in memories.clone() {
                    self.memory(memory?);
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    // Counted where it is defined; within a component an import may only make it larger.
                    if let TypeRef::Memory(memory) = import?.ty {
                        let bytes = memory.initial.saturating_mul(PAGE_BYTES);
                        self.memory_bytes = self.memory_bytes.max(bytes);
                    }
                }
            }
            Payload::TableSection(tables) => {
                self.count(Excess::Tables, size(tables.count()));
                for table in tables.clone() {
                    let elements = usize::try_from(table?.ty.initial).unwrap_or(usize::MAX);
                    self.measure(Excess::TableElements, elements);
                }
            }
            Payload::GlobalSection(globals) => {
                self.count(Excess::Globals, size(globals.count()));
                for global in globals.clone() {
                    let global = global?.ty;
                    self.wide_global |= global.mutable && global.content_type == ValType::V128;
                }
            }
            Payload::ElementSection(elements) => {
                self.count(Excess::ElementSegments, size(elements.count()));
            }
            Payload::DataSection(segments) => {
                self.count(Excess::DataSegments, size(segments.count()));
            }
            Payload::InstanceSection(instances) => {
                for instance in instances.clone() {
                    let made = matches!(instance?, Instance::Instantiate { .. });
                    self.count(Excess::Instances, usize::from(made));
                }
            }
            Payload::CodeSectionEntry(function) => self.function(function)?,
            _ => (),
        }
        Ok(())
    }

    fn memory(&mut self, memory: wasmparser::MemoryType) {
        self.count(Excess::Memories, 1);
        let bytes = memory.initial.saturating_mul(PAGE_BYTES);
        self.memory_bytes = self.memory_bytes.saturating_add(bytes);
    }

    fn function(&mut self, function: &FunctionBody<'_>) -> wasmparser::Result<()> {
        self.count(Excess::Functions, 1);
        self.measure(Excess::FunctionBytes, function.range().len());
        let mut locals = 0_usize;
        for group in function.get_locals_reader()? {
            locals = locals.saturating_add(usize::try_from(group?.0).unwrap_or(usize::MAX));
        }
        self.measure(Excess::Locals, locals);
        Ok(())
    }
}
