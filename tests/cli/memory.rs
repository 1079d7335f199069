//! The ceiling of memory, as README promises it: the most that a process holds is what the program itself takes and the ceiling,
//! whatever the size of the images.

use super::bounds::watched;
use super::{finish, folder, perilune, run};

/// Far less than the image takes: 4500 × 4500 pixels of four bytes are 77 MiB, and the stack is 24 times 7 MiB.
const CEILING_MIB: i64 = 40;
const PROGRAM_MIB: i64 = 80;
/// Of which it takes so much when it starts, most of it its own code. A build for development has more code: some at the start, more with each thing that
/// it does.
const AT_START_MIB: i64 = 42;
const MORE_CODE_MIB: i64 = if cfg!(debug_assertions) { 16 } else { 0 };
/// A figure is drawn on a canvas.
const PROGRAM_WITH_BUFFERS_MIB: i64 = 160;

/// What README and the guides say of scenes larger than memory, a line each.
const PROMISES: &[(&str, &str)] = &[
    ("write", "raster.random(image.grid, { seed = 2 }):write 'out.tif'"),
    ("cog", "image:write('out.tif', { format = 'COG' })"),
    ("netcdf", "raster.write_netcdf('out.nc', { { image = image } })"),
    ("netcdf by tiles", "image:write 'out.nc'"),
    (
        "netcdf of many bands",
        "local grid = raster.grid { rows = 1500, cols = 1500 } local bands = {} \
         for i = 1, 16 do bands[i] = raster.random(grid, { seed = i }):rename('b' .. i) end raster.bands(bands):write 'out.nc'",
    ),
    ("arithmetic", "((image - 1) / (image + 1)):write 'out.tif'"),
    ("mask", "image:mask(image:gt(0.5)):write 'out.tif'"),
    ("speckle", "filter.boxcar(image, { size = 7 }):write 'out.tif'"),
    (
        "reproject",
        "image:reproject { crs = 'EPSG:4326', resolution = 0.0002 }:write 'out.tif'",
    ),
    ("statistics", "image:stats() image:percentile { 5, 50, 95 }"),
    ("picture", "plot.map(image):write 'out.png'"),
    (
        "areas",
        "image:zonal(geometry.features { { geometry = geometry.bbox(15.05, 46.6, 15.5, 46.9), properties = {} } })",
    ),
    (
        "dates",
        "local dates = {} for i = 1, 12 do dates[i] = raster.random(image.grid, { seed = i }) end raster.stack(dates):median():write 'out.tif'",
    ),
    (
        "kept scenes",
        "local grid = raster.grid { crs = 'EPSG:32633', origin = { 0, 0 }, resolution = 10, rows = 1350, cols = 1350 } local scenes = {} \
         for i = 1, 24 do scenes[i] = filter.tv_bregman(raster.random(grid, { seed = i }), { weight = 5, max_iterations = 2 }) end \
         raster.stack(scenes):mean():write 'out.tif'",
    ),
    // The blocks of all dates at one place take 96 MiB, the tiles of a usual size as much for each thread.
    (
        "long series",
        "local dates = {} for i = 1, 96 do dates[i] = raster.open(('date%d.tif'):format(i)) end raster.stack(dates):median():write 'out.tif'",
    ),
    (
        "offsets",
        "correlation.autorift(image, image:shift { cols = 2, rows = -1 }, { spacing = 64, search = 8 }):write 'out.tif'",
    ),
    // 86 MiB of pixels in zones that overlap.
    (
        "exact percentiles of many zones",
        "local zones = {} for i = 0, 999 do local x, y = 500000 + i * 41, 5200000 - i * 37 \
         zones[i + 1] = { geometry = geometry.bbox(x, y - 1500, x + 1500, y, 'EPSG:32633'), properties = {} } end \
         image:zonal(geometry.features(zones), { statistics = { 'mean', 'median', 'p90' } })",
    ),
    ("items", ITEMS),
    // One polygon of half a million holes: as WKB alone more than the ceiling.
    (
        "a polygon that spans the image",
        "assert(image:gt(0.025):write_polygons('out.parquet', { minimum_pixels = 1000 }) == 1)",
    ),
];

