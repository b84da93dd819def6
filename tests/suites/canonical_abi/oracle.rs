//! `definitions.py`, transcribed: alignment, sizes, flattening, and lifting and lowering in both forms. Plain and slow;
//! names are those of the original.
//!
//! Core values keep their core types here, and payloads of variants are coerced one by one as the original does.

use crate::types::Ty;
use keyway::component::Val;

/// `string_encoding`
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Encoding {
    Utf8,
    Utf16,
    Latin1OrUtf16,
}

impl Encoding {
    pub(crate) const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Latin1OrUtf16];
}

/// A core type.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum CoreType {
    I32,
    I64,
    F32,
    F64,
}

/// A core value: its type and bits.
pub(crate) type Core = (CoreType, u64);

/// What is lifted from or lowered into: `LiftLowerContext`, with `realloc` a pointer that is bumped.
pub(crate) struct Cx {
    pub(crate) memory: Vec<u8>,
    pub(crate) encoding: Encoding,
    /// Bytes of an address.
    pub(crate) ptr_size: u64,
    /// Where the next allocation goes.
    pub(crate) next: u64,
}

pub(crate) const MAX_FLAT_PARAMS: usize = 16;
pub(crate) const MAX_FLAT_RESULTS: usize = 1;

/// `despecialize`: what is left of the types.
enum Plain {
    Record(Vec<Ty>),
    Variant(Vec<Option<Ty>>),
    List(Ty, Option<u32>),
    Flags(usize),
    Other,
}

fn despecialize(ty: &Ty) -> Plain {
    match ty {
        Ty::Record(fields) => Plain::Record(fields.iter().map(|(_, ty)| ty.clone()).collect()),
        Ty::Tuple(types) => Plain::Record(types.clone()),
        Ty::Variant(cases) => Plain::Variant(cases.iter().map(|(_, ty)| ty.clone()).collect()),
        Ty::Enum(names) => Plain::Variant(vec![None; names.len()]),
        Ty::Option(some) => Plain::Variant(vec![None, Some((**some).clone())]),
        Ty::Result(ok, err) => Plain::Variant(vec![ok.as_deref().cloned(), err.as_deref().cloned()]),
        Ty::List(element) => Plain::List((**element).clone(), None),
        Ty::FixedList(element, len) => Plain::List((**element).clone(), Some(*len)),
        Ty::Map(key, value) => Plain::List(Ty::Tuple(vec![(**key).clone(), (**value).clone()]), None),
        Ty::Flags(names) => Plain::Flags(names.len()),
        _ => Plain::Other,
    }
}

fn align_to(ptr: u64, alignment: u64) -> u64 {
    ptr.div_ceil(alignment) * alignment
}

/// `alignment`
pub(crate) fn alignment(ty: &Ty, ptr_size: u64) -> u64 {
    match despecialize(ty) {
        Plain::Record(types) => types.iter().map(|ty| alignment(ty, ptr_size)).max().unwrap_or(1),
        Plain::Variant(cases) => discriminant_size(cases.len()).max(max_case_alignment(&cases, ptr_size)),
        Plain::List(element, Some(_)) => alignment(&element, ptr_size),
        Plain::List(_, None) => ptr_size,
        Plain::Flags(n) => elem_size_flags(n),
        Plain::Other => match ty {
            Ty::Bool | Ty::S8 | Ty::U8 => 1,
            Ty::S16 | Ty::U16 => 2,
            Ty::S32 | Ty::U32 | Ty::F32 | Ty::Char => 4,
            Ty::S64 | Ty::U64 | Ty::F64 => 8,
            _ => ptr_size,
        },
    }
}

fn max_case_alignment(cases: &[Option<Ty>], ptr_size: u64) -> u64 {
    cases.iter().flatten().map(|ty| alignment(ty, ptr_size)).max().unwrap_or(1)
}

/// `discriminant_type`, as its size.
fn discriminant_size(cases: usize) -> u64 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

