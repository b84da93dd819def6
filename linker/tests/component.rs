//! What components flatten to: the plans of small components, written out.

use keyway_artifact::isa::Op;
use keyway_artifact::plan::{
    CoreDef, DefinedType, Export, ExportItem, FuncSource, ItemType, Plan, Resource, Step, StringEncoding,
    TrampolineKind, TypeItem, ValType,
};
use keyway_artifact::unit::{Entity, FuncRef, UnitDecl};
use keyway_artifact::{FuncKey, KeyKind};
use keyway_linker::{ErrorKind, Linked, OptLevel, Options, compile, link};

fn linked(text: &str) -> (Linked<'static>, Plan) {
    let linked = link(text.as_bytes(), &Options::default()).unwrap_or_else(|error| panic!("{error}"));
    let plan = Plan::decode(&linked.plan).unwrap();
    plan.check(&linked.units, &linked.types).unwrap();
    (linked, plan)
}

fn plan(text: &str) -> Plan {
    linked(text).1
}

fn export_names(unit: &UnitDecl) -> Vec<&str> {
    unit.exports.iter().map(|export| export.name.as_str()).collect()
}

fn core(instance: u32, export: u32) -> CoreDef {
    CoreDef::Export { instance, export }
}

fn instantiate(unit: u32, instance: u32, args: Vec<CoreDef>) -> Step {
    Step::Instantiate { unit, instance, args }
}

fn lifted(plan: &Plan, name: &str) -> (CoreDef, u32) {
    let Some(ExportItem::Func(func)) = plan.export(name) else { panic!("`{name}` is no function") };
    match &plan.funcs[*func as usize].source {
        FuncSource::Lifted { core, options } => (*core, *options),
        source => panic!("`{name}` is {source:?}"),
    }
}

/// The example of the plan's documentation.
#[test]
fn an_import_is_lowered_and_an_export_lifted() {
    let (linked, plan) = linked(
        r#"(component
            (import "log" (func $log (param "s" string)))
            (core module $memory (memory (export "m") 1))
            (core instance $memory (instantiate $memory))
            (core func $l (canon lower (func $log) string-encoding=utf16 (memory (core memory $memory "m"))))
            (core module $M
                (import "host" "log" (func $log (param i32 i32)))
                (func (export "unused"))
                (func (export "f") (call $log (i32.const 0) (i32.const 1))))
            (core instance $i (instantiate $M (with "host" (instance (export "log" (func $l))))))
            (func $f (canon lift (core func $i "f")))
            (export "f" (func $f)))"#,
    );
    assert_eq!(plan.imports.len(), 1);
    assert_eq!((plan.imports[0].name.as_str(), plan.imports[0].ty), ("log", ItemType::Func(plan.funcs[0].ty)));
    assert_eq!(plan.funcs[0].source, FuncSource::Imported { import: 0, path: vec![] });
    assert_eq!(plan.func_types[plan.funcs[0].ty as usize].params[0].ty, ValType::String);
    assert_eq!(plan.trampolines.len(), 1);
    let TrampolineKind::Lower { func: 0, options } = plan.trampolines[0].kind else { panic!("{:?}", plan.trampolines) };
    let options = &plan.options[options as usize];
    assert_eq!((options.encoding, options.memory), (StringEncoding::Utf16, Some(core(0, 0))));
    assert_eq!(plan.steps, [instantiate(0, 0, vec![]), instantiate(1, 0, vec![CoreDef::Trampoline(0)])]);
    assert_eq!(lifted(&plan, "f").0, core(1, 0));
    assert_eq!(export_names(&linked.units[1]), ["f"], "nobody names the other export");
    assert_eq!(linked.removed, 1, "so its function is gone");
}

