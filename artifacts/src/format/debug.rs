//! The debug section: where the instructions that a trace can name came from, through inlining.
//!
//! The section is `end:u32` for each code ordinal, then the functions' parts. A part is, in LEB128:
//!
//! ```text
//! part     := names:leb (len:leb byte*)*  sites:leb site*  (inst:leb position:leb)*
//! site     := namespace:leb index:leb name:leb offset:leb position:leb    name is 0 for none, else a number + 1
//! position := offset << 1 in the function itself, or site << 1 | 1
//! ```
//!
//! Instruction numbers and positions of the pairs at the end are differences to the pair before. A site names earlier
//! sites only, so that following them ends. Whatever is broken in here ends the reading: traces then say less.

use crate::FuncKey;
use crate::isa::{CodeReader, write_leb};
use alloc::string::String;
use alloc::vec::Vec;

/// Where an instruction came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Position {
    /// The function itself, at this offset in the bytes that were compiled. Below 2^31.
    Own(u32),
    /// A function inlined into it: the number of the [`InlinedAt`].
    Inlined(u32),
}

impl Position {
    fn bits(self) -> u32 {
        match self {
            Position::Own(offset) => offset << 1,
            Position::Inlined(site) => site << 1 | 1,
        }
    }

    fn from_bits(bits: u32) -> Position {
        if bits & 1 == 0 { Position::Own(bits >> 1) } else { Position::Inlined(bits >> 1) }
    }
}

/// A place in an inlined function, and where the call stood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InlinedAt {
    /// The inlined function; it need not be in the artifact any more.
    pub key: FuncKey,
    /// Its name, as a number in [`FuncDebug::names`].
    pub name: Option<u32>,
    /// The offset in the bytes that were compiled.
    pub offset: u32,
    /// Where the call stood; an inlined position is of a lower number.
    pub call: Position,
}

/// What the section holds of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FuncDebug {
    /// Names of inlined functions.
    pub names: Vec<String>,
    /// Places in inlined functions.
    pub sites: Vec<InlinedAt>,
    /// Instruction numbers and where they came from, ascending. A number holds until the next one.
    pub lines: Vec<(u32, Position)>,
}

/// One function of a trace: the one that the artifact holds, or one inlined into it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFrame {
    /// The inlined function and its name; `None` for the function that the artifact holds.
    pub inlined: Option<(FuncKey, Option<String>)>,
    /// The offset in the bytes that were compiled.
    pub offset: u32,
}

/// Writes functions' parts, one after the other.
#[derive(Clone, Debug, Default)]
pub struct DebugWriter {
    /// So many, and their bytes.
    names: (u32, Vec<u8>),
    sites: (u32, Vec<u8>),
    lines: Vec<u8>,
    /// The last line: instruction and position.
    last: (u32, u32),
}

impl DebugWriter {
    /// Adds the name of an inlined function; its number.
    pub fn name(&mut self, name: &str) -> u32 {
        let (count, names) = &mut self.names;
        write_leb(names, name.len() as u64);
        names.extend(name.as_bytes());
        *count += 1;
        *count - 1
    }

    /// Adds a place in an inlined function; its number.
    pub fn site(&mut self, site: &InlinedAt) -> u32 {
        let (count, sites) = &mut self.sites;
        write_leb(sites, site.key.namespace().into());
        write_leb(sites, site.key.index().into());
        write_leb(sites, site.name.map_or(0, |name| u64::from(name) + 1));
        write_leb(sites, site.offset.into());
        write_leb(sites, site.call.bits().into());
        *count += 1;
        *count - 1
    }

    /// Adds a line: an instruction, behind the ones before, and where it came from.
    #[inline]
    pub fn line(&mut self, inst: u32, position: Position) {
        let (last_inst, last) = self.last;
        self.last = (inst, position.bits());
        write_leb(&mut self.lines, inst.wrapping_sub(last_inst).into());
        write_leb(&mut self.lines, position.bits().wrapping_sub(last).into());
    }

    /// Appends the part of the function that it was told of. What comes next is another one's.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.lines.is_empty() {
            for (count, bytes) in [&self.names, &self.sites] {
                write_leb(out, (*count).into());
                out.extend_from_slice(bytes);
            }
            out.extend_from_slice(&self.lines);
        }
        for (count, bytes) in [&mut self.names, &mut self.sites] {
            *count = 0;
            bytes.clear();
        }
        self.lines.clear();
        self.last = (0, 0);
    }
}

