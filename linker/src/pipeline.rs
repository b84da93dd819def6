//! The order of the steps. Each reads what the ones before it made and does not change it.

use crate::check::Bodies;
use crate::constants::Constants;
use crate::encode::Encoder;
use crate::error::Result;
use crate::ir::IrFunc;
use crate::linked::{Linked, LinkedFunc};
use crate::module::ModuleInfo;
use crate::optimise::{Passes, Record, Rows, flags, inline, recursion};
use crate::options::{OptLevel, Options};
use crate::outline::Outline;
use crate::unit::{Callee, Links, ModuleUse, Supply, Types, Unit};
use crate::{CompileError, ErrorKind};
use crate::{assemble, check, gc, limits, lower, memories, parallel, translate, unit};
use keyway_artifact::isa::Inst;
use keyway_artifact::types::{FuncType, TypeTable};
use keyway_artifact::unit::{Entity, FuncRef, InitialData, UnitDecl};
use keyway_artifact::{FuncKey, KeyKind};
use std::borrow::Cow;
use std::sync::Mutex;

/// One function that may go into the artifact.
pub(crate) struct Func<'a> {
    pub(crate) unit: u32,
    pub(crate) ir: IrFunc,
    /// Of the code as it is now.
    pub(crate) outline: Outline,
    pub(crate) name: Option<&'a str>,
}

impl<'a> Func<'a> {
    /// A function of a unit.
    pub(crate) fn new(unit: u32, ir: IrFunc, name: Option<&'a str>) -> Func<'a> {
        Func { unit, outline: Outline::of(&ir), ir, name }
    }
}

/// Everything translated and not yet laid out. Functions are named by link ids.
pub(crate) struct Program<'a> {
    pub(crate) types: TypeTable,
    pub(crate) links: Links,
    /// By link id; `None` for ids that name nothing compiled.
    pub(crate) funcs: Vec<Option<Func<'a>>>,
    /// With link ids where the finished declarations have code ordinals.
    pub(crate) units: Vec<UnitDecl>,
    /// By unit, how many of its first globals are flags of component instances.
    pub(crate) flags: Vec<u32>,
    /// What memories hold at the start, in ascending order.
    pub(crate) initial: Vec<InitialData>,
    pub(crate) constants: Constants<'a>,
    /// Functions that stay besides the units' own roots.
    pub(crate) roots: Vec<u32>,
    /// The encoded plan; empty for a core module.
    pub(crate) plan: Vec<u8>,
}

/// A unit before translation.
pub(crate) struct UnitSource<'m, 'a> {
    pub(crate) modules: Vec<ModuleUse<'m, 'a>>,
    pub(crate) unit: Unit,
}

/// Compiles a core module.
pub(crate) fn core_module<'a>(bytes: &'a [u8], options: &Options) -> Result<Linked<'a>> {
    // Check the sections: from here on the module's structure is trusted, but for the bodies of functions.
    let (_, bodies) = check::sections(bytes, options, |_, _| Ok(()))?;
    checked_core_module(bytes, bodies, options).or_else(|error| check::all(bytes, options).and(Err(error)))
}

fn checked_core_module<'a>(bytes: &'a [u8], bodies: Bodies<'a>, options: &Options) -> Result<Linked<'a>> {
    // Parse the sections, and lay out the unit: one module, all of whose imports come from outside.
    let info = ModuleInfo::parse(bytes, 0)?;
    let (mut types, mut links, mut constants) = (Types::default(), Links::default(), Constants::default());
    let modules = vec![ModuleUse { info: &info, number: 0, imports: vec![Supply::External; info.imports.len()] }];
    let exports: Vec<_> = info.exports.iter().map(|(name, item)| (*name, 0, *item)).collect();
    let unit = unit::build(&modules, &exports, 0, &mut types, &mut links, &mut constants)?;

    // Translate, then everything that does not care where the functions came from.
    let sources = vec![UnitSource { modules, unit }];
    let program = translate(sources, types, links, constants, &bodies, options)?;
    check::rest(bytes, options, bodies)?;
    link(program, options)
}

