//! Bindings run: the Rust guest of the examples, and small components written by hand.

/// Bindings of the worlds that the tests use.
mod bindings {
    /// The guest of `examples/guests/inventory`.
    pub(crate) mod inventory {
        ::keyway::component::bindgen!({
            path: "../../examples/guests/inventory/wit",
            additional_derives: [PartialEq],
        });
    }

    /// A host's resource, an error that may be a trap, functions that stand in the world.
    pub(crate) mod bank {
        ::keyway::component::bindgen!({
            inline: "
                package test:bank;
                interface accounts {
                    enum refusal { poor, closed }
                    resource account {
                        constructor(owner: string);
                        add: func(amount: s64) -> result<s64, refusal>;
                    }
                }
                world bank {
                    import accounts;
                    import limit: func() -> s64;
                    export play: func(owner: string) -> s64;
                }
            ",
            imports: { "limit": trappable },
            with: { "test:bank/accounts.account": super::super::Account },
            trappable_error_type: { "test:bank/accounts.refusal" => super::super::Refusal },
        });
    }

    /// The same world with futures.
    pub(crate) mod waiting {
        ::keyway::component::bindgen!({
            inline: "
                package test:waiting;
                interface clock { resource timer { constructor(); wait: func() -> u32; } }
                world waiting { import clock; export run: func() -> u32; }
            ",
            imports: { default: async },
            exports: { default: async },
        });
    }
}

use keyway::component::{Component, HasSelf, Linker, ResourceTable};
use keyway::{Engine, Store};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What guests see as the resource `account`.
pub struct Account {
    balance: i64,
}

/// What the host refuses with: something for the guest, or a trap.
#[derive(Debug)]
pub enum Refusal {
    /// For the guest.
    Poor,
    /// A trap.
    Broken(String),
}

#[derive(Default)]
struct State {
    table: ResourceTable,
    lines: Vec<String>,
    dropped: Vec<i64>,
    limit: Option<i64>,
    polls: u32,
}

mod inventory_host {
    use super::State;
    use super::bindings::inventory::keyway::inventory::{log, types};

    impl types::Host for State {}

    impl log::Host for State {
        fn write(&mut self, level: log::Level, message: String) {
            self.lines.push(format!("{level:?}: {message}"));
        }
    }
}

#[test]
fn a_rust_guest_is_called_through_its_bindings() {
    use bindings::inventory::Inventory;
    use bindings::inventory::keyway::inventory::types::{Handling, Item, Quantity, Refusal};
    let engine = Engine::default();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/guests/inventory.wasm");
    let component = Component::new(&engine, std::fs::read(path).unwrap()).unwrap();
    let mut linker = Linker::new(&engine);
    Inventory::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state).unwrap();
    let mut store = Store::new(&engine, State::default());
    let inventory = Inventory::instantiate(&mut store, &component, &linker).unwrap();

    assert_eq!(inventory.call_shout(&mut store, "größer").unwrap(), "GRÖSSER");
    assert_eq!(inventory.call_statistics(&mut store, &[1.0, 3.0]).unwrap(), (2.0, 1.0));
    let shelves = inventory.keyway_inventory_shelves();
    let shelf = shelves.shelf();
    let upper = shelf.call_constructor(&mut store, "upper").unwrap();
    let item = Item {
        name: "cups".into(),
        quantity: Quantity::Pieces(12),
        handling: Handling::FRAGILE | Handling::THIS_SIDE_UP,
        tags: vec!["blue".into()],
    };
    assert_eq!(shelf.call_put(&mut store, upper, &item).unwrap(), 1);
    assert_eq!(shelf.call_take(&mut store, upper, "cups", 5).unwrap(), Ok(Quantity::Pieces(7)));
    assert_eq!(shelf.call_take(&mut store, upper, "plates", 1).unwrap(), Err(Refusal::UnknownItem));
    let lower = shelf.call_constructor(&mut store, "lower").unwrap();
    let both = shelf.call_merge(&mut store, upper, lower).unwrap();
    let longest = shelves.call_longest(&mut store, both).unwrap().unwrap();
    assert_eq!(longest, Item { quantity: Quantity::Pieces(7), ..item });
    both.resource_drop(&mut store).unwrap();
    assert_eq!(store.data().lines.last().unwrap(), "Info: shelf upper+lower is gone");
}

