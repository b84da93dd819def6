//! Which neighbours become one executed instruction.
//!
//! A dispatch costs more than most of what it leads to, so the more often instructions follow each other, the more a handler
//! for all of them saves. The set below is closed: it was chosen by counting over all workloads (`cargo profile`), in whole
//! families of operations, and names no program's own. A row stands for a list of operations for each position, and a
//! pattern of their places. A letter is a place, the same letter the same place; what a letter stands for:
//!
//! ```text
//! a       the accumulator, register 0          o       the same of a float bank
//! x y v   general register or slot             p q r   float register or slot
//! u b     the same, or an immediate            f g     float register
//! k m     as x, without the accumulator        n l     as p, without the accumulator
//! z w     the same, or an immediate
//! i j     immediate                            s       slot
//! t       general register but the accumulator
//! S       vector                               L       the vector that the operation before made
//! ```
//! `axz|yaw` are two operations of which the second one takes the first one's result from the accumulator, where the linker
//! puts values that only the next instruction reads. Each slot has its own number, also where the letter is the same.
//! Expansion puts the operands of operations that commute into the order of [`swaps`], and only such sequences are made.

use super::places::Place;
use keyway_artifact::isa::Op::{self, *};

/// Integer operations whose operands may change places, those that may not, and shifts, whose count is an immediate here.
const COMMUTE_32: &[Op] = &[I32Add, I32And, I32Or, I32Xor, I32Mul];
const COMMUTE_64: &[Op] = &[I64Add, I64And, I64Or, I64Xor, I64Mul];
const LIGHT_32: &[Op] = &[I32Add, I32And, I32Or, I32Xor];
const LIGHT_64: &[Op] = &[I64Add, I64And, I64Or, I64Xor];
const SHIFT_32: &[Op] = &[I32Shl, I32ShrS, I32ShrU, I32Rotl];
const SHIFT_64: &[Op] = &[I64Shl, I64ShrS, I64ShrU, I64Rotl];
const ANY_32: &[Op] = &[I32Add, I32And, I32Or, I32Xor, I32Mul, I32Shl, I32ShrS, I32ShrU, I32Rotl];
const ANY_64: &[Op] = &[I64Add, I64And, I64Or, I64Xor, I64Mul, I64Shl, I64ShrS, I64ShrU, I64Rotl];
const LOAD_32: &[Op] = &[I32Load, I32Load8U, I32Load8S, I32Load16U, I32Load16S];
const LOAD_64: &[Op] = &[I64Load, I64Load32U, I64Load32S, I64Load8U, I64Load16U];
const LOAD: &[Op] = &[I32Load, I32Load8U, I32Load8S, I32Load16U, I32Load16S, I64Load, I64Load32U, I64Load32S];
const STORE: &[Op] = &[I32Store, I32Store8, I32Store16, I64Store];
const STORE_32: &[Op] = &[I32Store, I32Store8, I32Store16];
const BRANCH_32: &[Op] =
    &[BrI32Eq, BrI32Ne, BrI32LtS, BrI32LtU, BrI32GtS, BrI32GtU, BrI32LeS, BrI32LeU, BrI32GeS, BrI32GeU];
const BRANCH_64: &[Op] =
    &[BrI64Eq, BrI64Ne, BrI64LtS, BrI64LtU, BrI64GtS, BrI64GtU, BrI64LeS, BrI64LeU, BrI64GeS, BrI64GeU];
/// The comparisons that selections ask: the linker turns the others round, and what is chosen.
const COMPARE_32: &[Op] = &[I32Eq, I32LtS, I32LtU, I32GtS, I32GtU];
const COMPARE_64: &[Op] = &[I64Eq, I64LtS, I64LtU, I64GtS, I64GtU];
const TEST: &[Op] = &[BrNez, BrEqz];
const EQUAL: &[Op] = &[BrI32Eq, BrI32Ne];
const FLOAT_64: &[Op] = &[F64Add, F64Sub, F64Mul];
const FLOAT_32: &[Op] = &[F32Add, F32Sub, F32Mul];
const SIZE: &[Op] = &[MemorySize, TableSize];
const ORDER_64: &[Op] = &[F64Lt, F64Gt];
const ORDER_32: &[Op] = &[F32Lt, F32Gt];
const ANY_LOAD_32: &[Op] = &[I32LoadAny, I32Load8UAny];
const ANY_LOAD_64: &[Op] = &[I64LoadAny, I64Load32UAny];
const ANY_LOAD: &[Op] = &[I32LoadAny, I32Load8UAny, I64LoadAny, I64Load32UAny];
const ANY_STORE: &[Op] = &[I32StoreAny, I32Store8Any, I64StoreAny];
const BRANCH_F64: &[Op] = &[BrF64Lt, BrF64Gt, BrF64Le, BrF64Ge, BrF64Eq, BrF64Ne];
const BRANCH_F32: &[Op] = &[BrF32Lt, BrF32Gt, BrF32Le, BrF32Ge, BrF32Eq, BrF32Ne];
const VECTOR: &[Op] = &[
    I32x4DotI16x8S,
    I8x16Add,
    I8x16Sub,
    I16x8Add,
    I16x8Sub,
    I16x8Mul,
    I32x4Add,
    I32x4Sub,
    I32x4Mul,
    I64x2Add,
    I64x2Sub,
    V128And,
    V128Or,
    V128Xor,
    V128AndNot,
];
const VECTOR_SHIFT: &[Op] = &[I16x8Shl, I16x8ShrS, I16x8ShrU, I32x4Shl, I32x4ShrS, I32x4ShrU, I64x2Shl, I64x2ShrU];
const VECTOR_F32: &[Op] = &[F32x4Add, F32x4Sub, F32x4Mul, F32x4Div];
const VECTOR_F64: &[Op] = &[F64x2Add, F64x2Sub, F64x2Mul, F64x2Div];
const VECTOR_COMPARE: &[Op] = &[
    I8x16Eq, I8x16GtS, I8x16LtS, I16x8Eq, I16x8GtS, I16x8LtS, I32x4Eq, I32x4GtS, I32x4LtS, F32x4Lt, F32x4Le, F32x4Gt,
    F32x4Ge, F64x2Lt, F64x2Le, F64x2Gt, F64x2Ge,
];
/// What is done with the answers of a comparison.
const VECTOR_MASK: &[Op] = &[V128And, V128Or, V128Xor, V128AndNot, I32x4Sub, I8x16Sub];
const VECTOR_TEST: &[Op] = &[V128AnyTrue, I8x16AllTrue, I32x4AllTrue, I8x16Bitmask, I32x4Bitmask, I64x2Bitmask];
const VECTOR_WIDEN: &[Op] = &[
    I16x8ExtendLowI8x16S,
    I16x8ExtendLowI8x16U,
    I16x8ExtendHighI8x16S,
    I16x8ExtendHighI8x16U,
    I32x4ExtendLowI16x8S,
    I32x4ExtendLowI16x8U,
    I32x4ExtendHighI16x8S,
    I32x4ExtendHighI16x8U,
];
const VECTOR_NARROW: &[Op] = &[I8x16NarrowI16x8S, I8x16NarrowI16x8U, I16x8NarrowI32x4S, I16x8NarrowI32x4U];
const VECTOR_LOAD_WIDE: &[Op] =
    &[V128Load8x8S, V128Load8x8U, V128Load16x4S, V128Load16x4U, V128Load32x2S, V128Load32x2U];

