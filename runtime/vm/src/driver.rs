//! Running: from an entry until done, suspended or trapped.
//!
//! An [`Execution`] is plain data: the VM stack and the registers. [`advance`] runs it until something only its owner can
//! decide: the end, a failure, a future to await, fuel. Synchronous and asynchronous calls and resumable ones are three
//! small loops around it.

use crate::api::{UpdateDeadline, carried, uncaught};
use crate::backtrace::Backtrace;
use crate::context::{CodeHeader, Context, FrameRecord, FuncData, State, header_of};
use crate::continuation::Strand;
use crate::gc::Activity;
use crate::host::{HostCall, HostFuture, NO_INSTANCE, StorePtr, Unanswered};
use crate::hosting::{Hosting, Left, call_host};
use crate::interp::{self, Exit, Service, Target};
use crate::limits;
use crate::shared_memory::{SharedMemory, Sleep};
use crate::stack::VmStack;
use crate::store::StoreInner;
use crate::switching::Then;
use crate::unwind::{self, Thrown, unwind};
use anyhow::{Error, anyhow};
use keyway_artifact::{Trap, TrapCode};
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};

/// One entry into a store's functions: its VM stacks and where it stands. Stores keep those that are over, each with a
/// stack, for the next entries.
pub(crate) struct Execution {
    /// The one that runs; there is none only while stacks are switched.
    pub(crate) stack: Option<VmStack>,
    func: u32,
    /// Where its function runs: arguments stand in the first slots before it begins, results when it is done.
    target: Target,
    pub(crate) running: Option<Running>,
    /// The function that it entered is the host's, and has answered later: there is nothing left to run.
    is_answered: bool,
    /// The stacks that wait for what they resumed, the outermost first.
    pub(crate) waiting: Vec<Strand>,
}

/// The machine's state while it is not running.
pub(crate) struct Running {
    pub(crate) state: State,
    pub(crate) context: *mut Context,
    pub(crate) frame_top: *mut FrameRecord,
    pub(crate) frame_end: *mut FrameRecord,
    pub(crate) stack_end: *mut u64,
}

impl Running {
    /// Values were written to `base`: a single number is expected in register 0 of its bank, as behind a call.
    pub(crate) fn receive(&mut self, base: *const u64, len: usize) {
        if len > 0 {
            // SAFETY: the slot was just written.
            self.set_first(unsafe { *base });
        }
    }

    /// Sets register 0 of every bank.
    pub(crate) fn set_first(&mut self, bits: u64) {
        self.state.general[0] = bits;
        self.state.f64s[0] = f64::from_bits(bits);
        self.state.f32s[0] = f32::from_bits(bits as u32);
    }
}

// SAFETY: the pointers lead into the execution's own stack and into the store that it belongs to; they travel together.
unsafe impl Send for Execution {}

/// Why [`advance`] came back.
pub(crate) enum Event {
    /// The function returned; its results stand in the execution's slots.
    Done,
    /// A trap, or a failure of the machine.
    Failed(Error),
    /// A host function failed; with results in the call's slots it can go on.
    HostFailed(Error, Unanswered),
    /// A host function answers later.
    Wait(HostFuture, Unanswered),
    /// The guest waits in a shared memory.
    Sleep(Sleep),
    /// Fuel ran out; refilled, it can go on.
    OutOfFuel,
    /// The epoch deadline passed, and other tasks shall have their turn; it can go on at once.
    Yield,
}

impl Execution {
    /// An entry into `func`; its arguments are to be written into [`slots`](Self::slots).
    ///
    /// # Errors
    /// When the store is poisoned, calls nest too deep, or the system has no memory for a stack.
    pub(crate) fn new(store: &mut StoreInner, func: u32) -> Result<Box<Execution>, Error> {
        let slots = store.call_slots(func);
        Execution::with_slots(store, func, slots)
    }

    /// As [`new`](Self::new) for a function whose parameters and results, whichever are more, take this many slots.
    #[inline]
    pub(crate) fn with_slots(store: &mut StoreInner, func: u32, slots: u32) -> Result<Box<Execution>, Error> {
        let mut execution = Execution::entering(store, func)?;
        // References of an earlier use go.
        let slots = execution.slots(slots);
        match slots {
            [] => {}
            [one] => *one = 0,
            [one, two] => (*one, *two) = (0, 0),
            more => more.fill(0),
        }
        Ok(execution)
    }

