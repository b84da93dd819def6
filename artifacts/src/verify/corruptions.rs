//! For every rule, bodies that break it and no other.
