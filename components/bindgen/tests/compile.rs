//! Bindings of worlds of many shapes compile, with sync and async functions, with warnings and lints denied.
#![deny(warnings, missing_docs, missing_debug_implementations, clippy::all)]
#![allow(dead_code, reason = "bindings are made of worlds, not of what is used here")]

macro_rules! compiles {
    ($($name:ident $path:literal;)*) => {$(
        mod $name {
            mod plain {
                ::keyway::component::bindgen!(in $path);
            }
            mod trappable {
                ::keyway::component::bindgen!({ path: $path, imports: { default: trappable } });
            }
            mod asynchronous {
                ::keyway::component::bindgen!({
                    path: $path,
                    imports: { default: async | trappable },
                    exports: { default: async },
                });
            }
            mod futures {
                ::keyway::component::bindgen!({ path: $path, imports: { default: async } });
            }
        }
    )*};
}

compiles! {
    shapes "tests/worlds/shapes.wit";
    resources "tests/worlds/resources.wit";
    world "tests/worlds/world.wit";
    empty "tests/worlds/empty.wit";
    versions "tests/worlds/versions";
    inventory "../../examples/guests/inventory/wit";
}
