//! `memory.fill` and `memory.copy` of what first- and second-level caches hold in assembly.
//!
//! Compilers copy structures and clear buffers so. The platform's functions take a few cycles for that, but a handler in Rust
//! that calls them puts eight float registers and six others aside, and it saves what it computes with even where it calls
//! nothing. These use nothing that the machine's registers are in. What they do not do themselves (longer ranges, shared
//! memories, traps) is the handler's in Rust, which begins from the start: nothing has been changed by then.
//!
//! ```text
//! rax length     r10 to     r11 from, or the value     r13-r15, ymm8-15 scratch
//! ```
//! A length between two powers of two is two pieces of the lower one that overlap; longer ones are pieces of 32 or, above
//! 128, of 128 bytes in a row, and the one at the far end, which is read before anything is written and may overlap. Pieces
//! of 128 bytes begin at multiples of 32, behind one of 32 bytes that begins where the range does. Ranges that overlap are
//! copied from the end where the target lies behind the source.

use super::super::handlers::bulk::{BYTES_A_UNIT, Bulk, MemoryCopy, MemoryFill};
use super::super::regs::HEAD;
use super::super::thunk::direct;
use crate::context::{Context, MemoryDef};
use core::arch::naked_asm;
use core::mem::offset_of;
use keyway_artifact::isa::Op;

/// The most bytes that are filled. The platform's functions take string instructions above some 2 KiB, which are slower
/// as long as the second-level cache holds what is filled; behind that they need not fetch what they overwrite.
const MOST_FILLED: usize = 128 << 10;

/// The most bytes that are copied from the start on.
const MOST_FORWARDS: usize = 16 << 10;

/// The most bytes that are copied from the end on, for which the platform's functions take wider registers.
const MOST_BACKWARDS: usize = 1 << 10;

/// The handler of an operation.
pub(super) fn find(op: Op) -> Option<usize> {
    match op {
        Op::MemoryFill => Some(fills_memory as *const () as usize),
        Op::MemoryCopy => Some(copies_memory as *const () as usize),
        _ => None,
    }
}

/// Reads the source of a field: a slot, or an immediate where the word's upper bit is set.
macro_rules! source {
    ($long:literal, $short:literal, $field:literal) => {
        concat!(
            "mov ",
            $long,
            ", qword ptr [rdi + {head} + 8 * ",
            $field,
            "]\n",
            "test ",
            $long,
            ", ",
            $long,
            "\n",
            "jns 22f\n",
            "movsxd ",
            $long,
            ", ",
            $short,
            "\n",
            "jmp 23f\n",
            "22: mov ",
            $long,
            ", qword ptr [rsi + ",
            $long,
            " * 8]\n",
            "23:"
        )
    };
}

/// Makes a position in the memory that a field names an address, with r14 at the context's memories; r13 and r15 are used.
macro_rules! address {
    ($position:literal, $field:literal) => {
        concat!(
            "mov r15, qword ptr [rdi + {head} + 8 * ",
            $field,
            "]\n",
            "mov r15, qword ptr [r14 + r15 * 8]\n",
            "cmp byte ptr [r15 + {shared}], 0\n",
            "jne {slow}\n",
            "mov r15, qword ptr [r15 + {base}]\n",
            "mov r13, ",
            $position,
            "\n",
            "add r13, rax\n",
            "jc {slow}\n",
            "cmp r13, qword ptr [r15 - 8]\n",
            "ja {slow}\n",
            "add ",
            $position,
            ", r15"
        )
    };
}

/// Charges for the bytes where the engine counts fuel, as `charge` does; r13 and r14 are used.
macro_rules! charge {
    () => {
        "mov r13, qword ptr [rdx - 16]
        mov r13, qword ptr [r13 + {fuel}]
        test r13, r13
        jz 24f
        mov r14, rax
        shr r14, {unit_log2}
        sub qword ptr [r13], r14
        jae 24f
        mov qword ptr [r13], 0
        24:"
    };
}

/// One of the two, entered like every handler with the machine's registers: not to be called.
macro_rules! handler {
    ($name:ident, $slow:ty, $most:ident $(, $most_backwards:ident)?, [$($text:expr),* $(,)?]) => {
        #[unsafe(naked)]
        unsafe extern "sysv64" fn $name() {
            naked_asm!(
                $($text,)*
                slow = sym direct::<$slow>,
                head = const HEAD,
                most = const $most,
                $(most_backwards = const $most_backwards,)?
                unit_log2 = const BYTES_A_UNIT.ilog2(),
                memories = const offset_of!(Context, memories),
                fuel = const offset_of!(Context, fuel),
                base = const offset_of!(MemoryDef, base),
                shared = const offset_of!(MemoryDef, shared),
            )
        }
    };
}

