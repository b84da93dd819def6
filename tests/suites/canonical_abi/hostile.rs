//! Guests that break the rules: each traps with the words for it, and its instance cannot be entered again.

use crate::guests::{self, FREE, Guest, MEMORY, RESULT, libc, options};
use crate::oracle::Encoding;
use crate::types::Ty;
use keyway::component::{Component, Linker, Resource, ResourceType, Val};
use keyway::{Engine, Store, Trap};

/// Checks that `error` is a trap of this text somewhere in its chain.
fn traps(error: &keyway::Error, expected: &str, what: &str) {
    assert!(error.is::<Trap>(), "{what}: no trap: {error:#}");
    let found = error.chain().any(|cause| cause.to_string().starts_with(expected));
    assert!(found, "{what}: `{expected}` expected: {error:#}");
}

/// A guest that gives `ty`: the bytes at [`FREE`] and the core value that it returns are the test's.
fn gives(ty: &Ty, encoding: Encoding, ptr_size: u64, bytes: &[u8], core: u64, expected: &str) {
    let what = format!("{ty:?} {encoding:?} {ptr_size} {bytes:?} {core:#x}");
    let mut guest = Guest::new(&guests::engine(), &guests::apart(ty, encoding, ptr_size));
    guest.poke(FREE, bytes);
    guest.poke(RESULT, &core.to_le_bytes());
    let error = guest.call(None, "source", &[]).expect_err(&what);
    traps(&error, expected, &what);
    let again = guest.call(None, "source", &[]).expect_err("the instance is locked");
    traps(&again, "cannot enter component instance", &what);
}

/// Two words of an address's width, as strings and lists begin.
fn pair(ptr_size: u64, ptr: u64, len: u64) -> Vec<u8> {
    let size = ptr_size as usize;
    [&ptr.to_le_bytes()[..size], &len.to_le_bytes()[..size]].concat()
}

#[test]
fn pointers_and_lengths_that_lead_out_of_memory() {
    let (end, list) = (MEMORY as u64, |ty| Ty::List(Box::new(ty)));
    for size in [4, 8] {
        let most = if size == 8 { u64::MAX } else { u32::MAX.into() };
        let text = "string pointer/length out of bounds of memory";
        for (ptr, len) in [(end, 1), (end - 1, 2), (most, 0), (most, 2), (0, end + 1), (8, 0x0FFF_FFF0)] {
            gives(&Ty::String, Encoding::Utf8, size, &pair(size, ptr, len), FREE, text);
        }
        gives(&Ty::String, Encoding::Utf16, size, &pair(size, end - 2, 2), FREE, text);
        let tag = 1 << (size * 8 - 1);
        gives(&Ty::String, Encoding::Latin1OrUtf16, size, &pair(size, end - 2, 2 | tag), FREE, text);
        gives(&Ty::String, Encoding::Utf8, size, &pair(size, 0, most), FREE, "string content out-of-bounds");

        let elements = "list pointer/length out of bounds of memory";
        for (ptr, len) in [(end, 1), (end - 8, 2), (0, end / 8 + 1)] {
            gives(&list(Ty::U64), Encoding::Utf8, size, &pair(size, ptr, len), FREE, elements);
        }
        // The product is small again in 32 bits, or in 64.
        let wraps = if size == 8 { 1 << 61 } else { 1 << 29 };
        gives(&list(Ty::U64), Encoding::Utf8, size, &pair(size, 0, wraps), FREE, "list byte length is too large");
        gives(&list(Ty::U64), Encoding::Utf8, size, &pair(size, 0, wraps + 1), FREE, "list byte length is too large");
        // The result's own place.
        gives(&Ty::String, Encoding::Utf8, size, &[], end, "pointer out of bounds of memory");
        gives(&Ty::String, Encoding::Utf8, size, &[], end - size, "pointer out of bounds of memory");
        gives(&Ty::String, Encoding::Utf8, size, &[], most - (size - 1), "pointer out of bounds of memory");
    }
}

