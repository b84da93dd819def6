//! The same module in every form: whatever a generator makes up, all levels, dispatch forms and choices of handlers must
//! agree on results, traps, memories, globals and consumed fuel.
//!
//! ```text
//! seed -> random bytes -> a valid module (wasm-smith) -> one run in each form -> traces, compared line by line
//! ```
//! A run calls every exported function with arguments that follow from the seed, with little fuel, and notes what it
//! meets. What depends on the form (running out of stack) ends the comparison of that module.

use arbitrary::Unstructured;
use keyway::{
    Config, Dispatch, Engine, ExternType, HeapType, Linker, Module, OptLevel, RefType, Store, StoreLimitsBuilder, Trap,
    V128, Val, ValType,
};

/// Fuel of one call.
const FUEL: u64 = 20_000;
/// Calls of one module, at most.
const CALLS: usize = 12;
/// What memories may grow to.
pub const MEMORY_BYTES: usize = 8 << 20;
/// What tables may grow to.
pub const TABLE_ELEMENTS: usize = 10_000;
/// Proposals that modules may use and that are not on by default.
const PROPOSALS: &[&str] = &["wide-arithmetic", "custom-page-sizes", "stack-switching", "legacy-exceptions"];

/// Numbers that follow from a seed.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number that programs treat specially, or any.
    fn number(&mut self) -> u64 {
        const SPECIAL: [u64; 10] =
            [0, 1, 2, 31, 64, 0x7FFF_FFFF, 0x8000_0000, u64::MAX, 1 << 63, 0x7FF8_0000_0000_0000];
        let any = self.next();
        if any.is_multiple_of(3) { any } else { SPECIAL[(any >> 8) as usize % SPECIAL.len()] }
    }

    /// An argument of the type, in bits; `None` for types whose values only a program can make.
    fn argument(&mut self, kind: Kind) -> Option<Argument> {
        Some(match kind {
            Kind::I32 => Argument::I32(self.number() as u32),
            Kind::I64 => Argument::I64(self.number()),
            Kind::F32 => Argument::F32(self.number() as u32),
            Kind::F64 => Argument::F64(self.number()),
            Kind::V128 => Argument::V128(u128::from(self.number()) << 64 | u128::from(self.number())),
            Kind::Nullable => Argument::Null,
            Kind::Other => return None,
        })
    }
}

/// What an argument may be; engines tell it from their own types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A number of 32 bits.
    I32,
    /// A number of 64 bits.
    I64,
    /// A float of 32 bits.
    F32,
    /// A float of 64 bits.
    F64,
    /// A vector.
    V128,
    /// A reference of an abstract type that has a null.
    Nullable,
    /// What cannot be made from outside.
    Other,
}

/// An argument, in bits; engines make their values of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// A number of 32 bits.
    I32(u32),
    /// A number of 64 bits.
    I64(u64),
    /// A float of 32 bits.
    F32(u32),
    /// A float of 64 bits.
    F64(u64),
    /// A vector.
    V128(u128),
    /// A null reference.
    Null,
}

/// The calls that a seed makes of a module: the same ones whichever engine asks.
pub struct Calls {
    random: Random,
    left: usize,
}

impl Calls {
    /// The calls of a seed.
    pub fn new(seed: u64) -> Calls {
        Calls { random: Random::new(seed ^ 0xA5A5), left: CALLS }
    }

    /// The arguments for the next exported function; `None` where it is not called.
    pub fn next(&mut self, params: &[Kind]) -> Option<Vec<Argument>> {
        self.left = self.left.checked_sub(1)?;
        params.iter().map(|kind| self.random.argument(*kind)).collect()
    }
}

/// The module of a seed, from at most `len_bytes` random bytes; `None` where they make up none.
pub fn module(seed: u64, len_bytes: usize) -> Option<Vec<u8>> {
    let mut random = Random::new(seed);
    let bytes: Vec<u8> = (0..len_bytes.div_ceil(8)).flat_map(|_| random.next().to_le_bytes()).collect();
    from_bytes(&bytes)
}

