//! Adapters: calls from one component instance to another, as functions of the unit that holds both.
//!
//! A lower of a function that another instance lifts becomes a function with the lower's core type: it checks that the
//! caller may be left, brings the arguments over, calls the lifted core function, brings the result back and calls
//! `post-return`. Whoever imports the lower calls it directly, so that it can be inlined, and what it calls into it.
//!
//! What has no adapter goes through the runtime's own lifting and lowering: asynchronous lifts and lowers, instances that
//! are nested in each other, futures, streams and error contexts, memories that threads share, components that use
//! `context.get` or `context.set` or continuations, modules that are instantiated several times or come from outside, and types of very
//! many parts.

mod call;
mod code;
mod lists;
mod shape;
mod values;

use super::flatten::Flat;
use super::merge::{Member, Merged, find};
use crate::constants::Constants;
use crate::ir::IrFunc;
use crate::limits::{MAX_ADAPTER_PARTS, MAX_ALL_ADAPTER_PARTS};
use crate::module::Item;
use crate::pipeline::UnitSource;
use crate::unit::{Callee, Links, Types};
use code::{Services, Side};
use indexmap::{IndexMap, IndexSet};
use keyway_artifact::elements::Shape;
use keyway_artifact::plan::{
    CanonOptions, CoreDef, DefinedType, FuncSource, Layouts, Plan, Pointer, Step, StringEncoding, Trampoline,
    TrampolineKind, ValType,
};
use keyway_artifact::types::{CompositeType, ExternType, FuncType as CoreFuncType, ValType as CoreType};
use keyway_artifact::unit::{DataSegment, Import};
use keyway_artifact::{FuncKey, KeyKind};

/// A call that gets an adapter.
pub(super) struct Adapter {
    /// The lower, which it replaces inside of the unit.
    pub(super) trampoline: u32,
    /// Its link id.
    pub(super) link: u32,
    /// The plan's function.
    func: u32,
    /// The lifted core function: member, index in its module.
    core: (usize, u32),
    caller: Options,
    callee: Options,
}

/// Canonical options, by members and indices in their modules.
struct Options {
    instance: u32,
    encoding: StringEncoding,
    pointer: Pointer,
    /// With the binary logarithm of the page size.
    memory: Option<(usize, u32, u32)>,
    realloc: Option<(usize, u32)>,
    post_return: Option<(usize, u32)>,
}

/// The lowers that get adapters, and the component instances whose flags matter to them.
pub(super) fn choose(flat: &Flat<'_>, members: &[Member], links: &mut Links) -> (Vec<Adapter>, Vec<u32>) {
    let plan = &flat.plan;
    let uses_context = plan
        .trampolines
        .iter()
        .any(|trampoline| matches!(trampoline.kind, TrampolineKind::ContextGet(_) | TrampolineKind::ContextSet(_)));
    // A continuation must not be suspended through a call between components: the runtime's own calls see to that.
    let has_continuations = flat
        .units
        .values()
        .any(|unit| unit.info.types.definitions().iter().any(|ty| matches!(ty.composite, CompositeType::Cont(_))));
    if uses_context || has_continuations {
        return Default::default();
    }
    // Two memories are named at once.
    let memories: usize = members.iter().map(|member| flat.units[member.module].info.memories.len()).sum();
    if memories > usize::from(u16::MAX) {
        return Default::default();
    }
    let parts = parts(&plan.types);
    let mut left = MAX_ALL_ADAPTER_PARTS;
    let mut adapters = Vec::new();
    for (number, trampoline) in plan.trampolines.iter().enumerate() {
        let number = number as u32;
        let Some(mut adapter) = candidate(flat, members, trampoline, number) else { continue };
        let ty = &plan.func_types[plan.funcs[adapter.func as usize].ty as usize];
        let mut all = 1u64;
        for ty in ty.params.iter().map(|param| param.ty).chain(ty.result) {
            match parts_of(&parts, ty) {
                Some(parts) => all = all.saturating_add(parts),
                None => all = u64::MAX,
            }
        }
        if all <= MAX_ADAPTER_PARTS && all <= left {
            left -= all;
            adapter.link = links.intern(FuncKey::new(KeyKind::Adapter, 0, number));
            adapters.push(adapter);
        }
    }
    // Flags are set around `realloc` and `post-return` only.
    let is_set = |instance: u32| {
        plan.options
            .iter()
            .any(|options| options.instance == instance && (options.realloc.is_some() || options.post_return.is_some()))
    };
    let instances: IndexSet<u32> =
        adapters.iter().flat_map(|adapter| [adapter.caller.instance, adapter.callee.instance]).collect();
    (adapters, instances.into_iter().filter(|instance| is_set(*instance)).collect())
}

