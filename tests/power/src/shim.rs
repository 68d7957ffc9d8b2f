//! A file system of SQLite that passes everything on to the real one, and records what changes files.
//!
//! In: calls of SQLite. Out: the same calls, and steps.
//! Invariant: what failed is not recorded. A file here is a head of this module, and behind it the file of
//! the real file system, in one piece of memory that SQLite gives.
//! Knows nothing of what is recorded for.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, MutexGuard, Once};

use libsqlite3_sys as ffi;

use crate::{Step, Watched, held, watched};

/// The real file system.
static REAL: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(std::ptr::null_mut());

/// The head of an open file. SQLite's memory is aligned to 8 bytes, and no part of it needs more.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    seen: Option<Box<Seen>>,
}

/// An open file whose steps are recorded.
struct Seen {
    record: Arc<Watched>,
    name: String,
    /// The real file system syncs the folder with the first sync of a journal or a log.
    syncs_folder: bool,
}

/// Makes the shim the file system of every connection that is opened from now on.
pub(crate) fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: a null name asks for the default one; it is never unregistered.
        let real = unsafe { ffi::sqlite3_vfs_find(null()) };
        assert!(!real.is_null(), "sqlite has no file system");
        REAL.store(real, Ordering::SeqCst);
        // SAFETY: it is not null, and nobody changes it. What is copied with it and called on the copy
        // reads only the length of paths and the data of the application, which are copied too.
        let mut shim = unsafe { std::ptr::read(real) };
        shim.szOsFile += size_of::<File>() as c_int;
        shim.zName = c"laneway-power".as_ptr();
        shim.pNext = std::ptr::null_mut();
        shim.xOpen = Some(open);
        shim.xDelete = Some(delete);
        // SAFETY: it lives as long as the process.
        let done = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(shim)), 1) };
        assert_eq!(done, ffi::SQLITE_OK, "sqlite refuses the file system");
    });
}

/// The file of the real file system.
///
/// # Safety
/// The file is one of this module, in memory of `szOsFile` bytes.
unsafe fn real(file: *mut ffi::sqlite3_file) -> *mut ffi::sqlite3_file {
    // SAFETY: it lies behind the head, in the same memory.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// The methods of the real file.
///
/// # Safety
/// The file is one of this module, and open.
unsafe fn methods(file: *mut ffi::sqlite3_file) -> &'static ffi::sqlite3_io_methods {
    // SAFETY: an open file has methods, which are constants of SQLite.
    unsafe { &*(*real(file)).pMethods }
}

/// The head of a file.
///
/// # Safety
/// The file is one of this module, and open; SQLite uses a file from one thread at a time.
unsafe fn head<'f>(file: *mut ffi::sqlite3_file) -> &'f mut File {
    // SAFETY: see above.
    unsafe { &mut *file.cast::<File>() }
}

/// Calls a method of the real file. Every method of a file of Unix is there.
macro_rules! pass {
    ($file:expr, $method:ident $(, $argument:expr)*) => {
        // SAFETY: SQLite calls the methods of an open file of this module, with arguments that are as good
        // for the real file.
        unsafe { methods($file).$method.unwrap()(real($file) $(, $argument)*) }
    };
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let vfs = REAL.load(Ordering::SeqCst);
    let path = match name.is_null() {
        true => None,
        // SAFETY: a name that is there ends with a zero.
        false => Some(unsafe { CStr::from_ptr(name) }.to_bytes()),
    };
    let path = path.map(|bytes| Path::new(OsStr::from_bytes(bytes)));
    let seen = path.and_then(watched);
    let record = seen.as_ref().map(|(record, _)| Arc::clone(record));
    let steps = record.as_ref().map(|record| held(&record.steps));
    let was_there = path.is_some_and(Path::exists);
    // SAFETY: the memory is as long as both heads; without methods SQLite does not close it.
    unsafe { (*file).pMethods = null() };
    // SAFETY: the arguments are those that SQLite gave, and the file lies in memory that it gave.
    let done = unsafe { (*vfs).xOpen.unwrap()(vfs, name, real(file), flags, out) };
    if done != ffi::SQLITE_OK {
        return done;
    }
    if let Some(mut steps) = steps
        && let Some((_, name)) = &seen
    {
        // A file that was made past SQLite is seen when it is first opened.
        let create = Step::Create { name: name.clone() };
        if !was_there || is_new(&steps, name) {
            steps.push(create);
        }
    }
    let journal =
        ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL | ffi::SQLITE_OPEN_WAL;
    let syncs_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & journal != 0;
    let head = File {
        base: ffi::sqlite3_file { pMethods: &METHODS },
        seen: seen.map(|(record, name)| {
            Box::new(Seen {
                record,
                name,
                syncs_folder,
            })
        }),
    };
    // SAFETY: the memory is long enough and aligned, and what is in it has no owner.
    unsafe { file.cast::<File>().write(head) };
    ffi::SQLITE_OK
}