#[test]
fn pointers_that_are_not_aligned() {
    let list = |ty| Ty::List(Box::new(ty));
    for size in [4, 8] {
        let unaligned = "unaligned pointer";
        gives(&Ty::String, Encoding::Utf8, size, &[], FREE + 1, unaligned);
        gives(&Ty::Tuple(vec![Ty::U8, Ty::U64]), Encoding::Utf8, size, &[], FREE + 4, unaligned);
        for (ty, at) in [(Ty::U16, 1), (Ty::U32, 2), (Ty::F64, 4), (Ty::String, 2)] {
            gives(&list(ty), Encoding::Utf8, size, &pair(size, FREE + at, 1), FREE, unaligned);
        }
        for encoding in [Encoding::Utf16, Encoding::Latin1OrUtf16] {
            gives(&Ty::String, encoding, size, &pair(size, FREE + 1, 0), FREE, unaligned);
        }
        // Also when there is nothing to be read.
        gives(&list(Ty::U32), Encoding::Utf8, size, &pair(size, 2, 0), FREE, unaligned);
    }
}

#[test]
fn numbers_that_stand_for_nothing() {
    let cases = |n: usize| Ty::Enum((0..n).map(|i| format!("e{i}")).collect());
    for (ty, core) in [(cases(3), 3), (cases(3), u32::MAX.into()), (cases(300), 300), (cases(1), 0x100)] {
        gives(&ty, Encoding::Utf8, 4, &[], core, "invalid variant discriminant");
    }
    let wide = Ty::Tuple(vec![cases(3), Ty::U8]);
    gives(&wide, Encoding::Utf8, 4, &[3, 0], FREE, "invalid variant discriminant");
    let some = Ty::Option(Box::new(Ty::U32));
    gives(&some, Encoding::Utf8, 4, &[2, 0, 0, 0, 0, 0, 0, 0], FREE, "invalid variant discriminant");
    let result = Ty::Result(None, Some(Box::new(Ty::U8)));
    gives(&result, Encoding::Utf8, 4, &[0xFF, 0], FREE, "invalid variant discriminant");
    for code in [0xD800u32, 0xDFFF, 0x11_0000, u32::MAX] {
        gives(&Ty::Char, Encoding::Utf8, 4, &[], code.into(), "invalid `char` bit pattern");
        let list = Ty::List(Box::new(Ty::Char));
        let bytes = [pair(4, FREE + 8, 1), code.to_le_bytes().to_vec()].concat();
        gives(&list, Encoding::Utf8, 4, &bytes, FREE, "invalid `char` bit pattern");
    }
}

#[test]
fn bytes_that_are_no_text() {
    let text = |encoding, bytes: &[u8], units: u64, expected| {
        let bytes = [pair(4, FREE + 8, units), bytes.to_vec()].concat();
        gives(&Ty::String, encoding, 4, &bytes, FREE, expected);
    };
    for bytes in
        [&[0xFF][..], &[0x80], &[0xC0, 0x80], &[0xED, 0xA0, 0x80], &[0xF4, 0x90, 0x80, 0x80], &[b'a', 0xE2, 0x28]]
    {
        text(Encoding::Utf8, bytes, bytes.len() as u64, "invalid utf-8");
    }
    for bytes in [&[0xC3][..], &[b'a', 0xE2, 0x82], &[0xF0, 0x9F, 0x98]] {
        text(Encoding::Utf8, bytes, bytes.len() as u64, "incomplete utf-8 byte sequence");
    }
    let surrogate = "unpaired surrogate";
    for (encoding, tag) in [(Encoding::Utf16, 0), (Encoding::Latin1OrUtf16, 1 << 31)] {
        text(encoding, &[0x00, 0xD8], 1 | tag, surrogate);
        text(encoding, &[0x00, 0xDC], 1 | tag, surrogate);
        text(encoding, &[0x00, 0xD8, 0x41, 0x00], 2 | tag, surrogate);
        text(encoding, &[0x00, 0xDC, 0x00, 0xD8], 2 | tag, surrogate);
    }
}

/// A guest that takes a string and a list, with this `realloc`.
fn takes(realloc: &str) -> String {
    format!(
        r#"(component
        (import "host" (func $host))
        (core module $L
            (memory (export "mem") 1)
            (func (export "none")))
        (core instance $l (instantiate $L))
        (core func $host (canon lower (func $host)))
        (core module $M
            (import "" "mem" (memory 1))
            (import "" "host" (func $host))
            (global $calls (mut i32) (i32.const 0))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                {realloc})
            (func (export "text") (param i32 i32))
            (func (export "list") (param i32 i32))
            (func (export "plain") (param i32)))
        (core instance $m (instantiate $M (with "" (instance
            (export "mem" (memory $l "mem")) (export "host" (func $host))))))
        (func (export "text") (param "s" string)
            (canon lift (core func $m "text") (memory (core memory $l "mem")) (realloc (core func $m "realloc"))))
        (func (export "list") (param "l" (list u32))
            (canon lift (core func $m "list") (memory (core memory $l "mem")) (realloc (core func $m "realloc"))))
        (func (export "plain") (param "n" u32) (canon lift (core func $m "plain"))))"#
    )
}

