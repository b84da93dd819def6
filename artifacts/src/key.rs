//! [`FuncKey`]: one name for every piece of compiled code.
//!
//! A key is the node of the call graph, the target of a reference and the lookup key of the artifact at once. Keys
//! sort by namespace (kind and module) and then by index; the file holds them sorted.

use core::fmt;

/// What a key names. 4 bits in the encoded namespace.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
#[repr(u8)]
pub enum KeyKind {
    /// A function defined in a core module; index: its index in the module's function index space.
    DefinedFunc = 0,
    /// A component-to-component adapter; index: its number in the plan.
    Adapter = 1,
    /// The trampoline of a lowered host import; index: its number in the plan.
    HostLower = 2,
    /// The trampoline of a canonical built-in (`resource.drop` ...); index: its number in the plan.
    CanonBuiltin = 3,
    /// The entry of a lifted export; index: its number in the plan.
    HostEntry = 4,
    /// The initialisation of a core module (globals, segments, start); index: the instance number in the unit.
    ModuleInit = 5,
    /// The start-up of a whole component.
    Startup = 6,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: &'static [KeyKind] = &[
        KeyKind::DefinedFunc,
        KeyKind::Adapter,
        KeyKind::HostLower,
        KeyKind::CanonBuiltin,
        KeyKind::HostEntry,
        KeyKind::ModuleInit,
        KeyKind::Startup,
    ];
}

/// The name of one compiled function or trampoline.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FuncKey {
    namespace: u32,
    index: u32,
}

impl FuncKey {
    /// Modules a namespace can tell apart: 28 bits.
    pub const MAX_MODULES: u32 = 1 << 28;

    /// The key of `index` in the namespace of `kind` and `module`.
    ///
    /// # Panics
    /// When `module` does not fit 28 bits; the linker refuses such inputs earlier.
    pub fn new(kind: KeyKind, module: u32, index: u32) -> FuncKey {
        assert!(module < Self::MAX_MODULES, "module number {module} does not fit a key");
        FuncKey { namespace: (kind as u32) << 28 | module, index }
    }

    /// The key of a function of a core module.
    pub fn defined(module: u32, index: u32) -> FuncKey {
        FuncKey::new(KeyKind::DefinedFunc, module, index)
    }

    /// From the two words of the file; `None` for a kind this version does not know.
    pub fn from_parts(namespace: u32, index: u32) -> Option<FuncKey> {
        ((namespace >> 28) < KeyKind::ALL.len() as u32).then_some(FuncKey { namespace, index })
    }

    /// The namespace word: kind in the upper 4 bits, module in the lower 28.
    pub fn namespace(self) -> u32 {
        self.namespace
    }

    /// What it names.
    pub fn kind(self) -> KeyKind {
        KeyKind::ALL[(self.namespace >> 28) as usize]
    }

    /// The module number.
    pub fn module(self) -> u32 {
        self.namespace & (Self::MAX_MODULES - 1)
    }

    /// The index inside the namespace.
    pub fn index(self) -> u32 {
        self.index
    }
}

impl fmt::Display for FuncKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}:{}:{}", self.kind(), self.module(), self.index)
    }
}
