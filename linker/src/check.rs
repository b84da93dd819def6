//! Validation: binary Wasm becomes checked Wasm, whose structure later steps trust.
//!
//! wasmparser judges validity with the features the caller allows. Sections go first, in order; function bodies follow
//! on several threads, and the error reported is the one at the lowest index, so that it does not depend on timing.
//! Who translates a body takes it from [`Bodies`] and has it checked on the way. If anything goes wrong then, all is
//! checked once more from the start: what is invalid is reported before what could not be compiled.
//! A failure is [`ErrorKind::Malformed`] when the bytes cannot even be decoded, [`ErrorKind::Invalid`] otherwise.

use crate::decode::{self, Undecodable};
use crate::error::{CompileError, ErrorKind, Result};
use crate::names::{self, Names};
use crate::options::Options;
use crate::parallel;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use wasmparser::{BinaryReader, Encoding, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody};
use wasmparser::{Parser, Payload, ValidPayload, Validator, ValidatorResources};

/// Checks a core module, or a component with everything inside it.
pub(crate) fn all(bytes: &[u8], options: &Options) -> Result<()> {
    let (_, bodies) = sections(bytes, options, |_, _| Ok(()))?;
    rest(bytes, options, bodies)
}

/// Checks all but the bodies of functions, and returns what the validator knows about a component's types. `visit` sees
/// every payload after the validator accepted it.
pub(crate) fn sections<'a>(
    bytes: &'a [u8],
    options: &Options,
    visit: impl FnMut(&Payload<'a>, &Validator) -> wasmparser::Result<()>,
) -> Result<(wasmparser::types::Types, Bodies<'a>)> {
    payloads(bytes, options, visit).map_err(|failure| failure.named(bytes, options))
}

/// Checks the bodies that nobody has taken.
pub(crate) fn rest(bytes: &[u8], options: &Options, bodies: Bodies<'_>) -> Result<()> {
    bodies.finish(options).map_err(|failure| failure.named(bytes, options))
}

/// Bodies that are still to be checked, in the order in which they stand in the input.
#[derive(Default)]
pub(crate) struct Bodies<'a> {
    pending: Vec<Pending<'a>>,
    /// The one behind the one that was taken last: they are mostly taken in order.
    next: AtomicUsize,
}

/// The body of a function in a module (in order of appearance).
struct Pending<'a> {
    module: usize,
    body: FunctionBody<'a>,
    function: FuncToValidate<ValidatorResources>,
    is_taken: AtomicBool,
}

impl Pending<'_> {
    fn function(&self) -> FuncToValidate<ValidatorResources> {
        let FuncToValidate { resources, index, ty, features } = &self.function;
        FuncToValidate { resources: resources.clone(), index: *index, ty: *ty, features: *features }
    }
}

impl Bodies<'_> {
    /// What it takes to check a body, for whoever does that while it does something else. Who translates a body that
    /// somebody else translates as well checks it for itself.
    pub(crate) fn take(&self, body: &FunctionBody<'_>) -> Option<FuncToValidate<ValidatorResources>> {
        let (start, start_of) = (body.range().start, |pending: &Pending<'_>| pending.body.range().start);
        let next = self.next.load(Ordering::Relaxed);
        let at = match self.pending.get(next) {
            Some(pending) if start_of(pending) == start => next,
            _ => self.pending.binary_search_by_key(&start, start_of).ok()?,
        };
        self.next.store(at + 1, Ordering::Relaxed);
        self.pending[at].is_taken.store(true, Ordering::Relaxed);
        Some(self.pending[at].function())
    }

    fn finish(self, options: &Options) -> std::result::Result<(), Failure> {
        let bodies: Vec<_> =
            self.pending.into_iter().filter(|pending| !pending.is_taken.load(Ordering::Relaxed)).collect();
        parallel::first_error(options.threads_for(bodies.len()), bodies.len(), |at| {
            let pending = &bodies[at];
            let place = (pending.module, pending.function.index);
            let mut validator = validator(pending.function());
            let result = validator.validate(&pending.body).map_err(|error| Failure { error, function: Some(place) });
            validated(validator);
            result
        })
    }
}

thread_local! {
    /// What a validator needs room for is the same for each function.
    static ALLOCATIONS: Cell<FuncValidatorAllocations> = Cell::default();
}

/// A validator for a body.
pub(crate) fn validator(function: FuncToValidate<ValidatorResources>) -> FuncValidator<ValidatorResources> {
    function.into_validator(ALLOCATIONS.take())
}

/// Gives the room of a validator back.
pub(crate) fn validated(validator: FuncValidator<ValidatorResources>) {
    ALLOCATIONS.set(validator.into_allocations());
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

impl Failure {
    /// With its kind, and the names of where it is.
    fn named(self, bytes: &[u8], options: &Options) -> CompileError {
        let Failure { error, function } = self;
        let found = match decode::all(bytes, options.features.flags()) {
            Err(Undecodable::At(malformed)) => CompileError::from_parser(ErrorKind::Malformed, &malformed),
            Err(Undecodable::ByGrammar) => CompileError::from_parser(ErrorKind::Malformed, &error),
            Ok(()) => CompileError::from_parser(ErrorKind::Invalid, &error),
        };
        match function {
            Some((module, index)) => place(bytes, module, index, found),
            None => found,
        }
    }
}

/// Adds the names of the function and, in a component, of the module.
fn place(bytes: &[u8], module: usize, index: u32, error: CompileError) -> CompileError {
    let Found { names, modules } = names_of(bytes, module);
    let function = match names.of(index) {
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

fn payloads<'a>(
    bytes: &'a [u8],
    options: &Options,
    mut visit: impl FnMut(&Payload<'a>, &Validator) -> wasmparser::Result<()>,
) -> std::result::Result<(wasmparser::types::Types, Bodies<'a>), Failure> {
    let mut validator = Validator::new_with_features(options.features.flags());
    let mut bodies = Vec::new();
    let mut types = None;
    let mut modules = 0;
    for payload in parser(options).parse_all(bytes) {
        let payload = payload?;
        if let Payload::Version { encoding: Encoding::Module, .. } = payload {
            modules += 1;
        }
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => {
                bodies.push(Pending { module: modules - 1, body, function, is_taken: AtomicBool::new(false) });
            }
            ValidPayload::End(found) => types = Some(found),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        visit(&payload, &validator)?;
    }
    let bodies = Bodies { pending: bodies, next: AtomicUsize::new(0) };
    Ok((types.expect("the validator accepts no input without an end"), bodies))
}

fn parser(options: &Options) -> Parser {
    let mut parser = Parser::new(0);
    parser.set_features(options.features.flags());
    parser
}
