local geometry = require "geometry"
local raster = require "raster"
local tables = require "tables"

local UTM = "EPSG:32632"

local function fields()
  return geometry.features({
    { geometry = geometry.bbox(0, 0, 50, 100, UTM), properties = { crop = "maize", rank = 2 }, id = 7 },
    { geometry = geometry.bbox(50, 0, 100, 50, UTM), properties = { crop = "wheat", rank = 1.5 } },
    { geometry = geometry.bbox(50, 50, 100, 100, UTM), properties = { crop = "maize" } },
  })
end

test("every format holds none, one and several features", function()
  local folder = require("fs").temporary()
  for _, ending in ipairs({ ".geojson", ".gpkg", ".shp", ".fgb", ".kml", ".gml", ".geojsonl", ".parquet" }) do
    for count = 0, 3 do
      local kept = 0
      local some = fields():to_crs("EPSG:4326"):filter(function()
        kept = kept + 1
        return kept <= count
      end)
      -- A Shapefile has a type of geometry, and none without a feature.
      if count > 0 or ending ~= ".shp" then
        local path = folder .. "/" .. count .. ending
        some:write(path)
        if count > 0 then
          assert(#geometry.read(path) == count, ending)
        end
      end
    end
  end
end)

test("a collection is read like a list", function()
  local f = fields()
  assert(#f == 3 and f.crs == UTM and table.concat(f.names, " ") == "crop rank")
  assert(f[1].crop == "maize" and f[1].id == 7 and f[1].properties.rank == 2 and f[3].properties.rank == nil)
  assert(f[2].geometry:area() == 2500 and f[4] == nil and f[0] == nil)
  local n = 0
  for i, feature in ipairs(f) do
    n = n + i
    assert(feature.geometry.crs == UTM)
  end
  assert(n == 6)
  assert_error(function() return f[3].rank end, "a Feature has no field or method `rank`")
  assert_error(function() return f[1].corp end, "did you mean `crop`")
  assert(tostring(f):match "^[^\n]*" == "3 features (Polygon), EPSG:32632, x 0..100, y 0..100")
  assert_error(function() geometry.features({ 5 }) end, "list%[1%] must be a Geometry, or { geometry = …")
  assert_error(function() geometry.features({ { geometry = geometry.point(1, 2), properties = { a = print } } }) end, "list%[1%]%.properties%.a must be")
  assert_error(function() geometry.features({ geometry.point(1, 2), { geometry = geometry.point(3, 4), propertis = { a = 1 } } }) end,
    "unknown option `list%[2%]%.propertis`; did you mean `list%[2%]%.properties`%?")
  assert_error(function() geometry.features({ geometry.point(1, 2), geometry.point(1, 2, UTM) }) end, "different coordinate reference systems")
end)

test("filters", function()
  local f = fields()
  assert(#f:filter({ crop = "maize" }) == 2 and #f:filter({ crop = "maize", rank = 2.0 }) == 1)
  assert(#f:filter(function(feature) return feature.properties.rank end) == 2)
  assert_error(function() f:filter({ corp = "maize" }) end, "no property `corp`; did you mean `crop`%?")
  assert_error(function() f:filter(function() error("mine") end) end, "features%.lua:%d+: mine$")
  assert(#f:within({ 60, 60, 70, 70 }) == 1 and #f:within(geometry.bbox(60, 10, 70, 20, UTM)) == 1)
  local lonlat = geometry.bbox(60, 60, 70, 70, UTM):to_crs(4326):bounds()
  assert(#f:within(lonlat, { crs = 4326 }) == 1)
  assert_error(function() f:within({ 70, 60, 60, 70 }) end, "min below max")
  assert(#f:intersecting(geometry.polygon({ { 0, 0 }, { 49, 0 }, { 0, 49 } }, UTM)) == 1)
  local clipped = f:clip(geometry.bbox(40, 40, 60, 60, UTM))
  assert(#clipped == 3 and clipped:union():area() == 400 and clipped[1].crop == "maize")
end)

test("properties come and go by tables", function()
  local f = fields():with_property("area", function(feature) return feature.geometry:area() end)
  assert(f[1].area == 5000)
  local t = f:table()
  assert(table.concat(t.names, " ") == "id crop rank area" and t[1].id == 7 and t[3].rank == nil)
  local g = f:with_table(t:with_column("n", { 1, 2, 3 }))
  assert(g[3].n == 3)
  assert_error(function() f:with_table(tables.new({ { a = 1 } })) end, "table must be one of 3 rows, one a feature, got 1")
  assert(#f:append(f) == 6)
  assert(#geometry.features({ geometry.from_wkt("MULTIPOINT (1 2, 3 4)") }):points() == 2)
  assert_error(function() f:points() end, "feature 1 must be a Point, got Polygon")
end)

test("files keep what they are given", function()
  local f = fields()
  for _, name in ipairs({ "a.gpkg", "a.fgb", "a.shp" }) do
    f:write(folder .. "/" .. name)
    local back = geometry.read(folder .. "/" .. name)
    assert(#back == 3 and back.crs == UTM and back:union():area() == 10000, name)
    assert(#back:filter({ crop = "wheat" }) == 1)
  end
  f:write(folder .. "/a.geojson", { decimals = 7 })
  local back = geometry.read(folder .. "/a.geojson")
  assert(back.crs == "EPSG:4326" and #back == 3)
  assert(#geometry.read(folder .. "/a.gpkg", { where = "rank > 1.8" }) == 1)
  assert(#geometry.read(folder .. "/a.gpkg", { bounds = { 60, 60, 70, 70 } }) == 1)
  assert_error(function() geometry.read(folder .. "/a.gpkg", { layer = "b" }) end, "no layer `b`; did you mean `a`")
  assert_error(function() geometry.read("no.gpkg") end, "geometry%.read: no such file: .*no%.gpkg")
  assert_error(function() f:write(folder .. "/a.xyz") end, "Features:write: path must be a name that ends in one of")
  assert_error(function() f:write("/proc/a.gpkg") end, "outside the working folder")
end)

test("features burnt into pixels", function()
  local grid = raster.grid({ crs = UTM, bounds = { 0, 0, 100, 100 }, resolution = 10 })
  local f = fields()
  assert(f:rasterize(grid):stats().features.count == 100)
  local ranks = f:rasterize(grid, { property = "rank", name = "rank" })
  local stats = ranks:stats().rank
  assert(stats.count == 75 and stats.max == 2 and stats.min == 1.5)
  assert_error(function() f:rasterize(grid, { property = "rnk" }) end, "no property `rnk`; did you mean `rank`")
  assert_error(function() f:rasterize(grid, { property = "crop" }) end, "property `crop` of feature 1 must be a number or boolean")
  assert_error(function() f:rasterize(grid, { property = "rank", value = 1 }) end, "give value or property, not both")
  ranks:write(folder .. "/rank.tif")
  assert(raster.open(folder .. "/rank.tif"):stats().rank.count == 75)
end)

test("statistics by zone", function()
  local grid = raster.grid({ crs = UTM, bounds = { 0, 0, 100, 100 }, resolution = 10 })
  local f = fields()
  local image = f:rasterize(grid, { index = true })
  local t = f:statistics(image)
  assert(table.concat(t.names, " ") == "id crop rank count mean std min max")
  assert(t[1].count == 50 and t[1].mean == 1 and t[2].mean == 2 and t[3].std == 0)
  t = f:to_crs(4326):statistics(image, { statistics = { "median", "p90" }, classes = true })
  assert(t[3].median == 3 and t[3].class_3 == 25 and t[3].class_1 == 0)
  assert_error(function() f:statistics(image, { statistics = "maen" }) end, "no aggregation `maen`; did you mean `mean`")
  local outside = geometry.bbox(1000, 1000, 1100, 1100, UTM)
  local none = geometry.features({ outside }):statistics(image)[1]
  assert(none.count == 0 and none.mean == nil)
end)

test("real outlines on their scene", function()
  local glaciers = geometry.read(shared("optical/geoutils/15_rgi60_glacier_outlines_test.gpkg"))
  local scene = raster.open(shared("optical/geoutils/LE71400412000304SGS00_B4.tif"))
  local t = glaciers:statistics(scene, { statistics = { "count", "mean", "median" } })
  assert(#t == 7)
  local utm = glaciers:to_crs("EPSG:32645")
  for i, row in ipairs(t) do
    -- The pixels' area is the polygon's to within the edges, where the scene covers it.
    local area = utm[i].geometry:area()
    local pixels = row.count * 30 * 30
    assert(pixels <= area * 1.02, i)
    if i == 1 then assert(row.mean == nil or row.mean > 0) end
  end
  assert(t:aggregate("sum", "count") > 10000)
end)

-- A table of dBase as old programs write it: no encoding in its head (byte 29), no .cpg beside it. The same bytes as GDAL 3.12 reads them
-- (pyogrio 0.11: `read_info(…)["encoding"]` is ISO-8859-1).
local function without_encoding(name, city)
  local fs = require "fs"
  geometry.features { { geometry = geometry.point(8.5, 47.4), properties = { name = ("x"):rep(#city) } } }:write(name .. ".shp")
  local bytes = fs.read(name .. ".dbf"):gsub(("x"):rep(#city), function() return city end)
  fs.write(name .. ".dbf", bytes:sub(1, 29) .. "\0" .. bytes:sub(31))
  fs.remove(name .. ".cpg")
end

test("a Shapefile that says no encoding is read in that of its time", function()
  without_encoding("latin", "Z\xFCrich")
  assert(geometry.read("latin.shp")[1].properties.name == "Zürich")
  assert(geometry.read("latin.shp", { encoding = "ISO-8859-1" })[1].properties.name == "Zürich")
  assert(geometry.read("latin.shp", { encoding = "CP437" })[1].properties.name == "Zⁿrich", "as told")
  without_encoding("unicode", "Zürich")
  assert(geometry.read("unicode.shp")[1].properties.name == "Zürich")
  assert_error(function() geometry.read("latin.shp", { encoding = "UTF-8" }) end, "feature 1: the text of `name` is not in the encoding of the file: .*say which it is")
  assert_error(function() geometry.read("latin.shp", { encoding = "Latin" }) end, "encoding must be the name of an encoding")
end)

test("the Shapefile without .cpg of the awkward files is read", function()
  local places = geometry.read(shared "awkward/nocpg.shp")
  assert(places[1].properties.name == "Zürich" and places[2].properties.name == "Genève")
end)

test("a Shapefile says the encoding that it was written in", function()
  local fs = require "fs"
  local places = geometry.features { { geometry = geometry.point(8.5, 47.4), properties = { name = "Zürich" } } }
  places:write("a.shp", { encoding = "ISO-8859-1" })
  assert(fs.read("a.cpg") == "ISO-8859-1" and fs.read("a.dbf"):find("Z\xFCrich", 1, true))
  assert(geometry.read("a.shp")[1].properties.name == "Zürich")
  places:write("b.shp")
  assert(fs.read("b.cpg") == "UTF-8" and geometry.read("b.shp")[1].properties.name == "Zürich")
  local greek = geometry.features { { geometry = geometry.point(23.7, 38), properties = { name = "Αθήνα" } } }
  assert_error(function() greek:write("c.shp", { encoding = "ISO-8859-1" }) end, "feature 1: ISO%-8859%-1 cannot hold the text of `name`, `Αθήνα`")
  assert_error(function() places:write("c.gpkg", { encoding = "ISO-8859-1" }) end, "encoding must be left out: only the text of Shapefiles")
  assert_error(function() geometry.read("b.shp", { encoding = "Latin" }) end, "encoding must be the name of an encoding")
  places:write("d.gpkg")
  assert_error(function() geometry.read("d.gpkg", { encoding = "UTF-8" }) end, "encoding must be left out")
end)
