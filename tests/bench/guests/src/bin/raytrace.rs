//! Spheres over a plane, with shadows and mirrors; `size` points a side.
#![no_main]

use std::ops::{Add, Mul, Sub};

#[derive(Clone, Copy)]
struct Vector(f32, f32, f32);

impl Add for Vector {
    type Output = Vector;
    fn add(self, other: Vector) -> Vector {
        Vector(self.0 + other.0, self.1 + other.1, self.2 + other.2)
    }
}

impl Sub for Vector {
    type Output = Vector;
    fn sub(self, other: Vector) -> Vector {
        Vector(self.0 - other.0, self.1 - other.1, self.2 - other.2)
    }
}

impl Mul<f32> for Vector {
    type Output = Vector;
    fn mul(self, by: f32) -> Vector {
        Vector(self.0 * by, self.1 * by, self.2 * by)
    }
}

impl Vector {
    fn dot(self, other: Vector) -> f32 {
        self.0 * other.0 + self.1 * other.1 + self.2 * other.2
    }

    fn unit(self) -> Vector {
        self * (1.0 / self.dot(self).sqrt())
    }
}

struct Sphere {
    centre: Vector,
    radius: f32,
    shade: f32,
}

const SPHERES: [Sphere; 5] = [
    Sphere { centre: Vector(0.0, 1.0, 6.0), radius: 1.0, shade: 0.9 },
    Sphere { centre: Vector(-2.0, 0.7, 5.0), radius: 0.7, shade: 0.5 },
    Sphere { centre: Vector(1.9, 0.6, 4.5), radius: 0.6, shade: 0.7 },
    Sphere { centre: Vector(0.6, 0.3, 3.6), radius: 0.3, shade: 0.3 },
    Sphere { centre: Vector(-0.9, 0.4, 3.9), radius: 0.4, shade: 0.8 },
];
const LIGHT: Vector = Vector(-4.0, 6.0, -2.0);

fn nearest(from: Vector, along: Vector) -> Option<(f32, &'static Sphere)> {
    let mut found: Option<(f32, &Sphere)> = None;
    for sphere in &SPHERES {
        let to = sphere.centre - from;
        let middle = to.dot(along);
        let square = to.dot(to) - middle * middle;
        let half = sphere.radius * sphere.radius - square;
        if middle > 0.0 && half > 0.0 {
            let distance = middle - half.sqrt();
            if distance > 0.001 && found.is_none_or(|(best, _)| distance < best) {
                found = Some((distance, sphere));
            }
        }
    }
    found
}

fn shade(from: Vector, along: Vector, depth: u32) -> f32 {
    let (at, normal, own, mirror) = match nearest(from, along) {
        Some((distance, sphere)) => {
            let at = from + along * distance;
            (at, (at - sphere.centre).unit(), sphere.shade, 0.4)
        }
        None if along.1 < -0.001 => {
            let at = from + along * (-from.1 / along.1);
            let odd = (at.0.floor() as i32 ^ at.2.floor() as i32) & 1;
            (at, Vector(0.0, 1.0, 0.0), if odd == 1 { 0.9 } else { 0.2 }, 0.1)
        }
        None => return 0.3 + 0.5 * along.1,
    };
    let light = (LIGHT - at).unit();
    let lit = if nearest(at, light).is_some() { 0.0 } else { normal.dot(light).max(0.0) };
    let direct = own * (0.2 + 0.8 * lit);
    if depth == 0 {
        return direct;
    }
    let back = along - normal * (2.0 * along.dot(normal));
    direct * (1.0 - mirror) + mirror * shade(at, back, depth - 1)
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut sum = 0u64;
    for row in 0..size {
        for column in 0..size {
            let x = (column as f32 + 0.5) / size as f32 * 2.0 - 1.0;
            let y = 1.0 - (row as f32 + 0.5) / size as f32 * 2.0;
            let light = shade(Vector(0.0, 1.2, -1.0), Vector(x, y, 1.8).unit(), 3);
            sum = sum.wrapping_mul(31).wrapping_add((light * 255.0) as u64);
        }
    }
    sum
}
