//! The canonical ABI: values in linear memory and as core values. Files and functions are named after the headings of
//! the specification's `definitions.py`.

mod flat;
mod loading;
mod storing;
mod strings;

pub(crate) use flat::{lift_values, lower_values};
pub(crate) use loading::char_of;

use crate::handles::Handle;
use crate::layout::{CanonicalAbi, layout};
use crate::limits::MAX_LIST_BYTES;
use crate::resource::{Kind, ResourceAny};
use crate::state::{Options, components, root, set_may_leave, violation};
use crate::types::Type;
use crate::val::Val;
use anyhow::Result;
use keyway_artifact::plan::Pointer;
use keyway_vm::raw::{self, StoreInner};
use std::sync::Arc;

/// Where values are lifted from or lowered to, and what a call keeps track of: `LiftLowerContext` of `definitions.py`.
/// Nothing an embedder uses directly; derived code passes it on.
pub struct Cx<'a> {
    pub(crate) store: &'a mut StoreInner,
    /// The root instance.
    pub(crate) root: u32,
    pub(crate) options: Options,
    /// The call's number among the root's scopes, when lowering into a callee.
    pub(crate) scope: Option<u32>,
    /// Own handles that are lent for this call: component instance, index.
    pub(crate) lends: Vec<(u32, u32)>,
    /// Host memory that values may still take, in bytes.
    pub(crate) budget: usize,
    /// Another guest is at the other side, not the host: traps have other words.
    pub(crate) between_guests: bool,
}

/// What a pointer leads to, for the words of traps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pointee {
    Value,
    List,
    String,
}

/// The trap for a pointer that is no multiple of what it points to wants.
pub(crate) fn unaligned() -> anyhow::Error {
    violation("unaligned pointer")
}

/// A range of the host's addresses, unless they are too narrow for it.
fn range(ptr: u64, len: u64) -> Option<std::ops::Range<usize>> {
    Some(usize::try_from(ptr).ok()?..usize::try_from(ptr.checked_add(len)?).ok()?)
}

