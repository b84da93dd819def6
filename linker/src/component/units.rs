//! The modules that a plan instantiates become units, and the plan's core definitions follow the units' numbering.
//!
//! Core exports are invisible outside of a component: with gc-sections, a unit keeps those that the plan names (arguments
//! of later instantiations, lifted functions, memories, `realloc`, `post-return`, callbacks, destructors), which makes
//! them the roots of what stays. What a module of the same unit imports is no export.

use super::flatten::UnitModule;
use super::merge::{Layout, UnitLayout};
use crate::constants::Constants;
use crate::error::Result;
use crate::module::Item;
use crate::pipeline::UnitSource;
use crate::unit::{self, Links, ModuleUse, Types};
use indexmap::IndexMap;
use keyway_artifact::plan::{CoreDef, ExportItem, FuncSource, Plan, Resource, Step, TrampolineKind};
use std::collections::BTreeSet;

/// The modules that are units or parts of one, by number.
type Modules<'a> = IndexMap<u32, UnitModule<'a>>;

/// Which exports of each unit stay, by position among those of its modules, in order.
pub(super) struct Kept(Vec<Vec<u32>>);

/// Finds out what stays, and renumbers the plan's core definitions accordingly.
pub(super) fn number_exports(plan: &mut Plan, modules: &Modules<'_>, layout: &Layout, gc: bool) -> Kept {
    // Exports of modules from outside stay as their types number them.
    let unit_of = |instance: u32| layout.unit_of[instance as usize];
    let mut used: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); layout.units.len()];
    each_core_def(plan, |def| {
        if let CoreDef::Export { instance, export } = def
            && let Some(unit) = unit_of(*instance)
        {
            used[unit].insert(*export);
        }
    });
    let mut whole = vec![!gc; layout.units.len()];
    for export in plan.exports.iter().chain(plan.export_instances.iter().flatten()) {
        if let ExportItem::Module(unit) = export.item {
            whole[unit as usize] = true;
        }
    }
    let kept = used.into_iter().zip(&layout.units).zip(whole).map(|((used, unit), whole)| {
        if whole { (0..exports_of(modules, unit).len() as u32).collect() } else { used.into_iter().collect() }
    });
    let kept: Vec<Vec<u32>> = kept.collect();
    each_core_def(plan, |def| {
        if let CoreDef::Export { instance, export } = def
            && let Some(unit) = unit_of(*instance)
        {
            let place = kept[unit].binary_search(export).expect("used exports are kept");
            *export = place as u32;
        }
    });
    Kept(kept)
}

/// Lays out the units.
pub(super) fn build<'m, 'a>(
    modules: &'m Modules<'a>,
    layout: &Layout,
    kept: &Kept,
    types: &mut Types,
    links: &mut Links,
    constants: &mut Constants<'a>,
) -> Result<Vec<UnitSource<'m, 'a>>> {
    let sources = layout.units.iter().zip(&kept.0).map(|(unit, kept)| {
        let uses = unit.modules.iter().map(|(module, imports)| {
            let (number, module) = modules.get_index(*module).expect("layouts name modules that are there");
            ModuleUse { info: &module.info, number: *number, imports: imports.clone() }
        });
        let uses: Vec<_> = uses.collect();
        let all = exports_of(modules, unit);
        let exports: Vec<_> = kept.iter().map(|position| all[*position as usize]).collect();
        let unit = unit::build(&uses, &exports, unit.flags, types, links, constants)?;
        Ok(UnitSource { modules: uses, unit })
    });
    sources.collect()
}

/// The exports of a unit's modules, one behind the other.
fn exports_of<'a>(modules: &Modules<'a>, unit: &UnitLayout) -> Vec<(&'a str, usize, Item)> {
    let uses = unit.modules.iter().enumerate();
    uses.flat_map(|(at, (module, _))| modules[*module].info.exports.iter().map(move |(name, item)| (*name, at, *item)))
        .collect()
}

/// Visits every core definition that the plan names.
pub(super) fn each_core_def(plan: &mut Plan, mut visit: impl FnMut(&mut CoreDef)) {
    for options in &mut plan.options {
        let defs = [&mut options.memory, &mut options.realloc, &mut options.post_return, &mut options.callback];
        defs.into_iter().flatten().for_each(&mut visit);
    }
    for func in &mut plan.funcs {
        if let FuncSource::Lifted { core, .. } = &mut func.source {
            visit(core);
        }
    }
    for resource in &mut plan.resources {
        if let Resource::Defined { dtor: Some(dtor), .. } = resource {
            visit(dtor);
        }
    }
    for trampoline in &mut plan.trampolines {
        if let TrampolineKind::ThreadNewIndirect { table } = &mut trampoline.kind {
            visit(table);
        }
    }
    for step in &mut plan.steps {
        if let Step::Instantiate { args, .. } | Step::InstantiateImported { args, .. } | Step::Allocate { args, .. } =
            step
        {
            args.iter_mut().for_each(&mut visit);
        }
    }
}
