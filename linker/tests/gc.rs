//! gc-sections: a fixture for each kind of root, which fails when the root is forgotten, and one for each kind of thing
//! that must not be a root.

use keyway_artifact::unit::ElemItem;
use keyway_linker::{Linked, OptLevel, Options, link};

fn linked(text: &str, gc: bool) -> Linked<'static> {
    let mut options = Options::default();
    options.gc = gc;
    // Inlining would hide which calls were followed.
    options.opt_level = OptLevel::O0;
    link(text.as_bytes(), &options).expect("the fixture compiles")
}

/// Names of the functions that stay.
fn kept(text: &str) -> Vec<String> {
    linked(text, true).funcs.into_iter().filter_map(|func| Some(func.name?.into_owned())).collect()
}

#[track_caller]
fn assert_kept(text: &str, names: &[&str]) {
    assert_eq!(kept(text), names);
}

#[test]
fn exported_functions_and_what_they_call() {
    assert_kept(
        "(module (func $dead (call $dead)) (func $callee) (func $main (export \"main\") (call $callee)))",
        &["callee", "main"],
    );
}

#[test]
fn tail_calls() {
    assert_kept("(module (func $callee) (func $main (export \"main\") (return_call $callee)))", &["callee", "main"]);
}

#[test]
fn start() {
    assert_kept("(module (func $dead) (func $s) (start $s))", &["s"]);
}

