//! Files that claim more than they hold, or hold more than a machine.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;

const MOST: u32 = i32::MAX as u32;

/// Every file of the attempts, in `here`.
pub fn make(here: &Path) {
    let put = |name: &str, bytes: &[u8]| std::fs::write(here.join(name), bytes).unwrap();
    virtual_rasters(&put);
    tiffs(&put);
    pictures(&put);
    arrays(&put);
    shapes(&put);
    documents(&put);
    archives(here, &put);
    tables(here, &put);
    // Nothing of these is on the disk.
    for (name, start) in [
        ("sparse.txt", ""),
        ("sparse.json", "["),
        ("sparse.parquet", "PAR1"),
    ] {
        put(name, start.as_bytes());
        let file = File::options().append(true).open(here.join(name)).unwrap();
        file.set_len(1 << 36).unwrap();
    }
    let made = Command::new("mkfifo").arg(here.join("pipe")).status().unwrap();
    assert!(made.success());
}

/// The HDF5 files; false where nothing is there to write them.
pub fn containers(here: &Path) -> bool {
    super::cslc::reference("bounds.py", &[here.to_str().unwrap()]).is_some()
}

fn virtual_rasters(put: &dyn Fn(&str, &[u8])) {
    let raster = |rows: u32, cols: u32, inside: &str| {
        format!("<VRTDataset rasterXSize=\"{cols}\" rasterYSize=\"{rows}\">{inside}</VRTDataset>")
            .into_bytes()
    };
    let band = "<VRTRasterBand dataType=\"Float32\" band=\"1\"/>";
    put(
        "huge.vrt",
        &raster(
            MOST,
            MOST,
            &format!("<SRS>EPSG:3857</SRS><GeoTransform>0,1,0,0,0,-1</GeoTransform>{band}"),
        ),
    );
    put(
        "block.vrt",
        &raster(
            MOST,
            MOST,
            &format!(
                "<VRTRasterBand dataType=\"Float64\" band=\"1\" blockXSize=\"{MOST}\" blockYSize=\"{MOST}\"/>"
            ),
        ),
    );
    put(
        "turned.vrt",
        &raster(
            4,
            4,
            &format!("<GeoTransform>nan,inf,0,1e308,0,-1e308</GeoTransform>{band}"),
        ),
    );
    put(
        "numbers.vrt",
        &raster(
            4,
            4,
            "<VRTRasterBand dataType=\"Byte\" band=\"1\"><NoDataValue>1e999</NoDataValue><Scale>nan</Scale><Offset>inf</Offset></VRTRasterBand>",
        ),
    );
    let kernel = "<VRTRasterBand dataType=\"Float32\" band=\"1\"><KernelFilteredSource><SourceFilename relativeToVRT=\"1\">huge.vrt</SourceFilename>\
                  <SourceBand>1</SourceBand><Kernel><Size>2147483647</Size><Coefs>1 1 1</Coefs></Kernel></KernelFilteredSource></VRTRasterBand>";
    put("kernel.vrt", &raster(4, 4, kernel));
    let itself = "<VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource><SourceFilename relativeToVRT=\"1\">itself.vrt</SourceFilename>\
                  <SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>";
    put("itself.vrt", &raster(4, 4, itself));
    put("deep.vrt", "<a>".repeat(200_000).as_bytes());
}

/// A TIFF of 8 bits a sample with these tags beside the usual ones: (tag, count, value).
fn tiff(samples: u16, compression: u32, tags: &[(u16, u32, u32)]) -> Vec<u8> {
    let mut entries = vec![
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (277, 3, 1, u32::from(samples)),
    ];
    entries.extend(tags.iter().map(|&(tag, count, value)| (tag, 4u16, count, value)));
    entries.sort_unstable();
    let mut bytes = b"II*\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(u16::to_le_bytes(tag));
        bytes.extend(u16::to_le_bytes(kind));
        bytes.extend(u32::to_le_bytes(count));
        bytes.extend(u32::to_le_bytes(value));
    }
    bytes.extend([0; 4]);
    bytes
}

fn tiffs(put: &dyn Fn(&str, &[u8])) {
    let size = |side: u32| [(256, 1, side), (257, 1, side)];
    let strips = |side: u32, rows: u32, count: u32| {
        [
            &size(side)[..],
            &[(278, 1, rows), (273, count, 8), (279, count, 8)],
        ]
        .concat()
    };
    let tiles = |side: u32, tile: u32, count: u32| {
        [
            &size(side)[..],
            &[(322, 1, tile), (323, 1, tile), (324, count, 8), (325, count, 8)],
        ]
        .concat()
    };
    put("strips.tif", &tiff(1, 1, &strips(MOST, 1, MOST)));
    put("strip.tif", &tiff(1, 1, &strips(MOST, MOST, 1)));
    put(
        "narrow.tif",
        &tiff(
            1,
            1,
            &[&[(256, 1, 4), (257, 1, MOST)][..], &strips(4, 1, MOST)[2..]].concat(),
        ),
    );
    put("samples.tif", &tiff(1000, 1, &strips(MOST, 1, 1)));
    put("tiles.tif", &tiff(1, 1, &tiles(MOST, 256, MOST)));
    put("tile.tif", &tiff(1, 1, &tiles(MOST, 1 << 30, 1)));
    put("packed.tif", &tiff(1, 8, &tiles(40_000, 40_000, 1)));
}