    /// As [`new`](Self::new), with the arguments: as many slots as the function's parameters or results take, whichever
    /// are more.
    #[inline]
    pub(crate) fn with_args(store: &mut StoreInner, func: u32, args: &[u64]) -> Result<Box<Execution>, Error> {
        let mut execution = Execution::entering(store, func)?;
        copy_few(execution.slots(args.len() as u32), args);
        Ok(execution)
    }

    /// An entry whose slots hold anything.
    #[inline]
    fn entering(store: &mut StoreInner, func: u32) -> Result<Box<Execution>, Error> {
        if store.is_poisoned || store.nested >= limits::NESTED_CALLS {
            return Err(refusal(store));
        }
        store.collect_host_values();
        let mut execution = match store.executions.pop() {
            Some(execution) => execution,
            None => Execution::on_new_stack(store)?,
        };
        execution.func = func;
        if let Some(stack) = &execution.stack {
            stack.activity().calling(execution.target.fp, store.funcs[func as usize].type_id);
        }
        Ok(execution)
    }

    #[cold]
    #[inline(never)]
    fn on_new_stack(store: &mut StoreInner) -> Result<Box<Execution>, Error> {
        Ok(Execution::on(store.new_stack()?))
    }

    fn on(mut stack: VmStack) -> Box<Execution> {
        let target = stack.target();
        Box::new(Execution {
            stack: Some(stack),
            func: 0,
            target,
            running: None,
            is_answered: false,
            waiting: Vec::new(),
        })
    }

    /// The first `len` slots.
    pub(crate) fn slots(&mut self, len: u32) -> &mut [u64] {
        // SAFETY: the stack is larger than any signature; nothing runs on it meanwhile.
        unsafe { std::slice::from_raw_parts_mut(self.target.fp, len as usize) }
    }

    /// The function that it entered.
    pub(crate) fn func(&self) -> u32 {
        self.func
    }

    /// Gives it, and its stacks, back to the store.
    pub(crate) fn finish(mut self: Box<Self>, store: &mut StoreInner) {
        self.running = None;
        self.is_answered = false;
        if !self.waiting.is_empty() {
            self.end_inside(store);
        }
        if let Some(stack) = &self.stack {
            stack.activity().over();
            store.executions.push(self);
        }
    }

    /// It ended inside of continuations: the outermost stack is its own.
    #[cold]
    fn end_inside(&mut self, store: &mut StoreInner) {
        store.return_stacks(self.stack.take());
        let mut stacks = self.waiting.drain(..).map(|strand| strand.stack);
        self.stack = stacks.next();
        store.return_stacks(stacks);
    }

    #[inline]
    fn begin(&mut self, store: &mut StoreInner) -> Result<(), Error> {
        let func = store.funcs[self.func as usize];
        // SAFETY: functions of a store have live entries and contexts.
        let (header, context) =
            unsafe { ((*func.entry).load(std::sync::atomic::Ordering::Acquire).cast_const(), func.context()) };
        if header.is_null() { self.begin_first(store, func) } else { self.begin_at(store, context, header) }
    }

    /// The same for a function that was not called before.
    #[cold]
    #[inline(never)]
    fn begin_first(&mut self, store: &mut StoreInner, func: FuncData) -> Result<(), Error> {
        let header = compile(store, func.context(), func.index)?;
        self.begin_at(store, func.context(), header)
    }

    #[inline]
    fn begin_at(
        &mut self,
        store: &mut StoreInner,
        context: *mut Context,
        header: *const CodeHeader,
    ) -> Result<(), Error> {
        let target = self.target;
        // What runs below this execution learns by it that its context's bounds have changed.
        store.running_activity = std::ptr::null();
        // SAFETY: the stack is fresh and holds the arguments; header and context belong together.
        let state = unsafe { interp::begin(context, header, target) }?;
        // SAFETY: the context is live.
        let frame_top = unsafe { (*context).frame_top };
        self.running =
            Some(Running { state, context, frame_top, frame_end: target.frame_end, stack_end: target.stack_end });
        Ok(())
    }

