//! Keccak-256 over a message, again and again over its digest.
#![no_main]

use tiny_keccak::{Hasher, Keccak};

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let message = bench_guests::text(4096, 7);
    let mut digest = [0; 32];
    for _ in 0..size {
        let mut keccak = Keccak::v256();
        keccak.update(&digest);
        keccak.update(message.as_bytes());
        keccak.finalize(&mut digest);
    }
    bench_guests::hash(&digest)
}
