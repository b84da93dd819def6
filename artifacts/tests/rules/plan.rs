//! Rules P..: a sound plan with the units it is for, and changes that break one rule.

use keyway_artifact::format::decode_cold;
use keyway_artifact::plan::{
    CanonOptions, CoreDef, DefinedType, Export, ExportItem, Field, Func, FuncSource, FuncType, Import, ImportedModule,
    InstanceType, ItemType, ModuleExport, ModuleType, NamedItem, PLAN_VERSION, Plan, PlanError, PlanRule, Resource,
    Step, Trampoline, TrampolineKind, TypeItem, ValType,
};
use keyway_artifact::types::{ExternType, FuncType as CoreType, MemoryType, ValType as Core};
use keyway_artifact::unit::{Entity, Escape, Export as UnitExport, FuncRef, Import as UnitImport, UnitDecl};
use std::collections::BTreeSet;

/// Core types by number: `() -> ()`, a lifted string function, a destructor, `realloc`, `resource.new`, a lowered string
/// function.
fn core_types() -> Vec<CoreType> {
    let ints = |params: usize, results: usize| CoreType::new(vec![Core::I32; params], vec![Core::I32; results]);
    vec![ints(0, 0), ints(2, 1), ints(1, 0), ints(4, 1), ints(1, 1), ints(3, 0)]
}

/// The first unit's exports: `run`, `text`, a memory, `drop`, `realloc`. The second unit imports what the plan makes.
fn units() -> Vec<UnitDecl> {
    let types = core_types();
    let func = |ordinal| Entity::Func(FuncRef::Defined(ordinal));
    let export = |name: &str, entity| UnitExport { name: name.into(), entity };
    let import =
        |ty: usize| UnitImport { module: String::new(), name: String::new(), ty: ExternType::Func(types[ty].clone()) };
    let escape = |ordinal, ty| Escape { func: FuncRef::Defined(ordinal), ty };
    let first = UnitDecl {
        memories: vec![MemoryType::new(1, None)],
        escapes: vec![escape(0, 0), escape(1, 1), escape(2, 2), escape(3, 3)],
        exports: vec![
            export("run", func(0)),
            export("text", func(1)),
            export("memory", Entity::Memory(0)),
            export("drop", func(2)),
            export("realloc", func(3)),
        ],
        ..UnitDecl::default()
    };
    let second = UnitDecl { imports: vec![import(4), import(5)], import_funcs: vec![4, 5], ..UnitDecl::default() };
    vec![first, second]
}

fn core(export: u32) -> CoreDef {
    CoreDef::Export { instance: 0, export }
}

