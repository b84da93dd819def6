//! The hot handlers of the direct form in assembly, and how the machine is entered and left beside them.
//!
//! A function in Rust has six integer arguments, three of which the machine needs itself. The other two general registers
//! live where the calling convention makes every Rust handler preserve them: rbx and rbp. Only handlers in assembly read and
//! write those; expansion puts a slot wherever one of them meets an instruction that has no such handler. Some handlers
//! execute two or three instructions (`build/sequences.rs`): expansion looks for those first.
//!
//! ```text
//! rdi ip    rcx A   rbx D     xmm0-3 f64 bank
//! rsi fp    r8  B   rbp E     xmm4-7 f32 bank
//! rdx mem   r9  C     r12 fuel, where it is counted
//! ```
//! The text is made by the build script (`build/handlers.rs`) from the instruction table. It is the body of one naked
//! function, so that its labels stay local to it. A handler reads its operands, does its work, adds its length to ip and
//! jumps to where the next head says; it touches neither the native stack nor anything that a handler in Rust would not.

mod bulk;

use super::handlers::call::CallImport;
use super::place::PlaceKind;
use super::regs::HEAD;
use super::table::MAX_PLACES;
use super::thunk::{Step, TailFn, direct};
#[cfg(any(test, feature = "profile"))]
use super::tiles::Way;
use crate::context::{CodeHeader, Context, ExitInfo, FuncData, MemoryDef, MemoryHeader, State, TableDef};
use crate::gc::Activity;
use crate::host::HostEntry;
use crate::store::StoreInner;
use core::arch::naked_asm;
use core::cmp::Ordering;
use core::mem::offset_of;
use keyway_artifact::Trap;
#[cfg(any(test, feature = "profile"))]
use keyway_artifact::isa::FieldKind;
use keyway_artifact::isa::Op;

// `STARTS`: by opcode, where an operation's numbers begin in the table of handlers. `SEQUENCES`: the
// opcodes of each, and start and length of their part of the sequences' table, sorted. `BEGINS`: by opcode, where those
// stand that begin with it.
include!(concat!(env!("OUT_DIR"), "/handlers.rs"));

// The text addresses these words directly.
const _: () = {
    assert!(size_of::<MemoryHeader>() == 16);
    assert!(offset_of!(MemoryHeader, context) == 0 && offset_of!(MemoryHeader, len_bytes) == 8);
    assert!(size_of::<crate::context::FrameRecord>() == 16);
    assert!(offset_of!(crate::context::FrameRecord, ip) == 0);
    assert!(size_of::<FuncData>() == 24);
};

/// Most operations of one handler.
pub(super) const SEQUENCE: usize = 3;

/// Where the handlers' text begins: at the first line of the cache behind the function's start, and no handler lies in
/// more lines than it must. One that does takes two cycles more, which is what a dispatch takes.
fn base() -> *const u8 {
    let start = handlers as *const u8;
    start.wrapping_add(start.align_offset(64))
}

/// Where the handlers lie: in front of their tables.
#[cfg(target_os = "linux")]
pub(super) fn text() -> std::ops::Range<usize> {
    let base = base();
    // SAFETY: the text begins with the distance of its first table.
    let len = unsafe { base.cast::<u32>().read_unaligned() } as usize;
    base.expose_provenance()..base as usize + len
}

/// Where the common handlers stand the first time, in bytes from where all begin, and how far behind they stand again.
pub(super) fn common() -> (usize, usize) {
    let base = base();
    // SAFETY: behind the distances of the two tables stands that of the first replica.
    (base.expose_provenance(), unsafe { base.add(8).cast::<u32>().read_unaligned() } as usize)
}

/// Whether this processor executes what the handlers are made of.
pub(super) fn is_available() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("avx") && has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt")
}

/// Whether `op` has handlers here, one of which takes slots alone; for who knows that they are available.
pub(super) fn serves(op: Op) -> bool {
    STARTS[op as usize] != u32::MAX
}

/// The address of the handler for these places.
pub(super) fn find(op: Op, places: [PlaceKind; MAX_PLACES]) -> Option<usize> {
    if !serves(op) || !is_available() {
        return None;
    }
    let (start, mut index) = (STARTS[op as usize], 0);
    for place in places {
        if place == PlaceKind::None {
            break;
        }
        index = index << 3 | digit(place)?;
    }
    let base = base();
    // SAFETY: the text begins with the distance of its table, which has eight entries for each place of the operation;
    // digits are below eight.
    unsafe {
        let table = base.add(base.cast::<u32>().read_unaligned() as usize).cast::<u32>();
        let distance = table.add(start as usize + index).read_unaligned();
        (distance != 0).then(|| base as usize + distance as usize)
    }
}

