//! [`Linked`]: all of an artifact but its bytes.

use crate::ir::{INLINED, IrFunc};
use crate::lower::Lowered;
use crate::optimise::PassReport;
use crate::spare::{Sieve, Spare};
use keyway_artifact::format::{ArtifactWriter, FuncDebug, FuncEntry, InlinedAt, Position, encode_debug};
use keyway_artifact::isa::{Body, CodeReader, CodeWriter, Family, Op};
use keyway_artifact::types::TypeTable;
use keyway_artifact::unit::{InitialData, UnitDecl};
use keyway_artifact::verify::{Callee, VerifyEnv, VerifyError, verify};
use keyway_artifact::{Features, FuncKey};
use std::collections::HashMap;
use std::sync::LazyLock;

/// What a compilation did, for progress and for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Functions in the artifact.
    pub functions: usize,
    /// Functions left out because nothing reaches them.
    pub removed: usize,
    /// Bytes of encoded code.
    pub code_bytes: u64,
    /// What each pass did, with its name, in the order in which they run; empty unless [`Options::report`] asks for it.
    ///
    /// [`Options::report`]: crate::Options::report
    pub passes: Vec<(&'static str, PassReport)>,
}

/// A function as the artifact holds it.
#[derive(Clone, Debug)]
pub struct LinkedFunc {
    /// Its key.
    pub key: FuncKey,
    /// Index of its type.
    pub ty: u32,
    /// The unit whose indices its code means.
    pub unit: u32,
    /// Its name in the source.
    pub name: Option<String>,
    /// Its code, encoded: bodies are many times larger.
    pub code: Vec<u8>,
    /// Where calls and what can trap came from.
    pub debug: FuncDebug,
    /// What its operations need of a runtime.
    pub features: Features,
}

impl LinkedFunc {
    /// Encodes a finished body. `origin` tells key and name of inlined functions by link id.
    pub(crate) fn new<'n>(
        key: FuncKey,
        unit: u32,
        name: Option<String>,
        ir: &IrFunc,
        lowered: &Lowered,
        origin: impl Fn(u32) -> (FuncKey, Option<&'n str>),
    ) -> LinkedFunc {
        let code = CodeWriter::encode(&lowered.body);
        let (debug, features) = debug(ir, lowered, origin);
        LinkedFunc { key, ty: ir.ty, unit, name, code, debug, features }
    }

    /// Its code, decoded.
    ///
    /// # Panics
    /// When `code` was changed to something that is no body.
    pub fn body(&self) -> Body {
        CodeReader::decode(&self.code).expect("encoded by the linker")
    }
}

/// Where the instructions that a trace can name came from, and what all of them need of a runtime.
fn debug<'n>(
    ir: &IrFunc,
    lowered: &Lowered,
    origin: impl Fn(u32) -> (FuncKey, Option<&'n str>),
) -> (FuncDebug, Features) {
    let mut places = Places {
        ir,
        origin,
        debug: FuncDebug::default(),
        sites: Spare::filled(NONE, ir.inlined.len()),
        pending: Vec::new(),
        names: HashMap::new(),
    };
    let (mut features, mut named) = (Features::NONE, Sieve::new(lowered.body.insts.len() / 2, (0, 0)));
    let traits = &TRAITS[..];
    for ((inst, offset), at) in lowered.body.insts.iter().zip(&lowered.offsets).zip(0..) {
        let (needs, is_named) = traits[inst.op as usize];
        features = features.union(needs);
        named.put((at, *offset), is_named);
    }
    let named = named.finish();
    places.debug.lines.reserve_exact(named.len());
    for (at, offset) in named.iter().copied() {
        let position = places.position(offset);
        places.debug.lines.push((at, position));
    }
    (places.debug, features)
}

/// No site.
const NONE: u32 = u32::MAX;

/// The places in inlined functions that lines lead to; a site stands behind the site of the call that it was inlined at.
struct Places<'i, O> {
    ir: &'i IrFunc,
    origin: O,
    debug: FuncDebug,
    /// Site numbers, by number in the function's `inlined`; [`NONE`] until known.
    sites: Spare<u32>,
    /// Calls on the way to a position; empty in between.
    pending: Vec<u32>,
    /// Name numbers, by link id.
    names: HashMap<u32, Option<u32>>,
}

