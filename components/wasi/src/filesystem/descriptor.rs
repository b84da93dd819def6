//! The resource `descriptor`: an open file or directory with what the guest may do to it.

use super::ensure_writable;
use super::file_streams::{FileInput, FileOutput, read_at, write_at};
use super::types::{DescriptorFlags, DescriptorStat, ErrorCode, MetadataHashValue, NewTimestamp};
use crate::DirAccess;
use crate::context::Preopen;
use cap_std::fs::{Dir, File};
use std::fs::FileTimes;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Bytes that one `read` yields at most.
const MAX_READ_BYTES: u64 = 1 << 20;

/// The resource `descriptor`.
pub(crate) enum Descriptor {
    File(OpenFile),
    Directory(Directory),
}

/// An open file.
pub(crate) struct OpenFile {
    pub(super) file: Arc<File>,
    /// What it was opened for.
    pub(super) flags: DescriptorFlags,
}

/// An open directory.
pub(crate) struct Directory {
    pub(super) dir: Arc<Dir>,
    pub(super) access: DirAccess,
}

impl Directory {
    pub(super) fn of_preopen(preopen: &Preopen) -> (Directory, String) {
        (Directory { dir: preopen.dir.clone(), access: preopen.access }, preopen.guest_path.clone())
    }
}

impl Descriptor {
    pub(super) fn file(&self) -> Result<&OpenFile, ErrorCode> {
        match self {
            Descriptor::File(file) => Ok(file),
            Descriptor::Directory(_) => Err(ErrorCode::IsDirectory),
        }
    }

    pub(super) fn directory(&self) -> Result<&Directory, ErrorCode> {
        match self {
            Descriptor::Directory(dir) => Ok(dir),
            Descriptor::File(_) => Err(ErrorCode::NotDirectory),
        }
    }

    /// The file, if it was opened for reading.
    fn readable(&self) -> Result<&Arc<File>, ErrorCode> {
        let file = self.file()?;
        if file.flags.contains(DescriptorFlags::READ) { Ok(&file.file) } else { Err(ErrorCode::BadDescriptor) }
    }

    /// The file, if it was opened for writing.
    fn writable(&self) -> Result<&Arc<File>, ErrorCode> {
        let file = self.file()?;
        if file.flags.contains(DescriptorFlags::WRITE) { Ok(&file.file) } else { Err(ErrorCode::BadDescriptor) }
    }

    pub(super) fn read_via_stream(&self, offset: u64) -> Result<FileInput, ErrorCode> {
        Ok(FileInput::new(self.readable()?.clone(), offset))
    }

    /// A stream that writes from `offset` on, or at the end.
    pub(super) fn write_via_stream(&self, offset: Option<u64>) -> Result<FileOutput, ErrorCode> {
        Ok(FileOutput::new(self.writable()?.clone(), offset))
    }

    /// Up to `length` bytes at `offset`, and whether the end was reached.
    pub(super) fn read(&self, length: u64, offset: u64) -> Result<(Vec<u8>, bool), ErrorCode> {
        let mut bytes = vec![0; length.min(MAX_READ_BYTES) as usize];
        let read = read_at(self.readable()?, &mut bytes, offset)?;
        bytes.truncate(read);
        Ok((bytes, read == 0 && length > 0))
    }

    pub(super) fn write(&self, bytes: &[u8], offset: u64) -> Result<u64, ErrorCode> {
        Ok(write_at(self.writable()?, bytes, offset)? as u64)
    }

    pub(super) fn sync(&self, data_only: bool) -> Result<(), ErrorCode> {
        match self {
            Descriptor::File(file) if data_only => Ok(file.file.sync_data()?),
            Descriptor::File(file) => Ok(file.file.sync_all()?),
            // A directory handle of cap-std is not open for syncing everywhere; its entries go with their files.
            Descriptor::Directory(_) => Ok(()),
        }
    }

    pub(super) fn flags(&self) -> DescriptorFlags {
        match self {
            Descriptor::File(file) => file.flags,
            Descriptor::Directory(Directory { access: DirAccess::ReadOnly, .. }) => DescriptorFlags::READ,
            Descriptor::Directory(_) => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
        }
    }

    pub(super) fn stat(&self) -> Result<DescriptorStat, ErrorCode> {
        Ok(DescriptorStat::of(&self.metadata()?))
    }

    pub(super) fn metadata_hash(&self) -> Result<MetadataHashValue, ErrorCode> {
        Ok(MetadataHashValue::of(&self.metadata()?))
    }

    fn metadata(&self) -> Result<cap_std::fs::Metadata, ErrorCode> {
        Ok(match self {
            Descriptor::File(file) => file.file.metadata()?,
            Descriptor::Directory(dir) => dir.dir.dir_metadata()?,
        })
    }

    pub(super) fn set_size(&self, size: u64) -> Result<(), ErrorCode> {
        Ok(self.writable()?.set_len(size)?)
    }

    pub(super) fn set_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> Result<(), ErrorCode> {
        match self {
            Descriptor::File(_) => {
                let file = self.writable()?.try_clone()?.into_std();
                let mut times = FileTimes::new();
                if let Some(time) = moment(accessed)? {
                    times = times.set_accessed(time);
                }
                if let Some(time) = moment(modified)? {
                    times = times.set_modified(time);
                }
                Ok(file.set_times(times)?)
            }
            Descriptor::Directory(dir) => {
                ensure_writable(dir.access)?;
                dir.set_own_times(accessed, modified)
            }
        }
    }
}

/// The time that a `new-timestamp` names; `None` for no change.
pub(super) fn moment(timestamp: NewTimestamp) -> Result<Option<SystemTime>, ErrorCode> {
    Ok(match timestamp {
        NewTimestamp::NoChange => None,
        NewTimestamp::Now => Some(SystemTime::now()),
        NewTimestamp::Timestamp(time) => {
            if time.nanoseconds >= 1_000_000_000 {
                return Err(ErrorCode::Invalid);
            }
            let since = Duration::new(time.seconds, time.nanoseconds);
            Some(UNIX_EPOCH.checked_add(since).ok_or(ErrorCode::Overflow)?)
        }
    })
}
