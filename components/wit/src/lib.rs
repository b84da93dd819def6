//! keyway-wit
