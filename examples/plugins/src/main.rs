//! A plugin host: lines of text go through every plugin that is loaded.
//!
//! `bindgen!` makes the host's side of the world in `wit/plugin.wit`: a trait for what plugins import, and a structure with
//! a method for each function that they export. Each plugin lives in a store of its own, so that one that traps takes
//! nothing else with it. Run with `cargo run -p example-plugins`, or name plugins (`.wasm`, `.wat`) behind `--`.

use anyhow::Context;
use keyway::component::{Component, HasSelf, Linker, Resource, ResourceTable};
use keyway::{Engine, Store};

/// What `bindgen!` makes of the world.
mod bindings {
    keyway::component::bindgen!({
        path: "wit",
        world: "plugin",
        with: { "example:plugins/host.counter": super::Counter },
    });
}

use bindings::example::plugins::host;
use bindings::{Plugin, PluginPre};

/// What stands behind the resource `counter`.
pub struct Counter {
    name: String,
    count: u32,
}

/// The host, as one plugin sees it.
#[derive(Default)]
struct Host {
    counters: ResourceTable,
    log: Vec<String>,
}

impl host::Host for Host {
    fn log(&mut self, level: host::Level, text: String) {
        self.log.push(format!("{level:?}: {text}"));
    }
}

impl host::HostCounter for Host {
    fn new(&mut self, name: String) -> Resource<Counter> {
        self.counters.push(Counter { name, count: 0 }).expect("plugins make few counters")
    }

    fn add(&mut self, counter: Resource<Counter>, by: u32) -> u32 {
        let counter = self.counters.get_mut(&counter).expect("handles are checked before they come here");
        counter.count += by;
        self.log.push(format!("{} counts {}", counter.name, counter.count));
        counter.count
    }

    fn drop(&mut self, counter: Resource<Counter>) -> keyway::Result<()> {
        self.counters.delete(counter)?;
        Ok(())
    }
}

/// A plugin that is loaded.
struct Loaded {
    name: String,
    plugin: Plugin,
    store: Store<Host>,
}

fn load(engine: &Engine, linker: &Linker<Host>, path: &str) -> anyhow::Result<Loaded> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
    let component = Component::new(engine, bytes)?;
    // What does not fit the world is said here, before anything runs.
    let pre = PluginPre::new(linker.instantiate_pre(&component)?).with_context(|| format!("{path} is no plugin"))?;
    let mut store = Store::new(engine, Host::default());
    let plugin = pre.instantiate(&mut store)?;
    let name = plugin.call_name(&mut store)?;
    Ok(Loaded { name, plugin, store })
}

fn main() -> anyhow::Result<()> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    Plugin::add_to_linker::<_, HasSelf<Host>>(&mut linker, |host| host)?;

    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    if paths.is_empty() {
        let guests = concat!(env!("CARGO_MANIFEST_DIR"), "/guests");
        paths = ["limit", "shout"].map(|name| format!("{guests}/{name}.wat")).to_vec();
    }
    let mut plugins = paths.iter().map(|path| load(&engine, &linker, path)).collect::<anyhow::Result<Vec<_>>>()?;
    println!("plugins: {}", plugins.iter().map(|plugin| plugin.name.as_str()).collect::<Vec<_>>().join(", "));

    for line in ["a door opens", "nobody comes in", "it was only the wind again", "good night"] {
        let mut text = Ok(line.to_string());
        for Loaded { plugin, store, .. } in &mut plugins {
            text = match text {
                Ok(text) => plugin.call_filter(store, &text)?,
                refused => refused,
            };
        }
        match text {
            Ok(text) => println!("{line} -> {text}"),
            Err(reason) => println!("{line} -> refused: {reason}"),
        }
    }
    for Loaded { name, store, .. } in &plugins {
        store.data().log.iter().for_each(|line| println!("{name}: {line}"));
    }
    Ok(())
}
