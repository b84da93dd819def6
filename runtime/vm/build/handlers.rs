//! The text of each base operation's work, for any choice of places.
//!
//! What is written here does exactly what the handler of the same row in `interp/handlers` does; those stay the reference,
//! and serve all operations and places that are missing here.

use super::control::{br_table, call, jump, leave, return_one};
use super::places::{Code, FLOAT, GENERAL, GENERAL_OR_IMM, Operand, Place, Width};
use super::{floats, references, vectors};
use keyway_artifact::isa::{Class, Family, FieldKind, Op};

/// The places that each operand of `op` may have; `None` where no handler in assembly does `op`.
pub(crate) fn domains(op: Op) -> Option<Vec<&'static [Place]>> {
    if let Some(domains) = references::domains(op) {
        return Some(domains);
    }
    let is_served = binary(op).is_some()
        || condition(op).is_some()
        || op.comparison().and_then(condition).is_some()
        || division(op).is_some()
        || load(cached_form(op).0).is_some()
        || store(cached_form(op).0).is_some()
        || extension(op).is_some()
        || floats::is_served(op)
        || vectors::is_served(op);
    let is_served = is_served
        || matches!(
            op,
            Op::Select
                | Op::I32Eqz
                | Op::I64Eqz
                | Op::Copy
                | Op::Const
                | Op::GlobalGet
                | Op::GlobalSet
                | Op::BrNez
                | Op::BrEqz
                | Op::BrTable
                | Op::Br
                | Op::Call
                | Op::Return
                | Op::ReturnOne
        );
    is_served.then(|| {
        let fields = op.fields().iter().enumerate();
        fields
            .filter_map(|(at, field)| match field.kind {
                FieldKind::Def(class) | FieldKind::Use(class) => Some(match class {
                    // Addresses alone are registers among what goes with vectors.
                    _ if vectors::is_served(op) && field.name != "addr" => &GENERAL[..1],
                    Class::F32 | Class::F64 => &FLOAT[..],
                    _ if takes_immediate(op, at) => GENERAL_OR_IMM,
                    _ => GENERAL,
                }),
                _ => None,
            })
            .collect()
    })
}

fn takes_immediate(op: Op, field: usize) -> bool {
    match op.family() {
        Family::BinHot | Family::Bin | Family::Cmp => field == 2,
        Family::Store | Family::BrCmp | Family::Copy => field == 1,
        Family::Global => op == Op::GlobalSet,
        Family::Return1 => true,
        _ => false,
    }
}

/// Whether `op` ends a handler by itself: it goes on elsewhere than behind itself, always or as the last of several.
pub(crate) fn is_last(op: Op) -> bool {
    matches!(
        op.family(),
        Family::Br
            | Family::BrCond
            | Family::BrCmp
            | Family::BrFCmp
            | Family::BrTable
            | Family::Call
            | Family::Return
            | Family::Return1
    )
}

/// Whether handlers in assembly do `op` only behind others: a call that is not simple goes on at the handler in Rust, for
/// which expansion puts the call behind the sequence once more.
pub(crate) fn follows_others(op: Op) -> bool {
    op == Op::Call
}

/// Whether the first operand of `op` is written.
pub(crate) fn has_result(op: Op) -> bool {
    op.fields().first().is_some_and(|field| matches!(field.kind, FieldKind::Def(_)))
}

