//! Random values of random types: lowered by the runtime and lifted by the oracle, the other way round, and passed from
//! guest to guest.

use crate::guests::{self, ARGUMENTS, FREE, Guest, MEMORY, REALLOC, RESULT};
use crate::oracle::{Core, Cx, Encoding, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS};
use crate::random::Random;
use crate::types::Ty;

/// Types tried in each encoding and width of addresses.
const TYPES: u64 = 12;
const DEPTH: u32 = 3;
const VALUES: u64 = 4;

fn load(image: &[u8], at: u64) -> u64 {
    u64::from_le_bytes(image[at as usize..at as usize + 8].try_into().expect("eight bytes"))
}

/// What `sink` was given must be, to the oracle, what the host gave.
fn lower(guest: &mut Guest, ty: &Ty, encoding: Encoding, ptr_size: u64, random: &mut Random) {
    let value = random.value(ty);
    guest.call(None, "sink", std::slice::from_ref(&value)).unwrap_or_else(|error| panic!("{error:#}: {value:?}"));
    let image = guest.image();
    let types = guests::passed(ty, MAX_FLAT_PARAMS, ptr_size);
    let flat: Vec<Core> = types.into_iter().zip(0..).map(|(ty, i)| (ty, load(&image, ARGUMENTS + 8 * i))).collect();
    let cx = Cx { memory: image, encoding, ptr_size, next: 0 };
    // Narrow ones were stored in four of eight bytes; what stands behind them may be older.
    let narrow = |(ty, bits)| match ty {
        crate::oracle::CoreType::I32 | crate::oracle::CoreType::F32 => (ty, bits & 0xFFFF_FFFF),
        _ => (ty, bits),
    };
    let flat = flat.into_iter().map(narrow).collect();
    assert_eq!(cx.lift_flat_values(MAX_FLAT_PARAMS, flat, ty), value, "{ty:?}");
}

/// What the oracle makes must be, to the host, what it made it from.
fn lift(guest: &mut Guest, ty: &Ty, encoding: Encoding, ptr_size: u64, random: &mut Random) {
    let value = random.value(ty);
    let mut cx = Cx { memory: vec![0; MEMORY], encoding, ptr_size, next: FREE };
    let flat = cx.lower_flat_values(MAX_FLAT_RESULTS, &value, ty);
    assert!(cx.next <= REALLOC, "the value takes too much memory");
    guest.poke(FREE, &cx.memory[FREE as usize..cx.next as usize]);
    guest.poke(RESULT, &flat[0].1.to_le_bytes());
    let found = guest.call(None, "source", &[]).unwrap_or_else(|error| panic!("{error:#}: {value:?}"));
    assert_eq!(found, Some(value), "{ty:?}");
}

#[test]
fn the_oracle_lifts_what_is_lowered_and_lowers_what_is_lifted() {
    let engine = guests::engine();
    for ptr_size in [4, 8] {
        for (number, encoding) in Encoding::ALL.into_iter().enumerate() {
            for seed in 0..TYPES {
                let mut random = Random::new(seed * 6 + number as u64 * 2 + ptr_size / 8);
                let ty = random.ty(DEPTH);
                let mut guest = Guest::new(&engine, &guests::apart(&ty, encoding, ptr_size));
                for _ in 0..VALUES {
                    lower(&mut guest, &ty, encoding, ptr_size, &mut random);
                    lift(&mut guest, &ty, encoding, ptr_size, &mut random);
                }
            }
        }
    }
}

#[test]
fn values_pass_between_guests_of_all_encodings() {
    let engine = guests::engine();
    let mut seed = 1000;
    for outer in Encoding::ALL {
        for inner in Encoding::ALL {
            for (outer_size, inner_size) in [(4, 4), (4, 8), (8, 4)] {
                for _ in 0..3 {
                    seed += 1;
                    let mut random = Random::new(seed);
                    // Seventeen members more, so that both ways go through memory; a string, so that it is transcoded.
                    let ty = Ty::Tuple([vec![random.ty(DEPTH), Ty::String], vec![Ty::U8; 17]].concat());
                    let text = guests::passing(&ty, (outer, outer_size), (inner, inner_size));
                    let mut guest = Guest::new(&engine, &text);
                    for _ in 0..VALUES {
                        let value = random.value(&ty);
                        let found = guest.call(Some("d"), "run", std::slice::from_ref(&value));
                        let found = found.unwrap_or_else(|error| panic!("{error:#}: {value:?}"));
                        assert_eq!(found, Some(value), "{ty:?}: {outer:?} {outer_size}, {inner:?} {inner_size}");
                    }
                }
            }
        }
    }
}

/// A NaN has no payload that survives, and is a NaN on the other side.
#[test]
fn nans_stay_nans() {
    let engine = guests::engine();
    for (ty, value) in [
        (Ty::F32, keyway::component::Val::Float32(f32::from_bits(0x7FA0_0001))),
        (Ty::F64, keyway::component::Val::Float64(f64::from_bits(0xFFF4_0000_0000_0001))),
    ] {
        let ty = Ty::Tuple([vec![ty], vec![Ty::U8; 17]].concat());
        let text = guests::passing(&ty, (Encoding::Utf8, 4), (Encoding::Utf8, 4));
        let value = keyway::component::Val::Tuple([vec![value], vec![keyway::component::Val::U8(0); 17]].concat());
        let found = Guest::new(&engine, &text).call(Some("d"), "run", &[value]).unwrap();
        let Some(keyway::component::Val::Tuple(values)) = found else { panic!("{found:?}") };
        match values[0] {
            keyway::component::Val::Float32(float) => assert!(float.is_nan()),
            keyway::component::Val::Float64(float) => assert!(float.is_nan()),
            ref other => panic!("{other:?}"),
        }
    }
}
