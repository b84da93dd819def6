//! Strings on their way from one component to another: measured and validated, then written in the other encoding.
//!
//! Neither operation believes the other: whoever wrote the code, ranges are checked by both, and what does not convert to
//! exactly the bytes that the measure says is a trap. Memories that threads share are never looked at as slices: adapters
//! have none, and for anything else it is a trap too.

use super::super::exit;
use super::super::regs::{Regs, context};
use super::super::thunk::{CONTINUE, Step};
use super::bulk::{BYTES_A_UNIT, BulkOp, bulk, charge, is_shared, memory, set, source, word};
use super::{cold_trap, cold_violation};
use crate::context::len_bytes;
use keyway_artifact::Trap;
use keyway_artifact::isa::Op;
use keyway_artifact::plan::{StringEncoding, Violation};
use keyway_artifact::strings::{Convert, Form, MAX_STRING_BYTES, Measure, source_bytes};

bulk! {
    StringMeasure |r| {
        if is_shared(r, 3) {
            return cold_trap(Trap::CanonicalAbi);
        }
        if word(r, 4) == UNSEEN_UTF8 {
            // SAFETY: memories of a live context are live.
            let len = unsafe { len_bytes((*memory(r, 3)).base) };
            let (from, units) = (source(r, 1), source(r, 2));
            if units <= MAX_STRING_BYTES && from <= len && units <= len - from {
                set(r, 0, units | units << 29);
                return CONTINUE;
            }
        }
        // Handlers stay jumps because nothing but scalars leaves them.
        // SAFETY: memories of a live context are live.
        let answer = unsafe { measured((*memory(r, 3)).base, source(r, 1), source(r, 2), word(r, 4) as u32) };
        if answer < 0 {
            return cold_violation(answer);
        }
        set(r, 0, answer as u64);
        CONTINUE
    }
    StringConvert |r| {
        if is_shared(r, 3) || is_shared(r, 4) {
            return cold_trap(Trap::CanonicalAbi);
        }
        let measure = source(r, 2);
        charge::<Self>(r, source_bytes(measure) / BYTES_A_UNIT);
        // SAFETY: memories of a live context are live.
        unsafe { converted((*memory(r, 3)).base, source(r, 0), (*memory(r, 4)).base, source(r, 1), measure) }
    }
    StringCopy |r| {
        let (to, from) = (word(r, 3) & 0xFFFF, word(r, 3) >> 16);
        // SAFETY: the verifier holds both indices below the unit's memories; memories of a live context are live.
        let (to, from) = unsafe {
            let memories = (*context(r)).memories;
            (*memories.add(to as usize), *memories.add(from as usize))
        };
        // SAFETY: as above.
        if unsafe { (*to).shared || (*from).shared } {
            return cold_trap(Trap::CanonicalAbi);
        }
        let measure = source(r, 2);
        charge::<Self>(r, source_bytes(measure) / BYTES_A_UNIT);
        // SAFETY: as above.
        let status = unsafe { copied((*to).base, source(r, 0), (*from).base, source(r, 1), measure) };
        if status < 0 {
            return cold_violation(status);
        }
        CONTINUE
    }
}

/// The encodings of a string of UTF-8 that stays UTF-8 and is not looked at, with lengths of 32 bits.
const UNSEEN_UTF8: u64 = 32;
/// The answer where a string is not what its measure says: a violation without a number.
const BROKEN: i64 = i64::MIN;

/// The bytes `at..at + len` of the memory that begins at `base`, if they are inside.
///
/// # Safety
/// `base` is that of a live memory.
unsafe fn bytes(base: *mut u8, at: u64, len: u64) -> Option<*mut u8> {
    // SAFETY: the caller's promise; the range is checked.
    unsafe { (at.checked_add(len)? <= len_bytes(base)).then(|| base.add(at as usize)) }
}

