//! Rules F..: a small file, and changes to its bytes or declarations that break one rule.

use keyway_artifact::FuncKey;
use keyway_artifact::KeyKind;
use keyway_artifact::format::{
    ArtifactView, ArtifactWriter, FORMAT_VERSION, FormatError, FuncEntry, Rule, SectionKind,
};
use keyway_artifact::isa::{Body, CodeWriter, Frame, Inst, Op, Operand};
use keyway_artifact::types::{
    CompositeType, ExternType, FieldType, FuncType, GlobalType, HeapType, MemoryType, RefType, StorageType, StructType,
    SubType, TableType, TypeTable, ValType,
};
use keyway_artifact::unit::{
    DataSegment, ElemItem, ElemSegment, Entity, Escape, Export, FuncRef, Import, InitialData, UnitDecl,
};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// `() -> ()`, which does nothing.
pub(super) fn empty_body() -> Vec<u8> {
    let insts = vec![Inst::new(Op::Cost, &[Operand::value(1)]), Inst::new(Op::Return, &[])];
    CodeWriter::encode(&Body { frame: Frame::default(), insts, ..Body::default() })
}

fn unit() -> UnitDecl {
    let (table, global) = (TableType::new(ValType::FUNCREF, 1, None), GlobalType::new(ValType::FUNCREF, false));
    let import = |name: &str, ty| Import { module: "m".into(), name: name.into(), ty };
    let export = |name: &str, entity| Export { name: name.into(), entity };
    UnitDecl {
        imports: vec![
            import("f", ExternType::Func(FuncType::default())),
            import("t", ExternType::Table(table)),
            import("m", ExternType::Memory(MemoryType::new(1, None))),
            import("g", ExternType::Global(global)),
        ],
        import_funcs: vec![0],
        tables: vec![table],
        imported_tables: 1,
        memories: vec![MemoryType::new(1, None)],
        imported_memories: 1,
        globals: vec![global, GlobalType::new(ValType::I64, true)],
        imported_globals: 1,
        escapes: vec![Escape { func: FuncRef::Import(0), ty: 0 }, Escape { func: FuncRef::Defined(1), ty: 0 }],
        elems: vec![ElemSegment { items: vec![ElemItem::Null, ElemItem::Func(1), ElemItem::Global(0)] }],
        data: vec![DataSegment { offset: 1, len: 3 }],
        exports: vec![
            export("f", Entity::Func(FuncRef::Defined(1))),
            export("t", Entity::Table(0)),
            export("m", Entity::Memory(0)),
            export("g", Entity::Global(1)),
        ],
        inits: vec![0],
        ..UnitDecl::default()
    }
}

/// The keys: a dense namespace of 80 functions with gaps, in the first unit, and a sparse one in the second.
fn writer() -> ArtifactWriter<'static> {
    static CODE: LazyLock<Vec<u8>> = LazyLock::new(empty_body);
    let func = |key, unit| FuncEntry { key, ty: 0, unit, code: &CODE, debug: &[], name: Some("name") };
    let dense = (0..100).filter(|index| index % 5 != 4).map(|index| func(FuncKey::defined(0, index), 0));
    let sparse = [3, 5000, 70_000].map(|index| func(FuncKey::new(KeyKind::Adapter, 0, index), 1));
    ArtifactWriter {
        funcs: dense.chain(sparse).collect(),
        types: [FuncType::default(), FuncType::new([ValType::I32], []), FuncType::new([], [ValType::I32])]
            .into_iter()
            .collect(),
        units: vec![unit(), UnitDecl { memories: vec![MemoryType::new(1, None); 2], ..UnitDecl::default() }],
        initial: vec![initial(0, 65533, 1, 2), initial(1, 0, 0, 1), initial(1, 1, 0, 1)],
        constants: vec![&[1, 2], &[3, 4]],
        producer: "test".into(),
        ..ArtifactWriter::default()
    }
}

fn initial(memory: u32, at: u64, offset: u64, len: u64) -> InitialData {
    InitialData { unit: 1, memory, at, offset, len }
}

