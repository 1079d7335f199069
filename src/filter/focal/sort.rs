//! Pixels of a block as items that sort by value: key of the value (32 bits), row (16), column (16).

/// An unsigned key in the order of the finite values.
#[inline(always)]
fn key(value: f32) -> u32 {
    let bits = value.to_bits();
    bits ^ (((bits as i32 >> 31) as u32) | 0x8000_0000)
}

#[inline(always)]
pub(super) fn item(value: f32, y: usize, x: usize) -> u64 {
    u64::from(key(value)) << 32 | (y << 16 | x) as u64
}

/// The value of an item.
#[inline(always)]
pub(super) fn value(item: u64) -> f32 {
    let key = (item >> 32) as u32;
    f32::from_bits(key ^ (!(key as i32 >> 31) as u32 | 0x8000_0000))
}

/// (row, column) of an item.
#[inline(always)]
pub(super) fn place(item: u64) -> (usize, usize) {
    ((item >> 16) as usize & 0xffff, item as usize & 0xffff)
}

/// Sorts by the key; equal keys stay in their order, which is that of the pixels.
#[inline(always)]
pub(super) fn sort(items: &mut Vec<u64>, swap: &mut Vec<u64>) {
    const MAX_DIGIT_BITS: u32 = 11;
    if items.len() < 256 {
        items.sort_unstable();
        return;
    }
    let (lowest, highest) = items
        .iter()
        .fold((u64::MAX, 0), |(low, high), &i| (low.min(i), high.max(i)));
    let lowest = lowest >> 32 << 32;
    let bits = 32 - ((highest - lowest) >> 32).leading_zeros().saturating_sub(32);
    let passes = bits.div_ceil(MAX_DIGIT_BITS);
    if passes == 0 {
        return;
    }
    // Digits as small as the values' range allows, and all of one size: a digit that takes few values is slow
    // to count, because each count waits for the one before.
    let digit_bits = bits.div_ceil(passes);
    let mask = (1 << digit_bits) - 1;
    let mut starts = [[0u32; 1 << MAX_DIGIT_BITS]; 3];
    for &item in items.iter() {
        let key = (item - lowest) >> 32;
        for (pass, starts) in starts.iter_mut().enumerate() {
            starts[(key >> (pass as u32 * digit_bits)) as usize & mask] += 1;
        }
    }
    swap.resize(items.len(), 0);
    for (pass, starts) in starts.iter_mut().enumerate().take(passes as usize) {
        let shift = 32 + pass as u32 * digit_bits;
        let mut start = 0;
        for place in &mut starts[..=mask] {
            (start, *place) = (start + *place, start);
        }
        let sorted = &mut swap[..];
        for &item in items.iter() {
            let place = &mut starts[((item - lowest) >> shift) as usize & mask];
            sorted[*place as usize] = item;
            *place += 1;
        }
        std::mem::swap(items, swap);
    }
}
