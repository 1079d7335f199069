use std::fs;
use std::path::{Path, PathBuf};

use super::codec::{Codec, Codecs, crc32c};
use crate::raster::Raster;
use crate::raster::file::cube::slices;
use crate::raster::file::open::OpenOptions;
use crate::raster::reduce::{Reducer, reduce};
use crate::raster::resample::Resampling;
use crate::raster::sample::sample_all;
use crate::work::{Context, current};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zarr")
}

fn stack(zarr: &Path, variable: &str) -> crate::error::Result<Vec<Raster>> {
    slices(
        &zarr.to_string_lossy(),
        &OpenOptions::default(),
        &[variable.to_string()],
    )
}

/// RFC 3720, appendix B.4.
#[test]
fn the_checksum_is_that_of_the_rfc() {
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
}

#[test]
fn what_is_encoded_is_decoded() {
    let elements: Vec<u8> = (0..2 * 3 * 5 * 2).map(|i| (i * i % 251) as u8).collect();
    let codecs = Codecs {
        bytes: vec![Codec::Zstd(3), Codec::Crc32c],
        ..Codecs::default()
    };
    let coded = codecs.encode(elements.clone()).unwrap();
    assert_eq!(codecs.decode(coded.clone(), &[2, 3, 5], 2, 2).unwrap(), elements);
    let mut damaged = coded.clone();
    damaged[3] ^= 1;
    assert!(
        codecs
            .decode(damaged, &[2, 3, 5], 2, 2)
            .unwrap_err()
            .contains("checksum")
    );
    assert!(codecs.decode(coded, &[2, 3, 4], 2, 2).is_err());
}

/// The steps of a cube share its chunks: whatever is made of all of them, each is decoded once.
#[test]
fn each_chunk_is_decoded_once_for_all_steps() {
    for threads in [1, 4] {
        let context = Context::new().with_memory(1 << 30).with_threads(threads);
        let _entered = context.enter();
        let decoded = || current().decoded().total();
        let images = stack(&fixtures().join("codecs.zarr"), "zlib").unwrap();
        let before = decoded();
        let mean = reduce(&images, &[Reducer::Mean, Reducer::Max]).unwrap();
        let all = mean.read(mean.grid.window()).unwrap();
        // 6 × 7 × 10 in chunks of 4 × 3 × 4.
        assert_eq!(decoded() - before, 2 * 3 * 3);
        // And kept for the next run.
        let again = mean.read(mean.grid.window()).unwrap();
        assert_eq!(decoded() - before, 18);
        let numbers = |pixels: &crate::raster::Pixels| pixels.clone().into_f64().mapv(f64::to_bits);
        assert!(all.iter().zip(&again).all(|(a, b)| numbers(a) == numbers(b)));
        // A point touches its chunks alone.
        let images = stack(&fixtures().join("codecs.zarr"), "blosc_zstd").unwrap();
        let before = decoded();
        let place = images[0].grid.pixel_centre(5, 9);
        let found = sample_all(&images, |_| std::slice::from_ref(&place), Resampling::Nearest).unwrap();
        assert_eq!((decoded() - before, found.len()), (2, 6));
    }
}

fn copied(from: &Path, to: &Path) -> Vec<PathBuf> {
    fs::create_dir_all(to).unwrap();
    let mut files = Vec::new();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            files.extend(copied(&entry.path(), &target));
        } else {
            fs::copy(entry.path(), &target).unwrap();
            files.push(target);
        }
    }
    files.sort();
    files
}

/// Whatever bytes are changed or missing, there are values or an error.
#[test]
fn damaged_files_are_errors_or_values() {
    let context = Context::new().with_memory(64 << 20).with_threads(2);
    let _entered = context.enter();
    let folder = tempfile::tempdir().unwrap();
    let mut errors = 0;
    let mut random = 88_172_645_463_325_252_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random as usize
    };
    for (zarr, variables) in [
        (
            "codecs.zarr",
            ["blosc_zlib", "blosc_lz4", "blosc_blosclz", "lz4", "filtered"].as_slice(),
        ),
        ("sharded.zarr", &["zstd", "blosc", "summed", "turned", "at_start"]),
        ("xarray.zarr", &["v"]),
    ] {
        let path = folder.path().join(zarr);
        let files = copied(&fixtures().join(zarr), &path);
        for round in 0..120 {
            let file = &files[next() % files.len()];
            let sound = fs::read(file).unwrap();
            let mut bytes = sound.clone();
            if round % 3 == 0 {
                bytes.truncate(next() % (sound.len() + 1));
            } else if !bytes.is_empty() {
                for _ in 0..1 + next() % 4 {
                    let at = next() % bytes.len();
                    bytes[at] = next() as u8;
                }
            }
            fs::write(file, bytes).unwrap();
            for variable in variables {
                let read = stack(&path, variable).and_then(|images| {
                    images
                        .iter()
                        .try_for_each(|image| image.read(image.grid.window()).map(drop))
                });
                errors += usize::from(read.is_err());
            }
            fs::write(file, sound).unwrap();
        }
    }
    assert!(errors > 50, "{errors}");
}
