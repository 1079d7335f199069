//! Real vector files: areas against other projections and another overlay, formats against each other.

use geo::BooleanOps;
use perilune::raster::{Affine, Bounds, Crs, Grid};
use perilune::table::Value;
use perilune::vector::{BurnOptions, Features, Geometry, ReadOptions, WriteOptions, rasterize};

use crate::common::shared;

#[test]
fn a_country_in_its_files() {
    let Some(path) = shared("natural_earth/usa.geojson") else {
        return;
    };
    let by_ogr = Features::read(&path, &ReadOptions::default()).unwrap();
    let by_text = Features::from_geojson(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(by_ogr.geometry(0), by_text.geometry(0));
    assert_eq!(by_ogr.property_names(), by_text.property_names());
    let usa = by_ogr.geometry(0).unwrap();
    assert_eq!((usa.parts().len(), usa.validity()), (10, None));
    let b = usa.bounds().unwrap();
    for (ours, noted) in [
        (b.min_x, -171.79),
        (b.min_y, 18.92),
        (b.max_x, -66.96),
        (b.max_y, 71.36),
    ] {
        assert!((ours - noted).abs() < 0.01, "{ours} {noted}");
    }
    // 9.5 million km² in the almanacs; the outline is 1:110 million.
    assert!((usa.area() / 9.5e12 - 1.0).abs() < 0.02, "{}", usa.area());
    // An equal-area projection must agree with the geodesic area.
    let albers = Crs::parse("EPSG:5070").unwrap();
    let contiguous = Geometry::bbox(
        Bounds {
            min_x: -125.0,
            min_y: 24.0,
            max_x: -66.0,
            max_y: 50.0,
        },
        usa.crs.clone(),
    )
    .unwrap();
    let lower = usa.intersection(&contiguous).unwrap();
    let planar = lower.to_crs(&albers, Some(0.1)).unwrap().area();
    assert!(
        (planar / lower.area() - 1.0).abs() < 2e-3,
        "{planar} {}",
        lower.area()
    );
    let folder = tempfile::tempdir().unwrap();
    for name in ["usa.gpkg", "usa.geojson", "usa.fgb"] {
        let out = folder.path().join(name);
        by_ogr.write(&out, &WriteOptions::default()).unwrap();
        let back = Features::read(&out, &ReadOptions::default()).unwrap();
        // Rings may come back the other way round, vertices not otherwise.
        let area = back.geometry(0).unwrap().area();
        assert!((area / usa.area() - 1.0).abs() < 1e-12, "{name}");
        assert!(usa.difference(&back.geometry(0).unwrap()).unwrap().is_empty());
        assert_eq!(
            back.features[0].properties.get("ADM0_A3"),
            Some(&Value::Text("USA".into()))
        );
    }
}

#[test]
fn sets_against_the_areas_of_their_parts() {
    // geo's own overlay, another algorithm, must give the same areas.
    let Some(path) = shared("natural_earth/ne_110m_admin_0_countries.geojson") else {
        return;
    };
    let features = Features::read(&path, &ReadOptions::default()).unwrap();
    let europe = features
        .having("CONTINENT", &Value::Text("Europe".into()))
        .unwrap();
    assert_eq!(europe.len(), 39);
    let union = europe.union().unwrap();
    let sum: f64 = europe.geometries().map(|g| g.area()).sum();
    assert!((union.area() / sum - 1.0).abs() < 1e-3, "{} {sum}", union.area());
    let polygons: Vec<geo::MultiPolygon> = europe
        .geometries()
        .filter_map(|g| match g.shape() {
            geo::Geometry::Polygon(p) => Some(p.clone().into()),
            geo::Geometry::MultiPolygon(m) => Some(m.clone()),
            _ => None,
        })
        .collect();
    let box_ = geo::Rect::new((0.0, 40.0), (20.0, 60.0)).to_polygon();
    for (polygon, ours) in polygons.iter().zip(europe.geometries()) {
        let theirs = geo::Area::unsigned_area(&polygon.intersection(&box_));
        let clip = Geometry::new(box_.clone(), None);
        let ours = Geometry::new(ours.shape().clone(), None)
            .intersection(&clip)
            .unwrap()
            .area();
        assert!((ours - theirs).abs() < 1e-4, "{ours} {theirs}");
    }
    let mexico = features.having("ADM0_A3", &Value::Text("MEX".into())).unwrap();
    let near = features.within(mexico.bounds().unwrap(), None).unwrap();
    let names: Vec<String> = near
        .features
        .iter()
        .map(|f| f.properties.get("ADM0_A3").unwrap().to_string())
        .collect();
    assert!(
        ["MEX", "USA", "GTM", "BLZ"]
            .iter()
            .all(|n| names.contains(&n.to_string())),
        "{names:?}"
    );
    assert!(names.len() < 10);
}

#[test]
fn odd_geometries_end_in_answers_or_errors() {
    let texts = [
        "POINT EMPTY",
        "POINT (1 1)",
        "LINESTRING EMPTY",
        "LINESTRING (1 1)",
        "LINESTRING (1 1, 1 1)",
        "POLYGON EMPTY",
        "POLYGON ((1 1))",
        "POLYGON ((1 1, 2 2))",
        "POLYGON ((1 1, 1 1, 1 1, 1 1))",
        "POLYGON ((0 0, 1 1, 2 2, 0 0))",
        "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))",
        "POLYGON ((0 0, 1 0, 1 1, 0 0), (5 5, 6 5, 6 6, 5 5))",
        "MULTIPOLYGON EMPTY",
        "MULTIPOLYGON (((0 0, 2 0, 2 2, 0 0)), ((0 0, 2 0, 2 2, 0 0)))",
        "MULTIPOINT (0 0, 0 0)",
        "GEOMETRYCOLLECTION EMPTY",
        "GEOMETRYCOLLECTION (POINT EMPTY, POLYGON EMPTY)",
        "GEOMETRYCOLLECTION (POINT (1 1), LINESTRING (0 0, 3 3), POLYGON ((0 0, 2 0, 2 2, 0 0)))",
        "POLYGON ((0 0, 1e300 0, 1e300 1e300, 0 0))",
        "POLYGON ((0 0, 1e-300 0, 1e-300 1e-300, 0 0))",
    ];
    let grid = Grid::new(None, Affine::north_up(0.0, 10.0, 1.0, 1.0), 10, 10).unwrap();
    let wgs84 = Crs::wgs84().unwrap();
    let utm = Crs::parse("EPSG:32632").unwrap();
    for text in texts {
        for crs in [None, Some(&wgs84), Some(&utm)] {
            let plain = Geometry::from_wkt(text).unwrap();
            let a = match crs {
                Some(crs) => plain.with_crs(crs.clone()),
                None => plain,
            };
            assert!(
                a.area() >= 0.0 && a.length() >= 0.0 || text.contains("1e300"),
                "{text}"
            );
            let _ = (
                a.bounds(),
                a.centroid(),
                a.interior_point(),
                a.validity(),
                a.parts(),
                a.to_string(),
            );
            let _ = (
                a.convex_hull(),
                // Squares of distances overflow, which a debug assertion of the geo crate forbids.
                (!text.contains("e300") && !text.contains("e-300")).then(|| a.simplify(0.1)),
                a.make_valid(),
                a.buffer(1.0, 4),
                a.buffer(-1.0, 4),
            );
            let _ = (
                a.to_geojson(&Default::default()),
                a.to_crs(&wgs84, Some(1e299)),
                a.to_crs(&utm, None),
            );
            assert_eq!(
                Geometry::from_wkt(&a.to_wkt()).unwrap().shape(),
                a.shape(),
                "{text}"
            );
            for other in texts {
                let b = Geometry::from_wkt(other).unwrap();
                let _ = (a.intersects(&b), a.contains(&b), a.distance(&b));
                let _ = (
                    a.intersection(&b),
                    a.union(&b),
                    a.difference(&b),
                    a.symmetric_difference(&b),
                );
            }
            let one = Features::from_geometry(a);
            for all_touched in [false, true] {
                let options = BurnOptions {
                    all_touched,
                    ..Default::default()
                };
                if let Ok(burnt) = rasterize(&one, &grid, grid.window(), &options) {
                    assert_eq!(burnt.dim(), (10, 10));
                }
            }
        }
    }
}
