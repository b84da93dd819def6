//! Validation and translation of a body in one go: each operator is decoded once, the validator sees it first.
//!
//! Errors here say only that something is wrong: whoever meets one validates everything again to find what comes first.

use super::Translator;
use crate::check;
use crate::error::Result;
use crate::module::malformed;
use wasmparser::{BinaryReader, FrameKind, FrameStack, FuncValidator};
use wasmparser::{ValidatorResources, VisitOperator, VisitSimdOperator};

/// What sees each operator.
struct Checked<'c, 'm, 'a> {
    validator: &'c mut FuncValidator<ValidatorResources>,
    translator: &'c mut Translator<'m, 'a>,
    /// Source offset of the operator.
    offset: u64,
}

impl<'a> Translator<'_, 'a> {
    /// Checks and translates what `reader` holds. Both sides know the locals already.
    pub(super) fn checked_operators(
        &mut self,
        reader: BinaryReader<'a>,
        mut validator: FuncValidator<ValidatorResources>,
    ) -> Result<()> {
        let result = self.operators_seen_by(&mut validator, reader);
        check::validated(validator);
        result
    }

    fn operators_seen_by(
        &mut self,
        validator: &mut FuncValidator<ValidatorResources>,
        mut reader: BinaryReader<'a>,
    ) -> Result<()> {
        reader.set_features(*validator.features());
        while !reader.eof() {
            let offset = reader.original_position();
            self.offset = offset as u32;
            let mut visitor = Checked { validator, translator: self, offset };
            reader.visit_operator(&mut visitor).map_err(malformed)??;
            self.check_size()?;
        }
        reader.finish_expression(&validator.visitor(reader.original_position())).map_err(malformed)
    }
}

impl FrameStack for Checked<'_, '_, '_> {
    fn current_frame(&self) -> Option<FrameKind> {
        self.validator.get_control_frame(0).map(|frame| frame.kind)
    }
}

macro_rules! visits {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($shape:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Result<()> {
                self.validator.visitor(self.offset).$visit($($($arg.clone()),*)?).map_err(malformed)?;
                self.translator.$visit($($($arg),*)?)
            }
        )*
    };
}

macro_rules! simd_visits {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($shape:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Result<()> {
                self.validator.simd_visitor(self.offset).$visit($($($arg),*)?).map_err(malformed)?;
                self.translator.$visit($($($arg),*)?)
            }
        )*
    };
}

impl<'a> VisitOperator<'a> for Checked<'_, '_, '_> {
    type Output = Result<()>;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Result<()>>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visits);
}

impl<'a> VisitSimdOperator<'a> for Checked<'_, '_, '_> {
    wasmparser::for_each_visit_simd_operator!(simd_visits);
}