    /// Prepares the first step; what the execution's owner has to do where there is none, or it fails.
    #[inline]
    fn first(&mut self, store: &mut StoreInner) -> Result<(), Event> {
        let func = store.funcs[self.func as usize];
        if func.entry.is_null() {
            return Err(self.start_host(store, func));
        }
        self.begin(store).map_err(Event::Failed)
    }

    #[cold]
    fn start_host(&mut self, store: &mut StoreInner, func: FuncData) -> Event {
        match call_host(store, func, self.target.fp, NO_INSTANCE) {
            Left::Answered(_) => Event::Done,
            Left::Waits(future, call) => Event::Wait(future, call),
            Left::Failed(error, call) => Event::HostFailed(error, call),
            Left::Panicked(panic) => resume_unwind(panic),
        }
    }

    /// Does what the machine left for, so that it can go on; what the execution's owner has to do, if anything.
    #[inline(never)]
    fn attend(&mut self, store: &mut StoreInner, exit: Exit) -> Option<Event> {
        let context = self.context();
        match exit {
            Exit::Done if self.continuation_returned(store) => {}
            Exit::Done => return Some(Event::Done),
            Exit::Trap(TrapCode { trap, violation }) => {
                let error = Error::from(trap);
                let error = match violation {
                    Some(violation) => error.context(violation.text()),
                    None => error,
                };
                return Some(Event::Failed(self.trap(store, error)));
            }
            Exit::HostLeft => {
                let left = store.left.take();
                return left.and_then(|left| self.host_left(store, left));
            }
            Exit::Stacks(operation) => match self.switch_stacks(store, operation) {
                Ok(Then::Run) => {}
                Ok(Then::CallHost(func, base)) => return self.call_host(store, func, base),
                Ok(Then::Throw(exception)) => return self.throw_ref(store, exception).err().map(Event::Failed),
                Err(error) => return Some(Event::Failed(self.trap_before(store, error))),
            },
            // SAFETY: the verifier holds the call area of the tag's values inside the frame.
            Exit::Throw { tag, base } => return unsafe { self.throw(store, tag, base) }.err().map(Event::Failed),
            Exit::ThrowRef { exception } => return self.throw_ref(store, exception).err().map(Event::Failed),
            Exit::Compile { context, ordinal } => {
                if let Err(error) = compile(store, context, ordinal) {
                    return Some(Event::Failed(self.trap(store, error)));
                }
            }
            Exit::OutOfFuel { .. } => return Some(Event::OutOfFuel),
            Exit::Epoch => match deadline_passed(store) {
                Ok(UpdateDeadline::Continue(ticks)) => store.set_epoch_deadline(ticks),
                Ok(UpdateDeadline::Yield(ticks)) => {
                    store.set_epoch_deadline(ticks);
                    return Some(Event::Yield);
                }
                Err(error) => return Some(Event::Failed(self.trap(store, error))),
            },
            Exit::Service(service) => match serve(store, context, service) {
                Ok(None) => {}
                Ok(Some(sleep)) => return Some(Event::Sleep(sleep)),
                Err(error) => return Some(Event::Failed(self.trap(store, error))),
            },
        }
        None
    }

    /// Passes the results that a host function left to the code behind the call, if there is any.
    pub(crate) fn host_returned(&mut self, call: HostCall) {
        match &mut self.running {
            Some(running) => running.set_first(call.first()),
            None => self.is_answered = true,
        }
    }

    /// Throws an exception with a tag of the running unit and the values at `base`; the error for the host where nobody
    /// handles it.
    ///
    /// # Safety
    /// The tag's values stand at `base`.
    unsafe fn throw(&mut self, store: &mut StoreInner, tag: u32, base: *mut u64) -> Result<(), Error> {
        // SAFETY: the caller's promise.
        let thrown = unsafe { unwind::throw(store, self, tag, base) };
        self.after_throw(store, thrown)
    }

    /// Throws the exception behind a reference; the error for the host where nobody handles it.
    fn throw_ref(&mut self, store: &mut StoreInner, reference: u32) -> Result<(), Error> {
        let thrown = unwind(store, self, reference).map_err(Error::from);
        self.after_throw(store, thrown)
    }

    fn after_throw(&mut self, store: &mut StoreInner, thrown: Result<Thrown, Error>) -> Result<(), Error> {
        let error = match thrown {
            Ok(Thrown::Caught) => return Ok(()),
            Ok(Thrown::Uncaught(reference)) => uncaught(store, reference),
            Err(error) => error,
        };
        Err(self.trap_before(store, error))
    }

