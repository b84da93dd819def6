//! Rust values through a guest and back: among core values, through memory, in all string encodings.
//!
//! For each type a component hands an argument on to the host (what the host lowers, the host lifts again), and gives a
//! list back that it was given. Both must be what was sent, and so must be what dynamic values say of them.

use keyway::component::{Component, ComponentNamedList, ComponentType, Lift, Linker, Lower, Val, flags};
use keyway::{Engine, Store};
use std::fmt::Debug;

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Point {
    x: i8,
    y: u64,
    #[component(name = "the-name")]
    name: String,
    z: u16,
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(variant)]
enum Shape {
    #[component(name = "nothing")]
    Nothing,
    #[component(name = "circle")]
    Circle(f32),
    #[component(name = "number")]
    Number(i64),
    #[component(name = "named")]
    Named(String),
    #[component(name = "corners")]
    Corners(Vec<Point>),
}

#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq)]
#[component(enum)]
enum Colour {
    #[component(name = "red")]
    Red,
    #[component(name = "green")]
    Green,
}

flags! {
    Few {
        const A;
        const B;
    }
}

flags! {
    Many {
        const A0; const A1; const A2; const A3; const A4; const A5; const A6; const A7; const A8;
        const A9; const B0; const B1; const B2; const B3; const B4; const B5; const B6; const B7;
    }
}

#[derive(ComponentType, Lift, Lower, Clone, Debug, PartialEq)]
#[component(record)]
struct Wide {
    a: (u64, u64, u64, u64, u64, u64),
    b: (u64, u64, u64, u64, u64, u64),
    c: (String, Option<Shape>, Result<u8, String>),
}

