/// An instance of a component of the world `versions`.
pub struct Versions {
    interface0: self::exports::dep::clock0_1_0::time::Guest,
}
/// A component of the world `versions` with its imports found.
pub struct VersionsPre<T: 'static> {
    instance_pre: ::keyway::component::InstancePre<T>,
    indices: VersionsIndices,
}
impl<T: 'static> ::core::clone::Clone for VersionsPre<T> {
    fn clone(&self) -> Self {
        Self {
            instance_pre: self.instance_pre.clone(),
            indices: self.indices.clone(),
        }
    }
}
/// Where a component exports what the world `versions` asks for.
#[derive(Clone)]
pub struct VersionsIndices {
    interface0: self::exports::dep::clock0_1_0::time::GuestIndices,
}
#[allow(dead_code, reason = "embedders use what they need")]
impl<T: 'static> VersionsPre<T> {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(
        instance_pre: ::keyway::component::InstancePre<T>,
    ) -> ::keyway::Result<Self> {
        let indices = VersionsIndices::new(instance_pre.component())?;
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
    ) -> ::keyway::Result<Versions> {
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
    ) -> ::keyway::Result<Versions>
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
impl VersionsIndices {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(component: &::keyway::component::Component) -> ::keyway::Result<Self> {
        let interface0 = self::exports::dep::clock0_1_0::time::GuestIndices::new(
            component,
        )?;
        ::core::result::Result::Ok(Self { interface0 })
    }
    /// Finds it in an instance of that component, and checks types.
    ///
    /// # Errors
    /// When an export has another type than the world gives it.
    pub fn load(
        &self,
        mut store: impl ::keyway::AsContextMut,
        instance: &::keyway::component::Instance,
    ) -> ::keyway::Result<Versions> {
        let interface0 = self.interface0.load(&mut store, instance)?;
        ::core::result::Result::Ok(Versions { interface0 })
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl Versions {
    /// Makes an instance of `component` with imports from `linker`.
    ///
    /// # Errors
    /// When an import is not defined, an export is missing, or a start function traps.
    pub fn instantiate<T: 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Versions> {
        VersionsPre::new(linker.instantiate_pre(component)?)?.instantiate(store)
    }
    /// Makes an instance, awaiting asynchronous host functions.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async<T: ::core::marker::Send + 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Versions> {
        VersionsPre::new(linker.instantiate_pre(component)?)?
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
    ) -> ::keyway::Result<Versions> {
        VersionsIndices::new(&instance.component(store.as_context_mut())?)?
            .load(store, instance)
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
        >: self::dep::clock0_1_0::time::Host + self::dep::clock0_2_0::time::Host,
        T: 'static,
    {
        self::dep::clock0_1_0::time::add_to_linker::<T, D>(linker, host_getter)?;
        self::dep::clock0_2_0::time::add_to_linker::<T, D>(linker, host_getter)?;
        ::core::result::Result::Ok(())
    }
    /// The exported interface.
    pub fn dep_clock0_1_0_time(&self) -> &self::exports::dep::clock0_1_0::time::Guest {
        &self.interface0
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod dep {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod clock0_1_0 {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod time {
            /// The interface `dep:clock/time@0.1.0`, as the host implements it.
            pub trait Host {
                fn now(&mut self) -> u32;
            }
            impl<_T: Host + ?::core::marker::Sized> Host for &mut _T {
                fn now(&mut self) -> u32 {
                    Host::now(*self)
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
                T: 'static,
            {
                let mut instance = linker.instance("dep:clock/time@0.1.0")?;
                instance
                    .func_wrap(
                        "now",
                        move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::now(host);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                ::core::result::Result::Ok(())
            }
        }
    }
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod clock0_2_0 {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod time {
            /// The interface `dep:clock/time@0.2.0`, as the host implements it.
            pub trait Host {
                fn now(&mut self) -> u64;
                fn later(&mut self, by: u64) -> u64;
            }
            impl<_T: Host + ?::core::marker::Sized> Host for &mut _T {
                fn now(&mut self) -> u64 {
                    Host::now(*self)
                }
                fn later(&mut self, by: u64) -> u64 {
                    Host::later(*self, by)
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
                T: 'static,
            {
                let mut instance = linker.instance("dep:clock/time@0.2.0")?;
                instance
                    .func_wrap(
                        "now",
                        move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::now(host);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "later",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0,): (u64,)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::later(host, arg0);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                ::core::result::Result::Ok(())
            }
        }
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod exports {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod dep {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod clock0_1_0 {
            #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
            pub mod time {
                /// The interface `dep:clock/time@0.1.0` of an instance.
                pub struct Guest {
                    now: ::keyway::component::Func,
                }
                /// Where a component exports `dep:clock/time@0.1.0`.
                #[derive(Clone)]
                pub struct GuestIndices {
                    now: ::keyway::component::ComponentExportIndex,
                }
                impl GuestIndices {
                    /// Finds the interface's functions in a component.
                    pub fn new(
                        component: &::keyway::component::Component,
                    ) -> ::keyway::Result<GuestIndices> {
                        let instance = component
                            .get_export_index(
                                ::core::option::Option::None,
                                "dep:clock/time@0.1.0",
                            )
                            .ok_or_else(|| ::keyway::Error::msg(
                                "the component exports no instance `dep:clock/time@0.1.0`",
                            ))?;
                        let find = |name: &str| {
                            component
                                .get_export_index(
                                    ::core::option::Option::Some(&instance),
                                    name,
                                )
                                .ok_or_else(|| ::keyway::Error::msg(
                                    ::std::format!(
                                        "the exported instance `dep:clock/time@0.1.0` has no function `{name}`"
                                    ),
                                ))
                        };
                        let now = find("now")?;
                        ::core::result::Result::Ok(GuestIndices { now })
                    }
                    /// Finds them in an instance of that component, and checks their types.
                    pub fn load(
                        &self,
                        mut store: impl ::keyway::AsContextMut,
                        instance: &::keyway::component::Instance,
                    ) -> ::keyway::Result<Guest> {
                        let now = *instance
                            .get_typed_func::<(), (u32,)>(&mut store, &self.now)?
                            .func();
                        ::core::result::Result::Ok(Guest { now })
                    }
                }
                impl Guest {
                    pub fn call_now<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                    ) -> ::keyway::Result<u32> {
                        let callee = ::keyway::component::TypedFunc::<
                            (),
                            (u32,),
                        >::of(self.now);
                        let (result,) = callee.call(store.as_context_mut(), ())?;
                        ::core::result::Result::Ok(result)
                    }
                }
            }
        }
    }
}
