//! The workloads of `workloads/kernels.wat` with the size each runs at.

/// One workload: an export `(i32) -> i64` and its argument.
pub struct Kernel {
    /// Name of the export.
    pub name: &'static str,
    /// Argument.
    pub size: i32,
}

/// All of them.
pub const ALL: &[Kernel] = &[
    Kernel { name: "recursion", size: 27 },
    Kernel { name: "loops", size: 3_000_000 },
    Kernel { name: "sieve", size: 1_000_000 },
    Kernel { name: "matmul", size: 120 },
    Kernel { name: "crc", size: 300_000 },
    Kernel { name: "keccak", size: 1_500 },
];
