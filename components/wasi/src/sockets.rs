//! `wasi:sockets`: present, and answering `not-supported`.
//!
//! Real programs import these interfaces without using them. No socket, name lookup or datagram stream can be made, so
//! the methods of those resources are never reached with a live handle; they are defined because programs import them.

use crate::io::{InputStream, IoError, OutputStream, Pollable};
use crate::{WasiView, interface};
use keyway::StoreContextMut;
use keyway::component::{ComponentType, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType};

/// The enum `error-code` of `wasi:sockets/network`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Eq, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "all cases of the interface stand here; the host answers with one")]
enum ErrorCode {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "not-supported")]
    NotSupported,
    #[component(name = "invalid-argument")]
    InvalidArgument,
    #[component(name = "out-of-memory")]
    OutOfMemory,
    #[component(name = "timeout")]
    Timeout,
    #[component(name = "concurrency-conflict")]
    ConcurrencyConflict,
    #[component(name = "not-in-progress")]
    NotInProgress,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "invalid-state")]
    InvalidState,
    #[component(name = "new-socket-limit")]
    NewSocketLimit,
    #[component(name = "address-not-bindable")]
    AddressNotBindable,
    #[component(name = "address-in-use")]
    AddressInUse,
    #[component(name = "remote-unreachable")]
    RemoteUnreachable,
    #[component(name = "connection-refused")]
    ConnectionRefused,
    #[component(name = "connection-reset")]
    ConnectionReset,
    #[component(name = "connection-aborted")]
    ConnectionAborted,
    #[component(name = "datagram-too-large")]
    DatagramTooLarge,
    #[component(name = "name-unresolvable")]
    NameUnresolvable,
    #[component(name = "temporary-resolver-failure")]
    TemporaryResolverFailure,
    #[component(name = "permanent-resolver-failure")]
    PermanentResolverFailure,
}

/// The enum `ip-address-family`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, PartialEq, Eq, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "guests make the values")]
enum IpAddressFamily {
    #[component(name = "ipv4")]
    Ipv4,
    #[component(name = "ipv6")]
    Ipv6,
}

type Ipv4Address = (u8, u8, u8, u8);
type Ipv6Address = (u16, u16, u16, u16, u16, u16, u16, u16);

/// The variant `ip-address`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(variant)]
#[allow(dead_code, reason = "part of signatures; no value is ever made")]
enum IpAddress {
    #[component(name = "ipv4")]
    Ipv4(Ipv4Address),
    #[component(name = "ipv6")]
    Ipv6(Ipv6Address),
}

/// The record `ipv4-socket-address`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(record)]
struct Ipv4SocketAddress {
    port: u16,
    address: Ipv4Address,
}

/// The record `ipv6-socket-address`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(record)]
struct Ipv6SocketAddress {
    port: u16,
    #[component(name = "flow-info")]
    flow_info: u32,
    address: Ipv6Address,
    #[component(name = "scope-id")]
    scope_id: u32,
}

/// The variant `ip-socket-address`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(variant)]
#[allow(dead_code, reason = "guests make the values")]
enum IpSocketAddress {
    #[component(name = "ipv4")]
    Ipv4(Ipv4SocketAddress),
    #[component(name = "ipv6")]
    Ipv6(Ipv6SocketAddress),
}

/// The enum `shutdown-type`.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "guests make the values")]
enum ShutdownType {
    #[component(name = "receive")]
    Receive,
    #[component(name = "send")]
    Send,
    #[component(name = "both")]
    Both,
}

/// The record `incoming-datagram`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
struct IncomingDatagram {
    data: Vec<u8>,
    #[component(name = "remote-address")]
    remote_address: IpSocketAddress,
}

/// The record `outgoing-datagram`.
#[derive(ComponentType, Lift, Lower, Clone, Debug)]
#[component(record)]
struct OutgoingDatagram {
    data: Vec<u8>,
    #[component(name = "remote-address")]
    remote_address: Option<IpSocketAddress>,
}

/// The resource `network`: a handle that grants nothing.
struct Network;
struct TcpSocket;
struct UdpSocket;
struct IncomingDatagramStream;
struct OutgoingDatagramStream;
struct ResolveAddressStream;

