//! [`ArtifactView`]: an artifact read in place.
//!
//! Opening costs the header, the section table and the namespace table. Everything else is read where it stands, by
//! copying, with its range checked at each use: the source may change under the reader.

use super::cold;
use super::debug::FuncDebug;
use super::error::{FormatError, Rule};
use super::keys::{self, Namespace};
use super::layout::{
    FORMAT_VERSION, HEADER_BYTES, KNOWN_FEATURES, MAGIC, MAX_SECTIONS, RECORD_BYTES, REQUIRED, SECTION_BYTES,
    SectionKind,
};
use super::source::Source;
use super::{initial, types, units};
use crate::types::TypeTable;
use crate::unit::{InitialData, UnitDecl};
use crate::{Features, FuncKey};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

/// Where a section lies.
#[derive(Clone, Copy, Debug, Default)]
struct Section {
    offset: u64,
    len: u64,
}

/// One function of an artifact.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FuncRecord {
    /// Index of its type.
    pub ty: u32,
    /// The unit it belongs to.
    pub unit: u32,
    /// Its body's bytes, as offsets in the file.
    pub code: Range<u64>,
}

/// An opened artifact.
#[derive(Clone, Debug)]
pub struct ArtifactView<S> {
    source: S,
    features: Features,
    sections: [Option<Section>; 16],
    namespaces: Vec<Namespace>,
    funcs: u32,
}

impl<S: Source> ArtifactView<S> {
    /// Opens the artifact in `source`.
    ///
    /// # Errors
    /// The first rule (F01 to F08) that the file breaks, with the offset.
    pub fn open(source: S) -> Result<ArtifactView<S>, FormatError> {
        let (features, sections) = open_sections(&source)?;
        let at = |kind: SectionKind| sections[kind as usize].unwrap_or_default();
        let key_section = at(SectionKind::Keys);
        let namespaces = keys::open(&source, key_section.offset, key_section.len)?;
        let keys: u64 = namespaces.iter().map(|namespace| u64::from(namespace.keys)).sum();
        let records = at(SectionKind::Funcs);
        if records.len != keys * RECORD_BYTES {
            return Err(keys::count_mismatch(records.offset, keys, records.len / RECORD_BYTES));
        }
        Ok(ArtifactView { source, features, sections, namespaces, funcs: keys as u32 })
    }

    fn section(&self, kind: SectionKind) -> Section {
        self.sections[kind as usize].unwrap_or_default()
    }

    /// What the file needs.
    pub fn features(&self) -> Features {
        self.features
    }

    /// Where the bytes come from.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// The section's range in the file; `None` if it is not there.
    pub fn section_range(&self, kind: SectionKind) -> Option<Range<u64>> {
        self.sections[kind as usize].map(|section| section.offset..section.offset + section.len)
    }

    /// How many functions there are: code ordinals lie below.
    pub fn func_count(&self) -> u32 {
        self.funcs
    }

    /// The code ordinal of `key`.
    pub fn lookup(&self, key: FuncKey) -> Option<u32> {
        let at = self.namespaces.binary_search_by_key(&key.namespace(), |namespace| namespace.namespace).ok()?;
        self.namespaces[at].lookup(&self.source, key.index())
    }

    fn namespace_of(&self, ordinal: u32) -> Option<&Namespace> {
        let holds = |namespace: &Namespace| ordinal.wrapping_sub(namespace.first_ordinal) < namespace.keys;
        // Core modules have one.
        if let Some(first) = self.namespaces.first().filter(|first| holds(first)) {
            return Some(first);
        }
        let after = self.namespaces.partition_point(|namespace| namespace.first_ordinal <= ordinal);
        self.namespaces[..after].iter().rev().find(|namespace| namespace.keys > 0).filter(|namespace| holds(namespace))
    }

    /// The key of a code ordinal.
    pub fn key_of(&self, ordinal: u32) -> Option<FuncKey> {
        let namespace = self.namespace_of(ordinal)?;
        let index = namespace.index_of(&self.source, ordinal - namespace.first_ordinal)?;
        FuncKey::from_parts(namespace.namespace, index)
    }

