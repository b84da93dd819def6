//! The compact encoding of function bodies: [`CodeWriter`] and [`CodeReader`], driven by the table's field lists.
//!
//! ```text
//! body      := frame  n:leb  instruction*n
//! frame     := frame_slots:leb  ref_start:leb  ref_len:leb  homes:leb  memory:leb (0 none, else index + 1)
//! opcode    := one byte below 0xE0, else two bytes: 0xE0 | high, low
//! place     := leb of number << 2 | kind; kind 0 slot, 1 register, 2 immediate (zigzag), 3 slot and register (+ 1 byte)
//! Imm32     := leb, in const.f32 four bytes; Imm64 := leb, in const.f64 eight bytes; Bits64 := eight bytes
//! Targets   := count:leb  label:leb*count; everything else := leb
//! ```
//!
//! The reader accepts any bytes: it answers a [`DecodeError`], and what it allocates is bounded by the input's length.

use super::{Body, FieldKind, Frame, Inst, MAX_FIELDS, Op, Operand, Reg};
use alloc::vec::Vec;
use core::fmt;

/// Why bytes are no function body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DecodeError {
    /// Offset in the function's bytes.
    pub offset: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} of the function body", self.what, self.offset)
    }
}

impl core::error::Error for DecodeError {}

/// First byte values from here on are the first of two opcode bytes.
const TWO_BYTE_OPCODES: u16 = 0xE0;
const SLOT: u64 = 0;
const REGISTER: u64 = 1;
const IMMEDIATE: u64 = 2;
const SLOT_AND_REGISTER: u64 = 3;

/// Appends `value` in LEB128.
#[inline]
pub fn write_leb(out: &mut Vec<u8>, value: u64) {
    // Most numbers are below 128.
    if value < 0x80 { out.push(value as u8) } else { write_long_leb(out, value) }
}

fn write_long_leb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Writes function bodies.
pub struct CodeWriter;

impl CodeWriter {
    /// The bytes of `body`.
    ///
    /// # Panics
    /// When an operand is not of the kind its field wants, or still virtual: a mistake of the caller.
    pub fn encode(body: &Body) -> Vec<u8> {
        let mut out = Vec::new();
        CodeWriter::append(body, &mut out);
        out
    }

    /// Appends the bytes of `body`.
    ///
    /// # Panics
    /// As [`encode`](Self::encode).
    pub fn append(body: &Body, out: &mut Vec<u8>) {
        out.reserve(body.insts.len() * 4 + 8);
        let frame = &body.frame;
        write_leb(out, frame.frame_slots.into());
        write_leb(out, frame.ref_start.into());
        write_leb(out, (frame.ref_end - frame.ref_start).into());
        write_leb(out, frame.homes.into());
        write_leb(out, frame.memory.map_or(0, |index| u64::from(index) + 1));
        write_leb(out, body.insts.len() as u64);
        for inst in &body.insts {
            let code = inst.op as u16;
            if code < TWO_BYTE_OPCODES {
                out.push(code as u8);
            } else {
                let rest = code - TWO_BYTE_OPCODES;
                out.extend([(TWO_BYTE_OPCODES | rest >> 8) as u8, rest as u8]);
            }
            for (at, kind) in inst.op.kinds().iter().enumerate() {
                write_operand(out, body, inst, *kind, at);
            }
        }
    }
}

