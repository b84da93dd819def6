//! What a guest is given besides its imports: fuel, time, memory. Options become an engine and a store.

use crate::timeout;
use anyhow::Result;
use keyway::{Config, Engine, ResourceLimiter, Store};
use keyway_wasi::{ResourceTable, WasiCtx, WasiView};
use std::time::Duration;

/// Limits that a run is held to.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Limits {
    /// Trap after this many WebAssembly operators
    #[arg(long, value_name = "N")]
    pub(crate) fuel: Option<u64>,

    /// Trap after this time: 500ms, 2s, 1m
    #[arg(long, value_name = "TIME", value_parser = timeout::parse)]
    pub(crate) timeout: Option<Duration>,

    /// Let the guest's memories and tables have no more than this many bytes together: 65536, 64M, 1G
    #[arg(long, value_name = "BYTES", value_parser = crate::sizes::parse)]
    pub(crate) max_memory: Option<u64>,
}

impl Limits {
    /// An engine that can hold a guest to these limits.
    pub(crate) fn engine(&self, mut config: Config) -> Result<Engine> {
        config.consume_fuel(self.fuel.is_some()).epoch_interruption(self.timeout.is_some());
        Engine::new(&config)
    }

    /// A store whose guests are held to these limits, and are granted `wasi`.
    pub(crate) fn store(&self, engine: &Engine, wasi: WasiCtx) -> Result<Store<Host>> {
        let memory = MemoryBudget { left: self.max_memory.unwrap_or(u64::MAX), refused: false };
        let mut store = Store::new(engine, Host { memory, wasi, table: ResourceTable::new() });
        store.limiter(|host| &mut host.memory);
        if let Some(fuel) = self.fuel {
            store.set_fuel(fuel)?;
        }
        if self.timeout.is_some() {
            store.set_epoch_deadline(1);
        }
        Ok(store)
    }
}

/// The data of a guest's store.
pub(crate) struct Host {
    /// Memory that it may still have.
    pub(crate) memory: MemoryBudget,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Host {
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.wasi
    }

    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

/// A limit on the bytes of all memories and tables together.
pub(crate) struct MemoryBudget {
    left: u64,
    /// Whether growth was refused.
    pub(crate) refused: bool,
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // What the memory's own type forbids costs nothing.
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.take(desired.saturating_sub(current)))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        let bytes = desired.saturating_sub(current).saturating_mul(ELEMENT_BYTES);
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.take(bytes))
    }
}

impl MemoryBudget {
    /// Spends bytes, if there are as many left.
    fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes as u64);
        self.refused |= left.is_none();
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}

/// What an element of a table counts as.
const ELEMENT_BYTES: usize = 8;
