//! Which of 64 candidate pixels lie under the kernel, as the bits of a word, and the k-th of them.

/// A column of a block, or a half width plus one.
pub(super) trait Coordinate: Copy + Default {
    fn from_usize(value: usize) -> Self;
    fn abs_diff(self, other: Self) -> Self;
    fn below(self, other: Self) -> bool;
}

macro_rules! coordinate {
    ($type:ty) => {
        impl Coordinate for $type {
            #[inline(always)]
            fn from_usize(value: usize) -> Self {
                value as $type
            }
            #[inline(always)]
            fn abs_diff(self, other: Self) -> Self {
                self.abs_diff(other)
            }
            #[inline(always)]
            fn below(self, other: Self) -> bool {
                self < other
            }
        }
    };
}
coordinate!(u8);
coordinate!(u16);

/// How a machine does both.
pub(super) trait Machine<X: Coordinate> {
    /// Bit i is set where |columns[i] − centre| < reach[i].
    fn members(columns: &[X; 64], reach: &[X; 64], centre: X) -> u64;

    /// The position of the set bit that has `k` set bits below it; `word` has more than `k` set bits.
    fn select(word: u64, k: u32) -> u32;
}

/// Any machine.
pub(super) struct Portable;

impl<X: Coordinate> Machine<X> for Portable {
    #[inline(always)]
    fn members(columns: &[X; 64], reach: &[X; 64], centre: X) -> u64 {
        let mut inside = [0u8; 64];
        for i in 0..64 {
            inside[i] = columns[i].abs_diff(centre).below(reach[i]) as u8;
        }
        let mut word = 0;
        for (i, eight) in inside.as_chunks::<8>().0.iter().enumerate() {
            // The product brings bit 0 of byte i to bit 56 + i.
            let byte = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            word |= byte << (8 * i);
        }
        word
    }

    #[inline(always)]
    fn select(mut word: u64, k: u32) -> u32 {
        for _ in 0..k {
            word &= word - 1;
        }
        word.trailing_zeros()
    }
}

/// x86-64 with AVX2 and BMI2; its functions are called only where `available` has been checked.
#[cfg(target_arch = "x86_64")]
pub(super) struct Avx2;

#[cfg(target_arch = "x86_64")]
impl Avx2 {
    pub fn available() -> bool {
        is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("lzcnt")
    }
}

#[cfg(target_arch = "x86_64")]
impl Machine<u8> for Avx2 {
    #[inline(always)]
    fn members(columns: &[u8; 64], reach: &[u8; 64], centre: u8) -> u64 {
        use std::arch::x86_64::*;
        // SAFETY: AVX2 is there (see the type); the loads are unaligned and within the 64 bytes.
        unsafe {
            let centre = _mm256_set1_epi8(centre as i8);
            let half = |start: usize| {
                let columns = _mm256_loadu_si256(columns.as_ptr().add(start).cast());
                let reach = _mm256_loadu_si256(reach.as_ptr().add(start).cast());
                let distance = _mm256_or_si256(
                    _mm256_subs_epu8(columns, centre),
                    _mm256_subs_epu8(centre, columns),
                );
                // reach − distance, stopped at 0: 0 is outside.
                let left = _mm256_subs_epu8(reach, distance);
                let outside = _mm256_cmpeq_epi8(left, _mm256_setzero_si256());
                !(_mm256_movemask_epi8(outside) as u32)
            };
            u64::from(half(0)) | u64::from(half(32)) << 32
        }
    }

    #[inline(always)]
    fn select(word: u64, k: u32) -> u32 {
        // SAFETY: BMI2 is there (see the type).
        unsafe { std::arch::x86_64::_pdep_u64(1 << k, word) }.trailing_zeros()
    }
}

#[cfg(target_arch = "x86_64")]
impl Machine<u16> for Avx2 {
    #[inline(always)]
    fn members(columns: &[u16; 64], reach: &[u16; 64], centre: u16) -> u64 {
        Portable::members(columns, reach, centre)
    }

    #[inline(always)]
    fn select(word: u64, k: u32) -> u32 {
        <Avx2 as Machine<u8>>::select(word, k)
    }
}
