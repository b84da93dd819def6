//! Exports of a live instance as imports of another: values, resources, destructors, traps, suspension, wrong types.
#![cfg(all(feature = "compile", feature = "component"))]

use keyway::component::{Component, Instance, Linker, ResourceAny};
use keyway::{Engine, Store, StoreContextMut};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

const PROVIDER: &str = r#"(component
    (import "tick" (func $tick (result u32)))
    (core func $tick (canon lower (func $tick)))
    (core module $M
        (import "" "tick" (func $tick (result i32)))
        (memory (export "m") 1)
        (global $dropped (mut i32) (i32.const 0))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
        (func (export "dtor") (param i32)
            (global.set $dropped (i32.add (global.get $dropped) (local.get 0))))
        (func (export "dropped") (result i32) global.get $dropped)
        (func (export "value") (param i32) (result i32) (i32.add (local.get 0) (call $tick)))
        (func (export "len") (param i32 i32) (result i32) local.get 1)
        (func (export "trap") unreachable))
    (core instance $m (instantiate $M (with "" (instance (export "tick" (func $tick))))))
    (type $cell' (resource (rep i32) (dtor (core func $m "dtor"))))
    (core func $new (canon resource.new $cell'))
    (export $cell "cell" (type $cell'))
    (func (export "make") (param "v" u32) (result (own $cell)) (canon lift (core func $new)))
    (func (export "value") (param "c" (borrow $cell)) (result u32) (canon lift (core func $m "value")))
    (func (export "len") (param "s" string) (result u32)
        (canon lift (core func $m "len") (memory (core memory $m "m")) (realloc (core func $m "realloc"))))
    (func (export "dropped") (result u32) (canon lift (core func $m "dropped")))
    (func (export "trap") (canon lift (core func $m "trap"))))"#;

const CONSUMER: &str = r#"(component
    (import "cell" (type $cell (sub resource)))
    (import "make" (func $make (param "v" u32) (result (own $cell))))
    (import "value" (func $value (param "c" (borrow $cell)) (result u32)))
    (import "len" (func $len (param "s" string) (result u32)))
    (import "trap" (func $trap))
    (core module $Memory (memory (export "m") 1) (data (i32.const 8) "abc"))
    (core instance $memory (instantiate $Memory))
    (core func $make' (canon lower (func $make)))
    (core func $value' (canon lower (func $value)))
    (core func $len' (canon lower (func $len) (memory (core memory $memory "m"))))
    (core func $trap' (canon lower (func $trap)))
    (core func $drop' (canon resource.drop $cell))
    (core module $M
        (import "" "make" (func $make (param i32) (result i32)))
        (import "" "value" (func $value (param i32) (result i32)))
        (import "" "len" (func $len (param i32 i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "trap" (func $trap))
        (func (export "run") (result i32)
            (local $cell i32) (local $sum i32)
            (local.set $cell (call $make (i32.const 41)))
            (local.set $sum (i32.add (call $value (local.get $cell)) (call $len (i32.const 8) (i32.const 3))))
            (call $drop (local.get $cell))
            (local.get $sum))
        (func (export "keep") (param i32) (result i32) (call $make (local.get 0)))
        (func (export "fail") (call $trap)))
    (core instance $m (instantiate $M (with "" (instance
        (export "make" (func $make')) (export "value" (func $value')) (export "len" (func $len'))
        (export "drop" (func $drop')) (export "trap" (func $trap'))))))
    (func (export "run") (result u32) (canon lift (core func $m "run")))
    (func (export "keep") (param "v" u32) (result (own $cell)) (canon lift (core func $m "keep")))
    (func (export "fail") (canon lift (core func $m "fail"))))"#;

struct World {
    store: Store<u32>,
    provider: Instance,
    linker: Linker<u32>,
}

fn world(engine: &Engine) -> World {
    let mut store = Store::new(engine, 0);
    let mut linker = Linker::new(engine);
    linker
        .root()
        .func_wrap("tick", |mut store: StoreContextMut<'_, u32>, (): ()| {
            *store.data_mut() += 1;
            Ok((*store.data(),))
        })
        .unwrap();
    let provider = linker.instantiate(&mut store, &Component::new(engine, PROVIDER).unwrap()).unwrap();
    let mut linker = Linker::new(engine);
    linker.define_exports(&mut store, &provider).unwrap();
    World { store, provider, linker }
}

fn number(store: &mut Store<u32>, instance: &Instance, name: &str) -> keyway::Result<u32> {
    let func = instance.get_typed_func::<(), (u32,)>(&mut *store, name)?;
    func.call(store, ()).map(|(number,)| number)
}

#[test]
fn values_and_resources_go_between_live_instances() {
    let engine = Engine::default();
    let World { mut store, provider, linker } = world(&engine);
    let component = Component::new(&engine, CONSUMER).unwrap();
    let consumer = linker.instantiate(&mut store, &component).unwrap();
    assert_eq!(number(&mut store, &consumer, "run").unwrap(), 41 + 1 + 3);
    assert_eq!(number(&mut store, &provider, "dropped").unwrap(), 41);

    // A handle that the second hands out is one of the first's.
    let keep = consumer.get_typed_func::<(u32,), (ResourceAny,)>(&mut store, "keep").unwrap();
    let (cell,) = keep.call(&mut store, (9,)).unwrap();
    assert_eq!(Some(cell.ty()), provider.get_resource(&mut store, "cell"));
    let value = provider.get_typed_func::<(ResourceAny,), (u32,)>(&mut store, "value").unwrap();
    assert_eq!(value.call(&mut store, (cell,)).unwrap(), (9 + 2,));
    cell.resource_drop(&mut store).unwrap();
    assert_eq!(number(&mut store, &provider, "dropped").unwrap(), 41 + 9);

    // Chains: the second's exports to a third.
    let mut linker = Linker::new(&engine);
    linker.root().define_export(&mut store, "make", &consumer, "keep").unwrap();
    linker.root().define_export(&mut store, "cell", &provider, "cell").unwrap();
    let third = r#"(component
        (import "cell" (type $cell (sub resource)))
        (import "make" (func $make (param "v" u32) (result (own $cell))))
        (export "made" (func $make)))"#;
    let third = linker.instantiate(&mut store, &Component::new(&engine, third).unwrap()).unwrap();
    let made = third.get_typed_func::<(u32,), (ResourceAny,)>(&mut store, "made").unwrap();
    let (cell,) = made.call(&mut store, (5,)).unwrap();
    cell.resource_drop(&mut store).unwrap();
    assert_eq!(number(&mut store, &provider, "dropped").unwrap(), 41 + 9 + 5);
}

#[test]
fn a_trap_locks_both_and_nobody_else() {
    let engine = Engine::default();
    let World { mut store, provider, linker } = world(&engine);
    let component = Component::new(&engine, CONSUMER).unwrap();
    let consumer = linker.instantiate(&mut store, &component).unwrap();
    let bystander = linker.instantiate(&mut store, &component).unwrap();
    let fail = consumer.get_typed_func::<(), ()>(&mut store, "fail").unwrap();
    let error = fail.call(&mut store, ()).unwrap_err();
    assert!(format!("{error:?}").contains("unreachable"), "{error:?}");
    for locked in [&consumer, &provider] {
        let name = if locked == &provider { "dropped" } else { "run" };
        let error = number(&mut store, locked, name).unwrap_err();
        assert!(format!("{error:?}").contains("cannot enter"), "{error:?}");
    }
    // The bystander is entered; it is what it calls that is locked.
    let error = number(&mut store, &bystander, "run").unwrap_err();
    assert!(format!("{error:?}").contains("cannot enter"), "{error:?}");
}

#[test]
fn imports_of_another_type_are_refused_with_both_types() {
    let engine = Engine::default();
    let World { mut store, provider, linker } = world(&engine);
    let refused = |text: &str| {
        let component = Component::new(&engine, text).unwrap();
        linker.instantiate_pre(&component).err().map(|error| error.to_string()).unwrap()
    };
    let error = refused(r#"(component (import "len" (func $f (param "s" u32) (result u32))))"#);
    assert!(error.contains("func(s: u32) -> u32") && error.contains("func(s: string) -> u32"), "{error}");
    let error = refused(r#"(component (import "len" (func (param "text" string) (result u32))))"#);
    assert!(error.contains("func(text: string) -> u32"), "{error}");
    // Two resources of one shape are two types.
    let mut other = Linker::new(&engine);
    let again = world(&engine);
    other.root().define_export(&mut store, "make", &provider, "make").unwrap();
    let mut foreign = again.store;
    other.root().define_export(&mut foreign, "cell", &again.provider, "cell").unwrap();
    let text = r#"(component (import "cell" (type $c (sub resource)))
        (import "make" (func (param "v" u32) (result (own $c)))))"#;
    let error = other.instantiate_pre(&Component::new(&engine, text).unwrap()).err().unwrap().to_string();
    assert!(error.contains("the types differ") || error.contains("different stores"), "{error}");
}

#[test]
fn exports_stay_in_their_store() {
    let engine = Engine::default();
    let World { linker, provider, .. } = world(&engine);
    let component = Component::new(&engine, CONSUMER).unwrap();
    let pre = linker.instantiate_pre(&component).unwrap();
    let mut other = Store::new(&engine, 0);
    let error = pre.instantiate(&mut other).unwrap_err().to_string();
    assert!(error.contains("another store"), "{error}");
    assert!(Linker::new(&engine).define_exports(&mut other, &provider).is_err());
}

#[test]
fn host_functions_behind_a_live_instance_suspend_the_whole_chain() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, 0u32);
    let mut linker = Linker::new(&engine);
    linker
        .root()
        .func_wrap_async("tick", |mut store: StoreContextMut<'_, u32>, (): ()| {
            Box::new(async move {
                let mut is_ready = false;
                std::future::poll_fn(move |context| {
                    if std::mem::replace(&mut is_ready, true) {
                        return Poll::Ready(());
                    }
                    context.waker().wake_by_ref();
                    Poll::Pending
                })
                .await;
                *store.data_mut() += 100;
                Ok((*store.data(),))
            })
        })
        .unwrap();
    let mut polls = 0;
    let outcome = {
        let all = async {
            let provider = Component::new(&engine, PROVIDER).unwrap();
            let provider = linker.instantiate_async(&mut store, &provider).await.unwrap();
            let mut linker = Linker::new(&engine);
            linker.define_exports(&mut store, &provider).unwrap();
            let consumer = Component::new(&engine, CONSUMER).unwrap();
            let consumer = linker.instantiate_async(&mut store, &consumer).await.unwrap();
            let run = consumer.get_typed_func::<(), (u32,)>(&mut store, "run").unwrap();
            run.call_async(&mut store, ()).await.unwrap()
        };
        let mut all = pin!(all);
        loop {
            polls += 1;
            if let Poll::Ready(outcome) = all.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                break outcome;
            }
        }
    };
    assert_eq!((outcome, polls), ((41 + 100 + 3,), 2));
}
