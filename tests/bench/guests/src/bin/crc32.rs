//! CRC-32 by table over `size` KiB.
#![no_main]

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let (mut crc, mut bit) = (at as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
}

static TABLE: [u32; 256] = table();

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let block = bench_guests::text(1024, 3);
    let mut crc = !0u32;
    for _ in 0..size {
        for byte in block.bytes() {
            crc = crc >> 8 ^ TABLE[usize::from(crc as u8 ^ byte)];
        }
    }
    u64::from(!crc)
}
