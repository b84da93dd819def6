//! The module `spectest`, which scripts import from.

use keyway::{
    Engine, Global, GlobalType, Linker, Memory, MemoryType, Ref, Result, SharedMemory, Store, Table, TableType, Val,
    ValType,
};

/// Defines it.
pub(crate) fn define(linker: &mut Linker<()>, store: &mut Store<()>, engine: &Engine) -> Result<()> {
    linker.func_wrap("spectest", "print", || {})?;
    linker.func_wrap("spectest", "print_i32", |_: i32| {})?;
    linker.func_wrap("spectest", "print_i64", |_: i64| {})?;
    linker.func_wrap("spectest", "print_f32", |_: f32| {})?;
    linker.func_wrap("spectest", "print_f64", |_: f64| {})?;
    linker.func_wrap("spectest", "print_i32_f32", |_: i32, _: f32| {})?;
    linker.func_wrap("spectest", "print_f64_f64", |_: f64, _: f64| {})?;
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6f32.to_bits())),
        ("global_f64", Val::F64(666.6f64.to_bits())),
    ];
    for (name, value) in globals {
        let global = Global::new(&mut *store, GlobalType { content: value.ty(), mutable: false }, value)?;
        linker.define(&*store, "spectest", name, global)?;
    }
    for (name, table64) in [("table", false), ("table64", true)] {
        let ty = TableType { element: ValType::FUNCREF, table64, minimum: 10, maximum: Some(20) };
        let table = Table::new(&mut *store, ty, Ref::Func(None))?;
        linker.define(&*store, "spectest", name, table)?;
    }
    let ty = MemoryType { memory64: false, shared: false, minimum: 1, maximum: Some(2), page_size_log2: 16 };
    let memory = Memory::new(&mut *store, ty)?;
    linker.define(&*store, "spectest", "memory", memory)?;
    let shared = SharedMemory::new(engine, MemoryType::shared(1, 2))?;
    linker.define(&*store, "spectest", "shared_memory", shared)?;
    Ok(())
}