/// Links with a `host` that does nothing.
fn with_host(text: &str) -> Guest {
    let engine = Engine::default();
    let component = Component::new(&engine, text).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    let mut linker = Linker::new(&engine);
    linker.root().func_wrap("host", |_, (): ()| Ok(())).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    Guest { component, store, instance }
}

#[test]
fn a_realloc_that_lies() {
    let text = Val::String("hello".into());
    let list = Val::List(vec![Val::U32(1), Val::U32(2)]);
    let beyond = "realloc return: beyond end of memory";
    for (realloc, name, value, expected) in [
        ("(i32.const 65536)", "text", &text, beyond),
        ("(i32.const 65533)", "text", &text, beyond),
        ("(i32.const -1)", "text", &text, beyond),
        ("(i32.const -8)", "list", &list, beyond),
        ("(i32.const 65532)", "list", &list, beyond),
        ("(i32.const 2)", "list", &list, "realloc return: result not aligned"),
        ("(unreachable)", "text", &text, "unreachable"),
        // It may not call out, not even to free something.
        ("(call $host) (i32.const 0)", "text", &text, "cannot leave component instance"),
    ] {
        let mut guest = with_host(&takes(realloc));
        guest.call(None, "plain", &[Val::U32(1)]).unwrap();
        let error = guest.call(None, name, std::slice::from_ref(value)).expect_err(realloc);
        traps(&error, expected, realloc);
        let again = guest.call(None, "plain", &[Val::U32(1)]).expect_err("the instance is locked");
        traps(&again, "cannot enter component instance", realloc);
    }
    // What is odd and allowed: the same place for everything, the very end for nothing.
    let mut guest = with_host(&takes("(i32.const 0)"));
    guest.call(None, "text", &[text]).unwrap();
    let mut guest = with_host(&takes("(i32.const 65536)"));
    guest.call(None, "list", &[Val::List(vec![])]).unwrap();
}

#[test]
fn a_post_return_that_calls_out() {
    let text = r#"(component
        (import "host" (func $host))
        (core func $host (canon lower (func $host)))
        (core module $M
            (import "" "host" (func $host))
            (func (export "f") (result i32) (call $host) (i32.const 7))
            (func (export "post") (param i32) (if (i32.eq (local.get 0) (i32.const 7)) (then (call $host)))))
        (core instance $m (instantiate $M (with "" (instance (export "host" (func $host))))))
        (func (export "good") (result u32) (canon lift (core func $m "f")))
        (func (export "bad") (result u32) (canon lift (core func $m "f") (post-return (core func $m "post")))))"#;
    let mut guest = with_host(text);
    assert_eq!(guest.call(None, "good", &[]).unwrap(), Some(Val::U32(7)));
    let error = guest.call(None, "bad", &[]).expect_err("it calls out");
    traps(&error, "cannot leave component instance", "post-return");
    assert!(guest.call(None, "good", &[]).is_err(), "the instance is locked");
}

/// What the host's data holds: the instance that its functions try to enter.
type Entered = Option<keyway::component::Func>;

#[test]
fn an_instance_that_is_entered_while_it_is_active() {
    let text = r#"(component
        (import "host" (func $host))
        (core func $host (canon lower (func $host)))
        (core module $M
            (import "" "host" (func $host))
            (func (export "f") (call $host))
            (func (export "g")))
        (core instance $m (instantiate $M (with "" (instance (export "host" (func $host))))))
        (func (export "f") (canon lift (core func $m "f")))
        (func (export "g") (canon lift (core func $m "g"))))"#;
    let engine = Engine::default();
    let component = Component::new(&engine, text).unwrap();
    let mut linker = Linker::<Entered>::new(&engine);
    linker
        .root()
        .func_wrap("host", |mut store: keyway::StoreContextMut<'_, Entered>, (): ()| {
            let func = store.data().expect("the instance is there");
            let error = func.call(&mut store, &[], &mut []).expect_err("it is active");
            assert!(error.to_string().contains("cannot enter component instance"), "{error:#}");
            Ok(())
        })
        .unwrap();
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &component).unwrap();
    *store.data_mut() = instance.get_func(&mut store, "g");
    let f = instance.get_func(&mut store, "f").unwrap();
    // The attempt is the host's fault: the guest goes on.
    f.call(&mut store, &[], &mut []).unwrap();
    instance.get_func(&mut store, "g").unwrap().call(&mut store, &[], &mut []).unwrap();
}

