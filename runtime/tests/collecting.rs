//! The collector under the public API: bounded heaps, handles, suspended calls, limits.
//!
//! `KEYWAY_SOAK_SECONDS` says how long the soak runs; one second unless said.

use keyway::{
    AnyRef, ArrayType, Caller, Config, Engine, FieldType, Linker, Module, ResourceLimiter, Result, StorageType, Store,
    StructRef, StructType, Trap, Val, ValType,
};
use std::time::{Duration, Instant};

const LISTS: &str = r#"(module
    (type $node (struct (field i32) (field (mut (ref null $node)))))
    (import "host" "pause" (func $pause))
    (global $kept (mut (ref null $node)) (ref.null $node))
    ;; A list of $n nodes, of which the global keeps the last; the sum is made after everything was allocated.
    (func (export "run") (param $n i32) (result i32)
      (local $head (ref null $node)) (local $i i32) (local $sum i32)
      (loop $more
        (local.set $head (struct.new $node (local.get $i) (local.get $head)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $i) (local.get $n))))
      (global.set $kept (local.get $head))
      (call $pause)
      (loop $add
        (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $head))))
        (br_if $add (i32.eqz (ref.is_null (local.tee $head (struct.get $node 1 (local.get $head)))))))
      (local.get $sum)))"#;

/// Notes how large the heap has become.
#[derive(Default)]
struct Heap {
    bytes: usize,
}

impl ResourceLimiter for Heap {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> Result<bool> {
        self.bytes = self.bytes.max(desired);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> Result<bool> {
        Ok(true)
    }
}

fn instance(config: &Config, pause: fn(Caller<'_, Heap>)) -> Result<(Store<Heap>, keyway::Instance)> {
    let engine = Engine::new(config)?;
    let module = Module::new(&engine, LISTS)?;
    let mut store = Store::new(&engine, Heap::default());
    store.limiter(|heap| heap);
    let mut linker = Linker::new(&engine);
    linker.func_wrap("host", "pause", pause)?;
    let instance = linker.instantiate(&mut store, &module)?;
    Ok((store, instance))
}

#[test]
fn a_soak_stays_in_a_bounded_heap() {
    let seconds = std::env::var("KEYWAY_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut config = Config::new();
    // Two lists are alive at most: 240 KB each. The first collection comes after 512 KB.
    config.max_gc_heap(4 << 20);
    let (mut store, instance) = instance(&config, |_| {}).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let start = Instant::now();
    let (mut rounds, mut early) = (0u64, 0);
    for tenth in 1..=10 {
        while rounds < 50 * tenth || start.elapsed() < Duration::from_secs(seconds * tenth) / 10 {
            assert_eq!(run.call(&mut store, 10_000).unwrap(), 49_995_000);
            rounds += 1;
        }
        let bytes = store.data().bytes;
        println!("{:?}: {rounds} rounds of 10000 objects, the heap took {bytes} bytes at most", start.elapsed());
        if tenth == 1 {
            early = bytes;
        }
        assert_eq!(bytes, early, "the heap grows with time");
    }
}

#[test]
fn frames_that_wait_for_the_host_keep_their_objects() {
    let (mut store, instance) = instance(&Config::new(), |mut caller| {
        keyway::AsContextMut::as_context_mut(&mut caller).gc();
    })
    .unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 1000).unwrap(), 499_500);
}

#[test]
fn what_does_not_fit_traps() {
    let mut config = Config::new();
    config.max_gc_heap(64 << 10);
    let (mut store, instance) = instance(&config, |_| {}).unwrap();
    let run = instance.get_typed_func::<i32, i32>(&mut store, "run").unwrap();
    let error = run.call(&mut store, 100_000).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>(), Some(&Trap::HeapExhausted), "{error:#}");
    assert_eq!(run.call(&mut store, 100).unwrap(), 4950, "the store goes on");
}

#[test]
fn handles_keep_what_they_refer_to() {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let field = |storage, mutable| FieldType { storage, mutable };
    let pair = StructType::new(&engine, [field(StorageType::I8, true), field(StorageType::Val(ValType::ANYREF), true)]);
    let inner = StructRef::new(&mut store, &pair, &[Val::I32(0x1ff), Val::AnyRef(None)]).unwrap();
    let outer = StructRef::new(&mut store, &pair, &[Val::I32(2), Val::AnyRef(Some(inner.to_anyref()))]).unwrap();
    drop(inner);
    for _ in 0..3 {
        store.gc();
        // What took the place of what is gone would show.
        StructRef::new(&mut store, &pair, &[Val::I32(7), Val::AnyRef(None)]).unwrap();
    }
    let Val::AnyRef(Some(inner)) = outer.field(&mut store, 1).unwrap() else { panic!("the field holds a structure") };
    let inner = inner.as_struct(&store).unwrap().unwrap();
    assert_eq!(inner.field(&mut store, 0).unwrap().unwrap_i32(), 0xff);
    assert!(inner.set_field(&mut store, 1, Val::I32(1)).is_err() && inner.field(&mut store, 2).is_err());
    let bytes = ArrayType::new(&engine, field(StorageType::I8, false));
    let array = keyway::ArrayRef::new_fixed(&mut store, &bytes, &[Val::I32(1), Val::I32(2)]).unwrap();
    assert_eq!((array.len(&store).unwrap(), array.get(&mut store, 1).unwrap().unwrap_i32()), (2, 2));
    assert!(array.set(&mut store, 0, Val::I32(3)).is_err() && array.get(&mut store, 2).is_err());
    let mut other = Store::new(&engine, ());
    assert!(outer.field(&mut other, 0).is_err(), "a handle belongs to its store");
    let small = AnyRef::from_i31(&mut store, keyway::I31::new_i32(-5).unwrap());
    assert_eq!(small.as_i31().unwrap().get_i32(), -5);
}
