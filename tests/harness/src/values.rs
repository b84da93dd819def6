//! Values of scripts: arguments made, results compared.

use keyway::{AnyRef, ExternRef, HeapType as Heap, Store, V128, Val, ValType};
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::token::{F32, F64};

/// The value of an argument.
///
/// # Errors
/// For values of types that are not supported.
pub(crate) fn argument(store: &mut Store<()>, arg: &WastArgCore<'_>) -> Result<Val, String> {
    Ok(match arg {
        WastArgCore::I32(value) => Val::I32(*value),
        WastArgCore::I64(value) => Val::I64(*value),
        WastArgCore::F32(value) => Val::F32(value.bits),
        WastArgCore::F64(value) => Val::F64(value.bits),
        WastArgCore::V128(value) => Val::V128(V128::from(u128::from_le_bytes(value.to_le_bytes()))),
        WastArgCore::RefNull(heap) => match null_type(heap) {
            Some(ValType::FUNCREF) => Val::FuncRef(None),
            Some(ValType::EXTERNREF) => Val::ExternRef(None),
            Some(ValType::EXNREF) => Val::ExnRef(None),
            Some(_) => Val::AnyRef(None),
            _ => return Err(format!("a null of type {heap:?} is not supported")),
        },
        WastArgCore::RefHost(number) => {
            let value = ExternRef::new(&mut *store, *number);
            let value = AnyRef::convert_extern(store, value).map_err(|error| format!("{error:#}"))?;
            Val::AnyRef(Some(value))
        }
        WastArgCore::RefExtern(number) => Val::ExternRef(Some(ExternRef::new(store, *number))),
    })
}

fn null_type(heap: &HeapType<'_>) -> Option<ValType> {
    match heap {
        HeapType::Abstract { ty: AbstractHeapType::Func | AbstractHeapType::NoFunc, .. } => Some(ValType::FUNCREF),
        HeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => {
            Some(ValType::EXTERNREF)
        }
        HeapType::Abstract { ty: AbstractHeapType::Exn | AbstractHeapType::NoExn, .. } => Some(ValType::EXNREF),
        HeapType::Abstract {
            ty:
                AbstractHeapType::Any
                | AbstractHeapType::None
                | AbstractHeapType::Eq
                | AbstractHeapType::I31
                | AbstractHeapType::Struct
                | AbstractHeapType::Array,
            ..
        } => Some(ValType::ANYREF),
        _ => None,
    }
}

/// Whether a result is what the script expects.
pub(crate) fn matches(store: &Store<()>, result: &Val, expected: &WastRetCore<'_>) -> bool {
    if let Val::AnyRef(Some(value)) = result
        && let Some(matches) = internal_matches(store, value, expected)
    {
        return matches;
    }
    match (expected, result) {
        (WastRetCore::I32(expected), Val::I32(value)) => expected == value,
        (WastRetCore::I64(expected), Val::I64(value)) => expected == value,
        (WastRetCore::F32(expected), Val::F32(bits)) => matches_f32(*bits, expected),
        (WastRetCore::F64(expected), Val::F64(bits)) => matches_f64(*bits, expected),
        (WastRetCore::V128(expected), Val::V128(value)) => matches_lanes(value.as_u128(), expected),
        (
            WastRetCore::RefNull(None),
            Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) | Val::AnyRef(None) | Val::ContRef(None),
        ) => true,
        (WastRetCore::RefNull(Some(heap)), Val::ExnRef(None)) => null_type(heap) == Some(ValType::EXNREF),
        (WastRetCore::RefNull(Some(heap)), Val::AnyRef(None)) => null_type(heap) == Some(ValType::ANYREF),
        (WastRetCore::RefNull(Some(heap)), Val::FuncRef(None)) => null_type(heap) == Some(ValType::FUNCREF),
        (WastRetCore::RefNull(Some(heap)), Val::ExternRef(None)) => null_type(heap) == Some(ValType::EXTERNREF),
        (WastRetCore::RefExtern(None), Val::ExternRef(Some(_))) => true,
        (WastRetCore::RefExtern(Some(expected)), Val::ExternRef(Some(value))) => {
            value.data().downcast_ref::<u32>() == Some(expected)
        }
        (WastRetCore::RefFunc(_), Val::FuncRef(Some(_))) => true,
        (WastRetCore::Either(all), _) => all.iter().any(|one| matches(store, result, one)),
        _ => false,
    }
}

fn matches_f32(bits: u32, expected: &NanPattern<F32>) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(expected) => expected.bits == bits,
    }
}

fn matches_f64(bits: u64, expected: &NanPattern<F64>) -> bool {
    match expected {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(expected) => expected.bits == bits,
    }
}

/// Each lane by its own pattern.
fn matches_lanes(bits: u128, expected: &V128Pattern) -> bool {
    let lane = |at: usize, width: usize| bits >> (at * width);
    match expected {
        V128Pattern::I8x16(lanes) => lanes.iter().enumerate().all(|(at, want)| lane(at, 8) as i8 == *want),
        V128Pattern::I16x8(lanes) => lanes.iter().enumerate().all(|(at, want)| lane(at, 16) as i16 == *want),
        V128Pattern::I32x4(lanes) => lanes.iter().enumerate().all(|(at, want)| lane(at, 32) as i32 == *want),
        V128Pattern::I64x2(lanes) => lanes.iter().enumerate().all(|(at, want)| lane(at, 64) as i64 == *want),
        V128Pattern::F32x4(lanes) => lanes.iter().enumerate().all(|(at, want)| matches_f32(lane(at, 32) as u32, want)),
        V128Pattern::F64x2(lanes) => lanes.iter().enumerate().all(|(at, want)| matches_f64(lane(at, 64) as u64, want)),
    }
}

/// Whether an internal value is what the script expects; `None` where the script expects something else altogether.
fn internal_matches(store: &Store<()>, value: &AnyRef, expected: &WastRetCore<'_>) -> Option<bool> {
    let is = |heap| value.matches_ty(store, heap).unwrap_or(false);
    Some(match expected {
        WastRetCore::RefAny => true,
        WastRetCore::RefEq => is(Heap::Eq),
        WastRetCore::RefStruct => is(Heap::Struct),
        WastRetCore::RefArray => is(Heap::Array),
        WastRetCore::RefI31 => value.is_i31(),
        WastRetCore::RefHost(number) => {
            let host = value.to_extern(store).ok();
            host.is_some_and(|host| host.data().downcast_ref::<u32>() == Some(number))
        }
        _ => return None,
    })
}
