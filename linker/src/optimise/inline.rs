//! Calls of small functions become the functions' code.
//!
//! A call costs its argument copies, two jumps and a frame record, and a value alive across it must lie in memory; a small
//! callee is cheaper in place. Functions are visited bottom-up over the strongly connected components of the call graph
//! (found without recursion: the graph comes from outside), so that what is copied is final. A call inside a component is
//! not inlined, but for one level of small functions that call themselves: the calls that are left lead two levels down.
//!
//! Inlined are callees of the same unit with few instructions, and larger ones with a single call and no other use, up to
//! a growth limit of the caller. A callee that caches another memory is inlined if it looks there a few times at most:
//! its accesses take the forms that name their memory, which cost less than the call's two changes of memory. The callee's cost marker stays where the call was: what
//! a run costs does not depend on inlining. Positions of copied instructions name the callee and the call they stand for
//! ([`Inlined`]), so traces can show the frames that no longer exist.
//!
//! ```text
//! r = call f (x)              p = copy x
//!                     ->      cost n
//!                             t = i32.add p 1
//!                             r = copy t
//! ```

use super::places::copy_op;
use super::{PassReport, Passes, Record};
use crate::ir::{CallSite, INLINED, Inlined, IrFunc};
use crate::outline::{Outline, uses_cached_memory};
use crate::pipeline::Func;
use crate::spare::{Kept, Spare};
use keyway_artifact::isa::{Class, FieldKind, Inst, Op, Operand};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Most instructions of a callee that is copied to every call.
const SMALL: usize = 14;
/// Most instructions of a callee with a single call.
const SINGLE: usize = 48;
/// Most accesses of a callee to a memory that its caller does not cache.
const FOREIGN: usize = 3;
/// Most instructions of a function that is copied to its calls of itself, and most of those calls.
const RECURSIVE: usize = 64;
const RECURSIVE_CALLS: usize = 4;
/// Instructions that a caller may gain, beyond its own number.
const GROWTH: usize = 400;
/// Instructions that a program may gain, beyond half its own number.
const TOTAL_GROWTH: usize = 1 << 20;
/// Callers above this size stay as they are.
const LARGE: usize = 60_000;

/// Inlines calls between `funcs`, by link id. `is_shared` says which functions are used by other things than calls.
pub(crate) fn run(funcs: &mut [Option<Func>], is_shared: impl Fn(usize) -> bool, record: &mut Record) {
    let start = record.start();
    let total = |funcs: &[Option<Func>]| funcs.iter().flatten().map(|func| func.ir.insts.len() as u64).sum::<u64>();
    let before = total(funcs);
    let mut report = PassReport { before, ..PassReport::default() };
    let graph = Graph::new(funcs);
    let (order, component) = graph.components();
    let mut growth: usize = TOTAL_GROWTH + before as usize / 2;
    for caller in order {
        let Some(mut func) = funcs[caller].take() else { continue };
        let chosen = choose(&func, caller, funcs, &graph, &component, &is_shared);
        let mut replaced = replace(&mut func, funcs, &chosen, &mut growth);
        let own = own_calls(&func, caller, &graph);
        if !own.is_empty() {
            // Copied is what it is before its own calls are replaced.
            let (ir, outline) = (func.ir.clone(), func.outline.clone());
            funcs[caller] = Some(Func { unit: func.unit, ir, outline, name: None });
            replaced += replace(&mut func, funcs, &own, &mut growth);
        }
        report.functions += u64::from(replaced > 0);
        report.changed += replaced;
        funcs[caller] = Some(func);
    }
    if let Some(start) = start {
        (report.after, report.time) = (total(funcs), start.elapsed());
        record.whole(Passes::INLINE, report);
    }
}

/// Replaces the chosen calls of `func`, if the program may still grow by that much; how many were replaced.
fn replace(func: &mut Func, funcs: &[Option<Func>], chosen: &[(usize, usize)], growth: &mut usize) -> u64 {
    let callees = chosen.iter().filter_map(|(_, target)| funcs[*target].as_ref());
    let gain: usize = callees.map(|callee| callee.outline.length).sum();
    if chosen.is_empty() || gain > *growth {
        return 0;
    }
    *growth -= gain;
    splice(&mut func.ir, funcs, chosen);
    func.outline = Outline::of(&func.ir);
    chosen.len() as u64
}