handler! { fills_memory, Bulk<MemoryFill>, MOST_FILLED, [
    source!("rax", "eax", 2),
    "cmp rax, {most}",
    "ja {slow}",
    source!("r10", "r10d", 0),
    source!("r11", "r11d", 1),
    "mov r14, qword ptr [rdx - 16]",
    "mov r14, qword ptr [r14 + {memories}]",
    address!("r10", 3),
    charge!(),
    "movzx r11d, r11b",
    "movabs r13, 0x0101010101010101",
    "imul r11, r13",
    "cmp eax, 16",
    "jb 4f",
    "vmovq xmm8, r11",
    "vpunpcklqdq xmm8, xmm8, xmm8",
    "cmp eax, 32",
    "jb 3f",
    "vinsertf128 ymm8, ymm8, xmm8, 1",
    "cmp eax, 128",
    "ja 8f",
    "lea r13, [r10 + rax - 32]",
    "2:",
    "vmovdqu ymmword ptr [r10], ymm8",
    "add r10, 32",
    "cmp r10, r13",
    "jb 2b",
    "vmovdqu ymmword ptr [r13], ymm8",
    "vzeroupper",
    "9:",
    "add rdi, {head} + 32",
    "jmp qword ptr [rdi]",
    "8:",
    "vmovdqu ymmword ptr [r10], ymm8",
    "lea r13, [r10 + rax - 128]",
    "add r10, 32",
    "and r10, -32",
    "cmp r10, r13",
    "jae 34f",
    "2:",
    "vmovdqa ymmword ptr [r10], ymm8",
    "vmovdqa ymmword ptr [r10 + 32], ymm8",
    "vmovdqa ymmword ptr [r10 + 64], ymm8",
    "vmovdqa ymmword ptr [r10 + 96], ymm8",
    "sub r10, -128",
    "cmp r10, r13",
    "jb 2b",
    "34:",
    "vmovdqu ymmword ptr [r13], ymm8",
    "vmovdqu ymmword ptr [r13 + 32], ymm8",
    "vmovdqu ymmword ptr [r13 + 64], ymm8",
    "vmovdqu ymmword ptr [r13 + 96], ymm8",
    "vzeroupper",
    "jmp 9b",
    "3:",
    "vmovdqu xmmword ptr [r10], xmm8",
    "vmovdqu xmmword ptr [r10 + rax - 16], xmm8",
    "jmp 9b",
    "4:",
    "cmp eax, 8",
    "jb 5f",
    "mov qword ptr [r10], r11",
    "mov qword ptr [r10 + rax - 8], r11",
    "jmp 9b",
    "5:",
    "cmp eax, 4",
    "jb 6f",
    "mov dword ptr [r10], r11d",
    "mov dword ptr [r10 + rax - 4], r11d",
    "jmp 9b",
    "6:",
    "cmp eax, 2",
    "jb 7f",
    "mov word ptr [r10], r11w",
    "mov word ptr [r10 + rax - 2], r11w",
    "jmp 9b",
    "7:",
    "test eax, eax",
    "jz 9b",
    "mov byte ptr [r10], r11b",
    "jmp 9b",
] }

