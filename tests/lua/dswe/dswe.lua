local catalog, dswe = require "catalog", require "dswe"

test("a search for items without a time names the item, before any server is asked", function()
  local items = catalog.items { { type = "Feature", stac_version = "1.0.0", id = "ALPSRP1", links = {}, assets = {}, properties = {} } }
  assert_error(function() dswe.search(items) end, "dswe.search: the item ALPSRP1 has no time")
end)

test("names of other files are refused", function()
  assert_error(function() dswe.item_id "scene.tif" end, "dswe.item_id: .*is no file of DSWE")
  assert_error(function() dswe.screen({}, require("geometry").bbox(0, 0, 1, 1)) end, "there is no tile")
  assert_error(function() dswe.search(catalog.items {}, { clouds = 5 }) end, "unknown option `clouds`")
end)

test("tiles over a scene: the first valid one counts, in the scene's own CRS", function()
  local raster = require "raster"
  -- USGS's tiles are in Albers; the scene in UTM zone 15, about their common edge.
  local albers = "+proj=aea +lat_0=23 +lon_0=-96 +lat_1=29.5 +lat_2=45.5 +datum=WGS84"
  local function tile(name, x, rows)
    local grid = raster.grid { crs = albers, origin = { x, 1500000 }, resolution = 3000, rows = 40, cols = 40 }
    local codes = raster.constant(grid, rows[1])
    codes = raster.where(raster.coordinates(grid).y:lt(1440000), rows[2], codes)
    codes:cast("uint8"):write(name, { nodata = 255 })
    return name
  end
  local west = tile("west.tif", 180000, { 1, 255 })
  local east = tile("east.tif", 240000, { 0, 9 })
  local b = raster.open(west).grid:bounds_in "EPSG:32615"
  local scene = raster.grid { crs = 32615, bounds = { b[1] + 30000, b[2] + 15000, b[3] + 30000, b[4] - 15000 }, resolution = 1000 }
  local codes = dswe.on(scene, { west, east })
  local points = {}
  -- Inside the western tile; where both lie; inside the eastern one; below, where the first is fill.
  for i, at in ipairs { { 230000, 1470000 }, { 270000, 1470000 }, { 320000, 1470000 }, { 270000, 1420000 } } do
    points[i] = { at[1], at[2] }
  end
  local found = codes:sample(points, { crs = albers })
  assert(found[1].INWAM == 1 and found[2].INWAM == 1 and found[3].INWAM == 0 and found[4].INWAM == 9)
  local labels = dswe.labels(codes):sample(points, { crs = albers })
  assert(labels[1].labels == 1 and labels[3].labels == 0 and labels[4].labels == nil)
  assert_error(function() dswe.on(scene, {}) end, "dswe%.on: there is no tile")
end)
