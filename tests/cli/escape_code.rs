//! Ways that GDAL's drivers give to run native code, to read memory, and to reach services: none is left.

use super::{folder, run};

/// A shared object that leaves a mark where it is loaded.
fn library(here: &std::path::Path) -> std::path::PathBuf {
    let (source, made, mark) = (here.join("evil.c"), here.join("evil.so"), here.join("loaded"));
    let code = format!(
        "#include <fcntl.h>\n__attribute__((constructor)) static void mark(void) {{ open(\"{}\", O_CREAT | O_WRONLY, 0600); }}\n",
        mark.display()
    );
    std::fs::write(&source, code).unwrap();
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&made, &source])
        .status()
        .unwrap();
    assert!(compiled.success());
    made
}

#[test]
fn no_driver_reaches_further_than_files() {
    let here = folder(&[]);
    let evil = library(here.path());
    let evil = evil.display();
    let names = [
        format!("ODBC:DRIVER={evil};"),
        format!("odbc:DRIVER={evil};"),
        format!("PGeo:DRIVER={evil};"),
        format!("MSSQL:driver={evil};server=127.0.0.1;database=x"),
        format!("GPSBABEL:{evil}:x"),
        "MEM:::DATAPOINTER=0x10,PIXELS=8,LINES=8".to_string(),
        "MEM:::DATAPOINTER=1,PIXELS=8,LINES=8,DATATYPE=Byte".to_string(),
        "PG:host=127.0.0.1 port=1".to_string(),
        "MYSQL:x,host=127.0.0.1,port=1".to_string(),
        "WMS:http://127.0.0.1:1/?".to_string(),
        "WCS:http://127.0.0.1:1/?".to_string(),
        "WMTS:http://127.0.0.1:1/x.xml".to_string(),
        "WFS:http://127.0.0.1:1/".to_string(),
        "OAPIF:http://127.0.0.1:1/".to_string(),
        "CSW:http://127.0.0.1:1/".to_string(),
        "ES:http://127.0.0.1:1".to_string(),
        "EEDA:x".to_string(),
        "EEDAI:x:y".to_string(),
        "OGCAPI:http://127.0.0.1:1/".to_string(),
        "STACTA:\"x.json\"".to_string(),
        "PLMosaic:api_key=x".to_string(),
        "DERIVED_SUBDATASET:AMPLITUDE:x.tif".to_string(),
        "Carto:x".to_string(),
        "AmigoCloud:x".to_string(),
        "NGW:http://127.0.0.1:1/resource/1".to_string(),
        "GMLAS:x.xml".to_string(),
    ];
    let files = [
        (
            "wms.xml",
            "<GDAL_WMS><Service name=\"TMS\"><ServerUrl>http://127.0.0.1:1/${z}</ServerUrl></Service><DataWindow><UpperLeftX>-10\
             </UpperLeftX><UpperLeftY>10</UpperLeftY><LowerRightX>10</LowerRightX><LowerRightY>-10</LowerRightY><TileLevel>1</TileLevel>\
             <TileCountX>1</TileCountX><TileCountY>1</TileCountY></DataWindow><Projection>EPSG:4326</Projection><BandsCount>1</BandsCount>\
             </GDAL_WMS>",
        ),
        (
            "tiles.mrf",
            "<MRF_META><Raster><Size x=\"8\" y=\"8\" c=\"1\"/><DataFile>evil.c</DataFile></Raster></MRF_META>",
        ),
        (
            "columns.vrt",
            "<OGRVRTDataSource><OGRVRTLayer name=\"evil\"><SrcDataSource>CSV:evil.c</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>",
        ),
        (
            "sparse.xml",
            "<VSISparseFile><Length>9</Length><SubfileRegion><Filename>evil.c</Filename><DestinationOffset>0</DestinationOffset>\
             <SourceOffset>0</SourceOffset><RegionLength>9</RegionLength></SubfileRegion></VSISparseFile>",
        ),
    ];
    let mut attempts: Vec<(String, String)> = Vec::new();
    for (i, name) in names.iter().enumerate() {
        for reader in [
            "raster.open(name):stats()",
            "geometry.read(name)",
            "raster.subdatasets(name)",
        ] {
            attempts.push((name.clone(), reader.to_string()));
        }
        // The same inside a virtual raster, whose driver opens what it names.
        let inside = format!("inside{i}.vrt");
        let text = format!(
            "<VRTDataset rasterXSize=\"8\" rasterYSize=\"8\"><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource>\
             <SourceFilename shared=\"0\">{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>",
            name.replace('"', "&quot;")
        );
        std::fs::write(here.path().join(&inside), text).unwrap();
        attempts.push((inside, "raster.open(name):stats()".to_string()));
    }
    for (name, text) in files {
        std::fs::write(here.path().join(name), text).unwrap();
        for reader in ["raster.open(name):stats()", "geometry.read(name)"] {
            attempts.push((name.to_string(), reader.to_string()));
        }
    }
    for name in [
        "/vsisparse/sparse.xml",
        "/vsistdin/",
        "/vsistdin?buffer_limit=9",
        "/vsihdfs/x",
    ] {
        attempts.push((name.to_string(), "raster.open(name)".to_string()));
        attempts.push((name.to_string(), "geometry.read(name)".to_string()));
    }
    for name in [
        "evil.c",
        "./evil.c",
        "http://127.0.0.1:1/x.prj",
        "/vsicurl/http://127.0.0.1:1/x.prj",
    ] {
        let reader = "raster.grid{ crs = name, bounds = { 0, 0, 1, 1 }, resolution = 1 }";
        attempts.push((name.to_string(), reader.to_string()));
    }
    assert!(attempts.len() >= 120, "{}", attempts.len());
    let tries: String = attempts
        .iter()
        .map(|(name, reader)| {
            format!(
                "do local name = [==[{name}]==]\nlocal ok, said = pcall(function() local r = {reader} return r end)\n\
                 print(ok and 'WORKED' or 'refused', name, [==[{reader}]==], said) end\n"
            )
        })
        .collect();
    std::fs::write(
        here.path().join("try.lua"),
        format!("local raster, geometry = require 'raster', require 'geometry'\n{tries}"),
    )
    .unwrap();
    let done = run(here.path(), &["run", "try.lua"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(!done.out.contains("WORKED"), "{}", done.out);
    assert_eq!(
        done.out.matches("refused\t").count(),
        attempts.len(),
        "{}",
        done.out
    );
    assert!(!here.path().join("loaded").exists(), "native code was run");
    let direct = run(here.path(), &["-e", "raster.open('ODBC:DRIVER=x.so;')"]);
    assert!(
        direct
            .err
            .contains("the driver ODBC, which perilune does not use"),
        "{}",
        direct.err
    );
}
