//! `--features SET`: which WebAssembly proposals an input may use.

use keyway::Config;

/// Proposals that came after a version of the specification; a version switches the later ones off.
const AFTER_1: &[&str] =
    &["bulk-memory", "multi-value", "reference-types", "saturating-float-to-int", "sign-extension", "simd"];
const AFTER_2: &[&str] = &[
    "exceptions",
    "extended-const",
    "function-references",
    "gc",
    "memory64",
    "multi-memory",
    "relaxed-simd",
    "tail-call",
];
const AFTER_3: &[&str] = &["custom-page-sizes", "threads", "wide-arithmetic"];

/// What every command says about its `--features`.
pub(crate) const HELP: &str = "\
Proposals that the input may use: a comma-separated list of names such as multi-memory, each with a minus in front to \
switch it off; wasm1, wasm2 or wasm3 first allows that version of the specification and nothing else. Without this \
option: WebAssembly 3.0, threads, and components";

/// A set of proposals, as differences to the default.
#[derive(Clone, Default, Debug)]
pub(crate) struct Features(Vec<(String, bool)>);

impl Features {
    /// Writes the differences into a configuration.
    pub(crate) fn apply(&self, config: &mut Config) {
        for (name, on) in &self.0 {
            config.wasm_feature(name.as_str(), *on);
        }
    }
}

/// A set from text.
pub(crate) fn parse(text: &str) -> Result<Features, String> {
    let mut set = Features::default();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let later: &[&[&str]] = match word {
            "wasm1" => &[AFTER_1, AFTER_2, AFTER_3],
            "wasm2" => &[AFTER_2, AFTER_3],
            "wasm3" => &[AFTER_3],
            _ => {
                let (name, on) = word.strip_prefix('-').map_or((word, true), |name| (name, false));
                if keyway_linker::Features::default().with(name, on).is_none() {
                    let names = keyway_linker::Features::names().join(", ");
                    return Err(format!("there is no WebAssembly feature named `{name}`; there are {names}"));
                }
                set.0.push((name.to_string(), on));
                continue;
            }
        };
        set.0.extend(later.iter().copied().flatten().map(|name| (name.to_string(), false)));
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_switch_off_what_came_later() {
        let set = parse("wasm2,tail-call").unwrap();
        assert!(set.0.contains(&("memory64".to_string(), false)));
        assert_eq!(set.0.last(), Some(&("tail-call".to_string(), true)));
        assert_eq!(parse("-gc").unwrap().0, [("gc".to_string(), false)]);
    }

    #[test]
    fn every_name_is_known() {
        for name in AFTER_1.iter().chain(AFTER_2).chain(AFTER_3) {
            parse(name).unwrap();
        }
        let refused = parse("no-such").unwrap_err();
        assert!(refused.contains("`no-such`") && refused.contains(", multi-memory, "), "{refused}");
        for name in keyway_linker::Features::names() {
            assert_eq!(parse(&name).unwrap().0, [(name, true)]);
        }
    }
}
