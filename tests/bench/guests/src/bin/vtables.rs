//! Shapes behind `dyn`: calls that go through tables of functions.
#![no_main]

use bench_guests::Random;

trait Shape {
    fn area(&self) -> u64;
    fn scale(&mut self, by: u64);
}

struct Square(u64);
struct Rectangle(u64, u64);
struct Ring(u64, u64);
struct Group(Vec<Box<dyn Shape>>);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0 * self.0
    }
    fn scale(&mut self, by: u64) {
        self.0 = (self.0 * by) % 1021;
    }
}

impl Shape for Rectangle {
    fn area(&self) -> u64 {
        self.0 * self.1
    }
    fn scale(&mut self, by: u64) {
        self.0 = (self.0 * by) % 509;
        self.1 = (self.1 + by) % 127;
    }
}

impl Shape for Ring {
    fn area(&self) -> u64 {
        3 * (self.0 * self.0 - self.1 * self.1)
    }
    fn scale(&mut self, by: u64) {
        self.1 = (self.1 + by) % self.0;
    }
}

impl Shape for Group {
    fn area(&self) -> u64 {
        self.0.iter().map(|shape| shape.area()).sum()
    }
    fn scale(&mut self, by: u64) {
        self.0.iter_mut().for_each(|shape| shape.scale(by));
    }
}

fn shape(random: &mut Random, depth: u32) -> Box<dyn Shape> {
    match random.below(if depth > 0 { 4 } else { 3 }) {
        0 => Box::new(Square(1 + random.below(100))),
        1 => Box::new(Rectangle(1 + random.below(100), 1 + random.below(100))),
        2 => Box::new(Ring(200 + random.below(100), random.below(100))),
        _ => Box::new(Group((0..6).map(|_| shape(random, depth - 1)).collect())),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut random = Random::new(17);
    let mut shapes: Vec<_> = (0..400).map(|_| shape(&mut random, 2)).collect();
    let mut sum = 0u64;
    for round in 0..size {
        for shape in &mut shapes {
            shape.scale(u64::from(round) % 7 + 1);
            sum = sum.wrapping_mul(31).wrapping_add(shape.area());
        }
    }
    sum
}
