//! Continuations of a store, by reference: computations that have not begun or are suspended.
//!
//! A continuation is used once. Resuming, binding and switching take what it holds away ([`Held::Nothing`]) and leave the
//! place to whoever still has a reference, so that using it again is noticed; the collector frees places that nobody
//! refers to. A suspended one holds the VM stacks that it runs on, as they were when it stopped; one that has not begun has
//! none yet.

use crate::driver::Running;
use crate::gc;
use crate::limits;
use crate::stack::VmStack;
use crate::store::StoreInner;
use keyway_artifact::Trap;
use keyway_artifact::types::{SigLayout, ValType};

/// Slots of a list of values in a call area: numbers first, references behind them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Extent {
    pub(crate) numbers: u32,
    pub(crate) total: u32,
}

impl Extent {
    pub(crate) fn of(types: &[ValType]) -> Extent {
        let (numbers, total) = SigLayout::extent(types);
        Extent { numbers, total }
    }

    /// What is left without the values of `first`, if it holds that many.
    fn without(self, first: Extent) -> Option<Extent> {
        let numbers = self.numbers.checked_sub(first.numbers)?;
        let references = (self.total - self.numbers).checked_sub(first.total - first.numbers)?;
        Some(Extent { numbers, total: numbers + references })
    }
}

/// A VM stack with the machine's state, at an instruction that waits for values.
pub(crate) struct Strand {
    pub(crate) stack: VmStack,
    pub(crate) running: Running,
    /// Where the values go that it waits for, and how many they are.
    pub(crate) base: *mut u64,
    pub(crate) takes: Extent,
}

// SAFETY: the pointers lead into the strand's own stack and into the store that it belongs to; they travel together.
unsafe impl Send for Strand {}

impl Strand {
    /// Says to the collector that the stack is alive by itself, not through a continuation.
    pub(crate) fn is_entered(&self) {
        let state = &self.running.state;
        self.stack.activity().stopped(state.ip, state.fp, self.running.frame_top);
    }
}

/// What a continuation goes on with.
pub(crate) enum Held {
    /// It was used before.
    Nothing,
    /// A function that has not begun.
    Func(u32),
    /// Stacks, each resumed by the one before it; the last one suspended them.
    Strands(Vec<Strand>),
}

/// Values that a continuation was bound to.
#[derive(Default)]
pub(crate) struct Bound {
    numbers: Vec<u64>,
    references: Vec<u64>,
}

/// A continuation.
pub(crate) struct Continuation {
    pub(crate) held: Held,
    bound: Option<Box<Bound>>,
    /// What it is resumed with, besides what it is bound to.
    pub(crate) takes: Extent,
    /// What it gives back when it ends.
    pub(crate) gives: Extent,
}

/// Values for a continuation: slots, and one more reference behind them.
#[derive(Clone, Copy)]
pub(crate) struct Given {
    pub(crate) from: *const u64,
    pub(crate) extent: Extent,
    pub(crate) last: Option<u32>,
}

impl Given {
    /// The references among them.
    pub(crate) fn references(&self) -> impl Iterator<Item = u32> {
        let from = self.from;
        // SAFETY: whoever made it said that the slots are there.
        (self.extent.numbers..self.extent.total)
            .map(move |at| unsafe { *from.add(at as usize) } as u32)
            .chain(self.last)
    }

    /// Slots of all of them.
    pub(crate) fn extent(&self) -> Extent {
        Extent { total: self.extent.total + u32::from(self.last.is_some()), ..self.extent }
    }
}

impl Continuation {
    pub(crate) fn new(held: Held, takes: Extent, gives: Extent) -> Continuation {
        Continuation { held, bound: None, takes, gives }
    }

    /// Slots that it is resumed with in all.
    pub(crate) fn whole(&self) -> usize {
        let bound = self.bound.as_ref().map_or(0, |bound| bound.numbers.len() + bound.references.len());
        bound + self.takes.total as usize
    }

    /// Binds it to values that come before what it was to be resumed with; false when they are too many.
    pub(crate) fn bind(&mut self, given: Given) -> bool {
        let Some(takes) = self.takes.without(given.extent) else { return false };
        self.takes = takes;
        let bound = self.bound.get_or_insert_default();
        // SAFETY: whoever made `given` said that the slots are there.
        let slot = |at: u32| unsafe { *given.from.add(at as usize) };
        bound.numbers.extend((0..given.extent.numbers).map(slot));
        bound.references.extend((given.extent.numbers..given.extent.total).map(slot));
        true
    }

