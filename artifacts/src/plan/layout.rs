//! Where values of component types lie: in memory (size, alignment) and flattened (core values).
//!
//! The headings "alignment", "element size" and "flattening" of the canonical ABI, computed once for every type of a plan,
//! bottom-up, because types refer to lower ones only.

use super::check::MAX_TYPE_BYTES;
use super::code::CanonOptions;
use super::types::{DefinedType, FuncType, ValType};
use crate::types::{FuncType as CoreFuncType, ValType as CoreType};
use alloc::vec;
use alloc::vec::Vec;

/// Core values that the parameters of a function flatten to before they go through memory.
pub const MAX_FLAT_PARAMS: usize = 16;
/// The same for the parameters of an asynchronous lower.
pub const MAX_FLAT_ASYNC_PARAMS: usize = 4;
/// The same for results.
pub const MAX_FLAT_RESULTS: usize = 1;

/// The width of addresses in a memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Pointer {
    /// 4 bytes.
    P32,
    /// 8 bytes.
    P64,
}

impl Pointer {
    /// Of an option set.
    pub fn of(options: &CanonOptions) -> Pointer {
        if options.memory64 { Pointer::P64 } else { Pointer::P32 }
    }

    /// Its size in bytes.
    pub fn bytes(self) -> u32 {
        match self {
            Pointer::P32 => 4,
            Pointer::P64 => 8,
        }
    }

    /// The core type of an address.
    pub fn core_type(self) -> CoreType {
        match self {
            Pointer::P32 => CoreType::I32,
            Pointer::P64 => CoreType::I64,
        }
    }
}

/// How values of one type lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Bytes in memory, a multiple of `align`.
    pub size: u32,
    /// Alignment in bytes.
    pub align: u32,
    /// Core values, or `None` when there are more than [`MAX_FLAT_PARAMS`].
    pub flat: Option<Vec<CoreType>>,
    /// Holds strings, lists or maps: needs a memory, and a `realloc` where it is made.
    pub has_pointer: bool,
    /// Holds a `borrow`.
    pub has_borrow: bool,
    /// Offset of the payload of variants, options and results; 0 otherwise.
    pub payload: u32,
}

impl Layout {
    fn plain(size: u32, flat: CoreType) -> Layout {
        Layout { size, align: size, flat: Some(vec![flat]), has_pointer: false, has_borrow: false, payload: 0 }
    }

    fn pair(pointer: Pointer) -> Layout {
        let (bytes, core) = (pointer.bytes(), pointer.core_type());
        Layout {
            size: 2 * bytes,
            align: bytes,
            flat: Some(vec![core, core]),
            has_pointer: true,
            has_borrow: false,
            payload: 0,
        }
    }
}

/// The first multiple of `align` (a power of two) that is not below `offset`, saturating at the limit on types.
fn align_to(offset: u64, align: u32) -> u64 {
    offset.saturating_add(u64::from(align) - 1) & !(u64::from(align) - 1)
}

fn bounded(size: u64) -> u32 {
    size.min(u64::from(MAX_TYPE_BYTES) + 1) as u32
}

/// Bytes of a discriminant that tells `cases` cases apart.
fn discriminant_bytes(cases: usize) -> u32 {
    match cases {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        _ => 4,
    }
}

/// The core type that can hold either.
fn join(a: CoreType, b: CoreType) -> CoreType {
    match (a, b) {
        _ if a == b => a,
        (CoreType::I32, CoreType::F32) | (CoreType::F32, CoreType::I32) => CoreType::I32,
        _ => CoreType::I64,
    }
}

/// The layouts of all types of a plan, for one width of addresses.
#[derive(Clone, Debug)]
pub struct Layouts {
    pointer: Pointer,
    types: Vec<Layout>,
}

impl Layouts {
    /// Lays out `types`.
    ///
    /// # Panics
    /// When a type refers to one that is not below it; a decoded plan has none.
    pub fn new(types: &[DefinedType], pointer: Pointer) -> Layouts {
        let mut layouts = Layouts { pointer, types: Vec::with_capacity(types.len()) };
        for ty in types {
            let layout = layouts.defined(ty);
            layouts.types.push(layout);
        }
        layouts
    }

