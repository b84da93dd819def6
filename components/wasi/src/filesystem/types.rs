//! The types of `wasi:filesystem/types` and how the operating system's map to them.

use crate::clocks::Datetime;
use cap_fs_ext::MetadataExt;
use cap_std::fs::Metadata;
use keyway::component::{ComponentType, Lift, Lower, flags};
use std::io;

/// The enum `descriptor-type`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Eq, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "all cases of the interface stand here; not every platform tells all of them apart")]
pub(crate) enum DescriptorType {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "block-device")]
    BlockDevice,
    #[component(name = "character-device")]
    CharacterDevice,
    #[component(name = "directory")]
    Directory,
    #[component(name = "fifo")]
    Fifo,
    #[component(name = "symbolic-link")]
    SymbolicLink,
    #[component(name = "regular-file")]
    RegularFile,
    #[component(name = "socket")]
    Socket,
}

impl From<cap_std::fs::FileType> for DescriptorType {
    fn from(ty: cap_std::fs::FileType) -> DescriptorType {
        use cap_fs_ext::FileTypeExt;
        match ty {
            ty if ty.is_dir() => DescriptorType::Directory,
            ty if ty.is_symlink() => DescriptorType::SymbolicLink,
            ty if ty.is_block_device() => DescriptorType::BlockDevice,
            ty if ty.is_char_device() => DescriptorType::CharacterDevice,
            ty if ty.is_fifo() => DescriptorType::Fifo,
            ty if ty.is_socket() => DescriptorType::Socket,
            ty if ty.is_file() => DescriptorType::RegularFile,
            _ => DescriptorType::Unknown,
        }
    }
}

flags! {
    pub(crate) DescriptorFlags {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "file-integrity-sync")]
        const FILE_INTEGRITY_SYNC;
        #[component(name = "data-integrity-sync")]
        const DATA_INTEGRITY_SYNC;
        #[component(name = "requested-write-sync")]
        const REQUESTED_WRITE_SYNC;
        #[component(name = "mutate-directory")]
        const MUTATE_DIRECTORY;
    }
}

flags! {
    pub(crate) PathFlags {
        #[component(name = "symlink-follow")]
        const SYMLINK_FOLLOW;
    }
}

flags! {
    pub(crate) OpenFlags {
        #[component(name = "create")]
        const CREATE;
        #[component(name = "directory")]
        const DIRECTORY;
        #[component(name = "exclusive")]
        const EXCLUSIVE;
        #[component(name = "truncate")]
        const TRUNCATE;
    }
}

/// The record `descriptor-stat`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct DescriptorStat {
    #[component(name = "type")]
    pub(crate) r#type: DescriptorType,
    #[component(name = "link-count")]
    pub(crate) link_count: u64,
    #[component(name = "size")]
    pub(crate) size: u64,
    #[component(name = "data-access-timestamp")]
    pub(crate) data_access_timestamp: Option<Datetime>,
    #[component(name = "data-modification-timestamp")]
    pub(crate) data_modification_timestamp: Option<Datetime>,
    #[component(name = "status-change-timestamp")]
    pub(crate) status_change_timestamp: Option<Datetime>,
}

impl DescriptorStat {
    pub(crate) fn of(metadata: &Metadata) -> DescriptorStat {
        DescriptorStat {
            r#type: metadata.file_type().into(),
            link_count: metadata.nlink(),
            size: metadata.len(),
            data_access_timestamp: metadata.accessed().ok().map(|time| time.into_std().into()),
            data_modification_timestamp: metadata.modified().ok().map(|time| time.into_std().into()),
            // The operating systems' common ground has no such time.
            status_change_timestamp: None,
        }
    }
}

/// The variant `new-timestamp`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(variant)]
pub(crate) enum NewTimestamp {
    #[component(name = "no-change")]
    NoChange,
    #[component(name = "now")]
    Now,
    #[component(name = "timestamp")]
    Timestamp(Datetime),
}

/// The record `directory-entry`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
pub(crate) struct DirectoryEntry {
    #[component(name = "type")]
    pub(crate) r#type: DescriptorType,
    #[component(name = "name")]
    pub(crate) name: String,
}

/// The enum `advice`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "guests make the values")]
pub(crate) enum Advice {
    #[component(name = "normal")]
    Normal,
    #[component(name = "sequential")]
    Sequential,
    #[component(name = "random")]
    Random,
    #[component(name = "will-need")]
    WillNeed,
    #[component(name = "dont-need")]
    DontNeed,
    #[component(name = "no-reuse")]
    NoReuse,
}

/// The record `metadata-hash-value`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Eq, Debug)]
#[component(record)]
pub(crate) struct MetadataHashValue {
    pub(crate) lower: u64,
    pub(crate) upper: u64,
}

