local catalog, geometry, raster, json = require "catalog", require "geometry", require "raster", require "json"

local LANDSAT = "LC08_L1GT_001113_%s_20200911_02_T2_X_LC08_L1GT_001113_%s_20200911_02_T2_G0120V02_P%03d"

local function names()
  return {
    LANDSAT:format("20190105", "20190121", 40), LANDSAT:format("20190110", "20190126", 90), LANDSAT:format("20190601", "20190617", 95),
    LANDSAT:format("20200105", "20200121", 10), LANDSAT:format("20191220", "20200120", 70),
  }
end

test("a search says what it will ask of either service", function()
  local options = {
    polygon = "-101.1555,-74.7387,-99.1172,-75.0879,-99.8797,-75.46,-102.425,-74.925,-101.1555,-74.7387",
    start = "1984-01-01", ["end"] = "2020-01-01", percent_valid_pixels = 30, min_separation = 6, max_separation = 120,
  }
  local asked = catalog.itslive(options):request()
  assert(asked.url == "https://stac.itslive.cloud/" and asked.collections[1] == "itslive-granules")
  assert(asked.datetime == "1984-01-01T00:00:00Z/2020-01-01T23:59:59Z")
  assert(asked.intersects.coordinates[1][1][1] == -101.1555 and #asked.intersects.coordinates[1] == 5)
  local conditions = {}
  for _, c in ipairs(asked.filter.args) do conditions[#conditions + 1] = c.args[1].property .. c.op .. c.args[2] end
  assert(table.concat(conditions, " ") == "percent_valid_pixels>=30.0 date_dt>=6.0 date_dt<=120.0")

  options.service, options.platform, options.version = "urls", { "Landsat 8", "S2A" }, 2
  asked = catalog.itslive(options):request()
  assert(asked.url == "https://nsidc.org/apps/itslive-search/velocities/urls/" and asked.polygon == options.polygon)
  assert(table.concat(asked.mission, " ") == "LC08 LO08 S2A" and asked.version == "2" and asked.min_interval == "6")
end)

test("areas are given in many ways", function()
  local box = { -102.5, -75.5, -99, -74.7 }
  local function asked(area)
    area.service = "urls"
    return catalog.itslive(area):request()
  end
  assert(asked({ bbox = box }).bbox == "-102.5,-75.5,-99,-74.7")
  local ring = { { 0, 60 }, { 10, 60 }, { 10, 70 } }
  local flat = asked({ polygon = { 0, 60, 10, 60, 10, 70 } }).polygon
  assert(flat == asked({ polygon = ring }).polygon and flat == asked({ intersects = geometry.polygon(ring) }).polygon)
  assert(#asked({ bbox = { 179, -80, -179, -79 } }).polygon == 2)
end)

test("wrong options are errors that say so", function()
  local box = { -102.5, -75.5, -99, -74.7 }
  for _, case in ipairs {
    { {}, "one of the options bbox, polygon and intersects" },
    { { bbox = box, polygon = "0,0,1,0,1,1" }, "one of the options" },
    { { bbox = { -75, -101, -74, -99 } }, "longitude comes first" },
    { { polygon = "0,0,1" }, "polygon must be a list of corners" },
    { { bbox = box, start = "2020-01-02", ["end"] = "2020-01-01" }, "end must be at or after start" },
    { { bbox = box, platform = "LC80" }, "did you mean `LC08`" },
    { { bbox = box, service = "ftp" }, "\"stac\" or \"urls\"" },
    { { bbox = box, url = "itslive" }, "a web address" },
    { { bbox = box, percent_valid_pixel = 3 }, "did you mean `percent_valid_pixels`" },
    { { bbox = box, percent_valid_pixels = 300 }, "0 to 100" },
    { { bbox = box, service = "urls", epsg = 3031 }, "cannot search by projection" },
  } do
    local ok, message = pcall(catalog.itslive, case[1])
    assert(not ok and message:find(case[2], 1, true), case[2] .. " in " .. tostring(message))
  end
end)

test("granules are filtered and counted by the dates of their names", function()
  local list = names()
  local counts = catalog.itslive_by_year(list)
  assert(#counts == 2 and counts[1].year == 2019 and counts[1].count == 3 and counts[2].count == 2)
  local function kept(options) return table.concat(catalog.itslive_filter(list, options), "\n") end
  assert(kept {} == table.concat(list, "\n"))
  assert(kept { months = { "January" } } == table.concat({ list[1], list[2], list[4], list[5] }, "\n"))
  assert(kept { months = { 1 }, most_per_year = 1 } == table.concat({ list[2], list[5] }, "\n"))
  assert(kept { months = { 1 }, most_per_year = 1, choose = "first" } == table.concat({ list[1], list[4] }, "\n"))
  assert(kept { years = { 2020 } } == table.concat({ list[4], list[5] }, "\n"))
  assert(kept { most_per_year = 2, choose = "spread" } == table.concat({ list[2], list[3], list[4], list[5] }, "\n"))
  local ok, message = pcall(catalog.itslive_filter, list, { months = { "Janember" } })
  assert(not ok and message:find("months[1] must be a month", 1, true), message)
  ok, message = pcall(catalog.itslive_filter, { list[1], "a.nc" })
  assert(not ok and message:find("urls[2]: `a`", 1, true), message)
end)

test("items are filtered as addresses are", function()
  local list, made = names(), {}
  for i, name in ipairs(list) do
    made[i] = { type = "Feature", stac_version = "1.0.0", id = name, links = json.array {}, assets = {}, geometry = json.null,
      properties = { datetime = json.null } }
  end
  local items = catalog.itslive_filter(catalog.items(made), { months = { 1 }, most_per_year = 1 })
  assert(table.concat(items:ids(), " ") == list[2] .. " " .. list[5])
  -- What the properties say goes before the name.
  made[1].properties = { datetime = "2018-07-01T00:00:00Z", percent_valid_pixels = 3 }
  assert(catalog.itslive_by_year(catalog.items(made))[1].year == 2018)
end)

test("the names of real granules tell what their files do", function()
  -- date_dt and roi_valid_percentage of img_pair_info, as the files hold them.
  local records = {
    ["LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc"] = { 14, 59 },
    ["LT05_L1GS_219121_19841206_20200918_02_T2_X_LT05_L1GS_226120_19850124_20200918_02_T2_G0120V02_P000.nc"] = { 49, 0 },
  }
  for name, record in pairs(records) do
    local path = shared("itslive/" .. name)
    local granule = catalog.itslive_granule(path)
    local grid = raster.open(path, { subdataset = "v" }).grid
    assert_close(granule.separation_days, record[1], 0.5)
    assert(granule.percent_valid_pixels == record[2] and granule.spacing_m == grid.resolution[1], name)
  end
end)

test("cubes are found by place and area", function()
  local cubes = catalog.itslive_cubes(shared "api/itslive_search/catalog_v02.json.gz")
  assert(#cubes == 3086 and #cubes:table() == 3086 and tostring(cubes) == "catalogue of 3086 data cubes")
  -- Jakobshavn, Pine Island, Columbia.
  local function at(lon, lat)
    local found = cubes:at(lon, lat)
    assert(#found == 1, #found)
    return found[1]
  end
  assert(at(-49.0, 69.15).zarr_url:find "N60W040/ITS_LIVE_vel_EPSG3413_G0120_X%-150000_Y%-2250000.zarr$")
  assert(at(-100.0, -75.1).epsg == 3031 and at(-147.0, 61.2).region == "Alaska")
  local found = cubes:intersecting(geometry.bbox(-102.5, -75.5, -99, -74.7))
  assert(#found >= 2 and found[1].share > 0 and found[1].share < 1)
  local ok, message = pcall(cubes.at, cubes, 0, 95)
  assert(not ok and message:find("latitude", 1, true), message)
  ok, message = pcall(catalog.itslive_cubes, 3)
  assert(not ok and message:find("a file or an address", 1, true), message)
end)