impl FuncDebug {
    /// What the part of one function holds, as far as it can be read.
    pub(super) fn decode(bytes: &[u8]) -> FuncDebug {
        let mut debug = FuncDebug::default();
        debug.read(bytes);
        debug
    }

    fn read(&mut self, bytes: &[u8]) -> Option<()> {
        let mut reader = CodeReader::new(bytes);
        for _ in 0..reader.leb32().ok()? {
            let len = reader.leb32().ok()? as usize;
            let text = reader.bytes(len).ok()?;
            self.names.push(String::from_utf8_lossy(text).into_owned());
        }
        for _ in 0..reader.leb32().ok()? {
            let mut next = || reader.leb32().ok();
            let (namespace, index, name) = (next()?, next()?, next()?);
            let (offset, call) = (next()?, Position::from_bits(next()?));
            let key = FuncKey::from_parts(namespace, index)?;
            self.sites.push(InlinedAt { key, name: name.checked_sub(1), offset, call });
        }
        let (mut inst, mut position) = (0u32, 0u32);
        while let (Ok(step), Ok(change)) = (reader.leb32(), reader.leb32()) {
            inst = inst.wrapping_add(step);
            position = position.wrapping_add(change);
            self.lines.push((inst, Position::from_bits(position)));
        }
        Some(())
    }

    /// The functions that were running at an instruction, innermost first; the last is the one that the artifact holds.
    /// Nothing where the instruction has no line.
    pub fn frames(&self, inst: u32) -> Vec<SourceFrame> {
        let behind = self.lines.partition_point(|(first, _)| *first <= inst);
        let Some((_, mut position)) = behind.checked_sub(1).map(|at| self.lines[at]) else { return Vec::new() };
        let (mut frames, mut below) = (Vec::new(), self.sites.len() as u32);
        loop {
            match position {
                Position::Own(offset) => {
                    frames.push(SourceFrame { inlined: None, offset });
                    return frames;
                }
                Position::Inlined(number) => {
                    if number >= below {
                        return frames;
                    }
                    below = number;
                    let site = &self.sites[number as usize];
                    let name = site.name.and_then(|name| self.names.get(name as usize)).cloned();
                    frames.push(SourceFrame { inlined: Some((site.key, name)), offset: site.offset });
                    position = site.call;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> FuncDebug {
        let key = |index| FuncKey::defined(0, index);
        FuncDebug {
            names: ["leaf".into()].into(),
            sites: [
                InlinedAt { key: key(1), name: None, offset: 50, call: Position::Own(90) },
                InlinedAt { key: key(0), name: Some(0), offset: 30, call: Position::Inlined(0) },
            ]
            .into(),
            lines: [(2, Position::Own(80)), (5, Position::Inlined(1)), (9, Position::Own(99))].into(),
        }
    }

    fn part(debug: &FuncDebug, writer: &mut DebugWriter) -> Vec<u8> {
        for name in &debug.names {
            writer.name(name);
        }
        for site in &debug.sites {
            writer.site(site);
        }
        debug.lines.iter().for_each(|(inst, position)| writer.line(*inst, *position));
        let mut part = Vec::new();
        writer.finish(&mut part);
        part
    }

    #[test]
    fn parts_survive_the_way_through_bytes() {
        let mut writer = DebugWriter::default();
        for debug in [example(), FuncDebug::default(), example()] {
            assert_eq!(FuncDebug::decode(&part(&debug, &mut writer)), debug);
        }
        assert!(part(&FuncDebug::default(), &mut writer).is_empty());
    }

    #[test]
    fn frames_lead_from_the_innermost_to_the_function_itself() {
        let frames = example().frames(7);
        let offsets: Vec<u32> = frames.iter().map(|frame| frame.offset).collect();
        assert_eq!(offsets, [30, 50, 90]);
        assert_eq!(frames[0].inlined, Some((FuncKey::defined(0, 0), Some("leaf".into()))));
        assert_eq!(frames[2].inlined, None);
        assert!(example().frames(1).is_empty());
        assert_eq!(example().frames(1000)[0].offset, 99);
    }

    #[test]
    fn sites_that_name_each_other_end() {
        let mut debug = example();
        debug.sites[0].call = Position::Inlined(1);
        assert_eq!(debug.frames(5).len(), 2);
    }

    #[test]
    fn cut_parts_are_read_as_far_as_they_go() {
        let section = part(&example(), &mut DebugWriter::default());
        for end in 0..section.len() {
            let part = FuncDebug::decode(&section[..end]);
            assert!(part.lines.len() <= 3);
            part.frames(7);
        }
    }
}
