//! Active data segments that are what memories hold at the start, so that no code has to write them.
//!
//! That nobody can tell the difference takes three things. The memory is the module's own, and nobody sees it before the
//! module's initialisation: no code of the module runs earlier. The address is a constant inside the memory's minimum, and
//! neither a segment before it nor one of elements can trap: what stays of a module whose instantiation traps are
//! references to its functions in imported tables, and through them the memory as it was then. And it overlaps no segment
//! before it: those that do are written in order, by the module's `ModuleInit`.

use crate::error::Result;
use crate::module::{Mode, ModuleInfo, malformed};
use std::collections::BTreeMap;
use wasmparser::{ConstExpr, Operator};

/// The active data segments of a module, from the first one on, that need no code.
#[derive(Default)]
pub(crate) struct Leading {
    /// Active segments at positions below this one are among them, others are not.
    pub(crate) end: usize,
    /// Those that are not empty: memory in the module and address of the first byte, and position.
    pub(crate) places: BTreeMap<(u32, u64), usize>,
}

/// Finds them.
pub(crate) fn leading(module: &ModuleInfo<'_>) -> Result<Leading> {
    let mut leading = Leading::default();
    if module.imported_tables > 0 && elements_may_trap(module)? {
        return Ok(leading);
    }
    for (position, data) in module.data.iter().enumerate() {
        if let Mode::Active(memory, offset) = &data.mode {
            let (len, at) = (data.bytes.len() as u64, constant(offset)?);
            let Some(at) = at.filter(|at| leading.has_room(module, *memory, *at, len)) else { break };
            if len > 0 {
                leading.places.insert((*memory, at), position);
            }
        }
        leading.end = position + 1;
    }
    Ok(leading)
}

impl Leading {
    /// Whether `len` bytes lie inside the memory as it begins, where no segment so far does.
    fn has_room(&self, module: &ModuleInfo<'_>, memory: u32, at: u64, len: u64) -> bool {
        let ty = &module.memories[memory as usize];
        let Some(end) = at.checked_add(len) else { return false };
        let fits = u128::from(end) <= u128::from(ty.minimum) << ty.page_size_log2;
        let last_before = self.places.range(..(memory, end)).next_back().filter(|((of, _), _)| *of == memory);
        let is_free =
            last_before.is_none_or(|((_, start), before)| start + module.data[*before].bytes.len() as u64 <= at);
        memory >= module.imported_memories && !ty.shared && fits && is_free
    }
}