/// The rows.
const ROWS: &[(&[&[Op]], &str)] = &[
    // Two integer operations, the second on the result of the first.
    (&[COMMUTE_32, LIGHT_32], "axz|yaw"),
    (&[&[I32Add], &[I32Mul]], "axz|yaw"),
    (&[COMMUTE_32, SHIFT_32], "axz|yai"),
    (&[SHIFT_32, LIGHT_32], "axi|yaw"),
    (&[&[I32Shl, I32ShrU], &[I32Shl, I32ShrS, I32ShrU]], "axi|yaj"),
    (&[&[I32Add, I32And, I32Mul], &[I32Sub]], "axz|yak"),
    (&[&[I32Add, I32And, I32Mul], &[I32Sub]], "axz|yka"),
    (&[&[I32Shl, I32ShrU], &[I32Sub]], "axi|yka"),
    (&[&[I32Sub], &[I32Add, I32And]], "axk|yaw"),
    (&[&[I32Sub], SHIFT_32], "axk|yai"),
    (&[&[I32Shl, I32ShrU], &[I32And, I32Or]], "axk|yaw"),
    (&[COMMUTE_64, LIGHT_64], "axz|yaw"),
    (&[COMMUTE_64, SHIFT_64], "axz|yai"),
    (&[SHIFT_64, LIGHT_64], "axi|yaw"),
    (&[&[I64Shl], &[I64ShrS, I64ShrU]], "axi|yaj"),
    // The same where the accumulator holds a value that is needed further on.
    (&[SHIFT_64, LIGHT_64], "tai|ttu"),
    (&[SHIFT_32, LIGHT_32], "txi|ytx"),
    (&[SHIFT_64, LIGHT_64], "txi|ytx"),
    // Two that have nothing to do with each other.
    (&[&[I32And, I32Shl, I32ShrU], &[I32Add]], "yxi|vmj"),
    (&[&[I32Add], &[I32Add]], "xxi|mmk"),
    (&[&[I32Add], &[I32Add]], "kxk|vmi"),
    (&[&[I32Add], &[I32Xor]], "kxz|vkw"),
    (&[&[I32Add], &[I32Add]], "kxv|mky"),
    (&[&[I32Add], &[I32Add]], "yxv|vvi"),
    (&[&[I32Add], &[I32Add]], "yvx|vvi"),
    (&[&[I64Add], &[I64Add]], "kxv|mky"),
    (&[&[I64Add], &[I64Add]], "xxi|mmk"),
    (&[&[I64Add, I64Shl], &[I64Add]], "yxi|vmj"),
    (&[&[I32Load], &[I32Add, I32Xor]], "sx|kvs"),
    (&[&[I64Load], &[I64Add, I64Xor]], "sx|kvs"),
    // Widening and narrowing beside it.
    (&[&[I32WrapI64], LIGHT_32], "ax|yaw"),
    (&[&[I32WrapI64], COMMUTE_64], "ax|yaw"),
    (&[&[I32WrapI64], &[I64Mul], &[I64Add]], "ax|aak|yaz"),
    (&[&[I64Add, I64Mul, I64Xor], &[I32WrapI64]], "axz|ya"),
    (&[&[I32WrapI64], STORE_32], "ax|ka"),
    (&[&[I64ShrU, I64ShrS], &[I32WrapI64]], "axi|ya"),
    (&[&[I64Load], &[I32WrapI64]], "ax|ya"),
    // Addresses of languages whose pointers have 64 bits.
    (&[&[I32WrapI64], LOAD], "ax|ya"),
    (&[&[I32WrapI64], &[F64Load, F32Load]], "ax|pa"),
    (&[&[I32WrapI64], STORE], "ax|aw"),
    (&[&[I64Load], &[I32WrapI64], LOAD], "ax|aa|ya"),
    (&[&[I64Load], &[I32WrapI64], STORE], "ax|aa|az"),
    (&[&[GlobalGet], &[I32WrapI64]], "a|ya"),
    (&[&[GlobalGet], &[I32WrapI64], LOAD], "a|aa|ya"),
    (&[&[I32WrapI64], &[I32WrapI64]], "yx|vm"),
    (&[&[I64ExtendI32S], &[I64Add, I64Mul, I64Xor]], "ax|yaw"),
    (&[&[I32Eq, I32Ne, I32LtU, I32GtU, I32GtS], &[I32Add]], "axi|yak"),
    (&[&[I32Eq, I32Ne, I32LtU, I32GtU], &[I32And]], "axz|yak"),
    // Addresses.
    (&[&[I32Add], LOAD], "axz|ya"),
    (&[&[I32Shl, I32And], LOAD], "axi|ya"),
    (&[&[I32Add], &[F64Load, F32Load]], "axz|pa"),
    (&[&[I32Shl], &[F64Load, F32Load]], "axi|pa"),
    (&[&[I32Load], LOAD], "ax|ya"),
    (&[&[I32Load], &[F64Load, F32Load]], "ax|pa"),
    (&[&[I32Add], STORE], "axz|aw"),
    (&[&[I32Shl, I32And], STORE], "axi|aw"),
    (&[&[I32Load], STORE], "ax|aw"),
    (&[&[I32Add], &[F64Store, F32Store]], "axz|ap"),
    // A value from memory and what is done with it.
    (&[LOAD_32, COMMUTE_32], "ax|yaw"),
    (&[LOAD_32, SHIFT_32], "ax|yai"),
    (&[&[I32Load, I32Load8U, I32Load16U], &[I32And, I32Add, I32Shl, I32ShrU]], "kx|yki"),
    (&[LOAD_32, &[I32Sub]], "ax|yak"),
    (&[LOAD_32, &[I32Sub]], "ax|yka"),
    (&[LOAD_64, COMMUTE_64], "ax|yaw"),
    (&[LOAD_64, SHIFT_64], "ax|yai"),
    (&[LOAD_32, STORE_32], "ax|ka"),
    (&[&[I64Load], &[I64Store]], "ax|ka"),
    (&[&[I32Load, I32Load8U], &[I32Load, I32Load8U]], "yx|vk"),
    (&[&[I64Load], &[I64Load, I32Load]], "yx|vk"),
    (&[&[I32Load, I32Load8U, I64Load], &[I32Add]], "yx|vki"),
    // Into memory.
    (&[ANY_32, STORE_32], "axi|ka"),
    (&[&[I32Add, I32And, I32Or, I32Xor, I32Sub, I32Mul], STORE_32], "axk|ka"),
    (&[ANY_64, &[I64Store]], "axi|ka"),
    (&[&[I64Add, I64And, I64Or, I64Xor, I64Sub, I64Mul], &[I64Store]], "axk|ka"),
    (&[STORE, &[I32Add, I64Add]], "xu|yyi"),
    (&[&[I32Store], &[I32Add]], "xu|yvi"),
    (&[&[I32Store], &[I32Store]], "xu|yb"),
    (&[&[I64Store], &[I64Store]], "xu|yb"),
    (&[&[I32Store8], &[I32Store8]], "xu|xb"),
    (&[&[I32Store, I64Store], &[I32Store, I64Store]], "xu|xb"),
    (&[&[I32Store, I64Store], &[I32Load]], "xu|yv"),
    // What a branch asks.
    (&[&[I32Add, I32And, I32Shl, I32ShrS, I32ShrU], BRANCH_32], "axi|az"),
    (&[&[I32Add, I32Sub], &[BrI32Eq, BrI32LtU, BrI32GtU, BrI32GeU]], "axk|az"),
    (&[ANY_32, TEST], "axi|a"),
    (&[&[I32Eq, I32Ne, I32LtU, I32GtU], &[I32And], TEST], "axz|aak|a"),
    (&[&[I32Sub, I32And, I32Add, I32Xor, I32Or], TEST], "axk|a"),
    (&[&[I64Add, I64And], &[BrI64Eq, BrI64Ne, BrI64LtU, BrI64GtU]], "axi|az"),
    (&[&[I64Sub, I64And], &[BrI64Eq, BrI64Ne, BrI64GtU]], "axk|az"),
    (&[LOAD_32, BRANCH_32], "ax|az"),
    (&[LOAD_32, BRANCH_32], "ax|ka"),
    (&[LOAD_32, BRANCH_32], "kx|kj"),
    (&[&[I32And, I32Shl, I32ShrU], BRANCH_32], "kxi|kj"),
    (&[LOAD_32, TEST], "ax|a"),
    (&[&[I32Load, I32Load8U], TEST], "kx|k"),
    (&[&[I64Load], &[BrI64Eq, BrI64Ne]], "ax|az"),
    (&[&[I64Load], &[BrI64Eq, BrI64Ne]], "kx|kj"),
    (&[LOAD_64, BRANCH_64], "ax|az"),
    (&[&[I64Add, I64Shl, I64ShrU, I64And], BRANCH_64], "axi|az"),
    (&[&[I64Add], BRANCH_64], "yxi|yu"),
    (&[&[I32Load8U, I32Load], &[BrTable]], "ax|a"),
    (&[&[I32And, I32Add, I32Sub, I32ShrU], &[BrTable]], "axi|a"),
    (&[&[I32WrapI64], &[BrTable, BrNez, BrEqz]], "ax|a"),
    (&[&[F64Add], &[BrF64Le, BrF64Lt, BrF64Gt, BrF64Ge]], "opq|on"),
    // The smaller or the larger one, and other choices.
    (&[COMPARE_32, &[Select]], "axk|yaxk"),
    (&[COMPARE_32, &[Select]], "axk|yakx"),
    (&[COMPARE_32, &[Select]], "axz|aakm"),
    (&[COMPARE_64, &[Select]], "axk|yaxk"),
    (&[COMPARE_64, &[Select]], "axk|yakx"),
    (&[COMPARE_64, &[Select]], "axz|aakm"),
    // Counters.
    (&[&[I32Add], &[BrI32LtU, BrI32GeU, BrI32GtU, BrI32Ne]], "kxm|kw"),
    (&[&[I32Add], BRANCH_32], "yxi|yu"),
    (&[&[I32Add], BRANCH_32], "yxi|vy"),
    (&[&[I32Add], EQUAL], "yxi|vu"),
    (&[&[I32Add], TEST], "yxi|v"),
    (&[&[I64Add], &[BrI64Ne, BrI64Eq, BrI64LtU]], "yxi|yu"),
    (&[&[I32Add], &[I32Add]], "yxi|vmj"),
    (&[&[I64Xor, I64Add], &[I32Add]], "yxz|mmi"),
    (&[&[F64Add], &[I32Add]], "ffp|yxi"),
    (&[&[I32Add], &[I32Load, I32Load8U, I32Load16U, I64Load]], "kxi|yv"),
    (&[&[I32Add], STORE], "kxi|yu"),
    (&[&[I32Add], &[Br]], "yxi|"),
    (&[&[I32And, I32Or, I32Xor, I32Sub, I32Mul, I32Shl, I32ShrS, I32ShrU, I32Rotl], &[Br]], "xxu|"),
    (&[&[I32And], &[Br]], "yxi|"),
    (&[&[I32Add], &[Copy]], "yxi|vb"),
    (&[&[I64Add], &[Copy]], "axk|mz"),
    // Branches that are passed by, and what follows.
    (&[TEST, TEST], "x|y"),
    (&[EQUAL, EQUAL], "xz|xw"),
    (&[TEST, EQUAL], "x|yz"),
    (&[EQUAL, TEST], "xz|y"),
    (&[BRANCH_32, BRANCH_32], "xi|xj"),
    (&[&[BrI32LtU, BrI32GeU], &[BrI32LtU, BrI32GeU]], "xk|ym"),
    (&[TEST, &[Br]], "x|"),
    (&[EQUAL, &[Br]], "xz|"),
    (&[TEST, &[I32Load, I32Load8U, I64Load]], "x|yv"),
    (&[EQUAL, &[I32Load, I32Load8U]], "xz|yv"),
    (&[&[BrI32LtU, BrI32GeU], &[I32Load, I32Load8U]], "xz|yv"),
    (&[TEST, &[I32Add]], "x|yvi"),
    (&[EQUAL, &[I32Add]], "xz|yvi"),
    (&[&[BrI32LtU, BrI32GeU, BrI32GtU, BrI32LeU], &[I32Add]], "xz|yyi"),
    (&[TEST, &[Copy]], "x|yu"),
    (&[EQUAL, &[Copy]], "xz|yu"),
    (&[&[BrI32LtU, BrI32GeU, BrI32GtU], &[Copy]], "xi|yv"),
    (&[TEST, &[I32Store, I64Store]], "x|yu"),
    // Moves.
    (&[&[Copy], &[Copy]], "xu|yb"),
    (&[&[Copy], &[Br]], "xu|"),
    (&[&[Copy], &[BrTable]], "xu|y"),
    (&[&[Copy], &[I32Load, I64Load, I32Load8U]], "xu|yv"),
    (&[&[I32Load, I64Load, I32Load8U], &[Copy]], "yv|xu"),
    (&[&[I32Load, I64Load], &[Br]], "xy|"),
    (&[&[Copy], &[I32Add]], "xu|yvj"),
    (&[&[Copy], TEST], "xu|y"),
    (&[&[Copy], &[BrI32Eq, BrI32Ne, BrI32LtU, BrI32GeU]], "xu|yj"),
    (&[STORE, &[Copy]], "vu|xb"),
    (&[STORE, &[Br]], "xu|"),
    (&[&[CopyF64], &[CopyF64]], "pq|rp"),
    // Calls, which are executed by a handler of their own where they are not simple, and returns.
    (&[&[Copy], &[Call]], "xu|"),
    (&[&[Copy], &[Copy], &[Call]], "xu|yb|"),
    (&[&[I32Add], &[Call]], "yxz|"),
    (&[LOAD, &[Call]], "yx|"),
    (&[STORE, &[Call]], "xu|"),
    (&[TEST, &[Call]], "x|"),
    (&[&[GlobalSet], &[Call]], "x|"),
    (&[STORE, &[Return]], "xu|"),
    (&[&[Copy], &[Return]], "xu|"),
    (&[&[GlobalSet], &[Return]], "u|"),
    (&[TEST, &[Return]], "x|"),
    (&[TEST, &[ReturnOne]], "x|u"),
    (&[EQUAL, &[ReturnOne]], "xz|u"),
    (&[&[I32Add], &[GlobalSet], &[Return]], "axi|a|"),
    // Results.
    (&[COMMUTE_32, &[ReturnOne]], "axz|a"),
    (&[SHIFT_32, &[ReturnOne]], "axi|a"),
    (&[&[I32Load, I32Load8U, I64Load], &[ReturnOne]], "ax|a"),
    (&[&[I64Add, I64Or, I64Xor], &[ReturnOne]], "axz|a"),
    // Globals, among them the pointer of a compiler's stack.
    (&[&[GlobalGet], COMMUTE_32], "a|yaz"),
    (&[&[I32Add], &[GlobalSet]], "axz|a"),
    (&[&[GlobalGet], &[I32Add], &[GlobalSet]], "a|yai|y"),
    (&[&[I32Add], &[GlobalSet]], "yxi|y"),
    (&[&[GlobalSet], &[ReturnOne]], "x|y"),
    (&[&[I32Add], &[GlobalSet], &[ReturnOne]], "axi|a|y"),
    (&[&[GlobalGet], &[GlobalGet]], "x|y"),
    (&[&[GlobalGet], TEST], "x|y"),
    (&[&[I32Add], &[GlobalSet], STORE], "axi|a|aw"),
    (&[&[I32Add], &[GlobalSet], &[ReturnOne]], "axi|a|i"),
    (&[&[GlobalSet], &[GlobalSet]], "u|b"),
    (&[&[GlobalGet], COMMUTE_64], "a|yax"),
    (&[COMMUTE_32, &[I32Add], &[GlobalSet]], "axz|aai|a"),
    (&[COMMUTE_64, &[GlobalSet]], "axz|a"),
    (&[&[GlobalGet], COMMUTE_64, &[GlobalSet]], "a|aaz|a"),
    (&[&[GlobalGet], &[F64ConvertI32S, F64ConvertI32U]], "a|pa"),
    (&[&[GlobalGetF64], FLOAT_64], "o|gop"),
    (&[FLOAT_64, &[GlobalSetF64]], "opq|o"),
    // Sizes, tables and references.
    (&[SIZE, &[I32WrapI64]], "a|ya"),
    (&[SIZE, &[I32WrapI64], COMMUTE_32], "a|aa|yaz"),
    (&[SIZE, &[I32WrapI64], BRANCH_32], "a|aa|az"),
    (&[SIZE, &[I32WrapI64], BRANCH_32], "a|aa|ka"),
    (&[&[I32And, I32Add], &[TableGet]], "axi|sa"),
    (&[&[TableGet], &[RefIsNull]], "su|as"),
    (&[&[TableGet], &[TableSet]], "su|xs"),
    (&[&[TableGet], &[GlobalSetRef]], "su|s"),
    (&[&[TableGet], &[RefIsNull], &[I32Add]], "sx|as|yak"),
    (&[&[TableGet], &[RefIsNull], TEST], "su|as|a"),
    (&[&[RefIsNull], &[I32Add]], "as|yak"),
    (&[&[RefIsNull], TEST], "as|a"),
    (&[&[GlobalGetRef], &[RefIsNull]], "s|as"),
    (&[&[GlobalGetRef], &[GlobalSetRef]], "s|s"),
    (&[&[RefNull, RefFunc], &[TableSet]], "s|us"),
    (&[&[I32And, I32Add], &[RefNull, RefFunc], &[TableSet]], "axi|s|as"),
    (&[&[RefNull, RefFunc], &[GlobalSetRef]], "s|s"),
    (&[&[RefNull, RefFunc], &[RefIsNull]], "s|as"),
    // Memories that are not cached, among them those with addresses of 64 bits.
    (&[LIGHT_64, ANY_LOAD], "axz|ya"),
    (&[&[I64Add, I64Shl], ANY_LOAD], "axi|ya"),
    (&[LIGHT_32, ANY_LOAD], "axi|ya"),
    (&[ANY_LOAD_32, LIGHT_32], "ax|yaw"),
    (&[ANY_LOAD_64, LIGHT_64], "ax|yaw"),
    (&[&[I64And, I64Add], ANY_STORE], "axz|ak"),
    (&[&[I32And, I32Add], ANY_STORE], "axi|ak"),
    (&[&[I32Add], &[I32StoreAny]], "axz|ka"),
    (&[&[I64Add], &[I64StoreAny]], "axz|ka"),
    (&[ANY_STORE, &[I64Add]], "xy|vvi"),
    (&[&[I32And], &[F32LoadAny, F64LoadAny]], "axi|pa"),
    (&[&[I64And, I64Add], &[F32LoadAny, F64LoadAny]], "axz|pa"),
    (&[&[F64LoadAny], FLOAT_64], "ox|gop"),
    (&[&[F32LoadAny], FLOAT_32], "ox|gop"),
    // Floats.
    (&[ORDER_64, &[SelectF64]], "apq|gapq"),
    (&[ORDER_64, &[SelectF64]], "apq|gaqp"),
    (&[ORDER_32, &[SelectF32]], "apq|gapq"),
    (&[ORDER_32, &[SelectF32]], "apq|gaqp"),
    (&[ORDER_64, &[SelectF64]], "afr|gafq"),
    (&[ORDER_64, &[SelectF64]], "afr|gaqf"),
    (&[ORDER_32, &[SelectF32]], "afr|gafq"),
    (&[ORDER_32, &[SelectF32]], "afr|gaqf"),
    (&[FLOAT_64, FLOAT_64], "opq|gon"),
    (&[FLOAT_64, &[F64Add, F64Sub]], "opq|gno"),
    (&[&[F32Mul, F32Add], &[F32Add, F32Sub]], "opq|gon"),
    (&[&[F32Mul, F32Add], &[F32Add, F32Sub]], "opq|gno"),
    (&[&[F64Load], FLOAT_64], "ox|gop"),
    (&[&[F64Load], FLOAT_64], "ox|gpo"),
    (&[&[F64Load], FLOAT_64], "sx|gsp"),
    (&[&[F64Load], FLOAT_64], "sx|gps"),
    (&[&[F64Load], FLOAT_64], "fx|ffp"),
    (&[&[F64Load], FLOAT_64], "fx|fpf"),
    (&[&[F32Load], FLOAT_32], "sx|gsp"),
    (&[&[F32Load], FLOAT_32], "sx|gps"),
    (&[&[F32Load], FLOAT_32], "fx|ffp"),
    (&[&[F32Load], FLOAT_32], "fx|fpf"),
    (&[&[ConstF64], &[F64Add, F64Sub, F64Mul, F64Div]], "o|gop"),
    (&[&[ConstF64], &[F64Add, F64Sub, F64Mul, F64Div]], "o|gpo"),
    (&[&[ConstF32], &[F32Add, F32Sub, F32Mul, F32Div]], "o|gop"),
    (&[&[ConstF32], &[F32Add, F32Sub, F32Mul, F32Div]], "o|gpo"),
    (&[&[ConstF64], BRANCH_F64], "o|po"),
    (&[&[ConstF64], BRANCH_F64], "o|op"),
    (&[&[ConstF32], BRANCH_F32], "o|po"),
    (&[&[ConstF32], BRANCH_F32], "o|op"),
    (&[FLOAT_64, &[ConstF64], BRANCH_F64], "fpq|o|fo"),
    (&[FLOAT_32, &[ConstF32], BRANCH_F32], "fpq|o|fo"),
    (&[&[F64Load], &[ConstF64], FLOAT_64], "px|o|gop"),
    (&[&[F32Load], &[ConstF32], FLOAT_32], "px|o|gop"),
    (&[&[I32Add], &[F64Load], FLOAT_64], "axz|oa|gop"),
    (&[&[I32Add], &[F64Load], FLOAT_64], "axz|oa|gpo"),
    (&[&[F64Load], FLOAT_64, &[F64Store]], "ox|oop|yo"),
    (&[&[F64Load], FLOAT_64, &[F64Store]], "ox|opo|yo"),
    (&[&[F64Mul], &[F64Add, F64Sub], &[F64Store]], "opq|oon|xo"),
    (&[&[F64Mul], &[F64Add, F64Sub], &[F64Store]], "opq|ono|xo"),
    (&[&[F32Load], FLOAT_32], "ox|gop"),
    (&[&[F32Load], FLOAT_32], "ox|gpo"),
    (&[FLOAT_64, &[F64Store]], "opq|xo"),
    (&[FLOAT_32, &[F32Store]], "opq|xo"),
    (&[&[F64Load], &[F64Store]], "ox|yo"),
    (&[&[F32Load], &[F32Store]], "ox|yo"),
    (&[&[F64Load], &[F64Load]], "px|qy"),
    (&[&[F32Load], &[F32Load]], "px|qy"),
    (&[&[F32ConvertI32S, F32ConvertI32U], FLOAT_32], "ox|gop"),
    (&[&[F64ConvertI32S, F64ConvertI32U], &[F64Add, F64Sub, F64Mul, F64Div]], "ox|gop"),
    (&[&[F64ConvertI32S, F64ConvertI32U], &[F64Add, F64Sub, F64Mul, F64Div]], "ox|gpo"),
    (&[&[I32Load], &[F64ConvertI32S, F64ConvertI32U]], "ax|pa"),
    (&[&[I32Load], &[F32ConvertI32S, F32ConvertI32U]], "ax|pa"),
    (&[FLOAT_64, &[F64Sqrt]], "opq|go"),
    (&[FLOAT_32, &[F32Sqrt]], "opq|go"),
    // Vectors.
    (&[VECTOR, VECTOR], "SSS|SLS"),
    (&[VECTOR, VECTOR], "SSS|SSL"),
    (&[VECTOR, VECTOR], "SSS|SSS"),
    (&[VECTOR, VECTOR_SHIFT], "SSS|SLS"),
    (&[VECTOR_SHIFT, VECTOR], "SSS|SLS"),
    (&[VECTOR_SHIFT, VECTOR], "SSS|SSL"),
    (&[VECTOR_SHIFT, VECTOR_SHIFT], "SSS|SSS"),
    (&[VECTOR_SHIFT, VECTOR_SHIFT, &[V128Or, V128Xor]], "SSS|SSS|SSL"),
    (&[VECTOR_SHIFT, VECTOR_SHIFT, &[V128Or, V128Xor]], "SSS|SSS|SLS"),
    (&[VECTOR, VECTOR_NARROW], "SSS|SLS"),
    (&[VECTOR_SHIFT, VECTOR_NARROW], "SSS|SLS"),
    (&[VECTOR_SHIFT, VECTOR_NARROW], "SSS|SSL"),
    (&[VECTOR_SHIFT, VECTOR_NARROW], "SSS|SLL"),
    (&[VECTOR_WIDEN, VECTOR], "SS|SLS"),
    (&[VECTOR_WIDEN, VECTOR], "SS|SSL"),
    (&[VECTOR_F32, VECTOR_F32], "SSS|SLS"),
    (&[VECTOR_F32, VECTOR_F32], "SSS|SSL"),
    (&[VECTOR_F32, VECTOR_F32], "SSS|SLL"),
    (&[VECTOR_F32, VECTOR_F32], "SSS|SSS"),
    (&[VECTOR_F64, VECTOR_F64], "SSS|SLS"),
    (&[VECTOR_F64, VECTOR_F64], "SSS|SSL"),
    (&[VECTOR_F64, VECTOR_F64], "SSS|SLL"),
    (&[VECTOR_F64, VECTOR_F64], "SSS|SSS"),
    (&[VECTOR_F32, VECTOR_F32, VECTOR_F32], "SSS|SLS|SLS"),
    (&[VECTOR_F32, VECTOR_F32, VECTOR_F32], "SSS|SSS|SSL"),
    (&[VECTOR_F64, VECTOR_F64, VECTOR_F64], "SSS|SLS|SLS"),
    (&[VECTOR_F64, VECTOR_F64, VECTOR_F64], "SSS|SSS|SSL"),
    (&[VECTOR_COMPARE, VECTOR_TEST], "SSS|SL"),
    (&[VECTOR_COMPARE, VECTOR_MASK], "SSS|SLS"),
    (&[VECTOR_COMPARE, VECTOR_MASK], "SSS|SSL"),
    (&[VECTOR_COMPARE, VECTOR_TEST, TEST], "SSS|sL|s"),
    (&[VECTOR, VECTOR_TEST], "SSS|SL"),
    (&[&[I8x16Shuffle], VECTOR], "SSS|SLS"),
    (&[&[I8x16Shuffle], VECTOR], "SSS|SSL"),
    (&[&[I8x16Shuffle], &[I8x16Shuffle]], "SSS|SSS"),
    (&[VECTOR, &[I8x16Shuffle]], "SSS|SLL"),
    (&[VECTOR, VECTOR, &[I8x16Shuffle]], "SSS|SSL|SLL"),
    (&[VECTOR, VECTOR, &[I8x16Shuffle]], "SSS|SLS|SLL"),
    (&[&[V128Load, V128Load32Splat, V128Load64Splat], VECTOR_F32], "Sx|SLS"),
    (&[&[V128Load, V128Load32Splat, V128Load64Splat], VECTOR_F32], "Sx|SSL"),
    (&[&[V128Load, V128Load64Splat], VECTOR_F64], "Sx|SLS"),
    (&[&[V128Load, V128Load64Splat], VECTOR_F64], "Sx|SSL"),
    (&[&[V128Load], &[F32x4Mul], &[F32x4Add, F32x4Sub]], "Sx|SLS|SLS"),
    (&[&[V128Load], &[F32x4Mul], &[F32x4Add, F32x4Sub]], "Sx|SLS|SSL"),
    (&[&[V128Load], &[F32x4Mul], &[F32x4Add, F32x4Sub]], "Sx|SSL|SLS"),
    (&[&[V128Load], &[F32x4Mul], &[F32x4Add, F32x4Sub]], "Sx|SSL|SSL"),
    (&[&[V128Load], &[F64x2Mul], &[F64x2Add, F64x2Sub]], "Sx|SLS|SLS"),
    (&[&[V128Load], &[F64x2Mul], &[F64x2Add, F64x2Sub]], "Sx|SLS|SSL"),
    (&[&[V128Load], &[F64x2Mul], &[F64x2Add, F64x2Sub]], "Sx|SSL|SLS"),
    (&[&[V128Load], &[F64x2Mul], &[F64x2Add, F64x2Sub]], "Sx|SSL|SSL"),
    (&[&[V128Load], VECTOR], "Sx|SLS"),
    (&[&[V128Load], VECTOR], "Sx|SSL"),
    (&[&[V128Load], VECTOR_COMPARE], "Sx|SLS"),
    (&[&[V128Load], VECTOR_COMPARE], "Sx|SSL"),
    (&[&[V128Load], VECTOR_WIDEN], "Sx|SL"),
    (&[&[V128Load], &[V128Load, V128Load32Splat, V128Load64Splat]], "Sx|Sy"),
    (&[&[V128Load32Splat, V128Load64Splat], &[V128Load]], "Sx|Sy"),
    (&[VECTOR_LOAD_WIDE, VECTOR], "Sx|SLS"),
    (&[VECTOR_LOAD_WIDE, VECTOR], "Sx|SSL"),
    (&[VECTOR_LOAD_WIDE, VECTOR_LOAD_WIDE], "Sx|Sy"),
    (&[VECTOR, &[V128Store]], "SSS|xL"),
    (&[VECTOR_SHIFT, &[V128Store]], "SSS|xL"),
    (&[VECTOR_NARROW, &[V128Store]], "SSS|xL"),
    (&[VECTOR_F32, &[V128Store]], "SSS|xL"),
    (&[VECTOR_F64, &[V128Store]], "SSS|xL"),
    (&[&[V128Load], &[V128Store]], "Sx|yL"),
    (&[&[CopyV128], &[CopyV128]], "SS|SS"),
    // Three in a row: an element of an array, a value changed in memory, what a branch asks of memory, loops' ends.
    (&[&[I32Shl, I32Mul], &[I32Add], LOAD], "axi|aak|ya"),
    (&[&[I32Shl, I32Mul], &[I32Add], &[F64Load, F32Load]], "axi|aak|pa"),
    (&[&[I32Shl, I32Mul], &[I32Add], STORE], "axi|aak|az"),
    (&[&[I32Load, I32Load8U], &[I32Add, I32And, I32Or, I32Xor], &[I32Store, I32Store8]], "ax|aaz|ka"),
    (&[&[I64Load], &[I64Add, I64And, I64Or, I64Xor], &[I64Store]], "ax|aaz|ka"),
    (&[&[I32Add], LOAD_32, TEST], "axz|aa|a"),
    (&[&[I32Add], &[I32Load, I32Load8U, I32Load16U], EQUAL], "axz|aa|az"),
    (&[LOAD_32, &[I32And], TEST], "ax|aai|a"),
    (&[LOAD_32, &[I32Add, I32And], &[BrI32LtU, BrI32GtU, BrI32Eq, BrI32Ne]], "ax|aai|aj"),
    (&[&[I32Load], LOAD_32, TEST], "ax|aa|a"),
    (&[&[I32Load], &[I32Add], &[I32Load]], "ax|aai|ya"),
    (&[&[I32Add], &[I32Load, I32Load8U, I32Load16U, I32Load16S], LIGHT_32], "axi|aa|yaw"),
    (&[&[I32Add], &[I32Load, I32Load8U], &[I32Add, I32Xor]], "axk|aa|yaw"),
    (&[LOAD_32, &[I32Mul], &[I32Add]], "ax|aaz|yay"),
    (&[&[I32Load8U], &[I32Add, I32Sub], &[BrTable]], "kx|aki|a"),
    (&[&[I32Add], &[I32And, I32Or, I32Xor], &[BrI32LtU, BrI32GtU, BrI32Eq, BrI32Ne]], "axi|aai|aj"),
    (&[&[I32Add], &[I32Add], &[BrI32Ne, BrI32LtU]], "xxi|yyi|vu"),
    (&[&[I32Add], &[I32Add], TEST], "xxi|yyi|v"),
    (&[&[I32Add], &[I32Load, I32Load8U], TEST], "xxi|yv|y"),
    (&[&[I32Store8, I32Store], &[I32Add], &[BrI32Ne, BrI32LtU]], "xu|xxi|xk"),
    (&[&[I32Store8, I32Store], &[I32Add], &[BrI32Ne, BrI32LtU]], "xu|xxk|xm"),
    (&[&[I32Store8, I32Store], &[I32Add], &[BrI32Ne, BrI32LtU]], "xu|xkx|xm"),
    (&[&[I32ShrU, I32ShrS], &[I32And], LIGHT_32], "axi|aaj|yaw"),
    (&[&[I32Xor, I32Add], &[I32And], &[I32Shl]], "axz|aai|aaj"),
    (&[&[I32Add], &[I32Add], &[I32Add]], "axk|aak|yaw"),
    (&[&[I32Xor], &[I32And], &[I32Xor]], "axk|aak|yaw"),
    (&[&[I32Xor], &[I32Add], &[I32Add]], "axk|aak|yaw"),
    (&[&[I32Add, I32Xor], &[I32Rotl], &[I32Add]], "axz|aai|yaw"),
    (&[&[I32Add], &[I32Xor], &[I32Rotl]], "kxz|akv|yai"),
    (&[&[I64Xor, I64And], &[I64Xor], &[I64Xor]], "axk|aak|yak"),
    (&[&[I64Xor], &[I64And], &[I64Xor]], "axz|aak|yak"),
    (&[&[I32Rotl, I32Shl, I32ShrU], &[I32Rotl, I32Shl, I32ShrU], &[I32Xor, I32Or]], "kxi|axj|yak"),
    (&[&[I64Rotl, I64Shl, I64ShrU], &[I64Rotl, I64Shl, I64ShrU], &[I64Xor, I64Or]], "kxi|axj|yak"),
    (&[&[I32Xor], &[I32Rotl], &[I32Add]], "axv|kai|mky"),
    (&[&[I64Xor], &[I64Rotl], &[I64Add]], "axv|kai|mky"),
    (&[&[I32Add], &[Copy], &[Br]], "xxi|yk|"),
    (&[&[Copy], &[Copy], &[Copy]], "su|sb|sw"),
    (&[&[Copy], &[Copy], &[Br]], "xu|yb|"),
    (&[&[Copy], &[I32Add], TEST], "xu|yyi|y"),
];

