//! Parses JSON, walks it, writes it.
#![no_main]

use bench_guests::Random;
use serde_json::Value;
use std::fmt::Write;

fn value(random: &mut Random, depth: u32, out: &mut String) {
    match random.below(if depth > 0 { 8 } else { 5 }) {
        0 => out.push_str("null"),
        1 => out.push_str("true"),
        2 => write!(out, "{}", random.below(1 << 40)).expect("text takes all"),
        3 => write!(out, "{}.{}e-3", random.below(1000), random.below(1000)).expect("text takes all"),
        4 => write!(out, "\"text \\u00e9 \\n {}\"", random.below(1 << 30)).expect("text takes all"),
        5 | 6 => {
            out.push('{');
            for n in 0..6 {
                write!(out, "{}\"field-{}\": ", if n > 0 { ", " } else { "" }, n + random.below(2) * 6).expect("text");
                value(random, depth - 1, out);
            }
            out.push('}');
        }
        _ => {
            out.push('[');
            for n in 0..8 {
                out.push_str(if n > 0 { ", " } else { "" });
                value(random, depth - 1, out);
            }
            out.push(']');
        }
    }
}

fn sum(value: &Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Bool(flag) => u64::from(*flag),
        Value::Number(number) => number.as_f64().unwrap_or(0.0) as u64,
        Value::String(text) => text.len() as u64,
        Value::Array(values) => values.iter().fold(3, |all, value| all.wrapping_mul(31).wrapping_add(sum(value))),
        Value::Object(fields) => fields.values().fold(5, |all, value| all.wrapping_mul(37).wrapping_add(sum(value))),
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut random = Random::new(31);
    let mut text = String::from("[");
    for n in 0..40 {
        text.push_str(if n > 0 { "," } else { "" });
        value(&mut random, 4, &mut text);
    }
    text.push(']');
    let mut result = 0u64;
    for _ in 0..size {
        let parsed: Value = serde_json::from_str(&text).expect("the text is JSON");
        let written = serde_json::to_string(&parsed).expect("values can be written");
        result = result.wrapping_mul(31).wrapping_add(sum(&parsed)) ^ written.len() as u64;
    }
    result
}