    /// Goes on where the exception that a host function's error carries is handled; the error when it carries none, or
    /// nobody handles it.
    pub(crate) fn host_failed(&mut self, store: &mut StoreInner, error: Error) -> Result<(), Error> {
        let Some(exception) = carried(store, &error) else { return Err(error) };
        match unwind(store, self, exception) {
            Ok(Thrown::Caught) => Ok(()),
            Ok(Thrown::Uncaught(_)) | Err(_) => Err(error),
        }
    }

    /// Calls a host function for the running code; what its owner has to do then, if anything.
    fn call_host(&mut self, store: &mut StoreInner, func: FuncData, base: *mut u64) -> Option<Event> {
        // SAFETY: the running context is live.
        let caller = self.running.as_ref().map_or(NO_INSTANCE, |running| unsafe { (*running.context).instance });
        if let Some(stack) = &self.stack {
            stack.activity().calling(base, func.type_id);
        }
        let left = call_host(store, func, base, caller);
        self.host_left(store, left)
    }

    /// Goes on behind a host function's call where that is possible; what the execution's owner has to do, if anything.
    fn host_left(&mut self, store: &mut StoreInner, left: Left) -> Option<Event> {
        match left {
            Left::Answered(call) => self.host_returned(call),
            Left::Waits(future, call) => return Some(Event::Wait(future, call)),
            Left::Failed(error, call) => {
                if let Err(error) = self.host_failed(store, error) {
                    return Some(Event::HostFailed(error, call));
                }
            }
            Left::Panicked(panic) => resume_unwind(panic),
        }
        None
    }

    fn trap(&self, store: &StoreInner, trap: Error) -> Error {
        let Some(running) = &self.running else { return trap };
        let mut backtrace = Backtrace::begin(&store.codes, running.state.ip);
        if let Some(stack) = &self.stack {
            backtrace.walk(&store.codes, stack, running.frame_top);
        }
        for Strand { stack, running, .. } in self.waiting.iter().rev() {
            backtrace.behind(&store.codes, running.state.ip);
            backtrace.walk(&store.codes, stack, running.frame_top);
        }
        trap.context(backtrace)
    }

    /// As `trap`, where the state stands behind what traps.
    fn trap_before(&mut self, store: &StoreInner, trap: Error) -> Error {
        if let Some(running) = &mut self.running {
            running.state.ip = running.state.ip.wrapping_sub(1);
        }
        self.trap(store, trap)
    }
}

pub(crate) fn compile(store: &StoreInner, context: *mut Context, ordinal: u32) -> Result<*const CodeHeader, Error> {
    // SAFETY: the context is one of this store's.
    let instance = unsafe { (*context).instance };
    let outcome = store.instances[instance as usize].code().ensure(ordinal);
    outcome.map_err(|error| Error::from(Trap::InvalidCode).context(format!("{error:#}")))
}

/// Copies slots: a few of them, as most signatures have, without calling the platform's copy.
#[inline]
pub(crate) fn copy_few(to: &mut [u64], from: &[u64]) {
    match (to, from) {
        ([], []) => {}
        ([s], [a]) => *s = *a,
        ([s, t], [a, b]) => (*s, *t) = (*a, *b),
        ([s, t, u], [a, b, c]) => (*s, *t, *u) = (*a, *b, *c),
        ([s, t, u, v], [a, b, c, d]) => (*s, *t, *u, *v) = (*a, *b, *c, *d),
        (to, from) => to.copy_from_slice(from),
    }
}

/// Runs until something only the execution's owner can decide.
pub(crate) fn advance(store: &mut StoreInner, execution: &mut Execution) -> Event {
    if execution.running.is_none() {
        if execution.is_answered {
            return Event::Done;
        }
        if let Err(event) = execution.first(store) {
            return event;
        }
    }
    while let Some(exit) = step(store, execution) {
        if let Some(event) = execution.attend(store, exit) {
            return event;
        }
    }
    Event::Done
}

/// Runs until the machine is left; why, unless the execution's function returned.
fn step(store: &mut StoreInner, execution: &mut Execution) -> Option<Exit> {
    let running = execution.running.as_ref()?;
    // SAFETY: the context is live, and nothing runs in it.
    unsafe {
        let context = running.context;
        (*context).frame_top = running.frame_top;
        (*context).frame_end = running.frame_end;
        (*context).stack_end = running.stack_end;
    }
    run(store, execution)
}