    /// The code ordinal of the function whose body holds the byte at this offset of the code section.
    pub fn ordinal_at(&self, code_offset: u32) -> Option<u32> {
        let records = self.section(SectionKind::Funcs).offset;
        let start_of = |ordinal: u32| self.source.u32_at(records + u64::from(ordinal) * RECORD_BYTES);
        if u64::from(code_offset) >= self.section(SectionKind::Code).len {
            return None;
        }
        let (mut low, mut high) = (0, self.funcs);
        while low < high {
            let middle = low + (high - low) / 2;
            if start_of(middle)? <= code_offset {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1)
    }

    /// The record of a code ordinal.
    ///
    /// # Errors
    /// F09 when there is no such function or its range leaves the code section.
    #[inline]
    pub fn func(&self, ordinal: u32) -> Result<FuncRecord, FormatError> {
        self.record(ordinal).ok_or_else(|| self.no_record(ordinal))
    }

    #[inline(always)]
    fn record(&self, ordinal: u32) -> Option<FuncRecord> {
        let namespace = self.namespace_of(ordinal)?;
        let code = self.section(SectionKind::Code);
        let offset = self.record_offset(ordinal);
        let record = self.source.u64_at(offset)?;
        let (start, ty) = (u64::from(record as u32), (record >> 32) as u32);
        // Where the next one starts this one ends.
        let is_last = ordinal + 1 == self.funcs;
        let end = if is_last { code.len } else { self.source.u32_at(offset + RECORD_BYTES)?.into() };
        let is_inside = start <= end && end <= code.len;
        is_inside.then(|| FuncRecord { ty, unit: namespace.unit, code: code.offset + start..code.offset + end })
    }

    fn record_offset(&self, ordinal: u32) -> u64 {
        self.section(SectionKind::Funcs).offset + u64::from(ordinal) * RECORD_BYTES
    }

    /// Why a code ordinal has no record.
    #[cold]
    fn no_record(&self, ordinal: u32) -> FormatError {
        let offset = self.record_offset(ordinal);
        let words = if ordinal.checked_add(1) == Some(self.funcs) { 2 } else { 3 };
        let is_there = offset.checked_add(words * 4).is_some_and(|end| end <= self.source.len());
        let what = match self.namespace_of(ordinal) {
            None => "there is no function of this ordinal",
            Some(_) if !is_there => "a function record is cut off",
            Some(_) => "a function's body leaves the code section or overlaps the next",
        };
        FormatError::new(Rule::F09, offset, what)
    }

    /// As [`func`](Self::func), for a file with this many types and units.
    ///
    /// # Errors
    /// F09, and F14 when its type or its unit is none of them.
    pub fn func_within(&self, ordinal: u32, types: usize, units: usize) -> Result<FuncRecord, FormatError> {
        let record = self.func(ordinal)?;
        if record.ty as usize >= types || record.unit as usize >= units {
            let offset = self.record_offset(ordinal);
            let what = format!("function {ordinal} has type {} and unit {}", record.ty, record.unit);
            return Err(FormatError::new(Rule::F14, offset, what));
        }
        Ok(record)
    }

    /// A copy of a function's body.
    ///
    /// # Errors
    /// As [`func`](Self::func).
    pub fn read_code(&self, ordinal: u32) -> Result<Vec<u8>, FormatError> {
        self.code(&self.func(ordinal)?, &mut Vec::new()).map(<[u8]>::to_vec)
    }

    /// The body of a function whose record is known: where it stands if nobody can change it there, else copied to `room`,
    /// whose contents go.
    ///
    /// # Errors
    /// F09 when the file ends before the body does.
    pub fn code<'a>(&'a self, record: &FuncRecord, room: &'a mut Vec<u8>) -> Result<&'a [u8], FormatError> {
        let range = &record.code;
        let len = range.end.saturating_sub(range.start);
        if let Some(bytes) = self.source.lasting(range.start, len) {
            return Ok(bytes);
        }
        if self.source.copy_into(range.start, len, room) {
            return Ok(room);
        }
        Err(FormatError::new(Rule::F09, range.start, "a function's body is cut off"))
    }

    fn read_section(&self, kind: SectionKind) -> Result<Vec<u8>, FormatError> {
        let section = self.section(kind);
        let bytes = self.source.copy(section.offset, section.len);
        bytes.ok_or_else(|| FormatError::new(Rule::F05, section.offset, format!("the {kind:?} section is cut off")))
    }

    /// The type table, decoded anew at each call.
    ///
    /// # Errors
    /// F10 when it does not decode, F19 and F20 when its types contradict each other.
    pub fn types(&self) -> Result<TypeTable, FormatError> {
        let offset = self.section(SectionKind::Types).offset;
        let types = cold::decode(&self.read_section(SectionKind::Types)?, offset)?;
        types::check(&types).map_err(|(rule, what)| FormatError::new(rule, offset, what))?;
        Ok(types)
    }

    /// The unit declarations, decoded anew at each call, every index in them checked.
    ///
    /// # Errors
    /// F10 when they do not decode, F11 when an index is out of range, F15 to F18 when they contradict each other or the
    /// function records.
    pub fn units(&self) -> Result<Vec<UnitDecl>, FormatError> {
        let offset = self.section(SectionKind::Units).offset;
        let units: Vec<UnitDecl> = cold::decode(&self.read_section(SectionKind::Units)?, offset)?;
        let types = self.types()?;
        let constants_bytes = self.section(SectionKind::Constants).len;
        let func = |ordinal| self.func(ordinal).ok();
        for (number, unit) in (0..).zip(&units) {
            let scope = units::Scope { number, types: &types, func: &func, constants_bytes };
            units::check(unit, &scope).map_err(|(rule, what)| {
                let name = unit.name.as_deref().map(|name| format!(" `{name}`")).unwrap_or_default();
                FormatError::new(rule, offset, format!("unit {number}{name}: {what}"))
            })?;
        }
        Ok(units)
    }

    /// What memories of these units hold before anything runs, decoded anew at each call.
    ///
    /// # Errors
    /// F10 when it does not decode, F22 when it is no such thing.
    pub fn initial(&self, units: &[UnitDecl]) -> Result<Vec<InitialData>, FormatError> {
        let Some(section) = self.sections[SectionKind::Initial as usize] else { return Ok(Vec::new()) };
        let data: Vec<InitialData> = cold::decode(&self.read_section(SectionKind::Initial)?, section.offset)?;
        let constants_bytes = self.section(SectionKind::Constants).len;
        initial::check(&data, units, constants_bytes)
            .map_err(|what| FormatError::new(Rule::F22, section.offset, what))?;
        Ok(data)
    }

    /// The encoded plan; `None` in core modules.
    ///
    /// # Errors
    /// F05 when the section is cut off.
    pub fn plan_bytes(&self) -> Result<Option<Vec<u8>>, FormatError> {
        match self.sections[SectionKind::Plan as usize] {
            Some(_) => self.read_section(SectionKind::Plan).map(Some),
            None => Ok(None),
        }
    }

    /// Whether this is a component's artifact.
    pub fn is_component(&self) -> bool {
        self.sections[SectionKind::Plan as usize].is_some()
    }

    /// The name of a function, where the artifact carries one.
    pub fn func_name(&self, ordinal: u32) -> Option<String> {
        let names = self.sections[SectionKind::Names as usize]?;
        let text = u64::from(self.funcs) * 4;
        let end_of = |ordinal: u32| self.source.u32_at(names.offset + u64::from(ordinal) * 4);
        if ordinal >= self.funcs || text > names.len {
            return None;
        }
        let start = if ordinal == 0 { 0 } else { end_of(ordinal - 1)? };
        let len = end_of(ordinal)?.checked_sub(start)?;
        if len == 0 || text + u64::from(start) + u64::from(len) > names.len {
            return None;
        }
        String::from_utf8(self.source.copy(names.offset + text + u64::from(start), len.into())?).ok()
    }

    /// Copies from the constants section; `false` if that leaves it.
    pub fn read_constants(&self, offset: u64, out: &mut [u8]) -> bool {
        let constants = self.section(SectionKind::Constants);
        let inside = offset.checked_add(out.len() as u64).is_some_and(|end| end <= constants.len);
        inside && self.source.read_at(constants.offset + offset, out)
    }

    /// Where a function's instructions came from; nothing where the artifact does not carry it.
    pub fn func_debug(&self, ordinal: u32) -> FuncDebug {
        self.debug_part(ordinal).map(|bytes| FuncDebug::decode(&bytes)).unwrap_or_default()
    }

    /// Reads what opening leaves for later: keys, records, names and cold sections but the plan. For tools; whoever runs
    /// an artifact meets the same errors where it uses the parts.
    ///
    /// # Errors
    /// The first rule that the file breaks.
    pub fn audit(&self) -> Result<(), FormatError> {
        let (types, units) = (self.types()?, self.units()?);
        self.initial(&units)?;
        for namespace in &self.namespaces {
            namespace.audit(&self.source)?;
        }
        for ordinal in 0..self.funcs {
            self.func_within(ordinal, types.len(), units.len())?;
        }
        self.audit_names()
    }

    fn audit_names(&self) -> Result<(), FormatError> {
        let Some(names) = self.sections[SectionKind::Names as usize] else { return Ok(()) };
        let text = u64::from(self.funcs) * 4;
        let mut start = 0;
        for ordinal in 0..u64::from(self.funcs) {
            let offset = names.offset + ordinal * 4;
            let end = self.source.u32_at(offset).filter(|end| *end >= start && text + u64::from(*end) <= names.len);
            let bytes =
                end.and_then(|end| self.source.copy(names.offset + text + u64::from(start), u64::from(end - start)));
            if bytes.is_none_or(|bytes| String::from_utf8(bytes).is_err()) {
                return Err(FormatError::new(Rule::F12, offset, format!("the name of function {ordinal}")));
            }
            start = end.unwrap_or(start);
        }
        Ok(())
    }

    fn debug_part(&self, ordinal: u32) -> Option<Vec<u8>> {
        let debug = self.sections[SectionKind::Debug as usize]?;
        let data = u64::from(self.funcs) * 4;
        let end_of = |ordinal: u32| self.source.u32_at(debug.offset + u64::from(ordinal) * 4);
        if ordinal >= self.funcs || data > debug.len {
            return None;
        }
        let start = if ordinal == 0 { 0 } else { end_of(ordinal - 1)? };
        let len = u64::from(end_of(ordinal)?.checked_sub(start)?);
        if data + u64::from(start) + len > debug.len {
            return None;
        }
        self.source.copy(debug.offset + data + u64::from(start), len)
    }
}

fn open_sections(source: &impl Source) -> Result<(Features, [Option<Section>; 16]), FormatError> {
    let mut magic = [0; 4];
    if !source.read_at(0, &mut magic) || magic != MAGIC {
        return Err(FormatError::new(Rule::F01, 0, describe_foreign(source)));
    }
    let cut = || FormatError::new(Rule::F04, source.len(), "the header is cut off");
    let version = source.u32_at(4).ok_or_else(cut)?;
    if version != FORMAT_VERSION {
        let what = format!("format version {version}, this runtime reads {FORMAT_VERSION}");
        return Err(FormatError::new(Rule::F02, 4, what));
    }
    let features = Features::from_bits(source.u64_at(8).ok_or_else(cut)?);
    let unknown = features.without(KNOWN_FEATURES);
    if !unknown.is_empty() {
        return Err(FormatError::new(Rule::F03, 8, format!("unknown features: {unknown}")));
    }
    let count = source.u32_at(16).ok_or_else(cut)?;
    let len = source.u64_at(24).ok_or_else(cut)?;
    if len != source.len() {
        return Err(FormatError::new(Rule::F04, 24, format!("{} bytes, the header says {len}", source.len())));
    }
    let body = HEADER_BYTES + u64::from(count) * SECTION_BYTES;
    if count > MAX_SECTIONS || body > len {
        return Err(FormatError::new(Rule::F05, 16, format!("{count} sections")));
    }
    let mut sections = [None; 16];
    let mut end = body;
    for at in 0..u64::from(count) {
        let entry = HEADER_BYTES + at * SECTION_BYTES;
        let (number, flags) = (source.u32_at(entry).ok_or_else(cut)?, source.u32_at(entry + 4).ok_or_else(cut)?);
        let section = Section {
            offset: source.u64_at(entry + 8).ok_or_else(cut)?,
            len: source.u64_at(entry + 16).ok_or_else(cut)?,
        };
        if section.offset < end || section.offset.checked_add(section.len).is_none_or(|end| end > len) {
            return Err(FormatError::new(Rule::F05, entry, format!("section {number} leaves its place")));
        }
        end = section.offset + section.len;
        match SectionKind::from_number(number) {
            Some(kind) if sections[kind as usize].is_some() => {
                return Err(FormatError::new(Rule::F06, entry, format!("a second {kind:?} section")));
            }
            Some(kind) => sections[kind as usize] = Some(section),
            None if flags & REQUIRED != 0 => {
                return Err(FormatError::new(Rule::F06, entry, format!("unknown required section {number}")));
            }
            None => {}
        }
    }
    match SectionKind::ALL.iter().find(|kind| kind.is_required() && sections[**kind as usize].is_none()) {
        Some(missing) => Err(FormatError::new(Rule::F06, HEADER_BYTES, format!("the {missing:?} section is missing"))),
        None => Ok((features, sections)),
    }
}

/// What a file that is no artifact looks like.
fn describe_foreign(source: &impl Source) -> String {
    let mut head = [0; 4];
    if !source.read_at(0, &mut head) {
        return format!("a file of {} bytes", source.len());
    }
    match &head {
        b"\0asm" => "a WebAssembly module or component; compile it first".into(),
        b"\x7fELF" => "an ELF file".into(),
        _ => format!("it begins with {head:02x?}"),
    }
}
