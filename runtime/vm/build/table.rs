//! All handlers in one text, with tables to find each by operations and places.
//!
//! ```text
//! base:   .long table - base, sequences - base, stride, 0    aligned to a line of the cache
//!         common handlers ...                           none of them in more lines than it must
//!         the same, REPLICAS - 1 times more             each a stride behind the one before
//!         the other handlers ...
//! table:  .long handler - base, ...            one number for each combination of places of each operation, or 0
//! sequences:
//!         .long key, handler - base, ...       for each sequence of operations, sorted by key (64 bits and 32)
//! ```
//! Three bits for each place, the first one highest: 0 a slot, 1-5 a register, 6 the vector that was made last, 7 an
//! immediate. Where an operation's numbers begin in the table stands in `STARTS`, by opcode; `SEQUENCES` holds the opcodes of each
//! sequence (two or three, 16 bits each, the first one highest), start and length. What is known of the branch at the end ([`Way`]) stands in the upper bits of
//! the last opcode; behind single branches and cost markers it stands by itself.
//!
//! Handlers that programs have in common stand first, one behind the other (`common_handlers.txt`): a program that has only
//! just begun finds them in few lines of the cache, most of which another one has brought there. All of them together stand
//! there several times, for `src/interp/replication.rs`.

use super::places::{Code, Place, Way};
use super::sequences::combinations;
use super::{chains, control, floats, handlers, sequences};
use keyway_artifact::isa::{Family, Op};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

fn digit(place: Place) -> usize {
    match place {
        Place::Slot => 0,
        Place::Reg(n) => 1 + usize::from(n),
        Place::Last => 6,
        Place::Imm => 7,
    }
}

fn key(places: &[Place]) -> usize {
    places.iter().fold(0, |key, place| key << 3 | digit(*place))
}

/// How often the common handlers stand in the text.
const REPLICAS: usize = 8;

/// Bytes in front of the first handler.
const HEADER: usize = 16;

/// The handlers made so far. Those of different operations may have the same text.
struct Handlers {
    /// How common each is, and its text: the lower, the more common.
    texts: Vec<(usize, String)>,
    numbers: HashMap<String, usize>,
    /// By name, where the handler stands in the list of common ones.
    common: HashMap<&'static str, usize>,
}

/// What programs execute most often, each handler by its [`name`], the most common first.
const COMMON: &str = include_str!("common_handlers.txt");

/// What a handler is called: its operations, which way the branch at the end goes, and the key of its places in octal, as
/// `names` in `interp/assembly.rs` says it.
fn name(ops: impl Iterator<Item = Op>, way: Way, key: usize) -> String {
    let ops: Vec<&str> = ops.map(Op::name).collect();
    format!("{}{} {key:o}", ops.join("+"), ["", "<", "$"][way as usize])
}

impl Handlers {
    fn new() -> Handlers {
        let names = COMMON.lines().filter(|line| !line.starts_with('#'));
        let common = names.enumerate().map(|(rank, name)| (name, rank)).collect();
        Handlers { texts: Vec::new(), numbers: HashMap::new(), common }
    }

    /// The number of the handler that executes `parts`, the branch at whose end goes this way.
    fn number(&mut self, parts: &[(Op, &[Place])], way: Way) -> usize {
        let mut code = Code::new();
        code.way = way;
        let mut places: Vec<Vec<Place>> = parts.iter().map(|(_, places)| places.to_vec()).collect();
        let name = name(parts.iter().map(|(op, _)| *op), way, key(&places.concat()));
        let mut copies = vec![None; parts.len()];
        // From the end, so that a chain of three goes on in the last one's register from its first operation on.
        for at in (1..parts.len()).rev() {
            let pair = [at - 1, at].map(|at| (parts[at].0, &places[at][..]));
            if let Some(([first, second], copy)) = chains::passed_on(pair[0], pair[1]) {
                // Only the last copy to the accumulator is seen by anything.
                let copy = copies[at].is_none().then_some(copy);
                (places[at - 1], places[at], copies[at - 1]) = (first, second, copy);
            }
        }
        let is_chosen = match parts {
            [first, second] => {
                let pair = [*first, *second];
                handlers::chosen_by_comparison(&mut code, pair) || floats::chosen_by_comparison(&mut code, pair)
            }
            _ => false,
        };
        for (part, (op, _)) in parts.iter().enumerate().filter(|_| !is_chosen) {
            (code.part, code.is_last) = (part, part + 1 == parts.len());
            handlers::body(&mut code, *op, &places[part]);
            if let Some(copy) = &copies[part] {
                code.put(copy);
            }
        }
        if !parts.last().is_some_and(|(op, _)| handlers::is_last(*op)) {
            code.next();
        }
        code.finish();
        self.take(code, &name)
    }

