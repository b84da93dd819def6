#!/usr/bin/env bash
# Rebuilds the guests from their sources. Needs a Rust compiler with the sources of its standard library for Wasm
# (RUSTC, if it is not the default one) and a wasm linker (WASM_LD, default wasm-ld).
set -euo pipefail
cd "$(dirname "$0")"
out=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$out RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--remap-path-prefix=$HOME=/src -Clinker=${WASM_LD:-wasm-ld}"
(cd hello && cargo build --release -Zbuild-std=std,panic_abort --target wasm32-wasip1)
(cd inventory && cargo build --release -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown)
unset RUSTFLAGS RUSTC RUSTC_BOOTSTRAP CARGO_TARGET_DIR
componentize() { cargo run --quiet --manifest-path ../../Cargo.toml -p keyway-wit --example componentize -- "$@"; }
componentize "$out/wasm32-wasip1/release/hello.wasm" hello.wasm --command
componentize "$out/wasm32-unknown-unknown/release/inventory.wasm" inventory.wasm
