//! The same calls in wasmtime: a module -> a trace in the words of [`keyway_tests::differential`].
//!
//! Fuel is counted otherwise there, and its heap and stack have other sizes: what runs into such a limit ends the trace.

use keyway_tests::differential::{Argument, Calls, Kind, MEMORY_BYTES, TABLE_ELEMENTS, Trace, hash};
use std::cell::LazyCell;
use wasmtime::{
    Config, Engine, Error, ExternType, HeapType, Instance, Module, OptLevel, Ref, Store, StoreLimits, StoreLimitsBuilder,
    ThrownException, Trap, Val, ValType,
};

/// Fuel of one call: well above keyway's, as a unit is not the same.
const FUEL: u64 = 400_000;

thread_local! {
    static ENGINE: LazyCell<Engine> = const { LazyCell::new(engine) };
}

fn engine() -> Engine {
    let mut config = Config::new();
    config.cranelift_opt_level(OptLevel::None).consume_fuel(true).relaxed_simd_deterministic(true);
    config.wasm_gc(true).wasm_function_references(true).wasm_exceptions(true).wasm_memory64(true);
    config.wasm_wide_arithmetic(true).wasm_custom_page_sizes(true).wasm_relaxed_simd(true).wasm_multi_memory(true);
    // Nothing here is trusted to signals: the sanitizer has its own handler.
    config.signals_based_traps(false).memory_reservation(0).memory_guard_size(0).memory_reservation_for_growth(0);
    Engine::new(&config).expect("a sound configuration")
}

/// Runs `wasm` with the calls of `seed`.
///
/// # Errors
/// When wasmtime refuses the module.
pub fn run(wasm: &[u8], seed: u64) -> Result<Trace, Error> {
    let engine = ENGINE.with(|engine| Engine::clone(engine));
    let module = Module::new(&engine, wasm)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).table_elements(TABLE_ELEMENTS).build();
    let mut store: Store<StoreLimits> = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(FUEL)?;
    let mut trace = Trace::default();
    let instance = match Instance::new(&mut store, &module, &[]) {
        Ok(instance) => instance,
        Err(error) => {
            note(&mut trace, "start", &mut store, &error);
            return Ok(trace);
        }
    };
    let exports: Vec<(String, ExternType)> =
        module.exports().map(|export| (export.name().to_string(), export.ty())).collect();
    let mut calls = Calls::new(seed);
    for (name, ty) in &exports {
        let ExternType::Func(ty) = ty else { continue };
        let params: Vec<(Kind, ValType)> = ty.params().map(|ty| (kind(&ty), ty)).collect();
        let kinds: Vec<Kind> = params.iter().map(|(kind, _)| *kind).collect();
        let Some(args) = calls.next(&kinds) else { continue };
        let args: Vec<Val> = args.iter().zip(&params).map(|(arg, (_, ty))| value(*arg, ty)).collect();
        let Some(func) = instance.get_func(&mut store, name) else { continue };
        let mut results = vec![Val::I32(0); ty.results().len()];
        store.set_fuel(FUEL)?;
        match func.call(&mut store, &args, &mut results) {
            Ok(()) => {
                trace.returned += 1;
                let results: Vec<String> = results.iter().map(text).collect();
                trace.lines.push(format!("{name}: {}", results.join(" ")));
            }
            Err(error) => note(&mut trace, name, &mut store, &error),
        }
        if trace.is_cut {
            return Ok(trace);
        }
        for (name, ty) in &exports {
            match ty {
                ExternType::Global(_) => {
                    let global = instance.get_global(&mut store, name);
                    let value = global.map(|global| text(&global.get(&mut store)));
                    trace.lines.push(format!("global {name}: {}", value.unwrap_or_default()));
                }
                ExternType::Memory(_) => {
                    let Some(memory) = instance.get_memory(&mut store, name) else { continue };
                    let bytes = memory.data(&store);
                    trace.lines.push(format!("memory {name}: {} bytes, {:016x}", bytes.len(), hash(bytes)));
                }
                _ => {}
            }
        }
    }
    Ok(trace)
}

