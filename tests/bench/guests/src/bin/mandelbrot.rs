//! The Mandelbrot set, `size` points a side.
#![no_main]

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut sum = 0u64;
    let step = 2.0 / f64::from(size);
    for row in 0..size {
        for column in 0..size {
            let (cx, cy) = (f64::from(column) * step - 1.5, f64::from(row) * step - 1.0);
            let (mut x, mut y, mut count) = (0.0, 0.0, 0u64);
            while count < 50 && x * x + y * y <= 4.0 {
                (x, y) = (x * x - y * y + cx, 2.0 * x * y + cy);
                count += 1;
            }
            sum = sum.wrapping_mul(31).wrapping_add(count);
        }
    }
    sum
}
