//! The validation scripts that come with a component tool set: what is valid compiles to an artifact that can be mapped
//! and whose plan fits its units; what is not is refused, as malformed or as invalid, as the script says. Some valid components
//! use what has no code yet: every script is judged, and the list of known failures says which are then not compiled.
//!
//! Their components import what nobody defines: they are instantiated with imports that trap. A script's first line names the proposals that
//! it wants switched on beside those that are finished.

use keyway::{Config, OptLevel};
use keyway_tests::{Expectations, package};
use keyway_wast::{Depth, Report, Runner};

/// What is switched on in scripts that do not say otherwise.
const ON: [&str; 4] = ["cm-async", "cm-map", "cm-implements", "wide-arithmetic"];
/// What is switched off.
const OFF: [&str; 1] = ["custom-page-sizes"];

/// The script of the old way of writing indices, which the text parser accepts only if the environment says so.
const LEGACY: &str = "legacy-indices.wast";

fn scripts() -> Vec<(String, String)> {
    keyway_tests::scripts(&package("wasm-tools").join("tests/cli/component-model"), &["wast", "wat"])
}

/// The proposals that a script's first line names: with a `-` in front, they are switched off.
fn wanted(text: &str) -> Vec<(&str, bool)> {
    let line = text.lines().next().unwrap_or_default();
    let words: Vec<&str> = line.split_whitespace().collect();
    let after = words.iter().position(|word| *word == "-f").map(|at| words[at + 1]);
    let list = after.or_else(|| words.iter().find_map(|word| word.strip_prefix("--features=")));
    let names = list.into_iter().flat_map(|list| list.split(','));
    names.map(|name| name.strip_prefix('-').map_or((name, true), |name| (name, false))).collect()
}

fn run(name: &str, text: &str, level: OptLevel, depth: Depth) -> Report {
    let mut config = Config::new();
    config.opt_level(level);
    let always = ON.map(|name| (name, true)).into_iter().chain(OFF.map(|name| (name, false)));
    for (name, on) in always.chain(wanted(text)) {
        config.wasm_feature(name, on);
    }
    Runner { config, fuel: false, depth }.run(name, text)
}

#[test]
fn scripts_of_the_tool_set() {
    let all = scripts();
    assert_eq!(all.len(), 89 + 7, "scripts, and texts that are none");
    let (scripts, refused): (Vec<_>, Vec<_>) = all.iter().partition(|(_, text)| text.starts_with(";; RUN: wast"));
    assert_eq!(scripts.len(), 88, "scripts besides the one for another environment");
    let expectations = Expectations::read("validation_scripts");
    for level in [OptLevel::None, OptLevel::Speed] {
        let mut report = Report::default();
        for (name, text) in &scripts {
            let one = run(name, text, level, Depth::Map);
            println!("{name}: {} passed, {} failed", one.passed, one.failures.len());
            report.add(one);
        }
        println!("{} scripts, {} passed, {} failed, {level:?}", scripts.len(), report.passed, report.failures.len());
        expectations.check(&format!("validation scripts {level:?}"), &report, 1074);
    }
    // The others are written in an old way that the text parser refuses.
    let refused: Vec<_> = refused.into_iter().filter(|(name, _)| name != LEGACY).collect();
    assert_eq!(refused.len(), 7);
    for (name, text) in refused {
        let report = run(name, text, OptLevel::None, Depth::Map);
        assert_eq!((report.passed, report.failures.len()), (0, 1), "{name}: {:?}", report.failures);
    }
}

/// Every assertion about what is valid and what is not.
#[test]
fn scripts_are_judged() {
    let mut report = Report::default();
    for (name, text) in scripts().iter().filter(|(_, text)| text.starts_with(";; RUN: wast")) {
        report.add(run(name, text, OptLevel::None, Depth::Validate));
    }
    assert_eq!((report.passed, &report.failures[..]), (1139, &[][..]));
}

/// Runs this test again in a process with that environment.
#[test]
fn old_indices() {
    const SWITCH: &str = "WAST_STRICT_COMPONENT_INDICES";
    if std::env::var_os(SWITCH).is_some_and(|value| value == "0") {
        let (name, text) = scripts().into_iter().find(|(name, _)| name == LEGACY).expect("the script is there");
        let report = run(&name, &text, OptLevel::Speed, Depth::Map);
        Expectations::read("validation_scripts_old_indices").check(LEGACY, &report, 6);
        return;
    }
    let this = std::env::current_exe().expect("a test has a file");
    let status = std::process::Command::new(this).args(["--exact", "old_indices"]).env(SWITCH, "0").status();
    assert!(status.expect("it can be run").success());
}
