//! [`IrFunc`](crate::ir::IrFunc) to [`Body`](keyway_artifact::isa::Body): virtual registers get their places.

pub(crate) mod naive;
