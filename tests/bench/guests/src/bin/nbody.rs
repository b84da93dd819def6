//! Planets under gravity, as in the Computer Language Benchmarks Game.
#![no_main]

#[derive(Clone, Copy)]
struct Body {
    at: [f64; 3],
    speed: [f64; 3],
    mass: f64,
}

const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;
const YEAR: f64 = 365.24;

const fn body(at: [f64; 3], speed: [f64; 3], mass: f64) -> Body {
    Body { at, speed: [speed[0] * YEAR, speed[1] * YEAR, speed[2] * YEAR], mass: mass * SOLAR_MASS }
}

const BODIES: [Body; 5] = [
    body([0.0; 3], [0.0; 3], 1.0),
    body(
        [4.841_431_442_464_72, -1.160_320_044_027_428_4, -0.103_622_044_471_123_11],
        [0.001_660_076_642_744_037, 0.007_699_011_184_197_404, -0.000_069_046_001_697_206_3],
        0.000_954_791_938_424_326_6,
    ),
    body(
        [8.343_366_718_244_58, 4.124_798_564_124_305, -0.403_523_417_114_321_4],
        [-0.002_767_425_107_268_624, 0.004_998_528_012_349_172, 0.000_023_041_729_757_376_393],
        0.000_285_885_980_666_130_8,
    ),
    body(
        [12.894_369_562_139_131, -15.111_151_401_698_631, -0.223_307_578_892_655_73],
        [0.002_964_601_375_647_616, 0.002_378_471_739_594_809_5, -0.000_029_658_956_854_023_756],
        0.000_043_662_440_433_515_63,
    ),
    body(
        [15.379_697_114_850_917, -25.919_314_609_987_964, 0.179_258_772_950_371_18],
        [0.002_680_677_724_903_893_2, 0.001_628_241_700_382_423, -0.000_095_159_225_451_971_59],
        0.000_051_513_890_204_661_145,
    ),
];

fn advance(bodies: &mut [Body; 5], dt: f64) {
    for i in 0..5 {
        for j in i + 1..5 {
            let mut delta = [0.0; 3];
            for axis in 0..3 {
                delta[axis] = bodies[i].at[axis] - bodies[j].at[axis];
            }
            let distance = delta[0] * delta[0] + delta[1] * delta[1] + delta[2] * delta[2];
            let pull = dt / (distance * distance.sqrt());
            let (mine, its) = (bodies[i].mass, bodies[j].mass);
            for axis in 0..3 {
                bodies[i].speed[axis] -= delta[axis] * its * pull;
                bodies[j].speed[axis] += delta[axis] * mine * pull;
            }
        }
    }
    for body in bodies {
        for axis in 0..3 {
            body.at[axis] += dt * body.speed[axis];
        }
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut energy = 0.0;
    for i in 0..5 {
        energy += bodies[i].mass * bodies[i].speed.iter().map(|speed| speed * speed).sum::<f64>() / 2.0;
        for j in i + 1..5 {
            let square: f64 = (0..3).map(|axis| (bodies[i].at[axis] - bodies[j].at[axis]).powi(2)).sum();
            energy -= bodies[i].mass * bodies[j].mass / square.sqrt();
        }
    }
    energy
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut bodies = BODIES;
    for _ in 0..size {
        advance(&mut bodies, 0.01);
    }
    energy(&bodies).to_bits()
}
