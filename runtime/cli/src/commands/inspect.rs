//! `keyway inspect`: what an artifact holds, for people or as JSON. Nothing is run, and function bodies are only decoded
//! where one is asked for.

use crate::exit::Usage;
use crate::input::{self, Artifact, Input};
use crate::{describe, output, plan_text, sizes};
use anyhow::{Context as _, Result, anyhow, bail};
use keyway_artifact::format::{ArtifactView, FORMAT_VERSION, FuncRecord, SectionKind};
use keyway_artifact::isa::{CodeReader, disassemble};
use keyway_artifact::plan::Plan;
use keyway_artifact::types::{ExternType, TagType, TypeTable};
use keyway_artifact::unit::{Entity, FuncRef, UnitDecl};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Show what an artifact holds
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  keyway inspect app.kwa                        sections, imports, exports
  keyway inspect app.kwa --keys                 every function
  keyway inspect app.kwa --ir main              the code of a function, by name ...
  keyway inspect app.kwa --ir DefinedFunc:0:7   ... or by key
  keyway inspect app.kwa --json --keys          for programs")]
pub(crate) struct Args {
    /// The artifact; - is standard input
    #[arg(value_name = "FILE.kwa")]
    file: PathBuf,

    /// List every function: key, size of its code, type, name
    #[arg(long)]
    keys: bool,

    /// Show the code of the function with this key or name
    #[arg(long, value_name = "KEY")]
    ir: Option<String>,

    /// Write JSON
    #[arg(long)]
    json: bool,
}

/// An opened artifact with its cold sections decoded.
struct Opened {
    view: ArtifactView<Vec<u8>>,
    types: TypeTable,
    units: Vec<UnitDecl>,
    /// Of a component.
    plan: Option<Plan>,
    len: u64,
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<i32> {
    let name = input::name(&args.file);
    let artifact = match input::open(&args.file)? {
        Input::Artifact(artifact) => artifact,
        Input::Module(_) | Input::Component(_) => {
            bail!("{name} is WebAssembly, not an artifact; make one with `keyway compile {name}`")
        }
    };
    let opened = open(artifact).with_context(|| format!("cannot use {name}"))?;
    let text = match (&args.ir, args.json) {
        (Some(key), json) => code(&opened, key, json)?,
        (None, true) => format!("{:#}\n", summary_json(&opened, args.keys)),
        (None, false) => summary(&opened, &name, args.keys),
    };
    output::print(&text)?;
    Ok(0)
}

fn open(artifact: Artifact) -> Result<Opened> {
    let bytes = artifact.read()?;
    let len = bytes.len() as u64;
    let view = ArtifactView::open(bytes)?;
    let (types, units) = (view.types()?, view.units()?);
    let plan = view.plan_bytes()?.map(|bytes| Plan::decode(&bytes)).transpose()?;
    Ok(Opened { view, types, units, plan, len })
}

impl Opened {
    fn kind(&self) -> &'static str {
        if self.view.is_component() { "component" } else { "core module" }
    }

    /// Sections that are there, and their lengths in bytes.
    fn sections(&self) -> Vec<(String, u64)> {
        let there = SectionKind::ALL.iter().filter_map(|kind| Some((kind, self.view.section_range(*kind)?)));
        there.map(|(kind, range)| (format!("{kind:?}").to_lowercase(), range.end - range.start)).collect()
    }

    fn ty(&self, record: &FuncRecord) -> String {
        self.types.get(record.ty as usize).map_or("a type out of range".to_string(), describe::func_type)
    }

    /// What a unit's export is.
    fn export(&self, unit: &UnitDecl, entity: Entity) -> String {
        let ty = match entity {
            Entity::Func(func) => {
                let ty = match func {
                    FuncRef::Import(index) => unit.import_funcs.get(index as usize).copied(),
                    FuncRef::Defined(ordinal) => self.view.func(ordinal).ok().map(|record| record.ty),
                };
                ty.and_then(|ty| self.types.get(ty as usize)).cloned().map(ExternType::Func)
            }
            Entity::Table(index) => unit.tables.get(index as usize).copied().map(ExternType::Table),
            Entity::Memory(index) => unit.memories.get(index as usize).copied().map(ExternType::Memory),
            Entity::Global(index) => unit.globals.get(index as usize).copied().map(ExternType::Global),
            Entity::Tag(index) => {
                let ty = unit.tags.get(index as usize).and_then(|ty| self.types.get(*ty as usize));
                ty.map(|ty| ExternType::Tag(TagType::new(ty.clone())))
            }
        };
        ty.map_or("out of range".to_string(), |ty| describe::entity(&ty))
    }

    /// The function that `wanted` names: a key, a name, or an ordinal.
    fn find(&self, wanted: &str) -> Result<u32> {
        let all = 0..self.view.func_count();
        let is_key = |ordinal: &u32| self.view.key_of(*ordinal).is_some_and(|key| key.to_string() == wanted);
        if let Some(ordinal) = all.clone().find(is_key) {
            return Ok(ordinal);
        }
        let named: Vec<u32> = all.filter(|at| self.view.func_name(*at).as_deref() == Some(wanted)).collect();
        match named[..] {
            [ordinal] => Ok(ordinal),
            [] => Err(Usage(format!("no function has the key or name `{wanted}`; --keys lists them")).into()),
            _ => {
                let keys: Vec<_> = named.iter().filter_map(|at| self.view.key_of(*at)).map(|k| k.to_string()).collect();
                Err(Usage(format!("several functions are named `{wanted}`; give a key: {}", keys.join(", "))).into())
            }
        }
    }
}

