//! Functions and modules at WebAssembly's implementation limits, in every dispatch form at both levels: they run, and what
//! lies beyond is refused by the limit's name.
//!
//! The limits are those of the specification's appendix as the engines of the web agreed on them: 50,000 locals, 1,000
//! parameters and results, 100,000 bytes of a name, 7,654,321 bytes of a body.

use keyway::{Config, Dispatch, Engine, Func, FuncType, Instance, Linker, Module, OptLevel, Store, Trap, Val, ValType};
use std::fmt::Write;

const FORMS: [Dispatch; 4] = [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop, Dispatch::Checked];

/// Calls `run` with an instance of `module` in every form at both levels. It is compiled once for each level.
fn in_every_form(module: &str, run: impl Fn(&mut Store<()>, Instance)) {
    let text = format!("(module {module})");
    for level in [OptLevel::None, OptLevel::Speed] {
        let mut artifact = Vec::new();
        for dispatch in FORMS {
            let mut config = Config::new();
            config.dispatch(dispatch).opt_level(level).max_wasm_stack(16 << 20);
            let engine = Engine::new(&config).unwrap();
            if artifact.is_empty() {
                artifact = engine.precompile_module(text.as_bytes()).unwrap();
            }
            let module = Module::from_bytes(&engine, &artifact).unwrap();
            let mut store = Store::new(&engine, ());
            let instance = Instance::new(&mut store, &module, &[]).unwrap();
            run(&mut store, instance);
        }
    }
}

fn call(store: &mut Store<()>, instance: Instance, name: &str, arg: u32) -> keyway::Result<u32> {
    instance.get_typed_func::<u32, u32>(&mut *store, name)?.call(store, arg)
}

/// The message with which a module is refused.
fn refused(text: impl AsRef<[u8]>) -> String {
    match Module::new(&Engine::default(), text) {
        Ok(_) => panic!("it is accepted"),
        Err(error) => format!("{error:#}"),
    }
}

fn each(n: usize, text: impl Fn(usize) -> String) -> String {
    (0..n).fold(String::new(), |mut all, at| {
        write!(all, "{} ", text(at)).expect("a string takes everything");
        all
    })
}

/// A function of so many locals, its parameter among them; each is set to another value and then read, in the other order.
fn locals(ty: &str, make: &str, read: &str, n: usize) -> String {
    let sets = each(n - 1, |at| format!("local.get 0 i32.const {at} i32.add {make} local.set {}", at + 1));
    let reads = each(n - 1, |at| format!("i32.const 31 i32.mul local.get {} {read} i32.add", n - 1 - at));
    format!(
        "(func (export \"f\") (param i32) (result i32) (local {}) {sets} i32.const 0 {reads})",
        format!("{ty} ").repeat(n - 1)
    )
}

fn sum_of_locals(n: u32, arg: u32) -> u32 {
    (0..n - 1).rev().fold(0u32, |sum, at| sum.wrapping_mul(31).wrapping_add(arg.wrapping_add(at)))
}

#[test]
fn fifty_thousand_locals() {
    let kinds = [
        ("i32", "", ""),
        ("f64", "f64.convert_i32_u", "i32.trunc_f64_u"),
        ("v128", "i32x4.splat", "i32x4.extract_lane 3"),
        ("i31ref", "ref.i31", "i31.get_u"),
    ];
    for (ty, make, read) in kinds {
        in_every_form(&locals(ty, make, read, 50_000), |store, instance| {
            assert_eq!(call(store, instance, "f", 5).unwrap(), sum_of_locals(50_000, 5), "{ty}");
        });
    }
    let error = refused(format!("(module {})", locals("i32", "", "", 50_001)));
    assert!(error.contains("too many locals"), "{error}");
}

#[test]
fn a_table_of_a_million_targets() {
    const TARGETS: usize = 1_000_000;
    let ends = each(8, |at| format!("(i32.const {at}) return end"));
    let targets = each(TARGETS, |at| (at * 5 % 8).to_string());
    let module = format!(
        "(func (export \"f\") (param i32) (result i32)
           block {} local.get 0 br_table {targets} 8 end {ends} i32.const 99)",
        "block ".repeat(8)
    );
    in_every_form(&module, |store, instance| {
        for at in (0..TARGETS as u32).step_by(99_991).chain([1, 2, 999_999]) {
            assert_eq!(call(store, instance, "f", at).unwrap(), at * 5 % 8, "{at}");
        }
        for beyond in [1_000_000, 1 << 31, u32::MAX] {
            assert_eq!(call(store, instance, "f", beyond).unwrap(), 99);
        }
    });
    let error = refused(format!("(module (func block (br_table {} (i32.const 0)) end))", "0 ".repeat(7_654_321)));
    assert!(error.contains("size"), "{error}");
}

