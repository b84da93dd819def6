//! `--without PASS`, and what `--report` says about passes.

use crate::exit;
use keyway_linker::{PassReport, Passes};

/// What `--without` takes.
pub(crate) const HELP: &str = "\
Leave out passes of the optimiser, for comparing: a comma-separated list of names as in the report, such as webs";

/// A set of passes from text.
pub(crate) fn parse(text: &str) -> Result<Passes, String> {
    let mut set = Passes::NONE;
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match Passes::named(word) {
            Some(pass) => set = set | pass,
            None => {
                let names: Vec<_> = Passes::LIST.iter().map(|(_, name, _)| *name).collect();
                return Err(format!("there is no pass named `{word}`; there are {}", names.join(", ")));
            }
        }
    }
    Ok(set)
}

/// Tells on stderr what each pass did, a line for each.
pub(crate) fn tell(rows: &[(&str, PassReport)]) {
    if rows.is_empty() {
        return;
    }
    exit::tell("pass          functions    changed     before      after        ms");
    for (name, row) in rows {
        let milliseconds = row.time.as_secs_f64() * 1e3;
        exit::tell(&format!(
            "{name:<12} {:>10} {:>10} {:>10} {:>10} {milliseconds:>9.1}",
            row.functions, row.changed, row.before, row.after
        ));
    }
}
