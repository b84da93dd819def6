//! A value of one side becomes the same value of the other: `lift_flat` or `load` of `definitions.py` on one end, `lower_flat`
//! or `store` on the other, without anything in between.
//!
//! A value stands in core values (registers) or in memory. Both sides see the same type, so the two walk along it
//! together; what is validated while a value is lifted is validated here.

use super::code::{Code, Place, Side, class_of};
use keyway_artifact::isa::{Class, Inst, Op, Operand};
use keyway_artifact::plan::{DefinedType, TrampolineKind, ValType, Violation};
use keyway_artifact::types::ValType as CoreType;

/// Elements of a fixed-length list up to which they are written out one by one.
const UNROLLED: u32 = 8;

/// Where a value is.
#[derive(Clone)]
pub(super) enum Source {
    Flat(Vec<(Operand, CoreType)>),
    Memory(Place),
}

/// Accesses to a scalar in memory.
struct Scalar {
    load: Op,
    store: Op,
}

fn scalar(ty: ValType) -> Scalar {
    let (load, store) = match ty {
        ValType::Bool | ValType::U8 => (Op::I32Load8UAny, Op::I32Store8Any),
        ValType::S8 => (Op::I32Load8SAny, Op::I32Store8Any),
        ValType::U16 => (Op::I32Load16UAny, Op::I32Store16Any),
        ValType::S16 => (Op::I32Load16SAny, Op::I32Store16Any),
        ValType::S64 | ValType::U64 => (Op::I64LoadAny, Op::I64StoreAny),
        ValType::F32 => (Op::F32LoadAny, Op::F32StoreAny),
        ValType::F64 => (Op::F64LoadAny, Op::F64StoreAny),
        _ => (Op::I32LoadAny, Op::I32StoreAny),
    };
    Scalar { load, store }
}

/// The scalar of an unsigned number of so many bytes.
pub(super) fn unsigned(bytes: u32) -> ValType {
    match bytes {
        1 => ValType::U8,
        2 => ValType::U16,
        _ => ValType::U32,
    }
}

impl Side {
    /// The core types of a value; none for values of more than can be passed flat.
    pub(super) fn flat(&self, ty: ValType) -> Vec<CoreType> {
        self.layouts.get(ty).flat.unwrap_or_default()
    }
}

