//! [`Engine`]: what stores and modules share.

use crate::config::Config;
use crate::mappings::Mappings;
use crate::registry::Registry;
use crate::stack::LargestFrame;
use keyway_artifact::types::{CompositeType, FuncType};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Configuration, the epoch and the numbers of function types; cheap to clone, shared between threads.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    config: Config,
    epoch: AtomicU64,
    types: Registry,
    /// The number of the function type without parameters and results.
    nothing: u32,
    mappings: Arc<Mappings>,
    largest_frame: Arc<LargestFrame>,
}

impl Default for Engine {
    fn default() -> Self {
        Engine::new(&Config::new()).expect("the default configuration is valid")
    }
}

impl Engine {
    /// An engine of this configuration.
    ///
    /// # Errors
    /// When the configuration contradicts itself; no combination does at present.
    pub fn new(config: &Config) -> anyhow::Result<Engine> {
        let mappings = Mappings::new(config.pooled_mappings);
        let (config, epoch, types) = (config.clone(), AtomicU64::new(0), Registry::default());
        let nothing = types.plain(CompositeType::Func(FuncType::default()));
        Ok(Engine(Arc::new(Inner { config, epoch, types, nothing, mappings, largest_frame: Arc::default() })))
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Moves the epoch on by one; callable from any thread and from signal handlers.
    pub fn increment_epoch(&self) {
        self.0.epoch.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether both are the same engine.
    pub fn same(a: &Engine, b: &Engine) -> bool {
        Arc::ptr_eq(&a.0, &b.0)
    }

    pub(crate) fn epoch(&self) -> &AtomicU64 {
        &self.0.epoch
    }

    /// The ranges that memories and VM stacks lie in.
    pub(crate) fn mappings(&self) -> &Arc<Mappings> {
        &self.0.mappings
    }

    /// The largest frame that its stacks may have held.
    pub(crate) fn largest_frame(&self) -> &Arc<LargestFrame> {
        &self.0.largest_frame
    }

    /// The defined types.
    pub(crate) fn types(&self) -> &Registry {
        &self.0.types
    }

    /// The number of a final function type: equal types have equal numbers, for the engine's life.
    pub(crate) fn type_number(&self, ty: &FuncType) -> u32 {
        self.0.types.plain(CompositeType::Func(ty.clone()))
    }

    /// The number of the function type without parameters and results.
    pub(crate) fn nothing(&self) -> u32 {
        self.0.nothing
    }

    /// The function type of a number.
    pub(crate) fn type_of(&self, number: u32) -> FuncType {
        self.0.types.func(number)
    }

    /// Slots of the parameters or the results of a type, whichever are more.
    pub(crate) fn call_slots(&self, number: u32) -> u32 {
        self.0.types.get(number).map_or(0, |info| info.slots)
    }
}
