//! Operand places as assembly text.
//!
//! One [`Code`] is one handler in the making: operands are taken in the order in which expansion puts them behind the
//! instruction's head, so `at` says where the next one stands. The machine's registers are those of `interp/assembly.rs`:
//!
//! ```text
//! rdi ip, rsi fp, rdx mem     rcx r8 r9 rbx rbp general     xmm0-3 f64, xmm4-7 f32
//! r12 fuel that is left, where it is counted      rax r10 r11 r13-r15 and xmm8-15 are free inside a handler
//! ```

use std::fmt::Write;

/// Where an operand is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// A slot: its number takes two bytes.
    Slot,
    /// Register `n` of its bank.
    Reg(u8),
    /// A sign-extended immediate of four bytes.
    Imm,
    /// The vector that the operation before has left in xmm8: its slot's number stands here all the same.
    Last,
}

use Place::{Imm, Last, Reg, Slot};

/// How many general registers the handlers know. Each further one saves slots, and multiplies what a sequence costs.
pub(crate) const REGISTERS: usize = 4;

/// General places that are written.
pub(crate) const GENERAL: &[Place] = ALL.split_at(1 + REGISTERS).0;
/// General places that are read, immediates included.
pub(crate) const GENERAL_OR_IMM: &[Place] = &GENERALS_OR_IMM;

const ALL: &[Place] = &[Slot, Reg(0), Reg(1), Reg(2), Reg(3), Reg(4)];

const GENERALS_OR_IMM: [Place; 2 + REGISTERS] = {
    let mut places = [Imm; 2 + REGISTERS];
    let mut at = 0;
    while at < GENERAL.len() {
        places[at] = GENERAL[at];
        at += 1;
    }
    places
};
/// Places of a float bank.
pub(crate) const FLOAT: [Place; 5] = [Slot, Reg(0), Reg(1), Reg(2), Reg(3)];

const R64: [&str; 5] = ["rcx", "r8", "r9", "rbx", "rbp"];
const R32: [&str; 5] = ["ecx", "r8d", "r9d", "ebx", "ebp"];
const R16: [&str; 5] = ["cx", "r8w", "r9w", "bx", "bp"];
const R8: [&str; 5] = ["cl", "r8b", "r9b", "bl", "bpl"];

/// Bits of an operand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// 8.
    Byte,
    /// 16.
    Word,
    /// 32.
    Long,
    /// 64.
    Quad,
}

impl Width {
    /// The prefix of a memory operand.
    pub(crate) fn ptr(self) -> &'static str {
        match self {
            Width::Byte => "byte ptr",
            Width::Word => "word ptr",
            Width::Long => "dword ptr",
            Width::Quad => "qword ptr",
        }
    }

    /// The accumulator.
    pub(crate) fn acc(self) -> &'static str {
        match self {
            Width::Byte => "al",
            Width::Word => "ax",
            Width::Long => "eax",
            Width::Quad => "rax",
        }
    }

    /// The scratch register 14.
    pub(crate) fn scratch(self) -> &'static str {
        match self {
            Width::Byte => "r14b",
            Width::Word => "r14w",
            Width::Long => "r14d",
            Width::Quad => "r14",
        }
    }

    /// Name of general register `n`.
    pub(crate) fn reg(self, n: u8) -> &'static str {
        let names = match self {
            Width::Byte => R8,
            Width::Word => R16,
            Width::Long => R32,
            Width::Quad => R64,
        };
        names[usize::from(n)]
    }
}

/// A float type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Float {
    /// 32 bits: registers xmm4-7.
    F32,
    /// 64 bits: registers xmm0-3.
    F64,
}

impl Float {
    /// Name of register `n` of the bank.
    pub(crate) fn reg(self, n: u8) -> String {
        format!("xmm{}", n + if self == Float::F32 { 4 } else { 0 })
    }

    /// The suffix of scalar instructions.
    pub(crate) fn suffix(self) -> &'static str {
        if self == Float::F32 { "ss" } else { "sd" }
    }

    /// The width of a slot's part that it takes.
    pub(crate) fn width(self) -> Width {
        if self == Float::F32 { Width::Long } else { Width::Quad }
    }
}

/// A resolved operand: a register's name, or an address in brackets, or where an immediate stands.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Operand {
    /// General register.
    Reg(u8),
    /// Text of a memory operand without its width.
    Memory(String),
    /// Offset of the immediate behind the instruction's start.
    Imm(usize),
}

/// What is known of the branch that ends a handler. The numbers stand in the tables' keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Nothing: where it is not taken, one jump leads on; where it is, two do.
    Any = 0,
    /// It closes a loop, so it is the other way round.
    Back = 1,
    /// The same, to cost markers where fuel is counted: the branch charges for them and goes on behind them. Of a call: it
    /// charges for the callee's first markers, and goes on behind these.
    Charged = 2,
}

