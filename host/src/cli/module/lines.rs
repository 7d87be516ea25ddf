//! What `gavel module build` keeps of a module's debugging information: the author's own lines, for the words about a
//! trap. The rest, several times as large as the module, is left out, and so is what would tidy up after a call.

use std::ops::Range;
use std::path::Path;

use addr2line::Context;
use addr2line::gimli::{Dwarf, EndianSlice, LittleEndian, SectionId};
use wasmparser::{Export, ExportSectionReader, Parser, Payload, TypeRef};

use crate::sandbox::{LINES_SECTION, Lines};

type Reader<'m> = EndianSlice<'m, LittleEndian>;

/// What the name of the function begins with that frees what another returned. Its instance ends with the call, so it
/// would only take time.
const POST_RETURN: &str = "cabi_post_";
/// The section of a module that has its exports.
const EXPORTS: u8 = 7;

/// Returns a core module without its debugging information and without functions that free what others returned, and the
/// lines of it that are in this folder.
pub(super) fn take(core: &[u8], folder: &Path) -> wasmparser::Result<(Vec<u8>, Lines)> {
    let mut stripped = core.get(..8).unwrap_or_default().to_vec();
    let (mut sections, mut bodies, mut code, mut imported) = (Vec::new(), Vec::new(), 0, 0_u32);
    for payload in Parser::new(0).parse_all(core) {
        let payload = payload?;
        match &payload {
            Payload::CustomSection(section) if section.name().starts_with(".debug_") => {
                sections.push((section.name(), section.data()));
                continue;
            }
            Payload::ImportSection(imports) => {
                for import in imports.clone().into_imports() {
                    let function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    imported = imported.saturating_add(u32::from(function));
                }
            }
            Payload::ExportSection(exports) => {
                section(&mut stripped, EXPORTS, &kept(core, exports)?);
                continue;
            }
            Payload::CodeSectionStart { range, .. } => code = range.start,
            Payload::CodeSectionEntry(body) => bodies.push(body.range()),
            _ => (),
        }
        if let Some((id, range)) = payload.as_section() {
            section(&mut stripped, id, core.get(range).unwrap_or_default());
        }
    }
    let loaded = Dwarf::load(|id: SectionId| {
        let found = sections.iter().find(|(name, _)| *name == id.name());
        Ok::<_, ()>(Reader::new(found.map_or(&[], |(_, bytes)| bytes), LittleEndian))
    });
    let context = loaded.ok().and_then(|dwarf| Context::from_dwarf(dwarf).ok());
    let mut lines = Lines::default();
    for (function, body) in (imported..).zip(bodies) {
        if let Some(context) = &context {
            // Without debugging information for it a function has no lines, which is no reason to stop.
            let _ = of_function(context, folder, function, body, code, &mut lines);
        }
    }
    Ok((stripped, lines))
}

/// Returns the section of exports without those that free what others returned.
fn kept(core: &[u8], exports: &ExportSectionReader<'_>) -> wasmparser::Result<Vec<u8>> {
    let all = exports.clone().into_iter_with_offsets();
    let all: Vec<(usize, Export<'_>)> = all.collect::<Result<_, _>>()?;
    let ends = all.iter().skip(1).map(|(begin, _)| *begin).chain([exports.range().end]);
    let kept =
        all.iter().zip(ends).filter(|((_, export), _)| !export.name.starts_with(POST_RETURN));
    let kept: Vec<&[u8]> = kept.filter_map(|((begin, _), end)| core.get(*begin..end)).collect();
    let mut section = Vec::new();
    number(&mut section, kept.len());
    section.extend(kept.concat());
    Ok(section)
}

/// Adds the table to a component.
pub(super) fn embed(component: &mut Vec<u8>, lines: &Lines) {
    let mut custom = Vec::new();
    number(&mut custom, LINES_SECTION.len());
    custom.extend(LINES_SECTION.as_bytes());
    custom.extend(lines.encode());
    section(component, 0, &custom);
}

/// Adds the lines of one function. What the debugging information calls an address is an offset in the code section.
fn of_function(
    context: &Context<Reader<'_>>,
    folder: &Path,
    function: u32,
    body: Range<usize>,
    code: usize,
    lines: &mut Lines,
) -> Option<()> {
    let address = |at: usize| u64::try_from(at.checked_sub(code)?).ok();
    let (begin, end) = (address(body.start)?, address(body.end)?);
    for (at, _, _) in context.find_location_range(begin, end).ok()? {
        let at = at.max(begin);
        let mut frames = context.find_frames(at).skip_all_loads().ok()?;
        let mut own = None;
        // From the innermost that was inlined here outwards: the first in the author's own files is meant.
        while let (None, Ok(Some(frame))) = (&own, frames.next()) {
            let file = frame.location.as_ref().and_then(|location| location.file);
            let file = file.and_then(|file| Path::new(file).strip_prefix(folder).ok()?.to_str());
            let line = frame.location.as_ref().and_then(|location| location.line);
            let name = frame.function.as_ref().and_then(|name| name.raw_name().ok());
            own = file.zip(line).map(|(file, line)| {
                let name = name.unwrap_or_default();
                (file.to_owned(), line, format!("{:#}", rustc_demangle::demangle(&name)))
            });
        }
        let offset = u32::try_from(at.checked_sub(begin)?).ok()?;
        let own = own.as_ref().map(|(file, line, name)| (file.as_str(), *line, name.as_str()));
        lines.add(function, offset, own);
    }
    Some(())
}

/// Writes a section: its number, its size and its content.
fn section(module: &mut Vec<u8>, id: u8, content: &[u8]) {
    module.push(id);
    number(module, content.len());
    module.extend(content);
}

/// Writes a number as WebAssembly does, 7 bits in each byte.
fn number(module: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        if number == 0 {
            return module.push(low);
        }
        module.push(low | 0x80);
    }
}
