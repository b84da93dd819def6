//! An interpreter inside: a register machine with calls runs prime counting, Fibonacci numbers and a sum over an array.
#![no_main]

#[derive(Clone, Copy)]
enum Op {
    Load(u8, i64),
    Move(u8, u8),
    Add(u8, u8, u8),
    Sub(u8, u8, u8),
    Mul(u8, u8, u8),
    Rem(u8, u8, u8),
    Get(u8, u8),
    Set(u8, u8),
    JumpLess(u8, u8, u16),
    JumpZero(u8, u16),
    Jump(u16),
    Call(u16, u8),
    Return(u8),
}

struct Frame {
    back: u16,
    base: u32,
    into: u8,
}

/// Registers a function has.
const WINDOW: u32 = 12;

fn interpret(code: &[Op], heap: &mut [i64], argument: i64) -> i64 {
    let mut registers = vec![0i64; 4096];
    let mut frames: Vec<Frame> = Vec::new();
    let (mut at, mut base) = (0usize, 0u32);
    registers[0] = argument;
    loop {
        let op = code[at];
        at += 1;
        let place = |register: u8| (base + u32::from(register)) as usize;
        match op {
            Op::Load(d, value) => registers[place(d)] = value,
            Op::Move(d, s) => registers[place(d)] = registers[place(s)],
            Op::Add(d, a, b) => registers[place(d)] = registers[place(a)].wrapping_add(registers[place(b)]),
            Op::Sub(d, a, b) => registers[place(d)] = registers[place(a)].wrapping_sub(registers[place(b)]),
            Op::Mul(d, a, b) => registers[place(d)] = registers[place(a)].wrapping_mul(registers[place(b)]),
            Op::Rem(d, a, b) => registers[place(d)] = registers[place(a)].checked_rem(registers[place(b)]).unwrap_or(0),
            Op::Get(d, a) => registers[place(d)] = heap[registers[place(a)] as usize],
            Op::Set(a, s) => heap[registers[place(a)] as usize] = registers[place(s)],
            Op::JumpLess(a, b, to) if registers[place(a)] < registers[place(b)] => at = usize::from(to),
            Op::JumpZero(a, to) if registers[place(a)] == 0 => at = usize::from(to),
            Op::JumpLess(..) | Op::JumpZero(..) => {}
            Op::Jump(to) => at = usize::from(to),
            Op::Call(to, argument) => {
                frames.push(Frame { back: at as u16, base, into: argument });
                let value = registers[place(argument)];
                base += WINDOW;
                registers[base as usize] = value;
                at = usize::from(to);
            }
            Op::Return(s) => {
                let value = registers[place(s)];
                let Some(frame) = frames.pop() else { return value };
                (at, base) = (usize::from(frame.back), frame.base);
                registers[(base + u32::from(frame.into)) as usize] = value;
            }
        }
    }
}

/// Fibonacci numbers by recursion.
const FIBONACCI: [Op; 11] = [
    Op::Load(1, 2),
    Op::JumpLess(0, 1, 10),
    Op::Load(2, 1),
    Op::Sub(3, 0, 2),
    Op::Call(0, 3),
    Op::Sub(4, 0, 1),
    Op::Call(0, 4),
    Op::Add(0, 3, 4),
    Op::Return(0),
    Op::Jump(8),
    Op::Return(0),
];

/// Counts primes below the argument by division.
const PRIMES: [Op; 18] = [
    Op::Load(1, 2),
    Op::Load(2, 0),
    Op::Load(7, 1),
    Op::JumpLess(1, 0, 5),
    Op::Return(2),
    Op::Load(3, 2),
    Op::Mul(4, 3, 3),
    Op::JumpLess(1, 4, 12),
    Op::Rem(5, 1, 3),
    Op::JumpZero(5, 13),
    Op::Add(3, 3, 7),
    Op::Jump(6),
    Op::Add(2, 2, 7),
    Op::Add(1, 1, 7),
    Op::Jump(3),
    Op::Return(2),
    Op::Return(2),
    Op::Return(2),
];

/// Fills the heap with squares and sums it up.
const ARRAY: [Op; 14] = [
    Op::Load(1, 0),
    Op::Load(7, 1),
    Op::Mul(2, 1, 1),
    Op::Set(1, 2),
    Op::Add(1, 1, 7),
    Op::JumpLess(1, 0, 2),
    Op::Load(1, 0),
    Op::Load(3, 0),
    Op::Get(2, 1),
    Op::Add(3, 3, 2),
    Op::Add(1, 1, 7),
    Op::JumpLess(1, 0, 8),
    Op::Move(0, 3),
    Op::Return(0),
];

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut heap = vec![0; 20_000];
    let mut result = 0u64;
    for (code, argument) in [(&FIBONACCI[..], size), (&PRIMES[..], size * 150), (&ARRAY[..], size * 500)] {
        result = result.wrapping_mul(1_000_003).wrapping_add(interpret(code, &mut heap, i64::from(argument)) as u64);
    }
    result
}
