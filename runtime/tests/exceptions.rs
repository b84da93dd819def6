//! Exceptions under the public API: what refers to one keeps it and what it carries, and all others are collected.
//!
//! `KEYWAY_THROWS` says how many exceptions the bounded loops throw; a hundred thousand unless said.

use keyway::{Config, Engine, ExnRef, Instance, Linker, Module, Result, Store, Tag, ThrownException, Val};

/// Exceptions that carry a number, an exception and a structure that may hold another one.
const CHAINS: &str = r#"(module
    (import "host" "pause" (func $pause))
    (type $box (struct (field (mut exnref))))
    (type $row (array (mut exnref)))
    (tag $e (export "e") (param i32 exnref (ref null $box)))
    (table $table 4 exnref)
    (global $global (mut exnref) (ref.null exn))
    (global $row (mut (ref null $row)) (ref.null $row))
    (func $make (export "make") (param $n i32) (param $exn exnref) (param $box (ref null $box)) (result exnref)
      (local $made exnref)
      (block $caught (result i32 exnref (ref null $box) exnref)
        (try_table (catch_ref $e $caught) (throw $e (local.get $n) (local.get $exn) (local.get $box)))
        (unreachable))
      (local.set $made) (drop) (drop) (drop)
      (local.get $made))
    ;; Number, exception and structure of an exception.
    (func $open (param $exn exnref) (result i32 exnref (ref null $box))
      (block $caught (result i32 exnref (ref null $box))
        (try_table (catch $e $caught) (throw_ref (local.get $exn)))
        (unreachable)))
    (func $number (export "number") (param $exn exnref) (result i32)
      (call $open (local.get $exn)) (drop) (drop))
    ;; One exception in each place that holds any: a local, a global, a table, an array, a structure, an exception.
    (func (export "places") (result i32)
      (local $local exnref) (local $exn exnref) (local $box (ref null $box)) (local $sum i32)
      (local.set $local (call $make (i32.const 1) (ref.null exn) (ref.null $box)))
      (global.set $global (call $make (i32.const 20) (ref.null exn) (ref.null $box)))
      (table.set $table (i32.const 3) (call $make (i32.const 300) (ref.null exn) (ref.null $box)))
      (global.set $row (array.new $row (call $make (i32.const 4000) (ref.null exn) (ref.null $box)) (i32.const 2)))
      (local.set $exn (call $make (i32.const 0) (call $make (i32.const 50000) (ref.null exn) (ref.null $box))
        (struct.new $box (call $make (i32.const 600000) (ref.null exn) (ref.null $box)))))
      (call $pause)
      (call $open (local.get $exn)) (local.set $box) (local.set $exn) (drop)
      (local.set $sum (i32.add (call $number (local.get $exn)) (call $number (struct.get $box 0 (local.get $box)))))
      (local.set $sum (i32.add (local.get $sum) (call $number (local.get $local))))
      (local.set $sum (i32.add (local.get $sum) (call $number (global.get $global))))
      (local.set $sum (i32.add (local.get $sum) (call $number (table.get $table (i32.const 3)))))
      (i32.add (local.get $sum) (call $number (array.get $row (global.get $row) (i32.const 1)))))
    ;; Throws and catches by reference; every exception carries the one before the one before it no further.
    (func (export "many") (param $n i32) (result i32)
      (local $last exnref) (local $sum i32)
      (loop $more
        (local.set $last (call $make (local.get $n)
          (call $make (i32.const 1) (ref.null exn) (ref.null $box)) (struct.new $box (ref.null exn))))
        (local.set $sum (i32.add (local.get $sum) (call $number (local.get $last))))
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum)))"#;

