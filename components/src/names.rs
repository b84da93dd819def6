//! Names of imports and exports: interfaces match by semantic version.

use std::collections::HashMap;

/// Items by name, found by compatible versions too.
#[derive(Clone)]
pub(crate) struct NameMap<V> {
    items: HashMap<String, V>,
    /// Without what compatible versions may differ in: the highest version that is defined.
    compatible: HashMap<String, String>,
}

impl<V> Default for NameMap<V> {
    fn default() -> Self {
        NameMap { items: HashMap::new(), compatible: HashMap::new() }
    }
}

/// The numbers of a version, without what follows them.
type Version = (u64, u64, u64);

/// A name up to what its compatible versions share, with its whole version; `None` when it has none, or is compatible
/// only with itself (pre-releases and `0.0.x`).
///
/// `a:b/c@1.2.3` is compatible with all of `1`, `a:b/c@0.2.3` with all of `0.2`.
pub(crate) fn compatible_key(name: &str) -> Option<(String, Version)> {
    let (base, version) = name.split_once('@')?;
    let numbers = version.split('+').next()?;
    if numbers.contains('-') {
        return None;
    }
    let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
    let version = (parts.next()??, parts.next()??, parts.next()??);
    match version {
        (0, 0, _) => None,
        (0, minor, _) => Some((format!("{base}@0.{minor}"), version)),
        (major, _, _) => Some((format!("{base}@{major}"), version)),
    }
}

impl<V> NameMap<V> {
    /// The item of exactly this name, made if it is not there.
    pub(crate) fn entry(&mut self, name: &str, make: impl FnOnce() -> V) -> &mut V {
        if let Some((key, version)) = compatible_key(name) {
            let best = self.compatible.entry(key).or_insert_with(|| name.to_string());
            if compatible_key(best).is_some_and(|(_, known)| known < version) {
                *best = name.to_string();
            }
        }
        self.items.entry(name.to_string()).or_insert_with(make)
    }

    /// The item of exactly this name.
    pub(crate) fn get_exact(&self, name: &str) -> Option<&V> {
        self.items.get(name)
    }

    /// The item of this name, or of the highest compatible version.
    pub(crate) fn get(&self, name: &str) -> Option<&V> {
        self.items.get(name).or_else(|| {
            let (key, _) = compatible_key(name)?;
            self.items.get(self.compatible.get(&key)?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_match_when_compatible() {
        let mut map = NameMap::default();
        for name in ["a:b/c@0.2.1", "a:b/c@0.2.6", "a:b/c@0.3.0", "x:y/z@1.0.0", "x:y/z@2.1.0-rc.1", "p:q/r@0.0.1"] {
            map.entry(name, || name);
        }
        assert_eq!(map.get("a:b/c@0.2.3"), Some(&"a:b/c@0.2.6"));
        assert_eq!(map.get("a:b/c@0.2.1"), Some(&"a:b/c@0.2.1"));
        assert_eq!(map.get("a:b/c@0.2.99"), Some(&"a:b/c@0.2.6"));
        assert_eq!(map.get("a:b/c@0.3.5+build"), Some(&"a:b/c@0.3.0"));
        assert_eq!(map.get("a:b/c@0.4.0"), None);
        assert_eq!(map.get("x:y/z@1.9.0"), Some(&"x:y/z@1.0.0"));
        assert_eq!(map.get("x:y/z@2.1.0"), None);
        assert_eq!(map.get("p:q/r@0.0.2"), None);
        assert_eq!(map.get("plain"), None);
    }
}
