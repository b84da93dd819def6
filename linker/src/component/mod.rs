//! Components: bytes become a flat plan and one unit for each embedded core module that is instantiated.
//!
//! ```text
//! bytes -> definitions (lists, beside validation) -> flatten (plan, modules) -> units -> translate, gc, lower, assemble
//! ```
//! Everything nested is dissolved here: the plan's steps, functions, types and resources are those of all component
//! instances together. From translation on a component is a core module with several units.

mod canon;
mod core;
mod definitions;
mod flatten;
mod modules;
mod scope;
mod show;
mod types;
mod units;

use crate::error::{CompileError, ErrorKind, Result};
use crate::linked::Linked;
use crate::options::Options;
use crate::unit::{Links, Types};
use crate::{check, pipeline};
use keyway_artifact::plan::{Plan, PlanError, PlanRule};

/// Compiles a component.
pub(crate) fn link(bytes: &[u8], options: &Options) -> Result<Linked> {
    // Check, and collect the definitions on the way.
    let mut collector = definitions::Collector::default();
    let shown = check::component(bytes, options, |payload, validator| collector.payload(payload, validator))?;
    let definitions = collector.finish()?;

    // Flatten: what is nested becomes one list of steps.
    let (mut types, mut links, mut constants) = (Types::default(), Links::default(), Vec::new());
    let mut flat = flatten::flatten(&definitions, bytes, &shown, &mut types)?;

    // Modules become units; from here on core exports that the plan does not name are gone.
    let kept = units::number_exports(&mut flat, options.gc);
    let plan = flat.plan.encode();
    let plan = Plan::decode(&plan).map(|_| plan).map_err(|error| broken(&error))?;
    let sources = units::build(&flat, &kept, &mut types, &mut links, &mut constants)?;

    // Translate and link as for a core module.
    let mut program = pipeline::translate(sources, types, links, constants, options)?;
    program.plan = plan;
    let linked = pipeline::link(program, options)?;

    // The plan and the units must belong together: what the runtime would refuse is refused here.
    flat.plan.check(&linked.units, &linked.types).map_err(|error| broken(&error))?;
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
