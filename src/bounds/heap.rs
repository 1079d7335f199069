//! The system's allocator, but for arrays of pixels, and for what happens when there is no memory.

use std::alloc::{GlobalAlloc, Layout, System};

#[cfg(target_os = "linux")]
use super::arrays;
use super::process::refused;

pub struct Heap;

fn given(memory: *mut u8) -> *mut u8 {
    if memory.is_null() {
        refused();
    }
    memory
}

// SAFETY: every call is passed on to the allocator that the layout belongs to, `arrays` or the system's, with the caller's own arguments; its answer is
// returned unchanged. Which one that is depends on the layout alone, so that memory goes back to where it came from.
#[cfg(target_os = "linux")]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        given(match arrays::takes(layout) {
            true => arrays::take(layout.size()),
            // SAFETY: as above.
            false => unsafe { System.alloc(layout) },
        })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        given(match arrays::takes(layout) {
            true => arrays::take_zeroed(layout.size()),
            // SAFETY: as above.
            false => unsafe { System.alloc_zeroed(layout) },
        })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size is valid for the alignment.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (arrays::takes(layout), arrays::takes(wanted)) {
            // SAFETY: as above.
            (false, false) => given(unsafe { System.realloc(memory, layout, size) }),
            // SAFETY: as above.
            (true, true) => given(unsafe { arrays::resize(memory, layout.size(), size) }),
            _ => {
                // SAFETY: the new memory is another, both hold what is copied, and the old one goes back by its own layout.
                unsafe {
                    let new = self.alloc(wanted);
                    if !new.is_null() {
                        new.copy_from_nonoverlapping(memory, layout.size().min(size));
                        self.dealloc(memory, layout);
                    }
                    new
                }
            }
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe {
            match arrays::takes(layout) {
                true => arrays::give_back(memory, layout.size()),
                false => System.dealloc(memory, layout),
            }
        }
    }
}

// SAFETY: as above.
#[cfg(not(target_os = "linux"))]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.realloc(memory, layout, size) })
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}
