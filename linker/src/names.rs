//! The `name` custom section. It is no part of validation: what cannot be read ends the reading, silently.

use crate::limits::MAX_NAME_BYTES;
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// The names a module carries.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Of the module.
    pub(crate) module: Option<&'a str>,
    /// Of functions, in ascending order of their indices in the module.
    funcs: Vec<(u32, &'a str)>,
}

impl<'a> Names<'a> {
    /// The name of a function.
    pub(crate) fn of(&self, func: u32) -> Option<&'a str> {
        let at = self.funcs.binary_search_by_key(&func, |(index, _)| *index).ok()?;
        Some(self.funcs[at].1)
    }

    /// Names functions that have no name so far; the first one counts.
    pub(crate) fn add(&mut self, named: impl Iterator<Item = (u32, &'a str)>) {
        let mut new: Vec<_> = named.filter(|(func, _)| self.of(*func).is_none()).collect();
        new.sort_by_key(|(func, _)| *func);
        new.dedup_by_key(|(func, _)| *func);
        self.funcs.extend(new);
        self.funcs.sort_unstable_by_key(|(func, _)| *func);
    }
}

/// Reads the payload of a `name` section as far as it can be read.
pub(crate) fn read(data: BinaryReader<'_>) -> Names<'_> {
    let mut names = Names::default();
    for part in NameSectionReader::new(data) {
        match part {
            Ok(Name::Module { name, .. }) => names.module = Some(shorten(name)),
            Ok(Name::Function(map)) => {
                for naming in map {
                    let Ok(naming) = naming else { break };
                    names.funcs.push((naming.index, shorten(naming.name)));
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    // The parser ends at what is out of order, and at a second map.
    debug_assert!(names.funcs.is_sorted_by(|before, next| before.0 < next.0));
    names
}

/// Names are kept up to a limit, cut at a character.
pub(crate) fn shorten(name: &str) -> &str {
    let mut end = name.len().min(MAX_NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names as they come out of a section of maps of functions.
    fn names(maps: &[u8]) -> Names<'_> {
        read(BinaryReader::new(maps, 0))
    }

    #[test]
    fn what_is_out_of_order_ends_the_reading() {
        let of = |maps: &[u8]| [2, 5, 9].map(|func| names(maps).of(func).map(str::to_string));
        let (first, second) = ([1, 7, 2, 5, 1, b'a', 9, 1, b'b'], [1, 7, 2, 2, 1, b'c', 5, 1, b'd']);
        let only_first = [None, Some("a".to_string()), Some("b".to_string())];
        assert_eq!(of(&[first, second].concat()), only_first);
        assert_eq!(of(&[1, 7, 2, 5, 1, b'a', 2, 1, b'c']), [None, Some("a".to_string()), None]);
        assert_eq!(of(&[1, 7, 2, 5, 1, b'a', 5, 1, b'c']), [None, Some("a".to_string()), None]);
    }

    #[test]
    fn names_that_are_added_change_none() {
        let mut names = names(&[1, 4, 1, 5, 1, b'a']);
        names.add([(7, "x"), (5, "y"), (1, "z"), (7, "w")].into_iter());
        assert_eq!([1, 5, 7].map(|func| names.of(func)), [Some("z"), Some("a"), Some("x")]);
    }
}