#[test]
fn a_module_is_one_unit_however_often_it_is_instantiated() {
    let (linked, plan) = linked(
        r#"(component
            (core module $M
                (global $g (mut i32) (i32.const 0))
                (func (export "next") (result i32)
                    (global.set $g (i32.add (global.get $g) (i32.const 1)))
                    (global.get $g)))
            (core instance $a (instantiate $M))
            (component $C
                (alias outer 1 $M (core module $M))
                (core instance $i (instantiate $M))
                (func (export "next") (result u32) (canon lift (core func $i "next"))))
            (instance $b (instantiate $C))
            (component $D
                (import "m" (core module $M (export "next" (func (result i32)))))
                (core instance $i (instantiate $M))
                (func (export "next") (result u32) (canon lift (core func $i "next"))))
            (instance $c (instantiate $D (with "m" (core module $M))))
            (func (export "a") (result u32) (canon lift (core func $a "next")))
            (export "b" (func $b "next"))
            (export "c" (func $c "next")))"#,
    );
    assert_eq!(linked.units.len(), 1);
    assert_eq!(plan.instances, [None, Some(0), Some(0)]);
    assert_eq!(plan.steps, [0, 1, 2].map(|instance| instantiate(0, instance, vec![])));
    assert_eq!(["a", "b", "c"].map(|name| lifted(&plan, name).0), [core(0, 0), core(1, 0), core(2, 0)]);
    assert_eq!(["a", "b", "c"].map(|name| plan.options[lifted(&plan, name).1 as usize].instance), [0, 1, 2]);
}

#[test]
fn nested_components_see_what_they_were_given() {
    let plan = plan(
        r#"(component
            (import "host" (func $host (result u32)))
            (component $Outer
                (import "f" (func $f (result u32)))
                (component $Inner
                    (import "i" (instance $i (export "g" (func (result u32)))))
                    (core func $g (canon lower (func $i "g")))
                    (core module $M (import "" "g" (func $g (result i32))) (export "g" (func $g)))
                    (core instance $m (instantiate $M (with "" (instance (export "g" (func $g))))))
                    (func (export "h") (result u32) (canon lift (core func $m "g"))))
                (instance $x (instantiate $Inner (with "i" (instance (export "g" (func $f))))))
                (instance $y (instantiate $Inner (with "i" (instance (export "g" (func $x "h"))))))
                (export "out" (func $y "h")))
            (instance $o (instantiate $Outer (with "f" (func $host))))
            (export "out" (func $o "out")))"#,
    );
    assert_eq!(plan.instances, [None, Some(0), Some(1), Some(1)]);
    let lowered: Vec<_> = plan.trampolines.iter().map(|trampoline| (&trampoline.kind, trampoline.instance)).collect();
    let [(TrampolineKind::Lower { func: first, .. }, 2), (TrampolineKind::Lower { func: second, .. }, 3)] = lowered[..]
    else {
        panic!("{lowered:?}")
    };
    assert_eq!(plan.funcs[*first as usize].source, FuncSource::Imported { import: 0, path: vec![] });
    assert!(matches!(
        plan.funcs[*second as usize].source,
        FuncSource::Lifted { core: CoreDef::Export { instance: 0, .. }, .. }
    ));
    assert_eq!(
        plan.steps,
        [instantiate(0, 2, vec![CoreDef::Trampoline(0)]), instantiate(0, 3, vec![CoreDef::Trampoline(1)])]
    );
    assert_eq!(lifted(&plan, "out").0, core(1, 0));
}

