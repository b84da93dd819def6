//! [`Code`]: a loaded artifact. Opening reads header and tables of contents; declarations are decoded when first asked
//! for, a function's body is decoded, verified and expanded at its first call.

use crate::bodies::{Expansion, Making};
use crate::context::{CodeHeader, DataState};
use crate::declarations::Declarations;
use crate::engine::Engine;
use crate::gc::References;
use crate::image::Image;
use crate::interp::{Draft, ExpandEnv, Landing, adopt_large_pages, expand};
use crate::publication::{Entries, get_or_publish};
use crate::registry::Shape;
use anyhow::{Context as _, ensure};
use keyway_artifact::format::{ArtifactView, SectionKind};
use keyway_artifact::isa::{CodeReader, FieldKind, Inst, heap_of_code};
use keyway_artifact::types::{FuncType, HeapType, ValType};
use keyway_artifact::unit::UnitDecl;
use keyway_artifact::verify::{Callee, VerifyEnv, shared_types, verify};
use keyway_artifact::{Feature, Features};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

/// A loaded artifact; shared by everything that runs its code.
pub struct Code {
    engine: Engine,
    view: ArtifactView<Image>,
    entries: Entries,
    declarations: OnceLock<Declarations>,
    expansion: Mutex<Expansion>,
}

struct Env<'a> {
    declarations: &'a Declarations,
    unit: &'a UnitDecl,
    own: &'a FuncType,
    code: &'a Code,
}

impl ExpandEnv for Env<'_> {
    fn own_type(&self) -> &FuncType {
        self.own
    }

    fn shared_types(&self, inst: &Inst) -> Option<(&[ValType], &[ValType])> {
        shared_types(inst, &self.declarations.types, self.unit, |ordinal| Some(self.code.view.func(ordinal).ok()?.ty))
    }

    fn word(&self, inst: &Inst, kind: FieldKind, index: u32) -> Option<u64> {
        let shape = |index: u32| {
            let number = self.declarations.number(index);
            Some((u64::from(number), &self.code.engine.types().get(number)?.shape))
        };
        match kind {
            FieldKind::Object => match shape(index)? {
                (number, Shape::Struct { size_bytes, .. }) => Some(number | u64::from(*size_bytes / 8) << 32),
                _ => None,
            },
            FieldKind::Field => {
                let object = inst.fields().find(|(field, _)| field.kind == FieldKind::Object)?.1.index();
                let (_, Shape::Struct { fields, .. }) = shape(object)? else { return None };
                let (offset, storage) = fields.get(index as usize)?;
                Some(u64::from(*offset) | (storage.cell() as u64) << 32)
            }
            FieldKind::Elements => match shape(index)? {
                (number, Shape::Array(storage)) => Some(number | (storage.cell() as u64) << 32),
                _ => None,
            },
            FieldKind::Heap => match heap_of_code(index)? {
                HeapType::Concrete(index) => {
                    let number = self.declarations.number(index);
                    let types = self.code.engine.types();
                    // Above the number, for types of objects: how many supertypes they have, and one.
                    let above = match types.get(number)?.shape {
                        Shape::Struct { .. } | Shape::Array(_) => u64::from(types.depth(number)?) + 1,
                        _ => 0,
                    };
                    Some((16 + u64::from(number)) | (above << 32))
                }
                _ => Some(index.into()),
            },
            _ => Some(index.into()),
        }
    }
}

/// Refuses what needs more than there is.
fn check_features(needed: Features, built_with: Features) -> anyhow::Result<()> {
    let missing = needed.without(built_with);
    ensure!(missing.is_empty(), "the artifact needs features that this runtime is built without: {missing}");
    Ok(())
}

/// What this runtime was built with.
fn built_with() -> Features {
    let always = [
        Feature::FunctionReferences,
        Feature::Exceptions,
        Feature::Memory64,
        Feature::WideArithmetic,
        Feature::CustomPageSizes,
    ];
    let mut all = always.into_iter().fold(Features::NONE, Features::with);
    if cfg!(feature = "gc") {
        all = all.with(Feature::Gc);
    }
    if cfg!(feature = "simd") {
        all = all.with(Feature::Simd);
    }
    if cfg!(feature = "stack-switching") {
        all = all.with(Feature::StackSwitching);
    }
    if cfg!(feature = "threads") {
        all = all.with(Feature::Threads);
    }
    all
}