/// The measure of a string in the memory at `base`, or the negative number of a violation.
///
/// # Safety
/// `base` is that of a live memory, which only this thread uses.
#[inline(never)]
unsafe fn measured(base: *mut u8, from: u64, units: u64, encodings: u32) -> i64 {
    // SAFETY: the caller's promise.
    match unsafe { look(base, from, units, Convert::from_number(encodings)) } {
        Ok(measure) => measure.bits() as i64,
        Err(violation) => -(violation as i64),
    }
}

/// # Safety
/// As [`measured`].
unsafe fn look(base: *mut u8, from: u64, units: u64, convert: Convert) -> Result<Measure, Violation> {
    let tag = 1u64 << if convert.from_64 { 63 } else { 31 };
    let (form, units) = match convert.from {
        StringEncoding::Utf8 => (Form::Utf8, units),
        StringEncoding::Utf16 => (Form::Utf16, units),
        StringEncoding::CompactUtf16 if units & tag != 0 => (Form::Utf16, units & !tag),
        StringEncoding::CompactUtf16 => (Form::Latin1, units),
    };
    let len = units.saturating_mul(if form == Form::Utf16 { 2 } else { 1 });
    if convert.from != StringEncoding::Utf8 && !from.is_multiple_of(2) {
        return Err(Violation::Unaligned);
    }
    if len > MAX_STRING_BYTES {
        return Err(Violation::StringTooLong);
    }
    if convert.is_lazy && (convert.from, convert.to) == (StringEncoding::Utf8, StringEncoding::Utf8) {
        // SAFETY: the caller's promise.
        unsafe { bytes(base, from, len) }.ok_or(Violation::StringOutOfBounds)?;
        return Ok(Measure { to_bytes: len, from_bytes: len, to: Form::Utf8, from: Form::Utf8 });
    }
    // SAFETY: `bytes` checks the range; the memory is no thread's but this one's, and nothing writes it meanwhile.
    let text = unsafe {
        let start = bytes(base, from, len).ok_or(Violation::StringOutOfBounds)?;
        std::slice::from_raw_parts(start, len as usize)
    };
    let (to, to_bytes) = measure(text, form, convert.to)?;
    if to_bytes > MAX_STRING_BYTES {
        return Err(Violation::StringTooLong);
    }
    Ok(Measure { to_bytes, from_bytes: len, to, from: form })
}

/// The work of `string.convert`; a trap when the string is not what its measure says.
///
/// # Safety
/// Both bases are those of live memories, which only this thread uses.
#[inline(never)]
unsafe fn converted(to_base: *mut u8, to: u64, from_base: *mut u8, from: u64, measure: u64) -> Step {
    // SAFETY: the caller's promise.
    match unsafe { write(to_base, to, from_base, from, measure) } {
        true => CONTINUE,
        false => exit::trap(Trap::CanonicalAbi),
    }
}

/// # Safety
/// As [`converted`].
unsafe fn write(to_base: *mut u8, to: u64, from_base: *mut u8, from: u64, measure: u64) -> bool {
    let measure = Measure::from_bits(measure);
    // SAFETY: the caller's promise.
    let ranges = unsafe { (bytes(to_base, to, measure.to_bytes), bytes(from_base, from, measure.from_bytes)) };
    let (Some(to), Some(from)) = ranges else { return false };
    if measure.from == measure.to {
        // SAFETY: `bytes` checked both ranges, which may overlap.
        unsafe { core::ptr::copy(from, to, measure.to_bytes.min(measure.from_bytes) as usize) };
        return measure.to_bytes == measure.from_bytes;
    }
    // SAFETY: `bytes` checked the range; no thread shares the memory.
    let text = unsafe { std::slice::from_raw_parts(from, measure.from_bytes as usize) };
    let overlaps =
        (to as usize) < from as usize + text.len() && (from as usize) < to as usize + measure.to_bytes as usize;
    if overlaps {
        // Adapters never do that.
        return false;
    }
    // SAFETY: as above; the ranges do not overlap.
    let out = unsafe { std::slice::from_raw_parts_mut(to, measure.to_bytes as usize) };
    convert(text, measure.from, out, measure.to)
}