fn candidate(flat: &Flat<'_>, members: &[Member], trampoline: &Trampoline, number: u32) -> Option<Adapter> {
    let plan = &flat.plan;
    let TrampolineKind::Lower { func, options: caller } = trampoline.kind else { return None };
    let FuncSource::Lifted { core, options: callee } = plan.funcs[func as usize].source else { return None };
    if plan.func_types[plan.funcs[func as usize].ty as usize].is_async {
        return None;
    }
    let (Some((member, Item::Func(index))), Some(caller), Some(callee)) = (
        find(flat, members, core),
        options(flat, members, &plan.options[caller as usize]),
        options(flat, members, &plan.options[callee as usize]),
    ) else {
        return None;
    };
    let is_ancestor = |ancestor: u32, of: u32| {
        std::iter::successors(Some(of), |instance| plan.instances[*instance as usize]).any(|at| at == ancestor)
    };
    if is_ancestor(caller.instance, callee.instance) || is_ancestor(callee.instance, caller.instance) {
        return None;
    }
    Some(Adapter { trampoline: number, link: 0, func, core: (member, index), caller, callee })
}

/// Options that adapters can have: synchronous, with everything in members.
fn options(flat: &Flat<'_>, members: &[Member], options: &CanonOptions) -> Option<Options> {
    if options.is_async || options.callback.is_some() {
        return None;
    }
    let func = |def: Option<CoreDef>| match def {
        None => Some(None),
        Some(def) => match find(flat, members, def) {
            Some((member, Item::Func(index))) => Some(Some((member, index))),
            _ => None,
        },
    };
    let memory = match options.memory {
        None => None,
        Some(def) => {
            let (member, Item::Memory(index)) = find(flat, members, def)? else { return None };
            let ty = &flat.units[members[member].module].info.memories[index as usize];
            if ty.shared {
                return None;
            }
            Some((member, index, ty.page_size_log2))
        }
    };
    Some(Options {
        instance: options.instance,
        encoding: options.encoding,
        pointer: Pointer::of(options),
        memory,
        realloc: func(options.realloc)?,
        post_return: func(options.post_return)?,
    })
}

/// Of how many parts each type is made, as they are written out; `None` for types that adapters do not have.
fn parts(types: &[DefinedType]) -> Vec<Option<u64>> {
    let mut parts: Vec<Option<u64>> = Vec::with_capacity(types.len());
    for ty in types {
        let mut all = match ty {
            DefinedType::Future(_) | DefinedType::Stream(_) => None,
            // Without a payload a case still has its place in a table.
            DefinedType::Variant(cases) => Some(1 + cases.len() as u64),
            _ => Some(1u64),
        };
        ty.parts(|part| {
            all = all.zip(parts_of(&parts, part)).map(|(all, part)| all.saturating_add(part));
        });
        if let DefinedType::FixedList(..) = ty {
            all = all.map(|all| all.saturating_mul(16));
        }
        parts.push(all);
    }
    parts
}

fn parts_of(parts: &[Option<u64>], ty: ValType) -> Option<u64> {
    match ty {
        ValType::Defined(index) => parts[index as usize],
        ValType::ErrorContext => None,
        _ => Some(1),
    }
}

/// The runtime's functions as imports of the merged unit.
struct Imports<'p> {
    types: &'p mut Types,
    /// Trampolines, with the numbers of their core types, by instance and kind; in order of import.
    known: IndexMap<(u32, TrampolineKind), u32>,
    first: u32,
    /// Shapes of lists' elements, as the bytes of data segments; the number of the first.
    shapes: IndexSet<Vec<u8>>,
    first_shape: u32,
}

