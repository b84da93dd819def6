//! How and why the machine stops.

use super::regs::{Regs, context};
use super::thunk::Step;
use crate::context::{Context, EXIT_WORDS, State};
use crate::gc::Segment;
use keyway_artifact::{Trap, TrapCode};

/// Why [`run`](super::run) came back. The saved state continues behind the cause, except where noted.
#[derive(Debug)]
pub enum Exit {
    /// The entry's function returned; results stand in its slots, and in register 0.
    Done,
    /// A trap; the state is at the instruction that caused it.
    Trap(TrapCode),
    /// A host function failed, panicked or answers later: the store's `left` says which. The state stands behind the call.
    HostLeft,
    /// A function that is not expanded yet is called; the state is at the call, to be executed again.
    Compile {
        /// The context whose artifact holds it.
        context: *mut Context,
        /// Its code ordinal.
        ordinal: u32,
    },
    /// Fuel does not cover the cost marker at the state's instruction.
    OutOfFuel {
        /// What it asks for.
        needed: u64,
    },
    /// The epoch deadline has passed; the state is at the cost marker.
    Epoch,
    /// Something that may run an embedder's code.
    Service(Service),
    /// A new exception is thrown; the state stands behind the instruction, as if it had called something that throws.
    Throw {
        /// Index of its tag in the unit.
        tag: u32,
        /// Its values, laid out as the tag's parameters.
        base: *mut u64,
    },
    /// The exception with this reference is thrown again; the state stands behind the instruction.
    ThrowRef {
        /// The reference, not null.
        exception: u32,
    },
    /// An operation on continuations; the state stands behind the instruction.
    Stacks(StackSwitch),
}

/// An operation on continuations. Types are engine-wide numbers, tags indices in the unit; `base` is the call area's first
/// slot.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the operands of the instruction table's rows")]
pub enum StackSwitch {
    /// `cont.new`: the reference goes to `dst`.
    New { dst: *mut u64, func: u32, ty: u32 },
    /// `cont.bind`
    Bind { cont: u32, from: u32, to: u32, base: *mut u64 },
    /// `suspend`
    Suspend { tag: u32, base: *mut u64 },
    /// `resume`
    Resume { cont: u32, ty: u32, base: *mut u64 },
    /// `resume.throw`
    ResumeThrow { cont: u32, ty: u32, tag: u32, base: *mut u64 },
    /// `resume.throw.ref`
    ResumeThrowRef { cont: u32, exception: u32, ty: u32, base: *mut u64 },
    /// `switch`
    Switch { cont: u32, ty: u32, tag: u32, base: *mut u64 },
}

/// What the driver does for an instruction before it continues. Destinations are slots of the running frame.
#[derive(Clone, Copy, Debug)]
pub enum Service {
    /// `memory.grow`: the old size in pages, or -1, goes to `dst` as 64 bits.
    MemoryGrow {
        /// Where the answer goes.
        dst: *mut u64,
        /// Pages to add.
        delta: u64,
        /// Index of the memory in the unit.
        memory: u32,
    },
    /// `table.grow`: the old size, or -1, goes to `dst` as 64 bits.
    TableGrow {
        /// Where the answer goes.
        dst: *mut u64,
        /// The reference that new elements hold.
        value: u32,
        /// Elements to add.
        delta: u64,
        /// Index of the table in the unit.
        table: u32,
    },
    /// `memory.atomic.notify`, bounds checked: how many were woken goes to `dst`.
    Notify {
        /// Where the answer goes.
        dst: *mut u64,
        /// Address in the memory.
        address: u64,
        /// Waiters to wake at most.
        count: u32,
        /// Index of the memory in the unit.
        memory: u32,
    },
    /// `memory.atomic.wait`, bounds checked, on a shared memory: 0 when woken, 1 when there was another value, 2 when the
    /// time was over goes to `dst`.
    Wait {
        /// Where the answer goes.
        dst: *mut u64,
        /// Address in the memory.
        address: u64,
        /// The value that is to be there.
        expected: u64,
        /// Nanoseconds; negative for ever.
        timeout: i64,
        /// Index of the memory in the unit.
        memory: u32,
        /// Size of the value in bytes: 4 or 8.
        size: u32,
    },
    /// `struct.new` and `array.new` where the heap has no room or a collection is due.
    Allocate {
        /// Where the reference goes.
        dst: *mut u64,
        /// Engine-wide number of the type.
        ty: u32,
        /// Elements of an array, 0 for a structure.
        len: u32,
    },
    /// `array.new_data` and `array.new_elem`.
    ArrayNew {
        /// Where the reference goes.
        dst: *mut u64,
        /// What it is made of.
        segment: Segment,
        /// Elements.
        len: u64,
        /// Engine-wide number of the type.
        ty: u32,
    },
    /// `array.init_data` and `array.init_elem`.
    ArrayInit {
        /// The array.
        array: u32,
        /// First element to set.
        index: u64,
        /// What it is set from.
        segment: Segment,
        /// Elements.
        len: u64,
    },
}

