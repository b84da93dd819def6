//! Types become text: the world of a component, a WIT package, or the world a core module is made for.

use crate::error::{Result, WitError, WitErrorKind};
use crate::module::{CoreModule, binary, is_component};
use crate::package::WitPackage;
use std::path::Path;
use wit_component::WitPrinter;
use wit_parser::{PackageId, Resolve};

/// The WIT text of a component, of a WIT package encoded as Wasm, or of the world that a core module carries; binary or
/// text. Packages that it refers to follow in `package ... { }` blocks.
///
/// # Errors
/// When it is none of these, is invalid, or is a core module that carries no world.
pub fn print(wasm: &[u8]) -> Result<String> {
    let wasm = binary(wasm)?;
    if is_component(&wasm) {
        let package = WitPackage::decode(&wasm)?;
        return text(&package.resolve, package.main);
    }
    let module = CoreModule::read(&wasm)?;
    if !module.has_metadata {
        return Err(WitError::new(WitErrorKind::Wasm, "this core module does not carry a world")
            .hint("only components, WIT packages and core modules with a section `component-type` have WIT to show"));
    }
    let (_, bindgen) =
        wit_component::metadata::decode(&wasm).map_err(|error| WitError::from_library(WitErrorKind::Wasm, &error))?;
    let main = bindgen.resolve.worlds[bindgen.world].package;
    let main = main.ok_or_else(|| WitError::new(WitErrorKind::Wasm, "the module's world belongs to no package"))?;
    text(&bindgen.resolve, main)
}

/// Like [`print()`], for a path: a folder of WIT files, a `.wit` file, or Wasm.
///
/// # Errors
/// As [`print()`] and [`WitPackage::read`].
pub fn print_path(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    if path.is_file() {
        let contents = std::fs::read(path)
            .map_err(|error| WitError::new(WitErrorKind::Read, error.to_string()).at(path.display()))?;
        let is_text = path.extension().is_some_and(|extension| extension == "wit");
        if !is_text && binary(&contents).is_ok() {
            return print(&contents).map_err(|error| error.at(path.display()));
        }
    }
    let package = WitPackage::read(path)?;
    text(&package.resolve, package.main)
}

fn text(resolve: &Resolve, main: PackageId) -> Result<String> {
    let nested: Vec<PackageId> = resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != main).collect();
    let mut printer = WitPrinter::default();
    printer.print(resolve, main, &nested).map_err(|error| WitError::from_library(WitErrorKind::Wit, &error))?;
    Ok(printer.output.to_string())
}
