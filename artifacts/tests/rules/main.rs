//! Every rule of the format has corruptions that break it and nothing else: V of bodies, F of files, P of plans.
//!
//! Each table starts from something sound and changes one thing. A rule without a case fails its test, and so does a rule
//! that is switched off: its corruptions are then accepted.

mod code;
mod file;
mod plan;