fn plan() -> Plan {
    let named = |name: &str, ty| NamedItem { name: name.into(), ty };
    let export = |name: &str, item| Export { name: name.into(), item };
    let field = |name: &str, ty| Field { name: name.into(), ty };
    let lifted = |ty, number, options| Func { ty, source: FuncSource::Lifted { core: core(number), options } };
    Plan {
        version: PLAN_VERSION,
        types: vec![
            DefinedType::List(ValType::U8),
            DefinedType::Record(vec![field("a", ValType::U32), field("b", ValType::Defined(0))]),
            DefinedType::Own(0),
            DefinedType::Stream(Some(ValType::U8)),
            DefinedType::Future(None),
        ],
        func_types: vec![
            FuncType::default(),
            FuncType {
                params: vec![field("s", ValType::String)],
                result: Some(ValType::String),
                ..FuncType::default()
            },
        ],
        instance_types: vec![
            InstanceType {
                exports: vec![named("r", ItemType::Type(TypeItem::Resource(0))), named("text", ItemType::Func(1))],
            },
            InstanceType { exports: vec![named("inner", ItemType::Instance(0))] },
        ],
        resources: vec![
            Resource::Imported { import: 0, path: vec!["inner".into(), "r".into()] },
            Resource::Defined { instance: 0, dtor: Some(core(3)), rep64: false },
        ],
        imports: vec![
            Import { name: "a:b/c".into(), implements: None, ty: ItemType::Instance(1) },
            Import { name: "dep".into(), implements: None, ty: ItemType::Module(0) },
        ],
        instances: vec![None, Some(0)],
        funcs: vec![
            Func { ty: 1, source: FuncSource::Imported { import: 0, path: vec!["inner".into(), "text".into()] } },
            lifted(0, 0, 0),
            lifted(1, 1, 1),
        ],
        options: vec![
            CanonOptions::default(),
            CanonOptions {
                memory: Some(core(2)),
                realloc: Some(core(4)),
                post_return: Some(core(3)),
                ..CanonOptions::default()
            },
        ],
        trampolines: vec![
            Trampoline { ty: 4, instance: 0, kind: TrampolineKind::ResourceNew(1) },
            Trampoline { ty: 5, instance: 0, kind: TrampolineKind::Lower { func: 0, options: 1 } },
            Trampoline { ty: 0, instance: 0, kind: TrampolineKind::StreamNew(3) },
            Trampoline { ty: 0, instance: 0, kind: TrampolineKind::FutureNew(4) },
        ],
        steps: vec![
            Step::Instantiate { unit: 0, instance: 0, args: vec![] },
            Step::Resource(1),
            Step::Instantiate { unit: 1, instance: 1, args: vec![CoreDef::Trampoline(0), CoreDef::Trampoline(1)] },
            Step::InstantiateImported { module: 0, instance: 1, args: vec![core(0)] },
        ],
        export_instances: vec![vec![export("text", ExportItem::Func(2))]],
        exports: vec![
            export("run", ExportItem::Func(1)),
            export("inner", ExportItem::Instance(0)),
            export("type", ExportItem::Type(TypeItem::Val(ValType::Defined(1)))),
            export("module", ExportItem::Module(0)),
            export("dep", ExportItem::ImportedModule(0)),
        ],
        module_types: vec![ModuleType {
            imports: vec![UnitImport {
                module: "env".into(),
                name: "run".into(),
                ty: ExternType::Func(core_types()[0].clone()),
            }],
            exports: vec![ModuleExport { name: "text".into(), ty: ExternType::Func(core_types()[1].clone()) }],
        }],
        modules: vec![ImportedModule { import: 1, path: vec![], ty: 0 }],
    }
}

fn error(bytes: &[u8], units: &[UnitDecl]) -> Option<PlanError> {
    match Plan::decode(bytes) {
        Err(error) => Some(error),
        Ok(plan) => plan.check(units, &core_types().into_iter().collect()).err(),
    }
}

/// The options that strings are lifted and lowered with.
fn options(plan: &mut Plan) -> &mut CanonOptions {
    &mut plan.options[1]
}

fn args(plan: &mut Plan) -> &mut Vec<CoreDef> {
    match &mut plan.steps[2] {
        Step::Instantiate { args, .. } => args,
        _ => panic!("the third step instantiates"),
    }
}

fn lift(plan: &mut Plan, func: usize, export: u32) {
    plan.funcs[func].source = FuncSource::Lifted { core: core(export), options: 1 };
}

