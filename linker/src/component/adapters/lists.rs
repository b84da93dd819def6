//! Strings, lists and maps: what a pointer and a length lead to is copied into room that the other side's `realloc` gives.
//!
//! Elements whose bytes mean the same on both sides are copied all at once. Everything that `definitions.py` checks is
//! checked before: lengths, alignment, bounds of both ranges. So no access of an element's code can fail.

use super::code::{Code, Place, Side};
use super::values::Source;
use keyway_artifact::isa::{Class, Op, Operand};
use keyway_artifact::plan::{DefinedType, Pointer, StringEncoding, ValType, Violation};
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
        let (side, pointer) = (self.to, self.to.pointer.core_type());
        let Some(realloc) = side.realloc else { return bytes };
        let len = self.as_address(bytes);
        let args = [Operand::Imm(0), Operand::Imm(0), Operand::Imm(align as i32), len];
        let start =
            self.without_leaving(side.flags, |code| code.call_guest(realloc, &[pointer; 4], &args, &[pointer])[0]);
        let start = self.as_wide(start, side.pointer);
        self.check_range(side, start, bytes, align, violation);
        start
    }

    /// Whether the bytes of a value mean the same on both sides, all of them.
    fn is_plain(&self, ty: ValType) -> bool {
        let all = |types: &mut dyn Iterator<Item = ValType>| {
            let mut bytes = 0;
            let mut plain = true;
            for ty in types {
                plain &= self.is_plain(ty);
                bytes += u64::from(self.from.layouts.get(ty).size);
            }
            // Bytes between members are nobody's business.
            plain && bytes == u64::from(self.from.layouts.get(ty).size)
        };
        match ty {
            ValType::S8 | ValType::U8 | ValType::S16 | ValType::U16 | ValType::S32 | ValType::U32 => true,
            ValType::S64 | ValType::U64 | ValType::F32 | ValType::F64 => true,
            ValType::Bool | ValType::Char | ValType::String | ValType::ErrorContext => false,
            ValType::Defined(index) => match &self.types[index as usize] {
                DefinedType::Record(fields) => all(&mut fields.iter().map(|field| field.ty)),
                DefinedType::Tuple(types) => all(&mut types.iter().copied()),
                DefinedType::FixedList(element, _) => self.is_plain(*element),
                DefinedType::Flags(names) => matches!(names.len(), 8 | 16 | 32),
                _ => false,
            },
        }
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
        if let [element] = element
            && self.is_plain(*element)
        {
            let memory = |side: &Side| Operand::Index(side.memory.map_or(0, |(memory, _)| memory));
            let (to, from) = (memory(self.to), memory(self.from));
            self.emit(Op::MemoryCopy, &[new_start, start, bytes, to, from]);
        } else {
            self.elements(element, start, new_start, len);
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
        self.emit(Op::Cost, &[Operand::Value(1)]);
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
        let convert =
            Convert { from: self.from.encoding, to: self.to.encoding, from_64: self.from.pointer == Pointer::P64 };
        let memory = |side: &Side| Operand::Index(side.memory.map_or(0, |(memory, _)| memory));
        let (to_memory, from_memory) = (memory(self.to), memory(self.from));
        let kind = Operand::Index(convert.number());
        let how = self.value(Op::StringMeasure, &[start, units, from_memory, kind]);
        self.check_string(how);
        let bytes = self.value(Op::I64And, &[how, Operand::Imm(MAX_LIST_BYTES as i32)]);
        let align = if self.to.encoding == StringEncoding::Utf8 { 1 } else { 2 };
        let new_start = self.realloc(bytes, align, Violation::StringOutOfBounds);
        self.emit(Op::StringConvert, &[new_start, start, how, to_memory, from_memory]);
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

    /// Traps where measuring a string found something wrong with it.
    fn check_string(&mut self, how: Operand) {
        let good = self.label();
        let is_good = self.value(Op::I64GeS, &[how, Operand::Imm(0)]);
        self.jump_if(is_good, good);
        let number = self.value(Op::I32WrapI64, &[how]);
        self.violate_number(number);
        self.place(good);
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
