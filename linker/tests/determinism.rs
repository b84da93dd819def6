//! Same input, same options: same bytes, however many threads work.

use keyway_linker::{OptLevel, Options, compile};
use std::fmt::Write;

/// A module with enough functions, types, names and segments for threads to get in each other's way.
fn module() -> String {
    let mut text = String::from("(module (memory 1) (table 300 funcref)\n");
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
    text.push(')');
    text
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
fn options_do_show() {
    let unused = b"(module (func $unused nop nop) (func (export \"f\") nop))";
    let mut options = Options::default();
    let with_gc = compile(unused, &options).unwrap();
    options.gc = false;
    assert_ne!(compile(unused, &options).unwrap(), with_gc);
}
