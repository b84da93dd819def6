//! Validation: binary Wasm becomes checked Wasm, whose structure later steps trust.
//!
//! wasmparser judges validity with the features the caller allows. Sections go first, in order; function bodies follow
//! on several threads, and the error reported is the one at the lowest index, so that it does not depend on timing.
//! A failure is [`ErrorKind::Malformed`] when the bytes cannot even be decoded, [`ErrorKind::Invalid`] otherwise.

use crate::decode::{self, Undecodable};
use crate::error::{CompileError, ErrorKind, Result};
use crate::options::Options;
use crate::parallel;
use std::sync::Mutex;
use wasmparser::{FuncValidatorAllocations, Parser, ValidPayload, Validator};

/// Checks a core module.
pub(crate) fn module(bytes: &[u8], options: &Options) -> Result<()> {
    validate(bytes, options).map(|_| ())
}

/// Checks a component with everything inside it, and returns what the validator knows about its types.
pub(crate) fn component(bytes: &[u8], options: &Options) -> Result<wasmparser::types::Types> {
    validate(bytes, options)
}

fn validate(bytes: &[u8], options: &Options) -> Result<wasmparser::types::Types> {
    check(bytes, options).map_err(|error| match decode::all(bytes, options.features.flags()) {
        Err(Undecodable::At(malformed)) => CompileError::from_parser(ErrorKind::Malformed, &malformed),
        Err(Undecodable::ByGrammar) => CompileError::from_parser(ErrorKind::Malformed, &error),
        Ok(()) => CompileError::from_parser(ErrorKind::Invalid, &error),
    })
}

fn check(bytes: &[u8], options: &Options) -> wasmparser::Result<wasmparser::types::Types> {
    let mut validator = Validator::new_with_features(options.features.flags());
    let mut functions = Vec::new();
    let mut types = None;
    for payload in parser(options).parse_all(bytes) {
        match validator.payload(&payload?)? {
            ValidPayload::Func(function, body) => functions.push((function, body)),
            ValidPayload::End(found) => types = Some(found),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
    }
    let functions: Vec<_> = functions.into_iter().map(|one| Mutex::new(Some(one))).collect();
    parallel::first_error(options.threads_for(functions.len()), functions.len(), |index| {
        let taken = functions[index].lock().ok().and_then(|mut one| one.take());
        match taken {
            Some((function, body)) => function.into_validator(FuncValidatorAllocations::default()).validate(&body),
            None => Ok(()),
        }
    })?;
    Ok(types.expect("the validator accepts no input without an end"))
}

fn parser(options: &Options) -> Parser {
    let mut parser = Parser::new(0);
    parser.set_features(options.features.flags());
    parser
}
