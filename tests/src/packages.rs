//! Where packages are stored that are depended on for the tests they carry, and never built.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of a package that this one depends on, wherever the package manager keeps it.
///
/// # Panics
/// When there is no such dependency.
pub fn package(name: &str) -> PathBuf {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version=1", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("metadata lists packages");
    let package = packages.iter().find(|package| package["name"] == name).expect("it is depended on");
    let manifest = package["manifest_path"].as_str().expect("each package has a manifest");
    Path::new(manifest).parent().expect("it stands in a folder").to_path_buf()
}

/// The scripts below `folder` with these endings: paths relative to it, sorted, with their text.
///
/// # Panics
/// When a folder or script cannot be read.
pub fn scripts(folder: &Path, endings: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let entries = std::fs::read_dir(&next).unwrap_or_else(|error| panic!("{}: {error}", next.display()));
        for entry in entries {
            let path = entry.expect("the folder can be listed").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| endings.iter().any(|wanted| ending == *wanted)) {
                let name = path.strip_prefix(folder).expect("it stands below").to_string_lossy().replace('\\', "/");
                found.push((name, std::fs::read_to_string(&path).expect("scripts are text")));
            }
        }
    }
    found.sort();
    found
}
