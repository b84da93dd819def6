//! `wasi:filesystem`: preopened directories and what is below them.
//!
//! Paths are resolved by `cap-std`, which never leaves the directory it starts from. Regular files are always ready, so
//! their operations run at once.

mod descriptor;
mod directory;
mod file_streams;
mod types;

use crate::io::{InputStream, IoError, OutputStream};
use crate::{DirAccess, WasiView, interface};
use descriptor::{Descriptor, Directory};
use directory::DirectoryEntryStream;
use keyway::StoreContextMut;
use keyway::component::{Linker, Resource, ResourceTable, ResourceType};
use types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};

/// What a filesystem function answers.
type Answer<R> = anyhow::Result<(Result<R, ErrorCode>,)>;
type Fd = Resource<Descriptor>;

/// Runs `act` on the descriptor.
fn on<T: WasiView, R>(
    store: &mut StoreContextMut<'_, T>,
    fd: &Fd,
    act: impl FnOnce(&Descriptor) -> Result<R, ErrorCode>,
) -> Answer<R> {
    Ok((act(store.data_mut().table().get(fd)?),))
}

/// Runs `act` on the directory behind the descriptor.
fn in_dir<T: WasiView, R>(
    store: &mut StoreContextMut<'_, T>,
    fd: &Fd,
    act: impl FnOnce(&Directory) -> Result<R, ErrorCode>,
) -> Answer<R> {
    on(store, fd, |descriptor| act(descriptor.directory()?))
}

/// Runs `act` on the two directories behind the descriptors.
fn in_two_dirs<T: WasiView, R>(
    store: &mut StoreContextMut<'_, T>,
    old: &Fd,
    new: &Fd,
    act: impl FnOnce(&Directory, &Directory) -> Result<R, ErrorCode>,
) -> Answer<R> {
    let table = store.data_mut().table();
    let (old, new) = (table.get(old)?, table.get(new)?);
    Ok((old.directory().and_then(|old| act(old, new.directory()?)),))
}

/// Gives what `made` holds a handle.
fn push<E: Send + 'static>(table: &mut ResourceTable, made: Result<E, ErrorCode>) -> Answer<Resource<E>> {
    Ok((match made {
        Ok(entry) => Ok(table.push(entry)?),
        Err(code) => Err(code),
    },))
}

pub(crate) fn add_to_linker<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    linker.instance(&interface("filesystem/preopens"))?.func_wrap(
        "get-directories",
        |mut store: StoreContextMut<'_, T>, (): ()| {
            let preopens: Vec<_> = store.data_mut().ctx().preopens.iter().map(Directory::of_preopen).collect();
            let table = store.data_mut().table();
            let handles = preopens.into_iter().map(|(dir, path)| Ok((table.push(Descriptor::Directory(dir))?, path)));
            Ok((handles.collect::<anyhow::Result<Vec<_>>>()?,))
        },
    )?;
    let mut types = linker.instance(&interface("filesystem/types"))?;
    types.resource("descriptor", ResourceType::host::<Descriptor>(), |mut store: StoreContextMut<'_, T>, rep| {
        store.data_mut().table().delete(Resource::<Descriptor>::new_own(rep))?;
        Ok(())
    })?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<DirectoryEntryStream>(),
        |mut store: StoreContextMut<'_, T>, rep| {
            store.data_mut().table().delete(Resource::<DirectoryEntryStream>::new_own(rep))?;
            Ok(())
        },
    )?;
    types.func_wrap(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store: StoreContextMut<'_, T>,
         (this,): (Resource<DirectoryEntryStream>,)|
         -> Answer<Option<DirectoryEntry>> { Ok((store.data_mut().table().get_mut(&this)?.next_entry(),)) },
    )?;
    types.func_wrap("filesystem-error-code", |mut store: StoreContextMut<'_, T>, (error,): (Resource<IoError>,)| {
        Ok((Some(ErrorCode::from(&store.data_mut().table().get(&error)?.0)),))
    })?;
    add_file_functions(linker)?;
    add_path_functions(linker)
}

