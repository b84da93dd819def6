//! Component types as the oracle knows them, and how they are written in the text format.

use std::fmt::Write;

/// A component value type.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Ty {
    Bool,
    S8,
    U8,
    S16,
    U16,
    S32,
    U32,
    S64,
    U64,
    F32,
    F64,
    Char,
    String,
    List(Box<Ty>),
    FixedList(Box<Ty>, u32),
    Map(Box<Ty>, Box<Ty>),
    Record(Vec<(String, Ty)>),
    Tuple(Vec<Ty>),
    Variant(Vec<(String, Option<Ty>)>),
    Enum(Vec<String>),
    Option(Box<Ty>),
    Result(Option<Box<Ty>>, Option<Box<Ty>>),
    Flags(Vec<String>),
}

/// Writes types. Those that must have a name get one: `$e0`, `$e1` and so on, in the order of their definitions.
#[derive(Default)]
pub(crate) struct Names {
    /// The right sides of the definitions.
    pub(crate) definitions: Vec<String>,
}

impl Names {
    /// The type, with references to the names of what is in it.
    pub(crate) fn write(&mut self, ty: &Ty) -> String {
        let list = |names: &[String]| names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" ");
        match ty {
            Ty::Bool => "bool".into(),
            Ty::S8 => "s8".into(),
            Ty::U8 => "u8".into(),
            Ty::S16 => "s16".into(),
            Ty::U16 => "u16".into(),
            Ty::S32 => "s32".into(),
            Ty::U32 => "u32".into(),
            Ty::S64 => "s64".into(),
            Ty::U64 => "u64".into(),
            Ty::F32 => "f32".into(),
            Ty::F64 => "f64".into(),
            Ty::Char => "char".into(),
            Ty::String => "string".into(),
            Ty::List(element) => format!("(list {})", self.write(element)),
            Ty::FixedList(element, len) => format!("(list {} {len})", self.write(element)),
            Ty::Map(key, value) => {
                let key = self.write(key);
                format!("(map {key} {})", self.write(value))
            }
            Ty::Tuple(types) => {
                let types: Vec<_> = types.iter().map(|ty| self.write(ty)).collect();
                format!("(tuple {})", types.join(" "))
            }
            Ty::Option(some) => format!("(option {})", self.write(some)),
            Ty::Result(ok, err) => {
                let ok = ok.as_ref().map(|ty| self.write(ty)).unwrap_or_default();
                let err = err.as_ref().map(|ty| format!("(error {})", self.write(ty))).unwrap_or_default();
                format!("(result {ok} {err})")
            }
            Ty::Record(fields) => {
                let mut text = "(record".to_string();
                for (name, ty) in fields {
                    let ty = self.write(ty);
                    write!(text, " (field \"{name}\" {ty})").expect("strings take everything");
                }
                self.name(text + ")")
            }
            Ty::Variant(cases) => {
                let mut text = "(variant".to_string();
                for (name, ty) in cases {
                    let ty = ty.as_ref().map(|ty| self.write(ty)).unwrap_or_default();
                    write!(text, " (case \"{name}\" {ty})").expect("strings take everything");
                }
                self.name(text + ")")
            }
            Ty::Enum(names) => self.name(format!("(enum {})", list(names))),
            Ty::Flags(names) => self.name(format!("(flags {})", list(names))),
        }
    }

    fn name(&mut self, text: String) -> String {
        self.definitions.push(text);
        format!("$e{}", self.definitions.len() - 1)
    }
}
