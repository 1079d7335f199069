#[global_allocator]
static HEAP: perilune::bounds::heap::Heap = perilune::bounds::heap::Heap;

fn main() {
    keep_arrays_of_libraries();
    let_waiting_threads_sleep();
    // SAFETY: no other thread runs yet.
    unsafe { perilune::package::use_its_data() };
    perilune::host::cli::main()
}

/// Libraries allocate and free arrays all the time, as networks do in each step. glibc would give each back to the system and get it again as
/// fresh pages, which the system has to zero. Our own arrays lie elsewhere (`bounds::arrays`). A heap for each core is enough, where glibc would make eight:
/// each keeps what is free between what is not.
fn keep_arrays_of_libraries() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes plain numbers; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 128 << 20);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        libc::mallopt(libc::M_ARENA_MAX, i32::try_from(cores).unwrap_or(i32::MAX));
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
