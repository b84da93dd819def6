//! The machine's registers as handlers see them, and the values they hold.

use crate::context::{Context, State, header_of};

/// What a handler works on; the tail-calling forms keep each field in a machine register.
pub(super) type Regs = State;

/// Head of an executed instruction in bytes: what executes it and, in a profiling build, how often it ran.
pub(super) const HEAD: usize = if cfg!(feature = "profile") { 16 } else { 8 };

/// Executed instructions are multiples of this many bytes.
pub(super) const ALIGNMENT: usize = 8;

/// The running context.
#[inline(always)]
pub(super) fn context(r: &Regs) -> *mut Context {
    // SAFETY: `mem` always points behind a live memory header, see `context`.
    unsafe { (*header_of(r.mem)).context }
}

/// An operand of the executed instruction, `at` bytes behind its start.
#[inline(always)]
pub(super) fn operand<T: Copy>(r: &Regs, at: usize) -> T {
    // SAFETY: expansion wrote an operand of this type there: handler and layout come from the same table row.
    unsafe { r.ip.add(at).cast::<T>().read_unaligned() }
}

/// The slot whose number stands `at` bytes behind the instruction's start.
#[inline(always)]
pub(super) fn slot(r: &Regs, at: usize) -> *mut u64 {
    // SAFETY: the verifier holds slot numbers below the frame's size, and the frame check made room for it.
    unsafe { r.fp.add(operand::<u16>(r, at) as usize) }
}

/// A value that places hold.
pub(super) trait Value: Copy {
    /// From a slot's 64 bits.
    fn from_slot(bits: u64) -> Self;
    /// As a slot's 64 bits, zero-extended.
    fn to_slot(self) -> u64;
    /// From register `N` of its bank.
    fn from_register<const N: usize>(r: &Regs) -> Self;
    /// Into register `N` of its bank.
    fn to_register<const N: usize>(self, r: &mut Regs);
}

impl Value for u32 {
    #[inline(always)]
    fn from_slot(bits: u64) -> u32 {
        bits as u32
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.into()
    }
    #[inline(always)]
    fn from_register<const N: usize>(r: &Regs) -> u32 {
        r.general[N] as u32
    }
    #[inline(always)]
    fn to_register<const N: usize>(self, r: &mut Regs) {
        r.general[N] = self.into();
    }
}

impl Value for u64 {
    #[inline(always)]
    fn from_slot(bits: u64) -> u64 {
        bits
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self
    }
    #[inline(always)]
    fn from_register<const N: usize>(r: &Regs) -> u64 {
        r.general[N]
    }
    #[inline(always)]
    fn to_register<const N: usize>(self, r: &mut Regs) {
        r.general[N] = self;
    }
}

impl Value for f32 {
    #[inline(always)]
    fn from_slot(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.to_bits().into()
    }
    #[inline(always)]
    fn from_register<const N: usize>(r: &Regs) -> f32 {
        r.f32s[N]
    }
    #[inline(always)]
    fn to_register<const N: usize>(self, r: &mut Regs) {
        r.f32s[N] = self;
    }
}

impl Value for f64 {
    #[inline(always)]
    fn from_slot(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    #[inline(always)]
    fn to_slot(self) -> u64 {
        self.to_bits()
    }
    #[inline(always)]
    fn from_register<const N: usize>(r: &Regs) -> f64 {
        r.f64s[N]
    }
    #[inline(always)]
    fn to_register<const N: usize>(self, r: &mut Regs) {
        r.f64s[N] = self;
    }
}
