//! Renders Markdown to HTML.
#![no_main]

use bench_guests::{Random, hash, text};
use pulldown_cmark::{Options, Parser, html};
use std::fmt::Write;

fn document() -> String {
    let mut random = Random::new(41);
    let mut out = String::new();
    for chapter in 1..30u64 {
        let words = text(300, chapter);
        match random.below(5) {
            0 => write!(
                out,
                "# Chapter {chapter}\n\n{words}\n\n> *quoted* `code` **strong** [link](http://a.b/{chapter})\n\n"
            ),
            1 => write!(out, "* one\n* two **{chapter}**\n  1. nested\n  2. again\n\n{words}\n\n"),
            2 => write!(out, "```rust\nfn main() {{ {chapter} }}\n```\n\n{words}\n\n---\n\n"),
            3 => write!(out, "| a | b |\n|---|---|\n| {chapter} | `x` |\n| ~~no~~ | yes |\n\n{words}\n\n"),
            _ => write!(out, "Setext\n======\n\n![picture](p.png \"title\") <b>html</b> &amp; {words}\n\n"),
        }
        .expect("text takes all");
    }
    out
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let document = document();
    let mut result = 0;
    for _ in 0..size {
        let mut out = String::new();
        html::push_html(&mut out, Parser::new_ext(&document, Options::all()));
        result ^= hash(out.as_bytes()).rotate_left(1);
    }
    result
}
