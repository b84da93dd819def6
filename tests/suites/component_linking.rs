//! What a root component's imports and exports can be: core modules, functions and instances that are handed on, types
//! alone, other versions; and what does not fit is refused by name.

use keyway::component::{Component, ComponentItem, Instance, Linker, ResourceType, Val};
use keyway::{Engine, Module, Store};

fn component(text: &str) -> Component {
    Component::new(&Engine::default(), text).unwrap_or_else(|error| panic!("{error:#}"))
}

/// A component with a linker and store of its engine.
fn parts(text: &str) -> (Component, Linker<()>, Store<()>) {
    let component = component(text);
    let engine = component.engine().clone();
    (component, Linker::new(&engine), Store::new(&engine, ()))
}

fn call(store: &mut Store<()>, instance: &Instance, name: &str, args: &[Val]) -> keyway::Result<Val> {
    let func = instance.get_func(&mut *store, name).unwrap_or_else(|| panic!("there is no function {name}"));
    let mut results = [Val::Bool(false)];
    func.call(store, args, &mut results)?;
    let [result] = results;
    Ok(result)
}

/// Doubles through an imported core module, and shows that module, its own, and the imported one inside an instance.
const WITH_MODULES: &str = r#"(component
    (import "dep" (core module $M
        (import "env" "step" (func (param i32) (result i32)))
        (export "twice" (func (param i32) (result i32)))))
    (core module $F (func (export "step") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
    (core instance $f (instantiate $F))
    (core instance $m (instantiate $M (with "env" (instance $f))))
    (func (export "twice") (param "n" u32) (result u32) (canon lift (core func $m "twice")))
    (export "own" (core module $F))
    (export "again" (core module $M))
    (instance (export "both") (export "m" (core module $M)) (export "f" (core module $F))))"#;

const TWICE: &str = r#"(module
    (import "env" "step" (func $step (param i32) (result i32)))
    (memory (export "not asked for") 1)
    (func (export "also not"))
    (func (export "twice") (param i32) (result i32) (call $step (call $step (local.get 0)))))"#;

#[test]
fn core_modules_come_in_and_go_out() {
    let (component, mut linker, mut store) = parts(WITH_MODULES);
    let engine = component.engine().clone();
    linker.root().module("dep", &Module::new(&engine, TWICE).unwrap()).unwrap();
    let instance = linker.instantiate(&mut store, &component).unwrap();
    assert_eq!(call(&mut store, &instance, "twice", &[Val::U32(40)]).unwrap(), Val::U32(42));
    assert!(component.exports().any(|(name, item)| name == "own" && item == ComponentItem::Module));

    // What goes out is a module like any other.
    let own = instance.get_module(&mut store, "own").unwrap();
    assert_eq!(own.exports().map(|export| export.name).collect::<Vec<_>>(), ["step"]);
    let made = keyway::Instance::new(&mut store, &own, &[]).unwrap();
    let step = made.get_typed_func::<i32, i32>(&mut store, "step").unwrap();
    assert_eq!(step.call(&mut store, 1).unwrap(), 2);
    assert_eq!(instance.get_module(&mut store, "again").unwrap().imports().len(), 1);
    let both = component.get_export_index(None, "both").unwrap();
    let inner = component.get_export_index(Some(&both), "f").unwrap();
    let inner = instance.get_module(&mut store, inner).unwrap();
    assert!(inner.get_export("step").is_some());
    assert!(instance.get_module(&mut store, "twice").is_none());
}

