//! Pictures one after the other in one file: APNG in all colours, GIF in 256 a picture. One picture is in memory at a time.

use std::io;
use std::path::Path;

use super::picture::Picture;
use crate::error::{Domain, Error, Result};
use crate::files;
use crate::work::provenance::{self, RECORD};

/// File name extensions of animations.
pub const ANIMATIONS: [&str; 3] = ["png", "apng", "gif"];

/// How an animation runs.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Of each picture.
    pub seconds: f64,
    /// How often it runs; 0 for ever.
    pub loops: u16,
}

impl Pace {
    /// GIF counts hundredths of a second in 16 bits.
    pub const SECONDS: Domain = Domain::within(0.02, 60.0);
    pub const LOOPS: Domain = Domain::within(0.0, 65_535.0);
}

/// Writes `count` pictures of one size, which `picture` makes one by one. The file appears under its name only when it is complete.
///
/// # Errors
/// Another extension; no pictures; pictures of different sizes, or too large for a GIF; those of `picture`; what writing fails with.
pub fn write(
    path: &Path,
    count: usize,
    pace: Pace,
    mut picture: impl FnMut(usize) -> Result<Picture>,
) -> Result<()> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let is_gif = match extension.to_ascii_lowercase().as_str() {
        "png" | "apng" => false,
        "gif" => true,
        _ => {
            return Err(Error::argument(
                "file name of an animation",
                ANIMATIONS.map(|f| format!("*.{f}")).join(", "),
                format!("`{}`", path.display()),
            ));
        }
    };
    let frames = u32::try_from(count).ok().filter(|count| *count > 0);
    let frames = frames.ok_or_else(|| Error::argument("number of pictures", "at least 1", count))?;
    let first = picture(0)?;
    let size = (first.width, first.height);
    let mut next = Some(first);
    // What making a picture fails with, in its own words.
    let mut failed = None;
    let mut colors = |index: usize| -> io::Result<Vec<u8>> {
        let made = match next.take() {
            Some(first) => Ok(first),
            None => picture(index),
        };
        let made = made.and_then(|made| match (made.width, made.height) == size {
            true => Ok(made),
            false => Err(Error::argument(
                "pictures of an animation",
                format!("all of one size ({} × {} pixels)", size.0, size.1),
                format!("{} × {} for number {}", made.width, made.height, index + 1),
            )),
        });
        match made {
            // Nothing is behind an animation: what is transparent is white.
            Ok(made) => Ok(on_white(&made)),
            Err(error) => {
                failed = Some(error);
                Err(io::Error::other("no picture"))
            }
        }
    };
    let record = provenance::record(path);
    let written = files::write_atomically(path, |out| match is_gif {
        true => gif(out, size, count, (pace, record.as_deref()), &mut colors),
        false => apng(out, size, frames, (pace, record.as_deref()), &mut colors),
    });
    match failed {
        Some(error) => Err(error),
        None => written,
    }
}

/// Red, green and blue of each pixel.
fn on_white(picture: &Picture) -> Vec<u8> {
    let mix = |level: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(level) * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    let pixels = picture.pixels.chunks_exact(4);
    pixels
        .flat_map(|p| [mix(p[0], p[3]), mix(p[1], p[3]), mix(p[2], p[3])])
        .collect()
}

fn apng(
    out: &mut (dyn io::Write + Send),
    size: (usize, usize),
    frames: u32,
    (pace, record): (Pace, Option<&str>),
    colors: &mut impl FnMut(usize) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let mut encoder = png::Encoder::new(out, size.0 as u32, size.1 as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Balanced);
    encoder.set_animated(frames, pace.loops.into())?;
    encoder.set_frame_delay((pace.seconds * 1000.0).round() as u16, 1000)?;
    if let Some(record) = record {
        encoder.add_text_chunk(RECORD.to_string(), record.to_string())?;
    }
    let mut writer = encoder.write_header()?;
    for index in 0..frames as usize {
        writer.write_image_data(&colors(index)?)?;
    }
    writer.finish()?;
    Ok(())
}

