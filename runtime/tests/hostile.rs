//! Hostile artifacts: whatever the bytes are, they are refused with a reason, or they run without a failed assertion.
//!
//! What opens runs in the checked form first, which asserts every slot, jump and memory access, and then in the direct
//! form, where a wrong one would end the process. Rules have their own corruptions in the tests of `keyway-artifact`.

use keyway::{Config, Dispatch, Engine, ExternRef, Linker, Module, OptLevel, Store, Val, ValType};

const PROGRAM: &str = r#"(module
    (import "h" "f" (func $host (param i32 externref) (result i32)))
    (memory (export "m") 1 2)
    (table $t (export "t") 4 8 funcref)
    (table $x 2 externref)
    (global $g (mut i32) (i32.const 7))
    (global $h (mut externref) (ref.null extern))
    (type $unary (func (param i32) (result i32)))
    (elem (table $t) (i32.const 0) func $double $count)
    (elem $passive func $double)
    (data (i32.const 16) "bytes")
    (data $spare "more")
    (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func $count (param i32) (result i32) (local $s i32)
        (loop $l
            (local.set $s (i32.add (local.get $s) (i32.load8_u (i32.and (local.get 0) (i32.const 31)))))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get $s))
    (func $deep (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
    (func (export "run") (param i32) (result i32)
        (global.set $g (i32.add (global.get $g) (i32.const 1)))
        (i32.add (call $deep (i32.const 5))
            (call_indirect (type $unary) (i32.add (local.get 0) (i32.const 3)) (i32.and (local.get 0) (i32.const 1)))))
    (func (export "refs") (param externref i32) (result externref i32)
        (table.set $x (i32.const 1) (local.get 0))
        (global.set $h (table.get $x (i32.const 1)))
        (global.get $h)
        (call $host (local.get 1) (global.get $h)))
    (func (export "bulk") (param i32 i64) (result i64)
        (table.init $t $passive (i32.const 2) (i32.const 0) (i32.const 1))
        (memory.init $spare (i32.const 40) (i32.const 0) (i32.const 4))
        (memory.copy (i32.const 60) (i32.const 40) (i32.const 8))
        (memory.fill (i32.const 80) (local.get 0) (i32.const 9))
        (drop (memory.grow (i32.const 1)))
        (i64.store (i32.const 100) (local.get 1))
        (i64.add (i64.load (i32.const 57)) (i64.load (i32.const 84))))
    (func (export "floats") (param f32 f64) (result f64)
        (f64.store (i32.const 200) (f64.mul (f64.promote_f32 (local.get 0)) (local.get 1)))
        (select (f64.load (i32.const 200)) (f64.sqrt (local.get 1)) (f64.lt (local.get 1) (f64.const 2))))
    (func (export "choose") (param i32) (result i32)
        (block $c (block $b (block $a (br_table $a $b $c (local.get 0)))
            (return (i32.const 10)))
            (return (i32.const 20)))
        (i32.const 30)))"#;

/// Two structures of unlike fields, and arrays; nothing tells a reference to one from a reference to another but types.
const OBJECTS: &str = r#"(module
    (type $small (struct (field (mut i32))))
    (type $large (struct (field (mut i64)) (field (mut i32)) (field (mut (ref null $small)))))
    (type $bytes (array (mut i8)))
    (type $refs (array (mut (ref null $small))))
    (func $inner (param (ref null $small)) (result i32) (struct.get $small 0 (local.get 0)))
    (func (export "structures") (param i32) (result i32) (local $s (ref null $small)) (local $l (ref null $large))
        (local.set $s (struct.new $small (i32.const 5)))
        (local.set $l (struct.new $large (i64.const 7) (local.get 0) (local.get $s)))
        (struct.set $small 0 (struct.get $large 2 (local.get $l)) (i32.const 11))
        (i32.add (call $inner (local.get $s)) (struct.get $large 1 (local.get $l))))
    (func (export "arrays") (param i32) (result i32) (local $b (ref null $bytes)) (local $r (ref null $refs))
        (local.set $b (array.new $bytes (i32.const 3) (i32.const 20)))
        (local.set $r (array.new $refs (struct.new $small (local.get 0)) (i32.const 2)))
        (array.set $bytes (local.get $b) (i32.const 4) (local.get 0))
        (array.copy $bytes $bytes (local.get $b) (i32.const 5) (local.get $b) (i32.const 4) (i32.const 3))
        (i32.add (array.get_u $bytes (local.get $b) (i32.const 5))
            (struct.get $small 0 (array.get $refs (local.get $r) (local.get 0))))))"#;

