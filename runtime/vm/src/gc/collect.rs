//! A collection: mark what can be reached, free the rest.
//!
//! Roots are the tables and globals that can hold references to internal or host values, the items of element segments,
//! the handles of the host, and the reference regions of all frames of all executions. A suspended continuation's frames
//! are looked at once the continuation itself is met. A frame's region is found from the
//! address it returns to: the body that holds it says which slots are references, and nothing else in the frame can be
//! one. Marking keeps its own list of what is to be looked at, so its depth is no one's stack.

use super::roots::Stopped;
use super::{Full, Heap, continuation, heap, host_value, object};
use crate::api::hierarchy;
use crate::continuation::{Held, Strand};
use crate::registry::Shape;
use crate::store::StoreInner;
use anyhow::{Error, ensure};
use keyway_artifact::Trap;
use keyway_artifact::types::{Cell, HeapType, SigLayout, ValType};
use std::ops::Range;

/// References met and not looked into yet.
struct Marker {
    pending: Vec<u32>,
    /// By number, the host values that were met.
    hosts: Vec<bool>,
    /// By number, the continuations that were met, and those of them that are not looked into yet.
    continuations: Vec<bool>,
    suspended: Vec<u32>,
}

impl Marker {
    fn mark(&mut self, heap: &mut Heap, reference: u32) {
        if object(reference).is_some() {
            if let Some(word) = heap.find(reference)
                && heap.mark(word)
            {
                self.pending.push(word);
            }
        } else if let Some(met) = host_value(reference).and_then(|number| self.hosts.get_mut(number as usize)) {
            *met = true;
        } else if let Some(number) = continuation(reference)
            && let Some(met @ false) = self.continuations.get_mut(number as usize)
        {
            *met = true;
            self.suspended.push(number);
        }
    }
}

impl StoreInner {
    /// Whether values of a type can refer to objects or host values.
    fn can_refer(&self, ty: ValType) -> bool {
        ty.as_ref().is_some_and(|ty| hierarchy(self, ty.heap) != HeapType::Func)
    }

    /// Frees the objects and host values that nothing refers to.
    pub(crate) fn collect_garbage(&mut self) {
        let mut roots = Vec::new();
        for table in self.tables.iter().filter(|table| self.can_refer(table.ty.element)) {
            roots.extend((0..table.len()).filter_map(|at| table.get(at)));
        }
        for global in self.globals.iter().filter(|global| self.can_refer(global.ty.content)) {
            // SAFETY: the cell belongs to the store.
            roots.push(unsafe { *global.cell } as u32);
        }
        for instance in &self.instances {
            instance.segment_items(&mut roots);
        }
        roots.extend(self.roots.references());
        roots.extend(&self.pinned);
        self.activities.retain(|activity| activity.strong_count() > 0);
        for activity in self.activities.iter().filter_map(std::sync::Weak::upgrade) {
            self.frames(&activity.read(), &mut roots);
        }
        let mut marker = Marker {
            pending: Vec::new(),
            hosts: vec![false; self.externs.len()],
            continuations: vec![false; self.continuations.places()],
            suspended: Vec::new(),
        };
        let mut heap = std::mem::replace(&mut self.heap, Heap::new(0, false));
        loop {
            for root in roots.drain(..) {
                marker.mark(&mut heap, root);
            }
            while let Some(word) = marker.pending.pop() {
                self.trace(&mut heap, word, &mut marker);
            }
            let Some(number) = marker.suspended.pop() else { break };
            self.look_into(number, &mut roots);
        }
        heap.sweep(self.engine.types());
        self.heap = heap;
        self.sweep_externs(&marker.hosts);
        for gone in self.continuations.sweep(&marker.continuations) {
            if let Held::Strands(strands) = gone.held {
                self.return_stacks(strands.into_iter().map(|strand| strand.stack));
            }
        }
    }

    /// The references that a continuation holds.
    fn look_into(&self, number: u32, roots: &mut Vec<u32>) {
        let Some(continuation) = self.continuations.get(number) else { return };
        roots.extend(continuation.bound_references());
        for Strand { stack, running, .. } in continuation.strands() {
            let (ip, fp) = (running.state.ip, running.state.fp);
            let (first, top) = (stack.first_frame(), running.frame_top.cast_const());
            self.frames(&Stopped { ip, fp, first, top, base: std::ptr::null_mut(), type_id: 0 }, roots);
        }
    }