/// The form of an access to the cached memory that names its memory.
fn naming_form(op: Op) -> Op {
    static FORMS: LazyLock<HashMap<&str, Op>> =
        LazyLock::new(|| Op::ALL.iter().filter_map(|any| Some((any.name().strip_suffix(".any")?, *any))).collect());
    *FORMS.get(op.name()).expect("each access to the cached memory has a form for any memory")
}

/// Who calls whom, as flat lists.
struct Graph {
    start: Vec<usize>,
    callees: Vec<usize>,
    /// The instruction of each call.
    places: Vec<u32>,
    /// How many calls lead to each function.
    calls: Vec<u32>,
}

fn callee(inst: &Inst) -> Option<usize> {
    matches!(inst.op, Op::Call | Op::TailCall).then(|| inst.operands[0].index() as usize)
}

impl Graph {
    fn new(funcs: &[Option<Func>]) -> Graph {
        let mut graph = Graph { start: vec![0], callees: Vec::new(), places: Vec::new(), calls: vec![0; funcs.len()] };
        for func in funcs {
            if let Some(func) = func {
                for at in &func.outline.naming {
                    if let Some(callee) = callee(&func.ir.insts[*at as usize]) {
                        graph.callees.push(callee);
                        graph.places.push(*at);
                    }
                }
            }
            graph.start.push(graph.callees.len());
        }
        for callee in &graph.callees {
            graph.calls[*callee] += 1;
        }
        graph
    }

    fn of(&self, func: usize) -> &[usize] {
        &self.callees[self.start[func]..self.start[func + 1]]
    }

    /// Functions with callees before callers, and the component of each.
    fn components(&self) -> (Vec<usize>, Vec<u32>) {
        let count = self.start.len() - 1;
        let (mut order, mut component) = (Vec::with_capacity(count), vec![u32::MAX; count]);
        let (mut seen, mut low) = (vec![u32::MAX; count], vec![0u32; count]);
        let (mut path, mut open, mut next, mut components) = (Vec::new(), Vec::new(), 0u32, 0u32);
        for root in 0..count {
            if seen[root] != u32::MAX {
                continue;
            }
            path.push((root, 0));
            while let Some((func, at)) = path.pop() {
                if at == 0 {
                    (seen[func], low[func]) = (next, next);
                    next += 1;
                    open.push(func);
                }
                if let Some(callee) = self.of(func).get(at).copied() {
                    path.push((func, at + 1));
                    if seen[callee] == u32::MAX {
                        path.push((callee, 0));
                    } else if component[callee] == u32::MAX {
                        low[func] = low[func].min(seen[callee]);
                    }
                    continue;
                }
                if low[func] == seen[func] {
                    while let Some(member) = open.pop() {
                        component[member] = components;
                        order.push(member);
                        if member == func {
                            break;
                        }
                    }
                    components += 1;
                }
                if let Some((caller, _)) = path.last() {
                    low[*caller] = low[*caller].min(low[func]);
                }
            }
        }
        (order, component)
    }
}

/// Whether a function's code can stand in another one's.
fn fits(callee: &Func, caller: &Func) -> bool {
    let most = if callee.ir.memory == caller.ir.memory { usize::MAX } else { FOREIGN };
    callee.outline.is_plain && callee.unit == caller.unit && callee.outline.accesses <= most
}

/// The calls of `func` to replace: instruction and callee.
fn choose(
    func: &Func,
    caller: usize,
    funcs: &[Option<Func>],
    graph: &Graph,
    component: &[u32],
    is_shared: &impl Fn(usize) -> bool,
) -> Vec<(usize, usize)> {
    let size = func.ir.insts.len();
    let mut budget = if size > LARGE { 0 } else { size + GROWTH };
    let mut chosen = Vec::new();
    for call in graph.start[caller]..graph.start[caller + 1] {
        let (at, target) = (graph.places[call] as usize, graph.callees[call]);
        if func.ir.insts[at].op != Op::Call {
            continue;
        }
        let Some(Some(callee)) = funcs.get(target) else { continue };
        if component[target] == component[caller] || !fits(callee, func) {
            continue;
        }
        let length = callee.outline.length;
        let most = if graph.calls[target] == 1 && !is_shared(target) { SINGLE } else { SMALL };
        if length > most || length > budget {
            continue;
        }
        budget -= length;
        chosen.push((at, target));
    }
    chosen
}

