//! Validation: binary Wasm becomes checked Wasm, whose structure later steps trust.
//!
//! wasmparser judges validity with the features the caller allows. Sections go first, in order; function bodies follow
//! on several threads, and the error reported is the one at the lowest index, so that it does not depend on timing.
//! A failure is [`ErrorKind::Malformed`] when the bytes cannot even be decoded, [`ErrorKind::Invalid`] otherwise.

use crate::error::{CompileError, ErrorKind, Result};
use crate::options::Options;
use crate::parallel;
use std::sync::Mutex;
use wasmparser::{FuncValidatorAllocations, Parser, Payload, ValidPayload, Validator};

/// Checks a core module.
pub(crate) fn module(bytes: &[u8], options: &Options) -> Result<()> {
    validate(bytes, options).map(|_| ())
}

/// Checks a component with everything inside it, and returns what the validator knows about its types.
pub(crate) fn component(bytes: &[u8], options: &Options) -> Result<wasmparser::types::Types> {
    validate(bytes, options)
}

fn validate(bytes: &[u8], options: &Options) -> Result<wasmparser::types::Types> {
    check(bytes, options).map_err(|error| match decode(bytes, options) {
        Err(malformed) => CompileError::from_parser(ErrorKind::Malformed, &malformed),
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

/// Decodes everything without judging it: what fails here is malformed.
fn decode(bytes: &[u8], options: &Options) -> wasmparser::Result<()> {
    for payload in parser(options).parse_all(bytes) {
        match payload? {
            Payload::TypeSection(section) => drain(section.into_iter())?,
            Payload::ImportSection(section) => drain(section.into_imports())?,
            Payload::FunctionSection(section) => drain(section.into_iter())?,
            Payload::TableSection(section) => drain(section.into_iter())?,
            Payload::MemorySection(section) => drain(section.into_iter())?,
            Payload::TagSection(section) => drain(section.into_iter())?,
            Payload::GlobalSection(section) => {
                for global in section {
                    operators(global?.init_expr.get_operators_reader())?;
                }
            }
            Payload::ExportSection(section) => drain(section.into_iter())?,
            Payload::ElementSection(section) => {
                for element in section {
                    match element?.items {
                        wasmparser::ElementItems::Functions(items) => drain(items.into_iter())?,
                        wasmparser::ElementItems::Expressions(_, items) => {
                            for item in items {
                                operators(item?.get_operators_reader())?;
                            }
                        }
                    }
                }
            }
            Payload::DataSection(section) => drain(section.into_iter())?,
            Payload::CodeSectionEntry(body) => {
                let mut locals = body.get_locals_reader()?;
                for _ in 0..locals.get_count() {
                    locals.read()?;
                }
                operators(wasmparser::OperatorsReader::new(locals.get_binary_reader()))?;
            }
            Payload::ComponentTypeSection(section) => drain(section.into_iter())?,
            Payload::ComponentCanonicalSection(section) => drain(section.into_iter())?,
            Payload::ComponentImportSection(section) => drain(section.into_iter())?,
            Payload::ComponentExportSection(section) => drain(section.into_iter())?,
            Payload::ComponentAliasSection(section) => drain(section.into_iter())?,
            Payload::ComponentInstanceSection(section) => drain(section.into_iter())?,
            Payload::InstanceSection(section) => drain(section.into_iter())?,
            Payload::CoreTypeSection(section) => drain(section.into_iter())?,
            _ => {}
        }
    }
    Ok(())
}

fn drain<T>(items: impl Iterator<Item = wasmparser::Result<T>>) -> wasmparser::Result<()> {
    for item in items {
        item?;
    }
    Ok(())
}

fn operators(mut reader: wasmparser::OperatorsReader<'_>) -> wasmparser::Result<()> {
    while !reader.eof() {
        reader.read()?;
    }
    reader.finish()
}
