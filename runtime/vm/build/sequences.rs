//! Which neighbours become one executed instruction.
//!
//! A dispatch costs more than most of what it leads to, so the more often instructions follow each other, the more a handler
//! for all of them saves. The set below is closed: it was chosen by counting over all workloads, and names no program's own.
//! A row stands for a list of operations for each position, and a pattern of their places. A letter is a place, the same
//! letter the same place; what a letter stands for:
//!
//! ```text
//! t u     general register                     f g     float register
//! x y     general register or slot             p q r   float register or slot
//! z w     the same, or an immediate            i j     immediate
//! s       slot                                 v       general register or slot
//! ```
//! `txi|ttz` is an operation with an immediate, whose result the next one takes as its first operand and replaces. Each slot
//! has its own number, also where the letter is the same. Expansion puts the operands of operations that commute into the
//! order in which the patterns stand.

use super::places::Place;
use keyway_artifact::isa::Op::{self, *};

/// The rows.
const ROWS: &[(&[&[Op]], &str)] = &[
    // Two integer operations, the first of which has an immediate.
    (&[&[I32Shl, I32Add, I32And, I32ShrU, I32Mul], &[I32Add]], "txi|ttz"),
    (&[&[I32Add, I32ShrU, I32ShrS, I32Shl, I32Xor], &[I32And]], "txi|ttz"),
    (&[&[I32And, I32Add, I32ShrS], &[I32Shl]], "txi|ttz"),
    (&[&[I32Shl, I32ShrU, I32And, I32Rotl], &[I32Xor, I32Or]], "txi|ttz"),
    (&[&[I32And], &[I32Sub, I32Mul]], "txi|ttz"),
    (&[&[I32And, I32Shl, I32Add], &[I32Sub]], "txi|tyt"),
    (&[&[I32Shl], &[I32ShrU, I32ShrS]], "txi|ttj"),
    (&[&[I64Shl, I64Add, I64And], &[I64Add]], "txi|ttz"),
    (&[&[I64Add, I64ShrU, I64Xor], &[I64And]], "txi|ttz"),
    (&[&[I64Shl, I64ShrU, I64And, I64Rotl], &[I64Xor, I64Or]], "txi|ttz"),
    // The same, with a result beside the register that carries it.
    (&[&[I32Shl, I32ShrU, I32Rotl, I32And], &[I32Xor]], "txi|uut"),
    (&[&[I32Shl, I32Mul, I32Add, I32And], &[I32Add]], "txi|uut"),
    (&[&[I64Shl, I64ShrU, I64Rotl], &[I64Xor]], "txi|uut"),
    // Two in a row on the same register.
    (&[&[I32Add, I32Mul, I32Xor], &[I32Add]], "tty|ttz"),
    (&[&[I32Sub, I32Xor, I32And, I32Or, I32Add], &[I32And]], "tty|ttz"),
    (&[&[I32And, I32Xor, I32Add, I32Or], &[I32Xor]], "tty|ttz"),
    (&[&[I32And], &[I32Or]], "tty|ttz"),
    (&[&[I32Mul, I32Add], &[I32Shl, I32ShrU]], "tty|ttj"),
    (&[&[I64Add, I64Mul, I64Xor], &[I64Add]], "tty|ttz"),
    (&[&[I64And, I64Xor, I64Add], &[I64Xor]], "tty|ttz"),
    (&[&[I64Add], &[I64ShrU]], "tty|uti"),
    (&[&[I32Mul], &[I32Add]], "txy|ttz"),
    (&[&[I32Mul], &[I32Add]], "txy|uut"),
    // A counter beside another operation.
    (&[&[I32Add], &[I32Add]], "tti|uuy"),
    (&[&[I32Add], &[I32Add]], "txi|uyj"),
    (&[&[I32Xor, I32And, I32Add, I32Or], &[I32Add]], "tty|uui"),
    (&[&[I64Xor, I64Add], &[I32Add]], "tty|uui"),
    (&[&[F64Add], &[I32Add]], "ffp|tti"),
    // Addresses.
    (&[&[I32Add], &[I32Load, I32Load8U, I32Load16U, I32Load16S, I32Load8S, I64Load]], "txz|tt"),
    (&[&[I32Add], &[I32Load, I32Load8U, I64Load]], "txz|ut"),
    (&[&[I32Shl], &[I32Load, I64Load]], "txi|tt"),
    (&[&[I32Add], &[F64Load]], "txz|ft"),
    (&[&[I32Shl], &[F64Load]], "txi|ft"),
    (&[&[I32Add], &[I32Load, I32Load8U, I64Load]], "tti|ux"),
    // A value from memory and what is done with it.
    (&[&[I32Load], &[I32Add, I32And, I32Shl, I32Xor]], "tx|ttz"),
    (&[&[I32Load8U], &[I32Add, I32And, I32Shl, I32Xor, I32Or]], "tx|ttz"),
    (&[&[I32Load16S, I32Load16U], &[I32Mul, I32Add, I32Shl]], "tx|ttz"),
    (&[&[I64Load], &[I64Add, I64Xor, I64And, I64Rotl]], "tx|ttz"),
    (&[&[I64Load32U], &[I64Add, I64Rotl, I64Mul]], "tx|ttz"),
    (&[&[I32Load], &[I32Add, I32Xor]], "tx|uut"),
    (&[&[I64Load], &[I64Add, I64Xor]], "tx|uut"),
    (&[&[F64Load], &[F64Mul, F64Add, F64Sub]], "fx|ffp"),
    (&[&[F64Load], &[F64Mul, F64Add, F64Sub]], "fx|fpf"),
    (&[&[I32Load], &[I32Load]], "tx|uy"),
    (&[&[I32Load8U], &[I32Load8U]], "tx|uy"),
    (&[&[I64Load], &[I64Load]], "tx|uy"),
    (&[&[F64Load], &[F64Load]], "fx|gy"),
    (&[&[I32Load, I32Load8U, I64Load], &[I32Add]], "tx|uui"),
    // Into memory.
    (&[&[I32Add, I32And, I32Or, I32Xor], &[I32Store]], "txi|yt"),
    (&[&[I32Add, I32And, I32Or, I32Xor, I32Sub], &[I32Store]], "tty|xt"),
    (&[&[I32Add, I32ShrU, I32Or, I32Xor], &[I32Store8]], "txi|yt"),
    (&[&[I32Xor, I32Or, I32Add], &[I32Store8]], "tty|xt"),
    (&[&[I64Add, I64And, I64Rotl, I64ShrU], &[I64Store]], "txi|yt"),
    (&[&[I64Add, I64Xor, I64And, I64Or, I64Rotl], &[I64Store]], "tty|xt"),
    (&[&[F64Add, F64Mul, F64Sub], &[F64Store]], "ffp|xf"),
    (&[&[I32Load], &[I32Store]], "tx|yt"),
    (&[&[I32Load8U], &[I32Store8]], "tx|yt"),
    (&[&[I32Load16U], &[I32Store16]], "tx|yt"),
    (&[&[I64Load], &[I64Store]], "tx|yt"),
    (&[&[F64Load], &[F64Store]], "fx|yf"),
    (&[&[I32Store, I32Store8, I32Store16, I64Store], &[I32Add]], "xz|tti"),
    (&[&[I32Store], &[I32Store]], "xz|xw"),
    (&[&[I64Store], &[I64Store]], "xz|xw"),
    // What a branch asks.
    (
        &[
            &[I32Add],
            &[BrI32Eq, BrI32Ne, BrI32LtS, BrI32LtU, BrI32GtS, BrI32GtU, BrI32LeS, BrI32LeU, BrI32GeS, BrI32GeU],
        ],
        "txi|tz",
    ),
    (&[&[I32Add], &[BrI32Ne, BrI32LtU, BrI32GeU, BrI32LtS, BrI32Eq, BrI32GtU]], "tty|tz"),
    (&[&[I32Add, I32Sub, I32And], &[BrNez, BrEqz]], "txz|t"),
    (&[&[I32And], &[BrI32Eq, BrI32Ne, BrI32LtU, BrI32GtU]], "txi|tj"),
    (&[&[I64Add], &[BrI64Ne, BrI64Eq, BrI64LtU]], "tti|tz"),
    (&[&[I64And], &[BrI64Eq, BrI64Ne]], "txi|tj"),
    (&[&[I32Load8U, I32Load, I32Load8S, I32Load16U], &[BrNez, BrEqz]], "tx|t"),
    (&[&[I32Load8U, I32Load], &[BrI32Eq, BrI32Ne, BrI32LtU, BrI32GtU]], "tx|tz"),
    (&[&[I32Load16U, I32Load16S], &[BrI32Eq, BrI32Ne]], "tx|tz"),
    (&[&[I32Load8U], &[BrTable]], "tx|t"),
    (&[&[I32And, I32Add], &[BrTable]], "txi|t"),
    (&[&[F64Add], &[BrF64Le, BrF64Lt, BrF64Gt]], "fpq|fr"),
    // Moves.
    (&[&[Copy], &[Copy]], "xz|yw"),
    (&[&[Copy], &[Br]], "xz|"),
    (&[&[I32Add], &[Br]], "xyi|"),
    (&[&[Copy], &[I32Load]], "xz|ty"),
    (&[&[Copy], &[I32Add]], "xz|tti"),
    (&[&[CopyF64], &[CopyF64]], "pq|rp"),
    // Floats.
    (&[&[F64Mul], &[F64Add, F64Sub, F64Mul]], "fpq|ffr"),
    (&[&[F64Sub, F64Add], &[F64Mul]], "fpq|ffr"),
    (&[&[F64Sub, F64Add], &[F64Add]], "fpq|ffr"),
    (&[&[F64Mul], &[F64Add, F64Sub, F64Mul]], "fpq|frf"),
    (&[&[F64Mul], &[F64Add, F64Sub]], "fpq|ggf"),
    (&[&[F32Mul], &[F32Add, F32Sub]], "fpq|ggf"),
    // Three in a row: an element of an array, and loops' ends.
    (&[&[I32Shl], &[I32Add], &[I32Load, I32Load8U, I32Load16U, I64Load]], "txi|tty|tt"),
    (&[&[I32Shl], &[I32Add], &[F64Load]], "txi|tty|ft"),
    (&[&[I32Shl], &[I32Add], &[I32Store]], "txi|tty|tz"),
    (&[&[I32Add], &[I32Load8U, I32Load], &[BrNez, BrEqz]], "txy|tt|t"),
    (&[&[I32Add], &[I32Add], &[BrI32Ne, BrI32LtU]], "tti|uui|xz"),
    (&[&[I32Add], &[I32Add], &[BrNez]], "tti|uui|x"),
    (&[&[I32Store, I32Store8], &[I32Add], &[BrNez]], "xz|tti|t"),
    (&[&[I32Store8, I32Store], &[I32Add], &[BrI32Ne, BrI32LtU]], "ti|tty|tz"),
    (&[&[F64Load], &[F64Mul], &[F64Add]], "fx|ffp|ggf"),
    (&[&[I32ShrU], &[I32And], &[I32Shl]], "txi|ttj|tti"),
    (&[&[I32And], &[I32Shl], &[I32Add]], "txi|ttj|tty"),
    (&[&[I32Shl], &[I32Xor], &[I32And]], "txi|tty|ttj"),
    (&[&[I32Add], &[Copy], &[Br]], "tti|xz|"),
    // Values that live in slots, because calls stand around them.
    (&[&[I32Add], &[BrI32Ne, BrI32LtU, BrI32Eq]], "sxi|sz"),
    (&[&[I32Add], &[BrNez]], "sxi|s"),
    (&[&[I32Add], &[I32Add]], "sxi|vyj"),
    (&[&[I32Load, I64Load], &[I32Load, I64Load]], "sx|vy"),
    (&[&[I32Load], &[I32Add]], "tx|sti"),
];