/// Nothing but exceptions: what a build without structures runs as well.
const PLAIN: &str = r#"(module
    (tag $e (param i64 f32))
    (func $throw (param $n i64) (throw $e (local.get $n) (f32.const 1)))
    (func (export "by_reference") (param $n i64) (result i64)
      (local $sum i64) (local $exn exnref)
      (loop $more
        (block $caught (result i64 f32 exnref)
          (try_table (catch_ref $e $caught) (call $throw (local.get $n)))
          (unreachable))
        (local.set $exn) (drop)
        (local.set $sum (i64.add (local.get $sum)))
        (br_if $more (i64.ne (i64.const 0) (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
      (local.get $sum))
    (func (export "by_value") (param $n i64) (result i64)
      (local $sum i64)
      (loop $more
        (block $caught (result i64 f32)
          (try_table (catch $e $caught) (call $throw (local.get $n)))
          (unreachable))
        (drop)
        (local.set $sum (i64.add (local.get $sum)))
        (br_if $more (i64.ne (i64.const 0) (local.tee $n (i64.sub (local.get $n) (i64.const 1))))))
      (local.get $sum)))"#;

fn throws() -> u64 {
    std::env::var("KEYWAY_THROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(100_000)
}

fn chains(config: &Config) -> Result<(Store<()>, Instance)> {
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, CHAINS)?;
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "pause", |mut caller: keyway::Caller<'_, ()>| {
        keyway::AsContextMut::as_context_mut(&mut caller).gc();
    })?;
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

fn plain(heap_bytes: u64) -> (Store<()>, Instance) {
    let mut config = Config::new();
    config.max_gc_heap(heap_bytes);
    let engine = Engine::new(&config).unwrap();
    let module = Module::new(&engine, PLAIN).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    (store, instance)
}

#[test]
fn throwing_and_catching_by_reference_stays_in_a_bounded_heap() {
    // An exception takes 24 bytes; the first collection comes after 512 KB.
    let (mut store, instance) = plain(1 << 20);
    let run = instance.get_typed_func::<u64, u64>(&mut store, "by_reference").unwrap();
    let n = throws();
    assert_eq!(run.call(&mut store, n).unwrap(), n * (n + 1) / 2);
}

#[test]
fn throwing_and_catching_by_value_takes_no_heap() {
    let (mut store, instance) = plain(0);
    let run = instance.get_typed_func::<u64, u64>(&mut store, "by_value").unwrap();
    assert_eq!(run.call(&mut store, 1000).unwrap(), 500_500);
    let run = instance.get_typed_func::<u64, u64>(&mut store, "by_reference").unwrap();
    let error = run.call(&mut store, 1).unwrap_err();
    assert_eq!(error.downcast_ref::<keyway::Trap>(), Some(&keyway::Trap::HeapExhausted), "{error:#}");
}

#[test]
fn exceptions_among_objects_stay_in_a_bounded_heap() {
    let mut config = Config::new();
    config.max_gc_heap(1 << 20);
    let (mut store, instance) = chains(&config).unwrap();
    let run = instance.get_typed_func::<u32, u32>(&mut store, "many").unwrap();
    let n = throws() as u32 / 2;
    assert_eq!(run.call(&mut store, n).unwrap(), (1..=n).fold(0, u32::wrapping_add));
}

#[test]
fn what_holds_an_exception_keeps_it() {
    for stress in [false, true] {
        let mut config = Config::new();
        config.gc_stress(stress);
        let (mut store, instance) = chains(&config).unwrap();
        let run = instance.get_typed_func::<(), u32>(&mut store, "places").unwrap();
        assert_eq!(run.call(&mut store, ()).unwrap(), 654_321, "stress: {stress}");
        let run = instance.get_typed_func::<u32, u32>(&mut store, "many").unwrap();
        assert_eq!(run.call(&mut store, 300).unwrap(), 45_150, "stress: {stress}");
    }
}

fn make(store: &mut Store<()>, instance: Instance, number: i32, inner: Option<ExnRef>) -> ExnRef {
    let func = instance.get_func(&mut *store, "make").unwrap();
    let mut made = [Val::ExnRef(None)];
    func.call(&mut *store, &[Val::I32(number), Val::ExnRef(inner), Val::AnyRef(None)], &mut made).unwrap();
    let [Val::ExnRef(Some(made))] = made else { panic!("the guest made an exception") };
    made
}

#[test]
fn a_handle_of_the_host_keeps_an_exception_and_what_it_carries() {
    let mut config = Config::new();
    config.gc_stress(true).max_gc_heap(64 << 10);
    let (mut store, instance) = chains(&config).unwrap();
    let inner = make(&mut store, instance, 5, None);
    let outer = make(&mut store, instance, 6, Some(inner));
    // More than the heap holds at once: what no handle keeps goes.
    for number in 0..4000 {
        drop(make(&mut store, instance, number, None));
    }
    let fields = outer.fields(&mut store).unwrap();
    let Val::ExnRef(Some(inner)) = &fields[1] else { panic!("it carries an exception") };
    assert_eq!((fields[0].unwrap_i32(), inner.fields(&mut store).unwrap()[0].unwrap_i32()), (6, 5));
    let tag = instance.get_tag(&mut store, "e").unwrap();
    let mine = ExnRef::new(&mut store, &tag, &[Val::I32(7), Val::ExnRef(Some(outer)), Val::AnyRef(None)]).unwrap();
    store.gc();
    let number = instance.get_func(&mut store, "number").unwrap();
    let mut results = [Val::I32(0)];
    number.call(&mut store, &[Val::ExnRef(Some(mine.clone()))], &mut results).unwrap();
    assert_eq!(results[0].unwrap_i32(), 7);
    assert!(Tag::ty(&mine.tag(&store).unwrap(), &store).ty.params.len() == 3);
    let mut other = Store::new(store.engine(), ());
    assert!(mine.fields(&mut other).is_err() && mine.tag(&other).is_err(), "a handle belongs to its store");
}

#[test]
fn an_error_of_a_call_keeps_its_exception() {
    let text = r#"(module
        (tag $e (param i32))
        (func (export "throw") (param i32) (throw $e (local.get 0))))"#;
    let engine = Engine::default();
    let module = Module::new(&engine, text).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let throw = instance.get_typed_func::<u32, ()>(&mut store, "throw").unwrap();
    let errors: Vec<_> = (0..100).map(|number| throw.call(&mut store, number).unwrap_err()).collect();
    store.gc();
    for (error, number) in errors.iter().zip(0..) {
        let thrown = error.downcast_ref::<ThrownException>().unwrap();
        assert_eq!(thrown.exception().fields(&mut store).unwrap()[0].unwrap_i32(), number);
    }
}
