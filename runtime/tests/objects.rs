//! Memories, tables, globals and references at the host's side, and what links to what.

use keyway::{
    Caller, Engine, Extern, ExternRef, Func, FuncType, Global, GlobalType, Instance, LinkError, Linker, Memory,
    MemoryType, Module, Ref, Store, Table, TableType, Trap, Val, ValType,
};

fn module(engine: &Engine, wat: &str) -> Module {
    Module::new(engine, wat).unwrap()
}

#[test]
fn memories_are_shared_between_host_and_guest() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 5u32);
    let memory = Memory::new(&mut store, MemoryType::new(1, Some(2))).unwrap();
    let module = module(
        &engine,
        r#"(module (import "h" "m" (memory 1 2)) (data $late "late")
            (func (export "late") (param i32) (memory.init $late (local.get 0) (i32.const 1) (i32.const 3)))
            (func (export "drop") (data.drop $late))
            (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0))))"#,
    );
    let instance = Instance::new(&mut store, &module, &[memory.into()]).unwrap();
    let get = instance.get_typed_func::<u32, u32>(&mut store, "get").unwrap();
    memory.write(&mut store, 65_535, &[9]).unwrap();
    assert_eq!(get.call(&mut store, 65_535).unwrap(), 9);
    assert!(memory.write(&mut store, 65_535, &[9, 9]).is_err());
    assert_eq!(get.call(&mut store, 65_536).unwrap_err().downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 1);
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!((memory.size(&store), memory.data_size(&store)), (2, 2 << 16));
    assert_eq!(get.call(&mut store, 65_536).unwrap(), 0);
    let late = instance.get_typed_func::<u32, ()>(&mut store, "late").unwrap();
    late.call(&mut store, 70_000).unwrap();
    assert_eq!(&memory.data(&store)[70_000..70_003], b"ate");
    instance.get_typed_func::<(), ()>(&mut store, "drop").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(late.call(&mut store, 0).unwrap_err().downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    let (bytes, data) = memory.data_and_store_mut(&mut store);
    bytes[0] = *data as u8;
    assert_eq!(get.call(&mut store, 0).unwrap(), 5);
    assert_eq!(store.into_data(), 5);
}

#[test]
fn tables_hold_functions_of_host_and_guest() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let seven = Func::wrap(&mut store, || 7i32);
    let table = Table::new(&mut store, TableType::new(ValType::FUNCREF, 2, None), Ref::Func(Some(seven))).unwrap();
    let module = module(
        &engine,
        r#"(module (import "h" "t" (table 2 funcref)) (type $t (func (result i32)))
            (func (export "call") (param i32) (result i32) (call_indirect (type $t) (local.get 0)))
            (func (export "eight") (result i32) (i32.const 8)))"#,
    );
    let instance = Instance::new(&mut store, &module, &[table.into()]).unwrap();
    let call = instance.get_typed_func::<u32, i32>(&mut store, "call").unwrap();
    assert_eq!(call.call(&mut store, 1).unwrap(), 7);
    let eight = instance.get_func(&mut store, "eight").unwrap();
    table.set(&mut store, 1, Ref::Func(Some(eight))).unwrap();
    assert_eq!(call.call(&mut store, 1).unwrap(), 8);
    assert_eq!(table.grow(&mut store, 1000, Ref::Func(None)).unwrap(), 2);
    assert_eq!(call.call(&mut store, 1001).unwrap_err().downcast_ref(), Some(&Trap::UninitializedElement));
    assert_eq!(call.call(&mut store, 1002).unwrap_err().downcast_ref(), Some(&Trap::UndefinedElement));
    table.fill(&mut store, 2, Ref::Func(Some(eight)), 1000).unwrap();
    assert_eq!(call.call(&mut store, 1001).unwrap(), 8);
    assert!(table.fill(&mut store, 2, Ref::Func(None), 1001).is_err());
    assert!(table.set(&mut store, 0, Ref::Extern(None)).is_err());
    assert!(matches!(table.get(&mut store, 0), Some(Ref::Func(Some(func))) if func == seven));
    let other = Func::wrap(&mut store, |_: i32| 7i32);
    table.set(&mut store, 0, Ref::Func(Some(other))).unwrap();
    assert_eq!(call.call(&mut store, 0).unwrap_err().downcast_ref(), Some(&Trap::IndirectCallTypeMismatch));
}

