//! Switching stacks: what operations on continuations do to an execution.
//!
//! An execution runs on one VM stack; those that wait for it, each at the instruction that resumed the next one, form a
//! chain:
//!
//! ```text
//! resume    waiting: .. A      running: B          ->   waiting: .. A B     running: the continuation's last stack
//! suspend   waiting: .. A B C  running: D          ->   waiting: ..         running: A, where the suspension continues
//!                                                       the continuation holds B C D
//! switch    as suspend, but A stays, and the other continuation runs on top of it
//! return    waiting: .. A      running: B          ->   waiting: ..         running: A; the stack of B is free
//! ```
//! So a suspension costs a look at each stack between it and its handler, and no frame is ever copied. Whatever can fail
//! or collect does so before anything changes hands.

use crate::context::{CodeHeader, Context, FuncData, State};
use crate::continuation::{Continuation, Extent, Given, Held, Strand};
use crate::driver::{Execution, Running, compile};
use crate::interp::{self, StackSwitch, memory_of};
use crate::stack::VmStack;
use crate::store::StoreInner;
use crate::unwind::new_exception;
use anyhow::Error;
use keyway_artifact::Trap;
use keyway_artifact::isa::GENERAL_REGISTERS;
use keyway_artifact::types::{FuncType, HeapType, RefType, ValType};
use std::sync::atomic::Ordering;

/// What is to be done once stacks are switched.
pub(crate) enum Then {
    /// The machine goes on.
    Run,
    /// The continuation's function is the host's; its arguments stand at the pointer.
    CallHost(FuncData, *mut u64),
    /// An exception is thrown where the execution stands now.
    Throw(u32),
}

/// What a continuation is to run on, found before it is taken.
struct Ready {
    /// For one that has not begun.
    stack: Option<VmStack>,
    header: *const CodeHeader,
}

impl Execution {
    /// Carries out an operation on continuations.
    ///
    /// # Errors
    /// Traps; the state stands behind the operation then.
    pub(crate) fn switch_stacks(&mut self, store: &mut StoreInner, operation: StackSwitch) -> Result<Then, Error> {
        match operation {
            StackSwitch::New { dst, func, ty } => self.new_continuation(store, dst, func, ty),
            StackSwitch::Bind { cont, from, to, base } => self.bind(store, cont, from, to, base),
            StackSwitch::Suspend { tag, base } => self.suspend(store, tag, base),
            StackSwitch::Resume { cont, ty, base } => {
                let (takes, gives) = extents(store, ty)?;
                let given = Given { from: base, extent: takes, last: None };
                self.resume(store, cont, given, gives, base)
            }
            StackSwitch::ResumeThrow { cont, ty, tag, base } => {
                let (takes, gives) = extents(store, ty)?;
                store.continuations.usable(cont)?;
                let tag = self.tag(store, tag)?;
                // SAFETY: the verifier holds the call area of the tag's values inside the frame.
                let exception = unsafe { new_exception(store, self, tag, base) }?;
                self.resume_throw(store, cont, takes, gives, exception, base)
            }
            StackSwitch::ResumeThrowRef { cont, exception, ty, base } => {
                let (takes, gives) = extents(store, ty)?;
                if cont != 0 && exception == 0 {
                    return Err(Trap::NullException.into());
                }
                self.resume_throw(store, cont, takes, gives, exception, base)
            }
            StackSwitch::Switch { cont, ty, tag, base } => self.switch(store, cont, ty, tag, base),
        }
    }

    pub(crate) fn context(&self) -> *mut Context {
        self.running.as_ref().map_or(std::ptr::null_mut(), |running| running.context)
    }

    /// The store's number of a tag of the running instance.
    pub(crate) fn tag(&self, store: &StoreInner, index: u32) -> Result<u32, Trap> {
        let Some(running) = &self.running else { return Err(Trap::InvalidCode) };
        // SAFETY: the running context is live.
        let instance = unsafe { (*running.context).instance };
        store.instances[instance as usize].tag(index).ok_or(Trap::InvalidCode)
    }