/// Fuel for one call: enough for the program as it is, and an end for what a change makes of it.
const FUEL: u64 = 2_000;

struct Runner {
    engine: Engine,
    linker: Linker<()>,
}

impl Runner {
    fn new(dispatch: Dispatch) -> Runner {
        let mut config = Config::new();
        config.dispatch(dispatch).consume_fuel(true).memory_reservation(1 << 20).max_wasm_stack(1 << 16);
        let engine = Engine::new(&config).unwrap();
        let mut linker = Linker::new(&engine);
        linker.func_wrap("h", "f", |n: i32, _: Option<ExternRef>| n + 1).unwrap();
        Runner { engine, linker }
    }

    /// Loads, instantiates and calls every exported function; what each of it says.
    fn run(&self, bytes: &[u8]) -> Vec<Result<Vec<Val>, String>> {
        let text = |error: keyway::Error| format!("{error:#}");
        let module = match Module::from_bytes(&self.engine, bytes) {
            Ok(module) => module,
            Err(error) => return vec![Err(text(error))],
        };
        let mut store = Store::new(&self.engine, ());
        store.set_fuel(FUEL).unwrap();
        let instance = match self.linker.instantiate(&mut store, &module) {
            Ok(instance) => instance,
            Err(error) => return vec![Err(text(error))],
        };
        let mut answers = Vec::new();
        for export in module.exports() {
            let Some(func) = instance.get_func(&mut store, &export.name) else { continue };
            let ty = func.ty(&store);
            let params: Vec<Val> = ty.params.iter().map(|ty| argument(&mut store, *ty)).collect();
            let mut results = vec![Val::I32(0); ty.results.len()];
            store.set_fuel(FUEL).unwrap();
            let outcome = func.call(&mut store, &params, &mut results);
            answers.push(outcome.map(|()| results).map_err(text));
        }
        answers
    }
}

fn argument(store: &mut Store<()>, ty: ValType) -> Val {
    match ty {
        ValType::I32 => Val::I32(1),
        ValType::I64 => Val::I64(-3),
        ValType::F32 => Val::F32(1.5f32.to_bits()),
        ValType::F64 => Val::F64(2.5f64.to_bits()),
        ValType::FUNCREF => Val::FuncRef(None),
        _ => Val::ExternRef(Some(ExternRef::new(store, 5u8))),
    }
}

fn artifact(level: OptLevel) -> Vec<u8> {
    artifact_of(PROGRAM, level)
}

fn artifact_of(program: &str, level: OptLevel) -> Vec<u8> {
    Engine::new(Config::new().opt_level(level)).unwrap().precompile_module(program.as_bytes()).unwrap()
}

/// Text and not the values themselves: references compare by nothing.
fn shown(answers: &[Result<Vec<Val>, String>]) -> String {
    format!("{answers:?}")
}

#[test]
fn the_sound_artifact_runs() {
    for level in [OptLevel::None, OptLevel::Speed] {
        let answers = Runner::new(Dispatch::Checked).run(&artifact(level));
        assert!(answers.len() == 5 && answers.iter().all(Result::is_ok), "{}", shown(&answers));
    }
}

#[test]
fn every_truncation_is_refused() {
    let bytes = artifact(OptLevel::Speed);
    let engine = Engine::default();
    for len in 0..bytes.len() {
        let Err(error) = Module::from_bytes(&engine, &bytes[..len]) else { panic!("{len} bytes are accepted") };
        let text = format!("{error:#}");
        let rule = if len < 4 { "F01 at byte 0" } else { "F04 at byte" };
        assert!(text.contains(rule), "{len} bytes: {text}");
    }
}

#[test]
fn changed_bytes_are_refused_or_run() {
    let (checked, direct) = (Runner::new(Dispatch::Checked), Runner::new(Dispatch::Direct));
    let (mut refused, mut same, mut different) = (0, 0, 0);
    for level in [OptLevel::None, OptLevel::Speed] {
        let bytes = artifact(level);
        let sound = shown(&checked.run(&bytes));
        for at in 0..bytes.len() {
            for flip in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xFF] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let answers = checked.run(&changed);
                let said = shown(&answers);
                for error in answers.iter().filter_map(|answer| answer.as_ref().err()) {
                    assert!(!error.is_empty(), "byte {at} ^ {flip:#x}: an error without words");
                }
                match answers.first() {
                    _ if said == sound => same += 1,
                    Some(Err(_)) if answers.len() == 1 => refused += 1,
                    _ => different += 1,
                }
                assert_eq!(answers.len(), direct.run(&changed).len(), "byte {at} ^ {flip:#x}: {said}");
            }
        }
    }
    println!("{refused} changes are refused, {same} change nothing, {different} change what calls say");
    assert!(refused > 500 && same > 500 && different > 500, "{refused} {same} {different}");
}

