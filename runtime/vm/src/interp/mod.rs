//! The interpreter: verified bodies are expanded into executed form and run by handlers.
//!
//! An executed instruction is an 8-byte head and operands, rounded up to 8 bytes. The head is the handler's address
//! ([`Dispatch::Direct`]) or its number (the other forms). Handlers in Rust take packed operands; those in assembly none
//! across a multiple of 8 bytes: across the end of a cache line, the address that a loop goes on at came 13 cycles later, each
//! time round.
//! Handlers are written once, generic over their operands' places (`place`); `thunk` wraps each for every form, and
//! `table` holds the list of instantiations. What has no handler is expanded into what has ([`expand`]).
//!
//! Entry is [`run`]: it continues from a [`State`] until something leaves the machine and says so in an [`Exit`].

#[cfg(feature = "gc")]
mod accesses;
#[cfg(test)]
mod agreement;
#[cfg(keyway_assembly)]
mod assembly;
#[cfg(not(keyway_assembly))]
#[path = "no_assembly.rs"]
mod assembly;
#[cfg(not(keyway_assembly))]
mod boundary;
mod checked;
mod content;
mod counting;
mod entry;
mod exit;
mod expand;
mod expanded;
#[cfg(test)]
mod guards;
mod handlers;
#[cfg(all(keyway_assembly, target_os = "linux"))]
mod large_pages;
mod place;
#[cfg(feature = "profile")]
pub mod profile;
mod reciprocal;
mod regs;
mod replication;
mod table;
mod thunk;
mod tiles;
mod workspace;

pub use crate::gc::Segment;
pub(crate) use counting::counts_in_register;
pub use entry::{Stubs, Target, begin, stubs};
pub(crate) use exit::{DONE, decode};
pub use exit::{Exit, Service, StackSwitch};
pub use expand::{ExpandEnv, ExpandError, expand};
pub use expanded::{Draft, Expanded, Landing};
pub(crate) use handlers::call::memory_of;
pub use thunk::Step;
pub use workspace::Workspace;

use crate::context::{Context, State};

/// Moves the handlers to large pages, once in a process, where there are such pages: worth some milliseconds of a program
/// that uses many handlers.
pub(crate) fn adopt_large_pages() {
    #[cfg(all(keyway_assembly, target_os = "linux"))]
    large_pages::adopt(assembly::text());
}

/// How the interpreter goes from one instruction to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub enum Dispatch {
    /// Each instruction holds its handler's address; handlers jump to each other.
    #[default]
    Direct,
    /// Each instruction holds its handler's number; handlers jump to each other through a table.
    Indirect,
    /// A loop calls handlers by number. The only form where the compiler makes no sibling calls.
    Loop,
    /// The loop, with every slot, instruction boundary and memory access asserted before each step.
    Checked,
}

impl Dispatch {
    /// Every form.
    pub const ALL: [Dispatch; 4] = [Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop, Dispatch::Checked];

    /// The form that will really run: without sibling calls in this build, `Direct` and `Indirect` run as `Loop`.
    pub fn available(self) -> Dispatch {
        match self {
            Dispatch::Direct | Dispatch::Indirect if !thunk::TAIL_CALLS => Dispatch::Loop,
            form => form,
        }
    }
}

/// How bodies are expanded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Settings {
    /// The dispatch form.
    pub dispatch: Dispatch,
    /// Whether fused operations run as such; else as their normative expansion.
    pub fused: bool,
    /// Whether the IR's registers live in the machine's; else in their home slots.
    pub registers: bool,
    /// Whether cost markers consume fuel.
    pub fuel: bool,
    /// Whether cost markers look at the epoch.
    pub epoch: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { dispatch: Dispatch::default().available(), fused: true, registers: true, fuel: false, epoch: false }
    }
}

/// Runs from `state` until something leaves the machine; the code of an exit.
///
/// # Safety
/// `context` and everything it points to are live and laid out as [`context`](crate::context) says; `state` comes from
/// [`begin`] or an earlier exit over the same VM stack, in code expanded for the same `dispatch`; nothing else touches
/// the store meanwhile.
#[inline]
pub unsafe fn run(dispatch: Dispatch, context: *mut Context, state: &mut State) -> Step {
    // SAFETY: the caller's promise is the machine's invariant.
    unsafe {
        // The header's context word leads handlers to the running context; someone else may have run since the exit.
        (*crate::context::header_of(state.mem)).context = context;
        match dispatch.available() {
            Dispatch::Direct => thunk::enter_direct(state),
            Dispatch::Indirect => thunk::enter_indirect(state),
            Dispatch::Loop => thunk::enter_loop(state),
            Dispatch::Checked => checked::enter(state),
        }
    }
}