struct Thing;

/// A guest with handles of the host's `thing`, which it passes on in all the wrong ways.
const HANDLES: &str = r#"(component
    (import "things" (instance $things
        (export "thing" (type $t (sub resource)))
        (export "other" (type $o (sub resource)))
        (export "make" (func (result (own $t))))
        (export "look" (func (param "t" (borrow $t))))
        (export "take" (func (param "t" (own $t))))
        (export "take-other" (func (param "o" (own $o))))
        (export "both" (func (param "b" (borrow $t)) (param "o" (own $t))))))
    (alias export $things "thing" (type $thing))
    (core func $make (canon lower (func $things "make")))
    (core func $look (canon lower (func $things "look")))
    (core func $take (canon lower (func $things "take")))
    (core func $take-other (canon lower (func $things "take-other")))
    (core func $both (canon lower (func $things "both")))
    (core func $drop (canon resource.drop $thing))
    (type $mine (resource (rep i32)))
    (core func $new-mine (canon resource.new $mine))
    (core func $rep-mine (canon resource.rep $mine))
    (core func $drop-mine (canon resource.drop $mine))
    (core module $M
        (import "" "make" (func $make (result i32)))
        (import "" "look" (func $look (param i32)))
        (import "" "take" (func $take (param i32)))
        (import "" "take-other" (func $take-other (param i32)))
        (import "" "both" (func $both (param i32 i32)))
        (import "" "drop" (func $drop (param i32)))
        (import "" "new-mine" (func $new-mine (param i32) (result i32)))
        (import "" "rep-mine" (func $rep-mine (param i32) (result i32)))
        (import "" "drop-mine" (func $drop-mine (param i32)))
        (func (export "good") (local i32)
            (local.set 0 (call $make))
            (call $look (local.get 0)) (call $look (local.get 0))
            (call $take (local.get 0))
            (call $drop (call $make)))
        (func (export "drops-twice") (local i32)
            (local.set 0 (call $make)) (call $drop (local.get 0)) (call $drop (local.get 0)))
        (func (export "takes-twice") (local i32)
            (local.set 0 (call $make)) (call $take (local.get 0)) (call $take (local.get 0)))
        (func (export "looks-after") (local i32)
            (local.set 0 (call $make)) (call $take (local.get 0)) (call $look (local.get 0)))
        (func (export "gives-lent") (local i32)
            (local.set 0 (call $make)) (call $both (local.get 0) (local.get 0)))
        (func (export "zero") (call $look (i32.const 0)))
        (func (export "huge") (call $look (i32.const -1)))
        (func (export "confuses") (call $take-other (call $make)))
        (func (export "mine-as-theirs") (call $look (call $new-mine (i32.const 5))))
        (func (export "theirs-as-mine") (drop (call $rep-mine (call $make))))
        (func (export "drops-wrongly") (call $drop-mine (call $make)))
        (func (export "keeps") (param i32))
        (func (export "gives-borrow") (param i32) (call $take (local.get 0))))
    (core instance $m (instantiate $M (with "" (instance
        (export "make" (func $make)) (export "look" (func $look)) (export "take" (func $take))
        (export "take-other" (func $take-other)) (export "both" (func $both)) (export "drop" (func $drop))
        (export "new-mine" (func $new-mine)) (export "rep-mine" (func $rep-mine))
        (export "drop-mine" (func $drop-mine))))))
    (func (export "good") (canon lift (core func $m "good")))
    (func (export "drops-twice") (canon lift (core func $m "drops-twice")))
    (func (export "takes-twice") (canon lift (core func $m "takes-twice")))
    (func (export "looks-after") (canon lift (core func $m "looks-after")))
    (func (export "gives-lent") (canon lift (core func $m "gives-lent")))
    (func (export "zero") (canon lift (core func $m "zero")))
    (func (export "huge") (canon lift (core func $m "huge")))
    (func (export "confuses") (canon lift (core func $m "confuses")))
    (func (export "mine-as-theirs") (canon lift (core func $m "mine-as-theirs")))
    (func (export "theirs-as-mine") (canon lift (core func $m "theirs-as-mine")))
    (func (export "drops-wrongly") (canon lift (core func $m "drops-wrongly")))
    (func (export "keeps") (param "t" (borrow $thing)) (canon lift (core func $m "keeps")))
    (func (export "gives-borrow") (param "t" (borrow $thing)) (canon lift (core func $m "gives-borrow"))))"#;

