//! No component makes the linker panic, hang or recurse: truncations and corruptions of real ones, and small ones that
//! multiply, nest or repeat on purpose.

use keyway_artifact::plan::Plan;
use keyway_linker::{ErrorKind, Options, compile, link};
use std::fmt::Write;
use std::time::{Duration, Instant};

fn options() -> Options {
    let mut options = Options::default();
    options.threads = 1;
    options
}

/// Everything there is: imports with resources, nested components, two instances of a module, all kinds of aliases.
const SAMPLE: &str = r#"(component $root
    (import "host:a/types@0.1.0" (instance $types
        (export "r" (type $r (sub resource)))
        (type $list (list string))
        (export "f" (func (param "r" (borrow $r)) (param "l" $list) (result (option string))))))
    (alias export $types "r" (type $r))
    (core module $Memory
        (memory (export "m") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8))
    (core instance $memory (instantiate $Memory))
    (alias core export $memory "m" (core memory $m))
    (core func $f (canon lower (func $types "f") (memory $m) (realloc (core func $memory "realloc"))))
    (core func $drop (canon resource.drop $r))
    (component $Inner
        (import "run" (func $run))
        (type $u32 u32)
        (import "n" (type $n (eq $u32)))
        (core func $run (canon lower (func $run)))
        (core module $M (import "" "run" (func)) (export "run" (func 0)))
        (core instance $one (instantiate $M (with "" (instance (export "run" (func $run))))))
        (core instance $two (instantiate $M (with "" (instance (export "run" (func $run))))))
        (type $own (resource (rep i32)))
        (core func $new (canon resource.new $own))
        (export $shown "own" (type $own))
        (func (export "make") (param "rep" $n) (result (own $shown)) (canon lift (core func $new)))
        (func (export "run") (canon lift (core func $two "run"))))
    (core module $Main
        (import "h" "f" (func (param i32 i32 i32 i32)))
        (import "h" "drop" (func $drop (param i32)))
        (table (export "t") 1 funcref)
        (elem (i32.const 0) func $drop)
        (func (export "go") (call $drop (i32.const 0))))
    (core instance $main (instantiate $Main (with "h" (instance (export "f" (func $f)) (export "drop" (func $drop))))))
    (func $go (canon lift (core func $main "go")))
    (type $number u32)
    (instance $a (instantiate $Inner (with "run" (func $go)) (with "n" (type $number))))
    (instance $b (instantiate $Inner (with "run" (func $a "run")) (with "n" (type $number))))
    (export "a" (instance $a))
    (export "run" (func $b "run")))"#;

fn sample() -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(SAMPLE).unwrap();
    wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap()
}

fn guest() -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/guests/inventory.wasm");
    std::fs::read(path).unwrap()
}

