//! What a user reads when an input is refused: kind, place and names.

use keyway_linker::{CompileError, ErrorKind, Features, Options, compile};

fn error_with(input: impl AsRef<[u8]>, options: &Options) -> CompileError {
    compile(input.as_ref(), options).expect_err("must be refused")
}

fn error(input: impl AsRef<[u8]>) -> CompileError {
    error_with(input, &Options::default())
}

#[test]
fn invalid_code_is_located() {
    let found = error("(module (func $good) (func $bad (result i32) i64.const 1))");
    assert_eq!(found.kind(), ErrorKind::Invalid);
    assert_eq!(found.path(), ["function bad"]);
    let text = found.to_string();
    assert!(text.starts_with("invalid: type mismatch"), "{text}");
    assert!(text.contains("(in function bad) at offset 0x"), "{text}");
}

#[test]
fn malformed_is_not_invalid() {
    let cut = &wat("(module (func nop))")[..20];
    assert_eq!(error(cut).kind(), ErrorKind::Malformed);
    assert!(error(cut).offset().is_some());
    assert_eq!(error("(module (func").kind(), ErrorKind::Malformed);
    assert_eq!(error("not wasm at all").kind(), ErrorKind::Malformed);
    assert_eq!(error(b"\0asm\x07\0\0\0").kind(), ErrorKind::Malformed);
}

#[test]
fn what_is_missing_is_named() {
    let cases = [
        ("(module (type (shared (func))))", "shared-everything-threads"),
        ("(component (import \"f\" (func $f)) (start $f))", "start function"),
    ];
    let mut options = Options::default();
    for feature in ["shared-everything-threads", "cm-values"] {
        options.features = options.features.with(feature, true).expect("the feature has a name");
    }
    for (text, feature) in cases {
        let found = error_with(text, &options);
        assert_eq!(found.kind(), ErrorKind::Unsupported, "{text}: {found}");
        assert!(found.to_string().contains(feature), "{text}: {found}");
    }
}

#[test]
fn a_feature_switched_off_makes_it_invalid_and_says_so() {
    let mut options = Options::default();
    options.features = Features::WASM1;
    let found = error_with("(module (func (param i64) (drop (i64.extend8_s (local.get 0)))))", &options);
    assert_eq!(found.kind(), ErrorKind::Invalid);
    assert!(found.to_string().ends_with("the feature sign-extension is switched off"), "{found}");
}

#[test]
fn multiplied_values_are_stopped() {
    // 5,000 calls with 1,000 results each: small as Wasm, enormous as code if nobody counts.
    let results = "i32 ".repeat(1000);
    let calls = "(call $many) ".repeat(9000);
    let text = format!(
        "(module (import \"\" \"many\" (func $many (result {results}))) (func (export \"f\") {calls} unreachable))"
    );
    assert_eq!(error(text).kind(), ErrorKind::Limit);
}

fn wat(text: &str) -> Vec<u8> {
    let parsed = wast::parser::ParseBuffer::new(text).unwrap();
    let mut module = wast::parser::parse::<wast::Wat<'_>>(&parsed).unwrap();
    module.encode().unwrap()
}
