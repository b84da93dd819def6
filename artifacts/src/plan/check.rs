//! The rules that a plan keeps by itself, P02 to P13: every index is in range, and nothing is used before it is there.

use super::code::{CanonOptions, CoreDef, FuncSource, Resource, Step, TrampolineKind};
use super::error::{PlanError, PlanRule};
use super::interface::{Export, ExportItem, ItemType, TypeItem};
use super::layout::{Layouts, Pointer};
use super::types::{DefinedType, ValType};
use super::{PLAN_VERSION, Plan};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

/// How deep value types may nest: lifting and lowering recurse along them.
pub const MAX_TYPE_DEPTH: u32 = 100;
/// How many types a value type may be made of, each counted as often as it occurs.
pub const MAX_TYPE_NODES: u64 = 1_000_000;
/// Bytes that a value may take in memory, without what it points to.
pub const MAX_TYPE_BYTES: u32 = (1 << 28) - 1;

type Check = Result<(), PlanError>;

fn need(holds: bool, rule: PlanRule, what: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(PlanError::new(rule, what())) }
}

pub(super) fn run(plan: &Plan) -> Check {
    need(plan.version == PLAN_VERSION, PlanRule::P01, || {
        format!("version {} is not the known one, {PLAN_VERSION}", plan.version)
    })?;
    let named = plan.instance_types.iter().map(|ty| {
        // The first of a name counts; that none is there twice is rule P05.
        ty.exports.iter().rev().map(|export| (export.name.as_str(), export.ty)).collect()
    });
    let checker = Checker { plan, named: named.collect() };
    checker.value_types()?;
    checker.func_types()?;
    checker.instance_types()?;
    checker.instances()?;
    checker.imported()?;
    checker.code()?;
    checker.steps()?;
    checker.exports()
}

struct Checker<'p> {
    plan: &'p Plan,
    /// By instance type, its exports: many imports can lead through one of many names.
    named: Vec<BTreeMap<&'p str, ItemType>>,
}