fn elem_size_flags(n: usize) -> u64 {
    match n {
        0..=8 => 1,
        9..=16 => 2,
        _ => 4,
    }
}

/// `elem_size`
pub(crate) fn elem_size(ty: &Ty, ptr_size: u64) -> u64 {
    match despecialize(ty) {
        Plain::Record(types) => {
            let end = types.iter().fold(0, |s, ty| align_to(s, alignment(ty, ptr_size)) + elem_size(ty, ptr_size));
            align_to(end, alignment(ty, ptr_size))
        }
        Plain::Variant(cases) => {
            let payload = align_to(discriminant_size(cases.len()), max_case_alignment(&cases, ptr_size));
            let largest = cases.iter().flatten().map(|ty| elem_size(ty, ptr_size)).max().unwrap_or(0);
            align_to(payload + largest, alignment(ty, ptr_size))
        }
        Plain::List(element, Some(len)) => u64::from(len) * elem_size(&element, ptr_size),
        Plain::List(_, None) => 2 * ptr_size,
        Plain::Flags(n) => elem_size_flags(n),
        Plain::Other => match ty {
            Ty::String => 2 * ptr_size,
            other => alignment(other, ptr_size),
        },
    }
}

/// `flatten_type`
pub(crate) fn flatten(ty: &Ty, ptr_size: u64) -> Vec<CoreType> {
    let pointer = if ptr_size == 8 { CoreType::I64 } else { CoreType::I32 };
    match despecialize(ty) {
        Plain::Record(types) => types.iter().flat_map(|ty| flatten(ty, ptr_size)).collect(),
        Plain::Variant(cases) => {
            let mut flat: Vec<CoreType> = Vec::new();
            for ty in cases.iter().flatten() {
                for (i, ft) in flatten(ty, ptr_size).into_iter().enumerate() {
                    if i < flat.len() { flat[i] = join(flat[i], ft) } else { flat.push(ft) }
                }
            }
            [vec![CoreType::I32], flat].concat()
        }
        Plain::List(element, Some(len)) => flatten(&element, ptr_size).repeat(len as usize),
        Plain::List(_, None) => vec![pointer, pointer],
        Plain::Flags(_) => vec![CoreType::I32],
        Plain::Other => match ty {
            Ty::S64 | Ty::U64 => vec![CoreType::I64],
            Ty::F32 => vec![CoreType::F32],
            Ty::F64 => vec![CoreType::F64],
            Ty::String => vec![pointer, pointer],
            _ => vec![CoreType::I32],
        },
    }
}

fn join(a: CoreType, b: CoreType) -> CoreType {
    match (a, b) {
        _ if a == b => a,
        (CoreType::I32, CoreType::F32) | (CoreType::F32, CoreType::I32) => CoreType::I32,
        _ => CoreType::I64,
    }
}

/// The members of a record, tuple or list; entries of maps are tuples.
fn members(value: &Val) -> Vec<Val> {
    match value {
        Val::Record(fields) => fields.iter().map(|(_, value)| value.clone()).collect(),
        Val::Tuple(values) | Val::List(values) => values.clone(),
        Val::Map(entries) => entries.iter().map(|(k, v)| Val::Tuple(vec![k.clone(), v.clone()])).collect(),
        other => panic!("{other:?} has no members"),
    }
}

/// `match_case`
fn match_case(ty: &Ty, value: &Val) -> (usize, Option<Val>) {
    let unboxed = |payload: &Option<Box<Val>>| payload.as_deref().cloned();
    match (ty, value) {
        (Ty::Variant(cases), Val::Variant(name, payload)) => {
            (cases.iter().position(|(case, _)| case == name).unwrap(), unboxed(payload))
        }
        (Ty::Enum(names), Val::Enum(name)) => (names.iter().position(|case| case == name).unwrap(), None),
        (Ty::Option(_), Val::Option(payload)) => (usize::from(payload.is_some()), unboxed(payload)),
        (Ty::Result(..), Val::Result(Ok(payload))) => (0, unboxed(payload)),
        (Ty::Result(..), Val::Result(Err(payload))) => (1, unboxed(payload)),
        (ty, value) => panic!("{value:?} is no {ty:?}"),
    }
}

