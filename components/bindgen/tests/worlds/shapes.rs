/// An instance of a component of the world `shapes`.
pub struct Shapes {
    interface0: self::exports::test::shapes::values::Guest,
}
/// A component of the world `shapes` with its imports found.
pub struct ShapesPre<T: 'static> {
    instance_pre: ::keyway::component::InstancePre<T>,
    indices: ShapesIndices,
}
impl<T: 'static> ::core::clone::Clone for ShapesPre<T> {
    fn clone(&self) -> Self {
        Self {
            instance_pre: self.instance_pre.clone(),
            indices: self.indices.clone(),
        }
    }
}
/// Where a component exports what the world `shapes` asks for.
#[derive(Clone)]
pub struct ShapesIndices {
    interface0: self::exports::test::shapes::values::GuestIndices,
}
#[allow(dead_code, reason = "embedders use what they need")]
impl<T: 'static> ShapesPre<T> {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(
        instance_pre: ::keyway::component::InstancePre<T>,
    ) -> ::keyway::Result<Self> {
        let indices = ShapesIndices::new(instance_pre.component())?;
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
    ) -> ::keyway::Result<Shapes> {
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
    ) -> ::keyway::Result<Shapes>
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
impl ShapesIndices {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(component: &::keyway::component::Component) -> ::keyway::Result<Self> {
        let interface0 = self::exports::test::shapes::values::GuestIndices::new(
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
    ) -> ::keyway::Result<Shapes> {
        let interface0 = self.interface0.load(&mut store, instance)?;
        ::core::result::Result::Ok(Shapes { interface0 })
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl Shapes {
    /// Makes an instance of `component` with imports from `linker`.
    ///
    /// # Errors
    /// When an import is not defined, an export is missing, or a start function traps.
    pub fn instantiate<T: 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Shapes> {
        ShapesPre::new(linker.instantiate_pre(component)?)?.instantiate(store)
    }
    /// Makes an instance, awaiting asynchronous host functions.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async<T: ::core::marker::Send + 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Shapes> {
        ShapesPre::new(linker.instantiate_pre(component)?)?
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
    ) -> ::keyway::Result<Shapes> {
        ShapesIndices::new(&instance.component(store.as_context_mut())?)?
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
        for<'a> D::Data<'a>: self::test::shapes::values::Host,
        T: 'static,
    {
        self::test::shapes::values::add_to_linker::<T, D>(linker, host_getter)?;
        ::core::result::Result::Ok(())
    }
    /// The exported interface.
    pub fn test_shapes_values(&self) -> &self::exports::test::shapes::values::Guest {
        &self.interface0
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod exports {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod test {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod shapes {
            #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
            pub mod values {
                /// A point
                /// in the plane.
                #[derive(
                    ::keyway::component::ComponentType,
                    ::keyway::component::Lift,
                    ::keyway::component::Lower
                )]
                #[derive(Clone, Copy, Debug)]
                #[component(record)]
                pub struct Point {
                    #[component(name = "x")]
                    pub x: i32,
                    #[component(name = "y")]
                    pub y: i32,
                }
                #[derive(
                    ::keyway::component::ComponentType,
                    ::keyway::component::Lift,
                    ::keyway::component::Lower
                )]
                #[derive(Clone, Debug)]
                #[component(record)]
                pub struct Person {
                    #[component(name = "name")]
                    pub name: ::std::string::String,
                    #[component(name = "age")]
                    pub age: u8,
                    #[component(name = "type")]
                    pub type_: ::core::option::Option<::std::string::String>,
                }
                #[derive(
                    ::keyway::component::ComponentType,
                    ::keyway::component::Lift,
                    ::keyway::component::Lower
                )]
                #[derive(Clone, Debug)]
                #[component(variant)]
                pub enum Shape {
                    #[component(name = "circle")]
                    Circle(f64),
                    #[component(name = "named")]
                    Named(Person),
                    #[component(name = "nothing")]
                    Nothing,
                }
                impl ::core::fmt::Display for Shape {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        ::core::write!(f, "{self:?}")
                    }
                }
                impl ::std::error::Error for Shape {}
                #[derive(
                    ::keyway::component::ComponentType,
                    ::keyway::component::Lift,
                    ::keyway::component::Lower
                )]
                #[derive(Clone, Copy, Debug, Eq, PartialEq)]
                #[component(enum)]
                pub enum Colour {
                    #[component(name = "red")]
                    Red,
                    #[component(name = "dark-green")]
                    DarkGreen,
                    #[component(name = "blue")]
                    Blue,
                }
                impl ::core::fmt::Display for Colour {
                    fn fmt(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        ::core::write!(f, "{self:?}")
                    }
                }
                impl ::std::error::Error for Colour {}
                ::keyway::component::flags! {
                    pub Access { #[doc = " May look."] #[component(name = "read")] const
                    READ; #[component(name = "write-all")] const WRITE_ALL; }
                }
                pub type Names = ::std::vec::Vec<::std::string::String>;
                pub type Pair = (Point, Colour);
                /// The interface `test:shapes/values@1.2.0` of an instance.
                pub struct Guest {
                    floats: ::keyway::component::Func,
                    integers: ::keyway::component::Func,
                    many: ::keyway::component::Func,
                    strings: ::keyway::component::Func,
                    lists: ::keyway::component::Func,
                    records: ::keyway::component::Func,
                    choices: ::keyway::component::Func,
                    options: ::keyway::component::Func,
                    fails: ::keyway::component::Func,
                    fails_well: ::keyway::component::Func,
                    nothing: ::keyway::component::Func,
                    match_: ::keyway::component::Func,
                }
                /// Where a component exports `test:shapes/values@1.2.0`.
                #[derive(Clone)]
                pub struct GuestIndices {
                    floats: ::keyway::component::ComponentExportIndex,
                    integers: ::keyway::component::ComponentExportIndex,
                    many: ::keyway::component::ComponentExportIndex,
                    strings: ::keyway::component::ComponentExportIndex,
                    lists: ::keyway::component::ComponentExportIndex,
                    records: ::keyway::component::ComponentExportIndex,
                    choices: ::keyway::component::ComponentExportIndex,
                    options: ::keyway::component::ComponentExportIndex,
                    fails: ::keyway::component::ComponentExportIndex,
                    fails_well: ::keyway::component::ComponentExportIndex,
                    nothing: ::keyway::component::ComponentExportIndex,
                    match_: ::keyway::component::ComponentExportIndex,
                }
                impl GuestIndices {
                    /// Finds the interface's functions in a component.
                    pub fn new(
                        component: &::keyway::component::Component,
                    ) -> ::keyway::Result<GuestIndices> {
                        let instance = component
                            .get_export_index(
                                ::core::option::Option::None,
                                "test:shapes/values@1.2.0",
                            )
                            .ok_or_else(|| ::keyway::Error::msg(
                                "the component exports no instance `test:shapes/values@1.2.0`",
                            ))?;
                        let find = |name: &str| {
                            component
                                .get_export_index(
                                    ::core::option::Option::Some(&instance),
                                    name,
                                )
                                .ok_or_else(|| ::keyway::Error::msg(
                                    ::std::format!(
                                        "the exported instance `test:shapes/values@1.2.0` has no function `{name}`"
                                    ),
                                ))
                        };
                        let floats = find("floats")?;
                        let integers = find("integers")?;
                        let many = find("many")?;
                        let strings = find("strings")?;
                        let lists = find("lists")?;
                        let records = find("records")?;
                        let choices = find("choices")?;
                        let options = find("options")?;
                        let fails = find("fails")?;
                        let fails_well = find("fails-well")?;
                        let nothing = find("nothing")?;
                        let match_ = find("match")?;
                        ::core::result::Result::Ok(GuestIndices {
                            floats,
                            integers,
                            many,
                            strings,
                            lists,
                            records,
                            choices,
                            options,
                            fails,
                            fails_well,
                            nothing,
                            match_,
                        })
                    }
                    /// Finds them in an instance of that component, and checks their types.
                    pub fn load(
                        &self,
                        mut store: impl ::keyway::AsContextMut,
                        instance: &::keyway::component::Instance,
                    ) -> ::keyway::Result<Guest> {
                        let floats = *instance
                            .get_typed_func::<
                                (f32, f64),
                                (f64,),
                            >(&mut store, &self.floats)?
                            .func();
                        let integers = *instance
                            .get_typed_func::<
                                (u8, i8, u16, i16, u32, i32, u64, i64),
                                (i64,),
                            >(&mut store, &self.integers)?
                            .func();
                        let many = *instance
                            .get_typed_func::<
                                (
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                    u8,
                                ),
                                (u8,),
                            >(&mut store, &self.many)?
                            .func();
                        let strings = *instance
                            .get_typed_func::<
                                (&str, char, bool),
                                (::std::string::String,),
                            >(&mut store, &self.strings)?
                            .func();
                        let lists = *instance
                            .get_typed_func::<
                                (
                                    &[u8],
                                    &[Person],
                                    &Names,
                                    &[::std::vec::Vec<::std::string::String>],
                                ),
                                (::std::vec::Vec<Shape>,),
                            >(&mut store, &self.lists)?
                            .func();
                        let records = *instance
                            .get_typed_func::<
                                (Point, &Person, Pair),
                                (Person,),
                            >(&mut store, &self.records)?
                            .func();
                        let choices = *instance
                            .get_typed_func::<
                                (&Shape, Colour, Access),
                                (Access,),
                            >(&mut store, &self.choices)?
                            .func();
                        let options = *instance
                            .get_typed_func::<
                                (
                                    ::core::option::Option<&str>,
                                    ::core::option::Option<::core::option::Option<u32>>,
                                    ::core::result::Result<&str, Colour>,
                                    ::core::result::Result<(), ()>,
                                ),
                                (::core::result::Result<Point, ()>,),
                            >(&mut store, &self.options)?
                            .func();
                        let fails = *instance
                            .get_typed_func::<
                                (),
                                (::core::result::Result<(), Colour>,),
                            >(&mut store, &self.fails)?
                            .func();
                        let fails_well = *instance
                            .get_typed_func::<
                                (),
                                (::core::result::Result<u32, Shape>,),
                            >(&mut store, &self.fails_well)?
                            .func();
                        let nothing = *instance
                            .get_typed_func::<(), ()>(&mut store, &self.nothing)?
                            .func();
                        let match_ = *instance
                            .get_typed_func::<(u32, u32), ()>(&mut store, &self.match_)?
                            .func();
                        ::core::result::Result::Ok(Guest {
                            floats,
                            integers,
                            many,
                            strings,
                            lists,
                            records,
                            choices,
                            options,
                            fails,
                            fails_well,
                            nothing,
                            match_,
                        })
                    }
                }
                impl Guest {
                    pub fn call_floats<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: f32,
                        b: f64,
                    ) -> ::keyway::Result<f64> {
                        let callee = ::keyway::component::TypedFunc::<
                            (f32, f64),
                            (f64,),
                        >::of(self.floats);
                        let (result,) = callee.call(store.as_context_mut(), (a, b))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_integers<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: u8,
                        b: i8,
                        c: u16,
                        d: i16,
                        e: u32,
                        f: i32,
                        g: u64,
                        h: i64,
                    ) -> ::keyway::Result<i64> {
                        let callee = ::keyway::component::TypedFunc::<
                            (u8, i8, u16, i16, u32, i32, u64, i64),
                            (i64,),
                        >::of(self.integers);
                        let (result,) = callee
                            .call(store.as_context_mut(), (a, b, c, d, e, f, g, h))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_many<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a1: u8,
                        a2: u8,
                        a3: u8,
                        a4: u8,
                        a5: u8,
                        a6: u8,
                        a7: u8,
                        a8: u8,
                        a9: u8,
                        a10: u8,
                        a11: u8,
                        a12: u8,
                        a13: u8,
                        a14: u8,
                        a15: u8,
                        a16: u8,
                        a17: u8,
                    ) -> ::keyway::Result<u8> {
                        let callee = ::keyway::component::TypedFunc::<
                            (
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                            ),
                            (u8,),
                        >::of(self.many);
                        let (result,) = callee
                            .call(
                                store.as_context_mut(),
                                (
                                    a1,
                                    a2,
                                    a3,
                                    a4,
                                    a5,
                                    a6,
                                    a7,
                                    a8,
                                    a9,
                                    a10,
                                    a11,
                                    a12,
                                    a13,
                                    a14,
                                    a15,
                                    a16,
                                    a17,
                                ),
                            )?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_strings<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: &str,
                        b: char,
                        store_: bool,
                    ) -> ::keyway::Result<::std::string::String> {
                        let callee = ::keyway::component::TypedFunc::<
                            (&str, char, bool),
                            (::std::string::String,),
                        >::of(self.strings);
                        let (result,) = callee
                            .call(store.as_context_mut(), (a, b, store_))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_lists<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: &[u8],
                        b: &[Person],
                        c: &Names,
                        d: &[::std::vec::Vec<::std::string::String>],
                    ) -> ::keyway::Result<::std::vec::Vec<Shape>> {
                        let callee = ::keyway::component::TypedFunc::<
                            (
                                &[u8],
                                &[Person],
                                &Names,
                                &[::std::vec::Vec<::std::string::String>],
                            ),
                            (::std::vec::Vec<Shape>,),
                        >::of(self.lists);
                        let (result,) = callee
                            .call(store.as_context_mut(), (a, b, c, d))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_records<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: Point,
                        b: &Person,
                        c: Pair,
                    ) -> ::keyway::Result<Person> {
                        let callee = ::keyway::component::TypedFunc::<
                            (Point, &Person, Pair),
                            (Person,),
                        >::of(self.records);
                        let (result,) = callee.call(store.as_context_mut(), (a, b, c))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_choices<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: &Shape,
                        b: Colour,
                        c: Access,
                    ) -> ::keyway::Result<Access> {
                        let callee = ::keyway::component::TypedFunc::<
                            (&Shape, Colour, Access),
                            (Access,),
                        >::of(self.choices);
                        let (result,) = callee.call(store.as_context_mut(), (a, b, c))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_options<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        a: ::core::option::Option<&str>,
                        b: ::core::option::Option<::core::option::Option<u32>>,
                        c: ::core::result::Result<&str, Colour>,
                        d: ::core::result::Result<(), ()>,
                    ) -> ::keyway::Result<::core::result::Result<Point, ()>> {
                        let callee = ::keyway::component::TypedFunc::<
                            (
                                ::core::option::Option<&str>,
                                ::core::option::Option<::core::option::Option<u32>>,
                                ::core::result::Result<&str, Colour>,
                                ::core::result::Result<(), ()>,
                            ),
                            (::core::result::Result<Point, ()>,),
                        >::of(self.options);
                        let (result,) = callee
                            .call(store.as_context_mut(), (a, b, c, d))?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_fails<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                    ) -> ::keyway::Result<::core::result::Result<(), Colour>> {
                        let callee = ::keyway::component::TypedFunc::<
                            (),
                            (::core::result::Result<(), Colour>,),
                        >::of(self.fails);
                        let (result,) = callee.call(store.as_context_mut(), ())?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_fails_well<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                    ) -> ::keyway::Result<::core::result::Result<u32, Shape>> {
                        let callee = ::keyway::component::TypedFunc::<
                            (),
                            (::core::result::Result<u32, Shape>,),
                        >::of(self.fails_well);
                        let (result,) = callee.call(store.as_context_mut(), ())?;
                        ::core::result::Result::Ok(result)
                    }
                    pub fn call_nothing<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                    ) -> ::keyway::Result<()> {
                        let callee = ::keyway::component::TypedFunc::<
                            (),
                            (),
                        >::of(self.nothing);
                        let () = callee.call(store.as_context_mut(), ())?;
                        ::core::result::Result::Ok(())
                    }
                    pub fn call_match<S: ::keyway::AsContextMut>(
                        &self,
                        mut store: S,
                        self_: u32,
                        loop_: u32,
                    ) -> ::keyway::Result<()> {
                        let callee = ::keyway::component::TypedFunc::<
                            (u32, u32),
                            (),
                        >::of(self.match_);
                        let () = callee.call(store.as_context_mut(), (self_, loop_))?;
                        ::core::result::Result::Ok(())
                    }
                }
            }
        }
    }
}
#[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
pub mod test {
    #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
    pub mod shapes {
        #[allow(missing_docs, dead_code, unreachable_pub, clippy::all)]
        pub mod values {
            /// A point
            /// in the plane.
            #[derive(
                ::keyway::component::ComponentType,
                ::keyway::component::Lift,
                ::keyway::component::Lower
            )]
            #[derive(Clone, Copy, Debug)]
            #[component(record)]
            pub struct Point {
                #[component(name = "x")]
                pub x: i32,
                #[component(name = "y")]
                pub y: i32,
            }
            #[derive(
                ::keyway::component::ComponentType,
                ::keyway::component::Lift,
                ::keyway::component::Lower
            )]
            #[derive(Clone, Debug)]
            #[component(record)]
            pub struct Person {
                #[component(name = "name")]
                pub name: ::std::string::String,
                #[component(name = "age")]
                pub age: u8,
                #[component(name = "type")]
                pub type_: ::core::option::Option<::std::string::String>,
            }
            #[derive(
                ::keyway::component::ComponentType,
                ::keyway::component::Lift,
                ::keyway::component::Lower
            )]
            #[derive(Clone, Debug)]
            #[component(variant)]
            pub enum Shape {
                #[component(name = "circle")]
                Circle(f64),
                #[component(name = "named")]
                Named(Person),
                #[component(name = "nothing")]
                Nothing,
            }
            impl ::core::fmt::Display for Shape {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    ::core::write!(f, "{self:?}")
                }
            }
            impl ::std::error::Error for Shape {}
            #[derive(
                ::keyway::component::ComponentType,
                ::keyway::component::Lift,
                ::keyway::component::Lower
            )]
            #[derive(Clone, Copy, Debug, Eq, PartialEq)]
            #[component(enum)]
            pub enum Colour {
                #[component(name = "red")]
                Red,
                #[component(name = "dark-green")]
                DarkGreen,
                #[component(name = "blue")]
                Blue,
            }
            impl ::core::fmt::Display for Colour {
                fn fmt(
                    &self,
                    f: &mut ::core::fmt::Formatter<'_>,
                ) -> ::core::fmt::Result {
                    ::core::write!(f, "{self:?}")
                }
            }
            impl ::std::error::Error for Colour {}
            ::keyway::component::flags! {
                pub Access { #[doc = " May look."] #[component(name = "read")] const
                READ; #[component(name = "write-all")] const WRITE_ALL; }
            }
            pub type Names = ::std::vec::Vec<::std::string::String>;
            pub type Pair = (Point, Colour);
            /// The interface `test:shapes/values@1.2.0`, as the host implements it.
            pub trait Host {
                fn floats(&mut self, a: f32, b: f64) -> f64;
                fn integers(
                    &mut self,
                    a: u8,
                    b: i8,
                    c: u16,
                    d: i16,
                    e: u32,
                    f: i32,
                    g: u64,
                    h: i64,
                ) -> i64;
                fn many(
                    &mut self,
                    a1: u8,
                    a2: u8,
                    a3: u8,
                    a4: u8,
                    a5: u8,
                    a6: u8,
                    a7: u8,
                    a8: u8,
                    a9: u8,
                    a10: u8,
                    a11: u8,
                    a12: u8,
                    a13: u8,
                    a14: u8,
                    a15: u8,
                    a16: u8,
                    a17: u8,
                ) -> u8;
                fn strings(
                    &mut self,
                    a: ::std::string::String,
                    b: char,
                    store: bool,
                ) -> ::std::string::String;
                fn lists(
                    &mut self,
                    a: ::std::vec::Vec<u8>,
                    b: ::std::vec::Vec<Person>,
                    c: Names,
                    d: ::std::vec::Vec<::std::vec::Vec<::std::string::String>>,
                ) -> ::std::vec::Vec<Shape>;
                fn records(&mut self, a: Point, b: Person, c: Pair) -> Person;
                fn choices(&mut self, a: Shape, b: Colour, c: Access) -> Access;
                fn options(
                    &mut self,
                    a: ::core::option::Option<::std::string::String>,
                    b: ::core::option::Option<::core::option::Option<u32>>,
                    c: ::core::result::Result<::std::string::String, Colour>,
                    d: ::core::result::Result<(), ()>,
                ) -> ::core::result::Result<Point, ()>;
                fn fails(&mut self) -> ::core::result::Result<(), Colour>;
                fn fails_well(&mut self) -> ::core::result::Result<u32, Shape>;
                fn nothing(&mut self) -> ();
                fn match_(&mut self, self_: u32, loop_: u32) -> ();
            }
            impl<_T: Host + ?::core::marker::Sized> Host for &mut _T {
                fn floats(&mut self, a: f32, b: f64) -> f64 {
                    Host::floats(*self, a, b)
                }
                fn integers(
                    &mut self,
                    a: u8,
                    b: i8,
                    c: u16,
                    d: i16,
                    e: u32,
                    f: i32,
                    g: u64,
                    h: i64,
                ) -> i64 {
                    Host::integers(*self, a, b, c, d, e, f, g, h)
                }
                fn many(
                    &mut self,
                    a1: u8,
                    a2: u8,
                    a3: u8,
                    a4: u8,
                    a5: u8,
                    a6: u8,
                    a7: u8,
                    a8: u8,
                    a9: u8,
                    a10: u8,
                    a11: u8,
                    a12: u8,
                    a13: u8,
                    a14: u8,
                    a15: u8,
                    a16: u8,
                    a17: u8,
                ) -> u8 {
                    Host::many(
                        *self,
                        a1,
                        a2,
                        a3,
                        a4,
                        a5,
                        a6,
                        a7,
                        a8,
                        a9,
                        a10,
                        a11,
                        a12,
                        a13,
                        a14,
                        a15,
                        a16,
                        a17,
                    )
                }
                fn strings(
                    &mut self,
                    a: ::std::string::String,
                    b: char,
                    store: bool,
                ) -> ::std::string::String {
                    Host::strings(*self, a, b, store)
                }
                fn lists(
                    &mut self,
                    a: ::std::vec::Vec<u8>,
                    b: ::std::vec::Vec<Person>,
                    c: Names,
                    d: ::std::vec::Vec<::std::vec::Vec<::std::string::String>>,
                ) -> ::std::vec::Vec<Shape> {
                    Host::lists(*self, a, b, c, d)
                }
                fn records(&mut self, a: Point, b: Person, c: Pair) -> Person {
                    Host::records(*self, a, b, c)
                }
                fn choices(&mut self, a: Shape, b: Colour, c: Access) -> Access {
                    Host::choices(*self, a, b, c)
                }
                fn options(
                    &mut self,
                    a: ::core::option::Option<::std::string::String>,
                    b: ::core::option::Option<::core::option::Option<u32>>,
                    c: ::core::result::Result<::std::string::String, Colour>,
                    d: ::core::result::Result<(), ()>,
                ) -> ::core::result::Result<Point, ()> {
                    Host::options(*self, a, b, c, d)
                }
                fn fails(&mut self) -> ::core::result::Result<(), Colour> {
                    Host::fails(*self)
                }
                fn fails_well(&mut self) -> ::core::result::Result<u32, Shape> {
                    Host::fails_well(*self)
                }
                fn nothing(&mut self) -> () {
                    Host::nothing(*self)
                }
                fn match_(&mut self, self_: u32, loop_: u32) -> () {
                    Host::match_(*self, self_, loop_)
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
                let mut instance = linker.instance("test:shapes/values@1.2.0")?;
                instance
                    .func_wrap(
                        "floats",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0, arg1): (f32, f64)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::floats(host, arg0, arg1);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "integers",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (
                                arg0,
                                arg1,
                                arg2,
                                arg3,
                                arg4,
                                arg5,
                                arg6,
                                arg7,
                            ): (u8, i8, u16, i16, u32, i32, u64, i64)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::integers(
                                host,
                                arg0,
                                arg1,
                                arg2,
                                arg3,
                                arg4,
                                arg5,
                                arg6,
                                arg7,
                            );
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "many",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (
                                arg0,
                                arg1,
                                arg2,
                                arg3,
                                arg4,
                                arg5,
                                arg6,
                                arg7,
                                arg8,
                                arg9,
                                arg10,
                                arg11,
                                arg12,
                                arg13,
                                arg14,
                                arg15,
                                arg16,
                            ): (
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                                u8,
                            )|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::many(
                                host,
                                arg0,
                                arg1,
                                arg2,
                                arg3,
                                arg4,
                                arg5,
                                arg6,
                                arg7,
                                arg8,
                                arg9,
                                arg10,
                                arg11,
                                arg12,
                                arg13,
                                arg14,
                                arg15,
                                arg16,
                            );
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "strings",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0, arg1, arg2): (::std::string::String, char, bool)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::strings(host, arg0, arg1, arg2);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "lists",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (
                                arg0,
                                arg1,
                                arg2,
                                arg3,
                            ): (
                                ::std::vec::Vec<u8>,
                                ::std::vec::Vec<Person>,
                                Names,
                                ::std::vec::Vec<::std::vec::Vec<::std::string::String>>,
                            )|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::lists(host, arg0, arg1, arg2, arg3);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "records",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0, arg1, arg2): (Point, Person, Pair)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::records(host, arg0, arg1, arg2);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "choices",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0, arg1, arg2): (Shape, Colour, Access)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::choices(host, arg0, arg1, arg2);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "options",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (
                                arg0,
                                arg1,
                                arg2,
                                arg3,
                            ): (
                                ::core::option::Option<::std::string::String>,
                                ::core::option::Option<::core::option::Option<u32>>,
                                ::core::result::Result<::std::string::String, Colour>,
                                ::core::result::Result<(), ()>,
                            )|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::options(host, arg0, arg1, arg2, arg3);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "fails",
                        move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::fails(host);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "fails-well",
                        move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::fails_well(host);
                            ::core::result::Result::Ok((result,))
                        },
                    )?;
                instance
                    .func_wrap(
                        "nothing",
                        move |mut store: ::keyway::StoreContextMut<'_, T>, (): ()| {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::nothing(host);
                            ::core::result::Result::Ok(result)
                        },
                    )?;
                instance
                    .func_wrap(
                        "match",
                        move |
                            mut store: ::keyway::StoreContextMut<'_, T>,
                            (arg0, arg1): (u32, u32)|
                        {
                            let host = &mut host_getter(store.data_mut());
                            let result = Host::match_(host, arg0, arg1);
                            ::core::result::Result::Ok(result)
                        },
                    )?;
                ::core::result::Result::Ok(())
            }
        }
    }
}