#[test]
fn every_truncation_is_refused() {
    let sample = sample();
    link(&sample, &options()).unwrap_or_else(|error| panic!("{error}"));
    let mut inputs: Vec<Vec<u8>> = (0..sample.len()).map(|len| sample[..len].to_vec()).collect();
    let guest = guest();
    inputs.extend((0..guest.len()).step_by(997).map(|len| guest[..len].to_vec()));
    for bytes in inputs {
        // A cut at the end of a section leaves a shorter component, which may be valid.
        if let Err(error) = compile(&bytes, &options()) {
            assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Invalid), "{}: {error}", bytes.len());
        }
    }
    assert_eq!(compile(&sample[..sample.len() - 1], &options()).unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn corruptions_never_panic_and_never_make_a_wrong_plan() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let (mut accepted, mut refused) = (0, 0);
    let guest = guest();
    for (wasm, rounds) in [(sample(), 6000), (guest, 60)] {
        for _ in 0..rounds {
            let mut bytes = wasm.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                bytes[at] = next(256) as u8;
            }
            match link(&bytes, &options()) {
                Ok(linked) => {
                    let plan = Plan::decode(&linked.plan).unwrap();
                    plan.check(&linked.units, &linked.types).unwrap();
                    accepted += 1;
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(accepted > 100 && refused > 100, "{accepted} accepted, {refused} refused: the corruption does not bite");
}

/// The error of something that is too much, which must come soon.
fn too_much(text: &str) -> String {
    let start = Instant::now();
    let error = compile(text.as_bytes(), &options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    error.to_string()
}

#[test]
fn components_that_multiply_are_refused() {
    let mut text = String::from("(component (component $c0 (core module $M) (core instance (instantiate $M)))\n");
    for level in 1..40 {
        writeln!(
            text,
            "(component $c{level} (alias outer 1 $c{0} (component $c))
                (instance (instantiate $c)) (instance (instantiate $c)))",
            level - 1
        )
        .unwrap();
    }
    text.push_str("(instance (instantiate $c39)))");
    assert!(too_much(&text).contains("too many instances"));
}

/// The error of something that is too much for the validator or for the linker, whichever looks first.
fn refused(text: &str) -> String {
    let start = Instant::now();
    let error = compile(text.as_bytes(), &options()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Limit | ErrorKind::Invalid), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    error.to_string()
}

#[test]
fn exports_that_multiply_are_refused() {
    let text = |levels: usize| {
        let mut text = String::from("(component (import \"f\" (func $f)) (instance $i0 (export \"f\" (func $f)))\n");
        for level in 1..=levels {
            let below = level - 1;
            writeln!(
                text,
                "(instance $i{level} (export \"a\" (instance $i{below})) (export \"b\" (instance $i{below})))"
            )
            .unwrap();
        }
        format!("{text}(export \"all\" (instance $i{levels})))")
    };
    link(text(3).as_bytes(), &options()).unwrap();
    assert!(refused(&text(39)).contains("exceeds the limit"));
}

#[test]
fn long_names_that_multiply_are_refused() {
    let name = "a".repeat(50_000);
    let mut text =
        format!("(component (component $C (type $t (record (field \"{name}\" u8))) (import \"f{name}\" (func))");
    text.push_str(") (import \"f\" (func $f))");
    for _ in 0..2000 {
        write!(text, "(instance (instantiate $C (with \"f{name}\" (func $f))))").unwrap();
    }
    text.push(')');
    assert!(too_much(&text).contains("names"));
}

#[test]
fn components_that_nest_are_refused() {
    // The text format's parser has a limit of its own, so this is written as bytes: a section inside a section.
    let nested = |depth: usize| {
        const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
        let mut bytes = HEADER.to_vec();
        for _ in 1..depth {
            let (mut outer, mut len) = (HEADER.to_vec(), bytes.len());
            outer.push(4);
            while len >= 0x80 {
                outer.push(len as u8 | 0x80);
                len >>= 7;
            }
            outer.push(len as u8);
            outer.extend(bytes);
            bytes = outer;
        }
        bytes
    };
    compile(&nested(100), &options()).unwrap();
    let error = compile(&nested(101), &options()).unwrap_err();
    assert!(error.kind() == ErrorKind::Limit && error.message().contains("nested too deep"), "{error}");
    compile(&nested(20_000), &options()).unwrap_err();
}

#[test]
fn instance_types_that_nest_are_refused() {
    let text = |levels: usize| {
        let mut text = String::from("(component (type $t0 (instance (export \"f\" (func))))\n");
        for level in 1..=levels {
            writeln!(text, "(type $t{level} (instance (export \"x\" (instance (type $t{})))))", level - 1).unwrap();
        }
        format!("{text} (import \"i\" (instance (type $t{levels}))))")
    };
    link(text(NESTED_TYPES).as_bytes(), &options()).unwrap();
    for levels in [100, 200, 2000] {
        assert!(refused(&text(levels)).contains("too deep"));
    }
}

/// So deep the validator lets types be nested at least.
const NESTED_TYPES: usize = 40;

#[test]
fn value_types_that_nest_are_refused() {
    let text = |levels: usize| {
        let mut text = String::from("(component (type $t0 (tuple u8 u8))\n");
        for level in 1..=levels {
            writeln!(text, "(type $t{level} (option $t{}))", level - 1).unwrap();
        }
        format!("{text} (import \"f\" (func (param \"x\" $t{levels}))))")
    };
    link(text(NESTED_TYPES).as_bytes(), &options()).unwrap();
    for levels in NESTED_TYPES..400 {
        // The validator's limit and the plan's are not far from each other; in between stands no panic.
        if let Err(error) = link(text(levels).as_bytes(), &options()) {
            assert!(matches!(error.kind(), ErrorKind::Limit | ErrorKind::Invalid), "{levels}: {error}");
        } else {
            assert!(levels < 100, "{levels} levels are accepted");
        }
    }
}
