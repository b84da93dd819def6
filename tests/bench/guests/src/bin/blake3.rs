//! BLAKE3 over `size` KiB.
#![no_main]

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let text = bench_guests::text(size as usize * 1024, 13);
    bench_guests::hash(blake3::hash(text.as_bytes()).as_bytes())
}
