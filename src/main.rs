#[global_allocator]
static HEAP: perilune::bounds::process::Heap = perilune::bounds::process::Heap;

fn main() {
    keep_tiles_in_the_heap();
    perilune::host::cli::main()
}

/// The engine allocates and frees arrays of a tile's size, about a MiB, all the time. glibc would give each back to the
/// system and get it again as fresh pages, which the system has to zero: a quarter of the CPU time of
/// (a − b)/(a + b) over large images. What stays in the heap is at most what a tile needed at its peak.
fn keep_tiles_in_the_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes plain numbers; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 << 20);
    }
}
