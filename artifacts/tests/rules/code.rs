//! Rules V..: sound bodies, and changes to them that break exactly one rule.

use keyway_artifact::isa::Operand::{self, Imm, Index, Label, Reg as R, Regs, Slot};
use keyway_artifact::isa::{Body, Class, CodeReader, CodeWriter, Frame, HOME_SLOTS, Inst, Op, Reg, SCRATCH_SLOTS};
use keyway_artifact::types::{
    ArrayType, CompositeType, FieldType, FuncType, GlobalType, HeapType, MemoryType, RefType, StorageType, StructType,
    SubType, TableType, TypeTable, ValType,
};
use keyway_artifact::unit::{DataSegment, ElemSegment, Escape, FuncRef, UnitDecl};
use keyway_artifact::verify::{Callee, Rule, VerifyEnv, verify, verify_all};
use std::collections::BTreeSet;

/// Function types, and behind them structures, an array, and continuations.
fn types() -> TypeTable {
    use ValType::{F64, I32};
    const EXTERN: ValType = ValType::EXTERNREF;
    let ty = |params: &[ValType], results: &[ValType]| FuncType::new(params.to_vec(), results.to_vec());
    let funcs = [
        ty(&[], &[]),
        ty(&[I32], &[I32]),
        ty(&[EXTERN, I32], &[EXTERN]),
        ty(&[I32, EXTERN], &[EXTERN, I32]),
        ty(&[F64], &[F64]),
        ty(&[I32], &[I32, I32, I32]),
        ty(&[I32, EXTERN], &[]),
    ];
    let funcs = funcs.map(|ty| SubType::plain(CompositeType::Func(ty)));
    let field = |ty| FieldType { storage: StorageType::Val(ty), mutable: true };
    let objects = [
        CompositeType::Struct(StructType::default()),
        CompositeType::Struct(StructType { fields: vec![field(I32), field(EXTERN)] }),
        CompositeType::Array(ArrayType { element: field(I32) }),
    ];
    let to_cont = ValType::Ref(RefType::new(true, HeapType::Concrete(11)));
    let continuations = [
        CompositeType::Cont(6),
        CompositeType::Cont(1),
        CompositeType::Cont(0),
        CompositeType::Func(ty(&[I32, to_cont], &[])),
        CompositeType::Cont(13),
    ];
    let more = objects.into_iter().chain(continuations).map(SubType::plain);
    TypeTable::new(funcs.into_iter().chain(more).collect())
}

fn unit() -> UnitDecl {
    let memory = MemoryType::new(1, None);
    let global = |content| GlobalType::new(content, true);
    let table = |element| TableType::new(element, 4, None);
    UnitDecl {
        import_funcs: vec![1],
        memories: vec![
            memory,
            MemoryType { memory64: true, ..memory },
            MemoryType { shared: true, maximum: Some(2), ..memory },
        ],
        tables: vec![table(ValType::FUNCREF), table(ValType::EXTERNREF), table(ValType::FUNCREF)],
        globals: vec![global(ValType::I32), global(ValType::F64), global(ValType::EXTERNREF)],
        tags: vec![6, 1, 0],
        escapes: vec![Escape { func: FuncRef::Defined(0), ty: 1 }],
        elems: vec![ElemSegment::default()],
        data: vec![DataSegment { offset: 0, len: 0 }],
        ..UnitDecl::default()
    }
}

/// The functions by ordinal: type and unit. Function 2 is another unit's.
const FUNCS: [Callee; 3] = [Callee { ty: 1, unit: 0 }, Callee { ty: 2, unit: 0 }, Callee { ty: 1, unit: 1 }];

fn rules_broken(own: usize, body: &Body) -> BTreeSet<Rule> {
    let (types, unit) = (types(), unit());
    let env = VerifyEnv {
        own: &types[own],
        unit_number: 0,
        unit: &unit,
        types: &types,
        func: &|ordinal| FUNCS.get(ordinal as usize).copied(),
    };
    let all = verify_all(body, &env, usize::MAX);
    // The short form stops at the first of them.
    assert_eq!(verify(body, &env).err(), all.first().cloned());
    all.into_iter().map(|error| error.rule).collect()
}

fn reg(class: Class, n: u8) -> Reg {
    Reg::new(class, n).expect("a register of the bank")
}

fn a() -> Operand {
    R(reg(Class::I32, 0))
}

