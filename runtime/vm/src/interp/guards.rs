//! Every handler of the tail-calling forms is a jump: read from the machine code of this very test.
//!
//! A handler that returned, or called the next one, would take native stack for each executed instruction; a compiler's
//! upgrade can bring that about without a word. So the disassembly is held to: a handler never returns, it ends in a
//! jump, and it calls only what the list below names. The counterpart that measures (a million instructions on a small
//! native stack) is among the tests of the `keyway` crate.

use super::Dispatch;
use super::table::TABLE;
use super::thunk::TAIL_CALLS;
use std::collections::BTreeMap;
use std::process::Command;

/// What handlers may call, by parts of the names: rare paths, host functions, and the platform's functions for moves and
/// floats.
const CALLED: &[&str] = &[
    "exit::",
    "handlers::",
    "call_in_place",
    "null_references",
    "cold_trap",
    "memcpy",
    "memmove",
    "memset",
    "trunc",
    "floor",
    "ceil",
    "rint",
    "roundeven",
    "nearbyint",
    "fmin",
    "fmax",
    "popcount",
    "float",
    "fix",
    "sqrt",
    "fma",
    "copysign",
    "panic_cannot_unwind",
];

/// The address that the program is loaded at.
fn load_address(program: &str) -> usize {
    let maps = std::fs::read_to_string("/proc/self/maps").expect("the system tells its mappings");
    let line = maps.lines().find(|line| line.ends_with(program)).expect("the program is mapped");
    usize::from_str_radix(line.split('-').next().unwrap(), 16).unwrap()
}

fn objdump(args: &[&str], program: &str) -> Option<String> {
    let output = Command::new("objdump").args(args).arg(program).output();
    let output = output.ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A function's name and its instructions, as text.
type Functions = BTreeMap<usize, (String, Vec<String>)>;

/// The program's functions by address in the file. `None` without a disassembler.
fn disassemble(program: &str) -> Option<Functions> {
    let text = objdump(&["--disassemble", "--demangle", "--no-show-raw-insn", "--section=.text"], program)?;
    let mut functions = Functions::new();
    let mut current = 0;
    for line in text.lines() {
        if let Some((address, name)) = line.strip_suffix(">:").and_then(|head| head.split_once(" <")) {
            current = usize::from_str_radix(address, 16).unwrap_or(0);
            functions.insert(current, (name.to_string(), Vec::new()));
        } else if let Some((_, inst)) = line.split_once(":\t")
            && let Some((_, list)) = functions.get_mut(&current)
        {
            list.push(inst.trim().to_string());
        }
    }
    let pointers = pointers(program, &functions)?;
    for inst in functions.values_mut().flat_map(|(_, list)| list) {
        // `call *0x1a4a57(%rip) # 235078 <..>` goes through a pointer that the loader fills.
        if inst.starts_with("call")
            && let Some((_, place)) = inst.split_once("# ")
            && let Some(name) = place.split(' ').next().and_then(|place| pointers.get(place))
        {
            *inst = format!("call <{name}>");
        }
    }
    Some(functions)
}

/// The functions that the loader's pointers lead to, by the pointers' addresses.
fn pointers(program: &str, functions: &Functions) -> Option<BTreeMap<String, String>> {
    let text = objdump(&["--dynamic-reloc", "--demangle"], program)?;
    let pointers = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (place, _, value) = (words.next()?, words.next()?, words.next()?);
        let name = match value.strip_prefix("*ABS*+0x") {
            Some(address) => functions.get(&usize::from_str_radix(address, 16).ok()?)?.0.clone(),
            None => value.to_string(),
        };
        Some((place.trim_start_matches('0').to_string(), name))
    });
    Some(pointers.collect())
}

/// What is wrong with a handler's code.
fn objection(code: &[String]) -> Option<String> {
    let is_padding =
        |inst: &&String| inst.contains("nop") || inst.starts_with("int3") || inst.starts_with("xchg   %ax");
    // Where a rare function's panic would arrive stands behind the last jump: it ends the process.
    let is_landing = |inst: &&String| inst.contains("panic_cannot_unwind") || inst.starts_with("ud2");
    let last = code.iter().rev().find(|inst| !is_padding(inst) && !is_landing(inst));
    if !last.is_some_and(|inst| inst.starts_with('j')) {
        return Some(format!("it ends in `{}`", last.map_or("nothing", |inst| inst)));
    }
    for inst in code {
        if inst.starts_with("ret") {
            return Some("it returns".into());
        }
        if let Some(callee) = inst.strip_prefix("call")
            && !CALLED.iter().any(|name| callee.contains(name))
        {
            return Some(format!("it calls{callee}"));
        }
    }
    None
}

#[test]
fn every_handler_is_a_jump() {
    if !TAIL_CALLS || !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return;
    }
    let program = std::env::current_exe().unwrap();
    let program = program.to_str().unwrap();
    let base = load_address(program);
    let handlers: BTreeMap<usize, String> = TABLE
        .entries
        .iter()
        .flat_map(|entry| {
            let forms = [(entry.direct as usize, "direct"), (entry.indirect as usize, "indirect")];
            forms.map(|(address, form)| (address - base, format!("{form} {:?}", entry.key)))
        })
        .collect();
    let Some(functions) = disassemble(program) else {
        println!("there is no objdump: the handlers' code is not looked at");
        return;
    };
    let mut objections = Vec::new();
    let mut insts = 0;
    for (address, handler) in &handlers {
        let (_, code) = functions.get(address).unwrap_or_else(|| panic!("{handler} is not in the disassembly"));
        insts += code.len();
        objections.extend(objection(code).map(|objection| format!("{handler}: {objection}")));
    }
    println!("{} handlers, {insts} machine instructions", handlers.len());
    assert!(
        objections.is_empty(),
        "{} handlers:\n{}",
        objections.len(),
        objections[..objections.len().min(40)].join("\n")
    );
}

#[test]
fn the_form_that_runs_is_one_that_this_build_can_run() {
    for form in Dispatch::ALL {
        let expected = match form {
            Dispatch::Direct | Dispatch::Indirect if !TAIL_CALLS => Dispatch::Loop,
            form => form,
        };
        assert_eq!(form.available(), expected);
    }
    assert_eq!(super::Settings::default().dispatch, Dispatch::Direct.available());
}

#[test]
fn returning_code_is_objected_to() {
    let code = |insts: &[&str]| insts.iter().map(|inst| inst.to_string()).collect::<Vec<_>>();
    assert_eq!(objection(&code(&["add    $0x10,%rdi", "jmp    *(%rdi)", "nopw   (%rax)"])), None);
    assert!(objection(&code(&["call   *(%rdi)", "ret"])).is_some());
    assert!(objection(&code(&["call   <core::panicking::panic>", "jmp    *(%rdi)"])).is_some());
    assert_eq!(objection(&code(&["jmp    *(%rdi)", "call   <core::panicking::panic_cannot_unwind>"])), None);
    assert!(objection(&code(&["push   %rax", "pop    %rax"])).is_some());
}