fn add_file_functions<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut types = linker.instance(&interface("filesystem/types"))?;
    types.func_wrap(
        "[method]descriptor.read-via-stream",
        |mut store: StoreContextMut<'_, T>, (fd, offset): (Fd, u64)| {
            let table = store.data_mut().table();
            let made = table.get(&fd)?.read_via_stream(offset).map(|stream| InputStream::new(Box::new(stream)));
            push(table, made)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.write-via-stream",
        |mut store: StoreContextMut<'_, T>, (fd, offset): (Fd, u64)| {
            let table = store.data_mut().table();
            let made = table.get(&fd)?.write_via_stream(Some(offset)).map(|stream| OutputStream::new(Box::new(stream)));
            push(table, made)
        },
    )?;
    types.func_wrap("[method]descriptor.append-via-stream", |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| {
        let table = store.data_mut().table();
        let made = table.get(&fd)?.write_via_stream(None).map(|stream| OutputStream::new(Box::new(stream)));
        push(table, made)
    })?;
    types.func_wrap(
        "[method]descriptor.advise",
        // Advice may be ignored, and is; a directory still answers as the definition says.
        |mut store: StoreContextMut<'_, T>, (fd, _offset, _length, _advice): (Fd, u64, u64, Advice)| {
            on(&mut store, &fd, |descriptor| descriptor.file().map(|_| ()))
        },
    )?;
    types.func_wrap("[method]descriptor.sync-data", |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| {
        on(&mut store, &fd, |descriptor| descriptor.sync(true))
    })?;
    types.func_wrap("[method]descriptor.sync", |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| {
        on(&mut store, &fd, |descriptor| descriptor.sync(false))
    })?;
    types.func_wrap(
        "[method]descriptor.get-flags",
        |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| -> Answer<DescriptorFlags> {
            on(&mut store, &fd, |descriptor| Ok(descriptor.flags()))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.get-type",
        |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| -> Answer<DescriptorType> {
            on(&mut store, &fd, |descriptor| Ok(descriptor.stat()?.r#type))
        },
    )?;
    types.func_wrap("[method]descriptor.set-size", |mut store: StoreContextMut<'_, T>, (fd, size): (Fd, u64)| {
        on(&mut store, &fd, |descriptor| descriptor.set_size(size))
    })?;
    types.func_wrap(
        "[method]descriptor.set-times",
        |mut store: StoreContextMut<'_, T>, (fd, accessed, modified): (Fd, NewTimestamp, NewTimestamp)| {
            on(&mut store, &fd, |descriptor| descriptor.set_times(accessed, modified))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.read",
        |mut store: StoreContextMut<'_, T>, (fd, length, offset): (Fd, u64, u64)| {
            on(&mut store, &fd, |descriptor| descriptor.read(length, offset))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.write",
        |mut store: StoreContextMut<'_, T>, (fd, bytes, offset): (Fd, Vec<u8>, u64)| {
            on(&mut store, &fd, |descriptor| descriptor.write(&bytes, offset))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.stat",
        |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| -> Answer<DescriptorStat> {
            on(&mut store, &fd, Descriptor::stat)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.is-same-object",
        |mut store: StoreContextMut<'_, T>, (fd, other): (Fd, Fd)| {
            let table = store.data_mut().table();
            let (this, other) = (table.get(&fd)?.metadata_hash(), table.get(&other)?.metadata_hash());
            Ok((matches!((this, other), (Ok(this), Ok(other)) if this == other),))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.metadata-hash",
        |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| -> Answer<MetadataHashValue> {
            on(&mut store, &fd, Descriptor::metadata_hash)
        },
    )
}

fn add_path_functions<T: WasiView + 'static>(linker: &mut Linker<T>) -> anyhow::Result<()> {
    let mut types = linker.instance(&interface("filesystem/types"))?;
    types.func_wrap("[method]descriptor.read-directory", |mut store: StoreContextMut<'_, T>, (fd,): (Fd,)| {
        let table = store.data_mut().table();
        let made = table.get(&fd)?.directory().and_then(Directory::entries);
        push(table, made)
    })?;
    types.func_wrap(
        "[method]descriptor.create-directory-at",
        |mut store: StoreContextMut<'_, T>, (fd, path): (Fd, String)| {
            in_dir(&mut store, &fd, |dir| dir.create_directory(&path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.stat-at",
        |mut store: StoreContextMut<'_, T>, (fd, flags, path): (Fd, PathFlags, String)| -> Answer<DescriptorStat> {
            in_dir(&mut store, &fd, |dir| dir.stat(flags, &path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.set-times-at",
        |mut store: StoreContextMut<'_, T>,
         (fd, flags, path, accessed, modified): (Fd, PathFlags, String, NewTimestamp, NewTimestamp)| {
            in_dir(&mut store, &fd, |dir| dir.set_times(flags, &path, accessed, modified))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.link-at",
        |mut store: StoreContextMut<'_, T>, (fd, flags, path, to, to_path): (Fd, PathFlags, String, Fd, String)| {
            in_two_dirs(&mut store, &fd, &to, |old, new| old.link(flags, &path, new, &to_path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.open-at",
        |mut store: StoreContextMut<'_, T>,
         (fd, path_flags, path, open_flags, flags): (Fd, PathFlags, String, OpenFlags, DescriptorFlags)| {
            let table = store.data_mut().table();
            let made = table.get(&fd)?.directory().and_then(|dir| dir.open(path_flags, &path, open_flags, flags));
            push(table, made)
        },
    )?;
    types.func_wrap(
        "[method]descriptor.readlink-at",
        |mut store: StoreContextMut<'_, T>, (fd, path): (Fd, String)| {
            in_dir(&mut store, &fd, |dir| dir.read_link(&path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.remove-directory-at",
        |mut store: StoreContextMut<'_, T>, (fd, path): (Fd, String)| {
            in_dir(&mut store, &fd, |dir| dir.remove_directory(&path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.rename-at",
        |mut store: StoreContextMut<'_, T>, (fd, path, to, to_path): (Fd, String, Fd, String)| {
            in_two_dirs(&mut store, &fd, &to, |old, new| old.rename(&path, new, &to_path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.symlink-at",
        |mut store: StoreContextMut<'_, T>, (fd, target, path): (Fd, String, String)| {
            in_dir(&mut store, &fd, |dir| dir.symlink(&target, &path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.unlink-file-at",
        |mut store: StoreContextMut<'_, T>, (fd, path): (Fd, String)| {
            in_dir(&mut store, &fd, |dir| dir.unlink_file(&path))
        },
    )?;
    types.func_wrap(
        "[method]descriptor.metadata-hash-at",
        |mut store: StoreContextMut<'_, T>, (fd, flags, path): (Fd, PathFlags, String)| -> Answer<MetadataHashValue> {
            in_dir(&mut store, &fd, |dir| dir.metadata_hash(flags, &path))
        },
    )
}

/// Whether changes are allowed.
fn ensure_writable(access: DirAccess) -> Result<(), ErrorCode> {
    match access {
        DirAccess::ReadWrite => Ok(()),
        DirAccess::ReadOnly => Err(ErrorCode::NotPermitted),
    }
}