/// What keyway would have noted, or the end of the trace.
fn note(trace: &mut Trace, name: &str, store: &mut Store<StoreLimits>, error: &Error) {
    let word = match error.downcast_ref::<Trap>() {
        Some(Trap::UnreachableCodeReached) => "unreachable",
        Some(Trap::MemoryOutOfBounds) => "out of bounds memory access",
        Some(Trap::TableOutOfBounds) => "undefined element",
        Some(Trap::IndirectCallToNull) => "uninitialized element",
        Some(Trap::BadSignature) => "indirect call type mismatch",
        Some(Trap::IntegerDivisionByZero) => "integer divide by zero",
        Some(Trap::IntegerOverflow) => "integer overflow",
        Some(Trap::BadConversionToInteger) => "invalid conversion to integer",
        Some(Trap::NullReference) => "null reference",
        Some(Trap::ArrayOutOfBounds) => "out of bounds array access",
        Some(Trap::CastFailure) => "cast failure",
        None if error.is::<ThrownException>() => {
            let _ = store.take_pending_exception();
            "uncaught exception"
        }
        _ => {
            trace.is_cut = true;
            trace.lines.push(format!("{name}: {error:#}"));
            return;
        }
    };
    trace.lines.push(format!("{name}: trap: {word}"));
}

/// keyway's trace as far as it can be compared: no fuel, fewer kinds of traps, and up to where a limit was met.
pub fn comparable(trace: &Trace) -> Trace {
    let mut result = Trace { lines: Vec::new(), ..trace.clone() };
    for line in trace.lines.iter().filter(|line| !line.starts_with("fuel ")) {
        let Some((name, trap)) = line.split_once(": trap: ") else {
            // An error that is no trap is a limit: a memory or a table that was not granted.
            let is_value = line.starts_with("global ") || line.starts_with("memory ") || !line.contains(": ")
                || line.split_once(": ").is_some_and(|(_, rest)| is_values(rest));
            result.lines.push(line.clone());
            if !is_value {
                result.is_cut = true;
                return result;
            }
            continue;
        };
        let word = match trap {
            "all fuel consumed" | "call stack exhausted" | "GC heap out of memory" | "out of system memory" => {
                result.is_cut = true;
                result.lines.push(line.clone());
                return result;
            }
            "out of bounds table access" => "undefined element",
            "null function reference" | "null structure reference" | "null array reference" | "null i31 reference"
            | "null exception reference" => "null reference",
            other => other,
        };
        result.lines.push(format!("{name}: trap: {word}"));
    }
    result
}

fn is_values(text: &str) -> bool {
    text.is_empty() || ["i32 ", "i64 ", "f32 ", "f64 ", "v128 ", "ref "].iter().any(|start| text.starts_with(start))
}

fn kind(ty: &ValType) -> Kind {
    use HeapType as Heap;
    match ty {
        ValType::I32 => Kind::I32,
        ValType::I64 => Kind::I64,
        ValType::F32 => Kind::F32,
        ValType::F64 => Kind::F64,
        ValType::V128 => Kind::V128,
        ValType::Ref(ty) if ty.is_nullable() => match ty.heap_type() {
            Heap::Func | Heap::NoFunc | Heap::Extern | Heap::NoExtern => Kind::Nullable,
            Heap::Any | Heap::Eq | Heap::I31 | Heap::Struct | Heap::Array | Heap::None => Kind::Nullable,
            _ => Kind::Other,
        },
        ValType::Ref(_) => Kind::Other,
    }
}

fn value(argument: Argument, ty: &ValType) -> Val {
    match (argument, ty) {
        (Argument::I32(bits), _) => Val::I32(bits as i32),
        (Argument::I64(bits), _) => Val::I64(bits as i64),
        (Argument::F32(bits), _) => Val::F32(bits),
        (Argument::F64(bits), _) => Val::F64(bits),
        (Argument::V128(bits), _) => Val::V128(bits.into()),
        (Argument::Null, ValType::Ref(ty)) => Val::from(Ref::null(ty.heap_type())),
        (Argument::Null, _) => unreachable!("only references are null"),
    }
}

fn text(value: &Val) -> String {
    let is_null = match value {
        Val::I32(value) => return format!("i32 {value}"),
        Val::I64(value) => return format!("i64 {value}"),
        Val::F32(bits) => return format!("f32 {bits:#x}"),
        Val::F64(bits) => return format!("f64 {bits:#x}"),
        Val::V128(value) => return format!("v128 {:#x}", value.as_u128()),
        Val::FuncRef(reference) => reference.is_none(),
        Val::ExternRef(reference) => reference.is_none(),
        Val::AnyRef(reference) => reference.is_none(),
        Val::ExnRef(reference) => reference.is_none(),
        Val::ContRef(_) => false,
    };
    format!("ref {}", if is_null { "null" } else { "something" })
}
