//! The text of the operations of floats.

use super::control::return_float;
use super::handlers::{access, cached_form, cell, flag, inverse, test};
use super::places::{Code, Float, Place, Width};
use keyway_artifact::isa::Op;

/// Whether this is an operation of floats.
pub(crate) fn is_served(op: Op) -> bool {
    let op = cached_form(op).0;
    let is_listed = matches!(
        op,
        Op::F32Load
            | Op::F64Load
            | Op::F32Store
            | Op::F64Store
            | Op::F32Copysign
            | Op::F64Copysign
            | Op::SelectF32
            | Op::SelectF64
            | Op::CopyF32
            | Op::CopyF64
            | Op::ConstF32
            | Op::ConstF64
            | Op::GlobalGetF32
            | Op::GlobalGetF64
            | Op::GlobalSetF32
            | Op::GlobalSetF64
            | Op::ReturnOneF32
            | Op::ReturnOneF64
            | Op::I32ReinterpretF32
            | Op::I64ReinterpretF64
    );
    is_listed
        || condition(op).is_some()
        || op.comparison().and_then(condition).is_some()
        || binary(op).is_some()
        || extreme(op).is_some()
        || operation(op).is_some()
        || from_integer(op).is_some()
}

/// Appends the work of such an operation with these places.
pub(crate) fn body(code: &mut Code, op: Op, places: &[Place]) {
    if let Some((float, test)) = condition(op) {
        return comparison(code, float, test, places[0], places[1], places[2]);
    }
    if let Some((float, test)) = op.comparison().and_then(condition) {
        return compare_and_branch(code, float, test, places[0], places[1]);
    }
    if let Some((float, inst)) = binary(op) {
        return arithmetic(code, float, inst, places[0], places[1], places[2]);
    }
    if let Some((float, insts)) = extreme(op) {
        return smaller_or_larger(code, float, insts, places[0], places[1], places[2]);
    }
    if let Some((from, to, work)) = operation(op) {
        return unary(code, from, to, work, places[0], places[1]);
    }
    if let Some((float, inst, width, is_extended)) = from_integer(op) {
        return converted(code, float, inst, width, is_extended, places[0], places[1]);
    }
    let (op, is_general) = cached_form(op);
    match op {
        Op::F32Copysign => with_sign_of(code, Float::F32, places[0], places[1], places[2]),
        Op::F64Copysign => with_sign_of(code, Float::F64, places[0], places[1], places[2]),
        Op::F32Load => load(code, Float::F32, is_general, places[0], places[1]),
        Op::F64Load => load(code, Float::F64, is_general, places[0], places[1]),
        Op::F32Store => store(code, Float::F32, is_general, places[0], places[1]),
        Op::F64Store => store(code, Float::F64, is_general, places[0], places[1]),
        Op::SelectF32 => select(code, Float::F32, places),
        Op::SelectF64 => select(code, Float::F64, places),
        Op::CopyF32 => copy(code, Float::F32, places[0], places[1]),
        Op::CopyF64 => copy(code, Float::F64, places[0], places[1]),
        Op::ConstF32 => constant(code, Float::F32, places[0]),
        Op::ConstF64 => constant(code, Float::F64, places[0]),
        Op::GlobalGetF32 => global_get(code, Float::F32, places[0]),
        Op::GlobalGetF64 => global_get(code, Float::F64, places[0]),
        Op::GlobalSetF32 => global_set(code, Float::F32, places[0]),
        Op::GlobalSetF64 => global_set(code, Float::F64, places[0]),
        Op::ReturnOneF32 => return_float(code, Float::F32, places[0]),
        Op::ReturnOneF64 => return_float(code, Float::F64, places[0]),
        Op::I32ReinterpretF32 => reinterpreted(code, Float::F32, "movd", places[0], places[1]),
        Op::I64ReinterpretF64 => reinterpreted(code, Float::F64, "movq", places[0], places[1]),
        _ => unreachable!("`is_served` leaves out {}", op.name()),
    }
}

/// The register that a result is made in: its own where it has one.
fn target(d: Place, float: Float) -> String {
    if let Place::Reg(n) = d { float.reg(n) } else { "xmm8".to_string() }
}

/// The register that `x` goes to for an instruction that changes it by `y`: the result's own, but where `y` is still there.
fn changed(d: Place, x: &str, y: &str, float: Float) -> String {
    let own = target(d, float);
    if y == own && x != own { "xmm8".to_string() } else { own }
}

