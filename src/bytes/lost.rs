//! What a file would be whose disk takes no more: GDAL, which does not always survive failures while it closes a file, reads what it
//! believes to have written.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;

use super::buffered::read_at;

const PAGE: u64 = 4096;
/// 128 MiB; what is written beyond is zeros to its reader. Whoever writes stops long before, told by the first failure.
const MOST: usize = 32_768;

pub struct Lost {
    length: u64,
    /// Up to here the file on the disk counts.
    kept: u64,
    /// Pages that differ from it, by their number.
    pages: BTreeMap<u64, Box<[u8; PAGE as usize]>>,
}

impl Lost {
    pub fn new(file: &File) -> Lost {
        let length = file.metadata().map_or(0, |data| data.len());
        Lost {
            length,
            kept: length,
            pages: BTreeMap::new(),
        }
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn read(&self, file: &File, out: &mut [u8], position: u64) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(position)).unwrap_or(usize::MAX);
        let n = left.min(out.len());
        let mut done = 0;
        while done < n {
            let at = position + done as u64;
            let (page, offset) = (at / PAGE, (at % PAGE) as usize);
            let piece = (n - done).min(PAGE as usize - offset);
            let out = &mut out[done..done + piece];
            match self.pages.get(&page) {
                Some(bytes) => out.copy_from_slice(&bytes[offset..offset + piece]),
                None => self.read_kept(file, out, at)?,
            }
            done += piece;
        }
        Ok(n)
    }

    /// Bytes of the disk, and zeros where it has none that count.
    fn read_kept(&self, file: &File, out: &mut [u8], position: u64) -> io::Result<()> {
        let left = usize::try_from(self.kept.saturating_sub(position)).unwrap_or(usize::MAX);
        let (kept, zeros) = out.split_at_mut(left.min(out.len()));
        let found = read_at(file, kept, position)?;
        kept[found..].fill(0);
        zeros.fill(0);
        Ok(())
    }

    pub fn write(&mut self, file: &File, bytes: &[u8], position: u64) {
        let mut done = 0;
        while done < bytes.len() {
            let at = position + done as u64;
            let (page, offset) = (at / PAGE, (at % PAGE) as usize);
            let piece = (bytes.len() - done).min(PAGE as usize - offset);
            if !self.pages.contains_key(&page) && self.pages.len() < MOST {
                let mut new = Box::new([0; PAGE as usize]);
                // What cannot be read of a lost file is lost as well.
                let _ = self.read_kept(file, new.as_mut_slice(), page * PAGE);
                self.pages.insert(page, new);
            }
            if let Some(target) = self.pages.get_mut(&page) {
                target[offset..offset + piece].copy_from_slice(&bytes[done..done + piece]);
            }
            done += piece;
        }
        self.length = self.length.max(position.saturating_add(bytes.len() as u64));
    }

    pub fn truncate(&mut self, length: u64) {
        self.length = length;
        self.kept = self.kept.min(length);
        self.pages.retain(|page, _| page * PAGE < length);
        if let Some(page) = self.pages.get_mut(&(length / PAGE)) {
            page[(length % PAGE) as usize..].fill(0);
        }
    }
}