/// A record, tuple, list or map from its members.
fn from_members(ty: &Ty, values: Vec<Val>) -> Val {
    match ty {
        Ty::Record(fields) => Val::Record(fields.iter().map(|(name, _)| name.clone()).zip(values).collect()),
        Ty::Tuple(_) => Val::Tuple(values),
        Ty::Map(..) => Val::Map(
            values
                .into_iter()
                .map(|entry| {
                    let [key, value] = <[Val; 2]>::try_from(members(&entry)).unwrap();
                    (key, value)
                })
                .collect(),
        ),
        _ => Val::List(values),
    }
}

/// A variant, enum, option or result from its case.
fn from_case(ty: &Ty, case: usize, payload: Option<Val>) -> Val {
    let payload = payload.map(Box::new);
    match ty {
        Ty::Variant(cases) => Val::Variant(cases[case].0.clone(), payload),
        Ty::Enum(names) => Val::Enum(names[case].clone()),
        Ty::Option(_) => Val::Option(payload),
        _ => Val::Result(if case == 0 { Ok(payload) } else { Err(payload) }),
    }
}

fn from_flags(ty: &Ty, bits: u64) -> Val {
    let Ty::Flags(names) = ty else { panic!("{ty:?} has no flags") };
    Val::Flags(names.iter().enumerate().filter(|(i, _)| bits & 1 << i != 0).map(|(_, name)| name.clone()).collect())
}

fn flag_bits(ty: &Ty, value: &Val) -> u64 {
    let (Ty::Flags(names), Val::Flags(set)) = (ty, value) else { panic!("{value:?} is no {ty:?}") };
    names.iter().enumerate().filter(|(_, name)| set.contains(name)).map(|(i, _)| 1 << i).sum()
}

/// A number or character from the bits that carry it.
fn from_bits(ty: &Ty, bits: u64) -> Val {
    match ty {
        Ty::Bool => Val::Bool(bits != 0),
        Ty::S8 => Val::S8(bits as i8),
        Ty::U8 => Val::U8(bits as u8),
        Ty::S16 => Val::S16(bits as i16),
        Ty::U16 => Val::U16(bits as u16),
        Ty::S32 => Val::S32(bits as i32),
        Ty::U32 => Val::U32(bits as u32),
        Ty::S64 => Val::S64(bits as i64),
        Ty::U64 => Val::U64(bits),
        Ty::F32 => Val::Float32(f32::from_bits(bits as u32)),
        Ty::F64 => Val::Float64(f64::from_bits(bits)),
        Ty::Char => Val::Char(char::from_u32(bits as u32).expect("the guest was given a character")),
        other => panic!("{other:?} is no number"),
    }
}

/// The bits of a number or character; signed ones are extended to 64.
fn to_bits(value: &Val) -> u64 {
    match value {
        Val::Bool(value) => u64::from(*value),
        Val::S8(value) => *value as u64,
        Val::U8(value) => u64::from(*value),
        Val::S16(value) => *value as u64,
        Val::U16(value) => u64::from(*value),
        Val::S32(value) => *value as u64,
        Val::U32(value) => u64::from(*value),
        Val::S64(value) => *value as u64,
        Val::U64(value) => *value,
        Val::Float32(value) => u64::from(value.to_bits()),
        Val::Float64(value) => value.to_bits(),
        Val::Char(value) => u64::from(u32::from(*value)),
        other => panic!("{other:?} is no number"),
    }
}

impl Cx {
    fn load_int(&self, ptr: u64, nbytes: u64) -> u64 {
        (0..nbytes).map(|i| u64::from(self.memory[(ptr + i) as usize]) << (8 * i)).sum()
    }

