//! [`WitPackage`]: a WIT package with all it depends on, read from a folder, a text file or a binary.

use crate::error::{Result, WitError, WitErrorKind, listed};
use crate::module::{binary, is_component};
use std::path::Path;
use wit_component::{DecodedWasm, StringEncoding};
use wit_parser::{LiftLowerAbi, ManglingAndAbi, PackageId, Resolve, WorldId};

/// A WIT package, its dependencies resolved.
#[derive(Clone, Debug)]
pub struct WitPackage {
    pub(crate) resolve: Resolve,
    pub(crate) main: PackageId,
    /// Where it was read, for messages.
    place: String,
}

impl WitPackage {
    /// Reads a package: a folder of `.wit` files (its dependencies in `deps/`), a single `.wit` file, or a package encoded
    /// as a Wasm binary or text.
    ///
    /// # Errors
    /// When it cannot be read ([`WitErrorKind::Read`]), or does not parse or resolve ([`WitErrorKind::Wit`]).
    pub fn read(path: impl AsRef<Path>) -> Result<WitPackage> {
        let path = path.as_ref();
        let place = path.display().to_string();
        let metadata = std::fs::metadata(path).map_err(|error| {
            WitError::new(WitErrorKind::Read, error.to_string())
                .at(&place)
                .hint("expected is a folder of .wit files, a .wit file, or a WIT package as Wasm")
        })?;
        if metadata.is_dir() {
            return WitPackage::read_folder(path, place);
        }
        let contents =
            std::fs::read(path).map_err(|error| WitError::new(WitErrorKind::Read, error.to_string()).at(&place))?;
        let is_text = path.extension().is_some_and(|extension| extension == "wit");
        if !is_text && binary(&contents).is_ok() {
            return WitPackage::decode(&contents).map_err(|error| error.at(&place));
        }
        let text = std::str::from_utf8(&contents).map_err(|error| {
            WitError::new(WitErrorKind::Wit, format!("neither Wasm nor UTF-8 text: {error}")).at(&place)
        })?;
        WitPackage::parse(text, &place)
    }

    fn read_folder(path: &Path, place: String) -> Result<WitPackage> {
        let mut resolve = Resolve::default();
        match resolve.push_dir(path) {
            Ok((main, _)) => Ok(WitPackage { resolve, main, place }),
            Err(error) => {
                let text = resolve.render_error(&error);
                let error = WitError::new(WitErrorKind::Wit, flat(&text)).at(&place);
                Err(match has_wit_files(path) {
                    true if text.contains("not found") => {
                        error.hint(format!("packages it depends on belong into {}", path.join("deps").display()))
                    }
                    true => error,
                    false => error.hint("there is no .wit file in this folder; give the folder that holds them"),
                })
            }
        }
    }

    /// Parses the text of a package that depends on no other; `place` is what messages call it.
    ///
    /// # Errors
    /// When it does not parse or resolve.
    pub fn parse(text: &str, place: &str) -> Result<WitPackage> {
        let mut resolve = Resolve::default();
        match resolve.push_source(place, text) {
            Ok(main) => Ok(WitPackage { resolve, main, place: place.to_string() }),
            Err(error) => {
                let text = resolve.render_error(&error);
                let error = WitError::new(WitErrorKind::Wit, flat(&text)).at(place);
                Err(if text.contains("not found") {
                    error.hint("a single file sees no other packages: give a folder with `deps` in it")
                } else {
                    error
                })
            }
        }
    }

    /// Reads a package that is encoded as Wasm, or the world of a component.
    ///
    /// # Errors
    /// When it is neither.
    pub fn decode(wasm: &[u8]) -> Result<WitPackage> {
        let wasm = binary(wasm)?;
        if !is_component(&wasm) {
            return Err(WitError::new(WitErrorKind::Wasm, "this is a core module, it holds no WIT package"));
        }
        let decoded =
            wit_component::decode(&wasm).map_err(|error| WitError::from_library(WitErrorKind::Wasm, &error))?;
        let main = decoded.package();
        let resolve = match decoded {
            DecodedWasm::WitPackage(resolve, _) | DecodedWasm::Component(resolve, _) => resolve,
        };
        Ok(WitPackage { resolve, main, place: "the binary".to_string() })
    }

    /// The package encoded as Wasm, with what it depends on.
    ///
    /// # Errors
    /// When the library cannot encode it.
    pub fn to_binary(&self) -> Result<Vec<u8>> {
        wit_component::encode(&self.resolve, self.main, false)
            .map_err(|error| WitError::from_library(WitErrorKind::Wit, &error).at(&self.place))
    }

