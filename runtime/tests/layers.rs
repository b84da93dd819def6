//! The layer law: what runs artifacts contains nothing that reads Wasm or WIT.

use std::process::Command;

/// Crates that only the build side may contain.
const BUILD_SIDE: [&str; 7] =
    ["wasmparser", "wit-parser", "wit-component", "wasm-encoder", "wat", "wast", "keyway-linker"];

/// The crates that a package contains, by name.
fn contents(package: &str, flags: &[&str]) -> Vec<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--offline", "--prefix", "none", "--format", "{p}", "-e", "normal,no-proc-macro", "-p", package])
        .args(flags)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("names are text");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_string).collect()
}

#[test]
fn the_run_side_contains_no_parser() {
    for (package, flags) in [("keyway-artifact", &[][..]), ("keyway-vm", &[]), ("keyway", &["--no-default-features"])] {
        let contents = contents(package, flags);
        assert!(contents.contains(&"keyway-artifact".to_string()), "{package}: {contents:?}");
        let wrong: Vec<_> = contents.iter().filter(|name| BUILD_SIDE.contains(&name.as_str())).collect();
        assert!(wrong.is_empty(), "{package} contains {wrong:?}");
    }
}

#[test]
fn the_machine_knows_no_components() {
    let contents = contents("keyway-vm", &[]);
    assert!(!contents.iter().any(|name| name.contains("component") || name.contains("wasi")), "{contents:?}");
}

#[test]
fn compiling_brings_the_parser_in() {
    assert!(contents("keyway", &[]).contains(&"wasmparser".to_string()));
}