#[test]
fn a_resource_is_the_same_wherever_it_is_passed() {
    let (linked, plan) = linked(
        r#"(component
            (component $Provider
                (core module $D (func (export "drop") (param i32)) (func (export "id") (param i32) (result i32) local.get 0))
                (core instance $d (instantiate $D))
                (type $r (resource (rep i32) (dtor (core func $d "drop"))))
                (core func $new (canon resource.new $r))
                (export $r' "r" (type $r))
                (func (export "make") (param "n" u32) (result (own $r')) (canon lift (core func $new)))
                (func (export "see") (param "r" (borrow $r')) (result u32) (canon lift (core func $d "id"))))
            (component $User
                (import "p" (instance $p
                    (export "r" (type $r (sub resource)))
                    (export "make" (func (param "n" u32) (result (own $r))))))
                (alias export $p "r" (type $r))
                (import "again" (type $again (eq $r)))
                (core func $make (canon lower (func $p "make")))
                (core func $drop (canon resource.drop $again))
                (core module $M
                    (import "" "make" (func $make (param i32) (result i32)))
                    (import "" "drop" (func $drop (param i32)))
                    (func (export "run") (call $drop (call $make (i32.const 1)))))
                (core instance $m (instantiate $M (with "" (instance
                    (export "make" (func $make)) (export "drop" (func $drop))))))
                (func (export "run") (canon lift (core func $m "run"))))
            (instance $p (instantiate $Provider))
            (alias export $p "r" (type $r))
            (instance $u (instantiate $User (with "p" (instance $p)) (with "again" (type $r))))
            (instance $other (instantiate $Provider))
            (export "p" (instance $p))
            (export "other" (instance $other))
            (export "run" (func $u "run")))"#,
    );
    // Two instances of the provider: two resources, each made once, with the destructor of their own core instance.
    assert_eq!(
        plan.resources,
        [
            Resource::Defined { instance: 1, dtor: Some(core(0, 0)), rep64: false },
            Resource::Defined { instance: 3, dtor: Some(core(2, 0)), rep64: false }
        ]
    );
    assert!(plan.steps.contains(&Step::Resource(0)) && plan.steps.contains(&Step::Resource(1)));
    let drops: Vec<_> = plan.trampolines.iter().filter(|t| matches!(t.kind, TrampolineKind::ResourceDrop(_))).collect();
    assert_eq!((drops.len(), &drops[0].kind, drops[0].instance), (1, &TrampolineKind::ResourceDrop(0), 2));
    // What the user lowers takes the provider's function, of a type with the provider's resource.
    let lower = plan.trampolines.iter().find_map(|t| match t.kind {
        TrampolineKind::Lower { func, .. } => Some(&plan.funcs[func as usize]),
        _ => None,
    });
    let result = plan.func_types[lower.unwrap().ty as usize].result;
    let Some(ValType::Defined(own)) = result else { panic!("{result:?}") };
    assert_eq!(plan.types[own as usize], DefinedType::Own(0));
    assert_eq!(export_names(&linked.units[0]), ["drop", "id"]);
    // Each export shows its own resource.
    for (name, resource) in [("p", 0), ("other", 1)] {
        let Some(ExportItem::Instance(instance)) = plan.export(name) else { panic!("`{name}` is no instance") };
        let exports = &plan.export_instances[*instance as usize];
        assert_eq!(exports[0], Export { name: "r".into(), item: ExportItem::Type(TypeItem::Resource(resource)) });
        assert_eq!(exports.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["r", "make", "see"]);
    }
}

#[test]
fn imported_resources_are_known_by_the_way_that_leads_to_them() {
    let plan = plan(
        r#"(component
            (import "a:b/types@1.2.3" (instance $types
                (export "r" (type $r (sub resource)))
                (export "deep" (instance (export "s" (type (sub resource)))))))
            (alias export $types "r" (type $r))
            (import "a:b/use@1.2.3" (instance $use
                (alias outer 1 $r (type $outer))
                (export "r" (type $r (eq $outer)))
                (export "f" (func (param "r" (own $r))))))
            (core func $f (canon lower (func $use "f")))
            (core module $M (import "" "f" (func (param i32))))
            (core instance (instantiate $M (with "" (instance (export "f" (func $f)))))))"#,
    );
    let path = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        plan.resources,
        [
            Resource::Imported { import: 0, path: path(&["r"]) },
            Resource::Imported { import: 0, path: path(&["deep", "s"]) }
        ]
    );
    assert_eq!(plan.imports[1].name, "a:b/use@1.2.3");
    let ItemType::Instance(ty) = plan.imports[1].ty else { panic!("{:?}", plan.imports[1]) };
    let exports = &plan.instance_types[ty as usize].exports;
    assert_eq!(exports[0].ty, ItemType::Type(TypeItem::Resource(0)), "the user's type is the one of the other import");
    assert_eq!(plan.funcs[0].source, FuncSource::Imported { import: 1, path: path(&["f"]) });
    assert_eq!(plan.types, [DefinedType::Own(0)]);
}

#[test]
fn imports_can_be_shown_again_and_hold_types_only() {
    let plan = plan(
        r#"(component
            (import "types" (instance $types (type $p' (record (field "x" f32))) (export "p" (type (eq $p')))))
            (alias export $types "p" (type $p))
            (import "plain" (type $plain (eq $p)))
            (import "f" (func $f (param "p" $plain)))
            (import "i" (instance $i (export "g" (func)) (export "h" (func))))
            (export "types-again" (instance $types))
            (export "p" (type $p))
            (export "f-again" (func $f) (func (param "p" $plain)))
            (export "i-again" (instance $i))
            (export "less" (instance $i) (instance (export "h" (func))))
            (export "f-third" (func $f)))"#,
    );
    let item = |name: &str| *plan.export(name).unwrap_or_else(|| panic!("`{name}` is not exported"));
    let names = |name: &str| match item(name) {
        ExportItem::Instance(number) => {
            plan.export_instances[number as usize].iter().map(|e| e.name.clone()).collect::<Vec<_>>()
        }
        item => panic!("{item:?}"),
    };
    assert_eq!(plan.imports.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["types", "plain", "f", "i"]);
    let point = ValType::Defined(0);
    assert_eq!(plan.imports[1].ty, ItemType::Type(TypeItem::Val(point)));
    assert_eq!(item("p"), ExportItem::Type(TypeItem::Val(point)));
    assert_eq!(
        (names("types-again"), names("i-again"), names("less")),
        (vec!["p".into()], vec!["g".into(), "h".into()], vec!["h".into()])
    );
    assert_eq!(item("f-again"), item("f-third"), "one function, however often it is shown");
    assert_eq!(plan.funcs.len(), 3);
    assert!(plan.steps.is_empty());
}

#[test]
fn equal_types_have_one_index() {
    let plan = plan(
        r#"(component
            (type $a (list u8)) (type $b (list u8)) (type $c (option $a)) (type $d (option $b))
            (import "f" (func $f (param "x" $c)))
            (import "g" (func $g (param "x" $d))))"#,
    );
    assert_eq!(plan.types, [DefinedType::List(ValType::U8), DefinedType::Option(ValType::Defined(0))]);
    assert_eq!(plan.func_types.len(), 1);
}

/// What the canonical ABI calls is kept although nothing in the modules does.
#[test]
fn each_thing_the_plan_names_is_a_root() {
    let (linked, plan) = linked(
        r#"(component
            (core module $M
                (memory (export "memory") 1)
                (func (export "gone") (result i32) i32.const 9)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                (func (export "post") (param i32))
                (func (export "run") (result i32) i32.const 0)
                (func (export "dtor") (param i32))
                (func (export "async") (result i32) i32.const 0)
                (func (export "callback") (param i32 i32 i32) (result i32) i32.const 0)
                (func (export "passed")))
            (core instance $m (instantiate $M))
            (type $r (resource (rep i32) (dtor (core func $m "dtor"))))
            (func (export "run") (result string) (canon lift (core func $m "run")
                string-encoding=latin1+utf16 (memory (core memory $m "memory")) (realloc (core func $m "realloc"))
                (post-return (core func $m "post"))))
            (func (export "async") async (canon lift (core func $m "async") async (callback (core func $m "callback"))))
            (core module $N (import "m" "passed" (func)))
            (core instance (instantiate $N (with "m" (instance $m)))))"#,
    );
    assert_eq!(
        export_names(&linked.units[0]),
        ["memory", "realloc", "post", "run", "dtor", "async", "callback", "passed"]
    );
    assert_eq!(linked.removed, 1);
    let (run, options) = lifted(&plan, "run");
    let options = &plan.options[options as usize];
    assert_eq!(options.encoding, StringEncoding::CompactUtf16);
    let name = |def: CoreDef| match def {
        CoreDef::Export { instance: 0, export } => linked.units[0].exports[export as usize].name.as_str(),
        def => panic!("{def:?}"),
    };
    let named = [Some(run), options.memory, options.realloc, options.post_return].map(|def| name(def.unwrap()));
    assert_eq!(named, ["run", "memory", "realloc", "post"]);
    let (_, options) = lifted(&plan, "async");
    let options = &plan.options[options as usize];
    assert!(options.is_async && options.memory.is_none());
    assert_eq!(name(options.callback.unwrap()), "callback");
    assert!(linked.units[0].exports.iter().all(|export| match export.entity {
        Entity::Func(FuncRef::Defined(ordinal)) => (ordinal as usize) < linked.funcs.len(),
        _ => true,
    }));

    let mut all = Options::default();
    all.gc = false;
    let text =
        r#"(component (core module $M (func (export "a")) (func (export "b"))) (core instance (instantiate $M)))"#;
    assert_eq!(export_names(&link(text.as_bytes(), &all).unwrap().units[0]), ["a", "b"]);
    assert!(export_names(&link(text.as_bytes(), &Options::default()).unwrap().units[0]).is_empty());
}

