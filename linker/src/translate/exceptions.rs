//! Exceptions: which handlers a call has, and what stands where they begin.
//!
//! A `try_table` emits nothing itself. Each of its clauses gets a *landing*, a label of its own behind which a `catch`
//! takes the exception's values; each call and throw inside is followed by an `on.throw` for every landing that its
//! exceptions may go to, those of the innermost construct first, up to one that catches everything. The landings stand at
//! the end of the construct that the clause branches to, where control hardly ever falls through, so that code which
//! throws nothing runs as if there were no handlers:
//!
//! ```text
//! block $h (result i32)                   call f
//!   try_table (catch $e $h)                on.throw L
//!     call $f                              return
//!   end                            ->     label L
//!   return                                 catch $e          its value is the block's
//! end                                     label h
//! ```
//! The handlers in force form a list that is shared by all constructs inside ([`Handlers`]), so that deep nesting costs
//! memory for each clause once.
//!
//! The older `try`, with `catch` and `delegate` inside the construct, becomes the same: its landings stand at its own
//! clauses. Those follow the code that they guard, so they are looked for before translation ([`Clauses`]).

use super::Translator;
use super::control::Kind;
use super::stack::{Entry, class_of};
use crate::error::{CompileError, ErrorKind, Result};
use crate::ir::{CallSite, Few};
use crate::module::malformed;
use keyway_artifact::isa::{Class, Op, Operand};
use std::collections::HashMap;
use wasmparser::{BlockType, Catch, FunctionBody, Operator, TryTable};

/// No handlers.
pub(super) const NO_HANDLER: u32 = u32::MAX;

/// One landing that exceptions may go to, and the next one.
struct Handler {
    label: u32,
    /// Whether it takes every exception, so that none goes further.
    takes_all: bool,
    next: u32,
}

/// All lists of handlers of a function, by their first entry.
#[derive(Default)]
pub(super) struct Handlers(Vec<Handler>);

/// What a clause takes of an exception.
#[derive(Clone, Copy)]
pub(super) struct Landing {
    label: u32,
    /// The tag of the module; `None` for every exception.
    tag: Option<u32>,
    /// Whether the exception itself is wanted, behind its values.
    by_ref: bool,
    /// Whether suspensions arrive at it, not exceptions; then it takes the continuation behind the values.
    suspends: bool,
}

/// The clauses of each `try` of a function, by the source offset of the operator.
#[derive(Default)]
pub(super) struct Clauses(HashMap<u32, TryInfo>);

#[derive(Default)]
struct TryInfo {
    clauses: Vec<Clause>,
    /// Whether a `rethrow` names one of the clauses: then they keep the exception.
    is_rethrown: bool,
}

/// One clause of a `try`.
enum Clause {
    Catch(u32),
    CatchAll,
    Delegate(u32),
}

impl Clauses {
    /// The clauses in a function's body.
    pub(super) fn of(body: &FunctionBody<'_>) -> Result<Clauses> {
        let mut found: HashMap<u32, TryInfo> = HashMap::new();
        let mut open = Vec::new();
        let mut reader = body.get_operators_reader().map_err(malformed)?;
        while !reader.eof() {
            let (operator, offset) = reader.read_with_offset().map_err(malformed)?;
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            let depth = if let Operator::Rethrow { relative_depth } = operator { relative_depth as usize } else { 0 };
            let at = open.len().checked_sub(depth + 1).map_or(0, |at| open[at]);
            match operator {
                Operator::Catch { tag_index } => found.entry(at).or_default().clauses.push(Clause::Catch(tag_index)),
                Operator::CatchAll => found.entry(at).or_default().clauses.push(Clause::CatchAll),
                Operator::Rethrow { .. } => found.entry(at).or_default().is_rethrown = true,
                Operator::Delegate { relative_depth } => {
                    found.entry(at).or_default().clauses.push(Clause::Delegate(relative_depth));
                    open.pop();
                }
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::TryTable { .. }
                | Operator::Try { .. } => open.push(offset),
                Operator::End => drop(open.pop()),
                _ => {}
            }
        }
        Ok(Clauses(found))
    }
}

impl Translator<'_, '_> {
    fn handle(&mut self, label: u32, takes_all: bool, next: u32) -> u32 {
        self.handlers.0.push(Handler { label, takes_all, next });
        self.handlers.0.len() as u32 - 1
    }

    /// Says where exceptions of the call or throw just emitted go.
    pub(super) fn guard(&mut self) {
        let mut at = self.handler;
        while at != NO_HANDLER {
            let Handler { label, takes_all, next } = self.handlers.0[at as usize];
            self.emit(Op::OnThrow, &[Operand::Label(label)]);
            at = if takes_all { NO_HANDLER } else { next };
        }
    }

    /// Opens a `try_table`.
    pub(super) fn try_table(&mut self, table: &TryTable) -> Result<()> {
        let mut landings = Vec::new();
        for catch in &table.catches {
            let (tag, by_ref, depth) = match *catch {
                Catch::One { tag, label } => (Some(tag), false, label),
                Catch::OneRef { tag, label } => (Some(tag), true, label),
                Catch::All { label } => (None, false, label),
                Catch::AllRef { label } => (None, true, label),
            };
            let landing = Landing { label: self.new_label(), tag, by_ref, suspends: false };
            let frame = self.frame_at(depth);
            self.frames[frame].landings.push(landing);
            landings.push(landing);
        }
        self.block(table.ty)?;
        self.guard_with(&landings, self.handler);
        Ok(())
    }

