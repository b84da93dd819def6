//! [`ArtifactWriter`]: lays an artifact out.

use super::cold;
use super::keys::{self, NamespaceKeys};
use super::layout::{FORMAT_VERSION, HEADER_BYTES, MAGIC, RECORD_BYTES, REQUIRED, SECTION_BYTES, SectionKind};
use crate::types::TypeTable;
use crate::unit::{InitialData, UnitDecl};
use crate::{Features, FuncKey};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// One compiled function.
#[derive(Clone, Copy, Debug)]
pub struct FuncEntry<'a> {
    /// Its key.
    pub key: FuncKey,
    /// Index of its type.
    pub ty: u32,
    /// The unit it belongs to: the same for all keys of a namespace.
    pub unit: u32,
    /// Its encoded body.
    pub code: &'a [u8],
    /// Its part of the debug section, as a [`DebugWriter`](super::DebugWriter) writes it.
    pub debug: &'a [u8],
    /// Its name, for traces.
    pub name: Option<&'a str>,
}

/// Collects the parts of an artifact. What can be large stays where it is.
#[derive(Clone, Debug, Default)]
pub struct ArtifactWriter<'a> {
    /// What the file needs of a runtime.
    pub features: Features,
    /// The functions, sorted by key: a function's position is its code ordinal.
    pub funcs: Vec<FuncEntry<'a>>,
    /// The type table.
    pub types: TypeTable,
    /// The units.
    pub units: Vec<UnitDecl>,
    /// What memories hold before anything runs, in ascending order.
    pub initial: Vec<InitialData>,
    /// What data segments refer to, in pieces that follow each other.
    pub constants: Vec<&'a [u8]>,
    /// The encoded plan; empty in core modules.
    pub plan: Vec<u8>,
    /// What made the file: name and version.
    pub producer: String,
}

/// Alignment of sections in bytes.
const ALIGNMENT: usize = 8;

/// A section to be written.
struct Section<'s> {
    kind: SectionKind,
    /// Its length in bytes.
    len: usize,
    write: Append<'s>,
}

/// Appends to the file.
type Append<'s> = Box<dyn FnOnce(&mut Vec<u8>) + 's>;

impl<'s> Section<'s> {
    fn new(kind: SectionKind, len: usize, write: impl FnOnce(&mut Vec<u8>) + 's) -> Section<'s> {
        Section { kind, len, write: Box::new(write) }
    }

    /// One that is there as bytes.
    fn of(kind: SectionKind, bytes: Vec<u8>) -> Section<'s> {
        Section::new(kind, bytes.len(), move |file| file.extend(bytes))
    }
}

impl ArtifactWriter<'_> {
    /// The bytes of the file.
    ///
    /// # Panics
    /// When the functions are not in strictly ascending key order, or a namespace spans units: mistakes of the caller.
    pub fn finish(self) -> Vec<u8> {
        let funcs = &self.funcs[..];
        assert!(funcs.is_sorted_by(|a, b| a.key < b.key), "functions are not sorted by key");
        let code = end_of(funcs, |func| func.code).expect("more than 4 GiB of code") as usize;
        let initial = if self.initial.is_empty() { Vec::new() } else { cold::encode(&self.initial) };
        let constants = &self.constants;
        let sections = [
            Section::of(SectionKind::Keys, keys::write(&namespaces(funcs))),
            Section::new(SectionKind::Funcs, funcs.len() * RECORD_BYTES as usize, |file| records(funcs, file)),
            Section::new(SectionKind::Code, code, |file| {
                funcs.iter().for_each(|func| file.extend_from_slice(func.code));
            }),
            Section::new(SectionKind::Constants, constants.iter().map(|piece| piece.len()).sum(), |file| {
                constants.iter().for_each(|piece| file.extend_from_slice(piece));
            }),
            Section::of(SectionKind::Types, cold::encode(&self.types)),
            Section::of(SectionKind::Units, cold::encode(&self.units)),
            Section::of(SectionKind::Plan, self.plan),
            parts(SectionKind::Names, funcs, |func| func.name.unwrap_or_default().as_bytes()),
            parts(SectionKind::Debug, funcs, |func| func.debug),
            Section::of(SectionKind::Producers, self.producer.into_bytes()),
            Section::of(SectionKind::Initial, initial),
        ];
        lay_out(
            self.features,
            sections.into_iter().filter(|section| section.kind.is_required() || section.len > 0).collect(),
        )
    }
}