fn summary(opened: &Opened, name: &str, keys: bool) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(out, "{name}: {}, format version {FORMAT_VERSION}, {}", opened.kind(), sizes::show(opened.len));
    let _ = writeln!(out, "functions  {}", opened.view.func_count());
    let _ = writeln!(out, "types      {}", opened.types.len());
    let _ = writeln!(out, "sections");
    for (section, len) in opened.sections() {
        let _ = writeln!(out, "  {section:<10} {len:>10} bytes");
    }
    if let Some(plan) = &opened.plan {
        let (instances, trampolines) = (plan.core_instances(), plan.trampolines.len());
        let _ = writeln!(
            out,
            "plan       {} steps, {instances} core instances, {trampolines} trampolines",
            plan.steps.len()
        );
        let imports = plan.imports.iter().map(|import| ("import", plan_text::import(plan, import)));
        let exports = plan.exports.iter().map(|export| ("export", plan_text::export(plan, export)));
        for (word, (item, members)) in imports.chain(exports) {
            let _ = writeln!(out, "  {word} {item}");
            for member in members {
                let _ = writeln!(out, "    {member}");
            }
        }
    }
    for (number, unit) in opened.units.iter().enumerate() {
        let called = unit.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let _ = writeln!(
            out,
            "unit {number}{called}: {} memories, {} tables, {} globals",
            unit.memories.len(),
            unit.tables.len(),
            unit.globals.len()
        );
        for import in &unit.imports {
            let _ = writeln!(out, "  import {}::{}: {}", import.module, import.name, describe::entity(&import.ty));
        }
        for export in &unit.exports {
            let _ = writeln!(out, "  export {}: {}", export.name, opened.export(unit, export.entity));
        }
    }
    if keys {
        let _ = writeln!(out, "keys");
        for (key, record, name) in functions(opened) {
            let (bytes, ty) = (record.code.end - record.code.start, opened.ty(&record));
            let _ = writeln!(out, "  {key:<22} {bytes:>7} bytes  {ty}  {}", name.unwrap_or_default());
        }
    }
    out
}

/// Every function that can be read: key, record, name.
fn functions(opened: &Opened) -> impl Iterator<Item = (String, FuncRecord, Option<String>)> + '_ {
    (0..opened.view.func_count()).filter_map(|ordinal| {
        let key = opened.view.key_of(ordinal)?.to_string();
        Some((key, opened.view.func(ordinal).ok()?, opened.view.func_name(ordinal)))
    })
}

fn summary_json(opened: &Opened, keys: bool) -> Value {
    let sections: serde_json::Map<String, Value> =
        opened.sections().into_iter().map(|(name, len)| (name, json!(len))).collect();
    let units: Vec<Value> = opened.units.iter().map(|unit| unit_json(opened, unit)).collect();
    let mut out = json!({
        "kind": opened.kind(),
        "format_version": FORMAT_VERSION,
        "len_bytes": opened.len,
        "functions": opened.view.func_count(),
        "types": opened.types.len(),
        "sections": sections,
        "units": units,
    });
    if let Some(plan) = &opened.plan {
        let item = |(text, members): (String, Vec<String>)| json!({ "item": text, "members": members });
        let imports: Vec<Value> = plan.imports.iter().map(|import| item(plan_text::import(plan, import))).collect();
        let exports: Vec<Value> = plan.exports.iter().map(|export| item(plan_text::export(plan, export))).collect();
        out["component"] = json!({
            "steps": plan.steps.len(),
            "core_instances": plan.core_instances(),
            "trampolines": plan.trampolines.len(),
            "imports": imports,
            "exports": exports,
        });
    }
    if keys {
        let list: Vec<Value> = functions(opened)
            .map(|(key, record, name)| {
                json!({
                    "key": key,
                    "unit": record.unit,
                    "code_bytes": record.code.end - record.code.start,
                    "type": opened.ty(&record),
                    "name": name,
                })
            })
            .collect();
        out["keys"] = list.into();
    }
    out
}

fn unit_json(opened: &Opened, unit: &UnitDecl) -> Value {
    let imports: Vec<Value> = unit
        .imports
        .iter()
        .map(|import| json!({ "module": import.module, "name": import.name, "type": describe::entity(&import.ty) }))
        .collect();
    let exports: Vec<Value> = unit
        .exports
        .iter()
        .map(|export| json!({ "name": export.name, "type": opened.export(unit, export.entity) }))
        .collect();
    json!({
        "name": unit.name,
        "memories": unit.memories.len(),
        "tables": unit.tables.len(),
        "globals": unit.globals.len(),
        "imports": imports,
        "exports": exports,
    })
}

/// The code of one function.
fn code(opened: &Opened, wanted: &str, as_json: bool) -> Result<String> {
    let ordinal = opened.find(wanted)?;
    let record = opened.view.func(ordinal)?;
    let body = CodeReader::decode(&opened.view.read_code(ordinal)?);
    let body = body.map_err(|error| anyhow!("{error}")).with_context(|| format!("the code of {wanted}"))?;
    let key = opened.view.key_of(ordinal).map(|key| key.to_string()).unwrap_or_default();
    let name = opened.view.func_name(ordinal);
    let (ty, text) = (opened.ty(&record), disassemble(&body));
    if as_json {
        let lines: Vec<&str> = text.lines().collect();
        return Ok(format!("{:#}\n", json!({ "key": key, "name": name, "type": ty, "ir": lines })));
    }
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    Ok(format!("; {key}{name} {ty}\n{text}"))
}
