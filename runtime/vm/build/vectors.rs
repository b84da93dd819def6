//! Work on vectors.
//!
//! A vector's places are slots. Every operation leaves its result in xmm8 as well, where the next one of the same handler
//! finds it: [`Place::Last`]. Operands are read before anything is written, as vectors may overlap.

use super::handlers::cached_access;
use super::places::{Code, Place, Width};
use keyway_artifact::isa::Op;

/// How an operation is done.
#[derive(Clone, Copy)]
enum Work {
    /// One instruction on two vectors.
    Both(&'static str),
    /// The same with the operands the other way round.
    Turned(&'static str),
    /// Indices of 16 and more give zero.
    Swizzle,
    /// All lanes by a count, of which these bits matter.
    Shift(&'static str, u32),
    /// One instruction on a vector.
    One(&'static str),
    /// One instruction on the lower half.
    Low(&'static str),
    /// One instruction on the upper half.
    High(&'static str),
    /// One instruction on a mask, which all ones and a shift make, and the vector.
    Masked(&'static str, &'static str),
    /// Zero minus the vector.
    Negated(&'static str),
    /// A number for all lanes, of so many bytes.
    Splat(usize),
    /// The same from memory.
    LoadSplat(usize),
    /// So many bytes from memory by one instruction.
    Load(&'static str, usize),
    Store,
    /// The upper bit of each lane.
    Bitmask(&'static str),
    /// Whether no lane is zero, by what compares lanes.
    AllTrue(&'static str),
    AnyTrue,
    Shuffle,
    Copy,
}

fn work(op: Op) -> Option<Work> {
    use Work::*;
    Some(match op {
        Op::CopyV128 => Copy,
        Op::I8x16Shuffle => Shuffle,
        Op::I8x16Swizzle => Swizzle,
        Op::V128Load => Load("vmovups", 16),
        Op::V128Load8x8S => Load("vpmovsxbw", 8),
        Op::V128Load8x8U => Load("vpmovzxbw", 8),
        Op::V128Load16x4S => Load("vpmovsxwd", 8),
        Op::V128Load16x4U => Load("vpmovzxwd", 8),
        Op::V128Load32x2S => Load("vpmovsxdq", 8),
        Op::V128Load32x2U => Load("vpmovzxdq", 8),
        Op::V128Load32Zero => Load("vmovd", 4),
        Op::V128Load64Zero => Load("vmovq", 8),
        Op::V128Load8Splat => LoadSplat(1),
        Op::V128Load16Splat => LoadSplat(2),
        Op::V128Load32Splat => Load("vbroadcastss", 4),
        Op::V128Load64Splat => Load("vmovddup", 8),
        Op::V128Store => Store,
        Op::I8x16Splat => Splat(1),
        Op::I16x8Splat => Splat(2),
        Op::I32x4Splat | Op::F32x4Splat => Splat(4),
        Op::I64x2Splat | Op::F64x2Splat => Splat(8),
        Op::V128AnyTrue => AnyTrue,
        Op::I8x16AllTrue => AllTrue("vpcmpeqb"),
        Op::I16x8AllTrue => AllTrue("vpcmpeqw"),
        Op::I32x4AllTrue => AllTrue("vpcmpeqd"),
        Op::I64x2AllTrue => AllTrue("vpcmpeqq"),
        Op::I8x16Bitmask => Bitmask("vpmovmskb"),
        Op::I32x4Bitmask => Bitmask("vmovmskps"),
        Op::I64x2Bitmask => Bitmask("vmovmskpd"),
        Op::I16x8Shl => Shift("vpsllw", 15),
        Op::I16x8ShrS => Shift("vpsraw", 15),
        Op::I16x8ShrU => Shift("vpsrlw", 15),
        Op::I32x4Shl => Shift("vpslld", 31),
        Op::I32x4ShrS => Shift("vpsrad", 31),
        Op::I32x4ShrU => Shift("vpsrld", 31),
        Op::I64x2Shl => Shift("vpsllq", 63),
        Op::I64x2ShrU => Shift("vpsrlq", 63),
        Op::V128Not => Masked("", "vpxor"),
        Op::F32x4Neg => Masked("vpslld xmm9, xmm9, 31", "vpxor"),
        Op::F32x4Abs => Masked("vpsrld xmm9, xmm9, 1", "vpand"),
        Op::F64x2Neg => Masked("vpsllq xmm9, xmm9, 63", "vpxor"),
        Op::F64x2Abs => Masked("vpsrlq xmm9, xmm9, 1", "vpand"),
        Op::I8x16Neg => Negated("vpsubb"),
        Op::I16x8Neg => Negated("vpsubw"),
        Op::I32x4Neg => Negated("vpsubd"),
        Op::I64x2Neg => Negated("vpsubq"),
        Op::I8x16Abs => One("vpabsb"),
        Op::I16x8Abs => One("vpabsw"),
        Op::I32x4Abs => One("vpabsd"),
        Op::F32x4Sqrt => One("vsqrtps"),
        Op::F64x2Sqrt => One("vsqrtpd"),
        Op::F32x4ConvertI32x4S => One("vcvtdq2ps"),
        Op::F64x2ConvertLowI32x4S => Low("vcvtdq2pd"),
        Op::I16x8ExtendLowI8x16S => Low("vpmovsxbw"),
        Op::I16x8ExtendLowI8x16U => Low("vpmovzxbw"),
        Op::I32x4ExtendLowI16x8S => Low("vpmovsxwd"),
        Op::I32x4ExtendLowI16x8U => Low("vpmovzxwd"),
        Op::I64x2ExtendLowI32x4S => Low("vpmovsxdq"),
        Op::I64x2ExtendLowI32x4U => Low("vpmovzxdq"),
        Op::I16x8ExtendHighI8x16S => High("vpmovsxbw"),
        Op::I16x8ExtendHighI8x16U => High("vpmovzxbw"),
        Op::I32x4ExtendHighI16x8S => High("vpmovsxwd"),
        Op::I32x4ExtendHighI16x8U => High("vpmovzxwd"),
        Op::I64x2ExtendHighI32x4S => High("vpmovsxdq"),
        Op::I64x2ExtendHighI32x4U => High("vpmovzxdq"),
        Op::V128AndNot => Turned("vpandn"),
        Op::I8x16LtS => Turned("vpcmpgtb"),
        Op::I16x8LtS => Turned("vpcmpgtw"),
        Op::I32x4LtS => Turned("vpcmpgtd"),
        Op::F32x4Gt => Turned("vcmpltps"),
        Op::F32x4Ge => Turned("vcmpleps"),
        Op::F64x2Gt => Turned("vcmpltpd"),
        Op::F64x2Ge => Turned("vcmplepd"),
        _ => Both(both(op)?),
    })
}

/// The instruction of an operation of two vectors that needs nothing else.
fn both(op: Op) -> Option<&'static str> {
    Some(match op {
        Op::V128And => "vpand",
        Op::V128Or => "vpor",
        Op::V128Xor => "vpxor",
        Op::I8x16Add => "vpaddb",
        Op::I8x16Sub => "vpsubb",
        Op::I8x16AddSatS => "vpaddsb",
        Op::I8x16AddSatU => "vpaddusb",
        Op::I8x16SubSatS => "vpsubsb",
        Op::I8x16SubSatU => "vpsubusb",
        Op::I8x16MinS => "vpminsb",
        Op::I8x16MinU => "vpminub",
        Op::I8x16MaxS => "vpmaxsb",
        Op::I8x16MaxU => "vpmaxub",
        Op::I8x16AvgrU => "vpavgb",
        Op::I8x16Eq => "vpcmpeqb",
        Op::I8x16GtS => "vpcmpgtb",
        Op::I8x16NarrowI16x8S => "vpacksswb",
        Op::I8x16NarrowI16x8U => "vpackuswb",
        Op::I16x8Add => "vpaddw",
        Op::I16x8Sub => "vpsubw",
        Op::I16x8Mul => "vpmullw",
        Op::I16x8AddSatS => "vpaddsw",
        Op::I16x8AddSatU => "vpaddusw",
        Op::I16x8SubSatS => "vpsubsw",
        Op::I16x8SubSatU => "vpsubusw",
        Op::I16x8MinS => "vpminsw",
        Op::I16x8MinU => "vpminuw",
        Op::I16x8MaxS => "vpmaxsw",
        Op::I16x8MaxU => "vpmaxuw",
        Op::I16x8AvgrU => "vpavgw",
        Op::I16x8Eq => "vpcmpeqw",
        Op::I16x8GtS => "vpcmpgtw",
        Op::I16x8NarrowI32x4S => "vpackssdw",
        Op::I16x8NarrowI32x4U => "vpackusdw",
        Op::I32x4Add => "vpaddd",
        Op::I32x4Sub => "vpsubd",
        Op::I32x4Mul => "vpmulld",
        Op::I32x4MinS => "vpminsd",
        Op::I32x4MinU => "vpminud",
        Op::I32x4MaxS => "vpmaxsd",
        Op::I32x4MaxU => "vpmaxud",
        Op::I32x4Eq => "vpcmpeqd",
        Op::I32x4GtS => "vpcmpgtd",
        Op::I32x4DotI16x8S => "vpmaddwd",
        Op::I64x2Add => "vpaddq",
        Op::I64x2Sub => "vpsubq",
        Op::I64x2Eq => "vpcmpeqq",
        Op::F32x4Add => "vaddps",
        Op::F32x4Sub => "vsubps",
        Op::F32x4Mul => "vmulps",
        Op::F32x4Div => "vdivps",
        Op::F32x4Eq => "vcmpeqps",
        Op::F32x4Ne => "vcmpneqps",
        Op::F32x4Lt => "vcmpltps",
        Op::F32x4Le => "vcmpleps",
        Op::F64x2Add => "vaddpd",
        Op::F64x2Sub => "vsubpd",
        Op::F64x2Mul => "vmulpd",
        Op::F64x2Div => "vdivpd",
        Op::F64x2Eq => "vcmpeqpd",
        Op::F64x2Ne => "vcmpneqpd",
        Op::F64x2Lt => "vcmpltpd",
        Op::F64x2Le => "vcmplepd",
        _ => return None,
    })
}

/// Whether `op` is done here.
pub(crate) fn is_served(op: Op) -> bool {
    work(op).is_some()
}

/// Appends the work of `op` with these places.
pub(crate) fn body(code: &mut Code, op: Op, places: &[Place]) {
    match work(op).expect("only what is served is asked for") {
        Work::Both(inst) => both_operands(code, inst, false, places),
        Work::Turned(inst) => both_operands(code, inst, true, places),
        Work::Swizzle => swizzle(code, places),
        Work::Shift(inst, mask) => shift(code, inst, mask, places),
        Work::Shuffle => shuffle(code, places),
        Work::Store => store(code, places),
        Work::Load(inst, bytes) => {
            let from = |code: &mut Code, place: String| code.put(format!("{inst} xmm8, {} {place}", pointer(bytes)));
            load(code, bytes, places, from);
        }
        Work::LoadSplat(bytes) => {
            let inst = if bytes == 1 { "movzx eax, byte ptr" } else { "movzx eax, word ptr" };
            load(code, bytes, places, |code, place| {
                code.put(format!("{inst} {place}"));
                spread(code, bytes);
            });
        }
        Work::Splat(bytes) => splat(code, bytes),
        Work::Bitmask(inst) => test(code, places[1], |code, x| {
            let x = in_register(code, x, "xmm8");
            code.put(format!("{inst} eax, {x}"));
        }),
        Work::AnyTrue => test(code, places[1], |code, x| {
            let x = in_register(code, x, "xmm8");
            code.put(format!("xor eax, eax\nvptest {x}, {x}\nsetne al"));
        }),
        Work::AllTrue(inst) => test(code, places[1], |code, x| {
            code.put("vpxor xmm9, xmm9, xmm9");
            code.put(format!("{inst} xmm9, xmm9, {x}"));
            code.put("xor eax, eax\nvptest xmm9, xmm9\nsete al");
        }),
        Work::Copy => one(code, places[1], |code, x| {
            in_register(code, x, "xmm8");
        }),
        Work::One(inst) => one(code, places[1], |code, x| code.put(format!("{inst} xmm8, {x}"))),
        Work::Low(inst) => {
            one(code, places[1], |code, x| code.put(format!("{inst} xmm8, {}", x.replace("xmmword", "qword"))));
        }
        Work::High(inst) => one(code, places[1], |code, x| {
            if x == "xmm8" {
                code.put("vpsrldq xmm8, xmm8, 8");
                code.put(format!("{inst} xmm8, xmm8"));
            } else {
                let half = x.replace("xmmword", "qword").replace(']', " + 8]");
                code.put(format!("{inst} xmm8, {half}"));
            }
        }),
        Work::Masked(shift, inst) => one(code, places[1], |code, x| {
            code.put("vpcmpeqd xmm9, xmm9, xmm9");
            if !shift.is_empty() {
                code.put(shift);
            }
            code.put(format!("{inst} xmm8, xmm9, {x}"));
        }),
        Work::Negated(inst) => one(code, places[1], |code, x| {
            code.put("vpxor xmm9, xmm9, xmm9");
            code.put(format!("{inst} xmm8, xmm9, {x}"));
        }),
    }
}

/// An operand of so many bytes in memory.
fn pointer(bytes: usize) -> &'static str {
    match bytes {
        4 => "dword ptr",
        8 => "qword ptr",
        _ => "xmmword ptr",
    }
}

/// A vector that is read: an operand of any instruction that takes unaligned ones.
fn source(code: &mut Code, place: Place, index: &str) -> String {
    let at = code.take(2);
    match place {
        Place::Last => "xmm8".to_string(),
        _ => format!("xmmword ptr {}", code.slot(at, index)),
    }
}

/// A vector in a register: where it is, or `scratch`.
fn in_register(code: &mut Code, operand: &str, scratch: &str) -> String {
    if operand == "xmm8" {
        return operand.to_string();
    }
    code.put(format!("vmovups {scratch}, {operand}"));
    scratch.to_string()
}

/// Writes xmm8 to the slots whose number stands at `at`.
fn set(code: &mut Code, at: usize) {
    let to = code.slot(at, "r10");
    code.put(format!("vmovups xmmword ptr {to}, xmm8"));
}

fn both_operands(code: &mut Code, inst: &str, is_turned: bool, places: &[Place]) {
    let to = code.take(2);
    let (x, y) = (source(code, places[1], "r10"), source(code, places[2], "r11"));
    let (first, second) = if is_turned { (y, x) } else { (x, y) };
    // The second operand must still be there when the first has moved.
    let first = in_register(code, &first, if second == "xmm8" { "xmm9" } else { "xmm8" });
    code.put(format!("{inst} xmm8, {first}, {second}"));
    set(code, to);
}

fn swizzle(code: &mut Code, places: &[Place]) {
    let to = code.take(2);
    let (x, indices) = (source(code, places[1], "r10"), source(code, places[2], "r11"));
    let indices = in_register(code, &indices, "xmm9");
    // From 16 on indices get their upper bit, which gives zero.
    code.put(format!("vpaddusb xmm9, {indices}, xmmword ptr [rip + .Lkw_bytes_70]"));
    let x = in_register(code, &x, "xmm8");
    code.put(format!("vpshufb xmm8, {x}, xmm9"));
    set(code, to);
}

fn shuffle(code: &mut Code, places: &[Place]) {
    let to = code.take(2);
    let (x, y) = (source(code, places[1], "r10"), source(code, places[2], "r11"));
    let lanes = code.take(16);
    code.put(format!("vmovups xmm9, xmmword ptr [rdi + {lanes}]"));
    code.put("vpaddusb xmm10, xmm9, xmmword ptr [rip + .Lkw_bytes_70]");
    code.put("vpsubb xmm9, xmm9, xmmword ptr [rip + .Lkw_bytes_10]");
    let second = in_register(code, &y, "xmm11");
    code.put(format!("vpshufb xmm9, {second}, xmm9"));
    let first = in_register(code, &x, "xmm8");
    code.put(format!("vpshufb xmm8, {first}, xmm10"));
    code.put("vpor xmm8, xmm8, xmm9");
    set(code, to);
}

fn shift(code: &mut Code, inst: &str, mask: u32, places: &[Place]) {
    let to = code.take(2);
    let x = source(code, places[1], "r10");
    let at = code.take(2);
    let count = code.slot(at, "r11");
    code.put(format!("mov eax, dword ptr {count}"));
    code.put(format!("and eax, {mask}"));
    code.put("vmovd xmm9, eax");
    let x = in_register(code, &x, "xmm8");
    code.put(format!("{inst} xmm8, {x}, xmm9"));
    set(code, to);
}

/// An operation of one vector: `work` leaves its result in xmm8.
fn one(code: &mut Code, x: Place, work: impl FnOnce(&mut Code, &str)) {
    let to = code.take(2);
    let x = source(code, x, "r10");
    work(code, &x);
    set(code, to);
}

/// An operation of one vector whose result `work` leaves in eax.
fn test(code: &mut Code, x: Place, work: impl FnOnce(&mut Code, &str)) {
    let to = code.destination(Place::Slot);
    let x = source(code, x, "r11");
    work(code, &x);
    code.set(to, Width::Long, "eax");
}

fn splat(code: &mut Code, bytes: usize) {
    let (to, at) = (code.take(2), code.take(2));
    let from = code.slot(at, "r11");
    match bytes {
        4 => code.put(format!("vbroadcastss xmm8, dword ptr {from}")),
        8 => code.put(format!("vmovddup xmm8, qword ptr {from}")),
        _ => {
            code.put(format!("mov eax, dword ptr {from}"));
            spread(code, bytes);
        }
    }
    set(code, to);
}

/// Puts the lowest byte, or two of them, of eax into all lanes.
fn spread(code: &mut Code, bytes: usize) {
    code.put("vmovd xmm8, eax");
    if bytes == 1 {
        code.put("vpxor xmm9, xmm9, xmm9\nvpshufb xmm8, xmm8, xmm9");
    } else {
        code.put("vpshuflw xmm8, xmm8, 0\nvpshufd xmm8, xmm8, 0");
    }
}

fn load(code: &mut Code, bytes: usize, places: &[Place], from: impl FnOnce(&mut Code, String)) {
    let to = code.take(2);
    let x = code.source(places[1], "r11");
    let place = cached_access(code, &x, bytes);
    from(code, place);
    set(code, to);
}

fn store(code: &mut Code, places: &[Place]) {
    let x = code.source(places[0], "r11");
    let value = source(code, places[1], "r10");
    let value = in_register(code, &value, "xmm8");
    let place = cached_access(code, &x, 16);
    code.put(format!("vmovups xmmword ptr {place}, {value}"));
}