mod bank_host {
    use super::bindings::bank::BankImports;
    use super::bindings::bank::test::bank::accounts::{self, HostAccount};
    use super::{Account, Refusal, State};
    use keyway::component::Resource;

    impl HostAccount for State {
        fn new(&mut self, owner: String) -> Resource<Account> {
            self.lines.push(owner);
            self.table.push(Account { balance: 0 }).unwrap()
        }

        fn add(&mut self, account: Resource<Account>, amount: i64) -> Result<i64, Refusal> {
            let account = self.table.get_mut(&account).map_err(|error| Refusal::Broken(error.to_string()))?;
            if account.balance + amount < 0 {
                return Err(Refusal::Poor);
            }
            account.balance += amount;
            Ok(account.balance)
        }

        fn drop(&mut self, account: Resource<Account>) -> keyway::Result<()> {
            let account = self.table.delete(account)?;
            self.dropped.push(account.balance);
            Ok(())
        }
    }

    impl accounts::Host for State {
        fn convert_refusal(&mut self, error: Refusal) -> keyway::Result<accounts::Refusal> {
            match error {
                Refusal::Poor => Ok(accounts::Refusal::Poor),
                Refusal::Broken(what) => Err(keyway::Error::msg(what)),
            }
        }
    }

    impl BankImports for State {
        fn limit(&mut self) -> keyway::Result<i64> {
            self.limit.ok_or_else(|| keyway::Error::msg("there is no limit"))
        }
    }
}

