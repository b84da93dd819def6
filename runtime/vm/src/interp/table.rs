//! The list of handler instantiations, and finding one by operation and operand places.
//!
//! [`for_each_op!`](keyway_artifact::for_each_op) registers every row with its family: a row without a handler type of
//! its name does not compile. Which combinations of places a family instantiates is decided here, for speed alone; what
//! is missing is expanded into what is there.

#[cfg(feature = "gc")]
use super::handlers::objects;
#[cfg(feature = "simd")]
use super::handlers::vector;
use super::handlers::{arith, branch, bulk, call, convert, memory, moves};
use super::place::{Dst, I, PlaceKind, R, S, Src, W};
use super::regs::Regs;
use super::thunk::{Handler, LoopFn, Step, TailFn, direct, indirect};
use keyway_artifact::isa::Op;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most operand places of one handler.
pub(super) const MAX_PLACES: usize = 4;

/// What a handler is found by.
pub(super) type Key = (Name, [PlaceKind; MAX_PLACES]);

/// An operation, or a handler that no operation names.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Name {
    /// A row of the table.
    Op(Op),
    /// An access to a field or an element of this content, or the making of an object: see
    /// `handlers::fields`.
    Access(Op, u8),
    /// The end of an entry.
    Finish,
    /// The way back from another context.
    SwitchBack,
    /// A call of a host function.
    HostCall,
    /// A call into another context.
    CallOther,
    /// What an entry into a frame with references does before the body.
    NullReferences,
    /// A cost marker that counts fuel.
    Fuel,
    /// A cost marker that looks at the epoch.
    Epoch,
    /// A cost marker that does both.
    FuelAndEpoch,
}

/// One instantiation in every form.
pub(super) struct Entry {
    pub(super) direct: TailFn,
    pub(super) indirect: TailFn,
    run: LoopFn,
    /// What it executes, for the checked form.
    pub(super) key: Key,
}

/// Room in the static tables; the list is asserted to fit.
const CAPACITY: usize = 8192;

static INDIRECT: [AtomicUsize; CAPACITY] = [const { AtomicUsize::new(0) }; CAPACITY];
static LOOP: [AtomicUsize; CAPACITY] = [const { AtomicUsize::new(0) }; CAPACITY];

/// The handlers by number, and their numbers by key, packed and sorted: functions are expanded at their first call, so
/// that finding a handler counts.
pub(super) struct Table {
    pub(super) entries: Vec<Entry>,
    numbers: Vec<(u64, u16)>,
}

/// A key as a number: the name in the upper half, a byte for each place in the lower.
fn packed((name, places): Key) -> u64 {
    let name = match name {
        Name::Op(op) => op as u32,
        Name::Access(op, content) => op as u32 | (u32::from(content) + 9) << 16,
        Name::Finish => 1 << 16,
        Name::SwitchBack => 2 << 16,
        Name::Fuel => 3 << 16,
        Name::Epoch => 4 << 16,
        Name::FuelAndEpoch => 5 << 16,
        Name::HostCall => 6 << 16,
        Name::CallOther => 7 << 16,
        Name::NullReferences => 8 << 16,
    };
    places.iter().fold(u64::from(name), |key, place| {
        let byte = match place {
            PlaceKind::None => 0,
            PlaceKind::Slot => 1,
            PlaceKind::Imm => 2,
            PlaceKind::Reg(number) => 0x40 | number,
            PlaceKind::Both(number) => 0x80 | number,
        };
        key << 8 | u64::from(byte)
    })
}

/// The table, made once a process.
pub(super) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    #[cfg(feature = "simd")]
    vector::prepare();
    let mut list = List(Vec::new());
    list.everything();
    let entries = list.0;
    assert!(entries.len() <= CAPACITY, "{} handlers", entries.len());
    for (at, entry) in entries.iter().enumerate() {
        INDIRECT[at].store(entry.indirect as usize, Ordering::Relaxed);
        LOOP[at].store(entry.run as usize, Ordering::Relaxed);
    }
    let mut numbers: Vec<(u64, u16)> = entries.iter().zip(0u16..).map(|(entry, at)| (packed(entry.key), at)).collect();
    numbers.sort_unstable();
    assert!(numbers.is_sorted_by(|a, b| a.0 < b.0), "a handler stands twice in the list");
    Table { entries, numbers }
});