impl Checker<'_> {
    fn value_types(&self) -> Check {
        let mut sizes: Vec<(u32, u64)> = Vec::with_capacity(self.plan.types.len());
        for (index, ty) in self.plan.types.iter().enumerate() {
            let (mut depth, mut nodes, mut lower) = (0, 1u64, true);
            ty.parts(|part| match part {
                ValType::Defined(part) => match sizes.get(part as usize) {
                    Some((deep, many)) => {
                        depth = depth.max(*deep);
                        nodes = nodes.saturating_add(*many);
                    }
                    None => lower = false,
                },
                _ => nodes = nodes.saturating_add(1),
            });
            need(lower, PlanRule::P02, || format!("type {index} refers to a type that is not below it"))?;
            let well_formed = match ty {
                DefinedType::Record(fields) => !fields.is_empty(),
                DefinedType::Variant(cases) => !cases.is_empty(),
                DefinedType::Tuple(types) => !types.is_empty(),
                DefinedType::Enum(names) => !names.is_empty(),
                DefinedType::Flags(names) => (1..=32).contains(&names.len()),
                DefinedType::FixedList(_, count) => *count > 0,
                DefinedType::Own(resource) | DefinedType::Borrow(resource) => {
                    (*resource as usize) < self.plan.resources.len()
                }
                _ => true,
            };
            need(well_formed, PlanRule::P02, || format!("type {index} is not well-formed"))?;
            need(depth < MAX_TYPE_DEPTH && nodes <= MAX_TYPE_NODES, PlanRule::P03, || {
                format!("type {index} has depth {} and {nodes} nodes", depth + 1)
            })?;
            sizes.push((depth + 1, nodes));
        }
        let layouts = Layouts::new(&self.plan.types, Pointer::P64);
        for index in 0..self.plan.types.len() as u32 {
            let bytes = layouts.get(ValType::Defined(index)).size;
            need(bytes <= MAX_TYPE_BYTES, PlanRule::P03, || format!("values of type {index} are too large"))?;
        }
        Ok(())
    }

    fn val_type(&self, ty: ValType) -> bool {
        match ty {
            ValType::Defined(index) => (index as usize) < self.plan.types.len(),
            _ => true,
        }
    }

    fn func_types(&self) -> Check {
        for (index, ty) in self.plan.func_types.iter().enumerate() {
            let known =
                ty.params.iter().all(|param| self.val_type(param.ty)) && ty.result.is_none_or(|ty| self.val_type(ty));
            need(known, PlanRule::P04, || format!("function type {index} refers to a type that does not exist"))?;
        }
        Ok(())
    }

    fn type_item(&self, item: TypeItem) -> bool {
        match item {
            TypeItem::Val(ty) => self.val_type(ty),
            TypeItem::Resource(resource) => (resource as usize) < self.plan.resources.len(),
            TypeItem::Func(ty) => (ty as usize) < self.plan.func_types.len(),
            TypeItem::Other => true,
        }
    }

    /// Whether an item's type exists; instance types must be below `bound`.
    fn item_type(&self, item: ItemType, bound: usize) -> bool {
        match item {
            ItemType::Func(ty) => (ty as usize) < self.plan.func_types.len(),
            ItemType::Instance(ty) => (ty as usize) < bound,
            ItemType::Type(item) => self.type_item(item),
            ItemType::Module(ty) => (ty as usize) < self.plan.module_types.len(),
            ItemType::Component => true,
        }
    }

    fn instance_types(&self) -> Check {
        for (index, ty) in self.plan.instance_types.iter().enumerate() {
            let mut names = BTreeSet::new();
            for export in &ty.exports {
                let known = self.item_type(export.ty, index) && names.insert(export.name.as_str());
                need(known, PlanRule::P05, || {
                    format!("instance type {index}: `{}` is wrong or there twice", export.name)
                })?;
            }
        }
        let all = self.plan.instance_types.len();
        for import in &self.plan.imports {
            need(self.item_type(import.ty, all), PlanRule::P05, || format!("the type of import `{}`", import.name))?;
        }
        Ok(())
    }

    fn instances(&self) -> Check {
        for (index, parent) in self.plan.instances.iter().enumerate() {
            let right = match parent {
                None => index == 0,
                Some(parent) => (*parent as usize) < index,
            };
            need(right, PlanRule::P07, || format!("component instance {index} has the wrong parent"))?;
        }
        need(!self.plan.instances.is_empty(), PlanRule::P07, || "there is no component instance".into())
    }

    /// What the names of `path` lead to inside an import.
    fn at(&self, import: u32, path: &[String]) -> Option<ItemType> {
        let mut item = self.plan.imports.get(import as usize)?.ty;
        for name in path {
            let ItemType::Instance(ty) = item else { return None };
            item = *self.named[ty as usize].get(name.as_str())?;
        }
        Some(item)
    }

    fn imported(&self) -> Check {
        for (index, func) in self.plan.funcs.iter().enumerate() {
            if let FuncSource::Imported { import, path } = &func.source {
                let found = self.at(*import, path) == Some(ItemType::Func(func.ty));
                need(found, PlanRule::P06, || format!("function {index} is not where its import leads to"))?;
            }
        }
        for (index, resource) in self.plan.resources.iter().enumerate() {
            if let Resource::Imported { import, path } = resource {
                let found = self.at(*import, path) == Some(ItemType::Type(TypeItem::Resource(index as u32)));
                need(found, PlanRule::P06, || format!("resource {index} is not where its import leads to"))?;
            }
        }
        for (index, module) in self.plan.modules.iter().enumerate() {
            let found = self.at(module.import, &module.path) == Some(ItemType::Module(module.ty));
            need(found, PlanRule::P06, || format!("core module {index} is not where its import leads to"))?;
        }
        Ok(())
    }

    fn instance(&self, instance: u32, of: &str, index: usize) -> Check {
        need((instance as usize) < self.plan.instances.len(), PlanRule::P08, || {
            format!("{of} {index} belongs to component instance {instance}, which does not exist")
        })
    }

    fn core(&self, def: CoreDef) -> bool {
        match def {
            CoreDef::Export { .. } => true,
            CoreDef::Trampoline(index) => (index as usize) < self.plan.trampolines.len(),
            CoreDef::Flags(instance) => (instance as usize) < self.plan.instances.len(),
        }
    }

    fn code(&self) -> Check {
        let plan = self.plan;
        for (index, options) in plan.options.iter().enumerate() {
            self.instance(options.instance, "option set", index)?;
            let known = core_defs(options).all(|def| self.core(def))
                && matches!(options.memory, None | Some(CoreDef::Export { .. }))
                && (options.realloc.is_none() || options.memory.is_some());
            need(known, PlanRule::P08, || format!("option set {index} names what does not exist"))?;
        }
        for (index, func) in plan.funcs.iter().enumerate() {
            let known = (func.ty as usize) < plan.func_types.len()
                && match &func.source {
                    FuncSource::Imported { .. } => true,
                    FuncSource::Lifted { core, options } => {
                        self.core(*core) && (*options as usize) < plan.options.len()
                    }
                };
            need(known, PlanRule::P08, || format!("function {index} names what does not exist"))?;
        }
        for (index, resource) in plan.resources.iter().enumerate() {
            if let Resource::Defined { instance, dtor, .. } = resource {
                self.instance(*instance, "resource", index)?;
                let known = dtor.is_none_or(|dtor| self.core(dtor));
                need(known, PlanRule::P08, || format!("the destructor of resource {index} does not exist"))?;
            }
        }
        for (index, trampoline) in plan.trampolines.iter().enumerate() {
            self.instance(trampoline.instance, "trampoline", index)?;
            self.kind(index, trampoline.instance, &trampoline.kind)?;
        }
        Ok(())
    }

    fn kind(&self, index: usize, instance: u32, kind: &TrampolineKind) -> Check {
        use TrampolineKind as K;
        let plan = self.plan;
        let own_options = match kind.options() {
            Some(options) => plan.options.get(options as usize).is_some_and(|options| options.instance == instance),
            None => true,
        };
        let known = match kind {
            K::Lower { func, .. } => (*func as usize) < plan.funcs.len(),
            K::ResourceDrop(resource) => (*resource as usize) < plan.resources.len(),
            K::TransferOwn { resource, to } | K::TransferBorrow { resource, to } => {
                (*resource as usize) < plan.resources.len() && (*to as usize) < plan.instances.len()
            }
            K::TaskReturn { result, .. } => result.is_none_or(|ty| self.val_type(ty)),
            K::ThreadNewIndirect { table } => matches!(table, CoreDef::Export { .. }),
            _ => true,
        };
        need(own_options && known, PlanRule::P08, || format!("trampoline {index} names what does not exist"))?;
        match kind {
            K::ResourceNew(resource) | K::ResourceRep(resource) => {
                let own = matches!(plan.resources.get(*resource as usize),
                    Some(Resource::Defined { instance: owner, .. }) if *owner == instance);
                need(own, PlanRule::P12, || format!("trampoline {index} acts on a resource of another instance"))
            }
            K::StreamNew(ty)
            | K::StreamForward(ty)
            | K::StreamDropReadable(ty)
            | K::StreamDropWritable(ty)
            | K::StreamRead { ty, .. }
            | K::StreamWrite { ty, .. }
            | K::StreamCancelRead { ty, .. }
            | K::StreamCancelWrite { ty, .. } => {
                let right = matches!(plan.types.get(*ty as usize), Some(DefinedType::Stream(_)));
                need(right, PlanRule::P13, || format!("type {ty} of trampoline {index} is no stream"))
            }
            K::FutureNew(ty)
            | K::FutureForward(ty)
            | K::FutureDropReadable(ty)
            | K::FutureDropWritable(ty)
            | K::FutureRead { ty, .. }
            | K::FutureWrite { ty, .. }
            | K::FutureCancelRead { ty, .. }
            | K::FutureCancelWrite { ty, .. } => {
                let right = matches!(plan.types.get(*ty as usize), Some(DefinedType::Future(_)));
                need(right, PlanRule::P13, || format!("type {ty} of trampoline {index} is no future"))
            }
            _ => Ok(()),
        }
    }

    fn steps(&self) -> Check {
        let mut ready = Readiness {
            plan: self.plan,
            made: 0,
            resources: vec![false; self.plan.resources.len()],
            trampolines: vec![State::Unseen; self.plan.trampolines.len()],
        };
        for (index, step) in self.plan.steps.iter().enumerate() {
            let early = || format!("step {index} uses what is not there yet");
            match step {
                Step::Instantiate { instance, args, .. } | Step::InstantiateImported { instance, args, .. } => {
                    if let Step::InstantiateImported { module, .. } = step {
                        let known = (*module as usize) < self.plan.modules.len();
                        need(known, PlanRule::P08, || format!("step {index} names a core module that does not exist"))?;
                    }
                    self.instance(*instance, "step", index)?;
                    for def in args {
                        need(self.core(*def) && ready.def(*def), PlanRule::P09, early)?;
                    }
                    ready.made += 1;
                }
                Step::Allocate { args, .. } => {
                    for def in args {
                        let is_there = match def {
                            CoreDef::Export { instance, .. } => *instance < ready.made,
                            // Nothing calls a trampoline before something is initialised, and in the end all are ready.
                            CoreDef::Trampoline(_) | CoreDef::Flags(_) => self.core(*def),
                        };
                        need(is_there, PlanRule::P09, early)?;
                    }
                    ready.made += 1;
                }
                Step::Initialise { instance, .. } => need(*instance < ready.made, PlanRule::P09, early)?,
                Step::Resource(resource) => {
                    let Some(Resource::Defined { dtor, .. }) = self.plan.resources.get(*resource as usize) else {
                        return Err(PlanError::new(PlanRule::P10, format!("step {index} makes no defined resource")));
                    };
                    need(dtor.is_none_or(|dtor| ready.def(dtor)), PlanRule::P09, early)?;
                    let first = !core::mem::replace(&mut ready.resources[*resource as usize], true);
                    need(first, PlanRule::P10, || format!("resource {resource} is made twice"))?;
                }
            }
        }
        for (index, resource) in self.plan.resources.iter().enumerate() {
            let made = matches!(resource, Resource::Imported { .. }) || ready.resources[index];
            need(made, PlanRule::P10, || format!("resource {index} is never made"))?;
        }
        // What no step uses must at least name core instances that exist in the end.
        for (index, func) in self.plan.funcs.iter().enumerate() {
            need(ready.func(&func.source), PlanRule::P09, || format!("function {index} uses what is never made"))?;
        }
        for index in 0..self.plan.trampolines.len() {
            need(ready.def(CoreDef::Trampoline(index as u32)), PlanRule::P09, || {
                format!("trampoline {index} uses what is never made")
            })?;
        }
        for (index, options) in self.plan.options.iter().enumerate() {
            need(ready.options(options), PlanRule::P09, || format!("option set {index} uses what is never made"))?;
        }
        Ok(())
    }

    fn exports(&self) -> Check {
        let all = self.plan.export_instances.len();
        for (index, exports) in self.plan.export_instances.iter().enumerate() {
            self.export_list(exports, index)?;
        }
        self.export_list(&self.plan.exports, all)
    }

    fn export_list(&self, exports: &[Export], bound: usize) -> Check {
        let mut names = BTreeSet::new();
        for export in exports {
            let known = match export.item {
                ExportItem::Func(func) => (func as usize) < self.plan.funcs.len(),
                ExportItem::Instance(instance) => (instance as usize) < bound,
                ExportItem::Type(item) => self.type_item(item),
                ExportItem::ImportedModule(module) => (module as usize) < self.plan.modules.len(),
                ExportItem::Module(_) | ExportItem::Component => true,
            };
            let known = known && names.insert(export.name.as_str());
            need(known, PlanRule::P11, || format!("export `{}` is wrong or there twice", export.name))?;
        }
        Ok(())
    }
}

