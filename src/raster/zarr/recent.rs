//! What a thread has read last, for as long as it computes a tile: step follows step of the same chunks, and looking them up again each time
//! would take longer than reading them.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::array::{Block, load};
use super::cache::Chunk;
use crate::error::Result;
use crate::work::{self, budget};

/// Chunks of a block, row by row.
pub type Chunks = Arc<Vec<Arc<Chunk>>>;

#[derive(Default)]
struct Recent {
    /// Tiles that are computed, one inside the other.
    tiles: usize,
    blocks: VecDeque<(Block, Chunks)>,
    bytes: usize,
    most: usize,
}

thread_local! {
    static RECENT: RefCell<Recent> = RefCell::default();
}

/// For as long as this lives, this thread keeps what it reads.
pub struct Tile(());

impl Tile {
    #[must_use]
    pub fn begin() -> Tile {
        let most = budget::left() / (2 * work::threads());
        RECENT.with_borrow_mut(|recent| {
            recent.tiles += 1;
            recent.most = most;
        });
        Tile(())
    }
}

impl Drop for Tile {
    fn drop(&mut self) {
        let gone = RECENT.with_borrow_mut(|recent| {
            recent.tiles -= 1;
            if recent.tiles > 0 {
                return VecDeque::new();
            }
            recent.bytes = 0;
            std::mem::take(&mut recent.blocks)
        });
        drop(gone);
    }
}

/// The chunks of a block, loaded where they are not here.
///
/// # Errors
/// A chunk that cannot be fetched or decoded; `Interrupted`.
pub fn chunks_of(block: &Block) -> Result<Chunks> {
    let known = RECENT.with_borrow(|recent| {
        let found = recent.blocks.iter().find(|(of, _)| of.is_same(block));
        found.map(|(_, chunks)| chunks.clone())
    });
    if let Some(chunks) = known {
        return Ok(chunks);
    }
    let wanted: Vec<_> = block
        .numbers()
        .map(|number| (block.array.clone(), number))
        .collect();
    let chunks: Chunks = Arc::new(load(&wanted)?);
    RECENT.with_borrow_mut(|recent| {
        if recent.tiles == 0 {
            return;
        }
        recent.bytes += block.bytes();
        recent.blocks.push_front((block.clone(), chunks.clone()));
        while recent.bytes > recent.most && recent.blocks.len() > 1 {
            if let Some((gone, _)) = recent.blocks.pop_back() {
                recent.bytes -= gone.bytes();
            }
        }
    });
    Ok(chunks)
}