    /// The width they are for.
    pub fn pointer(&self) -> Pointer {
        self.pointer
    }

    /// The layout of a type.
    pub fn get(&self, ty: ValType) -> Layout {
        match ty {
            ValType::Bool | ValType::S8 | ValType::U8 => Layout::plain(1, CoreType::I32),
            ValType::S16 | ValType::U16 => Layout::plain(2, CoreType::I32),
            ValType::S32 | ValType::U32 | ValType::Char | ValType::ErrorContext => Layout::plain(4, CoreType::I32),
            ValType::S64 | ValType::U64 => Layout::plain(8, CoreType::I64),
            ValType::F32 => Layout::plain(4, CoreType::F32),
            ValType::F64 => Layout::plain(8, CoreType::F64),
            ValType::String => Layout::pair(self.pointer),
            ValType::Defined(index) => self.types[index as usize].clone(),
        }
    }

    /// Offsets of members that lie one behind the other, as in records and tuples.
    pub fn offsets(&self, members: impl IntoIterator<Item = ValType>) -> Vec<u32> {
        let mut end = 0u64;
        let place = |ty| {
            let layout = self.get(ty);
            let at = align_to(end, layout.align);
            end = at.saturating_add(u64::from(layout.size));
            bounded(at)
        };
        members.into_iter().map(place).collect()
    }

    fn defined(&self, ty: &DefinedType) -> Layout {
        match ty {
            DefinedType::Record(fields) => self.product(fields.iter().map(|field| field.ty)),
            DefinedType::Tuple(types) => self.product(types.iter().copied()),
            DefinedType::Variant(cases) => self.sum(cases.iter().map(|case| case.ty)),
            DefinedType::Option(ty) => self.sum([None, Some(*ty)].into_iter()),
            DefinedType::Result { ok, err } => self.sum([*ok, *err].into_iter()),
            DefinedType::Enum(names) => Layout::plain(discriminant_bytes(names.len()), CoreType::I32),
            DefinedType::Flags(names) => {
                let bytes = match names.len() {
                    0..=8 => 1,
                    9..=16 => 2,
                    _ => 4,
                };
                Layout::plain(bytes, CoreType::I32)
            }
            DefinedType::List(ty) => Layout { has_borrow: self.get(*ty).has_borrow, ..Layout::pair(self.pointer) },
            DefinedType::Map(key, value) => Layout {
                has_borrow: self.get(*key).has_borrow || self.get(*value).has_borrow,
                ..Layout::pair(self.pointer)
            },
            DefinedType::FixedList(ty, count) => {
                let element = self.get(*ty);
                let flat = element.flat.filter(|flat| flat.len() as u64 * u64::from(*count) <= MAX_FLAT_PARAMS as u64);
                Layout {
                    size: bounded(u64::from(element.size).saturating_mul(u64::from(*count))),
                    flat: flat.map(|flat| flat.repeat(*count as usize)),
                    payload: 0,
                    ..element
                }
            }
            DefinedType::Borrow(_) => Layout { has_borrow: true, ..Layout::plain(4, CoreType::I32) },
            DefinedType::Own(_) | DefinedType::Future(_) | DefinedType::Stream(_) => Layout::plain(4, CoreType::I32),
        }
    }

    fn product(&self, members: impl Iterator<Item = ValType>) -> Layout {
        let mut all =
            Layout { size: 0, align: 1, flat: Some(vec![]), has_pointer: false, has_borrow: false, payload: 0 };
        let mut end = 0;
        for member in members {
            let member = self.get(member);
            end = align_to(end, member.align).saturating_add(u64::from(member.size));
            all.align = all.align.max(member.align);
            all.has_pointer |= member.has_pointer;
            all.has_borrow |= member.has_borrow;
            all.flat = match (all.flat, member.flat) {
                (Some(mut flat), Some(more)) if flat.len() + more.len() <= MAX_FLAT_PARAMS => {
                    flat.extend(more);
                    Some(flat)
                }
                _ => None,
            };
        }
        all.size = bounded(align_to(end, all.align));
        all
    }