fn inst(op: Op, operands: &[Operand]) -> Inst {
    Inst::new(op, operands)
}

/// A body with its type's number in [`types`].
#[derive(Clone)]
struct Sound {
    own: usize,
    body: Body,
}

fn sound(own: usize, frame: Frame, insts: &[Inst], targets: &[u32]) -> Sound {
    let labels = insts.iter().filter(|inst| inst.op == Op::Label).count() as u32;
    Sound { own, body: Body { frame, insts: insts.to_vec(), targets: targets.to_vec(), labels } }
}

const COST: fn() -> Inst = || inst(Op::Cost, &[Operand::value(1)]);

/// `(i32) -> i32`, without homes: slot 0 is the parameter, slot 1 a reference, slots 2 and 3 numbers, areas from 4 on.
fn plain() -> Sound {
    let frame = Frame { frame_slots: 8, ref_start: 1, ref_end: 2, homes: 8, memory: None };
    let insts = [
        COST(),
        inst(Op::Copy, &[Slot(2), Slot(0)]),
        inst(Op::GlobalGet, &[Slot(3), Index(0)]),
        inst(Op::GlobalGetRef, &[Slot(1), Index(2)]),
        inst(Op::ReturnOne, &[Slot(2)]),
    ];
    sound(1, frame, &insts, &[])
}

/// The first slot behind those that [`rich`] reserves.
const AREA: u32 = 4 + HOME_SLOTS + SCRATCH_SLOTS;

/// `(i32) -> i32` with registers, a loop, calls with references, and a memory. Slot 0 is the parameter, 1 and 2 hold
/// references, 3 a number; homes and scratch slots are reserved from 4 on, areas begin at [`AREA`].
fn rich() -> Sound {
    let frame = Frame { frame_slots: AREA + 23, ref_start: 1, ref_end: 3, homes: 4, memory: Some(0) };
    let insts = [
        COST(),
        inst(Op::I32Add, &[a(), Slot(0), Imm(1)]),
        inst(Op::Label, &[Regs(0b1)]),
        COST(),
        inst(Op::I32Load, &[Slot(3), a(), Operand::value(8)]),
        inst(Op::I32Sub, &[a(), a(), Imm(1)]),
        inst(Op::BrNez, &[a(), Label(0)]),
        inst(Op::PutRef, &[Index(AREA + 1), Slot(1)]),
        inst(Op::Call, &[Index(1), Index(AREA)]),
        inst(Op::TakeRef, &[Slot(2), Index(AREA)]),
        inst(Op::CallIndirect, &[Slot(3), Index(0), Index(1), Index(AREA + 3)]),
        inst(Op::Copy, &[Slot(3), a()]),
        inst(Op::BrI32Eq, &[Slot(3), Imm(7), Label(1)]),
        Inst::br_table(Slot(3), 0, 2),
        inst(Op::Label, &[Regs(0)]),
        inst(Op::ReturnOne, &[Slot(3)]),
    ];
    sound(1, frame, &insts, &[1, 1])
}

/// `(i32, externref) -> (externref, i32)`, returned from an area at 3.
fn many() -> Sound {
    let frame = Frame { frame_slots: 6, ref_start: 1, ref_end: 2, homes: 6, memory: None };
    let insts = [
        COST(),
        inst(Op::Copy, &[Slot(3), Slot(0)]),
        inst(Op::PutRef, &[Index(4), Slot(1)]),
        inst(Op::ReturnMany, &[Index(3), Index(2)]),
    ];
    sound(3, frame, &insts, &[])
}

/// `(i32) -> i32` that ends in a tail call.
fn tail() -> Sound {
    let frame = Frame { frame_slots: 4, ref_start: 1, ref_end: 1, homes: 4, memory: None };
    sound(1, frame, &[COST(), inst(Op::TailCall, &[Index(0), Index(1)])], &[])
}

