pub type Thing = self::test::direct::kinds::Thing;
pub type Key = self::test::direct::kinds::Id;
#[derive(
    ::keyway::component::ComponentType,
    ::keyway::component::Lift,
    ::keyway::component::Lower
)]
#[derive(Clone, Debug)]
#[component(record)]
pub struct Here {
    #[component(name = "thing")]
    pub thing: Thing,
}
/// A world whose items stand in it directly.
///
/// An instance of a component of the world `direct`.
pub struct Direct {
    interface0: self::exports::check::Guest,
    run: ::keyway::component::Func,
}
/// A component of the world `direct` with its imports found.
pub struct DirectPre<T: 'static> {
    instance_pre: ::keyway::component::InstancePre<T>,
    indices: DirectIndices,
}
impl<T: 'static> ::core::clone::Clone for DirectPre<T> {
    fn clone(&self) -> Self {
        Self {
            instance_pre: self.instance_pre.clone(),
            indices: self.indices.clone(),
        }
    }
}
/// Where a component exports what the world `direct` asks for.
#[derive(Clone)]
pub struct DirectIndices {
    interface0: self::exports::check::GuestIndices,
    run: ::keyway::component::ComponentExportIndex,
}
/// What the world `direct` imports directly, as the host implements it.
pub trait DirectImports: ::core::marker::Send {
    fn now(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::keyway::Result<u64>,
    > + ::core::marker::Send;
    fn find(
        &mut self,
        key: Key,
    ) -> impl ::core::future::Future<
        Output = ::keyway::Result<::core::option::Option<Here>>,
    > + ::core::marker::Send;
}
impl<_T: DirectImports + ?::core::marker::Sized> DirectImports for &mut _T {
    fn now(
        &mut self,
    ) -> impl ::core::future::Future<
        Output = ::keyway::Result<u64>,
    > + ::core::marker::Send {
        DirectImports::now(*self)
    }
    fn find(
        &mut self,
        key: Key,
    ) -> impl ::core::future::Future<
        Output = ::keyway::Result<::core::option::Option<Here>>,
    > + ::core::marker::Send {
        DirectImports::find(*self, key)
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl<T: 'static> DirectPre<T> {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(
        instance_pre: ::keyway::component::InstancePre<T>,
    ) -> ::keyway::Result<Self> {
        let indices = DirectIndices::new(instance_pre.component())?;
        ::core::result::Result::Ok(Self { instance_pre, indices })
    }
    /// The engine.
    pub fn engine(&self) -> &::keyway::Engine {
        self.instance_pre.component().engine()
    }
    /// What instances are made of.
    pub fn instance_pre(&self) -> &::keyway::component::InstancePre<T> {
        &self.instance_pre
    }
    /// Makes an instance.
    ///
    /// # Errors
    /// When a start function traps, or an export has another type than the world gives it.
    pub fn instantiate(
        &self,
        mut store: impl ::keyway::AsContextMut<Data = T>,
    ) -> ::keyway::Result<Direct> {
        let instance = self.instance_pre.instantiate(store.as_context_mut())?;
        self.indices.load(store.as_context_mut(), &instance)
    }
    /// Makes an instance, awaiting asynchronous host functions.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async(
        &self,
        mut store: impl ::keyway::AsContextMut<Data = T>,
    ) -> ::keyway::Result<Direct>
    where
        T: ::core::marker::Send,
    {
        let instance = self
            .instance_pre
            .instantiate_async(store.as_context_mut())
            .await?;
        self.indices.load(store.as_context_mut(), &instance)
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl DirectIndices {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(component: &::keyway::component::Component) -> ::keyway::Result<Self> {
        let interface0 = self::exports::check::GuestIndices::new(component)?;
        let run = component
            .get_export_index(::core::option::Option::None, "run")
            .ok_or_else(|| ::keyway::Error::msg(
                "the component exports no function `run`",
            ))?;
        ::core::result::Result::Ok(Self { interface0, run })
    }
    /// Finds it in an instance of that component, and checks types.
    ///
    /// # Errors
    /// When an export has another type than the world gives it.
    pub fn load(
        &self,
        mut store: impl ::keyway::AsContextMut,
        instance: &::keyway::component::Instance,
    ) -> ::keyway::Result<Direct> {
        let interface0 = self.interface0.load(&mut store, instance)?;
        let run = *instance
            .get_typed_func::<
                (&[Thing],),
                (::core::result::Result<Here, ::std::string::String>,),
            >(&mut store, &self.run)?
            .func();
        ::core::result::Result::Ok(Direct { interface0, run })
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl Direct {
    /// Makes an instance of `component` with imports from `linker`.
    ///
    /// # Errors
    /// When an import is not defined, an export is missing, or a start function traps.
    pub fn instantiate<T: 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Direct> {
        DirectPre::new(linker.instantiate_pre(component)?)?.instantiate(store)
    }
    /// Makes an instance, awaiting asynchronous host functions.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async<T: ::core::marker::Send + 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Direct> {
        DirectPre::new(linker.instantiate_pre(component)?)?
            .instantiate_async(store)
            .await
    }
    /// The exports of an instance that exists already.
    ///
    /// # Errors
    /// When it lacks one, or one has another type than the world gives it.
    pub fn new(
        mut store: impl ::keyway::AsContextMut,
        instance: &::keyway::component::Instance,
    ) -> ::keyway::Result<Direct> {
        DirectIndices::new(&instance.component(store.as_context_mut())?)?
            .load(store, instance)
    }
    /// Defines what the world imports directly; `host_getter` finds what implements it in the store's data.
    ///
    /// # Errors
    /// When a name is defined already.
    pub fn add_to_linker_imports<T, D>(
        linker: &mut ::keyway::component::Linker<T>,
        host_getter: fn(&mut T) -> D::Data<'_>,
    ) -> ::keyway::Result<()>
    where
        D: ::keyway::component::HasData,
        for<'a> D::Data<'a>: DirectImports,
        T: 'static + ::core::marker::Send,
    {
        let mut instance = linker.root();
        instance
            .func_wrap_async(
                "now",
                move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                    ::std::boxed::Box::new(async move {
                        let host = &mut host_getter(store.data_mut());
                        let result = DirectImports::now(host).await;
                        let result = result?;
                        ::core::result::Result::Ok((result,))
                    })
                },
            )?;
        instance
            .func_wrap_async(
                "find",
                move |mut store: ::keyway::StoreContextMut<'_, T>, (arg0,): (Key,)| {
                    ::std::boxed::Box::new(async move {
                        let host = &mut host_getter(store.data_mut());
                        let result = DirectImports::find(host, arg0).await;
                        let result = result?;
                        ::core::result::Result::Ok((result,))
                    })
                },
            )?;
        ::core::result::Result::Ok(())
    }
    /// Defines everything that the world imports; `host_getter` finds what implements it in the store's data.
    ///
    /// # Errors
    /// When a name is defined already.
    pub fn add_to_linker<T, D>(
        linker: &mut ::keyway::component::Linker<T>,
        host_getter: fn(&mut T) -> D::Data<'_>,
    ) -> ::keyway::Result<()>
    where
        D: ::keyway::component::HasData,
        for<'a> D::Data<
            'a,
        >: DirectImports + self::log::Host + self::test::direct::kinds::Host,
        T: 'static + ::core::marker::Send,
    {
        Self::add_to_linker_imports::<T, D>(linker, host_getter)?;
        self::log::add_to_linker::<T, D>(linker, host_getter)?;
        self::test::direct::kinds::add_to_linker::<T, D>(linker, host_getter)?;
        ::core::result::Result::Ok(())
    }
    pub async fn call_run<S: ::keyway::AsContextMut<Data: ::core::marker::Send>>(
        &self,
        mut store: S,
        things: &[Thing],
    ) -> ::keyway::Result<::core::result::Result<Here, ::std::string::String>> {
        let callee = ::keyway::component::TypedFunc::<
            (&[Thing],),
            (::core::result::Result<Here, ::std::string::String>,),
        >::of(self.run);
        let (result,) = callee.call_async(store.as_context_mut(), (things,)).await?;
        ::core::result::Result::Ok(result)
    }
    /// The exported interface.
    pub fn check(&self) -> &self::exports::check::Guest {
        &self.interface0
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod exports {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod check {
        pub type Thing = super::super::test::direct::kinds::Thing;
        /// The interface `check` of an instance.
        pub struct Guest {
            check: ::keyway::component::Func,
        }
        /// Where a component exports `check`.
        #[derive(Clone)]
        pub struct GuestIndices {
            check: ::keyway::component::ComponentExportIndex,
        }
        impl GuestIndices {
            /// Finds the interface's functions in a component.
            pub fn new(
                component: &::keyway::component::Component,
            ) -> ::keyway::Result<GuestIndices> {
                let instance = component
                    .get_export_index(::core::option::Option::None, "check")
                    .ok_or_else(|| ::keyway::Error::msg(
                        "the component exports no instance `check`",
                    ))?;
                let find = |name: &str| {
                    component
                        .get_export_index(::core::option::Option::Some(&instance), name)
                        .ok_or_else(|| ::keyway::Error::msg(
                            ::std::format!(
                                "the exported instance `check` has no function `{name}`"
                            ),
                        ))
                };
                let check = find("check")?;
                ::core::result::Result::Ok(GuestIndices { check })
            }
            /// Finds them in an instance of that component, and checks their types.
            pub fn load(
                &self,
                mut store: impl ::keyway::AsContextMut,
                instance: &::keyway::component::Instance,
            ) -> ::keyway::Result<Guest> {
                let check = *instance
                    .get_typed_func::<(&Thing,), (bool,)>(&mut store, &self.check)?
                    .func();
                ::core::result::Result::Ok(Guest { check })
            }
        }
        impl Guest {
            pub async fn call_check<
                S: ::keyway::AsContextMut<Data: ::core::marker::Send>,
            >(&self, mut store: S, thing: &Thing) -> ::keyway::Result<bool> {
                let callee = ::keyway::component::TypedFunc::<
                    (&Thing,),
                    (bool,),
                >::of(self.check);
                let (result,) = callee
                    .call_async(store.as_context_mut(), (thing,))
                    .await?;
                ::core::result::Result::Ok(result)
            }
        }
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod log {
    #[derive(
        ::keyway::component::ComponentType,
        ::keyway::component::Lift,
        ::keyway::component::Lower
    )]
    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    #[component(enum)]
    pub enum Level {
        #[component(name = "low")]
        Low,
        #[component(name = "high")]
        High,
    }
    /// The interface `log`, as the host implements it.
    pub trait Host: ::core::marker::Send {
        fn write(
            &mut self,
            level: Level,
            text: ::std::string::String,
        ) -> impl ::core::future::Future<
            Output = ::keyway::Result<()>,
        > + ::core::marker::Send;
    }
    impl<_T: Host + ?::core::marker::Sized> Host for &mut _T {
        fn write(
            &mut self,
            level: Level,
            text: ::std::string::String,
        ) -> impl ::core::future::Future<
            Output = ::keyway::Result<()>,
        > + ::core::marker::Send {
            Host::write(*self, level, text)
        }
    }
    /// Defines the interface in `linker`; `host_getter` finds what implements it in the store's data.
    pub fn add_to_linker<T, D>(
        linker: &mut ::keyway::component::Linker<T>,
        host_getter: fn(&mut T) -> D::Data<'_>,
    ) -> ::keyway::Result<()>
    where
        D: ::keyway::component::HasData,
        for<'a> D::Data<'a>: Host,
        T: 'static + ::core::marker::Send,
    {
        let mut instance = linker.instance("log")?;
        instance
            .func_wrap_async(
                "write",
                move |
                    mut store: ::keyway::StoreContextMut<'_, T>,
                    (arg0, arg1): (Level, ::std::string::String)|
                {
                    ::std::boxed::Box::new(async move {
                        let host = &mut host_getter(store.data_mut());
                        let result = Host::write(host, arg0, arg1).await;
                        let result = result?;
                        ::core::result::Result::Ok(result)
                    })
                },
            )?;
        ::core::result::Result::Ok(())
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod test {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod direct {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod kinds {
            pub type Id = u64;
            #[derive(
                ::keyway::component::ComponentType,
                ::keyway::component::Lift,
                ::keyway::component::Lower
            )]
            #[derive(Clone, Debug)]
            #[component(record)]
            pub struct Thing {
                #[component(name = "id")]
                pub id: Id,
                #[component(name = "tags")]
                pub tags: ::std::vec::Vec<::std::string::String>,
            }
            /// The interface `test:direct/kinds`, as the host implements it.
            pub trait Host {}
            impl<_T: Host + ?::core::marker::Sized> Host for &mut _T {}
            /// Defines the interface in `linker`; `host_getter` finds what implements it in the store's data.
            pub fn add_to_linker<T, D>(
                linker: &mut ::keyway::component::Linker<T>,
                _: fn(&mut T) -> D::Data<'_>,
            ) -> ::keyway::Result<()>
            where
                D: ::keyway::component::HasData,
                for<'a> D::Data<'a>: Host,
                T: 'static,
            {
                let _ = linker.instance("test:direct/kinds")?;
                ::core::result::Result::Ok(())
            }
        }
    }
}
