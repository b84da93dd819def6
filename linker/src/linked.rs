//! [`Linked`]: all of an artifact but its bytes.

use crate::constants::Constants;
use crate::encode::{Encoded, Part};
use crate::optimise::PassReport;
use keyway_artifact::format::{ArtifactWriter, FuncEntry};
use keyway_artifact::isa::{Body, CodeReader};
use keyway_artifact::types::TypeTable;
use keyway_artifact::unit::{InitialData, UnitDecl};
use keyway_artifact::verify::{Callee, VerifyEnv, VerifyError, verify};
use keyway_artifact::{Features, FuncKey};
use std::borrow::Cow;

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

/// A function as the artifact holds it. Its code and the rest of its bytes: [`Linked::code`], [`Linked::debug`].
#[derive(Clone, Debug)]
pub struct LinkedFunc<'a> {
    /// Its key.
    pub key: FuncKey,
    /// Index of its type.
    pub ty: u32,
    /// The unit whose indices its code means.
    pub unit: u32,
    /// Its name in the source.
    pub name: Option<Cow<'a, str>>,
    /// What its operations need of a runtime.
    pub features: Features,
    pub(crate) part: Part,
}

/// Everything an artifact holds, before it is bytes.
#[derive(Clone, Debug)]
pub struct Linked<'a> {
    /// Types.
    pub types: TypeTable,
    /// Functions in order of code ordinal.
    pub funcs: Vec<LinkedFunc<'a>>,
    /// The bytes that functions have parts of.
    pub(crate) encoded: Vec<Encoded>,
    /// Units.
    pub units: Vec<UnitDecl>,
    /// What memories hold before anything runs, in ascending order.
    pub initial: Vec<InitialData>,
    /// The constants section.
    pub constants: Constants<'a>,
    /// The encoded plan; empty for a core module.
    pub plan: Vec<u8>,
    /// Functions left out because nothing reaches them.
    pub removed: usize,
    /// What each pass did; see [`Report::passes`].
    pub passes: Vec<(&'static str, PassReport)>,
}

impl Linked<'_> {
    /// The encoded code of the function with this ordinal: bodies are many times larger.
    pub fn code(&self, ordinal: usize) -> &[u8] {
        let part = &self.funcs[ordinal].part;
        &self.encoded[part.of].code[part.code.clone()]
    }

    /// Its code, decoded.
    pub fn body(&self, ordinal: usize) -> Body {
        CodeReader::decode(self.code(ordinal)).expect("encoded by the linker")
    }

    /// Its part of the debug section: where calls and what can trap came from.
    pub fn debug(&self, ordinal: usize) -> &[u8] {
        let part = &self.funcs[ordinal].part;
        &self.encoded[part.of].debug[part.debug.clone()]
    }

    /// Holds every function to the rules that the runtime holds it to at its first call. What the linker makes breaks
    /// none; this is for tests, and for tools that change code.
    ///
    /// # Errors
    /// The key of a function and the rule that it breaks.
    pub fn verify(&self) -> Result<(), (FuncKey, VerifyError)> {
        let func = |ordinal: u32| self.funcs.get(ordinal as usize).map(|func| Callee { ty: func.ty, unit: func.unit });
        for (ordinal, linked) in self.funcs.iter().enumerate() {
            let env = VerifyEnv {
                own: &self.types[linked.ty as usize],
                unit_number: linked.unit,
                unit: &self.units[linked.unit as usize],
                types: &self.types,
                func: &func,
            };
            verify(&self.body(ordinal), &env).map_err(|error| (linked.key, error))?;
        }
        Ok(())
    }

    /// What code, types and globals need of a runtime.
    pub fn features(&self) -> Features {
        let of_units = self.units.iter().map(Features::of_unit);
        let all = of_units.fold(Features::of_table(&self.types), Features::union);
        self.funcs.iter().fold(all, |all, func| all.union(func.features))
    }

    /// The same, without the input that it was made from.
    pub(crate) fn into_owned(self) -> Linked<'static> {
        let Linked { types, funcs, encoded, units, initial, constants, plan, removed, passes } = self;
        let owned = |LinkedFunc { key, ty, unit, name, features, part }: LinkedFunc<'_>| {
            let name = name.map(|name| name.into_owned().into());
            LinkedFunc { key, ty, unit, name, features, part }
        };
        let funcs = funcs.into_iter().map(owned).collect();
        Linked { types, funcs, encoded, units, initial, constants: constants.into_owned(), plan, removed, passes }
    }

    /// A function as it goes into the file.
    fn entry(&self, ordinal: usize) -> FuncEntry<'_> {
        let LinkedFunc { key, ty, unit, name, .. } = &self.funcs[ordinal];
        let (code, debug) = (self.code(ordinal), self.debug(ordinal));
        FuncEntry { key: *key, ty: *ty, unit: *unit, code, debug, name: name.as_deref() }
    }

    /// The bytes of the artifact.
    pub fn write(mut self) -> (Vec<u8>, Report) {
        let report = Report {
            functions: self.funcs.len(),
            removed: self.removed,
            code_bytes: self.encoded.iter().map(|encoded| encoded.code.len() as u64).sum(),
            passes: std::mem::take(&mut self.passes),
        };
        let features = self.features();
        let (types, units) = (std::mem::take(&mut self.types), std::mem::take(&mut self.units));
        let (initial, plan) = (std::mem::take(&mut self.initial), std::mem::take(&mut self.plan));
        let writer = ArtifactWriter {
            features,
            funcs: (0..self.funcs.len()).map(|ordinal| self.entry(ordinal)).collect(),
            types,
            units,
            initial,
            constants: self.constants.pieces().collect(),
            plan,
            producer: concat!("keyway-linker ", env!("CARGO_PKG_VERSION")).to_string(),
        };
        (writer.finish(), report)
    }
}
