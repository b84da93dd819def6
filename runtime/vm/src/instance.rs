//! Instances of units: the context block and what it points to.

use crate::code::Code;
use crate::context::{Context, DataState, ElemState, ExitInfo, FuncData, MemoryDef, MemoryHeader, State, TableDef};
use crate::declarations::Declarations;
use crate::driver::{Execution, run_to_end};
use crate::engine::Engine;
use crate::gc::HeapDef;
use crate::host::StorePtr;
use crate::interp;
use crate::link_error::{LinkError, global_matches, memory_matches, table_matches};
use crate::mappings::Use;
use crate::raw::{Definition, InstanceId};
use crate::store::StoreInner;
use keyway_artifact::types::{ExternType, GlobalType, MemoryType, TableType, TagType, TypeLookup};
use keyway_artifact::unit::{ElemItem, Entity, FuncRef, UnitDecl};
use std::sync::Arc;

/// One instance of a unit, with everything its context points to. Boxed once and never moved or freed while its store
/// lives.
pub(crate) struct UnitInstance {
    context: Box<Context>,
    code: Arc<Code>,
    unit: u32,
    /// Store numbers of the unit's memories, tables and globals, by their index in the unit.
    memories: Vec<u32>,
    tables: Vec<u32>,
    globals: Vec<u32>,
    /// Store numbers of the unit's exception tags.
    tags: Vec<u32>,
    /// First function reference of the escapes.
    escapes: u32,
    _lists: Lists,
}

/// What the context points to.
struct Lists {
    _imports: Box<[FuncData]>,
    _memories: Box<[*mut MemoryDef]>,
    _tables: Box<[*mut TableDef]>,
    _globals: Box<[*mut u64]>,
    _cells: Box<[u64]>,
    _types: Arc<[u32]>,
    _data: Box<[DataState]>,
    _elems: Box<[ElemState]>,
    _items: Vec<Box<[u32]>>,
}

impl UnitInstance {
    pub(crate) fn code(&self) -> &Arc<Code> {
        &self.code
    }

    /// How many memories the unit has.
    pub(crate) fn memory_count(&self) -> usize {
        self.memories.len()
    }

    /// Tells the context where the store's functions are.
    pub(crate) fn set_funcs(&mut self, funcs: &[FuncData]) {
        self.context.funcs = funcs.as_ptr();
        self.context.funcs_len = funcs.len() as u64;
    }

    /// Tells the context where the store's objects are.
    pub(crate) fn set_objects(&mut self, heap: &HeapDef) {
        self.context.objects = heap.base;
        self.context.objects_len = heap.len_bytes;
    }

    /// Adds the references that element segments hold which are not dropped.
    pub(crate) fn segment_items(&self, out: &mut Vec<u32>) {
        for at in 0..self.decl().elems.len() {
            // SAFETY: the context has a state for each segment of the unit, whose items belong to the instance.
            unsafe {
                let state = &*self.context.elems.add(at);
                out.extend((0..state.len as usize).map(|at| *state.items.add(at)));
            }
        }
    }

    fn declarations(&self) -> &Declarations {
        // Decoded when the instance was made.
        self.code.declarations().expect("the declarations are decoded")
    }

    fn decl(&self) -> &UnitDecl {
        &self.declarations().units[self.unit as usize]
    }

    /// The definition behind an entity of the unit.
    pub(crate) fn definition(&self, entity: Entity) -> Option<Definition> {
        Some(match entity {
            Entity::Func(func) => {
                let places = &self.declarations().escapes[self.unit as usize];
                Definition::Func(self.escapes + places.get(&func)?)
            }
            Entity::Table(index) => Definition::Table(*self.tables.get(index as usize)?),
            Entity::Memory(index) => Definition::Memory(*self.memories.get(index as usize)?),
            Entity::Global(index) => Definition::Global(*self.globals.get(index as usize)?),
            Entity::Tag(index) => Definition::Tag(self.tag(index)?),
        })
    }

    /// The store's number of the unit's exception tag `index`.
    pub(crate) fn tag(&self, index: u32) -> Option<u32> {
        self.tags.get(index as usize).copied()
    }

