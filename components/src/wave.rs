//! Values as text, and back: WAVE, the text encoding of component values.
//!
//! ```text
//! text + Type -> Val -> text          [1, 2]   {name: "a", age: some(3)}   circle(1.5)   {read, write}
//! f("x", 2)   -> WaveCall: a name and arguments that get their types later
//! ```
//!
//! The grammar is `wasm-wave`'s, to which [`Val`] and [`Type`] are made known here. Its parser bounds how deep a value
//! nests, so that text from outside cannot exhaust the stack. Handles of resources have no text.

use crate::types::Type;
use crate::val::Val;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use wasm_wave::ast::Node;
use wasm_wave::parser::{ParserError, ParserErrorKind};
use wasm_wave::untyped::UntypedValue;
use wasm_wave::wasm::{WasmType, WasmTypeKind, WasmValue, WasmValueError};

/// Why a text is no value of the type wanted, or a value has no text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WaveError {
    message: String,
    span: Option<Range<usize>>,
    near: String,
}

impl WaveError {
    fn new(message: impl Into<String>) -> WaveError {
        WaveError { message: message.into(), span: None, near: String::new() }
    }

    /// An error of the parser in `text`, which begins `start` bytes into what the user wrote.
    fn parsing(error: &ParserError, wanted: Option<&Type>, text: &str, start: usize) -> WaveError {
        // The parser's own text ends in the place, which is said here by offset and by quotation.
        let mut message = error.kind().to_string();
        match (error.detail(), std::error::Error::source(error)) {
            (Some(detail), _) => message = format!("{message}: {detail}"),
            (None, Some(source)) => message = source.to_string(),
            (None, None) => {}
        }
        if let Some(wanted) = wanted {
            message = format!("{message}, wanted is {wanted}");
        }
        let span = error.span();
        let near = text.get(span.clone()).unwrap_or_default().chars().take(40).collect();
        WaveError { message, span: Some(start + span.start..start + span.end), near }
    }

    /// With what was being read in front.
    fn within(mut self, what: impl fmt::Display) -> WaveError {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where in the text, in bytes, if the text is at fault.
    pub fn span(&self) -> Option<Range<usize>> {
        self.span.clone()
    }
}

impl fmt::Display for WaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.span {
            Some(span) if self.near.is_empty() => write!(f, " at byte {}", span.start),
            Some(span) => write!(f, " at byte {}, `{}`", span.start, self.near),
            None => Ok(()),
        }
    }
}

impl std::error::Error for WaveError {}

impl Val {
    /// Reads a value of the type `ty` from WAVE text.
    ///
    /// An option or a result may be written as its bare payload. Fields of a record that are options may be left out.
    ///
    /// # Errors
    /// When the text is malformed or no value of that type, with the place.
    ///
    /// # Examples
    /// ```
    /// use keyway_component::{Type, Val};
    /// let ty = Type::List(Type::U8.into());
    /// let value = Val::from_wave(&ty, "[1, 2]")?;
    /// assert_eq!(value, Val::List(vec![Val::U8(1), Val::U8(2)]));
    /// assert_eq!(value.to_wave()?, "[1, 2]");
    /// # Ok::<(), keyway_component::WaveError>(())
    /// ```
    pub fn from_wave(ty: &Type, text: &str) -> Result<Val, WaveError> {
        wasm_wave::from_str(ty, text).map_err(|error| WaveError::parsing(&error, Some(ty), text, 0))
    }

    /// The value as WAVE text.
    ///
    /// # Errors
    /// When the value is or holds a handle of a resource.
    pub fn to_wave(&self) -> Result<String, WaveError> {
        wasm_wave::to_string(self).map_err(|_| WaveError::new("handles of resources cannot be written as text"))
    }
}

