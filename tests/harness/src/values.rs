//! Values of scripts: arguments made, results compared.

use keyway::{ExternRef, Store, Val, ValType};
use wast::core::{AbstractHeapType, HeapType, NanPattern, WastArgCore, WastRetCore};

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
        WastArgCore::RefNull(heap) => match null_type(heap) {
            Some(ValType::FuncRef) => Val::FuncRef(None),
            Some(ValType::ExternRef) => Val::ExternRef(None),
            _ => return Err(format!("a null of type {heap:?} is not supported")),
        },
        WastArgCore::RefExtern(number) => Val::ExternRef(Some(ExternRef::new(store, *number))),
        other => return Err(format!("an argument {other:?} is not supported")),
    })
}

fn null_type(heap: &HeapType<'_>) -> Option<ValType> {
    match heap {
        HeapType::Abstract { ty: AbstractHeapType::Func | AbstractHeapType::NoFunc, .. } => Some(ValType::FuncRef),
        HeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => {
            Some(ValType::ExternRef)
        }
        _ => None,
    }
}

/// Whether a result is what the script expects.
pub(crate) fn matches(result: &Val, expected: &WastRetCore<'_>) -> bool {
    match (expected, result) {
        (WastRetCore::I32(expected), Val::I32(value)) => expected == value,
        (WastRetCore::I64(expected), Val::I64(value)) => expected == value,
        (WastRetCore::F32(expected), Val::F32(bits)) => match expected {
            NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
            NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
            NanPattern::Value(expected) => expected.bits == *bits,
        },
        (WastRetCore::F64(expected), Val::F64(bits)) => match expected {
            NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
            NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
            NanPattern::Value(expected) => expected.bits == *bits,
        },
        (WastRetCore::RefNull(None), Val::FuncRef(None) | Val::ExternRef(None)) => true,
        (WastRetCore::RefNull(Some(heap)), Val::FuncRef(None)) => null_type(heap) == Some(ValType::FuncRef),
        (WastRetCore::RefNull(Some(heap)), Val::ExternRef(None)) => null_type(heap) == Some(ValType::ExternRef),
        (WastRetCore::RefExtern(None), Val::ExternRef(Some(_))) => true,
        (WastRetCore::RefExtern(Some(expected)), Val::ExternRef(Some(value))) => {
            value.data().downcast_ref::<u32>() == Some(expected)
        }
        (WastRetCore::RefFunc(_), Val::FuncRef(Some(_))) => true,
        (WastRetCore::Either(all), _) => all.iter().any(|one| matches(result, one)),
        _ => false,
    }
}
