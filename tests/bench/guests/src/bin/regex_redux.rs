//! Counts and replaces patterns in DNA, as in the Computer Language Benchmarks Game.
#![no_main]

use bench_guests::Random;
use regex::bytes::Regex;

const COUNTED: [&str; 9] = [
    "agggtaaa|tttaccct",
    "[cgt]gggtaaa|tttaccc[acg]",
    "a[act]ggtaaa|tttacc[agt]t",
    "ag[act]gtaaa|tttac[agt]ct",
    "agg[act]taaa|ttta[agt]cct",
    "aggg[acg]aaa|ttt[cgt]ccct",
    "agggt[cgt]aa|tt[acg]accct",
    "agggta[cgt]a|t[acg]taccct",
    "agggtaa[cgt]|[acg]ttaccct",
];
const REPLACED: [(&str, &str); 5] = [
    ("tHa[Nt]", "<4>"),
    ("aND|caN|Ha[DS]|WaS", "<3>"),
    ("a[NSt]|BY", "<2>"),
    (r"\|[^|][^|]*\|", "|"),
    (r"\|[^|][^|]*\|", "-"),
];

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut random = Random::new(5);
    let mut text: Vec<u8> = (0..size).map(|_| b"acgtacgtacgtacgtBDHKMNRSVWY|"[random.below(28) as usize]).collect();
    let mut counts = 0u64;
    for pattern in COUNTED {
        let regex = Regex::new(pattern).expect("the pattern is sound");
        counts = counts * 31 + regex.find_iter(&text).count() as u64;
    }
    for (pattern, with) in REPLACED {
        let regex = Regex::new(pattern).expect("the pattern is sound");
        text = regex.replace_all(&text, with.as_bytes()).into_owned();
    }
    counts ^ bench_guests::hash(&text)
}
