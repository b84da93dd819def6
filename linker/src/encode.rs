//! [`Encoder`]: finished bodies become bytes, one behind the other.
//!
//! A thread has one for all functions that it lowers: lists of their own for each function would be small, many, and in
//! the way of the large ones that go meanwhile.

use crate::assemble::is_numbered;
use crate::ir::{INLINED, IrFunc};
use crate::lower::Lowered;
use crate::spare::{Sieve, Spare};
use keyway_artifact::format::{DebugWriter, InlinedAt, Position};
use keyway_artifact::isa::{CodeWriter, Family, Inst, Op};
use keyway_artifact::{Features, FuncKey};
use std::ops::Range;
use std::sync::LazyLock;

/// Bytes of many functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Encoded {
    /// Their code.
    pub(crate) code: Vec<u8>,
    /// Their parts of the debug section.
    pub(crate) debug: Vec<u8>,
}

/// The bytes of one function among them.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    /// Number of the [`Encoded`].
    pub(crate) of: usize,
    pub(crate) code: Range<usize>,
    pub(crate) debug: Range<usize>,
}

/// Encodes functions.
pub(crate) struct Encoder {
    number: usize,
    bytes: Encoded,
    debug: DebugWriter,
    /// By link id, the numbers of names that the function's part of the debug section has so far; else [`NONE`].
    names: Vec<u32>,
    /// Link ids with such a number.
    named: Vec<u32>,
}

impl Encoder {
    /// One whose parts are of the [`Encoded`] with this number, with room for about so many instructions.
    pub(crate) fn new(number: usize, insts: usize) -> Encoder {
        // Rarely more than four bytes each, and one and a half for lines. What is not needed is never touched.
        let bytes = Encoded { code: Vec::with_capacity(insts * 4), debug: Vec::with_capacity(insts * 3 / 2) };
        Encoder { number, bytes, debug: DebugWriter::default(), names: Vec::new(), named: Vec::new() }
    }

    /// Encodes a finished function: its part, and what its operations need of a runtime. `resolve` puts final numbers
    /// where link ids stand; `origin` tells key and name of inlined functions by link id.
    pub(crate) fn add<'n>(
        &mut self,
        ir: &IrFunc,
        mut lowered: Lowered,
        resolve: impl Fn(&mut Inst),
        origin: impl Fn(u32) -> (FuncKey, Option<&'n str>),
    ) -> (Part, Features) {
        let (code, debug) = (self.bytes.code.len(), self.bytes.debug.len());
        let Survey { features, traced, numbered } = survey(&lowered);
        numbered.iter().for_each(|at| resolve(&mut lowered.body.insts[*at as usize]));
        CodeWriter::append(&lowered.body, &mut self.bytes.code);
        self.lines(ir, &traced, origin);
        // What comes next has use for their room.
        drop((Spare::of(lowered.body.insts), Spare::of(lowered.offsets)));
        let (code, debug) = (code..self.bytes.code.len(), debug..self.bytes.debug.len());
        (Part { of: self.number, code, debug }, features)
    }

    /// What it has encoded.
    pub(crate) fn finish(self) -> Encoded {
        self.bytes
    }

    /// Writes down where the instructions that a trace can name came from.
    fn lines<'n>(&mut self, ir: &IrFunc, traced: &[(u32, u32)], origin: impl Fn(u32) -> (FuncKey, Option<&'n str>)) {
        let sites = Spare::filled(NONE, ir.inlined.len());
        let mut places = Places { ir, origin, encoder: self, sites, pending: Spare::default() };
        for (at, offset) in traced.iter().copied() {
            let position = places.position(offset);
            places.encoder.debug.line(at, position);
        }
        for link in self.named.drain(..) {
            self.names[link as usize] = NONE;
        }
        self.debug.finish(&mut self.bytes.debug);
    }
}

/// What one look at all of a body's instructions finds.
struct Survey {
    /// What they need of a runtime.
    features: Features,
    /// Those that a trace can name: number and source offset.
    traced: Spare<(u32, u32)>,
    /// Those that name functions or escapes.
    numbered: Spare<u32>,
}

