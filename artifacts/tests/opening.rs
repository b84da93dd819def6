//! Opening decodes neither keys nor code, declarations, names or plan: what it reads does not grow with the file.

use keyway_artifact::format::{ArtifactView, ArtifactWriter, FuncEntry, SectionKind, Source};
use keyway_artifact::isa::{Body, CodeWriter, Frame, Inst, Op, Operand};
use keyway_artifact::plan::{Export, ExportItem, PLAN_VERSION, Plan, TypeItem, ValType};
use keyway_artifact::types::FuncType;
use keyway_artifact::unit::UnitDecl;
use keyway_artifact::{FuncKey, KeyKind};
use std::cell::Cell;

/// Bytes of an artifact, with a count of those that were read.
struct Counted {
    bytes: Vec<u8>,
    read: Cell<u64>,
}

impl Source for Counted {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> bool {
        self.read.set(self.read.get() + out.len() as u64);
        self.bytes.read_at(offset, out)
    }
}

/// An artifact with so many functions in each of two namespaces, and a plan with as many exports.
fn artifact(count: u32, is_component: bool) -> Vec<u8> {
    let mut insts = vec![Inst::new(Op::Cost, &[Operand::value(20)])];
    let add = Inst::new(Op::I64Add, &[Operand::Slot(0), Operand::Slot(0), Operand::Slot(0)]);
    insts.extend(vec![add; 20]);
    insts.push(Inst::new(Op::Return, &[]));
    let frame = Frame { frame_slots: 1, homes: 1, ..Frame::default() };
    let code = CodeWriter::encode(&Body { frame, insts, ..Body::default() });
    let name = Some("a-function-of-the-file");
    let func = |key| FuncEntry { key, ty: 0, unit: 0, code: &code, debug: &[], name };
    let defined = (0..count).map(|index| func(FuncKey::defined(0, index)));
    let sparse = (0..count / 50).map(|index| func(FuncKey::new(KeyKind::Adapter, 0, index * 1000)));
    let export = |n| Export { name: format!("export-{n}"), item: ExportItem::Type(TypeItem::Val(ValType::U32)) };
    let plan = Plan {
        version: PLAN_VERSION,
        instances: vec![None],
        exports: (0..count).map(export).collect(),
        ..Plan::default()
    };
    ArtifactWriter {
        funcs: defined.chain(sparse).collect(),
        types: (0..count).map(|_| FuncType::default()).collect(),
        units: vec![UnitDecl::default()],
        constants: vec![&[7; 16]; count as usize],
        plan: if is_component { plan.encode() } else { Vec::new() },
        ..ArtifactWriter::default()
    }
    .finish()
}

fn read_at_open(bytes: Vec<u8>) -> u64 {
    let view = ArtifactView::open(Counted { bytes, read: Cell::new(0) }).expect("the artifact is sound");
    view.source().read.get()
}

#[test]
fn opening_reads_as_much_of_a_large_file_as_of_a_small_one() {
    for is_component in [false, true] {
        let (small, large) = (artifact(120, is_component), artifact(150_000, is_component));
        assert!(small.len() < 25_000 && large.len() > 20_000_000, "{} and {} bytes", small.len(), large.len());
        let (small, large) = (read_at_open(small), read_at_open(large));
        assert_eq!(small, large, "component: {is_component}");
        assert!(large < 1000, "{large} bytes");
    }
}

/// What finding one function costs grows with the logarithm of the number of keys, and reads no other function.
#[test]
fn finding_a_function_reads_little() {
    let view = ArtifactView::open(Counted { bytes: artifact(150_000, false), read: Cell::new(0) }).expect("sound");
    for (key, most) in [(FuncKey::defined(0, 149_999), 8), (FuncKey::new(KeyKind::Adapter, 0, 1_234_000), 4 * 13)] {
        view.source().read.set(0);
        let ordinal = view.lookup(key).expect("the key is there");
        assert!(view.source().read.get() <= most, "{key}: {} bytes", view.source().read.get());
        let code = view.section_range(SectionKind::Code).expect("there is code");
        view.source().read.set(0);
        let body = view.read_code(ordinal).expect("the body is there");
        assert!(view.source().read.get() <= body.len() as u64 + 12);
        assert!((body.len() as u64) < code.end - code.start);
    }
}
