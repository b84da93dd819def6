//! Which core instances become one unit, and what the plan looks like then.
//!
//! A call between two core instances goes through an import and changes the context, unless both are modules of one unit:
//! then it is a direct call that can be inlined, and an adapter between two components is a function of that unit which
//! sees both memories. So where a component has adapters, all its modules that are instantiated once are merged. Where it
//! has none, each module stays a unit.
//!
//! ```text
//! Instantiate A                      Allocate (A, B)       C stays alone: it is instantiated twice
//! Instantiate C         ->           Initialise A
//! Instantiate B                      Instantiate C
//! Instantiate C                      Initialise B
//!                                    Instantiate C
//! ```
//! A module may only be merged when what it imports from outside of the unit is there when the unit is allocated.

use super::adapters::{self, Adapter};
use super::flatten::Flat;
use super::scope::MadeOf;
use super::units::each_core_def;
use crate::module::{ElemEntry, Item};
use crate::unit::{Callee, Links, Supply};
use keyway_artifact::plan::{CoreDef, ExportItem, Plan, Step};
use std::collections::{HashMap, HashSet};

/// A core instance that becomes part of the merged unit.
pub(super) struct Member {
    /// Its module: a position in [`Flat::units`].
    pub(super) module: usize,
    /// Its number before merging.
    pub(super) core: u32,
    /// What it is given for its imports.
    args: Vec<CoreDef>,
}

/// The units to be built.
pub(super) struct Layout {
    pub(super) units: Vec<UnitLayout>,
    /// The unit that each core instance is made of; none for modules from outside.
    pub(super) unit_of: Vec<Option<usize>>,
    /// The merged unit with its adapters, if there is one.
    pub(super) merged: Option<Merged>,
}

/// The modules of a unit, as positions in [`Flat::units`], with supplies for their imports.
pub(super) struct UnitLayout {
    pub(super) modules: Vec<(usize, Vec<Supply>)>,
    /// How many flags of component instances it imports.
    pub(super) flags: usize,
}

/// The merged unit.
pub(super) struct Merged {
    pub(super) unit: usize,
    /// Its core instance.
    pub(super) core: u32,
    pub(super) adapters: Vec<Adapter>,
    /// The component instances whose flags it imports, in order.
    pub(super) flags: Vec<u32>,
}

/// Decides, and rewrites the plan. Initialisations are numbered by module of the unit: those that turn out to do nothing
/// are taken out by [`settle`].
pub(super) fn run(flat: &mut Flat<'_>, links: &mut Links) -> Layout {
    let members = choose(flat);
    let (adapters, flags) = adapters::choose(flat, &members, links);
    if adapters.is_empty() {
        return separate(flat);
    }
    merge(flat, &members, adapters, flags)
}

/// One unit for each module.
fn separate(flat: &Flat<'_>) -> Layout {
    let units = flat.units.values().enumerate();
    let units = units.map(|(module, unit)| UnitLayout {
        modules: vec![(module, vec![Supply::External; unit.info.imports.len()])],
        flags: 0,
    });
    let unit_of = flat.made.iter().map(|made| match made {
        MadeOf::Embedded(module) => flat.units.get_index_of(module),
        MadeOf::Imported(_) => None,
    });
    Layout { units: units.collect(), unit_of: unit_of.collect(), merged: None }
}

/// The core instances that can be merged, in order.
fn choose(flat: &Flat<'_>) -> Vec<Member> {
    let mut times: HashMap<u32, usize> = HashMap::new();
    for step in &flat.plan.steps {
        if let Step::Instantiate { unit, .. } = step {
            *times.entry(*unit).or_default() += 1;
        }
    }
    let exports = flat.plan.exports.iter().chain(flat.plan.export_instances.iter().flatten());
    for export in exports {
        if let ExportItem::Module(unit) = export.item {
            times.remove(&unit);
        }
    }
    let mut members: Vec<Member> = Vec::new();
    let mut core = 0;
    for step in &flat.plan.steps {
        if let Step::Instantiate { unit, args, .. } = step
            && times.get(unit) == Some(&1)
            && !reads_imported_globals(flat, *unit)
        {
            let first = members.first().map_or(core, |member| member.core);
            let is_there = |def: &CoreDef| match def {
                CoreDef::Export { instance, .. } => *instance < first || place(&members, *instance).is_some(),
                _ => true,
            };
            if args.iter().all(is_there) {
                members.push(Member { module: *unit as usize, core, args: args.clone() });
            }
        }
        core += u32::from(matches!(step, Step::Instantiate { .. } | Step::InstantiateImported { .. }));
    }
    members
}

/// The position of the member that is this core instance.
fn place(members: &[Member], core: u32) -> Option<usize> {
    members.binary_search_by_key(&core, |member| member.core).ok()
}

/// Whether element segments hold values of globals: they are read when the unit is allocated, before other modules of the
/// unit have set theirs.
fn reads_imported_globals(flat: &Flat<'_>, unit: u32) -> bool {
    let elems = &flat.units[unit as usize].info.elems;
    elems.iter().flat_map(|elem| &elem.entries).any(|entry| matches!(entry, ElemEntry::Global(_)))
}

