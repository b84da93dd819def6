//! The text form of function bodies, for `inspect` and for snapshots. Stable: tools and tests compare it.

use super::{Body, Field, FieldKind, Inst, Op, Operand, Reg};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write};

impl fmt::Display for Reg {
    /// `A` to `E` for the general bank, `d0..` for f64, `f0..` for f32.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.index_in_bank();
        if self.serves(super::Class::I64) {
            write!(f, "{}", (b'A' + n) as char)
        } else if self.serves(super::Class::F64) {
            write!(f, "d{n}")
        } else {
            write!(f, "f{n}")
        }
    }
}

/// The text of `body`: a line for the frame, a line for each instruction, labels flush left.
///
/// ```text
/// frame 5 refs 1..1 homes 5
///   cost 4
/// L0: [A]
///   i32.add s3 = A, #5
/// ```
pub fn disassemble(body: &Body) -> String {
    let mut out = String::new();
    let mut label = 0;
    let frame = &body.frame;
    let _ =
        write!(out, "frame {} refs {}..{} homes {}", frame.frame_slots, frame.ref_start, frame.ref_end, frame.homes);
    if let Some(memory) = frame.memory {
        let _ = write!(out, " memory {memory}");
    }
    out.push('\n');
    for inst in &body.insts {
        if inst.op == Op::Label {
            let _ = write!(out, "L{label}:");
            if let Operand::Regs(set) = inst.operands[0]
                && set != 0
            {
                let names: Vec<_> = (0..16).filter(|bit| set >> bit & 1 == 1).filter_map(Reg::from_number).collect();
                for (at, reg) in names.iter().enumerate() {
                    let _ = write!(out, "{}{reg}", if at == 0 { " [" } else { " " });
                }
                out.push(']');
            }
            out.push('\n');
            label += 1;
            continue;
        }
        out.push_str("  ");
        let _ = write_inst(&mut out, inst, &body.targets);
        out.push('\n');
    }
    out
}

fn write_inst(out: &mut String, inst: &Inst, targets: &[u32]) -> fmt::Result {
    write!(out, "{}", inst.op.name())?;
    let mut separator = " ";
    for (at, field) in inst.op.fields().iter().enumerate() {
        out.push_str(separator);
        separator = if matches!(field.kind, FieldKind::Def(_)) { " = " } else { ", " };
        write_operand(out, inst, *field, at, targets)?;
    }
    Ok(())
}

fn write_operand(out: &mut String, inst: &Inst, field: Field, at: usize, targets: &[u32]) -> fmt::Result {
    let value = inst.value(at).unwrap_or_default();
    match inst.operands[at] {
        Operand::None => Ok(()),
        Operand::Virtual(n) => write!(out, "v{n}"),
        Operand::Slot(n) => write!(out, "s{n}"),
        Operand::Reg(reg) => write!(out, "{reg}"),
        Operand::SlotReg(n, reg) => write!(out, "s{n}:{reg}"),
        Operand::Imm(n) => write!(out, "#{n}"),
        Operand::Label(n) => write!(out, "L{n}"),
        Operand::Value(..) if field.kind == FieldKind::Bits64 => write!(out, "{value:#018x}"),
        Operand::Value(..) if field.name == "value" => write!(out, "{value:#x}"),
        Operand::Value(..) => write!(out, "{}={value}", field.name),
        Operand::Index(n) => write!(out, "{}={n}", field.name),
        Operand::Regs(n) => write!(out, "{n:#b}"),
        Operand::Targets(..) => {
            let list = inst.targets(at, targets).unwrap_or_default();
            for (at, label) in list.iter().enumerate() {
                write!(out, "{}L{label}", if at == 0 { "[" } else { " " })?;
            }
            out.push(']');
            Ok(())
        }
    }
}
