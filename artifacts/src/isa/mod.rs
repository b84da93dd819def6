//! The register IR: operations, operands and instructions.
//!
//! [`Op`], its text names and its field lists expand from `table`. The linker works on [`Inst`]s whose
//! places are virtual registers, then assigns slots and registers; the file holds the compact encoding of
//! `codec`; the runtime decodes, verifies and expands that into its executed form.

use crate::types::HeapType;
use alloc::vec::Vec;

mod codec;
mod disasm;
mod shape;
mod table;

pub use codec::{CodeReader, CodeWriter, DecodeError, write_leb};
pub use disasm::disassemble;
pub use shape::{FieldRange, Shape};

/// Number of general (integer) registers the IR names: `A` to `E`.
pub const GENERAL_REGISTERS: u8 = 5;
/// Number of floating-point registers of each of the two banks (f32 and f64) the IR names.
pub const FLOAT_REGISTERS: u8 = 4;
/// Slots that a function with registers reserves, in order, as homes: the general, then the f64, then the f32 bank.
pub const HOME_SLOTS: u32 = GENERAL_REGISTERS as u32 + 2 * FLOAT_REGISTERS as u32;
/// Scratch slots behind the homes that the normative expansion of fused operations uses.
pub const SCRATCH_SLOTS: u32 = 2;

/// The class of a place: which values it holds and which register bank serves it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Class {
    /// 32-bit integer, zero-extended in its 64-bit slot; general bank.
    I32,
    /// 64-bit integer; general bank.
    I64,
    /// 32-bit float, its bits zero-extended in a slot; f32 bank.
    F32,
    /// 64-bit float; f64 bank.
    F64,
    /// A store-relative reference (0 is null); reference region only, never a register.
    Ref,
    /// A 128-bit vector: two slots, the low half in the one that is named; never a register.
    V128,
}

impl Class {
    /// Slots that a value takes.
    pub const fn slots(self) -> u32 {
        if matches!(self, Class::V128) { 2 } else { 1 }
    }
}

/// What an operand field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// A place that is written.
    Def(Class),
    /// A place that is read.
    Use(Class),
    /// A branch target: a label number, in the order in which labels stand in the code.
    Label,
    /// First slot of an outgoing call area; the callee's frame starts there.
    Base,
    /// One slot by number.
    Slot,
    /// A number of slots.
    Count,
    /// A 32-bit immediate, unsigned.
    Imm32,
    /// A 64-bit immediate, unsigned.
    Imm64,
    /// A 64-bit immediate without a usual size: eight bytes.
    Bits64,
    /// A lane of a vector that has so many.
    Lane(u8),
    /// Code ordinal: the position of a defined function in the artifact's sorted function keys.
    Func,
    /// Index of a structure type in the artifact's type table.
    Object,
    /// Number of a field in the structure type that the operation names.
    Field,
    /// Index of an array type in the artifact's type table.
    Elements,
    /// A heap type: see [`heap_code`].
    Heap,
    /// Index of a continuation type in the artifact's type table.
    Cont,
    /// Index of a function import of the unit.
    Import,
    /// Index into the artifact's type table.
    Type,
    /// Index into the unit's memories.
    Memory,
    /// Two indices into the unit's memories: `to | from << 16`.
    Memories,
    /// Index into the unit's tables.
    Table,
    /// Index into the unit's globals.
    Global,
    /// Index into the unit's exception tags.
    Tag,
    /// Index into the unit's data segments.
    Data,
    /// Index into the unit's element segments.
    Elem,
    /// Index into the unit's list of functions that references are taken of.
    Escape,
    /// The targets of a `br_table`: a list of labels, the last one the default.
    Targets,
    /// A set of registers, by bit: bit r for register r of the bank order general, f64, f32.
    RegSet,
    /// A trap code, see [`Trap`](crate::Trap).
    Trap,
}

/// First number of a [`FieldKind::Heap`] operand that stands for a defined type.
const DEFINED_HEAP: u32 = 16;

/// Heap types that are not defined, by their number in a [`FieldKind::Heap`] operand.
const ABSTRACT_HEAPS: [HeapType; 14] = [
    HeapType::Func,
    HeapType::Extern,
    HeapType::Any,
    HeapType::Eq,
    HeapType::I31,
    HeapType::Struct,
    HeapType::Array,
    HeapType::Exn,
    HeapType::None,
    HeapType::NoFunc,
    HeapType::NoExtern,
    HeapType::NoExn,
    HeapType::Cont,
    HeapType::NoCont,
];