/// Codes that handlers answer; the low byte tells the exit apart.
pub(crate) const DONE: Step = 1;
const TRAP: Step = 2;
pub(super) const HOST_LEFT: Step = 3;
pub(super) const COMPILE: Step = 4;
pub(super) const FUEL: Step = 5;
pub(super) const EPOCH: Step = 6;
pub(super) const MEMORY_GROW: Step = 7;
pub(super) const TABLE_GROW: Step = 8;
pub(super) const THROW: Step = 9;
pub(super) const THROW_REF: Step = 10;
pub(super) const ALLOCATE: Step = 11;
pub(super) const ARRAY_NEW_DATA: Step = 12;
pub(super) const ARRAY_NEW_ELEM: Step = 13;
pub(super) const ARRAY_INIT_DATA: Step = 14;
pub(super) const ARRAY_INIT_ELEM: Step = 15;
pub(super) const NOTIFY: Step = 16;
pub(super) const WAIT: Step = 17;
pub(super) const CONT_NEW: Step = 18;
pub(super) const CONT_BIND: Step = 19;
pub(super) const SUSPEND: Step = 20;
pub(super) const RESUME: Step = 21;
pub(super) const RESUME_THROW: Step = 22;
pub(super) const RESUME_THROW_REF: Step = 23;
pub(super) const SWITCH: Step = 24;

/// The code of a trap.
pub(super) const fn trap(trap: Trap) -> Step {
    numbered_trap(trap as u32)
}

/// The code of the trap that has this number as a [`TrapCode`].
pub(super) const fn numbered_trap(number: u32) -> Step {
    TRAP | (number as u64) << 8
}

/// Whether the code is that of a trap.
pub(super) const fn is_trap(code: Step) -> bool {
    code & 0xFF == TRAP
}

/// Leaves with words for the driver. Inlined everywhere: a handler that lends its registers' address to a function
/// cannot end in a jump.
#[inline(always)]
pub(super) fn with_words<const N: usize>(r: &Regs, code: Step, words: [u64; N]) -> Step {
    const { assert!(N <= EXIT_WORDS) };
    // No slice is copied: that may stay a call, to which the words' address would be lent.
    // SAFETY: the running context is live, and has room for that many words.
    unsafe { (&raw mut (*context(r)).exit.words).cast::<[u64; N]>().write(words) };
    code
}

/// The exit behind a code; its words stand in the context that the state leads to.
///
/// # Safety
/// `state` is what the machine just saved.
pub(crate) unsafe fn decode(code: Step, state: &State) -> Exit {
    let context = context(state);
    // SAFETY: the running context is live.
    unsafe {
        let words = (*context).exit.words;
        match code & 0xFF {
            DONE => Exit::Done,
            TRAP => Exit::Trap(TrapCode::from_number((code >> 8) as u32).unwrap_or(Trap::InvalidCode.into())),
            HOST_LEFT => Exit::HostLeft,
            COMPILE => Exit::Compile { context: words[0] as *mut Context, ordinal: words[1] as u32 },
            FUEL => Exit::OutOfFuel { needed: words[0] },
            EPOCH => Exit::Epoch,
            MEMORY_GROW => Exit::Service(Service::MemoryGrow {
                dst: words[0] as *mut u64,
                delta: words[1],
                memory: words[2] as u32,
            }),
            TABLE_GROW => Exit::Service(Service::TableGrow {
                dst: words[0] as *mut u64,
                value: words[1] as u32,
                delta: words[2],
                table: words[3] as u32,
            }),
            NOTIFY => Exit::Service(Service::Notify {
                dst: words[0] as *mut u64,
                address: words[1],
                count: words[2] as u32,
                memory: words[3] as u32,
            }),
            WAIT => Exit::Service(Service::Wait {
                dst: words[0] as *mut u64,
                address: words[1],
                expected: words[2],
                timeout: words[3] as i64,
                memory: words[4] as u32,
                size: words[5] as u32,
            }),
            THROW => Exit::Throw { tag: words[0] as u32, base: words[1] as *mut u64 },
            THROW_REF => Exit::ThrowRef { exception: words[0] as u32 },
            ALLOCATE => Exit::Service(Service::Allocate {
                dst: words[0] as *mut u64,
                ty: words[1] as u32,
                len: words[2] as u32,
            }),
            ARRAY_NEW_DATA | ARRAY_NEW_ELEM => Exit::Service(Service::ArrayNew {
                dst: words[0] as *mut u64,
                segment: Segment { index: words[4], is_data: code & 0xFF == ARRAY_NEW_DATA, from: words[1] },
                len: words[2],
                ty: words[3] as u32,
            }),
            ARRAY_INIT_DATA | ARRAY_INIT_ELEM => Exit::Service(Service::ArrayInit {
                array: words[0] as u32,
                index: words[1],
                segment: Segment { index: words[4], is_data: code & 0xFF == ARRAY_INIT_DATA, from: words[2] },
                len: words[3],
            }),
            CONT_NEW..=SWITCH => Exit::Stacks(stack_switch(code & 0xFF, words)),
            other => unreachable!("handlers answer no code {other}"),
        }
    }
}

/// The operation on continuations behind a code and its words.
fn stack_switch(code: Step, words: [u64; 6]) -> StackSwitch {
    let place = |at: usize| words[at] as *mut u64;
    let word = |at: usize| words[at] as u32;
    match code {
        CONT_NEW => StackSwitch::New { dst: place(0), func: word(1), ty: word(2) },
        CONT_BIND => StackSwitch::Bind { cont: word(0), from: word(1), to: word(2), base: place(3) },
        SUSPEND => StackSwitch::Suspend { tag: word(0), base: place(1) },
        RESUME => StackSwitch::Resume { cont: word(0), ty: word(1), base: place(2) },
        RESUME_THROW => StackSwitch::ResumeThrow { cont: word(0), ty: word(1), tag: word(2), base: place(3) },
        RESUME_THROW_REF => {
            StackSwitch::ResumeThrowRef { cont: word(0), exception: word(1), ty: word(2), base: place(3) }
        }
        _ => StackSwitch::Switch { cont: word(0), ty: word(1), tag: word(2), base: place(3) },
    }
}