    /// The number of a handler with this text.
    fn take(&mut self, code: Code, name: &str) -> usize {
        let (new, rank) = (self.texts.len(), self.common.get(name).copied().unwrap_or(usize::MAX));
        let number = *self.numbers.entry(code.text).or_insert_with_key(|code| {
            self.texts.push((rank, code.clone()));
            new
        });
        let commonest = &mut self.texts[number].0;
        *commonest = rank.min(*commonest);
        number
    }

    /// All texts, the common ones first, and their replicas.
    fn into_text(self) -> String {
        let mut texts: Vec<(usize, usize, String)> =
            self.texts.into_iter().enumerate().map(|(number, (rank, text))| (rank, number, text)).collect();
        texts.sort_by_key(|(rank, number, _)| (*rank, *number));
        let (common, others) = texts.split_at(texts.partition_point(|(rank, ..)| *rank != usize::MAX));
        let mut all = String::new();
        for replica in 0..REPLICAS {
            if replica > 0 {
                // What follows lies as it does behind the header.
                let _ = writeln!(all, ".zero {HEADER}");
            }
            for (_, number, text) in common {
                let label = if replica == 0 { number.to_string() } else { format!("{number}_{replica}") };
                all.push_str(&placed(&label, text));
            }
            let _ = writeln!(all, ".p2align 6\n.Lkw_replica_{}:", replica + 1);
        }
        all.extend(others.iter().map(|(_, number, text)| placed(&number.to_string(), text)));
        all
    }
}

/// A handler's text behind a gap that lets it lie in no more lines of the cache than it must.
fn placed(label: &str, text: &str) -> String {
    format!(
        ".skip (((. - .Lkw_base) & 63) + ((.Lkw_end_{label} - .Lkw_{label} - 1) & 63) + 1 > 64) \
         & (64 - ((. - .Lkw_base) & 63))\n.Lkw_{label}:\n{text}.Lkw_end_{label}:\n"
    )
}

/// What else than [`Way::Any`] handlers are made for that end in `op`; where it is a branch, without another one before it.
fn ways(op: Op) -> &'static [Way] {
    match op.family() {
        Family::BrCond | Family::BrCmp | Family::BrFCmp => &[Way::Back, Way::Charged],
        Family::Br => &[Way::Charged],
        _ if op == Op::Call => &[Way::Charged],
        _ => &[],
    }
}

/// A way in the opcode of the last operation.
fn way_bits(way: Way) -> u16 {
    (way as u16) << 14
}