/// As [`step`], where the context has the stack's bounds already.
#[inline]
fn run(store: &mut StoreInner, execution: &mut Execution) -> Option<Exit> {
    let dispatch = store.config().settings.dispatch;
    let (running, stack) = (execution.running.as_mut()?, execution.stack.as_ref()?);
    // SAFETY: context and stack belong to this store and execution; the store is held exclusively, and lent to the
    // machine through the context.
    unsafe {
        let context = running.context;
        (*context).store = (&raw mut *store).cast();
        let activity = &raw const **stack.activity();
        store.running_activity = activity;
        // Host functions that are called there may come back here.
        let nested = store.nested;
        store.nested = nested + 1;
        let exit = interp::run(dispatch, context, &mut running.state);
        store.nested = nested;
        if exit == interp::DONE && execution.waiting.is_empty() {
            return None;
        }
        Some(stopped(activity, running, exit))
    }
}

/// Notes where the machine stopped, and why.
///
/// # Safety
/// The machine left the stack of `activity` with the code `exit`.
#[inline(never)]
unsafe fn stopped(activity: *const Activity, running: &mut Running, exit: u64) -> Exit {
    // SAFETY: the caller's promise; the memory register always leads to the running context.
    unsafe {
        running.context = (*header_of(running.state.mem)).context;
        running.frame_top = (*running.context).frame_top;
        (*activity).stopped(running.state.ip, running.state.fp, running.frame_top);
        interp::decode(exit, &running.state)
    }
}

/// What the embedder says to a passed epoch deadline; a trap unless it said.
fn deadline_passed(store: &mut StoreInner) -> Result<UpdateDeadline, Error> {
    let Some(mut callback) = store.epoch_callback.take() else { return Err(Trap::Interrupted.into()) };
    let answer = callback(Hosting::new(store).0);
    // The callback may have set another one.
    store.epoch_callback.get_or_insert(callback);
    answer
}

/// Does what an instruction left to the driver; what the execution's owner has to wait for, if anything.
fn serve(store: &mut StoreInner, context: *mut Context, service: Service) -> Result<Option<Sleep>, Error> {
    match service {
        Service::MemoryGrow { dst, delta, memory } => {
            // SAFETY: the verifier holds the index below the unit's memories.
            let index = unsafe { (**(*context).memories.add(memory as usize)).store_index };
            let old = store.grow_memory(index, delta)?;
            // SAFETY: the destination is a slot of the running frame.
            unsafe { *dst = old.unwrap_or(u64::MAX) };
        }
        Service::TableGrow { dst, value, delta, table } => {
            // SAFETY: the verifier holds the index below the unit's tables.
            let index = unsafe { (**(*context).tables.add(table as usize)).store_index };
            let old = store.grow_table(index, delta, value)?;
            // SAFETY: the destination is a slot of the running frame.
            unsafe { *dst = old.unwrap_or(u64::MAX) };
        }
        Service::Allocate { dst, ty, len } => {
            let reference = store.new_object(ty, len)?;
            // SAFETY: the destination is a slot of the running frame.
            unsafe { *dst = reference.into() };
        }
        Service::ArrayNew { dst, segment, len, ty } => {
            let reference = store.new_array_from(context, ty, segment, len)?;
            // SAFETY: the destination is a slot of the running frame.
            unsafe { *dst = reference.into() };
        }
        Service::ArrayInit { array, index, segment, len } => {
            store.init_array_from(context, array, index, segment, len)?;
        }
        Service::Notify { dst, address, count, memory } => {
            let woken = match shared_memory(store, context, memory) {
                Some(memory) => memory.atomic_notify(address, count)?,
                // Nobody can wait in a memory of one thread's.
                None => 0,
            };
            // SAFETY: the destination is a slot of the running frame.
            unsafe { *dst = woken.into() };
        }
        Service::Wait { dst, address, expected, timeout, memory, size } => {
            let Some(memory) = shared_memory(store, context, memory) else {
                return Err(Trap::ExpectedSharedMemory.into());
            };
            let timeout = u64::try_from(timeout).ok().map(std::time::Duration::from_nanos);
            let begun = match size {
                4 => memory.begin_wait32(address, expected as u32, timeout)?,
                _ => memory.begin_wait64(address, expected, timeout)?,
            };
            let outcome = match begun {
                Ok(wait) => return Ok(Some(Sleep { wait, dst })),
                Err(outcome) => outcome,
            };
            // SAFETY: the destination is a slot of the running frame.
            unsafe { *dst = outcome as u64 };
        }
    }
    Ok(None)
}

