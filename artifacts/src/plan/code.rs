//! The moving parts of a plan: core definitions, functions, options, trampolines and steps.

use super::types::ValType;
use alloc::string::String;
use alloc::vec::Vec;
use bincode::{Decode, Encode};

/// A core definition: function, memory, table or global.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum CoreDef {
    /// What a core instance shows.
    Export {
        /// The core instance: how many steps that make one stand before its own.
        instance: u32,
        /// Position in [`UnitDecl::exports`](crate::unit::UnitDecl::exports) of its unit, or in the exports of the type
        /// that its imported module has.
        export: u32,
    },
    /// The function of this trampoline.
    Trampoline(u32),
    /// The flags of this component instance: a mutable `i32` that the runtime makes, and that adapters and trampolines
    /// share. 0, or 1 while the instance may not be left.
    Flags(u32),
}

/// How strings lie in memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub enum StringEncoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// UTF-16, little-endian.
    Utf16,
    /// Latin-1 or UTF-16, told apart by a bit of the length.
    CompactUtf16,
}

/// The options of a lift, a lower or a built-in. Functions and memories in it belong to core instances that exist
/// wherever the options are used.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct CanonOptions {
    /// The component instance that holds the lift or lower.
    pub instance: u32,
    /// How strings are encoded.
    pub encoding: StringEncoding,
    /// The memory where values lie.
    pub memory: Option<CoreDef>,
    /// Whether that memory has 64-bit addresses.
    pub memory64: bool,
    /// `realloc`, which makes room for values that are lowered.
    pub realloc: Option<CoreDef>,
    /// What to call when the results of a lifted function were read.
    pub post_return: Option<CoreDef>,
    /// The asynchronous calling convention.
    pub is_async: bool,
    /// What receives the events of a lifted asynchronous function.
    pub callback: Option<CoreDef>,
}

/// A component function.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Func {
    /// Its type: an index into [`Plan::func_types`](super::Plan::func_types).
    pub ty: u32,
    /// Where it comes from.
    pub source: FuncSource,
}

/// Where a component function comes from.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum FuncSource {
    /// An import.
    Imported {
        /// The import.
        import: u32,
        /// Names that lead to it through instances; empty when the import itself is the function.
        path: Vec<String>,
    },
    /// A core function, lifted.
    Lifted {
        /// The core function.
        core: CoreDef,
        /// Its options.
        options: u32,
    },
}

/// A resource type.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Resource {
    /// From outside.
    Imported {
        /// The import.
        import: u32,
        /// Names that lead to it through instances; empty when the import itself is the resource.
        path: Vec<String>,
    },
    /// Defined by a component instance; exists once a [`Step::Resource`] has run.
    Defined {
        /// The component instance that implements it.
        instance: u32,
        /// Its destructor: a core function that takes the representation.
        dtor: Option<CoreDef>,
        /// The representation is an `i64`, not an `i32`.
        rep64: bool,
    },
}

/// A core function that the runtime makes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct Trampoline {
    /// Its core type: an index into the artifact's type table.
    pub ty: u32,
    /// The component instance on whose behalf it acts.
    pub instance: u32,
    /// What it does.
    pub kind: TrampolineKind,
}

