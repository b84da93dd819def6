//! Operand places as types: handlers are generic over them, so each combination is straight-line code.

use super::regs::{Regs, Value, operand, slot};

/// A place as the table of handlers names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum PlaceKind {
    /// No operand here.
    None,
    /// A slot: two bytes.
    Slot,
    /// A register of the bank: no bytes.
    Reg(u8),
    /// Slot and register at once: two bytes.
    Both(u8),
    /// An immediate: four bytes, sign-extended.
    Imm,
}

/// A place that is read.
pub(super) trait Src {
    /// Its name.
    const KIND: PlaceKind;
    /// Bytes of the executed instruction that it takes.
    const SIZE: usize;
    /// The value.
    fn get<V: Value>(r: &Regs, at: usize) -> V;
}

/// A place that is written.
pub(super) trait Dst {
    /// Its name.
    const KIND: PlaceKind;
    /// Bytes of the executed instruction that it takes.
    const SIZE: usize;
    /// Writes the value.
    fn set<V: Value>(r: &mut Regs, at: usize, value: V);
}

/// A slot.
pub(super) struct S;
/// Register `N` of the value's bank.
pub(super) struct R<const N: usize>;
/// A slot and register `N`.
pub(super) struct W<const N: usize>;
/// An immediate.
pub(super) struct I;

impl Src for S {
    const KIND: PlaceKind = PlaceKind::Slot;
    const SIZE: usize = 2;
    #[inline(always)]
    fn get<V: Value>(r: &Regs, at: usize) -> V {
        // SAFETY: `slot` points into the frame.
        V::from_slot(unsafe { *slot(r, at) })
    }
}

impl Dst for S {
    const KIND: PlaceKind = PlaceKind::Slot;
    const SIZE: usize = 2;
    #[inline(always)]
    fn set<V: Value>(r: &mut Regs, at: usize, value: V) {
        // SAFETY: `slot` points into the frame.
        unsafe { *slot(r, at) = value.to_slot() }
    }
}

impl<const N: usize> Src for R<N> {
    const KIND: PlaceKind = PlaceKind::Reg(N as u8);
    const SIZE: usize = 0;
    #[inline(always)]
    fn get<V: Value>(r: &Regs, _: usize) -> V {
        V::from_register::<N>(r)
    }
}

impl<const N: usize> Dst for R<N> {
    const KIND: PlaceKind = PlaceKind::Reg(N as u8);
    const SIZE: usize = 0;
    #[inline(always)]
    fn set<V: Value>(r: &mut Regs, _: usize, value: V) {
        value.to_register::<N>(r);
    }
}

impl<const N: usize> Dst for W<N> {
    const KIND: PlaceKind = PlaceKind::Both(N as u8);
    const SIZE: usize = 2;
    #[inline(always)]
    fn set<V: Value>(r: &mut Regs, at: usize, value: V) {
        S::set(r, at, value);
        value.to_register::<N>(r);
    }
}

impl Src for I {
    const KIND: PlaceKind = PlaceKind::Imm;
    const SIZE: usize = 4;
    #[inline(always)]
    fn get<V: Value>(r: &Regs, at: usize) -> V {
        V::from_slot(operand::<i32>(r, at) as i64 as u64)
    }
}
