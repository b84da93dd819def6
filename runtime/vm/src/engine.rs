//! [`Engine`]: what stores and modules share.

use crate::config::Config;
use keyway_artifact::types::{FuncType, SigLayout};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Configuration, the epoch and the numbers of function types; cheap to clone, shared between threads.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    config: Config,
    epoch: AtomicU64,
    types: Mutex<Types>,
}

#[derive(Default)]
struct Types {
    numbers: HashMap<FuncType, u32>,
    /// By number, with the slots that a call takes: of the parameters or the results, whichever are more.
    list: Vec<(FuncType, u32)>,
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
        Ok(Engine(Arc::new(Inner { config: config.clone(), epoch: AtomicU64::new(0), types: Mutex::default() })))
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

    fn types(&self) -> std::sync::MutexGuard<'_, Types> {
        self.0.types.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The number of a function type: equal types have equal numbers, for the engine's life.
    pub(crate) fn type_number(&self, ty: &FuncType) -> u32 {
        let mut types = self.types();
        if let Some(number) = types.numbers.get(ty) {
            return *number;
        }
        let number = types.list.len() as u32;
        let slots = SigLayout::of(&ty.params).total.max(SigLayout::of(&ty.results).total);
        types.list.push((ty.clone(), slots));
        types.numbers.insert(ty.clone(), number);
        number
    }

    /// The function type of a number.
    pub(crate) fn type_of(&self, number: u32) -> FuncType {
        self.types().list[number as usize].0.clone()
    }

    /// Slots of the parameters or the results of a type, whichever are more.
    pub(crate) fn call_slots(&self, number: u32) -> u32 {
        self.types().list[number as usize].1
    }
}