/// 3,000 items of some 60 kB each as values of their types.
const ITEMS: &str = "
local all = catalog.items {}
for page = 1, 30 do
  local list = {}
  for i = 1, 100 do
    local assets, properties = {}, { datetime = '2020-01-01T00:00:00Z' }
    for a = 1, 12 do
      assets['band' .. a] = { href = ('https://archive.example/%d/%d/%d.tif'):format(page, i, a), roles = { 'data' }, title = 'Band ' .. a,
        ['file:size'] = 1000000 + i, ['raster:bands'] = { { scale = 0.0000275, offset = -0.2, data_type = 'uint16', nodata = 0 } } }
    end
    for n = 1, 20 do properties['landsat:number_' .. n] = i * 0.37 + n end
    list[i] = { type = 'Feature', stac_version = '1.0.0', id = ('%d_%d'):format(page, i), collection = 'c',
      geometry = { type = 'Point', coordinates = { 1, 2 } }, bbox = { 1, 2, 1, 2 }, links = {}, properties = properties, assets = assets }
  end
  all = all:append(catalog.items(list))
end
assert(#all == 3000 and all[2999]:property 'landsat:number_3' == 99 * 0.37 + 3)
assert(#all:filter { ['landsat:number_1'] = 1.37 } == 30)
all:save 'items.json'
";

#[test]
fn the_ceiling_holds_for_every_promise() {
    let here = folder(&[]);
    let make = "raster.random(raster.grid { crs = 'EPSG:32633', origin = { 500000, 5200000 }, resolution = 10, rows = 4500, cols = 4500 }, \
                { unit = 'power', seed = 1 }):write 'in.tif' \
                for i = 1, 96 do raster.random(raster.grid { rows = 512, cols = 1024 }, { seed = i }):write(('date%d.tif'):format(i), { level = 1 }) end";
    let made = run(here.path(), &["-q", "-e", make]);
    assert_eq!(made.code, 0, "{}", made.err);
    let mut command = perilune(here.path());
    command.args(["-q", "-e", ""]);
    let more_code = (watched(command, &here.path().join("err")).held_kib >> 10) - AT_START_MIB;
    assert!(more_code <= MORE_CODE_MIB, "{more_code} MiB more at the start");
    let mut wrong = Vec::new();
    for (name, code) in PROMISES {
        let mut command = perilune(here.path());
        command.args([
            "-q",
            "--threads",
            "2",
            "--memory",
            &format!("{CEILING_MIB}M"),
            "-e",
        ]);
        command.arg(format!("local image = raster.open 'in.tif'; {code}"));
        let ended = watched(command, &here.path().join("err"));
        let program = match *name {
            "picture" => PROGRAM_WITH_BUFFERS_MIB,
            _ => PROGRAM_MIB + MORE_CODE_MIB,
        };
        let held = ended.held_kib >> 10;
        println!("{name}: {held} MiB");
        if !ended.status.success() || held > program + CEILING_MIB {
            wrong.push(format!("{name}: {held} MiB, {}, {}", ended.status, ended.err));
        }
    }
    assert!(
        wrong.is_empty(),
        "more than {PROGRAM_MIB} + {CEILING_MIB} MiB:\n{}",
        wrong.join("\n")
    );
}

/// GDAL goes through a picture row by row: a row of blocks that its cache cannot hold is read in parts, which must show the same pixels.
#[test]
fn a_picture_does_not_depend_on_the_cache() {
    let here = folder(&[]);
    let make = "local grid = raster.grid { crs = 'EPSG:32633', origin = { 500000, 5200000 }, resolution = 10, rows = 4300, cols = 4700 } \
                raster.random(grid, { unit = 'power', seed = 1 }):write 'in.tif'";
    let made = run(here.path(), &["-q", "-e", make]);
    assert_eq!(made.code, 0, "{}", made.err);
    let picture = |name: &str, memory: &str, cache: &str| {
        let mut command = perilune(here.path());
        command
            .args(["-q", "--memory", memory, "-e"])
            .env("GDAL_CACHEMAX", cache);
        command.arg(format!("plot.map(raster.open 'in.tif'):write '{name}.png'"));
        let done = finish(command);
        assert_eq!(done.code, 0, "{}", done.err);
        std::fs::read(here.path().join(name).with_extension("png")).unwrap()
    };
    // A row of blocks takes 9 MiB.
    let whole = picture("whole", "2G", "400");
    assert!(
        whole == picture("cache", "2G", "5"),
        "in parts of a row of blocks"
    );
    assert!(whole == picture("memory", "64M", "400"), "in strips");
}
