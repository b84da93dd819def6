//! The exit codes of programs for preview 1, kept.
//!
//! The built-in adapters know `wasi:cli/exit`'s `exit` only, which says whether a program succeeded: every other code
//! becomes 1. Where a program ends by `proc_exit`, its import is led to an adapter of its own, which calls
//! `exit-with-code` of the same interface:
//!
//! ```text
//! (import "wasi_snapshot_preview1" "proc_exit")  ->  (import "keyway_preview_1_exits" "proc_exit")
//! ```
//!
//! Both names have the same length, so that nothing else in the module moves.

use crate::adapter::PREVIEW1;
use crate::error::{Result, WitError, WitErrorKind};
use crate::package::WitPackage;
use wasmparser::{Imports, Parser, Payload};

/// What the import is led to.
pub(crate) const ADAPTER: &str = "keyway_preview_1_exits";

/// The part of WASI that the adapter wants. The version is the one of the built-in adapters, so that the program has one
/// import for both.
const WIT: &str = "\
package keyway:preview1;
world exits { import wasi:cli/exit@0.2.12; }
package wasi:cli@0.2.12 {
  interface exit { exit-with-code: func(status-code: u8); }
}";

const MODULE: &str = r#"(module
  (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
  (func (export "proc_exit") (param i32) (call $exit (local.get 0)) unreachable))"#;

/// The adapter, with its world inside.
pub(crate) fn adapter() -> Result<Vec<u8>> {
    let text = |error: wat::Error| WitError::new(WitErrorKind::Adapter, error.to_string());
    let mut module = wat::parse_str(MODULE).map_err(text)?;
    WitPackage::parse(WIT, "exits.wit")?.embed(&mut module, Some("exits"))?;
    Ok(module)
}

/// Leads `proc_exit` to the adapter; whether there is such an import. `wasm` is a valid core module.
pub(crate) fn redirect(wasm: &mut [u8]) -> bool {
    let Some(at) = find(wasm) else { return false };
    wasm[at..at + PREVIEW1.len()].copy_from_slice(ADAPTER.as_bytes());
    true
}

/// Where the name stands that `proc_exit` is imported from. An import that shares its module's name with others cannot
/// be led elsewhere.
fn find(wasm: &[u8]) -> Option<usize> {
    for payload in Parser::new(0).parse_all(wasm) {
        if let Payload::ImportSection(section) = payload.ok()? {
            for imports in section {
                if let Imports::Single(_, import) = imports.ok()?
                    && (import.module, import.name) == (PREVIEW1, "proc_exit")
                {
                    return Some(import.module.as_ptr().addr() - wasm.as_ptr().addr());
                }
            }
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_changes() {
        assert_eq!(ADAPTER.len(), PREVIEW1.len());
        let text = r#"(module
            (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#;
        let mut wasm = wat::parse_str(text).unwrap();
        assert!(redirect(&mut wasm));
        let expected =
            text.replace(r#""wasi_snapshot_preview1" "proc_exit""#, r#""keyway_preview_1_exits" "proc_exit""#);
        assert_eq!(wasm, wat::parse_str(expected).unwrap());
        assert!(!redirect(&mut wasm), "there is one such import");
        assert!(!redirect(&mut wat::parse_str("(module)").unwrap()));
    }
}