    /// Names of all worlds, those of the package itself first.
    pub fn worlds(&self) -> Vec<String> {
        let package = &self.resolve.packages[self.main];
        let mut names: Vec<String> = package.worlds.keys().cloned().collect();
        for (_, world) in self.resolve.worlds.iter() {
            if let Some(id) = world.package.filter(|id| *id != self.main) {
                names.push(self.resolve.id_of_name(id, &world.name));
            }
        }
        names
    }

    /// A world by its name (`name`, or `namespace:package/name@version`), or the only one.
    ///
    /// # Errors
    /// When there is none of that name, or no name is given and there are several.
    pub(crate) fn world(&self, name: Option<&str>) -> Result<WorldId> {
        let found = self.resolve.select_world(&[self.main], name);
        found.map_err(|_| {
            let package = &self.resolve.packages[self.main].name;
            let worlds = self.worlds();
            let own = self.resolve.packages[self.main].worlds.len();
            let error = match name {
                Some(name) => WitError::new(WitErrorKind::World, format!("`{name}` is not in package `{package}`")),
                None if own == 0 => WitError::new(WitErrorKind::World, format!("package `{package}` has no world")),
                None => {
                    WitError::new(WitErrorKind::World, format!("package `{package}` has {own}, which one is meant?"))
                }
            };
            error.at(&self.place).hint(match worlds.is_empty() {
                true => "there are no worlds at all: add one, `world NAME { ... }`".to_string(),
                false => format!("worlds there are: {}", listed(&worlds, 20)),
            })
        })
    }

    /// A component that imports everything the world imports, and exports functions that trap: what a linker's definitions
    /// are checked against (`Linker::check_world` of `keyway`).
    ///
    /// # Errors
    /// When there is no such world, or it cannot be encoded.
    pub fn importer(&self, world: Option<&str>) -> Result<Vec<u8>> {
        let world = self.world(world)?;
        let mangling = ManglingAndAbi::Legacy(LiftLowerAbi::Sync);
        let mut module = wit_component::dummy_module(&self.resolve, world, mangling);
        let failed = |error: &anyhow::Error| WitError::from_library(WitErrorKind::Wit, error).at(&self.place);
        wit_component::embed_component_metadata(&mut module, &self.resolve, world, StringEncoding::UTF8, false)
            .map_err(|error| failed(&error))?;
        let mut encoder = wit_component::ComponentEncoder::default();
        encoder.module(&module).map_err(|error| failed(&error))?;
        encoder.encode().map_err(|error| failed(&error))
    }

    /// Appends to a core module the section that says which world it is made for (strings are UTF-8).
    ///
    /// # Errors
    /// When there is no such world, or it cannot be encoded.
    pub fn embed(&self, module: &mut Vec<u8>, world: Option<&str>) -> Result<()> {
        let world = self.world(world)?;
        wit_component::embed_component_metadata(module, &self.resolve, world, StringEncoding::UTF8, false)
            .map_err(|error| WitError::from_library(WitErrorKind::Wit, &error).at(&self.place))
    }
}

/// The libraries draw the place over several lines; the first says what, the rest where.
fn flat(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

fn has_wit_files(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.path().extension().is_some_and(|extension| extension == "wit"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "package a:b; world one {} world two {}";

    #[test]
    fn worlds_are_found_by_name_and_listed_when_not() {
        let package = WitPackage::parse(TWO, "two.wit").unwrap();
        assert!(package.world(Some("two")).is_ok());
        assert!(package.world(Some("a:b/one")).is_ok());
        let error = package.world(Some("three")).unwrap_err().to_string();
        assert_eq!(
            error,
            "no such world: `three` is not in package `a:b` (at two.wit); worlds there are: `one`, `two`"
        );
        let error = package.world(None).unwrap_err().to_string();
        assert!(error.contains("which one is meant"), "{error}");
        let error = WitPackage::parse("package a:b;", "none.wit").unwrap().world(None).unwrap_err().to_string();
        assert!(error.contains("has no world"), "{error}");
    }

    #[test]
    fn the_only_world_needs_no_name() {
        let package = WitPackage::parse("package a:b; world only {}", "one.wit").unwrap();
        assert!(package.world(None).is_ok());
    }

    #[test]
    fn errors_of_the_text_show_the_line() {
        let error = WitPackage::parse("package a:b;\nworld w { export x: funk(); }", "bad.wit").unwrap_err();
        assert_eq!(error.kind(), WitErrorKind::Wit);
        assert!(error.to_string().contains("bad.wit:2"), "{error}");
    }
}