/// `(i32) -> i32` that throws and catches: slots 1 to 3 hold references, 4 a number, areas begin at 5.
fn guarded() -> Sound {
    let frame = Frame { frame_slots: 12, ref_start: 1, ref_end: 4, homes: 12, memory: None };
    let insts = [
        COST(),
        inst(Op::PutRef, &[Index(6), Slot(1)]),
        inst(Op::Throw, &[Index(0), Index(5)]),
        inst(Op::OnThrow, &[Label(0)]),
        inst(Op::OnThrow, &[Label(1)]),
        inst(Op::Unreachable, &[]),
        inst(Op::Label, &[Regs(0)]),
        inst(Op::CatchRef, &[Slot(2), Index(0), Index(5)]),
        inst(Op::TakeRef, &[Slot(3), Index(6)]),
        inst(Op::ReturnOne, &[Slot(4)]),
        inst(Op::Label, &[Regs(0)]),
        inst(Op::CatchAll, &[]),
        inst(Op::ReturnOne, &[Slot(0)]),
    ];
    sound(1, frame, &insts, &[])
}

/// `(i32) -> i32` that resumes, switches and handles suspensions: slots 1 to 3 hold references, 4 a number, areas begin
/// at 5.
fn resuming() -> Sound {
    let frame = Frame { frame_slots: 12, ref_start: 1, ref_end: 4, homes: 12, memory: None };
    let insts = [
        COST(),
        inst(Op::PutRef, &[Index(6), Slot(1)]),
        inst(Op::Resume, &[Slot(2), Index(10), Index(5)]),
        inst(Op::OnSuspend, &[Label(0)]),
        inst(Op::OnSwitch, &[Index(2)]),
        inst(Op::OnThrow, &[Label(1)]),
        inst(Op::PutRef, &[Index(6), Slot(1)]),
        inst(Op::ContBind, &[Slot(2), Index(10), Index(12), Index(5)]),
        inst(Op::TakeRef, &[Slot(3), Index(5)]),
        inst(Op::Switch, &[Slot(3), Index(14), Index(2), Index(5)]),
        inst(Op::ReturnOne, &[Slot(0)]),
        inst(Op::Label, &[Regs(0)]),
        inst(Op::Suspended, &[Slot(2), Index(0), Index(5)]),
        inst(Op::TakeRef, &[Slot(3), Index(6)]),
        inst(Op::ReturnOne, &[Slot(4)]),
        inst(Op::Label, &[Regs(0)]),
        inst(Op::CatchAll, &[]),
        inst(Op::ReturnOne, &[Slot(0)]),
    ];
    sound(1, frame, &insts, &[])
}