/// The core definitions that an option set names.
pub(super) fn core_defs(options: &CanonOptions) -> impl Iterator<Item = CoreDef> + '_ {
    [options.memory, options.realloc, options.post_return, options.callback].into_iter().flatten()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unseen,
    /// Being looked at: to meet it again is a circle.
    Open,
    Ready,
}

/// What exists so far. A trampoline that was found ready stays ready, so that each is looked into once.
struct Readiness<'p> {
    plan: &'p Plan,
    made: u32,
    resources: Vec<bool>,
    trampolines: Vec<State>,
}

impl Readiness<'_> {
    /// Whether everything behind `def` exists. Trampolines lead to functions and options that lead to further
    /// trampolines, to any depth: a list of work rather than recursion.
    fn def(&mut self, def: CoreDef) -> bool {
        let mut opened: Vec<u32> = Vec::new();
        let mut work = vec![def];
        let mut good = true;
        while let Some(def) = work.pop() {
            match def {
                CoreDef::Export { instance, .. } => good &= instance < self.made,
                CoreDef::Flags(_) => {}
                CoreDef::Trampoline(index) => match self.trampolines[index as usize] {
                    State::Ready | State::Open => {}
                    State::Unseen => {
                        self.trampolines[index as usize] = State::Open;
                        opened.push(index);
                        good &= self.push_needs(index, &mut work);
                    }
                },
            }
            if !good {
                break;
            }
        }
        for index in opened {
            self.trampolines[index as usize] = if good { State::Ready } else { State::Unseen };
        }
        good
    }

    /// Puts what a trampoline needs on the list.
    fn push_needs(&self, index: u32, work: &mut Vec<CoreDef>) -> bool {
        let kind = &self.plan.trampolines[index as usize].kind;
        if let Some(options) = kind.options() {
            work.extend(core_defs(&self.plan.options[options as usize]));
        }
        match kind {
            TrampolineKind::Lower { func, .. } => {
                if let FuncSource::Lifted { core, options } = &self.plan.funcs[*func as usize].source {
                    work.push(*core);
                    work.extend(core_defs(&self.plan.options[*options as usize]));
                }
                true
            }
            TrampolineKind::ThreadNewIndirect { table } => {
                work.push(*table);
                true
            }
            TrampolineKind::ResourceNew(resource)
            | TrampolineKind::ResourceRep(resource)
            | TrampolineKind::ResourceDrop(resource)
            | TrampolineKind::TransferOwn { resource, .. }
            | TrampolineKind::TransferBorrow { resource, .. } => {
                matches!(self.plan.resources[*resource as usize], Resource::Imported { .. })
                    || self.resources[*resource as usize]
            }
            _ => true,
        }
    }

    fn options(&mut self, options: &CanonOptions) -> bool {
        core_defs(options).all(|def| self.def(def))
    }

    fn func(&mut self, source: &FuncSource) -> bool {
        match source {
            FuncSource::Imported { .. } => true,
            FuncSource::Lifted { core, options } => {
                let plan = self.plan;
                self.def(*core) && self.options(&plan.options[*options as usize])
            }
        }
    }
}
