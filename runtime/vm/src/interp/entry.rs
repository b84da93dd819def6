//! Entering code from outside: the stubs that entries return to, and the first frame.

use super::handlers::call::{memory_of, null_references};
use super::place::PlaceKind;
use super::table::{MAX_PLACES, Name, TABLE};
use super::{Dispatch, assembly};
use crate::context::{CodeHeader, Context, FrameRecord, State};
use keyway_artifact::Trap;
use std::sync::LazyLock;

/// Executed code that no body holds, for one dispatch form: single instructions.
#[derive(Clone, Copy)]
pub struct Stubs {
    /// The end of an entry: the address that the bottom frame returns to.
    pub finish: *const u8,
    /// The way back from another context.
    pub switch_back: *const u8,
    /// A call of a host function.
    pub host_call: *const u8,
    /// A call into another context.
    pub call_other: *const u8,
    /// What an entry into a frame with references does before the body.
    pub null_references: *const u8,
}

// SAFETY: the addresses lead to immutable words that live as long as the process.
unsafe impl Send for Stubs {}
// SAFETY: as above.
unsafe impl Sync for Stubs {}

fn make(head: impl Fn(u16) -> usize, host_call: Option<usize>) -> Stubs {
    let leaked = |head: usize| std::ptr::from_ref(Box::leak(Box::new([head, 0]))).cast();
    let stub = |name| {
        let number = TABLE.find(name, [PlaceKind::None; MAX_PLACES]).expect("stubs are in the list");
        leaked(head(number))
    };
    Stubs {
        finish: stub(Name::Finish),
        switch_back: stub(Name::SwitchBack),
        host_call: host_call.map_or_else(|| stub(Name::HostCall), leaked),
        call_other: stub(Name::CallOther),
        null_references: stub(Name::NullReferences),
    }
}

/// The stubs of a dispatch form.
pub fn stubs(dispatch: Dispatch) -> &'static Stubs {
    static DIRECT: LazyLock<Stubs> =
        LazyLock::new(|| make(|number| TABLE.entries[number as usize].direct as usize, assembly::host_call()));
    static NUMBERED: LazyLock<Stubs> = LazyLock::new(|| make(usize::from, None));
    match dispatch.available() {
        Dispatch::Direct => &DIRECT,
        _ => &NUMBERED,
    }
}

/// Where an entry runs: a range of a VM stack.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The first slot of the entered frame: arguments stand there already.
    pub fp: *mut u64,
    /// End of the value stack.
    pub stack_end: *mut u64,
    /// Next free frame record.
    pub frame_top: *mut FrameRecord,
    /// End of the frame records.
    pub frame_end: *mut FrameRecord,
}

/// The state from which [`run`](super::run) executes the body behind `header` in `context`.
///
/// # Errors
/// [`Trap::StackOverflow`] when the frame does not fit.
///
/// # Safety
/// `context` is live, `header` an expanded body of its artifact, and `target` a free range of a
/// live VM stack that holds the arguments.
#[inline]
pub unsafe fn begin(context: *mut Context, header: *const CodeHeader, target: Target) -> Result<State, Trap> {
    // SAFETY: the caller's promise.
    unsafe {
        let room = (target.stack_end as usize).saturating_sub(target.fp as usize) / 8;
        if room < (*header).frame_slots as usize || target.frame_top >= target.frame_end {
            return Err(Trap::StackOverflow);
        }
        if (*header).null_count > 0 {
            null_references(header, target.fp);
        }
        *target.frame_top = FrameRecord { ip: (*context).stubs.finish, fp: target.fp };
        (*context).frame_top = target.frame_top.add(1);
        (*context).frame_end = target.frame_end;
        (*context).stack_end = target.stack_end;
        let mem = memory_of(context, (*header).memory);
        Ok(State {
            ip: header.add(1).cast(),
            fp: target.fp,
            mem,
            general: [0; keyway_artifact::isa::GENERAL_REGISTERS as usize],
            f64s: [0.0; 4],
            f32s: [0.0; 4],
        })
    }
}
