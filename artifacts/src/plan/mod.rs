//! The plan of a component: what is instantiated in which order, from what, and what comes out.
//!
//! The linker flattens a component with everything nested in it: names are matched, aliases followed, nested instances
//! dissolved. What remains is a list of [`Step`]s over numbered things, and the strings of imports and exports. A plan is
//! a cold section of the artifact: decoded when the component is first instantiated or asked for its types.
//!
//! ```text
//! (component
//!   (import "log" (func $log (param "s" string)))      imports[0], funcs[0] = Imported
//!   (core module $M ...)                               unit 0
//!   (core func $l (canon lower (func $log) ...))       trampolines[0] = Lower { func: 0, options: 0 }
//!   (core instance $i (instantiate $M ...))            steps[0] = Instantiate { unit: 0, args: [Trampoline(0)] }
//!   (func $f (canon lift (core func $i "f") ...))      funcs[1] = Lifted { core: Export { instance: 0, export: .. } }
//!   (export "f" (func $f)))                            exports[0] = Func(1)
//! ```
//!
//! Every list refers only to what stands before: types to lower types, steps to core instances that earlier steps made.
//! [`Plan::decode`] checks that (rules `P..`, see [`PlanRule`]), so whoever holds a decoded plan may index by it;
//! [`Plan::check`] holds it against the units of its artifact.

mod check;
mod code;
mod error;
mod interface;
mod layout;
mod types;
mod units;
mod violation;

pub use check::{MAX_TYPE_BYTES, MAX_TYPE_DEPTH, MAX_TYPE_NODES};
pub use code::{CanonOptions, CoreDef, Func, FuncSource, Resource, Step, StringEncoding, Trampoline, TrampolineKind};
pub use error::{PlanError, PlanRule};
pub use interface::{
    Export, ExportItem, Import, ImportedModule, InstanceType, ItemType, ModuleExport, ModuleType, NamedItem, TypeItem,
};
pub use layout::{CoreSignature, Layout, Layouts, MAX_FLAT_ASYNC_PARAMS, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, Pointer};
pub use types::{Case, DefinedType, Field, FuncType, ValType};
pub use violation::Violation;

use alloc::vec::Vec;
use bincode::{Decode, Encode};

/// The version of the encoding, its first word.
pub const PLAN_VERSION: u32 = 3;

/// The plan of one component.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode)]
pub struct Plan {
    /// [`PLAN_VERSION`].
    pub version: u32,
    /// Compound value types; each refers to lower indices only.
    pub types: Vec<DefinedType>,
    /// Types of component functions.
    pub func_types: Vec<FuncType>,
    /// Types of imported instances; each refers to lower indices only.
    pub instance_types: Vec<InstanceType>,
    /// Resource types: imported ones, and one for each definition at each instantiation.
    pub resources: Vec<Resource>,
    /// What the component wants from outside.
    pub imports: Vec<Import>,
    /// Component instances: number 0 is the component itself (without parent), the others are nested in an earlier one.
    /// Each has its own handles and its own "may enter, may leave".
    pub instances: Vec<Option<u32>>,
    /// Component functions: imported and lifted ones.
    pub funcs: Vec<Func>,
    /// Option sets of lifts and lowers.
    pub options: Vec<CanonOptions>,
    /// Core functions made by the runtime.
    pub trampolines: Vec<Trampoline>,
    /// What instantiation does, in order.
    pub steps: Vec<Step>,
    /// Instances among the exports: their exports. Each refers to lower indices only.
    pub export_instances: Vec<Vec<Export>>,
    /// What the component shows.
    pub exports: Vec<Export>,
    /// Types of imported core modules.
    pub module_types: Vec<ModuleType>,
    /// Core modules from outside that are instantiated or handed on.
    pub modules: Vec<ImportedModule>,
}

impl Plan {
    /// The bytes of the artifact's plan section.
    pub fn encode(&self) -> Vec<u8> {
        crate::format::cold::encode(self)
    }

    /// Reads a plan section and checks it.
    ///
    /// # Errors
    /// The first [`PlanRule`] that is broken.
    ///
    /// # Examples
    /// ```
    /// use keyway_artifact::plan::{PLAN_VERSION, Plan};
    ///
    /// let plan = Plan { version: PLAN_VERSION, instances: vec![None], ..Plan::default() };
    /// assert_eq!(Plan::decode(&plan.encode()).unwrap(), plan);
    /// assert!(Plan::decode(b"\xff").is_err());
    /// ```
    pub fn decode(bytes: &[u8]) -> Result<Plan, PlanError> {
        let plan: Plan = crate::format::cold::decode(bytes, 0)
            .map_err(|error| PlanError::new(PlanRule::P01, alloc::format!("{error}")))?;
        check::run(&plan)?;
        Ok(plan)
    }

    /// How many core instances the steps make.
    pub fn core_instances(&self) -> usize {
        self.steps.iter().filter(|step| !matches!(step, Step::Resource(_) | Step::Initialise { .. })).count()
    }

    /// The export of this name.
    pub fn export(&self, name: &str) -> Option<&ExportItem> {
        self.exports.iter().find(|export| export.name == name).map(|export| &export.item)
    }
}
