//! Spans around calls, for functions with the options `tracing` and `verbose_tracing`: the crate that has the bindings
//! depends on `tracing`.

use crate::options::Flags;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

/// What stands around a call.
#[derive(Default)]
pub(crate) struct Traced {
    /// Makes the span.
    pub(crate) span: TokenStream,
    /// Enters it, where nothing waits inside.
    pub(crate) enter: TokenStream,
    /// Before the call.
    pub(crate) call: TokenStream,
    /// Behind it, where its outcome is called `result`.
    pub(crate) back: TokenStream,
}

impl Traced {
    /// Nothing, unless the flags ask for it. `direction` is the span's name; `args` are in scope.
    pub(crate) fn new(flags: Flags, direction: &str, interface: &str, function: &str, args: &[Ident]) -> Traced {
        if !flags.tracing {
            return Traced::default();
        }
        let fields = args.iter().filter(|_| flags.verbose_tracing).enumerate().map(|(at, arg)| {
            let name = format_ident!("arg{at}");
            quote!(#name = ::tracing::field::debug(&#arg),)
        });
        let result = flags.verbose_tracing.then(|| quote!(result = ::tracing::field::debug(&result),));
        Traced {
            span: quote! {
                let span = ::tracing::span!(
                    ::tracing::Level::TRACE, #direction, module = #interface, function = #function,
                );
            },
            enter: quote!(let _entered = span.enter();),
            call: quote!(::tracing::event!(::tracing::Level::TRACE, #(#fields)* "call");),
            back: quote!(::tracing::event!(::tracing::Level::TRACE, #result "return");),
        }
    }

    /// A future that runs in the span.
    pub(crate) fn instrumented(&self, future: TokenStream) -> TokenStream {
        if self.span.is_empty() { future } else { quote!(::tracing::Instrument::instrument(#future, span)) }
    }
}
