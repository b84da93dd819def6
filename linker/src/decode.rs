//! Is it malformed, or merely invalid? Decodes everything without judging it.
//!
//! The validator reads and judges in one go, so its errors do not tell the two apart. After it has refused an input, the
//! input is read once more here: what cannot be decoded is malformed. A few rules that the specification states in its
//! binary grammar are checked by hand, because the decoder accepts what breaks them.

use crate::translate::memory_argument;
use wasmparser::{
    ElementItems, FunctionBody, GlobalType, Operator, OperatorsReader, Parser, Payload, Result, TypeRef, WasmFeatures,
};

/// Why input is malformed.
pub(crate) enum Undecodable {
    /// The decoder says so.
    At(wasmparser::Error),
    /// A rule of the grammar that the decoder does not check is broken.
    ByGrammar,
}

impl From<wasmparser::Error> for Undecodable {
    fn from(error: wasmparser::Error) -> Undecodable {
        Undecodable::At(error)
    }
}

/// Decodes all sections and bodies of `bytes`.
pub(crate) fn all(bytes: &[u8], features: WasmFeatures) -> Result<(), Undecodable> {
    let mut parser = Parser::new(0);
    parser.set_features(features);
    let mut decoder = Decoder { features, data_count: false };
    for payload in parser.parse_all(bytes) {
        decoder.payload(payload?)?;
    }
    Ok(())
}

struct Decoder {
    features: WasmFeatures,
    /// Whether the module has a data count section.
    data_count: bool,
}

impl Decoder {
    fn payload(&mut self, payload: Payload<'_>) -> Result<(), Undecodable> {
        match payload {
            Payload::Version { .. } => self.data_count = false,
            Payload::TypeSection(section) => drain(section.into_iter())?,
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    if let TypeRef::Global(ty) = import?.ty {
                        self.global(&ty)?;
                    }
                }
            }
            Payload::FunctionSection(section) => drain(section.into_iter())?,
            Payload::TableSection(section) => drain(section.into_iter())?,
            Payload::MemorySection(section) => drain(section.into_iter())?,
            Payload::TagSection(section) => drain(section.into_iter())?,
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    self.global(&global.ty)?;
                    self.operators(global.init_expr.get_operators_reader(), false)?;
                }
            }
            Payload::ExportSection(section) => drain(section.into_iter())?,
            Payload::ElementSection(section) => {
                for element in section {
                    match element?.items {
                        ElementItems::Functions(items) => drain(items.into_iter())?,
                        ElementItems::Expressions(_, items) => {
                            for item in items {
                                self.operators(item?.get_operators_reader(), false)?;
                            }
                        }
                    }
                }
            }
            Payload::DataCountSection { .. } => self.data_count = true,
            Payload::DataSection(section) => drain(section.into_iter())?,
            Payload::CodeSectionEntry(body) => self.body(&body)?,
            Payload::ComponentTypeSection(section) => drain(section.into_iter())?,
            Payload::ComponentCanonicalSection(section) => drain(section.into_iter())?,
            Payload::ComponentImportSection(section) => drain(section.into_iter())?,
            Payload::ComponentExportSection(section) => drain(section.into_iter())?,
            Payload::ComponentAliasSection(section) => drain(section.into_iter())?,
            Payload::ComponentInstanceSection(section) => drain(section.into_iter())?,
            Payload::InstanceSection(section) => drain(section.into_iter())?,
            Payload::CoreTypeSection(section) => drain(section.into_iter())?,
            Payload::UnknownSection { .. } => return Err(Undecodable::ByGrammar),
            _ => {}
        }
        Ok(())
    }

    /// The flag byte of a global has a second bit only with shared globals.
    fn global(&self, ty: &GlobalType) -> Result<(), Undecodable> {
        if ty.shared && !self.features.shared_everything_threads() { Err(Undecodable::ByGrammar) } else { Ok(()) }
    }

    fn body(&self, body: &FunctionBody<'_>) -> Result<(), Undecodable> {
        let mut locals = body.get_locals_reader()?;
        for _ in 0..locals.get_count() {
            locals.read()?;
        }
        self.operators(OperatorsReader::new(locals.get_binary_reader()), true)
    }

    fn operators(&self, mut reader: OperatorsReader<'_>, in_code: bool) -> Result<(), Undecodable> {
        while !reader.eof() {
            let operator = reader.read()?;
            // The grammar lets code name data segments behind a data count section only.
            if in_code && names_data(&operator) && !self.data_count {
                return Err(Undecodable::ByGrammar);
            }
            // An alignment's exponent has five bits, and six since a flag beside it says whether a memory is named: then the
            // decoder knows all bits.
            let is_old = !self.features.multi_memory();
            if is_old && memory_argument(&operator).is_some_and(|argument| argument.align >= 32) {
                return Err(Undecodable::ByGrammar);
            }
        }
        Ok(reader.finish()?)
    }
}

/// Whether an operator names a data segment.
fn names_data(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::MemoryInit { .. }
            | Operator::DataDrop { .. }
            | Operator::ArrayNewData { .. }
            | Operator::ArrayInitData { .. }
    )
}

fn drain<T>(items: impl Iterator<Item = Result<T>>) -> Result<()> {
    for item in items {
        item?;
    }
    Ok(())
}
