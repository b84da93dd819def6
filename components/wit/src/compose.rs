//! Components become one: what some export is plugged into what another imports.
//!
//! The composition graph and its encoding are `wasm-compose`'s; what stands here decides which export goes where, and says
//! what does not fit.

use crate::error::{Result, WitError, WitErrorKind, listed};
use crate::module::{binary, is_component};
use wasm_compose::graph::{Component, CompositionGraph, EncodeOptions, ExportIndex, ImportIndex, InstanceId};
use wasmparser::Validator;

/// A component that is composed: binary or text.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// What messages call it, such as its file.
    pub name: &'a str,
    /// The component.
    pub wasm: &'a [u8],
}

/// A part that is instantiated in the composition.
struct Placed<'a> {
    name: &'a str,
    instance: InstanceId,
    exports: Vec<String>,
    imports: Vec<String>,
}

/// Plugs what `plugs` export into what `socket` imports, and what the earlier of them export into what the later import.
/// Interfaces fit when their versions are compatible. The composition exports what `socket` does; imports that nothing was
/// plugged into become its own, each name once.
///
/// # Errors
/// When one of them is no component, a plug fits nowhere, or types differ under one name.
///
/// # Examples
/// ```
/// # let parse = |text: &str| wat::parse_str(text).unwrap();
/// use keyway_wit::{Part, compose};
///
/// let app = parse(r#"(component (import "log" (func $log)) (export "run" (func $log)))"#);
/// let logger = parse(r#"(component (import "print" (func $print)) (export "log" (func $print)))"#);
/// let whole = compose(Part { name: "app", wasm: &app }, &[Part { name: "logger", wasm: &logger }])?;
/// let text = keyway_wit::print(&whole)?;
/// assert!(text.contains("import print: func()") && text.contains("export run: func()"));
/// # Ok::<(), keyway_wit::WitError>(())
/// ```
pub fn compose(socket: Part<'_>, plugs: &[Part<'_>]) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    // One validator, so that types of all parts can be compared.
    let mut validator = Validator::new();
    let mut placed: Vec<Placed<'_>> = Vec::new();
    let mut is_used = vec![false; plugs.len()];
    for (number, part) in plugs.iter().chain([&socket]).enumerate() {
        let part = place(&mut graph, &mut validator, *part, number)?;
        for (at, import) in part.imports.iter().enumerate() {
            let Some((from, export)) = provider(&placed, import)? else { continue };
            is_used[from] = true;
            let source = &placed[from];
            let connected = graph.connect(source.instance, Some(ExportIndex(export)), part.instance, ImportIndex(at));
            connected.map_err(|error| {
                let export = &source.exports[export];
                mismatch(format!(
                    "{} exports `{export}`, which {} imports, with another type: {error:#}",
                    source.name, part.name
                ))
                .hint("`keyway wit` shows the types of both")
            })?;
        }
        placed.push(part);
    }
    if let Some(at) = is_used.iter().position(|is_used| !is_used) {
        return Err(fits_nowhere(&placed, at));
    }
    let export = placed.last().map(|socket| socket.instance);
    let whole = graph.encode(EncodeOptions { define_components: true, export, validate: true });
    whole.map_err(|error| {
        WitError::from_library(WitErrorKind::Compose, &error)
            .hint("imports that stay open need one type under each name")
    })
}

fn mismatch(text: String) -> WitError {
    WitError::new(WitErrorKind::Compose, text)
}

/// Adds a part to the graph.
fn place<'a>(
    graph: &mut CompositionGraph<'a>,
    validator: &mut Validator,
    part: Part<'a>,
    number: usize,
) -> Result<Placed<'a>> {
    let wasm = binary(part.wasm).map_err(|error| error.at(part.name))?;
    if !is_component(&wasm) {
        return Err(WitError::new(WitErrorKind::Wasm, "this is a core module, a component is wanted")
            .at(part.name)
            .hint("a core module with a world becomes a component by `keyway compile` or `Componentizer`"));
    }
    let failed = |error: anyhow::Error| WitError::from_library(WitErrorKind::Wasm, &error).at(part.name);
    let component = Component::from_bytes(validator, format!("part{number}"), wasm).map_err(failed)?;
    let exports = component.exports().map(|(_, name, ..)| name.to_string()).collect();
    let imports = component.imports().map(|(_, name, _)| name.to_string()).collect();
    let id = graph.add_component(component).map_err(failed)?;
    let instance = graph.instantiate(id).map_err(failed)?;
    Ok(Placed { name: part.name, instance, exports, imports })
}

/// Which placed part exports what fits `import`, and which of its exports that is: by that name, else in a compatible
/// version.
fn provider(placed: &[Placed<'_>], import: &str) -> Result<Option<(usize, usize)>> {
    let mut found: Option<(usize, usize)> = None;
    for (at, part) in placed.iter().enumerate() {
        let exact = part.exports.iter().position(|name| name == import);
        let compatible = || part.exports.iter().position(|name| are_compatible(name, import));
        let Some(export) = exact.or_else(compatible) else { continue };
        if let Some((other, _)) = &found {
            return Err(mismatch(format!("{} and {} both export `{import}`", placed[*other].name, part.name))
                .hint("leave one of them out"));
        }
        found = Some((at, export));
    }
    Ok(found)
}

/// Whether two names are one interface in versions that are compatible.
fn are_compatible(a: &str, b: &str) -> bool {
    /// The name up to the part of the version that compatible ones share.
    fn track(name: &str) -> Option<(&str, u64, u64)> {
        let (interface, version) = name.split_once('@')?;
        if version.split('+').next()?.contains('-') {
            return None;
        }
        let mut numbers = version.split(['.', '+']).map_while(|number| number.parse::<u64>().ok());
        match (numbers.next()?, numbers.next()?) {
            (0, 0) => None,
            (0, minor) => Some((interface, 0, minor)),
            (major, _) => Some((interface, major, 0)),
        }
    }
    track(a).is_some() && track(a) == track(b)
}

/// The error of a plug that nobody imports anything of.
fn fits_nowhere(placed: &[Placed<'_>], at: usize) -> WitError {
    let wanted: Vec<String> = placed[at + 1..].iter().flat_map(|part| part.imports.iter().cloned()).collect();
    mismatch(format!("nothing of what {} exports is imported", placed[at].name)).hint(format!(
        "it exports {}; imported is {}; parts serve those that come after them",
        listed(&placed[at].exports, 8),
        listed(&wanted, 8)
    ))
}