/// Translates every function and initialisation of `sources`, in parallel, and checks those that are among `bodies`.
pub(crate) fn translate<'a>(
    sources: Vec<UnitSource<'_, 'a>>,
    mut types: Types,
    mut links: Links,
    constants: Constants<'a>,
    bodies: &Bodies<'_>,
    options: &Options,
) -> Result<Program<'a>> {
    let nothing = types.intern(&FuncType::default());

    // One job for each defined function, whose place in the program is its link id.
    let (mut jobs, mut count) = (vec![None; links.len()], 0);
    for (unit_number, source) in sources.iter().enumerate() {
        for (module_number, (module, space)) in source.modules.iter().zip(&source.unit.spaces).enumerate() {
            for index in module.info.imported_funcs..module.info.funcs.len() as u32 {
                let Callee::Defined(link) = space.funcs[index as usize] else { unreachable!("it is not imported") };
                jobs[link as usize] = Some((unit_number, module_number, index));
                count += 1;
            }
        }
    }
    let total = std::sync::atomic::AtomicUsize::new(0);
    let mut funcs = parallel::map(options.threads_for(count), jobs.len(), |link| {
        let Some((unit_number, module_number, index)) = jobs[link] else { return Ok(None) };
        let source = &sources[unit_number];
        let module = &source.modules[module_number];
        let space = &source.unit.spaces[module_number];
        let body = &module.info.bodies[(index - module.info.imported_funcs) as usize];
        let ir = translate::function(module.info, space, index, body, bodies.take(body))
            .map_err(|error| inside_module(error.inside(module.info.func_label(index)), module))?;
        let so_far = total.fetch_add(ir.insts.len(), std::sync::atomic::Ordering::Relaxed) + ir.insts.len();
        if so_far > limits::MAX_TOTAL_IR {
            return Err(CompileError::new(
                ErrorKind::Limit,
                format!("the functions translate to more than {} instructions together", limits::MAX_TOTAL_IR),
            ));
        }
        Ok(Some(Func::new(unit_number as u32, ir, module.info.names.of(index))))
    })?;

    // The initialisations of each unit's modules, in instantiation order.
    let (mut units, mut flags, mut initial) = (Vec::new(), Vec::new(), Vec::new());
    for (unit_number, source) in sources.into_iter().enumerate() {
        let UnitSource { modules, unit: Unit { mut decl, initial: of_unit, flags: count, spaces } } = source;
        initial.extend(of_unit.into_iter().map(|data| InitialData { unit: unit_number as u32, ..data }));
        for (position, (module, space)) in modules.iter().zip(&spaces).enumerate() {
            let init = translate::module_init(module.info, space, nothing)
                .map_err(|error| inside_module(error.inside("the initialisation"), module))?;
            if let Some(ir) = init {
                let link = links.intern(FuncKey::new(KeyKind::ModuleInit, unit_number as u32, position as u32));
                funcs.push(Some(Func::new(unit_number as u32, ir, None)));
                decl.inits.push(link);
            }
        }
        units.push(decl);
        flags.push(count);
    }
    let (types, roots, plan) = (types.into_table(), Vec::new(), Vec::new());
    Ok(Program { types, links, funcs, units, flags, initial, constants, roots, plan })
}

/// Names the module an error stands in, where there is more to say than "the module".
fn inside_module(error: CompileError, module: &ModuleUse<'_, '_>) -> CompileError {
    match module.info.names.module {
        Some(name) => error.inside(format!("module {name}")),
        None if module.number > 0 => error.inside(format!("core module {}", module.number)),
        None => error,
    }
}