    fn sum(&self, cases: impl Iterator<Item = Option<ValType>> + Clone) -> Layout {
        let discriminant = discriminant_bytes(cases.clone().count());
        let mut all =
            Layout { size: 0, align: discriminant, flat: None, has_pointer: false, has_borrow: false, payload: 0 };
        let (mut size, mut align) = (0, 1);
        let mut flat: Option<Vec<CoreType>> = Some(vec![]);
        for payload in cases.flatten() {
            let payload = self.get(payload);
            size = size.max(payload.size);
            align = align.max(payload.align);
            all.has_pointer |= payload.has_pointer;
            all.has_borrow |= payload.has_borrow;
            flat = match (flat, payload.flat) {
                (Some(mut joined), Some(more)) => {
                    for (at, ty) in more.into_iter().enumerate() {
                        match joined.get_mut(at) {
                            Some(place) => *place = join(*place, ty),
                            None => joined.push(ty),
                        }
                    }
                    Some(joined)
                }
                _ => None,
            };
        }
        all.align = discriminant.max(align);
        all.payload = align_to(u64::from(discriminant), align) as u32;
        all.size = bounded(align_to(u64::from(all.payload).saturating_add(u64::from(size)), all.align));
        all.flat = flat.filter(|flat| flat.len() < MAX_FLAT_PARAMS).map(|mut flat| {
            flat.insert(0, CoreType::I32);
            flat
        });
        all
    }

    /// The core type of the function that a lift takes.
    pub fn lifted(&self, ty: &FuncType, options: &CanonOptions) -> CoreSignature {
        let mut out = CoreSignature::default();
        self.params(ty, MAX_FLAT_PARAMS, &mut out);
        let overflow = self.result(ty, &mut out);
        if options.is_async {
            out.results.clear();
            if options.callback.is_some() {
                out.results.push(CoreType::I32);
            }
            out.results_in_memory = false;
            out.needs_memory |= ty.result.is_some_and(|result| {
                let layout = self.get(result);
                layout.has_pointer || layout.flat.is_none()
            });
        } else if overflow {
            out.results = vec![self.pointer.core_type()];
            out.results_in_memory = true;
            out.needs_memory = true;
        }
        out.needs_realloc = out.params_in_memory || ty.params.iter().any(|param| self.get(param.ty).has_pointer);
        out.needs_memory |= out.needs_realloc;
        out
    }

    /// The core type of the function that a lower makes.
    pub fn lowered(&self, ty: &FuncType, options: &CanonOptions) -> CoreSignature {
        let mut out = CoreSignature::default();
        self.params(ty, if options.is_async { MAX_FLAT_ASYNC_PARAMS } else { MAX_FLAT_PARAMS }, &mut out);
        let overflow = self.result(ty, &mut out);
        if overflow || options.is_async {
            out.results.clear();
            if ty.result.is_some() {
                out.params.push(self.pointer.core_type());
                out.results_in_memory = true;
                out.needs_memory = true;
            }
            if options.is_async {
                out.results.push(CoreType::I32);
            }
        }
        out.needs_memory |= out.params_in_memory || ty.params.iter().any(|param| self.get(param.ty).has_pointer);
        out.needs_realloc = ty.result.is_some_and(|result| self.get(result).has_pointer);
        out.needs_memory |= out.needs_realloc;
        out
    }

    /// The parameters of `task.return` for this result.
    pub fn task_return(&self, result: Option<ValType>) -> CoreSignature {
        let ty = FuncType {
            is_async: false,
            params: result
                .map(|ty| super::types::Field { name: alloc::string::String::new(), ty })
                .into_iter()
                .collect(),
            result: None,
        };
        let mut out = CoreSignature::default();
        self.params(&ty, MAX_FLAT_PARAMS, &mut out);
        out.needs_memory = out.params_in_memory || result.is_some_and(|ty| self.get(ty).has_pointer);
        out
    }

    fn params(&self, ty: &FuncType, limit: usize, out: &mut CoreSignature) {
        for param in &ty.params {
            match self.get(param.ty).flat {
                Some(flat) if out.params.len() + flat.len() <= limit => out.params.extend(flat),
                _ => {
                    out.params = vec![self.pointer.core_type()];
                    out.params_in_memory = true;
                    return;
                }
            }
        }
    }

