#[global_allocator]
static HEAP: perilune::bounds::process::Heap = perilune::bounds::process::Heap;

fn main() {
    keep_tiles_in_the_heap();
    let_waiting_threads_sleep();
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

/// The threads of libtorch's OpenMP spin while they wait, unless the environment says otherwise when it is opened: two to five times the CPU
/// time of a training step where the machine has other work.
fn let_waiting_threads_sleep() {
    const POLICY: &str = "OMP_WAIT_POLICY";
    if std::env::var_os(POLICY).is_none() {
        // SAFETY: no other thread runs yet that could read the environment.
        unsafe { std::env::set_var(POLICY, "PASSIVE") };
    }
}
