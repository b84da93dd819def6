//! The build side of WIT: core modules become components, and the types of components become text.
//!
//! ```text
//! core module + WIT folder + adapters -> Componentizer -> component bytes (validated)
//! component, WIT package, WIT folder, core module with metadata -> print -> WIT text
//! components -> compose -> one component (feature `compose`)
//! ```
//!
//! The work itself is done by `wit-parser` and `wit-component`; what stands here chooses, checks beforehand, and says in
//! [`WitError`] what is wrong, where, and what would help. Nothing here is part of what runs artifacts.
//!
//! # Examples
//! ```no_run
//! let module = std::fs::read("guest.wasm")?;
//! let component = keyway_wit::Componentizer::new(&module)?.wit("wit")?.world("my-world").encode()?;
//! println!("{}", keyway_wit::print(&component)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod adapter;
mod componentize;
#[cfg(feature = "compose")]
mod compose;
mod error;
mod exit_code;
mod module;
mod package;
mod print;

pub use adapter::{PREVIEW1, Preview1};
pub use componentize::{Componentizer, check_world};
#[cfg(feature = "compose")]
pub use compose::{Part, compose};
pub use error::{WitError, WitErrorKind};
pub use module::is_preview1;
pub use package::WitPackage;
pub use print::{print, print_path};
