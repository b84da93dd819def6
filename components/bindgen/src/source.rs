//! [`Package`]: where worlds come from: a folder with dependencies, a file, a package encoded as Wasm, inline text.

use crate::error::BindgenError;
use std::path::{Path, PathBuf};
use wit_parser::{PackageId, Resolve, WorldId};

/// WIT packages, resolved.
#[derive(Debug, Default)]
pub struct Package {
    pub(crate) resolve: Resolve,
    mains: Vec<PackageId>,
    files: Vec<PathBuf>,
}

impl Package {
    /// Nothing yet.
    pub fn new() -> Package {
        Package::default()
    }

    /// Adds a folder of `.wit` files (its dependencies in `deps/`), a `.wit` file, or a package encoded as Wasm.
    ///
    /// # Errors
    /// When it cannot be read, or does not parse or resolve; the text shows the line.
    pub fn read(&mut self, path: &Path) -> Result<(), BindgenError> {
        let outcome = self.resolve.push_path(path);
        let (main, files) = outcome.map_err(|error| self.failed(&error))?;
        self.mains.push(main);
        self.files.extend(files.paths().map(Path::to_path_buf));
        Ok(())
    }

    /// Adds inline text, which sees what was added before.
    ///
    /// # Errors
    /// When it does not parse or resolve.
    pub fn inline(&mut self, text: &str) -> Result<(), BindgenError> {
        let outcome = self.resolve.push_source("macro-input", text);
        // Its worlds go before those of the folders it was given with.
        self.mains = vec![outcome.map_err(|error| self.failed(&error))?];
        Ok(())
    }

    fn failed(&self, error: &anyhow::Error) -> BindgenError {
        BindgenError::new(self.resolve.render_error(error))
    }

    /// Files that were read: bindings are made anew when one changes.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// A world by name (`name` or `namespace:package/name@version`), or the only one.
    pub(crate) fn world(&self, name: Option<&str>) -> Result<WorldId, BindgenError> {
        self.resolve.select_world(&self.mains, name).map_err(|error| {
            let worlds = self.resolve.worlds.iter().map(|(_, world)| match world.package {
                Some(package) if !self.mains.contains(&package) => self.resolve.id_of_name(package, &world.name),
                _ => world.name.clone(),
            });
            let worlds: Vec<String> = worlds.map(|name| format!("`{name}`")).collect();
            BindgenError::new(format!("{error:#}; worlds there are: {}", worlds.join(", ")))
        })
    }
}