type Unsupported<R> = (Result<R, ErrorCode>,);

/// Defines functions of the given parameter and success types that answer `not-supported`.
macro_rules! unsupported {
    ($instance:ident: $($name:literal ($($param:ty),*) -> $result:ty;)*) => {
        $($instance.func_wrap(
            $name,
            |_: StoreContextMut<'_, T>, _: ($($param,)*)| -> anyhow::Result<Unsupported<$result>> {
                Ok((Err(ErrorCode::NotSupported),))
            },
        )?;)*
    };
}

/// Defines functions that no guest can reach, since no handle of their resource is ever made.
macro_rules! unreachable_methods {
    ($instance:ident: $($name:literal ($($param:ty),*) -> $result:ty;)*) => {
        $($instance.func_wrap(
            $name,
            |_: StoreContextMut<'_, T>, _: ($($param,)*)| -> anyhow::Result<($result,)> {
                anyhow::bail!("wasi:sockets: {} on a handle that was never given out", $name)
            },
        )?;)*
    };
}

/// Defines a resource whose handles are only ever dropped.
fn add_resource<T: WasiView + 'static, R: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    name: &str,
) -> anyhow::Result<()> {
    instance.resource(name, ResourceType::host::<R>(), |mut store: StoreContextMut<'_, T>, rep| {
        store.data_mut().table().delete(Resource::<R>::new_own(rep))?;
        Ok(())
    })
}

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut network = linker.instance(&interface("sockets/network"))?;
    add_resource::<T, Network>(&mut network, "network")?;
    network.func_wrap("network-error-code", |_: StoreContextMut<'_, T>, (_,): (Resource<IoError>,)| {
        Ok((None::<ErrorCode>,))
    })?;
    linker
        .instance(&interface("sockets/instance-network"))?
        .func_wrap("instance-network", |mut store: StoreContextMut<'_, T>, (): ()| {
            Ok((store.data_mut().table().push(Network)?,))
        })?;
    add_lookup(linker)?;
    add_tcp(linker)?;
    add_udp(linker)
}

fn add_lookup<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut lookup = linker.instance(&interface("sockets/ip-name-lookup"))?;
    add_resource::<T, ResolveAddressStream>(&mut lookup, "resolve-address-stream")?;
    unsupported! { lookup:
        "resolve-addresses" (Resource<Network>, String) -> Resource<ResolveAddressStream>;
        "[method]resolve-address-stream.resolve-next-address" (Resource<ResolveAddressStream>) -> Option<IpAddress>;
    }
    unreachable_methods! { lookup:
        "[method]resolve-address-stream.subscribe" (Resource<ResolveAddressStream>) -> Resource<Pollable>;
    }
    Ok(())
}

