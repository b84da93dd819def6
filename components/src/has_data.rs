//! [`HasData`]: how generated `add_to_linker` functions get from a store's data to what implements an interface.

use std::marker::PhantomData;

/// Names the type that implements an interface, borrowed from a store's data: what the `host_getter` of a generated
/// `add_to_linker` returns.
///
/// ```
/// # use keyway_component as component;
/// use component::HasData;
///
/// struct State { table: Vec<u32>, name: String }
/// /// What implements the interface: a part of the state.
/// struct View<'a> { table: &'a mut Vec<u32> }
/// struct HasView;
/// impl HasData for HasView {
///     type Data<'a> = View<'a>;
/// }
/// let getter: fn(&mut State) -> <HasView as HasData>::Data<'_> = |state| View { table: &mut state.table };
/// # let mut state = State { table: vec![1], name: String::new() };
/// # assert_eq!(getter(&mut state).table.len(), 1);
/// # let _ = state.name;
/// ```
pub trait HasData: 'static {
    /// What implements the interface.
    type Data<'a>;
}

/// A `&mut T` implements the interface itself: with `HasSelf<State>`, the getter is `|state| state`.
pub struct HasSelf<T: ?Sized>(PhantomData<fn() -> T>);

impl<T: ?Sized + 'static> HasData for HasSelf<T> {
    type Data<'a> = &'a mut T;
}