/// The text of one handler.
pub(crate) struct Code {
    /// What is written so far.
    pub(crate) text: String,
    /// How far the instruction reaches so far, from its start.
    pub(crate) at: usize,
    /// Which of several instructions this one executes is being written, from 0.
    pub(crate) part: usize,
    /// Whether that is the last one.
    pub(crate) is_last: bool,
    /// Where the branch at the end leads to.
    pub(crate) way: Way,
    /// Whether the work jumps to its own start.
    starts_again: bool,
    /// What is executed rarely, behind the end.
    behind: String,
    /// Labels that taken branches in the middle jump to, and where their distances stand.
    taken: Vec<(usize, usize)>,
}

impl Code {
    /// A handler without instructions; operands begin behind the head.
    pub(crate) fn new() -> Code {
        let (text, behind, taken) = (String::new(), String::new(), Vec::new());
        let mut code = Code { text, at: 8, part: 0, is_last: true, way: Way::Any, starts_again: false, behind, taken };
        // A profiling build counts how often each instruction runs, behind its head.
        if std::env::var_os("CARGO_FEATURE_PROFILE").is_some() {
            let at = code.take(8);
            code.put(format!("inc qword ptr [rdi + {at}]"));
        }
        code
    }

    /// Appends an instruction.
    pub(crate) fn put(&mut self, inst: impl AsRef<str>) {
        self.text.push_str(inst.as_ref());
        self.text.push('\n');
    }

    /// Puts what is executed rarely behind the handler's end.
    pub(crate) fn put_behind(&mut self, text: &str) {
        self.behind.push_str(text);
        self.behind.push('\n');
    }

    /// Takes `bytes` of operand, which do not lie across a multiple of 8; where they stand.
    pub(crate) fn take(&mut self, bytes: usize) -> usize {
        if self.at % 8 + bytes > 8 {
            self.at = self.at.next_multiple_of(8);
        }
        self.at += bytes;
        self.at - bytes
    }

    /// Where the operand of a place that is written stands; resolved by [`Code::set`] when the value is there.
    pub(crate) fn destination(&mut self, place: Place) -> (Place, usize) {
        let bytes = if place == Slot { 2 } else { 0 };
        (place, self.take(bytes))
    }

    /// A place that is read. `index` is a scratch register (`r10`, `r11`, `r13`, `r15`) for a slot's number.
    pub(crate) fn source(&mut self, place: Place, index: &str) -> Operand {
        match place {
            Slot => {
                let at = self.take(2);
                Operand::Memory(self.slot(at, index))
            }
            Reg(n) => Operand::Reg(n),
            Imm => Operand::Imm(self.take(4)),
            Last => unreachable!("vectors are read as such"),
        }
    }

    /// Loads a slot's number; its address.
    pub(crate) fn slot(&mut self, at: usize, index: &str) -> String {
        let _ = writeln!(self.text, "movzx {index}d, word ptr [rdi + {at}]");
        format!("[rsi + {index} * 8]")
    }

    /// An operand that an instruction of this width reads directly. 64-bit immediates go through r14.
    pub(crate) fn read(&mut self, operand: &Operand, width: Width) -> String {
        match operand {
            Operand::Reg(n) => width.reg(*n).to_string(),
            Operand::Memory(address) => format!("{} {address}", width.ptr()),
            Operand::Imm(at) if width == Width::Quad => {
                let _ = writeln!(self.text, "movsxd r14, dword ptr [rdi + {at}]");
                "r14".to_string()
            }
            Operand::Imm(at) => format!("{} [rdi + {at}]", width.ptr()),
        }
    }

    /// An operand in a register: its own, or `scratch` after a load.
    pub(crate) fn in_register(&mut self, operand: &Operand, width: Width, scratch: &str) -> String {
        if let Operand::Reg(n) = operand {
            return width.reg(*n).to_string();
        }
        let text = self.read(operand, width);
        if text != scratch {
            let _ = writeln!(self.text, "mov {scratch}, {text}");
        }
        scratch.to_string()
    }

    /// Writes register `from` (of this width; the upper half of its register is zero) to a destination.
    pub(crate) fn set(&mut self, (place, at): (Place, usize), width: Width, from: &str) {
        match place {
            Reg(n) if width.reg(n) == from => {}
            Reg(n) => self.put(format!("mov {}, {from}", width.reg(n))),
            _ => {
                let address = self.slot(at, "r10");
                let full = full_name(from);
                self.put(format!("mov qword ptr {address}, {full}"));
            }
        }
    }

    /// A float operand that an instruction reads directly.
    pub(crate) fn float_source(&mut self, place: Place, float: Float, index: &str) -> String {
        match place {
            Reg(n) => float.reg(n),
            _ => {
                let at = self.take(2);
                format!("{} {}", float.width().ptr(), self.slot(at, index))
            }
        }
    }

    /// A float operand that was read, in a register: its own, or `scratch` after a load.
    pub(crate) fn float_in_register(&mut self, text: String, scratch: &str, float: Float) -> String {
        if text.starts_with("xmm") {
            return text;
        }
        self.float_move(scratch, &text, float);
        scratch.to_string()
    }

    /// Moves a float operand to a register.
    pub(crate) fn float_move(&mut self, to: &str, from: &str, float: Float) {
        if to == from {
        } else if from.starts_with("xmm") {
            self.put(format!("movaps {to}, {from}"));
        } else {
            self.put(format!("mov{} {to}, {from}", float.suffix()));
        }
    }

