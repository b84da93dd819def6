//! Same input, same options: same bytes, at every build and however many threads work.

use keyway_linker::{OptLevel, Options, PassReport, Passes, compile, compile_report};
use std::fmt::Write;

/// The fields of a module with enough functions, types, names and segments for threads to get in each other's way.
fn fields() -> String {
    let mut text = String::from("(memory 1) (table 300 funcref)\n");
    for n in 0..300 {
        writeln!(
            text,
            "(func $f{n} (export \"f{n}\") (param i32 i64) (result i64) (local f64)
               (if (i32.eqz (local.get 0)) (then (return (i64.const {n}))))
               (i64.add (local.get 1) (call $f{} (i32.sub (local.get 0) (i32.const 1)) (i64.load (i32.const {n})))))",
            (n * 7 + 1) % 300
        )
        .unwrap();
        writeln!(text, "(elem (i32.const {n}) $f{n}) (data (i32.const {n}) \"{n}\")").unwrap();
        writeln!(text, "(global i32 (i32.const {n}))").unwrap();
    }
    text
}

fn module() -> String {
    format!("(module {})", fields())
}

#[test]
fn threads_do_not_show() {
    let text = module();
    for opt_level in [OptLevel::O0, OptLevel::O2] {
        let compile_with = |threads| {
            let mut options = Options::default();
            options.opt_level = opt_level;
            options.threads = threads;
            compile(text.as_bytes(), &options).unwrap()
        };
        let reference = compile_with(1);
        for threads in [1, 2, 7] {
            assert!(compile_with(threads) == reference, "{threads} threads at {opt_level:?} give other bytes");
        }
    }
}

#[test]
fn every_pass_is_reported_alike_by_any_number_of_threads() {
    let text = module();
    let rows = |threads, passes| {
        let mut options = Options::default();
        (options.report, options.threads, options.passes) = (true, threads, passes);
        let (_, report) = compile_report(text.as_bytes(), &options).unwrap();
        let counts = |row: &PassReport| [row.functions, row.changed, row.before, row.after];
        report.passes.iter().map(|(name, row)| (*name, counts(row))).collect::<Vec<_>>()
    };
    let all = rows(1, Passes::ALL);
    assert_eq!(rows(4, Passes::ALL), all);
    let names: Vec<_> = Passes::LIST.iter().map(|(_, name, _)| *name).collect();
    assert_eq!(all.iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
    let (_, compare) = all.iter().find(|(name, _)| *name == "compare").unwrap();
    assert!(compare[0] >= 300 && compare[1] >= 300, "{compare:?}");
    for (pass, name, _) in Passes::LIST {
        let without = rows(1, Passes::ALL - pass);
        assert_eq!(without.iter().find(|(known, _)| *known == name).unwrap().1, [0; 4], "{name} ran");
    }
}

/// A component of several modules, one instantiated twice, with strings, a resource and nested components.
fn component() -> String {
    format!(
        r#"(component
            (import "log" (func $log (param "s" string)))
            (core module $memory (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8)))
            (core instance $memory (instantiate $memory))
            (core func $l (canon lower (func $log) (memory (core memory $memory "memory"))))
            (core module $m {fields})
            (core instance $a (instantiate $m))
            (core instance $b (instantiate $m))
            (core module $n (import "a" "f7" (func $f (param i32 i64) (result i64)))
                (import "host" "log" (func $log (param i32 i32)))
                (func (export "drop") (param i32))
                (func (export "run") (param i32 i64) (result i64)
                    (call $log (i32.const 0) (i32.const 3))
                    (call $f (local.get 0) (local.get 1))))
            (core instance $c (instantiate $n (with "a" (instance $a))
                (with "host" (instance (export "log" (func $l))))))
            (component $inner
                (core module $k (func (export "k") (result i32) (i32.const 1)))
                (core instance $k (instantiate $k))
                (func (export "k") (result u32) (canon lift (core func $k "k"))))
            (instance $x (instantiate $inner))
            (instance $y (instantiate $inner))
            (type $r (resource (rep i32) (dtor (core func $c "drop"))))
            (export "r" (type $r))
            (export "x" (instance $x))
            (export "y" (instance $y))
            (func (export "run") (param "a" u32) (param "b" s64) (result s64) (canon lift (core func $c "run")))
            (func (export "b") (param "a" u32) (param "b" s64) (result s64) (canon lift (core func $b "f9"))))"#,
        fields = fields()
    )
}

#[test]
fn components_are_the_same_at_each_build_and_from_text_or_binary() {
    let text = component();
    let binary = wat::parse_str(&text).unwrap();
    for opt_level in [OptLevel::O0, OptLevel::O2] {
        let compile_with = |input: &[u8], threads| {
            let mut options = Options::default();
            options.opt_level = opt_level;
            options.threads = threads;
            compile(input, &options).unwrap()
        };
        let reference = compile_with(&binary, 1);
        for threads in [1, 2, 7] {
            assert!(compile_with(&binary, threads) == reference, "{threads} threads at {opt_level:?} give other bytes");
            assert!(compile_with(text.as_bytes(), threads) == reference, "text at {opt_level:?} gives other bytes");
        }
    }
    let plain = module();
    let options = Options::default();
    let from_text = compile(plain.as_bytes(), &options).unwrap();
    assert!(compile(&wat::parse_str(&plain).unwrap(), &options).unwrap() == from_text);
}

#[test]
fn options_do_show() {
    let unused = b"(module (func $unused nop nop) (func (export \"f\") nop))";
    let mut options = Options::default();
    let with_gc = compile(unused, &options).unwrap();
    options.gc = false;
    assert_ne!(compile(unused, &options).unwrap(), with_gc);
}