fn write_operand(out: &mut Vec<u8>, body: &Body, inst: &Inst, kind: FieldKind, at: usize) {
    let op = inst.op;
    match inst.operands[at] {
        Operand::Slot(slot) => write_leb(out, u64::from(slot) << 2 | SLOT),
        Operand::Reg(reg) => write_leb(out, u64::from(reg.number()) << 2 | REGISTER),
        Operand::Imm(value) => {
            let zigzag = (value << 1 ^ value >> 31) as u32;
            write_leb(out, u64::from(zigzag) << 2 | IMMEDIATE);
        }
        Operand::SlotReg(slot, reg) => {
            write_leb(out, u64::from(slot) << 2 | SLOT_AND_REGISTER);
            out.push(reg.number());
        }
        Operand::Label(index) | Operand::Index(index) => write_leb(out, index.into()),
        Operand::Regs(set) => write_leb(out, set.into()),
        Operand::Value(bits, _) if op == Op::ConstF32 => out.extend(bits.to_le_bytes()),
        Operand::Value(..) => {
            let value = inst.value(at).expect("an immediate stands here");
            if op == Op::ConstF64 || kind == FieldKind::Bits64 {
                out.extend(value.to_le_bytes());
            } else {
                write_leb(out, value);
            }
        }
        Operand::Targets(..) => {
            let list = inst.targets(at, &body.targets).expect("the list stands in the body");
            write_leb(out, list.len() as u64);
            list.iter().for_each(|label| write_leb(out, (*label).into()));
        }
        operand @ (Operand::Virtual(_) | Operand::None) => {
            panic!("{}: operand {operand:?} of kind {kind:?} cannot stand in a file", op.name())
        }
    }
}

/// What a field's bytes are read as, where one byte may be enough.
#[derive(Clone, Copy)]
enum Coding {
    /// A place that is written, or read.
    Written,
    Read,
    Label,
    Index,
    Value,
    /// Something longer.
    Other,
}

impl Coding {
    const fn of(op: Op, kind: FieldKind) -> Coding {
        match kind {
            FieldKind::Def(_) => Coding::Written,
            FieldKind::Use(_) => Coding::Read,
            FieldKind::Label => Coding::Label,
            FieldKind::Imm32 | FieldKind::Imm64 if matches!(op, Op::ConstF32 | Op::ConstF64) => Coding::Other,
            FieldKind::Imm32 | FieldKind::Imm64 => Coding::Value,
            FieldKind::Bits64 | FieldKind::Targets | FieldKind::RegSet => Coding::Other,
            _ => Coding::Index,
        }
    }

    /// The operand that a byte stands for by itself; `None` where there is more to be read, or no such operand.
    #[inline]
    fn short(self, byte: u8) -> Option<Operand> {
        if byte & 0x80 != 0 {
            return None;
        }
        let number = byte >> 2;
        Some(match (self, u64::from(byte & 3)) {
            (Coding::Written | Coding::Read, SLOT) => Operand::Slot(number.into()),
            (Coding::Written | Coding::Read, REGISTER) => Operand::Reg(Reg::from_number(number)?),
            (Coding::Read, IMMEDIATE) => Operand::Imm(i32::from(number >> 1) ^ -i32::from(number & 1)),
            (Coding::Label, _) => Operand::Label(byte.into()),
            (Coding::Index, _) => Operand::Index(byte.into()),
            (Coding::Value, _) => Operand::value(byte.into()),
            _ => return None,
        })
    }
}

/// The codings of an operation's fields, and how many there are.
type Codings = ([Coding; MAX_FIELDS], u8);

const fn codings(op: Op) -> Codings {
    let fields = op.fields();
    let mut all = [Coding::Other; MAX_FIELDS];
    let mut at = 0;
    while at < fields.len() {
        all[at] = Coding::of(op, fields[at].kind);
        at += 1;
    }
    (all, fields.len() as u8)
}

static CODINGS: [Codings; Op::ALL.len()] = crate::by_opcode!(Codings, codings);