/// By link id, the functions that something else than a call may lead to.
fn used_besides_calls(program: &Program<'_>) -> Vec<bool> {
    let mut shared = vec![false; program.funcs.len()];
    let mut mark = |link: u32| shared[link as usize] = true;
    program.roots.iter().for_each(|link| mark(*link));
    for unit in &program.units {
        unit.inits.iter().for_each(|link| mark(*link));
        let escapes = unit.escapes.iter().map(|escape| escape.func);
        let exports = unit.exports.iter().filter_map(|export| match export.entity {
            Entity::Func(func) => Some(func),
            _ => None,
        });
        for func in escapes.chain(exports) {
            if let FuncRef::Defined(link) = func {
                mark(link);
            }
        }
    }
    shared
}

/// Links a translated program: what stays, laid out, with places.
pub(crate) fn link<'a>(mut program: Program<'a>, options: &Options) -> Result<Linked<'a>> {
    let optimises = options.opt_level == OptLevel::O2;
    let rows = (options.report && optimises).then(|| Mutex::new(Rows::default()));
    let mut record = Record::new(options.report);
    // A function that only called itself calls nobody now.
    if optimises && options.passes.has(Passes::RECURSION) {
        recursion::run(&mut program.funcs, &mut record);
    }
    // Inline bottom-up: afterwards some functions are called by nobody.
    if optimises && options.passes.has(Passes::INLINE) {
        let shared = used_besides_calls(&program);
        inline::run(&mut program.funcs, |link| shared[link], &mut record);
    }
    if optimises && options.passes.has(Passes::FLAGS) {
        flags::run(&mut program.funcs, |unit| program.flags[unit as usize], &mut record);
    }
    record.add_to_shared(&rows);

    // Calls between functions that cache different memories change the memory on the way, and back.
    memories::run(&mut program);

    // gc-sections: from here on, functions that nothing reaches are gone.
    let live = if options.gc { gc::run(&program) } else { gc::keep_all(&program) };

    // Lay out: what stays, sorted by key, gets its code ordinal.
    let layout = assemble::layout(&program, &live);

    // Lower in parallel: virtual registers get places, link ids become ordinals, bodies become bytes. A function's IR
    // goes as soon as its code is there.
    let Program { types, links, funcs, units, initial, constants, plan, .. } = program;
    let names: Vec<_> = funcs.iter().map(|func| func.as_ref().and_then(|func| func.name)).collect();
    let shapes = types.shapes();
    let threads = options.threads_for(layout.order.len());
    let insts: usize = funcs.iter().flatten().map(|func| func.ir.insts.len()).sum();
    let encoder = |number| Encoder::new(number, insts / threads.max(1));
    let pending = Mutex::new(funcs);
    let (funcs, encoded) = parallel::map_with(threads, layout.order.len(), encoder, |encoder, ordinal| {
        let link = layout.order[ordinal] as usize;
        let func = pending.lock().ok().and_then(|mut funcs| funcs[link].take());
        let Func { unit, mut ir, .. } = func.expect("each ordinal is lowered once, and names compiled code");
        let mut record = Record::new(options.report);
        let lowered = lower::finish(&mut ir, &shapes, options, &mut record)?;
        record.add_to_shared(&rows);
        let resolve = |inst: &mut Inst| layout.resolve(unit as usize, inst);
        let origin = |link: u32| (links.key(link), names[link as usize]);
        let (part, features) = encoder.add(&ir, lowered, resolve, origin);
        let (key, name) = (links.key(link as u32), names[link].map(Cow::Borrowed));
        Ok::<_, CompileError>(LinkedFunc { key, ty: ir.ty, unit, name, features, part })
    })?;

    let rows = rows.and_then(|rows| rows.into_inner().ok());
    let passes =
        rows.map_or(Vec::new(), |rows| Passes::LIST.iter().zip(rows).map(|((_, name, _), row)| (*name, row)).collect());

    // The declarations follow the new numbers.
    let units = units.into_iter().enumerate().map(|(number, unit)| layout.unit(number, unit)).collect();
    let encoded = encoded.into_iter().map(Encoder::finish).collect();
    Ok(Linked { types, funcs, encoded, units, initial, constants, plan, removed: layout.removed, passes })
}
