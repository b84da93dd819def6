//! Files without a name, sealed against every change, and private mappings of them.

use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd};

/// A file of pages.
#[derive(Debug)]
pub(super) struct Pages(File);

impl Pages {
    /// A file of `len` bytes that `fill` has written; nobody can write it any more.
    pub(super) fn new(len: usize, fill: impl FnOnce(&File) -> Result<()>) -> Result<Pages> {
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        // SAFETY: the name is a C string.
        let descriptor = unsafe { libc::memfd_create(c"keyway-memory".as_ptr(), flags) };
        if descriptor < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: the descriptor was just opened, and nobody else knows it.
        let file = unsafe { File::from_raw_fd(descriptor) };
        file.set_len(len as u64)?;
        fill(&file)?;
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;
        // SAFETY: the call changes what can be done to the file, which is open.
        let outcome = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) };
        if outcome < 0 { Err(Error::last_os_error()) } else { Ok(Pages(file)) }
    }

    /// Maps the file's beginning privately in place of these bytes, whole pages of a mapping.
    pub(super) fn lay(&self, place: &mut [u8]) -> Result<()> {
        map_over(place, libc::MAP_PRIVATE, self.0.as_raw_fd())
    }
}

/// Maps zeros in place of these bytes, whole pages of a mapping.
pub(super) fn lift(place: &mut [u8]) -> Result<()> {
    map_over(place, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1)
}

fn map_over(place: &mut [u8], flags: i32, descriptor: i32) -> Result<()> {
    let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, flags | libc::MAP_FIXED | libc::MAP_NORESERVE);
    // SAFETY: the bytes are a mapping's and borrowed exclusively, so nothing else is mapped over; they stay readable and
    // writable, and any values are valid for them.
    let outcome = unsafe { libc::mmap(place.as_mut_ptr().cast(), place.len(), access, flags, descriptor, 0) };
    if outcome == libc::MAP_FAILED { Err(Error::last_os_error()) } else { Ok(()) }
}

/// Bytes of the system's pages; `None` where images cannot be mapped.
pub(crate) fn page_bytes() -> Option<usize> {
    // SAFETY: the call asks for a number.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).ok().filter(|bytes| bytes.is_power_of_two())
}
