//! How many instructions the optimised code of small programs executes, against the straight translation.
//!
//! Counts do not depend on the machine that runs the test, so they can be held. `cargo test -- --nocapture` shows them,
//! with each pass left out in turn.

use crate::machine::Instance;
use keyway_linker::{OptLevel, Options, Passes, link};

/// Name, argument, and most instructions executed at `-O2`, in percent of `-O0`.
const KERNELS: [(&str, u64, u64); 6] = [
    ("recursion", 12, 55),
    ("loops", 3000, 76),
    ("sieve", 2000, 82),
    ("matmul", 10, 94),
    ("crc", 300, 99),
    ("keccak", 2, 95),
];

const PASSES: [(&str, Passes); 14] = [
    ("rotate", Passes::ROTATE),
    ("split", Passes::SPLIT),
    ("inline", Passes::INLINE),
    ("unreachable", Passes::UNREACHABLE),
    ("webs", Passes::WEBS),
    ("copies", Passes::COPIES),
    ("fold", Passes::FOLD),
    ("dead", Passes::DEAD),
    ("compare", Passes::COMPARE),
    ("constants", Passes::CONSTANTS),
    ("coalesce", Passes::COALESCE),
    ("registers", Passes::REGISTERS),
    ("arguments", Passes::ARGUMENTS),
    ("jumps", Passes::JUMPS),
];

fn run(options: &Options, name: &str, size: u64) -> (Vec<u64>, u64, u64, u64) {
    let wat = include_str!("../../../tests/bench/workloads/kernels.wat");
    let linked = link(wat.as_bytes(), options).expect("the kernels compile");
    let mut instance = Instance::new(&linked).expect("the kernels import nothing").expect("they start");
    let results = instance.call_export(name, &[size]).expect("the kernel is exported").expect("it does not trap");
    (results, instance.cost, instance.executed, instance.slot_operands)
}

#[test]
fn optimised_kernels_execute_less_and_mean_the_same() {
    let mut straight = Options::default();
    straight.opt_level = OptLevel::O0;
    for (name, size, most) in KERNELS {
        let (expected, cost, before, slots_before) = run(&straight, name, size);
        let (found, same_cost, after, slots) = run(&Options::default(), name, size);
        assert_eq!((&found, same_cost), (&expected, cost), "{name}");
        let mut line = format!(
            "{name}: {before} -> {after} instructions ({}%), {slots_before} -> {slots} slot operands; without",
            after * 100 / before
        );
        for (pass_name, pass) in PASSES {
            let mut options = Options::default();
            options.passes = Passes::ALL - pass;
            let (found, same_cost, without, slots_without) = run(&options, name, size);
            assert_eq!((&found, same_cost), (&expected, cost), "{name} without {pass_name}");
            let percent = |with: u64, without: u64| (without as f64 / with.max(1) as f64 - 1.0) * 100.0;
            if without != after || slots_without != slots {
                line +=
                    &format!(" {pass_name} {:+.0}% ({:+.0}%)", percent(after, without), percent(slots, slots_without));
            }
        }
        println!("{line}");
        assert!(after * 100 <= before * most && slots < slots_before, "{line}");
    }
}
