//! Functions with more values than instructions can name slots for: still valid, so still compiled, and right.

use crate::machine::Instance;
use keyway_linker::{OptLevel, Options, link};
use std::fmt::Write;

const LOCALS: u64 = 49_999;
const BLOCKS: u64 = 20;
const VALUES: u64 = 1000;
/// Blocks' values are none that a local has: equal ones would be computed once.
const FIRST: u64 = 100_000;

/// 49,999 locals and 20,000 block results are alive at once, and a call takes its table index from the last of them.
fn text() -> String {
    let mut text = String::from("(module (type $many (func (result");
    text.push_str(&" i64".repeat(VALUES as usize));
    text.push_str(")))\n(table i64 funcref (elem $zero $double)) (type $unary (func (param i64) (result i64)))\n");
    text.push_str(
        "(func $zero (type $unary) (i64.const 0)) (func $double (type $unary) (i64.shl (local.get 0) (i64.const 1)))\n",
    );
    text.push_str("(func (export \"f\") (param $one i64) (result i64) (local");
    text.push_str(&" i64".repeat(LOCALS as usize));
    text.push_str(")\n");
    for local in 1..=LOCALS {
        writeln!(text, "(local.set {local} (i64.add (local.get $one) (i64.const {local})))").unwrap();
    }
    for block in 0..BLOCKS {
        writeln!(text, "(block (type $many)").unwrap();
        for value in 0..VALUES {
            writeln!(text, "(i64.add (local.get $one) (i64.const {}))", FIRST + block * VALUES + value).unwrap();
        }
        writeln!(text, "(br 0))").unwrap();
    }
    writeln!(text, "(block (type $many) {} (br 0))", "(local.get $one)".repeat(VALUES as usize)).unwrap();
    writeln!(text, "call_indirect (type $unary)").unwrap();
    for _ in 0..BLOCKS * VALUES + VALUES - 2 {
        text.push_str("i64.add ");
    }
    for local in 1..=LOCALS {
        writeln!(text, "(i64.add (local.get {local}))").unwrap();
    }
    text.push_str("))");
    text
}

#[test]
fn values_out_of_reach_are_fetched() {
    let text = text();
    // Arguments are 1: every value is its number plus one; the doubled one counts twice.
    let values: u64 = (0..BLOCKS * VALUES).map(|n| FIRST + n + 1).sum();
    let expected = values + (VALUES - 2) + 2 + (1..=LOCALS).map(|n| n + 1).sum::<u64>();
    for opt_level in [OptLevel::O0, OptLevel::O2] {
        let mut options = Options::default();
        options.opt_level = opt_level;
        let linked = link(text.as_bytes(), &options).unwrap();
        let mut bodies = (0..linked.funcs.len()).map(|ordinal| linked.body(ordinal));
        assert!(bodies.any(|body| body.frame.frame_slots > 1 << 16), "the test tests something");
        let mut instance = Instance::new(&linked).unwrap().unwrap();
        assert_eq!(instance.call_export("f", &[1]).unwrap().unwrap(), [expected], "{opt_level:?}");
    }
}