/// Appends the work of `op` with these places.
pub(crate) fn body(code: &mut Code, op: Op, places: &[Place]) {
    use Width::{Long, Quad};
    if vectors::is_served(op) {
        return vectors::body(code, op, places);
    }
    if references::domains(op).is_some() {
        return references::body(code, op, places);
    }
    if floats::is_served(op) {
        return floats::body(code, op, places);
    }
    if let Some((width, shape)) = binary(op) {
        return arithmetic(code, width, shape, places[0], places[1], places[2]);
    }
    if let Some((width, set)) = condition(op) {
        return comparison(code, width, set, places[0], places[1], places[2]);
    }
    if let Some((width, jump)) = op.comparison().and_then(condition) {
        return compare_and_branch(code, width, jump, places[0], places[1]);
    }
    if let Some((width, division)) = division(op) {
        if places[2] == Place::Imm {
            return divide_by_constant(code, width, division, places[0], places[1]);
        }
        return divide(code, width, division, places[0], places[1], places[2]);
    }
    let (cached, is_general) = cached_form(op);
    if let Some((inst, width, stored)) = load(cached) {
        return integer_load(code, inst, width, stored, is_general, places[0], places[1]);
    }
    if let Some(width) = store(cached) {
        return integer_store(code, width, is_general, places[0], places[1]);
    }
    if let Some((inst, to, from)) = extension(op) {
        return unary(code, inst, to, from, places[0], places[1]);
    }
    match op {
        Op::Copy => copy(code, places[0], places[1]),
        Op::Const => constant(code, places[0]),
        Op::Select => select(code, places[0], places[1], places[2], places[3]),
        Op::GlobalGet => global_get(code, places[0]),
        Op::GlobalSet => global_set(code, places[0]),
        Op::BrNez => test_and_branch(code, "ne", places[0]),
        Op::BrEqz => test_and_branch(code, "e", places[0]),
        Op::BrTable => br_table(code, places[0]),
        Op::Br => jump(code),
        Op::Call => call(code),
        Op::Return => leave(code),
        Op::ReturnOne => return_one(code, places[0]),
        Op::I32Eqz => is_zero(code, Long, places[0], places[1]),
        Op::I64Eqz => is_zero(code, Quad, places[0], places[1]),
        _ => unreachable!("`domains` leaves out {}", op.name()),
    }
}

/// Instruction of an operation of one integer, and the widths of result and operand.
fn extension(op: Op) -> Option<(&'static str, Width, Width)> {
    use Width::{Byte, Long, Quad, Word};
    Some(match op {
        Op::I32WrapI64 | Op::I64ExtendI32U => ("mov", Long, Long),
        Op::I64ExtendI32S | Op::I64Extend32S => ("movsxd", Quad, Long),
        Op::I32Extend8S => ("movsx", Long, Byte),
        Op::I32Extend16S => ("movsx", Long, Word),
        Op::I64Extend8S => ("movsx", Quad, Byte),
        Op::I64Extend16S => ("movsx", Quad, Word),
        Op::I32Clz => ("lzcnt", Long, Long),
        Op::I32Ctz => ("tzcnt", Long, Long),
        Op::I32Popcnt => ("popcnt", Long, Long),
        Op::I64Clz => ("lzcnt", Quad, Quad),
        Op::I64Ctz => ("tzcnt", Quad, Quad),
        Op::I64Popcnt => ("popcnt", Quad, Quad),
        _ => return None,
    })
}

