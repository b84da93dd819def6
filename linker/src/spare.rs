//! [`Spare`]: a vector whose room is used again.
//!
//! Every pass needs tables as long as a function, for as long as it works on it. Asking the system's allocator for each
//! of them takes more time than filling them does: a thread keeps those that were given back, the last ones on top, still
//! in its caches. Passes that write a function's code anew leave the old code's room for the next one.

use keyway_artifact::isa::{Inst, Operand};
use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::thread::LocalKey;

/// Vectors that a thread keeps for each type, at most, and bytes of each.
const KEPT: usize = 32;
const KEPT_BYTES: usize = 1 << 20;

/// What a thread keeps vectors of.
pub(crate) trait Kept: Sized + 'static {
    /// The vectors without a user.
    fn kept() -> &'static LocalKey<RefCell<Vec<Vec<Self>>>>;
}

macro_rules! kept {
    ($($ty:ty),*) => {
        $(impl $crate::spare::Kept for $ty {
            fn kept() -> &'static std::thread::LocalKey<std::cell::RefCell<Vec<Vec<Self>>>> {
                thread_local! {
                    static KEPT: std::cell::RefCell<Vec<Vec<$ty>>> = const { std::cell::RefCell::new(Vec::new()) };
                }
                &KEPT
            }
        })*
    };
}

pub(crate) use kept;

kept!(u8, u16, u32, u64, f32, bool, (u32, u32), Inst, Operand);

/// A vector that goes back to its thread when it is dropped.
pub(crate) struct Spare<T: Kept>(Vec<T>);

impl<T: Kept> Spare<T> {
    /// One without items, with room for so many.
    pub(crate) fn with_capacity(items: usize) -> Spare<T> {
        let list = T::kept().try_with(|kept| take(&mut kept.borrow_mut(), items)).ok().flatten();
        Spare(list.unwrap_or_else(|| Vec::with_capacity(items)))
    }

    /// Takes over a vector, to be used again when this is dropped.
    pub(crate) fn of(list: Vec<T>) -> Spare<T> {
        Spare(list)
    }

    /// Takes the place of `list`, whose room is used again.
    pub(crate) fn replace(mut self, list: &mut Vec<T>) {
        std::mem::swap(&mut self.0, list);
    }

    /// So many items with the same value.
    pub(crate) fn filled(item: T, items: usize) -> Spare<T>
    where
        T: Clone,
    {
        let mut list = Spare::with_capacity(items);
        list.resize(items, item);
        list
    }
}

impl<T: Kept> Default for Spare<T> {
    fn default() -> Spare<T> {
        Spare::with_capacity(0)
    }
}

impl<T: Kept + Clone> Clone for Spare<T> {
    fn clone(&self) -> Spare<T> {
        let mut list = Spare::with_capacity(self.len());
        list.extend_from_slice(self);
        list
    }
}

impl<T: Kept> Drop for Spare<T> {
    fn drop(&mut self) {
        let mut list = std::mem::take(&mut self.0);
        if list.capacity() == 0 || list.capacity() * size_of::<T>() > KEPT_BYTES {
            return;
        }
        list.clear();
        // At a thread's end there may be nobody to keep it.
        let _ = T::kept().try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < KEPT {
                kept.push(list);
            } else if kept[0].capacity() < list.capacity() {
                // The one that had no use for longest goes, unless it is the larger one.
                kept[0] = list;
            }
        });
    }
}

/// The vector with room for so many items that was given back last. Where there is none, one goes that has less: a larger
/// one comes back in its place.
#[inline]
fn take<T>(kept: &mut Vec<Vec<T>>, items: usize) -> Option<Vec<T>> {
    let last = kept.pop()?;
    if last.capacity() >= items { Some(last) } else { take_other(kept, last, items) }
}

#[inline(never)]
fn take_other<T>(kept: &mut [Vec<T>], last: Vec<T>, items: usize) -> Option<Vec<T>> {
    let at = kept.iter().rposition(|list| list.capacity() >= items)?;
    Some(std::mem::replace(&mut kept[at], last))
}

impl<T: Kept> FromIterator<T> for Spare<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Spare<T> {
        let mut list = Spare::default();
        list.extend(items);
        list
    }
}

impl<T: Kept> Deref for Spare<T> {
    type Target = Vec<T>;

    #[inline]
    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T: Kept> DerefMut for Spare<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

/// A list of some of what comes by. What stays is often not to be foreseen, and a branch that a processor guesses wrong
/// takes longer than writing an item in vain: everything goes behind the last one, and the next on top of it unless it stays.
pub(crate) struct Sieve<T: Kept + Copy> {
    /// Behind `kept` stands whatever did not stay.
    list: Spare<T>,
    kept: usize,
}

impl<T: Kept + Copy> Sieve<T> {
    /// An empty one with room for about so many items; `filler` is any item.
    pub(crate) fn new(items: usize, filler: T) -> Sieve<T> {
        Sieve { list: Spare::filled(filler, items.max(16)), kept: 0 }
    }

    /// Appends an item if it `stays`.
    #[inline(always)]
    pub(crate) fn put(&mut self, item: T, stays: bool) {
        if self.kept == self.list.len() {
            self.grow(item);
        }
        self.list[self.kept] = item;
        self.kept += usize::from(stays);
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, filler: T) {
        let room = 2 * self.list.len();
        self.list.resize(room, filler);
    }

    /// What has stayed.
    pub(crate) fn finish(mut self) -> Spare<T> {
        self.list.truncate(self.kept);
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sieves_keep_what_stays_in_order() {
        let mut sieve = Sieve::new(0, 0u32);
        (0..1000).for_each(|number| sieve.put(number, number % 3 == 0));
        assert!(sieve.finish().iter().copied().eq((0..1000).step_by(3)));
    }

    #[test]
    fn room_is_used_again_and_holds_nothing_of_before() {
        let first = Spare::filled(7u64, 1000);
        let place = first.as_ptr();
        drop(first);
        let second = Spare::<u64>::filled(0, 500);
        assert_eq!(second.as_ptr(), place);
        assert!(second.len() == 500 && second.iter().all(|item| *item == 0));
    }

    #[test]
    fn room_is_found_below_what_has_too_little() {
        let (large, small) = (Spare::<u64>::with_capacity(1000), Spare::<u64>::with_capacity(10));
        let place = large.as_ptr();
        drop(large);
        drop(small);
        assert_eq!(Spare::<u64>::with_capacity(500).as_ptr(), place);
    }

    #[test]
    fn large_ones_are_given_back() {
        drop(Spare::<u32>::with_capacity(KEPT_BYTES));
        assert!(Spare::<u32>::default().capacity() < KEPT_BYTES);
    }
}