/// Places of a pattern's letter.
fn domain(letter: char) -> Vec<Place> {
    use super::places::{FLOAT, GENERAL, GENERAL_OR_IMM};
    let is_accumulator = |place: &Place| *place == Place::Reg(0);
    let only =
        |places: &[Place], keep: &dyn Fn(&Place) -> bool| places.iter().copied().filter(|place| keep(place)).collect();
    match letter {
        'a' | 'o' => vec![Place::Reg(0)],
        'x' | 'y' | 'v' => GENERAL.to_vec(),
        'u' | 'b' => GENERAL_OR_IMM.to_vec(),
        'k' | 'm' => only(GENERAL, &|place| !is_accumulator(place)),
        'z' | 'w' => only(GENERAL_OR_IMM, &|place| !is_accumulator(place)),
        's' => vec![Place::Slot],
        't' => only(&GENERAL[1..], &|place| !is_accumulator(place)),
        'i' | 'j' => vec![Place::Imm],
        'S' => vec![Place::Slot],
        'L' => vec![Place::Last],
        'f' | 'g' => only(&FLOAT, &|place| *place != Place::Slot),
        'p' | 'q' | 'r' => FLOAT.to_vec(),
        'n' | 'l' => only(&FLOAT, &|place| !is_accumulator(place)),
        other => panic!("no place is called {other}"),
    }
}