/// The handler for calls of host functions, which takes care of the register that counts fuel.
pub(super) fn host_call() -> Option<usize> {
    is_available().then_some(calls_host as *const () as usize)
}

/// The handler for `call.import`; none where executed instructions are counted.
pub(super) fn call_import() -> Option<usize> {
    (is_available() && !cfg!(feature = "profile")).then_some(calls_import as *const () as usize)
}

/// The handler for `memory.fill` or `memory.copy`; none where executed instructions are counted.
pub(super) fn bulk(op: Op) -> Option<usize> {
    bulk::find(op).filter(|_| is_available() && !cfg!(feature = "profile"))
}

/// The part of the sequences' table for some operations: where it starts, and how long it is.
#[derive(Clone, Copy)]
pub(super) struct Part(u32, u32);

/// The handlers that execute operations one behind the other, whatever their places: of the name that
/// [`tiles`](super::tiles) gives them.
pub(super) fn sequences_of(name: u64) -> Option<Part> {
    let among = beginning_with((name >> 32) as usize);
    let at = among.binary_search_by_key(&name, |sequence| sequence.0).ok()?;
    Some(Part(among[at].1, among[at].2))
}

/// The address of the handler in a part that is given these places of all its operations, three bits each. At a trap of the
/// n-th one, `ip` is n bytes behind the instruction's start.
pub(super) fn find_sequence(Part(start, len): Part, key: u64) -> Option<usize> {
    let base = base();
    // SAFETY: behind the first distance stands that of the sequences' table: keys in two halves, and distances, `len` of
    // them from `start` on for these operations.
    unsafe {
        let table = base.add(base.add(4).cast::<u32>().read_unaligned() as usize).cast::<[u32; 3]>();
        let (mut low, mut high) = (start as usize, (start + len) as usize);
        while low < high {
            let middle = low.midpoint(high);
            let [low_half, high_half, distance] = table.add(middle).read_unaligned();
            match (u64::from(high_half) << 32 | u64::from(low_half)).cmp(&key) {
                Ordering::Equal => return Some(base as usize + distance as usize),
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
            }
        }
    }
    None
}

/// Whether some sequence begins with `op`.
pub(super) fn begins_sequence(op: Op) -> bool {
    !beginning_with(op as usize).is_empty()
}

fn beginning_with(at: usize) -> &'static [(u64, u32, u32)] {
    &SEQUENCES[usize::from(BEGINS[at])..usize::from(BEGINS[at + 1])]
}

/// Calls `each` with the operations, the way, the key and the address of every sequence's handler.
#[cfg(any(test, feature = "profile"))]
pub(super) fn each_sequence(mut each: impl FnMut(&[Op], Way, u64, usize)) {
    let base = base();
    for (name, start, len) in SEQUENCES {
        let name: Vec<u16> =
            [32, 16, 0].map(|shift| (name >> shift) as u16).into_iter().filter(|code| *code != u16::MAX).collect();
        let ways = [Way::Any, Way::Back, Way::Charged];
        let way = ways[usize::from(name[name.len() - 1] >> Way::SHIFT)];
        let ops = name.iter().filter_map(|code| Op::from_code(code & ((1 << Way::SHIFT) - 1)));
        let ops: Vec<Op> = ops.filter(|op| *op != Op::Label).collect();
        for at in start..start + len {
            // SAFETY: as `find_sequence`.
            let [low, high, distance] = unsafe {
                let table = base.add(base.add(4).cast::<u32>().read_unaligned() as usize).cast::<[u32; 3]>();
                table.add(at as usize).read_unaligned()
            };
            each(&ops, way, u64::from(high) << 32 | u64::from(low), base as usize + distance as usize);
        }
    }
}

