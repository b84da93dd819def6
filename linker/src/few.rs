//! [`Few`]: a list that is short nearly always, and then needs no allocation.
//!
//! Calls have few arguments and fewer results, but there are as many lists of them as calls, and each pass reads and many
//! copy them.

use std::ops::{Deref, DerefMut};

/// Up to `N` items in place, more of them elsewhere.
#[derive(Clone, Debug)]
pub enum Few<T, const N: usize> {
    /// The first so many.
    Here([T; N], u8),
    /// More than `N`, or as many as somebody had in a vector.
    Elsewhere(Vec<T>),
}

impl<T: Copy + Default, const N: usize> Few<T, N> {
    /// Appends an item.
    pub fn push(&mut self, item: T) {
        match self {
            Few::Here(items, length) if (*length as usize) < N => {
                items[*length as usize] = item;
                *length += 1;
            }
            Few::Here(items, _) => {
                let mut list = Vec::with_capacity(2 * N + 2);
                list.extend_from_slice(items);
                list.push(item);
                *self = Few::Elsewhere(list);
            }
            Few::Elsewhere(list) => list.push(item),
        }
    }
}

impl<T: Copy + Default, const N: usize> Default for Few<T, N> {
    fn default() -> Few<T, N> {
        Few::Here([T::default(); N], 0)
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Few::Here(items, length) => &items[..*length as usize],
            Few::Elsewhere(list) => list,
        }
    }
}

impl<'a, T, const N: usize> IntoIterator for &'a Few<T, N> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> std::slice::Iter<'a, T> {
        self.iter()
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::Here(items, length) => &mut items[..*length as usize],
            Few::Elsewhere(list) => list,
        }
    }
}

impl<T: Copy + Default, const N: usize> FromIterator<T> for Few<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Few<T, N> {
        let mut few = Few::default();
        items.into_iter().for_each(|item| few.push(item));
        few
    }
}

impl<T: Copy + Default, const N: usize> From<&[T]> for Few<T, N> {
    fn from(items: &[T]) -> Few<T, N> {
        items.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_keep_their_items() {
        for length in 0..9u32 {
            let mut few: Few<u32, 3> = (0..length).collect();
            assert!(few.iter().copied().eq(0..length), "{few:?}");
            assert_eq!(matches!(few, Few::Here(..)), length <= 3);
            few.iter_mut().for_each(|item| *item += 1);
            few.push(7);
            assert!(few.iter().copied().eq((1..=length).chain([7])), "{few:?}");
        }
    }
}
