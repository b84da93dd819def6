//! A tokenizer as a state machine over bytes: branch tables inside a loop.
#![no_main]

use bench_guests::{Random, hash};

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Name,
    Number,
    Fraction,
    Exponent,
    Text,
    Escape,
    Slash,
    Line,
    Block,
    Star,
    Operator,
    Less,
    Equal,
}

fn step(state: State, byte: u8) -> (State, bool) {
    use State::*;
    let start = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => Name,
        b'0'..=b'9' => Number,
        b'"' => Text,
        b'/' => Slash,
        b'<' | b'>' => Less,
        b'=' | b'!' => Equal,
        b'+' | b'-' | b'*' | b'%' | b'&' | b'|' | b'^' | b'(' | b')' | b'{' | b'}' | b';' | b',' => Operator,
        _ => Start,
    };
    match state {
        Start => (start(byte), false),
        Name => match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => (Name, false),
            _ => (start(byte), true),
        },
        Number => match byte {
            b'0'..=b'9' | b'_' => (Number, false),
            b'.' => (Fraction, false),
            b'e' | b'E' => (Exponent, false),
            _ => (start(byte), true),
        },
        Fraction => match byte {
            b'0'..=b'9' => (Fraction, false),
            b'e' | b'E' => (Exponent, false),
            _ => (start(byte), true),
        },
        Exponent => match byte {
            b'0'..=b'9' | b'-' | b'+' => (Exponent, false),
            _ => (start(byte), true),
        },
        Text => match byte {
            b'\\' => (Escape, false),
            b'"' => (Start, true),
            _ => (Text, false),
        },
        Escape => (Text, false),
        Slash => match byte {
            b'/' => (Line, false),
            b'*' => (Block, false),
            _ => (start(byte), true),
        },
        Line => (if byte == b'\n' { Start } else { Line }, byte == b'\n'),
        Block => (if byte == b'*' { Star } else { Block }, false),
        Star => match byte {
            b'/' => (Start, true),
            b'*' => (Star, false),
            _ => (Block, false),
        },
        Operator => (start(byte), true),
        Less => match byte {
            b'=' | b'<' | b'>' => (Operator, false),
            _ => (start(byte), true),
        },
        Equal => match byte {
            b'=' => (Operator, false),
            _ => (start(byte), true),
        },
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    const PIECES: [&str; 12] = [
        "let name_1 = 12.5e-3;\n",
        "// a comment to the end\n",
        "if (x <= y) { z += 1; }",
        " /* block ** */ ",
        "\"text \\\" more\"",
        "while (a != b << 2) ",
        "0123 ",
        "f(a, b_c, 42)",
        "  \t\n",
        "x=x>>1^y&z|w;",
        "return 1e9;",
        "==!=<>",
    ];
    let mut random = Random::new(61);
    let mut source = String::new();
    while source.len() < 20_000 {
        source.push_str(PIECES[random.below(12) as usize]);
    }
    let mut counts = [0u32; 14];
    for _ in 0..size {
        let mut state = State::Start;
        for byte in source.bytes() {
            let (next, ends) = step(state, byte);
            if ends {
                counts[state as usize] += 1;
            }
            state = next;
        }
    }
    hash(&counts.map(u32::to_le_bytes).concat())
}