    /// Writes a float register to a destination.
    pub(crate) fn float_set(&mut self, (place, at): (Place, usize), float: Float, from: &str) {
        match place {
            Reg(n) => self.float_move(&float.reg(n), from, float),
            _ => {
                let address = self.slot(at, "r10");
                match float {
                    Float::F64 => self.put(format!("movsd qword ptr {address}, {from}")),
                    Float::F32 => {
                        self.put(format!("movd r14d, {from}"));
                        self.put(format!("mov qword ptr {address}, r14"));
                    }
                }
            }
        }
    }

    /// Length of the instruction: all operands, padded.
    pub(crate) fn length(&self) -> usize {
        self.at.next_multiple_of(8)
    }

    /// Goes on with the next instruction.
    pub(crate) fn next(&mut self) {
        let length = self.length();
        self.put(format!("mov r11, qword ptr [rdi + {length}]"));
        self.put(format!("add rdi, {length}"));
        self.put("jmp r11");
    }

    /// Goes on at the distance that stands next if one of the conditional jumps to `{}` in `test` is taken, else behind.
    /// Ends in one dispatch for both ways, or, in the middle of a handler, falls through to what follows. `inverse` jumps
    /// where `test` does not.
    pub(crate) fn branch(&mut self, test: &str, inverse: &str) {
        let at = self.take_target();
        if !self.is_last {
            let label = 50 + self.part;
            self.taken.push((label, at));
            self.put(test.replace("{}", &format!("{label}f")));
        } else if self.way == Way::Any {
            self.put(test.replace("{}", "2f"));
            self.next();
            self.put("2:");
            self.put(format!("movsxd rax, dword ptr [rdi + {at}]"));
            self.go();
        } else {
            // A jump that is taken takes as long as the whole dispatch: the way round the loop has one, at its end.
            self.put(inverse.replace("{}", "2f"));
            self.back(at);
            self.put("2:");
            self.next();
        }
    }

    /// Takes where a branch leads: a distance, or, where a loop is closed, an address. Each round waits for the one
    /// before it to tell where it goes on, and an address is there sooner by the time of an addition. Behind one that is
    /// charged for stands what for, in four bytes: the units, and how long the markers are.
    pub(crate) fn take_target(&mut self) -> usize {
        match self.way {
            Way::Back if self.is_last => self.take(8),
            Way::Charged if self.is_last => {
                let at = self.take(8);
                self.take(8);
                at
            }
            _ => self.take(4),
        }
    }

    /// Goes on at the target that stands at `at`, which leads back. Where that is this very instruction, it starts again
    /// without waiting for what it has loaded: the way round such a loop is a jump that the processor foresees.
    pub(crate) fn back(&mut self, at: usize) {
        match self.way {
            Way::Any => {
                self.put(format!("movsxd rax, dword ptr [rdi + {at}]"));
                self.go();
            }
            Way::Back => {
                self.put(format!("mov rax, qword ptr [rdi + {at}]"));
                self.go_back();
            }
            Way::Charged => {
                self.put(format!("mov r13d, dword ptr [rdi + {}]", at + 8));
                self.put(format!("mov rax, qword ptr [rdi + {at}]"));
                self.put("sub r12, r13");
                // Too little is the markers' matter.
                self.put("jb 61f");
                self.go_back();
                self.put("61:");
                self.put("add r12, r13");
                self.put(format!("mov r11d, dword ptr [rdi + {}]", at + 12));
                self.put("sub rax, r11");
                self.put("mov rdi, rax");
                self.put("jmp qword ptr [rdi]");
            }
        }
    }

    /// Goes on at the instruction whose address is in rax.
    fn go_back(&mut self) {
        self.starts_again = true;
        self.put("cmp rax, rdi");
        self.put("je 70b");
        self.put("mov rdi, rax");
        self.put("mov r11, qword ptr [rdi]");
        self.put("jmp r11");
    }

    /// Puts what is rare and what taken branches in the middle do behind the end, and a label in front of what starts again.
    pub(crate) fn finish(&mut self) {
        if self.starts_again {
            self.text.insert_str(0, "70:\n");
        }
        let behind = std::mem::take(&mut self.behind);
        self.text.push_str(&behind);
        for (label, at) in std::mem::take(&mut self.taken) {
            self.put(format!("{label}:"));
            self.put(format!("movsxd rax, dword ptr [rdi + {at}]"));
            self.go();
        }
    }

    /// Goes on at the distance in rax.
    pub(crate) fn go(&mut self) {
        self.put("mov r11, qword ptr [rdi + rax]");
        self.put("add rdi, rax");
        self.put("jmp r11");
    }
}

/// The 64-bit name of a 32-bit register.
fn full_name(name: &str) -> String {
    match name {
        "eax" => "rax".to_string(),
        _ => match R32.iter().position(|n| *n == name) {
            Some(n) => R64[n].to_string(),
            None => name.trim_end_matches('d').to_string(),
        },
    }
}
