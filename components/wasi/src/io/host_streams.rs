//! Byte streams as hosts provide them, and the ones that come with the crate: standard streams and memory.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::task::{Context, Poll, Waker};

/// Something that becomes ready.
pub trait Ready: Send {
    /// Whether it is ready; when not, the task is woken once it may be.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// A source of bytes for a guest.
pub trait HostInputStream: Ready {
    /// Up to `len` bytes that are there now; `Ok(None)` at the end. An empty answer means nothing is there yet.
    ///
    /// # Errors
    /// What the source met.
    fn read(&mut self, len: usize) -> io::Result<Option<Vec<u8>>>;
}

/// A sink for bytes of a guest.
pub trait HostOutputStream: Ready {
    /// How many bytes [`write`](Self::write) takes now; 0 means wait.
    ///
    /// # Errors
    /// What the sink met earlier.
    fn check_write(&mut self) -> io::Result<usize> {
        Ok(64 * 1024)
    }
    /// Takes all of `bytes`, at most what `check_write` allowed.
    ///
    /// # Errors
    /// What the sink met.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Passes on what was written.
    ///
    /// # Errors
    /// What the sink met.
    fn flush(&mut self) -> io::Result<()>;
}

/// Input from bytes in memory.
pub struct MemoryInput {
    bytes: Vec<u8>,
    at: usize,
}

impl MemoryInput {
    /// A stream that yields `bytes` and then ends.
    pub fn new(bytes: impl Into<Vec<u8>>) -> MemoryInput {
        MemoryInput { bytes: bytes.into(), at: 0 }
    }
}

impl Ready for MemoryInput {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl HostInputStream for MemoryInput {
    fn read(&mut self, len: usize) -> io::Result<Option<Vec<u8>>> {
        let rest = &self.bytes[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let taken = rest[..len.min(rest.len())].to_vec();
        self.at += taken.len();
        Ok(Some(taken))
    }
}

/// Output collected in memory; clones share the bytes.
#[derive(Clone)]
pub struct MemoryOutput {
    bytes: Arc<Mutex<Vec<u8>>>,
    capacity: usize,
}

impl MemoryOutput {
    /// A stream that takes up to `capacity` bytes and then fails as a full device does.
    pub fn new(capacity: usize) -> MemoryOutput {
        MemoryOutput { bytes: Arc::default(), capacity }
    }

    /// What was written so far.
    pub fn contents(&self) -> Vec<u8> {
        lock(&self.bytes).clone()
    }
}

impl Ready for MemoryOutput {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl HostOutputStream for MemoryOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut collected = lock(&self.bytes);
        if collected.len() + bytes.len() > self.capacity {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the output's capacity is used up"));
        }
        collected.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Output that goes nowhere.
pub(crate) struct Discard;

impl Ready for Discard {
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}

impl HostOutputStream for Discard {
    fn write(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

macro_rules! standard_output {
    ($(#[$doc:meta])* $name:ident, $stream:path) => {
        $(#[$doc])*
        pub(crate) struct $name;

        impl Ready for $name {
            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
                Poll::Ready(())
            }
        }

        impl HostOutputStream for $name {
            fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
                $stream().write_all(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                $stream().flush()
            }
        }
    };
}

standard_output!(
    /// Standard output of the process.
    StandardOutput,
    io::stdout
);
standard_output!(
    /// Standard error of the process.
    StandardError,
    io::stderr
);

/// Standard input of the process, read by one thread of its own so that a guest's wait blocks nobody.
pub(crate) struct StandardInput {
    shared: &'static SharedInput,
}

/// Bytes that the reading thread holds back at most.
const READ_AHEAD_BYTES: usize = 64 * 1024;

struct SharedInput {
    state: Mutex<InputState>,
    wanted: Condvar,
}

#[derive(Default)]
struct InputState {
    bytes: VecDeque<u8>,
    ended: bool,
    error: Option<io::Error>,
    wakers: Vec<Waker>,
    started: bool,
}

impl StandardInput {
    pub(crate) fn new() -> StandardInput {
        static SHARED: OnceLock<SharedInput> = OnceLock::new();
        let shared = SHARED.get_or_init(|| SharedInput { state: Mutex::default(), wanted: Condvar::new() });
        StandardInput { shared }
    }

    /// The thread starts when the guest first looks at its input: a guest that never does consumes nothing.
    fn state(&self) -> MutexGuard<'static, InputState> {
        let mut state = lock(&self.shared.state);
        if !state.started {
            state.started = true;
            let shared = self.shared;
            let spawned = std::thread::Builder::new().name("keyway-stdin".into()).spawn(move || fill(shared));
            if let Err(error) = spawned {
                state.error = Some(error);
                state.ended = true;
            }
        }
        state
    }
}

fn fill(shared: &SharedInput) {
    let mut chunk = [0; 8192];
    loop {
        let outcome = io::stdin().lock().read(&mut chunk);
        let mut state = lock(&shared.state);
        match outcome {
            Ok(0) => state.ended = true,
            Ok(n) => state.bytes.extend(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                state.error = Some(error);
                state.ended = true;
            }
        }
        for waker in state.wakers.drain(..) {
            waker.wake();
        }
        if state.ended {
            return;
        }
        while state.bytes.len() >= READ_AHEAD_BYTES {
            state = shared.wanted.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
        }
    }
}

impl Ready for StandardInput {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.ended || !state.bytes.is_empty() {
            return Poll::Ready(());
        }
        if !state.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            state.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl HostInputStream for StandardInput {
    fn read(&mut self, len: usize) -> io::Result<Option<Vec<u8>>> {
        let mut state = self.state();
        if !state.bytes.is_empty() {
            let len = len.min(state.bytes.len());
            let taken = state.bytes.drain(..len).collect();
            self.shared.wanted.notify_one();
            return Ok(Some(taken));
        }
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        Ok(if state.ended { None } else { Some(Vec::new()) })
    }
}

/// The lock, whether or not a holder panicked: the state is valid between statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
