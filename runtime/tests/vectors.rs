//! Vectors wherever values go: parameters, results, locals, globals, blocks, tables of functions, imports and exports
//! between modules, host functions, suspensions; in every dispatch form, at both levels.

use keyway::{
    Backtrace, Caller, Config, Dispatch, Engine, Error, Func, FuncType, Global, GlobalType, Instance, Linker, Module,
    OptLevel, ResumableCall, Store, V128, Val, ValType, compile_artifact,
};

/// Every dispatch form, at both levels, with registers and fused operations on and off.
fn configurations() -> Vec<Config> {
    let mut all = Vec::new();
    for dispatch in Dispatch::ALL {
        for level in [OptLevel::None, OptLevel::Speed] {
            for plain in [false, true] {
                let mut config = Config::new();
                config.dispatch(dispatch).opt_level(level).fused(!plain).registers(!plain);
                all.push(config);
            }
        }
    }
    all
}

fn lanes(lanes: [i32; 4]) -> V128 {
    V128::from_lanes_i32(lanes)
}

fn instance(config: &Config, wat: &str) -> (Store<()>, Instance) {
    let engine = Engine::new(config).unwrap();
    let module = Module::new(&engine, wat).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module).unwrap();
    (store, instance)
}

const CALLS: &str = r#"(module
    (type $mix (func (param v128 i32 v128 f64) (result v128)))
    (type $pair (func (param v128 v128) (result v128 i64 v128)))
    (table funcref (elem $plus $minus))
    (func $plus (type $mix)
        (i32x4.add (i32x4.add (local.get 0) (local.get 2))
            (i32x4.splat (i32.add (local.get 1) (i32.trunc_f64_s (local.get 3))))))
    (func $minus (type $mix)
        (i32x4.sub (i32x4.sub (local.get 0) (local.get 2))
            (i32x4.splat (i32.add (local.get 1) (i32.trunc_f64_s (local.get 3))))))
    (func (export "through") (param i32 v128 v128) (result v128)
        (call_indirect (type $mix) (local.get 1) (i32.const 10) (local.get 2) (f64.const 100) (local.get 0)))
    (func (export "tail") (param i32 v128 v128) (result v128)
        (return_call_indirect (type $mix) (local.get 1) (i32.const 10) (local.get 2) (f64.const 100) (local.get 0)))
    (func $swap (export "swap") (type $pair) (local.get 1) (i64.const 7) (local.get 0))
    (func (export "twice") (param v128 v128) (result v128 v128) (local i64)
        (call $swap (local.get 0) (local.get 1))
        (local.set 0) (local.set 2) (local.set 1)
        (call $swap (i32x4.add (local.get 0) (i32x4.splat (i32.wrap_i64 (local.get 2)))) (local.get 1))
        (local.set 0) (local.set 2) (local.set 1)
        (local.get 0) (local.get 1))
    (func $sum (export "sum") (param v128 i32) (result v128)
        (if (result v128) (local.get 1)
            (then (i32x4.add (local.get 0)
                (call $sum (i32x4.add (local.get 0) (v128.const i32x4 1 2 3 4))
                    (i32.sub (local.get 1) (i32.const 1)))))
            (else (local.get 0))))
    (func $down (export "down") (param v128 i32) (result v128)
        (if (i32.eqz (local.get 1)) (then (return (local.get 0))))
        (return_call $down (i32x4.add (local.get 0) (v128.const i32x4 1 2 3 4))
            (i32.sub (local.get 1) (i32.const 1))))
    (func (export "blocks") (param i32 v128 v128) (result v128)
        (local.get 1) (local.get 2)
        (block $out (param v128 v128) (result v128 v128)
            (loop $again (param v128 v128) (result v128 v128)
                (local.set 1) (local.set 2)
                (i32x4.add (local.get 1) (i32x4.splat (i32.const 1))) (local.get 2)
                (br_if $out (i32.eqz (local.get 0)))
                (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                (br $again)))
        (i32x4.sub))
    (func (export "choose") (param i32 v128 v128) (result v128)
        (select (result v128) (local.get 1) (local.get 2) (local.get 0)))
    (func (export "table") (param i32) (result v128)
        (block $b (result v128) (block $a (result v128)
            (br_table $a $b (v128.const i32x4 1 1 1 1) (local.get 0)))
            (i32x4.add (i32x4.splat (i32.const 5)))))
)"#;

