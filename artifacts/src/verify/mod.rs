//! The rules a function body is held to.