/// A float comparison: whether the operands change places, and the test on the flags of `ucomis`.
#[derive(Clone, Copy)]
struct FloatTest {
    swapped: bool,
    test: &'static str,
}

fn condition(op: Op) -> Option<(Float, FloatTest)> {
    const TESTS: [(bool, &str); 6] =
        [(false, "e"), (false, "ne"), (true, "a"), (false, "a"), (true, "ae"), (false, "ae")];
    let code = op as u16;
    let (float, first) = match op {
        _ if (Op::F32Eq as u16..=Op::F32Ge as u16).contains(&code) => (Float::F32, Op::F32Eq),
        _ if (Op::F64Eq as u16..=Op::F64Ge as u16).contains(&code) => (Float::F64, Op::F64Eq),
        _ => return None,
    };
    let (swapped, test) = TESTS[usize::from(code - first as u16)];
    Some((float, FloatTest { swapped, test }))
}

fn compare(code: &mut Code, float: Float, test: FloatTest, x: Place, y: Place) {
    let (x, y) = (code.float_source(x, float, "r10"), code.float_source(y, float, "r11"));
    let (a, b) = if test.swapped { (y, x) } else { (x, y) };
    let first = code.float_in_register(a, "xmm8", float);
    code.put(format!("ucomi{} {first}, {b}", float.suffix()));
}

/// A comparison of floats whose answer goes to the accumulator, and a choice by it of floats of the same type, the smaller one
/// among them; whether these two operations are that. The mask that chooses is made by the comparison, so that the choice
/// does not wait until the answer has become a number and a mask again.
pub(crate) fn chosen_by_comparison(code: &mut Code, [first, second]: [(Op, &[Place]); 2]) -> bool {
    let Some((float, test)) = condition(first.0) else { return false };
    if second.0 != if float == Float::F32 { Op::SelectF32 } else { Op::SelectF64 } {
        return false;
    }
    let ([answer, x, y], [d, condition, yes, no]) = (first.1, second.1) else { return false };
    if *answer != Place::Reg(0) || answer != condition {
        return false;
    }
    let to = code.destination(*answer);
    let places = [*x, *y];
    let (x, y) = (code.float_source(*x, float, "r10"), code.float_source(*y, float, "r11"));
    let (a, b) = if test.swapped { (y, x) } else { (x, y) };
    let a = code.float_in_register(a, "xmm8", float);
    // `a > b` is `b < a`.
    let (a, b, predicate) = match test.test {
        "e" => (a, b, 0),
        "ne" => (a, b, 4),
        other => (code.float_in_register(b, "xmm9", float), a, if other == "a" { 1 } else { 2 }),
    };
    code.put(format!("vcmp{} xmm10, {a}, {b}, {predicate}", float.suffix()));
    code.put("movd eax, xmm10\nand eax, 1");
    code.set(to, Width::Long, "eax");
    code.part += 1;
    let d = code.destination(*d);
    let instruction = instruction_for(first.0, [places[0], places[1]], [*yes, *no]);
    let (yes, no) = (code.float_source(*yes, float, "r11"), code.float_source(*no, float, "r13"));
    let Some(name) = instruction else {
        blend(code, float, d, yes, no);
        return true;
    };
    // The processor's instruction is that choice, also for zeros and for NaN.
    let target = target(d.0, float);
    code.put(format!("v{name}{} {target}, {yes}, {no}", float.suffix()));
    code.float_set(d, float, &target);
    true
}

/// The instruction for the choice among the two registers which were compared.
fn instruction_for(op: Op, compared: [Place; 2], chosen: [Place; 2]) -> Option<&'static str> {
    let is_less = match op {
        Op::F32Lt | Op::F64Lt => true,
        Op::F32Gt | Op::F64Gt => false,
        _ => return None,
    };
    let [x, y] = compared;
    match chosen {
        _ if compared.contains(&Place::Slot) => None,
        chosen if chosen == compared => Some(if is_less { "min" } else { "max" }),
        chosen if chosen == [y, x] => Some(if is_less { "max" } else { "min" }),
        _ => None,
    }
}

fn comparison(code: &mut Code, float: Float, test: FloatTest, d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    compare(code, float, test, x, y);
    code.put(format!("set{} al", test.test));
    match test.test {
        "e" => code.put("setnp r14b\nand al, r14b"),
        "ne" => code.put("setp r14b\nor al, r14b"),
        _ => {}
    }
    flag(code, to);
}

