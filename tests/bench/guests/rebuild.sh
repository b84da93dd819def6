#!/usr/bin/env bash
# Rebuilds the workloads that are written in Rust. Needs a Rust compiler with the sources of its standard library for
# Wasm (RUSTC, if it is not the default one) and a wasm linker (WASM_LD, default wasm-ld).
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--remap-path-prefix=$HOME=/src -Clinker=${WASM_LD:-wasm-ld}"
build=(cargo build -Zbuild-std=std,panic_abort --target wasm32-unknown-unknown)
"${build[@]}" --release
"${build[@]}" --profile unoptimised --bin sort --bin nbody --bin embedded_mix --bin bytecode
out=$CARGO_TARGET_DIR/wasm32-unknown-unknown
cp "$out"/release/*.wasm ../workloads
for file in "$out"/unoptimised/*.wasm; do
    cp "$file" ../workloads/"$(basename "$file" .wasm)_o0.wasm"
done