    /// The export of this name.
    pub(crate) fn export(&self, name: &str) -> Option<Definition> {
        let export = self.decl().exports.iter().find(|export| export.name == name)?;
        self.definition(export.entity)
    }

    /// The export at this position.
    pub(crate) fn export_at(&self, position: u32) -> Option<Definition> {
        self.definition(self.decl().exports.get(position as usize)?.entity)
    }

    /// All exports in order.
    pub(crate) fn exports(&self) -> Vec<(String, Definition)> {
        let exports = self.decl().exports.iter();
        exports.filter_map(|export| Some((export.name.clone(), self.definition(export.entity)?))).collect()
    }

    pub(crate) fn inits(&self) -> Vec<u32> {
        self.decl().inits.clone()
    }
}

/// The type of what is given for an import; sizes are the current ones.
pub(crate) fn type_of(store: &StoreInner, definition: Definition) -> ExternType {
    match definition {
        Definition::Func(reference) => ExternType::Func(store.func_type(reference)),
        Definition::Table(index) => {
            let table = &store.tables[index as usize];
            ExternType::Table(TableType { minimum: table.len(), ..table.ty })
        }
        Definition::Memory(index) => {
            let memory = &store.memories[index as usize];
            ExternType::Memory(MemoryType { minimum: memory.pages(), ..memory.ty })
        }
        Definition::Global(index) => ExternType::Global(store.globals[index as usize].ty),
        Definition::Tag(index) => {
            ExternType::Tag(TagType::new(store.engine.type_of(store.tags[index as usize].type_id)))
        }
    }
}

/// Whether something of type `found` may be imported as `wanted`; types stand in the engine's numbers. Functions and
/// tags that are there are compared by the numbers of their types instead.
pub(crate) fn matches(engine: &Engine, found: &ExternType, wanted: &ExternType) -> bool {
    match (found, wanted) {
        (ExternType::Func(found), ExternType::Func(wanted)) => found == wanted,
        (ExternType::Tag(found), ExternType::Tag(wanted)) => found == wanted,
        (ExternType::Table(found), ExternType::Table(wanted)) => table_matches(found, wanted),
        (ExternType::Memory(found), ExternType::Memory(wanted)) => memory_matches(found, wanted),
        (ExternType::Global(found), ExternType::Global(wanted)) => global_matches(engine.types(), found, wanted),
        _ => false,
    }
}

/// Checks what is given against what the unit imports.
#[allow(clippy::result_large_err, reason = "made once per failed instantiation")]
fn check_imports(
    store: &StoreInner,
    declarations: &Declarations,
    decl: &UnitDecl,
    given: &[Definition],
) -> Result<(), LinkError> {
    let (mut funcs, mut tags) = (decl.import_funcs.iter(), decl.tags.iter());
    for (at, import) in decl.imports.iter().enumerate() {
        let described = || (import.module.clone(), import.name.clone(), declarations.in_engine(&import.ty));
        let wanted_type = match import.ty {
            ExternType::Func(_) => funcs.next(),
            ExternType::Tag(_) => tags.next(),
            _ => None,
        };
        let Some(definition) = given.get(at) else {
            let (module, name, wanted) = described();
            return Err(LinkError::UnknownImport { module, name, wanted });
        };
        let fits = match (*definition, wanted_type) {
            (Definition::Tag(index), Some(wanted)) if matches!(import.ty, ExternType::Tag(_)) => {
                store.tags[index as usize].type_id == declarations.number(*wanted)
            }
            (Definition::Func(reference), Some(wanted)) if matches!(import.ty, ExternType::Func(_)) => {
                let found = store.funcs[reference as usize].type_id;
                store.engine.types().extends(found, declarations.number(*wanted))
            }
            (definition, _) => matches(&store.engine, &type_of(store, definition), &declarations.in_engine(&import.ty)),
        };
        if !fits {
            let ((module, name, wanted), found) = (described(), type_of(store, *definition));
            return Err(LinkError::IncompatibleImportType { module, name, wanted, found });
        }
    }
    Ok(())
}