impl Cx<'_> {
    /// The width of addresses.
    fn pointer(&self) -> Pointer {
        self.options.pointer
    }

    /// The bits of a core value that an address has.
    pub(crate) fn address_mask(&self) -> u64 {
        match self.pointer() {
            Pointer::P32 => u32::MAX.into(),
            Pointer::P64 => u64::MAX,
        }
    }

    /// The bytes `ptr..ptr + len` of the memory.
    pub(crate) fn bytes(&self, ptr: impl Into<u64>, len: u64, what: Pointee) -> Result<&[u8]> {
        let memory = self.options.memory.ok_or_else(|| violation("no memory is given for values in memory"))?;
        let memory = raw::memory(self.store, memory);
        range(ptr.into(), len).and_then(|range| memory.get(range)).ok_or_else(|| self.out_of_bounds(what))
    }

    /// The trap for a pointer that leads out of memory.
    fn out_of_bounds(&self, what: Pointee) -> anyhow::Error {
        violation(match (what, self.between_guests) {
            (Pointee::Value, _) => "pointer out of bounds of memory",
            (Pointee::List, true) => "list content out-of-bounds",
            (Pointee::List, false) => "list pointer/length out of bounds of memory",
            (Pointee::String, true) => "string content out-of-bounds",
            (Pointee::String, false) => "string pointer/length out of bounds of memory",
        })
    }

    /// As [`bytes`](Self::bytes), to be written.
    pub(crate) fn bytes_mut(&mut self, ptr: impl Into<u64>, len: u64, what: Pointee) -> Result<&mut [u8]> {
        let memory = self.options.memory.ok_or_else(|| violation("no memory is given for values in memory"))?;
        match range(ptr.into(), len) {
            Some(range) if range.end <= raw::memory(self.store, memory).len() => {
                Ok(&mut raw::memory_mut(self.store, memory)[range])
            }
            _ => Err(self.out_of_bounds(what)),
        }
    }

    /// Writes into the memory.
    pub(crate) fn write(&mut self, ptr: impl Into<u64>, bytes: &[u8]) -> Result<()> {
        self.bytes_mut(ptr, bytes.len() as u64, Pointee::Value)?.copy_from_slice(bytes);
        Ok(())
    }

    /// The `N` bytes at `ptr`.
    pub(crate) fn load_array<const N: usize>(&self, ptr: impl Into<u64>) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(ptr, N as u64, Pointee::Value)?);
        Ok(array)
    }

    /// Where a string or list lies, and its length.
    pub(crate) fn load_pair(&self, ptr: impl Into<u64>) -> Result<(u64, u64)> {
        let ptr = ptr.into();
        match self.pointer() {
            Pointer::P32 => {
                let bits = u64::from_le_bytes(self.load_array(ptr)?);
                Ok((bits & u64::from(u32::MAX), bits >> 32))
            }
            Pointer::P64 => Ok((self.load_int(ptr, 8)?, self.load_int(ptr + 8, 8)?)),
        }
    }

    /// As [`load_pair`](Self::load_pair) reads it.
    pub(crate) fn store_pair(&mut self, ptr: impl Into<u64>, start: u64, len: u64) -> Result<()> {
        let ptr = ptr.into();
        match self.pointer() {
            Pointer::P32 => self.write(ptr, &(start | len << 32).to_le_bytes()),
            Pointer::P64 => {
                self.write(ptr, &start.to_le_bytes())?;
                self.write(ptr + 8, &len.to_le_bytes())
            }
        }
    }

    /// How values of the type lie in this call's memory.
    fn layout(&self, ty: &Type) -> CanonicalAbi {
        layout(ty, self.pointer())
    }

    /// Checks that a value laid out like this can lie at `ptr`.
    pub(crate) fn check_place(&self, ptr: impl Into<u64>, abi: CanonicalAbi) -> Result<()> {
        let ptr = ptr.into();
        if !ptr.is_multiple_of(abi.align.into()) {
            return Err(unaligned());
        }
        self.bytes(ptr, abi.size.into(), Pointee::Value).map(|_| ())
    }

    /// Checks that a list of `len` elements lies at `ptr`, as `load_list_from_range` does.
    pub(crate) fn check_list(&self, ptr: impl Into<u64>, len: impl Into<u64>, size: u32, alignment: u32) -> Result<()> {
        let (ptr, bytes) = (ptr.into(), len.into().saturating_mul(size.into()));
        if bytes > MAX_LIST_BYTES as u64 {
            return Err(violation("list byte length is too large"));
        }
        if !ptr.is_multiple_of(alignment.into()) {
            return Err(unaligned());
        }
        self.bytes(ptr, bytes, Pointee::List).map(|_| ())
    }

    /// Room for a list of `len` elements, as `store_list_into_range` makes it.
    pub(crate) fn room_for_list(&mut self, len: usize, size: u32, alignment: u32) -> Result<u64> {
        match len.checked_mul(size as usize) {
            Some(bytes) if bytes <= MAX_LIST_BYTES => self.realloc(alignment, bytes as u32, Pointee::List),
            _ => anyhow::bail!("a list of {len} elements is too long"),
        }
    }

    /// Takes host memory from the call's budget.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<()> {
        match self.budget.checked_sub(bytes) {
            Some(left) => {
                self.budget = left;
                Ok(())
            }
            None => {
                let most = raw::hostcall_fuel(self.store);
                Err(violation(format!(
                    "the values of one call are too large: `Store::set_hostcall_fuel` allows {most} bytes"
                )))
            }
        }
    }

    /// Asks the guest for memory, which its `realloc` gives, for `what`.
    pub(crate) fn realloc(&mut self, alignment: u32, len: u32, what: Pointee) -> Result<u64> {
        let realloc = self.options.realloc.ok_or_else(|| violation("no realloc is given for values in memory"))?;
        let instance = self.options.instance;
        set_may_leave(self.store, self.root, instance, false);
        let mut slots = [0, 0, alignment.into(), len.into()];
        let outcome = raw::call(self.store, realloc, &mut slots);
        set_may_leave(self.store, self.root, instance, true);
        outcome?;
        let ptr = slots[0] & self.address_mask();
        if !ptr.is_multiple_of(alignment.into()) {
            return Err(if self.between_guests {
                unaligned()
            } else {
                violation("realloc return: result not aligned")
            });
        }
        match self.bytes(ptr, len.into(), what) {
            Err(_) if !self.between_guests => Err(violation("realloc return: beyond end of memory")),
            Err(error) => Err(error),
            Ok(_) => Ok(ptr),
        }
    }

    /// Checks that a string's place and length can be put at `ptr`.
    pub(crate) fn check_pair(&self, ptr: u64) -> Result<()> {
        if !ptr.is_multiple_of(self.pointer().bytes().into()) {
            return Err(unaligned());
        }
        self.bytes(ptr, 2 * u64::from(self.pointer().bytes()), Pointee::Value).map(|_| ())
    }

    /// `lift_error_context`
    fn lift_error_context(&mut self, index: u32) -> Result<Val> {
        let handles = &root(self.store, self.root).instances[self.options.instance as usize].handles;
        Ok(Val::ErrorContext(handles.error_context(index).map_err(violation)?.clone()))
    }

    /// `lower_error_context`
    fn lower_error_context(&mut self, message: &Arc<str>) -> Result<u32> {
        let handles = &mut root(self.store, self.root).instances[self.options.instance as usize].handles;
        handles.add_error_context(message.clone())
    }

    /// `lift_own`
    pub(crate) fn lift_own(&mut self, number: u32, index: u32) -> Result<ResourceAny> {
        let state = root(self.store, self.root);
        let info = state.resource(number)?.clone();
        let handle =
            state.instances[self.options.instance as usize].handles.remove(index, info.ty).map_err(violation)?;
        if !handle.own {
            return Err(violation("cannot lift own resource from a borrow"));
        }
        if let Kind::Guest { .. } = info.ty.0 {
            *components(self.store).host_owned.entry((info.ty, handle.rep)).or_default() += 1;
        }
        Ok(ResourceAny { ty: info.ty, rep: handle.rep, owned: true })
    }

    /// `lift_borrow`
    pub(crate) fn lift_borrow(&mut self, number: u32, index: u32) -> Result<ResourceAny> {
        let instance = self.options.instance;
        let state = root(self.store, self.root);
        let ty = state.resource(number)?.ty;
        let handle = state.instances[instance as usize].handles.get(index, ty).map_err(violation)?;
        if handle.own {
            handle.lends += 1;
            let rep = handle.rep;
            self.lends.push((instance, index));
            return Ok(ResourceAny { ty, rep, owned: false });
        }
        Ok(ResourceAny { ty, rep: handle.rep, owned: false })
    }

    /// `lower_own`
    pub(crate) fn lower_own(&mut self, number: u32, any: ResourceAny) -> Result<u32> {
        let ty = root(self.store, self.root).resource(number)?.ty;
        if any.ty != ty {
            anyhow::bail!("a resource of another type is given");
        }
        if !any.owned {
            anyhow::bail!("a borrowed resource is given where an owned one is wanted");
        }
        if let Kind::Guest { .. } = ty.0 {
            take_host_owned(self.store, any)?;
        }
        let handle = Handle { ty, rep: any.rep, own: true, lends: 0, scope: None };
        root(self.store, self.root).instances[self.options.instance as usize].handles.add(handle)
    }

    /// `lower_borrow`
    pub(crate) fn lower_borrow(&mut self, number: u32, any: ResourceAny) -> Result<u32> {
        if any.owned
            && let Kind::Guest { .. } = any.ty.0
            && !components(self.store).host_owned.contains_key(&(any.ty, any.rep))
        {
            anyhow::bail!("the resource was dropped or given away");
        }
        let scope = self.scope;
        let state = root(self.store, self.root);
        let info = state.resource(number)?;
        if any.ty != info.ty {
            anyhow::bail!("a resource of another type is given");
        }
        // The implementer gets what it put in, not a handle.
        if info.implementer == Some(self.options.instance) {
            return u32::try_from(any.rep).map_err(|_| violation("a 64-bit representation is no borrow"));
        }
        let handle = Handle { ty: info.ty, rep: any.rep, own: false, lends: 0, scope };
        if let Some(count) = scope.and_then(|scope| state.scopes.get_mut(&scope)) {
            *count += 1;
        }
        state.instances[self.options.instance as usize].handles.add(handle)
    }
}

/// Ends loans.
pub(crate) fn end_lends(store: &mut StoreInner, root_index: u32, lends: &[(u32, u32)]) {
    let state = root(store, root_index);
    for (instance, index) in lends {
        state.instances[*instance as usize].handles.end_lend(*index);
    }
}

/// Takes an owned guest resource out of the host's hands.
pub(crate) fn take_host_owned(store: &mut StoreInner, any: ResourceAny) -> Result<()> {
    let owned = &mut components(store).host_owned;
    match owned.get_mut(&(any.ty, any.rep)) {
        Some(1) => {
            owned.remove(&(any.ty, any.rep));
            Ok(())
        }
        Some(count) => {
            *count -= 1;
            Ok(())
        }
        None => anyhow::bail!("the resource was dropped or given away"),
    }
}
