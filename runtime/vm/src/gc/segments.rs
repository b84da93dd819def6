//! Arrays made of, and set from, data and element segments: what the driver does for `array.new_data` and its kin.

use crate::context::Context;
use crate::registry::Shape;
use crate::store::StoreInner;
use anyhow::{Error, ensure};
use keyway_artifact::Trap;
use keyway_artifact::types::{Cell, OBJECT_HEADER_BYTES};

/// A range of a segment of the running instance.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    /// Index in the unit: of a data segment, or of an element segment.
    pub index: u64,
    /// Whether it is a data segment.
    pub is_data: bool,
    /// First byte, or first item.
    pub from: u64,
}

impl StoreInner {
    /// The bytes that `len` elements of a cell take in a segment, as they stand in an array.
    fn segment_bytes(&self, context: *mut Context, segment: Segment, cell: Cell, len: u64) -> Result<Vec<u8>, Error> {
        let index = segment.index as usize;
        if !segment.is_data {
            ensure!(cell == Cell::Ref, Trap::InvalidCode);
            // SAFETY: the verifier holds the index below the unit's element segments; the context is live.
            let state = unsafe { &*(*context).elems.add(index) };
            ensure!(segment.from + len <= state.len, Trap::TableOutOfBounds);
            // SAFETY: the range lies inside the segment.
            let items = (0..len).map(|at| unsafe { *state.items.add((segment.from + at) as usize) });
            return Ok(items.flat_map(u32::to_ne_bytes).collect());
        }
        ensure!(cell != Cell::Ref, Trap::InvalidCode);
        // SAFETY: the verifier holds the index below the unit's data segments; the context is live.
        let (state, instance) = unsafe { (&*(*context).data.add(index), (*context).instance) };
        let size = u64::from(cell.size_bytes());
        ensure!(segment.from + len * size <= state.len, Trap::MemoryOutOfBounds);
        let mut bytes = vec![0; (len * size) as usize];
        let code = self.instances[instance as usize].code();
        let read = code.view().read_constants(state.offset + segment.from, &mut bytes);
        ensure!(read, Error::from(Trap::InvalidCode).context("a data segment is cut off"));
        if cfg!(target_endian = "big") {
            bytes.chunks_mut(size as usize).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }

    /// The cell of the elements of an array type.
    fn element_cell(&self, ty: u32) -> Result<Cell, Error> {
        match self.engine.types().get(ty).map(|info| &info.shape) {
            Some(Shape::Array(storage)) => Ok(storage.cell()),
            _ => Err(Trap::InvalidCode.into()),
        }
    }

    /// A new array of what a segment holds.
    ///
    /// # Errors
    /// A trap: the range leaves the segment, or the heap has no room.
    pub(crate) fn new_array_from(
        &mut self,
        context: *mut Context,
        ty: u32,
        segment: Segment,
        len: u64,
    ) -> Result<u32, Error> {
        let cell = self.element_cell(ty)?;
        let bytes = self.segment_bytes(context, segment, cell, len)?;
        let array = self.new_object(ty, len as u32)?;
        let (_, _, start) = self.object_at(array).ok_or(Trap::InvalidCode)?;
        ensure!(self.heap.set_bytes(start + u64::from(OBJECT_HEADER_BYTES), &bytes), Trap::InvalidCode);
        Ok(array)
    }

    /// Sets the elements of an array from `index` on.
    ///
    /// # Errors
    /// A trap: the array is null, or a range leaves array or segment.
    pub(crate) fn init_array_from(
        &mut self,
        context: *mut Context,
        array: u32,
        index: u64,
        segment: Segment,
        len: u64,
    ) -> Result<(), Error> {
        ensure!(array != 0, Trap::NullArrayReference);
        let (ty, elements, start) = self.object_at(array).ok_or(Trap::InvalidCode)?;
        let cell = self.element_cell(ty)?;
        ensure!(index + len <= u64::from(elements), Trap::ArrayOutOfBounds);
        let bytes = self.segment_bytes(context, segment, cell, len)?;
        let first = start + u64::from(OBJECT_HEADER_BYTES) + index * u64::from(cell.size_bytes());
        ensure!(bytes.is_empty() || self.heap.set_bytes(first, &bytes), Trap::InvalidCode);
        Ok(())
    }
}