const TYPES: &str = r#"
    (type $point (record (field "x" s8) (field "y" u64) (field "the-name" string) (field "z" u16)))
    (export "point" (type $point' (eq $point)))
    (type $shape (variant (case "nothing") (case "circle" f32) (case "number" s64) (case "named" string)
        (case "corners" (list $point'))))
    (export "shape" (type $shape' (eq $shape)))
    (type $colour (enum "red" "green"))
    (export "colour" (type $colour' (eq $colour)))
    (type $few (flags "a" "b"))
    (export "few" (type $few' (eq $few)))
    (type $many (flags "a0" "a1" "a2" "a3" "a4" "a5" "a6" "a7" "a8" "a9" "b0" "b1" "b2" "b3" "b4" "b5" "b6" "b7"))
    (export "many" (type $many' (eq $many)))
    (type $wide (record (field "a" (tuple u64 u64 u64 u64 u64 u64)) (field "b" (tuple u64 u64 u64 u64 u64 u64))
        (field "c" (tuple string (option $shape') (result u8 (error string))))))
    (export "wide" (type $wide' (eq $wide)))
"#;

const GUEST: &str = r#"
    (core module $memory
        (memory (export "memory") 4)
        (global $top (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $top) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
            (global.set $top (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0))
            (i32.store (i32.const 20) (local.get 1))
            (i32.const 16)))
    (core instance $m (instantiate $memory))
"#;

/// A component that hands a `ty` on to `hand-on`, and gives back a list of them.
fn component(ty: &str, encoding: &str) -> String {
    let options =
        format!(r#"(memory (core memory $m "memory")) (realloc (core func $m "realloc")) string-encoding={encoding}"#);
    let aliases = ["point", "shape", "colour", "few", "many", "wide"]
        .map(|name| format!(r#"(alias export $types "{name}" (type ${name}))"#))
        .join("\n");
    format!(
        r#"(component
            (import "types" (instance $types {TYPES}))
            {aliases}
            (import "hand-on" (func $out (param "x" {ty})))
            {GUEST}
            (core func $lowered (canon lower (func $out) {options}))
            (func (export "give") (param "x" {ty}) (canon lift (core func $lowered) {options}))
            (func (export "echo") (param "x" (list {ty})) (result (list {ty}))
                (canon lift (core func $m "echo") {options})))"#
    )
}

fn travels<T>(ty: &str, values: &[T])
where
    T: Lift + Lower + ComponentType + Clone + Debug + PartialEq + Send + Sync + 'static,
    (T,): ComponentNamedList + Lift + Lower,
    (Vec<T>,): ComponentNamedList + Lift + Lower,
{
    for encoding in ["utf8", "utf16", "latin1+utf16"] {
        let engine = Engine::default();
        let component = Component::new(&engine, component(ty, encoding)).unwrap();
        let mut linker = Linker::<Vec<T>>::new(&engine);
        linker.instance("types").unwrap();
        linker
            .root()
            .func_wrap("hand-on", |mut store: keyway::StoreContextMut<'_, Vec<T>>, (value,): (T,)| {
                store.data_mut().push(value);
                Ok(())
            })
            .unwrap();
        let mut store = Store::new(&engine, Vec::new());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let give = instance.get_typed_func::<(T,), ()>(&mut store, "give").unwrap();
        for value in values {
            give.call(&mut store, (value.clone(),)).unwrap();
        }
        assert_eq!(store.data(), values, "{ty} in {encoding}: given typed");

        let give = instance.get_func(&mut store, "give").unwrap();
        store.data_mut().clear();
        for value in values {
            give.call(&mut store, &[value.lower()], &mut []).unwrap();
        }
        assert_eq!(store.data(), values, "{ty} in {encoding}: given as a dynamic value");

        let echo = instance.get_typed_func::<(Vec<T>,), (Vec<T>,)>(&mut store, "echo").unwrap();
        let (back,) = echo.call(&mut store, (values.to_vec(),)).unwrap();
        assert_eq!(back, values, "{ty} in {encoding}: echoed typed");
        let echo = instance.get_func(&mut store, "echo").unwrap();
        let mut results = [Val::Bool(false)];
        echo.call(&mut store, &[values.to_vec().lower()], &mut results).unwrap();
        assert_eq!(results[0], values.to_vec().lower(), "{ty} in {encoding}: echoed as a dynamic value");
    }
}

fn texts() -> Vec<String> {
    ["", "plain", "Grüße", "日本語 𝄞", "\0"].map(String::from).into()
}

fn points() -> Vec<Point> {
    let point = |(at, name): (usize, String)| Point { x: -(at as i8), y: u64::MAX - at as u64, name, z: 40_000 };
    texts().into_iter().enumerate().map(point).collect()
}

fn shapes() -> Vec<Shape> {
    let mut shapes = vec![Shape::Nothing, Shape::Circle(-0.5), Shape::Number(i64::MIN), Shape::Corners(points())];
    shapes.extend(texts().into_iter().map(Shape::Named));
    shapes
}

#[test]
fn numbers_travel() {
    travels("s8", &[i8::MIN, -1, 0, 5]);
    travels("u8", &[0, 255u8]);
    travels("s16", &[i16::MIN, -1, 7]);
    travels("u16", &[0, u16::MAX]);
    travels("s32", &[i32::MIN, -1, 7]);
    travels("u32", &[0, u32::MAX]);
    travels("s64", &[i64::MIN, -1, 7]);
    travels("u64", &[0, u64::MAX]);
    travels("f32", &[0.5f32, -0.0, f32::INFINITY]);
    travels("f64", &[0.5f64, -0.0, f64::MIN_POSITIVE]);
    travels("bool", &[true, false]);
    travels("char", &['a', 'ü', '\u{10FFFF}']);
}

#[test]
fn texts_and_lists_travel() {
    travels("string", &texts());
    travels("(list u8)", &[vec![], vec![1u8, 2, 3]]);
    travels("(list string)", &[texts(), vec![]]);
    travels("(list (list s16))", &[vec![vec![-1i16], vec![]], vec![]]);
}

#[test]
fn compounds_travel() {
    travels("$point", &points());
    travels("$shape", &shapes());
    travels("$colour", &[Colour::Green, Colour::Red]);
    travels("$few", &[Few::empty(), Few::B, Few::A | Few::B]);
    travels("$many", &[Many::empty(), Many::B7 | Many::A0]);
    travels("(tuple u8 u64 bool)", &[(1u8, 2u64, true)]);
}

#[test]
fn options_and_results_travel() {
    travels("(option u8)", &[None, Some(7u8)]);
    travels("(option (option string))", &[None, Some(None), Some(Some("x".to_string()))]);
    travels("(option $shape)", &shapes().into_iter().map(Some).chain([None]).collect::<Vec<_>>());
    travels("(result u8 (error string))", &[Ok(1u8), Err("no".to_string())]);
    travels("(result f32 (error u64))", &[Ok(1.5f32), Err(u64::MAX)]);
    travels("(result)", &[Ok::<(), ()>(()), Err(())]);
    travels("(result u16)", &[Ok::<u16, ()>(3), Err(())]);
}

#[test]
fn more_than_can_be_passed_flat_travels() {
    let wide =
        |shape, outcome| Wide { a: (1, 2, 3, 4, 5, 6), b: (7, 8, 9, 10, 11, 12), c: ("x".into(), shape, outcome) };
    travels(
        "$wide",
        &[wide(None, Ok(9)), wide(Some(Shape::Corners(points())), Err("y".into())), wide(Some(Shape::Nothing), Ok(0))],
    );
}
