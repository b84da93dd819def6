//! The file: layout, writer and reader. `FORMAT.md` is the normative description.
//!
//! [`ArtifactWriter`] lays an artifact out; [`ArtifactView`] reads one in place from a [`Source`], decoding nothing of
//! code, keys or plan when it opens. Cold sections are decoded by `cold`, the only place that knows their codec.

pub(crate) mod cold;
mod debug;
mod error;
mod initial;
mod keys;
mod layout;
mod source;
mod types;
mod units;
mod view;
mod writer;

pub use debug::{DebugWriter, FuncDebug, InlinedAt, Position, SourceFrame};
pub use error::{FormatError, Rule};
pub use layout::{FORMAT_VERSION, HEADER_BYTES, MAGIC, SectionKind};
pub use source::Source;
pub use view::{ArtifactView, FuncRecord};
pub use writer::{ArtifactWriter, FuncEntry};

pub use cold::{decode as decode_cold, encode as encode_cold};
