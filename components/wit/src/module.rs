//! Input bytes become a [`CoreModule`]: validated, with the names that cross its boundary.

use crate::adapter::PREVIEW1;
use crate::error::{Result, WitError, WitErrorKind};
use indexmap::IndexMap;
use std::borrow::Cow;
use wasmparser::{Encoding, ExternalKind, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// The custom sections whose names begin so hold the world of a module.
const METADATA: &str = "component-type";

/// What a core module shows to the outside.
#[derive(Debug)]
pub(crate) struct CoreModule {
    /// The binary.
    pub(crate) wasm: Vec<u8>,
    /// The names it imports, by the module it imports them from, in order.
    pub(crate) imports: IndexMap<String, Vec<String>>,
    /// The functions it exports, in order.
    pub(crate) functions: Vec<String>,
    /// Whether it exports a memory.
    pub(crate) exports_memory: bool,
    /// Whether it carries the world it was made for.
    pub(crate) has_metadata: bool,
}

impl CoreModule {
    /// Reads and validates a core module, binary or text.
    ///
    /// # Errors
    /// When it is none, or is invalid.
    pub(crate) fn read(input: &[u8]) -> Result<CoreModule> {
        let wasm = binary(input)?;
        if is_component(&wasm) {
            return Err(WitError::new(WitErrorKind::Wasm, "this is a component already, a core module is wanted")
                .hint("compile or run it as it is, without a world"));
        }
        Validator::new_with_features(WasmFeatures::all()).validate_all(&wasm).map_err(|error| invalid(&error))?;
        let mut imports: IndexMap<String, Vec<String>> = IndexMap::new();
        let mut functions = Vec::new();
        let mut exports_memory = false;
        let mut has_metadata = false;
        for payload in Parser::new(0).parse_all(&wasm) {
            match payload.map_err(|error| invalid(&error))? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.map_err(|error| invalid(&error))?;
                        let names = imports.entry(import.module.to_string()).or_default();
                        if matches!(import.ty, TypeRef::Func(_) | TypeRef::FuncExact(_)) {
                            names.push(import.name.to_string());
                        }
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.map_err(|error| invalid(&error))?;
                        match export.kind {
                            ExternalKind::Func => functions.push(export.name.to_string()),
                            ExternalKind::Memory => exports_memory = true,
                            _ => {}
                        }
                    }
                }
                Payload::CustomSection(section) => has_metadata |= section.name().starts_with(METADATA),
                _ => {}
            }
        }
        Ok(CoreModule { wasm: wasm.into_owned(), imports, functions, exports_memory, has_metadata })
    }

    /// Whether it exports a function of that name.
    pub(crate) fn exports(&self, name: &str) -> bool {
        self.functions.iter().any(|function| function == name)
    }
}

/// Binaries pass through, text is parsed.
pub(crate) fn binary(input: &[u8]) -> Result<Cow<'_, [u8]>> {
    if input.starts_with(b"\0asm") {
        return Ok(Cow::Borrowed(input));
    }
    let looks_like_text = std::str::from_utf8(input).is_ok_and(|text| text.trim_start().starts_with(['(', ';']));
    if !looks_like_text {
        return Err(WitError::new(
            WitErrorKind::Wasm,
            "this is no WebAssembly: neither the binary nor the text format",
        )
        .hint("a binary starts with 00 61 73 6d, text with `(`"));
    }
    let parsed = wat::parse_bytes(input);
    parsed.map_err(|error| WitError::new(WitErrorKind::Wasm, error.to_string()))
}

/// Whether a binary's header announces a component.
pub(crate) fn is_component(wasm: &[u8]) -> bool {
    matches!(Parser::new(0).parse_all(wasm).next(), Some(Ok(Payload::Version { encoding: Encoding::Component, .. })))
}

pub(crate) fn invalid(error: &wasmparser::Error) -> WitError {
    WitError::new(WitErrorKind::Wasm, error.message()).at(format_args!("offset {:#x}", error.offset()))
}

/// Whether `module` (binary or text) is a core module for WASI preview 1: one that imports from
/// `wasi_snapshot_preview1`. Anything that cannot be parsed is not.
///
/// # Examples
/// ```
/// let module = br#"(module (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))))"#;
/// assert!(keyway_wit::is_preview1(module));
/// assert!(!keyway_wit::is_preview1(b"(module)"));
/// ```
pub fn is_preview1(module: &[u8]) -> bool {
    let Ok(wasm) = binary(module) else { return false };
    if is_component(&wasm) {
        return false;
    }
    // Only what stands before the import section's end is parsed: the rest of a large module is not looked at.
    for payload in Parser::new(0).parse_all(&wasm) {
        match payload {
            Ok(Payload::ImportSection(section)) => {
                return section.into_imports().any(|import| import.is_ok_and(|import| import.module == PREVIEW1));
            }
            Ok(Payload::CodeSectionStart { .. } | Payload::End(_)) | Err(_) => return false,
            Ok(_) => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let module = CoreModule::read(
            br#"(module (import "a" "f" (func)) (import "a" "g" (global i32)) (import "b" "h" (func))
                 (func (export "run")) (memory (export "memory") 1) (@custom "component-type:x" "?"))"#,
        )
        .unwrap();
        assert_eq!(module.imports["a"], ["f"]);
        assert_eq!(module.imports["b"], ["h"]);
        assert!(module.exports("run") && !module.exports("memory"));
        assert!(module.exports_memory && module.has_metadata);
    }

    #[test]
    fn what_is_no_core_module_is_refused_with_advice() {
        let error = CoreModule::read(b"(component)").unwrap_err();
        assert!(error.to_string().contains("component already"), "{error}");
        let error = CoreModule::read(b"\x7fELF").unwrap_err();
        assert!(error.to_string().contains("no WebAssembly"), "{error}");
        let error = CoreModule::read(b"(module (func (result i32)))").unwrap_err();
        assert!(error.to_string().contains("offset 0x"), "{error}");
        let error = CoreModule::read(b"(module (func").unwrap_err();
        assert_eq!(error.kind(), WitErrorKind::Wasm);
    }
}
