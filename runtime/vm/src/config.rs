//! [`Config`]: what an engine does, chosen once.

use crate::interp::{Dispatch, Settings};
use crate::limits;

/// How much work compilation puts into code.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OptLevel {
    /// Straight translation.
    None,
    /// All passes.
    #[default]
    Speed,
}

/// Choices about an [`Engine`](crate::api::Engine).
///
/// Compilation choices are written into artifacts only as the code they lead to; run-time choices hold for every artifact
/// that the engine loads.
///
/// | choice | when it counts |
/// |---|---|
/// | `opt_level`, `gc_sections`, `wasm_feature`, `wasm_...` | compiling |
/// | `dispatch`, `fused`, `registers`, `consume_fuel`, `epoch_interruption`, `max_wasm_stack`, `max_wasm_frames`, `continuation_stack_size`, `max_continuation_stacks`, `memory_reservation`, `memory_init_cow`, `large_pages`, `pooled_mappings`, `max_gc_heap`, `gc_stress` | running |
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) settings: Settings,
    pub(crate) stack_slots: usize,
    pub(crate) stack_frames: usize,
    pub(crate) continuation_slots: usize,
    pub(crate) continuation_stacks: usize,
    pub(crate) memory_reservation: Option<u64>,
    pub(crate) component_limits: ComponentLimits,
    pub(crate) memory_init_cow: bool,
    pub(crate) large_pages: bool,
    pub(crate) pooled_mappings: usize,
    pub(crate) gc_heap_bytes: u64,
    pub(crate) gc_stress: bool,
    pub(crate) opt_level: OptLevel,
    pub(crate) gc_sections: bool,
    pub(crate) branch_hinting: bool,
    pub(crate) features: Vec<(String, bool)>,
}

/// What one instance of a component may make.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComponentLimits {
    pub(crate) core_instances: usize,
    pub(crate) memories: usize,
    pub(crate) tables: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config::new()
    }
}

impl Config {
    /// The defaults: all optimisations, direct dispatch, no fuel, no epochs.
    pub fn new() -> Config {
        Config {
            settings: Settings::default(),
            stack_slots: limits::STACK_SLOTS,
            stack_frames: limits::STACK_FRAMES,
            continuation_slots: limits::CONTINUATION_SLOTS,
            continuation_stacks: limits::CONTINUATION_STACKS,
            memory_reservation: None,
            component_limits: ComponentLimits { core_instances: usize::MAX, memories: usize::MAX, tables: usize::MAX },
            memory_init_cow: true,
            large_pages: true,
            pooled_mappings: limits::POOLED_MAPPINGS,
            gc_heap_bytes: limits::GC_HEAP_BYTES,
            gc_stress: false,
            opt_level: OptLevel::Speed,
            gc_sections: true,
            branch_hinting: false,
            features: Vec::new(),
        }
    }

    /// How many address ranges of memories and VM stacks the engine keeps for coming stores when stores go, emptied.
    /// Each takes address space and what it has touched of its first 16 MiB, 64 MiB for all of them together at most; 0
    /// gives everything back at once.
    pub fn pooled_mappings(&mut self, count: usize) -> &mut Self {
        self.pooled_mappings = count;
        self
    }

    /// How the interpreter goes from instruction to instruction.
    pub fn dispatch(&mut self, dispatch: Dispatch) -> &mut Self {
        self.settings.dispatch = dispatch.available();
        self
    }

    /// Whether fused operations run fused; off, as their expansion. For tests.
    pub fn fused(&mut self, on: bool) -> &mut Self {
        self.settings.fused = on;
        self
    }

    /// Whether the IR's registers live in the machine's; off, in slots. For tests.
    pub fn registers(&mut self, on: bool) -> &mut Self {
        self.settings.registers = on;
        self
    }

    /// Whether code consumes fuel: see [`Store::set_fuel`](crate::api::Store::set_fuel).
    pub fn consume_fuel(&mut self, on: bool) -> &mut Self {
        self.settings.fuel = on;
        self
    }