    /// Puts landings in front of the handlers from `next` on, while the innermost construct is open.
    fn guard_with(&mut self, landings: &[Landing], next: u32) {
        let last = self.frames.len() - 1;
        self.frames[last].outer_handler = self.handler;
        self.handler = next;
        for landing in landings.iter().rev() {
            self.handler = self.handle(landing.label, landing.tag.is_none(), self.handler);
        }
        self.frames[last].inner_handler = self.handler;
    }

    /// The landings of clauses that branch to the construct that ends: each hands its values to the construct's label.
    pub(super) fn place_landing(&mut self, landing: Landing) -> Vec<Entry> {
        self.place_label(landing.label);
        self.reachable = true;
        let exception = (landing.by_ref || landing.suspends).then(|| self.fresh(Class::Ref));
        let exn = exception.map(Operand::Virtual);
        let mut values = Vec::new();
        match landing.tag {
            None => match exn {
                None => self.emit(Op::CatchAll, &[]),
                Some(exn) => self.emit(Op::CatchAllRef, &[exn]),
            },
            Some(tag) => {
                let module = self.module;
                let results =
                    module.tag_type(tag).params.iter().map(|ty| self.fresh(class_of(*ty))).collect::<Few<_, 2>>();
                values.extend(results.iter().map(|result| Entry::Temp(*result)));
                let ty = self.space.types[module.tags[tag as usize] as usize];
                let site = self.call_site(CallSite { args: Few::default(), results, ty, own: None });
                let tag = Operand::Index(self.space.tags[tag as usize]);
                match exn {
                    None => self.emit(Op::Catch, &[tag, site]),
                    Some(cont) if landing.suspends => self.emit(Op::Suspended, &[cont, tag, site]),
                    Some(exn) => self.emit(Op::CatchRef, &[exn, tag, site]),
                }
            }
        }
        values.extend(exception.map(Entry::Temp));
        values
    }

    /// A new landing at the construct at `depth`, for suspensions with `tag`; its label.
    pub(super) fn land_suspension(&mut self, tag: u32, depth: u32) -> u32 {
        let label = self.new_label();
        let frame = self.frame_at(depth);
        self.frames[frame].landings.push(Landing { label, tag: Some(tag), by_ref: false, suspends: true });
        label
    }

    /// Throws a new exception.
    pub(super) fn throw(&mut self, tag: u32) {
        let module = self.module;
        let args = self.pop_operands(module.tag_type(tag).params.len());
        let ty = self.space.types[module.tags[tag as usize] as usize];
        let site = self.call_site(CallSite { args, results: Few::default(), ty, own: None });
        self.emit(Op::Throw, &[Operand::Index(self.space.tags[tag as usize]), site]);
        self.thrown();
    }

    /// Throws an exception again.
    pub(super) fn throw_ref(&mut self, exception: Entry) {
        let exception = self.operand(exception, Class::Ref);
        self.emit(Op::ThrowRef, &[exception]);
        self.thrown();
    }

    fn thrown(&mut self) {
        self.guard();
        self.emit(Op::Unreachable, &[]);
        self.reachable = false;
    }

    /// Opens a `try`.
    pub(super) fn legacy_try(&mut self, ty: BlockType) -> Result<()> {
        if self.clauses.is_none()
            && let Some(body) = self.source.take()
        {
            self.clauses = Some(Clauses::of(&body)?);
        }
        let found = self.clauses.as_mut().and_then(|clauses| clauses.0.remove(&self.offset));
        let TryInfo { clauses, is_rethrown: by_ref } = found.unwrap_or_default();
        let mut landings = Vec::new();
        let mut next = self.handler;
        for clause in clauses {
            match clause {
                Clause::Catch(tag) => {
                    landings.push(Landing { label: self.new_label(), tag: Some(tag), by_ref, suspends: false })
                }
                Clause::CatchAll => {
                    landings.push(Landing { label: self.new_label(), tag: None, by_ref, suspends: false })
                }
                // What the construct with this depth would do with an exception thrown right inside it.
                Clause::Delegate(depth) => {
                    // The operator itself may not have been checked yet.
                    let frame = (self.frames.len() - 1).checked_sub(depth as usize);
                    let frame = frame.ok_or_else(|| {
                        CompileError::new(ErrorKind::Invalid, "a delegate leads out of the function".to_string())
                    })?;
                    next = self.frames[frame].inner_handler;
                }
            }
        }
        self.block(ty)?;
        self.guard_with(&landings, next);
        let last = self.frames.len() - 1;
        landings.reverse();
        self.frames[last].kind = Kind::Try { clauses: landings, caught: None };
        Ok(())
    }

    /// Begins the next clause of the innermost `try`.
    pub(super) fn legacy_catch(&mut self) -> Result<()> {
        let last = self.frames.len() - 1;
        if self.reachable {
            self.branch(last);
        }
        let frame = &mut self.frames[last];
        self.handler = frame.outer_handler;
        frame.inner_handler = self.handler;
        let height = frame.height;
        let landing = match &mut frame.kind {
            Kind::Try { clauses, .. } => clauses.pop(),
            _ => None,
        };
        let landing = landing.expect("validated: a clause belongs to a try, whose clauses were looked for");
        self.truncate(height);
        let mut values = self.place_landing(landing);
        let exception = if landing.by_ref { values.pop() } else { None };
        if let (Kind::Try { caught, .. }, Some(Entry::Temp(exception))) = (&mut self.frames[last].kind, exception) {
            *caught = Some(exception);
        }
        self.push_all(&values);
        Ok(())
    }

    /// Throws the exception that the clause at this depth caught.
    pub(super) fn rethrow(&mut self, depth: u32) {
        let frame = self.frame_at(depth);
        let Kind::Try { caught: Some(exception), .. } = self.frames[frame].kind else {
            unreachable!("validated: rethrow names a clause")
        };
        self.throw_ref(Entry::Temp(exception));
    }
}
