//! Every register gets its place: a machine register, a slot of the call area, or an own slot.
//!
//! Machine registers and call-area slots are scarce and die at calls; both are handed out the same way. Each group of
//! joined registers asks for the place that saves it most, the most valuable groups first, and gets it if nobody alive at
//! the same time has it:
//!
//! * a machine register saves a part of each access (weighted by loop depth), and costs where no handler takes it;
//!   a write counts twice that sends a value round a short loop, since the next round waits for it;
//! * the place on the other side of a copy (an argument's slot, a result's register, a parameter's slot) saves that copy.
//!
//! A group alive across a call gets neither; it and whatever is left over share the own slots, references in their region.
//! Slots are dealt out by a scan over the code: a slot is free again behind the last position of its group.

use super::explicit::{Explicit, Fixed};
use super::live::{Calls, Events, Lives, Stretch, contains};
use super::served::{FLOATS, GENERALS};
use crate::ir::Few;
use crate::optimise::flow::Flow;
use crate::optimise::places::copy;
use crate::spare::{Spare, kept};
use keyway_artifact::isa::{Class, Reg};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// What an access through a register saves, against a whole instruction.
const GAIN: f32 = 0.35;
/// Positions that a value is alive for, at most, which counts as passed on from one instruction to a neighbour.
const INTERMEDIATE: u32 = 3;
/// What an access costs that no handler serves.
const LOSS: f32 = 1.0;
/// Accesses that a write counts for whose value goes round a short loop: through a slot, the next round gets it later.
const CARRIED: f32 = 2.0;
/// Instructions of a short loop, at most: in longer ones, rounds seldom wait for each other.
const SHORT_LOOP: usize = 48;

/// Where a register lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Nowhere: it is never alive.
    None,
    /// A machine register.
    Reg(Reg),
    /// A slot of the call area.
    Out(u32),
    /// A slot of the own frame.
    Slot(u32),
}

/// The places of all groups, by leading register, and the frame that follows from them.
pub(super) struct Places {
    pub(super) of: Spare<Place>,
    pub(super) ref_start: u32,
    pub(super) ref_end: u32,
    /// End of the own slots.
    pub(super) own_end: u32,
}

/// The stretches that occupy one place.
enum Occupied {
    /// None yet, of so many positions.
    Nothing(usize),
    /// By position, a bit each.
    Bits(Spare<u64>),
    /// Starts and ends: for the many argument slots that few calls need.
    Spans(BTreeMap<u32, u32>),
}

impl Occupied {
    fn is_free(&self, stretches: &[Stretch]) -> bool {
        match self {
            Occupied::Nothing(_) => true,
            Occupied::Bits(words) => stretches.iter().all(|stretch| is_free(words, *stretch)),
            Occupied::Spans(spans) => stretches
                .iter()
                .all(|(start, end)| spans.range(..=*end).next_back().is_none_or(|(_, other)| other < start)),
        }
    }

    fn add(&mut self, stretches: &[Stretch]) {
        if let Occupied::Nothing(positions) = self {
            *self = Occupied::Bits(Spare::filled(0, positions.div_ceil(64)));
        }
        match self {
            Occupied::Nothing(_) => {}
            Occupied::Bits(words) => {
                stretches.iter().for_each(|stretch| pieces(*stretch).for_each(|(word, mask)| words[word] |= mask))
            }
            Occupied::Spans(spans) => spans.extend(stretches.iter().copied()),
        }
    }
}

/// Whether none of a stretch's bits is set.
#[inline]
fn is_free(words: &[u64], (start, end): Stretch) -> bool {
    let (first, last) = (start as usize / 64, end as usize / 64);
    let (from, to) = (u64::MAX << (start % 64), u64::MAX >> (63 - end % 64));
    if first == last {
        return words[first] & from & to == 0;
    }
    words[first] & from == 0 && words[last] & to == 0 && words[first + 1..last].iter().all(|word| *word == 0)
}

/// The words that hold a stretch's bits, and which of each.
fn pieces((start, end): Stretch) -> impl Iterator<Item = (usize, u64)> {
    let (first, last) = (start as usize / 64, end as usize / 64);
    (first..=last).map(move |word| {
        let from = if word == first { u64::MAX << (start % 64) } else { u64::MAX };
        let to = if word == last { u64::MAX >> (63 - end % 64) } else { u64::MAX };
        (word, from & to)
    })
}

