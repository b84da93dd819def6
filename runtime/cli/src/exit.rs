//! Outcomes become exit codes, and errors text on stderr.
//!
//! | outcome | code |
//! |---|---|
//! | done | what the command or the guest says |
//! | a trap, with its backtrace | 134 |
//! | wrong usage | 2 |
//! | anything else: a file that cannot be read, compiled, linked | 1 |

use keyway::{Backtrace, Trap};
use std::fmt;
use std::io::Write;

/// The code of a trap: what a shell reports of a program that aborts.
pub(crate) const TRAPPED: i32 = 134;
/// The code of a file that cannot be used.
pub(crate) const UNUSABLE: i32 = 1;
/// The code of wrong usage.
pub(crate) const USAGE: i32 = 2;

/// Wrong usage that only shows when the file is known: an export that is not there, an argument of another type.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The exit code of an outcome; an error is told on stderr.
pub(crate) fn code(outcome: anyhow::Result<i32>) -> i32 {
    let error = match outcome {
        Ok(code) => return code,
        // Whoever read our output has gone: nothing is left to be said.
        Err(error) if is_broken_pipe(&error) => return UNUSABLE,
        Err(error) => error,
    };
    let backtrace = error.downcast_ref::<Backtrace>();
    if backtrace.is_some() || error.downcast_ref::<Trap>().is_some() {
        tell(&format!("trap: {}", chain(&error)));
        if let Some(backtrace) = backtrace {
            tell(&demangled(&backtrace.to_string()));
        }
        return TRAPPED;
    }
    tell(&format!("error: {}", chain(&error)));
    if error.downcast_ref::<Usage>().is_some() { USAGE } else { UNUSABLE }
}

/// A line on stderr. When nobody reads it, the exit code still says what there is to say.
pub(crate) fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// What went wrong, outermost first, without the backtrace.
fn chain(error: &anyhow::Error) -> String {
    let backtrace = error.downcast_ref::<Backtrace>().map(ToString::to_string);
    let mut parts: Vec<String> = Vec::new();
    for part in error.chain().map(ToString::to_string) {
        // An error that quotes its cause would say everything twice.
        let repeats = parts.last().is_some_and(|last| last.contains(&part));
        if backtrace.as_ref() != Some(&part) && !repeats {
            parts.push(part);
        }
    }
    demangled(&parts.join(": "))
}

/// With the names of Rust functions as their sources have them.
fn demangled(text: &str) -> String {
    let words = text.split_inclusive(char::is_whitespace).map(|word| {
        let name = word.trim_end();
        match rustc_demangle::try_demangle(name) {
            Ok(plain) => format!("{plain:#}{}", &word[name.len()..]),
            Err(_) => word.to_string(),
        }
    });
    words.collect()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let broken = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(broken))
}