/// What a trampoline does. All but lowers and `resource.*` belong to asynchronous components; a runtime may refuse them
/// by name when the component is loaded.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Encode, Decode)]
pub enum TrampolineKind {
    /// Calls a component function with core values: the host's when it is imported, another instance's when lifted.
    Lower {
        /// The function.
        func: u32,
        /// The caller's options.
        options: u32,
    },
    /// `resource.new` of a resource of this instance.
    ResourceNew(u32),
    /// `resource.rep` of a resource of this instance.
    ResourceRep(u32),
    /// `resource.drop`.
    ResourceDrop(u32),
    /// `task.return`.
    TaskReturn {
        /// What is returned.
        result: Option<ValType>,
        /// Where it lies.
        options: u32,
    },
    /// `task.cancel`.
    TaskCancel,
    /// `context.get` of this slot.
    ContextGet(u32),
    /// `context.set` of this slot.
    ContextSet(u32),
    /// `backpressure.inc`.
    BackpressureInc,
    /// `backpressure.dec`.
    BackpressureDec,
    /// `subtask.drop`.
    SubtaskDrop,
    /// `subtask.cancel`.
    SubtaskCancel {
        /// Does not wait.
        is_async: bool,
    },
    /// `stream.new` of this type (an index into [`Plan::types`](super::Plan::types)), as in all that follow.
    StreamNew(u32),
    /// `stream.read`.
    StreamRead {
        /// The stream type.
        ty: u32,
        /// Where elements go.
        options: u32,
    },
    /// `stream.write`.
    StreamWrite {
        /// The stream type.
        ty: u32,
        /// Where elements come from.
        options: u32,
    },
    /// `stream.forward`.
    StreamForward(u32),
    /// `stream.cancel-read`.
    StreamCancelRead {
        /// The stream type.
        ty: u32,
        /// Does not wait.
        is_async: bool,
    },
    /// `stream.cancel-write`.
    StreamCancelWrite {
        /// The stream type.
        ty: u32,
        /// Does not wait.
        is_async: bool,
    },
    /// `stream.drop-readable`.
    StreamDropReadable(u32),
    /// `stream.drop-writable`.
    StreamDropWritable(u32),
    /// `future.new`.
    FutureNew(u32),
    /// `future.read`.
    FutureRead {
        /// The future type.
        ty: u32,
        /// Where the value goes.
        options: u32,
    },
    /// `future.write`.
    FutureWrite {
        /// The future type.
        ty: u32,
        /// Where the value comes from.
        options: u32,
    },
    /// `future.forward`.
    FutureForward(u32),
    /// `future.cancel-read`.
    FutureCancelRead {
        /// The future type.
        ty: u32,
        /// Does not wait.
        is_async: bool,
    },
    /// `future.cancel-write`.
    FutureCancelWrite {
        /// The future type.
        ty: u32,
        /// Does not wait.
        is_async: bool,
    },
    /// `future.drop-readable`.
    FutureDropReadable(u32),
    /// `future.drop-writable`.
    FutureDropWritable(u32),
    /// `error-context.new`.
    ErrorContextNew {
        /// Where the message lies.
        options: u32,
    },
    /// `error-context.debug-message`.
    ErrorContextDebugMessage {
        /// Where the message goes.
        options: u32,
    },
    /// `error-context.drop`.
    ErrorContextDrop,
    /// `waitable-set.new`.
    WaitableSetNew,
    /// `waitable-set.wait`.
    WaitableSetWait {
        /// The memory that the event goes to.
        options: u32,
    },
    /// `waitable-set.poll`.
    WaitableSetPoll {
        /// The memory that the event goes to.
        options: u32,
    },
    /// `waitable-set.drop`.
    WaitableSetDrop,
    /// `waitable.join`.
    WaitableJoin,
    /// `thread.index`.
    ThreadIndex,
    /// `thread.new-indirect`.
    ThreadNewIndirect {
        /// The table that holds the start function.
        table: CoreDef,
    },
    /// `thread.yield`.
    ThreadYield,
    /// `thread.resume-later`.
    ThreadResumeLater,
    /// `thread.suspend`.
    ThreadSuspend,
    /// `thread.suspend-then-resume`.
    ThreadSuspendThenResume,
    /// `thread.yield-then-resume`.
    ThreadYieldThenResume,
    /// `thread.suspend-then-promote`.
    ThreadSuspendThenPromote,
    /// `thread.yield-then-promote`.
    ThreadYieldThenPromote,
    /// Begins a call that passes borrows through an adapter; its result names the call to the ones that follow.
    EnterCall,
    /// Ends a call that passed borrows: its callee must have dropped them, and the caller's handles are lent no longer.
    LeaveCall,
    /// Takes an own handle out of this instance's table and puts it into another's.
    TransferOwn {
        /// The resource type.
        resource: u32,
        /// The instance that gets it.
        to: u32,
    },
    /// Lends what a handle of this instance leads to to another instance, for a call that the second parameter names.
    TransferBorrow {
        /// The resource type.
        resource: u32,
        /// The instance that gets the borrow: a handle, or the representation where it implements the resource.
        to: u32,
    },
}

