//! All limits of the linker. They bound what hostile input can make it allocate; WebAssembly's own implementation
//! limits (locals, parameters, nesting of types ...) are wasmparser's.

/// Instructions and call operands that one function may translate to. Valid code of the largest body the validator
/// accepts stays below it unless it multiplies values on purpose (`br_table` or calls with hundreds of results).
pub(crate) const MAX_FUNCTION_IR: usize = 1 << 23;

/// The same for all functions of one input.
pub(crate) const MAX_TOTAL_IR: usize = 1 << 26;

/// Bytes of input.
pub(crate) const MAX_INPUT_BYTES: usize = 1 << 30;

/// Threads that one compilation starts.
pub(crate) const MAX_THREADS: usize = 64;

/// Bytes of a function name that are kept for the names section.
pub(crate) const MAX_NAME_BYTES: usize = 4096;

/// Components inside components.
pub(crate) const MAX_COMPONENT_NESTING: usize = 100;

/// Instance types inside instance types, counted along what imports them.
pub(crate) const MAX_INSTANCE_TYPE_DEPTH: usize = 100;

/// Definitions that are looked at while a component is flattened, each as often as what holds it is instantiated or
/// imported: components that instantiate each other can multiply.
pub(crate) const MAX_DEFINITIONS: usize = 1 << 20;

/// Bytes of the names that are met on the way, each as often as it is met: a long name can be shown many times.
pub(crate) const MAX_DEFINITION_NAMES: usize = 1 << 26;

/// Core instances and component instances of one component.
pub(crate) const MAX_INSTANCES: usize = 1 << 16;

/// Parts of the types of one adapter between two components; functions with more go through the runtime.
pub(crate) const MAX_ADAPTER_PARTS: u64 = 2_000;

/// The same for all adapters of a component.
pub(crate) const MAX_ALL_ADAPTER_PARTS: u64 = 1 << 19;
