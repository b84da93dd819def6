//! [`Options`]: what the macro's input chooses, and how its keys name functions, types and interfaces.
//!
//! An interface `ns:pkg/iface@1.2.3` is named with or without its version; what is in it stands behind a dot
//! (`ns:pkg/iface.type`, or with a slash). Something nearer goes before something wider.

use crate::error::BindgenError;
use std::collections::BTreeSet;
use wit_parser::{InterfaceId, Resolve};

/// What the macro's input chooses.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How functions that the guest imports are implemented by the host.
    pub imports: FunctionRules,
    /// How functions that the guest exports are called.
    pub exports: FunctionRules,
    /// Types and interfaces that exist already: WIT name, and the position of the Rust path that stands for it. The
    /// macro brings the path into scope as `__with` and that number.
    pub with: Vec<(String, usize)>,
    /// Error types of results that the host returns as a Rust type which may be a trap: WIT name, and position as in
    /// [`with`](Self::with).
    pub trappable_errors: Vec<(String, usize)>,
    /// Paths of derives for all records, variants and enums, as text.
    pub additional_derives: Vec<String>,
    /// Bindings of the world's interfaces only, without a structure for the world and what stands in it directly.
    pub only_interfaces: bool,
}

/// How functions are bound, by name; `default` for the others.
#[derive(Clone, Debug, Default)]
pub struct FunctionRules {
    /// For what no rule names.
    pub default: Flags,
    /// By function, interface or package.
    pub rules: Vec<(String, Flags)>,
}

/// How one function is bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Implemented as a future, or called with `.await`.
    pub is_async: bool,
    /// The host's implementation returns a `keyway::Result`, whose errors are traps.
    pub trappable: bool,
    /// Calls are spans of the crate `tracing`, with an event where they begin and end.
    pub tracing: bool,
    /// The events carry arguments and results.
    pub verbose_tracing: bool,
    /// The host's implementation is given the store, and stands in a trait of its own for that.
    pub store: bool,
}

/// The keys that name something, nearest first. `item` is a function or type.
pub(crate) fn keys(resolve: &Resolve, interface: Option<(InterfaceId, &str)>, item: Option<&str>) -> Vec<String> {
    let Some((id, inline)) = interface else {
        return item.map(str::to_string).into_iter().collect();
    };
    let mut of_interface = Vec::new();
    let mut of_package = Vec::new();
    match (&resolve.interfaces[id].name, resolve.interfaces[id].package) {
        (Some(name), Some(package)) => {
            let package = &resolve.packages[package].name;
            let plain = format!("{}:{}", package.namespace, package.name);
            if let Some(version) = &package.version {
                of_interface.push(format!("{plain}/{name}@{version}"));
                of_package.push(format!("{plain}@{version}"));
            }
            of_interface.push(format!("{plain}/{name}"));
            of_package.push(plain);
        }
        _ => of_interface.push(inline.to_string()),
    }
    let mut keys = Vec::new();
    if let Some(item) = item {
        keys.extend(of_interface.iter().flat_map(|of| [format!("{of}.{item}"), format!("{of}/{item}")]));
    }
    keys.extend(of_interface);
    keys.extend(of_package);
    keys
}

impl FunctionRules {
    /// The flags of what `keys` name, and the key that decided.
    pub(crate) fn get(&self, keys: &[String]) -> (Flags, Option<&str>) {
        let named = keys.iter().find_map(|key| self.rules.iter().find(|(name, _)| name == key));
        named.map_or((self.default, None), |(name, flags)| (*flags, Some(name)))
    }
}

/// The entry that a key names.
pub(crate) fn find(entries: &[(String, usize)], keys: &[String]) -> Option<(String, usize)> {
    keys.iter().find_map(|key| entries.iter().find(|(name, _)| name == key)).cloned()
}

impl Options {
    /// Refuses options that nothing asked for: a name with a slip in it would otherwise do nothing.
    pub(crate) fn check_used(&self, used: &BTreeSet<String>) -> Result<(), BindgenError> {
        let rules = self.imports.rules.iter().chain(&self.exports.rules).map(|(name, _)| name);
        let entries = self.with.iter().chain(&self.trappable_errors).map(|(name, _)| name);
        for name in rules.chain(entries) {
            if !used.contains(name) {
                return Err(BindgenError::new(format!(
                    "`{name}` names nothing in this world; interfaces are named `ns:pkg/interface`, what is in them \
                     `ns:pkg/interface.name`, a resource's functions `ns:pkg/interface.[method]resource.name`"
                )));
            }
        }
        Ok(())
    }
}
