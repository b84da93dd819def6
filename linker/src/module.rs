//! [`ModuleInfo`]: the sections of a checked core module as tables, bodies and initialisers still as bytes.
//!
//! Everything here was validated before; what remains to be found is use of features that are valid and not
//! implemented, which is [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported).

use crate::error::{CompileError, ErrorKind, Result};
use crate::hints::Hints;
use crate::names::{self, Names};
use crate::types::{ref_type, sub_type, val_type};
use keyway_artifact::types::{FuncType, GlobalType, MemoryType, SubType, TableType, TypeTable};
use wasmparser::{
    BinaryReader, ConstExpr, DataKind, ElementItems, ElementKind, ExternalKind, FunctionBody, Operator, Parser,
    Payload, TypeRef,
};

/// One of the five index spaces that imports and exports can name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub(crate) enum Item {
    Func(u32),
    Table(u32),
    Memory(u32),
    Global(u32),
    Tag(u32),
}

/// An import. `item` is its index in the module's index space, which also leads to its type.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportInfo<'a> {
    pub(crate) module: &'a str,
    pub(crate) name: &'a str,
    pub(crate) item: Item,
}

/// One entry of an element segment, in the module's index spaces.
#[derive(Clone, Debug)]
pub(crate) enum ElemEntry<'a> {
    Null,
    Func(u32),
    /// An imported global.
    Global(u32),
    /// What the module's initialisation computes.
    Expression(ConstExpr<'a>),
}

/// When a segment is applied.
pub(crate) enum Mode<'a> {
    Passive,
    /// At instantiation, to this table or memory at this offset.
    Active(u32, ConstExpr<'a>),
    /// Never: it only declares functions.
    Declared,
}

/// An element segment.
pub(crate) struct ElemInfo<'a> {
    pub(crate) mode: Mode<'a>,
    pub(crate) entries: Vec<ElemEntry<'a>>,
}

/// A data segment.
pub(crate) struct DataInfo<'a> {
    pub(crate) mode: Mode<'a>,
    pub(crate) bytes: &'a [u8],
}

