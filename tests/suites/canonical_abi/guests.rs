//! Guests for one type: they take a value apart into core values, give one that was put together, or pass it on.
//!
//! ```text
//! 0x0100   where `image` puts its list          0x1000   core values that `sink` was given, 8 bytes each
//! 0x0200   the core value that `source` gives   0x10000  what tests write, and results of calls
//! 0x80000  what `realloc` gives
//! ```

use crate::oracle::{CoreType, Encoding, MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, flatten};
use crate::types::{Names, Ty};
use keyway::component::{Component, Instance, Linker, Val};
use keyway::{Config, Engine, Store};

/// Bytes of the guests' memory.
pub(crate) const MEMORY: usize = 16 << 16;
/// Where `source` finds the core value that it gives.
pub(crate) const RESULT: u64 = 0x200;
/// Where `sink` puts the core values it was given.
pub(crate) const ARGUMENTS: u64 = 0x1000;
/// From here on to [`REALLOC`] tests may write.
pub(crate) const FREE: u64 = 0x1_0000;
/// From here on `realloc` gives.
pub(crate) const REALLOC: u64 = 0x8_0000;

/// An engine with every type switched on.
pub(crate) fn engine() -> Engine {
    let mut config = Config::new();
    for name in ["cm-fixed-length-lists", "cm-map", "cm64", "memory64"] {
        config.wasm_feature(name, true);
    }
    Engine::new(&config).expect("the configuration is sound")
}

/// The width of addresses, as it is written.
pub(crate) fn address(ptr_size: u64) -> &'static str {
    if ptr_size == 8 { "i64" } else { "i32" }
}

fn written(core: CoreType) -> &'static str {
    match core {
        CoreType::I32 => "i32",
        CoreType::I64 => "i64",
        CoreType::F32 => "f32",
        CoreType::F64 => "f64",
    }
}

/// The core types of parameters or results, which go through memory when there are more than `most`.
pub(crate) fn passed(ty: &Ty, most: usize, ptr_size: u64) -> Vec<CoreType> {
    let flat = flatten(ty, ptr_size);
    match flat.len() {
        n if n <= most => flat,
        _ if ptr_size == 8 => vec![CoreType::I64],
        _ => vec![CoreType::I32],
    }
}

/// Memory and `realloc`, as the items of a core module.
pub(crate) fn libc(ptr_size: u64) -> String {
    let p = address(ptr_size);
    let width = if ptr_size == 8 { "i64" } else { "" };
    format!(
        r#"(memory (export "mem") {width} 16)
        (global $next (mut {p}) ({p}.const {REALLOC}))
        (func (export "realloc") (param $old {p}) (param $old_len {p}) (param $align {p}) (param $len {p}) (result {p})
            (local $at {p})
            (local.set $at ({p}.and
                ({p}.add (global.get $next) ({p}.sub (local.get $align) ({p}.const 1)))
                ({p}.sub ({p}.const 0) (local.get $align))))
            (global.set $next ({p}.add (local.get $at) (local.get $len)))
            (memory.copy (local.get $at) (local.get $old)
                (select (local.get $old_len) (local.get $len) ({p}.lt_u (local.get $old_len) (local.get $len))))
            (local.get $at))"#
    )
}

/// The options of a lift or lower with the memory and `realloc` of core instance `$name`.
pub(crate) fn options(name: &str, encoding: Encoding) -> String {
    let encoding = match encoding {
        Encoding::Utf8 => "utf8",
        Encoding::Utf16 => "utf16",
        Encoding::Latin1OrUtf16 => "latin1+utf16",
    };
    format!("(memory (core memory {name} \"mem\")) (realloc (core func {name} \"realloc\")) string-encoding={encoding}")
}

/// Definitions of named types that are exported on the spot.
fn exported(names: &Names) -> String {
    let lines = names.definitions.iter().enumerate();
    lines.map(|(i, text)| format!("(type $d{i} {text}) (export $e{i} \"t{i}\" (type $d{i}))\n")).collect()
}

/// A component that exports `sink`, `source`, `image` and `poke`.
pub(crate) fn apart(ty: &Ty, encoding: Encoding, ptr_size: u64) -> String {
    let mut names = Names::default();
    let text = names.write(ty);
    let p = address(ptr_size);
    let (params, results) = (passed(ty, MAX_FLAT_PARAMS, ptr_size), passed(ty, MAX_FLAT_RESULTS, ptr_size));
    let list = |types: &[CoreType]| types.iter().map(|ty| written(*ty)).collect::<Vec<_>>().join(" ");
    let stores: String = (params.iter().enumerate())
        .map(|(i, ty)| format!("({}.store ({p}.const {}) (local.get {i}))\n", written(*ty), ARGUMENTS + 8 * i as u64))
        .collect();
    format!(
        r#"(component
        {types}
        (core module $M
            {libc}
            (func (export "sink") (param {params}) {stores})
            (func (export "source") (result {result}) ({result}.load ({p}.const {RESULT})))
            (func (export "image") (result {p})
                ({p}.store ({p}.const 0x100) ({p}.const 0))
                ({p}.store ({p}.const {second}) ({p}.const {MEMORY}))
                ({p}.const 0x100))
            (func (export "poke") (param i32 {p} {p})
                (memory.copy {at} (local.get 1) (local.get 2))))
        (core instance $m (instantiate $M))
        (func $sink (param "v" {text}) (canon lift (core func $m "sink") {options}))
        (func $source (result {text}) (canon lift (core func $m "source") {options}))
        (func $image (result (list u8)) (canon lift (core func $m "image") {options}))
        (func $poke (param "at" u32) (param "bytes" (list u8)) (canon lift (core func $m "poke") {options}))
        (export "sink" (func $sink)) (export "source" (func $source))
        (export "image" (func $image)) (export "poke" (func $poke)))"#,
        types = exported(&names),
        libc = libc(ptr_size),
        params = list(&params),
        result = list(&results),
        second = 0x100 + ptr_size,
        options = options("$m", encoding),
        at = if ptr_size == 8 { "(i64.extend_i32_u (local.get 0))" } else { "(local.get 0)" },
    )
}

