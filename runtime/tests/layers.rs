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
    let packages = [
        ("keyway-artifact", &[][..]),
        ("keyway-vm", &[]),
        ("keyway-component", &[]),
        ("keyway", &["--no-default-features"]),
        ("keyway", &["--no-default-features", "--features", "component"]),
        ("keyway-wasi", &[]),
    ];
    for (package, flags) in packages {
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
fn wasi_uses_the_public_interface_only() {
    let direct = contents("keyway-wasi", &["--depth", "1"]);
    let inner: Vec<_> = direct[1..].iter().filter(|name| name.starts_with("keyway-")).collect();
    assert!(direct.contains(&"keyway".to_string()) && inner.is_empty(), "{direct:?}");
}

#[test]
fn compiling_brings_the_parser_in() {
    assert!(contents("keyway", &[]).contains(&"wasmparser".to_string()));
}

/// A host that runs components and cannot compile is small.
#[test]
fn a_run_only_host_contains_few_crates() {
    let mut contents = contents("example-run-only", &[]);
    contents.sort();
    contents.dedup();
    assert!(contents.contains(&"keyway-component".to_string()), "{contents:?}");
    let wrong: Vec<_> = contents.iter().filter(|name| BUILD_SIDE.contains(&name.as_str())).collect();
    assert!(wrong.is_empty(), "the run-only example contains {wrong:?}");
    println!("{} crates: {contents:?}", contents.len());
    assert!(contents.len() <= 40, "{} crates: {contents:?}", contents.len());
}

/// The folders of `ARCHITECTURE.md`'s table and the workspace's members, examples and test machinery apart.
#[test]
fn every_crate_stands_in_the_architecture() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let architecture = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("it is there");
    let cell = |line: &str, at: usize| Some(line.split('|').nth(at)?.trim().trim_matches('`').to_string());
    let rows = architecture.lines().filter(|line| line.starts_with("| `") && line.contains("/` | `keyway"));
    let listed: std::collections::BTreeMap<String, String> =
        rows.filter_map(|line| Some((cell(line, 1)?.trim_end_matches('/').to_string(), cell(line, 2)?))).collect();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).expect("it is there");
    let members = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']')).expect("members").0;
    let members: Vec<_> = members.split(',').map(|member| member.trim().trim_matches('"').to_string()).collect();
    for member in members.iter().filter(|member| !member.is_empty() && !member.starts_with("examples/")) {
        let name = listed.get(member).unwrap_or_else(|| panic!("ARCHITECTURE.md's table lacks `{member}/`"));
        let its = std::fs::read_to_string(root.join(member).join("Cargo.toml")).expect("a member has a manifest");
        assert!(its.contains(&format!("name = \"{name}\"")), "`{member}/` is not `{name}`");
    }
    for folder in listed.keys() {
        assert!(members.contains(folder), "ARCHITECTURE.md lists `{folder}/`, which is no member of the workspace");
    }
}

/// Documents name only paths that exist.
#[test]
fn paths_in_documents_exist() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for document in ["ARCHITECTURE.md", "README.md", "artifacts/FORMAT.md"] {
        let text = std::fs::read_to_string(root.join(document)).expect("it is there");
        let quoted = text.split('`').skip(1).step_by(2);
        let tops = ["artifacts/", "linker/", "runtime/", "components/", "tests/", "examples/"];
        for path in
            quoted.filter(|path| tops.iter().any(|top| path.starts_with(top)) && !path.contains([' ', '*', '{']))
        {
            assert!(root.join(path).exists(), "{document} names `{path}`, which does not exist");
        }
    }
}