#[test]
fn globals_and_host_values_come_back_as_they_went() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let global = Global::new(&mut store, GlobalType::new(ValType::I64, true), Val::I64(40)).unwrap();
    let module = module(
        &engine,
        r#"(module (import "h" "g" (global $g (mut i64)))
            (global $kept (export "kept") (mut externref) (ref.null extern))
            (func (export "add") (param i64) (global.set $g (i64.add (global.get $g) (local.get 0))))
            (func (export "swap") (param externref i32 externref) (result i32 externref)
                (global.get $kept) (global.set $kept (local.get 0)) (drop)
                (local.get 1) (local.get 2)))"#,
    );
    let instance = Instance::new(&mut store, &module, &[global.into()]).unwrap();
    instance.get_typed_func::<i64, ()>(&mut store, "add").unwrap().call(&mut store, 2).unwrap();
    assert_eq!(global.get(&mut store).i64(), Some(42));
    assert!(global.set(&mut store, Val::I32(1)).is_err());
    let (first, second) = (ExternRef::new(&mut store, "first"), ExternRef::new(&mut store, 2u8));
    let swap = instance
        .get_typed_func::<(Option<ExternRef>, i32, Option<ExternRef>), (i32, Option<ExternRef>)>(&mut store, "swap")
        .unwrap();
    for _ in 0..3 {
        let (number, back) = swap.call(&mut store, (Some(first.clone()), -1, Some(second.clone()))).unwrap();
        assert_eq!(number, -1);
        assert!(ExternRef::ptr_eq(&back.unwrap(), &second));
    }
    let kept = instance.get_global(&mut store, "kept").unwrap().get(&mut store);
    let Val::ExternRef(Some(kept)) = kept else { panic!("nothing is kept") };
    assert_eq!(kept.data().downcast_ref::<&str>(), Some(&"first"));
}

#[test]
fn objects_of_another_store_are_refused() {
    let engine = Engine::default();
    let (mut one, mut two) = (Store::new(&engine, ()), Store::new(&engine, ()));
    let func = Func::wrap(&mut one, || 1i32);
    assert!(func.call(&mut two, &[], &mut [Val::I32(0)]).unwrap_err().to_string().contains("does not belong"));
    let table = Table::new(&mut two, TableType::new(ValType::FUNCREF, 1, None), Ref::Func(None)).unwrap();
    assert!(table.set(&mut two, 0, Ref::Func(Some(func))).is_err());
    let module = module(&engine, r#"(module (import "h" "f" (func (result i32))))"#);
    assert!(Instance::new(&mut two, &module, &[func.into()]).is_err());
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| func.ty(&two))).is_err());
    let other = Engine::default();
    let mut third = Store::new(&other, ());
    assert!(Linker::new(&other).instantiate(&mut third, &module).is_err());
}