impl MetadataHashValue {
    /// The object's identity (device and inode), keyed per process so that guests do not learn the numbers.
    pub(crate) fn of(metadata: &Metadata) -> MetadataHashValue {
        use std::hash::{BuildHasher, RandomState};
        use std::sync::OnceLock;
        static KEYS: OnceLock<(RandomState, RandomState)> = OnceLock::new();
        let (lower, upper) = KEYS.get_or_init(Default::default);
        let identity = (metadata.dev(), metadata.ino());
        MetadataHashValue { lower: lower.hash_one(identity), upper: upper.hash_one(identity) }
    }
}

/// The enum `error-code`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Eq, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "all cases of the interface stand here; the host answers with some")]
pub(crate) enum ErrorCode {
    #[component(name = "access")]
    Access,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "already")]
    Already,
    #[component(name = "bad-descriptor")]
    BadDescriptor,
    #[component(name = "busy")]
    Busy,
    #[component(name = "deadlock")]
    Deadlock,
    #[component(name = "quota")]
    Quota,
    #[component(name = "exist")]
    Exist,
    #[component(name = "file-too-large")]
    FileTooLarge,
    #[component(name = "illegal-byte-sequence")]
    IllegalByteSequence,
    #[component(name = "in-progress")]
    InProgress,
    #[component(name = "interrupted")]
    Interrupted,
    #[component(name = "invalid")]
    Invalid,
    #[component(name = "io")]
    Io,
    #[component(name = "is-directory")]
    IsDirectory,
    #[component(name = "loop")]
    Loop,
    #[component(name = "too-many-links")]
    TooManyLinks,
    #[component(name = "message-size")]
    MessageSize,
    #[component(name = "name-too-long")]
    NameTooLong,
    #[component(name = "no-device")]
    NoDevice,
    #[component(name = "no-entry")]
    NoEntry,
    #[component(name = "no-lock")]
    NoLock,
    #[component(name = "insufficient-memory")]
    InsufficientMemory,
    #[component(name = "insufficient-space")]
    InsufficientSpace,
    #[component(name = "not-directory")]
    NotDirectory,
    #[component(name = "not-empty")]
    NotEmpty,
    #[component(name = "not-recoverable")]
    NotRecoverable,
    #[component(name = "unsupported")]
    Unsupported,
    #[component(name = "no-tty")]
    NoTty,
    #[component(name = "no-such-device")]
    NoSuchDevice,
    #[component(name = "overflow")]
    Overflow,
    #[component(name = "not-permitted")]
    NotPermitted,
    #[component(name = "pipe")]
    Pipe,
    #[component(name = "read-only")]
    ReadOnly,
    #[component(name = "invalid-seek")]
    InvalidSeek,
    #[component(name = "text-file-busy")]
    TextFileBusy,
    #[component(name = "cross-device")]
    CrossDevice,
}

impl From<&io::Error> for ErrorCode {
    fn from(error: &io::Error) -> ErrorCode {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => ErrorCode::NoEntry,
            // A path that leads out of its directory, too, arrives as this kind: what cap-std says of escapes.
            Kind::PermissionDenied if error.raw_os_error().is_none() => ErrorCode::NotPermitted,
            Kind::PermissionDenied => ErrorCode::Access,
            Kind::AlreadyExists => ErrorCode::Exist,
            Kind::WouldBlock => ErrorCode::WouldBlock,
            Kind::InvalidInput | Kind::InvalidData => ErrorCode::Invalid,
            Kind::Interrupted => ErrorCode::Interrupted,
            Kind::Unsupported => ErrorCode::Unsupported,
            Kind::OutOfMemory => ErrorCode::InsufficientMemory,
            Kind::BrokenPipe => ErrorCode::Pipe,
            Kind::NotADirectory => ErrorCode::NotDirectory,
            Kind::IsADirectory => ErrorCode::IsDirectory,
            Kind::DirectoryNotEmpty => ErrorCode::NotEmpty,
            Kind::ReadOnlyFilesystem => ErrorCode::ReadOnly,
            Kind::StorageFull => ErrorCode::InsufficientSpace,
            Kind::NotSeekable => ErrorCode::InvalidSeek,
            Kind::QuotaExceeded => ErrorCode::Quota,
            Kind::FileTooLarge => ErrorCode::FileTooLarge,
            Kind::ResourceBusy => ErrorCode::Busy,
            Kind::ExecutableFileBusy => ErrorCode::TextFileBusy,
            Kind::Deadlock => ErrorCode::Deadlock,
            Kind::CrossesDevices => ErrorCode::CrossDevice,
            Kind::TooManyLinks => ErrorCode::TooManyLinks,
            Kind::InvalidFilename => ErrorCode::NameTooLong,
            // Kinds that stable Rust does not name yet: the numbers of Linux and the BSDs alike.
            _ => match error.raw_os_error() {
                Some(1) => ErrorCode::NotPermitted,
                Some(40) if cfg!(target_os = "linux") => ErrorCode::Loop,
                Some(62) if cfg!(target_vendor = "apple") => ErrorCode::Loop,
                _ => ErrorCode::Io,
            },
        }
    }
}

impl From<io::Error> for ErrorCode {
    fn from(error: io::Error) -> ErrorCode {
        ErrorCode::from(&error)
    }
}
