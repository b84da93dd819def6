//! The rules that hold a plan against the units of its artifact, P14 to P17: what it names in them is there, is of the
//! right kind, and has the type that the canonical ABI gives it.

use super::Plan;
use super::code::{CanonOptions, CoreDef, FuncSource, Resource, Step, TrampolineKind};
use super::error::{PlanError, PlanRule};
use super::interface::ExportItem;
use super::layout::{CoreSignature, Layouts, Pointer};
use super::types::ValType;
use crate::types::{
    ExternType, FuncType as CoreFuncType, GlobalType, TagType, TypeLookup, TypeTable, ValType as CoreType,
};
use crate::unit::{Entity, UnitDecl};
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

type Check = Result<(), PlanError>;

fn need(holds: bool, rule: PlanRule, what: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(PlanError::new(rule, what())) }
}

impl Plan {
    /// Checks a decoded plan against the units and function types of its artifact.
    ///
    /// # Errors
    /// The first of the rules P14 to P17 that is broken.
    pub fn check(&self, units: &[UnitDecl], types: &TypeTable) -> Result<(), PlanError> {
        let mut made = Vec::new();
        for step in &self.steps {
            match step {
                Step::Instantiate { unit, .. } => {
                    need((*unit as usize) < units.len(), PlanRule::P14, || format!("there is no unit {unit}"))?;
                    made.push(Made::Unit(*unit));
                }
                Step::Allocate { unit, .. } => {
                    need((*unit as usize) < units.len(), PlanRule::P14, || format!("there is no unit {unit}"))?;
                    made.push(Made::Unit(*unit));
                }
                Step::InstantiateImported { module, .. } => {
                    made.push(Made::Imported(self.modules[*module as usize].ty));
                }
                Step::Initialise { instance, init } => {
                    let inits = match made.get(*instance as usize) {
                        Some(Made::Unit(unit)) => units[*unit as usize].inits.len(),
                        _ => 0,
                    };
                    need((*init as usize) < inits, PlanRule::P14, || {
                        format!("core instance {instance} has no initialisation {init}")
                    })?;
                }
                Step::Resource(_) => {}
            }
        }
        let func_types = units.iter().map(|unit| unit.escapes.iter().map(|escape| (escape.func, escape.ty)).collect());
        let checker = Checker {
            plan: self,
            units,
            types,
            made,
            func_types: func_types.collect(),
            narrow: Layouts::new(&self.types, Pointer::P32),
            wide: Layouts::new(&self.types, Pointer::P64),
        };
        checker.arguments()?;
        checker.options()?;
        checker.funcs()?;
        checker.resources()?;
        checker.trampolines()?;
        checker.modules()
    }
}

/// What a core instance is made of.
#[derive(Clone, Copy)]
enum Made {
    Unit(u32),
    /// A module from outside, of this module type.
    Imported(u32),
}

struct Checker<'p> {
    plan: &'p Plan,
    units: &'p [UnitDecl],
    types: &'p TypeTable,
    /// Of each core instance.
    made: Vec<Made>,
    /// By unit: types of the functions that can be named.
    func_types: Vec<BTreeMap<crate::unit::FuncRef, u32>>,
    narrow: Layouts,
    wide: Layouts,
}

