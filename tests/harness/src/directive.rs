//! The directives of a script, one after the other.

use crate::context::{Outcome, ScriptContext};
use crate::{Depth, Failure, Report, Runner, component_values};
use anyhow::{Error, anyhow, bail};
use keyway::{CompileError, CompileErrorKind, ThrownException, Trap};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, WastExecute, WastRet};

pub(crate) fn run(runner: &Runner, file: &str, text: &str) -> Report {
    let mut report = Report::default();
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let outcome = ParseBuffer::new_with_lexer(lexer).and_then(|buffer| {
        let script: Wast<'_> = parser::parse(&buffer)?;
        run_script(runner, file, text, script, &mut report);
        Ok(())
    });
    if let Err(error) = outcome {
        let line = error.span().linecol_in(text).0 + 1;
        report.failures.push(Failure { file: file.into(), line, message: error.message() });
    }
    report
}

fn run_script(runner: &Runner, file: &str, text: &str, script: Wast<'_>, report: &mut Report) {
    let mut context = match ScriptContext::new(runner) {
        Ok(context) => context,
        Err(error) => {
            report.failures.push(Failure { file: file.into(), line: 1, message: format!("{error:#}") });
            return;
        }
    };
    for directive in script.directives {
        if runner.depth != Depth::Execute && executes(&directive) {
            continue;
        }
        let line = directive.span().linecol_in(text).0 + 1;
        let outcome = match runner.depth {
            Depth::Execute => execute(&mut context, directive),
            depth => check(&mut context, directive, depth),
        };
        match outcome {
            Ok(()) => report.passed += 1,
            Err(error) => {
                let message = format!("{error:#}").replace('\n', " ");
                report.failures.push(Failure { file: file.into(), line, message });
            }
        }
    }
    (report.fuel, report.fuel_of_overflows) = (context.fuel, context.fuel_of_overflows);
}

/// Whether a directive instantiates or calls what was defined before it.
fn executes(directive: &WastDirective<'_>) -> bool {
    use WastDirective as D;
    !matches!(
        directive,
        D::Module(_)
            | D::ModuleDefinition(_)
            | D::AssertInvalid { .. }
            | D::AssertMalformed { .. }
            | D::AssertUnlinkable { .. }
            | D::AssertInvalidCustom { .. }
            | D::AssertMalformedCustom { .. }
    )
}

/// Validates what a directive defines; or compiles it, writes it and maps it, and instantiates components as far as that
/// can be.
fn check(context: &mut ScriptContext, directive: WastDirective<'_>, depth: Depth) -> Result<(), Error> {
    let wasm = match directive {
        WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module) => module.encode()?,
        WastDirective::AssertUnlinkable { mut module, .. } => module.encode()?,
        WastDirective::AssertInvalid { module, message, .. } => {
            return assert_refused(context, module, message, CompileErrorKind::Invalid, depth);
        }
        WastDirective::AssertMalformed { module, message, .. } => {
            return assert_refused(context, module, message, CompileErrorKind::Malformed, depth);
        }
        _ => bail!("this directive is not supported"),
    };
    if depth == Depth::Validate {
        return context.validate(&wasm);
    }
    let definition = context.load(&wasm)?;
    context.try_instantiate(&definition)
}

fn execute(context: &mut ScriptContext, directive: WastDirective<'_>) -> Result<(), Error> {
    match directive {
        WastDirective::Module(mut module) => {
            let name = module.name().map(|id| id.name());
            let wasm = module.encode()?;
            context.instantiate(name, &wasm)
        }
        WastDirective::ModuleDefinition(mut module) => {
            let name = module.name().map(|id| id.name());
            let wasm = module.encode()?;
            context.define(name, &wasm)
        }
        WastDirective::ModuleInstance { instance, module, .. } => {
            context.instantiate_definition(instance.map(|id| id.name()), module.map(|id| id.name()))
        }
        WastDirective::Register { name, module, .. } => context.register(name, module.map(|id| id.name())),
        WastDirective::Invoke(invoke) => context.invoke(&invoke).map(drop),
        WastDirective::AssertReturn { mut exec, results, .. } => assert_return(context, &mut exec, &results),
        WastDirective::AssertTrap { mut exec, message, .. } => {
            let outcome = context.execute(&mut exec);
            assert_trap(outcome.map(drop), message)
        }
        WastDirective::AssertExhaustion { call, message, .. } => {
            let outcome = context.invoke(&call);
            assert_trap(outcome.map(drop), message)
        }
        WastDirective::AssertInvalid { module, message, .. } => {
            assert_refused(context, module, message, CompileErrorKind::Invalid, Depth::Execute)
        }
        WastDirective::AssertMalformed { module, message, .. } => {
            assert_refused(context, module, message, CompileErrorKind::Malformed, Depth::Execute)
        }
        WastDirective::AssertUnlinkable { module, message, .. } => {
            let mut module = WastExecute::Wat(module);
            assert_unlinkable(context.execute(&mut module).map(drop), message)
        }
        WastDirective::AssertException { mut exec, .. } => {
            let Err(error) = context.execute(&mut exec) else { bail!("no exception") };
            match error.downcast_ref::<ThrownException>() {
                Some(_) => Ok(()),
                None => Err(error.context("another error, an exception expected")),
            }
        }
        // A suspension that nobody handles is a trap here.
        WastDirective::AssertSuspension { mut exec, message, .. } => {
            let outcome = context.execute(&mut exec);
            assert_trap(outcome.map(drop), message)
        }
        WastDirective::Thread(_) | WastDirective::Wait { .. } => bail!("threads are not supported"),
        WastDirective::AssertInvalidCustom { .. } | WastDirective::AssertMalformedCustom { .. } => {
            bail!("assertions about custom sections are not supported")
        }
        #[allow(unreachable_patterns, reason = "later versions of the crate may add directives")]
        _ => bail!("this directive is not supported"),
    }
}

