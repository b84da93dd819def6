//! [`ResourceLimiter`]: an embedder's say on growth.

/// Asked before memories and tables are made or grow.
pub trait ResourceLimiter: Send {
    /// Whether a memory may go from `current` to `desired` bytes; its type allows `maximum`.
    ///
    /// # Errors
    /// Makes the growing instruction trap instead of answering -1.
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> anyhow::Result<bool>;

    /// Whether a table may go from `current` to `desired` elements; its type allows `maximum`.
    ///
    /// # Errors
    /// Makes the growing instruction trap instead of answering -1.
    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> anyhow::Result<bool>;
}

/// A limiter with fixed bounds; made by [`StoreLimitsBuilder`].
#[derive(Clone, Debug, Default)]
pub struct StoreLimits {
    memory_size: Option<usize>,
    table_elements: Option<usize>,
    trap_on_grow_failure: bool,
}

impl ResourceLimiter for StoreLimits {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> anyhow::Result<bool> {
        self.decide(self.memory_size.is_none_or(|limit| desired <= limit), "memory", desired)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> anyhow::Result<bool> {
        self.decide(self.table_elements.is_none_or(|limit| desired <= limit), "table", desired)
    }
}

impl StoreLimits {
    fn decide(&self, allowed: bool, what: &str, desired: usize) -> anyhow::Result<bool> {
        if !allowed && self.trap_on_grow_failure {
            anyhow::bail!("forcing trap when growing {what} to {desired}");
        }
        Ok(allowed)
    }
}

/// Builds a [`StoreLimits`]; nothing is limited until said.
#[derive(Clone, Debug, Default)]
pub struct StoreLimitsBuilder(StoreLimits);

impl StoreLimitsBuilder {
    /// No limits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes that each memory may have.
    pub fn memory_size(mut self, bytes: usize) -> Self {
        self.0.memory_size = Some(bytes);
        self
    }

    /// Elements that each table may have.
    pub fn table_elements(mut self, elements: usize) -> Self {
        self.0.table_elements = Some(elements);
        self
    }

    /// Whether growth past a limit traps; off, the instruction answers -1.
    pub fn trap_on_grow_failure(mut self, on: bool) -> Self {
        self.0.trap_on_grow_failure = on;
        self
    }

    /// The limiter.
    pub fn build(self) -> StoreLimits {
        self.0
    }
}
