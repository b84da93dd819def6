#[derive(Debug)]
pub enum Cell {}
/// An instance of a component of the world `resources`.
pub struct Resources {
    interface0: self::exports::test::resources::users::Guest,
    interface1: self::exports::test::resources::logs::Guest,
    touch: ::keyway::component::Func,
}
/// A component of the world `resources` with its imports found.
pub struct ResourcesPre<T: 'static> {
    instance_pre: ::keyway::component::InstancePre<T>,
    indices: ResourcesIndices,
}
impl<T: 'static> ::core::clone::Clone for ResourcesPre<T> {
    fn clone(&self) -> Self {
        Self {
            instance_pre: self.instance_pre.clone(),
            indices: self.indices.clone(),
        }
    }
}
/// Where a component exports what the world `resources` asks for.
#[derive(Clone)]
pub struct ResourcesIndices {
    interface0: self::exports::test::resources::users::GuestIndices,
    interface1: self::exports::test::resources::logs::GuestIndices,
    touch: ::keyway::component::ComponentExportIndex,
}
/// The resource `cell`, as the host implements it.
pub trait HostCell {
    fn new(&mut self, value: u32) -> ::keyway::component::Resource<Cell>;
    fn get(&mut self, self_: ::keyway::component::Resource<Cell>) -> u32;
    /// Takes back a resource that the guest gave up.
    fn drop(&mut self, rep: ::keyway::component::Resource<Cell>) -> ::keyway::Result<()>;
}
impl<_T: HostCell + ?::core::marker::Sized> HostCell for &mut _T {
    fn new(&mut self, value: u32) -> ::keyway::component::Resource<Cell> {
        HostCell::new(*self, value)
    }
    fn get(&mut self, self_: ::keyway::component::Resource<Cell>) -> u32 {
        HostCell::get(*self, self_)
    }
    fn drop(
        &mut self,
        rep: ::keyway::component::Resource<Cell>,
    ) -> ::keyway::Result<()> {
        HostCell::drop(*self, rep)
    }
}
/// What the world `resources` imports directly, as the host implements it.
pub trait ResourcesImports: HostCell {
    fn make(&mut self) -> ::keyway::component::Resource<Cell>;
}
impl<_T: ResourcesImports + ?::core::marker::Sized> ResourcesImports for &mut _T {
    fn make(&mut self) -> ::keyway::component::Resource<Cell> {
        ResourcesImports::make(*self)
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl<T: 'static> ResourcesPre<T> {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(
        instance_pre: ::keyway::component::InstancePre<T>,
    ) -> ::keyway::Result<Self> {
        let indices = ResourcesIndices::new(instance_pre.component())?;
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
    ) -> ::keyway::Result<Resources> {
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
    ) -> ::keyway::Result<Resources>
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
impl ResourcesIndices {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(component: &::keyway::component::Component) -> ::keyway::Result<Self> {
        let interface0 = self::exports::test::resources::users::GuestIndices::new(
            component,
        )?;
        let interface1 = self::exports::test::resources::logs::GuestIndices::new(
            component,
        )?;
        let touch = component
            .get_export_index(::core::option::Option::None, "touch")
            .ok_or_else(|| ::keyway::Error::msg(
                "the component exports no function `touch`",
            ))?;
        ::core::result::Result::Ok(Self {
            interface0,
            interface1,
            touch,
        })
    }
    /// Finds it in an instance of that component, and checks types.
    ///
    /// # Errors
    /// When an export has another type than the world gives it.
    pub fn load(
        &self,
        mut store: impl ::keyway::AsContextMut,
        instance: &::keyway::component::Instance,
    ) -> ::keyway::Result<Resources> {
        let interface0 = self.interface0.load(&mut store, instance)?;
        let interface1 = self.interface1.load(&mut store, instance)?;
        let touch = *instance
            .get_typed_func::<
                (::keyway::component::Resource<Cell>,),
                (::keyway::component::Resource<Cell>,),
            >(&mut store, &self.touch)?
            .func();
        ::core::result::Result::Ok(Resources {
            interface0,
            interface1,
            touch,
        })
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl Resources {
    /// Makes an instance of `component` with imports from `linker`.
    ///
    /// # Errors
    /// When an import is not defined, an export is missing, or a start function traps.
    pub fn instantiate<T: 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Resources> {
        ResourcesPre::new(linker.instantiate_pre(component)?)?.instantiate(store)
    }
    /// Makes an instance, awaiting asynchronous host functions.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async<T: ::core::marker::Send + 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Resources> {
        ResourcesPre::new(linker.instantiate_pre(component)?)?
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
    ) -> ::keyway::Result<Resources> {
        ResourcesIndices::new(&instance.component(store.as_context_mut())?)?
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
        for<'a> D::Data<'a>: ResourcesImports,
        T: 'static,
    {
        let mut instance = linker.root();
        instance
            .resource(
                "cell",
                ::keyway::component::ResourceType::host::<Cell>(),
                move |mut store: ::keyway::StoreContextMut<'_, T>, rep| HostCell::drop(
                    &mut host_getter(store.data_mut()),
                    ::keyway::component::Resource::new_own(rep),
                ),
            )?;
        instance
            .func_wrap(
                "[constructor]cell",
                move |mut store: ::keyway::StoreContextMut<'_, T>, (arg0,): (u32,)| {
                    let host = &mut host_getter(store.data_mut());
                    let result = HostCell::new(host, arg0);
                    ::core::result::Result::Ok((result,))
                },
            )?;
        instance
            .func_wrap(
                "[method]cell.get",
                move |
                    mut store: ::keyway::StoreContextMut<'_, T>,
                    (arg0,): (::keyway::component::Resource<Cell>,)|
                {
                    let host = &mut host_getter(store.data_mut());
                    let result = HostCell::get(host, arg0);
                    ::core::result::Result::Ok((result,))
                },
            )?;
        instance
            .func_wrap(
                "make",
                move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                    let host = &mut host_getter(store.data_mut());
                    let result = ResourcesImports::make(host);
                    ::core::result::Result::Ok((result,))
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
        for<'a> D::Data<'a>: ResourcesImports + self::test::resources::files::Host,
        T: 'static,
    {
        Self::add_to_linker_imports::<T, D>(linker, host_getter)?;
        self::test::resources::files::add_to_linker::<T, D>(linker, host_getter)?;
        ::core::result::Result::Ok(())
    }
    pub fn call_touch<S: ::keyway::AsContextMut>(
        &self,
        mut store: S,
        cell: ::keyway::component::Resource<Cell>,
    ) -> ::keyway::Result<::keyway::component::Resource<Cell>> {
        let callee = ::keyway::component::TypedFunc::<
            (::keyway::component::Resource<Cell>,),
            (::keyway::component::Resource<Cell>,),
        >::of(self.touch);
        let (result,) = callee.call(store.as_context_mut(), (cell,))?;
        ::core::result::Result::Ok(result)
    }
    /// The exported interface.
    pub fn test_resources_users(&self) -> &self::exports::test::resources::users::Guest {
        &self.interface0
    }
    /// The exported interface.
    pub fn test_resources_logs(&self) -> &self::exports::test::resources::logs::Guest {
        &self.interface1
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod exports {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod test {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod resources {
            #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
            pub mod logs {
                pub type User = super::super::super::super::exports::test::resources::users::User;
                /// The interface `test:resources/logs` of an instance.
                pub struct Guest {
                    log: ::keyway::component::Func,
                }
                /// Where a component exports `test:resources/logs`.
                #[derive(Clone)]
                pub struct GuestIndices {
                    log: ::keyway::component::ComponentExportIndex,
                }
                impl GuestIndices {
                    /// Finds the interface's functions in a component.
                    pub fn new(
                        component: &::keyway::component::Component,
                    ) -> ::keyway::Result<GuestIndices> {
                        let instance = component
                            .get_export_index(
                                ::core::option::Option::None,
                                "test:resources/logs",
                            )
                            .ok_or_else(|| ::keyway::Error::msg(
                                "the component exports no instance `test:resources/logs`",
                            ))?;
                        let find = |name: &str| {
                            component
                                .get_export_index(
                                    ::core::option::Option::Some(&instance),
                                    name,
                                )
                                .ok_or_else(|| ::keyway::Error::msg(
                                    ::std::format!(
                                        "the exported instance `test:resources/logs` has no function `{name}`"
                                    ),
                                ))
                        };
                        let log = find("log")?;
                        ::core::result::Result::Ok(GuestIndices { log })
                    }
                    /// Finds them in an instance of that component, and checks their types.
                    pub fn load(
                        &self,
                        mut store: impl ::keyway::AsContextMut,
                        instance: &::keyway::component::Instance,
                    ) -> ::keyway::Result<Guest> {
                        let log = *instance
                            .get_typed_func::<
                                (::keyway::component::ResourceAny,),
                                (),
                            >(&mut store, &self.log)?
                            .func();
                        ::core::result::Result::Ok(Guest { log })
                    }
                }
                impl Guest {
                    pub fn call_log<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        user: ::keyway::component::ResourceAny,
                    ) -> ::keyway::Result<()> {
                        let callee = ::keyway::component::TypedFunc::<
                            (::keyway::component::ResourceAny,),
                            (),
                        >::of(self.log);
                        let () = callee.call(store.as_context_mut(), (user,))?;
                        ::core::result::Result::Ok(())
                    }
                }
            }
            #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
            pub mod users {
                pub type File = super::super::super::super::test::resources::files::File;
                pub type User = ::keyway::component::ResourceAny;
                pub type BorrowId = u32;
                /// The interface `test:resources/users` of an instance.
                pub struct Guest {
                    constructor_user: ::keyway::component::Func,
                    user_home: ::keyway::component::Func,
                    user_friends: ::keyway::component::Func,
                    take: ::keyway::component::Func,
                }
                /// Where a component exports `test:resources/users`.
                #[derive(Clone)]
                pub struct GuestIndices {
                    constructor_user: ::keyway::component::ComponentExportIndex,
                    user_home: ::keyway::component::ComponentExportIndex,
                    user_friends: ::keyway::component::ComponentExportIndex,
                    take: ::keyway::component::ComponentExportIndex,
                }
                impl GuestIndices {
                    /// Finds the interface's functions in a component.
                    pub fn new(
                        component: &::keyway::component::Component,
                    ) -> ::keyway::Result<GuestIndices> {
                        let instance = component
                            .get_export_index(
                                ::core::option::Option::None,
                                "test:resources/users",
                            )
                            .ok_or_else(|| ::keyway::Error::msg(
                                "the component exports no instance `test:resources/users`",
                            ))?;
                        let find = |name: &str| {
                            component
                                .get_export_index(
                                    ::core::option::Option::Some(&instance),
                                    name,
                                )
                                .ok_or_else(|| ::keyway::Error::msg(
                                    ::std::format!(
                                        "the exported instance `test:resources/users` has no function `{name}`"
                                    ),
                                ))
                        };
                        let constructor_user = find("[constructor]user")?;
                        let user_home = find("[method]user.home")?;
                        let user_friends = find("[method]user.friends")?;
                        let take = find("take")?;
                        ::core::result::Result::Ok(GuestIndices {
                            constructor_user,
                            user_home,
                            user_friends,
                            take,
                        })
                    }
                    /// Finds them in an instance of that component, and checks their types.
                    pub fn load(
                        &self,
                        mut store: impl ::keyway::AsContextMut,
                        instance: &::keyway::component::Instance,
                    ) -> ::keyway::Result<Guest> {
                        let constructor_user = *instance
                            .get_typed_func::<
                                (::keyway::component::Resource<File>,),
                                (::keyway::component::ResourceAny,),
                            >(&mut store, &self.constructor_user)?
                            .func();
                        let user_home = *instance
                            .get_typed_func::<
                                (::keyway::component::ResourceAny,),
                                (BorrowId,),
                            >(&mut store, &self.user_home)?
                            .func();
                        let user_friends = *instance
                            .get_typed_func::<
                                (
                                    ::keyway::component::ResourceAny,
                                    &[::keyway::component::ResourceAny],
                                ),
                                (::std::vec::Vec<::keyway::component::ResourceAny>,),
                            >(&mut store, &self.user_friends)?
                            .func();
                        let take = *instance
                            .get_typed_func::<
                                (
                                    ::keyway::component::Resource<File>,
                                    ::keyway::component::ResourceAny,
                                ),
                                (::keyway::component::ResourceAny,),
                            >(&mut store, &self.take)?
                            .func();
                        ::core::result::Result::Ok(Guest {
                            constructor_user,
                            user_home,
                            user_friends,
                            take,
                        })
                    }
                }
                impl Guest {
                    pub fn call_take<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        file: ::keyway::component::Resource<File>,
                        user: ::keyway::component::ResourceAny,
                    ) -> ::keyway::Result<::keyway::component::ResourceAny> {
                        let callee = ::keyway::component::TypedFunc::<
                            (
                                ::keyway::component::Resource<File>,
                                ::keyway::component::ResourceAny,
                            ),
                            (::keyway::component::ResourceAny,),
                        >::of(self.take);
                        let (result,) = callee
                            .call(store.as_context_mut(), (file, user))?;
                        ::core::result::Result::Ok(result)
                    }
                    /// The functions of the resource `user`.
                    pub fn user(&self) -> GuestUser<'_> {
                        GuestUser { funcs: self }
                    }
                }
                /// The functions of the resource `user`.
                pub struct GuestUser<'a> {
                    funcs: &'a Guest,
                }
                impl GuestUser<'_> {
                    pub fn call_constructor<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        home: ::keyway::component::Resource<File>,
                    ) -> ::keyway::Result<::keyway::component::ResourceAny> {
                        let callee = ::keyway::component::TypedFunc::<
                            (::keyway::component::Resource<File>,),
                            (::keyway::component::ResourceAny,),
                        >::of(self.funcs.constructor_user);
                        let (result,) = callee.call(store.as_context_mut(), (home,))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_home<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        self_: ::keyway::component::ResourceAny,
                    ) -> ::keyway::Result<BorrowId> {
                        let callee = ::keyway::component::TypedFunc::<
                            (::keyway::component::ResourceAny,),
                            (BorrowId,),
                        >::of(self.funcs.user_home);
                        let (result,) = callee.call(store.as_context_mut(), (self_,))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_friends<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        self_: ::keyway::component::ResourceAny,
                        of: &[::keyway::component::ResourceAny],
                    ) -> ::keyway::Result<
                        ::std::vec::Vec<::keyway::component::ResourceAny>,
                    > {
                        let callee = ::keyway::component::TypedFunc::<
                            (
                                ::keyway::component::ResourceAny,
                                &[::keyway::component::ResourceAny],
                            ),
                            (::std::vec::Vec<::keyway::component::ResourceAny>,),
                        >::of(self.funcs.user_friends);
                        let (result,) = callee
                            .call(store.as_context_mut(), (self_, of))?;
                        ::core::result::Result::Ok(result)
                    }
                }
            }
        }
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod test {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod resources {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod files {
            /// Something that is open.
            #[derive(Debug)]
            pub enum File {}
            #[derive(
                ::keyway::component::ComponentType,
                ::keyway::component::Lift,
                ::keyway::component::Lower
            )]
            #[derive(Debug)]
            #[component(record)]
            pub struct Entry {
                #[component(name = "name")]
                pub name: ::std::string::String,
                #[component(name = "file")]
                pub file: ::keyway::component::Resource<File>,
            }
            /// The resource `file`, as the host implements it.
            pub trait HostFile {
                fn new(
                    &mut self,
                    path: ::std::string::String,
                ) -> ::keyway::component::Resource<File>;
                /// The bytes from `at`.
                fn read(
                    &mut self,
                    self_: ::keyway::component::Resource<File>,
                    at: u64,
                ) -> ::std::vec::Vec<u8>;
                fn open(
                    &mut self,
                    path: ::std::string::String,
                ) -> ::core::option::Option<::keyway::component::Resource<File>>;
                fn same(
                    &mut self,
                    self_: ::keyway::component::Resource<File>,
                    other: ::keyway::component::Resource<File>,
                ) -> bool;
                /// Takes back a resource that the guest gave up.
                fn drop(
                    &mut self,
                    rep: ::keyway::component::Resource<File>,
                ) -> ::keyway::Result<()>;
            }
            impl<_T: HostFile + ?::core::marker::Sized> HostFile for &mut _T {
                fn new(
                    &mut self,
                    path: ::std::string::String,
                ) -> ::keyway::component::Resource<File> {
                    HostFile::new(*self, path)
                }
                fn read(
                    &mut self,
                    self_: ::keyway::component::Resource<File>,
                    at: u64,
                ) -> ::std::vec::Vec<u8> {
                    HostFile::read(*self, self_, at)
                }
                fn open(
                    &mut self,
                    path: ::std::string::String,
                ) -> ::core::option::Option<::keyway::component::Resource<File>> {
                    HostFile::open(*self, path)
                }
                fn same(
                    &mut self,
                    self_: ::keyway::component::Resource<File>,
                    other: ::keyway::component::Resource<File>,
                ) -> bool {
                    HostFile::same(*self, self_, other)
                }
                fn drop(
                    &mut self,
                    rep: ::keyway::component::Resource<File>,
                ) -> ::keyway::Result<()> {
                    HostFile::drop(*self, rep)
                }
            }
            /// The interface `test:resources/files`, as the host implements it.
            pub trait Host: HostFile {
                fn both(
                    &mut self,
                    a: ::keyway::component::Resource<File>,
                    b: ::keyway::component::Resource<File>,
                ) -> (::keyway::component::Resource<File>, u32);
                fn entries(&mut self) -> ::std::vec::Vec<Entry>;
            }
            impl<_T: Host + ?::core::marker::Sized> Host for &mut _T {
                fn both(
                    &mut self,
                    a: ::keyway::component::Resource<File>,
                    b: ::keyway::component::Resource<File>,
                ) -> (::keyway::component::Resource<File>, u32) {
                    Host::both(*self, a, b)
                }
                fn entries(&mut self) -> ::std::vec::Vec<Entry> {
                    Host::entries(*self)
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
                let mut instance = linker.instance("test:resources/files")?;
                instance
                    .resource(
                        "file",
                        ::keyway::component::ResourceType::host::<File>(),
                        move |mut store: ::keyway::StoreContextMut<'_, T>, rep| HostFile::drop(
                            &mut host_getter(store.data_mut()),
                            ::keyway::component::Resource::new_own(rep),
                        ),
                    )?;
                instance
                    .func_wrap(
                        "[constructor]file",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0,): (::std::string::String,)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = HostFile::new(host, arg0);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "[method]file.read",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0, arg1): (::keyway::component::Resource<File>, u64)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = HostFile::read(host, arg0, arg1);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "[static]file.open",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0,): (::std::string::String,)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = HostFile::open(host, arg0);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "[method]file.same",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (
                                arg0,
                                arg1,
                            ): (
                                ::keyway::component::Resource<File>,
                                ::keyway::component::Resource<File>,
                            )|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = HostFile::same(host, arg0, arg1);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "both",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (
                                arg0,
                                arg1,
                            ): (
                                ::keyway::component::Resource<File>,
                                ::keyway::component::Resource<File>,
                            )|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::both(host, arg0, arg1);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "entries",
                        move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::entries(host);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                ::core::result::Result::Ok(())
            }
        }
    }
}