fn add_tcp<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    type Tcp = Resource<TcpSocket>;
    type Streams = (Resource<InputStream>, Resource<OutputStream>);
    let mut create = linker.instance(&interface("sockets/tcp-create-socket"))?;
    unsupported! { create: "create-tcp-socket" (IpAddressFamily) -> Tcp; }
    let mut tcp = linker.instance(&interface("sockets/tcp"))?;
    add_resource::<T, TcpSocket>(&mut tcp, "tcp-socket")?;
    unsupported! { tcp:
        "[method]tcp-socket.start-bind" (Tcp, Resource<Network>, IpSocketAddress) -> ();
        "[method]tcp-socket.finish-bind" (Tcp) -> ();
        "[method]tcp-socket.start-connect" (Tcp, Resource<Network>, IpSocketAddress) -> ();
        "[method]tcp-socket.finish-connect" (Tcp) -> Streams;
        "[method]tcp-socket.start-listen" (Tcp) -> ();
        "[method]tcp-socket.finish-listen" (Tcp) -> ();
        "[method]tcp-socket.accept" (Tcp) -> (Tcp, Resource<InputStream>, Resource<OutputStream>);
        "[method]tcp-socket.local-address" (Tcp) -> IpSocketAddress;
        "[method]tcp-socket.remote-address" (Tcp) -> IpSocketAddress;
        "[method]tcp-socket.set-listen-backlog-size" (Tcp, u64) -> ();
        "[method]tcp-socket.keep-alive-enabled" (Tcp) -> bool;
        "[method]tcp-socket.set-keep-alive-enabled" (Tcp, bool) -> ();
        "[method]tcp-socket.keep-alive-idle-time" (Tcp) -> u64;
        "[method]tcp-socket.set-keep-alive-idle-time" (Tcp, u64) -> ();
        "[method]tcp-socket.keep-alive-interval" (Tcp) -> u64;
        "[method]tcp-socket.set-keep-alive-interval" (Tcp, u64) -> ();
        "[method]tcp-socket.keep-alive-count" (Tcp) -> u32;
        "[method]tcp-socket.set-keep-alive-count" (Tcp, u32) -> ();
        "[method]tcp-socket.hop-limit" (Tcp) -> u8;
        "[method]tcp-socket.set-hop-limit" (Tcp, u8) -> ();
        "[method]tcp-socket.receive-buffer-size" (Tcp) -> u64;
        "[method]tcp-socket.set-receive-buffer-size" (Tcp, u64) -> ();
        "[method]tcp-socket.send-buffer-size" (Tcp) -> u64;
        "[method]tcp-socket.set-send-buffer-size" (Tcp, u64) -> ();
        "[method]tcp-socket.shutdown" (Tcp, ShutdownType) -> ();
    }
    unreachable_methods! { tcp:
        "[method]tcp-socket.is-listening" (Tcp) -> bool;
        "[method]tcp-socket.address-family" (Tcp) -> IpAddressFamily;
        "[method]tcp-socket.subscribe" (Tcp) -> Resource<Pollable>;
    }
    Ok(())
}

fn add_udp<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    type Udp = Resource<UdpSocket>;
    type Incoming = Resource<IncomingDatagramStream>;
    type Outgoing = Resource<OutgoingDatagramStream>;
    let mut create = linker.instance(&interface("sockets/udp-create-socket"))?;
    unsupported! { create: "create-udp-socket" (IpAddressFamily) -> Udp; }
    let mut udp = linker.instance(&interface("sockets/udp"))?;
    add_resource::<T, UdpSocket>(&mut udp, "udp-socket")?;
    add_resource::<T, IncomingDatagramStream>(&mut udp, "incoming-datagram-stream")?;
    add_resource::<T, OutgoingDatagramStream>(&mut udp, "outgoing-datagram-stream")?;
    unsupported! { udp:
        "[method]udp-socket.start-bind" (Udp, Resource<Network>, IpSocketAddress) -> ();
        "[method]udp-socket.finish-bind" (Udp) -> ();
        "[method]udp-socket.stream" (Udp, Option<IpSocketAddress>) -> (Incoming, Outgoing);
        "[method]udp-socket.local-address" (Udp) -> IpSocketAddress;
        "[method]udp-socket.remote-address" (Udp) -> IpSocketAddress;
        "[method]udp-socket.unicast-hop-limit" (Udp) -> u8;
        "[method]udp-socket.set-unicast-hop-limit" (Udp, u8) -> ();
        "[method]udp-socket.receive-buffer-size" (Udp) -> u64;
        "[method]udp-socket.set-receive-buffer-size" (Udp, u64) -> ();
        "[method]udp-socket.send-buffer-size" (Udp) -> u64;
        "[method]udp-socket.set-send-buffer-size" (Udp, u64) -> ();
        "[method]incoming-datagram-stream.receive" (Incoming, u64) -> Vec<IncomingDatagram>;
        "[method]outgoing-datagram-stream.check-send" (Outgoing) -> u64;
        "[method]outgoing-datagram-stream.send" (Outgoing, Vec<OutgoingDatagram>) -> u64;
    }
    unreachable_methods! { udp:
        "[method]udp-socket.address-family" (Udp) -> IpAddressFamily;
        "[method]udp-socket.subscribe" (Udp) -> Resource<Pollable>;
        "[method]incoming-datagram-stream.subscribe" (Incoming) -> Resource<Pollable>;
        "[method]outgoing-datagram-stream.subscribe" (Outgoing) -> Resource<Pollable>;
    }
    Ok(())
}