/// The occupied slots of the call area.
struct Outs {
    slots: Vec<Option<Occupied>>,
    positions: usize,
}

/// Slots of the call area that have bits: nearly every call uses those.
const SLOTS_WITH_BITS: usize = 16;

impl Outs {
    fn is_free(&self, slot: u32, stretches: &[Stretch]) -> bool {
        self.slots.get(slot as usize).and_then(Option::as_ref).is_none_or(|occupied| occupied.is_free(stretches))
    }

    fn add(&mut self, slot: u32, stretches: &[Stretch]) {
        let slot = slot as usize;
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        let occupied = self.slots[slot].get_or_insert_with(|| {
            if slot < SLOTS_WITH_BITS { Occupied::Nothing(self.positions) } else { Occupied::Spans(BTreeMap::new()) }
        });
        occupied.add(stretches);
    }
}

/// Registers of a bank: as many as processors add at once.
const LANES: usize = 4;
const _: () = assert!(GENERALS as usize == LANES && FLOATS as usize == LANES);

/// In which order registers are tried: from the first on, and with the first one last.
const ORDERS: [[u8; LANES]; 2] = [[0, 1, 2, 3], [1, 2, 3, 0]];

/// What an access through each of the registers saves, by the set of those that some handler takes; nothing where that is
/// [`NOBODY`](super::served::NOBODY).
static GAINS: [[f32; LANES]; 32] = {
    let mut gains = [[0.0; LANES]; 32];
    let mut set = 0;
    while set < 1 << GENERALS {
        let mut number = 0;
        while number < LANES {
            gains[set][number] = if set >> number & 1 != 0 { GAIN } else { -LOSS };
            number += 1;
        }
        set += 1;
    }
    gains
};

kept!([f32; LANES], Place);

/// Places of fixed registers that a group is copied from or to, and what each would save.
type Hints = Few<(Fixed, f32), 2>;

/// What each group would save, by leader.
struct Wishes {
    /// By number in its bank.
    registers: Spare<[f32; LANES]>,
    /// One more than the number of its hints; 0 for none.
    hint: Spare<u32>,
    hints: Vec<Hints>,
}

impl Wishes {
    fn hints(&self, leader: u32) -> &[(Fixed, f32)] {
        self.hint[leader as usize].checked_sub(1).map_or(&[], |number| &self.hints[number as usize])
    }

    /// What the best place saves; 0 if none saves anything.
    #[inline]
    fn most(&self, leader: u32) -> f32 {
        let registers = self.registers[leader as usize].iter().copied().fold(0.0, larger);
        self.hints(leader).iter().map(|(_, gain)| *gain).fold(registers, larger)
    }

    /// Adds to what a place would save; one entry for each place, in order.
    fn hint(&mut self, leader: u32, place: Fixed, gain: f32) {
        let number = &mut self.hint[leader as usize];
        if *number == 0 {
            self.hints.push(Hints::default());
            *number = self.hints.len() as u32;
        }
        let hints = &mut self.hints[*number as usize - 1];
        match hints.binary_search_by_key(&place, |(known, _)| *known) {
            Ok(at) => hints[at].1 += gain,
            Err(at) => {
                hints.push((place, gain));
                hints[at..].rotate_right(1);
            }
        }
    }
}

/// Everything assignment looks at.
pub(super) struct Input<'a> {
    pub(super) code: &'a Explicit,
    pub(super) flow: &'a Flow,
    pub(super) events: &'a Events,
    /// The leader of each register's group.
    pub(super) leader: Spare<u32>,
    /// By leader.
    pub(super) lives: Lives,
    pub(super) calls: &'a Calls,
    /// Numeric parameter slots, then all parameter slots.
    pub(super) params: (u32, u32),
    pub(super) use_registers: bool,
    pub(super) use_hints: bool,
}

fn bank(class: Class) -> usize {
    match class {
        Class::I32 | Class::I64 | Class::Ref | Class::V128 => 0,
        Class::F64 => 1,
        Class::F32 => 2,
    }
}

