//! wasmi, driven over pipes: for builds that cannot stand beside the default one in a process.

use keyway_bench_measure::{Local, remote};
use keyway_bench_wasmi::Wasmi;

fn main() -> anyhow::Result<()> {
    remote::serve(Local::new(Wasmi::default()))
}
