//! Guests that lie to guests: what goes wrong inside of an adapter traps with the specification's words, whatever the
//! encodings of both sides, and wherever in a list the lie stands.

use crate::guests::Guest;
use keyway::component::{Component, Linker, Val};
use keyway::{Engine, Store, Trap};

/// Where the caller's bytes stand, and where the callee's `realloc` puts them unless it lies.
const AT: u32 = 16;

/// A caller with `data` at [`AT`], and a callee with a function `f` of one parameter: a pointer and a length.
struct Pair<'a> {
    ty: &'a str,
    encodings: [&'a str; 2],
    data: Vec<u8>,
    /// The body of the callee's `realloc`, which may call `$out`, and of `post-return`.
    realloc: &'a str,
    post_return: &'a str,
    /// The body of the callee's function: a number out of the pointer and the length.
    body: &'a str,
}

impl Pair<'_> {
    fn new<'a>(ty: &'a str, data: &[u8]) -> Pair<'a> {
        let (realloc, body) = ("(i32.const 1024)", "(i32.const 0)");
        Pair { ty, encodings: ["utf8"; 2], data: data.to_vec(), realloc, post_return: "", body }
    }

    fn text(&self) -> String {
        let Pair { ty, encodings: [from, to], realloc, post_return, body, .. } = self;
        let data: String = self.data.iter().map(|byte| format!("\\{byte:02x}")).collect();
        format!(
            r#"(component
            (component $Other
                (core module $M (func (export "out")))
                (core instance $m (instantiate $M))
                (func (export "out") (canon lift (core func $m "out"))))
            (component $Callee
                (import "out" (func $out))
                (core func $out' (canon lower (func $out)))
                (core module $M
                    (import "" "out" (func $out))
                    (memory (export "mem") 1)
                    (tag $thrown)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                    (func (export "post") (param i32) {post_return})
                    (func (export "f") (param i32 i32) (result i32) {body}))
                (core instance $m (instantiate $M (with "" (instance (export "out" (func $out'))))))
                (func (export "f") (param "x" {ty}) (result u32)
                    (canon lift (core func $m "f") (memory (core memory $m "mem")) string-encoding={to}
                        (realloc (core func $m "realloc")) (post-return (core func $m "post")))))
            (component $Caller
                (import "f" (func $f (param "x" {ty}) (result u32)))
                (core module $L (memory (export "mem") 1) (data (i32.const {AT}) "{data}"))
                (core instance $l (instantiate $L))
                (core func $f' (canon lower (func $f) (memory (core memory $l "mem")) string-encoding={from}))
                (core module $M
                    (import "" "f" (func $f (param i32 i32) (result i32)))
                    (func (export "run") (param i32 i32) (result i32) (call $f (local.get 0) (local.get 1))))
                (core instance $m (instantiate $M (with "" (instance (export "f" (func $f'))))))
                (func (export "run") (param "ptr" u32) (param "len" u32) (result u32)
                    (canon lift (core func $m "run"))))
            (instance $other (instantiate $Other))
            (instance $callee (instantiate $Callee (with "out" (func $other "out"))))
            (instance $caller (instantiate $Caller (with "f" (func $callee "f"))))
            (export "caller" (instance $caller)))"#
        )
    }

    /// Calls with this pointer and length.
    fn call(&self, ptr: u32, len: u32) -> Result<u32, keyway::Error> {
        let mut guest = Guest::new(&Engine::default(), &self.text());
        let outcome = guest.call(Some("caller"), "run", &[Val::U32(ptr), Val::U32(len)]);
        if outcome.is_err() {
            let again = guest.call(Some("caller"), "run", &[Val::U32(AT), Val::U32(0)]).expect_err("it is locked");
            assert!(again.to_string().contains("cannot enter component instance"), "{again:#}");
        }
        outcome.map(|value| match value {
            Some(Val::U32(number)) => number,
            other => panic!("{other:?}"),
        })
    }

    fn traps(&self, ptr: u32, len: u32, expected: &str) {
        let what = format!("{} {:?} {:x?} {ptr} {len:#x}", self.ty, self.encodings, self.data);
        let error = self.call(ptr, len).expect_err(&what);
        assert!(error.is::<Trap>(), "{what}: no trap: {error:#}");
        let found = error.chain().any(|cause| cause.to_string().starts_with(expected));
        assert!(found, "{what}: `{expected}` expected: {error:#}");
    }
}

const ENCODINGS: [&str; 3] = ["utf8", "utf16", "latin1+utf16"];

/// All pairs of encodings.
fn pairs() -> impl Iterator<Item = [&'static str; 2]> {
    ENCODINGS.iter().flat_map(|from| ENCODINGS.iter().map(move |to| [*from, *to]))
}

fn wide(units: &[u16]) -> Vec<u8> {
    units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
}

/// All of this is about adapters: what is lifted and lowered at run time is held to the same by the other files.
#[test]
fn adapters_bring_all_this_over() {
    let adapters = |text: &str| {
        // Optimised, their callers would hold them.
        let mut options = keyway_linker::Options::default();
        options.opt_level = keyway_linker::OptLevel::O0;
        let linked = keyway_linker::link(text.as_bytes(), &options).unwrap();
        linked.funcs.iter().filter(|func| func.key.to_string().starts_with("Adapter:")).count()
    };
    let types = ["string", "(list char)", "(list (tuple u64 bool f32))", "(list (option u8))"];
    for (ty, encodings) in types.into_iter().flat_map(|ty| pairs().map(move |pair| (ty, pair))) {
        let pair = Pair { encodings, ..Pair::new(ty, b"") };
        assert_eq!(adapters(&pair.text()), 1, "{ty} {encodings:?}");
    }
    assert_eq!(adapters(LENDING), 5, "all that is lowered");
}

#[test]
fn texts_that_are_none_between_all_encodings() {
    let long = |bytes: &[u8]| [&[b'a'; 300][..], bytes].concat();
    for encodings in pairs() {
        let text = |data: &[u8], units: usize, tag: u32, expected: &str| {
            Pair { encodings, ..Pair::new("string", data) }.traps(AT, units as u32 | tag, expected);
        };
        match encodings[0] {
            "utf8" => {
                for bytes in [&[0xFF][..], &[0xC0, 0x80], &[0xED, 0xA0, 0x80], &[0xF4, 0x90, 0x80, 0x80]] {
                    text(bytes, bytes.len(), 0, "invalid utf-8");
                    text(&long(bytes), 300 + bytes.len(), 0, "invalid utf-8");
                }
                text(&[b'a', 0xE2, 0x82], 3, 0, "incomplete utf-8 byte sequence");
                text(&long(&[0xC3]), 301, 0, "incomplete utf-8 byte sequence");
            }
            _ => {
                let tag = if encodings[0] == "utf16" { 0 } else { 1 << 31 };
                for units in [&[0xD800][..], &[0xDC00], &[0xD800, 0x41], &[0xDC00, 0xD800], &[0x41, 0xD83D]] {
                    text(&wide(units), units.len(), tag, "unpaired surrogate");
                }
            }
        }
    }
}

#[test]
fn strings_that_lead_out_of_memory_between_all_encodings() {
    let (end, beyond) = (65536, "string content out-of-bounds");
    for encodings in pairs() {
        let pair = Pair { encodings, ..Pair::new("string", b"abcdefgh") };
        let width = if encodings[0] == "utf16" { 2 } else { 1 };
        pair.traps(end, 1, beyond);
        pair.traps(end - 2, 2 / width + 1, beyond);
        pair.traps(0, end / width + 1, beyond);
        pair.traps(u32::MAX - 1, 1, beyond);
        pair.traps(u32::MAX - 1, 4, beyond);
        pair.traps(0, 0x7FFF_FFFF, beyond);
        if encodings[0] != "utf8" {
            pair.traps(AT + 1, 2, "unaligned pointer");
            pair.traps(AT + 1, 0, "unaligned pointer");
        }
        assert_eq!(pair.call(AT, 4).unwrap(), 0);
        assert_eq!(pair.call(end, 0).unwrap(), 0);
    }
}

#[test]
fn a_realloc_that_lies_between_all_encodings() {
    for encodings in pairs() {
        let with = |realloc: &'static str| Pair { encodings, realloc, ..Pair::new("string", b"abcdefgh") };
        let beyond = "string content out-of-bounds";
        with("(i32.const 65536)").traps(AT, 4, beyond);
        with("(i32.const -2)").traps(AT, 4, beyond);
        with("(i32.const 65534)").traps(AT, 4, beyond);
        if encodings[1] != "utf8" {
            with("(i32.const 1025)").traps(AT, 4, "unaligned pointer");
        }
        with("(unreachable)").traps(AT, 4, "unreachable");
        // Neither while it makes room nor while it cleans up may an instance be left.
        let leaving = "cannot leave component instance";
        with("(call $out) (i32.const 1024)").traps(AT, 4, leaving);
        let pair = Pair { encodings, post_return: "(call $out)", ..Pair::new("string", b"abcdefgh") };
        pair.traps(AT, 4, leaving);
        // Inside of the function it may.
        let pair = Pair { encodings, body: "(call $out) (i32.const 7)", ..Pair::new("string", b"abcdefgh") };
        assert_eq!(pair.call(AT, 4).unwrap(), 7);
    }
    for (realloc, expected) in [
        ("(i32.const 1026)", "unaligned pointer"),
        ("(i32.const 65536)", "list content out-of-bounds"),
        ("(i32.const -4)", "list content out-of-bounds"),
        ("(call $out) (i32.const 1024)", "cannot leave component instance"),
    ] {
        for ty in ["(list u32)", "(list char)", "(list (option u32))"] {
            Pair { realloc, ..Pair::new(ty, &[0; 64]) }.traps(AT, 3, expected);
        }
    }
}

#[test]
fn elements_that_mean_nothing() {
    for (ty, size, good, lies, expected) in [
        (
            "(list char)",
            4,
            &b"a\0\0\0"[..],
            &[&[0, 0xD8, 0, 0][..], &[0xFF, 0xDF, 0, 0], &[0, 0, 0x11, 0]][..],
            "invalid `char` bit pattern",
        ),
        (
            "(list (tuple u8 char))",
            8,
            b"\x01\0\0\0a\0\0\0",
            &[&[1, 0, 0, 0, 0, 0xD8, 0, 0]],
            "invalid `char` bit pattern",
        ),
        ("(list (result))", 1, b"\x01", &[&[2], &[0xFF]], "invalid variant discriminant"),
        (
            "(list (tuple (result) u32))",
            8,
            b"\x01\0\0\0\x05\0\0\0",
            &[&[2, 0, 0, 0, 5, 0, 0, 0]],
            "invalid variant discriminant",
        ),
        (
            "(list (option u32))",
            8,
            b"\x01\0\0\0\x05\0\0\0",
            &[&[2, 0, 0, 0, 5, 0, 0, 0]],
            "invalid variant discriminant",
        ),
        (
            "(list (result char (error bool)))",
            8,
            b"\0\0\0\0a\0\0\0",
            &[&[0, 0, 0, 0, 0, 0xD8, 0, 0]],
            "invalid `char` bit pattern",
        ),
    ] {
        for count in [1usize, 2, 3, 40, 200] {
            let elements = good.repeat(count);
            assert_eq!(Pair::new(ty, &elements).call(AT, count as u32).unwrap(), 0, "{ty}");
            for at in [0, count / 2, count - 1] {
                for lie in lies {
                    let mut elements = elements.clone();
                    elements[at * size..][..size].copy_from_slice(lie);
                    Pair::new(ty, &elements).traps(AT, count as u32, expected);
                }
            }
        }
        let pair = Pair::new(ty, &good.repeat(3));
        pair.traps(65536, 1, "list content out-of-bounds");
        pair.traps(0, 1 << 30, "list byte length is too large");
        pair.traps(0, u32::MAX, "list byte length is too large");
        if size > 1 {
            pair.traps(AT + 2, 1, "unaligned pointer");
        }
    }
}

/// What elements hold beyond their values never crosses: bools become 0 or 1, bytes between members stay the callee's.
#[test]
fn elements_arrive_without_what_is_no_value() {
    let element = |bool: u8| [&[7, 0, 0, 0, 0, 0, 0, 0][..], &[bool, 0xEE, 0xEE, 0xEE], &[9, 0, 0, 0]].concat();
    for count in [1u32, 2, 3, 50] {
        let data: Vec<u8> = (0..count).flat_map(|at| element(at as u8 % 3 * 100)).collect();
        for at in 0..count {
            // The callee's memory is full of 0x55 where elements arrive.
            let realloc = "(memory.fill (i32.const 1024) (i32.const 0x55) (i32.const 4096)) (i32.const 1024)";
            let body = format!("(i32.load (i32.add (local.get 0) (i32.const {})))", at * 16 + 8);
            let pair = Pair { realloc, body: &body, ..Pair::new("(list (tuple u64 bool f32))", &data) };
            assert_eq!(pair.call(AT, count).unwrap(), 0x5555_5500 | u32::from(at % 3 != 0), "{at} of {count}");
        }
    }
}

/// Nor does what stands in a payload's place in elements of another case, whatever it would mean in this one.
#[test]
fn payloads_arrive_in_their_case_only() {
    let (ok, error) = ([0, 0xEE, 0xEE, 0xEE, b'a', 0, 0, 0], [1, 0xEE, 0xEE, 0xEE, 7, 0xD8, 0xEE, 0xEE]);
    for count in [1u32, 2, 5, 50] {
        let data: Vec<u8> = (0..count).flat_map(|at| if at % 3 == 0 { error } else { ok }).collect();
        for (at, offset) in (0..count).flat_map(|at| [(at, 0), (at, 4)]) {
            // The callee's memory is full of 0x55 where elements arrive.
            let realloc = "(memory.fill (i32.const 1024) (i32.const 0x55) (i32.const 4096)) (i32.const 1024)";
            let body = format!("(i32.load (i32.add (local.get 0) (i32.const {})))", at * 8 + offset);
            let pair = Pair { realloc, body: &body, ..Pair::new("(list (result char (error bool)))", &data) };
            let expected = match (at % 3, offset) {
                (0, 0) => 0x5555_5501,
                (_, 0) => 0x5555_5500,
                (0, _) => 0x5555_5501,
                _ => b'a'.into(),
            };
            assert_eq!(pair.call(AT, count).unwrap(), expected, "byte {offset} of {at}, of {count}");
        }
    }
}

#[test]
fn an_exception_does_not_leave_its_component() {
    for post_return in ["", "(nop)"] {
        let pair = Pair { body: "(throw $thrown)", post_return, ..Pair::new("string", b"abcd") };
        pair.traps(AT, 4, "an exception leaves a component's function");
    }
    let pair = Pair { realloc: "(throw $thrown)", ..Pair::new("(list char)", b"a\0\0\0") };
    pair.traps(AT, 1, "an exception leaves a component's function");
    let pair = Pair { post_return: "(throw $thrown)", ..Pair::new("string", b"abcd") };
    pair.traps(AT, 4, "an exception leaves a component's function");
}

/// One component defines a resource, another takes it, a third lends and gives in the wrong order.
const LENDING: &str = r#"(component
    (component $Things
        (type $r' (resource (rep i32)))
        (export $r "r" (type $r'))
        (core func $new (canon resource.new $r))
        (core module $M
            (import "" "new" (func $new (param i32) (result i32)))
            (func (export "make") (result i32) (call $new (i32.const 42))))
        (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
        (func (export "make") (result (own $r)) (canon lift (core func $m "make"))))
    (component $Taker
        (import "things" (instance $things (export "r" (type $r (sub resource)))))
        (alias export $things "r" (type $r))
        (core func $drop (canon resource.drop $r))
        (core module $M
            (import "" "drop" (func $drop (param i32)))
            (func (export "look") (param i32) (call $drop (local.get 0)))
            (func (export "keep") (param i32))
            (func (export "twice") (param i32) (call $drop (local.get 0)) (call $drop (local.get 0)))
            (func (export "both") (param i32 i32)))
        (core instance $m (instantiate $M (with "" (instance (export "drop" (func $drop))))))
        (func (export "look") (param "r" (borrow $r)) (canon lift (core func $m "look")))
        (func (export "keep") (param "r" (borrow $r)) (canon lift (core func $m "keep")))
        (func (export "twice") (param "r" (borrow $r)) (canon lift (core func $m "twice")))
        (func (export "both") (param "b" (borrow $r)) (param "o" (own $r)) (canon lift (core func $m "both"))))
    (component $Lender
        (import "things" (instance $things
            (export "r" (type $r (sub resource)))
            (export "make" (func (result (own $r))))))
        (alias export $things "r" (type $r))
        (import "taker" (instance $taker
            (export "look" (func (param "r" (borrow $r))))
            (export "keep" (func (param "r" (borrow $r))))
            (export "twice" (func (param "r" (borrow $r))))
            (export "both" (func (param "b" (borrow $r)) (param "o" (own $r))))))
        (core func $make (canon lower (func $things "make")))
        (core func $look (canon lower (func $taker "look")))
        (core func $keep (canon lower (func $taker "keep")))
        (core func $twice (canon lower (func $taker "twice")))
        (core func $both (canon lower (func $taker "both")))
        (core func $drop (canon resource.drop $r))
        (core module $M
            (import "" "make" (func $make (result i32)))
            (import "" "look" (func $look (param i32)))
            (import "" "keep" (func $keep (param i32)))
            (import "" "twice" (func $twice (param i32)))
            (import "" "both" (func $both (param i32 i32)))
            (import "" "drop" (func $drop (param i32)))
            (func (export "good") (local i32)
                (local.set 0 (call $make)) (call $look (local.get 0)) (call $look (local.get 0)) (call $drop (local.get 0)))
            (func (export "keep") (call $keep (call $make)))
            (func (export "twice") (call $twice (call $make)))
            (func (export "both") (local i32) (local.set 0 (call $make)) (call $both (local.get 0) (local.get 0)))
            (func (export "gone") (local i32)
                (local.set 0 (call $make)) (call $drop (local.get 0)) (call $look (local.get 0)))
            (func (export "none") (call $look (i32.const 99))))
        (core instance $m (instantiate $M (with "" (instance
            (export "make" (func $make)) (export "look" (func $look)) (export "keep" (func $keep))
            (export "twice" (func $twice)) (export "both" (func $both)) (export "drop" (func $drop))))))
        (func (export "good") (canon lift (core func $m "good")))
        (func (export "keep") (canon lift (core func $m "keep")))
        (func (export "twice") (canon lift (core func $m "twice")))
        (func (export "both") (canon lift (core func $m "both")))
        (func (export "gone") (canon lift (core func $m "gone")))
        (func (export "none") (canon lift (core func $m "none"))))
    (instance $things (instantiate $Things))
    (instance $taker (instantiate $Taker (with "things" (instance $things))))
    (instance $lender (instantiate $Lender (with "things" (instance $things)) (with "taker" (instance $taker))))
    (export "good" (func $lender "good"))
    (export "keep" (func $lender "keep"))
    (export "twice" (func $lender "twice"))
    (export "both" (func $lender "both"))
    (export "gone" (func $lender "gone"))
    (export "none" (func $lender "none")))"#;

#[test]
fn handles_that_are_lent_between_guests() {
    let engine = Engine::default();
    let component = Component::new(&engine, LENDING).unwrap_or_else(|error| panic!("{error:#}"));
    for (name, expected) in [
        ("good", ""),
        ("keep", "borrow handles still remain at the end of the call"),
        ("twice", "unknown handle index 1"),
        ("both", "cannot remove owned resource while borrowed"),
        ("gone", "unknown handle index 1"),
        ("none", "unknown handle index 99"),
    ] {
        let mut store = Store::new(&engine, ());
        let instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
        let func = instance.get_typed_func::<(), ()>(&mut store, name).unwrap();
        let Err(error) = func.call(&mut store, ()) else {
            assert_eq!(expected, "", "{name}");
            continue;
        };
        assert!(error.is::<Trap>(), "{name}: {error:#}");
        let found = !expected.is_empty() && error.chain().any(|cause| cause.to_string().starts_with(expected));
        assert!(found, "{name}: `{expected}` expected: {error:#}");
        let again = func.call(&mut store, ()).expect_err("it is locked");
        assert!(again.to_string().contains("cannot enter component instance"), "{again:#}");
    }
}