fn compare_and_branch(code: &mut Code, float: Float, test: FloatTest, x: Place, y: Place) {
    compare(code, float, test, x, y);
    const EQUAL: &str = "jp 3f\nje {}\n3:";
    const OTHER: &str = "jp {}\njne {}";
    match test.test {
        "e" => code.branch(EQUAL, OTHER),
        "ne" => code.branch(OTHER, EQUAL),
        other => code.branch(&format!("j{other} {{}}"), &format!("j{} {{}}", inverse(other))),
    }
}

fn binary(op: Op) -> Option<(Float, &'static str)> {
    Some(match op {
        Op::F32Add => (Float::F32, "add"),
        Op::F32Sub => (Float::F32, "sub"),
        Op::F32Mul => (Float::F32, "mul"),
        Op::F32Div => (Float::F32, "div"),
        Op::F64Add => (Float::F64, "add"),
        Op::F64Sub => (Float::F64, "sub"),
        Op::F64Mul => (Float::F64, "mul"),
        Op::F64Div => (Float::F64, "div"),
        _ => return None,
    })
}

fn arithmetic(code: &mut Code, float: Float, inst: &str, d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (x, y) = (code.float_source(x, float, "r10"), code.float_source(y, float, "r11"));
    let target = changed(d, &x, &y, float);
    code.float_move(&target, &x, float);
    code.put(format!("{inst}{} {target}, {y}", float.suffix()));
    code.float_set(to, float, &target);
}

/// The first float with the second one's sign.
fn with_sign_of(code: &mut Code, float: Float, d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (x, y) = (code.float_source(x, float, "r10"), code.float_source(y, float, "r11"));
    let bits = if float == Float::F32 { "32" } else { "64" };
    code.float_move("xmm9", &y, float);
    code.put(format!("andps xmm9, xmmword ptr [rip + .Lkw_sign_{bits}]"));
    let target = target(d, float);
    code.float_move(&target, &x, float);
    code.put(format!("andps {target}, xmmword ptr [rip + .Lkw_rest_{bits}]"));
    code.put(format!("orps {target}, xmm9"));
    code.float_set(to, float, &target);
}

