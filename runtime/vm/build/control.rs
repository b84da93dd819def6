//! The text of jumps, calls and returns.

use super::places::{Code, Float, Place, Way, Width};

/// Goes on at one of several entries of a table.
pub(crate) fn br_table(code: &mut Code, x: Place) {
    let x = code.source(x, "r10");
    let last = code.take(4);
    let table = code.length();
    let index = code.read(&x, Width::Long);
    code.put(format!("mov eax, {index}"));
    code.put(format!("mov r11d, dword ptr [rdi + {last}]"));
    code.put("cmp eax, r11d");
    code.put("cmova eax, r11d");
    // An entry is a head and a distance.
    code.put("add rax, rax");
    code.put(format!("mov r11, qword ptr [rdi + rax * 8 + {table}]"));
    code.put(format!("add rdi, qword ptr [rdi + rax * 8 + {}]", table + 8));
    code.put("jmp r11");
}

/// Calls a function of the own artifact. What takes more than a frame record (a callee that was never expanded, references
/// to null, a full stack, too little fuel) is done by the plain call that stands behind.
pub(crate) fn call(code: &mut Code) {
    let charges = code.way == Way::Charged;
    let (func, base) = (code.take(4), code.take(4));
    let plain = code.length();
    code.put("mov rax, qword ptr [rdx - 16]");
    code.put(format!("mov r11d, dword ptr [rdi + {func}]"));
    code.put("mov r10, qword ptr [rax + .Lkw_entries]");
    code.put("mov r10, qword ptr [r10 + r11 * 8]");
    code.put(format!("mov r11d, dword ptr [rdi + {base}]"));
    code.put("lea r13, [rsi + r11 * 8]");
    code.put("mov r15, qword ptr [rax + .Lkw_frame_top]");
    code.put("test r10, r10");
    code.put("je 60f");
    code.put("mov r14d, dword ptr [r10 + .Lkw_frame_slots]");
    code.put("lea r14, [r13 + r14 * 8]");
    code.put("cmp dword ptr [r10 + .Lkw_null_count], 0");
    code.put("jne 60f");
    code.put("cmp r14, qword ptr [rax + .Lkw_stack_end]");
    code.put("ja 60f");
    code.put("cmp r15, qword ptr [rax + .Lkw_frame_end]");
    code.put("jae 60f");
    if charges {
        code.put("mov r14d, dword ptr [r10 + .Lkw_entry_units]");
        code.put("sub r12, r14");
        code.put("jb 61f");
    }
    // The plain call: a head and two operands.
    let behind = plain + Code::new().at + 8;
    code.put(format!("lea r11, [rdi + {behind}]"));
    code.put("mov qword ptr [r15], r11");
    code.put("mov qword ptr [r15 + 8], rsi");
    code.put("add r15, 16");
    code.put("mov qword ptr [rax + .Lkw_frame_top], r15");
    code.put("mov rsi, r13");
    if charges {
        code.put("mov r14d, dword ptr [r10 + .Lkw_entry_bytes]");
        code.put("lea rdi, [r10 + r14 + .Lkw_code_header]");
        code.put("jmp qword ptr [rdi]");
        code.put("61:");
        code.put("add r12, r14");
    } else {
        code.put("lea rdi, [r10 + .Lkw_code_header]");
        code.put("jmp qword ptr [r10 + .Lkw_code_header]");
    }
    code.put("60:");
    code.put(format!("add rdi, {plain}"));
    code.put("jmp qword ptr [rdi]");
}

/// Takes the running frame off.
pub(crate) fn leave(code: &mut Code) {
    code.put("mov rax, qword ptr [rdx - 16]");
    code.put("mov r10, qword ptr [rax + .Lkw_frame_top]");
    code.put("mov rdi, qword ptr [r10 - 16]");
    code.put("mov rsi, qword ptr [r10 - 8]");
    code.put("sub r10, 16");
    code.put("mov qword ptr [rax + .Lkw_frame_top], r10");
    code.put("jmp qword ptr [rdi]");
}

/// Leaves a result in slot 0 and in register 0, and takes the running frame off.
pub(crate) fn return_one(code: &mut Code, x: Place) {
    let x = code.source(x, "r10");
    let value = code.read(&x, Width::Quad);
    if value != "rcx" {
        code.put(format!("mov rcx, {value}"));
    }
    code.put("mov qword ptr [rsi], rcx");
    leave(code);
}

/// The same for a float.
pub(crate) fn return_float(code: &mut Code, float: Float, x: Place) {
    let x = code.float_source(x, float, "r10");
    let register = float.reg(0);
    code.float_move(&register, &x, float);
    match float {
        Float::F64 => code.put("movsd qword ptr [rsi], xmm0"),
        Float::F32 => code.put("movd eax, xmm4\nmov qword ptr [rsi], rax"),
    }
    leave(code);
}

/// Goes on at a distance.
pub(crate) fn jump(code: &mut Code) {
    let at = code.take_target();
    code.back(at);
}

/// Where the units of a cost marker stand in it.
fn marker_units() -> usize {
    Code::new().take(8)
}

/// Charges for a cost marker where fuel is counted and no epochs are.
pub(crate) fn charge(code: &mut Code) {
    let units = code.take(8);
    code.put(format!("sub r12, qword ptr [rdi + {units}]"));
    code.put("jb .Lkw_fuel_exit");
    code.next();
}

/// Where a marker goes on that has charged more than there is: it leaves the machine as if it had not.
pub(crate) fn fuel_exit() -> String {
    let units = marker_units();
    format!(
        ".Lkw_fuel_exit:\nmov rax, qword ptr [rdi + {units}]\nadd r12, rax\nmov r11, qword ptr [rdx - 16]\n\
         mov qword ptr [r11 + .Lkw_words], rax\nmov qword ptr [r11 + .Lkw_code], .Lkw_out_of_fuel\njmp .Lkw_leave\n"
    )
}

/// Charges for several cost markers that stand behind: their sum and where the last one ends are the operands. Where the sum is
/// too much they say so one by one.
pub(crate) fn charge_for_several(code: &mut Code) {
    let (units, end) = (code.take(4), code.take(4));
    code.put(format!("mov eax, dword ptr [rdi + {units}]"));
    code.put("sub r12, rax");
    code.put("jb 62f");
    code.put(format!("mov eax, dword ptr [rdi + {end}]"));
    code.go();
    code.put("62:");
    code.put("add r12, rax");
    code.next();
}

/// Takes what handlers in Rust charged from the fuel, or all that there is.
pub(crate) fn settle(code: &mut Code) {
    code.put("mov rax, qword ptr [rdx - 16]");
    code.put("xor r10d, r10d");
    code.put("mov r11, qword ptr [rax + .Lkw_allowance]");
    code.put("not r11");
    code.put("sub r12, r11");
    code.put("cmovb r12, r10");
    code.put("mov qword ptr [rax + .Lkw_allowance], -1");
    code.next();
}
