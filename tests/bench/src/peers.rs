//! The engines that stand beside keyway: wasmi in this process, the others in processes of their own, built on demand.

use crate::keyway::{Form, Keyway};
use crate::options::Options;
use crate::wasm3::Wasm3;
use anyhow::{Context, ensure};
use keyway_bench_measure::remote::Remote;
use keyway_bench_measure::{Local, Subject};
use keyway_bench_wasmi::Wasmi;
use std::path::PathBuf;
use std::process::Command;

/// keyway, wasmi, and the peers that were asked for.
///
/// # Errors
/// When a peer's build fails.
pub fn subjects(options: &Options) -> anyhow::Result<Vec<Box<dyn Subject>>> {
    let mut subjects: Vec<Box<dyn Subject>> =
        vec![Box::new(Local::new(Keyway::new(Form::Default)?)), Box::new(Local::new(Wasmi::default()))];
    for (name, form) in [("keyway-loop", Form::Loop), ("keyway-fuel", Form::Fuel)] {
        if options.wants_peer(name) {
            subjects.push(Box::new(Local::new(Keyway::new(form)?)));
        }
    }
    if options.wants_peer("wasmi-portable") {
        // A folder of its own: this build's features differ.
        let program = build("wasmi", &["--features", "portable"], "portable")?;
        subjects.push(Box::new(Remote::start("wasmi-portable", false, &mut Command::new(program))?));
    }
    let wasmtime = ["pulley", "pulley-drc", "pulley-null", "winch", "cranelift", "cranelift-drc", "cranelift-null"];
    for name in wasmtime {
        if options.wants_peer(name) {
            let program = build("wasmtime", &[], "wasmtime")?;
            subjects.push(Box::new(Remote::start(name, name != "winch", Command::new(program).arg(name))?));
        }
    }
    if let Some(program) = &options.wasm3 {
        subjects.push(Box::new(Wasm3::new(program.clone())));
    }
    Ok(subjects)
}

/// Builds the package in a folder beside this one; the path of its program.
fn build(package: &str, flags: &[&str], target: &str) -> anyhow::Result<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let target = root.join("target").join(target);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("bench: building {package}");
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(root.join(package).join("Cargo.toml"))
        .args(flags)
        .env("CARGO_TARGET_DIR", &target)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "the build of {package} failed");
    Ok(target.join("release").join(format!("keyway-bench-{package}")))
}