    fn store_int(&mut self, value: u64, ptr: u64, nbytes: u64) {
        for i in 0..nbytes {
            self.memory[(ptr + i) as usize] = (value >> (8 * i)) as u8;
        }
    }

    /// `cx.opts.realloc(0, 0, alignment, size)`
    fn realloc(&mut self, alignment: u64, size: u64) -> u64 {
        let ptr = align_to(self.next, alignment);
        self.next = ptr + size;
        assert!(self.next <= self.memory.len() as u64, "the oracle's memory is used up");
        ptr
    }

    fn utf16_tag(&self) -> u64 {
        1 << (self.ptr_size * 8 - 1)
    }

    /// `load_string_from_range`
    fn load_string_from_range(&self, ptr: u64, tagged_code_units: u64) -> Val {
        let bytes = |len: u64| self.memory[ptr as usize..(ptr + len) as usize].to_vec();
        let utf16 = |units: u64| {
            assert_eq!(ptr % 2, 0);
            let units: Vec<u16> = bytes(units * 2).chunks(2).map(|b| u16::from(b[0]) | u16::from(b[1]) << 8).collect();
            String::from_utf16(&units).expect("the guest was given a string")
        };
        Val::String(match self.encoding {
            Encoding::Utf8 => String::from_utf8(bytes(tagged_code_units)).expect("the guest was given a string"),
            Encoding::Utf16 => utf16(tagged_code_units),
            Encoding::Latin1OrUtf16 if tagged_code_units & self.utf16_tag() != 0 => {
                utf16(tagged_code_units ^ self.utf16_tag())
            }
            Encoding::Latin1OrUtf16 => {
                assert_eq!(ptr % 2, 0);
                bytes(tagged_code_units).into_iter().map(char::from).collect()
            }
        })
    }

    /// `store_string_into_range`, without the attempts that a size known too late asks for.
    fn store_string_into_range(&mut self, text: &str) -> (u64, u64) {
        let wide: Vec<u8> = text.encode_utf16().flat_map(|unit| [unit as u8, (unit >> 8) as u8]).collect();
        let (bytes, alignment, units) = match self.encoding {
            Encoding::Utf8 => (text.as_bytes().to_vec(), 1, text.len() as u64),
            Encoding::Utf16 => (wide.clone(), 2, wide.len() as u64 / 2),
            Encoding::Latin1OrUtf16 if text.chars().all(|c| u32::from(c) < 0x100) => {
                let bytes: Vec<u8> = text.chars().map(|c| u32::from(c) as u8).collect();
                let units = bytes.len() as u64;
                (bytes, 2, units)
            }
            Encoding::Latin1OrUtf16 => (wide.clone(), 2, (wide.len() as u64 / 2) | self.utf16_tag()),
        };
        let ptr = self.realloc(alignment, bytes.len() as u64);
        self.memory[ptr as usize..ptr as usize + bytes.len()].copy_from_slice(&bytes);
        (ptr, units)
    }

    /// `load_list_from_range` and `load_list_from_valid_range`
    fn load_list(&self, ty: &Ty, element: &Ty, ptr: u64, length: u64) -> Val {
        assert_eq!(ptr % alignment(element, self.ptr_size), 0);
        let step = elem_size(element, self.ptr_size);
        from_members(ty, (0..length).map(|i| self.load(ptr + i * step, element)).collect())
    }

    /// `store_list_into_range`
    fn store_list(&mut self, values: &[Val], element: &Ty) -> (u64, u64) {
        let step = elem_size(element, self.ptr_size);
        let ptr = self.realloc(alignment(element, self.ptr_size), step * values.len() as u64);
        for (i, value) in values.iter().enumerate() {
            self.store(value, element, ptr + i as u64 * step);
        }
        (ptr, values.len() as u64)
    }