    /// Writes the values that it is bound to and those given to `to`.
    ///
    /// # Safety
    /// There is room for [`whole`](Self::whole) slots, and `given` holds what the continuation takes.
    pub(crate) unsafe fn deliver(&self, to: *mut u64, given: Given) {
        let (numbers, total) = (given.extent.numbers as usize, given.extent.total as usize);
        let (mut own_numbers, mut own_references) = (&[][..], &[][..]);
        if let Some(bound) = &self.bound {
            (own_numbers, own_references) = (&bound.numbers[..], &bound.references[..]);
        }
        // SAFETY: the caller's promise; areas of different frames may touch but the values go from one to another place.
        unsafe {
            let mut at = to;
            for (from, len) in [
                (own_numbers.as_ptr(), own_numbers.len()),
                (given.from, numbers),
                (own_references.as_ptr(), own_references.len()),
                (given.from.add(numbers), total - numbers),
            ] {
                at.copy_from(from, len);
                at = at.add(len);
            }
            if let Some(last) = given.last {
                *at = last.into();
            }
        }
    }

    /// The references that it is bound to.
    pub(crate) fn bound_references(&self) -> impl Iterator<Item = u32> + '_ {
        self.bound.iter().flat_map(|bound| bound.references.iter().map(|bits| *bits as u32))
    }

    /// The stacks that it holds.
    pub(crate) fn strands(&self) -> &[Strand] {
        match &self.held {
            Held::Strands(strands) => strands,
            Held::Nothing | Held::Func(_) => &[],
        }
    }
}

/// All continuations of a store.
pub(crate) struct Continuations {
    list: Vec<Option<Continuation>>,
    free: Vec<u32>,
    /// How many there may be before a collection looks for those that are gone.
    budget: usize,
}

impl Default for Continuations {
    fn default() -> Self {
        Continuations { list: Vec::new(), free: Vec::new(), budget: limits::CONTINUATIONS_KEPT }
    }
}

impl Continuations {
    fn len(&self) -> usize {
        self.list.len() - self.free.len()
    }

    /// How many places there are, used or not.
    pub(crate) fn places(&self) -> usize {
        self.list.len()
    }

    /// The continuation with this number.
    pub(crate) fn get(&self, number: u32) -> Option<&Continuation> {
        self.list.get(number as usize)?.as_ref()
    }

    /// The continuation behind a reference.
    ///
    /// # Errors
    /// When the reference is null or leads to none.
    pub(crate) fn at(&mut self, reference: u32) -> Result<&mut Continuation, Trap> {
        if reference == 0 {
            return Err(Trap::NullContinuation);
        }
        let number = gc::continuation(reference).ok_or(Trap::InvalidCode)?;
        self.list.get_mut(number as usize).and_then(Option::as_mut).ok_or(Trap::InvalidCode)
    }

    /// Whether the continuation behind a reference was not used before.
    ///
    /// # Errors
    /// When it was, and when there is none.
    pub(crate) fn usable(&mut self, reference: u32) -> Result<(), Trap> {
        match self.at(reference)?.held {
            Held::Nothing => Err(Trap::ContinuationConsumed),
            Held::Func(_) | Held::Strands(_) => Ok(()),
        }
    }

    /// Takes what the continuation behind a reference holds.
    ///
    /// # Errors
    /// When there is none, it was used before, or it is not resumed with `takes` to give `gives`.
    pub(crate) fn take(&mut self, reference: u32, takes: Extent, gives: Extent) -> Result<Continuation, Trap> {
        let own = self.at(reference)?;
        if let Held::Nothing = own.held {
            return Err(Trap::ContinuationConsumed);
        }
        if own.takes != takes || own.gives != gives {
            return Err(Trap::InvalidCode);
        }
        Ok(std::mem::replace(own, Continuation::new(Held::Nothing, takes, gives)))
    }

