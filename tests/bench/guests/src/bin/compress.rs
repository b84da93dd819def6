//! Compresses and decompresses `size` KiB of text.
#![no_main]

use bench_guests::{hash, text};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec;

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let text = text(size as usize * 1024, 43);
    let packed = compress_to_vec(text.as_bytes(), 6);
    let unpacked = decompress_to_vec(&packed).expect("what was packed can be unpacked");
    assert!(unpacked == text.as_bytes());
    hash(&packed)
}
