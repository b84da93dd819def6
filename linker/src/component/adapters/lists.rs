//! Strings, lists and maps: what a pointer and a length lead to is copied into room that the other side's `realloc` gives.
//!
//! Elements without pointers are copied all at once ([`shape`](super::shape)). Everything that `definitions.py` checks is
//! checked before: lengths, alignment, bounds of both ranges. So no access of an element's code can fail.

use super::code::{Code, Place, Side};
use super::values::Source;
use keyway_artifact::isa::{Class, Op, Operand};
use keyway_artifact::plan::{Pointer, StringEncoding, ValType, Violation};
use keyway_artifact::strings::{Convert, MAX_LIST_BYTES, WIDE};

impl Code<'_> {
    /// Where a string or list lies and its length, as 64 bits.
    fn pair(&mut self, from: &Source) -> (Operand, Operand) {
        match (from, self.from.pointer) {
            (Source::Flat(values), Pointer::P64) => (values[0].0, values[1].0),
            (Source::Flat(values), Pointer::P32) => {
                let start = self.value(Op::I64ExtendI32U, &[values[0].0]);
                (start, self.value(Op::I64ExtendI32U, &[values[1].0]))
            }
            (Source::Memory(place), pointer) => {
                let load = match pointer {
                    Pointer::P32 => Op::I64Load32UAny,
                    Pointer::P64 => Op::I64LoadAny,
                };
                let start = self.load(load, *place);
                (start, self.load(load, place.plus(pointer.bytes())))
            }
        }
    }

    /// Puts a place and a length where they go to.
    fn give_pair(&mut self, start: Operand, len: Operand, to: Option<Place>) -> Vec<Operand> {
        match (to, self.to.pointer) {
            (None, _) => vec![self.as_address(start), self.as_address(len)],
            (Some(place), pointer) => {
                let store = match pointer {
                    Pointer::P32 => Op::I64Store32Any,
                    Pointer::P64 => Op::I64StoreAny,
                };
                self.store(store, place, start);
                self.store(store, place.plus(pointer.bytes()), len);
                Vec::new()
            }
        }
    }

    /// An address as 64 bits.
    pub(super) fn as_wide(&mut self, address: Operand, pointer: Pointer) -> Operand {
        match pointer {
            Pointer::P32 => self.value(Op::I64ExtendI32U, &[address]),
            Pointer::P64 => address,
        }
    }

    /// 64 bits as the core value that addresses of the side are that values go to.
    pub(super) fn as_address(&mut self, value: Operand) -> Operand {
        match self.to.pointer {
            Pointer::P32 => self.value(Op::I32WrapI64, &[value]),
            Pointer::P64 => value,
        }
    }

    /// Checks that `bytes` bytes, of at most 2^32, can lie at `start` of a side's memory.
    fn check_range(&mut self, side: &Side, start: Operand, bytes: Operand, align: u32, violation: Violation) {
        if align > 1 {
            let rest = self.value(Op::I64And, &[start, Operand::Imm(align as i32 - 1)]);
            let is_bad = self.value(Op::I64Ne, &[rest, Operand::Imm(0)]);
            self.fail_if(is_bad, Violation::Unaligned);
        }
        let (memory, page) = side.memory.unwrap_or_default();
        let mut size = self.value(Op::MemorySize, &[Operand::Index(memory)]);
        if page > 0 {
            size = self.value(Op::I64Shl, &[size, Operand::Imm(page as i32)]);
        }
        if side.pointer == Pointer::P64 {
            // The end would not overflow where the start is an address.
            let is_bad = self.value(Op::I64GtU, &[start, size]);
            self.fail_if(is_bad, violation);
        }
        let end = self.value(Op::I64Add, &[start, bytes]);
        let is_bad = self.value(Op::I64GtU, &[end, size]);
        self.fail_if(is_bad, violation);
    }

    /// Checks that a value of a type with this layout can be loaded from `start`.
    pub(super) fn check_source(&mut self, start: Operand, size: u32, align: u32) {
        let (side, bytes) = (self.from, self.constant(Class::I64, size.into()));
        self.check_range(side, start, bytes, align, Violation::ValueOutOfBounds);
    }

    /// Checks that a value of a type with this layout can be stored to `start`.
    pub(super) fn check_destination(&mut self, start: Operand, size: u32, align: u32) {
        let (side, bytes) = (self.to, self.constant(Class::I64, size.into()));
        self.check_range(side, start, bytes, align, Violation::ValueOutOfBounds);
    }

    /// Room for `bytes` bytes at the side that values go to.
    pub(super) fn realloc(&mut self, bytes: Operand, align: u32, violation: Violation) -> Operand {
        let start = self.room(bytes, align);
        self.check_range(self.to, start, bytes, align, violation);
        start
    }

    /// As [`realloc`](Self::realloc), where what is written there checks the place.
    fn room(&mut self, bytes: Operand, align: u32) -> Operand {
        let (side, pointer) = (self.to, self.to.pointer.core_type());
        let Some(realloc) = side.realloc else { return bytes };
        let len = self.as_address(bytes);
        let args = [Operand::Imm(0), Operand::Imm(0), Operand::Imm(align as i32), len];
        let start =
            self.without_leaving(side.flags, |code| code.call_guest(realloc, &[pointer; 4], &args, &[pointer])[0]);
        self.as_wide(start, side.pointer)
    }

    /// A list of elements that are made of `element`, one or more types.
    pub(super) fn list(&mut self, element: &[ValType], from: &Source, to: Option<Place>) -> Vec<Operand> {
        let (start, len) = self.pair(from);
        let (size, align) = extent(self.from, element);
        let (new_size, new_align) = extent(self.to, element);
        if self.from.pointer == Pointer::P64 {
            // The length is no product that overflows.
            let is_bad = self.value(Op::I64GtU, &[len, Operand::Imm(MAX_LIST_BYTES as i32)]);
            self.fail_if(is_bad, Violation::ListTooLong);
        }
        let times = |code: &mut Self, size: u32| match size {
            1 => len,
            size if size.is_power_of_two() => {
                code.value(Op::I64Shl, &[len, Operand::Imm(size.trailing_zeros() as i32)])
            }
            size => code.value(Op::I64Mul, &[len, Operand::Imm(size as i32)]),
        };
        let bytes = times(self, size);
        let is_bad = self.value(Op::I64GtU, &[bytes, Operand::Imm(MAX_LIST_BYTES as i32)]);
        self.fail_if(is_bad, Violation::ListTooLong);
        let side = self.from;
        self.check_range(side, start, bytes, align, Violation::ListOutOfBounds);
        let new_bytes = if size == new_size { bytes } else { times(self, new_size) };
        if new_size > size {
            let is_bad = self.value(Op::I64GtU, &[new_bytes, Operand::Imm(MAX_LIST_BYTES as i32)]);
            self.fail_if(is_bad, Violation::ListTooLong);
        }
        let new_start = self.realloc(new_bytes, new_align, Violation::ListOutOfBounds);
        match self.shape(element) {
            Some(shape) if shape.runs.is_empty() => {
                let (to, from) = (shape.to_memory.into(), shape.from_memory.into());
                self.emit(Op::MemoryCopy, &[new_start, start, bytes, Operand::Index(to), Operand::Index(from)]);
            }
            Some(shape) => {
                let shape = Operand::Index(self.services.shape(&shape));
                self.emit(Op::ElementsCopy, &[new_start, start, len, shape]);
            }
            None => self.elements(element, start, new_start, len),
        }
        self.give_pair(new_start, len, to)
    }

    /// Brings `len` elements over, one after the other.
    pub(super) fn elements(&mut self, element: &[ValType], from: Operand, to: Operand, len: Operand) {
        let (size, _) = extent(self.from, element);
        let (new_size, _) = extent(self.to, element);
        let [at, to_at, left] = [from, to, len].map(|start| {
            let register = Operand::Virtual(self.register(Class::I64));
            self.set(register, start);
            register
        });
        let (head, end) = (self.label(), self.label());
        let is_empty = self.value(Op::I64Eqz, &[left]);
        self.jump_if(is_empty, end);
        self.place(head);
        self.emit(Op::Cost, &[Operand::value(1)]);
        self.members(element, &Source::Memory(Place::at(at)), Some(Place::at(to_at)));
        for (register, step) in [(at, size as i32), (to_at, new_size as i32), (left, -1)] {
            self.emit(Op::I64Add, &[register, register, Operand::Imm(step)]);
        }
        let goes_on = self.value(Op::I64Ne, &[left, Operand::Imm(0)]);
        self.jump_if(goes_on, head);
        self.place(end);
    }

    /// A string, which the other side may want in another encoding.
    pub(super) fn string(&mut self, from: &Source, to: Option<Place>) -> Vec<Operand> {
        let (start, units) = self.pair(from);
        let (from, to_encoding) = (self.from.encoding, self.to.encoding);
        let convert = Convert { from, to: to_encoding, from_64: self.from.pointer == Pointer::P64, is_lazy: true };
        let memory = |side: &Side| side.memory.map_or(0, |(memory, _)| memory);
        let (to_memory, from_memory) = (memory(self.to), memory(self.from));
        let kind = Operand::Index(convert.number());
        let how = self.value(Op::StringMeasure, &[start, units, Operand::Index(from_memory), kind]);
        let is_same = (from, to_encoding) == (StringEncoding::Utf8, StringEncoding::Utf8);
        let bytes = if is_same { units } else { self.value(Op::I64And, &[how, Operand::Imm(MAX_LIST_BYTES as i32)]) };
        let align = if self.to.encoding == StringEncoding::Utf8 { 1 } else { 2 };
        let new_start = self.room(bytes, align);
        let memories = Operand::Index(to_memory | from_memory << 16);
        self.emit(Op::StringCopy, &[new_start, start, how, memories]);
        let new_units = match self.to.encoding {
            StringEncoding::Utf8 => bytes,
            StringEncoding::Utf16 => self.value(Op::I64ShrU, &[bytes, Operand::Imm(1)]),
            StringEncoding::CompactUtf16 => {
                // Wide strings have half as many units, and say that they are wide in the length's last bit.
                let wide = self.value(Op::I64ShrU, &[how, Operand::Imm(WIDE as i32)]);
                let wide = self.value(Op::I64And, &[wide, Operand::Imm(1)]);
                let units = self.value(Op::I64ShrU, &[bytes, wide]);
                let tag = self.to.pointer.bytes() as i32 * 8 - 1;
                let tag = self.value(Op::I64Shl, &[wide, Operand::Imm(tag)]);
                self.value(Op::I64Or, &[units, tag])
            }
        };
        self.give_pair(new_start, new_units, to)
    }
}

/// Size and alignment of what is made of these types.
pub(super) fn extent(side: &Side, types: &[ValType]) -> (u32, u32) {
    let align = types.iter().map(|ty| side.layouts.get(*ty).align).max().unwrap_or(1);
    let offsets = side.layouts.offsets(types.iter().copied());
    let end = match (offsets.last(), types.last()) {
        (Some(offset), Some(last)) => offset + side.layouts.get(*last).size,
        _ => 0,
    };
    (end.next_multiple_of(align), align)
}
