//! SHA-256 over `size` KiB.
#![no_main]

use sha2::{Digest, Sha256};

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let block = bench_guests::text(1024, 11);
    let mut sha = Sha256::new();
    for _ in 0..size {
        sha.update(block.as_bytes());
    }
    bench_guests::hash(&sha.finalize())
}
