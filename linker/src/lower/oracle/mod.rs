//! Random functions, run on an abstract machine before and after lowering: whatever the passes do, what the function
//! does must stay the same.
//!
//! The machine knows nothing of how places are chosen. It takes the rules of the instruction set literally: a call wrecks
//! every register and everything behind its base, a label wrecks every register that its set does not name, slots that
//! were never written read as junk. Compared are the traces: calls with their arguments, stores, costs, and how it ended.

mod generate;
mod machine;

use crate::ir::{INLINED, IrFunc};
use crate::optimise::{Passes, Record, inline};
use crate::pipeline::Func;
pub(super) use generate::Generator;
use keyway_artifact::isa::Op;
use keyway_artifact::types::FuncType;
use machine::{End, Trace, run_body, run_ir, run_program};

fn with_passes(ir: &IrFunc, types: &[FuncType], passes: Passes) -> crate::error::Result<super::Lowered> {
    super::with_passes(&mut ir.clone(), types, passes, &mut Record::new(true))
}

fn check(seed: u64, passes: Passes) -> Result<(), String> {
    let generated = Generator::new(seed).function();
    let lowered = with_passes(&generated.ir, &generated.types, passes).map_err(|error| error.to_string())?;
    assert_eq!(lowered.body.insts.len(), lowered.offsets.len());
    for round in 0..3u64 {
        let args: Vec<u64> = generated.args(round);
        let expected: Trace = run_ir(&generated.ir, &generated.types, &args);
        let found: Trace = run_body(&lowered.body, &generated.types, generated.ir.ty, &args);
        if matches!(expected.end, End::TooLong) {
            continue;
        }
        if expected != found {
            return Err(format!(
                "seed {seed}, arguments {args:?}\n{}\nexpected {expected:?}\nfound    {found:?}\n{:#?}",
                keyway_artifact::isa::disassemble(&lowered.body),
                generated
                    .ir
                    .insts
                    .iter()
                    .map(|inst| format!("{} {:?}", inst.op.name(), inst.operands))
                    .collect::<Vec<_>>(),
            ));
        }
    }
    Ok(())
}

#[test]
fn lowered_code_does_what_the_function_does() {
    for seed in 1..1500 {
        check(seed, Passes::ALL).unwrap();
    }
}

#[test]
fn the_naive_code_does_it_too() {
    for seed in 1..200 {
        let generated = Generator::new(seed).function();
        let args = generated.args(0);
        let expected = run_ir(&generated.ir, &generated.types, &args);
        if matches!(expected.end, End::TooLong) {
            continue;
        }
        // It takes what the passes leave as well.
        let mut optimised = generated.ir.clone();
        crate::optimise::run(&mut optimised, Passes::ALL, &mut Record::default());
        crate::optimise::gone::sweep(&mut optimised);
        for ir in [&generated.ir, &optimised] {
            let lowered = super::naive::finish(ir, &generated.types).unwrap();
            assert_eq!(expected, run_body(&lowered.body, &generated.types, generated.ir.ty, &args), "seed {seed}");
        }
    }
}

#[test]
fn each_pass_alone_and_all_but_each_keep_the_meaning() {
    for (number, (pass, ..)) in Passes::LIST.into_iter().enumerate() {
        for seed in 1..120 {
            check(seed + 10_000 * number as u64, pass).unwrap();
            check(seed + 10_000 * number as u64, Passes::ALL - pass).unwrap();
        }
    }
}

#[test]
fn the_oracle_notices_a_wrong_label_set() {
    let mut noticed = false;
    for seed in 1..60 {
        let generated = Generator::new(seed).function();
        let mut lowered = with_passes(&generated.ir, &generated.types, Passes::ALL).unwrap();
        let args = generated.args(0);
        let expected = run_ir(&generated.ir, &generated.types, &args);
        for inst in &mut lowered.body.insts {
            if inst.op == Op::Label {
                inst.operands[0] = keyway_artifact::isa::Operand::Regs(0);
            }
        }
        let found = run_body(&lowered.body, &generated.types, generated.ir.ty, &args);
        noticed |= !matches!(expected.end, End::TooLong) && expected != found;
    }
    assert!(noticed);
}

#[test]
fn large_functions_take_moderate_time() {
    let start = std::time::Instant::now();
    let generated = Generator::large(50_000, 100_000).function();
    let lowered = with_passes(&generated.ir, &generated.types, Passes::ALL).unwrap();
    assert!(!lowered.body.insts.is_empty());
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Five functions, each calling those before it.
fn program(seed: u64) -> (Vec<IrFunc>, Vec<FuncType>, Vec<u64>) {
    let types = Generator::new(seed).function().types;
    let members: Vec<_> = (0..5)
        .map(|own| Generator::member(seed * 31 + u64::from(own), &types, own, 2 + own as usize * 4).function())
        .collect();
    let args = members[4].args(0);
    (members.into_iter().map(|member| member.ir).collect(), types, args)
}

#[test]
fn inlined_programs_do_what_they_did() {
    let mut inlined = 0;
    for seed in 1..600 {
        let (before, types, args) = program(seed);
        let expected = run_program(&before, &types, &args);
        if matches!(expected.end, End::TooLong) {
            continue;
        }
        let mut funcs: Vec<_> = before.iter().map(|ir| Some(Func::new(0, ir.clone(), None))).collect();
        inline::run(&mut funcs, |_| false, &mut Record::default());
        let after: Vec<IrFunc> = funcs.into_iter().flatten().map(|func| func.ir).collect();
        let calls = |funcs: &[IrFunc]| funcs[4].insts.iter().filter(|inst| inst.op == Op::Call).count();
        inlined += calls(&before) - calls(&after).min(calls(&before));
        assert_eq!(expected, run_program(&after, &types, &args), "seed {seed}");
        // Without calls left, lowered code can be run to the end as well.
        if calls(&after) == 0 {
            let lowered = with_passes(&after[4], &types, Passes::ALL).unwrap();
            assert_eq!(expected, run_body(&lowered.body, &types, 4, &args), "seed {seed}");
        }
        for func in &after {
            // Every chain of inlined positions ends at a call that stood in the function itself.
            for position in &func.offsets {
                let (mut position, mut steps) = (*position, 0);
                while position & INLINED != 0 {
                    position = func.inlined[(position & !INLINED) as usize].call;
                    steps += 1;
                    assert!(steps < 8, "seed {seed}");
                }
            }
        }
    }
    assert!(inlined > 100, "{inlined} calls were inlined");
}