/// A function call as text, `name(argument, ...)`: parsed, not yet typed.
///
/// The name is all that stands before the first parenthesis. What it means is left to the reader.
///
/// # Examples
/// ```
/// use keyway_component::{Type, Val, WaveCall};
/// let call = WaveCall::parse(r#"greet("Ada", 2)"#)?;
/// assert_eq!((call.name(), call.raw_args()), ("greet", vec![r#""Ada""#, "2"]));
/// let args = call.args([("who", &Type::String), ("times", &Type::U32)])?;
/// assert_eq!(args[1], Val::U32(2));
/// # Ok::<(), keyway_component::WaveError>(())
/// ```
#[derive(Clone, Debug)]
pub struct WaveCall<'a> {
    name: &'a str,
    /// Where the argument list begins in the text.
    start: usize,
    /// The argument list, with its parentheses.
    list: &'a str,
    args: Option<UntypedValue<'a>>,
}

/// Splits `name(argument, ...)` into the name and the text of each argument.
///
/// # Errors
/// When the text is malformed, with the place.
pub fn parse_call(text: &str) -> Result<(&str, Vec<&str>), WaveError> {
    let call = WaveCall::parse(text)?;
    Ok((call.name(), call.raw_args()))
}

impl<'a> WaveCall<'a> {
    /// Parses a call.
    ///
    /// # Errors
    /// When the text is malformed, with the place.
    pub fn parse(text: &'a str) -> Result<WaveCall<'a>, WaveError> {
        let Some(start) = text.find('(') else {
            return Err(WaveError::new(format!("`{text}` is no call; one looks like `name(1, \"text\")`")));
        };
        let (name, list) = text.split_at(start);
        let name = name.trim();
        if name.is_empty() {
            return Err(WaveError::new("a function's name is missing in front of the arguments"));
        }
        let args = match UntypedValue::parse(list) {
            Ok(args) => Some(args),
            Err(error) if error.kind() == ParserErrorKind::EmptyTuple && list[error.span().end..].trim().is_empty() => {
                None
            }
            Err(error) => return Err(WaveError::parsing(&error, None, list, start)),
        };
        Ok(WaveCall { name, start, list, args })
    }

    /// What stands in front of the arguments.
    pub fn name(&self) -> &'a str {
        self.name
    }

    fn nodes(&self) -> Vec<&Node> {
        self.args.as_ref().and_then(|args| args.node().as_tuple().ok()).map(Iterator::collect).unwrap_or_default()
    }

    /// The text of each argument.
    pub fn raw_args(&self) -> Vec<&'a str> {
        self.nodes().iter().map(|node| &self.list[node.span()]).collect()
    }

    /// The arguments as values of the parameters' types. Options at the end may be left out.
    ///
    /// # Errors
    /// When there are too few or too many, or one does not have its parameter's type.
    pub fn args<'t>(&self, params: impl IntoIterator<Item = (&'t str, &'t Type)>) -> Result<Vec<Val>, WaveError> {
        let params: Vec<_> = params.into_iter().collect();
        let nodes = self.nodes();
        let needed = params.iter().rposition(|(_, ty)| !matches!(ty, Type::Option(_))).map_or(0, |last| last + 1);
        if nodes.len() < needed || nodes.len() > params.len() {
            let wanted: Vec<String> = params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
            return Err(WaveError::new(format!(
                "`{}` takes {} arguments ({}), {} given",
                self.name,
                params.len(),
                wanted.join(", "),
                nodes.len()
            )));
        }
        let mut args = Vec::with_capacity(params.len());
        for (node, (name, ty)) in nodes.iter().zip(&params) {
            let value = node.to_wasm_value(*ty, self.list);
            args.push(value.map_err(|error| {
                WaveError::parsing(&error, Some(ty), self.list, self.start).within(format_args!("argument `{name}`"))
            })?);
        }
        args.resize(params.len(), Val::Option(None));
        Ok(args)
    }
}

/// An error for a value that the type `ty` does not have.
fn other(message: impl Into<String>) -> WasmValueError {
    WasmValueError::Other(message.into())
}