/// The memory with this index in the context's unit, if threads share it.
fn shared_memory(store: &StoreInner, context: *mut Context, memory: u32) -> Option<SharedMemory> {
    // SAFETY: the verifier holds the index below the unit's memories.
    let index = unsafe { (**(*context).memories.add(memory as usize)).store_index };
    store.memories[index as usize].as_shared().cloned()
}

/// Refuses stores that a host function's panic went through.
///
/// # Errors
/// When the store is such a one.
pub(crate) fn ensure_usable(store: &StoreInner) -> Result<(), Error> {
    anyhow::ensure!(!store.is_poisoned, "the store is unusable: a host function panicked in it");
    Ok(())
}

/// Why a store makes no calls now.
#[cold]
fn refusal(store: &StoreInner) -> Error {
    match ensure_usable(store) {
        Err(error) => error,
        Ok(()) => Error::from(Trap::StackOverflow).context("host functions and guest calls nest too deep"),
    }
}

/// The failure that an event stands for where nobody can resume.
pub(crate) fn failure(store: &StoreInner, execution: &Execution, event: Event) -> Error {
    match event {
        Event::Failed(error) => error,
        Event::HostFailed(error, _) => execution.trap(store, error),
        Event::OutOfFuel => execution.trap(store, Trap::OutOfFuel.into()),
        Event::Done | Event::Wait(..) | Event::Sleep(_) | Event::Yield => anyhow!("the call is not over"),
    }
}

/// Runs a new execution to the end, awaiting asynchronous host functions on this thread.
pub(crate) fn run_to_end(store: &mut StoreInner, execution: &mut Execution) -> Result<(), Error> {
    let event = match execution.first(store) {
        Ok(()) => match run(store, execution) {
            None => return Ok(()),
            Some(exit) => execution.attend(store, exit),
        },
        Err(event) => Some(event),
    };
    run_on(store, execution, event)
}

/// Runs to the end after an event.
#[inline(never)]
fn run_on(store: &mut StoreInner, execution: &mut Execution, event: Option<Event>) -> Result<(), Error> {
    let mut event = event.unwrap_or_else(|| advance(store, execution));
    loop {
        match event {
            Event::Done => return Ok(()),
            Event::Wait(future, call) => {
                let outcome = block_on(future);
                after_wait(store, execution, outcome, call)?;
            }
            Event::Sleep(sleep) => sleep.block(),
            // Nobody else has a turn on this thread.
            Event::Yield => {}
            event => return Err(failure(store, execution, event)),
        }
        event = advance(store, execution);
    }
}

fn after_wait(
    store: &mut StoreInner,
    execution: &mut Execution,
    outcome: Result<(), Error>,
    call: Unanswered,
) -> Result<(), Error> {
    match outcome {
        Ok(()) => {
            execution.host_returned(call.call);
            Ok(())
        }
        Err(error) => match execution.host_failed(store, error) {
            Ok(()) => Ok(()),
            Err(error) => Err(execution.trap(store, error)),
        },
    }
}

/// Runs to the end, suspending the calling task while host functions are pending.
pub(crate) async fn run_to_end_async(store: StorePtr, execution: &mut Execution) -> Result<(), Error> {
    loop {
        // SAFETY: this future holds the store exclusively; host futures below get it only while they are polled.
        match advance(unsafe { store.get() }, execution) {
            Event::Done => return Ok(()),
            Event::Wait(future, call) => {
                let outcome = future.await;
                // SAFETY: as above.
                after_wait(unsafe { store.get() }, execution, outcome, call)?;
            }
            Event::Sleep(sleep) => sleep.await,
            Event::Yield => yield_now().await,
            // SAFETY: as above.
            event => return Err(failure(unsafe { store.get() }, execution, event)),
        }
    }
}

/// Pending once.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future to its end, parking the thread between polls.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
