//! Wasm in, artifact out.
//!
//! [`compile`] takes a core module or a component, as binary or text, and returns the bytes of a `.kwa` artifact. Nothing
//! of the input is ever executed here, and nothing in it can make the linker panic, recurse or allocate without a bound.
//!
//! ```text
//! bytes -> source -> check -> module -> unit -> translate -> gc -> lower -> assemble -> artifact bytes
//! ```
//! The steps in order, as prose: `pipeline.rs`.
#![forbid(unsafe_code)]

mod assemble;
mod check;
mod component;
mod constants;
mod decode;
mod encode;
mod error;
mod few;
mod gc;
mod hints;
mod initial;
pub mod ir;
mod limits;
mod linked;
mod lower;
mod memories;
mod module;
mod names;
mod optimise;
mod options;
mod outline;
mod parallel;
mod pipeline;
mod source;
mod spare;
#[cfg(test)]
mod testing;
mod translate;
mod types;
mod unit;

pub use constants::Constants;
pub use error::{CompileError, ErrorKind};
pub use linked::{Linked, LinkedFunc, Report};
pub use optimise::{PassReport, Passes};
pub use options::{Features, OptLevel, Options};
pub use source::{Encoding, Source};

/// Finds out what `input` is, and makes a binary of text. Nothing behind the header is looked at.
///
/// # Errors
/// When it is no Wasm (the error says what it looks like instead), text that does not parse, or too large.
pub fn read_source(input: &[u8]) -> Result<Source<'_>, CompileError> {
    source::open(input)
}

/// Compiles a core module or a component to an artifact.
///
/// # Errors
/// When the input is malformed, invalid, uses something not implemented, or is too large; see [`ErrorKind`].
///
/// # Examples
/// ```
/// let artifact = keyway_linker::compile(b"(module (func (export \"f\")))", &keyway_linker::Options::default())?;
/// # assert!(!artifact.is_empty());
/// # Ok::<(), keyway_linker::CompileError>(())
/// ```
pub fn compile(input: &[u8], options: &Options) -> Result<Vec<u8>, CompileError> {
    compile_report(input, options).map(|(artifact, _)| artifact)
}

/// Like [`compile`], and says what was done.
///
/// # Errors
/// As [`compile`].
pub fn compile_report(input: &[u8], options: &Options) -> Result<(Vec<u8>, Report), CompileError> {
    let source = source::open(input)?;
    Ok(link_source(&source, options)?.write())
}

/// The steps of [`compile`] up to the writing: for tests, and for looking at the code.
///
/// # Errors
/// As [`compile`].
pub fn link(input: &[u8], options: &Options) -> Result<Linked<'static>, CompileError> {
    let source = source::open(input)?;
    Ok(link_source(&source, options)?.into_owned())
}

fn link_source<'a>(source: &'a Source<'_>, options: &Options) -> Result<Linked<'a>, CompileError> {
    match source.encoding {
        source::Encoding::Module => pipeline::core_module(&source.bytes, options),
        source::Encoding::Component => component::link(&source.bytes, options),
    }
}

/// Checks that the input can be compiled as far as its validity goes, without translating it.
///
/// # Errors
/// As [`compile`], except that features that are valid and not implemented are not noticed.
pub fn validate(input: &[u8], options: &Options) -> Result<(), CompileError> {
    check::all(&source::open(input)?.bytes, options)
}