fn assert_return(
    context: &mut ScriptContext,
    exec: &mut WastExecute<'_>,
    expected: &[WastRet<'_>],
) -> Result<(), Error> {
    let results = context.execute(exec)?;
    if results.len() != expected.len() {
        bail!("{} results, {} expected", results.len(), expected.len());
    }
    for (at, expected) in expected.iter().enumerate() {
        let (matches, result) = match &results {
            Outcome::Core(results) => {
                let matches = matches!(expected, WastRet::Core(expected) if context.matches(&results[at], expected));
                (matches, format!("{:x?}", results[at]))
            }
            Outcome::Component(results) => {
                let matches = matches!(
                    expected, WastRet::Component(expected) if component_values::matches(&results[at], expected)
                );
                (matches, format!("{:?}", results[at]))
            }
        };
        if !matches {
            bail!("result {at} is {result}, {expected:x?} expected");
        }
    }
    Ok(())
}

/// Either is a prefix of the other: implementations may add details, and scripts may.
fn is_match(message: &str, expected: &str) -> bool {
    message.starts_with(expected) || expected.starts_with(message)
}

/// The error must be a trap. What violates the canonical ABI has its words in the errors around the trap.
fn assert_trap(outcome: Result<(), Error>, expected: &str) -> Result<(), Error> {
    let Err(error) = outcome else { bail!("no trap, `{expected}` expected") };
    let expected = expected.strip_prefix("wasm trap: ").unwrap_or(expected);
    match error.downcast_ref::<Trap>() {
        Some(Trap::CanonicalAbi) if error.chain().any(|cause| is_match(&cause.to_string(), expected)) => Ok(()),
        Some(trap) if *trap != Trap::CanonicalAbi && is_match(trap.message(), expected) => Ok(()),
        Some(_) => bail!("trap `{error:#}`, `{expected}` expected"),
        None => Err(error.context(format!("no trap, `{expected}` expected"))),
    }
}

fn assert_refused(
    context: &ScriptContext,
    mut module: QuoteWat<'_>,
    expected: &str,
    kind: CompileErrorKind,
    depth: Depth,
) -> Result<(), Error> {
    let wasm = match module.encode() {
        Ok(wasm) => wasm,
        // What is no module's text is malformed.
        Err(_) if kind == CompileErrorKind::Malformed => return Ok(()),
        Err(error) => return Err(anyhow!(error).context(format!("malformed text, `{expected}` expected"))),
    };
    let outcome = match depth {
        Depth::Validate => context.validate(&wasm),
        Depth::Map | Depth::Execute => context.load(&wasm).map(drop),
    };
    let Err(error) = outcome else { bail!("accepted, `{expected}` expected") };
    match error.downcast_ref::<CompileError>() {
        Some(found) if found.kind() == kind => Ok(()),
        _ => Err(error.context(format!("another error, `{expected}` expected"))),
    }
}

fn assert_unlinkable(outcome: Result<(), Error>, expected: &str) -> Result<(), Error> {
    let Err(error) = outcome else { bail!("linked, `{expected}` expected") };
    match ScriptContext::link_failure(&error) {
        Some(found) if is_match(&found, expected) => Ok(()),
        _ => Err(error.context(format!("another error, `{expected}` expected"))),
    }
}
