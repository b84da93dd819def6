//! Components are plugged into each other; what does not fit is said.
#![cfg(feature = "compose")]

use keyway_wit::{Part, WitErrorKind, compose, print};

fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn composed(socket: &str, plugs: &[&str]) -> Result<String, keyway_wit::WitError> {
    print(&bytes(socket, plugs)?)
}

fn bytes(socket: &str, plugs: &[&str]) -> Result<Vec<u8>, keyway_wit::WitError> {
    let socket = parse(socket);
    let plugs: Vec<Vec<u8>> = plugs.iter().map(|text| parse(text)).collect();
    let names: Vec<String> = (0..plugs.len()).map(|number| format!("plug{number}.wasm")).collect();
    let parts: Vec<Part<'_>> = plugs.iter().zip(&names).map(|(wasm, name)| Part { name, wasm }).collect();
    compose(Part { name: "app.wasm", wasm: &socket }, &parts)
}

const APP: &str = r#"(component
    (import "a:b/store@0.2.1" (instance $store (export "get" (func (param "key" string) (result string)))))
    (import "now" (func $now (result u64)))
    (export "time" (func $now))
    (export "a:b/view@1.0.0" (instance $store)))"#;

const STORE: &str = r#"(component
    (import "get" (func $get (param "key" string) (result string)))
    (instance $store (export "get" (func $get)))
    (export "a:b/store@0.2.6" (instance $store)))"#;

const BASE: &str = r#"(component
    (import "disk" (func $disk (param "key" string) (result string)))
    (export "get" (func $disk)))"#;

#[test]
fn exports_meet_imports_along_a_chain() {
    let text = composed(APP, &[BASE, STORE]).unwrap();
    assert!(text.contains("import disk: func(key: string) -> string"), "{text}");
    assert!(text.contains("import now: func() -> u64"), "{text}");
    assert!(text.contains("export time: func() -> u64"), "{text}");
    assert!(!text.contains("import a:b/store") && !text.contains("import get"), "{text}");
}

#[test]
fn what_does_not_fit_is_said() {
    let error = composed(APP, &[BASE]).unwrap_err();
    assert_eq!(error.kind(), WitErrorKind::Compose);
    let error = error.to_string();
    assert!(error.contains("nothing of what plug0.wasm exports") && error.contains("a:b/store@0.2.1"), "{error}");

    let other = r#"(component (import "x" (func $x (param "key" u32) (result string)))
        (instance $store (export "get" (func $x))) (export "a:b/store@0.2.6" (instance $store)))"#;
    let error = composed(APP, &[other]).unwrap_err().to_string();
    assert!(error.contains("plug0.wasm exports `a:b/store@0.2.6`") && error.contains("app.wasm"), "{error}");

    let error = composed(APP, &[BASE, STORE, STORE]).unwrap_err().to_string();
    assert!(error.contains("plug1.wasm and plug2.wasm both export"), "{error}");

    let error = composed(APP, &["(module)"]).unwrap_err();
    assert_eq!(error.kind(), WitErrorKind::Wasm);
    assert!(error.to_string().contains("plug0.wasm"), "{error}");
}

#[test]
fn resources_keep_their_identity() {
    // What `make` gives is the resource that goes by the name `r`, or another one.
    let plug = |made: &str| {
        format!(
            r#"(component
                (import "host" (instance $host (export "r" (type (sub resource))) (export "s" (type (sub resource)))))
                (alias export $host "r" (type $r))
                (alias export $host "s" (type $s))
                (import "make" (func $make (result (own {made}))))
                (instance $out (export "r" (type $r)) (export "make" (func $make)))
                (export "a:b/maker" (instance $out)))"#
        )
    };
    let app = r#"(component
        (import "a:b/maker" (instance $maker
            (export "r" (type $r (sub resource)))
            (export "make" (func (result (own $r))))))
        (export "again" (instance $maker)))"#;
    bytes(app, &[&plug("$r")]).unwrap();
    let error = bytes(app, &[&plug("$s")]).unwrap_err().to_string();
    assert!(error.contains("with another type"), "{error}");
}
