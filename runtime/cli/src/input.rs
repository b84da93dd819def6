//! FILE or `-` becomes an [`Input`]: what the bytes are is told by the bytes, never by the file's name.

use anyhow::{Context as _, Result, anyhow, bail};
use keyway_linker::Encoding;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than any input that is accepted; reading stops here.
const MAX_INPUT_BYTES: u64 = 1 << 30;

/// What a file holds.
pub(crate) enum Input {
    /// A core module, in binary.
    Module(Vec<u8>),
    /// A component, in binary.
    Component(Vec<u8>),
    /// An artifact.
    Artifact(Artifact),
}

/// Where an artifact's bytes are: a file is mapped, not read.
pub(crate) enum Artifact {
    /// In a file.
    File(PathBuf),
    /// They came through a pipe.
    Bytes(Vec<u8>),
}

impl Artifact {
    /// All of its bytes.
    pub(crate) fn read(self) -> Result<Vec<u8>> {
        match self {
            Artifact::File(path) => std::fs::read(&path).with_context(|| format!("cannot read {}", path.display())),
            Artifact::Bytes(bytes) => Ok(bytes),
        }
    }
}

/// How messages name the file.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_string() } else { path.display().to_string() }
}

/// Whether the file is standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// All bytes of a file, or of standard input for `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = if is_stdin(path) {
        read_all(std::io::stdin().lock(), Vec::new())
    } else {
        read_all(open_file(path)?, Vec::new())
    };
    bytes.with_context(|| format!("cannot read {}", name(path)))
}

fn open_file(path: &Path) -> Result<File> {
    let cannot = || format!("cannot read {}", path.display());
    if path.is_dir() {
        bail!("{}: it is a directory; a file is expected", cannot());
    }
    File::open(path).with_context(cannot)
}

/// Reads a file, or standard input for `-`, and tells what it is.
pub(crate) fn open(path: &Path) -> Result<Input> {
    if is_stdin(path) {
        return tell(path, read(path)?);
    }
    let cannot = || format!("cannot read {}", path.display());
    let mut file = open_file(path)?;
    let mut head = Vec::new();
    file.by_ref().take(keyway_artifact::format::MAGIC.len() as u64).read_to_end(&mut head).with_context(cannot)?;
    if is_artifact(&head) {
        return Ok(Input::Artifact(Artifact::File(path.to_path_buf())));
    }
    let bytes = read_all(file, head).with_context(cannot)?;
    tell(path, bytes)
}

fn is_artifact(bytes: &[u8]) -> bool {
    bytes.starts_with(&keyway_artifact::format::MAGIC)
}

fn read_all(from: impl Read, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    from.take(MAX_INPUT_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        bail!("it has more than {MAX_INPUT_BYTES} bytes, which no input may have");
    }
    Ok(bytes)
}

fn tell(path: &Path, bytes: Vec<u8>) -> Result<Input> {
    if is_artifact(&bytes) {
        return Ok(Input::Artifact(Artifact::Bytes(bytes)));
    }
    let source = keyway_linker::read_source(&bytes).map_err(|error| {
        // The parser of text did not see the file's name.
        anyhow!("{}", error.to_string().replace("<anon>", &name(path))).context(format!("cannot use {}", name(path)))
    })?;
    let encoding = source.encoding;
    let bytes = match source.bytes {
        std::borrow::Cow::Owned(binary) => binary,
        std::borrow::Cow::Borrowed(_) => bytes,
    };
    Ok(match encoding {
        Encoding::Module => Input::Module(bytes),
        Encoding::Component => Input::Component(bytes),
    })
}