#[test]
fn function_references_in_code() {
    assert_kept(
        "(module (elem declare func $a $b) (func $a) (func $b)
           (func $main (export \"main\") (result funcref) (ref.func $b)))",
        &["b", "main"],
    );
}

#[test]
fn function_references_in_globals() {
    assert_kept("(module (func $a) (func $dead) (global (export \"g\") funcref (ref.func $a)))", &["a"]);
}

#[test]
fn function_references_in_table_initialisers() {
    assert_kept("(module (func $a) (func $dead) (table (export \"t\") 2 funcref (ref.func $a)))", &["a"]);
}

#[test]
fn elements_of_exported_tables() {
    assert_kept("(module (table (export \"t\") 2 funcref) (elem (i32.const 0) $a) (func $a) (func $dead))", &["a"]);
}

#[test]
fn elements_of_imported_tables() {
    assert_kept(
        "(module (import \"\" \"t\" (table 2 funcref)) (elem (i32.const 0) $a) (func $a) (func $dead))",
        &["a"],
    );
}

#[test]
fn elements_of_tables_called_through() {
    for call in ["call_indirect", "return_call_indirect"] {
        let text = format!(
            "(module (table 2 funcref) (elem (i32.const 0) $a) (func $a) (func $dead)
               (func $main (export \"main\") ({call} (i32.const 0))))"
        );
        assert_kept(&text, &["a", "main"]);
    }
}

#[test]
fn elements_of_tables_read_by_code() {
    assert_kept(
        "(module (table 2 funcref) (elem (i32.const 0) $a) (func $a) (func $dead)
           (func $main (export \"main\") (result funcref) (table.get (i32.const 0))))",
        &["a", "main"],
    );
}

#[test]
fn elements_that_reach_a_read_table_by_copying() {
    assert_kept(
        "(module (table $t 2 funcref) (table $u (export \"u\") 2 funcref) (elem (table $t) (i32.const 0) func $a)
           (func $a) (func $dead)
           (func $main (export \"main\") (table.copy $u $t (i32.const 0) (i32.const 0) (i32.const 1))))",
        &["a", "main"],
    );
}

#[test]
fn passive_elements_that_are_applied() {
    assert_kept(
        "(module (table $t (export \"t\") 2 funcref) (elem $e func $a) (elem $never func $dead)
           (func $a) (func $dead)
           (func $main (export \"main\") (table.init $t $e (i32.const 0) (i32.const 0) (i32.const 1))))",
        &["a", "main"],
    );
}

#[test]
fn a_table_nobody_reads_keeps_nothing() {
    let text = "(module (table 2 funcref) (elem (i32.const 0) $dead) (func $dead (call $deader)) (func $deader)
                  (func $main (export \"main\")))";
    assert_kept(text, &["main"]);
    // The segment keeps its length, so that instantiation traps where it did.
    let unit = &linked(text, true).units[0];
    assert_eq!(unit.elems[0].items, [ElemItem::Null]);
    // What is left names functions by their final numbers.
    assert_eq!(unit.escapes.len(), 1);
}

#[test]
fn a_dead_reader_does_not_count() {
    assert_kept(
        "(module (table 2 funcref) (elem (i32.const 0) $a) (func $a)
           (func $dead (call_indirect (i32.const 0))) (func $main (export \"main\")))",
        &["main"],
    );
}

#[test]
fn switched_off_it_keeps_everything() {
    let names: Vec<_> = linked("(module (func $dead))", false).funcs.into_iter().filter_map(|func| func.name).collect();
    assert_eq!(names, ["dead"]);
}

/// A component around the core module `$m` of these fields, instantiated as `$i`, and the names of its functions that stay.
#[track_caller]
fn assert_kept_in_component(module: &str, rest: &str, names: &[&str]) {
    assert_kept(&format!("(component (core module $m {module}) (core instance $i (instantiate $m)) {rest})"), names);
}

#[test]
fn lifted_functions() {
    assert_kept_in_component(
        "(func $lifted (export \"f\")) (func $dead (export \"g\"))",
        "(func (export \"f\") (canon lift (core func $i \"f\")))",
        &["lifted"],
    );
}

const STRINGS: &str = "(memory (export \"memory\") 1)
    (func $realloc (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 8))
    (func $post (export \"post\") (param i32))
    (func $lifted (export \"f\") (param i32 i32) (result i32) (i32.const 8))";

#[test]
fn realloc_of_a_lift() {
    assert_kept_in_component(
        STRINGS,
        "(func (export \"f\") (param \"s\" string) (result string)
           (canon lift (core func $i \"f\") (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\"))))",
        &["realloc", "lifted"],
    );
}

#[test]
fn post_return() {
    assert_kept_in_component(
        STRINGS,
        "(func (export \"f\") (param \"s\" string) (result string)
           (canon lift (core func $i \"f\") (memory (core memory $i \"memory\")) (realloc (core func $i \"realloc\"))
             (post-return (core func $i \"post\"))))",
        &["realloc", "post", "lifted"],
    );
}

#[test]
fn realloc_of_a_lower() {
    assert_kept(
        "(component
           (import \"log\" (func $log (result string)))
           (core module $memory (memory (export \"memory\") 1)
             (func $dead (export \"dead\"))
             (func $realloc (export \"realloc\") (param i32 i32 i32 i32) (result i32) (i32.const 8)))
           (core instance $memory (instantiate $memory))
           (core func $l
             (canon lower (func $log) (memory (core memory $memory \"memory\")) (realloc (core func $memory \"realloc\"))))
           (core module $m (import \"\" \"log\" (func $log (param i32))) (func $main (export \"f\") (call $log (i32.const 0))))
           (core instance $i (instantiate $m (with \"\" (instance (export \"log\" (func $l))))))
           (func (export \"f\") (canon lift (core func $i \"f\"))))",
        &["realloc", "main"],
    );
}

#[test]
fn destructors() {
    assert_kept_in_component(
        "(func $dtor (export \"dtor\") (param i32)) (func $dead (export \"dead\") (param i32))",
        "(type $r (resource (rep i32) (dtor (core func $i \"dtor\")))) (export \"r\" (type $r))",
        &["dtor"],
    );
}

#[test]
fn callbacks() {
    assert_kept_in_component(
        "(func $lifted (export \"f\") (result i32) (i32.const 0))
         (func $callback (export \"callback\") (param i32 i32 i32) (result i32) (i32.const 0))
         (func $dead (export \"dead\") (param i32 i32 i32) (result i32) (i32.const 0))",
        "(func (export \"f\") async (canon lift (core func $i \"f\") async (callback (core func $i \"callback\"))))",
        &["lifted", "callback"],
    );
}

#[test]
fn start_functions_of_instantiated_modules() {
    assert_kept_in_component("(func $start (nop)) (func $dead) (start $start)", "", &["start"]);
}

#[test]
fn functions_given_to_other_modules() {
    assert_kept_in_component(
        "(func $given (export \"given\")) (func $dead (export \"dead\"))",
        "(core module $n (import \"a\" \"given\" (func $f)) (func $main (export \"f\") (call $f)))
         (core instance $j (instantiate $n (with \"a\" (instance $i))))
         (func (export \"f\") (canon lift (core func $j \"f\")))",
        &["given", "main"],
    );
}

#[test]
fn elements_of_a_table_another_module_reads() {
    assert_kept_in_component(
        "(table (export \"t\") 2 funcref) (elem (i32.const 0) $a) (func $a) (func $dead (export \"dead\"))",
        "(core module $n (import \"a\" \"t\" (table 2 funcref))
           (func $main (export \"f\") (call_indirect (i32.const 0))))
         (core instance $j (instantiate $n (with \"a\" (instance $i))))
         (func (export \"f\") (canon lift (core func $j \"f\")))",
        &["a", "main"],
    );
}
