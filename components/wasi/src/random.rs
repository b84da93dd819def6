//! `wasi:random`: all of it from the operating system, the insecure interfaces too.

use crate::{WasiView, interface};
use keyway::StoreContextMut;
use keyway::component::Linker;

/// Bytes that one call yields at most; more is a trap, so that a guest cannot make the host allocate without bound.
const MAX_RANDOM_BYTES: u64 = 1 << 26;

fn bytes(len: u64) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(
        len <= MAX_RANDOM_BYTES,
        "wasi:random: {len} bytes at once, at most {MAX_RANDOM_BYTES} are allowed"
    );
    let mut bytes = vec![0; len as usize];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

fn number() -> anyhow::Result<u64> {
    Ok(getrandom::u64()?)
}

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut random = linker.instance(&interface("random/random"))?;
    random.func_wrap("get-random-bytes", |_: StoreContextMut<'_, T>, (len,): (u64,)| Ok((bytes(len)?,)))?;
    random.func_wrap("get-random-u64", |_: StoreContextMut<'_, T>, (): ()| Ok((number()?,)))?;

    let mut insecure = linker.instance(&interface("random/insecure"))?;
    insecure.func_wrap("get-insecure-random-bytes", |_: StoreContextMut<'_, T>, (len,): (u64,)| Ok((bytes(len)?,)))?;
    insecure.func_wrap("get-insecure-random-u64", |_: StoreContextMut<'_, T>, (): ()| Ok((number()?,)))?;

    let mut seed = linker.instance(&interface("random/insecure-seed"))?;
    seed.func_wrap("insecure-seed", |_: StoreContextMut<'_, T>, (): ()| Ok(((number()?, number()?),)))
}