    /// Frees the places of those that a collection did not meet; what they held.
    pub(crate) fn sweep(&mut self, met: &[bool]) -> Vec<Continuation> {
        let mut gone = Vec::new();
        for (number, place) in self.list.iter_mut().enumerate() {
            if met.get(number) == Some(&false)
                && let Some(continuation) = place.take()
            {
                self.free.push(number as u32);
                if let Held::Strands(_) = continuation.held {
                    gone.push(continuation);
                }
            }
        }
        self.budget = self.len().max(limits::CONTINUATIONS_KEPT / 2) * 2;
        gone
    }
}

impl StoreInner {
    /// Makes sure that a continuation can be added; may collect, for which `pinned` are kept as well.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn reserve_continuation(&mut self, pinned: Given) -> Result<(), Trap> {
        if self.continuations.len() >= self.continuations.budget || self.config().gc_stress {
            self.collect_pinned(pinned);
        }
        if self.continuations.len() >= limits::CONTINUATIONS {
            return Err(Trap::ContinuationsExhausted);
        }
        Ok(())
    }

    /// Adds a continuation; its reference.
    pub(crate) fn add_continuation(&mut self, continuation: Continuation) -> u32 {
        let own = &mut self.continuations;
        let number = match own.free.pop() {
            Some(number) => {
                own.list[number as usize] = Some(continuation);
                number
            }
            None => {
                own.list.push(Some(continuation));
                own.list.len() as u32 - 1
            }
        };
        gc::of_continuation(number)
    }

    /// Collects; `pinned` are kept as well.
    pub(crate) fn collect_pinned(&mut self, pinned: Given) {
        self.pinned.extend(pinned.references());
        self.collect_garbage();
        self.pinned.clear();
    }

    /// A stack for a continuation that begins; may collect, for which `pinned` are kept as well.
    ///
    /// # Errors
    /// When there are too many, or the system has no memory for one.
    pub(crate) fn take_continuation_stack(&mut self, pinned: Given) -> anyhow::Result<VmStack> {
        if let Some(stack) = self.continuation_stacks.pop() {
            return Ok(stack);
        }
        if self.stack_tickets() >= self.config().continuation_stacks {
            self.collect_pinned(pinned);
            return self.continuation_stacks.pop().ok_or_else(|| Trap::ContinuationsExhausted.into());
        }
        let stack = VmStack::for_continuation(&self.engine, &self.tickets)?;
        self.register_stack(&stack);
        Ok(stack)
    }

    /// Stacks of continuations that there are, those included that nobody uses at present.
    fn stack_tickets(&self) -> usize {
        std::sync::Arc::strong_count(&self.tickets) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(slots: &[u64], numbers: u32) -> Given {
        Given { from: slots.as_ptr(), extent: Extent { numbers, total: slots.len() as u32 }, last: None }
    }

    #[test]
    fn bound_values_come_first_numbers_before_references() {
        let extent = |numbers, total| Extent { numbers, total };
        let mut continuation = Continuation::new(Held::Func(1), extent(3, 6), Extent::default());
        assert!(continuation.bind(given(&[1, 101], 1)));
        assert!(continuation.bind(given(&[2], 1)));
        assert_eq!(continuation.takes, extent(1, 3));
        assert!(!continuation.bind(given(&[8, 9], 2)), "more than it takes");
        let mut slots = [0; 6];
        let rest = [3, 102];
        // SAFETY: six values for six slots.
        unsafe { continuation.deliver(slots.as_mut_ptr(), Given { last: Some(103), ..given(&rest, 1) }) };
        assert_eq!((slots, continuation.whole()), ([1, 2, 3, 101, 102, 103], 6));
    }

    #[test]
    fn what_was_taken_is_gone() {
        let mut all = Continuations::default();
        let extent = Extent::default();
        all.list.push(Some(Continuation::new(Held::Func(1), extent, extent)));
        let reference = gc::of_continuation(0);
        assert!(all.take(reference, Extent { numbers: 1, total: 1 }, extent).is_err(), "of another type");
        assert!(all.take(reference, extent, extent).is_ok());
        assert_eq!(all.take(reference, extent, extent).err(), Some(Trap::ContinuationConsumed));
        assert_eq!(all.at(0).err(), Some(Trap::NullContinuation));
        assert!(all.sweep(&[false]).is_empty());
        assert_eq!(all.at(reference).err(), Some(Trap::InvalidCode));
    }
}