fn is_new(steps: &[Step], name: &str) -> bool {
    let of_it = steps.iter().rev().find_map(|step| match step {
        Step::Create { name: other } if other == name => Some(false),
        Step::Delete { name: other, .. } if other == name => Some(true),
        _ => None,
    });
    of_it.unwrap_or(true)
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    let vfs = REAL.load(Ordering::SeqCst);
    // SAFETY: SQLite names the file that it wants removed.
    let path = Path::new(OsStr::from_bytes(
        unsafe { CStr::from_ptr(name) }.to_bytes(),
    ));
    let seen = watched(path);
    let steps = seen.as_ref().map(|(record, _)| held(&record.steps));
    // SAFETY: the arguments are those that SQLite gave.
    let done = unsafe { (*vfs).xDelete.unwrap()(vfs, name, sync) };
    if done == ffi::SQLITE_OK
        && let Some(mut steps) = steps
        && let Some((_, name)) = &seen
    {
        steps.push(Step::Delete {
            name: name.clone(),
            with_folder: sync != 0,
        });
    }
    done
}

/// Does something to a file and records it, and nothing else of its folder in between.
///
/// # Safety
/// The file is one of this module, and open.
unsafe fn recorded(
    file: *mut ffi::sqlite3_file,
    act: impl FnOnce() -> c_int,
    step: impl FnOnce(&mut Seen) -> Step,
) -> c_int {
    // SAFETY: as above.
    let head = unsafe { head(file) };
    let Some(seen) = &mut head.seen else {
        return act();
    };
    let record = Arc::clone(&seen.record);
    let mut steps: MutexGuard<'_, Vec<Step>> = held(&record.steps);
    let done = act();
    if done == ffi::SQLITE_OK {
        steps.push(step(seen));
    }
    done
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let done = pass!(file, xClose);
    // SAFETY: it was open until now; SQLite calls nothing of it any more.
    drop(unsafe { head(file) }.seen.take());
    done
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    many: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    pass!(file, xRead, into, many, at)
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    many: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let step = |seen: &mut Seen| Step::Write {
        name: seen.name.clone(),
        at: at as usize,
        // SAFETY: SQLite gives so many bytes, and they stay until it is answered.
        bytes: unsafe { std::slice::from_raw_parts(from.cast::<u8>(), many as usize) }.to_vec(),
    };
    let act = || pass!(file, xWrite, from, many, at);
    // SAFETY: SQLite writes to an open file.
    unsafe { recorded(file, act, step) }
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    let step = |seen: &mut Seen| Step::Truncate {
        name: seen.name.clone(),
        length: length as usize,
    };
    let act = || pass!(file, xTruncate, length);
    // SAFETY: SQLite truncates an open file.
    unsafe { recorded(file, act, step) }
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let step = |seen: &mut Seen| Step::Sync {
        name: seen.name.clone(),
        with_folder: std::mem::take(&mut seen.syncs_folder),
    };
    let act = || pass!(file, xSync, flags);
    // SAFETY: SQLite syncs an open file.
    unsafe { recorded(file, act, step) }
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    into: *mut ffi::sqlite3_int64,
) -> c_int {
    pass!(file, xFileSize, into)
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xLock, level)
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    pass!(file, xUnlock, level)
}

unsafe extern "C" fn check_reserved(file: *mut ffi::sqlite3_file, into: *mut c_int) -> c_int {
    pass!(file, xCheckReservedLock, into)
}

unsafe extern "C" fn control(
    file: *mut ffi::sqlite3_file,
    what: c_int,
    with: *mut c_void,
) -> c_int {
    pass!(file, xFileControl, what, with)
}

unsafe extern "C" fn sector_size(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xSectorSize)
}

unsafe extern "C" fn device(file: *mut ffi::sqlite3_file) -> c_int {
    pass!(file, xDeviceCharacteristics)
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    page: c_int,
    size: c_int,
    extend: c_int,
    into: *mut *mut c_void,
) -> c_int {
    pass!(file, xShmMap, page, size, extend, into)
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    at: c_int,
    many: c_int,
    flags: c_int,
) -> c_int {
    pass!(file, xShmLock, at, many, flags)
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    pass!(file, xShmBarrier);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, remove: c_int) -> c_int {
    pass!(file, xShmUnmap, remove)
}

/// Version 2: without pages that are mapped from a file, so that every write is seen.
static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved),
    xFileControl: Some(control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
