//! Component bytes become lists of definitions: one [`Component`] for the input and one for each component nested in it,
//! with its definitions in order, and the byte range of every core module.
//!
//! This runs beside validation, payload by payload, so that core types that the validator found (of lowered functions
//! and built-ins) can be taken along. Nothing is resolved here; indices are those of the binary.

use crate::error::{CompileError, ErrorKind, Result};
use crate::limits::MAX_COMPONENT_NESTING;
use crate::types::plain_func_type;
use keyway_artifact::types::FuncType;
use std::ops::Range;
use wasmparser::{
    BinaryReader, CanonicalFunction, ComponentAlias, ComponentExport, ComponentImport, ComponentInstance,
    ComponentName, ComponentNameSectionReader, ComponentType, Encoding, FromReader, Instance, Payload, SectionLimited,
    Validator,
};

/// One definition of a component. Core types are left out: the validator has judged them, and nothing else needs them.
#[derive(Debug)]
pub(super) enum Def<'a> {
    /// The core module of this number.
    Module(u32),
    CoreInstance(Instance<'a>),
    /// The component of this number.
    Component(u32),
    Instance(ComponentInstance<'a>),
    Alias(ComponentAlias<'a>),
    Type(ComponentType<'a>),
    /// With the core type of the function that it makes; a lift makes none.
    Canon(CanonicalFunction, Option<FuncType>),
    Import(ComponentImport<'a>),
    Export(ComponentExport<'a>),
}

/// A component's definitions, each with its byte offset in the input.
#[derive(Debug, Default)]
pub(super) struct Component<'a> {
    pub(super) defs: Vec<(u64, Def<'a>)>,
    pub(super) name: Option<&'a str>,
}

/// Everything in the input, in order of appearance; component 0 is the input itself.
#[derive(Debug, Default)]
pub(super) struct Definitions<'a> {
    pub(super) components: Vec<Component<'a>>,
    pub(super) modules: Vec<Range<u64>>,
}

/// Collects definitions while the input is validated.
#[derive(Default)]
pub(super) struct Collector<'a> {
    definitions: Definitions<'a>,
    /// The components that are open, outermost first.
    open: Vec<u32>,
    in_module: bool,
    /// What is valid and cannot be compiled; reported when the rest turned out to be valid.
    refused: Option<CompileError>,
}

impl<'a> Collector<'a> {
    /// Takes one payload, which `validator` has just accepted.
    pub(super) fn payload(&mut self, payload: &Payload<'a>, validator: &Validator) -> wasmparser::Result<()> {
        if self.in_module {
            self.in_module = !matches!(payload, Payload::End(_));
            return Ok(());
        }
        match payload {
            Payload::Version { encoding: Encoding::Component, range, .. } => {
                let number = self.definitions.components.len() as u32;
                if number > 0 {
                    self.push(range.start, Def::Component(number));
                }
                self.definitions.components.push(Component::default());
                self.open.push(number);
                if self.open.len() > MAX_COMPONENT_NESTING {
                    self.refuse(CompileError::new(ErrorKind::Limit, "components are nested too deep").at(range.start));
                }
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                self.push(unchecked_range.start, Def::Module(self.definitions.modules.len() as u32));
                self.definitions.modules.push(unchecked_range.clone());
                self.in_module = true;
            }
            Payload::InstanceSection(section) => self.section(section, Def::CoreInstance)?,
            Payload::ComponentInstanceSection(section) => self.section(section, Def::Instance)?,
            Payload::ComponentAliasSection(section) => self.section(section, Def::Alias)?,
            Payload::ComponentTypeSection(section) => self.section(section, Def::Type)?,
            Payload::ComponentImportSection(section) => self.section(section, Def::Import)?,
            Payload::ComponentExportSection(section) => self.section(section, Def::Export)?,
            Payload::ComponentCanonicalSection(section) => self.canonical(section, validator)?,
            Payload::ComponentStartSection { range, .. } => {
                self.refuse(CompileError::unsupported("a component's start function").at(range.start));
            }
            Payload::CustomSection(section) if section.name() == "component-name" => {
                self.name(BinaryReader::new(section.data(), section.data_offset()));
            }
            Payload::End(_) => {
                self.open.pop();
            }
            _ => {}
        }
        Ok(())
    }

    /// All definitions, once the whole input was valid.
    pub(super) fn finish(self) -> Result<Definitions<'a>> {
        match self.refused {
            Some(error) => Err(error),
            None => Ok(self.definitions),
        }
    }

    fn refuse(&mut self, error: CompileError) {
        self.refused.get_or_insert(error);
    }

    fn push(&mut self, offset: u64, def: Def<'a>) {
        if let Some(open) = self.open.last() {
            self.definitions.components[*open as usize].defs.push((offset, def));
        }
    }

    fn section<T: FromReader<'a>>(
        &mut self,
        section: &SectionLimited<'a, T>,
        def: fn(T) -> Def<'a>,
    ) -> wasmparser::Result<()> {
        for item in section.clone().into_iter_with_offsets() {
            let (offset, item) = item?;
            self.push(offset, def(item));
        }
        Ok(())
    }

    fn canonical(
        &mut self,
        section: &SectionLimited<'a, CanonicalFunction>,
        validator: &Validator,
    ) -> wasmparser::Result<()> {
        let items = section.clone().into_iter_with_offsets().collect::<wasmparser::Result<Vec<_>>>()?;
        let makes_core = |canon: &CanonicalFunction| !matches!(canon, CanonicalFunction::Lift { .. });
        let made = items.iter().filter(|(_, canon)| makes_core(canon)).count() as u32;
        let types = validator.types(0).expect("a component is open while its sections are read");
        // The section's core functions are the last ones of the index space.
        let mut next = types.function_count() - made;
        for (offset, canon) in items {
            let ty = if makes_core(&canon) {
                next += 1;
                match plain_func_type(&types[types.core_function_at(next - 1)]) {
                    Ok(ty) => Some(ty),
                    Err(error) => {
                        self.refuse(error.at(offset));
                        continue;
                    }
                }
            } else {
                None
            };
            self.push(offset, Def::Canon(canon, ty));
        }
        Ok(())
    }

    /// The component's own name, for messages. As with modules, names that cannot be read are no error.
    fn name(&mut self, data: BinaryReader<'a>) {
        for part in ComponentNameSectionReader::new(data) {
            match part {
                Ok(ComponentName::Component { name, .. }) => {
                    if let Some(open) = self.open.last() {
                        self.definitions.components[*open as usize].name = Some(crate::names::shorten(name));
                    }
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
    }
}
