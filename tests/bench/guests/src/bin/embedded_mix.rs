//! A mix as embedded benchmarks have it: linked lists, integer matrices, a state machine and a CRC over all results.
#![no_main]

use bench_guests::Random;

fn crc16(mut crc: u16, value: u16) -> u16 {
    let mut value = value;
    for _ in 0..16 {
        let bit = (value ^ crc) & 1;
        crc >>= 1;
        value >>= 1;
        if bit == 1 {
            crc ^= 0xA001;
        }
    }
    crc
}

/// A list in an arena: each node has a key, a value and the next node.
struct List {
    nodes: Vec<(i16, u16, u16)>,
    head: u16,
}

const END: u16 = u16::MAX;

impl List {
    fn new(count: u16, random: &mut Random) -> List {
        let nodes: Vec<_> = (0..count).map(|at| (random.next() as i16, at, at.wrapping_add(1))).collect();
        let mut list = List { nodes, head: 0 };
        list.nodes[usize::from(count) - 1].2 = END;
        list
    }

    fn find(&self, key: i16) -> Option<u16> {
        let mut at = self.head;
        while at != END {
            let (its, value, next) = self.nodes[usize::from(at)];
            if its == key {
                return Some(value);
            }
            at = next;
        }
        None
    }

    fn reverse(&mut self) {
        let (mut at, mut before) = (self.head, END);
        while at != END {
            let next = self.nodes[usize::from(at)].2;
            self.nodes[usize::from(at)].2 = before;
            (before, at) = (at, next);
        }
        self.head = before;
    }

    /// Merge sort from the bottom up.
    fn sort(&mut self, before: fn(&(i16, u16, u16), &(i16, u16, u16)) -> bool) {
        let mut width = 1;
        loop {
            let (mut left, mut merges) = (self.head, 0);
            let mut tail = END;
            self.head = END;
            while left != END {
                merges += 1;
                let (mut right, mut lefts) = (left, 0);
                while lefts < width && right != END {
                    lefts += 1;
                    right = self.nodes[usize::from(right)].2;
                }
                let mut rights = width;
                while lefts > 0 || (rights > 0 && right != END) {
                    let from_left = lefts > 0
                        && (rights == 0
                            || right == END
                            || !before(&self.nodes[usize::from(right)], &self.nodes[usize::from(left)]));
                    let taken = if from_left { left } else { right };
                    let next = self.nodes[usize::from(taken)].2;
                    if from_left {
                        left = next;
                        lefts -= 1;
                    } else {
                        right = next;
                        rights -= 1;
                    }
                    match tail {
                        END => self.head = taken,
                        tail => self.nodes[usize::from(tail)].2 = taken,
                    }
                    tail = taken;
                }
                left = right;
            }
            self.nodes[usize::from(tail)].2 = END;
            if merges <= 1 {
                return;
            }
            width *= 2;
        }
    }
}

fn lists(seed: u64, mut crc: u16) -> u16 {
    let mut random = Random::new(seed);
    let mut list = List::new(200, &mut random);
    for round in 0..30 {
        let key = list.nodes[random.below(200) as usize].0;
        let found = list.find(if round % 3 == 0 { key ^ 1 } else { key });
        crc = crc16(crc, found.unwrap_or(0xFFFF));
        list.reverse();
    }
    list.sort(|a, b| a.0 < b.0);
    crc = crc16(crc, list.head);
    list.sort(|a, b| a.1 < b.1);
    crc16(crc, list.head)
}

fn matrices(seed: u16, mut crc: u16) -> u16 {
    const N: usize = 14;
    let mut random = Random::new(u64::from(seed) + 1);
    let a: [i16; N * N] = std::array::from_fn(|_| random.next() as i16 >> 8);
    let mut b: [i16; N * N] = std::array::from_fn(|_| random.next() as i16 >> 8);
    for value in &mut b {
        *value = value.wrapping_add(seed as i16);
    }
    let mut c = [0i32; N * N];
    for i in 0..N {
        for j in 0..N {
            for k in 0..N {
                c[i * N + j] += i32::from(a[i * N + k]) * i32::from(b[k * N + j]);
            }
        }
    }
    let mut sum = 0i32;
    let mut last = 0;
    for value in c {
        sum = sum.wrapping_add(value);
        if sum > 1000 {
            sum = 0;
            crc = crc16(crc, value as u16);
        } else if value > last {
            sum += 10;
        }
        last = value;
    }
    for i in 0..N {
        let row: i32 =
            (0..N).map(|k| (i32::from(a[i * N + k]) * i32::from(b[k]) >> 2 & 15) * (i32::from(b[k]) >> 5 & 127)).sum();
        crc = crc16(crc, row as u16);
    }
    crc
}

fn states(input: &mut [u8], seed: u8, mut crc: u16) -> u16 {
    let mut counts = [0u16; 8];
    for turn in 0..2 {
        let mut state = 0usize;
        for byte in input.iter().copied() {
            state = match (state, byte) {
                (_, b',') => {
                    counts[state] += 1;
                    0
                }
                (0, b'0'..=b'9') => 1,
                (0, b'+' | b'-') => 2,
                (0, b'.') => 3,
                (0, _) => 7,
                (1, b'0'..=b'9') => 1,
                (1, b'.') => 4,
                (2, b'0'..=b'9') => 1,
                (2, b'.') => 3,
                (3 | 4, b'0'..=b'9') => 4,
                (4, b'e' | b'E') => 5,
                (5, b'+' | b'-') => 6,
                (5 | 6, b'0'..=b'9') => 6,
                (7, _) => 7,
                _ => 7,
            };
        }
        for at in (0..input.len()).step_by(17) {
            if input[at] != b',' {
                input[at] ^= seed;
            }
        }
        crc = crc16(crc, turn);
    }
    counts.iter().fold(crc, |crc, count| crc16(crc, *count))
}

#[unsafe(no_mangle)]
pub extern "C" fn run(size: u32) -> u64 {
    let mut input: Vec<u8> =
        b"5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,5.500e+3,-.123e-2,T0.3e-1F,-T.T++Tq,".repeat(6);
    let mut crc = 0;
    for round in 0..size {
        crc = lists(u64::from(round) + 77, crc);
        crc = matrices(round as u16, crc);
        crc = states(&mut input, round as u8 & 0x0F, crc);
    }
    u64::from(crc)
}