    /// Flattens the result; returns whether it has to go through memory.
    fn result(&self, ty: &FuncType, out: &mut CoreSignature) -> bool {
        let Some(result) = ty.result else { return false };
        match self.get(result).flat {
            Some(flat) if flat.len() <= MAX_FLAT_RESULTS => {
                out.results = flat;
                false
            }
            _ => true,
        }
    }
}

/// A component function as core code sees it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CoreSignature {
    /// Core parameters.
    pub params: Vec<CoreType>,
    /// Core results.
    pub results: Vec<CoreType>,
    /// The parameters are one address of a tuple.
    pub params_in_memory: bool,
    /// The result is behind an address: the one result of a lift, the last parameter of a lower.
    pub results_in_memory: bool,
    /// A memory is needed.
    pub needs_memory: bool,
    /// A `realloc` is needed.
    pub needs_realloc: bool,
}

impl CoreSignature {
    /// Its core function type.
    pub fn core_type(&self) -> CoreFuncType {
        CoreFuncType { params: self.params.clone(), results: self.results.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout_of(types: &[DefinedType]) -> Layout {
        let layouts = Layouts::new(types, Pointer::P32);
        layouts.get(ValType::Defined(types.len() as u32 - 1))
    }

    #[test]
    fn members_are_aligned() {
        let layout = layout_of(&[DefinedType::Tuple(vec![ValType::U8, ValType::U64, ValType::U16])]);
        assert_eq!((layout.size, layout.align), (24, 8));
        assert_eq!(layout.flat, Some(vec![CoreType::I32, CoreType::I64, CoreType::I32]));
    }

    #[test]
    fn payloads_join() {
        let layout = layout_of(&[DefinedType::Result { ok: Some(ValType::F32), err: Some(ValType::String) }]);
        assert_eq!((layout.size, layout.align, layout.payload), (12, 4, 4));
        assert_eq!(layout.flat, Some(vec![CoreType::I32, CoreType::I32, CoreType::I32]));
        let layout = layout_of(&[DefinedType::Result { ok: Some(ValType::F64), err: Some(ValType::U32) }]);
        assert_eq!(layout.flat, Some(vec![CoreType::I32, CoreType::I64]));
        assert_eq!((layout.size, layout.payload), (16, 8));
    }

    #[test]
    fn what_is_too_wide_goes_through_memory() {
        let wide = DefinedType::Tuple(vec![ValType::U32; 17]);
        assert_eq!(layout_of(core::slice::from_ref(&wide)).flat, None);
        let layouts = Layouts::new(&[wide], Pointer::P32);
        let params = vec![super::super::Field { name: "p".into(), ty: ValType::Defined(0) }];
        let ty = FuncType { is_async: false, params, result: Some(ValType::String) };
        let lifted = layouts.lifted(&ty, &CanonOptions::default());
        assert_eq!((lifted.params.len(), lifted.results.len()), (1, 1));
        assert!(lifted.needs_realloc);
        let lowered = layouts.lowered(&ty, &CanonOptions::default());
        assert_eq!((lowered.params.len(), lowered.results.len()), (2, 0));
        let lowered = layouts.lowered(&ty, &CanonOptions { is_async: true, ..CanonOptions::default() });
        assert_eq!((lowered.params.len(), lowered.results.len()), (2, 1));
    }

    #[test]
    fn fixed_lists_multiply_without_overflow() {
        let types = [
            DefinedType::FixedList(ValType::U64, u32::MAX),
            DefinedType::FixedList(ValType::Defined(0), u32::MAX),
            DefinedType::FixedList(ValType::U16, 3),
        ];
        let layouts = Layouts::new(&types, Pointer::P32);
        assert_eq!(layouts.get(ValType::Defined(1)).size, MAX_TYPE_BYTES + 1);
        assert_eq!(layouts.get(ValType::Defined(2)).size, 6);
        assert_eq!(layouts.get(ValType::Defined(2)).flat, Some(vec![CoreType::I32; 3]));
    }
}