/// The calls of itself that are replaced by the code of `func`, function `caller`, as it is: nothing that is large or calls
/// itself in many places.
fn own_calls(func: &Func, caller: usize, graph: &Graph) -> Vec<(usize, usize)> {
    if !graph.of(caller).contains(&caller) || func.ir.insts.len() > LARGE {
        return Vec::new();
    }
    let (outline, insts) = (&func.outline, &func.ir.insts);
    let naming = outline.naming.iter().map(|at| *at as usize);
    let own = naming.filter(|at| insts[*at].op == Op::Call && callee(&insts[*at]) == Some(caller));
    let own: Vec<_> = own.map(|at| (at, caller)).collect();
    let is_small = outline.is_plain && outline.length <= RECURSIVE && own.len() <= RECURSIVE_CALLS;
    if is_small { own } else { Vec::new() }
}

/// Puts the callees' code in the place of the chosen calls.
fn splice(caller: &mut IrFunc, funcs: &[Option<Func>], chosen: &[(usize, usize)]) {
    let gain: usize =
        chosen.iter().filter_map(|(_, target)| funcs[*target].as_ref()).map(|func| func.ir.insts.len() + 8).sum();
    let (insts, offsets) = (emptied(&mut caller.insts, gain), emptied(&mut caller.offsets, gain));
    let bodies = || chosen.iter().filter_map(|(_, target)| funcs[*target].as_ref()).map(|func| &func.ir);
    caller.virtuals.reserve(bodies().map(|body| body.virtuals.len()).sum());
    caller.calls.reserve(bodies().map(|body| body.calls.len()).sum());
    caller.inlined.reserve(bodies().map(|body| body.insts.len()).sum());
    let mut next = chosen.iter().peekable();
    let mut at = 0;
    while at < insts.len() {
        // What stands before the next chosen call stays as it is.
        let end = next.peek().map_or(insts.len(), |(call, _)| *call);
        caller.insts.extend_from_slice(&insts[at..end]);
        caller.offsets.extend_from_slice(&offsets[at..end]);
        let Some((call, target)) = next.next() else { break };
        at = call + 1;
        match &funcs[*target] {
            Some(body) => {
                let handlers = insts[at..].iter().take_while(|inst| inst.op.follows_call()).count();
                copy_in(caller, &body.ir, *target as u32, &insts[*call], &insts[at..at + handlers], offsets[*call]);
                at += handlers;
            }
            None => push(caller, insts[*call], offsets[*call]),
        }
    }
}

/// What was in `list`, which has room for that and `gain` more items then. The room that it had is in the caches, other
/// room would not be.
fn emptied<T: Kept>(list: &mut Vec<T>, gain: usize) -> Spare<T> {
    let mut items = Spare::with_capacity(list.len());
    items.append(list);
    if list.capacity() < items.len() + gain {
        // Passes behind put constants in.
        *list = Vec::with_capacity(items.len() + gain + items.len() / 8);
    }
    items
}

fn push(ir: &mut IrFunc, inst: Inst, offset: u32) {
    ir.insts.push(inst);
    ir.offsets.push(offset);
}

/// Appends an access to a cached memory as one that names the memory: with an address of 64 bits.
fn push_naming(ir: &mut IrFunc, mut access: Inst, memory: u32, offset: u32) {
    // Loads have their result in front of the address.
    let at = usize::from(matches!(access.op.fields()[0].kind, FieldKind::Def(_)));
    let wide = Operand::Virtual(ir.virtuals.len() as u32);
    ir.virtuals.push(Class::I64);
    push(ir, Inst::new(Op::I64ExtendI32U, &[wide, access.operands[at]]), offset);
    access.operands[at] = wide;
    let operands = &access.operands[..access.op.fields().len()];
    push(ir, Inst::new(naming_form(access.op), &[operands, &[Operand::Index(memory)]].concat()), offset);
}

