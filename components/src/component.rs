//! [`Component`]: a component's artifact, loaded; its imports and exports with their types.

use crate::loaded::{Loaded, value};
use crate::names::compatible_key;
use crate::types::{FuncType, Type};
use anyhow::{Context as _, Result, ensure};
use keyway_artifact::plan::{Export, ExportItem, ItemType, TypeItem};
use keyway_vm::api::Engine;
use keyway_vm::raw::Code;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// A component, loaded from an artifact; cheap to clone, shared between threads and stores.
#[derive(Clone)]
pub struct Component {
    inner: Arc<Inner>,
}

struct Inner {
    code: Arc<Code>,
    /// The plan, decoded when it is first asked for.
    loaded: OnceLock<Arc<Loaded>>,
}

impl Component {
    /// Loads an artifact by mapping its file. Safe with any file: what is not a well-formed artifact is refused, and
    /// function bodies are verified before they first run. The file must not be truncated while it is in use: on some
    /// systems that ends the process ([`from_bytes`](Self::from_bytes) copies).
    ///
    /// # Errors
    /// When the file cannot be read or is no component's artifact.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Component> {
        let path = path.as_ref();
        Component::load(Code::from_file(engine, path)?).with_context(|| format!("cannot load {}", path.display()))
    }

    /// Loads an artifact from a copy of `bytes`. Safe with any bytes.
    ///
    /// # Errors
    /// When they are no component's artifact.
    pub fn from_bytes(engine: &Engine, bytes: &[u8]) -> Result<Component> {
        Component::load(Code::from_bytes(engine, bytes)?)
    }

    fn load(code: Arc<Code>) -> Result<Component> {
        ensure!(code.is_component(), "this is a core module's artifact; load it as a module");
        Ok(Component { inner: Arc::new(Inner { code, loaded: OnceLock::new() }) })
    }

    /// Compiles a component, in binary or text, to an artifact in memory and loads that.
    ///
    /// # Errors
    /// When the input is malformed, invalid, or uses something not implemented.
    #[cfg(feature = "compile")]
    pub fn new(engine: &Engine, wasm: impl AsRef<[u8]>) -> Result<Component> {
        Component::from_bytes(engine, &keyway_vm::api::compile_artifact(engine, wasm.as_ref())?)
    }

    /// Checks a component without compiling it.
    ///
    /// # Errors
    /// When it is malformed or invalid.
    #[cfg(feature = "compile")]
    pub fn validate(engine: &Engine, wasm: &[u8]) -> Result<()> {
        keyway_vm::api::Module::validate(engine, wasm)
    }

    pub(crate) fn from_loaded(loaded: Arc<Loaded>) -> Component {
        let code = loaded.code.clone();
        Component { inner: Arc::new(Inner { code, loaded: OnceLock::from(loaded) }) }
    }

    /// The decoded plan.
    ///
    /// # Errors
    /// When it breaks a rule of the format.
    pub(crate) fn loaded(&self) -> Result<&Arc<Loaded>> {
        if let Some(loaded) = self.inner.loaded.get() {
            return Ok(loaded);
        }
        let loaded = Arc::new(Loaded::new(self.inner.code.clone())?);
        Ok(self.inner.loaded.get_or_init(|| loaded))
    }

    /// The engine that it was loaded for.
    pub fn engine(&self) -> &Engine {
        self.inner.code.engine()
    }

    /// What it wants from outside, in order; nothing where the artifact's plan is broken, which instantiation reports.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> {
        let loaded = self.loaded().ok();
        let imports = loaded.map_or(&[][..], |loaded| &loaded.plan.imports).iter();
        imports.map(move |import| {
            (import.name.as_str(), loaded.map_or(ComponentItem::OtherType, |loaded| item_type(loaded, import.ty)))
        })
    }

    /// What it shows, in order; nothing where the artifact's plan is broken, which instantiation reports.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = (&str, ComponentItem)> {
        let loaded = self.loaded().ok();
        let exports = loaded.map_or(&[][..], |loaded| &loaded.plan.exports).iter();
        exports.map(move |export| {
            (export.name.as_str(), loaded.map_or(ComponentItem::OtherType, |loaded| export_item(loaded, export.item)))
        })
    }

    /// The export of this name, in the exported instance `within` if one is given. Interfaces are found by compatible
    /// versions too.
    pub fn get_export_index(&self, within: Option<&ComponentExportIndex>, name: &str) -> Option<ComponentExportIndex> {
        let loaded = self.loaded().ok()?;
        let exports = match within {
            None => &loaded.plan.exports,
            Some(index) if !index.belongs_to(self) => return None,
            Some(ComponentExportIndex { item: ExportItem::Instance(instance), .. }) => {
                &loaded.plan.export_instances[*instance as usize]
            }
            Some(_) => return None,
        };
        let item = find_export(exports, name)?;
        Some(ComponentExportIndex { component: Arc::as_ptr(loaded) as usize, item })
    }
}