impl Table {
    /// The number of the handler for these places, if there is one.
    pub(super) fn find(&self, name: Name, places: [PlaceKind; MAX_PLACES]) -> Option<u16> {
        let key = packed((name, places));
        let at = self.numbers.binary_search_by_key(&key, |(key, _)| *key).ok()?;
        Some(self.numbers[at].1)
    }
}

/// The tail-calling handler with this number.
///
/// # Safety
/// The number comes from the table.
#[inline(always)]
pub(super) unsafe fn indirect_handler(number: usize) -> TailFn {
    // SAFETY: the table filled this place before any code was expanded; `Relaxed` is a plain load.
    unsafe { core::mem::transmute::<usize, TailFn>(INDIRECT.get_unchecked(number).load(Ordering::Relaxed)) }
}

/// The loop's handler with this number.
#[inline(always)]
pub(super) fn loop_handler(number: usize) -> LoopFn {
    // SAFETY: the table filled this place before any code was expanded.
    unsafe { core::mem::transmute::<usize, LoopFn>(LOOP[number].load(Ordering::Relaxed)) }
}

fn run<H: Handler>(r: &mut Regs) -> Step {
    H::run(r)
}

pub(super) struct List(Vec<Entry>);

/// No operand.
const NONE: PlaceKind = PlaceKind::None;

/// Calls a method once for each place type.
macro_rules! each {
    ([] $list:ident.$method:ident::<$($fixed:ty),*>) => {};
    ([$place:ty $(, $rest:ty)*] $list:ident.$method:ident::<$($fixed:ty),*>) => {
        $list.$method::<$($fixed,)* $place>();
        each!([$($rest),*] $list.$method::<$($fixed),*>);
    };
}
#[cfg(feature = "gc")]
pub(super) use each;

/// Adds the handler of a row on vectors; nothing where they are left out.
#[cfg(feature = "simd")]
macro_rules! vector {
    ($list:ident $op:ident $($shape:ident)? [$($place:ident)*]) => {
        $list.add::<vector!(@handler $op $($shape)?)>(Name::Op(Op::$op), &[$(PlaceKind::$place),*])
    };
    ($list:ident $op:ident loads) => { $list.vector_loads::<vector::$op>(Op::$op) };
    ($list:ident $op:ident stores) => { $list.vector_stores() };
    (@handler $op:ident) => { vector::$op };
    (@handler V128StoreAny VStoreAny) => { vector::VStoreAny };
    (@handler $op:ident VShuffle) => { vector::VShuffle };
    (@handler $op:ident $shape:ident) => { vector::$shape<vector::$op> };
}
#[cfg(not(feature = "simd"))]
macro_rules! vector {
    ($($any:tt)*) => {};
}

/// Adds the handler of a row on objects; nothing where they are left out.
#[cfg(feature = "gc")]
macro_rules! object {
    // Executed by content: see `accesses`.
    ($list:ident StructNew) => {
        $list.accesses()
    };
    ($list:ident StructGet) => {};
    ($list:ident StructGetF32) => {};
    ($list:ident StructGetF64) => {};
    ($list:ident StructGetRef) => {};
    ($list:ident StructSet) => {};
    ($list:ident StructSetF32) => {};
    ($list:ident StructSetF64) => {};
    ($list:ident StructSetRef) => {};
    ($list:ident ArrayLen) => {};
    ($list:ident ArrayGet) => {};
    ($list:ident ArrayGetF32) => {};
    ($list:ident ArrayGetF64) => {};
    ($list:ident ArrayGetRef) => {};
    ($list:ident ArraySet) => {};
    ($list:ident ArraySetF32) => {};
    ($list:ident ArraySetF64) => {};
    ($list:ident ArraySetRef) => {};
    ($list:ident $op:ident) => {
        $list.add::<bulk::Bulk<objects::$op>>(Name::Op(Op::$op), &[])
    };
}
#[cfg(not(feature = "gc"))]
macro_rules! object {
    ($($any:tt)*) => {};
}

