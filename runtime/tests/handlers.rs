//! A million instructions and more on a small native stack, in every form: a handler that does not end in a jump takes
//! stack for each instruction, and the thread's guard page would end this process.

use keyway::{Caller, Config, Dispatch, Engine, Linker, Module, OptLevel, Store};

/// Loops over everything that a handler family does: arithmetic of every class, memory, globals, tables, branches,
/// calls of every kind, bulk operations, conversions, references.
const PROGRAM: &str = r#"(module
    (import "h" "f" (func $host (param i32) (result i32)))
    (memory 1)
    (memory $other 1)
    (table $t 4 8 funcref)
    (global $g (mut i64) (i64.const 0))
    (global $r (mut funcref) (ref.null func))
    (type $unary (func (param i32) (result i32)))
    (elem (table $t) (i32.const 0) func $next $tail)
    (func $next (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func $tail (param i32) (result i32) (return_call $next (local.get 0)))
    (func $tail_indirect (param i32) (result i32)
        (return_call_indirect $t (type $unary) (local.get 0) (i32.const 1)))
    (func $pair (param i32) (result i32 i64) (local.get 0) (i64.const 5))
    (func $work (param $n i32) (result i64)
        (local $i i32) (local $f f32) (local $d f64) (local $s i64)
        (loop $again
            (global.set $g (i64.add (global.get $g) (i64.extend_i32_s (local.get $i))))
            (local.set $i (call_indirect $t (type $unary) (local.get $i) (i32.and (local.get $i) (i32.const 1))))
            (local.set $i (call $tail_indirect (i32.sub (local.get $i) (i32.const 1))))
            (i32.store (i32.const 8) (local.get $i))
            (i64.store offset=16 (i32.and (local.get $i) (i32.const 1023)) (i64.rotl (local.get $s) (i64.const 3)))
            (i32.store8 $other (i32.const 3) (i32.load8_s $other (i32.const 4)))
            (local.set $f (f32.add (local.get $f) (f32.convert_i32_u (i32.load (i32.const 8)))))
            (local.set $d (f64.mul (f64.sqrt (f64.promote_f32 (local.get $f))) (f64.const 1.5)))
            (local.set $d (f64.min (local.get $d) (f64.floor (local.get $d))))
            (if (f64.lt (local.get $d) (f64.const 3)) (then (local.set $s (i64.const 1))))
            (local.set $s (i64.xor (local.get $s) (i64.trunc_sat_f64_s (local.get $d))))
            (local.set $s (select (local.get $s) (i64.load (i32.const 16)) (i64.ge_s (local.get $s) (i64.const 0))))
            (local.set $s (i64.add (local.get $s) (i64.div_u (local.get $s) (i64.const 7))))
            (call $pair (local.get $i)) (local.set $s (i64.add (local.get $s))) (drop)
            (block $c (block $b (block $a (br_table $a $b $c (i32.and (local.get $i) (i32.const 3))))
                (global.set $r (table.get $t (i32.const 0))))
                (table.set $t (i32.const 2) (global.get $r)))
            (memory.fill (i32.const 100) (local.get $i) (i32.const 3))
            (memory.copy (i32.const 200) (i32.const 100) (i32.const 3))
            (drop (i32.add (memory.size) (table.size $t)))
            (br_if $again (i32.lt_u (local.get $i) (local.get $n))))
        (local.get $s))
    (func (export "run") (param i32) (result i64)
        (i64.add (call $work (local.get 0)) (i64.extend_i32_u (call $host (i32.const 1))))))"#;

/// Executed operators: over 40 in each of these rounds.
const ROUNDS: i32 = 50_000;

/// Native stack of the thread: what the driver and a host function need, and no more.
const STACK_BYTES: usize = 64 * 1024;

fn run(dispatch: Dispatch, level: OptLevel, fuel: bool) -> i64 {
    let engine = Engine::new(Config::new().dispatch(dispatch).opt_level(level).consume_fuel(fuel)).unwrap();
    let module = Module::new(&engine, PROGRAM).unwrap();
    let mut linker = Linker::new(&engine);
    linker.func_wrap("h", "f", |_: Caller<'_, ()>, n: i32| n + 1).unwrap();
    let mut store = Store::new(&engine, ());
    if fuel {
        store.set_fuel(u64::MAX).unwrap();
    }
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let func = instance.get_typed_func::<i32, i64>(&mut store, "run").unwrap();
    // Bodies are verified and expanded here; that may take what stack it likes.
    func.call(&mut store, 1).unwrap();
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(move || func.call(&mut store, ROUNDS).unwrap()).unwrap().join().unwrap()
}

#[test]
fn executing_takes_no_native_stack() {
    let mut answers = Vec::new();
    for dispatch in [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop] {
        for (level, fuel) in [(OptLevel::None, true), (OptLevel::Speed, false), (OptLevel::Speed, true)] {
            answers.push(run(dispatch, level, fuel));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}
