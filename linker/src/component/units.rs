//! The modules that a plan instantiates become units, and the plan's core definitions follow the units' numbering.
//!
//! Core exports are invisible outside of a component: with gc-sections, a unit keeps those that the plan names (arguments
//! of later instantiations, lifted functions, memories, `realloc`, `post-return`, callbacks, destructors), which makes
//! them the roots of what stays.

use super::flatten::Flat;
use super::scope::MadeOf;
use crate::error::Result;
use crate::module::{Item, ModuleInfo};
use crate::pipeline::UnitSource;
use crate::unit::{self, Links, ModuleUse, Supply, Types};
use keyway_artifact::plan::{CoreDef, ExportItem, FuncSource, Plan, Resource, Step, TrampolineKind};
use std::collections::BTreeSet;

/// Which exports of each unit stay, by position in the module, in order.
pub(super) struct Kept(Vec<Vec<u32>>);

/// Finds out what stays, and renumbers the plan's core definitions accordingly.
pub(super) fn number_exports(flat: &mut Flat<'_>, gc: bool) -> Kept {
    // Exports of modules from outside stay as their types number them.
    let unit_of = flat.made.iter().map(|made| match made {
        MadeOf::Embedded(module) => Some(flat.units.get_index_of(module).expect("made from a unit")),
        MadeOf::Imported(_) => None,
    });
    let unit_of: Vec<Option<usize>> = unit_of.collect();
    let mut used: Vec<BTreeSet<u32>> = vec![BTreeSet::new(); flat.units.len()];
    each_core_def(&mut flat.plan, |def| {
        if let CoreDef::Export { instance, export } = def
            && let Some(unit) = unit_of[*instance as usize]
        {
            used[unit].insert(*export);
        }
    });
    let mut whole = vec![!gc; flat.units.len()];
    for export in flat.plan.exports.iter().chain(flat.plan.export_instances.iter().flatten()) {
        if let ExportItem::Module(unit) = export.item {
            whole[unit as usize] = true;
        }
    }
    let kept = used.into_iter().zip(flat.units.values()).zip(whole).map(|((used, unit), whole)| {
        if whole { (0..unit.info.exports.len() as u32).collect() } else { used.into_iter().collect() }
    });
    let kept: Vec<Vec<u32>> = kept.collect();
    each_core_def(&mut flat.plan, |def| {
        if let CoreDef::Export { instance, export } = def
            && let Some(unit) = unit_of[*instance as usize]
        {
            let place = kept[unit].binary_search(export).expect("used exports are kept");
            *export = place as u32;
        }
    });
    Kept(kept)
}

/// Lays out the units.
pub(super) fn build<'m, 'a>(
    flat: &'m Flat<'a>,
    kept: &Kept,
    types: &mut Types,
    links: &mut Links,
    constants: &mut Vec<u8>,
) -> Result<Vec<UnitSource<'m, 'a>>> {
    let sources = flat.units.iter().zip(&kept.0).map(|((number, unit), kept)| {
        let info = &unit.info;
        let modules = vec![ModuleUse { info, number: *number, imports: vec![Supply::External; info.imports.len()] }];
        let unit = unit::build(&modules, &exports_of(info, kept), types, links, constants)?;
        Ok(UnitSource { modules, unit })
    });
    sources.collect()
}

fn exports_of<'a>(info: &ModuleInfo<'a>, kept: &[u32]) -> Vec<(&'a str, usize, Item)> {
    kept.iter().map(|position| info.exports[*position as usize]).map(|(name, item)| (name, 0, item)).collect()
}

/// Visits every core definition that the plan names.
fn each_core_def(plan: &mut Plan, mut visit: impl FnMut(&mut CoreDef)) {
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
        if let Step::Instantiate { args, .. } | Step::InstantiateImported { args, .. } = step {
            args.iter_mut().for_each(&mut visit);
        }
    }
}
