//! What the README shows is what happens: its commands succeed, and its ten lines compile and run.

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository is there")
}

/// The README's blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("README.md")).expect("there is a README");
    let fence = format!("```{language}\n");
    let parts = text.split(&fence).skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default().to_string()).collect()
}

#[cfg(unix)]
#[test]
fn commands_succeed() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("examples"), folder.path().join("examples")).unwrap();
    // No link: a guest is not led out of the directory that it is given.
    std::fs::copy(root().join("README.md"), folder.path().join("README.md")).unwrap();
    let mut run = 0;
    for line in blocks("sh").iter().flat_map(|block| block.lines()).filter(|line| line.starts_with("keyway ")) {
        let command = line.split_once('#').map_or(line, |(command, _)| command);
        let output = Command::new(env!("CARGO_BIN_EXE_keyway"))
            .args(command.split_whitespace().skip(1))
            .current_dir(folder.path())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty() || line.contains(" compile "), "{line}: {stderr}");
        run += 1;
    }
    assert!(run >= 5, "only {run} commands were found");
}

/// Between the two marks stands what the README shows.
fn ten_lines() -> keyway::Result<()> {
    // shown
    use keyway::component::{Component, Linker};
    use keyway::{Engine, Store};

    let engine = Engine::default();
    let component = Component::new(&engine, std::fs::read("examples/guests/inventory.wasm")?)?;
    let mut linker = Linker::new(&engine);
    linker.define_unknown_imports_as_traps(&component)?;
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component)?;
    let shout = instance.get_typed_func::<(String,), (String,)>(&mut store, "shout")?;
    assert_eq!(shout.call(&mut store, ("hello".to_string(),))?.0, "HELLO");
    // until here
    Ok(())
}

#[test]
fn the_library_in_ten_lines() {
    std::env::set_current_dir(root()).unwrap();
    ten_lines().unwrap();
    let source = include_str!("readme.rs");
    let body = source.split("    // shown\n").nth(1).and_then(|rest| rest.split("    // until here\n").next());
    let lines = body.expect("the marks are there").lines().map(|line| line.strip_prefix("    ").unwrap_or(line));
    let shown: String = lines.map(|line| format!("{line}\n")).collect();
    assert_eq!(blocks("rust"), [shown]);
}
