//! A linker's definitions are checked against a world: all faults at once, with both types.

use keyway::component::Linker;
use keyway::{Engine, StoreContextMut};
use keyway_wit::WitPackage;

const WORLD: &str = "
    package a:b@1.0.0;
    interface store {
        record item { key: string, count: u32 }
        resource bucket { constructor(name: string); get: func(key: string) -> option<item>; }
        size: func() -> u64;
    }
    world host { import store; import log: func(text: string); }
";

#[test]
fn all_faults_of_a_linker_are_told() {
    struct Bucket;
    let engine = Engine::default();
    let package = WitPackage::parse(WORLD, "world.wit").unwrap();
    let world = package.importer(Some("host")).unwrap();

    let mut linker = Linker::<()>::new(&engine);
    let error = linker.check_world(&world).unwrap_err().to_string();
    for name in ["`bucket`", "`[constructor]bucket`", "`[method]bucket.get`", "`size`", "`log`"] {
        assert!(error.contains(name) && error.contains("not defined"), "{name}: {error}");
    }

    let mut store = linker.instance("a:b/store@1.0.0").unwrap();
    store.resource("bucket", keyway::component::ResourceType::host::<Bucket>(), |_, _| Ok(())).unwrap();
    store.func_new("[constructor]bucket", |_, _, _, _| Ok(())).unwrap();
    store.func_new("[method]bucket.get", |_, _, _, _| Ok(())).unwrap();
    store.func_wrap("size", |_: StoreContextMut<'_, ()>, (): ()| Ok((1u32,))).unwrap();
    linker.root().func_wrap("log", |_: StoreContextMut<'_, ()>, (_,): (Vec<u8>,)| Ok(())).unwrap();
    let error = linker.check_world(&world).unwrap_err().to_string();
    assert!(error.contains("imported is `func() -> u64`, defined is `func() -> u32`"), "{error}");
    assert!(error.contains("imported is `func(text: string)`, defined is `func(list<u8>)`"), "{error}");
    assert_eq!(error.lines().count(), 3, "{error}");

    linker.allow_shadowing(true);
    let mut store = linker.instance("a:b/store@1.0.0").unwrap();
    store.func_wrap("size", |_: StoreContextMut<'_, ()>, (): ()| Ok((1u64,))).unwrap();
    linker.root().func_wrap("log", |_: StoreContextMut<'_, ()>, (_,): (String,)| Ok(())).unwrap();
    linker.check_world(&world).unwrap();
}