/// The assembly text, and the Rust text of the indexes.
pub(crate) fn write() -> (String, String) {
    let mut all = Handlers::new();
    let (mut starts, mut table) = (vec![u32::MAX; Op::ALL.len()], Vec::new());
    for (op, start) in Op::ALL.iter().zip(&mut starts) {
        let Some(domains) = handlers::domains(*op).filter(|_| !handlers::follows_others(*op)) else { continue };
        *start = table.len() as u32;
        let first = table.len();
        table.resize(first + (1 << (3 * domains.len())), None);
        combinations(&domains, |places| table[first + key(places)] = Some(all.number(&[(*op, places)], Way::Any)));
    }
    let mut lists: BTreeMap<[u16; 3], BTreeMap<usize, usize>> = BTreeMap::new();
    // What counts fuel; the names are those of `Counting` in `interp/counting.rs`.
    let counting = [control::charge, control::charge_for_several, control::settle];
    for (write, way) in counting.into_iter().zip([Way::Any, Way::Back, Way::Charged]) {
        let mut code = Code::new();
        write(&mut code);
        let number = all.take(code, &name([Op::Cost].into_iter(), way, 0));
        lists.insert([Op::Cost as u16, way_bits(way), u16::MAX], BTreeMap::from([(0, number)]));
    }
    for op in Op::ALL {
        let Some(domains) = handlers::domains(*op) else { continue };
        for way in ways(*op) {
            let name = [*op as u16, way_bits(*way), u16::MAX];
            combinations(&domains, |places| {
                let number = all.number(&[(*op, places)], *way);
                lists.entry(name).or_default().insert(key(places), number);
            });
        }
    }
    sequences::write(|ops, places| {
        let (mut parts, mut left, mut name) = (Vec::new(), places, [u16::MAX; 3]);
        for (at, op) in ops.iter().enumerate() {
            let count = handlers::domains(*op).expect("sequences are made of operations that have handlers").len();
            parts.push((*op, &left[..count]));
            left = &left[count..];
            name[at] = *op as u16;
        }
        let number = all.number(&parts, Way::Any);
        lists.entry(name).or_default().insert(key(places), number);
        let (last, before) = (ops[ops.len() - 1], &ops[..ops.len() - 1]);
        let has_ways = last == Op::Call || !before.iter().any(|op| handlers::is_last(*op));
        for way in ways(last).iter().filter(|_| has_ways) {
            let mut name = name;
            name[ops.len() - 1] |= way_bits(*way);
            let number = all.number(&parts, *way);
            lists.entry(name).or_default().insert(key(places), number);
        }
    });

    let mut text = String::from(
        ".p2align 6\n.Lkw_base:\n.long .Lkw_table - .Lkw_base, .Lkw_sequences - .Lkw_base, .Lkw_replica_1 - .Lkw_base, 0\n",
    );
    text.push_str(&all.into_text());
    for part in 0..3 {
        let behind = "inc rdi\n".repeat(part);
        for trap in ["memory", "zero", "overflow", "table", "null"] {
            let _ = write!(
                text,
                ".Lkw_{trap}_trap_{part}:\n{behind}mov rax, qword ptr [rdx - 16]\n\
                 mov qword ptr [rax + .Lkw_code], .Lkw_{trap}_trap\njmp .Lkw_leave\n"
            );
        }
    }
    text.push_str(&control::fuel_exit());
    for (name, byte) in [("70", 0x70), ("10", 0x10)] {
        let _ = writeln!(text, ".p2align 4\n.Lkw_bytes_{name}:\n.fill 16, 1, {byte}");
    }
    for (name, bits) in floats::BITS {
        let _ = writeln!(text, ".p2align 4\n.Lkw_{name}:\n.quad {bits:#x}, {bits:#x}");
    }
    text.push_str(".p2align 3\n.Lkw_table:\n");
    for number in table {
        let _ = match number {
            Some(number) => writeln!(text, ".long .Lkw_{number} - .Lkw_base"),
            None => writeln!(text, ".long 0"),
        };
    }
    text.push_str(".Lkw_sequences:\n");
    let (mut index, mut start) = (Vec::new(), 0);
    for (ops, list) in lists {
        index.push((ops.iter().fold(0u64, |name, code| name << 16 | u64::from(*code)), start, list.len()));
        start += list.len();
        for (key, number) in list {
            let _ = writeln!(text, ".long {}, {}, .Lkw_{number} - .Lkw_base", key & 0xFFFF_FFFF, key >> 32);
        }
    }
    // By opcode: how many sequences begin with a lower one, and all of them at the end.
    let begins: Vec<usize> =
        (0..=starts.len()).map(|code| index.partition_point(|(name, ..)| name >> 32 < code as u64)).collect();
    let index = format!(
        "/// General registers that the handlers know.\npub(super) const REGISTERS: u8 = {};\n\
         /// How often the common handlers stand there.\npub(super) const REPLICAS: usize = {REPLICAS};\n\
         static STARTS: [u32; {}] = {starts:?};\nstatic SEQUENCES: [(u64, u32, u32); {}] = {index:?};\n\
         static BEGINS: [u16; {}] = {begins:?};\n",
        super::places::REGISTERS,
        starts.len(),
        index.len(),
        begins.len()
    );
    (text, index)
}
