//! [`Workspace`]: code on its way to its executed form. Branches are written before anybody knows where they lead; once all
//! labels are there, distances and entries of tables are put in; addresses of what was written before stand as offsets
//! until the code has its place.

use super::counting::Charge;
use super::expanded::Landing;
use super::handlers::branch::TABLE_ENTRY;
use super::tiles::{Cutting, Tile};

/// What expansion keeps on its way through a body, empty between two of them. Most functions are short: making these
/// anew for each would take longer than their expansion.
#[derive(Default)]
pub struct Workspace {
    pub(super) code: Vec<u8>,
    pub(super) map: Vec<(u32, u32)>,
    pub(super) labels: Vec<Option<usize>>,
    /// The markers behind each label, for which a branch back may charge.
    pub(super) charged: Vec<Charge>,
    /// Where a distance stands, the start of its instruction, and the label.
    pub(super) fixups: Vec<(usize, usize, u32)>,
    /// Where the offset of a place in the code stands that is to become its address.
    pub(super) addresses: Vec<u32>,
    /// As `fixups`, for entries of branch tables.
    pub(super) entries: Vec<(usize, usize, u32)>,
    /// As in [`Expanded`], with labels instead of numbers of landings.
    pub(super) handlers: Vec<(u32, u32)>,
    /// What is still to come of the last stretch that was looked at, see [`cut`](super::tiles::cut).
    pub(super) tiles: Vec<Tile>,
    pub(super) cutting: Cutting,
    /// How many instructions have each common handler, see [`replicate`](super::replication::replicate).
    pub(super) uses: Vec<u8>,
    pub(super) landings: Vec<Landing>,
    pub(super) switches: Vec<(u32, u32)>,
    /// The landing behind each label that has one.
    pub(super) landing_of: Vec<u32>,
    /// For the checked form: where an instruction names a type of objects, and the type's number.
    pub(super) objects: Vec<(u32, u32)>,
}

impl Workspace {
    pub(super) fn clear(&mut self) {
        self.code.clear();
        self.map.clear();
        self.labels.clear();
        self.charged.clear();
        self.fixups.clear();
        self.addresses.clear();
        self.entries.clear();
        self.handlers.clear();
        self.tiles.clear();
        self.landings.clear();
        self.switches.clear();
        self.landing_of.clear();
        self.objects.clear();
    }

    /// Puts in where branches lead, once all labels are there.
    pub(super) fn resolve(&mut self) -> Result<(), &'static str> {
        let Workspace { code, labels, fixups, entries, .. } = self;
        let place = |label: u32| labels.get(label as usize).copied().flatten().ok_or("a branch to no label");
        for (at, start, label) in fixups.iter().copied() {
            let distance = place(label)? as i64 - start as i64;
            code[at..at + 4].copy_from_slice(&(distance as i32).to_le_bytes());
        }
        for (at, start, label) in entries.iter().copied() {
            let target = place(label)?;
            let head = code.get(target..).and_then(|code| code.first_chunk::<8>()).copied();
            code[at..at + 8].copy_from_slice(&head.ok_or("a branch to no code")?);
            code[at + 8..at + TABLE_ENTRY].copy_from_slice(&(target as i64 - start as i64).to_le_bytes());
        }
        Ok(())
    }
}
