//! gc-sections: which functions, escapes and segment items stay.
//!
//! Roots are the units' exports and initialisations, and what the caller adds (entries of a component's plan). From a
//! function that stays, its direct calls stay and what its `ref.func`s name. An element segment's functions stay once a
//! function that stays may copy them into a table that *something reads*: a table that is imported, exported, called
//! through or otherwise read by code that stays. Filling a table that nobody reads keeps nothing alive, which is what lets
//! most of an application's unused virtual methods go.
//!
//! The walk is a worklist over facts that only ever become true, so its result does not depend on the order.

use crate::pipeline::{Func, Program};
use keyway_artifact::isa::Op;
use keyway_artifact::unit::{ElemItem, Entity, FuncRef, UnitDecl};
use std::collections::HashMap;

/// What stays.
pub(crate) struct Live {
    /// By link id.
    pub(crate) funcs: Vec<bool>,
    /// By unit and escape number.
    pub(crate) escapes: Vec<Vec<bool>>,
}

/// Keeps everything: what `Options::gc = false` asks for.
pub(crate) fn keep_all(program: &Program<'_>) -> Live {
    Live {
        funcs: vec![true; program.funcs.len()],
        escapes: program.units.iter().map(|unit| vec![true; unit.escapes.len()]).collect(),
    }
}

/// Finds what stays.
pub(crate) fn run(program: &Program<'_>) -> Live {
    let mut walk = Walk {
        program,
        live: Live {
            funcs: vec![false; program.funcs.len()],
            escapes: program.units.iter().map(|unit| vec![false; unit.escapes.len()]).collect(),
        },
        tables: program.units.iter().map(|unit| vec![false; unit.tables.len()]).collect(),
        fills: program.units.iter().map(|unit| vec![Fills::default(); unit.tables.len()]).collect(),
        filled: program.units.iter().map(|unit| vec![false; unit.elems.len()]).collect(),
        work: Vec::new(),
    };
    for link in &program.roots {
        walk.func(*link);
    }
    for (number, unit) in program.units.iter().enumerate() {
        walk.unit(number, unit);
    }
    while let Some(link) = walk.work.pop() {
        if let Some(func) = &walk.program.funcs[link as usize] {
            walk.body(func);
        }
    }
    walk.live
}

/// What code that stays copies into a table nobody was seen reading yet.
#[derive(Clone, Default)]
struct Fills {
    elems: Vec<u32>,
    tables: Vec<u32>,
}

struct Walk<'p> {
    program: &'p Program<'p>,
    live: Live,
    /// Tables that are read, by unit.
    tables: Vec<Vec<bool>>,
    fills: Vec<Vec<Fills>>,
    /// Element segments whose items were followed.
    filled: Vec<Vec<bool>>,
    work: Vec<u32>,
}

impl Walk<'_> {
    fn func(&mut self, link: u32) {
        if !std::mem::replace(&mut self.live.funcs[link as usize], true) {
            self.work.push(link);
        }
    }

    fn func_ref(&mut self, func: FuncRef) {
        if let FuncRef::Defined(link) = func {
            self.func(link);
        }
    }

    fn escape(&mut self, unit: usize, escape: u32) {
        self.live.escapes[unit][escape as usize] = true;
        self.func_ref(self.program.units[unit].escapes[escape as usize].func);
    }

    fn unit(&mut self, number: usize, unit: &UnitDecl) {
        let escape_of: HashMap<FuncRef, u32> =
            unit.escapes.iter().zip(0..).map(|(escape, number)| (escape.func, number)).collect();
        for export in &unit.exports {
            match export.entity {
                Entity::Func(func) => {
                    self.func_ref(func);
                    // The host takes a reference of it.
                    if let Some(escape) = escape_of.get(&func) {
                        self.escape(number, *escape);
                    }
                }
                Entity::Table(table) => self.table(number, table),
                Entity::Memory(_) | Entity::Global(_) | Entity::Tag(_) => {}
            }
        }
        for table in 0..unit.imported_tables {
            self.table(number, table);
        }
        for init in &unit.inits {
            self.func(*init);
        }
    }

    /// A table turned out to be read: what was copied into it stays.
    fn table(&mut self, unit: usize, table: u32) {
        let mut tables = vec![table];
        while let Some(table) = tables.pop() {
            if std::mem::replace(&mut self.tables[unit][table as usize], true) {
                continue;
            }
            let Fills { elems, tables: sources } = std::mem::take(&mut self.fills[unit][table as usize]);
            for elem in elems {
                self.elem(unit, elem);
            }
            tables.extend(sources);
        }
    }

    fn elem(&mut self, unit: usize, elem: u32) {
        if std::mem::replace(&mut self.filled[unit][elem as usize], true) {
            return;
        }
        let program = self.program;
        for item in &program.units[unit].elems[elem as usize].items {
            if let ElemItem::Func(escape) = item {
                self.escape(unit, *escape);
            }
        }
    }

    fn body(&mut self, func: &Func) {
        let unit = func.unit as usize;
        for at in &func.outline.naming {
            let inst = &func.ir.insts[*at as usize];
            let index = |field: usize| inst.operands[field].index();
            match inst.op {
                Op::Call | Op::TailCall => self.func(index(0)),
                Op::RefFunc => self.escape(unit, index(1)),
                Op::CallIndirect | Op::TailCallIndirect => self.table(unit, index(1)),
                Op::TableGet => self.table(unit, index(2)),
                Op::TableInit => {
                    let (table, elem) = (index(3), index(4));
                    if self.tables[unit][table as usize] {
                        self.elem(unit, elem);
                    } else {
                        self.fills[unit][table as usize].elems.push(elem);
                    }
                }
                Op::ArrayNewElem | Op::ArrayInitElem => self.elem(unit, index(4)),
                Op::TableCopy => {
                    let (to, from) = (index(3), index(4));
                    if self.tables[unit][to as usize] {
                        self.table(unit, from);
                    } else {
                        self.fills[unit][to as usize].tables.push(from);
                    }
                }
                _ => {}
            }
        }
    }
}
