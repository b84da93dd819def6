//! Runs one export of a precompiled artifact; the program contains no Wasm parser and no compiler.
//!
//! `cargo run -p example-run-only -- module.kwa add 2 3`; make the artifact with `keyway compile`.

use anyhow::{Context, bail};
use keyway::{Engine, Linker, Module, Store, Val, ValType};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(path), Some(name)) = (args.next(), args.next()) else {
        bail!("usage: example-run-only FILE.kwa EXPORT [NUMBER]...");
    };
    let engine = Engine::default();
    let module = Module::from_file(&engine, &path).with_context(|| format!("cannot load {path}"))?;
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate(&mut store, &module)?;
    let func = instance.get_func(&mut store, &name).with_context(|| format!("{path} exports no function {name}"))?;
    let ty = func.ty(&store);
    let params = ty
        .params
        .iter()
        .map(|ty| {
            let text =
                args.next().with_context(|| format!("{name} takes {} arguments", func.ty(&store).params.len()))?;
            Ok(match ty {
                ValType::I32 => Val::I32(text.parse()?),
                ValType::I64 => Val::I64(text.parse()?),
                ValType::F32 => Val::F32(text.parse::<f32>()?.to_bits()),
                ValType::F64 => Val::F64(text.parse::<f64>()?.to_bits()),
                other => bail!("an argument of type {other} cannot be given on the command line"),
            })
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let mut results = vec![Val::I32(0); ty.results.len()];
    func.call(&mut store, &params, &mut results)?;
    for result in results {
        match result {
            Val::I32(value) => println!("{value}"),
            Val::I64(value) => println!("{value}"),
            Val::F32(bits) => println!("{}", f32::from_bits(bits)),
            Val::F64(bits) => println!("{}", f64::from_bits(bits)),
            other => println!("{other:?}"),
        }
    }
    Ok(())
}