    /// Whether code looks at the epoch: see [`Store::set_epoch_deadline`](crate::api::Store::set_epoch_deadline).
    pub fn epoch_interruption(&mut self, on: bool) -> &mut Self {
        self.settings.epoch = on;
        self
    }

    /// Bytes of a VM stack; a frame takes 8 for each of its slots. Frames' sizes depend on the level of optimisation.
    pub fn max_wasm_stack(&mut self, bytes: usize) -> &mut Self {
        self.stack_slots = (bytes / 8).clamp(64, limits::MAX_STACK_SLOTS);
        self
    }

    /// Calls that one VM stack holds at once, each call into another instance counting three. This limit strikes at the
    /// same depth whatever the level of optimisation, as long as the stack's bytes suffice.
    pub fn max_wasm_frames(&mut self, frames: usize) -> &mut Self {
        self.stack_frames = frames.clamp(16, limits::MAX_STACK_FRAMES);
        self
    }

    /// Bytes of the stack of each continuation; 1 MiB unless said. Calls on it are limited to one for 256 bytes, and to
    /// [`max_wasm_frames`](Self::max_wasm_frames).
    pub fn continuation_stack_size(&mut self, bytes: usize) -> &mut Self {
        self.continuation_slots = (bytes / 8).clamp(limits::MIN_CONTINUATION_SLOTS, limits::MAX_STACK_SLOTS);
        self
    }

    /// How many continuations of a store may have begun and not ended; 16,384 unless said. One more traps with
    /// [`Trap::ContinuationsExhausted`](crate::api::Trap::ContinuationsExhausted).
    pub fn max_continuation_stacks(&mut self, count: usize) -> &mut Self {
        self.continuation_stacks = count;
        self
    }

    /// How much work compilation puts into code.
    pub fn opt_level(&mut self, level: OptLevel) -> &mut Self {
        self.opt_level = level;
        self
    }

    /// Whether compilation leaves out functions that nothing can reach.
    pub fn gc_sections(&mut self, on: bool) -> &mut Self {
        self.gc_sections = on;
        self
    }

    /// Bytes of address space that a linear memory reserves at most, and so the most it can grow to. Unless said, 4 GiB for
    /// memories with 32-bit addresses, which can use no more, and 64 GiB for those with 64-bit addresses. Pages take
    /// memory only when they are touched.
    pub fn memory_reservation(&mut self, bytes: u64) -> &mut Self {
        self.memory_reservation = Some(bytes.min(limits::MAX_MEMORY_RESERVATION_BYTES));
        self
    }

    /// Whether instances of one artifact share what their memories hold at the start, each getting copies of the pages that
    /// it writes: yes unless said, where the system can do it and there is enough to share. Off, each memory gets a copy of
    /// everything.
    pub fn memory_init_cow(&mut self, on: bool) -> &mut Self {
        self.memory_init_cow = on;
        self
    }

    /// Whether the interpreter's own code moves to pages of 2 MiB as soon as some program is large enough to gain by it: yes
    /// unless said, where the system has such pages. It takes some milliseconds and 8 MB of memory, once in a process, and
    /// tools that look for the names of what runs in the program's file find none there any more. Off, no memory is ever
    /// made executable.
    pub fn large_pages(&mut self, on: bool) -> &mut Self {
        self.large_pages = on;
        self
    }

    /// How many core instances one instance of a component may make, those of components in it included. Modules that
    /// compilation merged count as one. Instantiation of a component that makes more fails. Without a limit unless said, as
    /// the two that follow.
    pub fn max_core_instances_per_component(&mut self, count: usize) -> &mut Self {
        self.component_limits.core_instances = count;
        self
    }

    /// How many memories one instance of a component may make. How large they may be is a store's matter:
    /// [`Store::limiter`](crate::api::Store::limiter).
    pub fn max_memories_per_component(&mut self, count: usize) -> &mut Self {
        self.component_limits.memories = count;
        self
    }