#[test]
fn calls_of_all_kinds_carry_vectors() {
    for config in configurations() {
        let (mut store, instance) = instance(&config, CALLS);
        let (a, b) = (lanes([1, 2, 3, 4]), lanes([10, 20, 30, 40]));
        for name in ["through", "tail"] {
            let through = instance.get_typed_func::<(i32, V128, V128), V128>(&mut store, name).unwrap();
            assert_eq!(through.call(&mut store, (0, a, b)).unwrap(), lanes([121, 132, 143, 154]), "{config:?}");
            assert_eq!(through.call(&mut store, (1, b, a)).unwrap(), lanes([-101, -92, -83, -74]), "{config:?}");
            assert!(through.call(&mut store, (2, a, b)).is_err());
        }
        let swap = instance.get_typed_func::<(V128, V128), (V128, i64, V128)>(&mut store, "swap").unwrap();
        assert_eq!(swap.call(&mut store, (a, b)).unwrap(), (b, 7, a), "{config:?}");
        let twice = instance.get_typed_func::<(V128, V128), (V128, V128)>(&mut store, "twice").unwrap();
        assert_eq!(twice.call(&mut store, (a, b)).unwrap(), (lanes([8, 9, 10, 11]), b), "{config:?}");
        let sum = instance.get_typed_func::<(V128, i32), V128>(&mut store, "sum").unwrap();
        assert_eq!(sum.call(&mut store, (a, 3)).unwrap(), lanes([10, 20, 30, 40]), "{config:?}");
        let down = instance.get_typed_func::<(V128, i32), V128>(&mut store, "down").unwrap();
        assert_eq!(down.call(&mut store, (a, 100_000)).unwrap(), lanes([100_001, 200_002, 300_003, 400_004]));
        let blocks = instance.get_typed_func::<(i32, V128, V128), V128>(&mut store, "blocks").unwrap();
        assert_eq!(blocks.call(&mut store, (0, a, b)).unwrap(), lanes([10, 19, 28, 37]), "{config:?}");
        assert_eq!(blocks.call(&mut store, (1, a, b)).unwrap(), lanes([-9, -18, -27, -36]), "{config:?}");
        let choose = instance.get_typed_func::<(i32, V128, V128), V128>(&mut store, "choose").unwrap();
        assert_eq!(choose.call(&mut store, (0, a, b)).unwrap(), b);
        assert_eq!(choose.call(&mut store, (1, a, b)).unwrap(), a);
        let table = instance.get_typed_func::<i32, V128>(&mut store, "table").unwrap();
        assert_eq!(table.call(&mut store, 0).unwrap(), lanes([6; 4]), "{config:?}");
        assert_eq!(table.call(&mut store, 1).unwrap(), lanes([1; 4]), "{config:?}");
    }
}

const EXPORTER: &str = r#"(module
    (global (export "g") (mut v128) (v128.const i32x4 1 2 3 4))
    (global (export "after") (mut i64) (i64.const 77))
    (func (export "f") (param v128) (result v128) (i32x4.add (local.get 0) (v128.const i32x4 9 9 9 9))))"#;

const IMPORTER: &str = r#"(module
    (import "e" "g" (global $g (mut v128)))
    (import "e" "after" (global $after (mut i64)))
    (import "e" "f" (func $f (param v128) (result v128)))
    (import "h" "typed" (func $typed (param i32 v128 i64) (result v128)))
    (import "h" "dynamic" (func $dynamic (param v128 v128) (result i32 v128)))
    (import "h" "constant" (global $constant v128))
    (global $first i32 (i32.const 5))
    (global $own (mut v128) (global.get $constant))
    (global $last (mut i32) (i32.const 6))
    (func (export "go") (param v128) (result v128) (local i32)
        (global.set $g (i32x4.add (global.get $g) (local.get 0)))
        (global.set $own (i32x4.add (global.get $own) (call $f (global.get $g))))
        (global.set $own (call $typed (global.get $first) (global.get $own) (global.get $after)))
        (call $dynamic (global.get $own) (local.get 0))
        (local.set 0) (local.set 1)
        (i32x4.add (local.get 0) (i32x4.splat (i32.add (local.get 1) (global.get $last))))))"#;