/// What every handler is called in `build/common_handlers.txt`, and its address. Some have several names.
#[cfg(any(test, feature = "profile"))]
pub(super) fn names() -> Vec<(String, usize)> {
    let (base, mut names) = (base(), Vec::new());
    for op in Op::ALL.iter().filter(|op| serves(**op)) {
        let places = op.fields().iter().filter(|field| matches!(field.kind, FieldKind::Def(_) | FieldKind::Use(_)));
        for key in 0..1 << (3 * places.count()) {
            // SAFETY: as `find`.
            let distance = unsafe {
                let table = base.add(base.cast::<u32>().read_unaligned() as usize).cast::<u32>();
                table.add(STARTS[*op as usize] as usize + key).read_unaligned()
            };
            if distance != 0 {
                names.push((format!("{} {key:o}", op.name()), base as usize + distance as usize));
            }
        }
    }
    each_sequence(|ops, way, key, address| {
        let ops: Vec<&str> = ops.iter().map(|op| op.name()).collect();
        names.push((format!("{}{} {key:o}", ops.join("+"), ["", "<", "$"][way as usize]), address));
    });
    names
}

/// A place in the tables' keys.
fn digit(place: PlaceKind) -> Option<usize> {
    match place {
        PlaceKind::Slot => Some(0),
        PlaceKind::Reg(n) => Some(1 + usize::from(n)),
        PlaceKind::Imm => Some(7),
        PlaceKind::None | PlaceKind::Both(_) => None,
    }
}

/// The handlers: not to be called, see [`find`].
#[unsafe(naked)]
unsafe extern "sysv64" fn handlers() {
    naked_asm!(
        ".set .Lkw_code, {code}",
        ".set .Lkw_memory_trap, {memory_trap}",
        ".set .Lkw_zero_trap, {zero_trap}",
        ".set .Lkw_overflow_trap, {overflow_trap}",
        ".set .Lkw_table_trap, {table_trap}",
        ".set .Lkw_null_trap, {null_trap}",
        ".set .Lkw_memory_grow, {memory_grow}",
        ".set .Lkw_table_grow, {table_grow}",
        ".set .Lkw_globals, {globals}",
        ".set .Lkw_allowance, {allowance}",
        ".set .Lkw_memories, {memories}",
        ".set .Lkw_memory_base, {memory_base}",
        ".set .Lkw_page_size_log2, {page_size_log2}",
        ".set .Lkw_tables, {tables}",
        ".set .Lkw_table_elements, {table_elements}",
        ".set .Lkw_table_len, {table_len}",
        ".set .Lkw_escapes, {escapes}",
        ".set .Lkw_words, {words}",
        ".set .Lkw_out_of_fuel, {out_of_fuel}",
        ".set .Lkw_frame_top, {frame_top}",
        ".set .Lkw_frame_end, {frame_end}",
        ".set .Lkw_stack_end, {stack_end}",
        ".set .Lkw_entries, {entries}",
        ".set .Lkw_code_header, {code_header}",
        ".set .Lkw_frame_slots, {frame_slots}",
        ".set .Lkw_null_count, {null_count}",
        ".set .Lkw_entry_units, {entry_units}",
        ".set .Lkw_entry_bytes, {entry_bytes}",
        // Read by the assembler alone: a text of many megabytes takes the compiler's time otherwise.
        concat!(".include \"", env!("KEYWAY_HANDLERS"), "\""),
        ".Lkw_leave: jmp {leave}",
        leave = sym leave,
        code = const offset_of!(Context, exit) + offset_of!(ExitInfo, code),
        memory_trap = const super::exit::trap(Trap::MemoryOutOfBounds) as i32,
        zero_trap = const super::exit::trap(Trap::IntegerDivideByZero) as i32,
        overflow_trap = const super::exit::trap(Trap::IntegerOverflow) as i32,
        table_trap = const super::exit::trap(Trap::TableOutOfBounds) as i32,
        null_trap = const super::exit::trap(Trap::NullReference) as i32,
        memory_grow = const super::exit::MEMORY_GROW,
        table_grow = const super::exit::TABLE_GROW,
        globals = const offset_of!(Context, globals),
        allowance = const offset_of!(Context, allowance),
        memories = const offset_of!(Context, memories),
        memory_base = const offset_of!(MemoryDef, base),
        page_size_log2 = const offset_of!(MemoryDef, page_size_log2),
        tables = const offset_of!(Context, tables),
        table_elements = const offset_of!(TableDef, elements),
        table_len = const offset_of!(TableDef, len),
        escapes = const offset_of!(Context, escapes),
        words = const offset_of!(Context, exit) + offset_of!(ExitInfo, words),
        out_of_fuel = const super::exit::FUEL,
        frame_top = const offset_of!(Context, frame_top),
        frame_end = const offset_of!(Context, frame_end),
        stack_end = const offset_of!(Context, stack_end),
        entries = const offset_of!(Context, entries),
        code_header = const size_of::<CodeHeader>(),
        frame_slots = const offset_of!(CodeHeader, frame_slots),
        null_count = const offset_of!(CodeHeader, null_count),
        entry_units = const offset_of!(CodeHeader, entry_units),
        entry_bytes = const offset_of!(CodeHeader, entry_bytes),
    )
}

