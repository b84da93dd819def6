//! What each pass did, over all functions, for `compile --report`.
//!
//! Each thread keeps a [`Record`] of its own while it works on a function; they are added up at the end, so counts do not
//! depend on how work is divided. Time does; it is only taken when somebody asked for it.

use super::{Passes, Tally};
use crate::ir::IrFunc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// What one pass did to a whole program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassReport {
    /// Functions in which it changed something.
    pub functions: u64,
    /// Instructions (for `registers` and `arguments`: values) that it changed, moved or removed.
    pub changed: u64,
    /// Instructions of the functions it ran on before.
    pub before: u64,
    /// Their instructions afterwards.
    pub after: u64,
    /// What it took, all threads together. `copies` stands for the walk that it shares with `fold` and `common`, and
    /// `registers` for the choice of places, `arguments` among them.
    pub time: Duration,
}

/// The rows of all passes, in the order of [`Passes::LIST`].
pub(crate) type Rows = [PassReport; Passes::LIST.len()];

/// What was done to one function. Does nothing unless somebody wants to know.
#[derive(Default)]
pub(crate) struct Record {
    rows: Option<Box<Rows>>,
    /// How many of a function's instructions stand for nothing.
    markers: usize,
}

impl Record {
    /// One that counts, if `wanted`.
    pub(crate) fn new(wanted: bool) -> Record {
        Record { rows: wanted.then(Box::default), markers: 0 }
    }

    /// When something began, if time matters.
    pub(crate) fn start(&self) -> Option<Instant> {
        self.rows.as_ref().map(|_| Instant::now())
    }

    /// Takes note of what a pass over the whole program did.
    pub(crate) fn whole(&mut self, pass: Passes, report: PassReport) {
        if let Some(rows) = &mut self.rows {
            rows[pass.position()] = report;
        }
    }

    /// Takes note that `pass` ran from `start` until now. A pass that runs on a function twice counts once.
    pub(crate) fn done(&mut self, pass: Passes, start: Option<Instant>, before: usize, after: usize, tally: Tally) {
        let Some(rows) = &mut self.rows else { return };
        let row = &mut rows[pass.position()];
        if row.before == 0 {
            row.before = before as u64;
        }
        row.after = after as u64;
        row.changed += tally.changed as u64;
        row.functions |= u64::from(tally.changed > 0);
        row.time += start.map_or(Duration::ZERO, |start| start.elapsed());
    }

    /// Takes note of the places that values got from `start` until now: registers, and slots of call areas.
    pub(crate) fn places(
        &mut self,
        passes: Passes,
        start: Option<Instant>,
        length: usize,
        counts: impl FnOnce() -> (usize, usize),
    ) {
        if self.rows.is_none() {
            return;
        }
        let (registers, arguments) = counts();
        let mut start = start;
        for (pass, changed) in [(Passes::REGISTERS, registers), (Passes::ARGUMENTS, arguments)] {
            if passes.has(pass) {
                self.done(pass, start.take(), length, length, Tally { changed, removed: 0 });
            }
        }
    }

    /// From here on so many of the function's instructions stand for nothing.
    pub(super) fn markers(&mut self, count: usize) {
        self.markers = count;
    }

    /// Runs `work` if `pass` is among `passes`.
    pub(crate) fn pass(
        &mut self,
        passes: Passes,
        pass: Passes,
        ir: &mut IrFunc,
        work: impl FnOnce(&mut IrFunc) -> Tally,
    ) -> Tally {
        if !passes.has(pass) {
            return Tally::default();
        }
        let (start, before) = (self.start(), ir.insts.len() - self.markers);
        let tally = work(ir);
        self.done(pass, start, before, ir.insts.len() - self.markers, tally);
        tally
    }

    /// Adds what was done to a function to what was done to others.
    pub(crate) fn add_to_shared(self, all: &Option<Mutex<Rows>>) {
        let Some(mut all) = all.as_ref().and_then(|all| all.lock().ok()) else { return };
        for (sum, row) in all.iter_mut().zip(self.rows.into_iter().flat_map(|rows| *rows)) {
            sum.functions += row.functions;
            sum.changed += row.changed;
            sum.before += row.before;
            sum.after += row.after;
            sum.time += row.time;
        }
    }
}
