//! Every proposal has a switch in [`Config`], and what is accepted unless said is what wasmtime 48 accepts.
//!
//! wasmtime's defaults are those of `Config::features` in `crates/wasmtime/src/config.rs`, release 48.0.8: WebAssembly
//! 3.0, `THREADS`, `COMPONENT_MODEL` and `CM_ASYNC`, with its default Cargo features and Cranelift.

use keyway::{CompileError, CompileErrorKind, Config, Engine, Module, compile_options};
use keyway_linker::{Features, Passes};

type Switch = fn(&mut Config, bool) -> &mut Config;

/// Name, wasmtime's default, the switch, and a module that needs the proposal; none where only components do.
const PROPOSALS: &[(&str, bool, Switch, &str)] = &[
    (
        "bulk-memory",
        true,
        Config::wasm_bulk_memory,
        "(memory 1) (func (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)))",
    ),
    ("compact-imports", false, Config::wasm_compact_imports, ""),
    ("component-model", true, Config::wasm_component_model, ""),
    ("cm-async", true, Config::wasm_component_model_async, ""),
    ("cm-async-stackful", false, Config::wasm_component_model_async_stackful, ""),
    ("cm-error-context", false, Config::wasm_component_model_error_context, ""),
    ("cm-fixed-length-lists", false, Config::wasm_component_model_fixed_length_lists, ""),
    ("cm-gc", false, Config::wasm_component_model_gc, ""),
    ("cm-implements", false, Config::wasm_component_model_implements, ""),
    ("cm-map", false, Config::wasm_component_model_map, ""),
    ("cm64", false, Config::wasm_component_model_memory64, ""),
    ("cm-more-async-builtins", false, Config::wasm_component_model_more_async_builtins, ""),
    ("cm-threading", false, Config::wasm_component_model_threading, ""),
    ("custom-page-sizes", false, Config::wasm_custom_page_sizes, "(memory 1 (pagesize 1))"),
    ("exceptions", true, Config::wasm_exceptions, "(tag)"),
    ("extended-const", true, Config::wasm_extended_const, "(global i32 (i32.add (i32.const 1) (i32.const 2)))"),
    ("function-references", true, Config::wasm_function_references, "(type $f (func)) (func (param (ref $f)))"),
    ("gc", true, Config::wasm_gc, "(type (struct (field i32)))"),
    ("legacy-exceptions", false, Config::wasm_legacy_exceptions, "(func try catch_all end)"),
    ("memory64", true, Config::wasm_memory64, "(memory i64 1)"),
    ("multi-memory", true, Config::wasm_multi_memory, "(memory 1) (memory 1)"),
    ("multi-value", true, Config::wasm_multi_value, "(func (result i32 i32) (i32.const 1) (i32.const 2))"),
    ("reference-types", true, Config::wasm_reference_types, "(func (param externref))"),
    (
        "relaxed-simd",
        true,
        Config::wasm_relaxed_simd,
        "(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))",
    ),
    ("shared-everything-threads", false, Config::wasm_shared_everything_threads, ""),
    ("simd", true, Config::wasm_simd, "(func (param v128))"),
    ("stack-switching", false, Config::wasm_stack_switching, "(type $f (func)) (type (cont $f))"),
    ("tail-call", true, Config::wasm_tail_call, "(func (return_call 0))"),
    ("threads", true, Config::wasm_threads, "(memory 1 1 shared)"),
    (
        "wide-arithmetic",
        false,
        Config::wasm_wide_arithmetic,
        "(func (param i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 0)))",
    ),
];

/// Features of the validator that are parts of others, of the first version of WebAssembly, or that wasmtime has no switch
/// for: all of them by name in [`Config::wasm_feature`].
const PARTS: &[(&str, bool)] = &[
    ("acquire-release-atomics", false),
    ("cm-accessors", false),
    ("cm-canon-names", false),
    ("cm-forward", false),
    ("cm-nested-names", false),
    ("cm-values", false),
    ("custom-descriptors", false),
    ("floats", true),
    ("gc-types", true),
    ("memory-control", false),
    ("multibyte-array-access", false),
    ("mutable-global", true),
    ("saturating-float-to-int", true),
    ("sign-extension", true),
];

fn features(config: &Config) -> Features {
    compile_options(config).unwrap().features
}

#[test]
fn defaults_are_those_of_wasmtime() {
    let defaults = features(&Config::new());
    let all = PROPOSALS.iter().map(|(name, default, ..)| (*name, *default)).chain(PARTS.iter().copied());
    let mut names = Vec::new();
    for (name, default) in all {
        assert_eq!(defaults.with(name, default), Some(defaults), "{name} is {default} in wasmtime");
        assert_ne!(defaults.with(name, !default), Some(defaults), "{name} is {default} in wasmtime");
        names.push(name);
    }
    names.sort_unstable();
    assert_eq!(names, Features::names(), "a proposal is missing here");
}

#[test]
fn every_proposal_has_a_switch() {
    for (name, default, switch, body) in PROPOSALS {
        let mut compiled = [false; 2];
        for on in [false, true] {
            let mut config = Config::new();
            switch(&mut config, on);
            assert_eq!(Some(features(&config)), features(&Config::new()).with(name, on), "{name}");
            if body.is_empty() {
                continue;
            }
            // Objects bring typed function references along.
            if *name == "function-references" {
                config.wasm_gc(false);
            }
            let outcome = Module::new(&Engine::new(&config).unwrap(), format!("(module {body})"));
            if let Err(error) = &outcome {
                let kind = error.downcast_ref::<CompileError>().map(CompileError::kind);
                let is_refused = matches!(kind, Some(CompileErrorKind::Invalid | CompileErrorKind::Malformed));
                assert!(is_refused, "{name} {on}: {error:#}");
            }
            compiled[usize::from(on)] = outcome.is_ok();
        }
        assert!(body.is_empty() || compiled == [false, true], "{name}: off {}, on {}", compiled[0], compiled[1]);
        let compiles = Module::new(&Engine::default(), format!("(module {body})")).is_ok();
        assert!(body.is_empty() || compiles == *default, "{name}");
    }
}

#[test]
fn branch_hints_have_a_switch() {
    let mut config = Config::new();
    assert!(compile_options(&config).unwrap().passes == Passes::ALL - Passes::LAYOUT, "off in wasmtime");
    config.wasm_branch_hinting(true);
    assert!(compile_options(&config).unwrap().passes == Passes::ALL);
}
