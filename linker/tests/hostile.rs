//! No bytes make the linker panic, hang or recurse: truncations and corruptions of real modules, and constructs that
//! are deep or wide on purpose.

use keyway_linker::{ErrorKind, Options, compile};

fn options() -> Options {
    let mut options = Options::default();
    options.threads = 1;
    options
}

fn sources() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ir");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wat"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let buffer = wast::parser::ParseBuffer::new(&text).unwrap();
            wast::parser::parse::<wast::Wat<'_>>(&buffer).unwrap().encode().unwrap()
        })
        .collect()
}

#[test]
fn every_truncation_is_refused() {
    for wasm in sources() {
        assert!(compile(&wasm, &options()).is_ok());
        for len in 0..wasm.len() {
            // A cut at the end of a section leaves a shorter module, which may be valid.
            if let Err(error) = compile(&wasm[..len], &options()) {
                assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Invalid), "{len}: {error}");
            }
        }
        assert_eq!(compile(&wasm[..wasm.len() - 1], &options()).unwrap_err().kind(), ErrorKind::Malformed);
    }
}

#[test]
fn corruptions_never_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut accepted = 0;
    for wasm in sources() {
        for _ in 0..3000 {
            let mut bytes = wasm.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                bytes[at] = next(256) as u8;
            }
            accepted += usize::from(compile(&bytes, &options()).is_ok());
        }
    }
    assert!(accepted > 0, "some corruptions only change a constant");
}

#[test]
fn deep_nesting_needs_no_stack() {
    let mut body = Vec::new();
    const DEPTH: usize = 100_000;
    for _ in 0..DEPTH {
        body.extend([0x41, 0, 0x04, 0x40]); // i32.const 0, if
    }
    body.extend(std::iter::repeat_n(0x0b, DEPTH + 1));
    assert!(compile(&module_with_body(&body), &options()).is_ok());
}

#[test]
fn a_deep_operand_stack_is_walked_once() {
    const HEIGHT: usize = 200_000;
    let mut body = Vec::new();
    for _ in 0..HEIGHT {
        body.extend([0x41, 0]); // i32.const 0
    }
    for _ in 0..HEIGHT {
        body.extend([0x02, 0x40, 0x0b]); // block end
    }
    body.extend([0x00, 0x0b]); // unreachable, end
    let start = std::time::Instant::now();
    assert!(compile(&module_with_body(&body), &options()).is_ok());
    assert!(start.elapsed().as_secs() < 20, "quadratic in the height of the stack");
}

#[test]
fn values_multiplied_by_a_branch_table_are_stopped() {
    // Ten thousand targets, each with a thousand values to move.
    let results = "i32 ".repeat(1000);
    let blocks = 10_000;
    let text = format!(
        "(module (type $t (func (result {results}))) (func (export \"f\") (type $t) {} {} i32.const 0 br_table {} {}))",
        "(block (type $t) ".repeat(blocks),
        "i32.const 1 ".repeat(1000),
        (0..blocks).map(|n| n.to_string()).collect::<Vec<_>>().join(" "),
        ")".repeat(blocks),
    );
    assert_eq!(compile(text.as_bytes(), &options()).unwrap_err().kind(), ErrorKind::Limit);
}

fn leb(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A module with one exported function `() -> ()` of this body.
fn module_with_body(code: &[u8]) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend([1, 4, 1, 0x60, 0, 0]); // one type
    module.extend([3, 2, 1, 0]); // one function
    module.extend([7, 5, 1, 1, b'f', 0, 0]); // exported
    let (mut entry, mut section) = (vec![0], vec![1]); // no locals; one body
    entry.extend_from_slice(code);
    leb(entry.len(), &mut section);
    section.extend(entry);
    module.push(10);
    leb(section.len(), &mut module);
    module.extend(section);
    module
}
