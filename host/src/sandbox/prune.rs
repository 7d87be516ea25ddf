//! Leaves out of a module what no call comes to any more.
//!
//! Most of a filter's code describes it and reads settings, and once it is configured nobody asks for that again. So of
//! what is kept only those functions stay that the other calls can come to; the rest keep their numbers and become a
//! trap. Such a module is compiled in a fraction of the time, and takes less memory.

use wasmparser::{
    BinaryReader, ElementItems, ExternalKind, FunctionBody, Operator, OperatorsReader, Parser,
    Payload, Result, TableInit, TypeRef,
};

use super::admission::CONTRACT;
use super::lines::write;

/// The functions of every interface that are called only until a module is configured.
const UNUSED: [&str; 2] = ["describe", "configure"];
/// What the name of the function begins with that gives back what another returned.
const POST_RETURN: &str = "cabi_post_";
/// The sections of a component that are a core module each.
const CORE_MODULE: u8 = 1;
/// The section of a core module that has its functions.
const CODE: u8 = 10;
/// What modules and components begin with: a magic number and a version, in bytes.
const PREAMBLE_BYTES: usize = 8;
/// The body of a function: no variables, `unreachable`, `end`.
const TRAP: [u8; 3] = [0, 0, 0x0b];

/// Returns a configured component without what only [`UNUSED`] functions need. One with several core modules stays as it
/// is, and so does a function with another name than `wit-component` looks for.
pub(super) fn prune(component: &[u8]) -> Result<Vec<u8>> {
    let all = sections(component)?;
    if all.iter().filter(|(id, _)| *id == CORE_MODULE).count() != 1 {
        return Ok(component.to_vec());
    }
    let mut pruned = component.get(..PREAMBLE_BYTES).unwrap_or_default().to_vec();
    for (id, content) in all {
        if id == CORE_MODULE {
            section(&mut pruned, id, &Module::read(content)?.pruned(content)?);
        } else {
            section(&mut pruned, id, content);
        }
    }
    Ok(pruned)
}

/// What says which functions of a core module can be reached.
#[derive(Default)]
struct Module<'m> {
    /// How many functions come from outside; they have the first numbers.
    imported: usize,
    bodies: Vec<FunctionBody<'m>>,
    /// What calls from outside can come to.
    entries: Vec<u32>,
    /// What an indirect call can come to.
    referred: Vec<u32>,
}

impl<'m> Module<'m> {
    fn read(module: &'m [u8]) -> Result<Self> {
        let mut read = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        let kind = import?.ty;
                        let function = matches!(kind, TypeRef::Func(_) | TypeRef::FuncExact(_));
                        read.imported = read.imported.saturating_add(usize::from(function));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        let function =
                            matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact);
                        let entry = function && !is_unused(export.name);
                        read.entries.extend(entry.then_some(export.index));
                    }
                }
                Payload::StartSection { func, .. } => read.entries.push(func),
                Payload::TableSection(tables) => {
                    for table in tables {
                        if let TableInit::Expr(init) = table?.init {
                            read.refer(init.get_operators_reader())?;
                        }
                    }
                }
                Payload::GlobalSection(globals) => {
                    for global in globals {
                        read.refer(global?.init_expr.get_operators_reader())?;
                    }
                }
                Payload::ElementSection(elements) => {
                    for element in elements {
                        read.refer_all(element?.items)?;
                    }
                }
                Payload::CodeSectionEntry(body) => read.bodies.push(body),
                _ => (),
            }
        }
        Ok(read)
    }

    fn refer_all(&mut self, items: ElementItems<'m>) -> Result<()> {
        match items {
            ElementItems::Functions(functions) => {
                for function in functions {
                    self.referred.push(function?);
                }
            }
            ElementItems::Expressions(_, items) => {
                for item in items {
                    self.refer(item?.get_operators_reader())?;
                }
            }
        }
        Ok(())
    }

    fn refer(&mut self, operators: OperatorsReader<'m>) -> Result<()> {
        for operator in operators {
            if let Operator::RefFunc { function_index } = operator? {
                self.referred.push(function_index);
            }
        }
        Ok(())
    }

    /// Returns of each function whether a call can come to it.
    fn live(&self) -> Result<Vec<bool>> {
        let mut live = vec![false; self.bodies.len()];
        let (mut next, mut indirect) = (self.entries.clone(), false);
        while let Some(function) = next.pop() {
            let index = usize::try_from(function).unwrap_or(usize::MAX);
            let Some(index) = index.checked_sub(self.imported) else { continue };
            let found = self.bodies.get(index).zip(live.get_mut(index));
            let Some((body, live)) = found.filter(|(_, live)| !**live) else { continue };
            *live = true;
            for operator in body.get_operators_reader()? {
                match operator? {
                    Operator::Call { function_index }
                    | Operator::ReturnCall { function_index }
                    | Operator::RefFunc { function_index } => next.push(function_index),
                    Operator::CallIndirect { .. } | Operator::ReturnCallIndirect { .. }
                        if !indirect =>
                    {
                        indirect = true;
                        next.extend(&self.referred);
                    }
                    _ => (),
                }
            }
        }
        Ok(live)
    }

    /// Returns the module with a trap in place of what is not live.
    fn pruned(&self, module: &[u8]) -> Result<Vec<u8>> {
        let mut code = Vec::new();
        write(&mut code, self.bodies.len());
        for (body, live) in self.bodies.iter().zip(self.live()?) {
            let body = if live { body.as_bytes() } else { &TRAP };
            write(&mut code, body.len());
            code.extend(body);
        }
        let mut pruned = module.get(..PREAMBLE_BYTES).unwrap_or_default().to_vec();
        for (id, content) in sections(module)? {
            section(&mut pruned, id, if id == CODE { &code } else { content });
        }
        Ok(pruned)
    }
}

fn is_unused(export: &str) -> bool {
    let export = export.strip_prefix(POST_RETURN).unwrap_or(export);
    let function = export.strip_prefix(CONTRACT).and_then(|export| export.split_once('#'));
    function.is_some_and(|(_, function)| UNUSED.contains(&function))
}

/// Splits a module or a component into its sections.
fn sections(wasm: &[u8]) -> Result<Vec<(u8, &[u8])>> {
    let content = wasm.get(PREAMBLE_BYTES..).unwrap_or_default();
    let (mut reader, mut sections) = (BinaryReader::new(content, PREAMBLE_BYTES), Vec::new());
    while !reader.eof() {
        let id = reader.read_u8()?;
        let bytes = usize::try_from(reader.read_var_u32()?).unwrap_or(usize::MAX);
        sections.push((id, reader.read_bytes(bytes)?));
    }
    Ok(sections)
}

fn section(wasm: &mut Vec<u8>, id: u8, content: &[u8]) {
    wasm.push(id);
    write(wasm, content.len());
    wasm.extend(content);
}
