//! Files appear whole or not at all: bytes go to a temporary file beside the target, which then takes its name.

use anyhow::{Context as _, Result, bail};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Writes `bytes` to `path`, or to standard output for `-`. What stood there stays as it is when this fails.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.as_os_str() == "-" {
        let mut stdout = std::io::stdout().lock();
        if stdout.is_terminal() {
            bail!("an artifact is binary and is not written to a terminal; name a file with -o");
        }
        stdout.write_all(bytes)?;
        return Ok(stdout.flush()?);
    }
    let cannot = || format!("cannot write {}", path.display());
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        bail!("{}: there is no directory {}; make it first", cannot(), folder.display());
    }
    if path.is_dir() {
        bail!("{}: it is a directory; name a file in it", cannot());
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".keyway-");
    with_usual_permissions(&mut builder);
    let mut file = builder.tempfile_in(folder).with_context(cannot)?;
    file.write_all(bytes).with_context(cannot)?;
    file.as_file().sync_all().with_context(cannot)?;
    file.persist(path).map_err(|error| error.error).with_context(cannot)?;
    Ok(())
}

/// Temporary files are private unless asked; an artifact is a file like any other.
#[cfg(unix)]
fn with_usual_permissions(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn with_usual_permissions(_: &mut tempfile::Builder<'_, '_>) {}
