//! What of the processor may tell on the last bits of numbers.

/// The architecture, and those extensions of it that kernels choose by.
pub fn used() -> String {
    let mut out = std::env::consts::ARCH.to_string();
    #[cfg(target_arch = "x86_64")]
    {
        let found = [
            ("avx2", is_x86_feature_detected!("avx2")),
            ("fma", is_x86_feature_detected!("fma")),
            ("avx512f", is_x86_feature_detected!("avx512f")),
            ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
        ];
        for (name, _) in found.iter().filter(|(_, is_there)| *is_there) {
            out.push(' ');
            out.push_str(name);
        }
    }
    out
}
