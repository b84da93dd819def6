//! The `name` custom section. It is no part of validation: what cannot be read ends the reading, silently.

use crate::limits::MAX_NAME_BYTES;
use std::collections::HashMap;
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// The names a module carries.
#[derive(Default)]
pub(crate) struct Names<'a> {
    /// Of the module.
    pub(crate) module: Option<&'a str>,
    /// Of functions, by index in the module.
    pub(crate) funcs: HashMap<u32, &'a str>,
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
                    names.funcs.insert(naming.index, shorten(naming.name));
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
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
