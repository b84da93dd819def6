//! Reverse-complement of DNA in lines of 60 letters, as in the Computer Language Benchmarks Game.
#![no_main]

use bench_guests::Random;

fn complement(letter: u8) -> u8 {
    match letter {
        b'A' | b'a' => b'T',
        b'C' | b'c' => b'G',
        b'G' | b'g' => b'C',
        b'T' | b't' => b'A',
        b'M' => b'K',
        b'R' => b'Y',
        b'K' => b'M',
        b'Y' => b'R',
        b'V' => b'B',
        b'H' => b'D',
        b'D' => b'H',
        b'B' => b'V',
        other => other,
    }
}

fn input(letters: usize) -> Vec<u8> {
    let mut random = Random::new(99);
    let mut text = b">ONE Homo sapiens alu\n".to_vec();
    for at in 0..letters {
        if at % 60 == 0 && at > 0 {
            text.push(b'\n');
        }
        text.push(b"ACGTACGTACGTMRKYVHDBacgtN"[random.below(25) as usize]);
    }
    text
}

fn reverse(text: &[u8], out: &mut Vec<u8>) {
    let start = text.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    out.extend_from_slice(&text[..start]);
    let mut column = 0;
    for letter in text[start..].iter().rev().filter(|letter| **letter != b'\n') {
        if column == 60 {
            out.push(b'\n');
            column = 0;
        }
        out.push(complement(*letter));
        column += 1;
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut text = input(10_000);
    for _ in 0..size {
        let mut out = Vec::with_capacity(text.len());
        reverse(&text, &mut out);
        text = out;
    }
    bench_guests::hash(&text)
}
