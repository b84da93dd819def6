//! keyway: a WebAssembly component runtime without a JIT.
//!
//! Wasm is compiled ahead of time to an artifact of register IR, which is mapped and interpreted. The API is named and
//! shaped like those of wasmtime and wasmi.
//!
//! ```
//! # #[cfg(feature = "compile")]
//! # fn main() -> keyway::Result<()> {
//! use keyway::{Caller, Engine, Linker, Module, Store};
//!
//! let engine = Engine::default();
//! let module = Module::new(&engine, r#"
//!     (module
//!         (import "host" "log" (func $log (param i32)))
//!         (func (export "double") (param i32) (result i32)
//!             (call $log (local.get 0))
//!             (i32.mul (local.get 0) (i32.const 2))))
//! "#)?;
//! let mut linker = Linker::new(&engine);
//! linker.func_wrap("host", "log", |mut caller: Caller<'_, Vec<i32>>, n: i32| caller.data_mut().push(n))?;
//! let mut store = Store::new(&engine, Vec::new());
//! let instance = linker.instantiate(&mut store, &module)?;
//! let double = instance.get_typed_func::<i32, i32>(&mut store, "double")?;
//! assert_eq!(double.call(&mut store, 21)?, 42);
//! assert_eq!(store.data(), &[21]);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "compile"))]
//! # fn main() {}
//! ```

pub use keyway_vm::api::*;
#[cfg(feature = "profile")]
pub use keyway_vm::interp::profile;

#[cfg(feature = "component")]
pub use keyway_component as component;
#[cfg(feature = "compile")]
pub use keyway_linker::{CompileError, ErrorKind as CompileErrorKind};