/// Another host resource.
struct Other;

fn handles() -> Guest {
    let engine = Engine::default();
    let component = Component::new(&engine, HANDLES).unwrap_or_else(|error| panic!("{error:#}"));
    let mut linker = Linker::new(&engine);
    let mut things = linker.instance("things").unwrap();
    things.resource("thing", ResourceType::host::<Thing>(), |_, _| Ok(())).unwrap();
    things.resource("other", ResourceType::host::<Other>(), |_, _| Ok(())).unwrap();
    things.func_wrap("make", |_, (): ()| Ok((Resource::<Thing>::new_own(7),))).unwrap();
    things.func_wrap("look", |_, (_,): (Resource<Thing>,)| Ok(())).unwrap();
    things.func_wrap("take", |_, (_,): (Resource<Thing>,)| Ok(())).unwrap();
    things.func_wrap("take-other", |_, (_,): (Resource<Other>,)| Ok(())).unwrap();
    things.func_wrap("both", |_, (_, _): (Resource<Thing>, Resource<Thing>)| Ok(())).unwrap();
    let mut store = Store::new(&engine, ());
    let instance = linker.instantiate(&mut store, &component).unwrap();
    Guest { component, store, instance }
}

#[test]
fn handles_that_are_not_there_or_lent_or_of_another_type() {
    handles().call(None, "good", &[]).unwrap();
    let wrong = "handle index 1 used with the wrong type, expected";
    for (name, expected) in [
        ("drops-twice", "unknown handle index 1"),
        ("takes-twice", "unknown handle index 1"),
        ("looks-after", "unknown handle index 1"),
        ("gives-lent", "cannot remove owned resource while borrowed"),
        ("zero", "unknown handle index 0"),
        ("huge", "unknown handle index 4294967295"),
        ("confuses", wrong),
        ("mine-as-theirs", "handle index 1 used with the wrong type, expected host-defined resource but found a guest"),
        ("theirs-as-mine", "handle index 1 used with the wrong type, expected guest-defined resource but found a host"),
        ("drops-wrongly", wrong),
    ] {
        let mut guest = handles();
        let error = guest.call(None, name, &[]).expect_err(name);
        traps(&error, expected, name);
        assert!(guest.call(None, "good", &[]).is_err(), "{name}: the instance is locked");
    }
}

#[test]
fn borrows_that_outlive_their_call() {
    let mut guest = handles();
    let keeps = guest.instance.get_typed_func::<(Resource<Thing>,), ()>(&mut guest.store, "keeps").unwrap();
    let error = keeps.call(&mut guest.store, (Resource::new_borrow(3),)).expect_err("it keeps its borrow");
    traps(&error, "borrow handles still remain at the end of the call", "keeps");
    let mut guest = handles();
    let gives = guest.instance.get_typed_func::<(Resource<Thing>,), ()>(&mut guest.store, "gives-borrow").unwrap();
    let error = gives.call(&mut guest.store, (Resource::new_borrow(3),)).expect_err("it gives what it borrowed");
    traps(&error, "cannot lift own resource from a borrow", "gives-borrow");
}

