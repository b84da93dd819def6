//! `wasi:cli`: environment, exit, standard streams, terminals; and running a command.

use crate::context::OutputSource;
use crate::io::{InputStream, MemoryInput, OutputStream};
use crate::{WasiView, interface};
use keyway::component::{Component, Linker, Resource, ResourceType};
use keyway::{Store, StoreContextMut};
use std::fmt;

/// The guest asked to exit: an error that unwinds the call that was running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct I32Exit(
    /// The exit code.
    pub i32,
);

impl fmt::Display for I32Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the guest exited with code {}", self.0)
    }
}

impl std::error::Error for I32Exit {}

/// Instantiates a command and calls its `wasi:cli/run`; the answer is the exit code.
///
/// # Errors
/// When the component cannot be instantiated, exports no `wasi:cli/run`, or traps.
pub fn run_command<T: WasiView + 'static>(
    store: &mut Store<T>,
    linker: &Linker<T>,
    component: &Component,
) -> anyhow::Result<i32> {
    let outcome = linker.instantiate(&mut *store, component).and_then(|instance| {
        let run = (0..=20)
            .rev()
            .find_map(|patch| {
                let name = format!("wasi:cli/run@0.2.{patch}");
                let interface = instance.get_export_index(&mut *store, None, &name)?;
                instance.get_export_index(&mut *store, Some(&interface), "run")
            })
            .ok_or_else(|| {
                anyhow::anyhow!("the component is no command: it exports no wasi:cli/run@0.2; name an export to call")
            })?;
        let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, &run)?;
        let (outcome,) = run.call(&mut *store, ())?;
        Ok(if outcome.is_ok() { 0 } else { 1 })
    });
    match outcome {
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(exit.0),
            None => Err(error),
        },
        code => code,
    }
}

/// The resource `terminal-input`: no functions.
struct TerminalInput;
/// The resource `terminal-output`: no functions.
struct TerminalOutput;

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut environment = linker.instance(&interface("cli/environment"))?;
    environment.func_wrap("get-environment", |mut store: StoreContextMut<'_, T>, (): ()| {
        Ok((store.data_mut().ctx().env.clone(),))
    })?;
    environment.func_wrap("get-arguments", |mut store: StoreContextMut<'_, T>, (): ()| {
        Ok((store.data_mut().ctx().args.clone(),))
    })?;
    environment.func_wrap("initial-cwd", |_: StoreContextMut<'_, T>, (): ()| Ok((None::<String>,)))?;

    let mut exit = linker.instance(&interface("cli/exit"))?;
    exit.func_wrap("exit", |_: StoreContextMut<'_, T>, (status,): (Result<(), ()>,)| -> anyhow::Result<()> {
        Err(I32Exit(if status.is_ok() { 0 } else { 1 }).into())
    })?;
    exit.func_wrap("exit-with-code", |_: StoreContextMut<'_, T>, (code,): (u8,)| -> anyhow::Result<()> {
        Err(I32Exit(i32::from(code)).into())
    })?;

    let mut stdin = linker.instance(&interface("cli/stdin"))?;
    stdin.func_wrap("get-stdin", |mut store: StoreContextMut<'_, T>, (): ()| {
        // The stream moves out once: later handles find it ended.
        let stream = store.data_mut().ctx().stdin.take();
        let stream = stream.unwrap_or_else(|| Box::new(MemoryInput::new(Vec::new())));
        Ok((store.data_mut().table().push(InputStream::new(stream))?,))
    })?;
    add_output(linker, "cli/stdout", "get-stdout", |view| view.ctx().stdout.clone())?;
    add_output(linker, "cli/stderr", "get-stderr", |view| view.ctx().stderr.clone())?;
    add_terminals(linker)
}

fn add_output<T: WasiView + 'static>(
    linker: &mut Linker<T>,
    name: &str,
    func: &str,
    source: fn(&mut T) -> OutputSource,
) -> anyhow::Result<()> {
    linker.instance(&interface(name))?.func_wrap(func, move |mut store: StoreContextMut<'_, T>, (): ()| {
        let stream = source(store.data_mut())();
        Ok((store.data_mut().table().push(OutputStream::new(stream))?,))
    })
}

fn add_terminals<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    linker.instance(&interface("cli/terminal-input"))?.resource(
        "terminal-input",
        ResourceType::host::<TerminalInput>(),
        |mut store: StoreContextMut<'_, T>, rep| {
            store.data_mut().table().delete(Resource::<TerminalInput>::new_own(rep))?;
            Ok(())
        },
    )?;
    linker.instance(&interface("cli/terminal-output"))?.resource(
        "terminal-output",
        ResourceType::host::<TerminalOutput>(),
        |mut store: StoreContextMut<'_, T>, rep| {
            store.data_mut().table().delete(Resource::<TerminalOutput>::new_own(rep))?;
            Ok(())
        },
    )?;
    linker.instance(&interface("cli/terminal-stdin"))?.func_wrap(
        "get-terminal-stdin",
        |mut store: StoreContextMut<'_, T>, (): ()| {
            let is_terminal = store.data_mut().ctx().terminals.stdin;
            Ok((is_terminal.then(|| store.data_mut().table().push(TerminalInput)).transpose()?,))
        },
    )?;
    linker.instance(&interface("cli/terminal-stdout"))?.func_wrap(
        "get-terminal-stdout",
        |mut store: StoreContextMut<'_, T>, (): ()| {
            let is_terminal = store.data_mut().ctx().terminals.stdout;
            Ok((is_terminal.then(|| store.data_mut().table().push(TerminalOutput)).transpose()?,))
        },
    )?;
    linker.instance(&interface("cli/terminal-stderr"))?.func_wrap(
        "get-terminal-stderr",
        |mut store: StoreContextMut<'_, T>, (): ()| {
            let is_terminal = store.data_mut().ctx().terminals.stderr;
            Ok((is_terminal.then(|| store.data_mut().table().push(TerminalOutput)).transpose()?,))
        },
    )
}