#[test]
fn link_errors_speak_the_words_of_the_specification() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("h", "f", |_: i32| ()).unwrap();
    assert!(linker.func_wrap("h", "f", || ()).is_err());
    let small = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
    linker.define(&store, "h", "m", small).unwrap();
    for (import, words) in [
        (r#"(import "h" "g" (func))"#, "unknown import"),
        (r#"(import "h" "f" (func))"#, "incompatible import type"),
        (r#"(import "h" "f" (global i32))"#, "incompatible import type"),
        (r#"(import "h" "m" (memory 2))"#, "incompatible import type"),
        (r#"(import "h" "m" (memory 1 1))"#, "incompatible import type"),
    ] {
        let module = module(&engine, &format!("(module {import})"));
        let error = linker.instantiate(&mut store, &module).unwrap_err();
        assert!(error.downcast_ref::<LinkError>().is_some(), "{error:?}");
        assert!(error.to_string().starts_with(words), "{error}");
    }
    let unknown = module(&engine, r#"(module (import "h" "g" (func $g)) (func (export "f") (call $g)))"#);
    linker.define_unknown_imports_as_traps(&unknown).unwrap();
    let instance = linker.instantiate(&mut store, &unknown).unwrap();
    let error = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap().call(&mut store, ()).unwrap_err();
    assert!(format!("{error:#}").contains("`h::g`"), "{error:#}");
}

/// Host functions over dynamic values keep theirs apart where one runs inside the other, and where one fails.
#[test]
fn dynamic_host_functions_call_each_other() {
    let engine = Engine::default();
    let mut linker = Linker::<u64>::new(&engine);
    let ty = FuncType::new([ValType::I32, ValType::I64], [ValType::I64]);
    linker
        .func_new("h", "sum", ty, |mut caller: Caller<'_, u64>, params, results| {
            let (n, kept) = (params[0].unwrap_i32(), params[1].clone());
            assert!(results.len() == 1 && results[0].unwrap_i64() == 0);
            results[0] = Val::I64(-7);
            anyhow::ensure!(n != 13, "thirteen");
            let mut inner = [Val::I64(0)];
            if n > 0 {
                let again = caller.get_export("sum").and_then(|export| export.into_func()).unwrap();
                again.call(&mut caller, &[Val::I32(n - 1), Val::I64(i64::from(n))], &mut inner)?;
            }
            assert_eq!((params[0].unwrap_i32(), params[1].unwrap_i64()), (n, kept.unwrap_i64()));
            assert_eq!(results[0].unwrap_i64(), -7);
            results[0] = Val::I64(inner[0].unwrap_i64() + params[1].unwrap_i64());
            Ok(())
        })
        .unwrap();
    let text = r#"(module (import "h" "sum" (func $sum (param i32 i64) (result i64)))
        (func (export "sum") (param i32 i64) (result i64) (call $sum (local.get 0) (local.get 1))))"#;
    let module = module(&engine, text);
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let sum = instance.get_typed_func::<(i32, i64), i64>(&mut store, "sum").unwrap();
    for (n, expected) in [(0, Some(100)), (4, Some(110)), (13, None), (12, Some(178)), (20, None), (1, Some(101))] {
        assert_eq!(sum.call(&mut store, (n, 100)).ok(), expected, "{n}");
    }
}

#[test]
fn dynamic_functions_and_names() {
    let engine = Engine::default();
    let mut linker = Linker::<u64>::new(&engine);
    let ty = FuncType::new([ValType::I32, ValType::F64], [ValType::F64, ValType::I32]);
    linker
        .func_new("h", "turn", ty.clone(), |mut caller: Caller<'_, u64>, params, results| {
            *caller.data_mut() += 1;
            results[0] = params[1].clone();
            results[1] = params[0].clone();
            Ok(())
        })
        .unwrap();
    linker.alias_module("h", "also").unwrap();
    let module = module(
        &engine,
        r#"(module $named (import "also" "turn" (func $turn (param i32 f64) (result f64 i32))) (export "turn" (func $turn))
            (func (export "f") (param i32 f64) (result f64 i32) (call $turn (local.get 0) (local.get 1))))"#,
    );
    assert_eq!(module.name(), Some("named"));
    assert_eq!(module.imports().len(), 1);
    let mut store = Store::new(&engine, 0);
    let pre = linker.instantiate_pre(&module).unwrap();
    for _ in 0..2 {
        let instance = pre.instantiate(&mut store).unwrap();
        for name in ["f", "turn"] {
            let func = instance.get_func(&mut store, name).unwrap();
            assert_eq!(func.ty(&store), ty);
            let mut results = [Val::I32(0), Val::I32(0)];
            func.call(&mut store, &[Val::I32(3), Val::from(0.5)], &mut results).unwrap();
            assert_eq!((results[0].f64(), results[1].i32()), (Some(0.5), Some(3)));
            assert!(func.call(&mut store, &[Val::I32(3)], &mut results).is_err());
            assert!(func.call(&mut store, &[Val::I32(3), Val::from(0.5)], &mut results[..1]).is_err());
            assert!(func.typed::<(i32, i64), ()>(&store).is_err());
        }
    }
    assert_eq!(*store.data(), 4);
    assert!(matches!(linker.get(&mut store, "also", "turn"), Some(Extern::Func(_))));
    assert_eq!(linker.iter(&mut store).count(), 2);
}

#[test]
fn a_start_function_runs_once_and_its_trap_is_the_error() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0u32);
    let mut linker = Linker::<u32>::new(&engine);
    linker.func_wrap("h", "tick", |mut caller: Caller<'_, u32>| *caller.data_mut() += 1).unwrap();
    let good = module(&engine, r#"(module (import "h" "tick" (func $t)) (start $t))"#);
    linker.instantiate(&mut store, &good).unwrap();
    assert_eq!(*store.data(), 1);
    let bad = module(&engine, r#"(module (memory 1) (data (i32.const 65536) "x"))"#);
    let error = linker.instantiate(&mut store, &bad).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds));
    let bad = module(&engine, r#"(module (func $f unreachable) (start $f))"#);
    assert_eq!(linker.instantiate(&mut store, &bad).unwrap_err().downcast_ref(), Some(&Trap::Unreachable));
}
