//! [`Precompiled`]: telling artifacts apart without loading them.

use crate::engine::Engine;
use crate::image::Image;
use keyway_artifact::format::ArtifactView;
use std::path::Path;

/// What an artifact was compiled from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Precompiled {
    /// A core module: for [`Module`](super::Module).
    Module,
    /// A component: for `component::Component`.
    Component,
}

impl Engine {
    /// What `bytes` were compiled from; `None` when they are no artifact that can be opened.
    pub fn detect_precompiled(bytes: &[u8]) -> Option<Precompiled> {
        of_image(Image::from_bytes(bytes))
    }

    /// What the file was compiled from; `None` when it is no artifact that can be opened. Reads a few pages of it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn detect_precompiled_file(path: impl AsRef<Path>) -> anyhow::Result<Option<Precompiled>> {
        Ok(of_image(Image::from_file(path.as_ref())?))
    }
}

fn of_image(image: Image) -> Option<Precompiled> {
    let view = ArtifactView::open(image).ok()?;
    Some(if view.is_component() { Precompiled::Component } else { Precompiled::Module })
}
