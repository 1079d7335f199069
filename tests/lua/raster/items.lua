local raster, catalog, fs, geometry = require "raster", require "catalog", require "fs", require "geometry"

local grid = raster.grid { crs = 32632, origin = { 500000, 5000000 }, resolution = 10, rows = 40, cols = 60 }

-- An item as STAC writes it, whose files lie here.
local function item(id, datetime, assets, more)
  local made = {
    type = "Feature", stac_version = "1.0.0", id = id, collection = "tests", links = {}, bbox = { 9, 45.1, 9.01, 45.2 },
    geometry = { type = "Polygon", coordinates = { { { 9, 45.1 }, { 9.01, 45.1 }, { 9.01, 45.2 }, { 9, 45.2 }, { 9, 45.1 } } } },
    properties = { datetime = datetime, platform = "s1a", ["eo:cloud_cover"] = 12.5, ["sat:relative_orbit"] = 15 }, assets = assets,
  }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function data(href, more)
  local asset = { href = href, roles = { "data" } }
  for name, value in pairs(more or {}) do asset[name] = value end
  return asset
end

local function on(epsg, x, y, rows, cols, pixel)
  return raster.grid { crs = epsg, origin = { x, y }, resolution = pixel or 10, rows = rows, cols = cols }
end

test("every item is an image with its bands, its time and what is said of it", function()
  for i, name in ipairs { "a", "b" } do
    raster.constant(grid, i):write(name .. "_vv.tif")
    raster.constant(grid, 10 * i):write(name .. "_vh.tif")
  end
  local items = catalog.items {
    item("B", "2024-01-17T05:10:00Z", { vv = data "b_vv.tif", vh = data "b_vh.tif", look = { href = "b.png", roles = { "thumbnail" } } }),
    item("A", "2024-01-05T05:10:00Z", { vv = data "a_vv.tif", vh = data "a_vh.tif" }),
  }
  local stack = raster.stack(items)
  assert(#stack == 2 and stack[1].id == "A" and stack[1].time == "2024-01-05T05:10:00Z" and stack[2].platform == "s1a")
  assert(stack[1]:get "sat:relative_orbit" == 15 and stack[1]:get "eo:cloud_cover" == 12.5 and stack[1].collection == "tests")
  local bands = table.concat(stack[1].bands, " ")
  assert(bands == "vv vh" or bands == "vh vv")
  assert(stack[1].grid:matches(grid))
  local ordered = raster.stack(items, { assets = { "vh", "vv" } })
  assert(table.concat(ordered[2].bands, " ") == "vh vv" and ordered[2]:stats().vh.mean == 20 and ordered[2]:stats().vv.mean == 2)
  assert(table.concat(raster.stack(items, { assets = "vv" })[1].bands, " ") == "vv")
  assert(ordered:mean():stats().vh.mean == 15)
end)

test("the grid is that of most items and the finest asset, over all", function()
  local near = on(32632, 500300, 5000200, 40, 60)
  raster.constant(grid, 1):write "one.tif"
  raster.constant(near, 2):write "two.tif"
  raster.constant(on(32632, 500000, 5000000, 20, 30, 20), 3):write "coarse.tif"
  -- In the neighbouring zone.
  raster.constant(grid, 4):reproject({ crs = 32633 }):write "zone.tif"
  local items = catalog.items {
    item("one", "2024-01-01T00:00:00Z", { x = data "one.tif" }), item("two", "2024-01-02T00:00:00Z", { x = data "two.tif" }),
    item("coarse", "2024-01-03T00:00:00Z", { x = data "coarse.tif" }), item("zone", "2024-01-04T00:00:00Z", { x = data "zone.tif" }),
  }
  local stack = raster.stack(items)
  local g = stack[1].grid
  assert(g.crs == "EPSG:32632" and g.resolution[1] == 10)
  local t = g.transform
  -- The neighbour's corners in this zone reach a little beyond the pixels of the others.
  assert(t[1] <= 500000 and t[4] >= 5000200 and t[1] % 10 == 0 and t[4] % 10 == 0)
  for i = 2, 4 do assert(stack[i].grid:matches(g)) end
  assert(stack[1]:stats().x.count == 2400 and stack[2]:stats().x.count == 2400 and stack[3]:stats().x.count == 2400)
  assert(math.abs(stack[4]:stats().x.count - 2400) < 60 and stack[4]:stats().x.mean == 4)
  assert(stack:max():stats().x.max == 4)

  local part = raster.stack(items, { bounds = geometry.bbox(500105, 4999805, 500195, 4999895, "EPSG:32632"):to_crs "EPSG:4326" })
  assert(math.abs(part[1].rows - 10) <= 1 and math.abs(part[1].cols - 10) <= 1 and part[1].grid.transform[1] % 10 == 0)
  local degrees = raster.stack(items, { crs = 4326, resolution = 0.0001, resampling = "bilinear" })
  assert(degrees[1].crs == "EPSG:4326" and math.abs(degrees[1]:stats().x.mean - 1) < 1e-6)
  local coarse = raster.stack(items, { resolution = 40, resampling = "average" })
  assert(coarse[1].grid.resolution[1] == 40 and coarse[1].grid.transform[1] % 40 == 0)
  assert(raster.stack(items, { target = near })[1].grid:matches(near))
  local west = { 9.0001, 45.14, 9.001, 45.15 }
  assert(raster.stack(items, { bounds = west })[1].cols < 60)
  assert_error(function() raster.stack(items, { bounds = { 10, 45, 10.1, 45.1 } }) end, "bounds must be an area that images reach into")
  assert_error(function() raster.stack(items, { target = near, crs = 4326 }) end, "either target or bounds")
end)

test("nodata, scale, names and units come from the catalogue where files do not say them", function()
  local stored = raster.from_table(on(32632, 500000, 5000000, 1, 3), { { 0, 1000, 2000 } }, { name = "x" }):cast "uint16"
  stored:write "stored.tif"
  stored:add_bands((stored + 1):rename("y"):cast "uint16"):write "two_bands.tif"
  local said = { { nodata = 0, scale = 0.0001, offset = -0.1, unit = "1" } }
  local function values(asset, options, more)
    return raster.stack(catalog.items { item("s2", "2024-01-01T00:00:00Z", { red = asset }, more) }, options)[1]
  end
  local function pixels(image) return image:read():totable()[1] end
  for _, key in ipairs { "raster:bands", "bands" } do
    local image = values(data("stored.tif", { [key] = said }))
    local row = pixels(image)
    assert(row[1] ~= row[1] and image.units.red == "1", key)
    assert_close(row[2], 0, 1e-6) assert_close(row[3], 0.1, 1e-6)
  end
  local raw = pixels(values(data("stored.tif", { ["raster:bands"] = said }), { raw = true }))
  assert(raw[1] ~= raw[1] and raw[2] == 1000)
  -- An offset that is listed but taken off already.
  local properties = { datetime = "2024-01-01T00:00:00Z", ["earthsearch:boa_offset_applied"] = true }
  assert_close(pixels(values(data("stored.tif", { ["raster:bands"] = said }), nil, { properties = properties }))[3], 0.2, 1e-6)
  local named = values(data("two_bands.tif", { ["eo:bands"] = { { name = "B04" }, { name = "B08" } } }))
  assert(table.concat(named.bands, " ") == "B04 B08")
  assert(table.concat(values(data "two_bands.tif").bands, " ") == "red_1 red_2")
end)

test("tiles of a day become one image, and clouds give way", function()
  local function tile(name, x, value, cloudy)
    local g = on(32632, x, 5000000, 4, 4)
    raster.constant(g, value):write(name .. ".tif")
    local c = raster.coordinates(g).x
    raster.where(cloudy and c:lt(x + 20) or c:lt(0), 9, 4):cast("uint8"):write(name .. "_scl.tif")
    return { red = data(name .. ".tif"), SCL = { href = name .. "_scl.tif" } }
  end
  local items = catalog.items {
    item("west", "2024-06-01T10:00:00Z", tile("west", 500000, 1, true)), item("east", "2024-06-01T10:00:15Z", tile("east", 500020, 2)),
    item("later", "2024-06-03T10:00:00Z", tile("later", 500000, 3)),
  }
  local daily = raster.stack(items, { assets = "red", slices = "solar_day", mask = { asset = "SCL", values = { 3, 8, 9 } } })
  assert(#daily == 2 and daily[1].cols == 6 and daily[1].items == 2 and daily[1].platform == "s1a" and daily[1].properties.id == nil)
  local row = daily[1]:read():totable()[1]
  -- Two clouded columns of the western tile, two that both see, two of the eastern.
  assert(row[1] ~= row[1] and row[2] ~= row[2] and row[3] == 1 and row[4] == 1 and row[5] == 2 and row[6] == 2)
  local keep = raster.stack(items, { assets = "red", mask = { asset = "SCL", keep = 9 } })
  assert(#keep == 3 and keep[1]:stats().red.count == 8 and keep[2]:stats().red.count == 0)
  -- 9 is bits 0 and 3, 4 is bit 2.
  assert(raster.stack(items, { assets = "red", mask = { asset = "SCL", bits = 3 } })[1]:stats().red.count == 8)
  assert(#raster.stack(items, { assets = "red", slices = "time" }) == 3)
  assert_error(function() raster.stack(items, { assets = "red", mask = { asset = "SCL" } }) end, "values, keep or bits")
  -- The day is that of the place: 23:30 UTC at 150 degrees east is the next morning, with what follows half an hour later.
  local far = { bbox = { 150, 45, 151, 46 }, geometry = { type = "Polygon", coordinates = { { { 150, 45 }, { 151, 45 }, { 151, 46 }, { 150, 46 }, { 150, 45 } } } } }
  local night = catalog.items { item("a", "2024-06-01T23:30:00Z", { red = data "west.tif" }, far), item("b", "2024-06-02T00:00:00Z", { red = data "east.tif" }, far) }
  assert(#raster.stack(night, { slices = "solar_day" }) == 1)
end)

test("what cannot be read is named, or left out aloud", function()
  raster.constant(grid, 1):write "good.tif"
  fs.write("broken.tif", "no image")
  local items = catalog.items {
    item("good", "2024-01-01T00:00:00Z", { vv = data "good.tif" }), item("gone", "2024-01-02T00:00:00Z", { vv = data "gone.tif" }),
    item("broken", "2024-01-03T00:00:00Z", { vv = data "broken.tif" }), item("other", "2024-01-04T00:00:00Z", { hh = data "good.tif" }),
  }
  assert_error(function() raster.stack(items, { assets = "vv" }) end, "the item other: .*asset")
  assert_error(function() raster.stack(items:head(3)) end, "the item gone, asset vv: .*gone.tif.*%(and 1 more%); { missing = \"skip\" }")
  assert(#raster.stack(items, { assets = "vv", missing = "skip" }) == 1)
  assert_error(function() raster.stack(items:filter(function(i) return i.id == "gone" end), { missing = "skip" }) end, "none of 1 item can be read")
  assert_error(function() raster.stack(items, { assets = "vv", pattern = "{a}.tif" }) end, "are of files")
  for name, value in pairs { assets = "vv", resampling = "cubic", slices = "item", missing = "skip" } do
    assert_error(function() raster.stack({ "good.tif" }, { [name] = value }) end, name .. " is for the Items of a search")
  end
  assert_error(function() raster.stack(items, { assets = "hv" }) end, "the item good: .*asset.*%(and 3 more%); { missing = \"skip\" }")
  assert_error(function() raster.stack(items, { assets = "vv", mask = { asset = "vv", value = 3 } }) end, "did you mean.*values")
  assert(#raster.stack(items:filter(function() return false end)) == 0)
end)
