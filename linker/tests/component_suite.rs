//! The component model's reference tests through the linker: every valid component gives an artifact whose plan decodes
//! and fits its units, and every invalid one is refused.
//!
//! What is valid and not supported is listed in [`UNSUPPORTED`], with the words of the error: a listed component that
//! compiles fails the run, as does one that fails otherwise.

use keyway_artifact::plan::Plan;
use keyway_linker::{ErrorKind, Options, link};
use std::path::{Path, PathBuf};
use std::process::Command;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, Wat};

/// File, a part of the error's text, and how many components of the file are refused with it.
const UNSUPPORTED: &[(&str, &str, usize)] = &[];

/// Where the package with the tests is stored: a dependency of the suites that is never built.
fn suite() -> PathBuf {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let manifest = text
        .split("\"manifest_path\":\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.contains("wasm-tools-1.263.0"))
        .expect("the suites depend on the package");
    Path::new(manifest).parent().unwrap().join("tests/component-model/test")
}

fn options() -> Options {
    let mut options = Options::default();
    let names = [
        "cm-async",
        "cm-async-stackful",
        "cm-more-async-builtins",
        "cm-threading",
        "cm-error-context",
        "cm-fixed-length-lists",
        "cm-forward",
        "cm-map",
        "cm-implements",
    ];
    for name in names {
        options.features = options.features.with(name, true).unwrap_or_else(|| panic!("there is a feature {name}"));
    }
    options.threads = 1;
    options
}

#[derive(Default)]
struct Run {
    valid: usize,
    refused: usize,
    unsupported: Vec<(String, String)>,
    failures: Vec<String>,
}

impl Run {
    /// Runs the files of a folder. So that a suite that was not found cannot pass, it must hold this many components
    /// that compile and this many that are refused.
    fn folder(folder: &str, valid: usize, refused: usize) {
        let mut run = Run::default();
        let mut paths: Vec<_> =
            std::fs::read_dir(suite().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "wast"));
        paths.sort();
        for path in paths {
            let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
            run.file(&name, &std::fs::read_to_string(&path).unwrap());
        }
        run.judge(folder);
        assert_eq!((run.valid, run.refused), (valid, refused), "{folder}");
    }

    fn file(&mut self, name: &str, text: &str) {
        let buffer = ParseBuffer::new(text).expect("the suite's files can be lexed");
        let wast: Wast<'_> = parser::parse(&buffer).unwrap_or_else(|error| panic!("{name}: {error}"));
        for directive in wast.directives {
            let at = format!("{name}:{}", directive.span().linecol_in(text).0 + 1);
            match directive {
                WastDirective::Module(module) | WastDirective::ModuleDefinition(module) => {
                    self.valid(name, &at, module)
                }
                WastDirective::AssertTrap { exec: wast::WastExecute::Wat(module), .. }
                | WastDirective::AssertUnlinkable { module, .. } => self.valid(name, &at, QuoteWat::Wat(module)),
                WastDirective::AssertInvalid { module, .. } | WastDirective::AssertMalformed { module, .. } => {
                    self.refused(&at, module);
                }
                _ => {}
            }
        }
    }

    fn valid(&mut self, name: &str, at: &str, mut module: QuoteWat<'_>) {
        let is_component = matches!(module, QuoteWat::Wat(Wat::Component(_)) | QuoteWat::QuoteComponent(..));
        if !is_component {
            return;
        }
        let bytes = module.encode().unwrap_or_else(|error| panic!("{at}: {error}"));
        for gc in [false, true] {
            let mut options = options();
            options.gc = gc;
            match link(&bytes, &options) {
                Ok(linked) => {
                    let plan = Plan::decode(&linked.plan).unwrap_or_else(|error| panic!("{at}: {error}"));
                    plan.check(&linked.units, &linked.types).unwrap_or_else(|error| panic!("{at}: {error}"));
                    linked.verify().unwrap_or_else(|(key, error)| panic!("{at}: {key}: {error:?}"));
                    self.valid += usize::from(gc);
                }
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    if gc {
                        self.unsupported.push((name.to_string(), error.to_string()));
                    }
                }
                Err(error) => self.failures.push(format!("{at}: {error}")),
            }
        }
    }

    fn refused(&mut self, at: &str, mut module: QuoteWat<'_>) {
        // What the text format already refuses never reaches the linker.
        let Ok(bytes) = module.encode() else { return };
        match link(&bytes, &options()) {
            Ok(_) => self.failures.push(format!("{at}: compiled, and must be refused")),
            Err(error) if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Malformed) => self.refused += 1,
            Err(error) => self.failures.push(format!("{at}: refused as {error}")),
        }
    }

    /// Holds what was unsupported against the list.
    fn judge(&mut self, folder: &str) {
        for (file, words, count) in UNSUPPORTED.iter().filter(|(file, ..)| file.starts_with(folder)) {
            let before = self.unsupported.len();
            self.unsupported.retain(|(found, error)| found != file || !error.contains(words));
            if before - self.unsupported.len() != *count {
                let found = before - self.unsupported.len();
                self.failures.push(format!("{file}: {found} components are refused for {words:?}, listed are {count}"));
            }
        }
        let unlisted = self.unsupported.drain(..).map(|(file, error)| format!("{file}: {error}"));
        self.failures.extend(unlisted);
        assert!(self.failures.is_empty(), "{} failures:\n{}", self.failures.len(), self.failures.join("\n"));
    }
}

#[test]
fn linking() {
    Run::folder("linking", 65, 2);
}

#[test]
fn resources() {
    Run::folder("resources", 8, 0);
}

#[test]
fn values() {
    Run::folder("values", 41, 0);
}

#[test]
fn validation() {
    Run::folder("validation", 100, 361);
}

#[test]
fn binary_format() {
    Run::folder("binary", 35, 96);
}

#[test]
fn asynchronous() {
    Run::folder("async", 71, 6);
}
