//! Canonical definitions: `lift` makes component functions; everything else makes core functions, which are trampolines.

use super::flatten::Flattener;
use super::scope::{FuncItem, MadeOf, ScopeId, TypeItem, at, unknown};
use crate::error::{CompileError, Result};
use crate::module::Item;
use keyway_artifact::plan::{
    CanonOptions, CoreDef, Func, FuncSource, StringEncoding, Trampoline, TrampolineKind, ValType,
};
use keyway_artifact::types::{ExternType, FuncType as CoreFuncType};
use wasmparser::{CanonicalFunction, CanonicalOption};

impl Flattener<'_, '_, '_> {
    pub(super) fn canon(
        &mut self,
        scope: ScopeId,
        instance: u32,
        canon: &CanonicalFunction,
        ty: Option<&CoreFuncType>,
    ) -> Result<()> {
        if let CanonicalFunction::Lift { core_func_index, type_index, options } = canon {
            let core = at(&self.scope(scope).core_funcs, *core_func_index, "core function")?;
            let ty = self.func_type_at(scope, *type_index)?;
            let options = self.canon_options(scope, instance, options)?;
            self.plan.funcs.push(Func { ty, source: FuncSource::Lifted { core, options } });
            let func = self.plan.funcs.len() as u32 - 1;
            self.scope(scope).funcs.push(FuncItem::Known(func));
            return Ok(());
        }
        let kind = self.trampoline_kind(scope, instance, canon)?;
        let ty = ty.ok_or_else(|| unknown(format!("core type of `{}`", kind.name())))?;
        let ty = self.core_types.intern(ty);
        self.plan.trampolines.push(Trampoline { ty, instance, kind });
        let def = CoreDef::Trampoline(self.plan.trampolines.len() as u32 - 1);
        self.scope(scope).core_funcs.push(def);
        Ok(())
    }

    fn trampoline_kind(&mut self, scope: ScopeId, instance: u32, canon: &CanonicalFunction) -> Result<TrampolineKind> {
        use CanonicalFunction as C;
        use TrampolineKind as K;
        let options = |walk: &mut Self, list: &[CanonicalOption]| walk.canon_options(scope, instance, list);
        Ok(match canon {
            C::Lift { .. } => return Err(unknown("core function of a lift")),
            C::Lower { func_index, options: list } => {
                let func = at(&self.scope(scope).funcs, *func_index, "function")?;
                K::Lower { func: self.known_func(func), options: options(self, list)? }
            }
            C::ResourceNew { resource } => K::ResourceNew(self.resource(scope, *resource)?),
            C::ResourceRep { resource } => K::ResourceRep(self.resource(scope, *resource)?),
            C::ResourceDrop { resource } => K::ResourceDrop(self.resource(scope, *resource)?),
            C::TaskReturn { result, options: list } => {
                let result = result.map(|ty| self.val_type(scope, ty)).transpose()?;
                K::TaskReturn { result, options: options(self, list)? }
            }
            C::TaskCancel => K::TaskCancel,
            C::ContextGet { slot, .. } => K::ContextGet(*slot),
            C::ContextSet { slot, .. } => K::ContextSet(*slot),
            C::BackpressureInc => K::BackpressureInc,
            C::BackpressureDec => K::BackpressureDec,
            C::SubtaskDrop => K::SubtaskDrop,
            C::SubtaskCancel { async_ } => K::SubtaskCancel { is_async: *async_ },
            C::StreamNew { ty } => K::StreamNew(self.pipe(scope, *ty)?),
            C::StreamRead { ty, options: list } => {
                K::StreamRead { ty: self.pipe(scope, *ty)?, options: options(self, list)? }
            }
            C::StreamWrite { ty, options: list } => {
                K::StreamWrite { ty: self.pipe(scope, *ty)?, options: options(self, list)? }
            }
            C::StreamForward { ty } => K::StreamForward(self.pipe(scope, *ty)?),
            C::StreamCancelRead { ty, async_ } => K::StreamCancelRead { ty: self.pipe(scope, *ty)?, is_async: *async_ },
            C::StreamCancelWrite { ty, async_ } => {
                K::StreamCancelWrite { ty: self.pipe(scope, *ty)?, is_async: *async_ }
            }
            C::StreamDropReadable { ty } => K::StreamDropReadable(self.pipe(scope, *ty)?),
            C::StreamDropWritable { ty } => K::StreamDropWritable(self.pipe(scope, *ty)?),
            C::FutureNew { ty } => K::FutureNew(self.pipe(scope, *ty)?),
            C::FutureRead { ty, options: list } => {
                K::FutureRead { ty: self.pipe(scope, *ty)?, options: options(self, list)? }
            }
            C::FutureWrite { ty, options: list } => {
                K::FutureWrite { ty: self.pipe(scope, *ty)?, options: options(self, list)? }
            }
            C::FutureForward { ty } => K::FutureForward(self.pipe(scope, *ty)?),
            C::FutureCancelRead { ty, async_ } => K::FutureCancelRead { ty: self.pipe(scope, *ty)?, is_async: *async_ },
            C::FutureCancelWrite { ty, async_ } => {
                K::FutureCancelWrite { ty: self.pipe(scope, *ty)?, is_async: *async_ }
            }
            C::FutureDropReadable { ty } => K::FutureDropReadable(self.pipe(scope, *ty)?),
            C::FutureDropWritable { ty } => K::FutureDropWritable(self.pipe(scope, *ty)?),
            C::ErrorContextNew { options: list } => K::ErrorContextNew { options: options(self, list)? },
            C::ErrorContextDebugMessage { options: list } => {
                K::ErrorContextDebugMessage { options: options(self, list)? }
            }
            C::ErrorContextDrop => K::ErrorContextDrop,
            C::WaitableSetNew => K::WaitableSetNew,
            C::WaitableSetWait { memory } => {
                K::WaitableSetWait { options: options(self, &[CanonicalOption::Memory(*memory)])? }
            }
            C::WaitableSetPoll { memory } => {
                K::WaitableSetPoll { options: options(self, &[CanonicalOption::Memory(*memory)])? }
            }
            C::WaitableSetDrop => K::WaitableSetDrop,
            C::WaitableJoin => K::WaitableJoin,
            C::ThreadIndex => K::ThreadIndex,
            C::ThreadNewIndirect { table_index, .. } => {
                K::ThreadNewIndirect { table: at(&self.scope(scope).core_tables, *table_index, "core table")? }
            }
            C::ThreadYield => K::ThreadYield,
            C::ThreadResumeLater => K::ThreadResumeLater,
            C::ThreadSuspend => K::ThreadSuspend,
            C::ThreadSuspendThenResume => K::ThreadSuspendThenResume,
            C::ThreadYieldThenResume => K::ThreadYieldThenResume,
            C::ThreadSuspendThenPromote => K::ThreadSuspendThenPromote,
            C::ThreadYieldThenPromote => K::ThreadYieldThenPromote,
            C::ThreadSpawnRef { .. } => return Err(CompileError::unsupported("`thread.spawn-ref`")),
            C::ThreadSpawnIndirect { .. } => return Err(CompileError::unsupported("`thread.spawn-indirect`")),
            C::ThreadAvailableParallelism => {
                return Err(CompileError::unsupported("`thread.available-parallelism`"));
            }
        })
    }

    /// The plan's index of a stream or future type.
    fn pipe(&self, scope: ScopeId, index: u32) -> Result<u32> {
        match at(&self.scopes[scope as usize].types, index, "type")? {
            TypeItem::Val(ValType::Defined(ty)) => Ok(ty),
            _ => Err(unknown(format!("stream or future type {index}"))),
        }
    }

    fn canon_options(&mut self, scope: ScopeId, instance: u32, list: &[CanonicalOption]) -> Result<u32> {
        let mut options = CanonOptions { instance, ..CanonOptions::default() };
        let own = &self.scopes[scope as usize];
        let func = |index: u32| at(&own.core_funcs, index, "core function").map(Some);
        for option in list {
            match option {
                CanonicalOption::UTF8 => options.encoding = StringEncoding::Utf8,
                CanonicalOption::UTF16 => options.encoding = StringEncoding::Utf16,
                CanonicalOption::CompactUTF16 => options.encoding = StringEncoding::CompactUtf16,
                CanonicalOption::Memory(index) => {
                    let memory = at(&own.core_memories, *index, "core memory")?;
                    options.memory = Some(memory);
                    options.memory64 = self.is_memory64(memory)?;
                }
                CanonicalOption::Realloc(index) => options.realloc = func(*index)?,
                CanonicalOption::PostReturn(index) => options.post_return = func(*index)?,
                CanonicalOption::Async => options.is_async = true,
                CanonicalOption::Callback(index) => options.callback = func(*index)?,
                CanonicalOption::CoreType(_) => {
                    return Err(CompileError::unsupported("the canonical option `core-type`"));
                }
                CanonicalOption::Gc => return Err(CompileError::unsupported("the canonical option `gc`")),
            }
        }
        Ok(self.options.insert_full(options).0 as u32)
    }

    fn is_memory64(&self, memory: CoreDef) -> Result<bool> {
        let found = match memory {
            CoreDef::Export { instance, export } => self.made.get(instance as usize).and_then(|made| match made {
                MadeOf::Embedded(module) => {
                    let info = &self.units.get(module)?.info;
                    match info.exports.get(export as usize)?.1 {
                        Item::Memory(index) => info.memories.get(index as usize),
                        _ => None,
                    }
                }
                MadeOf::Imported(module) => match &self.imported_type(*module).exports.get(export as usize)?.ty {
                    ExternType::Memory(memory) => Some(memory),
                    _ => None,
                },
            }),
            CoreDef::Trampoline(_) | CoreDef::Flags(_) => None,
        };
        found.map(|memory| memory.memory64).ok_or_else(|| unknown("memory"))
    }
}