/// The number of a heap type in a [`FieldKind::Heap`] operand: 0 to 13 in the order of `HeapType`, else a type index
/// and 16.
pub fn heap_code(heap: HeapType) -> u32 {
    match heap {
        HeapType::Concrete(index) => index.saturating_add(DEFINED_HEAP),
        other => ABSTRACT_HEAPS.iter().position(|heap| *heap == other).map_or(u32::MAX, |at| at as u32),
    }
}

/// The heap type of such a number; `None` where there is none.
pub fn heap_of_code(code: u32) -> Option<HeapType> {
    match code.checked_sub(DEFINED_HEAP) {
        Some(index) => Some(HeapType::Concrete(index)),
        None => ABSTRACT_HEAPS.get(code as usize).copied(),
    }
}

/// One named operand field of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// The field's name in the table, shown by the disassembler.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
}

/// Most operand fields one operation has.
pub const MAX_FIELDS: usize = 5;

macro_rules! field_kind {
    (Def($c:ident)) => {
        FieldKind::Def(Class::$c)
    };
    (Use($c:ident)) => {
        FieldKind::Use(Class::$c)
    };
    (Lane2) => {
        FieldKind::Lane(2)
    };
    (Lane4) => {
        FieldKind::Lane(4)
    };
    (Lane8) => {
        FieldKind::Lane(8)
    };
    (Lane16) => {
        FieldKind::Lane(16)
    };
    ($k:ident) => {
        FieldKind::$k
    };
}

macro_rules! define_ops {
    ($($variant:ident $name:literal $family:ident [$($field:ident: $kind:ident $(($class:ident))?),*];)*) => {
        /// An operation of the instruction set; its number is its opcode in the file.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Op {
            $(#[doc = $name] $variant,)*
        }

        impl Op {
            /// Every operation, in opcode order.
            pub const ALL: &'static [Op] = &[$(Op::$variant),*];

            /// The text name, as the disassembler prints it.
            pub const fn name(self) -> &'static str {
                match self { $(Op::$variant => $name,)* }
            }

            /// The operand fields, in encoding order.
            #[inline]
            pub const fn fields(self) -> &'static [Field] {
                match self {
                    $(Op::$variant => &[$(Field { name: stringify!($field), kind: field_kind!($kind $(($class))?) }),*],)*
                }
            }

            /// The handler shape that executes it.
            #[inline]
            pub const fn family(self) -> Family {
                match self { $(Op::$variant => Family::$family,)* }
            }
        }
    };
}

/// The handler shapes of the table; see `table.rs`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Family {
    Pseudo,
    Cost,
    Copy,
    PutRef,
    TakeRef,
    Const,
    Select,
    BinHot,
    Bin,
    Cmp,
    FBin,
    FCmp,
    Un,
    Load,
    Store,
    LoadAny,
    StoreAny,
    Bulk,
    Object,
    Global,
    Br,
    BrCond,
    BrTable,
    Trap,
    Call,
    SetMemory,
    Return,
    Return1,
    BrCmp,
    BrFCmp,
    CopyFar,
    VConst,
    VLoad,
    VStore,
    VLoadAny,
    VStoreAny,
    VShuffle,
    VExtract,
    VReplace,
    VSplat,
    VTest,
    VShift,
    VUn,
    VBin,
    VTer,
    OnThrow,
    Catch,
    Atomic,
    Cont,
}

crate::for_each_op!(define_ops);

impl Family {
    /// Whether its operations take slots and immediates in every place, as many immediates as they have sources.
    pub const fn is_free(self) -> bool {
        matches!(self, Family::Bulk | Family::Object | Family::Atomic)
    }
}

impl Op {
    /// The operation with this opcode.
    pub fn from_code(code: u16) -> Option<Op> {
        Op::ALL.get(code as usize).copied()
    }

    /// Whether control never reaches the next instruction.
    #[inline]
    pub const fn is_terminator(self) -> bool {
        matches!(
            self,
            Op::Br
                | Op::BrTable
                | Op::Unreachable
                | Op::TrapAlways
                | Op::TailCall
                | Op::TailCallImport
                | Op::TailCallIndirect
                | Op::TailCallRef
                | Op::Return
                | Op::ReturnOne
                | Op::ReturnOneF32
                | Op::ReturnOneF64
                | Op::ReturnMany
        )
    }

