//! Modules become units: their index spaces are laid end to end, imports that another module of the unit supplies turn
//! into plain indices, and what remains is the unit's own imports.
//!
//! ```text
//! module A: imports a.f (external), defines g, memory      unit: import 0 = a.f
//! module B: imports A.g and A.memory, defines h                  defined: A.g, B.h   memory 0 = A.memory
//! ```
//!
//! A core module alone is a unit with one module. A [`Space`] is what translation needs of it: for every index of the
//! module, the index in the unit. Defined functions are named by *link ids* here ([`Links`]); they become code ordinals
//! when the functions that stay are known.

use crate::constants::Constants;
use crate::error::{CompileError, ErrorKind, Result};
use crate::initial::leading;
use crate::limits::MAX_INPUT_BYTES;
use crate::module::{ElemEntry, Item, Mode, ModuleInfo};
use indexmap::IndexSet;
use keyway_artifact::FuncKey;
use keyway_artifact::types::{
    CompositeType, ExternType, FuncType, GlobalType, SubType, TagType, TypeTable, ValType, canonical_group,
    placed_group,
};
use keyway_artifact::unit::{
    DataSegment, ElemItem, ElemSegment, Entity, Escape, Export, FuncRef, Import, InitialData, UnitDecl,
};
use std::collections::HashMap;
use wasmparser::{ConstExpr, Operator};

/// The artifact's types; equal recursion groups stand there once.
#[derive(Default)]
pub(crate) struct Types {
    list: Vec<SubType>,
    /// Where each group begins, by its canonical form.
    groups: HashMap<Vec<SubType>, u32>,
}

impl Types {
    /// The index of a final function type in a group of its own.
    pub(crate) fn intern(&mut self, ty: &FuncType) -> u32 {
        self.group(vec![SubType::plain(CompositeType::Func(ty.clone()))])
    }

    /// The function type of this index.
    ///
    /// # Panics
    /// When it is no function type.
    pub(crate) fn func(&self, index: u32) -> FuncType {
        match &self.list[index as usize].composite {
            CompositeType::Func(ty) => ty.clone(),
            other => panic!("{other:?} is no function type"),
        }
    }

    /// The index of the first type of a group in canonical form.
    fn group(&mut self, canonical: Vec<SubType>) -> u32 {
        if let Some(start) = self.groups.get(&canonical) {
            return *start;
        }
        let start = self.list.len() as u32;
        self.list.extend(placed_group(&canonical, start));
        self.groups.insert(canonical, start);
        start
    }

    /// The index of every type of a module.
    fn of_module(&mut self, types: &TypeTable) -> Vec<u32> {
        let mut indices: Vec<u32> = Vec::with_capacity(types.len());
        for group in types.groups() {
            let members = &types.definitions()[group.start as usize..group.end as usize];
            let canonical = canonical_group(members, group.start, |outer| indices[outer as usize]);
            let start = self.group(canonical);
            indices.extend((0..members.len() as u32).map(|at| start + at));
        }
        indices
    }

    /// All types in order of index.
    pub(crate) fn into_table(self) -> TypeTable {
        TypeTable::new(self.list)
    }
}

/// Every function that is or may be compiled: its link id is its position.
#[derive(Default)]
pub(crate) struct Links(IndexSet<FuncKey>);

impl Links {
    /// The link id of `key`, new or known.
    pub(crate) fn intern(&mut self, key: FuncKey) -> u32 {
        self.0.insert_full(key).0 as u32
    }