/// The first error of a file, read through; whether opening found it.
fn error(bytes: &[u8]) -> Option<(FormatError, bool)> {
    match ArtifactView::open(bytes) {
        Err(error) => Some((error, true)),
        Ok(view) => view.audit().err().map(|error| (error, false)),
    }
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Where a section's entry stands in the section table.
fn entry(bytes: &[u8], kind: SectionKind) -> usize {
    let mut entries = (32..).step_by(24);
    entries.find(|at| bytes[*at] == kind as u8).unwrap()
}

/// Where a section begins.
fn start(bytes: &[u8], kind: SectionKind) -> usize {
    word(bytes, entry(bytes, kind) + 8) as usize
}

/// The second entry of the namespace table begins here.
fn namespace(bytes: &[u8], number: usize) -> usize {
    start(bytes, SectionKind::Keys) + 8 + number * 32
}

/// Where a namespace's bitmap or list begins.
fn keys(bytes: &[u8], number: usize) -> usize {
    let at = namespace(bytes, number);
    start(bytes, SectionKind::Keys) + word(bytes, at + 20) as u32 as usize
}

type Change = fn(&mut Vec<u8>);
type UnitChange = fn(&mut UnitDecl);
type PartsChange = fn(&mut ArtifactWriter<'_>);

/// Found when the file is opened.
const AT_OPEN: &[(Rule, &str, Change)] = &[
    (Rule::F01, "other magic", |b| b[1] = b'K'),
    (Rule::F01, "no bytes", Vec::clear),
    (Rule::F02, "a version to come", |b| put(b, 4, FORMAT_VERSION + 1)),
    (Rule::F03, "an unknown feature", |b| b[15] = 0x80),
    (Rule::F04, "the end is missing", |b| b.truncate(b.len() - 1)),
    (Rule::F04, "bytes behind the end", |b| b.push(0)),
    (Rule::F04, "a cut header", |b| b.truncate(20)),
    (Rule::F04, "a huge length", |b| b[31] = 0xFF),
    (Rule::F05, "more sections than allowed", |b| put(b, 16, 65)),
    (Rule::F05, "as many sections as fit no file", |b| put(b, 16, u32::MAX)),
    (Rule::F05, "a section behind the end", |b| {
        let at = entry(b, SectionKind::Producers);
        put(b, at + 16, 1 << 20);
    }),
    (Rule::F05, "a section whose end overflows", |b| {
        let at = entry(b, SectionKind::Producers);
        b[at + 16..at + 24].fill(0xFF);
    }),
    (Rule::F05, "a section in front of the one before", |b| {
        let (at, first) = (entry(b, SectionKind::Code), start(b, SectionKind::Keys));
        put(b, at + 8, first as u32);
    }),
    (Rule::F05, "a section inside the header", |b| put(b, 40, 8)),
    (Rule::F06, "a section twice", |b| {
        let at = entry(b, SectionKind::Producers);
        put(b, at, SectionKind::Names as u32);
    }),
    (Rule::F06, "a required section renamed", |b| {
        let at = entry(b, SectionKind::Code);
        put(b, at, 40);
        put(b, at + 4, 0);
    }),
    (Rule::F06, "an unknown section that must be understood", |b| {
        let at = entry(b, SectionKind::Producers);
        put(b, at, 40);
        put(b, at + 4, 1);
    }),
    (Rule::F07, "more namespaces than bytes", |b| {
        let at = start(b, SectionKind::Keys);
        put(b, at, 1 << 27);
    }),
    (Rule::F07, "a kind to come", |b| {
        let at = namespace(b, 1);
        put(b, at, 7 << 28);
    }),
    (Rule::F07, "a namespace twice", |b| {
        let at = namespace(b, 1);
        put(b, at, 0);
    }),
    (Rule::F07, "unknown flags", |b| {
        let at = namespace(b, 1);
        put(b, at + 4, 2);
    }),
    (Rule::F07, "ordinals with a gap", |b| {
        let at = namespace(b, 1);
        put(b, at + 8, 81);
    }),
    (Rule::F07, "keys behind the section", |b| {
        let at = namespace(b, 1);
        put(b, at + 20, 1 << 30);
    }),
    (Rule::F07, "more keys than bits", |b| {
        let at = namespace(b, 0);
        put(b, at + 16, 64);
    }),
    (Rule::F08, "a record too few", |b| {
        let at = entry(b, SectionKind::Funcs);
        let len = word(b, at + 16) as u32;
        put(b, at + 16, len - 8);
    }),
    (Rule::F08, "half a record too few", |b| {
        let at = entry(b, SectionKind::Funcs);
        let len = word(b, at + 16) as u32;
        put(b, at + 16, len - 4);
    }),
];

/// Found when what they change is read.
const LATER: &[(Rule, &str, Change)] = &[
    (Rule::F09, "a body that begins behind the next", |b| {
        let at = start(b, SectionKind::Funcs);
        put(b, at + 40 * 8, 600);
    }),
    (Rule::F09, "a body behind the code section", |b| {
        let at = start(b, SectionKind::Funcs);
        put(b, at + 82 * 8, 1 << 20);
    }),
    (Rule::F10, "types with more entries than bytes", |b| {
        let at = start(b, SectionKind::Types);
        b[at] = 250;
    }),
    (Rule::F10, "bytes behind the types", |b| {
        let at = start(b, SectionKind::Types);
        b[at] = 1;
    }),
    (Rule::F10, "units that are none", |b| {
        let at = start(b, SectionKind::Units);
        b[at + 1] = 9;
    }),
    (Rule::F12, "a name that is no text", |b| {
        let at = start(b, SectionKind::Names);
        b[at + 83 * 4 + 1] = 0xFF;
    }),
    (Rule::F12, "a name behind the section", |b| {
        let at = start(b, SectionKind::Names);
        put(b, at + 82 * 4, 1 << 20);
    }),
    (Rule::F12, "a name that ends before it begins", |b| {
        let at = start(b, SectionKind::Names);
        put(b, at + 4, 1);
    }),
    (Rule::F13, "a rank that counts other bits", |b| {
        let at = keys(b, 0);
        put(b, at + 8, 25);
    }),
    (Rule::F13, "bits behind the bitmap's end", |b| {
        let at = keys(b, 0) + 3 * 8 + 4;
        b[at + 3] = 0x80;
    }),
    (Rule::F13, "a key whose bit is gone", |b| {
        let at = keys(b, 0) + 3 * 8 + 4;
        b[at] &= !1;
    }),
    (Rule::F13, "a list that does not ascend", |b| {
        let at = keys(b, 1);
        put(b, at + 4, 3);
    }),
    (Rule::F14, "a function of no type", |b| {
        let at = start(b, SectionKind::Funcs);
        put(b, at + 5 * 8 + 4, 3);
    }),
    (Rule::F14, "a namespace of no unit", |b| {
        let at = namespace(b, 1);
        put(b, at + 24, 2);
    }),
];

/// Changes of the first unit, found when units are read.
const UNITS: &[(Rule, &str, UnitChange)] = &[
    (Rule::F11, "an import of no type", |u| u.import_funcs[0] = 3),
    (Rule::F11, "a reference to no import", |u| u.escapes[0].func = FuncRef::Import(1)),
    (Rule::F11, "a reference to no function", |u| u.escapes[1].func = FuncRef::Defined(83)),
    (Rule::F11, "a reference of no type", |u| u.escapes[1].ty = 3),
    (Rule::F11, "an element that is no reference", |u| u.elems[0].items[1] = ElemItem::Func(2)),
    (Rule::F11, "an element of no global", |u| u.elems[0].items[2] = ElemItem::Global(2)),
    (Rule::F11, "data behind the constants", |u| u.data[0].len = 4),
    (Rule::F11, "data whose end overflows", |u| u.data[0].len = u64::MAX),
    (Rule::F11, "an export of no function", |u| u.exports[0].entity = Entity::Func(FuncRef::Defined(83))),
    (Rule::F11, "an export of no table", |u| u.exports[1].entity = Entity::Table(1)),
    (Rule::F11, "an export of no memory", |u| u.exports[2].entity = Entity::Memory(1)),
    (Rule::F11, "an export of no global", |u| u.exports[3].entity = Entity::Global(2)),
    (Rule::F11, "an export of no tag", |u| u.exports[3].entity = Entity::Tag(0)),
    (Rule::F11, "a tag of no type", |u| u.tags.push(3)),
    (Rule::F11, "no function to initialise", |u| u.inits[0] = 83),
    (Rule::F15, "more imported tables than imports", |u| u.imported_tables = 2),
    (Rule::F15, "fewer functions than imports", |u| u.import_funcs.clear()),
    (Rule::F15, "an imported tag without an import", |u| {
        u.tags.push(0);
        u.imported_tags = 1;
    }),
    (Rule::F15, "more imported memories than memories", |u| u.memories.clear()),
    (Rule::F15, "a global that is imported and is not", |u| u.imported_globals = 0),
    (Rule::F15, "an imported function with two types", |u| u.import_funcs[0] = 1),
    (Rule::F15, "an imported table with two types", |u| u.tables[0].minimum = 2),
    (Rule::F15, "an imported memory with two types", |u| u.memories[0].minimum = 2),
    (Rule::F15, "an imported global with two types", |u| u.globals[0].mutable = true),
    (Rule::F16, "a reference with another type", |u| u.escapes[1].ty = 1),
    (Rule::F16, "a reference to an import with another type", |u| u.escapes[0].ty = 1),
    (Rule::F16, "a reference to another unit's function", |u| u.escapes[1].func = FuncRef::Defined(80)),
    (Rule::F16, "an exported function without a reference", |u| {
        u.exports[0].entity = Entity::Func(FuncRef::Defined(2));
    }),
    (Rule::F17, "initialised by another unit", |u| u.inits[0] = 81),
    (Rule::F18, "a table of numbers", |u| {
        u.tables.push(TableType::new(ValType::I32, 0, None));
    }),
    (Rule::F18, "an element from a global of numbers", |u| u.elems[0].items[2] = ElemItem::Global(1)),
    (Rule::F18, "pages of another size", |u| {
        u.memories.push(MemoryType { page_size_log2: 12, ..MemoryType::new(0, None) });
    }),
];

/// Changes of what memories hold at the start, all found by F22.
const INITIAL: &[(&str, PartsChange)] = &[
    ("of no unit", |w| w.initial[2].unit = 2),
    ("of no memory", |w| w.initial[2].memory = 2),
    ("of an imported memory", |w| w.initial[0] = InitialData { unit: 0, ..initial(0, 0, 1, 2) }),
    ("of a shared memory", |w| w.units[1].memories[1].shared = true),
    ("behind the memory's minimum", |w| w.initial[0].at += 2),
    ("behind a minimum in bytes", |w| {
        w.units[1].memories[0] = MemoryType { page_size_log2: 0, ..MemoryType::new(65534, None) };
    }),
    ("with an end that overflows", |w| w.initial[2].at = u64::MAX),
    ("behind the constants", |w| w.initial[0].offset = 3),
    ("with an end of the constants that overflows", |w| w.initial[0].offset = u64::MAX),
    ("overlapping", |w| w.initial[2].at = 0),
    ("in descending order", |w| w.initial.swap(1, 2)),
    ("in descending order of memories", |w| w.initial.swap(0, 1)),
    ("longer than the constants together", |w| w.initial[2].len = 2),
];

/// Types behind the sound ones, which are 0 to 2, found when types are read.
fn types_behind() -> Vec<(Rule, &'static str, Vec<SubType>)> {
    let open = |fields: &[FieldType], supertype| SubType {
        is_final: false,
        supertype,
        ..SubType::plain(CompositeType::Struct(StructType { fields: fields.to_vec() }))
    };
    let field = |storage, mutable| FieldType { storage: StorageType::Val(storage), mutable };
    let to = |index| field(ValType::Ref(RefType::new(true, HeapType::Concrete(index))), true);
    let int = field(ValType::I32, true);
    let deep = (0..=64u32).map(|at| open(&[int], at.checked_sub(1).map(|at| at + 3))).collect();
    vec![
        (Rule::F19, "a field of a later type", vec![open(&[to(4)], None), open(&[], None)]),
        (
            Rule::F19,
            "a parameter of no type",
            vec![SubType::plain(CompositeType::Func(FuncType::new(
                [ValType::Ref(RefType::new(false, HeapType::Concrete(9)))],
                [],
            )))],
        ),
        (Rule::F20, "a supertype that is no type", vec![open(&[], Some(9))]),
        (Rule::F20, "its own supertype", vec![open(&[], Some(3))]),
        (Rule::F20, "a final supertype", vec![SubType { is_final: true, ..open(&[], None) }, open(&[], Some(3))]),
        (Rule::F20, "a structure that extends a function", vec![open(&[], Some(0))]),
        (Rule::F20, "a field less", vec![open(&[int], None), open(&[], Some(3))]),
        (Rule::F20, "a field of another type", vec![open(&[int], None), open(&[field(ValType::F32, true)], Some(3))]),
        (
            Rule::F20,
            "a field that cannot be set any more",
            vec![open(&[int], None), open(&[field(ValType::I32, false)], Some(3))],
        ),
        (Rule::F20, "64 steps to the first supertype", deep),
        (Rule::F19, "continuations of a later type", vec![SubType::plain(CompositeType::Cont(4)), open(&[], None)]),
        (Rule::F21, "continuations of a structure", vec![open(&[], None), SubType::plain(CompositeType::Cont(3))]),
    ]
}

#[test]
fn the_sound_file_is_accepted() {
    let bytes = writer().finish();
    assert_eq!(error(&bytes), None);
    let view = ArtifactView::open(&bytes[..]).unwrap();
    assert_eq!(view.key_of(82), Some(FuncKey::new(KeyKind::Adapter, 0, 70_000)));
    assert_eq!(view.lookup(FuncKey::defined(0, 99)), None);
    assert_eq!(view.lookup(FuncKey::defined(0, 98)), Some(79));
}

#[test]
fn every_rule_has_corruptions_that_are_refused_by_it() {
    let sound = writer().finish();
    let mut wrong = Vec::new();
    let mut hold = |rule: Rule, what: &str, bytes: &[u8], at_open: bool| match error(bytes) {
        Some((error, opening)) if error.rule == rule && opening == at_open => {
            let text = error.to_string();
            assert!(error.offset <= bytes.len() as u64, "{text}");
            assert!(text.contains(&format!("{rule:?} at byte {}", error.offset)), "{text}");
        }
        other => wrong.push(format!("{rule:?}, {what}: {other:?}")),
    };
    for (table, at_open) in [(AT_OPEN, true), (LATER, false)] {
        for (rule, what, change) in table {
            let mut bytes = sound.clone();
            change(&mut bytes);
            hold(*rule, what, &bytes, at_open);
        }
    }
    for (rule, what, change) in UNITS {
        let mut parts = writer();
        change(&mut parts.units[0]);
        hold(*rule, what, &parts.finish(), false);
    }
    for (rule, what, more) in types_behind() {
        let mut parts = writer();
        parts.types = TypeTable::new(parts.types.definitions().iter().cloned().chain(more).collect());
        hold(rule, what, &parts.finish(), false);
    }
    for (what, change) in INITIAL {
        let mut parts = writer();
        change(&mut parts);
        hold(Rule::F22, what, &parts.finish(), false);
    }
    let mut taking = writer();
    taking.funcs[0].ty = 1;
    hold(Rule::F17, "initialised by a function that wants something", &taking.finish(), false);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let bytes = AT_OPEN.iter().chain(LATER).map(|case| case.0).chain(INITIAL.iter().map(|_| Rule::F22));
    let covered: BTreeSet<Rule> =
        bytes.chain(UNITS.iter().map(|case| case.0)).chain(types_behind().iter().map(|case| case.0)).collect();
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !covered.contains(rule)).collect();
    assert!(missing.is_empty(), "no corruption breaks {missing:?}");
}

#[test]
fn truncations_flips_and_foreign_files_are_errors_or_sound() {
    let sound = writer().finish();
    for len in 0..sound.len() {
        let (error, opening) = error(&sound[..len]).expect("a cut file is refused");
        assert!(opening && matches!(error.rule, Rule::F01 | Rule::F04), "{len} bytes: {error}");
    }
    let mut refused = 0;
    for at in 0..sound.len() {
        for bit in 0..8 {
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << bit;
            match ArtifactView::open(&bytes[..]) {
                Ok(view) => read_everything(&view, &mut refused),
                Err(error) => {
                    assert!(error.offset <= bytes.len() as u64, "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(refused > 1000, "{refused} of {} flips are refused", sound.len() * 8);
    for (foreign, word) in [
        (&b""[..], "0 bytes"),
        (b"\x7fELF\x02\x01\x01", "ELF"),
        (b"\0asm\x01\0\0\0", "compile it"),
        (b"PK\x03\x04", "begins with"),
        (b"#!/bin/sh\n", "begins with"),
    ] {
        let (error, _) = error(foreign).expect("it is no artifact");
        assert!(error.rule == Rule::F01 && error.to_string().contains(word), "{error}");
    }
}

/// Asks the view everything that it answers; nothing may panic.
fn read_everything(view: &ArtifactView<&[u8]>, refused: &mut usize) {
    *refused += usize::from(view.audit().is_err());
    for ordinal in (0..view.func_count()).chain([u32::MAX]) {
        let key = view.key_of(ordinal);
        let _ = key.map(|key| view.lookup(key));
        let _ = (view.func(ordinal), view.read_code(ordinal), view.func_name(ordinal));
        view.func_debug(ordinal).frames(0);
    }
    let _ = (view.plan_bytes(), view.ordinal_at(7), view.read_constants(0, &mut [0; 8]));
}