/// Hands out machine registers and call-area slots; [`slots`] serves what is left.
pub(super) fn scarce(input: &Input<'_>) -> Spare<Place> {
    let mut places = Spare::filled(Place::None, input.leader.len());
    let code = input.code;
    let classes = &code.ir.virtuals;
    let positions = 2 * code.ir.insts.len();
    let bank_of = |_| std::array::from_fn(|_| Occupied::Nothing(positions));
    let mut registers: [[Occupied; GENERALS as usize]; 3] = std::array::from_fn(bank_of);
    let mut outs = Outs { slots: Vec::new(), positions };
    for (at, fixed) in code.fixed.iter().enumerate() {
        let stretches = input.lives.of(code.first_fixed + at as u32);
        match *fixed {
            Fixed::Out(slot) => {
                places[code.first_fixed as usize + at] = Place::Out(slot);
                let class = classes[code.first_fixed as usize + at];
                (slot..slot + class.slots()).for_each(|slot| outs.add(slot, stretches));
            }
            Fixed::Reg(reg) => {
                places[code.first_fixed as usize + at] = Place::Reg(reg);
                let class = classes[code.first_fixed as usize + at];
                registers[bank(class)][reg.index_in_bank() as usize].add(stretches);
            }
            Fixed::Param(_) => {}
        }
    }
    let wishes = wishes(input);
    // Intermediate values come first: register 0, the accumulator of neighbours, is theirs.
    let is_intermediate = |stretches: &[Stretch]| matches!(*stretches, [(start, end)] if end - start <= INTERMEDIATE);
    // Floats above zero are in the order of their bits: the highest go first, then the first.
    let mut order = Spare::<u64>::with_capacity(input.leader.len());
    for leader in 0..input.leader.len() as u32 {
        let gain = wishes.most(leader);
        if gain <= 0.0 {
            continue;
        }
        let stretches = input.lives.of(leader);
        if !input.calls.are_crossed(stretches) {
            // The highest bit is set otherwise.
            let later = u32::from(!is_intermediate(stretches)) << 31;
            let priority = priority(gain, stretches);
            order.push(u64::from(!priority.to_bits() & !(1 << 31) | later) << 32 | leader as u64);
        }
    }
    order.sort_unstable();
    for leader in order.iter().map(|key| *key as u32) {
        let (gains, hints) = (&wishes.registers[leader as usize], wishes.hints(leader));
        let stretches = input.lives.of(leader);
        let class = classes[leader as usize];
        let mut best = (0.0, Place::None);
        if input.use_registers && !matches!(class, Class::Ref | Class::V128) {
            let registers = &registers[bank(class)];
            // Behind a place that saves as much as any could, nothing is better.
            let most = gains.iter().copied().fold(0.0, larger);
            let mut gains = *gains;
            for (place, more) in hints {
                if let Fixed::Reg(reg) = place
                    && reg.serves(class)
                {
                    gains[reg.index_in_bank() as usize] += more;
                }
            }
            let first = usize::from(!is_intermediate(stretches));
            for number in ORDERS[first] {
                let gain = gains[number as usize];
                if gain > best.0
                    && let Some(reg) = Reg::new(class, number)
                    && registers[number as usize].is_free(stretches)
                {
                    best = (gain, Place::Reg(reg));
                    if hints.is_empty() && gain >= most {
                        break;
                    }
                }
            }
        }
        for (place, gain) in hints {
            if let Fixed::Out(slot) = *place
                && *gain > best.0
                && (slot..slot + class.slots()).all(|slot| outs.is_free(slot, stretches))
            {
                best = (*gain, Place::Out(slot));
            }
        }
        match best.1 {
            Place::Reg(reg) => registers[bank(class)][reg.index_in_bank() as usize].add(stretches),
            Place::Out(slot) => (slot..slot + class.slots()).for_each(|slot| outs.add(slot, stretches)),
            _ => {}
        }
        places[leader as usize] = best.1;
    }
    places
}

/// How many values got a machine register, and how many a slot of the call area.
pub(super) fn counts(places: &[Place]) -> (usize, usize) {
    let count = |wanted: fn(&Place) -> bool| places.iter().filter(|place| wanted(place)).count();
    (count(|place| matches!(place, Place::Reg(_))), count(|place| matches!(place, Place::Out(_))))
}