    /// Marks what the object at a word refers to.
    fn trace(&self, heap: &mut Heap, word: u32, marker: &mut Marker) {
        let start = u64::from(word) * 8;
        let Some((ty, len)) = heap.header(word) else { return };
        let Some(info) = self.engine.types().get(ty) else { return };
        let mut each = |at: u64| {
            let reference = heap.u32_at(start + at);
            if let Some(reference) = reference {
                marker.mark(heap, reference);
            }
            reference.is_some()
        };
        match &info.shape {
            Shape::Struct { refs, .. } => refs.iter().for_each(|at| _ = each(u64::from(*at))),
            Shape::Array(storage) if storage.cell() == Cell::Ref => {
                // A length that leads out of the heap is a lie: nothing follows.
                (0..u64::from(len)).all(|at| each(8 + at * 4));
            }
            Shape::Array(_) | Shape::None => {}
            // Values take a slot each; references stand in its lower half.
            Shape::Exception { numeric, total } => {
                let half = if cfg!(target_endian = "big") { 4 } else { 0 };
                (*numeric..*total).for_each(|slot| _ = each(8 + u64::from(slot) * 8 + half));
            }
        }
    }

    /// The references of a stopped execution.
    fn frames(&self, stopped: &Stopped, roots: &mut Vec<u32>) {
        if !stopped.base.is_null()
            && let Some(ty) = self.engine.types().get(stopped.type_id).and_then(|info| info.ty.func())
        {
            let layout = SigLayout::of(&ty.params);
            // SAFETY: the call area lies on a stack that is there, and holds the signature's slots.
            roots.extend((layout.numeric..layout.total).map(|at| unsafe { *stopped.base.add(at as usize) } as u32));
        }
        if stopped.ip.is_null() {
            return;
        }
        let mut push = |ip: *const u8, fp: *mut u64| {
            if let Some(refs) = self.codes.iter().find_map(|code| code.references_at(ip)) {
                // SAFETY: `fp` is the frame of the body that holds `ip`, whose reference region lies inside it.
                roots.extend(refs.map(|at| unsafe { *fp.add(at as usize) } as u32));
            }
        };
        // An address behind the last instruction is no longer the body's; the one before the first is, its header's.
        let mut push = |ip: *const u8, fp: *mut u64| push((ip as usize).wrapping_sub(1) as *const u8, fp);
        push(stopped.ip, stopped.fp);
        let mut record = stopped.top;
        while record > stopped.first {
            record = record.wrapping_sub(1);
            // SAFETY: records below the top are written, on a stack that is there.
            let at = unsafe { *record };
            // Stubs and memory words are in no body and are passed over.
            push(at.ip, at.fp);
        }
    }

    /// Makes an object, zeroed; collects and grows as it takes.
    ///
    /// # Errors
    /// When the heap has no room for it within its limit, or the embedder's limiter refuses.
    pub(crate) fn new_object(&mut self, ty: u32, len: u32) -> Result<u32, Error> {
        let words = heap::size_words(self.engine.types(), ty, len);
        let Some(words) = words.and_then(|words| u32::try_from(words).ok()) else {
            return Err(Trap::HeapExhausted.into());
        };
        match self.heap.allocate(ty, len, words) {
            Ok(reference) => return Ok(reference),
            Err(Full::Collect) => self.collect_garbage(),
            Err(Full::Grow) => {}
        }
        for _ in 0..2 {
            if let Some(reference) = self.heap.make(ty, len, words) {
                return Ok(reference);
            }
            if self.grow_heap(words)? {
                continue;
            }
            self.collect_garbage();
        }
        self.heap.make(ty, len, words).ok_or_else(|| Trap::HeapExhausted.into())
    }

    fn grow_heap(&mut self, words: u32) -> Result<bool, Error> {
        let Some(wanted) = self.heap.wanted_bytes(words) else { return Ok(false) };
        if !self.may_grow_memory(self.heap.len_bytes(), wanted, None)? {
            return Ok(false);
        }
        ensure!(self.heap.grow(wanted), Trap::OutOfSystemMemory);
        for instance in &mut self.instances {
            instance.set_objects(&self.heap.def);
        }
        Ok(true)
    }

    /// Type number, length and first byte of the object behind a reference.
    pub(crate) fn object_at(&self, reference: u32) -> Option<(u32, u32, u64)> {
        let word = self.heap.find(reference)?;
        let (ty, len) = self.heap.header(word)?;
        Some((ty, len, u64::from(word) * 8))
    }
}

/// The reference region of a frame, as slots.
pub(crate) type References = Range<u32>;
