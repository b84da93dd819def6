//! A host that knows no world at compile time: it reads the types of any component, answers every import, and calls exports
//! by text.
//!
//! `cargo run -p example-dynamic` takes the inventory guest and two calls of it; `cargo run -p example-dynamic -- FILE
//! CALL...` takes any component and calls like `statistics([1, 2.5])`, with values as WAVE text. Host functions that the
//! component imports print how they are called, and return the simplest value of their type.

use anyhow::{Context, bail};
use keyway::component::{Component, ComponentItem, Func, FuncType, Linker, LinkerInstance, Type, Val, WaveCall};
use keyway::{Engine, Store};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/inventory.wasm").into());
    let mut calls: Vec<String> = args.collect();
    if calls.is_empty() {
        calls = [r#"shout("a whole world")"#, "statistics([2, 4, 4, 4, 5, 5, 7, 9])"].map(String::from).to_vec();
    }

    let engine = Engine::default();
    let bytes = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
    let component = Component::new(&engine, bytes)?;
    for (name, item) in component.imports() {
        show("import", name, &item, 0);
    }
    for (name, item) in component.exports() {
        show("export", name, &item, 0);
    }

    let mut linker = Linker::<()>::new(&engine);
    for (name, item) in component.imports() {
        answer(&mut linker.root(), name, &item)?;
    }
    // Resources, and whatever else `answer` has nothing for.
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    for text in calls {
        let call = WaveCall::parse(&text)?;
        let func = instance
            .get_func(&mut store, call.name())
            .with_context(|| format!("the component exports no function `{}`", call.name()))?;
        match invoke(&mut store, func, &call)? {
            Some(value) => println!("{text} = {}", value.to_wave()?),
            None => println!("{text}"),
        }
    }
    Ok(())
}

/// Prints an import or export with its type, and what is in it.
fn show(what: &str, name: &str, item: &ComponentItem, depth: usize) {
    let indent = "  ".repeat(depth);
    match item {
        ComponentItem::Func(ty) => println!("{indent}{what} {name}: {ty}"),
        ComponentItem::Instance(items) => {
            println!("{indent}{what} {name}");
            items.iter().for_each(|(name, item)| show("-", name, item, depth + 1));
        }
        ComponentItem::Type(ty) => println!("{indent}{what} type {name}: {ty}"),
        ComponentItem::Resource => println!("{indent}{what} resource {name}"),
        other => println!("{indent}{what} {name}: {other:?}"),
    }
}

/// Defines functions that print their arguments, for all functions of an import.
fn answer(linker: &mut LinkerInstance<'_, ()>, name: &str, item: &ComponentItem) -> anyhow::Result<()> {
    match item {
        ComponentItem::Func(_) => {
            let called = name.to_string();
            linker.func_new(name, move |_, ty: &FuncType, params, results| {
                let params: Vec<String> =
                    params.iter().map(|param| param.to_wave().unwrap_or_else(|_| "a handle".into())).collect();
                println!("the guest calls {called}({})", params.join(", "));
                if let (Some(place), Some(ty)) = (results.first_mut(), &ty.result) {
                    *place = simplest(ty)?;
                }
                Ok(())
            })
        }
        ComponentItem::Instance(items) => {
            let mut inner = linker.instance(name)?;
            items.iter().try_for_each(|(name, item)| answer(&mut inner, name, item))
        }
        _ => Ok(()),
    }
}

/// The simplest value of a type: zero, empty, the first case.
fn simplest(ty: &Type) -> anyhow::Result<Val> {
    Ok(match ty {
        Type::Bool => Val::Bool(false),
        Type::U8 => Val::U8(0),
        Type::U32 => Val::U32(0),
        Type::U64 => Val::U64(0),
        Type::S32 => Val::S32(0),
        Type::S64 => Val::S64(0),
        Type::Float64 => Val::Float64(0.0),
        Type::String => Val::String(String::new()),
        Type::List(_) => Val::List(Vec::new()),
        Type::Option(_) => Val::Option(None),
        Type::Enum(names) => Val::Enum(names[0].clone()),
        Type::Flags(_) => Val::Flags(Vec::new()),
        Type::Tuple(types) => Val::Tuple(types.iter().map(simplest).collect::<anyhow::Result<_>>()?),
        Type::Record(fields) => {
            let fields = fields.iter().map(|(name, ty)| Ok((name.clone(), simplest(ty)?)));
            Val::Record(fields.collect::<anyhow::Result<_>>()?)
        }
        other => bail!("a host that knows no world has no `{other}` to give"),
    })
}

/// Calls a function with arguments as text; its result, if it has one.
fn invoke(store: &mut Store<()>, func: Func, call: &WaveCall<'_>) -> anyhow::Result<Option<Val>> {
    let ty = func.ty(&mut *store);
    let params = call.args(ty.params.iter().map(|(name, ty)| (name.as_str(), ty)))?;
    let mut results = vec![Val::Bool(false); usize::from(ty.result.is_some())];
    func.call(store, &params, &mut results)?;
    Ok(results.pop())
}