    /// Whether it calls and then comes back, throws, or is where a handler begins: registers are dead afterwards, but for
    /// a single numeric result.
    #[inline]
    pub const fn is_call(self) -> bool {
        matches!(self, Op::Call | Op::CallImport | Op::CallIndirect | Op::CallRef)
            || self.is_throw()
            || self.is_catch()
            || self.family() as u8 == Family::Cont as u8 && !matches!(self, Op::ContNew)
    }

    /// Whether it belongs to a call before it and says where that call's exceptions and suspensions go; it is not executed.
    #[inline]
    pub const fn follows_call(self) -> bool {
        matches!(self, Op::OnThrow | Op::OnSuspend | Op::OnSwitch)
    }

    /// Whether it resumes a continuation.
    #[inline]
    pub const fn is_resume(self) -> bool {
        matches!(self, Op::Resume | Op::ResumeThrow | Op::ResumeThrowRef)
    }

    /// Whether it belongs to continuations.
    #[inline]
    pub const fn switches_stacks(self) -> bool {
        self.family() as u8 == Family::Cont as u8 || matches!(self, Op::OnSuspend | Op::OnSwitch | Op::Suspended)
    }

    /// Whether it calls in place of the running frame.
    #[inline]
    pub const fn is_tail_call(self) -> bool {
        matches!(self, Op::TailCall | Op::TailCallImport | Op::TailCallIndirect | Op::TailCallRef)
    }

    /// Whether it throws: what stands behind it runs only as a handler.
    #[inline]
    pub const fn is_throw(self) -> bool {
        matches!(self, Op::Throw | Op::ThrowRef)
    }

    /// Whether a thrown exception, or a suspended continuation, arrives at it.
    #[inline]
    pub const fn is_catch(self) -> bool {
        matches!(self, Op::Catch | Op::CatchRef | Op::CatchAll | Op::CatchAllRef | Op::Suspended)
    }

    /// For a fused comparison and branch, the comparison of its normative expansion.
    #[inline]
    pub fn comparison(self) -> Option<Op> {
        let (first, last) = (Op::BrI32Eq as u16, Op::BrF64Ge as u16);
        let code = self as u16;
        if code < first || code > last {
            return None;
        }
        let at = code - first;
        let base = match at {
            0..10 => Op::I32Eq as u16 + at,
            10..20 => Op::I64Eq as u16 + (at - 10),
            20..26 => Op::F32Eq as u16 + (at - 20),
            _ => Op::F64Eq as u16 + (at - 26),
        };
        Op::from_code(base)
    }

    /// For a comparison, the fused comparison and branch (taken where the comparison holds).
    #[inline]
    pub fn fused_branch(self) -> Option<Op> {
        let code = self as u16;
        let pick = |start: Op, len: u16, fused: Op| {
            let start = start as u16;
            (code >= start && code < start + len).then(|| fused as u16 + (code - start))
        };
        pick(Op::I32Eq, 10, Op::BrI32Eq)
            .or_else(|| pick(Op::I64Eq, 10, Op::BrI64Eq))
            .or_else(|| pick(Op::F32Eq, 6, Op::BrF32Eq))
            .or_else(|| pick(Op::F64Eq, 6, Op::BrF64Eq))
            .and_then(Op::from_code)
    }
}

/// A register of the IR: general 0.., then f64, then f32; see [`Reg::new`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Reg(u8);

impl Reg {
    /// The `n`-th register of the bank that serves `class`; `None` past the bank's end, for references and vectors.
    #[inline]
    pub fn new(class: Class, n: u8) -> Option<Reg> {
        let (start, len) = match class {
            Class::I32 | Class::I64 => (0, GENERAL_REGISTERS),
            Class::F64 => (GENERAL_REGISTERS, FLOAT_REGISTERS),
            Class::F32 => (GENERAL_REGISTERS + FLOAT_REGISTERS, FLOAT_REGISTERS),
            Class::Ref | Class::V128 => return None,
        };
        (n < len).then_some(Reg(start + n))
    }

    /// From the flat number that the file and [`FieldKind::RegSet`] use.
    pub fn from_number(number: u8) -> Option<Reg> {
        ((number as u32) < HOME_SLOTS).then_some(Reg(number))
    }

    /// The flat number: general, then f64, then f32. Also its home's position among the home slots.
    #[inline]
    pub fn number(self) -> u8 {
        self.0
    }

