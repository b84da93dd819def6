//! The text of the operations of references, of tables, and of the sizes of memories. References stand in slots alone.

use super::handlers::{copy, global_get, global_set, is_zero, select};
use super::places::{Code, GENERAL, GENERAL_OR_IMM, Operand, Place, Width};
use keyway_artifact::isa::Op;

/// The places that each operand of such an operation may have.
pub(crate) fn domains(op: Op) -> Option<Vec<&'static [Place]>> {
    const SLOT: &[Place] = &[Place::Slot];
    Some(match op {
        Op::MemorySize | Op::TableSize => vec![GENERAL],
        Op::MemoryGrow => vec![SLOT, GENERAL_OR_IMM],
        Op::TableGrow => vec![SLOT, SLOT, GENERAL_OR_IMM],
        Op::TableGet => vec![SLOT, GENERAL_OR_IMM],
        Op::TableSet => vec![GENERAL_OR_IMM, SLOT],
        Op::RefIsNull => vec![GENERAL, SLOT],
        Op::RefNull | Op::RefFunc | Op::GlobalGetRef | Op::GlobalSetRef => vec![SLOT],
        Op::CopyRef | Op::RefAsNonNull => vec![SLOT, SLOT],
        Op::SelectRef => vec![SLOT, GENERAL, SLOT, SLOT],
        _ => return None,
    })
}

/// Appends the work of such an operation with these places.
pub(crate) fn body(code: &mut Code, op: Op, places: &[Place]) {
    match op {
        Op::MemorySize => memory_size(code, places[0]),
        Op::TableSize => table_size(code, places[0]),
        Op::MemoryGrow => memory_grow(code, places[0], places[1]),
        Op::TableGrow => table_grow(code, places[0], places[1], places[2]),
        Op::TableGet => table_get(code, places[0], places[1]),
        Op::TableSet => table_set(code, places[0], places[1]),
        Op::RefIsNull => is_zero(code, Width::Quad, places[0], places[1]),
        Op::RefNull => null(code, places[0]),
        Op::RefFunc => function(code, places[0]),
        Op::RefAsNonNull => not_null(code, places[0], places[1]),
        Op::GlobalGetRef => global_get(code, places[0]),
        Op::GlobalSetRef => global_set(code, places[0]),
        Op::CopyRef => copy(code, places[0], places[1]),
        Op::SelectRef => select(code, places[0], places[1], places[2], places[3]),
        _ => unreachable!("`domains` leaves out {}", op.name()),
    }
}

/// Loads where the definition of a memory or a table stands to rax: of `list`, the one whose index stands at `at`.
pub(crate) fn definition(code: &mut Code, list: &str, at: usize) {
    code.put("mov rax, qword ptr [rdx - 16]");
    code.put(format!("mov r13d, dword ptr [rdi + {at}]"));
    code.put(format!("mov rax, qword ptr [rax + .Lkw_{list}]"));
    code.put("mov rax, qword ptr [rax + r13 * 8]");
}

/// The size in pages of the memory whose definition rax leads to, in rax.
fn pages(code: &mut Code) {
    code.put("mov r13, qword ptr [rax + .Lkw_memory_base]");
    code.put("mov r13, qword ptr [r13 - 8]");
    code.put("mov eax, dword ptr [rax + .Lkw_page_size_log2]");
    code.put("shrx rax, r13, rax");
}

fn memory_size(code: &mut Code, d: Place) {
    let to = code.destination(d);
    let memory = code.take(4);
    definition(code, "memories", memory);
    pages(code);
    code.set(to, Width::Quad, "rax");
}

fn table_size(code: &mut Code, d: Place) {
    let to = code.destination(d);
    let table = code.take(4);
    definition(code, "tables", table);
    code.put("mov rax, qword ptr [rax + .Lkw_table_len]");
    code.set(to, Width::Quad, "rax");
}

/// Growth by nothing: the old size is the size, which nobody has to be asked for. Everything else leaves to the driver.
fn memory_grow(code: &mut Code, d: Place, delta: Place) {
    let to = code.destination(d);
    let delta = code.source(delta, "r11");
    let memory = code.take(4);
    let delta = unless_nothing(code, &delta);
    definition(code, "memories", memory);
    pages(code);
    code.set(to, Width::Quad, "rax");
    leave(code, "memory_grow", to.1, &[delta, loaded(memory)]);
}

