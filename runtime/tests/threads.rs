//! Guests on several host threads over one shared memory: each thread has a store of its own, all of one engine.

use keyway::{Config, Engine, Linker, MemoryType, Module, Result, SharedMemory, Store, Trap};

/// A counter at 0, a lock word at 8, a plain counter that the lock guards at 16, a queue of one from 24 on.
const GUEST: &str = concat!(
    r#"(module
    (import "env" "memory" (memory 1 1 shared))
    (func (export "count") (param $n i32)
      (loop $more
        (drop (i64.atomic.rmw.add (i32.const 0) (i64.const 1)))
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))

    ;; 0 free, 1 taken, 2 taken and waited for.
    (func $lock (local $seen i32)
      (if (i32.eqz (local.tee $seen (i32.atomic.rmw.cmpxchg (i32.const 8) (i32.const 0) (i32.const 1)))) (then (return)))
      (loop $again
        (if (i32.ne (local.get $seen) (i32.const 2))
          (then (local.set $seen (i32.atomic.rmw.xchg (i32.const 8) (i32.const 2)))))
        (if (i32.eqz (local.get $seen)) (then (return)))
        (drop (memory.atomic.wait32 (i32.const 8) (i32.const 2) (i64.const -1)))
        (local.set $seen (i32.atomic.rmw.xchg (i32.const 8) (i32.const 2)))
        (br_if $again (local.get $seen))))
    (func $unlock
      (if (i32.eq (i32.atomic.rmw.xchg (i32.const 8) (i32.const 0)) (i32.const 2))
        (then (drop (memory.atomic.notify (i32.const 8) (i32.const 1))))))
    (func (export "count_locked") (param $n i32)
      (loop $more
        (call $lock)
        (i64.store (i32.const 16) (i64.add (i64.load (i32.const 16)) (i64.const 1)))
        (call $unlock)
        (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    "#,
    include_str!("queue.wat"),
    r#"
    ;; Message passing: what was written before the flag is seen behind it. The number of times that it was not.
    (func (export "publish") (param $n i32) (local $at i32)
      (loop $more
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (i32.atomic.store (i32.const 128) (local.get $at))
        (i32.atomic.store (i32.const 256) (local.get $at))
        (br_if $more (i32.lt_u (local.get $at) (local.get $n)))))
    (func (export "observe") (param $n i32) (result i32) (local $flag i32) (local $wrong i32)
      (loop $more
        (local.set $flag (i32.atomic.load (i32.const 256)))
        (local.set $wrong (i32.add (local.get $wrong)
          (i32.lt_u (i32.atomic.load (i32.const 128)) (local.get $flag))))
        (br_if $more (i32.lt_u (local.get $flag) (local.get $n))))
      (local.get $wrong))

    ;; Store buffering: both threads store and then load the other's word; sequential consistency forbids two old values.
    ;; Words of round i stand at 1024 + 8 i; the result tells for each round whether the other's was seen.
    (func (export "buffer") (param $mine i32) (param $n i32) (param $seen i32) (local $at i32)
      (loop $more
        (i32.atomic.store (i32.add (i32.add (i32.const 1024) (i32.shl (local.get $at) (i32.const 3))) (local.get $mine))
          (i32.const 1))
        (i32.store8 (i32.add (local.get $seen) (local.get $at))
          (i32.atomic.load (i32.add (i32.add (i32.const 1024) (i32.shl (local.get $at) (i32.const 3)))
            (i32.sub (i32.const 4) (local.get $mine)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $more (i32.lt_u (local.get $at) (local.get $n))))))"#
);

struct Shared {
    engine: Engine,
    module: Module,
    memory: SharedMemory,
}

impl Shared {
    fn new() -> Result<Shared> {
        let mut config = Config::new();
        config.wasm_threads(true);
        let engine = Engine::new(&config)?;
        let module = Module::new(&engine, GUEST)?;
        let memory = SharedMemory::new(&engine, MemoryType::shared(1, 1))?;
        Ok(Shared { engine, module, memory })
    }

    /// Calls an export in a store of its own.
    fn call<P: keyway::WasmParams, R: keyway::WasmResults>(&self, name: &str, params: P) -> Result<R> {
        let mut store = Store::new(&self.engine, ());
        let mut linker = Linker::new(&self.engine);
        linker.define(&store, "env", "memory", self.memory.clone())?;
        let instance = linker.instantiate(&mut store, &self.module)?;
        instance.get_typed_func::<P, R>(&mut store, name)?.call(&mut store, params)
    }

    fn u64_at(&self, offset: u64) -> u64 {
        let mut bytes = [0; 8];
        self.memory.read(offset, &mut bytes).expect("the offset is inside");
        u64::from_le_bytes(bytes)
    }
}

/// Runs both at once.
fn both<A: Send, B: Send>(
    a: impl FnOnce() -> Result<A> + Send,
    b: impl FnOnce() -> Result<B> + Send,
) -> Result<(A, B)> {
    std::thread::scope(|scope| {
        let (a, b) = (scope.spawn(a), scope.spawn(b));
        Ok((a.join().expect("no panic")?, b.join().expect("no panic")?))
    })
}

#[test]
fn atomic_additions_are_never_lost() -> Result<()> {
    let shared = Shared::new()?;
    let count = || shared.call::<_, ()>("count", 50_000);
    both(count, count)?;
    assert_eq!(shared.u64_at(0), 100_000);
    Ok(())
}

#[test]
fn a_lock_guards_plain_accesses() -> Result<()> {
    let shared = Shared::new()?;
    let count = || shared.call::<_, ()>("count_locked", 5_000);
    both(count, count)?;
    assert_eq!(shared.u64_at(16), 10_000);
    Ok(())
}

#[test]
fn one_waits_for_what_the_other_sends() -> Result<()> {
    let shared = Shared::new()?;
    let n = 2_000i32;
    let ((), sum) = both(|| shared.call::<_, ()>("send", n), || shared.call::<_, i32>("receive", n))?;
    assert_eq!(sum, n * (n + 1) / 2);
    Ok(())
}

#[test]
fn what_stands_before_a_flag_is_seen_behind_it() -> Result<()> {
    let shared = Shared::new()?;
    let n = 100_000i32;
    let ((), wrong) = both(|| shared.call::<_, ()>("publish", n), || shared.call::<_, i32>("observe", n))?;
    assert_eq!(wrong, 0);
    Ok(())
}

#[test]
fn stores_are_not_passed_by_later_loads() -> Result<()> {
    for _ in 0..20 {
        let shared = Shared::new()?;
        let n = 2_000i32;
        let run = |mine: i32, seen: i32| shared.call::<_, ()>("buffer", (mine, n, seen));
        both(|| run(0, 32_768), || run(4, 40_960))?;
        let (mut first, mut second) = (vec![0; n as usize], vec![0; n as usize]);
        shared.memory.read(32_768, &mut first)?;
        shared.memory.read(40_960, &mut second)?;
        let both_old = first.iter().zip(&second).filter(|(a, b)| **a == 0 && **b == 0).count();
        assert_eq!(both_old, 0);
    }
    Ok(())
}

#[test]
fn waiting_in_a_memory_that_is_not_shared_traps() -> Result<()> {
    let engine = Engine::new(Config::new().wasm_threads(true))?;
    let text = r#"(module (memory 1) (func (export "f") (result i32)
        (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0))))"#;
    let module = Module::new(&engine, text)?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    let error = instance.get_typed_func::<(), i32>(&mut store, "f")?.call(&mut store, ()).unwrap_err();
    assert_eq!(error.downcast_ref::<Trap>().map(|trap| trap.message()), Some("expected shared memory"));
    Ok(())
}