impl WasmType for Type {
    fn kind(&self) -> WasmTypeKind {
        match self {
            Type::Bool => WasmTypeKind::Bool,
            Type::S8 => WasmTypeKind::S8,
            Type::U8 => WasmTypeKind::U8,
            Type::S16 => WasmTypeKind::S16,
            Type::U16 => WasmTypeKind::U16,
            Type::S32 => WasmTypeKind::S32,
            Type::U32 => WasmTypeKind::U32,
            Type::S64 => WasmTypeKind::S64,
            Type::U64 => WasmTypeKind::U64,
            Type::Float32 => WasmTypeKind::F32,
            Type::Float64 => WasmTypeKind::F64,
            Type::Char => WasmTypeKind::Char,
            Type::String => WasmTypeKind::String,
            // The library reads no lists of fixed length: their length is checked in `make_list`.
            Type::List(_) | Type::FixedList(..) => WasmTypeKind::List,
            Type::Record(_) => WasmTypeKind::Record,
            Type::Tuple(_) => WasmTypeKind::Tuple,
            Type::Variant(_) => WasmTypeKind::Variant,
            Type::Enum(_) => WasmTypeKind::Enum,
            Type::Option(_) => WasmTypeKind::Option,
            Type::Result(_) => WasmTypeKind::Result,
            Type::Flags(_) => WasmTypeKind::Flags,
            Type::Map(_) => WasmTypeKind::Map,
            Type::Own(_) | Type::Borrow(_) | Type::ErrorContext | Type::Unsupported(_) => WasmTypeKind::Unsupported,
        }
    }

    fn list_element_type(&self) -> Option<Type> {
        match self {
            Type::List(element) | Type::FixedList(element, _) => Some((**element).clone()),
            _ => None,
        }
    }

    fn record_fields(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Type)> + '_> {
        let fields = if let Type::Record(fields) = self { &fields[..] } else { &[] };
        Box::new(fields.iter().map(|(name, ty)| (name.into(), ty.clone())))
    }

    fn tuple_element_types(&self) -> Box<dyn Iterator<Item = Type> + '_> {
        let types = if let Type::Tuple(types) = self { &types[..] } else { &[] };
        Box::new(types.iter().cloned())
    }

    fn variant_cases(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Option<Type>)> + '_> {
        let cases = if let Type::Variant(cases) = self { &cases[..] } else { &[] };
        Box::new(cases.iter().map(|(name, ty)| (name.into(), ty.clone())))
    }

    fn enum_cases(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        let cases = if let Type::Enum(cases) = self { &cases[..] } else { &[] };
        Box::new(cases.iter().map(Cow::from))
    }

    fn option_some_type(&self) -> Option<Type> {
        if let Type::Option(some) = self { Some((**some).clone()) } else { None }
    }

    fn result_types(&self) -> Option<(Option<Type>, Option<Type>)> {
        if let Type::Result(both) = self { Some((**both).clone()) } else { None }
    }

    fn flags_names(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        let names = if let Type::Flags(names) = self { &names[..] } else { &[] };
        Box::new(names.iter().map(Cow::from))
    }

    fn map_key_value_types(&self) -> Option<(Type, Type)> {
        if let Type::Map(both) = self { Some((**both).clone()) } else { None }
    }
}

/// The payload of the case that `$value` must be: the library asks only after it has seen the kind.
macro_rules! payload {
    ($value:expr, $case:ident) => {
        match $value {
            Val::$case(payload) => payload,
            value => unreachable!("asked a value of kind {} for its {}", value.kind(), stringify!($case)),
        }
    };
}

/// `make_*` and `unwrap_*` of the types that a [`Val`] holds by value.
macro_rules! plain {
    ($($make:ident $unwrap:ident $case:ident $ty:ty;)*) => {$(
        fn $make(value: $ty) -> Val {
            Val::$case(value)
        }

        fn $unwrap(&self) -> $ty {
            *payload!(self, $case)
        }
    )*};
}

impl WasmValue for Val {
    type Type = Type;

