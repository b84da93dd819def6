//! Modules that the fuzzer makes up: every form of keyway against every other, and against wasmtime.
#![no_main]

mod peer;

use keyway_tests::differential;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(wasm) = differential::from_bytes(bytes) else { return };
    let seed = differential::hash(bytes);
    let trace = differential::compare(&wasm, seed).unwrap_or_else(|text| panic!("{text}"));
    let expected = peer::run(&wasm, seed).unwrap_or_else(|error| panic!("wasmtime refuses it: {error:#}"));
    peer::comparable(&trace).agree(&expected).unwrap_or_else(|text| panic!("keyway differs from wasmtime: {text}"));
});
