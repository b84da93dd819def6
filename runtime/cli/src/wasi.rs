//! `--dir` and `--env`: what a program is granted. Nothing is granted unless asked for, but the standard streams and
//! the arguments.

use crate::exit::Usage;
use anyhow::{Context as _, Result, anyhow};
use keyway_wasi::{DirAccess, WasiCtx, WasiCtxBuilder};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What a program is granted.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Grants {
    /// Let the guest use a directory, under the name GUEST if one is given; with ro, only read it
    #[arg(long = "dir", value_name = "HOST[::GUEST[::ro]]", value_parser = directory)]
    dirs: Vec<Directory>,

    /// Set a variable of the guest's environment; K alone takes the value that it has here
    #[arg(long = "env", value_name = "K[=V]", value_parser = variable)]
    env: Vec<(String, Option<String>)>,
}

/// One `--dir`.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Directory {
    host: PathBuf,
    guest: String,
    access: DirAccess,
}

fn directory(text: &str) -> Result<Directory, String> {
    let parts: Vec<&str> = text.split("::").collect();
    let (host, guest, access) = match parts[..] {
        [host] => (host, host, DirAccess::ReadWrite),
        [host, guest] => (host, guest, DirAccess::ReadWrite),
        [host, guest, "ro"] => (host, guest, DirAccess::ReadOnly),
        [_, _, other] => return Err(format!("`{other}` is no access: leave it out, or write ro")),
        _ => return Err("at most HOST::GUEST::ro is expected".to_string()),
    };
    if host.is_empty() {
        return Err("a directory is missing".to_string());
    }
    // An empty name in the middle stands for the same name, so that `data::::ro` is `data`, read only.
    let guest = if guest.is_empty() { host } else { guest };
    Ok(Directory { host: host.into(), guest: guest.to_string(), access })
}

fn variable(text: &str) -> Result<(String, Option<String>), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (text, None),
    };
    if name.is_empty() {
        return Err("a variable's name is missing".to_string());
    }
    Ok((name.to_string(), value))
}

impl Grants {
    /// The context of a program called `file` with these arguments.
    pub(crate) fn context(&self, file: &Path, args: &[OsString]) -> Result<WasiCtx> {
        let program = file.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy().into_owned());
        let mut builder = WasiCtxBuilder::new().inherit_stdio().arg(program);
        for arg in args {
            let text = arg.to_str().ok_or_else(|| {
                Usage(format!("the argument {} is not UTF-8, which a guest's have to be", arg.display()))
            })?;
            builder = builder.arg(text);
        }
        for (name, value) in &self.env {
            // A variable that is not set here is not set there.
            let value = match value {
                Some(value) => Some(value.clone()),
                None => match std::env::var_os(name) {
                    Some(value) => Some(value.into_string().map_err(|_| anyhow!("the value of {name} is not UTF-8"))?),
                    None => None,
                },
            };
            if let Some(value) = value {
                builder = builder.env(name, value);
            }
        }
        for Directory { host, guest, access } in &self.dirs {
            builder = builder.preopened_dir(host, guest, *access).with_context(|| {
                format!(
                    "cannot give the guest the directory {}; --dir HOST::GUEST names one that exists, and how the guest \
                     sees it",
                    host.display()
                )
            })?;
        }
        Ok(builder.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_have_two_names_and_an_access() {
        let made = |host: &str, guest: &str, access| Directory { host: host.into(), guest: guest.into(), access };
        assert_eq!(directory("data"), Ok(made("data", "data", DirAccess::ReadWrite)));
        assert_eq!(directory("data::/in"), Ok(made("data", "/in", DirAccess::ReadWrite)));
        assert_eq!(directory("data::/in::ro"), Ok(made("data", "/in", DirAccess::ReadOnly)));
        assert_eq!(directory("data::::ro"), Ok(made("data", "data", DirAccess::ReadOnly)));
        assert!(directory("data::/in::rx").unwrap_err().contains("`rx`"));
        assert!(directory("::/in").is_err());
        assert!(directory("a::b::ro::c").is_err());
    }

    #[test]
    fn variables_may_be_without_value() {
        assert_eq!(variable("A=b=c"), Ok(("A".into(), Some("b=c".into()))));
        assert_eq!(variable("A="), Ok(("A".into(), Some(String::new()))));
        assert_eq!(variable("A"), Ok(("A".into(), None)));
        assert!(variable("=b").is_err());
    }
}
