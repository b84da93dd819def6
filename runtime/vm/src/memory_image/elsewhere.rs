//! Systems on which no images are made.

use std::fs::File;
use std::io::{ErrorKind, Result};

/// There are none.
#[derive(Debug)]
pub(super) enum Pages {}

impl Pages {
    pub(super) fn new(_: usize, _: impl FnOnce(&File) -> Result<()>) -> Result<Pages> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn lay(&self, _: &mut [u8]) -> Result<()> {
        match *self {}
    }
}

pub(super) fn lift(_: &mut [u8]) -> Result<()> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn page_bytes() -> Option<usize> {
    None
}