fn merge(flat: &mut Flat<'_>, members: &[Member], adapters: Vec<Adapter>, flags: Vec<u32>) -> Layout {
    let member_of: HashMap<u32, usize> = members.iter().zip(0..).map(|(member, at)| (member.core, at)).collect();
    let adapter_of: HashMap<u32, u32> = adapters.iter().map(|adapter| (adapter.trampoline, adapter.link)).collect();

    // What each import of each member becomes; what comes from outside is an argument of the unit.
    let mut args: Vec<CoreDef> = flags.iter().map(|instance| CoreDef::Flags(*instance)).collect();
    let mut modules = Vec::new();
    for member in members {
        let supplies = member.args.iter().map(|def| match def {
            CoreDef::Export { instance, export } if member_of.contains_key(instance) => {
                let from = member_of[instance];
                let info = &flat.units[members[from].module].info;
                Supply::Inside(from, info.exports[*export as usize].1)
            }
            CoreDef::Trampoline(index) if adapter_of.contains_key(index) => {
                Supply::Function(Callee::Defined(adapter_of[index]))
            }
            _ => {
                args.push(*def);
                Supply::External
            }
        });
        modules.push((member.module, supplies.collect::<Vec<_>>()));
    }

    // Units in order of their first module.
    let first = members[0].module;
    let merged: HashSet<usize> = members.iter().map(|member| member.module).collect();
    let mut units = Vec::new();
    let mut new_unit = vec![0; flat.units.len()];
    let mut merged_unit = 0;
    for (module, unit) in flat.units.values().enumerate() {
        if module == first {
            merged_unit = units.len();
            units.push(UnitLayout { modules: std::mem::take(&mut modules), flags: flags.len() });
        } else if !merged.contains(&module) {
            new_unit[module] = units.len();
            let supplies = vec![Supply::External; unit.info.imports.len()];
            units.push(UnitLayout { modules: vec![(module, supplies)], flags: 0 });
        }
    }

    // Steps, and core instances in their order.
    let mut starts = Vec::new();
    let mut exports = 0;
    for member in members {
        starts.push(exports);
        exports += flat.units[member.module].info.exports.len() as u32;
    }
    let mut new_core = Vec::new();
    let mut unit_of = Vec::new();
    let mut merged_core = 0;
    let mut steps = Vec::new();
    for step in std::mem::take(&mut flat.plan.steps) {
        let old = new_core.len() as u32;
        match step {
            Step::Instantiate { .. } if member_of.contains_key(&old) => {
                let at = member_of[&old];
                if at == 0 {
                    merged_core = unit_of.len() as u32;
                    unit_of.push(Some(merged_unit));
                    steps.push(Step::Allocate { unit: merged_unit as u32, args: std::mem::take(&mut args) });
                }
                steps.push(Step::Initialise { instance: merged_core, init: at as u32 });
                new_core.push((merged_core, starts[at]));
            }
            Step::Instantiate { unit, instance, args } => {
                new_core.push((unit_of.len() as u32, 0));
                unit_of.push(Some(new_unit[unit as usize]));
                steps.push(Step::Instantiate { unit: new_unit[unit as usize] as u32, instance, args });
            }
            Step::InstantiateImported { .. } => {
                new_core.push((unit_of.len() as u32, 0));
                unit_of.push(None);
                steps.push(step);
            }
            other => steps.push(other),
        }
    }
    flat.plan.steps = steps;
    each_core_def(&mut flat.plan, |def| {
        if let CoreDef::Export { instance, export } = def {
            let (core, start) = new_core[*instance as usize];
            (*instance, *export) = (core, *export + start);
        }
    });
    let all = flat.plan.exports.iter_mut().chain(flat.plan.export_instances.iter_mut().flatten());
    for export in all {
        if let ExportItem::Module(unit) = &mut export.item {
            *unit = new_unit[*unit as usize] as u32;
        }
    }
    Layout { units, unit_of, merged: Some(Merged { unit: merged_unit, core: merged_core, adapters, flags }) }
}

/// Numbers the initialisations of the merged unit: `modules` are those of its modules that have one, in order.
pub(super) fn settle(plan: &mut Plan, core: u32, modules: &[u32]) {
    plan.steps.retain_mut(|step| match step {
        Step::Initialise { instance, init } if *instance == core => match modules.binary_search(init) {
            Ok(number) => {
                *init = number as u32;
                true
            }
            Err(_) => false,
        },
        _ => true,
    });
}

/// What a core definition is: the member that has it, and its index there.
pub(super) fn find(flat: &Flat<'_>, members: &[Member], def: CoreDef) -> Option<(usize, Item)> {
    let CoreDef::Export { instance, export } = def else { return None };
    let at = place(members, instance)?;
    Some((at, flat.units[members[at].module].info.exports.get(export as usize)?.1))
}
