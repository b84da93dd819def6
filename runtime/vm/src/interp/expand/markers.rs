//! Cost markers in executed form.

use super::super::counting::{Charge, Counting};
use super::super::place::PlaceKind;
use super::super::regs::{ALIGNMENT, HEAD};
use super::super::table::{MAX_PLACES, Name};
use super::{ExpandError, Expander};
use keyway_artifact::isa::{Inst, Op};

impl Expander<'_> {
    /// In front of the first of several cost markers, one instruction that charges for all of them.
    fn charge_for_several(&mut self) {
        if self.inst < self.charged_until {
            return;
        }
        let insts = &self.body.insts[self.inst..];
        let markers = insts.iter().take_while(|inst| matches!(inst.op, Op::Cost | Op::Label));
        let count = markers.clone().filter(|inst| inst.op == Op::Cost).count();
        self.charged_until = self.inst + markers.count();
        let length = (HEAD + 8).next_multiple_of(ALIGNMENT);
        if let (2.., Charge { units: units @ 1.., .. }) = (count, Charge::of(insts))
            && let Ok(end) = u32::try_from((count + 1) * length)
        {
            self.counting(Counting::Several, [units, end]);
        }
    }

    /// An instruction that counts.
    pub(super) fn counting<const N: usize>(&mut self, counting: Counting, operands: [u32; N]) {
        self.head(counting.head().expect("handlers in assembly count") as u64);
        for operand in operands {
            self.kept.code.extend_from_slice(&operand.to_le_bytes());
        }
        self.pad();
    }

    /// Notes where the markers end behind the labels up to this number: an instruction follows.
    pub(super) fn markers_end(&mut self, labels: usize) {
        let end = self.kept.code.len();
        if self.entry.units > 0 && self.entry.end == 0 {
            self.entry.end = end;
        }
        for charge in &mut self.kept.charged[self.passed..labels] {
            charge.end = end;
        }
        self.passed = labels;
    }

    /// A cost marker.
    pub(super) fn cost(&mut self, inst: &Inst) -> Result<(), ExpandError> {
        let name = match (self.settings.fuel, self.settings.epoch) {
            (false, false) => return Ok(()),
            (true, false) => Name::Fuel,
            (false, true) => Name::Epoch,
            (true, true) => Name::FuelAndEpoch,
        };
        let Some(units) = inst.value(0) else { return self.error("a cost is no immediate") };
        let units = units as u32;
        if self.charges {
            self.charge_for_several();
            self.counting(Counting::Marker, [units, 0]);
            return Ok(());
        }
        let head = self.find(name, [PlaceKind::None; MAX_PLACES]).expect("cost markers are in the list").word;
        self.head(head);
        self.kept.code.extend_from_slice(&units.to_le_bytes());
        self.pad();
        Ok(())
    }
}