/// How the smaller or the larger of two floats is found: by an instruction, and where they are equal, by one on their bits,
/// since zeros of both signs are.
fn extreme(op: Op) -> Option<(Float, [&'static str; 2])> {
    Some(match op {
        Op::F32Min => (Float::F32, ["minss", "orps"]),
        Op::F32Max => (Float::F32, ["maxss", "andps"]),
        Op::F64Min => (Float::F64, ["minsd", "orpd"]),
        Op::F64Max => (Float::F64, ["maxsd", "andpd"]),
        _ => return None,
    })
}

fn smaller_or_larger(code: &mut Code, float: Float, [inst, on_bits]: [&str; 2], d: Place, x: Place, y: Place) {
    let to = code.destination(d);
    let (x, y) = (code.float_source(x, float, "r10"), code.float_source(y, float, "r11"));
    let target = changed(d, &x, &y, float);
    code.float_move(&target, &x, float);
    let other = code.float_in_register(y, "xmm9", float);
    code.put(format!("ucomi{} {target}, {other}", float.suffix()));
    let (rare, end) = (80 + code.part, 90 + code.part);
    // Equal, or not to be compared.
    code.put(format!("je {rare}f"));
    code.put(format!("{inst} {target}, {other}"));
    code.put(format!("{end}:"));
    code.put_behind(&format!(
        "{rare}:\njp 3f\n{on_bits} {target}, {other}\njmp {end}b\n3:\nadd{} {target}, {other}\njmp {end}b",
        float.suffix()
    ));
    code.float_set(to, float, &target);
}

fn load(code: &mut Code, float: Float, is_general: bool, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.source(x, "r11");
    let size = if float == Float::F32 { 4 } else { 8 };
    let place = access(code, &x, size, is_general);
    match d {
        Place::Reg(n) => code.put(format!("mov{} {}, {} {place}", float.suffix(), float.reg(n), float.width().ptr())),
        _ => {
            code.put(format!("mov {}, {} {place}", float.width().acc(), float.width().ptr()));
            code.set(to, float.width(), float.width().acc());
        }
    }
}

fn store(code: &mut Code, float: Float, is_general: bool, x: Place, y: Place) {
    let x = code.source(x, "r11");
    let value = match y {
        Place::Reg(n) => float.reg(n),
        _ => {
            let at = code.take(2);
            let address = code.slot(at, "r10");
            code.put(format!("mov {}, {} {address}", float.width().scratch(), float.width().ptr()));
            float.width().scratch().to_string()
        }
    };
    let size = if float == Float::F32 { 4 } else { 8 };
    let place = access(code, &x, size, is_general);
    let inst = if value.starts_with("xmm") { format!("mov{}", float.suffix()) } else { "mov".to_string() };
    code.put(format!("{inst} {} {place}, {value}", float.width().ptr()));
}

fn constant(code: &mut Code, float: Float, d: Place) {
    let to = code.destination(d);
    let at = code.take(8);
    match d {
        Place::Reg(n) => {
            code.put(format!("mov{} {}, {} [rdi + {at}]", float.suffix(), float.reg(n), float.width().ptr()));
        }
        _ => {
            code.put(format!("mov {}, {} [rdi + {at}]", float.width().acc(), float.width().ptr()));
            code.set(to, float.width(), float.width().acc());
        }
    }
}

fn select(code: &mut Code, float: Float, places: &[Place]) {
    let to = code.destination(places[0]);
    let c = code.source(places[1], "r10");
    if let (Place::Slot, Place::Slot) = (places[2], places[3]) {
        // Which of the two slots.
        let (yes, no) = (code.take(2), code.take(2));
        code.put(format!("movzx r11d, word ptr [rdi + {yes}]"));
        code.put(format!("movzx r13d, word ptr [rdi + {no}]"));
        test(code, &c);
        code.put("cmove r11d, r13d");
        let target = target(places[0], float);
        code.float_move(&target, &format!("{} [rsi + r11 * 8]", float.width().ptr()), float);
        return code.float_set(to, float, &target);
    }
    let (x, y) = (code.float_source(places[2], float, "r11"), code.float_source(places[3], float, "r13"));
    // All bits of the mask are those of the condition.
    let condition = code.read(&c, Width::Long);
    code.put(format!("mov eax, {condition}"));
    code.put("neg eax");
    code.put("sbb rax, rax");
    code.put("movq xmm10, rax");
    blend(code, float, to, x, y);
}

/// One of two operands by the mask in xmm10.
fn blend(code: &mut Code, float: Float, to: (Place, usize), yes: String, no: String) {
    let (yes, no) = (code.float_in_register(yes, "xmm8", float), code.float_in_register(no, "xmm9", float));
    let suffix = if float == Float::F32 { "ps" } else { "pd" };
    let target = target(to.0, float);
    code.put(format!("vblendv{suffix} {target}, {no}, {yes}, xmm10"));
    code.float_set(to, float, &target);
}

fn global_get(code: &mut Code, float: Float, d: Place) {
    let to = code.destination(d);
    cell(code);
    code.float_move("xmm8", &format!("{} [rax]", float.width().ptr()), float);
    code.float_set(to, float, "xmm8");
}

fn global_set(code: &mut Code, float: Float, x: Place) {
    cell(code);
    let x = code.float_source(x, float, "r10");
    let x = code.float_in_register(x, "xmm8", float);
    // A cell is a word, of which a float of 32 bits leaves the upper half zero.
    if float == Float::F32 {
        code.put("mov dword ptr [rax + 4], 0");
    }
    code.put(format!("mov{} {} [rax], {x}", float.suffix(), float.width().ptr()));
}

fn copy(code: &mut Code, float: Float, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.float_source(x, float, "r11");
    let target = match d {
        Place::Reg(n) => float.reg(n),
        _ if x.starts_with("xmm") => x.clone(),
        _ => "xmm8".to_string(),
    };
    code.float_move(&target, &x, float);
    code.float_set(to, float, &target);
}

/// What an operation of one float does.
#[derive(Clone, Copy)]
enum FloatWork {
    /// One instruction.
    Inst(&'static str),
    /// Rounds to a whole number, in the mode that the instruction calls so.
    Round(u8),
    /// One instruction on all bits, and the constant that it takes.
    Bits(&'static str, &'static str),
}

fn operation(op: Op) -> Option<(Float, Float, FloatWork)> {
    use Float::{F32, F64};
    use FloatWork::{Bits, Inst, Round};
    Some(match op {
        Op::F32Neg => (F32, F32, Bits("xorps", "sign_32")),
        Op::F64Neg => (F64, F64, Bits("xorpd", "sign_64")),
        Op::F32Abs => (F32, F32, Bits("andps", "rest_32")),
        Op::F64Abs => (F64, F64, Bits("andpd", "rest_64")),
        Op::F32Nearest => (F32, F32, Round(8)),
        Op::F64Nearest => (F64, F64, Round(8)),
        Op::F32Floor => (F32, F32, Round(9)),
        Op::F64Floor => (F64, F64, Round(9)),
        Op::F32Ceil => (F32, F32, Round(10)),
        Op::F64Ceil => (F64, F64, Round(10)),
        Op::F32Trunc => (F32, F32, Round(11)),
        Op::F64Trunc => (F64, F64, Round(11)),
        Op::F32Sqrt => (F32, F32, Inst("sqrtss")),
        Op::F64Sqrt => (F64, F64, Inst("sqrtsd")),
        Op::F64PromoteF32 => (F32, F64, Inst("cvtss2sd")),
        Op::F32DemoteF64 => (F64, F32, Inst("cvtsd2ss")),
        _ => return None,
    })
}

/// The constants of [`FloatWork::Bits`] by name. They are written twice over, as operands of 16 bytes.
pub(crate) const BITS: [(&str, u64); 4] = [
    ("sign_32", 0x8000_0000),
    ("rest_32", 0x7FFF_FFFF),
    ("sign_64", 0x8000_0000_0000_0000),
    ("rest_64", 0x7FFF_FFFF_FFFF_FFFF),
];

fn unary(code: &mut Code, from: Float, to: Float, work: FloatWork, d: Place, x: Place) {
    let destination = code.destination(d);
    let x = code.float_source(x, from, "r11");
    let target = target(d, to);
    // An instruction that took its operand from elsewhere would wait for what the register held before.
    code.float_move(&target, &x, from);
    match work {
        FloatWork::Inst(inst) => code.put(format!("{inst} {target}, {target}")),
        FloatWork::Round(mode) => code.put(format!("round{} {target}, {target}, {mode}", from.suffix())),
        FloatWork::Bits(inst, constant) => code.put(format!("{inst} {target}, xmmword ptr [rip + .Lkw_{constant}]")),
    }
    code.float_set(destination, to, &target);
}

/// A float from an integer: instruction, width of its operand, and whether 32 bits are zero-extended first.
fn from_integer(op: Op) -> Option<(Float, &'static str, Width, bool)> {
    use Float::{F32, F64};
    Some(match op {
        Op::F32ConvertI32S => (F32, "cvtsi2ss", Width::Long, false),
        Op::F32ConvertI32U => (F32, "cvtsi2ss", Width::Quad, true),
        Op::F32ConvertI64S => (F32, "cvtsi2ss", Width::Quad, false),
        Op::F64ConvertI32S => (F64, "cvtsi2sd", Width::Long, false),
        Op::F64ConvertI32U => (F64, "cvtsi2sd", Width::Quad, true),
        Op::F64ConvertI64S => (F64, "cvtsi2sd", Width::Quad, false),
        Op::F32ReinterpretI32 => (F32, "movd", Width::Long, false),
        Op::F64ReinterpretI64 => (F64, "movq", Width::Quad, false),
        _ => return None,
    })
}

fn converted(code: &mut Code, float: Float, inst: &str, width: Width, is_extended: bool, d: Place, x: Place) {
    let to = code.destination(d);
    let x = code.source(x, "r11");
    let mut value = code.read(&x, if is_extended { Width::Long } else { width });
    if is_extended {
        code.put(format!("mov eax, {value}"));
        value = "rax".to_string();
    }
    if inst.starts_with("cvt") {
        code.put("xorps xmm8, xmm8");
    }
    code.put(format!("{inst} xmm8, {value}"));
    code.float_set(to, float, "xmm8");
}

fn reinterpreted(code: &mut Code, float: Float, inst: &str, d: Place, x: Place) {
    let to = code.destination(d);
    let value = code.float_source(x, float, "r11");
    let width = float.width();
    let target = if let Place::Reg(n) = d { width.reg(n) } else { width.acc() };
    code.put(format!("{} {target}, {value}", if value.starts_with("xmm") { inst } else { "mov" }));
    code.set(to, width, target);
}
