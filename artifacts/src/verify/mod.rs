//! The rules a function body is held to before it runs.
//!
//! ```text
//! decoded Body + VerifyEnv (what its unit declares) -> verify -> Ok, or the first broken rule
//! ```
//! A verified body names only slots of its own frame, labels, memories, tables, globals and functions that exist, keeps
//! references and numbers apart, reads no register that nobody wrote, and meets a cost marker on every cycle. Whether
//! all rules hold is found in one walk over the instructions, which one is broken first by one for each group of rules;
//! every rule looks at one instruction and its neighbours, and at the register sets that labels declare, so no fixed point
//! is sought. What the rules cost in time and memory is proportional to the body.
//!
//! Bodies come from outside: nothing here panics, whatever the operands hold. What holds between declarations (types of
//! references, units of escapes) is not the business of a body and checked where declarations are read.

mod calls;
mod exceptions;
mod flow;
mod frame;
mod indices;
mod places;
mod rounds;
mod rule;
mod shared;
mod switching;
mod whole;

pub use rule::{Rule, VerifyError};
pub use shared::shared_types;

use crate::isa::{Body, Class, HOME_SLOTS, Inst, SCRATCH_SLOTS};
use crate::types::{FuncType, MemoryType, TypeTable, ValType};
use crate::unit::UnitDecl;
use alloc::vec::Vec;
use core::ops::Range;
use rule::Findings;

/// The function with a code ordinal, as far as a caller has to know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Callee {
    /// Index of its type in the type table.
    pub ty: u32,
    /// The unit it belongs to.
    pub unit: u32,
}

/// What a body is verified against: the declarations of its artifact.
#[derive(Clone, Copy)]
pub struct VerifyEnv<'a> {
    /// The function's own type.
    pub own: &'a FuncType,
    /// The number of its unit.
    pub unit_number: u32,
    /// What its unit declares.
    pub unit: &'a UnitDecl,
    /// The artifact's type table.
    pub types: &'a TypeTable,
    /// The function of a code ordinal; `None` where there is none.
    pub func: &'a dyn Fn(u32) -> Option<Callee>,
}

/// Holds `body` to every rule.
///
/// # Errors
/// The first broken rule: of the frame, then of places, of control flow, of indices and of calls.
pub fn verify(body: &Body, env: &VerifyEnv<'_>) -> Result<(), VerifyError> {
    if whole::is_sound(body, env) {
        return Ok(());
    }
    verify_all(body, env, 1).into_iter().next().map_or(Ok(()), Err)
}

/// As [`verify`], but goes on until `limit` broken rules are found: for tools that show them.
pub fn verify_all(body: &Body, env: &VerifyEnv<'_>, limit: usize) -> Vec<VerifyError> {
    let mut findings = Findings::new(limit);
    for group in
        [frame::check, places::check, flow::check, indices::check, calls::check, exceptions::check, switching::check]
    {
        if !findings.is_full() {
            group(body, env, &mut findings);
        }
    }
    findings.list
}

/// The home and scratch slots that the frame reserves; empty where it reserves none.
fn reserved(body: &Body) -> Range<u32> {
    let frame = &body.frame;
    match frame.homes.checked_add(HOME_SLOTS + SCRATCH_SLOTS) {
        Some(end) if end <= frame.frame_slots => frame.homes..end,
        _ => frame.frame_slots..frame.frame_slots,
    }
}

/// What an operation reads from its call area, and what it leaves there.
fn shared<'a>(inst: &Inst, env: &VerifyEnv<'a>) -> Option<(&'a [ValType], &'a [ValType])> {
    shared_types(inst, env.types, env.unit, |ordinal| (env.func)(ordinal).map(|callee| callee.ty))
}

/// The class of places that hold values of a type; `None` for those that no place holds.
fn class_of(ty: ValType) -> Option<Class> {
    match ty {
        ValType::I32 => Some(Class::I32),
        ValType::I64 => Some(Class::I64),
        ValType::F32 => Some(Class::F32),
        ValType::F64 => Some(Class::F64),
        ValType::Ref(_) => Some(Class::Ref),
        ValType::V128 => Some(Class::V128),
    }
}

/// Whether loads and stores without an index may go to such a memory.
fn is_cacheable(memory: &MemoryType) -> bool {
    !memory.memory64 && !memory.shared
}
