//! Shards: files of many chunks, with an index of where each lies.
//!
//! # Source
//! Zarr's sharding codec, version 1.0, <https://zarr-specs.readthedocs.io>

use std::sync::{Arc, PoisonError};

use super::array::{Array, Index, Job};
use crate::bytes::objects::{Part, Piece};
use crate::error::{Error, Result};

/// Chunks of a shard that are not further apart are fetched as one, up to this size.
const NEAR: u64 = 64 << 10;
const LONGEST: u64 = 4 << 20;

/// Of what is fetched at once: the place of a chunk among those wanted, its first byte there and its length.
type Member = (usize, usize, usize);

impl Array {
    /// Of a chunk the shard that it lies in, and its number there; none of an array without shards.
    pub(super) fn shard_of(&self, number: u64) -> Option<(u64, usize)> {
        let shards = self.metadata.shards.as_ref()?;
        let place = self.place(number);
        let (mut shard, mut inside) = (0u64, 0);
        for (axis, place) in place.iter().enumerate() {
            let chunks = shards.shape[axis] / self.metadata.chunk[axis];
            let count = self.metadata.shape[axis].div_ceil(shards.shape[axis]);
            shard = shard * count as u64 + (place / chunks) as u64;
            inside = inside * chunks + place % chunks;
        }
        Some((shard, inside))
    }

    pub(super) fn shard_key(&self, shard: u64) -> String {
        let Some(shards) = &self.metadata.shards else {
            return String::new();
        };
        let counts = self
            .metadata
            .shape
            .iter()
            .zip(&shards.shape)
            .map(|(size, shard)| size.div_ceil(*shard));
        let counts: Vec<usize> = counts.collect();
        let mut left = shard;
        let mut place = vec![0; counts.len()];
        for (axis, count) in counts.iter().enumerate().rev() {
            place[axis] = (left % *count as u64) as usize;
            left /= *count as u64;
        }
        self.key_of(&place)
    }

    fn in_shard(&self) -> usize {
        let shards = self.metadata.shards.as_ref();
        shards.map_or(1, |shards| {
            shards
                .shape
                .iter()
                .zip(&self.metadata.chunk)
                .map(|(shard, chunk)| shard / chunk)
                .product()
        })
    }

    /// Where a shard's chunks lie, if that is known.
    pub(super) fn index(&self, shard: u64) -> Option<Index> {
        self.indices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&shard)
            .cloned()
    }

    pub(super) fn index_piece(&self, shard: u64) -> Option<Piece> {
        let shards = self.metadata.shards.as_ref()?;
        let sums = shards.index.bytes.len() * 4;
        let length = (self.in_shard() * 16 + sums) as u64;
        Some(Piece {
            key: self.shard_key(shard),
            part: match shards.index_at_end {
                true => Part::Tail(length),
                false => Part::From { start: 0, length },
            },
            largest: self.in_shard().saturating_mul(self.largest()),
        })
    }

    pub(super) fn keep_index(&self, shard: u64, bytes: Option<Vec<u8>>) -> Result<()> {
        let count = self.in_shard();
        let index = match (bytes, &self.metadata.shards) {
            (Some(bytes), Some(shards)) => {
                let plain = shards.index.decode(bytes, &[count, 2], 8, 8).map_err(|reason| {
                    Error::message(format!(
                        "{}: its list of chunks cannot be read: {reason}",
                        self.objects.called(&self.shard_key(shard))
                    ))
                })?;
                let (pairs, _) = plain.as_chunks::<16>();
                let word = |pair: &[u8; 16], at: usize| {
                    pair[at..at + 8].try_into().map_or(u64::MAX, u64::from_le_bytes)
                };
                Some(pairs.iter().map(|pair| (word(pair, 0), word(pair, 8))).collect())
            }
            _ => None,
        };
        self.indices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(shard, Arc::new(index));
        Ok(())
    }

    /// The pieces of a shard in which these chunks lie, near ones as one. Those that are not there are kept as such at once.
    pub(super) fn jobs_in_shard(
        &self,
        shard: u64,
        index: &[(u64, u64)],
        members: &[(usize, usize)],
        keep: &dyn Fn(usize, Option<Vec<u8>>),
    ) -> Result<Vec<Job>> {
        let mut places = Vec::new();
        for &(i, inside) in members {
            match index.get(inside) {
                Some(&(start, length)) if (start, length) != (u64::MAX, u64::MAX) => {
                    if length > self.largest() as u64 || start.checked_add(length).is_none() {
                        return Err(Error::message(format!(
                            "{}: its list of chunks is damaged: one of {length} bytes from {start} on",
                            self.objects.called(&self.shard_key(shard))
                        )));
                    }
                    places.push((start, length, i));
                }
                _ => keep(i, None),
            }
        }
        places.sort_unstable();
        let mut jobs: Vec<(u64, u64, Vec<Member>)> = Vec::new();
        for (start, length, i) in places {
            match jobs.last_mut() {
                Some((first, end, parts)) if start <= *end + NEAR && start + length - *first <= LONGEST => {
                    parts.push((i, (start - *first) as usize, length as usize));
                    *end = (*end).max(start + length);
                }
                _ => jobs.push((start, start + length, vec![(i, 0, length as usize)])),
            }
        }
        let job = |(start, end, parts): (u64, u64, Vec<(usize, usize, usize)>)| Job {
            piece: Piece {
                key: self.shard_key(shard),
                part: Part::From {
                    start,
                    length: end - start,
                },
                largest: self.in_shard().saturating_mul(self.largest()),
            },
            parts,
        };
        Ok(jobs.into_iter().map(job).collect())
    }
}