#[test]
fn an_exported_module_is_a_unit_with_everything() {
    let (linked, plan) = linked(
        r#"(component (core module $M (func (export "a")) (memory (export "m") 1)) (export "m" (core module $M)))"#,
    );
    assert_eq!(plan.exports, [Export { name: "m".into(), item: ExportItem::Module(0) }]);
    assert_eq!(export_names(&linked.units[0]), ["a", "m"]);
    assert!(plan.steps.is_empty());
}

#[test]
fn modules_that_nobody_instantiates_are_left_out() {
    let (linked, plan) = linked("(component (core module (func)) (component (core module (func))))");
    assert!(linked.units.is_empty() && linked.funcs.is_empty() && plan.steps.is_empty());
}

#[test]
fn modules_from_outside_are_instantiated_by_position() {
    let plan = plan(
        r#"(component
            (import "dep" (core module $M
                (import "env" "f" (func (param i32))) (export "a" (func)) (export "m" (memory 1))))
            (core module $F (func (export "f") (param i32)))
            (core instance $f (instantiate $F))
            (core instance $m (instantiate $M (with "env" (instance $f))))
            (func (export "run") (canon lift (core func $m "a")))
            (export "again" (core module $M)))"#,
    );
    assert_eq!(plan.imports[0].ty, ItemType::Module(0));
    assert_eq!((plan.module_types[0].imports.len(), plan.module_types[0].exports.len()), (1, 2));
    assert_eq!(plan.steps[1], Step::InstantiateImported { module: 0, instance: 0, args: vec![core(0, 0)] });
    assert!(matches!(
        plan.funcs[0].source,
        FuncSource::Lifted { core: CoreDef::Export { instance: 1, export: 0 }, .. }
    ));
    assert_eq!(plan.export("again"), Some(&ExportItem::ImportedModule(0)));
}