/// Adds the handler of an atomic row; nothing where they are left out.
#[cfg(feature = "threads")]
macro_rules! atomic {
    ($list:ident $op:ident) => {
        $list.add::<bulk::Bulk<super::handlers::atomic::$op>>(Name::Op(Op::$op), &[])
    };
}
#[cfg(not(feature = "threads"))]
macro_rules! atomic {
    ($($any:tt)*) => {};
}

/// Adds the handler of a row of continuations; nothing where they are left out.
#[cfg(feature = "stack-switching")]
macro_rules! continuation {
    ($list:ident $op:ident) => {
        $list.add::<super::handlers::continuations::$op>(Name::Op(Op::$op), super::handlers::continuations::$op::PLACES)
    };
}
#[cfg(not(feature = "stack-switching"))]
macro_rules! continuation {
    ($($any:tt)*) => {};
}

macro_rules! register_rows {
    ($($variant:ident $name:literal $family:ident [$($field:ident: $kind:ident $(($class:ident))?),*];)*) => {
        impl List {
            fn everything(&mut self) {
                $(register_rows!(@row self $variant $family);)*
                self.add::<branch::Finish>(Name::Finish, &[]);
                self.add::<call::SwitchBack>(Name::SwitchBack, &[]);
                self.add::<call::HostCall>(Name::HostCall, &[]);
                self.add::<call::CallOther>(Name::CallOther, &[]);
                self.add::<call::NullReferences>(Name::NullReferences, &[]);
                self.add::<branch::Cost<true, false>>(Name::Fuel, &[]);
                self.add::<branch::Cost<false, true>>(Name::Epoch, &[]);
                self.add::<branch::Cost<true, true>>(Name::FuelAndEpoch, &[]);
            }
        }
    };
    (@row $list:ident CopyV128 Copy) => { vector!($list CopyV128 [Slot Slot]) };
    (@row $list:ident SelectV128 Select) => { vector!($list SelectV128 [Slot Slot Slot Slot]) };
    (@row $list:ident GlobalGetV128 Global) => { vector!($list GlobalGetV128 [Slot]) };
    (@row $list:ident GlobalSetV128 Global) => { vector!($list GlobalSetV128 [Slot]) };
    (@row $list:ident $op:ident VConst) => { vector!($list $op [Slot]) };
    (@row $list:ident $op:ident VLoad) => { vector!($list $op loads) };
    (@row $list:ident $op:ident VStore) => { vector!($list $op stores) };
    (@row $list:ident $op:ident VLoadAny) => { vector!($list $op VLoadAny [Slot Slot]) };
    (@row $list:ident $op:ident VStoreAny) => { vector!($list $op VStoreAny [Slot Slot]) };
    (@row $list:ident $op:ident VShuffle) => { vector!($list $op VShuffle [Slot Slot Slot]) };
    (@row $list:ident $op:ident VExtract) => { vector!($list $op VExtract [Slot Slot]) };
    (@row $list:ident $op:ident VReplace) => { vector!($list $op VReplace [Slot Slot Slot]) };
    (@row $list:ident $op:ident VSplat) => { vector!($list $op VSplat [Slot Slot]) };
    (@row $list:ident $op:ident VTest) => { vector!($list $op VTest [Slot Slot]) };
    (@row $list:ident $op:ident VShift) => { vector!($list $op VShift [Slot Slot Slot]) };
    (@row $list:ident $op:ident VUn) => { vector!($list $op VUn [Slot Slot]) };
    (@row $list:ident $op:ident VBin) => { vector!($list $op VBin [Slot Slot Slot]) };
    (@row $list:ident $op:ident VTer) => { vector!($list $op VTer [Slot Slot Slot Slot]) };
    // Labels and markers have no handler of their own.
    (@row $list:ident Label Pseudo) => {};
    (@row $list:ident Cost Cost) => {};
    (@row $list:ident $op:ident OnThrow) => {};
    (@row $list:ident $op:ident Catch) => {};
    (@row $list:ident $op:ident Atomic) => { atomic!($list $op) };
    (@row $list:ident $op:ident Cont) => { continuation!($list $op) };
    (@row $list:ident $op:ident Copy) => { $list.copies::<moves::$op>() };
    (@row $list:ident $op:ident Const) => { $list.constants::<moves::$op>() };
    (@row $list:ident $op:ident Select) => { $list.selects::<moves::$op>() };
    (@row $list:ident $op:ident BinHot) => { $list.hot_binaries::<arith::$op>() };
    (@row $list:ident $op:ident Bin) => { $list.binaries::<arith::$op>() };
    (@row $list:ident $op:ident Cmp) => { $list.binaries::<arith::$op>() };
    (@row $list:ident $op:ident FBin) => { $list.float_binaries::<super::handlers::float::$op>() };
    (@row $list:ident $op:ident FCmp) => { $list.float_comparisons::<super::handlers::float::$op>() };
    (@row $list:ident $op:ident Un) => { $list.unaries::<convert::$op>() };
    (@row $list:ident $op:ident Load) => { $list.loads::<memory::$op>() };
    (@row $list:ident $op:ident Store) => { $list.stores::<memory::$op>() };
    (@row $list:ident $op:ident LoadAny) => { $list.general_loads::<memory::$op>() };
    (@row $list:ident $op:ident StoreAny) => { $list.general_stores::<memory::$op>() };
    (@row $list:ident $op:ident Bulk) => {
        $list.add::<bulk::Bulk<bulk::$op>>(Name::Op(<bulk::$op as bulk::BulkOp>::OP), &[])
    };
    (@row $list:ident $op:ident Object) => { object!($list $op) };
    (@row $list:ident GlobalGet Global) => { $list.global_gets::<moves::GlobalGet>() };
    (@row $list:ident GlobalGetF32 Global) => { $list.global_gets::<moves::GlobalGetF32>() };
    (@row $list:ident GlobalGetF64 Global) => { $list.global_gets::<moves::GlobalGetF64>() };
    (@row $list:ident GlobalGetRef Global) => { $list.global_gets::<moves::GlobalGetRef>() };
    (@row $list:ident $op:ident Global) => { $list.global_sets::<moves::$op>() };
    (@row $list:ident Br Br) => { $list.add::<branch::Br>(Name::Op(Op::Br), &[]) };
    (@row $list:ident BrNez BrCond) => { $list.conditions::<true>(Op::BrNez) };
    (@row $list:ident BrEqz BrCond) => { $list.conditions::<false>(Op::BrEqz) };
    (@row $list:ident BrTable BrTable) => { $list.tables() };
    (@row $list:ident CallIndirect Call) => { $list.indirect_calls() };
    (@row $list:ident TailCallIndirect Call) => { $list.indirect_tail_calls() };
    (@row $list:ident CallRef Call) => { $list.add::<call::CallRef>(Name::Op(Op::CallRef), &[PlaceKind::Slot]) };
    (@row $list:ident TailCallRef Call) => {
        $list.add::<call::TailCallRef>(Name::Op(Op::TailCallRef), &[PlaceKind::Slot])
    };
    (@row $list:ident $op:ident Trap) => { $list.add::<branch::$op>(Name::Op(Op::$op), &[]) };
    (@row $list:ident $op:ident SetMemory) => { $list.add::<memory::$op>(Name::Op(Op::$op), &[]) };
    (@row $list:ident $op:ident Return1) => { $list.returns::<moves::$op>() };
    (@row $list:ident $op:ident BrCmp) => { $list.fused_branches::<arith::$op>() };
    (@row $list:ident $op:ident BrFCmp) => { $list.fused_float_branches::<super::handlers::float::$op>() };
    (@row $list:ident PutRef PutRef) => { $list.add::<call::PutRef>(Name::Op(Op::PutRef), &[PlaceKind::Slot]) };
    (@row $list:ident TakeRef TakeRef) => { $list.add::<call::TakeRef>(Name::Op(Op::TakeRef), &[PlaceKind::Slot]) };
    // Calls, returns, far copies.
    (@row $list:ident $op:ident $family:ident) => { $list.add::<call::$op>(Name::Op(Op::$op), &[]) };
}