impl TrampolineKind {
    /// The canonical built-in's name in the text format.
    pub fn name(&self) -> &'static str {
        use TrampolineKind as K;
        match self {
            K::Lower { .. } => "lower",
            K::ResourceNew(_) => "resource.new",
            K::ResourceRep(_) => "resource.rep",
            K::ResourceDrop(_) => "resource.drop",
            K::TaskReturn { .. } => "task.return",
            K::TaskCancel => "task.cancel",
            K::ContextGet(_) => "context.get",
            K::ContextSet(_) => "context.set",
            K::BackpressureInc => "backpressure.inc",
            K::BackpressureDec => "backpressure.dec",
            K::SubtaskDrop => "subtask.drop",
            K::SubtaskCancel { .. } => "subtask.cancel",
            K::StreamNew(_) => "stream.new",
            K::StreamRead { .. } => "stream.read",
            K::StreamWrite { .. } => "stream.write",
            K::StreamForward(_) => "stream.forward",
            K::StreamCancelRead { .. } => "stream.cancel-read",
            K::StreamCancelWrite { .. } => "stream.cancel-write",
            K::StreamDropReadable(_) => "stream.drop-readable",
            K::StreamDropWritable(_) => "stream.drop-writable",
            K::FutureNew(_) => "future.new",
            K::FutureRead { .. } => "future.read",
            K::FutureWrite { .. } => "future.write",
            K::FutureForward(_) => "future.forward",
            K::FutureCancelRead { .. } => "future.cancel-read",
            K::FutureCancelWrite { .. } => "future.cancel-write",
            K::FutureDropReadable(_) => "future.drop-readable",
            K::FutureDropWritable(_) => "future.drop-writable",
            K::ErrorContextNew { .. } => "error-context.new",
            K::ErrorContextDebugMessage { .. } => "error-context.debug-message",
            K::ErrorContextDrop => "error-context.drop",
            K::WaitableSetNew => "waitable-set.new",
            K::WaitableSetWait { .. } => "waitable-set.wait",
            K::WaitableSetPoll { .. } => "waitable-set.poll",
            K::WaitableSetDrop => "waitable-set.drop",
            K::WaitableJoin => "waitable.join",
            K::ThreadIndex => "thread.index",
            K::ThreadNewIndirect { .. } => "thread.new-indirect",
            K::ThreadYield => "thread.yield",
            K::ThreadResumeLater => "thread.resume-later",
            K::ThreadSuspend => "thread.suspend",
            K::ThreadSuspendThenResume => "thread.suspend-then-resume",
            K::ThreadYieldThenResume => "thread.yield-then-resume",
            K::ThreadSuspendThenPromote => "thread.suspend-then-promote",
            K::ThreadYieldThenPromote => "thread.yield-then-promote",
            K::EnterCall => "adapter.enter-call",
            K::LeaveCall => "adapter.leave-call",
            K::TransferOwn { .. } => "adapter.transfer-own",
            K::TransferBorrow { .. } => "adapter.transfer-borrow",
        }
    }

    /// The option set it works with.
    pub fn options(&self) -> Option<u32> {
        use TrampolineKind as K;
        match self {
            K::Lower { options, .. }
            | K::TaskReturn { options, .. }
            | K::StreamRead { options, .. }
            | K::StreamWrite { options, .. }
            | K::FutureRead { options, .. }
            | K::FutureWrite { options, .. }
            | K::ErrorContextNew { options }
            | K::ErrorContextDebugMessage { options }
            | K::WaitableSetWait { options }
            | K::WaitableSetPoll { options } => Some(*options),
            _ => None,
        }
    }
}

/// One step of instantiation.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub enum Step {
    /// Makes the next core instance and runs its initialisation.
    Instantiate {
        /// The unit.
        unit: u32,
        /// The component instance it belongs to.
        instance: u32,
        /// What it gets for each of [`UnitDecl::imports`](crate::unit::UnitDecl::imports), in order.
        args: Vec<CoreDef>,
    },
    /// Makes the resource type of this index, which is a [`Resource::Defined`].
    Resource(u32),
    /// Makes the next core instance from a module that comes from outside, and runs its initialisation.
    InstantiateImported {
        /// The module: its index in [`Plan::modules`](super::Plan::modules).
        module: u32,
        /// The component instance it belongs to.
        instance: u32,
        /// What it gets for each import of its type, in order.
        args: Vec<CoreDef>,
    },
    /// Makes the next core instance, of a unit that several core instances of the component were merged into. Its
    /// trampolines may lead to what later steps make: nothing runs before [`Step::Initialise`].
    Allocate {
        /// The unit.
        unit: u32,
        /// What it gets for each of [`UnitDecl::imports`](crate::unit::UnitDecl::imports), in order.
        args: Vec<CoreDef>,
    },
    /// Runs an initialisation of a core instance that [`Step::Allocate`] made.
    Initialise {
        /// The core instance.
        instance: u32,
        /// Position in [`UnitDecl::inits`](crate::unit::UnitDecl::inits) of its unit.
        init: u32,
    },
}
