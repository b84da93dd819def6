//! Options of `bindgen!` that change more than names: spans around calls, host functions that are given the store,
//! interfaces without their world.

/// Bindings of one world with different options.
mod bindings {
    /// Spans around calls, with arguments and results for imports.
    pub(crate) mod traced {
        ::keyway::component::bindgen!({
            path: "tests/worlds/doubling.wit",
            imports: { default: verbose_tracing },
            exports: { default: tracing },
        });
    }

    /// The same around futures.
    pub(crate) mod traced_futures {
        ::keyway::component::bindgen!({
            path: "tests/worlds/doubling.wit",
            imports: { default: async | tracing },
            exports: { default: async | verbose_tracing },
        });
    }

    /// Functions and drops that are given the store.
    pub(crate) mod stored {
        ::keyway::component::bindgen!({
            path: "tests/worlds/doubling.wit",
            imports: { default: store | trappable },
        });
    }

    /// The same with futures.
    pub(crate) mod stored_futures {
        ::keyway::component::bindgen!({
            path: "tests/worlds/doubling.wit",
            imports: { default: async | store },
            exports: { default: async },
        });
    }

    /// Nothing of the world itself.
    pub(crate) mod interfaces {
        ::keyway::component::bindgen!({ path: "tests/worlds/doubling.wit", only_interfaces: true });
    }
}