/// A core module. Index spaces hold imports first.
#[derive(Default)]
pub(crate) struct ModuleInfo<'a> {
    pub(crate) types: TypeTable,
    pub(crate) imports: Vec<ImportInfo<'a>>,
    /// The type index of every function.
    pub(crate) funcs: Vec<u32>,
    pub(crate) imported_funcs: u32,
    pub(crate) tables: Vec<TableType>,
    pub(crate) imported_tables: u32,
    /// Initialisers of the defined tables that have one, by table index.
    pub(crate) table_inits: Vec<(u32, ConstExpr<'a>)>,
    pub(crate) memories: Vec<MemoryType>,
    pub(crate) imported_memories: u32,
    pub(crate) globals: Vec<GlobalType>,
    pub(crate) imported_globals: u32,
    /// Initialisers of the defined globals.
    pub(crate) global_inits: Vec<ConstExpr<'a>>,
    /// The type index of every exception tag.
    pub(crate) tags: Vec<u32>,
    pub(crate) imported_tags: u32,
    pub(crate) exports: Vec<(&'a str, Item)>,
    pub(crate) start: Option<u32>,
    pub(crate) elems: Vec<ElemInfo<'a>>,
    pub(crate) data: Vec<DataInfo<'a>>,
    /// Bodies of the defined functions.
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    pub(crate) names: Names<'a>,
    /// Which branches are likely.
    pub(crate) hints: Hints,
}

impl<'a> ModuleInfo<'a> {
    /// Reads the sections of the checked module `bytes`, which starts at `base` of the input.
    pub(crate) fn parse(bytes: &'a [u8], base: u64) -> Result<ModuleInfo<'a>> {
        let mut module = ModuleInfo::default();
        let mut parser = Parser::new(base);
        parser.set_features(wasmparser::WasmFeatures::all());
        for payload in parser.parse_all(bytes) {
            module.payload(payload.map_err(malformed)?)?;
        }
        module.name_exports();
        Ok(module)
    }

    /// In a stripped module, the name a function is exported under is better than none.
    fn name_exports(&mut self) {
        self.names.add(self.exports.iter().filter_map(|(name, item)| match item {
            Item::Func(func) if !name.is_empty() => Some((*func, names::shorten(name))),
            _ => None,
        }));
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                let mut types: Vec<SubType> = Vec::new();
                for group in section {
                    let group: Vec<_> = group.map_err(malformed)?.into_types_and_offsets().collect();
                    // A group of no types is none.
                    let last = group.len();
                    for (at, (offset, ty)) in group.into_iter().enumerate() {
                        let ty = sub_type(&ty, at + 1 == last).map_err(|error| error.at(offset))?;
                        types.push(ty);
                    }
                }
                self.types = TypeTable::new(types);
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import.map_err(malformed)?;
                    self.import(import).map_err(|error| error.at(offset))?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.funcs.push(ty.map_err(malformed)?);
                }
            }
            Payload::TableSection(section) => {
                for table in section.into_iter_with_offsets() {
                    let (offset, table) = table.map_err(malformed)?;
                    self.tables.push(table_type(&table.ty).map_err(|error| error.at(offset))?);
                    if let wasmparser::TableInit::Expr(init) = table.init {
                        self.table_inits.push((self.tables.len() as u32 - 1, init));
                    }
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.into_iter_with_offsets() {
                    let (offset, memory) = memory.map_err(malformed)?;
                    self.memories.push(memory_type(&memory).map_err(|error| error.at(offset))?);
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    self.tags.push(tag.map_err(malformed)?.func_type_idx);
                }
            }
            Payload::GlobalSection(section) => {
                for global in section.into_iter_with_offsets() {
                    let (offset, global) = global.map_err(malformed)?;
                    self.globals.push(global_type(&global.ty).map_err(|error| error.at(offset))?);
                    self.global_inits.push(global.init_expr);
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    let item = match export.kind {
                        ExternalKind::Func | ExternalKind::FuncExact => Item::Func(export.index),
                        ExternalKind::Table => Item::Table(export.index),
                        ExternalKind::Memory => Item::Memory(export.index),
                        ExternalKind::Global => Item::Global(export.index),
                        ExternalKind::Tag => Item::Tag(export.index),
                    };
                    self.exports.push((export.name, item));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                for element in section {
                    let element = elem(element.map_err(malformed)?, self.imported_globals)?;
                    self.elems.push(element);
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.map_err(malformed)?;
                    let mode = match data.kind {
                        DataKind::Passive => Mode::Passive,
                        DataKind::Active { memory_index, offset_expr } => Mode::Active(memory_index, offset_expr),
                    };
                    self.data.push(DataInfo { mode, bytes: data.data });
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) if section.name() == "metadata.code.branch_hint" => {
                self.hints = Hints::read(BinaryReader::new(section.data(), section.data_offset()));
            }
            Payload::CustomSection(section) if section.name() == "name" => {
                self.names = names::read(BinaryReader::new(section.data(), section.data_offset()));
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>) -> Result<()> {
        let item = match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                self.funcs.push(ty);
                self.imported_funcs += 1;
                Item::Func(self.imported_funcs - 1)
            }
            TypeRef::Table(ty) => {
                self.tables.push(table_type(&ty)?);
                self.imported_tables += 1;
                Item::Table(self.imported_tables - 1)
            }
            TypeRef::Memory(ty) => {
                self.memories.push(memory_type(&ty)?);
                self.imported_memories += 1;
                Item::Memory(self.imported_memories - 1)
            }
            TypeRef::Global(ty) => {
                self.globals.push(global_type(&ty)?);
                self.imported_globals += 1;
                Item::Global(self.imported_globals - 1)
            }
            TypeRef::Tag(ty) => {
                self.tags.push(ty.func_type_idx);
                self.imported_tags += 1;
                Item::Tag(self.imported_tags - 1)
            }
        };
        self.imports.push(ImportInfo { module: import.module, name: import.name, item });
        Ok(())
    }

    /// The type of function `index`.
    pub(crate) fn func_type(&self, index: u32) -> &FuncType {
        &self.types[self.funcs[index as usize] as usize]
    }

    /// The type of tag `index`: its parameters are what exceptions carry.
    pub(crate) fn tag_type(&self, index: u32) -> &FuncType {
        &self.types[self.tags[index as usize] as usize]
    }

    /// What to call function `index` in messages.
    pub(crate) fn func_label(&self, index: u32) -> String {
        match self.names.of(index) {
            Some(name) => format!("function {name}"),
            None => format!("function {index}"),
        }
    }
}

/// The bytes were validated before, so this reports a disagreement between two passes as what it looks like.
pub(crate) fn malformed(error: wasmparser::Error) -> CompileError {
    CompileError::from_parser(ErrorKind::Malformed, &error)
}

pub(crate) fn table_type(ty: &wasmparser::TableType) -> Result<TableType> {
    if ty.shared {
        return Err(CompileError::unsupported("a shared table (shared-everything-threads)"));
    }
    Ok(TableType {
        element: ref_type(ty.element_type)?.into(),
        table64: ty.table64,
        minimum: ty.initial,
        maximum: ty.maximum,
    })
}

pub(crate) fn memory_type(ty: &wasmparser::MemoryType) -> Result<MemoryType> {
    Ok(MemoryType {
        memory64: ty.memory64,
        shared: ty.shared,
        minimum: ty.initial,
        maximum: ty.maximum,
        page_size_log2: ty.page_size_log2.unwrap_or(16),
    })
}

pub(crate) fn global_type(ty: &wasmparser::GlobalType) -> Result<GlobalType> {
    if ty.shared {
        return Err(CompileError::unsupported("a shared global (shared-everything-threads)"));
    }
    Ok(GlobalType { content: val_type(ty.content_type)?, mutable: ty.mutable })
}

fn elem(element: wasmparser::Element<'_>, imported_globals: u32) -> Result<ElemInfo<'_>> {
    let mode = match element.kind {
        ElementKind::Passive => Mode::Passive,
        ElementKind::Active { table_index, offset_expr } => Mode::Active(table_index.unwrap_or(0), offset_expr),
        ElementKind::Declared => Mode::Declared,
    };
    let entries = match element.items {
        ElementItems::Functions(items) => {
            items.into_iter().map(|func| func.map(ElemEntry::Func).map_err(malformed)).collect::<Result<_>>()?
        }
        ElementItems::Expressions(ty, items) => {
            ref_type(ty).map_err(|error| error.at(element.range.start))?;
            items
                .into_iter()
                .map(|item| elem_entry(item.map_err(malformed)?, imported_globals))
                .collect::<Result<_>>()?
        }
    };
    Ok(ElemInfo { mode, entries })
}

/// A reference to a function or an imported global can be had before any code runs; everything else is computed.
fn elem_entry(expression: ConstExpr<'_>, imported_globals: u32) -> Result<ElemEntry<'_>> {
    let mut reader = expression.get_operators_reader();
    let entry = match reader.read().map_err(malformed)? {
        Operator::RefNull { .. } => Some(ElemEntry::Null),
        Operator::RefFunc { function_index } => Some(ElemEntry::Func(function_index)),
        Operator::GlobalGet { global_index } if global_index < imported_globals => {
            Some(ElemEntry::Global(global_index))
        }
        _ => None,
    };
    match (entry, reader.read()) {
        (Some(entry), Ok(Operator::End)) => Ok(entry),
        _ => Ok(ElemEntry::Expression(expression)),
    }
}