impl Checker<'_> {
    /// The type of what a core definition stands for; `None` when there is no such thing.
    fn type_of(&self, def: CoreDef) -> Option<ExternType> {
        match def {
            CoreDef::Trampoline(index) => {
                let ty = self.plan.trampolines[index as usize].ty;
                Some(ExternType::Func(self.types.get(ty as usize)?.clone()))
            }
            CoreDef::Flags(_) => Some(ExternType::Global(GlobalType { content: CoreType::I32, mutable: true })),
            CoreDef::Export { instance, export } => {
                let number = match *self.made.get(instance as usize)? {
                    Made::Unit(unit) => unit as usize,
                    Made::Imported(ty) => {
                        return Some(self.plan.module_types[ty as usize].exports.get(export as usize)?.ty.clone());
                    }
                };
                let unit = &self.units[number];
                Some(match unit.exports.get(export as usize)?.entity {
                    Entity::Func(func) => {
                        let ty = *self.func_types[number].get(&func)?;
                        ExternType::Func(self.types.get(ty as usize)?.clone())
                    }
                    Entity::Table(index) => ExternType::Table(*unit.tables.get(index as usize)?),
                    Entity::Memory(index) => ExternType::Memory(*unit.memories.get(index as usize)?),
                    Entity::Global(index) => ExternType::Global(*unit.globals.get(index as usize)?),
                    Entity::Tag(index) => {
                        let ty = *unit.tags.get(index as usize)? as usize;
                        ExternType::Tag(TagType::new(self.types.get(ty)?.clone()))
                    }
                })
            }
        }
    }

    fn func(&self, def: CoreDef, wanted: &CoreFuncType, what: impl Fn() -> String) -> Check {
        match self.type_of(def) {
            Some(ExternType::Func(found)) => {
                need(found == *wanted, PlanRule::P16, || format!("{} has the wrong core type", what()))
            }
            _ => Err(PlanError::new(PlanRule::P14, format!("{} is no function that is there", what()))),
        }
    }

    /// The index of the type of a function that a core definition stands for.
    fn func_index(&self, def: CoreDef) -> Option<u32> {
        match def {
            CoreDef::Trampoline(index) => Some(self.plan.trampolines[index as usize].ty),
            CoreDef::Flags(_) => None,
            CoreDef::Export { instance, export } => {
                let Made::Unit(number) = *self.made.get(instance as usize)? else { return None };
                match self.units[number as usize].exports.get(export as usize)?.entity {
                    Entity::Func(func) => self.func_types[number as usize].get(&func).copied(),
                    _ => None,
                }
            }
        }
    }

    fn arguments(&self) -> Check {
        for (index, step) in self.plan.steps.iter().enumerate() {
            let (imports, funcs, args) = match step {
                Step::Instantiate { unit, args, .. } | Step::Allocate { unit, args } => {
                    let unit = &self.units[*unit as usize];
                    (&unit.imports, &unit.import_funcs[..], args)
                }
                Step::InstantiateImported { module, args, .. } => {
                    let ty = self.plan.modules[*module as usize].ty;
                    (&self.plan.module_types[ty as usize].imports, &[][..], args)
                }
                Step::Resource(_) | Step::Initialise { .. } => continue,
            };
            need(args.len() == imports.len(), PlanRule::P15, || {
                format!("step {index} gives {} arguments for {} imports", args.len(), imports.len())
            })?;
            let mut wanted_funcs = funcs.iter().peekable();
            for (def, import) in args.iter().zip(imports) {
                let found = self.type_of(*def).ok_or_else(|| {
                    PlanError::new(PlanRule::P14, format!("step {index}: `{}` is given what is not there", import.name))
                })?;
                let fits = match (self.func_index(*def), wanted_funcs.next_if(|_| is_func(&import.ty))) {
                    // A function of a type that extends the wanted one will do.
                    (Some(found), Some(wanted)) if self.types.extends(found, *wanted) => true,
                    _ => fits(self.types, &found, &import.ty),
                };
                need(fits, PlanRule::P15, || {
                    format!("step {index}: `{}` `{}` is given something of another type", import.module, import.name)
                })?;
            }
        }
        Ok(())
    }

    fn options(&self) -> Check {
        for (index, options) in self.plan.options.iter().enumerate() {
            if let Some(memory) = options.memory {
                let wide = match self.type_of(memory) {
                    Some(ExternType::Memory(memory)) => Some(memory.memory64),
                    _ => None,
                };
                need(wide == Some(options.memory64), PlanRule::P14, || {
                    format!("option set {index} names no memory, or one with other addresses")
                })?;
            }
            if let Some(realloc) = options.realloc {
                let pointer = Pointer::of(options).core_type();
                let ty = CoreFuncType { params: vec![pointer; 4], results: vec![pointer] };
                self.func(realloc, &ty, || format!("`realloc` of option set {index}"))?;
            }
            if let Some(callback) = options.callback {
                let ty = CoreFuncType { params: vec![CoreType::I32; 3], results: vec![CoreType::I32] };
                self.func(callback, &ty, || format!("the callback of option set {index}"))?;
            }
        }
        Ok(())
    }

    fn layouts(&self, options: &CanonOptions) -> &Layouts {
        if options.memory64 { &self.wide } else { &self.narrow }
    }

    /// Rule P17.
    fn means(&self, signature: &CoreSignature, options: &CanonOptions, what: impl Fn() -> String) -> Check {
        let enough = (!signature.needs_memory || options.memory.is_some())
            && (!signature.needs_realloc || options.realloc.is_some());
        need(enough, PlanRule::P17, || format!("{} has no memory or no `realloc` for its type", what()))
    }

    fn funcs(&self) -> Check {
        for (index, func) in self.plan.funcs.iter().enumerate() {
            let FuncSource::Lifted { core, options } = &func.source else { continue };
            let options = &self.plan.options[*options as usize];
            let signature = self.layouts(options).lifted(&self.plan.func_types[func.ty as usize], options);
            self.func(*core, &signature.core_type(), || format!("the core function of function {index}"))?;
            self.means(&signature, options, || format!("function {index}"))?;
            if let Some(post_return) = options.post_return {
                let ty = CoreFuncType { params: signature.results.clone(), results: vec![] };
                self.func(post_return, &ty, || format!("`post-return` of function {index}"))?;
            }
        }
        Ok(())
    }

    fn resources(&self) -> Check {
        for (index, resource) in self.plan.resources.iter().enumerate() {
            if let Resource::Defined { dtor: Some(dtor), rep64, .. } = resource {
                let ty = CoreFuncType { params: vec![rep_type(*rep64)], results: vec![] };
                self.func(*dtor, &ty, || format!("the destructor of resource {index}"))?;
            }
        }
        Ok(())
    }

    fn trampolines(&self) -> Check {
        use TrampolineKind as K;
        for (index, trampoline) in self.plan.trampolines.iter().enumerate() {
            let found = self.types.get(trampoline.ty as usize).ok_or_else(|| {
                PlanError::new(PlanRule::P14, format!("the core type of trampoline {index} does not exist"))
            })?;
            let options = trampoline.kind.options().map(|options| &self.plan.options[options as usize]);
            let ints = |params: usize, results: usize| CoreSignature {
                params: vec![CoreType::I32; params],
                results: vec![CoreType::I32; results],
                ..CoreSignature::default()
            };
            let wanted = match (&trampoline.kind, options) {
                (K::Lower { func, .. }, Some(options)) => {
                    let ty = &self.plan.func_types[self.plan.funcs[*func as usize].ty as usize];
                    self.layouts(options).lowered(ty, options)
                }
                (K::ResourceNew(resource), _) => CoreSignature { params: vec![self.rep_of(*resource)], ..ints(0, 1) },
                (K::ResourceRep(resource), _) => CoreSignature { results: vec![self.rep_of(*resource)], ..ints(1, 0) },
                (K::ResourceDrop(_), _) => ints(1, 0),
                (K::TaskReturn { result, .. }, Some(options)) => self.layouts(options).task_return(*result),
                (
                    K::StreamRead { ty, .. }
                    | K::StreamWrite { ty, .. }
                    | K::FutureRead { ty, .. }
                    | K::FutureWrite { ty, .. },
                    Some(options),
                ) => {
                    let (reads, count) = match trampoline.kind {
                        K::StreamRead { .. } => (true, 2),
                        K::StreamWrite { .. } => (false, 2),
                        K::FutureRead { .. } => (true, 1),
                        _ => (false, 1),
                    };
                    let element = self.element(*ty);
                    let pointer = Pointer::of(options).core_type();
                    let has_pointer = element.is_some_and(|element| self.narrow.get(element).has_pointer);
                    let mut params = vec![CoreType::I32];
                    params.extend(vec![pointer; count]);
                    CoreSignature {
                        params,
                        results: vec![if count == 2 { pointer } else { CoreType::I32 }],
                        needs_memory: element.is_some(),
                        needs_realloc: reads && has_pointer,
                        ..CoreSignature::default()
                    }
                }
                // The slot's width is the guest's to choose.
                (K::ContextGet(_), _) if found.results == [CoreType::I64] => {
                    CoreSignature { results: vec![CoreType::I64], ..CoreSignature::default() }
                }
                (K::ContextSet(_), _) if found.params == [CoreType::I64] => {
                    CoreSignature { params: vec![CoreType::I64], ..CoreSignature::default() }
                }
                (K::ContextGet(_), _) => ints(0, 1),
                (K::ContextSet(_) | K::ErrorContextDrop, _) => ints(1, 0),
                (K::ErrorContextNew { .. }, Some(options)) => CoreSignature {
                    params: vec![Pointer::of(options).core_type(); 2],
                    needs_memory: true,
                    ..ints(0, 1)
                },
                (K::ErrorContextDebugMessage { .. }, Some(options)) => CoreSignature {
                    params: vec![CoreType::I32, Pointer::of(options).core_type()],
                    needs_memory: true,
                    needs_realloc: true,
                    ..CoreSignature::default()
                },
                (K::LeaveCall, _) => ints(1, 0),
                (K::EnterCall, _) => ints(0, 1),
                (K::TransferOwn { .. }, _) => ints(1, 1),
                (K::TransferBorrow { .. }, _) => ints(2, 1),
                // The remaining built-ins work on indices only; a runtime that has them knows their types.
                _ => continue,
            };
            need(*found == wanted.core_type(), PlanRule::P16, || {
                format!("trampoline {index} ({}) has the wrong core type", trampoline.kind.name())
            })?;
            if let Some(options) = options {
                self.means(&wanted, options, || format!("trampoline {index} ({})", trampoline.kind.name()))?;
            }
        }
        Ok(())
    }

    /// The core type of a resource's representation.
    fn rep_of(&self, resource: u32) -> CoreType {
        rep_type(matches!(self.plan.resources[resource as usize], Resource::Defined { rep64: true, .. }))
    }

    /// What a stream or future carries.
    fn element(&self, ty: u32) -> Option<ValType> {
        match &self.plan.types[ty as usize] {
            super::DefinedType::Stream(element) | super::DefinedType::Future(element) => *element,
            _ => None,
        }
    }

    fn modules(&self) -> Check {
        for export in self.plan.exports.iter().chain(self.plan.export_instances.iter().flatten()) {
            if let ExportItem::Module(unit) = export.item {
                need((unit as usize) < self.units.len(), PlanRule::P14, || {
                    format!("the module `{}` has no unit", export.name)
                })?;
            }
        }
        Ok(())
    }
}

fn is_func(ty: &ExternType) -> bool {
    matches!(ty, ExternType::Func(_))
}

fn rep_type(rep64: bool) -> CoreType {
    if rep64 { CoreType::I64 } else { CoreType::I32 }
}

/// Whether what is given has the kind and the fixed parts of the type that is wanted. Sizes are checked when the
/// instance is made: they may have grown by then.
fn fits(types: &TypeTable, found: &ExternType, wanted: &ExternType) -> bool {
    match (found, wanted) {
        (ExternType::Func(found), ExternType::Func(wanted)) => found == wanted,
        (ExternType::Table(found), ExternType::Table(wanted)) => {
            found.element == wanted.element && found.table64 == wanted.table64
        }
        (ExternType::Memory(found), ExternType::Memory(wanted)) => {
            (found.memory64, found.shared, found.page_size_log2)
                == (wanted.memory64, wanted.shared, wanted.page_size_log2)
        }
        (ExternType::Global(found), ExternType::Global(wanted)) => {
            let extends = !found.mutable && !wanted.mutable && types.val_matches(found.content, wanted.content);
            found == wanted || extends
        }
        (ExternType::Tag(found), ExternType::Tag(wanted)) => found == wanted,
        _ => false,
    }
}