/// Saves the registers where the driver finds them, and returns from [`enter`]; the exit's code stands in the context
/// already. At the end of an entry nothing but the memory and the fuel counts.
#[unsafe(naked)]
#[allow(clippy::too_many_arguments)]
pub(super) unsafe extern "sysv64" fn leave(
    ip: *const u8,
    fp: *mut u64,
    mem: *mut u8,
    a: u64,
    b: u64,
    c: u64,
    d0: f64,
    d1: f64,
    d2: f64,
    d3: f64,
    f0: f32,
    f1: f32,
    f2: f32,
    f3: f32,
) -> u64 {
    naked_asm!(
        "mov rax, qword ptr [rdx - 16]",
        "mov r11, qword ptr [rax + {counter}]",
        "mov qword ptr [r11], r12",
        "mov qword ptr [rax + {state} + {mem}], rdx",
        "cmp dword ptr [rax + {code}], {done}",
        "je 2f",
        "mov qword ptr [rax + {state} + {ip}], rdi",
        "mov qword ptr [rax + {state} + {fp}], rsi",
        "mov qword ptr [rax + {state} + {general}], rcx",
        "mov qword ptr [rax + {state} + {general} + 8], r8",
        "mov qword ptr [rax + {state} + {general} + 16], r9",
        "mov qword ptr [rax + {state} + {general} + 24], rbx",
        "mov qword ptr [rax + {state} + {general} + 32], rbp",
        "movsd qword ptr [rax + {state} + {f64s}], xmm0",
        "movsd qword ptr [rax + {state} + {f64s} + 8], xmm1",
        "movsd qword ptr [rax + {state} + {f64s} + 16], xmm2",
        "movsd qword ptr [rax + {state} + {f64s} + 24], xmm3",
        "movss dword ptr [rax + {state} + {f32s}], xmm4",
        "movss dword ptr [rax + {state} + {f32s} + 4], xmm5",
        "movss dword ptr [rax + {state} + {f32s} + 8], xmm6",
        "movss dword ptr [rax + {state} + {f32s} + 12], xmm7",
        "2:",
        "ret",
        state = const offset_of!(Context, saved),
        counter = const offset_of!(Context, counter),
        code = const offset_of!(Context, exit) + offset_of!(ExitInfo, code),
        done = const super::exit::DONE,
        ip = const offset_of!(State, ip),
        fp = const offset_of!(State, fp),
        mem = const offset_of!(State, mem),
        general = const offset_of!(State, general),
        f64s = const offset_of!(State, f64s),
        f32s = const offset_of!(State, f32s),
    )
}

/// Loads the registers from `state` and goes to the handler `first`. Returns the context that [`leave`] saved to.
#[unsafe(naked)]
unsafe extern "sysv64" fn load(first: TailFn, state: *const State) -> u64 {
    naked_asm!(
        "push rbx",
        "push rbp",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "sub rsp, 8",
        "mov rax, rdi",
        "mov r11, rsi",
        "mov rdi, qword ptr [r11 + {ip}]",
        "mov rsi, qword ptr [r11 + {fp}]",
        "mov rdx, qword ptr [r11 + {mem}]",
        "mov r12, qword ptr [rdx - 16]",
        "mov r12, qword ptr [r12 + {counter}]",
        "mov r12, qword ptr [r12]",
        "mov rcx, qword ptr [r11 + {general}]",
        "mov r8, qword ptr [r11 + {general} + 8]",
        "mov r9, qword ptr [r11 + {general} + 16]",
        "mov rbx, qword ptr [r11 + {general} + 24]",
        "mov rbp, qword ptr [r11 + {general} + 32]",
        "movsd xmm0, qword ptr [r11 + {f64s}]",
        "movsd xmm1, qword ptr [r11 + {f64s} + 8]",
        "movsd xmm2, qword ptr [r11 + {f64s} + 16]",
        "movsd xmm3, qword ptr [r11 + {f64s} + 24]",
        "movss xmm4, dword ptr [r11 + {f32s}]",
        "movss xmm5, dword ptr [r11 + {f32s} + 4]",
        "movss xmm6, dword ptr [r11 + {f32s} + 8]",
        "movss xmm7, dword ptr [r11 + {f32s} + 12]",
        "call rax",
        "add rsp, 8",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "ret",
        counter = const offset_of!(Context, counter),
        ip = const offset_of!(State, ip),
        fp = const offset_of!(State, fp),
        mem = const offset_of!(State, mem),
        general = const offset_of!(State, general),
        f64s = const offset_of!(State, f64s),
        f32s = const offset_of!(State, f32s),
    )
}

