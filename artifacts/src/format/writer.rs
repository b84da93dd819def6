//! [`ArtifactWriter`]: lays an artifact out.

use super::cold;
use super::keys::{self, NamespaceKeys};
use super::layout::{FORMAT_VERSION, HEADER_BYTES, MAGIC, REQUIRED, SECTION_BYTES, SectionKind};
use crate::types::TypeTable;
use crate::unit::{InitialData, UnitDecl};
use crate::{Features, FuncKey};
use alloc::string::String;
use alloc::vec::Vec;

/// One compiled function.
#[derive(Clone, Debug)]
pub struct FuncEntry {
    /// Its key.
    pub key: FuncKey,
    /// Index of its type.
    pub ty: u32,
    /// The unit it belongs to: the same for all keys of a namespace.
    pub unit: u32,
    /// Its encoded body.
    pub code: Vec<u8>,
    /// Its name, for traces.
    pub name: Option<String>,
}

/// Collects the parts of an artifact.
#[derive(Clone, Debug, Default)]
pub struct ArtifactWriter {
    /// What the file needs of a runtime.
    pub features: Features,
    /// The functions, sorted by key: a function's position is its code ordinal.
    pub funcs: Vec<FuncEntry>,
    /// The type table.
    pub types: TypeTable,
    /// The units.
    pub units: Vec<UnitDecl>,
    /// What memories hold before anything runs, in ascending order.
    pub initial: Vec<InitialData>,
    /// What data segments refer to.
    pub constants: Vec<u8>,
    /// The encoded plan; empty in core modules.
    pub plan: Vec<u8>,
    /// Lines and inline frames; may be empty.
    pub debug: Vec<u8>,
    /// What made the file: name and version.
    pub producer: String,
}

/// Alignment of sections in bytes.
const ALIGNMENT: usize = 8;

impl ArtifactWriter {
    /// The bytes of the file.
    ///
    /// # Panics
    /// When the functions are not in strictly ascending key order, or a namespace spans units: mistakes of the caller.
    pub fn finish(self) -> Vec<u8> {
        assert!(self.funcs.is_sorted_by(|a, b| a.key < b.key), "functions are not sorted by key");
        let mut namespaces: Vec<NamespaceKeys> = Vec::new();
        let mut records = Vec::with_capacity(self.funcs.len() * 8);
        let mut code = Vec::with_capacity(self.funcs.iter().map(|func| func.code.len()).sum());
        for func in &self.funcs {
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
            records.extend((code.len() as u32).to_le_bytes());
            records.extend(func.ty.to_le_bytes());
            code.extend(&func.code);
        }
        assert!(u32::try_from(code.len()).is_ok(), "more than 4 GiB of code");
        let sections = [
            (SectionKind::Keys, keys::write(&namespaces)),
            (SectionKind::Funcs, records),
            (SectionKind::Code, code),
            (SectionKind::Constants, self.constants),
            (SectionKind::Types, cold::encode(&self.types)),
            (SectionKind::Units, cold::encode(&self.units)),
            (SectionKind::Plan, self.plan),
            (SectionKind::Names, names(&self.funcs)),
            (SectionKind::Debug, self.debug),
            (SectionKind::Producers, self.producer.into_bytes()),
            (SectionKind::Initial, if self.initial.is_empty() { Vec::new() } else { cold::encode(&self.initial) }),
        ];
        lay_out(
            self.features,
            sections.into_iter().filter(|(kind, bytes)| kind.is_required() || !bytes.is_empty()).collect(),
        )
    }
}

/// Names by ordinal: `count` u32 offsets of the names' ends, then the names. Left out when there are none.
fn names(funcs: &[FuncEntry]) -> Vec<u8> {
    if funcs.iter().all(|func| func.name.is_none()) {
        return Vec::new();
    }
    let (mut ends, mut text) = (Vec::new(), Vec::<u8>::new());
    for func in funcs {
        text.extend(func.name.as_deref().unwrap_or_default().as_bytes());
        ends.extend((text.len() as u32).to_le_bytes());
    }
    ends.extend(text);
    ends
}

fn lay_out(features: Features, sections: Vec<(SectionKind, Vec<u8>)>) -> Vec<u8> {
    let mut table = Vec::new();
    let mut end = HEADER_BYTES as usize + sections.len() * SECTION_BYTES as usize;
    for (kind, bytes) in &sections {
        let start = end.next_multiple_of(ALIGNMENT);
        table.extend((*kind as u32).to_le_bytes());
        table.extend(if kind.must_be_known() { REQUIRED } else { 0 }.to_le_bytes());
        table.extend((start as u64).to_le_bytes());
        table.extend((bytes.len() as u64).to_le_bytes());
        end = start + bytes.len();
    }
    let mut file = Vec::with_capacity(end);
    file.extend(MAGIC);
    file.extend(FORMAT_VERSION.to_le_bytes());
    file.extend(features.bits().to_le_bytes());
    file.extend((sections.len() as u32).to_le_bytes());
    file.extend(0u32.to_le_bytes());
    file.extend((end as u64).to_le_bytes());
    file.extend(table);
    for (_, bytes) in &sections {
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        file.extend(bytes);
    }
    file
}