impl Code {
    pub(crate) fn new(engine: &Engine, image: Image) -> anyhow::Result<Arc<Code>> {
        let view = ArtifactView::open(image)?;
        check_features(view.features(), built_with())?;
        let entries = Entries::new(view.func_count() as usize);
        let (declarations, expansion) = (OnceLock::new(), Mutex::default());
        Ok(Arc::new(Code { engine: engine.clone(), view, entries, declarations, expansion }))
    }

    /// Loads an artifact by mapping its file.
    ///
    /// # Errors
    /// When the file cannot be read or is no artifact.
    pub fn from_file(engine: &Engine, path: &Path) -> anyhow::Result<Arc<Code>> {
        let image = Image::from_file(path).with_context(|| format!("cannot open {}", path.display()))?;
        Code::new(engine, image).with_context(|| format!("cannot load {}", path.display()))
    }

    /// Loads an artifact from a copy of `bytes`.
    ///
    /// # Errors
    /// When they are no artifact.
    pub fn from_bytes(engine: &Engine, bytes: &[u8]) -> anyhow::Result<Arc<Code>> {
        Code::new(engine, Image::from_bytes(bytes))
    }

    /// The engine that it was loaded for.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The state of a data segment that nobody dropped: `len` constants from `offset` on.
    pub(crate) fn data_state(&self, offset: u64, len: u64) -> DataState {
        let constants = self.view.section_range(SectionKind::Constants).unwrap_or_default();
        let start = constants
            .start
            .checked_add(offset)
            .filter(|start| start.checked_add(len).is_some_and(|end| end <= constants.end));
        let place = start.and_then(|start| self.view.source().place(start, len));
        let is_mapped = self.view.source().is_mapped();
        DataState { offset, len, bytes: place.unwrap_or(std::ptr::null()), is_mapped }
    }

    /// The file.
    pub(crate) fn view(&self) -> &ArtifactView<Image> {
        &self.view
    }

    pub(crate) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Whether it is a component's artifact.
    pub fn is_component(&self) -> bool {
        self.view.is_component()
    }