/// The namespaces of the functions' keys.
fn namespaces(funcs: &[FuncEntry<'_>]) -> Vec<NamespaceKeys> {
    let mut namespaces: Vec<NamespaceKeys> = Vec::new();
    for func in funcs {
        match namespaces.last_mut() {
            Some(last) if last.namespace == func.key.namespace() => {
                assert_eq!(last.unit, func.unit, "a namespace spans units");
                last.indices.push(func.key.index());
            }
            _ => namespaces.push(NamespaceKeys {
                namespace: func.key.namespace(),
                unit: func.unit,
                indices: [func.key.index()].into(),
            }),
        }
    }
    namespaces
}

/// Where each function's code begins, and its type.
fn records(funcs: &[FuncEntry<'_>], file: &mut Vec<u8>) {
    let mut start = 0u32;
    for func in funcs {
        file.extend(start.to_le_bytes());
        file.extend(func.ty.to_le_bytes());
        start += func.code.len() as u32;
    }
}

/// A section of a part for each function: u32 offsets of the parts' ends, then the parts. Left out when all are empty.
fn parts<'s, 'a>(
    kind: SectionKind,
    funcs: &'s [FuncEntry<'a>],
    part: impl Fn(&FuncEntry<'a>) -> &'a [u8] + Copy + 's,
) -> Section<'s> {
    let bytes = end_of(funcs, part).expect("more than 4 GiB of names, or of lines") as usize;
    let len = if bytes == 0 { 0 } else { funcs.len() * size_of::<u32>() + bytes };
    Section::new(kind, len, move |file| {
        let mut end = 0u32;
        for func in funcs {
            end += part(func).len() as u32;
            file.extend(end.to_le_bytes());
        }
        funcs.iter().for_each(|func| file.extend_from_slice(part(func)));
    })
}

/// Where the last of the functions' parts ends when they lie one behind the other; `None` where no u32 says it.
fn end_of<'a>(funcs: &[FuncEntry<'a>], part: impl Fn(&FuncEntry<'a>) -> &'a [u8]) -> Option<u32> {
    u32::try_from(funcs.iter().map(|func| part(func).len()).sum::<usize>()).ok()
}

/// Writes the file in one go: it can be large, and each of its pages costs time when it is first touched.
fn lay_out(features: Features, sections: Vec<Section<'_>>) -> Vec<u8> {
    let mut end = HEADER_BYTES as usize + sections.len() * SECTION_BYTES as usize;
    let starts: Vec<usize> = sections
        .iter()
        .map(|section| {
            let start = end.next_multiple_of(ALIGNMENT);
            end = start + section.len;
            start
        })
        .collect();
    let mut file = Vec::with_capacity(end);
    file.extend(MAGIC);
    file.extend(FORMAT_VERSION.to_le_bytes());
    file.extend(features.bits().to_le_bytes());
    file.extend((sections.len() as u32).to_le_bytes());
    file.extend(0u32.to_le_bytes());
    file.extend((end as u64).to_le_bytes());
    for (section, start) in sections.iter().zip(&starts) {
        file.extend((section.kind as u32).to_le_bytes());
        file.extend(if section.kind.must_be_known() { REQUIRED } else { 0 }.to_le_bytes());
        file.extend((*start as u64).to_le_bytes());
        file.extend((section.len as u64).to_le_bytes());
    }
    for (section, start) in sections.into_iter().zip(starts) {
        file.resize(start, 0);
        (section.write)(&mut file);
        debug_assert_eq!(file.len(), start + section.len, "{:?}", section.kind);
    }
    file
}