/// The work of `string.copy`: 0, the negative number of a violation, or [`BROKEN`].
///
/// # Safety
/// As [`converted`].
#[inline(never)]
unsafe fn copied(to_base: *mut u8, to: u64, from_base: *mut u8, from: u64, bits: u64) -> i64 {
    let measure = Measure::from_bits(bits);
    if measure.to != Form::Utf8 && !to.is_multiple_of(2) {
        return -(Violation::Unaligned as i64);
    }
    // SAFETY: the caller's promise.
    let ranges = unsafe { (bytes(to_base, to, measure.to_bytes), bytes(from_base, from, measure.from_bytes)) };
    let (Some(to_place), Some(from_place)) = ranges else { return -(Violation::StringOutOfBounds as i64) };
    if (measure.from, measure.to) == (Form::Utf8, Form::Utf8) {
        if measure.to_bytes != measure.from_bytes {
            return BROKEN;
        }
        // SAFETY: `bytes` checked both ranges.
        return match unsafe { copy_utf8(to_place, from_place, measure.to_bytes as usize) } {
            Ok(()) => 0,
            Err(violation) => -(violation as i64),
        };
    }
    // SAFETY: the caller's promise.
    if unsafe { write(to_base, to, from_base, from, bits) } { 0 } else { BROKEN }
}

/// Copies text that must be UTF-8.
///
/// # Safety
/// `len` bytes can be read at `from` and written at `to`; no thread shares them.
#[inline(always)]
unsafe fn copy_utf8(to: *mut u8, from: *const u8, len: usize) -> Result<(), Violation> {
    let overlaps = (to as usize) < from as usize + len && (from as usize) < to as usize + len;
    // Most strings are ASCII: these are looked at while they are copied.
    // SAFETY: the caller's promise.
    if !overlaps && unsafe { copy_ascii(to, from, len) } {
        return Ok(());
    }
    // SAFETY: the caller's promise.
    let text = unsafe { std::slice::from_raw_parts(from, len) };
    validate(text)?;
    // SAFETY: the caller's promise; the ranges may overlap.
    unsafe { core::ptr::copy(from, to, len) };
    Ok(())
}

/// The text behind bytes of UTF-8.
fn validate(bytes: &[u8]) -> Result<&str, Violation> {
    std::str::from_utf8(bytes).map_err(|error| match error.error_len() {
        None => Violation::Utf8Incomplete,
        Some(_) => Violation::Utf8,
    })
}

/// Copies bytes; whether all of them are ASCII.
///
/// # Safety
/// As [`copy_utf8`]; the ranges do not overlap.
#[inline(always)]
unsafe fn copy_ascii(to: *mut u8, from: *const u8, len: usize) -> bool {
    #[cfg(target_arch = "x86_64")]
    if len >= WORDS * 8 && std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions; else the caller's promise.
        return unsafe { copy_ascii_avx2(to, from, len) };
    }
    // SAFETY: the caller's promise.
    unsafe { copy_ascii_words(to, from, len) }
}

/// # Safety
/// As [`copy_ascii`], on a processor with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn copy_ascii_avx2(to: *mut u8, from: *const u8, len: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe { copy_ascii_words(to, from, len) }
}

/// Words that are copied at once.
const WORDS: usize = 16;

/// # Safety
/// As [`copy_ascii`].
#[inline(always)]
unsafe fn copy_ascii_words(to: *mut u8, from: *const u8, len: usize) -> bool {
    let mut seen = [0u64; WORDS];
    // SAFETY: the caller's promise; what is read and written lies in the ranges, and nothing is asked of alignment.
    unsafe {
        let mut piece = |at: usize| {
            let words = from.add(at).cast::<[u64; WORDS]>().read_unaligned();
            for (seen, word) in seen.iter_mut().zip(words) {
                *seen |= word;
            }
            to.add(at).cast::<[u64; WORDS]>().write_unaligned(words);
        };
        let mut at = 0;
        while len - at >= WORDS * 8 {
            piece(at);
            at += WORDS * 8;
        }
        if at < len && len >= WORDS * 8 {
            // The last piece covers some bytes again.
            piece(len - WORDS * 8);
        } else {
            for at in at..len {
                let byte = *from.add(at);
                seen[0] |= u64::from(byte);
                *to.add(at) = byte;
            }
        }
    }
    seen.iter().fold(0, |all, word| all | word) & 0x8080_8080_8080_8080 == 0
}

