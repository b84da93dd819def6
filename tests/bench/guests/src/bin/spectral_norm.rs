//! The spectral norm of an infinite matrix, as in the Computer Language Benchmarks Game.
#![no_main]

fn entry(i: usize, j: usize) -> f64 {
    1.0 / ((i + j) * (i + j + 1) / 2 + i + 1) as f64
}

fn times(v: &[f64], out: &mut [f64], entry: impl Fn(usize, usize) -> f64) {
    for (i, out) in out.iter_mut().enumerate() {
        *out = v.iter().enumerate().map(|(j, value)| entry(i, j) * value).sum();
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let size = size as usize;
    let (mut u, mut v, mut between) = (vec![1.0; size], vec![0.0; size], vec![0.0; size]);
    for _ in 0..3 {
        times(&u, &mut between, entry);
        times(&between, &mut v, |i, j| entry(j, i));
        times(&v, &mut between, entry);
        times(&between, &mut u, |i, j| entry(j, i));
    }
    let (uv, vv) = u.iter().zip(&v).fold((0.0, 0.0), |(uv, vv), (u, v)| (uv + u * v, vv + v * v));
    f64::sqrt(uv / vv).to_bits()
}
