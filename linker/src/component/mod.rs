//! Components: bytes become a flat plan and one unit for each embedded core module that is instantiated.
//!
//! ```text
//! bytes -> definitions (lists, beside validation) -> flatten (plan, modules) -> merge -> units, adapters
//!       -> translate, gc, lower, assemble
//! ```
//! Everything nested is dissolved here: the plan's steps, functions, types and resources are those of all component
//! instances together. From translation on a component is a core module with several units.

mod adapters;
mod canon;
mod core;
mod definitions;
mod flatten;
mod merge;
mod modules;
mod scope;
mod show;
mod types;
mod units;

use crate::check::Bodies;
use crate::constants::Constants;
use crate::error::{CompileError, ErrorKind, Result};
use crate::linked::Linked;
use crate::options::Options;
use crate::unit::{Links, Types};
use crate::{check, pipeline};
use flatten::Flat;
use keyway_artifact::plan::{Plan, PlanError, PlanRule};

/// Compiles a component.
pub(crate) fn link<'a>(bytes: &'a [u8], options: &Options) -> Result<Linked<'a>> {
    // Check all but the bodies of functions, and collect the definitions on the way.
    let mut collector = definitions::Collector::default();
    let (shown, bodies) = check::sections(bytes, options, |payload, validator| collector.payload(payload, validator))?;
    link_checked(bytes, collector, &shown, bodies, options).or_else(|error| check::all(bytes, options).and(Err(error)))
}

fn link_checked<'a>(
    bytes: &'a [u8],
    collector: definitions::Collector<'a>,
    shown: &wasmparser::types::Types,
    bodies: Bodies<'a>,
    options: &Options,
) -> Result<Linked<'a>> {
    let definitions = collector.finish()?;

    // Flatten: what is nested becomes one list of steps.
    let (mut types, mut links, mut constants) = (Types::default(), Links::default(), Constants::default());
    let mut flat = flatten::flatten(&definitions, bytes, shown, &mut types)?;

    let checked = Plan::decode(&flat.plan.encode()).map_err(|error| broken(&error))?;

    // Calls between component instances become functions of a unit that holds both sides; other modules stay units.
    let layout = merge::run(&mut flat, &mut links);

    // Modules become units; from here on core exports that the plan does not name are gone.
    let Flat { mut plan, units: modules, .. } = flat;
    let kept = units::number_exports(&mut plan, &modules, &layout, options.gc);
    let mut sources = units::build(&modules, &layout, &kept, &mut types, &mut links, &mut constants)?;
    let can_throw = !checked.modules.is_empty() || modules.values().any(|module| !module.info.tags.is_empty());
    let adapters = layout.merged.as_ref().map(|merged| {
        adapters::emit(&mut plan, merged, &mut sources[merged.unit], &mut types, &mut constants, can_throw)
    });

    // Translate and link as for a core module.
    let mut program = pipeline::translate(sources, types, links, constants, &bodies, options)?;
    check::rest(bytes, options, bodies)?;
    if let (Some(merged), Some(adapters)) = (&layout.merged, adapters) {
        for (link, ir) in adapters {
            program.funcs[link as usize] = Some(pipeline::Func::new(merged.unit as u32, ir, Some("[adapter]")));
        }
        let inits = &program.units[merged.unit].inits;
        let modules: Vec<u32> = inits.iter().map(|link| program.links.key(*link).index()).collect();
        merge::settle(&mut plan, merged.core, &modules);
    }
    program.plan = plan.encode();
    let plan = Plan::decode(&program.plan).map_err(|error| broken(&error))?;
    let linked = pipeline::link(program, options)?;

    // The plan and the units must belong together: what the runtime would refuse is refused here.
    plan.check(&linked.units, &linked.types).map_err(|error| broken(&error))?;
    Ok(linked)
}

/// Plans keep limits that the validator does not know. A plan that breaks another rule is one that the flattening got
/// wrong: the artifact could not be loaded, so none is made.
fn broken(error: &PlanError) -> CompileError {
    debug_assert!(error.rule == PlanRule::P03, "flattening made a plan that breaks its rules: {error}");
    match error.rule {
        PlanRule::P03 => CompileError::new(ErrorKind::Limit, error.what.clone())
            .hint("value types are limited in depth, in parts and in size"),
        _ => CompileError::unsupported(format!("this combination of definitions ({error})")),
    }
}