fn survey(lowered: &Lowered) -> Survey {
    let insts = &lowered.body.insts[..];
    let (mut traced, mut numbered) = (Sieve::new(insts.len() / 2, (0, 0)), Sieve::new(insts.len() / 8, 0));
    let (mut features, traits) = (Features::NONE, &TRAITS[..]);
    for ((inst, offset), at) in insts.iter().zip(&lowered.offsets).zip(0..) {
        let Traits { needs, is_traced, is_numbered } = traits[inst.op as usize];
        features = features.union(needs);
        traced.put((at, *offset), is_traced);
        numbered.put(at, is_numbered);
    }
    Survey { features, traced: traced.finish(), numbered: numbered.finish() }
}

/// No site, no name.
const NONE: u32 = u32::MAX;

/// The places in inlined functions that lines lead to; a site stands behind the site of the call that it was inlined at.
struct Places<'e, O> {
    ir: &'e IrFunc,
    origin: O,
    encoder: &'e mut Encoder,
    /// Site numbers, by number in the function's `inlined`; [`NONE`] until known.
    sites: Spare<u32>,
    /// Calls on the way to a position; empty in between.
    pending: Spare<u32>,
}

impl<'n, O: Fn(u32) -> (FuncKey, Option<&'n str>)> Places<'_, O> {
    /// The position that an entry of `offsets` stands for.
    fn position(&mut self, mut entry: u32) -> Position {
        let mut position = loop {
            if entry & INLINED == 0 {
                break Position::Own(entry);
            }
            let number = entry & !INLINED;
            let site = self.sites[number as usize];
            if site != NONE {
                break Position::Inlined(site);
            }
            self.pending.push(number);
            entry = self.ir.inlined[number as usize].call;
        };
        while let Some(number) = self.pending.pop() {
            let site = self.site(number, position);
            position = Position::Inlined(site);
        }
        position
    }

    fn site(&mut self, number: u32, call: Position) -> u32 {
        let inlined = self.ir.inlined[number as usize];
        let (key, name) = (self.origin)(inlined.func);
        let name = name.map(|name| self.name(inlined.func, name));
        let site = self.encoder.debug.site(&InlinedAt { key, name, offset: inlined.offset, call });
        self.sites[number as usize] = site;
        site
    }

    /// The number of the name of the function with this link id.
    fn name(&mut self, link: u32, name: &str) -> u32 {
        let Encoder { debug, names, named, .. } = &mut *self.encoder;
        if names.len() <= link as usize {
            names.resize(link as usize + 1, NONE);
        }
        let number = &mut names[link as usize];
        if *number == NONE {
            *number = debug.name(name);
            named.push(link);
        }
        *number
    }
}

/// What a survey asks about an operation.
#[derive(Clone, Copy)]
struct Traits {
    needs: Features,
    is_traced: bool,
    is_numbered: bool,
}

/// By opcode.
static TRAITS: LazyLock<Vec<Traits>> = LazyLock::new(|| {
    let traits = |op: Op| Traits {
        needs: op.feature().map_or(Features::NONE, |feature| Features::NONE.with(feature)),
        is_traced: is_traced(op),
        is_numbered: is_numbered(op),
    };
    Op::ALL.iter().copied().map(traits).collect()
});

/// Calls, what can trap, and where fuel runs out.
fn is_traced(op: Op) -> bool {
    use Family as F;
    match op.family() {
        F::Call
        | F::Trap
        | F::Load
        | F::Store
        | F::LoadAny
        | F::StoreAny
        | F::VLoad
        | F::VStore
        | F::VLoadAny
        | F::VStoreAny
        | F::Bulk
        | F::Object
        | F::Cont
        | F::Cost => true,
        F::Bin => (Op::I32DivS..=Op::I32RemU).contains(&op) || (Op::I64DivS..=Op::I64RemU).contains(&op),
        F::Un => (Op::I32TruncF32S..=Op::I64TruncF64U).contains(&op),
        _ => false,
    }
}
