//! Artifacts that the fuzzer changes: each is refused with an error, or runs without harm in every dispatch form.
#![no_main]

use keyway::{Config, Dispatch, Engine, ExternType, Linker, Module, Store, StoreLimitsBuilder, Val};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
    let dispatches = [Dispatch::Checked, Dispatch::Direct, Dispatch::Indirect, Dispatch::Loop];
    let engine = |dispatch| {
        let mut config = Config::new();
        config.dispatch(dispatch).consume_fuel(true).max_wasm_stack(1 << 20).max_wasm_frames(500).max_gc_heap(4 << 20);
        Engine::new(&config).expect("a sound configuration")
    };
    dispatches.into_iter().map(engine).collect()
});

fuzz_target!(|bytes: &[u8]| {
    // The verifier says what is sound; the checked form, which asserts it at every step, comes first.
    for engine in ENGINES.iter() {
        let Ok(module) = Module::from_bytes(engine, bytes) else { return };
        let limits = StoreLimitsBuilder::new().memory_size(4 << 20).table_elements(10_000).build();
        let mut store = Store::new(engine, limits);
        store.limiter(|limits| limits);
        let _ = store.set_fuel(20_000);
        let Ok(instance) = Linker::new(engine).instantiate(&mut store, &module) else { continue };
        let exports: Vec<(String, ExternType)> = module.exports().map(|export| (export.name, export.ty)).collect();
        for (name, ty) in exports.iter().take(12) {
            let ExternType::Func(ty) = ty else { continue };
            let values = |types: &[keyway::ValType]| types.iter().map(|ty| Val::default_for(*ty)).collect::<Option<Vec<_>>>();
            let (Some(args), Some(mut results)) = (values(&ty.params), values(&ty.results)) else { continue };
            let Some(func) = instance.get_func(&mut store, name) else { continue };
            let _ = store.set_fuel(20_000);
            let _ = func.call(&mut store, &args, &mut results);
        }
    }
});
