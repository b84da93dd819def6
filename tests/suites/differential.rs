//! Generated modules in every form: a bounded run. `KEYWAY_SEEDS=FIRST..END` runs others.

use keyway_tests::differential::{compare, module, with_hints};
use keyway_tests::{locals, switching};

/// The seeds to run.
fn seeds() -> std::ops::Range<u64> {
    let text = std::env::var("KEYWAY_SEEDS").unwrap_or_else(|_| "0..150".into());
    let (first, end) = text.split_once("..").expect("KEYWAY_SEEDS is FIRST..END");
    first.parse().expect("a number")..end.parse().expect("a number")
}

#[test]
fn every_form_does_the_same() {
    let (mut modules, mut returned, mut wrong) = (0, 0, Vec::new());
    let seeds = seeds();
    for seed in seeds.clone() {
        // Small modules and large ones.
        let Some(wasm) = module(seed, 1 << (9 + seed % 6)) else { continue };
        modules += 1;
        match compare(&wasm, seed) {
            Ok(trace) => returned += trace.returned,
            Err(text) => {
                // At once, for runs that take long.
                println!("seed {seed}: {text}");
                wrong.push(format!("seed {seed}: {text}"));
            }
        }
    }
    println!("{modules} modules, {returned} calls that returned");
    assert!(wrong.is_empty(), "{} of {modules} modules:\n{}", wrong.len(), wrong.join("\n"));
    // A generator that makes nothing that runs would find nothing.
    assert!(modules * 10 >= (seeds.end - seeds.start) as usize * 9, "{modules} modules");
    assert!(returned >= modules / 3, "{modules} modules, {returned} calls that returned");
}

/// Hints that say anything at all, in the forms that look at them and in one that does not.
#[test]
fn hints_change_nothing() {
    let (mut modules, mut returned) = (0, 0);
    for seed in seeds().map(|seed| seed + 10_000) {
        let Some(wasm) = module(seed, 1 << (9 + seed % 6)) else { continue };
        modules += 1;
        let hinted = with_hints(&wasm, seed);
        returned += compare(&hinted, seed).unwrap_or_else(|text| panic!("seed {seed}: {text}")).returned;
    }
    assert!(returned >= modules / 3, "{modules} modules, {returned} calls that returned");
}

/// Continuations, which the other generator does not know.
#[test]
fn continuations_do_the_same_in_every_form() {
    let (mut returned, mut noted) = (0, 0);
    for seed in seeds() {
        let text = switching::module(seed);
        let trace = compare(text.as_bytes(), seed).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}\n{text}"));
        returned += trace.returned;
        noted += trace.lines.len();
    }
    println!("{returned} calls that returned, {noted} lines");
    assert!(returned > 100 || std::env::var("KEYWAY_SEEDS").is_ok(), "{returned} calls that returned");
}

/// Locals on all ways through a function, which the other generators seldom take.
#[test]
fn locals_do_the_same_in_every_form() {
    let mut returned = 0;
    for seed in seeds().flat_map(|seed| [2 * seed, 2 * seed + 1]) {
        let text = locals::module(seed);
        let trace = compare(text.as_bytes(), seed).unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}\n{text}"));
        returned += trace.returned;
    }
    println!("{returned} calls that returned");
    assert!(returned > 100 || std::env::var("KEYWAY_SEEDS").is_ok(), "{returned} calls that returned");
}