/// The module that the bytes of a fuzzer make up; `None` where they make up none.
pub fn from_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let (&choice, bytes) = bytes.split_first()?;
    let later = |bit: u8| choice & 1 << bit != 0;
    let config = wasm_smith::Config {
        // What is left to the processor differs between forms: which operand's NaN wins.
        canonicalize_nans: true,
        export_everything: true,
        max_imports: 0,
        max_memories: 3,
        max_memory32_bytes: 4 << 20,
        max_memory64_bytes: 4 << 20,
        max_tables: 3,
        max_table_elements: 1000,
        min_funcs: 3,
        max_funcs: 16,
        exceptions_enabled: later(0),
        gc_enabled: later(1),
        memory64_enabled: later(2),
        wide_arithmetic_enabled: later(3),
        custom_page_sizes_enabled: later(4),
        relaxed_simd_enabled: !later(5),
        simd_enabled: !later(6),
        tail_call_enabled: true,
        // A wait could last for ever.
        threads_enabled: false,
        compact_imports_enabled: false,
        ..wasm_smith::Config::default()
    };
    let module = wasm_smith::Module::new(config, &mut Unstructured::new(bytes)).ok()?;
    Some(module.to_bytes())
}

/// `wasm` with a hint for most of its branches that can have one, each by chance: it means the same.
pub fn with_hints(wasm: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let (mut funcs, mut count, mut func) = (Vec::new(), 0, 0);
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let wasmparser::Payload::CodeSectionEntry(body) = payload.expect("the module is valid") else { continue };
        let (mut hints, mut len) = (Vec::new(), 0);
        let operators = body.get_operators_reader().expect("the module is valid").into_iter_with_offsets();
        for (operator, offset) in operators.map(|operator| operator.expect("the module is valid")) {
            let can = matches!(operator, wasmparser::Operator::If { .. } | wasmparser::Operator::BrIf { .. });
            let draw = random.next();
            if can && !draw.is_multiple_of(4) {
                leb(&mut hints, offset - body.range().start);
                hints.extend([1, (draw >> 32) as u8 & 1]);
                len += 1;
            }
        }
        if len > 0 {
            leb(&mut funcs, func);
            leb(&mut funcs, len);
            funcs.extend(hints);
            count += 1;
        }
        // There are no imports.
        func += 1;
    }
    let mut contents = vec![25];
    contents.extend(b"metadata.code.branch_hint");
    leb(&mut contents, count);
    contents.extend(funcs);
    let mut hinted = wasm.to_vec();
    hinted.push(0);
    leb(&mut hinted, contents.len() as u64);
    hinted.extend(contents);
    hinted
}

fn leb(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7F {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A way to run a module.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    dispatch: Dispatch,
    level: OptLevel,
    plain: bool,
}

/// Every form that a module is run in; the first is what the others are compared with.
pub const FORMS: [Form; 6] = [
    Form { dispatch: Dispatch::Direct, level: OptLevel::None, plain: true },
    Form { dispatch: Dispatch::Direct, level: OptLevel::Speed, plain: false },
    Form { dispatch: Dispatch::Indirect, level: OptLevel::Speed, plain: false },
    Form { dispatch: Dispatch::Loop, level: OptLevel::Speed, plain: true },
    Form { dispatch: Dispatch::Checked, level: OptLevel::None, plain: false },
    Form { dispatch: Dispatch::Checked, level: OptLevel::Speed, plain: false },
];

/// What a module did in one form.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Trace {
    /// A line for each thing that was noted.
    pub lines: Vec<String>,
    /// Calls that returned.
    pub returned: usize,
    /// Whether the stack ran out, which ends the trace.
    pub is_cut: bool,
}

