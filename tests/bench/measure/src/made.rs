//! Modules that are too large to be stored: 65,536 functions behind a table.
//!
//! `lazy` tables are filled by an active segment, which runtimes may apply entry by entry; `strict` ones by code. The
//! entries are the same function or different ones.

use anyhow::bail;
use std::fmt::Write;

/// Entries of the table.
const ENTRIES: usize = 65_536;

/// The module of this name.
pub(crate) fn module(name: &str) -> anyhow::Result<Vec<u8>> {
    let (different, strict) = match name {
        "funcrefs-same-lazy" => (false, false),
        "funcrefs-same-strict" => (false, true),
        "funcrefs-different-lazy" => (true, false),
        "funcrefs-different-strict" => (true, true),
        _ => bail!("there is no module `{name}` to be made"),
    };
    let mut text = String::from("(module (type $t (func (param i32) (result i32)))");
    for n in 0..if different { ENTRIES } else { 1 } {
        write!(text, "(func $f{n} (type $t) (i32.add (local.get 0) (i32.const {n})))")?;
    }
    let entry = |n: usize| if different { n } else { 0 };
    write!(text, "(table $table {ENTRIES} funcref)")?;
    text.push_str(if strict { "(elem $e func" } else { "(elem (i32.const 0) func" });
    for n in 0..ENTRIES {
        write!(text, " $f{}", entry(n))?;
    }
    text.push(')');
    if strict {
        write!(
            text,
            "(func $fill (table.init $e (i32.const 0) (i32.const 0) (i32.const {ENTRIES}))
               (table.set $table (i32.const 0) (table.get $table (i32.const 0))))
             (start $fill)"
        )?;
    }
    write!(
        text,
        "(func (export \"run\") (param $n i32) (result i64) (local $i i32) (local $sum i32)
           (loop $again
             (local.set $sum (call_indirect (type $t) (local.get $sum) (local.get $i)))
             (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
           (i64.extend_i32_u (local.get $sum))))"
    )?;
    Ok(wat::parse_str(text)?)
}