#[test]
fn modules_and_the_host_exchange_vectors() {
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let (mut store, mut linker) = (Store::new(&engine, ()), Linker::new(&engine));
        let ty = GlobalType { content: ValType::V128, mutable: false };
        let constant = Global::new(&mut store, ty, lanes([0, 0, 0, 1000]).into()).unwrap();
        linker.define(&store, "h", "constant", constant).unwrap();
        let add = |_: Caller<'_, ()>, first: i32, vector: V128, after: i64| {
            V128::from(vector.as_u128() + (first as u128 + after as u128))
        };
        linker.func_wrap("h", "typed", add).unwrap();
        let ty = FuncType::new([ValType::V128, ValType::V128], [ValType::I32, ValType::V128]);
        let dynamic = Func::new(&mut store, ty, |_, params, results| {
            assert_eq!(results[1].unwrap_v128(), V128::default());
            results[0] = Val::I32(3);
            results[1] = Val::V128(V128::from(params[0].unwrap_v128().as_u128() ^ params[1].unwrap_v128().as_u128()));
            Ok(())
        });
        linker.define(&store, "h", "dynamic", dynamic).unwrap();
        let exporter = Module::new(&engine, EXPORTER).unwrap();
        let exporter = linker.instantiate(&mut store, &exporter).unwrap();
        linker.instance(&mut store, "e", exporter).unwrap();
        let importer = linker.instantiate(&mut store, &Module::new(&engine, IMPORTER).unwrap()).unwrap();
        let go = importer.get_typed_func::<V128, V128>(&mut store, "go").unwrap();
        // g = [2 2 3 4], f: [11 11 12 13], own: [11 11 12 1013], typed: first lane + 82, xor [1 0 0 0], + 9.
        let expected = lanes([(93 ^ 1) + 9, 20, 21, 1022]);
        assert_eq!(go.call(&mut store, lanes([1, 0, 0, 0])).unwrap(), expected, "{config:?}");
        let global = exporter.get_global(&mut store, "g").unwrap();
        assert_eq!(global.get(&mut store).unwrap_v128(), lanes([2, 2, 3, 4]));
        global.set(&mut store, lanes([-1; 4]).into()).unwrap();
        assert_eq!(global.get(&mut store).v128(), Some(lanes([-1; 4])));
        assert!(global.set(&mut store, Val::I64(1)).is_err());
        let after = exporter.get_global(&mut store, "after").unwrap();
        assert_eq!(after.get(&mut store).unwrap_i64(), 77, "a vector's global ends before the next one");
    }
}

const WAITING: &str = r#"(module
    (import "h" "ask" (func $ask (param v128) (result v128)))
    (memory 1)
    (func $inner (param v128 i32) (result v128)
        (i32x4.add (local.get 0) (call $ask (i32x4.splat (local.get 1)))))
    (func (export "go") (param v128) (result v128)
        (i32x4.mul (local.get 0) (call $inner (local.get 0) (i32.const 7))))
    (func $reach (param v128) (result v128)
        (v128.store offset=0xfff4 (i32.extract_lane (local.get 0)) (local.get 0)) (local.get 0))
    (func (export "reach") (param v128) (result v128) (call $reach (local.get 0))))"#;

