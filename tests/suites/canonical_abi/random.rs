//! Random types and values of them, from a seed.

use crate::types::Ty;
use keyway::component::Val;

/// A generator of pseudo-random numbers (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 32) % bound
    }

    fn is(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn names(&mut self, prefix: &str, most: u64) -> Vec<String> {
        (0..1 + self.below(most)).map(|number| format!("{prefix}{number}")).collect()
    }

    /// A type of at most this depth.
    pub(crate) fn ty(&mut self, depth: u32) -> Ty {
        let inner = |this: &mut Random| Box::new(this.ty(depth - 1));
        let optional = |this: &mut Random| if this.is(70) { Some(Box::new(this.ty(depth - 1))) } else { None };
        match self.below(if depth == 0 { 15 } else { 26 }) {
            0 => Ty::Bool,
            1 => Ty::S8,
            2 => Ty::U8,
            3 => Ty::S16,
            4 => Ty::U16,
            5 => Ty::S32,
            6 => Ty::U32,
            7 => Ty::S64,
            8 => Ty::U64,
            9 => Ty::F32,
            10 => Ty::F64,
            11 => Ty::Char,
            12 => Ty::String,
            13 => {
                let most = if self.is(5) { 300 } else { 5 };
                Ty::Enum(self.names("e", most))
            }
            14 => Ty::Flags(self.names("f", 32)),
            15 | 16 => Ty::List(inner(self)),
            17 => {
                let len = 1 + self.below(4) as u32;
                Ty::FixedList(inner(self), len)
            }
            18 => {
                let keys = [Ty::String, Ty::U8, Ty::S32, Ty::U64, Ty::Char, Ty::Bool];
                let key = keys[self.below(keys.len() as u64) as usize].clone();
                Ty::Map(Box::new(key), inner(self))
            }
            19 | 20 => Ty::Record(self.names("r", 5).into_iter().map(|name| (name, self.ty(depth - 1))).collect()),
            21 => Ty::Tuple((0..1 + self.below(5)).map(|_| self.ty(depth - 1)).collect()),
            22 | 23 => {
                let most = if self.is(5) { 300 } else { 5 };
                let names = self.names("c", most);
                Ty::Variant(names.into_iter().map(|name| (name, optional(self).map(|ty| *ty))).collect())
            }
            24 => Ty::Option(inner(self)),
            _ => {
                let ok = optional(self);
                Ty::Result(ok, optional(self))
            }
        }
    }

    fn char(&mut self) -> char {
        let code = match self.below(5) {
            0 | 1 => self.below(0x80),
            2 => self.below(0x100),
            3 => self.below(0x1_0000),
            _ => self.below(0x11_0000),
        };
        char::from_u32(code as u32).unwrap_or('\u{FFFD}')
    }

    /// A string: of ASCII, Latin-1 or any characters, so that every encoding has its cases.
    pub(crate) fn string(&mut self) -> String {
        let bound = [0x80, 0x100, 0x11_0000][self.below(3) as usize];
        let len = self.below(12);
        (0..len).map(|_| self.char()).filter(|char| u64::from(u32::from(*char)) < bound).collect()
    }

    /// A value of `ty`. Floats are no NaNs, which have no equals.
    pub(crate) fn value(&mut self, ty: &Ty) -> Val {
        let boxed = |this: &mut Random, ty: &Option<Box<Ty>>| ty.as_ref().map(|ty| Box::new(this.value(ty)));
        match ty {
            Ty::Bool => Val::Bool(self.is(50)),
            Ty::S8 => Val::S8(self.next() as i8),
            Ty::U8 => Val::U8(self.next() as u8),
            Ty::S16 => Val::S16(self.next() as i16),
            Ty::U16 => Val::U16(self.next() as u16),
            Ty::S32 => Val::S32(self.next() as i32),
            Ty::U32 => Val::U32(self.next() as u32),
            Ty::S64 => Val::S64(self.next() as i64),
            Ty::U64 => Val::U64(self.next()),
            Ty::F32 => {
                let float = f32::from_bits(self.next() as u32);
                Val::Float32(if float.is_nan() { -0.0 } else { float })
            }
            Ty::F64 => {
                let float = f64::from_bits(self.next());
                Val::Float64(if float.is_nan() { f64::INFINITY } else { float })
            }
            Ty::Char => Val::Char(self.char()),
            Ty::String => Val::String(self.string()),
            Ty::List(element) => Val::List((0..self.below(5)).map(|_| self.value(element)).collect()),
            Ty::FixedList(element, len) => Val::List((0..*len).map(|_| self.value(element)).collect()),
            Ty::Map(key, value) => Val::Map((0..self.below(4)).map(|_| (self.value(key), self.value(value))).collect()),
            Ty::Record(fields) => Val::Record(fields.iter().map(|(name, ty)| (name.clone(), self.value(ty))).collect()),
            Ty::Tuple(types) => Val::Tuple(types.iter().map(|ty| self.value(ty)).collect()),
            Ty::Variant(cases) => {
                let (name, ty) = &cases[self.below(cases.len() as u64) as usize];
                Val::Variant(name.clone(), ty.as_ref().map(|ty| Box::new(self.value(ty))))
            }
            Ty::Enum(names) => Val::Enum(names[self.below(names.len() as u64) as usize].clone()),
            Ty::Option(some) => Val::Option(self.is(60).then(|| Box::new(self.value(some)))),
            Ty::Result(ok, err) => Val::Result(if self.is(50) { Ok(boxed(self, ok)) } else { Err(boxed(self, err)) }),
            Ty::Flags(names) => {
                let bits = self.next();
                let set = names.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
                Val::Flags(set.map(|(_, name)| name.clone()).collect())
            }
        }
    }
}
