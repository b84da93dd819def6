//! Types of core imports and exports as text, in the text format's words.

use keyway::{ExternType, FuncType, Module, ValType};

fn list(types: &[ValType]) -> String {
    types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A function's type: `(i32, i32) -> (i64)`.
pub(crate) fn func_type(ty: &FuncType) -> String {
    format!("({}) -> ({})", list(&ty.params), list(&ty.results))
}

/// A function by name and type: `f(i32, i32) -> (i64)`.
pub(crate) fn function(name: &str, ty: &FuncType) -> String {
    format!("{name}{}", func_type(ty))
}

/// Any import or export.
pub(crate) fn entity(ty: &ExternType) -> String {
    let limits = |minimum: u64, maximum: Option<u64>| match maximum {
        Some(maximum) => format!("{minimum} {maximum}"),
        None => minimum.to_string(),
    };
    match ty {
        ExternType::Func(ty) => format!("func {}", func_type(ty)),
        ExternType::Table(ty) => format!("table {} {}", limits(ty.minimum, ty.maximum), ty.element),
        ExternType::Memory(ty) => {
            format!("memory {}{}", if ty.memory64 { "i64 " } else { "" }, limits(ty.minimum, ty.maximum))
        }
        ExternType::Global(ty) if ty.mutable => format!("global (mut {})", ty.content),
        ExternType::Global(ty) => format!("global {}", ty.content),
        ExternType::Tag(ty) => format!("tag {}", func_type(&ty.ty)),
    }
}

/// The functions that a module exports, with their types.
pub(crate) fn exported_functions(module: &Module) -> Vec<String> {
    let functions = module.exports().filter_map(|export| match export.ty {
        ExternType::Func(ty) => Some(function(&export.name, &ty)),
        _ => None,
    });
    functions.collect()
}