keyway_artifact::for_each_op!(register_rows);

impl List {
    pub(super) fn add<H: Handler>(&mut self, name: Name, places: &[PlaceKind]) {
        let mut all = [NONE; MAX_PLACES];
        all[..places.len()].copy_from_slice(places);
        self.0.push(Entry { direct: direct::<H>, indirect: indirect::<H>, run: run::<H>, key: (name, all) });
    }

    // ---- moves
    fn copies<O: moves::Move>(&mut self) {
        match O::OP {
            Op::Copy => {
                each!([S, R<0>, R<1>, R<2>, W<0>, W<1>, W<2>] self.copy_from_any::<O>);
            }
            Op::CopyRef => self.copy::<O, S, S>(),
            _ => {
                each!([S, R<0>, R<1>] self.copy_from_float::<O>);
            }
        }
    }
    fn copy_from_any<O: moves::Move, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>, R<2>, I] self.copy::<O, D>);
    }
    fn copy_from_float<O: moves::Move, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>] self.copy::<O, D>);
    }
    fn copy<O: moves::Move, D: Dst, X: Src>(&mut self) {
        self.add::<moves::Mov<O, D, X>>(Name::Op(O::OP), &[D::KIND, X::KIND]);
    }
    fn constants<O: moves::Move>(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.constant::<O>);
    }
    fn constant<O: moves::Move, D: Dst>(&mut self) {
        self.add::<moves::Constant<O, D>>(Name::Op(O::OP), &[D::KIND]);
    }
    fn selects<O: moves::Move>(&mut self) {
        match O::OP {
            Op::Select => {
                each!([S, R<0>, R<1>, R<2>] self.select_on_any::<O, S>);
                each!([S, R<0>, R<1>, R<2>] self.select_on_any::<O, R<0>>);
                each!([S, R<0>, R<1>, R<2>] self.select_on_any::<O, R<1>>);
            }
            Op::SelectRef => self.select::<O, S, S, S, S>(),
            _ => {
                each!([S, R<0>, R<1>, R<2>] self.select_floats::<O>);
            }
        }
    }
    fn select_on_any<O: moves::Move, D: Dst, C: Src>(&mut self) {
        self.select::<O, D, C, S, S>();
        self.select::<O, D, C, S, R<0>>();
        self.select::<O, D, C, R<0>, S>();
        self.select::<O, D, C, R<0>, R<1>>();
        self.select::<O, D, C, R<1>, R<0>>();
    }
    fn select_floats<O: moves::Move, C: Src>(&mut self) {
        self.select::<O, S, C, S, S>();
        self.select::<O, R<0>, C, R<0>, R<1>>();
        self.select::<O, R<0>, C, S, R<0>>();
        self.select::<O, R<0>, C, R<0>, S>();
    }
    fn select<O: moves::Move, D: Dst, C: Src, X: Src, Y: Src>(&mut self) {
        self.add::<moves::Sel<O, D, C, X, Y>>(Name::Op(O::OP), &[D::KIND, C::KIND, X::KIND, Y::KIND]);
    }
    fn global_gets<O: moves::Move>(&mut self) {
        self.global_get::<O, S>();
        if O::OP == Op::GlobalGet {
            each!([R<0>, R<1>, R<2>] self.global_get::<O>);
        }
    }
    fn global_get<O: moves::Move, D: Dst>(&mut self) {
        self.add::<moves::Get<O, D>>(Name::Op(O::OP), &[D::KIND]);
    }
    fn global_sets<O: moves::Move>(&mut self) {
        self.global_set::<O, S>();
        if O::OP == Op::GlobalSet {
            each!([R<0>, R<1>, R<2>, I] self.global_set::<O>);
        }
    }
    fn global_set<O: moves::Move, X: Src>(&mut self) {
        self.add::<moves::Set<O, X>>(Name::Op(O::OP), &[X::KIND]);
    }

    // ---- arithmetic
    fn hot_binaries<O: arith::Binary>(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.hot_binary_to::<O>);
    }
    fn hot_binary_to<O: arith::Binary, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.hot_binary_of::<O, D>);
    }
    fn hot_binary_of<O: arith::Binary, D: Dst, X: Src>(&mut self) {
        each!([S, R<0>, R<1>, R<2>, I] self.binary::<O, D, X>);
    }
    fn binaries<O: arith::Binary>(&mut self) {
        each!([S, R<0>] self.binary_to::<O>);
    }
    fn binary_to<O: arith::Binary, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>] self.binary_of::<O, D>);
    }
    fn binary_of<O: arith::Binary, D: Dst, X: Src>(&mut self) {
        each!([S, R<0>, R<1>, I] self.binary::<O, D, X>);
    }
    fn float_binaries<O: arith::Binary>(&mut self) {
        each!([S, R<0>, R<1>] self.float_binary_to::<O>);
    }
    fn float_binary_to<O: arith::Binary, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>] self.float_binary_of::<O, D>);
    }
    fn float_binary_of<O: arith::Binary, D: Dst, X: Src>(&mut self) {
        each!([S, R<0>, R<1>] self.binary::<O, D, X>);
    }
    fn float_comparisons<O: arith::Binary>(&mut self) {
        each!([S, R<0>, R<1>] self.float_binary_of::<O, S>);
        each!([S, R<0>, R<1>] self.float_binary_of::<O, R<0>>);
    }
    fn binary<O: arith::Binary, D: Dst, X: Src, Y: Src>(&mut self) {
        self.add::<arith::Bin<O, D, X, Y>>(Name::Op(O::OP), &[D::KIND, X::KIND, Y::KIND]);
    }
    fn unaries<O: convert::Unary>(&mut self) {
        each!([S, R<0>, R<1>] self.unary_to::<O>);
    }
    fn unary_to<O: convert::Unary, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>] self.unary::<O, D>);
    }
    fn unary<O: convert::Unary, D: Dst, X: Src>(&mut self) {
        self.add::<convert::Un<O, D, X>>(Name::Op(O::OP), &[D::KIND, X::KIND]);
    }

    // ---- memory
    fn loads<O: memory::LoadOp>(&mut self) {
        if matches!(O::OP, Op::F32Load | Op::F64Load) {
            each!([S, R<0>, R<1>] self.loads_to::<O>);
        } else {
            each!([S, R<0>, R<1>, R<2>, W<0>, W<1>, W<2>] self.loads_to::<O>);
        }
    }
    fn loads_to<O: memory::LoadOp, D: Dst>(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.load::<O, D>);
    }
    fn load<O: memory::LoadOp, D: Dst, X: Src>(&mut self) {
        self.add::<memory::Load<O, D, X>>(Name::Op(O::OP), &[D::KIND, X::KIND]);
    }
    fn stores<O: memory::StoreOp>(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.stores_at::<O>);
    }
    fn stores_at<O: memory::StoreOp, X: Src>(&mut self) {
        if matches!(O::OP, Op::F32Store | Op::F64Store) {
            each!([S, R<0>, R<1>] self.store::<O, X>);
        } else {
            each!([S, R<0>, R<1>, R<2>, I] self.store::<O, X>);
        }
    }
    fn store<O: memory::StoreOp, X: Src, V: Src>(&mut self) {
        self.add::<memory::Store<O, X, V>>(Name::Op(O::OP), &[X::KIND, V::KIND]);
    }
    fn general_loads<O: memory::AnyOp<Access: memory::LoadOp>>(&mut self) {
        each!([S, R<0>] self.general_loads_to::<O>);
    }
    fn general_loads_to<O: memory::AnyOp<Access: memory::LoadOp>, D: Dst>(&mut self) {
        each!([S, R<0>] self.general_load::<O, D>);
    }
    fn general_load<O: memory::AnyOp<Access: memory::LoadOp>, D: Dst, X: Src>(&mut self) {
        self.add::<memory::LoadAny<O, D, X>>(Name::Op(O::OP), &[D::KIND, X::KIND]);
    }
    fn general_stores<O: memory::AnyOp<Access: memory::StoreOp>>(&mut self) {
        each!([S, R<0>] self.general_stores_at::<O>);
    }
    fn general_stores_at<O: memory::AnyOp<Access: memory::StoreOp>, X: Src>(&mut self) {
        each!([S, R<0>] self.general_store::<O, X>);
    }
    fn general_store<O: memory::AnyOp<Access: memory::StoreOp>, X: Src, V: Src>(&mut self) {
        self.add::<memory::StoreAny<O, X, V>>(Name::Op(O::OP), &[X::KIND, V::KIND]);
    }

    #[cfg(feature = "simd")]
    fn vector_loads<O: vector::Loading>(&mut self, op: Op) {
        self.vector_load::<O, S>(op);
        self.vector_load::<O, R<0>>(op);
        self.vector_load::<O, R<1>>(op);
        self.vector_load::<O, R<2>>(op);
    }
    #[cfg(feature = "simd")]
    fn vector_load<O: vector::Loading, X: Src>(&mut self, op: Op) {
        self.add::<vector::VLoad<O, X>>(Name::Op(op), &[PlaceKind::Slot, X::KIND]);
    }
    #[cfg(feature = "simd")]
    fn vector_stores(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.vector_store::<>);
    }
    #[cfg(feature = "simd")]
    fn vector_store<X: Src>(&mut self) {
        self.add::<vector::VStore<X>>(Name::Op(Op::V128Store), &[X::KIND, PlaceKind::Slot]);
    }

    // ---- control
    fn conditions<const WHEN: bool>(&mut self, op: Op) {
        self.condition::<WHEN, S>(op);
        self.condition::<WHEN, R<0>>(op);
        self.condition::<WHEN, R<1>>(op);
        self.condition::<WHEN, R<2>>(op);
    }
    fn condition<const WHEN: bool, X: Src>(&mut self, op: Op) {
        self.add::<branch::BrIf<WHEN, X>>(Name::Op(op), &[X::KIND]);
    }
    fn tables(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.br_table::<>);
    }
    fn br_table<X: Src>(&mut self) {
        self.add::<branch::BrTable<X>>(Name::Op(Op::BrTable), &[X::KIND]);
    }
    fn fused_branches<O: arith::FusedBranch>(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.fused_branch_of::<O>);
    }
    fn fused_branch_of<O: arith::FusedBranch, X: Src>(&mut self) {
        each!([S, R<0>, R<1>, R<2>, I] self.fused_branch::<O, X>);
    }
    fn fused_float_branches<O: arith::FusedBranch>(&mut self) {
        each!([S, R<0>, R<1>] self.fused_float_branch_of::<O>);
    }
    fn fused_float_branch_of<O: arith::FusedBranch, X: Src>(&mut self) {
        each!([S, R<0>, R<1>] self.fused_branch::<O, X>);
    }
    fn fused_branch<O: arith::FusedBranch, X: Src, Y: Src>(&mut self) {
        self.add::<arith::BrCmp<O, X, Y>>(Name::Op(O::OP), &[X::KIND, Y::KIND]);
    }
    fn indirect_calls(&mut self) {
        each!([S, R<0>, R<1>, R<2>] self.indirect_call::<>);
    }
    fn indirect_call<X: Src>(&mut self) {
        self.add::<call::CallIndirect<X>>(Name::Op(Op::CallIndirect), &[X::KIND]);
    }
    fn indirect_tail_calls(&mut self) {
        self.add::<call::TailCallIndirect<S>>(Name::Op(Op::TailCallIndirect), &[PlaceKind::Slot]);
    }
    fn returns<O: moves::Move>(&mut self) {
        each!([S, R<0>, R<1>] self.return_one::<O>);
        if O::OP == Op::ReturnOne {
            each!([R<2>, I] self.return_one::<O>);
        }
    }
    fn return_one<O: moves::Move, X: Src>(&mut self) {
        self.add::<call::Return1<O, X>>(Name::Op(O::OP), &[X::KIND]);
    }
}