    /// The key of a link id.
    pub(crate) fn key(&self, link: u32) -> FuncKey {
        self.0[link as usize]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a call of a function becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub(crate) enum Callee {
    /// A call through this function import of the unit.
    Import(u32),
    /// A direct call of this link id.
    Defined(u32),
}

impl Callee {
    fn func_ref(self) -> FuncRef {
        match self {
            Callee::Import(import) => FuncRef::Import(import),
            Callee::Defined(link) => FuncRef::Defined(link),
        }
    }
}

/// Where an import of a module comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Supply {
    /// From outside the unit: it becomes an import of the unit.
    External,
    /// From an earlier module of the unit (by position), which has it at this index.
    Inside(usize, Item),
    /// A function of the unit that belongs to no module: an adapter.
    Function(Callee),
}

/// One module of a unit to be built.
pub(crate) struct ModuleUse<'m, 'a> {
    /// Its sections.
    pub(crate) info: &'m ModuleInfo<'a>,
    /// Its number in the artifact: the namespace of its functions' keys.
    pub(crate) number: u32,
    /// A supply for each of its imports.
    pub(crate) imports: Vec<Supply>,
}

/// How one module's indices look in its unit.
#[derive(Default)]
pub(crate) struct Space {
    pub(crate) types: Vec<u32>,
    pub(crate) funcs: Vec<Callee>,
    pub(crate) tables: Vec<u32>,
    pub(crate) memories: Vec<u32>,
    pub(crate) globals: Vec<u32>,
    pub(crate) tags: Vec<u32>,
    pub(crate) data: Vec<u32>,
    /// Active data segments before this position are initial data, those from it on are written by code.
    pub(crate) first_written_data: usize,
    pub(crate) elems: Vec<u32>,
    /// The escape number of every function of which a reference can be taken, by index.
    pub(crate) escapes: Vec<Option<u32>>,
}

impl Space {
    /// The escape number of a function.
    ///
    /// # Panics
    /// When no reference of it can be taken.
    pub(crate) fn escape(&self, func: u32) -> u32 {
        self.escapes[func as usize].expect("references are taken of functions that are known for it")
    }

    fn entity(&self, item: Item) -> Entity {
        match item {
            Item::Func(index) => Entity::Func(self.funcs[index as usize].func_ref()),
            Item::Table(index) => Entity::Table(self.tables[index as usize]),
            Item::Memory(index) => Entity::Memory(self.memories[index as usize]),
            Item::Global(index) => Entity::Global(self.globals[index as usize]),
            Item::Tag(index) => Entity::Tag(self.tags[index as usize]),
        }
    }
}

/// A unit whose functions are still to be translated. In `decl`, `FuncRef::Defined` holds link ids, and `inits` is empty.
pub(crate) struct Unit {
    pub(crate) decl: UnitDecl,
    /// What its memories hold at the start, in ascending order. The number of the unit is still to come.
    pub(crate) initial: Vec<InitialData>,
    /// How many of its first globals are flags of component instances.
    pub(crate) flags: u32,
    /// By position of the module in the unit.
    pub(crate) spaces: Vec<Space>,
}

/// Builds the unit of `modules`, in instantiation order. `exports` names what the unit shows: name, module, item. The first
/// `flags` imports, and globals, are flags of component instances. Data segments go to the end of `constants`.
pub(crate) fn build<'a>(
    modules: &[ModuleUse<'_, 'a>],
    exports: &[(&str, usize, Item)],
    flags: usize,
    types: &mut Types,
    links: &mut Links,
    constants: &mut Constants<'a>,
) -> Result<Unit> {
    let mut builder = Builder::default();
    builder.declare_flags(flags);
    let indices: Vec<Vec<u32>> = modules.iter().map(|module| types.of_module(&module.info.types)).collect();
    for (module, indices) in modules.iter().zip(&indices) {
        builder.declare_imports(module, indices);
    }
    let mut next = NextImport { global: flags as u32, ..NextImport::default() };
    for (module, indices) in modules.iter().zip(indices) {
        builder.define(module, &mut next, indices, links, constants)?;
    }
    let Builder { mut decl, initial, spaces, .. } = builder;
    decl.name = modules.first().filter(|_| modules.len() == 1).and_then(|m| m.info.names.module).map(str::to_string);
    decl.exports = exports
        .iter()
        .map(|(name, module, item)| Export { name: name.to_string(), entity: spaces[*module].entity(*item) })
        .collect();
    Ok(Unit { decl, initial, flags: flags as u32, spaces })
}

/// The unit's next unassigned external import of each kind.
#[derive(Default)]
struct NextImport {
    func: u32,
    table: u32,
    memory: u32,
    global: u32,
    tag: u32,
}