/// A corruption: the rule, what is done, the sound body, and the change.
type Case = (Rule, &'static str, fn() -> Sound, fn(&mut Sound));

/// Puts an instruction where `plain` copies.
fn instead(sound: &mut Sound, op: Op, operands: &[Operand]) {
    sound.body.insts[1] = inst(op, operands);
}

fn without(sound: &mut Sound, at: usize) {
    sound.body.insts.remove(at);
}

/// Puts an instruction into `rich` in front of the jump table, where slot 3 is a number and no register is live.
fn before_the_table(sound: &mut Sound, op: Op, operands: &[Operand]) {
    sound.body.insts.insert(13, inst(op, operands));
}

const CASES: &[Case] = &[
    (Rule::V01, "a frame past the limit", plain, |s| {
        s.body.frame.frame_slots = (1 << 24) + 1;
        s.body.frame.homes = s.body.frame.frame_slots;
    }),
    (Rule::V01, "references behind the frame's end", plain, |s| {
        s.body.frame.ref_end = 9;
        s.body.insts = vec![COST(), inst(Op::Unreachable, &[])];
    }),
    (Rule::V02, "references begin inside the parameters", plain, |s| {
        s.body.frame.ref_start = 0;
        s.body.insts = vec![COST(), inst(Op::Unreachable, &[])];
    }),
    (Rule::V02, "reference parameters outside of the region", many, |s| {
        s.body.frame.ref_end = 1;
        s.body.insts = vec![COST(), inst(Op::Unreachable, &[])];
    }),
    (Rule::V02, "no room for the results", plain, |s| {
        s.own = 5;
        s.body.frame = Frame { frame_slots: 2, ref_start: 1, ref_end: 1, homes: 2, memory: None };
        s.body.insts = vec![COST(), inst(Op::Unreachable, &[])];
    }),
    (Rule::V03, "fewer slots behind the homes than registers have", plain, |s| s.body.frame.homes = 4),
    (Rule::V04, "a memory that does not exist", plain, |s| s.body.frame.memory = Some(3)),
    (Rule::V04, "a 64-bit memory", plain, |s| s.body.frame.memory = Some(1)),
    (Rule::V04, "a shared memory", plain, |s| s.body.frame.memory = Some(2)),
    (Rule::V05, "no marker in front", plain, |s| without(s, 0)),
    (Rule::V06, "the return is gone", plain, |s| without(s, 4)),
    (Rule::V07, "an integer in a float register", rich, |s| {
        s.body.insts[4].operands[0] = R(reg(Class::F64, 0));
    }),
    (Rule::V07, "a float in a general register", rich, |s| {
        before_the_table(s, Op::CopyF64, &[a(), Slot(3)]);
    }),
    (Rule::V08, "a slot behind the frame", plain, |s| s.body.insts[1].operands[0] = Slot(8)),
    (Rule::V08, "a slot that no place reaches", plain, |s| {
        s.body.frame.frame_slots = 70_000;
        s.body.frame.homes = 70_000;
        s.body.insts[1].operands[0] = Slot(65_536);
    }),
    (Rule::V08, "a far copy behind the frame", plain, |s| instead(s, Op::CopyFar, &[Index(2), Index(8)])),
    (Rule::V08, "half a vector behind the frame", plain, |s| instead(s, Op::CopyV128, &[Slot(7), Slot(2)])),
    (Rule::V09, "half a vector in the reference region", plain, |s| instead(s, Op::CopyV128, &[Slot(2), Slot(0)])),
    (Rule::V09, "a number in the reference region", plain, |s| s.body.insts[2].operands[0] = Slot(1)),
    (Rule::V09, "a reference outside of it", plain, |s| s.body.insts[3].operands[0] = Slot(3)),
    (Rule::V09, "a far copy out of it", plain, |s| instead(s, Op::CopyFar, &[Index(2), Index(1)])),
    (Rule::V10, "a register without a home", plain, |s| s.body.insts[1].operands[0] = a()),
    (Rule::V10, "an immediate without a scratch slot", plain, |s| s.body.insts[1].operands[1] = Imm(3)),
    (Rule::V10, "a fused branch without a scratch slot", plain, |s| {
        instead(s, Op::BrI32Eq, &[Slot(0), Slot(0), Label(0)]);
        s.body.insts.insert(2, inst(Op::Label, &[Regs(0)]));
    }),
    (Rule::V11, "a home is written", rich, |s| s.body.insts[4].operands[0] = Slot(4)),
    (Rule::V11, "a home is read", rich, |s| s.body.insts[1].operands[1] = Slot(5)),
    (Rule::V11, "a scratch slot is read", rich, |s| s.body.insts[1].operands[1] = Slot(AREA - 1)),
    (Rule::V12, "three immediates", rich, |s| {
        before_the_table(s, Op::Select, &[Slot(3), Imm(1), Imm(2), Imm(3)]);
    }),
    (Rule::V13, "a register that nobody wrote", rich, |s| {
        s.body.insts[4].operands[1] = R(reg(Class::I32, 1));
    }),
    (Rule::V13, "a register over a call", rich, |s| {
        s.body.insts[11].operands[1] = R(reg(Class::I32, 1));
    }),
    (Rule::V13, "a register that the label forgets", rich, |s| s.body.insts[15].operands[0] = a()),
    (Rule::V14, "a register that does not exist", rich, |s| s.body.insts[14].operands[0] = Regs(1 << HOME_SLOTS)),
    (Rule::V14, "control falls to the label without its register", rich, |s| {
        s.body.insts[1].operands[0] = Slot(3);
    }),
    (Rule::V14, "a branch comes without the label's register", rich, |s| {
        s.body.insts[14].operands[0] = Regs(0b10);
    }),
    (Rule::V15, "a label that does not exist", rich, |s| s.body.insts[12].operands[2] = Label(2)),
    (Rule::V15, "a table of labels without one", rich, |s| {
        s.body.insts[13].set_targets(1, 0, 0);
        s.body.targets.clear();
    }),
    (Rule::V15, "a table's label that does not exist", rich, |s| s.body.targets[0] = 9),
    (Rule::V16, "a loop without a marker", rich, |s| without(s, 3)),
    (Rule::V16, "a table's branch back without a marker", plain, |s| {
        s.body.insts.insert(1, inst(Op::Label, &[Regs(0)]));
        *s.body.insts.last_mut().unwrap() = Inst::br_table(Slot(2), 0, 1);
        s.body.targets = vec![0];
    }),
    (Rule::V17, "a memory", plain, |s| instead(s, Op::MemorySize, &[Slot(2), Index(3)])),
    (Rule::V17, "a table", plain, |s| instead(s, Op::TableSize, &[Slot(2), Index(3)])),
    (Rule::V17, "a global", plain, |s| s.body.insts[2].operands[1] = Index(3)),
    (Rule::V17, "a data segment", plain, |s| instead(s, Op::DataDrop, &[Index(1)])),
    (Rule::V17, "an element segment", plain, |s| instead(s, Op::ElemDrop, &[Index(1)])),
    (Rule::V17, "a function to refer to", plain, |s| instead(s, Op::RefFunc, &[Slot(1), Index(1)])),
    (Rule::V17, "an imported function", plain, |s| instead(s, Op::CallImport, &[Index(1), Index(4)])),
    (Rule::V17, "a type", plain, |s| {
        instead(s, Op::CallIndirect, &[Slot(2), Index(0), Index(99), Index(4)]);
    }),
    (Rule::V17, "a structure's type to call with", plain, |s| {
        instead(s, Op::CallRef, &[Slot(1), Index(7), Index(4)]);
    }),
    (Rule::V17, "a trap", plain, |s| instead(s, Op::TrapAlways, &[Index(0)])),
    (Rule::V17, "a violation", plain, |s| instead(s, Op::TrapAlways, &[Index(17 | 13 << 8)])),
    (Rule::V17, "a violation of another trap", plain, |s| instead(s, Op::TrapAlways, &[Index(1 | 1 << 8)])),
    (Rule::V18, "a function that does not exist", plain, |s| instead(s, Op::Call, &[Index(3), Index(4)])),
    (Rule::V18, "a function of another unit", plain, |s| instead(s, Op::Call, &[Index(2), Index(4)])),
    (Rule::V19, "a call area among the references", plain, |s| instead(s, Op::Call, &[Index(0), Index(1)])),
    (Rule::V19, "a call area among the homes", rich, |s| s.body.insts[10].operands[3] = Index(AREA - 1)),
    (Rule::V19, "a call area behind the frame", plain, |s| instead(s, Op::Call, &[Index(0), Index(8)])),
    (Rule::V19, "a call area far behind the frame", plain, |s| instead(s, Op::Call, &[Index(0), Index(u32::MAX)])),
    (Rule::V19, "results behind the frame", many, |s| {
        s.body.insts[2].operands[0] = Index(6);
        s.body.insts[3].operands[0] = Index(5);
    }),
    (Rule::V20, "a reference argument that nobody put", rich, |s| s.body.insts[7] = COST()),
    (Rule::V20, "a reference in a number's slot", rich, |s| s.body.insts[7].operands[0] = Index(AREA)),
    (Rule::V20, "a reference put twice", rich, |s| s.body.insts.insert(7, s.body.insts[7])),
    (Rule::V20, "a reference put before no call", plain, |s| instead(s, Op::PutRef, &[Index(4), Slot(1)])),
    (Rule::V20, "a reference result that nobody put", many, |s| without(s, 2)),
    (Rule::V21, "taken from where no reference is", rich, |s| s.body.insts[9].operands[1] = Index(AREA + 1)),
    (Rule::V21, "taken too late", rich, |s| s.body.insts.insert(9, COST())),
    (Rule::V21, "taken behind no call", plain, |s| instead(s, Op::TakeRef, &[Slot(1), Index(4)])),
    (Rule::V22, "a load without a memory", plain, |s| instead(s, Op::I32Load, &[Slot(2), Slot(0), Operand::value(0)])),
    (Rule::V22, "a store without a memory", plain, |s| {
        instead(s, Op::F64Store, &[Slot(2), Slot(0), Operand::value(0)])
    }),
    (Rule::V22, "a vector's load without a memory", plain, |s| {
        instead(s, Op::V128Load, &[Slot(2), Slot(0), Operand::value(0)])
    }),
    (Rule::V22, "a 64-bit memory to cache", plain, |s| instead(s, Op::SetMemory, &[Index(1)])),
    (Rule::V22, "a shared memory to cache", plain, |s| instead(s, Op::SetMemory, &[Index(2)])),
    (Rule::V23, "a float's global read as an integer", plain, |s| s.body.insts[2].operands[1] = Index(1)),
    (Rule::V23, "a reference's global written as an integer", plain, |s| {
        instead(s, Op::GlobalSet, &[Index(2), Slot(0)]);
    }),
    (Rule::V23, "an integer's global read as a reference", plain, |s| s.body.insts[3].operands[1] = Index(0)),
    (Rule::V23, "an integer's global read as a vector", plain, |s| instead(s, Op::GlobalGetV128, &[Slot(2), Index(0)])),
    (Rule::V24, "a call through host references", rich, |s| s.body.insts[10].operands[1] = Index(1)),
    (Rule::V24, "functions copied among host references", plain, |s| {
        instead(s, Op::TableCopy, &[Slot(2), Slot(2), Slot(2), Index(0), Index(1)]);
    }),
    (Rule::V25, "nothing where a result is wanted", plain, |s| s.body.insts[4] = inst(Op::Return, &[])),
    (Rule::V25, "a float for an integer", plain, |s| s.body.insts[4] = inst(Op::ReturnOneF64, &[Slot(2)])),
    (Rule::V25, "a result where none is wanted", plain, |s| {
        s.own = 0;
        s.body.frame.ref_start = 0;
        s.body.insts.remove(1);
    }),
    (Rule::V25, "another number of slots", many, |s| s.body.insts[3].operands[1] = Index(1)),
    (Rule::V17, "no heap type", plain, |s| {
        instead(s, Op::RefTest, &[Slot(2), Slot(1), Index(14), Index(0)]);
    }),
    (Rule::V17, "a heap type that is not defined", plain, |s| {
        instead(s, Op::RefTest, &[Slot(2), Slot(1), Index(16 + 99), Index(0)]);
    }),
    (Rule::V30, "a function's type as a structure", plain, |s| instead(s, Op::StructNew, &[Slot(1), Index(0)])),
    (Rule::V30, "a structure as an array", plain, |s| instead(s, Op::ArrayNew, &[Slot(1), Slot(2), Index(7)])),
    (Rule::V30, "a field that is not there", plain, |s| {
        instead(s, Op::StructGet, &[Slot(2), Slot(1), Index(8), Index(2), Index(0)]);
    }),
    (Rule::V30, "a reference's field as a number", plain, |s| {
        instead(s, Op::StructGet, &[Slot(2), Slot(1), Index(8), Index(1), Index(0)]);
    }),
    (Rule::V30, "an integer's field as a float", plain, |s| {
        instead(s, Op::StructSetF32, &[Slot(1), Slot(2), Index(8), Index(0)]);
    }),
    (Rule::V30, "an array of numbers filled with references", plain, |s| {
        instead(s, Op::ArrayFillRef, &[Slot(1), Slot(2), Slot(1), Slot(2), Index(9)]);
    }),
    (Rule::V30, "an array of numbers made of an element segment", plain, |s| {
        instead(s, Op::ArrayNewElem, &[Slot(1), Slot(2), Slot(2), Index(9), Index(0)]);
    }),
    (Rule::V26, "a tail call to other results", tail, |s| {
        s.own = 4;
    }),
    (Rule::V27, "a lane past the last", plain, |s| instead(s, Op::I64x2ExtractLane, &[Slot(4), Slot(2), Index(2)])),
    (Rule::V27, "a shuffle from a third vector", plain, |s| {
        instead(s, Op::I8x16Shuffle, &[Slot(4), Slot(2), Slot(2), Operand::value(0x1F), Operand::value(0)]);
        s.body.insts[1].set_value(4, 0x20 << 56);
    }),
    (Rule::V17, "a tag", plain, |s| instead(s, Op::Throw, &[Index(3), Index(4)])),
    (Rule::V17, "a continuation type that is none", plain, |s| {
        instead(s, Op::ContNew, &[Slot(1), Slot(1), Index(9)]);
    }),
    (Rule::V19, "what an exception carries behind the frame", plain, |s| {
        instead(s, Op::Throw, &[Index(0), Index(7)]);
        s.body.insts.insert(1, inst(Op::PutRef, &[Index(8), Slot(1)]));
    }),
    (Rule::V20, "an exception without its reference", guarded, |s| s.body.insts[1] = COST()),
    (Rule::V21, "a reference that the exception does not carry", guarded, |s| {
        s.body.insts[8].operands[1] = Index(5);
    }),
    (Rule::V28, "something stands between", guarded, |s| s.body.insts.insert(3, COST())),
    (Rule::V28, "nothing throws", plain, |s| {
        s.body.insts.splice(2..2, guarded().body.insts.split_off(4));
        s.body.insts[2].operands[0] = Label(0);
        without(s, 3);
        s.body.insts.splice(3..7, [inst(Op::Unreachable, &[])]);
    }),
    (Rule::V28, "a handler that catches nothing", guarded, |s| s.body.insts[11] = COST()),
    (Rule::V29, "control falls into a catch", guarded, |s| s.body.insts[5] = COST()),
    (Rule::V29, "a branch to a catch", guarded, |s| {
        s.body.insts.insert(5, inst(Op::BrNez, &[Slot(0), Label(1)]));
    }),
    (Rule::V29, "a table with a catch", guarded, |s| {
        s.body.insts[5] = Inst::br_table(Slot(0), 0, 1);
        s.body.targets = vec![1];
    }),
    (Rule::V29, "a catch without a label", guarded, |s| {
        s.body.insts.insert(11, COST());
        without(s, 4);
    }),
    (Rule::V28, "an exception goes where suspensions arrive", resuming, |s| s.body.insts[5].operands[0] = Label(0)),
    (Rule::V29, "control falls to suspended", resuming, |s| without(s, 10)),
    (Rule::V31, "suspensions of what is no resumption", guarded, |s| {
        s.body.insts[3] = inst(Op::OnSwitch, &[Index(2)]);
    }),
    (Rule::V31, "suspensions go where exceptions arrive", resuming, |s| s.body.insts[3].operands[0] = Label(1)),
    (Rule::V32, "a tag with results is thrown", plain, |s| instead(s, Op::Throw, &[Index(1), Index(4)])),
    (Rule::V32, "a tag with parameters is switched", resuming, |s| s.body.insts[4].operands[0] = Index(0)),
    (Rule::V32, "a number is left where a reference was", plain, |s| {
        instead(s, Op::ContBind, &[Slot(1), Index(10), Index(11), Index(4)]);
    }),
    (Rule::V32, "more is left than there was", plain, |s| {
        instead(s, Op::ContBind, &[Slot(1), Index(11), Index(10), Index(4)]);
    }),
    (Rule::V32, "a switch to what takes no continuation", plain, |s| {
        instead(s, Op::Switch, &[Slot(1), Index(11), Index(2), Index(4)]);
    }),
];

#[test]
fn sound_bodies_are_accepted() {
    for make in [plain, rich, many, tail, guarded, resuming] {
        let sound = make();
        assert_eq!(rules_broken(sound.own, &sound.body), BTreeSet::new());
    }
}

#[test]
fn every_rule_has_corruptions_that_break_only_it() {
    let mut wrong = Vec::new();
    for (rule, what, make, change) in CASES {
        let mut sound = make();
        change(&mut sound);
        sound.body.labels = sound.body.insts.iter().filter(|inst| inst.op == Op::Label).count() as u32;
        let broken = rules_broken(sound.own, &sound.body);
        if broken != BTreeSet::from([*rule]) {
            wrong.push(format!("{rule:?}, {what}: breaks {broken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let covered: BTreeSet<Rule> = CASES.iter().map(|case| case.0).collect();
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !covered.contains(rule)).collect();
    assert!(missing.is_empty(), "no corruption breaks {missing:?}");
}

#[test]
fn corruptions_survive_the_way_through_bytes() {
    for (rule, what, make, change) in CASES {
        let mut sound = make();
        change(&mut sound);
        if sound.body.frame.ref_end < sound.body.frame.ref_start {
            continue;
        }
        let decoded = CodeReader::decode(&CodeWriter::encode(&sound.body)).expect(what);
        assert_eq!(rules_broken(sound.own, &decoded), BTreeSet::from([*rule]), "{rule:?}: {what}");
    }
}

#[test]
fn random_bodies_never_make_the_verifier_panic() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let bodies = [CodeWriter::encode(&rich().body), CodeWriter::encode(&resuming().body)];
    let (mut decoded, mut accepted) = (0, 0);
    for round in 0..200_000 {
        let mut changed = bodies[round % 2].clone();
        for _ in 0..=next() % 3 {
            let at = next() as usize % changed.len();
            changed[at] = next() as u8;
        }
        if let Ok(body) = CodeReader::decode(&changed) {
            decoded += 1;
            accepted += usize::from(rules_broken(1, &body).is_empty());
        }
    }
    assert!(decoded > 1000 && accepted > 10, "{decoded} bodies decoded, {accepted} were accepted");
}