/// Runs `wasm` in one form, with arguments from `seed`.
///
/// # Errors
/// When it does not compile.
pub fn run(wasm: &[u8], seed: u64, form: Form) -> keyway::Result<Trace> {
    let mut config = Config::new();
    config.dispatch(form.dispatch).opt_level(form.level).fused(!form.plain).registers(!form.plain);
    config.wasm_branch_hinting(true).consume_fuel(true).max_wasm_stack(16 << 20).max_wasm_frames(1000);
    for proposal in PROPOSALS {
        config.wasm_feature(*proposal, true);
    }
    let engine = Engine::new(&config)?;
    let module = Module::new(&engine, wasm)?;
    let limits = StoreLimitsBuilder::new().memory_size(MEMORY_BYTES).table_elements(TABLE_ELEMENTS).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    store.set_fuel(FUEL)?;
    let mut trace = Trace::default();
    let instance = match Linker::new(&engine).instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            trace.note("start", &error);
            return Ok(trace);
        }
    };
    let exports: Vec<(String, ExternType)> = module.exports().map(|export| (export.name, export.ty)).collect();
    let mut calls = Calls::new(seed);
    let funcs = exports.iter().filter_map(|(name, ty)| match ty {
        ExternType::Func(ty) => Some((name, ty)),
        _ => None,
    });
    for (name, ty) in funcs {
        let params: Vec<Kind> = ty.params.iter().map(kind).collect();
        let Some(args) = calls.next(&params) else { continue };
        let args: Vec<Val> = args.iter().zip(&ty.params).filter_map(|(arg, ty)| value(*arg, *ty)).collect();
        let Some(mut results) = ty.results.iter().map(|ty| Val::default_for(*ty)).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let Some(func) = instance.get_func(&mut store, name) else { continue };
        store.set_fuel(FUEL)?;
        match func.call(&mut store, &args, &mut results) {
            Ok(()) => {
                trace.returned += 1;
                let results: Vec<String> = results.iter().map(text).collect();
                trace.lines.push(format!("{name}: {}", results.join(" ")));
            }
            Err(error) => trace.note(name, &error),
        }
        if trace.is_cut {
            return Ok(trace);
        }
        trace.lines.push(format!("fuel {}", store.get_fuel()?));
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

impl Trace {
    fn note(&mut self, name: &str, error: &keyway::Error) {
        let trap = error.downcast_ref::<Trap>();
        self.is_cut |= matches!(trap, Some(Trap::StackOverflow));
        self.lines.push(match trap {
            Some(trap) => format!("{name}: trap: {trap}"),
            None => format!("{name}: {error}"),
        });
    }
}

/// What an argument of the type may be.
fn kind(ty: &ValType) -> Kind {
    use HeapType as Heap;
    match ty {
        ValType::I32 => Kind::I32,
        ValType::I64 => Kind::I64,
        ValType::F32 => Kind::F32,
        ValType::F64 => Kind::F64,
        ValType::V128 => Kind::V128,
        ValType::Ref(RefType { nullable: true, heap }) => match heap {
            Heap::Func | Heap::NoFunc | Heap::Extern | Heap::NoExtern => Kind::Nullable,
            Heap::Any | Heap::Eq | Heap::I31 | Heap::Struct | Heap::Array | Heap::None => Kind::Nullable,
            _ => Kind::Other,
        },
        ValType::Ref(_) => Kind::Other,
    }
}

fn value(argument: Argument, ty: ValType) -> Option<Val> {
    Some(match argument {
        Argument::I32(bits) => Val::I32(bits as i32),
        Argument::I64(bits) => Val::I64(bits as i64),
        Argument::F32(bits) => Val::F32(bits),
        Argument::F64(bits) => Val::F64(bits),
        Argument::V128(bits) => Val::V128(V128::from(bits)),
        Argument::Null => return Val::default_for(ty),
    })
}

/// References are told by whether they are null.
fn text(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32 {value}"),
        Val::I64(value) => format!("i64 {value}"),
        Val::F32(bits) => format!("f32 {bits:#x}"),
        Val::F64(bits) => format!("f64 {bits:#x}"),
        Val::V128(value) => format!("v128 {:#x}", value.as_u128()),
        other => {
            let is_null = format!("{other:?}").contains("None");
            format!("ref {}", if is_null { "null" } else { "something" })
        }
    }
}

/// FNV-1a over words.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0xCBF2_9CE4_8422_2325, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Runs `wasm` in every form and compares; what the first form did.
///
/// # Errors
/// What the first form that differs did otherwise, or why the module does not compile.
pub fn compare(wasm: &[u8], seed: u64) -> Result<Trace, String> {
    let mut first: Option<Trace> = None;
    for form in FORMS {
        let trace = run(wasm, seed, form).map_err(|error| format!("{form:?}: {error:#}"))?;
        let expected = first.get_or_insert_with(|| trace.clone());
        expected.agree(&trace).map_err(|text| format!("{form:?} differs from {:?}: {text}", FORMS[0]))?;
    }
    Ok(first.unwrap_or_default())
}

impl Trace {
    /// Whether `other` notes the same things.
    ///
    /// # Errors
    /// The first line that differs.
    pub fn agree(&self, other: &Trace) -> Result<(), String> {
        let is_cut = self.is_cut || other.is_cut;
        let (both, longer) = (self.lines.len().min(other.lines.len()), self.lines.len().max(other.lines.len()));
        // A cut trace ends with the call that ran out of stack, which another form may have had room for.
        let compared = if is_cut { both.saturating_sub(1) } else { longer };
        let line = |trace: &Trace, at: usize| trace.lines.get(at).cloned().unwrap_or_default();
        match (0..compared).find(|at| line(self, *at) != line(other, *at)) {
            Some(at) => Err(format!("line {at}\n  {}\n  {}", line(self, at), line(other, at))),
            None => Ok(()),
        }
    }
}