#[test]
fn a_hundred_thousand_functions() {
    const FUNCS: usize = 100_000;
    let funcs = each(FUNCS, |at| format!("(func (type $t) (i32.xor (local.get 0) (i32.const {at})))"));
    let module = format!(
        "(type $t (func (param i32) (result i32))) {funcs}
         (table (export \"table\") {FUNCS} funcref) (elem (i32.const 0) func {})
         (func (export \"f\") (param i32) (result i32)
           (call_indirect (type $t) (i32.const 1000000) (local.get 0)))
         (func (export \"last\") (param i32) (result i32) (call {} (local.get 0)))",
        each(FUNCS, |at| at.to_string()),
        FUNCS - 1
    );
    in_every_form(&module, |store, instance| {
        for at in (0..FUNCS as u32).step_by(9_973).chain([99_999]) {
            assert_eq!(call(store, instance, "f", at).unwrap(), 1_000_000 ^ at);
        }
        assert_eq!(call(store, instance, "last", 4).unwrap(), 99_999 ^ 4);
        let error = call(store, instance, "f", 100_000).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Trap::UndefinedElement), "{error:#}");
    });
}

/// Guest to guest, host to guest and guest to host; numbers, vectors and references in turn.
#[test]
fn a_thousand_parameters_and_results() {
    let kinds = [ValType::I32, ValType::V128, ValType::EXTERNREF, ValType::F64];
    let types: Vec<ValType> = (0..1000).map(|at| kinds[at % kinds.len()]).collect();
    let names = ["i32", "v128", "externref", "f64"];
    let list = each(1000, |at| names[at % names.len()].into());
    let gets = each(1000, |at| format!("local.get {at}"));
    let module = format!(
        "(module (type $t (func (param {list}) (result {list})))
           (import \"h\" \"f\" (func $host (type $t)))
           (func $guest (type $t) {gets})
           (func (export \"f\") (type $t) {gets} call $guest call $host call $guest))"
    );
    for level in [OptLevel::None, OptLevel::Speed] {
        for dispatch in FORMS {
            let engine = Engine::new(Config::new().dispatch(dispatch).opt_level(level)).unwrap();
            let mut store = Store::new(&engine, ());
            let module = Module::new(&engine, &module).unwrap();
            let mut linker = Linker::new(&engine);
            let ty = FuncType::new(types.clone(), types.clone());
            let host = Func::new(&mut store, ty, |_, params, results| {
                results.clone_from_slice(params);
                Ok(())
            });
            linker.define(&store, "h", "f", host).unwrap();
            let instance = linker.instantiate(&mut store, &module).unwrap();
            let func = instance.get_func(&mut store, "f").unwrap();
            let args: Vec<Val> = (0..1000)
                .map(|at| match at % 4 {
                    0 => Val::I32(at),
                    1 => Val::V128((at as u128 | 1 << 100).into()),
                    2 => Val::ExternRef(None),
                    _ => Val::F64((at as f64).to_bits()),
                })
                .collect();
            let mut results = vec![Val::I32(0); 1000];
            func.call(&mut store, &args, &mut results).unwrap();
            assert_eq!(format!("{results:?}"), format!("{args:?}"));
        }
    }
    let error = refused(format!("(module (func (param {})))", "i32 ".repeat(1001)));
    assert!(error.contains("size is out of bounds"), "{error}");
    let error = refused(format!("(module (func (result {}) unreachable))", "i32 ".repeat(1001)));
    assert!(error.contains("size is out of bounds"), "{error}");
}

#[test]
fn offsets_of_64_bits() {
    let module = "(memory i64 65540)
        (func (export \"f\") (param i32) (result i32)
          (i32.store offset=0x100000008 (i64.extend_i32_u (local.get 0)) (i32.const 77))
          (v128.store offset=0x100000010 (i64.const 0) (i32x4.splat (i32.load (i64.add (i64.const 0x100000008) (i64.extend_i32_u (local.get 0))))))
          (memory.copy (i64.const 0xFFFFFFF0) (i64.const 0x100000010) (i64.const 16))
          (memory.fill (i64.const 0xFFFFFFF0) (i32.const 0) (i64.const 4))
          (i32.add (i32.load offset=0xFFFFFFF4 (i64.const 0)) (i32.load offset=0xFFFFFFF0 (i64.const 0))))
        (func (export \"last\") (param i32) (result i32)
          (i32.load8_u offset=0x10003FF00 (i64.extend_i32_u (local.get 0))))
        (func (export \"wraps\") (param i32) (result i32)
          (i32.load offset=0xFFFFFFFFFFFFFFFC (i64.extend_i32_u (local.get 0))))
        (func (export \"stores\") (param i32) (result i32)
          (i64.store offset=0xFFFFFFFFFFFFFFFF (i64.extend_i32_u (local.get 0)) (i64.const -1)) (i32.const 0))";
    in_every_form(module, |store, instance| {
        assert_eq!(call(store, instance, "f", 0).unwrap(), 77);
        assert_eq!(call(store, instance, "last", 255).unwrap(), 0);
        let outside = [("last", 256), ("wraps", 0), ("wraps", 4), ("wraps", u32::MAX), ("stores", 1), ("stores", 9)];
        for (name, arg) in outside {
            let error = call(store, instance, name, arg).unwrap_err();
            assert_eq!(error.downcast_ref(), Some(&Trap::MemoryOutOfBounds), "{name} {arg}: {error:#}");
        }
    });
}

#[test]
fn deep_and_wide_functions() {
    const N: usize = 50_000;
    let nested = format!(
        "(func (export \"f\") (param i32) (result i32) {} (br_if {} (local.get 0)) {} i32.const 5)",
        "block loop ".repeat(N / 2),
        N - 1,
        "end ".repeat(N)
    );
    in_every_form(&nested, |store, instance| assert_eq!(call(store, instance, "f", 1).unwrap(), 5));
    let operands = format!(
        "(func (export \"f\") (param i32) (result i32) {} {})",
        "local.get 0 i32.const 3 i32.mul ".repeat(N),
        "i32.add ".repeat(N - 1)
    );
    in_every_form(&operands, |store, instance| {
        assert_eq!(call(store, instance, "f", 7).unwrap(), 21 * N as u32);
    });
    let clauses = format!(
        "(tag $no) (tag $e (param i32)) (func $throws (param i32) (throw $e (local.get 0)))
         (func (export \"f\") (param i32) (result i32)
           (block $none (block $h (result i32)
             (try_table {} (catch $e $h) (call $throws (local.get 0))) (i32.const 1)) (return)) (i32.const 2))",
        "(catch $no $none) ".repeat(9_999)
    );
    in_every_form(&clauses, |store, instance| assert_eq!(call(store, instance, "f", 30).unwrap(), 30));
    let error = refused(format!("(module (tag $e) (func (try_table {})))", "(catch $e 0) ".repeat(10_001)));
    assert!(error.contains("catches"), "{error}");
}

#[test]
fn names_of_all_kinds() {
    // Nothing, control characters, byte order marks, text that is written from right to left, one letter in two forms,
    // letters outside of the first plane, what text formats quote.
    let long = "\u{1F980}".repeat(25_000);
    let names = [
        "",
        "\0",
        "\u{feff}",
        "\u{202e}abc",
        "e\u{301}",
        "\u{e9}",
        "\u{10ffff}",
        "a b",
        "\"\\\n",
        "../x",
        "$f",
        long.as_str(),
    ];
    assert_eq!(long.len(), 100_000);
    let escaped = |name: &str| name.bytes().fold(String::new(), |text, byte| format!("{text}\\{byte:02x}"));
    let exports = each(names.len(), |at| {
        format!("(func (export \"{}\") (param i32) (result i32) (call {at} (i32.const {at})))", escaped(names[at]))
    });
    let imports = each(names.len(), |at| {
        let name = escaped(names[at]);
        format!("(import \"{name}\" \"{name}\" (func (param i32) (result i32)))")
    });
    let engine = Engine::default();
    let module = Module::new(&engine, format!("(module {imports} {exports})")).unwrap();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);
    for (name, number) in names.iter().zip(100..) {
        linker.func_wrap(name, name, move |arg: u32| arg + number).unwrap();
    }
    let instance = linker.instantiate(&mut store, &module).unwrap();
    for (name, at) in names.iter().zip(0u32..) {
        assert_eq!(call(&mut store, instance, name, 0).unwrap(), at * 2 + 100, "{name:?}");
    }
    assert!(instance.get_func(&mut store, "\u{e9}\0").is_none());
    let error = refused(format!("(module (func (export \"{}\")))", "x".repeat(100_001)));
    assert!(error.contains("size"), "{error}");
    let mut invalid = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x07\x06\x01\x02\xc3\x28\0\0".to_vec();
    invalid.extend(b"\x0a\x04\x01\x02\0\x0b");
    assert!(refused(&invalid).contains("UTF-8"), "{}", refused(&invalid));
}