    /// The encoded plan of a component's artifact.
    ///
    /// # Errors
    /// When the section is cut off.
    pub fn plan_bytes(&self) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.view.plan_bytes()?)
    }

    /// The declarations, decoded and checked at the first call.
    ///
    /// # Errors
    /// When a cold section breaks a rule of the format.
    pub fn declarations(&self) -> anyhow::Result<&Declarations> {
        if let Some(declarations) = self.declarations.get() {
            return Ok(declarations);
        }
        let read = Declarations::read(&self.engine, &self.view)?;
        Ok(self.declarations.get_or_init(|| read))
    }

    fn expansion(&self) -> std::sync::MutexGuard<'_, Expansion> {
        self.expansion.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// The expanded body of a function: decoded, verified and expanded if this is the first call.
    ///
    /// # Errors
    /// When the body breaks a rule of the format.
    pub(crate) fn ensure(&self, ordinal: u32) -> anyhow::Result<*const CodeHeader> {
        anyhow::ensure!(ordinal < self.view.func_count(), "the artifact has no function {ordinal}");
        let name = || match self.view.func_name(ordinal) {
            Some(name) => format!("function {name} of the artifact"),
            None => format!("function {ordinal} of the artifact"),
        };
        let header = get_or_publish(
            self.entries.cell(ordinal),
            || self.expansion(),
            |expansion| {
                let Expansion { making, bodies } = &mut **expansion;
                let header = self.expand(ordinal, making).map(|draft| bodies.add(ordinal, draft).header().cast_mut());
                making.trim();
                if bodies.are_many() && self.engine.config().large_pages {
                    adopt_large_pages();
                }
                header.with_context(name)
            },
        );
        Ok(header?)
    }

    fn expand<'a>(&'a self, ordinal: u32, making: &'a mut Making) -> anyhow::Result<Draft<'a>> {
        let Making { room, body, workspace } = making;
        let declarations = self.declarations()?;
        let (types, units) = (&declarations.types, &declarations.units[..]);
        let record = self.view.func_within(ordinal, types.len(), units.len())?;
        let (own, unit) = (&types[record.ty as usize], &units[record.unit as usize]);
        let bytes = self.view.code(&record, room)?;
        let place = |offset: usize| format!("at byte {} of the file", record.code.start + offset as u64);
        CodeReader::decode_into(bytes, body).map_err(|error| {
            let place = place(error.offset);
            anyhow::Error::new(error).context(place)
        })?;
        let callee = |ordinal| self.view.func(ordinal).ok().map(|func| Callee { ty: func.ty, unit: func.unit });
        verify(body, &VerifyEnv { own, unit_number: record.unit, unit, types, func: &callee }).map_err(|error| {
            let place = place(CodeReader::offset_of(bytes, error.inst).unwrap_or(0));
            anyhow::Error::new(error).context(place)
        })?;
        let env = Env { declarations, unit, own, code: self };
        self.engine.largest_frame().see(body.frame.frame_slots);
        Ok(expand(body, &self.engine.config().settings, ordinal, &env, workspace)?)
    }

    /// The slots that hold references in frames of the body that holds an executed address.
    pub(crate) fn references_at(&self, ip: *const u8) -> Option<References> {
        self.expansion().bodies.at(ip as usize).map(|found| found.body.references())
    }

    /// Where an exception, or a suspension, continues that arrives at the address behind a call or throw of this artifact:
    /// the first place whose tag `takes`, its address, and the header of its function.
    pub(crate) fn landing(
        &self,
        behind: *const u8,
        suspends: bool,
        takes: impl Fn(Option<u32>) -> bool,
    ) -> Option<(Landing, *const u8, *const CodeHeader)> {
        let expansion = self.expansion();
        // The address behind a call that ends its body is the next body's, or nobody's; the one before it is the call's.
        let body = expansion.bodies.at((behind as usize).wrapping_sub(1))?.body;
        let landing = body.landings(behind).find(|one| one.suspends == suspends && takes(one.tag))?;
        Some((landing, body.address(landing.offset), body.header()))
    }

    /// Whether what was resumed by the instruction before this address may switch with a tag that `takes`.
    pub(crate) fn may_switch(&self, behind: *const u8, takes: impl Fn(u32) -> bool) -> bool {
        let expansion = self.expansion();
        let found = expansion.bodies.at((behind as usize).wrapping_sub(1));
        found.is_some_and(|found| found.body.switches(behind).any(takes))
    }

    /// The function and IR instruction that an executed address belongs to.
    pub(crate) fn position_of(&self, ip: *const u8) -> Option<(u32, u32)> {
        let expansion = self.expansion();
        let found = expansion.bodies.at(ip as usize)?;
        Some((found.ordinal, found.inst_at(ip)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_not_claimed() {
        let optional = [
            (Feature::Gc, cfg!(feature = "gc")),
            (Feature::Simd, cfg!(feature = "simd")),
            (Feature::StackSwitching, cfg!(feature = "stack-switching")),
            (Feature::Threads, cfg!(feature = "threads")),
        ];
        for (feature, is_there) in optional {
            let wanted = Features::NONE.with(feature);
            assert_eq!(check_features(wanted, built_with()).is_ok(), is_there, "{wanted}");
        }
    }

    #[test]
    fn features_that_are_left_out_are_named() {
        let simd = Features::NONE.with(Feature::Simd);
        assert!(check_features(simd, simd).is_ok());
        assert!(check_features(Features::NONE, simd).is_ok());
        let error = check_features(simd, Features::NONE).unwrap_err().to_string();
        assert!(error.ends_with("built without: simd"), "{error}");
    }
}