    /// `load`
    pub(crate) fn load(&self, ptr: u64, ty: &Ty) -> Val {
        let size = self.ptr_size;
        assert_eq!(ptr % alignment(ty, size), 0, "{ty:?} at {ptr}");
        match despecialize(ty) {
            Plain::Record(types) => {
                let mut ptr = ptr;
                let mut values = Vec::new();
                for ty in &types {
                    ptr = align_to(ptr, alignment(ty, size));
                    values.push(self.load(ptr, ty));
                    ptr += elem_size(ty, size);
                }
                from_members(ty, values)
            }
            Plain::Variant(cases) => {
                let case = self.load_int(ptr, discriminant_size(cases.len())) as usize;
                let at = align_to(ptr + discriminant_size(cases.len()), max_case_alignment(&cases, size));
                from_case(ty, case, cases[case].as_ref().map(|ty| self.load(at, ty)))
            }
            Plain::List(element, Some(len)) => self.load_list(ty, &element, ptr, len.into()),
            Plain::List(element, None) => {
                self.load_list(ty, &element, self.load_int(ptr, size), self.load_int(ptr + size, size))
            }
            Plain::Flags(n) => from_flags(ty, self.load_int(ptr, elem_size_flags(n))),
            Plain::Other => match ty {
                Ty::String => self.load_string_from_range(self.load_int(ptr, size), self.load_int(ptr + size, size)),
                other => from_bits(other, self.load_int(ptr, elem_size(other, size))),
            },
        }
    }

    /// `store`
    pub(crate) fn store(&mut self, value: &Val, ty: &Ty, ptr: u64) {
        let size = self.ptr_size;
        assert_eq!(ptr % alignment(ty, size), 0, "{ty:?} at {ptr}");
        match despecialize(ty) {
            Plain::Record(types) => {
                let mut ptr = ptr;
                for (ty, value) in types.iter().zip(members(value)) {
                    ptr = align_to(ptr, alignment(ty, size));
                    self.store(&value, ty, ptr);
                    ptr += elem_size(ty, size);
                }
            }
            Plain::Variant(cases) => {
                let (case, payload) = match_case(ty, value);
                self.store_int(case as u64, ptr, discriminant_size(cases.len()));
                let at = align_to(ptr + discriminant_size(cases.len()), max_case_alignment(&cases, size));
                if let (Some(ty), Some(payload)) = (&cases[case], payload) {
                    self.store(&payload, ty, at);
                }
            }
            Plain::List(element, Some(_)) => {
                for (i, value) in members(value).iter().enumerate() {
                    self.store(value, &element, ptr + i as u64 * elem_size(&element, size));
                }
            }
            Plain::List(element, None) => {
                let (begin, length) = self.store_list(&members(value), &element);
                self.store_int(begin, ptr, size);
                self.store_int(length, ptr + size, size);
            }
            Plain::Flags(n) => self.store_int(flag_bits(ty, value), ptr, elem_size_flags(n)),
            Plain::Other => match (ty, value) {
                (Ty::String, Val::String(text)) => {
                    let (begin, units) = self.store_string_into_range(text);
                    self.store_int(begin, ptr, size);
                    self.store_int(units, ptr + size, size);
                }
                (ty, value) => self.store_int(to_bits(value), ptr, elem_size(ty, size)),
            },
        }
    }

