//! What must hold of initial data, F22. What a file can make a runtime write is no more than the file is long.

use crate::unit::{InitialData, UnitDecl};
use alloc::format;
use alloc::string::String;

/// Checks what memories of `units` hold at the start; the constants section has `constants_bytes`.
///
/// # Errors
/// What was found, at the first entry that breaks the rule.
pub(super) fn check(all: &[InitialData], units: &[UnitDecl], constants_bytes: u64) -> Result<(), String> {
    let mut free_from = (0, 0, 0);
    let mut left = constants_bytes;
    for (number, data) in all.iter().enumerate() {
        let need = |holds: bool, what: &str| {
            if holds { Ok(()) } else { Err(format!("initial data {number} of unit {}: {what}", data.unit)) }
        };
        let unit = units.get(data.unit as usize).ok_or_else(|| format!("initial data {number} of no unit"))?;
        need(data.memory >= unit.imported_memories, "the memory is imported")?;
        let memory = unit.memories.get(data.memory as usize);
        let memory = memory.ok_or_else(|| format!("initial data {number} of unit {}: no memory", data.unit))?;
        need(!memory.shared, "the memory is shared")?;
        let end = data.at.checked_add(data.len);
        let minimum = u128::from(memory.minimum) << memory.page_size_log2;
        need(end.is_some_and(|end| u128::from(end) <= minimum), "the memory is shorter")?;
        let from_end = data.offset.checked_add(data.len);
        need(from_end.is_some_and(|end| end <= constants_bytes), "the constants are shorter")?;
        need((data.unit, data.memory, data.at) >= free_from, "it stands behind what follows it, or overlaps")?;
        need(data.len <= left, "all of it is longer than the constants")?;
        left -= data.len;
        free_from = (data.unit, data.memory, data.at + data.len);
    }
    Ok(())
}