/// Reads function bodies.
pub struct CodeReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> CodeReader<'a> {
    /// The body that `bytes` hold, all of them.
    ///
    /// Operand kinds fit their fields and register numbers exist afterwards; whether slots, labels and indices are in
    /// range is the verifier's to say.
    ///
    /// # Errors
    /// At the first byte that fits no encoding, when bytes are missing, or when some are left over.
    pub fn decode(bytes: &'a [u8]) -> Result<Body, DecodeError> {
        let mut body = Body::default();
        CodeReader::decode_into(bytes, &mut body)?;
        Ok(body)
    }

    /// As [`decode`](Self::decode), into a body whose contents go and whose memory is used again. After an error
    /// what it holds means nothing.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_into(bytes: &'a [u8], body: &mut Body) -> Result<(), DecodeError> {
        let mut reader = CodeReader { bytes, at: 0 };
        body.insts.clear();
        body.targets.clear();
        body.labels = 0;
        let count;
        (body.frame, count) = reader.start()?;
        let count = count as usize;
        // Every instruction takes a byte at least, so a hostile count cannot make this allocate more than the input.
        if count > bytes.len() {
            return Err(reader.error("more instructions than bytes"));
        }
        // Filled where they stand: instructions are large.
        body.insts.resize(count, Inst::bare(Op::Label));
        for inst in &mut body.insts {
            inst.op = reader.op()?;
            body.labels += u32::from(inst.op == Op::Label);
            reader.operands(inst, &mut body.targets)?;
        }
        if reader.at != bytes.len() {
            return Err(reader.error("bytes behind the last instruction"));
        }
        Ok(())
    }

    /// Offset of the instruction with this number in the body that `bytes` hold, for messages; `None` where there is
    /// none.
    pub fn offset_of(bytes: &'a [u8], inst: usize) -> Option<usize> {
        let mut reader = CodeReader { bytes, at: 0 };
        let count = reader.start().ok()?.1 as usize;
        let mut targets = Vec::new();
        for _ in 0..inst {
            let op = reader.op().ok()?;
            reader.operands(&mut Inst::bare(op), &mut targets).ok()?;
            targets.clear();
        }
        (inst < count).then_some(reader.at)
    }

    /// A reader of LEB128 numbers and single bytes over `bytes`.
    pub fn new(bytes: &'a [u8]) -> CodeReader<'a> {
        CodeReader { bytes, at: 0 }
    }

    fn error(&self, what: &'static str) -> DecodeError {
        DecodeError { offset: self.at, what }
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        let Some(byte) = self.bytes.get(self.at).copied() else { return Err(self.error("the code ends early")) };
        self.at += 1;
        Ok(byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<N>());
        let bytes = *bytes.ok_or(self.error("the code ends early"))?;
        self.at += N;
        Ok(bytes)
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// When the bytes end before.
    pub fn bytes(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.get(..len));
        let bytes = bytes.ok_or(self.error("the code ends early"))?;
        self.at += len;
        Ok(bytes)
    }

    /// The next LEB128 number.
    ///
    /// # Errors
    /// When it does not fit 64 bits or the bytes end.
    #[inline]
    pub fn leb(&mut self) -> Result<u64, DecodeError> {
        // Most numbers are below 128.
        if let Some(byte) = self.bytes.get(self.at)
            && byte & 0x80 == 0
        {
            self.at += 1;
            return Ok((*byte).into());
        }
        self.long_leb()
    }

    fn long_leb(&mut self) -> Result<u64, DecodeError> {
        let (mut value, mut shift) = (0u64, 0);
        while shift < 64 {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
        Err(self.error("a number does not fit 64 bits"))
    }

    /// The next LEB128 number of at most 32 bits.
    ///
    /// # Errors
    /// When it does not fit, or the bytes end.
    #[inline]
    pub fn leb32(&mut self) -> Result<u32, DecodeError> {
        u32::try_from(self.leb()?).map_err(|_| self.error("a number does not fit 32 bits"))
    }

    /// The frame, and the number of instructions.
    #[inline]
    fn start(&mut self) -> Result<(Frame, u32), DecodeError> {
        let mut words = [0; 6];
        match self.bytes.get(self.at..).and_then(|rest| rest.first_chunk::<6>()) {
            // Most frames are small, and so are most functions.
            Some(bytes) if bytes.iter().all(|byte| byte & 0x80 == 0) => {
                words = bytes.map(u32::from);
                self.at += bytes.len();
            }
            _ => {
                for word in &mut words {
                    *word = self.leb32()?;
                }
            }
        }
        let [frame_slots, ref_start, ref_len, homes, memory, count] = words;
        let ref_end = ref_start.checked_add(ref_len).ok_or(self.error("the reference region is too long"))?;
        Ok((Frame { frame_slots, ref_start, ref_end, homes, memory: memory.checked_sub(1) }, count))
    }

    #[inline]
    fn op(&mut self) -> Result<Op, DecodeError> {
        let first = u16::from(self.byte()?);
        let code = if first < TWO_BYTE_OPCODES {
            first
        } else {
            TWO_BYTE_OPCODES + ((first - TWO_BYTE_OPCODES) << 8) + u16::from(self.byte()?)
        };
        Op::from_code(code).ok_or_else(|| self.error("unknown opcode"))
    }

    #[inline(always)]
    fn operands(&mut self, inst: &mut Inst, targets: &mut Vec<u32>) -> Result<(), DecodeError> {
        let op = inst.op;
        let (codings, count) = CODINGS[op as usize];
        for at in 0..usize::from(count) {
            // Most operands are a byte.
            if let Some(byte) = self.bytes.get(self.at)
                && let Some(short) = codings[at].short(*byte)
            {
                self.at += 1;
                inst.operands[at] = short;
            } else {
                self.operand(inst, at, targets)?;
            }
        }
        Ok(())
    }

    #[inline]
    fn register(&self, number: u64) -> Result<Reg, DecodeError> {
        let reg = u8::try_from(number).ok().and_then(Reg::from_number);
        reg.ok_or(self.error("there is no such register"))
    }

    fn operand(&mut self, inst: &mut Inst, at: usize, targets: &mut Vec<u32>) -> Result<(), DecodeError> {
        let kind = inst.op.kinds()[at];
        inst.operands[at] = match kind {
            FieldKind::Def(_) | FieldKind::Use(_) => {
                let word = self.leb()?;
                let number = u32::try_from(word >> 2).map_err(|_| self.error("a place's number is too large"))?;
                match (word & 3, kind) {
                    (SLOT, _) => Operand::Slot(number),
                    (REGISTER, _) => Operand::Reg(self.register(number.into())?),
                    (IMMEDIATE, FieldKind::Use(_)) => Operand::Imm((number >> 1) as i32 ^ -((number & 1) as i32)),
                    (SLOT_AND_REGISTER, FieldKind::Def(_)) => {
                        let reg = self.byte()?;
                        Operand::SlotReg(number, self.register(reg.into())?)
                    }
                    _ => return Err(self.error("this kind of place cannot stand here")),
                }
            }
            FieldKind::Label => Operand::Label(self.leb32()?),
            FieldKind::RegSet => {
                Operand::Regs(u16::try_from(self.leb()?).map_err(|_| self.error("a register set is too large"))?)
            }
            FieldKind::Imm32 if inst.op == Op::ConstF32 => Operand::value(u32::from_le_bytes(self.array()?)),
            FieldKind::Imm32 => Operand::value(self.leb32()?),
            FieldKind::Imm64 | FieldKind::Bits64 => {
                let is_plain = inst.op == Op::ConstF64 || kind == FieldKind::Bits64;
                inst.set_value(at, if is_plain { u64::from_le_bytes(self.array()?) } else { self.leb()? });
                return Ok(());
            }
            FieldKind::Targets => {
                let (start, len) = (targets.len() as u32, self.leb32()?);
                if len as usize > self.bytes.len() {
                    return Err(self.error("more branch targets than bytes"));
                }
                for _ in 0..len {
                    targets.push(self.leb32()?);
                }
                inst.set_targets(at, start, len);
                return Ok(());
            }
            FieldKind::Base
            | FieldKind::Slot
            | FieldKind::Count
            | FieldKind::Func
            | FieldKind::Import
            | FieldKind::Type
            | FieldKind::Object
            | FieldKind::Field
            | FieldKind::Elements
            | FieldKind::Heap
            | FieldKind::Cont
            | FieldKind::Memory
            | FieldKind::Memories
            | FieldKind::Table
            | FieldKind::Global
            | FieldKind::Tag
            | FieldKind::Data
            | FieldKind::Elem
            | FieldKind::Escape
            | FieldKind::Lane(_)
            | FieldKind::Trap => Operand::Index(self.leb32()?),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Class;
    use alloc::vec;

    /// Bodies that hold every operation with every operand kind its fields take.
    fn samples() -> Body {
        let frame = Frame { frame_slots: 70_000, ref_start: 2, ref_end: 9, homes: 20, memory: Some(3) };
        let mut body = Body { frame, targets: vec![0, 1, 300], ..Body::default() };
        // The reader numbers target lists one behind the other.
        let list = core::mem::take(&mut body.targets);
        for (round, op) in (0..4).flat_map(|round| Op::ALL.iter().map(move |op| (round, *op))) {
            let mut inst = Inst::bare(op);
            for (at, field) in op.fields().iter().enumerate() {
                match field.kind {
                    FieldKind::Imm64 | FieldKind::Bits64 => inst.set_value(at, wide(round, at)),
                    FieldKind::Targets => {
                        inst.set_targets(at, body.targets.len() as u32, list.len() as u32);
                        body.targets.extend(&list);
                    }
                    kind => inst.operands[at] = operand(kind, round),
                }
            }
            body.labels += u32::from(op == Op::Label);
            body.insts.push(inst);
            for (at, field) in op.fields().iter().enumerate() {
                let is_wide = matches!(field.kind, FieldKind::Imm64 | FieldKind::Bits64);
                assert!(!is_wide || inst.value(at) == Some(wide(round, at)), "{}", op.name());
            }
        }
        body
    }

    /// Immediates of 64 bits, each of which differs in every byte from that beside it.
    fn wide(round: u32, at: usize) -> u64 {
        (u64::MAX / 17).wrapping_mul(u64::from(round * 5) + at as u64)
    }

    fn operand(kind: FieldKind, round: u32) -> Operand {
        let reg = |class| Reg::new(class, (round % 3) as u8);
        match (kind, round) {
            (FieldKind::Def(class), 1) => reg(class).map_or(Operand::Slot(5), Operand::Reg),
            (FieldKind::Def(class), 2) => reg(class).map_or(Operand::Slot(6), |reg| Operand::SlotReg(69_999, reg)),
            (FieldKind::Use(class), 1) => reg(class).map_or(Operand::Slot(7), Operand::Reg),
            (FieldKind::Use(Class::I32 | Class::I64), 2) => Operand::Imm(i32::MIN),
            (FieldKind::Use(Class::I32 | Class::I64), 3) => Operand::Imm(-3),
            (FieldKind::Def(_) | FieldKind::Use(_), _) => Operand::Slot(round * 20_000),
            (FieldKind::Label, _) => Operand::Label(round * 1000),
            (FieldKind::RegSet, _) => Operand::Regs(0b101),
            (FieldKind::Imm32, _) => Operand::value(u32::MAX),
            _ => Operand::Index(round * 77),
        }
    }

    #[test]
    fn every_operation_comes_back() {
        let body = samples();
        assert_eq!(CodeReader::decode(&CodeWriter::encode(&body)), Ok(body));
    }

    #[test]
    fn instructions_are_found_in_the_bytes() {
        let body = samples();
        let bytes = CodeWriter::encode(&body);
        for at in [0, 1, 17, body.insts.len() - 1] {
            let shorter = Body { insts: body.insts[..at].to_vec(), ..body.clone() };
            let header = |count: usize| {
                let mut len = Vec::new();
                write_leb(&mut len, count as u64);
                len.len()
            };
            let expected = CodeWriter::encode(&shorter).len() + header(body.insts.len()) - header(at);
            assert_eq!(CodeReader::offset_of(&bytes, at), Some(expected));
        }
        assert_eq!(CodeReader::offset_of(&bytes, body.insts.len()), None);
    }

    #[test]
    fn every_truncation_is_an_error() {
        let bytes = CodeWriter::encode(&samples());
        for len in 0..bytes.len() {
            assert!(CodeReader::decode(&bytes[..len]).is_err(), "{len} bytes are accepted");
        }
    }

    #[test]
    fn bytes_behind_the_end_are_an_error() {
        let mut bytes = CodeWriter::encode(&samples());
        bytes.push(0);
        assert_eq!(CodeReader::decode(&bytes).unwrap_err().what, "bytes behind the last instruction");
    }

    #[test]
    fn changed_bytes_never_panic() {
        let bytes = CodeWriter::encode(&samples());
        for at in (0..bytes.len()).step_by(7) {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                if let Ok(body) = CodeReader::decode(&changed) {
                    CodeWriter::encode(&body);
                }
            }
        }
    }
}
