//! What a module may have only so much of: the largest counts, what each is called, and how to get below it.
//!
//! The compiler's work and an instance's size grow with each of these, some of them faster than the module itself. What
//! the SDK builds stays far below all of them.

use super::engine::TABLE_ELEMENTS_MAX;

/// Something that is counted, or measured in bytes, before a module is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Functions with a body.
    Functions,
    /// The bytes of one function: compiling takes more than linear time in it.
    FunctionBytes,
    /// The local variables of one function.
    Locals,
    /// Types, the components' and the core modules' together.
    Types,
    /// Global variables.
    Globals,
    /// Pieces of initial memory.
    DataSegments,
    /// Pieces of initial tables.
    ElementSegments,
    /// Linear memories.
    Memories,
    /// Tables of functions.
    Tables,
    /// The functions that one table begins with.
    TableElements,
    /// Core modules.
    Modules,
    /// Instances of core modules.
    Instances,
    /// Components within the component.
    Components,
    /// How deep components lie in each other.
    Depth,
    /// What the component exports.
    Exports,
}

impl Excess {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Functions,
        Self::FunctionBytes,
        Self::Locals,
        Self::Types,
        Self::Globals,
        Self::DataSegments,
        Self::ElementSegments,
        Self::Memories,
        Self::Tables,
        Self::TableElements,
        Self::Modules,
        Self::Instances,
        Self::Components,
        Self::Depth,
        Self::Exports,
    ];

    /// Returns the most that a module may have.
    pub const fn max(self) -> usize {
        match self {
            Self::Functions => 20_000,
            Self::FunctionBytes => 512 * 1024,
            Self::Locals | Self::Types | Self::DataSegments => 10_000,
            Self::Globals | Self::ElementSegments => 1_000,
            // One instance has one place for a memory, and two for tables.
            Self::Memories => 1,
            Self::Tables => 2,
            Self::TableElements => TABLE_ELEMENTS_MAX,
            Self::Modules | Self::Instances => 4,
            Self::Components => 16,
            Self::Depth => 8,
            Self::Exports => 100,
        }
    }

    /// Returns the word for answers and metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::FunctionBytes => "function-too-large",
            Self::Locals => "locals",
            Self::Types => "types",
            Self::Globals => "globals",
            Self::DataSegments => "data-segments",
            Self::ElementSegments => "element-segments",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::TableElements => "table",
            Self::Modules => "core-modules",
            Self::Instances => "instances",
            Self::Components => "components",
            Self::Depth => "depth",
            Self::Exports => "exports",
        }
    }

    /// Returns the beginning of a sentence that goes on with the number that was found.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::FunctionBytes | Self::Locals => "one function has",
            Self::TableElements => "a table begins with",
            Self::Depth => "the module has components in each other,",
            Self::Functions
            | Self::Types
            | Self::Globals
            | Self::DataSegments
            | Self::ElementSegments
            | Self::Memories
            | Self::Tables
            | Self::Modules
            | Self::Instances
            | Self::Components
            | Self::Exports => "the module has",
        }
    }

    /// Returns what the number counts.
    pub(super) const fn unit(self) -> &'static str {
        match self {
            Self::Functions => "functions",
            Self::FunctionBytes => "bytes",
            Self::Locals => "local variables",
            Self::Types => "types",
            Self::Globals => "globals",
            Self::DataSegments => "data segments",
            Self::ElementSegments => "element segments",
            Self::Memories => "memories",
            Self::Tables => "tables",
            Self::TableElements => "elements",
            Self::Modules => "core modules",
            Self::Instances => "instances of core modules",
            Self::Components => "components within it",
            Self::Depth => "levels deep",
            Self::Exports => "exports",
        }
    }

    /// Returns how to get below the limit.
    pub(super) const fn advice(self) -> &'static str {
        match self {
            Self::Functions => "leave out dependencies, and build with link-time optimisation",
            Self::FunctionBytes => "make a long `match` or generated code a table",
            Self::Locals => {
                "split the function, and put large arrays of values into a `static` or a `Vec`"
            }
            Self::Types => "leave out dependencies, or generate less code",
            Self::Globals => "keep state in memory rather than in WebAssembly globals",
            Self::DataSegments => "let the linker merge them, which it does with `--gc-sections`",
            Self::ElementSegments => "let the linker make one table of all functions",
            Self::Memories | Self::Modules | Self::Instances => {
                "link everything into one core module before it is made a component"
            }
            Self::Tables => "let the linker make one table of all functions",
            Self::TableElements => {
                "use fewer functions through pointers: trait objects, closures, tables of functions"
            }
            Self::Components | Self::Depth => {
                "do not compose components: link the code into one module instead"
            }
            Self::Exports => "export the one interface of the contract, and nothing else",
        }
    }
}
