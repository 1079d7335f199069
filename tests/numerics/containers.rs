//! HDF5 and netCDF files read by many threads at once: their C libraries share state, and each driver of GDAL has a lock of its own.

use perilune::raster::DType;
use perilune::raster::file::arrays;
use perilune::raster::file::hdf5::{self, Content, Hdf5Options};
use perilune::raster::file::netcdf::{self, Definition, Fill, Header, NetCdf, Variable};
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::file::write::{WriteOptions, write_all};
use perilune::work::Context;

use crate::common::*;

#[test]
fn both_are_read_by_many_threads_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, cols) = (150, 170);
    let grid = utm_grid(rows, cols);
    let values = noise(21, rows, cols);
    let names: Vec<String> = (0..3)
        .map(|i| folder.path().join(format!("{i}")).display().to_string())
        .collect();
    for name in &names {
        let options = Hdf5Options {
            chunk: (32, 32),
            deflate: Some(1),
            attributes: Vec::new(),
        };
        let contents = [
            ("/a/v".to_string(), Content::Image(image(&grid, values.clone()))),
            ("/n".to_string(), Content::Integers(vec![3, 4])),
        ];
        hdf5::write(format!("{name}.h5").as_ref(), &contents, &options).unwrap();
        let contents = NetCdf {
            variables: vec![Variable {
                what: Definition {
                    name: "v".into(),
                    dtype: DType::F32,
                    fill: Fill::Given(-9999.0),
                    packing: None,
                    attributes: Vec::new(),
                },
                images: vec![image(&grid, values.clone())],
                stored: 0,
            }],
            header: Header {
                times: None,
                records: Vec::new(),
                attributes: Default::default(),
                mapping: "mapping".into(),
            },
            chunk_rows: Some(32),
            chunks: None,
            level: 1,
        };
        netcdf::write(format!("{name}.nc").as_ref(), &contents).unwrap();
    }
    let expected = values.mapv(f64::from);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (names, expected, grid) = (&names, &expected, &grid);
            scope.spawn(move || {
                for round in 0..12 {
                    let name = &names[(thread + round) % names.len()];
                    let (path, subdataset) = match (thread + round) % 3 {
                        0 => (format!("{name}.h5"), Some("/a/v".to_string())),
                        1 => (format!("{name}.nc"), None),
                        _ => (format!("NETCDF:\"{name}.nc\":v"), None),
                    };
                    let image = open(
                        &path,
                        &OpenOptions {
                            subdataset,
                            ..Default::default()
                        },
                    )
                    .unwrap();
                    let got = computed(&image, grid.window(), (64, 64)).swap_remove(0);
                    assert_same(&got, expected, &path);
                    let read = arrays::read(&format!("{name}.h5"), &["/n".into()], &mut |_, _| Ok(()));
                    assert_eq!(
                        read.unwrap()[0].as_ref().unwrap().elements,
                        arrays::Elements::Integers(vec![3, 4])
                    );
                }
            });
        }
    });
}

/// The library of netCDF writes one file's tiles while its other files are read for them.
#[test]
fn netcdf_is_written_while_containers_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, cols) = (700, 900);
    let grid = utm_grid(rows, cols);
    let values = noise(22, rows, cols);
    let at = |name: &str| folder.path().join(name);
    let opened = |name: &str, subdataset: Option<&str>| {
        let options = OpenOptions {
            subdataset: subdataset.map(str::to_string),
            grid: Some(grid.clone()),
            ..Default::default()
        };
        open(&at(name).display().to_string(), &options).unwrap()
    };
    let _entered = Context::new().with_threads(8).enter();
    let options = Hdf5Options {
        chunk: (64, 64),
        deflate: Some(1),
        attributes: Vec::new(),
    };
    let contents = [("/v".to_string(), Content::Image(image(&grid, values.clone())))];
    hdf5::write(&at("in.h5"), &contents, &options).unwrap();
    let plain = WriteOptions::default();
    write_all(&[(image(&grid, values.clone()), at("in.nc"), plain.clone())]).unwrap();
    let (a, b) = (opened("in.h5", Some("/v")), opened("in.nc", None));
    write_all(&[
        (a.clone(), at("a.nc"), plain.clone()),
        (b.clone(), at("b.nc"), plain.clone()),
        (a, at("a.tif"), plain),
    ])
    .unwrap();
    let expected = values.mapv(f64::from);
    for name in ["a.nc", "b.nc", "a.tif"] {
        let got = computed(&opened(name, None), grid.window(), (256, 256)).swap_remove(0);
        assert_same(&got, &expected, name);
    }
}