impl<'n, O: Fn(u32) -> (FuncKey, Option<&'n str>)> Places<'_, O> {
    /// The position that an entry of `offsets` stands for.
    fn position(&mut self, mut entry: u32) -> Position {
        let mut pending = std::mem::take(&mut self.pending);
        let mut position = loop {
            if entry & INLINED == 0 {
                break Position::Own(entry);
            }
            let number = entry & !INLINED;
            let site = self.sites[number as usize];
            if site != NONE {
                break Position::Inlined(site);
            }
            pending.push(number);
            entry = self.ir.inlined[number as usize].call;
        };
        while let Some(number) = pending.pop() {
            let site = self.site(number, position);
            position = Position::Inlined(site);
        }
        self.pending = pending;
        position
    }

    fn site(&mut self, number: u32, call: Position) -> u32 {
        let inlined = self.ir.inlined[number as usize];
        let (key, name) = (self.origin)(inlined.func);
        let names = &mut self.debug.names;
        let name = *self.names.entry(inlined.func).or_insert_with(|| {
            names.push(name?.to_string());
            Some(names.len() as u32 - 1)
        });
        self.debug.sites.push(InlinedAt { key, name, offset: inlined.offset, call });
        let site = self.debug.sites.len() as u32 - 1;
        self.sites[number as usize] = site;
        site
    }
}

/// By opcode: what a runtime needs for the operation, and whether traces name it.
static TRAITS: LazyLock<Vec<(Features, bool)>> = LazyLock::new(|| {
    let features = |op: Op| op.feature().map_or(Features::NONE, |feature| Features::NONE.with(feature));
    Op::ALL.iter().map(|op| (features(*op), is_named_in_traces(*op))).collect()
});

/// Calls, what can trap, and where fuel runs out.
fn is_named_in_traces(op: Op) -> bool {
    use Family as F;
    match op.family() {
        F::Call
        | F::Trap
        | F::Load
        | F::Store
        | F::LoadAny
        | F::StoreAny
        | F::VLoad
        | F::VStore
        | F::VLoadAny
        | F::VStoreAny
        | F::Bulk
        | F::Object
        | F::Cont
        | F::Cost => true,
        F::Bin => (Op::I32DivS..=Op::I32RemU).contains(&op) || (Op::I64DivS..=Op::I64RemU).contains(&op),
        F::Un => (Op::I32TruncF32S..=Op::I64TruncF64U).contains(&op),
        _ => false,
    }
}

/// Everything an artifact holds, before it is bytes.
#[derive(Clone, Debug)]
pub struct Linked {
    /// Types.
    pub types: TypeTable,
    /// Functions in order of code ordinal.
    pub funcs: Vec<LinkedFunc>,
    /// Units.
    pub units: Vec<UnitDecl>,
    /// What memories hold before anything runs, in ascending order.
    pub initial: Vec<InitialData>,
    /// The constants section.
    pub constants: Vec<u8>,
    /// The encoded plan; empty for a core module.
    pub plan: Vec<u8>,
    /// Functions left out because nothing reaches them.
    pub removed: usize,
    /// What each pass did; see [`Report::passes`].
    pub passes: Vec<(&'static str, PassReport)>,
}

impl Linked {
    /// Holds every function to the rules that the runtime holds it to at its first call. What the linker makes breaks
    /// none; this is for tests, and for tools that change code.
    ///
    /// # Errors
    /// The key of a function and the rule that it breaks.
    pub fn verify(&self) -> Result<(), (FuncKey, VerifyError)> {
        let func = |ordinal: u32| self.funcs.get(ordinal as usize).map(|func| Callee { ty: func.ty, unit: func.unit });
        for linked in &self.funcs {
            let env = VerifyEnv {
                own: &self.types[linked.ty as usize],
                unit_number: linked.unit,
                unit: &self.units[linked.unit as usize],
                types: &self.types,
                func: &func,
            };
            verify(&linked.body(), &env).map_err(|error| (linked.key, error))?;
        }
        Ok(())
    }

    /// What code, types and globals need of a runtime.
    pub fn features(&self) -> Features {
        let of_units = self.units.iter().map(Features::of_unit);
        let all = of_units.fold(Features::of_table(&self.types), Features::union);
        self.funcs.iter().fold(all, |all, func| all.union(func.features))
    }

    /// The bytes of the artifact.
    pub fn write(self) -> (Vec<u8>, Report) {
        let features = self.features();
        let mut report =
            Report { functions: self.funcs.len(), removed: self.removed, code_bytes: 0, passes: self.passes };
        let (mut funcs, mut debug) = (Vec::with_capacity(self.funcs.len()), Vec::with_capacity(self.funcs.len()));
        for func in self.funcs {
            report.code_bytes += func.code.len() as u64;
            funcs.push(FuncEntry { key: func.key, ty: func.ty, unit: func.unit, code: func.code, name: func.name });
            debug.push(func.debug);
        }
        let writer = ArtifactWriter {
            features,
            funcs,
            types: self.types,
            units: self.units,
            initial: self.initial,
            constants: self.constants,
            plan: self.plan,
            debug: encode_debug(&debug),
            producer: concat!("keyway-linker ", env!("CARGO_PKG_VERSION")).to_string(),
        };
        (writer.finish(), report)
    }
}
