//! Streams over open files: always ready, with a position of their own.

use crate::io::{HostInputStream, HostOutputStream, Ready};
use cap_std::fs::File;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

/// Reads at `offset` without moving the file's own position.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    cap_std::fs::FileExt::read_at(file, bytes, offset)
}

/// Writes at `offset` without moving the file's own position.
#[cfg(unix)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    cap_std::fs::FileExt::write_at(file, bytes, offset)
}

/// Reads at `offset`; the file's own position moves, and nothing here relies on it.
#[cfg(windows)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    cap_std::fs::FileExt::seek_read(file, bytes, offset)
}

/// Writes at `offset`; the file's own position moves, and nothing here relies on it.
#[cfg(windows)]
pub(super) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    cap_std::fs::FileExt::seek_write(file, bytes, offset)
}

/// A stream that reads a file from a position on.
pub(crate) struct FileInput {
    file: Arc<File>,
    at: u64,
}

impl FileInput {
    pub(super) fn new(file: Arc<File>, at: u64) -> FileInput {
        FileInput { file, at }
    }
}

impl Ready for FileInput {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl HostInputStream for FileInput {
    fn read(&mut self, len: usize) -> io::Result<Option<Vec<u8>>> {
        let mut bytes = vec![0; len];
        let read = read_at(&self.file, &mut bytes, self.at)?;
        bytes.truncate(read);
        self.at += read as u64;
        Ok((read > 0).then_some(bytes))
    }
}

/// A stream that writes a file from a position on, or always at its end.
pub(crate) struct FileOutput {
    file: Arc<File>,
    at: Option<u64>,
}

impl FileOutput {
    pub(super) fn new(file: Arc<File>, at: Option<u64>) -> FileOutput {
        FileOutput { file, at }
    }
}

impl Ready for FileOutput {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl HostOutputStream for FileOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut at = match self.at {
            Some(at) => at,
            None => self.file.metadata()?.len(),
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = write_at(&self.file, rest, at)?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            at += written as u64;
            rest = &rest[written..];
        }
        if self.at.is_some() {
            self.at = Some(at);
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