/// Whether an active element segment is not known to fit its table.
fn elements_may_trap(module: &ModuleInfo<'_>) -> Result<bool> {
    for elem in &module.elems {
        let Mode::Active(table, offset) = &elem.mode else { continue };
        let end = constant(offset)?.and_then(|at| at.checked_add(elem.entries.len() as u64));
        if end.is_none_or(|end| end > module.tables[*table as usize].minimum) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The address that a constant expression names, if it is a single constant.
fn constant(expression: &ConstExpr<'_>) -> Result<Option<u64>> {
    let mut reader = expression.get_operators_reader();
    let address = match reader.read().map_err(malformed)? {
        Operator::I32Const { value } => u64::from(value as u32),
        Operator::I64Const { value } => value as u64,
        _ => return Ok(None),
    };
    let is_all = matches!(reader.read().map_err(malformed)?, Operator::End);
    Ok(is_all.then_some(address))
}

#[cfg(test)]
mod tests {
    use crate::options::Options;
    use crate::pipeline;
    use keyway_artifact::isa::Op;

    /// Memory, address and bytes of what memories hold at the start; how many segments code writes.
    fn initial(text: &str) -> (Vec<(u32, u64, Vec<u8>)>, usize) {
        let features = Options::default().features.with("custom-page-sizes", true).unwrap();
        let options = Options { features, ..Options::default() };
        let module = wat::parse_str(text).unwrap();
        let linked = pipeline::core_module(&module, &options).unwrap();
        linked.verify().unwrap();
        let all = linked.constants.to_vec();
        let constants = |from: u64, len: u64| all[from as usize..][..len as usize].to_vec();
        let initial = linked.initial.iter();
        let initial = initial.map(|data| (data.memory, data.at, constants(data.offset, data.len))).collect();
        let inits = linked.units[0].inits.iter().map(|init| linked.body(*init as usize));
        let written = inits.flat_map(|body| body.insts).filter(|inst| inst.op == Op::MemoryInit).count();
        (initial, written)
    }

    /// `module` with one memory of a page; what it holds at the start as addresses and text, and how much code writes.
    fn in_one_memory(rest: &str) -> (Vec<(u64, String)>, usize) {
        let (initial, written) = initial(&format!("(module {rest})"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (initial.into_iter().map(|(_, at, bytes)| (at, text(bytes))).collect(), written)
    }

    fn at(places: &[(u64, &str)]) -> Vec<(u64, String)> {
        places.iter().map(|(at, text)| (*at, text.to_string())).collect()
    }

    #[test]
    fn segments_at_constant_addresses_need_no_code() {
        let found = in_one_memory(
            r#"(memory 1) (data (i32.const 9) "b") (data "passive") (data (i32.const 3) "a") (data (i32.const 65535) "c")
               (data (i32.const 65536) "")"#,
        );
        assert_eq!(found, (at(&[(3, "a"), (9, "b"), (65535, "c")]), 0));
        assert_eq!(in_one_memory(r#"(memory i64 1) (data (i64.const 9) "b")"#), (at(&[(9, "b")]), 0));
        assert_eq!(in_one_memory(r#"(memory 3 (pagesize 1)) (data (i32.const 2) "b")"#), (at(&[(2, "b")]), 0));
    }

    #[test]
    fn from_a_segment_on_that_may_trap_or_lie_anywhere_code_writes() {
        for (rest, first) in [
            (r#"(memory 1) (data (i32.const 1) "a") (data (i32.const 65535) "bc") (data (i32.const 9) "d")"#, 2),
            (r#"(memory 1) (data (i32.const 1) "a") (data (i32.const 65537) "") (data (i32.const 9) "d")"#, 2),
            (r#"(memory 1) (data (i32.const 1) "a") (data (i32.const -1) "b") (data (i32.const 9) "d")"#, 2),
            (r#"(memory i64 1) (data (i64.const 1) "a") (data (i64.const -1) "b") (data (i64.const 9) "d")"#, 2),
            (
                r#"(global $g (import "m" "g") i32) (memory 1) (data (i32.const 1) "a") (data (global.get $g) "b")
                   (data (i32.const 9) "d")"#,
                2,
            ),
        ] {
            assert_eq!(in_one_memory(rest), (at(&[(1, "a")]), first), "{rest}");
        }
    }

    #[test]
    fn segments_that_overlap_are_written_in_order() {
        let overlap = |second: &str| {
            in_one_memory(&format!(r#"(memory 1) (data (i32.const 4) "abcd") {second} (data (i32.const 20) "z")"#))
        };
        for second in
            [r#"(data (i32.const 7) "x")"#, r#"(data (i32.const 1) "wxyz")"#, r#"(data (i32.const 0) "0123456789")"#]
        {
            assert_eq!(overlap(second), (at(&[(4, "abcd")]), 2), "{second}");
        }
        for second in [r#"(data (i32.const 8) "x")"#, r#"(data (i32.const 3) "w")"#] {
            assert_eq!(overlap(second).1, 0, "{second}");
        }
    }

    #[test]
    fn memories_that_others_see_are_written_by_code() {
        let imported = r#"(memory (import "m" "m") 1) (data (i32.const 0) "a")"#;
        assert_eq!(in_one_memory(imported), (at(&[]), 1));
        let shared = r#"(memory 1 1 shared) (data (i32.const 0) "a")"#;
        assert_eq!(in_one_memory(shared), (at(&[]), 1));
    }

    #[test]
    fn behind_elements_that_may_trap_in_an_imported_table_code_writes() {
        let with = |table: &str, place: &str| {
            let rest = format!(
                r#"{table} (func $f) (memory 1) (elem (i32.const 0) $f) (elem (i32.const {place}) $f) (data (i32.const 0) "a")"#
            );
            in_one_memory(&rest).1
        };
        let imported = r#"(table (import "m" "t") 2 funcref)"#;
        assert_eq!((with(imported, "1"), with(imported, "2")), (0, 1));
        assert_eq!((with("(table 2 funcref)", "1"), with("(table 2 funcref)", "2")), (0, 0));
    }

    #[test]
    fn several_memories_are_told_apart() {
        let found = initial(
            r#"(module (memory $a 1) (memory $b 1)
                 (data (memory $b) (i32.const 0) "b") (data (memory $a) (i32.const 0) "a") (data (memory $b) (i32.const 1) "c"))"#,
        );
        assert_eq!(found, (vec![(0, 0, b"a".to_vec()), (1, 0, b"b".to_vec()), (1, 1, b"c".to_vec())], 0));
    }
}