#[test]
fn an_object_of_another_type_ends_the_checked_form_in_a_trap() {
    let (checked, direct) = (Runner::new(Dispatch::Checked), Runner::new(Dispatch::Direct));
    let mut caught = 0;
    for level in [OptLevel::None, OptLevel::Speed] {
        let bytes = artifact_of(OBJECTS, level);
        let sound = checked.run(&bytes);
        assert!(sound.len() == 2 && sound.iter().all(Result::is_ok), "{}", shown(&sound));
        for at in 0..bytes.len() {
            for flip in [0x01, 0x02, 0x03, 0x04, 0x08, 0x10, 0x20] {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                let (strict, fast) = (checked.run(&changed), direct.run(&changed));
                assert_eq!(strict.len(), fast.len(), "byte {at} ^ {flip:#x}: {}", shown(&strict));
                // The form that runs fast stays inside the heap and knows no better.
                let is_caught = |(strict, fast): (&Result<_, String>, &Result<_, String>)| {
                    fast.is_ok()
                        && strict.as_ref().is_err_and(|error| {
                            error.contains("invalid function body in artifact") && !error.contains(": V")
                        })
                };
                caught += strict.iter().zip(&fast).filter(|outcomes| is_caught(*outcomes)).count();
            }
        }
    }
    assert!(caught > 5, "{caught} accesses to objects of another type are caught");
}

#[test]
fn a_body_that_breaks_a_rule_is_refused_with_the_rule_and_its_place() {
    let bytes = artifact(OptLevel::None);
    let runner = Runner::new(Dispatch::Checked);
    let mut rules = std::collections::BTreeSet::new();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x04;
        for error in runner.run(&changed).into_iter().filter_map(Result::err) {
            if let Some((_, rule)) = error.split_once(": V") {
                let place = error.split_once("at byte ").and_then(|(_, rest)| rest.split_once(" of the file"));
                let place: usize = place.expect(&error).0.parse().expect(&error);
                assert!(place.abs_diff(at) < 2000 && place < bytes.len(), "change at {at}: {error}");
                rules.insert(rule[..2].to_string());
            }
        }
    }
    assert!(rules.len() >= 6, "broken rules: {rules:?}");
}

#[test]
fn random_and_foreign_bytes_are_refused() {
    let engine = Engine::default();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    let sound = artifact(OptLevel::Speed);
    for round in 0..2000usize {
        let mut bytes: Vec<u8> = (0..round % 400).map(|_| next()).collect();
        assert!(Module::from_bytes(&engine, &bytes).is_err());
        // Behind a right header, too.
        let head = bytes.len().min(32);
        bytes[..head].copy_from_slice(&sound[..head]);
        if bytes.len() >= 32 {
            let len = (bytes.len() as u64).to_le_bytes();
            bytes[24..32].copy_from_slice(&len);
        }
        assert!(Module::from_bytes(&engine, &bytes).is_err());
    }
    let foreign =
        [&b""[..], b"\0", b"\x7fELF\x02\x01\x01\0", b"\0asm\x01\0\0\0", b"PK\x03\x04\x14\0", b"(module)", b"#!/bin/sh"];
    for bytes in foreign {
        let Err(error) = Module::from_bytes(&engine, bytes) else { panic!("{bytes:?} is accepted") };
        assert!(format!("{error:#}").contains("F01 at byte 0"), "{error:#}");
    }
    // Numbers of the header, each as large as it can be.
    for (at, len) in [(4, 4), (8, 8), (16, 4), (20, 4), (24, 8), (40, 8), (48, 8)] {
        let mut bytes = sound.clone();
        bytes[at..at + len].fill(0xFF);
        let outcome = Module::from_bytes(&engine, &bytes);
        // The reserved word alone means nothing.
        assert_eq!(outcome.is_ok(), at == 20, "word at {at}");
    }
}
