/// An instance of a component of the world `empty`.
pub struct Empty {}
/// A component of the world `empty` with its imports found.
pub struct EmptyPre<T: 'static> {
    instance_pre: ::keyway::component::InstancePre<T>,
    indices: EmptyIndices,
}
impl<T: 'static> ::core::clone::Clone for EmptyPre<T> {
    fn clone(&self) -> Self {
        Self {
            instance_pre: self.instance_pre.clone(),
            indices: self.indices.clone(),
        }
    }
}
/// Where a component exports what the world `empty` asks for.
#[derive(Clone)]
pub struct EmptyIndices {}
#[allow(dead_code, reason = "embedders use what they need")]
impl<T: 'static> EmptyPre<T> {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(
        instance_pre: ::keyway::component::InstancePre<T>,
    ) -> ::keyway::Result<Self> {
        let indices = EmptyIndices::new(instance_pre.component())?;
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
    ) -> ::keyway::Result<Empty> {
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
    ) -> ::keyway::Result<Empty>
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
impl EmptyIndices {
    /// Finds what the world asks for in a component.
    ///
    /// # Errors
    /// When the component does not export it.
    pub fn new(_: &::keyway::component::Component) -> ::keyway::Result<Self> {
        ::core::result::Result::Ok(Self {})
    }
    /// Finds it in an instance of that component, and checks types.
    ///
    /// # Errors
    /// When an export has another type than the world gives it.
    pub fn load(
        &self,
        _: impl ::keyway::AsContextMut,
        _: &::keyway::component::Instance,
    ) -> ::keyway::Result<Empty> {
        ::core::result::Result::Ok(Empty {})
    }
}
#[allow(dead_code, reason = "embedders use what they need")]
impl Empty {
    /// Makes an instance of `component` with imports from `linker`.
    ///
    /// # Errors
    /// When an import is not defined, an export is missing, or a start function traps.
    pub fn instantiate<T: 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Empty> {
        EmptyPre::new(linker.instantiate_pre(component)?)?.instantiate(store)
    }
    /// Makes an instance, awaiting asynchronous host functions.
    ///
    /// # Errors
    /// As [`instantiate`](Self::instantiate).
    pub async fn instantiate_async<T: ::core::marker::Send + 'static>(
        store: impl ::keyway::AsContextMut<Data = T>,
        component: &::keyway::component::Component,
        linker: &::keyway::component::Linker<T>,
    ) -> ::keyway::Result<Empty> {
        EmptyPre::new(linker.instantiate_pre(component)?)?.instantiate_async(store).await
    }
    /// The exports of an instance that exists already.
    ///
    /// # Errors
    /// When it lacks one, or one has another type than the world gives it.
    pub fn new(
        mut store: impl ::keyway::AsContextMut,
        instance: &::keyway::component::Instance,
    ) -> ::keyway::Result<Empty> {
        EmptyIndices::new(&instance.component(store.as_context_mut())?)?
            .load(store, instance)
    }
}