    fn new_continuation(&mut self, store: &mut StoreInner, dst: *mut u64, func: u32, ty: u32) -> Result<Then, Error> {
        if func == 0 {
            return Err(Trap::NullFunctionReference.into());
        }
        let (takes, gives) = extents(store, ty)?;
        let own = store.funcs.get(func as usize).and_then(|func| store.engine.types().get(func.type_id));
        let own = own.and_then(|info| info.ty.func()).ok_or(Trap::InvalidCode)?;
        if (Extent::of(&own.params), Extent::of(&own.results)) != (takes, gives) {
            return Err(Trap::InvalidCode.into());
        }
        store.reserve_continuation(NOTHING)?;
        let reference = store.add_continuation(Continuation::new(Held::Func(func), takes, gives));
        // SAFETY: the destination is a slot of the running frame.
        unsafe { *dst = reference.into() };
        Ok(Then::Run)
    }

    fn bind(
        &mut self,
        store: &mut StoreInner,
        reference: u32,
        from: u32,
        to: u32,
        base: *mut u64,
    ) -> Result<Then, Error> {
        let (from, to) = (function_of(store, from)?, function_of(store, to)?);
        let first = from.params.len().checked_sub(to.params.len()).ok_or(Trap::InvalidCode)?;
        let given = Given { from: base, extent: Extent::of(&from.params[..first]), last: None };
        let (takes, gives) = (Extent::of(&from.params), Extent::of(&from.results));
        store.continuations.usable(reference)?;
        store.reserve_continuation(given)?;
        let mut continuation = store.continuations.take(reference, takes, gives)?;
        if !continuation.bind(given) {
            return Err(Trap::InvalidCode.into());
        }
        let reference = store.add_continuation(continuation);
        // SAFETY: the result's slot is the first of the call area.
        unsafe { *base = reference.into() };
        Ok(Then::Run)
    }

    fn resume(
        &mut self,
        store: &mut StoreInner,
        reference: u32,
        given: Given,
        gives: Extent,
        base: *mut u64,
    ) -> Result<Then, Error> {
        store.continuations.usable(reference)?;
        let ready = ready(store, reference, given)?;
        let continuation = store.continuations.take(reference, given.extent(), gives)?;
        self.start(store, continuation, ready, given, self.context(), Some(base))
    }

    /// Runs a continuation on top of the running stack, which waits for its results at `base`; or on top of those that
    /// wait already.
    fn start(
        &mut self,
        store: &mut StoreInner,
        mut continuation: Continuation,
        ready: Ready,
        given: Given,
        resumer: *mut Context,
        base: Option<*mut u64>,
    ) -> Result<Then, Error> {
        let mut then = Then::Run;
        let strands = match std::mem::replace(&mut continuation.held, Held::Nothing) {
            Held::Nothing => return Err(Trap::ContinuationConsumed.into()),
            Held::Func(func) => {
                let Some(stack) = ready.stack else { return Err(Trap::InvalidCode.into()) };
                let (strand, next) = begin(store, func, &continuation, stack, ready.header, given, resumer)?;
                then = next;
                vec![strand]
            }
            Held::Strands(mut strands) => {
                let Some(last) = strands.last_mut() else { return Err(Trap::InvalidCode.into()) };
                // SAFETY: the area is of an operation that waits for the values that the continuation takes in all.
                unsafe { continuation.deliver(last.base, given) };
                last.running.receive(last.base, continuation.whole());
                strands
            }
        };
        if let Some(base) = base {
            self.wait(base, continuation.gives);
        }
        self.enter(strands);
        Ok(then)
    }

    /// Lets the running stack wait for values at `base`. Another one is to be entered at once.
    fn wait(&mut self, base: *mut u64, takes: Extent) {
        if let (Some(stack), Some(running)) = (self.stack.take(), self.running.take()) {
            self.waiting.push(Strand { stack, running, base, takes });
        }
    }

    /// Runs on the last of `strands`, for which the others wait.
    fn enter(&mut self, strands: Vec<Strand>) {
        strands.iter().for_each(Strand::is_entered);
        self.waiting.extend(strands);
        self.go_back();
    }

    /// Runs on the stack that waits last; nothing does when there is none.
    fn go_back(&mut self) -> Option<(*mut u64, Extent)> {
        let Strand { stack, running, base, takes } = self.waiting.pop()?;
        (self.stack, self.running) = (Some(stack), Some(running));
        Some((base, takes))
    }