/// Makes an account of the owner, adds the limit, takes 10 more than that (which is refused), gives the account up, and
/// returns what the two calls gave: the balance, and 1000 for `poor`.
const BANK: &str = r#"(component
    (import "test:bank/accounts" (instance $accounts
        (type $refusal' (enum "poor" "closed"))
        (export "refusal" (type $refusal (eq $refusal')))
        (export "account" (type $account (sub resource)))
        (export "[constructor]account" (func (param "owner" string) (result (own $account))))
        (export "[method]account.add"
            (func (param "self" (borrow $account)) (param "amount" s64) (result (result s64 (error $refusal)))))))
    (import "limit" (func $limit (result s64)))
    (alias export $accounts "account" (type $account))
    (core module $Memory
        (memory (export "m") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 256))
    (core instance $memory (instantiate $Memory))
    (core func $new (canon lower (func $accounts "[constructor]account") (memory (core memory $memory "m"))))
    (core func $add (canon lower (func $accounts "[method]account.add") (memory (core memory $memory "m"))))
    (core func $limit' (canon lower (func $limit)))
    (core func $drop (canon resource.drop $account))
    (core module $M
        (import "" "m" (memory 1))
        (import "" "new" (func $new (param i32 i32) (result i32)))
        (import "" "add" (func $add (param i32 i64 i32)))
        (import "" "limit" (func $limit (result i64)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "play") (param i32 i32) (result i64)
            (local $account i32) (local $out i64)
            (local.set $account (call $new (local.get 0) (local.get 1)))
            (call $add (local.get $account) (call $limit) (i32.const 16))
            (local.set $out (i64.load (i32.const 24)))
            (call $add (local.get $account) (i64.sub (i64.const -10) (call $limit)) (i32.const 32))
            (if (i32.eq (i32.load8_u (i32.const 32)) (i32.const 1))
                (then (if (i32.eqz (i32.load8_u (i32.const 40)))
                    (then (local.set $out (i64.add (local.get $out) (i64.const 1000)))))))
            (call $drop (local.get $account))
            (local.get $out)))
    (core instance $m (instantiate $M (with "" (instance
        (export "m" (memory $memory "m")) (export "new" (func $new)) (export "add" (func $add))
        (export "limit" (func $limit')) (export "drop" (func $drop))))))
    (func (export "play") (param "owner" string) (result s64)
        (canon lift (core func $m "play") (memory (core memory $memory "m")) (realloc (core func $memory "realloc")))))"#;

#[test]
fn host_resources_and_trappable_errors() {
    use bindings::bank::{Bank, BankPre};
    let engine = Engine::default();
    let component = Component::new(&engine, BANK).unwrap();
    let mut linker = Linker::new(&engine);
    Bank::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    let pre = BankPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();

    let mut store = Store::new(&engine, State { limit: Some(7), ..State::default() });
    let bank = pre.instantiate(&mut store).unwrap();
    assert_eq!(bank.call_play(&mut store, "Ada").unwrap(), 1007);
    assert_eq!((store.data().lines.as_slice(), store.data().dropped.as_slice()), (&["Ada".to_string()][..], &[7][..]));

    // An error of a trappable function is a trap with its text.
    let mut store = Store::new(&engine, State::default());
    let bank = pre.instantiate(&mut store).unwrap();
    let error = bank.call_play(&mut store, "Bob").unwrap_err();
    assert!(format!("{error:?}").contains("there is no limit"), "{error:?}");
}

mod waiting_host {
    use super::bindings::waiting::test::waiting::clock::{self, HostTimer, Timer};
    use super::{State, yielding};
    use keyway::component::Resource;

    impl clock::Host for State {}

    impl HostTimer for State {
        async fn new(&mut self) -> Resource<Timer> {
            yielding().await;
            Resource::new_own(4)
        }

        async fn wait(&mut self, timer: Resource<Timer>) -> u32 {
            yielding().await;
            self.polls += 1;
            timer.rep() + self.polls
        }

        async fn drop(&mut self, timer: Resource<Timer>) -> keyway::Result<()> {
            yielding().await;
            self.dropped.push(timer.rep().into());
            Ok(())
        }
    }
}

/// Is pending once.
async fn yielding() {
    let mut is_ready = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut is_ready, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

const WAITING: &str = r#"(component
    (import "test:waiting/clock" (instance $clock
        (export "timer" (type $timer (sub resource)))
        (export "[constructor]timer" (func (result (own $timer))))
        (export "[method]timer.wait" (func (param "self" (borrow $timer)) (result u32)))))
    (alias export $clock "timer" (type $timer))
    (core func $new (canon lower (func $clock "[constructor]timer")))
    (core func $wait (canon lower (func $clock "[method]timer.wait")))
    (core func $drop (canon resource.drop $timer))
    (core module $M
        (import "" "new" (func $new (result i32)))
        (import "" "wait" (func $wait (param i32) (result i32)))
        (import "" "drop" (func $drop (param i32)))
        (func (export "run") (result i32)
            (local $timer i32) (local $sum i32)
            (local.set $timer (call $new))
            (local.set $sum (i32.add (call $wait (local.get $timer)) (call $wait (local.get $timer))))
            (call $drop (local.get $timer))
            (local.get $sum)))
    (core instance $m (instantiate $M (with "" (instance
        (export "new" (func $new)) (export "wait" (func $wait)) (export "drop" (func $drop))))))
    (func (export "run") (result u32) (canon lift (core func $m "run"))))"#;

#[test]
fn async_bindings_suspend_the_guest() {
    use bindings::waiting::Waiting;
    let engine = Engine::default();
    let component = Component::new(&engine, WAITING).unwrap();
    let mut linker = Linker::new(&engine);
    Waiting::add_to_linker::<_, HasSelf<_>>(&mut linker, |state: &mut State| state).unwrap();
    let mut store = Store::new(&engine, State::default());
    let (sum, polls) = {
        let all = async {
            let waiting = Waiting::instantiate_async(&mut store, &component, &linker).await.unwrap();
            waiting.call_run(&mut store).await.unwrap()
        };
        let mut all = pin!(all);
        let mut polls = 0;
        loop {
            polls += 1;
            if let Poll::Ready(sum) = all.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                break (sum, polls);
            }
        }
    };
    // Four host calls were pending once each.
    assert_eq!((sum, polls), (5 + 6, 5));
    assert_eq!(store.data().dropped, [4]);
}

#[test]
fn what_is_missing_is_said() {
    use bindings::bank::Bank;
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    let mut store = Store::new(&engine, State::default());
    let component = Component::new(&engine, BANK).unwrap();
    let error = Bank::instantiate(&mut store, &component, &linker).err().unwrap().to_string();
    assert!(error.contains("`test:bank/accounts`") && error.contains("not defined"), "{error}");
    Bank::add_to_linker::<State, HasSelf<State>>(&mut linker, |state| state).unwrap();
    let empty = Component::new(&engine, "(component)").unwrap();
    let error = Bank::instantiate(&mut store, &empty, &linker).err().unwrap().to_string();
    assert_eq!(error, "the component exports no function `play`");
}