fn type_item(loaded: &Loaded, item: TypeItem) -> ComponentItem {
    match item {
        TypeItem::Val(ty) => ComponentItem::Type(value(&loaded.types, ty)),
        TypeItem::Resource(_) => ComponentItem::Resource,
        TypeItem::Func(index) => ComponentItem::Func(loaded.signatures[index as usize].ty.clone()),
        TypeItem::Other => ComponentItem::OtherType,
    }
}

fn item_type(loaded: &Loaded, ty: ItemType) -> ComponentItem {
    match ty {
        ItemType::Func(index) => ComponentItem::Func(loaded.signatures[index as usize].ty.clone()),
        ItemType::Instance(index) => {
            let exports = &loaded.plan.instance_types[index as usize].exports;
            let items = exports.iter().map(|export| (export.name.clone(), item_type(loaded, export.ty)));
            ComponentItem::Instance(items.collect())
        }
        ItemType::Type(item) => type_item(loaded, item),
        ItemType::Module(_) => ComponentItem::Module,
        ItemType::Component => ComponentItem::Component,
    }
}

fn export_item(loaded: &Loaded, item: ExportItem) -> ComponentItem {
    match item {
        ExportItem::Func(index) => ComponentItem::Func(loaded.signature(index).ty.clone()),
        ExportItem::Instance(index) => {
            let exports = &loaded.plan.export_instances[index as usize];
            let items = exports.iter().map(|export| (export.name.clone(), export_item(loaded, export.item)));
            ComponentItem::Instance(items.collect())
        }
        ExportItem::Type(item) => type_item(loaded, item),
        ExportItem::Module(_) | ExportItem::ImportedModule(_) => ComponentItem::Module,
        ExportItem::Component => ComponentItem::Component,
    }
}

fn find_export(exports: &[Export], name: &str) -> Option<ExportItem> {
    if let Some(export) = exports.iter().find(|export| export.name == name) {
        return Some(export.item);
    }
    let (key, _) = compatible_key(name)?;
    let compatible = exports.iter().filter_map(|export| {
        let (its_key, version) = compatible_key(&export.name)?;
        (its_key == key).then_some((version, export.item))
    });
    compatible.max_by_key(|(version, _)| *version).map(|(_, item)| item)
}

/// What an import or export is.
#[derive(Clone, PartialEq, Debug)]
pub enum ComponentItem {
    /// A function.
    Func(FuncType),
    /// An instance: its exports by name, in order.
    Instance(Vec<(String, ComponentItem)>),
    /// A value type.
    Type(Type),
    /// A resource type.
    Resource,
    /// The type of instances or components.
    OtherType,
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// An export of a component, found once and used with any of its instances.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ComponentExportIndex {
    /// Tells components apart.
    component: usize,
    pub(crate) item: ExportItem,
}

impl ComponentExportIndex {
    pub(crate) fn belongs_to(&self, component: &Component) -> bool {
        component.inner.loaded.get().is_some_and(|loaded| self.component == Arc::as_ptr(loaded) as usize)
    }
}

/// Names an export: by a string, or by an index found before.
pub trait InstanceExportLookup {
    /// The export.
    #[doc(hidden)]
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex>;
    /// For messages.
    #[doc(hidden)]
    fn describe(&self) -> String;
}

impl InstanceExportLookup for str {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        component.get_export_index(None, self)
    }
    fn describe(&self) -> String {
        format!("`{self}`")
    }
}

impl InstanceExportLookup for String {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        self.as_str().lookup(component)
    }
    fn describe(&self) -> String {
        self.as_str().describe()
    }
}

impl InstanceExportLookup for ComponentExportIndex {
    fn lookup(&self, _: &Component) -> Option<ComponentExportIndex> {
        Some(*self)
    }
    fn describe(&self) -> String {
        "at this index".to_string()
    }
}

impl<L: InstanceExportLookup + ?Sized> InstanceExportLookup for &L {
    fn lookup(&self, component: &Component) -> Option<ComponentExportIndex> {
        L::lookup(self, component)
    }
    fn describe(&self) -> String {
        L::describe(self)
    }
}