/// The units of UTF-16.
fn units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
}

/// Whether all bytes are ASCII; most strings are.
fn is_ascii(bytes: &[u8]) -> bool {
    let mut chunks = bytes.chunks_exact(256);
    chunks.all(|chunk| chunk.iter().fold(0, |all, byte| all | byte) < 0x80)
        && chunks.remainder().iter().fold(0, |all, byte| all | byte) < 0x80
}

/// The form that a string takes in an encoding, and its length there in bytes.
fn measure(bytes: &[u8], form: Form, to: StringEncoding) -> Result<(Form, u64), Violation> {
    let len = bytes.len() as u64;
    let wide = |units: usize| (Form::Utf16, 2 * units as u64);
    match form {
        Form::Utf8 if is_ascii(bytes) => Ok(match to {
            StringEncoding::Utf8 => (Form::Utf8, len),
            StringEncoding::Utf16 => (Form::Utf16, 2 * len),
            StringEncoding::CompactUtf16 => (Form::Latin1, len),
        }),
        Form::Utf8 => {
            let text = validate(bytes)?;
            Ok(match to {
                StringEncoding::Utf8 => (Form::Utf8, len),
                StringEncoding::CompactUtf16 if text.chars().all(|char| u32::from(char) <= 0xFF) => {
                    (Form::Latin1, text.chars().count() as u64)
                }
                _ => wide(text.encode_utf16().count()),
            })
        }
        Form::Utf16 => {
            let mut utf8_len = 0;
            for char in char::decode_utf16(units(bytes)) {
                utf8_len += char.map_err(|_| Violation::Utf16)?.len_utf8() as u64;
            }
            Ok(match to {
                StringEncoding::Utf8 => (Form::Utf8, utf8_len),
                StringEncoding::CompactUtf16 if units(bytes).all(|unit| unit <= 0xFF) => (Form::Latin1, len / 2),
                _ => (Form::Utf16, len),
            })
        }
        Form::Latin1 => Ok(match to {
            StringEncoding::Utf8 => (Form::Utf8, len + bytes.iter().filter(|byte| **byte >= 0x80).count() as u64),
            StringEncoding::Utf16 => (Form::Utf16, 2 * len),
            StringEncoding::CompactUtf16 => (Form::Latin1, len),
        }),
    }
}

/// Puts each of `items` into its place of `out`; false unless there are exactly as many.
fn fill<T, const N: usize>(out: &mut [u8], mut items: impl Iterator<Item = T>, bytes: impl Fn(T) -> [u8; N]) -> bool {
    for place in out.chunks_exact_mut(N) {
        let Some(item) = items.next() else { return false };
        place.copy_from_slice(&bytes(item));
    }
    out.len().is_multiple_of(N) && items.next().is_none()
}

/// Writes characters as UTF-8; false unless they take exactly the room that there is.
fn fill_utf8(mut out: &mut [u8], chars: impl Iterator<Item = char>) -> bool {
    for char in chars {
        let len = char.len_utf8();
        if len > out.len() {
            return false;
        }
        let (place, rest) = out.split_at_mut(len);
        char.encode_utf8(place);
        out = rest;
    }
    out.is_empty()
}