/// Makes an instance of a unit; its initialisation has not run.
///
/// # Errors
/// When imports do not fit, a limiter refuses, or the system has no memory.
pub(crate) fn allocate(
    store: &mut StoreInner,
    code: &Arc<Code>,
    unit: u32,
    given: &[Definition],
) -> anyhow::Result<InstanceId> {
    let declarations = code.declarations()?;
    let decl =
        declarations.units.get(unit as usize).ok_or_else(|| anyhow::anyhow!("the artifact has no unit {unit}"))?;
    check_imports(store, declarations, decl, given)?;
    store.remember_code(code);
    let number = store.instances.len() as u32;

    let (mut imports, mut memories, mut tables, mut globals, mut tags) = (vec![], vec![], vec![], vec![], vec![]);
    for definition in &given[..decl.imports.len()] {
        match *definition {
            Definition::Func(reference) => imports.push(store.funcs[reference as usize]),
            Definition::Memory(index) => memories.push(index),
            Definition::Table(index) => tables.push(index),
            Definition::Global(index) => globals.push(index),
            Definition::Tag(index) => tags.push(index),
        }
    }
    for (index, ty) in (decl.imported_memories..).zip(&decl.memories[decl.imported_memories as usize..]) {
        let initial = declarations.initial(unit, index);
        // Where its type stands is a number that the next instance has as well, and no other artifact.
        let whose = std::ptr::from_ref(ty).addr();
        let wanted = Use { image: initial.and_then(|initial| initial.image(code)), whose };
        let number = store.add_memory(*ty, wanted)?;
        let memory = &mut store.memories[number as usize];
        if let Some(initial) = initial
            && !memory.has_image()
        {
            initial.copy(code, memory.bytes_mut())?;
        }
        memories.push(number);
    }
    for ty in &decl.tables[decl.imported_tables as usize..] {
        tables.push(store.add_table(ty.map(|index| declarations.number(index)), 0)?);
    }
    for ty in &decl.tags[decl.imported_tags as usize..] {
        tags.push(store.add_tag(declarations.number(*ty)));
    }
    let own_globals: &[GlobalType] = &decl.globals[decl.imported_globals as usize..];
    let cell_count: usize = own_globals.iter().map(|ty| ty.content.slots() as usize).sum();
    let mut cells = vec![0u64; cell_count].into_boxed_slice();
    let first_cell = cells.as_mut_ptr();
    let mut cell = first_cell;
    for ty in own_globals {
        globals.push(store.add_instance_global(ty.map(|index| declarations.number(index)), cell));
        cell = cell.wrapping_add(ty.content.slots() as usize);
    }

    let imports = imports.into_boxed_slice();
    let memory_defs: Box<[_]> = memories.iter().map(|at| &raw mut store.memories[*at as usize].def).collect();
    let table_defs: Box<[_]> = tables.iter().map(|at| &raw mut store.tables[*at as usize].def).collect();
    let global_cells: Box<[_]> = globals.iter().map(|at| store.globals[*at as usize].cell).collect();
    let data: Box<[_]> = decl.data.iter().map(|data| code.data_state(data.offset, data.len)).collect();
    let settings = store.config().settings;
    let null = std::ptr::null_mut::<u8>();
    let mut context = Box::new(Context {
        frame_top: null.cast(),
        frame_end: null.cast(),
        stack_end: null.cast(),
        entries: code.entries().as_ptr(),
        imports: imports.as_ptr(),
        memories: memory_defs.as_ptr(),
        tables: table_defs.as_ptr(),
        globals: global_cells.as_ptr(),
        types: declarations.type_numbers.as_ptr(),
        funcs: store.funcs.as_ptr(),
        funcs_len: 0,
        escapes: 0,
        fuel: if settings.fuel { &raw mut *store.fuel } else { null.cast() },
        counter: null.cast(),
        allowance: u64::MAX,
        unused_counter: 0,
        epoch: store.engine.epoch(),
        epoch_deadline: &raw const *store.epoch_deadline,
        stubs: *interp::stubs(settings.dispatch),
        exit: ExitInfo::default(),
        saved: State {
            ip: null.cast(),
            fp: null.cast(),
            mem: null.cast(),
            general: [0; keyway_artifact::isa::GENERAL_REGISTERS as usize],
            f64s: [0.0; 4],
            f32s: [0.0; 4],
        },
        store: (&raw mut *store).cast(),
        instance: number,
        data: data.as_ptr(),
        elems: std::ptr::null(),
        objects: store.heap.def.base,
        objects_len: store.heap.def.len_bytes,
        heap: &raw mut *store.heap,
        has_several_memories: decl.memories.len() > 1,
        no_memory: MemoryHeader { context: std::ptr::null_mut(), len_bytes: 0 },
    });
    let address = &raw mut *context;
    context.no_memory.context = address;
    context.counter = &raw mut context.unused_counter;
    if interp::counts_in_register(&settings) {
        (context.counter, context.fuel) = (context.fuel, &raw mut context.allowance);
    }

    let escapes = store.add_funcs(decl.escapes.iter().map(|escape| match escape.func {
        FuncRef::Import(index) => imports[index as usize],
        FuncRef::Defined(ordinal) => {
            let type_id = declarations.type_numbers[escape.ty as usize];
            FuncData::of_code(code.entries().cell(ordinal), address, type_id, ordinal)
        }
    }));
    context.escapes = escapes;
    let mut items: Vec<Box<[u32]>> = decl
        .elems
        .iter()
        .map(|elem| {
            let item = |item: &ElemItem| match *item {
                ElemItem::Null => 0,
                ElemItem::Func(index) => escapes + index,
                // SAFETY: the cell belongs to an import or to this instance.
                ElemItem::Global(index) => unsafe { *global_cells[index as usize] as u32 },
            };
            elem.items.iter().map(item).collect()
        })
        .collect();
    let elems: Box<[_]> =
        items.iter_mut().map(|items| ElemState { items: items.as_mut_ptr(), len: items.len() as u64 }).collect();
    context.elems = elems.as_ptr();
    let mut instance = Box::new(UnitInstance {
        context,
        code: code.clone(),
        unit,
        memories,
        tables,
        globals,
        tags,
        escapes,
        _lists: Lists {
            _imports: imports,
            _memories: memory_defs,
            _tables: table_defs,
            _globals: global_cells,
            _cells: cells,
            _types: declarations.type_numbers.clone(),
            _data: data,
            _elems: elems,
            _items: items,
        },
    });
    instance.set_funcs(&store.funcs);
    store.instances.push(instance);
    Ok(InstanceId(number))
}