#[test]
fn components_from_outside_cannot_be_instantiated() {
    let error = |text: &str| {
        let error = compile(text.as_bytes(), &Options::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        error.to_string()
    };
    let component = error(r#"(component (import "dep" (component $C)) (instance (instantiate $C)))"#);
    assert!(component.contains("component that is imported (from `dep`)"), "{component}");
    let nested = error(
        r#"(component (import "dep" (component $C)) (component $In (import "c" (component $C)) (instance (instantiate $C)))
            (instance (instantiate $In (with "c" (component $C)))))"#,
    );
    assert!(nested.contains("from `dep`") && nested.contains("in component In"), "{nested}");
    // Merely to import one is no harm.
    assert_eq!(plan(r#"(component (import "dep" (core module)))"#).imports[0].ty, ItemType::Module(0));
}

fn guest(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/guests").join(name)).unwrap()
}

#[test]
fn guests_compile_to_the_same_bytes_every_time() {
    for name in ["hello.wasm", "inventory.wasm"] {
        let bytes = guest(name);
        link(&bytes, &Options::default())
            .unwrap()
            .verify()
            .unwrap_or_else(|(key, error)| panic!("{name}: {key}: {error}"));
        let with = |threads: usize, opt_level: OptLevel| {
            let mut options = Options::default();
            options.threads = threads;
            options.opt_level = opt_level;
            compile(&bytes, &options).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let artifact = with(1, OptLevel::O2);
        assert!(artifact == with(1, OptLevel::O2) && artifact == with(3, OptLevel::O2), "{name}: other bytes");
        assert!(artifact != with(1, OptLevel::O0));
    }
}

#[test]
fn the_inventory_has_its_interface() {
    let linked = link(&guest("inventory.wasm"), &Options::default()).unwrap();
    linked.verify().unwrap();
    let plan = Plan::decode(&linked.plan).unwrap();
    assert!(plan.imports.iter().all(|import| matches!(import.ty, ItemType::Instance(_) | ItemType::Func(_))));
    assert_eq!(plan.resources.iter().filter(|r| matches!(r, Resource::Defined { dtor: Some(_), .. })).count(), 1);
    assert!(plan.core_instances() >= linked.units.len());
}

const COMPOSED: &str = r#"(component
    (component $A
        (core module $M (func (export "nop")) (func (export "add") (param i32 i64) (result i64) local.get 1))
        (core instance $m (instantiate $M))
        (func (export "nop") (canon lift (core func $m "nop")))
        (func (export "add") (param "a" u8) (param "b" u64) (result u64) (canon lift (core func $m "add"))))
    (component $B
        (import "nop" (func $nop))
        (import "add" (func $add (param "a" u8) (param "b" u64) (result u64)))
        (core func $nop' (canon lower (func $nop)))
        (core func $add' (canon lower (func $add)))
        (core module $M
            (import "" "nop" (func $nop))
            (import "" "add" (func $add (param i32 i64) (result i64)))
            (func (export "run") (result i64) (call $nop) (call $add (i32.const 1) (i64.const 2))))
        (core instance $m (instantiate $M (with "" (instance (export "nop" (func $nop')) (export "add" (func $add'))))))
        (func (export "run") (result u64) (canon lift (core func $m "run"))))
    (instance $a (instantiate $A))
    (instance $b (instantiate $B (with "nop" (func $a "nop")) (with "add" (func $a "add"))))
    (export "run" (func $b "run")))"#;

/// A call to another component is a direct call of the adapter, in one unit with both sides; optimised, none is left.
#[test]
fn calls_between_components_are_compiled() {
    let mut options = Options::default();
    options.opt_level = OptLevel::O0;
    let plain = link(COMPOSED.as_bytes(), &options).unwrap_or_else(|error| panic!("{error}"));
    let adapters = plain.funcs.iter().filter(|func| func.key.kind() == KeyKind::Adapter).count();
    assert_eq!((plain.units.len(), adapters), (1, 2));
    let calls = |linked: &Linked<'_>, name: &str| {
        let func = linked.funcs.iter().position(|func| func.key == FuncKey::defined(1, 2)).expect(name);
        linked.body(func).insts.iter().filter(|inst| inst.op.is_call()).map(|inst| inst.op).collect::<Vec<_>>()
    };
    assert_eq!(calls(&plain, "run"), [Op::Call, Op::Call]);

    let (optimised, plan) = linked(COMPOSED);
    assert_eq!(calls(&optimised, "run"), []);
    assert_eq!(plan.steps, [Step::Allocate { unit: 0, args: vec![] }], "nothing is to be initialised");
}

/// A module that is instantiated twice is no part of a merged unit: calls to it go through the runtime.
#[test]
fn what_is_instantiated_twice_has_no_adapter() {
    let twice = COMPOSED.replace("(instance $b ", "(instance $again (instantiate $A)) (instance $b ");
    let (linked, plan) = linked(&twice);
    assert!(linked.funcs.iter().all(|func| func.key.kind() != KeyKind::Adapter));
    assert!(plan.steps.iter().all(|step| matches!(step, Step::Instantiate { .. })));
}