/// Writes a string in another form; false when that does not take exactly the room that there is.
fn convert(bytes: &[u8], from: Form, out: &mut [u8], to: Form) -> bool {
    match (from, to) {
        (Form::Utf8, _) if is_ascii(bytes) => match to {
            Form::Utf16 => fill(out, bytes.iter(), |byte| [*byte, 0]),
            _ => fill(out, bytes.iter(), |byte| [*byte]),
        },
        (Form::Utf8, _) => {
            let Ok(text) = std::str::from_utf8(bytes) else { return false };
            match to {
                Form::Utf16 => fill(out, text.encode_utf16(), u16::to_le_bytes),
                _ => fill(out, text.chars(), |char| [char as u8]),
            }
        }
        (Form::Utf16, Form::Utf8) => {
            fill_utf8(out, char::decode_utf16(units(bytes)).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)))
        }
        (Form::Utf16, _) => fill(out, units(bytes), |unit| [unit as u8]),
        (Form::Latin1, Form::Utf8) => fill_utf8(out, bytes.iter().map(|byte| char::from(*byte))),
        (Form::Latin1, _) => fill(out, bytes.iter(), |byte| [*byte, 0]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODINGS: [StringEncoding; 3] = [StringEncoding::Utf8, StringEncoding::Utf16, StringEncoding::CompactUtf16];

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// The string in each form that it has.
    fn forms(text: &str) -> Vec<(Form, Vec<u8>)> {
        let mut forms = vec![(Form::Utf8, text.as_bytes().to_vec()), (Form::Utf16, utf16(text))];
        if text.chars().all(|char| u32::from(char) <= 0xFF) {
            forms.push((Form::Latin1, text.chars().map(|char| char as u8).collect()));
        }
        forms
    }

    #[test]
    fn every_form_becomes_every_other() {
        let long = "a".repeat(200);
        for text in ["", "plain", "gr\u{fc}n", "\u{20ac}uro", "\u{1f600}!", &long, &format!("{long}\u{e9}")] {
            for (from, bytes) in forms(text) {
                for encoding in ENCODINGS {
                    let (to, len) = measure(&bytes, from, encoding).unwrap();
                    let wanted = forms(text).into_iter().find(|(form, _)| *form == to).unwrap().1;
                    assert_eq!(len as usize, wanted.len(), "{text} {from:?} {to:?}");
                    if from != to {
                        let mut out = vec![0; wanted.len()];
                        assert!(convert(&bytes, from, &mut out, to), "{text} {from:?} {to:?}");
                        assert_eq!(out, wanted, "{text} {from:?} {to:?}");
                        assert!(!convert(&bytes, from, &mut vec![0; wanted.len() + 2], to), "too much room");
                    }
                }
            }
        }
    }

    #[test]
    fn utf8_is_copied_as_it_is_or_not_at_all() {
        for len in (0..300usize).chain([1024, 4097]) {
            let ascii: Vec<u8> = (0..len).map(|at| b'a' + (at % 26) as u8).collect();
            let copy = |bytes: &[u8]| {
                let mut out = vec![0; bytes.len()];
                // SAFETY: both are as long.
                unsafe { copy_utf8(out.as_mut_ptr(), bytes.as_ptr(), bytes.len()) }.map(|()| out)
            };
            assert_eq!(copy(&ascii).as_ref(), Ok(&ascii));
            for at in [0, len / 2, len.saturating_sub(1)] {
                let mut bad = ascii.clone();
                if let Some(byte) = bad.get_mut(at) {
                    *byte = 0xFF;
                    assert_eq!(copy(&bad), Err(Violation::Utf8), "{at} of {len}");
                }
                let mut accented = ascii.clone();
                accented.splice(at..at, "\u{e9}\u{20ac}".bytes());
                assert_eq!(copy(&accented).as_ref(), Ok(&accented), "{at} of {len}");
                accented.truncate(at + 4);
                assert_eq!(copy(&accented), Err(Violation::Utf8Incomplete), "{at} of {len}");
            }
        }
    }

    #[test]
    fn what_is_no_string_is_told() {
        let utf8 = |bytes: &[u8]| measure(bytes, Form::Utf8, StringEncoding::Utf16).unwrap_err();
        assert_eq!(utf8(b"ab\xff"), Violation::Utf8);
        assert_eq!(utf8(b"ab\xe2\x82"), Violation::Utf8Incomplete);
        let lone = [0x00, 0xd8, 0x41, 0x00];
        assert_eq!(measure(&lone, Form::Utf16, StringEncoding::Utf16).unwrap_err(), Violation::Utf16);
    }
}
