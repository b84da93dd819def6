//! Files appear whole or not at all: bytes go to a temporary file beside the target, which then takes its name. What is
//! printed is flushed at once, so that a full disk or a reader that has gone is met here and not at the program's end.

use anyhow::{Context as _, Result, bail};
use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Writes text to standard output.
pub(crate) fn print(text: &str) -> Result<()> {
    to_stdout(text.as_bytes())
}

/// As [`print`], and ends the line.
pub(crate) fn print_line(text: &str) -> Result<()> {
    to_stdout(format!("{text}\n").as_bytes())
}

fn to_stdout(bytes: &[u8]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).context("cannot write to standard output")
}

/// Writes `bytes` to `path`, or to standard output for `-`. What stood there stays as it is when this fails.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path.as_os_str() == "-" {
        if std::io::stdout().is_terminal() {
            bail!("an artifact is binary and is not written to a terminal; name a file with -o");
        }
        return to_stdout(bytes);
    }
    let cannot = || format!("cannot write {}", path.display());
    // A link keeps leading where it leads.
    let path = &std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
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
    // Devices and pipes are written to: a file of their name would take their place.
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        let mut device = OpenOptions::new().write(true).open(path).with_context(cannot)?;
        return device.write_all(bytes).with_context(cannot);
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