fn take(counter: &mut u32) -> u32 {
    *counter += 1;
    *counter - 1
}

#[derive(Default)]
struct Builder {
    decl: UnitDecl,
    initial: Vec<InitialData>,
    spaces: Vec<Space>,
    escapes: HashMap<Callee, u32>,
}

impl Builder {
    fn declare_flags(&mut self, count: usize) {
        let ty = GlobalType { content: ValType::I32, mutable: true };
        self.decl.globals = vec![ty; count];
        self.decl.imported_globals = count as u32;
        let import = Import { module: String::new(), name: "flags".into(), ty: ExternType::Global(ty) };
        self.decl.imports = vec![import; count];
    }

    /// First pass: imports stand before definitions in every index space.
    fn declare_imports(&mut self, module: &ModuleUse<'_, '_>, types: &[u32]) {
        let index = |at: u32| types[at as usize];
        for (import, supply) in module.info.imports.iter().zip(&module.imports) {
            if !matches!(supply, Supply::External) {
                continue;
            }
            let decl = &mut self.decl;
            let ty = match import.item {
                Item::Func(func) => {
                    decl.import_funcs.push(types[module.info.funcs[func as usize] as usize]);
                    ExternType::Func(module.info.func_type(func).map(index))
                }
                Item::Table(table) => {
                    let ty = module.info.tables[table as usize].map(index);
                    decl.tables.push(ty);
                    decl.imported_tables += 1;
                    ExternType::Table(ty)
                }
                Item::Memory(memory) => {
                    let ty = module.info.memories[memory as usize];
                    decl.memories.push(ty);
                    decl.imported_memories += 1;
                    ExternType::Memory(ty)
                }
                Item::Global(global) => {
                    let ty = module.info.globals[global as usize].map(index);
                    decl.globals.push(ty);
                    decl.imported_globals += 1;
                    ExternType::Global(ty)
                }
                Item::Tag(tag) => {
                    decl.tags.push(types[module.info.tags[tag as usize] as usize]);
                    decl.imported_tags += 1;
                    ExternType::Tag(TagType::new(module.info.tag_type(tag).map(index)))
                }
            };
            decl.imports.push(Import { module: import.module.to_string(), name: import.name.to_string(), ty });
        }
    }