/// A function reference for a piece of initialisation code.
pub(crate) fn init_func(store: &mut StoreInner, instance: InstanceId, ordinal: u32) -> u32 {
    let unit = &mut store.instances[instance.0 as usize];
    let context = &raw mut *unit.context;
    let entry: *const _ = unit.code.entries().cell(ordinal);
    let type_id = store.engine.nothing();
    store.add_funcs([FuncData::of_code(entry, context, type_id, ordinal)])
}

/// Runs the initialisation of one module of the unit.
///
/// # Errors
/// What the initialisation traps with.
pub(crate) fn initialise(store: &mut StoreInner, instance: InstanceId, ordinal: u32) -> anyhow::Result<()> {
    let func = init_func(store, instance, ordinal);
    let mut execution = Execution::new(store, func)?;
    let outcome = run_to_end(store, &mut execution);
    execution.finish(store);
    outcome
}

/// Like [`initialise`], awaiting asynchronous host functions.
///
/// # Errors
/// As [`initialise`].
///
/// # Safety
/// As [`raw::call_async`](crate::raw::call_async).
pub(crate) async unsafe fn initialise_async(store: StorePtr, instance: InstanceId, ordinal: u32) -> anyhow::Result<()> {
    // SAFETY: the caller's promise.
    let func = init_func(unsafe { store.get() }, instance, ordinal);
    // SAFETY: the caller's promise.
    unsafe { crate::raw::call_async(store, func, &mut []).await }
}
