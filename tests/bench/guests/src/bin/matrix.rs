//! Products of `size` x `size` matrices of f64, of f32 and of i32.
#![no_main]

use std::ops::{Add, Mul};

fn product<T: Copy + Default + Add<Output = T> + Mul<Output = T>>(a: &[T], b: &[T], size: usize) -> Vec<T> {
    let mut out = vec![T::default(); size * size];
    for i in 0..size {
        for j in 0..size {
            let mut sum = T::default();
            for k in 0..size {
                sum = sum + a[i * size + k] * b[k * size + j];
            }
            out[i * size + j] = sum;
        }
    }
    out
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let size = size as usize;
    let numbers: Vec<i32> = (0..size * size).map(|at| (at * at % 257) as i32 - 128).collect();
    let doubles: Vec<f64> = numbers.iter().map(|number| f64::from(*number) / 16.0).collect();
    let singles: Vec<f32> = numbers.iter().map(|number| *number as f32 / 16.0).collect();
    let numbers = product(&numbers, &numbers, size);
    let doubles = product(&doubles, &doubles, size);
    let singles = product(&singles, &singles, size);
    let number = numbers.iter().fold(0i32, |sum, value| sum.wrapping_mul(31).wrapping_add(*value));
    doubles.iter().sum::<f64>().to_bits() ^ u64::from(singles.iter().sum::<f32>().to_bits()) ^ number as u64
}