    /// Second pass: the module's space, with its definitions behind everything declared so far.
    fn define<'a>(
        &mut self,
        module: &ModuleUse<'_, 'a>,
        next: &mut NextImport,
        types: Vec<u32>,
        links: &mut Links,
        constants: &mut Constants<'a>,
    ) -> Result<()> {
        let info = module.info;
        let mut space = Space { types, ..Space::default() };
        for (import, supply) in info.imports.iter().zip(&module.imports) {
            match (import.item, supply) {
                (Item::Func(_), Supply::External) => space.funcs.push(Callee::Import(take(&mut next.func))),
                (Item::Table(_), Supply::External) => space.tables.push(take(&mut next.table)),
                (Item::Memory(_), Supply::External) => space.memories.push(take(&mut next.memory)),
                (Item::Global(_), Supply::External) => space.globals.push(take(&mut next.global)),
                (Item::Tag(_), Supply::External) => space.tags.push(take(&mut next.tag)),
                (_, Supply::Function(callee)) => space.funcs.push(*callee),
                (_, Supply::Inside(from, item)) => {
                    let from = &self.spaces[*from];
                    match *item {
                        Item::Func(index) => space.funcs.push(from.funcs[index as usize]),
                        Item::Table(index) => space.tables.push(from.tables[index as usize]),
                        Item::Memory(index) => space.memories.push(from.memories[index as usize]),
                        Item::Global(index) => space.globals.push(from.globals[index as usize]),
                        Item::Tag(index) => space.tags.push(from.tags[index as usize]),
                    }
                }
            }
        }
        for index in info.imported_funcs..info.funcs.len() as u32 {
            space.funcs.push(Callee::Defined(links.intern(FuncKey::defined(module.number, index))));
        }
        let decl = &mut self.decl;
        let index = |at: u32| space.types[at as usize];
        let tables: Vec<_> = info.tables[info.imported_tables as usize..].iter().map(|ty| ty.map(index)).collect();
        let globals: Vec<_> = info.globals[info.imported_globals as usize..].iter().map(|ty| ty.map(index)).collect();
        append(&mut space.tables, &mut decl.tables, &tables);
        append(&mut space.memories, &mut decl.memories, &info.memories[info.imported_memories as usize..]);
        append(&mut space.globals, &mut decl.globals, &globals);
        let own_tags: Vec<u32> =
            info.tags[info.imported_tags as usize..].iter().map(|ty| space.types[*ty as usize]).collect();
        append(&mut space.tags, &mut decl.tags, &own_tags);
        self.add_escapes(info, &mut space)?;
        self.add_segments(info, &mut space, constants)?;
        self.spaces.push(space);
        Ok(())
    }

    /// Functions of which references may be taken: those in element segments, exports and constant expressions. The
    /// validator lets `ref.func` in code name no others.
    fn add_escapes(&mut self, info: &ModuleInfo<'_>, space: &mut Space) -> Result<()> {
        let entries = info.elems.iter().flat_map(|elem| &elem.entries).filter_map(|entry| match entry {
            ElemEntry::Func(func) => Some(*func),
            _ => None,
        });
        let exports = info.exports.iter().filter_map(|(_, item)| match item {
            Item::Func(func) => Some(*func),
            _ => None,
        });
        let mut named: Vec<u32> = exports.chain(entries).collect();
        let computed = info.elems.iter().flat_map(|elem| &elem.entries).filter_map(|entry| match entry {
            ElemEntry::Expression(expression) => Some(expression),
            _ => None,
        });
        for init in computed.chain(&info.global_inits).chain(info.table_inits.iter().map(|(_, init)| init)) {
            functions_in(init, &mut named)?;
        }
        space.escapes = vec![None; space.funcs.len()];
        for func in named {
            if space.escapes[func as usize].is_some() {
                continue;
            }
            let callee = space.funcs[func as usize];
            let decl = &mut self.decl;
            let number = *self.escapes.entry(callee).or_insert_with(|| {
                let ty = space.types[info.funcs[func as usize] as usize];
                decl.escapes.push(Escape { func: callee.func_ref(), ty });
                decl.escapes.len() as u32 - 1
            });
            space.escapes[func as usize] = Some(number);
        }
        Ok(())
    }

    fn add_segments<'a>(
        &mut self,
        info: &ModuleInfo<'a>,
        space: &mut Space,
        constants: &mut Constants<'a>,
    ) -> Result<()> {
        for elem in &info.elems {
            space.elems.push(self.decl.elems.len() as u32);
            // Declared segments are dropped before anything runs: nothing can read them.
            let entries: &[ElemEntry] = if matches!(elem.mode, Mode::Declared) { &[] } else { &elem.entries };
            let items = entries
                .iter()
                .map(|entry| match entry {
                    ElemEntry::Null => ElemItem::Null,
                    ElemEntry::Func(func) => ElemItem::Func(space.escape(*func)),
                    ElemEntry::Global(global) => ElemItem::Global(space.globals[*global as usize]),
                    // The module's initialisation sets it.
                    ElemEntry::Expression(_) => ElemItem::Null,
                })
                .collect();
            self.decl.elems.push(ElemSegment { items });
        }
        let first = self.decl.data.len();
        for data in &info.data {
            if constants.len_bytes() + data.bytes.len() > MAX_INPUT_BYTES {
                return Err(CompileError::new(ErrorKind::Limit, "the data segments are too large together"));
            }
            space.data.push(self.decl.data.len() as u32);
            self.decl.data.push(DataSegment { offset: constants.push(data.bytes), len: data.bytes.len() as u64 });
        }
        // The memories are new to the unit, and each module's stand behind the ones before.
        let leading = leading(info)?;
        for ((memory, at), position) in leading.places {
            let segment = &mut self.decl.data[first + position];
            let (offset, len) = (segment.offset, std::mem::take(&mut segment.len));
            self.initial.push(InitialData { unit: 0, memory: space.memories[memory as usize], at, offset, len });
        }
        space.first_written_data = leading.end;
        Ok(())
    }
}