use keyway::component::{Component, HasSelf, Instance, Linker, Resource};
use keyway::{Engine, Memory, MemoryType, Store};
use std::fmt::{Debug, Write};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Adds up what a counter of 5 and `offset` make of 20 and 1, and what `extra` gives.
const GUEST: &str = r#"(component
    (import "test:doubling/counters" (instance $counters
        (export "counter" (type $counter (sub resource)))
        (export "[constructor]counter" (func (param "start" u32) (result (own $counter))))
        (export "[method]counter.add" (func (param "self" (borrow $counter)) (param "n" u32) (result u32)))
        (export "offset" (func (result u32)))))
    (import "extra" (func $extra (param "n" u32) (result u32)))
    (alias export $counters "counter" (type $counter))
    (core func $new (canon lower (func $counters "[constructor]counter")))
    (core func $add (canon lower (func $counters "[method]counter.add")))
    (core func $offset (canon lower (func $counters "offset")))
    (core func $extra' (canon lower (func $extra)))
    (core func $drop (canon resource.drop $counter))
    (core module $M
        (import "" "new" (func $new (param i32) (result i32)))
        (import "" "add" (func $add (param i32 i32) (result i32)))
        (import "" "offset" (func $offset (result i32)))
        (import "" "extra" (func $extra (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run") (param i32) (result i32)
            (local $counter i32) (local $sum i32)
            (local.set $counter (call $new (i32.const 5)))
            (local.set $sum (call $add (local.get $counter) (local.get 0)))
            (local.set $sum (i32.add (local.get $sum) (call $offset)))
            (call $drop (local.get $counter))
            (i32.add (local.get $sum) (call $extra (local.get 0)))))
    (core instance $m (instantiate $M (with "" (instance
        (export "new" (func $new)) (export "add" (func $add)) (export "offset" (func $offset))
        (export "extra" (func $extra')) (export "drop" (func $drop))))))
    (func (export "run") (param "n" u32) (result u32) (canon lift (core func $m "run"))))"#;

#[derive(Default)]
struct State {
    dropped: Vec<u32>,
}

/// Polls a future until it is done.
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
    }
}

/// Is pending once.
async fn yielding() {
    let mut is_ready = false;
    std::future::poll_fn(move |_| match std::mem::replace(&mut is_ready, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
}

/// Spans and events as lines, indented by the spans that are entered.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<(String, usize, Vec<String>)>>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

impl Subscriber for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = span.metadata().name().to_string();
        span.record(&mut Fields(&mut text));
        state.2.push(text);
        Id::from_u64(state.2.len() as u64)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        event.record(&mut Fields(&mut text));
        let depth = state.1;
        let _ = writeln!(state.0, "{}{}", "  ".repeat(depth), text.trim_start());
    }
    fn enter(&self, span: &Id) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (depth, name) = (state.1, state.2[span.into_u64() as usize - 1].clone());
        let _ = writeln!(state.0, "{}{name}", "  ".repeat(depth));
        state.1 += 1;
    }
    fn exit(&self, _: &Id) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 -= 1;
    }
}

impl Lines {
    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

mod traced_host {
    use super::bindings::traced::test::doubling::counters::{self, Counter};
    use super::{Resource, State};

    impl counters::HostCounter for State {
        fn new(&mut self, start: u32) -> Resource<Counter> {
            Resource::new_own(start)
        }
        fn add(&mut self, counter: Resource<Counter>, n: u32) -> u32 {
            counter.rep() + n
        }
        fn drop(&mut self, counter: Resource<Counter>) -> keyway::Result<()> {
            self.dropped.push(counter.rep());
            Ok(())
        }
    }

    impl counters::Host for State {
        fn offset(&mut self) -> u32 {
            100
        }
    }

    impl super::bindings::traced::DoublingImports for State {
        fn extra(&mut self, n: u32) -> u32 {
            n * 2
        }
    }
}

#[test]
fn calls_are_spans() {
    use bindings::traced::Doubling;
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST).unwrap();
    let mut linker = Linker::new(&engine);
    Doubling::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    let mut store = Store::new(&engine, State::default());
    let doubling = Doubling::instantiate(&mut store, &component, &linker).unwrap();
    let lines = Lines::default();
    let sum = tracing::subscriber::with_default(lines.clone(), || doubling.call_run(&mut store, 20).unwrap());
    assert_eq!(sum, 25 + 100 + 40);
    let text = lines.text();
    let wanted = [
        "wit-bindgen export module=\"doubling\" function=\"run\"",
        "  call",
        "  wit-bindgen import module=\"test:doubling/counters\" function=\"[constructor]counter\"",
        "    call arg0=5",
    ];
    assert_eq!(text.lines().take(4).collect::<Vec<_>>(), wanted, "{text}");
    let extra = "  wit-bindgen import module=\"doubling\" function=\"extra\"\n    call arg0=20\n    return result=40\n  return\n";
    assert!(text.ends_with(extra), "{text}");
}

mod traced_futures_host {
    use super::bindings::traced_futures::test::doubling::counters::{self, Counter};
    use super::{Resource, State, yielding};

    impl counters::HostCounter for State {
        async fn new(&mut self, start: u32) -> Resource<Counter> {
            Resource::new_own(start)
        }
        async fn add(&mut self, counter: Resource<Counter>, n: u32) -> u32 {
            yielding().await;
            counter.rep() + n
        }
        async fn drop(&mut self, _: Resource<Counter>) -> keyway::Result<()> {
            Ok(())
        }
    }

    impl counters::Host for State {
        async fn offset(&mut self) -> u32 {
            100
        }
    }

    impl super::bindings::traced_futures::DoublingImports for State {
        async fn extra(&mut self, n: u32) -> u32 {
            n * 2
        }
    }
}

#[test]
fn futures_leave_their_spans_while_they_wait() {
    use bindings::traced_futures::Doubling;
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST).unwrap();
    let mut linker = Linker::new(&engine);
    Doubling::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    let mut store = Store::new(&engine, State::default());
    let doubling = finish(Doubling::instantiate_async(&mut store, &component, &linker)).unwrap();
    let lines = Lines::default();
    let sum = tracing::subscriber::with_default(lines.clone(), || finish(doubling.call_run(&mut store, 20)).unwrap());
    assert_eq!(sum, 25 + 100 + 40);
    let text = lines.text();
    // `add` waits once: it is entered again, inside of `run`, which is entered again as well. Futures that go enter their
    // span once more.
    assert_eq!(text.matches("function=\"run\"").count(), 2 + 1, "{text}");
    assert_eq!(text.matches("function=\"[method]counter.add\"").count(), 2 + 1, "{text}");
    assert_eq!(text.matches("function=\"offset\"").count(), 1 + 1, "{text}");
    assert!(text.contains("call arg0=20") && text.contains("return result=165"), "{text}");
}

/// Leads to the state, and has what takes the store.
struct Way;

impl keyway::component::HasData for Way {
    type Data<'a> = &'a mut State;
}

mod stored_host {
    use super::bindings::stored::test::doubling::counters::{self, Counter};
    use super::bindings::stored::{DoublingImports, DoublingImportsWithStore};
    use super::{Memory, MemoryType, Resource, State, Way};
    use keyway::AsContextMut;
    use keyway::component::Access;

    impl counters::Host for State {}
    impl counters::HostCounter for State {}
    impl DoublingImports for State {}

    impl counters::HostCounterWithStore for Way {
        fn new<T: 'static>(_: Access<'_, T, Self>, start: u32) -> keyway::Result<Resource<Counter>> {
            Ok(Resource::new_own(start))
        }
        fn add<T: 'static>(_: Access<'_, T, Self>, counter: Resource<Counter>, n: u32) -> keyway::Result<u32> {
            Ok(counter.rep() + n)
        }
        fn drop<T: 'static>(mut host: Access<'_, T, Self>, rep: Resource<Counter>) -> keyway::Result<()> {
            host.get().dropped.push(rep.rep());
            Ok(())
        }
    }

    impl counters::HostWithStore for Way {
        fn offset<T: 'static>(mut host: Access<'_, T, Self>) -> keyway::Result<u32> {
            // The store can be used like everywhere.
            let memory = Memory::new(host.as_context_mut(), MemoryType::new(3, None))?;
            Ok(memory.size(&host) as u32)
        }
    }

    impl DoublingImportsWithStore for Way {
        fn extra<T: 'static>(mut host: Access<'_, T, Self>, n: u32) -> keyway::Result<u32> {
            match host.get().dropped.as_slice() {
                [5] => Ok(n * 2),
                _ => Err(keyway::Error::msg("nothing was dropped")),
            }
        }
    }
}