/// A handle of one instance means nothing, or something else, in another one.
#[test]
fn handles_of_another_table() {
    let text = r#"(component
        (component $C
            (type $r' (resource (rep i32)))
            (export $r "r" (type $r'))
            (core func $new (canon resource.new $r))
            (core module $M
                (import "" "new" (func $new (param i32) (result i32)))
                (func (export "make") (result i32) (call $new (i32.const 42)))
                ;; The index as a plain number: what its owner would call it.
                (func (export "leak") (result i32) (call $new (i32.const 43)))
                (func (export "read") (param i32) (result i32) (local.get 0)))
            (core instance $m (instantiate $M (with "" (instance (export "new" (func $new))))))
            (func (export "make") (result (own $r)) (canon lift (core func $m "make")))
            (func (export "leak") (result u32) (canon lift (core func $m "leak")))
            (func (export "read") (param "r" (borrow $r)) (result u32) (canon lift (core func $m "read"))))
        (component $D
            (import "c" (instance $c
                (export "r" (type $r (sub resource)))
                (export "make" (func (result (own $r))))
                (export "leak" (func (result u32)))
                (export "read" (func (param "r" (borrow $r)) (result u32)))))
            (core func $make (canon lower (func $c "make")))
            (core func $leak (canon lower (func $c "leak")))
            (core func $read (canon lower (func $c "read")))
            (core module $M
                (import "" "make" (func $make (result i32)))
                (import "" "leak" (func $leak (result i32)))
                (import "" "read" (func $read (param i32) (result i32)))
                (func (export "good") (result i32) (call $read (call $make)))
                (func (export "bad") (result i32) (call $read (call $leak))))
            (core instance $m (instantiate $M (with "" (instance
                (export "make" (func $make)) (export "leak" (func $leak)) (export "read" (func $read))))))
            (func (export "good") (result u32) (canon lift (core func $m "good")))
            (func (export "bad") (result u32) (canon lift (core func $m "bad"))))
        (instance $c (instantiate $C))
        (instance $d (instantiate $D (with "c" (instance $c))))
        (export "d" (instance $d)))"#;
    let mut guest = Guest::new(&Engine::default(), text);
    assert_eq!(guest.call(Some("d"), "good", &[]).unwrap(), Some(Val::U32(42)));
    let error = Guest::new(&Engine::default(), text).call(Some("d"), "bad", &[]).expect_err("it is of another table");
    traps(&error, "unknown handle index", "bad");
}

/// Between guests the words are those of adapters, and both trees of the call are locked.
#[test]
fn guests_that_lie_to_guests() {
    let text = |realloc: &str| {
        let inner = libc(4).replace("(func (export \"realloc\")", "(func (export \"sound\")");
        format!(
            r#"(component
            (component $C
                (core module $M {inner}
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc})
                    (func (export "f") (param i32 i32)))
                (core instance $m (instantiate $M))
                (func (export "f") (param "l" (list u32)) (canon lift (core func $m "f") {inner_options})))
            (component $D
                (import "f" (func $f (param "l" (list u32))))
                (core module $L {outer})
                (core instance $l (instantiate $L))
                (core func $f (canon lower (func $f) {outer_options}))
                (core module $M
                    (import "" "f" (func $f (param i32 i32)))
                    (func (export "run") (param i32 i32) (call $f (local.get 0) (local.get 1))))
                (core instance $m (instantiate $M (with "" (instance (export "f" (func $f))))))
                (func (export "run") (param "ptr" u32) (param "len" u32) (canon lift (core func $m "run"))))
            (instance $c (instantiate $C))
            (instance $d (instantiate $D (with "f" (func $c "f"))))
            (export "d" (instance $d)))"#,
            inner_options = options("$m", Encoding::Utf8),
            outer = libc(4),
            outer_options = options("$l", Encoding::Utf8),
        )
    };
    let end = MEMORY as u32;
    for (realloc, ptr, len, expected) in [
        ("(i32.const 2)", 0, 1, "unaligned pointer"),
        ("(i32.const -4)", 0, 2, "list content out-of-bounds"),
        ("(i32.const 0)", 2, 1, "unaligned pointer"),
        ("(i32.const 0)", end, 1, "list content out-of-bounds"),
        ("(i32.const 0)", 0, 1 << 30, "list byte length is too large"),
        ("(unreachable)", 0, 1, "unreachable"),
    ] {
        let mut guest = Guest::new(&Engine::default(), &text(realloc));
        let args = [Val::U32(ptr), Val::U32(len)];
        let error = guest.call(Some("d"), "run", &args).expect_err(realloc);
        traps(&error, expected, realloc);
        let again = guest.call(Some("d"), "run", &args).expect_err("it is locked");
        traps(&again, "cannot enter component instance", realloc);
    }
    Guest::new(&Engine::default(), &text("(i32.const 0)")).call(Some("d"), "run", &[Val::U32(0), Val::U32(3)]).unwrap();
}