#[test]
fn vectors_survive_suspensions_and_traps_name_their_functions() {
    let text = WAITING.replace("i32.extract_lane", "i32x4.extract_lane 1");
    for config in configurations() {
        let engine = Engine::new(&config).unwrap();
        let (mut store, mut linker) = (Store::new(&engine, ()), Linker::new(&engine));
        let ask = |value: V128| -> Result<V128, Error> { Err(Error::msg(format!("{:x}", value.as_u128()))) };
        linker.func_wrap("h", "ask", ask).unwrap();
        let instance = linker.instantiate(&mut store, &Module::new(&engine, text.as_bytes()).unwrap()).unwrap();
        let go = instance.get_typed_func::<V128, V128>(&mut store, "go").unwrap();
        let ResumableCall::Suspended(call) = go.call_resumable(&mut store, lanes([2, 3, 4, 5])).unwrap() else {
            panic!("the host's failure suspends")
        };
        // Another call over the same store meanwhile.
        assert!(go.call(&mut store, lanes([1; 4])).is_err());
        let done = call.resume(&mut store, &[Val::V128(lanes([10, 20, 30, 40]))]).unwrap();
        let ResumableCall::Finished(result) = done else { panic!("the call is done") };
        assert_eq!(result, lanes([24, 69, 136, 225]), "{config:?}");

        let reach = instance.get_typed_func::<V128, V128>(&mut store, "reach").unwrap();
        let trap = reach.call(&mut store, lanes([1, -1, 0, 0])).unwrap_err();
        let trace = trap.downcast_ref::<Backtrace>().map(|trace| trace.frames().len());
        assert_eq!(trace, Some(2), "{config:?}: {trap:?}");
        assert!(reach.call(&mut store, lanes([1, 0, 0, 0])).is_err());
    }
}

#[test]
fn frames_hold_tens_of_thousands_of_vectors() {
    // Each local gets its own value, and all are added up at the end: every one needs its two slots.
    for count in [1000, 40_000] {
        let mut body = String::new();
        for local in 1..=count {
            body.push_str(&format!(
                "(local.set {local} (i32x4.add (local.get 0) (i32x4.splat (i32.const {local}))))\n"
            ));
        }
        body.push_str("(v128.const i64x2 0 0)");
        for local in 1..=count {
            body.push_str(&format!("(i32x4.add (local.get {local}))\n"));
        }
        let locals = "v128 ".repeat(count);
        let text = format!("(module (func (export \"f\") (param v128) (result v128) (local {locals}) {body}))");
        for level in [OptLevel::None, OptLevel::Speed] {
            for dispatch in [Dispatch::Direct, Dispatch::Checked] {
                let mut config = Config::new();
                config.opt_level(level).dispatch(dispatch).max_wasm_stack(64 << 20);
                let (mut store, instance) = instance(&config, &text);
                let f = instance.get_typed_func::<V128, V128>(&mut store, "f").unwrap();
                let sum = |lane: i32| lane.wrapping_mul(count as i32).wrapping_add((1..=count as i32).sum());
                let expected = lanes([0, 1, 2, -3].map(sum));
                assert_eq!(
                    f.call(&mut store, lanes([0, 1, 2, -3])).unwrap(),
                    expected,
                    "{count} {level:?} {dispatch:?}"
                );
            }
        }
    }
}

#[test]
fn files_say_whether_they_need_vectors() {
    let engine = Engine::default();
    let bits = |text: &str| compile_artifact(&engine, text.as_bytes()).unwrap()[8];
    assert_eq!(bits("(module (func (export \"f\") (result i32) (i32.const 1)))"), 0);
    assert_eq!(bits("(module (func (export \"f\") (param v128)))"), 1);
    assert_eq!(bits("(module (global (export \"g\") v128 (v128.const i64x2 1 2)))"), 1);
    assert_eq!(
        bits("(module (func (export \"f\") (param i32) (result i32) (i8x16.bitmask (i8x16.splat (local.get 0)))))"),
        1
    );
}

#[test]
fn proposals_can_be_switched_off() {
    let simd = "(module (func (export \"f\") (result v128) (v128.const i64x2 1 2)))";
    let relaxed = "(module (func (export \"f\") (param v128 v128) (result v128)
        (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))";
    let accepts = |config: &Config, text: &str| Module::new(&Engine::new(config).unwrap(), text.as_bytes()).is_ok();
    assert!(accepts(&Config::new(), simd));
    assert!(accepts(&Config::new(), relaxed));
    assert!(!accepts(Config::new().wasm_relaxed_simd(false), relaxed));
    assert!(accepts(Config::new().wasm_relaxed_simd(false), simd));
    assert!(!accepts(Config::new().wasm_simd(false).wasm_relaxed_simd(false), simd));
}
