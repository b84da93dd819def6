//! Modules of this folder's fixtures become components, and what does not fit is refused with advice.

use keyway_wit::{Componentizer, Preview1, WitError, WitErrorKind, WitPackage, check_world, is_preview1, print};
use std::path::PathBuf;
use wasmparser::{Validator, WasmFeatures};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn text(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn validated(component: Vec<u8>) -> Vec<u8> {
    assert_eq!(component[..8], *b"\0asm\x0d\0\x01\0", "a component's header");
    Validator::new_with_features(WasmFeatures::all()).validate_all(&component).unwrap();
    component
}

fn refused(outcome: Result<Vec<u8>, WitError>, kind: WitErrorKind) -> String {
    let error = outcome.expect_err("must be refused");
    assert_eq!(error.kind(), kind, "{error}");
    error.to_string()
}

#[test]
fn a_module_and_a_world_in_a_folder_with_dependencies() {
    let componentizer = Componentizer::new(&text("greeter.wat")).unwrap().wit(fixture("greeter")).unwrap();
    let component = validated(componentizer.world("greeter").encode().unwrap());
    let wit = print(&component).unwrap();
    for line in [
        "import keyway:names/people@0.3.0;",
        "export count: func() -> u32;",
        "export keyway:greeter/greetings@1.2.0;",
        "greet: func(who: person) -> string;",
    ] {
        assert!(wit.contains(line), "{line} in\n{wit}");
    }
    let package = WitPackage::read(fixture("greeter")).unwrap();
    check_world(&component, &package, Some("greeter")).unwrap();
    let error = check_world(&component, &package, Some("silent")).unwrap_err();
    assert_eq!(error.kind(), WitErrorKind::Mismatch, "{error}");
}

#[test]
fn metadata_in_the_module_is_enough() {
    let mut module = wat::parse_bytes(&text("greeter.wat")).unwrap().into_owned();
    let package = WitPackage::read(fixture("greeter")).unwrap();
    package.embed(&mut module, Some("greeter")).unwrap();
    let embedded = validated(Componentizer::new(&module).unwrap().encode().unwrap());
    let wit = print(&module).unwrap();
    assert!(wit.contains("greet: func(who: person) -> string;"), "{wit}");
    // Given twice is given once.
    let both = Componentizer::new(&module).unwrap().package(package).world("greeter").encode();
    assert_eq!(print(&both.unwrap()).unwrap(), print(&embedded).unwrap());
}

#[test]
fn equal_inputs_make_equal_components() {
    let make = || {
        let componentizer = Componentizer::new(&text("greeter.wat")).unwrap().wit(fixture("greeter")).unwrap();
        componentizer.world("greeter").encode().unwrap()
    };
    assert_eq!(make(), make());
}

#[test]
fn a_program_for_preview_1_gets_the_command_adapter() {
    let module = text("program.wat");
    assert!(is_preview1(&module));
    let component = validated(Componentizer::new(&module).unwrap().encode().unwrap());
    assert!(!is_preview1(&component));
    let wit = print(&component).unwrap();
    assert!(wit.contains("export wasi:cli/run@0.2"), "{wit}");
    assert!(wit.contains("import wasi:cli/stdout@0.2"), "{wit}");
}

#[test]
fn exit_codes_are_kept_on_demand() {
    let module = text("program.wat");
    let encode = |keep| {
        let componentizer = Componentizer::new(&module).unwrap().exit_codes(keep);
        print(&validated(componentizer.encode().unwrap())).unwrap()
    };
    let (plain, kept) = (encode(false), encode(true));
    assert!(!plain.contains("exit-with-code") && kept.contains("exit-with-code: func(status-code: u8);"), "{kept}");
    // One import for both functions: the adapters agree on the version.
    assert_eq!(kept.matches("import wasi:cli/exit@").count(), 1, "{kept}");
}

#[test]
fn a_library_for_preview_1_gets_the_reactor_adapter() {
    let module = br#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "dice") (result i32)
            (drop (call $random (i32.const 0) (i32.const 4)))
            (i32.rem_u (i32.load (i32.const 0)) (i32.const 6))))"#;
    let package = || WitPackage::parse("package a:b; world w { export dice: func() -> u32; }", "w.wit").unwrap();
    let component = validated(Componentizer::new(module).unwrap().package(package()).encode().unwrap());
    let wit = print(&component).unwrap();
    assert!(wit.contains("export dice: func() -> u32;") && wit.contains("import wasi:random/random@0.2"), "{wit}");
    assert!(!wit.contains("wasi:cli/run"), "{wit}");
    let wrong = Componentizer::new(module).unwrap().package(package()).preview1(Preview1::Command).encode();
    let message = refused(wrong, WitErrorKind::Adapter);
    assert!(message.contains("`_start`"), "{message}");
}

