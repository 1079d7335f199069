local fs = require "fs"
local geometry = require "geometry"
local raster = require "raster"

local UTM = "EPSG:32632"
local NONE = 0 / 0

local function image(rows, crs, resolution)
  local grid = raster.grid({
    crs = crs or UTM, origin = { 9, 48 }, resolution = resolution or 1, rows = #rows, cols = #rows[1],
  })
  return raster.from_table(grid, rows)
end

local function wkt(features)
  local all = {}
  for i = 1, #features do
    all[i] = ("%s %d %s"):format(features[i].class, features[i].pixels, features[i].geometry:to_wkt())
  end
  return all
end

test("a hole, a neighbour, and masked pixels", function()
  -- rasterio.features.shapes of the same array (rasterio 1.4, GDAL 3.9) has these rings.
  local found = image({ { 1, 1, 1, 2 }, { 1, 0, 1, 2 }, { 1, 1, 1, NONE } }):polygonize()
  assert(#found == 3 and found.crs == UTM)
  local all = wkt(found)
  assert(all[1] == "1 8 POLYGON ((9 48, 9 45, 12 45, 12 48, 9 48), (10 47, 11 47, 11 46, 10 46, 10 47))", all[1])
  assert(all[2] == "2 2 POLYGON ((12 48, 12 46, 13 46, 13 48, 12 48))", all[2])
  assert(all[3] == "0 1 POLYGON ((10 47, 10 46, 11 46, 11 47, 10 47))", all[3])
  assert(found[1].area_m2 == 8 and table.concat(found.names, " ") == "class pixels area_m2")
end)

test("4 and 8 neighbours", function()
  local cross = image({ { 1, 2 }, { 2, 1 } })
  local by_edges = cross:polygonize({ connectivity = 4 })
  assert(#by_edges == 4)
  local by_corners = cross:polygonize({ connectivity = 8 })
  assert(#by_corners == 2 and by_corners[1].pixels == 2 and by_corners[2].pixels == 2)
  for i = 1, 2 do
    local g = by_corners[i].geometry
    assert(g.type == "MultiPolygon" and not g:validity() and g:area() == 2, g:to_wkt())
  end
end)

test("a hole that touches the outside in a corner is a ring of its own", function()
  local found = image({ { 2, 1, 1 }, { 1, 3, 1 }, { 1, 1, 1 } }):polygonize({ classes = { 1 } })
  local pinched = image({ { 3, 1, 1 }, { 1, 3, 1 }, { 1, 1, 1 } }):polygonize({ classes = { ring = 1 } })
  for _, f in ipairs({ found[1], pinched[1] }) do
    assert(not f.geometry:validity() and f.geometry:area() == 7, f.geometry:to_wkt())
  end
  assert(#found == 1 and #pinched == 1 and pinched[1].class_name == "ring")
end)

test("classes, least sizes and means", function()
  local classes = image({ { 1, 1, 2 }, { 1, 1, 2 }, { 3, 2, 2 } }, UTM, 10)
  local values = image({ { 1, 2, 9 }, { 3, NONE, 9 }, { NONE, 9, 9 } }, UTM, 10):rename("probability")
  local found = classes:polygonize({ mean = values })
  assert(#found == 3)
  assert(found[1].probability_mean == 2 and found[2].probability_mean == 9 and found[3].properties.probability_mean == nil)
  assert(found[1].area_m2 == 400)
  assert(#classes:polygonize({ minimum_area = 400 }) == 2 and #classes:polygonize({ minimum_area = 401 }) == 0)
  assert(#classes:polygonize({ minimum_pixels = 2 }) == 2)
  local named = classes:polygonize({ classes = { land = 1, water = 2 } })
  assert(#named == 2 and named[1].class_name == "land" and named[2].class_name == "water")
  assert(named.names[2] == "class_name")
end)

test("areas are those of the ellipsoid in longitude and latitude", function()
  -- pyproj 3.7.2: Geod(ellps="WGS84").polygon_area_perimeter of the parallels 48°…47° between 9° E and 11° E, in 20000 steps each.
  local found = image({ { 5, 5 } }, "EPSG:4326"):polygonize()
  assert(math.abs(found[1].area_m2 / 16753265055.949 - 1) < 1e-8, found[1].area_m2)
  local feet = image({ { 5, 5 } }, "EPSG:2263"):polygonize()
  assert(math.abs(feet[1].area_m2 - 2 * (1200 / 3937) ^ 2) < 1e-9, feet[1].area_m2)
  local grid = raster.grid({ origin = { 0, 0 }, resolution = 3, rows = 1, cols = 1 })
  assert(raster.constant(grid, 1):polygonize()[1].area == 9)
end)

--- Speckle and blotches of a few classes, over several tiles.
local function blotches(rows, cols, crs)
  local grid = raster.grid({ crs = crs or UTM, origin = { 500000, 5000000 }, resolution = 10, rows = rows, cols = cols })
  local place = raster.coordinates(grid)
  local wave = ((place.x / 170):sin() + (place.y / 230):sin() + (place.x / 61 + place.y / 47):cos()) * 1.2
  local speckle = raster.random(grid, { seed = 3 })
  local classes = (wave + 4):floor()
  return raster.where(speckle:gt(0.97), (speckle * 512):floor() % 4, classes):mask(speckle:gt(0.004)):rename("class")
end

test("features add up to the image, and none depends on tiles", function()
  local classes = blotches(700, 900)
  local found = classes:polygonize({ connectivity = 4 })
  local counts, pixels = {}, 0
  for i = 1, #found do
    local f = found[i]
    pixels = pixels + f.pixels
    counts[f.class] = (counts[f.class] or 0) + f.pixels
    assert(math.abs(f.geometry:area() - f.area_m2) < 1e-6)
  end
  assert(pixels == classes:stats().class.count, pixels)
  -- Burnt back, the polygons are the image.
  local back = found:rasterize(classes, { property = "class" })
  local differs = back:ne(classes):rename("differs"):stats().differs
  assert(differs.max == 0 and differs.count == pixels, tostring(differs.max))
  -- The same through parts of other sizes.
  local folder = fs.temporary()
  local path = folder .. "/classes.tif"
  classes:write(path, { dtype = "uint8", format = "COG" })
  local again = raster.open(path):polygonize({ connectivity = 4 })
  assert(again:to_geojson() == found:to_geojson())
end)

test("simplified polygons are valid and leave nothing between them", function()
  local classes = blotches(300, 400):unmask(7)
  for _, connectivity in ipairs({ 4, 8 }) do
    local found = classes:polygonize({ connectivity = connectivity, simplify = 25 })
    local plain = classes:polygonize({ connectivity = connectivity })
    assert(#found == #plain)
    local area, corners, before = 0, 0, 0
    for i = 1, #found do
      assert(not found[i].geometry:validity(), found[i].geometry:to_wkt())
      area = area + found[i].geometry:area()
      corners = corners + found[i].geometry:vertex_count()
      before = before + plain[i].geometry:vertex_count()
    end
    assert(corners < 0.7 * before, corners / before)
    -- Corners of the whole may go; what is left is covered once.
    local whole = found:union()
    assert(math.abs(whole:area() - area) < 1e-3, whole:area() - area)
    assert(area > 0.998 * 300 * 400 * 100)
  end
end)

test("files as they are found", function()
  local folder = fs.temporary()
  local classes = blotches(200, 300):set_time("2021-05-06T07:08:09Z")
  for _, connectivity in ipairs({ 4, 8 }) do
    local options = { connectivity = connectivity, classes = { land = 2, water = 3 }, minimum_pixels = 3, mean = classes:rename("c") }
    local found = classes:polygonize(options)
    assert(#found > 20 and found[1].time == "2021-05-06T07:08:09Z", found[1].time)
    for _, ending in ipairs({ ".gpkg", ".geojson", ".fgb", ".shp", ".geojsonl", ".kml", ".gml" }) do
      local path = folder .. "/" .. connectivity .. ending
      assert(classes:write_polygons(path, options) == #found, ending)
      local read = geometry.read(path)
      assert(#read == #found, ending)
      if ending == ".gpkg" then
        -- By their last rows, not their first; all of them, with all they have.
        local pixels, area = 0, 0
        for i = 1, #read do
          pixels, area = pixels + read[i].pixels, area + read[i].geometry:area()
          assert(read[i].geometry.type == (connectivity == 8 and "MultiPolygon" or "Polygon"))
          assert(read[i].c_mean == read[i].class and (read[i].class == 2) == (read[i].class_name == "land"))
          assert(read[i].time == "2021-05-06T07:08:09Z", read[i].time)
        end
        local wanted = 0
        for i = 1, #found do
          wanted = wanted + found[i].pixels
        end
        assert(pixels == wanted and math.abs(area - wanted * 100) < 1e-3)
        assert(read.crs == UTM)
      elseif ending == ".geojson" then
        assert(read.crs == "EPSG:4326")
      end
    end
  end
  local none = image({ { NONE } })
  assert(#none:polygonize() == 0 and none:write_polygons(folder .. "/none.gpkg") == 0)
end)

test("a polygon that spans the image goes to a file without being held", function()
  -- Of 16 MiB or more as WKB: its page is written by way of scratch, between those of others.
  local folder = fs.temporary()
  local grid = raster.grid({ crs = UTM, origin = { 500000, 5000000 }, resolution = 10, rows = 2100, cols = 2100 })
  local speckle = raster.random(grid, { seed = 5 })
  local classes = speckle:gt(0.08) + 1
  classes = classes:mask(speckle:gt(0.004)):rename("class")
  for _, connectivity in ipairs({ 4, 8 }) do
    local options = { connectivity = connectivity, minimum_pixels = 5 }
    local found = classes:polygonize(options)
    local wanted = {}
    for i = 1, #found do
      wanted[i] = ("%d %d %.0f %d"):format(found[i].class, found[i].pixels, found[i].geometry:area(), found[i].geometry:vertex_count())
    end
    table.sort(wanted)
    for _, ending in ipairs({ ".parquet", ".fgb" }) do
      local path = folder .. "/" .. connectivity .. ending
      assert(classes:write_polygons(path, options) == #found)
      local read, got = geometry.read(path), {}
      for i = 1, #read do
        got[i] = ("%d %d %.0f %d"):format(read[i].class, read[i].pixels, read[i].geometry:area(), read[i].geometry:vertex_count())
        assert(math.abs(read[i].geometry:area() - read[i].area_m2) < 1e-3)
      end
      table.sort(got)
      assert(table.concat(got, "\n") == table.concat(wanted, "\n"), ending)
    end
    -- One polygon of a million vertices, and small ones before and after it.
    local most = 0
    for i = 1, #found do
      most = math.max(most, found[i].geometry:vertex_count())
    end
    assert(#found > 20 and most * 16 > 2 ^ 24, most)
    found:write(folder .. "/again.parquet")
    assert(#geometry.read(folder .. "/again.parquet") == #found)
  end
end)

test("errors say what is wrong", function()
  local function fails(pattern, ...)
    local ok, message = pcall(...)
    assert(not ok and message:find(pattern), message)
  end
  local half = image({ { 1, 1.5 } })
  fails("whole numbers.*1.5 in row 1, column 2", half.polygonize, half)
  fails("4 %(pixels that share an edge%) or 8", half.polygonize, half, { connectivity = 6 })
  fails("classes", half.polygonize, half, { classes = {} })
  fails("simplify", half.polygonize, half, { simplify = 0 })
  local two = half:add_bands(half:rename("b"))
  fails("one band", two.polygonize, two)
  local other = image({ { 1 } })
  fails("grid", other.polygonize, other, { mean = half })
  local folder = fs.temporary()
  fails("whole numbers", half.write_polygons, half, folder .. "/half.gpkg")
  fails("ends in one of", other.write_polygons, other, folder .. "/a.xyz")
  assert(not fs.exists(folder .. "/half.gpkg"))
  -- What was there before stays.
  other:write_polygons(folder .. "/kept.geojson")
  fails("whole numbers", half.write_polygons, half, folder .. "/kept.geojson")
  assert(#geometry.read(folder .. "/kept.geojson") == 1)
end)
