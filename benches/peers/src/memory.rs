//! Counts what lives on the heap, where it is asked to.
//!
//! In: a piece of work. Out: the bytes that it left behind, and the most that it held at a time.
//! Outside of such a count one relaxed load and a branch that is never taken are all it costs, so
//! engines that allocate are timed as they are.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};

struct Counting;

#[global_allocator]
static GLOBAL: Counting = Counting;

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

#[cold]
fn note(bytes: i64) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(live, Relaxed);
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if ON.load(Relaxed) {
            note(layout.size() as i64);
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if ON.load(Relaxed) {
            note(layout.size() as i64);
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if ON.load(Relaxed) {
            note(-(layout.size() as i64));
        }
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if ON.load(Relaxed) {
            note(size as i64 - layout.size() as i64);
        }
        unsafe { System.realloc(block, layout, size) }
    }
}

/// Bytes on the heap.
#[derive(Debug, Clone, Copy)]
pub struct Bytes {
    /// What is left when the work is done.
    pub left: i64,
    /// The most at a time.
    pub peak: i64,
}

/// Counts what a piece of work puts on the heap. What it makes has to live until it is counted, so
/// it comes back.
pub fn counted<T>(work: impl FnOnce() -> T) -> (T, Bytes) {
    LIVE.store(0, Relaxed);
    PEAK.store(0, Relaxed);
    ON.store(true, Relaxed);
    let made = work();
    ON.store(false, Relaxed);
    let bytes = Bytes {
        left: LIVE.load(Relaxed),
        peak: PEAK.load(Relaxed),
    };
    (made, bytes)
}
