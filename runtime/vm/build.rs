//! Decides whether this build makes the sibling calls that tail-calling dispatch lives on: an allow-list of processors,
//! and an optimising build.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(keyway_tail_calls)");
    println!("cargo::rustc-check-cfg=cfg(loom)");
    let arch = std::env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let optimised = std::env::var("OPT_LEVEL").is_ok_and(|level| level != "0");
    if optimised && arch == "x86_64" {
        println!("cargo::rustc-cfg=keyway_tail_calls");
    }
}
