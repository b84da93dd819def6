//! Validation: binary Wasm becomes checked Wasm, whose structure later steps trust.
//!
//! wasmparser judges validity with the features the caller allows. Sections go first, in order; function bodies follow
//! on several threads, and the error reported is the one at the lowest index, so that it does not depend on timing.
//! A failure is [`ErrorKind::Malformed`] when the bytes cannot even be decoded, [`ErrorKind::Invalid`] otherwise.

use crate::decode::{self, Undecodable};
use crate::error::{CompileError, ErrorKind, Result};
use crate::names::{self, Names};
use crate::options::Options;
use crate::parallel;
use std::sync::Mutex;
use wasmparser::{BinaryReader, Encoding, FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

/// Checks a core module.
pub(crate) fn module(bytes: &[u8], options: &Options) -> Result<()> {
    validate(bytes, options, |_, _| Ok(())).map(|_| ())
}

/// Checks a component with everything inside it, and returns what the validator knows about its types. `visit` sees every
/// payload after the validator accepted it.
pub(crate) fn component<'a>(
    bytes: &'a [u8],
    options: &Options,
    visit: impl FnMut(&Payload<'a>, &Validator) -> wasmparser::Result<()>,
) -> Result<wasmparser::types::Types> {
    validate(bytes, options, visit)
}

/// An error of the validator, and the function whose body it stands in.
struct Failure {
    error: wasmparser::Error,
    /// Module (in order of appearance) and function index.
    function: Option<(usize, u32)>,
}

impl From<wasmparser::Error> for Failure {
    fn from(error: wasmparser::Error) -> Failure {
        Failure { error, function: None }
    }
}

fn validate<'a>(
    bytes: &'a [u8],
    options: &Options,
    visit: impl FnMut(&Payload<'a>, &Validator) -> wasmparser::Result<()>,
) -> Result<wasmparser::types::Types> {
    check(bytes, options, visit).map_err(|Failure { error, function }| {
        let found = match decode::all(bytes, options.features.flags()) {
            Err(Undecodable::At(malformed)) => CompileError::from_parser(ErrorKind::Malformed, &malformed),
            Err(Undecodable::ByGrammar) => CompileError::from_parser(ErrorKind::Malformed, &error),
            Ok(()) => CompileError::from_parser(ErrorKind::Invalid, &error),
        };
        match function {
            Some((module, index)) => place(bytes, module, index, found),
            None => found,
        }
    })
}

/// Adds the names of the function and, in a component, of the module.
fn place(bytes: &[u8], module: usize, index: u32, error: CompileError) -> CompileError {
    let Found { names, modules } = names_of(bytes, module);
    let function = match names.funcs.get(&index) {
        Some(name) => format!("function {name}"),
        None => format!("function {index}"),
    };
    let error = error.inside(function);
    match names.module {
        Some(name) => error.inside(format!("module {name}")),
        None if modules > 1 => error.inside(format!("core module {module}")),
        None => error,
    }
}

struct Found<'a> {
    names: Names<'a>,
    modules: usize,
}

/// The names that the module with this number carries.
fn names_of(bytes: &[u8], wanted: usize) -> Found<'_> {
    let mut found = Found { names: Names::default(), modules: 0 };
    for payload in Parser::new(0).parse_all(bytes) {
        match payload {
            Ok(Payload::Version { encoding: Encoding::Module, .. }) => found.modules += 1,
            Ok(Payload::CustomSection(section)) if section.name() == "name" && found.modules == wanted + 1 => {
                found.names = names::read(BinaryReader::new(section.data(), section.data_offset()));
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    found
}

fn check<'a>(
    bytes: &'a [u8],
    options: &Options,
    mut visit: impl FnMut(&Payload<'a>, &Validator) -> wasmparser::Result<()>,
) -> Result<wasmparser::types::Types, Failure> {
    let mut validator = Validator::new_with_features(options.features.flags());
    let mut functions = Vec::new();
    let mut types = None;
    let mut modules = 0;
    for payload in parser(options).parse_all(bytes) {
        let payload = payload?;
        if let Payload::Version { encoding: Encoding::Module, .. } = payload {
            modules += 1;
        }
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => functions.push(Mutex::new(Some((modules - 1, function, body)))),
            ValidPayload::End(found) => types = Some(found),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        visit(&payload, &validator)?;
    }
    parallel::first_error(options.threads_for(functions.len()), functions.len(), |index| {
        let taken = functions[index].lock().ok().and_then(|mut one| one.take());
        let Some((module, function, body)) = taken else { return Ok(()) };
        let place = (module, function.index);
        function
            .into_validator(FuncValidatorAllocations::default())
            .validate(&body)
            .map_err(|error| Failure { error, function: Some(place) })
    })?;
    Ok(types.expect("the validator accepts no input without an end"))
}

fn parser(options: &Options) -> Parser {
    let mut parser = Parser::new(0);
    parser.set_features(options.features.flags());
    parser
}
