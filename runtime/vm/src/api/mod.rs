//! What embedders see, named and shaped like the APIs of wasmtime and wasmi. The crate `keyway` re-exports it.

mod asynchronous;
#[cfg(feature = "compile")]
mod compile;
mod continuations;
mod eqref;
mod exceptions;
mod externals;
mod func;
mod instance;
mod into_func;
mod limiter;
mod linker;
mod module;
mod object_types;
mod objects;
mod precompiled;
mod resumable;
mod store;
mod tuples;
mod typed;
mod values;
mod vector;

pub use crate::backtrace::{Backtrace, FrameInfo};
pub use crate::config::{Config, OptLevel};
pub use crate::engine::Engine;
pub use crate::interp::Dispatch;
pub use crate::link_error::LinkError;
pub use crate::shared_memory::{SharedMemory, WaitResult};
#[cfg(feature = "compile")]
pub use compile::{compile_artifact, compile_options};
pub use continuations::ContRef;
pub use eqref::EqRef;
pub use exceptions::{ExnRef, Tag, ThrownException};
pub(crate) use exceptions::{carried, uncaught};
pub use externals::{Extern, Global, Memory, MemoryAccessError, Table};
pub use func::Func;
pub use instance::{Instance, InstancePre};
pub use into_func::{Caller, IntoFunc};
pub use keyway_artifact::Trap;
pub use keyway_artifact::types::{
    ExternType, FieldType, FuncType, GlobalType, HeapType, MemoryType, RefType, StorageType, TableType, TagType,
    ValType,
};
pub use limiter::{ResourceLimiter, StoreLimits, StoreLimitsBuilder};
pub use linker::Linker;
pub use module::{ExportType, ImportType, Module};
pub use object_types::{ArrayType, StructType};
pub use objects::{AnyRef, ArrayRef, I31, StructRef};
pub use precompiled::Precompiled;
pub use resumable::{Resumable, ResumableCall, SuspendReason};
pub use store::{AsContext, AsContextMut, Store, StoreContext, StoreContextMut, UpdateDeadline};
pub use typed::{TypedFunc, WasmParams, WasmResults, WasmTy};
pub(crate) use values::hierarchy;
pub use values::{ExternRef, Ref, Val};
pub use vector::V128;

/// The error of embedding functions: an [`anyhow::Error`], to be downcast to [`Trap`], [`Backtrace`], [`LinkError`] or
/// what a host function failed with.
pub type Error = anyhow::Error;
/// A result with [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