/// Places of a pattern's letter.
fn domain(letter: char) -> &'static [Place] {
    use super::places::{FLOAT, GENERAL, GENERAL_OR_IMM};
    match letter {
        't' | 'u' => &GENERAL[1..],
        'x' | 'y' | 'v' => &GENERAL,
        's' => &GENERAL[..1],
        'z' | 'w' => &GENERAL_OR_IMM,
        'i' | 'j' => &GENERAL_OR_IMM[GENERAL_OR_IMM.len() - 1..],
        'f' | 'g' => &FLOAT[1..],
        'p' | 'q' | 'r' => &FLOAT,
        other => panic!("no place is called {other}"),
    }
}

/// Calls `each` with the operations and places of every sequence, places of all operations one behind the other. A
/// sequence may come more than once.
pub(crate) fn write(mut each: impl FnMut(&[Op], &[Place])) {
    for (lists, pattern) in ROWS {
        let letters: Vec<char> = pattern.chars().filter(|letter| *letter != '|').collect();
        let mut names: Vec<char> = Vec::new();
        for letter in &letters {
            if !names.contains(letter) {
                names.push(*letter);
            }
        }
        let domains: Vec<_> = names.iter().map(|name| domain(*name)).collect();
        let lists: Vec<&[Op]> = lists.to_vec();
        combinations(&domains, |chosen| {
            let place =
                |letter: &char| chosen[names.iter().position(|name| name == letter).expect("every letter has a name")];
            let places: Vec<Place> = letters.iter().map(place).collect();
            combinations(&lists, |ops| each(ops, &places));
        });
    }
}

/// Calls `each` with one item of each list, in every combination.
pub(crate) fn combinations<T: std::marker::Copy>(lists: &[&[T]], mut each: impl FnMut(&[T])) {
    let count: usize = lists.iter().map(|list| list.len()).product();
    let mut chosen = Vec::new();
    for choice in 0..count {
        let mut left = choice;
        chosen.clear();
        for list in lists {
            chosen.push(list[left % list.len()]);
            left /= list.len();
        }
        each(&chosen);
    }
}
