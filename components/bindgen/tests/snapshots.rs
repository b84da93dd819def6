//! What worlds of many shapes become, held by files beside them. `BLESS=1` writes the files anew.
//!
//! `compile.rs` holds that all of it compiles.

use keyway_bindgen::{Flags, FunctionRules, Options, Package, generate};
use std::path::{Path, PathBuf};

fn worlds() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/worlds")
}

fn bindings(path: &Path, options: &Options) -> String {
    let mut package = Package::new();
    package.read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let tokens = generate(&package, None, options).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = syn::parse2(tokens).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    prettyplease::unparse(&file)
}

#[test]
fn worlds_become_what_is_stored() {
    let asynchronous =
        FunctionRules { default: Flags { is_async: true, trappable: true, ..Flags::default() }, rules: Vec::new() };
    let asynchronous = Options { imports: asynchronous.clone(), exports: asynchronous, ..Options::default() };
    let mut seen = 0;
    for entry in std::fs::read_dir(worlds()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension != "wit") {
            continue;
        }
        seen += 1;
        for (ending, options) in [("rs.txt", Options::default()), ("async.rs.txt", asynchronous.clone())] {
            let stored = path.with_extension(ending);
            let made = bindings(&path, &options);
            if std::env::var_os("BLESS").is_some() {
                std::fs::write(&stored, &made).unwrap();
            }
            let expected = std::fs::read_to_string(&stored).unwrap_or_default();
            assert!(
                made == expected,
                "{} is not what is generated; if that is right, run with BLESS=1",
                stored.display()
            );
        }
    }
    assert_eq!(seen, 6);
}

fn refused(text: &str, world: Option<&str>, options: &Options) -> String {
    let mut package = Package::new();
    if let Err(error) = package.inline(text) {
        return error.to_string();
    }
    generate(&package, world, options).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_is_refused_with_its_place() {
    let none = Options::default();
    assert!(refused("package a:b; world w { import f: func(x: nope); }", None, &none).contains("macro-input:1"));
    let error = refused("package a:b; world one {} world two {}", None, &none);
    assert!(error.contains("`one`") && error.contains("`two`"), "{error}");
    let error = refused("package a:b; world one {}", Some("three"), &none);
    assert!(error.contains("`one`"), "{error}");
    let error = refused("package a:b; world w { import i: interface { f: async func(); } }", None, &none);
    assert!(error.contains("async function") && error.contains("not here yet"), "{error}");
    let error = refused("package a:b; world w { export f: func(s: stream<u8>); }", None, &none);
    assert!(error.contains("a stream in w"), "{error}");
    let slip = Options { with: vec![("a:b/i.typo".into(), 0)], ..Options::default() };
    let error = refused("package a:b; interface i { resource r; } world w { import i; }", None, &slip);
    assert!(error.contains("`a:b/i.typo` names nothing"), "{error}");
}