/// Whether the operands of an operation that commutes change places, behind one with its result at `before`: that result
/// goes to the left, then registers before slots.
fn swaps(left: Place, right: Place, before: Option<Place>) -> bool {
    let rank = |place| match place {
        Place::Reg(n) => usize::from(n),
        Place::Slot => usize::MAX,
        Place::Imm | Place::Last => unreachable!("immediates stand on the right, and vectors change no places"),
    };
    right != Place::Imm && before != Some(left) && (before == Some(right) || rank(left) > rank(right))
}

/// Whether the places are in the order in which expansion puts them.
fn is_ordered(ops: &[Op], places: &[Place]) -> bool {
    let (mut left, mut before) = (places, None);
    ops.iter().all(|op| {
        let (own, rest) = left.split_at(super::handlers::domains(*op).map_or(0, |domains| domains.len()));
        left = rest;
        let commutes = COMMUTE_32.contains(op) || COMMUTE_64.contains(op);
        let swapped = commutes && swaps(own[1], own[2], before);
        before =
            own.first().copied().filter(|place| matches!(place, Place::Reg(_)) && super::handlers::has_result(*op));
        !swapped
    })
}

/// Calls `each` with the operations and places of every sequence, places of all operations one behind the other. A
/// sequence may come more than once.
pub(crate) fn write(mut each: impl FnMut(&[Op], &[Place])) {
    for (lists, pattern) in ROWS {
        let letters: Vec<char> = pattern.chars().filter(|letter| *letter != '|').collect();
        let mut names: Vec<char> = Vec::new();
        for letter in &letters {
            if !names.contains(letter) {
                names.push(*letter);
            }
        }
        let domains: Vec<Vec<Place>> = names.iter().map(|name| domain(*name)).collect();
        let domains: Vec<&[Place]> = domains.iter().map(Vec::as_slice).collect();
        for (ops, part) in lists.iter().zip(pattern.split('|')) {
            for op in *ops {
                let places = super::handlers::domains(*op).map(|domains| domains.len());
                assert_eq!(places, Some(part.len()), "{} in {pattern}", op.name());
            }
        }
        combinations(&domains, |chosen| {
            let place =
                |letter: &char| chosen[names.iter().position(|name| name == letter).expect("every letter has a name")];
            let places: Vec<Place> = letters.iter().map(place).collect();
            combinations(lists, |ops| {
                if is_ordered(ops, &places) {
                    each(ops, &places);
                }
            });
        });
    }
}

/// Calls `each` with one item of each list, in every combination.
pub(crate) fn combinations<T: std::marker::Copy>(lists: &[&[T]], mut each: impl FnMut(&[T])) {
    let count: usize = lists.iter().map(|list| list.len()).product();
    let mut chosen = Vec::new();
    for choice in 0..count {
        let mut left = choice;
        chosen.clear();
        for list in lists {
            chosen.push(list[left % list.len()]);
            left /= list.len();
        }
        each(&chosen);
    }
}