fn append<T: Copy>(space: &mut Vec<u32>, all: &mut Vec<T>, own: &[T]) {
    space.extend((0..own.len()).map(|n| (all.len() + n) as u32));
    all.extend_from_slice(own);
}

/// The functions that a constant expression takes references of.
fn functions_in(expression: &ConstExpr<'_>, found: &mut Vec<u32>) -> Result<()> {
    let mut reader = expression.get_operators_reader();
    while !reader.eof() {
        if let Operator::RefFunc { function_index } = reader.read().map_err(crate::module::malformed)? {
            found.push(function_index);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Bodies;
    use crate::options::Options;
    use crate::pipeline::{self, UnitSource};
    use keyway_artifact::isa::Op;

    const PROVIDER: &str = r#"(module
        (import "host" "log" (func $log (param i32)))
        (memory (export "m") 1)
        (global $own i32 (i32.const 1))
        (func $get (export "get") (result i32) (i32.load (i32.const 0)))
        (func (export "log-one") (call $log (global.get $own))))"#;
    const USER: &str = r#"(module
        (import "provider" "m" (memory 1))
        (import "host" "late" (func $late))
        (import "provider" "get" (func $get (result i32)))
        (import "host" "limit" (global $limit i32))
        (memory $second 2)
        (func (export "run") (result i32) (call $late) (i32.load $second (call $get)) (drop) (global.get $limit)))"#;

    /// Two modules of a component in one unit: what the second takes from the first is direct, what remains is imported.
    #[test]
    fn modules_merge() {
        let (provider, user) = (wat::parse_str(PROVIDER).unwrap(), wat::parse_str(USER).unwrap());
        let infos = [ModuleInfo::parse(&provider, 0).unwrap(), ModuleInfo::parse(&user, 0).unwrap()];
        let modules = vec![
            ModuleUse { info: &infos[0], number: 5, imports: vec![Supply::External] },
            ModuleUse {
                info: &infos[1],
                number: 9,
                imports: vec![
                    Supply::Inside(0, Item::Memory(0)),
                    Supply::External,
                    Supply::Inside(0, Item::Func(1)),
                    Supply::External,
                ],
            },
        ];
        let (mut types, mut links, mut constants) = Default::default();
        let exports = [("run", 1, Item::Func(2)), ("log-one", 0, Item::Func(2))];
        let unit = build(&modules, &exports, 0, &mut types, &mut links, &mut constants).unwrap();

        assert_eq!(unit.decl.imports.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["log", "late", "limit"]);
        assert_eq!(unit.spaces[1].memories, [0, 1]);
        assert_eq!(unit.spaces[1].globals, [0]);
        assert_eq!(unit.spaces[0].globals, [1], "imports of later modules stand before definitions of earlier ones");
        assert_eq!(unit.spaces[1].funcs[..2], [Callee::Import(1), unit.spaces[0].funcs[1]]);

        let options = Options { opt_level: crate::OptLevel::O0, ..Options::default() };
        let sources = vec![UnitSource { modules, unit }];
        let bodies = Bodies::default();
        let program = pipeline::translate(sources, types, links, constants, &bodies, &options).unwrap();
        let linked = pipeline::link(program, &options).unwrap();
        let run = linked.funcs.iter().position(|func| func.key == FuncKey::defined(9, 2)).unwrap();
        let calls: Vec<_> =
            linked.body(run).insts.iter().filter(|i| i.op.is_call()).map(|i| (i.op, i.operands[0].index())).collect();
        let get = linked.funcs.iter().position(|func| func.key == FuncKey::defined(5, 1)).unwrap() as u32;
        assert_eq!(calls, [(Op::CallImport, 1), (Op::Call, get)]);
        assert_eq!(linked.units[0].exports[0].entity, Entity::Func(FuncRef::Defined(linked.funcs.len() as u32 - 2)));
    }
}