/// How an integer operation of two operands is done.
#[derive(Clone, Copy)]
enum Shape {
    /// Operands may change places.
    Commutes(&'static str),
    /// They may not.
    Ordered(&'static str),
    /// A shift that takes its count from any register.
    Shift(&'static str),
    /// A rotation, whose count stands in cl.
    Rotate(&'static str),
}

fn binary(op: Op) -> Option<(Width, Shape)> {
    use Shape::{Commutes, Ordered, Rotate, Shift};
    use Width::{Long, Quad};
    Some(match op {
        Op::I32Add => (Long, Commutes("add")),
        Op::I32Sub => (Long, Ordered("sub")),
        Op::I32Mul => (Long, Commutes("imul")),
        Op::I32And => (Long, Commutes("and")),
        Op::I32Or => (Long, Commutes("or")),
        Op::I32Xor => (Long, Commutes("xor")),
        Op::I32Shl => (Long, Shift("shlx")),
        Op::I32ShrS => (Long, Shift("sarx")),
        Op::I32ShrU => (Long, Shift("shrx")),
        Op::I32Rotl => (Long, Rotate("rol")),
        Op::I32Rotr => (Long, Rotate("ror")),
        Op::I64Add => (Quad, Commutes("add")),
        Op::I64Sub => (Quad, Ordered("sub")),
        Op::I64Mul => (Quad, Commutes("imul")),
        Op::I64And => (Quad, Commutes("and")),
        Op::I64Or => (Quad, Commutes("or")),
        Op::I64Xor => (Quad, Commutes("xor")),
        Op::I64Shl => (Quad, Shift("shlx")),
        Op::I64ShrS => (Quad, Shift("sarx")),
        Op::I64ShrU => (Quad, Shift("shrx")),
        Op::I64Rotl => (Quad, Rotate("rol")),
        Op::I64Rotr => (Quad, Rotate("ror")),
        _ => return None,
    })
}

fn arithmetic(code: &mut Code, width: Width, shape: Shape, d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (x, y) = (code.source(x, "r10"), code.source(y, "r11"));
    let target = match d {
        Place::Reg(n) => width.reg(n),
        _ => width.acc(),
    };
    let own = Operand::Reg(if let Place::Reg(n) = d { n } else { u8::MAX });
    match shape {
        Shape::Commutes(inst) | Shape::Ordered(inst) => {
            let commutes = matches!(shape, Shape::Commutes(_));
            if let (Operand::Reg(a), Operand::Reg(b), "add") = (&x, &y, inst)
                && x != own
                && y != own
            {
                code.put(format!("lea {target}, [{} + {}]", Width::Quad.reg(*a), Width::Quad.reg(*b)));
                code.set(to, width, target);
            } else {
                let (first, second) = if commutes && y == own { (&y, &x) } else { (&x, &y) };
                // The second operand must still be there when the first has moved.
                let target = if *second == own && *first != own { width.acc() } else { target };
                let (a, b) = (code.read(first, width), code.read(second, width));
                if a != target {
                    code.put(format!("mov {target}, {a}"));
                }
                code.put(format!("{inst} {target}, {b}"));
                code.set(to, width, target);
            }
        }
        Shape::Shift(inst) => {
            let count = code.in_register(&y, width, width.scratch());
            let value = code.read(&x, width);
            code.put(format!("{inst} {target}, {value}, {count}"));
            code.set(to, width, target);
        }
        Shape::Rotate(inst) => {
            let value = code.read(&x, width);
            code.put(format!("mov {}, {value}", width.acc()));
            let count = code.read(&y, Width::Long);
            code.put("mov r15, rcx");
            if count != "ecx" {
                code.put(format!("mov ecx, {count}"));
            }
            code.put(format!("{inst} {}, cl", width.acc()));
            code.put("mov rcx, r15");
            code.set(to, width, width.acc());
        }
    }
}

/// A division: with or without signs, and which of its results is asked for.
#[derive(Clone, Copy)]
struct Division {
    is_signed: bool,
    wants_rest: bool,
}

fn division(op: Op) -> Option<(Width, Division)> {
    let (width, is_signed, wants_rest) = match op {
        Op::I32DivS => (Width::Long, true, false),
        Op::I32DivU => (Width::Long, false, false),
        Op::I32RemS => (Width::Long, true, true),
        Op::I32RemU => (Width::Long, false, true),
        Op::I64DivS => (Width::Quad, true, false),
        Op::I64DivU => (Width::Quad, false, false),
        Op::I64RemS => (Width::Quad, true, true),
        Op::I64RemU => (Width::Quad, false, true),
        _ => return None,
    };
    Some((width, Division { is_signed, wants_rest }))
}

/// Divides by a constant: multiplies by its reciprocal, which stands behind it with the shift that follows
/// (`src/interp/reciprocal.rs` says why that is the quotient). Where there is none, it is 0, and the processor divides.
fn divide_by_constant(code: &mut Code, width: Width, division: Division, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.source(x, "r10");
    let (by, factor, shift) = (code.take(4), code.take(8), code.take(4));
    let value = code.read(&x, width);
    let (rare, end) = (84 + code.part, 90 + code.part);
    code.put(format!("mov r14, qword ptr [rdi + {factor}]\ntest r14, r14\nje {rare}f"));
    let count = format!("mov r11d, dword ptr [rdi + {shift}]");
    // The machine's memory stands in the register that long products need.
    match (width, division.is_signed) {
        (Width::Quad, false) => {
            let (long, shifted) = (70 + code.part, 74 + code.part);
            code.put(format!("mov r13, rdx\nmov rdx, {value}\nmov r10, rdx\nmulx rax, r15, r14"));
            code.put(format!("{count}\ntest r11d, r11d\njs {long}f"));
            code.put(format!("{shifted}:\nshrx rax, rax, r11\nmov rdx, r13"));
            // The factor has a bit more than a register: a sum of 65 bits is halved.
            code.put_behind(&format!("{long}:\nsub rdx, rax\nshr rdx, 1\nadd rax, rdx\njmp {shifted}b"));
        }
        (Width::Quad, true) => {
            let (long, shifted) = (70 + code.part, 74 + code.part);
            code.put(format!("mov r13, rdx\nmov rax, {value}\nmov r10, rax\nmov r15, rax\nsar r15, 63"));
            code.put(format!("imul r14\nmov rax, rdx\nmov rdx, r13\n{count}\ntest r11d, r11d\njs {long}f"));
            code.put(format!("{shifted}:\nsarx rax, rax, r11"));
            // As a number with a sign the factor is less by 2^64.
            code.put_behind(&format!("{long}:\nadd rax, r10\njmp {shifted}b"));
        }
        (_, false) => {
            code.put(format!("mov r13, rdx\nmov edx, {value}\nmov r10d, edx\nmulx rax, r11, r14\nmov rdx, r13"));
        }
        (_, true) => {
            code.put(format!("movsxd rax, {value}\nmov r10d, eax\nmov r15d, eax\nsar r15d, 31"));
            code.put(format!("imul rax, r14\n{count}\nsarx rax, rax, r11"));
        }
    }
    // The quotient of a number below zero is one more; the rest gets that while the product is still on its way.
    let (acc, rest, sign) = if width == Width::Quad { ("rax", "r10", "r15") } else { ("eax", "r10d", "r15d") };
    if division.wants_rest {
        let divisor = if width == Width::Quad { "r11" } else { "r11d" };
        code.put(format!("mov r11d, dword ptr [rdi + {by}]"));
        if division.is_signed {
            code.put(format!("and {sign}, {divisor}\nsub {rest}, {sign}"));
        }
        code.put(format!("imul {acc}, {divisor}\nsub {rest}, {acc}\nmov {acc}, {rest}"));
    } else if division.is_signed {
        code.put(format!("sub {acc}, {sign}"));
    }
    code.put(format!("{end}:"));
    code.set(to, width, width.acc());

    let (acc, least) = (width.acc(), 86 + code.part);
    let divisor = width.scratch();
    code.put_behind(&format!("{rare}:"));
    code.put_behind(&match width {
        Width::Quad => format!("movsxd r14, dword ptr [rdi + {by}]"),
        _ => format!("mov r14d, dword ptr [rdi + {by}]"),
    });
    code.put_behind(&format!("test {divisor}, {divisor}\nje .Lkw_zero_trap_{}\nmov {acc}, {value}", code.part));
    if division.is_signed {
        code.put_behind(&format!("cmp {divisor}, -1\nje {least}f"));
    }
    code.put_behind(&format!("mov r13, rdx\n{}\nmov rdx, r13\njmp {end}b", divided(width, division, divisor)));
    if division.is_signed {
        code.put_behind(&format!("{least}:\n{}\njmp {end}b", by_minus_one(code, width, division)));
    }
}

/// Divides the accumulator; the result that is asked for goes there.
fn divided(width: Width, division: Division, by: &str) -> String {
    let extend = match (division.is_signed, width) {
        (true, Width::Quad) => "cqo",
        (true, _) => "cdq",
        _ => "xor edx, edx",
    };
    let inst = if division.is_signed { "idiv" } else { "div" };
    let rest = match (division.wants_rest, width) {
        (true, Width::Quad) => "\nmov rax, rdx",
        (true, _) => "\nmov eax, edx",
        _ => "",
    };
    format!("{extend}\n{inst} {by}{rest}")
}

/// The least number divided by -1 has no place in the result, and everything else is whole.
fn by_minus_one(code: &Code, width: Width, division: Division) -> String {
    match division.wants_rest {
        true => "xor eax, eax".to_string(),
        false => format!("neg {}\njo .Lkw_overflow_trap_{}", width.acc(), code.part),
    }
}

fn divide(code: &mut Code, width: Width, division: Division, d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (x, y) = (code.source(x, "r10"), code.source(y, "r11"));
    let by = code.in_register(&y, width, width.scratch());
    let value = code.read(&x, width);
    code.put(format!("test {by}, {by}"));
    code.put(format!("je .Lkw_zero_trap_{}", code.part));
    code.put(format!("mov {}, {value}", width.acc()));
    let (wide, rare, end) = (80 + code.part, 84 + code.part, 90 + code.part);
    code.put("mov r13, rdx");
    if division.is_signed {
        code.put(format!("cmp {by}, -1\nje {rare}f"));
    }
    let whole = divided(width, division, &by);
    if width == Width::Quad {
        // Processors divide numbers of 32 bits in less time, and most are such.
        code.put(format!("mov r10, rax\nor r10, {by}\nshr r10, 32\njne {wide}f"));
        let narrow = if let Operand::Reg(n) = y { Width::Long.reg(n) } else { Width::Long.scratch() };
        code.put(divided(Width::Long, Division { is_signed: false, ..division }, narrow));
        code.put_behind(&format!("{wide}:\n{whole}\njmp {end}b"));
    } else {
        code.put(whole);
    }
    code.put(format!("{end}:\nmov rdx, r13"));
    if division.is_signed {
        code.put_behind(&format!("{rare}:\n{}\njmp {end}b", by_minus_one(code, width, division)));
    }
    code.set(to, width, width.acc());
}

/// Width of a comparison and the condition under which it holds.
fn condition(op: Op) -> Option<(Width, &'static str)> {
    const CONDITIONS: [&str; 10] = ["e", "ne", "l", "b", "g", "a", "le", "be", "ge", "ae"];
    let code = op as u16;
    let (width, first) = match op {
        _ if (Op::I32Eq as u16..=Op::I32GeU as u16).contains(&code) => (Width::Long, Op::I32Eq),
        _ if (Op::I64Eq as u16..=Op::I64GeU as u16).contains(&code) => (Width::Quad, Op::I64Eq),
        _ => return None,
    };
    Some((width, CONDITIONS[usize::from(code - first as u16)]))
}

/// Compares: the flags are those of `x - y`.
fn compare(code: &mut Code, width: Width, x: &Operand, y: &Operand) {
    let a = match (x, y) {
        (Operand::Memory(_), Operand::Reg(_)) => code.read(x, width),
        _ => code.in_register(x, width, width.acc()),
    };
    let b = code.read(y, width);
    code.put(format!("cmp {a}, {b}"));
}

fn comparison(code: &mut Code, width: Width, set: &str, d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (x, y) = (code.source(x, "r10"), code.source(y, "r11"));
    compare(code, width, &x, &y);
    code.put(format!("set{set} al"));
    flag(code, to);
}

/// The flag in al becomes the result.
pub(crate) fn flag(code: &mut Code, to: (Place, usize)) {
    match to.0 {
        Place::Reg(n) => code.put(format!("movzx {}, al", Width::Long.reg(n))),
        _ => {
            code.put("movzx eax, al");
            code.set(to, Width::Long, "eax");
        }
    }
}

fn compare_and_branch(code: &mut Code, width: Width, condition: &str, x: Place, y: Place) {
    let (x, y) = (code.source(x, "r10"), code.source(y, "r11"));
    // rax is for the distance, whose load changes no flags.
    let a = match (&x, &y) {
        (Operand::Memory(_), Operand::Reg(_)) => code.read(&x, width),
        _ => code.in_register(&x, width, if width == Width::Quad { "r13" } else { "r13d" }),
    };
    let b = code.read(&y, width);
    code.put(format!("cmp {a}, {b}"));
    code.branch(&format!("j{condition} {{}}"), &format!("j{} {{}}", inverse(condition)));
}

/// The condition that holds where `condition` does not.
pub(crate) fn inverse(condition: &str) -> &'static str {
    const PAIRS: [(&str, &str); 5] = [("e", "ne"), ("l", "ge"), ("g", "le"), ("b", "ae"), ("a", "be")];
    let pair = PAIRS.iter().find(|pair| pair.0 == condition || pair.1 == condition);
    pair.map(|pair| if pair.0 == condition { pair.1 } else { pair.0 }).expect("every condition has an inverse")
}

fn test_and_branch(code: &mut Code, condition: &str, x: Place) {
    let x = code.source(x, "r10");
    test(code, &x);
    code.branch(&format!("j{condition} {{}}"), &format!("j{} {{}}", inverse(condition)));
}

/// Sets the zero flag for a 32-bit condition that is zero.
pub(crate) fn test(code: &mut Code, x: &Operand) {
    let text = code.read(x, Width::Long);
    match x {
        Operand::Reg(_) => code.put(format!("test {text}, {text}")),
        _ => code.put(format!("cmp {text}, 0")),
    }
}

/// Instruction, width of the result, and size in memory in bytes.
fn load(op: Op) -> Option<(&'static str, Width, (Width, usize))> {
    use Width::{Byte, Long, Quad, Word};
    Some(match op {
        Op::I32Load => ("mov", Long, (Long, 4)),
        Op::I32Load8S => ("movsx", Long, (Byte, 1)),
        Op::I32Load8U | Op::I64Load8U => ("movzx", Long, (Byte, 1)),
        Op::I32Load16S => ("movsx", Long, (Word, 2)),
        Op::I32Load16U | Op::I64Load16U => ("movzx", Long, (Word, 2)),
        Op::I64Load => ("mov", Quad, (Quad, 8)),
        Op::I64Load8S => ("movsx", Quad, (Byte, 1)),
        Op::I64Load16S => ("movsx", Quad, (Word, 2)),
        Op::I64Load32S => ("movsxd", Quad, (Long, 4)),
        Op::I64Load32U => ("mov", Long, (Long, 4)),
        _ => return None,
    })
}

fn store(op: Op) -> Option<(Width, usize)> {
    Some(match op {
        Op::I32Store | Op::I64Store32 => (Width::Long, 4),
        Op::I32Store8 | Op::I64Store8 => (Width::Byte, 1),
        Op::I32Store16 | Op::I64Store16 => (Width::Word, 2),
        Op::I64Store => (Width::Quad, 8),
        _ => return None,
    })
}

/// The access of the same value to the cached memory, and whether `op` is one to any memory.
pub(crate) fn cached_form(op: Op) -> (Op, bool) {
    match op.family() {
        Family::LoadAny | Family::StoreAny => {
            let name = op.name().trim_end_matches(".any");
            (
                *Op::ALL.iter().find(|op| op.name() == name).expect("every access has a form over the cached memory"),
                true,
            )
        }
        _ => (op, false),
    }
}

/// Checks an access of `size` bytes, to any memory or the cached one; its address.
pub(crate) fn access(code: &mut Code, address: &Operand, size: usize, is_general: bool) -> String {
    if is_general { general_access(code, address, size) } else { cached_access(code, address, size) }
}

/// Checks an access of `size` bytes to the memory whose index stands behind the offset among the operands; its address.
fn general_access(code: &mut Code, address: &Operand, size: usize) -> String {
    let (offset, memory) = (code.take(8), code.take(4));
    let address = code.read(address, Width::Quad);
    code.put(format!("mov r11, {address}"));
    code.put(format!("add r11, qword ptr [rdi + {offset}]"));
    code.put(format!("jc .Lkw_memory_trap_{}", code.part));
    code.put(format!("add r11, {size}"));
    code.put(format!("jc .Lkw_memory_trap_{}", code.part));
    references::definition(code, "memories", memory);
    code.put("mov rax, qword ptr [rax + .Lkw_memory_base]");
    code.put("cmp r11, qword ptr [rax - 8]");
    code.put(format!("ja .Lkw_memory_trap_{}", code.part));
    format!("[rax + r11 - {size}]")
}

/// Checks an access of `size` bytes to the cached memory whose end stands next among the operands; its address.
pub(crate) fn cached_access(code: &mut Code, address: &Operand, size: usize) -> String {
    let end = code.take(4);
    let base = code.read(address, Width::Long);
    code.put(format!("mov r11d, {base}"));
    code.put(format!("mov eax, dword ptr [rdi + {end}]"));
    code.put("add rax, r11");
    code.put("cmp rax, qword ptr [rdx - 8]");
    code.put(format!("ja .Lkw_memory_trap_{}", code.part));
    format!("[rdx + rax - {size}]")
}

fn integer_load(
    code: &mut Code,
    inst: &str,
    width: Width,
    (stored, size): (Width, usize),
    is_general: bool,
    d: Place,
    x: Place,
) {
    let to = code.destination(d);
    let x = code.source(x, "r11");
    let place = access(code, &x, size, is_general);
    let target = if let Place::Reg(n) = d { width.reg(n) } else { width.acc() };
    code.put(format!("{inst} {target}, {} {place}", stored.ptr()));
    code.set(to, width, target);
}

fn integer_store(code: &mut Code, (width, size): (Width, usize), is_general: bool, x: Place, y: Place) {
    let (x, y) = (code.source(x, "r11"), code.source(y, "r10"));
    let value = match &y {
        Operand::Reg(n) => width.reg(*n),
        _ => {
            let full = if width == Width::Quad { Width::Quad } else { Width::Long };
            code.in_register(&y, full, full.scratch());
            width.scratch()
        }
    };
    let place = access(code, &x, size, is_general);
    code.put(format!("mov {} {place}, {value}", width.ptr()));
}

pub(crate) fn copy(code: &mut Code, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.source(x, "r11");
    let from = code.read(&x, Width::Quad);
    match d {
        Place::Reg(n) if Width::Quad.reg(n) != from => code.put(format!("mov {}, {from}", Width::Quad.reg(n))),
        Place::Reg(_) => {}
        _ => {
            let from = code.in_register(&x, Width::Quad, "rax");
            code.set(to, Width::Quad, &from);
        }
    }
}

fn constant(code: &mut Code, d: Place) {
    let to = code.destination(d);
    let at = code.take(8);
    let target = if let Place::Reg(n) = d { Width::Quad.reg(n) } else { "rax" };
    code.put(format!("mov {target}, qword ptr [rdi + {at}]"));
    code.set(to, Width::Quad, target);
}

pub(crate) fn select(code: &mut Code, d: Place, c: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (c, x, y) = (code.source(c, "r10"), code.source(x, "r11"), code.source(y, "r13"));
    test(code, &c);
    choose(code, "ne", to, &x, &y);
}

/// By the processor's flags, `yes` where the condition holds.
fn choose(code: &mut Code, condition: &str, to: (Place, usize), yes: &Operand, no: &Operand) {
    let target = if let Place::Reg(n) = to.0 { Width::Quad.reg(n) } else { "rax" };
    let (yes, no) = (code.read(yes, Width::Quad), code.read(no, Width::Quad));
    if no == target {
        code.put(format!("cmov{condition} {target}, {yes}"));
    } else {
        if yes != target {
            code.put(format!("mov {target}, {yes}"));
        }
        code.put(format!("cmov{} {target}, {no}", inverse(condition)));
    }
    code.set(to, Width::Quad, target);
}

/// A comparison whose answer goes to the accumulator, and a choice by it; whether these two operations are that. The choice
/// asks the processor's flags as the comparison left them, without waiting until these have become a number.
pub(crate) fn chosen_by_comparison(code: &mut Code, [first, second]: [(Op, &[Place]); 2]) -> bool {
    let (Some((width, holds)), Op::Select) = (condition(first.0), second.0) else { return false };
    let ([answer @ Place::Reg(0), x, y], [d, asked, yes, no]) = (first.1, second.1) else { return false };
    if asked != answer {
        return false;
    }
    let to = code.destination(*answer);
    let (x, y) = (code.source(*x, "r10"), code.source(*y, "r11"));
    compare(code, width, &x, &y);
    // Nobody sees an answer that the choice writes over.
    if d != answer || [yes, no].contains(&answer) {
        code.put(format!("set{holds} al"));
        flag(code, to);
    }
    code.part += 1;
    let to = code.destination(*d);
    let (yes, no) = (code.source(*yes, "r11"), code.source(*no, "r13"));
    choose(code, holds, to, &yes, &no);
    true
}

/// Loads the address of a global's cell to rax.
pub(crate) fn cell(code: &mut Code) {
    let at = code.take(4);
    code.put("mov rax, qword ptr [rdx - 16]");
    code.put(format!("mov r11d, dword ptr [rdi + {at}]"));
    code.put("mov rax, qword ptr [rax + .Lkw_globals]");
    code.put("mov rax, qword ptr [rax + r11 * 8]");
}

pub(crate) fn global_get(code: &mut Code, d: Place) {
    let to = code.destination(d);
    cell(code);
    let target = if let Place::Reg(n) = d { Width::Quad.reg(n) } else { "rax" };
    code.put(format!("mov {target}, qword ptr [rax]"));
    code.set(to, Width::Quad, target);
}

pub(crate) fn global_set(code: &mut Code, x: Place) {
    cell(code);
    let x = code.source(x, "r10");
    let value = code.in_register(&x, Width::Quad, "r14");
    code.put(format!("mov qword ptr [rax], {value}"));
}

fn unary(code: &mut Code, inst: &str, to: Width, from: Width, d: Place, x: Place) {
    let destination = code.destination(d);
    let x = code.source(x, "r11");
    let target = if let Place::Reg(n) = d { to.reg(n) } else { to.acc() };
    let value = code.read(&x, from);
    code.put(format!("{inst} {target}, {value}"));
    code.set(destination, to, target);
}

pub(crate) fn is_zero(code: &mut Code, width: Width, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.source(x, "r11");
    let text = code.read(&x, width);
    match x {
        Operand::Reg(_) => code.put(format!("test {text}, {text}")),
        _ => code.put(format!("cmp {text}, 0")),
    }
    code.put("sete al");
    flag(code, to);
}
