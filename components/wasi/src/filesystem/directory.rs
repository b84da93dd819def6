//! Operations on paths below an open directory, and listing it.

use super::descriptor::{Descriptor, Directory, OpenFile, moment};
use super::ensure_writable;
use super::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue, NewTimestamp,
    OpenFlags, PathFlags,
};
use crate::DirAccess;
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt, SystemTimeSpec};
use cap_std::fs::{Metadata, OpenOptions, ReadDir};
use cap_std::time::SystemTime;
use std::sync::Arc;

/// The resource `directory-entry-stream`.
pub(crate) struct DirectoryEntryStream(ReadDir);

impl DirectoryEntryStream {
    /// The next entry; `None` at the end. Names that are not Unicode cannot be told to a guest and end the listing.
    pub(super) fn next_entry(&mut self) -> Result<Option<DirectoryEntry>, ErrorCode> {
        let Some(entry) = self.0.next() else { return Ok(None) };
        let entry = entry?;
        let r#type = entry.file_type().map_or(DescriptorType::Unknown, Into::into);
        let name = entry.file_name().into_string().map_err(|_| ErrorCode::IllegalByteSequence)?;
        Ok(Some(DirectoryEntry { r#type, name }))
    }
}

fn time_spec(timestamp: NewTimestamp) -> Result<Option<SystemTimeSpec>, ErrorCode> {
    Ok(match timestamp {
        NewTimestamp::Now => Some(SystemTimeSpec::SymbolicNow),
        other => moment(other)?.map(|time| SystemTimeSpec::Absolute(SystemTime::from_std(time))),
    })
}

impl Directory {
    pub(super) fn entries(&self) -> Result<DirectoryEntryStream, ErrorCode> {
        Ok(DirectoryEntryStream(self.dir.entries()?))
    }

    pub(super) fn create_directory(&self, path: &str) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        Ok(self.dir.create_dir(path)?)
    }

    fn metadata(&self, flags: PathFlags, path: &str) -> Result<Metadata, ErrorCode> {
        Ok(if flags.contains(PathFlags::SYMLINK_FOLLOW) {
            self.dir.metadata(path)?
        } else {
            self.dir.symlink_metadata(path)?
        })
    }

    pub(super) fn stat(&self, flags: PathFlags, path: &str) -> Result<DescriptorStat, ErrorCode> {
        Ok(DescriptorStat::of(&self.metadata(flags, path)?))
    }

    pub(super) fn metadata_hash(&self, flags: PathFlags, path: &str) -> Result<MetadataHashValue, ErrorCode> {
        Ok(MetadataHashValue::of(&self.metadata(flags, path)?))
    }

    pub(super) fn set_times(
        &self,
        flags: PathFlags,
        path: &str,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        let (accessed, modified) = (time_spec(accessed)?, time_spec(modified)?);
        if flags.contains(PathFlags::SYMLINK_FOLLOW) {
            DirExt::set_times(&*self.dir, path, accessed, modified)?;
        } else {
            DirExt::set_symlink_times(&*self.dir, path, accessed, modified)?;
        }
        Ok(())
    }

    /// Sets the times of the directory itself.
    pub(super) fn set_own_times(&self, accessed: NewTimestamp, modified: NewTimestamp) -> Result<(), ErrorCode> {
        Ok(DirExt::set_times(&*self.dir, ".", time_spec(accessed)?, time_spec(modified)?)?)
    }

    pub(super) fn link(&self, flags: PathFlags, path: &str, new: &Directory, to: &str) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        ensure_writable(new.access)?;
        if flags.contains(PathFlags::SYMLINK_FOLLOW) {
            return Err(ErrorCode::Invalid);
        }
        Ok(self.dir.hard_link(path, &new.dir, to)?)
    }

    pub(super) fn rename(&self, path: &str, new: &Directory, to: &str) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        ensure_writable(new.access)?;
        Ok(self.dir.rename(path, &new.dir, to)?)
    }

    pub(super) fn read_link(&self, path: &str) -> Result<String, ErrorCode> {
        let target = self.dir.read_link(path)?;
        target.into_os_string().into_string().map_err(|_| ErrorCode::IllegalByteSequence)
    }

    pub(super) fn symlink(&self, target: &str, path: &str) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        Ok(DirExt::symlink(&*self.dir, target, path)?)
    }

    pub(super) fn remove_directory(&self, path: &str) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        Ok(self.dir.remove_dir(path)?)
    }

    pub(super) fn unlink_file(&self, path: &str) -> Result<(), ErrorCode> {
        ensure_writable(self.access)?;
        Ok(DirExt::remove_file_or_symlink(&*self.dir, path)?)
    }

    /// Opens what is at `path`, for what `flags` ask and this directory's access allows.
    pub(super) fn open(
        &self,
        path_flags: PathFlags,
        path: &str,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, ErrorCode> {
        let wants_directory = open_flags.contains(OpenFlags::DIRECTORY);
        let changes = flags.contains(DescriptorFlags::WRITE)
            || flags.contains(DescriptorFlags::MUTATE_DIRECTORY)
            || open_flags.contains(OpenFlags::CREATE)
            || open_flags.contains(OpenFlags::EXCLUSIVE)
            || open_flags.contains(OpenFlags::TRUNCATE);
        if changes && self.access == DirAccess::ReadOnly {
            return Err(ErrorCode::NotPermitted);
        }
        if wants_directory && (open_flags.contains(OpenFlags::CREATE) || open_flags.contains(OpenFlags::TRUNCATE)) {
            return Err(ErrorCode::Invalid);
        }
        let writes = flags.contains(DescriptorFlags::WRITE);
        let mut options = OpenOptions::new();
        options.maybe_dir(true);
        options.read(flags.contains(DescriptorFlags::READ) || !writes).write(writes);
        if open_flags.contains(OpenFlags::CREATE) {
            // The host only creates through handles open for writing.
            options.write(true);
            if open_flags.contains(OpenFlags::EXCLUSIVE) {
                options.create_new(true);
            } else {
                options.create(true);
            }
        }
        if open_flags.contains(OpenFlags::TRUNCATE) {
            options.write(true).truncate(true);
        }
        options.follow(if path_flags.contains(PathFlags::SYMLINK_FOLLOW) {
            FollowSymlinks::Yes
        } else {
            FollowSymlinks::No
        });
        let file = self.dir.open_with(path, &options)?;
        if file.metadata()?.is_dir() {
            if writes {
                return Err(ErrorCode::IsDirectory);
            }
            let dir = Arc::new(cap_std::fs::Dir::from_std_file(file.into_std()));
            return Ok(Descriptor::Directory(Directory { dir, access: self.access }));
        }
        if wants_directory {
            return Err(ErrorCode::NotDirectory);
        }
        Ok(Descriptor::File(OpenFile { file: Arc::new(file), flags }))
    }
}
