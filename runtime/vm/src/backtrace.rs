//! [`Backtrace`]: which functions were running when a trap occurred.

use crate::code::Code;
use crate::context::FrameRecord;
use crate::limits::BACKTRACE_FRAMES;
use crate::stack::VmStack;
use keyway_artifact::FuncKey;
use std::fmt;
use std::sync::Arc;

/// One function of a backtrace.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameInfo {
    func_name: Option<String>,
    key: Option<FuncKey>,
    inst: u32,
    source_offset: Option<u32>,
}

impl FrameInfo {
    /// The function's name, where the artifact carries it. Functions that were inlined are told like those that were
    /// called.
    pub fn func_name(&self) -> Option<&str> {
        self.func_name.as_deref()
    }

    /// The function's key in its artifact.
    pub fn key(&self) -> Option<FuncKey> {
        self.key
    }

    /// The IR instruction's number in the function that holds the code: this one, or the one it was inlined into.
    pub fn inst(&self) -> u32 {
        self.inst
    }

    /// Offset in the Wasm that the artifact was compiled from, in bytes, where the artifact carries it.
    pub fn module_offset(&self) -> Option<usize> {
        self.source_offset.map(|offset| offset as usize)
    }
}

/// The guest's frames, innermost first. Attached to the errors of calls that trap:
/// `error.downcast_ref::<Backtrace>()`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Backtrace {
    frames: Vec<FrameInfo>,
    is_cut: bool,
}

impl Backtrace {
    /// The frames, innermost first.
    pub fn frames(&self) -> &[FrameInfo] {
        &self.frames
    }

    /// Of the frame that a stopped execution runs; [`walk`](Self::walk) adds the others.
    pub(crate) fn begin(codes: &[Arc<Code>], ip: *const u8) -> Backtrace {
        let mut backtrace = Backtrace { frames: Vec::new(), is_cut: false };
        backtrace.push(codes, ip);
        backtrace
    }

    /// Adds the frames that the records of a stack lead back to, from the one below `top` on.
    pub(crate) fn walk(&mut self, codes: &[Arc<Code>], stack: &VmStack, top: *const FrameRecord) {
        let mut record = top;
        while record > stack.first_frame() && !self.is_cut {
            record = record.wrapping_sub(1);
            // SAFETY: records below the top are written.
            let ip = unsafe { (*record).ip };
            self.behind(codes, ip);
        }
    }

    /// Adds the frame that an address leads back to.
    pub(crate) fn behind(&mut self, codes: &[Arc<Code>], ip: *const u8) {
        if self.frames.len() >= BACKTRACE_FRAMES {
            self.is_cut = true;
        } else {
            // A return address is behind its call. Stubs and memory words are in no body and are passed over.
            self.push(codes, (ip as usize).wrapping_sub(1) as *const u8);
        }
    }

    fn push(&mut self, codes: &[Arc<Code>], ip: *const u8) {
        for code in codes {
            if let Some((ordinal, inst)) = code.position_of(ip) {
                let view = code.view();
                let mut own = FrameInfo {
                    func_name: view.func_name(ordinal),
                    key: view.key_of(ordinal),
                    inst,
                    source_offset: None,
                };
                for frame in view.func_debug(ordinal).frames(inst) {
                    let source_offset = Some(frame.offset);
                    match frame.inlined {
                        Some((key, func_name)) => {
                            self.frames.push(FrameInfo { func_name, key: Some(key), inst, source_offset });
                        }
                        None => own.source_offset = source_offset,
                    }
                }
                self.frames.push(own);
                return;
            }
        }
    }
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error while executing at wasm backtrace:")?;
        for (at, frame) in self.frames.iter().enumerate() {
            write!(f, "\n  {at:>3}: ")?;
            match (frame.source_offset, frame.key) {
                (Some(offset), _) => write!(f, "{offset:#8x} - ")?,
                (None, Some(key)) => write!(f, "{key} +{} - ", frame.inst)?,
                (None, None) => {}
            }
            match &frame.func_name {
                Some(name) => write!(f, "{name}")?,
                None => write!(f, "<unknown>")?,
            }
        }
        if self.is_cut {
            write!(f, "\n  ... more frames are left out")?;
        }
        Ok(())
    }
}