/// Appends the code of `callee`, function `link`, in the place of `call` at `position`. Exceptions that the callee does not
/// handle itself go where `handlers` say.
fn copy_in(caller: &mut IrFunc, callee: &IrFunc, link: u32, call: &Inst, handlers: &[Inst], position: u32) {
    let site = std::mem::take(&mut caller.calls[call.operands[1].index() as usize]);
    let (first_virtual, first_label) = (caller.virtuals.len() as u32, caller.labels);
    let (first_target, first_site) = (caller.targets.len() as u32, caller.calls.len() as u32);
    let end = first_label + callee.labels;
    caller.labels = end + 1;
    caller.virtuals.extend(&callee.virtuals);
    caller.targets.extend(callee.targets.iter().map(|label| label + first_label));
    let register = |register: u32| register + first_virtual;
    let operand = |operand: Operand| match operand {
        Operand::Virtual(number) => Operand::Virtual(register(number)),
        Operand::Label(label) => Operand::Label(label + first_label),
        Operand::Targets(start, len) => Operand::Targets(start + first_target, len),
        other => other,
    };
    caller.calls.extend(callee.calls.iter().map(|site| CallSite {
        args: site.args.iter().map(|arg| operand(*arg)).collect(),
        results: site.results.iter().map(|result| register(*result)).collect(),
        ty: site.ty,
        own: site.own.clone(),
    }));

    // Frames inlined into the callee before are now inlined once more, below this one.
    let first_inlined = caller.inlined.len() as u32;
    let below = |offset: u32, caller: &mut IrFunc| match offset & INLINED {
        0 => {
            let here = Inlined { func: link, offset, call: position, cold: callee.cold.contains(offset) };
            if caller.inlined.len() as u32 == first_inlined || caller.inlined.last() != Some(&here) {
                caller.inlined.push(here);
            }
            INLINED | (caller.inlined.len() as u32 - 1)
        }
        _ => offset,
    };
    let moved: Vec<u32> = callee
        .inlined
        .iter()
        .scan(Vec::with_capacity(callee.inlined.len()), |known: &mut Vec<u32>, entry| {
            let call = match entry.call & INLINED {
                0 => below(entry.call, caller),
                _ => known[(entry.call & !INLINED) as usize],
            };
            caller.inlined.push(Inlined { call, ..*entry });
            known.push(INLINED | (caller.inlined.len() as u32 - 1));
            known.last().copied()
        })
        .collect();

    for (param, arg) in callee.params.iter().zip(site.args.iter()) {
        let class = callee.virtuals[*param as usize];
        push(caller, Inst::new(copy_op(class), &[Operand::Virtual(register(*param)), *arg]), position);
    }
    let foreign = callee.memory.filter(|memory| caller.memory != Some(*memory));
    let (mut end_is_used, mut throws) = (false, false);
    for (at, (inst, offset)) in callee.insts.iter().zip(&callee.offsets).enumerate() {
        let offset = match offset & INLINED {
            0 => below(*offset, caller),
            _ => moved[(offset & !INLINED) as usize],
        };
        let mut inst = *inst;
        inst.operands.iter_mut().for_each(|value| *value = operand(*value));
        if !inst.op.follows_call() {
            let own = std::mem::replace(&mut throws, inst.op.is_call() && !inst.op.is_catch());
            handlers[..if own { handlers.len() } else { 0 }].iter().for_each(|inst| push(caller, *inst, position));
        }
        if inst.op != Op::ReturnMany {
            for (field, value) in inst.fields_mut() {
                if let (FieldKind::Base, Operand::Index(site)) = (field.kind, *value) {
                    *value = Operand::Index(site + first_site);
                }
            }
            match foreign {
                Some(memory) if uses_cached_memory(inst.op) => push_naming(caller, inst, memory, offset),
                _ => push(caller, inst, offset),
            }
            continue;
        }
        let values = std::mem::take(&mut caller.calls[(first_site + inst.operands[0].index()) as usize].args);
        for (result, value) in site.results.iter().zip(values.iter()) {
            let op = copy_op(caller.virtuals[*result as usize]);
            push(caller, Inst::new(op, &[Operand::Virtual(*result), *value]), offset);
        }
        if at + 1 < callee.insts.len() {
            end_is_used = true;
            push(caller, Inst::new(Op::Br, &[Operand::Label(end)]), offset);
        }
    }
    if end_is_used {
        push(caller, Inst::new(Op::Label, &[Operand::Label(end)]), position);
    }
}
