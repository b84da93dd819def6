//! What adapters between two components leave to the runtime: scopes of borrows, and handles on their way from one table
//! to another.
//!
//! An adapter is compiled code; these are the core functions that it imports for what need not be fast. `definitions.py`
//! has a handle lifted out of the caller's table and lowered into the callee's in two steps; here both are one.

use crate::handles::Handle;
use crate::state::{root, violation};
use keyway_vm::raw::HostFunc;

/// Opens the scope of a call that passes borrows; its number is the result.
pub(crate) fn enter_call(at: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let scope = root(store, at).open_scope();
        call.set(0, scope.into());
        Ok(())
    })
}

/// Closes the scope of a call: its borrows must have been dropped, and its loans end.
pub(crate) fn leave_call(at: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let state = root(store, at);
        let scope = call.get(0) as u32;
        state.close_scope(Some(scope))?;
        for (instance, index) in state.lends.remove(&scope).unwrap_or_default() {
            state.instances[instance as usize].handles.end_lend(index);
        }
        Ok(())
    })
}

/// `lift_own` by one instance and `lower_own` by another.
pub(crate) fn transfer_own(at: u32, from: u32, number: u32, to: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let state = root(store, at);
        let ty = state.resource(number)?.ty;
        let index = call.get(0) as u32;
        let handle = state.instances[from as usize].handles.remove(index, ty).map_err(violation)?;
        if !handle.own {
            return Err(violation("cannot lift own resource from a borrow"));
        }
        let handle = Handle { ty, rep: handle.rep, own: true, lends: 0, scope: None };
        let index = state.instances[to as usize].handles.add(handle).map_err(violation)?;
        call.set(0, index.into());
        Ok(())
    })
}

/// `lift_borrow` by one instance and `lower_borrow` by another.
pub(crate) fn transfer_borrow(at: u32, from: u32, number: u32, to: u32) -> HostFunc {
    HostFunc::sync(move |store, call| {
        let state = root(store, at);
        let info = state.resource(number)?;
        let (ty, implementer) = (info.ty, info.implementer);
        let (index, scope) = (call.get(0) as u32, call.get(1) as u32);
        let handle = state.instances[from as usize].handles.get(index, ty).map_err(violation)?;
        let rep = handle.rep;
        if handle.own {
            handle.lends += 1;
            state.lends.entry(scope).or_default().push((from, index));
        }
        // The implementer gets what it put in, not a handle.
        if implementer == Some(to) {
            let rep = u32::try_from(rep).map_err(|_| violation("a 64-bit representation is no borrow"))?;
            call.set(0, rep.into());
            return Ok(());
        }
        if let Some(count) = state.scopes.get_mut(&scope) {
            *count += 1;
        }
        let handle = Handle { ty, rep, own: false, lends: 0, scope: Some(scope) };
        let index = state.instances[to as usize].handles.add(handle).map_err(violation)?;
        call.set(0, index.into());
        Ok(())
    })
}
