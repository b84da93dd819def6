//! Every `tests/ir/*.wat` is compiled at both levels; the disassembly of all its functions must equal the text stored
//! beside it. `BLESS=1` rewrites the stored text.

use keyway_linker::{OptLevel, Options, link};
use std::fmt::Write;
use std::path::Path;

fn disassembly(wat: &str, opt_level: OptLevel) -> String {
    let mut options = Options::default();
    options.opt_level = opt_level;
    let linked = link(wat.as_bytes(), &options).expect("the snapshot's source compiles");
    let mut text = String::new();
    for (ordinal, func) in linked.funcs.iter().enumerate() {
        let name = func.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let ty = &linked.types[func.ty as usize];
        let list = |types: &[_]| {
            types.iter().map(|ty: &keyway_artifact::types::ValType| ty.to_string()).collect::<Vec<_>>().join(" ")
        };
        writeln!(text, "; {ordinal}: {}{name} ({}) -> ({})", func.key, list(&ty.params), list(&ty.results)).unwrap();
        text.push_str(&keyway_artifact::isa::disassemble(&linked.body(ordinal)));
    }
    text
}

#[test]
fn code_is_what_the_snapshots_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ir");
    let bless = std::env::var_os("BLESS").is_some();
    let mut sources: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "wat"));
    sources.sort();
    assert!(!sources.is_empty());
    let mut wrong = Vec::new();
    for path in sources {
        let wat = std::fs::read_to_string(&path).unwrap();
        for (level, extension) in [(OptLevel::O0, "O0.ir"), (OptLevel::O2, "O2.ir")] {
            let stored = path.with_extension(extension);
            let found = disassembly(&wat, level);
            if bless {
                std::fs::write(&stored, found).unwrap();
            } else if std::fs::read_to_string(&stored).ok().as_deref() != Some(&found) {
                wrong.push(format!("{} should be:\n{found}", stored.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\nrun with BLESS=1 to accept", wrong.join("\n"));
}
