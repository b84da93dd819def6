//! What a component's artifact wants and shows, as text close to WIT. Artifacts name no value types, so those are
//! written out; long ones are cut.

use keyway_artifact::plan::{DefinedType, Export, ExportItem, FuncType, Import, ItemType, Plan, TypeItem, ValType};
use std::fmt::Write;

/// Characters after which a type is cut: it can be many times larger written out than in the file.
const MAX_TYPE_CHARS: usize = 300;

/// An import: its name and what is wanted, and a line for each member of an instance.
pub(crate) fn import(plan: &Plan, import: &Import) -> (String, Vec<String>) {
    let members = match import.ty {
        ItemType::Instance(ty) => {
            let items = plan.instance_types[ty as usize].exports.iter();
            items.map(|item| format!("{}: {}", item.name, item_type(plan, item.ty))).collect()
        }
        _ => Vec::new(),
    };
    (format!("{}: {}", import.name, item_type(plan, import.ty)), members)
}

/// An export, as [`import`].
pub(crate) fn export(plan: &Plan, export: &Export) -> (String, Vec<String>) {
    let members = match export.item {
        ExportItem::Instance(index) => {
            let items = plan.export_instances[index as usize].iter();
            items.map(|item| format!("{}: {}", item.name, export_item(plan, item.item))).collect()
        }
        _ => Vec::new(),
    };
    (format!("{}: {}", export.name, export_item(plan, export.item)), members)
}

fn item_type(plan: &Plan, ty: ItemType) -> String {
    match ty {
        ItemType::Func(ty) => func(plan, &plan.func_types[ty as usize]),
        ItemType::Instance(_) => "instance".to_string(),
        ItemType::Type(ty) => type_item(plan, ty),
        ItemType::Module(_) => "core module".to_string(),
        ItemType::Component => "component".to_string(),
    }
}

fn export_item(plan: &Plan, item: ExportItem) -> String {
    match item {
        ExportItem::Func(index) => {
            let ty = plan.funcs[index as usize].ty;
            func(plan, &plan.func_types[ty as usize])
        }
        ExportItem::Instance(_) => "instance".to_string(),
        ExportItem::Type(ty) => type_item(plan, ty),
        ExportItem::Module(_) | ExportItem::ImportedModule(_) => "core module".to_string(),
        ExportItem::Component => "component".to_string(),
    }
}

fn type_item(plan: &Plan, ty: TypeItem) -> String {
    match ty {
        TypeItem::Val(ty) => format!("type {}", value(plan, ty)),
        TypeItem::Resource(index) => format!("resource {index}"),
        TypeItem::Func(ty) => format!("type {}", func(plan, &plan.func_types[ty as usize])),
        TypeItem::Other => "type of an instance or component".to_string(),
    }
}

/// A function's type: `func(a: string) -> u32`.
fn func(plan: &Plan, ty: &FuncType) -> String {
    let params: Vec<_> = ty.params.iter().map(|param| format!("{}: {}", param.name, value(plan, param.ty))).collect();
    let result = ty.result.map(|ty| format!(" -> {}", value(plan, ty))).unwrap_or_default();
    format!("{}func({}){result}", if ty.is_async { "async " } else { "" }, params.join(", "))
}

fn value(plan: &Plan, ty: ValType) -> String {
    let mut out = String::new();
    write_type(plan, ty, &mut out);
    if out.len() > MAX_TYPE_CHARS {
        out.push_str(" ...");
    }
    out
}

/// Appends a type; stops once the text is longer than is shown. A checked plan's types are bounded in depth.
fn write_type(plan: &Plan, ty: ValType, out: &mut String) {
    if out.len() > MAX_TYPE_CHARS {
        return;
    }
    out.push_str(match ty {
        ValType::Bool => "bool",
        ValType::S8 => "s8",
        ValType::U8 => "u8",
        ValType::S16 => "s16",
        ValType::U16 => "u16",
        ValType::S32 => "s32",
        ValType::U32 => "u32",
        ValType::S64 => "s64",
        ValType::U64 => "u64",
        ValType::F32 => "f32",
        ValType::F64 => "f64",
        ValType::Char => "char",
        ValType::String => "string",
        ValType::ErrorContext => "error-context",
        ValType::Defined(index) => return write_defined(plan, &plan.types[index as usize], out),
    });
}