fn pictures(put: &dyn Fn(&str, &[u8])) {
    let png = |side: u32| {
        let chunk = |kind: &[u8], data: &[u8]| {
            let body = [kind, data].concat();
            let mut crc = flate2::Crc::new();
            crc.update(&body);
            [
                &(data.len() as u32).to_be_bytes()[..],
                &body,
                &crc.sum().to_be_bytes(),
            ]
            .concat()
        };
        let mut header = [side.to_be_bytes(), side.to_be_bytes()].concat();
        header.extend([8, 6, 0, 0, 0]);
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            chunk(b"IHDR", &header),
            chunk(b"IDAT", &deflated(&[0; 10])),
            chunk(b"IEND", &[]),
        ]
        .concat()
    };
    put("huge.png", &png(MOST));
    put("wide.png", &png(1_000_000));
    // A progressive JPEG, of which all coefficients are held at once.
    let mut jpeg = b"\xff\xd8\xff\xdb\x00\x43\0".to_vec();
    jpeg.extend([1; 64]);
    jpeg.extend(b"\xff\xc2\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\0\x02\x11\0\x03\x11\0");
    jpeg.extend(b"\xff\xc4\x00\x1f\x00\0\x01\x05\x01\x01\x01\x01\x01\x01\0\0\0\0\0\0\0");
    jpeg.extend(0..12);
    jpeg.extend(b"\xff\xda\x00\x0c\x03\x01\0\x02\0\x03\0\0\x3f\0");
    jpeg.extend([0; 50]);
    put("huge.jpg", &jpeg);
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// ENVI and classic netCDF: a header, and what it says.
fn arrays(put: &dyn Fn(&str, &[u8])) {
    let header = format!(
        "ENVI\nsamples = {MOST}\nlines = {MOST}\nbands = 60000\nheader offset = 0\nfile type = ENVI Standard\ndata type = 9\n\
         interleave = bip\nbyte order = 0\n"
    );
    put("huge.hdr", header.as_bytes());
    put("huge.img", &[0; 16]);
    let netcdf = |version: u8, dimensions: &[u32]| {
        let mut bytes = vec![b'C', b'D', b'F', version, 0, 0, 0, 0];
        let mut words = |list: &[u32]| bytes.extend(list.iter().flat_map(|w| w.to_be_bytes()));
        words(&[10, dimensions.len() as u32]);
        for (i, size) in dimensions.iter().enumerate() {
            words(&[1, u32::from_be_bytes([b'x' + i as u8, 0, 0, 0]), *size]);
        }
        // No attributes; one variable, of bytes, over all dimensions.
        words(&[
            0,
            0,
            11,
            1,
            1,
            u32::from_be_bytes([b'v', 0, 0, 0]),
            dimensions.len() as u32,
        ]);
        words(&(0..dimensions.len() as u32).collect::<Vec<_>>());
        words(&[0, 0, 1, u32::MAX, 0, 300]);
        bytes.extend([0; 400]);
        bytes
    };
    put("huge.nc", &netcdf(2, &[MOST, MOST]));
    put("negative.nc", &netcdf(2, &[u32::MAX, u32::MAX - 1]));
    let mut dimensions = b"CDF\x01\0\0\0\0\0\0\0\x0a".to_vec();
    dimensions.extend(MOST.to_be_bytes());
    dimensions.extend([0; 64]);
    put("dimensions.nc", &dimensions);
    put(
        "name.nc",
        b"CDF\x01\0\0\0\0\0\0\0\x0a\0\0\0\x01\x7f\xff\xff\xf0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    );
}

/// A Shapefile whose one polygon has two thousand million parts, and whose table has as many rows.
fn shapes(put: &dyn Fn(&str, &[u8])) {
    let head = |length: u32| {
        let mut bytes: Vec<u8> = [9994, 0, 0, 0, 0, 0, length]
            .iter()
            .flat_map(|w: &u32| w.to_be_bytes())
            .collect();
        bytes.extend([1000u32, 5].iter().flat_map(|w| w.to_le_bytes()));
        bytes.extend(
            [0f64, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
                .iter()
                .flat_map(|v| v.to_le_bytes()),
        );
        bytes
    };
    let mut shp = head(MOST);
    shp.extend([1u32, MOST / 2].iter().flat_map(|w| w.to_be_bytes()));
    shp.extend(5u32.to_le_bytes());
    shp.extend([0f64, 0.0, 1.0, 1.0].iter().flat_map(|v| v.to_le_bytes()));
    shp.extend([MOST, MOST].iter().flat_map(|w| w.to_le_bytes()));
    put("claim.shp", &shp);
    let mut shx = head(54);
    shx.extend([50u32, MOST / 2].iter().flat_map(|w| w.to_be_bytes()));
    put("claim.shx", &shx);
    let mut dbf = vec![3, 0, 0, 0];
    dbf.extend(MOST.to_le_bytes());
    dbf.extend([65, 0, 0xff, 0xff]);
    dbf.extend([0; 20]);
    dbf.extend(b"NAME\0\0\0\0\0\0\0C\0\0\0\0\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r");
    put("claim.dbf", &dbf);
}

fn documents(put: &dyn Fn(&str, &[u8])) {
    put("deep.json", "[".repeat(1_000_000).as_bytes());
    put(
        "deep.geojson",
        "{\"type\":\"GeometryCollection\",\"geometries\":["
            .repeat(100_000)
            .as_bytes(),
    );
    let item = |geometry: &str, rest: &str| {
        format!(
            "{{\"type\":\"Feature\",\"stac_version\":\"1.0.0\",\"id\":\"a\",\"geometry\":{geometry},\"links\":[],\
             \"assets\":{{\"a\":{{\"href\":\"x\",\"file:size\":1e300}}}},\"properties\":{{\"datetime\":\"2020-01-01T00:00:00Z\",\
             \"eo:cloud_cover\":1e308,\"n\":18446744073709551616}}{rest}}}"
        )
    };
    let ring = "[[[-1e21,-1e21],[1e21,-1e21],[1e21,1e21],[-1e21,1e21],[-1e21,-1e21]]]";
    let polygon = format!("{{\"type\":\"Polygon\",\"coordinates\":{ring}}}");
    put(
        "far.json",
        item(&polygon, ",\"bbox\":[-1e308,-1e308,1e308,1e308]").as_bytes(),
    );
    put("short.json", item(&polygon, ",\"bbox\":[1]").as_bytes());
    put(
        "empty.json",
        item("{\"type\":\"Polygon\",\"coordinates\":[[[0]]]}", "").as_bytes(),
    );
    put(
        "claim.parquet",
        &[b"PAR1", &[0; 100][..], &[0xff; 4], b"PAR1"].concat(),
    );
    let thrift = b"\x15\x04\x19\xfc\xff\xff\xff\xff\x0f";
    let rest = [0; 51];
    put(
        "list.parquet",
        &[b"PAR1", &thrift[..], &rest, &60u32.to_le_bytes(), b"PAR1"].concat(),
    );
}

fn archives(here: &Path, put: &dyn Fn(&str, &[u8])) {
    let zeros = vec![b' '; 1 << 20];
    let file = File::create(here.join("bomb.json.gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(b"{\"type\":\"FeatureCollection\",\"features\":[")
        .unwrap();
    for _ in 0..1000 {
        gzip.write_all(&zeros).unwrap();
    }
    gzip.finish().unwrap();
    let mut zip = zip::ZipWriter::new(File::create(here.join("bomb.zip")).unwrap());
    zip.start_file("blanks", zip::write::SimpleFileOptions::default())
        .unwrap();
    for _ in 0..1500 {
        zip.write_all(&zeros).unwrap();
    }
    zip.finish().unwrap();
    // Only the end of a directory of 65535 members, and of one of 2^62.
    let end = b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff\xfe\xff\xff\xff\0\0\0\0\0\0";
    put("claim.zip", end);
    let mut large = b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0".to_vec();
    large.extend(
        [1u64 << 62, 1 << 62, 1 << 62, 0]
            .iter()
            .flat_map(|w| w.to_le_bytes()),
    );
    large.extend(b"PK\x06\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0");
    large.extend(b"PK\x05\x06\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    put("claim64.zip", &large);
}

fn tables(here: &Path, put: &dyn Fn(&str, &[u8])) {
    let mut rows = BufWriter::new(File::create(here.join("rows.csv")).unwrap());
    rows.write_all(b"a,b,c\n").unwrap();
    for i in 0..8_000_000 {
        writeln!(rows, "{i},{}.5,x{}", i % 1000, i % 10).unwrap();
    }
    rows.into_inner().unwrap();
    let quoted = ["a,b\n\"".to_string(), "x".repeat(200 << 20)].concat();
    put("quoted.csv", quoted.as_bytes());
    let wide = |cell: &str| vec![cell; 200_000].join(",");
    put("wide.csv", format!("{}\n{}\n", wide("c"), wide("1")).as_bytes());
    File::create(here.join("zeros.csv"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
}