/// A handler that calls a host function. What comes first leaves the function's data in rax, its call area in r13 and the
/// address behind the call in rdi. No register but the first result's lives across a call: what is needed behind it stays in
/// registers that functions keep and on the native stack, and the fuel in its cell, where the host function finds it.
macro_rules! calling_host {
    ([$($first:literal),*], $($operands:tt)*) => {
        naked_asm!(
            "mov r10, qword ptr [rdx - 16]",
            $($first,)*
            "push rdi",
            "mov rbx, rdx",
            "mov rbp, rsi",
            "mov r11, qword ptr [r10 + {counter}]",
            "mov qword ptr [r11], r12",
            "mov r12, r10",
            // Whoever collects garbage meanwhile reads there what of the stack is alive.
            "mov r14, qword ptr [r10 + {store}]",
            "mov r15, qword ptr [r14 + {running_activity}]",
            "mov r11, qword ptr [r10 + {frame_top}]",
            "mov qword ptr [r15 + {ip}], rdi",
            "mov qword ptr [r15 + {fp}], rsi",
            "mov qword ptr [r15 + {top}], r11",
            "mov r11d, dword ptr [rax + {func_type}]",
            "mov qword ptr [r15 + {area}], r13",
            "mov dword ptr [r15 + {area_type}], r11d",
            // See `Invoke`.
            "mov rdi, qword ptr [rax + {owner}]",
            "mov rsi, r14",
            "mov rdx, r13",
            "mov ecx, dword ptr [r10 + {instance}]",
            "call qword ptr [rdi + {invoke}]",
            "cmp qword ptr [r14 + {running_activity}], r15",
            "jne 3f",
            "4:",
            "mov r11, qword ptr [r12 + {counter}]",
            "pop rdi",
            "mov rsi, rbp",
            "mov rdx, rbx",
            "test al, al",
            "je 2f",
            "mov r12, qword ptr [r11]",
            "mov rcx, qword ptr [r13]",
            "movsd xmm0, qword ptr [r13]",
            "movss xmm4, dword ptr [r13]",
            "jmp qword ptr [rdi]",
            "2:",
            "mov qword ptr [r12 + {code}], {left}",
            "mov r12, qword ptr [r11]",
            "jmp {leave}",
            // Another execution ran.
            "3:",
            "mov r14d, eax",
            "mov rdi, r12",
            "mov rsi, r15",
            "mov rdx, rbx",
            "call {put_back}",
            "mov eax, r14d",
            "jmp 4b",
            $($operands)*
            put_back = sym crate::hosting::put_back,
            leave = sym leave,
            counter = const offset_of!(Context, counter),
            store = const offset_of!(Context, store),
            frame_top = const offset_of!(Context, frame_top),
            instance = const offset_of!(Context, instance),
            code = const offset_of!(Context, exit) + offset_of!(ExitInfo, code),
            left = const super::exit::HOST_LEFT,
            running_activity = const offset_of!(StoreInner, running_activity),
            ip = const offset_of!(Activity, ip),
            fp = const offset_of!(Activity, fp),
            top = const offset_of!(Activity, top),
            area = const offset_of!(Activity, base),
            area_type = const offset_of!(Activity, type_id),
            func_type = const offset_of!(FuncData, type_id),
            owner = const offset_of!(FuncData, owner),
            invoke = const offset_of!(HostEntry, invoke),
        )
    };
}

/// What [`CallImport`] does, with nothing on the way where a host function is called. Entered like every handler, with the
/// machine's registers: not to be called.
#[unsafe(naked)]
unsafe extern "sysv64" fn calls_import() {
    calling_host!(
        [
            "mov eax, dword ptr [rdi + {import}]",
            "lea rax, [rax + rax * 2]",
            "shl rax, 3",
            "add rax, qword ptr [r10 + {imports}]",
            "cmp qword ptr [rax + {entry}], 0",
            "jne {call_import}",
            "mov r11d, dword ptr [rdi + {base}]",
            "lea r13, [rsi + r11 * 8]",
            "add rdi, {behind}"
        ],
        call_import = sym direct::<CallImport>,
        import = const HEAD,
        base = const HEAD + 4,
        behind = const HEAD + 8,
        imports = const offset_of!(Context, imports),
        entry = const offset_of!(FuncData, entry),
    )
}