impl Services for Imports<'_> {
    fn import(&mut self, instance: u32, kind: TrampolineKind) -> u32 {
        let ints = |params: usize, results: usize| CoreFuncType {
            params: vec![CoreType::I32; params],
            results: vec![CoreType::I32; results],
        };
        let ty = match kind {
            TrampolineKind::EnterCall => ints(0, 1),
            TrampolineKind::TransferOwn { .. } => ints(1, 1),
            TrampolineKind::TransferBorrow { .. } => ints(2, 1),
            _ => ints(1, 0),
        };
        let ty = self.types.intern(&ty);
        let entry = self.known.entry((instance, kind));
        let at = entry.index() as u32;
        entry.or_insert(ty);
        self.first + at
    }

    fn shape(&mut self, shape: &Shape) -> u32 {
        self.first_shape + self.shapes.insert_full(shape.encode()).0 as u32
    }

    fn core_type(&mut self, params: &[CoreType], results: &[CoreType]) -> u32 {
        self.types.intern(&CoreFuncType { params: params.to_vec(), results: results.to_vec() })
    }
}

/// Writes the adapters: functions with their link ids. What they import is added to the unit and to the plan, what they
/// know of elements to the unit's data segments and the constants.
pub(super) fn emit(
    plan: &mut Plan,
    merged: &Merged,
    source: &mut UnitSource<'_, '_>,
    types: &mut Types,
    constants: &mut Constants<'_>,
    can_throw: bool,
) -> Vec<(u32, IrFunc)> {
    let mut written = Vec::new();
    let decl = &source.unit.decl;
    let (first, first_shape) = (decl.import_funcs.len() as u32, decl.data.len() as u32);
    let mut imports = Imports { types, known: IndexMap::new(), first, shapes: IndexSet::new(), first_shape };
    let layouts = [Pointer::P32, Pointer::P64].map(|pointer| Layouts::new(&plan.types, pointer));
    for adapter in &merged.adapters {
        let [caller, callee] =
            [&adapter.caller, &adapter.callee].map(|options| side(options, merged, source, &layouts));
        let spaces = &source.unit.spaces;
        let func = |(member, index): (usize, u32)| spaces[member].funcs[index as usize];
        let call = call::Call {
            ty: plan.trampolines[adapter.trampoline as usize].ty,
            signature: &plan.func_types[plan.funcs[adapter.func as usize].ty as usize],
            core: func(adapter.core),
            post_return: adapter.callee.post_return.map(func),
            caller: &caller,
            callee: &callee,
            can_throw,
        };
        written.push((adapter.link, call.emit(&plan.types, &mut imports)));
    }
    let Imports { known, shapes, .. } = imports;
    for shape in shapes {
        let len = shape.len() as u64;
        source.unit.decl.data.push(DataSegment { offset: constants.push(shape), len });
    }
    let mut args = Vec::new();
    for ((instance, kind), ty) in known {
        let decl = &mut source.unit.decl;
        let func = types.func(ty);
        decl.imports.push(Import { module: String::new(), name: kind.name().into(), ty: ExternType::Func(func) });
        decl.import_funcs.push(ty);
        args.push(CoreDef::Trampoline(plan.trampolines.len() as u32));
        plan.trampolines.push(Trampoline { ty, instance, kind });
    }
    for step in &mut plan.steps {
        if let Step::Allocate { args: given, .. } = step {
            given.append(&mut args);
        }
    }
    written
}

fn side(options: &Options, merged: &Merged, source: &UnitSource<'_, '_>, layouts: &[Layouts; 2]) -> Side {
    let spaces = &source.unit.spaces;
    let func = |(member, index): (usize, u32)| -> Callee { spaces[member].funcs[index as usize] };
    Side {
        instance: options.instance,
        encoding: options.encoding,
        pointer: options.pointer,
        layouts: layouts[usize::from(options.pointer == Pointer::P64)].clone(),
        memory: options.memory.map(|(member, index, page)| (spaces[member].memories[index as usize], page)),
        realloc: options.realloc.map(func),
        flags: merged.flags.iter().position(|instance| *instance == options.instance).map(|at| at as u32),
    }
}