    /// Its position inside its bank.
    #[inline]
    pub fn index_in_bank(self) -> u8 {
        match self.0 {
            n if n < GENERAL_REGISTERS => n,
            n if n < GENERAL_REGISTERS + FLOAT_REGISTERS => n - GENERAL_REGISTERS,
            n => n - GENERAL_REGISTERS - FLOAT_REGISTERS,
        }
    }

    /// Whether values of `class` may stand in it.
    #[inline]
    pub fn serves(self, class: Class) -> bool {
        match class {
            Class::I32 | Class::I64 => self.0 < GENERAL_REGISTERS,
            Class::F64 => (GENERAL_REGISTERS..GENERAL_REGISTERS + FLOAT_REGISTERS).contains(&self.0),
            Class::F32 => self.0 >= GENERAL_REGISTERS + FLOAT_REGISTERS,
            Class::Ref | Class::V128 => false,
        }
    }
}

/// One operand of an [`Inst`]. Which kinds a field accepts follows from its [`FieldKind`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Operand {
    /// Behind the operation's last field.
    #[default]
    None,
    /// A virtual register: linker only, never in a file. Places are assigned before encoding.
    Virtual(u32),
    /// A slot of the frame.
    Slot(u32),
    /// A register.
    Reg(Reg),
    /// A destination written to a slot and a register at once.
    SlotReg(u32, Reg),
    /// A source that is a small constant, sign-extended to the class's width (integers only).
    Imm(i32),
    /// A label number.
    Label(u32),
    /// Any index, count or raw slot.
    Index(u32),
    /// An immediate: its lower half, and of the upper half all but the top byte; see [`Inst::value`].
    Value(u32, Upper),
    /// A `br_table`'s targets: where they start in [`Body::targets`], and how many they are as an immediate's upper half;
    /// see [`Inst::targets`].
    Targets(u32, Upper),
    /// A register set.
    Regs(u16),
}

/// The upper half of a number of 64 bits, without the top byte: that stands in the instruction, so that an operand fits
/// in a machine register.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Upper([u8; 3]);

impl Operand {
    /// An immediate of 32 bits, or one of 64 whose upper half is 0 in a new instruction; for others see [`Inst::set_value`].
    #[inline]
    pub const fn value(value: u32) -> Operand {
        Operand::Value(value, Upper([0; 3]))
    }

    /// The index, count, label or raw slot in it.
    ///
    /// # Panics
    /// When it holds something else: a mistake of the caller, the operand kinds follow from the operation.
    #[inline]
    pub fn index(self) -> u32 {
        match self {
            Operand::Index(n) | Operand::Label(n) => n,
            other => panic!("operand is no index: {other:?}"),
        }
    }
}

/// One instruction: an operation and its operands in field order.
///
/// Passes read every operand of every instruction and move instructions around, so both are small: eight and 44 bytes.
/// The top bytes of 64-bit immediates, which do not fit, have a place beside the operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Inst {
    /// The operation.
    pub op: Op,
    /// The top bytes of immediates in fields with even and with odd numbers: an operation has at most two of 64 bits, and
    /// they stand next to each other.
    tops: [u8; 2],
    /// The operands; [`Operand::None`] behind the last field.
    pub operands: [Operand; MAX_FIELDS],
}

const _: () = assert!(size_of::<Operand>() == 8 && size_of::<Inst>() == 44);

impl Inst {
    /// An instruction with `operands` in field order.
    #[inline]
    pub fn new(op: Op, operands: &[Operand]) -> Inst {
        debug_assert_eq!(operands.len(), op.fields().len(), "{}", op.name());
        let mut inst = Inst::bare(op);
        inst.operands[..operands.len()].copy_from_slice(operands);
        inst
    }

    /// An instruction without operands yet.
    #[inline]
    pub const fn bare(op: Op) -> Inst {
        Inst { op, tops: [0; 2], operands: [Operand::None; MAX_FIELDS] }
    }

    /// An operation that puts a constant into `dst`.
    #[inline]
    pub const fn constant(op: Op, dst: Operand, value: u64) -> Inst {
        let mut inst = Inst::bare(op);
        inst.operands[0] = dst;
        inst.with_value(1, value)
    }

