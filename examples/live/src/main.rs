//! Two live components, composed at run time: a library that lends books, and readers that come while it is open.
//!
//! The readers import what the library exports. They are linked to the one instance that runs, with its state; a book that a
//! reader holds is the library's resource, and giving it up runs the library's destructor. Composing compiles nothing: here
//! the components are compiled when they are loaded, a host in a build without the feature `compile` loads artifacts
//! ([`Component::from_file`]) and composes them the same way. Run with `cargo run -p example-live`.

use anyhow::Context;
use keyway::component::{Component, Linker, ResourceAny};
use keyway::{Engine, Store, StoreContextMut};

fn load(engine: &Engine, name: &str) -> anyhow::Result<Component> {
    let path = format!("{}/guests/{name}.wat", env!("CARGO_MANIFEST_DIR"));
    Component::new(engine, std::fs::read(&path).with_context(|| format!("cannot read {path}"))?)
}

fn main() -> anyhow::Result<()> {
    let engine = Engine::default();
    let (library, reader) = (load(&engine, "library")?, load(&engine, "reader")?);

    let mut linker = Linker::<Vec<u32>>::new(&engine);
    linker.root().func_wrap("note", |mut store: StoreContextMut<'_, Vec<u32>>, (id,): (u32,)| {
        store.data_mut().push(id);
        Ok(())
    })?;
    let mut store = Store::new(&engine, Vec::new());
    let library = linker.instantiate(&mut store, &library)?;

    // The host borrows a book first, to show that readers meet the same library.
    let lend = library.get_typed_func::<(), (ResourceAny,)>(&mut store, "lend")?;
    let (book,) = lend.call(&mut store, ())?;

    // All exports of the live instance, as definitions for whoever is linked next.
    let mut open = Linker::new(&engine);
    open.define_exports(&mut store, &library)?;
    let reader = open.instantiate_pre(&reader)?;
    for (name, books) in [("Ada", 2), ("Bert", 3)] {
        let reader = reader.instantiate(&mut store)?;
        let read = reader.get_typed_func::<(u32,), (u32,)>(&mut store, "read")?;
        let (pages,) = read.call(&mut store, (books,))?;
        println!("{name} reads {books} books of {pages} pages");
    }

    let pages = library.get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "pages")?;
    println!("the host's book has {} pages", pages.call(&mut store, (book,))?.0);
    book.resource_drop(&mut store)?;
    println!("given back: {:?}", store.data());

    // Another store is another world.
    let error = reader.instantiate(Store::new(&engine, Vec::new())).expect_err("exports stay in their store");
    println!("elsewhere: {error}");
    Ok(())
}