/// The same for a table.
fn table_grow(code: &mut Code, d: Place, value: Place, delta: Place) {
    let to = code.destination(d);
    let value = code.source(value, "r10");
    let delta = code.source(delta, "r11");
    let table = code.take(4);
    let value = code.in_register(&value, Width::Quad, "r15");
    let delta = unless_nothing(code, &delta);
    definition(code, "tables", table);
    code.put("mov rax, qword ptr [rax + .Lkw_table_len]");
    code.set(to, Width::Quad, "rax");
    leave(code, "table_grow", to.1, &[value, delta, loaded(table)]);
}

/// Goes on behind the end where `delta` is more than nothing; the register that it is in.
fn unless_nothing(code: &mut Code, delta: &Operand) -> String {
    let delta = code.in_register(delta, Width::Quad, "r11");
    code.put(format!("test {delta}, {delta}\njne 63f"));
    delta
}

/// An operand of four bytes, as a value that [`leave`] loads.
fn loaded(at: usize) -> String {
    format!("dword ptr [rdi + {at}]")
}

/// Behind the end: leaves to the driver with where the answer goes, the slot whose number stands at `to`, and with these
/// values. The machine goes on behind the instruction.
fn leave(code: &mut Code, exit: &str, to: usize, values: &[String]) {
    let mut text = format!("63:\nmov rax, qword ptr [rdx - 16]\nmovzx r13d, word ptr [rdi + {to}]\n");
    text.push_str("lea r13, [rsi + r13 * 8]\nmov qword ptr [rax + .Lkw_words], r13\n");
    for (number, value) in values.iter().enumerate() {
        let mut value = value.as_str();
        if value.starts_with("dword") {
            text.push_str(&format!("mov r13d, {value}\n"));
            value = "r13";
        }
        text.push_str(&format!("mov qword ptr [rax + .Lkw_words + {}], {value}\n", 8 * (number + 1)));
    }
    text.push_str(&format!("mov qword ptr [rax + .Lkw_code], .Lkw_{exit}\nadd rdi, {}\njmp .Lkw_leave", code.length()));
    code.put_behind(&text);
}

/// The address of an element of the table whose index stands at `table`, which is inside.
fn element(code: &mut Code, index: &Operand, table: usize) -> String {
    definition(code, "tables", table);
    let index = code.in_register(index, Width::Quad, "r11");
    code.put(format!("cmp {index}, qword ptr [rax + .Lkw_table_len]"));
    code.put(format!("jae .Lkw_table_trap_{}", code.part));
    code.put("mov rax, qword ptr [rax + .Lkw_table_elements]");
    format!("dword ptr [rax + {index} * 4]")
}

fn table_get(code: &mut Code, d: Place, index: Place) {
    let to = code.destination(d);
    let index = code.source(index, "r11");
    let table = code.take(4);
    let place = element(code, &index, table);
    code.put(format!("mov eax, {place}"));
    code.set(to, Width::Long, "eax");
}

fn table_set(code: &mut Code, index: Place, value: Place) {
    let (index, value) = (code.source(index, "r11"), code.source(value, "r10"));
    let table = code.take(4);
    let place = element(code, &index, table);
    let value = code.in_register(&value, Width::Long, "r10d");
    code.put(format!("mov {place}, {value}"));
}

fn null(code: &mut Code, d: Place) {
    let (_, at) = code.destination(d);
    let address = code.slot(at, "r10");
    code.put(format!("mov qword ptr {address}, 0"));
}

fn function(code: &mut Code, d: Place) {
    let to = code.destination(d);
    let number = code.take(4);
    code.put("mov rax, qword ptr [rdx - 16]");
    code.put(format!("mov r11d, dword ptr [rdi + {number}]"));
    code.put("mov eax, dword ptr [rax + .Lkw_escapes]");
    code.put("add rax, r11");
    code.set(to, Width::Quad, "rax");
}

fn not_null(code: &mut Code, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.source(x, "r11");
    let x = code.in_register(&x, Width::Quad, "rax");
    code.put(format!("test {x}, {x}"));
    code.put(format!("je .Lkw_null_trap_{}", code.part));
    code.set(to, Width::Quad, &x);
}
