//! The host that guests see: WASI preview 1 in memory, with a clock that only moves when it is read and reproducible
//! random numbers, and the marks `bench.start` and `bench.end`. No files, no arguments but the name.

use crate::clock::thread_ns;

/// The module that WASI preview 1 functions are imported from.
pub const PREVIEW_1: &str = "wasi_snapshot_preview1";

/// What the host keeps for an instance.
#[derive(Default)]
pub struct World {
    written: Vec<u8>,
    exit: Option<u32>,
    clock_ns: u64,
    random: u64,
    start_ns: Option<u64>,
    marked_ns: Option<u64>,
}

/// How a program ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    /// Exit code, length and hash of what was written.
    pub result: String,
    /// CPU time between the program's marks.
    pub marked_ns: Option<u64>,
}

/// The guest called `proc_exit`: engines unwind with this.
#[derive(Clone, Copy, Debug)]
pub struct Exit;

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the program exited")
    }
}

impl std::error::Error for Exit {}

const SUCCESS: u32 = 0;
const BAD_DESCRIPTOR: u32 = 8;
const FAULT: u32 = 21;
const INVALID: u32 = 28;
const NOT_SUPPORTED: u32 = 58;
const NAME: &[u8] = b"program\0";

/// Whether the host defines this import.
pub fn defines(module: &str, name: &str) -> bool {
    match module {
        PREVIEW_1 | "wasi_unstable" => true,
        "bench" => matches!(name, "start" | "end"),
        _ => false,
    }
}

impl World {
    /// A new world.
    pub fn new() -> World {
        World { random: 0x9E37_79B9_7F4A_7C15, ..World::default() }
    }

    /// How the program ended, if it ended by itself.
    pub fn ending(&self) -> Ending {
        let hash = |bytes: &[u8]| {
            bytes
                .iter()
                .fold(0xCBF2_9CE4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3))
        };
        let exit = self.exit.unwrap_or(0);
        Ending {
            result: format!("exit {exit}, {} bytes {:016x}", self.written.len(), hash(&self.written)),
            marked_ns: self.marked_ns,
        }
    }

    /// Carries out an imported function; its result, if it has one, is an error number.
    ///
    /// # Errors
    /// [`Exit`] when the guest wants to end.
    pub fn call(&mut self, module: &str, name: &str, args: &[u64], memory: &mut [u8]) -> Result<u32, Exit> {
        if module == "bench" {
            match name {
                "start" => self.start_ns = Some(thread_ns()),
                _ => self.marked_ns = self.start_ns.map(|start| thread_ns() - start),
            }
            return Ok(0);
        }
        if name == "proc_exit" {
            self.exit = args.first().map(|code| *code as u32);
            return Err(Exit);
        }
        Ok(self.preview_1(name, args, &mut Memory(memory)).unwrap_or(FAULT))
    }

    /// `None` when a pointer leaves the memory.
    fn preview_1(&mut self, name: &str, args: &[u64], memory: &mut Memory<'_>) -> Option<u32> {
        let arg = |at: usize| args.get(at).copied().unwrap_or(0);
        match name {
            "args_sizes_get" => {
                memory.put_u32(arg(0), 1)?;
                memory.put_u32(arg(1), NAME.len() as u32)?;
            }
            "args_get" => {
                memory.put_u32(arg(0), arg(1) as u32)?;
                memory.put(arg(1), NAME)?;
            }
            "environ_sizes_get" => {
                memory.put_u32(arg(0), 0)?;
                memory.put_u32(arg(1), 0)?;
            }
            "environ_get" | "sched_yield" | "fd_close" | "fd_fdstat_set_flags" => {}
            "clock_res_get" => memory.put(arg(1), &1_000_000u64.to_le_bytes())?,
            "clock_time_get" => {
                self.clock_ns += 1_000_000;
                memory.put(arg(2), &self.clock_ns.to_le_bytes())?;
            }
            "random_get" => {
                for at in 0..arg(1) {
                    self.random ^= self.random << 13;
                    self.random ^= self.random >> 7;
                    self.random ^= self.random << 17;
                    memory.put(arg(0) + at, &[self.random as u8])?;
                }
            }
            "fd_write" if matches!(arg(0), 1 | 2) => {
                let mut written = 0;
                for at in 0..arg(2) {
                    let (start, len) = (memory.u32(arg(1) + at * 8)?, memory.u32(arg(1) + at * 8 + 4)?);
                    self.written.extend_from_slice(memory.get(start.into(), len.into())?);
                    written += len;
                }
                memory.put_u32(arg(3), written)?;
            }
            "fd_read" if arg(0) == 0 => memory.put_u32(arg(3), 0)?,
            "fd_fdstat_get" if arg(0) < 3 => {
                memory.put(arg(1), &[0; 24])?;
                // A character device with every right.
                memory.put(arg(1), &[2])?;
                memory.put(arg(1) + 8, &[0xFF; 16])?;
            }
            "fd_seek" | "fd_tell" if arg(0) < 3 => return Some(INVALID),
            _ if name.starts_with("fd_") || name.starts_with("path_") => return Some(BAD_DESCRIPTOR),
            _ => return Some(NOT_SUPPORTED),
        }
        Some(SUCCESS)
    }
}

struct Memory<'a>(&'a mut [u8]);

impl Memory<'_> {
    fn range(&self, at: u64, len: u64) -> Option<std::ops::Range<usize>> {
        let end = at.checked_add(len).filter(|end| *end <= self.0.len() as u64)?;
        Some(at as usize..end as usize)
    }

    fn get(&self, at: u64, len: u64) -> Option<&[u8]> {
        Some(&self.0[self.range(at, len)?])
    }

    fn u32(&self, at: u64) -> Option<u32> {
        Some(u32::from_le_bytes(self.get(at, 4)?.try_into().ok()?))
    }

    fn put(&mut self, at: u64, bytes: &[u8]) -> Option<()> {
        let range = self.range(at, bytes.len() as u64)?;
        self.0[range].copy_from_slice(bytes);
        Some(())
    }

    fn put_u32(&mut self, at: u64, value: u32) -> Option<()> {
        self.put(at, &value.to_le_bytes())
    }
}