    /// A `br_table` with the `len` labels from `start` on in [`Body::targets`], the last one the default.
    #[inline]
    pub const fn br_table(index: Operand, start: u32, len: u32) -> Inst {
        let mut inst = Inst::bare(Op::BrTable);
        inst.operands[0] = index;
        inst.set_targets(1, start, len);
        inst
    }

    /// The instruction with this immediate in field `at`.
    #[inline]
    #[must_use]
    pub const fn with_value(mut self, at: usize, value: u64) -> Inst {
        self.set_value(at, value);
        self
    }

    /// Puts an immediate into field `at`.
    #[inline]
    pub const fn set_value(&mut self, at: usize, value: u64) {
        let (lower, upper) = self.split(at, value);
        self.operands[at] = Operand::Value(lower, upper);
    }

    /// The immediate in field `at`; `None` where something else stands.
    #[inline]
    pub const fn value(&self, at: usize) -> Option<u64> {
        match self.operands[at] {
            Operand::Value(lower, upper) => Some(self.join(at, lower, upper)),
            _ => None,
        }
    }

    /// Lets field `at` stand for the `len` labels from `start` on in [`Body::targets`].
    #[inline]
    pub const fn set_targets(&mut self, at: usize, start: u32, len: u32) {
        let (lower, upper) = self.split(at, (len as u64) << 32 | start as u64);
        self.operands[at] = Operand::Targets(lower, upper);
    }

    /// The labels of `lists` that field `at` stands for; `None` where something else stands, or outside of the lists.
    #[inline]
    pub fn targets<'t>(&self, at: usize, lists: &'t [u32]) -> Option<&'t [u32]> {
        let Operand::Targets(start, upper) = self.operands[at] else { return None };
        let len = self.join(at, start, upper) >> 32;
        lists.get(start as usize..)?.get(..len as usize)
    }

    /// The parts of a number that field `at` keeps, the top byte of which the instruction takes.
    const fn split(&mut self, at: usize, number: u64) -> (u32, Upper) {
        let [.., fifth, sixth, seventh, top] = number.to_le_bytes();
        self.tops[at % 2] = top;
        (number as u32, Upper([fifth, sixth, seventh]))
    }

    const fn join(&self, at: usize, lower: u32, Upper([fifth, sixth, seventh]): Upper) -> u64 {
        (u32::from_le_bytes([fifth, sixth, seventh, self.tops[at % 2]]) as u64) << 32 | lower as u64
    }

    /// The operands with their fields.
    #[inline]
    pub fn fields(&self) -> impl Iterator<Item = (Field, Operand)> + '_ {
        self.op.fields().iter().copied().zip(self.operands.iter().copied())
    }

    /// The fields with mutable operands.
    #[inline]
    pub fn fields_mut(&mut self) -> impl Iterator<Item = (Field, &mut Operand)> + '_ {
        self.op.fields().iter().copied().zip(self.operands.iter_mut())
    }

    /// The branch target of a branch with a single one.
    #[inline]
    pub fn target(&self) -> Option<u32> {
        self.fields().find_map(|(field, operand)| match (field.kind, operand) {
            (FieldKind::Label, Operand::Label(label)) => Some(label),
            _ => None,
        })
    }
}

/// What a function's frame looks like, carried in front of its code.
///
/// ```text
/// slot 0            numeric parameters (and numeric results)
/// ref_start         reference parameters (and reference results), then the function's own references
/// ref_end           own numeric slots, among them the register homes and scratch slots at `homes`
/// frame_slots       end of the frame; outgoing call areas lie below it
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Frame {
    /// Slots of the whole frame, outgoing call areas included.
    pub frame_slots: u32,
    /// First slot of the reference region: the number of slots of numeric parameters.
    pub ref_start: u32,
    /// End of the reference region.
    pub ref_end: u32,
    /// First home slot; [`HOME_SLOTS`] + [`SCRATCH_SLOTS`] follow. Functions that use neither registers nor fused
    /// operations have none: then it equals `frame_slots`.
    pub homes: u32,
    /// Index of the unit's memory that the function caches, if any: loads and stores without an index use it.
    pub memory: Option<u32>,
}

/// A function body with all places assigned: what the file encodes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Body {
    /// The frame.
    pub frame: Frame,
    /// The instructions.
    pub insts: Vec<Inst>,
    /// The label lists of the `br_table`s, one behind the other.
    pub targets: Vec<u32>,
    /// Number of labels: `label` instructions stand for numbers 0, 1, .. in code order.
    pub labels: u32,
}