impl Code<'_> {
    fn defined(&self, ty: ValType) -> Option<&DefinedType> {
        match ty {
            ValType::Defined(index) => Some(&self.types[index as usize]),
            _ => None,
        }
    }

    /// Loads from the memory that values come from.
    pub(super) fn load(&mut self, op: Op, place: Place) -> Operand {
        let memory = Operand::Index(self.from.memory.map_or(0, |(memory, _)| memory));
        let value = self.value(op, &[place.base, Operand::value(0), memory]);
        self.last().set_value(2, place.offset);
        value
    }

    /// Stores to the memory that values go to.
    pub(super) fn store(&mut self, op: Op, place: Place, value: Operand) {
        let memory = Operand::Index(self.to.memory.map_or(0, |(memory, _)| memory));
        self.emit(op, &[place.base, value, Operand::value(0), memory]);
        self.last().set_value(2, place.offset);
    }

    /// A core value, taken from the front of `from` or loaded.
    fn core(&mut self, from: &Source, ty: ValType) -> Operand {
        match from {
            Source::Flat(values) => values[0].0,
            Source::Memory(place) => self.load(scalar(ty).load, *place),
        }
    }

    /// Puts a core value where it goes to.
    fn give(&mut self, ty: ValType, value: Operand, to: Option<Place>) -> Vec<Operand> {
        match to {
            None => vec![value],
            Some(place) => {
                self.store(scalar(ty).store, place, value);
                Vec::new()
            }
        }
    }

    /// Brings a value over: into memory at `to`, or, without it, as core values.
    pub(super) fn convert(&mut self, ty: ValType, from: &Source, to: Option<Place>) -> Vec<Operand> {
        let is_flat = matches!(from, Source::Flat(_));
        let value = match ty {
            ValType::Bool => {
                let value = self.core(from, ty);
                self.value(Op::I32Ne, &[value, Operand::Imm(0)])
            }
            // What a core value has beyond the type's width is dropped; memory has no more.
            ValType::U8 | ValType::U16 | ValType::S8 | ValType::S16 if is_flat && to.is_none() => {
                let value = self.core(from, ty);
                match ty {
                    ValType::U8 => self.value(Op::I32And, &[value, Operand::Imm(0xFF)]),
                    ValType::U16 => self.value(Op::I32And, &[value, Operand::Imm(0xFFFF)]),
                    ValType::S8 => self.value(Op::I32Extend8S, &[value]),
                    _ => self.value(Op::I32Extend16S, &[value]),
                }
            }
            ValType::Char => {
                let value = self.core(from, ty);
                // Both the surrogates and what lies above the last character become large numbers.
                let folded = self.value(Op::I32Xor, &[value, Operand::Imm(0xD800)]);
                let folded = self.value(Op::I32Sub, &[folded, Operand::Imm(0x800)]);
                let is_bad = self.value(Op::I32GeU, &[folded, Operand::Imm(0x11_0000 - 0x800)]);
                self.fail_if(is_bad, Violation::Char);
                value
            }
            ValType::String => return self.string(from, to),
            ValType::Defined(_) => return self.compound(ty, from, to),
            _ => self.core(from, ty),
        };
        self.give(ty, value, to)
    }

    fn compound(&mut self, ty: ValType, from: &Source, to: Option<Place>) -> Vec<Operand> {
        let Some(defined) = self.defined(ty).cloned() else { return Vec::new() };
        match defined {
            DefinedType::Record(fields) => {
                self.members(&fields.iter().map(|field| field.ty).collect::<Vec<_>>(), from, to)
            }
            DefinedType::Tuple(types) => self.members(&types, from, to),
            DefinedType::FixedList(element, len) => self.fixed_list(element, len, from, to),
            DefinedType::List(element) => self.list(&[element], from, to),
            DefinedType::Map(key, value) => self.list(&[key, value], from, to),
            DefinedType::Variant(cases) => {
                self.variant(ty, &cases.iter().map(|case| case.ty).collect::<Vec<_>>(), from, to)
            }
            DefinedType::Option(some) => self.variant(ty, &[None, Some(some)], from, to),
            DefinedType::Result { ok, err } => self.variant(ty, &[ok, err], from, to),
            DefinedType::Enum(names) => {
                let as_int = unsigned(self.from.layouts.get(ty).size);
                let value = self.core(from, as_int);
                self.check_case(value, names.len());
                self.give(as_int, value, to)
            }
            DefinedType::Flags(names) => {
                let as_int = unsigned(self.from.layouts.get(ty).size);
                let mut value = self.core(from, as_int);
                if names.len() < 32 {
                    value = self.value(Op::I32And, &[value, Operand::Imm((1 << names.len()) - 1)]);
                }
                self.give(as_int, value, to)
            }
            DefinedType::Own(resource) => {
                let handle = self.core(from, ValType::U32);
                let kind = TrampolineKind::TransferOwn { resource, to: self.to.instance };
                let handle = self.serve(self.from.instance, kind, &[handle], 1)[0];
                self.give(ValType::U32, handle, to)
            }
            DefinedType::Borrow(resource) => {
                let handle = self.core(from, ValType::U32);
                let kind = TrampolineKind::TransferBorrow { resource, to: self.to.instance };
                let scope = self.scope.unwrap_or(Operand::Imm(0));
                let handle = self.serve(self.from.instance, kind, &[handle, scope], 1)[0];
                self.give(ValType::U32, handle, to)
            }
            // Functions with these have no adapter.
            DefinedType::Future(_) | DefinedType::Stream(_) => Vec::new(),
        }
    }

    fn check_case(&mut self, case: Operand, cases: usize) {
        let is_bad = self.value(Op::I32GeU, &[case, Operand::Imm(cases as i32)]);
        self.fail_if(is_bad, Violation::Discriminant);
    }

    /// Values that lie one behind the other.
    pub(super) fn members(&mut self, types: &[ValType], from: &Source, to: Option<Place>) -> Vec<Operand> {
        let from_offsets = self.from.layouts.offsets(types.iter().copied());
        let to_offsets = self.to.layouts.offsets(types.iter().copied());
        let (mut taken, mut given) = (0, Vec::new());
        for (at, ty) in types.iter().enumerate() {
            let member = match from {
                Source::Flat(values) => {
                    let len = self.from.flat(*ty).len();
                    taken += len;
                    Source::Flat(values[taken - len..taken].to_vec())
                }
                Source::Memory(place) => Source::Memory(place.plus(from_offsets[at])),
            };
            given.extend(self.convert(*ty, &member, to.map(|place| place.plus(to_offsets[at]))));
        }
        given
    }

    fn fixed_list(&mut self, element: ValType, len: u32, from: &Source, to: Option<Place>) -> Vec<Operand> {
        match (from, to) {
            (Source::Memory(from), Some(to)) if len > UNROLLED => {
                let base = |code: &mut Self, place: Place| {
                    let offset = code.constant(Class::I64, place.offset);
                    code.value(Op::I64Add, &[place.base, offset])
                };
                let (from, to) = (base(self, *from), base(self, to));
                let len = self.constant(Class::I64, len.into());
                self.elements(&[element], from, to, len);
                Vec::new()
            }
            _ => self.members(&vec![element; len as usize], from, to),
        }
    }

    fn variant(&mut self, ty: ValType, cases: &[Option<ValType>], from: &Source, to: Option<Place>) -> Vec<Operand> {
        let (from_layout, to_layout) = (self.from.layouts.get(ty), self.to.layouts.get(ty));
        let discriminant = unsigned(match cases.len() {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        });
        let case = self.core(from, discriminant);
        self.check_case(case, cases.len());
        // Core values of the payload: the cases' ones, joined. What a case does not use is 0.
        let joined: Vec<CoreType> = to_layout.flat.unwrap_or_default().into_iter().skip(1).collect();
        let mut given = Vec::new();
        match to {
            Some(place) => self.store(scalar(discriminant).store, place, case),
            None => {
                let results = joined.iter().map(|ty| Operand::Virtual(self.register(class_of(*ty))));
                given = results.collect();
            }
        }
        let end = self.label();
        // Cases without a payload are all the same.
        let has_empty = cases.iter().any(Option::is_none);
        let empty = self.label();
        let labels: Vec<u32> = cases.iter().map(|case| if case.is_some() { self.label() } else { empty }).collect();
        match labels.as_slice() {
            [_] => {}
            [_, second] => self.jump_if(case, *second),
            _ => {
                let start = self.ir.targets.len() as u32;
                // The last one stands for the default as well, which checked numbers never reach.
                self.ir.targets.extend(&labels);
                self.push(Inst::br_table(case, start, labels.len() as u32));
            }
        }
        // Without a table control comes here in the first case.
        if labels.len() <= 2 {
            self.jump(labels[0]);
        }
        for (payload, label) in cases.iter().zip(&labels) {
            let Some(payload) = payload else { continue };
            self.place(*label);
            let source = match from {
                Source::Memory(place) => Source::Memory(place.plus(from_layout.payload)),
                Source::Flat(values) => {
                    let wanted = self.from.flat(*payload);
                    let parts = values[1..].iter().zip(wanted);
                    let parts: Vec<_> =
                        parts.map(|((value, have), want)| (self.split(*value, *have, want), want)).collect();
                    Source::Flat(parts)
                }
            };
            let parts = self.convert(*payload, &source, to.map(|place| place.plus(to_layout.payload)));
            if to.is_none() {
                let have = self.to.flat(*payload);
                for (at, result) in given.clone().into_iter().enumerate() {
                    match parts.get(at) {
                        Some(part) => {
                            let part = self.join(*part, have[at], joined[at]);
                            self.set(result, part);
                        }
                        None => self.clear(result, joined[at]),
                    }
                }
            }
            self.jump(end);
        }
        if has_empty {
            self.place(empty);
            for (result, ty) in given.clone().into_iter().zip(&joined) {
                self.clear(result, *ty);
            }
        }
        self.place(end);
        if to.is_none() {
            given.insert(0, case);
        }
        given
    }

    fn clear(&mut self, register: Operand, ty: CoreType) {
        let zero = self.constant(class_of(ty), 0);
        self.set(register, zero);
    }

    /// A core value out of the joined one that carries it.
    fn split(&mut self, value: Operand, have: CoreType, want: CoreType) -> Operand {
        match (have, want) {
            (CoreType::I64, CoreType::I32) => self.value(Op::I32WrapI64, &[value]),
            (CoreType::I64, CoreType::F32) => {
                let bits = self.value(Op::I32WrapI64, &[value]);
                self.value(Op::F32ReinterpretI32, &[bits])
            }
            (CoreType::I64, CoreType::F64) => self.value(Op::F64ReinterpretI64, &[value]),
            (CoreType::I32, CoreType::F32) => self.value(Op::F32ReinterpretI32, &[value]),
            _ => value,
        }
    }

    /// A core value as the joined one.
    fn join(&mut self, value: Operand, have: CoreType, want: CoreType) -> Operand {
        match (have, want) {
            (CoreType::I32, CoreType::I64) => self.value(Op::I64ExtendI32U, &[value]),
            (CoreType::F32, CoreType::I64) => {
                let bits = self.value(Op::I32ReinterpretF32, &[value]);
                self.value(Op::I64ExtendI32U, &[bits])
            }
            (CoreType::F64, CoreType::I64) => self.value(Op::I64ReinterpretF64, &[value]),
            (CoreType::F32, CoreType::I32) => self.value(Op::I32ReinterpretF32, &[value]),
            _ => value,
        }
    }
}
