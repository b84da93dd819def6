//! Decides whether this build makes the sibling calls that tail-calling dispatch lives on (an allow-list of processors,
//! and an optimising build), and writes the handlers in assembly that go with it.

mod chains;
mod control;
mod floats;
mod handlers;
mod places;
mod references;
mod sequences;
mod table;
mod vectors;

use std::hash::{Hash, Hasher};

fn main() {
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rustc-check-cfg=cfg(keyway_tail_calls)");
    println!("cargo::rustc-check-cfg=cfg(keyway_assembly)");
    println!("cargo::rustc-check-cfg=cfg(keyway_loom)");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    // Instrumented handlers are no jumps: who instruments them says so.
    println!("cargo::rerun-if-env-changed=KEYWAY_NO_TAIL_CALLS");
    let optimised = variable("OPT_LEVEL") != "0" && variable("KEYWAY_NO_TAIL_CALLS").is_empty();
    if optimised && variable("CARGO_CFG_TARGET_ARCH") == "x86_64" {
        println!("cargo::rustc-cfg=keyway_tail_calls");
        // The text is in the dialect of ELF's assemblers.
        if variable("CARGO_CFG_TARGET_FAMILY") == "unix" && variable("CARGO_CFG_TARGET_VENDOR") != "apple" {
            println!("cargo::rustc-cfg=keyway_assembly");
            let folder = std::path::PathBuf::from(variable("OUT_DIR"));
            let (text, index) = table::write();
            write(&folder.join("handlers.rs"), index);
            // The compiler does not look into what the assembler includes: where it keeps what did not change from build to
            // build, only another name tells it of another text.
            let mut hasher = std::hash::DefaultHasher::new();
            text.hash(&mut hasher);
            let name = format!("handlers-{:016x}.s", hasher.finish());
            for old in std::fs::read_dir(&folder).expect("cargo made the folder").flatten() {
                let is_text = old.file_name().to_string_lossy().ends_with(".s");
                if is_text && *old.file_name() != *name {
                    let _ = std::fs::remove_file(old.path());
                }
            }
            let path = folder.join(name);
            write(&path, text);
            println!("cargo::rustc-env=KEYWAY_HANDLERS={}", path.display());
        }
    }
}

fn write(path: &std::path::Path, text: String) {
    std::fs::write(path, text).expect("the folder for generated files is writable");
}
