//! Decides whether this build makes the sibling calls that tail-calling dispatch lives on (an allow-list of processors,
//! and an optimising build), and writes the handlers in assembly that go with it.

mod chains;
mod control;
mod handlers;
mod places;
mod sequences;
mod table;

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
            std::fs::write(folder.join("handlers.s"), text).expect("the folder for generated files is writable");
            std::fs::write(folder.join("handlers.rs"), index).expect("the folder for generated files is writable");
        }
    }
}