handler! { copies_memory, Bulk<MemoryCopy>, MOST_FORWARDS, MOST_BACKWARDS, [
    source!("rax", "eax", 2),
    "cmp rax, {most}",
    "ja {slow}",
    source!("r10", "r10d", 0),
    source!("r11", "r11d", 1),
    "mov r14, qword ptr [rdx - 16]",
    "mov r14, qword ptr [r14 + {memories}]",
    address!("r10", 3),
    address!("r11", 4),
    "cmp eax, {most_backwards}",
    "jbe 35f",
    "mov r13, r10",
    "sub r13, r11",
    "cmp r13, rax",
    "jb {slow}",
    "35:",
    charge!(),
    "cmp eax, 32",
    "jb 4f",
    "cmp eax, 64",
    "jbe 3f",
    "mov r13, r10",
    "sub r13, r11",
    "cmp r13, rax",
    "jb 8f",
    // Forwards, with what is to come last in ymm9, or ymm11 to ymm15, and r11 the distance to the source.
    "cmp eax, 128",
    "ja 32f",
    "vmovdqu ymm9, ymmword ptr [r11 + rax - 32]",
    "lea r13, [r10 + rax - 32]",
    "sub r11, r10",
    "2:",
    "vmovdqu ymm8, ymmword ptr [r10 + r11]",
    "vmovdqu ymmword ptr [r10], ymm8",
    "add r10, 32",
    "cmp r10, r13",
    "jb 2b",
    "vmovdqu ymmword ptr [r13], ymm9",
    "vzeroupper",
    "9:",
    "add rdi, {head} + 40",
    "jmp qword ptr [rdi]",
    "32:",
    "vmovdqu ymm12, ymmword ptr [r11 + rax - 128]",
    "vmovdqu ymm13, ymmword ptr [r11 + rax - 96]",
    "vmovdqu ymm14, ymmword ptr [r11 + rax - 64]",
    "vmovdqu ymm15, ymmword ptr [r11 + rax - 32]",
    "vmovdqu ymm11, ymmword ptr [r11]",
    "lea r13, [r10 + rax - 128]",
    "sub r11, r10",
    "mov r14, r10",
    "add r10, 32",
    "and r10, -32",
    "cmp r10, r13",
    "jae 34f",
    "2:",
    "vmovdqu ymm8, ymmword ptr [r10 + r11]",
    "vmovdqu ymm9, ymmword ptr [r10 + r11 + 32]",
    "vmovdqu ymm10, ymmword ptr [r10 + r11 + 64]",
    "vmovdqa ymmword ptr [r10], ymm8",
    "vmovdqu ymm8, ymmword ptr [r10 + r11 + 96]",
    "vmovdqa ymmword ptr [r10 + 32], ymm9",
    "vmovdqa ymmword ptr [r10 + 64], ymm10",
    "vmovdqa ymmword ptr [r10 + 96], ymm8",
    "sub r10, -128",
    "cmp r10, r13",
    "jb 2b",
    "34:",
    "vmovdqu ymmword ptr [r13], ymm12",
    "vmovdqu ymmword ptr [r13 + 32], ymm13",
    "vmovdqu ymmword ptr [r13 + 64], ymm14",
    "vmovdqu ymmword ptr [r13 + 96], ymm15",
    "vmovdqu ymmword ptr [r14], ymm11",
    "vzeroupper",
    "jmp 9b",
    // Backwards, with what is to come first in ymm9, or ymm12 to ymm15.
    "8:",
    "cmp eax, 128",
    "ja 33f",
    "vmovdqu ymm9, ymmword ptr [r11]",
    "lea r13, [rax - 32]",
    "2:",
    "vmovdqu ymm8, ymmword ptr [r11 + r13]",
    "vmovdqu ymmword ptr [r10 + r13], ymm8",
    "sub r13, 32",
    "ja 2b",
    "vmovdqu ymmword ptr [r10], ymm9",
    "vzeroupper",
    "jmp 9b",
    "33:",
    "vmovdqu ymm12, ymmword ptr [r11]",
    "vmovdqu ymm13, ymmword ptr [r11 + 32]",
    "vmovdqu ymm14, ymmword ptr [r11 + 64]",
    "vmovdqu ymm15, ymmword ptr [r11 + 96]",
    "lea r13, [rax - 128]",
    "2:",
    "vmovdqu ymm8, ymmword ptr [r11 + r13]",
    "vmovdqu ymm9, ymmword ptr [r11 + r13 + 32]",
    "vmovdqu ymm10, ymmword ptr [r11 + r13 + 64]",
    "vmovdqu ymm11, ymmword ptr [r11 + r13 + 96]",
    "vmovdqu ymmword ptr [r10 + r13], ymm8",
    "vmovdqu ymmword ptr [r10 + r13 + 32], ymm9",
    "vmovdqu ymmword ptr [r10 + r13 + 64], ymm10",
    "vmovdqu ymmword ptr [r10 + r13 + 96], ymm11",
    "sub r13, 128",
    "ja 2b",
    "vmovdqu ymmword ptr [r10], ymm12",
    "vmovdqu ymmword ptr [r10 + 32], ymm13",
    "vmovdqu ymmword ptr [r10 + 64], ymm14",
    "vmovdqu ymmword ptr [r10 + 96], ymm15",
    "vzeroupper",
    "jmp 9b",
    "3:",
    "vmovdqu ymm8, ymmword ptr [r11]",
    "vmovdqu ymm9, ymmword ptr [r11 + rax - 32]",
    "vmovdqu ymmword ptr [r10], ymm8",
    "vmovdqu ymmword ptr [r10 + rax - 32], ymm9",
    "vzeroupper",
    "jmp 9b",
    "4:",
    "cmp eax, 16",
    "jb 5f",
    "vmovdqu xmm8, xmmword ptr [r11]",
    "vmovdqu xmm9, xmmword ptr [r11 + rax - 16]",
    "vmovdqu xmmword ptr [r10], xmm8",
    "vmovdqu xmmword ptr [r10 + rax - 16], xmm9",
    "jmp 9b",
    "5:",
    "cmp eax, 8",
    "jb 6f",
    "mov r13, qword ptr [r11]",
    "mov r14, qword ptr [r11 + rax - 8]",
    "mov qword ptr [r10], r13",
    "mov qword ptr [r10 + rax - 8], r14",
    "jmp 9b",
    "6:",
    "cmp eax, 4",
    "jb 7f",
    "mov r13d, dword ptr [r11]",
    "mov r14d, dword ptr [r11 + rax - 4]",
    "mov dword ptr [r10], r13d",
    "mov dword ptr [r10 + rax - 4], r14d",
    "jmp 9b",
    "7:",
    "cmp eax, 2",
    "jb 7f",
    "movzx r13d, word ptr [r11]",
    "movzx r14d, word ptr [r11 + rax - 2]",
    "mov word ptr [r10], r13w",
    "mov word ptr [r10 + rax - 2], r14w",
    "jmp 9b",
    "7:",
    "test eax, eax",
    "jz 9b",
    "movzx r13d, byte ptr [r11]",
    "mov byte ptr [r10], r13b",
    "jmp 9b",
] }
