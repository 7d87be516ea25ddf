//! Where a module's memory comes from, so that a fresh instance costs microseconds.
//!
//! An instance is made for every call and thrown away after it, and what it costs is the pages it touches and the
//! system calls it makes. So the arena hands out memory from a static region that lies in the module's first pages,
//! right behind its stack and data, then what is left of those pages, and asks for more only when that is used up. What
//! `configure` leaves behind is allocated behind the static region, where later calls only read.
//!
//! Blocks are rounded to powers of two. A freed block is used again for the next one of its size; the newest block
//! also grows and shrinks in place.

#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;

/// The static region of a filter, in bytes: a frame of 8 KiB and the verdicts of a hundred campaigns. It is a part of what
/// is kept of every configured filter.
pub const FILTER_SCRATCH_BYTES: usize = 16 * 1024;
/// The static region of an adapter, in bytes: a lead, a request, and an answer of a few KiB.
pub const ADAPTER_SCRATCH_BYTES: usize = 64 * 1024;
/// The static region of a normalizer, in bytes: a submission of a few KiB and the lead that is made of it.
pub const NORMALIZER_SCRATCH_BYTES: usize = 64 * 1024;

/// WebAssembly's unit of memory, in bytes.
const PAGE_BYTES: usize = 64 * 1024;
/// What the beginning of every region is aligned to, in bytes.
const REGION_ALIGN: usize = 16;
/// Every block is a multiple of this and aligned to it, in bytes.
const BLOCK_BYTES_MIN: usize = 8;
/// One list of freed blocks for each power of two that an address can have.
const CLASSES: usize = 32;

/// The allocator of a module. The export macros place it; an author never names it.
///
/// It begins on a page of the host with what it knows of its blocks, and the static region follows: what a call writes of
/// both is put back after it page by page, and a call that takes little writes one.
#[repr(C, align(4096))]
pub struct Arena<const SCRATCH: usize> {
    blocks: UnsafeCell<Blocks>,
    scratch: UnsafeCell<Scratch<SCRATCH>>,
}

#[repr(align(16))]
struct Scratch<const SCRATCH: usize>([u8; SCRATCH]);

struct Blocks {
    /// The first free byte of the region in use.
    next: *mut u8,
    /// The first byte behind it.
    end: *mut u8,
    /// The scratch region is still to be used.
    scratch_unused: bool,
    /// What follows the module's data up to the end of its memory is used. In a filter all of this begins as zeros, which
    /// take no room in the module.
    rest_used: bool,
    /// The newest freed block of each size; its first word leads to the one before.
    freed: [*mut u8; CLASSES],
}

// SAFETY: a component has one thread.
unsafe impl<const SCRATCH: usize> Sync for Arena<SCRATCH> {}

impl<const SCRATCH: usize> core::fmt::Debug for Arena<SCRATCH> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Arena").field("scratch_bytes", &SCRATCH).finish_non_exhaustive()
    }
}

impl<const SCRATCH: usize> Arena<SCRATCH> {
    /// For a module whose every call begins anew: memory comes from the static region first.
    #[must_use]
    pub const fn ready() -> Self {
        Self::new(true, false)
    }

    /// For a module that is configured first: memory does not come from the static region until [`Arena::seal`].
    #[must_use]
    pub const fn configuring() -> Self {
        Self::new(false, false)
    }

    const fn new(scratch_unused: bool, rest_used: bool) -> Self {
        Self {
            blocks: UnsafeCell::new(Blocks {
                next: ptr::null_mut(),
                end: ptr::null_mut(),
                scratch_unused,
                rest_used,
                freed: [ptr::null_mut(); CLASSES],
            }),
            scratch: UnsafeCell::new(Scratch([0; SCRATCH])),
        }
    }

    /// Leaves all that is allocated where it is and goes over to the static region.
    pub fn seal(&self) {
        let unused = Self::new(true, true).blocks.into_inner();
        // SAFETY: one thread, and no reference to the blocks outlives a method of the arena.
        unsafe { *self.blocks.get() = unused };
    }

    /// Makes room for at least `bytes`, aligned to [`REGION_ALIGN`].
    fn refill(&self, blocks: &mut Blocks, bytes: usize) -> bool {
        if core::mem::take(&mut blocks.scratch_unused) && bytes <= SCRATCH {
            blocks.next = self.scratch.get().cast();
            // SAFETY: one past the end of the region.
            blocks.end = unsafe { blocks.next.add(SCRATCH) };
            return true;
        }
        if !core::mem::replace(&mut blocks.rest_used, true) {
            (blocks.next, blocks.end) = rest();
            if bytes <= blocks.end.addr().wrapping_sub(blocks.next.addr()) {
                return true;
            }
        }
        let pages = bytes.div_ceil(PAGE_BYTES);
        let Some(start) = grow(pages) else { return false };
        if start != blocks.end {
            blocks.next = start;
        }
        // SAFETY: the pages were just given to this module; address arithmetic wraps at the end of memory only.
        blocks.end = unsafe { start.add(pages.wrapping_mul(PAGE_BYTES)) };
        true
    }
}

/// Returns the class of a block of this size and its rounded size.
fn class(bytes: usize) -> (usize, usize) {
    let rounded = bytes.max(BLOCK_BYTES_MIN).next_power_of_two();
    (rounded.trailing_zeros() as usize, rounded)
}