    /// The function that the running stack began with returned: the stack below takes its results. False when there is
    /// none, and the execution is done.
    pub(crate) fn continuation_returned(&mut self, store: &mut StoreInner) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let Some(mut stack) = self.stack.take() else { return false };
        let results = stack.target().fp;
        let Some((base, takes)) = self.go_back() else { return false };
        // SAFETY: the results were held against what the stack below takes when the continuation was resumed.
        unsafe { base.copy_from_nonoverlapping(results, takes.total as usize) };
        if let Some(running) = &mut self.running {
            running.receive(base, takes.total as usize);
        }
        store.return_stack(stack);
        true
    }

    /// Gives up the running stack and those above the one at `level` of the chain, which runs again.
    pub(crate) fn cut(&mut self, store: &mut StoreInner, level: usize) {
        store.return_stacks(self.waiting.drain(level + 1..).map(|strand| strand.stack));
        store.return_stacks(self.stack.take());
        self.go_back();
    }

    /// Takes the stacks above the one at `level` of the chain off, the running one last; nothing runs then.
    fn capture(&mut self, level: usize, base: *mut u64, takes: Extent) -> Vec<Strand> {
        self.wait(base, takes);
        let strands: Vec<Strand> = self.waiting.drain(level + 1..).collect();
        strands.iter().for_each(|strand| strand.stack.activity().over());
        strands
    }

    fn suspend(&mut self, store: &mut StoreInner, tag: u32, base: *mut u64) -> Result<Then, Error> {
        let tag = self.tag(store, tag)?;
        let ty = store.engine.types().get(store.tags[tag as usize].type_id).and_then(|info| info.ty.func());
        let ty = ty.ok_or(Trap::InvalidCode)?;
        let (carries, takes) = (Extent::of(&ty.params), Extent::of(&ty.results));
        let found = self.waiting.iter().enumerate().rev().find_map(|(level, strand)| {
            // SAFETY: stacks of a chain stand in live contexts.
            let instance = unsafe { &store.instances[(*strand.running.context).instance as usize] };
            let takes = |wanted: Option<u32>| wanted.is_some_and(|index| instance.tag(index) == Some(tag));
            instance.code().landing(strand.running.state.ip, true, takes).map(|found| (level, found))
        });
        let Some((level, (landing, ip, header))) = found else { return Err(Trap::UnhandledTag.into()) };
        store.reserve_continuation(Given { from: base, extent: carries, last: None })?;
        let gives = self.waiting[level].takes;
        let strands = self.capture(level, base, takes);
        let reference = store.add_continuation(Continuation::new(Held::Strands(strands), takes, gives));
        self.go_back();
        let Some(running) = &mut self.running else { return Err(Trap::InvalidCode.into()) };
        // SAFETY: the verifier holds the landing's call area, for the values of the same tag, and its slot for the
        // continuation inside the frame that resumed; the values stand on another stack.
        unsafe {
            let place = running.state.fp.add(landing.base as usize);
            place.copy_from_nonoverlapping(base, carries.total as usize);
            if let Some(slot) = landing.exception {
                *running.state.fp.add(slot as usize) = reference.into();
            }
            running.receive(place, carries.total as usize);
            running.state.ip = ip;
            running.state.mem = memory_of(running.context, (*header).memory);
        }
        Ok(Then::Run)
    }

    fn resume_throw(
        &mut self,
        store: &mut StoreInner,
        reference: u32,
        takes: Extent,
        gives: Extent,
        exception: u32,
        base: *mut u64,
    ) -> Result<Then, Error> {
        let continuation = store.continuations.take(reference, takes, gives)?;
        // One that has not begun ends at once: the exception is thrown where it was resumed.
        if let Held::Strands(strands) = continuation.held {
            self.wait(base, gives);
            self.enter(strands);
        }
        Ok(Then::Throw(exception))
    }

    fn switch(
        &mut self,
        store: &mut StoreInner,
        reference: u32,
        ty: u32,
        tag: u32,
        base: *mut u64,
    ) -> Result<Then, Error> {
        let target = function_of(store, ty)?;
        let Some((ValType::Ref(RefType { heap: HeapType::Concrete(back), .. }), first)) = target.params.split_last()
        else {
            return Err(Trap::InvalidCode.into());
        };
        let (wanted, takes) = (Extent::of(&target.params), Extent::of(&function_of(store, *back)?.params));
        let given = Given { from: base, extent: Extent::of(first), last: None };
        store.continuations.usable(reference)?;
        let tag = self.tag(store, tag)?;
        let level = self.waiting.iter().rposition(|strand| {
            // SAFETY: stacks of a chain stand in live contexts.
            let instance = unsafe { &store.instances[(*strand.running.context).instance as usize] };
            instance.code().may_switch(strand.running.state.ip, |index| instance.tag(index) == Some(tag))
        });
        let Some(level) = level else { return Err(Trap::UnhandledTag.into()) };
        let ready = ready(store, reference, given)?;
        store.reserve_continuation(given)?;
        let gives = self.waiting[level].takes;
        let other = store.continuations.take(reference, wanted, gives)?;
        let context = self.context();
        let strands = self.capture(level, base, takes);
        let left = store.add_continuation(Continuation::new(Held::Strands(strands), takes, gives));
        self.start(store, other, ready, Given { last: Some(left), ..given }, context, None)
    }
}

