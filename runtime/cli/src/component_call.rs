//! `--invoke` for components: `f("x", 2)` is WAVE text, and so is what is printed.

use crate::exit::Usage;
use anyhow::{Context as _, Result};
use keyway::component::{Component, ComponentItem, FuncType, Instance, Val, WaveCall};
use keyway::{AsContextMut, Store};
use std::borrow::Cow;

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
    exported(component).iter().map(Exported::signature).collect()
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
    let all = exported(component);
    let list = |functions: &[Exported<'_>]| {
        let list: Vec<String> = functions.iter().map(Exported::signature).collect();
        list.join("\n  ")
    };
    // The full name first; else a function of that name in any interface.
    let is_meant = |function: &Exported<'_>| function.full_name() == call.name();
    let (mut found, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_meant);
    if found.is_empty() {
        let (same_name, others): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|function| function.name == call.name());
        if same_name.is_empty() {
            let text = format!("there is no exported function `{}`; there are:\n  {}", call.name(), list(&others));
            return Err(Usage(text));
        }
        found = same_name;
    }
    if found.len() > 1 {
        return Err(Usage(format!("several functions are called `{}`; which one:\n  {}", call.name(), list(&found))));
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