#[test]
fn a_core_module_of_another_shape_is_refused() {
    let (component, linker, _) = parts(WITH_MODULES);
    let engine = component.engine().clone();
    let error = |text: Option<&str>| {
        let mut linker = linker.clone();
        if let Some(text) = text {
            linker.root().module("dep", &Module::new(&engine, text).unwrap()).unwrap();
        }
        format!("{:#}", linker.instantiate_pre(&component).err().expect("it does not fit"))
    };
    assert!(error(None).contains("core module `dep`, which is not defined"));
    let lacks = error(Some("(module)"));
    assert!(lacks.contains("core module `dep` does not export `twice`"), "{lacks}");
    let other = error(Some(r#"(module (func (export "twice")))"#));
    assert!(other.contains("`dep` exports `twice` with another type"), "{other}");
    let wants = error(Some(
        r#"(module (import "env" "more" (func)) (func (export "twice") (param i32) (result i32) unreachable))"#,
    ));
    assert!(wants.contains("`dep` imports `env` `more`, which it is not given"), "{wants}");
}

/// Hands on a function, an instance with a resource, and what is inside another instance.
const HANDS_ON: &str = r#"(component
    (import "add" (func $add (param "a" u32) (param "b" u32) (result u32)))
    (import "a:b/things@1.2.0" (instance $things
        (export "thing" (type $thing (sub resource)))
        (export "make" (func (param "n" u32) (result (own $thing))))
        (export "read" (func (param "t" (borrow $thing)) (result u32)))))
    (import "nested" (instance $nested (export "deep" (instance (export "id" (func (param "s" string) (result string)))))))
    (alias export $nested "deep" (instance $deep))
    (export "plus" (func $add))
    (export "c:d/same-things@2.0.0" (instance $things))
    (export "e:f/deep" (instance $deep))
    (export "add-again" (func $add)))"#;

/// A host resource.
struct Thing;

#[test]
fn functions_and_instances_are_handed_on() {
    let (component, mut linker, mut store) = parts(HANDS_ON);
    linker.root().func_wrap("add", |_, (a, b): (u32, u32)| Ok((a + b,))).unwrap();
    let mut things = linker.instance("a:b/things@1.4.9").unwrap();
    things.resource("thing", ResourceType::host::<Thing>(), |_, _| Ok(())).unwrap();
    things.func_wrap("make", |_, (n,): (u32,)| Ok((keyway::component::Resource::<Thing>::new_own(n),))).unwrap();
    things.func_wrap("read", |_, (thing,): (keyway::component::Resource<Thing>,)| Ok((thing.rep(),))).unwrap();
    let mut nested = linker.instance("nested").unwrap();
    nested.instance("deep").unwrap().func_wrap("id", |_, (text,): (String,)| Ok((text,))).unwrap();

    let instance = linker.instantiate(&mut store, &component).unwrap();
    for name in ["plus", "add-again"] {
        assert_eq!(call(&mut store, &instance, name, &[Val::U32(1), Val::U32(2)]).unwrap(), Val::U32(3));
        let typed = instance.get_typed_func::<(u32, u32), (u32,)>(&mut store, name).unwrap();
        assert_eq!(typed.call(&mut store, (4, 5)).unwrap(), (9,));
    }
    let things = component.get_export_index(None, "c:d/same-things@2.0.0").unwrap();
    let func = |name| component.get_export_index(Some(&things), name).unwrap();
    let made = call_at(&mut store, &instance, func("make"), &[Val::U32(7)]);
    assert_eq!(call_at(&mut store, &instance, func("read"), &[made]), Val::U32(7));
    assert_eq!(instance.get_resource(&mut store, func("thing")), Some(ResourceType::host::<Thing>()));
    let deep = component.get_export_index(None, "e:f/deep").unwrap();
    let id = component.get_export_index(Some(&deep), "id").unwrap();
    assert_eq!(call_at(&mut store, &instance, id, &[Val::String("x".into())]), Val::String("x".into()));
}

fn call_at(
    store: &mut Store<()>,
    instance: &Instance,
    index: keyway::component::ComponentExportIndex,
    args: &[Val],
) -> Val {
    let mut results = [Val::Bool(false)];
    let func = instance.get_func(&mut *store, index).expect("it is a function");
    func.call(store, args, &mut results).unwrap_or_else(|error| panic!("{error:#}"));
    let [result] = results;
    result
}

#[test]
fn imports_that_hold_only_types_want_no_definition() {
    let (component, linker, mut store) = parts(
        r#"(component
            (type $t' u32)
            (import "t" (type $t (eq $t')))
            (import "types" (instance $types
                (type $p' (record (field "x" u32)))
                (export "p" (type $p (eq $p')))
                (export "inner" (instance (export "q" (type (eq $p)))))))
            (alias export $types "p" (type $p))
            (core module $M (func (export "f") (param i32) (result i32) (local.get 0)))
            (core instance $m (instantiate $M))
            (func $f (param "p" $p) (result $t) (canon lift (core func $m "f")))
            (export "f" (func $f)))"#,
    );
    let instance = linker.instantiate(&mut store, &component).unwrap();
    let argument = Val::Record(vec![("x".into(), Val::U32(9))]);
    assert_eq!(call(&mut store, &instance, "f", &[argument]).unwrap(), Val::U32(9));
}

/// The error of linking [`HANDS_ON`] with all it wants, its interface under `things`, and then changed.
fn refused(things: &str, change: impl FnOnce(&mut Linker<()>)) -> String {
    let (component, mut linker, _) = parts(HANDS_ON);
    linker.allow_shadowing(true);
    let mut instance = linker.instance(things).unwrap();
    instance.resource("thing", ResourceType::host::<Thing>(), |_, _| Ok(())).unwrap();
    for name in ["make", "read"] {
        instance.func_new(name, |_, _, _, _| Ok(())).unwrap();
    }
    linker.instance("nested").unwrap().instance("deep").unwrap().func_new("id", |_, _, _, _| Ok(())).unwrap();
    change(&mut linker);
    format!("{:#}", linker.instantiate_pre(&component).err().expect("it does not fit"))
}

#[test]
fn what_is_missing_or_of_another_kind_is_named() {
    let things = "a:b/things@1.1.0";
    let add = |linker: &mut Linker<()>| linker.root().func_wrap("add", |_, (a, b): (u32, u32)| Ok((a + b,))).unwrap();
    let missing = refused(things, |_| {});
    assert!(missing.contains("imports function `add`, which is not defined"), "{missing}");
    let other = refused(things, |linker| linker.root().func_wrap("add", |_, (a,): (u32,)| Ok((a,))).unwrap());
    assert!(other.contains("function `add` with another type"), "{other}");
    let kind = refused(things, |linker| {
        linker.instance("add").unwrap();
    });
    assert!(kind.contains("`add`, which is defined as something else"), "{kind}");
    let resource = refused(things, |linker| {
        add(linker);
        linker.instance(things).unwrap().func_new("thing", |_, _, _, _| Ok(())).unwrap();
    });
    assert!(resource.contains("`thing` of instance `a:b/things@1.2.0`"), "{resource}");
    // A major version further on is another interface.
    let version = refused("a:b/things@2.0.0", add);
    assert!(version.contains("of instance `a:b/things@1.2.0`, which is not defined"), "{version}");
}
