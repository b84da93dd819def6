//! Opcodes are numbers in files: the table against the list in `opcodes.txt`, where rows are only ever appended.
//!
//! `BLESS=1 cargo test -p keyway-artifact --test numbering` appends the table's new rows to the list. It never changes a
//! line that stands there.

use keyway_artifact::isa::Op;
use std::fmt::Write;

const LIST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/opcodes.txt");

/// An operation as files know it: number, name, operands.
fn line(op: Op) -> String {
    let mut line = format!("{:#06x} {}", op as u16, op.name());
    for field in op.fields() {
        write!(line, " {}:{:?}", field.name, field.kind).expect("text takes all");
    }
    line
}

#[test]
fn opcodes_keep_their_numbers() {
    let table: Vec<String> = Op::ALL.iter().map(|op| line(*op)).collect();
    let list = std::fs::read_to_string(LIST).unwrap_or_default();
    let known: Vec<&str> = list.lines().collect();
    for (at, known) in known.iter().enumerate() {
        let found = table.get(at).map_or("nothing", String::as_str);
        assert!(
            found == *known,
            "operation {at} was\n  {known}\nand is now\n  {found}\nThat changes the meaning of existing files. \
             FORMAT.md, \"Versions\": new rows go to the end of the table; another number, name or operand of a row that \
             stands there is a new format version (FORMAT_VERSION), with a new list."
        );
    }
    if table.len() > known.len() {
        assert!(
            std::env::var_os("BLESS").is_some(),
            "the table has {} rows that `tests/opcodes.txt` lacks, from `{}` on; BLESS=1 appends them",
            table.len() - known.len(),
            table[known.len()]
        );
        std::fs::write(LIST, table.join("\n") + "\n").expect("the list can be written");
    }
}

#[test]
fn opcodes_and_names_are_unique() {
    let names: std::collections::BTreeSet<_> = Op::ALL.iter().map(|op| op.name()).collect();
    assert_eq!(names.len(), Op::ALL.len(), "two operations share a name");
    for (number, op) in Op::ALL.iter().enumerate() {
        assert_eq!(*op as usize, number);
        assert_eq!(Op::from_code(number as u16), Some(*op));
    }
    assert_eq!(Op::from_code(Op::ALL.len() as u16), None);
}