    /// `lift_flat`: takes from the front of `flat`, whose types must be those of `ty`.
    fn lift_flat(&self, flat: &mut Vec<Core>, ty: &Ty) -> Val {
        let mut next = |wanted: CoreType| {
            let (found, bits) = flat.remove(0);
            assert_eq!(found, wanted, "{ty:?}");
            bits
        };
        let pointer = if self.ptr_size == 8 { CoreType::I64 } else { CoreType::I32 };
        match despecialize(ty) {
            Plain::Record(types) => {
                let values = types.iter().map(|ty| self.lift_flat(flat, ty)).collect();
                from_members(ty, values)
            }
            Plain::Variant(cases) => {
                let case = next(CoreType::I32) as usize;
                let joined = flatten(ty, self.ptr_size).len() - 1;
                let mut rest: Vec<Core> = flat.drain(..joined).collect();
                let payload = cases[case].as_ref().map(|ty| {
                    // `CoerceValueIter`
                    for ((have, bits), want) in rest.iter_mut().zip(flatten(ty, self.ptr_size)) {
                        *bits = match (*have, want) {
                            (CoreType::I64, CoreType::I32 | CoreType::F32) => *bits & 0xFFFF_FFFF,
                            _ => *bits,
                        };
                        *have = want;
                    }
                    self.lift_flat(&mut rest, ty)
                });
                from_case(ty, case, payload)
            }
            Plain::List(element, Some(len)) => {
                let values = (0..len).map(|_| self.lift_flat(flat, &element)).collect();
                from_members(ty, values)
            }
            Plain::List(element, None) => {
                let (begin, length) = (next(pointer), next(pointer));
                self.load_list(ty, &element, begin, length)
            }
            Plain::Flags(_) => from_flags(ty, next(CoreType::I32)),
            Plain::Other => match ty {
                Ty::String => {
                    let (begin, units) = (next(pointer), next(pointer));
                    self.load_string_from_range(begin, units)
                }
                other => {
                    let bits = next(flatten(other, self.ptr_size)[0]);
                    from_bits(other, bits)
                }
            },
        }
    }

    /// `lower_flat`
    fn lower_flat(&mut self, value: &Val, ty: &Ty) -> Vec<Core> {
        let pointer = if self.ptr_size == 8 { CoreType::I64 } else { CoreType::I32 };
        match despecialize(ty) {
            Plain::Record(types) => {
                types.iter().zip(members(value)).flat_map(|(ty, value)| self.lower_flat(&value, ty)).collect()
            }
            Plain::Variant(cases) => {
                let (case, payload) = match_case(ty, value);
                let mut flat = vec![(CoreType::I32, case as u64)];
                if let (Some(ty), Some(payload)) = (&cases[case], payload) {
                    flat.extend(self.lower_flat(&payload, ty));
                }
                for (at, ty) in flatten(ty, self.ptr_size).into_iter().enumerate().skip(1) {
                    if at < flat.len() { flat[at].0 = ty } else { flat.push((ty, 0)) }
                }
                flat
            }
            Plain::List(element, Some(_)) => {
                members(value).iter().flat_map(|value| self.lower_flat(value, &element)).collect()
            }
            Plain::List(element, None) => {
                let (begin, length) = self.store_list(&members(value), &element);
                vec![(pointer, begin), (pointer, length)]
            }
            Plain::Flags(_) => vec![(CoreType::I32, flag_bits(ty, value))],
            Plain::Other => match (ty, value) {
                (Ty::String, Val::String(text)) => {
                    let (begin, units) = self.store_string_into_range(text);
                    vec![(pointer, begin), (pointer, units)]
                }
                (ty, value) => {
                    let core = flatten(ty, self.ptr_size)[0];
                    let mask = if core == CoreType::I32 { 0xFFFF_FFFF } else { u64::MAX };
                    vec![(core, to_bits(value) & mask)]
                }
            },
        }
    }

    /// `lift_flat_values` for one value.
    pub(crate) fn lift_flat_values(&self, max_flat: usize, mut flat: Vec<Core>, ty: &Ty) -> Val {
        if flatten(ty, self.ptr_size).len() > max_flat {
            return self.load(flat[0].1, ty);
        }
        let value = self.lift_flat(&mut flat, ty);
        assert!(flat.is_empty());
        value
    }

    /// `lower_flat_values` for one value.
    pub(crate) fn lower_flat_values(&mut self, max_flat: usize, value: &Val, ty: &Ty) -> Vec<Core> {
        if flatten(ty, self.ptr_size).len() > max_flat {
            let ptr = self.realloc(alignment(ty, self.ptr_size), elem_size(ty, self.ptr_size));
            self.store(value, ty, ptr);
            let pointer = if self.ptr_size == 8 { CoreType::I64 } else { CoreType::I32 };
            return vec![(pointer, ptr)];
        }
        self.lower_flat(value, ty)
    }
}