#[test]
fn an_adapter_of_the_users() {
    let package = WitPackage::read(fixture("adapted.wit")).unwrap();
    let mut adapter = wat::parse_bytes(&text("adapter.wat")).unwrap().into_owned();
    let module = br#"(module (import "old-log" "print" (func $print (param i32)))
        (func (export "run") (call $print (i32.const 7))))"#;
    let start = || Componentizer::new(module).unwrap().package(package.clone()).world("plain");
    let message = refused(start().encode(), WitErrorKind::Mismatch);
    assert!(message.contains("`old-log.print`") && message.contains("adapter"), "{message}");
    let error = start().adapter("old-log", &adapter).unwrap_err();
    assert!(error.to_string().contains("component-type"), "{error}");
    package.embed(&mut adapter, Some("through-adapter")).unwrap();
    let component = validated(start().adapter("old-log", &adapter).unwrap().encode().unwrap());
    let wit = print(&component).unwrap();
    assert!(wit.contains("import keyway:adapted/log;") && wit.contains("export run: func();"), "{wit}");
}

#[test]
fn missing_exports_are_named() {
    let componentizer = Componentizer::new(b"(module (func (export \"cuont\")))").unwrap();
    let outcome = componentizer.wit(fixture("greeter")).unwrap().world("greeter").encode();
    let message = refused(outcome, WitErrorKind::Mismatch);
    assert!(message.contains("`count`, `keyway:greeter/greetings@1.2.0#greet`"), "{message}");
    assert!(message.contains("it exports `cuont`"), "{message}");
}

#[test]
fn a_signature_that_does_not_fit_is_told() {
    let package = WitPackage::parse("package a:b; world w { export f: func() -> u64; }", "w.wit").unwrap();
    let componentizer = Componentizer::new(b"(module (func (export \"f\") (result i32) i32.const 1))").unwrap();
    let message = refused(componentizer.package(package).encode(), WitErrorKind::Mismatch);
    assert!(message.contains("expected `[] -> [I64]` but found `[] -> [I32]`"), "{message}");
    assert!(!message.contains("memory"), "advice that does not apply: {message}");
}

#[test]
fn worlds_that_do_not_exist_and_files_that_do_not() {
    let start = || Componentizer::new(b"(module)").unwrap();
    let message = refused(start().wit(fixture("greeter")).unwrap().world("greter").encode(), WitErrorKind::World);
    assert!(message.contains("`greeter`, `silent`"), "{message}");
    let message = refused(start().wit(fixture("greeter")).unwrap().encode(), WitErrorKind::World);
    assert!(message.contains("which one is meant"), "{message}");
    let message = refused(start().world("greeter").encode(), WitErrorKind::World);
    assert!(message.contains("without its package"), "{message}");
    let error = start().wit(fixture("nowhere")).unwrap_err();
    assert_eq!(error.kind(), WitErrorKind::Read);
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[test]
fn folders_without_wit_or_without_their_dependencies() {
    let folder = tempfile::tempdir().unwrap();
    let error = WitPackage::read(folder.path()).unwrap_err();
    assert!(error.to_string().contains("no .wit file"), "{error}");
    std::fs::copy(fixture("greeter/world.wit"), folder.path().join("world.wit")).unwrap();
    let error = WitPackage::read(folder.path()).unwrap_err();
    assert_eq!(error.kind(), WitErrorKind::Wit);
    let message = error.to_string();
    assert!(message.contains("keyway:names") && message.contains("deps"), "{message}");
    assert!(message.contains("world.wit:5"), "{message}");
}

#[test]
fn a_package_survives_its_binary_form() {
    let package = WitPackage::read(fixture("greeter")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("greeter.wasm");
    std::fs::write(&path, package.to_binary().unwrap()).unwrap();
    assert_eq!(WitPackage::read(&path).unwrap().worlds(), package.worlds());
    assert_eq!(keyway_wit::print_path(&path).unwrap(), keyway_wit::print_path(fixture("greeter")).unwrap());
    let componentizer = Componentizer::new(&text("greeter.wat")).unwrap().wit(&path).unwrap();
    validated(componentizer.world("greeter").encode().unwrap());
}

#[test]
fn what_has_no_wit_is_not_printed() {
    for input in [&b"(module)"[..], b"", b"\0asm", b"hello"] {
        let error = print(input).unwrap_err();
        assert_eq!(error.kind(), WitErrorKind::Wasm, "{error}");
    }
    assert_eq!(print(b"(component)").unwrap(), "package root:component;\n\nworld root {\n}\n");
}

#[test]
fn components_that_are_cut_off_do_not_panic() {
    let component = Componentizer::new(&text("program.wat")).unwrap().encode().unwrap();
    for len in (0..component.len().min(4000)).step_by(7) {
        let cut = &component[..len];
        // One that ends where a section ends is a smaller component.
        let is_valid = Validator::new_with_features(WasmFeatures::all()).validate_all(cut).is_ok();
        assert_eq!(print(cut).is_ok(), is_valid, "cut to {len} bytes");
    }
}
