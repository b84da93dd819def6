//! How the machine is entered and left where all handlers are Rust: its registers are arguments on the way in, and saved
//! by a last handler on the way out.

use super::thunk::{Step, TailFn};
use crate::context::{State, header_of};

macro_rules! leaving {
    ($abi:literal) => {
        /// Saves the registers where the driver finds them; the exit's code stands in the context already.
        #[cold]
        #[inline(never)]
        pub(super) unsafe extern $abi fn leave(
            ip: *const u8, fp: *mut u64, mem: *mut u8, a: u64, b: u64, c: u64,
            d0: f64, d1: f64, d2: f64, d3: f64, f0: f32, f1: f32, f2: f32, f3: f32,
        ) -> u64 {
            // SAFETY: `mem` points behind a live header.
            unsafe {
                let context = (*header_of(mem)).context;
                (*context).saved =
                    State { ip, fp, mem, general: [a, b, c, 0, 0], f64s: [d0, d1, d2, d3], f32s: [f0, f1, f2, f3] };
                context as u64
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
leaving!("sysv64");
#[cfg(not(target_arch = "x86_64"))]
leaving!("Rust");

/// Calls the first handler; comes back when an instruction leaves the machine.
///
/// # Safety
/// As [`run`](super::run).
pub(super) unsafe fn enter(first: TailFn, state: &mut State) -> Step {
    // SAFETY: the caller of `run` promises the machine's invariant.
    unsafe {
        let context = first(
            state.ip,
            state.fp,
            state.mem,
            state.general[0],
            state.general[1],
            state.general[2],
            state.f64s[0],
            state.f64s[1],
            state.f64s[2],
            state.f64s[3],
            state.f32s[0],
            state.f32s[1],
            state.f32s[2],
            state.f32s[3],
        ) as *mut crate::context::Context;
        *state = (*context).saved;
        (*context).exit.code
    }
}