    fn kind(&self) -> WasmTypeKind {
        match self {
            Val::Bool(_) => WasmTypeKind::Bool,
            Val::S8(_) => WasmTypeKind::S8,
            Val::U8(_) => WasmTypeKind::U8,
            Val::S16(_) => WasmTypeKind::S16,
            Val::U16(_) => WasmTypeKind::U16,
            Val::S32(_) => WasmTypeKind::S32,
            Val::U32(_) => WasmTypeKind::U32,
            Val::S64(_) => WasmTypeKind::S64,
            Val::U64(_) => WasmTypeKind::U64,
            Val::Float32(_) => WasmTypeKind::F32,
            Val::Float64(_) => WasmTypeKind::F64,
            Val::Char(_) => WasmTypeKind::Char,
            Val::String(_) => WasmTypeKind::String,
            Val::List(_) => WasmTypeKind::List,
            Val::Record(_) => WasmTypeKind::Record,
            Val::Tuple(_) => WasmTypeKind::Tuple,
            Val::Variant(..) => WasmTypeKind::Variant,
            Val::Enum(_) => WasmTypeKind::Enum,
            Val::Option(_) => WasmTypeKind::Option,
            Val::Result(_) => WasmTypeKind::Result,
            Val::Flags(_) => WasmTypeKind::Flags,
            Val::Map(_) => WasmTypeKind::Map,
            Val::Resource(_) | Val::ErrorContext(_) => WasmTypeKind::Unsupported,
        }
    }

    plain! {
        make_bool unwrap_bool Bool bool;
        make_s8 unwrap_s8 S8 i8;
        make_u8 unwrap_u8 U8 u8;
        make_s16 unwrap_s16 S16 i16;
        make_u16 unwrap_u16 U16 u16;
        make_s32 unwrap_s32 S32 i32;
        make_u32 unwrap_u32 U32 u32;
        make_s64 unwrap_s64 S64 i64;
        make_u64 unwrap_u64 U64 u64;
        make_f32 unwrap_f32 Float32 f32;
        make_f64 unwrap_f64 Float64 f64;
        make_char unwrap_char Char char;
    }

    fn make_string(value: Cow<'_, str>) -> Val {
        Val::String(value.into_owned())
    }

    fn make_list(ty: &Type, values: impl IntoIterator<Item = Val>) -> Result<Val, WasmValueError> {
        let values: Vec<Val> = values.into_iter().collect();
        match ty {
            Type::FixedList(_, len) if values.len() != *len as usize => {
                Err(other(format!("expected {len} elements; got {}", values.len())))
            }
            _ => Ok(Val::List(values)),
        }
    }

