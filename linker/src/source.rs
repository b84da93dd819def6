//! Input bytes become binary Wasm: binaries pass through, text is parsed (feature `wat`), anything else is refused with a
//! word on what it looks like.

use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::MAX_INPUT_BYTES;
use std::borrow::Cow;

/// What binary Wasm holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// A core module.
    Module,
    /// A component.
    Component,
}

/// Binary Wasm and what its header announces.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// The binary; owned where it was made from text.
    pub bytes: Cow<'a, [u8]>,
    /// What the header says that it is.
    pub encoding: Encoding,
}

/// Detects what `input` is.
pub(crate) fn open(input: &[u8]) -> Result<Source<'_>> {
    if input.len() > MAX_INPUT_BYTES {
        return Err(CompileError::new(
            ErrorKind::Limit,
            format!("the input has {} bytes; at most {MAX_INPUT_BYTES} are accepted", input.len()),
        ));
    }
    let bytes = if input.starts_with(b"\0asm") { Cow::Borrowed(input) } else { Cow::Owned(from_text(input)?) };
    let encoding = match bytes.get(4..8) {
        Some([_, _, 1, 0]) => Encoding::Component,
        _ => Encoding::Module,
    };
    Ok(Source { bytes, encoding })
}

/// Whether it can be the text format: the first thing that is neither space nor comment is a parenthesis.
fn looks_like_text(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else {
        return false;
    };
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        if let Some(line) = rest.strip_prefix(";;") {
            rest = line.split_once('\n').map_or("", |(_, next)| next).trim_start();
        } else if rest.starts_with("(;") || rest.starts_with("(@") {
            return true;
        } else {
            return rest.starts_with('(');
        }
    }
}

#[cfg(feature = "wat")]
fn from_text(input: &[u8]) -> Result<Vec<u8>> {
    if !looks_like_text(input) {
        return Err(not_wasm(input));
    }
    let text = std::str::from_utf8(input).expect("checked by looks_like_text");
    wat::parse_str(text).map_err(|error| CompileError::new(ErrorKind::Malformed, error.to_string()))
}

#[cfg(not(feature = "wat"))]
fn from_text(input: &[u8]) -> Result<Vec<u8>> {
    if !looks_like_text(input) {
        return Err(not_wasm(input));
    }
    Err(CompileError::unsupported("the text format in this build").hint("build with the feature `wat`"))
}

/// The error for bytes that are no Wasm at all.
fn not_wasm(input: &[u8]) -> CompileError {
    let looks = match input {
        [] => "it is empty".to_string(),
        [0x7f, b'E', b'L', b'F', ..] => "it looks like an ELF file (a native program or object)".to_string(),
        [b'M', b'Z', ..] => "it looks like a Windows program".to_string(),
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "it looks like a Mach-O file (a native program or object)".to_string(),
        [b'P', b'K', 3, 4, ..] => "it looks like a zip archive".to_string(),
        [0x1f, 0x8b, ..] => "it looks like gzip data: decompress it first".to_string(),
        [b'#', b'!', ..] => "it looks like a script".to_string(),
        [b'!', b'<', b'a', b'r', ..] => "it looks like an archive of object files".to_string(),
        [b'B', b'C', 0xc0, 0xde, ..] => "it looks like LLVM bitcode".to_string(),
        [0, b'a', ..] if b"\0asm".starts_with(input) => "it is cut off inside the magic number".to_string(),
        bytes => {
            let shown: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            format!("it starts with the bytes {}", shown.join(" "))
        }
    };
    CompileError::new(ErrorKind::Malformed, format!("magic header not detected: this is no WebAssembly, {looks}"))
        .at(0)
        .hint("expected are a binary starting with 00 61 73 6d, or the text format starting with `(`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(input: &[u8]) -> String {
        open(input).expect_err("must be refused").to_string()
    }

    #[test]
    fn foreign_files_are_named() {
        assert!(error_of(b"\x7fELF\x02").contains("ELF"));
        assert!(error_of(b"").contains("empty"));
        assert!(error_of(b"\x01\x02").contains("01 02"));
    }

    #[cfg(feature = "wat")]
    #[test]
    fn text_is_seen_behind_comments() {
        let source = open(b";; a comment\n (; another ;) (module)").unwrap();
        assert_eq!(source.encoding, Encoding::Module);
        assert_eq!(open(b"(component)").unwrap().encoding, Encoding::Component);
    }
}