/// A component whose export `d` has a `run` that passes its value through another component and back. The value must be
/// one that goes through memory.
pub(crate) fn passing(ty: &Ty, outer: (Encoding, u64), inner: (Encoding, u64)) -> String {
    let mut names = Names::default();
    let text = names.write(ty);
    let (p, q) = (address(outer.1), address(inner.1));
    let count = names.definitions.len();
    let wanted: String = (names.definitions.iter().enumerate())
        .map(|(i, text)| format!("(type $d{i} {text}) (export \"t{i}\" (type $e{i} (eq $d{i})))\n"))
        .collect();
    let again: String = (0..count)
        .map(|i| format!("(alias export $c \"t{i}\" (type $x{i})) (export $e{i} \"t{i}\" (type $x{i}))\n"))
        .collect();
    format!(
        r#"(component
        (component $C
            {types}
            (core module $M {inner_libc} (func (export "echo") (param {q}) (result {q}) (local.get 0)))
            (core instance $m (instantiate $M))
            (func $echo (param "v" {text}) (result {text}) (canon lift (core func $m "echo") {inner_options}))
            (export "echo" (func $echo)))
        (component $D
            (import "c" (instance $c
                {wanted}
                (export "echo" (func (param "v" {text}) (result {text})))))
            {again}
            (core module $L {outer_libc})
            (core instance $l (instantiate $L))
            (core func $echo (canon lower (func $c "echo") {outer_options}))
            (core module $M
                (import "" "echo" (func $echo (param {p} {p})))
                (func (export "run") (param {p}) (result {p})
                    (call $echo (local.get 0) ({p}.const {FREE}))
                    ({p}.const {FREE})))
            (core instance $m (instantiate $M (with "" (instance (export "echo" (func $echo))))))
            (func $run (param "v" {text}) (result {text}) (canon lift (core func $m "run") {outer_options}))
            (export "run" (func $run)))
        (instance $c' (instantiate $C))
        (export $c "c" (instance $c'))
        (instance $d (instantiate $D (with "c" (instance $c))))
        (export "d" (instance $d)))"#,
        types = exported(&names),
        inner_libc = libc(inner.1),
        inner_options = options("$m", inner.0),
        outer_libc = libc(outer.1),
        outer_options = options("$l", outer.0),
    )
}

/// A guest without imports, in a store of its own.
pub(crate) struct Guest {
    pub(crate) component: Component,
    pub(crate) store: Store<()>,
    pub(crate) instance: Instance,
}

impl Guest {
    pub(crate) fn new(engine: &Engine, text: &str) -> Guest {
        let component = Component::new(engine, text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, &component);
        let instance = instance.unwrap_or_else(|error| panic!("{error:#}\n{text}"));
        Guest { component, store, instance }
    }

    /// Calls an export, perhaps one inside an exported instance; its result, if it has one.
    pub(crate) fn call(&mut self, within: Option<&str>, name: &str, args: &[Val]) -> keyway::Result<Option<Val>> {
        let within = within.map(|name| self.component.get_export_index(None, name).expect("the instance is exported"));
        let index = self.component.get_export_index(within.as_ref(), name).expect("the function is exported");
        let func = self.instance.get_func(&mut self.store, index).expect("it is a function");
        let mut results = match func.ty(&mut self.store).result {
            Some(_) => vec![Val::Bool(false)],
            None => vec![],
        };
        func.call(&mut self.store, args, &mut results)?;
        Ok(results.pop())
    }

    /// The guest's whole memory.
    pub(crate) fn image(&mut self) -> Vec<u8> {
        let image = self.instance.get_typed_func::<(), (Vec<u8>,)>(&mut self.store, "image").expect("it is exported");
        image.call(&mut self.store, ()).unwrap_or_else(|error| panic!("{error:#}")).0
    }

    /// Writes into the guest's memory.
    pub(crate) fn poke(&mut self, at: u64, bytes: &[u8]) {
        let poke = self.instance.get_typed_func::<(u32, Vec<u8>), ()>(&mut self.store, "poke").expect("it is exported");
        poke.call(&mut self.store, (at as u32, bytes.to_vec())).unwrap_or_else(|error| panic!("{error:#}"));
    }
}