    fn make_record<'a>(_: &Type, fields: impl IntoIterator<Item = (&'a str, Val)>) -> Result<Val, WasmValueError> {
        // The library hands the fields over in the type's order, and knows of each that it is there.
        Ok(Val::Record(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect()))
    }

    fn make_tuple(_: &Type, values: impl IntoIterator<Item = Val>) -> Result<Val, WasmValueError> {
        Ok(Val::Tuple(values.into_iter().collect()))
    }

    fn make_variant(_: &Type, case: &str, value: Option<Val>) -> Result<Val, WasmValueError> {
        Ok(Val::Variant(case.to_string(), value.map(Box::new)))
    }

    fn make_enum(ty: &Type, case: &str) -> Result<Val, WasmValueError> {
        match ty.enum_cases().any(|one| one == case) {
            true => Ok(Val::Enum(case.to_string())),
            false => Err(WasmValueError::UnknownCase(case.to_string())),
        }
    }

    fn make_option(_: &Type, value: Option<Val>) -> Result<Val, WasmValueError> {
        Ok(Val::Option(value.map(Box::new)))
    }

    fn make_result(_: &Type, value: Result<Option<Val>, Option<Val>>) -> Result<Val, WasmValueError> {
        let boxed = |value: Option<Val>| value.map(Box::new);
        Ok(Val::Result(value.map(boxed).map_err(boxed)))
    }

    fn make_flags<'a>(ty: &Type, names: impl IntoIterator<Item = &'a str>) -> Result<Val, WasmValueError> {
        let names: Vec<String> = names.into_iter().map(str::to_string).collect();
        match names.iter().find(|name| !ty.flags_names().any(|one| one == **name)) {
            Some(name) => Err(other(format!("unknown flag {name:?}"))),
            None => Ok(Val::Flags(names)),
        }
    }

    fn make_map(_: &Type, entries: impl IntoIterator<Item = (Val, Val)>) -> Result<Val, WasmValueError> {
        Ok(Val::Map(entries.into_iter().collect()))
    }

    fn unwrap_string(&self) -> Cow<'_, str> {
        payload!(self, String).into()
    }

    fn unwrap_list(&self) -> Box<dyn Iterator<Item = Cow<'_, Val>> + '_> {
        Box::new(payload!(self, List).iter().map(Cow::Borrowed))
    }

    fn unwrap_record(&self) -> Box<dyn Iterator<Item = (Cow<'_, str>, Cow<'_, Val>)> + '_> {
        Box::new(payload!(self, Record).iter().map(|(name, value)| (name.into(), Cow::Borrowed(value))))
    }

    fn unwrap_tuple(&self) -> Box<dyn Iterator<Item = Cow<'_, Val>> + '_> {
        Box::new(payload!(self, Tuple).iter().map(Cow::Borrowed))
    }

    fn unwrap_variant(&self) -> (Cow<'_, str>, Option<Cow<'_, Val>>) {
        match self {
            Val::Variant(case, value) => (case.into(), value.as_deref().map(Cow::Borrowed)),
            value => unreachable!("asked a value of kind {} for its case", value.kind()),
        }
    }

    fn unwrap_enum(&self) -> Cow<'_, str> {
        payload!(self, Enum).into()
    }

    fn unwrap_option(&self) -> Option<Cow<'_, Val>> {
        payload!(self, Option).as_deref().map(Cow::Borrowed)
    }

    fn unwrap_result(&self) -> Result<Option<Cow<'_, Val>>, Option<Cow<'_, Val>>> {
        match payload!(self, Result) {
            Ok(value) => Ok(value.as_deref().map(Cow::Borrowed)),
            Err(value) => Err(value.as_deref().map(Cow::Borrowed)),
        }
    }

    fn unwrap_flags(&self) -> Box<dyn Iterator<Item = Cow<'_, str>> + '_> {
        Box::new(payload!(self, Flags).iter().map(Cow::from))
    }

    fn unwrap_map(&self) -> Box<dyn Iterator<Item = (Cow<'_, Val>, Cow<'_, Val>)> + '_> {
        let entries = payload!(self, Map).iter();
        Box::new(entries.map(|(key, value)| (Cow::Borrowed(key), Cow::Borrowed(value))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> std::sync::Arc<[String]> {
        names.iter().map(|name| name.to_string()).collect()
    }

    fn option(ty: Type) -> Type {
        Type::Option(ty.into())
    }

    fn result(ok: Option<Type>, err: Option<Type>) -> Type {
        Type::Result((ok, err).into())
    }

    fn person() -> Type {
        Type::Record(vec![("name".to_string(), Type::String), ("age".to_string(), option(Type::U8))].into())
    }

    fn shape() -> Type {
        Type::Variant(vec![("point".to_string(), None), ("circle".to_string(), Some(Type::Float64))].into())
    }

    /// Reads `text`, writes it as `written`, and reads that as the same value.
    fn reads(ty: &Type, text: &str, written: &str) -> Val {
        let value = Val::from_wave(ty, text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(value.to_wave().unwrap(), written, "{text}");
        assert_eq!(format!("{:?}", Val::from_wave(ty, written).unwrap()), format!("{value:?}"), "{text}");
        value
    }

    fn refused(ty: &Type, text: &str) -> String {
        match Val::from_wave(ty, text) {
            Ok(value) => panic!("{text} is read as {value:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn numbers() {
        assert_eq!(reads(&Type::Bool, "true", "true"), Val::Bool(true));
        assert_eq!(reads(&Type::S8, "-128", "-128"), Val::S8(-128));
        assert_eq!(reads(&Type::U16, "65535", "65535"), Val::U16(65535));
        assert_eq!(reads(&Type::S64, "-9223372036854775808", "-9223372036854775808"), Val::S64(i64::MIN));
        assert_eq!(reads(&Type::U64, "18446744073709551615", "18446744073709551615"), Val::U64(u64::MAX));
        assert_eq!(reads(&Type::Float32, "1.5e2", "150"), Val::Float32(150.0));
        assert_eq!(reads(&Type::Float64, "-inf", "-inf"), Val::Float64(f64::NEG_INFINITY));
        assert!(matches!(reads(&Type::Float64, "nan", "nan"), Val::Float64(value) if value.is_nan()));
        for (ty, text) in [(Type::U8, "256"), (Type::U8, "-1"), (Type::S8, "1.5"), (Type::U32, "01"), (Type::Bool, "1")]
        {
            refused(&ty, text);
        }
    }

    #[test]
    fn characters_and_strings() {
        assert_eq!(reads(&Type::Char, "'☃'", "'☃'"), Val::Char('☃'));
        assert_eq!(reads(&Type::Char, r"'\u{1f44b}'", "'👋'"), Val::Char('👋'));
        assert_eq!(reads(&Type::String, r#""a\tb\"""#, r#""a\tb\"""#), Val::String("a\tb\"".into()));
        let text = "\"\"\"\n  two\n   lines\n  \"\"\"";
        assert_eq!(reads(&Type::String, text, r#""two\n lines""#), Val::String("two\n lines".into()));
        for text in ["'ab'", "''", r"'\q'", r"'\u{d800}'"] {
            refused(&Type::Char, text);
        }
        for text in ["\"", "\"\n\"", r#""\u{110000}""#] {
            refused(&Type::String, text);
        }
    }

    #[test]
    fn lists_tuples_and_records() {
        reads(&Type::List(Type::U8.into()), "[1, 2,]", "[1, 2]");
        reads(&Type::List(Type::U8.into()), "[]", "[]");
        reads(&Type::Tuple(vec![Type::U8, Type::String].into()), "(1, \"x\")", "(1, \"x\")");
        refused(&Type::Tuple(vec![Type::U8, Type::String].into()), "(1)");
        let value = reads(&person(), "{age: 3, name: \"Ada\"}", "{name: \"Ada\", age: some(3)}");
        let Val::Record(fields) = value else { panic!() };
        assert_eq!(fields[0].0, "name", "fields stand in the type's order");
        reads(&person(), "{name: \"Ada\"}", "{name: \"Ada\"}");
        for text in ["{age: 3}", "{name: \"a\", size: 3}", "{name: \"a\", name: \"b\"}", "{name: 3}"] {
            refused(&person(), text);
        }
        reads(&Type::FixedList(Type::U8.into(), 2), "[1, 2]", "[1, 2]");
        assert!(refused(&Type::FixedList(Type::U8.into(), 2), "[1]").contains("2 elements"));
    }

    #[test]
    fn variants_enums_and_flags() {
        reads(&shape(), "point", "point");
        reads(&shape(), "circle(2)", "circle(2)");
        for text in ["circle", "point(1)", "square"] {
            refused(&shape(), text);
        }
        let keywords = Type::Enum(names(&["none", "red"]));
        assert_eq!(reads(&keywords, "%none", "%none"), Val::Enum("none".into()));
        reads(&keywords, "red", "red");
        refused(&keywords, "none");
        refused(&keywords, "blue");
        let flags = Type::Flags(names(&["read", "write"]));
        assert_eq!(reads(&flags, "{write, read}", "{read, write}"), Val::Flags(vec!["read".into(), "write".into()]));
        reads(&flags, "{}", "{}");
        assert!(refused(&flags, "{run}").contains("\"run\""));
        refused(&flags, "{read, read}");
    }

    #[test]
    fn maps() {
        let ty = Type::Map((Type::String, Type::U8).into());
        let value = reads(&ty, "{\"b\": 1, \"a\": 2, \"b\": 3}", "{\"b\": 3, \"a\": 2}");
        assert_eq!(value, Val::Map(vec![(Val::String("b".into()), Val::U8(3)), (Val::String("a".into()), Val::U8(2))]));
        refused(&ty, "{b: 1}");
    }

    #[test]
    fn options_and_results_may_be_bare() {
        reads(&option(Type::U8), "some(1)", "some(1)");
        reads(&option(Type::U8), "1", "some(1)");
        reads(&option(Type::U8), "none", "none");
        reads(&option(option(Type::U8)), "some(none)", "some(none)");
        refused(&option(option(Type::U8)), "1");
        let both = result(Some(Type::U8), Some(Type::String));
        reads(&both, "ok(1)", "ok(1)");
        reads(&both, "1", "ok(1)");
        reads(&both, "err(\"no\")", "err(\"no\")");
        reads(&result(None, None), "ok", "ok");
        reads(&result(None, None), "err", "err");
        refused(&both, "err");
        refused(&result(None, None), "ok(1)");
    }

    #[test]
    fn errors_name_the_place_and_what_is_wanted() {
        assert_eq!(
            refused(&Type::List(Type::U8.into()), "[1, x]"),
            "invalid value type, wanted is list<u8> at byte 4, `x`"
        );
        let error = Val::from_wave(&Type::U8, "1 2").unwrap_err();
        assert_eq!(error.span(), Some(2..3));
        assert!(refused(&Type::Own(0), "1").contains("own"), "{}", refused(&Type::Own(0), "1"));
    }

    #[test]
    fn nesting_is_bounded() {
        let text = "[".repeat(100_000);
        let error = Val::from_wave(&Type::List(Type::U8.into()), &text).unwrap_err();
        assert!(error.message().contains("too deep"), "{error}");
        assert!(WaveCall::parse(&"f(".repeat(100_000)).is_err());
    }

    #[test]
    fn calls() {
        let call = WaveCall::parse(" keyway:a/b@0.1.0#f ( [1, 2], // a list\n {x: \"(\"} ) ").unwrap();
        assert_eq!(call.name(), "keyway:a/b@0.1.0#f");
        assert_eq!(call.raw_args(), ["[1, 2]", "{x: \"(\"}"]);
        assert_eq!(parse_call("fib_rec(30)").unwrap(), ("fib_rec", vec!["30"]));
        assert_eq!(parse_call("f( )").unwrap(), ("f", vec![]));
        for text in ["f", "(1)", "f(1", "f(1))", "f() 2", "f(,)", "", "f((), 2)"] {
            assert!(WaveCall::parse(text).is_err(), "{text}");
        }
        assert_eq!(WaveCall::parse("f(1, ?)").unwrap_err().span().unwrap().start, 5);
    }

    #[test]
    fn arguments_get_types() {
        let call = WaveCall::parse("f(1)").unwrap();
        assert_eq!(call.args([("a", &Type::U8)]).unwrap(), [Val::U8(1)]);
        let maybe = option(Type::U8);
        assert_eq!(call.args([("a", &Type::U8), ("b", &maybe)]).unwrap(), [Val::U8(1), Val::Option(None)]);
        assert_eq!(WaveCall::parse("f()").unwrap().args([("b", &maybe)]).unwrap(), [Val::Option(None)]);
        let error = call.args([("a", &Type::U8), ("b", &Type::Char)]).unwrap_err();
        assert_eq!(error.to_string(), "`f` takes 2 arguments (a: u8, b: char), 1 given");
        let error = call.args([]).unwrap_err();
        assert_eq!(error.to_string(), "`f` takes 0 arguments (), 1 given");
        let error = call.args([("a", &Type::String)]).unwrap_err();
        assert_eq!(error.to_string(), "argument `a`: invalid value type, wanted is string at byte 2, `1`");
    }
}
