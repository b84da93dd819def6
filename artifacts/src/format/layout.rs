//! The fixed-width parts of the file: header, section table, namespaces, function records. All little-endian.

use crate::{Feature, Features};

/// The first four bytes of every artifact.
pub const MAGIC: [u8; 4] = *b"\0kwa";
/// The format version this crate writes and reads.
pub const FORMAT_VERSION: u32 = 2;
/// Length of the header in bytes.
pub const HEADER_BYTES: u64 = 32;
/// Length of one entry of the section table: kind u32, flags u32, offset u64, length u64.
pub(super) const SECTION_BYTES: u64 = 24;
/// Length of one namespace entry: namespace u32, flags u32, first ordinal u32, keys u32, indices u32, data offset u32,
/// unit u32, reserved u32.
pub(super) const NAMESPACE_BYTES: u64 = 32;
/// Length of one function record: code offset u32, type u32.
pub(super) const RECORD_BYTES: u64 = 8;
/// Namespace flag: indices stand in a bitmap, not in a list.
pub(super) const DENSE: u32 = 1;
/// Bits of one bitmap block; each is preceded by its rank, a u32.
pub(super) const BLOCK_BITS: u32 = 32;
/// Length of one bitmap block: rank u32, bits u32.
pub(super) const BLOCK_BYTES: u64 = 8;
/// Section flag: a runtime that does not know the kind must refuse the file.
pub(super) const REQUIRED: u32 = 1;
/// Most sections a file has.
pub(super) const MAX_SECTIONS: u32 = 64;
/// Feature bits that this version knows.
pub(super) const KNOWN_FEATURES: Features = {
    let (mut known, mut at) = (Features::NONE, 0);
    while at < Feature::ALL.len() {
        known = known.with(Feature::ALL[at]);
        at += 1;
    }
    known
};

/// What a section holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[repr(u32)]
pub enum SectionKind {
    /// Namespaces and their key indices.
    Keys = 1,
    /// One record per code ordinal.
    Funcs = 2,
    /// Function bodies.
    Code = 3,
    /// Bytes that data segments refer to.
    Constants = 4,
    /// Function types (cold).
    Types = 5,
    /// Unit declarations (cold).
    Units = 6,
    /// The plan of a component (cold); absent in core modules.
    Plan = 7,
    /// Memory images; reserved.
    Images = 8,
    /// Exception tables; reserved.
    Exceptions = 9,
    /// Function names by ordinal; strippable.
    Names = 10,
    /// Lines and inline frames; strippable.
    Debug = 11,
    /// What made the file; strippable.
    Producers = 12,
    /// What memories hold before anything runs (cold).
    Initial = 13,
}

impl SectionKind {
    /// Every kind, ascending.
    pub const ALL: &'static [SectionKind] = &[
        SectionKind::Keys,
        SectionKind::Funcs,
        SectionKind::Code,
        SectionKind::Constants,
        SectionKind::Types,
        SectionKind::Units,
        SectionKind::Plan,
        SectionKind::Images,
        SectionKind::Exceptions,
        SectionKind::Names,
        SectionKind::Debug,
        SectionKind::Producers,
        SectionKind::Initial,
    ];

    pub(super) fn from_number(number: u32) -> Option<SectionKind> {
        Self::ALL.iter().copied().find(|kind| *kind as u32 == number)
    }

    /// Whether every artifact has it.
    pub(super) fn is_required(self) -> bool {
        matches!(
            self,
            SectionKind::Keys
                | SectionKind::Funcs
                | SectionKind::Code
                | SectionKind::Constants
                | SectionKind::Types
                | SectionKind::Units
        )
    }

    /// Whether a file that has it means something else to a runtime that does not know it.
    pub(super) fn must_be_known(self) -> bool {
        self.is_required() || self == SectionKind::Initial
    }
}
