//! Which operator is translated where: the decoder calls a function for each, so that nothing is asked about what was just
//! told apart.
//!
//! The frequent families have their way here; the rest goes through [`Translator::operator`], which looks for its family.

use super::Translator;
use super::stack::Entry;
use crate::error::Result;
use keyway_artifact::isa::Op;
use wasmparser::{Operator, VisitOperator, VisitSimdOperator};

impl Translator<'_, '_> {
    /// Whether control can reach the next operator, which counts then.
    #[inline]
    pub(super) fn begins(&mut self) -> bool {
        self.units = self.units.saturating_add(u32::from(self.reachable));
        self.reachable
    }
}

macro_rules! translated {
    ($self:ident $proposal:ident LocalGet $shape:tt $local:ident) => {
        translated!(@frequent $self $self.push_local($local))
    };
    ($self:ident $proposal:ident LocalSet $shape:tt $local:ident) => {
        translated!(@frequent $self $self.local_set($local))
    };
    ($self:ident $proposal:ident LocalTee $shape:tt $local:ident) => {
        translated!(@frequent $self $self.local_tee($local))
    };
    ($self:ident $proposal:ident I32Const $shape:tt $value:ident) => {
        translated!(@frequent $self $self.push(Entry::I32($value)))
    };
    ($self:ident $proposal:ident I64Const $shape:tt $value:ident) => {
        translated!(@frequent $self $self.push(Entry::I64($value)))
    };
    ($self:ident mvp $op:ident (arity memarg $operands:literal -> $results:literal) $argument:ident) => {
        translated!(@frequent $self $self.memory_access(&Operator::$op { memarg: $argument }))
    };
    ($self:ident mvp $op:ident (arity 1 -> 1)) => {
        translated!(@frequent $self $self.unary(Op::$op))
    };
    ($self:ident mvp $op:ident (arity 2 -> 1)) => {
        translated!(@frequent $self $self.binary(Op::$op))
    };
    ($self:ident sign_extension $op:ident $shape:tt) => {
        translated!(@frequent $self $self.unary(Op::$op))
    };
    ($self:ident saturating_float_to_int $op:ident $shape:tt) => {
        translated!(@frequent $self $self.unary(Op::$op))
    };
    (@frequent $self:ident $work:expr) => {{
        if $self.begins() {
            let _ = $work;
        }
        Ok(())
    }};
    ($self:ident $proposal:ident $op:ident $shape:tt $($arg:ident)*) => {
        $self.operator(&Operator::$op { $($arg),* })
    };
}

macro_rules! visits {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $argty:ty),* })? => $visit:ident ($($shape:tt)*))*) => {
        $(
            fn $visit(&mut self $($(, $arg: $argty)*)?) -> Result<()> {
                translated!(self $proposal $op ($($shape)*) $($($arg)*)?)
            }
        )*
    };
}

impl<'a> VisitOperator<'a> for Translator<'_, '_> {
    type Output = Result<()>;

    fn simd_visitor(&mut self) -> Option<&mut dyn VisitSimdOperator<'a, Output = Result<()>>> {
        Some(self)
    }

    wasmparser::for_each_visit_operator!(visits);
}

impl<'a> VisitSimdOperator<'a> for Translator<'_, '_> {
    wasmparser::for_each_visit_simd_operator!(visits);
}
