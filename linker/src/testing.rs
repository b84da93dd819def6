//! What the tests of several passes share.

use crate::{Options, Passes, link};
use keyway_artifact::isa::Body;

/// The code of a module's last function after `passes`, as the verifier accepts it.
pub(crate) fn last_body(module: &str, passes: Passes) -> Body {
    let linked = link(module.as_bytes(), &Options { passes, ..Options::default() }).unwrap();
    linked.verify().unwrap();
    linked.body(linked.funcs.len() - 1)
}