// SAFETY: blocks come from memory that nobody else uses, are as large as their layout and aligned to it, and are
// handed out again only after they were freed.
unsafe impl<const SCRATCH: usize> GlobalAlloc for Arena<SCRATCH> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and nothing below calls back into the allocator.
        let blocks = unsafe { &mut *self.blocks.get() };
        let (class, bytes) = class(layout.size());
        let freed = blocks.freed.get_mut(class).filter(|_| layout.align() <= BLOCK_BYTES_MIN);
        if let Some(freed) = freed.filter(|freed| !freed.is_null()) {
            let block = *freed;
            // SAFETY: a freed block's first word was written by `dealloc`.
            *freed = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        loop {
            let padding = blocks.next.align_offset(layout.align().max(BLOCK_BYTES_MIN));
            let wanted = bytes.saturating_add(padding);
            if wanted <= blocks.end.addr().wrapping_sub(blocks.next.addr()) {
                // SAFETY: both stay inside the region.
                let block = unsafe { blocks.next.add(padding) };
                blocks.next = unsafe { block.add(bytes) };
                return block;
            }
            let spare = if layout.align() > REGION_ALIGN { layout.align() } else { 0 };
            if !self.refill(blocks, bytes.saturating_add(spare)) {
                return ptr::null_mut();
            }
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let blocks = unsafe { &mut *self.blocks.get() };
        let (class, bytes) = class(layout.size());
        if block.addr().wrapping_add(bytes) == blocks.next.addr() {
            blocks.next = block;
        } else if let Some(freed) = blocks.freed.get_mut(class) {
            // SAFETY: every block is aligned to a word and at least as large.
            unsafe { block.cast::<*mut u8>().write(*freed) };
            *freed = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let blocks = unsafe { &mut *self.blocks.get() };
        let ((_, old), (_, new)) = (class(layout.size()), class(size));
        if old == new {
            return block;
        }
        let newest = block.addr().wrapping_add(old) == blocks.next.addr();
        if newest && new <= blocks.end.addr().wrapping_sub(block.addr()) {
            // SAFETY: the grown or shrunk block ends inside the region.
            blocks.next = unsafe { block.add(new) };
            return block;
        }
        // SAFETY: the caller keeps the contract of `GlobalAlloc`; the blocks do not overlap.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// Returns what follows the module's data up to the end of its memory.
#[cfg(target_arch = "wasm32")]
fn rest() -> (*mut u8, *mut u8) {
    unsafe extern "C" {
        /// Placed by the linker where the module's data ends.
        static __heap_base: u8;
    }
    let begin = (&raw const __heap_base).addr().next_multiple_of(REGION_ALIGN);
    let end = core::arch::wasm32::memory_size::<0>().wrapping_mul(PAGE_BYTES);
    (ptr::without_provenance_mut(begin.min(end)), ptr::without_provenance_mut(end))
}

/// Outside a sandbox nothing follows.
#[cfg(not(target_arch = "wasm32"))]
fn rest() -> (*mut u8, *mut u8) {
    (ptr::null_mut(), ptr::null_mut())
}

/// Asks the host for pages and returns where they begin.
#[cfg(target_arch = "wasm32")]
fn grow(pages: usize) -> Option<*mut u8> {
    let before = core::arch::wasm32::memory_grow::<0>(pages);
    (before != usize::MAX).then(|| ptr::without_provenance_mut(before.wrapping_mul(PAGE_BYTES)))
}

/// Outside a sandbox there are no pages; only the static region can be tried there.
#[cfg(not(target_arch = "wasm32"))]
fn grow(_pages: usize) -> Option<*mut u8> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let arena = Arena::<4096>::ready();
        let mut taken: Vec<(usize, usize)> = Vec::new();
        for (size, align) in [(1, 1), (3, 1), (24, 8), (100, 4), (16, 16), (5, 1), (64, 32)] {
            let block = unsafe { arena.alloc(layout(size, align)) }.addr();
            assert!(block != 0 && block.is_multiple_of(align), "{size} aligned to {align}");
            assert!(taken.iter().all(|&(from, to)| block >= to || block + size <= from));
            taken.push((block, block + size));
        }
    }

    #[test]
    fn a_freed_block_is_used_again() {
        let arena = Arena::<4096>::ready();
        unsafe {
            let first = arena.alloc(layout(40, 8));
            let second = arena.alloc(layout(40, 8));
            arena.dealloc(first, layout(40, 8));
            assert_eq!(arena.alloc(layout(50, 8)), first);
            arena.dealloc(second, layout(40, 8));
            assert_eq!(arena.alloc(layout(8, 8)), second, "the newest block gives its place back");
        }
    }

    #[test]
    fn the_newest_block_grows_in_place_and_another_moves_with_its_content() {
        let arena = Arena::<4096>::ready();
        unsafe {
            let first = arena.alloc(layout(8, 1));
            first.write_bytes(7, 8);
            assert_eq!(arena.realloc(first, layout(8, 1), 100), first);
            let second = arena.alloc(layout(8, 1));
            let moved = arena.realloc(first, layout(100, 1), 200);
            assert!(moved != first && moved != second);
            assert_eq!(core::slice::from_raw_parts(moved, 8), [7; 8]);
        }
    }

    #[test]
    fn what_does_not_fit_is_not_handed_out() {
        let arena = Arena::<1024>::ready();
        unsafe {
            assert!(!arena.alloc(layout(1024, 8)).is_null());
            assert!(arena.alloc(layout(8, 8)).is_null());
        }
        assert!(unsafe { Arena::<1024>::configuring().alloc(layout(8, 8)) }.is_null());
    }

    #[test]
    fn a_sealed_arena_leaves_what_was_allocated_alone() {
        let arena = Arena::<1024>::ready();
        unsafe {
            let freed = arena.alloc(layout(8, 8));
            let kept = arena.alloc(layout(8, 8));
            arena.dealloc(freed, layout(8, 8));
            arena.seal();
            let _ = kept;
            assert!((*arena.blocks.get()).freed.iter().all(|block| block.is_null()));
        }
    }
}