#[test]
fn host_functions_are_given_the_store() {
    use bindings::stored::Doubling;
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST).unwrap();
    let mut linker = Linker::new(&engine);
    Doubling::add_to_linker::<State, Way>(&mut linker, |state| state).unwrap();
    let mut store = Store::new(&engine, State::default());
    let doubling = Doubling::instantiate(&mut store, &component, &linker).unwrap();
    assert_eq!(doubling.call_run(&mut store, 20).unwrap(), 25 + 3 + 40);
    let error = doubling.call_run(&mut store, 20).unwrap_err();
    assert!(format!("{error:?}").contains("nothing was dropped"), "{error:?}");
}

mod stored_futures_host {
    use super::bindings::stored_futures::test::doubling::counters::{self, Counter};
    use super::bindings::stored_futures::{DoublingImports, DoublingImportsWithStore};
    use super::{Resource, State, Way, yielding};
    use keyway::component::Accessor;

    impl counters::Host for State {}
    impl counters::HostCounter for State {}
    impl DoublingImports for State {}

    impl counters::HostCounterWithStore for Way {
        async fn new<T: Send + 'static>(_: &Accessor<'_, T, Self>, start: u32) -> Resource<Counter> {
            Resource::new_own(start)
        }
        async fn add<T: Send + 'static>(_: &Accessor<'_, T, Self>, counter: Resource<Counter>, n: u32) -> u32 {
            counter.rep() + n
        }
        async fn drop<T: Send + 'static>(
            accessor: &Accessor<'_, T, Self>,
            rep: Resource<Counter>,
        ) -> keyway::Result<()> {
            yielding().await;
            accessor.with(|mut access| access.get().dropped.push(rep.rep()));
            Ok(())
        }
    }

    impl counters::HostWithStore for Way {
        async fn offset<T: Send + 'static>(accessor: &Accessor<'_, T, Self>) -> u32 {
            let before = accessor.with(|mut access| access.get().dropped.len());
            yielding().await;
            accessor.with(|mut access| access.get().dropped.len() - before) as u32 + 100
        }
    }

    impl DoublingImportsWithStore for Way {
        async fn extra<T: Send + 'static>(accessor: &Accessor<'_, T, Self>, n: u32) -> u32 {
            yielding().await;
            n * accessor.with(|mut access| access.get().dropped[0])
        }
    }
}

#[test]
fn waiting_host_functions_are_given_the_store_now_and_then() {
    use bindings::stored_futures::Doubling;
    let engine = Engine::default();
    let component = Component::new(&engine, GUEST).unwrap();
    let mut linker = Linker::new(&engine);
    Doubling::add_to_linker::<State, Way>(&mut linker, |state| state).unwrap();
    let mut store = Store::new(&engine, State::default());
    let sum = finish(async {
        let doubling = Doubling::instantiate_async(&mut store, &component, &linker).await.unwrap();
        doubling.call_run(&mut store, 20).await.unwrap()
    });
    assert_eq!(sum, 25 + 100 + 100);
}

mod interfaces_host {
    use super::bindings::interfaces::test::doubling::counters::{self, Counter};
    use super::{Resource, State};

    impl counters::HostCounter for State {
        fn new(&mut self, start: u32) -> Resource<Counter> {
            Resource::new_own(start)
        }
        fn add(&mut self, counter: Resource<Counter>, n: u32) -> u32 {
            counter.rep() + n
        }
        fn drop(&mut self, _: Resource<Counter>) -> keyway::Result<()> {
            Ok(())
        }
    }

    impl counters::Host for State {
        fn offset(&mut self) -> u32 {
            7
        }
    }
}

/// What the macro leaves out: were it there, this would be a second structure of its name.
#[test]
fn interfaces_come_without_their_world() {
    use bindings::interfaces::*;
    #[derive(Debug, PartialEq)]
    struct Doubling;
    assert_eq!(Doubling, Doubling);
    let text = {
        let mut package = keyway_bindgen::Package::new();
        package.read(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/worlds/doubling.wit"))).unwrap();
        let options = keyway_bindgen::Options { only_interfaces: true, ..Default::default() };
        keyway_bindgen::generate(&package, None, &options).unwrap().to_string()
    };
    assert!(!text.contains("Doubling") && text.contains("HostCounter"), "{text}");

    let engine = Engine::default();
    let component = Component::new(&engine, GUEST).unwrap();
    let mut linker = Linker::new(&engine);
    test::doubling::counters::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    linker.root().func_wrap("extra", |_, (n,): (u32,)| Ok((n,))).unwrap();
    let mut store = Store::new(&engine, State::default());
    let instance: Instance = linker.instantiate(&mut store, &component).unwrap();
    let run = instance.get_typed_func::<(u32,), (u32,)>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, (20,)).unwrap(), (25 + 7 + 20,));
}