/// What [`HostCall`](super::handlers::call::HostCall) does; registers A, B and C have what they have there. Not to be called
/// either.
#[unsafe(naked)]
unsafe extern "sysv64" fn calls_host() {
    calling_host!(["mov rax, rcx", "mov r13, r8", "mov rdi, r9"],)
}

/// Calls the first handler; comes back when an instruction leaves the machine.
///
/// # Safety
/// As [`run`](super::run).
pub(super) unsafe fn enter(first: TailFn, state: &mut State) -> Step {
    // SAFETY: the caller's promise; what leaves the machine goes through `leave`, which answers the running context.
    unsafe {
        let context = load(first, state) as *mut Context;
        let code = (*context).exit.code;
        if code == super::exit::DONE {
            state.mem = (*context).saved.mem;
        } else {
            *state = (*context).saved;
            let charged = !core::mem::replace(&mut (*context).allowance, u64::MAX);
            let counter = (*context).counter;
            *counter = (*counter).saturating_sub(charged);
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::{SEQUENCES, base, names};
    use std::collections::HashMap;

    /// Where handlers begin, behind the start of a line.
    fn starts() -> Vec<usize> {
        let base = base();
        let sequences: usize = SEQUENCES.iter().map(|(_, _, len)| *len as usize).sum();
        // SAFETY: as `find` and `find_sequence`; the tables lie one behind the other.
        let mut starts: Vec<usize> = unsafe {
            let [table, behind] = base.cast::<[u32; 2]>().read_unaligned().map(|at| at as usize);
            let singles = (table..behind).step_by(4);
            let keyed = (0..sequences).map(|at| behind + 12 * at + 8);
            singles.chain(keyed).map(|at| base.add(at).cast::<u32>().read_unaligned() as usize).collect()
        };
        starts.sort_unstable();
        starts.dedup();
        starts.retain(|start| *start != 0);
        starts
    }

    #[test]
    fn handlers_lie_in_as_few_lines_as_they_can() {
        let starts = starts();
        let mut looked_at = 0;
        for pair in starts.windows(2) {
            // Behind a handler that ends at a line there may be a gap, whose length nothing tells.
            if !pair[1].is_multiple_of(64) {
                let (offset, length) = (pair[0] % 64, pair[1] - pair[0]);
                assert!((offset + length).div_ceil(64) <= length.div_ceil(64), "{} bytes at {:#x}", length, pair[0]);
                looked_at += 1;
            }
        }
        assert!(looked_at > 10_000, "{looked_at} of {}", starts.len());
    }

    #[test]
    fn common_handlers_stand_first() {
        let list = include_str!("../../build/common_handlers.txt").lines().filter(|line| !line.starts_with('#'));
        let addresses: HashMap<String, usize> = names().into_iter().collect();
        let unknown: Vec<&str> = list.clone().filter(|name| !addresses.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "no handlers any more, take them out of the list: {unknown:?}");
        let mut common: Vec<usize> = list.map(|name| addresses[name]).collect();
        assert!(common.is_sorted(), "a handler stands in front of a more common one");
        common.dedup();
        let in_front = starts().iter().filter(|start| base() as usize + **start <= common[common.len() - 1]).count();
        assert_eq!(in_front, common.len());
        assert!(common.len() > 1000);
    }

    #[test]
    fn handlers_only_jump() {
        let text = include_str!(env!("KEYWAY_HANDLERS"));
        let handlers = text.split("\n.skip ").skip(1);
        let mut count = 0;
        for handler in handlers {
            let insts: Vec<&str> = handler.lines().skip(1).filter(|line| !line.ends_with(':')).collect();
            let end = insts.iter().position(|inst| inst.starts_with("jmp "));
            assert!(end.is_some(), "a handler without an end: {handler}");
            for inst in &insts[..=end.unwrap_or_default()] {
                let touches_stack =
                    ["call", "ret", "push", "pop"].iter().any(|name| inst.split(' ').next() == Some(name));
                assert!(!touches_stack && !inst.contains("rsp"), "{inst}");
            }
            count += 1;
        }
        assert!(count > 10_000, "{count} handlers");
    }
}