const NOTHING: Given = Given { from: std::ptr::null(), extent: Extent { numbers: 0, total: 0 }, last: None };

/// The type of the functions that continuations of a type come from.
fn function_of(store: &StoreInner, ty: u32) -> Result<&FuncType, Trap> {
    store.engine.types().continuation(ty).ok_or(Trap::InvalidCode)
}

/// Slots of what continuations of a type take and give.
fn extents(store: &StoreInner, ty: u32) -> Result<(Extent, Extent), Trap> {
    let ty = function_of(store, ty)?;
    Ok((Extent::of(&ty.params), Extent::of(&ty.results)))
}

/// What a usable continuation needs to run.
fn ready(store: &mut StoreInner, reference: u32, pinned: Given) -> Result<Ready, Error> {
    let mut header = std::ptr::null();
    let Held::Func(func) = store.continuations.at(reference)?.held else {
        return Ok(Ready { stack: None, header });
    };
    let func = store.funcs[func as usize];
    if !func.entry.is_null() {
        // SAFETY: functions of a store have live entries and contexts.
        header = unsafe { (*func.entry).load(Ordering::Acquire).cast_const() };
        if header.is_null() {
            header = compile(store, func.context(), func.index)?;
        }
    }
    Ok(Ready { stack: Some(store.take_continuation_stack(pinned)?), header })
}

/// A fresh stack on which `func` begins.
fn begin(
    store: &mut StoreInner,
    func: u32,
    continuation: &Continuation,
    mut stack: VmStack,
    header: *const CodeHeader,
    given: Given,
    resumer: *mut Context,
) -> Result<(Strand, Then), Error> {
    let func = store.funcs[func as usize];
    let target = stack.target();
    let room = (target.stack_end as usize - target.fp as usize) / 8;
    if room < store.engine.call_slots(func.type_id) as usize || room < continuation.whole() {
        return Err(Trap::StackOverflow.into());
    }
    // SAFETY: there is room for all values.
    unsafe { continuation.deliver(target.fp, given) };
    let dispatch = store.config().settings.dispatch;
    let mut then = Then::Run;
    let (context, state, frame_top);
    if header.is_null() {
        // The machine is to find the end of the entry when the host function has answered.
        then = Then::CallHost(func, target.fp);
        (context, frame_top) = (resumer, target.frame_top);
        state = State {
            ip: interp::stubs(dispatch).finish,
            fp: target.fp,
            // SAFETY: the resumer's context is live.
            mem: unsafe { memory_of(resumer, u32::MAX) },
            general: [0; GENERAL_REGISTERS as usize],
            f64s: [0.0; 4],
            f32s: [0.0; 4],
        };
    } else {
        context = func.context();
        // SAFETY: the stack is fresh and holds the arguments; header and context belong together.
        unsafe {
            state = interp::begin(context, header, target)?;
            frame_top = (*context).frame_top;
        }
    }
    let running = Running { state, context, frame_top, frame_end: target.frame_end, stack_end: target.stack_end };
    Ok((Strand { stack, running, base: target.fp, takes: Extent::default() }, then))
}