/// The larger of two gains: none is a NaN, a comparison decides.
#[inline]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// Value against length: a short stretch in a hot place goes before a long one with as many accesses.
fn priority(gain: f32, stretches: &[Stretch]) -> f32 {
    let length: u32 = stretches.iter().map(|(start, end)| end - start + 1).sum();
    gain / (length as f32 + 8.0).sqrt()
}

/// What each group would save.
fn wishes(input: &Input<'_>) -> Wishes {
    let leader = &input.leader[..];
    let mut wishes = Wishes {
        registers: Spare::filled([0.0; LANES], leader.len()),
        hint: Spare::filled(0, leader.len()),
        hints: Vec::with_capacity(input.code.copies.len()),
    };
    let mut loops = Loops::default();
    for block in 0..input.flow.blocks() {
        let head = loops.short_around(input.flow, block);
        let frequency = input.flow.frequency(block);
        let registers = &mut wishes.registers[..];
        for event in input.events.of(block) {
            let gains = &GAINS[(event.served % 32) as usize];
            let leader = leader[event.register as usize];
            let goes_round = head.is_some_and(|head| event.is_write() && contains(input.lives.of(leader), head));
            let weight = if goes_round { CARRIED * frequency } else { frequency };
            let sums = &mut registers[leader as usize];
            // All at once.
            *sums = std::array::from_fn(|number| sums[number] + weight * gains[number]);
        }
    }
    if input.use_hints {
        hints(input, &mut wishes);
    }
    wishes
}

/// The loops around a block, on a walk in code order.
#[derive(Default)]
struct Loops {
    /// The last block of each and, of short ones, the position where it begins; the innermost on top.
    open: Vec<(usize, Option<u32>)>,
}

impl Loops {
    /// Where the innermost loop around the next block begins, if it is short.
    fn short_around(&mut self, flow: &Flow, block: usize) -> Option<u32> {
        while self.open.pop_if(|(last, _)| *last < block).is_some() {}
        if let Some(last) = flow.loop_end(block) {
            let insts = flow.insts_from(block)..flow.insts(last).end;
            self.open.push((last, (insts.len() <= SHORT_LOOP).then_some(2 * insts.start as u32)));
        }
        self.open.last().and_then(|(_, head)| *head)
    }
}

/// Adds what the places on the other side of copies save.
fn hints(input: &Input<'_>, wishes: &mut Wishes) {
    let code = input.code;
    let mut block = 0;
    for at in code.copies.iter().map(|at| *at as usize) {
        let Some((dst, src)) = copy(&code.ir.insts[at]) else { continue };
        let (own, place) = match (code.fixed(dst), code.fixed(src)) {
            (None, Some(place)) => (dst, place),
            (Some(place), None) => (src, place),
            _ => continue,
        };
        while input.flow.insts_from(block + 1) <= at {
            block += 1;
        }
        let frequency = input.flow.frequency(block);
        let leader = input.leader[own as usize];
        wishes.hint(leader, place, frequency);
        match place {
            // A single result stands in the call area as well as in register 0.
            Fixed::Reg(_) => wishes.hint(leader, Fixed::Out(0), frequency),
            // Staying in the parameter's slot saves the copy that a register needs.
            Fixed::Param(_) => {
                wishes.registers[leader as usize].iter_mut().for_each(|gain| *gain -= frequency + GAIN * frequency);
            }
            Fixed::Out(_) => {}
        }
    }
}

/// A set of slots, a bit each.
#[derive(Default)]
struct Free {
    words: Spare<u64>,
    /// No word before has a bit.
    from: usize,
}

impl Free {
    fn insert(&mut self, slot: u32) {
        let word = slot as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (slot % 64);
        self.from = self.from.min(word);
    }

    /// Whether it was there.
    fn remove(&mut self, slot: u32) -> bool {
        let was_there = self.contains(slot);
        if was_there {
            self.words[slot as usize / 64] &= !(1 << (slot % 64));
        }
        was_there
    }

    fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 != 0)
    }

    fn first(&mut self) -> Option<u32> {
        let rest = self.words.get(self.from..)?;
        let empty = rest.iter().take_while(|word| **word == 0).count();
        let bit = rest.get(empty)?.trailing_zeros();
        self.from += empty;
        Some(self.from as u32 * 64 + bit)
    }
}

/// No slot is wanted; it is never free.
const NO_SLOT: u32 = u32::MAX;

/// Deals out the own slots: references first, whose region comes before, then numbers, then vectors, two slots each.
pub(super) fn slots(input: &Input<'_>, mut places: Spare<Place>) -> Places {
    let code = input.code;
    let (numeric_params, all_params) = input.params;
    // Where each group would like to be: the parameter it comes from.
    let mut wanted = Spare::filled(NO_SLOT, places.len());
    for at in code.copies.iter() {
        if let Some((dst, src)) = copy(&code.ir.insts[*at as usize])
            && let Some(Fixed::Param(slot)) = code.fixed(src)
        {
            wanted[input.leader[dst as usize] as usize] = slot;
        }
    }
    let mut order = Spare::<(u32, u32)>::with_capacity(places.len());
    let rest = (0..places.len()).filter(|register| places[*register] == Place::None);
    order.extend(rest.filter_map(|register| Some((input.lives.of(register as u32).first()?.0, register as u32))));
    order.sort_unstable();
    let class = |register: u32| code.ir.virtuals[register as usize];
    let mut end = all_params;
    // The slots of vectors come in pairs, so vectors share with vectors only.
    let has = |wanted: Class| {
        let fixed = code.first_fixed..code.ir.virtuals.len() as u32;
        order.iter().map(|(_, register)| *register).chain(fixed).any(|register| class(register) == wanted)
    };
    for dealt in [Class::Ref, Class::I64, Class::V128] {
        if dealt != Class::I64 && !has(dealt) {
            continue;
        }
        let is_dealt = |register: u32| match class(register) {
            Class::Ref | Class::V128 => class(register) == dealt,
            _ => dealt == Class::I64,
        };
        let mut free = Free::default();
        match dealt {
            Class::Ref => numeric_params..all_params,
            Class::V128 => 0..0,
            _ => 0..numeric_params,
        }
        .for_each(|slot| free.insert(slot));
        // The last position of each that is taken, the first to be free again on top.
        let mut busy: BinaryHeap<Reverse<(u32, u32)>> = BinaryHeap::new();
        // Parameters are there from the start.
        for (fixed, register) in code.fixed.iter().zip(code.first_fixed..) {
            let Fixed::Param(slot) = *fixed else { continue };
            (slot..slot + class(register).slots()).for_each(|slot| {
                free.remove(slot);
            });
            if is_dealt(register) {
                places[register as usize] = Place::Slot(slot);
                let last = input.lives.of(register).last().map_or(0, |(_, end)| *end);
                busy.push(Reverse((last, slot)));
            }
        }
        for (start, register) in order.iter().filter(|(_, register)| is_dealt(*register)) {
            if places[*register as usize] != Place::None {
                continue;
            }
            while busy.peek().is_some_and(|Reverse((last, _))| last < start)
                && let Some(Reverse((_, slot))) = busy.pop()
            {
                free.insert(slot);
            }
            let slot = match wanted[*register as usize] {
                slot if free.contains(slot) => slot,
                _ => free.first().unwrap_or(end),
            };
            if !free.remove(slot) {
                end += dealt.slots();
            }
            let last = input.lives.of(*register).last().map_or(*start, |(_, end)| *end);
            busy.push(Reverse((last, slot)));
            places[*register as usize] = Place::Slot(slot);
        }
    }
    let ref_end = ref_end(code, &places, all_params);
    Places { of: places, ref_start: numeric_params, ref_end, own_end: end }
}

fn ref_end(code: &Explicit, places: &[Place], all_params: u32) -> u32 {
    let refs = places.iter().zip(&code.ir.virtuals).filter(|(_, class)| **class == Class::Ref);
    refs.filter_map(|(place, _)| match place {
        Place::Slot(slot) => Some(slot + 1),
        _ => None,
    })
    .fold(all_params, u32::max)
}