fn gif(
    out: &mut (dyn io::Write + Send),
    size: (usize, usize),
    count: usize,
    (pace, record): (Pace, Option<&str>),
    colors: &mut impl FnMut(usize) -> io::Result<Vec<u8>>,
) -> io::Result<()> {
    let side = |length: usize| {
        let wrong = || io::Error::other(format!("a GIF has at most 65 535 pixels a side, not {length}"));
        u16::try_from(length).map_err(|_| wrong())
    };
    let (width, height) = (side(size.0)?, side(size.1)?);
    let mut encoder = gif::Encoder::new(out, width, height, &[]).map_err(io::Error::other)?;
    let repeat = match pace.loops {
        0 => gif::Repeat::Infinite,
        // A GIF counts how often it runs again.
        loops => gif::Repeat::Finite(loops - 1),
    };
    encoder.set_repeat(repeat).map_err(io::Error::other)?;
    if let Some(record) = record {
        let text = format!("{RECORD}={record}");
        let blocks: Vec<&[u8]> = text.as_bytes().chunks(255).collect();
        encoder
            .write_raw_extension(gif::Extension::Comment.into(), &blocks)
            .map_err(io::Error::other)?;
    }
    for index in 0..count {
        // The colours that there are, where they are few enough; else 256 that are near.
        let mut frame = gif::Frame::from_rgb_speed(width, height, &colors(index)?, 10);
        frame.delay = (pace.seconds * 100.0).round() as u16;
        encoder.write_frame(&frame).map_err(io::Error::other)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solid(level: u8, width: usize) -> Picture {
        let mut picture = Picture::new(width, 3);
        for pixel in picture.pixels.chunks_exact_mut(4) {
            pixel.copy_from_slice(&[level, 255 - level, 7, 255]);
        }
        picture
    }

    const PACE: Pace = Pace {
        seconds: 0.25,
        loops: 3,
    };

    #[test]
    fn an_apng_has_its_pictures_and_its_pace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.apng");
        write(&path, 4, PACE, |i| Ok(solid(10 * i as u8, 5))).unwrap();
        let file = io::BufReader::new(std::fs::File::open(&path).unwrap());
        let mut reader = png::Decoder::new(file).read_info().unwrap();
        let control = reader.info().animation_control.unwrap();
        assert_eq!((control.num_frames, control.num_plays), (4, 3));
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        for i in 0..4 {
            reader.next_frame(&mut pixels).unwrap();
            let frame = reader.info().frame_control.unwrap();
            assert_eq!((frame.delay_num, frame.delay_den), (250, 1000));
            assert_eq!(pixels[..3], [10 * i, 255 - 10 * i, 7]);
        }
    }

    #[test]
    fn a_gif_has_its_pictures_and_its_pace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.gif");
        write(&path, 3, PACE, |i| Ok(solid(10 * i as u8, 5))).unwrap();
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(std::fs::File::open(&path).unwrap()).unwrap();
        let mut count = 0;
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            assert_eq!(frame.delay, 25);
            assert_eq!(frame.buffer[..4], [10 * count, 255 - 10 * count, 7, 255]);
            count += 1;
        }
        assert_eq!((count, decoder.repeat()), (3, gif::Repeat::Finite(2)));
    }

    #[test]
    fn what_cannot_be_is_said_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let of = |name: &str, count: usize| {
            write(&path(name), count, PACE, |i| Ok(solid(0, 5 + i)))
                .unwrap_err()
                .to_string()
        };
        assert!(of("a.mp4", 1).contains("must be *.png, *.apng, *.gif"));
        assert!(of("a.gif", 0).contains("at least 1"));
        assert!(of("a.png", 2).contains("all of one size (5 × 3 pixels), got 6 × 3 for number 2"));
        let broken = write(&path("b.gif"), 2, PACE, |i| match i {
            0 => Ok(solid(0, 5)),
            _ => Err(Error::message("the second is broken")),
        });
        assert_eq!(broken.unwrap_err().to_string(), "the second is broken");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
