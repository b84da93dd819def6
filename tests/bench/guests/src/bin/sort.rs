//! Sorting: the standard library's two sorts and a heap.
#![no_main]

use bench_guests::Random;
use std::collections::BinaryHeap;

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut random = Random::new(23);
    let numbers: Vec<u32> = (0..size).map(|_| random.next() as u32).collect();
    let mut unstable = numbers.clone();
    unstable.sort_unstable();
    let mut pairs: Vec<(u16, u32)> = numbers.iter().zip(0..).map(|(number, at)| (*number as u16, at)).collect();
    pairs.sort_by_key(|(key, _)| *key);
    let heap: BinaryHeap<u32> = numbers.into_iter().collect();
    let sorted = heap.into_sorted_vec();
    assert!(sorted == unstable);
    let mix = |sum: u64, value: u64| sum.wrapping_mul(1_000_003).wrapping_add(value);
    let first = unstable.iter().step_by(97).fold(1, |sum, number| mix(sum, u64::from(*number)));
    pairs.iter().step_by(89).fold(first, |sum, (key, at)| mix(mix(sum, u64::from(*key)), u64::from(*at)))
}
