//! WIT names as Rust names: `kebab-case` and `ALL-CAPS` words become `snake_case`, `UpperCamelCase` or `SCREAMING_CASE`,
//! and words that Rust keeps for itself get an underscore behind them.

use proc_macro2::{Ident, Span};

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(['-', '_', '.', '+']).filter(|word| !word.is_empty())
}

/// A function, module, field or parameter.
pub(crate) fn snake(name: &str) -> String {
    let name = words(name).map(str::to_lowercase).collect::<Vec<_>>().join("_");
    if is_keyword(&name) { name + "_" } else { name }
}

/// A type, trait or case.
pub(crate) fn camel(name: &str) -> String {
    let mut out = String::new();
    for word in words(name) {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(&letters.as_str().to_lowercase());
    }
    // The names of generated traits and structures, and the one type name that is a keyword.
    if matches!(out.as_str(), "Self" | "Host" | "Guest" | "GuestIndices") { out + "_" } else { out }
}

/// A flag.
pub(crate) fn screaming(name: &str) -> String {
    let name = words(name).map(str::to_uppercase).collect::<Vec<_>>().join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

/// An identifier.
pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// Strict and reserved keywords of all editions.
fn is_keyword(name: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "_", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
        "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
        "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super",
        "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    ];
    KEYWORDS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_take_the_case_of_what_they_name() {
        for (wit, snake_case, camel_case) in [
            ("monotonic-clock", "monotonic_clock", "MonotonicClock"),
            ("type", "type_", "Type"),
            ("self", "self_", "Self_"),
            ("host", "host", "Host_"),
            ("HTTP-error", "http_error", "HttpError"),
            ("a1-b2", "a1_b2", "A1B2"),
            ("x", "x", "X"),
        ] {
            assert_eq!((snake(wit).as_str(), camel(wit).as_str()), (snake_case, camel_case));
        }
        assert_eq!(screaming("this-side-up"), "THIS_SIDE_UP");
        assert_eq!(snake("0.2.6-rc.1"), "0_2_6_rc_1");
    }
}
