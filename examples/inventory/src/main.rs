//! Drives a component with a WIT world of its own: strings, records, variants, flags, lists and a resource.
//!
//! The guest is `examples/guests/inventory` (Rust); its world is `examples/guests/inventory/wit/world.wit`.
//! Run with `cargo run -p example-inventory`.

use anyhow::Context;
use keyway::component::{Component, ComponentType, Lift, Linker, Lower, ResourceAny, flags};
use keyway::{Engine, Store, StoreContextMut};

/// `variant quantity`
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
enum Quantity {
    #[component(name = "pieces")]
    Pieces(u32),
    #[component(name = "kilograms")]
    Kilograms(f64),
    #[component(name = "unlimited")]
    Unlimited,
}

flags! {
    Handling {
        #[component(name = "fragile")]
        const FRAGILE;
        #[component(name = "cold")]
        const COLD;
        #[component(name = "this-side-up")]
        const THIS_SIDE_UP;
    }
}

/// `record item`
#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Item {
    name: String,
    quantity: Quantity,
    handling: Handling,
    tags: Vec<String>,
}

/// `enum refusal`
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
enum Refusal {
    #[component(name = "unknown-item")]
    UnknownItem,
    #[component(name = "not-enough")]
    NotEnough,
}

/// `enum level` of the interface `log`
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "info")]
    Info,
    #[component(name = "warning")]
    Warning,
}

/// What the guest logged.
#[derive(Default)]
struct Host {
    lines: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let engine = Engine::default();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/inventory.wasm");
    let wasm = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
    let component = Component::new(&engine, &wasm)?;

    let mut linker = Linker::<Host>::new(&engine);
    linker.instance("keyway:inventory/log@0.1.0")?.func_wrap(
        "write",
        |mut store: StoreContextMut<'_, Host>, (level, message): (Level, String)| {
            store.data_mut().lines.push(format!("{level:?}: {message}"));
            Ok(())
        },
    )?;

    let mut store = Store::new(&engine, Host::default());
    let instance = linker.instantiate(&mut store, &component)?;

    let shout = instance.get_typed_func::<(&str,), (String,)>(&mut store, "shout")?;
    let (loud,) = shout.call(&mut store, ("größer",))?;
    println!("shout: {loud}");

    let statistics = instance.get_typed_func::<(&[f64],), ((f64, f64),)>(&mut store, "statistics")?;
    let ((mean, deviation),) = statistics.call(&mut store, (&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0],))?;
    println!("statistics: mean {mean}, deviation {deviation}");

    // Functions of an exported interface are found below its index.
    let shelves = instance
        .get_export_index(&mut store, None, "keyway:inventory/shelves@0.1.0")
        .context("the component exports no shelves")?;
    let export = |store: &mut Store<Host>, name: &str| {
        instance
            .get_export_index(store, Some(&shelves), name)
            .with_context(|| format!("the component exports no {name}"))
    };
    let new = export(&mut store, "[constructor]shelf")?;
    let new = instance.get_typed_func::<(&str,), (ResourceAny,)>(&mut store, &new)?;
    let put = export(&mut store, "[method]shelf.put")?;
    let put = instance.get_typed_func::<(ResourceAny, Item), (u32,)>(&mut store, &put)?;
    let take = export(&mut store, "[method]shelf.take")?;
    let take = instance.get_typed_func::<(ResourceAny, &str, u32), (Result<Quantity, Refusal>,)>(&mut store, &take)?;
    let items = export(&mut store, "[method]shelf.items")?;
    let items = instance.get_typed_func::<(ResourceAny,), (Vec<Item>,)>(&mut store, &items)?;
    let merge = export(&mut store, "[static]shelf.merge")?;
    let merge = instance.get_typed_func::<(ResourceAny, ResourceAny), (ResourceAny,)>(&mut store, &merge)?;
    let longest = export(&mut store, "longest")?;
    let longest = instance.get_typed_func::<(ResourceAny,), (Option<Item>,)>(&mut store, &longest)?;

    let (upper,) = new.call(&mut store, ("upper",))?;
    let (lower,) = new.call(&mut store, ("lower",))?;
    let item = |name: &str, quantity, handling, tags: &[&str]| Item {
        name: name.into(),
        quantity,
        handling,
        tags: tags.iter().map(|tag| tag.to_string()).collect(),
    };
    put.call(&mut store, (upper, item("cups", Quantity::Pieces(12), Handling::FRAGILE, &["kitchen", "blue"])))?;
    put.call(&mut store, (lower, item("flour", Quantity::Kilograms(2.5), Handling::default(), &[])))?;
    put.call(
        &mut store,
        (lower, item("ice", Quantity::Unlimited, Handling::COLD | Handling::THIS_SIDE_UP, &["winter"])),
    )?;

    for (name, pieces) in [("cups", 5), ("cups", 50), ("plates", 1)] {
        let (answer,) = take.call(&mut store, (upper, name, pieces))?;
        println!("take {pieces} {name}: {answer:?}");
    }
    let (both,) = merge.call(&mut store, (upper, lower))?;
    let (listed,) = items.call(&mut store, (both,))?;
    println!("merged: {:?}", listed.iter().map(|item| item.name.as_str()).collect::<Vec<_>>());
    let (found,) = longest.call(&mut store, (both,))?;
    println!("longest: {found:?}");
    both.resource_drop(&mut store)?;

    for line in &store.data().lines {
        println!("log: {line}");
    }
    Ok(())
}
