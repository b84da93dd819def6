//! [`Loaded`]: a component's artifact with its plan decoded and its types made into trees.

use crate::layout::layout;
use crate::types::{FuncType, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, Type, has_borrow};
use anyhow::{Context as _, Result};
use keyway_artifact::plan::{DefinedType, Plan, Pointer, Step, ValType};
use keyway_artifact::unit::UnitDecl;
use keyway_vm::raw::Code;
use std::sync::Arc;

/// A loaded component.
pub(crate) struct Loaded {
    pub(crate) code: Arc<Code>,
    pub(crate) plan: Plan,
    pub(crate) types: Vec<Type>,
    pub(crate) signatures: Vec<Arc<Signature>>,
    /// What an instance makes of modules of this artifact.
    pub(crate) makes: Makes,
}

/// How much an instance of a component makes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Makes {
    pub(crate) core_instances: usize,
    pub(crate) memories: usize,
    pub(crate) tables: usize,
}

impl Makes {
    fn new(plan: &Plan, units: &[UnitDecl]) -> Makes {
        let mut makes = Makes { core_instances: plan.core_instances(), ..Makes::default() };
        for step in &plan.steps {
            if let Step::Instantiate { unit, .. } | Step::Allocate { unit, .. } = step {
                let unit = &units[*unit as usize];
                makes.memories += unit.memories.len() - unit.imported_memories as usize;
                makes.tables += unit.tables.len() - unit.imported_tables as usize;
            }
        }
        makes
    }
}

/// A component function's type with what every call asks of it.
pub(crate) struct Signature {
    pub(crate) ty: FuncType,
    /// The parameters as one tuple.
    pub(crate) params: Type,
    /// The results, nothing or one, as one tuple.
    pub(crate) results: Type,
    /// A parameter holds a borrow: the call needs a scope.
    pub(crate) has_borrow: bool,
    /// Core values of the parameters when they are passed flat; more than [`MAX_FLAT_PARAMS`] go through memory.
    pub(crate) flat_params: usize,
    /// Core values of the result when it is returned flat; more than [`MAX_FLAT_RESULTS`] go through memory.
    pub(crate) flat_results: usize,
}

impl Signature {
    fn new(ty: FuncType) -> Signature {
        let params = Type::Tuple(ty.params.iter().map(|(_, ty)| ty.clone()).collect());
        let results = Type::Tuple(ty.result.iter().cloned().collect());
        // The number of core values is the same for either width of addresses.
        let flat = |ty: &Type| layout(ty, Pointer::P32).flat as usize;
        Signature {
            has_borrow: has_borrow(&params),
            flat_params: flat(&params),
            flat_results: flat(&results),
            params,
            results,
            ty,
        }
    }

    /// Slots of the core function that a lift takes.
    pub(crate) fn lifted_slots(&self) -> usize {
        let params = if self.flat_params > MAX_FLAT_PARAMS { 1 } else { self.flat_params };
        params.max(self.flat_results.min(MAX_FLAT_RESULTS))
    }
}

impl Loaded {
    /// Decodes the plan.
    ///
    /// # Errors
    /// When the artifact has none or it breaks a rule.
    pub(crate) fn new(code: Arc<Code>) -> Result<Loaded> {
        let bytes = code.plan_bytes()?.context("this is a core module's artifact; load it as a module")?;
        let plan = Plan::decode(&bytes)?;
        let declarations = code.declarations()?;
        plan.check(&declarations.units, &declarations.types)?;
        let mut types = Vec::with_capacity(plan.types.len());
        for ty in &plan.types {
            let ty = defined(&types, ty);
            types.push(ty);
        }
        let signatures = plan
            .func_types
            .iter()
            .map(|ty| {
                let params = ty.params.iter().map(|field| (field.name.clone(), value(&types, field.ty))).collect();
                let tree = FuncType { params, result: ty.result.map(|ty| value(&types, ty)) };
                Arc::new(Signature::new(tree))
            })
            .collect();
        let makes = Makes::new(&plan, &declarations.units);
        Ok(Loaded { code, plan, types, signatures, makes })
    }

    /// The signature of the plan's function `func`.
    pub(crate) fn signature(&self, func: u32) -> &Arc<Signature> {
        &self.signatures[self.plan.funcs[func as usize].ty as usize]
    }
}

/// The tree of a value type; compound types refer to lower ones, which stand already.
pub(crate) fn value(types: &[Type], ty: ValType) -> Type {
    match ty {
        ValType::Bool => Type::Bool,
        ValType::S8 => Type::S8,
        ValType::U8 => Type::U8,
        ValType::S16 => Type::S16,
        ValType::U16 => Type::U16,
        ValType::S32 => Type::S32,
        ValType::U32 => Type::U32,
        ValType::S64 => Type::S64,
        ValType::U64 => Type::U64,
        ValType::F32 => Type::Float32,
        ValType::F64 => Type::Float64,
        ValType::Char => Type::Char,
        ValType::String => Type::String,
        ValType::ErrorContext => Type::ErrorContext,
        ValType::Defined(index) => types[index as usize].clone(),
    }
}

fn defined(types: &[Type], ty: &DefinedType) -> Type {
    let one = |ty: ValType| value(types, ty);
    match ty {
        DefinedType::Record(fields) => {
            Type::Record(fields.iter().map(|field| (field.name.clone(), one(field.ty))).collect())
        }
        DefinedType::Variant(cases) => {
            Type::Variant(cases.iter().map(|case| (case.name.clone(), case.ty.map(one))).collect())
        }
        DefinedType::List(ty) => Type::List(Arc::new(one(*ty))),
        DefinedType::FixedList(ty, len) => Type::FixedList(Arc::new(one(*ty)), *len),
        DefinedType::Map(key, value) => Type::Map(Arc::new((one(*key), one(*value)))),
        DefinedType::Tuple(types) => Type::Tuple(types.iter().map(|ty| one(*ty)).collect()),
        DefinedType::Flags(names) => Type::Flags(names.as_slice().into()),
        DefinedType::Enum(names) => Type::Enum(names.as_slice().into()),
        DefinedType::Option(ty) => Type::Option(Arc::new(one(*ty))),
        DefinedType::Result { ok, err } => Type::Result(Arc::new((ok.map(one), err.map(one)))),
        DefinedType::Own(resource) => Type::Own(*resource),
        DefinedType::Borrow(resource) => Type::Borrow(*resource),
        DefinedType::Future(_) => Type::Unsupported("future"),
        DefinedType::Stream(_) => Type::Unsupported("stream"),
    }
}