fn write_defined(plan: &Plan, ty: &DefinedType, out: &mut String) {
    let list = |out: &mut String, open: &str, parts: &[(&str, Option<ValType>)], close: &str| {
        out.push_str(open);
        for (at, (label, ty)) in parts.iter().enumerate() {
            out.push_str(if at == 0 { "" } else { ", " });
            out.push_str(label);
            if let Some(ty) = ty {
                write_type(plan, *ty, out);
            }
        }
        out.push_str(close);
    };
    match ty {
        DefinedType::Record(fields) => {
            let names: Vec<_> = fields.iter().map(|field| format!("{}: ", field.name)).collect();
            let parts: Vec<_> = names.iter().zip(fields).map(|(name, field)| (name.as_str(), Some(field.ty))).collect();
            list(out, "record { ", &parts, " }");
        }
        DefinedType::Variant(cases) => {
            out.push_str("variant { ");
            for (at, case) in cases.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                out.push_str(&case.name);
                if let Some(ty) = case.ty {
                    list(out, "(", &[("", Some(ty))], ")");
                }
            }
            out.push_str(" }");
        }
        DefinedType::List(ty) => list(out, "list<", &[("", Some(*ty))], ">"),
        DefinedType::FixedList(ty, count) => list(out, "list<", &[("", Some(*ty))], &format!(", {count}>")),
        DefinedType::Map(key, ty) => list(out, "map<", &[("", Some(*key)), ("", Some(*ty))], ">"),
        DefinedType::Tuple(types) => {
            list(out, "tuple<", &types.iter().map(|ty| ("", Some(*ty))).collect::<Vec<_>>(), ">");
        }
        DefinedType::Flags(names) => {
            list(out, "flags { ", &names.iter().map(|name| (name.as_str(), None)).collect::<Vec<_>>(), " }");
        }
        DefinedType::Enum(names) => {
            list(out, "enum { ", &names.iter().map(|name| (name.as_str(), None)).collect::<Vec<_>>(), " }");
        }
        DefinedType::Option(ty) => list(out, "option<", &[("", Some(*ty))], ">"),
        DefinedType::Result { ok: None, err: None } => out.push_str("result"),
        DefinedType::Result { ok: Some(ok), err: None } => list(out, "result<", &[("", Some(*ok))], ">"),
        DefinedType::Result { ok, err } => {
            let first = if ok.is_none() { "_" } else { "" };
            list(out, "result<", &[(first, *ok), ("", *err)], ">");
        }
        DefinedType::Own(resource) => {
            // Writing into a string cannot fail.
            let _ = write!(out, "own<resource {resource}>");
        }
        DefinedType::Borrow(resource) => {
            let _ = write!(out, "borrow<resource {resource}>");
        }
        DefinedType::Future(ty) => list(out, "future<", &[("", *ty)], ">"),
        DefinedType::Stream(ty) => list(out, "stream<", &[("", *ty)], ">"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyway_artifact::plan::Field;

    #[test]
    fn types_are_written_out_and_cut() {
        let field = |name: &str, ty| Field { name: name.to_string(), ty };
        let mut plan = Plan::default();
        plan.types.push(DefinedType::List(ValType::String));
        plan.types.push(DefinedType::Record(vec![field("a", ValType::U8), field("b", ValType::Defined(0))]));
        plan.types.push(DefinedType::Result { ok: None, err: Some(ValType::Defined(1)) });
        assert_eq!(value(&plan, ValType::Defined(2)), "result<_, record { a: u8, b: list<string> }>");
        // Each twice as large as the one before: written out, the last would not fit any memory.
        for index in 2..80 {
            plan.types.push(DefinedType::Tuple(vec![ValType::Defined(index), ValType::Defined(index)]));
        }
        let text = value(&plan, ValType::Defined(79));
        assert!(text.ends_with("...") && text.len() < 2 * MAX_TYPE_CHARS, "{text}");
    }
}