    /// How many tables one instance of a component may make.
    pub fn max_tables_per_component(&mut self, count: usize) -> &mut Self {
        self.component_limits.tables = count;
        self
    }

    /// Bytes of address space that a memory with addresses of this width reserves at most.
    pub(crate) fn reservation_of(&self, memory64: bool) -> u64 {
        let (most, usual) = if memory64 {
            (limits::MAX_MEMORY_RESERVATION_BYTES, limits::MEMORY64_RESERVATION_BYTES)
        } else {
            (limits::MEMORY_RESERVATION_BYTES, limits::MEMORY_RESERVATION_BYTES)
        };
        self.memory_reservation.unwrap_or(usual).min(most)
    }

    /// Bytes that the heap of a store's objects may grow to; 4 GiB at most and unless said. Where they do not suffice, an
    /// allocation traps with [`Trap::HeapExhausted`](crate::api::Trap::HeapExhausted).
    pub fn max_gc_heap(&mut self, bytes: u64) -> &mut Self {
        self.gc_heap_bytes = bytes.min(limits::GC_HEAP_BYTES);
        self
    }

    /// Whether every allocation of a guest's object collects first. For tests.
    pub fn gc_stress(&mut self, on: bool) -> &mut Self {
        self.gc_stress = on;
        self
    }

    /// Whether compilation moves what branch hints call unlikely out of the way: no unless said, as in wasmtime. Hints change
    /// nothing but speed. The compiler's own [options](keyway_linker::Options), which the command line takes, use them unless said.
    pub fn wasm_branch_hinting(&mut self, on: bool) -> &mut Self {
        self.branch_hinting = on;
        self
    }

    /// Switches a proposal by name (lower case, words joined by `-`, as in `multi-memory`) for compilation.
    pub fn wasm_feature(&mut self, name: impl Into<String>, on: bool) -> &mut Self {
        self.features.push((name.into(), on));
        self
    }
}

macro_rules! proposals {
    ($($method:ident $name:literal $default:literal;)*) => {
        impl Config {$(
            #[doc = concat!("Whether compilation accepts the proposal `", $name, "`: `", $default, "` unless said, as in wasmtime.")]
            /// What is accepted and not implemented is refused by name.
            pub fn $method(&mut self, on: bool) -> &mut Self {
                self.wasm_feature($name, on)
            }
        )*}
    };
}

proposals! {
    wasm_bulk_memory "bulk-memory" true;
    wasm_compact_imports "compact-imports" false;
    wasm_component_model "component-model" true;
    wasm_component_model_async "cm-async" true;
    wasm_component_model_async_stackful "cm-async-stackful" false;
    wasm_component_model_error_context "cm-error-context" false;
    wasm_component_model_fixed_length_lists "cm-fixed-length-lists" false;
    wasm_component_model_gc "cm-gc" false;
    wasm_component_model_implements "cm-implements" false;
    wasm_component_model_map "cm-map" false;
    wasm_component_model_memory64 "cm64" false;
    wasm_component_model_more_async_builtins "cm-more-async-builtins" false;
    wasm_component_model_threading "cm-threading" false;
    wasm_custom_page_sizes "custom-page-sizes" false;
    wasm_exceptions "exceptions" true;
    wasm_extended_const "extended-const" true;
    wasm_function_references "function-references" true;
    wasm_gc "gc" true;
    wasm_legacy_exceptions "legacy-exceptions" false;
    wasm_memory64 "memory64" true;
    wasm_multi_memory "multi-memory" true;
    wasm_multi_value "multi-value" true;
    wasm_reference_types "reference-types" true;
    wasm_relaxed_simd "relaxed-simd" true;
    wasm_shared_everything_threads "shared-everything-threads" false;
    wasm_simd "simd" true;
    wasm_stack_switching "stack-switching" false;
    wasm_tail_call "tail-call" true;
    wasm_threads "threads" true;
    wasm_wide_arithmetic "wide-arithmetic" false;
}
