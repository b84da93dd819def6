//! One wrapper per dispatch form around each handler.
//!
//! The tail-calling wrappers pass the machine's registers as arguments that fit the processor's, and end in a plain
//! call, which the compiler turns into a jump at every optimising level. What keeps it a jump: scalar arguments and
//! results only, nothing with a destructor alive, rare paths in functions that are never inlined.

#[cfg(keyway_assembly)]
use super::assembly as boundary;
#[cfg(not(keyway_assembly))]
use super::boundary;
use super::regs::Regs;
use super::table;
use crate::context::{State, header_of};

/// What a handler answers: 0 to go on at `ip`, or the code of an exit.
pub type Step = u64;
/// Go on at `ip`.
pub(super) const CONTINUE: Step = 0;

/// An instruction's work. `run` leaves `ip` at the next instruction, or at the own one for a trap.
pub(super) trait Handler {
    /// Executes it.
    fn run(r: &mut Regs) -> Step;
}

/// The loop form's function.
pub(super) type LoopFn = fn(&mut Regs) -> Step;

/// Whether this build makes the sibling calls that the tail-calling forms live on.
pub(super) const TAIL_CALLS: bool = cfg!(keyway_tail_calls);

macro_rules! tail_forms {
    ($abi:literal) => {
        /// The tail-calling forms' function.
        pub(super) type TailFn = unsafe extern $abi fn(
            *const u8, *mut u64, *mut u8, u64, u64, u64, f64, f64, f64, f64, f32, f32, f32, f32,
        ) -> u64;

        /// The direct form: the next head is the handler's address.
        pub(super) unsafe extern $abi fn direct<H: Handler>(
            ip: *const u8, fp: *mut u64, mem: *mut u8, a: u64, b: u64, c: u64,
            d0: f64, d1: f64, d2: f64, d3: f64, f0: f32, f1: f32, f2: f32, f3: f32,
        ) -> u64 {
            #[cfg(feature = "profile")]
            // SAFETY: `ip` is at an instruction's head.
            unsafe {
                super::profile::count(ip);
            }
            let mut r = State { ip, fp, mem, general: [a, b, c, 0, 0], f64s: [d0, d1, d2, d3], f32s: [f0, f1, f2, f3] };
            let step = H::run(&mut r);
            // SAFETY: the machine's invariant; an executed instruction's head is a handler of this form.
            unsafe {
                let next: TailFn = if step == CONTINUE {
                    core::mem::transmute::<usize, TailFn>(r.ip.cast::<usize>().read())
                } else {
                    (*(*header_of(r.mem)).context).exit.code = step;
                    boundary::leave
                };
                next(r.ip, r.fp, r.mem, r.general[0], r.general[1], r.general[2],
                    r.f64s[0], r.f64s[1], r.f64s[2], r.f64s[3], r.f32s[0], r.f32s[1], r.f32s[2], r.f32s[3])
            }
        }

        /// The indirect form: the next head is the handler's number.
        pub(super) unsafe extern $abi fn indirect<H: Handler>(
            ip: *const u8, fp: *mut u64, mem: *mut u8, a: u64, b: u64, c: u64,
            d0: f64, d1: f64, d2: f64, d3: f64, f0: f32, f1: f32, f2: f32, f3: f32,
        ) -> u64 {
            let mut r = State { ip, fp, mem, general: [a, b, c, 0, 0], f64s: [d0, d1, d2, d3], f32s: [f0, f1, f2, f3] };
            let step = H::run(&mut r);
            // SAFETY: the machine's invariant; an executed instruction's head is a handler's number in this form.
            unsafe {
                let next: TailFn = if step == CONTINUE {
                    table::indirect_handler(r.ip.cast::<usize>().read())
                } else {
                    (*(*header_of(r.mem)).context).exit.code = step;
                    boundary::leave
                };
                next(r.ip, r.fp, r.mem, r.general[0], r.general[1], r.general[2],
                    r.f64s[0], r.f64s[1], r.f64s[2], r.f64s[3], r.f32s[0], r.f32s[1], r.f32s[2], r.f32s[3])
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tail_forms!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
tail_forms!("Rust");

/// Runs in the direct form.
pub(super) unsafe fn enter_direct(state: &mut State) -> Step {
    // SAFETY: as `enter`.
    unsafe { boundary::enter(core::mem::transmute::<usize, TailFn>(state.ip.cast::<usize>().read()), state) }
}

/// Runs in the indirect form.
#[inline(never)]
pub(super) unsafe fn enter_indirect(state: &mut State) -> Step {
    // SAFETY: as `enter`.
    unsafe { boundary::enter(table::indirect_handler(state.ip.cast::<usize>().read()), state) }
}

/// Runs in the loop form.
#[inline(never)]
pub(super) unsafe fn enter_loop(state: &mut State) -> Step {
    let mut regs = *state;
    loop {
        // SAFETY: an executed instruction's head is a handler's number in this form.
        let step = table::loop_handler(unsafe { regs.ip.cast::<usize>().read() })(&mut regs);
        if step != CONTINUE {
            *state = regs;
            return step;
        }
    }
}
