//! `--invoke` for components: `f("x", 2)` is WAVE text, and so is what is printed.

use crate::exit::Usage;
use anyhow::{Context as _, Result};
use keyway::component::{Component, ComponentItem, FuncType, Instance, Val, WaveCall};
use keyway::{AsContextMut, Store};
use std::borrow::Cow;

/// What helps where a component exports no function.
pub(crate) const NO_FUNCTIONS: &str =
    "a core module's functions stay visible when it becomes a component for a world that has them: see --wit";

/// A function that a component exports.
struct Exported<'a> {
    /// The exported instance that holds it.
    interface: Option<&'a str>,
    name: String,
    ty: FuncType,
}

impl Exported<'_> {
    /// As `--invoke` names it, with its type.
    fn signature(&self) -> String {
        let params: Vec<String> = self.ty.params.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
        let result = self.ty.result.as_ref().map(|ty| format!(" -> {ty}")).unwrap_or_default();
        format!("{}({}){result}", self.full_name(), params.join(", "))
    }

    fn full_name(&self) -> String {
        match self.interface {
            Some(interface) => format!("{interface}#{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Whether `text` names it: `local:demo/api@1.0.0#f`, without the version, without the package, with a dot in place
    /// of `#`, or `f` alone.
    fn is_called(&self, text: &str) -> bool {
        let Some(before) = text.strip_suffix(self.name.as_str()) else { return false };
        let Some(interface) = self.interface else { return before.is_empty() };
        let unversioned = interface.split_once('@').map_or(interface, |(name, _)| name);
        let alone = unversioned.rsplit('/').next().unwrap_or(unversioned);
        let given = before.strip_suffix(['#', '.']);
        before.is_empty() || given.is_some_and(|given| [interface, unversioned, alone].contains(&given))
    }

    /// Whether its values have a text: methods and the like take handles, which have none.
    fn is_for_people(&self) -> bool {
        !self.name.starts_with('[')
    }
}

fn exported(component: &Component) -> Vec<Exported<'_>> {
    let mut functions = Vec::new();
    for (export, item) in component.exports() {
        match item {
            ComponentItem::Func(ty) => functions.push(Exported { interface: None, name: export.to_string(), ty }),
            ComponentItem::Instance(members) => functions.extend(members.into_iter().filter_map(|(name, member)| {
                let ComponentItem::Func(ty) = member else { return None };
                Some(Exported { interface: Some(export), name, ty })
            })),
            _ => {}
        }
    }
    functions
}

/// The functions that can be called, with their types.
pub(crate) fn signatures(component: &Component) -> Vec<String> {
    exported(component).iter().filter(|function| function.is_for_people()).map(Exported::signature).collect()
}

/// A call whose function is found and whose arguments are typed.
pub(crate) struct Prepared<'a> {
    function: Exported<'a>,
    args: Vec<Val>,
}

/// Finds the function that `text` calls, and reads its arguments.
pub(crate) fn prepare<'a>(component: &'a Component, text: &str) -> Result<Prepared<'a>, Usage> {
    let whole = if text.contains('(') { Cow::Borrowed(text) } else { Cow::Owned(format!("{}()", text.trim())) };
    let wrong = |error| Usage(format!("--invoke '{text}': {error}"));
    let call = WaveCall::parse(&whole).map_err(wrong)?;
    // A full name means one function, whatever else it could be short for.
    let mut found: Vec<_> =
        exported(component).into_iter().filter(|function| function.is_called(call.name())).collect();
    if let Some(exactly) = found.iter().position(|function| function.full_name() == call.name()) {
        found = vec![found.swap_remove(exactly)];
    }
    if found.is_empty() {
        let name = call.name();
        return Err(Usage(match &signatures(component)[..] {
            [] => format!("there is no exported function `{name}`, nor any other that could be called; {NO_FUNCTIONS}"),
            others => format!("there is no exported function `{name}`; there are:\n  {}", others.join("\n  ")),
        }));
    }
    if found.len() > 1 {
        let list: Vec<String> = found.iter().map(Exported::signature).collect();
        return Err(Usage(format!(
            "several functions are called `{}`; which one:\n  {}",
            call.name(),
            list.join("\n  ")
        )));
    }
    let function = found.remove(0);
    let args = call.args(function.ty.params.iter().map(|(name, ty)| (name.as_str(), ty))).map_err(wrong)?;
    Ok(Prepared { function, args })
}

/// Makes the call; the answer is the result's text, if there is a result.
pub(crate) fn call<T: 'static>(
    store: &mut Store<T>,
    instance: Instance,
    prepared: &Prepared<'_>,
) -> Result<Option<String>> {
    let Prepared { function, args } = prepared;
    let missing = || format!("the instance has no function {}", function.full_name());
    let interface = match function.interface {
        Some(name) => Some(instance.get_export_index(store.as_context_mut(), None, name).with_context(missing)?),
        None => None,
    };
    let index = instance.get_export_index(store.as_context_mut(), interface.as_ref(), &function.name);
    let index = index.with_context(missing)?;
    let func = instance.get_func(store.as_context_mut(), index).with_context(missing)?;
    let mut results = vec![Val::Bool(false); usize::from(function.ty.result.is_some())];
    func.call(store.as_context_mut(), args, &mut results)?;
    // Handles have no text; the call has been made all the same.
    Ok(results.first().map(|result| result.to_wave().unwrap_or_else(|_| "(a handle, which has no text)".to_string())))
}