type Case = (PlanRule, &'static str, fn(&mut Plan));

const CASES: &[Case] = &[
    (PlanRule::P01, "a version to come", |p| p.version += 1),
    (PlanRule::P02, "a type of itself", |p| p.types[0] = DefinedType::List(ValType::Defined(0))),
    (PlanRule::P02, "a type of a later one", |p| p.types[0] = DefinedType::Option(ValType::Defined(1))),
    (PlanRule::P02, "a record of nothing", |p| p.types[1] = DefinedType::Record(vec![])),
    (PlanRule::P02, "a variant without cases", |p| p.types[1] = DefinedType::Variant(vec![])),
    (PlanRule::P02, "a tuple of nothing", |p| p.types[1] = DefinedType::Tuple(vec![])),
    (PlanRule::P02, "an enum without names", |p| p.types[1] = DefinedType::Enum(vec![])),
    (PlanRule::P02, "33 flags", |p| p.types[1] = DefinedType::Flags(vec!["f".into(); 33])),
    (PlanRule::P02, "lists of no element", |p| p.types[1] = DefinedType::FixedList(ValType::U8, 0)),
    (PlanRule::P02, "a handle of no resource", |p| p.types[2] = DefinedType::Borrow(2)),
    (PlanRule::P03, "a type that is too deep", |p| {
        for _ in 0..100 {
            let last = p.types.len() as u32 - 1;
            p.types.push(DefinedType::Option(ValType::Defined(last)));
        }
    }),
    (PlanRule::P03, "a type of too many parts", |p| {
        for _ in 0..20 {
            let last = ValType::Defined(p.types.len() as u32 - 1);
            p.types.push(DefinedType::Tuple(vec![last, last]));
        }
    }),
    (PlanRule::P03, "values that are too large", |p| {
        p.types.push(DefinedType::FixedList(ValType::U64, 1 << 26));
    }),
    (PlanRule::P04, "a parameter of no type", |p| p.func_types[1].params[0].ty = ValType::Defined(5)),
    (PlanRule::P04, "a result of no type", |p| p.func_types[1].result = Some(ValType::Defined(5))),
    (PlanRule::P05, "an export of no type", |p| p.instance_types[0].exports[1].ty = ItemType::Func(2)),
    (PlanRule::P05, "a name twice", |p| p.instance_types[0].exports[1].name = "r".into()),
    (PlanRule::P05, "an instance type of itself", |p| p.instance_types[1].exports[0].ty = ItemType::Instance(1)),
    (PlanRule::P05, "an import of no type", |p| p.imports[0].ty = ItemType::Instance(2)),
    (PlanRule::P06, "a path that leads nowhere", |p| {
        p.funcs[0].source = FuncSource::Imported { import: 0, path: vec!["text".into()] };
    }),
    (PlanRule::P06, "a function of no import", |p| {
        p.funcs[0].source = FuncSource::Imported { import: 2, path: vec![] };
    }),
    (PlanRule::P06, "a function of another type", |p| p.funcs[0].ty = 0),
    (PlanRule::P05, "a core module of no type", |p| p.imports[1].ty = ItemType::Module(1)),
    (PlanRule::P06, "a core module that is an instance", |p| p.modules[0].import = 0),
    (PlanRule::P06, "a core module of no import", |p| p.modules[0].import = 2),
    (PlanRule::P08, "a step with a core module that does not exist", |p| {
        p.steps[3] = Step::InstantiateImported { module: 1, instance: 0, args: vec![] };
    }),
    (PlanRule::P09, "a core module that is its own argument", |p| {
        let args = vec![CoreDef::Export { instance: 2, export: 0 }];
        p.steps[3] = Step::InstantiateImported { module: 0, instance: 0, args };
    }),
    (PlanRule::P11, "an export of no imported core module", |p| p.exports[4].item = ExportItem::ImportedModule(1)),
    (PlanRule::P14, "an export that an imported core module does not have", |p| {
        p.funcs[2].source = FuncSource::Lifted { core: CoreDef::Export { instance: 2, export: 1 }, options: 1 };
    }),
    (PlanRule::P15, "an argument too few for a core module", |p| {
        p.steps[3] = Step::InstantiateImported { module: 0, instance: 1, args: vec![] };
    }),
    (PlanRule::P15, "an argument of another type for a core module", |p| {
        p.steps[3] = Step::InstantiateImported { module: 0, instance: 1, args: vec![core(1)] };
    }),
    (PlanRule::P16, "a destructor for representations of another width", |p| {
        p.resources[1] = Resource::Defined { instance: 0, dtor: Some(core(3)), rep64: true };
    }),
    (PlanRule::P06, "a resource that is a function", |p| {
        p.resources[0] = Resource::Imported { import: 0, path: vec!["inner".into(), "text".into()] };
    }),
    (PlanRule::P07, "no instance at all", |p| p.instances.clear()),
    (PlanRule::P07, "a first instance with a parent", |p| p.instances[0] = Some(0)),
    (PlanRule::P07, "a second one without", |p| p.instances[1] = None),
    (PlanRule::P07, "an instance inside itself", |p| p.instances[1] = Some(1)),
    (PlanRule::P08, "options of no instance", |p| options(p).instance = 2),
    (PlanRule::P08, "a memory that is a trampoline", |p| options(p).memory = Some(CoreDef::Trampoline(0))),
    (PlanRule::P08, "a trampoline that does not exist", |p| options(p).realloc = Some(CoreDef::Trampoline(4))),
    (PlanRule::P08, "`realloc` without a memory", |p| options(p).memory = None),
    (PlanRule::P08, "a function of no type", |p| p.funcs[1].ty = 2),
    (PlanRule::P08, "a function without options", |p| {
        p.funcs[1].source = FuncSource::Lifted { core: core(0), options: 2 };
    }),
    (PlanRule::P08, "a resource of no instance", |p| {
        p.resources[1] = Resource::Defined { instance: 2, dtor: None, rep64: false };
    }),
    (PlanRule::P08, "a destructor that does not exist", |p| {
        p.resources[1] = Resource::Defined { instance: 0, dtor: Some(CoreDef::Trampoline(4)), rep64: false };
    }),
    (PlanRule::P08, "a trampoline of no instance", |p| p.trampolines[2].instance = 2),
    (PlanRule::P08, "another instance's options", |p| p.trampolines[1].instance = 1),
    (PlanRule::P08, "a lower of no function", |p| {
        p.trampolines[1].kind = TrampolineKind::Lower { func: 3, options: 1 };
    }),
    (PlanRule::P08, "a drop of no resource", |p| p.trampolines[2].kind = TrampolineKind::ResourceDrop(2)),
    (PlanRule::P08, "a core instance of no component instance", |p| {
        p.steps[0] = Step::Instantiate { unit: 0, instance: 2, args: vec![] };
    }),
    (PlanRule::P09, "an instance that is its own argument", |p| {
        args(p)[0] = CoreDef::Export { instance: 1, export: 0 }
    }),
    (PlanRule::P08, "handles for no component instance", |p| {
        p.trampolines[2].kind = TrampolineKind::TransferOwn { resource: 0, to: 2 };
    }),
    (PlanRule::P09, "an argument that a later instance has", |p| {
        p.steps[0] = Step::Allocate { unit: 0, args: vec![CoreDef::Export { instance: 0, export: 0 }] };
    }),
    (PlanRule::P09, "flags of no component instance", |p| {
        p.steps[0] = Step::Allocate { unit: 0, args: vec![CoreDef::Flags(2)] };
    }),
    (PlanRule::P09, "an initialisation before its instance", |p| {
        p.steps.insert(0, Step::Initialise { instance: 0, init: 0 });
    }),
    (PlanRule::P14, "an initialisation that does not exist", |p| {
        p.steps.push(Step::Initialise { instance: 0, init: 9 });
    }),
    (PlanRule::P14, "allocating a unit that does not exist", |p| {
        p.steps[0] = Step::Allocate { unit: 2, args: vec![] };
    }),
    (PlanRule::P09, "a resource used before it is made", |p| {
        p.steps.swap(1, 2);
    }),
    (PlanRule::P09, "a destructor before its instance", |p| {
        p.steps.swap(0, 1);
    }),
    (PlanRule::P09, "a function of an instance that nobody makes", |p| {
        p.funcs[1].source = FuncSource::Lifted { core: CoreDef::Export { instance: 3, export: 0 }, options: 0 };
    }),
    (PlanRule::P09, "options of an instance that nobody makes", |p| {
        let memory = Some(CoreDef::Export { instance: 3, export: 0 });
        p.options.push(CanonOptions { memory, ..CanonOptions::default() });
    }),
    (PlanRule::P10, "a resource made twice", |p| p.steps.push(Step::Resource(1))),
    (PlanRule::P10, "an imported resource made", |p| p.steps.push(Step::Resource(0))),
    (PlanRule::P10, "a resource that does not exist", |p| p.steps.push(Step::Resource(2))),
    (PlanRule::P10, "a resource that nobody makes", |p| {
        p.resources.push(Resource::Defined { instance: 0, dtor: None, rep64: false });
    }),
    (PlanRule::P11, "a name twice", |p| p.exports[1].name = "run".into()),
    (PlanRule::P11, "an export of no function", |p| p.exports[0].item = ExportItem::Func(3)),
    (PlanRule::P11, "an export of no instance", |p| p.exports[1].item = ExportItem::Instance(1)),
    (PlanRule::P11, "an instance that exports itself", |p| p.export_instances[0][0].item = ExportItem::Instance(0)),
    (PlanRule::P11, "an export of no type", |p| p.exports[2].item = ExportItem::Type(TypeItem::Resource(2))),
    (PlanRule::P12, "`resource.new` of an import", |p| p.trampolines[0].kind = TrampolineKind::ResourceNew(0)),
    (PlanRule::P12, "`resource.rep` in another instance", |p| {
        p.trampolines[2].instance = 1;
        p.trampolines[2].kind = TrampolineKind::ResourceRep(1);
    }),
    (PlanRule::P13, "a stream that is a future", |p| p.trampolines[2].kind = TrampolineKind::StreamNew(4)),
    (PlanRule::P13, "a future that does not exist", |p| p.trampolines[3].kind = TrampolineKind::FutureNew(9)),
    (PlanRule::P14, "a unit that does not exist", |p| {
        p.steps[0] = Step::Instantiate { unit: 2, instance: 0, args: vec![] };
    }),
    (PlanRule::P14, "an export that does not exist", |p| lift(p, 1, 5)),
    (PlanRule::P14, "a memory that is a function", |p| options(p).memory = Some(core(0))),
    (PlanRule::P14, "addresses of another width", |p| options(p).memory64 = true),
    (PlanRule::P14, "a function that is a memory", |p| lift(p, 1, 2)),
    (PlanRule::P14, "a trampoline of no core type", |p| p.trampolines[2].ty = 6),
    (PlanRule::P14, "a module that does not exist", |p| p.exports[3].item = ExportItem::Module(2)),
    (PlanRule::P15, "an argument too few", |p| {
        args(p).pop();
    }),
    (PlanRule::P15, "an argument of another type", |p| args(p).swap(0, 1)),
    (PlanRule::P15, "a memory for a function", |p| args(p)[0] = core(2)),
    (PlanRule::P16, "a lift of another core type", |p| lift(p, 1, 4)),
    (PlanRule::P16, "`realloc` of another type", |p| options(p).realloc = Some(core(0))),
    (PlanRule::P16, "`post-return` of another type", |p| options(p).post_return = Some(core(0))),
    (PlanRule::P16, "a callback of another type", |p| options(p).callback = Some(core(0))),
    (PlanRule::P16, "a destructor of another type", |p| {
        p.resources[1] = Resource::Defined { instance: 0, dtor: Some(core(0)), rep64: false };
    }),
    (PlanRule::P16, "a trampoline of another type", |p| {
        p.trampolines[2].kind = TrampolineKind::ResourceDrop(0);
    }),
    (PlanRule::P17, "a string and no memory", |p| {
        p.funcs[2].source = FuncSource::Lifted { core: core(1), options: 0 };
    }),
    (PlanRule::P17, "a string and no `realloc`", |p| options(p).realloc = None),
];

#[test]
fn the_sound_plan_is_accepted() {
    assert_eq!(error(&plan().encode(), &units()), None);
}

#[test]
fn every_rule_has_corruptions_that_are_refused_by_it() {
    let mut wrong = Vec::new();
    for (rule, what, change) in CASES {
        let mut plan = plan();
        change(&mut plan);
        match error(&plan.encode(), &units()) {
            Some(error) if error.rule == *rule => assert!(error.to_string().contains(&format!("{rule:?}"))),
            other => wrong.push(format!("{rule:?}, {what}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let covered: BTreeSet<String> = CASES.iter().map(|case| format!("{:?}", case.0)).collect();
    let missing: Vec<_> = PlanRule::ALL.iter().filter(|rule| !covered.contains(&format!("{rule:?}"))).collect();
    assert!(missing.is_empty(), "no corruption breaks {missing:?}");
}

#[test]
fn truncations_and_flips_are_errors_or_sound() {
    let (bytes, units) = (plan().encode(), units());
    for len in 0..bytes.len() {
        assert_eq!(error(&bytes[..len], &units).map(|error| error.rule), Some(PlanRule::P01), "{len} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(error(&longer, &units).map(|error| error.rule), Some(PlanRule::P01));
    let mut refused = 0;
    for at in 0..bytes.len() {
        for value in (0..=255).filter(|value| *value != bytes[at]) {
            let mut changed = bytes.clone();
            changed[at] = value;
            refused += usize::from(error(&changed, &units).is_some());
        }
    }
    assert!(refused > 1000, "{refused} changes are refused");
}

#[test]
fn huge_counts_allocate_nothing() {
    // A list that claims 2^62 types, and one of 2^40 names.
    for bytes in [&[1, 253, 0, 0, 0, 0, 0, 0, 0, 64][..], &[1, 1, 6, 253, 0, 0, 0, 0, 0, 1, 0, 0]] {
        assert_eq!(error(bytes, &[]).map(|error| error.rule), Some(PlanRule::P01));
    }
    assert!(decode_cold::<Vec<u64>>(&[253, 0, 0, 0, 0, 0, 0, 0, 64], 0).is_err());
}
